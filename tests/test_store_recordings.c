/*
 * test_store_recordings.c - runs that a name stands for: what is recorded is found again, the newest
 * first.
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

static void begin_run(const char *run_id)
{
	const struct run_row row = { .run_id = run_id, .title = "a drill" };

	ck_assert_msg(store_run_begin(store, &row, &e), "%s", e.text);
}

static void record(const char *name, const char *title, const char *run_id)
{
	ck_assert_msg(store_record(store, name, title, run_id, &e), "%s", e.text);
}

/* The ids found, with a blank behind each. */
static const char *found(const char *name, const char *title, size_t most)
{
	const char **run_ids = NULL;
	struct text text = { 0 };
	size_t count = 0;

	ck_assert_msg(store_recorded(store, name, title, most, &arena, &run_ids, &count, &e), "%s",
		      e.text);
	for (size_t i = 0; i < count; i++)
		text_addf(&text, "%s ", run_ids[i]);

	const char *copy = arena_copy(&arena, text_str(&text));

	text_release(&text);
	return copy;
}

START_TEST(test_recorded_runs_come_back_newest_first)
{
	begin_run("r1");
	begin_run("r2");
	begin_run("r3");
	record("main", "kill", "r1");
	record("main", "kill", "r2");
	record("main", "hang", "r3");
	record("feature/x", "kill", "r3");
	open_again();
	ck_assert_str_eq(found("main", "kill", 20), "r2 r1 ");
	ck_assert_str_eq(found("main", "kill", 1), "r2 ");
	ck_assert_str_eq(found("main", "hang", 20), "r3 ");
	ck_assert_str_eq(found("feature/x", "kill", 20), "r3 ");
	ck_assert_str_eq(found("main", "nothing", 20), "");
	ck_assert_str_eq(found("Main", "kill", 20), "");
}
END_TEST

START_TEST(test_record_twice_is_one_run_and_the_newest)
{
	begin_run("r1");
	begin_run("r2");
	record("main", "kill", "r1");
	record("main", "kill", "r2");
	record("main", "kill", "r1");
	ck_assert_str_eq(found("main", "kill", 20), "r1 r2 ");
}
END_TEST

START_TEST(test_record_of_no_run_is_refused)
{
	ck_assert(!store_record(store, "main", "kill", "nosuch", &e));
	ck_assert_int_eq(e.kind, ERR_STORE);
	ck_assert_str_eq(found("main", "kill", 20), "");
}
END_TEST

START_TEST(test_record_under_a_secret_is_refused)
{
	struct secrets secrets = { 0 };

	begin_run("r1");
	secrets_register(&secrets, "hunter2-hunter2");
	store_hide_also(store, &secrets);
	ck_assert(!store_record(store, "hunter2-hunter2", "kill", "r1", &e));
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	/* In a title it is hidden, and found all the same. */
	record("main", "kill hunter2-hunter2", "r1");
	ck_assert_str_eq(found("main", "kill hunter2-hunter2", 20), "r1 ");
	ck_assert_uint_eq(store_try_count(&path, "hunter2"), 0);
	store_hide_also(store, NULL);
	secrets_release(&secrets);
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_recorded_runs_come_back_newest_first);
	tcase_add_test(tests, test_record_twice_is_one_run_and_the_newest);
	tcase_add_test(tests, test_record_of_no_run_is_refused);
	tcase_add_test(tests, test_record_under_a_secret_is_refused);
	(void)is_server;
}

void suite_store_recordings(Suite *suite)
{
	store_try_add(suite, "store_recordings", setup, teardown, add_tests);
}
