/*
 * pause.c - command "pause": one schedule is not to run until `resume`. Runs under way go on.
 */
#include <string.h>

#include "base/limits.h"
#include "cli/claim.h"

static const struct option_row pause_options[] = {
	REASON_OPTION,
	BY_OPTION,
	STORE_OPTION,
	{ NULL, NULL, NULL },
};

/* What no schedule can be called would pause none. */
static bool check_name(const char *name, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_";

	return (*name != '\0' && name[strspn(name, letters)] == '\0' &&
		strlen(name) <= LIMIT_NAME_BYTES) ||
	       err_set(e, ERR_INPUT, "`%.80s` cannot be a schedule; name one that `firedrill schedule` "
			     "lists", name);
}

static int run_pause(const struct arguments *arguments)
{
	const struct clock clock = clock_system();
	struct pause_row row = { .schedule = arguments->words[0], .wall_ns = clock_wall_ns(&clock) };
	struct text line = { 0 };
	struct arena arena = { 0 };
	struct store *store = NULL;
	struct err e = { 0 };
	int code = EXIT_MET;

	if (!check_name(row.schedule, &e) || !claim_reason(arguments, &row.reason, &e) ||
	    !claim_person(arguments, &arena, &row.person, &e) ||
	    !cli_open_store(arguments, NULL, &store, &e) || !store_pause(store, &row, &e)) {
		code = cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, NULL, &e);
	} else {
		text_addf(&line, "schedule %s is paused until `firedrill resume %s`", row.schedule,
			  row.schedule);
		cli_print_line(stdout, NULL, text_str(&line));
	}
	text_release(&line);
	store_close(store);
	arena_release(&arena);
	return code;
}

const struct verb verb_pause = {
	.name = "pause",
	.arguments = "SCHEDULE",
	.word_min = 1,
	.word_max = 1,
	.summary = "keep one schedule from running until `resume SCHEDULE`",
	.example = "firedrill pause failover-weekly --reason \"migration of the cluster, CHG-12\"",
	.options = pause_options,
	.run = run_pause,
};
