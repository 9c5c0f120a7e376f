/*
 * test_remote_fake.c - the scripted remote, the simulated clock, and what remote.c adds to any way.
 */
#include "fixtures/fake_remote.h"
#include "fixtures/sim_clock.h"
#include "tests/suites.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct host db1 = { .name = "db1", .address = "192.0.2.1", .port = 22 };
static const struct host db2 = { .name = "db2", .address = "192.0.2.2", .port = 22 };

static struct sim_clock *sim;
static struct clock sim_as_clock;
static struct fake_script *script;
static struct remote *remote;
static struct reply reply;
static struct err e;

static const char *const list_argv[] = { "nft", "list", "tables", NULL };
static const struct command list = { .argv = list_argv, .timeout_ns = 5 * NS_PER_S };

static bool open_host(const struct host *host)
{
	const struct remote_opener opener = fake_script_opener(script);

	return opener.open(opener.ctx, host, &sim_as_clock, NS_PER_S, &remote, &e);
}

static void setup(void)
{
	sim = sim_clock_open();
	sim_as_clock = sim_clock_as_clock(sim);
	script = fake_script_open();
	remote = NULL;
	reply = (struct reply){ 0 };
	err_clear(&e);
}

static void teardown(void)
{
	reply_release(&reply);
	remote_close(remote);
	fake_script_close(script);
	sim_clock_close(sim);
}

START_TEST(test_fake_exec_without_a_rule_succeeds_and_is_recorded)
{
	ck_assert(open_host(&db1));
	ck_assert(remote_exec(remote, &list, &reply, &e));
	ck_assert_int_eq(reply.exit_status, 0);
	ck_assert_uint_eq(fake_script_call_count(script), 2);
	ck_assert_str_eq(fake_script_call(script, 0).command, FAKE_OPEN);
	ck_assert_str_eq(fake_script_call(script, 1).command, "nft list tables");
	ck_assert_str_eq(fake_script_call(script, 1).host, "db1");
}
END_TEST

START_TEST(test_fake_exec_without_a_rule_fails_in_a_strict_script)
{
	fake_script_be_strict(script);
	ck_assert(open_host(&db1));
	ck_assert(remote_exec(remote, &list, &reply, &e));
	ck_assert_int_eq(reply.exit_status, 127);
}
END_TEST

START_TEST(test_fake_exec_newest_matching_rule_answers_until_used_up)
{
	fake_script_add(script, &(struct fake_rule){ .command = "nft", .out = "old" });
	fake_script_add(
		script,
		&(struct fake_rule){ .host = "db1", .command = "list", .out = "new", .times = 1 });
	ck_assert(open_host(&db1));
	ck_assert(remote_exec(remote, &list, &reply, &e));
	ck_assert_str_eq(text_str(&reply.out), "new");
	reply_release(&reply);
	ck_assert(remote_exec(remote, &list, &reply, &e));
	ck_assert_str_eq(text_str(&reply.out), "old");
}
END_TEST

START_TEST(test_fake_exec_rule_for_another_host_does_not_answer)
{
	fake_script_add(script, &(struct fake_rule){ .host = "db2", .exit_status = 3 });
	ck_assert(open_host(&db1));
	ck_assert(remote_exec(remote, &list, &reply, &e));
	ck_assert_int_eq(reply.exit_status, 0);
}
END_TEST

START_TEST(test_fake_exec_delay_moves_the_clock)
{
	fake_script_add(script, &(struct fake_rule){ .delay_ns = 40 * NS_PER_MS });
	ck_assert(open_host(&db1));
	ck_assert(remote_exec(remote, &list, &reply, &e));
	ck_assert_int_eq(reply.done_ns - reply.sent_ns, 40 * NS_PER_MS);
}
END_TEST

