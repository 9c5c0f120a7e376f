/*
 * test_report.c - what every report says, for each way a drill can end.
 *
 * Golden files in fixtures/golden are what a person has looked at; UPDATE_GOLDEN=1 rewrites them.
 * Parsers that are not ours read all formats of all stories (tests/check_report.py).
 */
#include "tests/suites.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixtures/run_tool.h"
#include "fixtures/stories.h"
#include "fixtures/temp_dir.h"
#include "reports/report.h"

static struct arena arena;

static void set_up(void)
{
	arena = (struct arena){ 0 };
}

static void tear_down(void)
{
	arena_release(&arena);
}

static void write_report(const char *format, const struct story *story,
			 const struct report_style *style, struct text *ret_bytes)
{
	const struct report_ops *ops = report_find(format);
	struct err e = { 0 };

	ck_assert_msg(ops != NULL, "there is no format %s", format);
	ck_assert_msg(report_write(ops, story, style, ret_bytes, &e), "%s: %s", format, e.text);
}

/* The text of a report in the plain style; the caller releases it. */
static struct text report_of(const char *format, const struct story *story)
{
	struct text bytes = { 0 };

	write_report(format, story, &(struct report_style){ 0 }, &bytes);
	return bytes;
}

static void save(const char *path, const struct text *bytes)
{
	FILE *file = fopen(path, "wb");

	ck_assert_msg(file != NULL, "open %s", path);
	ck_assert_uint_eq(fwrite(text_str(bytes), 1, bytes->length_bytes, file),
			  bytes->length_bytes);
	ck_assert_int_eq(fclose(file), 0);
}

static void load(const char *path, struct text *ret_bytes)
{
	char bytes[4096];
	size_t length;
	FILE *file = fopen(path, "rb");

	ck_assert_msg(file != NULL, "open %s: run the tests in the repository", path);
	while ((length = fread(bytes, 1, sizeof bytes, file)) > 0)
		text_add_bytes(ret_bytes, bytes, length);
	ck_assert_int_eq(fclose(file), 0);
}

static void assert_says(const char *format, const struct story *story, const char *words)
{
	struct text bytes = report_of(format, story);

	ck_assert_msg(strstr(text_str(&bytes), words) != NULL, "%s does not say '%s':\n%s", format,
		      words, text_str(&bytes));
	text_release(&bytes);
}

struct golden {
	const char *story;
	const char *format;
	const char *file;
	struct report_style style;
};

static const struct golden goldens[] = {
	{ "met", "text", "met.txt", { .is_utf8 = true } },
	{ "met", "json", "met.json", { 0 } },
	{ "met", "junit", "met.xml", { 0 } },
	{ "met", "markdown", "met.md", { 0 } },
	{ "missed", "text", "missed.txt", { 0 } },
	{ "missed", "json", "missed.json", { 0 } },
	{ "missed", "junit", "missed.xml", { 0 } },
	{ "missed", "markdown", "missed.md", { 0 } },
};

static const struct story *story_named(const char *name)
{
	size_t count;
	const struct story_row *rows = story_table(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].make(&arena);
	ck_abort_msg("there is no story %s", name);
	return NULL;
}

/* Says the first line that differs: a whole report is too long for a message of Check. */
static void assert_same(const char *path, const char *got, const char *expected)
{
	size_t line_start = 0;
	size_t i = 0;

	while (got[i] != '\0' && got[i] == expected[i]) {
		if (got[i] == '\n')
			line_start = i + 1;
		i++;
	}
	ck_assert_msg(got[i] == expected[i], "%s differs:\n got      %.*s\n expected %.*s", path,
		      (int)strcspn(got + line_start, "\n"), got + line_start,
		      (int)strcspn(expected + line_start, "\n"), expected + line_start);
}

START_TEST(test_report_write_golden_is_unchanged)
{
	const struct golden *golden = &goldens[_i];
	struct text bytes = { 0 };
	struct text expected = { 0 };
	char path[256];

	(void)snprintf(path, sizeof path, "fixtures/golden/%s", golden->file);
	write_report(golden->format, story_named(golden->story), &golden->style, &bytes);
	if (getenv("UPDATE_GOLDEN") != NULL)
		save(path, &bytes);
	load(path, &expected);
	assert_same(path, text_str(&bytes), text_str(&expected));
	text_release(&bytes);
	text_release(&expected);
}
END_TEST

