/*
 * measure_lag.h - answers of primaries in, lag of each replica out; and the loss that the failover's own
 * settings allow. Pure. docs/measurement.md 4 has the rules.
 */
#ifndef ENGINE_MEASURE_LAG_H
#define ENGINE_MEASURE_LAG_H

#include "base/mem.h"
#include "model/experiment.h"
#include "model/lag.h"
#include "model/timeline.h"

struct measure_lag_request {
	const struct timeline *timeline;
	const char *probe;
	struct span fault; /* [sent, confirmed]; 0,0: none */
	int64_t baseline_from_ns;
	int64_t recovered_ns; /* the fault is over for the service; 0: it is not, or is not known */
	int64_t end_ns;
};

void measure_lag(const struct measure_lag_request *request, struct arena *arena,
		 struct lag_result *ret_result);

/*
 * One for each service whose settings are in the journal. Patroni promotes a replica only when it is at
 * most maximum_lag_bytes behind the leader's position as it was last published, and the leader goes on
 * writing until its lease ends. So what may be lost is at most maximum_lag_bytes and what the leader
 * writes within ttl; nothing with synchronous replication. lags: for the rate of writing.
 */
void measure_bounds(const struct timeline *timeline, const struct experiment *experiment,
		    const struct lag_result *lags, size_t lag_count, struct arena *arena,
		    const struct loss_bound **ret_bounds, size_t *ret_count);

#endif
