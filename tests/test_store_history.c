/*
 * test_store_history.c - many runs, a page of them at a time: chosen, counted, and the facts that have changed.
 * On both databases. And a store that hangs keeps nobody longer than he wants to wait.
 */
#include "fixtures/store_case.h"
#include "store/store_care.h"
#include "tests/suites.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static struct store *store; /* store_case.store */

static void setup(void)
{
	store_case_open();
	store = store_case.store;
}

static void end_run(const char *run_id, enum run_exit exit_code)
{
	ck_assert_msg(store_run_end(store, run_id, 99, exit_code, "It ended.", &store_case.e), "%s",
		      store_case.e.text);
}

/* r0 to r6, in this order; r6 and r3 have no end. */
static void make_runs(void)
{
	store_case_begin("r0", "Kill the primary");
	end_run("r0", EXIT_MET);
	store_case_begin("r1", "Fill 100% of the disk");
	end_run("r1", EXIT_MISSED);
	store_case_begin("r2", "kill a replica");
	end_run("r2", EXIT_MET);
	store_case_begin("r3", "Hang the primary");
	store_case_begin("r4", "under_score \\ and more");
	end_run("r4", EXIT_STOPPED);
	store_case_begin("r5", NULL);
	end_run("r5", EXIT_MET);
	store_case_begin("r6", "Kill the primary");
}

#define CODE(exit_code) (UINT64_C(1) << (exit_code))

/* Their ids, with a blank behind each. */
static const char *chosen(const char *text, uint64_t exit_codes, size_t skip, size_t limit)
{
	const struct run_choice choice = { text, exit_codes, skip, limit };
	static char ids[128];
	struct run_row *rows = NULL;
	size_t count = 0;

	ck_assert_msg(store_runs_chosen(store, &choice, &store_case.arena, &rows, &count,
					&store_case.e),
		      "%s", store_case.e.text);
	ids[0] = '\0';
	for (size_t i = 0; i < count; i++)
		(void)snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%s ", rows[i].run_id);
	return ids;
}

START_TEST(test_runs_chosen_are_a_page_of_those_that_fit)
{
	make_runs();
	ck_assert_str_eq(chosen("", 0, 0, 3), "r6 r5 r4 ");
	ck_assert_str_eq(chosen("", 0, 3, 3), "r3 r2 r1 ");
	ck_assert_str_eq(chosen("", 0, 6, 3), "r0 ");
	ck_assert_str_eq(chosen("", 0, 7, 3), "");
	ck_assert_str_eq(chosen("", CODE(EXIT_MET), 0, 9), "r5 r2 r0 ");
	ck_assert_str_eq(chosen("", CODE(EXIT_MET), 1, 1), "r2 ");
	ck_assert_str_eq(chosen("", CODE(EXIT_MISSED) | CODE(EXIT_STOPPED), 0, 9), "r4 r1 ");
	ck_assert_str_eq(chosen("KILL", 0, 0, 9), "r6 r2 r0 ");
	ck_assert_str_eq(chosen("kill", CODE(EXIT_MET), 0, 9), "r2 r0 ");
	ck_assert_str_eq(chosen("R5", 0, 0, 9), "r5 ");
}
END_TEST

START_TEST(test_runs_chosen_by_a_text_mean_every_letter_of_it)
{
	make_runs();
	ck_assert_str_eq(chosen("100%", 0, 0, 9), "r1 ");
	ck_assert_str_eq(chosen("1%k", 0, 0, 9), "");
	ck_assert_str_eq(chosen("r_s", 0, 0, 9), "r4 ");
	ck_assert_str_eq(chosen("h_n", 0, 0, 9), "");
	ck_assert_str_eq(chosen("\\ AND", 0, 0, 9), "r4 ");
	ck_assert_str_eq(chosen("'; drop table runs; --", 0, 0, 9), "");
}
END_TEST

