/*
 * test_measure_ledger.c - classes and observed RPO: each rule by hand, then 1,000 seeded histories
 * against the truth of the simulation. tests/oracle.sh compares every class with an independent
 * program.
 */
#include "base/random.h"
#include "engine/measure.h"
#include "fixtures/timelines.h"
#include "tests/suites.h"

#include <inttypes.h>

/* Writes every 20 ms, each done 1 ms after it was sent; the fault in [190, 195] ms. */
struct history_row {
	const char *name;
	const char *writes;
	const char *rows;
	struct ledger_classes classes;
	struct span rpo_ms;
};

static const struct history_row history_rows[] = {
	{ .name = "nothing lost",
	  .writes = "a*10 i*2 f*2 a*5",
	  .rows = "P*10 -*4 P*5",
	  .classes = { .attempted = 19,
		       .acknowledged = 15,
		       .failed = 2,
		       .indeterminate = 2,
		       .ok = 15,
		       .absent = 4 } },
	{ .name = "the newest three before the fault are lost",
	  .writes = "a*10 i*2 a*5",
	  .rows = "P*7 -*3 -*2 P*5",
	  .classes = { .attempted = 17,
		       .acknowledged = 15,
		       .indeterminate = 2,
		       .ok = 12,
		       .lost = 3,
		       .absent = 2,
		       .lost_keys = { 7, 8, 9 },
		       .lost_key_count = 3 },
	  /* Survivor at [120, 121], the fault in [190, 195]. */
	  .rpo_ms = { 69, 75 } },
	{ .name = "split brain: acknowledged after the fault, and gone",
	  .writes = "a*30",
	  .rows = "P*10 -*10 P*10",
	  .classes = { .attempted = 30,
		       .acknowledged = 30,
		       .ok = 20,
		       .lost = 10,
		       .lost_keys = { 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 },
		       .lost_key_count = 10 },
	  /* Survivor at [180, 181]; the last lost write acknowledged at [380, 381]. */
	  .rpo_ms = { 199, 201 } },
	{ .name = "the first write is lost: back to the start of the ledger",
	  .writes = "a*10",
	  .rows = "- P*9",
	  .classes = { .attempted = 10,
		       .acknowledged = 10,
		       .ok = 9,
		       .lost = 1,
		       .lost_keys = { 0 },
		       .lost_key_count = 1 },
	  .rpo_ms = { 190, 195 } },
	{ .name = "an indeterminate write that is there is no loss",
	  .writes = "a*5 i*3 f*2 a",
	  .rows = "P*5 P - - P - P",
	  .classes = { .attempted = 11,
		       .acknowledged = 6,
		       .failed = 2,
		       .indeterminate = 3,
		       .ok = 6,
		       .recovered = 2,
		       .recovered_failed = 1,
		       .absent = 3 } },
	{ .name = "a corrupted row is a loss",
	  .writes = "a*10",
	  .rows = "P*9 C",
	  .classes = { .attempted = 10,
		       .acknowledged = 10,
		       .ok = 9,
		       .corrupted = 1,
		       .lost_keys = { 9 },
		       .lost_key_count = 1 },
	  .rpo_ms = { 29, 35 } },
	{ .name = "a row twice is a finding, a row of nobody another",
	  .writes = "a*3 .*2 a",
	  .rows = "P D P - P P",
	  .classes = { .attempted = 4,
		       .acknowledged = 4,
		       .ok = 4,
		       .duplicated = 1,
		       .unexpected = 1 } },
	{ .name = "slots after the read-back are not its business",
	  .writes = "a*10",
	  .rows = "P*4",
	  .classes = { .attempted = 4, .acknowledged = 4, .ok = 4 } },
	{ .name = "rows beyond the record of samples",
	  .writes = "a*3",
	  .rows = "P*3 - P",
	  .classes = { .attempted = 3, .acknowledged = 3, .ok = 3, .unexpected = 1 } },
};

enum { HISTORY_ROWS = sizeof history_rows / sizeof history_rows[0] };

static void expect_classes(const char *name, const struct ledger_classes *got,
			   const struct ledger_classes *expected)
{
	struct text text = { 0 };

#define COMPARE(field)                                                                             \
	if (got->field != expected->field)                                                         \
		text_addf(&text, " %s %" PRIu64 " not %" PRIu64, #field, (uint64_t)got->field,     \
			  (uint64_t)expected->field);
	COMPARE(attempted)
	COMPARE(acknowledged)
	COMPARE(failed)
	COMPARE(indeterminate)
	COMPARE(ok)
	COMPARE(lost)
	COMPARE(corrupted)
	COMPARE(recovered)
	COMPARE(recovered_failed)
	COMPARE(absent)
	COMPARE(duplicated)
	COMPARE(unexpected)
	COMPARE(lost_key_count)
#undef COMPARE
	ck_assert_msg(text.length_bytes == 0, "%s:%s", name, text_str(&text));
	ck_assert_mem_eq(got->lost_keys, expected->lost_keys,
			 got->lost_key_count * sizeof got->lost_keys[0]);
	text_release(&text);
}

