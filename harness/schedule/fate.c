/*
 * fate.c - may it run at this moment? Pauses, frozen times and windows; see schedule.h.
 */
#include "schedule/schedule_parts.h"

#include <assert.h>

#include "schedule/calendar.h"

const char *fate_name(enum fate fate)
{
	switch (fate) {
	case FATE_RUNS:
		return "runs";
	case FATE_FROZEN:
		return "frozen";
	case FATE_CLOSED:
		return "outside the window";
	case FATE_PAUSED:
		return "paused";
	case FATE_BUSY:
		return "still running";
	case FATE_MISSED:
		return "missed";
	}
	return "unknown";
}

static bool is_frozen_by(const struct policy_freeze *freezes, size_t count, int64_t wall_ns,
			 struct arena *arena, const char **ret_why)
{
	for (size_t i = 0; i < count; i++) {
		const struct zone_time now = zone_time_at(freezes[i].zone, wall_ns);

		if (!policy_freeze_holds(&freezes[i], &now))
			continue;
		*ret_why = arena_format(arena, "%s (%s)", freezes[i].text, freezes[i].reason);
		return true;
	}
	return false;
}

static bool is_frozen(const struct schedule *schedule, int64_t wall_ns, struct arena *arena,
		      const char **ret_why)
{
	if (is_frozen_by(schedule->freezes, schedule->freeze_count, wall_ns, arena, ret_why))
		return true;
	for (size_t i = 0; i < schedule->calendar_count; i++) {
		const struct calendar *calendar = schedule->calendars[i];
		const struct calendar_event *event = calendar_event_at(calendar, wall_ns);

		if (event == NULL)
			continue;
		*ret_why = arena_format(arena, "%s%s%s:%u", event->summary,
					*event->summary == '\0' ? "" : ", ", calendar->name,
					(unsigned)event->line);
		return true;
	}
	return false;
}

/* What the policy of the experiment's inventory would say at that moment. */
static enum fate policy_fate(const struct policy *policy, int64_t wall_ns, struct arena *arena,
			     const char **ret_why)
{
	struct text closed = { 0 };
	bool is_any_open = policy->window_count == 0;

	if (is_frozen_by(policy->freezes, policy->freeze_count, wall_ns, arena, ret_why))
		return FATE_FROZEN;
	for (size_t i = 0; i < policy->window_count; i++) {
		const struct zone_time now = zone_time_at(policy->windows[i].zone, wall_ns);

		is_any_open = is_any_open || policy_window_is_open(&policy->windows[i], &now);
		text_addf(&closed, "%s%s", i == 0 ? "" : "; ", policy->windows[i].text);
	}
	if (!is_any_open)
		*ret_why = arena_copy(arena, text_str(&closed));
	text_release(&closed);
	return is_any_open ? FATE_RUNS : FATE_CLOSED;
}

enum fate fate_at(const struct schedule *schedule, const struct scheduled_experiment *experiment,
		  const struct schedule_pause *pause, int64_t wall_ns, struct arena *arena,
		  const char **ret_why)
{
	enum fate first_fate = FATE_RUNS;
	const char *why = NULL;

	assert(schedule->experiment_count > 0);

	if (pause != NULL && pause->wall_ns <= wall_ns) {
		*ret_why = arena_format(arena, "by %s: %s", pause->person, pause->reason);
		return FATE_PAUSED;
	}
	if (is_frozen(schedule, wall_ns, arena, ret_why))
		return FATE_FROZEN;
	if (experiment != NULL)
		return policy_fate(experiment->policy, wall_ns, arena, ret_why);
	for (size_t i = 0; i < schedule->experiment_count; i++) {
		const enum fate fate =
			policy_fate(schedule->experiments[i].policy, wall_ns, arena, &why);

		if (fate == FATE_RUNS)
			return FATE_RUNS;
		if (i == 0) {
			first_fate = fate;
			*ret_why = why;
		}
	}
	return first_fate;
}

enum fate fate_of(const struct schedule *schedule, const struct occurrence *occurrence,
		  const struct schedule_pause *pause, int64_t wall_ns, struct arena *arena,
		  const char **ret_why)
{
	const enum fate fate = fate_at(schedule, NULL, pause, wall_ns, arena, ret_why);

	if (fate != FATE_RUNS || wall_ns <= occurrence->latest_wall_ns)
		return fate;
	*ret_why = arena_format(arena, "not after %02d:%02d", (int)(schedule->not_after_minute / 60),
				(int)(schedule->not_after_minute % 60));
	return FATE_CLOSED;
}
