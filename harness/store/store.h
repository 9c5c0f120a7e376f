/*
 * store.h - the durable memory: runs, journal, heal records, samples, ledger reads, locks, approvals,
 * stops, recordings.
 *
 * A path names a SQLite file; postgresql://USER@HOST/DATABASE names a store that machines share. What
 * returns true is on the disk (SQLite WAL, synchronous=FULL; a PostgreSQL commit). A store belongs to
 * one thread.
 * Every text is redacted with the secrets given to store_open before it is written.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "base/mem.h"
#include "base/secrets.h"
#include "model/facts.h"
#include "model/heal_record.h"
#include "model/timeline.h"

struct store;

/* Opens or makes it (file 0600, folder 0700). secrets may be NULL and must outlive the store. */
bool store_open(const char *path, const struct secrets *secrets, struct store **ret_store,
		struct err *e);
void store_close(struct store *store); /* NULL is fine */
/* What became known after the store was opened is hidden as well; NULL: no more. Borrowed. */
void store_hide_also(struct store *store, const struct secrets *secrets);
/* False: store_open would make it. */
bool store_is_there(const char *path);
/* For who keeps it open for long. False: its file was put aside, or another one lies in its place; what is
   written now goes where nobody looks. */
bool store_check_place(const struct store *store, struct err *e);

/* Is the server of a shared store away, so that what this process writes is kept on this machine until it
   is back? */
bool store_is_away(const struct store *store);
/* Stores that hold runs of this machine which the shared store of this URL has not got yet, to be opened
   by their paths. False: there is none. */
bool store_spools(const char *url, struct arena *arena, const char *const **ret_paths,
		  size_t *ret_count);

/* Where on this machine files stand that go with the store, to be completed by a suffix: its own path,
   or for a URL one in the state folder, the same for the same database whoever asks. */
void store_beside(const char *path, struct text *text);

/* The default place: $XDG_STATE_HOME/firedrill/firedrill.db, else ~/.local/state/... */
void store_default_path(struct text *text);

struct run_row {
	const char *run_id;
	const char *title;
	const char *version;
	struct clock_anchor anchor;
	const char *experiment_path;
	const char *experiment_text;
	const char *inventory_path;
	const char *inventory_text;
	const struct pair *vars;
	size_t var_count;
	const char *boot_id; /* of this machine, and our pid and its start: is the run alive? */
	int64_t pid;
	int64_t pid_start;
	const char *set_id; /* of the set of trials it belongs to; NULL: none */
	int64_t trial;      /* its number there, from 1; 0: none */
	const char *watch_of; /* the run that it only watches, and from which vantage point; NULL: none */
	const char *vantage;
	/* Its last sign of life; 0: there was none. */
	int64_t space;               /* process_space of its process */
	int64_t alive_until_wall_ns; /* it lives at least until then, as it said */
	bool is_shared; /* read from a store that other machines use, too */
	/* After the end: */
	bool is_ended;
	int64_t ended_wall_ns;
	int64_t exit_code;
	const char *sentence;
};

/* boot_id NULL: the process that calls. ERR_STORE when there is a run with this id, ERR_REFUSED
   when a document holds the value of a secret (with a hole in it, no report could read it again).
 */
bool store_run_begin(struct store *store, const struct run_row *row, struct err *e);
/* Once for a run. Seals the result together with the journal so far, the samples and ledger reads:
   put those first, they are refused afterwards. */
bool store_run_end(struct store *store, const char *run_id, int64_t ended_wall_ns,
		   int64_t exit_code, const char *sentence, struct err *e);
/* Newest first; limit 0: all. A list is light: the texts of the documents stay NULL. */
bool store_runs(struct store *store, size_t limit, struct arena *arena, struct run_row **ret_rows,
		size_t *ret_count, struct err *e);
/* By id, by a unique beginning of it, or "last", which is none that only watches. ERR_INPUT when there is
   none or more than one. */
bool store_run_find(struct store *store, const char *run, struct arena *arena,
		    struct run_row *ret_row, struct err *e);

/* A sign of life, for those who cannot see the process: "I live at least until then". */
bool store_run_beat(struct store *store, const char *run_id, int64_t space,
		    int64_t alive_until_wall_ns, struct err *e);

