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

enum { WRITE_BITS = 2, WRITE_MASK = (1 << WRITE_BITS) - 1 };

_Static_assert((int)WRITE_INDETERMINATE <= (int)WRITE_MASK, "an outcome fits into its bits");
_Static_assert(BATCH_ROWS_MAX * WRITE_BITS <= 32, "and a batch into `detail`");

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

static uint32_t rows_per_slot(const struct track *track)
{
	return track->rows_per_slot == 0 ? 1 : track->rows_per_slot;
}

uint64_t track_row_count(const struct track *track)
{
	return track->slot_count * rows_per_slot(track);
}

const struct sample *track_row_sample(const struct track *track, uint64_t row)
{
	return &track->samples[row / rows_per_slot(track)];
}

enum write_outcome track_row_write(const struct track *track, uint64_t row)
{
	const uint32_t count = rows_per_slot(track);
	const struct sample *sample = &track->samples[row / count];

	if (count == 1)
		return (enum write_outcome)sample->write;
	return (enum write_outcome)(sample->detail >> row % count * WRITE_BITS & WRITE_MASK);
}

uint32_t write_pack(const enum write_outcome *writes, uint32_t count)
{
	uint32_t packed = 0;

	assert(count <= BATCH_ROWS_MAX);
	for (uint32_t i = 0; i < count; i++)
		packed |= (uint32_t)writes[i] << i * WRITE_BITS;
	return packed;
}

enum write_outcome write_of_all(const enum write_outcome *writes, uint32_t count)
{
	enum write_outcome all = writes[0];

	for (uint32_t i = 1; i < count; i++) {
		if (writes[i] == all)
			continue;
		if (writes[i] == WRITE_INDETERMINATE || all == WRITE_INDETERMINATE)
			return WRITE_INDETERMINATE;
		all = WRITE_FAILED;
	}
	return all;
}
