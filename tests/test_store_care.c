/*
 * test_store_care.c - runs that go from one store to another keep every seal, a check finds what was
 * changed, a copy of a store is a store.
 */
#include "store/store_care.h"
#include "fixtures/evidence_run.h"
#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "store/bundle.h"
#include "tests/suites.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char *dir;
static struct text path;
static struct store *store; /* of the kind that is tried */
static struct store *origin; /* a file */
static struct arena arena;
static struct err e;

static const char *in_dir(const char *name)
{
	return arena_format(&arena, "%s/%s", dir, name);
}

static struct store *open_file(const char *name)
{
	struct store *opened = NULL;

	ck_assert_msg(store_open(in_dir(name), NULL, &opened, &e), "%s", e.text);
	return opened;
}

static void setup(void)
{
	dir = temp_dir_make();
	store_try_place(dir, &path);
	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e), "%s", e.text);
	origin = open_file("origin.db");
	evidence_run_make(origin, &arena, 20000); /* more than one chunk */
}

static void teardown(void)
{
	store_close(store);
	store_close(origin);
	store = NULL;
	origin = NULL;
	text_release(&path);
	arena_release(&arena);
	temp_dir_remove(dir);
}

static void heal_all(struct store *in)
{
	struct heal_row *rows = NULL;
	size_t count = 0;

	ck_assert_msg(store_heals_open(in, NULL, &arena, &rows, &count, &e), "%s", e.text);
	ck_assert_uint_gt(count, 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(store_heal_mark(in, &rows[i].record, HEAL_DONE, &e), "%s", e.text);
}

static const char *export_from(struct store *from, const char *name)
{
	const struct bundle_request request = { .run_id = evidence_run_id,
						.exporter = "9",
						.path = in_dir(name) };

	ck_assert_msg(bundle_export(from, &request, &e), "%s", e.text);
	return request.path;
}

static enum import_end import_into(struct store *to, const char *bundle)
{
	struct run_row row;

	return store_import(to, bundle, &arena, &row, &e);
}

static const char *head_in(struct store *from)
{
	struct timeline timeline;

	ck_assert_msg(store_timeline(from, evidence_run_id, &arena, &timeline, &e), "%s", e.text);
	return arena_copy(&arena, timeline.head);
}

static size_t read_bytes(const char *file, char **ret_bytes)
{
	FILE *stream = fopen(file, "rb");
	struct stat found;

	ck_assert_ptr_nonnull(stream);
	ck_assert_int_eq(fstat(fileno(stream), &found), 0);
	*ret_bytes = arena_alloc(&arena, (size_t)found.st_size);
	ck_assert_uint_eq(fread(*ret_bytes, 1, (size_t)found.st_size, stream), (size_t)found.st_size);
	ck_assert_int_eq(fclose(stream), 0);
	return (size_t)found.st_size;
}

START_TEST(test_run_that_goes_there_and_back_keeps_every_byte)
{
	struct store *third = open_file("third.db");
	char *first_bytes;
	char *last_bytes;

	heal_all(origin);

	const char *first = export_from(origin, "first.tar");

	ck_assert_msg(import_into(store, first) == IMPORT_DONE, "%s", e.text);
	ck_assert_str_eq(head_in(store), head_in(origin));

	const char *second = export_from(store, "second.tar");

	ck_assert_msg(import_into(third, second) == IMPORT_DONE, "%s", e.text);
	ck_assert_str_eq(head_in(third), head_in(origin));

	const size_t length = read_bytes(first, &first_bytes);

	ck_assert_uint_eq(read_bytes(export_from(third, "last.tar"), &last_bytes), length);
	ck_assert_int_eq(memcmp(first_bytes, last_bytes, length), 0);
	store_close(third);
}
END_TEST

START_TEST(test_import_a_second_time_changes_nothing)
{
	heal_all(origin);

	const char *bundle = export_from(origin, "run.tar");

	ck_assert_int_eq(import_into(store, bundle), IMPORT_DONE);
	ck_assert_int_eq(import_into(store, bundle), IMPORT_WAS_THERE);
	ck_assert_str_eq(head_in(store), head_in(origin));
}
END_TEST

START_TEST(test_import_refuses_a_run_that_is_not_healed)
{
	const char *bundle = export_from(origin, "run.tar");
	struct run_row *rows = NULL;
	size_t count = 99;

	ck_assert_int_eq(import_into(store, bundle), IMPORT_FAILED);
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "something of it is unhealed"));
	ck_assert(store_runs(store, 0, &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(test_import_refuses_another_run_with_the_same_id)
{
	const struct run_row other = { .run_id = evidence_run_id, .title = "another" };
	struct run_row found;

	heal_all(origin);
	ck_assert_msg(store_run_begin(store, &other, &e), "%s", e.text);
	ck_assert_int_eq(import_into(store, export_from(origin, "run.tar")), IMPORT_FAILED);
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "another run with this id"));
	ck_assert(store_run_find(store, evidence_run_id, &arena, &found, &e));
	ck_assert_str_eq(found.title, "another");
}
END_TEST

