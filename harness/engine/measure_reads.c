/*
 * measure_reads.c - see measure_reads.h.
 *
 * Both anomalies are one question with two answers to "since when is a row known": a read that began
 * after that, and lacks the row, is
 *
 *   stale          known = its acknowledgement was here
 *   non-monotonic  known = an answer of this reader that showed it was here
 *
 * provided that the row comes back: a later read shows it, or the ledger's final reading has it. One that
 * does not is lost, or was never promised; such a row counts against one read, the first that lacks it
 * after it had been shown, and only as non-monotonic. Known and begun are compared strictly, on one clock.
 *
 * The lanes of a reader are one reader: what one connection showed, the next one owes.
 */
#include "engine/measure_reads.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/shown_text.h"

enum { READ_STALE = 1, READ_UNDECIDED = 2, READ_BACKWARD = 4 };

struct scan {
	const struct reads_request *request;
	struct arena *arena;
	struct reader_result *result;
	struct shown_change *changes; /* in the order of slots */
	size_t change_count;
	size_t *first_change; /* of each slot; one more at the end */
	uint64_t row_count;
	int64_t *first_shown_ns; /* of each row: an answer with it was here; INT64_MAX: none */
	int64_t *last_shown_ns;	 /* a read with it began; 0: none; INT64_MAX: it was there at the end */
	int64_t *last_absent_ns; /* a stale read without it began; 0: none */
	uint64_t *gone_slot;	 /* the first read without it after its last one, and one; 0: none */
	bool *is_visible;	 /* to the lane that is looked at, by its last read */
	uint64_t *pending;	 /* known rows that the lane's last read lacked */
	uint8_t *reads;		 /* of each slot READ_ bits */
};

static bool is_read(const struct scan *scan, uint64_t slot)
{
	return scan->request->reader->samples[slot].state == SAMPLE_GOOD;
}

static const struct sample *read_at(const struct scan *scan, uint64_t slot)
{
	return &scan->request->reader->samples[slot];
}

/* The ledger was read back, and by that reading this row exists no more. */
static bool is_lost(const struct scan *scan, uint64_t row)
{
	const struct ledger_read *settled = scan->request->settled;

	return settled != NULL && row < settled->row_count && settled->rows[row] == 0;
}

/* ---- what the journal has ---- */

static bool take_text(struct scan *scan, const struct event *event, bool *is_ended)
{
	struct json *root = NULL;
	bool is_last = false;
	const char *shown;
	bool ok = event->data != NULL && !*is_ended &&
		  json_parse(event->data, strlen(event->data), &root, NULL) &&
		  json_type_of(root) == JSON_OBJECT &&
		  json_bool_of(json_get(root, "is_last"), &is_last);

	shown = json_text_of(json_get(root, "shown"));
	ok = ok && shown != NULL &&
	     shown_read(shown, scan->arena, &scan->changes, &scan->change_count);
	*is_ended = is_last;
	json_release(root);
	return ok;
}

static int compare_changes(const void *a, const void *b)
{
	const uint64_t left = ((const struct shown_change *)a)->slot;
	const uint64_t right = ((const struct shown_change *)b)->slot;

	return (left > right) - (left < right);
}

/* NULL, or why what the reads showed is not known. */
static const char *take_changes(struct scan *scan)
{
	const struct timeline *timeline = scan->request->timeline;
	const struct track *reader = scan->request->reader;
	bool is_ended = false;
	size_t next = 0;

	for (size_t i = 0; i < timeline->event_count; i++) {
		const struct event *event = &timeline->events[i];

		if (event->kind == EVENT_SHOWN && event->name != NULL &&
		    strcmp(event->name, reader->probe) == 0 &&
		    !take_text(scan, event, &is_ended))
			return "what its reads showed is damaged in the journal";
	}
	if (!is_ended)
		return "the run broke off before all that its reads showed was written down";
	if (scan->change_count > 0)
		qsort(scan->changes, scan->change_count, sizeof *scan->changes, compare_changes);
	scan->first_change =
		arena_alloc(scan->arena, (reader->slot_count + 1) * sizeof *scan->first_change);
	for (uint64_t slot = 0; slot < reader->slot_count; slot++) {
		scan->first_change[slot] = next;
		while (next < scan->change_count && scan->changes[next].slot == slot)
			next++;
		if (next > scan->first_change[slot] && !is_read(scan, slot))
			return "the journal tells what a read showed that was not answered";
	}
	scan->first_change[reader->slot_count] = next;
	return next == scan->change_count ? NULL : "the journal tells of reads that were not made";
}

/* ---- one lane after the other ---- */

typedef void row_fn(struct scan *scan, uint64_t slot, uint64_t row, bool is_gone);

