/*
 * judge.h - numbers and promises in, verdicts out. Pure.
 *
 * Evidence is asymmetric, and so are the rules: a promise is `missed` only when the record proves
 * it, `met` only when the record proves it and nothing could have hidden the contrary. Everything
 * else is `inconclusive`, with what would settle it. docs/measurement.md has the rules one by one.
 *
 * Events that are read here, and what the engine promises about them:
 *
 *   INTENT, CONFIRMED, MISMATCH, UNKNOWN, INJECT_FAILED, HEALED, HEAL_FAILED, CLEAN, LEFTOVER
 *       carry step and host; a later one of the same step and host overrules an earlier one.
 *   NOT_STEADY in the phases up to baseline, before any INTENT: the run was not started.
 *   STEADY or NOT_STEADY in the phase settle: whether the service was steady after the heal.
 *   STOP, SIGNAL: ended before its end. FAILED: our own failure.
 *   CHECK carries name and data, one JSON object:
 *       {"verdict": "met" | "missed" | "inconclusive", "expected": TEXT, "got": TEXT}
 *       where TEXT may be null. The last event of a name counts; data that cannot be read is
 *       inconclusive.
 */
#ifndef ENGINE_JUDGE_H
#define ENGINE_JUDGE_H

#include "base/mem.h"
#include "model/experiment.h"
#include "model/reads.h"
#include "model/standing.h"
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
	const struct primaries_result *primaries;
	size_t primaries_count;
	const struct reader_result *readers;
	size_t reader_count;
};

/*
 * One row for each objective (of latency for each percentile, after and during), in the order of
 * OBJECTIVE_ROWS in judge_parts.h, and for each check; and a
 * last row "steady state", missed, when the service was not steady again after the heal: that is
 * the goal of every run, declared or not. VERDICT_NONE for all rows of a run that was not started.
 */
void judge_objectives(const struct judge_request *request, struct arena *arena,
		      struct objective_result **ret_results, size_t *ret_count);

/*
 * The run's verdict, exit code (order 4, 7, 6, 5, 1, 3, 0) and one sentence. Never 0 when a step
 * was not confirmed, when something was not read back, or when the run did not reach its settle
 * phase.
 */
void judge_run(const struct judge_request *request, const struct objective_result *objectives,
	       size_t objective_count, struct arena *arena, struct outcome *ret_outcome);

#endif
