/*
 * calendar_read.c - the lines of an iCalendar file into events; see calendar.h. Lines that were folded
 * are put together first; a mistake is told with the line on which the property begins.
 */
#include "schedule/calendar_parts.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "base/limits.h"

/* A property that matters, as it stands. */
struct property {
	const char *value; /* NULL: the event has none */
	const char *zone_name;
	uint32_t line;
};

/* The event that is being read. */
struct draft {
	uint32_t line;
	const char *summary;
	bool is_cancelled;
	struct property begin;
	struct property end;
	struct property duration;
	struct property rule;
	struct property *excepts;
	size_t except_count;
};

struct reading {
	const struct calendar_source *source;
	struct arena *arena;
	calendar_complaint complain;
	void *ctx;
	bool is_sound;
	const char *at;
	uint32_t line;      /* of `at` */
	uint32_t line_here; /* where the property that is being read begins */
	const char *open[LIMIT_NESTING]; /* the components around it */
	size_t depth;
	struct draft draft;
	struct calendar_event *events;
	size_t event_count;
};

__attribute__((format(printf, 3, 4)))
static void complain(struct reading *reading, uint32_t line, const char *format, ...)
{
	struct text text = { 0 };
	va_list args;

	va_start(args, format);
	text_addv(&text, format, args);
	va_end(args);
	reading->is_sound = false;
	reading->complain(reading->ctx, line, text_str(&text));
	text_release(&text);
}

/* ---- events ---- */

static bool zone_of(struct reading *reading, const struct property *property,
		    const struct zone **ret_zone)
{
	struct err e = { 0 };

	*ret_zone = reading->source->zone;
	if (property->zone_name == NULL ||
	    zone_load(property->zone_name, reading->arena, ret_zone, &e))
		return true;
	complain(reading, property->line, "`TZID=%.80s`: %s", property->zone_name, e.text);
	return false;
}

static bool time_of(struct reading *reading, const struct property *property,
		    struct calendar_time *ret_time)
{
	const struct zone *zone;
	struct err e = { 0 };

	if (!zone_of(reading, property, &zone))
		return false;
	if (calendar_time_read(property->value, zone, ret_time, &e))
		return true;
	complain(reading, property->line, "%s", e.text);
	return false;
}

/* The end of the event by the clocks of its begin. */
static bool end_of(struct reading *reading, const struct calendar_time *begin,
		   struct calendar_time *ret_end)
{
	const struct draft *draft = &reading->draft;
	struct err e = { 0 };

	*ret_end = *begin;
	if (draft->end.value != NULL) {
		if (!time_of(reading, &draft->end, ret_end))
			return false;
		if (ret_end->is_date != begin->is_date) {
			complain(reading, draft->end.line, "DTSTART and DTEND must both be dates, or "
				 "both be times");
			return false;
		}
		if (ret_end->day < 0 && ret_end->zone != begin->zone) {
			complain(reading, draft->end.line, "ends before 1970 in another zone; take "
				 "the event out");
			return false;
		}
		calendar_time_move(ret_end, begin->zone);
	} else if (draft->duration.value != NULL) {
		if (!calendar_time_add(draft->duration.value, ret_end, &e)) {
			complain(reading, draft->duration.line, "%s", e.text);
			return false;
		}
	} else if (begin->is_date) {
		ret_end->day++;
	}
	if (ret_end->day < begin->day ||
	    (ret_end->day == begin->day && ret_end->second <= begin->second)) {
		complain(reading, draft->line, "the event does not end after it begins, so it would "
			 "freeze nothing; give it a later DTEND, or take it out");
		return false;
	}
	return true;
}

static void read_excepts(struct reading *reading, struct calendar_event *event)
{
	const struct draft *draft = &reading->draft;
	int64_t *days = arena_alloc(reading->arena, (draft->except_count + 1) * sizeof *days);

	for (size_t i = 0; i < draft->except_count; i++) {
		struct calendar_time time;

		if (!time_of(reading, &draft->excepts[i], &time) || time.day < 0)
			continue; /* nothing of before 1970 is asked for */
		if (!time.is_date)
			calendar_time_move(&time, event->zone);
		days[event->except_count++] = time.day;
	}
	event->except_days = days;
}

/* What only shows when everything of the event is known. */
static void check_span(struct reading *reading, const struct calendar_event *event)
{
	if (event->repeat != REPEAT_NEVER && event->span_days > CALENDAR_SPAN_MAX_DAYS)
		complain(reading, reading->draft.line, "the event comes again and is longer than %d "
			 "days; leave out RRULE, or make it shorter", CALENDAR_SPAN_MAX_DAYS);
	else if (event->repeat == REPEAT_NEVER && event->day < 0)
		complain(reading, reading->draft.line, "the event begins before 1970 and does not come "
			 "again; take it out");
	else if (event->day + event->span_days > ZONE_DAY_MAX)
		complain(reading, reading->draft.line, "the event ends after 2199; make it shorter");
}

