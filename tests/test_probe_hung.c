/*
 * test_probe_hung.c - what lanes do to a PostgreSQL server that hangs: they keep what they have,
 * heap nothing up, see the recovery at once, and the ledger stays exact.
 */
#include "fixtures/pg_try.h"
#include "fixtures/tcp_server.h"
#include "probes/patience.h"
#include "tests/suites.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LANES = 5,
	ROUNDS = 20,
	SLOTS_MAX = 256,
	FILES_MAX = 256,
	STRANGERS = 2, /* processes of the server's own that may come meanwhile */
};

static const int64_t short_ns = 10 * NS_PER_MS;
static const int64_t quick_ns = 300 * NS_PER_MS;
static const int64_t plenty_ns = 10 * NS_PER_S;

static struct probe_try lanes[LANES];
static uint64_t slot_count;
static enum write_outcome outcomes[SLOTS_MAX];

/* Time goes on, and jumps when a test says so. */
static int64_t jumped_ns;

static int64_t jumping_now_ns(void *ctx)
{
	(void)ctx;
	return pg_try_now_ns() + jumped_ns;
}

static void open_lanes(const char *kind, const char *const *params)
{
	struct err e = { 0 };

	pg_try_open(kind, params); /* the first: also prepares and reads back */
	if (pg_try.probe.ops->prepare != NULL)
		ck_assert_msg(pg_try.probe.ops->prepare(&pg_try.probe.spec, "Run-1",
							&pg_try.probe.clock,
							pg_try_now_ns() + plenty_ns, &e),
			      "%s", e.text);
	for (size_t i = 0; i < LANES; i++) {
		probe_try_init(&lanes[i], kind, params);
		lanes[i].spec.service = &pg_try.service;
		lanes[i].spec.inventory = pg_try.probe.spec.inventory;
		lanes[i].clock.now_ns = jumping_now_ns;
		ck_assert_msg(probe_try_open(&lanes[i], &e), "%s", e.text);
	}
}

static void close_lanes(void)
{
	for (size_t i = 0; i < LANES; i++)
		probe_try_release(&lanes[i]);
}

static enum sample_state attempt(size_t lane, int64_t timeout_ns)
{
	const uint64_t slot = slot_count++;
	struct attempt_result result;

	ck_assert_uint_lt(slot, SLOTS_MAX);
	result = probe_try_sample(&lanes[lane], slot, timeout_ns);
	outcomes[slot] = result.write;
	return result.state;
}

static void all_attempt(int64_t timeout_ns, enum sample_state expected)
{
	for (size_t i = 0; i < LANES; i++)
		ck_assert_msg(attempt(i, timeout_ns) == expected, "lane %zu: %s", i,
			      lanes[i].err.text);
}

static int64_t backend_count(void)
{
	return pg_try_count("select count(*) from pg_stat_activity "
			    "where application_name = 'firedrill-Run-1'");
}

static uint32_t row_counts[SLOTS_MAX];

static void count_row(void *ctx, int64_t sequence, bool is_intact)
{
	(void)ctx;
	ck_assert(is_intact);
	ck_assert_int_ge(sequence, 0);
	ck_assert_int_lt(sequence, SLOTS_MAX);
	row_counts[sequence]++;
}

/* A slot without a write has no row, an acknowledged one has one, and a request that hung landed
   when its connection answered. */
static void assert_rows_are_exact(void)
{
	const struct row_sink sink = { .row = count_row };
	struct err e = { 0 };

	ck_assert_msg(pg_try.probe.ops->read_back(&pg_try.probe.spec, "Run-1", &pg_try.probe.clock,
						  pg_try_now_ns() + plenty_ns, &sink, &e),
		      "%s", e.text);
	for (uint64_t slot = 0; slot < SLOTS_MAX; slot++)
		ck_assert_msg(row_counts[slot] == (outcomes[slot] == WRITE_NONE ? 0 : 1),
			      "slot %d: %u rows, outcome %d", (int)slot, row_counts[slot],
			      outcomes[slot]);
}

static size_t count_outcome(enum write_outcome outcome)
{
	size_t count = 0;

	for (uint64_t slot = 0; slot < slot_count; slot++)
		count += outcomes[slot] == outcome;
	return count;
}

