/*
 * test_load_invalid.c - every bad experiment of fixtures/invalid says exactly what stands in its
 * NAME.expected, every experiment that ships loads, and the reference page names every key of the
 * declared rows. Run from the repository.
 */
#include "load/documents.h"
#include "tests/suites.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOCUMENTS_MIN = 24, DOCUMENTS_MAX = 200 };

static struct arena arena;
static struct problems problems;

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
}

static void teardown(void)
{
	arena_release(&arena);
}

static bool ends_in(const char *name, const char *end)
{
	const size_t name_bytes = strlen(name);
	const size_t end_bytes = strlen(end);

	return name_bytes > end_bytes && strcmp(name + name_bytes - end_bytes, end) == 0;
}

/* Experiments only: inventories are read through them, and plan files are read as schedules. */
static int is_document(const struct dirent *entry)
{
	return strncmp(entry->d_name, "inventory", 9) != 0 && strncmp(entry->d_name, "plan", 4) != 0 &&
	       strcmp(entry->d_name, "no-schedule.yaml") != 0 &&
	       (ends_in(entry->d_name, ".yaml") || ends_in(entry->d_name, ".json"));
}

static size_t list_documents(const char *directory, const char *ret_paths[DOCUMENTS_MAX])
{
	struct dirent **entries = NULL;
	const int count = scandir(directory, &entries, is_document, alphasort);

	ck_assert_msg(count >= 0 && count <= DOCUMENTS_MAX, "%s: %d documents", directory, count);
	for (int i = 0; i < count; i++) {
		ret_paths[i] = arena_format(&arena, "%s/%s", directory, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return (size_t)count;
}

static void read_file(const char *path, struct text *text)
{
	char bytes[4096];
	size_t got;
	FILE *file = fopen(path, "r");

	ck_assert_msg(file != NULL, "%s is missing", path);
	while ((got = fread(bytes, 1, sizeof bytes, file)) > 0)
		text_add_bytes(text, bytes, got);
	(void)fclose(file);
}

static bool load_path(const char *path, struct text *said)
{
	const struct experiment *experiment = NULL;
	const bool is_loaded = load_experiment(&(struct load_request){ .experiment_path = path },
					       &arena, NULL, &experiment, &problems);

	for (size_t i = 0; i < problems.count; i++) {
		problem_print(&problems.items[i], said);
		text_add(said, "\n");
	}
	return is_loaded;
}

START_TEST(test_load_invalid_documents_say_what_is_expected)
{
	const char *paths[DOCUMENTS_MAX];
	const size_t count = list_documents("fixtures/invalid", paths);

	ck_assert_uint_ge(count, DOCUMENTS_MIN);
	for (size_t i = 0; i < count; i++) {
		const size_t stem_bytes = strlen(paths[i]) - strlen(".yaml");
		struct text expected = { 0 };
		struct text said = { 0 };
		const bool is_loaded = load_path(paths[i], &said);

		ck_assert_msg(!is_loaded, "%s was loaded", paths[i]);
		read_file(arena_format(&arena, "%.*s.expected", (int)stem_bytes, paths[i]),
			  &expected);
		ck_assert_uint_gt(expected.length_bytes, 0);
		ck_assert_msg(strcmp(text_str(&said), text_str(&expected)) == 0,
			      "%s\nsays:\n%s\nexpected:\n%s", paths[i], text_str(&said),
			      text_str(&expected));
		text_release(&expected);
		text_release(&said);
	}
}
END_TEST

static void check_plan_file(const char *name)
{
	const char *const path = arena_format(&arena, "fixtures/invalid/%s.yaml", name);
	struct schedule_list list = { 0 };
	struct text expected = { 0 };
	struct text said = { 0 };

	ck_assert_msg(!load_schedules(&(struct load_request){ 0 }, &path, 1, &arena, &list, &problems),
		      "%s was loaded", path);
	for (size_t i = 0; i < problems.count; i++) {
		problem_print(&problems.items[i], &said);
		text_add(&said, "\n");
	}
	read_file(arena_format(&arena, "fixtures/invalid/%s.expected", name), &expected);
	ck_assert_msg(strcmp(text_str(&said), text_str(&expected)) == 0,
		      "%s\nsays:\n%s\nexpected:\n%s", path, text_str(&said), text_str(&expected));
	text_release(&expected);
	text_release(&said);
}

START_TEST(test_load_schedules_invalid_plan_files_say_what_is_expected)
{
	static const char *const names[] = { "plan", "plan-empty", "plan-shape", "no-schedule" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		check_plan_file(names[i]);
}
END_TEST

START_TEST(test_load_schedules_of_one_name_in_two_files_are_refused)
{
	static const char *const paths[] = { "experiments/plan.yaml", "experiments/plan.yaml" };
	struct schedule_list list = { 0 };

	ck_assert(load_schedules(&(struct load_request){ 0 }, paths, 1, &arena, &list, &problems));
	ck_assert_uint_eq(list.count, 3);
	ck_assert(!load_schedules(&(struct load_request){ 0 }, paths, 2, &arena, &list, &problems));
	ck_assert_uint_eq(problems.count, 3);
	ck_assert_ptr_nonnull(strstr(problems.items[0].text, "there is a schedule `"));
}
END_TEST

START_TEST(test_load_experiments_that_ship_load_without_a_problem)
{
	const char *paths[DOCUMENTS_MAX];
	const size_t count = list_documents("experiments", paths);

	ck_assert_uint_gt(count, 0);
	for (size_t i = 0; i < count; i++) {
		struct text said = { 0 };
		const bool is_loaded = load_path(paths[i], &said);

		ck_assert_msg(is_loaded, "%s", text_str(&said));
		for (size_t j = 0; j < problems.count; j++)
			ck_assert(problems.items[j].is_warning);
		text_release(&said);
	}
}
END_TEST

static const char *page_path;

static void must_name(const struct text *page, const char *key)
{
	const char *quoted = arena_format(&arena, "`%s`", key);
	const char *shown = arena_format(&arena, "%s:", key);

	ck_assert_msg(strstr(text_str(page), quoted) != NULL ||
			      strstr(text_str(page), shown) != NULL,
		      "%s does not name `%s`", page_path, key);
}

static void must_name_form(const struct text *page, const struct form *form)
{
	for (const struct param *row = form->params; row != NULL && row->name != NULL; row++)
		must_name(page, row->name);
	for (const struct part *part = form->parts; part != NULL && part->name != NULL; part++) {
		must_name(page, part->name);
		if (part->form != NULL)
			must_name_form(page, part->form);
	}
}

START_TEST(test_load_reference_page_names_every_key)
{
	struct text page = { 0 };

	page_path = "docs/experiments.md";
	read_file(page_path, &page);
	must_name_form(&page, &form_experiment);
	must_name_form(&page, &form_inventory);
	text_clear(&page);
	page_path = "docs/schedule.md";
	read_file(page_path, &page);
	read_file("docs/experiments.md", &page); /* what every schedule has stands there */
	must_name_form(&page, &form_plan_file);
	text_release(&page);
}
END_TEST

void suite_load_invalid(Suite *suite)
{
	TCase *tcase = tcase_create("load_invalid");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_load_invalid_documents_say_what_is_expected);
	tcase_add_test(tcase, test_load_schedules_invalid_plan_files_say_what_is_expected);
	tcase_add_test(tcase, test_load_schedules_of_one_name_in_two_files_are_refused);
	tcase_add_test(tcase, test_load_experiments_that_ship_load_without_a_problem);
	tcase_add_test(tcase, test_load_reference_page_names_every_key);
	suite_add_tcase(suite, tcase);
}
