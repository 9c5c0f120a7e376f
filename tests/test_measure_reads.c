/*
 * test_measure_reads.c - reads that lie: stale, non-monotonic, or merely late or lost; and a thousand
 * invented histories, judged a second time by looking at every pair of a read and a row.
 */
#include "base/random.h"
#include "engine/measure_reads.h"
#include "engine/shown_text.h"
#include "fixtures/court.h"
#include "fixtures/shows.h"
#include "fixtures/timelines.h"
#include "tests/suites.h"

#include <string.h>

static struct arena arena;
static struct shows shows;
static struct reader_result result;

static void tear_down(void)
{
	arena_release(&arena);
}

/*
 * Writes every 20 ms from 0 on, acknowledged 1 ms after; the reader reads every 50 ms. rows: the ledger's
 * final reading, NULL: none.
 */
static void measure(const char *writes, const char *reads, uint32_t lane_count, const char *rows)
{
	const struct track ledger = timeline_track(&arena, "writes", writes, 20, 200);
	const struct ledger_read settled =
		timeline_read(&arena, "writes", COUNT_HEALED, rows == NULL ? "P" : rows);
	struct reads_request request = { .timeline = &shows.timeline,
					 .reader = &shows.track,
					 .ledger = &ledger,
					 .settled = rows == NULL ? NULL : &settled };

	shows_init(&shows, &arena, 50, lane_count);
	shows_put_text(&shows, reads);
	shows_end(&shows);
	measure_reads(&request, &arena, &result);
	ck_assert_msg(result.is_readable, "%s", result.error);
}

static void expect(uint64_t stale_reads, uint64_t stale_rows, uint64_t backward_reads)
{
	ck_assert_uint_eq(result.stale_read_count, stale_reads);
	ck_assert_uint_eq(result.stale_row_count, stale_rows);
	ck_assert_uint_eq(result.non_monotonic_read_count, backward_reads);
}

/* Rows 0, 1, 2 are acknowledged at 1, 21, 41 ms, reads begin at 0, 50, 100 ms. */
START_TEST(test_measure_reads_that_show_everything_are_neither)
{
	measure("a*6", "- 0-2 0-4 0-5", 1, "P*6");
	expect(0, 0, 0);
	ck_assert_uint_eq(result.read_count, 4);
	ck_assert_int_eq(result.staleness.low_ns, 0);
	/* Row 3 was sent at 60 ms and first looked for in the read that was done at 101 ms; rows 0 and 1
	   at 51 ms, 0 since it was sent at 0 ms. */
	ck_assert_int_eq(result.staleness.high_ns, 51 * NS_PER_MS);
}
END_TEST

START_TEST(test_measure_reads_missing_an_acknowledged_row_is_stale)
{
	measure("a*6", "- 0-1 0-1 0-5", 1, "P*6");
	/* Row 2 was acknowledged at 41 ms: the reads at 50 and at 100 ms lack it, and 3 at 61, 4 at 81. */
	expect(2, 3, 0);
	ck_assert_int_eq(result.staleness.low_ns, (100 - 41) * NS_PER_MS);
	ck_assert_int_eq(result.staleness.high_ns, (151 - 40) * NS_PER_MS);
	ck_assert_int_eq(result.stale_when.low_ns, timeline_ns(50));
	ck_assert_int_eq(result.stale_when.high_ns, timeline_ns(101));
	ck_assert_uint_eq(result.open_row_count, 0);
}
END_TEST

START_TEST(test_measure_reads_row_acknowledged_as_the_read_begins_is_not_stale)
{
	/* Row 0 is acknowledged 50 ms after it was due, when the second read begins. */
	measure("a~50 a*2", "- - 0-2", 1, "P*3");
	expect(1, 2, 0); /* rows 1 and 2 are */
	measure("a~50", "- - 0", 1, "P");
	expect(0, 0, 0);
	measure("a~49", "- - 0", 1, "P");
	expect(1, 1, 0);
}
END_TEST

START_TEST(test_measure_reads_lost_row_is_not_stale)
{
	measure("a*6", "- 0-1 0-1 0-1,3-5 0-1,3-5", 1, "PP-PPP");
	expect(1, 2, 0); /* 3 and 4 were late, 2 is lost */
}
END_TEST

