/*
 * test_serve_slow.c - the page over a store that hangs: whoever asks is told so in time, and meanwhile
 * everything else goes on. One loop serves everybody.
 */
#include "base/clock.h"
#include "fixtures/pg_server.h"
#include "fixtures/serve_case.h"
#include "fixtures/temp_dir.h"
#include "tests/suites.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

/* The page waits 2 s, the store by itself 5 s and more; a busy machine is slow between them. */
static const int64_t told_by_ns = 4 * NS_PER_S;
static const int64_t at_once_ns = NS_PER_S;

static struct pg_server server;

static void setup(void)
{
	static const char *const settings[] = { "full_page_writes=off", "autovacuum=off", NULL };

	serve_case.dir = temp_dir_make();
	ck_assert_int_eq(setenv("XDG_STATE_HOME", serve_case.dir, 1), 0);
	ck_assert_msg(pg_server_start(&server, settings, &serve_case.e), "%s", serve_case.e.text);
	text_addf(&serve_case.path, "postgresql://postgres@127.0.0.1:%u/postgres", server.port);
	serve_try_start(&serve_case.page, text_str(&serve_case.path), NULL);
}

static void teardown(void)
{
	pg_server_thaw(&server);
	serve_case_close();
	pg_server_stop(&server);
}

static int64_t now_ns(void)
{
	const struct clock clock = clock_system();

	return clock_now_ns(&clock);
}

static int64_t get(const char *target)
{
	const int64_t begun_ns = now_ns();

	serve_case_get(target);
	return now_ns() - begun_ns;
}

/* Asks again until it is there; whether it ever is, is the question. */
static bool comes_back(const char *target)
{
	const struct clock clock = clock_system();
	const int64_t until_ns = now_ns() + 30 * NS_PER_S;

	do {
		serve_case_get(target);
		if (strstr(text_str(&serve_case.answer), "HTTP/1.1 200 ") != NULL)
			return true;
		clock_sleep_until_ns(&clock, now_ns() + NS_PER_S / 5);
	} while (now_ns() < until_ns);
	return false;
}

START_TEST(test_page_of_a_server_that_hangs_says_so_in_time_and_goes_on)
{
	ck_assert(comes_back("/"));
	pg_server_freeze(&server);
	ck_assert_int_lt(get("/runs"), told_by_ns);
	assert_says("HTTP/1.1 503 ");
	assert_says("Retry-After: ");
	assert_says("no answer within");
	/* It is not asked again for a while, so nobody waits: not who asks for a page, nor for anything else. */
	ck_assert_int_lt(get("/"), at_once_ns);
	assert_says("HTTP/1.1 503 ");
	assert_says("no answer within");
	ck_assert_int_lt(get("/metrics"), at_once_ns);
	assert_says("\nfiredrill_store_up 0\n");
	ck_assert_int_lt(get("/style.css"), at_once_ns);
	assert_says("HTTP/1.1 200 ");
	pg_server_thaw(&server);
	ck_assert(comes_back("/runs"));
	assert_says("0 of 0 runs");
}
END_TEST

START_TEST(test_page_of_a_file_that_is_locked_says_so_in_time_and_goes_on)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(text_str(&serve_case.path), &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "pragma locking_mode = exclusive; begin exclusive", NULL,
				      NULL, NULL), SQLITE_OK);
	ck_assert_int_lt(get("/runs"), told_by_ns);
	assert_says("HTTP/1.1 503 ");
	assert_says("another process has kept it locked");
	ck_assert_int_lt(get("/"), at_once_ns);
	assert_says("HTTP/1.1 503 ");
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	ck_assert(comes_back("/runs"));
}
END_TEST

static void open_file(void)
{
	serve_case_open();
	store_close(serve_case.store); /* who reads it cannot be locked out */
	serve_case.store = NULL;
}

void suite_serve_slow(Suite *suite)
{
	TCase *files = tcase_create("serve_slow");
	TCase *servers = tcase_create("serve_slow on PostgreSQL");

	tcase_set_timeout(files, 60);
	tcase_add_checked_fixture(files, open_file, serve_case_close);
	tcase_add_test(files, test_page_of_a_file_that_is_locked_says_so_in_time_and_goes_on);
	suite_add_tcase(suite, files);
	if (!pg_server_is_installed()) {
		(void)fprintf(stderr, "skipped: serve_slow on PostgreSQL, because there is no PostgreSQL "
				      "server here; install postgresql\n");
		return;
	}
	tcase_set_timeout(servers, 60);
	tcase_add_checked_fixture(servers, setup, teardown);
	tcase_add_test(servers, test_page_of_a_server_that_hangs_says_so_in_time_and_goes_on);
	suite_add_tcase(suite, servers);
}
