/*
 * oracle_ledger.c - 1,000 seeded ledger histories through the engine's own way, for an oracle to
 * doubt.
 *
 *   oracle_ledger [HISTORIES]     prints one JSON object a line: the history, and what we say of it
 *
 * A history has writes of every outcome, alone or in batches of one slot, and a store that shows
 * rows late, loses, doubles, damages and invents them, takes some away again, and at times cannot be
 * read. Each is read back twice by
 * ledger.c (its settling, its marks, the store's codec), then classified by measure_ledger.c. Only
 * the service and the clock are simulated. tests/oracle_ledger.py reads the lines and decides by
 * itself.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "base/units.h"
#include "engine/measure.h"
#include "engine/run.h"
#include "fixtures/sim_clock.h"
#include "fixtures/temp_dir.h"

enum {
	WRITES_AT_MOST = 60,
	ROWS_AT_MOST = 4 * WRITES_AT_MOST,
	READINGS_AT_MOST = 12, /* the last one is repeated */
	COUNTS = 2,
	EVERY_NS = 20,
};

struct row {
	int64_t sequence;
	bool is_intact;
	uint32_t from_reading; /* shown in readings [from, until) */
	uint32_t until_reading;
};

/* What the store shows when it is counted. */
struct showing {
	struct row rows[ROWS_AT_MOST];
	size_t row_count;
	uint32_t unreadable; /* a bit for each reading that fails */
};

struct history {
	struct random random;
	struct sample samples[WRITES_AT_MOST];
	uint64_t counted;   /* writes that the count classifies */
	uint64_t attempted; /* and all that were due while it was read */
	uint64_t counted_slots;
	struct span fault;
	struct track track;
	struct showing showings[COUNTS];
	size_t now_counting;
	uint32_t readings; /* of the count under way */
	int64_t settle_at_most_ns;
};

static uint64_t draw(struct history *history, uint64_t bound)
{
	return random_below(&history->random, bound);
}

static bool chance(struct history *history, uint64_t percent)
{
	return draw(history, 100) < percent;
}

/* ---- drawing ---- */

static void add_row(struct history *history, struct showing *showing, int64_t sequence)
{
	struct row row = { .sequence = sequence, .is_intact = true, .until_reading = UINT32_MAX };

	if (showing->row_count == ROWS_AT_MOST)
		return;
	if (chance(history, 20)) /* a replica that shows it later */
		row.from_reading = (uint32_t)draw(history, READINGS_AT_MOST);
	if (chance(history, 2)) /* an old primary that takes it away again */
		row.until_reading = row.from_reading + 1 + (uint32_t)draw(history, 4);
	if (chance(history, 3))
		row.is_intact = false;
	showing->rows[showing->row_count++] = row;
}

static void draw_showing(struct history *history, uint64_t lost_from, uint64_t lost_until,
			 struct showing *showing)
{
	for (uint64_t number = 0; number < history->attempted; number++) {
		const enum write_outcome write = track_row_write(&history->track, number);
		const bool is_in_loss = number >= lost_from && number < lost_until;
		const uint64_t there_percent = write == WRITE_NONE	      ? 2
					       : write == WRITE_INDETERMINATE ? 50
					       : write == WRITE_FAILED	      ? 5
					       : is_in_loss		      ? 30
									      : 100;

		if (!chance(history, there_percent))
			continue;
		add_row(history, showing, (int64_t)number);
		while (chance(history, 4))
			add_row(history, showing, (int64_t)number);
	}
	while (chance(history, 15)) /* numbers that nobody used */
		add_row(history, showing,
			chance(history, 30) ? -1 - (int64_t)draw(history, 3)
					    : (int64_t)(history->attempted + draw(history, 9)));
	if (chance(history, 10))
		showing->unreadable = (uint32_t)draw(history, 1 << READINGS_AT_MOST);
	/* In any order. */
	for (size_t i = showing->row_count; i > 1; i--) {
		const size_t j = draw(history, i);
		const struct row row = showing->rows[i - 1];

		showing->rows[i - 1] = showing->rows[j];
		showing->rows[j] = row;
	}
}

