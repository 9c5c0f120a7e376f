/*
 * test_judge.c - verdicts: each objective by its rules. The run's exit code is in test_judge_run.c.
 */
#include "engine/measure.h"
#include "fixtures/court.h"
#include "tests/suites.h"

#include <string.h>

static void expect_row(const struct court *court, size_t i, const char *name, enum verdict verdict,
		       const char *observed)
{
	ck_assert_uint_lt(i, court->row_count);
	ck_assert_str_eq(court->rows[i].name, name);
	ck_assert_msg(court->rows[i].verdict == verdict, "%s is %s: %s", name,
		      verdict_name(court->rows[i].verdict), court->rows[i].reason);
	ck_assert_str_eq(court->rows[i].observed, observed);
	ck_assert_ptr_nonnull(court->rows[i].reason);
	ck_assert_ptr_nonnull(court->rows[i].target);
	ck_assert_ptr_nonnull(court->rows[i].margin);
	ck_assert((court->rows[i].advice != NULL) == (verdict == VERDICT_INCONCLUSIVE));
}

/* ---- rto ---- */

struct rto_row {
	const char *name;
	const char *slots;
	int64_t target_ms;
	enum verdict verdict;
	const char *observed;
	const char *margin;
	const char *advice; /* its beginning; NULL: none */
	enum run_exit code;
	const char *sentence;
};

static const struct rto_row rto_rows[] = {
	{ "within the target", "g*10 b*5 g*20", 111, VERDICT_MET, "85 ms to 111 ms", "0 s", NULL,
	  EXIT_MET, "Recovered in 85 ms to 111 ms, target 111 ms." },
	{ "beyond the target", "g*10 b*5 g*20", 84, VERDICT_MISSED, "85 ms to 111 ms", "-1 ms",
	  NULL, EXIT_MISSED, "Recovered in 85 ms to 111 ms, target 84 ms; missed: rto." },
	{ "the target inside the span, at its low edge", "g*10 b*5 g*20", 85, VERDICT_INCONCLUSIVE,
	  "85 ms to 111 ms", "", "Probe every 2ms or less.", EXIT_INCONCLUSIVE,
	  "Recovered in 85 ms to 111 ms, target 85 ms; inconclusive: rto." },
	{ "the target inside the span, at its high edge", "g*10 b*5 g*20", 110,
	  VERDICT_INCONCLUSIVE, "85 ms to 111 ms", "", "Probe every 2ms or less.",
	  EXIT_INCONCLUSIVE, "Recovered in 85 ms to 111 ms, target 110 ms; inconclusive: rto." },
	{ "no outage", "g*40", 30000, VERDICT_MET, "no outage seen at every=20ms", "29.9 s", NULL,
	  EXIT_MET, "No outage seen at every=20ms, target 30 s." },
	{ "no outage, and none was promised", "g*40", 0, VERDICT_MET,
	  "no outage seen at every=20ms", "0 s", NULL, EXIT_MET,
	  "No outage seen at every=20ms, target 0 s." },
	{ "no outage, but the target is shorter than a slot", "g*40", 10, VERDICT_INCONCLUSIVE,
	  "no outage seen at every=20ms", "", "Probe more often", EXIT_INCONCLUSIVE,
	  "No outage seen at every=20ms, target 10 ms; inconclusive: rto." },
	{ "never recovered", "g*10 b*60", 1000, VERDICT_MISSED,
	  "never recovered (down at least 1.18 s)", "-185 ms", NULL, EXIT_MISSED,
	  "Never recovered: `reads` was down for at least 1.18 s, target 1 s; missed: rto." },
	{ "down at the end, but watched for less than the target", "g*10 b*30", 1000,
	  VERDICT_INCONCLUSIVE, "never recovered (down at least 585 ms)", "",
	  "Let `observe.at_most` be 1.20 s or more.", EXIT_INCONCLUSIVE,
	  "Never recovered: `reads` was down for at least 585 ms, target 1 s; inconclusive: rto." },
	{ "more than one slot in a hundred skipped", "g*10 b*5 g*90 s*2 g*20", 30000,
	  VERDICT_INCONCLUSIVE, "85 ms to 111 ms", "", "Probe more often", EXIT_INCONCLUSIVE,
	  "Recovered in 85 ms to 111 ms, target 30 s; inconclusive: rto." },
	{ "skipped slots cannot hide a miss", "g*10 b*5 s*20 g*20", 50, VERDICT_MISSED,
	  "85 ms to 511 ms", "-35 ms", NULL, EXIT_MISSED,
	  "Recovered in 85 ms to 511 ms, target 50 ms; missed: rto." },
	{ "one slot in a hundred skipped", "g*10 b*5 g*90 s g*20", 30000, VERDICT_MET,
	  "85 ms to 111 ms", "29.8 s", NULL, EXIT_MET,
	  "Recovered in 85 ms to 111 ms, target 30 s." },
	{ "a hole longer than the target, where no outage was seen", "g*20 .*30 g*20", 500,
	  VERDICT_INCONCLUSIVE, "no outage seen at every=20ms", "", "Probe more often",
	  EXIT_INCONCLUSIVE, "No outage seen at every=20ms, target 500 ms; inconclusive: rto." },
	{ "a hole shorter than the target", "g*20 .*20 g*20", 500, VERDICT_MET,
	  "no outage seen at every=20ms", "480 ms", NULL, EXIT_MET,
	  "No outage seen at every=20ms, target 500 ms." },
	{ "a hole longer than the target at the end", "g*20 s .*30", 500, VERDICT_INCONCLUSIVE,
	  "no outage seen at every=20ms", "", "Probe more often", EXIT_INCONCLUSIVE,
	  "No outage seen at every=20ms, target 500 ms; inconclusive: rto." },
	{ "slots sent after a standstill of this machine are no looks", "g*20 g@600*30 g*20", 500,
	  VERDICT_INCONCLUSIVE, "no outage seen at every=20ms", "", "Probe more often",
	  EXIT_INCONCLUSIVE, "No outage seen at every=20ms, target 500 ms; inconclusive: rto." },
	{ "late, but still in their own slots", "g*20 g@19*30 g*20", 500, VERDICT_MET,
	  "no outage seen at every=20ms", "480 ms", NULL, EXIT_MET,
	  "No outage seen at every=20ms, target 500 ms." },
	{ "a standstill shorter than the target", "g*20 g@400*20 g*20", 500, VERDICT_MET,
	  "no outage seen at every=20ms", "480 ms", NULL, EXIT_MET,
	  "No outage seen at every=20ms, target 500 ms." },
	{ "a standstill in the stable stretch", "g*10 b*5 g g@500*25 g*20", 300,
	  VERDICT_INCONCLUSIVE, "85 ms to 111 ms", "", "Probe more often", EXIT_INCONCLUSIVE,
	  "Recovered in 85 ms to 111 ms, target 300 ms; inconclusive: rto." },
	{ "nothing seen after the fault", "g*9 .*30", 500, VERDICT_INCONCLUSIVE, "not measured", "",
	  "Give the service a required probe.", EXIT_INCONCLUSIVE, "Inconclusive: rto." },
};

