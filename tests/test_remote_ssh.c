/*
 * test_remote_ssh.c - commands over SSH against a real sshd: ends, deadlines, losses, one hop.
 */
#include "base/limits.h"
#include "fixtures/ssh_server.h"
#include "remote/ways.h"
#include "tests/suites.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ssh_server server;
static struct ssh_server jump;
static bool is_ready;

static struct clock real;
static struct remote *remote;
static struct reply reply;
static struct err e;

static void start_servers(void)
{
	struct text why = { 0 };

	is_ready = ssh_server_start(&server, "sshd1", "", &why) &&
		   ssh_server_start(&jump, "jump1", "", &why);
	if (!is_ready)
		(void)printf("remote_ssh: skipped: %s\n", text_str(&why));
	text_release(&why);
}

static void stop_servers(void)
{
	ssh_server_stop(&server);
	ssh_server_stop(&jump);
}

static bool open_host(const struct host *host)
{
	const struct remote_opener opener = remote_opener_real();

	return opener.open(opener.ctx, host, &real, 10 * NS_PER_S, &remote, &e);
}

static void setup(void)
{
	real = clock_system();
	remote = NULL;
	reply = (struct reply){ 0 };
	err_clear(&e);
	(void)unsetenv("SSH_AUTH_SOCK");
	(void)setenv("HOME", server.dir, 1);
	if (is_ready)
		ck_assert_msg(open_host(&server.host), "%s", e.text);
}

static void teardown(void)
{
	reply_release(&reply);
	remote_close(remote);
}

static bool run(const char *const *argv, const char *input, int64_t timeout_ns)
{
	const struct command command = { .argv = argv, .input = input, .timeout_ns = timeout_ns };

	reply_release(&reply);
	return remote_exec(remote, &command, &reply, &e);
}

static bool run_sh(const char *line)
{
	const char *const argv[] = { "sh", "-c", line, NULL };

	return run(argv, NULL, 10 * NS_PER_S);
}

static bool is_gone(int pid)
{
	for (int i = 0; i < 300; i++) {
		if (kill(pid, 0) == -1 && errno == ESRCH)
			return true;
		clock_sleep_until_ns(&real, clock_now_ns(&real) + 10 * NS_PER_MS);
	}
	return false;
}

#define NEEDS_SSHD()                                                                               \
	if (!is_ready)                                                                             \
	return

START_TEST(test_ssh_exec_returns_status_out_and_err)
{
	NEEDS_SSHD();
	ck_assert_msg(run_sh("echo out; echo err >&2; exit 7"), "%s", e.text);
	ck_assert_int_eq(reply.exit_status, 7);
	ck_assert_str_eq(text_str(&reply.out), "out\n");
	ck_assert_str_eq(text_str(&reply.err), "err\n");
	ck_assert_ptr_null(reply.signal_name);
	ck_assert_int_gt(reply.done_ns, reply.sent_ns);

	ck_assert(run_sh("exit 0")); /* the same session, warm */
	ck_assert_int_eq(reply.exit_status, 0);
	ck_assert(run_sh("exit 255"));
	ck_assert_int_eq(reply.exit_status, 255);
}
END_TEST

START_TEST(test_ssh_exec_names_the_signal_that_ended_it)
{
	const char *const argv[] = { "sh", "-c", "kill -KILL $$", NULL };

	NEEDS_SSHD();
	/* exec: otherwise the login shell lives and turns it into 137. */
	ck_assert(run(argv, NULL, 10 * NS_PER_S));
	ck_assert_int_eq(reply.exit_status, -1);
	ck_assert_str_eq(reply.signal_name, "KILL");
	ck_assert(run_sh("kill -TERM $$"));
	ck_assert_str_eq(reply.signal_name, "TERM");
}
END_TEST

START_TEST(test_ssh_exec_words_arrive_as_they_are)
{
	const char *const argv[] = { "printf",	 "%s|",	 "a b",	 "",   "'",
				     "$HOME",	 "`id`", "x\ny", "-n", "gr\xc3\xbc\xc3\x9f",
				     "\x01\x7f", NULL };

	NEEDS_SSHD();
	ck_assert(run(argv, NULL, 10 * NS_PER_S));
	ck_assert_str_eq(text_str(&reply.out),
			 "a b||'|$HOME|`id`|x\ny|-n|gr\xc3\xbc\xc3\x9f|\x01\x7f|");
}
END_TEST

START_TEST(test_ssh_exec_passes_input_and_ends_it)
{
	const char *const argv[] = { "cat", NULL };
	struct text input = { 0 };

	NEEDS_SSHD();
	for (int i = 0; i < 100000; i++)
		text_add(&input, "0123456789");
	ck_assert_msg(run(argv, text_str(&input), 20 * NS_PER_S), "%s", e.text);
	ck_assert_uint_eq(reply.out.length_bytes, input.length_bytes);
	ck_assert_mem_eq(text_str(&reply.out), text_str(&input), input.length_bytes);
	text_release(&input);

	ck_assert(run(argv, NULL, 10 * NS_PER_S));
	ck_assert_uint_eq(reply.out.length_bytes, 0);
}
END_TEST

