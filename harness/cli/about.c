/*
 * about.c - commands "schema" and "version": what this program accepts, and which one it is.
 */
#include "cli/cli.h"

static const struct option_row no_options[] = { { NULL, NULL, NULL } };

static int run_schema(const struct arguments *arguments)
{
	struct text text = { 0 };

	(void)arguments;
	load_schema(&text);
	(void)fputs(text_str(&text), stdout); /* main.c looks at the stream at the end */
	text_release(&text);
	return EXIT_MET;
}

static int run_version(const struct arguments *arguments)
{
	(void)arguments;
	(void)puts("firedrill " FIREDRILL_VERSION);
	return EXIT_MET;
}

const struct verb verb_schema = {
	.name = "schema",
	.arguments = "",
	.word_min = 0,
	.word_max = 0,
	.summary = "print the JSON Schema of experiments and inventories, for editors",
	.example = "firedrill schema > firedrill.schema.json",
	.options = no_options,
	.run = run_schema,
};

const struct verb verb_version = {
	.name = "version",
	.arguments = "",
	.word_min = 0,
	.word_max = 0,
	.summary = "print the version",
	.example = "firedrill version",
	.options = no_options,
	.run = run_version,
};
