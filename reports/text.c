/*
 * text.c - report "text": the last screen of a run. Verdict first, evidence under it.
 *
 * 80 columns unless the terminal says otherwise; escapes only with has_colour, signs outside ASCII
 * only with is_utf8. It does not list the events: the HTML and JSON reports do.
 */
#include "reports/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/units.h"
#include "reports/escape.h"
#include "reports/facts.h"
#include "reports/findings.h"
#include "reports/grid.h"
#include "reports/strip.h"
#include "reports/text_lag.h"
#include "reports/text_vantage.h"
#include "reports/trials.h"
#include "reports/utf8.h"
#include "reports/words.h"
#include "reports/words_lag.h"

enum { COLUMNS_DEFAULT = 80, COLUMNS_MIN = 40, COLUMNS_MAX = 240, PROBE_NAME_COLUMNS = 14,
       LEVELS_WIDE_COLUMNS = 76 };

struct page {
	const struct story *story;
	struct text *text;
	size_t width;
	bool has_colour;
	bool is_utf8;
};

static const char *tone_colour(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_MET:
		return "\x1b[1;32m";
	case VERDICT_MISSED:
		return "\x1b[1;31m";
	case VERDICT_INCONCLUSIVE:
		return "\x1b[1;33m";
	case VERDICT_NONE:
		return "\x1b[1m";
	}
	return "";
}

static void add_heading(const struct page *page, const char *heading)
{
	text_addf(page->text, "\n%s%s%s\n", page->has_colour ? "\x1b[1m" : "", heading,
		  page->has_colour ? "\x1b[0m" : "");
}

/* "Ledger writes", cut to the page. */
static void add_heading_of(const struct page *page, const char *heading, const char *probe)
{
	struct text line = { 0 };
	struct text clean = { 0 };

	escape_terminal(&clean, probe);
	text_addf(&line, "%s ", heading);
	utf8_add_cut(&line, text_str(&clean), page->width - utf8_columns(text_str(&line)) - 3);
	add_heading(page, text_str(&line));
	text_release(&line);
	text_release(&clean);
}

static void write_head(const struct page *page)
{
	const struct outcome *outcome = &page->story->outcome;
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
		      page->story->experiment->title);
	grid_sentence(page->text, "  ", 2, page->width, page->story->outcome.sentence);
	text_release(&first);
}

