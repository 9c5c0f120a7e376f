/*
 * test_worker.c - workers as processes of their own, over one store: each due run once, whatever dies. What
 * they start is a stand-in (fixtures/due_try.h); tests/cli.sh starts real runs.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "fixtures/due_try.h"
#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "model/verdict.h"
#include "tests/suites.h"

enum { STORM_COUNT = 200, STORM_SCHEDULERS = 4, STORM_WORKERS = 4, PIDS_MAX = 8 };

static const int64_t lease_ns = 60 * NS_PER_S;
static const int64_t wait_at_most_ns = 50 * NS_PER_S;

static char *folder;
static struct text place;
static struct arena arena;
static struct store *store;
static struct clock system_clock;
static struct due_try due_try;
static pid_t pids[PIDS_MAX];
static size_t pid_count;
static struct err e;

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
	memset(&place, 0, sizeof place);
	memset(&e, 0, sizeof e);
	pid_count = 0;
	system_clock = clock_system();
	folder = temp_dir_make();
	store_try_place(folder, &place);
	ck_assert_msg(store_open(text_str(&place), NULL, &store, &e), "%s", e.text);
	due_try = (struct due_try){ .place = text_str(&place), .folder = folder };
}

static void teardown(void)
{
	for (size_t i = 0; i < pid_count; i++) {
		(void)kill(pids[i], SIGKILL);
		(void)waitpid(pids[i], NULL, 0);
	}
	store_close(store);
	store = NULL;
	text_release(&place);
	arena_release(&arena);
	temp_dir_remove(folder);
}

static pid_t keep(pid_t pid)
{
	ck_assert_int_gt(pid, 0);
	ck_assert_uint_lt(pid_count, PIDS_MAX);
	pids[pid_count++] = pid;
	return pid;
}

/* The exit code, or 128 and the signal. */
static int collect(pid_t pid)
{
	int status = 0;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	for (size_t i = 0; i < pid_count; i++)
		if (pids[i] == pid)
			pids[i] = pids[--pid_count];
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static struct due_row *rows;
static size_t row_count;

static void read_rows(void)
{
	arena_release(&arena);
	ck_assert_msg(store_dues(store, 0, &arena, &rows, &row_count, &e), "%s", e.text);
}

static size_t count_in(enum due_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < row_count; i++)
		count += rows[i].state == state ? 1 : 0;
	return count;
}

static size_t settled(void)
{
	read_rows();
	return count_in(DUE_DONE) + count_in(DUE_ABANDONED);
}

static bool wait_for(size_t (*count)(void), size_t at_least)
{
	const int64_t deadline_ns = clock_now_ns(&system_clock) + wait_at_most_ns;

	while (count() < at_least) {
		if (clock_now_ns(&system_clock) > deadline_ns)
			return false;
		clock_sleep_until_ns(&system_clock, clock_now_ns(&system_clock) + 20 * NS_PER_MS);
	}
	return true;
}

static size_t claimed(void)
{
	read_rows();
	return count_in(DUE_CLAIMED);
}

/* A run that has begun, of a row that is claimed. */
static size_t under_way(void)
{
	struct run_row run;
	size_t count = 0;

	read_rows();
	for (size_t i = 0; i < row_count; i++)
		count += rows[i].state == DUE_CLAIMED &&
					 store_run_find(store, rows[i].run_id, &arena, &run, &e) ?
				 1 :
				 0;
	return count;
}

/* ---- the storm ---- */

/* One run for each that is done; at most one, ended by a heal, for each that is abandoned. */
static void check_storm(void)
{
	read_rows();
	ck_assert_uint_eq(row_count, STORM_COUNT);
	for (size_t i = 0; i < row_count; i++) {
		const struct due_row *row = &rows[i];
		const size_t begun_count = due_try_begun_count(&due_try, "storm",
							       row->nominal_wall_ns / NS_PER_S);
		struct run_row run = { 0 };

		if (row->state == DUE_DONE) {
			ck_assert_uint_eq(begun_count, 1);
			ck_assert_int_eq(row->exit_code, EXIT_MET);
		} else {
			ck_assert_int_eq(row->state, DUE_ABANDONED);
			ck_assert_uint_le(begun_count, 1);
		}
		if (row->state == DUE_DONE || row->exit_code != -1) {
			ck_assert_msg(store_run_find(store, row->run_id, &arena, &run, &e), "%s",
				      e.text);
			ck_assert(run.is_ended);
			ck_assert_int_eq(run.exit_code, row->exit_code);
		}
	}
}