/* Plays what changed with this read; `changed` may be NULL. */
static void play_read(struct scan *scan, uint64_t slot, row_fn *changed)
{
	for (size_t i = scan->first_change[slot]; i < scan->first_change[slot + 1]; i++) {
		const struct shown_change *change = &scan->changes[i];

		/* Rows beyond were never attempted: the ledger calls them unexpected. */
		for (uint64_t row = change->first; row <= change->last && row < scan->row_count;
		     row++) {
			scan->is_visible[row] = !change->is_gone;
			if (changed != NULL)
				changed(scan, slot, row, change->is_gone);
		}
	}
}

static void note_first_shown(struct scan *scan, uint64_t slot, uint64_t row, bool is_gone)
{
	const int64_t done_ns = read_at(scan, slot)->done_ns;

	if (!is_gone && done_ns < scan->first_shown_ns[row])
		scan->first_shown_ns[row] = done_ns;
}

/* A row that this read shows no more was last shown by the read before it, on this lane. */
static void note_last_shown(struct scan *scan, uint64_t row, int64_t sent_ns)
{
	if (sent_ns > scan->last_shown_ns[row])
		scan->last_shown_ns[row] = sent_ns;
}

/* When each row was shown first and last by any lane. */
static void learn_lane(struct scan *scan, uint32_t lane)
{
	const struct track *reader = scan->request->reader;
	int64_t before_ns = 0;

	memset(scan->is_visible, 0, scan->row_count * sizeof *scan->is_visible);
	for (uint64_t slot = lane; slot < reader->slot_count; slot += reader->lane_count) {
		if (!is_read(scan, slot))
			continue;
		for (size_t i = scan->first_change[slot]; i < scan->first_change[slot + 1]; i++)
			for (uint64_t row = scan->changes[i].first;
			     scan->changes[i].is_gone && row <= scan->changes[i].last &&
			     row < scan->row_count;
			     row++)
				note_last_shown(scan, row, before_ns);
		play_read(scan, slot, note_first_shown);
		before_ns = read_at(scan, slot)->sent_ns;
	}
	for (uint64_t row = 0; row < scan->row_count; row++)
		if (scan->is_visible[row])
			note_last_shown(scan, row, before_ns);
}

/* ---- known, and not there ---- */

struct known {
	int64_t at_ns;
	uint64_t row;
};

static int compare_known(const void *a, const void *b)
{
	const struct known *left = a;
	const struct known *right = b;

	return (left->at_ns > right->at_ns) - (left->at_ns < right->at_ns);
}

/* A known row is missing from this read. False: it is none of this lane's business any more. */
typedef bool missing_fn(struct scan *scan, uint64_t slot, uint64_t row);

/* Rows that this read shows no more, and that were known when the last one began. */
static size_t add_gone(struct scan *scan, uint64_t slot, const int64_t *known_ns,
		       int64_t passed_ns, size_t pending_count)
{
	for (size_t i = scan->first_change[slot]; i < scan->first_change[slot + 1]; i++) {
		const struct shown_change *change = &scan->changes[i];

		for (uint64_t row = change->first;
		     change->is_gone && row <= change->last && row < scan->row_count; row++)
			if (known_ns[row] < passed_ns)
				scan->pending[pending_count++] = row;
	}
	return pending_count;
}

static void judge_lane(struct scan *scan, uint32_t lane, const struct known *known, size_t count,
		       const int64_t *known_ns, missing_fn *missing)
{
	const struct track *reader = scan->request->reader;
	int64_t passed_ns = INT64_MIN; /* rows known before it were looked at */
	size_t pending_count = 0;
	size_t next = 0;

	memset(scan->is_visible, 0, scan->row_count * sizeof *scan->is_visible);
	for (uint64_t slot = lane; slot < reader->slot_count; slot += reader->lane_count) {
		const int64_t sent_ns = read_at(scan, slot)->sent_ns;
		size_t kept = 0;

		if (!is_read(scan, slot))
			continue;
		play_read(scan, slot, NULL);
		pending_count = add_gone(scan, slot, known_ns, passed_ns, pending_count);
		for (; next < count && known[next].at_ns < sent_ns; next++)
			if (!scan->is_visible[known[next].row])
				scan->pending[pending_count++] = known[next].row;
		passed_ns = sent_ns;
		for (size_t i = 0; i < pending_count; i++) {
			const uint64_t row = scan->pending[i];

			if (!scan->is_visible[row] && missing(scan, slot, row))
				scan->pending[kept++] = row;
		}
		pending_count = kept;
	}
}

