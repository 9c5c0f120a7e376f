/*
 * test_serve_actions.c - what can be done by way of the page, over a socket: by whom, what it changes, what is
 * written down, and all the ways in which nothing is done.
 */
#include "fixtures/serve_browser.h"
#include "serve/throttle.h"
#include "tests/suites.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static size_t pause_count(void)
{
	struct pause_row *rows;
	size_t count;

	ck_assert(store_pauses(serve_case.store, &serve_case.arena, &rows, &count, &serve_case.e));
	return count;
}

/* ---- who signs in ---- */

START_TEST(test_sign_in_begins_a_session_and_sign_out_ends_it)
{
	struct text headers = { 0 };
	struct text body = { 0 };

	serve_case_get("/");
	assert_says("href=\"/sign-in\">Sign in</a>");
	serve_browser_sign_in(ANNA);
	serve_browser_get("/");
	assert_says("<span>anna</span>");
	assert_silent_about(ANNA);
	text_addf(&headers, FROM_US "%s", text_str(&serve_browser.cookie));
	text_addf(&body, "form_key=%s", text_str(&serve_browser.key));
	serve_browser_post("/sign-out", text_str(&headers), text_str(&body));
	assert_says("HTTP/1.1 303 ");
	assert_says("Set-Cookie: firedrill=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
	serve_browser_submit("pause", "&on=weekly&reason=late");
	assert_says("HTTP/1.1 401 ");
	ck_assert_uint_eq(pause_count(), 0);
	ck_assert_str_eq(serve_browser_audit(), "anna sign-out - done; anna sign-in - done");
	text_release(&headers);
	text_release(&body);
}
END_TEST

START_TEST(test_sign_in_with_a_wrong_token_is_written_down_and_then_has_to_wait)
{
	for (int i = 0; i < THROTTLE_FAILURES; i++) {
		serve_browser_post("/sign-in", FROM_US, "token=nonsense-nonsense-nonsense");
		assert_says("HTTP/1.1 401 ");
		assert_silent_about("Set-Cookie");
	}
	serve_browser_post("/sign-in", FROM_US, "token=" ANNA);
	assert_says("HTTP/1.1 429 ");
	assert_says("Retry-After: 60\r\n");
	ck_assert_str_eq(serve_browser_audit(), "- sign-in - refused; - sign-in - refused; - sign-in - refused; "
				  "- sign-in - refused; - sign-in - refused");
	serve_case_get("/audit");
	assert_says("nobody known");
	assert_silent_about("nonsense");
}
END_TEST

START_TEST(test_sign_in_from_a_page_of_a_stranger_is_refused)
{
	serve_browser_post("/sign-in", "Origin: https://evil.example\r\n", "token=" ANNA);
	assert_says("HTTP/1.1 403 ");
	serve_browser_post("/sign-in", "", "token=" ANNA);
	assert_says("HTTP/1.1 403 ");
	ck_assert_str_eq(serve_browser_audit(), "");
	serve_browser_post("/sign-in", FROM_US, "token=" ANNA "&next=%2F%2Fevil.example");
	assert_says("Location: /\r\n");
}
END_TEST

/* ---- what is done ---- */

START_TEST(test_pause_and_resume_do_what_the_commands_do)
{
	serve_browser_sign_in(ANNA);
	serve_browser_submit("pause", "&on=weekly&reason=+the+cluster+moves+");
	assert_says("HTTP/1.1 303 ");
	assert_says("Location: /audit/2\r\n");
	ck_assert_uint_eq(pause_count(), 1);
	serve_case_get("/audit/2");
	assert_says("<h1>Schedule weekly is paused until somebody resumes it</h1>");
	assert_says("<span>the cluster moves</span>");
	serve_browser_submit("resume", "&on=weekly&reason=done");
	ck_assert_uint_eq(pause_count(), 0);
	serve_browser_submit("resume", "&on=weekly&reason=done");
	assert_says("Location: /audit/4\r\n");
	serve_case_get("/audit/4");
	assert_says("schedule weekly was not paused");
	ck_assert_str_eq(serve_browser_audit(), "anna resume weekly refused; anna resume weekly done; anna pause weekly done; "
				  "anna sign-in - done");
}
END_TEST

START_TEST(test_stop_orders_a_run_to_end_and_says_when_there_is_none)
{
	struct stop_row stop;
	bool is_there = false;

	serve_case_begin("run-a", "Kill the primary");
	serve_browser_sign_in(ANNA);
	serve_browser_get("/runs/run-a");
	assert_says("href=\"/actions/stop?on=run-a\">Stop this run</a>");
	serve_browser_get("/actions/stop?on=run-a");
	assert_says("<button type=\"submit\">Stop it now</button>");
	serve_browser_submit("stop", "&on=run-a&reason=real+incident");
	ck_assert(store_stop_find(serve_case.store, "run-a", NULL, &serve_case.arena, &is_there, &stop,
				  &serve_case.e));
	ck_assert(is_there);
	ck_assert_str_eq(stop.person, "anna");
	ck_assert_str_eq(stop.reason, "real incident");
	ck_assert(store_run_end(serve_case.store, "run-a", 1, EXIT_STOPPED, "Stopped.", &serve_case.e));
	serve_browser_submit("stop", "&on=run-a&reason=again");
	serve_browser_submit("stop", "&on=run&reason=a+beginning+is+not+enough");
	ck_assert_str_eq(serve_browser_audit(), "anna stop run refused; anna stop run-a refused; anna stop run-a done; "
				  "anna sign-in - done");
	serve_browser_get("/actions/stop?on=run-a");
	assert_says("HTTP/1.1 404 ");
}
END_TEST

START_TEST(test_emergency_stop_is_on_the_overview_until_it_is_lifted)
{
	serve_browser_sign_in(ANNA);
	serve_browser_submit("stop-all", "&reason=real+incident");
	serve_case_get("/");
	assert_says("Emergency stop: no run starts");
	assert_says("real incident");
	assert_says("href=\"/actions/resume-all\"");
	serve_browser_submit("resume-all", "&reason=over");
	serve_case_get("/");
	assert_silent_about("no run starts");
	serve_browser_submit("resume-all", "&reason=over");
	ck_assert_str_eq(serve_browser_audit(), "anna resume-all - refused; anna resume-all - done; anna stop-all - done; "
				  "anna sign-in - done");
}
END_TEST

START_TEST(test_ack_says_who_takes_care)
{
	serve_case_begin("run-a", "Kill the primary");
	serve_browser_sign_in(BEN);
	serve_browser_submit("ack", "&on=run-a");
	assert_says("Location: /audit/2\r\n");
	serve_case_get("/audit/2");
	assert_says("ben takes care of run-a; nobody else was going to be told");
	serve_browser_submit("ack", "&on=missed-weekly-17");
	ck_assert_str_eq(serve_browser_audit(), "ben ack missed-weekly-17 refused; ben ack run-a done; ben sign-in - done");
}
END_TEST

START_TEST(test_action_of_a_script_answers_with_what_has_come_of_it)
{
	serve_browser_post("/actions/pause", BEARER, "on=weekly&reason=CHG-12");
	assert_says("HTTP/1.1 200 ");
	assert_says("{\"audit\":1,\"outcome\":\"done\",\"sentence\":\"Schedule weekly is paused");
	serve_browser_post("/actions/resume", BEARER, "on=daily&reason=CHG-12");
	assert_says("HTTP/1.1 409 ");
	assert_says("\"outcome\":\"refused\",\"sentence\":\"schedule daily was not paused\"");
	serve_browser_post("/actions/pause", "Authorization: Bearer x\r\n", "on=weekly&reason=CHG-12");
	assert_says("HTTP/1.1 401 ");
	assert_says("WWW-Authenticate: Bearer\r\n");
	ck_assert_str_eq(serve_browser_audit(), "- sign-in - refused; anna resume daily refused; anna pause weekly done");
}
END_TEST

/* ---- what is not done ---- */

START_TEST(test_form_without_its_word_or_of_another_session_changes_nothing)
{
	struct text annas_key = { 0 };

	serve_browser_sign_in(ANNA);
	text_add(&annas_key, text_str(&serve_browser.key));
	text_clear(&serve_browser.key);
	serve_browser_submit("pause", "&on=weekly&reason=x");
	assert_says("HTTP/1.1 403 ");
	serve_browser_sign_in(BEN);
	text_clear(&serve_browser.key);
	text_add(&serve_browser.key, text_str(&annas_key));
	serve_browser_submit("pause", "&on=weekly&reason=x");
	assert_says("HTTP/1.1 403 ");
	ck_assert_uint_eq(pause_count(), 0);
	ck_assert_str_eq(serve_browser_audit(), "ben sign-in - done; anna sign-in - done");
	text_release(&annas_key);
}
END_TEST

START_TEST(test_reading_an_action_does_not_do_it)
{
	serve_browser_sign_in(ANNA);
	serve_browser_get("/actions/pause?on=weekly&reason=x");
	assert_says("HTTP/1.1 200 ");
	serve_case_ask("HEAD", "/actions/pause?on=weekly&reason=x", text_str(&serve_browser.cookie));
	serve_case_ask("GET", "/actions/pause?on=weekly&reason=x", BEARER);
	serve_browser_get("/sign-out");
	assert_says("HTTP/1.1 405 ");
	assert_says("Allow: POST\r\n");
	serve_case_get("/actions/pause?on=weekly");
	assert_says("HTTP/1.1 303 ");
	assert_says("Location: /sign-in?next=%2Factions%2Fpause%3Fon%3Dweekly\r\n");
	ck_assert_uint_eq(pause_count(), 0);
}
END_TEST

START_TEST(test_action_without_a_reason_or_a_subject_is_not_done)
{
	serve_browser_sign_in(ANNA);
	serve_browser_submit("pause", "&on=weekly&reason=++");
	assert_says("HTTP/1.1 422 ");
	assert_says("Say why, for those who come after you.");
	serve_browser_submit("pause", "&reason=x");
	assert_says("HTTP/1.1 422 ");
	serve_browser_submit("pause", "&on=not+a+name&reason=x");
	assert_says("HTTP/1.1 303 ");
	serve_browser_submit("destroy", "&on=weekly&reason=x");
	assert_says("HTTP/1.1 404 ");
	ck_assert_uint_eq(pause_count(), 0);
	ck_assert_str_eq(serve_browser_audit(), "anna pause not a name refused; anna sign-in - done");
}
END_TEST

START_TEST(test_bodies_that_are_no_form_are_refused_before_they_are_read)
{
	static const struct {
		const char *headers;
		const char *says;
	} rows[] = {
		{ "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4097\r\n", " 413 " },
		{ "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99999999999999999999\r\n",
		  "HTTP/1.1 4" },
		{ "Content-Type: application/x-www-form-urlencoded\r\n", " 411 " },
		{ "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
		  "HTTP/1.1 4" },
		{ "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n", " 411 " },
		{ "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 3\r\n", " 415 " },
		{ "Content-Type: text/plain\r\nContent-Length: 3\r\n", " 415 " },
		{ "Content-Length: 3\r\n", " 415 " },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct text headers = { 0 };

		text_addf(&headers, BEARER "%s", rows[i].headers);
		serve_case_ask("POST", "/actions/stop-all", text_str(&headers));
		assert_says(rows[i].says);
		text_release(&headers);
	}
	serve_browser_post("/runs", BEARER, "on=weekly");
	assert_says("HTTP/1.1 405 ");
	serve_case_ask("PUT", "/actions/pause", BEARER);
	assert_says("HTTP/1.1 405 ");
	serve_case_ask("GET", "/", "Content-Length: 5\r\n");
	assert_says("HTTP/1.1 413 ");
	ck_assert_str_eq(serve_browser_audit(), "");
}
END_TEST

/* What stands behind a form on the same connection is a request of its own, and no part of the form. */
START_TEST(test_requests_behind_a_form_are_their_own)
{
	static const char both[] =
		"POST /actions/pause HTTP/1.1\r\nHost: localhost\r\n" BEARER
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 17\r\n\r\n"
		"on=daily&reason=x"
		"POST /actions/pause HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 18\r\n\r\n"
		"on=weekly&reason=x"
		"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	const int fd = serve_try_connect(&serve_case.page);

	text_clear(&serve_case.answer);
	serve_try_send(fd, both);
	ck_assert(serve_try_read(fd, NULL, &serve_case.answer));
	(void)close(fd);
	assert_says("\"outcome\":\"done\"");
	assert_says("HTTP/1.1 403 ");
	assert_says("firedrill_store_up 1");
	ck_assert_str_eq(serve_browser_audit(), "anna pause daily done");
}
END_TEST

START_TEST(test_nothing_is_done_that_cannot_be_written_down)
{
	struct text place = { 0 };

	text_addf(&place, "%s/away", serve_case.dir);
	serve_browser_sign_in(ANNA);
	ck_assert_int_eq(rename(text_str(&serve_case.path), text_str(&place)), 0);
	serve_browser_submit("pause", "&on=weekly&reason=x");
	assert_says("HTTP/1.1 404 ");
	assert_says("there is no store yet");
	ck_assert_int_eq(rename(text_str(&place), text_str(&serve_case.path)), 0);
	ck_assert_uint_eq(pause_count(), 0);
	text_release(&place);
}
END_TEST

START_TEST(test_token_in_a_reason_is_hidden)
{
	serve_browser_sign_in(ANNA);
	serve_browser_submit("pause", "&on=weekly&reason=my+token+is+" ANNA);
	serve_case_get("/audit");
	assert_says("my token is [secret]");
	assert_silent_about(ANNA);
}
END_TEST

START_TEST(test_page_without_tokens_has_no_actions)
{
	serve_case_restart(NULL);
	serve_case_get("/");
	assert_silent_about("/sign-in");
	assert_silent_about("/actions/");
	serve_case_get("/sign-in");
	assert_says("HTTP/1.1 404 ");
	serve_case_get("/actions/pause?on=weekly");
	assert_says("HTTP/1.1 404 ");
	serve_browser_post("/actions/pause", BEARER, "on=weekly&reason=x");
	assert_says("HTTP/1.1 405 ");
	assert_says("Allow: GET, HEAD\r\n");
	ck_assert_uint_eq(pause_count(), 0);
}
END_TEST

void suite_serve_actions(Suite *suite)
{
	TCase *tests = tcase_create("serve_actions");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, serve_browser_open, serve_browser_close);
	tcase_add_test(tests, test_sign_in_begins_a_session_and_sign_out_ends_it);
	tcase_add_test(tests, test_sign_in_with_a_wrong_token_is_written_down_and_then_has_to_wait);
	tcase_add_test(tests, test_sign_in_from_a_page_of_a_stranger_is_refused);
	tcase_add_test(tests, test_pause_and_resume_do_what_the_commands_do);
	tcase_add_test(tests, test_stop_orders_a_run_to_end_and_says_when_there_is_none);
	tcase_add_test(tests, test_emergency_stop_is_on_the_overview_until_it_is_lifted);
	tcase_add_test(tests, test_ack_says_who_takes_care);
	tcase_add_test(tests, test_action_of_a_script_answers_with_what_has_come_of_it);
	tcase_add_test(tests, test_form_without_its_word_or_of_another_session_changes_nothing);
	tcase_add_test(tests, test_reading_an_action_does_not_do_it);
	tcase_add_test(tests, test_action_without_a_reason_or_a_subject_is_not_done);
	tcase_add_test(tests, test_bodies_that_are_no_form_are_refused_before_they_are_read);
	tcase_add_test(tests, test_requests_behind_a_form_are_their_own);
	tcase_add_test(tests, test_nothing_is_done_that_cannot_be_written_down);
	tcase_add_test(tests, test_token_in_a_reason_is_hidden);
	tcase_add_test(tests, test_page_without_tokens_has_no_actions);
	suite_add_tcase(suite, tests);
}
