/*
 * test_kpi.c - a history in numbers, each computed by hand beside it. tests/oracle_kpi.py does the same
 * for hundreds of histories by chance.
 */
#include "engine/kpi.h"

#include <string.h>

#include "base/clock.h"
#include "engine/facts.h"
#include "engine/kpi_sum.h"
#include "tests/suites.h"

enum { RUNS_MOST = 64, SUBJECTS = 5 };

static const int64_t day_ns = INT64_C(24) * 3600 * NS_PER_S;
static const int64_t first_ns = INT64_C(1767225600) * NS_PER_S; /* 2026-01-01T00:00Z */

/* Two services, two scenarios; one experiment that harms nothing; one that promises nothing. */
static const struct facts_subject subjects[SUBJECTS] = {
	{ .service = "db", .environment = "", .scenario = "kill on primary", .title = "Kill",
	  .experiment = "e1", .inventory = "i1", .has_rto = true, .rto_ns = 30 * NS_PER_S,
	  .has_rpo = true },
	{ .service = "db", .environment = "", .scenario = "cut on primary", .title = "Cut",
	  .experiment = "e2", .inventory = "i1", .has_rto = true, .rto_ns = 20 * NS_PER_S },
	{ .service = "web", .environment = "", .scenario = "kill on primary", .title = "Kill web",
	  .experiment = "e3", .inventory = "i1", .has_rto = true, .rto_ns = 10 * NS_PER_S },
	{ .service = "web", .environment = "", .scenario = "", .title = "Watch", .experiment = "e4",
	  .inventory = "i1" },
	{ .service = "db", .environment = "", .scenario = "kill on primary", .title = "Kill",
	  .experiment = "e1", .inventory = "i2", .has_rto = true, .rto_ns = 30 * NS_PER_S },
};

enum { KILL_DB = 0, CUT_DB, KILL_WEB, WATCH_WEB, KILL_DB_ELSEWHERE };

static struct arena arena;
static struct run_facts runs[RUNS_MOST];
static size_t run_count;
static struct kpi_request request;
static struct kpi kpi;

static void setup(void)
{
	const struct zone *zone = NULL;
	struct err e = { 0 };

	memset(&arena, 0, sizeof arena);
	memset(runs, 0, sizeof runs);
	run_count = 0;
	ck_assert_msg(zone_load("UTC", &arena, &zone, &e), "%s", e.text);
	request = (struct kpi_request){
		.subjects = subjects,
		.subject_count = SUBJECTS,
		.runs = runs,
		.zone = zone,
		.zone_name = "UTC",
		.now_wall_ns = first_ns + 100 * day_ns,
		.stale_after_ns = 90 * day_ns,
		.confidence_ppm = 950000,
	};
}

static void teardown(void)
{
	arena_release(&arena);
}

/* A run of an hour on this day; a recovery that took from..until ms. */
static struct run_facts *add(size_t subject, int64_t day, enum run_exit exit_code, int64_t low_ms,
			     int64_t high_ms)
{
	struct run_facts *run = &runs[run_count++];

	ck_assert_uint_le(run_count, RUNS_MOST);
	*run = (struct run_facts){
		.run_id = arena_format(&arena, "run-%02zu", run_count),
		.subject = subject,
		.began_wall_ns = first_ns + day * day_ns,
		.ended_wall_ns = first_ns + day * day_ns + 3600 * NS_PER_S,
		.is_ended = true,
		.exit_code = exit_code,
		.has_harmed = exit_code != EXIT_NOT_STARTED,
		.rto_kind = MEASURED_SPAN,
		.rto = { low_ms * NS_PER_MS, high_ms * NS_PER_MS },
		.rto_verdict = exit_code == EXIT_MET ? VERDICT_MET :
			       exit_code == EXIT_MISSED ? VERDICT_MISSED :
			       exit_code == EXIT_INCONCLUSIVE ? VERDICT_INCONCLUSIVE :
								VERDICT_NONE,
	};
	return run;
}

static void compute(void)
{
	request.run_count = run_count;
	kpi_compute(&request, &arena, &kpi);
}

static void span_is(struct span span, int64_t low_ms, int64_t high_ms)
{
	ck_assert_int_eq(span.low_ns, low_ms * NS_PER_MS);
	ck_assert_int_eq(span.high_ns, high_ms * NS_PER_MS);
}

