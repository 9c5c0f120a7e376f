/*
 * page_audit.c - page "/audit": what was done by way of the page, newest first; and "/audit/NUMBER": what has
 * come of one action.
 */
#include "serve/layout.h"

#include <inttypes.h>

#include "base/units.h"
#include "store/store_audit.h"

enum { AUDIT_PAGE_ROWS = 100 };

static enum verdict tone_of(const struct audit_row *row)
{
	if (row->is_altered)
		return VERDICT_MISSED;
	switch (row->outcome) {
	case AUDIT_DONE:
		return VERDICT_MET;
	case AUDIT_FAILED:
		return VERDICT_MISSED;
	case AUDIT_BEGUN:
	case AUDIT_REFUSED:
		break;
	}
	return VERDICT_INCONCLUSIVE;
}

static const char *word_of(const struct audit_row *row)
{
	return row->is_altered ? "altered" : audit_outcome_name(row->outcome);
}

static const char *or_dash(const char *text)
{
	return text == NULL ? "-" : text;
}

static void add_row(const struct visit *visit, const struct html_table *table,
		    const struct audit_row *row, struct text *body)
{
	char moment[LAYOUT_AGE_BYTES];

	html_cell_open(body, table, 0, NULL);
	html_link(body, arena_format(visit->arena, "/audit/%" PRId64, row->audit_id),
		  layout_moment(row->wall_ns, moment));
	html_cell_close(body, table, 0);
	html_cell(body, table, 1, NULL, row->person == NULL ? "nobody known" : row->person);
	html_cell(body, table, 2, NULL, row->action);
	html_cell(body, table, 3, NULL, or_dash(row->subject));
	html_cell(body, table, 4, NULL, or_dash(row->reason));
	layout_verdict_cell(body, table, 5, tone_of(row), word_of(row));
	html_cell(body, table, 6, NULL, row->sentence == NULL ? "its end is not known" : row->sentence);
	html_cell(body, table, 7, "id", row->address);
}

static void add_rows(const struct visit *visit, const struct audit_row *rows, size_t count,
		     struct text *body)
{
	static const char *const heads[] = { "When", "Who", "What", "On", "Why", "Outcome", "In a sentence",
					     "From", NULL };
	static const struct html_table table = { "Actions", "stack audit", heads, 0 };

	html_table_open(body, &table);
	for (size_t i = 0; i < count; i++)
		add_row(visit, &table, &rows[i], body);
	html_table_close(body);
}

static bool read_number(const char *text, int64_t *ret_number, struct err *e)
{
	return (units_parse_count(text, ret_number, NULL) && *ret_number > 0 && *ret_number < INT64_MAX) ||
	       err_set(e, ERR_INPUT, "there is no action `%.40s`", text);
}

static bool write_audit(const struct visit *visit, struct answer *answer, struct err *e)
{
	const char *given = request_param(visit->request, "before");
	struct text *body = &answer->body;
	struct audit_row *rows = NULL;
	struct store *store;
	int64_t before = 0;
	size_t count = 0;

	if (*given != '\0' && !read_number(given, &before, e))
		return false;
	if (!site_store(visit->site, &store, e) ||
	    (store != NULL && !store_audit(store, before, AUDIT_PAGE_ROWS, visit->arena, &rows, &count, e)))
		return false;
	layout_open(visit, "Audit", body);
	html_element(body, "p", NULL, visit->takes_actions ?
		"What was done by way of this page, and who tried. Each is written down before it takes effect." :
		"What was done by way of a page over this store. This one is for reading.");
	if (count == 0)
		text_add(body, "<p>Nothing yet.</p>\n");
	else
		add_rows(visit, rows, count, body);
	if (count == AUDIT_PAGE_ROWS) {
		text_add(body, "<nav class=\"paging\" aria-label=\"More actions\">");
		html_link(body, arena_format(visit->arena, "/audit?before=%" PRId64,
					     rows[count - 1].audit_id), "Older");
		text_add(body, "</nav>\n");
	}
	layout_close(body);
	return true;
}

static bool write_audit_row(const struct visit *visit, struct answer *answer, struct err *e)
{
	struct text *body = &answer->body;
	struct audit_row row;
	struct store *store;
	bool is_there = false;
	int64_t number;

	if (!read_number(visit->id, &number, e) || !site_store(visit->site, &store, e))
		return false;
	if (store != NULL && !store_audit_find(store, number, visit->arena, &is_there, &row, e))
		return false;
	if (!is_there)
		return err_set(e, ERR_INPUT, "there is no action `%.40s`", visit->id);
	layout_open(visit, row.sentence == NULL ? "Its end is not known" : row.sentence, body);
	add_rows(visit, &row, 1, body);
	text_add(body, "<p>");
	html_link(body, "/", "To the overview");
	text_add(body, " \xc2\xb7 ");
	html_link(body, "/audit", "All actions");
	text_add(body, "</p>\n");
	layout_close(body);
	return true;
}

const struct page page_audit = {
	.path = "/audit",
	.title = "Audit",
	.content_type = PAGE_HTML,
	.write = write_audit,
};

const struct page page_audit_row = {
	.path = "/audit/*",
	.content_type = PAGE_HTML,
	.write = write_audit_row,
};
