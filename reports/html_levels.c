/*
 * html_levels.c - how each probe was served before, during and after the fault.
 */
#include "reports/html_parts.h"

#include "base/units.h"
#include "reports/escape.h"
#include "reports/facts.h"
#include "reports/words.h"

static void add_level(struct text *page, const struct html_table *table, const char *probe,
		      const char *when, const struct service_level *level)
{
	char buffer[WORDS_BYTES];
	size_t column = 0;

	html_cell(page, table, column++, NULL, probe);
	html_cell(page, table, column++, NULL, when);
	html_cell(page, table, column++, NULL,
		  level->slot_count == 0 ?
			  "-" :
			  words_span((struct span){ level->until_ns - level->from_ns,
						    level->until_ns - level->from_ns },
				     buffer));
	for (size_t i = 0; i < PERCENTILE_COUNT; i++)
		html_cell(page, table, column++, NULL,
			  level->slot_count == 0 ? "-" : words_latency(level->latency[i], buffer));
	html_cell(page, table, column++, NULL, words_errors(level, buffer));
	html_cell(page, table, column++, NULL, words_per_s(level, buffer));
	html_cell(page, table, column, NULL, words_kept(level, buffer));
}

static void add_time_over(struct text *page, const struct probe_result *probe)
{
	char over[UNITS_TEXT_BYTES];
	char buffer[WORDS_BYTES];

	text_add(page, "<p><strong>");
	escape_markup(page, probe->probe);
	text_addf(page, "</strong> failed or took longer than %s for <strong>%s</strong>.</p>\n",
		  units_format_duration(probe->over_ns, over), words_span(probe->time_over, buffer));
}

void html_levels(struct text *page, const struct story *story)
{
	static const char *const heads[] = {
		"Probe",
		"When",
		"Lasted",
#define X(id, word, ppm) word,
		PERCENTILE_ROWS(X)
#undef X
		"Errors",
		"Per second",
		"Throughput kept",
		NULL,
	};
	static const struct html_table table = { "Service level of each probe", "wide", heads,
						 0x7fc };
	const struct service_level *level;
	const char *when;

	if (story->probe_count == 0)
		return;
	text_addf(page,
		  "<section aria-labelledby=\"levels-head\"><h2 id=\"levels-head\">%s</h2>\n"
		  "<p>Latency counts from when an attempt was due; one that failed took at least its "
		  "timeout. Throughput kept is a share of the baseline's.</p>\n",
		  facts_has_fault(story) ? "Before, during and after the fault" : "Service level");
	html_table_open(page, &table);
	for (size_t i = 0; i < story->probe_count; i++)
		for (size_t k = 0; (level = words_level(story, &story->probes[i], k, &when)) != NULL;
		     k++)
			add_level(page, &table, story->probes[i].probe, when, level);
	html_table_close(page);
	for (size_t i = 0; i < story->probe_count; i++)
		if (story->probes[i].over_ns != 0)
			add_time_over(page, &story->probes[i]);
	text_add(page, "</section>\n");
}
