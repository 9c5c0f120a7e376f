/*
 * test_judge_level.c - verdicts of latency, error rate, throughput and time degraded, by each rule.
 */
#include "fixtures/court.h"
#include "tests/suites.h"

#include <string.h>

static struct objectives *promises(struct court *court)
{
	return &court->experiment.objectives;
}

static void expect_row(const struct court *court, const char *name, enum verdict verdict,
		       const char *observed, const char *margin)
{
	const struct objective_result *row = &court->rows[0];

	ck_assert_uint_eq(court->row_count, 1);
	ck_assert_str_eq(row->name, name);
	ck_assert_msg(row->verdict == verdict, "%s is %s: %s", name, verdict_name(row->verdict),
		      row->reason);
	ck_assert_str_eq(row->observed, observed);
	ck_assert_str_eq(row->margin, margin);
	ck_assert((row->advice != NULL) == (verdict == VERDICT_INCONCLUSIVE));
}

/* After: twenty slots of 10 ms, one of 30 ms; during: all of them fail. Healed when stable. */
static const char slots[] = "g*10 b*5 g~10*20 g~30";

struct latency_case {
	const char *slots;
	enum percentile percentile;
	bool is_during;
	int64_t target_ms;
	enum verdict verdict;
	const char *observed;
	const char *margin;
};

static const struct latency_case latency_cases[] = {
	{ slots, PERCENTILE_P50, false, 10, VERDICT_MET, "10 ms", "0 s" },
	{ slots, PERCENTILE_P50, false, 9, VERDICT_MISSED, "10 ms", "-1 ms" },
	{ slots, PERCENTILE_MAX, false, 30, VERDICT_MET, "30 ms", "0 s" },
	{ slots, PERCENTILE_P99, false, 29, VERDICT_MISSED, "30 ms", "-1 ms" },
	{ slots, PERCENTILE_P50, true, 100, VERDICT_MISSED, "at least 200 ms", "-100 ms" },
	/* Six of sixteen slots after the outage were not seen: fast or slow, nobody knows. */
	{ "g*10 b*5 g~10*10 s*6 g~10", PERCENTILE_P50, false, 10, VERDICT_MET, "10 ms", "0 s" },
	{ "g*10 b*5 g~10*10 s*6 g~10", PERCENTILE_P99, false, 10, VERDICT_INCONCLUSIVE,
	  "at least 10 ms", "" },
	{ "g*10 b*5 g~10*10 s*6 g~10", PERCENTILE_P99, false, 9, VERDICT_MISSED, "at least 10 ms",
	  "-1 ms" },
	{ "g*10 b*5 s*6 g~10*12", PERCENTILE_MAX, true, 10, VERDICT_MISSED, "at least 200 ms",
	  "-190 ms" },
};

enum { LATENCY_CASES = sizeof latency_cases / sizeof latency_cases[0] };

START_TEST(test_judge_objectives_latency_by_each_rule)
{
	const struct latency_case *row = &latency_cases[_i];
	struct latency_objective *latency;
	struct court court;

	court_open(&court, row->slots);
	court_say_ordinary_run(&court);
	latency = &promises(&court)->latency;
	(row->is_during ? latency->during_ns : latency->after_ns)[row->percentile] =
		row->target_ms * NS_PER_MS;
	court_judge(&court);
	expect_row(&court,
		   arena_format(&court.arena, "latency %s %s", percentile_word(row->percentile),
				row->is_during ? "during" : "after"),
		   row->verdict, row->observed, row->margin);
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_latency_has_a_row_for_each_percentile_and_part)
{
	struct court court;

	court_open(&court, slots);
	court_say_ordinary_run(&court);
	promises(&court)->latency.after_ns[PERCENTILE_P50] = NS_PER_S;
	promises(&court)->latency.after_ns[PERCENTILE_P99_9] = NS_PER_S;
	promises(&court)->latency.during_ns[PERCENTILE_P50] = NS_PER_S;
	court_judge(&court);
	ck_assert_uint_eq(court.row_count, 3);
	ck_assert_str_eq(court.rows[0].name, "latency p50 after");
	ck_assert_str_eq(court.rows[0].target, "at most 1 s");
	ck_assert_str_eq(court.rows[1].name, "latency p99.9 after");
	ck_assert_str_eq(court.rows[2].name, "latency p50 during");
	arena_release(&court.arena);
}
END_TEST

struct share_case {
	const char *slots;
	bool is_throughput;
	bool is_during;
	int64_t target_ppm;
	enum verdict verdict;
	const char *observed;
	const char *margin;
};