START_TEST(test_import_refuses_a_run_that_went_on_in_another_way)
{
	struct event here = { .kind = EVENT_NOTE, .text = "here" };
	struct event there = { .kind = EVENT_NOTE, .text = "there" };

	heal_all(origin);
	ck_assert_int_eq(import_into(store, export_from(origin, "old.tar")), IMPORT_DONE);
	ck_assert(store_append(store, evidence_run_id, &here, &e));
	ck_assert(store_append(origin, evidence_run_id, &there, &e));

	const char *head = head_in(store);

	ck_assert_int_eq(import_into(store, export_from(origin, "new.tar")), IMPORT_FAILED);
	ck_assert_ptr_nonnull(strstr(e.text, "gone on in another way"));
	ck_assert_str_eq(head_in(store), head);
}
END_TEST

START_TEST(test_import_of_a_run_that_went_on_brings_what_is_new)
{
	struct event later = { .kind = EVENT_HEALED, .text = "healed later" };

	heal_all(origin);
	ck_assert_int_eq(import_into(store, export_from(origin, "old.tar")), IMPORT_DONE);
	ck_assert(store_append(origin, evidence_run_id, &later, &e));
	ck_assert_msg(import_into(store, export_from(origin, "new.tar")) == IMPORT_WAS_THERE, "%s",
		      e.text);
	ck_assert_str_eq(head_in(store), head_in(origin));
	/* And the old bundle does not take it back. */
	ck_assert_int_eq(import_into(store, in_dir("old.tar")), IMPORT_FAILED);
	ck_assert_ptr_nonnull(strstr(e.text, "more of it than the bundle"));
	ck_assert_str_eq(head_in(store), head_in(origin));
}
END_TEST

/* ---- check ---- */

static void count_told(void *ctx, const char *sentence)
{
	size_t *count = ctx;

	ck_assert_uint_gt(strlen(sentence), 20);
	*count += 1;
}

static size_t check_finds(void)
{
	size_t told_count = 0;
	struct store_findings findings = { .tell = count_told, .ctx = &told_count };

	ck_assert_msg(store_check(store, &findings, &e), "%s", e.text);
	ck_assert_uint_eq(findings.bad_count, told_count);
	ck_assert_uint_eq(findings.run_count, 1);
	return findings.bad_count;
}

START_TEST(test_check_finds_each_thing_that_was_changed)
{
	const struct approval_row approval = { .digest = "aa",
					       .person = "anna",
					       .account = "anna@host",
					       .until_wall_ns = 9 };

	heal_all(origin);
	ck_assert_int_eq(import_into(store, export_from(origin, "run.tar")), IMPORT_DONE);
	ck_assert_msg(store_approve(store, &approval, &e), "%s", e.text);
	ck_assert_uint_eq(check_finds(), 0);
	store_try_sql(&path, "update approvals set person = 'otto'", NULL);
	ck_assert_uint_eq(check_finds(), 1);
	store_try_sql(&path, "update tracks set slot_count = slot_count + 1", NULL);
	ck_assert_uint_eq(check_finds(), 2);
}
END_TEST

START_TEST(test_schema_says_what_was_found)
{
	struct store_schema schema = store_schema(store);

	ck_assert_int_eq(schema.found, 0);
	ck_assert_int_gt(schema.now, 0);
	store_close(store);
	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e), "%s", e.text);
	schema = store_schema(store);
	ck_assert_int_eq(schema.found, schema.now);
}
END_TEST

/* ---- backup ---- */

START_TEST(test_backup_is_a_store_with_all_that_was_in_it)
{
	struct stat found;
	struct store *copy;

	ck_assert(store_has_backup(origin));
	ck_assert_msg(store_backup(origin, in_dir("copy.db"), &e), "%s", e.text);
	ck_assert_int_eq(stat(in_dir("copy.db"), &found), 0);
	ck_assert_int_eq(found.st_mode & 07777, 0600);
	copy = open_file("copy.db");
	ck_assert_str_eq(head_in(copy), head_in(origin));
	store_close(copy);
	ck_assert(!store_backup(origin, in_dir("copy.db"), &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert(!store_backup(origin, "/proc/nowhere/copy.db", &e));
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_run_that_goes_there_and_back_keeps_every_byte);
	tcase_add_test(tests, test_import_a_second_time_changes_nothing);
	tcase_add_test(tests, test_import_refuses_a_run_that_is_not_healed);
	tcase_add_test(tests, test_import_refuses_another_run_with_the_same_id);
	tcase_add_test(tests, test_import_refuses_a_run_that_went_on_in_another_way);
	tcase_add_test(tests, test_import_of_a_run_that_went_on_brings_what_is_new);
	tcase_add_test(tests, test_check_finds_each_thing_that_was_changed);
	tcase_add_test(tests, test_schema_says_what_was_found);
	if (!is_server)
		tcase_add_test(tests, test_backup_is_a_store_with_all_that_was_in_it);
}

void suite_store_care(Suite *suite)
{
	store_try_add(suite, "store_care", setup, teardown, add_tests);
}
