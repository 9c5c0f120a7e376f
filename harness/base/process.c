/*
 * process.c - see process.h. Reads /proc; another machine or another pid namespace is out of sight.
 */
#include "base/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROC_FILE_BYTES = 2048, FIELD_START_AFTER_NAME = 19 };

/* The first bytes of a small file, as text. */
static bool read_small(const char *path, char *ret_text, size_t text_bytes)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return false;

	const ssize_t got_bytes = read(fd, ret_text, text_bytes - 1);

	close(fd);
	if (got_bytes <= 0)
		return false;
	ret_text[got_bytes] = '\0';
	return true;
}

static bool read_boot_id(char ret_boot_id[BOOT_ID_BYTES])
{
	if (!read_small("/proc/sys/kernel/random/boot_id", ret_boot_id, BOOT_ID_BYTES))
		return false;
	ret_boot_id[strcspn(ret_boot_id, "\n")] = '\0';
	return true;
}

/* When the process started; false when there is none, or only its remains wait to be collected. */
static bool read_start(int64_t pid, int64_t *ret_start)
{
	char path[64];
	char stat[PROC_FILE_BYTES];

	(void)snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
	if (!read_small(path, stat, sizeof stat))
		return false;

	/* The name stands in brackets and may hold anything, so count from its last bracket. */
	const char *field = strrchr(stat, ')');

	if (field == NULL || field[1] != ' ')
		return false;
	field += 2;
	if (*field == 'Z' || *field == 'X')
		return false;
	for (int i = 0; i < FIELD_START_AFTER_NAME; i++) {
		field = strchr(field, ' ');
		if (field == NULL)
			return false;
		field++;
	}
	*ret_start = strtoll(field, NULL, 10);
	return true;
}

bool process_self(struct process_id *ret_id, struct err *e)
{
	struct process_id id = { .pid = getpid() };

	if (!read_boot_id(id.boot_id) || !read_start(id.pid, &id.pid_start))
		return err_set(e, ERR_INTERNAL,
			       "find out which process this is: /proc cannot be read (%s); "
			       "firedrill needs it to see whether a run is still alive",
			       strerror(errno));
	*ret_id = id;
	return true;
}

bool process_is_boot(const char *boot_id)
{
	char boot_id_now[BOOT_ID_BYTES];

	return boot_id != NULL && read_boot_id(boot_id_now) && strcmp(boot_id, boot_id_now) == 0;
}

int64_t process_space(void)
{
	static int64_t space; /* a process stays in its own */
	struct stat info;

	if (space == 0 && stat("/proc/self/ns/pid", &info) == 0)
		space = (int64_t)info.st_ino;
	return space;
}

bool process_is_alive(const char *boot_id, int64_t pid, int64_t pid_start)
{
	char boot_id_now[BOOT_ID_BYTES];
	int64_t start = 0;

	/* When /proc cannot tell, the safe answer is that it lives: nothing is taken from it. */
	if (!read_boot_id(boot_id_now))
		return true;
	if (boot_id == NULL || strcmp(boot_id, boot_id_now) != 0)
		return false;
	return read_start(pid, &start) && start == pid_start;
}

uint64_t process_reserve_descriptors(uint64_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	if (limit.rlim_cur >= wanted)
		return limit.rlim_cur;

	const struct rlimit more = {
		.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted,
		.rlim_max = limit.rlim_max,
	};

	return setrlimit(RLIMIT_NOFILE, &more) == 0 ? more.rlim_cur : limit.rlim_cur;
}

/* Not RLIMIT_CORE: a core that goes to a program (systemd-coredump) does not ask for it, and children
   would inherit it. */
void process_keep_private(void)
{
	(void)process_space(); /* afterwards only root could look */

	const int failure = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);

	assert(failure == 0);
}
