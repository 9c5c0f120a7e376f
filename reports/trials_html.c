/*
 * trials_html.c - a set of trials as one page to mail: verdict, promises, spread, each trial.
 *
 * No script and nothing from outside. The bars are drawn to one scale, in SVG: certain in full
 * colour, the part between two samples lighter; what never recovered has no end.
 */
#include "reports/trials.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/units.h"
#include "reports/escape.h"
#include "reports/html_parts.h"
#include "reports/picture_parts.h"

enum { BAR_LEFT = 56, BAR_WIDTH = 620, BAR_STEP = 18, BAR_HEIGHT = 12, BARS_WIDTH = 900,
       BARS_MOST = 100 };

static void open_page(struct text *page, const struct trial_set *set)
{
	text_add(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		       "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	escape_markup(page, words_headline(&set->outcome));
	text_add(page, ": ");
	escape_markup(page, set->title);
	text_add(page, "</title>\n<style>\n");
	html_style(page);
	text_add(page, "</style>\n</head>\n<body>\n");
}

static void write_verdict(struct text *page, const struct trial_set *set)
{
	const enum verdict tone = words_tone(&set->outcome);
	char wall[32];

	clock_format_wall(set->begun_wall_ns, wall, sizeof wall);
	text_addf(page, "<header class=\"verdict tone-%s\"><div>\n", html_tone(tone));
	text_addf(page, "<p class=\"headline\"><span aria-hidden=\"true\">%s</span> %s</p>\n",
		  words_mark(tone, true), words_headline(&set->outcome));
	html_element(page, "p", "sentence", set->outcome.sentence);
	html_element(page, "h1", NULL, set->title);
	if (set->hypothesis != NULL) {
		text_add(page, "<p>Hypothesis: ");
		escape_markup(page, set->hypothesis);
		text_add(page, "</p>\n");
	}
	text_add(page, "<p class=\"when\">");
	if (set->service != NULL) {
		text_add(page, "Service ");
		escape_markup(page, set->service);
		text_add(page, " \xc2\xb7 ");
	}
	text_addf(page, "%s \xc2\xb7 %zu of %" PRId64 " trials \xc2\xb7 set ", wall,
		  set->trial_count, set->planned_count);
	escape_markup(page, set->set_id);
	text_add(page, "</p>\n</div></header>\n");
}

static void add_verdict(struct text *page, const struct html_table *table, size_t column,
			enum verdict verdict)
{
	char tone[64];
	char text[WORDS_BYTES];

	(void)snprintf(tone, sizeof tone, "word tone-%s", html_tone(verdict));
	(void)snprintf(text, sizeof text, "%s %s", words_mark(verdict, true),
		       words_verdict(verdict));
	html_cell(page, table, column, tone, text);
}

static void write_reasons(struct text *page, const struct trial_set *set)
{
	bool is_open = false;

	for (size_t i = 0; i < set->objective_count; i++) {
		const struct objective_result *objective = &set->objectives[i];

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

static void write_objectives(struct text *page, const struct trial_set *set)
{
	static const char *const heads[] = { "Objective", "Target", "All trials", "Verdict", NULL };
	static const struct html_table table = { "Objectives", "stack objectives", heads, 0 };

	if (set->objective_count == 0)
		return;
	text_add(page, "<section aria-labelledby=\"objectives-head\">"
		       "<h2 id=\"objectives-head\">Objectives</h2>\n");
	html_table_open(page, &table);
	for (size_t i = 0; i < set->objective_count; i++) {
		html_cell(page, &table, 0, NULL, set->objectives[i].name);
		html_cell(page, &table, 1, NULL, set->objectives[i].target);
		html_cell(page, &table, 2, "observed", set->objectives[i].observed);
		add_verdict(page, &table, 3, set->objectives[i].verdict);
	}
	html_table_close(page);
	write_reasons(page, set);
	text_add(page, "</section>\n");
}

/* The right end of the scale: the longest that is known, and the target when there is one. */
static int64_t scale_ns(const struct trial_set *set)
{
	int64_t most_ns = set->promised.has_rto ? set->promised.rto_ns : 1;

	for (size_t i = 0; i < set->trial_count; i++) {
		const struct span rto = set->trials[i].rto;
		const int64_t end_ns = rto.high_ns == INT64_MAX ? rto.low_ns : rto.high_ns;

		most_ns = end_ns > most_ns ? end_ns : most_ns;
	}
	return most_ns;
}

/* Whole units: a decimal point would be the locale's. */
static int place(int64_t ns, int64_t most_ns)
{
	return BAR_LEFT + (int)((double)ns / (double)most_ns * BAR_WIDTH);
}

static void draw_bar(struct text *page, const struct trial *trial, size_t row, int64_t most_ns)
{
	const bool is_open = trial->rto.high_ns == INT64_MAX;
	const int low = place(trial->rto.low_ns, most_ns);
	const int high = is_open ? BAR_LEFT + BAR_WIDTH + 12 : place(trial->rto.high_ns, most_ns);
	const int y = 8 + (int)row * BAR_STEP;
	char rto[WORDS_BYTES];

	text_addf(page, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"" PICTURE_MUTED
			"\">%" PRId64 "</text>", BAR_LEFT - 8, y + 10, trial->number);
	if (trial->rto_kind != MEASURED_NOTHING)
		text_addf(page,
			  "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"" PICTURE_GOOD
			  "\"/><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\""
			  PICTURE_GOOD "\" fill-opacity=\"0.4\"/>",
			  BAR_LEFT, y, low - BAR_LEFT, BAR_HEIGHT, low, y,
			  high - low < 1 ? 1 : high - low, BAR_HEIGHT);
	text_addf(page, "<text x=\"%d\" y=\"%d\" fill=\"" PICTURE_MUTED "\">%s</text>\n",
		  BAR_LEFT + BAR_WIDTH + 20, y + 10, trials_rto(trial, rto));
}

static void draw_bars(struct text *page, const struct trial_set *set)
{
	const int64_t most_ns = scale_ns(set);
	const size_t bar_count = set->trial_count < BARS_MOST ? set->trial_count : BARS_MOST;
	const int height = 30 + (int)bar_count * BAR_STEP;
	char target[UNITS_TEXT_BYTES];

	text_addf(page,
		  "<figure class=\"card\"><div class=\"scroll\" role=\"region\" tabindex=\"0\" "
		  "aria-label=\"Recovery of each trial\">\n<svg class=\"picture\" width=\"%d\" height=\"%d\" "
		  "viewBox=\"0 0 %d %d\" role=\"img\" font-size=\"12\" "
		  "font-family=\"sans-serif\">\n<title>Recovery of each trial</title>\n",
		  BARS_WIDTH, height, BARS_WIDTH, height);
	for (size_t i = 0; i < bar_count; i++)
		draw_bar(page, &set->trials[i], i, most_ns);
	if (set->promised.has_rto) {
		const int x = place(set->promised.rto_ns, most_ns);

		text_addf(page,
			  "<line x1=\"%d\" y1=\"2\" x2=\"%d\" y2=\"%d\" stroke=\"" PICTURE_BAD
			  "\" stroke-width=\"2\"/><text x=\"%d\" y=\"%d\" text-anchor=\"end\" "
			  "fill=\"" PICTURE_BAD "\">target %s</text>\n",
			  x, x, height - 18, x, height - 5,
			  units_format_duration(set->promised.rto_ns, target));
	}
	text_addf(page,
		  "</svg></div>\n<figcaption>From the fault to the recovery, %s. The light part at "
		  "the end of a bar lies between two samples and cannot be known."
		  "</figcaption></figure>\n",
		  bar_count < set->trial_count ? "in the first hundred trials" : "trial by trial");
}

static void write_recovery(struct text *page, const struct trial_set *set)
{
	static const char *const heads[] = { "Fastest", "Median", "p95", "Slowest", NULL };
	static const struct html_table table = { "Recovery", "stack", heads, 0 };
	struct trials_quantile quantiles[TRIALS_QUANTILES];
	char buffer[WORDS_BYTES];

	if (set->ranked_count == 0)
		return;
	trials_quantiles(set, quantiles);
	text_add(page, "<section aria-labelledby=\"recovery-head\">"
		       "<h2 id=\"recovery-head\">Recovery</h2>\n");
	draw_bars(page, set);
	html_table_open(page, &table);
	for (size_t i = 0; i < TRIALS_QUANTILES; i++)
		html_cell(page, &table, i, NULL, trials_span(quantiles[i].span, buffer));
	html_table_close(page);
	if (*trials_remark(set, buffer) != '\0')
		text_addf(page, "<p>Of %zu trials, %s.</p>\n", set->trial_count, buffer);
	text_add(page, "</section>\n");
}

static void write_trials(struct text *page, const struct trial_set *set)
{
	static const char *const heads[] = { "Trial", "Run", "Recovery", "rto", "Came to", "Seed",
					     NULL };
	static const struct html_table table = { "Trials", "stack", heads, 1 << 5 };
	char buffer[WORDS_BYTES];

	if (set->trial_count == 0)
		return;
	text_add(page, "<section aria-labelledby=\"trials-head\">"
		       "<h2 id=\"trials-head\">Trials</h2>\n");
	html_table_open(page, &table);
	for (size_t i = 0; i < set->trial_count; i++) {
		const struct trial *trial = &set->trials[i];

		(void)snprintf(buffer, sizeof buffer, "%" PRId64, trial->number);
		html_cell(page, &table, 0, NULL, buffer);
		html_cell(page, &table, 1, NULL, trial->run_id);
		html_cell(page, &table, 2, NULL, trials_rto(trial, buffer));
		add_verdict(page, &table, 3, trials_rto_verdict(trial));
		html_cell(page, &table, 4, NULL, trial->outcome.sentence);
		(void)snprintf(buffer, sizeof buffer, "%" PRIu64, trial->seed);
		html_cell(page, &table, 5, NULL, buffer);
	}
	html_table_close(page);
	text_add(page, "</section>\n");
}

TRIALS_WRITER(html)
{
	(void)style; /* the same bytes for everyone */
	(void)e;     /* nothing here can fail */

	open_page(ret_bytes, set);
	write_verdict(ret_bytes, set);
	text_add(ret_bytes, "<main>\n");
	write_objectives(ret_bytes, set);
	write_recovery(ret_bytes, set);
	write_trials(ret_bytes, set);
	text_add(ret_bytes, "</main>\n");
	text_addf(ret_bytes, "<footer><p>Seed %" PRIu64 " \xc2\xb7 firedrill ", set->seed);
	escape_markup(ret_bytes, set->version);
	text_add(ret_bytes, "</p></footer>\n</body>\n</html>\n");
	return true;
}
