/*
 * sqlite_db.h - the few words in which the sqlite files talk to SQLite.
 *
 * A query is made, bound from left to right, stepped and ended; the first thing that goes wrong is
 * kept and told at the end, so callers look once.
 */
#ifndef STORE_SQLITE_DB_H
#define STORE_SQLITE_DB_H

#include <sqlite3.h>

#include "store/store_ops.h"

enum { SQLITE_BUSY_TIMEOUT_MS = 5000 };

struct sqlite_store {
	sqlite3 *owned_db;
	char *owned_path;
	bool was_full; /* the last failure was for want of space */
};

struct query {
	struct sqlite_store *store;
	sqlite3_stmt *owned_stmt;
	int bound_count;
	int code; /* SQLITE_OK, SQLITE_ROW, SQLITE_DONE; else what went wrong */
};

/* Says what SQLite's code means and what to do. Returns false. */
bool sqlite_fail(struct sqlite_store *store, int code, struct err *e);

struct query query_make(struct sqlite_store *store, const char *sql);
void query_bind_text(struct query *query, const char *text); /* NULL: null */
void query_bind_int(struct query *query, int64_t number);
void query_bind_blob(struct query *query, struct blob blob);
bool query_row(struct query *query);		     /* true: there is a row to read */
bool query_end(struct query *query, struct err *e);  /* true when nothing went wrong */
bool query_done(struct query *query, struct err *e); /* steps to the end, then ends */

/* Damaged rows may hold anything: a text that is missing is NULL, and seals decide. A text with a NUL in
   it, which we never write, ends the query. */
const char *query_text(struct query *query, int column, struct arena *arena);
const char *query_text_or_empty(struct query *query, int column, struct arena *arena);
int64_t query_int(struct query *query, int column);
struct blob query_blob(struct query *query, int column, struct arena *arena);

/* The parts of store_sqlite (sqlite.c) that stand in files of their own. */
bool sqlite_migrate(struct sqlite_store *store, struct err *e);

bool sqlite_run_insert(void *backend, const struct stored_run *run, struct err *e);
bool sqlite_run_finish(void *backend, const struct stored_run *run, struct err *e);
bool sqlite_run_beat(void *backend, const struct run_row *row, struct err *e);
bool sqlite_runs_read(void *backend, const struct run_query *wanted, struct arena *arena,
		      struct stored_run **ret_runs, size_t *ret_count, struct err *e);

bool sqlite_set_insert(void *backend, const struct stored_set *set, struct err *e);
bool sqlite_set_finish(void *backend, const struct stored_set *set, struct err *e);
bool sqlite_sets_read(void *backend, const char *beginning, size_t limit, struct arena *arena,
		      struct stored_set **ret_sets, size_t *ret_count, struct err *e);

bool sqlite_event_last(void *backend, const char *run_id, uint64_t *ret_number,
		       char ret_hash[HASH_TEXT_BYTES], struct err *e);
bool sqlite_event_insert(void *backend, const char *run_id, const struct event *event,
			 struct err *e);
bool sqlite_events_read(void *backend, const char *run_id, struct arena *arena,
			struct event **ret_events, size_t *ret_count, struct err *e);
bool sqlite_heal_put(void *backend, const struct stored_heal *heal, struct err *e);
bool sqlite_heals_read(void *backend, const char *run_id, struct arena *arena,
		       struct stored_heal **ret_heals, size_t *ret_count, struct err *e);
bool sqlite_lock_read(void *backend, const char *target, struct arena *arena,
		      const char **ret_run_id, struct err *e);
bool sqlite_lock_put(void *backend, const char *target, const char *run_id, struct err *e);
bool sqlite_locks_drop(void *backend, const char *run_id, struct err *e);
bool sqlite_locks_read(void *backend, struct arena *arena, struct lock_row **ret_rows,
		       size_t *ret_count, struct err *e);

bool sqlite_approval_insert(void *backend, const struct stored_approval *approval, struct err *e);
bool sqlite_approvals_read(void *backend, const char *digest, struct arena *arena,
			   struct stored_approval **ret_approvals, size_t *ret_count,
			   struct err *e);
bool sqlite_stop_insert(void *backend, const struct stop_row *row, struct err *e);
bool sqlite_stop_read(void *backend, const char *run_id, const char *set_id, struct arena *arena,
		      const struct stop_row **ret_stop, struct err *e);
bool sqlite_stops_lift(void *backend, const struct stop_row *lift, size_t *ret_count,
		       struct err *e);

bool sqlite_track_put(void *backend, const char *run_id, const struct stored_track *track,
		      struct err *e);
bool sqlite_chunk_put(void *backend, const char *run_id, const char *probe, uint64_t chunk,
		      struct blob blob, struct err *e);
bool sqlite_tracks_read(void *backend, const char *run_id, struct arena *arena,
			struct stored_track **ret_tracks, size_t *ret_count, struct err *e);
bool sqlite_chunks_read(void *backend, const char *run_id, const char *probe,
			const struct chunk_sink *sink, struct err *e);
bool sqlite_ledger_read_put(void *backend, const char *run_id,
			    const struct stored_ledger_read *read, struct err *e);
bool sqlite_ledger_reads_read(void *backend, const char *run_id, struct arena *arena,
			      struct stored_ledger_read **ret_reads, size_t *ret_count,
			      struct err *e);

bool sqlite_facts_put(void *backend, const struct stored_facts *facts, struct err *e);
bool sqlite_facts_read(void *backend, const char *run_id, const struct facts_sink *sink,
		       struct err *e);
bool sqlite_subjects_read(void *backend, struct arena *arena, struct stored_subject **ret_subjects,
			  size_t *ret_count, struct err *e);
bool sqlite_facts_count(void *backend, uint64_t *ret_runs, uint64_t *ret_facts, struct err *e);

#endif
