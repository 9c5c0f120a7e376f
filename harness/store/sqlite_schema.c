/*
 * sqlite_schema.c - brings a SQLite store up to date. It remembers how many of the changes of
 * sql_schema.c it has seen (user_version); an open makes the others in one step, or refuses.
 */
#include "store/sqlite_db.h"

#include <stdio.h>

/* "fdrl": tells our files from other people's SQLite files. */
enum { APPLICATION_ID = 0x6664726c };

static bool read_number(struct sqlite_store *store, const char *sql, int64_t *ret_number,
			struct err *e)
{
	struct query query = query_make(&store->sql, sql);

	*ret_number = query_row(&query) ? query_int(&query, 0) : 0;
	return query_end(&query, e);
}

static bool execute(struct sqlite_store *store, const char *sql, struct err *e)
{
	const int code = sqlite3_exec(store->owned_db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK || sqlite_fail(store, code, e);
}

static bool set_number(struct sqlite_store *store, const char *name, int number, struct err *e)
{
	char sql[64];

	(void)snprintf(sql, sizeof sql, "pragma %s = %d", name, number);
	return execute(store, sql, e);
}

/* Refuses other people's files and stores of a newer firedrill. */
static bool check_owner(struct sqlite_store *store, int64_t version, struct err *e)
{
	int64_t application_id = 0;
	int64_t table_count = 0;

	if (!read_number(store, "pragma application_id", &application_id, e) ||
	    !read_number(store, "select count(*) from sqlite_schema", &table_count, e))
		return false;
	if (application_id != APPLICATION_ID && (application_id != 0 || table_count > 0))
		return err_set(e, ERR_STORE,
			       "open the store %s: it is a database of another program; name "
			       "another place with --store",
			       store->owned_path);
	if (version < 0 || version > SQL_SCHEMA_VERSION)
		return err_set(e, ERR_STORE,
			       "open the store %s: a newer firedrill has written it (schema %lld, "
			       "this one knows %d); use that version or name another place with "
			       "--store",
			       store->owned_path, (long long)version, SQL_SCHEMA_VERSION);
	return true;
}

static bool apply_changes(struct sqlite_store *store, struct err *e)
{
	int64_t version = 0;

	/* Read again inside the lock: another process may have done it meanwhile. */
	if (!read_number(store, "pragma user_version", &version, e) ||
	    !check_owner(store, version, e))
		return false;
	for (int64_t i = version; i < SQL_SCHEMA_VERSION; i++)
		if (!execute(store, sql_changes[i], e))
			return false;
	return set_number(store, "application_id", APPLICATION_ID, e) &&
	       set_number(store, "user_version", SQL_SCHEMA_VERSION, e) && execute(store, "commit", e);
}

/* One transaction, so that what is read belongs together while another process makes the tables. */
static bool look_at(struct sqlite_store *store, int64_t *ret_version, struct err *e)
{
	if (!execute(store, "begin", e))
		return false;

	const bool ok = read_number(store, "pragma user_version", ret_version, e) &&
			check_owner(store, *ret_version, e);

	(void)sqlite3_exec(store->owned_db, "rollback", NULL, NULL, NULL); /* nothing was written */
	return ok;
}

bool sqlite_migrate(struct sqlite_store *store, struct err *e)
{
	int64_t version = 0;

	if (!look_at(store, &version, e))
		return false;
	store->schema_found = version;
	if (version == SQL_SCHEMA_VERSION)
		return true;
	if (!execute(store, "begin immediate", e))
		return false;
	if (apply_changes(store, e))
		return true;
	(void)sqlite3_exec(store->owned_db, "rollback", NULL, NULL,
			   NULL); /* the first error counts */
	return false;
}
