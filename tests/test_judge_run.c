/*
 * test_judge_run.c - the verdict of the whole run: the exit code for every combination of what can
 * hold at its end, faults that are not known to be in effect, and heals that are not known to be
 * done.
 */
#include "fixtures/court.h"
#include "tests/suites.h"

#include <string.h>

/* ---- a fault that is not known to be in effect ---- */

static const struct {
	enum event_kind kind;
	const char *part; /* of the reason */
} doubts[] = {
	{ EVENT_MISMATCH, "step 1 (process.kill) on db1 did not take effect: still running" },
	{ EVENT_UNKNOWN, "step 1 (process.kill) on db1 could not be confirmed: still running" },
	{ EVENT_INJECT_FAILED,
	  "step 1 (process.kill) on db1 could not be injected: still running" },
	{ EVENT_NONE, "step 1 (process.kill) on db1 was never confirmed" },
};

START_TEST(test_judge_run_unconfirmed_fault_is_inconclusive_even_without_objectives)
{
	struct court court;
	const bool has_objectives = _i % 2 == 1;

	court_open(&court, "g*10 b*5 g*20");
	court_say(&court, EVENT_INTENT, PHASE_INJECT, "db1", "");
	if (doubts[_i / 2].kind != EVENT_NONE)
		court_say(&court, doubts[_i / 2].kind, PHASE_INJECT, "db1", "still running");
	court_say(&court, EVENT_HEALED, PHASE_HEAL, "db1", "");
	court_say(&court, EVENT_CLEAN, PHASE_HEAL, "db1", "");
	court_say(&court, EVENT_STEADY, PHASE_SETTLE, NULL, "");
	if (has_objectives) {
		court_promise_rto(&court, 30000);
		court.experiment.objectives.has_availability = true;
	}
	court_judge(&court);
	ck_assert_uint_eq(court.row_count, has_objectives ? 2 : 0);
	for (size_t i = 0; i < court.row_count; i++)
		ck_assert_int_eq(court.rows[i].verdict, VERDICT_INCONCLUSIVE);
	ck_assert_int_eq(court.outcome.exit_code, EXIT_INCONCLUSIVE);
	ck_assert_msg(strcasestr(court.outcome.sentence, doubts[_i / 2].part) != NULL, "%s",
		      court.outcome.sentence);
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_run_later_confirmation_overrules_the_doubt)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say(&court, EVENT_INTENT, PHASE_INJECT, "db1", "");
	court_say(&court, EVENT_UNKNOWN, PHASE_INJECT, "db1", "");
	court_say(&court, EVENT_CONFIRMED, PHASE_INJECT, "db1", "");
	court_say(&court, EVENT_HEALED, PHASE_HEAL, "db1", "");
	court_say(&court, EVENT_CLEAN, PHASE_HEAL, "db1", "");
	court_say(&court, EVENT_STEADY, PHASE_SETTLE, NULL, "");
	court_promise_rto(&court, 30000);
	court_judge(&court);
	ck_assert_int_eq(court.outcome.exit_code, EXIT_MET);
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_run_second_step_that_never_came_is_inconclusive)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say_ordinary_run(&court);
	court.steps[1] = (struct step){ .index = 2, .fault = "disk.fill" };
	court.experiment.step_count = 2;
	court_promise_rto(&court, 30000);
	court_judge(&court);
	ck_assert_int_eq(court.outcome.exit_code, EXIT_INCONCLUSIVE);
	ck_assert_ptr_nonnull(
		strstr(court.rows[0].reason, "Step 2 (disk.fill) did not take place"));
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_run_one_of_two_hosts_unconfirmed_is_inconclusive)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say_ordinary_run(&court);
	court_say(&court, EVENT_INTENT, PHASE_INJECT, "db2", "");
	court_say(&court, EVENT_UNKNOWN, PHASE_INJECT, "db2", "no answer");
	court_say(&court, EVENT_HEALED, PHASE_HEAL, "db2", "");
	court_say(&court, EVENT_CLEAN, PHASE_HEAL, "db2", "");
	court_promise_rto(&court, 30000);
	court_judge(&court);
	ck_assert_int_eq(court.outcome.exit_code, EXIT_INCONCLUSIVE);
	ck_assert_ptr_nonnull(strstr(court.outcome.sentence, "on db2"));
	arena_release(&court.arena);
}
END_TEST

/* ---- every combination, and its exit code ---- */

enum { HOLDS_LEFTOVER = 1, HOLDS_FAILED = 2, HOLDS_STOPPED = 4, HOLDS_NOT_STARTED = 8 };