START_TEST(test_worker_of_many_half_killed_runs_each_due_run_once)
{
	static const char *const names[] = { "w0", "w1", "w2", "w3" };
	pid_t workers[STORM_WORKERS];
	pid_t schedulers[STORM_SCHEDULERS];
	struct run_row *runs = NULL;
	size_t run_count = 0;

	due_try.nap_ns = 5 * NS_PER_MS;
	for (size_t i = 0; i < STORM_WORKERS; i++)
		workers[i] = keep(due_try_worker(&due_try, names[i], 3 * NS_PER_S, false));
	for (size_t i = 0; i < STORM_SCHEDULERS; i++)
		schedulers[i] = keep(due_try_scheduler(&due_try, STORM_COUNT, (int64_t)i * 50));
	ck_assert(wait_for(settled, STORM_COUNT / 4));
	ck_assert_int_eq(kill(workers[0], SIGKILL), 0);
	ck_assert(wait_for(settled, STORM_COUNT / 2));
	ck_assert_int_eq(kill(workers[1], SIGKILL), 0);
	ck_assert_int_eq(collect(workers[0]), 128 + SIGKILL);
	ck_assert_int_eq(collect(workers[1]), 128 + SIGKILL);
	for (size_t i = 0; i < STORM_SCHEDULERS; i++)
		ck_assert_int_eq(collect(schedulers[i]), EXIT_MET);

	ck_assert(wait_for(settled, STORM_COUNT));

	for (size_t i = 2; i < STORM_WORKERS; i++) {
		ck_assert_int_eq(kill(workers[i], SIGTERM), 0);
		ck_assert_int_eq(collect(workers[i]), EXIT_MET);
	}
	check_storm();
	ck_assert_uint_le(count_in(DUE_ABANDONED), 2); /* what the two had in their hands */
	ck_assert_msg(store_runs(store, 0, &arena, &runs, &run_count, &e), "%s", e.text);
	ck_assert_uint_le(run_count, STORM_COUNT);
}
END_TEST

/* ---- one worker ---- */

static int work_once(void)
{
	return collect(keep(due_try_worker(&due_try, "alone", lease_ns, true)));
}

START_TEST(test_worker_once_runs_what_is_due_and_ends)
{
	ck_assert(due_try_put(store, "a", 1, NULL));
	ck_assert(due_try_put(store, "b", 2, NULL));
	due_try.exit_code = EXIT_MISSED;
	ck_assert_int_eq(work_once(), EXIT_MET);
	read_rows();
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(rows[i].state, DUE_DONE);
		ck_assert_int_eq(rows[i].exit_code, EXIT_MISSED);
		ck_assert_str_eq(rows[i].sentence, "The stand-in was here.");
	}
	ck_assert_int_eq(work_once(), EXIT_MET);
	ck_assert_uint_eq(due_try_begun_count(&due_try, "a", 1), 1);
	ck_assert_uint_eq(due_try_begun_count(&due_try, "b", 2), 1);
}
END_TEST

START_TEST(test_worker_keeps_the_complaint_of_a_run_that_did_not_begin)
{
	ck_assert(due_try_put(store, "a", 1, NULL));
	due_try.exit_code = EXIT_NOT_STARTED;
	due_try.complaint = "db-1 is in use";
	ck_assert_int_eq(work_once(), EXIT_MET);
	read_rows();
	ck_assert_int_eq(rows[0].state, DUE_DONE);
	ck_assert_int_eq(rows[0].exit_code, EXIT_NOT_STARTED);
	ck_assert_str_eq(rows[0].sentence, "db-1 is in use");
}
END_TEST

