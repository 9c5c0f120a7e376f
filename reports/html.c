/*
 * html.c - report "html": one file to mail. Verdict first, evidence under it, a picture.
 *
 * No script and nothing from outside the file; html_writer.c escapes every foreign text. The sections
 * are in html_verdict.c, html_sections.c, html_tables.c, html_levels.c, html_lag.c, html_vantage.c and
 * html_findings.c, the looks in html_style.c.
 */
#include "reports/report.h"

#include "reports/escape.h"
#include "reports/facts.h"
#include "reports/html_parts.h"
#include "reports/picture.h"
#include "reports/trials.h"
#include "reports/words.h"

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
	html_vantage(ret_bytes, story);
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