static void write_objectives(const struct page *page)
{
	static const struct grid_column columns[] = {
		{ .head = "Objective", .can_wrap = true },
		{ .head = "Target", .can_wrap = true },
		{ .head = "Observed", .can_wrap = true },
		{ .head = "Margin" },
		{ .head = "Verdict" },
	};
	const struct story *story = page->story;
	struct grid grid = { .columns = columns, .column_count = 5 };
	char verdict[WORDS_BYTES];

	if (story->objective_count == 0)
		return;
	text_add(page->text, "\n");
	for (size_t i = 0; i < story->objective_count; i++) {
		const struct objective_result *objective = &story->objectives[i];

		grid_row(&grid);
		grid_cell(&grid, 0, objective->name, NULL);
		grid_cell(&grid, 1, objective->target, NULL);
		grid_cell(&grid, 2, objective->observed, NULL);
		grid_cell(&grid, 3, objective->margin, NULL);
		(void)snprintf(verdict, sizeof verdict, "%s %s",
			       words_mark(objective->verdict, page->is_utf8),
			       words_verdict(objective->verdict));
		grid_cell(&grid, 4, verdict, tone_colour(objective->verdict));
	}
	grid_print(&grid, 2, page->width, page->has_colour, page->text);
	grid_release(&grid);

	for (size_t i = 0; i < story->objective_count; i++) {
		const struct objective_result *objective = &story->objectives[i];
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

static void write_recovery(const struct page *page)
{
	const struct probe_result *service = page->story->service;
	char buffer[WORDS_BYTES];
	struct text line = { 0 };

	if (service == NULL)
		return;
	add_heading(page, "Recovery");
	text_addf(&line, "%s, as %s saw it",
		  words_rto(service, facts_every_ns(page->story, service->probe), buffer),
		  service->probe);
	grid_sentence(page->text, "  ", 2, page->width, text_str(&line));
	for (size_t i = 0; i < service->part_count; i++) {
		text_clear(&line);
		text_addf(&line, "%s: %s", service->parts[i].name,
			  words_span(service->parts[i].span, buffer));
		grid_sentence(page->text, "    ", 6, page->width, text_str(&line));
	}
	text_release(&line);
}

static void write_strip(const struct page *page, const struct track *track, struct span window)
{
	const struct strip_style style = { page->has_colour, page->is_utf8 };
	struct text name = { 0 };
	struct text clean = { 0 };

	escape_terminal(&clean, track->probe);
	utf8_add_cut(&name, text_str(&clean), PROBE_NAME_COLUMNS);
	text_addf(page->text, "  %s", text_str(&name));
	for (size_t i = utf8_columns(text_str(&name)); i < PROBE_NAME_COLUMNS + 1; i++)
		text_add(page->text, " ");
	strip_render(track, window, page->width - PROBE_NAME_COLUMNS - 4, &style, page->text);
	text_add(page->text, "\n");
	text_release(&clean);
	text_release(&name);
}

/* Where the fault was, under the strips: a mark at its column. */
static void write_scale(const struct page *page, struct span window)
{
	const size_t columns = page->width - PROBE_NAME_COLUMNS - 4;
	const int64_t zero_ns = facts_zero_ns(page->story);
	const double share =
		(double)(zero_ns - window.low_ns) / (double)(window.high_ns - window.low_ns);
	/* What was seen may begin only after it. */
	size_t column = share > 0 ? (size_t)(share * (double)columns) : 0;
	char from[WORDS_BYTES];
	char until[WORDS_BYTES];
	struct text line = { 0 };

	if (column + sizeof "^ fault" > columns)
		column = columns - sizeof "^ fault";
	for (size_t i = 0; i < column + PROBE_NAME_COLUMNS + 3; i++)
		text_add(page->text, " ");
	text_add(page->text, facts_has_fault(page->story) ? "^ fault\n" : "^ start\n");
	text_addf(&line, "from %s to %s; %s", words_moment(window.low_ns - zero_ns, from),
		  words_moment(window.high_ns - zero_ns, until),
		  strip_legend(&(struct strip_style){ page->has_colour, page->is_utf8 }));
	grid_sentence(page->text, "  ", 2, page->width, text_str(&line));
	text_release(&line);
}

/* How well the probes kept their own timetables: the instrument's error. */
static void write_lateness(const struct page *page)
{
	const struct story *story = page->story;
	const char *lanes = facts_lanes(story);
	char buffer[WORDS_BYTES];
	char every[UNITS_TEXT_BYTES];
	struct text line = { 0 };

	text_add(page->text, "\n");
	for (size_t i = 0; i < story->probe_count; i++) {
		const struct probe_result *probe = &story->probes[i];

		text_clear(&line);
		text_addf(&line, "%s sent every %s: %s", probe->probe,
			  units_format_duration(facts_every_ns(story, probe->probe), every),
			  words_lateness(probe, buffer));
		if (probe->late_count > 0)
			text_addf(&line, "; %s in the next slot",
				  words_count(probe->late_count, buffer));
		grid_sentence(page->text, "  ", 4, page->width, text_str(&line));
	}
	if (lanes != NULL)
		grid_sentence(page->text, "  ", 4, page->width, lanes);
	text_release(&line);
}

static void write_probes(const struct page *page)
{
	static const struct grid_column columns[] = {
		{ .head = "Probe", .can_wrap = true },
		{ .head = "Recovery", .can_wrap = true },
		{ .head = "Availability", .can_wrap = true },
		{ .head = "Bad", .is_right = true },
		{ .head = "Good", .is_right = true },
		{ .head = "Flaps", .is_right = true },
	};
	const struct story *story = page->story;
	const struct span window = facts_window(story);
	struct grid grid = { .columns = columns, .column_count = 6 };
	char buffer[WORDS_BYTES];

	if (story->timeline.track_count == 0 || window.high_ns <= window.low_ns)
		return;
	add_heading(page, "Probes");
	for (size_t i = 0; i < story->timeline.track_count; i++)
		write_strip(page, &story->timeline.tracks[i], window);
	write_scale(page, window);
	for (size_t i = 0; i < story->probe_count; i++) {
		const struct probe_result *probe = &story->probes[i];

		grid_row(&grid);
		grid_cell(&grid, 0, probe->probe, NULL);
		grid_cell(&grid, 1, words_rto(probe, facts_every_ns(story, probe->probe), buffer),
			  NULL);
		grid_cell(&grid, 2, words_availability(probe, buffer), NULL);
		grid_cell(&grid, 3, words_count(probe->bad_count, buffer), NULL);
		grid_cell(&grid, 4, words_count(probe->good_count, buffer), NULL);
		grid_cell(&grid, 5, words_count(probe->flap_count, buffer), NULL);
	}
	if (grid.row_count > 0) {
		text_add(page->text, "\n");
		grid_print(&grid, 2, page->width, page->has_colour, page->text);
	}
	grid_release(&grid);
	write_lateness(page);
}

/* A narrow page has fewer percentiles; the other formats have them all. */
static bool has_room(const struct page *page, enum percentile percentile)
{
	return page->width >= LEVELS_WIDE_COLUMNS || percentile == PERCENTILE_P99;
}

static void add_level(const struct page *page, struct grid *grid, const char *when,
		      const struct service_level *level)
{
	char buffer[WORDS_BYTES];
	size_t column = 0;

	grid_row(grid);
	grid_cell(grid, column++, when, NULL);
	for (size_t i = 0; i < PERCENTILE_COUNT; i++)
		if (has_room(page, (enum percentile)i))
			grid_cell(grid, column++,
				  level->slot_count == 0 ? "-" :
							   words_latency(level->latency[i], buffer),
				  NULL);
	grid_cell(grid, column++, words_errors(level, buffer), NULL);
	grid_cell(grid, column++, words_kept(level, buffer), NULL);
}

static void write_time_over(const struct page *page, const struct probe_result *probe)
{
	char over[UNITS_TEXT_BYTES];
	char buffer[WORDS_BYTES];
	struct text line = { 0 };

	text_addf(&line, "%s: failed or over %s for %s", probe->probe,
		  units_format_duration(probe->over_ns, over), words_span(probe->time_over, buffer));
	grid_sentence(page->text, "  ", 4, page->width, text_str(&line));
	text_release(&line);
}

static void write_levels(const struct page *page)
{
	struct grid_column columns[PERCENTILE_COUNT + 3] = { { .head = "Latency",
							       .can_wrap = true } };
	const struct story *story = page->story;
	struct grid grid = { .columns = columns, .column_count = 1 };
	const struct service_level *level;
	const char *when;

	if (story->probe_count == 0)
		return;
	add_heading(page, facts_has_fault(story) ? "Before, during and after the fault" :
						   "Service level");
	for (size_t i = 0; i < PERCENTILE_COUNT; i++)
		if (has_room(page, (enum percentile)i))
			columns[grid.column_count++] = (struct grid_column){
				.head = percentile_word((enum percentile)i), true, true
			};
	columns[grid.column_count++] = (struct grid_column){ "Errors", true, true };
	columns[grid.column_count++] = (struct grid_column){ "Kept", true, true };
	for (size_t i = 0; i < story->probe_count; i++) {
		struct text name = { 0 };

		text_addf(&name, "%s:", story->probes[i].probe);
		grid_row(&grid);
		grid_cell(&grid, 0, text_str(&name), NULL);
		text_release(&name);
		for (size_t k = 0; (level = words_level(story, &story->probes[i], k, &when)) != NULL;
		     k++)
			add_level(page, &grid, when, level);
	}
	grid_print(&grid, 2, page->width, page->has_colour, page->text);
	grid_release(&grid);
	for (size_t i = 0; i < story->probe_count; i++)
		if (story->probes[i].over_ns != 0)
			write_time_over(page, &story->probes[i]);
}

static void add_count_cell(struct grid *grid, size_t column, const struct class_row *row,
			   const struct ledger_count_result *count)
{
	char buffer[WORDS_BYTES];

	if (!count->was_counted || !count->is_readable) {
		grid_cell(grid, column, "-", NULL);
		return;
	}

	const uint64_t number = row->count(&count->classes);

	grid_cell(grid, column, words_count(number, buffer),
		  row->weight == CLASS_LOSS && number > 0 ? tone_colour(VERDICT_MISSED) : NULL);
}

static void write_ledger_head(const struct page *page, const struct ledger_result *ledger)
{
	struct text line = { 0 };
	char buffer[WORDS_BYTES];

	add_heading_of(page, "Ledger", ledger->probe);
	if (ledger->worse == NULL) {
		text_add(&line, "Could not be read: what was lost is not known. ");
		text_add(&line, ledger->healed.error != NULL ? ledger->healed.error :
				ledger->stable.error != NULL ? ledger->stable.error :
								"");
	} else {
		const struct ledger_classes *classes = &ledger->worse->classes;

		text_addf(&line, "observed RPO %s; ", words_span(ledger->worse->rpo, buffer));
		text_addf(&line, "%s writes attempted, ", words_count(classes->attempted, buffer));
		text_addf(&line, "%s acknowledged, ", words_count(classes->acknowledged, buffer));
		text_addf(&line, "%s failed, ", words_count(classes->failed, buffer));
		text_addf(&line, "%s unanswered", words_count(classes->indeterminate, buffer));
	}
	grid_sentence(page->text, "  ", 2, page->width, text_str(&line));
	text_clear(&line);
	words_bound_beside_loss(page->story, ledger, &line);
	if (line.length_bytes > 0)
		grid_sentence(page->text, "  ", 2, page->width, text_str(&line));
	text_release(&line);
}

static void write_ledgers(const struct page *page)
{
	static const struct grid_column columns[] = {
		{ .head = "Class" },
		{ .head = "Once stable", .is_right = true },
		{ .head = "After the heal", .is_right = true },
		{ .head = "Meaning", .can_wrap = true },
	};
	size_t class_count;
	const struct class_row *classes = words_classes(&class_count);

	for (size_t i = 0; i < page->story->ledger_count; i++) {
		const struct ledger_result *ledger = &page->story->ledgers[i];
		struct grid grid = { .columns = columns, .column_count = 4 };

		write_ledger_head(page, ledger);
		if (ledger->worse == NULL)
			continue;
		for (size_t row = 0; row < class_count; row++) {
			if (classes[row].weight != CLASS_LOSS &&
			    classes[row].count(&ledger->stable.classes) == 0 &&
			    classes[row].count(&ledger->healed.classes) == 0)
				continue;
			grid_row(&grid);
			grid_cell(&grid, 0, classes[row].name, NULL);
			add_count_cell(&grid, 1, &classes[row], &ledger->stable);
			add_count_cell(&grid, 2, &classes[row], &ledger->healed);
			grid_cell(&grid, 3, classes[row].meaning, NULL);
		}
		grid_print(&grid, 2, page->width, page->has_colour, page->text);
		grid_release(&grid);
	}
}

static void write_findings(const struct page *page)
{
	static const struct grid_column columns[] = {
		{ .head = "Finding", .can_wrap = true },
		{ .head = "Observed", .can_wrap = true },
		{ .head = "Meaning", .can_wrap = true },
	};
	struct findings findings;

	for (size_t i = 0; findings_at(page->story, i, &findings); i++) {
		struct grid grid = { .columns = columns, .column_count = 3 };

		add_heading_of(page, findings.heading, findings.probe);
		for (size_t n = 0; n < findings.row_count; n++) {
			grid_row(&grid);
			grid_cell(&grid, 0, findings.rows[n].name, NULL);
			grid_cell(&grid, 1, findings.rows[n].value,
				  findings.rows[n].is_bad ? tone_colour(VERDICT_MISSED) : NULL);
			grid_cell(&grid, 2, findings.rows[n].meaning, NULL);
		}
		grid_print(&grid, 2, page->width, page->has_colour, page->text);
		grid_release(&grid);
	}
}

static void write_views(const struct page *page)
{
	if (page->story->view_count == 0)
		return;
	add_heading(page, "From several places");
	text_vantage(page->story, page->width, page->has_colour, page->text);
}

static void write_lags(const struct page *page)
{
	for (size_t i = 0; i < page->story->lag_count; i++) {
		const struct lag_result *lag = &page->story->lags[i];
		struct text clean = { 0 };
		struct text heading = { 0 };

		escape_terminal(&clean, lag->probe);
		text_add(&heading, "Replication lag, ");
		utf8_add_cut(&heading, text_str(&clean), page->width - 20);
		add_heading(page, text_str(&heading));
		text_release(&clean);
		text_lag(page->story, lag, page->width, page->has_colour, page->text);
		text_release(&heading);
	}
}

static void write_deed(const struct page *page, const struct deed *deed)
{
	struct text line = { 0 };
	char buffer[UNITS_TEXT_BYTES];

	text_addf(&line, "%" PRIu32 ". %s on %s: %s; %s", deed->step, deed->fault, deed->host,
		  deed->what, words_confirmation(deed->confirmation));
	if (deed->confirmation == EVENT_CONFIRMED)
		text_addf(&line, " after %s",
			  units_format_duration(deed->injected.high_ns - deed->injected.low_ns,
						buffer));
	grid_sentence(page->text, "  ", 5, page->width, text_str(&line));

	text_clear(&line);
	text_addf(&line, "heal: %s; ", deed->heal == NULL ? "nothing to undo" : deed->heal);
	if (deed->healed.high_ns != 0)
		text_addf(&line, "took %s, ",
			  units_format_duration(deed->healed.high_ns - deed->healed.low_ns,
						buffer));
	text_add(&line, words_read_back(deed));
	if (deed->leftover != NULL)
		text_addf(&line, ": %s", deed->leftover);
	grid_sentence(page->text, "     ", 7, page->width, text_str(&line));
	text_release(&line);
}

static void write_permission(const struct page *page)
{
	if (page->story->permission_count > 0)
		add_heading(page, "Permission");
	for (size_t i = 0; i < page->story->permission_count; i++)
		grid_sentence(page->text, "  - ", 4, page->width, page->story->permission[i]);
}

static void write_foot(const struct page *page)
{
	const struct story *story = page->story;
	struct text line = { 0 };
	char trial[WORDS_BYTES];
	char wall[WORDS_BYTES];
	char duration[UNITS_TEXT_BYTES];

	if (story->untold_count > 0)
		add_heading(page, "What could not be told");
	for (size_t i = 0; i < story->untold_count; i++)
		grid_sentence(page->text, "  - ", 4, page->width, story->untold[i]);
	text_addf(&line, "Run %s, %s%s%s, took %s, firedrill %s", story->run_id,
		  words_trial(story, trial), story->set_id == NULL ? "" : ", ",
		  words_wall(story, facts_started_ns(story), wall),
		  units_format_duration(facts_ended_ns(story) - facts_started_ns(story), duration),
		  story->version);
	text_add(page->text, "\n");
	grid_sentence(page->text, "", 0, page->width, text_str(&line));
	if (facts_head(story) != NULL) {
		text_clear(&line);
		text_addf(&line, "Head %s", facts_head(story));
		grid_sentence(page->text, "", 5, page->width, text_str(&line));
	}
	text_release(&line);
}

static bool text_write(const struct story *story, const struct report_style *style,
		       struct text *ret_bytes, struct err *e)
{
	const size_t asked = style->columns == 0 ? COLUMNS_DEFAULT : style->columns;
	const struct page page = {
		.story = story,
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
	write_probes(&page);
	write_views(&page);
	write_levels(&page);
	write_ledgers(&page);
	write_findings(&page);
	write_lags(&page);
	if (story->deed_count > 0)
		add_heading(&page, "What was done, and undone");
	for (size_t i = 0; i < story->deed_count; i++)
		write_deed(&page, &story->deeds[i]);
	write_permission(&page);
	write_foot(&page);
	return true;
}

const struct report_ops report_text = {
	.name = "text",
	.file_name = "report.txt",
	.summary = "plain text for a terminal: verdict, objectives, recovery, ledger, deeds",
	.write = text_write,
	.write_set = trials_text_write,
};
