/*
 * test_run.c - whole drills on paper: simulated clock, scripted hosts, a service that fails as told.
 *
 * Every way a run can end, a failure and a crash of ours at every single command, and what `heal`
 * finds afterwards. Nothing here waits for real time.
 */
#include "fixtures/paper_world.h"
#include "tests/suites.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void expect(const struct sim_script *script, enum run_exit exit_code, enum verdict verdict)
{
	struct world world = { .interrupt_in = PHASE_NONE };

	world_open(&world, script);
	world_run_ok(&world);
	ck_assert_msg(world.outcome.exit_code == exit_code, "exit %d: %s",
		      (int)world.outcome.exit_code, world.outcome.sentence);
	ck_assert_int_eq(world.outcome.verdict, verdict);
	ck_assert_uint_eq(world_open_heals(&world), 0);
	world_close(&world);
}

START_TEST(test_run_experiment_recovery_in_time_is_met)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S };

	expect(&script, EXIT_MET, VERDICT_MET);
}
END_TEST

START_TEST(test_run_experiment_recovery_too_late_is_missed)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 12 * NS_PER_S };

	expect(&script, EXIT_MISSED, VERDICT_MISSED);
}
END_TEST

START_TEST(test_run_experiment_without_recovery_is_missed_and_healed)
{
	const struct sim_script script = { .down_on = STOP_ON, .up_on = HEAL_ON };

	expect(&script, EXIT_MISSED, VERDICT_MISSED);
}
END_TEST

START_TEST(test_run_experiment_fault_without_effect_is_no_outage)
{
	const struct sim_script script = { .down_on = NULL };

	expect(&script, EXIT_MET, VERDICT_MET);
}
END_TEST

START_TEST(test_run_experiment_lost_writes_are_missed)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S,
					   .lost_from_slot = 100, .lost_until_slot = 142 };

	expect(&script, EXIT_MISSED, VERDICT_MISSED);
}
END_TEST

START_TEST(test_run_experiment_late_rows_are_not_lost)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S,
					   .late_rows = 50 };

	expect(&script, EXIT_MET, VERDICT_MET);
}
END_TEST

START_TEST(test_run_experiment_unreadable_ledger_is_inconclusive)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S,
					   .is_unreadable = true };

	expect(&script, EXIT_INCONCLUSIVE, VERDICT_INCONCLUSIVE);
}
END_TEST

/* Whatever the service did meanwhile, nobody looked: that is not "no outage seen", and not met. */
START_TEST(test_run_experiment_machine_of_the_harness_stood_still_is_inconclusive)
{
	const struct sim_script script = { .down_on = NULL, .still_on = STOP_ON,
					   .still_for_ns = 12 * NS_PER_S };

	expect(&script, EXIT_INCONCLUSIVE, VERDICT_INCONCLUSIVE);
}
END_TEST

START_TEST(test_run_experiment_without_steady_state_harms_nothing)
{
	const struct sim_script script = { .is_down_from_start = true };
	struct world world = { .interrupt_in = PHASE_NONE };

	world_open(&world, &script);
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_NOT_STARTED);
	ck_assert_uint_eq(fake_script_count(world.hosts, NULL, STOP_ON), 0);
	world_close(&world);
}
END_TEST

START_TEST(test_run_experiment_unreachable_host_is_not_started)
{
	const struct sim_script script = { .down_on = NULL };
	const struct fake_rule rule = { .host = "h2", .command = FAKE_OPEN, .end = FAKE_UNREACHABLE };
	struct world world = { .interrupt_in = PHASE_NONE };

	world_open(&world, &script);
	fake_script_add(world.hosts, &rule);
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_NOT_STARTED);
	world_close(&world);
}
END_TEST

#define THROUGH_SUDO ", user: drill, sudo: true"
#define ASKS .exit_status = 1, .err = "sudo: a password is required\n"

/* Names of scripts travel, and their texts do not. */
START_TEST(test_run_experiment_through_sudo_says_names_only)
{
	const struct sim_script script = { .down_on = "process.pause/inject",
					   .down_for_ns = 2 * NS_PER_S };
	struct world world = { .interrupt_in = PHASE_NONE, .login = THROUGH_SUDO };

	world_open(&world, &script);
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_MET);
	ck_assert_uint_eq(world_open_heals(&world), 0);
	ck_assert_uint_gt(fake_script_count(world.hosts, "h1", "guard/heal"), 0);
	ck_assert_uint_eq(fake_script_count(world.hosts, NULL, "set -u"), 0);
	world_close(&world);
}
END_TEST

