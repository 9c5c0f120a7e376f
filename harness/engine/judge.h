/*
 * judge.h - numbers and promises in, verdicts out. Pure.
 */
#ifndef ENGINE_JUDGE_H
#define ENGINE_JUDGE_H

#include "base/mem.h"
#include "model/experiment.h"
#include "model/timeline.h"
#include "model/verdict.h"

struct judge_request {
	const struct experiment *experiment;
	const struct timeline *timeline; /* for confirmations, checks, stops, leftovers */
	struct span fault;
	const struct probe_result *probes;
	size_t probe_count;
	const struct ledger_result *ledgers;
	size_t ledger_count;
};

/* One row for each objective and each check, in the order rto, rpo, availability, checks. */
void judge_objectives(const struct judge_request *request, struct arena *arena,
		      struct objective_result **ret_results, size_t *ret_count);

/* The run's verdict, exit code (order 4, 7, 6, 5, 1, 3, 0) and one sentence. */
void judge_run(const struct judge_request *request, const struct objective_result *objectives,
	       size_t objective_count, struct arena *arena, struct outcome *ret_outcome);

#endif
