/*
 * child.c - see child.h.
 */
#include "base/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"

/* The file that is running, also when another one lies in its place by now. */
static const char self_path[] = "/proc/self/exe";

enum { EXIT_NO_PROGRAM = 127 };

/* Who signals the child means the program that it will be, and not a handler of ours that it was born with. */
static void forget_handlers(void)
{
	struct sigaction action;

	for (int number = 1; number <= SIGRTMAX; number++) {
		if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN ||
		    action.sa_handler == SIG_DFL)
			continue;
		action = (struct sigaction){ .sa_handler = SIG_DFL };
		(void)sigaction(number, &action, NULL); /* cannot fail for one that has a handler */
	}
}

/* Between fork and exec: nothing here may allocate or return. output_fd 0: the streams stay as they are. */
static _Noreturn void become(char *const *argv, int output_fd, pid_t parent)
{
	sigset_t none;
	const int input_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)setpgid(0, 0);
	forget_handlers();
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGINT) != 0 || getppid() != parent)
		_exit(EXIT_NO_PROGRAM); /* nobody is left to collect it: nothing was begun */
	if (input_fd != -1 && dup2(input_fd, STDIN_FILENO) != -1 &&
	    (output_fd == 0 || (dup2(output_fd, STDOUT_FILENO) != -1 &&
				dup2(output_fd, STDERR_FILENO) != -1)))
		(void)execv(self_path, argv);
	_exit(EXIT_NO_PROGRAM);
}

/* Above the three that the child will have in their places: ours may have been closed. -1: errno. */
static int open_output(void)
{
	const int fd = memfd_create("firedrill-output", MFD_CLOEXEC);
	int above = fd;

	if (fd != -1 && fd <= STDERR_FILENO) {
		above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		(void)close(fd); /* the other one keeps it */
	}
	return above;
}

static bool start(const char *const *words, size_t count, int output_fd, struct child *ret_child,
		  struct err *e)
{
	char **owned_argv = mem_alloc((count + 2) * sizeof *owned_argv);
	const pid_t parent = getpid();
	sigset_t all;
	sigset_t before;
	pid_t pid;

	owned_argv[0] = mem_copy("firedrill");
	for (size_t i = 0; i < count; i++)
		owned_argv[i + 1] = mem_copy(words[i]);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid == 0)
		become(owned_argv, output_fd, parent);

	const int why = errno;

	(void)sigprocmask(SIG_SETMASK, &before, NULL);

	for (size_t i = 0; i <= count; i++)
		free(owned_argv[i]);
	free(owned_argv);
	if (pid == -1)
		return err_set(e, ERR_LIMIT, "start a process of firedrill: %s", strerror(why));
	(void)setpgid(pid, pid); /* whoever comes first: a signal must find it there */
	*ret_child = (struct child){ .pid = pid, .output_fd = output_fd };
	return true;
}

bool child_start(const char *const *words, size_t count, struct child *ret_child, struct err *e)
{
	const int output_fd = open_output();

	if (output_fd == -1)
		return err_set(e, ERR_LIMIT, "start a process of firedrill: %s", strerror(errno));
	if (start(words, count, output_fd, ret_child, e))
		return true;
	(void)close(output_fd); /* nothing was written */
	return false;
}

bool child_start_heard(const char *const *words, size_t count, struct child *ret_child,
		       struct err *e)
{
	return start(words, count, 0, ret_child, e);
}

enum child_state child_look(struct child *child, int *ret_number)
{
	int status = 0;
	pid_t got;

	assert(child->pid != 0);

	do
		got = waitpid((pid_t)child->pid, &status, WNOHANG);
	while (got == -1 && errno == EINTR);
	if (got == 0)
		return CHILD_RUNS;
	assert(got == child->pid); /* nobody else collects it */
	child->pid = 0;
	if (WIFEXITED(status)) {
		*ret_number = WEXITSTATUS(status);
		return CHILD_EXITED;
	}
	*ret_number = WTERMSIG(status);
	return CHILD_KILLED;
}

void child_signal(const struct child *child, int number)
{
	if (child->pid != 0)
		(void)kill((pid_t)child->pid, number); /* not collected yet, so the pid is still its own */
}

void child_output(const struct child *child, struct text *ret_output)
{
	char bytes[16 << 10];
	off_t at = 0;

	while (at < LIMIT_CHILD_OUTPUT_BYTES) {
		const ssize_t count = pread(child->output_fd, bytes, sizeof bytes, at);

		if (count <= 0)
			return;
		text_add_bytes(ret_output, bytes, (size_t)count);
		at += count;
	}
	text_addf(ret_output, "\n(more than %d MiB; the rest is left out)\n",
		  LIMIT_CHILD_OUTPUT_BYTES >> 20);
}

const char *child_complaint(const char *output, struct arena *arena)
{
	static const char sign[] = "firedrill: ";
	const char *last = NULL;
	size_t length = 0;

	while (*output != '\0') {
		const size_t line_length = strcspn(output, "\n");

		if (strncmp(output, sign, sizeof sign - 1) == 0) {
			last = output + sizeof sign - 1;
			length = line_length - (sizeof sign - 1);
		}
		output += line_length + (output[line_length] == '\n' ? 1 : 0);
	}
	return last == NULL ? NULL : arena_copy_bytes(arena, last, length);
}

void child_close(struct child *child)
{
	assert(child->pid == 0);

	if (child->output_fd != 0)
		(void)close(child->output_fd);
	child->output_fd = 0;
}

/* Having a handler is all it does: it ends a sleep. */
static void wake(int number)
{
	(void)number;
}

void child_wait_until(int64_t due_ns)
{
	const struct clock clock = clock_system();
	struct sigaction action = { .sa_handler = wake, .sa_flags = SA_NOCLDSTOP };

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGCHLD, &action, NULL); /* cannot fail for this one */
	clock_sleep_until_ns(&clock, due_ns);
}
