/*
 * test_faults_trial.c - the guard that `doctor` lets fire, and what faults say that a host lacks; on this
 * machine, in a folder of the test's own.
 */
#include "fixtures/temp_dir.h"
#include "tests/suites.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults/fault.h"
#include "faults/trial.h"
#include "remote/ways.h"

static const struct host here = { .name = "here", .is_local = true };
static const struct host far = { .name = "far", .address = "192.0.2.1" };

static struct {
	struct clock clock;
	struct remote *owned_remote;
	char base[64];
	char dir[96];
	struct err e;
} at;

static void reopen(void)
{
	remote_close(at.owned_remote);
	at.owned_remote = NULL;
	ck_assert(local_open(&here, &at.clock, &at.owned_remote, &at.e));
}

static void setup(void)
{
	memset(&at, 0, sizeof at);
	at.clock = clock_system();
	reopen();
	temp_dir_name(at.base, sizeof at.base);
	snprintf(at.dir, sizeof at.dir, "%s/doctor/1", at.base);
}

static void teardown(void)
{
	(void)trial_end(at.owned_remote, at.dir, &at.e); /* a failed test says why itself */
	remote_close(at.owned_remote);
	if (access(at.base, F_OK) == 0)
		temp_dir_remove(mem_copy(at.base));
}

static void must(bool is_done)
{
	ck_assert_msg(is_done, "%s", at.e.text);
}

static enum trial_state look(void)
{
	enum trial_state state = 0;

	must(trial_look(at.owned_remote, at.dir, &state, &at.e));
	return state;
}

START_TEST(test_trial_of_heal_leaves_nothing)
{
	must(trial_of_heal(at.owned_remote, at.dir, &at.e));
	ck_assert_int_eq(look(), TRIAL_GONE);
	ck_assert_int_ne(access(at.dir, F_OK), 0);
}
END_TEST

START_TEST(test_trial_begin_fires_after_the_session_has_ended)
{
	const int64_t begun_ns = clock_now_ns(&at.clock);

	must(trial_begin(at.owned_remote, at.dir, &at.e));
	ck_assert_int_eq(look(), TRIAL_HARMED);
	reopen();
	while (look() == TRIAL_HARMED) {
		ck_assert_int_lt(clock_now_ns(&at.clock) - begun_ns, 30 * NS_PER_S);
		clock_sleep_until_ns(&at.clock, clock_now_ns(&at.clock) + 100 * NS_PER_MS);
	}
	ck_assert_int_eq(look(), TRIAL_HEALED);
	ck_assert_int_ge(clock_now_ns(&at.clock) - begun_ns, TRIAL_LEASE_S * NS_PER_S);
	must(trial_end(at.owned_remote, at.dir, &at.e));
	ck_assert_int_eq(look(), TRIAL_GONE);
}
END_TEST

START_TEST(test_trial_look_guard_that_was_killed_is_no_guard)
{
	char path[128];
	int pid = 0;
	FILE *file;

	must(trial_begin(at.owned_remote, at.dir, &at.e));
	snprintf(path, sizeof path, "%s/guard", at.dir);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
	fclose(file);
	ck_assert_int_eq(kill(-pid, SIGKILL), 0);
	clock_sleep_until_ns(&at.clock,
			     clock_now_ns(&at.clock) + (TRIAL_LEASE_S + 1) * NS_PER_S + NS_PER_S / 2);
	ck_assert_int_eq(look(), TRIAL_HARMED);
	must(trial_end(at.owned_remote, at.dir, &at.e));
	ck_assert_int_eq(look(), TRIAL_GONE);
}
END_TEST

