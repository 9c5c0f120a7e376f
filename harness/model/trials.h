/*
 * trials.h - several runs of one experiment told as one: each trial, what they have in common, and
 * two groups of them side by side. Built by engine/trials_story.c and engine/compare.c.
 */
#ifndef MODEL_TRIALS_H
#define MODEL_TRIALS_H

#include "base/secrets.h"
#include "model/experiment.h"
#include "model/verdict.h"

/* Each is where the true value lies; high_ns INT64_MAX: it has no upper bound. */
struct span_summary {
	struct span min;
	struct span median;
	struct span p95;
	struct span max;
};

enum rank_method { RANK_NONE = 0, RANK_EXACT, RANK_NORMAL };

struct rank_test {
	enum rank_method method;
	double u;
	double p_greater;
	double p_less;
};

#endif
