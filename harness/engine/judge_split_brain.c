/*
 * judge_split_brain.c - the objective `split_brain: none`: no two members acknowledged writes at the same
 * time, as far as a watch that stands where we stand can tell.
 */
#include "engine/judge_parts.h"

#include "engine/judge_words.h"

static const char *say_writable(struct bench *bench, const struct primaries_result *watch)
{
	const struct together *writable = &watch->writable;

	if (watch->event_count == 0)
		return "not known";
	if (writable->time.low_ns > 0)
		return arena_format(bench->arena, "two writable primaries for %s: %s",
				    judge_span(bench->arena, writable->time), writable->hosts);
	if (writable->time.high_ns > 0)
		return arena_format(bench->arena, "none seen; up to %s not excluded",
				    judge_duration(bench->arena, writable->time.high_ns));
	return "none";
}

static const char *say_doubt(struct bench *bench, const struct primaries_result *watch,
			     const char **ret_advice)
{
	const struct together *writable = &watch->writable;

	if (watch->event_count == 0) {
		*ret_advice = "see why it could not look, and run it again";
		return arena_format(bench->arena, "watch `%s` saw no member", watch->probe);
	}
	if (!watch->is_whole) {
		*ret_advice = "see the notes of the run, and run it again to its end";
		return arena_format(bench->arena, "what watch `%s` saw was not all written down",
				    watch->probe);
	}
	if (watch->twins[0] != '\0') {
		*ret_advice = "give each member its own `address`, or its own port in `conninfo` or in "
			      "the label `postgres_port`";
		return arena_format(bench->arena,
				    "members of `%s` are one server, so not every member was watched: %s",
				    watch->probe, watch->twins);
	}
	if (watch->silent_ns > 0) {
		*ret_advice = "watch from where every member can be reached throughout; or write "
			      "`silent: down` on the watch when one that does not answer is known to "
			      "serve nobody, as a host without power";
		return arena_format(bench->arena,
				    "for %s members did not answer, so whether two took writes is not "
				    "known", judge_duration(bench->arena, watch->silent_ns));
	}
	if (writable->time.high_ns > 0) {
		*ret_advice = "look more often";
		return arena_format(bench->arena,
				    "one member stopped and another began to take writes within %s, and "
				    "which came first is not known",
				    judge_duration(bench->arena, writable->time.high_ns));
	}
	return NULL;
}

static void judge_watch(struct bench *bench, const struct primaries_result *watch,
			struct objective_result *result)
{
	const char *advice = NULL;
	const char *doubt = say_doubt(bench, watch, &advice);

	result->observed = say_writable(bench, watch);
	if (watch->writable.time.low_ns > 0)
		judge_decide(bench, result, VERDICT_MISSED,
			     arena_format(bench->arena,
					  "members acknowledged writes at the same time: %s",
					  watch->writable.hosts),
			     NULL);
	else if (judge_is_unconfirmed(bench, result))
		return;
	else if (doubt != NULL)
		judge_decide(bench, result, VERDICT_INCONCLUSIVE, doubt, advice);
	else
		judge_decide(bench, result, VERDICT_MET,
			     "at no time did two members acknowledge writes", NULL);
}

void judge_split_brain(struct bench *bench)
{
	const struct judge_request *request = bench->request;
	const struct objective_result blank = {
		.name = "split brain",
		.target = "none",
		.observed = "not known",
		.margin = "",
	};
	struct objective_result worst = blank;

	if (!request->experiment->objectives.has_split_brain)
		return;
	if (!judge_is_moot(bench, &worst) && request->primaries_count == 0)
		judge_decide(bench, &worst, VERDICT_INCONCLUSIVE, "nobody watched all members",
			     "add a probe of kind `postgres.primaries`");
	for (size_t i = 0; bench->facts.not_started == NULL && i < request->primaries_count; i++) {
		struct objective_result result = blank;

		judge_watch(bench, &request->primaries[i], &result);
		if (i == 0 || judge_badness(result.verdict) > judge_badness(worst.verdict))
			worst = result;
	}
	judge_put(bench, &worst);
}