enum { RTO_ROWS = sizeof rto_rows / sizeof rto_rows[0] };

START_TEST(test_judge_objectives_rto_by_each_rule)
{
	const struct rto_row *row = &rto_rows[_i];
	struct court court;

	court_open(&court, row->slots);
	court_say_ordinary_run(&court);
	court_promise_rto(&court, row->target_ms);
	court_judge(&court);
	expect_row(&court, 0, "rto", row->verdict, row->observed);
	ck_assert_msg(strcmp(court.rows[0].margin, row->margin) == 0, "%s: margin %s", row->name,
		      court.rows[0].margin);
	if (row->advice != NULL)
		ck_assert_msg(strncmp(court.rows[0].advice, row->advice, strlen(row->advice)) == 0,
			      "%s: %s", row->name, court.rows[0].advice);
	ck_assert_msg(court.outcome.exit_code == row->code, "%s: exit %d", row->name,
		      court.outcome.exit_code);
	ck_assert_str_eq(court.outcome.sentence, row->sentence);
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_rto_says_when_the_service_was_down_again)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*20 b*10 g*20");
	court_say_ordinary_run(&court);
	court_promise_rto(&court, 30000);
	court_judge(&court);
	expect_row(&court, 0, "rto", VERDICT_MET, "85 ms to 111 ms");
	ck_assert_ptr_nonnull(strstr(court.rows[0].reason, "down again later"));
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_rto_wide_fault_is_what_advice_speaks_of)
{
	struct court court;

	court_open(&court, "g*10 b*50 g*20");
	court_say_ordinary_run(&court);
	court_promise_rto(&court, 800);
	court.request.fault = timeline_fault(190, 690);
	court_judge(&court);
	expect_row(&court, 0, "rto", VERDICT_INCONCLUSIVE, "490 ms to 1.02 s");
	ck_assert_ptr_nonnull(strstr(court.rows[0].advice, "moment of the fault"));
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_rto_without_steps_is_inconclusive)
{
	struct court court;

	court_open(&court, "g*40");
	court.experiment.step_count = 0;
	court.request.fault = (struct span){ 0 };
	court_promise_rto(&court, 1000);
	court_judge(&court);
	expect_row(&court, 0, "rto", VERDICT_INCONCLUSIVE, "not measured");
	ck_assert_int_eq(court.outcome.exit_code, EXIT_INCONCLUSIVE);
	arena_release(&court.arena);
}
END_TEST

