/*
 * test_probe_mariadb.c - mariadb.write against a real server: what counts as acknowledged, what a
 * read back finds, and what a crash really loses, by the store's own client's count.
 */
#include "fixtures/ledger_try.h"
#include "fixtures/mariadb_server.h"
#include "fixtures/tcp_server.h"
#include "tests/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEST_AT_MOST_S = 60 };

static const int64_t quick_ns = 300 * NS_PER_MS;
static const int64_t plenty_ns = 10 * NS_PER_S;

static struct daemon server; /* started once; a test that ends it starts it again */

static void start_server(void)
{
	struct err e = { 0 };

	ck_assert_msg(daemon_open(&server, &e) && mariadb_server_init(&server, &e) &&
			      mariadb_server_start(&server, NULL, &e),
		      "%s", e.text);
}

static void stop_server(void)
{
	daemon_close(&server);
}

/* Whatever the test before has left: one that failed had no tear_down. */
static void set_up(void)
{
	daemon_thaw(&server);
	ck_assert(mariadb_server_sql(&server, "set global read_only = 0, global autocommit = 1; "
					      "drop table if exists firedrill_ledger_run_1",
				     NULL));
}

static void tear_down(void)
{
	daemon_thaw(&server);
	ledger_try_release();
}

static void sql(const char *statements)
{
	struct text output = { 0 };

	ck_assert_msg(mariadb_server_sql(&server, statements, &output), "%s", text_str(&output));
	text_release(&output);
}

static int64_t count(const char *query)
{
	struct text output = { 0 };
	int64_t number;

	ck_assert_msg(mariadb_server_sql(&server, query, &output), "%s", text_str(&output));
	number = strtoll(text_str(&output), NULL, 10);
	text_release(&output);
	return number;
}

static int64_t row_count(void)
{
	return count("select count(distinct seq) from firedrill_ledger_run_1");
}

static void open_at(const struct daemon *daemon, const char *name, const char *value,
		    const char *const *params, size_t lane_count)
{
	char address[32];
	const char *service[] = { "address",  address,
				  "user",     MARIADB_SERVER_USER,
				  "password", MARIADB_SERVER_PASSWORD,
				  "database", MARIADB_SERVER_DATABASE,
				  NULL };

	(void)snprintf(address, sizeof address, "127.0.0.1:%u", daemon->port);
	service[1] = arena_copy(&ledger_try.arena, address);
	for (size_t i = 0; name != NULL && service[i] != NULL; i += 2) {
		if (strcmp(service[i], name) == 0)
			service[i + 1] = value;
	}
	ledger_try_init("mariadb", service);
	ledger_try_open("mariadb.write", params, lane_count);
}

static void open_ledger(const char *const *params, size_t lane_count)
{
	open_at(&server, NULL, NULL, params, lane_count);
	ledger_try_must_prepare();
}

START_TEST(test_write_rows_are_acknowledged_and_read_back)
{
	const char *const params[] = { "payload", "8KiB", NULL };

	open_ledger(params, 1);
	ledger_try_must_write(100);
	ck_assert_int_eq(row_count(), 100);
	ck_assert_int_eq(count("select min(length(payload)) from firedrill_ledger_run_1"), 8192);
	ledger_try_must_read();
	ledger_try_must_have(100);
}
END_TEST

START_TEST(test_read_back_finds_damage_loss_copies_and_strangers)
{
	open_ledger(NULL, 1);
	ledger_try_must_write(8);
	sql("update firedrill_ledger_run_1 set payload = 'x' where seq = 1;"
	    "update firedrill_ledger_run_1 set checksum = reverse(checksum) where seq = 2;"
	    "update firedrill_ledger_run_1 a, firedrill_ledger_run_1 b set a.payload = b.payload, "
	    "a.checksum = b.checksum where a.seq = 3 and b.seq = 4;"
	    "delete from firedrill_ledger_run_1 where seq = 6;"
	    "insert into firedrill_ledger_run_1 (writer, seq, payload, checksum) "
	    "select writer, seq, payload, checksum from firedrill_ledger_run_1 where seq = 7;"
	    "insert into firedrill_ledger_run_1 (writer, seq, payload, checksum) values "
	    "('probe', -5, 'x', 'y'), ('another', 0, 'x', 'y')");
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_found.rows[0], 1);
	ck_assert_uint_eq(ledger_try_found.damaged[0], 0);
	for (int i = 1; i <= 3; i++)
		ck_assert_uint_eq(ledger_try_found.damaged[i], 1);
	ck_assert_uint_eq(ledger_try_found.damaged[4], 0);
	ck_assert_uint_eq(ledger_try_found.rows[6], 0);
	ck_assert_uint_eq(ledger_try_found.rows[7], 2);
	ck_assert_uint_eq(ledger_try_found.unexpected_count, 1);
}
END_TEST

