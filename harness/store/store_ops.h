/*
 * store_ops.h - what a place to keep things must be able to do: SQLite (sqlite.c), PostgreSQL
 * (postgres.c, used by way of spool.c), and a bundle that is read (bundle_store.c).
 *
 * A backend keeps rows and knows nothing of secrets, seals or blobs: store.c and its neighbours
 * have hidden, sealed and packed everything before it comes here. All text read goes to the arena.
 */
#ifndef STORE_STORE_OPS_H
#define STORE_STORE_OPS_H

#include "base/process.h"
#include "store/store_audit.h"
#include "store/store_dues.h"

struct blob {
	const void *bytes;
	size_t length_bytes;
};

struct stored_run {
	struct run_row row; /* vars and var_count stay empty; they are in vars_json */
	const char *vars_json;
	const char *seal;    /* of everything known at the beginning */
	uint64_t end_number; /* the last event when the run ended, and its hash */
	const char *end_hash;
	const char *end_series; /* over the seals of all tracks and ledger reads at the end */
	const char *end_seal;	/* of everything known at the end, after `seal` */
};

struct stored_set {
	struct set_row row;
	const char *seal;     /* of everything known at the beginning */
	const char *end_seal; /* of everything known at the end, after `seal` */
};

#define HEAL_STATE_DONE "done"

struct stored_heal {
	const char *run_id;
	int64_t step;
	const char *host;
	const char *record_json;
	const char *before;
	const char *state; /* words, so that no damaged bit turns one into another */
	const char *seal;
};

struct stored_track {
	const char *probe;
	int64_t t0_ns;
	int64_t every_ns;
	int64_t lane_count;
	uint64_t slot_count;
	const char *errors_json;
	const char *seal; /* of the columns and of every chunk, in order */
	uint64_t chunk_count; /* read only: how many chunks there are; track_put is not told */
};

/* Takes the chunks of a track one after the other; false ends the reading. */
struct chunk_sink {
	bool (*take)(void *ctx, struct blob chunk, struct err *e); /* the bytes are lent */
	void *ctx;
};

struct stored_ledger_read {
	const char *probe;
	int64_t count; /* enum ledger_count */
	int64_t read_number;
	bool is_complete;
	const char *error;
	uint64_t first_missing_count;
	int64_t settle_ns;
	uint64_t slot_count;
	struct blob rows;
	struct blob unexpected;
	uint64_t unexpected_kept;
	uint64_t unexpected_count;
	const char *seal;
};

struct stored_approval {
	struct approval_row row;
	const char *seal; /* of everything in the row */
};

struct stored_due {
	struct due_row row; /* vars and var_count stay empty; they are in vars_json */
	const char *vars_json;
};

struct stored_claim {
	const char *worker;
	const char *labels; /* each between blanks: " a=b  c=d " */
	struct process_id process;
	int64_t space;
	int64_t lease_ns;
	const char *run_id; /* its beginning; the number of the row follows. NULL: it keeps its own */
	enum due_kind kind;
};

enum due_match { DUES_ALL = 1, DUES_OPEN, DUES_OF_SCHEDULE, DUES_CLAIMED, DUES_WATCHES };

struct due_query {
	enum due_match match;
	const char *text;   /* DUES_OF_SCHEDULE: its name; DUES_CLAIMED: labels as in stored_claim;
			       DUES_WATCHES: the run that they watch */
	size_t limit;	    /* 0: all */
	bool has_documents; /* false: the texts of the documents stay NULL, and labels empty */
};

struct stored_audit {
	struct audit_row row; /* outcome and is_altered are not looked at */
	const char *outcome;
	const char *seal; /* of everything in the row, but its number */
};

enum { DUES_PRUNED_AT_ONCE = 5000 };

/* Which ended rows go: never the newest of a schedule, which is its mark, nor one whose run is there. */
struct due_prune {
	int64_t before_wall_ns; /* due before then */
	size_t keep_count;	/* and never the newest so many */
	bool is_dry;
};

struct stored_recording {
	const char *name;
	const char *title; /* of the run's experiment */
	const char *run_id;
	int64_t wall_ns;
};

/* What the facts of many runs have in common, kept once under the hash of its text. */
struct stored_subject {
	const char *hash;
	const char *text;
};

struct stored_facts {
	const char *run_id;
	struct stored_subject subject;
	struct blob facts; /* sealed, and its length is in it */
};

/* Takes facts one after the other, or several at once, one behind the other; false ends the reading. */
struct facts_sink {
	bool (*take)(void *ctx, struct blob facts, struct err *e); /* the bytes are lent */
	void *ctx;
};

enum run_match { RUN_ANY = 1, RUN_LAST, RUN_EXACT, RUN_PREFIX, RUN_OF_SET, RUN_WITHOUT_FACTS };

