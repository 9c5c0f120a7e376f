/*
 * html_tables.c - the evidence: recovery of each probe, parts of the RTO, the ledger's two counts.
 */
#include "reports/html_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/units.h"
#include "reports/escape.h"
#include "reports/facts.h"
#include "reports/words.h"
#include "reports/words_lag.h"

static void add_parts(struct text *page, const struct story *story)
{
	static const char *const heads[] = { "Part of the recovery", "From the fault", NULL };
	static const struct html_table table = { "Parts of the recovery", NULL, heads, 0 };
	const struct probe_result *service = story->service;
	char buffer[WORDS_BYTES];

	if (service == NULL)
		return;
	text_add(page, "<p>The service recovers with its slowest required probe, <strong>");
	escape_markup(page, service->probe);
	text_add(page, "</strong>: <strong>");
	escape_markup(page, words_rto(service, facts_every_ns(story, service->probe), buffer));
	text_add(page, "</strong>.</p>\n");
	if (service->part_count == 0)
		return;
	html_table_open(page, &table);
	for (size_t i = 0; i < service->part_count; i++) {
		html_cell(page, &table, 0, NULL, service->parts[i].name);
		html_cell(page, &table, 1, NULL, words_span(service->parts[i].span, buffer));
	}
	html_table_close(page);
}

/* All that the system did, also what is no part of the recovery. */
static void add_named_events(struct text *page, const struct story *story)
{
	static const char *const heads[] = { "What the system did", "Seen by", "When", "Remark",
					     NULL };
	static const struct html_table table = { "What the system did", NULL, heads, 0 };
	char buffer[WORDS_BYTES];

	if (story->named_event_count == 0)
		return;
	html_table_open(page, &table);
	for (size_t i = 0; i < story->named_event_count; i++) {
		const struct named_event *event = &story->named_events[i];

		html_cell(page, &table, 0, NULL, event->what);
		html_cell(page, &table, 1, NULL, event->probe);
		html_cell(page, &table, 2, event->is_placed ? NULL : "word tone-inconclusive",
			  words_when(story, event, buffer));
		html_cell(page, &table, 3, NULL, event->why == NULL ? "" : event->why);
	}
	html_table_close(page);
}

static void add_probe(struct text *page, const struct html_table *table, const struct story *story,
		      const struct probe_result *probe)
{
	const int64_t every_ns = facts_every_ns(story, probe->probe);
	char buffer[WORDS_BYTES];
	char number[UNITS_TEXT_BYTES];

	html_cell(page, table, 0, NULL, probe->probe);
	html_cell(page, table, 1, NULL, words_rto(probe, every_ns, buffer));
	html_cell(page, table, 2, NULL,
		  probe->rto_kind == MEASURED_SPAN ? words_span(probe->downtime, buffer) : "-");
	html_cell(page, table, 3, NULL, words_availability(probe, buffer));
	html_cell(page, table, 4, NULL, words_count(probe->good_count, buffer));
	html_cell(page, table, 5, NULL, words_count(probe->bad_count, buffer));
	html_cell(page, table, 6, NULL,
		  words_count(probe->skipped_count + probe->not_sampled_count, buffer));
	html_cell(page, table, 7, NULL, words_count(probe->flap_count, buffer));
	html_cell(page, table, 8, NULL,
		  every_ns == 0 ? "-" : units_format_duration(every_ns, number));
	html_cell(page, table, 9, NULL, words_lateness(probe, buffer));
	html_cell(page, table, 10, NULL, words_count(probe->late_count, buffer));
}

void html_recovery(struct text *page, const struct story *story)
{
	static const char *const heads[] = {
		"Probe",
		"Recovery",
		"Downtime",
		"Availability",
		"Good",
		"Bad",
		"Not seen",
		"Flaps",
		"Every",
		"Sent",
		"In the next slot",
		NULL,
	};
	static const struct html_table table = { "Recovery of each probe", "wide", heads, 0x4f0 };

	if (story->probe_count == 0)
		return;
	text_add(page, "<section aria-labelledby=\"recovery-head\">"
		       "<h2 id=\"recovery-head\">Recovery</h2>\n");
	add_parts(page, story);
	add_named_events(page, story);
	html_table_open(page, &table);
	for (size_t i = 0; i < story->probe_count; i++)
		add_probe(page, &table, story, &story->probes[i]);
	html_table_close(page);
	if (facts_lanes(story) != NULL) {
		text_add(page, "<p>");
		escape_markup(page, facts_lanes(story));
		text_add(page, ".</p>\n");
	}
	text_add(page, "</section>\n");
}

