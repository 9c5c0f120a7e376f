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

	metric_line(metric, labels, 1, text);
}

static void write_store_up(const struct metric *metric, const struct metric_facts *facts,
			   struct text *text)
{
	metric_line(metric, NULL, facts->is_store_up, text);
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

		metric_line(metric, labels, (int64_t)results[row].count, text);
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
		metric_line(metric, NULL, (int64_t)count_state(facts, RUN_ALIVE), text);
}

static void write_leftovers(const struct metric *metric, const struct metric_facts *facts,
			    struct text *text)
{
	if (facts->is_store_up)
		metric_line(metric, NULL, (int64_t)facts->history->leftover_count, text);
}

static void write_last_run(const struct metric *metric, const struct metric_facts *facts,
			   struct text *text)
{
	if (facts->history->run_count > 0)
		metric_line(metric, NULL, facts->history->runs[0].began_wall_ns, text);
}

/* ---- drills, by service and scenario ---- */

static bool rto_low(const struct kpi_scenario *scenario, int64_t *ret_number)
{
	*ret_number = scenario->last->rto.low_ns;
	return scenario->last->rto_kind == MEASURED_SPAN;
}

static bool rto_high(const struct kpi_scenario *scenario, int64_t *ret_number)
{
	*ret_number = scenario->last->rto.high_ns;
	return scenario->last->rto_kind == MEASURED_SPAN;
}

static bool rto_target(const struct kpi_scenario *scenario, int64_t *ret_number)
{
	*ret_number = scenario->declared->rto_ns;
	return scenario->declared->has_rto;
}

static bool rpo_low(const struct kpi_scenario *scenario, int64_t *ret_number)
{
	*ret_number = scenario->last->rpo.low_ns;
	return scenario->last->is_rpo_known;
}

static bool rpo_high(const struct kpi_scenario *scenario, int64_t *ret_number)
{
	*ret_number = scenario->last->rpo.high_ns;
	return scenario->last->is_rpo_known;
}

static bool rpo_target(const struct kpi_scenario *scenario, int64_t *ret_number)
{
	*ret_number = scenario->declared->rpo_ns;
	return scenario->declared->has_rpo;
}

static bool lost_writes(const struct kpi_scenario *scenario, int64_t *ret_number)
{
	*ret_number = (int64_t)scenario->last->lost_count;
	return scenario->last->is_rpo_known;
}

static bool last_drill(const struct kpi_scenario *scenario, int64_t *ret_number)
{
	*ret_number = scenario->last->began_wall_ns;
	return true;
}

static bool last_proof(const struct kpi_scenario *scenario, int64_t *ret_number)
{
	*ret_number = scenario->proof == NULL ? 0 : scenario->proof->ended_wall_ns;
	return scenario->proof != NULL;
}

static bool is_failed(const struct kpi_scenario *scenario, int64_t *ret_number)
{
	*ret_number = scenario->state == KPI_FAILED;
	return true;
}

static bool is_stale(const struct kpi_scenario *scenario, int64_t *ret_number)
{
	*ret_number = scenario->state == KPI_STALE;
	return true;
}

static void write_drills(const struct metric *metric, const struct metric_facts *facts,
			 struct text *text)
{
	const struct kpi *kpi = &facts->history->kpi;

	for (size_t i = 0; i < kpi->service_count; i++) {
		const struct kpi_service *service = &kpi->services[i];
		const struct kpi_counts *counts = &service->sum.counts;
		const struct {
			const char *result;
			uint64_t count;
		} rows[] = {
			{ "met", counts->met_count },
			{ "missed", counts->missed_count },
			{ "inconclusive", counts->inconclusive_count },
			{ "left_unhealed", counts->unhealed_count },
			{ "stopped", counts->stopped_count },
			{ "broken_off", counts->broken_count },
		};

		for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
			const struct metric_label labels[METRIC_LABELS] = {
				{ "service", service->name },
				{ "environment", service->environment },
				{ "result", rows[row].result },
			};

			metric_line(metric, labels, (int64_t)rows[row].count, text);
		}
	}
}

static const struct metric metrics[] = {
	{ "firedrill_build_info", METRIC_COUNT, "The version that answers, as a label; always 1.",
	  .write = write_build },
	{ "firedrill_store_up", METRIC_COUNT, "1 when the store could be read for this answer, else 0.",
	  .write = write_store_up },
	{ "firedrill_runs", METRIC_COUNT, "Runs in the store, by how they came out.", .write = write_runs },
	{ "firedrill_runs_live", METRIC_COUNT, "Runs under way.", .write = write_live },
	{ "firedrill_leftovers", METRIC_COUNT, "Faults that are not healed, of runs that are over.",
	  .write = write_leftovers },
	{ "firedrill_last_run_timestamp_seconds", METRIC_SECONDS, "When the newest run began, since 1970.",
	  .write = write_last_run },
	{ "firedrill_drills", METRIC_COUNT, "Runs that harmed something, by service and how they came out.",
	  .write = write_drills },
	{ "firedrill_observed_rto_low_seconds", METRIC_SECONDS,
	  "Observed RTO of the last drill: at least so long.", .of_scenario = rto_low },
	{ "firedrill_observed_rto_high_seconds", METRIC_SECONDS,
	  "Observed RTO of the last drill: at most so long.", .of_scenario = rto_high },
	{ "firedrill_target_rto_seconds", METRIC_SECONDS, "The RTO that was promised in the last drill.",
	  .of_scenario = rto_target },
	{ "firedrill_observed_rpo_low_seconds", METRIC_SECONDS,
	  "Observed RPO of the last drill: at least so long.", .of_scenario = rpo_low },
	{ "firedrill_observed_rpo_high_seconds", METRIC_SECONDS,
	  "Observed RPO of the last drill: at most so long.", .of_scenario = rpo_high },
	{ "firedrill_target_rpo_seconds", METRIC_SECONDS, "The RPO that was promised in the last drill.",
	  .of_scenario = rpo_target },
	{ "firedrill_lost_writes", METRIC_COUNT, "Acknowledged writes that the last drill lost.", .of_scenario = lost_writes },
	{ "firedrill_last_drill_timestamp_seconds", METRIC_SECONDS, "When the last drill began, since 1970.",
	  .of_scenario = last_drill },
	{ "firedrill_last_proof_timestamp_seconds", METRIC_SECONDS,
	  "When the last drill that was met ended, since 1970.", .of_scenario = last_proof },
	{ "firedrill_scenario_failed", METRIC_COUNT,
	  "1 when the last drill that was met or missed was missed, else 0.", .of_scenario = is_failed },
	{ "firedrill_scenario_stale", METRIC_COUNT,
	  "1 when the last proof is older than firedrill kpi takes for good, else 0.", .of_scenario = is_stale },
};

const struct metric *metric_table(size_t *ret_count)
{
	*ret_count = sizeof metrics / sizeof metrics[0];
	return metrics;
}
