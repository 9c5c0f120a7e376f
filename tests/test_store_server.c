/*
 * test_store_server.c - what a PostgreSQL server can do to a store and a file cannot: hang, go away, be
 * somebody else's, be unsafe; and that of several machines at the same thing one wins.
 */
#include "base/clock.h"
#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "store/store_ops.h"
#include "store/store_url.h"
#include "tests/suites.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 6 };

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
	ck_assert_int_eq(setenv("XDG_STATE_HOME", dir, 1), 0);
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

static bool append(struct store *into, const char *text)
{
	struct event event = { .kind = EVENT_NOTE, .phase = PHASE_OBSERVE, .text = text };

	return store_append(into, "run-a", &event, &e);
}

static void expect_refused(const char *place, const char *words)
{
	ck_assert(!store_open(place, NULL, &store, &e));
	ck_assert_msg(strstr(e.text, words) != NULL, "%s", e.text);
}

static void ask_server(const char *sql, struct text *value)
{
	ck_assert_msg(pg_server_sql(store_try_server(), sql, value, &e), "%s", e.text);
}

/* ---- several at once ---- */

static int asked[2]; /* each process holds its end of it until it has asked */

/* How many processes say that theirs went through, when all do it at the same moment. */
static int count_winners(bool (*work)(struct store *own, int number))
{
	int starts[2];
	int winner_count = 0;
	pid_t children[PROCESSES];

	ck_assert_int_eq(pipe(starts), 0);
	ck_assert_int_eq(pipe(asked), 0);
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct store *own = NULL;
			char byte;

			(void)close(starts[1]);
			if (!store_open(text_str(&path), NULL, &own, &e))
				_exit(3);
			if (read(starts[0], &byte, 1) != 0) /* until nobody holds it */
				_exit(3);
			_exit(work(own, i) ? 0 : 1);
		}
	}
	(void)close(starts[0]);
	(void)close(starts[1]);
	(void)close(asked[0]);
	(void)close(asked[1]);
	for (int i = 0; i < PROCESSES; i++) {
		int status = 0;

		ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
		ck_assert(WIFEXITED(status));
		ck_assert_int_le(WEXITSTATUS(status), 1);
		winner_count += WEXITSTATUS(status) == 0;
	}
	return winner_count;
}

static bool begin_the_same(struct store *own, int number)
{
	(void)number;
	return begin(own, "run-a");
}

START_TEST(test_run_begin_with_one_id_by_several_processes_makes_one_run)
{
	open_again();
	store_close(store);
	store = NULL;
	ck_assert_int_eq(count_winners(begin_the_same), 1);
}
END_TEST

static bool lock_the_same(struct store *own, int number)
{
	char run_id[16];

	(void)snprintf(run_id, sizeof run_id, "run-%d", number);
	if (!begin(own, run_id) || !store_run_beat(own, run_id, 0, INT64_MAX, &e))
		_exit(3);

	const bool is_taken = store_lock_take(own, run_id, "db1", &e);

	if (!is_taken && e.kind != ERR_REFUSED)
		_exit(4);
	/* Its process lives until the others have asked, too: a dead one's lock may be taken over. */
	char byte;

	(void)close(asked[1]);
	return read(asked[0], &byte, 1) == 0 && is_taken;
}

START_TEST(test_lock_take_of_one_target_by_several_processes_gives_it_to_one)
{
	open_again();
	store_close(store);
	store = NULL;
	ck_assert_int_eq(count_winners(lock_the_same), 1);
}
END_TEST

/* ---- a server that does not answer ---- */

START_TEST(test_append_to_a_server_that_hangs_ends_at_the_deadline)
{
	const struct clock clock = clock_system();
	struct run_row *rows = NULL;
	size_t count = 0;

	open_again();
	ck_assert(begin(store, "run-a"));
	pg_server_freeze(store_try_server());

	const int64_t began_ns = clock_now_ns(&clock);
	const bool is_appended = append(store, "into the void");
	const int64_t took_ns = clock_now_ns(&clock) - began_ns;

	ck_assert(!store_runs(store, 0, &arena, &rows, &count, &e));
	pg_server_thaw(store_try_server());
	ck_assert_ptr_nonnull(strstr(e.text, "no answer within 6 s"));
	ck_assert_msg(is_appended, "%s", e.text); /* into the spool */
	ck_assert(store_is_away(store));
	ck_assert_int_lt(took_ns, 8 * NS_PER_S);
}
END_TEST

