/*
 * test_probe_events.c - probes that yield events: postgres.role against a real server whose answer the
 * test changes, patroni.history against a scripted API. log.event is in test_probe_log.c.
 */
#include "fixtures/patroni_server.h"
#include "fixtures/pg_try.h"
#include "fixtures/watch_try.h"
#include "tests/suites.h"

#include <string.h>

static const int64_t plenty_ns = 10 * NS_PER_S;
static const int64_t quick_ns = 300 * NS_PER_MS;

/* ---- postgres.role ---- */

static struct host member = { .name = "db1", .address = "127.0.0.1" };
static const struct host *const members[] = { &member };

/* The server answers pg_is_in_recovery() as the test says, from the next transaction on. */
static void watch_role(void)
{
	static const char *const lie[] = {
		"create schema lie",
		"create table lie.said(is_replica bool)",
		"insert into lie.said values (true)",
		("create function lie.pg_is_in_recovery() returns bool language sql volatile as "
		 "'select is_replica from lie.said'"),
		"alter database postgres set search_path = lie, pg_catalog",
	};

	for (size_t i = 0; i < sizeof lie / sizeof lie[0]; i++)
		pg_try_do(lie[i]);
	pg_try.service.members = members;
	pg_try.service.member_count = 1;
	watch_open("postgres.role", NULL, &pg_try.service, &member);
}

static void tear_down_role(void)
{
	watch_close();
	pg_server_thaw(&pg_try.server);
	(void)pg_server_sql(&pg_try.server, "alter database postgres reset search_path", NULL, NULL);
	(void)pg_server_sql(&pg_try.server, "drop schema if exists lie cascade", NULL, NULL);
}

START_TEST(test_role_change_lies_between_two_looks)
{
	int64_t before_ns;
	int64_t after_ns;

	watch_role();
	watch_look();
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 0);
	before_ns = pg_try_now_ns();
	pg_try_do("update lie.said set is_replica = false");
	after_ns = pg_try_now_ns();
	watch_look();
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 1);
	watch_expect(0, "db1 became primary", before_ns, after_ns);
	ck_assert_ptr_eq(watch.seen[0].host, &member);
	ck_assert_int_eq(watch.seen[0].own_high_ns, 0);
	pg_try_do("update lie.said set is_replica = true");
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 2);
	ck_assert_str_eq(watch.seen[1].what, "db1 became a replica");
	ck_assert_int_ge(watch.seen[1].from_ns, watch.seen[0].from_ns);
}
END_TEST

/* The answer to a question from before must not be taken for one to the question of now. */
START_TEST(test_role_change_behind_a_silence_reaches_back_to_the_last_answer)
{
	int64_t before_ns;
	int64_t after_ns;

	watch_role();
	watch_look();
	pg_server_freeze(&pg_try.server);
	ck_assert(!watch_look_within(quick_ns));
	ck_assert_int_eq(watch.failure.kind, ERR_DEADLINE);
	ck_assert(!watch_look_within(quick_ns));
	pg_server_thaw(&pg_try.server);
	before_ns = pg_try_now_ns();
	pg_try_do("update lie.said set is_replica = false");
	after_ns = pg_try_now_ns();
	while (watch.seen_count == 0)
		(void)watch_look_within(plenty_ns); /* the test's own time limit ends this */
	ck_assert_uint_eq(watch.seen_count, 1);
	watch_expect(0, "db1 became primary", before_ns, after_ns);
}
END_TEST

START_TEST(test_role_of_a_member_that_refuses_is_no_event)
{
	watch_role();
	watch_look();
	pg_try_do("alter table lie.said rename to gone");
	ck_assert(!watch_look_within(plenty_ns));
	ck_assert_int_eq(watch.failure.kind, ERR_REMOTE);
	ck_assert_uint_eq(watch.seen_count, 0);
}
END_TEST

/* ---- patroni.history ---- */

static struct patroni_server patroni;
static struct host leaders[2] = { { .name = "db1", .address = "127.0.0.1" },
				  { .name = "db2", .address = "192.0.2.2" } };
static const struct host *const leader_list[] = { &leaders[0], &leaders[1] };
static struct service cluster_service;

static void patroni_says(int status, const char *history)
{
	patroni_server_says(&patroni, "/history", status, history);
}

static void set_up_patroni(void)
{
	patroni_server_start(&patroni);
	patroni_says(200, "[]");
	patroni_server_says(&patroni, "/cluster", 200, "{}");
	cluster_service = (struct service){ .name = "orders-db",
					    .kind = "postgres",
					    .members = leader_list,
					    .member_count = 2,
					    .patroni_port = patroni.port };
	watch_open("patroni.history", NULL, &cluster_service, &leaders[0]);
}

static void tear_down_patroni(void)
{
	watch_close();
	patroni_server_stop(&patroni);
}

#define ROW_1 "[1, 25358352, \"no recovery target specified\", \"2026-11-21T10:20:30.239211+00:00\", \"db1\"]"
#define ROW_2 "[2, 25358352, \"no recovery target specified\", \"2026-11-21T10:20:40.500000+00:00\", \"db2\"]"

