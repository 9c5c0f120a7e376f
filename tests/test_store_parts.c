/*
 * test_store_parts.c - what a store holds that is of no single run goes along when it is exported, and what must
 * not is counted.
 */
#include "store/store_parts.h"
#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "store/store_audit.h"
#include "store/store_care.h"
#include "store/store_dues.h"
#include "tests/suites.h"

#include <string.h>

static char *dir;
static struct text path;
static struct store *store; /* of the kind that is tried */
static struct arena arena;
static struct err e;

static void setup(void)
{
	dir = temp_dir_make();
	memset(&path, 0, sizeof path);
	memset(&arena, 0, sizeof arena);
	memset(&e, 0, sizeof e);
	store_try_place(dir, &path);
	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e), "%s", e.text);
}

static void teardown(void)
{
	store_close(store);
	text_release(&path);
	arena_release(&arena);
	temp_dir_remove(dir);
}

/* A file, wherever it is to go. */
static struct store *open_origin(void)
{
	struct store *opened = NULL;

	ck_assert_msg(store_open(arena_format(&arena, "%s/from.db", dir), NULL, &opened, &e), "%s",
		      e.text);
	return opened;
}

static const struct parts_counts no_counts;

static struct parts_counts export_parts(struct store *from, struct text *json)
{
	struct parts_counts counts = no_counts;

	ck_assert_msg(store_parts_export(from, "0.1.0", json, &counts, &e), "%s", e.text);
	return counts;
}

static struct parts_counts import_parts(const struct text *json)
{
	struct parts_counts counts = no_counts;

	ck_assert_msg(store_parts_import(store, json, &counts, &e), "%s", e.text);
	return counts;
}

/* The same runs in both stores; all the rest in the first one alone. */
static void put_parts(struct store *from)
{
	const struct set_row set = { .set_id = "set-a", .title = "three trials", .seed = UINT64_MAX };
	const struct set_row ended = { .set_id = "set-a", .ended_wall_ns = 9, .exit_code = 1,
				       .sentence = "1 of 3 was too slow." };
	const struct hold_row hold = { "run-1", "anna", "audit", 5 };
	const struct pause_row pause = { "weekly", "anna", "CHG-12", 6 };
	const struct run_row trial = { .run_id = "set-a-t01", .set_id = "set-a", .trial = 1 };
	const struct run_row plain = { .run_id = "run-1", .title = "a drill" };
	struct store *const stores[] = { from, store };

	ck_assert_msg(store_set_begin(from, &set, &e), "%s", e.text);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_msg(store_run_begin(stores[i], &trial, &e), "%s", e.text);
		ck_assert_msg(store_run_begin(stores[i], &plain, &e), "%s", e.text);
	}
	ck_assert_msg(store_set_end(from, &ended, &e), "%s", e.text);
	ck_assert(store_record(from, "main", "a drill", "set-a-t01", &e));
	ck_assert(store_record(from, "main", "a drill", "run-1", &e));
	ck_assert(store_hold(from, &hold, &e));
	ck_assert(store_pause(from, &pause, &e));
}

START_TEST(test_parts_go_along_and_a_second_time_change_nothing)
{
	struct store *from = open_origin();
	struct text json = { 0 };
	struct text again = { 0 };
	struct parts_counts counts;
	struct set_row set;
	struct hold_row *holds = NULL;
	struct pause_row *pauses = NULL;
	const char **recorded = NULL;
	size_t count = 0;

	put_parts(from);
	counts = export_parts(from, &json);
	ck_assert_uint_eq(counts.set_count + counts.recording_count, 3);
	counts = import_parts(&json);
	ck_assert_uint_eq(counts.set_count, 1);
	ck_assert_uint_eq(counts.recording_count, 2);
	ck_assert_uint_eq(counts.hold_count, 1);
	ck_assert_uint_eq(counts.pause_count, 1);
	ck_assert_uint_eq(counts.stray_count, 0);
	ck_assert_msg(store_set_find(store, "set-a", &arena, &set, &e), "%s", e.text);
	ck_assert_uint_eq(set.seed, UINT64_MAX);
	ck_assert_str_eq(set.sentence, "1 of 3 was too slow.");
	ck_assert(store_recorded(store, "main", "a drill", 9, &arena, &recorded, &count, &e));
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(recorded[0], "run-1"); /* the newest, as there */
	ck_assert(store_holds(store, &arena, &holds, &count, &e));
	ck_assert_str_eq(holds[0].reason, "audit");
	ck_assert(store_pauses(store, &arena, &pauses, &count, &e));
	ck_assert_int_eq(pauses[0].wall_ns, 6);
	counts = import_parts(&json);
	ck_assert_mem_eq(&counts, &no_counts, sizeof counts);
	(void)export_parts(store, &again);
	ck_assert_str_eq(text_str(&again), text_str(&json));
	store_close(from);
	text_release(&json);
	text_release(&again);
}
END_TEST

