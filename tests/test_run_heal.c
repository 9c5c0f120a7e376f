/*
 * test_run_heal.c - what is healed when, and what is said of it, when one of several hosts does not
 * answer; see test_run.c for whole drills.
 */
#include "base/process.h"
#include "fixtures/paper_world.h"
#include "tests/suites.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t call_at_ns(struct fake_script *hosts, size_t from, const char *host, const char *part)
{
	const size_t index = fake_script_find(hosts, from, host, part);

	ck_assert_msg(index != SIZE_MAX, "%s was never asked for %s", host, part);
	return fake_script_call(hosts, index).at_ns;
}

START_TEST(test_run_experiment_timed_heal_of_a_lost_host_keeps_no_other_waiting)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S };
	const struct fake_rule lost = { .host = _i == 0 ? "h1" : "h2", .command = HEAL_ON,
					.end = FAKE_LOST_BEFORE };
	struct world world = { .interrupt_in = PHASE_NONE };

	world_open(&world, &script);
	world_load_on(&world, "    on: { hosts: [h1, h2] }\n    for: 5s\n");
	fake_script_add(world.hosts, &lost);
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_LEFTOVER);
	ck_assert_uint_eq(world_open_heals(&world), 1);

	const int64_t first_ns = call_at_ns(world.hosts, 0, "h1", HEAL_ON);
	const int64_t second_ns = call_at_ns(world.hosts, 0, "h2", HEAL_ON);

	ck_assert_int_lt(llabs(first_ns - second_ns), NS_PER_S);
	world_close(&world);
}
END_TEST

START_TEST(test_heal_runs_leaves_a_run_in_another_container_alone_while_it_lives)
{
	const struct sim_script script = { .down_on = NULL };
	struct world world = { .interrupt_in = PHASE_NONE };
	const struct run_row other = { .run_id = "other" };
	struct heal_summary summary = { 0 };
	struct run_row found;
	struct err e = { 0 };

	world_open(&world, &script);

	const struct remote_opener opener = fake_script_opener(world.hosts);
	const struct clock wall = clock_system();

	ck_assert(store_run_begin(world.store, &other, &e));
	ck_assert(store_run_beat(world.store, "other", process_space() + 1,
				 clock_wall_ns(&wall) + 60 * NS_PER_S, &e));
	ck_assert(!heal_runs(world.store, "other", &opener, &world.clock, NULL, NULL, &summary, &e));
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "in another container, or was: it said that it lives until 2"));
	ck_assert(store_run_beat(world.store, "other", process_space() + 1, 1, &e));
	ck_assert_msg(heal_runs(world.store, "other", &opener, &world.clock, NULL, NULL, &summary, &e),
		      "%s", e.text);
	ck_assert(store_run_find(world.store, "other", &world.arena, &found, &e));
	ck_assert(found.is_ended);
	heal_summary_release(&summary);
	world_close(&world);
}
END_TEST

START_TEST(test_heal_runs_unreachable_host_keeps_no_other_waiting)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S };
	const struct fake_rule refused = { .command = HEAL_ON, .exit_status = 1 };
	const struct fake_rule silent = { .host = _i == 0 ? "h1" : "h2", .command = FAKE_OPEN,
					  .end = FAKE_DEADLINE };
	const char *sound = _i == 0 ? "h2" : "h1";
	struct fake_script *later = fake_script_open();
	const struct remote_opener opener = fake_script_opener(later);
	struct world world = { .interrupt_in = PHASE_NONE };
	struct heal_summary summary = { 0 };
	struct err e = { 0 };

	world_open(&world, &script);
	world_load_on(&world, "    on: { hosts: [h1, h2] }\n");
	fake_script_add(world.hosts, &refused);
	world_run_ok(&world);
	ck_assert_uint_eq(world_open_heals(&world), 2);

	const int64_t begun_ns = clock_now_ns(&world.clock);

	fake_script_add(later, &silent);
	ck_assert_msg(heal_runs(world.store, NULL, &opener, &world.clock, NULL, NULL, &summary, &e),
		      "%s", e.text);
	ck_assert_uint_eq(summary.healed_count, 1);
	ck_assert_uint_eq(summary.leftover_count, 1);
	ck_assert_ptr_nonnull(strstr(text_str(&summary.leftovers), silent.host));
	ck_assert_int_lt(call_at_ns(later, 0, sound, HEAL_ON) - begun_ns, 3 * NS_PER_S);
	/* It was tried until its own guard must have healed it: the lease, and then some. */
	ck_assert_int_gt(clock_now_ns(&world.clock) - begun_ns, 30 * NS_PER_S);
	heal_summary_release(&summary);
	fake_script_close(later);
	world_close(&world);
}
END_TEST

