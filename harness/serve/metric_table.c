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

enum { RESULTS = RUN_EXITS + 2 }; /* two without an end */

struct result {
	char name[RESULT_BYTES];
	uint64_t count;
};

/* Several exit codes have one word. */
static void add_result(struct result *results, const struct history_run *run, uint64_t count)
{
	char name[RESULT_BYTES];
	size_t row = 0;

	if (count == 0)
		return;
	result_of(run, name);
	while (row < RESULTS - 1 && results[row].count > 0 && strcmp(results[row].name, name) != 0)
		row++;
	memcpy(results[row].name, name, sizeof name);
	results[row].count += count;
}

static void write_runs(const struct metric *metric, const struct metric_facts *facts,
		       struct text *text)
{
	struct result results[RESULTS] = { 0 };

	for (unsigned code = 0; code < RUN_EXITS; code++) {
		const struct history_run run = { .state = RUN_ENDED,
						 .exit_code = (enum run_exit)code };

		add_result(results, &run, facts->history->tally.ended_counts[code]);
	}
	for (size_t i = 0; i < facts->history->open_count; i++)
		add_result(results, &facts->history->open[i], 1);
	for (size_t row = 0; row < RESULTS && results[row].count > 0; row++) {
		const struct metric_label labels[] = { { "result", results[row].name }, { 0 } };

		metric_line(metric, labels, (int64_t)results[row].count, text);
	}
}

static uint64_t count_state(const struct metric_facts *facts, enum run_state state)
{
	uint64_t count = 0;

	for (size_t i = 0; i < facts->history->open_count; i++)
		count += facts->history->open[i].state == state;
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
	if (facts->history->recent_count > 0)
		metric_line(metric, NULL, facts->history->recent[0].began_wall_ns, text);
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

static bool is_last(const struct kpi_scenario *scenario, int64_t *ret_number)
{
	(void)scenario;
	*ret_number = 1;
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

/* ---- schedules and workers ---- */

static bool schedule_lag(const struct due_sum *sum, int64_t now_wall_ns, int64_t *ret_number)
{
	const int64_t since_ns = sum->oldest_waiting_wall_ns;

	*ret_number = since_ns == 0 || since_ns > now_wall_ns ? 0 : now_wall_ns - since_ns;
	return true;
}

static bool schedule_last_delay(const struct due_sum *sum, int64_t now_wall_ns, int64_t *ret_number)
{
	(void)now_wall_ns;
	*ret_number = sum->last_delay_ns;
	return sum->has_begun;
}

static bool schedule_last_due(const struct due_sum *sum, int64_t now_wall_ns, int64_t *ret_number)
{
	(void)now_wall_ns;
	*ret_number = sum->newest_due_wall_ns;
	return true;
}

static bool schedule_last_missed(const struct due_sum *sum, int64_t now_wall_ns, int64_t *ret_number)
{
	(void)now_wall_ns;
	*ret_number = sum->newest_missed_wall_ns;
	return sum->newest_missed_wall_ns != 0;
}

static void write_dues(const struct metric *metric, const struct metric_facts *facts,
		       struct text *text)
{
	const struct due_sums *sums = &facts->history->dues;

	for (size_t i = 0; i < sums->count; i++)
		for (enum due_state state = DUE_WAITS; state <= DUE_SKIPPED; state++) {
			const struct metric_label labels[] = {
				{ "schedule", sums->rows[i].schedule },
				{ "state", due_state_name(state) },
				{ 0 },
			};

			metric_line(metric, labels, (int64_t)sums->rows[i].counts[state], text);
		}
}

static void write_state(const struct metric *metric, const char *state, int64_t count,
			struct text *text)
{
	const struct metric_label labels[] = { { "state", state }, { 0 } };

	metric_line(metric, labels, count, text);
}

static void write_leases(const struct metric *metric, const struct metric_facts *facts,
			 struct text *text)
{
	if (!facts->is_store_up)
		return;
	write_state(metric, "valid", (int64_t)facts->history->dues.valid_count, text);
	write_state(metric, "expired", (int64_t)facts->history->dues.expired_count, text);
}

static void write_workers(const struct metric *metric, const struct metric_facts *facts,
			  struct text *text)
{
	if (facts->is_store_up)
		metric_line(metric, NULL, (int64_t)facts->history->dues.worker_count, text);
}

static void write_notifications(const struct metric *metric, const struct metric_facts *facts,
				struct text *text)
{
	if (facts->waiting_count >= 0)
		write_state(metric, "waiting", facts->waiting_count, text);
	if (facts->dead_count >= 0)
		write_state(metric, "dead", facts->dead_count, text);
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
	{ "firedrill_last_drill_info", METRIC_COUNT, "The run of the last drill, as a label; always 1.",
	  .of_scenario = is_last, .names_run = true },
	{ "firedrill_last_proof_timestamp_seconds", METRIC_SECONDS,
	  "When the last drill that was met ended, since 1970.", .of_scenario = last_proof },
	{ "firedrill_scenario_failed", METRIC_COUNT,
	  "1 when the last drill that was met or missed was missed, else 0.", .of_scenario = is_failed },
	{ "firedrill_scenario_stale", METRIC_COUNT,
	  "1 when the last proof is older than firedrill kpi takes for good, else 0.", .of_scenario = is_stale },
	{ "firedrill_dues", METRIC_COUNT, "Occurrences of schedules, by what became of them.",
	  .write = write_dues },
	{ "firedrill_schedule_lag_seconds", METRIC_SECONDS,
	  "So long the longest due occurrence has waited for a worker; 0 when none waits.",
	  .of_schedule = schedule_lag },
	{ "firedrill_schedule_last_delay_seconds", METRIC_SECONDS,
	  "Of the newest occurrence that has begun: from when it was due to the beginning of its run.",
	  .of_schedule = schedule_last_delay },
	{ "firedrill_schedule_last_due_timestamp_seconds", METRIC_SECONDS,
	  "When the newest occurrence was due, since 1970.", .of_schedule = schedule_last_due },
	{ "firedrill_schedule_last_missed_timestamp_seconds", METRIC_SECONDS,
	  "When the newest occurrence that was missed was due, since 1970.",
	  .of_schedule = schedule_last_missed },
	{ "firedrill_leases", METRIC_COUNT,
	  "Leases of workers on due runs; expired: the worker is gone, and nobody has taken over yet.",
	  .write = write_leases },
	{ "firedrill_workers", METRIC_COUNT, "Workers that have a due run now, and a lease that holds.",
	  .write = write_workers },
	{ "firedrill_notifications", METRIC_COUNT,
	  "Messages in the outbox: waiting, also for later, and dead: nobody will take them.",
	  .write = write_notifications },
};

const struct metric *metric_table(size_t *ret_count)
{
	*ret_count = sizeof metrics / sizeof metrics[0];
	return metrics;
}