/* Rows come in steps; more of them than one step takes. */
START_TEST(test_read_back_many_rows_reads_all)
{
	open_ledger(NULL, 1);
	ledger_try_must_write(1);
	for (int i = 0; i < 14; i++)
		sql("insert into firedrill_ledger_run_1 (writer, seq, payload, checksum) "
		    "select writer, seq, payload, checksum from firedrill_ledger_run_1");
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_found.rows[0], 16384);
	ck_assert_uint_eq(ledger_try_found.damaged[0], 0);
}
END_TEST

START_TEST(test_write_is_committed_whatever_autocommit_says)
{
	sql("set global autocommit = 0");
	open_ledger(NULL, 1);
	ledger_try_must_write(3);
	sql("set global autocommit = 1");
	ck_assert_int_eq(row_count(), 3);
}
END_TEST

/* ---- refusals ---- */

START_TEST(test_prepare_read_only_server_says_so)
{
	struct err e = { 0 };

	sql("set global read_only = 1");
	open_at(&server, NULL, NULL, NULL, 1);
	ck_assert(!ledger_try_prepare(quick_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "make the ledger's table on store: connect to 127."));
	ck_assert_ptr_nonnull(strstr(e.text, "it is read-only (@@global.read_only)"));
}
END_TEST

/* One without the right to write to a read-only server (READ_ONLY ADMIN), as users should be. */
START_TEST(test_write_server_that_becomes_read_only_is_failed_and_left)
{
	char address[32];
	const char *const service[] = { "address",  address,	    "user",	"plain",
					"password", "plain-sesame", "database", "orders", NULL };

	sql("create user if not exists plain@'%' identified by 'plain-sesame';"
	    "grant insert, select, create, drop on orders.* to plain@'%'");
	(void)snprintf(address, sizeof address, "127.0.0.1:%u", server.port);
	ledger_try_init("mariadb", service);
	ledger_try_open("mariadb.write", NULL, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(1);
	sql("set global read_only = 1");
	ck_assert_int_eq(ledger_try_write(0, plenty_ns, SAMPLE_BAD), WRITE_FAILED);
	ck_assert_ptr_nonnull(strstr(ledger_try_error(0), "--read-only option"));
	ck_assert_int_eq(ledger_try_write(0, quick_ns, SAMPLE_BAD), WRITE_NONE);
	ck_assert_ptr_nonnull(strstr(ledger_try_error(0), "it is read-only"));
	sql("set global read_only = 0");
	ledger_try_must_write(1);
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_lost(&ledger_try_found), 0);
	ck_assert_uint_eq(ledger_try_rows(&ledger_try_found), 2);
}
END_TEST

START_TEST(test_write_refused_by_a_trigger_is_failed)
{
	open_ledger(NULL, 1);
	sql("create trigger no before insert on firedrill_ledger_run_1 for each row "
	    "signal sqlstate '45000' set message_text = 'not today'");
	ck_assert_int_eq(ledger_try_write(0, plenty_ns, SAMPLE_BAD), WRITE_FAILED);
	ck_assert_str_eq(ledger_try_error(0), "insert: not today, error N");
	sql("drop trigger no");
	ledger_try_must_write(1);
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_found.rows[0], 0);
	ck_assert_uint_eq(ledger_try_found.rows[1], 1);
}
END_TEST

START_TEST(test_prepare_wrong_password_or_database_says_so)
{
	const int64_t enough_ns = NS_PER_S; /* to be refused, also on a slow machine: it is asked till the end */
	struct err e = { 0 };

	open_at(&server, "password", "wrong-sesame", NULL, 1);
	ck_assert(!ledger_try_prepare(enough_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "Access denied for user 'drill'"));
	ck_assert_ptr_null(strstr(e.text, "sesame"));
	ledger_try_release();
	open_at(&server, "database", "nowhere", NULL, 1);
	ck_assert(!ledger_try_prepare(enough_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "Unknown database 'nowhere'"));
}
END_TEST

/* ---- breaks and hangs ---- */

/* Holds the ledger's table for a second, in a process of its own. */
static pid_t lock_table(void)
{
	const pid_t pid = fork();

	if (pid == 0) {
		(void)mariadb_server_sql(&server, "lock tables firedrill_ledger_run_1 write; "
						  "select sleep (1)",
					 NULL);
		_exit(0);
	}
	while (count("select count(*) from information_schema.processlist "
		     "where state = 'User sleep'") == 0)
		continue; /* the test's own time limit ends this */
	return pid;
}

