/*
 * permission.h - asks permit.h with what the store knows: before the start, right before every inject,
 * and for people who want to know beforehand. Every answer that matters is written into the journal.
 */
#ifndef ENGINE_PERMISSION_H
#define ENGINE_PERMISSION_H

#include "engine/permit.h"
#include "engine/run.h"

/* What is asked before there is a run. */
struct permission_request {
	const struct plan *plan;
	struct store *store; /* NULL: there is none yet, so nobody has approved or stopped anything */
	const struct clock *clock;
	enum permit_scope scope;
	struct permit_claim claim;
};

void permission_preview(const struct permission_request *request, struct arena *arena,
			struct permit_answer *ret_answer);

/* A sign of life now and then, so that a process that cannot see ours takes nothing from us. */
void permission_beat(struct run *run);

/* Takes every host that may be hit, by its name and by its address, so that no other inventory's
   name for it leads another run there. */
bool permission_lock(struct run *run, const struct host *const *hosts, size_t count, struct err *e);

/* False: refused, and the journal says why; nothing was harmed. */
bool permission_to_start(struct run *run);

/* Nothing is harmed while nobody can order a stop: returns when a shared store that was away is back, or
   the run is stopping. */
void permission_wait_for_store(struct run *run);

/* The same for one target, right before its inject, with the harm that is on now. False: the journal
   says why; what was done so far will be healed. */
bool permission_to_inject(struct run *run, const struct plan_step *planned, size_t target_index);

/* Looks twice a second whether somebody has ordered this run to stop; then it heals and ends. */
void permission_look_at_orders(struct run *run);

#endif
