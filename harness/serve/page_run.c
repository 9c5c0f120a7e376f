/*
 * page_run.c - page "/runs/ID": the report of a run that has ended; of one under way, its phase and its
 * events, which live.js completes while they come.
 */
#include "serve/action.h"
#include "serve/layout.h"
#include "serve/live_strips.h"
#include "serve/page_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reports/escape.h"
#include "reports/words.h"

enum { RUN_EVENTS_SHOWN = 200 };

/* The report as it stands between its <body> tags: the first of them are ours, foreign text has none. */
static void add_body_of(const struct text *report, struct text *body)
{
	static const char open[] = "<body>\n";
	const char *begin = strstr(text_str(report), open);
	const char *end = begin == NULL ? NULL : strstr(begin, "</body>");

	if (end != NULL)
		text_add_bytes(body, begin + strlen(open), (size_t)(end - begin) - strlen(open));
}

/* What can be done about it: stop it while it runs, take care of it when it went wrong. */
static void add_choices(const struct visit *visit, const struct run_row *row, struct text *body)
{
	if (!visit->takes_actions || (row->is_ended && row->exit_code == EXIT_MET))
		return;
	text_add(body, "<p class=\"choices\">");
	if (!row->is_ended)
		action_link(visit, "stop", row->run_id, "Stop this run", body);
	if (!row->is_ended && row->set_id != NULL)
		action_link(visit, "stop", row->set_id, "Stop the whole set", body);
	action_link(visit, "ack", row->set_id == NULL ? row->run_id : row->set_id, "I take care of it", body);
	text_add(body, "</p>\n");
}

static bool write_ended(const struct visit *visit, const struct run_row *row, struct text *body,
			struct err *e)
{
	struct text report = { 0 };

	if (!page_report_write(visit, row->run_id, &report, e)) {
		text_release(&report);
		return false;
	}
	layout_top(visit, row->title == NULL ? row->run_id : row->title, NULL, body);
	text_add(body, "<div class=\"bar files\"><p>");
	html_link(body, arena_format(visit->arena, "/runs/%s/report", row->run_id),
		  "This report as one file");
	if (row->set_id != NULL) {
		text_addf(body, " \xc2\xb7 trial %" PRId64 " of set ", row->trial);
		html_link(body, arena_format(visit->arena, "/sets/%s", row->set_id), row->set_id);
	}
	text_add(body, "</p>");
	add_choices(visit, row, body);
	text_add(body, "</div>\n<div id=\"content\">\n");
	add_body_of(&report, body);
	text_add(body, "</div>\n");
	layout_bottom(body);
	text_release(&report);
	return true;
}

static void add_events(const struct run_row *row, const struct event *events, size_t count,
		       struct text *body)
{
	static const char *const heads[] = { "After", "Phase", "Event", "Host", "What", NULL };
	static const struct html_table table = { "Events", "stack events", heads, 1 };
	const size_t first = count > RUN_EVENTS_SHOWN ? count - RUN_EVENTS_SHOWN : 0;

	if (first > 0)
		text_addf(body, "<p>The last %d of %zu.</p>\n", RUN_EVENTS_SHOWN, count);
	html_table_open(body, &table);
	for (size_t i = first; i < count; i++) {
		const struct event *event = &events[i];
		char moment[WORDS_BYTES];

		html_cell(body, &table, 0, "when",
			  words_moment(event->at_ns - row->anchor.boot_ns, moment));
		html_cell(body, &table, 1, "phase", phase_name(event->phase));
		html_cell(body, &table, 2, NULL, event_kind_name(event->kind));
		html_cell(body, &table, 3, NULL, event->host);
		html_cell(body, &table, 4, NULL, event->text);
	}
	html_table_close(body);
}

