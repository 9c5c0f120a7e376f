/*
 * test_probe_postgres.c - postgres.query, postgres.write and the roles, against a real server.
 *
 * One private server for the suite; a test that freezes it thaws it in its teardown. Skipped, with
 * the reason printed, where the server's programs are not installed.
 */
#include "fixtures/pg_server.h"
#include "fixtures/probe_try.h"
#include "fixtures/tcp_server.h"
#include "tests/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t quick_ns = 300 * NS_PER_MS;
static const int64_t plenty_ns = 10 * NS_PER_S;

static struct pg_server server;
static bool has_server;

static struct text conninfo;
static struct service service;
static struct host hosts[3];
static struct inventory inventory;
static struct probe_try probe;

static void start_server(void)
{
	struct err e = { 0 };

	if (!pg_server_is_installed()) {
		(void)fprintf(stderr, "postgres probes are not tested: no PostgreSQL server here, "
				      "install postgresql\n");
		return;
	}
	has_server = pg_server_start(&server, NULL, &e);
	ck_assert_msg(has_server, "%s", e.text);
}

static void stop_server(void)
{
	pg_server_stop(&server);
}

static void set_up(void)
{
	conninfo = (struct text){ 0 };
	if (has_server)
		pg_server_conninfo(&server, &conninfo);
	service = (struct service){ .name = "db", .kind = "postgres",
				    .conninfo = text_str(&conninfo) };
	probe = (struct probe_try){ 0 };
}

static void tear_down(void)
{
	struct text none = { 0 };

	if (has_server) {
		pg_server_thaw(&server);
		(void)pg_server_sql(&server, "alter system reset all", &none, NULL);
		(void)pg_server_sql(&server, "select pg_reload_conf()", &none, NULL);
		(void)pg_server_sql(&server, "drop table if exists firedrill_ledger_run_1", &none,
				    NULL);
	}
	probe_try_release(&probe);
	text_release(&none);
	text_release(&conninfo);
}

static void open_probe(const char *kind, const char *const *params)
{
	struct err e = { 0 };

	probe_try_init(&probe, kind, params);
	probe.spec.service = &service;
	probe.spec.inventory = inventory.host_count > 0 ? &inventory : NULL;
	ck_assert_msg(probe_try_open(&probe, &e), "%s", e.text);
}

static void do_sql(const char *sql)
{
	struct err e = { 0 };

	ck_assert_msg(pg_server_sql(&server, sql, NULL, &e), "%s", e.text);
}

static int64_t count_sql(const char *sql)
{
	struct text value = { 0 };
	struct err e = { 0 };
	int64_t count;

	ck_assert_msg(pg_server_sql(&server, sql, &value, &e), "%s", e.text);
	count = strtoll(text_str(&value), NULL, 10);
	text_release(&value);
	return count;
}

/* Changes a setting of the server and waits until new sessions have it. Undone in tear_down. */
static void set_everywhere(const char *name, const char *value)
{
	struct text sql = { 0 };

	text_addf(&sql, "alter system set %s = '%s'", name, value);
	do_sql(text_str(&sql));
	do_sql("select pg_reload_conf()");
	text_clear(&sql);
	text_addf(&sql, "select count(*) from pg_settings where name = '%s' and setting = '%s'",
		  name, value);
	while (count_sql(text_str(&sql)) == 0)
		continue; /* the test's own time limit ends this */
	text_release(&sql);
}

static int64_t now_ns(void)
{
	const struct clock clock = clock_system();

	return clock_now_ns(&clock);
}

/* --- postgres.query --- */

START_TEST(test_query_expected_answer_is_good)
{
	const char *const params[] = { "sql", "select 40 + 2", "expect", "42", "rows", "1", NULL };

	open_probe("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_GOOD);
	ck_assert_str_eq(text_str(&probe.got), "42");
}
END_TEST

START_TEST(test_query_answers_read_as_people_write_them)
{
	const char *const yes[] = { "sql", "select pg_is_in_recovery()", "expect", "false", NULL };
	const char *const null[] = { "sql", "select null::int", "expect", "null", NULL };

	open_probe("postgres.query", yes);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_GOOD);
	probe_try_release(&probe);
	open_probe("postgres.query", null);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_GOOD);
}
END_TEST

