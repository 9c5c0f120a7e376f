/*
 * local.c - commands on this machine, for `local: true` and for power switches of a hypervisor.
 *
 * The command gets a session of its own, so that Ctrl-C at our terminal does not reach it, and so
 * that a command past its deadline is killed together with its children. A child that goes on in
 * the background and holds our pipe does not delay us: the command's own end counts.
 */
#include "remote/ways.h"

#include "base/limits.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* A command under way. Descriptors are -1 when closed. */
struct child {
	pid_t pid;
	int pid_fd;
	int input_fd;
	int out_fd[2]; /* reading end, writing end */
	int err_fd[2];
};

/* How long a killed process may take to vanish; longer means it hangs in the kernel. */
static const int64_t reap_ns = 2 * NS_PER_S;

static void fd_close(int *fd)
{
	if (*fd != -1)
		(void)close(*fd); /* nothing was written through it that could be lost */
	*fd = -1;
}

static void child_release(struct child *child)
{
	fd_close(&child->pid_fd);
	fd_close(&child->input_fd);
	fd_close(&child->out_fd[0]);
	fd_close(&child->out_fd[1]);
	fd_close(&child->err_fd[0]);
	fd_close(&child->err_fd[1]);
}

/* A file in memory rather than a pipe: nobody has to feed it, and nobody dies of SIGPIPE. */
static int input_open(const char *input)
{
	const int fd = input == NULL ? open("/dev/null", O_RDONLY | O_CLOEXEC)
				     : memfd_create("firedrill-input", MFD_CLOEXEC);
	size_t left_bytes = input == NULL ? 0 : strlen(input);

	while (fd != -1 && left_bytes > 0) {
		const ssize_t written = write(fd, input, left_bytes);

		if (written <= 0) {
			(void)close(fd);
			return -1;
		}
		input += written;
		left_bytes -= (size_t)written;
	}
	if (fd != -1)
		(void)lseek(fd, 0, SEEK_SET); /* cannot fail on a file */
	return fd;
}

/* Returns 0 or an errno. */
static int child_spawn(struct child *child, const char *const *argv)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	sigset_t all;
	int outcome;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, child->input_fd, STDIN_FILENO);
	(void)posix_spawn_file_actions_adddup2(&actions, child->out_fd[1], STDOUT_FILENO);
	(void)posix_spawn_file_actions_adddup2(&actions, child->err_fd[1], STDERR_FILENO);
	/* What the command leaves running must not keep our store's locks. */
	(void)posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
							    POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);

	/* posix_spawnp promises not to write to the words. */
	union {
		const char *const *in;
		char *const *out;
	} words = { .in = argv };

	outcome = posix_spawnp(&child->pid, argv[0], &actions, &attributes, words.out, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return outcome;
}

/* Reads what is there. False once nothing more can come. */
static bool drain(int fd, struct reply *reply, struct text *stream)
{
	char bytes[16384];

	for (;;) {
		const ssize_t got = read(fd, bytes, sizeof bytes);

		if (got > 0)
			reply_add(reply, stream, bytes, (size_t)got);
		else if (got == 0)
			return false;
		else if (errno != EINTR)
			return errno == EAGAIN;
	}
}

static int timeout_ms(int64_t left_ns)
{
	return left_ns <= 0 ? 0 : (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
}

/* Collects output until the process has ended, which is left to be reaped; false when late. */
static bool child_watch(struct child *child, const struct clock *real, int64_t deadline_ns,
			struct reply *reply)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = child->pid_fd, .events = POLLIN },
			{ .fd = child->out_fd[0], .events = POLLIN },
			{ .fd = child->err_fd[0], .events = POLLIN },
		};
		const int64_t left_ns = deadline_ns - clock_now_ns(real);
		const int64_t nap_ns = left_ns < 60 * NS_PER_S ? left_ns : 60 * NS_PER_S;
		const int ready = poll(fds, 3, timeout_ms(nap_ns));

		if (ready > 0 && fds[1].revents != 0 && !drain(fds[1].fd, reply, &reply->out))
			fd_close(&child->out_fd[0]);
		if (ready > 0 && fds[2].revents != 0 && !drain(fds[2].fd, reply, &reply->err))
			fd_close(&child->err_fd[0]);
		if (ready > 0 && fds[0].revents != 0)
			return true;
		if (clock_now_ns(real) >= deadline_ns)
			return false;
	}
}

static void child_kill(struct child *child)
{
	struct pollfd fd = { .fd = child->pid_fd, .events = POLLIN };
	siginfo_t end;

	/* Not waited for yet, so the number cannot belong to anybody else. */
	(void)kill(-child->pid, SIGKILL);
	if (poll(&fd, 1, timeout_ms(reap_ns)) == 1)
		(void)waitid(P_PIDFD, (id_t)child->pid_fd, &end, WEXITED);
}

