/*
 * lab_probes.c - the PostgreSQL probes against a real Patroni cluster: who is primary, what a power
 * cut of the leader looks like through a multi-host connection, and whether the ledger's count and
 * the lag of a replica are the ones that SQL gives.
 *
 * usage: build/plain/lab_probes, as root, in the top folder. Brings the lab up, runs itself in the
 * client's network, and takes the lab down again.
 */
#include "fixtures/probe_try.h"
#include "fixtures/run_tool.h"
#include "fixtures/watch_try.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MEMBERS = 3,
	SLOTS_MAX = 4000,
	TEST_AT_MOST_S = 180,
};

static const int64_t every_ns = 50 * NS_PER_MS;
static const int64_t timeout_ns = NS_PER_S;
static const int64_t patience_ns = 60 * NS_PER_S;

/* A timeout may end this much late: the machine has two cores and four hosts on them. */
static const int64_t grace_ns = 500 * NS_PER_MS;

static const struct host hosts[MEMBERS] = {
	{ .name = "db1", .address = "198.18.77.11" },
	{ .name = "db2", .address = "198.18.77.12" },
	{ .name = "db3", .address = "198.18.77.13" },
};
static const struct host *const members[MEMBERS] = { &hosts[0], &hosts[1], &hosts[2] };
static const struct inventory inventory = { .hosts = hosts, .host_count = MEMBERS };

/* No hostaddr: the inventory knows the addresses, and there is no DNS in the lab. */
static const struct service service = {
	.name = "orders-db",
	.kind = "postgres",
	.conninfo = "host=db1,db2,db3 user=postgres dbname=orders "
		    "target_session_attrs=read-write",
	.members = members,
	.member_count = MEMBERS,
};

static struct probe_try probe;

/* Runs "lab WORD WORD..."; the end of the test when it fails. said: its last line, or NULL. */
static void lab(const char *first, const char *second, const char *third, struct text *said)
{
	const char *const argv[] = { "fixtures/lab/lab", first, second, third, NULL };
	struct text output = { 0 };
	const int status = tool_run(argv, &output);

	ck_assert_msg(status == 0, "lab %s: exit %d: %s", first, status, text_str(&output));
	if (said != NULL) {
		while (output.length_bytes > 0 &&
		       output.owned_bytes[output.length_bytes - 1] == '\n')
			output.owned_bytes[--output.length_bytes] = '\0';

		const char *newline = strrchr(text_str(&output), '\n');

		text_add(said, newline == NULL ? text_str(&output) : newline + 1);
	}
	text_release(&output);
}

static int64_t now_ns(void)
{
	const struct clock clock = clock_system();

	return clock_now_ns(&clock);
}

static bool resolve(const char *role, const struct host **ret_members, size_t *ret_count,
		    struct err *e)
{
	const struct clock clock = clock_system();

	return role_find("postgres")
		->resolve(&service, role, &clock, now_ns() + 6 * NS_PER_S, ret_members, ret_count,
			  e);
}

static const struct host *primary(void)
{
	const struct host *found[MEMBERS];
	struct err e = { 0 };
	size_t count = 0;

	ck_assert_msg(resolve("primary", found, &count, &e), "%s", e.text);
	return found[0];
}

static void set_up(void)
{
	lab("reset", NULL, NULL, NULL);
}

static void tear_down(void)
{
	probe_try_release(&probe);
}

START_TEST(test_roles_agree_with_patroni)
{
	const struct host *replicas[MEMBERS];
	struct text leader = { 0 };
	struct err e = { 0 };
	size_t count = 0;

	lab("leader", NULL, NULL, &leader);
	ck_assert_str_eq(primary()->name, text_str(&leader));
	ck_assert_msg(resolve("replica", replicas, &count, &e), "%s", e.text);
	ck_assert_uint_eq(count, MEMBERS - 1);
	text_release(&leader);
}
END_TEST

/* What the ledger came to. */
struct tally {
	uint8_t outcomes[SLOTS_MAX];
	uint32_t rows[SLOTS_MAX];
	uint64_t slot_count;
	uint64_t row_count;
	int64_t longest_ns;
	int64_t worst_gap_ns;
	int64_t last_ack_ns;
};

/* One slot on its timetable. */
static enum write_outcome write_next(struct tally *tally, int64_t t0_ns)
{
	const uint64_t slot = tally->slot_count++;
	struct attempt_result result;
	int64_t start_ns;

	ck_assert_uint_lt(slot, SLOTS_MAX);
	clock_sleep_until_ns(&probe.clock, t0_ns + (int64_t)slot * every_ns);
	start_ns = now_ns();
	result = probe_try_sample(&probe, slot, timeout_ns);
	if (now_ns() - start_ns > tally->longest_ns)
		tally->longest_ns = now_ns() - start_ns;
	if (result.write == WRITE_ACKNOWLEDGED) {
		if (tally->last_ack_ns != 0 && now_ns() - tally->last_ack_ns > tally->worst_gap_ns)
			tally->worst_gap_ns = now_ns() - tally->last_ack_ns;
		tally->last_ack_ns = now_ns();
	}
	tally->outcomes[slot] = (uint8_t)result.write;
	return result.write;
}

