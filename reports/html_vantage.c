/*
 * html_vantage.c - what several machines saw, side by side.
 */
#include "reports/html_parts.h"

#include "base/units.h"
#include "reports/words_vantage.h"

static void add_row(struct text *page, const struct html_table *table,
		    const struct vantage_view *view, const struct vantage_sight *sight)
{
	char buffer[WORDS_BYTES];
	char late[UNITS_TEXT_BYTES];

	html_cell(page, table, 0, NULL, sight == NULL ? "-" : sight->probe);
	html_cell(page, table, 1, NULL, view->name);
	if (sight == NULL) {
		html_cell(page, table, 2, "word tone-inconclusive", "nothing is told");
		for (unsigned column = 3; column <= 6; column++)
			html_cell(page, table, column, NULL, "-");
		return;
	}
	html_cell(page, table, 2, NULL, words_outage(sight, buffer));
	html_cell(page, table, 3, NULL, words_span(sight->downtime, buffer));
	html_cell(page, table, 4, NULL, words_failed(sight, buffer));
	html_cell(page, table, 5, NULL, words_count(sight->unseen_count, buffer));
	html_cell(page, table, 6, NULL, units_format_duration(sight->lateness_p99_ns, late));
}

void html_vantage(struct text *page, const struct story *story)
{
	static const char *const heads[] = { "Probe",	"Seen from", "Outage",	 "Down in all",
					     "Failed", "Not seen",  "Late p99", NULL };
	static const struct html_table table = { "Seen from several places", "stack", heads, 0x7c };
	const struct vantage_view *view;
	const struct vantage_sight *sight;
	struct text line = { 0 };

	if (story->view_count == 0)
		return;
	text_add(page, "<section><h2>From several places</h2>\n");
	html_element(page, "p", NULL, story->seen_from);
	html_table_open(page, &table);
	for (size_t i = 0; (view = words_vantage_row(story, i, &sight)) != NULL; i++)
		add_row(page, &table, view, sight);
	html_table_close(page);
	html_element(page, "p", NULL, words_vantage_note);
	for (size_t i = 0; i < story->view_count; i++) {
		if (story->views[i].run_id == NULL)
			continue;
		text_addf(&line, "%s%s: run %s", line.length_bytes == 0 ? "" : "; ",
			  story->views[i].name, story->views[i].run_id);
	}
	if (line.length_bytes > 0)
		html_element(page, "p", NULL, text_str(&line));
	text_add(page, "</section>\n");
	text_release(&line);
}
