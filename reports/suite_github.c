/*
 * suite_github.c - a suite as workflow commands of GitHub Actions: an annotation for each experiment
 * that was not met or became slower. An error makes the gate fail, a warning does not.
 *
 * They are read from the log, so they are printed and not kept in a file of their own.
 */
#include "reports/suite.h"

#include "reports/escape.h"

static bool is_worth_a_word(const struct suite *suite, const struct suite_drill *drill)
{
	return drill->outcome.exit_code != EXIT_MET || suite_is_slower(suite, drill);
}

static void add_reasons(struct text *message, const struct suite *suite,
			const struct suite_drill *drill)
{
	text_add(message, drill->outcome.sentence == NULL ? "" : drill->outcome.sentence);
	for (size_t i = 0; drill->outcome.verdict != VERDICT_NONE && i < drill->objective_count;
	     i++) {
		const struct objective_result *objective = &drill->objectives[i];

		if (objective->verdict == VERDICT_MET)
			continue;
		text_addf(message, "\n%s %s: %s", objective->name, words_verdict(objective->verdict),
			  objective->reason == NULL ? "" : objective->reason);
		if (objective->advice != NULL)
			text_addf(message, " %s", objective->advice);
	}
	if (suite_is_slower(suite, drill))
		text_addf(message, "\n%s", drill->baseline.sentence);
}

static void add_drill(struct text *text, const struct suite *suite, const struct suite_drill *drill)
{
	struct text title = { 0 };
	struct text message = { 0 };

	text_addf(&title, "%s: %s",
		  drill->outcome.exit_code == EXIT_MET ? "SLOWER" : words_headline(&drill->outcome),
		  drill->title);
	add_reasons(&message, suite, drill);
	text_addf(text, "::%s file=", suite_does_fail(suite, drill) ? "error" : "warning");
	escape_command(text, drill->path, true);
	text_add(text, ",line=1,title=");
	escape_command(text, text_str(&title), true);
	text_add(text, "::");
	escape_command(text, text_str(&message), false);
	text_add(text, "\n");
	text_release(&title);
	text_release(&message);
}

static void write_github(const struct suite *suite, const struct report_style *style,
			 struct text *ret_bytes)
{
	(void)style; /* the same bytes for everyone */

	for (size_t i = 0; i < suite->drill_count; i++)
		if (is_worth_a_word(suite, &suite->drills[i]))
			add_drill(ret_bytes, suite, &suite->drills[i]);
}

const struct suite_report_ops suite_report_github = {
	.name = "github",
	.write = write_github,
};
