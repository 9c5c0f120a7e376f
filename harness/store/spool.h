/*
 * spool.h - the shared store as one process uses it: PostgreSQL, and beside it a spool on this machine
 * that has every row of the run that this process is in, so that none is lost while the server is away.
 *
 * The spool is a SQLite store of its own for each process, in a folder of the state folder. What is
 * written goes to the server and into the spool; while the server is away, into the spool alone. When it
 * is back, what it lacks is copied, in order: events are numbered and chained, so nothing comes twice.
 * A run that has ended there leaves the spool. A spool that a dead process has left is brought to the
 * server by the next command that opens the store, or healed from by `firedrill heal`.
 */
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H

#include "store/store_private.h"

struct spool {
	struct store far;	  /* the server; is not closed as a store of its own */
	struct store *owned_near; /* NULL: this process has begun no run */
	char *owned_folder;
	char *owned_near_path;
	char near_run[LIMIT_NAME_BYTES + 1]; /* the run that is in it; "": none */
	bool is_near_ended;
	bool is_near_over; /* and its locks are dropped over there: nothing of it is needed here */
	bool is_away;
	int64_t retry_ns; /* not before then the server is asked again */
	struct err why;	  /* it is away */
	struct err left;  /* why a spool of a dead process could not be brought to the server */
	bool is_in_step;
	bool has_far; /* this step is one of the server's, too */
	bool has_near;
};

/* ---- spool.c ---- */

/* After a failure over there: is it gone, and was it there before? Then that is noted. */
bool spool_lost(struct spool *spool);
/* Outside of a step: the server, when it is there. False: e says why it is not. */
bool spool_far(struct spool *spool, struct err *e);
/* Is this the run that is in the spool? */
bool spool_has(const struct spool *spool, const char *run_id);
bool spool_fail_away(const struct spool *spool, struct err *e);
/* Within a step: a run of this process begins, so that there must be a spool. */
bool spool_take_run(struct spool *spool, const char *run_id, struct err *e);

/* ---- spool_rows.c ---- */

/* For what the server alone has, within a step and outside of one: NULL when it is away. Whatever fails there
   afterwards is looked at by spool_told, which returns `ok`. */
const struct store *spool_server(struct spool *spool, struct err *e);
bool spool_told(struct spool *spool, bool ok);

/* Rows of store_spool. */
bool spool_open(const char *url, int64_t deadline_ns, void **ret_backend, struct err *e);
void spool_set_deadline(void *backend, int64_t deadline_ns);
void spool_close(void *backend);
bool spool_begin(void *backend, bool is_write, struct err *e);
bool spool_commit(void *backend, struct err *e);
void spool_rollback(void *backend);
bool spool_make_room(void *backend);


#endif
