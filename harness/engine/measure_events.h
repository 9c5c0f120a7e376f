/*
 * measure_events.h - when the system did what, on the run's clock, from the journal alone. Pure.
 *
 * An event may have two bounds: what our own clock says (it was not to be seen at one look, and was at
 * the next), and what its host's clock says, corrected by the distance of that clock, which was
 * measured before and after. The second is used where it can be, for it tells when the event happened
 * and not when it showed; it must not lie after the look that showed it.
 *
 * A clock that nobody sets keeps within 100 ppm of ours. So its distance at the event was that of the
 * measurement before, give or take the drift since; or, if it was set meanwhile, that of the one
 * after, give or take the drift until then. Both are carried into the event's bound. Where the two lie
 * further apart than their own bounds and the drift explain, the clock was set for sure, nobody knows how
 * often, and the host's own times are not used.
 */
#ifndef ENGINE_MEASURE_EVENTS_H
#define ENGINE_MEASURE_EVENTS_H

#include "base/mem.h"
#include "model/timeline.h"
#include "model/verdict.h"

/* In the order of their moments (the middle of the span); those without one last. */
void measure_events(const struct timeline *timeline, struct arena *arena,
		    const struct named_event **ret_events, size_t *ret_count);

#endif