static const struct kpi_scenario *find_scenario(const char *service, const char *name)
{
	for (size_t i = 0; i < kpi.scenario_count; i++)
		if (strcmp(kpi.scenarios[i].name, name) == 0 &&
		    strcmp(kpi.services[kpi.scenarios[i].service].name, service) == 0)
			return &kpi.scenarios[i];
	ck_abort_msg("no row for %s, %s", service, name);
	return NULL;
}

/* ---- which runs count ---- */

START_TEST(test_kpi_compute_without_runs_has_no_row_and_no_number)
{
	compute();
	ck_assert_uint_eq(kpi.run_count, 0);
	ck_assert_uint_eq(kpi.service_count, 0); /* subjects without a run are none of it */
	ck_assert_uint_eq(kpi.scenario_count, 0);
	ck_assert_uint_eq(kpi.name_count, 0);
	ck_assert_int_eq(kpi.sum.success.low_ppm, 0);
	ck_assert_int_eq(kpi.sum.success.high_ppm, 1000000);
	ck_assert_int_eq(kpi.sum.between_failed_ns, 0);
}
END_TEST

START_TEST(test_kpi_compute_every_run_is_counted_once)
{
	add(KILL_DB, 1, EXIT_MET, 1000, 1100);
	add(KILL_DB, 2, EXIT_MISSED, 40000, 40100);
	add(KILL_DB, 3, EXIT_INCONCLUSIVE, 29000, 31000);
	add(KILL_DB, 4, EXIT_LEFTOVER, 1000, 1100);
	add(KILL_DB, 5, EXIT_STOPPED, 1000, 1100);
	add(KILL_DB, 6, EXIT_STOPPED, 0, 0)->has_harmed = false;
	add(KILL_DB, 7, EXIT_INTERNAL, 1000, 1100)->is_ended = false;
	add(KILL_DB, 8, EXIT_INTERNAL, 0, 0)->has_harmed = false;
	add(KILL_DB, 9, EXIT_NOT_STARTED, 0, 0);
	add(WATCH_WEB, 10, EXIT_MET, 0, 0);
	compute();
	ck_assert_uint_eq(kpi.run_count, 10);
	ck_assert_uint_eq(kpi.not_started_count, 3);
	ck_assert_uint_eq(kpi.harmless_count, 1);
	ck_assert_uint_eq(kpi.sum.counts.drill_count, 6);
	ck_assert_uint_eq(kpi.sum.counts.met_count, 1);
	ck_assert_uint_eq(kpi.sum.counts.missed_count, 1);
	ck_assert_uint_eq(kpi.sum.counts.inconclusive_count, 1);
	ck_assert_uint_eq(kpi.sum.counts.unhealed_count, 1);
	ck_assert_uint_eq(kpi.sum.counts.stopped_count, 1);
	ck_assert_uint_eq(kpi.sum.counts.broken_count, 1);
	ck_assert_uint_eq(kpi.point_count, 6);
	ck_assert_uint_eq(kpi.service_count, 2); /* web was only watched, and is there */
	ck_assert_uint_eq(kpi.services[1].sum.counts.drill_count, 0);
}
END_TEST

/* ---- recovery ---- */

START_TEST(test_kpi_compute_mean_time_to_recover_is_a_mean_of_spans)
{
	add(KILL_DB, 1, EXIT_MET, 1000, 1100);
	add(KILL_DB, 2, EXIT_MET, 2000, 2300);
	add(KILL_DB, 3, EXIT_MISSED, 36000, 36200);
	compute();
	ck_assert_uint_eq(kpi.sum.recovery.measured_count, 3);
	span_is(kpi.sum.recovery.mean, 13000, 13200); /* 39 / 3 to 39.6 / 3 */
	span_is(kpi.sum.recovery.best, 1000, 1100);
	span_is(kpi.sum.recovery.worst, 36000, 36200);
}
END_TEST

START_TEST(test_kpi_compute_best_and_worst_of_crossing_spans_contain_the_truth)
{
	/* Who is the fastest cannot be told: it took 1 s to 3 s, the least high. */
	add(KILL_DB, 1, EXIT_MET, 1000, 9000);
	add(KILL_DB, 2, EXIT_MET, 2000, 3000);
	compute();
	span_is(kpi.sum.recovery.best, 1000, 3000);
	span_is(kpi.sum.recovery.worst, 2000, 9000);
}
END_TEST

