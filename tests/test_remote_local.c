/*
 * test_remote_local.c - quoting against a real shell, and commands on this machine.
 */
#include "base/limits.h"
#include "base/random.h"
#include "fixtures/temp_dir.h"
#include "remote/ways.h"
#include "tests/suites.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct host here = { .name = "here", .is_local = true };

static struct clock real;
static struct remote *remote;
static struct reply reply;
static struct err e;

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

static void setup(void)
{
	real = clock_system();
	reply = (struct reply){ 0 };
	ck_assert(local_open(&here, &real, &remote, &e));
}

static void teardown(void)
{
	reply_release(&reply);
	remote_close(remote);
}

static int open_fd_count(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

START_TEST(test_quote_argv_leaves_plain_words_readable)
{
	const char *const argv[] = { "/usr/sbin/nft", "list", "table", "inet", "fd-1", NULL };
	struct text line = { 0 };

	quote_argv(argv, &line);
	ck_assert_str_eq(text_str(&line), "/usr/sbin/nft list table inet fd-1");
	text_release(&line);
}
END_TEST

/* Words that a careless quoting gets wrong. */
static const char *const nasty_words[] = {
	"",
	" ",
	"'",
	"''",
	"'\\''",
	"\"",
	"\\",
	"\\\\",
	"$HOME",
	"${HOME}",
	"$(id)",
	"`id`",
	"a b",
	"a\nb",
	"\n",
	"\r\n",
	"\t",
	"*",
	"?",
	"[a-z]",
	"~",
	"~root",
	"!",
	"!!",
	"#",
	"a#b",
	"&",
	"|",
	";",
	"<",
	">",
	"(",
	")",
	"{a,b}",
	"-n",
	"--",
	"-",
	"=",
	"A=b",
	"if",
	"done",
	"time",
	"%s%n",
	"\\n",
	"\x01\x02\x1b[31m\x7f",
	"\x80\x81\x82\x83\x84\x88\xff",
	"gr\xc3\xbc\xc3\x9f",
	"\xf0\x9f\x94\xa5",
	"a'b\"c$d`e\\f",
};
enum { NASTY_COUNT = sizeof nasty_words / sizeof nasty_words[0] };

/* printf prints each word followed by a mark that is in no word; the shell is given text alone. */
static void check_shell_sees(const char *shell, const char *const *words)
{
	const char *argv[64] = { "printf", "%s\\037", NULL };
	struct text line = { 0 };
	struct text expected = { 0 };
	size_t i;

	for (i = 0; words[i] != NULL; i++) {
		ck_assert_uint_lt(i + 3, 64);
		argv[i + 2] = words[i];
		text_addf(&expected, "%s\037", words[i]);
	}
	argv[i + 2] = NULL;
	quote_argv(argv, &line);

	const char *const shell_argv[] = { shell, "-c", text_str(&line), NULL };

	ck_assert_msg(run(shell_argv, NULL, 10 * NS_PER_S), "%s", e.text);
	ck_assert_int_eq(reply.exit_status, 0);
	ck_assert_uint_eq(reply.out.length_bytes, expected.length_bytes);
	ck_assert_mem_eq(text_str(&reply.out), text_str(&expected), expected.length_bytes);
	text_release(&line);
	text_release(&expected);
}

START_TEST(test_quote_argv_nasty_words_arrive_as_they_are)
{
	const char *words[NASTY_COUNT + 1] = { 0 };

	memcpy(words, nasty_words, sizeof nasty_words);
	check_shell_sees("/bin/sh", words);
	check_shell_sees("bash", words);
}
END_TEST

START_TEST(test_quote_argv_random_words_arrive_as_they_are)
{
	struct random random = random_from_seed(20261121);
	const char alphabet[] = "'\"\\$`!*?~#&|;<>(){}[]=-% \t\n\rab\x01\x7f\x80\x81\xc3\xbc\xff";

	for (int round = 0; round < 40; round++) {
		char bytes[16][24];
		const char *words[17] = { 0 };

		for (size_t i = 0; i < 16; i++) {
			const size_t length = (size_t)random_below(&random, 23);

			for (size_t k = 0; k < length; k++)
				bytes[i][k] = alphabet[random_below(&random, sizeof alphabet - 1)];
			bytes[i][length] = '\0';
			words[i] = bytes[i];
		}
		check_shell_sees("/bin/sh", words);
	}
}
END_TEST

START_TEST(test_quote_argv_first_word_is_always_a_command)
{
	static const char *const firsts[] = { "if", "A=b", "time", "!", "{", "-x", "#x", "~" };

	for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
		const char *const argv[] = { firsts[i], "x", NULL };
		struct text line = { 0 };

		/* A function of that name cannot exist, so a shell that took it for a word of its
		   own would not answer "not found". */
		quote_argv(argv, &line);
		ck_assert(run_sh(text_str(&line)));
		ck_assert_msg(reply.exit_status == 127, "%s: %d", text_str(&line),
			      reply.exit_status);
		text_release(&line);
	}
}
END_TEST