/* Holds the ledger's table until unlock_table: every insert hangs, as with a frozen disk. */
static pid_t lock_table(void)
{
	const pid_t pid = fork();

	if (pid == 0) {
		(void)pg_server_sql(&pg_try.server,
				    "begin; lock table firedrill_ledger_run_1; select pg_sleep(60)",
				    NULL, NULL);
		_exit(0);
	}
	while (pg_try_count("select count(*) from pg_locks where granted and "
			    "mode = 'AccessExclusiveLock' and relation = "
			    "'firedrill_ledger_run_1'::regclass") == 0)
		continue; /* the test's own time limit ends this */
	return pid;
}

static void unlock_table(pid_t locker)
{
	pg_try_do("select pg_terminate_backend(pid, 5000) from pg_stat_activity "
		  "where query like 'begin; lock%'");
	ck_assert_int_eq(waitpid(locker, NULL, 0), locker);
}

/* --- the server hangs --- */

START_TEST(test_hung_requests_hold_one_connection_for_each_lane)
{
	size_t process_count;

	open_lanes("postgres.write", NULL);
	all_attempt(plenty_ns, SAMPLE_GOOD);
	process_count = pg_server_process_count(&pg_try.server);

	pg_server_freeze(&pg_try.server);
	for (int i = 0; i < ROUNDS; i++)
		all_attempt(short_ns, SAMPLE_BAD);
	ck_assert_str_eq(lanes[0].err.text,
			 "still no answer to an earlier request on 127.0.0.1");
	ck_assert_int_eq(lanes[0].err.kind, ERR_DEADLINE);
	pg_server_thaw(&pg_try.server);

	const int64_t start_ns = pg_try_now_ns();

	all_attempt(plenty_ns, SAMPLE_GOOD);
	ck_assert_int_lt(pg_try_now_ns() - start_ns, 5 * NS_PER_S);
	ck_assert_int_eq(backend_count(), LANES);
	ck_assert_uint_le(pg_server_process_count(&pg_try.server), process_count + STRANGERS);
	ck_assert_uint_eq(count_outcome(WRITE_INDETERMINATE), LANES);
	ck_assert_uint_eq(count_outcome(WRITE_NONE), (ROUNDS - 1) * LANES);
	ck_assert_uint_eq(count_outcome(WRITE_ACKNOWLEDGED), 2 * LANES);
	assert_rows_are_exact();
	close_lanes();
}
END_TEST

/* New connections work here, so every one left behind would show at once. */
START_TEST(test_hung_inserts_hold_one_connection_for_each_lane)
{
	size_t process_count;
	pid_t locker;

	open_lanes("postgres.write", NULL);
	all_attempt(plenty_ns, SAMPLE_GOOD);
	locker = lock_table();
	process_count = pg_server_process_count(&pg_try.server);
	for (int i = 0; i < ROUNDS; i++)
		all_attempt(short_ns, SAMPLE_BAD);
	ck_assert_int_eq(backend_count(), LANES);
	ck_assert_uint_le(pg_server_process_count(&pg_try.server), process_count + STRANGERS);
	unlock_table(locker);
	all_attempt(plenty_ns, SAMPLE_GOOD);
	ck_assert_int_eq(backend_count(), LANES);
	assert_rows_are_exact();
	close_lanes();
}
END_TEST

START_TEST(test_hung_handshakes_are_kept)
{
	size_t process_count;

	open_lanes("postgres.write", NULL);
	process_count = pg_server_process_count(&pg_try.server);
	pg_server_freeze(&pg_try.server);
	for (int i = 0; i < ROUNDS; i++)
		all_attempt(short_ns, SAMPLE_BAD);
	ck_assert_str_eq(lanes[0].err.text, "connect to 127.0.0.1: no answer in time");
	pg_server_thaw(&pg_try.server);
	all_attempt(plenty_ns, SAMPLE_GOOD);
	ck_assert_int_eq(backend_count(), LANES);
	ck_assert_uint_le(pg_server_process_count(&pg_try.server),
			  process_count + LANES + STRANGERS);
	ck_assert_uint_eq(count_outcome(WRITE_NONE), ROUNDS * LANES);
	assert_rows_are_exact();
	close_lanes();
}
END_TEST