/* ---- rpo ---- */

static void promise_rpo(struct court *court, int64_t target_ms)
{
	court->experiment.objectives.has_rpo = true;
	court->experiment.objectives.rpo_ns = target_ms * NS_PER_MS;
	court->request.ledger_count = 1;
	court->ledger.probe = "writes";
}

static struct ledger_count_result counted(uint64_t lost, int64_t low_ms, int64_t high_ms)
{
	return (struct ledger_count_result){
		.was_counted = true,
		.is_readable = true,
		.classes = { .attempted = 1030,
			     .acknowledged = 1024,
			     .ok = 1024 - lost,
			     .lost = lost },
		.rpo = { low_ms * NS_PER_MS, high_ms * NS_PER_MS },
	};
}

struct rpo_row {
	const char *name;
	int64_t target_ms;
	struct {
		uint64_t lost;
		int64_t low_ms;
		int64_t high_ms;
		bool is_missing, is_unreadable;
	} stable, healed;
	enum verdict verdict;
	const char *observed;
	const char *part; /* of the reason */
};

static const struct rpo_row rpo_rows[] = {
	{ "nothing lost",
	  0,
	  { 0 },
	  { 0 },
	  VERDICT_MET,
	  "0 s; 1,024 acknowledged writes, none lost",
	  "no acknowledged write is lost" },
	{ "lost once the old primary woke up",
	  0,
	  { 0 },
	  { .lost = 466, .low_ms = 9000, .high_ms = 9020 },
	  VERDICT_MISSED,
	  "9 s to 9.02 s; 466 of 1,024 acknowledged writes lost",
	  "466 of 1,024" },
	{ "a loss is a miss of 0 s, however short",
	  0,
	  { .lost = 1, .low_ms = 0, .high_ms = 20 },
	  { 0 },
	  VERDICT_MISSED,
	  "0 s to 20 ms; 1 of 1,024 acknowledged writes lost",
	  "1 of 1,024" },
	{ "less than the target",
	  5000,
	  { .lost = 3, .low_ms = 4000, .high_ms = 4020 },
	  { 0 },
	  VERDICT_MET,
	  "4 s to 4.02 s; 3 of 1,024 acknowledged writes lost",
	  "newer than the target" },
	{ "the target inside the span",
	  4010,
	  { .lost = 3, .low_ms = 4000, .high_ms = 4020 },
	  { 0 },
	  VERDICT_INCONCLUSIVE,
	  "4 s to 4.02 s; 3 of 1,024 acknowledged writes lost",
	  "inside the span" },
	{ "fewer losses, but further back",
	  1000,
	  { .lost = 3, .low_ms = 10, .high_ms = 20 },
	  { .lost = 1, .low_ms = 5000, .high_ms = 5020 },
	  VERDICT_MISSED,
	  "5 s to 5.02 s; 1 of 1,024 acknowledged writes lost",
	  "1 of 1,024" },
	{ "not counted after the heal",
	  0,
	  { 0 },
	  { .is_missing = true },
	  VERDICT_INCONCLUSIVE,
	  "0 s; 1,024 acknowledged writes, none lost",
	  "was not counted after the heal" },
	{ "unreadable after the heal",
	  0,
	  { 0 },
	  { .is_unreadable = true },
	  VERDICT_INCONCLUSIVE,
	  "0 s; 1,024 acknowledged writes, none lost",
	  "could not be read after the heal: refused" },
	{ "unreadable after the heal, but the loss was seen before",
	  0,
	  { .lost = 7, .low_ms = 100, .high_ms = 120 },
	  { .is_unreadable = true },
	  VERDICT_MISSED,
	  "100 ms to 120 ms; 7 of 1,024 acknowledged writes lost",
	  "7 of 1,024" },
	{ "never readable",
	  0,
	  { .is_unreadable = true },
	  { .is_unreadable = true },
	  VERDICT_INCONCLUSIVE,
	  "not known",
	  "could not be read once the service was stable" },
};

