/*
 * test_probe_query.c - postgres.query, connecting to several hosts, and who plays which role,
 * against a real server.
 */
#include "fixtures/pg_try.h"
#include "fixtures/tcp_server.h"
#include "tests/suites.h"

#include <string.h>
#include <stdio.h>
#include <sys/resource.h>

/* Longer than a label may be, so that no question leaves this machine. */
#define NO_SUCH_NAME "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const int64_t quick_ns = 300 * NS_PER_MS;
static const int64_t plenty_ns = 10 * NS_PER_S;

static struct host hosts[2];

/* --- postgres.query --- */

START_TEST(test_query_expected_answer_is_good)
{
	const char *const params[] = { "sql", "select 40 + 2", "expect", "42", "rows", "1", NULL };

	pg_try_open("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_GOOD);
	ck_assert_str_eq(text_str(&pg_try.probe.got), "42");
}
END_TEST

START_TEST(test_query_answers_read_as_people_write_them)
{
	const char *const yes[] = { "sql", "select pg_is_in_recovery()", "expect", "false", NULL };
	const char *const null[] = { "sql", "select null::int", "expect", "null", NULL };

	pg_try_open("postgres.query", yes);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_GOOD);
	probe_try_release(&pg_try.probe);
	pg_try_open("postgres.query", null);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_GOOD);
}
END_TEST

/* Which backend answers two attempts: the same, or another one? */
static bool is_same_backend(const char *fresh)
{
	const char *const params[] = { "sql", "select pg_backend_pid()", "fresh", fresh, NULL };
	char first[32];
	bool is_same;

	pg_try_open("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_GOOD);
	(void)snprintf(first, sizeof first, "%s", text_str(&pg_try.probe.got));
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 1, plenty_ns).state, SAMPLE_GOOD);
	is_same = strcmp(first, text_str(&pg_try.probe.got)) == 0;
	probe_try_release(&pg_try.probe);
	return is_same;
}

START_TEST(test_query_fresh_makes_a_new_connection_for_each_attempt)
{
	ck_assert(is_same_backend("false"));
	ck_assert(!is_same_backend("true"));
}
END_TEST

START_TEST(test_query_other_answer_is_bad_and_says_both)
{
	const char *const params[] = { "sql", "select 'degraded'", "expect", "healthy", NULL };

	pg_try_open("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_str_eq(pg_try.probe.err.text,
			 "query: got \"degraded\" where \"healthy\" was expected");
}
END_TEST

START_TEST(test_query_no_row_or_too_many_rows_is_bad)
{
	const char *const none[] = { "sql", "select 1 where false", "expect", "1", NULL };
	const char *const many[] = { "sql", "select generate_series(1, 100000)", "rows", "99999",
				     NULL };

	pg_try_open("postgres.query", none);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_ptr_nonnull(strstr(pg_try.probe.err.text, "no value"));
	probe_try_release(&pg_try.probe);
	pg_try_open("postgres.query", many);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_ptr_nonnull(strstr(pg_try.probe.err.text, "number of rows"));
}
END_TEST

START_TEST(test_query_error_is_bad_and_the_next_attempt_works)
{
	const char *const params[] = { "sql", "select count(*) from not_yet", NULL };

	pg_try_do("drop table if exists not_yet");
	pg_try_open("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_str_eq(pg_try.probe.err.text,
			 "query: relation \"not_yet\" does not exist, SQLSTATE 42P01");
	pg_try_do("create table not_yet ()");
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 1, plenty_ns).state, SAMPLE_GOOD);
	pg_try_do("drop table not_yet");
}
END_TEST

START_TEST(test_query_copy_is_refused_and_does_not_hang)
{
	const char *const in[] = { "sql", "copy pg_class from stdin", NULL };
	const char *const out[] = { "sql", "copy (select 1) to stdout", NULL };

	pg_try_open("postgres.query", out);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_ptr_nonnull(strstr(pg_try.probe.err.text, "write a select"));
	probe_try_release(&pg_try.probe);
	pg_try_open("postgres.query", in);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_BAD);
}
END_TEST

