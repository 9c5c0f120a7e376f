/*
 * lab_faults.c - every fault on real hosts. Needs a lab, and is run in its network:
 *
 *     fixtures/lab/lab up solo && fixtures/lab/lab run build/plain/lab_faults solo
 *
 * The same with pg-patroni; tests/lab_faults.sh does both. Without a name both are looked for. A
 * topology that is named and not up fails; one that is not named and not up is skipped.
 */
#include "remote/remote.h"
#include "tests/fault_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LAB_KEY "/var/lib/fdlab/id"
#define LAB_KNOWN "/var/lib/fdlab/known_hosts"

static const struct host hosts[] = {
	{ .name = "app1", .address = "198.18.77.31", .port = 22, .user = "root",
	  .key_path = LAB_KEY, .known_hosts = LAB_KNOWN },
	{ .name = "app2", .address = "198.18.77.32", .port = 22, .user = "root",
	  .key_path = LAB_KEY, .known_hosts = LAB_KNOWN },
	{ .name = "db1", .address = "198.18.77.11", .port = 22, .user = "root",
	  .key_path = LAB_KEY, .known_hosts = LAB_KNOWN },
};
static const struct host here = { .name = "here", .is_local = true };

static const struct host *const members[] = { &hosts[2] };
static const struct service orders = {
	.name = "orders-db", .kind = "postgres", .members = members, .member_count = 1,
	.patroni_port = 8008,
};

static const char *const power_on[] = { "fixtures/lab/lab", "power", "{host}", "on" };
static const char *const power_off[] = { "fixtures/lab/lab", "power", "{host}", "off" };
static const char *const power_status[] = { "fixtures/lab/lab", "power", "{host}", "status" };

/* One fault with parameters on one host. */
struct row {
	size_t host;
	const char *fault;
	const char *with[7];
};

static const struct row solo_rows[] = {
	{ 0, "process.kill", { "name", "systemd-journald", NULL } }, /* its name is cut to 15 bytes */
	{ 0, "process.pause", { "name", "nginx", NULL } },
	{ 0, "service.stop", { "unit", "nginx.service", NULL } },
	{ 0, "net.partition", { "peers", "app2", NULL } },
	{ 0, "net.partition", { "ports", "80", "direction", "in", NULL } },
	{ 0, "net.partition", { NULL } },
	{ 0, "disk.fill", { "path", "/data", NULL } },
	{ 0, "disk.fill", { "path", "/", "leave", "8MiB", NULL } },
	{ 0, "disk.freeze", { "path", "/data", NULL } },
	{ 0, "node.power", { NULL } },
};
static const struct row cluster_rows[] = {
	{ 2, "process.kill", { "name", "postgres", NULL } },
	{ 2, "process.pause", { "name", "postgres", NULL } },
	{ 2, "postgres.switchover", { NULL } },
};

enum {
	SOLO_COUNT = sizeof solo_rows / sizeof solo_rows[0],
	CLUSTER_COUNT = sizeof cluster_rows / sizeof cluster_rows[0],
};

static struct {
	struct clock clock;
	struct remote_opener opener;
	struct remote *owned_target;
	struct remote *owned_other; /* app2 */
	struct remote *owned_harness;
	struct fault_context ctx;
	struct fault_case c;
	const struct host *host;
} at;

static bool open_remote(const struct host *host, struct remote **ret_remote)
{
	const int64_t deadline_ns = clock_now_ns(&at.clock) + 30 * NS_PER_S;
	struct err e = { 0 };

	while (!at.opener.open(at.opener.ctx, host, &at.clock, 5 * NS_PER_S, ret_remote, &e)) {
		if (clock_now_ns(&at.clock) > deadline_ns) {
			ck_abort_msg("open %s: %s", host->name, e.text);
			return false;
		}
		clock_sleep_until_ns(&at.clock, clock_now_ns(&at.clock) + 200 * NS_PER_MS);
	}
	return true;
}

static void setup(void)
{
	memset(&at, 0, sizeof at);
	at.clock = clock_system();
	at.opener = remote_opener_real();
	open_remote(&here, &at.owned_harness);
	at.ctx = (struct fault_context){ .harness = at.owned_harness, .clock = &at.clock };
}

static void must(bool is_done)
{
	ck_assert_msg(is_done, "%s: %s", at.c.fault != NULL ? at.c.fault->name : "-", at.c.e.text);
}

static void reopen(void)
{
	remote_close(at.owned_target);
	at.owned_target = NULL;
	open_remote(at.host, &at.owned_target);
	at.ctx.target = at.owned_target;
}