static enum write_outcome draw_outcome(struct history *history)
{
	const uint64_t drawn = draw(history, 20);

	return drawn < 15   ? WRITE_ACKNOWLEDGED
	       : drawn < 17 ? WRITE_INDETERMINATE
	       : drawn < 19 ? WRITE_FAILED
			    : WRITE_NONE;
}

static void draw_slot(struct history *history, uint64_t slot)
{
	struct sample *sample = &history->samples[slot];
	const uint32_t count = history->track.rows_per_slot;
	enum write_outcome writes[BATCH_ROWS_MAX];

	sample->sent_ns = history->track.t0_ns + EVERY_NS * (int64_t)slot;
	sample->done_ns = sample->sent_ns + (int64_t)draw(history, 70);
	for (uint32_t i = 0; i < count; i++)
		writes[i] = draw_outcome(history);
	sample->write = (uint8_t)write_of_all(writes, count);
	sample->detail = count == 1 ? 0 : write_pack(writes, count);
}

/* Half of the histories have one row in each slot. Returns how many slots are due before the count. */
static uint64_t draw_timetable(struct history *history, int64_t t0_ns)
{
	static const uint32_t batches[] = { 1, 1, 1, 1, 2, 3, 7, BATCH_ROWS_MAX };
	const uint32_t count = batches[draw(history, sizeof batches / sizeof batches[0])];
	const uint64_t slots_at_most = WRITES_AT_MOST / count;
	const uint64_t attempted = draw(history, slots_at_most + 1);
	const uint64_t late = draw(history, 5);

	history->track = (struct track){ .probe = "writes",
					 .t0_ns = t0_ns,
					 .every_ns = EVERY_NS,
					 .lane_count = 1,
					 .rows_per_slot = count,
					 .slot_count = attempted,
					 .samples = history->samples };
	return attempted < late ? 0 : attempted - late;
}

static void draw_history(uint64_t seed, int64_t t0_ns, struct history *history)
{
	static const int64_t settle_s[] = { 0, 2, 5, 60 };
	int64_t fault_ns;
	uint64_t lost_from, lost_until;

	*history = (struct history){ .random = random_from_seed(seed) };
	history->counted_slots = draw_timetable(history, t0_ns);
	history->counted = history->counted_slots * history->track.rows_per_slot;
	history->attempted = track_row_count(&history->track);
	history->settle_at_most_ns = settle_s[draw(history, 4)] * NS_PER_S;
	fault_ns = t0_ns + (int64_t)draw(history, 1200);
	history->fault.low_ns = fault_ns - (int64_t)draw(history, 50);
	history->fault.high_ns = fault_ns + (int64_t)draw(history, 50);
	for (uint64_t slot = 0; slot < history->track.slot_count; slot++)
		draw_slot(history, slot);
	for (size_t i = 0; i < COUNTS; i++) {
		lost_from = chance(history, 40) ? WRITES_AT_MOST : draw(history, WRITES_AT_MOST);
		lost_until = lost_from + draw(history, WRITES_AT_MOST / 2);
		draw_showing(history, lost_from, lost_until, &history->showings[i]);
	}
}

/* ---- the service on paper ---- */

static void paper_view(void *ctx, size_t probe_index, int64_t now_ns, struct track *ret_track)
{
	const struct history *history = ctx;

	(void)probe_index;
	(void)now_ns;
	*ret_track = history->track;
}

static bool is_unreadable(const struct showing *showing, uint32_t reading)
{
	return (showing->unreadable >> reading & 1) != 0;
}

static uint32_t reading_shown(uint32_t reading)
{
	return reading < READINGS_AT_MOST ? reading : READINGS_AT_MOST - 1;
}

static bool is_shown(const struct row *row, uint32_t reading)
{
	return reading >= row->from_reading && reading < row->until_reading;
}