START_TEST(test_query_frozen_server_ends_at_the_deadline)
{
	const char *const params[] = { "sql", "select 1", NULL };

	pg_try_open("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_GOOD);
	pg_server_freeze(&pg_try.server);

	const int64_t start_ns = pg_try_now_ns();

	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 1, quick_ns).state, SAMPLE_BAD);
	ck_assert_int_eq(pg_try.probe.err.kind, ERR_DEADLINE);
	ck_assert_int_lt(pg_try_now_ns() - start_ns, quick_ns + NS_PER_S);
	/* And again: the connection is kept, and asked no second time. */
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 2, quick_ns).state, SAMPLE_BAD);
	ck_assert_str_eq(pg_try.probe.err.text, "still no answer to an earlier request on 127.0.0.1");
	ck_assert_int_eq(pg_try.probe.err.kind, ERR_DEADLINE);

	pg_server_thaw(&pg_try.server);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 3, plenty_ns).state, SAMPLE_GOOD);
}
END_TEST

START_TEST(test_query_connection_ended_while_idle_is_made_anew_in_the_same_attempt)
{
	const char *const params[] = { "sql", "select 1", NULL };

	pg_try_open("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_GOOD);
	pg_try_do("select pg_terminate_backend(pid, 5000) from pg_stat_activity "
		  "where application_name = 'firedrill-Run-1'");
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 1, plenty_ns).state, SAMPLE_GOOD);
}
END_TEST

START_TEST(test_query_without_descriptors_is_skipped)
{
	const char *const params[] = { "sql", "select 1", NULL };
	struct rlimit usual = { 0 };
	enum sample_state state;

	pg_try_open("postgres.query", params);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);

	const struct rlimit none = { .rlim_cur = 0, .rlim_max = usual.rlim_max };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	state = probe_try_sample(&pg_try.probe, 0, plenty_ns).state;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &usual), 0);
	ck_assert_int_eq(state, SAMPLE_SKIPPED);
	ck_assert_int_eq(pg_try.probe.err.kind, ERR_LIMIT);
}
END_TEST

START_TEST(test_query_check_refuses_bad_conninfo_without_repeating_it)
{
	struct err e = { 0 };

	probe_try_init(&pg_try.probe, "postgres.query", NULL);
	pg_try.probe.spec.service = &pg_try.service;
	pg_try.service.conninfo = "host=db1 password=very secret";
	ck_assert(!probe_try_open(&pg_try.probe, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert_ptr_null(strstr(e.text, "secret"));
	ck_assert_ptr_nonnull(strstr(e.text, "conninfo of db"));
}
END_TEST

/* --- several hosts --- */

/* "host=dead,live" with a dead first place of this manner, and more; returns its server. */
static struct tcp_server *dead_first(enum tcp_server_manner manner, const char *more,
				     struct text *text)
{
	struct tcp_server *dead = tcp_server_open(manner, NULL, 0);

	hosts[0] = (struct host){ .name = "dead", .address = "127.0.0.1" };
	hosts[1] = (struct host){ .name = "live", .address = "127.0.0.1" };
	pg_try.inventory = (struct inventory){ .hosts = hosts, .host_count = 2 };
	text_addf(text,
		  "host=dead,live port=%u,%u user=postgres dbname=postgres "
		  "target_session_attrs=read-write %s",
		  tcp_server_port(dead), pg_try.server.port, more);
	pg_try.service.conninfo = text_str(text);
	return dead;
}

START_TEST(test_connect_dead_first_host_costs_its_slice_only)
{
	static const enum tcp_server_manner manners[] = { TCP_SERVER_BLACK_HOLE, TCP_SERVER_SILENT,
							  TCP_SERVER_REFUSES, TCP_SERVER_RESETS };
	const char *const params[] = { "sql", "select 1", NULL };
	struct text text = { 0 };
	struct tcp_server *dead = dead_first(manners[_i], "connect_timeout=60", &text);

	pg_try_open("postgres.query", params);

	const int64_t start_ns = pg_try_now_ns();

	ck_assert_msg(probe_try_sample(&pg_try.probe, 0, 2 * NS_PER_S).state == SAMPLE_GOOD, "%s",
		      pg_try.probe.err.text);
	/* Half of the time when it is silent, next to nothing when it says no. */
	if (manners[_i] == TCP_SERVER_REFUSES || manners[_i] == TCP_SERVER_RESETS)
		ck_assert_int_lt(pg_try_now_ns() - start_ns, NS_PER_S);
	tcp_server_close(dead);
	text_release(&text);
}
END_TEST

START_TEST(test_connect_dead_first_host_takes_no_more_than_two_seconds)
{
	const char *const params[] = { "sql", "select 1", NULL };
	struct text text = { 0 };
	struct tcp_server *dead = dead_first(TCP_SERVER_BLACK_HOLE, "", &text);

	pg_try_open("postgres.query", params);

	const int64_t start_ns = pg_try_now_ns();

	ck_assert_msg(probe_try_sample(&pg_try.probe, 0, 30 * NS_PER_S).state == SAMPLE_GOOD, "%s",
		      pg_try.probe.err.text);
	ck_assert_int_lt(pg_try_now_ns() - start_ns, 8 * NS_PER_S);
	tcp_server_close(dead);
	text_release(&text);
}
END_TEST

START_TEST(test_connect_silent_host_is_asked_after_those_that_answer)
{
	const char *const params[] = { "sql", "select 1", NULL };
	struct text text = { 0 };
	struct tcp_server *dead = dead_first(TCP_SERVER_SILENT, "connect_timeout=60", &text);

	pg_try_open("postgres.query", params);
	pg_try_set("default_transaction_read_only", "on");
	/* "live" answers that it is read-only, as a replica before its promotion. */
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, quick_ns).state, SAMPLE_BAD);
	ck_assert_str_eq(pg_try.probe.err.text,
			 "connect to dead: no answer in time; live: session is read-only");
	pg_try_set("default_transaction_read_only", "off");

	const int64_t start_ns = pg_try_now_ns();

	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 1, plenty_ns).state, SAMPLE_GOOD);
	ck_assert_int_lt(pg_try_now_ns() - start_ns,
			 2 * NS_PER_S); /* the slice of "dead" would be 5 s */
	tcp_server_close(dead);
	text_release(&text);
}
END_TEST

