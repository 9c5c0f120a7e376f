/*
 * export.c - command "export": one run as one file that can be mailed, opened with standard tools,
 * checked and computed from without us. See docs/evidence.md.
 */
#include <string.h>

#include "cli/find.h"
#include "engine/engine.h"
#include "reports/report.h"
#include "store/bundle.h"

static const struct option_row export_options[] = {
	STORE_OPTION,
	{ "out", "FILE", "the bundle; default RUN.tar here" },
	{ NULL, NULL, NULL },
};

enum { REPORTS_MAX = 32 };

/* Every report but pictures by themselves: their bytes depend on the libraries that draw them, and
   the HTML has the picture. */
static bool render(const struct story *story, struct text *texts, struct bundle_extra *reports,
		   size_t *ret_count, struct err *e)
{
	const struct report_style style = { 0 };
	size_t row_count;
	const struct report_ops *const *rows = report_table(&row_count);
	size_t count = 0;

	for (size_t i = 0; i < row_count && count < REPORTS_MAX; i++) {
		if (rows[i]->is_binary)
			continue;
		if (!report_write(rows[i], story, &style, &texts[count], e))
			return err_wrap(e, "report %s", rows[i]->name);
		reports[count] = (struct bundle_extra){ .name = rows[i]->file_name,
							.bytes = text_str(&texts[count]),
							.length_bytes = texts[count].length_bytes };
		count++;
	}
	*ret_count = count;
	return true;
}

static bool export_run(struct store *store, const struct story *story, const char *path,
		       struct err *e)
{
	struct text texts[REPORTS_MAX] = { { 0 } };
	struct bundle_extra reports[REPORTS_MAX];
	struct bundle_request request = { .run_id = story->run_id,
					  .exporter = FIREDRILL_VERSION,
					  .reports = reports,
					  .path = path };
	const bool ok = render(story, texts, reports, &request.report_count, e) &&
			bundle_export(store, &request, e);

	for (size_t i = 0; i < REPORTS_MAX; i++)
		text_release(&texts[i]);
	return ok;
}

/* A bundle has one run, so of a set each trial goes into its own. */
static bool find_run(struct store *store, const char *word, struct arena *arena,
		     struct run_row *ret_row, struct err *e)
{
	struct found found;

	if (!find_subject(store, word, arena, &found, e))
		return false;
	if (found.is_set)
		return err_set(e, ERR_INPUT,
			       "%s is a set of trials, and a bundle has one run: export them one by "
			       "one, %s-t01 first", found.id, found.id);
	return store_run_find(store, found.id, arena, ret_row, e);
}

static int run_export(const struct arguments *arguments)
{
	const char *out = arguments_value(arguments, "out");
	struct arena arena = { 0 };
	struct secrets secrets = { 0 };
	struct store *store = NULL;
	struct story story = { 0 };
	struct run_row row = { 0 };
	struct text path = { 0 };
	struct text line = { 0 };
	struct err e = { 0 };
	int code;

	if (cli_need_store(arguments, &store, &e) &&
	    find_run(store, arguments->words[0], &arena, &row, &e)) {
		text_addf(&path, "%s%s", out == NULL ? row.run_id : out, out == NULL ? ".tar" : "");
		code = story_build(store, row.run_id, &arena, &secrets, &story, &e) &&
				       export_run(store, &story, text_str(&path), &e) ?
			       EXIT_MET :
			       cli_fail_evidence(&secrets, &e);
	} else {
		code = cli_fail_evidence(&secrets, &e);
	}
	if (code == EXIT_MET) {
		text_addf(&line, "%s   head %s", text_str(&path), story.timeline.head);
		cli_print_line(stdout, &secrets, text_str(&line));
	}
	text_release(&line);
	text_release(&path);
	store_close(store);
	secrets_release(&secrets);
	arena_release(&arena);
	return code;
}

const struct verb verb_export = {
	.name = "export",
	.arguments = "RUN",
	.word_min = 1,
	.word_max = 1,
	.summary = "write everything about a run into one file that others can check",
	.example = "firedrill export last --out friday.tar",
	.options = export_options,
	.run = run_export,
};