START_TEST(test_ssh_exec_unread_input_harms_nobody)
{
	struct text input = { 0 };
	const char *const argv[] = { "true", NULL };

	NEEDS_SSHD();
	for (int i = 0; i < 400000; i++)
		text_add(&input, "0123456789");
	ck_assert_msg(run(argv, text_str(&input), 20 * NS_PER_S), "%s", e.text);
	ck_assert_int_eq(reply.exit_status, 0);
	text_release(&input);
	ck_assert(run_sh("exit 4"));
	ck_assert_int_eq(reply.exit_status, 4);
}
END_TEST

static const char two_mebibytes[] = "head -c 2097152 /dev/zero | tr '\\0' x; echo done >&2; exit 5";

static void check_two_mebibytes(void)
{
	ck_assert_msg(run_sh(two_mebibytes), "%s", e.text);
	ck_assert(reply.is_cut);
	ck_assert_uint_eq(reply.out.length_bytes, LIMIT_COMMAND_OUTPUT_BYTES);
	ck_assert_str_eq(text_str(&reply.err), "done\n");
	ck_assert_int_eq(reply.exit_status, 5);
}

START_TEST(test_ssh_exec_cuts_output_at_the_limit)
{
	NEEDS_SSHD();
	check_two_mebibytes();
	ck_assert(run_sh("exit 0"));
	ck_assert(!reply.is_cut);
}
END_TEST

START_TEST(test_ssh_exec_all_output_before_the_end_is_kept)
{
	NEEDS_SSHD();
	for (int i = 0; i < 4; i++) {
		ck_assert(run_sh("head -c 300000 /dev/zero | tr '\\0' x; echo end"));
		ck_assert_uint_eq(reply.out.length_bytes, 300004);
	}
}
END_TEST

