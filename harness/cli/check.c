/*
 * check.c - command "check": every problem of one or more experiments at once. Reads no secret.
 */
#include "cli/cli.h"

static const struct option_row check_options[] = {
	VAR_OPTION,
	INVENTORY_OPTION,
	{ NULL, NULL, NULL },
};

static int run_check(const struct arguments *arguments)
{
	int code = EXIT_MET;

	for (size_t i = 0; i < arguments->word_count; i++) {
		const struct experiment *experiment;
		struct arena arena = { 0 };
		struct secrets secrets = { 0 };
		struct text line = { 0 };

		if (cli_load(arguments, arguments->words[i], false, &arena, &secrets, &experiment)) {
			text_addf(&line, "%s: fine", arguments->words[i]);
			cli_print_line(stdout, NULL, text_str(&line));
		} else {
			code = EXIT_NOT_RUN;
		}
		text_release(&line);
		secrets_release(&secrets);
		arena_release(&arena);
	}
	return code;
}

const struct verb verb_check = {
	.name = "check",
	.arguments = "EXPERIMENT...",
	.word_min = 1,
	.word_max = ARGUMENTS_MAX,
	.summary = "read experiments and inventories; list every problem with its place",
	.example = "firedrill check experiments/db-failover.yaml",
	.options = check_options,
	.run = run_check,
};