static pid_t kill_insert(void)
{
	const char *const find = "select coalesce(min(id), 0) from information_schema.processlist "
				 "where info like 'insert into `firedrill%'";
	const pid_t pid = fork();
	int64_t id = 0;

	if (pid != 0)
		return pid;
	while (id == 0)
		id = count(find);

	char statement[64];

	(void)snprintf(statement, sizeof statement, "kill %lld", (long long)id);
	(void)mariadb_server_sql(&server, statement, NULL);
	_exit(0);
}

/* The session is ended while its insert waits: nobody outside can tell at which moment. */
START_TEST(test_write_session_killed_is_indeterminate)
{
	open_ledger(NULL, 1);
	ledger_try_must_write(1);

	const pid_t locker = lock_table();
	const pid_t killer = kill_insert();

	ck_assert_int_eq(ledger_try_write(0, plenty_ns, SAMPLE_BAD), WRITE_INDETERMINATE);
	ck_assert_int_eq(waitpid(killer, NULL, 0), killer);
	ck_assert_int_eq(waitpid(locker, NULL, 0), locker);
	ledger_try_must_write(1);
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_lost(&ledger_try_found), 0);
}
END_TEST

static int64_t connection_count(void)
{
	return count("select variable_value from information_schema.global_status "
		     "where variable_name = 'CONNECTIONS'");
}

START_TEST(test_write_hanging_server_gets_no_more_connections)
{
	enum { ROUNDS = 10 };
	const int64_t short_ns = 20 * NS_PER_MS;

	open_ledger(NULL, LEDGER_TRY_LANES);
	for (size_t lane = 0; lane < LEDGER_TRY_LANES; lane++)
		ck_assert_int_eq(ledger_try_write(lane, plenty_ns, SAMPLE_GOOD),
				 WRITE_ACKNOWLEDGED);

	const int64_t before = connection_count();

	daemon_freeze(&server);
	for (size_t lane = 0; lane < LEDGER_TRY_LANES; lane++)
		ck_assert_int_eq(ledger_try_write(lane, short_ns, SAMPLE_BAD),
				 WRITE_INDETERMINATE);
	for (size_t i = 0; i < ROUNDS * LEDGER_TRY_LANES; i++)
		ck_assert_int_eq(ledger_try_write(i % LEDGER_TRY_LANES, short_ns, SAMPLE_BAD),
				 WRITE_NONE);
	ck_assert_ptr_nonnull(strstr(ledger_try_error(0), "still no answer to an earlier request"));
	daemon_thaw(&server);
	for (size_t lane = 0; lane < LEDGER_TRY_LANES; lane++)
		ck_assert_int_eq(ledger_try_write(lane, plenty_ns, SAMPLE_GOOD),
				 WRITE_ACKNOWLEDGED);
	ck_assert_int_eq(connection_count(), before + 1); /* that of this very question */
	ledger_try_must_read();
	for (uint64_t slot = 0; slot < ledger_try.slot_count; slot++)
		ck_assert_uint_eq(ledger_try_found.rows[slot],
				  ledger_try.outcomes[slot] == WRITE_NONE ? 0 : 1);
}
END_TEST

START_TEST(test_read_back_frozen_server_is_not_complete)
{
	struct err e = { 0 };

	open_ledger(NULL, 1);
	ledger_try_must_write(1);
	daemon_freeze(&server);
	ck_assert(!ledger_try_read(&ledger_try_found, quick_ns, &e));
	ck_assert_int_eq(e.kind, ERR_DEADLINE);
}
END_TEST

/* Servers that take the connection and say nothing, hang up, or do not even shake hands. */
START_TEST(test_write_strange_servers_cost_no_more_than_the_timeout)
{
	static const enum tcp_server_manner manners[] = { TCP_SERVER_SILENT, TCP_SERVER_BLACK_HOLE,
							  TCP_SERVER_REFUSES };

	for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++) {
		struct tcp_server *strange = tcp_server_open(manners[i], NULL, 0);
		const struct daemon there = { .port = tcp_server_port(strange) };
		const int64_t begun_ns = ledger_try_now_ns();

		open_at(&there, NULL, NULL, NULL, 1);
		for (int n = 0; n < 3; n++)
			ck_assert_int_eq(ledger_try_write(0, quick_ns, SAMPLE_BAD), WRITE_NONE);
		ck_assert_int_lt(ledger_try_now_ns() - begun_ns, 3 * quick_ns + NS_PER_S / 2);
		ck_assert_uint_le(tcp_server_connection_count(strange), 1);
		ledger_try_release();
		tcp_server_close(strange);
	}
}
END_TEST

START_TEST(test_write_without_descriptors_is_skipped)
{
	struct rlimit limit;
	rlim_t before;

	open_ledger(NULL, 1);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	before = limit.rlim_cur;
	limit.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(ledger_try_write(0, quick_ns, SAMPLE_SKIPPED), WRITE_NONE);
	limit.rlim_cur = before;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ledger_try_must_write(1);
}
END_TEST

