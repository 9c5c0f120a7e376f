/*
 * test_store_sets.c - sets of trials in the store: what goes in comes out, sealed.
 */
#include <string.h>

#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "store/store.h"
#include "tests/suites.h"

static char *dir;
static struct text path;
static struct store *store;
static struct arena arena;
static struct err e;

static void open_again(void)
{
	store_close(store);
	store = NULL;
	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e), "%s", e.text);
}

static void setup(void)
{
	dir = temp_dir_make();
	store_try_place(dir, &path);
	open_again();
}

static void teardown(void)
{
	store_close(store);
	store = NULL;
	text_release(&path);
	arena_release(&arena);
	temp_dir_remove(dir);
}

static void run_sql(const char *sql)
{
	store_try_sql(&path, sql, NULL);
}


static void begin_set(const char *set_id)
{
	const struct set_row row = { .set_id = set_id,
				     .title = "a drill",
				     .version = "1",
				     .wall_ns = 77,
				     .seed = UINT64_MAX - 1,
				     .planned_count = 20 };

	ck_assert_msg(store_set_begin(store, &row, &e), "%s", e.text);
}

static bool begin_run(const char *run_id, const char *set_id, int64_t trial)
{
	const struct run_row row = {
		.run_id = run_id, .title = "a drill", .set_id = set_id, .trial = trial
	};

	return store_run_begin(store, &row, &e);
}

static void end_set(const char *set_id)
{
	const struct set_row end = { .set_id = set_id,
				     .ended_wall_ns = 99,
				     .trial_count = 2,
				     .exit_code = 6,
				     .sentence = "2 of 20 trials.",
				     .stopped = "stopped by signal 2 (INT)" };

	ck_assert_msg(store_set_end(store, &end, &e), "%s", e.text);
}

START_TEST(test_set_and_its_runs_come_back_after_a_restart)
{
	struct set_row set;
	struct run_row *runs;
	size_t count;

	begin_set("set-a");
	ck_assert_msg(begin_run("set-a-t02", "set-a", 2), "%s", e.text);
	ck_assert_msg(begin_run("set-a-t01", "set-a", 1), "%s", e.text);
	ck_assert_msg(begin_run("alone", NULL, 0), "%s", e.text);
	ck_assert(store_set_find(store, "set-a", &arena, &set, &e));
	ck_assert(!set.is_ended);
	ck_assert(store_set_is_alive(&set));
	end_set("set-a");
	open_again();
	ck_assert_msg(store_set_find(store, "set", &arena, &set, &e), "%s", e.text);
	ck_assert_str_eq(set.set_id, "set-a");
	ck_assert_str_eq(set.title, "a drill");
	ck_assert(set.seed == UINT64_MAX - 1);
	ck_assert_int_eq(set.wall_ns, 77);
	ck_assert_int_eq(set.planned_count, 20);
	ck_assert(set.is_ended);
	ck_assert_int_eq(set.trial_count, 2);
	ck_assert_int_eq(set.exit_code, 6);
	ck_assert_str_eq(set.stopped, "stopped by signal 2 (INT)");
	ck_assert(store_set_runs(store, "set-a", &arena, &runs, &count, &e));
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(runs[0].run_id, "set-a-t01");
	ck_assert_int_eq(runs[1].trial, 2);
	ck_assert_str_eq(runs[1].set_id, "set-a");
	ck_assert(store_run_find(store, "alone", &arena, runs, &e));
	ck_assert_ptr_null(runs[0].set_id);
}
END_TEST

START_TEST(test_set_find_says_when_there_is_none_or_more_than_one)
{
	struct set_row set;

	begin_set("set-a");
	begin_set("set-ab");
	ck_assert(!store_set_find(store, "nowhere", &arena, &set, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.text, "has none whose id begins so"));
	ck_assert(!store_set_find(store, "set", &arena, &set, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "write more of the id"));
	ck_assert(!store_set_find(store, "", &arena, &set, &e));
	ck_assert(store_set_find(store, "set-a", &arena, &set, &e)); /* the whole id wins */
	ck_assert_str_eq(set.set_id, "set-a");
}
END_TEST

START_TEST(test_set_begin_and_end_happen_once)
{
	const struct set_row again = { .set_id = "set-a" };
	const struct set_row as_run = { .set_id = "run-a" };
	const struct set_row nobody = { .set_id = "set-b" };
	const struct set_row odd = { .set_id = "../set" };

	begin_set("set-a");
	ck_assert(begin_run("run-a", NULL, 0));
	ck_assert(!store_set_begin(store, &again, &e));
	ck_assert_int_eq(e.kind, ERR_STORE);
	ck_assert(!store_set_begin(store, &as_run, &e));
	ck_assert(!store_set_begin(store, &odd, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	end_set("set-a");
	ck_assert(!store_set_end(store, &again, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "ended already"));
	ck_assert(!store_set_end(store, &nobody, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "has none with this id"));
	/* A number in a set is taken once. */
	ck_assert(begin_run("one", "set-a", 1));
	ck_assert(!begin_run("other", "set-a", 1));
}
END_TEST

START_TEST(test_set_find_notices_changed_rows)
{
	struct set_row set;
	struct run_row run;

	begin_set("set-a");
	ck_assert(begin_run("set-a-t01", "set-a", 1));
	end_set("set-a");
	run_sql("update sets set planned_count = 2");
	ck_assert(!store_set_find(store, "set-a", &arena, &set, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "not as it was written"));
	run_sql("update sets set planned_count = 20, exit_code = 0");
	ck_assert(!store_set_find(store, "set-a", &arena, &set, &e));
	run_sql("update sets set exit_code = 6");
	ck_assert_msg(store_set_find(store, "set-a", &arena, &set, &e), "%s", e.text);
	/* A run that was moved to another set, or out of one. */
	ck_assert(store_run_find(store, "set-a-t01", &arena, &run, &e));
	run_sql("update runs set trial = 2");
	ck_assert(!store_run_find(store, "set-a-t01", &arena, &run, &e));
	run_sql("update runs set trial = 1, set_id = null");
	ck_assert(!store_run_find(store, "set-a-t01", &arena, &run, &e));
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_set_and_its_runs_come_back_after_a_restart);
	tcase_add_test(tests, test_set_find_says_when_there_is_none_or_more_than_one);
	tcase_add_test(tests, test_set_begin_and_end_happen_once);
	tcase_add_test(tests, test_set_find_notices_changed_rows);
	(void)is_server;
}

void suite_store_sets(Suite *suite)
{
	store_try_add(suite, "store_sets", setup, teardown, add_tests);
}
