/*
 * lab_foreign.c - a fault touches what is its own, and nothing else. Needs the lab's two plain hosts:
 *
 *     fixtures/lab/lab up solo && fixtures/lab/lab run build/plain/lab_foreign
 *
 * Somebody else's tables, rules, queues, files, cgroups, records and processes of similar names are
 * planted first; every fault leaves them byte-identical, while it is on and after its heal. Two runs on
 * one host do not touch each other. And confirm says MISMATCH when somebody else undid the fault.
 */
#include "fixtures/lab_case.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t lease_ns = 20 * NS_PER_S;

static const struct lab_row rows[] = {
	{ LAB_APP1, "process.kill", { "name", "systemd-journald", NULL } },
	{ LAB_APP1, "process.pause", { "name", "nginx", NULL } },
	{ LAB_APP1, "service.stop", { "unit", "nginx.service", NULL } },
	{ LAB_APP1, "net.partition", { "peers", "app2", NULL } },
	{ LAB_APP1, "net.partition", { NULL } },
	{ LAB_APP1, "disk.fill", { "path", "/data", NULL } },
	{ LAB_APP1, "disk.freeze", { "path", "/data", NULL } },
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static struct lab_case at;
static struct lab_case other; /* another run, at the same time */

static void setup(void)
{
	lab_open(&at);
	lab_open(&other);
}

static void teardown(void)
{
	lab_close(&other);
	lab_close(&at);
}

/* ---- what is not ours ---- */

/* A table of a run whose name begins as ours does, a rule that is as old as the host, a queue, a fill
   file, a record of another run, a cgroup, and processes with the victim's name in theirs. */
static const char plant[] =
	"set -e\n"
	"nft add table inet fd_20261121_labtest_10 '{ comment \"firedrill 20261121-labtest-10\" ; }'\n"
	"nft add table inet keep\n"
	"nft add chain inet keep in '{ type filter hook input priority -10; }'\n"
	"nft add rule inet keep in tcp dport 9 accept\n"
	"tc qdisc replace dev lo root pfifo limit 77\n"
	"head -c 1M /dev/zero >/data/firedrill-fill-of-another-run\n"
	"mkdir -p /run/firedrill/20261121-labtest-10/1 /run/firedrill/20261120-other/1\n"
	"echo 'somebody else' | tee /run/firedrill/20261121-labtest-10/1/before \\\n"
	"\t>/run/firedrill/20261120-other/1/guard\n"
	"group=$(awk '$5 ~ \"^/sys/fs/cgroup\" { print $5; exit }' /proc/self/mountinfo)\n"
	"[ -z \"$group\" ] || mkdir -p \"$group/firedrill-other\" 2>/dev/null || true\n"
	"for name in nginx2 xnginx nginx.service; do\n"
	"\tcp /bin/sleep \"/tmp/$name\"\n"
	"\tsetsid \"/tmp/$name\" 900 </dev/null >/dev/null 2>&1 &\n"
	"done\n";

static const char look[] =
	"nft list tables | grep -v 'fd_20261121_labtest_1$'\n"
	"nft list table inet keep; nft list table inet fd_20261121_labtest_10\n"
	"tc qdisc show dev lo\n"
	"sha256sum /data/firedrill-fill-of-another-run; stat -c '%i %Y %a' /data/firedrill-fill-of-another-run\n"
	"find /run/firedrill -path '*/20261121-labtest/*' -prune -o -path '*/20261121-labtest' -prune \\\n"
	"\t-o -type f -exec sha256sum {} + | sort\n"
	"find /sys/fs/cgroup -maxdepth 3 -name 'firedrill-other' | sort\n"
	"for name in nginx2 xnginx nginx.service; do\n"
	"\tfor exe in /proc/[0-9]*/exe; do\n"
	"\t\t[ \"$(readlink \"$exe\")\" = \"/tmp/$name\" ] || continue\n"
	"\t\techo \"$name\" \"$(sed 's/.*) //' \"${exe%exe}stat\" | cut -d' ' -f1,20)\"\n"
	"\tdone\n"
	"done\n";

static const char uproot[] =
	"nft delete table inet fd_20261121_labtest_10; nft delete table inet keep\n"
	"tc qdisc del dev lo root\n"
	"rm -rf /data/firedrill-fill-of-another-run /run/firedrill/20261121-labtest-10 \\\n"
	"\t/run/firedrill/20261120-other\n"
	"rmdir /run/firedrill\n"
	"find /sys/fs/cgroup -maxdepth 3 -name 'firedrill-other' -exec rmdir {} +\n"
	"for exe in /proc/[0-9]*/exe; do\n"
	"\tcase $(readlink \"$exe\") in\n"
	"\t/tmp/nginx2|/tmp/xnginx|/tmp/nginx.service)\n"
	"\t\tpid=${exe#/proc/}; kill -s KILL \"${pid%/exe}\" ;;\n"
	"\tesac\n"
	"done\n"
	"rm -f /tmp/nginx2 /tmp/xnginx /tmp/nginx.service\n";

static void teardown_planted(void)
{
	if (at.c.fault != NULL && at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e))
		(void)lab_run_on(at.owned_target, uproot, NULL);
	teardown();
}