/* The other host may be hit as well, so its helper is asked too. */
START_TEST(test_run_experiment_whose_helper_refuses_is_not_started)
{
	static const struct fake_rule rules[] = {
		{ .host = "h1", .command = "sudo -n", ASKS },
		{ .host = "h2", .command = "sudo -n", ASKS },
		{ .host = "h2", .command = "process.pause/read", .exit_status = 10,
		  .err = "firedrill-helper: it may do process.pause on h2, but not with these words\n" },
		{ .host = "h2", .command = "process.pause/examine",
		  .out = "tac is not installed there; install coreutils\n" },
	};
	const struct sim_script script = { .down_on = NULL };
	struct world world = { .interrupt_in = PHASE_NONE, .login = THROUGH_SUDO };

	world_open(&world, &script);
	fake_script_add(world.hosts, &rules[_i]);
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_NOT_STARTED);
	ck_assert_uint_eq(fake_script_count(world.hosts, NULL, "guard/arm"), 0);
	world_close(&world);
}
END_TEST

static void ask_from_now_on(struct world *world, const struct event *event)
{
	static const struct fake_rule asks = { .command = "sudo -n", ASKS };

	if (event->kind == EVENT_CONFIRMED)
		fake_script_add(world->hosts, &asks);
}

START_TEST(test_run_experiment_sudo_that_begins_to_ask_is_a_leftover)
{
	const struct sim_script script = { .down_on = "process.pause/inject",
					   .down_for_ns = 2 * NS_PER_S };
	struct world world = { .interrupt_in = PHASE_NONE, .login = THROUGH_SUDO,
			       .on_event = ask_from_now_on };

	world_open(&world, &script);
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_LEFTOVER);
	ck_assert_uint_eq(world_open_heals(&world), 1);
	world_close(&world);
}
END_TEST

START_TEST(test_run_experiment_unconfirmed_fault_is_inconclusive)
{
	const struct sim_script script = { .down_on = NULL };
	/* confirm is the script that calls mismatch() */
	const struct fake_rule rule = { .command = "still runs after SIGSTOP", .exit_status = 11,
					.out = "postgres: pid 7 still runs after SIGSTOP\n" };
	struct world world = { .interrupt_in = PHASE_NONE };

	world_open(&world, &script);
	fake_script_add(world.hosts, &rule);
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_INCONCLUSIVE);
	ck_assert_uint_eq(world_open_heals(&world), 0);
	world_close(&world);
}
END_TEST

START_TEST(test_run_experiment_stop_condition_heals_and_ends)
{
	const struct sim_script script = { .down_on = STOP_ON, .up_on = HEAL_ON };
	struct world world = { .interrupt_in = PHASE_NONE };
	struct experiment experiment;
	struct stop_condition condition;

	world_open(&world, &script);
	experiment = *world.experiment;
	condition = (struct stop_condition){ .probe = &experiment.probes[0],
					     .bad_for_ns = _i == 0 ? 5 * NS_PER_S : 0,
					     .share_ppm = _i == 0 ? 0 : 500000,
					     .window_ns = _i == 0 ? 0 : 2 * NS_PER_S };
	experiment.stop_conditions = &condition;
	world.experiment = &experiment;
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_STOPPED);
	ck_assert_uint_eq(world_open_heals(&world), 0);
	ck_assert_uint_gt(fake_script_count(world.hosts, "h1", HEAL_ON), 0);
	/* A hanging write is known to be bad when its second is over, and the heal is at once. */
	ck_assert_int_gt(world.outcome.stop_to_heal_ns, 0);
	ck_assert_int_lt(world.outcome.stop_to_heal_ns, 3 * NS_PER_S / 2);
	ck_assert_ptr_nonnull(strstr(world.outcome.sentence, "everything is healed, "));
	world_close(&world);
}
END_TEST

static const enum phase interrupted[] = { PHASE_PLAN,	 PHASE_GATE, PHASE_BASELINE, PHASE_INJECT,
					  PHASE_OBSERVE, PHASE_HEAL, PHASE_SETTLE };

START_TEST(test_run_experiment_interrupted_in_any_phase_heals_and_ends)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S };
	struct world world = { .interrupt_in = interrupted[_i] };

	world_open(&world, &script);
	world_run_ok(&world);
	ck_assert_msg(world.outcome.exit_code == EXIT_STOPPED, "interrupted in %s: exit %d",
		      phase_name(interrupted[_i]), (int)world.outcome.exit_code);
	ck_assert_uint_eq(world_open_heals(&world), 0);
	/* Before the inject nothing may have been harmed. */
	if (interrupted[_i] < PHASE_INJECT)
		ck_assert_uint_eq(fake_script_count(world.hosts, NULL, STOP_ON), 0);
	world_close(&world);
}
END_TEST