static const struct {
	const char *slots;
	enum verdict verdict;
	enum run_exit code;
} verdict_rows[] = {
	{ "g*10 b*5 g*20", VERDICT_MET, EXIT_MET },
	{ "g*10 b*80 g*20", VERDICT_MISSED, EXIT_MISSED },
	{ "g*10 b*35 s*10 g*20", VERDICT_INCONCLUSIVE, EXIT_INCONCLUSIVE },
};

static void say_course(struct court *court, unsigned holds)
{
	if ((holds & HOLDS_NOT_STARTED) != 0)
		court_say(court, EVENT_NOT_STEADY, PHASE_GATE, NULL,
			  "not started: `reads` was not good; nothing was harmed");
	court_say_ordinary_run(court);
	if ((holds & HOLDS_STOPPED) != 0)
		court_say(court, EVENT_SIGNAL, PHASE_OBSERVE, NULL, "stopped by signal 2 (INT)");
	if ((holds & HOLDS_FAILED) != 0)
		court_say(court, EVENT_FAILED, PHASE_MEASURE, NULL, "the store failed: disk full");
	if ((holds & HOLDS_LEFTOVER) != 0)
		court_say(court, EVENT_LEFTOVER, PHASE_HEAL, "db1", "rule still there");
}

/* Written down row by row, so that it is not the program's own order of ifs. */
static enum run_exit expected_exit(unsigned holds, enum run_exit otherwise)
{
	static const enum run_exit codes[16] = {
		[0] = EXIT_MET, /* replaced by what the objectives say */
		[HOLDS_NOT_STARTED] = EXIT_NOT_STARTED,
		[HOLDS_STOPPED] = EXIT_STOPPED,
		[HOLDS_STOPPED | HOLDS_NOT_STARTED] = EXIT_STOPPED,
		[HOLDS_FAILED] = EXIT_INTERNAL,
		[HOLDS_FAILED | HOLDS_NOT_STARTED] = EXIT_INTERNAL,
		[HOLDS_FAILED | HOLDS_STOPPED] = EXIT_INTERNAL,
		[HOLDS_FAILED | HOLDS_STOPPED | HOLDS_NOT_STARTED] = EXIT_INTERNAL,
		[1] = EXIT_LEFTOVER,
		[3] = EXIT_LEFTOVER,
		[5] = EXIT_LEFTOVER,
		[7] = EXIT_LEFTOVER,
		[9] = EXIT_LEFTOVER,
		[11] = EXIT_LEFTOVER,
		[13] = EXIT_LEFTOVER,
		[15] = EXIT_LEFTOVER,
	};

	return holds == 0 ? otherwise : codes[holds];
}

START_TEST(test_judge_run_every_combination_gives_its_exit_code)
{
	const unsigned holds = (unsigned)_i % 16;
	const enum run_exit otherwise = verdict_rows[_i / 16].code;
	struct court court;

	court_open(&court, verdict_rows[_i / 16].slots);
	say_course(&court, holds);
	court_promise_rto(&court, 800);
	court_judge(&court);
	enum verdict expected = verdict_rows[_i / 16].verdict;

	/* A run that was cut short cannot show success; a miss was seen all the same. */
	if ((holds & (HOLDS_FAILED | HOLDS_STOPPED)) != 0 && expected == VERDICT_MET)
		expected = VERDICT_INCONCLUSIVE;
	if ((holds & HOLDS_NOT_STARTED) != 0)
		expected = VERDICT_NONE;
	ck_assert_int_eq(court.rows[0].verdict, expected);
	ck_assert_int_eq(court.outcome.exit_code, expected_exit(holds, otherwise));
	ck_assert((court.outcome.verdict == VERDICT_NONE) ==
		  (court.outcome.exit_code >= EXIT_NOT_STARTED));
	ck_assert_uint_gt(strlen(court.outcome.sentence), 10);
	arena_release(&court.arena);
}
END_TEST

/* A process that was killed, an operator in a hurry: a good beginning is not a promise kept. */
START_TEST(test_judge_run_cut_short_never_says_met)
{
	static const struct {
		unsigned holds;
		const char *reason;
	} rows[] = {
		{ HOLDS_FAILED, "The run did not go to its end: the store failed: disk full." },
		{ HOLDS_STOPPED, "The run did not go to its end: stopped by signal 2 (INT)." },
	};
	struct court court;

	court_open(&court, "g*40");
	say_course(&court, rows[_i].holds);
	court_promise_rto(&court, 30000);
	court.experiment.objectives.has_availability = true;
	court.experiment.objectives.availability_ppm = 100000;
	court_judge(&court);
	ck_assert_uint_eq(court.row_count, 2);
	for (size_t i = 0; i < court.row_count; i++) {
		ck_assert_int_eq(court.rows[i].verdict, VERDICT_INCONCLUSIVE);
		ck_assert_str_eq(court.rows[i].reason, rows[_i].reason);
		ck_assert_str_eq(court.rows[i].advice, "Run it again, to its end.");
		ck_assert_ptr_nonnull(strstr(court.rows[i].observed, ", until it was cut short"));
		ck_assert_str_eq(court.rows[i].margin, "");
	}
	arena_release(&court.arena);
}
END_TEST

