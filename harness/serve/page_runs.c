/*
 * page_runs.c - page "/runs": all runs, newest first, a page at a time; ?service=, ?verdict=, ?text= and
 * ?page= choose among them. Of a service are those that harmed it: of others nobody knows more than a title.
 */
#include "serve/layout.h"
#include "serve/run_rows.h"
#include "serve/service_runs.h"

#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "reports/escape.h"
#include "reports/kpi.h"

enum { PAGE_RUNS = 50 };

/* What can be asked for, in the words of the rows. */
static const char *const verdicts[] = {
	"MET", "MISSED", "INCONCLUSIVE", "LEFT UNHEALED", "NOT STARTED", "STOPPED", "BROKEN OFF",
	"RUNNING", "DIED",
};

struct choice {
	const char *verdict; /* "": any */
	const char *text;    /* in the title or the id; "": any */
	const char *service; /* as the pages call it; "": any */
	size_t page;         /* from 1 */
};

static bool read_choice(const struct visit *visit, struct choice *ret_choice, struct err *e)
{
	const char *page = request_param(visit->request, "page");
	int64_t number = 1;

	if (*page != '\0' && (!units_parse_count(page, &number, NULL) || number < 1 ||
			      number > INT64_MAX / PAGE_RUNS))
		return err_set(e, ERR_INPUT, "there is no page `%.40s` of the runs", page);
	*ret_choice = (struct choice){
		.verdict = request_param(visit->request, "verdict"),
		.text = request_param(visit->request, "text"),
		.service = request_param(visit->request, "service"),
		.page = (size_t)number,
	};
	return true;
}

static void add_option(const char *word, const char *chosen, struct text *body)
{
	text_addf(body, "<option%s>", strcmp(word, chosen) == 0 ? " selected" : "");
	escape_markup(body, word);
	text_add(body, "</option>");
}

static void add_form(const struct choice *choice, const struct kpi *kpi, struct text *body)
{
	char name[KPI_WORDS_BYTES];

	text_add(body, "<form class=\"choice\" action=\"/runs\" method=\"get\">\n"
		       "<span class=\"pair\"><label for=\"text\">Title or id has</label>"
		       "<input id=\"text\" name=\"text\" type=\"search\" value=\"");
	escape_markup(body, choice->text);
	text_add(body, "\"></span>\n<span class=\"pair\"><label for=\"service\">Service</label>"
		       "<select id=\"service\" name=\"service\"><option value=\"\">any</option>");
	for (size_t i = 0; i < kpi->service_count; i++)
		add_option(kpi_words_service(kpi, i, name), choice->service, body);
	text_add(body, "</select></span>\n<span class=\"pair\"><label for=\"verdict\">Verdict</label>"
		       "<select id=\"verdict\" name=\"verdict\"><option value=\"\">any</option>");
	for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
		add_option(verdicts[i], choice->verdict, body);
	text_add(body, "</select></span>\n<button type=\"submit\">Show</button></form>\n");
}

static void add_page_link(const struct choice *choice, size_t page, const char *words,
			  struct text *body)
{
	struct text address = { 0 };

	text_add(&address, "/runs?text=");
	request_encode(&address, choice->text);
	text_add(&address, "&service=");
	request_encode(&address, choice->service);
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

/* What is shown, and how much there is on all pages and in the store. */
struct listed {
	const struct history_run *runs;
	size_t shown_count;
	size_t count;
	uint64_t run_count;
};

static bool list_service(const struct visit *visit, struct store *store,
			 const struct history *history, const struct choice *choice,
			 struct listed *ret_listed, struct err *e)
{
	const struct service_choice wanted = { .service = choice->service,
					       .verdict = choice->verdict,
					       .text = choice->text,
					       .skip = (choice->page - 1) * PAGE_RUNS,
					       .limit = PAGE_RUNS };
	struct history_run *runs = NULL;

	if (!service_runs(store, &history->kpi, &wanted, visit->arena, &runs,
			  &ret_listed->shown_count, &ret_listed->count, e))
		return false;
	ret_listed->runs = runs;
	ret_listed->run_count = history->tally.run_count;
	return true;
}

static bool list_all(const struct visit *visit, struct store *store, const struct choice *choice,
		     struct listed *ret_listed, struct err *e)
{
	const struct history_choice wanted = { .word = choice->verdict,
					       .text = choice->text,
					       .skip = (choice->page - 1) * PAGE_RUNS,
					       .limit = PAGE_RUNS };
	struct history_list list = { 0 };

	if (!history_list(store, &wanted, visit->arena, &list, e))
		return false;
	*ret_listed = (struct listed){ .runs = list.runs,
				       .shown_count = list.count,
				       .count = (size_t)list.chosen_count,
				       .run_count = list.run_count };
	return true;
}

static void add_listed(const struct visit *visit, const struct listed *listed, struct text *body)
{
	const struct history_run *shown[PAGE_RUNS];

	for (size_t i = 0; i < listed->shown_count; i++)
		shown[i] = &listed->runs[i];
	text_addf(body, "<p>%zu of %" PRIu64 " runs</p>\n", listed->count, listed->run_count);
	if (listed->shown_count > 0)
		run_rows(visit, "Runs", shown, listed->shown_count, body);
}

static bool write_runs(const struct visit *visit, struct answer *answer, struct err *e)
{
	struct listed listed = { 0 };
	const struct history *history;
	struct text *body = &answer->body;
	struct choice choice;
	struct store *store;

	if (!read_choice(visit, &choice, e) || !site_history(visit->site, &history, e) ||
	    !site_store(visit->site, &store, e))
		return false;
	if (store != NULL && !(*choice.service == '\0' ?
				       list_all(visit, store, &choice, &listed, e) :
				       list_service(visit, store, history, &choice, &listed, e)))
		return false;
	layout_open(visit, "Runs", body);
	add_form(&choice, &history->kpi, body);
	add_listed(visit, &listed, body);
	add_paging(&choice, listed.count, body);
	layout_close(body);
	return true;
}

const struct page page_runs = {
	.path = "/runs",
	.title = "Runs",
	.content_type = PAGE_HTML,
	.write = write_runs,
};