enum { RPO_ROWS = sizeof rpo_rows / sizeof rpo_rows[0] };

START_TEST(test_judge_objectives_rpo_by_each_rule)
{
	const struct rpo_row *row = &rpo_rows[_i];
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say_ordinary_run(&court);
	promise_rpo(&court, row->target_ms);
	court.ledger.stable = counted(row->stable.lost, row->stable.low_ms, row->stable.high_ms);
	court.ledger.healed = counted(row->healed.lost, row->healed.low_ms, row->healed.high_ms);
	court.ledger.stable.is_readable = !row->stable.is_unreadable;
	court.ledger.healed.is_readable = !row->healed.is_unreadable;
	court.ledger.healed.was_counted = !row->healed.is_missing;
	court.ledger.healed.error = "refused";
	measure_ledger_worse(&court.ledger);
	court_judge(&court);
	expect_row(&court, 0, "rpo", row->verdict, row->observed);
	ck_assert_msg(strcasestr(court.rows[0].reason, row->part) != NULL, "%s: %s", row->name,
		      court.rows[0].reason);
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_rpo_without_ledger_or_acknowledgement_is_inconclusive)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say_ordinary_run(&court);
	promise_rpo(&court, 0);
	court.request.ledger_count = 0;
	court_judge(&court);
	expect_row(&court, 0, "rpo", VERDICT_INCONCLUSIVE, "not known");

	court.request.ledger_count = 1;
	court.ledger.stable = counted(0, 0, 0);
	court.ledger.stable.classes.acknowledged = 0;
	court.ledger.healed = court.ledger.stable;
	measure_ledger_worse(&court.ledger);
	court_judge(&court);
	expect_row(&court, 0, "rpo", VERDICT_INCONCLUSIVE, "0 s; 0 acknowledged writes, none lost");
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_loss_is_missed_even_when_the_fault_is_unconfirmed)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say_ordinary_run(&court);
	court_say(&court, EVENT_UNKNOWN, PHASE_INJECT, "db1", "no answer");
	promise_rpo(&court, 0);
	court.ledger.stable = counted(466, 9000, 9020);
	court.ledger.healed = counted(466, 9000, 9020);
	measure_ledger_worse(&court.ledger);
	court_judge(&court);
	ck_assert_int_eq(court.rows[0].verdict, VERDICT_MISSED);
	ck_assert_int_eq(court.outcome.exit_code, EXIT_MISSED);
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_run_sentence_tells_recovery_and_losses)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say_ordinary_run(&court);
	court_promise_rto(&court, 30000);
	promise_rpo(&court, 0);
	court.ledger.stable = counted(0, 0, 0);
	court.ledger.healed = counted(0, 0, 0);
	measure_ledger_worse(&court.ledger);
	court_judge(&court);
	ck_assert_str_eq(court.outcome.sentence, "Recovered in 85 ms to 111 ms, target 30 s; "
						 "1,024 acknowledged writes, none lost.");
	court.ledger.healed = counted(466, 9000, 9020);
	court.ledger.healed.classes.corrupted = 2;
	measure_ledger_worse(&court.ledger);
	court_judge(&court);
	ck_assert_str_eq(court.outcome.sentence,
			 "Recovered in 85 ms to 111 ms, target 30 s; 466 of 1,024 acknowledged "
			 "writes lost, 2 corrupted; missed: rpo.");
	arena_release(&court.arena);
}
END_TEST

/* ---- availability, checks, steady state ---- */

