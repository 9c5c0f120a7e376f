/*
 * page_kpi.c - page "/kpi": each service in numbers; docs/kpi.md says what they mean.
 */
#include "serve/layout.h"

#include <inttypes.h>

#include "base/units.h"
#include "reports/kpi.h"
#include "reports/words.h"

/* The bounds stand below, as a moment below an age. */
static void add_share(const struct html_table *table, size_t column, const struct kpi_share *share,
		      struct arena *arena, struct text *body)
{
	char bounds[UNITS_SPAN_BYTES];

	if (share->drill_count == 0) {
		html_cell(body, table, column, NULL, "-");
		return;
	}
	html_cell_open(body, table, column, "two");
	html_element(body, "span", NULL,
		     arena_format(arena, "%" PRIu64 " of %" PRIu64, share->met_count,
				  share->drill_count));
	html_element(body, "span", "moment",
		     units_format_share(share->low_ppm, share->high_ppm, bounds));
	html_cell_close(body, table, column);
}

static const char *span_words(const struct kpi_recovery *recovery, struct span span,
			      struct arena *arena)
{
	char text[WORDS_BYTES];

	return recovery->measured_count == 0 ? "-" : arena_copy(arena, words_span(span, text));
}

static void add_row(const struct html_table *table, const char *name, const struct kpi_sum *sum,
		    struct arena *arena, struct text *body)
{
	const struct kpi_recovery *recovery = &sum->recovery;
	char text[KPI_WORDS_BYTES];
	char count[WORDS_BYTES];

	html_cell(body, table, 0, NULL, name);
	html_cell(body, table, 1, NULL, words_count(sum->counts.drill_count, count));
	add_share(table, 2, &sum->success, arena, body);
	add_share(table, 3, &sum->rto, arena, body);
	add_share(table, 4, &sum->rpo, arena, body);
	html_cell(body, table, 5, NULL, span_words(recovery, recovery->mean, arena));
	html_cell(body, table, 6, NULL, span_words(recovery, recovery->worst, arena));
	html_cell(body, table, 7, NULL, words_count(sum->lost_count, count));
	html_cell(body, table, 8, NULL,
		  sum->failed_count == 0 ? "none failed" :
					   kpi_words_days(sum->between_failed_ns, text));
}

static bool write_kpi(const struct visit *visit, struct answer *answer, struct err *e)
{
	static const char *const heads[] = {
		"Service", "Drills", "Met", "RTO kept", "RPO kept", "Mean recovery", "Worst",
		"Writes lost", "Between failures", NULL,
	};
	static const struct html_table table = { "Services in numbers", "stack wide", heads, 0x82 };
	const struct history *history;
	struct text *body = &answer->body;
	char name[KPI_WORDS_BYTES];
	char bounds[UNITS_TEXT_BYTES];

	if (!site_history(visit->site, &history, e))
		return false;

	const struct kpi *kpi = &history->kpi;

	layout_open(visit, "KPIs", body);
	if (kpi->sum.counts.drill_count == 0) {
		text_add(body, "<p>There is no drill yet.</p>\n");
		layout_close(body);
		return true;
	}
	text_addf(body,
		  "<p>Over all drills: runs that harmed something. The bounds of a share hold with %s "
		  "confidence; a mean recovery lies between the means of what it was at least and at "
		  "most. <code>firedrill kpi</code> tells more.</p>\n",
		  units_format_percent(kpi->confidence_ppm, bounds));
	if (kpi->missing_count > 0)
		text_addf(body, "<p>%" PRIu64 " runs are in no number: they are under way or left no "
				"facts; <code>firedrill kpi --rebuild</code> derives them.</p>\n",
			  kpi->missing_count);
	html_table_open(body, &table);
	for (size_t i = 0; i < kpi->service_count; i++)
		add_row(&table, kpi_words_service(kpi, i, name), &kpi->services[i].sum, visit->arena,
			body);
	if (kpi->service_count > 1)
		add_row(&table, "all", &kpi->sum, visit->arena, body);
	html_table_close(body);
	layout_close(body);
	return true;
}

const struct page page_kpi = {
	.path = "/kpi",
	.title = "KPIs",
	.content_type = PAGE_HTML,
	.write = write_kpi,
};
