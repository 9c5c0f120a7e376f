/*
 * kpi_text.c - a history for people, to be pasted into a review: what it comes to, then what is proven,
 * then the details. No table for what there is nothing of.
 */
#include "reports/kpi_text_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "reports/words.h"

enum { COLUMNS_DEFAULT = 80, COLUMNS_MIN = 40, COLUMNS_MAX = 240 };

/* ---- what it comes to ---- */

/* ": 3 met", and ", 1 missed" behind it; nothing of none. */
static void add_count(struct text *line, uint64_t count, const char *what)
{
	char text[WORDS_BYTES];

	if (count == 0)
		return;
	text_addf(line, "%s %s %s", strchr(text_str(line), ':') == NULL ? ":" : ",",
		  words_count(count, text), what);
}

/* "388 drills: 341 met, 21 missed"; "no drills: 20 ended before any harm" */
static void write_ends(const struct kpi_page *page)
{
	const struct kpi *kpi = page->kpi;
	const struct kpi_counts *counts = &kpi->sum.counts;
	char number[WORDS_BYTES];
	struct text line = { 0 };

	text_addf(&line, "%s drill%s", words_count(counts->drill_count, number),
		  counts->drill_count == 1 ? "" : "s");
	add_count(&line, counts->met_count, kpi_words_end(EXIT_MET));
	add_count(&line, counts->missed_count, kpi_words_end(EXIT_MISSED));
	add_count(&line, counts->inconclusive_count, kpi_words_end(EXIT_INCONCLUSIVE));
	add_count(&line, counts->unhealed_count, kpi_words_end(EXIT_LEFTOVER));
	add_count(&line, counts->stopped_count, kpi_words_end(EXIT_STOPPED));
	add_count(&line, counts->broken_count, kpi_words_end(EXIT_INTERNAL));
	kpi_page_sentence(page, text_str(&line));
	text_clear(&line);
	if (kpi->not_started_count > 0 || kpi->harmless_count > 0) {
		text_add(&line, "no drills");
		add_count(&line, kpi->not_started_count, "ended before any harm");
		add_count(&line, kpi->harmless_count, "of experiments without harm");
		kpi_page_sentence(page, text_str(&line));
	}
	text_release(&line);
}

static void write_head(const struct kpi_page *page)
{
	const struct kpi *kpi = page->kpi;
	char number[WORDS_BYTES];
	char wall[32];
	struct text line = { 0 };

	clock_format_wall(kpi->now_wall_ns, wall, sizeof wall);
	text_addf(&line, "KPIs of %s run%s, %.10s", words_count(kpi->run_count, number),
		  kpi->run_count == 1 ? "" : "s", wall);
	if (kpi->run_count > 0) {
		clock_format_wall(kpi->since_wall_ns > 0 ? kpi->since_wall_ns : kpi->first_wall_ns,
				  wall, sizeof wall);
		text_addf(&line, "; since %.10s", wall);
	}
	if (kpi->service != NULL)
		text_addf(&line, "; service %s", kpi->service);
	if (kpi_words_environment(kpi) != NULL)
		text_addf(&line, "; environment %s", kpi_words_environment(kpi));
	grid_sentence(page->text, "", 0, page->width, text_str(&line));
	text_clear(&line);
	write_ends(page);
	text_release(&line);
}

static void write_missing(const struct kpi_page *page)
{
	const struct kpi *kpi = page->kpi;
	char missing[WORDS_BYTES];
	struct text line = { 0 };

	if (kpi->missing_count == 0)
		return;
	text_addf(&line,
		  "NOT COUNTED: %s run%s of the store without facts (under way, broken off, or of an "
		  "earlier firedrill); `firedrill kpi --rebuild` derives them",
		  words_count(kpi->missing_count, missing), kpi->missing_count == 1 ? "" : "s");
	kpi_page_sentence(page, text_str(&line));
	text_release(&line);
}

