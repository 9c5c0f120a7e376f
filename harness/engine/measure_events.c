/*
 * measure_events.c - see measure_events.h.
 */
#include "engine/measure_events.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"

/* Two clocks that nobody sets part by so much of the time at most. */
enum { DRIFT_PPM = 100 };

/* No clock is further away than this, and sums of two such moments stay in range. */
static const int64_t far_ns = INT64_MAX / 4;

/* sights.h says why it is a text. */
static bool read_ns(const struct json *value, int64_t *ret_ns)
{
	const char *text = json_text_of(value);
	char *end = NULL;

	if (text == NULL)
		return false;
	*ret_ns = (int64_t)strtoll(text, &end, 10);
	return end != text && *end == '\0';
}

static bool is_sound(int64_t ns)
{
	return ns > -far_ns && ns < far_ns;
}

/* A pair of moments from an event's data. */
static bool read_span(const struct event *event, const char *low_key, const char *high_key,
		      struct span *ret_span)
{
	struct json *root = NULL;
	struct span span = { 0, 0 };
	bool ok = event->data != NULL &&
		  json_parse(event->data, strlen(event->data), &root, NULL) &&
		  json_type_of(root) == JSON_OBJECT &&
		  read_ns(json_get(root, low_key), &span.low_ns) &&
		  read_ns(json_get(root, high_key), &span.high_ns) && is_sound(span.low_ns) &&
		  is_sound(span.high_ns) && span.low_ns <= span.high_ns;

	json_release(root);
	if (ok)
		*ret_span = span;
	return ok;
}

/* One measurement of a host's clock. */
struct reading {
	const struct event *event; /* NULL: none */
	struct span offset;
};

/* The last one before the event, and the first one after it. */
static void find_readings(const struct timeline *timeline, const struct event *seen,
			  struct reading *ret_before, struct reading *ret_after)
{
	for (size_t i = 0; i < timeline->event_count; i++) {
		const struct event *event = &timeline->events[i];
		struct span offset;

		if (event->kind != EVENT_CLOCK || event->host == NULL ||
		    strcmp(event->host, seen->host) != 0 ||
		    !read_span(event, "low_ns", "high_ns", &offset))
			continue;
		if (event->until_ns <= seen->until_ns)
			*ret_before = (struct reading){ event, offset };
		else if (ret_after->event == NULL)
			*ret_after = (struct reading){ event, offset };
	}
}

