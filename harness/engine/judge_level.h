/*
 * judge_level.h - what the objectives about service levels share: a value of each chosen probe, in
 * bounds, against a target; the worst probe's row is the objective's.
 */
#ifndef ENGINE_JUDGE_LEVEL_H
#define ENGINE_JUDGE_LEVEL_H

#include "engine/judge_parts.h"

/* What was measured of one probe. Higher is worse. */
struct level_bounds {
	int64_t low;
	int64_t high;
	const char *unknown; /* why there is nothing to compare; NULL: there is */
	const char *advice;  /* for that */
};

struct level_row {
	const char *name;   /* "latency p99 during" */
	const char *target; /* "at most 200 ms" */
	const struct probe_choice *choice;
	int64_t limit; /* in the unit of the bounds: higher is worse, too */
	bool is_during;
	bool is_share;  /* of the part's time: what was not watched could have changed it */
	int percentile; /* for read */
	void (*read)(struct bench *bench, const struct level_row *row,
		     const struct probe_result *probe, struct level_bounds *ret_bounds);
	const char *(*say)(struct bench *bench, int64_t low, int64_t high);
	const char *(*say_margin)(struct bench *bench, int64_t amount);
	const char *met_reason;
	const char *missed_reason;
	const char *advice; /* when the target lies inside the bounds */
};

/* Adds the row. */
void judge_level_row(struct bench *bench, const struct level_row *row);

/* The part of the run; fills `unknown` when no attempt was due in it. */
const struct service_level *judge_level_of(struct bench *bench, const struct probe_result *probe,
					   bool is_during, struct level_bounds *bounds);

#endif