static void build_event(struct reading *reading)
{
	const struct draft *draft = &reading->draft;
	struct calendar_event event = { .summary = draft->summary, .line = draft->line,
					.until_wall_ns = INT64_MAX };
	struct calendar_time begin;
	struct calendar_time end;
	struct err e = { 0 };

	if (draft->is_cancelled)
		return;
	if (draft->begin.value == NULL) {
		complain(reading, draft->line, "the event has no DTSTART");
		return;
	}
	if (!time_of(reading, &draft->begin, &begin) || !end_of(reading, &begin, &end))
		return;
	event.zone = begin.zone;
	event.day = begin.day;
	event.second = begin.second;
	event.span_days = end.day - begin.day;
	event.until_second = end.second;
	if (draft->rule.value != NULL && !calendar_rule_read(draft->rule.value, &event, &e)) {
		complain(reading, draft->rule.line, "RRULE: %s", e.text);
		return;
	}
	read_excepts(reading, &event);
	check_span(reading, &event);
	reading->events = arena_more(reading->arena, reading->events, reading->event_count,
				     sizeof *reading->events);
	reading->events[reading->event_count++] = event;
}

/* ---- properties ---- */

/* "DTSTART;TZID=Europe/Berlin:20261224T090000" in its parts. */
struct content {
	const char *name;
	const char *zone_name; /* TZID; NULL */
	const char *value;
};

/* One ";NAME=VALUE", the value perhaps in quotes, from `at` on; what is behind it, or NULL. */
static const char *take_parameter(struct reading *reading, const char *at, struct content *content)
{
	const char *name = at;
	const size_t name_bytes = strcspn(at, "=;:");
	const char *value = at + name_bytes + 1;
	size_t value_bytes;

	if (at[name_bytes] != '=')
		return NULL;
	if (*value == '"') {
		value++;
		value_bytes = strcspn(value, "\"");
		if (value[value_bytes] != '"')
			return NULL;
		at = value + value_bytes + 1;
	} else {
		value_bytes = strcspn(value, ";:");
		at = value + value_bytes;
	}
	if (name_bytes == 4 && strncasecmp(name, "TZID", 4) == 0)
		content->zone_name = arena_copy_bytes(reading->arena, value, value_bytes);
	return *at == ';' || *at == ':' ? at : NULL;
}

static bool split(struct reading *reading, const char *line, struct content *ret_content)
{
	const size_t name_bytes = strcspn(line, ";:");
	const char *at = line + name_bytes;

	*ret_content = (struct content){
		.name = arena_copy_bytes(reading->arena, line, name_bytes) };
	while (at != NULL && *at == ';')
		at = take_parameter(reading, at + 1, ret_content);
	if (at == NULL || *at != ':' || name_bytes == 0) {
		complain(reading, reading->line_here, "`%.40s` is no line of iCalendar, which is "
			 "`NAME:VALUE`", line);
		return false;
	}
	ret_content->value = arena_copy(reading->arena, at + 1);
	return true;
}

/* EXDATE may list several. */
static void take_excepts(struct reading *reading, const struct content *content)
{
	struct draft *draft = &reading->draft;
	const char *at = content->value;

	for (;;) {
		const size_t bytes = strcspn(at, ",");

		draft->excepts = arena_more(reading->arena, draft->excepts, draft->except_count,
					    sizeof *draft->excepts);
		draft->excepts[draft->except_count++] = (struct property){
			.value = arena_copy_bytes(reading->arena, at, bytes),
			.zone_name = content->zone_name,
			.line = reading->line_here,
		};
		if (at[bytes] == '\0')
			return;
		at += bytes + 1;
	}
}

/* "Christmas\, and after" as people read it. */
static const char *unescape(struct arena *arena, const char *value)
{
	char *text = arena_copy(arena, value);
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		const bool is_escape = *from == '\\' && from[1] != '\0';

		from += is_escape ? 1 : 0;
		*to++ = is_escape && (*from == 'n' || *from == 'N') ? ' ' : *from;
	}
	*to = '\0';
	return text;
}

static void take_property(struct reading *reading, const struct content *content)
{
	static const char *const refused[] = { "RDATE", "EXRULE", "RECURRENCE-ID" };
	struct draft *draft = &reading->draft;
	const struct {
		const char *name;
		struct property *property;
	} rows[] = {
		{ "DTSTART", &draft->begin },
		{ "DTEND", &draft->end },
		{ "DURATION", &draft->duration },
		{ "RRULE", &draft->rule },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (strcasecmp(content->name, rows[i].name) != 0)
			continue;
		if (rows[i].property->value != NULL)
			complain(reading, reading->line_here, "the event has a second %s; write it as "
				 "an event of its own", rows[i].name);
		*rows[i].property = (struct property){ content->value, content->zone_name,
						       reading->line_here };
	}
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (strcasecmp(content->name, refused[i]) == 0)
			complain(reading, reading->line_here, "%s is not taken; write what it says as "
				 "events of their own", refused[i]);
	if (strcasecmp(content->name, "EXDATE") == 0)
		take_excepts(reading, content);
	else if (strcasecmp(content->name, "SUMMARY") == 0)
		draft->summary = unescape(reading->arena, content->value);
	else if (strcasecmp(content->name, "STATUS") == 0)
		draft->is_cancelled = strcasecmp(content->value, "CANCELLED") == 0;
}

