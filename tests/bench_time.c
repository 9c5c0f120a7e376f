/*
 * bench_time.c - runs one command to its end and says what it cost: one line on standard output with
 * wall nanoseconds, CPU nanoseconds (its own and that of the children it waited for), and the peak
 * memory of the largest process in KiB.
 *
 * Linked with nothing but libc: the kernel counts the memory of the process that forks into the
 * peak of the one that follows, so this one must be small. The command's output goes to the file
 * named first, or /dev/null. A command that fails has no cost worth telling: exit 1, no line.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t cpu_ns(const struct rusage *usage)
{
	const int64_t seconds = usage->ru_utime.tv_sec + usage->ru_stime.tv_sec;

	return seconds * 1000000000 + (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status = 0;

	if (argc < 3) {
		(void)fprintf(stderr, "usage: bench_time OUTPUT COMMAND...\n");
		return 2;
	}

	const int64_t from_ns = now_ns();
	const pid_t pid = vfork();

	if (pid == 0) {
		const int out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		if (out == -1 || dup2(out, STDOUT_FILENO) == -1)
			_exit(126);
		(void)execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid == -1 || wait4(pid, &status, 0, &usage) != pid) {
		(void)fprintf(stderr, "bench_time: start %s: %s\n", argv[2], strerror(errno));
		return 2;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		(void)fprintf(stderr, "bench_time: %s ended with status %d\n", argv[2],
			      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
		return 1;
	}
	(void)printf("%" PRId64 " %" PRId64 " %ld\n", now_ns() - from_ns, cpu_ns(&usage),
		     usage.ru_maxrss);
	return 0;
}
