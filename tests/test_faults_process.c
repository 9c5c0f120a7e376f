/*
 * test_faults_process.c - process.kill, process.pause and the guard, on processes that the test
 * itself started under a name that nobody else has.
 */
#include "fixtures/temp_dir.h"
#include "tests/suites.h"

#include "remote/ways.h"
#include "tests/fault_help.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct host here = { .name = "here", .is_local = true };

/* One fault at work on this machine, with a victim and a folder of its own. */
static struct {
	struct clock clock;
	struct remote *owned_remote;
	struct fault_context ctx;
	struct fault_case c;
	char name[16];
	char dir[64];
	pid_t victim;
} at;

static void setup(void)
{
	struct err e = { 0 };

	memset(&at, 0, sizeof at);
	at.clock = clock_system();
	ck_assert(local_open(&here, &at.clock, &at.owned_remote, &e));
	at.ctx = (struct fault_context){ .target = at.owned_remote, .harness = at.owned_remote,
					 .clock = &at.clock };
	snprintf(at.name, sizeof at.name, "fdv%d", (int)getpid());
	temp_dir_name(at.dir, sizeof at.dir);
}

static void teardown(void)
{
	struct err e = { 0 };

	if (at.c.fault != NULL)
		(void)at.c.fault->heal(&at.c.record, &at.ctx, &e); /* a failed test says why itself */
	if (at.victim > 0) {
		kill(-at.victim, SIGKILL);
		waitpid(at.victim, NULL, 0);
	}
	remote_close(at.owned_remote);
	fault_case_release(&at.c);
	if (geteuid() != 0 && setresuid(0, 0, 0) != 0) /* after be_ordinary; who never was root stays */
		errno = 0;
	(void)rmdir(at.dir); /* heal has removed it when it was the last one there */
}

