/*
 * sql.h - the rows of the store in SQL: one set of statements (sql_*.c), and the few words in which
 * they talk to the database that keeps them. SQLite (sqlite_db.c) and PostgreSQL (postgres_db.c)
 * each speak these words.
 *
 * A query is made, bound from left to right, stepped and ended; the first thing that goes wrong is
 * kept and told at the end, so callers look once. Statements are written as both databases read
 * them: parameters are ? or ?1, ?2; one that only stands beside other parameters or constants has
 * its type said by a cast; every number is a bigint.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "store/store_ops.h"

struct sql; /* a database that is open */

struct query {
	struct sql *sql;
	void *owned_statement; /* the engine's */
	int bound_count;
	int code; /* the engine's: what the last step said */
};

struct sql_engine {
	void (*make)(struct query *query, const char *statement);
	void (*bind_text)(struct query *query, const char *text);
	void (*bind_int)(struct query *query, int64_t number);
	void (*bind_blob)(struct query *query, struct blob blob);
	bool (*row)(struct query *query);
	uint64_t (*changed)(const struct query *query);
	bool (*end)(struct query *query, struct err *e);
	const char *(*text)(struct query *query, int column, struct arena *arena);
	int64_t (*integer)(struct query *query, int column);
	struct blob (*blob)(struct query *query, int column, struct arena *arena);

	const char *all_facts; /* the statement that reads them, one or many in each row */

	bool (*hold)(struct sql *sql, const char *what, const char *name, struct err *e);
	bool (*now)(struct sql *sql, int64_t *ret_now_ns, struct err *e);
	bool (*tell_news)(struct sql *sql, struct err *e);
	bool has_row_locks; /* `for update skip locked` */
	bool (*check_heals)(struct sql *sql, struct err *e);
};

/* The first member of every backend that keeps its rows in SQL. */
struct sql {
	const struct sql_engine *engine;
};

struct query query_make(void *backend, const char *statement); /* a constant: it is kept as a key */
void query_bind_text(struct query *query, const char *text);   /* NULL: null */
void query_bind_int(struct query *query, int64_t number);
void query_bind_blob(struct query *query, struct blob blob);
bool query_row(struct query *query);		     /* true: there is a row to read */
uint64_t query_changed(const struct query *query);   /* rows, once it was stepped to its end */
bool query_end(struct query *query, struct err *e);  /* true when nothing went wrong */
bool query_done(struct query *query, struct err *e); /* steps to the end, then ends */
/* The same, and how many rows it has changed. */
bool query_done_counting(struct query *query, size_t *ret_count, struct err *e);

/* Damaged rows may hold anything: a text that is missing is NULL, and seals decide. A text with a
   NUL in it, which we never write, ends the query. */
const char *query_text(struct query *query, int column, struct arena *arena);
const char *query_text_or_empty(struct query *query, int column, struct arena *arena);
int64_t query_int(struct query *query, int column);
struct blob query_blob(struct query *query, int column, struct arena *arena);

/*
 * Within a write, from here to its end: nobody else who holds this name changes anything. What a
 * write reads before it decides must stand under a name that it holds: the id of a run or a set, or
 * a target. SQLite has one writer at a time, so there it is nothing.
 */
bool sql_hold_id(struct sql *sql, const char *id, struct err *e);
bool sql_hold_target(struct sql *sql, const char *target, struct err *e);

/* The wall clock by which leases of this store are measured. */
bool sql_now(struct sql *sql, int64_t *ret_now_ns, struct err *e);
/* Within a write: whoever waits for something due is told once it is committed. */
bool sql_tell_news(struct sql *sql, struct err *e);
bool sql_has_row_locks(const struct sql *sql);

bool sql_run_insert(void *backend, const struct stored_run *run, struct err *e);
bool sql_run_finish(void *backend, const struct stored_run *run, struct err *e);
bool sql_run_delete(void *backend, const char *run_id, struct err *e);
bool sql_run_beat(void *backend, const struct run_row *row, struct err *e);
bool sql_runs_read(void *backend, const struct run_query *wanted, struct arena *arena,
		   struct stored_run **ret_runs, size_t *ret_count, struct err *e);

bool sql_set_insert(void *backend, const struct stored_set *set, struct err *e);
bool sql_set_finish(void *backend, const struct stored_set *set, struct err *e);
bool sql_sets_read(void *backend, const char *beginning, size_t limit, struct arena *arena,
		   struct stored_set **ret_sets, size_t *ret_count, struct err *e);

