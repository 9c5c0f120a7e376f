/*
 * measure_vantage.h - what one machine saw of the service, in durations of its own clock. Pure.
 *
 * The same for the run itself and for those who only watch it: from the steady state of the gate to the end
 * of the measured time, by the probes that watchers have, too. Nobody is told when the fault was: an outage
 * counts from the first failure that was seen.
 */
#ifndef ENGINE_MEASURE_VANTAGE_H
#define ENGINE_MEASURE_VANTAGE_H

#include "base/mem.h"
#include "model/experiment.h"
#include "model/timeline.h"
#include "model/vantage.h"

/* Fills sights, or why there are none; name and run are the caller's. measured_until_ns: samples due at or
   after it are not looked at. */
void measure_vantage(const struct timeline *timeline, const struct experiment *experiment,
		     int64_t measured_until_ns, struct arena *arena, struct vantage_view *view);

#endif
