/*
 * kpi_text_tables.c - the tables of a history as text; see kpi_text_parts.h.
 */
#include "reports/kpi_text_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/units.h"
#include "reports/escape.h"
#include "reports/utf8.h"
#include "reports/words.h"

enum { PPM = 1000000 };

void kpi_page_heading(const struct kpi_page *page, const char *heading)
{
	text_addf(page->text, "\n%s%s%s\n", page->has_colour ? "\x1b[1m" : "", heading,
		  page->has_colour ? "\x1b[0m" : "");
}

void kpi_page_sentence(const struct kpi_page *page, const char *sentence)
{
	grid_sentence(page->text, "  ", 2, page->width, sentence);
}

void kpi_page_grid(const struct kpi_page *page, struct grid *grid)
{
	grid_print(grid, 2, page->width, page->has_colour, page->text);
	grid_release(grid);
}

/* ---- cells ---- */

static void count_cell(struct grid *grid, size_t column, uint64_t count)
{
	char text[WORDS_BYTES];

	grid_cell(grid, column, words_count(count, text), NULL);
}

void kpi_cell_drills(struct grid *grid, size_t column, uint64_t count)
{
	char number[WORDS_BYTES];
	char text[WORDS_BYTES];

	(void)snprintf(text, sizeof text, "%s%s", words_count(count, number),
		       count > 0 && count < KPI_FEW ? " *" : "");
	grid_cell(grid, column, text, NULL);
}

/* "87.89 %"; "-" of none. */
static const char *say_share(const struct kpi_share *share, char text[UNITS_SPAN_BYTES])
{
	if (share->drill_count == 0) {
		(void)snprintf(text, UNITS_SPAN_BYTES, "-");
		return text;
	}

	const int64_t ppm = (int64_t)(share->met_count * PPM / share->drill_count);
	const bool is_exact = share->met_count * PPM % share->drill_count == 0;

	return units_format_share(ppm, is_exact ? ppm : ppm + 1, text);
}

void kpi_cell_share(struct grid *grid, size_t column, const struct kpi_share *share)
{
	char text[UNITS_SPAN_BYTES];

	grid_cell(grid, column, say_share(share, text), NULL);
}

void kpi_cell_span(struct grid *grid, size_t column, struct span span, bool is_known)
{
	char text[WORDS_BYTES];

	grid_cell(grid, column, is_known ? words_span(span, text) : "-", NULL);
}

static void service_cell(const struct kpi_page *page, struct grid *grid, size_t column,
			 size_t service)
{
	char text[KPI_WORDS_BYTES];

	grid_cell(grid, column, kpi_words_service(page->kpi, service, text), NULL);
}

const char *kpi_say_failed(const struct kpi_sum *sum, char text[KPI_WORDS_BYTES])
{
	char exposure[KPI_WORDS_BYTES];
	char between[KPI_WORDS_BYTES];

	(void)kpi_words_days(sum->exposure_ns, exposure);
	if (sum->counts.drill_count == 0)
		(void)snprintf(text, KPI_WORDS_BYTES, "-");
	else if (sum->failed_count == 0)
		(void)snprintf(text, KPI_WORDS_BYTES, "none in %.40s", exposure);
	else
		(void)snprintf(text, KPI_WORDS_BYTES, "%" PRIu64 " in %.40s, one in %.40s",
			       sum->failed_count, exposure,
			       kpi_words_days(sum->between_failed_ns, between));
	return text;
}

/* ---- tables ---- */

static const char *state_colour(enum kpi_state state)
{
	switch (state) {
	case KPI_NEVER:
		return "";
	case KPI_UNPROVEN:
	case KPI_STALE:
		return "\x1b[33m";
	case KPI_PROVEN:
		return "\x1b[32m";
	case KPI_FAILED:
		return "\x1b[1;31m";
	}
	return "";
}

