/*
 * test_store_spool.c - the server of a shared store goes away in the middle of a run: no event is lost,
 * none comes twice, and what is to be healed can be found on this machine.
 *
 * Each test has a server of its own, which crashes and comes back.
 */
#include "store/store.h"
#include "base/clock.h"
#include "fixtures/paper_world.h"
#include "fixtures/pg_server.h"
#include "fixtures/temp_dir.h"
#include "tests/suites.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEST_AT_MOST_S = 60 };

static const char *const settings[] = { "full_page_writes=off", "autovacuum=off", NULL };
static const struct host db1 = { .name = "db1", .address = "198.18.77.11", .port = 22 };

static char *dir;
static struct pg_server server;
static struct text url;
static struct store *store;
static struct arena arena;
static struct err e;

static void open_again(void)
{
	store_close(store);
	store = NULL;
	ck_assert_msg(store_open(text_str(&url), NULL, &store, &e), "%s", e.text);
}

static void setup(void)
{
	dir = temp_dir_make();
	ck_assert_int_eq(setenv("XDG_STATE_HOME", dir, 1), 0);
	ck_assert_msg(pg_server_start(&server, settings, &e), "%s", e.text);
	text_addf(&url, "postgresql://postgres@127.0.0.1:%u/postgres", server.port);
	open_again();
}

static void teardown(void)
{
	store_close(store);
	store = NULL;
	pg_server_stop(&server);
	text_release(&url);
	arena_release(&arena);
	temp_dir_remove(dir);
}

static void come_back(void)
{
	ck_assert_msg(pg_server_again(&server, settings, &e), "%s", e.text);
}

static void begin(struct store *into, const char *run_id)
{
	const struct run_row row = { .run_id = run_id,
				     .title = "a drill",
				     .experiment_text = "title: x",
				     .inventory_text = "y" };

	ck_assert_msg(store_run_begin(into, &row, &e), "%s", e.text);
}

static void append(struct store *into, const char *text)
{
	struct event event = { .kind = EVENT_NOTE, .phase = PHASE_OBSERVE, .text = text };

	ck_assert_msg(store_append(into, "run-a", &event, &e), "%s", e.text);
}

static struct heal_record record_of(uint32_t step)
{
	return (struct heal_record){
		.run_id = "run-a", .step = step, .fault = "disk.fill", .host = &db1
	};
}

static void put_heal(struct store *into, uint32_t step)
{
	const struct heal_record record = record_of(step);

	ck_assert_msg(store_heal_put(into, &record, "before", &e), "%s", e.text);
}

/* "one two three": the texts of its events, in their order. */
static const char *texts_in(struct store *from)
{
	struct text all = { 0 };
	struct timeline timeline;

	ck_assert_msg(store_timeline(from, "run-a", &arena, &timeline, &e), "%s", e.text);
	for (size_t i = 0; i < timeline.event_count; i++)
		text_addf(&all, "%s%s", i == 0 ? "" : " ", timeline.events[i].text);

	const char *copy = arena_copy(&arena, text_str(&all));

	text_release(&all);
	return copy;
}

static size_t count_open_heals(struct store *in)
{
	struct heal_row *rows = NULL;
	size_t count = 0;

	ck_assert_msg(store_heals_open(in, "run-a", &arena, &rows, &count, &e), "%s", e.text);
	return count;
}

static size_t count_spools(void)
{
	const char *const *paths = NULL;
	size_t count = 0;

	(void)store_spools(text_str(&url), &arena, &paths, &count);
	return count;
}

/* As another process sees it: what the server has, and no spool. */
static const char *texts_on_server(void)
{
	struct text texts = { 0 };

	ck_assert_msg(pg_server_sql(&server,
				    "select string_agg(text, ' ' order by number) from"
				    " firedrill.events where run_id = 'run-a'",
				    &texts, &e),
		      "%s", e.text);

	const char *copy = arena_copy(&arena, text_str(&texts));

	text_release(&texts);
	return copy;
}

static void wait_until_it_is_asked_again(void)
{
	const struct clock clock = clock_system();
	const int64_t deadline_ns = clock_now_ns(&clock) + 20 * NS_PER_S;
	struct run_row *rows;
	size_t count;

	while (!store_runs(store, 0, &arena, &rows, &count, &e)) {
		ck_assert_msg(clock_now_ns(&clock) < deadline_ns, "%s", e.text);
		clock_sleep_until_ns(&clock, clock_now_ns(&clock) + 50 * NS_PER_MS);
	}
}

