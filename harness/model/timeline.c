/*
 * timeline.c - names of phases and events, and the due time of a slot; see timeline.h.
 */
#include "model/timeline.h"

#include <assert.h>
#include <string.h>

static const char *const phase_names[] = {
	[PHASE_NONE] = "none",
#define X(id, name) [PHASE_##id] = name,
	PHASE_ROWS(X)
#undef X
};

static const char *const event_kind_names[] = {
	[EVENT_NONE] = "none",
#define X(id, name) [EVENT_##id] = name,
	EVENT_ROWS(X)
#undef X
};

enum {
	PHASE_NAMES = sizeof phase_names / sizeof phase_names[0],
	EVENT_KIND_NAMES = sizeof event_kind_names / sizeof event_kind_names[0],
};

const char *phase_name(enum phase phase)
{
	assert((size_t)phase < PHASE_NAMES);
	return phase_names[phase];
}

const char *event_kind_name(enum event_kind kind)
{
	assert((size_t)kind < EVENT_KIND_NAMES);
	return event_kind_names[kind];
}

enum phase phase_find(const char *name)
{
	for (size_t i = 1; i < PHASE_NAMES; i++)
		if (strcmp(phase_names[i], name) == 0)
			return (enum phase)i;
	return PHASE_NONE;
}

enum event_kind event_kind_find(const char *name)
{
	for (size_t i = 1; i < EVENT_KIND_NAMES; i++)
		if (strcmp(event_kind_names[i], name) == 0)
			return (enum event_kind)i;
	return EVENT_NONE;
}

int64_t track_due_ns(const struct track *track, uint64_t slot)
{
	return track->t0_ns + (int64_t)slot * track->every_ns;
}

bool track_is_late(const struct track *track, uint64_t slot)
{
	const struct sample *sample = &track->samples[slot];

	return (sample->state == SAMPLE_GOOD || sample->state == SAMPLE_BAD) &&
	       sample->sent_ns - track_due_ns(track, slot) >= track->every_ns;
}
