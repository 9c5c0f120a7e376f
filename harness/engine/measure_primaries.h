/*
 * measure_primaries.h - two primaries at once: what a watch over all members proves, and what it cannot
 * exclude. Pure. docs/measurement.md has the definitions and an example.
 */
#ifndef ENGINE_MEASURE_PRIMARIES_H
#define ENGINE_MEASURE_PRIMARIES_H

#include "base/mem.h"
#include "model/standing.h"
#include "model/timeline.h"

/* From the EVENT_STANDINGs of this probe. */
void measure_primaries(const struct timeline *timeline, const char *probe, struct arena *arena,
		       struct primaries_result *ret_result);

#endif