START_TEST(test_open_on_a_server_that_hangs_ends_at_connect_timeout)
{
	const struct clock clock = clock_system();
	struct text url = { 0 };

	text_addf(&url, "%s&connect_timeout=1", text_str(&path));
	pg_server_freeze(store_try_server());

	const int64_t began_ns = clock_now_ns(&clock);
	const bool is_open = store_open(text_str(&url), NULL, &store, &e);
	const int64_t took_ns = clock_now_ns(&clock) - began_ns;

	pg_server_thaw(store_try_server());
	ck_assert(!is_open);
	ck_assert_ptr_nonnull(strstr(e.text, "no answer within 1 s"));
	ck_assert_int_lt(took_ns, 3 * NS_PER_S);
	text_release(&url);
}
END_TEST

START_TEST(test_open_tries_the_next_host_of_the_url)
{
	struct text url = { 0 };

	text_addf(&url, "postgresql://postgres@127.0.0.1:1,127.0.0.1:%u/postgres%s",
		  store_try_server()->port, strchr(text_str(&path), '?'));
	ck_assert_msg(store_open(text_str(&url), NULL, &store, &e), "%s", e.text);
	text_release(&url);
}
END_TEST

/* ---- a connection that breaks ---- */

static const char end_sessions_sql[] = "select count(pg_terminate_backend(pid)) from"
				       " pg_stat_activity where application_name = 'firedrill'";

START_TEST(test_store_connects_again_after_the_server_has_ended_its_session)
{
	struct timeline timeline;
	struct run_row *rows = NULL;
	size_t count = 0;

	open_again();
	ck_assert(begin(store, "run-a"));
	ask_server(end_sessions_sql, NULL);
	ck_assert_msg(append(store, "on a new connection"), "%s", e.text);
	ask_server(end_sessions_sql, NULL);
	ck_assert_msg(store_runs(store, 0, &arena, &rows, &count, &e), "%s", e.text);
	ask_server(end_sessions_sql, NULL);
	ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
	ck_assert_uint_eq(timeline.event_count, 1);
}
END_TEST

/* From here on a commit waits for nobody. */
static void wait_for_a_standby_that_is_not_there(void)
{
	const struct clock clock = clock_system();
	struct text names = { 0 };

	ask_server("alter system set synchronous_standby_names = 'nobody'", NULL);
	ask_server("select pg_reload_conf()", NULL);
	while (strcmp(text_str(&names), "nobody") != 0) {
		text_clear(&names);
		ask_server("show synchronous_standby_names", &names);
		clock_sleep_until_ns(&clock, clock_now_ns(&clock) + 10 * NS_PER_MS);
	}
	text_release(&names);
}

/* Ends our session once its commit waits for a standby that is not there. Then the row is kept on the
   server's disk, and nobody has told us. */
static void cut_the_commit(void)
{
	struct text ended = { 0 };

	while (strcmp(text_str(&ended), "1") != 0) {
		text_clear(&ended);
		if (!pg_server_sql(store_try_server(),
				   "select count(pg_terminate_backend(pid)) from pg_stat_activity"
				   " where application_name = 'firedrill'"
				   " and wait_event = 'SyncRep'",
				   &ended, NULL))
			_exit(1);
	}
	_exit(pg_server_sql(store_try_server(), "alter system reset all", NULL, NULL) &&
			      pg_server_sql(store_try_server(), "select pg_reload_conf()", NULL,
					    NULL) ?
		      0 :
		      1);
}

START_TEST(test_append_whose_commit_was_cut_off_is_kept_once)
{
	struct timeline timeline;
	int status = 0;

	open_again();
	ck_assert(begin(store, "run-a"));
	wait_for_a_standby_that_is_not_there();

	const pid_t cutter = fork();

	if (cutter == 0)
		cut_the_commit();
	ck_assert_msg(append(store, "kept, and nobody has said so"), "%s", e.text);
	ck_assert_int_eq(waitpid(cutter, &status, 0), cutter);
	ck_assert_int_eq(status, 0);
	ck_assert_msg(append(store, "the next one"), "%s", e.text);
	ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
	ck_assert_uint_eq(timeline.event_count, 2);
}
END_TEST