static void share_row(struct grid *grid, const char *name, const struct kpi_share *share)
{
	char met[WORDS_BYTES];
	char all[WORDS_BYTES];
	char bounds[UNITS_SPAN_BYTES];
	char text[KPI_WORDS_BYTES];

	grid_row(grid);
	grid_cell(grid, 0, name, NULL);
	kpi_cell_share(grid, 1, share);
	if (share->drill_count == 0) {
		grid_cell(grid, 2, "no drill promised it", NULL);
		return;
	}
	(void)snprintf(text, sizeof text, "%.40s of %.40s%s", words_count(share->met_count, met),
		       words_count(share->drill_count, all), share->open_count > 0 ? "" : " drills");
	if (share->open_count > 0) {
		char open[WORDS_BYTES];
		const size_t used = strlen(text);

		(void)snprintf(text + used, sizeof text - used, " drills, %.40s open",
			       words_count(share->open_count, open));
	}
	grid_cell(grid, 2, text, NULL);
	grid_cell(grid, 3, units_format_share(share->low_ppm, share->high_ppm, bounds), NULL);
}

/* What is in no mean: "; besides: 3 saw no outage, 1 never recovered (down at least 2 min 0 s)". */
static void say_left_out(const struct kpi_recovery *recovery, struct text *line)
{
	char down[UNITS_TEXT_BYTES];

	if (recovery->no_outage_count + recovery->never_count + recovery->unknown_count +
		    recovery->unproven_count > 0)
		text_add(line, "; besides");
	add_count(line, recovery->no_outage_count, "saw no outage");
	add_count(line, recovery->never_count, "never recovered by itself");
	if (recovery->never_count > 0)
		text_addf(line, " (down at least %s)",
			  units_format_duration(recovery->never_down_ns, down));
	add_count(line, recovery->unknown_count, "could not measure it");
	add_count(line, recovery->unproven_count, "stopped, unhealed or broken off");
}

static void write_recovery(const struct kpi_page *page, struct grid *grid)
{
	static const char *const names[] = { "Mean time to recover", "  best", "  worst" };
	const struct kpi_recovery *recovery = &page->kpi->sum.recovery;
	const struct span spans[] = { recovery->mean, recovery->best, recovery->worst };
	struct text line = { 0 };
	char number[WORDS_BYTES];

	for (size_t i = 0; i < 3; i++) {
		grid_row(grid);
		grid_cell(grid, 0, names[i], NULL);
		kpi_cell_span(grid, 1, spans[i], recovery->measured_count > 0);
		if (i > 0)
			continue;
		text_addf(&line, "%s measured", words_count(recovery->measured_count, number));
		say_left_out(recovery, &line);
		grid_cell(grid, 2, text_str(&line), NULL);
	}
	text_release(&line);
}

static void write_sum(const struct kpi_page *page)
{
	static const struct grid_column columns[] = {
		{ .head = "" },
		{ .head = "Observed" },
		{ .head = "Over", .can_wrap = true },
		{ .head = "Bounds", .can_wrap = true },
	};
	struct grid grid = { .columns = columns, .column_count = 4 };
	const struct kpi_sum *sum = &page->kpi->sum;
	char text[KPI_WORDS_BYTES];
	char confidence[UNITS_TEXT_BYTES];
	struct text line = { 0 };

	if (sum->counts.drill_count == 0)
		return;
	text_add(page->text, "\n");
	share_row(&grid, "Drills met", &sum->success);
	share_row(&grid, "RTO kept", &sum->rto);
	share_row(&grid, "RPO kept", &sum->rpo);
	write_recovery(page, &grid);
	grid_row(&grid);
	grid_cell(&grid, 0, "Between failed runs", NULL);
	grid_cell(&grid, 1, sum->failed_count == 0 ? "-" : kpi_words_days(sum->between_failed_ns, text),
		  NULL);
	grid_cell(&grid, 2, kpi_say_failed(sum, text), NULL);
	kpi_page_grid(page, &grid);
	text_addf(&line, "Bounds hold with %s confidence each; what is open counts as missed in the "
			 "lower and as met in the upper one. Failed: missed, left unhealed or stopped.",
		  units_format_percent(page->kpi->confidence_ppm, confidence));
	kpi_page_sentence(page, text_str(&line));
	text_release(&line);
}

void kpi_text_write(const struct kpi *kpi, const struct report_style *style,
		    struct text *ret_bytes)
{
	const uint32_t columns = style->columns == 0 ? COLUMNS_DEFAULT : style->columns;
	const struct kpi_page page = {
		.kpi = kpi,
		.text = ret_bytes,
		.width = columns < COLUMNS_MIN ? COLUMNS_MIN :
			 columns > COLUMNS_MAX ? COLUMNS_MAX :
						 columns,
		.has_colour = style->has_colour,
	};

	write_head(&page);
	write_missing(&page);
	write_sum(&page);
	kpi_text_tables(&page);
}
