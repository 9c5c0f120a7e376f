/*
 * measure_vantage.c - see measure_vantage.h.
 *
 * measure_probe does the work. The moment at which steady state was seen takes the place of the fault, which
 * came later: so every failure after it counts, and none of before.
 */
#include "engine/measure_vantage.h"

#include "engine/measure.h"

static const struct event *find_steady(const struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->event_count; i++)
		if (timeline->events[i].kind == EVENT_STEADY &&
		    timeline->events[i].phase == PHASE_GATE)
			return &timeline->events[i];
	return NULL;
}

static struct vantage_sight see(const struct track *track, const struct probe_spec *spec,
				const struct event *steady, int64_t stable_for_ns, int64_t end_ns)
{
	const struct measure_request request = {
		.track = track,
		.is_required = spec->is_required,
		.fault = { steady->until_ns, steady->until_ns },
		.baseline_from_ns = steady->from_ns,
		.end_ns = end_ns,
		.stable_for_ns = stable_for_ns,
		.timeout_ns = spec->timeout_ns,
	};
	struct probe_result result;

	measure_probe(&request, &result);
	return (struct vantage_sight){
		.probe = spec->name,
		.every_ns = spec->every_ns,
		.is_required = spec->is_required,
		.kind = result.rto_kind,
		.outage = result.outage,
		.downtime = result.downtime,
		.attempt_count = result.good_count + result.bad_count,
		.bad_count = result.bad_count,
		.unseen_count = result.skipped_count + result.not_sampled_count,
		.lateness_p99_ns = result.lateness_p99_ns,
	};
}

void measure_vantage(const struct timeline *timeline, const struct experiment *experiment,
		     int64_t measured_until_ns, struct arena *arena, struct vantage_view *view)
{
	const struct event *steady = find_steady(timeline);
	struct vantage_sight *sights =
		arena_alloc(arena, (timeline->track_count + 1) * sizeof *sights);

	if (steady == NULL) {
		view->why = "steady state was not seen there before the end";
		return;
	}
	for (size_t i = 0; i < timeline->track_count; i++) {
		const struct track *track = &timeline->tracks[i];
		const struct probe_spec *spec = experiment_probe(experiment, track->probe);

		if (spec != NULL && probe_only_looks(spec))
			sights[view->sight_count++] =
				see(track, spec, steady, experiment->stable_for_ns, measured_until_ns);
	}
	view->sights = sights;
	if (view->sight_count == 0)
		view->why = "no samples of it were kept";
}
