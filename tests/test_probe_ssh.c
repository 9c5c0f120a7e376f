/*
 * test_probe_ssh.c - ssh.command, on this machine and through a real sshd on loopback.
 */
#include "fixtures/probe_try.h"
#include "fixtures/ssh_server.h"
#include "fixtures/tcp_server.h"
#include "tests/suites.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const int64_t quick_ns = 300 * NS_PER_MS;
static const int64_t plenty_ns = 10 * NS_PER_S;

static const struct host this_machine = { .name = "here", .is_local = true };
static struct ssh_server server;
static bool has_server;
static struct probe_try probe;

static void start_server(void)
{
	struct text why = { 0 };

	has_server = ssh_server_start(&server, "probe", "", &why);
	if (!has_server)
		(void)fprintf(stderr, "skipped: ssh.command through sshd: %s\n", text_str(&why));
	text_release(&why);
}

static void stop_server(void)
{
	ssh_server_stop(&server);
}

static void tear_down(void)
{
	if (has_server)
		ssh_server_signal_sessions(&server, SIGCONT);
	probe_try_release(&probe);
}

static void open_on(const struct host *host, const char *const *params)
{
	struct err e = { 0 };

	probe_try_init(&probe, "ssh.command", params);
	probe.spec.host = host;
	ck_assert_msg(probe_try_open(&probe, &e), "%s", e.text);
}

START_TEST(test_command_compares_status_and_output)
{
	static const struct {
		const char *params[9];
		const char *error; /* "": good */
	} rows[] = {
		{ { "run", "true" }, "" },
		{ { "run", "sh,-c,exit 3", "expect_status", "3" }, "" },
		{ { "run", "false" }, "command: exit status 1 where 0 was expected" },
		{ { "run", "echo, two words ", "expect", "two words" }, "" },
		{ { "run", "echo,no", "expect", "yes" },
		  "command: printed \"no\" where \"yes\" was expected" },
		{ { "run", "echo,leader: db1", "contains", "leader" }, "" },
		{ { "run", "echo,replica", "contains", "leader" },
		  "command: its output does not contain \"leader\"" },
		{ { "run", "sh,-c,kill -9 $$" }, "command: ended by SIGKILL" },
	};

	open_on(&this_machine, rows[_i].params);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state,
			 rows[_i].error[0] == '\0' ? SAMPLE_GOOD : SAMPLE_BAD);
	ck_assert_str_eq(probe.err.text, rows[_i].error);
}
END_TEST

START_TEST(test_command_that_hangs_ends_at_the_deadline)
{
	const char *const params[] = { "run", "sleep,60", NULL };
	const struct clock clock = clock_system();
	const int64_t start_ns = clock_now_ns(&clock);

	open_on(&this_machine, params);
	ck_assert_int_eq(probe_try_sample(&probe, 0, quick_ns).state, SAMPLE_BAD);
	ck_assert_int_eq(probe.err.kind, ERR_DEADLINE);
	ck_assert_int_lt(clock_now_ns(&probe.clock) - start_ns, 5 * NS_PER_S);
	ck_assert_int_eq(probe_try_sample(&probe, 0, -1).state, SAMPLE_BAD);
	ck_assert_int_eq(probe.err.kind, ERR_DEADLINE);
}
END_TEST

START_TEST(test_command_check_wants_words_and_no_shell_line)
{
	const char *const line[] = { "run", "systemctl is-active nginx", NULL };
	const char *const empty[] = { "run", "", NULL };
	struct err e = { 0 };

	probe_try_init(&probe, "ssh.command", line);
	ck_assert(!probe_try_open(&probe, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "list of words"));
	probe_try_release(&probe);
	probe_try_init(&probe, "ssh.command", empty);
	ck_assert(!probe_try_open(&probe, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "nothing to run"));
}
END_TEST

START_TEST(test_command_session_lost_between_attempts_is_opened_again)
{
	const char *const params[] = { "run", "echo,hello", "expect", "hello", NULL };

	if (!has_server)
		return;
	open_on(&server.host, params);
	ck_assert_msg(probe_try_sample(&probe, 0, plenty_ns).state == SAMPLE_GOOD, "%s",
		      probe.err.text);
	ssh_server_signal_sessions(&server, SIGKILL);
	ck_assert_msg(probe_try_sample(&probe, 1, plenty_ns).state == SAMPLE_GOOD, "%s",
		      probe.err.text);
}
END_TEST

START_TEST(test_command_frozen_session_is_bad_and_then_made_anew)
{
	const char *const params[] = { "run", "echo,hello", NULL };

	if (!has_server)
		return;
	open_on(&server.host, params);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_GOOD);
	ssh_server_signal_sessions(&server, SIGSTOP);
	ck_assert_int_eq(probe_try_sample(&probe, 1, quick_ns).state, SAMPLE_BAD);
	ck_assert_int_eq(probe.err.kind, ERR_DEADLINE);
	ck_assert_msg(probe_try_sample(&probe, 2, plenty_ns).state == SAMPLE_GOOD, "%s",
		      probe.err.text);
}
END_TEST

START_TEST(test_command_nobody_there_is_bad)
{
	const char *const params[] = { "run", "true", NULL };
	struct tcp_server *refuses = tcp_server_open(TCP_SERVER_REFUSES, NULL, 0);
	struct host gone = server.host;

	gone.name = "gone";
	gone.address = "127.0.0.1";
	gone.port = tcp_server_port(refuses);
	open_on(&gone, params);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_int_ne(probe.err.kind, ERR_LIMIT);
	tcp_server_close(refuses);
}
END_TEST

void suite_probe_ssh(Suite *suite)
{
	TCase *tests = tcase_create("ssh");

	tcase_add_unchecked_fixture(tests, start_server, stop_server);
	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_set_timeout(tests, 30);
	tcase_add_loop_test(tests, test_command_compares_status_and_output, 0, 8);
	tcase_add_test(tests, test_command_that_hangs_ends_at_the_deadline);
	tcase_add_test(tests, test_command_check_wants_words_and_no_shell_line);
	tcase_add_test(tests, test_command_session_lost_between_attempts_is_opened_again);
	tcase_add_test(tests, test_command_frozen_session_is_bad_and_then_made_anew);
	tcase_add_test(tests, test_command_nobody_there_is_bad);
	suite_add_tcase(suite, tests);
}