/* PREPARE of the insert waits for the table: the session stands, and no write was sent. */
START_TEST(test_hung_preparations_are_kept)
{
	pid_t locker;

	open_lanes("postgres.write", NULL);
	locker = lock_table();
	for (int i = 0; i < ROUNDS; i++)
		all_attempt(2 * short_ns, SAMPLE_BAD);
	ck_assert_int_eq(backend_count(), LANES);
	unlock_table(locker);
	all_attempt(plenty_ns, SAMPLE_GOOD);
	ck_assert_int_eq(backend_count(), LANES);
	ck_assert_uint_eq(count_outcome(WRITE_INDETERMINATE), 0);
	assert_rows_are_exact();
	close_lanes();
}
END_TEST

START_TEST(test_hung_attempt_that_sees_the_late_answer_goes_on)
{
	pid_t thawer;

	open_lanes("postgres.write", NULL);
	ck_assert_int_eq(attempt(0, plenty_ns), SAMPLE_GOOD);
	pg_server_freeze(&pg_try.server);
	ck_assert_int_eq(attempt(0, short_ns), SAMPLE_BAD);

	thawer = fork();
	if (thawer == 0) {
		const struct clock clock = clock_system();

		clock_sleep_until_ns(&clock, pg_try_now_ns() + quick_ns);
		pg_server_thaw(&pg_try.server);
		_exit(0);
	}
	/* One attempt that begins while it hangs and ends after. */
	ck_assert_int_eq(attempt(0, plenty_ns), SAMPLE_GOOD);
	ck_assert_int_eq(outcomes[2], WRITE_ACKNOWLEDGED);
	ck_assert_int_eq(waitpid(thawer, NULL, 0), thawer);
	assert_rows_are_exact();
	close_lanes();
}
END_TEST

START_TEST(test_hung_connection_that_breaks_is_made_anew_in_the_same_attempt)
{
	pid_t locker;

	open_lanes("postgres.write", NULL);
	ck_assert_int_eq(attempt(0, plenty_ns), SAMPLE_GOOD);
	locker = lock_table();
	ck_assert_int_eq(attempt(0, short_ns), SAMPLE_BAD);
	ck_assert_int_eq(attempt(0, short_ns), SAMPLE_BAD);
	pg_try_do("select pg_terminate_backend(pid, 5000) from pg_stat_activity "
		  "where application_name = 'firedrill-Run-1'");
	unlock_table(locker);
	ck_assert_msg(attempt(0, plenty_ns) == SAMPLE_GOOD, "%s", lanes[0].err.text);
	ck_assert_int_eq(backend_count(), 1);
	outcomes[1] = WRITE_NONE; /* it never landed: its backend ended while it waited */
	assert_rows_are_exact();
	close_lanes();
}
END_TEST

START_TEST(test_hung_query_is_asked_once)
{
	const char *const params[] = { "sql", "select pg_sleep(0.5)", NULL };

	open_lanes("postgres.query", params);
	ck_assert_int_eq(attempt(0, plenty_ns), SAMPLE_GOOD);
	for (int i = 0; i < ROUNDS; i++)
		ck_assert_int_eq(attempt(0, short_ns), SAMPLE_BAD);
	ck_assert_int_eq(backend_count(), 1);
	ck_assert_int_eq(attempt(0, plenty_ns), SAMPLE_GOOD);
	ck_assert_int_eq(backend_count(), 1);
	close_lanes();
}
END_TEST

/* --- somewhere else --- */

static struct host hosts[2];

