/*
 * run_suite.c - command "run" with a folder or several experiments: the gate of a pipeline. All
 * documents are read and planned first; then each experiment runs in a process of its own
 * (suite_drills.c); then the suite's reports, and one exit code (docs/ci.md has the table).
 */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "cli/output.h"
#include "cli/plan_view.h"
#include "cli/suite.h"
#include "reports/suite.h"

enum { JOBS_DEFAULT = 4, JOBS_MAX = 64 };

/* What is only printed for a pipeline, or is its alone, is no format to ask for. */
static bool check_format(const char *format, struct err *e)
{
	static const char *const formats[] = { "text", "json", "junit", "markdown" };

	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (strcmp(format, formats[i]) == 0)
			return true;
	return err_set(e, ERR_INPUT, "a suite has no report format `%s`; there are text, json, junit "
		       "and markdown", format);
}

static bool take_options(struct suite_command *command, struct err *e)
{
	const struct arguments *arguments = command->run->arguments;
	const char *jobs = arguments_value(arguments, "jobs");
	const char *budget = arguments_value(arguments, "budget");
	const char *fail_on = arguments_value(arguments, "fail-on");
	int64_t job_count = JOBS_DEFAULT;

	if (!check_format(command->run->format, e))
		return false;
	if (jobs != NULL &&
	    (!units_parse_count(jobs, &job_count, e) || job_count < 1 || job_count > JOBS_MAX))
		return err_set(e, ERR_INPUT, "`--jobs %s` is no number from 1 to %d", jobs, JOBS_MAX);
	command->job_count = (size_t)job_count;
	if (budget != NULL && !units_parse_duration(budget, &command->suite.budget_ns, e))
		return err_wrap(e, "`--budget %s`", budget);
	if (budget != NULL && command->suite.budget_ns == 0)
		return err_set(e, ERR_INPUT, "`--budget %s` leaves no time to run anything", budget);
	command->suite.fail_on = suite_default_reasons();
	if (fail_on != NULL && !suite_parse_reasons(fail_on, &command->suite.fail_on, e))
		return false;
	if (arguments_value(arguments, "baseline") == NULL && fail_on != NULL &&
	    (command->suite.fail_on & SUITE_REGRESSION) != 0)
		return err_set(e, ERR_INPUT, "`--fail-on regression` needs a baseline to be slower "
			       "than; add --baseline");
	if (strlen(command->run->run_id) + sizeof "-d000" > sizeof command->run->run_id)
		return err_set(e, ERR_INPUT, "`--id %s` is too long for a suite: each experiment puts "
			       "its number behind it", command->run->run_id);
	return run_parse_seed(arguments, &command->has_seed, &command->seed, e);
}

static void show_plans(const struct suite_command *command, FILE *stream)
{
	for (size_t i = 0; i < command->suite.drill_count; i++) {
		struct text head = { 0 };

		text_addf(&head, "---- %zu of %zu  %s", i + 1, command->suite.drill_count,
			  command->drills[i].path);
		cli_print_line(stream, &command->run->secrets, text_str(&head));
		plan_view_print(&command->items[i].plan, stream, &command->run->secrets);
		for (size_t j = 0; j < i; j++)
			if (suite_do_clash(&command->footprints[i], &command->footprints[j]))
				(void)fprintf(stream, "  not beside experiment %zu\n", j + 1);
		text_release(&head);
	}
}

/* The one environment that must be typed back; NULL: none asks for that. */
static bool find_environment(const struct suite_command *command, const char **ret_environment,
			     struct err *e)
{
	const char *found = NULL;

	for (size_t i = 0; i < command->suite.drill_count; i++) {
		const char *own =
			command->items[i].experiment->inventory->policy.environment;

		if (own == NULL || (found != NULL && strcmp(found, own) == 0))
			continue;
		if (found != NULL)
			return err_set(e, ERR_INPUT, "this suite has experiments of the environments "
				       "`%s` and `%s`; run them apart", found, own);
		found = own;
	}
	*ret_environment = found;
	return true;
}

/* -1, or the exit code of a refusal. */
static int ask(struct suite_command *command)
{
	struct run_command *run = command->run;
	const char *environment = NULL;
	struct err e = { 0 };
	int code;

	if (!find_environment(command, &environment, &e))
		return cli_fail(EXIT_NOT_RUN, NULL, &e);
	if (arguments_flag(run->arguments, "yes"))
		return -1;
	code = run_need_person();
	if (code != -1)
		return code;
	show_plans(command, run->progress_stream);
	code = run_let_type(run, environment == NULL || run->claim.environment != NULL ? "yes" :
											 environment);
	if (code == -1 && run->claim.environment == NULL)
		run->claim.environment = environment;
	return code;
}

static bool write_file(const struct suite_command *command, const struct suite_report_ops *ops,
		       const char *path, struct err *e)
{
	const struct report_style style = { .columns = 0 };
	struct text bytes = { 0 };
	bool ok;

	suite_report_write(ops, &command->suite, &style, &bytes);
	ok = file_write(path, text_str(&bytes), bytes.length_bytes, e);
	text_release(&bytes);
	return ok;
}

