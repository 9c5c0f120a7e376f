/*
 * trials_junit.c - a set of trials for CI servers: one test case for each trial, one for the set.
 *
 * A trial passes when it came to "met"; missed is a failure, and whatever left no verdict is an
 * error. The case "set" says what the set came to, by its exit code: that is the gate.
 */
#include "reports/trials.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reports/escape.h"
#include "reports/xml.h"

/* NULL: it passes. */
static const char *tag_of(const struct outcome *outcome)
{
	switch (outcome->exit_code) {
	case EXIT_MET:
		return NULL;
	case EXIT_MISSED:
	case EXIT_LEFTOVER:
		return "failure";
	case EXIT_NOT_RUN:
	case EXIT_INCONCLUSIVE:
	case EXIT_NOT_STARTED:
	case EXIT_STOPPED:
	case EXIT_INTERNAL:
		break;
	}
	return "error";
}

struct set_case {
	const char *name;
	const struct outcome *outcome;
	int64_t took_ns;
	const char *detail;
};

static void write_case(struct text *text, const struct trial_set *set, const struct set_case *row)
{
	const char *tag = tag_of(row->outcome);
	struct text class_name = { 0 };

	text_addf(&class_name, "firedrill.%s", set->service == NULL ? "drill" : set->service);
	text_add(text, "    <testcase");
	xml_add_attribute(text, "classname", text_str(&class_name));
	xml_add_attribute(text, "name", row->name);
	xml_add_seconds(text, "time", row->took_ns);
	text_add(text, ">\n");
	if (tag != NULL) {
		text_addf(text, "      <%s", tag);
		xml_add_attribute(text, "message", row->outcome->sentence);
		xml_add_attribute(text, "type", words_headline(row->outcome));
		text_add(text, ">");
		escape_markup(text, row->detail);
		text_addf(text, "</%s>\n", tag);
	} else {
		text_add(text, "      <system-out>");
		escape_markup(text, row->outcome->sentence);
		text_add(text, "\n");
		escape_markup(text, row->detail);
		text_add(text, "</system-out>\n");
	}
	text_add(text, "    </testcase>\n");
	text_release(&class_name);
}

static void write_trial(struct text *text, const struct trial_set *set, const struct trial *trial)
{
	char name[WORDS_BYTES];
	char rto[WORDS_BYTES];
	struct text detail = { 0 };

	(void)snprintf(name, sizeof name, "trial %" PRId64, trial->number);
	text_addf(&detail, "run: %s\nseed: %" PRIu64 "\nrecovery: %s\n", trial->run_id, trial->seed,
		  trials_rto(trial, rto));
	for (size_t i = 0; i < trial->objective_count; i++)
		text_addf(&detail, "%s: %s\n", trial->objectives[i].name,
			  words_verdict(trial->objectives[i].verdict));

	const struct set_case row = { name, &trial->outcome, trial->took_ns, text_str(&detail) };

	write_case(text, set, &row);
	text_release(&detail);
}

static void write_set(struct text *text, const struct trial_set *set, int64_t took_ns)
{
	struct text detail = { 0 };

	for (size_t i = 0; i < set->objective_count; i++) {
		const struct objective_result *objective = &set->objectives[i];

		text_addf(&detail, "%s: %s; target: %s; all trials: %s\n", objective->name,
			  words_verdict(objective->verdict), objective->target,
			  objective->observed);
		if (objective->advice != NULL)
			text_addf(&detail, "what would settle it: %s\n", objective->advice);
	}

	const struct set_case row = { "set", &set->outcome, took_ns, text_str(&detail) };

	write_case(text, set, &row);
	text_release(&detail);
}

static void add_totals(struct text *text, const struct trial_set *set, int64_t took_ns)
{
	const char *of_set = tag_of(&set->outcome);
	size_t failed_count = of_set != NULL && strcmp(of_set, "failure") == 0 ? 1 : 0;
	size_t error_count = of_set != NULL && strcmp(of_set, "error") == 0 ? 1 : 0;

	for (size_t i = 0; i < set->trial_count; i++) {
		const char *tag = tag_of(&set->trials[i].outcome);

		failed_count += tag != NULL && strcmp(tag, "failure") == 0 ? 1 : 0;
		error_count += tag != NULL && strcmp(tag, "error") == 0 ? 1 : 0;
	}
	text_addf(text, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\"",
		  set->trial_count + 1, failed_count, error_count);
	xml_add_seconds(text, "time", took_ns);
}

TRIALS_WRITER(junit)
{
	const int64_t took_ns = set->ended_wall_ns - set->begun_wall_ns;

	(void)style; /* the same bytes for everyone */
	(void)e;     /* nothing here can fail */

	text_add(ret_bytes, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	xml_add_attribute(ret_bytes, "name", "firedrill");
	add_totals(ret_bytes, set, took_ns);
	text_add(ret_bytes, ">\n  <testsuite");
	xml_add_attribute(ret_bytes, "name", set->title);
	add_totals(ret_bytes, set, took_ns);
	xml_add_moment(ret_bytes, "timestamp", set->begun_wall_ns);
	xml_add_attribute(ret_bytes, "id", set->set_id);
	text_add(ret_bytes, ">\n");
	for (size_t i = 0; i < set->trial_count; i++)
		write_trial(ret_bytes, set, &set->trials[i]);
	write_set(ret_bytes, set, took_ns);
	text_add(ret_bytes, "  </testsuite>\n</testsuites>\n");
	return true;
}
