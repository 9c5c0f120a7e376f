/*
 * worker.h - takes due runs from the store and has each run by a process of its own: claim, start, renew
 * the lease, record what came of it. What a dead worker had claimed is taken over, healed and settled; it
 * never runs a second time (store_dues.h).
 *
 * How a run is started and how one is healed is in other hands: `firedrill worker` starts `firedrill run`
 * and `firedrill heal`, tests bring their own. This decides what is done with whose.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "base/child.h"
#include "base/clock.h"
#include "store/store_dues.h"

/* Watches are few and harm nothing: they are taken beside the jobs, so that no long run keeps a vantage point
   from being there. */
enum { WORKER_JOBS_MAX = 64, WORKER_WATCHES_MAX = 16 };

struct worker_hands {
	/* A process that runs it, or watches for it, as due->run_id. False: it cannot begin, and e says why. */
	bool (*start)(void *ctx, const struct due_row *due, struct child *ret_child, struct err *e);
	/* A process that undoes what this run or set has left, NULL: every run that died here. It exits with
	   EXIT_MET when nothing is left, EXIT_LEFTOVER when something is. */
	bool (*heal)(void *ctx, const char *run_id, struct child *ret_child, struct err *e);
	/* Its outcome is in the store: what start has put down for it may go. NULL: nothing to do. */
	void (*clear)(void *ctx, const struct due_row *due);
	void (*say)(void *ctx, const char *line); /* a line for people, of now */
	void *ctx;
};

struct worker_request {
	struct store *store;
	struct due_worker self;
	struct worker_hands hands;
	size_t job_count; /* runs at one time; at most WORKER_JOBS_MAX */
	bool is_once;     /* ends when nothing is left that it may run */
};

/*
 * Begins with healing what died here, then works until SIGTERM, SIGINT or SIGHUP comes: then it takes
 * nothing more and waits for what runs; after a second signal that heals and ends, too. These signals and
 * SIGCHLD are blocked while it works. False: it could not begin, since the store cannot be read; or it ends, since
 * the store was put aside.
 * *ret_leftover: something could not be healed at the beginning, so that nothing was taken.
 */
bool worker_run(const struct worker_request *request, bool *ret_leftover, struct err *e);

#endif
