/*
 * test_run.c - whole drills on paper: simulated clock, scripted hosts, a service that fails as told.
 *
 * Every way a run can end, a failure and a crash of ours at every single command, and what `heal`
 * finds afterwards. Nothing here waits for real time.
 */
#include "engine/engine.h"
#include "fixtures/fake_remote.h"
#include "fixtures/sim_clock.h"
#include "fixtures/sim_outside.h"
#include "fixtures/temp_dir.h"
#include "load/load.h"
#include "tests/suites.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char inventory_text[] =
	"hosts:\n"
	"  h1: { address: 192.0.2.1 }\n"
	"  h2: { address: 192.0.2.2 }\n"
	"services:\n"
	"  db:\n"
	"    kind: postgres\n"
	"    conninfo: \"host=h1,h2 dbname=x\"\n"
	"    members: [h1, h2]\n";

static const char experiment_text[] =
	"title: A drill on paper\n"
	"service: db\n"
	"objectives: { rto: 10s, rpo: 0s }\n"
	"probes:\n"
	"  writes: { kind: postgres.write, on: db, every: 20ms, timeout: 1s }\n"
	"steady_state: { good_for: 2s, within: 10s }\n"
	"baseline: 3s\n"
	"method:\n"
	"  - at: 0s\n"
	"    fault: process.pause\n"
	"    on: { service: db, role: primary }\n"
	"    with: { name: postgres }\n"
	"stop_conditions:\n"
	"  - { probe: writes, bad_for: 40s }\n"
	"observe: { stable_for: 3s, at_most: 30s }\n"
	"settle: { at_most: 20s }\n"
	"lease: 30s\n";

/* Words that only one of the fault's commands carries. */
static const char stop_on[] = "kill -s STOP";
static const char heal_on[] = "exec flock -o -E 75 -w 15";
static const char renew_on[] = "the guard has undone the fault";

/* One paper world: made by setup, taken apart by teardown. */
struct world {
	char *owned_folder;
	struct arena arena;
	struct secrets secrets;
	const struct experiment *experiment;
	struct sim_clock *sim_clock;
	struct clock clock;
	struct fake_script *hosts;
	struct sim_outside *sim;
	struct store *store;
	struct outcome outcome;
	volatile sig_atomic_t stop_signal;
	enum phase interrupt_in; /* a signal arrives when this phase begins */
};

static void load(struct world *world, const char *text)
{
	struct problems *problems = arena_alloc(&world->arena, sizeof *problems);
	const struct load_request request = { .experiment_path = "paper.yaml",
					      .inventory_path = "inventory.yaml",
					      .experiment_text = text,
					      .inventory_text = inventory_text,
					      .has_secrets = true };

	ck_assert_msg(load_experiment(&request, &world->arena, &world->secrets, &world->experiment,
				      problems),
		      "%s", problems->count > 0 ? problems->items[0].text : "?");
}

static void world_open(struct world *world, const struct sim_script *script)
{
	struct err e = { 0 };
	struct text path = { 0 };

	world->owned_folder = temp_dir_make();
	load(world, experiment_text);
	world->sim_clock = sim_clock_open();
	world->clock = sim_clock_as_clock(world->sim_clock);
	world->hosts = fake_script_open();
	world->sim = sim_outside_open(script, world->hosts);
	text_addf(&path, "%s/store.db", world->owned_folder);
	ck_assert_msg(store_open(text_str(&path), NULL, &world->store, &e), "%s", e.text);
	text_release(&path);
}

static void world_close(struct world *world)
{
	store_close(world->store);
	sim_outside_close(world->sim);
	fake_script_close(world->hosts);
	sim_clock_close(world->sim_clock);
	secrets_release(&world->secrets);
	arena_release(&world->arena);
	temp_dir_remove(world->owned_folder);
}

static void interrupt(void *ctx, const struct event *event)
{
	struct world *world = ctx;

	if (event->kind == EVENT_PHASE && event->phase == world->interrupt_in)
		world->stop_signal = SIGINT;
}

static bool world_run(struct world *world, struct err *e)
{
	const struct progress progress = { .on_event = interrupt, .ctx = world };
	const struct run_request request = {
		.experiment = world->experiment,
		.run_id = "20261121-102030-test",
		.seed = 7,
		.version = "test",
		.store = world->store,
		.clock = &world->clock,
		.opener = fake_script_opener(world->hosts),
		.outside = sim_outside_as_outside(world->sim),
		.progress = &progress,
		.stop_signal = &world->stop_signal,
		.sample_dir = world->owned_folder,
	};

	return run_experiment(&request, &world->outcome, e);
}