START_TEST(test_measure_ledger_each_rule_gives_its_classes)
{
	const struct history_row *row = &history_rows[_i];
	struct arena arena = { 0 };
	const struct track track = timeline_track(&arena, "writes", row->writes, 20, 200);
	const struct ledger_read read = timeline_read(&arena, "writes", COUNT_HEALED, row->rows);
	struct ledger_count_result result;

	measure_ledger(&track, &read, timeline_fault(190, 195), &result);
	ck_assert(result.was_counted);
	ck_assert(result.is_readable);
	expect_classes(row->name, &result.classes, &row->classes);
	ck_assert_msg(result.rpo.low_ns == row->rpo_ms.low_ns * NS_PER_MS &&
			      result.rpo.high_ns == row->rpo_ms.high_ns * NS_PER_MS,
		      "%s: [%" PRId64 ", %" PRId64 "]", row->name, result.rpo.low_ns,
		      result.rpo.high_ns);
	arena_release(&arena);
}
END_TEST

START_TEST(test_measure_ledger_keeps_the_first_twenty_lost_keys)
{
	struct arena arena = { 0 };
	const struct track track = timeline_track(&arena, "writes", "a*100", 20, 200);
	const struct ledger_read read = timeline_read(&arena, "writes", COUNT_HEALED, "P*40 -*60");
	struct ledger_count_result result;

	measure_ledger(&track, &read, timeline_fault(190, 195), &result);
	ck_assert_uint_eq(result.classes.lost, 60);
	ck_assert_uint_eq(result.classes.lost_key_count, LIMIT_LOST_KEYS_SHOWN);
	ck_assert_uint_eq(result.classes.lost_keys[0], 40);
	ck_assert_uint_eq(result.classes.lost_keys[19], 59);
	arena_release(&arena);
}
END_TEST

START_TEST(test_measure_ledger_not_counted_or_not_readable_says_so)
{
	struct arena arena = { 0 };
	const struct track track = timeline_track(&arena, "writes", "a*10", 20, 200);
	struct ledger_read read = { .probe = "writes",
				    .error = "connection refused",
				    .row_count = 10 };
	struct ledger_count_result result;

	measure_ledger(&track, NULL, timeline_fault(190, 195), &result);
	ck_assert(!result.was_counted);
	measure_ledger(&track, &read, timeline_fault(190, 195), &result);
	ck_assert(result.was_counted);
	ck_assert(!result.is_readable);
	ck_assert_str_eq(result.error, "connection refused");
	ck_assert_uint_eq(result.classes.lost, 0);
	arena_release(&arena);
}
END_TEST

START_TEST(test_measure_ledger_worse_is_the_count_with_more_losses)
{
	struct ledger_result result = { .stable = { .was_counted = true, .is_readable = true },
					.healed = { .was_counted = true, .is_readable = true } };

	result.healed.classes.lost = 466;
	measure_ledger_worse(&result);
	ck_assert_ptr_eq(result.worse, &result.healed);
	result.stable.classes.lost = 400;
	result.stable.classes.corrupted = 67;
	measure_ledger_worse(&result);
	ck_assert_ptr_eq(result.worse, &result.stable);
	result.healed.classes.lost = 467;
	result.healed.rpo.high_ns = 1;
	measure_ledger_worse(&result);
	ck_assert_ptr_eq(result.worse, &result.healed);
	result.stable.rpo = (struct span){ 1, 2 };
	result.healed.rpo = (struct span){ 0, 2 };
	measure_ledger_worse(&result);
	ck_assert_ptr_eq(result.worse, &result.stable);
	result.healed.is_readable = false;
	measure_ledger_worse(&result);
	ck_assert_ptr_eq(result.worse, &result.stable);
	result.stable.was_counted = false;
	measure_ledger_worse(&result);
	ck_assert_ptr_null(result.worse);
}
END_TEST

/* ---- 1,000 seeded histories ---- */

enum { HISTORIES = 1000, WRITES_AT_MOST = 60 };

struct history {
	struct sample samples[WRITES_AT_MOST];
	uint8_t rows[WRITES_AT_MOST];
	int64_t acknowledged_ns[WRITES_AT_MOST]; /* the truth, which nobody records */
	int64_t fault_ns;
	struct span fault;
	struct track track;
	struct ledger_read read;
};

static uint8_t draw_row(struct random *random, uint64_t lost_percent)
{
	uint8_t row = ROW_PRESENT;

	if (random_below(random, 100) < lost_percent)
		return 0;
	if (random_below(random, 100) < 4)
		row |= ROW_CORRUPTED;
	if (random_below(random, 100) < 4)
		row |= ROW_DUPLICATED;
	return row;
}

