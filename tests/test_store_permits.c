/*
 * test_store_permits.c - approvals and orders to stop: what goes in comes out, and a changed approval
 * is noticed.
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

static void run_sql(const char *sql)
{
	store_try_sql(&path, sql, NULL);
}

static bool approve(const char *digest, const char *person)
{
	const struct approval_row row = { .digest = digest, .person = person, .account = "root@here",
					  .title = "A drill", .wall_ns = 5, .until_wall_ns = 50 };

	return store_approve(store, &row, &e);
}

static size_t count_approvals(const char *digest)
{
	struct approval_row *rows;
	size_t count = 0;

	ck_assert_msg(store_approvals(store, digest, &arena, &rows, &count, &e), "%s", e.text);
	return count;
}

START_TEST(test_approvals_of_one_digest_come_back_in_their_order)
{
	struct approval_row *rows;
	size_t count;

	ck_assert_msg(approve("aa", "anna"), "%s", e.text);
	ck_assert(approve("bb", "carl"));
	ck_assert(approve("aa", "ben"));
	open_again();
	ck_assert(store_approvals(store, "aa", &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(rows[0].person, "anna");
	ck_assert_str_eq(rows[1].person, "ben");
	ck_assert_str_eq(rows[1].account, "root@here");
	ck_assert_int_eq(rows[1].until_wall_ns, 50);
	ck_assert_uint_eq(count_approvals("cc"), 0);
}
END_TEST

START_TEST(test_approval_that_was_changed_is_refused)
{
	static const char *const changes[] = { "person = 'carl'", "until_wall_ns = 5000",
					       "account = 'x'" };
	struct approval_row *rows;
	size_t count;

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct text sql = { 0 };

		run_sql("delete from approvals");
		ck_assert(approve("aa", "anna"));
		text_addf(&sql, "update approvals set %s", changes[i]);
		run_sql(text_str(&sql));
		text_release(&sql);
		ck_assert(!store_approvals(store, "aa", &arena, &rows, &count, &e));
		ck_assert_int_eq(e.kind, ERR_ALTERED);
	}
	/* One for another plan, given this one's digest. */
	run_sql("delete from approvals");
	ck_assert(approve("bb", "anna"));
	run_sql("update approvals set digest = 'aa'");
	ck_assert(!store_approvals(store, "aa", &arena, &rows, &count, &e));
}
END_TEST

START_TEST(test_approval_by_somebody_named_like_a_secret_is_refused)
{
	secrets_register(&secrets, "hunter2");
	ck_assert(!approve("aa", "hunter2"));
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	ck_assert_uint_eq(count_approvals("aa"), 0);
}
END_TEST

static bool is_stopped(const char *run_id, const char *set_id, struct stop_row *ret_row)
{
	bool is_there = false;

	ck_assert_msg(store_stop_find(store, run_id, set_id, &arena, &is_there, ret_row, &e), "%s",
		      e.text);
	return is_there;
}

START_TEST(test_stop_of_one_run_or_set_is_seen_by_nobody_else)
{
	const struct stop_row of_run = { .subject = "run-a", .person = "anna", .reason = "wrong one" };
	const struct stop_row of_set = { .subject = "set-b", .person = "ben", .reason = "late" };
	struct stop_row row;

	ck_assert(!is_stopped("run-a", NULL, &row));
	ck_assert(store_stop(store, &of_run, &e));
	ck_assert(store_stop(store, &of_set, &e));
	ck_assert(is_stopped("run-a", NULL, &row));
	ck_assert_str_eq(row.reason, "wrong one");
	ck_assert(is_stopped("set-b-t02", "set-b", &row));
	ck_assert_str_eq(row.person, "ben");
	ck_assert(!is_stopped("run-b", NULL, &row));
	ck_assert(!is_stopped(NULL, NULL, &row)); /* nothing keeps new runs from starting */
}
END_TEST