START_TEST(test_read_back_lost_table_is_complete_and_empty)
{
	open_ledger(NULL, 1);
	ledger_try_must_write(1);
	sql("drop table firedrill_ledger_run_1");
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_lost(&ledger_try_found), 1);
}
END_TEST

START_TEST(test_clean_removes_the_table_and_repeats)
{
	const char *const keep[] = { "keep", "true", NULL };

	open_ledger(keep, 1);
	ledger_try_must_write(1);
	ck_assert(ledger_try_clean(plenty_ns, NULL));
	ck_assert_int_eq(row_count(), 1);
	ledger_try_release();
	open_ledger(NULL, 1);
	for (int i = 0; i < 2; i++)
		ck_assert(ledger_try_clean(plenty_ns, NULL));
	ck_assert_int_eq(count("select count(*) from information_schema.tables where table_name "
			       "like 'firedrill%'"),
			 0);
}
END_TEST

/* ---- what a crash really loses ---- */

static void write_and_crash(struct daemon *own, const char *flush)
{
	const char *const options[] = { flush, NULL };
	const char *const keep[] = { "keep", "true", NULL };
	struct text output = { 0 };
	struct err e = { 0 };

	ck_assert_msg(mariadb_server_start(own, options, &e), "%s", e.text);
	ledger_try.slot_count = 0;
	open_at(own, NULL, NULL, keep, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(600);
	daemon_kill(own);
	ck_assert_int_eq(ledger_try_write(0, quick_ns, SAMPLE_BAD), WRITE_NONE);
	ck_assert_msg(mariadb_server_start(own, options, &e), "%s", e.text);
	ledger_try_must_write(1); /* the probe finds its way back */
	ledger_try_must_read();
	ck_assert(mariadb_server_sql(own, "select count(*) from firedrill_ledger_run_1", &output));
	ck_assert_int_eq((int64_t)ledger_try_lost(&ledger_try_found),
			 601 - strtoll(text_str(&output), NULL, 10));
	text_release(&output);
}

/* A server of its own: that of the other tests belongs to another process. */
START_TEST(test_crash_loses_what_was_not_flushed_at_commit_and_nothing_else)
{
	struct daemon own;
	struct err e = { 0 };

	ck_assert_msg(daemon_open(&own, &e) && mariadb_server_init(&own, &e), "%s", e.text);
	write_and_crash(&own, "--innodb-flush-log-at-trx-commit=0");
	ck_assert_uint_gt(ledger_try_lost(&ledger_try_found), 0);
	ck_assert(mariadb_server_sql(&own, "drop table firedrill_ledger_run_1", NULL));
	ledger_try_release();
	daemon_kill(&own);
	write_and_crash(&own, "--innodb-flush-log-at-trx-commit=1");
	ck_assert_uint_eq(ledger_try_lost(&ledger_try_found), 0);
	daemon_close(&own);
}
END_TEST

void suite_probe_mariadb(Suite *suite)
{
	TCase *tests = tcase_create("mariadb");

	suite_add_tcase(suite, tests);
	if (!mariadb_server_is_installed()) {
		(void)fprintf(stderr, "skipped: tests of mariadb.write, because there is no "
				      "mariadbd here; install mariadb-server-core and "
				      "mariadb-client-core\n");
		return;
	}
	tcase_add_unchecked_fixture(tests, start_server, stop_server);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, TEST_AT_MOST_S);
	tcase_add_test(tests, test_write_rows_are_acknowledged_and_read_back);
	tcase_add_test(tests, test_read_back_finds_damage_loss_copies_and_strangers);
	tcase_add_test(tests, test_read_back_many_rows_reads_all);
	tcase_add_test(tests, test_write_is_committed_whatever_autocommit_says);
	tcase_add_test(tests, test_prepare_read_only_server_says_so);
	tcase_add_test(tests, test_write_server_that_becomes_read_only_is_failed_and_left);
	tcase_add_test(tests, test_write_refused_by_a_trigger_is_failed);
	tcase_add_test(tests, test_prepare_wrong_password_or_database_says_so);
	tcase_add_test(tests, test_write_session_killed_is_indeterminate);
	tcase_add_test(tests, test_write_hanging_server_gets_no_more_connections);
	tcase_add_test(tests, test_read_back_frozen_server_is_not_complete);
	tcase_add_test(tests, test_write_strange_servers_cost_no_more_than_the_timeout);
	tcase_add_test(tests, test_write_without_descriptors_is_skipped);
	tcase_add_test(tests, test_read_back_lost_table_is_complete_and_empty);
	tcase_add_test(tests, test_clean_removes_the_table_and_repeats);
	tcase_add_test(tests,
		       test_crash_loses_what_was_not_flushed_at_commit_and_nothing_else);
}
