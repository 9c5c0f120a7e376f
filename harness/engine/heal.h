/*
 * heal.h - undoing one fault on one target, and proving that it is undone. Used inside a run and by
 * heal_runs from another process; both work from the written record alone.
 */
#ifndef ENGINE_HEAL_H
#define ENGINE_HEAL_H

#include "engine/journal.h"
#include "engine/sessions.h"

/* How a healing waits: a run goes on watching and renewing leases meanwhile. */
struct patience {
	void (*wait_until)(void *ctx, int64_t until_ns);
	void *ctx;
};

struct heal_job {
	const struct heal_record *record;
	const char *before;       /* state before the harm; NULL: it was not read */
	struct journal *journal;
	struct sessions *sessions;
	struct patience patience;
	int64_t recover_at_most_ns; /* for the state to be as before again */
};

/*
 * Undoes many, newest first as they stand in `jobs`, then reads each back; the journal has a sentence
 * for each. Returns how many are healed, read back and equal; ret_is_healed (may be NULL) says which.
 *
 * A host that does not answer is set aside, so that it keeps no other host waiting; what was done to
 * one host is still undone in its order. All jobs share the sessions, the journal and the patience.
 */
size_t heal_many(const struct heal_job *jobs, size_t count, bool *ret_is_healed);

#endif
