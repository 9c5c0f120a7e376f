/*
 * action_pause.c - actions "pause" and "resume" of one schedule, as the commands do it.
 */
#include "serve/action.h"

#include <string.h>

#include "base/limits.h"

/* What no schedule can be called would pause none. */
static bool check_name(const struct errand *errand, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_";
	const char *name = errand->subject;

	return (*name != '\0' && name[strspn(name, letters)] == '\0' &&
		strlen(name) <= LIMIT_NAME_BYTES) ||
	       err_set(e, ERR_INPUT, "there is no schedule `%.80s`", name);
}

static bool show_name(struct errand *errand, struct text *body, struct err *e)
{
	(void)body;
	return check_name(errand, e);
}

static bool act_pause(const struct errand *errand, const char **ret_sentence, struct err *e)
{
	const struct pause_row row = { errand->subject, errand->person, errand->reason, errand->wall_ns };

	if (!check_name(errand, e) || !store_pause(errand->store, &row, e))
		return false;
	*ret_sentence = arena_format(errand->visit->arena, "Schedule %s is paused until somebody resumes it",
				     errand->subject);
	return true;
}

static bool act_resume(const struct errand *errand, const char **ret_sentence, struct err *e)
{
	const struct pause_row lift = { errand->subject, errand->person, errand->reason, errand->wall_ns };
	size_t count = 0;

	if (!check_name(errand, e) || !store_unpause(errand->store, &lift, &count, e))
		return false;
	*ret_sentence = arena_format(errand->visit->arena, "Schedule %s is no longer paused", errand->subject);
	return count > 0 ||
	       err_set(e, ERR_REFUSED, "schedule %s was not paused", errand->subject);
}

const struct action action_pause = {
	.name = "pause",
	.title = "Pause a schedule",
	.button = "Pause it",
	.about = "Nothing of this schedule begins until somebody resumes it. Runs under way go on.",
	.subject = "Schedule",
	.has_reason = true,
	.show = show_name,
	.act = act_pause,
};

const struct action action_resume = {
	.name = "resume",
	.title = "Resume a schedule",
	.button = "Resume it",
	.about = "The schedule runs again when it is due next. What was due meanwhile is not made up for.",
	.subject = "Schedule",
	.has_reason = true,
	.show = show_name,
	.act = act_resume,
};