START_TEST(test_fake_exec_delay_beyond_timeout_is_deadline_and_the_remote_is_dead)
{
	fake_script_add(script, &(struct fake_rule){ .delay_ns = 3600 * NS_PER_S, .times = 1 });
	ck_assert(open_host(&db1));

	const int64_t start_ns = sim_clock_now_ns(sim);

	ck_assert(!remote_exec(remote, &list, &reply, &e));
	ck_assert_int_eq(e.kind, ERR_DEADLINE);
	ck_assert_int_eq(sim_clock_now_ns(sim) - start_ns, list.timeout_ns);
	ck_assert(!remote_is_alive(remote, &e));
	ck_assert(!remote_exec(remote, &list, &reply, &e));
	ck_assert_uint_eq(fake_script_call_count(script), 2);
}
END_TEST

START_TEST(test_fake_open_unreachable_host_is_remote_error)
{
	fake_script_add(script, &(struct fake_rule){ .host = "db2",
						     .command = FAKE_OPEN,
						     .end = FAKE_UNREACHABLE });
	ck_assert(!open_host(&db2));
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	ck_assert_ptr_null(remote);
	ck_assert(open_host(&db1));
}
END_TEST

static void count_call(void *ctx, const struct fake_call *call, struct reply *filled)
{
	int *count = ctx;

	(*count)++;
	text_addf(&filled->out, "%d %s", *count, call->host);
}

START_TEST(test_fake_exec_lost_before_has_no_effect_lost_after_has)
{
	int effect_count = 0;

	fake_script_add(script, &(struct fake_rule){ .act = count_call, .ctx = &effect_count });
	fake_script_fail_at(script, 1, FAKE_LOST_BEFORE, false);
	ck_assert(open_host(&db1));
	ck_assert(!remote_exec(remote, &list, &reply, &e));
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	ck_assert_int_eq(effect_count, 0);

	remote_close(remote);
	fake_script_fail_at(script, 3, FAKE_LOST_AFTER, false);
	ck_assert(open_host(&db1));
	ck_assert(!remote_exec(remote, &list, &reply, &e));
	ck_assert_int_eq(effect_count, 1);
}
END_TEST

START_TEST(test_fake_fail_at_lasting_fails_everything_after)
{
	fake_script_fail_at(script, 1, FAKE_UNREACHABLE, true);
	ck_assert(open_host(&db1));
	ck_assert(!remote_exec(remote, &list, &reply, &e));
	remote_close(remote);
	remote = NULL;
	ck_assert(!open_host(&db1));
	ck_assert(!open_host(&db2));
}
END_TEST

START_TEST(test_fake_fail_at_crash_kills_the_process)
{
	const pid_t pid = fork();
	int status = 0;

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		fake_script_fail_at(script, 0, FAKE_CRASH_BEFORE, false);
		(void)open_host(&db1);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}
END_TEST

START_TEST(test_fake_find_tells_the_order_of_calls)
{
	ck_assert(open_host(&db1));
	ck_assert(remote_exec(remote, &list, &reply, &e));
	ck_assert_uint_eq(fake_script_find(script, 0, "db1", "list"), 1);
	ck_assert_uint_eq(fake_script_find(script, 2, "db1", "list"), SIZE_MAX);
	ck_assert_uint_eq(fake_script_count(script, NULL, "tables"), 1);
	ck_assert_uint_eq(fake_script_count(script, "db2", "tables"), 0);
}
END_TEST

START_TEST(test_remote_run_exit_status_becomes_the_last_line_of_stderr)
{
	fake_script_add(script, &(struct fake_rule){ .exit_status = 2,
						     .err = "warning\nno such table\n\n" });
	ck_assert(open_host(&db1));
	ck_assert(!remote_run(remote, &list, &reply, &e));
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	ck_assert_str_eq(e.text, "run `nft` on db1: exit status 2: no such table");
	ck_assert_ptr_null(reply.out.owned_bytes);
}
END_TEST

