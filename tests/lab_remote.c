/*
 * lab_remote.c - sessions to real hosts that lose their power: no FIN tells us, and still the loss
 * is noticed within seconds, also through a jump host.
 *
 * usage: build/plain/lab_remote, as root, in the top folder. Brings the lab "solo" up, runs itself
 * in the client's network, and takes the lab down again.
 */
#include "fixtures/run_tool.h"
#include "remote/remote.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEST_AT_MOST_S = 120 };

static const char lab_path[] = "fixtures/lab/lab";

/* Keepalives notice after five seconds, a session through a jump host by its silence after ten;
   the rest is for switching the power and for a busy machine. */
static const int64_t noticed_ns = 12 * NS_PER_S;
static const int64_t noticed_via_ns = 18 * NS_PER_S;

static const struct host app1 = {
	.name = "app1",
	.address = "198.18.77.31",
	.port = HOST_PORT_DEFAULT,
	.user = "root",
	.key_path = "/var/lib/fdlab/id",
	.known_hosts = "/var/lib/fdlab/known_hosts",
};

static struct host app2;
static struct clock real;
static struct remote *remote;
static struct err e;

static void lab_power(const char *host, const char *state)
{
	const char *const argv[] = { lab_path, "power", host, state, NULL };
	struct text output = { 0 };
	const int status = tool_run(argv, &output);

	ck_assert_msg(status == 0, "lab power %s %s: exit %d: %s", host, state, status,
		      text_str(&output));
	text_release(&output);
}

static bool open_within(const struct host *host, int64_t timeout_ns)
{
	const struct remote_opener opener = remote_opener_real();

	return opener.open(opener.ctx, host, &real, timeout_ns, &remote, &e);
}

static bool opens(const struct host *host)
{
	const int64_t until_ns = clock_now_ns(&real) + 30 * NS_PER_S;

	while (!open_within(host, 2 * NS_PER_S) && clock_now_ns(&real) < until_ns)
		clock_sleep_until_ns(&real, clock_now_ns(&real) + 100 * NS_PER_MS);
	return remote != NULL;
}

static void setup(void)
{
	real = clock_system();
	remote = NULL;
	err_clear(&e);
	app2 = app1;
	app2.name = "app2";
	app2.address = "198.18.77.32";
	lab_power("app1", "on");
	lab_power("app2", "on");
}

static void teardown(void)
{
	remote_close(remote);
}

static bool run_for(const char *program, const char *word, int64_t timeout_ns)
{
	const char *const argv[] = { program, word, NULL };
	const struct command command = { .argv = argv, .timeout_ns = timeout_ns };
	struct reply reply = { 0 };
	const bool is_ok = remote_exec(remote, &command, &reply, &e);

	reply_release(&reply);
	return is_ok;
}

/* A command hangs on the session while the host of that name loses its power. */
static void check_power_cut(const char *name, int64_t at_most_ns)
{
	const int64_t start_ns = clock_now_ns(&real);
	const pid_t switcher = fork();
	int status = 0;

	ck_assert_int_ne(switcher, -1);
	if (switcher == 0) {
		clock_sleep_until_ns(&real, start_ns + NS_PER_S);
		lab_power(name, "off");
		_exit(0);
	}

	const bool is_ok = run_for("sleep", "100", 100 * NS_PER_S);
	const int64_t took_ns = clock_now_ns(&real) - start_ns;

	ck_assert_int_eq(waitpid(switcher, &status, 0), switcher);
	ck_assert_int_eq(status, 0);
	ck_assert(!is_ok);
	ck_assert_msg(e.kind == ERR_REMOTE, "%d: %s", e.kind, e.text);
	(void)printf("%s off: noticed %.1f s after the switch: %s\n", name,
		     (double)(took_ns - NS_PER_S) / (double)NS_PER_S, e.text);
	ck_assert_int_lt(took_ns - NS_PER_S, at_most_ns);
	ck_assert(!remote_is_alive(remote, &e));
}

START_TEST(test_ssh_power_cut_during_a_command_is_noticed_within_seconds)
{
	ck_assert_msg(opens(&app1), "%s", e.text);
	check_power_cut("app1", noticed_ns);
}
END_TEST

START_TEST(test_ssh_power_cut_of_an_idle_host_is_noticed_by_is_alive)
{
	ck_assert_msg(opens(&app1), "%s", e.text);
	lab_power("app1", "off");

	const int64_t start_ns = clock_now_ns(&real);

	ck_assert(!remote_is_alive(remote, &e));
	ck_assert_int_lt(clock_now_ns(&real) - start_ns, 2 * NS_PER_S);
}
END_TEST

START_TEST(test_ssh_open_host_without_power_ends_in_time)
{
	lab_power("app1", "off");

	const int64_t start_ns = clock_now_ns(&real);

	ck_assert(!open_within(&app1, 2 * NS_PER_S));
	ck_assert(e.kind == ERR_DEADLINE || e.kind == ERR_REMOTE);
	ck_assert_int_lt(clock_now_ns(&real) - start_ns, 4 * NS_PER_S);
}
END_TEST

START_TEST(test_ssh_via_power_cut_of_the_jump_host_is_noticed)
{
	ck_assert_msg(opens(&app1), "%s", e.text);
	remote_close(remote);
	remote = NULL;
	app2.via = &app1;
	ck_assert_msg(opens(&app2), "%s", e.text);
	check_power_cut("app1", noticed_ns);
}
END_TEST

START_TEST(test_ssh_via_power_cut_of_the_target_is_noticed)
{
	ck_assert_msg(opens(&app1), "%s", e.text);
	remote_close(remote);
	remote = NULL;
	app2.via = &app1;
	ck_assert_msg(opens(&app2), "%s", e.text);
	check_power_cut("app2", noticed_via_ns);
}
END_TEST

static int run_tests(void)
{
	Suite *suite = suite_create("lab_remote");
	TCase *tcase = tcase_create("lab_remote");
	SRunner *runner = srunner_create(suite);
	int failed_count;

	tcase_set_timeout(tcase, TEST_AT_MOST_S);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_ssh_power_cut_during_a_command_is_noticed_within_seconds);
	tcase_add_test(tcase, test_ssh_power_cut_of_an_idle_host_is_noticed_by_is_alive);
	tcase_add_test(tcase, test_ssh_open_host_without_power_ends_in_time);
	tcase_add_test(tcase, test_ssh_via_power_cut_of_the_jump_host_is_noticed);
	tcase_add_test(tcase, test_ssh_via_power_cut_of_the_target_is_noticed);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed_count = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The lab is taken down whatever happens: the tools that run get the same signal and end. */
static void wait_for_the_children(int signal_number)
{
	(void)signal_number;
}

int main(int argc, char **argv)
{
	const char *const up[] = { lab_path, "up", "solo", NULL };
	const char *const down[] = { lab_path, "down", NULL };
	const char *const inside[] = { lab_path, "run", argv[0], "inside", NULL };
	struct text output = { 0 };
	int status;

	if (argc > 1 && strcmp(argv[1], "inside") == 0)
		return run_tests();
	if (geteuid() != 0) {
		(void)fprintf(stderr, "lab_remote: the lab needs root\n");
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
