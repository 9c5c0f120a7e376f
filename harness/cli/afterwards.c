/*
 * afterwards.c - see afterwards.h. Who tells and where is read in the inventory of that run, as it is now;
 * whether anybody wanted to be told, in the one that the store has kept.
 */
#include "cli/afterwards.h"

#include <string.h>

#include "cli/messenger.h"

static const struct messenger_patience patience = { 10 * NS_PER_S, false };

struct telling {
	const struct afterwards *afterwards;
	struct arena arena;
	struct secrets secrets;
	struct clock clock;
	struct run_row run; /* or the first of the set's */
	struct messenger messenger;
};

/* What has no run, such as one that was due and missed: what waits of it says who is told, and where. */
static bool look_up_in_outbox(struct telling *telling, struct err *e)
{
	struct message *messages = NULL;
	size_t count = 0;
	size_t broken_count = 0;

	if (!outbox_list(text_str(&telling->messenger.folder), OUTBOX_WAITING, &telling->arena, &messages, &count,
			&broken_count, e))
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(messages[i].happening.run_id, telling->afterwards->run_id) == 0) {
			telling->run.title = messages[i].happening.title;
			telling->run.inventory_path = messages[i].inventory;
			return true;
		}
	return err_set(e, ERR_INPUT, "nothing of `%s` waits to be told", telling->afterwards->run_id);
}

static bool look_up(struct telling *telling, struct err *e)
{
	const struct afterwards *afterwards = telling->afterwards;
	const char *id = afterwards->run_id;
	struct run_row *trials = NULL;
	size_t count = 0;

	if (afterwards->has_no_run)
		return look_up_in_outbox(telling, e);
	if (afterwards->is_set) {
		if (!store_set_runs(afterwards->store, id, &telling->arena, &trials, &count, e))
			return false;
		if (count == 0)
			return err_set(e, ERR_INPUT, "set %s has no runs", id);
		id = trials[0].run_id;
	}
	return store_run_find(afterwards->store, id, &telling->arena, &telling->run, e);
}

/* Without a rule there is nobody to tell, and nothing that could be missing. */
static bool had_rules(struct telling *telling)
{
	const struct load_request request = { .inventory_path = telling->run.inventory_path,
					      .inventory_text = telling->run.inventory_text };
	struct problems *problems = arena_alloc(&telling->arena, sizeof *problems);
	const struct notify *notify = NULL;

	if (telling->afterwards->has_no_run)
		return true;
	return telling->run.inventory_path != NULL && telling->run.inventory_text != NULL &&
	       load_notify(&request, &telling->arena, &telling->secrets, &notify, problems) &&
	       notify->rule_count > 0;
}

static void tell(struct telling *telling)
{
	const struct afterwards *afterwards = telling->afterwards;
	struct messenger *messenger = &telling->messenger;
	const struct happening happening = {
		.kinds = afterwards->kind,
		.wall_ns = clock_wall_ns(&telling->clock),
		.run_id = afterwards->run_id,
		.title = telling->run.title,
		.verdict = verdict_name(VERDICT_NONE),
		.exit_code = -1,
		.sentence = afterwards->sentence,
		.person = afterwards->person,
	};
	struct err e = { 0 };
	size_t count = 0;

	if (!messenger_take(messenger, telling->run.inventory_path, NULL, &e) ||
	    !notify_post(&messenger->notifier, &happening, NULL, &count, &e))
		(void)cli_fail(0, &telling->secrets, &e);
	if (count > 0)
		messenger_deliver(messenger, afterwards->run_id, patience);
}

bool afterwards_tell(const struct afterwards *afterwards, size_t *ret_count, struct err *e)
{
	struct telling telling = { .afterwards = afterwards, .clock = clock_system() };
	bool ok;

	messenger_open(&telling.messenger, afterwards->arguments, &telling.arena, &telling.secrets,
		       &telling.clock);
	ok = look_up(&telling, e) &&
	     notify_end_escalations(text_str(&telling.messenger.folder), afterwards->run_id,
				    ret_count, e);
	if (ok && had_rules(&telling))
		tell(&telling);
	messenger_close(&telling.messenger);
	secrets_release(&telling.secrets);
	arena_release(&telling.arena);
	return ok;
}

/* ---- healed ---- */

static bool is_listed(const struct unhealed *rows, size_t count, const char *run_id)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].run_id, run_id) == 0)
			return true;
	return false;
}

void afterwards_list_unhealed(struct store *store, const char *run_id, struct arena *arena,
			      struct unhealed **ret_rows, size_t *ret_count)
{
	struct heal_row *open = NULL;
	struct unhealed *rows;
	size_t open_count = 0;
	size_t count = 0;
	struct err e = { 0 };

	if (!store_heals_open(store, run_id, arena, &open, &open_count, &e))
		open_count = 0; /* whoever heals says so */
	rows = arena_alloc(arena, (open_count + 1) * sizeof *rows);
	for (size_t i = 0; i < open_count; i++) {
		struct unhealed row = { .run_id = open[i].record.run_id };
		struct run_row run;

		if (store_run_find(store, row.run_id, arena, &run, &e) && run.set_id != NULL)
			row = (struct unhealed){ run.set_id, true };
		if (!is_listed(rows, count, row.run_id))
			rows[count++] = row;
	}
	*ret_rows = rows;
	*ret_count = count;
}

void afterwards_tell_healed(const struct arguments *arguments, struct store *store,
			    const struct unhealed *rows, size_t count)
{
	struct arena arena = { 0 };
	struct unhealed *still = NULL;
	size_t still_count = 0;

	if (count > 0)
		afterwards_list_unhealed(store, NULL, &arena, &still, &still_count);
	for (size_t i = 0; i < count; i++) {
		const struct afterwards afterwards = {
			.arguments = arguments,
			.store = store,
			.run_id = rows[i].run_id,
			.is_set = rows[i].is_set,
			.kind = HAPPENING_RECOVERED,
			.sentence = "What it left is healed.",
		};
		struct err e = { 0 };
		size_t escalation_count = 0;

		if (is_listed(still, still_count, rows[i].run_id))
			continue;
		if (!afterwards_tell(&afterwards, &escalation_count, &e))
			(void)cli_fail(0, NULL, &e);
	}
	arena_release(&arena);
}