START_TEST(test_local_exec_returns_status_out_and_err)
{
	ck_assert(run_sh("echo out; echo err >&2; exit 7"));
	ck_assert_int_eq(reply.exit_status, 7);
	ck_assert_str_eq(text_str(&reply.out), "out\n");
	ck_assert_str_eq(text_str(&reply.err), "err\n");
	ck_assert_ptr_null(reply.signal_name);
	ck_assert(!reply.is_cut);
	ck_assert_int_le(reply.sent_ns, reply.done_ns);
}
END_TEST

START_TEST(test_local_exec_names_the_signal_that_ended_it)
{
	ck_assert(run_sh("kill -TERM $$"));
	ck_assert_int_eq(reply.exit_status, -1);
	ck_assert_str_eq(reply.signal_name, "TERM");
}
END_TEST

START_TEST(test_local_exec_passes_input_and_ends_it)
{
	const char *const argv[] = { "cat", NULL };
	struct text input = { 0 };

	for (int i = 0; i < 20000; i++)
		text_add(&input, "0123456789");
	ck_assert(run(argv, text_str(&input), 10 * NS_PER_S));
	ck_assert_str_eq(text_str(&reply.out), text_str(&input));
	text_release(&input);

	ck_assert(run(argv, NULL, 10 * NS_PER_S)); /* no input: at its end at once */
	ck_assert_uint_eq(reply.out.length_bytes, 0);
}
END_TEST

START_TEST(test_local_exec_unread_input_harms_nobody)
{
	struct text input = { 0 };
	const char *const argv[] = { "true", NULL };

	for (int i = 0; i < 20000; i++)
		text_add(&input, "0123456789");
	ck_assert(run(argv, text_str(&input), 10 * NS_PER_S));
	ck_assert_int_eq(reply.exit_status, 0);
	text_release(&input);
}
END_TEST

START_TEST(test_local_exec_cuts_output_at_the_limit)
{
	ck_assert(run_sh("head -c 2097152 /dev/zero | tr '\\0' x; echo done >&2"));
	ck_assert(reply.is_cut);
	ck_assert_uint_eq(reply.out.length_bytes, LIMIT_COMMAND_OUTPUT_BYTES);
	ck_assert_str_eq(text_str(&reply.err), "done\n");
	ck_assert_int_eq(reply.exit_status, 0);
}
END_TEST

START_TEST(test_local_exec_keeps_nul_bytes_of_the_output)
{
	ck_assert(run_sh("printf 'a\\0b'"));
	ck_assert_uint_eq(reply.out.length_bytes, 3);
	ck_assert_mem_eq(reply.out.owned_bytes, "a\0b", 3);
}
END_TEST

static bool is_gone(pid_t pid)
{
	const struct clock clock = clock_system();

	for (int i = 0; i < 200; i++) {
		if (kill(pid, 0) == -1 && errno == ESRCH)
			return true;
		clock_sleep_until_ns(&clock, clock_now_ns(&clock) + 10 * NS_PER_MS);
	}
	return false;
}

