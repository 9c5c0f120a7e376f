/*
 * kpi_json.c - a history for machines: docs/schema-kpi.json has the shape. A change that breaks a reader
 * raises FORMAT_VERSION.
 */
#include "reports/kpi.h"

#include "reports/json_parts.h"
#include "reports/words.h"

enum { FORMAT_VERSION = 1 };

/* "" is what nobody has named. */
static void put_name(struct json *object, const char *key, const char *name)
{
	json_put_text(object, key, name == NULL || name[0] == '\0' ? NULL : name);
}

static void put_span(struct json *object, const char *key, struct span span, bool is_known)
{
	struct json *child;

	if (!is_known) {
		json_put_null(object, key);
		return;
	}
	child = json_put_object(object, key);
	json_put_int(child, "low_ns", span.low_ns);
	json_put_int(child, "high_ns", span.high_ns);
}

static void put_share(struct json *object, const char *key, const struct kpi_share *share,
		      bool has_bounds)
{
	struct json *child = json_put_object(object, key);

	json_put_int(child, "drills", (int64_t)share->drill_count);
	json_put_int(child, "met", (int64_t)share->met_count);
	json_put_int(child, "missed", (int64_t)share->missed_count);
	json_put_int(child, "open", (int64_t)share->open_count);
	if (!has_bounds)
		return;
	json_put_int(child, "low_ppm", share->low_ppm);
	json_put_int(child, "high_ppm", share->high_ppm);
}

static void put_counts(struct json *object, const struct kpi_counts *counts)
{
	struct json *child = json_put_object(object, "drills");

	json_put_int(child, "all", (int64_t)counts->drill_count);
	json_put_int(child, "met", (int64_t)counts->met_count);
	json_put_int(child, "missed", (int64_t)counts->missed_count);
	json_put_int(child, "inconclusive", (int64_t)counts->inconclusive_count);
	json_put_int(child, "unhealed", (int64_t)counts->unhealed_count);
	json_put_int(child, "stopped", (int64_t)counts->stopped_count);
	json_put_int(child, "broken_off", (int64_t)counts->broken_count);
}

static void put_recovery(struct json *object, const struct kpi_recovery *recovery)
{
	const bool is_measured = recovery->measured_count > 0;
	struct json *child = json_put_object(object, "recovery");

	json_put_int(child, "measured", (int64_t)recovery->measured_count);
	put_span(child, "mean", recovery->mean, is_measured);
	put_span(child, "best", recovery->best, is_measured);
	put_span(child, "worst", recovery->worst, is_measured);
	json_put_int(child, "no_outage", (int64_t)recovery->no_outage_count);
	json_put_int(child, "never_recovered", (int64_t)recovery->never_count);
	json_put_int(child, "never_down_ns", recovery->never_down_ns);
	json_put_int(child, "unknown", (int64_t)recovery->unknown_count);
	json_put_int(child, "unproven", (int64_t)recovery->unproven_count);
}

/* is_month: without bounds, and without what lasts until now. */
static void put_sum(struct json *object, const struct kpi_sum *sum, bool is_month)
{
	struct json *child;

	put_counts(object, &sum->counts);
	put_share(object, "success", &sum->success, !is_month);
	put_share(object, "rto", &sum->rto, !is_month);
	put_share(object, "rpo", &sum->rpo, !is_month);
	put_recovery(object, &sum->recovery);
	json_put_int(object, "lost_writes", (int64_t)sum->lost_count);
	if (is_month)
		return;
	child = json_put_object(object, "failed_runs");
	json_put_int(child, "count", (int64_t)sum->failed_count);
	json_put_int(child, "exposure_ns", sum->exposure_ns);
	if (sum->failed_count > 0)
		json_put_int(child, "between_ns", sum->between_failed_ns);
	else
		json_put_null(child, "between_ns");
}