START_TEST(test_run_experiment_lease_is_renewed_while_it_runs)
{
	const struct sim_script script = { .down_on = STOP_ON, .up_on = HEAL_ON };
	struct world world = { .interrupt_in = PHASE_NONE };

	world_open(&world, &script);
	world_run_ok(&world);
	/* 30 s of observing with a lease of 30 s: renewed every 10 s. */
	ck_assert_uint_ge(fake_script_count(world.hosts, "h1", RENEW_ON), 2);
	world_close(&world);
}
END_TEST

/* Seen still on, it was on; else what was measured since is not the fault's. */
START_TEST(test_run_experiment_fault_that_its_guard_ended_is_inconclusive)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 8 * NS_PER_S };
	const struct fake_rule not_renewed = { .command = RENEW_ON, .exit_status = 1,
					       .err = "the guard has undone the fault\n" };
	const struct fake_rule later = { .command = "still runs after SIGSTOP",
					 .exit_status = _i == 0 ? 11 : 0,
					 .out = "no process of ours is stopped (any more)\n" };
	const struct fake_rule at_first = { .command = "still runs after SIGSTOP", .times = 1 };
	struct world world = { .interrupt_in = PHASE_NONE };

	world_open(&world, &script);
	fake_script_add(world.hosts, &not_renewed);
	fake_script_add(world.hosts, &later);
	fake_script_add(world.hosts, &at_first);
	world_run_ok(&world);
	ck_assert_uint_gt(fake_script_count(world.hosts, "h1", RENEW_ON), 0);
	ck_assert_int_eq(world.outcome.exit_code, _i == 0 ? EXIT_INCONCLUSIVE : EXIT_MET);
	if (_i == 0)
		ck_assert_ptr_nonnull(strstr(world.outcome.sentence, "did not stay in effect"));
	ck_assert_uint_eq(world_open_heals(&world), 0);
	world_close(&world);
}
END_TEST

START_TEST(test_run_experiment_heal_that_fails_is_a_leftover)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S };
	const struct fake_rule rule = { .command = HEAL_ON, .exit_status = 1,
					.err = "kill: not permitted\n" };
	struct world world = { .interrupt_in = PHASE_NONE };
	struct heal_summary summary = { 0 };
	struct err e = { 0 };

	world_open(&world, &script);
	fake_script_add(world.hosts, &rule);
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_LEFTOVER);
	ck_assert_uint_eq(world_open_heals(&world), 1);

	const struct remote_opener opener = fake_script_opener(world.hosts);

	ck_assert_msg(heal_runs(world.store, NULL, &opener, &world.clock, NULL, NULL, &summary, &e), "%s",
		      e.text);
	ck_assert_uint_eq(summary.leftover_count, 1);
	heal_summary_release(&summary);
	world_close(&world);
}
END_TEST

/* How many commands and opens an undisturbed run makes. */
static size_t count_calls(void)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S };
	struct world world = { .interrupt_in = PHASE_NONE };
	size_t count;

	world_open(&world, &script);
	world_run_ok(&world);
	count = fake_script_call_count(world.hosts);
	world_close(&world);
	return count;
}

/* A second healer with sound hosts finds everything undone, and a third nothing to do. */
static void heal_and_check(struct world *world)
{
	struct fake_script *sound = fake_script_open();
	const struct remote_opener opener = fake_script_opener(sound);
	struct heal_summary first = { 0 };
	struct heal_summary second = { 0 };
	struct err e = { 0 };

	ck_assert_msg(heal_runs(world->store, NULL, &opener, &world->clock, NULL, NULL, &first, &e), "%s",
		      e.text);
	ck_assert_uint_eq(first.leftover_count, 0);
	ck_assert_uint_eq(world_open_heals(world), 0);
	ck_assert_msg(heal_runs(world->store, NULL, &opener, &world->clock, NULL, NULL, &second, &e), "%s",
		      e.text);
	ck_assert_uint_eq(second.healed_count + second.leftover_count, 0);
	text_release(&first.leftovers);
	text_release(&second.leftovers);
	fake_script_close(sound);
}

