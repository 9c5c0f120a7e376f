/*
 * page_trends.c - page "/trends": the observed RTO of each service, drill after drill, beside its target; the
 * same as a table for those who cannot see or want the numbers.
 */
#include "serve/layout.h"
#include "serve/service_view.h"
#include "serve/trend_chart.h"

#include "base/units.h"
#include "reports/escape.h"
#include "reports/kpi.h"
#include "reports/words.h"

static void add_table(const struct visit *visit, const struct kpi *kpi,
		      const struct run_facts *const *runs, size_t count, struct text *body)
{
	static const char *const heads[] = { "Drill", "Scenario", "Observed RTO", "Target", "RTO",
					     "Observed RPO", NULL };
	static const struct html_table table = { "Drills", "stack", heads, 0 };
	char moment[LAYOUT_AGE_BYTES];
	char target[UNITS_TEXT_BYTES];

	text_addf(body, "<details><summary>The last %zu drills as a table</summary>\n", count);
	html_table_open(body, &table);
	for (size_t i = count; i > 0; i--) {
		const struct run_facts *run = runs[i - 1];
		const struct facts_subject *subject = &kpi->subjects[run->subject];

		layout_run_cell(body, &table, 0, run->run_id,
				layout_moment(run->began_wall_ns, moment));
		html_cell(body, &table, 1, NULL, subject->scenario);
		html_cell(body, &table, 2, NULL, service_rto_words(run, visit->arena));
		html_cell(body, &table, 3, NULL,
			  subject->has_rto ? units_format_duration(subject->rto_ns, target) : "-");
		layout_verdict_cell(body, &table, 4, run->rto_verdict,
				    words_verdict(run->rto_verdict));
		html_cell(body, &table, 5, NULL, service_rpo_words(run, visit->arena));
	}
	html_table_close(body);
	text_add(body, "</details>\n");
}

static void add_service(const struct visit *visit, const struct kpi *kpi, size_t service,
			struct text *body)
{
	const struct run_facts *runs[TREND_DRILLS];
	const size_t count = trend_points(kpi, service, runs);
	char name[KPI_WORDS_BYTES];

	if (count == 0)
		return;
	(void)kpi_words_service(kpi, service, name);
	layout_section(body, arena_format(visit->arena, "service-%zu", service), NULL, name);
	text_add(body, "<figure class=\"card\"><div class=\"scroll newest\" role=\"region\" tabindex=\"0\" "
		       "aria-label=\"Chart\">\n");
	trend_chart(kpi, runs, count, arena_format(visit->arena, "Observed RTO of %s", name), body);
	text_add(body, "</div>\n");
	add_table(visit, kpi, runs, count, body);
	text_add(body, "</figure></section>\n");
}

static bool write_trends(const struct visit *visit, struct answer *answer, struct err *e)
{
	const struct history *history;
	struct text *body = &answer->body;

	if (!site_history(visit->site, &history, e))
		return false;
	layout_open(visit, "Trends", body);
	if (history->kpi.point_count == 0)
		text_add(body, "<p>There is no drill yet.</p>\n");
	else
		text_add(body,
			 "<p>Each drill of a service is a bar: the truth lies between its lower and its "
			 "upper edge. The dashed line is the target at that time. "
			 "\xe2\x9c\x97 missed, ? cannot be told, \xe2\x97\x8b no outage seen, "
			 "\xe2\x96\xb2 never recovered by itself.</p>\n");
	for (size_t i = 0; i < history->kpi.service_count; i++)
		add_service(visit, &history->kpi, i, body);
	layout_close(body);
	return true;
}

const struct page page_trends = {
	.path = "/trends",
	.title = "Trends",
	.content_type = PAGE_HTML,
	.write = write_trends,
};