START_TEST(test_runs_tally_counts_by_the_end)
{
	struct run_tally tally;

	ck_assert(store_runs_tally(store, "", &tally, &store_case.e));
	ck_assert_uint_eq(tally.run_count, 0);
	make_runs();
	ck_assert(store_runs_tally(store, "", &tally, &store_case.e));
	ck_assert_uint_eq(tally.run_count, 7);
	ck_assert_uint_eq(tally.open_count, 2);
	ck_assert_uint_eq(tally.ended_counts[EXIT_MET], 3);
	ck_assert_uint_eq(tally.ended_counts[EXIT_MISSED], 1);
	ck_assert_uint_eq(tally.ended_counts[EXIT_STOPPED], 1);
	ck_assert(store_runs_tally(store, "Kill", &tally, &store_case.e));
	ck_assert_uint_eq(tally.run_count, 3);
	ck_assert_uint_eq(tally.open_count, 1);
	ck_assert_uint_eq(tally.ended_counts[EXIT_MET], 2);
}
END_TEST

START_TEST(test_runs_open_are_those_without_an_end)
{
	struct run_row *rows = NULL;
	size_t count = 0;

	make_runs();
	ck_assert(store_runs_open(store, &store_case.arena, &rows, &count, &store_case.e));
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(rows[0].run_id, "r6");
	ck_assert_str_eq(rows[1].run_id, "r3");
	ck_assert(!rows[0].is_ended);
}
END_TEST

/* Ids are found by their beginning in an index: the next one in the order of bytes is no match. */
START_TEST(test_run_find_by_a_beginning_takes_no_neighbour)
{
	static const char *const ids[] = { "a-1", "a-1z", "a-2", "a.1", "aZ", "b" };
	struct run_row row;

	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		store_case_begin(ids[i], "a drill");
	ck_assert(store_run_find(store, "a-1z", &store_case.arena, &row, &store_case.e));
	ck_assert_str_eq(row.run_id, "a-1z");
	ck_assert(store_run_find(store, "a.", &store_case.arena, &row, &store_case.e));
	ck_assert_str_eq(row.run_id, "a.1");
	ck_assert(store_run_find(store, "a-1", &store_case.arena, &row, &store_case.e));
	ck_assert_str_eq(row.run_id, "a-1");
	ck_assert(!store_run_find(store, "a", &store_case.arena, &row, &store_case.e));
	ck_assert_ptr_nonnull(strstr(store_case.e.text, "5 runs begin so"));
	ck_assert(!store_run_find(store, "a-3", &store_case.arena, &row, &store_case.e));
}
END_TEST

static int64_t version_now(void)
{
	int64_t version = -1;

	ck_assert_msg(store_facts_version(store, &version, &store_case.e), "%s", store_case.e.text);
	return version;
}

static void put_facts(const char *run_id, uint64_t lost_count)
{
	const struct facts_subject subject = { .service = "web", .environment = "",
						 .scenario = "disk.fill", .title = "a drill",
						 .experiment = "1", .inventory = "2" };
	const struct run_facts facts = { .run_id = run_id, .lost_count = lost_count };

	ck_assert_msg(store_facts_put(store, &subject, &facts, NULL, &store_case.e), "%s",
		      store_case.e.text);
}

static void tell_nobody(void *ctx, const struct run_row *row, enum prune_end end)
{
	(void)ctx;
	(void)row;
	ck_assert_int_eq(end, PRUNE_REMOVED);
}

START_TEST(test_facts_version_is_another_one_after_every_change)
{
	struct prune all = { .before_wall_ns = INT64_MAX, .tell = tell_nobody };
	int64_t before = version_now();

	store_case_begin("r1", "a drill");
	ck_assert_int_eq(version_now(), before); /* it has none yet */
	put_facts("r1", 1);
	ck_assert_int_ne(version_now(), before);
	before = version_now();
	store_case_open_again();
	store = store_case.store;
	ck_assert_int_eq(version_now(), before);
	put_facts("r1", 2);
	ck_assert_int_ne(version_now(), before);
	before = version_now();
	end_run("r1", EXIT_MET);
	ck_assert_int_eq(version_now(), before);
	ck_assert_msg(store_prune(store, &all, &store_case.e), "%s", store_case.e.text);
	ck_assert_int_ne(version_now(), before);
}
END_TEST

/* ---- who must not wait ---- */

static const int64_t patience_ns = NS_PER_S / 2;

static int64_t now_ns(void)
{
	const struct clock clock = clock_system();

	return clock_now_ns(&clock);
}