static void plan(const struct row *row, int64_t lease_ns)
{
	at.host = &hosts[row->host];
	at.c.inventory = (struct inventory){
		.hosts = hosts, .host_count = sizeof hosts / sizeof hosts[0],
		.services = &orders, .service_count = 1,
		.power = { .on = power_on, .on_count = 4, .off = power_off, .off_count = 4,
			   .status = power_status, .status_count = 4 },
	};
	must(fault_case_plan(&at.c, row->fault, "20261121-labtest", at.host, lease_ns, row->with));
	reopen();
}

static void teardown(void)
{
	struct err e = { 0 };

	if (at.c.fault != NULL)
		(void)at.c.fault->heal(&at.c.record, &at.ctx, &e); /* a failed test says why itself */
	remote_close(at.owned_target);
	remote_close(at.owned_other);
	remote_close(at.owned_harness);
	fault_case_release(&at.c);
}

/* Runs a shell line of the test's own on a host; returns its exit status. */
static int run_on(struct remote *remote, const char *line)
{
	const char *const argv[] = { "sh", "-c", line, NULL };
	const struct command command = { .argv = argv, .timeout_ns = 20 * NS_PER_S };
	struct reply reply = { 0 };
	struct err e = { 0 };
	int status;

	ck_assert_msg(remote_exec(remote, &command, &reply, &e), "%s: %s", line, e.text);
	status = reply.exit_status;
	reply_release(&reply);
	return status;
}

static const char *state_now(void)
{
	text_clear(&at.c.text);
	must(at.c.fault->read_back(&at.c.record, &at.ctx, &at.c.text, &at.c.e));
	return text_str(&at.c.text);
}

static enum confirmation confirm_now(void)
{
	text_clear(&at.c.text);
	return at.c.fault->confirm(&at.c.record, &at.ctx, &at.c.text);
}

static void wait_a_moment(void)
{
	clock_sleep_until_ns(&at.clock, clock_now_ns(&at.clock) + 200 * NS_PER_MS);
}

/* Polls as the engine does: what brings a system back may take a while. A state that cannot be read
   in the meantime (no leader yet) counts as another one. */
static void wait_for_state(const char *state)
{
	const int64_t deadline_ns = clock_now_ns(&at.clock) + 60 * NS_PER_S;
	struct err e = { 0 };

	for (;;) {
		text_clear(&at.c.text);
		if (at.c.fault->read_back(&at.c.record, &at.ctx, &at.c.text, &e) &&
		    strcmp(text_str(&at.c.text), state) == 0)
			return;
		ck_assert_msg(clock_now_ns(&at.clock) < deadline_ns, "%s: before: %s; now: %s %s",
			      at.c.fault->name, state, text_str(&at.c.text), e.text);
		wait_a_moment();
	}
}

static void walk(const struct row *row)
{
	struct text before = { 0 };

	plan(row, 20 * NS_PER_S);
	text_add(&before, state_now());
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_msg(confirm_now() == CONFIRMED, "%s: %s", row->fault, text_str(&at.c.text));
	must(at.c.fault->renew(&at.c.record, &at.ctx, &at.c.e));
	if (at.c.fault->has_heal)
		ck_assert_str_ne(state_now(), text_str(&before));

	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	if (at.c.fault->cuts_target)
		reopen();
	wait_for_state(text_str(&before));
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	wait_for_state(text_str(&before));
	ck_assert_int_ne(run_on(at.owned_target, "ls -d /run/firedrill"), 0);
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

	plan(&solo_rows[_i], 3 * NS_PER_S);
	if (!at.c.fault->has_heal)
		return;
	text_add(&before, state_now());
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_msg(confirm_now() == CONFIRMED, "%s", text_str(&at.c.text));
	while (seen == CONFIRMED && clock_now_ns(&at.clock) < deadline_ns) {
		wait_a_moment();
		seen = confirm_now();
	}
	ck_assert_msg(seen == CONFIRM_MISMATCH, "%s: %s", at.c.fault->name, text_str(&at.c.text));
	if (at.c.fault->cuts_target)
		reopen();
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	wait_for_state(text_str(&before));
	text_release(&before);
}
END_TEST

START_TEST(test_heal_without_inject_does_nothing)
{
	struct text before = { 0 };

	plan(&solo_rows[_i], 20 * NS_PER_S);
	text_add(&before, state_now());
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_str_eq(state_now(), text_str(&before));
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_str_eq(state_now(), text_str(&before));
	text_release(&before);
}
END_TEST