static void count_row(void *ctx, int64_t sequence, bool is_intact)
{
	struct tally *tally = ctx;

	ck_assert(is_intact);
	ck_assert_int_ge(sequence, 0);
	ck_assert_int_lt(sequence, (int64_t)tally->slot_count);
	tally->rows[sequence]++;
	tally->row_count++;
}

static void open_ledger(void)
{
	struct err e = { 0 };

	probe_try_init(&probe, "postgres.write", NULL);
	probe.spec.service = &service;
	probe.spec.inventory = &inventory;
	ck_assert_msg(probe_try_open(&probe, &e), "%s", e.text);
	ck_assert_msg(
		probe.ops->prepare(&probe.spec, "Run-1", &probe.clock, now_ns() + patience_ns, &e),
		"%s", e.text);
}

/* Reads back through the probe and through psql on the leader: both must see the same. */
static void compare_counts(struct tally *tally)
{
	const struct row_sink sink = { .row = count_row, .ctx = tally };
	struct text counted = { 0 };
	struct err e = { 0 };
	uint64_t acknowledged = 0;
	uint64_t lost = 0;

	ck_assert_msg(probe.ops->read_back(&probe.spec, "Run-1", &probe.clock,
					   now_ns() + patience_ns, &sink, &e),
		      "%s", e.text);
	lab("psql", "-Atc", "select count(*) from firedrill_ledger_run_1", &counted);
	ck_assert_uint_eq(tally->row_count, strtoull(text_str(&counted), NULL, 10));
	text_release(&counted);

	for (uint64_t slot = 0; slot < tally->slot_count; slot++) {
		ck_assert_uint_le(tally->rows[slot], 1);
		if (tally->outcomes[slot] == WRITE_NONE || tally->outcomes[slot] == WRITE_FAILED)
			ck_assert_uint_eq(tally->rows[slot], 0);
		if (tally->outcomes[slot] == WRITE_ACKNOWLEDGED) {
			acknowledged++;
			lost += tally->rows[slot] == 0;
		}
	}
	(void)printf("lab_probes: %llu slots, %llu acknowledged, %llu lost, gap %.2f s, longest "
		     "attempt %.2f s\n",
		     (unsigned long long)tally->slot_count, (unsigned long long)acknowledged,
		     (unsigned long long)lost, (double)tally->worst_gap_ns / NS_PER_S,
		     (double)tally->longest_ns / NS_PER_S);
	ck_assert_uint_gt(acknowledged, 0);
	/* Asynchronous, but replication was not held back: at most what was under way is lost. */
	ck_assert_uint_le(lost, 5);
}

START_TEST(test_ledger_rides_out_a_power_cut_of_the_leader)
{
	struct tally *tally = mem_alloc(sizeof *tally);
	const struct host *leader = primary();
	struct err e = { 0 };

	open_ledger();

	const int64_t t0_ns = now_ns();

	while (tally->slot_count < 40)
		ck_assert_int_eq(write_next(tally, t0_ns), WRITE_ACKNOWLEDGED);
	lab("power", leader->name, "off", NULL);

	/* The outage begins, ends, and the writes go on with a dead host in the list. */
	bool was_away = false;
	int good_run = 0;

	while (good_run < 40 && now_ns() - t0_ns < patience_ns) {
		const bool is_good = write_next(tally, t0_ns) == WRITE_ACKNOWLEDGED;

		was_away = was_away || !is_good;
		good_run = is_good ? good_run + 1 : 0;
	}
	ck_assert(was_away);
	ck_assert_msg(good_run == 40, "writes did not come back: %s", probe.err.text);
	/* A dead first host eats a slice of an attempt, and no attempt outlives its deadline. */
	ck_assert_int_lt(tally->longest_ns, timeout_ns + grace_ns);
	ck_assert_ptr_ne(primary(), leader);
	compare_counts(tally);

	lab("power", leader->name, "on", NULL);
	ck_assert_msg(
		probe.ops->clean(&probe.spec, "Run-1", &probe.clock, now_ns() + patience_ns, &e),
		"%s", e.text);
	free(tally);
}
END_TEST

/* ---- replication lag ---- */

static void run_on(const struct host *host, const char *script)
{
	const char *const argv[] = { "fixtures/lab/lab", "exec", host->name, "sh", "-c", script, NULL };
	struct text output = { 0 };

	ck_assert_msg(tool_run(argv, &output) == 0, "on %s: %s", host->name, text_str(&output));
	text_release(&output);
}

/* What the leader lacks on this replica, by psql. */
static int64_t lacks_by_sql(const struct host *replica)
{
	struct text said = { 0 };
	char sql[256];

	(void)snprintf(sql, sizeof sql,
		       "select pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn)::bigint from "
		       "pg_stat_replication where client_addr = '%s'", replica->address);
	lab("psql", "-Atqc", sql, &said);

	const int64_t bytes = strtoll(text_str(&said), NULL, 10);

	text_release(&said);
	return bytes;
}