static void write_services(const struct kpi_page *page)
{
	static const struct grid_column columns[] = {
		{ .head = "Service", .can_wrap = true },
		{ .head = "Drills", .is_right = true },
		{ .head = "Met", .is_right = true },
		{ .head = "RTO kept", .is_right = true },
		{ .head = "RPO kept", .is_right = true },
		{ .head = "Time to recover", .can_wrap = true },
		{ .head = "Failed runs", .can_wrap = true },
	};
	struct grid grid = { .columns = columns, .column_count = 7 };
	char text[KPI_WORDS_BYTES];

	if (page->kpi->service_count == 0)
		return;
	kpi_page_heading(page, "Services");
	for (size_t i = 0; i < page->kpi->service_count; i++) {
		const struct kpi_sum *sum = &page->kpi->services[i].sum;
		const bool is_measured = sum->recovery.measured_count > 0;

		grid_row(&grid);
		service_cell(page, &grid, 0, i);
		kpi_cell_drills(&grid, 1, sum->counts.drill_count);
		kpi_cell_share(&grid, 2, &sum->success);
		kpi_cell_share(&grid, 3, &sum->rto);
		kpi_cell_share(&grid, 4, &sum->rpo);
		kpi_cell_span(&grid, 5, sum->recovery.mean, is_measured);
		grid_cell(&grid, 6, kpi_say_failed(sum, text), NULL);
	}
	kpi_page_grid(page, &grid);
}

/* "93 days ago", "never"; and how the last drill ended when it was another one. */
static void proof_cell(struct grid *grid, size_t column, const struct kpi_scenario *scenario)
{
	char days[KPI_WORDS_BYTES];
	struct text text = { 0 };

	if (scenario->proof == NULL)
		text_add(&text, "never");
	else
		text_addf(&text, "%s ago", kpi_words_days(scenario->since_proof_ns, days));
	if (scenario->last != NULL && scenario->last != scenario->proof)
		text_addf(&text, "; last drill %s", kpi_words_end(scenario->last->exit_code));
	grid_cell(grid, column, text_str(&text), NULL);
	text_release(&text);
}

static void write_proofs(const struct kpi_page *page)
{
	static const struct grid_column columns[] = {
		{ .head = "Service", .can_wrap = true },
		{ .head = "Scenario", .can_wrap = true },
		{ .head = "State" },
		{ .head = "Declared", .is_right = true },
		{ .head = "Last proven", .can_wrap = true },
		{ .head = "Drills", .is_right = true },
		{ .head = "Met", .is_right = true },
	};
	struct grid grid = { .columns = columns, .column_count = 7 };
	char text[UNITS_TEXT_BYTES];

	if (page->kpi->scenario_count == 0)
		return;
	kpi_page_heading(page, "What is proven");
	for (size_t i = 0; i < page->kpi->scenario_count; i++) {
		const struct kpi_scenario *scenario = &page->kpi->scenarios[i];
		const struct facts_subject *declared = scenario->declared;

		grid_row(&grid);
		service_cell(page, &grid, 0, scenario->service);
		grid_cell(&grid, 1, scenario->name, NULL);
		grid_cell(&grid, 2, kpi_state_name(scenario->state), state_colour(scenario->state));
		grid_cell(&grid, 3, declared != NULL && declared->has_rto ?
					    units_format_duration(declared->rto_ns, text) : "-", NULL);
		proof_cell(&grid, 4, scenario);
		kpi_cell_drills(&grid, 5, scenario->sum.counts.drill_count);
		kpi_cell_share(&grid, 6, &scenario->sum.success);
	}
	kpi_page_grid(page, &grid);
}

static const char *state_sign(enum kpi_state state)
{
	static const char *const signs[] = { [KPI_NEVER] = ".",
					     [KPI_UNPROVEN] = "?",
					     [KPI_PROVEN] = "+",
					     [KPI_STALE] = "~",
					     [KPI_FAILED] = "x" };

	return signs[state];
}

