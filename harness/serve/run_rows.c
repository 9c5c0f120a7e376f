/*
 * run_rows.c - see run_rows.h.
 */
#include "serve/run_rows.h"

#include "serve/layout.h"

static void add_row(const struct visit *visit, const struct html_table *table,
		    const struct history_run *run, struct text *body)
{
	char moment[LAYOUT_AGE_BYTES];
	char age[LAYOUT_AGE_BYTES];
	layout_run_cell(body, table, 0, run->run_id, run->title);
	layout_verdict_cell(body, table, 1, history_tone(run), history_word(run));
	html_cell(body, table, 2, NULL, run->sentence == NULL ? "-" : run->sentence);
	html_cell_open(body, table, 3, "two");
	html_element(body, "span", NULL,
		     layout_age(run->began_wall_ns, site_wall_ns(visit->site), age));
	html_element(body, "span", "moment", layout_moment(run->began_wall_ns, moment));
	html_cell_close(body, table, 3);
	html_cell(body, table, 4, "id", run->run_id);
}

void run_rows(const struct visit *visit, const char *label, const struct history_run *const *runs,
	      size_t count, struct text *body)
{
	static const char *const heads[] = { "Experiment", "Verdict", "In a sentence", "Began", "Run",
					     NULL };
	const struct html_table table = { label, "stack runs", heads, 0 };

	html_table_open(body, &table);
	for (size_t i = 0; i < count; i++)
		add_row(visit, &table, runs[i], body);
	html_table_close(body);
}
