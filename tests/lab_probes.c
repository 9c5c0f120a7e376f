/*
 * lab_probes.c - the PostgreSQL probes against a real Patroni cluster: who is primary, what a power
 * cut of the leader looks like through a multi-host connection, and whether the ledger's count is
 * the one that SQL gives.
 *
 * usage: build/plain/lab_probes, as root, in the top folder. Brings the lab up, runs itself in the
 * client's network, and takes the lab down again.
 */
#include "fixtures/probe_try.h"
#include "fixtures/run_tool.h"

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

static int run_tests(void)
{
	Suite *suite = suite_create("lab_probes");
	TCase *tests = tcase_create("patroni");
	SRunner *runner = srunner_create(suite);
	int failed_count;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, TEST_AT_MOST_S);
	tcase_add_test(tests, test_roles_agree_with_patroni);
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