/* What came later could not have undone the long outage, but it could have raised the shares. */
START_TEST(test_judge_run_cut_short_keeps_only_misses_that_nothing_could_undo)
{
	struct court court;

	court_open(&court, "g*10 b*30 g*12");
	say_course(&court, HOLDS_STOPPED);
	court_promise_rto(&court, 100);
	court.experiment.objectives.has_availability = true;
	court.experiment.objectives.availability_ppm = 999000;
	court.experiment.objectives.latency.during_ns[PERCENTILE_P50] = 100 * NS_PER_MS;
	court.experiment.objectives.latency.during_ns[PERCENTILE_MAX] = 100 * NS_PER_MS;
	court.experiment.objectives.error_rate =
		(struct share_objective){ .has_during = true, .during_ppm = 10000 };
	court_judge(&court);

	static const struct {
		const char *name;
		enum verdict verdict;
	} rows[] = {
		{ "rto", VERDICT_MISSED },
		{ "availability", VERDICT_INCONCLUSIVE },
		{ "latency p50 during", VERDICT_INCONCLUSIVE },
		{ "latency max during", VERDICT_MISSED },
		{ "error rate during", VERDICT_INCONCLUSIVE },
	};

	ck_assert_uint_eq(court.row_count, sizeof rows / sizeof rows[0]);
	for (size_t i = 0; i < court.row_count; i++) {
		ck_assert_str_eq(court.rows[i].name, rows[i].name);
		ck_assert_msg(court.rows[i].verdict == rows[i].verdict, "%s: %s: %s",
			      rows[i].name, verdict_name(court.rows[i].verdict),
			      court.rows[i].reason);
		ck_assert_str_ne(court.rows[i].observed, "not measured"); /* how far it had come */
	}
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_run_sentences_of_runs_that_did_not_end_well)
{
	static const struct {
		unsigned holds;
		const char *sentence;
	} rows[] = {
		{ HOLDS_LEFTOVER,
		  "Left unhealed: step 1 (process.kill) on db1 left something behind: "
		  "rule still there. Run `firedrill heal 20261121-102030-k3f9`." },
		{ HOLDS_FAILED, "Failed: the store failed: disk full." },
		{ HOLDS_STOPPED, "Stopped by signal 2 (INT); everything is healed." },
		{ HOLDS_NOT_STARTED, "Not started: `reads` was not good; nothing was harmed." },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct court court;

		court_open(&court, "g*10 b*5 g*20");
		say_course(&court, rows[i].holds);
		court_judge(&court);
		ck_assert_str_eq(court.outcome.sentence, rows[i].sentence);
		arena_release(&court.arena);
	}
}
END_TEST

/* ---- heals ---- */

struct heal_row {
	const char *name;
	enum event_kind kinds[6]; /* after INTENT and CONFIRMED */
	enum run_exit code;
};

static const struct heal_row heal_rows[] = {
	{ "healed and read back", { EVENT_HEALED, EVENT_CLEAN }, EXIT_MET },
	{ "never healed", { EVENT_NONE }, EXIT_LEFTOVER },
	{ "heal failed", { EVENT_HEAL_FAILED }, EXIT_LEFTOVER },
	{ "heal failed, then worked", { EVENT_HEAL_FAILED, EVENT_HEALED, EVENT_CLEAN }, EXIT_MET },
	{ "heal failed, then was found as before", { EVENT_HEAL_FAILED, EVENT_CLEAN }, EXIT_MET },
	{ "leftover", { EVENT_HEALED, EVENT_LEFTOVER }, EXIT_LEFTOVER },
	{ "leftover, healed again, not read back",
	  { EVENT_HEALED, EVENT_LEFTOVER, EVENT_HEALED },
	  EXIT_LEFTOVER },
	{ "leftover, healed again, read back",
	  { EVENT_HEALED, EVENT_LEFTOVER, EVENT_HEALED, EVENT_CLEAN },
	  EXIT_MET },
	{ "healed, but nobody looked", { EVENT_HEALED }, EXIT_INCONCLUSIVE },
	{ "healed, then a second heal failed",
	  { EVENT_HEALED, EVENT_CLEAN, EVENT_HEAL_FAILED },
	  EXIT_LEFTOVER },
};

