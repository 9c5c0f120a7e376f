/*
 * vantage.h - vantage points: from where else a run is watched, and what was seen from there.
 *
 * Each machine measures by its own clock. Durations of several machines can stand side by side; moments
 * cannot, so there are none here.
 */
#ifndef MODEL_VANTAGE_H
#define MODEL_VANTAGE_H

#include "model/param.h"
#include "model/verdict.h"

enum { VANTAGE_POINTS_MAX = 8 };

/* What the machine that runs the experiment is called beside the others. */
#define VANTAGE_HERE "here"

/* One row of `vantage_points:`. */
struct vantage_point {
	const char *name;
	const char *const *labels; /* what the worker must have, as "site=eu-west"; at least one */
	size_t label_count;
	int64_t within_ns;         /* so long it may take to be there, with steady state */
	bool is_optional;          /* the run does not wait longer for it, and does not need it */
	struct mark mark;
};

/* One probe as one vantage point saw it, from its own steady state on. */
struct vantage_sight {
	const char *probe;
	int64_t every_ns;
	bool is_required;
	enum measured kind;     /* of outage */
	struct span outage;     /* from the first failure until stable; never: low is at least so long */
	struct span downtime;   /* in all */
	uint64_t attempt_count; /* good and bad */
	uint64_t bad_count;
	uint64_t unseen_count;  /* skipped or not sampled */
	int64_t lateness_p99_ns;
};

struct vantage_view {
	const char *name;
	const char *run_id; /* that watched, with its samples; NULL: none, or the run itself */
	const char *head;   /* of that run, when it had ended */
	const char *why;    /* nothing is told, and here is why; NULL: the sights are the whole */
	const struct vantage_sight *sights;
	size_t sight_count;
};

/* The sight that the service is judged by: the longest outage of the required probes. NULL: there is none. */
const struct vantage_sight *vantage_worst(const struct vantage_view *view);

#endif