START_TEST(test_report_write_same_story_gives_same_bytes)
{
	size_t count;
	const struct report_ops *const *table = report_table(&count);
	const struct story *story = story_missed(&arena);

	for (size_t i = 0; i < count; i++) {
		struct text first = report_of(table[i]->name, story);
		struct text second = report_of(table[i]->name, story);

		ck_assert_uint_eq(first.length_bytes, second.length_bytes);
		ck_assert_int_eq(memcmp(text_str(&first), text_str(&second), first.length_bytes),
				 0);
		text_release(&first);
		text_release(&second);
	}
}
END_TEST

START_TEST(test_report_find_unknown_name_is_null)
{
	ck_assert_ptr_null(report_find("pdf"));
	ck_assert_str_eq(report_find("text")->file_name, "report.txt");
}
END_TEST

/* Every story in every format into a directory of its own. */
static void save_all(const char *folder)
{
	size_t story_count;
	size_t format_count;
	const struct story_row *stories = story_table(&story_count);
	const struct report_ops *const *formats = report_table(&format_count);

	for (size_t s = 0; s < story_count; s++) {
		const struct story *story = stories[s].make(&arena);

		for (size_t f = 0; f < format_count; f++) {
			struct text bytes = report_of(formats[f]->name, story);
			char path[512];

			(void)snprintf(path, sizeof path, "%s/%s.%s", folder, stories[s].name,
				       formats[f]->file_name);
			save(path, &bytes);
			text_release(&bytes);
		}
	}
}

static void remove_folder(const char *folder)
{
	DIR *directory = opendir(folder);
	char path[512];

	ck_assert_ptr_nonnull(directory);
	for (struct dirent *entry = readdir(directory); entry != NULL;
	     entry = readdir(directory)) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			(void)unlink(path);
	}
	(void)closedir(directory);
	ck_assert_int_eq(rmdir(folder), 0);
}

static int check_folder(const char *folder, struct text *ret_output)
{
	const char *const argv[] = { "/usr/bin/python3", "tests/check_report.py", folder, NULL };

	return tool_run(argv, ret_output);
}

START_TEST(test_report_write_all_stories_pass_foreign_parsers)
{
	char folder[64];
	struct text output = { 0 };

	temp_dir_name(folder, sizeof folder);
	save_all(folder);

	const int exit_code = check_folder(folder, &output);

	remove_folder(folder);
	if (exit_code == TOOL_ABSENT)
		(void)fprintf(stderr, "skipped: no /usr/bin/python3 to read the reports with\n");
	else
		ck_assert_msg(exit_code == 0, "%s", text_str(&output));
	text_release(&output);
}
END_TEST

START_TEST(test_check_report_broken_reports_are_found)
{
	static const char *const files[][2] = {
		{ "a.xml", "<testsuites><a></testsuites>" },
		{ "b.json", "{\"format\": \"firedrill report\", \"format_version\": 1}" },
		{ "c.html", "<html><body><p></body></html>" },
		{ "d.html",
		  "<html lang=\"en\"><body><a href=\"http://x.example\">x</a></body></html>" },
		{ "e.txt", "a\x1b[2Jb" },
	};
	char folder[64];
	struct text output = { 0 };

	temp_dir_name(folder, sizeof folder);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct text bytes = { 0 };
		char path[512];

		text_add(&bytes, files[i][1]);
		(void)snprintf(path, sizeof path, "%s/%s", folder, files[i][0]);
		save(path, &bytes);
		text_release(&bytes);
	}

	const int exit_code = check_folder(folder, &output);

	remove_folder(folder);
	if (exit_code != TOOL_ABSENT) {
		ck_assert_int_eq(exit_code, 1);
		for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
			ck_assert_msg(strstr(text_str(&output), files[i][0]) != NULL,
				      "%s passed:\n%s", files[i][0], text_str(&output));
	}
	text_release(&output);
}
END_TEST