static void judge_lanes(struct scan *scan, const int64_t *known_ns, missing_fn *missing)
{
	struct known *known = arena_alloc(scan->arena, (scan->row_count + 1) * sizeof *known);
	size_t count = 0;

	for (uint64_t row = 0; row < scan->row_count; row++)
		if (known_ns[row] != INT64_MAX)
			known[count++] = (struct known){ known_ns[row], row };
	qsort(known, count, sizeof *known, compare_known);
	for (uint32_t lane = 0; lane < scan->request->reader->lane_count; lane++)
		judge_lane(scan, lane, known, count, known_ns, missing);
}

static bool take_stale(struct scan *scan, uint64_t slot, uint64_t row)
{
	const int64_t sent_ns = read_at(scan, slot)->sent_ns;

	if (scan->last_shown_ns[row] > sent_ns) {
		scan->reads[slot] |= READ_STALE;
		if (sent_ns > scan->last_absent_ns[row])
			scan->last_absent_ns[row] = sent_ns;
		return true;
	}
	if (is_lost(scan, row))
		return false;
	scan->reads[slot] |= READ_UNDECIDED;
	return true;
}

static bool take_backward(struct scan *scan, uint64_t slot, uint64_t row)
{
	const int64_t sent_ns = read_at(scan, slot)->sent_ns;
	const uint64_t first = scan->gone_slot[row];

	if (scan->last_shown_ns[row] > sent_ns) {
		scan->reads[slot] |= READ_BACKWARD;
		return true;
	}
	if (first == 0 || sent_ns < read_at(scan, first - 1)->sent_ns)
		scan->gone_slot[row] = slot + 1;
	return false;
}

/* ---- how long ---- */

/* One answered or failed attempt. A failed one showed nothing old either. */
struct try {
	int64_t sent_ns;
	int64_t done_ns; /* the earliest end of this and all later ones */
};

static int compare_tries(const void *a, const void *b)
{
	const struct try *left = a;
	const struct try *right = b;

	return (left->sent_ns > right->sent_ns) - (left->sent_ns < right->sent_ns);
}

static size_t list_tries(struct scan *scan, struct try **ret_tries, int64_t *ret_end_ns)
{
	const struct track *reader = scan->request->reader;
	struct try *tries = arena_alloc(scan->arena, (reader->slot_count + 1) * sizeof *tries);
	size_t count = 0;

	*ret_end_ns = 0;
	for (uint64_t slot = 0; slot < reader->slot_count; slot++) {
		const struct sample *sample = read_at(scan, slot);

		if (sample->state != SAMPLE_GOOD && sample->state != SAMPLE_BAD)
			continue;
		tries[count++] = (struct try){ sample->sent_ns, sample->done_ns };
		if (sample->done_ns > *ret_end_ns)
			*ret_end_ns = sample->done_ns;
	}
	qsort(tries, count, sizeof *tries, compare_tries);
	for (size_t i = count; i > 1; i--)
		if (tries[i - 1].done_ns < tries[i - 2].done_ns)
			tries[i - 2].done_ns = tries[i - 1].done_ns;
	*ret_tries = tries;
	return count;
}

