/*
 * test_probe_redis.c - redis.write against real servers: what counts as acknowledged, what a read
 * back finds, and what a crash really loses, by redis-cli's count.
 */
#include "fixtures/ledger_try.h"
#include "fixtures/redis_server.h"
#include "tests/suites.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SERVERS_MAX = 2, TEST_AT_MOST_S = 60 };

static const int64_t quick_ns = 300 * NS_PER_MS;
static const int64_t plenty_ns = 10 * NS_PER_S;
static const char *const the_list = "firedrill:ledger:Run-1:probe";

static struct daemon servers[SERVERS_MAX];

static void set_up(void)
{
	struct err e = { 0 };

	for (size_t i = 0; i < SERVERS_MAX; i++)
		ck_assert_msg(daemon_open(&servers[i], &e), "%s", e.text);
}

static void tear_down(void)
{
	ledger_try_release();
	for (size_t i = 0; i < SERVERS_MAX; i++)
		daemon_close(&servers[i]);
}

static void start(size_t index, const char *const *options)
{
	struct err e = { 0 };

	ck_assert_msg(redis_server_start(&servers[index], options, &e), "%s", e.text);
}

/* What redis-cli says; the text is good until the next question. */
static const char *cli(size_t index, const char *const *words)
{
	static struct text output;

	ck_assert(redis_server_cli(&servers[index], words, &output));
	return text_str(&output);
}

#define CLI(index, ...) cli(index, (const char *const[]){ __VA_ARGS__, NULL })

static int64_t list_length(size_t index)
{
	return strtoll(CLI(index, "llen", the_list), NULL, 10);
}

/* A ledger on the first `place_count` servers. extra: one more parameter of the service, or NULL. */
static void open_ledger(size_t place_count, const char *extra_name, const char *extra,
			const char *const *params, size_t lane_count)
{
	struct text address = { 0 };
	const char *service[] = { "address", NULL, extra_name, extra, NULL };

	for (size_t i = 0; i < place_count; i++)
		text_addf(&address, "%s127.0.0.1:%u", i == 0 ? "" : ",", servers[i].port);
	service[1] = arena_copy(&ledger_try.arena, text_str(&address));
	text_release(&address);
	ledger_try_init("redis", service);
	ledger_try_open("redis.write", params, lane_count);
}

