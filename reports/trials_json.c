/*
 * trials_json.c - a set of trials for machines: docs/schema-trials.json has the shape. A change that
 * breaks a reader raises FORMAT_VERSION. Each trial's own report has everything else.
 */
#include "reports/trials.h"

#include "reports/json_parts.h"

enum { FORMAT_VERSION = 1 };

static void put_outcome(struct json *object, const struct outcome *outcome)
{
	struct json *child = json_put_object(object, "outcome");

	json_put_text(child, "headline", words_headline(outcome));
	json_put_text(child, "verdict", verdict_name(outcome->verdict));
	json_put_int(child, "exit_code", outcome->exit_code);
	json_put_text(child, "meaning", run_exit_meaning(outcome->exit_code));
	json_put_text(child, "sentence", outcome->sentence);
}

static void put_rto(struct json *root, const struct trial_set *set)
{
	struct trials_quantile quantiles[TRIALS_QUANTILES];
	struct json *rto = json_put_object(root, "rto");

	json_put_int(rto, "trials", (int64_t)set->ranked_count);
	json_put_int(rto, "no_outage", (int64_t)set->no_outage_count);
	json_put_int(rto, "never_recovered", (int64_t)set->never_count);
	trials_quantiles(set, quantiles);
	for (size_t i = 0; i < TRIALS_QUANTILES; i++)
		if (set->ranked_count == 0)
			json_put_null(rto, quantiles[i].key);
		else
			put_open_span(json_put_object(rto, quantiles[i].key), quantiles[i].span);
}

static void put_share(struct json *root, const struct trial_set *set)
{
	const struct trial_share *share = &set->share;
	struct json *child;

	if (share->trial_count == 0) {
		json_put_null(root, "share");
		return;
	}
	child = json_put_object(root, "share");
	json_put_int(child, "trials", (int64_t)share->trial_count);
	json_put_int(child, "met", (int64_t)share->met_count);
	json_put_int(child, "missed", (int64_t)share->missed_count);
	json_put_int(child, "inconclusive", (int64_t)share->inconclusive_count);
	json_put_int(child, "target_ns", set->promised.rto_ns);
	json_put_int(child, "confidence_ppm", set->promised.rto_confidence_ppm);
	json_put_int(child, "low_ppm", share->low_ppm);
	json_put_int(child, "high_ppm", share->high_ppm);
	if (set->promised.has_rto_share)
		json_put_int(child, "asked_ppm", set->promised.rto_share_ppm);
	else
		json_put_null(child, "asked_ppm");
}

static void push_trial(struct json *rows, const struct trial *trial)
{
	struct json *row = json_push_object(rows);
	struct json *rto;

	json_put_int(row, "number", trial->number);
	json_put_text(row, "run", trial->run_id);
	json_put_int(row, "seed", (int64_t)trial->seed);
	put_wall(row, "started", trial->begun_wall_ns);
	json_put_int(row, "duration_ns", trial->took_ns);
	put_outcome(row, &trial->outcome);
	rto = json_put_object(row, "rto");
	json_put_text(rto, "kind", words_rto_kind(trial->rto_kind));
	if (trial->rto_kind == MEASURED_SPAN)
		put_open_span(rto, trial->rto);
	else if (trial->rto_kind == MEASURED_NEVER_RECOVERED)
		json_put_int(rto, "low_ns", trial->rto.low_ns);
	json_put_text(row, "rto_verdict", verdict_name(trials_rto_verdict(trial)));
}

TRIALS_WRITER(json)
{
	struct json *root = json_object();
	struct json *child;

	(void)style; /* the same bytes for everyone */
	(void)e;     /* nothing here can fail */

	json_put_text(root, "format", "firedrill trials");
	json_put_int(root, "format_version", FORMAT_VERSION);
	put_outcome(root, &set->outcome);
	put_results(root, set->objectives, set->objective_count);
	put_rto(root, set);
	put_share(root, set);
	child = json_put_object(root, "set");
	json_put_text(child, "id", set->set_id);
	json_put_text(child, "title", set->title);
	json_put_text(child, "hypothesis", set->hypothesis);
	json_put_text(child, "service", set->service);
	json_put_text(child, "firedrill_version", set->version);
	json_put_int(child, "seed", (int64_t)set->seed);
	json_put_int(child, "planned", set->planned_count);
	json_put_bool(child, "is_ended", set->is_ended);
	json_put_text(child, "stopped", set->stopped);
	put_wall(child, "started", set->begun_wall_ns);
	put_wall(child, "ended", set->ended_wall_ns);
	child = json_put_array(root, "trials");
	for (size_t i = 0; i < set->trial_count; i++)
		push_trial(child, &set->trials[i]);
	json_print(root, true, ret_bytes);
	text_add(ret_bytes, "\n");
	json_release(root);
	return true;
}
