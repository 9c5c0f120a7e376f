/*
 * experiment.h - what to do and what was promised. Built by the loader, const afterwards.
 */
#ifndef MODEL_EXPERIMENT_H
#define MODEL_EXPERIMENT_H

#include "model/inventory.h"
#include "model/percentile.h"
#include "model/schedule.h"
#include "model/vantage.h"

/* One row of `probes:`, and also one of `validate:` (then `every_ns` is 0 and it is sampled once). */
struct probe_spec {
	const char *name;
	const char *kind;              /* "postgres.write"; a row of probes/table.c */
	const struct service *service; /* `on:`; NULL when `on:` names a host or is absent */
	const struct host *host;
	int64_t every_ns;
	int64_t timeout_ns;
	uint32_t lane_count;           /* never 0 after loading: ceil(timeout / every), or `lanes:` */
	bool is_required;              /* `required: false`: shown, but no objective depends on it */
	bool is_ledger;                /* from the probe's row */
	const struct probe_spec *ledger; /* of a reader: whose rows it reads; NULL: it is none */
	uint32_t rows_per_slot;        /* of a ledger: its batch; 0 as 1 */
	bool is_event;                 /* from the probe's row: it yields events and no samples */
	struct params params;
	const struct inventory *inventory;
	struct mark mark;
};

enum selector_kind { SELECT_HOSTS = 1, SELECT_SERVICE, SELECT_LABELS };

/* `on:` of a step. Candidates first (hosts, members or labels), then role, then how many of them. */
struct selector {
	enum selector_kind kind;
	const struct host *const *hosts; /* SELECT_HOSTS */
	size_t host_count;
	const struct service *service;   /* SELECT_SERVICE; also the target of service faults */
	const char *role;                /* "primary", "replica"; NULL: any. Resolved when it runs */
	const struct pair *labels;       /* SELECT_LABELS: all must match */
	size_t label_count;
	int64_t count;                   /* 0: all */
	int64_t percent_ppm;             /* 0: all; rounded down, at least 1 */
	bool is_random;                  /* else the first in the inventory's order */
	struct mark mark;
};

struct step {
	uint32_t index;      /* from 1 */
	const char *name;    /* `name:`, or the fault's name */
	int64_t at_ns;       /* after the end of the baseline */
	int64_t hold_ns;     /* `for:` healed this long after; 0: healed in the heal phase */
	const char *fault;   /* a row of harness/faults/table.c */
	struct selector on;
	struct params with;
	struct mark mark;
};

/* The probes that an objective looks at; none named: every required one. */
struct probe_choice {
	const struct probe_spec *const *probes;
	size_t count;
};

bool probe_is_chosen(const struct probe_choice *choice, const struct probe_spec *spec);

/* A percentile that is 0 was not promised. */
struct latency_objective {
	int64_t after_ns[PERCENTILE_COUNT];
	int64_t during_ns[PERCENTILE_COUNT];
	struct probe_choice choice;
};

struct share_objective {
	bool has_after;
	bool has_during;
	int64_t after_ppm;
	int64_t during_ppm;
	struct probe_choice choice;
};

struct degraded_objective {
	bool is_declared;
	int64_t over_ns;   /* slower than this is degraded; failed, too */
	int64_t target_ns; /* in all at most so long, from the fault to the end */
	struct probe_choice choice;
};

struct objectives {
	bool has_rto;
	bool has_rpo;
	bool has_availability;
	int64_t rto_ns;
	/* Of a set of trials: at least this share of them within rto_ns, with this confidence. */
	bool has_rto_share;
	int64_t rto_share_ppm;
	int64_t rto_confidence_ppm;
	int64_t rpo_ns;
	int64_t availability_ppm; /* of required probes, from the first harm to the end of settle */
	struct latency_objective latency;
	struct share_objective error_rate;
	struct share_objective throughput; /* share of the baseline's */
	struct degraded_objective degraded;
	bool has_split_brain; /* there must be none */
	bool has_stale_reads;
	bool has_staleness;
	bool has_non_monotonic_reads;
	int64_t stale_reads; /* at most so many, in all */
	int64_t staleness_ns;
	int64_t non_monotonic_reads;
};

/* No good sample for this long; or, when share_ppm is not 0, this share of the window is bad. */
struct stop_condition {
	const struct probe_spec *probe;
	int64_t bad_for_ns;
	int64_t share_ppm;
	int64_t window_ns;
	int64_t slower_than_ns; /* a good sample that took longer counts as bad; 0: none does */
	struct mark mark;
};

struct check {
	struct probe_spec probe; /* is_required: its failure misses the objective "check NAME" */
};

struct experiment {
	const char *title;
	const char *hypothesis; /* NULL: none */
	const struct service *service; /* the one the objectives speak of; NULL: none */
	struct objectives objectives;
	const struct probe_spec *probes;
	size_t probe_count;
	int64_t steady_good_for_ns;
	int64_t steady_within_ns;
	int64_t baseline_ns;
	const struct step *steps;
	size_t step_count;
	const struct stop_condition *stop_conditions;
	size_t stop_condition_count;
	int64_t stable_for_ns;
	int64_t observe_at_most_ns;
	int64_t settle_at_most_ns; /* for steady state after the heal, and for the ledger's read-back */
	int64_t lease_ns;          /* of the guards on the targets */
	int64_t run_at_most_ns;    /* total; a stop condition of its own */
	int64_t max_hosts;         /* blast radius; 0: no cap */
	int64_t trial_count;       /* 0: not said */
	bool has_seed;
	uint64_t seed;
	const struct check *checks;
	size_t check_count;
	const struct vantage_point *vantage_points;
	size_t vantage_point_count;
	const struct schedule *schedule; /* its own `schedule:`; NULL: none, or out of the store */
	const struct inventory *inventory;
	/* The documents as they were read (secrets still as ${...}), for the store. */
	const char *source_path;
	const char *source_text;
	const char *inventory_path;
	const char *inventory_text;
	const struct pair *vars; /* given with --var */
	size_t var_count;
};

/* What somebody who only watches may sample: probes that write nothing and read nothing that is written, and
   yield samples. */
bool probe_only_looks(const struct probe_spec *spec);
/* The same experiment for them: only such probes, nothing that harms, nothing promised. Its texts and rows are
   those of the experiment. */
struct experiment experiment_for_watch(const struct experiment *experiment, struct probe_spec *room);

bool objectives_any(const struct objectives *objectives);
const struct probe_spec *experiment_probe(const struct experiment *experiment, const char *name);

#endif
