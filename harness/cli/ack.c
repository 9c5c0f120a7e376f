/*
 * ack.c - command "ack": somebody takes care of a run, so nobody else is told by escalation, and those
 * who keep incidents know who it is.
 */
#include "cli/channels.h"
#include "cli/claim.h"
#include "cli/find.h"

static const int64_t patience_ns = 10 * NS_PER_S;

static const struct option_row ack_options[] = {
	BY_OPTION,
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

struct acknowledging {
	const struct arguments *arguments;
	struct arena arena;
	struct secrets secrets;
	struct clock clock;
	struct store *owned_store;
	struct text folder;
	struct found found;
	const char *person;
	const char *title;
	const char *inventory; /* absolute, if it is still there */
};

/* The run itself, or the first of the set's. */
static bool look_up(struct acknowledging *acknowledging, struct err *e)
{
	struct run_row *trials = NULL;
	struct run_row run;
	size_t count = 0;
	const char *id = acknowledging->found.id;

	if (acknowledging->found.is_set) {
		if (!store_set_runs(acknowledging->owned_store, id, &acknowledging->arena, &trials,
				    &count, e))
			return false;
		if (count == 0)
			return err_set(e, ERR_INPUT, "set %s has no runs", id);
		id = trials[0].run_id;
	}
	if (!store_run_find(acknowledging->owned_store, id, &acknowledging->arena, &run, e))
		return false;
	acknowledging->title = run.title;
	acknowledging->inventory = cli_absolute(run.inventory_path, &acknowledging->arena);
	return true;
}

/* Those who keep incidents are told who takes care. */
static void tell_acknowledged(struct acknowledging *acknowledging)
{
	struct channel_book book = { .arena = &acknowledging->arena,
				     .secrets = &acknowledging->secrets };
	struct notifier notifier = {
		.inventory = acknowledging->inventory,
		.folder = text_str(&acknowledging->folder),
		.secrets = &acknowledging->secrets,
		.clock = &acknowledging->clock,
	};
	const struct happening happening = {
		.kinds = HAPPENING_ACKNOWLEDGED,
		.wall_ns = clock_wall_ns(&acknowledging->clock),
		.run_id = acknowledging->found.id,
		.title = acknowledging->title,
		.verdict = verdict_name(VERDICT_NONE),
		.exit_code = -1,
		.sentence = arena_format(&acknowledging->arena, "%s takes care of it.",
					 acknowledging->person),
		.person = acknowledging->person,
	};
	const struct delivery delivery = {
		.folder = notifier.folder,
		.clock = &acknowledging->clock,
		.deadline_ns = clock_now_ns(&acknowledging->clock) + patience_ns,
		.first = acknowledging->found.id,
		.secrets = &acknowledging->secrets,
		.find = channels_find,
		.ctx = &book,
	};
	struct delivered delivered = { 0 };
	struct err e = { 0 };
	size_t count = 0;

	if (channels_load(&book, notifier.inventory, &notifier.notify, &e) &&
	    notify_post(&notifier, &happening, NULL, &count, &e) && count > 0)
		notify_deliver(&delivery, &delivered);
	if (e.kind != ERR_NONE)
		(void)cli_fail(0, &acknowledging->secrets, &e);
	cli_tell_delivered(&delivered, stderr, &acknowledging->secrets);
}

static int acknowledge(struct acknowledging *acknowledging)
{
	struct text line = { 0 };
	struct err e = { 0 };
	size_t count = 0;

	if (!notify_end_escalations(text_str(&acknowledging->folder), acknowledging->found.id, &count,
				    &e))
		return cli_fail(EXIT_INTERNAL, NULL, &e);
	text_addf(&line, "%s takes care of %s; ", acknowledging->person, acknowledging->found.id);
	if (count == 0)
		text_add(&line, "nobody else was going to be told");
	else
		text_addf(&line, "%zu escalation%s will not be sent", count, count == 1 ? "" : "s");
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
	tell_acknowledged(acknowledging);
	return EXIT_MET;
}

static int run_ack(const struct arguments *arguments)
{
	struct acknowledging acknowledging = { .arguments = arguments, .clock = clock_system() };
	struct err e = { 0 };
	int code;

	cli_spool_path(arguments, &acknowledging.folder);
	if (claim_person(arguments, &acknowledging.arena, &acknowledging.person, &e) &&
	    cli_need_store(arguments, &acknowledging.owned_store, &e) &&
	    find_subject(acknowledging.owned_store, arguments->words[0], &acknowledging.arena,
			 &acknowledging.found, &e) &&
	    look_up(&acknowledging, &e))
		code = acknowledge(&acknowledging);
	else
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	store_close(acknowledging.owned_store);
	text_release(&acknowledging.folder);
	secrets_release(&acknowledging.secrets);
	arena_release(&acknowledging.arena);
	return code;
}

const struct verb verb_ack = {
	.name = "ack",
	.arguments = "RUN",
	.word_min = 1,
	.word_max = 1,
	.summary = "say that you take care of a run: nobody else is told by escalation",
	.example = "firedrill ack last --by anna",
	.options = ack_options,
	.run = run_ack,
};