START_TEST(test_hung_first_host_is_left_alone_and_the_second_used)
{
	struct pg_server second = { 0 };
	struct text conninfo = { 0 };
	struct err e = { 0 };

	ck_assert_msg(pg_server_start(&second, NULL, &e), "%s", e.text);
	ck_assert(pg_server_sql(&second,
				"create table firedrill_ledger_run_1 (writer text, seq bigint, "
				"payload text, checksum text)",
				NULL, &e));
	hosts[0] = (struct host){ .name = "db1", .address = "127.0.0.1" };
	hosts[1] = (struct host){ .name = "db2", .address = "127.0.0.1" };
	pg_try.inventory = (struct inventory){ .hosts = hosts, .host_count = 2 };
	text_addf(&conninfo, "host=db1,db2 port=%u,%u user=postgres dbname=postgres",
		  pg_try.server.port, second.port);
	pg_try.service.conninfo = text_str(&conninfo);
	open_lanes("postgres.write", NULL);
	all_attempt(plenty_ns, SAMPLE_GOOD);

	pg_server_freeze(&pg_try.server);
	for (size_t i = 0; i < LANES; i++)
		ck_assert_int_eq(attempt(i, short_ns), SAMPLE_BAD);
	ck_assert_str_eq(lanes[0].err.text, "insert: no answer in time");
	for (int i = 0; i < ROUNDS; i++)
		all_attempt(plenty_ns, SAMPLE_GOOD);
	pg_server_thaw(&pg_try.server);
	/* What was kept aside answers now, and is closed by one of the next attempts. */
	while (backend_count() > 0)
		all_attempt(plenty_ns, SAMPLE_GOOD);
	for (uint64_t slot = 0; slot < SLOTS_MAX; slot++) {
		if (slot >= 2 * LANES) /* those are on db2 */
			outcomes[slot] = WRITE_NONE;
	}
	assert_rows_are_exact();
	close_lanes();
	pg_server_stop(&second);
	text_release(&conninfo);
}
END_TEST

START_TEST(test_hung_first_host_is_waited_for_while_the_second_refuses)
{
	struct tcp_server *refuses = tcp_server_open(TCP_SERVER_REFUSES, NULL, 0);
	struct text conninfo = { 0 };

	hosts[0] = (struct host){ .name = "db1", .address = "127.0.0.1" };
	hosts[1] = (struct host){ .name = "db2", .address = "127.0.0.1" };
	pg_try.inventory = (struct inventory){ .hosts = hosts, .host_count = 2 };
	text_addf(&conninfo, "host=db1,db2 port=%u,%u user=postgres dbname=postgres",
		  pg_try.server.port, tcp_server_port(refuses));
	pg_try.service.conninfo = text_str(&conninfo);
	open_lanes("postgres.write", NULL);
	ck_assert_int_eq(attempt(0, plenty_ns), SAMPLE_GOOD);
	pg_server_freeze(&pg_try.server);
	ck_assert_int_eq(attempt(0, short_ns), SAMPLE_BAD);

	const int64_t start_ns = pg_try_now_ns();

	ck_assert_int_eq(attempt(0, quick_ns), SAMPLE_BAD);
	ck_assert_int_ge(pg_try_now_ns() - start_ns, quick_ns);
	ck_assert_int_lt(pg_try_now_ns() - start_ns, quick_ns + NS_PER_S);
	ck_assert_str_eq(lanes[0].err.text, "still no answer to an earlier request on db1; connect "
					    "to db2: Connection refused");
	ck_assert_int_eq(lanes[0].err.kind, ERR_REMOTE);
	close_lanes();
	tcp_server_close(refuses);
	text_release(&conninfo);
}
END_TEST

/* --- leaving --- */

START_TEST(test_patience_leaves_one_connection_of_all_lanes_then_doubles)
{
	static const int64_t jumps_ns[] = { 6 * NS_PER_S, 5 * NS_PER_S, 6 * NS_PER_S,
					    15 * NS_PER_S, 6 * NS_PER_S };
	static const int left_counts[] = { 1, 1, 2, 2, 3 };
	pid_t locker;

	open_lanes("postgres.write", NULL);
	all_attempt(plenty_ns, SAMPLE_GOOD);
	locker = lock_table();
	all_attempt(short_ns, SAMPLE_BAD);
	for (size_t i = 0; i < sizeof jumps_ns / sizeof jumps_ns[0]; i++) {
		jumped_ns += jumps_ns[i];
		for (int n = 0; n < 3; n++)
			all_attempt(2 * short_ns, SAMPLE_BAD);
		/* Its backend waits for the lock and does not see that we have gone. */
		ck_assert_int_eq(backend_count(), LANES + left_counts[i]);
	}
	unlock_table(locker);
	all_attempt(plenty_ns, SAMPLE_GOOD);
	while (backend_count() > LANES)
		continue; /* those that were left end by themselves now */
	assert_rows_are_exact();
	close_lanes();
}
END_TEST

