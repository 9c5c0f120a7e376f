/*
 * test_probe_primaries.c - probe postgres.primaries against a real server: what each look tells.
 */
#include "fixtures/pg_try.h"
#include "fixtures/watch_try.h"
#include "tests/suites.h"

#include <string.h>

static const int64_t plenty_ns = 10 * NS_PER_S;
static const int64_t quick_ns = 300 * NS_PER_MS;

static struct host first = { .name = "db1", .address = "127.0.0.1" };
static struct host second = { .name = "db2", .address = "127.0.0.1" };
static const struct host *const members[] = { &first, &second };

static const char rows_sql[] = "select count(*) from firedrill_ledger_watch_run_1";

static void watch_members(const char *const *params)
{
	struct err e = { 0 };

	pg_try.service.members = members;
	pg_try.service.member_count = 2;
	watch_open("postgres.primaries", params, &pg_try.service, &first);
	ck_assert_msg(watch.probe.ops->prepare(&watch.probe.spec, "Run-1", &watch.probe.clock,
					       pg_try_now_ns() + plenty_ns, &e),
		      "%s", e.text);
}

static void tear_down(void)
{
	watch_close();
	pg_server_thaw(&pg_try.server);
	(void)pg_server_sql(&pg_try.server, "drop table if exists firedrill_ledger_watch_run_1", NULL,
			    NULL);
}

static void expect_last(size_t count, enum standing was, enum standing is)
{
	ck_assert_uint_eq(watch.seen_count, count);
	ck_assert_int_eq(watch.seen[count - 1].was, was);
	ck_assert_int_eq(watch.seen[count - 1].is, is);
}

START_TEST(test_primaries_writable_one_is_told_once_and_written_to_each_time)
{
	watch_members(NULL);
	watch_look();
	watch_look();
	watch_look();
	expect_last(1, STANDING_NONE, STANDING_WRITABLE);
	ck_assert_ptr_nonnull(strstr(watch.seen[0].what,
				     "is primary and acknowledges writes, timeline 00000001"));
	ck_assert_str_ne(watch.seen[0].server, "");
	ck_assert_int_gt(watch.seen[0].from_ns, 0);
	ck_assert_int_eq(pg_try_count(rows_sql), 3);
	watch_leave();
	expect_last(2, STANDING_WRITABLE, STANDING_WRITABLE);
	ck_assert(watch.seen[1].is_last);
}
END_TEST

/* Isolated from its synchronous replica it answers every question and commits nothing. */
START_TEST(test_primaries_one_that_waits_for_its_replica_is_primary_and_not_writable)
{
	watch_members(NULL);
	watch_look();
	pg_try_set("synchronous_standby_names", "nobody");
	ck_assert(watch_look_within(quick_ns));
	expect_last(2, STANDING_WRITABLE, STANDING_PRIMARY);
	ck_assert(watch_look_within(quick_ns));
	ck_assert_uint_eq(watch.seen_count, 2);
	pg_try_set("synchronous_standby_names", "");
	while (watch.seen_count == 2)
		ck_assert(watch_look_within(plenty_ns)); /* the test's own time limit ends this */
	expect_last(3, STANDING_PRIMARY, STANDING_WRITABLE);
}
END_TEST

START_TEST(test_primaries_read_only_one_is_primary_and_not_writable)
{
	watch_members(NULL);
	pg_try_set("default_transaction_read_only", "on");
	watch_look();
	expect_last(1, STANDING_NONE, STANDING_PRIMARY);
}
END_TEST

START_TEST(test_primaries_frozen_one_is_silent)
{
	watch_members(NULL);
	watch_look();
	pg_server_freeze(&pg_try.server);
	ck_assert(!watch_look_within(quick_ns));
	expect_last(2, STANDING_WRITABLE, STANDING_SILENT);
	ck_assert_int_eq(watch.seen[1].from_ns < watch.seen[1].until_ns, true);
	pg_server_thaw(&pg_try.server);
	while (watch.seen_count == 2)
		(void)watch_look_within(plenty_ns);
	expect_last(3, STANDING_SILENT, STANDING_WRITABLE);
	ck_assert_str_eq(watch.seen[2].server, watch.seen[0].server); /* the same start of it */
}
END_TEST