/* ---- components and lines ---- */

static void open_component(struct reading *reading, const char *name)
{
	if (reading->depth == LIMIT_NESTING) {
		complain(reading, reading->line_here, "more than %d components inside of each other",
			 LIMIT_NESTING);
		return;
	}
	if (reading->depth == 0 && strcasecmp(name, "VCALENDAR") != 0)
		complain(reading, reading->line_here, "begins with `%.40s`; an iCalendar file begins "
			 "with `BEGIN:VCALENDAR`", name);
	reading->open[reading->depth++] = name;
	if (reading->depth == 2 && strcasecmp(name, "VEVENT") == 0)
		reading->draft = (struct draft){ .line = reading->line_here, .summary = "" };
}

/* Is this the inside of an event, and not of an alarm in it? */
static bool is_in_event(const struct reading *reading)
{
	return reading->depth == 2 && strcasecmp(reading->open[1], "VEVENT") == 0;
}

static void close_component(struct reading *reading, const char *name)
{
	if (reading->depth == 0 || strcasecmp(reading->open[reading->depth - 1], name) != 0) {
		complain(reading, reading->line_here, "`END:%.40s` where %s%.40s is open", name,
			 reading->depth == 0 ? "nothing" : "",
			 reading->depth == 0 ? "" : reading->open[reading->depth - 1]);
		return;
	}
	if (is_in_event(reading) && reading->event_count == CALENDAR_EVENTS_MAX)
		complain(reading, reading->line_here, "more than %d events", CALENDAR_EVENTS_MAX);
	else if (is_in_event(reading))
		build_event(reading);
	reading->depth--;
}

static void take_line(struct reading *reading, const char *line)
{
	struct content content;

	if (*line == '\0' || !split(reading, line, &content))
		return;
	if (strcasecmp(content.name, "BEGIN") == 0)
		open_component(reading, content.value);
	else if (strcasecmp(content.name, "END") == 0)
		close_component(reading, content.value);
	else if (reading->depth == 0)
		complain(reading, reading->line_here, "`%.40s` stands outside of every calendar; an "
			 "iCalendar file begins with `BEGIN:VCALENDAR`", content.name);
	else if (is_in_event(reading))
		take_property(reading, &content);
}

/* The next line with what was folded onto the ones behind it. False: there is none. */
static bool next_line(struct reading *reading, struct text *line)
{
	const char *end = reading->source->bytes + reading->source->length_bytes;

	text_clear(line);
	if (reading->at == end)
		return false;
	reading->line_here = reading->line;
	do {
		const char *newline = memchr(reading->at, '\n', (size_t)(end - reading->at));
		const char *stop = newline == NULL ? end : newline;
		size_t bytes = (size_t)(stop - reading->at);

		if (bytes > 0 && stop[-1] == '\r')
			bytes--;
		/* The blank of a folded line belongs to the fold. */
		text_add_bytes(line, reading->at + (reading->line > reading->line_here ? 1 : 0),
			       bytes - (reading->line > reading->line_here && bytes > 0 ? 1 : 0));
		reading->at = newline == NULL ? end : newline + 1;
		reading->line++;
	} while (reading->at < end && (*reading->at == ' ' || *reading->at == '\t'));
	return true;
}

bool calendar_read(const struct calendar_source *source, struct arena *arena,
		   calendar_complaint complaint, void *ctx, struct calendar *ret_calendar)
{
	struct reading reading = { .source = source, .arena = arena, .complain = complaint,
				   .ctx = ctx, .is_sound = true, .at = source->bytes, .line = 1 };
	struct text line = { 0 };

	assert(source->zone != NULL);

	while (next_line(&reading, &line)) {
		if (line.length_bytes > LIMIT_SCALAR_BYTES)
			complain(&reading, reading.line_here, "a line of %zu bytes; the most is %d",
				 line.length_bytes, LIMIT_SCALAR_BYTES);
		else if (strlen(text_str(&line)) < line.length_bytes)
			complain(&reading, reading.line_here, "a NUL byte; this is no text");
		else
			take_line(&reading, text_str(&line));
	}
	text_release(&line);
	if (reading.depth > 0)
		complain(&reading, reading.line - 1, "ends inside of %.40s: the file was cut off",
			 reading.open[reading.depth - 1]);
	else if (reading.is_sound && reading.event_count == 0)
		complain(&reading, 1, "has no event that freezes anything; take the file out");
	if (!reading.is_sound)
		return false;
	*ret_calendar = (struct calendar){ source->name, reading.events, reading.event_count };
	return true;
}