/* A commit that waits for a standby in vain: the server counts as away, and nothing comes twice. */
START_TEST(test_append_whose_commit_waits_in_vain_goes_into_the_spool)
{
	const struct clock clock = clock_system();
	struct timeline timeline;
	struct run_row *rows;
	size_t count;

	open_again();
	ck_assert(begin(store, "run-a"));
	wait_for_a_standby_that_is_not_there();
	ck_assert_msg(append(store, "while nobody confirms"), "%s", e.text);
	ck_assert(store_is_away(store));
	ask_server("alter system reset all", NULL);
	ask_server("select pg_reload_conf()", NULL);
	while (store_is_away(store)) {
		(void)store_runs(store, 0, &arena, &rows, &count, &e);
		clock_sleep_until_ns(&clock, clock_now_ns(&clock) + 50 * NS_PER_MS);
	}
	ck_assert_msg(append(store, "and then"), "%s", e.text);
	ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
	ck_assert_uint_eq(timeline.event_count, 2);
	ck_assert_str_eq(timeline.events[1].text, "and then");
}
END_TEST

/* ---- servers and schemas that will not do ---- */

START_TEST(test_open_refuses_a_server_that_does_not_wait_for_its_disk)
{
	const char *const careless[] = { "fsync=off", NULL };
	struct pg_server server;
	struct text url = { 0 };

	ck_assert_msg(pg_server_start(&server, careless, &e), "%s", e.text);
	text_addf(&url, "postgresql://postgres@127.0.0.1:%u/postgres", server.port);

	const bool is_open = store_open(text_str(&url), NULL, &store, &e);

	pg_server_stop(&server);
	ck_assert(!is_open);
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "fsync=off"));
	text_release(&url);
}
END_TEST

START_TEST(test_open_refuses_a_schema_of_others_and_one_that_is_not_there)
{
	struct text url = { 0 };

	store_try_sql(&path, "create table theirs (x bigint)", NULL);
	expect_refused(text_str(&path), "the schema has tables of another program");
	text_addf(&url, "postgresql://postgres@127.0.0.1:%u/postgres?options=-csearch_path%%3Dnone",
		  store_try_server()->port);
	expect_refused(text_str(&url), "the schema that its search_path names is not there");
	text_release(&url);
}
END_TEST

START_TEST(test_open_makes_a_schema_of_its_own)
{
	struct text url = { 0 };
	struct text count = { 0 };

	text_addf(&url, "postgres://postgres@127.0.0.1:%u/postgres", store_try_server()->port);
	ck_assert_msg(store_open(text_str(&url), NULL, &store, &e), "%s", e.text);
	ck_assert(begin(store, "run-a"));
	ask_server("select count(*) from firedrill.runs", &count);
	ck_assert_str_eq(text_str(&count), "1");
	ask_server("drop schema firedrill cascade", NULL);
	text_release(&url);
	text_release(&count);
}
END_TEST

