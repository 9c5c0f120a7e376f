/*
 * store_dues.h - due runs: what a scheduler has put down to be run, and which worker runs it. One row for
 * each occurrence of a schedule, however many schedulers put it; one worker at a time has it. A run that
 * has vantage points puts one row for each: a watch, which some worker is to begin at once.
 *
 * **A lease.** Who claims a row has it for lease_ns and renews that. Times of leases are the store's: the
 * server's clock in a shared one, so that the clocks of workers do not matter; this machine's in a file. A
 * claim is over when its process can be seen to be gone, or cannot be seen and its lease has ended.
 *
 * **At most once.** A row leaves DUE_WAITS once and never comes back: what a dead worker has claimed is
 * taken over to be healed and settled, not to be run again.
 */
#ifndef STORE_STORE_DUES_H
#define STORE_STORE_DUES_H

#include "model/label.h"
#include "store/store.h"

enum due_state {
	DUE_WAITS = 1, /* for a worker */
	DUE_CLAIMED,
	DUE_DONE,      /* its run ended by itself; exit_code says how */
	DUE_ABANDONED, /* its worker or its run died; what that left is healed */
	DUE_MISSED,    /* it was to run, and nobody was there in time */
	DUE_SKIPPED,   /* it was not to run: frozen, paused, ... */
};

/* A scheduler that knows the schedule of a row looks far more often. */
static const int64_t DUE_FORGOTTEN_NS = INT64_C(600000000000);

const char *due_state_name(enum due_state state); /* "due", "claimed", "done", ... */

struct due_row {
	int64_t due_id; /* the store's number of it; not needed to put one */
	/* Which occurrence: no two rows have all three in common. */
	const char *schedule;
	int64_t nominal_wall_ns;
	int64_t turn; /* of a chaos day the number of the experiment, from 1; else 1. Others are marks,
			 or watches */
	int64_t due_wall_ns;
	int64_t latest_wall_ns; /* nobody begins it later: then it is missed */
	/* Whole, so that it runs the same on every machine; NULL: a row that never runs. */
	const char *experiment_path;
	const char *experiment_text;
	const char *inventory_path;
	const char *inventory_text;
	const struct pair *vars;
	size_t var_count;
	const char *const *labels; /* a worker must have them all; at most LABELS_MAX */
	size_t label_count;
	/* Of a watch: the run that is watched, and from where. It is due now and no later than within_ns
	   from now, by the clock of leases, whatever due_wall_ns and latest_wall_ns say. NULL: none. */
	const char *watch_of;
	const char *vantage;
	int64_t within_ns; /* to put one only */
	enum due_state state;
	/* DUE_CLAIMED and after: */
	const char *worker; /* the one that has it, or had it last */
	const char *boot_id;
	int64_t pid;
	int64_t pid_start;
	int64_t space;
	int64_t lease_until_ns;
	const char *run_id; /* of the run or the set of trials, given before it begins */
	/* At the end: */
	int64_t ended_wall_ns;
	int64_t exit_code; /* of a run that ended; -1: there is none */
	const char *sentence;
};

/* Once for an occurrence, as DUE_WAITS, or as DUE_SKIPPED or DUE_MISSED with a sentence. *ret_is_new false:
   it is there already, and stays as it is. */
bool store_due_put(struct store *store, const struct due_row *row, bool *ret_is_new, struct err *e);

/* A worker: this process, under a name that no other one has. */
struct due_worker {
	const char *name;
	const char *const *labels;
	size_t label_count;
	int64_t lease_ns;
};

enum due_kind { DUE_RUN = 1, DUE_WATCH };

/* The longest due row of this kind that waits and whose labels this worker has; it is this worker's from
   here on. Its run_id is the one given and `-` and due_id, so that no two have the same. *ret_is_there
   false: there is none now. */
bool store_due_claim(struct store *store, const struct due_worker *worker, enum due_kind kind,
		     const char *run_id, struct arena *arena, bool *ret_is_there,
		     struct due_row *ret_row, struct err *e);
/* A row whose worker is gone, to be healed and finished by this one; and store_dues_miss. */
bool store_due_take_over(struct store *store, const struct due_worker *worker, enum due_kind kind,
			 struct arena *arena, bool *ret_is_there, struct due_row *ret_row,
			 struct err *e);
/* *ret_is_ours false: another worker has taken it over. */
bool store_due_renew(struct store *store, const struct due_worker *worker, int64_t due_id,
		     bool *ret_is_ours, struct err *e);
/* end: due_id, state, exit_code, sentence. *ret_is_ours false: nothing was changed, since another worker
   has taken it over. */
bool store_due_finish(struct store *store, const struct due_worker *worker,
		      const struct due_row *end, bool *ret_is_ours, struct err *e);

/* Newest first; limit 0: all. Light: without the texts of the documents and without labels. */
bool store_dues(struct store *store, size_t limit, struct arena *arena, struct due_row **ret_rows,
		size_t *ret_count, struct err *e);
/* Those that wait or are claimed, the longest due first; light as well. */
bool store_dues_open(struct store *store, struct arena *arena, struct due_row **ret_rows,
		     size_t *ret_count, struct err *e);
/* The watches of one run, in the order they were put; light as well. */
bool store_dues_watching(struct store *store, const char *run_id, struct arena *arena,
			 struct due_row **ret_rows, size_t *ret_count, struct err *e);
/* A row that waits and that nobody has begun in time becomes DUE_MISSED. *ret_is_new: by this call, so that one
   of all schedulers tells it. */
bool store_due_miss(struct store *store, int64_t due_id, bool *ret_is_new, struct err *e);
/* The same for all rows that no scheduler cares for: their time is over since DUE_FORGOTTEN_NS. */
bool store_dues_miss(struct store *store, struct err *e);
/* The newest row of one schedule: the mark up to which it is decided. */
bool store_due_newest(struct store *store, const char *schedule, struct arena *arena,
		      bool *ret_is_there, struct due_row *ret_row, struct err *e);

enum { DUE_STATE_SLOTS = DUE_SKIPPED + 1 }; /* for what is counted by state */

/* What has become of one schedule's occurrences; marks of a scheduler and watches are not counted. */
struct due_sum {
	const char *schedule;
	uint64_t counts[DUE_STATE_SLOTS];
	int64_t newest_due_wall_ns;
	int64_t newest_missed_wall_ns;  /* 0: none was missed */
	int64_t oldest_waiting_wall_ns; /* when the longest due one was due; 0: none waits */
	bool has_begun;
	int64_t last_delay_ns; /* of the newest one that has begun: from due to its run's beginning */
};

struct due_sums {
	struct due_sum *rows; /* by the name of the schedule */
	size_t count;
	int64_t now_wall_ns;  /* by the clock of leases */
	uint64_t worker_count; /* that have a row, and a lease on it that holds */
	uint64_t valid_count; /* leases that hold, those of watches as well */
	uint64_t expired_count;
};

/* From indices alone, however many rows there are. */
bool store_due_sums(struct store *store, struct arena *arena, struct due_sums *ret_sums,
		    struct err *e);

/*
 * For who waits for something to be put. *ret_has_news: something was, since the last call. Else *ret_fd
 * becomes readable when something is put or the connection breaks; -1: the store does not tell, look again
 * after a while. Ask before looking for something due, so that nothing is put in between unseen.
 */
bool store_due_news(struct store *store, bool *ret_has_news, int *ret_fd, struct err *e);

#endif