static void add_count(struct text *page, const struct html_table *table, size_t column,
		      const struct class_row *row, const struct ledger_count_result *count)
{
	char buffer[WORDS_BYTES];

	if (!count->was_counted || !count->is_readable) {
		html_cell(page, table, column, NULL,
			  count->was_counted ? "could not be read" : "not counted");
		return;
	}

	const uint64_t number = row->count(&count->classes);
	const char *class_name = number == 0			? NULL :
				 row->weight == CLASS_LOSS	? "word tone-missed" :
				 row->weight == CLASS_FINDING	? "word tone-inconclusive" :
								  NULL;

	html_cell(page, table, column, class_name, words_count(number, buffer));
}

static void add_summary(struct text *page, const struct ledger_result *ledger)
{
	const struct ledger_count_result *worse = ledger->worse;
	const char *error = ledger->healed.error != NULL ? ledger->healed.error :
							   ledger->stable.error;
	char buffer[WORDS_BYTES];

	if (worse == NULL) {
		text_add(page,
			 "<p class=\"word tone-inconclusive\">The ledger could not be read: what "
			 "was lost is not known. ");
		escape_markup(page, error);
		text_add(page, "</p>\n");
		return;
	}
	text_addf(page, "<p>Observed RPO <strong>%s</strong>. ", words_span(worse->rpo, buffer));
	text_addf(page, "Of %s writes ", words_count(worse->classes.attempted, buffer));
	text_addf(page, "%s were acknowledged, ", words_count(worse->classes.acknowledged, buffer));
	text_addf(page, "%s failed for certain ", words_count(worse->classes.failed, buffer));
	text_addf(page, "and %s got no answer. ",
		  words_count(worse->classes.indeterminate, buffer));
	text_addf(page, "The verdict rests on the worse of the two counts: %s.</p>\n",
		  worse == &ledger->healed ? "after the heal" : "once stable");
}

/* What was to be expected, beside what came. */
static void add_bound(struct text *page, const struct story *story,
		      const struct ledger_result *ledger)
{
	struct text words = { 0 };

	words_bound_beside_loss(story, ledger, &words);
	if (words.length_bytes > 0)
		html_element(page, "p", NULL, text_str(&words));
	text_release(&words);
}

static void add_keys(struct text *page, const struct ledger_result *ledger)
{
	const struct ledger_count_result *worse = ledger->worse;

	if (worse == NULL || worse->classes.lost_key_count == 0)
		return;
	text_add(page, "<p>First rows lost, by number: <code>");
	for (size_t i = 0; i < worse->classes.lost_key_count; i++)
		text_addf(page, "%s%" PRIu64, i == 0 ? "" : " ", worse->classes.lost_keys[i]);
	text_addf(page, "%s</code></p>\n",
		  worse->classes.lost + worse->classes.corrupted > worse->classes.lost_key_count ?
			  " ..." :
			  "");
}

static void add_reading(struct text *page, const char *when,
			const struct ledger_count_result *count)
{
	char missing[WORDS_BYTES];
	char settle[UNITS_TEXT_BYTES];

	if (!count->was_counted || !count->is_readable)
		return;
	text_addf(page,
		  "<li>%s: read %" PRIu32 " times over %s until nothing more appeared; %s rows "
		  "were missing in the first read.</li>\n",
		  when, count->read_count, units_format_duration(count->settle_ns, settle),
		  words_count(count->first_missing_count, missing));
}

void html_ledgers(struct text *page, const struct story *story)
{
	static const char *const heads[] = { "Class", "Meaning", "Once stable", "After the heal",
					     NULL };
	static const struct html_table table = { "Classes of the ledger", NULL, heads, 0xc };
	size_t class_count;
	const struct class_row *classes = words_classes(&class_count);

	for (size_t i = 0; i < story->ledger_count; i++) {
		const struct ledger_result *ledger = &story->ledgers[i];

		text_add(page, "<section>");
		text_add(page, "<h2>Ledger ");
		escape_markup(page, ledger->probe);
		text_add(page, "</h2>\n");
		add_summary(page, ledger);
		add_bound(page, story, ledger);
		html_table_open(page, &table);
		for (size_t row = 0; row < class_count; row++) {
			html_cell(page, &table, 0, NULL, classes[row].name);
			html_cell(page, &table, 1, NULL, classes[row].meaning);
			add_count(page, &table, 2, &classes[row], &ledger->stable);
			add_count(page, &table, 3, &classes[row], &ledger->healed);
		}
		html_table_close(page);
		add_keys(page, ledger);
		text_add(page, "<ul>\n");
		add_reading(page, "Once stable", &ledger->stable);
		add_reading(page, "After the heal", &ledger->healed);
		text_add(page, "</ul></section>\n");
	}
}
