/*
 * test_probe_lag.c - postgres.lag against a real server whose views say what the test wants, and the
 * failover settings that a scripted Patroni tells.
 */
#include "fixtures/patroni_server.h"
#include "fixtures/pg_try.h"
#include "fixtures/watch_try.h"
#include "tests/suites.h"

#include <string.h>

static const int64_t plenty_ns = 10 * NS_PER_S;

/* ---- postgres.lag ---- */

static struct host db1 = { .name = "db1", .address = "127.0.0.1" };
static struct host db2 = { .name = "db2", .address = "192.0.2.2" };
static const struct host *const members[] = { &db1, &db2 };

/* Shadows what the probe reads; pg_wal_lsn_diff and all else stay the server's own. */
static void watch_lag(void)
{
	static const char *const lie[] = {
		"create schema lie",
		"create table lie.at(is_replica bool, lsn pg_lsn)",
		"insert into lie.at values (false, '0/3000000')",
		("create table lie.pg_stat_replication as select * from "
		 "pg_catalog.pg_stat_replication where false"),
		("create table lie.pg_replication_slots as select slot_name, slot_type, active_pid "
		 "from pg_catalog.pg_replication_slots where false"),
		("create function lie.pg_is_in_recovery() returns bool language sql volatile as "
		 "'select is_replica from lie.at'"),
		("create function lie.pg_current_wal_lsn() returns pg_lsn language sql volatile as "
		 "'select lsn from lie.at'"),
		"alter database postgres set search_path = lie, pg_catalog",
	};

	for (size_t i = 0; i < sizeof lie / sizeof lie[0]; i++)
		pg_try_do(lie[i]);
	pg_try.service.members = members;
	pg_try.service.member_count = 2;
	watch_open("postgres.lag", NULL, &pg_try.service, &db1);
}

static void tear_down_lag(void)
{
	watch_close();
	(void)pg_server_sql(&pg_try.server, "alter database postgres reset search_path", NULL, NULL);
	(void)pg_server_sql(&pg_try.server, "drop schema if exists lie cascade", NULL, NULL);
}

#define REPLICA(pid, address, name, rest) \
	"insert into lie.pg_stat_replication (pid, client_addr, application_name, state, " \
	"sync_state, sent_lsn, flush_lsn, replay_lsn, flush_lag, replay_lag) values (" \
	pid ", " address ", '" name "', " rest ")"

START_TEST(test_lag_bytes_are_behind_the_position_of_the_primary)
{
	const struct lag_row *row = &watch.lag.rows[0];
	int64_t before_ns;

	watch_lag();
	pg_try_do(REPLICA("7", "'192.0.2.2'", "a name with blanks",
			  "'streaming', 'quorum', '0/2FFFF00', '0/2FFFE00', '0/2000000', "
			  "'1 ms', '00:00:02.5'"));
	before_ns = pg_try_now_ns();
	watch_look();
	ck_assert_uint_eq(watch.lag_count, 1);
	ck_assert_str_eq(watch.lag.primary, "db1");
	ck_assert_int_ge(watch.lag.from_ns, before_ns);
	ck_assert_int_ge(watch.lag.until_ns, watch.lag.from_ns);
	ck_assert_uint_eq(watch.lag.wal_bytes, 0x3000000);
	ck_assert_uint_eq(watch.lag.row_count, 1);
	ck_assert_str_eq(row->replica, "db2"); /* by its address */
	ck_assert_str_eq(row->state, "streaming");
	ck_assert(row->is_sync);
	ck_assert_int_eq(row->sent_bytes, 0x100);
	ck_assert_int_eq(row->flush_bytes, 0x200);
	ck_assert_int_eq(row->replay_bytes, 0x1000000);
	ck_assert_int_eq(row->flush_told_ns, NS_PER_MS);
	ck_assert_int_eq(row->replay_told_ns, 2500 * NS_PER_MS);
}
END_TEST

/* An idle server has no lag times; a replica that has just come has no positions. */
START_TEST(test_lag_null_is_unknown_and_not_zero)
{
	watch_lag();
	pg_try_do(REPLICA("7", "null", "db9", "'startup', 'async', null, null, null, null, null"));
	watch_look();
	ck_assert_uint_eq(watch.lag.row_count, 1);
	ck_assert_str_eq(watch.lag.rows[0].replica, "db9"); /* by what it calls itself */
	ck_assert(!watch.lag.rows[0].is_sync);
	ck_assert_int_eq(watch.lag.rows[0].sent_bytes, LAG_UNKNOWN);
	ck_assert_int_eq(watch.lag.rows[0].flush_bytes, LAG_UNKNOWN);
	ck_assert_int_eq(watch.lag.rows[0].replay_bytes, LAG_UNKNOWN);
	ck_assert_int_eq(watch.lag.rows[0].flush_told_ns, LAG_UNKNOWN);
	ck_assert_int_eq(watch.lag.rows[0].replay_told_ns, LAG_UNKNOWN);
}
END_TEST