static int64_t width_ns(struct span span)
{
	return span.high_ns - span.low_ns;
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t within(int64_t ns, int64_t most_ns)
{
	return ns < 0 ? 0 : smaller(ns, most_ns);
}

/* By how much two clocks that nobody sets part in so long, at most. */
static int64_t drift_ns(int64_t elapsed_ns)
{
	return elapsed_ns / 1000000 * DRIFT_PPM + DRIFT_PPM;
}

/* What the host's clock was ahead of the run's, whenever the event took place. NULL, or why not. */
static const char *find_offset(const struct timeline *timeline, const struct event *seen,
			       struct span own, struct arena *arena, struct span *ret_offset)
{
	struct reading before = { 0 };
	struct reading after = { 0 };
	char moved[UNITS_TEXT_BYTES];

	if (seen->host == NULL)
		return "nobody knows by which host's clock";
	find_readings(timeline, seen, &before, &after);
	if (before.event == NULL || after.event == NULL)
		return arena_format(arena, "the clock of %s was not measured both before and after "
				    "it", seen->host);

	const int64_t gap_ns = greater(after.offset.low_ns - before.offset.high_ns,
				       before.offset.low_ns - after.offset.high_ns);
	const int64_t elapsed_ns = after.event->until_ns - before.event->from_ns;
	const int64_t explained_ns =
		width_ns(before.offset) + width_ns(after.offset) + drift_ns(elapsed_ns);

	if (gap_ns > explained_ns)
		return arena_format(arena, "the clock of %s moved by at least %s against ours "
				    "meanwhile, so it was set", seen->host,
				    units_format_duration(gap_ns, moved));

	/* How far from each measurement the event can have been, at most. */
	const int64_t since_ns = within(seen->until_ns - before.event->from_ns, elapsed_ns);
	const int64_t highest_ns = greater(before.offset.high_ns, after.offset.high_ns);
	const int64_t earliest_ns = own.low_ns - highest_ns - drift_ns(elapsed_ns);
	const int64_t until_ns = within(after.event->until_ns - earliest_ns, elapsed_ns);

	ret_offset->low_ns = smaller(before.offset.low_ns - drift_ns(since_ns),
				     after.offset.low_ns - drift_ns(until_ns));
	ret_offset->high_ns = greater(before.offset.high_ns + drift_ns(since_ns),
				      after.offset.high_ns + drift_ns(until_ns));
	return NULL;
}

/*
 * The bound by the host's own clock. Seen is seen: our clock bounds it from above too. It does not from
 * below, for what a look did not show may have happened and not yet been shown. NULL, or why it cannot be
 * used.
 */
static const char *place_by_host(const struct timeline *timeline, const struct event *seen,
				 struct arena *arena, struct span *at)
{
	struct span own;
	struct span offset = { 0, 0 };
	const char *why;

	if (!read_span(seen, "own_low_ns", "own_high_ns", &own))
		return "it carries no time of its own";
	why = find_offset(timeline, seen, own, arena, &offset);
	if (why != NULL)
		return why;

	const struct span by_host = {
		own.low_ns - offset.high_ns,
		smaller(own.high_ns - offset.low_ns, at->high_ns),
	};

	if (by_host.low_ns > by_host.high_ns)
		return arena_format(arena, "by the clock of %s it lies after the moment when it had "
				    "been seen already", seen->host);
	*at = by_host;
	return NULL;
}

static void place(const struct timeline *timeline, const struct event *seen, struct arena *arena,
		  struct named_event *named)
{
	const bool is_between_looks = seen->from_ns != 0;

	named->at = (struct span){ is_between_looks ? seen->from_ns : INT64_MIN, seen->until_ns };
	named->is_placed = true;
	if (seen->data == NULL && is_between_looks)
		return;
	named->why = place_by_host(timeline, seen, arena, &named->at);
	named->is_placed = named->why == NULL || is_between_looks;
	if (!named->is_placed)
		named->at = (struct span){ 0, 0 };
}

static bool is_later(const struct named_event *a, const struct named_event *b)
{
	if (a->is_placed != b->is_placed)
		return b->is_placed;
	return a->is_placed &&
	       a->at.low_ns / 2 + a->at.high_ns / 2 > b->at.low_ns / 2 + b->at.high_ns / 2;
}

void measure_events(const struct timeline *timeline, struct arena *arena,
		    const struct named_event **ret_events, size_t *ret_count)
{
	struct named_event *events;
	size_t most = 0;
	size_t count = 0;

	for (size_t i = 0; i < timeline->event_count; i++)
		most += timeline->events[i].kind == EVENT_SEEN ? 1 : 0;
	events = arena_alloc(arena, (most + 1) * sizeof *events);
	for (size_t i = 0; i < timeline->event_count; i++) {
		const struct event *seen = &timeline->events[i];
		struct named_event fresh = {
			.probe = seen->name == NULL ? "" : seen->name,
			.host = seen->host,
			.what = seen->text,
		};
		size_t where = count;

		if (seen->kind != EVENT_SEEN)
			continue;
		fresh.part_name = arena_format(arena, "until %s", seen->text);
		place(timeline, seen, arena, &fresh);
		for (; where > 0 && is_later(&events[where - 1], &fresh); where--)
			events[where] = events[where - 1];
		events[where] = fresh;
		count++;
	}
	*ret_events = events;
	*ret_count = count;
}
