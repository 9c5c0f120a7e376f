/*
 * suite_junit.c - a suite for CI servers: a test suite for each experiment, with a test case for the
 * run and one for each objective.
 *
 * As in the report of one run: met passes, missed is a failure, inconclusive is an error. Whatever
 * left no verdict is an error of the case "run", so that a server which only looks at this file never
 * shows it green. --fail-on changes nothing here: the exit code is the gate, this is what was seen.
 */
#include "reports/suite.h"

#include <string.h>

#include "reports/escape.h"
#include "reports/xml.h"

struct suite_totals {
	size_t test_count;
	size_t failure_count;
	size_t error_count;
	size_t skipped_count;
};

enum case_result { CASE_PASSED = 1, CASE_FAILURE, CASE_ERROR, CASE_SKIPPED };

static enum case_result result_of_run(enum run_exit code)
{
	switch (code) {
	case EXIT_MET:
	case EXIT_MISSED:
	case EXIT_INCONCLUSIVE:
		return CASE_PASSED;
	case EXIT_LEFTOVER:
		return CASE_FAILURE;
	case EXIT_NOT_RUN:
	case EXIT_NOT_STARTED:
	case EXIT_STOPPED:
	case EXIT_INTERNAL:
		break;
	}
	return CASE_ERROR;
}

static enum case_result result_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_MET:
		return CASE_PASSED;
	case VERDICT_MISSED:
		return CASE_FAILURE;
	case VERDICT_INCONCLUSIVE:
		return CASE_ERROR;
	case VERDICT_NONE:
		break;
	}
	return CASE_SKIPPED;
}

/* Slower than the baseline: told as what it is when the gate was asked to fail on it. */
static enum case_result result_of_baseline(const struct suite *suite,
					   const struct suite_drill *drill)
{
	if (!drill->baseline.is_there)
		return CASE_SKIPPED;
	return suite_is_slower(suite, drill) && (suite->fail_on & SUITE_REGRESSION) != 0 ?
		       CASE_FAILURE :
		       CASE_PASSED;
}

static void count(struct suite_totals *totals, enum case_result result)
{
	totals->test_count++;
	totals->failure_count += result == CASE_FAILURE ? 1 : 0;
	totals->error_count += result == CASE_ERROR ? 1 : 0;
	totals->skipped_count += result == CASE_SKIPPED ? 1 : 0;
}

static void count_drill(const struct suite *suite, const struct suite_drill *drill,
			struct suite_totals *totals)
{
	count(totals, result_of_run(drill->outcome.exit_code));
	for (size_t i = 0; i < drill->objective_count; i++)
		count(totals, result_of(drill->objectives[i].verdict));
	if (suite->baseline != NULL)
		count(totals, result_of_baseline(suite, drill));
}

static void add_totals(struct text *text, const struct suite_totals *totals, int64_t took_ns)
{
	text_addf(text, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\"", totals->test_count,
		  totals->failure_count, totals->error_count);
	xml_add_seconds(text, "time", took_ns);
}

struct suite_case {
	const char *class_name;
	const char *name;
	enum case_result result;
	int64_t took_ns;
	const char *message;
	const char *type;
	const char *detail;
};

static void add_case(struct text *text, const struct suite_case *row)
{
	static const char *const tags[] = {
		[CASE_FAILURE] = "failure", [CASE_ERROR] = "error", [CASE_SKIPPED] = "skipped",
	};

	text_add(text, "    <testcase");
	xml_add_attribute(text, "classname", row->class_name);
	xml_add_attribute(text, "name", row->name);
	xml_add_seconds(text, "time", row->took_ns);
	if (row->result == CASE_PASSED) {
		text_add(text, ">\n      <system-out>");
		escape_markup(text, row->detail);
		text_add(text, "</system-out>\n    </testcase>\n");
		return;
	}
	text_addf(text, ">\n      <%s", tags[row->result]);
	xml_add_attribute(text, "message", row->message);
	if (row->result == CASE_SKIPPED) {
		text_add(text, "/>\n    </testcase>\n");
		return;
	}
	xml_add_attribute(text, "type", row->type);
	text_add(text, ">");
	escape_markup(text, row->detail);
	text_addf(text, "</%s>\n    </testcase>\n", tags[row->result]);
}

/* Of rto: the longest recovery, at its upper end; 0 when it has none. */
static int64_t time_of(const struct suite_drill *drill, const struct objective_result *objective)
{
	int64_t longest_ns = 0;

	for (size_t i = 0; strcmp(objective->name, "rto") == 0 && i < drill->trial_count; i++) {
		const struct trial *trial = &drill->trials[i];

		if (trial->rto_kind == MEASURED_SPAN && trial->rto.high_ns > longest_ns)
			longest_ns = trial->rto.high_ns;
	}
	return longest_ns;
}

