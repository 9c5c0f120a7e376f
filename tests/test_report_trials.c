/*
 * test_report_trials.c - reports of sets of trials: every format of every kind of set passes parsers
 * that are not ours, says what it must, and lets nothing hostile or secret through.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixtures/run_tool.h"
#include "fixtures/stories.h"
#include "fixtures/temp_dir.h"
#include "reports/report.h"
#include "tests/suites.h"

enum { TRIALS = 130 };

static const char secret[] = "hunter2-hunter2";

static struct arena arena;
static struct secrets secrets;
static struct trial trials[TRIALS];
static struct objective_result rows[2];

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
	memset(&secrets, 0, sizeof secrets);
	memset(trials, 0, sizeof trials);
}

static void teardown(void)
{
	secrets_release(&secrets);
	arena_release(&arena);
}

static struct trial_set make_set(size_t trial_count, const char *text)
{
	struct trial_set set = {
		.set_id = "20261121-102030-sets",
		.version = "0.1.0",
		.title = text,
		.hypothesis = text,
		.service = text,
		.promised = { .has_rto = true, .rto_ns = 30 * NS_PER_S, .has_rto_share = true,
			      .rto_share_ppm = 950000, .rto_confidence_ppm = 900000 },
		.seed = 7,
		.planned_count = (int64_t)trial_count,
		.begun_wall_ns = INT64_C(1795256430) * NS_PER_S,
		.ended_wall_ns = INT64_C(1795256630) * NS_PER_S,
		.is_ended = true,
		.trials = trials,
		.trial_count = trial_count,
		.ranked_count = trial_count,
		.rto = { { NS_PER_S, 2 * NS_PER_S }, { 2 * NS_PER_S, 3 * NS_PER_S },
			 { 3 * NS_PER_S, INT64_MAX }, { 4 * NS_PER_S, INT64_MAX } },
		.share = { .trial_count = trial_count, .met_count = trial_count,
			   .low_ppm = 846682, .high_ppm = 1000000 },
		.objectives = rows,
		.objective_count = 2,
		.outcome = { .verdict = VERDICT_INCONCLUSIVE, .exit_code = EXIT_INCONCLUSIVE,
			     .sentence = text },
		.secrets = &secrets,
	};

	rows[0] = (struct objective_result){ "rto", text, text, "", VERDICT_INCONCLUSIVE, text,
					     text };
	rows[1] = (struct objective_result){ "rpo", "at most 0 s", "met in 3 of 3 trials", "",
					     VERDICT_MET, "Every trial met it.", NULL };
	for (size_t i = 0; i < trial_count; i++)
		trials[i] = (struct trial){
			.number = (int64_t)i + 1,
			.run_id = "20261121-102030-sets-t01",
			.seed = 4000000000 + i,
			.begun_wall_ns = set.begun_wall_ns,
			.took_ns = 10 * NS_PER_S,
			.rto_kind = (enum measured)(i % 4),
			.rto = { NS_PER_S * (int64_t)(i % 9), NS_PER_S * (int64_t)(i % 9 + 1) },
			.objectives = rows,
			.objective_count = 2,
			.outcome = { .exit_code = (enum run_exit)(i % 8), .sentence = text },
		};
	for (size_t i = MEASURED_NEVER_RECOVERED; i < trial_count; i += 4)
		trials[i].rto.high_ns = INT64_MAX;
	return set;
}

static void write_format(const char *format, const struct trial_set *set, bool has_colour,
			 uint32_t columns, struct text *ret_bytes)
{
	const struct report_style style = { .has_colour = has_colour, .columns = columns };
	struct err e = { 0 };

	ck_assert_msg(report_write_set(report_find(format), set, &style, ret_bytes, &e), "%s",
		      e.text);
}

static void save_all(const char *folder, const char *name, const struct trial_set *set)
{
	size_t count;
	const struct report_ops *const *table = report_table(&count);

	for (size_t i = 0; i < count; i++) {
		struct text bytes = { 0 };
		char path[512];
		FILE *file;

		if (table[i]->write_set == NULL)
			continue;
		write_format(table[i]->name, set, false, 0, &bytes);
		(void)snprintf(path, sizeof path, "%s/%s-%s", folder, name, table[i]->file_name);
		file = fopen(path, "w");
		ck_assert_ptr_nonnull(file);
		ck_assert_uint_eq(fwrite(text_str(&bytes), 1, bytes.length_bytes, file),
				  bytes.length_bytes);
		ck_assert_int_eq(fclose(file), 0);
		text_release(&bytes);
	}
}

START_TEST(test_report_write_set_all_formats_pass_foreign_parsers)
{
	char *folder = temp_dir_make();
	const char *const argv[] = { "/usr/bin/python3", "tests/check_report.py", folder, NULL };
	struct trial_set some = make_set(9, "Kill the primary & \"look\" <at> it");
	struct text output = { 0 };
	int exit_code;

	save_all(folder, "some", &some);

	struct trial_set many = make_set(TRIALS, "many");

	save_all(folder, "many", &many);

	struct trial_set none = make_set(0, "none");

	none.objective_count = 0;
	none.share = (struct trial_share){ 0 };
	none.outcome.exit_code = EXIT_INTERNAL;
	save_all(folder, "none", &none);

	struct trial_set bare = make_set(2, "bare");

	bare.hypothesis = NULL;
	bare.service = NULL;
	bare.stopped = "stopped by signal 2 (INT)";
	bare.promised = (struct objectives){ .has_rto = false };
	bare.outcome.exit_code = EXIT_MET;
	save_all(folder, "bare", &bare);
	exit_code = tool_run(argv, &output);
	temp_dir_remove(folder);
	if (exit_code == TOOL_ABSENT)
		(void)fprintf(stderr, "skipped: no /usr/bin/python3 to read the reports with\n");
	else
		ck_assert_msg(exit_code == 0, "%s", text_str(&output));
	text_release(&output);
}
END_TEST

START_TEST(test_report_write_set_hostile_texts_and_secrets_never_get_through)
{
	static const char *const formats[] = { "text", "json", "junit", "markdown", "html" };
	const char *text = arena_format(&arena, "%s %s %s", story_hostile_markup,
					story_hostile_escape, secret);
	struct trial_set set = make_set(3, text);

	secrets_register(&secrets, secret);
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		struct text bytes = { 0 };

		write_format(formats[i], &set, false, 80, &bytes);
		ck_assert_msg(strstr(text_str(&bytes), secret) == NULL, "%s", formats[i]);
		ck_assert_msg(strstr(text_str(&bytes), story_hostile_escape) == NULL, "%s",
			      formats[i]);
		if (strcmp(formats[i], "text") != 0 && strcmp(formats[i], "json") != 0)
			ck_assert_msg(strstr(text_str(&bytes), story_hostile_markup) == NULL, "%s",
				      formats[i]);
		text_release(&bytes);
	}
}
END_TEST

START_TEST(test_report_write_set_text_says_what_matters_in_any_width)
{
	static const char *const words[] = { "INCONCLUSIVE", "slowest", "4 s or more",
					     "of 9 trials", "no outage seen", "4000000008" };
	struct trial_set set = make_set(9, "Kill it");

	set.no_outage_count = 2;
	set.never_count = 2;
	for (uint32_t columns = 40; columns <= 240; columns += 40) {
		struct text bytes = { 0 };
		const char *line;

		write_format("text", &set, false, columns, &bytes);
		for (line = text_str(&bytes); *line != '\0';
		     line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n'))
			ck_assert_msg(strcspn(line, "\n") <= columns || columns < 80,
				      "%u: %.*s", columns, (int)strcspn(line, "\n"), line);
		for (size_t i = 0; columns >= 80 && i < sizeof words / sizeof words[0]; i++)
			ck_assert_msg(strstr(text_str(&bytes), words[i]) != NULL, "no %s in\n%s",
				      words[i], text_str(&bytes));
		text_release(&bytes);
	}

	struct text coloured = { 0 };

	write_format("text", &set, true, 80, &coloured);
	ck_assert_ptr_nonnull(strstr(text_str(&coloured), "\x1b[1;33m"));
	text_release(&coloured);
}
END_TEST

START_TEST(test_report_write_set_junit_has_a_case_for_each_trial_and_the_set)
{
	struct trial_set set = make_set(3, "Kill it");
	struct text bytes = { 0 };

	trials[2].outcome.exit_code = EXIT_NOT_STARTED;
	write_format("junit", &set, false, 0, &bytes);
	ck_assert_ptr_nonnull(strstr(text_str(&bytes), "tests=\"4\" failures=\"1\" errors=\"2\""));
	ck_assert_ptr_nonnull(strstr(text_str(&bytes), "name=\"trial 2\""));
	ck_assert_ptr_nonnull(strstr(text_str(&bytes), "name=\"set\""));
	text_release(&bytes);
}
END_TEST

START_TEST(test_report_write_set_picture_is_refused)
{
	const struct trial_set set = make_set(1, "Kill it");
	const struct report_style style = { .columns = 80 };
	struct text bytes = { 0 };
	struct err e = { 0 };

	ck_assert(!report_write_set(report_find("png"), &set, &style, &bytes, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.text, "each trial has one"));
	ck_assert_uint_eq(bytes.length_bytes, 0);
	text_release(&bytes);
}
END_TEST

void suite_report_trials(Suite *suite)
{
	TCase *tcase = tcase_create("report_trials");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_report_write_set_all_formats_pass_foreign_parsers);
	tcase_add_test(tcase, test_report_write_set_hostile_texts_and_secrets_never_get_through);
	tcase_add_test(tcase, test_report_write_set_text_says_what_matters_in_any_width);
	tcase_add_test(tcase, test_report_write_set_junit_has_a_case_for_each_trial_and_the_set);
	tcase_add_test(tcase, test_report_write_set_picture_is_refused);
	suite_add_tcase(suite, tcase);
}