START_TEST(test_ssh_exec_deadline_ends_the_session)
{
	int pid = 0;

	NEEDS_SSHD();

	struct text line = { 0 };

	text_addf(&line, "echo $$ > %s/late.pid; exec sleep 60", server.dir);

	const char *const argv[] = { "sh", "-c", text_str(&line), NULL };
	const int64_t start_ns = clock_now_ns(&real);

	ck_assert(!run(argv, NULL, 700 * NS_PER_MS));
	ck_assert_int_eq(e.kind, ERR_DEADLINE);
	ck_assert_int_lt(clock_now_ns(&real) - start_ns, 3 * NS_PER_S);
	ck_assert(!run_sh("exit 0"));
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	ck_assert(!remote_is_alive(remote, &e));

	text_clear(&line);
	text_addf(&line, "%s/late.pid", server.dir);

	FILE *file = fopen(text_str(&line), "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
	(void)fclose(file);
	text_release(&line);
	if (getuid() != 0)
		ck_assert(is_gone(pid));
	else
		(void)kill(pid, SIGKILL); /* sshd passes no signals on in a session of root */
}
END_TEST

START_TEST(test_ssh_exec_background_child_holding_stdout_does_not_delay)
{
	int pid = 0;

	NEEDS_SSHD();

	const int64_t start_ns = clock_now_ns(&real);

	ck_assert(run_sh("sleep 60 & echo $!; exit 3"));
	ck_assert_int_eq(reply.exit_status, 3);
	ck_assert_int_lt(reply.done_ns - reply.sent_ns, 2 * NS_PER_S);
	ck_assert_int_lt(clock_now_ns(&real) - start_ns, 3 * NS_PER_S);
	ck_assert_int_eq(sscanf(text_str(&reply.out), "%d", &pid), 1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0); /* it lives on, as a guard must */
	ck_assert(run_sh("exit 0"));
}
END_TEST

START_TEST(test_ssh_exec_background_child_that_talks_does_not_delay)
{
	int pid = 0;

	NEEDS_SSHD();

	const int64_t start_ns = clock_now_ns(&real);

	ck_assert(run_sh("(while :; do echo x; sleep 0.05; done) & echo $! >&2; exit 3"));
	ck_assert_int_eq(reply.exit_status, 3);
	ck_assert_int_lt(clock_now_ns(&real) - start_ns, 6 * NS_PER_S);
	ck_assert_int_eq(sscanf(text_str(&reply.err), "%d", &pid), 1);
	(void)kill(pid, SIGKILL); /* its next line may have ended it */
}
END_TEST

START_TEST(test_ssh_exec_exit_status_after_end_of_output_is_seen_at_once)
{
	NEEDS_SSHD();
	ck_assert(run_sh("exec >&- 2>&-; sleep 0.2; exit 3"));
	ck_assert_int_eq(reply.exit_status, 3);
	ck_assert_int_lt(reply.done_ns - reply.sent_ns, 900 * NS_PER_MS);
}
END_TEST

START_TEST(test_ssh_exec_unknown_program_is_status_127)
{
	const char *const argv[] = { "firedrill-no-such-program", NULL };

	NEEDS_SSHD();
	ck_assert(run(argv, NULL, 10 * NS_PER_S));
	ck_assert_int_eq(reply.exit_status, 127);
}
END_TEST

struct killing {
	int after_ms;
	int number;
};

static void *kill_sessions(void *ctx)
{
	const struct killing *killing = ctx;

	clock_sleep_until_ns(&real, clock_now_ns(&real) + killing->after_ms * NS_PER_MS);
	ssh_server_signal_sessions(&server, killing->number);
	return NULL;
}

START_TEST(test_ssh_exec_sshd_killed_midway_is_noticed_within_seconds)
{
	struct killing killing = { .after_ms = 300, .number = SIGKILL };
	const char *const argv[] = { "sleep", "60", NULL };
	pthread_t thread;

	NEEDS_SSHD();

	const int64_t start_ns = clock_now_ns(&real);

	ck_assert_int_eq(pthread_create(&thread, NULL, kill_sessions, &killing), 0);
	ck_assert(!run(argv, NULL, 60 * NS_PER_S));
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	ck_assert_ptr_nonnull(strstr(e.text, "the session was lost"));
	ck_assert_int_lt(clock_now_ns(&real) - start_ns, 5 * NS_PER_S);

	/* SIGPIPE would end this test if it were not held back. */
	ck_assert(!run_sh("exit 0"));
	ck_assert(!remote_is_alive(remote, &e));
}
END_TEST

START_TEST(test_ssh_exec_on_a_session_that_died_while_idle_is_remote_error)
{
	NEEDS_SSHD();
	ssh_server_signal_sessions(&server, SIGKILL);
	ck_assert(!run_sh("exit 0"));
	ck_assert_int_eq(e.kind, ERR_REMOTE);
}
END_TEST

START_TEST(test_ssh_is_alive_answers_while_the_session_lives)
{
	NEEDS_SSHD();
	for (int i = 0; i < 20; i++) {
		const int64_t start_ns = clock_now_ns(&real);

		ck_assert_msg(remote_is_alive(remote, &e), "%s", e.text);
		ck_assert_int_lt(clock_now_ns(&real) - start_ns, NS_PER_S);
	}
	ck_assert(run_sh("exit 6"));
	ck_assert_int_eq(reply.exit_status, 6);
	ck_assert(remote_is_alive(remote, &e));
}
END_TEST

START_TEST(test_ssh_is_alive_killed_session_is_lost)
{
	NEEDS_SSHD();
	ssh_server_signal_sessions(&server, SIGKILL);
	ck_assert(!remote_is_alive(remote, &e));
	ck_assert_int_eq(e.kind, ERR_REMOTE);
}
END_TEST

START_TEST(test_ssh_is_alive_frozen_server_is_lost_after_a_second)
{
	NEEDS_SSHD();
	ssh_server_signal_sessions(&server, SIGSTOP);

	const int64_t start_ns = clock_now_ns(&real);
	const bool is_alive = remote_is_alive(remote, &e);
	const int64_t took_ns = clock_now_ns(&real) - start_ns;

	ssh_server_signal_sessions(&server, SIGKILL);
	ck_assert(!is_alive);
	ck_assert_int_lt(took_ns, 3 * NS_PER_S);
}
END_TEST

static int open_fd_count(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

START_TEST(test_ssh_close_gives_back_every_descriptor)
{
	NEEDS_SSHD();

	const int before = open_fd_count();
	struct host through = server.host;

	through.via = &jump.host;
	for (int i = 0; i < 2; i++) {
		remote_close(remote);
		remote = NULL;
		ck_assert_msg(open_host(i % 2 == 0 ? &server.host : &through), "%s", e.text);
		ck_assert(run_sh("exit 0"));
	}
	remote_close(remote);
	remote = NULL;
	ck_assert(open_host(&server.host));
	ck_assert_int_eq(open_fd_count(), before);
}
END_TEST

static void open_through_jump(struct host *through)
{
	remote_close(remote);
	remote = NULL;
	*through = server.host;
	through->via = &jump.host;
	ck_assert_msg(open_host(through), "%s", e.text);
}

START_TEST(test_ssh_via_runs_commands_through_the_jump_host)
{
	struct host through;

	NEEDS_SSHD();
	open_through_jump(&through);
	check_two_mebibytes();
	ck_assert(run_sh("kill -KILL $$"));
	ck_assert_str_eq(reply.signal_name, "KILL");
	ck_assert(remote_is_alive(remote, &e));

	ssh_server_signal_sessions(&jump, SIGKILL); /* nothing but the jump host is hit */

	const int64_t start_ns = clock_now_ns(&real);

	ck_assert(!run_sh("exit 0"));
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	ck_assert_int_lt(clock_now_ns(&real) - start_ns, 5 * NS_PER_S);
}
END_TEST

START_TEST(test_ssh_via_input_goes_through_the_jump_host)
{
	const char *const argv[] = { "wc", "-c", NULL };
	struct text input = { 0 };
	struct host through;

	NEEDS_SSHD();
	open_through_jump(&through);
	for (int i = 0; i < 300000; i++)
		text_add(&input, "0123456789");
	ck_assert_msg(run(argv, text_str(&input), 20 * NS_PER_S), "%s", e.text);
	ck_assert_str_eq(text_str(&reply.out), "3000000\n");
	text_release(&input);
}
END_TEST

START_TEST(test_ssh_via_deadline_holds_through_the_jump_host)
{
	const char *const argv[] = { "sleep", "60", NULL };
	struct host through;

	NEEDS_SSHD();
	open_through_jump(&through);

	const int64_t start_ns = clock_now_ns(&real);

	ck_assert(!run(argv, NULL, 500 * NS_PER_MS));
	ck_assert_int_eq(e.kind, ERR_DEADLINE);
	ck_assert_int_lt(clock_now_ns(&real) - start_ns, 3 * NS_PER_S);
}
END_TEST

START_TEST(test_ssh_via_target_that_refuses_names_the_jump_host)
{
	struct host through;
	struct host nowhere;

	NEEDS_SSHD();
	open_through_jump(&through);
	remote_close(remote);
	remote = NULL;
	nowhere = through;
	nowhere.port = 1;
	ck_assert(!open_host(&nowhere));
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	ck_assert_ptr_nonnull(strstr(e.text, "through jump1"));
}
END_TEST

START_TEST(test_ssh_via_two_hops_are_refused)
{
	struct host far;
	struct host near;

	NEEDS_SSHD();
	remote_close(remote);
	remote = NULL;
	near = jump.host;
	near.via = &server.host;
	far = server.host;
	far.via = &near;
	ck_assert(!open_host(&far));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.text, "one hop"));
}
END_TEST

