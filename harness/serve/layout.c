/*
 * layout.c - see layout.h.
 */
#include "serve/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reports/escape.h"
#include "reports/words.h"
#include "serve/action.h"

static bool is_here(const struct visit *visit, const char *path)
{
	return strcmp(visit->request->path, path) == 0;
}

static void add_navigation(const struct visit *visit, struct text *body)
{
	size_t count;
	const struct page *const *pages = page_table(&count);

	text_add(body, "<a class=\"skip\" href=\"#content\">To the content</a>\n"
		       "<div class=\"bar\"><nav aria-label=\"Pages\"><span class=\"brand\">"
		       "firedrill</span>\n");
	for (size_t i = 0; i < count; i++) {
		if (pages[i]->title == NULL)
			continue;
		text_addf(body, "<a href=\"%s\"%s>", pages[i]->path,
			  is_here(visit, pages[i]->path) ? " aria-current=\"page\"" : "");
		escape_markup(body, pages[i]->title);
		text_add(body, "</a>\n");
	}
	text_add(body, "</nav>\n");
	action_show_caller(visit, body);
	text_add(body, "</div>\n");
}

void layout_top(const struct visit *visit, const char *title, const char *head, struct text *body)
{
	text_add(body, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		       "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	escape_markup(body, title);
	text_add(body, " \xc2\xb7 firedrill</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n"
		       "<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n");
	if (head != NULL)
		text_add(body, head);
	text_add(body, "</head>\n<body>\n");
	add_navigation(visit, body);
}

void layout_bottom(struct text *body)
{
	text_add(body, "</body>\n</html>\n");
}

void layout_open(const struct visit *visit, const char *title, struct text *body)
{
	layout_top(visit, title, NULL, body);
	text_add(body, "<main id=\"content\">\n");
	html_element(body, "h1", NULL, title);
}

void layout_close(struct text *body)
{
	text_add(body, "</main>\n");
	layout_bottom(body);
}

void layout_failure(const struct visit *visit, const struct err *e, struct text *body)
{
	const bool is_absent = e->kind == ERR_INPUT;

	layout_open(visit, is_absent ? "Not here" : "This page cannot be shown now", body);
	html_element(body, "p", NULL, e->text);
	text_add(body, "<p>");
	html_link(body, "/", "To the overview");
	text_add(body, "</p>\n");
	layout_close(body);
}

/* A sentence of an error begins small and has no full stop: on a page it has both. */
static void add_sentence(const char *sentence, struct text *body)
{
	struct text text = { 0 };

	text_add(&text, sentence);
	if (text.length_bytes > 0 && *sentence >= 'a' && *sentence <= 'z')
		text.owned_bytes[0] = (char)(*sentence - 'a' + 'A');
	text_add(&text, ".");
	html_element(body, "p", NULL, text_str(&text));
	text_release(&text);
}

void layout_refuse(const struct visit *visit, unsigned status, const char *title, const char *sentence,
		   struct answer *answer)
{
	answer->status = status;
	if (visit->request->authorization != NULL) {
		answer->content_type = "text/plain; charset=utf-8";
		text_addf(&answer->body, "%s\n", sentence);
		return;
	}
	answer->content_type = PAGE_HTML;
	layout_open(visit, title, &answer->body);
	add_sentence(sentence, &answer->body);
	text_add(&answer->body, "<p>");
	if (status == 401)
		html_link(&answer->body, "/sign-in", "Sign in");
	else
		html_link(&answer->body, "/", "To the overview");
	text_add(&answer->body, "</p>\n");
	layout_close(&answer->body);
}

void layout_send_to(const char *location, struct answer *answer)
{
	answer->status = 303;
	answer->content_type = "text/plain; charset=utf-8";
	answer->location = location;
}

void layout_section(struct text *body, const char *id, const char *class_name, const char *title)
{
	text_addf(body, "<section%s%s%s aria-labelledby=\"%s-head\"><h2 id=\"%s-head\">",
		  class_name == NULL ? "" : " class=\"", class_name == NULL ? "" : class_name,
		  class_name == NULL ? "" : "\"", id, id);
	escape_markup(body, title);
	text_add(body, "</h2>\n");
}

void layout_verdict_cell(struct text *body, const struct html_table *table, size_t column,
			 enum verdict tone, const char *word)
{
	char class_name[64];
	char both[WORDS_BYTES];

	(void)snprintf(class_name, sizeof class_name, "word tone-%s", verdict_name(tone));
	(void)snprintf(both, sizeof both, "%s %s", words_mark(tone, true), word);
	html_cell(body, table, column, class_name, both);
}

void layout_run_cell(struct text *body, const struct html_table *table, size_t column,
		     const char *run_id, const char *words)
{
	struct text address = { 0 };

	text_add(&address, "/runs/");
	request_encode(&address, run_id);
	html_cell_open(body, table, column, NULL);
	html_link(body, text_str(&address), words);
	html_cell_close(body, table, column);
	text_release(&address);
}

const char *layout_moment(int64_t wall_ns, char text[LAYOUT_AGE_BYTES])
{
	char iso[32];

	clock_format_wall(wall_ns, iso, sizeof iso);
	(void)snprintf(text, LAYOUT_AGE_BYTES, "%.10s %.8s UTC", iso, iso + 11);
	return text;
}

const char *layout_age(int64_t wall_ns, int64_t now_wall_ns, char text[LAYOUT_AGE_BYTES])
{
	static const struct {
		int64_t until_s; /* shown in this unit until so long */
		int64_t unit_s;
		const char *one;
		const char *many;
	} units[] = {
		{ 120, 1, "s", "s" },
		{ 7200, 60, "min", "min" },
		{ 48 * 3600, 3600, "h", "h" },
		{ INT64_MAX, 86400, "day", "days" },
	};
	const int64_t age_s = (now_wall_ns - wall_ns) / NS_PER_S;
	size_t i = 0;

	if (age_s < 1) {
		(void)snprintf(text, LAYOUT_AGE_BYTES, "just now");
		return text;
	}
	while (age_s >= units[i].until_s)
		i++;

	const int64_t count = age_s / units[i].unit_s;

	(void)snprintf(text, LAYOUT_AGE_BYTES, "%" PRId64 " %s ago", count,
		       count == 1 ? units[i].one : units[i].many);
	return text;
}