START_TEST(test_measure_reads_row_that_only_settling_shows_is_stale)
{
	measure("a*3", "- 0-1 0-1", 1, "PPP");
	expect(2, 1, 0);
	ck_assert_uint_eq(result.open_row_count, 1);
	ck_assert_int_eq(result.staleness.low_ns, (100 - 41) * NS_PER_MS);
	ck_assert_int_eq(result.staleness.high_ns, (101 - 40) * NS_PER_MS);
}
END_TEST

START_TEST(test_measure_reads_without_settling_late_and_lost_cannot_be_told)
{
	measure("a*3", "- 0-1 0-1", 1, NULL);
	expect(0, 0, 0);
	ck_assert_uint_eq(result.undecided_read_count, 2);
	ck_assert(!result.is_settled);
}
END_TEST

START_TEST(test_measure_reads_unacknowledged_rows_are_nobody_s_promise)
{
	measure("a i f a", "- 0 0 0,3 0,3", 1, "P--P");
	expect(1, 1, 0); /* row 3, acknowledged at 61 ms, at 100 ms */
}
END_TEST

START_TEST(test_measure_reads_less_than_before_is_non_monotonic)
{
	measure("a*4", "- 0-2 0-1 0-3 0-3", 1, "P*4");
	expect(1, 2, 1);
	ck_assert_int_eq(result.non_monotonic_when.low_ns, timeline_ns(100));
	ck_assert_int_eq(result.non_monotonic_when.high_ns, timeline_ns(101));
	ck_assert_uint_eq(result.gone_row_count, 0);
}
END_TEST

/* What one connection showed, the next one owes; also what was never acknowledged. */
START_TEST(test_measure_reads_of_other_lanes_count)
{
	measure("i*4", "- 0-2 0 0-2 0-2 0-2", 2, "P*4");
	expect(0, 0, 1);
	measure("a*4", "0 - 0-1 0 0-3 0-1 0-3 0-3", 2, "P*4");
	/* From the second read on each other one is stale: behind at 50, 150 and 250 ms, and rows 2 and 3
	   are missing at 100 ms, too. */
	expect(4, 4, 3);
}
END_TEST

/* Both are under way at once: which snapshot came first is not known. */
START_TEST(test_measure_reads_under_way_together_are_in_no_order)
{
	const bool all[SHOWS_ROWS_MAX] = { true, true };
	const bool one[SHOWS_ROWS_MAX] = { true };
	const struct track ledger = timeline_track(&arena, "writes", "i*2", 20, 200);
	const struct reads_request request = { .timeline = &shows.timeline,
					       .reader = &shows.track,
					       .ledger = &ledger };

	shows_init(&shows, &arena, 50, 2);
	shows_put(&shows, &(struct sample){ timeline_ns(0), timeline_ns(60), 0, SAMPLE_GOOD, 0, 0 },
		  all);
	shows_put(&shows, &(struct sample){ timeline_ns(50), timeline_ns(55), 0, SAMPLE_GOOD, 0, 0 },
		  one);
	shows_put(&shows, &(struct sample){ timeline_ns(100), timeline_ns(101), 0, SAMPLE_GOOD, 0, 0 },
		  all);
	shows_end(&shows);
	measure_reads(&request, &arena, &result);
	expect(0, 0, 0);
}
END_TEST

START_TEST(test_measure_reads_row_gone_for_good_counts_once)
{
	measure("a*4", "- 0-2 0-1 0-1 0-1,3 0-1,3", 1, "PP-P");
	/* Row 2 was shown at 50 ms and never again; row 3 was late at 100 and at 150 ms. */
	expect(2, 1, 1);
	ck_assert_uint_eq(result.gone_row_count, 1);
}
END_TEST

START_TEST(test_measure_reads_failed_read_is_no_stale_read)
{
	measure("a*4", "- b b b 0-3", 1, "P*4");
	expect(0, 0, 0);
	ck_assert_uint_eq(result.read_count, 2);
	/* Row 2 was sent at 40 ms; the next try ended at 51 ms, and it showed nothing old. Row 0 was sent
	   at 0 ms. */
	ck_assert_int_eq(result.staleness.high_ns, 51 * NS_PER_MS);
}
END_TEST

