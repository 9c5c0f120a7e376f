/*
 * test_store_crash.c - a store under kill -9, under several processes, and with damaged files.
 */
#include "base/limits.h"
#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "store/store.h"
#include "tests/suites.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
}

static void teardown(void)
{
	store_close(store);
	store = NULL;
	text_release(&path);
	arena_release(&arena);
	temp_dir_remove(dir);
}

static bool begin(struct store *into, const char *run_id)
{
	const struct run_row row = { .run_id = run_id, .title = "a drill" };

	return store_run_begin(into, &row, &e);
}

static bool append(struct store *into, const char *run_id, const char *text)
{
	struct event event = { .kind = EVENT_NOTE, .phase = PHASE_OBSERVE, .text = text };

	return store_append(into, run_id, &event, &e);
}

static void run_sql(const char *sql)
{
	store_try_sql(&path, sql, NULL);
}

/* ---- several processes ---- */

static int append_many(const char *run_id, int count)
{
	struct store *own = NULL;

	if (!store_open(text_str(&path), NULL, &own, &e))
		return 1;
	for (int i = 0; i < count; i++)
		if (!append(own, run_id, "from one of several processes"))
			return 2;
	store_close(own);
	return 0;
}

static void expect_exit_0(pid_t child)
{
	int status = 0;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

START_TEST(test_append_from_several_processes_keeps_one_chain)
{
	enum { PROCESSES = 4, EVENTS_EACH = 25 };
	pid_t children[PROCESSES];
	struct timeline timeline;

	open_again();
	ck_assert(begin(store, "run-a"));
	store_close(store);
	store = NULL;
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(append_many("run-a", EVENTS_EACH));
	}
	for (int i = 0; i < PROCESSES; i++)
		expect_exit_0(children[i]);
	open_again();
	ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
	ck_assert_uint_eq(timeline.event_count, PROCESSES * EVENTS_EACH);
}
END_TEST

START_TEST(test_open_of_a_new_store_by_several_processes_makes_one)
{
	enum { PROCESSES = 6 };
	pid_t children[PROCESSES];
	struct run_row *rows = NULL;
	size_t count = 0;

	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct store *own = NULL;
			char run_id[16];

			(void)snprintf(run_id, sizeof run_id, "run-%d", i);
			if (!store_open(text_str(&path), NULL, &own, &e) || !begin(own, run_id)) {
				(void)fprintf(stderr, "%s\n", e.text);
				_exit(1);
			}
			store_close(own);
			_exit(0);
		}
	}
	for (int i = 0; i < PROCESSES; i++)
		expect_exit_0(children[i]);
	open_again();
	ck_assert(store_runs(store, 0, &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, PROCESSES);
}
END_TEST

/* Appends for ever and says each number once it is durable. */
static void append_until_killed(int numbers)
{
	struct store *own = NULL;

	if (!store_open(text_str(&path), NULL, &own, &e))
		_exit(1);
	for (;;) {
		struct event event = { .kind = EVENT_NOTE, .text = "not the last one" };

		if (!store_append(own, "run-a", &event, &e) ||
		    write(numbers, &event.number, sizeof event.number) != sizeof event.number)
			_exit(2);
	}
}

START_TEST(test_kill_in_the_middle_of_appends_leaves_an_intact_prefix)
{
	uint64_t durable = 0;
	struct timeline timeline;

	open_again();
	ck_assert(begin(store, "run-a"));
	for (int round = 0; round < 5; round++) {
		int numbers[2];
		const uint64_t before = durable;

		store_close(store);
		store = NULL;
		ck_assert_int_eq(pipe(numbers), 0);

		const pid_t child = fork();

		if (child == 0) {
			close(numbers[0]);
			append_until_killed(numbers[1]);
		}
		close(numbers[1]);
		while (durable < before + 7 + (uint64_t)round)
			ck_assert_int_eq(read(numbers[0], &durable, sizeof durable),
					 sizeof durable);
		ck_assert_int_eq(kill(child, SIGKILL), 0);
		ck_assert_int_eq(waitpid(child, NULL, 0), child);
		while (read(numbers[0], &durable, sizeof durable) == sizeof durable)
			; /* what it still said before it died is durable too */
		close(numbers[0]);
		open_again();
		ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
		ck_assert_uint_ge(timeline.event_count, durable);
		ck_assert_uint_le(timeline.event_count, durable + 1);
		durable = timeline.event_count;
	}
	ck_assert(append(store, "run-a", "and it goes on"));
}
END_TEST