START_TEST(test_kpi_compute_what_is_no_recovery_is_counted_and_in_no_mean)
{
	add(KILL_DB, 1, EXIT_MET, 1000, 1100);
	add(KILL_DB, 2, EXIT_MET, 0, 0)->rto_kind = MEASURED_NO_OUTAGE;
	add(KILL_DB, 3, EXIT_MISSED, 60000, 70000)->rto_kind = MEASURED_NEVER_RECOVERED;
	add(KILL_DB, 4, EXIT_MISSED, 50000, 90000)->rto_kind = MEASURED_NEVER_RECOVERED;
	add(KILL_DB, 5, EXIT_INCONCLUSIVE, 0, 0)->rto_kind = MEASURED_NOTHING;
	add(KILL_DB, 6, EXIT_STOPPED, 77000, 78000); /* it recovered because we healed it */
	add(KILL_DB, 7, EXIT_LEFTOVER, 77000, 78000);
	add(KILL_DB, 8, EXIT_INTERNAL, 77000, 78000);
	compute();
	ck_assert_uint_eq(kpi.sum.recovery.measured_count, 1);
	span_is(kpi.sum.recovery.mean, 1000, 1100);
	span_is(kpi.sum.recovery.worst, 1000, 1100);
	ck_assert_uint_eq(kpi.sum.recovery.no_outage_count, 1);
	ck_assert_uint_eq(kpi.sum.recovery.never_count, 2);
	ck_assert_int_eq(kpi.sum.recovery.never_down_ns, 60 * NS_PER_S);
	ck_assert_uint_eq(kpi.sum.recovery.unknown_count, 1);
	ck_assert_uint_eq(kpi.sum.recovery.unproven_count, 3);
}
END_TEST

START_TEST(test_kpi_mean_rounds_outwards_and_never_overflows)
{
	const struct span odd[] = { { 1, 1 }, { 1, 1 }, { 2, 2 } };
	struct span days[RUNS_MOST];

	ck_assert_int_eq(kpi_mean(odd, 3).low_ns, 1);
	ck_assert_int_eq(kpi_mean(odd, 3).high_ns, 2);
	for (size_t i = 0; i < RUNS_MOST; i++)
		days[i] = (struct span){ INT64_MAX - 1, INT64_MAX };
	ck_assert_int_eq(kpi_mean(days, RUNS_MOST).low_ns, INT64_MAX - 1);
	ck_assert_int_eq(kpi_mean(days, RUNS_MOST).high_ns, INT64_MAX);
}
END_TEST

/* ---- shares ---- */

START_TEST(test_kpi_compute_shares_have_the_exact_bounds_of_their_counts)
{
	for (int64_t day = 0; day < 18; day++)
		add(KILL_DB, day, EXIT_MET, 1000, 1100);
	compute();
	/* The textbook number: 0.05 ^ (1 / 18) = 0.846682. */
	ck_assert_int_eq(kpi.sum.rto.low_ppm, 846682);
	ck_assert_int_eq(kpi.sum.rto.high_ppm, 1000000);
	ck_assert_uint_eq(kpi.sum.rto.met_count, 18);
	ck_assert_uint_eq(kpi.sum.success.met_count, 18);
	ck_assert_int_eq(kpi.sum.success.low_ppm, 846682);
}
END_TEST

START_TEST(test_kpi_compute_open_drills_count_against_us_below_and_for_us_above)
{
	for (int64_t day = 0; day < 9; day++)
		add(KILL_DB, day, EXIT_MET, 1000, 1100);
	add(KILL_DB, 9, EXIT_INCONCLUSIVE, 29000, 31000);
	compute();
	ck_assert_uint_eq(kpi.sum.rto.drill_count, 10);
	ck_assert_uint_eq(kpi.sum.rto.met_count, 9);
	ck_assert_uint_eq(kpi.sum.rto.open_count, 1);
	ck_assert_int_eq(kpi.sum.rto.low_ppm, 605836); /* 9 of 10 */
	ck_assert_int_eq(kpi.sum.rto.high_ppm, 1000000); /* 10 of 10 */
}
END_TEST

