/*
 * fuzz_cron.c - cron's text, and the next moments of what is taken. What is refused has a sentence and a
 * place within the text; what is taken comes strictly later each time, on a minute that is meant or in the
 * very moment in which clocks were put forward.
 */
#include "tests/fuzz.h"
#include "base/clock.h"
#include "fixtures/fuzz_input.h"
#include "schedule/cron.h"

#include <assert.h>
#include <string.h>

enum { MOMENTS = 5, YEARS = 120 };

static const char *const names[] = { "UTC", "Europe/Berlin", "Australia/Lord_Howe",
				     "America/St_Johns", "Pacific/Apia", "Africa/Casablanca" };

static bool is_meant(const struct cron *cron, const struct zone_time *shown)
{
	return (cron->minutes >> (shown->minute % 60) & 1) != 0 &&
	       (cron->hours >> (shown->minute / 60) & 1) != 0;
}

static void check_moments(const struct cron *cron, const struct zone *zone, int64_t from_ns)
{
	int64_t at_ns = from_ns;
	int64_t next_ns;

	for (int i = 0; i < MOMENTS && cron_next(cron, zone, at_ns, &next_ns); i++) {
		const struct zone_time shown = zone_time_at(zone, next_ns);
		int64_t change_ns;

		assert(next_ns > at_ns);
		assert(is_meant(cron, &shown) ||
		       (!cron->is_each_hour && zone_next_change(zone, next_ns - 1, &change_ns) &&
			change_ns == next_ns));
		at_ns = next_ns;
	}
}

void fuzz_cron(const uint8_t *bytes, size_t length_bytes)
{
	struct fuzz_input input = { bytes, length_bytes };
	struct arena arena = { 0 };
	const char *name = names[fuzz_take_below(&input, sizeof names / sizeof names[0])];
	const int64_t from_s = (int64_t)(fuzz_take_word(&input) % ((uint64_t)YEARS * 366 * 86400));
	const char *text = fuzz_take_text(&input, &arena);
	const struct zone *zone;
	size_t offset_bytes = 0;
	struct cron cron;
	struct err e = { 0 };

	assert(zone_load(name, &arena, &zone, &e));
	if (cron_parse(text, &cron, &offset_bytes, &e)) {
		check_moments(&cron, zone, from_s * NS_PER_S);
	} else {
		assert(e.kind == ERR_INPUT);
		assert(e.text[0] != '\0');
		assert(offset_bytes <= strlen(text));
	}
	arena_release(&arena);
}