static void run_ok(struct world *world)
{
	struct err e = { 0 };

	ck_assert_msg(world_run(world, &e), "%s", e.text);
}

static size_t count_open_heals(struct world *world)
{
	struct heal_row *rows;
	size_t count = 0;
	struct err e = { 0 };

	ck_assert_msg(store_heals_open(world->store, NULL, &world->arena, &rows, &count, &e), "%s",
		      e.text);
	return count;
}

static void expect(const struct sim_script *script, enum run_exit exit_code, enum verdict verdict)
{
	struct world world = { .interrupt_in = PHASE_NONE };

	world_open(&world, script);
	run_ok(&world);
	ck_assert_msg(world.outcome.exit_code == exit_code, "exit %d: %s",
		      (int)world.outcome.exit_code, world.outcome.sentence);
	ck_assert_int_eq(world.outcome.verdict, verdict);
	ck_assert_uint_eq(count_open_heals(&world), 0);
	world_close(&world);
}

START_TEST(test_run_experiment_recovery_in_time_is_met)
{
	const struct sim_script script = { .down_on = stop_on, .down_for_ns = 4 * NS_PER_S };

	expect(&script, EXIT_MET, VERDICT_MET);
}
END_TEST

START_TEST(test_run_experiment_recovery_too_late_is_missed)
{
	const struct sim_script script = { .down_on = stop_on, .down_for_ns = 12 * NS_PER_S };

	expect(&script, EXIT_MISSED, VERDICT_MISSED);
}
END_TEST

START_TEST(test_run_experiment_without_recovery_is_missed_and_healed)
{
	const struct sim_script script = { .down_on = stop_on, .up_on = heal_on };

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
	const struct sim_script script = { .down_on = stop_on, .down_for_ns = 4 * NS_PER_S,
					   .lost_from_slot = 100, .lost_until_slot = 142 };

	expect(&script, EXIT_MISSED, VERDICT_MISSED);
}
END_TEST

START_TEST(test_run_experiment_late_rows_are_not_lost)
{
	const struct sim_script script = { .down_on = stop_on, .down_for_ns = 4 * NS_PER_S,
					   .late_rows = 50 };

	expect(&script, EXIT_MET, VERDICT_MET);
}
END_TEST

START_TEST(test_run_experiment_unreadable_ledger_is_inconclusive)
{
	const struct sim_script script = { .down_on = stop_on, .down_for_ns = 4 * NS_PER_S,
					   .is_unreadable = true };

	expect(&script, EXIT_INCONCLUSIVE, VERDICT_INCONCLUSIVE);
}
END_TEST

/* Whatever the service did meanwhile, nobody looked: that is not "no outage seen", and not met. */
START_TEST(test_run_experiment_machine_of_the_harness_stood_still_is_inconclusive)
{
	const struct sim_script script = { .down_on = NULL, .still_on = stop_on,
					   .still_for_ns = 12 * NS_PER_S };

	expect(&script, EXIT_INCONCLUSIVE, VERDICT_INCONCLUSIVE);
}
END_TEST

START_TEST(test_run_experiment_without_steady_state_harms_nothing)
{
	const struct sim_script script = { .is_down_from_start = true };
	struct world world = { .interrupt_in = PHASE_NONE };

	world_open(&world, &script);
	run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_NOT_STARTED);
	ck_assert_uint_eq(fake_script_count(world.hosts, NULL, stop_on), 0);
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
	run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_NOT_STARTED);
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
	run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_INCONCLUSIVE);
	ck_assert_uint_eq(count_open_heals(&world), 0);
	world_close(&world);
}
END_TEST

START_TEST(test_run_experiment_stop_condition_heals_and_ends)
{
	const struct sim_script script = { .down_on = stop_on, .up_on = heal_on };
	struct world world = { .interrupt_in = PHASE_NONE };
	struct experiment experiment;
	struct stop_condition condition;

	world_open(&world, &script);
	experiment = *world.experiment;
	condition = experiment.stop_conditions[0];
	condition.bad_for_ns = 5 * NS_PER_S;
	experiment.stop_conditions = &condition;
	world.experiment = &experiment;
	run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_STOPPED);
	ck_assert_uint_eq(count_open_heals(&world), 0);
	ck_assert_uint_gt(fake_script_count(world.hosts, "h1", heal_on), 0);
	world_close(&world);
}
END_TEST

