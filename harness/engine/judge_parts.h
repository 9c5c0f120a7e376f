/*
 * judge_parts.h - what the objectives share. A new objective is one file judge_<name>.c with one
 * function, and one row here; its declaration is one row of harness/load/objectives.c.
 */
#ifndef ENGINE_JUDGE_PARTS_H
#define ENGINE_JUDGE_PARTS_H

#include "base/mem.h"
#include "engine/judge.h"
#include "engine/judge_facts.h"

/* In the order of the report. A function adds no row when its objective was not declared. */
#define OBJECTIVE_ROWS(X)                                                                          \
	X(rto)                                                                                     \
	X(rpo)                                                                                     \
	X(availability)                                                                            \
	X(latency)                                                                                 \
	X(error_rate)                                                                              \
	X(throughput)                                                                              \
	X(degraded)                                                                                \
	X(stale_reads)                                                                             \
	X(staleness)                                                                               \
	X(non_monotonic_reads)                                                                     \
	X(split_brain)                                                                             \
	X(checks)                                                                                  \
	X(steady_state)

struct bench {
	const struct judge_request *request;
	struct judge_facts facts;
	struct arena *arena;
	struct objective_result *results;
	size_t count;
	size_t capacity;
};

#define X(id) void judge_##id(struct bench *bench);
OBJECTIVE_ROWS(X)
#undef X

extern const char *const judge_inside_reason;

void judge_put(struct bench *bench, const struct objective_result *result);

/*
 * Fills verdict, reason and advice; both are made sentences. advice may be NULL. A run that was
 * stopped or broken off has no objective that is met: it becomes inconclusive, without a margin.
 */
void judge_decide(struct bench *bench, struct objective_result *result, enum verdict verdict,
		  const char *reason, const char *advice);

/* The same for a share of a stretch of time. When the run was cut short, so was that stretch, and the
   rest of it could have changed the share: a miss is inconclusive then, too. */
void judge_decide_share(struct bench *bench, struct objective_result *result,
			enum verdict verdict, const char *reason, const char *advice);

/* True when the run itself leaves nothing to judge; then the row is filled. */
bool judge_is_moot(struct bench *bench, struct objective_result *result);

/* True when a step is not known to have taken effect; then the row is filled: inconclusive. */
bool judge_is_unconfirmed(struct bench *bench, struct objective_result *result);

/* For the worst of several: met, none, inconclusive, missed. */
int judge_badness(enum verdict verdict);

#endif