struct run_query {
	enum run_match match;
	const char *run;    /* RUN_EXACT, RUN_PREFIX; RUN_OF_SET: the set */
	size_t limit;	    /* 0: all */
	bool has_documents; /* false: the texts of the documents stay NULL */
};

struct store_ops {
	bool (*open)(const char *path, void **ret_backend, struct err *e);
	void (*close)(void *backend); /* NULL is fine */

	/* begin .. commit is one durable step; what is read in it belongs together. */
	bool (*begin)(void *backend, bool is_write, struct err *e);
	bool (*commit)(void *backend, struct err *e);
	void (*rollback)(void *backend);
	/* After a failure: true when what stood in the way is gone (there is space now; another process
	   has finished the same), and a retry makes sense. */
	bool (*make_room)(void *backend);

	bool (*run_insert)(void *backend, const struct stored_run *run, struct err *e);
	bool (*run_finish)(void *backend, const struct stored_run *run, struct err *e);
	/* Newest first; those of a set in the order of their trials. */
	bool (*runs_read)(void *backend, const struct run_query *query, struct arena *arena,
			  struct stored_run **ret_runs, size_t *ret_count, struct err *e);

	bool (*run_beat)(void *backend, const struct run_row *row, struct err *e);

	bool (*set_insert)(void *backend, const struct stored_set *set, struct err *e);
	bool (*set_finish)(void *backend, const struct stored_set *set, struct err *e);
	/* Newest first; beginning NULL: all. limit 0: no limit. */
	bool (*sets_read)(void *backend, const char *beginning, size_t limit, struct arena *arena,
			  struct stored_set **ret_sets, size_t *ret_count, struct err *e);

	/* Number 0 when the run has no event yet. */
	bool (*event_last)(void *backend, const char *run_id, uint64_t *ret_number,
			   char ret_hash[HASH_TEXT_BYTES], struct err *e);
	bool (*event_insert)(void *backend, const char *run_id, const struct event *event,
			     struct err *e);
	/* Those with a higher number than `after`. */
	bool (*events_read)(void *backend, const char *run_id, uint64_t after,
			    struct arena *arena, struct event **ret_events, size_t *ret_count,
			    struct err *e);

	/* Puts or replaces. */
	bool (*heal_put)(void *backend, const struct stored_heal *heal, struct err *e);
	/* Every one of a run; or, run_id NULL, those of all runs whose state is not
	   HEAL_STATE_DONE. Newest first. */
	bool (*heals_read)(void *backend, const char *run_id, struct arena *arena,
			   struct stored_heal **ret_heals, size_t *ret_count, struct err *e);

	bool (*track_put)(void *backend, const char *run_id, const struct stored_track *track,
			  struct err *e); /* and removes the chunks of an older one */
	bool (*chunk_put)(void *backend, const char *run_id, const char *probe, uint64_t chunk,
			  struct blob blob, struct err *e);
	bool (*tracks_read)(void *backend, const char *run_id, struct arena *arena,
			    struct stored_track **ret_tracks, size_t *ret_count, struct err *e);
	bool (*chunks_read)(void *backend, const char *run_id, const char *probe,
			    const struct chunk_sink *sink, struct err *e); /* in order */

	bool (*ledger_read_put)(void *backend, const char *run_id,
				const struct stored_ledger_read *read, struct err *e);
	bool (*ledger_reads_read)(void *backend, const char *run_id, struct arena *arena,
				  struct stored_ledger_read **ret_reads, size_t *ret_count,
				  struct err *e);

	/* *ret_run_id is NULL when nobody holds it. */
	bool (*lock_read)(void *backend, const char *target, struct arena *arena,
			  const char **ret_run_id, struct err *e);
	bool (*lock_put)(void *backend, const char *target, const char *run_id, struct err *e);
	bool (*locks_drop)(void *backend, const char *run_id, struct err *e);
	bool (*locks_read)(void *backend, struct arena *arena, struct lock_row **ret_rows,
			   size_t *ret_count, struct err *e);

	bool (*approval_insert)(void *backend, const struct stored_approval *approval,
				struct err *e);
	bool (*approvals_read)(void *backend, const char *digest, struct arena *arena,
			       struct stored_approval **ret_approvals, size_t *ret_count,
			       struct err *e); /* oldest first; digest NULL: all */
	bool (*recording_insert)(void *backend, const struct stored_recording *recording,
				 struct err *e);
	/* Newest first. */
	bool (*recordings_read)(void *backend, const char *name, const char *title, size_t limit,
				struct arena *arena, const char ***ret_run_ids, size_t *ret_count,
				struct err *e);
	/* All of them, oldest first. */
	bool (*recordings_list)(void *backend, struct arena *arena,
				struct stored_recording **ret_recordings, size_t *ret_count,
				struct err *e);
	bool (*stop_insert)(void *backend, const struct stop_row *row, struct err *e);
	/* *ret_stop stays NULL when none is in force. */
	bool (*stop_read)(void *backend, const char *run_id, const char *set_id,
			  struct arena *arena, const struct stop_row **ret_stop, struct err *e);
	bool (*stops_lift)(void *backend, const struct stop_row *lift, size_t *ret_count,
			   struct err *e);
	bool (*pause_insert)(void *backend, const struct pause_row *row, struct err *e);
	/* Those in force, the newest of each schedule, by name. */
	bool (*pauses_read)(void *backend, struct arena *arena, struct pause_row **ret_rows,
			    size_t *ret_count, struct err *e);
	bool (*pauses_lift)(void *backend, const struct pause_row *lift, size_t *ret_count,
			    struct err *e);

