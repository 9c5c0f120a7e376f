/*
 * follower.h - the threads of one event probe: they look at its places on a timetable and note what
 * the system did there.
 *
 * One thread for each place, and looks of one place never overlap: a look that takes longer than
 * `every` makes the next one late, which widens the bound of what it finds and hides nothing. What is
 * seen waits in a queue with a bound until the run thread takes it.
 */
#ifndef ENGINE_FOLLOWER_H
#define ENGINE_FOLLOWER_H

#include "engine/engine.h"

struct follower;

bool follower_open(const struct probe_spec *spec, const char *run_id, const struct clock *clock,
		   struct follower **ret_follower, struct err *e);
bool follower_start(struct follower *follower, int64_t t0_ns, struct err *e);
/* By one thread; false: nothing waits. When sightings were lost because nobody took them in time,
   the last of them says so (is_blind). */
bool follower_take(struct follower *follower, struct outside_sight *ret_sight);
void follower_stop_begin(struct follower *follower);
void follower_stop_wait(struct follower *follower); /* what was seen can still be taken */
void follower_close(struct follower *follower);	    /* NULL is fine */

#endif
