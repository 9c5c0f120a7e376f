/*
 * html_sections.c - what was done and undone, what could not be told, the events, how to read it.
 */
#include "reports/html_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/units.h"
#include "reports/escape.h"
#include "reports/facts.h"
#include "reports/words.h"

enum { EVENTS_SHOWN = 1000 };

static void add_deed(struct text *page, const struct html_table *table, const struct story *story,
		     const struct deed *deed)
{
	const int64_t zero_ns = facts_zero_ns(story);
	struct text words = { 0 };
	char moment[WORDS_BYTES];
	char number[UNITS_TEXT_BYTES];
	const bool is_clean = deed->read_back == EVENT_CLEAN;

	html_cell(page, table, 0, NULL, deed->host);
	text_addf(&words, "%" PRIu32 ". %s: %s", deed->step, deed->fault, deed->what);
	html_cell(page, table, 1, NULL, text_str(&words));

	text_clear(&words);
	text_add(&words, words_confirmation(deed->confirmation));
	if (deed->confirmation == EVENT_CONFIRMED)
		text_addf(&words, " after %s",
			  units_format_duration(deed->injected.high_ns - deed->injected.low_ns,
						number));
	html_cell(page, table, 2,
		  deed->confirmation == EVENT_CONFIRMED ? NULL : "word tone-inconclusive",
		  text_str(&words));

	text_clear(&words);
	text_add(&words, deed->heal == NULL ? "nothing to undo" : deed->heal);
	if (deed->healed.high_ns != 0)
		text_addf(&words, " (%s, took %s)",
			  words_moment(deed->healed.low_ns - zero_ns, moment),
			  units_format_duration(deed->healed.high_ns - deed->healed.low_ns,
						number));
	html_cell(page, table, 3, NULL, text_str(&words));

	text_clear(&words);
	text_addf(&words, "%s%s", is_clean ? "\xe2\x9c\x93 " : "", words_read_back(deed));
	if (deed->leftover != NULL)
		text_addf(&words, ": %s", deed->leftover);
	html_cell(page, table, 4,
		  is_clean				? "word tone-met" :
		  deed->read_back == EVENT_LEFTOVER	? "word tone-missed" :
							  "word tone-inconclusive",
		  text_str(&words));
	text_release(&words);
}

void html_deeds(struct text *page, const struct story *story)
{
	static const char *const heads[] = { "Host", "What was done", "Took effect", "Heal",
					     "Read back", NULL };
	static const struct html_table table = { "What was done to which host", "stack", heads, 0 };

	text_add(page, "<section aria-labelledby=\"deeds-head\">"
		       "<h2 id=\"deeds-head\">What was done, and undone</h2>\n");
	if (story->deed_count == 0) {
		text_add(page, "<p>Nothing: no host was harmed.</p></section>\n");
		return;
	}
	html_table_open(page, &table);
	for (size_t i = 0; i < story->deed_count; i++)
		add_deed(page, &table, story, &story->deeds[i]);
	html_table_close(page);
	text_add(page, "</section>\n");
}

static void add_list(struct text *page, const char *id, const char *heading,
		     const char *const *sentences, size_t count)
{
	if (count == 0)
		return;
	text_addf(page, "<section aria-labelledby=\"%s\"><h2 id=\"%s\">%s</h2>\n<ul>\n", id, id,
		  heading);
	for (size_t i = 0; i < count; i++)
		html_element(page, "li", NULL, sentences[i]);
	text_add(page, "</ul></section>\n");
}

void html_permission(struct text *page, const struct story *story)
{
	add_list(page, "permission-head", "Permission", story->permission, story->permission_count);
}

void html_untold(struct text *page, const struct story *story)
{
	add_list(page, "untold-head", "What could not be told", story->untold, story->untold_count);
}

