/*
 * sqlite_care.c - SQLite's own look at a store, and a copy of it while others write.
 */
#include "store/sqlite_db.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/place.h"

/* The first finding; there may be hundreds, and one is enough to bring back a copy. */
static bool expect_nothing(struct sqlite_store *store, const char *statement, const char *good,
			   const char *what, struct err *e)
{
	struct arena arena = { 0 };
	struct query query = query_make(&store->sql, statement);
	const char *found = query_row(&query) ? query_text(&query, 0, &arena) : NULL;
	bool ok = query_end(&query, e);

	if (ok && found != NULL && (good == NULL || strcmp(found, good) != 0))
		ok = err_set(e, ERR_ALTERED, "check the store %s: %s (%.200s); bring back a copy",
			     store->owned_path, what, found);
	arena_release(&arena);
	return ok;
}

bool sqlite_check(void *backend, struct err *e)
{
	return expect_nothing(backend, "pragma integrity_check(1)", "ok", "the file is damaged",
			      e) &&
	       expect_nothing(backend, "pragma foreign_key_check", NULL,
			      "rows of a run that is not there, in the table", e);
}

/* In steps: between them others may write, and SQLite brings that into the copy as well. */
static bool copy_pages(struct sqlite_store *store, sqlite3 *copy, struct err *e)
{
	enum {
		PAGES_A_STEP = 256,
		PAUSE_MS = 10,
		BUSY_STEPS_MAX = 5000 / PAUSE_MS /* as long as any other wait: SQLITE_BUSY_NS */
	};
	sqlite3_backup *backup = sqlite3_backup_init(copy, "main", store->owned_db, "main");
	int busy_count = 0;
	int code = SQLITE_OK;

	if (backup == NULL)
		return sqlite_fail(store, sqlite3_errcode(copy), e);
	while (code == SQLITE_OK ||
	       ((code == SQLITE_BUSY || code == SQLITE_LOCKED) && busy_count++ < BUSY_STEPS_MAX)) {
		if (code != SQLITE_OK)
			(void)sqlite3_sleep(PAUSE_MS);
		code = sqlite3_backup_step(backup, PAGES_A_STEP);
	}
	(void)sqlite3_backup_finish(backup); /* repeats the code */
	return code == SQLITE_DONE || sqlite_fail(store, code, e);
}

bool sqlite_backup(void *backend, const char *path, struct err *e)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	struct sqlite_store *store = backend;
	sqlite3 *copy = NULL;
	bool ok;

	if (!place_prepare(path, e)) /* makes it, private */
		return false;

	const int code = sqlite3_open_v2(path, &copy, flags, NULL);

	ok = code == SQLITE_OK ? copy_pages(store, copy, e) : sqlite_fail(store, code, e);
	if (sqlite3_close(copy) != SQLITE_OK && ok)
		ok = sqlite_fail(store, SQLITE_IOERR, e);
	if (!ok)
		(void)unlink(path); /* never half a copy */
	return ok || err_wrap(e, "back up the store to %s", path);
}