static void child_reap(struct child *child, struct reply *reply)
{
	siginfo_t end = { 0 };
	int outcome;

	do
		outcome = waitid(P_PIDFD, (id_t)child->pid_fd, &end, WEXITED);
	while (outcome == -1 && errno == EINTR);

	if (outcome == 0 && end.si_code == CLD_EXITED) {
		reply->exit_status = end.si_status;
		return;
	}

	/* Somebody else waited for our child (outcome -1): its end is not known any more. */
	const char *name = outcome == 0 ? sigabbrev_np(end.si_status) : NULL;

	reply->exit_status = -1;
	reply->signal_name = name == NULL ? "UNKNOWN" : name;
}

/* As a shell would say it: 127 not found, 126 found but not to be run. */
static void reply_not_started(struct reply *reply, const char *program, int failure)
{
	reply->exit_status = failure == ENOENT || failure == ENOTDIR ? 127 : 126;
	text_addf(&reply->err, "%s: %s\n", program, strerror(failure));
}

static bool is_shortage(int failure)
{
	return failure == EAGAIN || failure == ENOMEM || failure == EMFILE || failure == ENFILE ||
	       failure == E2BIG;
}

static bool child_open(struct child *child, const struct command *command, struct err *e)
{
	child->input_fd = input_open(command->input);
	if (child->input_fd == -1 || pipe2(child->out_fd, O_CLOEXEC) == -1 ||
	    pipe2(child->err_fd, O_CLOEXEC) == -1)
		return err_set(e, ERR_LIMIT, "run `%s` here: no pipes for it: %s", command->argv[0],
			       strerror(errno));

	/* Only our ends: the command must not find its output non-blocking. */
	(void)fcntl(child->out_fd[0], F_SETFL, O_NONBLOCK);
	(void)fcntl(child->err_fd[0], F_SETFL, O_NONBLOCK);
	return true;
}

static bool local_exec(struct remote *remote, const struct command *command,
		       struct reply *ret_reply, struct err *e)
{
	const struct clock real = clock_system();
	const int64_t deadline_ns = clock_now_ns(&real) + command->timeout_ns;
	struct child child = {
		.pid_fd = -1, .input_fd = -1, .out_fd = { -1, -1 }, .err_fd = { -1, -1 }
	};
	struct reply reply = { 0 };
	bool is_ok = false;

	if (!child_open(&child, command, e))
		goto out;

	reply.sent_ns = clock_now_ns(remote->clock);

	const int failure = child_spawn(&child, command->argv);

	if (is_shortage(failure)) {
		err_set(e, ERR_LIMIT, "run `%s` here: %s", command->argv[0], strerror(failure));
		goto out;
	}
	if (failure != 0) {
		reply_not_started(&reply, command->argv[0], failure);
		reply.done_ns = clock_now_ns(remote->clock);
		goto finished;
	}
	fd_close(&child.out_fd[1]);
	fd_close(&child.err_fd[1]);

	child.pid_fd = pidfd_open(child.pid, 0);
	if (child.pid_fd == -1) {
		err_set(e, ERR_LIMIT, "watch `%s` here: %s", command->argv[0], strerror(errno));
		(void)kill(-child.pid, SIGKILL);
		(void)waitpid(child.pid, NULL, 0);
		goto out;
	}
	if (!child_watch(&child, &real, deadline_ns, &reply)) {
		child_kill(&child);
		err_set(e, ERR_DEADLINE,
			"run `%s` here: killed, because it had not ended after %lld ms",
			command->argv[0], (long long)(command->timeout_ns / NS_PER_MS));
		goto out;
	}
	reply.done_ns = clock_now_ns(remote->clock);
	child_reap(&child, &reply);
	if (child.out_fd[0] != -1)
		(void)drain(child.out_fd[0], &reply, &reply.out);
	if (child.err_fd[0] != -1)
		(void)drain(child.err_fd[0], &reply, &reply.err);
finished:
	*ret_reply = reply;
	reply = (struct reply){ 0 };
	is_ok = true;
out:
	child_release(&child);
	reply_release(&reply);
	return is_ok;
}

static bool local_is_alive(struct remote *remote, struct err *e)
{
	(void)remote;
	(void)e;
	return true;
}

static void local_close(struct remote *remote)
{
	free(remote);
}

static const struct remote_ops local_ops = {
	.name = "local",
	.exec = local_exec,
	.is_alive = local_is_alive,
	.close = local_close,
};

bool local_open(const struct host *host, const struct clock *clock, struct remote **ret_remote,
		struct err *e)
{
	struct remote *remote = mem_alloc(sizeof *remote);

	(void)e; /* nothing can go wrong on the way to ourselves */
	*remote = (struct remote){ .ops = &local_ops, .host = host, .clock = clock };
	*ret_remote = remote;
	return true;
}
