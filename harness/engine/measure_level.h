/*
 * measure_level.h - how well a probe was served in one window of the run: percentiles of latency,
 * error rate, throughput; and the time over a latency. docs/measurement.md 4 has the rules.
 *
 * No attempt is left out because it failed: it waited at least its timeout, and nobody knows how
 * much longer. Slots in which nobody looked make the bounds.
 */
#ifndef ENGINE_MEASURE_LEVEL_H
#define ENGINE_MEASURE_LEVEL_H

#include "engine/measure.h"

/* baseline, during and after of the result; recovered_ns parts the latter two. */
void measure_levels(const struct measure_request *request, int64_t recovered_ns,
		    struct probe_result *ret_result);

/*
 * Time from the fault to the end of the run in which an attempt took longer than over_ns, or
 * failed. Two such attempts that follow each other are taken for one time, as in an outage. A slot
 * in which nobody looked is in the high bound.
 */
struct span measure_time_over(const struct measure_request *request, int64_t over_ns);

#endif