bool sql_event_last(void *backend, const char *run_id, uint64_t *ret_number,
		    char ret_hash[HASH_TEXT_BYTES], struct err *e);
bool sql_event_insert(void *backend, const char *run_id, const struct event *event, struct err *e);
bool sql_events_read(void *backend, const char *run_id, uint64_t after, struct arena *arena,
		     struct event **ret_events, size_t *ret_count, struct err *e);
bool sql_heal_put(void *backend, const struct stored_heal *heal, struct err *e);
bool sql_heals_read(void *backend, const char *run_id, struct arena *arena,
		    struct stored_heal **ret_heals, size_t *ret_count, struct err *e);
bool sql_lock_read(void *backend, const char *target, struct arena *arena, const char **ret_run_id,
		   struct err *e);
bool sql_lock_put(void *backend, const char *target, const char *run_id, struct err *e);
bool sql_locks_drop(void *backend, const char *run_id, struct err *e);
bool sql_locks_read(void *backend, struct arena *arena, struct lock_row **ret_rows,
		    size_t *ret_count, struct err *e);

bool sql_approval_insert(void *backend, const struct stored_approval *approval, struct err *e);
bool sql_approvals_read(void *backend, const char *digest, struct arena *arena,
			struct stored_approval **ret_approvals, size_t *ret_count, struct err *e);
bool sql_recording_insert(void *backend, const struct stored_recording *recording, struct err *e);
bool sql_recordings_read(void *backend, const char *name, const char *title, size_t limit,
			 struct arena *arena, const char ***ret_run_ids, size_t *ret_count,
			 struct err *e);
bool sql_recordings_list(void *backend, struct arena *arena, struct stored_recording **ret_recordings,
			 size_t *ret_count, struct err *e);
bool sql_stop_insert(void *backend, const struct stop_row *row, struct err *e);
bool sql_stop_read(void *backend, const char *run_id, const char *set_id, struct arena *arena,
		   const struct stop_row **ret_stop, struct err *e);
bool sql_stops_lift(void *backend, const struct stop_row *lift, size_t *ret_count, struct err *e);

bool sql_pause_insert(void *backend, const struct pause_row *row, struct err *e);
bool sql_pauses_read(void *backend, struct arena *arena, struct pause_row **ret_rows,
		     size_t *ret_count, struct err *e);
bool sql_pauses_lift(void *backend, const struct pause_row *lift, size_t *ret_count, struct err *e);

bool sql_due_insert(void *backend, const struct stored_due *due, bool *ret_is_new, struct err *e);
bool sql_due_claim(void *backend, const struct stored_claim *claim, struct arena *arena,
		   struct stored_due **ret_due, struct err *e);
bool sql_due_take(void *backend, const struct stored_claim *claim, const struct due_row *from,
		  bool *ret_is_ours, struct err *e);
bool sql_due_renew(void *backend, const char *worker, int64_t due_id, int64_t lease_ns,
		   bool *ret_is_ours, struct err *e);
bool sql_due_finish(void *backend, const char *worker, const struct due_row *end,
		    bool *ret_is_ours, struct err *e);
bool sql_due_miss(void *backend, int64_t due_id, bool *ret_is_new, struct err *e);
bool sql_dues_miss(void *backend, int64_t *ret_now_ns, struct err *e);
bool sql_dues_read(void *backend, const struct due_query *wanted, struct arena *arena,
		   struct stored_due **ret_dues, size_t *ret_count, struct err *e);

bool sql_due_sums(void *backend, struct arena *arena, struct due_sums *ret_sums, struct err *e);
bool sql_dues_prune(void *backend, const struct due_prune *prune, uint64_t *ret_count,
		    struct err *e);

bool sql_track_put(void *backend, const char *run_id, const struct stored_track *track,
		   struct err *e);
bool sql_chunk_put(void *backend, const char *run_id, const char *probe, uint64_t chunk,
		   struct blob blob, struct err *e);
bool sql_tracks_read(void *backend, const char *run_id, struct arena *arena,
		     struct stored_track **ret_tracks, size_t *ret_count, struct err *e);
bool sql_chunks_read(void *backend, const char *run_id, const char *probe,
		     const struct chunk_sink *sink, struct err *e);
bool sql_ledger_read_put(void *backend, const char *run_id, const struct stored_ledger_read *read,
			 struct err *e);
bool sql_ledger_reads_read(void *backend, const char *run_id, struct arena *arena,
			   struct stored_ledger_read **ret_reads, size_t *ret_count, struct err *e);