/* A service and a sign for each scenario. */
static void matrix_row(const struct kpi_page *page, size_t service, size_t width)
{
	const struct kpi *kpi = page->kpi;
	char name[KPI_WORDS_BYTES];
	struct text clean = { 0 };

	escape_terminal(&clean, kpi_words_service(kpi, service, name));
	text_addf(page->text, "  %s", text_str(&clean));
	for (size_t used = utf8_columns(text_str(&clean)); used < width; used++)
		text_add(page->text, " ");
	for (size_t i = 0; i < kpi->name_count; i++) {
		const struct kpi_scenario *cell = kpi->cells[service * kpi->name_count + i];
		const enum kpi_state state = cell == NULL ? KPI_NEVER : cell->state;

		text_addf(page->text, "   %s%s%s", page->has_colour ? state_colour(state) : "",
			  state_sign(state), page->has_colour ? "\x1b[0m" : "");
	}
	text_add(page->text, "\n");
	text_release(&clean);
}

static size_t widest_service(const struct kpi *kpi)
{
	size_t widest = 0;

	for (size_t i = 0; i < kpi->service_count; i++) {
		char name[KPI_WORDS_BYTES];
		struct text clean = { 0 };

		escape_terminal(&clean, kpi_words_service(kpi, i, name));
		if (utf8_columns(text_str(&clean)) > widest)
			widest = utf8_columns(text_str(&clean));
		text_release(&clean);
	}
	return widest;
}

/* Scenarios are numbered: their names would be wider than any terminal. */
static void write_coverage(const struct kpi_page *page)
{
	const struct kpi *kpi = page->kpi;
	const size_t width = widest_service(kpi);

	if (kpi->name_count == 0)
		return;
	kpi_page_heading(page, "Coverage   + proven   x failed   ~ stale   ? not proven   . never tried");
	for (size_t i = 0; i < kpi->name_count; i++) {
		char number[WORDS_BYTES];

		(void)snprintf(number, sizeof number, "  %3zu  ", i + 1);
		grid_sentence(page->text, number, 7, page->width, kpi->names[i]);
	}
	text_addf(page->text, "  %*s", (int)width, "");
	for (size_t i = 0; i < kpi->name_count; i++)
		text_addf(page->text, " %3zu", i + 1);
	text_add(page->text, "\n");
	for (size_t i = 0; i < kpi->service_count; i++)
		matrix_row(page, i, width);
}

static void drift_row(const struct kpi_page *page, struct grid *grid,
		      const struct kpi_scenario *scenario)
{
	const struct kpi_drift *drift = &scenario->drift;
	char text[UNITS_SPAN_BYTES];

	grid_row(grid);
	service_cell(page, grid, 0, scenario->service);
	grid_cell(grid, 1, scenario->name, NULL);
	grid_cell(grid, 2, scenario->declared->has_rto ?
				   units_format_duration(scenario->declared->rto_ns, text) : "-", NULL);
	kpi_cell_span(grid, 3, drift->recent, true);
	grid_cell(grid, 4, drift->used_low_ppm > drift->used_high_ppm ?
				   "-" : units_format_share(drift->used_low_ppm,
							    drift->used_high_ppm, text), NULL);
	kpi_cell_span(grid, 5, drift->earlier, drift->earlier_count > 0);
	grid_cell(grid, 6, kpi_trend_name(drift->trend),
		  drift->trend == KPI_TREND_SLOWER ? "\x1b[33m" : NULL);
}

static void write_drift(const struct kpi_page *page)
{
	static const struct grid_column columns[] = {
		{ .head = "Service", .can_wrap = true },
		{ .head = "Scenario", .can_wrap = true },
		{ .head = "Declared", .is_right = true },
		{ .head = "Newest drills", .can_wrap = true },
		{ .head = "Of declared", .can_wrap = true },
		{ .head = "Those before", .can_wrap = true },
		{ .head = "Trend" },
	};
	struct grid grid = { .columns = columns, .column_count = 7 };

	for (size_t i = 0; i < page->kpi->scenario_count; i++)
		if (page->kpi->scenarios[i].drift.recent_count > 0)
			drift_row(page, &grid, &page->kpi->scenarios[i]);
	if (grid.row_count > 0) {
		kpi_page_heading(page, "Drift of the observed RTO   (means of up to 10 drills each)");
		kpi_page_grid(page, &grid);
	}
}

