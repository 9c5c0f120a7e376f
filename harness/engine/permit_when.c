/*
 * permit_when.c - permission by the moment and by people: emergency stop, windows, frozen days, the
 * environment typed back, approvals. See permit.h.
 */
#include "engine/permit_parts.h"

#include <inttypes.h>
#include <string.h>

static const char *const day_names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

const char *permit_wall(struct arena *arena, int64_t wall_ns)
{
	char text[32];

	clock_format_wall(wall_ns, text, sizeof text);
	return arena_format(arena, "%.16sZ", text);
}

void permit_check_stop(struct permit_bench *bench)
{
	const struct stop_row *stop = bench->question->stop;

	if (stop == NULL)
		return;
	permit_refuse(bench, PERMIT_STOP,
		      "an emergency stop by %s holds since %s (%s); nothing may be harmed until "
		      "`firedrill resume` lifts it",
		      stop->person, permit_wall(bench->arena, stop->wall_ns), stop->reason);
}

/* "mon-fri 09:00 to 16:00 Europe/Berlin, where it is sat 17:03" */
static void list_window(const struct policy_window *window, const struct zone_time *now,
			struct text *text)
{
	text_addf(text, "%s%s, where it is %s %02d:%02d", text->length_bytes == 0 ? "" : "; ",
		  window->text, day_names[now->weekday], (int)(now->minute / 60),
		  (int)(now->minute % 60));
}

static void check_windows(struct permit_bench *bench)
{
	const struct policy *policy = bench->policy;
	struct text closed = { 0 };
	bool is_any_open = false;

	for (size_t i = 0; i < policy->window_count && !is_any_open; i++) {
		const struct policy_window *window = &policy->windows[i];

		if (window->zone == NULL) {
			permit_refuse(bench, PERMIT_EVALUATION,
				      "the time zone of the window %s cannot be read on this machine; "
				      "install tzdata", window->text);
			continue;
		}

		const struct zone_time now = zone_time_at(window->zone, bench->question->wall_ns);

		is_any_open = policy_window_is_open(window, &now);
		if (is_any_open)
			permit_ground(bench, "the window %s is open", window->text);
		else
			list_window(window, &now, &closed);
	}
	if (policy->window_count > 0 && !is_any_open && closed.length_bytes > 0)
		permit_refuse(bench, PERMIT_WINDOW,
			      "no window of the policy is open (%s); wait for one, or give --override "
			      "REASON", text_str(&closed));
	text_release(&closed);
}

static void check_freezes(struct permit_bench *bench)
{
	const struct policy *policy = bench->policy;

	for (size_t i = 0; i < policy->freeze_count; i++) {
		const struct policy_freeze *freeze = &policy->freezes[i];

		if (freeze->zone == NULL) {
			permit_refuse(bench, PERMIT_EVALUATION,
				      "the time zone of the frozen time %s cannot be read on this "
				      "machine; install tzdata", freeze->text);
			continue;
		}

		const struct zone_time now = zone_time_at(freeze->zone, bench->question->wall_ns);
		char today[ZONE_DATE_BYTES];

		if (policy_freeze_holds(freeze, &now))
			permit_refuse(bench, PERMIT_FREEZE,
				      "%s lies in the frozen time %s (%s); wait for its end, or give "
				      "--override REASON",
				      zone_format_date(now.day, today), freeze->text, freeze->reason);
	}
}

void permit_check_moment(struct permit_bench *bench)
{
	check_windows(bench);
	check_freezes(bench);
}

static void check_environment(struct permit_bench *bench)
{
	const char *environment = bench->policy->environment;
	const char *typed = bench->question->claim.environment;

	if (environment == NULL)
		return;
	if (typed != NULL && strcmp(typed, environment) == 0) {
		permit_ground(bench, "`%s` was typed back", environment);
		return;
	}
	if (typed == NULL)
		permit_refuse(bench, PERMIT_ENVIRONMENT,
			      "this inventory is `%s`, and nobody has typed that back; give --confirm %s",
			      environment, environment);
	else
		permit_refuse(bench, PERMIT_ENVIRONMENT,
			      "this inventory is `%s`, and --confirm says `%.60s`; make sure that you "
			      "mean this one", environment, typed);
}

static bool is_same_person(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}

static bool is_valid(const struct approval_row *approval, int64_t wall_ns)
{
	return wall_ns < approval->until_wall_ns;
}

/* Has this person a valid approval before index? Each person counts once. */
static bool is_counted(const struct permit_question *question, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (is_valid(&question->approvals[i], question->wall_ns) &&
		    is_same_person(question->approvals[i].person, question->approvals[index].person))
			return true;
	return false;
}

static void check_approvals(struct permit_bench *bench)
{
	const struct permit_question *question = bench->question;
	const int64_t wanted_count = bench->policy->approval_count;
	struct text people = { 0 };
	int64_t count = 0;
	int64_t expired_count = 0;
	bool has_other = false;

	for (size_t i = 0; i < question->approval_count; i++) {
		const struct approval_row *approval = &question->approvals[i];

		if (!is_valid(approval, question->wall_ns)) {
			expired_count++;
			continue;
		}
		if (is_counted(question, i))
			continue;
		text_addf(&people, "%s%s (until %s)", count == 0 ? "" : ", ", approval->person,
			  permit_wall(bench->arena, approval->until_wall_ns));
		has_other = has_other || !is_same_person(approval->person, question->claim.by);
		count++;
	}
	if (wanted_count > 0 && count >= wanted_count && has_other)
		permit_ground(bench, "approved by %s", text_str(&people));
	else if (wanted_count > 0 && count >= wanted_count)
		permit_refuse(bench, PERMIT_APPROVAL,
			      "only %s, who runs it, has approved this plan; another person must: "
			      "`firedrill approve EXPERIMENT --by NAME`", question->claim.by);
	else if (wanted_count > 0)
		permit_refuse(bench, PERMIT_APPROVAL,
			      "%" PRId64 " different %s must have approved exactly this plan, and %s "
			      "has%s; `firedrill approve EXPERIMENT --by NAME` adds one",
			      wanted_count, wanted_count == 1 ? "person" : "people",
			      count == 0 ? "nobody" : text_str(&people),
			      expired_count > 0 ? " (an older approval has expired)" : "");
	text_release(&people);
}

void permit_check_people(struct permit_bench *bench)
{
	check_environment(bench);
	check_approvals(bench);
}
