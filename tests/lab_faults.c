/*
 * lab_faults.c - every fault on real hosts. Needs a lab, and is run in its network:
 *
 *     fixtures/lab/lab up solo && fixtures/lab/lab run build/plain/lab_faults solo
 *
 * The same with pg-patroni; tests/lab_faults.sh does both. Without a name both are looked for. A
 * topology that is named and not up fails; one that is not named and not up is skipped.
 */
#include "fixtures/lab_case.h"

#include <stdlib.h>

static const struct lab_row solo_rows[] = {
	{ LAB_APP1, "process.kill", { "name", "systemd-journald", NULL } }, /* its name is cut to 15 bytes */
	{ LAB_APP1, "process.pause", { "name", "nginx", NULL } },
	{ LAB_APP1, "service.stop", { "unit", "nginx.service", NULL } },
	{ LAB_APP1, "net.partition", { "peers", "app2", NULL } },
	{ LAB_APP1, "net.partition", { "ports", "80", "direction", "in", NULL } },
	{ LAB_APP1, "net.partition", { NULL } },
	{ LAB_APP1, "disk.fill", { "path", "/data", NULL } },
	{ LAB_APP1, "disk.fill", { "path", "/", "leave", "8MiB", NULL } },
	{ LAB_APP1, "disk.freeze", { "path", "/data", NULL } },
	{ LAB_APP1, "node.power", { NULL } },
};
static const struct lab_row cluster_rows[] = {
	{ LAB_DB1, "process.kill", { "name", "postgres", NULL } },
	{ LAB_DB1, "process.pause", { "name", "postgres", NULL } },
	{ LAB_DB1, "postgres.switchover", { NULL } },
};

enum {
	SOLO_COUNT = sizeof solo_rows / sizeof solo_rows[0],
	CLUSTER_COUNT = sizeof cluster_rows / sizeof cluster_rows[0],
};

#define RUN_ID "20261121-labtest"

static struct lab_case at;

static void setup(void)
{
	lab_open(&at);
}

static void teardown(void)
{
	lab_close(&at);
}

static void walk(const struct lab_row *row)
{
	struct text before = { 0 };

	lab_plan(&at, row, RUN_ID, 20 * NS_PER_S);
	text_add(&before, lab_state(&at));
	lab_harm(&at);
	lab_must(&at, at.c.fault->renew(&at.c.record, &at.ctx, &at.c.e));
	if (at.c.fault->has_heal)
		ck_assert_str_ne(lab_state(&at), text_str(&before));

	lab_heal(&at);
	if (at.c.fault->cuts_target)
		lab_reopen(&at);
	lab_wait_for_state(&at, text_str(&before));
	lab_heal(&at);
	lab_wait_for_state(&at, text_str(&before));
	ck_assert_int_ne(lab_run_on(at.owned_target, "ls -d /run/firedrill", NULL), 0);
	text_release(&before);
}

START_TEST(test_walk_leaves_the_host_as_it_was)
{
	walk(&solo_rows[_i]);
}
END_TEST

START_TEST(test_cluster_walk_leaves_the_cluster_as_it_was)
{
	walk(&cluster_rows[_i]);
}
END_TEST

START_TEST(test_guard_heals_when_the_lease_is_not_renewed)
{
	const int64_t deadline_ns = clock_now_ns(&at.clock) + 30 * NS_PER_S;
	struct text before = { 0 };
	enum confirmation seen = CONFIRMED;

	lab_plan(&at, &solo_rows[_i], RUN_ID, 3 * NS_PER_S);
	if (!at.c.fault->has_heal)
		return;
	text_add(&before, lab_state(&at));
	lab_harm(&at);
	while (seen == CONFIRMED && clock_now_ns(&at.clock) < deadline_ns) {
		lab_wait_a_moment(&at);
		seen = lab_confirm(&at);
	}
	ck_assert_msg(seen == CONFIRM_MISMATCH, "%s: %s", at.c.fault->name, text_str(&at.c.text));
	if (at.c.fault->cuts_target)
		lab_reopen(&at);
	lab_heal(&at);
	lab_wait_for_state(&at, text_str(&before));
	text_release(&before);
}
END_TEST

