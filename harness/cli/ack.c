/*
 * ack.c - command "ack": somebody takes care of a run, so nobody else is told by escalation, and those
 * who keep incidents know who it is.
 */
#include <string.h>

#include "cli/afterwards.h"
#include "cli/claim.h"
#include "cli/find.h"

static const struct option_row ack_options[] = {
	BY_OPTION,
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

static int acknowledge(const struct arguments *arguments, struct store *store,
		       const struct found *found, const char *person, struct arena *arena)
{
	const struct afterwards afterwards = {
		.arguments = arguments,
		.store = store,
		.run_id = found->id,
		.is_set = found->is_set,
		.has_no_run = store == NULL,
		.kind = HAPPENING_ACKNOWLEDGED,
		.sentence = arena_format(arena, "%s takes care of it.", person),
		.person = person,
	};
	struct text line = { 0 };
	struct err e = { 0 };
	size_t count = 0;

	if (!afterwards_tell(&afterwards, &count, &e))
		return cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	text_addf(&line, "%s takes care of %s; ", person, found->id);
	if (count == 0)
		text_add(&line, "nobody else was going to be told");
	else
		text_addf(&line, "%zu escalation%s will not be sent", count, count == 1 ? "" : "s");
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
	return EXIT_MET;
}

static int run_ack(const struct arguments *arguments)
{
	struct arena arena = { 0 };
	struct store *store = NULL;
	struct found found = { 0 };
	const char *person = NULL;
	struct err e = { 0 };
	int code;

	const char *word = arguments->words[0];

	if (!claim_person(arguments, &arena, &person, &e))
		code = cli_fail(EXIT_NOT_RUN, NULL, &e);
	else if (strncmp(word, "missed-", strlen("missed-")) == 0)
		code = acknowledge(arguments, NULL, &(struct found){ .id = word }, person, &arena);
	else if (cli_need_store(arguments, &store, &e) &&
		 find_subject(store, word, &arena, &found, &e))
		code = acknowledge(arguments, store, &found, person, &arena);
	else
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	store_close(store);
	arena_release(&arena);
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
