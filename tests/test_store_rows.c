/*
 * test_store_rows.c - heal records, samples, ledger reads and locks: what goes in comes out.
 */
#include "base/process.h"
#include "base/random.h"
#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "store/store.h"
#include "tests/suites.h"

#include <string.h>

static char *dir;
static struct text path;
static struct store *store;
static struct arena arena;
static struct err e;

static void open_again(void)
{
	store_close(store);
	store = NULL;
	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e), "%s", e.text);
}

static void setup(void)
{
	dir = temp_dir_make();
	store_try_place(dir, &path);
	open_again();
}

static void teardown(void)
{
	store_close(store);
	store = NULL;
	text_release(&path);
	arena_release(&arena);
	temp_dir_remove(dir);
}

static void begin(const char *run_id)
{
	const struct run_row row = { .run_id = run_id, .title = "a drill" };

	ck_assert_msg(store_run_begin(store, &row, &e), "%s", e.text);
}

static struct heal_record record_of(const char *run_id, uint32_t step, const struct host *host)
{
	static const struct pair fields[] = { { "pid", "77" }, { "path", "/run/\"odd\"" } };
	const struct heal_record record = {
		.run_id = run_id,
		.step = step,
		.fault = "process.pause",
		.host = host,
		.lease_ns = 30 * NS_PER_S,
		.fields = fields,
		.field_count = 2,
	};

	return record;
}

static const struct host db1 = { .name = "db1", .address = "198.18.77.11", .port = 22 };
static const struct host db2 = { .name = "db2", .address = "198.18.77.12", .port = 22 };

/* ---- heals ---- */