static const enum phase interrupted[] = { PHASE_PLAN,	 PHASE_GATE, PHASE_BASELINE, PHASE_INJECT,
					  PHASE_OBSERVE, PHASE_HEAL, PHASE_SETTLE };

START_TEST(test_run_experiment_interrupted_in_any_phase_heals_and_ends)
{
	const struct sim_script script = { .down_on = stop_on, .down_for_ns = 4 * NS_PER_S };
	struct world world = { .interrupt_in = interrupted[_i] };

	world_open(&world, &script);
	run_ok(&world);
	ck_assert_msg(world.outcome.exit_code == EXIT_STOPPED, "interrupted in %s: exit %d",
		      phase_name(interrupted[_i]), (int)world.outcome.exit_code);
	ck_assert_uint_eq(count_open_heals(&world), 0);
	/* Before the inject nothing may have been harmed. */
	if (interrupted[_i] < PHASE_INJECT)
		ck_assert_uint_eq(fake_script_count(world.hosts, NULL, stop_on), 0);
	world_close(&world);
}
END_TEST

START_TEST(test_run_experiment_lease_is_renewed_while_it_runs)
{
	const struct sim_script script = { .down_on = stop_on, .up_on = heal_on };
	struct world world = { .interrupt_in = PHASE_NONE };

	world_open(&world, &script);
	run_ok(&world);
	/* 30 s of observing with a lease of 30 s: renewed every 10 s. */
	ck_assert_uint_ge(fake_script_count(world.hosts, "h1", renew_on), 2);
	world_close(&world);
}
END_TEST

START_TEST(test_run_experiment_heal_that_fails_is_a_leftover)
{
	const struct sim_script script = { .down_on = stop_on, .down_for_ns = 4 * NS_PER_S };
	const struct fake_rule rule = { .command = heal_on, .exit_status = 1,
					.err = "kill: not permitted\n" };
	struct world world = { .interrupt_in = PHASE_NONE };
	struct heal_summary summary = { 0 };
	struct err e = { 0 };

	world_open(&world, &script);
	fake_script_add(world.hosts, &rule);
	run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_LEFTOVER);
	ck_assert_uint_eq(count_open_heals(&world), 1);

	const struct remote_opener opener = fake_script_opener(world.hosts);

	ck_assert_msg(heal_runs(world.store, NULL, &opener, &world.clock, NULL, NULL, &summary, &e), "%s",
		      e.text);
	ck_assert_uint_eq(summary.leftover_count, 1);
	text_release(&summary.leftovers);
	world_close(&world);
}
END_TEST

/* The same drill, on both hosts at once. */
static void world_open_pair(struct world *world, const struct sim_script *script, const char *hold)
{
	static const char one[] = "    on: { service: db, role: primary }\n";
	const char *at = strstr(experiment_text, one);
	struct text pair = { 0 };

	ck_assert_ptr_nonnull(at);
	text_addf(&pair, "%.*s    on: { hosts: [h1, h2] }\n%s%s", (int)(at - experiment_text),
		  experiment_text, hold, at + strlen(one));
	world_open(world, script);
	load(world, text_str(&pair));
	text_release(&pair);
}

static int64_t call_at_ns(struct fake_script *hosts, size_t from, const char *host, const char *part)
{
	const size_t index = fake_script_find(hosts, from, host, part);

	ck_assert_msg(index != SIZE_MAX, "%s was never asked for %s", host, part);
	return fake_script_call(hosts, index).at_ns;
}

START_TEST(test_run_experiment_timed_heal_of_a_lost_host_keeps_no_other_waiting)
{
	const struct sim_script script = { .down_on = stop_on, .down_for_ns = 4 * NS_PER_S };
	const struct fake_rule lost = { .host = _i == 0 ? "h1" : "h2", .command = heal_on,
					.end = FAKE_LOST_BEFORE };
	struct world world = { .interrupt_in = PHASE_NONE };

	world_open_pair(&world, &script, "    for: 5s\n");
	fake_script_add(world.hosts, &lost);
	run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_LEFTOVER);
	ck_assert_uint_eq(count_open_heals(&world), 1);

	const int64_t first_ns = call_at_ns(world.hosts, 0, "h1", heal_on);
	const int64_t second_ns = call_at_ns(world.hosts, 0, "h2", heal_on);

	ck_assert_int_lt(llabs(first_ns - second_ns), NS_PER_S);
	world_close(&world);
}
END_TEST