/* The first try that began after this; count: none. */
static size_t first_after(const struct try *tries, size_t count, int64_t after_ns)
{
	size_t low = 0;
	size_t high = count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (tries[middle].sent_ns <= after_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * A write was missing for as long as from its acknowledgement, somewhere in [sent, done], to the last
 * read without it (low) or to the next try after that, which no longer lacked it (high).
 */
static void measure_staleness(struct scan *scan)
{
	struct reader_result *result = scan->result;
	struct span *longest = &result->staleness;
	struct try *tries;
	int64_t end_ns;
	const size_t count = list_tries(scan, &tries, &end_ns);

	for (uint64_t row = 0; row < scan->row_count; row++) {
		const struct sample *write = track_row_sample(scan->request->ledger, row);
		const int64_t absent_ns = scan->last_absent_ns[row];
		const int64_t since_ns = absent_ns > write->done_ns ? absent_ns : write->done_ns;
		const size_t next = first_after(tries, count, since_ns);

		if (track_row_write(scan->request->ledger, row) != WRITE_ACKNOWLEDGED ||
		    scan->last_shown_ns[row] == 0 ||
		    (next == count && absent_ns == 0))
			continue;
		result->judged_row_count++;
		result->stale_row_count += absent_ns != 0;
		result->open_row_count += next == count;

		const int64_t high_ns =
			(next == count ? end_ns : tries[next].done_ns) - write->sent_ns;

		if (absent_ns != 0 && absent_ns - write->done_ns > longest->low_ns)
			longest->low_ns = absent_ns - write->done_ns;
		if (high_ns > longest->high_ns)
			longest->high_ns = high_ns;
	}
}

/* ---- together ---- */

static void widen(struct span *when, const struct sample *read)
{
	if (when->high_ns == 0 || read->sent_ns < when->low_ns)
		when->low_ns = read->sent_ns;
	if (read->done_ns > when->high_ns)
		when->high_ns = read->done_ns;
}

static void count_reads(struct scan *scan)
{
	const struct track *reader = scan->request->reader;
	struct reader_result *result = scan->result;

	for (uint64_t row = 0; row < scan->row_count; row++) {
		if (scan->gone_slot[row] == 0)
			continue;
		result->gone_row_count++;
		scan->reads[scan->gone_slot[row] - 1] |= READ_BACKWARD;
	}
	for (uint64_t slot = 0; slot < reader->slot_count; slot++) {
		const struct sample *sample = read_at(scan, slot);
		const uint8_t bits = scan->reads[slot];

		result->read_count += sample->state == SAMPLE_GOOD;
		result->unseen_count +=
			sample->state == SAMPLE_NONE || sample->state == SAMPLE_SKIPPED;
		result->stale_read_count += (bits & READ_STALE) != 0;
		result->undecided_read_count += bits == READ_UNDECIDED ||
						bits == (READ_UNDECIDED | READ_BACKWARD);
		result->non_monotonic_read_count += (bits & READ_BACKWARD) != 0;
		if ((bits & READ_STALE) != 0)
			widen(&result->stale_when, sample);
		if ((bits & READ_BACKWARD) != 0)
			widen(&result->non_monotonic_when, sample);
	}
}

static void make_room(struct scan *scan)
{
	const size_t rows = scan->row_count + 1;

	scan->first_shown_ns = arena_alloc(scan->arena, rows * sizeof *scan->first_shown_ns);
	scan->last_shown_ns = arena_alloc(scan->arena, rows * sizeof *scan->last_shown_ns);
	scan->last_absent_ns = arena_alloc(scan->arena, rows * sizeof *scan->last_absent_ns);
	scan->gone_slot = arena_alloc(scan->arena, rows * sizeof *scan->gone_slot);
	scan->is_visible = arena_alloc(scan->arena, rows * sizeof *scan->is_visible);
	scan->pending = arena_alloc(scan->arena, rows * sizeof *scan->pending);
	scan->reads = arena_alloc(scan->arena, scan->request->reader->slot_count + 1);
	for (uint64_t row = 0; row < scan->row_count; row++)
		scan->first_shown_ns[row] = INT64_MAX;
}

/* The final reading of the ledger shows what it has, after every read. */
static void take_settled(struct scan *scan)
{
	const struct ledger_read *settled = scan->request->settled;

	for (uint64_t row = 0; settled != NULL && row < scan->row_count; row++)
		if (row < settled->row_count && settled->rows[row] != 0)
			scan->last_shown_ns[row] = INT64_MAX;
}

static const char *scan_reads(struct scan *scan)
{
	const struct track *ledger = scan->request->ledger;
	int64_t *acknowledged_ns;
	const char *why = take_changes(scan);

	if (why != NULL)
		return why;
	scan->row_count = track_row_count(ledger);
	make_room(scan);
	for (uint32_t lane = 0; lane < scan->request->reader->lane_count; lane++)
		learn_lane(scan, lane);
	take_settled(scan);
	acknowledged_ns = arena_alloc(scan->arena, (scan->row_count + 1) * sizeof *acknowledged_ns);
	for (uint64_t row = 0; row < scan->row_count; row++)
		acknowledged_ns[row] = track_row_write(ledger, row) == WRITE_ACKNOWLEDGED ?
					       track_row_sample(ledger, row)->done_ns :
					       INT64_MAX;
	judge_lanes(scan, acknowledged_ns, take_stale);
	judge_lanes(scan, scan->first_shown_ns, take_backward);
	measure_staleness(scan);
	count_reads(scan);
	return NULL;
}

void measure_reads(const struct reads_request *request, struct arena *arena,
		   struct reader_result *ret_result)
{
	struct arena own = { 0 };
	struct scan scan = { .request = request, .arena = &own, .result = ret_result };

	*ret_result = (struct reader_result){ .is_settled = request->settled != NULL };
	if (request->reader == NULL || request->ledger == NULL) {
		ret_result->error = "no samples of it, or of its ledger, were kept";
		return;
	}
	assert(request->reader->lane_count > 0);
	ret_result->probe = request->reader->probe;
	ret_result->ledger = request->ledger->probe;
	ret_result->error = arena_copy(arena, scan_reads(&scan));
	ret_result->is_readable = ret_result->error == NULL;
	arena_release(&own);
}