START_TEST(test_write_list_rows_are_acknowledged_and_read_back)
{
	const char *const params[] = { "payload", "8KiB", NULL };

	start(0, NULL);
	open_ledger(1, NULL, NULL, params, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(300); /* more than one piece of a megabyte */
	ck_assert_int_eq(list_length(0), 300);
	ledger_try_must_read();
	ledger_try_must_have(300);
}
END_TEST

START_TEST(test_write_string_rows_are_acknowledged_and_read_back)
{
	const char *const params[] = { "keys", "string", NULL };

	start(0, NULL);
	(void)CLI(0, "set", "somebody:else", "1");
	open_ledger(1, "database", "0", params, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(1500); /* more than one piece */
	ck_assert_str_eq(CLI(0, "dbsize"), "1501");
	ledger_try_must_read();
	ledger_try_must_have(1500);
	ck_assert(ledger_try_clean(plenty_ns, NULL));
	ck_assert_str_eq(CLI(0, "dbsize"), "1");
	ck_assert(ledger_try_clean(plenty_ns, NULL));
}
END_TEST

START_TEST(test_read_back_list_finds_damage_loss_copies_and_strangers)
{
	start(0, NULL);
	open_ledger(1, NULL, NULL, NULL, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(8);
	(void)CLI(0, "eval",
		  "local l = KEYS[1] "
		  "redis.call('lset', l, 1, '1 x y') "
		  "redis.call('lset', l, 2, (redis.call('lindex', l, 3):gsub('^3', '2'))) "
		  "redis.call('rpush', l, redis.call('lindex', l, 7)) "
		  "redis.call('rpush', l, 'no row', '99999 x y', '') "
		  "redis.call('lrem', l, 1, redis.call('lindex', l, 6))",
		  "1", the_list);
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_found.rows[0], 1);
	ck_assert_uint_eq(ledger_try_found.damaged[0], 0);
	for (int i = 1; i <= 2; i++) {
		ck_assert_uint_eq(ledger_try_found.rows[i], 1);
		ck_assert_uint_eq(ledger_try_found.damaged[i], 1);
	}
	ck_assert_uint_eq(ledger_try_found.damaged[3], 0);
	ck_assert_uint_eq(ledger_try_found.rows[6], 0);
	ck_assert_uint_eq(ledger_try_found.rows[7], 2);
	ck_assert_uint_eq(ledger_try_found.damaged[7], 0);
	ck_assert_uint_eq(ledger_try_found.unexpected_count, 3);
}
END_TEST

START_TEST(test_read_back_strings_finds_damage_loss_and_strangers)
{
	const char *const params[] = { "keys", "string", NULL };

	start(0, NULL);
	open_ledger(1, NULL, NULL, params, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(6);
	(void)CLI(0, "eval",
		  "local k = KEYS[1] "
		  "redis.call('append', k .. ':1', 'x') "
		  "redis.call('set', k .. ':2', redis.call('get', k .. ':3')) "
		  "redis.call('del', k .. ':4') "
		  "redis.call('rpush', k .. ':4', 'a list') "
		  "redis.call('del', k .. ':5') "
		  "redis.call('set', k .. ':-5', 'x') "
		  "redis.call('set', k .. ':abc', 'x')",
		  "1", the_list);
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_found.damaged[0], 0);
	ck_assert_uint_eq(ledger_try_found.damaged[1], 1);
	ck_assert_uint_eq(ledger_try_found.damaged[2], 1);
	ck_assert_uint_eq(ledger_try_found.damaged[3], 0);
	ck_assert_uint_eq(ledger_try_found.rows[4], 0); /* another type: the key holds no row */
	ck_assert_uint_eq(ledger_try_found.rows[5], 0);
	ck_assert_uint_eq(ledger_try_found.unexpected_count, 2);
}
END_TEST

/* ---- what a crash really loses ---- */

static void crash_and_restart(const char *const *options)
{
	daemon_kill(&servers[0]);
	ck_assert_int_eq(ledger_try_write(0, quick_ns, SAMPLE_BAD), WRITE_NONE);
	start(0, options);
	ledger_try_must_read();
	ck_assert_int_eq((int64_t)ledger_try_lost(&ledger_try_found),
			 (int64_t)ledger_try_count(WRITE_ACKNOWLEDGED) - list_length(0));
}

START_TEST(test_crash_of_a_server_that_syncs_always_loses_nothing)
{
	const char *const always[] = { "--appendonly", "yes", "--appendfsync", "always", NULL };

	start(0, always);
	open_ledger(1, NULL, NULL, NULL, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(200);
	crash_and_restart(always);
	ck_assert_uint_eq(ledger_try_lost(&ledger_try_found), 0);
	ledger_try_must_write(1); /* the probe finds its way back */
}
END_TEST

START_TEST(test_crash_of_a_server_with_snapshots_loses_what_came_after)
{
	const char *const snapshots[] = { "--dbfilename", "dump.rdb", NULL };

	start(0, snapshots);
	open_ledger(1, NULL, NULL, NULL, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(120);
	ck_assert_str_eq(CLI(0, "save"), "OK");
	ledger_try_must_write(80);
	crash_and_restart(snapshots);
	ck_assert_uint_eq(ledger_try_lost(&ledger_try_found), 80);
	for (uint64_t slot = 0; slot < 120; slot++)
		ck_assert_uint_eq(ledger_try_found.rows[slot], 1);
}
END_TEST

/* A power cut takes the end of the file that nobody has synced; here it is cut off by hand. */
START_TEST(test_power_cut_of_a_server_that_syncs_every_second_loses_the_tail)
{
	const char *const everysec[] = { "--appendonly", "yes", "--appendfsync", "everysec",
					 "--aof-load-truncated", "yes", NULL };
	const char *cut[] = { "/bin/sh", "-c", "truncate -s -3000 appendonlydir/*.incr.aof",
			      NULL };

	start(0, everysec);
	open_ledger(1, NULL, NULL, NULL, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(200);
	daemon_kill(&servers[0]);
	ck_assert(daemon_run(&servers[0], cut, plenty_ns));
	crash_and_restart(everysec);
	ck_assert_uint_gt(ledger_try_lost(&ledger_try_found), 10);
	ck_assert_uint_lt(ledger_try_lost(&ledger_try_found), 100);
	ck_assert_uint_eq(ledger_try_found.rows[199], 0);
	ck_assert_uint_eq(ledger_try_found.rows[0], 1);
}
END_TEST

/* ---- replicas ---- */

static void follow(size_t replica, size_t primary)
{
	char port[8];

	(void)snprintf(port, sizeof port, "%u", servers[primary].port);
	ck_assert_str_eq(CLI(replica, "replicaof", "127.0.0.1", port), "OK");
	/* The primary must see it online; the test's own time limit ends this. */
	while (strstr(CLI(primary, "info", "replication"), "state=online") == NULL)
		continue;
}

START_TEST(test_prepare_replica_says_that_it_is_read_only)
{
	struct err e = { 0 };

	start(0, NULL);
	ck_assert_str_eq(CLI(0, "replicaof", "127.0.0.1", "1"), "OK");
	open_ledger(1, NULL, NULL, NULL, 1);
	ck_assert(!ledger_try_prepare(quick_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "prepare the ledger on store: connect to 127.0.0.1:"));
	ck_assert_ptr_nonnull(strstr(e.text, "a replica (ROLE says `slave`), read-only for us"));
}
END_TEST

START_TEST(test_write_demoted_primary_fails_and_the_new_one_is_found)
{
	start(0, NULL);
	start(1, NULL);
	follow(1, 0);
	open_ledger(2, NULL, NULL, NULL, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(2);
	while (list_length(1) < 2) /* a replica follows when it can */
		continue;
	ck_assert_str_eq(CLI(1, "replicaof", "no", "one"), "OK");
	ck_assert_str_eq(CLI(0, "replicaof", "127.0.0.1", "1"), "OK");

	const enum write_outcome first = ledger_try_write(0, plenty_ns, SAMPLE_BAD);

	ck_assert_int_eq(first, WRITE_FAILED);
	ck_assert_ptr_nonnull(strstr(ledger_try_error(0), "write: READONLY"));
	ledger_try_must_write(3);
	ck_assert_int_eq(list_length(1), 5);
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_lost(&ledger_try_found), 0);
	ck_assert_uint_eq(ledger_try_found.rows[2], 0);
}
END_TEST

START_TEST(test_write_wait_is_acknowledged_only_by_enough_replicas)
{
	const char *const params[] = { "wait", "1", NULL };

	start(0, NULL);
	start(1, NULL);
	open_ledger(1, NULL, NULL, params, 1);
	ledger_try_must_prepare();
	ck_assert_int_eq(ledger_try_write(0, quick_ns, SAMPLE_BAD), WRITE_INDETERMINATE);
	ck_assert_str_eq(ledger_try_error(0), "wait: 0 of 1 replicas had the write in time");
	follow(1, 0);
	ck_assert_int_eq(ledger_try_write(0, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	daemon_freeze(&servers[1]);
	ck_assert_int_eq(ledger_try_write(0, quick_ns, SAMPLE_BAD), WRITE_INDETERMINATE);
	daemon_thaw(&servers[1]);
	ck_assert_int_eq(ledger_try_write(0, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	while (list_length(1) < 4)
		continue;
}
END_TEST

START_TEST(test_write_refused_by_the_server_is_failed)
{
	start(0, NULL);
	open_ledger(1, NULL, NULL, NULL, 1);
	ledger_try_must_prepare();
	ck_assert_str_eq(CLI(0, "config", "set", "min-replicas-to-write", "1"), "OK");
	ck_assert_int_eq(ledger_try_write(0, plenty_ns, SAMPLE_BAD), WRITE_FAILED);
	ck_assert_ptr_nonnull(strstr(ledger_try_error(0), "write: NOREPLICAS"));
	ck_assert_str_eq(CLI(0, "config", "set", "min-replicas-to-write", "0"), "OK");
	ck_assert_str_eq(CLI(0, "config", "set", "maxmemory", "1"), "OK");
	ck_assert_int_eq(ledger_try_write(0, plenty_ns, SAMPLE_BAD), WRITE_FAILED);
	ck_assert_ptr_nonnull(strstr(ledger_try_error(0), "write: OOM"));
	ck_assert_str_eq(CLI(0, "config", "set", "maxmemory", "0"), "OK");
	ledger_try_must_write(1);
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_found.rows[0] + ledger_try_found.rows[1], 0);
	ck_assert_uint_eq(ledger_try_found.rows[2], 1);
}
END_TEST

/* Answers one connection: to the two commands of the opening, then with its last word to the rest. */
static void be_a_proxy(int listener, const char *last_word)
{
	const char *const opening = "+OK\r\n*1\r\n$6\r\nmaster\r\n";
	const int fd = accept(listener, NULL, NULL);
	char bytes[4096];

	if (recv(fd, bytes, sizeof bytes, 0) > 0)
		(void)!write(fd, opening, strlen(opening));
	while (recv(fd, bytes, sizeof bytes, 0) > 0)
		(void)!write(fd, last_word, strlen(last_word));
	_exit(0);
}

static void assert_last_word(const char *last_word, enum write_outcome outcome, const char *text)
{
	const int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t address_bytes = sizeof address;
	pid_t pid;

	ck_assert_int_eq(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &address_bytes), 0);
	servers[0].port = ntohs(address.sin_port);
	pid = fork();
	if (pid == 0)
		be_a_proxy(listener, last_word);
	open_ledger(1, NULL, NULL, NULL, 1);
	ck_assert_int_eq(ledger_try_write(0, plenty_ns, SAMPLE_BAD), outcome);
	ck_assert_str_eq(ledger_try_error(0), text);
	ledger_try_release();
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	(void)close(listener);
}

/* A proxy says errors of its own when it lost the server, perhaps after the write. */
START_TEST(test_write_error_that_redis_does_not_say_is_indeterminate)
{
	assert_last_word("-ERR upstream failure\r\n", WRITE_INDETERMINATE,
			 "write: ERR upstream failure");
	assert_last_word("-NOAUTH Authentication required.\r\n", WRITE_FAILED,
			 "write: NOAUTH Authentication required.");
	assert_last_word("+OK\r\n", WRITE_INDETERMINATE, "write: an answer that is none to it");
	assert_last_word("HTTP/1.1 400\r\n", WRITE_INDETERMINATE,
			 "write: Protocol error, got \"H\" as reply type byte");
}
END_TEST

/* ---- who may do what ---- */

START_TEST(test_prepare_password_is_needed_and_never_shown)
{
	const char *const options[] = { "--requirepass", "open-sesame", NULL };
	struct err e = { 0 };

	start(0, options);
	open_ledger(1, "password", "wrong-sesame", NULL, 1);
	ck_assert(!ledger_try_prepare(quick_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "WRONGPASS"));
	ck_assert_ptr_null(strstr(e.text, "sesame"));
	ledger_try_release();
	open_ledger(1, NULL, NULL, NULL, 1);
	ck_assert(!ledger_try_prepare(quick_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "NOAUTH"));
	ledger_try_release();
	open_ledger(1, "password", "open-sesame", NULL, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(1);
	ledger_try_must_read();
	ck_assert_uint_eq(ledger_try_found.rows[0], 1);
}
END_TEST

START_TEST(test_prepare_right_to_read_missing_says_so_at_once)
{
	const int64_t begun_ns = ledger_try_now_ns();
	struct err e = { 0 };

	start(0, NULL);
	ck_assert_str_eq(CLI(0, "acl", "setuser", "default", "-lrange"), "OK");
	open_ledger(1, NULL, NULL, NULL, 1);
	ck_assert(!ledger_try_prepare(plenty_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "read it back: NOPERM"));
	ck_assert_int_lt(ledger_try_now_ns() - begun_ns, plenty_ns / 2);
	ck_assert(!ledger_try_read(&ledger_try_found, plenty_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "read the ledger back from store: NOPERM"));
}
END_TEST

START_TEST(test_database_of_its_own_is_used)
{
	start(0, NULL);
	open_ledger(1, "database", "3", NULL, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(4);
	ck_assert_str_eq(CLI(0, "-n", "3", "llen", the_list), "4");
	ledger_try_must_read();
	ledger_try_must_have(4);
	ck_assert(ledger_try_clean(plenty_ns, NULL));
	ck_assert_str_eq(CLI(0, "-n", "3", "dbsize"), "0");
}
END_TEST

START_TEST(test_clean_keeps_what_shall_be_kept)
{
	const char *const keep[] = { "keep", "true", NULL };

	start(0, NULL);
	open_ledger(1, NULL, NULL, keep, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(4);
	ck_assert(ledger_try_clean(plenty_ns, NULL));
	ck_assert_int_eq(list_length(0), 4);
}
END_TEST

/* ---- servers that hang, or are not there ---- */

START_TEST(test_write_hanging_server_gets_no_more_connections)
{
	enum { ROUNDS = 10 };
	const int64_t short_ns = 20 * NS_PER_MS;

	start(0, NULL);
	open_ledger(1, NULL, NULL, NULL, LEDGER_TRY_LANES);
	ledger_try_must_prepare();
	for (size_t lane = 0; lane < LEDGER_TRY_LANES; lane++)
		ck_assert_int_eq(ledger_try_write(lane, plenty_ns, SAMPLE_GOOD),
				 WRITE_ACKNOWLEDGED);
	daemon_freeze(&servers[0]);
	for (size_t lane = 0; lane < LEDGER_TRY_LANES; lane++) {
		ck_assert_int_eq(ledger_try_write(lane, short_ns, SAMPLE_BAD),
				 WRITE_INDETERMINATE);
		ck_assert_str_eq(ledger_try_error(lane), "write: no answer in time");
	}
	for (size_t i = 0; i < ROUNDS * LEDGER_TRY_LANES; i++) {
		ck_assert_int_eq(ledger_try_write(i % LEDGER_TRY_LANES, short_ns, SAMPLE_BAD),
				 WRITE_NONE);
		ck_assert_ptr_nonnull(strstr(ledger_try_error(i % LEDGER_TRY_LANES),
					     "still no answer to an earlier request"));
	}
	daemon_thaw(&servers[0]);
	for (size_t lane = 0; lane < LEDGER_TRY_LANES; lane++)
		ck_assert_int_eq(ledger_try_write(lane, plenty_ns, SAMPLE_GOOD),
				 WRITE_ACKNOWLEDGED);
	/* prepare's one, redis-cli's (some) and one of each lane. */
	ck_assert_ptr_nonnull(strstr(CLI(0, "info", "clients"), "connected_clients:5"));
	ledger_try_must_read();
	for (uint64_t slot = 0; slot < ledger_try.slot_count; slot++)
		ck_assert_uint_eq(ledger_try_found.rows[slot],
				  ledger_try.outcomes[slot] == WRITE_NONE ? 0 : 1);
}
END_TEST

START_TEST(test_write_hanging_server_is_left_when_patience_ends)
{
	start(0, NULL);
	open_ledger(1, NULL, NULL, NULL, 2);
	ledger_try_must_prepare();
	ledger_try_must_write(1);
	ck_assert_int_eq(ledger_try_write(1, plenty_ns, SAMPLE_GOOD), WRITE_ACKNOWLEDGED);
	daemon_freeze(&servers[0]);
	for (size_t lane = 0; lane < 2; lane++)
		ck_assert_int_eq(ledger_try_write(lane, quick_ns, SAMPLE_BAD),
				 WRITE_INDETERMINATE);
	ledger_try.jumped_ns += 6 * NS_PER_S;
	ck_assert_int_eq(ledger_try_write(0, quick_ns, SAMPLE_BAD), WRITE_NONE);
	ck_assert_ptr_nonnull(strstr(ledger_try_error(0), "no answer in time")); /* a new one */
	ck_assert_int_eq(ledger_try_write(1, quick_ns, SAMPLE_BAD), WRITE_NONE);
	ck_assert_ptr_nonnull(strstr(ledger_try_error(1), "still no answer")); /* not both */
	daemon_thaw(&servers[0]);
	ledger_try_must_write(1);
}
END_TEST

START_TEST(test_everything_on_a_server_that_is_not_there)
{
	struct err e = { 0 };

	open_ledger(2, NULL, NULL, NULL, 1);
	ck_assert_int_eq(ledger_try_write(0, quick_ns, SAMPLE_BAD), WRITE_NONE);
	ck_assert_ptr_nonnull(strstr(ledger_try_error(0), ": Connection refused; 127.0.0.1:"));
	ck_assert(!ledger_try_read(&ledger_try_found, quick_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "read the ledger back from store: connect to"));
	ck_assert(!ledger_try_prepare(quick_ns, &e));
	ck_assert(!ledger_try_clean(quick_ns, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "remove the ledger's keys from store"));
}
END_TEST

START_TEST(test_read_back_frozen_server_is_not_complete)
{
	struct err e = { 0 };

	start(0, NULL);
	open_ledger(1, NULL, NULL, NULL, 1);
	ledger_try_must_prepare();
	ledger_try_must_write(1);
	daemon_freeze(&servers[0]);
	ck_assert(!ledger_try_read(&ledger_try_found, quick_ns, &e));
	ck_assert_int_eq(e.kind, ERR_DEADLINE);
}
END_TEST

START_TEST(test_open_address_that_cannot_be_read_is_named)
{
	static const char *const wrong[] = { "127.0.0.1:0", "127.0.0.1:port", "[::1", "[::1]x",
					     ":6379", "127.0.0.1:65536" };

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		const char *const service[] = { "address", wrong[i], NULL };
		struct probe_try *lane = &ledger_try.lanes[0];
		struct err e = { 0 };

		ledger_try_init("redis", service);
		probe_try_init(lane, "redis.write", NULL);
		lane->spec.service = &ledger_try.service;
		ck_assert(!probe_try_open(lane, &e));
		ck_assert_ptr_nonnull(strstr(e.text, wrong[i]));
		probe_try_release(lane);
	}
}
END_TEST

void suite_probe_redis(Suite *suite)
{
	TCase *tests = tcase_create("redis");

	suite_add_tcase(suite, tests);
	if (!redis_server_is_installed()) {
		(void)fprintf(stderr, "skipped: tests of redis.write, because there is no "
				      "redis-server here; install redis-server\n");
		return;
	}
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, TEST_AT_MOST_S);
	tcase_add_test(tests, test_write_list_rows_are_acknowledged_and_read_back);
	tcase_add_test(tests, test_write_string_rows_are_acknowledged_and_read_back);
	tcase_add_test(tests, test_read_back_list_finds_damage_loss_copies_and_strangers);
	tcase_add_test(tests, test_read_back_strings_finds_damage_loss_and_strangers);
	tcase_add_test(tests, test_crash_of_a_server_that_syncs_always_loses_nothing);
	tcase_add_test(tests, test_crash_of_a_server_with_snapshots_loses_what_came_after);
	tcase_add_test(tests, test_power_cut_of_a_server_that_syncs_every_second_loses_the_tail);
	tcase_add_test(tests, test_prepare_replica_says_that_it_is_read_only);
	tcase_add_test(tests, test_write_demoted_primary_fails_and_the_new_one_is_found);
	tcase_add_test(tests, test_write_wait_is_acknowledged_only_by_enough_replicas);
	tcase_add_test(tests, test_write_refused_by_the_server_is_failed);
	tcase_add_test(tests, test_write_error_that_redis_does_not_say_is_indeterminate);
	tcase_add_test(tests, test_prepare_password_is_needed_and_never_shown);
	tcase_add_test(tests, test_prepare_right_to_read_missing_says_so_at_once);
	tcase_add_test(tests, test_database_of_its_own_is_used);
	tcase_add_test(tests, test_clean_keeps_what_shall_be_kept);
	tcase_add_test(tests, test_write_hanging_server_gets_no_more_connections);
	tcase_add_test(tests, test_write_hanging_server_is_left_when_patience_ends);
	tcase_add_test(tests, test_everything_on_a_server_that_is_not_there);
	tcase_add_test(tests, test_read_back_frozen_server_is_not_complete);
	tcase_add_test(tests, test_open_address_that_cannot_be_read_is_named);
}