/* A replica may confirm more between the two readings: that is 0, never less. */
START_TEST(test_lag_of_a_replica_that_is_ahead_is_zero)
{
	watch_lag();
	pg_try_do(REPLICA("7", "null", "db9",
			  "'streaming', 'async', '0/3000100', '0/3000100', '0/3000100', null, null"));
	watch_look();
	ck_assert_int_eq(watch.lag.rows[0].flush_bytes, 0);
}
END_TEST

/* The walsender of a broken connection may outlive the one that replaced it. */
START_TEST(test_lag_of_two_walsenders_of_one_replica_is_the_smaller)
{
	watch_lag();
	pg_try_do(REPLICA("7", "'192.0.2.2'", "x",
			  "'streaming', 'async', '0/2000000', '0/1000000', '0/1000000', null, null"));
	pg_try_do(REPLICA("8", "'192.0.2.2'", "x",
			  "'streaming', 'async', '0/3000000', '0/2FFFFF0', '0/2FFFFE0', null, null"));
	pg_try_do(REPLICA("9", "'192.0.2.2'", "x",
			  "'startup', 'async', null, null, null, null, null"));
	watch_look();
	ck_assert_uint_eq(watch.lag.row_count, 1);
	ck_assert_int_eq(watch.lag.rows[0].flush_bytes, 0x10);
	ck_assert_int_eq(watch.lag.rows[0].replay_bytes, 0x20);
}
END_TEST

/* None of them could take over. */
START_TEST(test_lag_backups_and_subscribers_are_no_replicas)
{
	watch_lag();
	pg_try_do(REPLICA("7", "null", "pg_basebackup",
			  "'streaming', 'async', '0/1', '0/1', '0/1', null, null"));
	pg_try_do(REPLICA("8", "null", "other", "'backup', 'async', null, null, null, null, null"));
	pg_try_do(REPLICA("9", "null", "subscriber",
			  "'streaming', 'async', '0/1', '0/1', '0/1', null, null"));
	pg_try_do("insert into lie.pg_replication_slots (slot_name, slot_type, active_pid) values "
		  "('s', 'logical', 9)");
	watch_look();
	ck_assert_uint_eq(watch.lag_count, 1);
	ck_assert_uint_eq(watch.lag.row_count, 0); /* a primary without a replica is told */
}
END_TEST

START_TEST(test_lag_a_replica_tells_nothing)
{
	watch_lag();
	pg_try_do("update lie.at set is_replica = true");
	watch_look();
	ck_assert_uint_eq(watch.lag_count, 0);
	pg_try_do("update lie.at set is_replica = false");
	watch_look();
	ck_assert_uint_eq(watch.lag_count, 1);
}
END_TEST

START_TEST(test_lag_positions_that_the_user_may_not_see_are_a_failure)
{
	watch_lag();
	pg_try_do("insert into lie.pg_stat_replication (pid) values (7)");
	ck_assert(!watch_look_within(plenty_ns));
	ck_assert_str_eq(watch.failure.text, "db1 hides its replicas' positions from this user: grant "
					     "pg_monitor to it");
	ck_assert_uint_eq(watch.lag_count, 0);
}
END_TEST

START_TEST(test_lag_more_replicas_than_there_is_room_for_are_a_failure)
{
	watch_lag();
	pg_try_do("insert into lie.pg_stat_replication (pid, state, application_name) "
		  "select n, 'streaming', 'r' || n from generate_series(1, 17) n");
	ck_assert(!watch_look_within(plenty_ns));
	ck_assert_str_eq(watch.failure.text, "db1 has more than 16 replicas");
}
END_TEST

/* ---- the failover's settings ---- */

static struct patroni_server patroni;
static struct host silent = { .name = "db0", .address = "127.0.0.1" };
static const struct host *const both[] = { &silent, &db1 };
static struct service cluster;
static struct clock boot;

static void set_up_patroni(void)
{
	boot = clock_system();
	patroni_server_start(&patroni);
	cluster = (struct service){ .name = "orders-db", .kind = "postgres", .members = &both[1],
				    .member_count = 1, .patroni_port = patroni.port };
}

static void tear_down_patroni(void)
{
	patroni_server_stop(&patroni);
}

static bool read_settings(struct failover_settings *ret_settings, struct err *e)
{
	const struct host *told_by = NULL;
	const bool ok = failover_find(&cluster)->read(&cluster, &boot,
						      clock_now_ns(&boot) + plenty_ns,
						      ret_settings, &told_by, e);

	if (ok)
		ck_assert_ptr_eq(told_by, &db1);
	return ok;
}

