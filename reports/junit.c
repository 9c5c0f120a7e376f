/*
 * junit.c - report "junit": one test suite for the run, for CI servers.
 *
 * Test cases: "run" (did the drill run to its end), one for each objective, and "heal" (is every
 * target as it was). Met passes, missed is a failure, inconclusive is an error, not judged is
 * skipped. A drill that did not start or was stopped is an error of "run", so that a server which
 * only looks at this file never shows it green.
 */
#include "reports/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reports/escape.h"
#include "reports/facts.h"
#include "reports/trials.h"
#include "reports/words.h"
#include "reports/xml.h"

enum { CASE_PASSED = 1, CASE_FAILED, CASE_ERROR, CASE_SKIPPED };

struct junit_case {
	const char *name;
	int result;
	int64_t took_ns;
	const char *message;
	const char *type;
	struct text detail; /* escaped when written */
};

struct junit_suite {
	struct junit_case *owned_cases;
	size_t count;
	size_t failed_count;
	size_t error_count;
	size_t skipped_count;
};

static struct junit_case run_case(const struct story *story)
{
	struct junit_case row = {
		.name = "run",
		.result = CASE_PASSED,
		.took_ns = facts_ended_ns(story) - facts_started_ns(story),
		.message = story->outcome.sentence,
		.type = words_headline(&story->outcome),
	};

	switch (story->outcome.exit_code) {
	case EXIT_MET:
	case EXIT_MISSED:
	case EXIT_INCONCLUSIVE:
	case EXIT_LEFTOVER:
		break;
	case EXIT_NOT_RUN:
	case EXIT_NOT_STARTED:
	case EXIT_STOPPED:
	case EXIT_INTERNAL:
		row.result = CASE_ERROR;
		text_add(&row.detail, run_exit_meaning(story->outcome.exit_code));
		break;
	}
	return row;
}

static struct junit_case objective_case(const struct story *story,
					const struct objective_result *objective)
{
	const struct probe_result *service = story->service;
	struct junit_case row = {
		.name = objective->name,
		.message = objective->reason,
		.type = verdict_name(objective->verdict),
	};

	switch (objective->verdict) {
	case VERDICT_NONE:
		row.result = CASE_SKIPPED;
		break;
	case VERDICT_MET:
		row.result = CASE_PASSED;
		break;
	case VERDICT_MISSED:
		row.result = CASE_FAILED;
		break;
	case VERDICT_INCONCLUSIVE:
		row.result = CASE_ERROR;
		break;
	}
	if (strcmp(objective->name, "rto") == 0 && service != NULL &&
	    service->rto_kind == MEASURED_SPAN)
		row.took_ns = service->rto.high_ns;
	text_addf(&row.detail, "target: %s\nobserved: %s\nmargin: %s\n",
		  objective->target == NULL ? "" : objective->target,
		  objective->observed == NULL ? "" : objective->observed,
		  objective->margin == NULL ? "" : objective->margin);
	if (objective->advice != NULL)
		text_addf(&row.detail, "what would settle it: %s\n", objective->advice);
	return row;
}

static struct junit_case heal_case(const struct story *story)
{
	struct junit_case row = {
		.name = "heal",
		.result = story->deed_count == 0 ? CASE_SKIPPED : CASE_PASSED,
		.message = "nothing was harmed",
		.type = "leftover",
	};

	if (story->outcome.exit_code == EXIT_LEFTOVER) {
		row.result = CASE_FAILED;
		row.message = story->outcome.sentence;
	}
	for (size_t i = 0; i < story->deed_count; i++) {
		const struct deed *deed = &story->deeds[i];

		if (deed->read_back == EVENT_CLEAN)
			continue;
		text_addf(&row.detail, "%s on %s: %s. %s\n", deed->fault, deed->host,
			  words_read_back(deed), deed->leftover == NULL ? "" : deed->leftover);
		if (deed->read_back == EVENT_LEFTOVER && row.result != CASE_FAILED) {
			row.result = CASE_FAILED;
			row.message = deed->leftover;
		}
	}
	return row;
}

static struct junit_suite suite_build(const struct story *story)
{
	struct junit_suite suite = { 0 };

	suite.owned_cases = mem_alloc((story->objective_count + 2) * sizeof *suite.owned_cases);
	suite.owned_cases[suite.count++] = run_case(story);
	for (size_t i = 0; i < story->objective_count; i++)
		suite.owned_cases[suite.count++] = objective_case(story, &story->objectives[i]);
	suite.owned_cases[suite.count++] = heal_case(story);

