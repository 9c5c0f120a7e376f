/*
 * kpi_csv.c - a history for spreadsheets: one table at a time, whole numbers in nanoseconds and parts per
 * million, an empty cell for what is not known. Fields are quoted as RFC 4180 has it.
 */
#include "reports/kpi.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "reports/words.h"

/* ---- cells; each ends with its comma ---- */

/* A program that opens the file may take =, +, - or @ at the beginning for a formula. */
static void add_text(struct text *text, const char *raw)
{
	text_add(text, "\"");
	if (raw[0] != '\0' && strchr("=+-@\t\r", raw[0]) != NULL)
		text_add(text, "'");
	for (const char *at = raw; *at != '\0'; at++) {
		if (*at == '"')
			text_add(text, "\"");
		text_add_bytes(text, at, 1);
	}
	text_add(text, "\",");
}

static void add_count(struct text *text, uint64_t count)
{
	text_addf(text, "%" PRIu64 ",", count);
}

static void add_ns(struct text *text, int64_t ns, bool is_known)
{
	if (is_known)
		text_addf(text, "%" PRId64, ns);
	text_add(text, ",");
}

static void add_span(struct text *text, struct span span, bool is_known)
{
	add_ns(text, span.low_ns, is_known);
	add_ns(text, span.high_ns, is_known);
}

static void add_wall(struct text *text, int64_t wall_ns, bool is_known)
{
	char iso[32];

	if (is_known) {
		clock_format_wall(wall_ns, iso, sizeof iso);
		text_add(text, iso);
	}
	text_add(text, ",");
}

static void add_service(struct text *text, const struct kpi *kpi, size_t service)
{
	add_text(text, kpi->services[service].name);
	add_text(text, kpi->services[service].environment);
}

static void end_row(struct text *text)
{
	text->owned_bytes[text->length_bytes - 1] = '\n'; /* where the last comma was */
}

/* ---- what many rows share ---- */

#define SUM_HEADING                                                                           \
	"drills,met,missed,inconclusive,unhealed,stopped,broken_off,rto_drills,rto_met,rto_missed," \
	"rpo_drills,rpo_met,rpo_missed,lost_writes,rto_measured,rto_mean_low_ns,rto_mean_high_ns,"  \
	"rto_best_low_ns,rto_best_high_ns,rto_worst_low_ns,rto_worst_high_ns,no_outage,"           \
	"never_recovered,unknown,unproven"

static void add_sum(struct text *text, const struct kpi_sum *sum)
{
	const struct kpi_recovery *recovery = &sum->recovery;
	const uint64_t counts[] = {
		sum->counts.drill_count,  sum->counts.met_count,	    sum->counts.missed_count,
		sum->counts.inconclusive_count, sum->counts.unhealed_count, sum->counts.stopped_count,
		sum->counts.broken_count, sum->rto.drill_count,	    sum->rto.met_count,
		sum->rto.missed_count,	  sum->rpo.drill_count,	    sum->rpo.met_count,
		sum->rpo.missed_count,	  sum->lost_count,	    recovery->measured_count,
	};
	const bool is_measured = recovery->measured_count > 0;

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		add_count(text, counts[i]);
	add_span(text, recovery->mean, is_measured);
	add_span(text, recovery->best, is_measured);
	add_span(text, recovery->worst, is_measured);
	add_count(text, recovery->no_outage_count);
	add_count(text, recovery->never_count);
	add_count(text, recovery->unknown_count);
	add_count(text, recovery->unproven_count);
}

#define BOUNDS_HEADING \
	"success_low_ppm,success_high_ppm,rto_low_ppm,rto_high_ppm,rpo_low_ppm,rpo_high_ppm," \
	"failed_runs,exposure_ns,between_failed_ns"

static void add_bounds(struct text *text, const struct kpi_sum *sum)
{
	const struct kpi_share *const shares[] = { &sum->success, &sum->rto, &sum->rpo };

	for (size_t i = 0; i < 3; i++) {
		add_ns(text, shares[i]->low_ppm, shares[i]->drill_count > 0);
		add_ns(text, shares[i]->high_ppm, shares[i]->drill_count > 0);
	}
	add_count(text, sum->failed_count);
	add_ns(text, sum->exposure_ns, true);
	add_ns(text, sum->between_failed_ns, sum->failed_count > 0);
}

/* ---- tables ---- */

static void write_services(const struct kpi *kpi, struct text *text)
{
	text_add(text, "service,environment," SUM_HEADING "," BOUNDS_HEADING "\n");
	for (size_t i = 0; i < kpi->service_count; i++) {
		add_service(text, kpi, i);
		add_sum(text, &kpi->services[i].sum);
		add_bounds(text, &kpi->services[i].sum);
		end_row(text);
	}
}