	/* Puts or replaces, and its subject as well. */
	bool (*facts_put)(void *backend, const struct stored_facts *facts, struct err *e);
	/* Of one run, or, run_id NULL, of all, in any order. NULL: this one has none. */
	bool (*facts_read)(void *backend, const char *run_id, const struct facts_sink *sink,
			   struct err *e);
	bool (*subjects_read)(void *backend, struct arena *arena,
			      struct stored_subject **ret_subjects, size_t *ret_count,
			      struct err *e);
	bool (*runs_count)(void *backend, uint64_t *ret_count, struct err *e);

	bool (*due_insert)(void *backend, const struct stored_due *due, bool *ret_is_new,
			   struct err *e); /* *ret_is_new false: it is there already */
	/* *ret_due stays NULL when none can be claimed. */
	bool (*due_claim)(void *backend, const struct stored_claim *claim, struct arena *arena,
			  struct stored_due **ret_due, struct err *e);
	/* From the worker and the lease that `from` has: else *ret_is_ours false. */
	bool (*due_take)(void *backend, const struct stored_claim *claim, const struct due_row *from,
			 bool *ret_is_ours, struct err *e);
	bool (*due_renew)(void *backend, const char *worker, int64_t due_id, int64_t lease_ns,
			  bool *ret_is_ours, struct err *e);
	bool (*due_finish)(void *backend, const char *worker, const struct due_row *end,
			   bool *ret_is_ours, struct err *e);
	bool (*due_miss)(void *backend, int64_t due_id, bool *ret_is_new, struct err *e);
	/* Those whose time is long over. *ret_now_ns: by the clock of leases. */
	bool (*dues_miss)(void *backend, int64_t *ret_now_ns, struct err *e);
	bool (*dues_read)(void *backend, const struct due_query *query, struct arena *arena,
			  struct stored_due **ret_dues, size_t *ret_count, struct err *e);
	bool (*due_sums)(void *backend, struct arena *arena, struct due_sums *ret_sums,
			 struct err *e);
	/* At most DUES_PRUNED_AT_ONCE; or, when it is dry, all of them are only counted. */
	bool (*dues_prune)(void *backend, const struct due_prune *prune, uint64_t *ret_count,
			   struct err *e);
	/* NULL: this one does not tell. */
	bool (*due_news)(void *backend, bool *ret_has_news, int *ret_fd, struct err *e);

	bool is_shared; /* processes of other machines use it, too */
	int64_t schema_now; /* the changes of its tables that this version knows */
	int64_t (*schema_found)(const void *backend); /* how many of them it had when it was opened */
	/* The database's own look at itself. ERR_ALTERED names what it found. */
	bool (*check)(void *backend, struct err *e);
	/* The run and all its rows; and the set that it was the last one of. */
	bool (*run_delete)(void *backend, const char *run_id, struct err *e);
	/* After a failure: was it that the server is not there? NULL: there is none. */
	bool (*is_away)(const void *backend, struct err *ret_why);
	/* Puts or replaces. */
	bool (*hold_put)(void *backend, const struct hold_row *row, struct err *e);
	bool (*hold_drop)(void *backend, const char *run_id, size_t *ret_count, struct err *e);
	bool (*holds_read)(void *backend, struct arena *arena, struct hold_row **ret_rows,
			   size_t *ret_count, struct err *e); /* oldest first */
	bool (*audit_insert)(void *backend, const struct stored_audit *audit, int64_t *ret_audit_id,
			     struct err *e);
	bool (*audit_finish)(void *backend, const struct stored_audit *audit, struct err *e);
	/* Newest first, of those with a lower number than `before` (0: of all). limit 0: no limit. */
	bool (*audit_read)(void *backend, int64_t before, size_t limit, struct arena *arena,
			   struct stored_audit **ret_audits, size_t *ret_count, struct err *e);
	/* A whole copy in one file (0600) that is not there yet; NULL: this one has other ways. */
	bool (*backup)(void *backend, const char *path, struct err *e);
};

extern const struct store_ops store_sqlite;
extern const struct store_ops store_postgres;
extern const struct store_ops store_spool; /* PostgreSQL, and a spool for when it is away: spool.h */

#endif
