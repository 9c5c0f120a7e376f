/*
 * page_trends.c - page "/trends": the observed RTO of each service under each scenario, drill after drill,
 * beside its target; the same as a table for those who cannot see or want the numbers. ?service= shows
 * one of them.
 */
#include "serve/layout.h"
#include "serve/service_view.h"
#include "serve/trend_chart.h"

#include <string.h>

#include "base/units.h"
#include "reports/escape.h"
#include "reports/kpi.h"
#include "reports/words.h"

/* Beyond that many charts whole services are left to be chosen: a page of megabytes helps nobody. */
enum { CHARTS_AT_ONCE = 24 };

static void add_table(const struct visit *visit, const struct kpi *kpi,
		      const struct run_facts *const *runs, size_t count, struct text *body)
{
	static const char *const heads[] = { "Drill", "Observed RTO", "Target", "RTO",
					     "Observed RPO", NULL };
	static const struct html_table table = { "Drills", "stack", heads, 0 };
	char moment[LAYOUT_AGE_BYTES];
	char target[UNITS_TEXT_BYTES];

	text_addf(body, "<details><summary>%zu drill%s as a table</summary>\n", count,
		  count == 1 ? "" : "s");
	html_table_open(body, &table);
	for (size_t i = count; i > 0; i--) {
		const struct run_facts *run = runs[i - 1];
		const struct facts_subject *subject = &kpi->subjects[run->subject];

		layout_run_cell(body, &table, 0, run->run_id,
				layout_moment(run->began_wall_ns, moment));
		html_cell(body, &table, 1, NULL, service_rto_words(run, visit->arena));
		html_cell(body, &table, 2, NULL,
			  subject->has_rto ? units_format_duration(subject->rto_ns, target) : "-");
		layout_verdict_cell(body, &table, 3, run->rto_verdict,
				    words_verdict(run->rto_verdict));
		html_cell(body, &table, 4, NULL, service_rpo_words(run, visit->arena));
	}
	html_table_close(body);
	text_add(body, "</details>\n");
}

/* What it takes to recover from one harm says nothing of another: each has a chart of its own. */
static bool add_scenario(const struct visit *visit, const struct kpi *kpi,
			 const struct kpi_scenario *scenario, bool is_first, struct text *body)
{
	const struct run_facts *runs[TREND_DRILLS];
	const size_t count = trend_points(kpi, scenario, runs);
	char name[KPI_WORDS_BYTES];

	if (count == 0)
		return false;
	(void)kpi_words_service(kpi, scenario->service, name);
	if (is_first)
		layout_section(body, arena_format(visit->arena, "service-%zu", scenario->service), NULL,
			       name);
	text_add(body, "<figure class=\"card\">");
	html_element(body, "figcaption", NULL, scenario->name);
	text_add(body, "<div class=\"scroll newest\" role=\"region\" tabindex=\"0\" aria-label=\"Chart\">\n");
	trend_chart(kpi, runs, count,
		    arena_format(visit->arena, "Observed RTO of %s, %s", name, scenario->name), body);
	text_add(body, "</div>\n");
	add_table(visit, kpi, runs, count, body);
	text_add(body, "</figure>\n");
	return true;
}

/* Returns how many charts there were to be drawn. */
static size_t add_service(const struct visit *visit, const struct kpi *kpi, size_t service,
			  struct text *body)
{
	size_t count = 0;

	for (size_t i = 0; i < kpi->scenario_count; i++)
		if (kpi->scenarios[i].service == service)
			count += add_scenario(visit, kpi, &kpi->scenarios[i], count == 0, body) ? 1 : 0;
	if (count > 0)
		text_add(body, "</section>\n");
	return count;
}

static void add_form(const struct kpi *kpi, const char *chosen, struct text *body)
{
	char name[KPI_WORDS_BYTES];

	text_add(body, "<form class=\"choice\" action=\"/trends\" method=\"get\">\n"
		       "<label for=\"service\">Service</label><select id=\"service\" name=\"service\">"
		       "<option value=\"\">all</option>");
	for (size_t i = 0; i < kpi->service_count; i++) {
		(void)kpi_words_service(kpi, i, name);
		text_addf(body, "<option%s>", strcmp(name, chosen) == 0 ? " selected" : "");
		escape_markup(body, name);
		text_add(body, "</option>");
	}
	text_add(body, "</select>\n<button type=\"submit\">Show</button></form>\n");
}

static void add_services(const struct visit *visit, const struct kpi *kpi, const char *chosen,
			 struct text *body)
{
	char name[KPI_WORDS_BYTES];
	size_t left_count = 0;
	size_t count = 0;

	for (size_t i = 0; i < kpi->service_count; i++) {
		if (*chosen != '\0' && strcmp(kpi_words_service(kpi, i, name), chosen) != 0)
			continue;
		if (count < CHARTS_AT_ONCE)
			count += add_service(visit, kpi, i, body);
		else
			left_count++;
	}
	if (left_count > 0)
		text_addf(body, "<p>%zu more service%s: choose one above.</p>\n", left_count,
			  left_count == 1 ? "" : "s");
	if (count == 0)
		text_add(body, "<p>There is no drill of that service.</p>\n");
}

static bool write_trends(const struct visit *visit, struct answer *answer, struct err *e)
{
	const char *chosen = request_param(visit->request, "service");
	const struct history *history;
	struct text *body = &answer->body;

	if (!site_history(visit->site, &history, e))
		return false;
	layout_open(visit, "Trends", body);
	if (history->kpi.point_count == 0) {
		text_add(body, "<p>There is no drill yet.</p>\n");
		layout_close(body);
		return true;
	}
	text_add(body, "<p>Each drill is a bar: the truth lies between its lower and its upper edge. The dashed "
		       "line is the target at that time. "
		       "\xe2\x9c\x97 missed, ? cannot be told, \xe2\x97\x8b no outage seen, "
		       "\xe2\x96\xb2 never recovered by itself.</p>\n");
	if (history->kpi.service_count > 1)
		add_form(&history->kpi, chosen, body);
	add_services(visit, &history->kpi, chosen, body);
	layout_close(body);
	return true;
}

const struct page page_trends = {
	.path = "/trends",
	.title = "Trends",
	.content_type = PAGE_HTML,
	.write = write_trends,
};
