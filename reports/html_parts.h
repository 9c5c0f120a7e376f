/*
 * html_parts.h - what the files of the HTML report share. Only for reports/html*.c.
 */
#ifndef REPORTS_HTML_PARTS_H
#define REPORTS_HTML_PARTS_H

#include "base/mem.h"
#include "model/story.h"

/* The whole style sheet, with the dark colours of the picture. */
void html_style(struct text *page);

/* `<tag class="...">escaped</tag>`; class may be NULL. */
void html_element(struct text *page, const char *tag, const char *class_name, const char *raw);

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
void html_table_close(struct text *page);

/* A mark and a word in the colour of the verdict. */
const char *html_tone(enum verdict verdict); /* "met", "missed", "inconclusive", "none" */

/* The sections, in the order of the page; each is nothing when it has nothing to say. */
void html_verdict(struct text *page, const struct story *story);
void html_objectives(struct text *page, const struct story *story);
void html_recovery(struct text *page, const struct story *story);
void html_levels(struct text *page, const struct story *story);
void html_ledgers(struct text *page, const struct story *story);
void html_findings(struct text *page, const struct story *story);
void html_lags(struct text *page, const struct story *story);
void html_deeds(struct text *page, const struct story *story);
void html_permission(struct text *page, const struct story *story);
void html_untold(struct text *page, const struct story *story);
void html_events(struct text *page, const struct story *story);
void html_facts(struct text *page, const struct story *story);

#endif
