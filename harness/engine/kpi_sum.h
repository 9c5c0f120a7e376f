/*
 * kpi_sum.h - one group of drills (a month, a service, a scenario, all) as it is added up.
 */
#ifndef ENGINE_KPI_SUM_H
#define ENGINE_KPI_SUM_H

#include "model/kpi.h"

/* A sum of durations that no number of drills makes too large: whole seconds and the rest. */
struct duration_sum {
	int64_t whole_s;
	int64_t rest_ns; /* 0 to a second for each one that was added */
};

struct kpi_gather {
	struct kpi_sum sum;
	struct duration_sum lows;
	struct duration_sum highs;
	int64_t first_wall_ns; /* of the first drill */
};

/* It harmed something, or cannot be told from one that did: exit 0, 1, 3 and 4 come behind the harm. */
bool kpi_is_drill(const struct facts_subject *subject, const struct run_facts *run);
/* Did the service recover by itself, in a time that was measured? */
bool kpi_is_measured(const struct run_facts *run);

/* Drills come in the order in which they began. */
void kpi_gather_add(struct kpi_gather *gather, const struct facts_subject *subject,
		    const struct run_facts *run);
/* The exposure lasts until now. Bounds take time, and say little of a month: has_bounds false leaves them
   0 and 1,000,000. */
void kpi_gather_finish(struct kpi_gather *gather, int64_t now_wall_ns, int64_t confidence_ppm,
		       bool has_bounds);

/* The mean of spans: between the mean of the lows, rounded down, and of the highs, rounded up. */
struct span kpi_mean(const struct span *spans, size_t count);

#endif