/* During: two bad and, where told, two unseen of ten. */
static const struct share_case share_cases[] = {
	{ "g*10 b g*8 b g*20", false, true, 200000, VERDICT_MET, "20 %", "0 %" },
	{ "g*10 b g*8 b g*20", false, true, 199999, VERDICT_MISSED, "20 %", "-0.0001 %" },
	{ "g*10 b g*6 s*2 b g*20", false, true, 400000, VERDICT_MET, "20 % to 40 %", "0 %" },
	{ "g*10 b g*6 s*2 b g*20", false, true, 200000, VERDICT_INCONCLUSIVE, "20 % to 40 %", "" },
	{ "g*10 b g*6 s*2 b g*20", false, true, 199999, VERDICT_MISSED, "20 % to 40 %",
	  "-0.0001 %" },
	{ "g*10 b g*8 b g*20", false, false, 0, VERDICT_MET, "0 %", "0 %" },
	{ "g*10 b g*8 b g*20", true, true, 800000, VERDICT_MET, "80 % of the baseline", "0 %" },
	{ "g*10 b g*8 b g*20", true, true, 800001, VERDICT_MISSED, "80 % of the baseline",
	  "-0.0001 %" },
	{ "g*10 b g*6 s*2 b g*20", true, true, 700000, VERDICT_INCONCLUSIVE,
	  "60 % to 80 % of the baseline", "" },
	{ "g*10 b g*8 b g*20", true, false, 1000000, VERDICT_MET, "100 % of the baseline", "0 %" },
	{ "b*10 b g*8 b g*20", true, true, 100000, VERDICT_INCONCLUSIVE, "not measured", "" },
};

enum { SHARE_CASES = sizeof share_cases / sizeof share_cases[0] };

START_TEST(test_judge_objectives_shares_by_each_rule)
{
	const struct share_case *row = &share_cases[_i];
	struct share_objective *share;
	struct court court;

	court_open(&court, row->slots);
	court_say_ordinary_run(&court);
	share = row->is_throughput ? &promises(&court)->throughput : &promises(&court)->error_rate;
	*share = (struct share_objective){ .has_after = !row->is_during,
					   .has_during = row->is_during,
					   .after_ppm = row->target_ppm,
					   .during_ppm = row->target_ppm };
	court_judge(&court);
	expect_row(&court,
		   arena_format(&court.arena, "%s %s",
				row->is_throughput ? "throughput" : "error rate",
				row->is_during ? "during" : "after"),
		   row->verdict, row->observed, row->margin);
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_degraded_by_its_bounds)
{
	static const struct {
		int64_t target_ms;
		enum verdict verdict;
		const char *margin;
	} rows[] = {
		{ 120, VERDICT_MET, "0 s" },
		{ 119, VERDICT_INCONCLUSIVE, "" },
		{ 80, VERDICT_INCONCLUSIVE, "" },
		{ 79, VERDICT_MISSED, "-1 ms" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct court court;

		/* No attempt fails: it is slow for 80 to 120 ms, and never down. */
		court_open(&court, "g*15 g~50*5 g*20");
		court_say_ordinary_run(&court);
		promises(&court)->degraded = (struct degraded_objective){
			.is_declared = true, .over_ns = 40 * NS_PER_MS,
			.target_ns = rows[i].target_ms * NS_PER_MS
		};
		court_judge(&court);
		expect_row(&court, "degraded", rows[i].verdict, "80 ms to 120 ms", rows[i].margin);
		ck_assert_ptr_nonnull(strstr(court.rows[0].target, "down or over 40 ms for at most"));
		arena_release(&court.arena);
	}
}
END_TEST

/* Every one of them is promised; the rows say what stands in their way. */
static void promise_all(struct court *court)
{
	promises(court)->latency.after_ns[PERCENTILE_P99] = NS_PER_MS * 100;
	promises(court)->error_rate = (struct share_objective){ .has_after = true };
	promises(court)->throughput = (struct share_objective){ .has_after = true };
	promises(court)->degraded = (struct degraded_objective){ .is_declared = true,
								 .over_ns = NS_PER_MS * 100,
								 .target_ns = NS_PER_S };
}

static void expect_all(const struct court *court, enum verdict verdict, const char *reason)
{
	ck_assert_uint_ge(court->row_count, 4);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_msg(court->rows[i].verdict == verdict, "%s is %s: %s",
			      court->rows[i].name, verdict_name(court->rows[i].verdict),
			      court->rows[i].reason);
		if (reason != NULL)
			ck_assert_msg(strstr(court->rows[i].reason, reason) != NULL, "%s: %s",
				      court->rows[i].name, court->rows[i].reason);
	}
}

