/*
 * suite_markdown.c - a suite for a pull request or a job's summary page: one table, and under it what
 * was not met.
 */
#include "reports/suite.h"

#include <inttypes.h>

#include "base/units.h"
#include "reports/escape.h"

static void add_cell(struct text *text, const char *raw)
{
	text_add(text, "| ");
	escape_markdown(text, raw);
	text_add(text, " ");
}

static void add_row(struct text *text, const struct suite *suite, const struct suite_drill *drill)
{
	char recovery[WORDS_BYTES];
	char took[UNITS_TEXT_BYTES];

	text_addf(text, "| %s %s ", words_mark(words_tone(&drill->outcome), true),
		  words_headline(&drill->outcome));
	add_cell(text, drill->title);
	add_cell(text, suite_recovery(drill, recovery));
	if (suite->baseline != NULL)
		add_cell(text, drill->baseline.is_there ? slower_word(drill->baseline.answer) :
							  "none yet");
	add_cell(text, drill->is_begun ? units_format_duration(drill->took_ns, took) : "");
	add_cell(text, drill->is_begun ? drill->run_id : "");
	text_add(text, "|\n");
}

static void add_point(struct text *text, const char *what, const char *why, const char *advice)
{
	text_add(text, "  - **");
	escape_markdown(text, what);
	text_add(text, "**: ");
	escape_markdown(text, why);
	if (advice != NULL) {
		text_add(text, " ");
		escape_markdown(text, advice);
	}
	text_add(text, "\n");
}

static void add_findings(struct text *text, const struct suite *suite,
			 const struct suite_drill *drill)
{
	const bool has_baseline = suite->baseline != NULL && drill->baseline.sentence != NULL;

	if (drill->outcome.exit_code == EXIT_MET && !has_baseline)
		return;
	text_add(text, "- ");
	escape_markdown(text, drill->title);
	text_add(text, ": ");
	escape_markdown(text, drill->outcome.sentence);
	text_add(text, "\n");
	for (size_t i = 0; drill->outcome.verdict != VERDICT_NONE && i < drill->objective_count;
	     i++) {
		const struct objective_result *objective = &drill->objectives[i];

		if (objective->verdict != VERDICT_MET)
			add_point(text, objective->name, objective->reason, objective->advice);
	}
	if (has_baseline)
		add_point(text, "baseline", drill->baseline.sentence, NULL);
}

static void write_markdown(const struct suite *suite, const struct report_style *style,
			   struct text *ret_bytes)
{
	const bool is_open = suite->exit_code == EXIT_MET;

	(void)style; /* the same bytes for everyone */

	text_addf(ret_bytes, "## %s firedrill: ",
		  words_mark(is_open ? VERDICT_MET : VERDICT_MISSED, true));
	suite_add_counts(suite, ret_bytes);
	text_addf(ret_bytes, "\n\nExit code %d: %s.", (int)suite->exit_code,
		  suite_exit_meaning(suite->exit_code));
	if (suite->stopped != NULL) {
		text_add(ret_bytes, " Stopped: ");
		escape_markdown(ret_bytes, suite->stopped);
		text_add(ret_bytes, ".");
	}
	text_addf(ret_bytes, "\n\n| Verdict | Experiment | Recovery %s| Took | Run |\n",
		  suite->baseline == NULL ? "" : "| Against the baseline ");
	text_addf(ret_bytes, "| --- | --- | --- %s| --- | --- |\n",
		  suite->baseline == NULL ? "" : "| --- ");
	for (size_t i = 0; i < suite->drill_count; i++)
		add_row(ret_bytes, suite, &suite->drills[i]);
	text_add(ret_bytes, "\n");
	for (size_t i = 0; i < suite->drill_count; i++)
		add_findings(ret_bytes, suite, &suite->drills[i]);
}

const struct suite_report_ops suite_report_markdown = {
	.name = "markdown",
	.file_name = "summary.md",
	.write = write_markdown,
};
