/*
 * file.c - see file.h.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, const char *bytes, size_t length_bytes)
{
	while (length_bytes > 0) {
		const ssize_t written = write(fd, bytes, length_bytes);

		if (written == -1 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		length_bytes -= (size_t)written;
	}
	return true;
}

bool file_write(const char *path, const char *bytes, size_t length_bytes, struct err *e)
{
	struct text part = { 0 };
	bool ok;
	int fd;

	text_addf(&part, "%s.part", path);
	/* What a dead process has left. Nor may a link that somebody has put there lead us elsewhere. */
	(void)unlink(text_str(&part));
	fd = open(text_str(&part), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	ok = fd != -1 && write_all(fd, bytes, length_bytes) && fsync(fd) == 0;
	if (fd != -1 && close(fd) == -1)
		ok = false;
	ok = ok && rename(text_str(&part), path) == 0;
	if (!ok) {
		err_set(e, ERR_LIMIT, "write %s: %s", path, strerror(errno));
		if (fd != -1)
			(void)unlink(text_str(&part)); /* never half a file */
	}
	text_release(&part);
	return ok;
}

bool file_read(const char *path, bool *ret_is_there, struct text *ret_bytes, struct err *e)
{
	char bytes[16 << 10];
	ssize_t count = 0;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	*ret_is_there = fd != -1;
	if (fd == -1 && (errno == ENOENT || errno == ENOTDIR))
		return true;
	while (fd != -1 && (count = read(fd, bytes, sizeof bytes)) != 0) {
		if (count == -1 && errno == EINTR)
			continue;
		if (count == -1)
			break;
		text_add_bytes(ret_bytes, bytes, (size_t)count);
	}

	const int why = errno;

	if (fd != -1)
		(void)close(fd); /* nothing was written */
	if (fd == -1 || count == -1)
		return err_set(e, ERR_LIMIT, "read %s: %s", path, strerror(why));
	return true;
}

bool folder_make(const char *path, struct err *e)
{
	char *folder = mem_copy(path);
	struct stat info;
	bool ok = *path != '\0';

	errno = ENOENT; /* what an empty path is to mkdir */
	for (char *at = folder + 1; ok; at++) {
		const char kept = *at;

		if (kept != '/' && kept != '\0')
			continue;
		*at = '\0';
		ok = mkdir(folder, 0700) == 0 || errno == EEXIST;
		*at = kept;
		if (kept == '\0')
			break;
	}
	/* One that was there may be a file, or not ours to write in. */
	if (ok && stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
		ok = false;
		errno = ENOTDIR;
	}
	ok = ok && access(path, W_OK | X_OK) == 0;
	if (!ok)
		err_set(e, ERR_LIMIT, "make the folder %s: %s", path, strerror(errno));
	free(folder);
	return ok;
}

bool folder_settle(const char *path, struct err *e)
{
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const bool ok = fd != -1 && fsync(fd) == 0;

	if (!ok)
		err_set(e, ERR_LIMIT, "make the names in the folder %s durable: %s", path,
			strerror(errno));
	if (fd != -1)
		(void)close(fd); /* nothing was written through it */
	return ok;
}
