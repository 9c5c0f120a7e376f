/*
 * test_probe_http_write.c - http.write against an API that behaves well or badly by path.
 */
#include "fixtures/ledger_try.h"
#include "fixtures/store_server.h"
#include "fixtures/tcp_server.h"
#include "tests/suites.h"

#include <stdio.h>
#include <string.h>

static const int64_t quick_ns = 300 * NS_PER_MS;
static const int64_t plenty_ns = 10 * NS_PER_S;

static struct daemon server;

static void start_server(void)
{
	struct err e = { 0 };

	ck_assert_msg(store_server_start(&server, &e), "%s", e.text);
}

static void stop_server(void)
{
	daemon_close(&server);
}

/* A ledger on the store of this manner; rows are read back all at once, or one by one. */
static void open_ledger(const char *manner, bool is_by_number, const char *payload)
{
	char url[64];
	const char *service[] = { "url", NULL, NULL };
	const char *const all[] = { "url",  "/items", "read", "/items", "body", "{\"a\": \"{row}\"}",
				    "payload", payload, NULL };
	const char *const one[] = { "method", "PUT", "url", "/items/{seq}", "read",
				    "/items/{seq}?of={run}", "payload", payload, NULL };

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/%s/", server.port, manner);
	service[1] = arena_copy(&ledger_try.arena, url);
	ledger_try_init("http", service);
	ledger_try.service.url = service[1];
	ledger_try_open("http.write", is_by_number ? one : all, 1);
}

START_TEST(test_write_rows_are_acknowledged_and_read_back_all_at_once)
{
	open_ledger("good-all", false, "8KiB"); /* rows do not end where pieces do */
	ledger_try_must_prepare();
	ledger_try_must_write(40);
	ledger_try_must_read();
	ledger_try_must_have(40);
	ck_assert(ledger_try_clean(plenty_ns, NULL));
}
END_TEST

START_TEST(test_write_rows_are_acknowledged_and_read_back_one_by_one)
{
	open_ledger("good-one", true, "32B");
	ledger_try_must_prepare();
	ledger_try_must_write(10);
	ledger_try_must_read();
	ledger_try_must_have(10);
}
END_TEST

START_TEST(test_write_lost_copied_and_damaged_rows_are_found)
{
	static const char *const manners[] = { "lose", "twice", "damage" };
	static const uint32_t rows[] = { 0, 2, 1 };

	for (int by_number = 0; by_number <= 1; by_number++) {
		for (size_t i = 0; i < 3; i++) {
			const uint64_t slot = ledger_try.slot_count;

			open_ledger(manners[i], by_number == 1, "32B");
			ledger_try_must_prepare();
			ck_assert_int_eq(ledger_try_write(0, plenty_ns, SAMPLE_GOOD),
					 WRITE_ACKNOWLEDGED);
			ledger_try_must_read();
			ck_assert_uint_eq(ledger_try_found.rows[slot], rows[i]);
			ck_assert_uint_eq(ledger_try_found.damaged[slot], i == 2 ? 1 : 0);
			ledger_try_release();
		}
	}
}
END_TEST

START_TEST(test_write_outcome_is_exact)
{
	static const struct {
		const char *manner;
		enum write_outcome outcome;
		uint32_t rows;
		const char *text;
	} cases[] = {
		{ "refuse", WRITE_FAILED, 0, "write: status 409 was not expected" },
		{ "gateway", WRITE_INDETERMINATE, 1, "write: status 502 was not expected" },
		{ "cut", WRITE_INDETERMINATE, 1, "write: Empty reply from server" },
		{ "silent", WRITE_INDETERMINATE, 1, "write: no answer in time" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const uint64_t slot = ledger_try.slot_count;

		open_ledger(cases[i].manner, true, "32B");
		ck_assert_int_eq(ledger_try_write(0, quick_ns, SAMPLE_BAD), cases[i].outcome);
		ck_assert_str_eq(ledger_try_error(0), cases[i].text);
		ledger_try_must_read();
		ck_assert_uint_eq(ledger_try_found.rows[slot], cases[i].rows);
		ledger_try_release();
	}
}
END_TEST

START_TEST(test_write_nothing_sent_is_no_write)
{
	static const enum tcp_server_manner manners[] = { TCP_SERVER_REFUSES,
							  TCP_SERVER_BLACK_HOLE };
	struct err e = { 0 };

	for (size_t i = 0; i < 2; i++) {
		struct tcp_server *strange = tcp_server_open(manners[i], NULL, 0);
		const uint16_t port = server.port;

		server.port = tcp_server_port(strange);
		open_ledger("any", false, "32B");
		server.port = port;
		ck_assert_int_eq(ledger_try_write(0, quick_ns, SAMPLE_BAD), WRITE_NONE);
		ck_assert(!ledger_try_read(&ledger_try_found, quick_ns, &e));
		ck_assert_ptr_nonnull(strstr(e.text, "read the ledger back from store: get: "));
		ledger_try_release();
		tcp_server_close(strange);
	}
}
END_TEST

START_TEST(test_prepare_api_that_cannot_be_read_says_so)
{
	struct err e = { 0 };

	open_ledger("unread", false, "32B");
	ck_assert(!ledger_try_prepare(plenty_ns, &e));
	ck_assert_str_eq(e.text, "read from store before writing to it: get: status 403, and only "
				 "200 gives rows");
	ck_assert(!ledger_try_read(&ledger_try_found, plenty_ns, &e));
}
END_TEST

START_TEST(test_check_says_what_is_wrong)
{
	static const struct {
		const char *params[7];
		const char *text;
	} cases[] = {
		{ { "read", "items", NULL }, "`read` of http.write must be a /PATH" },
		{ { "read", "/items", "url", "ftp://x", NULL }, "`url` of http.write must be" },
		{ { "read", "/items", "body", "{seq}", NULL }, "has {row}" },
		{ { "read", "/items", "status", "fine", NULL }, "status fine is none" },
		{ { "read", "/items", "refused", "4x", NULL }, "status 4x is none" },
	};
	const char *const service[] = { "url", "http://127.0.0.1:1", NULL };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct probe_try *lane = &ledger_try.lanes[0];
		struct err e = { 0 };

		ledger_try_init("http", service);
		ledger_try.service.url = service[1];
		probe_try_init(lane, "http.write", cases[i].params);
		lane->spec.service = &ledger_try.service;
		ck_assert(!probe_try_open(lane, &e));
		ck_assert_msg(strstr(e.text, cases[i].text) != NULL, "%s", e.text);
		probe_try_release(lane);
	}
}
END_TEST

void suite_probe_http_write(Suite *suite)
{
	TCase *tests = tcase_create("http.write");

	suite_add_tcase(suite, tests);
	if (!store_server_is_installed()) {
		(void)fprintf(stderr, "skipped: tests of http.write, because there is no python3 "
				      "here\n");
		return;
	}
	tcase_add_unchecked_fixture(tests, start_server, stop_server);
	tcase_add_checked_fixture(tests, NULL, ledger_try_release);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, test_write_rows_are_acknowledged_and_read_back_all_at_once);
	tcase_add_test(tests, test_write_rows_are_acknowledged_and_read_back_one_by_one);
	tcase_add_test(tests, test_write_lost_copied_and_damaged_rows_are_found);
	tcase_add_test(tests, test_write_outcome_is_exact);
	tcase_add_test(tests, test_write_nothing_sent_is_no_write);
	tcase_add_test(tests, test_prepare_api_that_cannot_be_read_says_so);
	tcase_add_test(tests, test_check_says_what_is_wrong);
}
