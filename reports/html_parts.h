/*
 * html_parts.h - what the files of the HTML report share. Only for reports/html*.c.
 */
#ifndef REPORTS_HTML_PARTS_H
#define REPORTS_HTML_PARTS_H

#include "model/story.h"
#include "reports/html_writer.h"

/* A mark and a word in the colour of the verdict. */
const char *html_tone(enum verdict verdict); /* "met", "missed", "inconclusive", "none" */

/* The sections, in the order of the page; each is nothing when it has nothing to say. */
void html_verdict(struct text *page, const struct story *story);
void html_objectives(struct text *page, const struct story *story);
void html_recovery(struct text *page, const struct story *story);
void html_levels(struct text *page, const struct story *story);
void html_ledgers(struct text *page, const struct story *story);
void html_findings(struct text *page, const struct story *story);
void html_vantage(struct text *page, const struct story *story);
void html_lags(struct text *page, const struct story *story);
void html_deeds(struct text *page, const struct story *story);
void html_permission(struct text *page, const struct story *story);
void html_untold(struct text *page, const struct story *story);
void html_events(struct text *page, const struct story *story);
void html_facts(struct text *page, const struct story *story);

#endif