static void put_service(const struct kpi *kpi, struct json *row, size_t service)
{
	put_name(row, "service", kpi->services[service].name);
	put_name(row, "environment", kpi->services[service].environment);
}

/* ---- rows ---- */

static void put_run(struct json *object, const char *key, const struct run_facts *run)
{
	struct json *child;

	if (run == NULL) {
		json_put_null(object, key);
		return;
	}
	child = json_put_object(object, key);
	json_put_text(child, "run", run->run_id);
	put_wall(child, "began", run->began_wall_ns);
	put_wall(child, "ended", run->ended_wall_ns);
	json_put_int(child, "exit_code", run->exit_code);
}

static void put_promise(struct json *row, const struct facts_subject *declared)
{
	if (declared != NULL && declared->has_rto)
		json_put_int(row, "declared_rto_ns", declared->rto_ns);
	else
		json_put_null(row, "declared_rto_ns");
	if (declared != NULL && declared->has_rpo)
		json_put_int(row, "declared_rpo_ns", declared->rpo_ns);
	else
		json_put_null(row, "declared_rpo_ns");
}

static void put_drift(struct json *row, const struct kpi_drift *drift)
{
	struct json *child = json_put_object(row, "drift");

	json_put_text(child, "trend", kpi_trend_name(drift->trend));
	json_put_int(child, "recent_drills", (int64_t)drift->recent_count);
	put_span(child, "recent", drift->recent, drift->recent_count > 0);
	json_put_int(child, "earlier_drills", (int64_t)drift->earlier_count);
	put_span(child, "earlier", drift->earlier, drift->earlier_count > 0);
	put_span(child, "change", drift->change, drift->earlier_count > 0);
	if (drift->used_low_ppm > drift->used_high_ppm) {
		json_put_null(child, "of_declared");
		return;
	}
	child = json_put_object(child, "of_declared");
	json_put_int(child, "low_ppm", drift->used_low_ppm);
	json_put_int(child, "high_ppm", drift->used_high_ppm);
}

static void put_scenarios(struct json *root, const struct kpi *kpi)
{
	struct json *rows = json_put_array(root, "scenarios");

	for (size_t i = 0; i < kpi->scenario_count; i++) {
		const struct kpi_scenario *scenario = &kpi->scenarios[i];
		struct json *row = json_push_object(rows);

		put_service(kpi, row, scenario->service);
		json_put_text(row, "scenario", scenario->name);
		json_put_text(row, "state", kpi_state_name(scenario->state));
		put_promise(row, scenario->declared);
		put_run(row, "proof", scenario->proof);
		if (scenario->proof == NULL)
			json_put_null(row, "since_proof_ns");
		else
			json_put_int(row, "since_proof_ns", scenario->since_proof_ns);
		put_run(row, "last", scenario->last);
		put_sum(row, &scenario->sum, false);
		put_drift(row, &scenario->drift);
	}
}

static void put_services(struct json *root, const struct kpi *kpi)
{
	struct json *rows = json_put_array(root, "services");

	for (size_t i = 0; i < kpi->service_count; i++) {
		struct json *row = json_push_object(rows);

		put_service(kpi, row, i);
		put_sum(row, &kpi->services[i].sum, false);
	}
	rows = json_put_array(root, "months");
	for (size_t i = 0; i < kpi->month_count; i++) {
		struct json *row = json_push_object(rows);

		put_service(kpi, row, kpi->months[i].service);
		json_put_text(row, "month", kpi->months[i].month);
		put_sum(row, &kpi->months[i].sum, true);
	}
}