/* False once the process that began the run is gone. One that cannot be seen, because it is in another
   process namespace (a container) or, in a shared store, on another machine, is alive until the time of
   its last sign of life is over. */
bool store_run_is_alive(const struct run_row *row);

/* Several runs of one experiment; each of them is a run of its own and names the set. */
struct set_row {
	const char *set_id;
	const char *title;
	const char *version;
	int64_t wall_ns; /* when it began */
	uint64_t seed;   /* those of its trials are made of it */
	int64_t planned_count;
	const char *boot_id; /* as a run's */
	int64_t pid;
	int64_t pid_start;
	/* After the end: */
	bool is_ended;
	int64_t ended_wall_ns;
	int64_t trial_count;
	int64_t exit_code;
	const char *sentence;
	const char *stopped; /* why it ended before its last trial; NULL: it did not, or a trial says */
};

/* An id is taken once, by a run or a set. The process that calls is the set's. */
bool store_set_begin(struct store *store, const struct set_row *row, struct err *e);
/* Once for a set: set_id and what belongs to the end, sealed. */
bool store_set_end(struct store *store, const struct set_row *end, struct err *e);
/* Newest first; limit 0: all. */
bool store_sets(struct store *store, size_t limit, struct arena *arena, struct set_row **ret_rows,
		size_t *ret_count, struct err *e);
/* By id, or by a beginning that no other set has. ERR_INPUT when there is none or more than one. */
bool store_set_find(struct store *store, const char *set, struct arena *arena,
		    struct set_row *ret_row, struct err *e);
/* The runs of a set in the order of its trials; light, as those of store_runs. */
bool store_set_runs(struct store *store, const char *set_id, struct arena *arena,
		    struct run_row **ret_rows, size_t *ret_count, struct err *e);
bool store_set_is_alive(const struct set_row *row);

/* Fills number and hash of the event, then makes it durable. Also after the end of the run, for a
   heal from another process. */
bool store_append(struct store *store, const char *run_id, struct event *event, struct err *e);

/* Those with a higher number than `after`, in order. Not checked against the chain: for looking on
   while a run is under way; store_timeline is for judging. */
bool store_events_after(struct store *store, const char *run_id, uint64_t after,
			struct arena *arena, struct event **ret_events, size_t *ret_count,
			struct err *e);

enum heal_state { HEAL_PENDING = 1, HEAL_DONE, HEAL_LEFTOVER };

/* Durable before the inject; the state stays HEAL_PENDING until heal and read-back have succeeded.
   A second put for the same run, step and host replaces the first. ERR_REFUSED when the record
   holds a secret. */
bool store_heal_put(struct store *store, const struct heal_record *record, const char *before,
		    struct err *e);
bool store_heal_mark(struct store *store, const struct heal_record *record, enum heal_state state,
		     struct err *e);

struct heal_row {
	struct heal_record record;
	enum heal_state state;
	const char *before; /* text of read_back before the harm; NULL when it was not read */
};

/* Rows not HEAL_DONE, newest first; run_id NULL: of all runs. */
bool store_heals_open(struct store *store, const char *run_id, struct arena *arena,
		      struct heal_row **ret_rows, size_t *ret_count, struct err *e);

/* What runs come to, for histories: engine/facts.h derives it. Sealed as everything else. */
struct facts_rows {
	const struct facts_subject *subjects;
	size_t subject_count;
	const struct run_facts *rows; /* in any order */
	size_t row_count;
	uint64_t missing_count; /* runs, but watches, that have none: under way, broken off, or of before */
};

/* Puts or replaces those of one run. ret_has_changed: there were others before; may be NULL. */
bool store_facts_put(struct store *store, const struct facts_subject *subject,
		     const struct run_facts *facts, bool *ret_has_changed, struct err *e);
/* All of them, each checked against its seal: ERR_ALTERED when any are not as they were written. */
bool store_facts(struct store *store, struct arena *arena, struct facts_rows *ret_rows,
		 struct err *e);
/* Are these the ones that are kept for the run? *ret_is_there false: none are. */
bool store_facts_compare(struct store *store, const struct facts_subject *subject,
			 const struct run_facts *facts, bool *ret_is_there, bool *ret_is_same,
			 struct err *e);
/* The runs that have none, oldest first; light, as those of store_runs. */
bool store_facts_missing(struct store *store, struct arena *arena, struct run_row **ret_rows,
			 size_t *ret_count, struct err *e);

