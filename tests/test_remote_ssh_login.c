/*
 * test_remote_ssh_login.c - who we are, and the way there: keys, agents, deadlines, one hop. Every
 * refusal says what to do.
 */
#include "fixtures/ssh_case.h"
#include "tests/suites.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *known_line(const char *patterns)
{
	return ssh_case_format("%s %s\n", patterns, ssh_case.server.host_key);
}

START_TEST(test_ssh_auth_key_that_the_server_does_not_know_is_refused)
{
	NEEDS_SSHD();
	ssh_case.host.key_path = ssh_case_key("stranger", "ed25519", "");
	ssh_case_refused("no key was accepted", ssh_case.host.key_path);
	ck_assert_ptr_nonnull(strstr(ssh_case.e.text, "refused by the server"));
}
END_TEST

START_TEST(test_ssh_auth_encrypted_key_says_what_to_do)
{
	NEEDS_SSHD();
	ssh_case.host.key_path = ssh_case_key("locked", "ed25519", "open sesame");
	ssh_case_refused("is encrypted", "ssh-add");
	ck_assert_ptr_null(strstr(ssh_case.e.text, "sesame"));
}
END_TEST

START_TEST(test_ssh_auth_missing_key_file_is_named)
{
	NEEDS_SSHD();
	ssh_case.host.key_path = "~/no-such-key";
	ssh_case_refused("/no-such-key: No such file or directory", ssh_case.dir);
}
END_TEST

START_TEST(test_ssh_auth_file_that_is_no_key_is_named)
{
	NEEDS_SSHD();
	ssh_case.host.key_path = ssh_case_file("text", "hello\n");
	ssh_case_refused("is not a private key", ssh_case.host.key_path);
}
END_TEST

START_TEST(test_ssh_auth_no_key_at_all_is_refused)
{
	NEEDS_SSHD();
	ssh_case.host.key_path = NULL;
	ssh_case_refused("no key was accepted", "SSH_AUTH_SOCK is not set");
}
END_TEST

static void link_default_key(void)
{
	struct text path = { 0 };

	text_addf(&path, "%s/.ssh", ssh_case.dir);
	ck_assert_int_eq(mkdir(text_str(&path), 0700), 0);
	text_add(&path, "/id_ed25519");
	ck_assert_int_eq(symlink(ssh_case.server.key_path, text_str(&path)), 0);
	text_release(&path);
	ssh_case.host.key_path = NULL;
}

START_TEST(test_ssh_auth_default_key_below_home_is_tried)
{
	NEEDS_SSHD();
	link_default_key();
	ck_assert_msg(ssh_case_open(), "%s", ssh_case.e.text);
}
END_TEST

START_TEST(test_ssh_auth_unknown_user_is_refused)
{
	NEEDS_SSHD();
	ssh_case.host.user = "firedrill-no-such-user";
	ssh_case_refused("log in as firedrill-no-such-user", "refused by the server");
}
END_TEST

/* The socket's file is there before anybody listens on it. */
static bool agent_answers(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers;

	ck_assert_int_ge(fd, 0);
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
	answers = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
	(void)close(fd);
	return answers;
}

/* An agent of our own, gone with this test's process. */
static pid_t start_agent(const char *socket_path)
{
	const pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (freopen("/dev/null", "w", stdout) == NULL)
			_exit(127);
		execlp("ssh-agent", "ssh-agent", "-D", "-a", socket_path, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000 && !agent_answers(socket_path); i++)
		clock_sleep_until_ns(&ssh_case.real, clock_now_ns(&ssh_case.real) + 10 * NS_PER_MS);
	(void)setenv("SSH_AUTH_SOCK", socket_path, 1);
	return pid;
}