static const struct lag_row *row_of(const struct host *replica)
{
	for (size_t i = 0; i < watch.lag.row_count; i++)
		if (strcmp(watch.lag.rows[i].replica, replica->name) == 0)
			return &watch.lag.rows[i];
	return NULL;
}

static const struct lag_row *look_at(const struct host *replica)
{
	watch_look();
	return row_of(replica);
}

/* How long the leader waits for a replica that is silent. */
static void sender_patience(const char *sql)
{
	lab("psql", "-Atqc", sql, NULL);
	lab("psql", "-Atqc", "select pg_reload_conf()", NULL);
}

/* The leader writes on and the replica's walreceiver stands still: bytes only grow between two SQL counts. */
START_TEST(test_lag_of_a_replica_that_is_held_back_agrees_with_sql)
{
	const struct host *leader = primary();
	const struct host *replicas[MEMBERS];
	struct err e = { 0 };
	size_t count = 0;

	ck_assert_msg(resolve("replica", replicas, &count, &e), "%s", e.text);
	watch_open("postgres.lag", NULL, &service, leader);
	ck_assert_ptr_nonnull(look_at(replicas[0]));
	sender_patience("alter system set wal_sender_timeout = '60s'"); /* while we count, however slowly */
	run_on(replicas[0], "pkill -STOP -f '[w]alreceiver'");
	for (int round = 0; round < 3; round++) {
		lab("psql", "-Atqc",
		    "create table if not exists lag_test(t text); insert into lag_test select "
		    "repeat('x', 100) from generate_series(1, 2000)", NULL);

		const int64_t least_bytes = lacks_by_sql(replicas[0]);
		const struct lag_row *row = look_at(replicas[0]);

		ck_assert_ptr_nonnull(row);
		(void)printf("lab_probes: %s lacks %lld B by the probe, at least %lld by SQL before\n",
			     replicas[0]->name, (long long)row->flush_bytes, (long long)least_bytes);
		ck_assert_int_gt(least_bytes, 200000);
		ck_assert_int_ge(row->flush_bytes, least_bytes);
		ck_assert_int_le(row->flush_bytes, lacks_by_sql(replicas[0]));
	}
	sender_patience("alter system reset wal_sender_timeout");
	/* The leader gives up after wal_sender_timeout: then nobody knows, and that is not 0. */
	const int64_t until_ns = now_ns() + 20 * NS_PER_S;

	while (look_at(replicas[0]) != NULL && now_ns() < until_ns)
		clock_sleep_until_ns(&watch.probe.clock, now_ns() + every_ns);
	ck_assert_ptr_null(row_of(replicas[0]));
	run_on(replicas[0], "pkill -CONT -f '[w]alreceiver'");
	while ((look_at(replicas[0]) == NULL || row_of(replicas[0])->flush_bytes != 0) &&
	       now_ns() < until_ns + 20 * NS_PER_S)
		clock_sleep_until_ns(&watch.probe.clock, now_ns() + every_ns);
	ck_assert_ptr_nonnull(row_of(replicas[0]));
	ck_assert_int_eq(row_of(replicas[0])->flush_bytes, 0);
	lab("psql", "-Atqc", "drop table lag_test", NULL);
	watch_close();
}
END_TEST

static int run_tests(void)
{
	Suite *suite = suite_create("lab_probes");
	TCase *tests = tcase_create("patroni");
	SRunner *runner = srunner_create(suite);
	int failed_count;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, TEST_AT_MOST_S);
	tcase_add_test(tests, test_roles_agree_with_patroni);
	tcase_add_test(tests, test_lag_of_a_replica_that_is_held_back_agrees_with_sql);
	tcase_add_test(tests, test_ledger_rides_out_a_power_cut_of_the_leader);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed_count = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void wait_for_the_children(int signal_number)
{
	(void)signal_number; /* they got it too; then the lab goes down */
}

int main(int argc, char **argv)
{
	const char *const up[] = { "fixtures/lab/lab", "up", "pg-patroni", NULL };
	const char *const down[] = { "fixtures/lab/lab", "down", NULL };
	const char *const inside[] = { "fixtures/lab/lab", "run", argv[0], "inside", NULL };
	struct text output = { 0 };
	int status;

	if (argc > 1 && strcmp(argv[1], "inside") == 0)
		return run_tests();
	if (geteuid() != 0) {
		(void)fprintf(stderr, "lab_probes: the lab needs root\n");
		return EXIT_FAILURE;
	}
	(void)signal(SIGINT, wait_for_the_children);
	(void)signal(SIGTERM, wait_for_the_children);
	(void)signal(SIGHUP, wait_for_the_children);

	status = tool_run(up, &output);
	if (status == 0) {
		text_clear(&output);
		status = tool_run(inside, &output);
	}
	(void)fputs(text_str(&output), stdout);
	text_clear(&output);
	if (tool_run(down, &output) != 0) {
		(void)fputs(text_str(&output), stderr);
		status = EXIT_FAILURE;
	}
	text_release(&output);
	return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
