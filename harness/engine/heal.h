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

/* True: healed, read back and equal. False: a leftover; the journal has its sentence. */
bool heal_one(const struct heal_job *job);

#endif