/* ---- tampering and damage ---- */

START_TEST(test_timeline_names_the_first_changed_event)
{
	struct timeline timeline;

	open_again();
	ck_assert(begin(store, "run-a"));
	for (int i = 0; i < 5; i++)
		ck_assert(append(store, "run-a", "as it was"));
	run_sql("update events set text = 'as it should have been' where number in (3, 5)");
	ck_assert(!store_timeline(store, "run-a", &arena, &timeline, &e));
	ck_assert_int_eq(e.kind, ERR_ALTERED);
	ck_assert_ptr_nonnull(strstr(e.text, "run run-a: event 3 is not as it was written"));
	run_sql("update events set kind = 'miracle' where number = 2");
	ck_assert(!store_timeline(store, "run-a", &arena, &timeline, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "event 2 is damaged"));
	run_sql("delete from events where number = 1");
	ck_assert(!store_timeline(store, "run-a", &arena, &timeline, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "event 1 is missing"));
}
END_TEST

START_TEST(test_timeline_notices_that_the_end_was_cut_off)
{
	struct timeline timeline;

	open_again();
	ck_assert(begin(store, "run-a"));
	ck_assert(append(store, "run-a", "first"));
	ck_assert(append(store, "run-a", "missed by a mile"));
	ck_assert(store_run_end(store, "run-a", 1, 1, "Missed.", &e));
	run_sql("delete from events where number = 2");
	ck_assert(!store_timeline(store, "run-a", &arena, &timeline, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "ended with event 2, which is gone"));
}
END_TEST

START_TEST(test_run_find_notices_changed_documents_and_results)
{
	const struct run_row row = { .run_id = "run-a", .experiment_text = "rto: 30s" };
	struct event event = { .kind = EVENT_NOTE, .text = "first" };
	struct run_row found;

	open_again();
	ck_assert(store_run_begin(store, &row, &e));
	ck_assert(store_append(store, "run-a", &event, &e));
	ck_assert(store_run_end(store, "run-a", 1, 1, "Missed.", &e));
	run_sql("update runs set exit_code = 0, sentence = 'Met.'");
	ck_assert(!store_run_find(store, "run-a", &arena, &found, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "its result is not as it was written"));
	run_sql("update runs set experiment_text = 'rto: 60s'");
	ck_assert(!store_run_find(store, "run-a", &arena, &found, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "its documents or its beginning"));
}
END_TEST

START_TEST(test_heals_open_notices_a_changed_record)
{
	const struct host db1 = { .name = "db1", .address = "198.18.77.11", .port = 22 };
	const struct heal_record record = {
		.run_id = "run-a",
		.step = 1,
		.fault = "disk.fill",
		.host = &db1,
	};
	struct heal_row *rows = NULL;
	size_t count = 0;

	open_again();
	ck_assert(begin(store, "run-a"));
	ck_assert_msg(store_heal_put(store, &record, NULL, &e), "%s", e.text);
	run_sql("update heals set state = 'odd'");
	ck_assert(!store_heals_open(store, NULL, &arena, &rows, &count, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "step 1 on db1: it is not as it was written"));
	ck_assert(!store_heal_mark(store, &record, HEAL_DONE, &e));
	run_sql("update heals set record = replace(record, '198.18.77.11', '198.18.77.99')");
	ck_assert(!store_heals_open(store, "run-a", &arena, &rows, &count, &e));
}
END_TEST

/* One of everything. */
static void fill_store(void)
{
	static struct sample samples[3000];
	static const uint8_t rows[3000] = { 1, 1, 0, 3 };
	const char *errors[] = { "connect: refused" };
	const struct run_row row = {
		.run_id = "run-a",
		.title = "t",
		.experiment_text = "title: x",
		.inventory_text = "y",
	};
	const struct host db1 = { .name = "db1", .address = "198.18.77.11", .port = 22 };
	const struct heal_record record = {
		.run_id = "run-a",
		.step = 1,
		.fault = "disk.fill",
		.host = &db1,
	};
	struct track track = {
		.probe = "writes",
		.t0_ns = 5,
		.every_ns = 1000,
		.lane_count = 2,
		.slot_count = 3000,
		.samples = samples,
		.error_texts = errors,
		.error_count = 1,
	};
	const struct ledger_read read = {
		.probe = "writes",
		.count = COUNT_STABLE,
		.read_number = 1,
		.is_complete = true,
		.row_count = 3000,
		.rows = rows,
	};

	for (size_t i = 0; i < 3000; i++)
		samples[i] = (struct sample){ .sent_ns = 1 + (int64_t)i * 1000,
					      .done_ns = 700 + (int64_t)(i * i),
					      .state = SAMPLE_GOOD };
	ck_assert(store_run_begin(store, &row, &e));
	ck_assert_msg(store_heal_put(store, &record, "before", &e), "%s", e.text);
	for (int i = 0; i < 20; i++)
		ck_assert(append(store, "run-a", "something happened"));
	ck_assert(store_track_put(store, "run-a", &track, &e));
	ck_assert(store_ledger_read_put(store, "run-a", &read, &e));
	ck_assert(store_run_end(store, "run-a", 77, 1, "Missed.", &e));
}