START_TEST(test_query_other_answer_is_bad_and_says_both)
{
	const char *const params[] = { "sql", "select 'degraded'", "expect", "healthy", NULL };

	open_probe("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_str_eq(probe.err.text,
			 "query: got \"degraded\" where \"healthy\" was expected");
}
END_TEST

START_TEST(test_query_no_row_or_too_many_rows_is_bad)
{
	const char *const none[] = { "sql", "select 1 where false", "expect", "1", NULL };
	const char *const many[] = { "sql", "select generate_series(1, 100000)", "rows", "99999",
				     NULL };

	open_probe("postgres.query", none);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_ptr_nonnull(strstr(probe.err.text, "no value"));
	probe_try_release(&probe);
	open_probe("postgres.query", many);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_ptr_nonnull(strstr(probe.err.text, "number of rows"));
}
END_TEST

START_TEST(test_query_error_is_bad_and_the_next_attempt_works)
{
	const char *const params[] = { "sql", "select count(*) from not_yet", NULL };

	do_sql("drop table if exists not_yet");
	open_probe("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_str_eq(probe.err.text,
			 "query: relation \"not_yet\" does not exist, SQLSTATE 42P01");
	do_sql("create table not_yet ()");
	ck_assert_int_eq(probe_try_sample(&probe, 1, plenty_ns).state, SAMPLE_GOOD);
	do_sql("drop table not_yet");
}
END_TEST

START_TEST(test_query_copy_is_refused_and_does_not_hang)
{
	const char *const in[] = { "sql", "copy pg_class from stdin", NULL };
	const char *const out[] = { "sql", "copy (select 1) to stdout", NULL };

	open_probe("postgres.query", out);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_ptr_nonnull(strstr(probe.err.text, "write a select"));
	probe_try_release(&probe);
	open_probe("postgres.query", in);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_BAD);
}
END_TEST

START_TEST(test_query_frozen_server_ends_at_the_deadline)
{
	const char *const params[] = { "sql", "select 1", NULL };

	open_probe("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_GOOD);
	pg_server_freeze(&server);

	const int64_t start_ns = now_ns();

	ck_assert_int_eq(probe_try_sample(&probe, 1, quick_ns).state, SAMPLE_BAD);
	ck_assert_int_eq(probe.err.kind, ERR_DEADLINE);
	ck_assert_int_lt(now_ns() - start_ns, quick_ns + NS_PER_S);
	/* And again, now without a connection: the kernel accepts, nobody answers. */
	ck_assert_int_eq(probe_try_sample(&probe, 2, quick_ns).state, SAMPLE_BAD);
	ck_assert_str_eq(probe.err.text, "connect to 127.0.0.1: no answer in time");

	pg_server_thaw(&server);
	ck_assert_int_eq(probe_try_sample(&probe, 3, plenty_ns).state, SAMPLE_GOOD);
}
END_TEST

START_TEST(test_query_connection_ended_while_idle_is_made_anew_in_the_same_attempt)
{
	const char *const params[] = { "sql", "select 1", NULL };

	open_probe("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_GOOD);
	do_sql("select pg_terminate_backend(pid, 5000) from pg_stat_activity "
	       "where application_name = 'firedrill-Run-1'");
	ck_assert_int_eq(probe_try_sample(&probe, 1, plenty_ns).state, SAMPLE_GOOD);
}
END_TEST

START_TEST(test_query_without_descriptors_is_skipped)
{
	const char *const params[] = { "sql", "select 1", NULL };
	struct rlimit usual = { 0 };
	enum sample_state state;

	open_probe("postgres.query", params);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);

	const struct rlimit none = { .rlim_cur = 0, .rlim_max = usual.rlim_max };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	state = probe_try_sample(&probe, 0, plenty_ns).state;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &usual), 0);
	ck_assert_int_eq(state, SAMPLE_SKIPPED);
	ck_assert_int_eq(probe.err.kind, ERR_LIMIT);
}
END_TEST