START_TEST(test_report_write_hostile_texts_never_get_through)
{
	size_t count;
	const struct report_ops *const *table = report_table(&count);
	const struct story *story = story_hostile(&arena);

	for (size_t i = 0; i < count; i++) {
		struct text bytes = report_of(table[i]->name, story);
		const char *text = text_str(&bytes);
		const bool is_markup = strcmp(table[i]->name, "html") == 0 ||
				       strcmp(table[i]->name, "junit") == 0 ||
				       strcmp(table[i]->name, "markdown") == 0;

		ck_assert_uint_gt(bytes.length_bytes, 100);
		if (!table[i]->is_binary) {
			ck_assert_uint_eq(strlen(text), bytes.length_bytes);
			ck_assert_ptr_null(strstr(text, story_hostile_escape));
			/* JSON is for machines: there a name stays what it is. */
			ck_assert(strcmp(table[i]->name, "json") == 0 ||
				  strstr(text, "\xe2\x80\xae") == NULL);
			ck_assert_ptr_null(strstr(text, "\xed\xa0\x80"));
		}
		if (is_markup)
			ck_assert_ptr_null(strstr(text, story_hostile_markup));
		text_release(&bytes);
	}
}
END_TEST

START_TEST(test_report_write_secrets_are_hidden_in_every_form)
{
	/* Characters that each format escapes in its own way, and one that wraps over lines. */
	static const char *const values[] = { "pa<ss>&\"wo*rd'", "a secret of several words here" };
	size_t count;
	const struct report_ops *const *table = report_table(&count);
	struct story story = *story_met(&arena);
	struct secrets secrets = { 0 };
	struct event event = story.timeline.events[0];
	struct deed deed = story.deeds[0];

	for (size_t i = 0; i < 2; i++)
		secrets_register(&secrets, values[i]);
	story.outcome.sentence =
		arena_format(&arena, "connect with %s or %s: refused", values[0], values[1]);
	event.text = story.outcome.sentence;
	event.data = arena_format(&arena, "{\"a\": \"%s\"}", values[1]);
	deed.what = story.outcome.sentence;
	story.timeline.events = &event;
	story.timeline.event_count = 1;
	story.deeds = &deed;
	story.secrets = &secrets;

	for (size_t i = 0; i < count; i++) {
		struct text bytes = report_of(table[i]->name, &story);

		if (!table[i]->is_binary) {
			ck_assert_ptr_nonnull(strstr(text_str(&bytes), "secret"));
			ck_assert_ptr_null(strstr(text_str(&bytes), "pa<ss"));
			ck_assert_ptr_null(strstr(text_str(&bytes), "pa&lt;ss"));
			ck_assert_ptr_null(strstr(text_str(&bytes), "pa\\<ss"));
			ck_assert_ptr_null(strstr(text_str(&bytes), "of several"));
		}
		text_release(&bytes);
	}
	secrets_release(&secrets);
}
END_TEST

START_TEST(test_text_every_ending_is_named_first)
{
	static const struct {
		const char *story;
		const char *words;
	} endings[] = {
		{ "met", "+ MET  Kill" },
		{ "missed", "x MISSED  Kill" },
		{ "inconclusive", "? INCONCLUSIVE  Kill" },
		{ "never_recovered", "x MISSED  Kill" },
		{ "no_outage", "+ MET  Kill" },
		{ "not_started", "- NOT STARTED  Kill" },
		{ "stopped", "? STOPPED  Kill" },
		{ "leftover", "x LEFT UNHEALED  Kill" },
	};

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		struct text bytes = report_of("text", story_named(endings[i].story));

		ck_assert_msg(strncmp(text_str(&bytes), endings[i].words,
				      strlen(endings[i].words)) == 0,
			      "%s", text_str(&bytes));
		text_release(&bytes);
	}
}
END_TEST

START_TEST(test_text_results_without_a_number_are_words)
{
	assert_says("text", story_never_recovered(&arena), "never recovered (down at least");
	assert_says("text", story_no_outage(&arena), "no outage seen at every=20ms");
	assert_says("text", story_never_recovered(&arena), "what was lost is not known");
	assert_says("text", story_inconclusive(&arena), "Probe every 100ms or less.");
	assert_says("text", story_leftover(&arena), "firedrill heal 20261121-172030-1e57");
}
END_TEST