START_TEST(test_events_of_an_absence_come_to_the_server_once_and_in_order)
{
	const struct run_row other = { .run_id = "run-b" };

	begin(store, "run-a");
	append(store, "one");
	put_heal(store, 1);
	pg_server_halt(&server, false);
	append(store, "two");
	ck_assert(store_is_away(store));
	put_heal(store, 2);
	append(store, "three");
	ck_assert_str_eq(texts_in(store), "one two three");
	ck_assert_uint_eq(count_open_heals(store), 2);
	/* Nothing that others must know of begins now. */
	ck_assert(!store_run_begin(store, &other, &e));
	ck_assert_int_eq(e.kind, ERR_STORE);
	ck_assert(!store_lock_take(store, "run-a", "db1", &e));
	come_back();
	wait_until_it_is_asked_again();
	ck_assert(!store_is_away(store));
	ck_assert_str_eq(texts_on_server(), "one two three");
	append(store, "four");
	ck_assert_str_eq(texts_on_server(), "one two three four");
	ck_assert_str_eq(texts_in(store), "one two three four");
	ck_assert_uint_eq(count_open_heals(store), 2);
}
END_TEST

START_TEST(test_run_that_ends_in_an_absence_is_whole_afterwards)
{
	const struct sample samples[3] = { { .sent_ns = 1, .done_ns = 2, .state = SAMPLE_GOOD } };
	const struct track track = { .probe = "reads",
				     .every_ns = 10,
				     .lane_count = 1,
				     .slot_count = 3,
				     .samples = samples };
	const struct facts_subject subject = { .service = "db", .environment = "",
					       .scenario = "kill on primary", .title = "a drill",
					       .experiment = "e", .inventory = "i" };
	const struct run_facts facts = { .run_id = "run-a", .is_ended = true, .lost_count = 7 };
	struct facts_rows history = { 0 };
	struct timeline away;
	struct timeline back;
	struct run_row row;

	begin(store, "run-a");
	ck_assert(store_lock_take(store, "run-a", "db1", &e));
	append(store, "one");
	pg_server_halt(&server, false);
	append(store, "two");
	ck_assert_msg(store_track_put(store, "run-a", &track, &e), "%s", e.text);
	ck_assert_msg(store_run_end(store, "run-a", 9, 0, "Met.", &e), "%s", e.text);
	ck_assert_msg(store_facts_put(store, &subject, &facts, NULL, &e), "%s", e.text);
	ck_assert_msg(store_locks_drop(store, "run-a", &e), "%s", e.text);
	ck_assert_msg(store_run_find(store, "run-a", &arena, &row, &e), "%s", e.text);
	ck_assert_str_eq(row.sentence, "Met.");
	ck_assert_msg(store_timeline(store, "run-a", &arena, &away, &e), "%s", e.text);
	come_back();
	wait_until_it_is_asked_again();
	ck_assert_msg(store_timeline(store, "run-a", &arena, &back, &e), "%s", e.text);
	ck_assert_str_eq(back.head, away.head);
	ck_assert_msg(store_facts(store, &arena, &history, &e), "%s", e.text);
	ck_assert_uint_eq(history.row_count, 1);
	ck_assert_uint_eq(history.rows[0].lost_count, 7);
	begin(store, "run-b");
	ck_assert_msg(store_lock_take(store, "run-b", "db1", &e), "%s", e.text);
	ck_assert(store_run_end(store, "run-b", 9, 0, "Met.", &e));
	ck_assert(store_locks_drop(store, "run-b", &e));
	store_close(store);
	store = NULL;
	ck_assert_uint_eq(count_spools(), 0);
}
END_TEST

/* Dies in the middle of a run, after the server has gone away. */
static void die_with_a_spool(void)
{
	struct store *own = NULL;

	if (!store_open(text_str(&url), NULL, &own, &e))
		_exit(1);
	begin(own, "run-a");
	append(own, "one");
	(void)raise(SIGSTOP);
	append(own, "two");
	put_heal(own, 1);
	append(own, "three");
	(void)raise(SIGKILL);
}