/* As behind a proxy: the old sessions hang for ever, new ones work. */
START_TEST(test_patience_shows_that_new_connections_work_and_all_lanes_follow)
{
	struct text pids = { 0 };
	struct err e = { 0 };

	open_lanes("postgres.write", NULL);
	all_attempt(plenty_ns, SAMPLE_GOOD);
	ck_assert(pg_server_sql(&pg_try.server,
				"select string_agg(pid::text, ' ') from pg_stat_activity "
				"where application_name = 'firedrill-Run-1'",
				&pids, &e));
	for (char *rest = pids.owned_bytes; *rest != '\0';) {
		const pid_t pid = (pid_t)strtol(rest, &rest, 10);

		ck_assert_int_gt(pid, 1);
		ck_assert_int_eq(kill(pid, SIGSTOP), 0); /* thawed by the tear-down */
	}
	all_attempt(short_ns, SAMPLE_BAD);
	all_attempt(short_ns, SAMPLE_BAD);
	ck_assert_int_eq(backend_count(), LANES);
	jumped_ns += 6 * NS_PER_S;
	all_attempt(plenty_ns, SAMPLE_GOOD);
	ck_assert_int_eq(backend_count(), 2 * LANES);
	close_lanes();
	text_release(&pids);
}
END_TEST

/* Nothing more arrives at our socket to this port, not even an acknowledgement. */
static void cut_off(uint16_t port)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = { .len = 1, .filter = &drop };
	int count = 0;

	for (int fd = 3; fd < FILES_MAX; fd++) {
		struct sockaddr_in peer = { 0 };
		socklen_t peer_bytes = sizeof peer;

		if (getpeername(fd, (struct sockaddr *)&peer, &peer_bytes) == 0 &&
		    peer.sin_family == AF_INET && ntohs(peer.sin_port) == port) {
			ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
						    sizeof program),
					 0);
			count++;
		}
	}
	ck_assert_int_eq(count, 1);
}

/* A partition that is over leaves TCP waiting for its next retransmit; a lane does not. */
START_TEST(test_connection_without_acknowledgements_is_left_at_once)
{
	int64_t start_ns;

	open_lanes("postgres.write", NULL);
	ck_assert_int_eq(attempt(0, plenty_ns), SAMPLE_GOOD);
	cut_off(pg_try.server.port);
	ck_assert_int_eq(attempt(0, NS_PER_S), SAMPLE_BAD);
	ck_assert_int_eq(outcomes[1], WRITE_INDETERMINATE);
	start_ns = pg_try_now_ns();
	ck_assert_int_eq(attempt(0, plenty_ns), SAMPLE_GOOD);
	ck_assert_int_lt(pg_try_now_ns() - start_ns, NS_PER_S);
	assert_rows_are_exact();

	/* After an answer it may do so again. */
	cut_off(pg_try.server.port);
	ck_assert_int_eq(attempt(0, NS_PER_S), SAMPLE_BAD);
	start_ns = pg_try_now_ns();
	ck_assert_int_eq(attempt(0, plenty_ns), SAMPLE_GOOD);
	ck_assert_int_lt(pg_try_now_ns() - start_ns, NS_PER_S);
	close_lanes();
}
END_TEST

