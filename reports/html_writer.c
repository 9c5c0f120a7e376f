/*
 * html_writer.c - see html_writer.h.
 */
#include "reports/html_writer.h"

#include <stdbool.h>

#include "reports/escape.h"

void html_element(struct text *page, const char *tag, const char *class_name, const char *raw)
{
	text_addf(page, "<%s", tag);
	if (class_name != NULL)
		text_addf(page, " class=\"%s\"", class_name);
	text_add(page, ">");
	escape_markup(page, raw);
	text_addf(page, "</%s>\n", tag);
}

void html_link(struct text *page, const char *address, const char *raw)
{
	text_add(page, "<a href=\"");
	escape_markup(page, address);
	text_add(page, "\">");
	escape_markup(page, raw);
	text_add(page, "</a>");
}

void html_table_open(struct text *page, const struct html_table *table)
{
	text_add(page, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
	escape_markup(page, table->label);
	text_addf(page, "\"><table%s%s%s>\n<thead><tr>",
		  table->class_name == NULL ? "" : " class=\"",
		  table->class_name == NULL ? "" : table->class_name,
		  table->class_name == NULL ? "" : "\"");
	for (size_t i = 0; table->heads[i] != NULL; i++) {
		text_addf(page, "<th scope=\"col\"%s><span>",
			  (table->numbers >> i & 1) != 0 ? " class=\"number\"" : "");
		escape_markup(page, table->heads[i]);
		text_add(page, "</span></th>");
	}
	text_add(page, "</tr></thead>\n<tbody>\n");
}

void html_cell_open(struct text *page, const struct html_table *table, size_t column,
		    const char *class_name)
{
	const char *tag = column == 0 ? "th" : "td";
	const bool is_number = (table->numbers >> column & 1) != 0;

	if (column == 0)
		text_add(page, "<tr>");
	text_addf(page, "<%s%s", tag, column == 0 ? " scope=\"row\"" : "");
	if (class_name != NULL || is_number)
		text_addf(page, " class=\"%s%s%s\"", class_name == NULL ? "" : class_name,
			  class_name != NULL && is_number ? " " : "", is_number ? "number" : "");
	text_add(page, " data-label=\"");
	escape_markup(page, table->heads[column]);
	text_add(page, "\"><span>");
}

void html_cell_close(struct text *page, const struct html_table *table, size_t column)
{
	text_addf(page, "</span></%s>", column == 0 ? "th" : "td");
	if (table->heads[column + 1] == NULL)
		text_add(page, "</tr>\n");
}

void html_cell(struct text *page, const struct html_table *table, size_t column,
	       const char *class_name, const char *raw)
{
	html_cell_open(page, table, column, class_name);
	escape_markup(page, raw);
	html_cell_close(page, table, column);
}

void html_table_close(struct text *page)
{
	text_add(page, "</tbody></table></div>\n");
}
