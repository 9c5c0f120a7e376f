/*
 * fuzz_calendar.c - iCalendar files. Either there is a complaint with a line of the file, or there are
 * events that can be asked at any moment; an event that was taken is on at its first begin, unless
 * EXDATE takes just that one out.
 */
#include "tests/fuzz.h"
#include "base/clock.h"
#include "base/mem.h"
#include "schedule/calendar.h"

#include <assert.h>
#include <string.h>

struct tally {
	size_t complaint_count;
	uint32_t line_count;
};

static void complain(void *ctx, uint32_t line, const char *sentence)
{
	struct tally *tally = ctx;

	assert(sentence[0] != '\0');
	assert(line <= tally->line_count);
	tally->complaint_count++;
}

static uint32_t count_lines(const uint8_t *bytes, size_t length_bytes)
{
	uint32_t count = 1;

	for (size_t i = 0; i < length_bytes; i++)
		count += bytes[i] == '\n' ? 1 : 0;
	return count;
}

static void ask(const struct calendar *calendar)
{
	static const int64_t moments_s[] = { 0, 1774745999, 1792890000, 4102444800, 7258118400 };

	for (size_t i = 0; i < sizeof moments_s / sizeof moments_s[0]; i++) {
		const struct calendar_event *event =
			calendar_event_at(calendar, moments_s[i] * NS_PER_S);

		assert(event == NULL || event->line > 0);
	}
	for (size_t i = 0; i < calendar->event_count; i++) {
		const struct calendar_event *event = &calendar->events[i];
		const struct calendar alone = { calendar->name, event, 1 };
		int64_t first_ns;
		int64_t second_ns;

		if (event->day < 0 || event->except_count > 0)
			continue;
		(void)zone_find(event->zone, event->day, event->second, &first_ns, &second_ns);
		if (first_ns >= 0 && first_ns <= event->until_wall_ns &&
		    zone_find(event->zone, event->day + event->span_days, event->until_second,
			      &second_ns, &second_ns) == ZONE_ONCE && second_ns > first_ns)
			assert(calendar_event_at(&alone, first_ns) == event);
	}
}

void fuzz_calendar(const uint8_t *bytes, size_t length_bytes)
{
	struct arena arena = { 0 };
	struct tally tally = { .line_count = count_lines(bytes, length_bytes) };
	struct calendar calendar = { 0 };
	struct err e = { 0 };
	struct calendar_source source = { .name = "x.ics", .length_bytes = length_bytes };

	source.bytes = arena_copy_bytes(&arena, (const char *)bytes, length_bytes);
	assert(zone_load("Europe/Berlin", &arena, &source.zone, &e));
	if (calendar_read(&source, &arena, complain, &tally, &calendar))
		ask(&calendar);
	else
		assert(tally.complaint_count > 0);
	arena_release(&arena);
}
