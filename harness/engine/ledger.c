/*
 * ledger.c - reads a ledger back again and again until what is missing stops shrinking.
 *
 * A row that a replica has not shown yet is not a lost row: losses are counted only once two
 * readings a while apart agree. The first and the final reading are both kept. Rows are marked by
 * number; classes and loss come later, from the record alone (measure.c).
 */
#include "engine/run.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

static const int64_t read_every_ns = NS_PER_S;
static const uint32_t equal_reads_wanted = 3;
/* So long may nothing at all come; then a reading is given up, and this thread renews leases again. */
static const int64_t silent_at_most_ns = 15 * NS_PER_S;
/* A reading that goes on may take as long as millions of rows from a slow machine do. */
static const int64_t read_at_most_ns = 600 * NS_PER_S;

struct reading {
	struct run *run;
	size_t index; /* of the probe */
	int64_t until_ns;
	uint8_t *owned_rows;
	uint64_t row_count;        /* rows below it are classified */
	uint64_t attempted_count;  /* rows at or beyond it were never attempted */
	int64_t unexpected[LIMIT_LOST_KEYS_SHOWN];
	uint64_t unexpected_count;
};

/* A write under way while the reading goes on may show up in it: it was attempted. */
static uint64_t count_attempted(const struct reading *reading)
{
	const struct outside *outside = &reading->run->request->outside;
	struct track now;

	outside->ops->view(outside->ctx, reading->index, clock_now_ns(reading->run->clock), &now);
	return track_row_count(&now);
}

static int64_t earlier(int64_t one_ns, int64_t other_ns)
{
	return one_ns < other_ns ? one_ns : other_ns;
}

/* Rows came. The run lives on meanwhile: leases, signals, stop conditions. */
static int64_t heard(void *ctx, int64_t deadline_ns)
{
	const struct reading *reading = ctx;
	const struct clock waits = waits_clock(reading->run);
	const int64_t now_ns = clock_now_ns(&waits);

	if (reading->run->is_stopping) /* to its end if that comes at once */
		return earlier(deadline_ns, waits_end_ns(reading->run));
	return earlier(now_ns + silent_at_most_ns, reading->until_ns);
}

static void take_row(void *ctx, int64_t sequence, bool is_intact)
{
	struct reading *reading = ctx;

	if (sequence >= 0 && (uint64_t)sequence >= reading->attempted_count)
		reading->attempted_count = count_attempted(reading);
	if (sequence < 0 || (uint64_t)sequence >= reading->attempted_count) {
		if (reading->unexpected_count < LIMIT_LOST_KEYS_SHOWN)
			reading->unexpected[reading->unexpected_count] = sequence;
		reading->unexpected_count++;
		return;
	}
	if ((uint64_t)sequence >= reading->row_count)
		return; /* written while we read: the next count looks at it */

	uint8_t *row = &reading->owned_rows[sequence];

	if (*row & ROW_PRESENT)
		*row |= ROW_DUPLICATED;
	*row |= ROW_PRESENT;
	if (!is_intact)
		*row |= ROW_CORRUPTED;
}

static uint64_t count_missing(const struct track *track, const struct reading *reading)
{
	uint64_t missing = 0;

	for (uint64_t row = 0; row < reading->row_count; row++)
		if (!(reading->owned_rows[row] & ROW_PRESENT) &&
		    track_row_write(track, row) == WRITE_ACKNOWLEDGED)
			missing++;
	return missing;
}

static void begin_reading(struct reading *reading)
{
	for (uint64_t row = 0; row < reading->row_count; row++)
		reading->owned_rows[row] = 0;
	reading->unexpected_count = 0;
	reading->attempted_count = count_attempted(reading);
	reading->until_ns = clock_now_ns(reading->run->clock) + read_at_most_ns;
}

static void keep(struct run *run, const struct ledger_read *read, uint64_t missing)
{
	struct text text = { 0 };
	struct err e = { 0 };

	if (read->is_complete)
		text_addf(&text, "ledger %s: %" PRIu64 " acknowledged writes missing after reading %"
				 PRIu32, read->probe, missing, read->read_number);
	else
		text_addf(&text, "ledger %s could not be read back: %s", read->probe, read->error);
	text_addf(&text, " (%s)", read->count == COUNT_STABLE ? "first count, service stable" :
								 "second count, fault healed");
	(void)journal_append(&run->journal, (struct event){ .kind = EVENT_LEDGER_READ,
							    .name = read->probe,
							    .text = text_str(&text) });
	if (!store_ledger_read_put(run->request->store, run->request->run_id, read, &e) &&
	    !run->journal.is_broken) {
		run->journal.is_broken = true;
		run->journal.failure = e;
	}
	text_release(&text);
}

/* Reads until equal_reads_wanted readings in a row miss the same number, or nothing is missing. */
static void read_until_settled(struct run *run, size_t index, struct reading *reading,
			       struct ledger_read *read, uint64_t *ret_missing, struct err *e)
{
	const struct probe_spec *spec = &run->experiment->probes[index];
	const struct outside *outside = &run->request->outside;
	const int64_t begun_ns = clock_now_ns(run->clock);
	const int64_t deadline_ns = begun_ns + run->experiment->settle_at_most_ns;
	const struct row_sink sink = { .row = take_row, .heard = heard, .ctx = reading,
				       .row_count = reading->row_count };
	uint32_t equal_reads = 0;

	for (;;) {
		const int64_t now_ns = clock_now_ns(run->clock);

		begin_reading(reading);
		read->is_complete = outside->ops->read_back(outside->ctx, spec,
							    now_ns + silent_at_most_ns, &sink, e);
		if (read->is_complete) {
			const uint64_t missing = count_missing(&run->watch.tracks[index], reading);

			if (read->read_number++ == 0)
				read->first_missing_count = missing;
			equal_reads = missing == *ret_missing ? equal_reads + 1 : 1;
			*ret_missing = missing;
			read->settle_ns = clock_now_ns(run->clock) - begun_ns;
			if (missing == 0 || equal_reads >= equal_reads_wanted)
				return;
		}
		if (clock_now_ns(run->clock) >= deadline_ns)
			return;
		run_wait(run, clock_now_ns(run->clock) + read_every_ns);
		if (run->is_stopping)
			return; /* what could be read by now is what there is */
	}
}

static void count_one(struct run *run, size_t index, enum ledger_count count)
{
	struct track classified = run->watch.tracks[index];

	classified.slot_count = run->watch.probes[index].slot_count;

	struct reading reading = { .run = run,
				   .index = index,
				   .row_count = track_row_count(&classified) };
	struct ledger_read read = { .probe = run->experiment->probes[index].name,
				    .count = count,
				    .row_count = reading.row_count };
	uint64_t missing = UINT64_MAX;
	struct err e = { 0 };

	reading.owned_rows = mem_alloc(reading.row_count);
	read_until_settled(run, index, &reading, &read, &missing, &e);
	read.error = read.is_complete ? NULL : e.text;
	read.rows = reading.owned_rows;
	read.unexpected = reading.unexpected;
	read.unexpected_count = reading.unexpected_count;
	keep(run, &read, missing);
	free(reading.owned_rows);
}

void ledger_count_all(struct run *run, enum ledger_count count)
{
	for (size_t i = 0; i < run->experiment->probe_count; i++)
		if (run->experiment->probes[i].is_ledger)
			count_one(run, i, count);
}
