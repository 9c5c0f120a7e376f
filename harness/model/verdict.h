/*
 * verdict.h - what was measured and what it means. Filled by engine/measure.c and engine/judge.c.
 */
#ifndef MODEL_VERDICT_H
#define MODEL_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "model/percentile.h"

/* The truth lies in [low, high]. */
struct span {
	int64_t low_ns;
	int64_t high_ns;
};

enum measured {
	MEASURED_NOTHING = 0,  /* no fault took effect, or no sample: there is nothing to say */
	MEASURED_SPAN,
	MEASURED_NO_OUTAGE,
	MEASURED_NEVER_RECOVERED, /* span.low is then how long it was down at least */
};

/* The high bound of a latency that nobody knows: the attempt failed, or was not made. */
#define NEVER_NS INT64_MAX

/* How well a probe was served in one window. Slots in which nobody looked make the bounds. */
struct service_level {
	int64_t from_ns;
	int64_t until_ns;
	uint64_t slot_count; /* 0: no attempt was due, and nothing below says anything */
	uint64_t good_count;
	uint64_t bad_count;
	uint64_t unseen_count; /* skipped or not sampled */
	uint64_t done_count;   /* good answers; of a ledger: acknowledged writes */
	int64_t done_milli_per_s;
	struct span latency[PERCENTILE_COUNT]; /* failed attempts count as their timeout or more */
	int64_t error_low_ppm;
	int64_t error_high_ppm;
	bool has_kept; /* false: nothing was done in the baseline, or this is it */
	int64_t kept_low_ppm; /* done_count for each slot, as a share of the baseline's */
	int64_t kept_high_ppm;
};

/* Of lateness. */
struct latency {
	uint64_t sample_count;
	int64_t p50_ns;
	int64_t p95_ns;
	int64_t p99_ns;
	int64_t max_ns;
};

/* One named part of the RTO; parts follow each other. */
struct rto_part {
	/* "until first failure seen", "until first success", "until stable"; between the first two
	   the system's own events: "until Patroni promoted db2" */
	const char *name;
	struct span span;
};

/* Three from the samples, and one for each of so many events of the system. */
enum { RTO_EVENT_PARTS = 9, RTO_PARTS = 3 + RTO_EVENT_PARTS };

/* Something that the system did by itself, as an event probe saw it. */
struct named_event {
	const char *probe;
	const char *host;      /* NULL: not known */
	const char *what;      /* "Patroni promoted db2" */
	const char *part_name; /* "until Patroni promoted db2" */
	bool is_placed;        /* false: `why` says why the moment is withheld */
	struct span at;        /* it took place in [low, high] on the run's clock */
	const char *why;       /* withheld, or not from the host's own clock; NULL: nothing to say */
};

struct probe_result {
	const char *probe;
	bool is_required;
	enum measured rto_kind;
	struct span rto;
	struct rto_part parts[RTO_PARTS];
	size_t part_count;
	size_t left_out_part_count;  /* events between failure and success beyond RTO_EVENT_PARTS */
	int64_t first_bad_due_ns;    /* 0: none after the fault */
	int64_t last_bad_due_ns;
	int64_t first_good_done_ns;  /* first good after the first bad */
	int64_t stable_from_ns;      /* done of the first of the stable stretch */
	struct span outage;          /* from the first failure until stable; whoever healed it */
	struct span downtime;        /* total, from the fault to the end */
	uint64_t flap_count;         /* good stretches too short to be stable, after the first bad */
	uint64_t good_count;         /* from the fault to the end */
	uint64_t bad_count;
	uint64_t skipped_count;
	uint64_t not_sampled_count;
	uint64_t late_count;         /* of good and bad: sent only once the next slot was due */
	uint64_t late_good_count;    /* of these: good */
	int64_t availability_low_ppm; /* bounds: skipped, not sampled and late slots counted bad / good */
	int64_t availability_high_ppm;
	struct service_level baseline;
	struct service_level during; /* from the fault until stable and healed */
	struct service_level after;
	int64_t over_ns;             /* the objective `degraded`: 0 when there is none, and then: */
	struct span time_over;       /* from the fault to the end, failed or slower than that */
	int64_t lateness_p50_ns;     /* sent - due: how honest our own timetable was */
	int64_t lateness_p99_ns;
	int64_t lateness_max_ns;
};

struct ledger_classes {
	uint64_t attempted;
	uint64_t acknowledged;
	uint64_t failed;
	uint64_t indeterminate;
	uint64_t ok;
	uint64_t lost;
	uint64_t corrupted;
	uint64_t recovered;
	uint64_t recovered_failed; /* of these: failed, yet present (a finding) */
	uint64_t absent;
	uint64_t duplicated;
	uint64_t unexpected;
	uint64_t lost_keys[LIMIT_LOST_KEYS_SHOWN]; /* the first ones: slots; lost and corrupted */
	size_t lost_key_count;
};

struct ledger_count_result {
	bool was_counted;     /* false: no read-back at that moment */
	bool is_readable;     /* false: `error` says why it could not be read */
	const char *error;
	struct ledger_classes classes;
	struct span rpo;      /* [0,0] when nothing is lost */
	uint64_t first_missing_count;
	uint32_t read_count;
	int64_t settle_ns;
};

struct ledger_result {
	const char *probe;
	struct ledger_count_result stable; /* once the service was stable again */
	struct ledger_count_result healed; /* after the fault was healed */
	const struct ledger_count_result *worse; /* the verdict's; NULL: none was readable */
};

enum verdict { VERDICT_NONE = 0, VERDICT_MET, VERDICT_MISSED, VERDICT_INCONCLUSIVE };

const char *verdict_name(enum verdict verdict); /* "met", "missed", "inconclusive", "none" */

/* Does recovery take longer than it did? */
enum slower { SLOWER_UNKNOWN = 0, SLOWER_NO, SLOWER_YES };

const char *slower_word(enum slower answer); /* "cannot tell", "not slower", "slower" */

struct objective_result {
	const char *name;     /* "rto", "latency p99 during", "check NAME" */
	const char *target;   /* for people: "at most 30 s" */
	const char *observed; /* "4.31 s to 4.35 s", "never recovered", "no outage seen at every=20ms" */
	const char *margin;   /* "25.7 s", "" */
	enum verdict verdict;
	const char *reason;   /* a sentence */
	const char *advice;   /* what would settle it, when inconclusive; NULL */
};

enum run_exit {
	EXIT_MET = 0,
	EXIT_MISSED = 1,
	EXIT_NOT_RUN = 2,
	EXIT_INCONCLUSIVE = 3,
	EXIT_LEFTOVER = 4,
	EXIT_NOT_STARTED = 5,
	EXIT_STOPPED = 6,
	EXIT_INTERNAL = 7,
};

enum { RUN_EXITS = EXIT_INTERNAL + 1 };

const char *run_exit_meaning(enum run_exit code); /* the sentence of design.md 4 */
/* What such an end says of the objectives; VERDICT_NONE: nothing. */
enum verdict run_exit_verdict(enum run_exit code);

struct outcome {
	bool is_watch;          /* it only watched another run: there is nothing to judge */
	enum verdict verdict;   /* of the run; VERDICT_NONE when it was not started or was stopped */
	enum run_exit exit_code;
	const char *sentence;   /* "Recovered in 4.31 s to 4.35 s (target 30 s); nothing lost." */
	int64_t stop_to_heal_ns; /* stopped: from the reason to the last heal; 0: nothing to heal */
};

#endif