static void draw_history(uint64_t seed, struct history *history)
{
	struct random random = random_from_seed(seed);
	const uint64_t count = random_below(&random, WRITES_AT_MOST + 1);
	const uint64_t lost_from = random_below(&random, WRITES_AT_MOST);
	const uint64_t lost_until = lost_from + random_below(&random, WRITES_AT_MOST / 2);
	const bool is_lossy = random_below(&random, 4) > 0;
	const int64_t t0_ns = timeline_ns(0);

	*history = (struct history){ 0 };
	history->fault_ns = t0_ns + (int64_t)random_below(&random, 1200);
	history->fault.low_ns = history->fault_ns - (int64_t)random_below(&random, 50);
	history->fault.high_ns = history->fault_ns + (int64_t)random_below(&random, 50);
	history->track = (struct track){ .probe = "writes",
					 .t0_ns = t0_ns,
					 .every_ns = 20,
					 .slot_count = count,
					 .samples = history->samples };
	history->read = (struct ledger_read){ .probe = "writes",
					      .is_complete = true,
					      .row_count = count,
					      .rows = history->rows,
					      .unexpected_count = random_below(&random, 3) };
	for (uint64_t slot = 0; slot < count; slot++) {
		struct sample *sample = &history->samples[slot];
		const uint64_t outcome = random_below(&random, 10);
		const bool is_in_loss = is_lossy && slot >= lost_from && slot < lost_until;
		const int64_t length_ns = (int64_t)random_below(&random, 70);

		sample->sent_ns = t0_ns + 20 * (int64_t)slot;
		sample->done_ns = sample->sent_ns + length_ns;
		history->acknowledged_ns[slot] =
			sample->sent_ns + (int64_t)random_below(&random, (uint64_t)length_ns + 1);
		sample->write = (uint8_t)(outcome < 7 ? WRITE_ACKNOWLEDGED : outcome - 7);
		if (sample->write == WRITE_ACKNOWLEDGED && outcome >= 7)
			sample->write = WRITE_INDETERMINATE;
		history->rows[slot] = sample->write == WRITE_ACKNOWLEDGED
					      ? draw_row(&random, is_in_loss ? 70 : 0)
					      : draw_row(&random, 60);
	}
}

/* What the RPO really was, from the moments of acknowledgement that only the simulation knows. */
static int64_t true_rpo_ns(const struct history *history, const struct ledger_classes *classes)
{
	int64_t first_lost_ns = INT64_MAX;
	int64_t until_ns = history->fault_ns;
	int64_t point_ns = history->track.t0_ns;

	if (classes->lost + classes->corrupted == 0)
		return 0;
	for (uint64_t slot = 0; slot < history->track.slot_count; slot++) {
		const int64_t at_ns = history->acknowledged_ns[slot];
		const uint8_t row = history->rows[slot];
		const bool is_lost =
			(history->samples[slot].write == WRITE_ACKNOWLEDGED && row == 0) ||
			(history->samples[slot].write != WRITE_NONE && (row & ROW_CORRUPTED) != 0);

		if (is_lost && at_ns < first_lost_ns)
			first_lost_ns = at_ns;
		if (is_lost && at_ns > until_ns)
			until_ns = at_ns;
	}
	for (uint64_t slot = 0; slot < history->track.slot_count; slot++) {
		const int64_t at_ns = history->acknowledged_ns[slot];
		const uint8_t row = history->rows[slot];

		if (history->samples[slot].write == WRITE_ACKNOWLEDGED && row != 0 &&
		    (row & ROW_CORRUPTED) == 0 && at_ns < first_lost_ns && at_ns > point_ns)
			point_ns = at_ns;
	}
	return until_ns - point_ns;
}

START_TEST(test_measure_ledger_true_rpo_lies_in_the_span_of_1000_histories)
{
	static struct history history;
	int lossy = 0;

	for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
		struct ledger_count_result result;

		draw_history(seed, &history);
		measure_ledger(&history.track, &history.read, history.fault, &result);

		const int64_t truth_ns = true_rpo_ns(&history, &result.classes);

		lossy += truth_ns > 0;
		ck_assert_msg(result.rpo.low_ns <= truth_ns && truth_ns <= result.rpo.high_ns,
			      "seed %" PRIu64 ": %" PRId64 " outside [%" PRId64 ", %" PRId64 "]",
			      seed, truth_ns, result.rpo.low_ns, result.rpo.high_ns);
	}
	ck_assert_int_gt(lossy, HISTORIES / 3);
}
END_TEST

void suite_measure_ledger(Suite *suite)
{
	TCase *tcase = tcase_create("measure_ledger");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_measure_ledger_each_rule_gives_its_classes, 0,
			    HISTORY_ROWS);
	tcase_add_test(tcase, test_measure_ledger_keeps_the_first_twenty_lost_keys);
	tcase_add_test(tcase, test_measure_ledger_not_counted_or_not_readable_says_so);
	tcase_add_test(tcase, test_measure_ledger_worse_is_the_count_with_more_losses);
	tcase_add_test(tcase, test_measure_ledger_true_rpo_lies_in_the_span_of_1000_histories);
	suite_add_tcase(suite, tcase);
}