START_TEST(test_kpi_compute_run_cut_short_keeps_its_miss_and_loses_its_proof)
{
	add(KILL_DB, 1, EXIT_STOPPED, 1000, 1100)->rto_verdict = VERDICT_MET;
	add(KILL_DB, 2, EXIT_LEFTOVER, 1000, 1100)->rto_verdict = VERDICT_MISSED;
	add(KILL_WEB, 3, EXIT_MET, 1000, 1100);
	compute();
	ck_assert_uint_eq(kpi.sum.rto.met_count, 1);
	ck_assert_uint_eq(kpi.sum.rto.missed_count, 1);
	ck_assert_uint_eq(kpi.sum.rto.open_count, 1);
	ck_assert_uint_eq(kpi.sum.rpo.drill_count, 2); /* web has promised none */
	ck_assert_uint_eq(kpi.sum.success.missed_count, 2);
}
END_TEST

START_TEST(test_kpi_compute_losses_are_added_up_where_they_are_known)
{
	struct run_facts *lossy = add(KILL_DB, 1, EXIT_MISSED, 1000, 1100);
	struct run_facts *unread = add(KILL_DB, 2, EXIT_MET, 1000, 1100);

	lossy->is_rpo_known = true;
	lossy->lost_count = 41;
	unread->lost_count = 99;
	compute();
	ck_assert_uint_eq(kpi.sum.lost_count, 41);
}
END_TEST

START_TEST(test_kpi_compute_between_failed_runs_states_what_it_is_over)
{
	add(KILL_DB, 10, EXIT_MET, 1000, 1100);
	add(KILL_DB, 20, EXIT_MISSED, 1000, 1100);
	add(KILL_DB, 30, EXIT_STOPPED, 1000, 1100);
	add(KILL_DB, 40, EXIT_INCONCLUSIVE, 1000, 1100);
	add(KILL_WEB, 50, EXIT_MET, 1000, 1100);
	compute();
	/* From day 10 until now, day 100. */
	ck_assert_uint_eq(kpi.sum.failed_count, 2);
	ck_assert_int_eq(kpi.sum.exposure_ns, 90 * day_ns);
	ck_assert_int_eq(kpi.sum.between_failed_ns, 45 * day_ns);
	ck_assert_int_eq(kpi.services[1].sum.exposure_ns, 50 * day_ns);
	ck_assert_int_eq(kpi.services[1].sum.between_failed_ns, 0);
}
END_TEST

/* ---- what is proven ---- */

START_TEST(test_kpi_compute_state_is_that_of_the_last_decision)
{
	add(KILL_DB, 20, EXIT_MET, 1000, 1100);
	add(KILL_DB, 30, EXIT_STOPPED, 1000, 1100); /* decides nothing */
	add(CUT_DB, 20, EXIT_MET, 1000, 1100);
	add(CUT_DB, 30, EXIT_MISSED, 40000, 41000);
	add(CUT_DB, 40, EXIT_INCONCLUSIVE, 1000, 1100);
	add(KILL_WEB, 20, EXIT_INCONCLUSIVE, 1000, 1100);
	compute();
	ck_assert_int_eq(find_scenario("db", "kill on primary")->state, KPI_PROVEN);
	ck_assert_str_eq(find_scenario("db", "kill on primary")->proof->run_id, "run-01");
	ck_assert_str_eq(find_scenario("db", "kill on primary")->last->run_id, "run-02");
	ck_assert_int_eq(find_scenario("db", "cut on primary")->state, KPI_FAILED);
	ck_assert_str_eq(find_scenario("db", "cut on primary")->proof->run_id, "run-03");
	ck_assert_int_eq(find_scenario("web", "kill on primary")->state, KPI_UNPROVEN);
	ck_assert_ptr_null(find_scenario("web", "kill on primary")->proof);
}
END_TEST

START_TEST(test_kpi_compute_proof_becomes_stale_the_moment_the_window_is_over)
{
	add(KILL_DB, 6, EXIT_MET, 1000, 1100);
	/* It ended an hour after it began. */
	request.stale_after_ns = 94 * day_ns - 3600 * NS_PER_S;
	compute();
	ck_assert_int_eq(find_scenario("db", "kill on primary")->since_proof_ns,
			 94 * day_ns - 3600 * NS_PER_S);
	ck_assert_int_eq(find_scenario("db", "kill on primary")->state, KPI_PROVEN);
	request.stale_after_ns--;
	compute();
	ck_assert_int_eq(find_scenario("db", "kill on primary")->state, KPI_STALE);
}
END_TEST