/* A process of the victim's name, in a group of its own, with one child; both only wait. */
static void start_victim(void (*on_term)(int))
{
	int ready[2];
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	at.victim = fork();
	if (at.victim == 0) {
		setpgid(0, 0);
		prctl(PR_SET_NAME, at.name);
		signal(SIGTERM, on_term);
		if (fork() != 0)
			(void)!write(ready[1], "x", 1); /* the reader's read fails then */
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
}

static void plan(const char *fault, int64_t lease_ns, const char *const *with)
{
	ck_assert_msg(fault_case_plan(&at.c, fault, "run-1", &here, lease_ns, with), "%s",
		      at.c.e.text);
	fault_case_move(&at.c, at.dir);
}

static void must(bool is_done)
{
	ck_assert_msg(is_done, "%s", at.c.e.text);
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

static bool record_dir_is_there(void)
{
	char path[128];

	snprintf(path, sizeof path, "%s/run-1/1", at.dir);
	return access(path, F_OK) == 0;
}

/* Polls until the state text holds this part; true when it came in time. */
static bool state_becomes(const char *part, int64_t within_ns)
{
	const int64_t deadline_ns = clock_now_ns(&at.clock) + within_ns;

	while (strstr(state_now(), part) == NULL) {
		if (clock_now_ns(&at.clock) > deadline_ns)
			return false;
		clock_sleep_until_ns(&at.clock, clock_now_ns(&at.clock) + 50 * NS_PER_MS);
	}
	return true;
}

START_TEST(test_kill_main_ends_the_parent_only)
{
	int status;

	start_victim(SIG_DFL);
	plan("process.kill", 5 * NS_PER_S, (const char *const[]){ "name", at.name, NULL });
	ck_assert_ptr_nonnull(strstr(state_now(), ": 1; record: absent"));
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(confirm_now(), CONFIRMED);
	ck_assert_int_eq(waitpid(at.victim, &status, 0), at.victim);
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
	ck_assert_int_eq(kill(-at.victim, 0), 0); /* its child lives */
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	ck_assert(!record_dir_is_there());
}
END_TEST

START_TEST(test_kill_all_ends_the_children_too)
{
	start_victim(SIG_DFL);
	plan("process.kill", 5 * NS_PER_S,
	     (const char *const[]){ "name", at.name, "which", "all", NULL });
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(confirm_now(), CONFIRMED);
	ck_assert_ptr_nonnull(strstr(state_now(), ": 0; record: present"));
}
END_TEST

START_TEST(test_kill_confirm_ignored_signal_is_a_mismatch)
{
	start_victim(SIG_IGN);
	plan("process.kill", 5 * NS_PER_S,
	     (const char *const[]){ "name", at.name, "signal", "TERM", NULL });
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(confirm_now(), CONFIRM_MISMATCH);
	ck_assert_ptr_nonnull(strstr(text_str(&at.c.text), "still runs 5 s after SIGTERM"));
}
END_TEST

START_TEST(test_kill_inject_nobody_of_that_name_says_so)
{
	plan("process.kill", 5 * NS_PER_S, (const char *const[]){ "name", at.name, NULL });
	ck_assert(!at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(at.c.e.kind, ERR_REMOTE);
	ck_assert_ptr_nonnull(strstr(at.c.e.text, "no process named"));
}
END_TEST

/* A script keeps 15 bytes of its name, and its argv[0] is the interpreter's. */
START_TEST(test_kill_inject_long_name_that_no_program_has_says_what_to_write)
{
	char long_name[40];

	(void)snprintf(long_name, sizeof long_name, "%s-and-much-more-of-it", at.name);
	plan("process.kill", 5 * NS_PER_S, (const char *const[]){ "name", long_name, NULL });
	ck_assert(!at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));

	const char *wanted = arena_format(&at.c.arena, "write '%.15s' to mean", long_name);

	ck_assert_msg(strstr(at.c.e.text, wanted) != NULL, "%s", at.c.e.text);
}
END_TEST

/* The one who asks is never found, nor are its parents: this test's own name is its proof. */
START_TEST(test_kill_inject_never_finds_our_own_line)
{
	char own_name[16] = "";

	prctl(PR_GET_NAME, own_name);
	prctl(PR_SET_NAME, at.name);
	plan("process.kill", 5 * NS_PER_S,
	     (const char *const[]){ "name", at.name, "which", "all", NULL });
	ck_assert(!at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	prctl(PR_SET_NAME, own_name);
	ck_assert_ptr_nonnull(strstr(at.c.e.text, "no process named"));
}
END_TEST

START_TEST(test_pause_walk_ends_as_it_began)
{
	struct text before = { 0 };
	struct utsname machine;
	char who[sizeof machine.nodename + 16];

	start_victim(SIG_DFL);
	plan("process.pause", 20 * NS_PER_S, (const char *const[]){ "name", at.name, NULL });
	text_add(&before, state_now());
	ck_assert_int_eq(uname(&machine), 0);
	(void)snprintf(who, sizeof who, "; machine: %s ", machine.nodename);
	ck_assert_msg(strstr(text_str(&before), who) != NULL, "%s", text_str(&before));
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(confirm_now(), CONFIRMED);
	ck_assert_ptr_nonnull(strstr(text_str(&at.c.text), "2 processes are stopped"));
	must(at.c.fault->renew(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_ptr_nonnull(strstr(state_now(), ": 2; record: present"));

	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_str_eq(state_now(), text_str(&before));
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e)); /* the second finds nothing */
	ck_assert_str_eq(state_now(), text_str(&before));
	text_release(&before);
}
END_TEST

START_TEST(test_pause_heal_leaves_what_somebody_else_stopped)
{
	int status;

	start_victim(SIG_DFL);
	ck_assert_int_eq(kill(at.victim, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(at.victim, &status, WUNTRACED), at.victim);
	plan("process.pause", 20 * NS_PER_S, (const char *const[]){ "name", at.name, NULL });
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_ptr_nonnull(strstr(state_now(), ": 2"));
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_ptr_nonnull(strstr(state_now(), ": 1; record: absent"));
}
END_TEST

START_TEST(test_guard_undoes_when_the_lease_is_not_renewed)
{
	start_victim(SIG_DFL);
	plan("process.pause", NS_PER_S, (const char *const[]){ "name", at.name, NULL });
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_ptr_nonnull(strstr(state_now(), ": 2"));
	ck_assert(state_becomes(": 0; record: present", 10 * NS_PER_S));

	ck_assert(!at.c.fault->renew(&at.c.record, &at.ctx, &at.c.e)); /* too late, and it says so */
	ck_assert_ptr_nonnull(strstr(at.c.e.text, "lease had ended"));
	ck_assert(!at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(at.c.e.kind, ERR_REFUSED);
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	ck_assert(!record_dir_is_there());
}
END_TEST

START_TEST(test_guard_inject_without_arm_is_refused)
{
	start_victim(SIG_DFL);
	plan("process.pause", NS_PER_S, (const char *const[]){ "name", at.name, NULL });
	ck_assert(!at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(at.c.e.kind, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(at.c.e.text, "no guard was armed"));
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e)); /* inject never ran: nothing to do */
}
END_TEST

/* The guard's pid from its record; 0 when there is none. */
static pid_t guard_pid(void)
{
	char path[128];
	int pid = 0;

	snprintf(path, sizeof path, "%s/run-1/1/guard", at.dir);

	FILE *file = fopen(path, "r");

	if (file == NULL)
		return 0;
	if (fscanf(file, "%d", &pid) != 1)
		pid = 0;
	fclose(file);
	return pid;
}

START_TEST(test_guard_that_was_killed_stops_renew_and_inject)
{
	start_victim(SIG_DFL);
	plan("process.pause", 20 * NS_PER_S, (const char *const[]){ "name", at.name, NULL });
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_gt(guard_pid(), 1);
	ck_assert_int_eq(kill(guard_pid(), SIGTERM), 0); /* ignored */
	ck_assert_int_eq(kill(guard_pid(), SIGHUP), 0);
	must(at.c.fault->renew(&at.c.record, &at.ctx, &at.c.e));

	ck_assert_int_eq(kill(-guard_pid(), SIGKILL), 0);
	ck_assert(!at.c.fault->renew(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_ptr_nonnull(strstr(at.c.e.text, "is dead"));
	ck_assert(!at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(at.c.e.kind, ERR_REFUSED);
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e)); /* a new guard */
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_ptr_nonnull(strstr(state_now(), ": 0; record: absent"));
}
END_TEST

/* Somebody whose processes the kernel counts; who is root becomes one, in this test's own process. */
static void be_ordinary(void)
{
	enum { NOBODY = 65534 };

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(at.dir, NOBODY, NOBODY), 0);
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setgid(NOBODY), 0);
	ck_assert_int_eq(setresuid(NOBODY, NOBODY, 0), 0); /* what it starts has no way back, teardown has */
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0); /* a leak checker looks at its own process */
}

static void allow_guard_processes(rlim_t count)
{
	struct rlimit limit;

	ck_assert_int_eq(prlimit(guard_pid(), RLIMIT_NPROC, NULL, &limit), 0);
	limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
	ck_assert_int_eq(prlimit(guard_pid(), RLIMIT_NPROC, &limit, NULL), 0);
}

/* The lease ends while the host has no process left to give: nothing can be undone then, but later. */
START_TEST(test_guard_without_processes_undoes_once_there_are_some)
{
	int64_t dry_until_ns;

	be_ordinary();
	start_victim(SIG_DFL);
	plan("process.pause", NS_PER_S, (const char *const[]){ "name", at.name, NULL });
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	allow_guard_processes(0);
	dry_until_ns = clock_now_ns(&at.clock) + 3 * NS_PER_S;
	while (clock_now_ns(&at.clock) < dry_until_ns) {
		ck_assert_int_eq(kill(guard_pid(), 0), 0);
		clock_sleep_until_ns(&at.clock, clock_now_ns(&at.clock) + 100 * NS_PER_MS);
	}
	ck_assert_ptr_nonnull(strstr(state_now(), ": 2; record: present"));
	allow_guard_processes(RLIM_INFINITY);
	ck_assert(state_becomes(": 0; record: present", 20 * NS_PER_S));
}
END_TEST

START_TEST(test_guard_that_was_stopped_is_woken_by_a_renewal)
{
	start_victim(SIG_DFL);
	plan("process.pause", 2 * NS_PER_S, (const char *const[]){ "name", at.name, NULL });
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(kill(guard_pid(), SIGSTOP), 0);
	must(at.c.fault->renew(&at.c.record, &at.ctx, &at.c.e));
	ck_assert(state_becomes(": 0; record: present", 20 * NS_PER_S));
}
END_TEST

/* Frozen with its control group, say: it lives and does nothing. */
START_TEST(test_guard_that_stands_still_cannot_be_renewed)
{
	char path[128];
	FILE *file;

	be_ordinary();
	start_victim(SIG_DFL);
	plan("process.pause", 20 * NS_PER_S, (const char *const[]){ "name", at.name, NULL });
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->renew(&at.c.record, &at.ctx, &at.c.e));
	snprintf(path, sizeof path, "%s/run-1/1/seen", at.dir);
	ck_assert_int_eq(unlink(path), 0);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fchmod(fileno(file), 0400), 0); /* from here on the guard cannot say otherwise */
	ck_assert_int_gt(fprintf(file, "1\n"), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert(!at.c.fault->renew(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_msg(strstr(at.c.e.text, "stands still") != NULL, "%s", at.c.e.text);
}
END_TEST

/* The guard's own `sleep` goes by the victim's name. */
START_TEST(test_pause_never_stops_what_a_guard_waits_for)
{
	const char *const make[] = { "sh", "-c",
				     "mkdir -p \"$1/bin\" && ln -s \"$(command -v sleep)\" \"$1/bin/$2\" &&\n"
				     "printf '#!/bin/sh\\nexec %s \"$@\"\\n' \"$1/bin/$2\" >\"$1/bin/sleep\" &&\n"
				     "chmod +x \"$1/bin/sleep\"",
				     "-", at.dir, at.name, NULL };
	const char *const sweep[] = { "rm", "-r", at.dir, NULL };
	struct command command = { .argv = make, .timeout_ns = 5 * NS_PER_S };
	struct reply reply = { 0 };
	struct text path = { 0 };

	must(remote_run(at.owned_remote, &command, &reply, &at.c.e));
	reply_release(&reply);
	text_addf(&path, "%s/bin:%s", at.dir, getenv("PATH"));
	ck_assert_int_eq(setenv("PATH", text_str(&path), 1), 0);
	text_release(&path);
	start_victim(SIG_DFL);
	plan("process.pause", 2 * NS_PER_S, (const char *const[]){ "name", at.name, NULL });
	must(at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	must(at.c.fault->inject(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(confirm_now(), CONFIRMED);
	ck_assert_ptr_nonnull(strstr(text_str(&at.c.text), "2 processes are stopped"));
	ck_assert(state_becomes(": 0; record: present", 20 * NS_PER_S));
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	command.argv = sweep;
	must(remote_run(at.owned_remote, &command, &reply, &at.c.e));
	reply_release(&reply);
}
END_TEST

START_TEST(test_guard_arm_foreign_directory_is_refused_and_kept)
{
	plan("process.pause", 20 * NS_PER_S, (const char *const[]){ "name", at.name, NULL });

	const char *const plant[] = { "sh", "-c",
				      "mkdir -p \"$1/run-1/1\" && : >\"$1/run-1/1/theirs\"", "-",
				      at.dir, NULL };
	const char *const sweep[] = { "rm", "-r", at.dir, NULL };
	struct command command = { .argv = plant, .timeout_ns = 5 * NS_PER_S };
	struct reply reply = { 0 };

	must(remote_run(at.owned_remote, &command, &reply, &at.c.e));
	reply_release(&reply);
	ck_assert(!at.c.fault->arm(&at.c.record, &at.ctx, &at.c.e));
	ck_assert_int_eq(at.c.e.kind, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(at.c.e.text, "not of this run"));
	must(at.c.fault->heal(&at.c.record, &at.ctx, &at.c.e));
	ck_assert(record_dir_is_there());
	command.argv = sweep;
	reply = (struct reply){ 0 };
	must(remote_run(at.owned_remote, &command, &reply, &at.c.e));
	reply_release(&reply);
}
END_TEST

void suite_faults_process(Suite *suite)
{
	TCase *tcase = tcase_create("faults_process");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 40);
	tcase_add_test(tcase, test_kill_main_ends_the_parent_only);
	tcase_add_test(tcase, test_kill_all_ends_the_children_too);
	tcase_add_test(tcase, test_kill_confirm_ignored_signal_is_a_mismatch);
	tcase_add_test(tcase, test_kill_inject_nobody_of_that_name_says_so);
	tcase_add_test(tcase, test_kill_inject_long_name_that_no_program_has_says_what_to_write);
	tcase_add_test(tcase, test_kill_inject_never_finds_our_own_line);
	tcase_add_test(tcase, test_pause_walk_ends_as_it_began);
	tcase_add_test(tcase, test_pause_heal_leaves_what_somebody_else_stopped);
	tcase_add_test(tcase, test_guard_undoes_when_the_lease_is_not_renewed);
	tcase_add_test(tcase, test_guard_inject_without_arm_is_refused);
	tcase_add_test(tcase, test_guard_that_was_killed_stops_renew_and_inject);
	tcase_add_test(tcase, test_guard_without_processes_undoes_once_there_are_some);
	tcase_add_test(tcase, test_guard_that_was_stopped_is_woken_by_a_renewal);
	tcase_add_test(tcase, test_guard_that_stands_still_cannot_be_renewed);
	tcase_add_test(tcase, test_pause_never_stops_what_a_guard_waits_for);
	tcase_add_test(tcase, test_guard_arm_foreign_directory_is_refused_and_kept);
	suite_add_tcase(suite, tcase);
}
