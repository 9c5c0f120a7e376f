/*
 * sqlite_db.c - the words of sql.h as SQLite speaks them, and its codes as sentences.
 */
#include "store/sqlite_db.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"

bool sqlite_fail(struct sqlite_store *store, int code, struct err *e)
{
	const char *path = store->owned_path;
	const char *detail =
		store->owned_db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(store->owned_db);

	const int64_t busy_ns = store->busy_ns < SQLITE_BUSY_NS ? store->busy_ns : SQLITE_BUSY_NS;
	char waited[UNITS_TEXT_BYTES];

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
			       "store %s: another process has kept it locked for %s; see who has "
			       "it open (`fuser %s`) and try again",
			       path, units_format_duration(busy_ns, waited), path);
	case SQLITE_INTERRUPT:
		return err_set(e, ERR_STORE,
			       "store %s: it has not answered in the time there was; see what keeps "
			       "its disk or this machine busy, and try again",
			       path);
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

static struct sqlite_store *store_of(const struct query *query)
{
	return (struct sqlite_store *)(void *)query->sql; /* its first member */
}

static void make(struct query *query, const char *statement)
{
	sqlite3_stmt *made = NULL;

	query->code = sqlite3_prepare_v2(store_of(query)->owned_db, statement, -1, &made, NULL);
	query->owned_statement = made;
}

/* Bound texts and blobs outlive the query, so SQLite need not copy them. */
static void bind_text(struct query *query, const char *text)
{
	query->bound_count++;
	if (query->code != SQLITE_OK || text == NULL)
		return; /* what is not bound is null */
	query->code = sqlite3_bind_text(query->owned_statement, query->bound_count, text, -1,
					SQLITE_STATIC);
}

static void bind_int(struct query *query, int64_t number)
{
	query->bound_count++;
	if (query->code == SQLITE_OK)
		query->code =
			sqlite3_bind_int64(query->owned_statement, query->bound_count, number);
}

static void bind_blob(struct query *query, struct blob blob)
{
	query->bound_count++;
	if (query->code == SQLITE_OK)
		query->code = sqlite3_bind_blob64(query->owned_statement, query->bound_count,
						  blob.length_bytes == 0 ? "" : blob.bytes,
						  blob.length_bytes, SQLITE_STATIC);
}

static bool row(struct query *query)
{
	if (query->code != SQLITE_OK && query->code != SQLITE_ROW)
		return false;
	query->code = sqlite3_step(query->owned_statement);
	return query->code == SQLITE_ROW;
}

static uint64_t changed(const struct query *query)
{
	return (uint64_t)sqlite3_changes(store_of(query)->owned_db);
}

static bool end(struct query *query, struct err *e)
{
	struct sqlite_store *store = store_of(query);
	const bool ok =
		query->code == SQLITE_OK || query->code == SQLITE_ROW || query->code == SQLITE_DONE;

	if (!ok) {
		const int extended = sqlite3_extended_errcode(store->owned_db);

		(void)sqlite_fail(
			store, (extended & 0xff) == (query->code & 0xff) ? extended : query->code,
			e);
	}
	/* Its result repeats the code of the last step, which is told already. */
	(void)sqlite3_finalize(query->owned_statement);
	query->owned_statement = NULL;
	return ok;
}

static const char *text(struct query *query, int column, struct arena *arena)
{
	const unsigned char *kept = sqlite3_column_text(query->owned_statement, column);

	if (kept == NULL && sqlite3_column_type(query->owned_statement, column) != SQLITE_NULL)
		query->code = SQLITE_NOMEM;
	else if (kept != NULL &&
		 strlen((const char *)kept) !=
			 (size_t)sqlite3_column_bytes(query->owned_statement, column))
		query->code = SQLITE_CORRUPT; /* no seal would see what stands behind a NUL */
	return arena_copy(arena, (const char *)kept);
}

static int64_t integer(struct query *query, int column)
{
	return sqlite3_column_int64(query->owned_statement, column);
}

static struct blob lent(struct query *query, int column)
{
	const void *bytes = sqlite3_column_blob(query->owned_statement, column);
	const int length = sqlite3_column_bytes(query->owned_statement, column);
	struct blob found = { .bytes = "" };

	assert(length >= 0);
	if (bytes == NULL && sqlite3_errcode(store_of(query)->owned_db) == SQLITE_NOMEM)
		query->code = SQLITE_NOMEM; /* an empty one is NULL, too */
	if (bytes != NULL && length > 0)
		found = (struct blob){ .bytes = bytes, .length_bytes = (size_t)length };
	return found;
}

/* `begin immediate` holds the whole file. */
static bool hold(struct sql *sql, const char *what, const char *name, struct err *e)
{
	(void)sql;
	(void)what;
	(void)name;
	(void)e;
	return true;
}

/* One machine has one clock. */
static bool now(struct sql *sql, int64_t *ret_now_ns, struct err *e)
{
	const struct clock clock = clock_system();

	(void)sql;
	(void)e;
	*ret_now_ns = clock_wall_ns(&clock);
	return true;
}

/* Who waits looks again by itself. */
static bool tell_news(struct sql *sql, struct err *e)
{
	(void)sql;
	(void)e;
	return true;
}

/*
 * A damaged page or index can make rows vanish without a word. For heals that would be a patient
 * left open, so the table is looked at as a whole first; it is small.
 */
static bool check_heals(struct sql *sql, struct err *e)
{
	struct query query = query_make(sql, "pragma integrity_check(heals)");
	bool is_sound = false;

	if (query_row(&query)) {
		const unsigned char *found = sqlite3_column_text(query.owned_statement, 0);

		is_sound = found != NULL && strcmp((const char *)found, "ok") == 0;
	}
	if (!query_end(&query, e))
		return false;
	return is_sound || sqlite_fail(store_of(&query), SQLITE_CORRUPT, e);
}

const struct sql_engine sql_engine_sqlite = {
	.make = make,
	.bind_text = bind_text,
	.bind_int = bind_int,
	.bind_blob = bind_blob,
	.row = row,
	.changed = changed,
	.end = end,
	.text = text,
	.integer = integer,
	.lent = lent,
	.all_facts = "select facts from facts order by seq",
	.hold = hold,
	.now = now,
	.tell_news = tell_news,
	.check_heals = check_heals,
};