START_TEST(test_kpi_compute_since_narrows_the_numbers_and_not_the_proof)
{
	add(KILL_DB, 10, EXIT_MET, 1000, 1100);
	add(KILL_DB, 50, EXIT_INCONCLUSIVE, 1000, 1100);
	request.since_wall_ns = first_ns + 50 * day_ns;
	compute();
	ck_assert_uint_eq(kpi.run_count, 1);
	ck_assert_uint_eq(kpi.sum.counts.drill_count, 1);
	ck_assert_uint_eq(kpi.month_count, 1);
	ck_assert_int_eq(find_scenario("db", "kill on primary")->state, KPI_PROVEN);
	ck_assert_uint_eq(find_scenario("db", "kill on primary")->sum.counts.drill_count, 1);
}
END_TEST

START_TEST(test_kpi_compute_matrix_has_a_cell_for_every_service_and_scenario)
{
	const struct facts_subject expected[] = {
		{ .service = "mail", .environment = "", .scenario = "", .title = "",
		  .experiment = "", .inventory = "" },
		{ .service = "web", .environment = "", .scenario = "cut on primary", .title = "Cut web",
		  .experiment = "e9", .inventory = "i1", .has_rto = true, .rto_ns = NS_PER_S },
	};

	add(KILL_DB, 20, EXIT_MET, 1000, 1100);
	add(KILL_WEB, 20, EXIT_MET, 1000, 1100);
	request.expected = expected;
	request.expected_count = 2;
	compute();
	ck_assert_uint_eq(kpi.service_count, 3);
	ck_assert_str_eq(kpi.services[1].name, "mail");
	ck_assert_uint_eq(kpi.name_count, 2);
	ck_assert_str_eq(kpi.names[0], "cut on primary");
	ck_assert_ptr_null(kpi.cells[0]);		     /* db, cut: nobody thought of it */
	ck_assert_int_eq(kpi.cells[1]->state, KPI_PROVEN);   /* db, kill */
	ck_assert_ptr_null(kpi.cells[2]);		     /* mail */
	ck_assert_int_eq(kpi.cells[4]->state, KPI_NEVER);    /* web, cut: written, never run */
	ck_assert_int_eq(kpi.cells[4]->declared->rto_ns, NS_PER_S);
	ck_assert_int_eq(kpi.cells[5]->state, KPI_PROVEN);
}
END_TEST

START_TEST(test_kpi_compute_environments_are_told_apart)
{
	const struct facts_subject two[] = {
		{ .service = "db", .environment = "production", .scenario = "kill on primary",
		  .title = "", .experiment = "e1", .inventory = "i1" },
		{ .service = "db", .environment = "staging", .scenario = "kill on primary",
		  .title = "", .experiment = "e1", .inventory = "i2" },
	};

	request.subjects = two;
	request.subject_count = 2;
	add(1, 20, EXIT_MET, 1000, 1100);
	add(0, 21, EXIT_MISSED, 1000, 1100);
	compute();
	ck_assert_uint_eq(kpi.service_count, 2);
	ck_assert_int_eq(kpi.scenarios[0].state, KPI_FAILED); /* production has proven nothing */
	ck_assert_int_eq(kpi.scenarios[1].state, KPI_PROVEN);
	request.environment = "staging";
	compute();
	ck_assert_uint_eq(kpi.service_count, 1);
	ck_assert_uint_eq(kpi.run_count, 1);
	ck_assert_uint_eq(kpi.sum.counts.missed_count, 0);
}
END_TEST

/* ---- drift, flaky, months ---- */

START_TEST(test_kpi_compute_drift_is_told_only_where_the_means_do_not_meet)
{
	for (int64_t day = 0; day < 6; day++)
		add(KILL_DB, day, EXIT_MET, 3000, 3100);
	for (int64_t day = 6; day < 12; day++)
		add(KILL_DB, day, EXIT_MET, 6000, 6150);
	for (int64_t day = 0; day < 12; day++)
		add(CUT_DB, day, EXIT_MET, 3000 + day * 10, 3500 + day * 10);
	for (int64_t day = 0; day < 5; day++)
		add(KILL_WEB, day, EXIT_MET, 3000, 3100);
	compute();

	const struct kpi_drift *slower = &find_scenario("db", "kill on primary")->drift;

	ck_assert_int_eq(slower->trend, KPI_TREND_SLOWER);
	ck_assert_uint_eq(slower->recent_count, 6);
	ck_assert_uint_eq(slower->earlier_count, 6);
	span_is(slower->recent, 6000, 6150);
	span_is(slower->change, 2900, 3150);
	ck_assert_int_eq(slower->used_low_ppm, 200000); /* of 30 s */
	ck_assert_int_eq(slower->used_high_ppm, 205000);
	ck_assert_int_eq(find_scenario("db", "cut on primary")->drift.trend, KPI_TREND_LEVEL);
	ck_assert_int_eq(find_scenario("web", "kill on primary")->drift.trend, KPI_TREND_UNKNOWN);
	ck_assert_uint_eq(find_scenario("web", "kill on primary")->drift.recent_count, 5);
	ck_assert_uint_eq(find_scenario("web", "kill on primary")->drift.earlier_count, 0);
}
END_TEST