static void see(struct text *ret_said)
{
	text_clear(ret_said);
	(void)lab_run_on(at.owned_target, look, ret_said);
}

START_TEST(test_fault_leaves_what_is_not_its_own_as_it_is)
{
	struct text before = { 0 };
	struct text now = { 0 };

	lab_plan(&at, &rows[_i], "20261121-labtest", lease_ns);
	ck_assert_int_eq(lab_run_on(at.owned_target, plant, NULL), 0);
	see(&before);
	/* All that was planted is looked at. */
	ck_assert_ptr_nonnull(strstr(text_str(&before), "dport 9 accept"));
	ck_assert_ptr_nonnull(strstr(text_str(&before), "limit 77p"));
	ck_assert_ptr_nonnull(strstr(text_str(&before), "labtest-10/1/before"));
	ck_assert_ptr_nonnull(strstr(text_str(&before), "20261120-other/1/guard"));
	ck_assert_ptr_nonnull(strstr(text_str(&before), "\nnginx2 S"));
	ck_assert_ptr_nonnull(strstr(text_str(&before), "\nnginx.service S"));

	lab_harm(&at);
	if (strcmp(rows[_i].fault, "disk.freeze") != 0) { /* nothing can be read-locked meanwhile */
		see(&now);
		ck_assert_str_eq(text_str(&now), text_str(&before));
	}
	lab_heal(&at);
	see(&now);
	ck_assert_str_eq(text_str(&now), text_str(&before));
	text_release(&before);
	text_release(&now);
}
END_TEST

/* ---- two runs on one host ---- */

static const struct {
	struct lab_row first;
	struct lab_row second;
} pairs[] = {
	{ { LAB_APP1, "net.partition", { "peers", "app2", NULL } },
	  { LAB_APP1, "net.partition", { "ports", "80", "direction", "in", NULL } } },
	{ { LAB_APP1, "net.partition", { "peers", "app2", NULL } },
	  { LAB_APP1, "disk.fill", { "path", "/data", NULL } } },
	{ { LAB_APP1, "service.stop", { "unit", "nginx.service", NULL } },
	  { LAB_APP1, "disk.fill", { "path", "/data", NULL } } },
	{ { LAB_APP1, "process.pause", { "name", "nginx", NULL } },
	  { LAB_APP1, "disk.freeze", { "path", "/data", NULL } } },
};

enum { PAIR_COUNT = sizeof pairs / sizeof pairs[0] };

START_TEST(test_two_runs_on_one_host_do_not_touch_each_other)
{
	struct text before = { 0 };
	struct text before_other = { 0 };
	const bool is_older_first = _i % 2 == 0;

	lab_plan(&at, &pairs[_i / 2].first, "20261121-labtest", lease_ns);
	lab_plan(&other, &pairs[_i / 2].second, "20261121-labtest-1", lease_ns);
	text_add(&before, lab_state(&at));
	text_add(&before_other, lab_state(&other));
	lab_harm(&at);
	lab_harm(&other);
	ck_assert_msg(lab_confirm(&at) == CONFIRMED, "%s", text_str(&at.c.text));
	lab_heal(is_older_first ? &at : &other);

	struct lab_case *left = is_older_first ? &other : &at;

	ck_assert_msg(lab_confirm(left) == CONFIRMED, "%s: %s", left->c.fault->name,
		      text_str(&left->c.text));
	lab_heal(left);
	lab_wait_for_state(&at, text_str(&before));
	lab_wait_for_state(&other, text_str(&before_other));
	text_release(&before);
	text_release(&before_other);
}
END_TEST

/* ---- confirm: what somebody else undid is a mismatch, and heal has no trouble with it ---- */

static const struct {
	struct lab_row row;
	const char *undo;
	const char *sentence;
} undone[] = {
	{ { LAB_APP1, "process.pause", { "name", "nginx", NULL } }, "pkill -CONT nginx", "nginx" },
	/* The service manager starts another one, which nobody has stopped. */
	{ { LAB_APP1, "process.pause", { "name", "nginx", NULL } },
	  "systemctl kill -s KILL nginx; systemctl restart nginx", "no process of ours" },
	{ { LAB_APP1, "service.stop", { "unit", "nginx.service", NULL } }, "systemctl start nginx",
	  "is active" },
	{ { LAB_APP1, "net.partition", { "peers", "app2", NULL } },
	  "nft delete table inet fd_20261121_labtest_1", "is not there" },
	{ { LAB_APP1, "net.partition", { "peers", "app2", NULL } },
	  "nft flush set inet fd_20261121_labtest_1 lease", "has ended" },
	{ { LAB_APP1, "net.partition", { "peers", "app2", NULL } },
	  "nft flush chain inet fd_20261121_labtest_1 input", "" },
	{ { LAB_APP1, "disk.freeze", { "path", "/data", NULL } }, "fsfreeze -u /data", "" },
	/* Another filesystem hides the one that was filled. */
	{ { LAB_APP1, "disk.fill", { "path", "/data", NULL } },
	  "mount -t tmpfs -o size=64m none /data", "" },
};