static void leave_a_spool(void)
{
	int status = 0;

	store_close(store);
	store = NULL;

	const pid_t child = fork();

	if (child == 0)
		die_with_a_spool();
	ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
	ck_assert(WIFSTOPPED(status));
	pg_server_halt(&server, false);
	ck_assert_int_eq(kill(child, SIGCONT), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}

START_TEST(test_spool_of_a_killed_process_is_brought_by_the_next_command)
{
	leave_a_spool();
	ck_assert_uint_eq(count_spools(), 1);
	come_back();
	open_again();
	ck_assert_str_eq(texts_on_server(), "one two three");
	ck_assert_str_eq(texts_in(store), "one two three");
	ck_assert_uint_eq(count_open_heals(store), 1);
	ck_assert_uint_eq(count_spools(), 0);
	open_again(); /* and nothing comes twice */
	ck_assert_str_eq(texts_in(store), "one two three");
}
END_TEST

START_TEST(test_spool_can_be_healed_from_while_the_server_is_away)
{
	const struct heal_record record = record_of(1);
	const char *const *paths = NULL;
	struct store *spool = NULL;
	struct stat found;
	size_t count = 0;

	leave_a_spool();
	ck_assert(!store_open(text_str(&url), NULL, &store, &e));
	ck_assert(store_spools(text_str(&url), &arena, &paths, &count));
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(stat(paths[0], &found), 0);
	ck_assert_int_eq(found.st_mode & 07777, 0600);
	ck_assert_msg(store_open(paths[0], NULL, &spool, &e), "%s", e.text);
	ck_assert_str_eq(texts_in(spool), "one two three");
	ck_assert_uint_eq(count_open_heals(spool), 1);
	append(spool, "healed");
	ck_assert_msg(store_heal_mark(spool, &record, HEAL_DONE, &e), "%s", e.text);
	store_close(spool);
	come_back();
	open_again();
	ck_assert_str_eq(texts_in(store), "one two three healed");
	ck_assert_uint_eq(count_open_heals(store), 0);
}
END_TEST

/* Another machine, which knows nothing of our spool, takes the run for dead, heals it and ends it. */
static void heal_elsewhere(void)
{
	const struct heal_record record = record_of(1);
	char *elsewhere = temp_dir_make();
	struct store *own = NULL;

	ck_assert_int_eq(setenv("XDG_STATE_HOME", elsewhere, 1), 0);
	ck_assert_msg(store_open(text_str(&url), NULL, &own, &e), "%s", e.text);
	put_heal(own, 1);
	append(own, "healed");
	ck_assert_msg(store_heal_mark(own, &record, HEAL_DONE, &e), "%s", e.text);
	ck_assert_msg(store_run_end(own, "run-a", 9, 7, "It was healed afterwards.", &e), "%s",
		      e.text);
	store_close(own);
	temp_dir_remove(elsewhere);
	ck_assert_int_eq(setenv("XDG_STATE_HOME", dir, 1), 0);
}

START_TEST(test_events_follow_those_that_another_machine_has_written_meanwhile)
{
	struct run_row row;

	leave_a_spool();
	come_back();
	heal_elsewhere();
	ck_assert_str_eq(texts_on_server(), "one healed");
	open_again();
	ck_assert_str_eq(texts_in(store), "one healed two three");
	ck_assert_uint_eq(count_open_heals(store), 0);
	ck_assert_msg(store_run_find(store, "run-a", &arena, &row, &e), "%s", e.text);
	ck_assert_str_eq(row.sentence, "It was healed afterwards.");
	open_again(); /* and nothing comes twice */
	ck_assert_str_eq(texts_in(store), "one healed two three");
}
END_TEST

/* ---- a whole drill ---- */

static void crash_and_come_back(struct world *world, const struct event *event)
{
	const struct clock clock = clock_system(); /* the drill's is simulated */

	(void)world;
	if (event->kind == EVENT_INJECTED)
		pg_server_halt(&server, true);
	if (event->kind != EVENT_HEALED)
		return;
	come_back();
	clock_sleep_until_ns(&clock, clock_now_ns(&clock) + 1500 * NS_PER_MS);
}

static bool has_event(const struct timeline *timeline, const char *words)
{
	for (size_t i = 0; i < timeline->event_count; i++)
		if (strstr(timeline->events[i].text, words) != NULL)
			return true;
	return false;
}

START_TEST(test_drill_is_whole_although_the_server_crashed_in_the_middle_of_it)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S };
	struct world world = { .interrupt_in = PHASE_NONE, .on_event = crash_and_come_back };
	struct timeline timeline;
	struct run_row row;

	world_open(&world, &script);
	store_close(world.store);
	world.store = store;
	store = NULL;
	world_run_ok(&world);
	ck_assert_msg(world.outcome.exit_code == EXIT_MET, "exit %d: %s",
		      (int)world.outcome.exit_code, world.outcome.sentence);
	ck_assert_uint_eq(world_open_heals(&world), 0);
	world_close(&world);
	open_again();
	ck_assert_msg(store_run_find(store, "last", &arena, &row, &e), "%s", e.text);
	ck_assert(row.is_ended);
	ck_assert_msg(store_timeline(store, row.run_id, &arena, &timeline, &e), "%s", e.text);
	ck_assert(has_event(&timeline, "the store is away"));
	ck_assert(has_event(&timeline, "the store is back"));
	ck_assert_uint_eq(timeline.sealed_event_count, timeline.event_count);
	ck_assert_uint_eq(count_spools(), 0);
}
END_TEST

void suite_store_spool(Suite *suite)
{
	TCase *tcase = tcase_create("store_spool");

	if (!pg_server_is_installed()) {
		(void)fprintf(stderr, "skipped: the spool of a shared store, because there is no "
				      "PostgreSQL server here; install postgresql\n");
		return;
	}
	tcase_set_timeout(tcase, TEST_AT_MOST_S);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_events_of_an_absence_come_to_the_server_once_and_in_order);
	tcase_add_test(tcase, test_run_that_ends_in_an_absence_is_whole_afterwards);
	tcase_add_test(tcase, test_spool_of_a_killed_process_is_brought_by_the_next_command);
	tcase_add_test(tcase, test_spool_can_be_healed_from_while_the_server_is_away);
	tcase_add_test(tcase, test_events_follow_those_that_another_machine_has_written_meanwhile);
	tcase_add_test(tcase, test_drill_is_whole_although_the_server_crashed_in_the_middle_of_it);
	suite_add_tcase(suite, tcase);
}
