/*
 * test_store.c - runs and their journals go in and come out, and secrets do not go in. The rest is
 * in test_store_rows.c, and what crashes and damage do to it in test_store_crash.c and _disk.c.
 */
#include "base/process.h"
#include "base/random.h"
#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "store/store.h"
#include "tests/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *dir;
static struct text path;
static struct secrets secrets;
static struct store *store;
static struct arena arena;
static struct err e;

static void open_again(void)
{
	store_close(store);
	store = NULL;
	ck_assert_msg(store_open(text_str(&path), &secrets, &store, &e), "%s", e.text);
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
	secrets_release(&secrets);
	text_release(&path);
	arena_release(&arena);
	temp_dir_remove(dir);
}

static void begin(const char *run_id)
{
	const struct run_row row = { .run_id = run_id, .title = "a drill" };

	ck_assert_msg(store_run_begin(store, &row, &e), "%s", e.text);
}

static void append(const char *run_id, enum event_kind kind, const char *text)
{
	struct event event = { .kind = kind, .phase = PHASE_OBSERVE, .text = text };

	ck_assert_msg(store_append(store, run_id, &event, &e), "%s", e.text);
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

static const struct host db1 = {
	.name = "db1",
	.address = "198.18.77.11",
	.port = 22,
};

/* ---- runs ---- */

START_TEST(test_run_find_gives_back_all_of_begin_and_end)
{
	const struct pair vars[] = { { "cluster", "a" }, { "cluster", "b \"quoted\"" } };
	const struct run_row row = {
		.run_id = "20261121-102030-k3f9",
		.title = "Kill \xc3\xa4 primary",
		.version = "0.1.0",
		.anchor = { .boot_ns = 12345, .wall_ns = INT64_C(1700000000000000001) },
		.experiment_path = "x.yaml",
		.experiment_text = "title: x\n",
		.inventory_path = "inventory.yaml",
		.inventory_text = "hosts: {}\n",
		.vars = vars,
		.var_count = 2,
		.boot_id = "boot",
		.pid = 7,
		.pid_start = 8,
	};
	struct run_row found;

	ck_assert_msg(store_run_begin(store, &row, &e), "%s", e.text);
	ck_assert(store_run_find(store, "20261121", &arena, &found, &e));
	ck_assert(!found.is_ended);
	ck_assert(store_run_end(store, row.run_id, 99, EXIT_SUCCESS, "All met.", &e));
	open_again();
	ck_assert_msg(store_run_find(store, "last", &arena, &found, &e), "%s", e.text);
	ck_assert_str_eq(found.run_id, row.run_id);
	ck_assert_str_eq(found.title, row.title);
	ck_assert_str_eq(found.version, row.version);
	ck_assert_int_eq(found.anchor.boot_ns, row.anchor.boot_ns);
	ck_assert_int_eq(found.anchor.wall_ns, row.anchor.wall_ns);
	ck_assert_str_eq(found.experiment_path, row.experiment_path);
	ck_assert_str_eq(found.experiment_text, row.experiment_text);
	ck_assert_str_eq(found.inventory_path, row.inventory_path);
	ck_assert_str_eq(found.inventory_text, row.inventory_text);
	ck_assert_uint_eq(found.var_count, 2);
	ck_assert_str_eq(found.vars[1].name, "cluster");
	ck_assert_str_eq(found.vars[1].value, "b \"quoted\"");
	ck_assert_str_eq(found.boot_id, "boot");
	ck_assert_int_eq(found.pid, 7);
	ck_assert_int_eq(found.pid_start, 8);
	ck_assert(found.is_ended);
	ck_assert_int_eq(found.ended_wall_ns, 99);
	ck_assert_int_eq(found.exit_code, 0);
	ck_assert_str_eq(found.sentence, "All met.");
}
END_TEST

START_TEST(test_run_begin_refuses_bad_and_used_ids)
{
	struct run_row row = { .run_id = "../up" };

	ck_assert(!store_run_begin(store, &row, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	row.run_id = "";
	ck_assert(!store_run_begin(store, &row, &e));
	begin("run-a");
	row.run_id = "run-a";
	ck_assert(!store_run_begin(store, &row, &e));
	ck_assert_str_eq(e.text, "begin run run-a: the store has a run with this id");
}
END_TEST

START_TEST(test_run_end_happens_once)
{
	begin("run-a");
	ck_assert(store_run_end(store, "run-a", 1, 3, "Inconclusive.", &e));
	ck_assert(!store_run_end(store, "run-a", 2, 0, "Met!", &e));
	ck_assert_str_eq(e.text, "end run run-a: it has ended already");
	ck_assert(!store_run_end(store, "run-b", 2, 0, "Met!", &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
}
END_TEST

START_TEST(test_runs_are_listed_newest_first_and_light)
{
	struct run_row *rows = NULL;
	size_t count = 99;

	ck_assert(store_runs(store, 0, &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, 0);
	begin("run-a");
	begin("run-b");
	begin("run-c");
	ck_assert(store_runs(store, 0, &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, 3);
	ck_assert_str_eq(rows[0].run_id, "run-c");
	ck_assert_str_eq(rows[2].run_id, "run-a");
	ck_assert_ptr_null(rows[0].experiment_text);
	ck_assert(store_runs(store, 2, &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(rows[1].run_id, "run-b");
}
END_TEST

START_TEST(test_run_find_says_why_an_id_is_not_enough)
{
	struct run_row found;

	ck_assert(!store_run_find(store, "last", &arena, &found, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	begin("run-1");
	begin("run-10");
	ck_assert(!store_run_find(store, "run", &arena, &found, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert_str_eq(e.text, "find run run: 2 runs begin so, such as run-10 and run-1; write "
				 "more of the id");
	ck_assert(
		store_run_find(store, "run-1", &arena, &found, &e)); /* whole id beats beginning */
	ck_assert_str_eq(found.run_id, "run-1");
	ck_assert(!store_run_find(store, "run_", &arena, &found, &e)); /* no wildcard */
	ck_assert(!store_run_find(store, "", &arena, &found, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
}
END_TEST

START_TEST(test_run_begin_notes_the_calling_process)
{
	struct run_row found;

	begin("run-a");
	ck_assert(store_run_find(store, "run-a", &arena, &found, &e));
	ck_assert_int_eq(found.pid, getpid());
	ck_assert(store_run_is_alive(&found));
	found.pid_start++; /* the pid was used again */
	ck_assert(!store_run_is_alive(&found));
	found.pid_start--;
	found.boot_id = "00000000-0000-0000-0000-000000000000";
	ck_assert(!store_run_is_alive(&found));
}
END_TEST

/* As a run in a container: its pid says nothing here, so its last sign of life counts. */
START_TEST(test_run_out_of_sight_is_alive_until_its_last_sign_of_life_is_over)
{
	const struct clock clock = clock_system();
	const int64_t now_ns = clock_wall_ns(&clock);
	struct run_row row;

	begin("run-a");
	ck_assert_msg(store_run_beat(store, "run-a", process_space() + 1, now_ns + 60 * NS_PER_S, &e),
		      "%s", e.text);
	ck_assert(store_run_find(store, "run-a", &arena, &row, &e));
	ck_assert_int_eq(row.alive_until_wall_ns, now_ns + 60 * NS_PER_S);
	row.pid_start++; /* no such process here */
	ck_assert(store_run_is_alive(&row));
	row.boot_id = "00000000-0000-0000-0000-000000000000";
	/* Nothing outlives a reboot; but where machines share a store, it may be another machine. */
	ck_assert_int_eq(store_run_is_alive(&row), store_try_is_server());
	ck_assert(store_run_beat(store, "run-a", process_space() + 1, now_ns - 1, &e));
	ck_assert(store_run_find(store, "run-a", &arena, &row, &e));
	ck_assert(!store_run_is_alive(&row));
	/* One that can be seen is what it is, whatever it said last. */
	ck_assert(store_run_beat(store, "run-a", process_space(), now_ns - 1, &e));
	ck_assert(store_run_find(store, "run-a", &arena, &row, &e));
	ck_assert(store_run_is_alive(&row));
}
END_TEST

START_TEST(test_run_is_alive_is_false_for_a_process_nobody_has_collected)
{
	struct run_row row;
	siginfo_t info;

	store_close(store); /* connections do not go through a fork */
	store = NULL;

	const pid_t child = fork();

	if (child == 0) {
		struct store *own = NULL;
		const struct run_row mine = { .run_id = "run-child" };

		_exit(store_open(text_str(&path), NULL, &own, NULL) &&
				      store_run_begin(own, &mine, NULL)
			      ? 0
			      : 1);
	}
	/* WNOWAIT leaves it a zombie. */
	ck_assert_int_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(info.si_status, 0);
	open_again();
	ck_assert_msg(store_run_find(store, "run-child", &arena, &row, &e), "%s", e.text);
	ck_assert_int_eq(row.pid, child);
	ck_assert(!store_run_is_alive(&row));
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert(!store_run_is_alive(&row));
}
END_TEST

/* ---- events ---- */

START_TEST(test_append_gives_numbers_and_a_chain_that_timeline_reads_back)
{
	struct event event = {
		.at_ns = 5,
		.kind = EVENT_INJECTED,
		.phase = PHASE_INJECT,
		.step = 2,
		.host = "db1",
		.name = "writes",
		.from_ns = 3,
		.until_ns = 4,
		.text = "SIGKILL sent",
		.data = "{\"a\":1}",
	};
	struct event second = { .kind = EVENT_NOTE, .text = "" };
	struct timeline timeline;

	begin("run-a");
	begin("run-b");
	ck_assert(store_append(store, "run-a", &event, &e));
	append("run-b", EVENT_NOTE, "other run");
	ck_assert(store_append(store, "run-a", &second, &e));
	ck_assert_uint_eq(event.number, 1);
	ck_assert_uint_eq(second.number, 2);
	ck_assert_str_ne(event.hash, second.hash);
	open_again();
	ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
	ck_assert_str_eq(timeline.run_id, "run-a");
	ck_assert_uint_eq(timeline.event_count, 2);

	const struct event *read = &timeline.events[0];

	ck_assert_int_eq(read->at_ns, 5);
	ck_assert_int_eq(read->kind, EVENT_INJECTED);
	ck_assert_int_eq(read->phase, PHASE_INJECT);
	ck_assert_uint_eq(read->step, 2);
	ck_assert_str_eq(read->host, "db1");
	ck_assert_str_eq(read->name, "writes");
	ck_assert_int_eq(read->from_ns, 3);
	ck_assert_int_eq(read->until_ns, 4);
	ck_assert_str_eq(read->text, "SIGKILL sent");
	ck_assert_str_eq(read->data, "{\"a\":1}");
	ck_assert_str_eq(read->hash, event.hash);
	ck_assert_int_eq(timeline.events[1].phase, PHASE_NONE);
	ck_assert_ptr_null(timeline.events[1].host);
	ck_assert_ptr_null(timeline.events[1].data);
}
END_TEST

START_TEST(test_events_after_gives_what_came_since)
{
	struct event *events = NULL;
	size_t count = 0;

	begin("r1");
	append("r1", EVENT_NOTE, "one");
	append("r1", EVENT_NOTE, "two");
	append("r1", EVENT_NOTE, "three");
	ck_assert_msg(store_events_after(store, "r1", 1, &arena, &events, &count, &e), "%s", e.text);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(events[0].number, 2);
	ck_assert_str_eq(events[1].text, "three");
	ck_assert(store_events_after(store, "r1", 3, &arena, &events, &count, &e));
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(test_append_of_every_kind_and_phase_is_read_back)
{
	struct timeline timeline;
	size_t count = 0;

	begin("run-a");
#define X(id, name)                                                                                \
	append("run-a", EVENT_##id, name);                                                         \
	count++;
	EVENT_ROWS(X)
#undef X
	ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
	ck_assert_uint_eq(timeline.event_count, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(event_kind_name(timeline.events[i].kind), timeline.events[i].text);
}
END_TEST

START_TEST(test_append_to_an_unknown_run_is_refused)
{
	struct event event = { .kind = EVENT_NOTE, .text = "hello" };
	struct timeline timeline;

	ck_assert(!store_append(store, "run-x", &event, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.text, "run-x"));
	ck_assert(!store_timeline(store, "run-x", &arena, &timeline, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
}
END_TEST

START_TEST(test_append_after_the_end_of_a_run_is_kept_for_heals)
{
	struct timeline timeline;

	begin("run-a");
	append("run-a", EVENT_RUN_ENDED, "ended");
	ck_assert(store_run_end(store, "run-a", 1, 4, "Something is left.", &e));
	append("run-a", EVENT_HEALED, "healed later");
	ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
	ck_assert_uint_eq(timeline.event_count, 2);
}
END_TEST

/* ---- secrets ---- */

static void write_a_secret_everywhere(void)
{
	const struct pair vars[] = { { "password", "s3cr3t-value" } };
	const struct run_row row = {
		.run_id = "run-a",
		.title = "s3cr3t-value",
		.version = "s3cr3t-value",
		.experiment_path = "s3cr3t-value",
		.experiment_text = "x: ${env:PASSWORD}",
		.inventory_path = "s3cr3t-value",
		.inventory_text = "",
		.vars = vars,
		.var_count = 1,
	};
	struct event event = {
		.kind = EVENT_NOTE,
		.host = "s3cr3t-value",
		.name = "s3cr3t-value",
		.text = "password=s3cr3t-value!",
		.data = "{\"p\":\"s3cr3t-value\"}",
	};
	const char *errors[] = { "login as s3cr3t-value failed" };
	const struct sample sample = { .state = SAMPLE_BAD, .error_index = 1 };
	const struct track track = {
		.probe = "reads",
		.every_ns = 1,
		.lane_count = 1,
		.slot_count = 1,
		.samples = &sample,
		.error_texts = errors,
		.error_count = 1,
	};
	const struct ledger_read read = {
		.probe = "writes",
		.count = COUNT_STABLE,
		.read_number = 1,
		.error = "s3cr3t-value",
	};
	const struct heal_record record = record_of("run-a", 1, &db1);

	ck_assert(store_run_begin(store, &row, &e));
	ck_assert(store_append(store, "run-a", &event, &e));
	ck_assert_str_eq(event.text, "password=s3cr3t-value!"); /* the caller's is not touched */
	ck_assert(store_track_put(store, "run-a", &track, &e));
	ck_assert(store_ledger_read_put(store, "run-a", &read, &e));
	ck_assert(store_heal_put(store, &record, "before: s3cr3t-value", &e));
	ck_assert(store_run_end(store, "run-a", 1, 0, "s3cr3t-value", &e));
}

START_TEST(test_store_hides_secrets_in_every_text)
{
	struct timeline timeline;

	secrets_register(&secrets, "s3cr3t-value");
	write_a_secret_everywhere();
	ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
	ck_assert_str_eq(timeline.events[0].text, "password=[secret]!");
	ck_assert_str_eq(timeline.tracks[0].error_texts[0], "login as [secret] failed");
	ck_assert_uint_gt(store_try_count(&path, "[secret]"), 10);
	ck_assert_uint_eq(store_try_count(&path, "s3cr3t"), 0);
	store_close(store);
	store = NULL;
	ck_assert_uint_gt(store_try_count(&path, "[secret]"), 10);
	ck_assert_uint_eq(store_try_count(&path, "s3cr3t"), 0);
}
END_TEST

START_TEST(test_heal_put_refuses_a_record_that_holds_a_secret)
{
	const struct heal_record record = record_of("run-a", 1, &db1);
	struct heal_row *rows = NULL;
	size_t count = 99;

	secrets_register(&secrets, "198.18.77.11");
	begin("run-a");
	ck_assert(!store_heal_put(store, &record, NULL, &e));
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	ck_assert(store_heals_open(store, NULL, &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, 0);
	ck_assert(!store_lock_take(store, "run-a", "198.18.77.11", &e));
	ck_assert_int_eq(e.kind, ERR_REFUSED);
}
END_TEST

START_TEST(test_run_begin_refuses_documents_that_hold_a_secret)
{
	struct run_row row = {
		.run_id = "run-a",
		.experiment_path = "drill.yaml",
		.experiment_text = "title: x\nprobes:\n  reads: { kind: orders.query }\n",
		.inventory_path = "inventory.yaml",
		.inventory_text = "password: ${env:PASSWORD}\n",
	};
	struct run_row found;

	secrets_register(&secrets, "orders");
	ck_assert(!store_run_begin(store, &row, &e));
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "line 3 of drill.yaml holds the value of a secret"));
	ck_assert_ptr_null(strstr(e.text, "orders"));
	row.experiment_text = "title: x\n";
	row.inventory_text = "orders: 1";
	ck_assert(!store_run_begin(store, &row, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "line 1 of inventory.yaml"));
	ck_assert(!store_run_find(store, "last", &arena, &found, &e));
}
END_TEST

/* ---- the place ---- */

START_TEST(test_default_path_follows_xdg)
{
	struct text text = { 0 };

	ck_assert_int_eq(setenv("XDG_STATE_HOME", "/state", 1), 0);
	store_default_path(&text);
	ck_assert_str_eq(text_str(&text), "/state/firedrill/firedrill.db");
	text_clear(&text);
	ck_assert_int_eq(setenv("XDG_STATE_HOME", "relative", 1), 0);
	ck_assert_int_eq(setenv("HOME", "/home/ann", 1), 0);
	store_default_path(&text);
	ck_assert_str_eq(text_str(&text), "/home/ann/.local/state/firedrill/firedrill.db");
	text_release(&text);
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_run_find_gives_back_all_of_begin_and_end);
	tcase_add_test(tests, test_run_begin_refuses_bad_and_used_ids);
	tcase_add_test(tests, test_run_end_happens_once);
	tcase_add_test(tests, test_runs_are_listed_newest_first_and_light);
	tcase_add_test(tests, test_run_find_says_why_an_id_is_not_enough);
	tcase_add_test(tests, test_run_begin_notes_the_calling_process);
	tcase_add_test(tests, test_run_out_of_sight_is_alive_until_its_last_sign_of_life_is_over);
	tcase_add_test(tests, test_run_is_alive_is_false_for_a_process_nobody_has_collected);
	tcase_add_test(tests, test_append_gives_numbers_and_a_chain_that_timeline_reads_back);
	tcase_add_test(tests, test_events_after_gives_what_came_since);
	tcase_add_test(tests, test_append_of_every_kind_and_phase_is_read_back);
	tcase_add_test(tests, test_append_to_an_unknown_run_is_refused);
	tcase_add_test(tests, test_append_after_the_end_of_a_run_is_kept_for_heals);
	tcase_add_test(tests, test_store_hides_secrets_in_every_text);
	tcase_add_test(tests, test_heal_put_refuses_a_record_that_holds_a_secret);
	tcase_add_test(tests, test_run_begin_refuses_documents_that_hold_a_secret);
	if (is_server)
		return;
	tcase_add_test(tests, test_default_path_follows_xdg);
}

void suite_store(Suite *suite)
{
	store_try_add(suite, "store", setup, teardown, add_tests);
}