START_TEST(test_suite_of_a_run_is_what_it_is_named_after)
{
	static const struct {
		const char *run_id;
		const char *set_id;
		const char *suite;
	} cases[] = {
		{ "nightly-d01", NULL, "nightly" },
		{ "nightly-d123", NULL, "nightly" },
		{ "20261121-102030-k3f9-d07-t02", "20261121-102030-k3f9-d07", "20261121-102030-k3f9" },
		{ "20261121-102030-d7k2", NULL, NULL },
		{ "nightly-d1", NULL, NULL },
		{ "nightly-d01-t02", NULL, NULL }, /* no set: somebody has named it so */
		{ "-d01", NULL, NULL },
		{ "d01", NULL, NULL },
		{ NULL, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *suite = store_suite_of(cases[i].run_id, cases[i].set_id, &arena);

		ck_assert_pstr_eq(suite, cases[i].suite);
	}
}
END_TEST

START_TEST(test_stop_of_a_suite_is_seen_by_its_runs_and_sets_alone)
{
	const struct stop_row order = { .subject = "nightly", .person = "anna", .reason = "INC-7" };
	struct stop_row row;

	ck_assert(store_stop(store, &order, &e));
	ck_assert(is_stopped("nightly", NULL, &row)); /* the suite itself */
	ck_assert(is_stopped("nightly-d01", NULL, &row));
	ck_assert_str_eq(row.reason, "INC-7");
	ck_assert(is_stopped("nightly-d02-t03", "nightly-d02", &row));
	ck_assert(!is_stopped("nightly-2-d01", NULL, &row));
	ck_assert(!is_stopped("other-d01", NULL, &row));
}
END_TEST

START_TEST(test_stop_of_everything_holds_until_it_is_lifted)
{
	const struct stop_row all = { .person = "anna", .reason = "fire", .wall_ns = 7 };
	const struct stop_row of_run = { .subject = "run-a", .person = "ben", .reason = "mine" };
	const struct stop_row lift = { .person = "carl", .reason = "out", .wall_ns = 9 };
	struct stop_row row;
	size_t count = 99;

	ck_assert(store_resume(store, &lift, &count, &e));
	ck_assert_uint_eq(count, 0);
	ck_assert(store_stop(store, &all, &e));
	ck_assert(store_stop(store, &all, &e));
	ck_assert(store_stop(store, &of_run, &e));
	open_again();
	ck_assert(is_stopped("run-x", NULL, &row));
	ck_assert_ptr_null(row.subject);
	ck_assert_int_eq(row.wall_ns, 7);
	ck_assert(is_stopped(NULL, NULL, &row));
	ck_assert(store_resume(store, &lift, &count, &e));
	ck_assert_uint_eq(count, 2);
	ck_assert(!is_stopped("run-x", NULL, &row));
	ck_assert(is_stopped("run-a", NULL, &row)); /* that one stays: the run was told to end */
}
END_TEST

START_TEST(test_locks_list_who_holds_what)
{
	const struct run_row run = { .run_id = "run-a" };
	struct lock_row *rows;
	size_t count;

	ck_assert(store_locks(store, &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, 0);
	ck_assert_msg(store_run_begin(store, &run, &e), "%s", e.text);
	ck_assert(store_lock_take(store, "run-a", "db2", &e));
	ck_assert(store_lock_take(store, "run-a", "db1", &e));
	ck_assert(store_locks(store, &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(rows[0].target, "db1");
	ck_assert_str_eq(rows[1].run_id, "run-a");
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_approvals_of_one_digest_come_back_in_their_order);
	tcase_add_test(tests, test_approval_that_was_changed_is_refused);
	tcase_add_test(tests, test_approval_by_somebody_named_like_a_secret_is_refused);
	tcase_add_test(tests, test_stop_of_one_run_or_set_is_seen_by_nobody_else);
	tcase_add_test(tests, test_suite_of_a_run_is_what_it_is_named_after);
	tcase_add_test(tests, test_stop_of_a_suite_is_seen_by_its_runs_and_sets_alone);
	tcase_add_test(tests, test_stop_of_everything_holds_until_it_is_lifted);
	tcase_add_test(tests, test_locks_list_who_holds_what);
	(void)is_server;
}

void suite_store_permits(Suite *suite)
{
	store_try_add(suite, "store_permits", setup, teardown, add_tests);
}