START_TEST(test_settings_are_what_patroni_says)
{
	struct failover_settings settings;
	struct err e = { 0 };

	patroni_server_says(&patroni, "/config", 200,
			    "{\"ttl\": 5, \"loop_wait\": 1, \"retry_timeout\": 2, \"pause\": null, "
			    "\"maximum_lag_on_failover\": 2097152, \"synchronous_mode\": true, "
			    "\"synchronous_mode_strict\": true, \"postgresql\": {\"parameters\": {}}}");
	ck_assert_msg(read_settings(&settings, &e), "%s", e.text);
	ck_assert_str_eq(settings.manager, "Patroni");
	ck_assert_int_eq(settings.ttl_ns, 5 * NS_PER_S);
	ck_assert_int_eq(settings.loop_wait_ns, NS_PER_S);
	ck_assert_int_eq(settings.retry_timeout_ns, 2 * NS_PER_S);
	ck_assert_int_eq(settings.maximum_lag_bytes, 2097152);
	ck_assert(settings.is_synchronous && settings.is_strict && !settings.is_paused);
}
END_TEST

START_TEST(test_settings_that_are_absent_or_odd_have_patronis_defaults)
{
	static const char *const bodies[] = {
		"{}",
		"{\"ttl\": \"soon\", \"loop_wait\": -1, \"maximum_lag_on_failover\": 1.5}",
	};
	struct failover_settings settings;
	struct err e = { 0 };

	patroni_server_says(&patroni, "/config", 200, bodies[_i]);
	ck_assert_msg(read_settings(&settings, &e), "%s", e.text);
	ck_assert_int_eq(settings.ttl_ns, 30 * NS_PER_S);
	ck_assert_int_eq(settings.loop_wait_ns, 10 * NS_PER_S);
	ck_assert_int_eq(settings.retry_timeout_ns, 10 * NS_PER_S);
	ck_assert_int_eq(settings.maximum_lag_bytes, 1048576);
	ck_assert(!settings.is_synchronous && !settings.is_strict && !settings.is_paused);
}
END_TEST

START_TEST(test_settings_of_a_patroni_that_does_not_tell_are_a_failure)
{
	static const struct {
		int status;
		const char *body;
		const char *why;
	} rows[] = {
		{ 503, "{}", "/config answered with status 503" },
		{ 200, "[]", "/config is no map" },
		{ 200, "{", "/config" },
	};
	struct failover_settings settings;
	struct err e = { 0 };

	patroni_server_says(&patroni, "/config", rows[_i].status, rows[_i].body);
	ck_assert(!read_settings(&settings, &e));
	ck_assert_msg(strstr(e.text, rows[_i].why) != NULL, "%s", e.text);
}
END_TEST

START_TEST(test_settings_are_asked_of_the_next_member_when_one_does_not_answer)
{
	static struct service without;
	struct failover_settings settings;
	struct err e = { 0 };

	silent.address = "127.0.0.2"; /* nobody listens there */
	cluster.members = both;
	cluster.member_count = 2;
	patroni_server_says(&patroni, "/config", 200, "{\"pause\": true}");
	ck_assert_msg(read_settings(&settings, &e), "%s", e.text);
	ck_assert(settings.is_paused);
	without = (struct service){ .name = "x", .kind = "postgres" };
	ck_assert_ptr_null(failover_find(&without)); /* no Patroni in the inventory */
	cluster.member_count = 0;
	ck_assert(!read_settings(&settings, &e));
	ck_assert_str_eq(e.text, "orders-db has no members to ask");
}
END_TEST

static void add_lag_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, NULL, tear_down_lag);
	tcase_add_test(tests, test_lag_bytes_are_behind_the_position_of_the_primary);
	tcase_add_test(tests, test_lag_null_is_unknown_and_not_zero);
	tcase_add_test(tests, test_lag_of_a_replica_that_is_ahead_is_zero);
	tcase_add_test(tests, test_lag_of_two_walsenders_of_one_replica_is_the_smaller);
	tcase_add_test(tests, test_lag_backups_and_subscribers_are_no_replicas);
	tcase_add_test(tests, test_lag_a_replica_tells_nothing);
	tcase_add_test(tests, test_lag_positions_that_the_user_may_not_see_are_a_failure);
	tcase_add_test(tests, test_lag_more_replicas_than_there_is_room_for_are_a_failure);
}

void suite_probe_lag(Suite *suite)
{
	TCase *tests = tcase_create("settings");

	suite_add_tcase(suite, pg_try_case(add_lag_tests));
	tcase_add_checked_fixture(tests, set_up_patroni, tear_down_patroni);
	tcase_add_test(tests, test_settings_are_what_patroni_says);
	tcase_add_loop_test(tests, test_settings_that_are_absent_or_odd_have_patronis_defaults, 0, 2);
	tcase_add_loop_test(tests, test_settings_of_a_patroni_that_does_not_tell_are_a_failure, 0, 3);
	tcase_add_test(tests, test_settings_are_asked_of_the_next_member_when_one_does_not_answer);
	suite_add_tcase(suite, tests);
}
