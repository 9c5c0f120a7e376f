/*
 * test_serve_actions.c - what can be done by way of the page, over a socket: by whom, what it changes, what is
 * written down, and all the ways in which nothing is done.
 */
#include "fixtures/run_tool.h"
#include "fixtures/serve_case.h"
#include "fixtures/temp_dir.h"
#include "serve/throttle.h"
#include "store/store_audit.h"
#include "tests/suites.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANNA "0123456789abcdef0123456789abcdef"
#define BEN "fedcba9876543210fedcba9876543210"
#define FROM_US "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n"
#define BEARER "Authorization: Bearer " ANNA "\r\n"

static struct text token_path;
static struct text cookie; /* the header that a browser sends; "": nobody is signed in */
static struct text key;    /* of its forms */

static void setup(void)
{
	struct serve_request wanted = { 0 };
	int fd;

	serve_case_open();
	ck_assert_int_eq(serve_try_stop(&serve_case.page, SIGTERM), 0);
	text_addf(&token_path, "%s/tokens", serve_case.dir);
	fd = open(text_str(&token_path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_gt(dprintf(fd, "anna:" ANNA "\nben:" BEN "\n"), 0);
	ck_assert_int_eq(close(fd), 0);
	wanted.store_path = text_str(&serve_case.path);
	wanted.token_path = text_str(&token_path);
	serve_try_start_as(&serve_case.page, &wanted);
}

static void teardown(void)
{
	serve_case_close();
	text_release(&token_path);
	text_release(&cookie);
	text_release(&key);
}

/* ---- a browser ---- */

static void post(const char *target, const char *headers, const char *body)
{
	struct text head = { 0 };

	text_addf(&head, "%sContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n", headers,
		  strlen(body));

	const int fd = serve_try_connect(&serve_case.page);
	struct text request = { 0 };

	text_addf(&request, "POST %s HTTP/1.1\r\nHost: localhost\r\n%sConnection: close\r\n\r\n%s", target,
		  text_str(&head), body);
	text_clear(&serve_case.answer);
	serve_try_send(fd, text_str(&request));
	ck_assert(serve_try_read(fd, NULL, &serve_case.answer));
	(void)close(fd);
	text_release(&head);
	text_release(&request);
}

static void take_between(const char *before, const char *after, struct text *text)
{
	const char *begin = strstr(text_str(&serve_case.answer), before);
	const char *end = begin == NULL ? NULL : strstr(begin + strlen(before), after);

	ck_assert_msg(end != NULL, "no '%s' in:\n%s", before, text_str(&serve_case.answer));
	text_clear(text);
	text_add_bytes(text, begin + strlen(before), (size_t)(end - begin - (ptrdiff_t)strlen(before)));
}

static void sign_in(const char *token)
{
	struct text body = { 0 };
	struct text value = { 0 };

	text_addf(&body, "token=%s&next=%%2Faudit", token);
	post("/sign-in", FROM_US, text_str(&body));
	assert_says("HTTP/1.1 303 ");
	assert_says("Location: /audit\r\n");
	take_between("Set-Cookie: ", ";", &value);
	text_clear(&cookie);
	text_addf(&cookie, "Cookie: %s\r\n", text_str(&value));
	serve_case_ask("GET", "/actions/stop-all", text_str(&cookie));
	take_between("name=\"form_key\" value=\"", "\"", &key);
	text_release(&body);
	text_release(&value);
}

/* As a form of ours sends it. fields: "&on=weekly&reason=..." */
static void submit(const char *action, const char *fields)
{
	struct text target = { 0 };
	struct text headers = { 0 };
	struct text body = { 0 };

	text_addf(&target, "/actions/%s", action);
	text_addf(&headers, FROM_US "%s", text_str(&cookie));
	text_addf(&body, "form_key=%s%s", text_str(&key), fields);
	post(text_str(&target), text_str(&headers), text_str(&body));
	text_release(&target);
	text_release(&headers);
	text_release(&body);
}

/* "anna pause weekly done; - sign-in - refused; ...", newest first. */
static const char *audit(void)
{
	struct text text = { 0 };
	struct audit_row *rows;
	const char *all;
	size_t count;

	ck_assert(store_audit(serve_case.store, 0, 0, &serve_case.arena, &rows, &count, &serve_case.e));
	for (size_t i = 0; i < count; i++)
		text_addf(&text, "%s%s %s %s %s", i == 0 ? "" : "; ",
			  rows[i].person == NULL ? "-" : rows[i].person, rows[i].action,
			  rows[i].subject == NULL ? "-" : rows[i].subject,
			  audit_outcome_name(rows[i].outcome));
	all = arena_copy(&serve_case.arena, text_str(&text));
	text_release(&text);
	return all;
}

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
	sign_in(ANNA);
	serve_case_ask("GET", "/", text_str(&cookie));
	assert_says("<span>anna</span>");
	assert_silent_about(ANNA);
	text_addf(&headers, FROM_US "%s", text_str(&cookie));
	text_addf(&body, "form_key=%s", text_str(&key));
	post("/sign-out", text_str(&headers), text_str(&body));
	assert_says("HTTP/1.1 303 ");
	assert_says("Set-Cookie: firedrill=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
	submit("pause", "&on=weekly&reason=late");
	assert_says("HTTP/1.1 401 ");
	ck_assert_uint_eq(pause_count(), 0);
	ck_assert_str_eq(audit(), "anna sign-out - done; anna sign-in - done");
	text_release(&headers);
	text_release(&body);
}
END_TEST

START_TEST(test_sign_in_with_a_wrong_token_is_written_down_and_then_has_to_wait)
{
	for (int i = 0; i < THROTTLE_FAILURES; i++) {
		post("/sign-in", FROM_US, "token=nonsense-nonsense-nonsense");
		assert_says("HTTP/1.1 401 ");
		assert_silent_about("Set-Cookie");
	}
	post("/sign-in", FROM_US, "token=" ANNA);
	assert_says("HTTP/1.1 429 ");
	assert_says("Retry-After: 60\r\n");
	ck_assert_str_eq(audit(), "- sign-in - refused; - sign-in - refused; - sign-in - refused; "
				  "- sign-in - refused; - sign-in - refused");
	serve_case_get("/audit");
	assert_says("nobody known");
	assert_silent_about("nonsense");
}
END_TEST

START_TEST(test_sign_in_from_a_page_of_a_stranger_is_refused)
{
	post("/sign-in", "Origin: https://evil.example\r\n", "token=" ANNA);
	assert_says("HTTP/1.1 403 ");
	post("/sign-in", "", "token=" ANNA);
	assert_says("HTTP/1.1 403 ");
	ck_assert_str_eq(audit(), "");
	post("/sign-in", FROM_US, "token=" ANNA "&next=%2F%2Fevil.example");
	assert_says("Location: /\r\n");
}
END_TEST

/* ---- what is done ---- */

START_TEST(test_pause_and_resume_do_what_the_commands_do)
{
	sign_in(ANNA);
	submit("pause", "&on=weekly&reason=+the+cluster+moves+");
	assert_says("HTTP/1.1 303 ");
	assert_says("Location: /audit/2\r\n");
	ck_assert_uint_eq(pause_count(), 1);
	serve_case_get("/audit/2");
	assert_says("<h1>Schedule weekly is paused until somebody resumes it</h1>");
	assert_says("<span>the cluster moves</span>");
	submit("resume", "&on=weekly&reason=done");
	ck_assert_uint_eq(pause_count(), 0);
	submit("resume", "&on=weekly&reason=done");
	assert_says("Location: /audit/4\r\n");
	serve_case_get("/audit/4");
	assert_says("schedule weekly was not paused");
	ck_assert_str_eq(audit(), "anna resume weekly refused; anna resume weekly done; anna pause weekly done; "
				  "anna sign-in - done");
}
END_TEST

START_TEST(test_stop_orders_a_run_to_end_and_says_when_there_is_none)
{
	struct stop_row stop;
	bool is_there = false;

	serve_case_begin("run-a", "Kill the primary");
	sign_in(ANNA);
	serve_case_ask("GET", "/runs/run-a", text_str(&cookie));
	assert_says("href=\"/actions/stop?on=run-a\">Stop this run</a>");
	serve_case_ask("GET", "/actions/stop?on=run-a", text_str(&cookie));
	assert_says("<button type=\"submit\">Stop it now</button>");
	submit("stop", "&on=run-a&reason=real+incident");
	ck_assert(store_stop_find(serve_case.store, "run-a", NULL, &serve_case.arena, &is_there, &stop,
				  &serve_case.e));
	ck_assert(is_there);
	ck_assert_str_eq(stop.person, "anna");
	ck_assert_str_eq(stop.reason, "real incident");
	ck_assert(store_run_end(serve_case.store, "run-a", 1, EXIT_STOPPED, "Stopped.", &serve_case.e));
	submit("stop", "&on=run-a&reason=again");
	submit("stop", "&on=run&reason=a+beginning+is+not+enough");
	ck_assert_str_eq(audit(), "anna stop run refused; anna stop run-a refused; anna stop run-a done; "
				  "anna sign-in - done");
	serve_case_ask("GET", "/actions/stop?on=run-a", text_str(&cookie));
	assert_says("HTTP/1.1 404 ");
}
END_TEST

START_TEST(test_emergency_stop_is_on_the_overview_until_it_is_lifted)
{
	sign_in(ANNA);
	submit("stop-all", "&reason=real+incident");
	serve_case_get("/");
	assert_says("Emergency stop: no run starts");
	assert_says("real incident");
	assert_says("href=\"/actions/resume-all\"");
	submit("resume-all", "&reason=over");
	serve_case_get("/");
	assert_silent_about("no run starts");
	submit("resume-all", "&reason=over");
	ck_assert_str_eq(audit(), "anna resume-all - refused; anna resume-all - done; anna stop-all - done; "
				  "anna sign-in - done");
}
END_TEST

START_TEST(test_ack_says_who_takes_care)
{
	serve_case_begin("run-a", "Kill the primary");
	sign_in(BEN);
	submit("ack", "&on=run-a");
	assert_says("Location: /audit/2\r\n");
	serve_case_get("/audit/2");
	assert_says("ben takes care of run-a; nobody else was going to be told");
	submit("ack", "&on=missed-weekly-17");
	ck_assert_str_eq(audit(), "ben ack missed-weekly-17 refused; ben ack run-a done; ben sign-in - done");
}
END_TEST

START_TEST(test_action_of_a_script_answers_with_what_has_come_of_it)
{
	post("/actions/pause", BEARER, "on=weekly&reason=CHG-12");
	assert_says("HTTP/1.1 200 ");
	assert_says("{\"audit\":1,\"outcome\":\"done\",\"sentence\":\"Schedule weekly is paused");
	post("/actions/resume", BEARER, "on=daily&reason=CHG-12");
	assert_says("HTTP/1.1 409 ");
	assert_says("\"outcome\":\"refused\",\"sentence\":\"schedule daily was not paused\"");
	post("/actions/pause", "Authorization: Bearer x\r\n", "on=weekly&reason=CHG-12");
	assert_says("HTTP/1.1 401 ");
	assert_says("WWW-Authenticate: Bearer\r\n");
	ck_assert_str_eq(audit(), "- sign-in - refused; anna resume daily refused; anna pause weekly done");
}
END_TEST

/* ---- what is not done ---- */

START_TEST(test_form_without_its_word_or_of_another_session_changes_nothing)
{
	struct text annas_key = { 0 };

	sign_in(ANNA);
	text_add(&annas_key, text_str(&key));
	text_clear(&key);
	submit("pause", "&on=weekly&reason=x");
	assert_says("HTTP/1.1 403 ");
	sign_in(BEN);
	text_clear(&key);
	text_add(&key, text_str(&annas_key));
	submit("pause", "&on=weekly&reason=x");
	assert_says("HTTP/1.1 403 ");
	ck_assert_uint_eq(pause_count(), 0);
	ck_assert_str_eq(audit(), "ben sign-in - done; anna sign-in - done");
	text_release(&annas_key);
}
END_TEST

START_TEST(test_reading_an_action_does_not_do_it)
{
	sign_in(ANNA);
	serve_case_ask("GET", "/actions/pause?on=weekly&reason=x", text_str(&cookie));
	assert_says("HTTP/1.1 200 ");
	serve_case_ask("HEAD", "/actions/pause?on=weekly&reason=x", text_str(&cookie));
	serve_case_ask("GET", "/actions/pause?on=weekly&reason=x", BEARER);
	serve_case_ask("GET", "/sign-out", text_str(&cookie));
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
	sign_in(ANNA);
	submit("pause", "&on=weekly&reason=++");
	assert_says("HTTP/1.1 422 ");
	assert_says("Say why, for those who come after you.");
	submit("pause", "&reason=x");
	assert_says("HTTP/1.1 422 ");
	submit("pause", "&on=not+a+name&reason=x");
	assert_says("HTTP/1.1 303 ");
	submit("destroy", "&on=weekly&reason=x");
	assert_says("HTTP/1.1 404 ");
	ck_assert_uint_eq(pause_count(), 0);
	ck_assert_str_eq(audit(), "anna pause not a name refused; anna sign-in - done");
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
	post("/runs", BEARER, "on=weekly");
	assert_says("HTTP/1.1 405 ");
	serve_case_ask("PUT", "/actions/pause", BEARER);
	assert_says("HTTP/1.1 405 ");
	serve_case_ask("GET", "/", "Content-Length: 5\r\n");
	assert_says("HTTP/1.1 413 ");
	ck_assert_str_eq(audit(), "");
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
	ck_assert_str_eq(audit(), "anna pause daily done");
}
END_TEST

START_TEST(test_nothing_is_done_that_cannot_be_written_down)
{
	struct text place = { 0 };

	text_addf(&place, "%s/away", serve_case.dir);
	sign_in(ANNA);
	ck_assert_int_eq(rename(text_str(&serve_case.path), text_str(&place)), 0);
	submit("pause", "&on=weekly&reason=x");
	assert_says("HTTP/1.1 404 ");
	assert_says("there is no store yet");
	ck_assert_int_eq(rename(text_str(&place), text_str(&serve_case.path)), 0);
	ck_assert_uint_eq(pause_count(), 0);
	text_release(&place);
}
END_TEST

START_TEST(test_token_in_a_reason_is_hidden)
{
	sign_in(ANNA);
	submit("pause", "&on=weekly&reason=my+token+is+" ANNA);
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
	post("/actions/pause", BEARER, "on=weekly&reason=x");
	assert_says("HTTP/1.1 405 ");
	assert_says("Allow: GET, HEAD\r\n");
	ck_assert_uint_eq(pause_count(), 0);
}
END_TEST

void suite_serve_actions(Suite *suite)
{
	TCase *tests = tcase_create("serve_actions");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
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
