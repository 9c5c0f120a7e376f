/*
 * sqlite_db.c - see sqlite_db.h. The one place that turns SQLite's codes into sentences.
 */
#include "store/sqlite_db.h"

#include <assert.h>
#include <string.h>

bool sqlite_fail(struct sqlite_store *store, int code, struct err *e)
{
	const char *path = store->owned_path;
	const char *detail =
		store->owned_db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(store->owned_db);

	store->was_full = false;
	switch (code & 0xff) {
	case SQLITE_FULL:
		store->was_full = true;
		return err_set(e, ERR_STORE,
			       "store %s: the disk is full; free some space there and try again",
			       path);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return err_set(e, ERR_STORE,
			       "store %s: it is read-only here (%s); make it and its folder "
			       "writable or name another place with --store",
			       path, detail);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_STORE,
			       "store %s: another process has kept it locked for %d s; see who has "
			       "it open (`fuser %s`) and try again",
			       path, SQLITE_BUSY_TIMEOUT_MS / 1000, path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(
			e, ERR_ALTERED,
			"store %s: the file is damaged or is no store (%s); put it aside and "
			"bring back a copy, or name another place with --store",
			path, detail);
	case SQLITE_CANTOPEN:
		return err_set(e, ERR_STORE,
			       "store %s: a file of it cannot be opened (%s); look at the folder's "
			       "rights and at the space on its disk",
			       path, detail);
	case SQLITE_IOERR:
		/* What a full disk looks like when the shared index cannot grow. */
		store->was_full = code == SQLITE_IOERR_SHMSIZE;
		return err_set(e, ERR_STORE,
			       "store %s: the disk does not read or write (%s, code %d); look at "
			       "the kernel's log, and name another place with --store",
			       path, detail, code);
	default: /* SQLite has hundreds; these words are its own */
		return err_set(e, ERR_STORE, "store %s: %s (code %d)", path, detail, code);
	}
}

struct query query_make(struct sqlite_store *store, const char *sql)
{
	struct query query = { .store = store };

	query.code = sqlite3_prepare_v2(store->owned_db, sql, -1, &query.owned_stmt, NULL);
	return query;
}

/* Bound texts and blobs outlive the query, so SQLite need not copy them. */
void query_bind_text(struct query *query, const char *text)
{
	query->bound_count++;
	if (query->code != SQLITE_OK || text == NULL)
		return; /* what is not bound is null */
	query->code =
		sqlite3_bind_text(query->owned_stmt, query->bound_count, text, -1, SQLITE_STATIC);
}

void query_bind_int(struct query *query, int64_t number)
{
	query->bound_count++;
	if (query->code == SQLITE_OK)
		query->code = sqlite3_bind_int64(query->owned_stmt, query->bound_count, number);
}

void query_bind_blob(struct query *query, struct blob blob)
{
	query->bound_count++;
	if (query->code == SQLITE_OK)
		query->code = sqlite3_bind_blob64(query->owned_stmt, query->bound_count,
						  blob.length_bytes == 0 ? "" : blob.bytes,
						  blob.length_bytes, SQLITE_STATIC);
}

bool query_row(struct query *query)
{
	if (query->code != SQLITE_OK && query->code != SQLITE_ROW)
		return false;
	query->code = sqlite3_step(query->owned_stmt);
	return query->code == SQLITE_ROW;
}

bool query_end(struct query *query, struct err *e)
{
	const bool ok =
		query->code == SQLITE_OK || query->code == SQLITE_ROW || query->code == SQLITE_DONE;

	if (!ok) {
		const int extended = sqlite3_extended_errcode(query->store->owned_db);

		(void)sqlite_fail(
			query->store,
			(extended & 0xff) == (query->code & 0xff) ? extended : query->code, e);
	}
	/* Its result repeats the code of the last step, which is told already. */
	(void)sqlite3_finalize(query->owned_stmt);
	query->owned_stmt = NULL;
	return ok;
}

bool query_done(struct query *query, struct err *e)
{
	while (query_row(query))
		;
	return query_end(query, e);
}

const char *query_text(struct query *query, int column, struct arena *arena)
{
	const unsigned char *text = sqlite3_column_text(query->owned_stmt, column);

	if (text == NULL && sqlite3_column_type(query->owned_stmt, column) != SQLITE_NULL)
		query->code = SQLITE_NOMEM;
	else if (text != NULL && strlen((const char *)text) !=
					 (size_t)sqlite3_column_bytes(query->owned_stmt, column))
		query->code = SQLITE_CORRUPT; /* no seal would see what stands behind a NUL */
	return arena_copy(arena, (const char *)text);
}

const char *query_text_or_empty(struct query *query, int column, struct arena *arena)
{
	const char *text = query_text(query, column, arena);

	return text == NULL ? "" : text;
}

int64_t query_int(struct query *query, int column)
{
	return sqlite3_column_int64(query->owned_stmt, column);
}

struct blob query_blob(struct query *query, int column, struct arena *arena)
{
	const void *bytes = sqlite3_column_blob(query->owned_stmt, column);
	const int length = sqlite3_column_bytes(query->owned_stmt, column);
	struct blob blob = { .bytes = "" };

	assert(length >= 0);
	if (bytes == NULL && sqlite3_errcode(query->store->owned_db) == SQLITE_NOMEM)
		query->code = SQLITE_NOMEM; /* an empty one is NULL, too */
	if (bytes != NULL && length > 0) {
		blob.bytes = arena_copy_bytes(arena, bytes, (size_t)length);
		blob.length_bytes = (size_t)length;
	}
	return blob;
}
