/*
 * suite_json.c - a suite for machines: docs/schema-suite.json has the shape. A change that breaks a
 * reader raises FORMAT_VERSION. It can be the baseline of a later suite, too.
 */
#include "reports/suite.h"

#include "reports/json_parts.h"

enum { FORMAT_VERSION = 1 };

static void put_outcome(struct json *object, const struct outcome *outcome)
{
	struct json *child = json_put_object(object, "outcome");

	json_put_text(child, "headline", words_headline(outcome));
	json_put_text(child, "verdict", verdict_name(outcome->verdict));
	json_put_int(child, "exit_code", outcome->exit_code);
	json_put_text(child, "sentence", outcome->sentence);
}

static void put_runs(struct json *row, const struct suite_drill *drill)
{
	struct json *rows = json_put_array(row, "runs");

	for (size_t i = 0; i < drill->trial_count; i++) {
		const struct trial *trial = &drill->trials[i];
		struct json *child = json_push_object(rows);
		struct json *rto;

		json_put_text(child, "run", trial->run_id);
		json_put_int(child, "exit_code", trial->outcome.exit_code);
		rto = json_put_object(child, "rto");
		json_put_text(rto, "kind", words_rto_kind(trial->rto_kind));
		json_put_bool(rto, "counts", trial->counts);
		if (trial->rto_kind != MEASURED_NOTHING)
			put_open_span(rto, trial->rto);
	}
}

static void put_summary(struct json *object, const char *key, const struct span_summary *summary)
{
	struct json *child = json_put_object(object, key);

	put_open_span(json_put_object(child, "min"), summary->min);
	put_open_span(json_put_object(child, "median"), summary->median);
	put_open_span(json_put_object(child, "max"), summary->max);
}

static void put_baseline(struct json *row, const struct suite *suite,
			 const struct suite_drill *drill)
{
	const struct suite_baseline *baseline = &drill->baseline;
	struct json *child;
	struct json *runs;

	if (suite->baseline == NULL || !baseline->is_there) {
		json_put_null(row, "baseline");
		return;
	}
	child = json_put_object(row, "baseline");
	json_put_text(child, "answer", slower_word(baseline->answer));
	json_put_text(child, "sentence", baseline->sentence);
	runs = json_put_array(child, "runs");
	for (size_t i = 0; i < baseline->run_count; i++)
		json_push_text(runs, baseline->run_ids[i]);
	json_put_int(child, "recoveries", (int64_t)baseline->own_count);
	put_summary(child, "before", &baseline->before);
	put_summary(child, "after", &baseline->after);
}

static void push_drill(struct json *rows, const struct suite *suite, size_t index)
{
	const struct suite_drill *drill = &suite->drills[index];
	struct json *row = json_push_object(rows);

	json_put_int(row, "number", (int64_t)index + 1);
	json_put_text(row, "path", drill->path);
	json_put_text(row, "title", drill->title);
	json_put_text(row, "service", drill->service);
	json_put_text(row, "id", drill->run_id);
	json_put_bool(row, "is_set", drill->is_set);
	json_put_bool(row, "is_begun", drill->is_begun);
	json_put_bool(row, "fails", suite_does_fail(suite, drill));
	json_put_text(row, "reports", drill->folder);
	put_wall(row, "started", drill->begun_wall_ns);
	json_put_int(row, "duration_ns", drill->took_ns);
	put_outcome(row, &drill->outcome);
	put_results(row, drill->objectives, drill->objective_count);
	put_runs(row, drill);
	put_baseline(row, suite, drill);
}

static void put_gate(struct json *root, const struct suite *suite)
{
	struct json *gate = json_put_object(root, "gate");
	struct json *reasons = json_put_array(gate, "fail_on");

	json_put_int(gate, "exit_code", suite->exit_code);
	json_put_text(gate, "meaning", suite_exit_meaning(suite->exit_code));
	for (unsigned bit = 1; bit <= SUITE_REGRESSION; bit <<= 1)
		if ((suite->fail_on & bit) != 0)
			json_push_text(reasons, suite_reason_word((enum suite_reason)bit));
	json_put_text(gate, "stopped", suite->stopped);
	json_put_text(gate, "baseline", suite->baseline);
	if (suite->budget_ns > 0)
		json_put_int(gate, "budget_ns", suite->budget_ns);
	else
		json_put_null(gate, "budget_ns");
}

static void put_counts(struct json *root, const struct suite *suite)
{
	struct json *counts = json_put_object(root, "counts");
	size_t slower_count = 0;

	for (size_t i = 0; i < suite->drill_count; i++)
		slower_count += suite_is_slower(suite, &suite->drills[i]) ? 1 : 0;
	json_put_int(counts, "experiments", (int64_t)suite->drill_count);
	json_put_int(counts, "met", (int64_t)suite_count(suite, EXIT_MET));
	json_put_int(counts, "missed", (int64_t)suite_count(suite, EXIT_MISSED));
	json_put_int(counts, "inconclusive", (int64_t)suite_count(suite, EXIT_INCONCLUSIVE));
	json_put_int(counts, "not_started", (int64_t)suite_count(suite, EXIT_NOT_STARTED));
	json_put_int(counts, "stopped", (int64_t)suite_count(suite, EXIT_STOPPED));
	json_put_int(counts, "left_unhealed", (int64_t)suite_count(suite, EXIT_LEFTOVER));
	json_put_int(counts, "broken_off", (int64_t)suite_count(suite, EXIT_INTERNAL));
	json_put_int(counts, "not_run", (int64_t)suite_count(suite, EXIT_NOT_RUN));
	json_put_int(counts, "slower", (int64_t)slower_count);
}

static void write_json(const struct suite *suite, const struct report_style *style,
		       struct text *ret_bytes)
{
	struct json *root = json_object();
	struct json *child;

	(void)style; /* the same bytes for everyone */

	json_put_text(root, "format", "firedrill suite");
	json_put_int(root, "format_version", FORMAT_VERSION);
	put_gate(root, suite);
	put_counts(root, suite);
	child = json_put_object(root, "suite");
	json_put_text(child, "id", suite->suite_id);
	json_put_text(child, "firedrill_version", suite->version);
	put_wall(child, "started", suite->begun_wall_ns);
	json_put_int(child, "duration_ns", suite->took_ns);
	json_put_text(child, "reports", suite->folder);
	child = json_put_array(root, "experiments");
	for (size_t i = 0; i < suite->drill_count; i++)
		push_drill(child, suite, i);
	json_print(root, true, ret_bytes);
	text_add(ret_bytes, "\n");
	json_release(root);
}

const struct suite_report_ops suite_report_json = {
	.name = "json",
	.file_name = "suite.json",
	.write = write_json,
};
