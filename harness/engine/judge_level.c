/*
 * judge_level.c - see judge_level.h.
 */
#include "engine/judge_level.h"

#include "engine/judge_words.h"

const struct service_level *judge_level_of(struct bench *bench, const struct probe_result *probe,
					   bool is_during, struct level_bounds *bounds)
{
	const struct service_level *level = is_during ? &probe->during : &probe->after;

	if (level->slot_count > 0)
		return level;
	if (is_during || level->until_ns > level->from_ns) {
		bounds->unknown =
			arena_format(bench->arena, "no attempt of `%s` was due %s the fault",
				     probe->probe, is_during ? "during" : "after");
		bounds->advice = "probe more often, or watch for longer";
	} else {
		bounds->unknown =
			arena_format(bench->arena,
				     "`%s` was not stable, or the fault not healed, before the "
				     "run ended, so there is no time after the fault to judge",
				     probe->probe);
		bounds->advice = "see why it did not recover, or give it more time with "
				 "`observe.at_most` and `settle.at_most`";
	}
	return level;
}

/* One probe against the target; the row keeps what it had unless this is filled in. */
static void judge_one(struct bench *bench, const struct level_row *row,
		      const struct probe_result *probe, bool is_only,
		      struct objective_result *result, int64_t *ret_high)
{
	struct level_bounds bounds = { 0 };

	row->read(bench, row, probe, &bounds);
	*ret_high = bounds.unknown != NULL ? INT64_MAX : bounds.high;
	if (bounds.unknown != NULL) {
		judge_decide(bench, result, VERDICT_INCONCLUSIVE, bounds.unknown, bounds.advice);
		return;
	}
	result->observed = row->say(bench, bounds.low, bounds.high);
	if (!is_only)
		result->observed =
			arena_format(bench->arena, "%s (`%s`)", result->observed, probe->probe);
	if (bounds.high <= row->limit) {
		result->margin = row->say_margin(bench, row->limit - bounds.high);
		judge_decide(bench, result, VERDICT_MET, row->met_reason, NULL);
	} else if (bounds.low > row->limit) {
		result->margin = row->say_margin(bench, row->limit - bounds.low);
		(row->is_share ? judge_decide_share : judge_decide)(
			bench, result, VERDICT_MISSED, row->missed_reason, NULL);
	} else {
		judge_decide(bench, result, VERDICT_INCONCLUSIVE, judge_inside_reason, row->advice);
	}
}

static size_t count_chosen(const struct bench *bench, const struct level_row *row)
{
	const struct experiment *experiment = bench->request->experiment;
	size_t count = 0;

	for (size_t i = 0; i < experiment->probe_count; i++)
		count += probe_is_chosen(row->choice, &experiment->probes[i]);
	return count;
}

/* The worst of the chosen probes: by verdict, and among equals by value. */
static void judge_chosen(struct bench *bench, const struct level_row *row,
			 struct objective_result *worst)
{
	const struct judge_request *request = bench->request;
	const struct objective_result blank = *worst;
	const bool is_only = count_chosen(bench, row) == 1;
	int64_t worst_high = 0;

	judge_decide(bench, worst, VERDICT_INCONCLUSIVE,
		     "none of its probes could look at the service",
		     "see why they have no samples, and run it again");
	for (size_t i = 0, seen = 0; i < request->probe_count; i++) {
		const struct probe_result *probe = &request->probes[i];
		const struct probe_spec *spec = experiment_probe(request->experiment, probe->probe);
		struct objective_result result = blank;
		int64_t high;

		if (spec == NULL || !probe_is_chosen(row->choice, spec))
			continue;
		judge_one(bench, row, probe, is_only, &result, &high);

		const int worse = judge_badness(result.verdict) - judge_badness(worst->verdict);

		if (seen++ == 0 || worse > 0 || (worse == 0 && high > worst_high)) {
			*worst = result;
			worst_high = high;
		}
	}
}

void judge_level_row(struct bench *bench, const struct level_row *row)
{
	struct objective_result result = {
		.name = row->name, .target = row->target, .observed = "not measured", .margin = ""
	};

	if (judge_is_moot(bench, &result)) {
		judge_put(bench, &result);
		return;
	}
	if (bench->request->experiment->step_count == 0) {
		judge_decide(bench, &result, VERDICT_INCONCLUSIVE,
			     "the experiment does no harm, so there is no time during or after it",
			     "add a `method`, or drop this objective");
	} else if (!judge_is_unconfirmed(bench, &result)) {
		judge_chosen(bench, row, &result);
	}
	judge_put(bench, &result);
}
