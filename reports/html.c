/*
 * html.c - report "html": one file to mail. Verdict first, evidence under it, a picture.
 *
 * No script and nothing from outside the file; every foreign text is escaped by html_element and
 * html_cell. The sections are in html_verdict.c, html_sections.c, html_tables.c, html_levels.c,
 * html_lag.c and html_findings.c, the looks in html_style.c.
 */
#include "reports/report.h"

#include "reports/escape.h"
#include "reports/facts.h"
#include "reports/html_parts.h"
#include "reports/picture.h"
#include "reports/trials.h"
#include "reports/words.h"

void html_element(struct text *page, const char *tag, const char *class_name, const char *raw)
{
	text_addf(page, "<%s", tag);
	if (class_name != NULL)
		text_addf(page, " class=\"%s\"", class_name);
	text_add(page, ">");
	escape_markup(page, raw);
	text_addf(page, "</%s>\n", tag);
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

void html_cell(struct text *page, const struct html_table *table, size_t column,
	       const char *class_name, const char *raw)
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
	escape_markup(page, raw);
	text_addf(page, "</span></%s>", tag);
	if (table->heads[column + 1] == NULL)
		text_add(page, "</tr>\n");
}

void html_table_close(struct text *page)
{
	text_add(page, "</tbody></table></div>\n");
}

const char *html_tone(enum verdict verdict)
{
	return verdict_name(verdict);
}

static void open_page(struct text *page, const struct story *story)
{
	text_add(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		       "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	escape_markup(page, words_headline(&story->outcome));
	text_add(page, ": ");
	escape_markup(page, story->experiment->title);
	text_add(page, "</title>\n<style>\n");
	html_style(page);
	text_add(page, "</style>\n</head>\n<body>\n");
}

static bool write_picture(struct text *page, const struct story *story, struct err *e)
{
	text_add(page,
		 "<section aria-labelledby=\"picture-head\">"
		 "<h2 id=\"picture-head\">What the probes saw</h2>\n"
		 "<figure class=\"card\"><div class=\"scroll\" role=\"region\" tabindex=\"0\" "
		 "aria-label=\"Picture of the drill\">\n");
	if (!picture_draw(CANVAS_SVG, story, page, e))
		return false;
	text_addf(page,
		  "</div>\n<figcaption>Every sample of every probe; 0 is when the %s. The light "
		  "part at the end of the RTO bar lies between two samples and cannot be "
		  "known. <span class=\"hint\">On a small screen it scrolls "
		  "sideways.</span></figcaption></figure></section>\n",
		  facts_has_fault(story) ? "fault was sent" : "run started");
	return true;
}

static bool html_write(const struct story *story, const struct report_style *style,
		       struct text *ret_bytes, struct err *e)
{
	(void)style; /* the same bytes for everyone */

	open_page(ret_bytes, story);
	html_verdict(ret_bytes, story);
	text_add(ret_bytes, "<main>\n");
	html_objectives(ret_bytes, story);
	if (!write_picture(ret_bytes, story, e))
		return false;
	html_recovery(ret_bytes, story);
	html_levels(ret_bytes, story);
	html_ledgers(ret_bytes, story);
	html_findings(ret_bytes, story);
	html_lags(ret_bytes, story);
	html_deeds(ret_bytes, story);
	html_permission(ret_bytes, story);
	html_untold(ret_bytes, story);
	html_events(ret_bytes, story);
	text_add(ret_bytes, "</main>\n");
	html_facts(ret_bytes, story);
	text_add(ret_bytes, "</body>\n</html>\n");
	return true;
}

const struct report_ops report_html = {
	.name = "html",
	.file_name = "report.html",
	.summary = "one file to mail: verdict, picture, ledger, deeds, timeline; no script",
	.write = html_write,
	.write_set = trials_html_write,
};