START_TEST(test_history_only_what_is_new_is_told)
{
	const int64_t wall_ns = INT64_C(1795256440500) * NS_PER_MS;
	int64_t before_ns;

	patroni_says(200, "[" ROW_1 "]");
	watch_look();
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 0);
	patroni_says(200, "[" ROW_1 ", " ROW_2 "]");
	before_ns = clock_now_ns(&watch.probe.clock);
	watch_look();
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 1);
	ck_assert_str_eq(watch.seen[0].what, "Patroni promoted db2");
	ck_assert_str_eq(watch.seen[0].key, "timeline 3");
	ck_assert_ptr_eq(watch.seen[0].host, &leaders[1]);
	ck_assert_int_eq(watch.seen[0].from_ns, 0); /* the row is no witness of when it was not so */
	ck_assert_int_ge(watch.seen[0].until_ns, before_ns);
	/* A file's time is the last tick's. */
	ck_assert_int_le(watch.seen[0].own_low_ns, wall_ns);
	ck_assert_int_ge(watch.seen[0].own_high_ns, wall_ns + 10 * NS_PER_MS);
	ck_assert_int_le(watch.seen[0].own_high_ns, wall_ns + 11 * NS_PER_MS);
}
END_TEST

START_TEST(test_history_leader_of_another_name_is_found_by_address)
{
	patroni_server_says(&patroni, "/cluster", 200,
			    "{\"members\":[{\"name\":\"pg-a\",\"host\":\"192.0.2.9\"},"
			    "{\"name\":\"pg-b\",\"host\":\"192.0.2.2\"}]}");
	watch_look();
	patroni_says(200, "[[1,1,\"x\",\"2026-11-21T10:20:30.239211+00:00\",\"pg-b\"],"
			  "[2,1,\"x\",\"2026-11-21T10:20:31+00:00\",\"pg-a\"]]");
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 2);
	ck_assert_ptr_eq(watch.seen[0].host, &leaders[1]);
	ck_assert_str_eq(watch.seen[0].what, "Patroni promoted db2");
	ck_assert_ptr_null(watch.seen[1].host); /* nobody of ours: then its clock is not known either */
	ck_assert_str_eq(watch.seen[1].what, "Patroni promoted pg-a");
	ck_assert_int_ge(watch.seen[1].own_high_ns - watch.seen[1].own_low_ns, NS_PER_S);
}
END_TEST

START_TEST(test_history_row_without_time_or_leader_has_none)
{
	watch_look();
	patroni_says(200, "[[1,1,\"x\"],[\"no number\"],7,[2,1,\"x\",\"yesterday\"]]");
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 2);
	ck_assert_str_eq(watch.seen[0].what, "Patroni began timeline 2");
	ck_assert_str_eq(watch.seen[1].what, "Patroni began timeline 3");
	ck_assert_int_eq(watch.seen[0].own_high_ns, 0);
	ck_assert_int_eq(watch.seen[1].own_high_ns, 0);
	ck_assert_ptr_null(watch.seen[0].host);
}
END_TEST

START_TEST(test_history_other_answers_are_failures)
{
	static const struct {
		int status;
		const char *body;
		const char *why;
	} rows[] = {
		{ 503, "[]", "answered with status 503" },
		{ 200, "{\"a\":1}", "/history is no list" },
		{ 200, "[", "read http://127.0.0.1" },
	};

	patroni_says(rows[_i].status, rows[_i].body);
	ck_assert(!watch_look_within(plenty_ns));
	ck_assert_msg(strstr(watch.failure.text, rows[_i].why) != NULL, "%s", watch.failure.text);
	ck_assert_uint_eq(watch.seen_count, 0);
	/* What was there before the first good answer is old. */
	patroni_says(200, "[" ROW_1 "]");
	watch_look();
	ck_assert_uint_eq(watch.seen_count, 0);
}
END_TEST

START_TEST(test_history_check_wants_patroni)
{
	cluster_service.patroni_port = 0;
	ck_assert(!watch.probe.ops->check(&watch.probe.spec, &watch.failure));
	ck_assert_str_eq(watch.failure.text,
			 "patroni.history asks Patroni, and orders-db has none; write `patroni: { "
			 "port: 8008 }` in the inventory, or use postgres.role");
}
END_TEST

static void add_role_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, NULL, tear_down_role);
	tcase_add_test(tests, test_role_change_lies_between_two_looks);
	tcase_add_test(tests, test_role_change_behind_a_silence_reaches_back_to_the_last_answer);
	tcase_add_test(tests, test_role_of_a_member_that_refuses_is_no_event);
}

static void add_history_tests(Suite *suite)
{
	TCase *tests = tcase_create("history");

	tcase_add_checked_fixture(tests, set_up_patroni, tear_down_patroni);
	tcase_add_test(tests, test_history_only_what_is_new_is_told);
	tcase_add_test(tests, test_history_leader_of_another_name_is_found_by_address);
	tcase_add_test(tests, test_history_row_without_time_or_leader_has_none);
	tcase_add_loop_test(tests, test_history_other_answers_are_failures, 0, 3);
	tcase_add_test(tests, test_history_check_wants_patroni);
	suite_add_tcase(suite, tests);
}

void suite_probe_events(Suite *suite)
{
	suite_add_tcase(suite, pg_try_case(add_role_tests));
	add_history_tests(suite);
}