START_TEST(test_judge_objectives_availability_is_judged_by_its_bounds)
{
	static const struct {
		int64_t target_ppm;
		enum verdict verdict;
		const char *margin;
	} rows[] = {
		{ 750000, VERDICT_MET, "0 %" },
		{ 750001, VERDICT_INCONCLUSIVE, "" },
		{ 875000, VERDICT_INCONCLUSIVE, "" },
		{ 880000, VERDICT_MISSED, "-0.5 %" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct court court;

		court_open(&court, "g*10 b*5 s*3 .*2 g*30");
		court_say_ordinary_run(&court);
		court.experiment.objectives.has_availability = true;
		court.experiment.objectives.availability_ppm = rows[i].target_ppm;
		court_judge(&court);
		expect_row(&court, 0, "availability", rows[i].verdict, "75 % to 87.5 %");
		ck_assert_str_eq(court.rows[0].margin, rows[i].margin);
		arena_release(&court.arena);
	}
}
END_TEST

START_TEST(test_judge_objectives_availability_without_required_probe_is_inconclusive)
{
	struct court court;

	court_open(&court, "g*40");
	court_say_ordinary_run(&court);
	court.experiment.objectives.has_availability = true;
	court.request.probe_count = 0;
	court_judge(&court);
	expect_row(&court, 0, "availability", VERDICT_INCONCLUSIVE, "not measured");
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_checks_follow_their_events)
{
	static const struct {
		const char *data;
		enum verdict verdict;
		const char *got;
	} rows[] = {
		{ "{\"verdict\":\"met\",\"expected\":\"0\",\"got\":\"0\"}", VERDICT_MET, "0" },
		{ "{\"verdict\":\"missed\",\"expected\":\"0\",\"got\":\"17\"}", VERDICT_MISSED,
		  "17" },
		{ "{\"verdict\":\"inconclusive\",\"expected\":null,\"got\":null}",
		  VERDICT_INCONCLUSIVE, "" },
		{ "{\"verdict\":\"perhaps\"}", VERDICT_INCONCLUSIVE, "" },
		{ "[1]", VERDICT_INCONCLUSIVE, "not checked" },
		{ "{", VERDICT_INCONCLUSIVE, "not checked" },
		{ NULL, VERDICT_INCONCLUSIVE, "not checked" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct court court;

		court_open(&court, "g*10 b*5 g*20");
		court_say_ordinary_run(&court);
		court.checks[0].probe.name = "totals";
		court.experiment.check_count = 1;
		court_say(&court, EVENT_CHECK, PHASE_VALIDATE, NULL, "check `totals`: done");
		court.events[court.timeline.event_count - 1].name = "totals";
		court.events[court.timeline.event_count - 1].data = rows[i].data;
		court_judge(&court);
		expect_row(&court, 0, "check totals", rows[i].verdict, rows[i].got);
		arena_release(&court.arena);
	}
}
END_TEST

START_TEST(test_judge_objectives_check_that_was_not_made_is_inconclusive)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say_ordinary_run(&court);
	court.checks[0].probe.name = "totals";
	court.experiment.check_count = 1;
	court_judge(&court);
	expect_row(&court, 0, "check totals", VERDICT_INCONCLUSIVE, "not checked");
	ck_assert_int_eq(court.outcome.exit_code, EXIT_INCONCLUSIVE);
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_objectives_not_steady_after_the_heal_is_missed)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say_ordinary_run(&court);
	court_promise_rto(&court, 30000);
	court.events[court.timeline.event_count - 1].kind = EVENT_NOT_STEADY;
	court_judge(&court);
	expect_row(&court, 0, "rto", VERDICT_MET, "85 ms to 111 ms");
	expect_row(&court, 1, "steady state", VERDICT_MISSED, "not steady");
	ck_assert_int_eq(court.outcome.exit_code, EXIT_MISSED);
	arena_release(&court.arena);
}
END_TEST

void suite_judge(Suite *suite)
{
	TCase *tcase = tcase_create("judge");

	tcase_add_loop_test(tcase, test_judge_objectives_rto_by_each_rule, 0, RTO_ROWS);
	tcase_add_test(tcase, test_judge_objectives_rto_says_when_the_service_was_down_again);
	tcase_add_test(tcase, test_judge_objectives_rto_wide_fault_is_what_advice_speaks_of);
	tcase_add_test(tcase, test_judge_objectives_rto_without_steps_is_inconclusive);
	tcase_add_loop_test(tcase, test_judge_objectives_rpo_by_each_rule, 0, RPO_ROWS);
	tcase_add_test(tcase,
		       test_judge_objectives_rpo_without_ledger_or_acknowledgement_is_inconclusive);
	tcase_add_test(tcase,
		       test_judge_objectives_loss_is_missed_even_when_the_fault_is_unconfirmed);
	tcase_add_test(tcase, test_judge_run_sentence_tells_recovery_and_losses);
	tcase_add_test(tcase, test_judge_objectives_availability_is_judged_by_its_bounds);
	tcase_add_test(tcase,
		       test_judge_objectives_availability_without_required_probe_is_inconclusive);
	tcase_add_test(tcase, test_judge_objectives_checks_follow_their_events);
	tcase_add_test(tcase, test_judge_objectives_check_that_was_not_made_is_inconclusive);
	tcase_add_test(tcase, test_judge_objectives_not_steady_after_the_heal_is_missed);
	suite_add_tcase(suite, tcase);
}