START_TEST(test_measure_reads_gap_without_a_try_widens_the_span)
{
	measure("a*4", "- s s s 0-3", 1, "P*4");
	ck_assert_uint_eq(result.unseen_count, 3);
	ck_assert_int_eq(result.staleness.high_ns, 201 * NS_PER_MS);
}
END_TEST

START_TEST(test_measure_reads_of_a_batch_share_their_write)
{
	struct track ledger = timeline_track(&arena, "writes", "a*2", 20, 200);
	const struct ledger_read settled = timeline_read(&arena, "writes", COUNT_HEALED, "P*4");
	const enum write_outcome both[] = { WRITE_ACKNOWLEDGED, WRITE_ACKNOWLEDGED };
	struct sample samples[2] = { ledger.samples[0], ledger.samples[1] };
	const struct reads_request request = { .timeline = &shows.timeline,
					       .reader = &shows.track,
					       .ledger = &ledger,
					       .settled = &settled };

	samples[0].detail = samples[1].detail = write_pack(both, 2);
	ledger.samples = samples;
	ledger.rows_per_slot = 2;
	shows_init(&shows, &arena, 50, 1);
	shows_put_text(&shows, "- 0-1,3 0-3");
	shows_end(&shows);
	measure_reads(&request, &arena, &result);
	expect(1, 1, 0);
	ck_assert_uint_eq(result.judged_row_count, 4);
}
END_TEST

/* ---- the journal ---- */

START_TEST(test_measure_reads_damaged_journal_is_not_readable)
{
	static const char *const bad[] = {
		NULL,
		"",
		"[]",
		"{\"shown\":\"1+0\"}",
		"{\"shown\":1,\"is_last\":true}",
		"{\"shown\":\"+0\",\"is_last\":true}",
		"{\"shown\":\"1\",\"is_last\":true}",
		"{\"shown\":\"1+\",\"is_last\":true}",
		"{\"shown\":\"1+3-2\",\"is_last\":true}",
		"{\"shown\":\"1+0;\",\"is_last\":true}",
		"{\"shown\":\"1+0 \",\"is_last\":true}",
		"{\"shown\":\"99+0\",\"is_last\":true}", /* a read that was not made */
		"{\"shown\":\"2+0\",\"is_last\":true}",	 /* and one that failed */
		"{\"shown\":\"1+0\",\"is_last\":false}", /* no end */
	};
	const struct track ledger = timeline_track(&arena, "writes", "a*4", 20, 200);
	const struct reads_request request = { .timeline = &shows.timeline,
					       .reader = &shows.track,
					       .ledger = &ledger };

	shows_init(&shows, &arena, 50, 1);
	shows_put_text(&shows, "- - b -");
	shows_end(&shows);
	shows.events[shows.timeline.event_count - 1].data = bad[_i];
	measure_reads(&request, &arena, &result);
	ck_assert(!result.is_readable);
	ck_assert_ptr_nonnull(result.error);
}
END_TEST

START_TEST(test_measure_reads_rows_beyond_the_ledger_are_not_ours)
{
	measure("a*2", "- 0-900 0-1", 1, "PP");
	expect(0, 0, 0);
}
END_TEST

START_TEST(test_shown_text_is_read_as_it_was_written)
{
	struct text text = { 0 };
	struct shown_change *changes = NULL;
	size_t count = 0;

	shown_add(12, "+0-49+60", &text);
	shown_add(14, "~3", &text);
	ck_assert_str_eq(text_str(&text), "12+0-49+60;14~3");
	ck_assert(shown_read(text_str(&text), &arena, &changes, &count));
	ck_assert_uint_eq(count, 3);
	ck_assert_uint_eq(changes[1].slot, 12);
	ck_assert_uint_eq(changes[1].first, 60);
	ck_assert_uint_eq(changes[1].last, 60);
	ck_assert(changes[2].is_gone);
	ck_assert(shown_read("", &arena, &changes, &count));
	ck_assert_uint_eq(count, 3);
	text_release(&text);
}
END_TEST

/* ---- invented histories ---- */

enum { HISTORIES = 1000, WRITES = 60, READS = 60, LANES = 3, HOSTS = 3 };

