/*
 * sqlite_schema.c - the tables, as a numbered list of changes. A store remembers how many of them
 * it has seen (user_version); an open brings it up to date, in one step, or refuses.
 *
 * Never edit a change that was released: append one.
 */
#include "store/sqlite_db.h"

#include <stdio.h>

/* "fdrl": tells our files from other people's SQLite files. */
enum { APPLICATION_ID = 0x6664726c };

static const char *const changes[] = {
	/* 1: runs, journal, heals, samples, ledger reads, locks. */
	"create table runs ("
	" seq integer primary key, run_id text not null unique,"
	" title text, version text, boot_ns integer not null, wall_ns integer not null,"
	" experiment_path text, experiment_text text, inventory_path text, inventory_text text,"
	" vars text not null, boot_id text not null, pid integer not null,"
	" pid_start integer not null, seal text not null,"
	" ended_wall_ns integer, exit_code integer, sentence text,"
	" end_number integer, end_hash text, end_series text, end_seal text) strict;"

	"create table events ("
	" run_id text not null references runs (run_id), number integer not null,"
	" at_ns integer not null, kind text not null, phase text not null,"
	" step integer not null, host text, name text,"
	" from_ns integer not null, until_ns integer not null, text text not null, data text,"
	" hash text not null, primary key (run_id, number)) strict, without rowid;"

	"create table heals ("
	" seq integer primary key, run_id text not null references runs (run_id),"
	" step integer not null, host text not null, record text not null, before text,"
	" state text not null, seal text not null, unique (run_id, step, host)) strict;"
	"create index heals_open on heals (state) where state <> 'done';"

	"create table tracks ("
	" seq integer primary key, run_id text not null references runs (run_id),"
	" probe text not null, t0_ns integer not null, every_ns integer not null,"
	" lane_count integer not null, slot_count integer not null, errors text not null,"
	" seal text not null, unique (run_id, probe)) strict;"

	"create table chunks ("
	" id integer primary key, run_id text not null, probe text not null,"
	" chunk integer not null, samples blob not null, unique (run_id, probe, chunk),"
	" foreign key (run_id, probe) references tracks (run_id, probe)) strict;"

	"create table ledger_reads ("
	" seq integer primary key, run_id text not null references runs (run_id),"
	" probe text not null, count integer not null, read_number integer not null,"
	" is_complete integer not null, error text, first_missing_count integer not null,"
	" settle_ns integer not null, slot_count integer not null, found_rows blob not null,"
	" unexpected blob not null, unexpected_kept integer not null,"
	" unexpected_count integer not null, seal text not null,"
	" unique (run_id, probe, count, read_number)) strict;"

	"create table locks ("
	" target text primary key, run_id text not null references runs (run_id)"
	") strict, without rowid;"
	"create index locks_run on locks (run_id);",

	/* 2: sets of trials; a run knows the set it belongs to, and its number there. */
	"create table sets ("
	" seq integer primary key, set_id text not null unique, title text, version text,"
	" wall_ns integer not null, seed text not null, planned_count integer not null,"
	" boot_id text not null, pid integer not null, pid_start integer not null,"
	" seal text not null, ended_wall_ns integer, trial_count integer, exit_code integer,"
	" sentence text, stopped text, end_seal text) strict;"
	"alter table runs add column set_id text;"
	"alter table runs add column trial integer not null default 0;"
	"create unique index runs_set on runs (set_id, trial) where set_id is not null;",

	/* 3: who has agreed to what, and orders to stop. */
	"create table approvals ("
	" seq integer primary key, digest text not null, person text not null,"
	" account text not null, title text, wall_ns integer not null,"
	" until_wall_ns integer not null, seal text not null) strict;"
	"create index approvals_digest on approvals (digest);"

	"create table stops ("
	" seq integer primary key, subject text, person text not null, reason text not null,"
	" wall_ns integer not null, lifted_wall_ns integer, lifted_by text,"
	" lifted_reason text) strict;"
	"create index stops_open on stops (subject) where lifted_wall_ns is null;",

	/* 4: signs of life of a run, for those who cannot see its process. */
	("alter table runs add column space integer not null default 0;"
	 "alter table runs add column alive_until_wall_ns integer not null default 0;"),

	/* 5: what runs come to, for histories. Runs of before have none until they are derived. */
	"create table fact_subjects ("
	" hash text primary key, subject text not null) strict, without rowid;"
	"create table facts ("
	" seq integer primary key,"
	" run_id text not null unique references runs (run_id) on delete cascade,"
	" facts blob not null) strict;",
};

enum { SCHEMA_VERSION = sizeof changes / sizeof changes[0] };

static bool read_number(struct sqlite_store *store, const char *sql, int64_t *ret_number,
			struct err *e)
{
	struct query query = query_make(store, sql);

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
	if (version < 0 || version > SCHEMA_VERSION)
		return err_set(e, ERR_STORE,
			       "open the store %s: a newer firedrill has written it (schema %lld, "
			       "this one knows %d); use that version or name another place with "
			       "--store",
			       store->owned_path, (long long)version, (int)SCHEMA_VERSION);
	return true;
}

static bool apply_changes(struct sqlite_store *store, struct err *e)
{
	int64_t version = 0;

	/* Read again inside the lock: another process may have done it meanwhile. */
	if (!read_number(store, "pragma user_version", &version, e) ||
	    !check_owner(store, version, e))
		return false;
	for (int64_t i = version; i < SCHEMA_VERSION; i++)
		if (!execute(store, changes[i], e))
			return false;
	return set_number(store, "application_id", APPLICATION_ID, e) &&
	       set_number(store, "user_version", SCHEMA_VERSION, e) && execute(store, "commit", e);
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
	if (version == SCHEMA_VERSION)
		return true;
	if (!execute(store, "begin immediate", e))
		return false;
	if (apply_changes(store, e))
		return true;
	(void)sqlite3_exec(store->owned_db, "rollback", NULL, NULL,
			   NULL); /* the first error counts */
	return false;
}
