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
	struct span fault;     /* the harm took effect in [low, high] = [sent, confirmed]; 0,0: none */
	int64_t baseline_from_ns;
	int64_t end_ns;        /* samples due at or after it are not looked at */
	int64_t stable_for_ns; /* a good stretch counts once it lasts this long */
};

void measure_probe(const struct measure_request *request, struct probe_result *ret_result);

/* The service's RTO: the slowest of the required probes'. Never recovered beats every span. */
void measure_service_rto(const struct probe_result *results, size_t count,
			 enum measured *ret_kind, struct span *ret_span, const char **ret_probe);

/* Classes and observed RPO of one ledger at one count. `read` NULL: it was not counted. */
void measure_ledger(const struct track *track, const struct ledger_read *read, struct span fault,
		    struct ledger_count_result *ret_result);

/* Picks the worse count for the verdict: more lost or corrupted rows, then the longer RPO. */
void measure_ledger_worse(struct ledger_result *result);

#endif
