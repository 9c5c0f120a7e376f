/*
 * hold.c - commands "hold" and "release": a run that must stay, whatever its age, until somebody lets it go.
 * `store prune` passes it over.
 */
#include <inttypes.h>

#include "cli/claim.h"
#include "cli/find.h"
#include "store/store_care.h"

static const struct option_row hold_options[] = {
	REASON_OPTION,
	BY_OPTION,
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

static const struct option_row release_options[] = {
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

static int code_of(const struct err *e)
{
	return e->kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL;
}

static void print_hold(const struct hold_row *row)
{
	struct text line = { 0 };
	char wall[32];

	clock_format_wall(row->wall_ns, wall, sizeof wall);
	text_addf(&line, "%s  held by %s since %.19s: %s", row->run_id, row->person, wall, row->reason);
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
}

static int list_holds(struct store *store, struct arena *arena)
{
	struct hold_row *rows = NULL;
	size_t count = 0;
	struct err e = { 0 };

	if (!store_holds(store, arena, &rows, &count, &e))
		return cli_fail(EXIT_INTERNAL, NULL, &e);
	for (size_t i = 0; i < count; i++)
		print_hold(&rows[i]);
	if (count == 0)
		(void)puts("no run is held");
	return EXIT_MET;
}

static int hold_one(const struct arguments *arguments, struct store *store, struct arena *arena)
{
	const struct clock clock = clock_system();
	struct hold_row hold = { .wall_ns = clock_wall_ns(&clock) };
	struct run_row run;
	struct err e = { 0 };

	if (!claim_reason(arguments, &hold.reason, &e) ||
	    !claim_person(arguments, arena, &hold.person, &e) ||
	    !store_run_find(store, arguments->words[0], arena, &run, &e))
		return cli_fail(code_of(&e), NULL, &e);
	hold.run_id = run.run_id;
	if (!store_hold(store, &hold, &e))
		return cli_fail(code_of(&e), NULL, &e);
	print_hold(&hold);
	return EXIT_MET;
}

static int run_hold(const struct arguments *arguments)
{
	struct arena arena = { 0 };
	struct store *store = NULL;
	struct err e = { 0 };
	int code;

	if (!cli_need_store(arguments, &store, &e))
		code = cli_fail(code_of(&e), NULL, &e);
	else
		code = arguments->word_count == 0 ? list_holds(store, &arena) :
						    hold_one(arguments, store, &arena);
	store_close(store);
	arena_release(&arena);
	return code;
}

static int run_release(const struct arguments *arguments)
{
	struct arena arena = { 0 };
	struct store *store = NULL;
	struct run_row run;
	bool was_held = false;
	struct err e = { 0 };
	int code = EXIT_MET;

	if (!cli_need_store(arguments, &store, &e) ||
	    !store_run_find(store, arguments->words[0], &arena, &run, &e) ||
	    !store_release(store, run.run_id, &was_held, &e))
		code = cli_fail(code_of(&e), NULL, &e);
	else
		(void)puts(was_held ? "released" : "it was not held");
	store_close(store);
	arena_release(&arena);
	return code;
}

const struct verb verb_hold = {
	.name = "hold",
	.arguments = "[RUN]",
	.word_min = 0,
	.word_max = 1,
	.summary = "keep a run whatever its age; without RUN: list those that are held",
	.example = "firedrill hold last --reason 'evidence of the March audit'",
	.options = hold_options,
	.run = run_hold,
};

const struct verb verb_release = {
	.name = "release",
	.arguments = "RUN",
	.word_min = 1,
	.word_max = 1,
	.summary = "let a run go that was held",
	.example = "firedrill release last",
	.options = release_options,
	.run = run_release,
};
