/*
 * test_store_migrate.c - stores as older versions of firedrill wrote them (fixtures/stores) are brought up
 * to date with all that is in them, also by several processes at once.
 */
#include "fixtures/temp_dir.h"
#include "store/store_audit.h"
#include "store/store_care.h"
#include "store/store_dues.h"
#include "tests/suites.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OLDEST = 1, NEWEST = 4, DUMP_BYTES_MAX = 64 << 10 };

static const char run_id[] = "20261121-102030-old";

static char *dir;
static struct text path;
static struct store *store;
static struct arena arena;
static struct err e;

static void setup(void)
{
	dir = temp_dir_make();
	text_addf(&path, "%s/firedrill.db", dir);
}

static void teardown(void)
{
	store_close(store);
	store = NULL;
	text_release(&path);
	arena_release(&arena);
	temp_dir_remove(dir);
}

static void open_again(void)
{
	store_close(store);
	store = NULL;
	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e), "%s", e.text);
}

/* The store of that version, as a file of the usual rights. */
static void lay_down(int version)
{
	char name[64];
	char *dump = arena_alloc(&arena, DUMP_BYTES_MAX);
	sqlite3 *db = NULL;

	(void)snprintf(name, sizeof name, "fixtures/stores/schema-%d.sql", version);

	FILE *stream = fopen(name, "rb");

	ck_assert_msg(stream != NULL, "%s", name);

	const size_t length = fread(dump, 1, DUMP_BYTES_MAX - 1, stream);

	ck_assert_uint_gt(length, 1000);
	ck_assert_uint_lt(length, DUMP_BYTES_MAX - 1);
	ck_assert_int_eq(fclose(stream), 0);
	ck_assert_int_eq(sqlite3_open(text_str(&path), &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, dump, NULL, NULL, NULL) == SQLITE_OK, "%s",
		      sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	ck_assert_int_eq(chmod(text_str(&path), 0600), 0);
}

static void expect_the_run(int version)
{
	struct timeline timeline;
	struct run_row row;
	struct heal_row *heals = NULL;
	struct lock_row *locks = NULL;
	size_t heal_count = 0;
	size_t lock_count = 0;

	ck_assert_msg(store_run_find(store, "last", &arena, &row, &e), "%s", e.text);
	ck_assert_str_eq(row.run_id, run_id);
	ck_assert_str_eq(row.title, "a drill of \xc3\xbc");
	ck_assert_str_eq(row.vars[0].value, "a \"quoted\"");
	ck_assert_str_eq(row.sentence, "Something is left.");
	ck_assert_int_eq(row.exit_code, 4);
	ck_assert_int_eq(row.alive_until_wall_ns, version >= 4 ? 88 : 0);
	ck_assert_int_eq(row.set_id != NULL, version >= 2);
	ck_assert_msg(store_timeline(store, run_id, &arena, &timeline, &e), "%s", e.text);
	ck_assert_uint_eq(timeline.event_count, 3);
	ck_assert_str_eq(timeline.events[1].text, "process.pause on db1");
	ck_assert_uint_eq(timeline.track_count, 1);
	ck_assert_uint_eq(timeline.tracks[0].slot_count, 40);
	ck_assert_int_eq(timeline.tracks[0].samples[4].state, SAMPLE_BAD);
	ck_assert_uint_eq(timeline.ledger_read_count, 1);
	ck_assert_uint_eq(timeline.ledger_reads[0].row_count, 40);
	ck_assert_msg(store_heals_open(store, NULL, &arena, &heals, &heal_count, &e), "%s", e.text);
	ck_assert_uint_eq(heal_count, 1);
	ck_assert_str_eq(heals[0].before, "running\n");
	ck_assert(store_locks(store, &arena, &locks, &lock_count, &e));
	ck_assert_uint_eq(lock_count, 1);
}

static void expect_what_came_later(int version)
{
	struct approval_row *approvals = NULL;
	struct stop_row stop;
	struct set_row set;
	size_t approval_count = 0;
	bool is_stopped = false;

	ck_assert_int_eq(store_set_find(store, "20261121", &arena, &set, &e), version >= 2);
	if (version >= 2) {
		ck_assert_uint_eq(set.seed, UINT64_MAX);
		ck_assert_str_eq(set.sentence, "1 of 1 left something.");
	}
	ck_assert(store_approvals(store, "aa", &arena, &approvals, &approval_count, &e));
	ck_assert_uint_eq(approval_count, version >= 3);
	ck_assert(store_stop_find(store, NULL, NULL, &arena, &is_stopped, &stop, &e));
	ck_assert_int_eq(is_stopped, version >= 3);
}

/* What every later change brought can be used on it. */
static void expect_new_things_work(void)
{
	const struct set_row set = { .set_id = "set-new", .title = "trials" };
	const struct run_row run = { .run_id = "set-new-t01", .set_id = "set-new", .trial = 1 };
	const struct approval_row approval = { .digest = "bb", .person = "eva", .account = "eva@host" };
	const struct hold_row hold = { .run_id = run_id, .person = "eva", .reason = "audit" };
	const struct pause_row pause = { .schedule = "weekly", .person = "eva", .reason = "move" };
	const struct audit_row audit = { .action = "pause", .address = "127.0.0.1" };
	int64_t audit_id = 0;
	const struct due_row due = {
		.schedule = "weekly", .turn = 1, .state = DUE_SKIPPED, .sentence = "paused"
	};
	struct due_sums sums;
	bool is_new = false;

	ck_assert_msg(store_set_begin(store, &set, &e), "%s", e.text);
	ck_assert_msg(store_run_begin(store, &run, &e), "%s", e.text);
	ck_assert_msg(store_run_beat(store, run.run_id, 1, 2, &e), "%s", e.text);
	ck_assert_msg(store_approve(store, &approval, &e), "%s", e.text);
	ck_assert_msg(store_record(store, "main", "trials", run.run_id, &e), "%s", e.text);
	ck_assert_msg(store_pause(store, &pause, &e), "%s", e.text);
	ck_assert_msg(store_hold(store, &hold, &e), "%s", e.text);
	ck_assert_msg(store_due_put(store, &due, &is_new, &e), "%s", e.text);
	ck_assert(is_new);
	ck_assert_msg(store_audit_begin(store, &audit, &audit_id, &e), "%s", e.text);
	ck_assert_msg(store_due_sums(store, &arena, &sums, &e), "%s", e.text);
	ck_assert_uint_eq(sums.count, 1);
}

START_TEST(test_open_brings_a_store_of_each_older_version_up_to_date)
{
	struct store_findings findings = { 0 };

	lay_down(_i);
	open_again();
	ck_assert_int_eq(store_schema(store).found, _i);
	expect_the_run(_i);
	expect_what_came_later(_i);
	ck_assert_msg(store_check(store, &findings, &e), "%s", e.text);
	ck_assert_uint_eq(findings.bad_count, 0);
	open_again();
	ck_assert_int_eq(store_schema(store).found, store_schema(store).now);
	expect_new_things_work();
}
END_TEST

START_TEST(test_open_of_an_old_store_by_several_processes_changes_it_once)
{
	enum { PROCESSES = 5 };
	pid_t children[PROCESSES];

	lay_down(_i);
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(store_open(text_str(&path), NULL, &store, &e) ? 0 : 1);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = 0;

		ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
		ck_assert_int_eq(status, 0);
	}
	open_again();
	ck_assert_int_eq(store_schema(store).found, store_schema(store).now);
	expect_the_run(_i);
}
END_TEST

void suite_store_migrate(Suite *suite)
{
	TCase *tcase = tcase_create("store_migrate");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_open_brings_a_store_of_each_older_version_up_to_date, OLDEST,
			    NEWEST + 1);
	tcase_add_loop_test(tcase, test_open_of_an_old_store_by_several_processes_changes_it_once,
			    OLDEST, NEWEST + 1);
	suite_add_tcase(suite, tcase);
}
