/*
 * test_report_suite.c - reports of suites: every format passes parsers that are not ours, and nothing
 * hostile in a title, a name or a sentence speaks to a CI system.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fixtures/run_tool.h"
#include "fixtures/temp_dir.h"
#include "reports/suite.h"
#include "tests/suites.h"

enum { DRILLS = 8 };

static const char hostile[] =
	"::error::owned\n::set-output name=x::y\r##[error]z%0A \x1b]0;t\x07 ]]> <x a=\"'&\"> \xff "
	"\xe2\x80\xae,file=/etc/passwd,title=a:b | `c` [d](http://e)";

static struct secrets secrets;
static struct suite_drill drills[DRILLS];
static struct trial trials[2];
static struct objective_result rows[2];

/* One experiment for each exit code. */
static struct suite make_suite(const char *text)
{
	static const enum verdict verdicts[DRILLS] = { VERDICT_MET, VERDICT_MISSED, VERDICT_NONE,
						       VERDICT_INCONCLUSIVE };
	static const char *const run_ids[] = { "base-1", "base-2" };

	rows[0] = (struct objective_result){ "rto", text, text, "", VERDICT_MISSED, text, text };
	rows[1] = (struct objective_result){ text, "at most 0 s", NULL, "", VERDICT_NONE, NULL, NULL };
	trials[0] = (struct trial){ .run_id = "s-d01-t01", .counts = true,
				    .rto_kind = MEASURED_SPAN, .rto = { NS_PER_S, 2 * NS_PER_S } };
	trials[1] = (struct trial){ .run_id = "s-d01-t02", .counts = true,
				    .rto_kind = MEASURED_NEVER_RECOVERED,
				    .rto = { NS_PER_S, INT64_MAX } };
	for (size_t i = 0; i < DRILLS; i++)
		drills[i] = (struct suite_drill){
			.path = text, .title = text, .service = i % 2 == 0 ? text : NULL,
			.folder = text, .run_id = "s-d01", .is_set = i % 2 == 0,
			.is_begun = i != EXIT_NOT_STARTED,
			.outcome = { .verdict = verdicts[i], .exit_code = (enum run_exit)i,
				     .sentence = text },
			.begun_wall_ns = INT64_C(1795256430) * NS_PER_S, .took_ns = NS_PER_S,
			.objectives = rows, .objective_count = 2,
			.trials = trials, .trial_count = i == 0 ? 0 : i % 2 + 1,
			.baseline = { .is_there = i != 2, .run_ids = run_ids, .run_count = 2,
				      .own_count = 1, .answer = (enum slower)(i % 3),
				      .after = { .max = { 1, INT64_MAX } }, .sentence = text },
		};
	return (struct suite){
		.suite_id = "s", .version = "0.1.0", .folder = text,
		.begun_wall_ns = INT64_C(1795256430) * NS_PER_S, .took_ns = 60 * NS_PER_S,
		.budget_ns = 60 * NS_PER_S, .stopped = text, .fail_on = SUITE_MISSED | SUITE_REGRESSION,
		.baseline = text, .drills = drills, .drill_count = DRILLS,
		.exit_code = EXIT_LEFTOVER, .secrets = &secrets,
	};
}

static const char *write_as(const char *format, const struct suite *suite, struct text *bytes)
{
	const struct report_style style = { .is_utf8 = true };

	text_clear(bytes);
	suite_report_write(suite_report_find(format), suite, &style, bytes);
	return text_str(bytes);
}

static void save_all(const char *folder, const struct suite *suite)
{
	size_t count;
	const struct suite_report_ops *const *table = suite_report_table(&count);
	struct text bytes = { 0 };

	for (size_t i = 0; i < count; i++) {
		char path[512];
		FILE *file;

		if (table[i]->file_name == NULL)
			continue;
		(void)write_as(table[i]->name, suite, &bytes);
		(void)snprintf(path, sizeof path, "%s/%s", folder, table[i]->file_name);
		file = fopen(path, "w");
		ck_assert_ptr_nonnull(file);
		ck_assert_uint_eq(fwrite(text_str(&bytes), 1, bytes.length_bytes, file),
				  bytes.length_bytes);
		ck_assert_int_eq(fclose(file), 0);
	}
	text_release(&bytes);
}

static void check_with(const char *const *argv)
{
	struct text output = { 0 };
	const int exit_code = tool_run(argv, &output);

	if (exit_code == TOOL_ABSENT)
		(void)fprintf(stderr, "skipped: there is no %s to read the reports with\n", argv[0]);
	else
		ck_assert_msg(exit_code == 0, "%s", text_str(&output));
	text_release(&output);
}

START_TEST(test_suite_report_write_all_formats_pass_foreign_parsers)
{
	static const char *const texts[] = { "Kill the primary", hostile };

	for (size_t i = 0; i < 2; i++) {
		char *folder = temp_dir_make();
		char junit[512];
		struct suite suite = make_suite(texts[i]);

		(void)snprintf(junit, sizeof junit, "%s/junit.xml", folder);
		save_all(folder, &suite);
		check_with((const char *const[]){ "/usr/bin/python3", "tests/check_report.py", folder,
						  NULL });
		check_with((const char *const[]){ "/usr/bin/xmllint", "--noout", "--schema",
						  "fixtures/junit.xsd", junit, NULL });
		temp_dir_remove(folder);
	}
}
END_TEST

