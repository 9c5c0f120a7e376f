/*
 * html_findings.c - what was found beside the outage: one section for each watch.
 */
#include "reports/html_parts.h"

#include "reports/escape.h"
#include "reports/findings.h"

void html_findings(struct text *page, const struct story *story)
{
	static const char *const heads[] = { "Finding", "Observed", "Meaning", NULL };
	static const struct html_table table = { "Findings", "stack", heads, 0 };
	struct findings findings;

	for (size_t i = 0; findings_at(story, i, &findings); i++) {
		text_addf(page, "<section><h2>%s ", findings.heading);
		escape_markup(page, findings.probe);
		text_add(page, "</h2>\n");
		html_table_open(page, &table);
		for (size_t row = 0; row < findings.row_count; row++) {
			html_cell(page, &table, 0, NULL, findings.rows[row].name);
			html_cell(page, &table, 1,
				  findings.rows[row].is_bad ? "word tone-missed" : NULL,
				  findings.rows[row].value);
			html_cell(page, &table, 2, NULL, findings.rows[row].meaning);
		}
		html_table_close(page);
		text_add(page, "</section>\n");
	}
}
