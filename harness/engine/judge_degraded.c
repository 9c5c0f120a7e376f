/*
 * judge_degraded.c - the objective `degraded`: slow or down for at most so long in all, from the
 * fault to the end of the run. Down is degraded, too; the outage alone is the RTO's business.
 */
#include "engine/judge_level.h"

#include "engine/judge_words.h"

static void read_time(struct bench *bench, const struct level_row *row,
		      const struct probe_result *probe, struct level_bounds *ret_bounds)
{
	(void)row; /* it is one time, from the fault to the end */

	ret_bounds->low = probe->time_over.low_ns;
	ret_bounds->high = probe->time_over.high_ns;
	if (probe->good_count + probe->bad_count > 0)
		return;
	ret_bounds->unknown = arena_format(
		bench->arena, "`%s` could not look at the service after the fault", probe->probe);
	ret_bounds->advice = "see why it has no samples, and run it again";
}

static const char *say_time(struct bench *bench, int64_t low, int64_t high)
{
	return judge_span(bench->arena, (struct span){ low, high });
}

static const char *say_margin(struct bench *bench, int64_t amount)
{
	return judge_duration(bench->arena, amount);
}

void judge_degraded(struct bench *bench)
{
	const struct degraded_objective *degraded =
		&bench->request->experiment->objectives.degraded;
	const struct level_row row = {
		.name = "degraded",
		.target = arena_format(bench->arena, "down or over %s for at most %s",
				       judge_duration(bench->arena, degraded->over_ns),
				       judge_duration(bench->arena, degraded->target_ns)),
		.choice = &degraded->choice,
		.limit = degraded->target_ns,
		.is_during = true,
		.read = read_time,
		.say = say_time,
		.say_margin = say_margin,
		.met_reason = "the service was quick again soon enough",
		.missed_reason = "the service was slow or down for too long",
		.advice = "probe more often, and with enough `lanes`, so that the ends of slow "
			  "times are known better",
	};

	if (degraded->is_declared)
		judge_level_row(bench, &row);
}