struct history {
	struct sample writes[WRITES];
	uint8_t rows[WRITES]; /* the final reading */
	struct sample reads[READS];
	bool shown[READS][SHOWS_ROWS_MAX];
	bool is_settled;
};

/* Writes commit somewhere in [sent, done]; hosts show them late; some are taken away again for good. */
static void invent(struct random *random, struct history *history)
{
	int64_t commit_ns[WRITES];
	int64_t lost_from_ns[WRITES];
	int64_t lag_ns[HOSTS];

	*history = (struct history){ .is_settled = random_below(random, 4) != 0 };
	for (size_t i = 0; i < HOSTS; i++)
		lag_ns[i] = (int64_t)random_below(random, 3) *
			    (int64_t)random_below(random, 200) * NS_PER_MS;
	for (size_t i = 0; i < WRITES; i++) {
		const int64_t sent_ns = timeline_ns((int64_t)i * 20);
		const int64_t took_ns = 1 + (int64_t)random_below(random, 60 * NS_PER_MS);
		const bool is_lost = random_below(random, 10) == 0;

		commit_ns[i] = sent_ns + (int64_t)random_below(random, (uint64_t)took_ns);
		lost_from_ns[i] = is_lost ? commit_ns[i] +
						    (int64_t)random_below(random, 400 * NS_PER_MS) :
					    INT64_MAX;
		history->rows[i] = is_lost ? 0 : ROW_PRESENT;
		history->writes[i] = (struct sample){
			.sent_ns = sent_ns,
			.done_ns = sent_ns + took_ns,
			.state = SAMPLE_GOOD,
			.write = random_below(random, 5) == 0 ? WRITE_INDETERMINATE :
								WRITE_ACKNOWLEDGED,
		};
	}
	for (size_t i = 0; i < READS; i++) {
		const int64_t sent_ns =
			timeline_ns((int64_t)i * 20) + (int64_t)random_below(random, NS_PER_MS);
		const int64_t took_ns = 1 + (int64_t)random_below(random, 50 * NS_PER_MS);
		const int64_t at_ns = sent_ns + (int64_t)random_below(random, (uint64_t)took_ns);
		const int64_t lag = lag_ns[random_below(random, 8) == 0 ? random_below(random, HOSTS) :
									   i % LANES];

		history->reads[i] = (struct sample){
			.sent_ns = sent_ns,
			.done_ns = sent_ns + took_ns,
			.state = random_below(random, 10) == 0 ? SAMPLE_BAD : SAMPLE_GOOD,
		};
		for (size_t row = 0; row < WRITES; row++)
			history->shown[i][row] =
				commit_ns[row] + lag <= at_ns && lost_from_ns[row] + 0 > at_ns;
	}
}

static bool is_read(const struct history *history, size_t read)
{
	return history->reads[read].state == SAMPLE_GOOD;
}

static bool comes_back(const struct history *history, size_t read, size_t row)
{
	if (history->is_settled && history->rows[row] != 0)
		return true;
	for (size_t i = 0; i < READS; i++)
		if (is_read(history, i) && history->shown[i][row] &&
		    history->reads[i].sent_ns > history->reads[read].sent_ns)
			return true;
	return false;
}

static bool was_shown_before(const struct history *history, size_t read, size_t row)
{
	for (size_t i = 0; i < READS; i++)
		if (is_read(history, i) && history->shown[i][row] &&
		    history->reads[i].done_ns < history->reads[read].sent_ns)
			return true;
	return false;
}

/* The first read without it after it had been shown, of a row that does not come back. */
static bool is_first_without(const struct history *history, size_t read, size_t row)
{
	for (size_t i = 0; i < READS; i++)
		if (i != read && is_read(history, i) && !history->shown[i][row] &&
		    history->reads[i].sent_ns < history->reads[read].sent_ns &&
		    was_shown_before(history, i, row) && !comes_back(history, i, row))
			return false;
	return true;
}

/* Every pair of a read and a row, by the page's definitions and without a shortcut. */
static struct reader_result judge_by_hand(const struct history *history)
{
	struct reader_result hand = { 0 };