static void add_objective(struct text *text, const char *class_name,
			  const struct suite_drill *drill,
			  const struct objective_result *objective)
{
	struct text detail = { 0 };

	text_addf(&detail, "target: %s\nobserved: %s\n",
		  objective->target == NULL ? "" : objective->target,
		  objective->observed == NULL ? "" : objective->observed);
	if (objective->advice != NULL)
		text_addf(&detail, "what would settle it: %s\n", objective->advice);

	const struct suite_case row = {
		.class_name = class_name,
		.name = objective->name,
		.result = result_of(objective->verdict),
		.took_ns = time_of(drill, objective),
		.message = objective->reason,
		.type = verdict_name(objective->verdict),
		.detail = text_str(&detail),
	};

	add_case(text, &row);
	text_release(&detail);
}

static void add_run(struct text *text, const struct suite_drill *drill, const char *class_name)
{
	const struct suite_case row = {
		.class_name = class_name,
		.name = "run",
		.result = result_of_run(drill->outcome.exit_code),
		.took_ns = drill->took_ns,
		.message = drill->outcome.sentence,
		.type = words_headline(&drill->outcome),
		.detail = drill->outcome.sentence,
	};

	add_case(text, &row);
}

static void add_baseline(struct text *text, const struct suite *suite,
			 const struct suite_drill *drill, const char *class_name)
{
	const struct suite_case row = {
		.class_name = class_name,
		.name = "baseline",
		.result = result_of_baseline(suite, drill),
		.message = drill->baseline.sentence,
		.type = slower_word(drill->baseline.answer),
		.detail = drill->baseline.sentence,
	};

	if (suite->baseline != NULL)
		add_case(text, &row);
}

static void add_properties(struct text *text, const struct suite *suite,
			   const struct suite_drill *drill)
{
	char recovery[WORDS_BYTES];

	text_add(text, "    <properties>\n");
	xml_add_property(text, "run", drill->is_begun ? drill->run_id : NULL);
	xml_add_property(text, "experiment", drill->path);
	xml_add_property(text, "firedrill", suite->version);
	xml_add_property(text, "verdict", words_headline(&drill->outcome));
	xml_add_property(text, "outcome", drill->outcome.sentence);
	if (*suite_recovery(drill, recovery) != '\0')
		xml_add_property(text, "recovery", recovery);
	for (size_t i = 0; drill->is_set && i < drill->trial_count; i++)
		xml_add_property(text, "trial", drill->trials[i].run_id);
	xml_add_property(text, "reports", drill->folder);
	text_add(text, "    </properties>\n");
}

static void add_drill(struct text *text, const struct suite *suite, const struct suite_drill *drill)
{
	struct suite_totals totals = { 0 };
	struct text class_name = { 0 };

	text_addf(&class_name, "firedrill.%s", drill->service == NULL ? "drill" : drill->service);
	count_drill(suite, drill, &totals);
	text_add(text, "  <testsuite");
	xml_add_attribute(text, "name", drill->title);
	add_totals(text, &totals, drill->took_ns);
	/* Not at the root: strict readers (Jenkins' xunit schema) know it here only. */
	text_addf(text, " skipped=\"%zu\"", totals.skipped_count);
	xml_add_moment(text, "timestamp",
		       drill->is_begun ? drill->begun_wall_ns : suite->begun_wall_ns);
	xml_add_attribute(text, "id", drill->run_id);
	text_add(text, ">\n");
	add_properties(text, suite, drill);
	add_run(text, drill, text_str(&class_name));
	for (size_t i = 0; i < drill->objective_count; i++)
		add_objective(text, text_str(&class_name), drill, &drill->objectives[i]);
	add_baseline(text, suite, drill, text_str(&class_name));
	text_add(text, "  </testsuite>\n");
	text_release(&class_name);
}

static void write_junit(const struct suite *suite, const struct report_style *style,
			struct text *ret_bytes)
{
	struct suite_totals totals = { 0 };

	(void)style; /* the same bytes for everyone */

	for (size_t i = 0; i < suite->drill_count; i++)
		count_drill(suite, &suite->drills[i], &totals);
	text_add(ret_bytes, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	xml_add_attribute(ret_bytes, "name", "firedrill");
	add_totals(ret_bytes, &totals, suite->took_ns);
	text_add(ret_bytes, ">\n");
	for (size_t i = 0; i < suite->drill_count; i++)
		add_drill(ret_bytes, suite, &suite->drills[i]);
	text_add(ret_bytes, "</testsuites>\n");
}

const struct suite_report_ops suite_report_junit = {
	.name = "junit",
	.file_name = "junit.xml",
	.write = write_junit,
};
