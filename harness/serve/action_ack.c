/*
 * action_ack.c - action "ack": somebody takes care of a run, as `firedrill ack` says it. Its escalations end
 * at once; who is told of that gets a message into the outbox, which `firedrill notifications deliver` sends:
 * the page itself waits for nobody's server.
 */
#include "serve/action.h"

#include <stdlib.h>
#include <string.h>

#include "load/load.h"
#include "notify/notify.h"

struct cared {
	const char *title;
	const char *inventory_path;
	const char *inventory_text; /* NULL: the file alone */
};

/* A run, or the first run of a set of trials. */
static bool find_run(const struct errand *errand, struct cared *ret_cared, struct err *e)
{
	struct arena *arena = errand->visit->arena;
	const char *run_id = errand->subject;
	struct run_row *trials = NULL;
	struct run_row run;
	struct set_row set;
	struct err none = { 0 };
	size_t count = 0;

	if (store_set_find(errand->store, run_id, arena, &set, &none) && strcmp(set.set_id, run_id) == 0) {
		if (!store_set_runs(errand->store, run_id, arena, &trials, &count, e))
			return false;
		if (count > 0)
			run_id = trials[0].run_id;
	}
	if (!store_run_find(errand->store, run_id, arena, &run, e))
		return false;
	if (strcmp(run.run_id, run_id) != 0)
		return err_set(e, ERR_INPUT, "there is no run `%.80s`", run_id);
	*ret_cared = (struct cared){ run.title, run.inventory_path, run.inventory_text };
	return true;
}

/* One that was due and missed has no run: what waits to be told of it is all there is. */
static bool find_missed(const struct errand *errand, const char *folder, struct cared *ret_cared,
			struct err *e)
{
	struct message *messages = NULL;
	size_t broken_count = 0;
	size_t count = 0;

	if (!outbox_list(folder, OUTBOX_WAITING, errand->visit->arena, &messages, &count, &broken_count, e))
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(messages[i].happening.run_id, errand->subject) == 0) {
			*ret_cared = (struct cared){ messages[i].happening.title, messages[i].inventory,
						     NULL };
			return true;
		}
	return err_set(e, ERR_INPUT, "nothing of `%.80s` waits to be told", errand->subject);
}

static bool find_cared(const struct errand *errand, const char *folder, struct cared *ret_cared, struct err *e)
{
	return strncmp(errand->subject, "missed-", strlen("missed-")) == 0 ?
		       find_missed(errand, folder, ret_cared, e) :
		       find_run(errand, ret_cared, e);
}

/* The rules as they are now, without their secrets: messages name the channel only. */
static const struct notify *load_rules(const struct cared *cared, struct arena *arena)
{
	const struct load_request request = { .inventory_path = cared->inventory_path };
	struct problems *problems = arena_alloc(arena, sizeof *problems);
	struct secrets none = { 0 };
	const struct notify *notify = NULL;

	if (cared->inventory_path == NULL || !load_notify(&request, arena, &none, &notify, problems))
		notify = NULL;
	secrets_release(&none);
	return notify;
}

/* Whether anybody wants to be told that somebody takes care. */
static bool post(const struct errand *errand, const struct cared *cared, const char *folder, struct err *e)
{
	struct arena *arena = errand->visit->arena;
	const struct clock clock = clock_system();
	const struct notify *notify = load_rules(cared, arena);
	char *whole = cared->inventory_path == NULL ? NULL : realpath(cared->inventory_path, NULL);
	const struct notifier notifier = { .notify = notify,
					   .inventory = whole,
					   .folder = folder,
					   .clock = &clock };
	const struct happening happening = {
		.kinds = HAPPENING_ACKNOWLEDGED,
		.wall_ns = errand->wall_ns,
		.run_id = errand->subject,
		.title = cared->title,
		.verdict = verdict_name(VERDICT_NONE),
		.exit_code = -1,
		.sentence = arena_format(arena, "%s takes care of it.", errand->person),
		.person = errand->person,
	};
	size_t count = 0;
	const bool ok = notify == NULL || notify->rule_count == 0 || whole == NULL ||
			notify_post(&notifier, &happening, NULL, &count, e);

	free(whole);
	return ok;
}

static bool show_ack(struct errand *errand, struct text *body, struct err *e)
{
	struct text folder = { 0 };
	struct cared cared;
	bool ok;

	(void)body;
	site_outbox(errand->visit->site, &folder);
	ok = find_cared(errand, text_str(&folder), &cared, e);
	text_release(&folder);
	return ok;
}

static bool act_ack(const struct errand *errand, const char **ret_sentence, struct err *e)
{
	struct text folder = { 0 };
	struct cared cared;
	size_t count = 0;
	bool ok;

	site_outbox(errand->visit->site, &folder);
	ok = find_cared(errand, text_str(&folder), &cared, e) &&
	     notify_end_escalations(text_str(&folder), errand->subject, &count, e) &&
	     post(errand, &cared, text_str(&folder), e);
	text_release(&folder);
	if (ok && count == 0)
		*ret_sentence = arena_format(errand->visit->arena, "%s takes care of %s; nobody else was "
					     "going to be told", errand->person, errand->subject);
	else if (ok)
		*ret_sentence = arena_format(errand->visit->arena, "%s takes care of %s; %zu escalation%s "
					     "will not be sent", errand->person, errand->subject, count,
					     count == 1 ? "" : "s");
	return ok;
}

const struct action action_ack = {
	.name = "ack",
	.title = "Take care of a run",
	.button = "I take care of it",
	.about = "Nobody else is told by escalation, and those who keep incidents know that it is you.",
	.subject = "Run",
	.show = show_ack,
	.act = act_ack,
};