static void write_months(const struct kpi_page *page)
{
	static const struct grid_column columns[] = {
		{ .head = "Service", .can_wrap = true },
		{ .head = "Month" },
		{ .head = "Drills", .is_right = true },
		{ .head = "Met", .is_right = true },
		{ .head = "RTO kept", .is_right = true },
		{ .head = "Time to recover", .can_wrap = true },
		{ .head = "Best", .can_wrap = true },
		{ .head = "Worst", .can_wrap = true },
	};
	struct grid grid = { .columns = columns, .column_count = 8 };
	struct text heading = { 0 };

	if (page->kpi->month_count == 0)
		return;
	text_addf(&heading, "Months in %s", page->kpi->zone);
	kpi_page_heading(page, text_str(&heading));
	text_release(&heading);
	for (size_t i = 0; i < page->kpi->month_count; i++) {
		const struct kpi_month *month = &page->kpi->months[i];
		const struct kpi_recovery *recovery = &month->sum.recovery;

		grid_row(&grid);
		service_cell(page, &grid, 0, month->service);
		grid_cell(&grid, 1, month->month, NULL);
		count_cell(&grid, 2, month->sum.counts.drill_count);
		kpi_cell_share(&grid, 3, &month->sum.success);
		kpi_cell_share(&grid, 4, &month->sum.rto);
		kpi_cell_span(&grid, 5, recovery->mean, recovery->measured_count > 0);
		kpi_cell_span(&grid, 6, recovery->best, recovery->measured_count > 0);
		kpi_cell_span(&grid, 7, recovery->worst, recovery->measured_count > 0);
	}
	kpi_page_grid(page, &grid);
}

static void write_flaky(const struct kpi_page *page)
{
	static const struct grid_column columns[] = {
		{ .head = "Service", .can_wrap = true },
		{ .head = "Experiment", .can_wrap = true },
		{ .head = "Scenario", .can_wrap = true },
		{ .head = "Changes", .is_right = true },
		{ .head = "Met", .can_wrap = true },
		{ .head = "Last change", .can_wrap = true },
	};
	struct grid grid = { .columns = columns, .column_count = 6 };
	char met[KPI_WORDS_BYTES];

	if (page->kpi->flaky_count == 0)
		return;
	kpi_page_heading(page, "Flaky: the verdict changes though experiment and inventory do not");
	for (size_t i = 0; i < page->kpi->flaky_count; i++) {
		const struct kpi_flaky *flaky = &page->kpi->flaky[i];

		grid_row(&grid);
		service_cell(page, &grid, 0, flaky->service);
		grid_cell(&grid, 1, flaky->subject->title, NULL);
		grid_cell(&grid, 2, flaky->subject->scenario, NULL);
		count_cell(&grid, 3, flaky->flip_count);
		(void)snprintf(met, sizeof met, "%" PRIu64 " of %" PRIu64, flaky->met_count,
			       flaky->decided_count);
		grid_cell(&grid, 4, met, NULL);
		grid_cell(&grid, 5, flaky->last_flip->run_id, NULL);
	}
	kpi_page_grid(page, &grid);
}

static bool has_few(const struct kpi *kpi)
{
	for (size_t i = 0; i < kpi->scenario_count; i++)
		if (kpi->scenarios[i].sum.counts.drill_count > 0 &&
		    kpi->scenarios[i].sum.counts.drill_count < KPI_FEW)
			return true;
	return false;
}

void kpi_text_tables(const struct kpi_page *page)
{
	write_services(page);
	write_proofs(page);
	if (has_few(page->kpi))
		kpi_page_sentence(page, "* fewer than 10 drills: one more may change these numbers a "
					"lot");
	write_coverage(page);
	write_drift(page);
	write_flaky(page);
	write_months(page);
}