/* Everything that can be read, as one text; NULL when a part of it was refused. */
static const char *read_all(struct store *from)
{
	struct run_row row;
	struct timeline timeline;
	struct heal_row *heals = NULL;
	size_t heal_count = 0;
	struct text all = { 0 };
	char hash[HASH_TEXT_BYTES];

	if (!store_run_find(from, "run-a", &arena, &row, &e) ||
	    !store_heals_open(from, "run-a", &arena, &heals, &heal_count, &e) ||
	    !store_timeline(from, "run-a", &arena, &timeline, &e))
		return NULL;
	text_addf(&all, "%s %s %s %s %" PRId64 " %" PRId64 " %zu", row.title, row.experiment_text,
		  row.inventory_text, row.sentence, row.exit_code, row.ended_wall_ns, heal_count);
	for (size_t i = 0; i < heal_count; i++)
		text_addf(&all, " %s %s %d", heals[i].record.host->address, heals[i].before,
			  (int)heals[i].state);
	for (size_t i = 0; i < timeline.event_count; i++)
		text_addf(&all, " %s", timeline.events[i].hash);
	for (size_t i = 0; i < timeline.track_count; i++) {
		hash_chain("", timeline.tracks[i].samples,
			   timeline.tracks[i].slot_count * sizeof(struct sample), hash);
		text_addf(&all, " %s %s", hash, timeline.tracks[i].error_texts[0]);
	}
	for (size_t i = 0; i < timeline.ledger_read_count; i++) {
		hash_chain("", timeline.ledger_reads[i].rows, timeline.ledger_reads[i].row_count,
			   hash);
		text_addf(&all, " %s", hash);
	}

	const char *copy = arena_copy(&arena, text_str(&all));

	text_release(&all);
	return copy;
}

static uint8_t *read_file(size_t *ret_length)
{
	FILE *stream = fopen(text_str(&path), "rb");

	ck_assert_ptr_nonnull(stream);
	ck_assert_int_eq(fseek(stream, 0, SEEK_END), 0);

	const size_t length = (size_t)ftell(stream);
	uint8_t *bytes = arena_alloc(&arena, length);

	rewind(stream);
	ck_assert_uint_eq(fread(bytes, 1, length, stream), length);
	ck_assert_int_eq(fclose(stream), 0);
	*ret_length = length;
	return bytes;
}

static void write_file(const uint8_t *bytes, size_t length)
{
	FILE *stream = fopen(text_str(&path), "wb");

	ck_assert_ptr_nonnull(stream);
	ck_assert_uint_eq(fwrite(bytes, 1, length, stream), length);
	ck_assert_int_eq(fclose(stream), 0);
}

/* A share of the bytes; the shares together are every 7th byte of the whole file and all headers.
 */
enum { FLIP_SHARES = 4, FLIP_STEP = 7 * 31 };

