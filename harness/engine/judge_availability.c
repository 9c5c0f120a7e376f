/*
 * judge_availability.c - the objective `availability`: enough slots of each required probe were
 * good.
 */
#include "engine/judge_parts.h"

#include "engine/judge_words.h"

/* The worst of the required probes, bound by bound. Returns how many attempts came to something. */
static uint64_t find_worst(const struct judge_request *request, int64_t *ret_low_ppm,
			   int64_t *ret_high_ppm)
{
	uint64_t seen_count = 0;

	*ret_low_ppm = 1000000;
	*ret_high_ppm = 1000000;
	for (size_t i = 0; i < request->probe_count; i++) {
		const struct probe_result *probe = &request->probes[i];

		if (!probe->is_required)
			continue;
		seen_count += probe->good_count + probe->bad_count;
		if (probe->availability_low_ppm < *ret_low_ppm)
			*ret_low_ppm = probe->availability_low_ppm;
		if (probe->availability_high_ppm < *ret_high_ppm)
			*ret_high_ppm = probe->availability_high_ppm;
	}
	return seen_count;
}

void judge_availability(struct bench *bench)
{
	const struct judge_request *request = bench->request;

	if (!request->experiment->objectives.has_availability)
		return;

	const int64_t target_ppm = request->experiment->objectives.availability_ppm;
	struct objective_result result = {
		.name = "availability",
		.target = arena_format(bench->arena, "at least %s",
				       judge_percent(bench->arena, target_ppm)),
		.observed = "not measured",
		.margin = "",
	};
	int64_t low_ppm;
	int64_t high_ppm;
	const uint64_t seen_count = find_worst(request, &low_ppm, &high_ppm);

	if (!judge_is_moot(bench, &result) && seen_count > 0)
		result.observed = judge_share(bench->arena, low_ppm, high_ppm);
	if (result.reason != NULL) {
		judge_put(bench, &result);
		return;
	}
	if (judge_is_unconfirmed(bench, &result)) {
		result.margin = "";
	} else if (seen_count == 0) {
		judge_decide(bench, &result, VERDICT_INCONCLUSIVE,
			     "no required probe could look at the service after the fault",
			     "give the service a required probe");
	} else if (low_ppm >= target_ppm) {
		result.margin = judge_percent(bench->arena, low_ppm - target_ppm);
		judge_decide(bench, &result, VERDICT_MET,
			     "enough slots of every required probe were good", NULL);
	} else if (high_ppm < target_ppm) {
		result.margin = judge_percent(bench->arena, high_ppm - target_ppm);
		judge_decide_share(bench, &result, VERDICT_MISSED,
				   "too many slots of a required probe were bad", NULL);
	} else {
		judge_decide(
			bench, &result, VERDICT_INCONCLUSIVE,
			"slots that were skipped or not sampled decide, and nobody knows what they "
			"would have shown",
			"allow more `lanes`, or probe less often, so that no slot goes unused");
	}
	judge_put(bench, &result);
}