START_TEST(test_heal_runs_unreachable_host_keeps_no_other_waiting)
{
	const struct sim_script script = { .down_on = stop_on, .down_for_ns = 4 * NS_PER_S };
	const struct fake_rule refused = { .command = heal_on, .exit_status = 1 };
	const struct fake_rule silent = { .host = _i == 0 ? "h1" : "h2", .command = FAKE_OPEN,
					  .end = FAKE_DEADLINE };
	const char *sound = _i == 0 ? "h2" : "h1";
	struct fake_script *later = fake_script_open();
	const struct remote_opener opener = fake_script_opener(later);
	struct world world = { .interrupt_in = PHASE_NONE };
	struct heal_summary summary = { 0 };
	struct err e = { 0 };

	world_open_pair(&world, &script, "");
	fake_script_add(world.hosts, &refused);
	run_ok(&world);
	ck_assert_uint_eq(count_open_heals(&world), 2);

	const int64_t begun_ns = clock_now_ns(&world.clock);

	fake_script_add(later, &silent);
	ck_assert_msg(heal_runs(world.store, NULL, &opener, &world.clock, NULL, NULL, &summary, &e),
		      "%s", e.text);
	ck_assert_uint_eq(summary.healed_count, 1);
	ck_assert_uint_eq(summary.leftover_count, 1);
	ck_assert_ptr_nonnull(strstr(text_str(&summary.leftovers), silent.host));
	ck_assert_int_lt(call_at_ns(later, 0, sound, heal_on) - begun_ns, 3 * NS_PER_S);
	/* It was tried until its own guard must have healed it: the lease, and then some. */
	ck_assert_int_gt(clock_now_ns(&world.clock) - begun_ns, 30 * NS_PER_S);
	text_release(&summary.leftovers);
	fake_script_close(later);
	world_close(&world);
}
END_TEST

/* How many commands and opens an undisturbed run makes. */
static size_t count_calls(void)
{
	const struct sim_script script = { .down_on = stop_on, .down_for_ns = 4 * NS_PER_S };
	struct world world = { .interrupt_in = PHASE_NONE };
	size_t count;

	world_open(&world, &script);
	run_ok(&world);
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
	ck_assert_uint_eq(count_open_heals(world), 0);
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
	const struct sim_script script = { .down_on = stop_on, .down_for_ns = 4 * NS_PER_S };
	const size_t call_count = count_calls();

	ck_assert_uint_gt(call_count, 5);
	for (size_t at = 0; at < call_count; at++)
		for (int is_lasting = 0; is_lasting < 2; is_lasting++) {
			struct world world = { .interrupt_in = PHASE_NONE };

			world_open(&world, &script);
			fake_script_fail_at(world.hosts, at, ends[_i], is_lasting != 0);
			run_ok(&world);
			ck_assert_msg(count_open_heals(&world) == 0 ||
					      world.outcome.exit_code == EXIT_LEFTOVER,
				      "call %zu: exit %d and %zu heals open", at,
				      (int)world.outcome.exit_code, count_open_heals(&world));
			heal_and_check(&world);
			world_close(&world);
		}
}
END_TEST

START_TEST(test_run_experiment_crash_at_every_call_is_healed_from_the_record)
{
	const struct sim_script script = { .down_on = stop_on, .down_for_ns = 4 * NS_PER_S };
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
	tcase_add_test(tcase, test_run_experiment_unconfirmed_fault_is_inconclusive);
	tcase_add_test(tcase, test_run_experiment_stop_condition_heals_and_ends);
	tcase_add_loop_test(tcase, test_run_experiment_interrupted_in_any_phase_heals_and_ends, 0,
			    phases);
	tcase_add_test(tcase, test_run_experiment_lease_is_renewed_while_it_runs);
	tcase_add_test(tcase, test_run_experiment_heal_that_fails_is_a_leftover);
	tcase_add_loop_test(
		tcase, test_run_experiment_timed_heal_of_a_lost_host_keeps_no_other_waiting, 0, 2);
	tcase_add_loop_test(tcase, test_heal_runs_unreachable_host_keeps_no_other_waiting, 0, 2);
	tcase_add_loop_test(tcase, test_run_experiment_failure_at_every_call_leaves_nothing_or_says_so,
			    0, 4);
	tcase_add_loop_test(tcase, test_run_experiment_crash_at_every_call_is_healed_from_the_record,
			    0, 2);
	suite_add_tcase(suite, tcase);
}