START_TEST(test_open_says_what_is_wrong_and_never_the_password)
{
	static const char *const urls[] = {
		"postgresql://anna:s3cr3t-word@127.0.0.1:1/postgres",
		"postgresql://anna:s3cr3t-word@127.0.0.1:1/postgres?nonsense=1",
		"postgresql://anna:s3cr3t-word@127.0.0.1:port/postgres",
		"postgresql://anna@127.0.0.1:1/postgres?password=s3cr3t-word",
		"postgresql://anna:s3cr3t-word@[127.0.0.1:1/postgres",
		"postgresql://anna:s3cr3t-word@127.0.0.1:1/s3cr3t-word",
	};

	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		ck_assert(!store_open(urls[i], NULL, &store, &e));
		ck_assert_msg(strlen(e.text) > 20, "%s", e.text);
		ck_assert_msg(strstr(e.text, "s3cr3t") == NULL, "%s", e.text);
	}
	ck_assert(!store_open("mysql://anna:s3cr3t-word@db/x", NULL, &store, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert_ptr_null(strstr(e.text, "s3cr3t"));
}
END_TEST

START_TEST(test_url_password_is_hidden_in_every_text)
{
	struct event event = { .kind = EVENT_NOTE, .text = "connect as s3cr3t-word failed" };
	struct timeline timeline;
	struct text url = { 0 };

	text_addf(&url, "postgresql://postgres:s3cr3t-word@127.0.0.1:%u/postgres%s",
		  store_try_server()->port, strchr(text_str(&path), '?'));
	ck_assert(store_url_has_password(text_str(&url)));
	ck_assert(!store_url_has_password(text_str(&path)));
	ck_assert_msg(store_open(text_str(&url), NULL, &store, &e), "%s", e.text);
	ck_assert(begin(store, "run-a"));
	ck_assert(store_append(store, "run-a", &event, &e));
	ck_assert(store_timeline(store, "run-a", &arena, &timeline, &e));
	ck_assert_str_eq(timeline.events[0].text, "connect as [secret] failed");
	text_release(&url);
}
END_TEST

/* ---- bytes ---- */

START_TEST(test_texts_that_are_no_utf8_come_back_as_they_were)
{
	static const char *const texts[] = { "\xff\xfe broken", "\001hex:00", "cut \xc3", "\001",
					     "\xed\xa0\x80 surrogate" };
	enum { COUNT = sizeof texts / sizeof texts[0] };
	struct timeline timeline;

	open_again();
	ck_assert(begin(store, "run-a"));
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_msg(append(store, texts[i]), "%s", e.text);
	ck_assert_msg(store_timeline(store, "run-a", &arena, &timeline, &e), "%s", e.text);
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_str_eq(timeline.events[i].text, texts[i]);
}
END_TEST

START_TEST(test_run_does_not_begin_without_a_place_for_its_spool)
{
	FILE *stream = fopen(arena_format(&arena, "%s/firedrill", dir), "w");
	struct run_row *rows = NULL;
	size_t count = 99;

	ck_assert_ptr_nonnull(stream);
	ck_assert_int_eq(fclose(stream), 0);
	open_again();
	ck_assert(!begin(store, "run-a"));
	ck_assert_msg(strstr(e.text, "make the spool") != NULL, "%s", e.text);
	ck_assert(store_runs(store, 0, &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, 0);
}
END_TEST

/* Every row of a contract is there: one that is missing would end the program in the middle of a run. */
START_TEST(test_ops_of_a_shared_store_are_complete)
{
	struct store_ops ops = store_spool;

	/* These are said to be NULL where there is nothing to do. */
	ops.is_away = store_postgres.is_away;
	ops.backup = store_sqlite.backup;

	const char *bytes = (const char *)&ops;

	for (size_t at = offsetof(struct store_ops, open); at < sizeof ops; at += sizeof(void *)) {
		void *row;

		memcpy(&row, bytes + at, sizeof row);
		ck_assert_msg(row != NULL, "row %zu of store_spool is missing (spool_rows.c)",
			      at / sizeof row);
	}
}
END_TEST

START_TEST(test_beside_is_the_same_for_the_same_database)
{
	struct text with = { 0 };
	struct text without = { 0 };
	struct text other = { 0 };

	store_beside("postgresql://anna:pw@db/drills", &with);
	store_beside("postgresql://bob@db/drills?sslmode=require", &without);
	store_beside("postgresql://anna:pw@db/other", &other);
	ck_assert_str_eq(text_str(&with), text_str(&without));
	ck_assert_str_ne(text_str(&with), text_str(&other));
	ck_assert_int_eq(strncmp(text_str(&with), dir, strlen(dir)), 0);
	text_release(&with);
	text_release(&without);
	text_release(&other);
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_texts_that_are_no_utf8_come_back_as_they_were);
	if (!is_server)
		return;
	tcase_add_test(tests, test_run_begin_with_one_id_by_several_processes_makes_one_run);
	tcase_add_test(tests, test_lock_take_of_one_target_by_several_processes_gives_it_to_one);
	tcase_add_test(tests, test_append_to_a_server_that_hangs_ends_at_the_deadline);
	tcase_add_test(tests, test_open_on_a_server_that_hangs_ends_at_connect_timeout);
	tcase_add_test(tests, test_open_tries_the_next_host_of_the_url);
	tcase_add_test(tests, test_store_connects_again_after_the_server_has_ended_its_session);
	tcase_add_test(tests, test_append_whose_commit_was_cut_off_is_kept_once);
	tcase_add_test(tests, test_append_whose_commit_waits_in_vain_goes_into_the_spool);
	tcase_add_test(tests, test_open_refuses_a_server_that_does_not_wait_for_its_disk);
	tcase_add_test(tests, test_open_refuses_a_schema_of_others_and_one_that_is_not_there);
	tcase_add_test(tests, test_open_makes_a_schema_of_its_own);
	tcase_add_test(tests, test_open_says_what_is_wrong_and_never_the_password);
	tcase_add_test(tests, test_url_password_is_hidden_in_every_text);
	tcase_add_test(tests, test_run_does_not_begin_without_a_place_for_its_spool);
	tcase_add_test(tests, test_ops_of_a_shared_store_are_complete);
	tcase_add_test(tests, test_beside_is_the_same_for_the_same_database);
}

void suite_store_server(Suite *suite)
{
	store_try_add(suite, "store_server", setup, teardown, add_tests);
}