START_TEST(test_heal_without_inject_does_nothing)
{
	struct text before = { 0 };

	lab_plan(&at, &solo_rows[_i], RUN_ID, 20 * NS_PER_S);
	text_add(&before, lab_state(&at));
	lab_heal(&at);
	ck_assert_str_eq(lab_state(&at), text_str(&before));
	lab_must(&at, at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	lab_heal(&at);
	ck_assert_str_eq(lab_state(&at), text_str(&before));
	text_release(&before);
}
END_TEST

/* After a power cut nothing of the fault is left, and heal must say so rather than fail. */
START_TEST(test_heal_after_a_power_cut_finds_nothing)
{
	struct text before = { 0 };

	lab_plan(&at, &solo_rows[_i], RUN_ID, 60 * NS_PER_S);
	if (at.c.fault->cuts_target)
		return;
	text_add(&before, lab_state(&at));
	lab_harm(&at);
	ck_assert_int_eq(lab_run_on(at.owned_harness, "fixtures/lab/lab power app1 cycle", NULL), 0);
	lab_reopen(&at);
	lab_heal(&at);
	lab_wait_for_state(&at, text_str(&before));
	text_release(&before);
}
END_TEST

/* What inject must refuse, the words of its sentence, and what makes it so. */
struct refused_row {
	struct lab_row row;
	const char *first; /* on the host, before arm; NULL: nothing */
	const char *last;  /* cleans up */
	const char *sentence;
};

static const struct refused_row refused[] = {
	{ { LAB_APP1, "process.kill", { "name", "nosuch", NULL } }, NULL, NULL, "no process named nosuch" },
	{ { LAB_APP1, "process.pause", { "name", "nosuch", NULL } }, NULL, NULL, "no process named nosuch" },
	{ { LAB_APP1, "service.stop", { "unit", "nosuch.service", NULL } }, NULL, NULL, "there is no unit" },
	{ { LAB_APP1, "service.stop", { "unit", "nginx", NULL } }, "systemctl stop nginx",
	  "! systemctl is-active nginx && systemctl start nginx", "stopping it tests nothing" },
	{ { LAB_APP1, "net.partition", { NULL } }, "nft add table inet fd_20261121_labtest_1",
	  "nft delete table inet fd_20261121_labtest_1", "there is a table" },
	{ { LAB_APP1, "net.partition", { "peers", "nosuch.invalid", NULL } }, NULL, NULL, "no address" },
	{ { LAB_APP1, "disk.fill", { "path", "/nosuch", NULL } }, NULL, NULL, "there is no folder" },
	{ { LAB_APP1, "disk.fill", { "path", "/var/log", NULL } }, NULL, NULL, "is no mount point" },
	{ { LAB_APP1, "disk.fill", { "path", "/run", NULL } }, NULL, NULL, "the guard keeps its record" },
	{ { LAB_APP1, "disk.fill", { "path", "/data", "leave", "1TiB", NULL } }, NULL, NULL,
	  "bytes are free on /data already" },
	{ { LAB_APP1, "disk.freeze", { "path", "/var/log", NULL } }, NULL, NULL, "is no mount point" },
	{ { LAB_APP1, "disk.freeze", { "path", "/run/lock", NULL } }, NULL, NULL, "" },
	{ { LAB_APP1, "disk.freeze", { "path", "/data", NULL } }, "fsfreeze -f /data", "fsfreeze -u /data",
	  "somebody else has frozen" },
};

enum { REFUSED_COUNT = sizeof refused / sizeof refused[0] };

START_TEST(test_inject_refuses_and_heal_leaves_what_is_not_ours)
{
	const struct refused_row *row = &refused[_i];

	lab_plan(&at, &row->row, RUN_ID, 20 * NS_PER_S);
	if (row->first != NULL)
		ck_assert_int_eq(lab_run_on(at.owned_target, row->first, NULL), 0);
	lab_must(&at, at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	ck_assert(!at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_msg(strstr(at.c.e.text, row->sentence) != NULL, "%s", at.c.e.text);
	ck_assert_int_ne(lab_confirm(&at), CONFIRMED);
	lab_heal(&at);
	if (row->last != NULL)
		ck_assert_int_eq(lab_run_on(at.owned_target, row->last, NULL), 0);
}
END_TEST

START_TEST(test_stop_confirm_unit_that_was_started_again_is_a_mismatch)
{
	lab_plan(&at, &solo_rows[2], RUN_ID, 20 * NS_PER_S);
	lab_harm(&at);
	ck_assert_int_eq(lab_run_on(at.owned_target, "systemctl start nginx", NULL), 0);
	ck_assert_int_eq(lab_confirm(&at), CONFIRM_MISMATCH);
	ck_assert_str_eq(text_str(&at.c.text), "the unit nginx.service is active");
}
END_TEST

/* nc answers 0 when the handshake was finished. */
static bool app2_reaches_app1(void)
{
	return lab_run_on(at.owned_other, "nc -z -w 1 198.18.77.31 80", NULL) == 0;
}

START_TEST(test_partition_cuts_the_peer_and_nobody_else)
{
	lab_plan(&at, &solo_rows[3], RUN_ID, 20 * NS_PER_S);
	lab_open_remote(&at, &lab_hosts[LAB_APP2], &at.owned_other);
	ck_assert(app2_reaches_app1());
	lab_harm(&at);
	ck_assert(!app2_reaches_app1());
	ck_assert_int_ne(lab_run_on(at.owned_target, "nc -z -w 1 198.18.77.32 80", NULL), 0);
	ck_assert_int_eq(lab_run_on(at.owned_harness, "curl -sf -m 2 http://198.18.77.31/ >/dev/null", NULL), 0);
	ck_assert_int_eq(lab_confirm(&at), CONFIRMED);
	ck_assert_ptr_null(strstr(text_str(&at.c.text), "; 0 packets"));
	lab_heal(&at);
	ck_assert(app2_reaches_app1());
}
END_TEST

/* A peer cannot tell the cut from a dead host: no answer, not a refusal; and our own line lives. */
START_TEST(test_partition_from_everybody_spares_our_own_line)
{
	lab_plan(&at, &solo_rows[5], RUN_ID, 20 * NS_PER_S);
	lab_harm(&at);
	ck_assert_int_eq(lab_run_on(at.owned_harness, "curl -s -m 1 http://198.18.77.31/ >/dev/null", NULL), 28);
	lab_reopen(&at); /* a new connection, as `firedrill heal` would need */
	ck_assert_int_eq(lab_confirm(&at), CONFIRMED);
	lab_heal(&at);
	ck_assert_int_eq(lab_run_on(at.owned_harness, "curl -sf -m 2 http://198.18.77.31/ >/dev/null", NULL), 0);
}
END_TEST

/* With the guard dead, the kernel's own lease ends the cut. */
START_TEST(test_partition_ends_by_itself_when_the_guard_is_dead)
{
	lab_plan(&at, &solo_rows[3], RUN_ID, 2 * NS_PER_S);
	lab_open_remote(&at, &lab_hosts[LAB_APP2], &at.owned_other);
	lab_harm(&at);
	ck_assert_int_eq(lab_run_on(at.owned_target, "set -- /run/firedrill/*/1/guard; read -r pid start <\"$1\"; "
				"kill -s KILL -- \"-$pid\"", NULL), 0);
	ck_assert(!app2_reaches_app1());

	const int64_t deadline_ns = clock_now_ns(&at.clock) + 15 * NS_PER_S;
	bool is_back = false;

	while (!is_back && clock_now_ns(&at.clock) < deadline_ns)
		is_back = app2_reaches_app1();
	ck_assert(is_back);
	ck_assert_int_eq(lab_confirm(&at), CONFIRM_MISMATCH);
	lab_heal(&at);
}
END_TEST

START_TEST(test_fill_leaves_no_room_and_gives_it_back)
{
	const char *const write_16m = "head -c 16M /dev/zero >/data/fdtest; s=$?; rm -f /data/fdtest; "
				      "exit $s";

	lab_plan(&at, &solo_rows[6], RUN_ID, 20 * NS_PER_S);
	ck_assert_int_eq(lab_run_on(at.owned_target, write_16m, NULL), 0);
	lab_harm(&at);
	ck_assert_int_ne(lab_run_on(at.owned_target, write_16m, NULL), 0);
	ck_assert_int_eq(lab_run_on(at.owned_target, "ls -A /data | grep firedrill", NULL), 1);

	/* Whoever kills the holder gets the space back at once. */
	ck_assert_int_eq(lab_run_on(at.owned_target, "set -- /run/firedrill/*/1/holder; read -r pid start <\"$1\"; "
				"kill -s KILL -- \"-$pid\"; sleep 0.5", NULL), 0);
	ck_assert_int_eq(lab_run_on(at.owned_target, write_16m, NULL), 0);
	ck_assert_int_eq(lab_confirm(&at), CONFIRM_MISMATCH);
	lab_heal(&at);
}
END_TEST

START_TEST(test_freeze_holds_writes_and_lets_them_through)
{
	lab_plan(&at, &solo_rows[8], RUN_ID, 20 * NS_PER_S);
	lab_harm(&at);
	ck_assert_int_eq(lab_run_on(at.owned_target,
				"(echo x >/data/fdtest; sync /data/fdtest) </dev/null >/dev/null 2>&1 & "
				"sleep 0.5; kill -0 $!", NULL), 0);
	ck_assert_int_eq(lab_confirm(&at), CONFIRMED);
	lab_heal(&at);
	ck_assert_int_eq(lab_run_on(at.owned_target,
				"i=0; until [ -s /data/fdtest ] || [ $i -gt 50 ]; do i=$((i+1)); "
				"sleep 0.1; done; rm /data/fdtest", NULL), 0);
}
END_TEST

static void add_solo(Suite *suite)
{
	TCase *tcase = tcase_create("solo");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test_walk_leaves_the_host_as_it_was, 0, SOLO_COUNT);
	tcase_add_loop_test(tcase, test_guard_heals_when_the_lease_is_not_renewed, 0, SOLO_COUNT);
	tcase_add_loop_test(tcase, test_heal_without_inject_does_nothing, 0, SOLO_COUNT);
	tcase_add_loop_test(tcase, test_heal_after_a_power_cut_finds_nothing, 0, SOLO_COUNT);
	tcase_add_loop_test(tcase, test_inject_refuses_and_heal_leaves_what_is_not_ours, 0,
			    REFUSED_COUNT);
	tcase_add_test(tcase, test_stop_confirm_unit_that_was_started_again_is_a_mismatch);
	tcase_add_test(tcase, test_partition_cuts_the_peer_and_nobody_else);
	tcase_add_test(tcase, test_partition_from_everybody_spares_our_own_line);
	tcase_add_test(tcase, test_partition_ends_by_itself_when_the_guard_is_dead);
	tcase_add_test(tcase, test_fill_leaves_no_room_and_gives_it_back);
	tcase_add_test(tcase, test_freeze_holds_writes_and_lets_them_through);
	suite_add_tcase(suite, tcase);
}

static void add_cluster(Suite *suite)
{
	TCase *tcase = tcase_create("pg-patroni");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 180);
	tcase_add_loop_test(tcase, test_cluster_walk_leaves_the_cluster_as_it_was, 0,
			    CLUSTER_COUNT);
	suite_add_tcase(suite, tcase);
}

/* Adds the tests of one topology; false when it was named and is not up. */
static bool add_topology(Suite *suite, const char *wanted, const char *name,
			 const struct host *host, void (*add)(Suite *))
{
	if (wanted != NULL && strcmp(wanted, name) != 0)
		return true;
	if (!lab_is_up(host))
		return wanted == NULL;
	add(suite);
	return true;
}

int main(int argc, char **argv)
{
	const char *wanted = argc > 1 ? argv[1] : NULL;
	Suite *suite = suite_create("lab_faults");
	bool is_whole = add_topology(suite, wanted, "solo", &lab_hosts[LAB_APP1], add_solo) &&
			add_topology(suite, wanted, "pg-patroni", &lab_hosts[LAB_DB1], add_cluster);
	SRunner *runner = srunner_create(suite);
	int failed_count;

	srunner_run_all(runner, CK_NORMAL);
	failed_count = srunner_ntests_failed(runner);
	srunner_free(runner);
	return is_whole && failed_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
