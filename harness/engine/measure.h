/*
 * measure.h - timeline in, numbers out. Pure: no clock, no store, no thread (design.md 3).
 */
#ifndef ENGINE_MEASURE_H
#define ENGINE_MEASURE_H

#include "base/mem.h"
#include "model/experiment.h"
#include "model/timeline.h"
#include "model/verdict.h"

struct measure_request {
	const struct track *track;
	bool is_required;
	struct span fault; /* the harm took effect in [low, high] = [sent, confirmed]; 0,0: none */
	int64_t baseline_from_ns;
	int64_t end_ns;	       /* samples due at or after it are not looked at */
	int64_t stable_for_ns; /* a good stretch counts once it lasts this long */
	/* When the harness began to heal (measure_heal_began_ns); 0: it did not. A service that
	   answers only after that was healed by us and never recovered by itself. */
	int64_t heal_began_ns;
	int64_t healed_ns;  /* the last heal was answered by then; 0: not known, and not waited for */
	int64_t timeout_ns; /* what a failed attempt waited at least */
	bool is_ledger;	    /* throughput is of acknowledged writes */
	int64_t over_ns;    /* time over this latency is told; 0: not */
	/* What the system did by itself, in order (measure_events); those between the first failure
	   and the first success part the RTO. */
	const struct named_event *events;
	size_t event_count;
};

/* The beginning of the heal phase; 0 when there was none. */
int64_t measure_heal_began_ns(const struct timeline *timeline);
/* When the last heal was answered; 0 when there was none. */
int64_t measure_healed_ns(const struct timeline *timeline);

/*
 * first_bad_due_ns is of the first outage, last_bad_due_ns of the last failure before the service
 * was stable (the one that rto.low counts from). Never recovered: rto.low is how long it was down
 * at least, rto.high how long it was watched. Counts, flaps, availability and downtime go on to the
 * end, so an outage after the recovery (an old primary that wakes up) shows there. Without a fault
 * they begin with the baseline, and the RTO is MEASURED_NOTHING.
 */
void measure_probe(const struct measure_request *request, struct probe_result *ret_result);

/*
 * The service's RTO: the slowest of the required probes'. Never recovered beats NOTHING, which
 * beats every span, which beats no outage. No required probe: NOTHING, and *ret_probe is NULL.
 */
void measure_service_rto(const struct probe_result *results, size_t count, enum measured *ret_kind,
			 struct span *ret_span, const char **ret_probe);

/* What the slowest required probe found, with the service's RTO. False: nothing was measured. */
bool measure_service(const struct probe_result *results, size_t count,
		     struct probe_result *ret_service);

/*
 * Classes and observed RPO of one ledger at one count. `read` NULL: it was not counted. Slots at or
 * beyond read->slot_count were not read and are not classified. `unexpected` is what the read-back
 * found outside the slots it classifies, and rows of slots in which nothing was sent.
 */
void measure_ledger(const struct track *track, const struct ledger_read *read, struct span fault,
		    struct ledger_count_result *ret_result);

/*
 * Picks the worse count for the verdict: more lost or corrupted rows, then the longer RPO
 * (by its high bound, then by its low one). `worse`
 * points into the result itself: call it again after copying one.
 */
void measure_ledger_worse(struct ledger_result *result);

#endif
