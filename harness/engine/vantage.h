/*
 * vantage.h - the vantage points of a run, as the run itself sees them.
 *
 * Each is asked for by a due row in the store (store_dues.h), which a worker with its labels takes. That one
 * watches as a run of its own (run_watch.c): it says in its journal when it sees steady state, reads in the
 * journal of this run when the watching is over, and ends. What it saw is derived from its samples in the store
 * and becomes an event of this run, so that the report of this run needs no other record.
 *
 * Nobody is waited for without a bound, and nothing here harms anything.
 */
#ifndef ENGINE_VANTAGE_H
#define ENGINE_VANTAGE_H

#include <stdbool.h>
#include <stdint.h>

struct run;

/* One vantage point while the run goes on. */
struct vantage {
	int64_t due_id;       /* of the row that asks for it */
	const char *run_id;   /* of its watch, once somebody has taken it; NULL: nobody has */
	uint64_t seen_number; /* of the events of that: the last one that was read */
	bool is_there;        /* it watches, and saw steady state */
	const char *why;      /* nothing comes from it any more; NULL: something may */
};

/* Before the gate. False: the store did not take it, and the journal says that the run does not start. */
bool vantages_ask(struct run *run);
/* Before any harm: waits until each is there. False: one that is not optional is not, and the journal says why
   the run does not start; or the run is stopping. */
bool vantages_wait(struct run *run);
/* The last sample is taken. Once; later calls do nothing. */
void vantages_let_go(struct run *run);
/* Waits for what they saw, and writes it down; for each that has nothing to tell, why. */
void vantages_collect(struct run *run);

#endif