void suite_remote_ssh(Suite *suite)
{
	TCase *tcase = tcase_create("remote_ssh");

	tcase_set_timeout(tcase, 60);
	tcase_add_unchecked_fixture(tcase, start_servers, stop_servers);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_ssh_exec_returns_status_out_and_err);
	tcase_add_test(tcase, test_ssh_exec_names_the_signal_that_ended_it);
	tcase_add_test(tcase, test_ssh_exec_words_arrive_as_they_are);
	tcase_add_test(tcase, test_ssh_exec_passes_input_and_ends_it);
	tcase_add_test(tcase, test_ssh_exec_unread_input_harms_nobody);
	tcase_add_test(tcase, test_ssh_exec_cuts_output_at_the_limit);
	tcase_add_test(tcase, test_ssh_exec_all_output_before_the_end_is_kept);
	tcase_add_test(tcase, test_ssh_exec_deadline_ends_the_session);
	tcase_add_test(tcase, test_ssh_exec_background_child_holding_stdout_does_not_delay);
	tcase_add_test(tcase, test_ssh_exec_background_child_that_talks_does_not_delay);
	tcase_add_test(tcase, test_ssh_exec_exit_status_after_end_of_output_is_seen_at_once);
	tcase_add_test(tcase, test_ssh_exec_unknown_program_is_status_127);
	tcase_add_test(tcase, test_ssh_exec_sshd_killed_midway_is_noticed_within_seconds);
	tcase_add_test(tcase, test_ssh_exec_on_a_session_that_died_while_idle_is_remote_error);
	tcase_add_test(tcase, test_ssh_is_alive_answers_while_the_session_lives);
	tcase_add_test(tcase, test_ssh_is_alive_killed_session_is_lost);
	tcase_add_test(tcase, test_ssh_is_alive_frozen_server_is_lost_after_a_second);
	tcase_add_test(tcase, test_ssh_close_gives_back_every_descriptor);
	tcase_add_test(tcase, test_ssh_via_runs_commands_through_the_jump_host);
	tcase_add_test(tcase, test_ssh_via_input_goes_through_the_jump_host);
	tcase_add_test(tcase, test_ssh_via_deadline_holds_through_the_jump_host);
	tcase_add_test(tcase, test_ssh_via_target_that_refuses_names_the_jump_host);
	tcase_add_test(tcase, test_ssh_via_two_hops_are_refused);
	suite_add_tcase(suite, tcase);
}
