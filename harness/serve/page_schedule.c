/*
 * page_schedule.c - page "/schedule": what runs by itself and when, what is paused, and what became of what
 * was due. ?month=2026-12 chooses the month of the calendar.
 */
#include "serve/action.h"
#include "serve/layout.h"
#include "serve/month_view.h"

#include <string.h>

enum { NEXT_SHOWN = 10, PAST_SHOWN = 30, DUES_READ = 1000 };

static const char *paused_words(const struct pause_row *pause, struct arena *arena)
{
	char moment[LAYOUT_AGE_BYTES];

	return pause == NULL ? "no" :
			       arena_format(arena, "by %s since %s: %s", pause->person,
					    layout_moment(pause->wall_ns, moment), pause->reason);
}

static void add_schedule(const struct visit *visit, const struct html_table *table,
			 const struct schedule *schedule, const struct pause_row *pause,
			 const struct occurrence *next, struct text *body)
{
	html_cell(body, table, 0, NULL, schedule->name);
	html_cell(body, table, 1, NULL, schedule->text);
	html_cell_open(body, table, 2, NULL);
	if (next == NULL)
		text_add(body, "never again");
	else
		schedule_view_moment(schedule, next->due_wall_ns, body);
	html_cell_close(body, table, 2);
	html_cell_open(body, table, 3, NULL);
	text_add(body, "<ul class=\"plain\">");
	for (size_t i = 0; i < schedule->experiment_count; i++) {
		const char *word = schedule_view_word(schedule, i, visit->arena);
		const struct policy *policy = schedule->experiments[i].policy;

		html_element(body, "li", NULL, schedule->experiments[i].title);
		action_link(visit, "run", word, "Run it now", body);
		if (policy != NULL && policy->approval_count > 0)
			action_link(visit, "approve", word, "Approve it", body);
	}
	text_add(body, "</ul>");
	html_cell_close(body, table, 3);
	html_cell(body, table, 4, NULL, paused_words(pause, visit->arena));
	if (!visit->takes_actions)
		return;
	html_cell_open(body, table, 5, NULL);
	if (pause == NULL)
		action_link(visit, "pause", schedule->name, "Pause", body);
	else
		action_link(visit, "resume", schedule->name, "Resume", body);
	html_cell_close(body, table, 5);
}

/* NULL: there is no other time. */
static const struct occurrence *find_next(const struct planned *planned, size_t count,
					  const struct schedule *schedule)
{
	for (size_t i = 0; i < count; i++)
		if (planned[i].schedule == schedule)
			return &planned[i].occurrence;
	return NULL;
}

static void add_schedules(const struct visit *visit, const struct pause_list *pauses, struct text *body)
{
	static const char *const heads[] = { "Schedule", "When", "Next", "Experiments", "Paused", NULL };
	static const char *const heads_to_act[] = { "Schedule", "When", "Next", "Experiments", "Paused", "Do",
						    NULL };
	const struct html_table table = { "Schedules", "stack schedules",
					  visit->takes_actions ? heads_to_act : heads, 0 };
	const struct schedule_list *schedules = site_schedules(visit->site);
	struct planned *planned;
	size_t count;

	layout_section(body, "schedules", NULL, "Schedules");
	html_table_open(body, &table);
	schedule_view_next(visit, pauses, site_wall_ns(visit->site), 1, SIZE_MAX, &planned, &count);
	for (size_t i = 0; i < schedules->count; i++)
		add_schedule(visit, &table, schedules->items[i],
			     schedule_view_pause(pauses, schedules->items[i]->name),
			     find_next(planned, count, schedules->items[i]), body);
	html_table_close(body);
	text_add(body, "</section>\n");
}

/* Of schedules that this page was not told of. */
static void add_other_pauses(const struct visit *visit, const struct pause_list *pauses, struct text *body)
{
	size_t count = 0;

	for (size_t i = 0; i < pauses->count; i++) {
		const struct pause_row *pause = &pauses->rows[i];

		if (schedule_view_find(visit, pause->schedule) != NULL)
			continue;
		if (count++ == 0) {
			layout_section(body, "pauses", NULL, "Paused elsewhere");
			text_add(body, "<ul class=\"plain\">");
		}
		html_element(body, "li", NULL,
			     arena_format(visit->arena, "%s: %s", pause->schedule,
					  paused_words(pause, visit->arena)));
		action_link(visit, "resume", pause->schedule, "Resume", body);
	}
	if (count > 0)
		text_add(body, "</ul></section>\n");
}

static void add_due(const struct html_table *table, const struct due_row *due, struct text *body)
{
	char moment[LAYOUT_AGE_BYTES];

	html_cell(body, table, 0, NULL, layout_moment(due->due_wall_ns, moment));
	html_cell(body, table, 1, NULL, due->schedule);
	layout_verdict_cell(body, table, 2, month_view_tone(due), month_view_word(due));
	if (due->run_id == NULL)
		html_cell(body, table, 3, "id", "-");
	else
		layout_run_cell(body, table, 3, due->run_id, due->run_id);
	html_cell(body, table, 4, NULL, due->sentence == NULL ? "-" : due->sentence);
}

/* Without marks: those are no occurrences. */
static void add_past(const struct due_row *dues, size_t due_count, struct text *body)
{
	static const char *const heads[] = { "Due", "Schedule", "Became", "Run", "In a sentence", NULL };
	static const struct html_table table = { "What became of what was due", "stack runs past", heads, 0 };
	size_t count = 0;

	layout_section(body, "past", NULL, "What became of what was due");
	for (size_t i = 0; i < due_count && count < PAST_SHOWN; i++) {
		if (dues[i].turn < 1)
			continue;
		if (count++ == 0)
			html_table_open(body, &table);
		add_due(&table, &dues[i], body);
	}
	if (count == 0)
		text_add(body, "<p>Nothing was due yet.</p>\n");
	else
		html_table_close(body);
	text_add(body, "</section>\n");
}

static bool add_coming(const struct visit *visit, const struct month_view *view, struct text *body,
		       struct err *e)
{
	if (site_schedules(visit->site) == NULL) {
		text_add(body, "<p>This page was given no schedules, so it does not know what comes: name "
			       "their files to <code>firedrill serve</code>.</p>\n");
		return true;
	}
	layout_section(body, "next", NULL, "Next runs");
	if (!schedule_view_table(visit, NEXT_SHOWN, body, e))
		return false;
	text_add(body, "</section>\n");
	add_schedules(visit, view->pauses, body);
	return true;
}

static bool write_schedule(const struct visit *visit, struct answer *answer, struct err *e)
{
	struct text *body = &answer->body;
	struct pause_list pauses = { 0 };
	struct month_view view = { .pauses = &pauses };
	struct due_row *dues = NULL;
	struct store *store;

	if (!month_view_read(request_param(visit->request, "month"), site_wall_ns(visit->site), &view, e) ||
	    !schedule_view_pauses(visit, &pauses, e) || !site_store(visit->site, &store, e) ||
	    (store != NULL && !store_dues(store, DUES_READ, visit->arena, &dues, &view.due_count, e)))
		return false;
	view.dues = dues;
	layout_open(visit, "Schedule", body);
	if (!add_coming(visit, &view, body, e))
		return false;
	add_other_pauses(visit, &pauses, body);
	layout_section(body, "month", NULL, "Calendar");
	month_view_write(visit, &view, body);
	text_add(body, "</section>\n");
	add_past(dues, view.due_count, body);
	layout_close(body);
	return true;
}

const struct page page_schedule = {
	.path = "/schedule",
	.title = "Schedule",
	.content_type = PAGE_HTML,
	.write = write_schedule,
};
