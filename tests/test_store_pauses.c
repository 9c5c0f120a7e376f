/*
 * test_store_pauses.c - schedules that are paused: who, why and until when.
 */
#include <string.h>

#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "store/store.h"
#include "tests/suites.h"

static char *folder;
static struct text path;
static struct arena arena;
static struct secrets secrets;
static struct store *store;
static struct err e;

static void open_again(void)
{
	store_close(store);
	store = NULL;
	ck_assert_msg(store_open(text_str(&path), &secrets, &store, &e), "%s", e.text);
}

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
	memset(&secrets, 0, sizeof secrets);
	memset(&path, 0, sizeof path);
	memset(&e, 0, sizeof e);
	folder = temp_dir_make();
	store_try_place(folder, &path);
	open_again();
}

static void teardown(void)
{
	store_close(store);
	store = NULL;
	text_release(&path);
	arena_release(&arena);
	secrets_release(&secrets);
	temp_dir_remove(folder);
}

static void pause_it(const char *schedule, const char *person, const char *reason, int64_t wall_ns)
{
	const struct pause_row row = { schedule, person, reason, wall_ns };

	ck_assert_msg(store_pause(store, &row, &e), "%s", e.text);
}

static size_t lift(const char *schedule)
{
	const struct pause_row row = { schedule, "ben", "it is over", 90 };
	size_t count = 99;

	ck_assert_msg(store_unpause(store, &row, &count, &e), "%s", e.text);
	return count;
}

/* "weekly anna migration 7; ..." */
static const char *paused(void)
{
	struct text text = { 0 };
	struct pause_row *rows;
	const char *listed;
	size_t count;

	ck_assert_msg(store_pauses(store, &arena, &rows, &count, &e), "%s", e.text);
	for (size_t i = 0; i < count; i++)
		text_addf(&text, "%s%s %s %s %lld", i == 0 ? "" : "; ", rows[i].schedule,
			  rows[i].person, rows[i].reason, (long long)rows[i].wall_ns);
	listed = arena_copy(&arena, text_str(&text));
	text_release(&text);
	return listed;
}

START_TEST(test_pauses_list_the_newest_of_each_schedule_by_name)
{
	ck_assert_str_eq(paused(), "");
	pause_it("weekly", "anna", "migration", 7);
	pause_it("daily", "carl", "holiday", 8);
	pause_it("weekly", "ben", "audit", 9);
	ck_assert_str_eq(paused(), "daily carl holiday 8; weekly ben audit 9");
}
END_TEST

START_TEST(test_pause_is_lifted_of_one_schedule_with_all_that_came_twice)
{
	pause_it("weekly", "anna", "migration", 7);
	pause_it("weekly", "ben", "audit", 9);
	pause_it("daily", "carl", "holiday", 8);
	ck_assert_uint_eq(lift("monthly"), 0);
	ck_assert_uint_eq(lift("weekly"), 2);
	ck_assert_str_eq(paused(), "daily carl holiday 8");
	ck_assert_uint_eq(lift("weekly"), 0);
	pause_it("weekly", "anna", "again", 10);
	ck_assert_str_eq(paused(), "daily carl holiday 8; weekly anna again 10");
}
END_TEST

START_TEST(test_pause_is_there_when_the_store_is_opened_again)
{
	pause_it("weekly", "anna", "migration", 7);
	open_again();
	ck_assert_str_eq(paused(), "weekly anna migration 7");
}
END_TEST

START_TEST(test_pause_hides_a_secret_in_its_reason)
{
	secrets_register(&secrets, "s3cr3t-value");
	open_again();
	pause_it("weekly", "anna", "the password is s3cr3t-value", 7);
	ck_assert_ptr_null(strstr(paused(), "s3cr3t-value"));
	ck_assert_uint_eq(store_try_count(&path, "s3cr3t-value"), 0);
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_pauses_list_the_newest_of_each_schedule_by_name);
	tcase_add_test(tests, test_pause_is_lifted_of_one_schedule_with_all_that_came_twice);
	tcase_add_test(tests, test_pause_is_there_when_the_store_is_opened_again);
	tcase_add_test(tests, test_pause_hides_a_secret_in_its_reason);
	(void)is_server;
}

void suite_store_pauses(Suite *suite)
{
	store_try_add(suite, "store_pauses", setup, teardown, add_tests);
}