START_TEST(test_parts_of_runs_that_are_not_here_are_left_out_and_counted)
{
	struct text json = { 0 };
	struct parts_counts counts;

	text_add(&json, "{\"format\":\"firedrill store\",\"format_version\":1,\"recordings\":[{\"name\":"
			"\"main\",\"title\":\"a\",\"run\":\"nosuch\",\"wall_ns\":\"1\"}],\"holds\":[{\"run\":"
			"\"nosuch\",\"person\":\"a\",\"reason\":\"b\",\"wall_ns\":\"1\"}]}");
	counts = import_parts(&json);
	ck_assert_uint_eq(counts.stray_count, 2);
	ck_assert_uint_eq(counts.recording_count + counts.hold_count, 0);
	text_release(&json);
}
END_TEST

/* What does not fit is refused whole: nothing of it is taken. */
START_TEST(test_parts_that_were_changed_are_refused)
{
	static const struct pair changes[] = {
		{ "1 of 3 was too slow.", "3 of 3 were fast. .." },
		{ "\"three trials\"", "\"thirty trial\"" },
		{ "\"format_version\":\t1", "\"format_version\":\t2" },
		{ "\"person\"", "\"nobody\"" },
		{ "firedrill store", "firedrill suite" },
	};
	struct store *from = open_origin();
	struct text json = { 0 };
	struct parts_counts counts;
	struct hold_row *holds = NULL;
	size_t count = 0;

	put_parts(from);
	(void)export_parts(from, &json);
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		const char *at = strstr(text_str(&json), changes[i].name);
		struct text changed = { 0 };

		ck_assert_msg(at != NULL, "%s", changes[i].name);
		text_addf(&changed, "%.*s%s%s", (int)(at - text_str(&json)), text_str(&json),
			  changes[i].value, at + strlen(changes[i].name));
		ck_assert_msg(!store_parts_import(store, &changed, &counts, &e), "%s",
			      changes[i].value);
		err_clear(&e);
		text_release(&changed);
	}
	ck_assert(store_holds(store, &arena, &holds, &count, &e));
	ck_assert_uint_eq(count, 0);
	store_close(from);
	text_release(&json);
}
END_TEST

START_TEST(test_parts_that_must_not_travel_are_counted)
{
	struct store *from = open_origin();
	const struct approval_row approval = { .digest = "aa", .person = "eva", .account = "eva@host" };
	const struct stop_row stop = { .person = "anna", .reason = "fire" };
	const struct due_row due = { .schedule = "weekly", .turn = 1, .state = DUE_SKIPPED, .sentence = "paused" };
	struct text json = { 0 };
	struct parts_counts counts;
	const struct audit_row action = { .wall_ns = 7, .action = "stop", .subject = "run-1",
					  .person = "anna", .reason = "fire", .address = "127.0.0.1",
					  .outcome = AUDIT_BEGUN };
	int64_t audit_id = 0;
	bool is_new = false;

	ck_assert(store_approve(from, &approval, &e));
	ck_assert(store_stop(from, &stop, &e));
	ck_assert_msg(store_audit_begin(from, &action, &audit_id, &e), "%s", e.text);
	ck_assert(store_due_put(from, &due, &is_new, &e));
	counts = export_parts(from, &json);
	ck_assert_uint_eq(counts.approval_count, 1);
	ck_assert_uint_eq(counts.due_count, 1);
	ck_assert_uint_eq(counts.audit_count, 1);
	ck_assert(counts.is_stopped);
	ck_assert_ptr_null(strstr(text_str(&json), "eva"));
	store_close(from);
	text_release(&json);
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	(void)is_server;
	tcase_add_test(tests, test_parts_go_along_and_a_second_time_change_nothing);
	tcase_add_test(tests, test_parts_of_runs_that_are_not_here_are_left_out_and_counted);
	tcase_add_test(tests, test_parts_that_were_changed_are_refused);
	tcase_add_test(tests, test_parts_that_must_not_travel_are_counted);
}

void suite_store_parts(Suite *suite)
{
	store_try_add(suite, "store_parts", setup, teardown, add_tests);
}