START_TEST(test_query_check_refuses_bad_conninfo_without_repeating_it)
{
	struct err e = { 0 };

	probe_try_init(&probe, "postgres.query", NULL);
	probe.spec.service = &service;
	service.conninfo = "host=db1 password=very secret";
	ck_assert(!probe_try_open(&probe, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert_ptr_null(strstr(e.text, "secret"));
	ck_assert_ptr_nonnull(strstr(e.text, "conninfo of db"));
}
END_TEST

/* --- several hosts --- */

/* "host=dead,live" with a dead first place of this manner; returns its server. */
static struct tcp_server *dead_first(enum tcp_server_manner manner, struct text *text)
{
	struct tcp_server *dead = tcp_server_open(manner, NULL, 0);

	hosts[0] = (struct host){ .name = "dead", .address = "127.0.0.1" };
	hosts[1] = (struct host){ .name = "live", .address = "127.0.0.1" };
	inventory = (struct inventory){ .hosts = hosts, .host_count = 2 };
	text_addf(text, "host=dead,live port=%u,%u user=postgres dbname=postgres "
			"target_session_attrs=read-write connect_timeout=60",
		  tcp_server_port(dead), server.port);
	service.conninfo = text_str(text);
	return dead;
}

START_TEST(test_connect_dead_first_host_costs_its_slice_only)
{
	static const enum tcp_server_manner manners[] = { TCP_SERVER_BLACK_HOLE, TCP_SERVER_SILENT,
							  TCP_SERVER_REFUSES, TCP_SERVER_RESETS };
	const char *const params[] = { "sql", "select 1", NULL };
	struct text text = { 0 };
	struct tcp_server *dead = dead_first(manners[_i], &text);

	open_probe("postgres.query", params);

	const int64_t start_ns = now_ns();

	ck_assert_msg(probe_try_sample(&probe, 0, 2 * NS_PER_S).state == SAMPLE_GOOD, "%s",
		      probe.err.text);
	/* Half of the time when it is silent, next to nothing when it says no. */
	if (manners[_i] == TCP_SERVER_REFUSES || manners[_i] == TCP_SERVER_RESETS)
		ck_assert_int_lt(now_ns() - start_ns, NS_PER_S);
	tcp_server_close(dead);
	text_release(&text);
}
END_TEST

START_TEST(test_connect_silent_host_is_asked_after_those_that_answer)
{
	const char *const params[] = { "sql", "select 1", NULL };
	struct text text = { 0 };
	struct tcp_server *dead = dead_first(TCP_SERVER_SILENT, &text);

	open_probe("postgres.query", params);
	set_everywhere("default_transaction_read_only", "on");
	/* "live" answers that it is read-only, as a replica before its promotion. */
	ck_assert_int_eq(probe_try_sample(&probe, 0, quick_ns).state, SAMPLE_BAD);
	ck_assert_str_eq(probe.err.text,
			 "connect to dead: no answer in time; live: session is read-only");
	set_everywhere("default_transaction_read_only", "off");

	const int64_t start_ns = now_ns();

	ck_assert_int_eq(probe_try_sample(&probe, 1, plenty_ns).state, SAMPLE_GOOD);
	ck_assert_int_lt(now_ns() - start_ns, 2 * NS_PER_S); /* the slice of "dead" would be 5 s */
	tcp_server_close(dead);
	text_release(&text);
}
END_TEST

START_TEST(test_connect_every_failure_is_named_and_no_password)
{
	const char *const params[] = { "sql", "select 1", NULL };
	struct text text = { 0 };
	struct tcp_server *dead = dead_first(TCP_SERVER_REFUSES, &text);

	text_addf(&text, " password=geheim port=%u", tcp_server_port(dead));
	service.conninfo = text_str(&text);
	open_probe("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_str_eq(probe.err.text,
			 "connect to dead: Connection refused; live: Connection refused");
	ck_assert_int_eq(probe.err.kind, ERR_REMOTE);
	tcp_server_close(dead);
	text_release(&text);
}
END_TEST

START_TEST(test_connect_server_without_descriptors_is_bad_not_skipped)
{
	const char *const params[] = { "sql", "do $$ begin raise exception "
				       "'Too many open files'; end $$", NULL };

	open_probe("postgres.query", params);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_BAD);
}
END_TEST

START_TEST(test_open_unknown_host_names_it)
{
	struct err e = { 0 };

	service.conninfo = "host=no-such-host.invalid";
	probe_try_init(&probe, "postgres.write", NULL);
	probe.spec.service = &service;
	ck_assert(!probe_try_open(&probe, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "no-such-host.invalid"));
}
END_TEST

/* --- postgres.write --- */

/* What read_back found: how often each of the first slots, and how many were damaged. */
struct found {
	uint32_t rows[64];
	uint32_t damaged[64];
	uint64_t unexpected_count;
};

static void found_row(void *ctx, int64_t sequence, bool is_intact)
{
	struct found *found = ctx;

	if (sequence < 0 || sequence >= 64) {
		found->unexpected_count++;
		return;
	}
	found->rows[sequence]++;
	if (!is_intact)
		found->damaged[sequence]++;
}

static bool read_back(struct found *found, int64_t timeout_ns, struct err *e)
{
	const struct row_sink sink = { .row = found_row, .ctx = found };

	return probe.ops->read_back(&probe.spec, "Run-1", &probe.clock, now_ns() + timeout_ns,
				    &sink, e);
}

static void open_ledger(const char *const *params)
{
	struct err e = { 0 };

	open_probe("postgres.write", params);
	ck_assert_msg(probe.ops->prepare(&probe.spec, "Run-1", &probe.clock, now_ns() + plenty_ns,
					 &e),
		      "%s", e.text);
}

static enum write_outcome write_slot(uint64_t slot, int64_t timeout_ns, enum sample_state expected)
{
	const struct attempt_result result = probe_try_sample(&probe, slot, timeout_ns);

	ck_assert_msg(result.state == expected, "slot %" PRIu64 ": %s", slot, probe.err.text);
	return result.write;
}

START_TEST(test_write_rows_are_acknowledged_and_read_back)
{
	const char *const params[] = { "payload", "100B", NULL };
	struct found found = { 0 };
	struct err e = { 0 };

	open_ledger(params);
	for (uint64_t slot = 0; slot < 20; slot++)
		ck_assert_int_eq(write_slot(slot, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	ck_assert_int_eq(count_sql("select count(*) from firedrill_ledger_run_1 "
				   "where length(payload) = 100 and writer = 'probe'"),
			 20);
	ck_assert_msg(read_back(&found, plenty_ns, &e), "%s", e.text);
	for (int i = 0; i < 64; i++) {
		ck_assert_uint_eq(found.rows[i], i < 20 ? 1 : 0);
		ck_assert_uint_eq(found.damaged[i], 0);
	}
}
END_TEST

START_TEST(test_read_back_finds_damage_loss_copies_and_strangers)
{
	struct found found = { 0 };
	struct err e = { 0 };

	open_ledger(NULL);
	for (uint64_t slot = 0; slot < 8; slot++)
		(void)write_slot(slot, plenty_ns, SAMPLE_GOOD);
	do_sql("update firedrill_ledger_run_1 set payload = 'x' where seq = 1");
	do_sql("update firedrill_ledger_run_1 set payload = E'a\\tb\\nc\\\\' where seq = 2");
	do_sql("update firedrill_ledger_run_1 set checksum = reverse(checksum) where seq = 3");
	do_sql("update firedrill_ledger_run_1 a set payload = b.payload, checksum = b.checksum "
	       "from firedrill_ledger_run_1 b where a.seq = 4 and b.seq = 5");
	do_sql("delete from firedrill_ledger_run_1 where seq = 6");
	do_sql("insert into firedrill_ledger_run_1 select * from firedrill_ledger_run_1 "
	       "where seq = 7");
	do_sql("insert into firedrill_ledger_run_1 values ('probe', -5, 'x', 'y')");
	do_sql("insert into firedrill_ledger_run_1 values ('another', 0, 'x', 'y')");

	ck_assert_msg(read_back(&found, plenty_ns, &e), "%s", e.text);
	ck_assert_uint_eq(found.rows[0], 1);
	ck_assert_uint_eq(found.damaged[0], 0);
	for (int i = 1; i <= 4; i++) {
		ck_assert_uint_eq(found.rows[i], 1);
		ck_assert_uint_eq(found.damaged[i], 1);
	}
	ck_assert_uint_eq(found.damaged[5], 0);
	ck_assert_uint_eq(found.rows[6], 0);
	ck_assert_uint_eq(found.rows[7], 2);
	ck_assert_uint_eq(found.unexpected_count, 1);
}
END_TEST

/* COMMAND_OK comes before the commit, and here the commit fails. */
START_TEST(test_write_refused_by_the_commit_is_failed_not_acknowledged)
{
	struct found found = { 0 };

	open_ledger(NULL);
	do_sql("create or replace function refuse() returns trigger language plpgsql as "
	       "$$ begin if new.seq = 1 then raise exception 'not at commit'; end if; "
	       "return null; end $$");
	do_sql("create constraint trigger late after insert on firedrill_ledger_run_1 "
	       "deferrable initially deferred for each row execute function refuse()");
	ck_assert_int_eq(write_slot(0, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	ck_assert_int_eq(write_slot(1, plenty_ns, SAMPLE_BAD), WRITE_FAILED);
	ck_assert_str_eq(probe.err.text, "insert: not at commit, SQLSTATE P0001");
	ck_assert_int_eq(write_slot(2, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	ck_assert(read_back(&found, plenty_ns, NULL));
	ck_assert_uint_eq(found.rows[0], 1);
	ck_assert_uint_eq(found.rows[1], 0);
	ck_assert_uint_eq(found.rows[2], 1);
}
END_TEST

START_TEST(test_write_class_of_unknown_completion_is_indeterminate)
{
	open_ledger(NULL);
	do_sql("create or replace function refuse() returns trigger language plpgsql as "
	       "$$ begin raise exception 'who knows' using errcode = '08007'; end $$");
	do_sql("create trigger refuse before insert on firedrill_ledger_run_1 "
	       "for each row execute function refuse()");
	ck_assert_int_eq(write_slot(0, plenty_ns, SAMPLE_BAD), WRITE_INDETERMINATE);
}
END_TEST

START_TEST(test_write_frozen_server_is_indeterminate_then_unsent)
{
	open_ledger(NULL);
	ck_assert_int_eq(write_slot(0, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	pg_server_freeze(&server);
	ck_assert_int_eq(write_slot(1, quick_ns, SAMPLE_BAD), WRITE_INDETERMINATE);
	ck_assert_str_eq(probe.err.text, "insert: no answer in time");
	ck_assert_int_eq(write_slot(2, quick_ns, SAMPLE_BAD), WRITE_NONE);
	pg_server_thaw(&server);
	ck_assert_int_eq(write_slot(3, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
}
END_TEST

START_TEST(test_write_backend_killed_while_it_writes_is_indeterminate)
{
	open_ledger(NULL);
	do_sql("create or replace function stay() returns trigger language plpgsql as "
	       "$$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$");
	do_sql("create trigger stay before insert on firedrill_ledger_run_1 "
	       "for each row execute function stay()");
	/* FATAL 57P01: the session ended, and from outside nobody can tell at which moment. */
	ck_assert_int_eq(write_slot(0, plenty_ns, SAMPLE_BAD), WRITE_INDETERMINATE);
	ck_assert_ptr_nonnull(strstr(probe.err.text, "SQLSTATE 57P01"));
	do_sql("drop trigger stay on firedrill_ledger_run_1");
	ck_assert_int_eq(write_slot(1, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
}
END_TEST

START_TEST(test_write_cancelled_wait_for_synchronous_replication_is_a_finding)
{
	open_ledger(NULL);
	ck_assert_int_eq(write_slot(0, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	ck_assert_str_eq(probe.err.text, "");
	/* Nobody is called "nobody", so a commit waits until somebody cancels it. */
	set_everywhere("synchronous_standby_names", "nobody");

	const pid_t canceller = fork();

	if (canceller == 0) {
		while (count_sql("select count(pg_cancel_backend(pid)) from pg_stat_activity "
				 "where wait_event = 'SyncRep'") == 0)
			continue; /* killed with the test's process group at the latest */
		_exit(0);
	}
	ck_assert_int_eq(write_slot(1, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	ck_assert_ptr_nonnull(strstr(probe.err.text, "durable on one host only"));
	ck_assert_int_eq(waitpid(canceller, NULL, 0), canceller);
}
END_TEST

START_TEST(test_write_nobody_there_is_unsent)
{
	struct tcp_server *refuses = tcp_server_open(TCP_SERVER_REFUSES, NULL, 0);
	struct text text = { 0 };
	struct found found = { 0 };
	struct err e = { 0 };

	text_addf(&text, "host=127.0.0.1 port=%u", tcp_server_port(refuses));
	service.conninfo = text_str(&text);
	open_probe("postgres.write", NULL);
	ck_assert_int_eq(write_slot(0, quick_ns, SAMPLE_BAD), WRITE_NONE);
	ck_assert(!read_back(&found, quick_ns, &e));
	ck_assert_str_eq(e.text, "read the ledger back from db: connect to 127.0.0.1: "
				 "Connection refused");
	ck_assert(!probe.ops->prepare(&probe.spec, "Run-1", &probe.clock, now_ns() + quick_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "make the ledger's table on db"));
	ck_assert(!probe.ops->clean(&probe.spec, "Run-1", &probe.clock, now_ns() + quick_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "remove the ledger's table from db"));
	tcp_server_close(refuses);
	text_release(&text);
}
END_TEST

START_TEST(test_prepare_refused_for_good_does_not_wait_for_the_deadline)
{
	const int64_t start_ns = now_ns();
	struct err e = { 0 };
	struct text text = { 0 };

	text_addf(&text, "%s options='-c search_path=nowhere'", text_str(&conninfo));
	service.conninfo = text_str(&text);
	open_probe("postgres.write", NULL);
	ck_assert(!probe.ops->prepare(&probe.spec, "Run-1", &probe.clock, start_ns + plenty_ns,
				      &e));
	ck_assert_ptr_nonnull(strstr(e.text, "no schema has been selected"));
	ck_assert_int_lt(now_ns() - start_ns, plenty_ns / 2);
	text_release(&text);
}
END_TEST

START_TEST(test_read_back_frozen_server_is_not_complete)
{
	struct found found = { 0 };
	struct err e = { 0 };

	open_ledger(NULL);
	pg_server_freeze(&server);
	ck_assert(!read_back(&found, quick_ns, &e));
	ck_assert_int_eq(e.kind, ERR_DEADLINE);
}
END_TEST

START_TEST(test_read_back_lost_table_is_complete_and_empty)
{
	struct found found = { 0 };
	struct err e = { 0 };

	open_ledger(NULL);
	(void)write_slot(0, plenty_ns, SAMPLE_GOOD);
	do_sql("drop table firedrill_ledger_run_1");
	ck_assert_msg(read_back(&found, plenty_ns, &e), "%s", e.text);
	ck_assert_uint_eq(found.rows[0], 0);
}
END_TEST

START_TEST(test_clean_removes_the_table_and_repeats)
{
	const char *const keep[] = { "keep", "true", NULL };
	const char *const exists = "select count(*) from pg_class where relname = "
				   "'firedrill_ledger_run_1'";
	struct err e = { 0 };

	open_ledger(keep);
	ck_assert(probe.ops->clean(&probe.spec, "Run-1", &probe.clock, now_ns() + plenty_ns, &e));
	ck_assert_int_eq(count_sql(exists), 1);
	probe_try_release(&probe);
	open_ledger(NULL);
	for (int i = 0; i < 2; i++)
		ck_assert(probe.ops->clean(&probe.spec, "Run-1", &probe.clock,
					   now_ns() + plenty_ns, &e));
	ck_assert_int_eq(count_sql(exists), 0);
}
END_TEST

/* --- roles --- */

static bool resolve(const char *role, const struct host **members, size_t *count, struct err *e)
{
	const struct clock clock = clock_system();
	const struct role_ops *ops = role_find("postgres");

	ck_assert_ptr_nonnull(ops);
	return ops->resolve(&service, role, &clock, now_ns() + 1500 * NS_PER_MS, members, count, e);
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
	text_addf(&live_text, "%u", server.port);
	dead_port.value = text_str(&dead_text);
	live_port.value = text_str(&live_text);
	hosts[0] = (struct host){ .name = "db1", .address = "127.0.0.1", .labels = &dead_port,
				  .label_count = 1 };
	hosts[1] = (struct host){ .name = "db2", .is_local = true, .labels = &live_port,
				  .label_count = 1 };
	service.conninfo = "host=proxy.invalid port=5000 user=postgres dbname=postgres";
	service.members = members;
	service.member_count = 2;

	ck_assert_msg(resolve("primary", got, &count, &e), "%s", e.text);
	ck_assert_uint_eq(count, 1);
	ck_assert_ptr_eq(got[0], &hosts[1]);
	ck_assert(!resolve("replica", got, &count, &e));
	ck_assert_str_eq(e.text, "find the replica of db: no member says it is one (db1: connect to "
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
	service.members = members;
	service.member_count = 2;
	ck_assert(!resolve("primary", got, &count, &e));
	ck_assert_str_eq(e.text, "find the primary of db: 2 members say they are (db1: primary; db2: "
				 "primary); repair the split brain first");
	ck_assert_uint_eq(count, 7);
	ck_assert(!resolve("leader", got, &count, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
}
END_TEST

static void add_tests(TCase *tests)
{
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
	tcase_add_test(tests, test_connect_silent_host_is_asked_after_those_that_answer);
	tcase_add_test(tests, test_connect_every_failure_is_named_and_no_password);
	tcase_add_test(tests, test_connect_server_without_descriptors_is_bad_not_skipped);
	tcase_add_test(tests, test_open_unknown_host_names_it);
	tcase_add_test(tests, test_write_rows_are_acknowledged_and_read_back);
	tcase_add_test(tests, test_read_back_finds_damage_loss_copies_and_strangers);
	tcase_add_test(tests, test_write_refused_by_the_commit_is_failed_not_acknowledged);
	tcase_add_test(tests, test_write_class_of_unknown_completion_is_indeterminate);
	tcase_add_test(tests, test_write_frozen_server_is_indeterminate_then_unsent);
	tcase_add_test(tests, test_write_backend_killed_while_it_writes_is_indeterminate);
	tcase_add_test(tests, test_write_cancelled_wait_for_synchronous_replication_is_a_finding);
	tcase_add_test(tests, test_write_nobody_there_is_unsent);
	tcase_add_test(tests, test_prepare_refused_for_good_does_not_wait_for_the_deadline);
	tcase_add_test(tests, test_read_back_frozen_server_is_not_complete);
	tcase_add_test(tests, test_read_back_lost_table_is_complete_and_empty);
	tcase_add_test(tests, test_clean_removes_the_table_and_repeats);
	tcase_add_test(tests, test_roles_one_primary_beside_a_dead_member);
	tcase_add_test(tests, test_roles_two_primaries_are_named_and_refused);
}

void suite_probe_postgres(Suite *suite)
{
	TCase *tests = tcase_create("postgres");

	/* Started in the runner, once; each test runs in a child of it. */
	tcase_add_unchecked_fixture(tests, start_server, stop_server);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 30);
	if (pg_server_is_installed())
		add_tests(tests);
	else
		start_server(); /* says why */
	suite_add_tcase(suite, tests);
}