START_TEST(test_damaged_bytes_give_errors_and_never_other_content)
{
	size_t length = 0;
	size_t refused_count = 0;
	size_t same_count = 0;

	open_again();
	fill_store();

	const char *whole = read_all(store);

	ck_assert_msg(whole != NULL, "%s", e.text);
	store_close(store);
	store = NULL;

	uint8_t *bytes = read_file(&length);

	for (size_t at = (size_t)_i * 7; at < length; at += at % 4096 < 64 ? 5 : FLIP_STEP) {
		const uint8_t kept = bytes[at];
		struct store *damaged = NULL;

		bytes[at] = (uint8_t)(at % 2 == 0 ? kept ^ 0x01 : ~kept);
		write_file(bytes, length);
		bytes[at] = kept;

		const char *got =
			store_open(text_str(&path), NULL, &damaged, &e) ? read_all(damaged) : NULL;

		store_close(damaged);
		if (got == NULL) {
			refused_count++;
			ck_assert_int_ne(e.kind, ERR_NONE);
			ck_assert_uint_gt(strlen(e.text), 20);
			continue;
		}
		same_count++;
		ck_assert_msg(strcmp(got, whole) == 0, "byte %zu changed what is read:\n%s\n%s", at,
			      got, whole);
	}
	ck_assert_uint_gt(refused_count, 20);
	ck_assert_uint_gt(same_count, 0); /* free pages and the like */
}
END_TEST

START_TEST(test_cut_file_is_refused_at_any_length)
{
	size_t length = 0;

	open_again();
	fill_store();
	store_close(store);
	store = NULL;

	const uint8_t *bytes = read_file(&length);

	for (size_t cut = 1; cut < length; cut += 3001) {
		struct store *damaged = NULL;

		write_file(bytes, cut);
		if (store_open(text_str(&path), NULL, &damaged, &e))
			ck_assert_ptr_null(read_all(damaged));
		ck_assert_int_ne(e.kind, ERR_NONE);
		store_close(damaged);
	}
}
END_TEST

START_TEST(test_open_says_what_a_foreign_file_is)
{
	write_file((const uint8_t *)"title: no database at all, but long enough to be looked at",
		   58);
	ck_assert(!store_open(text_str(&path), NULL, &store, &e));
	ck_assert_int_eq(e.kind, ERR_ALTERED);
	ck_assert_ptr_nonnull(strstr(e.text, "is damaged or is no store"));
	ck_assert_int_eq(unlink(text_str(&path)), 0);
	run_sql("create table theirs (x)");
	ck_assert(!store_open(text_str(&path), NULL, &store, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "a database of another program"));
}
END_TEST

START_TEST(test_open_refuses_a_store_of_a_newer_version)
{
	open_again();
	store_try_set_version(&path, 99);
	store_close(store);
	store = NULL;
	ck_assert(!store_open(text_str(&path), NULL, &store, &e));
	ck_assert_int_eq(e.kind, ERR_STORE);
	ck_assert_ptr_nonnull(strstr(e.text,
				     "a newer firedrill has written it (schema 99, this one knows"));
}
END_TEST

START_TEST(test_append_past_the_limit_leaves_room_for_the_way_out)
{
	struct event healed = { .kind = EVENT_HEALED, .text = "healed" };
	char sql[256];

	open_again();
	ck_assert(begin(store, "run-a"));
	(void)snprintf(sql, sizeof sql,
		       "insert into events values ('run-a', %d, 0, 'note', 'none', 0,"
		       " null, null, 0, 0, '', null, 'x')",
		       LIMIT_EVENTS);
	run_sql(sql);
	ck_assert(!append(store, "run-a", "one too many"));
	ck_assert_int_eq(e.kind, ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(e.text, "100000"));
	ck_assert_msg(store_append(store, "run-a", &healed, &e), "%s", e.text);
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_append_from_several_processes_keeps_one_chain);
	tcase_add_loop_test(tests, test_open_of_a_new_store_by_several_processes_makes_one, 0,
			    is_server ? 3 : 10);
	tcase_add_test(tests, test_kill_in_the_middle_of_appends_leaves_an_intact_prefix);
	tcase_add_test(tests, test_timeline_names_the_first_changed_event);
	tcase_add_test(tests, test_timeline_notices_that_the_end_was_cut_off);
	tcase_add_test(tests, test_run_find_notices_changed_documents_and_results);
	tcase_add_test(tests, test_heals_open_notices_a_changed_record);
	tcase_add_test(tests, test_open_refuses_a_store_of_a_newer_version);
	tcase_add_test(tests, test_append_past_the_limit_leaves_room_for_the_way_out);
	if (is_server)
		return;
	tcase_add_loop_test(tests, test_damaged_bytes_give_errors_and_never_other_content, 0,
			    FLIP_SHARES);
	tcase_add_test(tests, test_cut_file_is_refused_at_any_length);
	tcase_add_test(tests, test_open_says_what_a_foreign_file_is);
}

void suite_store_crash(Suite *suite)
{
	store_try_add(suite, "store_crash", setup, teardown, add_tests);
}
