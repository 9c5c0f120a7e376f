/*
 * action_stop.c - actions "stop", "stop-all" and "resume-all": what `firedrill stop` and `firedrill resume`
 * write into the store. The runs themselves heal and end; nobody waits for them here.
 */
#include "serve/action.h"

#include <string.h>

/* A run or a set of trials under exactly this id; *ret_is_alive: its process is there. */
static bool find_subject(const struct errand *errand, bool *ret_is_ended, bool *ret_is_alive, struct err *e)
{
	struct arena *arena = errand->visit->arena;
	struct run_row run;
	struct set_row set;
	struct err none = { 0 };

	if (store_run_find(errand->store, errand->subject, arena, &run, &none) &&
	    strcmp(run.run_id, errand->subject) == 0) {
		*ret_is_ended = run.is_ended;
		*ret_is_alive = store_run_is_alive(&run);
		return true;
	}
	if (store_set_find(errand->store, errand->subject, arena, &set, &none) &&
	    strcmp(set.set_id, errand->subject) == 0) {
		*ret_is_ended = set.is_ended;
		*ret_is_alive = store_set_is_alive(&set);
		return true;
	}
	if (none.kind != ERR_INPUT && none.kind != ERR_NONE) {
		*e = none;
		return false;
	}
	return err_set(e, ERR_INPUT, "there is no run and no set of trials `%.80s`", errand->subject);
}

static bool show_stop(struct errand *errand, struct text *body, struct err *e)
{
	bool is_ended;
	bool is_alive;

	(void)body;
	return find_subject(errand, &is_ended, &is_alive, e) &&
	       (!is_ended ||
		err_set(e, ERR_INPUT, "%s has ended: there is nothing to stop", errand->subject));
}

static bool act_stop(const struct errand *errand, const char **ret_sentence, struct err *e)
{
	const struct stop_row order = { .subject = errand->subject,
					.person = errand->person,
					.reason = errand->reason,
					.wall_ns = errand->wall_ns };
	bool is_ended;
	bool is_alive;

	if (!find_subject(errand, &is_ended, &is_alive, e))
		return false;
	if (is_ended)
		return err_set(e, ERR_REFUSED, "%s has ended: there is nothing to stop", errand->subject);
	if (!store_stop(errand->store, &order, e))
		return false;
	*ret_sentence = arena_format(
		errand->visit->arena,
		is_alive ? "%s is told to heal and to end; it looks twice a second" :
			   "%s has died and cannot obey: `firedrill heal` undoes what it left",
		errand->subject);
	return true;
}

static bool act_stop_all(const struct errand *errand, const char **ret_sentence, struct err *e)
{
	const struct stop_row order = { .person = errand->person,
					.reason = errand->reason,
					.wall_ns = errand->wall_ns };

	*ret_sentence = "Every run is told to heal and to end, and none starts until this is lifted";
	return store_stop(errand->store, &order, e);
}

static bool act_resume_all(const struct errand *errand, const char **ret_sentence, struct err *e)
{
	const struct stop_row lift = { .person = errand->person,
				       .reason = errand->reason,
				       .wall_ns = errand->wall_ns };
	size_t count = 0;

	if (!store_resume(errand->store, &lift, &count, e))
		return false;
	*ret_sentence = "The emergency stop is lifted; runs may start again";
	return count > 0 || err_set(e, ERR_REFUSED, "there is no emergency stop to be lifted");
}

const struct action action_stop = {
	.name = "stop",
	.title = "Stop a run",
	.button = "Stop it now",
	.about = "The run heals what it has harmed, and ends. A set of trials begins no further one.",
	.subject = "Run",
	.has_reason = true,
	.show = show_stop,
	.act = act_stop,
};

const struct action action_stop_all = {
	.name = "stop-all",
	.title = "Emergency stop",
	.button = "Stop everything",
	.about = "Every run that uses this store heals and ends, and no run starts until the stop is lifted.",
	.has_reason = true,
	.act = act_stop_all,
};

const struct action action_resume_all = {
	.name = "resume-all",
	.title = "Lift the emergency stop",
	.button = "Let runs start again",
	.about = "Runs may start again. Schedules that are paused stay so.",
	.has_reason = true,
	.act = act_resume_all,
};