START_TEST(test_worker_takes_nothing_while_something_is_unhealed)
{
	ck_assert(due_try_put(store, "a", 1, NULL));
	due_try.heal_code = EXIT_LEFTOVER;
	ck_assert_int_eq(work_once(), EXIT_LEFTOVER);
	read_rows();
	ck_assert_int_eq(rows[0].state, DUE_WAITS);
}
END_TEST

START_TEST(test_worker_leaves_what_asks_for_a_label_it_has_not)
{
	ck_assert(due_try_put(store, "a", 1, "site=eu-west"));
	ck_assert_int_eq(work_once(), EXIT_MET);
	read_rows();
	ck_assert_int_eq(rows[0].state, DUE_WAITS);
	ck_assert_uint_eq(due_try_begun_count(&due_try, "a", 1), 0);
}
END_TEST

START_TEST(test_worker_told_to_end_lets_its_run_end_and_takes_nothing_more)
{
	pid_t worker;

	due_try.nap_ns = NS_PER_S / 2;
	ck_assert(due_try_put(store, "a", 1, NULL));
	ck_assert(due_try_put(store, "b", 2, NULL));
	worker = keep(due_try_worker(&due_try, "w", lease_ns, false));
	ck_assert(wait_for(under_way, 1));
	ck_assert_int_eq(kill(worker, SIGTERM), 0);
	ck_assert_int_eq(collect(worker), EXIT_MET);
	read_rows();
	ck_assert_uint_eq(count_in(DUE_DONE), 1);
	ck_assert_uint_eq(count_in(DUE_WAITS), 1);
}
END_TEST

/* The stand-in cannot heal by itself: it dies of the order, and the worker heals its run. */
START_TEST(test_worker_told_twice_ends_its_run_and_heals_it)
{
	pid_t worker;

	due_try.nap_ns = 40 * NS_PER_S;
	ck_assert(due_try_put(store, "a", 1, NULL));
	worker = keep(due_try_worker(&due_try, "w", lease_ns, false));
	ck_assert(wait_for(under_way, 1));
	ck_assert_int_eq(kill(worker, SIGTERM), 0);
	ck_assert_int_eq(kill(worker, SIGINT), 0);
	ck_assert_int_eq(collect(worker), EXIT_MET);
	read_rows();
	ck_assert_int_eq(rows[0].state, DUE_ABANDONED);
	ck_assert_int_eq(rows[0].exit_code, EXIT_INTERNAL);
	ck_assert_str_eq(rows[0].sentence, "its process was killed; what the run left is healed");
}
END_TEST

START_TEST(test_worker_renews_its_lease_while_its_run_lasts)
{
	int64_t first_ns;

	due_try.nap_ns = NS_PER_S;
	ck_assert(due_try_put(store, "a", 1, NULL));
	(void)keep(due_try_worker(&due_try, "w", NS_PER_S / 5, false));
	ck_assert(wait_for(claimed, 1));
	first_ns = rows[0].lease_until_ns;
	ck_assert(wait_for(settled, 1));
	ck_assert_int_eq(rows[0].state, DUE_DONE);
	ck_assert_int_gt(rows[0].lease_until_ns, first_ns + NS_PER_S / 2);
}
END_TEST

START_TEST(test_worker_heals_the_run_of_one_that_was_killed_and_does_not_run_it_again)
{
	struct run_row run;
	pid_t worker;

	due_try.nap_ns = 40 * NS_PER_S;
	ck_assert(due_try_put(store, "a", 1, NULL));
	worker = keep(due_try_worker(&due_try, "w", lease_ns, false));
	ck_assert(wait_for(under_way, 1));
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	ck_assert_int_eq(collect(worker), 128 + SIGKILL);

	ck_assert_int_eq(work_once(), EXIT_MET);

	read_rows();
	ck_assert_int_eq(rows[0].state, DUE_ABANDONED);
	ck_assert_str_eq(rows[0].worker, "alone");
	ck_assert_str_eq(rows[0].sentence,
			 "its worker was gone in the middle of it; what the run left is healed");
	ck_assert(store_run_find(store, rows[0].run_id, &arena, &run, &e));
	ck_assert(run.is_ended);
	ck_assert_int_eq(run.exit_code, EXIT_INTERNAL);
	ck_assert_uint_eq(due_try_begun_count(&due_try, "a", 1), 1);
}
END_TEST

