/*
 * main.c - finds the command, sorts its words into options and others, runs it.
 *
 * Standard output belongs to the command, complaints go to standard error. A command line that is
 * wrong ends with exit code 2 and harms nothing.
 */
#include "cli/cli.h"

#include <signal.h>
#include <string.h>

#include "base/process.h"

static void print_usage(FILE *stream)
{
	size_t count;
	const struct verb *const *commands = verb_table(&count);

	(void)fputs("firedrill - rehearse a disaster; know how long recovery took and what was lost\n"
		    "\n"
		    "usage: firedrill COMMAND [OPTIONS] [WORDS]\n"
		    "\n",
		    stream);
	for (size_t i = 0; i < count; i++)
		(void)fprintf(stream, "  %-13s %s\n", commands[i]->name, commands[i]->summary);
	(void)fputs("\n"
		    "`firedrill COMMAND --help` tells more. Exit codes of `run`:\n",
		    stream);
	for (int code = EXIT_MET; code <= EXIT_INTERNAL; code++)
		(void)fprintf(stream, "  %d  %s\n", code, run_exit_meaning((enum run_exit)code));
}

void verb_print_help(const struct verb *command, FILE *stream)
{
	(void)fprintf(stream, "%s\n\nusage: firedrill %s [OPTIONS]%s%s\n", command->summary,
		      command->name, command->arguments[0] == '\0' ? "" : " ",
		      command->arguments);
	if (command->options[0].name != NULL)
		(void)fputs("\noptions:\n", stream);
	for (const struct option_row *row = command->options; row->name != NULL; row++)
		(void)fprintf(stream, "  --%s%s%s\n      %s\n", row->name,
			      row->value_name == NULL ? "" : " ",
			      row->value_name == NULL ? "" : row->value_name, row->help);
	(void)fprintf(stream, "\nexample:\n  %s\n", command->example);
}

static const struct option_row *find_option(const struct verb *command, const char *name,
					    size_t length)
{
	for (const struct option_row *row = command->options; row->name != NULL; row++)
		if (strlen(row->name) == length && strncmp(row->name, name, length) == 0)
			return row;
	return NULL;
}

/* One option at words[*i]: --name, --name=value or --name value. */
static bool take_option(struct arguments *arguments, char **words, size_t count, size_t *i,
			struct err *e)
{
	const char *name = words[*i] + 2;
	const size_t length = strcspn(name, "=");
	const char *value = name[length] == '=' ? name + length + 1 : NULL;
	const struct option_row *row = find_option(arguments->command, name, length);

	if (row == NULL)
		return err_set(e, ERR_INPUT, "`%s` has no option `--%.*s`; see `firedrill %s --help`",
			       arguments->command->name, (int)length, name,
			       arguments->command->name);
	if (row->value_name == NULL && value != NULL)
		return err_set(e, ERR_INPUT, "option `--%s` takes no value", row->name);
	if (row->value_name != NULL && value == NULL) {
		if (*i + 1 >= count)
			return err_set(e, ERR_INPUT, "option `--%s` needs a value: %s", row->name,
				       row->value_name);
		value = words[++*i];
	}
	if (arguments->option_count >= ARGUMENTS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d options", ARGUMENTS_MAX);
	arguments->options[arguments->option_count].row = row;
	arguments->options[arguments->option_count].value = value;
	arguments->option_count++;
	return true;
}

static bool sort_words(struct arguments *arguments, char **words, size_t count, struct err *e)
{
	const struct verb *command = arguments->command;
	bool are_options_over = false;

	for (size_t i = 0; i < count; i++) {
		if (!are_options_over && strcmp(words[i], "--") == 0) {
			are_options_over = true;
			arguments->has_dashes = true;
			arguments->words_before_dashes = arguments->word_count;
		} else if (!are_options_over && strncmp(words[i], "--", 2) == 0) {
			if (!take_option(arguments, words, count, &i, e))
				return false;
		} else if (!are_options_over && words[i][0] == '-' && words[i][1] != '\0') {
			return err_set(e, ERR_INPUT, "`%s` is no option; options begin with two dashes",
				       words[i]);
		} else if (arguments->word_count >= command->word_max ||
			   arguments->word_count >= ARGUMENTS_MAX) {
			return err_set(e, ERR_INPUT, "`%s` does not know what to do with `%s`",
				       command->name, words[i]);
		} else {
			arguments->words[arguments->word_count++] = words[i];
		}
	}
	if (arguments->word_count < command->word_min)
		return err_set(e, ERR_INPUT, "`%s` needs %s; see `firedrill %s --help`",
			       command->name, command->arguments, command->name);
	return true;
}

static const struct verb *find_command(const char *name)
{
	size_t count;
	const struct verb *const *commands = verb_table(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static bool wants_help(char **words, size_t count)
{
	for (size_t i = 0; i < count && strcmp(words[i], "--") != 0; i++)
		if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
			return true;
	return false;
}

/* A full disk behind standard output must not look like success. */
static int finish(int code)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return cli_fail_text(code == EXIT_MET ? EXIT_INTERNAL : code,
				     "standard output could not be written");
	return code;
}

static int print_any_help(const char *name)
{
	const struct verb *asked = name == NULL ? NULL : find_command(name);

	if (name != NULL && asked == NULL)
		return cli_fail_text(EXIT_NOT_RUN,
				     "there is no command `%s`; `firedrill --help` lists them", name);
	if (asked != NULL)
		verb_print_help(asked, stdout);
	else
		print_usage(stdout);
	return finish(EXIT_MET);
}

int main(int argc, char **argv)
{
	static struct arguments arguments;
	struct err e = { 0 };

	process_keep_private();
	/* Neither a reader that goes away nor a limit on files may stop a heal: a write fails instead. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_NOT_RUN;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return print_any_help(argc > 2 ? argv[2] : NULL);
	arguments.command =
		find_command(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
	if (arguments.command == NULL)
		return cli_fail_text(EXIT_NOT_RUN,
				     "there is no command `%s`; `firedrill --help` lists them",
				     argv[1]);
	if (wants_help(argv + 2, (size_t)argc - 2))
		return print_any_help(arguments.command->name);
	if (!sort_words(&arguments, argv + 2, (size_t)argc - 2, &e))
		return cli_fail(EXIT_NOT_RUN, NULL, &e);
	return finish(arguments.command->run(&arguments));
}