START_TEST(test_connect_every_failure_is_named_and_no_password)
{
	const char *const params[] = { "sql", "select 1", NULL };
	struct text text = { 0 };
	struct tcp_server *dead = dead_first(TCP_SERVER_REFUSES, "connect_timeout=60", &text);

	text_addf(&text, " password=geheim port=%u", tcp_server_port(dead));
	pg_try.service.conninfo = text_str(&text);
	pg_try_open("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_str_eq(pg_try.probe.err.text,
			 "connect to dead: Connection refused; live: Connection refused");
	ck_assert_int_eq(pg_try.probe.err.kind, ERR_REMOTE);
	tcp_server_close(dead);
	text_release(&text);
}
END_TEST

START_TEST(test_connect_server_without_descriptors_is_bad_not_skipped)
{
	const char *const params[] = { "sql",
				       "do $$ begin raise exception "
				       "'Too many open files'; end $$",
				       NULL };

	pg_try_open("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_BAD);
}
END_TEST

START_TEST(test_open_unknown_host_names_it)
{
	struct err e = { 0 };

	pg_try.service.conninfo = "host=" NO_SUCH_NAME;
	probe_try_init(&pg_try.probe, "postgres.write", NULL);
	pg_try.probe.spec.service = &pg_try.service;
	ck_assert(!probe_try_open(&pg_try.probe, &e));
	ck_assert_ptr_nonnull(strstr(e.text, NO_SUCH_NAME));
}
END_TEST

/* --- roles --- */

static bool resolve(const char *role, const struct host **members, size_t *count, struct err *e)
{
	const struct clock clock = clock_system();
	const struct role_ops *ops = role_find("postgres");

	ck_assert_ptr_nonnull(ops);
	return ops->resolve(&pg_try.service, role, &clock, pg_try_now_ns() + 1500 * NS_PER_MS,
			    members, count, e);
}

START_TEST(test_roles_one_primary_beside_a_dead_member)
{
	const struct pair port = { .name = "postgres_port", .value = NULL };
	struct tcp_server *dead = tcp_server_open(TCP_SERVER_SILENT, NULL, 0);
	const struct host *const members[] = { &hosts[0], &hosts[1] };
	const struct host *got[2] = { 0 };
	struct pair dead_port = port;
	struct pair live_port = port;
	struct text dead_text = { 0 };
	struct text live_text = { 0 };
	struct err e = { 0 };
	size_t count = 0;

	text_addf(&dead_text, "%u", tcp_server_port(dead));
	text_addf(&live_text, "%u", pg_try.server.port);
	dead_port.value = text_str(&dead_text);
	live_port.value = text_str(&live_text);
	hosts[0] = (struct host){
		.name = "db1", .address = "127.0.0.1", .labels = &dead_port, .label_count = 1
	};
	hosts[1] = (struct host){
		.name = "db2", .is_local = true, .labels = &live_port, .label_count = 1
	};
	pg_try.service.conninfo = "host=198.18.0.1 port=5000 user=postgres dbname=postgres";
	pg_try.service.members = members;
	pg_try.service.member_count = 2;

	ck_assert_msg(resolve("primary", got, &count, &e), "%s", e.text);
	ck_assert_uint_eq(count, 1);
	ck_assert_ptr_eq(got[0], &hosts[1]);
	ck_assert(!resolve("replica", got, &count, &e));
	ck_assert_str_eq(e.text,
			 "find the replica of db: no member says it is one (db1: connect to "
			 "db1: no answer in time; db2: primary)");
	tcp_server_close(dead);
	text_release(&dead_text);
	text_release(&live_text);
}
END_TEST

START_TEST(test_roles_two_primaries_are_named_and_refused)
{
	const struct host *const members[] = { &hosts[0], &hosts[1] };
	const struct host *got[2] = { 0 };
	struct err e = { 0 };
	size_t count = 7;

	hosts[0] = (struct host){ .name = "db1", .address = "127.0.0.1" };
	hosts[1] = (struct host){ .name = "db2", .address = "127.0.0.1" };
	pg_try.service.members = members;
	pg_try.service.member_count = 2;
	ck_assert(!resolve("primary", got, &count, &e));
	ck_assert_str_eq(e.text,
			 "find the primary of db: 2 members say they are (db1: primary; db2: "
			 "primary); repair the split brain first");
	ck_assert_uint_eq(count, 7);
	ck_assert(!resolve("leader", got, &count, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_query_fresh_makes_a_new_connection_for_each_attempt);
	tcase_add_test(tests, test_query_expected_answer_is_good);
	tcase_add_test(tests, test_query_answers_read_as_people_write_them);
	tcase_add_test(tests, test_query_other_answer_is_bad_and_says_both);
	tcase_add_test(tests, test_query_no_row_or_too_many_rows_is_bad);
	tcase_add_test(tests, test_query_error_is_bad_and_the_next_attempt_works);
	tcase_add_test(tests, test_query_copy_is_refused_and_does_not_hang);
	tcase_add_test(tests, test_query_frozen_server_ends_at_the_deadline);
	tcase_add_test(tests,
		       test_query_connection_ended_while_idle_is_made_anew_in_the_same_attempt);
	tcase_add_test(tests, test_query_without_descriptors_is_skipped);
	tcase_add_test(tests, test_query_check_refuses_bad_conninfo_without_repeating_it);
	tcase_add_loop_test(tests, test_connect_dead_first_host_costs_its_slice_only, 0, 4);
	tcase_add_test(tests, test_connect_dead_first_host_takes_no_more_than_two_seconds);
	tcase_add_test(tests, test_connect_silent_host_is_asked_after_those_that_answer);
	tcase_add_test(tests, test_connect_every_failure_is_named_and_no_password);
	tcase_add_test(tests, test_connect_server_without_descriptors_is_bad_not_skipped);
	tcase_add_test(tests, test_open_unknown_host_names_it);
	tcase_add_test(tests, test_roles_one_primary_beside_a_dead_member);
	tcase_add_test(tests, test_roles_two_primaries_are_named_and_refused);
}

void suite_probe_query(Suite *suite)
{
	suite_add_tcase(suite, pg_try_case(add_tests));
}
