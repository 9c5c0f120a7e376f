/*
 * judge_rto.c - the objective `rto`: the service was stable again in time.
 *
 * It looks at single samples for one thing only: slots that nobody could see, because what was not
 * seen may hide the contrary of "met", never of "missed".
 */
#include "engine/judge_parts.h"

#include <string.h>

#include "engine/judge_words.h"
#include "engine/measure.h"

/* More slots than this without a look at the service, through our own shortage, and met is too much
   to say. */
enum { SKIPPED_AT_MOST_PERCENT = 1 };

static const struct track *find_track(const struct judge_request *request, const char *probe)
{
	for (size_t i = 0; i < request->timeline->track_count; i++)
		if (strcmp(request->timeline->tracks[i].probe, probe) == 0)
			return &request->timeline->tracks[i];
	return NULL;
}

/*
 * The longest time between two looks at the service. A late attempt is none: it was sent in the time
 * of another slot, so of its own slot nothing is known. (Those in time were sent in slot order.)
 */
static int64_t longest_blind_ns(const struct track *track, int64_t from_ns, int64_t until_ns)
{
	int64_t seen_ns = from_ns;
	int64_t longest_ns = 0;

	/* One that begins before `until` counts in full. */
	for (uint64_t slot = 0; slot < track->slot_count && seen_ns < until_ns; slot++) {
		const uint8_t state = track->samples[slot].state;
		const int64_t due_ns = track_due_ns(track, slot);

		if (due_ns < from_ns || track_is_late(track, slot) ||
		    (state != SAMPLE_GOOD && state != SAMPLE_BAD))
			continue;
		if (due_ns - seen_ns > longest_ns)
			longest_ns = due_ns - seen_ns;
		seen_ns = due_ns;
	}

	const int64_t end_ns = track_due_ns(track, track->slot_count);

	return seen_ns < until_ns && end_ns - seen_ns > longest_ns ? end_ns - seen_ns : longest_ns;
}

/*
 * Why "met" cannot be said of this probe, or NULL. A hole longer than the target could hide an
 * outage longer than the target: after the fault when none was seen, else in the stable stretch.
 * The target 0 s means "no failed attempt", and is left to the timetable as it was asked for.
 */
static const char *find_blindness(struct bench *bench, const struct probe_result *probe,
				  int64_t target_ns)
{
	const struct judge_request *request = bench->request;
	const struct track *track = find_track(request, probe->probe);
	const uint64_t slot_count = probe->good_count + probe->bad_count + probe->skipped_count +
				    probe->not_sampled_count;
	int64_t until_ns = INT64_MAX;
	int64_t from_ns = request->fault.low_ns;

	if (probe->skipped_count * 100 > slot_count * SKIPPED_AT_MOST_PERCENT)
		return arena_format(bench->arena,
				    "%s of %s slots of `%s` were skipped because this machine was "
				    "short of something, and may hide failures",
				    judge_count(bench->arena, probe->skipped_count),
				    judge_count(bench->arena, slot_count), probe->probe);
	if (track == NULL)
		return NULL;
	if (probe->rto_kind == MEASURED_SPAN) {
		from_ns = probe->stable_from_ns;
		until_ns = from_ns + request->experiment->stable_for_ns;
	}

	const int64_t blind_ns = longest_blind_ns(track, from_ns, until_ns);
	const bool is_timetable =
		blind_ns <= track->every_ns && (target_ns == 0 || probe->rto_kind == MEASURED_SPAN);

	if (blind_ns <= target_ns || is_timetable)
		return NULL;
	return arena_format(bench->arena,
			    "`%s` did not look for %s, so an outage longer than the "
			    "target could hide there",
			    probe->probe, judge_duration(bench->arena, blind_ns));
}

static const char *find_any_blindness(struct bench *bench, int64_t target_ns)
{
	const char *why = NULL;

	for (size_t i = 0; i < bench->request->probe_count && why == NULL; i++)
		if (bench->request->probes[i].is_required)
			why = find_blindness(bench, &bench->request->probes[i], target_ns);
	return why;
}

/* Down again later does not change the RTO, but nobody may overlook it. */
static const char *say_again(struct bench *bench, const char *reason)
{
	for (size_t i = 0; i < bench->request->probe_count; i++) {
		const struct probe_result *probe = &bench->request->probes[i];

		if (probe->is_required && probe->rto_kind == MEASURED_SPAN &&
		    probe->downtime.low_ns > probe->rto.high_ns)
			return arena_format(
				bench->arena, "%s; but `%s` was down again later, in all for %s",
				reason, probe->probe, judge_span(bench->arena, probe->downtime));
	}
	return reason;
}