	for (size_t i = 0; i < suite.count; i++) {
		suite.failed_count += suite.owned_cases[i].result == CASE_FAILED;
		suite.error_count += suite.owned_cases[i].result == CASE_ERROR;
		suite.skipped_count += suite.owned_cases[i].result == CASE_SKIPPED;
	}
	return suite;
}

static void suite_release(struct junit_suite *suite)
{
	for (size_t i = 0; i < suite->count; i++)
		text_release(&suite->owned_cases[i].detail);
	free(suite->owned_cases);
}

static void write_case(struct text *text, const struct junit_case *row, const char *class_name)
{
	static const char *const tags[] = {
		[CASE_FAILED] = "failure", [CASE_ERROR] = "error", [CASE_SKIPPED] = "skipped",
	};

	text_add(text, "    <testcase");
	xml_add_attribute(text, "classname", class_name);
	xml_add_attribute(text, "name", row->name);
	xml_add_seconds(text, "time", row->took_ns);
	text_add(text, ">\n");
	if (row->result != CASE_PASSED) {
		text_addf(text, "      <%s", tags[row->result]);
		xml_add_attribute(text, "message", row->message);
		if (row->result != CASE_SKIPPED) {
			xml_add_attribute(text, "type", row->type);
			text_add(text, ">");
			escape_markup(text, text_str(&row->detail));
			text_addf(text, "</%s>\n", tags[row->result]);
		} else {
			text_add(text, "/>\n");
		}
	} else if (row->detail.length_bytes > 0) {
		text_add(text, "      <system-out>");
		escape_markup(text, text_str(&row->detail));
		text_add(text, "</system-out>\n");
	}
	text_add(text, "    </testcase>\n");
}

static void write_properties(struct text *text, const struct story *story)
{
	char trial[WORDS_BYTES];

	text_add(text, "    <properties>\n");
	xml_add_property(text, "run", story->run_id);
	if (story->set_id != NULL)
		xml_add_property(text, "trial", words_trial(story, trial));
	xml_add_property(text, "firedrill", story->version);
	xml_add_property(text, "head", facts_head(story));
	xml_add_property(text, "verdict", words_headline(&story->outcome));
	xml_add_property(text, "outcome", story->outcome.sentence);
	if (story->seen_from != NULL)
		xml_add_property(text, "seen from", story->seen_from);
	for (size_t i = 0; i < story->permission_count; i++)
		xml_add_property(text, "permission", story->permission[i]);
	for (size_t i = 0; i < story->untold_count; i++)
		xml_add_property(text, "could not be told", story->untold[i]);
	text_add(text, "    </properties>\n");
}

static void add_totals(struct text *text, const struct junit_suite *suite, int64_t took_ns)
{
	text_addf(text, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"",
		  suite->count, suite->failed_count, suite->error_count, suite->skipped_count);
	xml_add_seconds(text, "time", took_ns);
}

static bool junit_write(const struct story *story, const struct report_style *style,
			struct text *ret_bytes, struct err *e)
{
	const struct service *service = story->experiment->service;
	const int64_t took_ns = facts_ended_ns(story) - facts_started_ns(story);
	struct junit_suite suite = suite_build(story);
	struct text class_name = { 0 };
	char iso[WORDS_BYTES];

	(void)style; /* the same bytes for everyone */
	(void)e;     /* nothing here can fail */

	(void)words_iso(story, facts_started_ns(story), iso);
	iso[strcspn(iso, ".Z")] = '\0'; /* xs:dateTime as the common schema has it: no zone */
	text_addf(&class_name, "firedrill.%s", service == NULL ? "drill" : service->name);

	text_add(ret_bytes, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	xml_add_attribute(ret_bytes, "name", "firedrill");
	add_totals(ret_bytes, &suite, took_ns);
	text_add(ret_bytes, ">\n  <testsuite");
	xml_add_attribute(ret_bytes, "name", story->experiment->title);
	add_totals(ret_bytes, &suite, took_ns);
	xml_add_attribute(ret_bytes, "timestamp", iso);
	xml_add_attribute(ret_bytes, "id", story->run_id);
	text_add(ret_bytes, ">\n");
	write_properties(ret_bytes, story);
	for (size_t i = 0; i < suite.count; i++)
		write_case(ret_bytes, &suite.owned_cases[i], text_str(&class_name));
	text_add(ret_bytes, "  </testsuite>\n</testsuites>\n");

	text_release(&class_name);
	suite_release(&suite);
	return true;
}

const struct report_ops report_junit = {
	.name = "junit",
	.file_name = "junit.xml",
	.summary = "JUnit XML for CI: a test case for the run, each objective, and the heal",
	.write = junit_write,
	.write_set = trials_junit_write,
};