bool sql_facts_put(void *backend, const struct stored_facts *facts, struct err *e);
bool sql_facts_read(void *backend, const char *run_id, const struct facts_sink *sink,
		    struct err *e);
bool sql_subjects_read(void *backend, struct arena *arena, struct stored_subject **ret_subjects,
		       size_t *ret_count, struct err *e);
bool sql_runs_count(void *backend, uint64_t *ret_count, struct err *e);

bool sql_hold_put(void *backend, const struct hold_row *row, struct err *e);
bool sql_hold_drop(void *backend, const char *run_id, size_t *ret_count, struct err *e);
bool sql_holds_read(void *backend, struct arena *arena, struct hold_row **ret_rows,
		    size_t *ret_count, struct err *e);

bool sql_audit_insert(void *backend, const struct stored_audit *audit, int64_t *ret_audit_id,
		      struct err *e);
bool sql_audit_finish(void *backend, const struct stored_audit *audit, struct err *e);
bool sql_audit_read(void *backend, int64_t before, size_t limit, struct arena *arena,
		    struct stored_audit **ret_audits, size_t *ret_count, struct err *e);

/* The changes that have made the tables what they are; sql_changes[i] leads to version i + 1. */
enum { SQL_SCHEMA_VERSION = 13 };
extern const char *const sql_changes[SQL_SCHEMA_VERSION];

/* The rows of store_ops that are the same for every engine. */
/* clang-format off: one a line, as they are added */
#define SQL_STORE_OPS                                                                              \
	.run_insert = sql_run_insert,                                                              \
	.run_finish = sql_run_finish,                                                              \
	.run_delete = sql_run_delete,                                                              \
	.run_beat = sql_run_beat,                                                                  \
	.runs_read = sql_runs_read,                                                                \
	.set_insert = sql_set_insert,                                                              \
	.set_finish = sql_set_finish,                                                              \
	.sets_read = sql_sets_read,                                                                \
	.event_last = sql_event_last,                                                              \
	.event_insert = sql_event_insert,                                                          \
	.events_read = sql_events_read,                                                            \
	.heal_put = sql_heal_put,                                                                  \
	.heals_read = sql_heals_read,                                                              \
	.lock_read = sql_lock_read,                                                                \
	.lock_put = sql_lock_put,                                                                  \
	.locks_drop = sql_locks_drop,                                                              \
	.locks_read = sql_locks_read,                                                              \
	.approval_insert = sql_approval_insert,                                                    \
	.approvals_read = sql_approvals_read,                                                      \
	.recording_insert = sql_recording_insert,                                                  \
	.recordings_read = sql_recordings_read,                                                    \
	.recordings_list = sql_recordings_list,                                                    \
	.stop_insert = sql_stop_insert,                                                            \
	.stops_lift = sql_stops_lift,                                                              \
	.pause_insert = sql_pause_insert,                                                          \
	.pauses_read = sql_pauses_read,                                                            \
	.pauses_lift = sql_pauses_lift,                                                            \
	.due_insert = sql_due_insert,                                                              \
	.due_claim = sql_due_claim,                                                                \
	.due_take = sql_due_take,                                                                  \
	.due_renew = sql_due_renew,                                                                \
	.due_finish = sql_due_finish,                                                              \
	.due_miss = sql_due_miss,                                                                  \
	.dues_miss = sql_dues_miss,                                                                \
	.dues_read = sql_dues_read,                                                                \
	.due_sums = sql_due_sums,                                                                  \
	.dues_prune = sql_dues_prune,                                                              \
	.track_put = sql_track_put,                                                                \
	.chunk_put = sql_chunk_put,                                                                \
	.tracks_read = sql_tracks_read,                                                            \
	.chunks_read = sql_chunks_read,                                                            \
	.ledger_read_put = sql_ledger_read_put,                                                    \
	.ledger_reads_read = sql_ledger_reads_read,                                                \
	.facts_put = sql_facts_put,                                                                \
	.facts_read = sql_facts_read,                                                              \
	.subjects_read = sql_subjects_read,                                                        \
	.runs_count = sql_runs_count,                                                              \
	.hold_put = sql_hold_put,                                                                  \
	.hold_drop = sql_hold_drop,                                                                \
	.holds_read = sql_holds_read,                                                              \
	.audit_insert = sql_audit_insert,                                                          \
	.audit_finish = sql_audit_finish,                                                          \
	.audit_read = sql_audit_read
/* clang-format on */

#endif
