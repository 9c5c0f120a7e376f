/*
 * suite_table.c - the formats of a suite's reports, one row each, and the words they share.
 */
#include "reports/suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reports/trials.h"

#define SUITE_REPORT_ROWS(X) \
	X(text)              \
	X(json)              \
	X(junit)             \
	X(markdown)          \
	X(gitlab)            \
	X(github)

#define X(id) extern const struct suite_report_ops suite_report_##id;
SUITE_REPORT_ROWS(X)
#undef X

static const struct suite_report_ops *const rows[] = {
#define X(id) &suite_report_##id,
	SUITE_REPORT_ROWS(X)
#undef X
};

const struct suite_report_ops *const *suite_report_table(size_t *ret_count)
{
	*ret_count = sizeof rows / sizeof rows[0];
	return rows;
}

const struct suite_report_ops *suite_report_find(const char *name)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i]->name, name) == 0)
			return rows[i];
	return NULL;
}

void suite_report_write(const struct suite_report_ops *ops, const struct suite *suite,
			const struct report_style *style, struct text *ret_bytes)
{
	struct text bytes = { 0 };

	ops->write(suite, style, &bytes);
	secrets_redact(suite->secrets, &bytes);
	text_add_bytes(ret_bytes, text_str(&bytes), bytes.length_bytes);
	text_release(&bytes);
}

size_t suite_count(const struct suite *suite, enum run_exit code)
{
	size_t count = 0;

	for (size_t i = 0; i < suite->drill_count; i++)
		count += suite->drills[i].outcome.exit_code == code ? 1 : 0;
	return count;
}

void suite_add_counts(const struct suite *suite, struct text *text)
{
	static const struct {
		enum run_exit code;
		const char *word;
	} words[] = {
		{ EXIT_MET, "met" },
		{ EXIT_MISSED, "missed" },
		{ EXIT_INCONCLUSIVE, "inconclusive" },
		{ EXIT_NOT_STARTED, "not started" },
		{ EXIT_STOPPED, "stopped" },
		{ EXIT_LEFTOVER, "left unhealed" },
		{ EXIT_INTERNAL, "broken off" },
		{ EXIT_NOT_RUN, "not run" },
	};
	const char *between = "";

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		const size_t count = suite_count(suite, words[i].code);

		if (count == 0)
			continue;
		text_addf(text, "%s%zu %s", between, count, words[i].word);
		between = ", ";
	}
}

const char *suite_exit_meaning(enum run_exit code)
{
	switch (code) {
	case EXIT_MET:
		return "nothing that makes the gate fail";
	case EXIT_MISSED:
		return "a promise was not kept: an objective was missed, or recovery is slower than the "
		       "baseline and the gate asked for that";
	case EXIT_NOT_RUN:
		return "the command, an experiment or an inventory is wrong";
	case EXIT_INCONCLUSIVE:
		return "an experiment was inconclusive";
	case EXIT_LEFTOVER:
		return "something is left unhealed";
	case EXIT_NOT_STARTED:
		return "an experiment was not started";
	case EXIT_STOPPED:
		return "an experiment was stopped before its end; what it did is healed";
	case EXIT_INTERNAL:
		return "an experiment was broken off, or the gate itself failed; what was done is healed";
	}
	return "";
}

const char *suite_recovery(const struct suite_drill *drill, char text[WORDS_BYTES])
{
	char rto[WORDS_BYTES];

	text[0] = '\0';
	if (drill->trial_count == 1 && drill->trials[0].rto_kind != MEASURED_NOTHING)
		return trials_rto(&drill->trials[0], text);
	for (size_t i = 0; i < drill->trial_count; i++) {
		const size_t used = strlen(text);

		/* As many as fit; the set's own report has all. */
		if (drill->trials[i].rto_kind == MEASURED_NOTHING)
			continue;
		if (used + strlen(trials_rto(&drill->trials[i], rto)) + 8 >= WORDS_BYTES) {
			(void)snprintf(text + used, WORDS_BYTES - used, " ...");
			break;
		}
		(void)snprintf(text + used, WORDS_BYTES - used, "%s%s", used == 0 ? "" : "; ", rto);
	}
	return text;
}
