/*
 * kpi_text_parts.h - what the two halves of a history as text share: kpi_text.c (what it comes to) and
 * kpi_text_tables.c (the tables).
 */
#ifndef REPORTS_KPI_TEXT_PARTS_H
#define REPORTS_KPI_TEXT_PARTS_H

#include "reports/grid.h"
#include "reports/kpi.h"

struct kpi_page {
	const struct kpi *kpi;
	struct text *text;
	size_t width;
	bool has_colour;
};

void kpi_page_heading(const struct kpi_page *page, const char *heading);
void kpi_page_sentence(const struct kpi_page *page, const char *sentence);
/* Prints and releases it. */
void kpi_page_grid(const struct kpi_page *page, struct grid *grid);

void kpi_cell_drills(struct grid *grid, size_t column, uint64_t count); /* "388", "6 *": few */
void kpi_cell_share(struct grid *grid, size_t column, const struct kpi_share *share);
void kpi_cell_span(struct grid *grid, size_t column, struct span span, bool is_known);

/* "33 in 365 days, one in 11 days" */
const char *kpi_say_failed(const struct kpi_sum *sum, char text[KPI_WORDS_BYTES]);

/* Services, what is proven, coverage, drift, flaky, months: no table for what there is nothing of. */
void kpi_text_tables(const struct kpi_page *page);

#endif