/* The host's name leads to another machine by the time of the heal: nothing is to be undone there, and that
   is no heal. What the scripts print is test_faults_process.c's. */
START_TEST(test_run_experiment_heal_that_reached_another_machine_is_a_leftover)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S };
	const struct fake_rule later = { .command = "machine: $(uname -n)",
					 .out = "stopped: 0; record: absent; machine: db2 9e22\n" };
	const struct fake_rule first = { .command = "machine: $(uname -n)", .times = 1,
					 .out = "stopped: 0; record: absent; machine: db1 4c11\n" };
	struct world world = { .interrupt_in = PHASE_NONE };

	world_open(&world, &script);
	fake_script_add(world.hosts, &later);
	fake_script_add(world.hosts, &first);
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_LEFTOVER);
	ck_assert_msg(strstr(world.outcome.sentence, "machine: db1 4c11; now: ") != NULL &&
			      strstr(world.outcome.sentence, "machine: db2 9e22") != NULL,
		      "%s", world.outcome.sentence);
	ck_assert_uint_eq(world_open_heals(&world), 1);
	world_close(&world);
}
END_TEST

/* Whoever heals a run that died was told no secret, and a command may print one. */
START_TEST(test_heal_runs_secret_of_the_run_stays_hidden)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S };
	const struct fake_rule refused = { .command = HEAL_ON, .exit_status = 1, .err = "no\n" };
	const struct fake_rule telling = { .command = HEAL_ON, .exit_status = 1,
					   .err = "login with open'\\''sesame: refused\n" };
	struct fake_script *later = fake_script_open();
	const struct remote_opener opener = fake_script_opener(later);
	struct world world = { .interrupt_in = PHASE_NONE };
	struct heal_summary summary = { 0 };
	struct timeline timeline;
	struct text text = { 0 };
	struct text told = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(setenv("FD_CANARY", "open'sesame", 1), 0);
	world_open(&world, &script);
	text_addf(&text, "vars: { token: \"${env:FD_CANARY}\" }\n%s", world_experiment_text);
	world_load(&world, text_str(&text));
	fake_script_add(world.hosts, &refused);
	world_run_ok(&world);
	fake_script_add(later, &telling);
	ck_assert_msg(heal_runs(world.store, NULL, &opener, &world.clock, NULL, NULL, &summary, &e),
		      "%s", e.text);
	ck_assert_msg(store_timeline(world.store, "20261121-102030-test", &world.arena, &timeline, &e),
		      "%s", e.text);
	for (size_t i = 0; i < timeline.event_count; i++)
		text_addf(&told, "%s\n", timeline.events[i].text);
	ck_assert_msg(strstr(text_str(&told), "login with [secret]: refused") != NULL, "%s",
		      text_str(&told));
	ck_assert_ptr_null(strstr(text_str(&told), "sesame"));
	heal_summary_release(&summary);
	text_release(&text);
	text_release(&told);
	fake_script_close(later);
	world_close(&world);
}
END_TEST

