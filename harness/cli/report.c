/*
 * report.c - command "report": a run's report again, from the store alone; nothing is measured anew.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "engine/engine.h"

static const struct option_row report_options[] = {
	STORE_OPTION,
	{ "format", "NAME", "text (default), json, junit, markdown, html, png" },
	{ "out", "PATH", "a file for one format; without --format a folder for all of them" },
	{ NULL, NULL, NULL },
};

static int run_report(const struct arguments *arguments)
{
	const char *format = arguments_value(arguments, "format");
	const char *out = arguments_value(arguments, "out");
	const char *run = arguments->word_count > 0 ? arguments->words[0] : "last";
	struct arena arena = { 0 };
	struct secrets secrets = { 0 };
	struct store *store = NULL;
	struct story story = { 0 };
	struct run_row row = { 0 };
	struct err e = { 0 };
	const bool ok = (format == NULL || output_check_format(format, &e)) &&
			cli_open_store(arguments, NULL, &store, &e) &&
			store_run_find(store, run, &arena, &row, &e) &&
			story_build(store, row.run_id, &arena, &secrets, &story, &e) &&
			(out != NULL && format == NULL ?
				 output_write_all(&story, out, &e) :
				 output_write_one(&story, format == NULL ? "text" : format, out, &e));
	const int code =
		ok ? EXIT_MET :
		     cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, &secrets, &e);

	store_close(store);
	secrets_release(&secrets);
	arena_release(&arena);
	return code;
}

const struct verb verb_report = {
	.name = "report",
	.arguments = "[RUN]",
	.word_min = 0,
	.word_max = 1,
	.summary = "print or write the report of a run again (RUN: its id, a beginning of it, or last)",
	.example = "firedrill report last --format html --out report.html",
	.options = report_options,
	.run = run_report,
};
