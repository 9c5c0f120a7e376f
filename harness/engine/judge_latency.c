/*
 * judge_latency.c - the objective `latency`: a row for each percentile that was promised, after the
 * fault and during it.
 */
#include "engine/judge_level.h"

#include "engine/judge_words.h"

static void read_percentile(struct bench *bench, const struct level_row *row,
			    const struct probe_result *probe, struct level_bounds *ret_bounds)
{
	const struct service_level *level =
		judge_level_of(bench, probe, row->is_during, ret_bounds);

	ret_bounds->low = level->latency[row->percentile].low_ns;
	ret_bounds->high = level->latency[row->percentile].high_ns;
}

static const char *say_latency(struct bench *bench, int64_t low, int64_t high)
{
	return judge_took(bench->arena, (struct span){ low, high });
}

static const char *say_margin(struct bench *bench, int64_t amount)
{
	return judge_duration(bench->arena, amount);
}

static void judge_part(struct bench *bench, const int64_t targets_ns[PERCENTILE_COUNT],
		       bool is_during)
{
	for (size_t i = 0; i < PERCENTILE_COUNT; i++) {
		const struct level_row row = {
			.name = arena_format(bench->arena, "latency %s %s",
					     percentile_word((enum percentile)i),
					     is_during ? "during" : "after"),
			.target = arena_format(bench->arena, "at most %s",
					       judge_duration(bench->arena, targets_ns[i])),
			.choice = &bench->request->experiment->objectives.latency.choice,
			.limit = targets_ns[i],
			.is_during = is_during,
			.is_share = i != PERCENTILE_MAX, /* the slowest answer stays the slowest */
			.percentile = (int)i,
			.read = read_percentile,
			.say = say_latency,
			.say_margin = say_margin,
			.met_reason = "answers came quickly enough",
			.missed_reason = "too many answers were slow or did not come",
			.advice = "slots that nobody saw decide: allow more `lanes`, or probe "
				  "less often, so that no slot goes unused",
		};

		if (targets_ns[i] != 0)
			judge_level_row(bench, &row);
	}
}

void judge_latency(struct bench *bench)
{
	const struct latency_objective *latency = &bench->request->experiment->objectives.latency;

	judge_part(bench, latency->after_ns, false);
	judge_part(bench, latency->during_ns, true);
}