static void stop_agent(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

START_TEST(test_ssh_auth_key_in_the_agent_is_used)
{
	struct text socket_path = { 0 };
	const char *add_argv[] = { "ssh-add", "-q", ssh_case.server.key_path, NULL };

	NEEDS_SSHD();
	text_addf(&socket_path, "%s/agent", ssh_case.dir);

	const pid_t agent = start_agent(text_str(&socket_path));
	const bool is_added = ssh_server_run(add_argv, NULL);

	ssh_case.host.key_path = NULL;

	const bool is_open = is_added && ssh_case_open();

	stop_agent(agent);
	ck_assert(is_added);
	ck_assert_msg(is_open, "%s", ssh_case.e.text);
	text_release(&socket_path);
}
END_TEST

START_TEST(test_ssh_auth_encrypted_key_may_be_in_the_agent)
{
	struct text socket_path = { 0 };
	const char *add_argv[] = { "ssh-add", "-q", ssh_case.server.key_path, NULL };

	NEEDS_SSHD();
	text_addf(&socket_path, "%s/agent", ssh_case.dir);

	const pid_t agent = start_agent(text_str(&socket_path));
	const bool is_added = ssh_server_run(add_argv, NULL);

	ssh_case.host.key_path = ssh_case_key("locked", "ed25519", "open sesame");

	const bool is_open = is_added && ssh_case_open();

	stop_agent(agent);
	ck_assert_msg(is_open, "%s", ssh_case.e.text);
	text_release(&socket_path);
}
END_TEST

START_TEST(test_ssh_auth_agent_that_hangs_is_passed_over)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	NEEDS_SSHD();
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%.64s/agent", ssh_case.dir);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	(void)setenv("SSH_AUTH_SOCK", address.sun_path, 1);
	link_default_key();
	ck_assert_msg(ssh_case_open(), "%s", ssh_case.e.text);
	(void)close(fd);
}
END_TEST

/* ---- the way there ---- */

START_TEST(test_ssh_open_refused_connection_is_remote_error)
{
	ssh_case.host.address = "127.0.0.1";
	ssh_case.host.port = 1;
	ssh_case.host.name = "db1";
	ck_assert(!ssh_case_open());
	ck_assert_int_eq(ssh_case.e.kind, ERR_REMOTE);
	ck_assert_str_eq(ssh_case.e.text,
			 "open db1 (127.0.0.1 port 1): connect: Connection refused");
}
END_TEST

START_TEST(test_ssh_open_unknown_name_is_remote_error)
{
	ssh_case.host.address = "no-such-ssh_case.host.invalid";
	ssh_case.host.port = 22;
	ssh_case.host.name = "db1";
	ck_assert(!ssh_case_open());
	ck_assert_msg(ssh_case.e.kind == ERR_REMOTE || ssh_case.e.kind == ERR_DEADLINE, "%s",
		      ssh_case.e.text);
	ck_assert_ptr_nonnull(strstr(ssh_case.e.text, "look up no-such-ssh_case.host.invalid"));
}
END_TEST

START_TEST(test_ssh_open_by_name_works)
{
	struct text names = { 0 };

	NEEDS_SSHD();
	text_addf(&names, "[localhost]:%u", ssh_case.server.port);
	ssh_case.host.address = "localhost";
	ssh_case.host.known_hosts = ssh_case_file("known", known_line(text_str(&names)));
	ck_assert_msg(ssh_case_open(), "%s", ssh_case.e.text);
	text_release(&names);
}
END_TEST

/* Listens on a free port; connections are accepted by the kernel and never answered. */
static int listen_silently(uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t address_bytes = sizeof address;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &address_bytes), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

START_TEST(test_ssh_open_silent_server_is_deadline)
{
	const int fd = listen_silently(&ssh_case.host.port);

	ssh_case.host.address = "127.0.0.1";
	ssh_case.host.name = "db1";

	const int64_t start_ns = clock_now_ns(&ssh_case.real);

	ck_assert(!ssh_case_open_within(300 * NS_PER_MS));
	ck_assert_int_eq(ssh_case.e.kind, ERR_DEADLINE);
	ck_assert_int_lt(clock_now_ns(&ssh_case.real) - start_ns, 3 * NS_PER_S);
	(void)close(fd);
}
END_TEST

START_TEST(test_ssh_open_full_backlog_is_deadline)
{
	const int fd = listen_silently(&ssh_case.host.port);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(ssh_case.host.port) };
	int fillers[8];

	/* A listener whose queue is full drops the handshake, as a host that is off does. */
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 8; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(fillers[i], (const struct sockaddr *)&address, sizeof address);
	}
	ssh_case.host.address = "127.0.0.1";
	ssh_case.host.name = "db1";
	ck_assert(!ssh_case_open_within(300 * NS_PER_MS));
	ck_assert_int_eq(ssh_case.e.kind, ERR_DEADLINE);
	for (int i = 0; i < 8; i++)
		(void)close(fillers[i]);
	(void)close(fd);
}
END_TEST

START_TEST(test_ssh_open_server_that_is_no_ssh_is_remote_error)
{
	const int fd = listen_silently(&ssh_case.host.port);
	const pid_t pid = fork();

	if (pid == 0) {
		const int peer = accept(fd, NULL, NULL);

		(void)!write(peer, "HTTP/1.0 400 no\r\n\r\n", 19);
		(void)close(peer);
		_exit(0);
	}
	ssh_case.host.address = "127.0.0.1";
	ssh_case.host.name = "db1";
	ck_assert(!ssh_case_open());
	ck_assert_int_eq(ssh_case.e.kind, ERR_REMOTE);
	ck_assert_ptr_nonnull(strstr(ssh_case.e.text, "agree on keys"));
	(void)waitpid(pid, NULL, 0);
	(void)close(fd);
}
END_TEST

