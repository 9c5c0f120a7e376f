/*
 * html_verdict.c - the top of the page: what came out, in one second; then the promises one by one.
 */
#include "reports/html_parts.h"

#include <stdio.h>

#include "base/units.h"
#include "reports/escape.h"
#include "reports/facts.h"
#include "reports/words.h"

void html_verdict(struct text *page, const struct story *story)
{
	const struct outcome *outcome = &story->outcome;
	const struct experiment *experiment = story->experiment;
	char wall[WORDS_BYTES];
	char duration[UNITS_TEXT_BYTES];

	text_addf(page, "<header class=\"verdict tone-%s\"><div>\n",
		  html_tone(words_tone(outcome)));
	text_addf(page, "<p class=\"headline\"><span aria-hidden=\"true\">%s</span> %s</p>\n",
		  words_mark(words_tone(outcome), true), words_headline(outcome));
	html_element(page, "p", "sentence", outcome->sentence);
	html_element(page, "h1", NULL, experiment->title);
	if (experiment->hypothesis != NULL) {
		text_add(page, "<p>Hypothesis: ");
		escape_markup(page, experiment->hypothesis);
		text_add(page, "</p>\n");
	}
	text_add(page, "<p class=\"when\">");
	if (experiment->service != NULL) {
		text_add(page, "Service ");
		escape_markup(page, experiment->service->name);
		text_add(page, " \xc2\xb7 ");
	}
	text_addf(page, "%s \xc2\xb7 took %s \xc2\xb7 run ",
		  words_wall(story, facts_started_ns(story), wall),
		  units_format_duration(facts_ended_ns(story) - facts_started_ns(story), duration));
	escape_markup(page, story->run_id);
	text_add(page, "</p>\n</div></header>\n");
}

static void add_reasons(struct text *page, const struct story *story)
{
	bool is_open = false;

	for (size_t i = 0; i < story->objective_count; i++) {
		const struct objective_result *objective = &story->objectives[i];

		if (objective->verdict == VERDICT_MET || objective->reason == NULL)
			continue;
		if (!is_open)
			text_add(page, "<ul class=\"reasons\">\n");
		is_open = true;
		text_addf(page, "<li class=\"tone-%s\"><strong>", html_tone(objective->verdict));
		escape_markup(page, objective->name);
		text_add(page, "</strong>: ");
		escape_markup(page, objective->reason);
		if (objective->advice != NULL) {
			text_add(page, " ");
			html_element(page, "em", NULL, objective->advice);
		}
		text_add(page, "</li>\n");
	}
	if (is_open)
		text_add(page, "</ul>\n");
}

/* Above all else: what somebody must still do by hand. */
static void add_leftovers(struct text *page, const struct story *story)
{
	if (story->outcome.exit_code != EXIT_LEFTOVER)
		return;
	text_add(page, "<section class=\"alarm\" aria-labelledby=\"alarm-head\">"
		       "<h2 id=\"alarm-head\">Still broken: heal this first</h2>\n");
	for (size_t i = 0; i < story->deed_count; i++) {
		const struct deed *deed = &story->deeds[i];

		if (deed->read_back != EVENT_LEFTOVER)
			continue;
		text_add(page, "<p><strong>");
		escape_markup(page, deed->host);
		text_add(page, "</strong>: ");
		escape_markup(page, deed->leftover);
		text_add(page, "</p>\n");
	}
	text_add(page, "<p><code>firedrill heal ");
	escape_markup(page, story->run_id);
	text_add(page, "</code></p></section>\n");
}

void html_objectives(struct text *page, const struct story *story)
{
	static const char *const heads[] = { "Objective", "Target", "Observed", "Margin", "Verdict",
					     NULL };
	static const struct html_table table = { "Objectives", "stack objectives", heads, 0 };

	add_leftovers(page, story);
	if (story->objective_count == 0)
		return;
	text_add(page, "<section aria-labelledby=\"objectives-head\">"
		       "<h2 id=\"objectives-head\">Objectives</h2>\n");
	html_table_open(page, &table);
	for (size_t i = 0; i < story->objective_count; i++) {
		const struct objective_result *objective = &story->objectives[i];
		char tone[64];
		char verdict[WORDS_BYTES];

		(void)snprintf(tone, sizeof tone, "word tone-%s", html_tone(objective->verdict));
		(void)snprintf(verdict, sizeof verdict, "%s %s",
			       words_mark(objective->verdict, true),
			       words_verdict(objective->verdict));
		html_cell(page, &table, 0, NULL, objective->name);
		html_cell(page, &table, 1, NULL, objective->target);
		html_cell(page, &table, 2, "observed", objective->observed);
		html_cell(page, &table, 3, NULL, objective->margin);
		html_cell(page, &table, 4, tone, verdict);
	}
	html_table_close(page);
	add_reasons(page, story);
	text_add(page, "</section>\n");
}