START_TEST(test_run_experiment_failure_at_every_call_leaves_nothing_or_says_so)
{
	static const enum fake_end ends[] = { FAKE_UNREACHABLE, FAKE_LOST_BEFORE, FAKE_LOST_AFTER,
					      FAKE_DEADLINE };
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S };
	const size_t call_count = count_calls();

	ck_assert_uint_gt(call_count, 5);
	for (size_t at = 0; at < call_count; at++)
		for (int is_lasting = 0; is_lasting < 2; is_lasting++) {
			struct world world = { .interrupt_in = PHASE_NONE };

			world_open(&world, &script);
			fake_script_fail_at(world.hosts, at, ends[_i], is_lasting != 0);
			world_run_ok(&world);
			ck_assert_msg(world_open_heals(&world) == 0 ||
					      world.outcome.exit_code == EXIT_LEFTOVER,
				      "call %zu: exit %d and %zu heals open", at,
				      (int)world.outcome.exit_code, world_open_heals(&world));
			heal_and_check(&world);
			world_close(&world);
		}
}
END_TEST

START_TEST(test_run_experiment_crash_at_every_call_is_healed_from_the_record)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S };
	const size_t call_count = count_calls();

	for (size_t at = 0; at < call_count; at++) {
		struct world world = { .interrupt_in = PHASE_NONE };
		int status;
		pid_t child;

		world_open(&world, &script);
		store_close(world.store); /* the child's own: SQLite is not carried over a fork */
		world.store = NULL;
		child = fork();
		ck_assert_int_ge(child, 0);

		struct text path = { 0 };
		struct err e = { 0 };

		text_addf(&path, "%s/store.db", world.owned_folder);
		if (child == 0) {
			fake_script_fail_at(world.hosts, at, _i == 0 ? FAKE_CRASH_BEFORE :
								      FAKE_CRASH_AFTER, false);
			if (store_open(text_str(&path), NULL, &world.store, &e))
				(void)world_run(&world, &e);
			_exit(0); /* only when it did not crash: seen below */
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
			      "call %zu did not crash", at);
		ck_assert_msg(store_open(text_str(&path), NULL, &world.store, &e), "%s", e.text);
		text_release(&path);
		heal_and_check(&world);
		world_close(&world);
	}
}
END_TEST

void suite_run(Suite *suite)
{
	TCase *tcase = tcase_create("run");
	const int phases = (int)(sizeof interrupted / sizeof interrupted[0]);

	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, test_run_experiment_recovery_in_time_is_met);
	tcase_add_test(tcase, test_run_experiment_recovery_too_late_is_missed);
	tcase_add_test(tcase, test_run_experiment_without_recovery_is_missed_and_healed);
	tcase_add_test(tcase, test_run_experiment_fault_without_effect_is_no_outage);
	tcase_add_test(tcase, test_run_experiment_lost_writes_are_missed);
	tcase_add_test(tcase, test_run_experiment_late_rows_are_not_lost);
	tcase_add_test(tcase, test_run_experiment_unreadable_ledger_is_inconclusive);
	tcase_add_test(tcase, test_run_experiment_machine_of_the_harness_stood_still_is_inconclusive);
	tcase_add_test(tcase, test_run_experiment_without_steady_state_harms_nothing);
	tcase_add_test(tcase, test_run_experiment_unreachable_host_is_not_started);
	tcase_add_test(tcase, test_run_experiment_through_sudo_says_names_only);
	tcase_add_loop_test(tcase, test_run_experiment_whose_helper_refuses_is_not_started, 0, 4);
	tcase_add_test(tcase, test_run_experiment_sudo_that_begins_to_ask_is_a_leftover);
	tcase_add_test(tcase, test_run_experiment_unconfirmed_fault_is_inconclusive);
	tcase_add_loop_test(tcase, test_run_experiment_stop_condition_heals_and_ends, 0, 2);
	tcase_add_loop_test(tcase, test_run_experiment_interrupted_in_any_phase_heals_and_ends, 0,
			    phases);
	tcase_add_test(tcase, test_run_experiment_lease_is_renewed_while_it_runs);
	tcase_add_loop_test(tcase, test_run_experiment_fault_that_its_guard_ended_is_inconclusive, 0,
			    2);
	tcase_add_test(tcase, test_run_experiment_heal_that_fails_is_a_leftover);
	tcase_add_loop_test(tcase, test_run_experiment_failure_at_every_call_leaves_nothing_or_says_so,
			    0, 4);
	tcase_add_loop_test(tcase, test_run_experiment_crash_at_every_call_is_healed_from_the_record,
			    0, 2);
	suite_add_tcase(suite, tcase);
}