/* Every line is a command of ours: nothing in a text begins one, ends a property or breaks a line. */
START_TEST(test_suite_report_write_github_hostile_texts_do_nothing)
{
	const struct suite suite = make_suite(hostile);
	struct text bytes = { 0 };
	size_t line_count = 0;

	for (const char *line = write_as("github", &suite, &bytes); *line != '\0';
	     line += strcspn(line, "\n") + 1) {
		const size_t length = strcspn(line, "\n");
		const char *data = strstr(line, ",title=");
		size_t separators = 0;

		ck_assert_msg(strncmp(line, "::error file=", 13) == 0 ||
			      strncmp(line, "::warning file=", 15) == 0, "%.*s", (int)length, line);
		ck_assert_ptr_nonnull(data);
		data = strstr(data, "::");
		ck_assert_ptr_nonnull(data);
		for (const char *at = line; at < data; at++)
			separators += *at == ',' ? 1 : 0;
		ck_assert_uint_eq(separators, 2); /* before line= and title= */
		for (size_t i = 0; i < length; i++)
			ck_assert_int_ge((unsigned char)line[i], 0x20);
		line_count++;
	}
	ck_assert_uint_eq(line_count, 7); /* all but the one that was met and is not slower */
	text_release(&bytes);
}
END_TEST

START_TEST(test_suite_report_write_github_escapes_as_documented)
{
	struct suite suite = make_suite("50%, a:b\r\nc");
	struct text bytes = { 0 };

	suite.drills = &drills[EXIT_STOPPED];
	suite.drill_count = 1;
	suite.baseline = NULL;
	ck_assert_str_eq(write_as("github", &suite, &bytes),
			 "::error file=50%25%2C a%3Ab%0D%0Ac,line=1,"
			 "title=STOPPED%3A 50%25%2C a%3Ab%0D%0Ac::50%25, a:b%0D%0Ac\n");
	text_release(&bytes);
}
END_TEST

START_TEST(test_suite_report_write_junit_says_why_there_is_no_verdict)
{
	struct suite suite = make_suite("Not started: the budget of 2 s was used up.");
	struct text bytes = { 0 };

	suite.drills = &drills[EXIT_NOT_STARTED];
	suite.drill_count = 1;
	suite.baseline = NULL;
	drills[EXIT_NOT_STARTED].objective_count = 0;
	(void)write_as("junit", &suite, &bytes);
	ck_assert_ptr_nonnull(strstr(text_str(&bytes), "tests=\"1\" failures=\"0\" errors=\"1\""));
	ck_assert_ptr_nonnull(strstr(text_str(&bytes), "<error message=\"Not started: the budget"));
	ck_assert_ptr_null(strstr(text_str(&bytes), "name=\"run\" value=")); /* it has none */
	text_release(&bytes);
}
END_TEST

START_TEST(test_suite_report_write_secrets_are_hidden_in_every_format)
{
	const struct suite suite = make_suite("the key is hunter2-hunter2, really");
	size_t count;
	const struct suite_report_ops *const *table = suite_report_table(&count);
	struct text bytes = { 0 };

	secrets_register(&secrets, "hunter2-hunter2");
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(strstr(write_as(table[i]->name, &suite, &bytes), "hunter2") == NULL,
			      "%s:\n%s", table[i]->name, text_str(&bytes));
	secrets_release(&secrets);
	text_release(&bytes);
}
END_TEST

/* GitLab tells old findings from new ones by it: other numbers in the sentence are no other finding. */
START_TEST(test_suite_report_write_gitlab_fingerprint_outlives_new_numbers)
{
	struct suite suite = make_suite("x");
	struct text first = { 0 };
	struct text second = { 0 };

	suite.drills = &drills[EXIT_MISSED];
	suite.drill_count = 1;
	rows[0].reason = "recovered in 4 s";
	(void)write_as("gitlab", &suite, &first);
	rows[0].reason = "recovered in 5 s";
	(void)write_as("gitlab", &suite, &second);
	ck_assert_str_ne(text_str(&first), text_str(&second));

	const char *one = strstr(text_str(&first), "\"fingerprint\"");
	const char *other = strstr(text_str(&second), "\"fingerprint\"");

	ck_assert(one != NULL && other != NULL);
	ck_assert_int_eq(strncmp(one, other, strcspn(one, "\n")), 0);
	text_release(&first);
	text_release(&second);
}
END_TEST

void suite_report_suite(Suite *suite)
{
	TCase *tcase = tcase_create("report_suite");

	tcase_add_test(tcase, test_suite_report_write_all_formats_pass_foreign_parsers);
	tcase_add_test(tcase, test_suite_report_write_github_hostile_texts_do_nothing);
	tcase_add_test(tcase, test_suite_report_write_github_escapes_as_documented);
	tcase_add_test(tcase, test_suite_report_write_junit_says_why_there_is_no_verdict);
	tcase_add_test(tcase, test_suite_report_write_secrets_are_hidden_in_every_format);
	tcase_add_test(tcase, test_suite_report_write_gitlab_fingerprint_outlives_new_numbers);
	suite_add_tcase(suite, tcase);
}