START_TEST(test_trial_begin_in_a_folder_of_somebody_else_is_refused)
{
	char path[128];

	snprintf(path, sizeof path, "%s/doctor", at.base);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(mkdir(at.dir, 0700), 0);
	snprintf(path, sizeof path, "%s/theirs", at.dir);
	fclose(fopen(path, "w"));
	ck_assert(!trial_begin(at.owned_remote, at.dir, &at.e));
	ck_assert_int_eq(at.e.kind, ERR_REFUSED);
	must(trial_end(at.owned_remote, at.dir, &at.e));
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

/* As when the disk was full, or the session was killed, in the middle of arming. */
START_TEST(test_trial_end_removes_a_record_that_was_only_begun)
{
	char path[128];

	snprintf(path, sizeof path, "%s/doctor", at.base);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(mkdir(at.dir, 0700), 0);
	snprintf(path, sizeof path, "%s/owner.new", at.dir);
	fclose(fopen(path, "w"));
	must(trial_end(at.owned_remote, at.dir, &at.e));
	ck_assert_int_eq(look(), TRIAL_GONE);
}
END_TEST

static bool examine(const struct fault_ops *fault, const struct host *host, struct remote *target,
		    struct remote *harness, struct text *ret_missing)
{
	static const struct inventory nothing = { 0 };
	const struct fault_request request = { .run_id = "x", .step = 1, .host = host,
					       .inventory = &nothing, .lease_ns = NS_PER_S };
	struct fault_context ctx = { .target = target, .harness = harness, .clock = &at.clock };

	return fault->examine(&request, &ctx, ret_missing, &at.e);
}

/* Whatever this machine lacks is said in whole lines; an ordinary user is told that root is lacking. */
START_TEST(test_examine_every_fault_answers_in_lines)
{
	size_t count;
	const struct fault_ops *const *table = fault_table(&count);

	for (size_t i = 0; i < count; i++) {
		struct text missing = { 0 };

		must(examine(table[i], &here, at.owned_remote, at.owned_remote, &missing));
		if (missing.length_bytes > 0)
			ck_assert_int_eq(text_str(&missing)[missing.length_bytes - 1], '\n');
		if (geteuid() != 0 && table[i]->scope == FAULT_ON_HOST && !table[i]->cuts_target)
			ck_assert_ptr_nonnull(strstr(text_str(&missing), "is not root there"));
		text_release(&missing);
	}
}
END_TEST

START_TEST(test_examine_what_the_inventory_lacks_is_missing)
{
	struct text missing = { 0 };

	must(examine(fault_find("node.power"), &far, at.owned_remote, at.owned_remote, &missing));
	ck_assert_ptr_nonnull(strstr(text_str(&missing), "add `power:`"));
	text_clear(&missing);
	must(examine(fault_find("postgres.switchover"), &far, at.owned_remote, at.owned_remote,
		     &missing));
	ck_assert_ptr_nonnull(strstr(text_str(&missing), "no service with `patroni:`"));
	text_release(&missing);
}
END_TEST

START_TEST(test_examine_host_that_cannot_be_reached_could_not_be_looked_at)
{
	size_t count;
	const struct fault_ops *const *table = fault_table(&count);
	struct text missing = { 0 };

	for (size_t i = 0; i < count; i++)
		ck_assert_msg(!examine(table[i], &far, NULL, NULL, &missing), "%s", table[i]->name);
	text_release(&missing);
}
END_TEST

void suite_faults_trial(Suite *suite)
{
	TCase *tcase = tcase_create("faults_trial");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_trial_of_heal_leaves_nothing);
	tcase_add_test(tcase, test_trial_begin_fires_after_the_session_has_ended);
	tcase_add_test(tcase, test_trial_look_guard_that_was_killed_is_no_guard);
	tcase_add_test(tcase, test_trial_begin_in_a_folder_of_somebody_else_is_refused);
	tcase_add_test(tcase, test_trial_end_removes_a_record_that_was_only_begun);
	tcase_add_test(tcase, test_examine_every_fault_answers_in_lines);
	tcase_add_test(tcase, test_examine_what_the_inventory_lacks_is_missing);
	tcase_add_test(tcase, test_examine_host_that_cannot_be_reached_could_not_be_looked_at);
	suite_add_tcase(suite, tcase);
}
