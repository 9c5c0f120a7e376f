/*
 * shortage_calls.c - see shortage_calls.h. One thread counts: the others of a process find all well.
 */
#include "tests/shortage_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's own, under the names that no program takes. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *taken, size_t bytes);

static enum shortage kind;
static uint64_t wanted;
static uint64_t counted;

void shortage_begin(enum shortage new_kind, uint64_t nth)
{
	counted = 0;
	wanted = nth;
	kind = new_kind;
}

uint64_t shortage_end(void)
{
	kind = SHORTAGE_NONE;
	return counted;
}

static bool is_now(void)
{
	counted++;
	return wanted != 0 && (kind == SHORTAGE_FULL_DISK ? counted >= wanted : counted == wanted);
}

/* ---- memory ---- */

static bool is_out_of_memory(void)
{
	if (kind != SHORTAGE_MEMORY || !is_now())
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t bytes)
{
	return is_out_of_memory() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	return is_out_of_memory() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *taken, size_t bytes)
{
	return is_out_of_memory() ? NULL : __libc_realloc(taken, bytes);
}

/* ---- the disk ---- */

/* What a call that writes meets: 0, or an errno; *bytes may become less. */
static int meet_disk(int fd, size_t *bytes)
{
	if (fd <= STDERR_FILENO)
		return 0;
	switch (kind) {
	case SHORTAGE_SHORT_WRITE:
		if (bytes != NULL && is_now() && *bytes > 1)
			*bytes /= 2;
		return 0;
	case SHORTAGE_FULL_DISK:
		return bytes != NULL && is_now() ? ENOSPC : 0;
	case SHORTAGE_BROKEN_DISK:
		return is_now() ? EIO : 0;
	case SHORTAGE_DEATH:
		if (is_now())
			(void)kill(getpid(), SIGKILL);
		return 0;
	case SHORTAGE_NONE:
	case SHORTAGE_MEMORY:
		break;
	}
	return 0;
}

static bool is_failing(int fd, size_t *bytes)
{
	const int failure = meet_disk(fd, bytes);

	if (failure != 0)
		errno = failure;
	return failure != 0;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
	return is_failing(fd, &count) ? -1 : syscall(SYS_write, fd, bytes, count);
}

/* With the Makefile's flags these become pwrite64 and posix_fallocate64, as in SQLite and everywhere. */
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
	return is_failing(fd, &count) ? -1 : syscall(SYS_pwrite64, fd, bytes, count, at);
}

int fsync(int fd)
{
	return is_failing(fd, NULL) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return is_failing(fd, NULL) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
	return is_failing(STDERR_FILENO + 1, NULL) ? -1 : (int)syscall(SYS_rename, from, to);
}

int posix_fallocate(int fd, off_t from, off_t count)
{
	size_t bytes = (size_t)count;
	const int failure = meet_disk(fd, &bytes);

	return failure != 0 ? failure : (int)(syscall(SYS_fallocate, fd, 0, from, count) == 0 ? 0 : errno);
}