START_TEST(test_primaries_silent_one_is_down_where_the_document_says_so)
{
	static const char *const params[] = { "silent", "down", NULL };

	watch_members(params);
	pg_server_freeze(&pg_try.server);
	ck_assert(!watch_look_within(quick_ns));
	expect_last(1, STANDING_NONE, STANDING_DOWN);
}
END_TEST

START_TEST(test_primaries_one_without_a_listener_is_down)
{
	struct text conninfo = { 0 };

	/* Port 1 of loopback: nobody listens there. */
	text_add(&conninfo, "host=127.0.0.1 port=1 user=postgres dbname=postgres");
	pg_try.service.conninfo = text_str(&conninfo);
	pg_try.service.members = members;
	pg_try.service.member_count = 2;
	watch_open("postgres.primaries", NULL, &pg_try.service, &first);
	ck_assert(!watch_look_within(plenty_ns));
	expect_last(1, STANDING_NONE, STANDING_DOWN);
	text_release(&conninfo);
}
END_TEST

START_TEST(test_primaries_replica_is_not_written_to)
{
	static const char *const lie[] = {
		"create schema lie",
		("create function lie.pg_is_in_recovery() returns bool language sql as 'select "
		 "true'"),
		"alter database postgres set search_path = lie, pg_catalog, public",
	};

	watch_members(NULL);
	for (size_t i = 0; i < sizeof lie / sizeof lie[0]; i++)
		pg_try_do(lie[i]);
	watch_look();
	pg_try_do("alter database postgres reset search_path");
	pg_try_do("drop schema lie cascade");
	expect_last(1, STANDING_NONE, STANDING_REPLICA);
	ck_assert_int_eq(pg_try_count(rows_sql), 0);
}
END_TEST

START_TEST(test_primaries_table_goes_with_the_run)
{
	struct err e = { 0 };

	watch_members(NULL);
	watch_look();
	ck_assert_msg(watch.probe.ops->clean(&watch.probe.spec, "Run-1", &watch.probe.clock,
					     pg_try_now_ns() + plenty_ns, &e),
		      "%s", e.text);
	ck_assert_int_eq(pg_try_count("select count(*) from pg_class where relname like "
				      "'firedrill%'"),
			 0);
}
END_TEST

START_TEST(test_primaries_of_a_service_with_one_member_are_refused)
{
	struct probe_try probe = { 0 };
	struct err e = { 0 };

	pg_try.service.members = members;
	pg_try.service.member_count = 1;
	probe_try_init(&probe, "postgres.primaries", NULL);
	probe.spec.service = &pg_try.service;
	ck_assert(!probe.ops->check(&probe.spec, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "watches all members of a cluster"));
	probe_try_release(&probe);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests, test_primaries_writable_one_is_told_once_and_written_to_each_time);
	tcase_add_test(tests,
		       test_primaries_one_that_waits_for_its_replica_is_primary_and_not_writable);
	tcase_add_test(tests, test_primaries_read_only_one_is_primary_and_not_writable);
	tcase_add_test(tests, test_primaries_frozen_one_is_silent);
	tcase_add_test(tests, test_primaries_silent_one_is_down_where_the_document_says_so);
	tcase_add_test(tests, test_primaries_one_without_a_listener_is_down);
	tcase_add_test(tests, test_primaries_replica_is_not_written_to);
	tcase_add_test(tests, test_primaries_table_goes_with_the_run);
	tcase_add_test(tests, test_primaries_of_a_service_with_one_member_are_refused);
}

void suite_probe_primaries(Suite *suite)
{
	suite_add_tcase(suite, pg_try_case(add_tests));
}