/* After a power cut nothing of the fault is left, and heal must say so rather than fail. */
START_TEST(test_heal_after_a_power_cut_finds_nothing)
{
	struct text before = { 0 };

	plan(&solo_rows[_i], 60 * NS_PER_S);
	if (at.c.fault->cuts_target)
		return;
	text_add(&before, state_now());
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(run_on(at.owned_harness, "fixtures/lab/lab power app1 cycle"), 0);
	reopen();
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	wait_for_state(text_str(&before));
	text_release(&before);
}
END_TEST

/* What inject must refuse, the words of its sentence, and what makes it so. */
struct refused_row {
	struct row row;
	const char *first; /* on the host, before arm; NULL: nothing */
	const char *last;  /* cleans up */
	const char *sentence;
};

static const struct refused_row refused[] = {
	{ { 0, "process.kill", { "name", "nosuch", NULL } }, NULL, NULL, "no process named nosuch" },
	{ { 0, "process.pause", { "name", "nosuch", NULL } }, NULL, NULL, "no process named nosuch" },
	{ { 0, "service.stop", { "unit", "nosuch.service", NULL } }, NULL, NULL, "there is no unit" },
	{ { 0, "service.stop", { "unit", "nginx", NULL } }, "systemctl stop nginx",
	  "! systemctl is-active nginx && systemctl start nginx", "stopping it tests nothing" },
	{ { 0, "net.partition", { NULL } }, "nft add table inet fd_20261121_labtest_1",
	  "nft delete table inet fd_20261121_labtest_1", "there is a table" },
	{ { 0, "net.partition", { "peers", "nosuch.invalid", NULL } }, NULL, NULL, "no address" },
	{ { 0, "disk.fill", { "path", "/nosuch", NULL } }, NULL, NULL, "there is no folder" },
	{ { 0, "disk.fill", { "path", "/var/log", NULL } }, NULL, NULL, "is no mount point" },
	{ { 0, "disk.fill", { "path", "/run", NULL } }, NULL, NULL, "the guard keeps its record" },
	{ { 0, "disk.fill", { "path", "/data", "leave", "1TiB", NULL } }, NULL, NULL,
	  "bytes are free on /data already" },
	{ { 0, "disk.freeze", { "path", "/var/log", NULL } }, NULL, NULL, "is no mount point" },
	{ { 0, "disk.freeze", { "path", "/run/lock", NULL } }, NULL, NULL, "" },
	{ { 0, "disk.freeze", { "path", "/data", NULL } }, "fsfreeze -f /data", "fsfreeze -u /data",
	  "somebody else has frozen" },
};

enum { REFUSED_COUNT = sizeof refused / sizeof refused[0] };

