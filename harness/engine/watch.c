/*
 * watch.c - see watch.h.
 */
#include "engine/watch.h"

#include <assert.h>

void watch_init(struct watch *watch, const struct experiment *experiment,
		const struct outside *outside)
{
	assert(experiment->probe_count <= LIMIT_PROBES);
	*watch = (struct watch){ .outside = outside, .experiment = experiment };
	for (size_t i = 0; i < experiment->probe_count; i++)
		watch->probes[i].spec = &experiment->probes[i];
}

/* An empty slot whose attempt could no longer be under way was never sampled. */
static bool is_over(const struct watch_probe *probe, int64_t due_ns, int64_t now_ns)
{
	const int64_t grace_ns = probe->spec->every_ns * probe->spec->lane_count;

	return now_ns > due_ns + probe->spec->timeout_ns + grace_ns;
}

static void read_slot(struct watch_probe *probe, enum sample_state state, int64_t due_ns,
		      bool is_late)
{
	switch (state) {
	case SAMPLE_GOOD:
		if (probe->good_since_ns == 0) {
			probe->good_since_ns = due_ns;
			probe->blind_ns = 0;
		}
		probe->last_good_due_ns = due_ns;
		probe->blind_ns += is_late ? probe->spec->every_ns : 0;
		return;
	case SAMPLE_BAD:
		probe->good_since_ns = 0;
		probe->last_bad_due_ns = due_ns;
		return;
	case SAMPLE_SKIPPED: /* neither good nor bad: a stretch goes on over it, but not longer */
		probe->blind_ns += probe->spec->every_ns;
		return;
	case SAMPLE_NONE:
		return;
	}
}

static void update_probe(struct watch *watch, size_t index, int64_t now_ns)
{
	struct watch_probe *probe = &watch->probes[index];
	struct track *track = &watch->tracks[index];

	watch->outside->ops->view(watch->outside->ctx, index, now_ns, track);
	while (probe->slot_count < track->slot_count) {
		const int64_t due_ns = track_due_ns(track, probe->slot_count);
		const enum sample_state state = sample_state_now(&track->samples[probe->slot_count]);

		if (state == SAMPLE_NONE && !is_over(probe, due_ns, now_ns))
			return;
		read_slot(probe, state, due_ns, track_is_late(track, probe->slot_count));
		probe->slot_count++;
	}
}

void watch_update(struct watch *watch, int64_t now_ns)
{
	for (size_t i = 0; i < watch->experiment->probe_count; i++)
		update_probe(watch, i, now_ns);
}

bool watch_is_good(const struct watch *watch, int64_t from_ns, int64_t good_for_ns,
		   int64_t *ret_since_ns)
{
	int64_t since_ns = from_ns;

	for (size_t i = 0; i < watch->experiment->probe_count; i++) {
		const struct watch_probe *probe = &watch->probes[i];
		const int64_t stretch_ns =
			probe->good_since_ns > from_ns ? probe->good_since_ns : from_ns;

		if (!probe->spec->is_required)
			continue;
		/* Time in which this machine did not look is not time in which it was good. */
		if (probe->good_since_ns == 0 ||
		    probe->last_good_due_ns - stretch_ns - probe->blind_ns < good_for_ns)
			return false;
		if (stretch_ns > since_ns)
			since_ns = stretch_ns;
	}
	*ret_since_ns = since_ns;
	return true;
}

const struct probe_spec *watch_first_bad(const struct watch *watch)
{
	for (size_t i = 0; i < watch->experiment->probe_count; i++)
		if (watch->probes[i].spec->is_required && watch->probes[i].good_since_ns == 0)
			return watch->probes[i].spec;
	return NULL;
}

const char *watch_last_error(const struct watch *watch, const struct probe_spec *spec)
{
	const size_t index = (size_t)(spec - watch->experiment->probes);

	assert(index < watch->experiment->probe_count); /* the probe is one of the experiment's */

	const struct track *track = &watch->tracks[index];

	for (uint64_t slot = watch->probes[index].slot_count; slot > 0; slot--) {
		const struct sample *sample = &track->samples[slot - 1];

		if (sample_state_now(sample) != SAMPLE_BAD)
			continue;
		return sample->error_index > 0 && sample->error_index <= track->error_count ?
			       track->error_texts[sample->error_index - 1] : NULL;
	}
	return NULL;
}

int64_t watch_bad_for_ns(const struct watch *watch, const struct probe_spec *spec, int64_t from_ns,
			 int64_t now_ns)
{
	const size_t index = (size_t)(spec - watch->experiment->probes);

	assert(index < watch->experiment->probe_count); /* the probe is one of the experiment's */

	const int64_t good_ns = watch->probes[index].last_good_due_ns;
	const int64_t since_ns = good_ns > from_ns ? good_ns : from_ns;

	return now_ns > since_ns ? now_ns - since_ns : 0;
}
