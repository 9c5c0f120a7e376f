/*
 * report.c - command "report": the report of a run or of a set of trials again, from the store
 * alone; nothing is measured anew.
 */
#include <string.h>

#include "cli/find.h"
#include "cli/output.h"
#include "engine/trials.h"

static const struct option_row report_options[] = {
	STORE_OPTION,
	{ "format", "NAME", "text (default), json, junit, markdown, html, png" },
	{ "out", "PATH", "a file for one format; without --format a folder for all of them" },
	{ NULL, NULL, NULL },
};

static bool report_run(struct store *store, const char *run_id, const char *format,
		       const char *out, struct arena *arena, struct secrets *secrets,
		       struct err *e)
{
	struct story story = { 0 };

	if (!story_build(store, run_id, arena, secrets, &story, e))
		return false;
	if (out != NULL && format == NULL)
		return output_write_all(&story, out, e);
	return output_write_one(&story, format == NULL ? "text" : format, out, e);
}

static bool report_set(struct store *store, const char *set_id, const char *format,
		       const char *out, struct arena *arena, struct secrets *secrets,
		       struct err *e)
{
	struct trial_set set;

	if (!trials_story(store, set_id, arena, secrets, &set, e))
		return false;
	if (out != NULL && format == NULL)
		return output_write_set(&set, out, e);
	return output_write_set_one(&set, format == NULL ? "text" : format, out, e);
}

static int run_report(const struct arguments *arguments)
{
	const char *format = arguments_value(arguments, "format");
	const char *out = arguments_value(arguments, "out");
	const char *run = arguments->word_count > 0 ? arguments->words[0] : "last";
	struct arena arena = { 0 };
	struct secrets secrets = { 0 };
	struct store *store = NULL;
	struct found found = { 0 };
	struct err e = { 0 };
	const bool ok = (format == NULL || output_check_format(format, &e)) &&
			find_open(arguments, run, &arena, &store, &found, &e) &&
			(found.is_set ?
				 report_set(store, found.id, format, out, &arena, &secrets, &e) :
				 report_run(store, found.id, format, out, &arena, &secrets, &e));
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
	.arguments = "[RUN|BUNDLE]",
	.word_min = 0,
	.word_max = 1,
	.summary = "print or write the report of a run or a set again (its id, a beginning of it, or last)",
	.example = "firedrill report last --format html --out report.html",
	.options = report_options,
	.run = run_report,
};