/* A second put for the same probe (or the same probe, count and read number) replaces the first. */
bool store_track_put(struct store *store, const char *run_id, const struct track *track,
		     struct err *e);
bool store_ledger_read_put(struct store *store, const char *run_id, const struct ledger_read *read,
			   struct err *e);

/* Everything of one run, checked against its hash chain; a broken chain is ERR_STORE. */
bool store_timeline(struct store *store, const char *run_id, struct arena *arena,
		    struct timeline *ret_timeline, struct err *e);

/* One run at a time for a target. ERR_REFUSED names the run that holds it. A lock whose run's
   process is gone is taken over when that run has nothing unhealed. */
bool store_lock_take(struct store *store, const char *run_id, const char *target, struct err *e);
bool store_locks_drop(struct store *store, const char *run_id, struct err *e);

struct lock_row {
	const char *target;
	const char *run_id;
};

/* All that are held, also by runs that died. */
bool store_locks(struct store *store, struct arena *arena, struct lock_row **ret_rows,
		 size_t *ret_count, struct err *e);

/* Somebody has agreed to what this digest stands for (engine/permission.h), for a while. */
struct approval_row {
	const char *digest;
	const char *person;  /* as that person says */
	const char *account; /* as the machine says: "anna@host" */
	const char *title;   /* of the experiment */
	int64_t wall_ns;
	int64_t until_wall_ns;
};

bool store_approve(struct store *store, const struct approval_row *row, struct err *e);
/* Those for this digest (NULL: all) in the order they came, also those that have expired. ERR_ALTERED
   when one is not as it was. */
bool store_approvals(struct store *store, const char *digest, struct arena *arena,
		     struct approval_row **ret_rows, size_t *ret_count, struct err *e);

/* A suite has no row of its own: its runs and sets bear its id, this, and their number. */
#define SUITE_MEMBER "-d"
/* "SUITE" of "SUITE-d01" (and its set SUITE-d01, which may be NULL); NULL: it is of no suite. */
const char *store_suite_of(const char *run_id, const char *set_id, struct arena *arena);

/* An order to heal and end: of one run, of a set of trials, of a suite, or of everything. */
struct stop_row {
	/* Id of a run, a set or a suite; NULL: every run, and none starts until resumed. */
	const char *subject;
	const char *person;
	const char *reason;
	int64_t wall_ns;
};

bool store_stop(struct store *store, const struct stop_row *row, struct err *e);
/* The newest order that is in force for this run (or its set, which may be NULL), or for all, else for
   its suite; run_id NULL: only for all. *ret_is_there false: none. */
bool store_stop_find(struct store *store, const char *run_id, const char *set_id,
		     struct arena *arena, bool *ret_is_there, struct stop_row *ret_row,
		     struct err *e);
/* Lifts the orders for all. *ret_count: how many there were. `lift` says who, why and when. */
bool store_resume(struct store *store, const struct stop_row *lift, size_t *ret_count,
		  struct err *e);

/* From now on this run is the newest of its title under that name, such as a branch's: what later
   ones are compared with. */
bool store_record(struct store *store, const char *name, const char *title, const char *run_id,
		  struct err *e);
/* Their ids, the newest first, at most `most`. */
bool store_recorded(struct store *store, const char *name, const char *title, size_t most,
		    struct arena *arena, const char ***ret_run_ids, size_t *ret_count,
		    struct err *e);

/* Somebody wants this run to stay (store_care.h). */
struct hold_row {
	const char *run_id;
	const char *person;
	const char *reason;
	int64_t wall_ns;
};

/* A schedule that is not to run until somebody lifts that. */
struct pause_row {
	const char *schedule; /* its name */
	const char *person;
	const char *reason;
	int64_t wall_ns;
};

bool store_pause(struct store *store, const struct pause_row *row, struct err *e);
/* Those in force, the newest of each schedule, by name. */
bool store_pauses(struct store *store, struct arena *arena, struct pause_row **ret_rows,
		  size_t *ret_count, struct err *e);
/* Lifts those of one schedule. *ret_count: how many there were. `lift` says which, who, why and when. */
bool store_unpause(struct store *store, const struct pause_row *lift, size_t *ret_count,
		   struct err *e);

#endif
