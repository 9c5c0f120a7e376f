/*
 * test_probe_read.c - probe postgres.read against a real server: what each read tells of what is visible.
 */
#include "fixtures/pg_try.h"
#include "tests/suites.h"

#include <string.h>

static const int64_t plenty_ns = 10 * NS_PER_S;
static const int64_t quick_ns = 300 * NS_PER_MS;

static const char *const of_writes[] = { "ledger", "writes", NULL };

static void make_table(void)
{
	pg_try_do("create table firedrill_ledger_run_1 (writer text not null, seq bigint not null, "
		  "payload text not null, checksum text not null)");
}

static void add_rows(int first, int last)
{
	struct text sql = { 0 };

	text_addf(&sql,
		  "insert into firedrill_ledger_run_1 select 'writes', n, '', '' from "
		  "generate_series(%d, %d) n",
		  first, last);
	pg_try_do(text_str(&sql));
	text_release(&sql);
}

/* One read by this lane; it must be GOOD and tell so. */
static void expect_read_by(struct probe_try *lane, const char *shown)
{
	const struct attempt_result result = probe_try_sample(lane, 0, plenty_ns);

	ck_assert_msg(result.state == SAMPLE_GOOD, "%s", lane->err.text);
	ck_assert_str_eq(text_str(&lane->shown), shown);
}

static void expect_read(const char *shown)
{
	expect_read_by(&pg_try.probe, shown);
}

START_TEST(test_read_tells_what_is_new_and_what_is_gone)
{
	make_table();
	pg_try_open("postgres.read", of_writes);
	expect_read("");
	add_rows(0, 9);
	add_rows(12, 12);
	expect_read("+0-9+12");
	expect_read("");
	add_rows(10, 11);
	pg_try_do("delete from firedrill_ledger_run_1 where seq in (3, 4, 12)");
	expect_read("~3-4+10-11~12");
}
END_TEST

/* Old rows are counted and not listed; one that goes or comes is noticed all the same. */
START_TEST(test_read_of_many_rows_notices_a_change_among_the_old_ones)
{
	make_table();
	pg_try_open("postgres.read", of_writes);
	add_rows(0, 2999);
	expect_read("+0-2999");
	add_rows(3000, 3000);
	expect_read("+3000");
	pg_try_do("delete from firedrill_ledger_run_1 where seq = 7");
	expect_read("~7");
	/* The count is as before, the sum is not. */
	pg_try_do("delete from firedrill_ledger_run_1 where seq = 8");
	add_rows(7, 7);
	expect_read("+7~8");
	pg_try_do("delete from firedrill_ledger_run_1");
	expect_read("~0-7~9-3000");
	add_rows(0, 1);
	expect_read("+0-1");
}
END_TEST

START_TEST(test_read_of_a_copy_is_of_one_row)
{
	make_table();
	pg_try_open("postgres.read", of_writes);
	add_rows(0, 1000);
	add_rows(3, 3);
	add_rows(990, 990);
	expect_read("+0-1000");
	expect_read("");
	add_rows(1001, 2000);
	expect_read("+1001-2000");
	pg_try_do("delete from firedrill_ledger_run_1 where seq = 990");
	expect_read("~990");
}
END_TEST

START_TEST(test_read_sees_one_ledger_alone)
{
	make_table();
	pg_try_open("postgres.read", of_writes);
	add_rows(0, 1);
	pg_try_do("insert into firedrill_ledger_run_1 values ('others', 5, '', '')");
	expect_read("+0-1");
}
END_TEST

START_TEST(test_read_without_the_table_shows_nothing_and_says_so)
{
	pg_try_open("postgres.read", of_writes);
	expect_read("");
	ck_assert_ptr_nonnull(strstr(pg_try.probe.err.text, "42P01"));
	make_table();
	add_rows(0, 3);
	expect_read("+0-3");
	pg_try_do("drop table firedrill_ledger_run_1");
	expect_read("~0-3");
}
END_TEST

START_TEST(test_read_that_is_not_answered_tells_nothing_and_forgets_nothing)
{
	make_table();
	pg_try_open("postgres.read", of_writes);
	add_rows(0, 3);
	expect_read("+0-3");
	pg_server_freeze(&pg_try.server);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 1, quick_ns).state, SAMPLE_BAD);
	ck_assert_str_eq(text_str(&pg_try.probe.shown), "");
	pg_server_thaw(&pg_try.server);
	add_rows(4, 4);
	expect_read("+4");
}
END_TEST

START_TEST(test_read_of_a_row_that_no_ledger_can_have_written_is_bad)
{
	make_table();
	pg_try_open("postgres.read", of_writes);
	pg_try_do("insert into firedrill_ledger_run_1 values ('writes', -1, '', '')");
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_GOOD);
	ck_assert_str_eq(text_str(&pg_try.probe.shown), ""); /* below every mark */
	pg_try_do("insert into firedrill_ledger_run_1 values ('writes', 1 << 30, '', '')");
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_ptr_nonnull(strstr(pg_try.probe.err.text, "cannot have written"));
}
END_TEST

START_TEST(test_read_from_a_server_of_the_wrong_kind_is_bad)
{
	static const char *const params[] = { "ledger", "writes", "target_session_attrs", "standby",
					      NULL };

	make_table();
	pg_try_open("postgres.read", params);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_BAD);
}
END_TEST

/* The service's own clients want a primary; the reader names this server, which is read-only. */
START_TEST(test_read_from_a_member_takes_it_as_it_is)
{
	static const char *const params[] = { "ledger", "writes", "member", "db1", NULL };
	static struct host member = { .name = "db1", .address = "127.0.0.1" };
	static const struct host *const members[] = { &member };
	struct text conninfo = { 0 };

	make_table();
	add_rows(0, 1);
	text_addf(&conninfo, "%s target_session_attrs=read-write", text_str(&pg_try.conninfo));
	pg_try.service.conninfo = text_str(&conninfo);
	pg_try.service.members = members;
	pg_try.service.member_count = 1;
	pg_try_set("default_transaction_read_only", "on");
	pg_try_open("postgres.read", params);
	expect_read("+0-1");
	text_release(&conninfo);
}
END_TEST

START_TEST(test_read_from_a_member_that_is_none_is_refused)
{
	static const char *const params[] = { "ledger", "writes", "member", "db9", NULL };
	struct probe_try probe = { 0 };
	struct err e = { 0 };

	probe_try_init(&probe, "postgres.read", params);
	probe.spec.service = &pg_try.service;
	ck_assert(!probe.ops->check(&probe.spec, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "`db9` is no member of"));
	probe_try_release(&probe);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_read_tells_what_is_new_and_what_is_gone);
	tcase_add_test(tests, test_read_of_many_rows_notices_a_change_among_the_old_ones);
	tcase_add_test(tests, test_read_of_a_copy_is_of_one_row);
	tcase_add_test(tests, test_read_sees_one_ledger_alone);
	tcase_add_test(tests, test_read_without_the_table_shows_nothing_and_says_so);
	tcase_add_test(tests, test_read_that_is_not_answered_tells_nothing_and_forgets_nothing);
	tcase_add_test(tests, test_read_of_a_row_that_no_ledger_can_have_written_is_bad);
	tcase_add_test(tests, test_read_from_a_server_of_the_wrong_kind_is_bad);
	tcase_add_test(tests, test_read_from_a_member_takes_it_as_it_is);
	tcase_add_test(tests, test_read_from_a_member_that_is_none_is_refused);
}

void suite_probe_read(Suite *suite)
{
	suite_add_tcase(suite, pg_try_case(add_tests));
}