/* A drill on this host alone that is killed when it begins to heal. */
static void crash_while_harmed(struct world *world, const char *run_id, const char *host)
{
	const struct fake_rule crash = { .command = HEAL_ON, .end = FAKE_CRASH_BEFORE };
	struct text path = { 0 };
	struct text on = { 0 };
	struct err e = { 0 };
	int status;
	pid_t child;

	text_addf(&path, "%s/store.db", world->owned_folder);
	text_addf(&on, "    on: %s\n", host);
	world_load_on(world, text_str(&on));
	world->run_id = run_id;
	store_close(world->store); /* the child's own: SQLite is not carried over a fork */
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		fake_script_add(world->hosts, &crash);
		if (store_open(text_str(&path), NULL, &world->store, &e))
			(void)world_run(world, &e);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ck_assert_msg(store_open(text_str(&path), NULL, &world->store, &e), "%s", e.text);
	text_release(&path);
	text_release(&on);
}

static void expect_end(struct world *world, const char *run_id, int exit_code, const char *sentence)
{
	struct run_row row = { 0 };
	struct err e = { 0 };

	ck_assert_msg(store_run_find(world->store, run_id, &world->arena, &row, &e), "%s", e.text);
	ck_assert(row.is_ended);
	ck_assert_int_eq(row.exit_code, exit_code);
	ck_assert_str_eq(row.sentence, sentence);
}

/* One run is left with its host, the other is healed: each is told as it is. */
START_TEST(test_heal_runs_each_run_has_its_own_end)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S };
	const struct fake_rule gone = { .host = _i == 0 ? "h1" : "h2", .command = FAKE_OPEN,
					.end = FAKE_UNREACHABLE };
	static const char *const ids[] = { "20261121-102030-aaaa", "20261121-102031-bbbb" };
	struct fake_script *later = fake_script_open();
	const struct remote_opener opener = fake_script_opener(later);
	struct world world = { .interrupt_in = PHASE_NONE };
	struct heal_summary summary = { 0 };
	struct err e = { 0 };

	world_open(&world, &script);
	crash_while_harmed(&world, ids[0], "h1");
	crash_while_harmed(&world, ids[1], "h2");
	fake_script_add(later, &gone);
	ck_assert_msg(heal_runs(world.store, NULL, &opener, &world.clock, NULL, NULL, &summary, &e),
		      "%s", e.text);
	ck_assert_uint_eq(summary.healed_count, 1);
	ck_assert_uint_eq(summary.leftover_count, 1);
	expect_end(&world, ids[_i], EXIT_LEFTOVER,
		   _i == 0 ? "Left unhealed: step 1 (process.pause) on h1 could not be healed: heal "
			     "process.pause on h1: reach h1: reach h1 for `(open)`: connection refused. "
			     "Run `firedrill heal 20261121-102030-aaaa`."
			   : "Left unhealed: step 1 (process.pause) on h2 could not be healed: heal "
			     "process.pause on h2: reach h2: reach h2 for `(open)`: connection refused. "
			     "Run `firedrill heal 20261121-102031-bbbb`.");
	expect_end(&world, ids[1 - _i], EXIT_INTERNAL,
		   "Failed: the run did not end by itself; it was healed afterwards.");
	heal_summary_release(&summary);
	fake_script_close(later);
	world_close(&world);
}
END_TEST

void suite_run_heal(Suite *suite)
{
	TCase *tcase = tcase_create("run_heal");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_run_experiment_heal_that_reached_another_machine_is_a_leftover);
	tcase_add_loop_test(
		tcase, test_run_experiment_timed_heal_of_a_lost_host_keeps_no_other_waiting, 0, 2);
	tcase_add_test(tcase, test_heal_runs_leaves_a_run_in_another_container_alone_while_it_lives);
	tcase_add_loop_test(tcase, test_heal_runs_unreachable_host_keeps_no_other_waiting, 0, 2);
	tcase_add_test(tcase, test_heal_runs_secret_of_the_run_stays_hidden);
	tcase_add_loop_test(tcase, test_heal_runs_each_run_has_its_own_end, 0, 2);
	suite_add_tcase(suite, tcase);
}
