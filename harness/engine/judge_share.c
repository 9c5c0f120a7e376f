/*
 * judge_share.c - the objectives `error_rate` and `throughput`: shares of the slots of a probe,
 * after the fault and during it.
 *
 * Of errors less is better, and of throughput more: throughput is judged with its sign turned.
 */
#include "engine/judge_level.h"

#include "engine/judge_words.h"

static const char unseen_advice[] = "slots that nobody saw decide: allow more `lanes`, or probe "
				    "less often, so that no slot goes unused";

static const char *part_name(bool is_during)
{
	return is_during ? "during" : "after";
}

static const char *say_margin(struct bench *bench, int64_t amount)
{
	return judge_percent(bench->arena, amount);
}

static void read_errors(struct bench *bench, const struct level_row *row,
			const struct probe_result *probe, struct level_bounds *ret_bounds)
{
	const struct service_level *level =
		judge_level_of(bench, probe, row->is_during, ret_bounds);

	ret_bounds->low = level->error_low_ppm;
	ret_bounds->high = level->error_high_ppm;
}

static const char *say_errors(struct bench *bench, int64_t low, int64_t high)
{
	return judge_share(bench->arena, low, high);
}

static void judge_errors(struct bench *bench, int64_t target_ppm, bool is_during)
{
	const struct level_row row = {
		.name = arena_format(bench->arena, "error rate %s", part_name(is_during)),
		.target = arena_format(bench->arena, "at most %s",
				       judge_percent(bench->arena, target_ppm)),
		.choice = &bench->request->experiment->objectives.error_rate.choice,
		.limit = target_ppm,
		.is_during = is_during,
		.is_share = true,
		.read = read_errors,
		.say = say_errors,
		.say_margin = say_margin,
		.met_reason = "few enough slots were bad",
		.missed_reason = "too many slots were bad",
		.advice = unseen_advice,
	};

	judge_level_row(bench, &row);
}

void judge_error_rate(struct bench *bench)
{
	const struct share_objective *share = &bench->request->experiment->objectives.error_rate;

	if (share->has_after)
		judge_errors(bench, share->after_ppm, false);
	if (share->has_during)
		judge_errors(bench, share->during_ppm, true);
}

static void read_kept(struct bench *bench, const struct level_row *row,
		      const struct probe_result *probe, struct level_bounds *ret_bounds)
{
	const struct service_level *level =
		judge_level_of(bench, probe, row->is_during, ret_bounds);

	if (ret_bounds->unknown == NULL && !level->has_kept) {
		ret_bounds->unknown =
			arena_format(bench->arena,
				     "`%s` got nothing done in the baseline, so there "
				     "is nothing to compare with",
				     probe->probe);
		ret_bounds->advice =
			"let `baseline` be longer, and see that the probe is good in it";
	}
	ret_bounds->low = -level->kept_high_ppm;
	ret_bounds->high = -level->kept_low_ppm;
}

static const char *say_kept(struct bench *bench, int64_t low, int64_t high)
{
	return arena_format(bench->arena, "%s of the baseline",
			    judge_share(bench->arena, -high, -low));
}

static void judge_kept(struct bench *bench, int64_t target_ppm, bool is_during)
{
	const struct level_row row = {
		.name = arena_format(bench->arena, "throughput %s", part_name(is_during)),
		.target = arena_format(bench->arena, "at least %s of the baseline",
				       judge_percent(bench->arena, target_ppm)),
		.choice = &bench->request->experiment->objectives.throughput.choice,
		.limit = -target_ppm,
		.is_during = is_during,
		.is_share = true,
		.read = read_kept,
		.say = say_kept,
		.say_margin = say_margin,
		.met_reason = "enough of the baseline's throughput was kept",
		.missed_reason = "too little of the baseline's throughput was kept",
		.advice = unseen_advice,
	};

	judge_level_row(bench, &row);
}

void judge_throughput(struct bench *bench)
{
	const struct share_objective *share = &bench->request->experiment->objectives.throughput;

	if (share->has_after)
		judge_kept(bench, share->after_ppm, false);
	if (share->has_during)
		judge_kept(bench, share->during_ppm, true);
}
