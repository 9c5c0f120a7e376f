/*
 * kpi.h - a history in numbers: how fast, how often, how long ago. Filled by engine/kpi.c, told by
 * reports/kpi_*.c and the page. docs/kpi.md defines each number.
 *
 * A drill is a run that harmed something. Durations of recovery are spans, as everywhere; shares have
 * exact bounds; what was not measured is counted beside the numbers and never averaged into them.
 */
#ifndef MODEL_KPI_H
#define MODEL_KPI_H

#include "model/facts.h"

enum { KPI_MONTH_BYTES = 8, KPI_FEW = 10 }; /* "2026-11"; fewer drills than this: take care */

/* How the drills ended: each is in one of these. */
struct kpi_counts {
	uint64_t drill_count;
	uint64_t met_count;          /* exit 0 */
	uint64_t missed_count;       /* exit 1 */
	uint64_t inconclusive_count; /* exit 3 */
	uint64_t unhealed_count;     /* exit 4 */
	uint64_t stopped_count;      /* exit 6 */
	uint64_t broken_count;       /* exit 7, or it never came to its end */
};

/* So many of so many; what is open may be either, and is counted against us in low, for us in high. */
struct kpi_share {
	uint64_t drill_count;
	uint64_t met_count;
	uint64_t missed_count;
	uint64_t open_count;
	/* With the confidence that was asked for; of drill_count 0: 0 and 1,000,000. */
	int64_t low_ppm;
	int64_t high_ppm;
};

/* The service's observed RTO. Every drill is in one of the five counts. */
struct kpi_recovery {
	uint64_t measured_count; /* the spans below are over these; 0: they are 0 */
	struct span mean;        /* [mean of the lows, mean of the highs] */
	struct span best;
	struct span worst;
	uint64_t no_outage_count;
	uint64_t never_count;    /* never recovered by itself */
	int64_t never_down_ns;   /* the longest of these was down at least so long */
	uint64_t unknown_count;  /* nothing could be measured */
	uint64_t unproven_count; /* stopped, left unhealed or broken off: no recovery of its own */
};

/* Of a month, a service, a scenario, or of everything. */
struct kpi_sum {
	struct kpi_counts counts;
	struct kpi_share success; /* met: exit 0; missed: 1, 4 and 6; open: 3 and 7 */
	struct kpi_share rto;     /* of the drills that promised one */
	struct kpi_share rpo;
	struct kpi_recovery recovery;
	uint64_t lost_count;      /* acknowledged writes, in all */
	/* Failed runs are those with exit 1, 4 and 6. From the first drill until now. */
	uint64_t failed_count;
	int64_t exposure_ns;
	int64_t between_failed_ns; /* exposure / failed; 0: none failed */
};

struct kpi_service {
	const char *name;        /* "": none is named */
	const char *environment; /* "": none is named */
	struct kpi_sum sum;
};

struct kpi_month {
	size_t service;          /* index */
	char month[KPI_MONTH_BYTES];
	struct kpi_sum sum;
};

enum kpi_state {
	KPI_NEVER = 0, /* never tried */
	KPI_UNPROVEN,  /* tried, and no drill was met or missed */
	KPI_PROVEN,    /* of those that were met or missed, the last one was met */
	KPI_STALE,     /* the same, but too long ago */
	KPI_FAILED,    /* the last one was missed */
};

/* Observed RTO of the newest drills beside those before them. */
enum kpi_trend { KPI_TREND_UNKNOWN = 0, KPI_TREND_LEVEL, KPI_TREND_SLOWER, KPI_TREND_FASTER };

struct kpi_drift {
	uint64_t recent_count;   /* at most KPI_DRIFT_RUNS each */
	uint64_t earlier_count;
	struct span recent;      /* mean, as in kpi_recovery */
	struct span earlier;
	struct span change;      /* recent - earlier: may be negative */
	enum kpi_trend trend;    /* LEVEL: the change may be 0; UNKNOWN: too few */
	/* recent as a share of what is declared; low > high: nothing is declared, or none measured */
	int64_t used_low_ppm;
	int64_t used_high_ppm;
};

enum { KPI_DRIFT_RUNS = 10, KPI_DRIFT_LEAST = 3 };

/* One service under one scenario. Its state and its proof look at the whole history. */
struct kpi_scenario {
	size_t service;
	const char *name;
	const struct facts_subject *declared; /* of the newest drill, or of the expected experiment */
	enum kpi_state state;
	const struct run_facts *proof;        /* the last drill that was met; NULL */
	const struct run_facts *last;         /* the last drill; NULL: never tried */
	int64_t since_proof_ns;               /* from its end until now */
	struct kpi_sum sum;
	struct kpi_drift drift;
};

/* One experiment in one inventory, both unchanged, whose verdict changed again and again. */
struct kpi_flaky {
	const struct facts_subject *subject;
	size_t service;
	uint64_t decided_count; /* drills that were met or missed */
	uint64_t met_count;
	uint64_t flip_count;    /* changes from one of these to the next */
	const struct run_facts *last_flip;
};

/* A drill with what it took, in the order of time: what a chart of a service draws. */
struct kpi_point {
	size_t service;
	const struct run_facts *run;
};

struct kpi {
	int64_t now_wall_ns;
	int64_t since_wall_ns;   /* 0: from the beginning */
	int64_t stale_after_ns;
	int64_t confidence_ppm;
	const char *zone;        /* its name: of the months */
	const char *service;     /* only this one was asked for; NULL: all */
	const char *environment; /* the same */
	/* Runs of the window, and those that are no drills. */
	uint64_t run_count;
	uint64_t not_started_count; /* nothing was harmed: exit 5, or it ended before the harm */
	uint64_t harmless_count;    /* the experiment harms nothing */
	uint64_t missing_count;     /* runs of the store that have no facts: they are in no number */
	int64_t first_wall_ns;      /* of the first run of the window; 0: none */
	struct kpi_sum sum;
	const struct kpi_service *services; /* by name */
	size_t service_count;
	const struct kpi_month *months;     /* by service, then by month */
	size_t month_count;
	const struct kpi_scenario *scenarios; /* by service, then by name */
	size_t scenario_count;
	/* The matrix: scenario names across, services down; NULL: never tried. */
	const char *const *names;
	size_t name_count;
	const struct kpi_scenario *const *cells; /* service * name_count + name */
	const struct kpi_flaky *flaky;      /* most flips first */
	size_t flaky_count;
	const struct kpi_point *points;
	size_t point_count;
	const struct facts_subject *subjects; /* that the rows name */
};

const char *kpi_state_name(enum kpi_state state); /* "proven", "never tried" */
const char *kpi_trend_name(enum kpi_trend trend); /* "slower", "too few" */

#endif