START_TEST(test_judge_run_heals_decide_what_is_left)
{
	const struct heal_row *row = &heal_rows[_i];
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_promise_rto(&court, 30000);
	court_say(&court, EVENT_INTENT, PHASE_INJECT, "db1", "");
	court_say(&court, EVENT_CONFIRMED, PHASE_INJECT, "db1", "");
	for (size_t i = 0; row->kinds[i] != EVENT_NONE; i++)
		court_say(&court, row->kinds[i], PHASE_HEAL, "db1", "");
	court_say(&court, EVENT_STEADY, PHASE_SETTLE, NULL, "");
	court_judge(&court);
	ck_assert_msg(court.outcome.exit_code == row->code, "%s: exit %d: %s", row->name,
		      court.outcome.exit_code, court.outcome.sentence);
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_run_two_hosts_left_are_counted)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say(&court, EVENT_INTENT, PHASE_INJECT, "db1", "");
	court_say(&court, EVENT_INTENT, PHASE_INJECT, "db2", "");
	court_say(&court, EVENT_HEAL_FAILED, PHASE_HEAL, "db2", "no route");
	court_say(&court, EVENT_HEAL_FAILED, PHASE_HEAL, "db1", "no route");
	court_judge(&court);
	ck_assert_int_eq(court.outcome.exit_code, EXIT_LEFTOVER);
	ck_assert_str_eq(
		court.outcome.sentence,
		"Left unhealed: step 1 (process.kill) on db1 could not be healed: no route "
		"(and 1 more). Run `firedrill heal 20261121-102030-k3f9`.");
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_run_that_never_settled_is_inconclusive)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say_ordinary_run(&court);
	court.timeline.event_count--; /* without the STEADY of the settle phase */
	court_promise_rto(&court, 30000);
	court_judge(&court);
	ck_assert_int_eq(court.rows[0].verdict, VERDICT_MET);
	ck_assert_int_eq(court.outcome.exit_code, EXIT_INCONCLUSIVE);
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_run_without_objectives_says_so)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*20");
	court_say_ordinary_run(&court);
	court_judge(&court);
	ck_assert_int_eq(court.outcome.exit_code, EXIT_MET);
	ck_assert_str_eq(court.outcome.sentence,
			 "Recovered in 85 ms to 111 ms; no objective was declared.");
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_run_stopped_before_any_harm_says_so)
{
	struct court court;

	court_open(&court, "g*40");
	court_say(&court, EVENT_STOP, PHASE_BASELINE, NULL,
		  "the run took longer than run_at_most: 5 s");
	court_judge(&court);
	ck_assert_int_eq(court.outcome.exit_code, EXIT_STOPPED);
	ck_assert_str_eq(court.outcome.sentence,
			 "Stopped: the run took longer than run_at_most: 5 s; "
			 "nothing was harmed.");
	arena_release(&court.arena);
}
END_TEST

void suite_judge_run(Suite *suite)
{
	TCase *tcase = tcase_create("judge_run");

	tcase_add_loop_test(
		tcase, test_judge_run_unconfirmed_fault_is_inconclusive_even_without_objectives, 0,
		2 * (int)(sizeof doubts / sizeof doubts[0]));
	tcase_add_test(tcase, test_judge_run_later_confirmation_overrules_the_doubt);
	tcase_add_test(tcase, test_judge_run_second_step_that_never_came_is_inconclusive);
	tcase_add_test(tcase, test_judge_run_one_of_two_hosts_unconfirmed_is_inconclusive);
	tcase_add_loop_test(tcase, test_judge_run_every_combination_gives_its_exit_code, 0, 48);
	tcase_add_loop_test(tcase, test_judge_run_cut_short_never_says_met, 0, 2);
	tcase_add_test(tcase, test_judge_run_cut_short_keeps_only_misses_that_nothing_could_undo);
	tcase_add_test(tcase, test_judge_run_sentences_of_runs_that_did_not_end_well);
	tcase_add_loop_test(tcase, test_judge_run_heals_decide_what_is_left, 0,
			    (int)(sizeof heal_rows / sizeof heal_rows[0]));
	tcase_add_test(tcase, test_judge_run_two_hosts_left_are_counted);
	tcase_add_test(tcase, test_judge_run_that_never_settled_is_inconclusive);
	tcase_add_test(tcase, test_judge_run_without_objectives_says_so);
	tcase_add_test(tcase, test_judge_run_stopped_before_any_harm_says_so);
	suite_add_tcase(suite, tcase);
}
