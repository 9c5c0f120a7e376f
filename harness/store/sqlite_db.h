/*
 * sqlite_db.h - a store in SQLite, and how it speaks the words of sql.h.
 */
#ifndef STORE_SQLITE_DB_H
#define STORE_SQLITE_DB_H

#include <sqlite3.h>

#include "base/clock.h"
#include "store/sql.h"

static const int64_t SQLITE_BUSY_NS = 5 * NS_PER_S;

struct sqlite_store {
	struct sql sql;
	sqlite3 *owned_db;
	char *owned_path;
	bool was_full; /* the last failure was for want of space */
	int64_t deadline_ns; /* of everything that is asked; INT64_MAX: none */
	int64_t busy_since_ns; /* another process has it locked... */
	int64_t busy_ns;       /* ... and how long it was waited for */
	int64_t schema_found;
};

/* Says what SQLite's code means and what to do. Returns false. */
bool sqlite_fail(struct sqlite_store *store, int code, struct err *e);

extern const struct sql_engine sql_engine_sqlite;

/* The parts of store_sqlite (sqlite.c) that stand in files of their own. */
bool sqlite_migrate(struct sqlite_store *store, struct err *e);
bool sqlite_check(void *backend, struct err *e);
bool sqlite_backup(void *backend, const char *path, struct err *e);

#endif
