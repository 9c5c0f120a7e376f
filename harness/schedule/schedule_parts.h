/*
 * schedule_parts.h - what the files behind schedule.h share: occurrence.c (when), fate.c (whether),
 * decide.c (what now).
 */
#ifndef SCHEDULE_SCHEDULE_PARTS_H
#define SCHEDULE_SCHEDULE_PARTS_H

#include "schedule/schedule.h"

/* The first occurrence whose nominal moment is after the one given; its fate is not looked at. False:
   there is none. */
bool occurrence_after(const struct schedule *schedule, int64_t nominal_wall_ns,
		      struct occurrence *ret_occurrence);

/* How far before the moment in which it is due an occurrence may have its nominal one. */
static const int64_t OCCURRENCE_SPREAD_MAX_NS = 26 * 3600 * NS_PER_S;

/*
 * What would become of it if it began at wall_ns; *ret_why is set unless it runs. experiment NULL: of
 * the whole schedule, which is closed when all of its experiments are.
 */
enum fate fate_at(const struct schedule *schedule, const struct scheduled_experiment *experiment,
		  const struct schedule_pause *pause, int64_t wall_ns, struct arena *arena,
		  const char **ret_why);
/* The same, and `not_after` of this occurrence. */
enum fate fate_of(const struct schedule *schedule, const struct occurrence *occurrence,
		  const struct schedule_pause *pause, int64_t wall_ns, struct arena *arena,
		  const char **ret_why);

#endif
