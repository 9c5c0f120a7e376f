/*
 * page_overview.c - page "/": what somebody must do now, what is under way, how it has gone lately.
 */
#include "serve/action.h"
#include "serve/layout.h"
#include "serve/run_rows.h"
#include "serve/schedule_view.h"

#include "base/units.h"
#include "reports/kpi.h"
#include "serve/service_view.h"

enum { OVERVIEW_NEXT = 5 };

static void add_leftovers(const struct visit *visit, const struct history *history,
			  struct text *body)
{
	static const char *const heads[] = { "Host", "Fault", "Run", "Heal it with", NULL };
	static const struct html_table table = { "Faults that are not healed", "stack", heads, 0 };

	if (history->leftover_count == 0)
		return;
	layout_section(body, "leftovers", "alarm", "\xe2\x9c\x97 Still broken: heal this first");
	html_table_open(body, &table);
	for (size_t i = 0; i < history->leftover_count; i++) {
		const struct heal_record *record = &history->leftovers[i].record;
		struct text command = { 0 };

		site_heal_command(visit->site, record->run_id, &command);
		html_cell(body, &table, 0, NULL, record->host->name);
		html_cell(body, &table, 1, NULL, record->fault);
		layout_run_cell(body, &table, 2, record->run_id, record->run_id);
		html_cell_open(body, &table, 3, NULL);
		html_element(body, "code", NULL, text_str(&command));
		html_cell_close(body, &table, 3);
		text_release(&command);
	}
	html_table_close(body);
	text_add(body, "</section>\n");
}

/* Whoever looks why nothing runs finds it here. */
static bool add_stop(const struct visit *visit, struct text *body, struct err *e)
{
	struct stop_row stop = { 0 };
	char moment[LAYOUT_AGE_BYTES];
	bool is_stopped = false;
	struct store *store;

	if (!site_store(visit->site, &store, e) ||
	    (store != NULL &&
	     !store_stop_find(store, NULL, NULL, visit->arena, &is_stopped, &stop, e)))
		return false;
	if (!is_stopped) {
		text_add(body, "<p class=\"choices\">");
		action_link(visit, "stop-all", NULL, "Emergency stop", body);
		text_add(body, "</p>\n");
		return true;
	}
	layout_section(body, "stop", "alarm", "Emergency stop: no run starts");
	html_element(body, "p", NULL,
		     arena_format(visit->arena, "%s, %s: %s", stop.person,
				  layout_moment(stop.wall_ns, moment), stop.reason));
	text_add(body, "<p class=\"choices\">");
	action_link(visit, "resume-all", NULL, "Lift it", body);
	text_add(body, visit->takes_actions ? "</p></section>\n" :
					      "Lifted with <code>firedrill resume</code></p></section>\n");
	return true;
}

static void add_live(const struct visit *visit, const struct history *history, struct text *body)
{
	const struct history_run **live = arena_alloc(visit->arena, (history->open_count + 1) *
									    sizeof *live);
	size_t count = 0;

	for (size_t i = 0; i < history->open_count; i++)
		if (history->open[i].state == RUN_ALIVE)
			live[count++] = &history->open[i];
	layout_section(body, "live", NULL, "Under way");
	if (count == 0)
		text_add(body, "<p>No run is under way.</p>\n");
	else
		run_rows(visit, "Runs under way", live, count, body);
	text_add(body, "</section>\n");
}

static void add_service(const struct visit *visit, const struct html_table *table,
			const struct kpi *kpi, size_t service, struct text *body)
{
	const struct facts_subject *subject = NULL;
	struct service_view view;
	char name[KPI_WORDS_BYTES];
	char target[UNITS_TEXT_BYTES];
	char age[LAYOUT_AGE_BYTES];

	service_view(kpi, service, &view);
	html_cell(body, table, 0, NULL, kpi_words_service(kpi, service, name));
	if (view.last == NULL) {
		layout_verdict_cell(body, table, 1, VERDICT_NONE, kpi_state_name(KPI_NEVER));
		html_cell(body, table, 2, NULL, "-");
	} else {
		const struct history_run last = history_run_of(view.last->last);

		layout_verdict_cell(body, table, 1, history_tone(&last), history_word(&last));
		layout_run_cell(body, table, 2, last.run_id,
				layout_age(last.began_wall_ns, kpi->now_wall_ns, age));
	}
	if (view.measured != NULL)
		subject = &kpi->subjects[view.measured->subject];
	html_cell(body, table, 3, "observed",
		  subject == NULL ? "-" : service_rto_words(view.measured, visit->arena));
	html_cell(body, table, 4, NULL,
		  subject == NULL || !subject->has_rto ? "-" :
							 units_format_duration(subject->rto_ns, target));
	html_cell(body, table, 5, NULL,
		  view.proof == NULL ? "never" :
				       layout_age(view.proof->proof->ended_wall_ns,
						  kpi->now_wall_ns, age));
	html_cell(body, table, 6, NULL,
		  arena_format(visit->arena, "%zu of %zu", view.proven_count, view.scenario_count));
}

static void add_services(const struct visit *visit, const struct history *history,
			 struct text *body)
{
	static const char *const heads[] = { "Service", "Last drill", "Began", "Observed RTO",
					     "Target", "Last proof", "Scenarios proven", NULL };
	static const struct html_table table = { "Services", "stack services", heads, 0 };
	const struct kpi *kpi = &history->kpi;

	if (kpi->service_count == 0)
		return;
	layout_section(body, "services", NULL, "Services");
	html_table_open(body, &table);
	for (size_t i = 0; i < kpi->service_count; i++)
		add_service(visit, &table, kpi, i, body);
	html_table_close(body);
	text_add(body, "</section>\n");
}

static bool add_next(const struct visit *visit, struct text *body, struct err *e)
{
	if (site_schedules(visit->site) == NULL)
		return true;
	layout_section(body, "next", NULL, "Next runs");
	if (!schedule_view_table(visit, OVERVIEW_NEXT, body, e))
		return false;
	text_add(body, "<p>");
	html_link(body, "/schedule", "All that is scheduled");
	text_add(body, "</p></section>\n");
	return true;
}

static void add_recent(const struct visit *visit, const struct history *history, struct text *body)
{
	const struct history_run *recent[HISTORY_RECENT];

	layout_section(body, "recent", NULL, "Latest runs");
	if (history->recent_count == 0) {
		text_add(body, "<p>There are no runs yet: the first <code>firedrill run</code> makes "
			       "one.</p></section>\n");
		return;
	}
	for (size_t i = 0; i < history->recent_count; i++)
		recent[i] = &history->recent[i];
	run_rows(visit, "Latest runs", recent, history->recent_count, body);
	text_add(body, "<p>");
	html_link(body, "/runs", "All runs");
	text_add(body, "</p></section>\n");
}

static bool write_overview(const struct visit *visit, struct answer *answer, struct err *e)
{
	const struct history *history;

	if (!site_history(visit->site, &history, e))
		return false;
	layout_open(visit, "Overview", &answer->body);
	if (!add_stop(visit, &answer->body, e))
		return false;
	add_leftovers(visit, history, &answer->body);
	add_live(visit, history, &answer->body);
	add_services(visit, history, &answer->body);
	if (!add_next(visit, &answer->body, e))
		return false;
	add_recent(visit, history, &answer->body);
	layout_close(&answer->body);
	return true;
}

const struct page page_overview = {
	.path = "/",
	.title = "Overview",
	.content_type = PAGE_HTML,
	.write = write_overview,
};