/* On the server nobody looks by himself within this time. */
static size_t watches_under_way(void)
{
	size_t count = 0;

	read_rows();
	for (size_t i = 0; i < row_count; i++)
		count += rows[i].watch_of != NULL && rows[i].state == DUE_CLAIMED ? 1 : 0;
	return count;
}

/* A long run fills the one place for runs. */
START_TEST(test_worker_takes_a_watch_beside_its_jobs_and_no_second_run)
{
	const int64_t asked_at_most_ns = 20 * NS_PER_S; /* it looks every 30 s, and a server tells it */
	struct due_row watch = {
		.schedule = "watch of a",
		.experiment_text = "title: a drill\n",
		.inventory_text = "hosts: {}\n",
		.watch_of = "a",
		.vantage = "eu",
		.within_ns = 60 * NS_PER_S,
		.state = DUE_WAITS,
	};
	bool is_new = false;

	due_try.nap_ns = 40 * NS_PER_S;
	ck_assert(due_try_put(store, "a", 1, NULL));
	(void)keep(due_try_worker(&due_try, "w", lease_ns, false));
	ck_assert(wait_for(under_way, 1));
	ck_assert(due_try_put(store, "b", 2, NULL));

	const int64_t put_ns = clock_now_ns(&system_clock);

	ck_assert_msg(store_due_put(store, &watch, &is_new, &e), "%s", e.text);
	ck_assert(wait_for(watches_under_way, 1));
	ck_assert_int_lt(clock_now_ns(&system_clock) - put_ns, asked_at_most_ns);
	ck_assert_uint_eq(count_in(DUE_CLAIMED), 2);
	ck_assert_uint_eq(count_in(DUE_WAITS), 1);
}
END_TEST

START_TEST(test_worker_of_a_server_is_told_what_is_due)
{
	enum { TURNS = 4 }; /* one of them is quick on the slowest machine */
	int64_t quickest_ns = INT64_MAX;

	(void)keep(due_try_worker(&due_try, "w", lease_ns, false));
	ck_assert(due_try_put(store, "a", 1, NULL));
	ck_assert(wait_for(settled, 1));
	for (int i = 0; i < TURNS && quickest_ns >= 4 * NS_PER_S; i++) {
		const int64_t begun_ns = clock_now_ns(&system_clock);

		ck_assert(due_try_put(store, "b", 2 + i, NULL));
		ck_assert(wait_for(settled, 2 + (size_t)i));
		quickest_ns = clock_now_ns(&system_clock) - begun_ns;
	}
	ck_assert_int_lt(quickest_ns, 4 * NS_PER_S);
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_worker_of_many_half_killed_runs_each_due_run_once);
	tcase_add_test(tests, test_worker_once_runs_what_is_due_and_ends);
	tcase_add_test(tests, test_worker_keeps_the_complaint_of_a_run_that_did_not_begin);
	tcase_add_test(tests, test_worker_takes_nothing_while_something_is_unhealed);
	tcase_add_test(tests, test_worker_leaves_what_asks_for_a_label_it_has_not);
	tcase_add_test(tests, test_worker_told_to_end_lets_its_run_end_and_takes_nothing_more);
	tcase_add_test(tests, test_worker_told_twice_ends_its_run_and_heals_it);
	tcase_add_test(tests, test_worker_heals_the_run_of_one_that_was_killed_and_does_not_run_it_again);
	tcase_add_test(tests, test_worker_renews_its_lease_while_its_run_lasts);
	tcase_add_test(tests, test_worker_takes_a_watch_beside_its_jobs_and_no_second_run);
	if (is_server)
		tcase_add_test(tests, test_worker_of_a_server_is_told_what_is_due);
}

void suite_worker(Suite *suite)
{
	store_try_add(suite, "worker", setup, teardown, add_tests);
}
