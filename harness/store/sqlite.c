/*
 * sqlite.c - the embedded store: one SQLite file, write-ahead log, synchronous=FULL.
 *
 * A commit that came back true is on the disk. Several processes may use the file at once; each
 * waits for the other at most SQLITE_BUSY_NS. Not for network file systems: their locks
 * lie.
 */
#include "store/sqlite_db.h"

#include <stdlib.h>
#include <string.h>

#include "store/place.h"

static int64_t now_ns(void)
{
	const struct clock clock = clock_system();

	return clock_now_ns(&clock);
}

static void sqlite_close(void *backend)
{
	struct sqlite_store *store = backend;

	if (store == NULL)
		return;
	/* Nothing is lost when it fails: the log is replayed by the next open. */
	(void)sqlite3_close(store->owned_db);
	free(store->owned_path);
	free(store);
}

static bool execute(struct sqlite_store *store, const char *sql, struct err *e)
{
	const int code = sqlite3_exec(store->owned_db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK || sqlite_fail(store, code, e);
}

/* *ret_is_busy: another process is at it; SQLite does not wait here by itself. */
static bool try_wal(struct sqlite_store *store, bool *ret_is_busy, struct err *e)
{
	struct query query = query_make(&store->sql, "pragma journal_mode = wal");
	bool is_wal = false;

	if (query_row(&query)) {
		const unsigned char *mode = sqlite3_column_text(query.owned_statement, 0);

		is_wal = mode != NULL && strcmp((const char *)mode, "wal") == 0;
	}
	*ret_is_busy = (query.code & 0xff) == SQLITE_BUSY;
	if (!query_end(&query, e))
		return false;
	if (!is_wal)
		return err_set(e, ERR_STORE,
			       "open the store %s: its file system cannot share memory between "
			       "processes (no write-ahead log); name a place on a local disk with "
			       "--store",
			       store->owned_path);
	return true;
}

/* Called again and again while another process has the file locked; 0: no longer. */
static int be_patient(void *ctx, int count)
{
	enum { PAUSE_MS = 10 };
	struct sqlite_store *store = ctx;
	const int64_t at_ns = now_ns();

	if (count == 0)
		store->busy_since_ns = at_ns;
	store->busy_ns = at_ns - store->busy_since_ns;
	if (store->busy_ns >= SQLITE_BUSY_NS || at_ns >= store->deadline_ns)
		return 0;
	(void)sqlite3_sleep(PAUSE_MS);
	return 1;
}

/* Called now and then in the middle of a statement; other than 0: it ends. */
static int look_at_clock(void *ctx)
{
	const struct sqlite_store *store = ctx;

	return now_ns() >= store->deadline_ns;
}

static bool switch_to_wal(struct sqlite_store *store, struct err *e)
{
	bool is_busy = false;

	for (int count = 0; !try_wal(store, &is_busy, e); count++) {
		if (!is_busy || be_patient(store, count) == 0)
			return false;
		err_clear(e);
	}
	return true;
}

/* Damaged or hostile files must give errors, never effects. */
static void harden(struct sqlite_store *store)
{
	enum { ROW_BYTES_MAX = 256 << 20 };
	sqlite3 *db = store->owned_db;

	(void)sqlite3_extended_result_codes(db, 1);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, ROW_BYTES_MAX);
	(void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	(void)sqlite3_busy_handler(db, be_patient, store);
}

static void sqlite_set_deadline(void *backend, int64_t deadline_ns)
{
	enum { STEPS_A_LOOK = 20000 };
	struct sqlite_store *store = backend;

	store->deadline_ns = deadline_ns;
	sqlite3_progress_handler(store->owned_db, deadline_ns == INT64_MAX ? 0 : STEPS_A_LOOK,
				 look_at_clock, store);
}

static bool connect_to(struct sqlite_store *store, struct err *e)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	const int code = sqlite3_open_v2(store->owned_path, &store->owned_db, flags, NULL);

	if (code != SQLITE_OK)
		return sqlite_fail(store, code, e);
	harden(store);
	sqlite_set_deadline(store, store->deadline_ns);
	return execute(store, "pragma foreign_keys = on; pragma cell_size_check = on", e) &&
	       sqlite_migrate(store, e) && switch_to_wal(store, e) &&
	       execute(store, "pragma synchronous = full", e);
}

