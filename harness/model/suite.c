/*
 * suite.c - what a suite comes to; see suite.h.
 */
#include "model/suite.h"

#include <assert.h>
#include <string.h>

static const struct reason_row {
	const char *word;
	enum suite_reason reason;
} reasons[] = {
	{ "missed", SUITE_MISSED },
	{ "inconclusive", SUITE_INCONCLUSIVE },
	{ "not-started", SUITE_NOT_STARTED },
	{ "stopped", SUITE_STOPPED },
	{ "regression", SUITE_REGRESSION },
};

enum { REASON_COUNT = sizeof reasons / sizeof reasons[0] };

const char *suite_reason_word(enum suite_reason reason)
{
	for (size_t i = 0; i < REASON_COUNT; i++)
		if (reasons[i].reason == reason)
			return reasons[i].word;
	return "";
}

unsigned suite_default_reasons(void)
{
	return SUITE_MISSED | SUITE_INCONCLUSIVE | SUITE_NOT_STARTED | SUITE_STOPPED;
}

static const struct reason_row *find_reason(const char *word, size_t length)
{
	for (size_t i = 0; i < REASON_COUNT; i++)
		if (strlen(reasons[i].word) == length &&
		    strncmp(reasons[i].word, word, length) == 0)
			return &reasons[i];
	return NULL;
}

bool suite_parse_reasons(const char *words, unsigned *ret_reasons, struct err *e)
{
	unsigned found = 0;

	for (;;) {
		const size_t length = strcspn(words, ",");
		const struct reason_row *row = find_reason(words, length);

		if (row == NULL)
			return err_set(e, ERR_INPUT,
				       "`--fail-on` does not know `%.*s`; there are missed, "
				       "inconclusive, not-started, stopped and regression, with "
				       "commas between them; what is unhealed or broken off always "
				       "fails", (int)(length > 80 ? 80 : length), words);
		found |= row->reason;
		if (words[length] == '\0')
			break;
		words += length + 1;
	}
	*ret_reasons = found;
	return true;
}

bool suite_is_slower(const struct suite *suite, const struct suite_drill *drill)
{
	return suite->baseline != NULL && drill->baseline.answer == SLOWER_YES;
}

/* What --fail-on must hold for this code to count; 0: it always does. */
static unsigned reason_of(enum run_exit code)
{
	switch (code) {
	case EXIT_MISSED:
		return SUITE_MISSED;
	case EXIT_INCONCLUSIVE:
		return SUITE_INCONCLUSIVE;
	case EXIT_NOT_STARTED:
		return SUITE_NOT_STARTED;
	case EXIT_STOPPED:
		return SUITE_STOPPED;
	case EXIT_MET:
	case EXIT_NOT_RUN:
	case EXIT_LEFTOVER:
	case EXIT_INTERNAL:
		break;
	}
	return 0;
}

static bool has_verdict(enum run_exit code)
{
	return code == EXIT_MET || code == EXIT_MISSED || code == EXIT_INCONCLUSIVE;
}

static bool has_any_verdict(const struct suite *suite)
{
	for (size_t i = 0; i < suite->drill_count; i++)
		if (has_verdict(suite->drills[i].outcome.exit_code))
			return true;
	return false;
}

/* The code with which it makes the suite fail; EXIT_MET: it does not. */
static enum run_exit code_that_counts(const struct suite *suite, const struct suite_drill *drill)
{
	const enum run_exit code = drill->outcome.exit_code;
	const unsigned needed = reason_of(code);

	if (code != EXIT_MET &&
	    (needed == 0 || (suite->fail_on & needed) != 0 || !has_any_verdict(suite)))
		return code;
	return suite_is_slower(suite, drill) && (suite->fail_on & SUITE_REGRESSION) != 0 ?
		       EXIT_MISSED :
		       EXIT_MET;
}

bool suite_does_fail(const struct suite *suite, const struct suite_drill *drill)
{
	return code_that_counts(suite, drill) != EXIT_MET;
}

enum run_exit suite_exit(const struct suite *suite)
{
	static const enum run_exit worst_first[] = {
		EXIT_LEFTOVER, EXIT_INTERNAL,	 EXIT_STOPPED,	    EXIT_MISSED,
		EXIT_NOT_RUN,  EXIT_NOT_STARTED, EXIT_INCONCLUSIVE,
	};

	assert(suite->drill_count > 0);

	for (size_t i = 0; i < sizeof worst_first / sizeof worst_first[0]; i++)
		for (size_t j = 0; j < suite->drill_count; j++)
			if (code_that_counts(suite, &suite->drills[j]) == worst_first[i])
				return worst_first[i];
	return EXIT_MET;
}