START_TEST(test_kpi_compute_drift_looks_at_the_newest_twenty)
{
	for (int64_t day = 0; day < 10; day++)
		add(KILL_DB, day, EXIT_MET, 90000, 90000);
	for (int64_t day = 10; day < 20; day++)
		add(KILL_DB, day, EXIT_MET, 6000, 6000);
	for (int64_t day = 20; day < 30; day++)
		add(KILL_DB, day, EXIT_MET, 5000, 5000);
	compute();

	const struct kpi_drift *drift = &find_scenario("db", "kill on primary")->drift;

	span_is(drift->recent, 5000, 5000);
	span_is(drift->earlier, 6000, 6000);
	span_is(drift->change, -1000, -1000);
	ck_assert_int_eq(drift->trend, KPI_TREND_FASTER);
}
END_TEST

START_TEST(test_kpi_compute_flaky_is_there_and_back_again_in_one_place)
{
	/* Twice there and back, with things between that decide nothing. */
	add(KILL_DB, 1, EXIT_MET, 1000, 1100);
	add(KILL_DB, 2, EXIT_MISSED, 1000, 1100);
	add(KILL_DB, 3, EXIT_STOPPED, 1000, 1100);
	add(KILL_DB, 4, EXIT_MET, 1000, 1100);
	/* Once: mended, or broken for good. */
	add(CUT_DB, 1, EXIT_MISSED, 1000, 1100);
	add(CUT_DB, 2, EXIT_MET, 1000, 1100);
	add(CUT_DB, 3, EXIT_MET, 1000, 1100);
	/* Another inventory is another experiment. */
	add(KILL_DB_ELSEWHERE, 5, EXIT_MISSED, 1000, 1100);
	compute();
	ck_assert_uint_eq(kpi.flaky_count, 1);
	ck_assert_str_eq(kpi.flaky[0].subject->inventory, "i1");
	ck_assert_uint_eq(kpi.flaky[0].flip_count, 2);
	ck_assert_uint_eq(kpi.flaky[0].decided_count, 3);
	ck_assert_uint_eq(kpi.flaky[0].met_count, 2);
	ck_assert_str_eq(kpi.flaky[0].last_flip->run_id, "run-04");
}
END_TEST

START_TEST(test_kpi_compute_months_begin_where_the_zone_says)
{
	struct err e = { 0 };

	/* 2026-01-31 23:30 in UTC is February in Berlin. */
	add(KILL_DB, 30, EXIT_MET, 1000, 1100)->began_wall_ns += (23 * 60 + 30) * 60 * NS_PER_S;
	add(KILL_DB, 40, EXIT_MET, 3000, 3100);
	add(KILL_WEB, 5, EXIT_MET, 7000, 7100);
	compute();
	ck_assert_uint_eq(kpi.month_count, 3);
	ck_assert_str_eq(kpi.months[0].month, "2026-01");
	ck_assert_str_eq(kpi.months[1].month, "2026-02");
	ck_assert_str_eq(kpi.services[kpi.months[2].service].name, "web");
	ck_assert_msg(zone_load("Europe/Berlin", &arena, &request.zone, &e), "%s", e.text);
	compute();
	ck_assert_uint_eq(kpi.month_count, 2);
	ck_assert_str_eq(kpi.months[0].month, "2026-02");
	ck_assert_uint_eq(kpi.months[0].sum.counts.drill_count, 2);
	span_is(kpi.months[0].sum.recovery.mean, 2000, 2100);
	ck_assert_int_eq(kpi.months[0].sum.exposure_ns, 0);
}
END_TEST

