/*
 * page_overview.c - page "/": what somebody must do now, what is under way, how it has gone lately.
 */
#include "serve/layout.h"
#include "serve/run_rows.h"

#include "reports/escape.h"

enum { OVERVIEW_RUNS = 10 };

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

static void add_live(const struct visit *visit, const struct history *history, struct text *body)
{
	const struct history_run **live = arena_alloc(visit->arena, (history->run_count + 1) *
									    sizeof *live);
	size_t count = 0;

	for (size_t i = 0; i < history->run_count; i++)
		if (history->runs[i].state == RUN_ALIVE)
			live[count++] = &history->runs[i];
	layout_section(body, "live", NULL, "Under way");
	if (count == 0)
		text_add(body, "<p>No run is under way.</p>\n");
	else
		run_rows(visit, "Runs under way", live, count, body);
	text_add(body, "</section>\n");
}

static void add_recent(const struct visit *visit, const struct history *history, struct text *body)
{
	const struct history_run *recent[OVERVIEW_RUNS];
	size_t count = 0;

	layout_section(body, "recent", NULL, "Latest runs");
	if (history->run_count == 0) {
		text_add(body, "<p>There are no runs yet: the first <code>firedrill run</code> makes "
			       "one.</p></section>\n");
		return;
	}
	while (count < history->run_count && count < OVERVIEW_RUNS) {
		recent[count] = &history->runs[count];
		count++;
	}
	run_rows(visit, "Latest runs", recent, count, body);
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
	add_leftovers(visit, history, &answer->body);
	add_live(visit, history, &answer->body);
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