START_TEST(test_ssh_open_post_quantum_only_server_is_explained)
{
	static struct ssh_server modern;
	struct text why = { 0 };

	NEEDS_SSHD();

	const bool is_up = ssh_server_start(
		&modern, "modern", "KexAlgorithms sntrup761x25519-sha512@openssh.com", &why);

	ssh_case.host = modern.host;

	const bool is_open = is_up && ssh_case_open();

	ssh_server_stop(&modern);
	ck_assert_msg(is_up, "%s", text_str(&why));
	ck_assert(!is_open);
	ck_assert_int_eq(ssh_case.e.kind, ERR_REMOTE);
	ck_assert_ptr_nonnull(strstr(ssh_case.e.text, "add curve25519-sha256 to KexAlgorithms"));
	text_release(&why);
}
END_TEST

START_TEST(test_ssh_open_jump_host_without_forwarding_is_explained)
{
	static struct ssh_server closed;
	struct text why = { 0 };

	NEEDS_SSHD();

	const bool is_up = ssh_server_start(&closed, "closed", "AllowTcpForwarding no", &why);

	ssh_case.host.via = &closed.host;

	const bool is_open = is_up && ssh_case_open();

	ssh_server_stop(&closed);
	ck_assert_msg(is_up, "%s", text_str(&why));
	ck_assert(!is_open);
	ck_assert_int_eq(ssh_case.e.kind, ERR_REMOTE);
	ck_assert_ptr_nonnull(strstr(ssh_case.e.text, "AllowTcpForwarding"));
	text_release(&why);
}
END_TEST

START_TEST(test_ssh_open_jump_host_that_is_not_verified_is_refused)
{
	struct host jump_host;

	NEEDS_SSHD();
	jump_host = ssh_case.server.host;
	jump_host.name = "jump1";
	jump_host.known_hosts = ssh_case_file("empty", "");
	ssh_case.host.via = &jump_host;
	ssh_case_refused("open sshd1 through jump1: open jump1", "ssh-keyscan");
}
END_TEST

void suite_remote_ssh_login(Suite *suite)
{
	TCase *tcase = tcase_create("remote_ssh_login");

	tcase_set_timeout(tcase, 60);
	tcase_add_unchecked_fixture(tcase, ssh_case_start, ssh_case_stop);
	tcase_add_checked_fixture(tcase, ssh_case_setup, ssh_case_teardown);
	tcase_add_test(tcase, test_ssh_auth_key_that_the_server_does_not_know_is_refused);
	tcase_add_test(tcase, test_ssh_auth_encrypted_key_says_what_to_do);
	tcase_add_test(tcase, test_ssh_auth_missing_key_file_is_named);
	tcase_add_test(tcase, test_ssh_auth_file_that_is_no_key_is_named);
	tcase_add_test(tcase, test_ssh_auth_no_key_at_all_is_refused);
	tcase_add_test(tcase, test_ssh_auth_default_key_below_home_is_tried);
	tcase_add_test(tcase, test_ssh_auth_unknown_user_is_refused);
	tcase_add_test(tcase, test_ssh_auth_key_in_the_agent_is_used);
	tcase_add_test(tcase, test_ssh_auth_encrypted_key_may_be_in_the_agent);
	tcase_add_test(tcase, test_ssh_auth_agent_that_hangs_is_passed_over);
	tcase_add_test(tcase, test_ssh_open_refused_connection_is_remote_error);
	tcase_add_test(tcase, test_ssh_open_unknown_name_is_remote_error);
	tcase_add_test(tcase, test_ssh_open_by_name_works);
	tcase_add_test(tcase, test_ssh_open_silent_server_is_deadline);
	tcase_add_test(tcase, test_ssh_open_full_backlog_is_deadline);
	tcase_add_test(tcase, test_ssh_open_server_that_is_no_ssh_is_remote_error);
	tcase_add_test(tcase, test_ssh_open_post_quantum_only_server_is_explained);
	tcase_add_test(tcase, test_ssh_open_jump_host_without_forwarding_is_explained);
	tcase_add_test(tcase, test_ssh_open_jump_host_that_is_not_verified_is_refused);
	suite_add_tcase(suite, tcase);
}