START_TEST(test_kpi_compute_month_that_comes_twice_is_one)
{
	/* In St. John's the clocks went back at 2009-11-01 00:01, to 23:01 of October. */
	const int64_t turn_ns = (INT64_C(1257033600) + 2 * 3600 + 31 * 60) * NS_PER_S;
	const int64_t minutes[] = { -31, 0, 9 };
	struct err e = { 0 };

	for (size_t i = 0; i < 3; i++)
		add(KILL_DB, 0, EXIT_MET, 1000, 1100)->began_wall_ns =
			turn_ns + minutes[i] * 60 * NS_PER_S - (i == 1 ? 30 * NS_PER_S : 0);
	ck_assert_msg(zone_load("America/St_Johns", &arena, &request.zone, &e), "%s", e.text);
	compute();
	ck_assert_uint_eq(kpi.month_count, 2);
	ck_assert_str_eq(kpi.months[0].month, "2009-10");
	ck_assert_uint_eq(kpi.months[0].sum.counts.drill_count, 2);
	ck_assert_str_eq(kpi.months[1].month, "2009-11");
}
END_TEST

START_TEST(test_kpi_compute_order_of_the_rows_does_not_matter)
{
	struct run_facts turned[RUNS_MOST];

	add(KILL_DB, 1, EXIT_MET, 1000, 1100);
	add(KILL_DB, 2, EXIT_MISSED, 2000, 2100);
	add(KILL_DB, 3, EXIT_MET, 3000, 3100);
	add(KILL_DB, 4, EXIT_MISSED, 4000, 4100);
	for (size_t i = 0; i < run_count; i++)
		turned[i] = runs[run_count - 1 - i];
	request.runs = turned;
	compute();
	ck_assert_int_eq(kpi.scenarios[0].state, KPI_FAILED);
	ck_assert_str_eq(kpi.scenarios[0].last->run_id, "run-04");
	ck_assert_uint_eq(kpi.flaky[0].flip_count, 3);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(kpi.points[i].run->rto.low_ns, (int64_t)(i + 1) * NS_PER_S);
}
END_TEST

void suite_kpi(Suite *suite)
{
	TCase *tcase = tcase_create("kpi");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_kpi_compute_without_runs_has_no_row_and_no_number);
	tcase_add_test(tcase, test_kpi_compute_every_run_is_counted_once);
	tcase_add_test(tcase, test_kpi_compute_mean_time_to_recover_is_a_mean_of_spans);
	tcase_add_test(tcase, test_kpi_compute_best_and_worst_of_crossing_spans_contain_the_truth);
	tcase_add_test(tcase, test_kpi_compute_what_is_no_recovery_is_counted_and_in_no_mean);
	tcase_add_test(tcase, test_kpi_mean_rounds_outwards_and_never_overflows);
	tcase_add_test(tcase, test_kpi_compute_shares_have_the_exact_bounds_of_their_counts);
	tcase_add_test(tcase, test_kpi_compute_open_drills_count_against_us_below_and_for_us_above);
	tcase_add_test(tcase, test_kpi_compute_run_cut_short_keeps_its_miss_and_loses_its_proof);
	tcase_add_test(tcase, test_kpi_compute_losses_are_added_up_where_they_are_known);
	tcase_add_test(tcase, test_kpi_compute_between_failed_runs_states_what_it_is_over);
	tcase_add_test(tcase, test_kpi_compute_state_is_that_of_the_last_decision);
	tcase_add_test(tcase, test_kpi_compute_proof_becomes_stale_the_moment_the_window_is_over);
	tcase_add_test(tcase, test_kpi_compute_since_narrows_the_numbers_and_not_the_proof);
	tcase_add_test(tcase, test_kpi_compute_matrix_has_a_cell_for_every_service_and_scenario);
	tcase_add_test(tcase, test_kpi_compute_environments_are_told_apart);
	tcase_add_test(tcase, test_kpi_compute_drift_is_told_only_where_the_means_do_not_meet);
	tcase_add_test(tcase, test_kpi_compute_drift_looks_at_the_newest_twenty);
	tcase_add_test(tcase, test_kpi_compute_flaky_is_there_and_back_again_in_one_place);
	tcase_add_test(tcase, test_kpi_compute_months_begin_where_the_zone_says);
	tcase_add_test(tcase, test_kpi_compute_month_that_comes_twice_is_one);
	tcase_add_test(tcase, test_kpi_compute_order_of_the_rows_does_not_matter);
	suite_add_tcase(suite, tcase);
}
