/*
 * test_store_audit.c - what people did by way of the page: written before, completed after, sealed.
 */
#include <string.h>

#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "store/store_audit.h"
#include "tests/suites.h"

static char *folder;
static struct text path;
static struct arena arena;
static struct secrets secrets;
static struct store *store;
static struct err e;

static void open_again(void)
{
	store_close(store);
	store = NULL;
	ck_assert_msg(store_open(text_str(&path), &secrets, &store, &e), "%s", e.text);
}

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
	memset(&secrets, 0, sizeof secrets);
	memset(&path, 0, sizeof path);
	memset(&e, 0, sizeof e);
	folder = temp_dir_make();
	store_try_place(folder, &path);
	open_again();
}

static void teardown(void)
{
	store_close(store);
	store = NULL;
	text_release(&path);
	arena_release(&arena);
	secrets_release(&secrets);
	temp_dir_remove(folder);
}

static int64_t begin(const char *person, const char *reason)
{
	const struct audit_row row = { .wall_ns = 7,
				       .person = person,
				       .action = "pause",
				       .subject = "weekly",
				       .reason = reason,
				       .address = "127.0.0.1" };
	int64_t audit_id = 0;

	ck_assert_msg(store_audit_begin(store, &row, &audit_id, &e), "%s", e.text);
	ck_assert_int_gt(audit_id, 0);
	return audit_id;
}

static bool end(int64_t audit_id, enum audit_outcome outcome, const char *sentence)
{
	const struct audit_row row = { .audit_id = audit_id,
				       .outcome = outcome,
				       .ended_wall_ns = 8,
				       .sentence = sentence };

	return store_audit_end(store, &row, &e);
}

/* "anna pause weekly migration begun -; ...", newest first. */
static const char *listed(int64_t before, size_t limit)
{
	struct text text = { 0 };
	struct audit_row *rows;
	const char *all;
	size_t count;

	ck_assert_msg(store_audit(store, before, limit, &arena, &rows, &count, &e), "%s", e.text);
	for (size_t i = 0; i < count; i++)
		text_addf(&text, "%s%s %s %s %s %s %s%s", i == 0 ? "" : "; ",
			  rows[i].person == NULL ? "-" : rows[i].person, rows[i].action,
			  rows[i].subject, rows[i].reason == NULL ? "-" : rows[i].reason,
			  audit_outcome_name(rows[i].outcome),
			  rows[i].sentence == NULL ? "-" : rows[i].sentence,
			  rows[i].is_altered ? " altered" : "");
	all = arena_copy(&arena, text_str(&text));
	text_release(&text);
	return all;
}

START_TEST(test_audit_is_there_before_an_action_has_an_end)
{
	(void)begin("anna", "migration");
	open_again();
	ck_assert_str_eq(listed(0, 0), "anna pause weekly migration begun -");
}
END_TEST

START_TEST(test_audit_end_completes_the_row_once)
{
	const int64_t first = begin("anna", "migration");

	(void)begin(NULL, NULL);
	ck_assert_msg(end(first, AUDIT_DONE, "weekly is paused"), "%s", e.text);
	ck_assert_str_eq(listed(0, 0), "- pause weekly - begun -; anna pause weekly migration done weekly is paused");
	ck_assert(!end(first, AUDIT_REFUSED, "it was not"));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert(!end(first + 1000, AUDIT_DONE, "nothing"));
	ck_assert_str_eq(listed(0, 0), "- pause weekly - begun -; anna pause weekly migration done weekly is paused");
}
END_TEST

START_TEST(test_audit_is_read_in_pages_and_by_number)
{
	struct audit_row row = { 0 };
	bool is_there = false;
	const int64_t first = begin("anna", "one");
	const int64_t second = begin("ben", "two");
	const int64_t third = begin("carl", "three");

	ck_assert_str_eq(listed(0, 2), "carl pause weekly three begun -; ben pause weekly two begun -");
	ck_assert_str_eq(listed(second, 2), "anna pause weekly one begun -");
	ck_assert_str_eq(listed(first, 2), "");
	ck_assert(store_audit_find(store, second, &arena, &is_there, &row, &e));
	ck_assert(is_there);
	ck_assert_str_eq(row.person, "ben");
	ck_assert_int_eq(row.wall_ns, 7);
	ck_assert_str_eq(row.address, "127.0.0.1");
	ck_assert(store_audit_find(store, third + 5, &arena, &is_there, &row, &e));
	ck_assert(!is_there);
}
END_TEST

START_TEST(test_audit_shows_which_row_was_altered)
{
	struct text value = { 0 };

	(void)begin("anna", "one");
	(void)begin("ben", "two");
	store_try_sql(&path, "update audit set person = 'carl' where person = 'anna'", &value);
	ck_assert_str_eq(listed(0, 0), "ben pause weekly two begun -; carl pause weekly one begun - altered");
	store_try_sql(&path, "update audit set outcome = 'done', sentence = 'so' where person = 'ben'",
		      &value);
	ck_assert_ptr_nonnull(strstr(listed(0, 1), "altered"));
	text_release(&value);
}
END_TEST

START_TEST(test_audit_end_of_an_altered_row_is_refused)
{
	struct text value = { 0 };
	const int64_t audit_id = begin("anna", "one");

	store_try_sql(&path, "update audit set person = 'carl'", &value);
	ck_assert(!end(audit_id, AUDIT_DONE, "weekly is paused"));
	ck_assert_int_eq(e.kind, ERR_ALTERED);
	ck_assert_str_eq(listed(0, 0), "carl pause weekly one begun - altered");
	text_release(&value);
}
END_TEST

START_TEST(test_audit_hides_a_secret)
{
	int64_t audit_id;

	secrets_register(&secrets, "s3cr3t-value");
	open_again();
	audit_id = begin("anna", "the password is s3cr3t-value");
	ck_assert_msg(end(audit_id, AUDIT_FAILED, "no answer to s3cr3t-value"), "%s", e.text);
	ck_assert_uint_eq(store_try_count(&path, "s3cr3t-value"), 0);
	ck_assert_ptr_nonnull(strstr(listed(0, 0), "failed"));
	ck_assert_ptr_null(strstr(listed(0, 0), "altered"));
}
END_TEST

START_TEST(test_open_brings_a_store_without_an_audit_up_to_date)
{
	store_close(store);
	store = NULL;
	store_try_go_back(&path, 10);
	open_again();
	(void)begin("anna", "migration");
	ck_assert_str_eq(listed(0, 0), "anna pause weekly migration begun -");
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_audit_is_there_before_an_action_has_an_end);
	tcase_add_test(tests, test_audit_end_completes_the_row_once);
	tcase_add_test(tests, test_audit_is_read_in_pages_and_by_number);
	tcase_add_test(tests, test_audit_shows_which_row_was_altered);
	tcase_add_test(tests, test_audit_end_of_an_altered_row_is_refused);
	tcase_add_test(tests, test_audit_hides_a_secret);
	tcase_add_test(tests, test_open_brings_a_store_without_an_audit_up_to_date);
	(void)is_server;
}

void suite_store_audit(Suite *suite)
{
	store_try_add(suite, "store_audit", setup, teardown, add_tests);
}