/* For each service the state of every scenario, in the order of their names. */
static void put_coverage(struct json *root, const struct kpi *kpi)
{
	struct json *coverage = json_put_object(root, "coverage");
	struct json *names = json_put_array(coverage, "scenarios");
	struct json *rows = json_put_array(coverage, "services");

	for (size_t i = 0; i < kpi->name_count; i++)
		json_push_text(names, kpi->names[i]);
	for (size_t i = 0; i < kpi->service_count; i++) {
		struct json *row = json_push_object(rows);
		struct json *states;

		put_service(kpi, row, i);
		states = json_put_array(row, "states");
		for (size_t j = 0; j < kpi->name_count; j++) {
			const struct kpi_scenario *cell = kpi->cells[i * kpi->name_count + j];

			json_push_text(states,
				       kpi_state_name(cell == NULL ? KPI_NEVER : cell->state));
		}
	}
}

static void put_flaky(struct json *root, const struct kpi *kpi)
{
	struct json *rows = json_put_array(root, "flaky");

	for (size_t i = 0; i < kpi->flaky_count; i++) {
		const struct kpi_flaky *flaky = &kpi->flaky[i];
		struct json *row = json_push_object(rows);

		put_service(kpi, row, flaky->service);
		json_put_text(row, "scenario", flaky->subject->scenario);
		json_put_text(row, "title", flaky->subject->title);
		json_put_text(row, "experiment", flaky->subject->experiment);
		json_put_text(row, "inventory", flaky->subject->inventory);
		json_put_int(row, "decided", (int64_t)flaky->decided_count);
		json_put_int(row, "met", (int64_t)flaky->met_count);
		json_put_int(row, "changes", (int64_t)flaky->flip_count);
		put_run(row, "last_change", flaky->last_flip);
	}
}

static void put_trend(struct json *root, const struct kpi *kpi)
{
	struct json *rows = json_put_array(root, "trend");

	for (size_t i = 0; i < kpi->point_count; i++) {
		const struct run_facts *run = kpi->points[i].run;
		const struct facts_subject *subject = &kpi->subjects[run->subject];
		struct json *row = json_push_object(rows);

		put_service(kpi, row, kpi->points[i].service);
		json_put_text(row, "scenario", subject->scenario);
		put_promise(row, subject);
		put_run(row, "run", run);
		json_put_text(row, "rto_kind", words_rto_kind(run->rto_kind));
		put_span(row, "rto", run->rto, run->rto_kind == MEASURED_SPAN);
		json_put_text(row, "rto_verdict", verdict_name(run->rto_verdict));
		put_span(row, "rpo", run->rpo, run->is_rpo_known);
		json_put_int(row, "lost_writes", (int64_t)run->lost_count);
		json_put_text(row, "rpo_verdict", verdict_name(run->rpo_verdict));
	}
}

void kpi_json_write(const struct kpi *kpi, bool has_trend, struct text *ret_bytes)
{
	struct json *root = json_object();
	struct json *child;

	json_put_text(root, "format", "firedrill kpi");
	json_put_int(root, "format_version", FORMAT_VERSION);
	put_wall(root, "now", kpi->now_wall_ns);
	if (kpi->since_wall_ns > 0)
		put_wall(root, "since", kpi->since_wall_ns);
	else
		json_put_null(root, "since");
	json_put_text(root, "zone", kpi->zone);
	json_put_text(root, "only_service", kpi->service);
	json_put_text(root, "only_environment", kpi->environment);
	json_put_int(root, "stale_after_ns", kpi->stale_after_ns);
	json_put_int(root, "confidence_ppm", kpi->confidence_ppm);
	child = json_put_object(root, "runs");
	json_put_int(child, "all", (int64_t)kpi->run_count);
	json_put_int(child, "not_started", (int64_t)kpi->not_started_count);
	json_put_int(child, "harmless", (int64_t)kpi->harmless_count);
	json_put_int(child, "without_facts", (int64_t)kpi->missing_count);
	put_sum(json_put_object(root, "sum"), &kpi->sum, false);
	put_services(root, kpi);
	put_scenarios(root, kpi);
	put_coverage(root, kpi);
	put_flaky(root, kpi);
	if (has_trend)
		put_trend(root, kpi);
	json_print(root, true, ret_bytes);
	text_add(ret_bytes, "\n");
	json_release(root);
}
