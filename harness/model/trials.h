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

/* One run of a set. */
struct trial {
	int64_t number; /* from 1 */
	const char *run_id;
	uint64_t seed;
	int64_t begun_wall_ns;
	int64_t took_ns;
	enum measured rto_kind;
	/* Of the service. For order: no outage seen is [0, every], never recovered has no upper
	   bound (INT64_MAX); MEASURED_NOTHING has no place. */
	struct span rto;
	const struct objective_result *objectives;
	size_t objective_count;
	struct outcome outcome;
	/* What the trial comes to without its objective rto: a share speaks of all trials' rto. */
	enum run_exit exit_but_rto;
	bool counts; /* for the share: its rto was judged, and it came as far as the fault */
};

/* How many trials were within the target, and what that says of the long run. */
struct trial_share {
	uint64_t trial_count;
	uint64_t met_count;
	uint64_t missed_count;
	uint64_t inconclusive_count; /* counted against us in both bounds: missed below, met above */
	int64_t low_ppm;  /* rounded down */
	int64_t high_ppm; /* rounded up */
};

/* All that a report of a set sees. */
struct trial_set {
	const char *set_id;
	const char *version;
	const char *title;
	const char *hypothesis; /* NULL: none */
	const char *service;    /* its name; NULL: none */
	struct objectives promised;
	uint64_t seed;
	int64_t planned_count;
	int64_t begun_wall_ns;
	int64_t ended_wall_ns; /* of the last trial, as far as it is known */
	bool is_ended;
	bool is_alive;         /* not ended, and its process is still there */
	const char *stopped;   /* why it ended between two trials; NULL */
	const struct trial *trials;
	size_t trial_count;
	struct span_summary rto;
	size_t ranked_count;   /* trials that rto speaks of */
	size_t no_outage_count;
	size_t never_count;
	struct trial_share share; /* trial_count 0: no rto was promised, or none was judged */
	const struct objective_result *objectives;
	size_t objective_count;
	struct outcome outcome;
	const struct secrets *secrets; /* reports redact with it */
};

#endif
