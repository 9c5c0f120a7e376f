/*
 * kpi_sum.c - see kpi_sum.h. What is exact stays exact: whole numbers, and each rounding goes outwards.
 */
#include "engine/kpi_sum.h"

#include <assert.h>
#include <math.h>

#include "base/clock.h"
#include "engine/statistics.h"

enum { PPM = 1000000 };

/* ---- which runs ---- */

bool kpi_is_drill(const struct facts_subject *subject, const struct run_facts *run)
{
	if (subject->scenario[0] == '\0')
		return false;
	switch (run->exit_code) {
	case EXIT_MET:
	case EXIT_MISSED:
	case EXIT_INCONCLUSIVE:
	case EXIT_LEFTOVER:
		return true;
	case EXIT_STOPPED:
	case EXIT_INTERNAL:
		return run->has_harmed;
	case EXIT_NOT_RUN:
	case EXIT_NOT_STARTED:
		break;
	}
	return false;
}

/* It came to its end, and everything was healed: else what it saw was not the service's own doing. */
static bool is_whole(const struct run_facts *run)
{
	return run->exit_code == EXIT_MET || run->exit_code == EXIT_MISSED ||
	       run->exit_code == EXIT_INCONCLUSIVE;
}

bool kpi_is_measured(const struct run_facts *run)
{
	return is_whole(run) && run->rto_kind == MEASURED_SPAN;
}

/* ---- durations ---- */

static void add_duration(struct duration_sum *sum, int64_t ns)
{
	assert(ns >= 0);

	sum->whole_s += ns / NS_PER_S;
	sum->rest_ns += ns % NS_PER_S;
}

static int64_t mean_of(const struct duration_sum *sum, uint64_t count, bool is_up)
{
	const int64_t n = (int64_t)count;
	const int64_t mean_s = sum->whole_s / n;
	const int64_t left_ns = sum->whole_s % n * NS_PER_S + sum->rest_ns;

	return mean_s * NS_PER_S + left_ns / n + (is_up && left_ns % n != 0);
}

struct span kpi_mean(const struct span *spans, size_t count)
{
	struct duration_sum lows = { 0, 0 };
	struct duration_sum highs = { 0, 0 };

	assert(count > 0);

	for (size_t i = 0; i < count; i++) {
		add_duration(&lows, spans[i].low_ns);
		add_duration(&highs, spans[i].high_ns);
	}
	return (struct span){ mean_of(&lows, count, false), mean_of(&highs, count, true) };
}

/* ---- adding up ---- */

static void count_end(struct kpi_counts *counts, enum run_exit exit_code)
{
	counts->drill_count++;
	switch (exit_code) {
	case EXIT_MET:
		counts->met_count++;
		break;
	case EXIT_MISSED:
		counts->missed_count++;
		break;
	case EXIT_INCONCLUSIVE:
		counts->inconclusive_count++;
		break;
	case EXIT_LEFTOVER:
		counts->unhealed_count++;
		break;
	case EXIT_STOPPED:
		counts->stopped_count++;
		break;
	case EXIT_NOT_RUN:
	case EXIT_NOT_STARTED:
	case EXIT_INTERNAL:
		counts->broken_count++;
		break;
	}
}

/* A miss that was seen stays one; a run that was cut short proves nothing else. */
static void count_objective(struct kpi_share *share, const struct run_facts *run,
			    enum verdict verdict)
{
	share->drill_count++;
	if (verdict == VERDICT_MISSED)
		share->missed_count++;
	else if (verdict == VERDICT_MET && is_whole(run))
		share->met_count++;
	else
		share->open_count++;
}