/* A host that takes the connection may have a backend for it; one that takes none has nothing. */
START_TEST(test_connect_timeout_ends_a_try_that_nobody_took)
{
	const char *const params[] = { "sql", "select 1", NULL };
	struct tcp_server *hole = tcp_server_open(TCP_SERVER_BLACK_HOLE, NULL, 0);
	struct text conninfo = { 0 };
	int64_t start_ns;

	text_addf(&conninfo, "host=127.0.0.1 port=%u connect_timeout=1", tcp_server_port(hole));
	pg_try.service.conninfo = text_str(&conninfo);
	pg_try_open("postgres.query", params);
	start_ns = pg_try_now_ns();
	ck_assert_int_eq(probe_try_sample(&pg_try.probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_int_lt(pg_try_now_ns() - start_ns, 3 * NS_PER_S);
	ck_assert_int_ge(pg_try_now_ns() - start_ns, NS_PER_S);
	ck_assert_str_eq(pg_try.probe.err.text, "connect to 127.0.0.1: no answer in time");
	tcp_server_close(hole);
	text_release(&conninfo);
}
END_TEST

START_TEST(test_connect_to_a_silent_server_is_one_connection)
{
	const char *const params[] = { "sql", "select 1", NULL };
	struct tcp_server *silent = tcp_server_open(TCP_SERVER_SILENT, NULL, 0);
	struct text conninfo = { 0 };

	text_addf(&conninfo, "host=127.0.0.1 port=%u connect_timeout=1", tcp_server_port(silent));
	pg_try.service.conninfo = text_str(&conninfo);
	pg_try_open("postgres.query", params);
	for (uint64_t slot = 0; slot < ROUNDS; slot++)
		ck_assert_int_eq(probe_try_sample(&pg_try.probe, slot, short_ns).state, SAMPLE_BAD);
	ck_assert_uint_eq(tcp_server_connection_count(silent), 1);
	tcp_server_close(silent);
	text_release(&conninfo);
}
END_TEST

/* --- patience.c alone --- */

START_TEST(test_patience_counts_for_all_and_is_reset_by_an_answer)
{
	struct patience *patience = patience_find("db1 rows");
	const int64_t first_ns = 5;

	ck_assert_ptr_eq(patience_find("db1 rows"), patience);
	ck_assert_ptr_ne(patience_find("db2 rows"), patience);
	ck_assert(!patience_may_leave(patience, 100, first_ns, 104));
	ck_assert(patience_may_leave(patience, 100, first_ns, 105));
	ck_assert(!patience_may_leave(patience, 100, first_ns, 105));
	ck_assert(!patience_may_leave(patience, 100, first_ns, 114));
	ck_assert(patience_may_leave(patience, 100, first_ns, 115));
	ck_assert(!patience_may_leave(patience, 100, first_ns, 134));
	ck_assert(patience_may_leave(patience, 100, first_ns, 135));
	/* An old connection answers: from the beginning. */
	patience_answered(patience, 90);
	ck_assert(patience_may_leave(patience, 100, first_ns, 136));
	ck_assert(!patience_may_leave(patience, 100, first_ns, 136));
	/* A younger one: all may, but no sooner than the first patience. */
	patience_answered(patience, 136);
	for (int i = 0; i < 3; i++)
		ck_assert(patience_may_leave(patience, 100, first_ns, 137));
	ck_assert(!patience_may_leave(patience, 134, first_ns, 137));
	ck_assert(patience_may_leave(patience, 136, first_ns, 141));
	ck_assert(!patience_may_leave(patience, 136, first_ns, 141));
}
END_TEST

START_TEST(test_patience_more_servers_than_places_share_one)
{
	for (int i = 0; i < 1000; i++) {
		struct text key = { 0 };

		text_addf(&key, "server %d", i);
		ck_assert_ptr_nonnull(patience_find(text_str(&key)));
		ck_assert_ptr_eq(patience_find(text_str(&key)),
				 patience_find(text_str(&key)));
		text_release(&key);
	}
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_hung_requests_hold_one_connection_for_each_lane);
	tcase_add_test(tests, test_hung_inserts_hold_one_connection_for_each_lane);
	tcase_add_test(tests, test_hung_handshakes_are_kept);
	tcase_add_test(tests, test_hung_preparations_are_kept);
	tcase_add_test(tests, test_hung_attempt_that_sees_the_late_answer_goes_on);
	tcase_add_test(tests, test_hung_connection_that_breaks_is_made_anew_in_the_same_attempt);
	tcase_add_test(tests, test_hung_query_is_asked_once);
	tcase_add_test(tests, test_hung_first_host_is_left_alone_and_the_second_used);
	tcase_add_test(tests, test_hung_first_host_is_waited_for_while_the_second_refuses);
	tcase_add_test(tests, test_patience_leaves_one_connection_of_all_lanes_then_doubles);
	tcase_add_test(tests, test_patience_shows_that_new_connections_work_and_all_lanes_follow);
	tcase_add_test(tests, test_connection_without_acknowledgements_is_left_at_once);
	tcase_add_test(tests, test_connect_timeout_ends_a_try_that_nobody_took);
	tcase_add_test(tests, test_connect_to_a_silent_server_is_one_connection);
}

void suite_probe_hung(Suite *suite)
{
	TCase *patience = tcase_create("patience");

	tcase_add_test(patience, test_patience_counts_for_all_and_is_reset_by_an_answer);
	tcase_add_test(patience, test_patience_more_servers_than_places_share_one);
	suite_add_tcase(suite, patience);
	suite_add_tcase(suite, pg_try_case(add_tests));
}