START_TEST(test_judge_objectives_levels_of_a_good_run_are_met)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say_ordinary_run(&court);
	promise_all(&court);
	court_judge(&court);
	expect_all(&court, VERDICT_MET, NULL);
	ck_assert_int_eq(court.outcome.exit_code, EXIT_MET);
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_levels_without_steps_are_inconclusive)
{
	struct court court;

	court_open(&court, "g*40");
	court_say_ordinary_run(&court);
	court.experiment.step_count = 0;
	promise_all(&court);
	court_judge(&court);
	expect_all(&court, VERDICT_INCONCLUSIVE, "does no harm");
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_levels_of_an_unconfirmed_fault_are_inconclusive)
{
	struct court court;

	court_open(&court, "g*40");
	court_say(&court, EVENT_INTENT, PHASE_INJECT, "db1", "SIGKILL to postgres");
	court_say(&court, EVENT_UNKNOWN, PHASE_INJECT, "db1", "nobody answered");
	promise_all(&court);
	court_judge(&court);
	expect_all(&court, VERDICT_INCONCLUSIVE, NULL);
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_levels_of_a_run_that_was_not_started_are_not_judged)
{
	struct court court;

	court_open(&court, "g*40");
	court_say(&court, EVENT_NOT_STEADY, PHASE_GATE, NULL, "`reads` was not good");
	promise_all(&court);
	court_judge(&court);
	expect_all(&court, VERDICT_NONE, NULL);
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_after_a_fault_that_never_ends_is_inconclusive)
{
	struct court court;

	court_open(&court, "g*10 b*30");
	court_say_ordinary_run(&court);
	promises(&court)->latency.after_ns[PERCENTILE_P99] = 100 * NS_PER_MS;
	court_judge(&court);
	expect_row(&court, "latency p99 after", VERDICT_INCONCLUSIVE, "not measured", "");
	ck_assert_ptr_nonnull(strstr(court.rows[0].reason, "no time after the fault"));
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_levels_without_samples_are_inconclusive)
{
	struct court court;

	court_open(&court, "g*40");
	court_say_ordinary_run(&court);
	court.request.probe_count = 0;
	promise_all(&court);
	court_judge(&court);
	expect_all(&court, VERDICT_INCONCLUSIVE, "could look");
	arena_release(&court.arena);
}
END_TEST

/* A second probe, slower than the first, that nobody requires. */
static void add_other_probe(struct court *court, struct probe_result *results)
{
	court->specs[1] = (struct probe_spec){ .name = "pages", .every_ns = 20 * NS_PER_MS };
	court->experiment.probe_count = 2;
	results[0] = court->probes[0];
	results[1] = court->probes[0];
	results[1].probe = "pages";
	results[1].after.latency[PERCENTILE_P99] = (struct span){ NS_PER_S, NS_PER_S };
	court->request.probes = results;
	court->request.probe_count = 2;
}

START_TEST(test_judge_objectives_levels_look_at_the_chosen_probes_and_tell_the_worst)
{
	const struct probe_spec *chosen[2];
	struct probe_result results[2];
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say_ordinary_run(&court);
	promises(&court)->latency.after_ns[PERCENTILE_P99] = 100 * NS_PER_MS;
	court_judge(&court);
	add_other_probe(&court, results);

	/* Nobody was named: the required one. */
	judge_objectives(&court.request, &court.arena, &court.rows, &court.row_count);
	expect_row(&court, "latency p99 after", VERDICT_MET, "1 ms", "99 ms");

	/* Both were named. */
	chosen[0] = &court.specs[0];
	chosen[1] = &court.specs[1];
	promises(&court)->latency.choice = (struct probe_choice){ chosen, 2 };
	judge_objectives(&court.request, &court.arena, &court.rows, &court.row_count);
	expect_row(&court, "latency p99 after", VERDICT_MISSED, "1 s (`pages`)", "-900 ms");
	arena_release(&court.arena);
}
END_TEST

void suite_judge_level(Suite *suite)
{
	TCase *tcase = tcase_create("judge_level");

	tcase_add_loop_test(tcase, test_judge_objectives_latency_by_each_rule, 0, LATENCY_CASES);
	tcase_add_test(tcase,
		       test_judge_objectives_latency_has_a_row_for_each_percentile_and_part);
	tcase_add_loop_test(tcase, test_judge_objectives_shares_by_each_rule, 0, SHARE_CASES);
	tcase_add_test(tcase, test_judge_objectives_degraded_by_its_bounds);
	tcase_add_test(tcase, test_judge_objectives_levels_of_a_good_run_are_met);
	tcase_add_test(tcase, test_judge_objectives_levels_without_steps_are_inconclusive);
	tcase_add_test(tcase, test_judge_objectives_levels_of_an_unconfirmed_fault_are_inconclusive);
	tcase_add_test(tcase,
		       test_judge_objectives_levels_of_a_run_that_was_not_started_are_not_judged);
	tcase_add_test(tcase, test_judge_objectives_after_a_fault_that_never_ends_is_inconclusive);
	tcase_add_test(tcase, test_judge_objectives_levels_without_samples_are_inconclusive);
	tcase_add_test(tcase,
		       test_judge_objectives_levels_look_at_the_chosen_probes_and_tell_the_worst);
	suite_add_tcase(suite, tcase);
}