/* No line is wider than asked for: counted without escapes, a UTF-8 character as one. */
static size_t widest_line(const char *text)
{
	size_t widest = 0;
	size_t width = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\x1b') {
			text = strchr(text, 'm');
			continue;
		}
		if (*text == '\n')
			width = 0;
		else if ((*text & 0xc0) != 0x80)
			width++;
		if (width > widest)
			widest = width;
	}
	return widest;
}

START_TEST(test_text_any_width_is_kept)
{
	static const uint32_t widths[] = { 0, 60, 80, 132 };
	size_t count;
	const struct story_row *rows = story_table(&count);

	for (size_t i = 0; i < count; i++)
		for (size_t w = 0; w < 4; w++) {
			const struct report_style style = { .has_colour = true, .is_utf8 = true,
							    .columns = widths[w] };
			const size_t limit = widths[w] == 0 ? 80 : widths[w];
			struct text bytes = { 0 };

			write_report("text", rows[i].make(&arena), &style, &bytes);
			ck_assert_msg(widest_line(text_str(&bytes)) <= limit,
				      "%s: a line of %zu, not %zu", rows[i].name,
				      widest_line(text_str(&bytes)), limit);
			text_release(&bytes);
		}
}
END_TEST

START_TEST(test_text_without_colour_has_no_escape_and_plain_ascii)
{
	struct text bytes = report_of("text", story_missed(&arena));

	for (size_t i = 0; i < bytes.length_bytes; i++) {
		const unsigned char byte = (unsigned char)bytes.owned_bytes[i];

		ck_assert_msg(byte == '\n' || (byte >= 0x20 && byte < 0x7f), "byte %02x", byte);
	}
	text_release(&bytes);
}
END_TEST

START_TEST(test_json_numbers_beyond_double_stay_exact)
{
	struct story story = *story_met(&arena);
	struct probe_result probe = story.probes[0];

	probe.rto.high_ns = INT64_C(9007199254740993);
	story.probes = &probe;
	story.probe_count = 1;
	story.service = &probe;
	assert_says("json", &story, "9007199254740993");
}
END_TEST

START_TEST(test_junit_endings_that_are_no_pass_are_errors)
{
	assert_says("junit", story_not_started(&arena), "type=\"NOT STARTED\"");
	assert_says("junit", story_stopped(&arena), "type=\"STOPPED\"");
	assert_says("junit", story_inconclusive(&arena), "<error message=\"The target lies inside");
	assert_says("junit", story_leftover(&arena), "type=\"leftover\"");
	assert_says("junit", story_met(&arena), "failures=\"0\" errors=\"0\" skipped=\"0\"");
}
END_TEST

START_TEST(test_markdown_mentions_and_links_do_not_work)
{
	struct text bytes = report_of("markdown", story_hostile(&arena));

	ck_assert_ptr_null(strstr(text_str(&bytes), "@all"));
	ck_assert_ptr_null(strstr(text_str(&bytes), "http://evil"));
	ck_assert_ptr_null(strstr(text_str(&bytes), "www.evil"));
	ck_assert_ptr_null(strstr(text_str(&bytes), "#12"));
	text_release(&bytes);
}
END_TEST

void suite_report(Suite *suite)
{
	TCase *tests = tcase_create("report");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, test_report_write_golden_is_unchanged, 0,
			    (int)(sizeof goldens / sizeof goldens[0]));
	tcase_add_test(tests, test_report_write_same_story_gives_same_bytes);
	tcase_add_test(tests, test_report_find_unknown_name_is_null);
	tcase_add_test(tests, test_report_write_all_stories_pass_foreign_parsers);
	tcase_add_test(tests, test_check_report_broken_reports_are_found);
	tcase_add_test(tests, test_report_write_hostile_texts_never_get_through);
	tcase_add_test(tests, test_report_write_secrets_are_hidden_in_every_form);
	tcase_add_test(tests, test_text_every_ending_is_named_first);
	tcase_add_test(tests, test_text_results_without_a_number_are_words);
	tcase_add_test(tests, test_text_any_width_is_kept);
	tcase_add_test(tests, test_text_without_colour_has_no_escape_and_plain_ascii);
	tcase_add_test(tests, test_json_numbers_beyond_double_stay_exact);
	tcase_add_test(tests, test_junit_endings_that_are_no_pass_are_errors);
	tcase_add_test(tests, test_markdown_mentions_and_links_do_not_work);
	suite_add_tcase(suite, tests);
}
