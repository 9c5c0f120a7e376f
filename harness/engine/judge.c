/*
 * judge.c - one verdict for each promise; see judge.h. Each objective has a file of its own, and a
 * row in judge_parts.h; here is what they share.
 */
#include "engine/judge_parts.h"

#include <assert.h>
#include <string.h>

#include "engine/judge_words.h"

enum { FIRST_ROWS = 8 };

const char *const judge_inside_reason = "the target lies inside the span of what was measured";

void judge_put(struct bench *bench, const struct objective_result *result)
{
	if (bench->count == bench->capacity) {
		const size_t capacity = bench->capacity == 0 ? FIRST_ROWS : 2 * bench->capacity;
		struct objective_result *grown =
			arena_alloc(bench->arena, capacity * sizeof *grown);

		if (bench->count > 0)
			memcpy(grown, bench->results, bench->count * sizeof *grown);
		bench->results = grown;
		bench->capacity = capacity;
	}
	bench->results[bench->count++] = *result;
}

/* Why this run saw only a part of what it was to show, or NULL. */
static const char *find_cut(const struct judge_facts *facts)
{
	return facts->failed != NULL ? facts->failed : facts->stopped;
}

static void decide(struct bench *bench, struct objective_result *result, enum verdict verdict,
		   bool needs_end, const char *reason, const char *advice)
{
	const char *cut = find_cut(&bench->facts);

	if (cut != NULL && needs_end) {
		verdict = VERDICT_INCONCLUSIVE;
		reason = arena_format(bench->arena, "the run did not go to its end: %s", cut);
		result->margin = "";
		if (result->observed != NULL)
			result->observed = arena_format(bench->arena, "%s, until it was cut short",
							result->observed);
	}
	if (cut != NULL && verdict == VERDICT_INCONCLUSIVE)
		advice = "run it again, to its end";
	result->verdict = verdict;
	result->reason = judge_sentence(bench->arena, reason);
	result->advice = advice == NULL ? NULL : judge_sentence(bench->arena, advice);
}

void judge_decide(struct bench *bench, struct objective_result *result, enum verdict verdict,
		  const char *reason, const char *advice)
{
	/* Healed early, or not watched to the end: a miss is still a miss, a success is none. */
	decide(bench, result, verdict, verdict == VERDICT_MET, reason, advice);
}

void judge_decide_share(struct bench *bench, struct objective_result *result,
			enum verdict verdict, const char *reason, const char *advice)
{
	decide(bench, result, verdict, verdict == VERDICT_MET || verdict == VERDICT_MISSED, reason,
	       advice);
}

bool judge_is_moot(struct bench *bench, struct objective_result *result)
{
	if (bench->facts.not_started == NULL)
		return false;
	result->observed = "not measured";
	judge_decide(bench, result, VERDICT_NONE, bench->facts.not_started, NULL);
	return true;
}

bool judge_is_unconfirmed(struct bench *bench, struct objective_result *result)
{
	if (bench->facts.unconfirmed == NULL)
		return false;
	judge_decide(bench, result, VERDICT_INCONCLUSIVE, bench->facts.unconfirmed,
		     "see why the fault could not be confirmed, and run it again");
	return true;
}

int judge_badness(enum verdict verdict)
{
	static const int ranks[] = { [VERDICT_MET] = 0,
				     [VERDICT_NONE] = 1,
				     [VERDICT_INCONCLUSIVE] = 2,
				     [VERDICT_MISSED] = 3 };

	return ranks[verdict];
}

void judge_objectives(const struct judge_request *request, struct arena *arena,
		      struct objective_result **ret_results, size_t *ret_count)
{
	struct bench bench = { .request = request, .arena = arena };

	assert(request->fault.low_ns <= request->fault.high_ns);

	judge_facts_read(request, arena, &bench.facts);
#define X(id) judge_##id(&bench);
	OBJECTIVE_ROWS(X)
#undef X
	*ret_results = bench.results;
	*ret_count = bench.count;
}
