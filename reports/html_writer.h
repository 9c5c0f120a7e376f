/*
 * html_writer.h - the one way HTML is written, in reports and on the page: elements and tables that
 * escape what they are given, and the style sheet they share.
 *
 * A text that is added in another way goes through escape_markup, or it is ours.
 */
#ifndef REPORTS_HTML_WRITER_H
#define REPORTS_HTML_WRITER_H

#include "base/mem.h"

/* The whole style sheet, with the dark colours of the picture. */
void html_style(struct text *page);

/* `<tag class="...">escaped</tag>`; class may be NULL. */
void html_element(struct text *page, const char *tag, const char *class_name, const char *raw);

/* `<a href="address">escaped</a>`; the address is escaped as well, and the caller chooses where it
   leads. */
void html_link(struct text *page, const char *address, const char *raw);

struct html_table {
	const char *label;        /* names the scrolling region */
	const char *class_name;   /* "stack": rows become cards on a phone */
	const char *const *heads; /* NULL ends them */
	unsigned numbers;         /* bit i: column i is numbers, set to the right */
};

void html_table_open(struct text *page, const struct html_table *table);
/* The head is repeated in the cell for phones. The first cell of a row is its header. */
void html_cell(struct text *page, const struct html_table *table, size_t column,
	       const char *class_name, const char *raw);
/* The same around whatever stands in the cell, escaped by whoever writes it. */
void html_cell_open(struct text *page, const struct html_table *table, size_t column,
		    const char *class_name);
void html_cell_close(struct text *page, const struct html_table *table, size_t column);
void html_table_close(struct text *page);

#endif