static bool paper_read_back(void *ctx, const struct probe_spec *spec, int64_t deadline_ns,
			    const struct row_sink *sink, struct err *e)
{
	struct history *history = ctx;
	const struct showing *showing = &history->showings[history->now_counting];
	const uint32_t reading = reading_shown(history->readings++);

	(void)spec;
	(void)deadline_ns;
	for (size_t i = 0; i < showing->row_count; i++)
		if (is_shown(&showing->rows[i], reading))
			sink->row(sink->ctx, showing->rows[i].sequence, showing->rows[i].is_intact);
	if (is_unreadable(showing, reading)) /* broken off at its end: what came does not count */
		return err_set(e, ERR_REMOTE, "the store on paper cannot be read");
	return true;
}

static const struct outside_ops paper_ops = { .view = paper_view, .read_back = paper_read_back };

/* ---- one history through the engine ---- */

static void fail(const char *what, const struct err *e)
{
	(void)fprintf(stderr, "oracle_ledger: %s: %s\n", what, e->text);
	exit(1);
}

static void count_twice(struct history *history, const struct clock *clock, struct store *store,
			const char *run_id)
{
	static struct run run; /* too large for the stack */
	const struct probe_spec spec = {
		.name = "writes", .every_ns = EVERY_NS, .lane_count = 1, .is_ledger = true
	};
	const struct experiment experiment = { .probes = &spec,
					       .probe_count = 1,
					       .settle_at_most_ns = history->settle_at_most_ns,
					       .run_at_most_ns = LIMIT_DRILL_NS };
	const struct run_request request = { .experiment = &experiment,
					     .run_id = run_id,
					     .store = store,
					     .clock = clock,
					     .outside = { &paper_ops, history } };
	const struct run_row row = { .run_id = run_id, .title = "on paper", .version = "test" };
	struct err e = { 0 };

	if (!store_run_begin(store, &row, &e))
		fail("begin", &e);
	run = (struct run){ .request = &request,
			    .experiment = &experiment,
			    .clock = clock,
			    .begun_ns = clock_now_ns(clock),
			    .journal = { .store = store, .run_id = run_id, .clock = clock } };
	watch_init(&run.watch, &experiment, &request.outside);
	run.watch.probes[0].slot_count = history->counted_slots;
	run.watch.tracks[0] = history->track;
	for (size_t i = 0; i < COUNTS; i++) {
		history->now_counting = i;
		history->readings = 0;
		ledger_count_all(&run, i == 0 ? COUNT_STABLE : COUNT_HEALED);
	}
	if (run.journal.is_broken)
		fail("journal", &run.journal.failure);
}

static void measure(const struct history *history, struct store *store, const char *run_id,
		    struct ledger_result *ret_result)
{
	struct arena arena = { 0 };
	struct timeline timeline;
	struct err e = { 0 };

	*ret_result = (struct ledger_result){ .probe = "writes" };
	if (!store_timeline(store, run_id, &arena, &timeline, &e))
		fail("read the run", &e);
	assert(timeline.ledger_read_count == COUNTS);
	for (size_t i = 0; i < COUNTS; i++) {
		const struct ledger_read *read = &timeline.ledger_reads[i];

		measure_ledger(&history->track, read, history->fault,
			       read->count == COUNT_STABLE ? &ret_result->stable
							   : &ret_result->healed);
	}
	measure_ledger_worse(ret_result);
	arena_release(&arena);
}

/* ---- printing ---- */

static void print_history(const struct history *history)
{
	static const char *const outcomes[] = {
		[WRITE_NONE] = "none",
		[WRITE_ACKNOWLEDGED] = "acknowledged",
		[WRITE_FAILED] = "failed",
		[WRITE_INDETERMINATE] = "indeterminate",
	};

	(void)printf("{\"t0\": %" PRId64 ", \"fault\": [%" PRId64 ", %" PRId64
		     "], \"counted\": %" PRIu64 ", \"settle_s\": %" PRId64 ", \"writes\": [",
		     history->track.t0_ns, history->fault.low_ns, history->fault.high_ns,
		     history->counted, history->settle_at_most_ns / NS_PER_S);
	for (uint64_t number = 0; number < history->attempted; number++) {
		const struct sample *sample = track_row_sample(&history->track, number);

		(void)printf("%s[\"%s\", %" PRId64 ", %" PRId64 "]", number == 0 ? "" : ", ",
			     outcomes[track_row_write(&history->track, number)], sample->sent_ns,
			     sample->done_ns);
	}
	(void)printf("], \"counts\": [");
}

