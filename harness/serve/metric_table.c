/*
 * metric_table.c - the list of families at /metrics. Adding one is one function and one row here;
 * docs/serve.md names them all.
 */
#include "serve/metric.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void write_build(const struct metric *metric, const struct metric_facts *facts,
			struct text *text)
{
	const struct metric_label labels[] = { { "version", facts->version }, { 0 } };

	metric_count(metric, labels, 1, text);
}

static void write_store_up(const struct metric *metric, const struct metric_facts *facts,
			   struct text *text)
{
	metric_count(metric, NULL, facts->is_store_up, text);
}

enum { RESULT_BYTES = 32 };

/* "LEFT UNHEALED" as a label has it: "left_unhealed". */
static void result_of(const struct history_run *run, char ret_result[RESULT_BYTES])
{
	size_t i = 0;

	for (const char *word = history_word(run); *word != '\0' && i + 1 < RESULT_BYTES; word++)
		ret_result[i++] = *word == ' ' ? '_' : (char)tolower((unsigned char)*word);
	ret_result[i] = '\0';
}

static void write_runs(const struct metric *metric, const struct metric_facts *facts,
		       struct text *text)
{
	enum { RESULTS = 16 };
	struct {
		char name[RESULT_BYTES];
		uint64_t count;
	} results[RESULTS] = { 0 };

	for (size_t i = 0; i < facts->history->run_count; i++) {
		char name[RESULT_BYTES];
		size_t row = 0;

		result_of(&facts->history->runs[i], name);
		while (row < RESULTS - 1 && results[row].count > 0 && strcmp(results[row].name, name) != 0)
			row++;
		memcpy(results[row].name, name, sizeof name);
		results[row].count++;
	}
	for (size_t row = 0; row < RESULTS && results[row].count > 0; row++) {
		const struct metric_label labels[] = { { "result", results[row].name }, { 0 } };

		metric_count(metric, labels, results[row].count, text);
	}
}

static uint64_t count_state(const struct metric_facts *facts, enum run_state state)
{
	uint64_t count = 0;

	for (size_t i = 0; i < facts->history->run_count; i++)
		count += facts->history->runs[i].state == state;
	return count;
}

static void write_live(const struct metric *metric, const struct metric_facts *facts,
		       struct text *text)
{
	if (facts->is_store_up)
		metric_count(metric, NULL, count_state(facts, RUN_ALIVE), text);
}

static void write_leftovers(const struct metric *metric, const struct metric_facts *facts,
			    struct text *text)
{
	if (facts->is_store_up)
		metric_count(metric, NULL, facts->history->leftover_count, text);
}

static void write_last_run(const struct metric *metric, const struct metric_facts *facts,
			   struct text *text)
{
	if (facts->history->run_count > 0)
		metric_seconds(metric, NULL, facts->history->runs[0].row->anchor.wall_ns, text);
}

static const struct metric metrics[] = {
	{ "firedrill_build_info", "gauge", "The version that answers, as a label; always 1.", write_build },
	{ "firedrill_store_up", "gauge", "1 when the store could be read for this answer, else 0.",
	  write_store_up },
	{ "firedrill_runs", "gauge", "Runs in the store, by how they came out.", write_runs },
	{ "firedrill_runs_live", "gauge", "Runs under way.", write_live },
	{ "firedrill_leftovers", "gauge", "Faults that are not healed, of runs that are over.",
	  write_leftovers },
	{ "firedrill_last_run_timestamp_seconds", "gauge", "When the newest run began, since 1970.",
	  write_last_run },
};

const struct metric *metric_table(size_t *ret_count)
{
	*ret_count = sizeof metrics / sizeof metrics[0];
	return metrics;
}