/* The first that could not be written is told; the others are tried all the same. */
static bool write_reports(const struct suite_command *command, struct err *e)
{
	const char *junit = arguments_value(command->run->arguments, "junit");
	size_t count;
	const struct suite_report_ops *const *table = suite_report_table(&count);
	bool is_written = true;

	for (size_t i = 0; i < count; i++) {
		struct text path = { 0 };

		if (table[i]->file_name == NULL)
			continue;
		text_addf(&path, "%s/%s", command->suite.folder, table[i]->file_name);
		is_written = write_file(command, table[i], text_str(&path), is_written ? e : NULL) &&
			     is_written;
		text_release(&path);
	}
	if (junit != NULL)
		is_written = write_file(command, suite_report_find("junit"), junit,
					is_written ? e : NULL) &&
			     is_written;
	return is_written;
}

static void print_report(const struct suite_command *command)
{
	const struct report_style style = { .has_colour = cli_has_colour(stdout),
					    .is_utf8 = cli_is_utf8(),
					    .columns = cli_columns(stdout) };
	struct text bytes = { 0 };

	suite_report_write(suite_report_find(command->run->format), &command->suite, &style, &bytes);
	(void)fwrite(text_str(&bytes), 1, bytes.length_bytes, stdout); /* main.c checks */
	text_release(&bytes);
}

static int run_all(struct suite_command *command)
{
	struct run_command *run = command->run;
	struct suite *suite = &command->suite;
	struct text line = { 0 };
	struct err e = { 0 };

	text_addf(&line, "suite %s   %zu experiment%s, at most %zu at one time", run->run_id,
		  suite->drill_count, suite->drill_count == 1 ? "" : "s", command->job_count);
	cli_print_line(run->progress_stream, &run->secrets, text_str(&line));
	command->begun_ns = clock_now_ns(&run->clock);
	suite->begun_wall_ns = clock_wall_ns(&run->clock);
	suite_run_drills(command);
	suite->took_ns = clock_now_ns(&run->clock) - command->begun_ns;

	/* What cannot be compared, kept or told must not hide what was seen. */
	bool is_whole = suite_compare_baseline(command, &e);

	is_whole = suite_record_runs(command, is_whole ? &e : NULL) && is_whole;
	suite->exit_code = suite_exit(suite);
	is_whole = write_reports(command, is_whole ? &e : NULL) && is_whole;
	print_report(command);
	is_whole = suite_ci_tell(command->owned_ci, suite, is_whole ? &e : NULL) && is_whole;
	text_clear(&line);
	text_addf(&line, "reports: %s/", suite->folder);
	cli_print_line(run->progress_stream, &run->secrets, text_str(&line));
	text_release(&line);
	if (is_whole)
		return (int)suite->exit_code;
	return cli_fail(suite->exit_code == EXIT_MET ? EXIT_INTERNAL : (int)suite->exit_code,
			&run->secrets, &e);
}

static int with_documents(struct suite_command *command)
{
	struct run_command *run = command->run;
	struct err e = { 0 };
	int code;

	if (arguments_flag(run->arguments, "dry-run")) {
		show_plans(command, stdout);
		return EXIT_MET;
	}
	if (!cli_open_store(run->arguments, &run->secrets, &run->owned_store, &e))
		return cli_fail(e.kind == ERR_INPUT ? EXIT_NOT_RUN : EXIT_INTERNAL, &run->secrets,
				&e);
	code = run_heal_earlier(run);
	if (code == -1)
		code = ask(command);
	if (code != -1)
		return code;
	/* Before the harm: a place for the reports that cannot be written is found now. */
	return folder_make(command->suite.folder, &e) ?
		       run_all(command) :
		       cli_fail(EXIT_NOT_STARTED, NULL, &e);
}

int run_suite(struct run_command *run)
{
	const char *out = arguments_value(run->arguments, "out");
	struct suite_command command = {
		.run = run,
		.suite = {
			.suite_id = run->run_id,
			.version = FIREDRILL_VERSION,
			.folder = out != NULL ? out : arena_format(&run->arena, "runs/%s", run->run_id),
			.secrets = &run->secrets,
		},
	};
	struct err e = { 0 };
	int code;

	if (!take_options(&command, &e) ||
	    !suite_ci_open(arguments_value(run->arguments, "annotations"), run->progress_stream,
			   &command.owned_ci, &e))
		return cli_fail(EXIT_NOT_RUN, NULL, &e);
	code = suite_read_documents(&command);
	if (code == -1 && !suite_open_baseline(&command, &e))
		code = cli_fail(EXIT_NOT_RUN, NULL, &e);
	if (code == -1)
		code = with_documents(&command);
	suite_ci_close(command.owned_ci);
	return code;
}
