/*
 * test_store_care.c - runs that go from one store to another keep every seal, a check finds what was
 * changed, a copy of a store is a store, and what is old goes but for what must stay.
 */
#include "store/store_care.h"
#include "fixtures/evidence_run.h"
#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "store/bundle.h"
#include "store/store_dues.h"
#include "tests/suites.h"

#include <inttypes.h>
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

/* ---- what is kept ---- */

static const char *const site = "site=eu-west";
static const struct host db1 = { .name = "db1", .address = "198.18.77.11", .port = 22 };

/* A run that began `age` ago in the count of this test: 1 is the newest. */
static void put_run(const char *run_id, int64_t age, const char *set_id, int64_t trial)
{
	const struct run_row row = { .run_id = run_id,
				     .title = "a drill",
				     .anchor.wall_ns = 1000 - age,
				     .set_id = set_id,
				     .trial = trial };
	struct event event = { .kind = EVENT_NOTE, .text = "something" };

	ck_assert_msg(store_run_begin(store, &row, &e), "%s", e.text);
	ck_assert_msg(store_append(store, run_id, &event, &e), "%s", e.text);
}

static void end_run(const char *run_id)
{
	ck_assert_msg(store_run_end(store, run_id, 9, 0, "Met.", &e), "%s", e.text);
}

static void note_end(void *ctx, const struct run_row *row, enum prune_end end)
{
	static const char *const names[] = { [PRUNE_REMOVED] = "gone",
					     [PRUNE_NOT_ENDED] = "running",
					     [PRUNE_UNHEALED] = "unhealed",
					     [PRUNE_HELD] = "held" };

	text_addf(ctx, "%s:%s ", row->run_id, names[end]);
}

static uint64_t pruned_due_count;

static const char *prune_all(int64_t before_wall_ns, size_t keep_count, bool is_dry)
{
	struct text told = { 0 };
	struct prune prune = { .before_wall_ns = before_wall_ns,
			       .keep_count = keep_count,
			       .is_dry = is_dry,
			       .tell = note_end,
			       .ctx = &told };

	ck_assert_msg(store_prune(store, &prune, &e), "%s", e.text);
	pruned_due_count = prune.due_count;

	const char *copy = arena_copy(&arena, text_str(&told));

	text_release(&told);
	return copy;
}

static const char *runs_left(void)
{
	struct text left = { 0 };
	struct run_row *rows = NULL;
	size_t count = 0;

	ck_assert_msg(store_runs(store, 0, &arena, &rows, &count, &e), "%s", e.text);
	for (size_t i = 0; i < count; i++)
		text_addf(&left, "%s ", rows[i].run_id);

	const char *copy = arena_copy(&arena, text_str(&left));

	text_release(&left);
	return copy;
}

START_TEST(test_prune_passes_over_what_must_stay)
{
	const struct heal_record record = {
		.run_id = "unhealed", .step = 1, .fault = "disk.fill", .host = &db1
	};
	const struct hold_row hold = { .run_id = "held", .person = "anna", .reason = "audit" };
	struct text count = { 0 };

	put_run("old", 90, NULL, 0);
	end_run("old");
	put_run("held", 80, NULL, 0);
	end_run("held");
	put_run("running", 70, NULL, 0);
	put_run("unhealed", 60, NULL, 0);
	ck_assert_msg(store_heal_put(store, &record, NULL, &e), "%s", e.text);
	end_run("unhealed");
	put_run("new", 1, NULL, 0);
	end_run("new");
	ck_assert_msg(store_hold(store, &hold, &e), "%s", e.text);
	ck_assert_str_eq(prune_all(950, 0, true),
			 "old:gone held:held running:running unhealed:unhealed ");
	ck_assert_str_eq(runs_left(), "new unhealed running held old ");
	ck_assert_str_eq(prune_all(950, 0, false),
			 "old:gone held:held running:running unhealed:unhealed ");
	ck_assert_str_eq(runs_left(), "new unhealed running held ");
	store_try_sql(&path, "select count(*) from events where run_id = 'old'", &count);
	ck_assert_str_eq(text_str(&count), "0");
	text_release(&count);
}
END_TEST

