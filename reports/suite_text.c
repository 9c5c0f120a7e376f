/*
 * suite_text.c - a suite for the terminal and for the end of a CI log: the verdict, then a line for
 * each experiment, and under it what there is to say.
 */
#include "reports/suite.h"

#include <inttypes.h>

#include "base/units.h"
#include "reports/escape.h"

static void add_line(struct text *text, const char *first, const char *raw)
{
	text_add(text, first);
	escape_terminal(text, raw);
	text_add(text, "\n");
}

static void add_drill(struct text *text, const struct suite *suite, const struct suite_drill *drill,
		      bool is_utf8)
{
	char recovery[WORDS_BYTES];
	char took[UNITS_TEXT_BYTES];
	const enum run_exit code = drill->outcome.exit_code;

	text_addf(text, "%s %-13s ", words_mark(words_tone(&drill->outcome), is_utf8),
		  words_headline(&drill->outcome));
	escape_terminal(text, drill->title);
	if (drill->is_begun)
		text_addf(text, "   %s, %s", drill->run_id,
			  units_format_duration(drill->took_ns, took));
	text_add(text, "\n");
	add_line(text, "    ", drill->path);
	if (code != EXIT_MET && drill->outcome.sentence != NULL)
		add_line(text, "    ", drill->outcome.sentence);
	if (*suite_recovery(drill, recovery) != '\0')
		add_line(text, "    recovery: ", recovery);
	if (suite->baseline != NULL && drill->baseline.sentence != NULL)
		add_line(text, "    baseline: ", drill->baseline.sentence);
	/* Without a verdict each of them would repeat why. */
	for (size_t i = 0; drill->outcome.verdict != VERDICT_NONE && i < drill->objective_count;
	     i++) {
		const struct objective_result *objective = &drill->objectives[i];

		if (objective->verdict == VERDICT_MET)
			continue;
		text_addf(text, "    %s %s: ", words_mark(objective->verdict, is_utf8),
			  words_verdict(objective->verdict));
		escape_terminal(text, objective->name);
		text_add(text, ", ");
		escape_terminal(text, objective->reason);
		text_add(text, "\n");
	}
}

static void write_text(const struct suite *suite, const struct report_style *style,
		       struct text *ret_bytes)
{
	char took[UNITS_TEXT_BYTES];

	text_addf(ret_bytes, "suite %s: ", suite->suite_id);
	suite_add_counts(suite, ret_bytes);
	text_addf(ret_bytes, "; %s\n", units_format_duration(suite->took_ns, took));
	if (suite->stopped != NULL)
		add_line(ret_bytes, "stopped: ", suite->stopped);
	for (size_t i = 0; i < suite->drill_count; i++)
		add_drill(ret_bytes, suite, &suite->drills[i], style->is_utf8);
	text_addf(ret_bytes, "exit %d: %s\n", (int)suite->exit_code,
		  suite_exit_meaning(suite->exit_code));
}

const struct suite_report_ops suite_report_text = {
	.name = "text",
	.file_name = "suite.txt",
	.write = write_text,
};