	for (size_t read = 0; read < READS; read++) {
		bool is_stale = false;
		bool is_undecided = false;
		bool is_backward = false;

		if (!is_read(history, read))
			continue;
		hand.read_count++;
		for (size_t row = 0; row < WRITES; row++) {
			const struct sample *write = &history->writes[row];
			const int64_t sent_ns = history->reads[read].sent_ns;
			const bool returns = comes_back(history, read, row);

			if (history->shown[read][row])
				continue;
			if (write->write == WRITE_ACKNOWLEDGED && write->done_ns < sent_ns) {
				is_stale = is_stale || returns;
				is_undecided = is_undecided || (!returns && !history->is_settled);
				if (returns && sent_ns - write->done_ns > hand.staleness.low_ns)
					hand.staleness.low_ns = sent_ns - write->done_ns;
			}
			if (was_shown_before(history, read, row))
				is_backward = is_backward || returns ||
					      is_first_without(history, read, row);
		}
		hand.stale_read_count += is_stale;
		hand.undecided_read_count += is_undecided && !is_stale;
		hand.non_monotonic_read_count += is_backward;
	}
	return hand;
}

START_TEST(test_measure_reads_invented_histories_agree_with_every_pair_looked_at)
{
	static struct history history;
	uint64_t stale_count = 0;
	uint64_t backward_count = 0;

	for (uint64_t seed = 0; seed < HISTORIES; seed++) {
		struct random random = random_from_seed(seed);
		struct track ledger = { .probe = "writes",
					.t0_ns = timeline_ns(0),
					.every_ns = 20 * NS_PER_MS,
					.lane_count = 1,
					.slot_count = WRITES,
					.samples = history.writes };
		const struct ledger_read settled = { .probe = "writes",
						     .is_complete = true,
						     .row_count = WRITES,
						     .rows = history.rows };
		struct reads_request request = { .timeline = &shows.timeline,
						 .reader = &shows.track,
						 .ledger = &ledger };

		invent(&random, &history);
		request.settled = history.is_settled ? &settled : NULL;
		shows_init(&shows, &arena, 20, LANES);
		for (size_t i = 0; i < READS; i++)
			shows_put(&shows, &history.reads[i], history.shown[i]);
		shows_end(&shows);
		measure_reads(&request, &arena, &result);

		const struct reader_result hand = judge_by_hand(&history);

		ck_assert_msg(result.is_readable, "%s", result.error);
		ck_assert_msg(result.stale_read_count == hand.stale_read_count &&
				      result.undecided_read_count == hand.undecided_read_count &&
				      result.non_monotonic_read_count ==
					      hand.non_monotonic_read_count &&
				      result.staleness.low_ns == hand.staleness.low_ns,
			      "history %zu: %zu/%zu stale, %zu/%zu undecided, %zu/%zu backward",
			      (size_t)seed, (size_t)result.stale_read_count,
			      (size_t)hand.stale_read_count, (size_t)result.undecided_read_count,
			      (size_t)hand.undecided_read_count,
			      (size_t)result.non_monotonic_read_count,
			      (size_t)hand.non_monotonic_read_count);
		ck_assert_uint_eq(result.read_count, hand.read_count);
		ck_assert_int_le(result.staleness.low_ns, result.staleness.high_ns);
		stale_count += hand.stale_read_count;
		backward_count += hand.non_monotonic_read_count;
		arena_release(&arena);
	}
	ck_assert_uint_gt(stale_count, HISTORIES); /* the histories were worth it */
	ck_assert_uint_gt(backward_count, HISTORIES);
}
END_TEST

/* ---- the verdict ---- */

struct verdict_case {
	const char *reads;
	const char *rows;
	int64_t stale_reads;
	int64_t staleness_ms;
	int64_t non_monotonic_reads;
	enum verdict verdicts[3];
};

#define MET VERDICT_MET
#define MISSED VERDICT_MISSED
#define DOUBT VERDICT_INCONCLUSIVE

static const struct verdict_case verdict_cases[] = {
	{ "- 0-2 0-3", "P*4", 0, 100, 0, { MET, MET, MET } },
	{ "- 0-2 0-3", "P*4", 0, 20, 0, { MET, DOUBT, MET } },
	{ "- 0-2 0-1 0-3", "P*4", 0, 50, 0, { MISSED, MISSED, MISSED } },
	{ "- 0-2 0-1 0-3", "P*4", 1, 200, 1, { MET, MET, MET } },
	{ "- 0-2 s 0-3", "P*4", 0, 200, 0, { DOUBT, DOUBT, DOUBT } },
	{ "b b b", "P*4", 0, 200, 0, { DOUBT, DOUBT, DOUBT } },
	{ "-", "P*4", 0, 200, 0, { DOUBT, DOUBT, MET } },
	{ "- 0-2 0-2", NULL, 0, 200, 0, { DOUBT, DOUBT, MET } },
};

