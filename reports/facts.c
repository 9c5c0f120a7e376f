/*
 * facts.c - see facts.h.
 */
#include "reports/facts.h"

#include <assert.h>
#include <string.h>

bool facts_has_fault(const struct story *story)
{
	return story->fault.high_ns != 0;
}

int64_t facts_started_ns(const struct story *story)
{
	return story->timeline.anchor.boot_ns;
}

int64_t facts_zero_ns(const struct story *story)
{
	return facts_has_fault(story) ? story->fault.low_ns : facts_started_ns(story);
}

const char *facts_head(const struct story *story)
{
	return story->timeline.head[0] == '\0' ? NULL : story->timeline.head;
}

int64_t facts_ended_ns(const struct story *story)
{
	const struct timeline *timeline = &story->timeline;

	if (story->ended_ns != 0)
		return story->ended_ns;
	if (timeline->event_count > 0)
		return timeline->events[timeline->event_count - 1].at_ns;
	return facts_started_ns(story);
}

static void widen(int64_t *until_ns, int64_t at_ns)
{
	if (at_ns > *until_ns)
		*until_ns = at_ns;
}

/* When the first slot of any probe was due, and when the last one was. */
static struct span watched(const struct story *story)
{
	struct span all = { INT64_MAX, INT64_MIN };

	for (size_t i = 0; i < story->timeline.track_count; i++) {
		const struct track *track = &story->timeline.tracks[i];

		if (track->slot_count == 0)
			continue;
		if (track->t0_ns < all.low_ns)
			all.low_ns = track->t0_ns;
		widen(&all.high_ns, track_due_ns(track, track->slot_count));
	}
	if (all.low_ns > all.high_ns)
		all = (struct span){ facts_started_ns(story), facts_ended_ns(story) };
	return all;
}

struct span facts_window(const struct story *story)
{
	const struct span all = watched(story);
	const int64_t zero_ns = facts_zero_ns(story);
	int64_t last_ns = story->fault.high_ns;

	if (!facts_has_fault(story))
		return all;
	for (size_t i = 0; i < story->probe_count; i++) {
		widen(&last_ns, story->probes[i].last_bad_due_ns);
		widen(&last_ns, story->probes[i].stable_from_ns);
	}
	for (size_t i = 0; i < story->deed_count; i++)
		widen(&last_ns, story->deeds[i].healed.high_ns);

	const int64_t busy_ns = last_ns - zero_ns;
	struct span window = {
		.low_ns = zero_ns - (busy_ns / 3 > 2 * NS_PER_S ? busy_ns / 3 : 2 * NS_PER_S),
		.high_ns = last_ns + (busy_ns / 4 > 2 * NS_PER_S ? busy_ns / 4 : 2 * NS_PER_S),
	};

	if (window.low_ns < all.low_ns)
		window.low_ns = all.low_ns;
	if (window.high_ns > all.high_ns)
		window.high_ns = all.high_ns;
	if (window.high_ns <= window.low_ns)
		return all;
	return window;
}

const struct track *facts_track(const struct story *story, const char *probe)
{
	for (size_t i = 0; i < story->timeline.track_count; i++)
		if (strcmp(story->timeline.tracks[i].probe, probe) == 0)
			return &story->timeline.tracks[i];
	return NULL;
}

const struct probe_spec *facts_spec(const struct story *story, const char *probe)
{
	for (size_t i = 0; i < story->experiment->probe_count; i++)
		if (strcmp(story->experiment->probes[i].name, probe) == 0)
			return &story->experiment->probes[i];
	return NULL;
}

const char *facts_lanes(const struct story *story)
{
	for (size_t i = 0; i < story->timeline.event_count; i++)
		if (story->timeline.events[i].kind == EVENT_LANES)
			return story->timeline.events[i].text;
	return NULL;
}

int64_t facts_every_ns(const struct story *story, const char *probe)
{
	const struct track *track = facts_track(story, probe);

	return track == NULL ? 0 : track->every_ns;
}

const struct ledger_result *facts_ledger(const struct story *story, const char *probe)
{
	for (size_t i = 0; i < story->ledger_count; i++)
		if (strcmp(story->ledgers[i].probe, probe) == 0)
			return &story->ledgers[i];
	return NULL;
}

const struct ledger_read *facts_read(const struct story *story, const struct ledger_result *ledger)
{
	const struct ledger_read *found = NULL;

	if (ledger->worse == NULL)
		return NULL;

	const enum ledger_count count =
		ledger->worse == &ledger->healed ? COUNT_HEALED : COUNT_STABLE;

	for (size_t i = 0; i < story->timeline.ledger_read_count; i++) {
		const struct ledger_read *read = &story->timeline.ledger_reads[i];

		if (read->count == count && read->is_complete && read->rows != NULL &&
		    strcmp(read->probe, ledger->probe) == 0)
			found = read;
	}
	return found;
}

uint64_t facts_lost_rows(const struct track *track, const struct ledger_read *read, uint64_t slot)
{
	const uint64_t count = track_row_count(track) / track->slot_count;
	uint64_t lost_count = 0;

	assert(slot < track->slot_count);

	for (uint64_t row = slot * count; row < (slot + 1) * count; row++)
		lost_count += row < read->row_count &&
			      track_row_write(track, row) == WRITE_ACKNOWLEDGED &&
			      ((read->rows[row] & ROW_PRESENT) == 0 ||
			       (read->rows[row] & ROW_CORRUPTED) != 0);
	return lost_count;
}
