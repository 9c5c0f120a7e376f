/*
 * store_care.h - looking after a store: is every row as it was written, a copy of it, runs that come in
 * from elsewhere.
 */
#ifndef STORE_STORE_CARE_H
#define STORE_STORE_CARE_H

#include "store/store.h"

struct store_schema {
	int64_t found; /* when it was opened; 0: it was not there yet */
	int64_t now;
};

struct store_schema store_schema(const struct store *store);

struct store_findings {
	size_t run_count;
	size_t set_count;
	size_t approval_count;
	uint64_t event_count;
	size_t bad_count;
	/* Called for each thing that is not as it was written. */
	void (*tell)(void *ctx, const char *sentence);
	void *ctx;
};

/* Reads everything: the database's own check, every seal and chain, every heal record. False: the store
   cannot be read at all; what is not as it was is a finding. */
bool store_check(struct store *store, struct store_findings *findings, struct err *e);

/* True when store_backup can write the store into one file. */
bool store_has_backup(const struct store *store);
/* A whole copy (0600) while others use the store; the file must not be there yet. */
bool store_backup(struct store *store, const char *path, struct err *e);

enum import_end { IMPORT_FAILED = 0, IMPORT_DONE, IMPORT_WAS_THERE };

/* The run of a bundle, checked to its last byte and with every seal as it was. Refused when something of
   it is unhealed (a stranger's record would become a command here) or another run has its id. */
enum import_end store_import(struct store *store, const char *bundle_path, struct arena *arena,
			     struct run_row *ret_row, struct err *e);

/* ---- what is kept ---- */

/* Puts or replaces: the run stays, whatever its age, until it is released. ERR_INPUT: no such run. */
bool store_hold(struct store *store, const struct hold_row *row, struct err *e);
bool store_release(struct store *store, const char *run_id, bool *ret_was_held, struct err *e);
/* Oldest first. */
bool store_holds(struct store *store, struct arena *arena, struct hold_row **ret_rows,
		 size_t *ret_count, struct err *e);

enum prune_end { PRUNE_REMOVED = 1, PRUNE_NOT_ENDED, PRUNE_UNHEALED, PRUNE_HELD };

struct prune {
	int64_t before_wall_ns; /* those that began before then; 0: of any age */
	size_t keep_count;	/* and never the newest so many */
	bool is_dry;		/* only tells what it would do */
	/* Out: occurrences of schedules that went with them; of a dry one, those that would go now, while
	   the runs are still there. */
	uint64_t due_count;
	/* Called for each run that is old enough, and what became of it. */
	void (*tell)(void *ctx, const struct run_row *row, enum prune_end end);
	void *ctx;
};

/*
 * Removes whole runs. A set of trials goes with the last of its runs; an occurrence of a schedule that has
 * ended and was due as long ago goes as well, unless its run stays, or it is the newest of its schedule:
 * by that one schedulers know what is decided already. What asked for a watch is of no schedule, and stays as
 * long as the run that was watched.
 */
bool store_prune(struct store *store, struct prune *prune, struct err *e);

#endif
