/*
 * page_coverage.c - page "/coverage": services down, failure scenarios across: what is proven, what failed,
 * what is too long ago, what nobody has tried.
 */
#include "serve/layout.h"
#include "serve/service_view.h"

#include "reports/escape.h"
#include "reports/kpi.h"
#include "reports/words.h"

static void add_cell(const struct kpi *kpi, const struct html_table *table, size_t column,
		     const struct kpi_scenario *scenario, struct arena *arena, struct text *body)
{
	const enum kpi_state state = scenario == NULL ? KPI_NEVER : scenario->state;
	const enum verdict tone = service_state_tone(state);
	const struct run_facts *shown = scenario == NULL ? NULL : scenario->last;
	char days[KPI_WORDS_BYTES];

	html_cell_open(body, table, column, arena_format(arena, "state wash-%s", verdict_name(tone)));
	text_addf(body, "<span class=\"word tone-%s\">%s %s</span> ", verdict_name(tone),
		  state == KPI_STALE ? "\xe2\x97\xb7" : words_mark(tone, true), /* a clock */
		  kpi_state_name(state));
	if (shown != NULL) {
		html_link(body, arena_format(arena, "/runs/%s", shown->run_id),
			  arena_format(arena, "%s ago",
				       kpi_words_days(kpi->now_wall_ns - shown->ended_wall_ns, days)));
	}
	html_cell_close(body, table, column);
}

static void add_matrix(const struct visit *visit, const struct kpi *kpi, struct text *body)
{
	const char **heads = arena_alloc(visit->arena, (kpi->name_count + 2) * sizeof *heads);
	const struct html_table table = { "Services and scenarios", "stack matrix", heads, 0 };
	char name[KPI_WORDS_BYTES];

	heads[0] = "Service";
	for (size_t i = 0; i < kpi->name_count; i++)
		heads[i + 1] = kpi->names[i];
	html_table_open(body, &table);
	for (size_t service = 0; service < kpi->service_count; service++) {
		html_cell(body, &table, 0, NULL, kpi_words_service(kpi, service, name));
		for (size_t i = 0; i < kpi->name_count; i++)
			add_cell(kpi, &table, i + 1, kpi->cells[service * kpi->name_count + i],
				 visit->arena, body);
	}
	html_table_close(body);
}

static bool write_coverage(const struct visit *visit, struct answer *answer, struct err *e)
{
	const struct history *history;
	struct text *body = &answer->body;
	char days[KPI_WORDS_BYTES];

	if (!site_history(visit->site, &history, e))
		return false;
	layout_open(visit, "Coverage", body);
	if (history->kpi.name_count == 0) {
		text_add(body, "<p>There is no drill yet.</p>\n");
	} else {
		text_addf(body,
			  "<p>Proven: the last drill that was met or missed was met, at most %s ago; "
			  "stale: longer ago. The link leads to the last drill.</p>\n",
			  kpi_words_days(history->kpi.stale_after_ns, days));
		add_matrix(visit, &history->kpi, body);
	}
	layout_close(body);
	return true;
}

const struct page page_coverage = {
	.path = "/coverage",
	.title = "Coverage",
	.content_type = PAGE_HTML,
	.write = write_coverage,
};
