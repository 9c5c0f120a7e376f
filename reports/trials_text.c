/*
 * trials_text.c - the last screen of a set of trials. Verdict first, the promises, then each trial.
 */
#include "reports/trials.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/units.h"
#include "reports/grid.h"
#include "reports/utf8.h"

enum { COLUMNS_DEFAULT = 80, COLUMNS_MIN = 40, COLUMNS_MAX = 240 };

struct set_page {
	const struct trial_set *set;
	struct text *text;
	size_t width;
	bool has_colour;
	bool is_utf8;
};

static const char *tone_colour(enum verdict verdict)
{
	static const char *const colours[] = { [VERDICT_NONE] = "\x1b[1m",
					       [VERDICT_MET] = "\x1b[1;32m",
					       [VERDICT_MISSED] = "\x1b[1;31m",
					       [VERDICT_INCONCLUSIVE] = "\x1b[1;33m" };

	return colours[verdict];
}

static void add_heading(const struct set_page *page, const char *heading)
{
	text_addf(page->text, "\n%s%s%s\n", page->has_colour ? "\x1b[1m" : "", heading,
		  page->has_colour ? "\x1b[0m" : "");
}

static void add_verdict(const struct set_page *page, struct grid *grid, size_t column,
			enum verdict verdict)
{
	char text[WORDS_BYTES];

	(void)snprintf(text, sizeof text, "%s %s", words_mark(verdict, page->is_utf8),
		       words_verdict(verdict));
	grid_cell(grid, column, text, tone_colour(verdict));
}

static void write_head(const struct set_page *page)
{
	const struct outcome *outcome = &page->set->outcome;
	const enum verdict tone = words_tone(outcome);
	const char *headline = words_headline(outcome);
	struct text first = { 0 };

	if (page->has_colour)
		text_add(&first, tone_colour(tone));
	text_addf(&first, "%s %s", words_mark(tone, page->is_utf8), headline);
	if (page->has_colour)
		text_add(&first, "\x1b[0m");
	text_add(&first, "  ");
	grid_sentence(page->text, text_str(&first), utf8_columns(headline) + 4, page->width,
		      page->set->title);
	grid_sentence(page->text, "  ", 2, page->width, outcome->sentence);
	text_release(&first);
}

static void write_reasons(const struct set_page *page)
{
	for (size_t i = 0; i < page->set->objective_count; i++) {
		const struct objective_result *objective = &page->set->objectives[i];
		struct text line = { 0 };

		if (objective->verdict == VERDICT_MET || objective->reason == NULL)
			continue;
		text_addf(&line, "%s: %s", objective->name, objective->reason);
		if (objective->advice != NULL)
			text_addf(&line, " %s", objective->advice);
		grid_sentence(page->text, "  ", 4, page->width, text_str(&line));
		text_release(&line);
	}
}

static void write_objectives(const struct set_page *page)
{
	static const struct grid_column columns[] = {
		{ .head = "Objective", .can_wrap = true },
		{ .head = "Target", .can_wrap = true },
		{ .head = "All trials", .can_wrap = true },
		{ .head = "Verdict" },
	};
	struct grid grid = { .columns = columns, .column_count = 4 };

	if (page->set->objective_count == 0)
		return;
	text_add(page->text, "\n");
	for (size_t i = 0; i < page->set->objective_count; i++) {
		const struct objective_result *objective = &page->set->objectives[i];

		grid_row(&grid);
		grid_cell(&grid, 0, objective->name, NULL);
		grid_cell(&grid, 1, objective->target, NULL);
		grid_cell(&grid, 2, objective->observed, NULL);
		add_verdict(page, &grid, 3, objective->verdict);
	}
	grid_print(&grid, 2, page->width, page->has_colour, page->text);
	grid_release(&grid);
	write_reasons(page);
}

static void write_recovery(const struct set_page *page)
{
	struct trials_quantile quantiles[TRIALS_QUANTILES];
	char remark[WORDS_BYTES];
	char span[WORDS_BYTES];

	if (page->set->ranked_count == 0)
		return;
	add_heading(page, "Recovery");
	trials_quantiles(page->set, quantiles);
	for (size_t i = 0; i < TRIALS_QUANTILES; i++)
		text_addf(page->text, "  %-8s %s\n", quantiles[i].name,
			  trials_span(quantiles[i].span, span));
	if (*trials_remark(page->set, remark) != '\0')
		text_addf(page->text, "  of %zu trials, %s\n", page->set->trial_count, remark);
}

static void write_trials(const struct set_page *page)
{
	static const struct grid_column columns[] = {
		{ .head = "Trial", .is_right = true },
		{ .head = "Recovery", .can_wrap = true },
		{ .head = "rto" },
		{ .head = "Came to", .can_wrap = true },
		{ .head = "Seed", .is_right = true },
	};
	struct grid grid = { .columns = columns, .column_count = 5 };
	char buffer[WORDS_BYTES];

	if (page->set->trial_count == 0)
		return;
	add_heading(page, "Trials");
	for (size_t i = 0; i < page->set->trial_count; i++) {
		const struct trial *trial = &page->set->trials[i];

		grid_row(&grid);
		(void)snprintf(buffer, sizeof buffer, "%" PRId64, trial->number);
		grid_cell(&grid, 0, buffer, NULL);
		grid_cell(&grid, 1, trials_rto(trial, buffer), NULL);
		add_verdict(page, &grid, 2, trials_rto_verdict(trial));
		grid_cell(&grid, 3, words_headline(&trial->outcome),
			  tone_colour(words_tone(&trial->outcome)));
		(void)snprintf(buffer, sizeof buffer, "%" PRIu64, trial->seed);
		grid_cell(&grid, 4, buffer, NULL);
	}
	grid_print(&grid, 2, page->width, page->has_colour, page->text);
	grid_release(&grid);
}

static void write_foot(const struct set_page *page)
{
	const struct trial_set *set = page->set;
	char wall[32];
	char duration[UNITS_TEXT_BYTES];
	struct text line = { 0 };

	clock_format_wall(set->begun_wall_ns, wall, sizeof wall);
	text_addf(&line,
		  "Set %s, %s, took %s, seed %" PRIu64 ", firedrill %s. Trial N is the run "
		  "%s-tNN: firedrill report shows each.",
		  set->set_id, wall,
		  units_format_duration(set->ended_wall_ns > set->begun_wall_ns ?
						set->ended_wall_ns - set->begun_wall_ns : 0,
					duration),
		  set->seed, set->version, set->set_id);
	text_add(page->text, "\n");
	grid_sentence(page->text, "", 0, page->width, text_str(&line));
	text_release(&line);
}

TRIALS_WRITER(text)
{
	const size_t asked = style->columns == 0 ? COLUMNS_DEFAULT : style->columns;
	const struct set_page page = {
		.set = set,
		.text = ret_bytes,
		.width = asked < COLUMNS_MIN ? COLUMNS_MIN :
			 asked > COLUMNS_MAX ? COLUMNS_MAX :
					       asked,
		.has_colour = style->has_colour,
		.is_utf8 = style->is_utf8,
	};

	(void)e; /* nothing here can fail */

	write_head(&page);
	write_objectives(&page);
	write_recovery(&page);
	write_trials(&page);
	write_foot(&page);
	return true;
}
