/*
 * suite_gitlab.c - a suite as GitLab's code quality report: what was not met, at the experiment's
 * file, in the merge request. GitLab compares two of them by the fingerprints.
 */
#include "reports/suite.h"

#include <string.h>

#include "base/hash.h"
#include "base/json.h"

struct finding {
	const char *check;
	const char *severity;
	const char *what;
	const char *why;
};

static void push_finding(struct json *rows, const struct suite_drill *drill,
			 const struct finding *finding)
{
	const bool is_below_here = strncmp(drill->path, "./", 2) == 0;
	struct json *row = json_push_object(rows);
	struct json *place;
	struct text text = { 0 };
	char fingerprint[HASH_TEXT_BYTES];

	/* Not the sentence: the same finding has other numbers every time. */
	text_addf(&text, "%s\n%s\n%s", drill->path, drill->title, finding->what);
	hash_chain("", text_str(&text), text.length_bytes, fingerprint);
	text_clear(&text);
	text_addf(&text, "%s: %s: %s", drill->title, finding->what,
		  finding->why == NULL ? "" : finding->why);
	json_put_text(row, "description", text_str(&text));
	json_put_text(row, "check_name", finding->check);
	json_put_text(row, "fingerprint", fingerprint);
	json_put_text(row, "severity", finding->severity);
	place = json_put_object(row, "location");
	json_put_text(place, "path", drill->path + (is_below_here ? 2 : 0));
	json_put_int(json_put_object(place, "lines"), "begin", 1);
	text_release(&text);
}

static void push_drill(struct json *rows, const struct suite *suite,
		       const struct suite_drill *drill)
{
	const char *severity = suite_does_fail(suite, drill) ? "major" : "minor";

	if (drill->outcome.exit_code == EXIT_LEFTOVER)
		severity = "blocker";
	if (drill->outcome.verdict == VERDICT_NONE)
		push_finding(rows, drill,
			     &(struct finding){ "firedrill.run", severity,
						words_headline(&drill->outcome),
						drill->outcome.sentence });
	for (size_t i = 0; drill->outcome.verdict != VERDICT_NONE && i < drill->objective_count;
	     i++) {
		const struct objective_result *objective = &drill->objectives[i];

		if (objective->verdict == VERDICT_MISSED ||
		    objective->verdict == VERDICT_INCONCLUSIVE)
			push_finding(rows, drill,
				     &(struct finding){ "firedrill.objective", severity,
							objective->name, objective->reason });
	}
	if (suite_is_slower(suite, drill))
		push_finding(rows, drill,
			     &(struct finding){ "firedrill.baseline", severity, "slower",
						drill->baseline.sentence });
}

static void write_gitlab(const struct suite *suite, const struct report_style *style,
			 struct text *ret_bytes)
{
	struct json *root = json_array();

	(void)style; /* the same bytes for everyone */

	for (size_t i = 0; i < suite->drill_count; i++)
		push_drill(root, suite, &suite->drills[i]);
	json_print(root, true, ret_bytes);
	text_add(ret_bytes, "\n");
	json_release(root);
}

const struct suite_report_ops suite_report_gitlab = {
	.name = "gitlab",
	.file_name = "code-quality.json",
	.write = write_gitlab,
};