void html_events(struct text *page, const struct story *story)
{
	static const char *const heads[] = {
		"Time", "Event", "Host", "What happened", "UTC", NULL
	};
	static const struct html_table table = { "Events of the run", "events", heads, 1 };
	const struct timeline *timeline = &story->timeline;
	const size_t shown =
		timeline->event_count > EVENTS_SHOWN ? EVENTS_SHOWN : timeline->event_count;
	char buffer[WORDS_BYTES];

	if (timeline->event_count == 0)
		return;
	text_add(page, "<section aria-labelledby=\"events-head\">"
		       "<h2 id=\"events-head\">Timeline</h2>\n");
	html_table_open(page, &table);
	for (size_t i = 0; i < shown; i++) {
		const struct event *event = &timeline->events[i];
		const int64_t after_ns = event->at_ns - facts_zero_ns(story);

		html_cell(page, &table, 0, NULL, words_moment(after_ns, buffer));
		html_cell(page, &table, 1, event->kind == EVENT_PHASE ? "phase" : NULL,
			  event_kind_name(event->kind));
		html_cell(page, &table, 2, NULL, event->host);
		html_cell(page, &table, 3, NULL, event->text);
		html_cell(page, &table, 4, "when", words_iso(story, event->at_ns, buffer));
	}
	html_table_close(page);
	if (shown < timeline->event_count)
		text_addf(page, "<p>And %s more: they are in report.json.</p>\n",
			  words_count(timeline->event_count - shown, buffer));
	text_add(page, "</section>\n");
}

static void add_fact(struct text *page, const char *name, const char *raw)
{
	if (raw == NULL)
		return;
	html_element(page, "dt", NULL, name);
	html_element(page, "dd", NULL, raw);
}

static void add_run_facts(struct text *page, const struct story *story)
{
	const struct experiment *experiment = story->experiment;
	char buffer[WORDS_BYTES];
	char verdict[WORDS_BYTES];

	text_add(page, "<h2>This run</h2>\n<dl>\n");
	add_fact(page, "Run", story->run_id);
	if (story->set_id != NULL)
		add_fact(page, "Trial", words_trial(story, buffer));
	add_fact(page, "Started", words_iso(story, facts_started_ns(story), buffer));
	add_fact(page, "Ended", words_iso(story, facts_ended_ns(story), buffer));
	(void)snprintf(verdict, sizeof verdict, "%d: %s", (int)story->outcome.exit_code,
		       run_exit_meaning(story->outcome.exit_code));
	add_fact(page, "Exit code", verdict);
	add_fact(page, "firedrill", story->version);
	add_fact(page, "Head", facts_head(story));
	add_fact(page, "Experiment", experiment->source_path);
	add_fact(page, "Inventory", experiment->inventory_path);
	for (size_t i = 0; i < experiment->var_count; i++) {
		text_add(page, "<dt>Variable ");
		escape_markup(page, experiment->vars[i].name);
		text_add(page, "</dt>");
		html_element(page, "dd", NULL, experiment->vars[i].value);
	}
	text_add(page, "</dl>\n");
}

static const char how_to_read[] =
	"<footer>\n<h2>How to read this</h2>\n<ul>\n"
	"<li><strong>A number is a span.</strong> Nothing is observed between two samples, so the "
	"truth lies somewhere from the first to the second number. Probing more often makes the "
	"span narrower.</li>\n"
	"<li><strong>Observed RTO</strong> runs from the fault to the first good answer of the "
	"first stretch that stayed good. <strong>No outage seen</strong> and <strong>never "
	"recovered</strong> are results, not numbers.</li>\n"
	"<li><strong>Observed RPO</strong> comes from a ledger of numbered writes, read back after "
	"the drill. Only writes that the service had acknowledged can be lost. They are counted "
	"twice: a node that comes back can undo what the failover saved.</li>\n"
	"<li><strong>Inconclusive</strong> means that the evidence does not decide; it is neither "
	"a pass nor a miss.</li>\n"
	"<li><strong>Not seen</strong> counts slots that were not tried or where this machine ran "
	"short. They are never held against the service, but widen the span.</li>\n"
	"</ul>\n";

void html_facts(struct text *page, const struct story *story)
{
	text_add(page, how_to_read);
	add_run_facts(page, story);
	text_add(page, "<p>All of this can be derived again from the journal: "
		       "<code>firedrill report ");
	escape_markup(page, story->run_id);
	text_add(page, "</code>");
	if (facts_head(story) != NULL) {
		text_addf(page, ", and checked against it: <code>firedrill verify --head %s ",
			  facts_head(story));
		escape_markup(page, story->run_id);
		text_add(page, "</code>");
	}
	text_add(page, "</p>\n</footer>\n");
}