START_TEST(test_heals_open_are_newest_first_until_done)
{
	const struct heal_record first = record_of("run-a", 1, &db1);
	const struct heal_record second = record_of("run-a", 2, &db2);
	const struct heal_record other = record_of("run-b", 1, &db2);
	struct heal_row *rows = NULL;
	size_t count = 0;

	begin("run-a");
	begin("run-b");
	ck_assert_msg(store_heal_put(store, &first, NULL, &e), "%s", e.text);
	ck_assert(store_heal_put(store, &second, "running", &e));
	ck_assert(store_heal_put(store, &other, NULL, &e));
	ck_assert(store_heal_put(store, &first, "stopped", &e)); /* now the state is known */
	open_again();
	ck_assert_msg(store_heals_open(store, "run-a", &arena, &rows, &count, &e), "%s", e.text);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(rows[0].record.host->name, "db2");
	ck_assert_str_eq(rows[0].before, "running");
	ck_assert_str_eq(rows[1].record.host->name, "db1");
	ck_assert_str_eq(rows[1].before, "stopped");
	ck_assert_str_eq(rows[1].record.fault, "process.pause");
	ck_assert_str_eq(heal_record_field(&rows[1].record, "path"), "/run/\"odd\"");
	ck_assert_int_eq(rows[1].record.lease_ns, 30 * NS_PER_S);

	ck_assert_msg(store_heal_mark(store, &second, HEAL_DONE, &e), "%s", e.text);
	ck_assert(store_heal_mark(store, &first, HEAL_LEFTOVER, &e));
	ck_assert(store_heals_open(store, NULL, &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(rows[0].record.run_id, "run-b");
	ck_assert_str_eq(rows[1].record.run_id, "run-a");
	ck_assert_int_eq(rows[1].state, HEAL_LEFTOVER);
	ck_assert(store_heal_mark(store, &first, HEAL_DONE, &e));
	ck_assert(store_heals_open(store, "run-a", &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(test_heal_put_and_mark_name_what_is_unknown)
{
	const struct heal_record record = record_of("run-a", 1, &db1);

	ck_assert(!store_heal_put(store, &record, NULL, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "run-a"));
	begin("run-a");
	ck_assert(!store_heal_mark(store, &record, HEAL_DONE, &e));
	ck_assert_str_eq(e.text, "mark the heal of run run-a, step 1 on db1 as done: the store has "
				 "no such heal record");
}
END_TEST

/* ---- series ---- */

START_TEST(test_track_put_of_several_chunks_is_read_back)
{
	enum { COUNT = 40000 };
	struct sample *samples = arena_alloc(&arena, COUNT * sizeof *samples);
	struct random random = random_from_seed(3);
	const char *errors[] = { "connect: refused", "deadline" };
	struct track track = {
		.probe = "writes",
		.t0_ns = 1000,
		.every_ns = 20 * NS_PER_MS,
		.lane_count = 50,
		.slot_count = COUNT,
		.samples = samples,
		.error_texts = errors,
		.error_count = 2,
	};
	const struct track empty = { .probe = "reads", .every_ns = 1, .lane_count = 1 };
	struct timeline timeline;

	for (size_t i = 0; i < COUNT; i++)
		samples[i] = (struct sample){
			.sent_ns = track_due_ns(&track, i) + (int64_t)random_below(&random, 90000),
			.done_ns =
				track_due_ns(&track, i) + (int64_t)random_below(&random, NS_PER_S),
			.state = (uint8_t)(1 + i / 1000 % 3),
			.error_index = (uint16_t)(i / 1000 % 3),
		};
	begin("run-a");
	track.slot_count = 30000; /* a first, shorter one is replaced */
	ck_assert_msg(store_track_put(store, "run-a", &track, &e), "%s", e.text);
	track.slot_count = COUNT;
	ck_assert_msg(store_track_put(store, "run-a", &track, &e), "%s", e.text);
	ck_assert(store_track_put(store, "run-a", &empty, &e));
	open_again();
	ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
	ck_assert_uint_eq(timeline.track_count, 2);

	const struct track *read = &timeline.tracks[0];

	ck_assert_str_eq(read->probe, "writes");
	ck_assert_int_eq(read->t0_ns, 1000);
	ck_assert_int_eq(read->every_ns, 20 * NS_PER_MS);
	ck_assert_uint_eq(read->lane_count, 50);
	ck_assert_uint_eq(read->slot_count, COUNT);
	ck_assert_mem_eq(read->samples, samples, COUNT * sizeof *samples);
	ck_assert_uint_eq(read->error_count, 2);
	ck_assert_str_eq(read->error_texts[1], "deadline");
	ck_assert_uint_eq(timeline.tracks[1].slot_count, 0);
}
END_TEST

START_TEST(test_track_put_refuses_unknown_runs_and_endless_tracks)
{
	const struct sample sample = { .state = SAMPLE_GOOD };
	struct track track = {
		.probe = "reads",
		.every_ns = 1,
		.lane_count = 1,
		.slot_count = 1,
		.samples = &sample,
	};

	ck_assert(!store_track_put(store, "run-x", &track, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "keep the samples of reads in run run-x"));
	track.slot_count = UINT64_C(1) << 40;
	ck_assert(!store_track_put(store, "run-x", &track, &e));
	ck_assert_int_eq(e.kind, ERR_LIMIT);
}
END_TEST

START_TEST(test_ledger_read_put_is_read_back)
{
	const uint8_t rows[] = { ROW_PRESENT, 0, ROW_PRESENT | ROW_CORRUPTED, ROW_PRESENT };
	const int64_t unexpected[] = { 77, -5 };
	const struct ledger_read stable = {
		.probe = "writes",
		.count = COUNT_STABLE,
		.read_number = 3,
		.is_complete = true,
		.first_missing_count = 9,
		.settle_ns = 5 * NS_PER_S,
		.row_count = 4,
		.rows = rows,
		.unexpected = unexpected,
		.unexpected_count = 2,
	};
	const struct ledger_read unread = {
		.probe = "writes",
		.count = COUNT_HEALED,
		.read_number = 1,
		.error = "connect: refused",
		.row_count = 4,
	};
	struct timeline timeline;

	begin("run-a");
	ck_assert_msg(store_ledger_read_put(store, "run-a", &stable, &e), "%s", e.text);
	ck_assert_msg(store_ledger_read_put(store, "run-a", &unread, &e), "%s", e.text);
	open_again();
	ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
	ck_assert_uint_eq(timeline.ledger_read_count, 2);

	const struct ledger_read *read = &timeline.ledger_reads[0];

	ck_assert_str_eq(read->probe, "writes");
	ck_assert_int_eq(read->count, COUNT_STABLE);
	ck_assert_uint_eq(read->read_number, 3);
	ck_assert(read->is_complete);
	ck_assert_uint_eq(read->first_missing_count, 9);
	ck_assert_int_eq(read->settle_ns, 5 * NS_PER_S);
	ck_assert_uint_eq(read->row_count, 4);
	ck_assert_mem_eq(read->rows, rows, 4);
	ck_assert_uint_eq(read->unexpected_count, 2);
	ck_assert_int_eq(read->unexpected[1], -5);
	ck_assert(!timeline.ledger_reads[1].is_complete);
	ck_assert_str_eq(timeline.ledger_reads[1].error, "connect: refused");
	ck_assert(!store_ledger_read_put(store, "run-x", &unread, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "run-x"));
}
END_TEST

/* ---- locks ---- */

static void begin_dead(const char *run_id)
{
	const struct run_row row = { .run_id = run_id, .boot_id = "another boot", .pid = 1 };

	ck_assert_msg(store_run_begin(store, &row, &e), "%s", e.text);
}

START_TEST(test_lock_take_refuses_a_target_of_a_living_run)
{
	begin("run-a");
	begin("run-b");
	ck_assert_msg(store_lock_take(store, "run-a", "db1", &e), "%s", e.text);
	ck_assert(store_lock_take(store, "run-a", "db1", &e)); /* its own: nothing new */
	ck_assert(store_lock_take(store, "run-b", "db2", &e));
	ck_assert(!store_lock_take(store, "run-b", "db1", &e));
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "lock db1 for run run-b: run run-a (pid "));
	ck_assert(store_locks_drop(store, "run-a", &e));
	ck_assert(store_lock_take(store, "run-b", "db1", &e));
	ck_assert(!store_lock_take(store, "run-x", "db3", &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
}
END_TEST

START_TEST(test_lock_take_over_needs_a_dead_process_and_nothing_unhealed)
{
	const struct heal_record record = record_of("run-dead", 1, &db1);

	begin_dead("run-dead");
	begin("run-b");
	ck_assert(store_lock_take(store, "run-dead", "db1", &e));
	ck_assert(store_heal_put(store, &record, NULL, &e));
	ck_assert(!store_lock_take(store, "run-b", "db1", &e));
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	ck_assert_ptr_nonnull(
		strstr(e.text, "1 fault unhealed; run `firedrill heal run-dead` first"));
	ck_assert(store_heal_mark(store, &record, HEAL_LEFTOVER, &e));
	ck_assert(!store_lock_take(store, "run-b", "db1", &e));
	ck_assert(store_heal_mark(store, &record, HEAL_DONE, &e));
	ck_assert_msg(store_lock_take(store, "run-b", "db1", &e), "%s", e.text);
}
END_TEST

START_TEST(test_lock_take_over_of_a_run_out_of_sight_waits_for_its_last_sign_of_life)
{
	const struct clock clock = clock_system();
	const int64_t now_ns = clock_wall_ns(&clock);

	begin("run-a");
	begin("run-b");
	ck_assert(store_lock_take(store, "run-a", "db1", &e));
	ck_assert(store_run_beat(store, "run-a", process_space() + 1, now_ns + 60 * NS_PER_S, &e));
	ck_assert(!store_lock_take(store, "run-b", "db1", &e));
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	ck_assert(store_run_beat(store, "run-a", process_space() + 1, now_ns - 1, &e));
	ck_assert_msg(store_lock_take(store, "run-b", "db1", &e), "%s", e.text);
}
END_TEST

START_TEST(test_lock_of_an_ended_run_in_a_living_process_is_taken_over)
{
	begin("run-a");
	begin("run-b");
	ck_assert(store_lock_take(store, "run-a", "db1", &e));
	ck_assert(store_run_end(store, "run-a", 1, 0, "Met.", &e));
	ck_assert_msg(store_lock_take(store, "run-b", "db1", &e), "%s", e.text);
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_heals_open_are_newest_first_until_done);
	tcase_add_test(tests, test_heal_put_and_mark_name_what_is_unknown);
	tcase_add_test(tests, test_track_put_of_several_chunks_is_read_back);
	tcase_add_test(tests, test_track_put_refuses_unknown_runs_and_endless_tracks);
	tcase_add_test(tests, test_ledger_read_put_is_read_back);
	tcase_add_test(tests, test_lock_take_refuses_a_target_of_a_living_run);
	tcase_add_test(tests, test_lock_take_over_needs_a_dead_process_and_nothing_unhealed);
	tcase_add_test(tests, test_lock_take_over_of_a_run_out_of_sight_waits_for_its_last_sign_of_life);
	tcase_add_test(tests, test_lock_of_an_ended_run_in_a_living_process_is_taken_over);
	(void)is_server;
}

void suite_store_rows(Suite *suite)
{
	store_try_add(suite, "store_rows", setup, teardown, add_tests);
}
