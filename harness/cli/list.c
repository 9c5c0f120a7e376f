/*
 * list.c - command "list": the runs of the store, newest first; the trials of a set stand under it.
 */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "cli/cli.h"

static const struct option_row list_options[] = {
	STORE_OPTION,
	{ "limit", "NUMBER", "how many; default 20, 0 for all" },
	{ NULL, NULL, NULL },
};

static void print_run(const struct run_row *run)
{
	char wall[32];
	struct text line = { 0 };

	clock_format_wall(run->anchor.wall_ns, wall, sizeof wall);
	text_addf(&line, "%s%s  %.19s  ", run->set_id == NULL ? "" : "  ", run->run_id, wall);
	if (run->watch_of != NULL)
		text_addf(&line, "watch of %s  ", run->watch_of);
	if (run->is_ended)
		text_addf(&line, "exit %" PRId64 "  %s: %s", run->exit_code, run->title,
			  run->sentence == NULL ? "" : run->sentence);
	else
		text_addf(&line, "not ended  %s", run->title);
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
}

static bool print_set(struct store *store, const char *set_id, struct arena *arena, struct err *e)
{
	char wall[32];
	struct text line = { 0 };
	struct set_row set;

	if (!store_set_find(store, set_id, arena, &set, e))
		return false;
	clock_format_wall(set.wall_ns, wall, sizeof wall);
	text_addf(&line, "%s  %.19s  ", set.set_id, wall);
	if (set.is_ended)
		text_addf(&line, "exit %" PRId64 "  %s: %s", set.exit_code, set.title,
			  set.sentence == NULL ? "" : set.sentence);
	else
		text_addf(&line, "not ended  %s: %" PRId64 " trials", set.title,
			  set.planned_count);
	cli_print_line(stdout, NULL, text_str(&line));
	text_release(&line);
	return true;
}

/* A set comes before the newest of its runs, once. */
static bool print_runs(struct store *store, const struct run_row *runs, size_t count,
		       struct arena *arena, struct err *e)
{
	const char *set_id = NULL;

	for (size_t i = 0; i < count; i++) {
		if (runs[i].set_id != NULL &&
		    (set_id == NULL || strcmp(set_id, runs[i].set_id) != 0) &&
		    !print_set(store, runs[i].set_id, arena, e))
			return false;
		set_id = runs[i].set_id;
		print_run(&runs[i]);
	}
	return true;
}

static int run_list(const struct arguments *arguments)
{
	const char *given = arguments_value(arguments, "limit");
	struct arena arena = { 0 };
	struct store *store = NULL;
	struct run_row *runs = NULL;
	size_t run_count = 0;
	struct err e = { 0 };
	int64_t limit = 20;
	int code = EXIT_MET;

	if (given != NULL && (!units_parse_count(given, &limit, &e) || limit < 0))
		return cli_fail_text(EXIT_NOT_RUN, "`--limit %s` is no whole number from 0 on", given);
	if (!cli_open_kept(arguments, &store, &e) ||
	    (store != NULL &&
	     (!store_runs(store, (size_t)limit, &arena, &runs, &run_count, &e) ||
	      !print_runs(store, runs, run_count, &arena, &e))))
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	if (code == EXIT_MET && run_count == 0)
		(void)fputs("no runs yet\n", stdout);
	store_close(store);
	arena_release(&arena);
	return code;
}

const struct verb verb_list = {
	.name = "list",
	.arguments = "",
	.word_min = 0,
	.word_max = 0,
	.summary = "list the runs of the store, newest first",
	.example = "firedrill list",
	.options = list_options,
	.run = run_list,
};
