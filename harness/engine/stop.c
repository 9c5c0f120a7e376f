/*
 * stop.c - see stop.h.
 */
#include "engine/stop.h"

#include "base/units.h"

#include <assert.h>
#include <inttypes.h>

enum { PPM = 1000000 };

static bool is_bad(const struct stop_condition *condition, const struct sample *sample,
		   enum sample_state state)
{
	return state == SAMPLE_BAD ||
	       (state == SAMPLE_GOOD && condition->slower_than_ns != 0 &&
		sample->done_ns - sample->sent_ns > condition->slower_than_ns);
}

/* Adds the slot to the window, or takes it out again (by = -1). */
static void count(const struct stop_condition *condition, struct stop_window *window,
		  const struct track *track, uint64_t slot, int by)
{
	const struct sample *sample = &track->samples[slot];
	const enum sample_state state = sample_state_now(sample);
	const bool is_blind = state == SAMPLE_SKIPPED || state == SAMPLE_NONE;

	window->bad_count += is_bad(condition, sample, state) ? by : 0;
	window->blind_count += is_blind ? by : 0;
}

static int64_t window_slots(const struct stop_condition *condition)
{
	return condition->window_ns / condition->probe->every_ns;
}

static bool is_share_reached(const struct stop_condition *condition,
			     const struct stop_window *window)
{
	const int64_t seen_count = window_slots(condition) - window->blind_count;

	return window->bad_count > 0 && window->bad_count * PPM >= seen_count * condition->share_ppm;
}

static bool look_at_share(const struct stop_condition *condition, struct stop_window *window,
			  const struct watch_probe *probe, const struct track *track,
			  int64_t first_harm_ns, int64_t *ret_met_ns)
{
	const uint64_t slot_count = (uint64_t)window_slots(condition);

	assert(slot_count > 0); /* the loader wants a window longer than `every` */
	while (window->next_slot < probe->slot_count) {
		const uint64_t slot = window->next_slot++;

		count(condition, window, track, slot, 1);
		while (window->next_slot - window->first_slot > slot_count)
			count(condition, window, track, window->first_slot++, -1);
		if (track_due_ns(track, slot) >= first_harm_ns &&
		    is_share_reached(condition, window)) {
			*ret_met_ns = track->samples[slot].done_ns;
			return true;
		}
	}
	return false;
}

static void tell_share(const struct stop_condition *condition, const struct stop_window *window,
		       struct text *text)
{
	char length[UNITS_TEXT_BYTES];
	char limit[UNITS_TEXT_BYTES];

	text_addf(text, "%" PRId64 " of the last %" PRId64 " samples of probe `%s` (%s) were bad",
		  window->bad_count, window_slots(condition) - window->blind_count,
		  condition->probe->name,
		  units_format_duration(condition->window_ns, length));
	if (condition->slower_than_ns != 0)
		text_addf(text, " or slower than %s",
			  units_format_duration(condition->slower_than_ns, limit));
}

bool stop_is_met(const struct stop_condition *condition, struct stop_window *window,
		 const struct watch *watch, int64_t first_harm_ns, int64_t now_ns,
		 int64_t *ret_met_ns, struct text *ret_why)
{
	const size_t index = (size_t)(condition->probe - watch->experiment->probes);
	char length[UNITS_TEXT_BYTES];
	int64_t bad_for_ns;

	assert(index < watch->experiment->probe_count); /* the probe is one of the experiment's */
	if (condition->share_ppm != 0) {
		if (!look_at_share(condition, window, &watch->probes[index], &watch->tracks[index],
				   first_harm_ns, ret_met_ns))
			return false;
		tell_share(condition, window, ret_why);
		return true;
	}
	bad_for_ns = watch_bad_for_ns(watch, condition->probe, first_harm_ns, now_ns);
	if (bad_for_ns < condition->bad_for_ns)
		return false;
	*ret_met_ns = now_ns - bad_for_ns + condition->bad_for_ns;
	text_addf(ret_why, "probe `%s` has been bad for %s", condition->probe->name,
		  units_format_duration(condition->bad_for_ns, length));
	return true;
}

void stop_tell(const struct stop_condition *condition, struct text *text)
{
	char length[UNITS_TEXT_BYTES];
	char share[UNITS_TEXT_BYTES];
	char limit[UNITS_TEXT_BYTES];

	if (condition->share_ppm == 0) {
		text_addf(text, "probe `%s` has no good sample for %s", condition->probe->name,
			  units_format_duration(condition->bad_for_ns, length));
		return;
	}
	text_addf(text, "%s of the samples of probe `%s` in %s are bad",
		  units_format_percent(condition->share_ppm, share), condition->probe->name,
		  units_format_duration(condition->window_ns, length));
	if (condition->slower_than_ns != 0)
		text_addf(text, " or slower than %s",
			  units_format_duration(condition->slower_than_ns, limit));
}