START_TEST(test_open_by_a_file_that_is_locked_gives_up_in_time)
{
	const int64_t begun_ns = now_ns();
	struct store *other = NULL;
	sqlite3 *db = NULL;

	store_close(store_case.store);
	store_case.store = NULL;
	ck_assert_int_eq(sqlite3_open(text_str(&store_case.path), &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "pragma locking_mode = exclusive; begin exclusive", NULL,
				      NULL, NULL), SQLITE_OK);
	ck_assert(!store_open_by(text_str(&store_case.path), NULL, begun_ns + patience_ns, &other,
				 &store_case.e));
	ck_assert_int_lt(now_ns() - begun_ns, 4 * NS_PER_S); /* its own patience is 5 s */
	ck_assert_ptr_nonnull(strstr(store_case.e.text, "another process has kept it locked"));
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}
END_TEST

/* A question that takes long is ended in the middle. */
START_TEST(test_set_deadline_ends_a_long_statement)
{
	struct run_tally tally;

	store_try_sql(&store_case.path,
		      "with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000)"
		      " insert into runs (run_id, title, boot_ns, wall_ns, vars, boot_id, pid, pid_start, seal)"
		      " select 'run-' || i, 'a drill', 1, i, '[]', 'x', 1, 1, '' from n", NULL);
	store_set_deadline(store, now_ns() - 1);
	ck_assert(!store_runs_tally(store, "drill", &tally, &store_case.e));
	ck_assert_ptr_nonnull(strstr(store_case.e.text, "has not answered in the time there was"));
	store_set_deadline(store, INT64_MAX);
	ck_assert(store_runs_tally(store, "drill", &tally, &store_case.e));
	ck_assert_uint_eq(tally.run_count, 20000);
}
END_TEST

START_TEST(test_set_deadline_of_a_server_that_hangs_is_kept)
{
	int64_t begun_ns;
	struct run_tally tally;
	struct store *other = NULL;

	store_case_begin("r1", "a drill");
	pg_server_freeze(store_try_server());
	begun_ns = now_ns();
	store_set_deadline(store, begun_ns + patience_ns);
	ck_assert(!store_runs_tally(store, "", &tally, &store_case.e));
	ck_assert_ptr_nonnull(strstr(store_case.e.text, "no answer within"));
	ck_assert(!store_open_by(text_str(&store_case.path), NULL, now_ns() + patience_ns, &other,
				 &store_case.e));
	ck_assert_int_lt(now_ns() - begun_ns, 4 * NS_PER_S); /* its own patience is 6 s, and 5 to connect */
	pg_server_thaw(store_try_server());
}
END_TEST

/* What nobody waits for any more does not go on in the server. */
START_TEST(test_open_by_a_server_limits_its_statements)
{
	struct run_tally tally;
	struct store *other = NULL;

	ck_assert(store_open_by(text_str(&store_case.path), NULL, now_ns() + 2 * NS_PER_S, &other,
				&store_case.e));
	store_set_deadline(other, INT64_MAX); /* so that the server is the one that ends it */
	store_try_sql(&store_case.path,
		      "alter table runs rename to kept_runs;"
		      " create function slow() returns text language sql as"
		      " $$ select pg_sleep(30)::text $$;"
		      " create view runs as select 1 as exit_code, null::text as watch_of, slow() as title,"
		      " slow() as run_id", NULL);
	ck_assert(!store_runs_tally(other, "x", &tally, &store_case.e));
	ck_assert_ptr_nonnull(strstr(store_case.e.text, "the server has taken too long"));
	store_close(other);
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_runs_chosen_are_a_page_of_those_that_fit);
	tcase_add_test(tests, test_runs_chosen_by_a_text_mean_every_letter_of_it);
	tcase_add_test(tests, test_runs_tally_counts_by_the_end);
	tcase_add_test(tests, test_runs_open_are_those_without_an_end);
	tcase_add_test(tests, test_run_find_by_a_beginning_takes_no_neighbour);
	tcase_add_test(tests, test_facts_version_is_another_one_after_every_change);
	if (is_server) {
		tcase_add_test(tests, test_set_deadline_of_a_server_that_hangs_is_kept);
		tcase_add_test(tests, test_open_by_a_server_limits_its_statements);
	} else {
		tcase_add_test(tests, test_open_by_a_file_that_is_locked_gives_up_in_time);
		tcase_add_test(tests, test_set_deadline_ends_a_long_statement);
	}
}

void suite_store_history(Suite *suite)
{
	store_try_add(suite, "store_history", setup, store_case_close, add_tests);
}