START_TEST(test_remote_run_signal_is_named)
{
	fake_script_add(script, &(struct fake_rule){ .signal_name = "KILL" });
	ck_assert(open_host(&db1));
	ck_assert(!remote_run(remote, &list, &reply, &e));
	ck_assert_str_eq(e.text, "run `nft` on db1: ended by SIGKILL: it said nothing");
}
END_TEST

START_TEST(test_sim_clock_sleep_is_a_jump_for_one)
{
	const int64_t start_ns = clock_now_ns(&sim_as_clock);

	clock_sleep_until_ns(&sim_as_clock, start_ns + 3600 * NS_PER_S);
	ck_assert_int_eq(clock_now_ns(&sim_as_clock), start_ns + 3600 * NS_PER_S);
	clock_sleep_until_ns(&sim_as_clock, start_ns); /* the past: at once */
	sim_clock_advance(sim, NS_PER_S);
	ck_assert_int_eq(clock_now_ns(&sim_as_clock), start_ns + 3601 * NS_PER_S);
	ck_assert_uint_eq(sim_clock_sleep_count(sim), 2);
}
END_TEST

enum { SLEEPER_WAKES = 100 };

struct sleeper {
	int64_t every_ns;
	int64_t late_ns; /* the worst */
};

static void *sleeper_main(void *ctx)
{
	struct sleeper *sleeper = ctx;
	const int64_t start_ns = 1000 * NS_PER_S;

	for (int k = 1; k <= SLEEPER_WAKES; k++) {
		const int64_t due_ns = start_ns + k * sleeper->every_ns;

		clock_sleep_until_ns(&sim_as_clock, due_ns);

		const int64_t late_ns = clock_now_ns(&sim_as_clock) - due_ns;

		if (late_ns > sleeper->late_ns)
			sleeper->late_ns = late_ns;
	}
	sim_clock_leave(sim);
	return NULL;
}

START_TEST(test_sim_clock_no_participant_is_ever_late)
{
	struct sleeper sleepers[3] = { { .every_ns = 7 },
				       { .every_ns = 10 },
				       { .every_ns = 1000 } };
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		sim_clock_join(sim);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, sleeper_main, &sleepers[i]), 0);
	sim_clock_leave(sim); /* this thread waits for the others now */
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_int_eq(sleepers[i].late_ns, 0);
	}
	sim_clock_join(sim);
}
END_TEST

void suite_remote_fake(Suite *suite)
{
	TCase *tcase = tcase_create("remote_fake");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_fake_exec_without_a_rule_succeeds_and_is_recorded);
	tcase_add_test(tcase, test_fake_exec_without_a_rule_fails_in_a_strict_script);
	tcase_add_test(tcase, test_fake_exec_newest_matching_rule_answers_until_used_up);
	tcase_add_test(tcase, test_fake_exec_rule_for_another_host_does_not_answer);
	tcase_add_test(tcase, test_fake_exec_delay_moves_the_clock);
	tcase_add_test(tcase,
		       test_fake_exec_delay_beyond_timeout_is_deadline_and_the_remote_is_dead);
	tcase_add_test(tcase, test_fake_open_unreachable_host_is_remote_error);
	tcase_add_test(tcase, test_fake_exec_lost_before_has_no_effect_lost_after_has);
	tcase_add_test(tcase, test_fake_fail_at_lasting_fails_everything_after);
	tcase_add_test(tcase, test_fake_fail_at_crash_kills_the_process);
	tcase_add_test(tcase, test_fake_find_tells_the_order_of_calls);
	tcase_add_test(tcase, test_remote_run_exit_status_becomes_the_last_line_of_stderr);
	tcase_add_test(tcase, test_remote_run_signal_is_named);
	tcase_add_test(tcase, test_sim_clock_sleep_is_a_jump_for_one);
	tcase_add_test(tcase, test_sim_clock_no_participant_is_ever_late);
	suite_add_tcase(suite, tcase);
}