enum { VERDICT_CASES = sizeof verdict_cases / sizeof verdict_cases[0] };

START_TEST(test_judge_reads_by_each_rule)
{
	static const char *const names[] = { "stale reads", "staleness", "non-monotonic reads" };
	const struct verdict_case *row = &verdict_cases[_i];
	struct objectives *objectives;
	struct court court;

	measure("a*4", row->reads, 1, row->rows);
	court_open(&court, "g*10 b*5 g*30");
	court_say_ordinary_run(&court);
	objectives = &court.experiment.objectives;
	objectives->has_stale_reads = true;
	objectives->has_staleness = true;
	objectives->has_non_monotonic_reads = true;
	objectives->stale_reads = row->stale_reads;
	objectives->staleness_ns = row->staleness_ms * NS_PER_MS;
	objectives->non_monotonic_reads = row->non_monotonic_reads;
	court.request.readers = &result;
	court.request.reader_count = 1;
	court_judge(&court);
	ck_assert_uint_eq(court.row_count, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_str_eq(court.rows[i].name, names[i]);
		ck_assert_msg(court.rows[i].verdict == row->verdicts[i], "%s is %s: %s", names[i],
			      verdict_name(court.rows[i].verdict), court.rows[i].reason);
		ck_assert((court.rows[i].advice != NULL) ==
			  (row->verdicts[i] == VERDICT_INCONCLUSIVE));
	}
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_reads_without_a_reader_is_inconclusive)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*30");
	court_say_ordinary_run(&court);
	court.experiment.objectives.has_stale_reads = true;
	court_judge(&court);
	ck_assert_int_eq(court.rows[0].verdict, VERDICT_INCONCLUSIVE);
	arena_release(&court.arena);
}
END_TEST

void suite_measure_reads(Suite *suite)
{
	TCase *tcase = tcase_create("measure_reads");

	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_measure_reads_that_show_everything_are_neither);
	tcase_add_test(tcase, test_measure_reads_missing_an_acknowledged_row_is_stale);
	tcase_add_test(tcase, test_measure_reads_row_acknowledged_as_the_read_begins_is_not_stale);
	tcase_add_test(tcase, test_measure_reads_lost_row_is_not_stale);
	tcase_add_test(tcase, test_measure_reads_row_that_only_settling_shows_is_stale);
	tcase_add_test(tcase, test_measure_reads_without_settling_late_and_lost_cannot_be_told);
	tcase_add_test(tcase, test_measure_reads_unacknowledged_rows_are_nobody_s_promise);
	tcase_add_test(tcase, test_measure_reads_less_than_before_is_non_monotonic);
	tcase_add_test(tcase, test_measure_reads_of_other_lanes_count);
	tcase_add_test(tcase, test_measure_reads_under_way_together_are_in_no_order);
	tcase_add_test(tcase, test_measure_reads_row_gone_for_good_counts_once);
	tcase_add_test(tcase, test_measure_reads_failed_read_is_no_stale_read);
	tcase_add_test(tcase, test_measure_reads_gap_without_a_try_widens_the_span);
	tcase_add_test(tcase, test_measure_reads_of_a_batch_share_their_write);
	tcase_add_loop_test(tcase, test_measure_reads_damaged_journal_is_not_readable, 0, 14);
	tcase_add_test(tcase, test_measure_reads_rows_beyond_the_ledger_are_not_ours);
	tcase_add_test(tcase, test_shown_text_is_read_as_it_was_written);
	tcase_add_test(tcase,
		       test_measure_reads_invented_histories_agree_with_every_pair_looked_at);
	tcase_add_loop_test(tcase, test_judge_reads_by_each_rule, 0, VERDICT_CASES);
	tcase_add_test(tcase, test_judge_reads_without_a_reader_is_inconclusive);
	suite_add_tcase(suite, tcase);
}