static void judge_met_rto(struct bench *bench, struct objective_result *result, int64_t high_ns,
			  const char *reason)
{
	const int64_t target_ns = bench->request->experiment->objectives.rto_ns;
	const char *blindness = find_any_blindness(bench, target_ns);

	if (blindness != NULL) {
		judge_decide(
			bench, result, VERDICT_INCONCLUSIVE, blindness,
			"probe more often, or with fewer probes and lanes, so that no slot goes "
			"unused");
		return;
	}
	result->margin =
		judge_duration(bench->arena, target_ns > high_ns ? target_ns - high_ns : 0);
	judge_decide(bench, result, VERDICT_MET, say_again(bench, reason), NULL);
}

static void judge_rto_span(struct bench *bench, struct objective_result *result, struct span rto)
{
	const struct span fault = bench->request->fault;
	const int64_t target_ns = bench->request->experiment->objectives.rto_ns;
	const int64_t every_ns = judge_every_ns(bench->request);
	const char *advice;

	if (rto.high_ns <= target_ns) {
		judge_met_rto(bench, result, rto.high_ns,
			      "the service was stable again within the target");
		return;
	}
	if (rto.low_ns > target_ns) {
		result->margin = judge_duration(bench->arena, target_ns - rto.low_ns);
		judge_decide(bench, result, VERDICT_MISSED,
			     say_again(bench, "the service was stable again only after the target"),
			     NULL);
		return;
	}
	advice = arena_format(bench->arena, "probe every %s or less",
			      judge_closer(bench->arena, every_ns));
	if (fault.high_ns - fault.low_ns > (rto.high_ns - rto.low_ns) / 2)
		advice =
			arena_format(bench->arena,
				     "the moment of the fault is only known to %s: a fault that is "
				     "confirmed sooner would narrow the span",
				     judge_duration(bench->arena, fault.high_ns - fault.low_ns));
	else if (every_ns <= LIMIT_EVERY_MIN_NS)
		advice =
			"run it again: probes cannot be closer, and the target is too near to tell";
	judge_decide(bench, result, VERDICT_INCONCLUSIVE, judge_inside_reason, advice);
}

/* Down for longer than the target is proof; watched for less than the target is not. */
static void judge_never(struct bench *bench, struct objective_result *result, struct span rto)
{
	const int64_t target_ns = bench->request->experiment->objectives.rto_ns;

	if (rto.low_ns > target_ns) {
		result->margin = judge_duration(bench->arena, target_ns - rto.low_ns);
		judge_decide(bench, result, VERDICT_MISSED, "the service did not recover by itself",
			     NULL);
		return;
	}
	judge_decide(
		bench, result, VERDICT_INCONCLUSIVE,
		arena_format(
			bench->arena,
			"the service was seen down until %s after the fault and was not stable "
			"after it, but it was watched for %s only",
			judge_duration(bench->arena, rto.low_ns),
			judge_duration(bench->arena, rto.high_ns)),
		arena_format(
			bench->arena, "let `observe.at_most` be %s or more",
			judge_duration(bench->arena,
				       target_ns + bench->request->experiment->stable_for_ns)));
}

void judge_rto(struct bench *bench)
{
	const struct judge_request *request = bench->request;

	if (!request->experiment->objectives.has_rto)
		return;

	const int64_t target_ns = request->experiment->objectives.rto_ns;
	struct objective_result result = {
		.name = "rto",
		.target = arena_format(bench->arena, "at most %s",
				       judge_duration(bench->arena, target_ns)),
		.margin = "",
	};
	enum measured kind;
	struct span rto;
	const char *probe;

	measure_service_rto(request->probes, request->probe_count, &kind, &rto, &probe);
	result.observed = judge_observed_rto(request, bench->arena);
	if (judge_is_moot(bench, &result)) {
		judge_put(bench, &result);
		return;
	}
	if (request->experiment->step_count == 0)
		judge_decide(bench, &result, VERDICT_INCONCLUSIVE,
			     "the experiment does no harm, so there is no recovery to time",
			     "add a `method`, or drop the objective `rto`");
	else if (judge_is_unconfirmed(bench, &result))
		result.margin = "";
	else if (kind == MEASURED_NOTHING)
		judge_decide(bench, &result, VERDICT_INCONCLUSIVE,
			     "no required probe could look at the service after the fault",
			     "give the service a required probe");
	else if (kind == MEASURED_NO_OUTAGE)
		judge_met_rto(bench, &result, judge_every_ns(request),
			      "the fault was confirmed, and no outage was seen");
	else if (kind == MEASURED_NEVER_RECOVERED)
		judge_never(bench, &result, rto);
	else
		judge_rto_span(bench, &result, rto);
	judge_put(bench, &result);
}