static bool sqlite_open(const char *path, int64_t deadline_ns, void **ret_backend, struct err *e)
{
	struct sqlite_store *store;
	bool ok;

	if (!place_prepare(path, e))
		return false;

	store = mem_alloc(sizeof *store);
	store->sql.engine = &sql_engine_sqlite;
	store->owned_path = mem_copy(path);
	store->deadline_ns = deadline_ns;
	ok = connect_to(store, e);
	if (!ok && store->was_full && place_reserve_give_up(path)) {
		(void)sqlite3_close(store->owned_db);
		store->owned_db = NULL;
		ok = connect_to(store, e);
	}
	if (!ok) {
		sqlite_close(store);
		return false;
	}
	place_reserve(path);
	*ret_backend = store;
	return true;
}

static bool sqlite_begin(void *backend, bool is_write, struct err *e)
{
	struct sqlite_store *store = backend;

	store->was_full = false;
	return execute(store, is_write ? "begin immediate" : "begin", e);
}

static bool sqlite_commit(void *backend, struct err *e)
{
	return execute(backend, "commit", e);
}

static void sqlite_rollback(void *backend)
{
	struct sqlite_store *store = backend;

	/* SQLite may have rolled back by itself; then this fails and nothing is lost. */
	(void)sqlite3_exec(store->owned_db, "rollback", NULL, NULL, NULL);
}

/* Moves the log into the file and empties it. True when there was something in it. */
static bool empty_log(struct sqlite_store *store)
{
	int frame_count = 0;
	int moved_count = 0;

	/* The first one only counts; the second one waits for readers. */
	if (sqlite3_wal_checkpoint_v2(store->owned_db, NULL, SQLITE_CHECKPOINT_PASSIVE,
				      &frame_count, &moved_count) != SQLITE_OK ||
	    frame_count <= 0)
		return false;
	return sqlite3_wal_checkpoint_v2(store->owned_db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
					 NULL) == SQLITE_OK;
}

/* The log first: it may hold much more than the reserve, which is kept for the worst. */
static bool sqlite_make_room(void *backend)
{
	struct sqlite_store *store = backend;

	return store->was_full && (empty_log(store) || place_reserve_give_up(store->owned_path));
}

static int64_t sqlite_schema_found(const void *backend)
{
	const struct sqlite_store *store = backend;

	return store->schema_found;
}

/* Who gives an order gives it to the file that has the store's name now. */
static bool sqlite_stop_read(void *backend, const char *run_id, const char *set_id,
			     struct arena *arena, const struct stop_row **ret_stop, struct err *e)
{
	struct sqlite_store *store = backend;
	int has_moved = 0;

	if (sqlite3_file_control(store->owned_db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved) ==
		    SQLITE_OK &&
	    has_moved != 0)
		return err_set(e, ERR_STORE,
			       "%s was removed or replaced while it was in use, so orders go to another "
			       "store now",
			       store->owned_path);
	return sql_stop_read(backend, run_id, set_id, arena, ret_stop, e);
}

const struct store_ops store_sqlite = {
	.open = sqlite_open,
	.set_deadline = sqlite_set_deadline,
	.close = sqlite_close,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.make_room = sqlite_make_room,
	SQL_STORE_OPS,
	.stop_read = sqlite_stop_read,
	.schema_now = SQL_SCHEMA_VERSION,
	.schema_found = sqlite_schema_found,
	.check = sqlite_check,
	.backup = sqlite_backup,
};