static void add_measured(struct kpi_gather *gather, struct span rto)
{
	struct kpi_recovery *recovery = &gather->sum.recovery;
	const bool is_first = recovery->measured_count == 0;

	recovery->measured_count++;
	add_duration(&gather->lows, rto.low_ns);
	add_duration(&gather->highs, rto.high_ns);
	/* Order statistics of spans: the least one lies between the least low and the least high. */
	if (is_first || rto.low_ns < recovery->best.low_ns)
		recovery->best.low_ns = rto.low_ns;
	if (is_first || rto.high_ns < recovery->best.high_ns)
		recovery->best.high_ns = rto.high_ns;
	if (rto.low_ns > recovery->worst.low_ns)
		recovery->worst.low_ns = rto.low_ns;
	if (rto.high_ns > recovery->worst.high_ns)
		recovery->worst.high_ns = rto.high_ns;
}

static void add_recovery(struct kpi_gather *gather, const struct run_facts *run)
{
	struct kpi_recovery *recovery = &gather->sum.recovery;

	if (!is_whole(run)) {
		recovery->unproven_count++;
		return;
	}
	switch (run->rto_kind) {
	case MEASURED_SPAN:
		add_measured(gather, run->rto);
		break;
	case MEASURED_NO_OUTAGE:
		recovery->no_outage_count++;
		break;
	case MEASURED_NEVER_RECOVERED:
		recovery->never_count++;
		if (run->rto.low_ns > recovery->never_down_ns)
			recovery->never_down_ns = run->rto.low_ns;
		break;
	case MEASURED_NOTHING:
		recovery->unknown_count++;
		break;
	}
}

void kpi_gather_add(struct kpi_gather *gather, const struct facts_subject *subject,
		    const struct run_facts *run)
{
	struct kpi_sum *sum = &gather->sum;

	if (sum->counts.drill_count == 0)
		gather->first_wall_ns = run->began_wall_ns;
	count_end(&sum->counts, run->exit_code);
	if (subject->has_rto)
		count_objective(&sum->rto, run, run->rto_verdict);
	if (subject->has_rpo)
		count_objective(&sum->rpo, run, run->rpo_verdict);
	add_recovery(gather, run);
	if (run->is_rpo_known)
		sum->lost_count += run->lost_count;
}

/* ---- what it comes to ---- */

static void bound(struct kpi_share *share, int64_t confidence_ppm)
{
	const double confidence = (double)confidence_ppm / PPM;

	share->low_ppm = (int64_t)floor(
		PPM * statistics_share_low(share->met_count, share->drill_count, confidence));
	share->high_ppm = (int64_t)ceil(
		PPM * statistics_share_high(share->met_count + share->open_count,
					    share->drill_count, confidence));
}

static void finish_share(struct kpi_share *share, int64_t confidence_ppm, bool has_bounds)
{
	share->low_ppm = 0;
	share->high_ppm = PPM;
	if (has_bounds && share->drill_count > 0)
		bound(share, confidence_ppm);
}

void kpi_gather_finish(struct kpi_gather *gather, int64_t now_wall_ns, int64_t confidence_ppm,
		       bool has_bounds)
{
	struct kpi_sum *sum = &gather->sum;
	const struct kpi_counts *counts = &sum->counts;

	sum->failed_count = counts->missed_count + counts->unhealed_count + counts->stopped_count;
	sum->success = (struct kpi_share){
		.drill_count = counts->drill_count,
		.met_count = counts->met_count,
		.missed_count = sum->failed_count,
		.open_count = counts->inconclusive_count + counts->broken_count,
	};
	finish_share(&sum->success, confidence_ppm, has_bounds);
	finish_share(&sum->rto, confidence_ppm, has_bounds);
	finish_share(&sum->rpo, confidence_ppm, has_bounds);
	if (sum->recovery.measured_count > 0)
		sum->recovery.mean = (struct span){
			mean_of(&gather->lows, sum->recovery.measured_count, false),
			mean_of(&gather->highs, sum->recovery.measured_count, true),
		};
	if (counts->drill_count > 0 && now_wall_ns > gather->first_wall_ns)
		sum->exposure_ns = now_wall_ns - gather->first_wall_ns;
	if (sum->failed_count > 0)
		sum->between_failed_ns = sum->exposure_ns / (int64_t)sum->failed_count;
}
