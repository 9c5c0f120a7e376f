/*
 * test_serve_strangers.c - the web page and those who mean no good, or just do it badly: nothing is changed,
 * nothing leaks, and the next one is answered.
 */
#include "fixtures/serve_case.h"
#include "tests/suites.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

START_TEST(test_answers_forbid_all_that_a_page_does_not_need)
{
	static const char *const wanted[] = {
		"X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: same-origin\r\n",
		"frame-ancestors 'none'", "default-src 'none'", "script-src 'self'",
		"Cache-Control: no-store\r\n",
	};
	static const char *const targets[] = { "/", "/nowhere", "/metrics" };

	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		serve_case_get(targets[i]);
		for (size_t k = 0; k < sizeof wanted / sizeof wanted[0]; k++)
			assert_says(wanted[k]);
		assert_silent_about("unsafe-inline");
	}
}
END_TEST

START_TEST(test_other_methods_and_bodies_are_refused)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE" };

	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		serve_case_ask(methods[i], "/", "");
		assert_says("HTTP/1.1 405 ");
		assert_says("Allow: GET, HEAD\r\n");
	}
	serve_case_ask("POST", "/", "Content-Length: 1000000\r\n");
	assert_says("HTTP/1.1 405 ");
	serve_case_ask("GET", "/", "Content-Length: 5\r\n");
	assert_says("HTTP/1.1 413 ");
	serve_case_ask("GET", "/", "Transfer-Encoding: chunked\r\n");
	assert_says("HTTP/1.1 413 ");
}
END_TEST

START_TEST(test_head_has_the_length_and_no_body)
{
	serve_case_ask("HEAD", "/style.css", "");
	assert_says("HTTP/1.1 200 ");
	assert_says("Content-Length: ");
	assert_silent_about("Content-Length: 0\r\n");
	ck_assert_str_eq(serve_case_body(), "");
}
END_TEST

START_TEST(test_another_name_in_the_host_header_is_refused)
{
	char ours[64];

	serve_case_ask("GET", "/metrics", "Host: evil.example\r\n");
	assert_says("HTTP/1.1 421 ");
	serve_case_ask("GET", "/metrics", "Host: 127.0.0.1.evil.example:80\r\n");
	assert_says("HTTP/1.1 421 ");
	(void)snprintf(ours, sizeof ours, "Host: 127.0.0.1:%u\r\n", (unsigned)serve_case.page.port);
	serve_case_ask("GET", "/metrics", ours);
	assert_says("HTTP/1.1 200 ");
}
END_TEST

START_TEST(test_paths_that_climb_lead_nowhere)
{
	static const char *const targets[] = {
		"/../../etc/passwd", "/runs/../../etc/passwd", "/runs/..%2f..%2fetc%2fpasswd/report",
		"/style.css/../../x", "//etc/passwd", "/runs/", "/runs//report",
	};

	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		serve_case_get(targets[i]);
		assert_says("HTTP/1.1 404 ");
		assert_silent_about("root:");
	}
	serve_case_get("/runs/%00");
	assert_says("HTTP/1.1 400 ");
	serve_case_get("/%zz");
	assert_says("HTTP/1.1 400 ");
	serve_case_get("/%ff");
	assert_says("HTTP/1.1 400 ");
}
END_TEST

START_TEST(test_huge_requests_are_not_taken)
{
	struct text big = { 0 };

	text_add(&big, "X-Big: ");
	while (big.length_bytes < 200000)
		text_add(&big, "0123456789");
	text_add(&big, "\r\n");
	serve_case_ask("GET", "/", text_str(&big));
	ck_assert_msg(serve_case.answer.length_bytes == 0 || strstr(text_str(&serve_case.answer), "HTTP/1.1 431 ") != NULL,
		      "%s", text_str(&serve_case.answer));

	text_clear(&big);
	text_add(&big, "/");
	while (big.length_bytes < 3000)
		text_add(&big, "0123456789");
	serve_case_get(text_str(&big));
	assert_says("HTTP/1.1 400 ");
	assert_says("longer than 2048 bytes");
	serve_case_get("/");
	assert_says("HTTP/1.1 200 ");
	text_release(&big);
}
END_TEST

START_TEST(test_slow_requests_are_ended)
{
	struct web_limits limits = web_limits_default;
	const struct clock clock = clock_system();
	struct text told = { 0 };
	int64_t begun_ns;
	int silent;
	int dripping;

	limits.request_ns = 400 * NS_PER_MS;
	serve_case_restart(&limits);
	begun_ns = clock_now_ns(&clock);
	silent = serve_try_connect(&serve_case.page);
	dripping = serve_try_connect(&serve_case.page);
	serve_try_send(dripping, "GET / HTTP/1.1\r\nHost: ");
	while (send(dripping, "l", 1, MSG_NOSIGNAL) == 1 &&
	       clock_now_ns(&clock) - begun_ns < 8 * NS_PER_S)
		clock_sleep_until_ns(&clock, clock_now_ns(&clock) + 50 * NS_PER_MS);
	ck_assert_int_lt(clock_now_ns(&clock) - begun_ns, 5 * NS_PER_S);
	ck_assert(serve_try_read(silent, NULL, &told)); /* it was closed */
	serve_case_get("/");
	assert_says("HTTP/1.1 200 ");
	(void)close(silent);
	(void)close(dripping);
	text_release(&told);
}
END_TEST

START_TEST(test_many_clients_at_once_are_all_answered)
{
	enum { CLIENTS = 100 };
	struct web_limits limits = web_limits_default;
	static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	int fds[CLIENTS];

	limits.connections = 16;
	serve_case_restart(&limits);
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = serve_try_connect(&serve_case.page);
		serve_try_send(fds[i], request);
	}
	for (int i = CLIENTS - 1; i >= 0; i--) {
		text_clear(&serve_case.answer);
		ck_assert(serve_try_read(fds[i], NULL, &serve_case.answer));
		assert_says("HTTP/1.1 200 ");
		(void)close(fds[i]);
	}
}
END_TEST

START_TEST(test_what_a_browser_has_kept_is_not_sent_again)
{
	const char *etag;
	char header[128];

	serve_case_get("/style.css");
	assert_says("Cache-Control: no-cache\r\n");
	etag = strstr(text_str(&serve_case.answer), "ETag: ");
	ck_assert_ptr_nonnull(etag);
	(void)snprintf(header, sizeof header, "If-None-Match: %.18s\r\n", etag + strlen("ETag: "));
	serve_case_ask("GET", "/style.css", header);
	assert_says("HTTP/1.1 304 ");
	ck_assert_str_eq(serve_case_body(), "");
}
END_TEST

void suite_serve_strangers(Suite *suite)
{
	TCase *tests = tcase_create("serve_strangers");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, serve_case_open, serve_case_close);
	tcase_add_test(tests, test_answers_forbid_all_that_a_page_does_not_need);
	tcase_add_test(tests, test_other_methods_and_bodies_are_refused);
	tcase_add_test(tests, test_head_has_the_length_and_no_body);
	tcase_add_test(tests, test_another_name_in_the_host_header_is_refused);
	tcase_add_test(tests, test_paths_that_climb_lead_nowhere);
	tcase_add_test(tests, test_huge_requests_are_not_taken);
	tcase_add_test(tests, test_slow_requests_are_ended);
	tcase_add_test(tests, test_many_clients_at_once_are_all_answered);
	tcase_add_test(tests, test_what_a_browser_has_kept_is_not_sent_again);
	suite_add_tcase(suite, tests);
}