enum { UNDONE_COUNT = sizeof undone / sizeof undone[0] };

START_TEST(test_confirm_what_somebody_undid_is_a_mismatch)
{
	struct text before = { 0 };

	lab_plan(&at, &undone[_i].row, "20261121-labtest", lease_ns);
	text_add(&before, lab_state(&at));
	lab_harm(&at);
	ck_assert_int_eq(lab_run_on(at.owned_target, undone[_i].undo, NULL), 0);

	const enum confirmation seen = lab_confirm(&at);

	(void)lab_run_on(at.owned_target,
			 "while findmnt -n -o FSTYPE /data | tail -n 1 | grep -qx tmpfs; do umount /data; "
			 "done", NULL);
	ck_assert_msg(seen == CONFIRM_MISMATCH, "%s after %s: %s", undone[_i].row.fault,
		      undone[_i].undo, text_str(&at.c.text));
	ck_assert_msg(strstr(text_str(&at.c.text), undone[_i].sentence) != NULL, "%s",
		      text_str(&at.c.text));
	lab_heal(&at);
	lab_wait_for_state(&at, text_str(&before));
	text_release(&before);
}
END_TEST

/* An established connection does not slip through the cut. */
START_TEST(test_partition_cuts_established_connections)
{
	lab_plan(&at, &rows[3], "20261121-labtest", lease_ns);
	lab_open_remote(&at, &lab_hosts[LAB_APP2], &at.owned_other);
	ck_assert_int_eq(lab_run_on(at.owned_target,
				    "rm -f /tmp/heard; setsid nc -l -p 7777 >/tmp/heard 2>/dev/null "
				    "</dev/null &", NULL), 0);
	ck_assert_int_eq(lab_run_on(at.owned_other,
				    "mkfifo /tmp/words && (setsid sh -c 'exec 3<>/tmp/words; "
				    "exec timeout 60 nc 198.18.77.31 7777 <&3' >/dev/null 2>&1 &) && "
				    "sleep 0.3 && echo before >/tmp/words", NULL), 0);
	ck_assert_int_eq(lab_run_on(at.owned_target,
				    "i=0; until grep -q before /tmp/heard || [ $i -gt 50 ]; do "
				    "i=$((i+1)); sleep 0.1; done; grep -q before /tmp/heard", NULL), 0);
	lab_harm(&at);
	ck_assert_int_eq(lab_run_on(at.owned_other, "echo during >/tmp/words", NULL), 0);
	ck_assert_int_ne(lab_run_on(at.owned_target, "sleep 1; grep -q during /tmp/heard", NULL), 0);
	lab_heal(&at);
	/* TCP sends it again; what was held back arrives. */
	ck_assert_int_eq(lab_run_on(at.owned_target,
				    "i=0; until grep -q during /tmp/heard || [ $i -gt 150 ]; do "
				    "i=$((i+1)); sleep 0.1; done; grep -q during /tmp/heard; s=$?; "
				    "pkill -f '[n]c -l -p 7777'; rm -f /tmp/heard; exit $s", NULL), 0);
	(void)lab_run_on(at.owned_other, "pkill -f '[n]c 198.18.77.31 7777'; rm -f /tmp/words", NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lab_foreign");
	TCase *planted = tcase_create("planted");
	TCase *tcase = tcase_create("solo");
	SRunner *runner;
	int failed_count;

	if (!lab_is_up(&lab_hosts[LAB_APP1]))
		return EXIT_FAILURE;
	tcase_add_checked_fixture(planted, setup, teardown_planted);
	tcase_set_timeout(planted, 120);
	tcase_add_loop_test(planted, test_fault_leaves_what_is_not_its_own_as_it_is, 0, ROW_COUNT);
	suite_add_tcase(suite, planted);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test_two_runs_on_one_host_do_not_touch_each_other, 0,
			    2 * PAIR_COUNT);
	tcase_add_loop_test(tcase, test_confirm_what_somebody_undid_is_a_mismatch, 0, UNDONE_COUNT);
	tcase_add_test(tcase, test_partition_cuts_established_connections);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed_count = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
