/*
 * stop.h - stop conditions: rules over the live samples that end a run before it does more harm.
 *
 * A rule speaks from the first harm to the last heal. It says when it was met by the samples, which is
 * earlier than the moment somebody looked; how long the last heal took from there is in the report.
 */
#ifndef ENGINE_STOP_H
#define ENGINE_STOP_H

#include "engine/watch.h"

/* The last `window` of one condition's probe, moved along as its samples end. Zero-initialise. */
struct stop_window {
	uint64_t first_slot;  /* slots [first_slot, next_slot) are counted */
	uint64_t next_slot;
	int64_t bad_count;    /* of them: bad, or good and slower than `slower_than` */
	int64_t blind_count;  /* of them: not sampled by this machine */
};

/*
 * Whether the condition is met, looking at what has ended since the last call. *ret_met_ns: since
 * when, on the run's clock; why is added to ret_why. Slots before the first are counted as good, so
 * that a window longer than the baseline is not blind; slots that this machine missed do not count.
 */
bool stop_is_met(const struct stop_condition *condition, struct stop_window *window,
		 const struct watch *watch, int64_t first_harm_ns, int64_t now_ns,
		 int64_t *ret_met_ns, struct text *ret_why);

/* "probe `reads` bad for 3 s", for the plan. */
void stop_tell(const struct stop_condition *condition, struct text *text);

#endif