static void write_months(const struct kpi *kpi, struct text *text)
{
	text_add(text, "service,environment,month," SUM_HEADING "\n");
	for (size_t i = 0; i < kpi->month_count; i++) {
		add_service(text, kpi, kpi->months[i].service);
		add_text(text, kpi->months[i].month);
		add_sum(text, &kpi->months[i].sum);
		end_row(text);
	}
}

static void write_scenarios(const struct kpi *kpi, struct text *text)
{
	text_add(text, "service,environment,scenario,state,declared_rto_ns,declared_rpo_ns,last_proof,"
		       "last_proof_run,since_proof_ns,trend,recent_low_ns,recent_high_ns,"
		       "earlier_low_ns,earlier_high_ns," SUM_HEADING "," BOUNDS_HEADING "\n");
	for (size_t i = 0; i < kpi->scenario_count; i++) {
		const struct kpi_scenario *row = &kpi->scenarios[i];
		const struct facts_subject *declared = row->declared;
		const struct run_facts *proof = row->proof;

		add_service(text, kpi, row->service);
		add_text(text, row->name);
		add_text(text, kpi_state_name(row->state));
		add_ns(text, declared == NULL ? 0 : declared->rto_ns,
		       declared != NULL && declared->has_rto);
		add_ns(text, declared == NULL ? 0 : declared->rpo_ns,
		       declared != NULL && declared->has_rpo);
		add_wall(text, proof == NULL ? 0 : proof->ended_wall_ns, proof != NULL);
		add_text(text, proof == NULL ? "" : proof->run_id);
		add_ns(text, row->since_proof_ns, proof != NULL);
		add_text(text, kpi_trend_name(row->drift.trend));
		add_span(text, row->drift.recent, row->drift.recent_count > 0);
		add_span(text, row->drift.earlier, row->drift.earlier_count > 0);
		add_sum(text, &row->sum);
		add_bounds(text, &row->sum);
		end_row(text);
	}
}

static void write_flaky(const struct kpi *kpi, struct text *text)
{
	text_add(text, "service,environment,scenario,title,experiment,inventory,decided,met,changes,"
		       "last_change_run\n");
	for (size_t i = 0; i < kpi->flaky_count; i++) {
		const struct kpi_flaky *row = &kpi->flaky[i];

		add_service(text, kpi, row->service);
		add_text(text, row->subject->scenario);
		add_text(text, row->subject->title);
		add_text(text, row->subject->experiment);
		add_text(text, row->subject->inventory);
		add_count(text, row->decided_count);
		add_count(text, row->met_count);
		add_count(text, row->flip_count);
		add_text(text, row->last_flip->run_id);
		end_row(text);
	}
}

static void write_trend(const struct kpi *kpi, struct text *text)
{
	text_add(text, "service,environment,scenario,run,began,exit_code,declared_rto_ns,rto_kind,"
		       "rto_low_ns,rto_high_ns,rto_verdict,declared_rpo_ns,rpo_low_ns,rpo_high_ns,"
		       "lost_writes,rpo_verdict\n");
	for (size_t i = 0; i < kpi->point_count; i++) {
		const struct run_facts *run = kpi->points[i].run;
		const struct facts_subject *subject = &kpi->subjects[run->subject];

		add_service(text, kpi, kpi->points[i].service);
		add_text(text, subject->scenario);
		add_text(text, run->run_id);
		add_wall(text, run->began_wall_ns, true);
		add_count(text, run->exit_code);
		add_ns(text, subject->rto_ns, subject->has_rto);
		add_text(text, words_rto_kind(run->rto_kind));
		add_span(text, run->rto, run->rto_kind == MEASURED_SPAN);
		add_text(text, verdict_name(run->rto_verdict));
		add_ns(text, subject->rpo_ns, subject->has_rpo);
		add_span(text, run->rpo, run->is_rpo_known);
		add_ns(text, (int64_t)run->lost_count, run->is_rpo_known);
		add_text(text, verdict_name(run->rpo_verdict));
		end_row(text);
	}
}

static const struct kpi_table tables[] = {
	{ "scenarios", "each service under each scenario: what is proven", write_scenarios },
	{ "services", "each service", write_services },
	{ "months", "each month of each service", write_months },
	{ "flaky", "experiments whose verdict changes again and again", write_flaky },
	{ "trend", "each drill with what it took", write_trend },
};

const struct kpi_table *kpi_tables(size_t *ret_count)
{
	*ret_count = sizeof tables / sizeof tables[0];
	return tables;
}

const struct kpi_table *kpi_table_find(const char *name)
{
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		if (strcmp(tables[i].name, name) == 0)
			return &tables[i];
	return NULL;
}
