/*
 * page_runs.c - page "/runs": all runs, newest first, a page at a time; ?verdict=, ?text= and ?page=
 * choose among them.
 */
#include "serve/layout.h"
#include "serve/run_rows.h"

#include <inttypes.h>
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "reports/escape.h"

enum { PAGE_RUNS = 50 };

/* What can be asked for, in the words of the rows. */
static const char *const verdicts[] = {
	"MET", "MISSED", "INCONCLUSIVE", "LEFT UNHEALED", "NOT STARTED", "STOPPED", "BROKEN OFF",
	"RUNNING", "DIED",
};

struct choice {
	const char *verdict; /* "": any */
	const char *text;    /* in the title or the id; "": any */
	size_t page;         /* from 1 */
};

static bool read_choice(const struct visit *visit, struct choice *ret_choice, struct err *e)
{
	const char *page = request_param(visit->request, "page");
	int64_t number = 1;

	if (*page != '\0' && (!units_parse_count(page, &number, NULL) ||
			     number < 1 || number > INT64_MAX / PAGE_RUNS))
		return err_set(e, ERR_INPUT, "there is no page `%.40s` of the runs", page);
	*ret_choice = (struct choice){
		.verdict = request_param(visit->request, "verdict"),
		.text = request_param(visit->request, "text"),
		.page = (size_t)number,
	};
	return true;
}

static void add_form(const struct choice *choice, struct text *body)
{
	text_add(body, "<form class=\"choice\" action=\"/runs\" method=\"get\">\n"
		       "<label for=\"text\">Title or id has</label>"
		       "<input id=\"text\" name=\"text\" type=\"search\" value=\"");
	escape_markup(body, choice->text);
	text_add(body, "\">\n<label for=\"verdict\">Verdict</label>"
		       "<select id=\"verdict\" name=\"verdict\"><option value=\"\">any</option>");
	for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
		text_addf(body, "<option%s>%s</option>",
			  strcmp(choice->verdict, verdicts[i]) == 0 ? " selected" : "", verdicts[i]);
	text_add(body, "</select>\n<button type=\"submit\">Show</button></form>\n");
}

static void add_page_link(const struct choice *choice, size_t page, const char *words,
			  struct text *body)
{
	struct text address = { 0 };

	text_add(&address, "/runs?text=");
	request_encode(&address, choice->text);
	text_add(&address, "&verdict=");
	request_encode(&address, choice->verdict);
	text_addf(&address, "&page=%zu", page);
	html_link(body, text_str(&address), words);
	text_add(body, "\n");
	text_release(&address);
}

static void add_paging(const struct choice *choice, size_t count, struct text *body)
{
	const size_t page_count = (count + PAGE_RUNS - 1) / PAGE_RUNS;

	if (page_count < 2)
		return;
	text_add(body, "<nav class=\"paging\" aria-label=\"More runs\">\n");
	if (choice->page > 1)
		add_page_link(choice, choice->page - 1, "Newer", body);
	text_addf(body, "<span>page %zu of %zu</span>\n", choice->page, page_count);
	if (choice->page < page_count)
		add_page_link(choice, choice->page + 1, "Older", body);
	text_add(body, "</nav>\n");
}

static bool write_runs(const struct visit *visit, struct answer *answer, struct err *e)
{
	const struct history_run *shown[PAGE_RUNS];
	struct history_list list = { 0 };
	struct text *body = &answer->body;
	struct choice choice;
	struct store *store;

	if (!read_choice(visit, &choice, e) || !site_store(visit->site, &store, e))
		return false;

	const struct history_choice wanted = { .word = choice.verdict,
					       .text = choice.text,
					       .skip = (choice.page - 1) * PAGE_RUNS,
					       .limit = PAGE_RUNS };

	if (store != NULL && !history_list(store, &wanted, visit->arena, &list, e))
		return false;
	for (size_t i = 0; i < list.count; i++)
		shown[i] = &list.runs[i];
	layout_open(visit, "Runs", body);
	add_form(&choice, body);
	text_addf(body, "<p>%" PRIu64 " of %" PRIu64 " runs</p>\n", list.chosen_count, list.run_count);
	if (list.count > 0)
		run_rows(visit, "Runs", shown, list.count, body);
	add_paging(&choice, (size_t)list.chosen_count, body);
	layout_close(body);
	return true;
}

const struct page page_runs = {
	.path = "/runs",
	.title = "Runs",
	.content_type = PAGE_HTML,
	.write = write_runs,
};