/* Every reading as the store would give it: rows, or null where it could not be read. */
static void print_showing(const struct showing *showing)
{
	for (uint32_t reading = 0; reading < READINGS_AT_MOST; reading++) {
		const char *comma = "";

		(void)printf(reading == 0 ? "[" : ", ");
		if (is_unreadable(showing, reading)) {
			(void)printf("null");
			continue;
		}
		(void)printf("[");
		for (size_t i = 0; i < showing->row_count; i++) {
			const struct row *row = &showing->rows[i];

			if (!is_shown(row, reading))
				continue;
			(void)printf("%s[%" PRId64 ", %s]", comma, row->sequence,
				     row->is_intact ? "true" : "false");
			comma = ", ";
		}
		(void)printf("]");
	}
	(void)printf("]");
}

static void print_count(const struct ledger_count_result *count)
{
	const struct ledger_classes *classes = &count->classes;

	(void)printf("{\"readable\": %s", count->is_readable ? "true" : "false");
	if (count->is_readable) {
		(void)printf(", \"readings\": %" PRIu32 ", \"first_missing\": %" PRIu64
			     ", \"rpo\": [%" PRId64 ", %" PRId64 "], \"keys\": [",
			     count->read_count, count->first_missing_count, count->rpo.low_ns,
			     count->rpo.high_ns);
		for (size_t i = 0; i < classes->lost_key_count; i++)
			(void)printf("%s%" PRIu64, i == 0 ? "" : ", ", classes->lost_keys[i]);
		(void)printf("]");
#define PRINT(field) (void)printf(", \"%s\": %" PRIu64, #field, classes->field);
		PRINT(attempted)
		PRINT(acknowledged)
		PRINT(failed)
		PRINT(indeterminate)
		PRINT(ok)
		PRINT(lost)
		PRINT(corrupted)
		PRINT(recovered)
		PRINT(recovered_failed)
		PRINT(absent)
		PRINT(duplicated)
		PRINT(unexpected)
#undef PRINT
	}
	(void)printf("}");
}

static void print_line(const struct history *history, const struct ledger_result *result)
{
	print_history(history);
	print_showing(&history->showings[0]);
	(void)printf(", ");
	print_showing(&history->showings[1]);
	(void)printf("], \"ours\": {\"counts\": [");
	print_count(&result->stable);
	(void)printf(", ");
	print_count(&result->healed);
	(void)printf("], \"worse\": ");
	if (result->worse == NULL)
		(void)printf("null");
	else
		(void)printf("[%" PRIu64 ", %" PRId64 ", %" PRId64 "]",
			     result->worse->classes.lost + result->worse->classes.corrupted,
			     result->worse->rpo.low_ns, result->worse->rpo.high_ns);
	(void)printf("}}\n");
}

int main(int argc, char **argv)
{
	static struct history history;
	struct sim_clock *sim_clock = sim_clock_open();
	const struct clock clock = sim_clock_as_clock(sim_clock);
	char *folder = temp_dir_make();
	struct store *store = NULL;
	struct text path = { 0 };
	int64_t count = 1000;
	struct err e = { 0 };

	if (argc > 1 && !units_parse_count(argv[1], &count, &e))
		fail(argv[1], &e);
	text_addf(&path, "%s/store.db", folder);
	if (!store_open(text_str(&path), NULL, &store, &e))
		fail("open a store", &e);
	for (int64_t seed = 1; seed <= count; seed++) {
		struct ledger_result result;
		char run_id[32];

		(void)snprintf(run_id, sizeof run_id, "oracle-%04" PRId64, seed);
		draw_history((uint64_t)seed, clock_now_ns(&clock), &history);
		count_twice(&history, &clock, store, run_id);
		measure(&history, store, run_id, &result);
		print_line(&history, &result);
	}
	store_close(store);
	sim_clock_close(sim_clock);
	text_release(&path);
	temp_dir_remove(folder);
	return 0;
}
