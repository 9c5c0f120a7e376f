/*
 * judge_rpo.c - the objective `rpo`: no more acknowledged work lost than was promised, in any
 * ledger, at either count.
 */
#include "engine/judge_parts.h"

#include "engine/judge_words.h"

static bool is_usable(const struct ledger_count_result *count)
{
	return count->was_counted && count->is_readable;
}

/* A loss beyond the target is proof, whichever count shows it and whoever caused it. */
static bool is_rpo_missed(const struct ledger_count_result *count, int64_t target_ns)
{
	const uint64_t loss_count = count->classes.lost + count->classes.corrupted;

	return is_usable(count) && loss_count > 0 &&
	       (target_ns == 0 || count->rpo.low_ns > target_ns);
}

/* Why one of the two counts cannot be used; NULL when both can. */
static const char *find_missing_count(struct bench *bench, const struct ledger_result *ledger)
{
	static const char *const names[] = { "once the service was stable", "after the heal" };
	const struct ledger_count_result *const counts[] = { &ledger->stable, &ledger->healed };

	for (size_t i = 0; i < 2; i++) {
		if (!counts[i]->was_counted)
			return arena_format(bench->arena, "ledger `%s` was not counted %s",
					    ledger->probe, names[i]);
		if (!counts[i]->is_readable)
			return arena_format(bench->arena, "ledger `%s` could not be read %s: %s",
					    ledger->probe, names[i],
					    counts[i]->error == NULL ? "no reason was given"
								     : counts[i]->error);
	}
	return NULL;
}

static void judge_ledger(struct bench *bench, const struct ledger_result *ledger,
			 struct objective_result *result)
{
	const int64_t target_ns = bench->request->experiment->objectives.rpo_ns;
	const struct ledger_count_result *worse = ledger->worse;
	const char *missing = find_missing_count(bench, ledger);

	if (is_rpo_missed(&ledger->healed, target_ns) && worse != NULL &&
	    !is_rpo_missed(worse, target_ns))
		worse = &ledger->healed;
	if (is_rpo_missed(&ledger->stable, target_ns) && worse != NULL &&
	    !is_rpo_missed(worse, target_ns))
		worse = &ledger->stable;
	result->observed =
		worse == NULL
			? "not known"
			: arena_format(bench->arena, "%s; %s", judge_span(bench->arena, worse->rpo),
				       judge_losses(bench->arena, &worse->classes));
	if (worse != NULL && is_rpo_missed(worse, target_ns)) {
		result->margin = judge_duration(bench->arena, target_ns - worse->rpo.high_ns);
		judge_decide(bench, result, VERDICT_MISSED,
			     judge_losses(bench->arena, &worse->classes), NULL);
	} else if (judge_is_unconfirmed(bench, result)) {
		result->margin = "";
	} else if (missing != NULL) {
		judge_decide(
			bench, result, VERDICT_INCONCLUSIVE, missing,
			"read the ledger by hand once the service is back, or give it more time "
			"with "
			"`settle_at_most`");
	} else if (worse == NULL || worse->classes.acknowledged == 0) {
		judge_decide(bench, result, VERDICT_INCONCLUSIVE, "no write was ever acknowledged",
			     "see whether the ledger can write at all before the fault");
	} else if (ledger->stable.rpo.high_ns > target_ns ||
		   ledger->healed.rpo.high_ns > target_ns) {
		judge_decide(bench, result, VERDICT_INCONCLUSIVE, judge_inside_reason,
			     "write more often, so that the moment of the last good write is known "
			     "better");
	} else {
		result->margin = judge_duration(bench->arena, target_ns - worse->rpo.high_ns);
		judge_decide(bench, result, VERDICT_MET,
			     worse->classes.lost + worse->classes.corrupted == 0
				     ? "no acknowledged write is lost"
				     : "what is lost is newer than the target allows",
			     NULL);
	}
}

void judge_rpo(struct bench *bench)
{
	const struct judge_request *request = bench->request;

	if (!request->experiment->objectives.has_rpo)
		return;

	const struct objective_result blank = {
		.name = "rpo",
		.target = arena_format(
			bench->arena, "at most %s",
			judge_duration(bench->arena, request->experiment->objectives.rpo_ns)),
		.observed = "not known",
		.margin = "",
	};
	struct objective_result worst = blank;

	if (!judge_is_moot(bench, &worst) && request->ledger_count == 0)
		judge_decide(bench, &worst, VERDICT_INCONCLUSIVE,
			     "the experiment has no ledger, so nobody counted its writes",
			     "add a probe that is a ledger, such as `postgres.write`");
	for (size_t i = 0; bench->facts.not_started == NULL && i < request->ledger_count; i++) {
		struct objective_result result = blank;

		judge_ledger(bench, &request->ledgers[i], &result);
		if (i == 0 || judge_badness(result.verdict) > judge_badness(worst.verdict))
			worst = result;
	}
	judge_put(bench, &worst);
}