START_TEST(test_local_exec_deadline_kills_the_whole_group)
{
	char dir[64];
	struct text line = { 0 };
	int pid = 0;

	temp_dir_name(dir, sizeof dir);
	text_addf(&line, "exec sh -c 'sleep 60 & echo $! > %s/pid; wait'", dir);

	const char *const argv[] = { "sh", "-c", text_str(&line), NULL };
	const int64_t start_ns = clock_now_ns(&real);

	ck_assert(!run(argv, NULL, 300 * NS_PER_MS));
	ck_assert_int_eq(e.kind, ERR_DEADLINE);
	ck_assert_int_lt(clock_now_ns(&real) - start_ns, 5 * NS_PER_S);

	text_clear(&line);
	text_addf(&line, "%s/pid", dir);

	FILE *file = fopen(text_str(&line), "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
	(void)fclose(file);
	ck_assert(is_gone(pid));
	(void)unlink(text_str(&line));
	(void)rmdir(dir);
	text_release(&line);

	ck_assert(run_sh("exit 0")); /* this machine is never lost */
	ck_assert(remote_is_alive(remote, &e));
}
END_TEST

START_TEST(test_local_exec_background_child_holding_stdout_does_not_delay)
{
	const int64_t start_ns = clock_now_ns(&real);
	int pid = 0;

	ck_assert(run_sh("sleep 60 & echo $!; exit 3"));
	ck_assert_int_eq(reply.exit_status, 3);
	ck_assert_int_lt(clock_now_ns(&real) - start_ns, 5 * NS_PER_S);
	ck_assert_int_eq(sscanf(text_str(&reply.out), "%d", &pid), 1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0); /* it lives on, as a guard must */
}
END_TEST

START_TEST(test_local_exec_unknown_program_is_status_127)
{
	const char *const argv[] = { "firedrill-no-such-program", NULL };

	ck_assert(run(argv, NULL, NS_PER_S));
	ck_assert_int_eq(reply.exit_status, 127);
	ck_assert_ptr_nonnull(strstr(text_str(&reply.err), "firedrill-no-such-program"));
}
END_TEST

START_TEST(test_local_exec_file_that_is_no_program_is_status_126)
{
	const char *const argv[] = { "/etc/passwd", NULL };

	ck_assert(run(argv, NULL, NS_PER_S));
	ck_assert_int_eq(reply.exit_status, 126);
}
END_TEST

START_TEST(test_local_exec_too_long_argument_is_our_limit)
{
	struct text word = { 0 };

	for (int i = 0; i < 40000; i++)
		text_add(&word, "0123456789");

	const char *const argv[] = { "true", text_str(&word), NULL };

	ck_assert(!run(argv, NULL, NS_PER_S));
	ck_assert_int_eq(e.kind, ERR_LIMIT);
	text_release(&word);
}
END_TEST

START_TEST(test_local_exec_gives_back_every_descriptor_and_child)
{
	ck_assert(run_sh("exit 0"));

	const int before = open_fd_count();

	for (int i = 0; i < 5; i++) {
		const char *const slow_argv[] = { "sleep", "60", NULL };
		const char *const unknown_argv[] = { "firedrill-no-such-program", NULL };

		ck_assert(run_sh("echo x; kill -KILL $$"));
		ck_assert(!run(slow_argv, NULL, 20 * NS_PER_MS));
		ck_assert(run(unknown_argv, NULL, NS_PER_S));
	}
	ck_assert_int_eq(open_fd_count(), before);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

/* A command that stays, such as a guard, must not hold what we hold: a lock goes with us. */
START_TEST(test_local_exec_does_not_inherit_our_descriptors)
{
	const int fd = open("/dev/null", O_RDONLY);

	ck_assert_int_gt(fd, 2);
	ck_assert_int_eq(fcntl(fd, F_DUPFD, 100), 100);
	ck_assert(run_sh("for fd in /proc/self/fd/*; do case ${fd##*/} in 0|1|2) ;; "
			 "*) readlink \"$fd\" ;; esac; done | grep -c /dev/null"));
	ck_assert_str_eq(text_str(&reply.out), "0\n");
	close(100);
	close(fd);
}
END_TEST

START_TEST(test_local_exec_does_not_inherit_our_signal_settings)
{
	unsigned long long blocked = 0;
	unsigned long long ignored = 0;
	sigset_t all;
	sigset_t old;

	(void)sigfillset(&all);
	ck_assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &all, &old), 0);

	const bool is_ok = run_sh("grep -E '^Sig(Blk|Ign)' /proc/self/status");

	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &old, NULL), 0);
	ck_assert(is_ok);
	ck_assert_int_eq(
		sscanf(text_str(&reply.out), "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
	ck_assert_uint_eq(blocked, 0);
	ck_assert_uint_eq(ignored & 1ULL << (SIGPIPE - 1), 0);
}
END_TEST

void suite_remote_local(Suite *suite)
{
	TCase *tcase = tcase_create("remote_local");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_quote_argv_leaves_plain_words_readable);
	tcase_add_test(tcase, test_quote_argv_nasty_words_arrive_as_they_are);
	tcase_add_test(tcase, test_quote_argv_random_words_arrive_as_they_are);
	tcase_add_test(tcase, test_quote_argv_first_word_is_always_a_command);
	tcase_add_test(tcase, test_local_exec_returns_status_out_and_err);
	tcase_add_test(tcase, test_local_exec_names_the_signal_that_ended_it);
	tcase_add_test(tcase, test_local_exec_passes_input_and_ends_it);
	tcase_add_test(tcase, test_local_exec_unread_input_harms_nobody);
	tcase_add_test(tcase, test_local_exec_cuts_output_at_the_limit);
	tcase_add_test(tcase, test_local_exec_keeps_nul_bytes_of_the_output);
	tcase_add_test(tcase, test_local_exec_deadline_kills_the_whole_group);
	tcase_add_test(tcase, test_local_exec_background_child_holding_stdout_does_not_delay);
	tcase_add_test(tcase, test_local_exec_unknown_program_is_status_127);
	tcase_add_test(tcase, test_local_exec_file_that_is_no_program_is_status_126);
	tcase_add_test(tcase, test_local_exec_too_long_argument_is_our_limit);
	tcase_add_test(tcase, test_local_exec_gives_back_every_descriptor_and_child);
	tcase_add_test(tcase, test_local_exec_does_not_inherit_our_descriptors);
	tcase_add_test(tcase, test_local_exec_does_not_inherit_our_signal_settings);
	suite_add_tcase(suite, tcase);
}
