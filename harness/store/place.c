/*
 * place.c - see place.h. Knows files; what is in them is sqlite.c's business.
 */
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FOLDER_MODE = 0700,
	FILE_MODE = 0600,
	OTHERS_WRITE = S_IWGRP | S_IWOTH,
	OTHERS_ANY = S_IRWXG | S_IRWXO,
};

/* Makes one folder. One that is there already keeps its mode. */
static bool make_folder(const char *path, struct err *e)
{
	if (mkdir(path, FOLDER_MODE) == -1) {
		if (errno == EEXIST)
			return true;
		return err_set(e, ERR_STORE,
			       "make the folder %s for the store: %s; make it yourself or name "
			       "another place with --store",
			       path, strerror(errno));
	}
	if (chmod(path, FOLDER_MODE) == -1) /* the umask may have taken bits that we need */
		return err_set(e, ERR_STORE, "make the folder %s private: %s", path,
			       strerror(errno));
	return true;
}

/* The folder must not let others swap our file for theirs. */
static bool check_folder(const char *path, struct err *e)
{
	struct stat found;

	if (stat(path, &found) == -1)
		return err_set(e, ERR_STORE, "look at the folder %s of the store: %s", path,
			       strerror(errno));
	if (!S_ISDIR(found.st_mode))
		return err_set(e, ERR_STORE,
			       "open the store in %s: that is no folder; name another place with "
			       "--store",
			       path);
	if ((found.st_mode & OTHERS_WRITE) != 0 && (found.st_mode & S_ISVTX) == 0)
		return err_set(e, ERR_STORE,
			       "open the store in %s: other users may change that folder; "
			       "run `chmod go-w %s` first",
			       path, path);
	return true;
}

static bool prepare_folders(const char *path, struct err *e)
{
	struct text folder = { 0 };
	bool ok = true;

	for (const char *slash = strchr(path + 1, '/'); ok && slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		text_clear(&folder);
		text_add_bytes(&folder, path, (size_t)(slash - path));
		ok = make_folder(text_str(&folder), e);
	}
	if (ok)
		ok = check_folder(folder.length_bytes == 0 ? (path[0] == '/' ? "/" : ".")
							   : text_str(&folder),
				  e);
	text_release(&folder);
	return ok;
}

static bool check_file(const char *path, const struct stat *found, struct err *e)
{
	if (S_ISLNK(found->st_mode))
		return err_set(e, ERR_STORE,
			       "open the store %s: it is a symbolic link; name the file it points "
			       "to with --store",
			       path);
	if (!S_ISREG(found->st_mode))
		return err_set(e, ERR_STORE,
			       "open the store %s: that is no ordinary file; name another place "
			       "with --store",
			       path);
	if (found->st_uid != geteuid())
		return err_set(e, ERR_STORE,
			       "open the store %s: it belongs to user %u and this is user %u; run "
			       "as its owner or name another place with --store",
			       path, found->st_uid, geteuid());
	if ((found->st_mode & OTHERS_WRITE) != 0)
		return err_set(e, ERR_STORE,
			       "open the store %s: other users may have changed it; if you trust "
			       "it, run `chmod 600 %s` first",
			       path, path);
	if ((found->st_mode & OTHERS_ANY) != 0 && chmod(path, FILE_MODE) == -1)
		return err_set(e, ERR_STORE, "make the store %s private: %s", path,
			       strerror(errno));
	return true;
}

static bool make_file(const char *path, struct err *e)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);

	if (fd == -1 && errno == EEXIST)
		return true; /* another process was quicker */
	if (fd == -1)
		return err_set(
			e, ERR_STORE,
			"make the store %s: %s; mend that or name another place with --store", path,
			strerror(errno));

	const int changed = fchmod(fd, FILE_MODE);

	close(fd);
	if (changed == -1)
		return err_set(e, ERR_STORE, "make the store %s private: %s", path,
			       strerror(errno));
	return true;
}

/*
 * A file that is there is looked at by name and never opened here: closing any descriptor of it
 * would drop the locks that SQLite holds on it elsewhere in this process.
 */
bool place_prepare(const char *path, struct err *e)
{
	struct stat found;

	if (!prepare_folders(path, e))
		return false;
	if (lstat(path, &found) == 0)
		return check_file(path, &found, e);
	return make_file(path, e);
}

static void reserve_path(const char *path, struct text *text)
{
	text_add(text, path);
	text_add(text, ".reserve");
}

void place_reserve(const char *path)
{
	struct text reserve = { 0 };

	reserve_path(path, &reserve);

	const int fd = open(text_str(&reserve),
			    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);

	if (fd != -1) {
		/* A disk too full for a reserve must not keep anybody from healing. */
		if (posix_fallocate(fd, 0, PLACE_RESERVE_BYTES) != 0)
			(void)unlink(text_str(&reserve));
		close(fd);
	}
	text_release(&reserve);
}

bool place_reserve_give_up(const char *path)
{
	struct text reserve = { 0 };

	reserve_path(path, &reserve);

	const bool was_there = unlink(text_str(&reserve)) == 0;

	text_release(&reserve);
	return was_there;
}
