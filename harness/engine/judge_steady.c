/*
 * judge_steady.c - the goal of every run, declared or not: steady again after the heal. A row
 * stands here only when it was missed.
 */
#include "engine/judge_parts.h"

#include "engine/judge_words.h"

void judge_steady_state(struct bench *bench)
{
	if (bench->facts.not_steady == NULL)
		return;

	struct objective_result result = {
		.name = "steady state",
		.target =
			arena_format(bench->arena, "steady within %s of the heal",
				     judge_duration(bench->arena,
						    bench->request->experiment->settle_at_most_ns)),
		.observed = "not steady",
		.margin = "",
	};

	judge_decide(bench, &result, VERDICT_MISSED, bench->facts.not_steady, NULL);
	judge_put(bench, &result);
}