START_TEST(test_prune_by_age_and_count_needs_both)
{
	put_run("a", 90, NULL, 0);
	end_run("a");
	put_run("b", 80, NULL, 0);
	end_run("b");
	put_run("c", 70, NULL, 0);
	end_run("c");
	ck_assert_str_eq(prune_all(1000, 2, false), "a:gone ");
	ck_assert_str_eq(prune_all(925, 1, false), "b:gone ");
	ck_assert_str_eq(prune_all(900, 0, false), "");
	ck_assert_str_eq(prune_all(0, 1, false), "");
	ck_assert_str_eq(runs_left(), "c ");
}
END_TEST

START_TEST(test_prune_of_the_last_trial_takes_the_set_along)
{
	const struct set_row begun = { .set_id = "set-a", .title = "three trials" };
	const struct set_row ended = { .set_id = "set-a", .ended_wall_ns = 9, .sentence = "Met." };
	struct set_row *sets = NULL;
	size_t count = 0;

	ck_assert_msg(store_set_begin(store, &begun, &e), "%s", e.text);
	put_run("set-a-t01", 90, "set-a", 1);
	end_run("set-a-t01");
	put_run("set-a-t02", 10, "set-a", 2);
	end_run("set-a-t02");
	ck_assert_msg(store_set_end(store, &ended, &e), "%s", e.text);
	ck_assert_str_eq(prune_all(950, 0, false), "set-a-t01:gone ");
	ck_assert(store_sets(store, 0, &arena, &sets, &count, &e));
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(prune_all(1000, 0, false), "set-a-t02:gone ");
	ck_assert(store_sets(store, 0, &arena, &sets, &count, &e));
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(test_hold_stays_until_release)
{
	const struct hold_row hold = {
		.run_id = "a", .person = "anna", .reason = "audit", .wall_ns = 5
	};
	const struct hold_row other = { .run_id = "nosuch", .person = "anna", .reason = "audit" };
	struct hold_row *rows = NULL;
	size_t count = 0;
	bool was_held = false;

	put_run("a", 90, NULL, 0);
	end_run("a");
	ck_assert(!store_hold(store, &other, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert(store_hold(store, &hold, &e));
	ck_assert(store_hold(store, &hold, &e));
	ck_assert(store_holds(store, &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(rows[0].reason, "audit");
	ck_assert_int_eq(rows[0].wall_ns, 5);
	ck_assert(store_release(store, "a", &was_held, &e));
	ck_assert(was_held);
	ck_assert(store_release(store, "a", &was_held, &e));
	ck_assert(!was_held);
	ck_assert_str_eq(prune_all(1000, 0, false), "a:gone ");
}
END_TEST

/* ---- occurrences of schedules ---- */

/* One that has ended, with this number in its schedule. */
static void put_due(const char *schedule, int64_t number, enum due_state state)
{
	const struct due_row row = { .schedule = schedule,
				     .nominal_wall_ns = number,
				     .turn = 1,
				     .due_wall_ns = number,
				     .latest_wall_ns = number,
				     .experiment_text = state == DUE_WAITS ? "title: a\n" : NULL,
				     .labels = &site,
				     .label_count = 1,
				     .state = state };
	bool is_new = false;

	ck_assert_msg(store_due_put(store, &row, &is_new, &e), "%s", e.text);
	ck_assert(is_new);
}

static uint64_t prune_dues(int64_t before_wall_ns, size_t keep_count, bool is_dry)
{
	(void)prune_all(before_wall_ns, keep_count, is_dry);
	return pruned_due_count;
}

static const char *dues_left(void)
{
	struct text left = { 0 };
	struct due_row *rows = NULL;
	size_t count = 0;

	ck_assert_msg(store_dues(store, 0, &arena, &rows, &count, &e), "%s", e.text);
	for (size_t i = 0; i < count; i++)
		text_addf(&left, "%s:%" PRId64 " ", rows[i].schedule, rows[i].nominal_wall_ns);

	const char *copy = arena_copy(&arena, text_str(&left));

	text_release(&left);
	return copy;
}

START_TEST(test_prune_takes_ended_dues_and_leaves_the_mark_of_each_schedule)
{
	put_due("weekly", 1, DUE_MISSED);
	put_due("weekly", 2, DUE_SKIPPED);
	put_due("weekly", 3, DUE_MISSED);
	put_due("gone", 4, DUE_SKIPPED);
	put_due("busy", 5, DUE_WAITS);
	put_due("busy", 6, DUE_SKIPPED);
	ck_assert_uint_eq(prune_dues(100, 0, true), 2);
	ck_assert_str_eq(dues_left(), "busy:6 busy:5 gone:4 weekly:3 weekly:2 weekly:1 ");
	ck_assert_uint_eq(prune_dues(100, 0, false), 2);
	ck_assert_str_eq(dues_left(), "busy:6 busy:5 gone:4 weekly:3 ");
	ck_assert_uint_eq(prune_dues(100, 0, false), 0);
}
END_TEST

START_TEST(test_prune_of_dues_by_age_and_count_needs_both)
{
	for (int64_t i = 1; i <= 6; i++)
		put_due("weekly", i, DUE_SKIPPED);
	ck_assert_uint_eq(prune_dues(3, 0, false), 2);
	ck_assert_uint_eq(prune_dues(100, 4, false), 0);
	ck_assert_uint_eq(prune_dues(4, 2, false), 1);
	ck_assert_uint_eq(prune_dues(0, 2, false), 1);
	ck_assert_str_eq(dues_left(), "weekly:6 weekly:5 ");
}
END_TEST

START_TEST(test_prune_takes_a_watch_when_the_run_that_it_watched_is_gone)
{
	put_run("run-1", 990, NULL, 0);
	end_run("run-1");
	put_due("watch of run-1", 7, DUE_MISSED);
	store_try_sql(&path, "update dues set watch_of = 'run-1', turn = 0", NULL);
	ck_assert_uint_eq(prune_dues(8, 0, false), 0);
	ck_assert_uint_eq(prune_dues(100, 0, false), 1);
	ck_assert_str_eq(runs_left(), "");
	ck_assert_str_eq(dues_left(), "");
}
END_TEST

/* Why it ran must be known as long as what it did. */
START_TEST(test_prune_keeps_a_due_as_long_as_its_run)
{
	const struct hold_row hold = { .run_id = "run-1", .person = "anna", .reason = "audit" };
	const struct set_row set = { .set_id = "set-a", .title = "trials" };
	bool was_held = false;

	put_run("run-1", 990, NULL, 0);
	end_run("run-1");
	ck_assert_msg(store_set_begin(store, &set, &e), "%s", e.text);
	put_due("weekly", 7, DUE_WAITS);
	put_due("weekly", 8, DUE_WAITS);
	store_try_sql(&path, "update dues set state = 'done', run_id = 'run-1' where due_wall_ns = 7", NULL);
	store_try_sql(&path, "update dues set state = 'done', run_id = 'set-a' where due_wall_ns = 8", NULL);
	put_due("weekly", 9, DUE_SKIPPED);
	ck_assert_msg(store_hold(store, &hold, &e), "%s", e.text);
	ck_assert_uint_eq(prune_dues(100, 0, false), 0);
	ck_assert(store_release(store, "run-1", &was_held, &e));
	ck_assert_uint_eq(prune_dues(100, 0, false), 1);
	ck_assert_str_eq(dues_left(), "weekly:9 weekly:8 ");
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
	tcase_add_test(tests, test_prune_passes_over_what_must_stay);
	tcase_add_test(tests, test_prune_by_age_and_count_needs_both);
	tcase_add_test(tests, test_prune_of_the_last_trial_takes_the_set_along);
	tcase_add_test(tests, test_hold_stays_until_release);
	tcase_add_test(tests, test_prune_takes_ended_dues_and_leaves_the_mark_of_each_schedule);
	tcase_add_test(tests, test_prune_of_dues_by_age_and_count_needs_both);
	tcase_add_test(tests, test_prune_takes_a_watch_when_the_run_that_it_watched_is_gone);
	tcase_add_test(tests, test_prune_keeps_a_due_as_long_as_its_run);
	if (!is_server)
		tcase_add_test(tests, test_backup_is_a_store_with_all_that_was_in_it);
}

void suite_store_care(Suite *suite)
{
	store_try_add(suite, "store_care", setup, teardown, add_tests);
}