START_TEST(test_inject_refuses_and_heal_leaves_what_is_not_ours)
{
	const struct refused_row *row = &refused[_i];

	plan(&row->row, 20 * NS_PER_S);
	if (row->first != NULL)
		ck_assert_int_eq(run_on(at.owned_target, row->first), 0);
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	ck_assert(!at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_msg(strstr(at.c.e.text, row->sentence) != NULL, "%s", at.c.e.text);
	ck_assert_int_ne(confirm_now(), CONFIRMED);
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	if (row->last != NULL)
		ck_assert_int_eq(run_on(at.owned_target, row->last), 0);
}
END_TEST

START_TEST(test_stop_confirm_unit_that_was_started_again_is_a_mismatch)
{
	plan(&solo_rows[2], 20 * NS_PER_S);
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(run_on(at.owned_target, "systemctl start nginx"), 0);
	ck_assert_int_eq(confirm_now(), CONFIRM_MISMATCH);
	ck_assert_str_eq(text_str(&at.c.text), "the unit nginx.service is active");
}
END_TEST

/* nc answers 0 when the handshake was finished. */
static bool app2_reaches_app1(void)
{
	return run_on(at.owned_other, "nc -z -w 1 198.18.77.31 80") == 0;
}

START_TEST(test_partition_cuts_the_peer_and_nobody_else)
{
	plan(&solo_rows[3], 20 * NS_PER_S);
	open_remote(&hosts[1], &at.owned_other);
	ck_assert(app2_reaches_app1());
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert(!app2_reaches_app1());
	ck_assert_int_ne(run_on(at.owned_target, "nc -z -w 1 198.18.77.32 80"), 0);
	ck_assert_int_eq(run_on(at.owned_harness, "curl -sf -m 2 http://198.18.77.31/ >/dev/null"), 0);
	ck_assert_int_eq(confirm_now(), CONFIRMED);
	ck_assert_ptr_null(strstr(text_str(&at.c.text), "; 0 packets"));
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	ck_assert(app2_reaches_app1());
}
END_TEST

/* A peer cannot tell the cut from a dead host: no answer, not a refusal; and our own line lives. */
START_TEST(test_partition_from_everybody_spares_our_own_line)
{
	plan(&solo_rows[5], 20 * NS_PER_S);
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(run_on(at.owned_harness, "curl -s -m 1 http://198.18.77.31/ >/dev/null"), 28);
	reopen(); /* a new connection, as `firedrill heal` would need */
	ck_assert_int_eq(confirm_now(), CONFIRMED);
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(run_on(at.owned_harness, "curl -sf -m 2 http://198.18.77.31/ >/dev/null"), 0);
}
END_TEST

/* With the guard dead, the kernel's own lease ends the cut. */
START_TEST(test_partition_ends_by_itself_when_the_guard_is_dead)
{
	plan(&solo_rows[3], 2 * NS_PER_S);
	open_remote(&hosts[1], &at.owned_other);
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(run_on(at.owned_target, "set -- /run/firedrill/*/1/guard; read -r pid start <\"$1\"; "
				"kill -s KILL -- \"-$pid\""), 0);
	ck_assert(!app2_reaches_app1());

	const int64_t deadline_ns = clock_now_ns(&at.clock) + 15 * NS_PER_S;
	bool is_back = false;

	while (!is_back && clock_now_ns(&at.clock) < deadline_ns)
		is_back = app2_reaches_app1();
	ck_assert(is_back);
	ck_assert_int_eq(confirm_now(), CONFIRM_MISMATCH);
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
}
END_TEST

START_TEST(test_fill_leaves_no_room_and_gives_it_back)
{
	const char *const write_16m = "head -c 16M /dev/zero >/data/fdtest; s=$?; rm -f /data/fdtest; "
				      "exit $s";

	plan(&solo_rows[6], 20 * NS_PER_S);
	ck_assert_int_eq(run_on(at.owned_target, write_16m), 0);
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_ne(run_on(at.owned_target, write_16m), 0);
	ck_assert_int_eq(run_on(at.owned_target, "ls -A /data | grep firedrill"), 1);

	/* Whoever kills the holder gets the space back at once. */
	ck_assert_int_eq(run_on(at.owned_target, "set -- /run/firedrill/*/1/holder; read -r pid start <\"$1\"; "
				"kill -s KILL -- \"-$pid\"; sleep 0.5"), 0);
	ck_assert_int_eq(run_on(at.owned_target, write_16m), 0);
	ck_assert_int_eq(confirm_now(), CONFIRM_MISMATCH);
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
}
END_TEST

START_TEST(test_freeze_holds_writes_and_lets_them_through)
{
	plan(&solo_rows[8], 20 * NS_PER_S);
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(run_on(at.owned_target,
				"(echo x >/data/fdtest; sync /data/fdtest) </dev/null >/dev/null 2>&1 & "
				"sleep 0.5; kill -0 $!"), 0);
	ck_assert_int_eq(confirm_now(), CONFIRMED);
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(run_on(at.owned_target,
				"i=0; until [ -s /data/fdtest ] || [ $i -gt 50 ]; do i=$((i+1)); "
				"sleep 0.1; done; rm /data/fdtest"), 0);
}
END_TEST

static bool is_up(const struct host *host)
{
	const struct clock clock = clock_system();
	const struct remote_opener opener = remote_opener_real();
	struct remote *remote = NULL;
	struct err e = { 0 };

	if (access(LAB_KEY, R_OK) != 0 ||
	    !opener.open(opener.ctx, host, &clock, 2 * NS_PER_S, &remote, &e)) {
		printf("skipped: %s is not up (%s)\n", host->name,
		       e.text[0] != '\0' ? e.text : "no lab on this machine");
		return false;
	}
	remote_close(remote);
	return true;
}

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
	if (!is_up(host))
		return wanted == NULL;
	add(suite);
	return true;
}

int main(int argc, char **argv)
{
	const char *wanted = argc > 1 ? argv[1] : NULL;
	Suite *suite = suite_create("lab_faults");
	bool is_whole = add_topology(suite, wanted, "solo", &hosts[0], add_solo) &&
			add_topology(suite, wanted, "pg-patroni", &hosts[2], add_cluster);
	SRunner *runner = srunner_create(suite);
	int failed_count;

	srunner_run_all(runner, CK_NORMAL);
	failed_count = srunner_ntests_failed(runner);
	srunner_free(runner);
	return is_whole && failed_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
