/*
 * suite.h - which experiments of a suite may run at one time. Pure: processes and the store are
 * harness/cli's, and what the suite comes to is model/suite.h's.
 */
#ifndef ENGINE_SUITE_H
#define ENGINE_SUITE_H

#include "engine/engine.h"

/* What an experiment touches, as far as its plan tells. */
struct footprint {
	const char **harmed;  /* its targets, by name and by place: what its run will lock */
	size_t harmed_count;
	const char **watched; /* places of hosts that its probes look at, members of services, too */
	size_t watched_count;
};

void suite_footprint(const struct plan *plan, struct arena *arena, struct footprint *ret_footprint);

/*
 * Would one of them spoil the other? They do when they share a target, and when one harms what the
 * other watches: its steady state would not hold, or it would measure somebody else's outage.
 */
bool suite_do_clash(const struct footprint *one, const struct footprint *other);

enum suite_place { SUITE_WAITS = 0, SUITE_RUNS, SUITE_OVER };

/* The first that waits and clashes with none that runs; `count`: none may start now. At most `jobs`
   run at one time. */
size_t suite_next(const struct footprint *footprints, const enum suite_place *places, size_t count,
		  size_t jobs);

#endif