static void add_live_head(const struct visit *visit, const struct history_run *run,
			  const struct event *last, struct text *body)
{
	char moment[LAYOUT_AGE_BYTES];

	text_addf(body, "<header class=\"verdict tone-%s\" id=\"content\"><div>\n",
		  verdict_name(history_tone(run)));
	text_addf(body, "<p class=\"headline\"><span aria-hidden=\"true\">%s</span> %s</p>\n",
		  run->state == RUN_ALIVE ? "\xe2\x96\xb6" : words_mark(history_tone(run), true),
		  history_word(run));
	text_add(body, "<p class=\"sentence\">Phase: <span id=\"phase\" aria-live=\"polite\">");
	escape_markup(body, last == NULL ? "none yet" : phase_name(last->phase));
	text_add(body, "</span></p>\n");
	html_element(body, "h1", NULL, run->title);
	text_addf(body, "<p class=\"when\">began %s \xc2\xb7 run ",
		  layout_moment(run->began_wall_ns, moment));
	escape_markup(body, run->run_id);
	text_add(body, "</p>\n");
	if (run->state == RUN_DIED) {
		struct text command = { 0 };

		site_heal_command(visit->site, run->run_id, &command);
		text_add(body, "<p>Its process is gone. What it left is healed with <code>");
		escape_markup(body, text_str(&command));
		text_add(body, "</code></p>\n");
		text_release(&command);
	}
	text_add(body, "</div></header>\n");
}

static bool write_unended(const struct visit *visit, const struct run_row *row,
			  const struct history_run *run, struct store *store, struct text *body, struct err *e)
{
	/* Without script the page loads itself again. */
	static const char live_head[] =
		"<script src=\"/live.js\" defer></script>\n"
		"<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n";
	const bool is_alive = run->state == RUN_ALIVE;
	struct event *events = NULL;
	size_t count = 0;

	if (!store_events_after(store, row->run_id, 0, visit->arena, &events, &count, e))
		return false;
	layout_top(visit, run->title, is_alive ? live_head : NULL, body);
	add_live_head(visit, run, count == 0 ? NULL : &events[count - 1], body);
	text_add(body, "<main>\n");
	add_choices(visit, row, body);
	if (is_alive) {
		layout_section(body, "seen", NULL, "Seen in the last minute");
		text_addf(body, "<div id=\"strips\" data-strips=\"/runs/%s/strips\">\n", row->run_id);
		live_strips_write(visit, row->run_id, body);
		text_add(body, "</div></section>\n");
	}
	layout_section(body, "events", NULL, "Events");
	if (is_alive)
		text_addf(body, "<div id=\"live\" data-events=\"/runs/%s/events?after=%" PRIu64 "\">\n",
			  row->run_id, count == 0 ? UINT64_C(0) : events[count - 1].number);
	add_events(row, events, count, body);
	text_add(body, is_alive ? "</div></section>\n" : "</section>\n");
	layout_close(body);
	return true;
}

static bool find_run(const struct visit *visit, struct store **ret_store, struct run_row *ret_row,
		     struct err *e)
{
	if (!site_store(visit->site, ret_store, e))
		return false;
	if (*ret_store == NULL)
		return err_set(e, ERR_INPUT, "there are no runs yet");
	return store_run_find(*ret_store, visit->id, visit->arena, ret_row, e);
}

static bool write_run(const struct visit *visit, struct answer *answer, struct err *e)
{
	struct history_run run;
	struct run_row row;
	struct store *store;

	if (!find_run(visit, &store, &row, e))
		return false;
	run = history_run_of_row(&row);
	return run.state == RUN_ENDED ? write_ended(visit, &row, &answer->body, e) :
					write_unended(visit, &row, &run, store, &answer->body, e);
}

const struct page page_run = {
	.path = "/runs/*",
	.content_type = PAGE_HTML,
	.write = write_run,
};

/* The strips alone, for live.js. */
static bool write_strips(const struct visit *visit, struct answer *answer, struct err *e)
{
	struct store *store;
	struct run_row row;

	if (!find_run(visit, &store, &row, e))
		return false;
	live_strips_write(visit, row.run_id, &answer->body);
	return true;
}

const struct page page_run_strips = {
	.path = "/runs/*/strips",
	.content_type = PAGE_HTML,
	.write = write_strips,
};
