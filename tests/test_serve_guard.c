/*
 * test_serve_guard.c - tokens, sessions, and what is tried too often: without a socket, and with a clock of
 * our own.
 */
#include "fixtures/sim_clock.h"
#include "fixtures/temp_dir.h"
#include "serve/guard.h"
#include "tests/suites.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANNA "0123456789abcdef0123456789abcdef"
#define BEN "fedcba9876543210fedcba9876543210"

static char *dir;
static struct text path;
static struct arena arena;
static struct err e;

static void setup(void)
{
	dir = temp_dir_make();
	text_addf(&path, "%s/tokens", dir);
}

static void teardown(void)
{
	text_release(&path);
	arena_release(&arena);
	temp_dir_remove(dir);
}

static void write_tokens(const char *bytes, mode_t mode)
{
	const int fd = open(text_str(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(close(fd), 0);
}

/* ---- tokens ---- */

START_TEST(test_tokens_read_names_and_lines_without_one)
{
	struct tokens tokens;
	struct text told = { 0 };

	write_tokens("# who may act\n\nanna:" ANNA "\r\nben b:" BEN "\nzzzzzzzzzzzzzzzzzzzzzzzz\n", 0600);
	ck_assert_msg(tokens_read(text_str(&path), &tokens, &e), "%s", e.text);
	ck_assert_uint_eq(tokens.count, 3);
	ck_assert_str_eq(tokens_find(&tokens, ANNA, strlen(ANNA)), "anna");
	ck_assert_str_eq(tokens_find(&tokens, BEN, strlen(BEN)), "ben b");
	ck_assert_str_eq(tokens_find(&tokens, "zzzzzzzzzzzzzzzzzzzzzzzz", 24), TOKEN_HOLDER);
	ck_assert_ptr_null(tokens_find(&tokens, ANNA, strlen(ANNA) - 1));
	ck_assert_ptr_null(tokens_find(&tokens, "", 0));
	ck_assert(tokens_know(&tokens, "anna"));
	ck_assert(!tokens_know(&tokens, "carl"));
	text_add(&told, "with " ANNA);
	secrets_redact(&tokens.secrets, &told);
	ck_assert_str_eq(text_str(&told), "with [secret]");
	text_release(&told);
	tokens_release(&tokens);
}
END_TEST

START_TEST(test_tokens_read_refuses_what_is_not_safe_and_never_tells_a_token)
{
	static const struct {
		const char *bytes;
		mode_t mode;
		const char *says;
	} rows[] = {
		{ "anna:" ANNA "\n", 0644, "others can read or change it (mode 644)" },
		{ "anna:" ANNA "\n", 0620, "others can read or change it (mode 620)" },
		{ "anna:tooshort\n", 0600, "line 1: a token must be 20 to 256" },
		{ "anna:with blank in the middle of it\n", 0600, "line 1: a token must be" },
		{ "anna:" ANNA "\nben:" ANNA "\n", 0600, "line 2: this token is there twice" },
		{ " anna:" ANNA "\n", 0600, "line 1: the name before the colon" },
		{ ":" ANNA "\n", 0600, "line 1: the name before the colon" },
		{ "# nobody\n", 0600, "there is none in it" },
	};
	struct tokens tokens;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		write_tokens(rows[i].bytes, rows[i].mode);
		ck_assert_msg(!tokens_read(text_str(&path), &tokens, &e), "%s", rows[i].bytes);
		ck_assert_msg(strstr(e.text, rows[i].says) != NULL, "%s", e.text);
		ck_assert_ptr_null(strstr(e.text, ANNA));
		ck_assert_ptr_null(strstr(e.text, "tooshort"));
	}
	ck_assert_int_eq(unlink(text_str(&path)), 0);
	ck_assert(!tokens_read(text_str(&path), &tokens, &e));
	ck_assert(!tokens_read(dir, &tokens, &e));
	ck_assert_msg(strstr(e.text, "it is no file") != NULL, "%s", e.text);
}
END_TEST

/* ---- sessions ---- */

START_TEST(test_session_ends_with_its_time_and_is_never_the_same_twice)
{
	static struct sessions sessions;
	const struct session *first = session_begin(&sessions, "anna", 100);
	const struct session *second = session_begin(&sessions, "anna", 100);

	ck_assert_ptr_ne(first, second);
	ck_assert_str_ne(first->id, second->id);
	ck_assert_str_ne(first->id, first->form_key);
	ck_assert_ptr_eq(session_find(&sessions, first->id, strlen(first->id), 101), first);
	ck_assert_ptr_eq(session_find(&sessions, first->id, strlen(first->id), 99 + SESSION_NS), first);
	ck_assert_ptr_null(session_find(&sessions, first->id, strlen(first->id), 100 + SESSION_NS));
	ck_assert_ptr_null(session_find(&sessions, first->id, strlen(first->id) - 1, 101));
	ck_assert_ptr_null(session_find(&sessions, first->form_key, strlen(first->id), 101));
	session_end(&sessions, second);
	ck_assert_ptr_null(session_find(&sessions, "", 0, 101));
}
END_TEST

START_TEST(test_session_of_who_came_first_ends_when_there_is_no_room)
{
	static struct sessions sessions;
	char first[HASH_TEXT_BYTES];
	char second[HASH_TEXT_BYTES];

	memcpy(first, session_begin(&sessions, "anna", 0)->id, sizeof first);
	memcpy(second, session_begin(&sessions, "ben", 1)->id, sizeof second);
	for (int i = 2; i <= SESSIONS_MAX; i++)
		(void)session_begin(&sessions, "carl", i);
	ck_assert_ptr_null(session_find(&sessions, first, strlen(first), 100));
	ck_assert_ptr_nonnull(session_find(&sessions, second, strlen(second), 100));
}
END_TEST

/* ---- throttle ---- */

START_TEST(test_throttle_stops_one_address_for_a_minute_and_no_other)
{
	static struct throttle throttle;

	for (int i = 0; i < THROTTLE_FAILURES; i++) {
		ck_assert_int_eq(throttle_wait_ns(&throttle, "10.0.0.1", i), 0);
		throttle_fail(&throttle, "10.0.0.1", i);
	}
	ck_assert_int_eq(throttle_wait_ns(&throttle, "10.0.0.1", 10), THROTTLE_NS - 10);
	ck_assert_int_eq(throttle_wait_ns(&throttle, "10.0.0.2", 10), 0);
	ck_assert_int_eq(throttle_wait_ns(&throttle, "10.0.0.1", THROTTLE_NS), 0);
	throttle_fail(&throttle, "10.0.0.1", THROTTLE_NS);
	ck_assert_int_eq(throttle_wait_ns(&throttle, "10.0.0.1", THROTTLE_NS + 1), 0);
}
END_TEST

START_TEST(test_throttle_stops_all_when_many_addresses_try)
{
	static struct throttle throttle;
	char address[32];

	for (int i = 0; i < THROTTLE_ALL_FAILURES; i++) {
		(void)snprintf(address, sizeof address, "10.0.1.%d", i);
		ck_assert_int_eq(throttle_wait_ns(&throttle, address, 5), 0);
		throttle_fail(&throttle, address, 5);
	}
	ck_assert_int_eq(throttle_wait_ns(&throttle, "10.0.2.1", 6), THROTTLE_NS - 1);
	ck_assert_int_eq(throttle_wait_ns(&throttle, "10.0.2.1", 5 + THROTTLE_NS), 0);
}
END_TEST

/* ---- the guard ---- */

static struct guard *guard;
static struct sim_clock *sim;
static struct clock sim_now;

static void open_guard(void)
{
	write_tokens("anna:" ANNA "\nben:" BEN "\n", 0600);
	sim = sim_clock_open();
	sim_now = sim_clock_as_clock(sim);
	ck_assert_msg(guard_open(text_str(&path), &sim_now, &guard, &e), "%s", e.text);
}

static void close_guard(void)
{
	guard_close(guard);
	sim_clock_close(sim);
}

static struct request form_from_browser(void)
{
	return (struct request){ .path = "/actions/pause",
				 .is_post = true,
				 .is_near = true,
				 .peer = "127.0.0.1",
				 .host = "127.0.0.1:7333",
				 .origin = "http://127.0.0.1:7333",
				 .fetch_site = "same-origin" };
}

static void set_field(struct request *request, const char *name, const char *value)
{
	request->form.items[request->form.count++] = (struct request_param){ name, value };
}

/* The Cookie header that a browser sends back. */
static const char *sign_in(const char *token)
{
	struct request request = form_from_browser();
	struct caller caller;
	const char *cookie = NULL;

	set_field(&request, "token", token);
	ck_assert_int_eq(guard_sign_in(guard, &request, &arena, &caller, &cookie), GUARD_PASSES);
	ck_assert_ptr_nonnull(strstr(cookie, "; Path=/; HttpOnly; SameSite=Strict; Max-Age=28800"));
	ck_assert_ptr_null(strstr(cookie, "Secure"));
	return arena_copy_bytes(&arena, cookie, strcspn(cookie, ";"));
}

static struct request form_of_session(const char *cookie)
{
	struct request request = form_from_browser();
	struct caller caller;

	request.cookie = cookie;
	guard_recognise(guard, &request, &arena, &caller);
	ck_assert_ptr_nonnull(caller.form_key);
	set_field(&request, GUARD_FORM_KEY, caller.form_key);
	return request;
}

START_TEST(test_guard_lets_in_who_signed_in_until_the_session_ends)
{
	struct request request;
	struct caller caller;

	open_guard();
	request = form_of_session(sign_in(ANNA));
	ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_PASSES);
	ck_assert_str_eq(caller.person, "anna");
	ck_assert(!caller.is_script);
	sim_clock_advance(sim, SESSION_NS);
	ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_UNKNOWN);
	close_guard();
}
END_TEST

START_TEST(test_guard_refuses_a_form_that_is_not_of_its_own_page)
{
	struct request good;
	struct request request;
	struct caller caller;

	open_guard();
	good = form_of_session(sign_in(ANNA));
	request = good;
	request.form.count = 0;
	ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_STRANGE);
	request = good;
	request.form.items[0].value = form_of_session(sign_in(BEN)).form.items[0].value;
	ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_STRANGE);
	request = good;
	request.origin = "https://evil.example";
	ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_STRANGE);
	request.origin = "null";
	ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_STRANGE);
	request.origin = "http://127.0.0.1:7334";
	ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_STRANGE);
	request = good;
	request.fetch_site = "same-site";
	ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_STRANGE);
	request.fetch_site = NULL;
	ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_PASSES);
	request.origin = NULL;
	ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_STRANGE);
	close_guard();
}
END_TEST

START_TEST(test_guard_takes_no_token_over_a_line_that_others_read)
{
	static const struct {
		bool is_near;
		const char *host;
		const char *forwarded_for;
		const char *forwarded_proto;
		enum guard_answer said;
		const char *address;
	} rows[] = {
		{ true, "localhost:7333", NULL, NULL, GUARD_PASSES, "127.0.0.1" },
		{ true, "[::1]:7333", NULL, NULL, GUARD_PASSES, "127.0.0.1" },
		{ true, "drills.example.org", "203.0.113.9", "https", GUARD_PASSES,
		  "203.0.113.9 by way of 127.0.0.1" },
		{ true, "drills.example.org", "6.6.6.6, 203.0.113.9", "https", GUARD_PASSES,
		  "203.0.113.9 by way of 127.0.0.1" },
		{ true, "drills.example.org", "<script>", "https", GUARD_PASSES, "127.0.0.1" },
		{ true, "drills.example.org", NULL, NULL, GUARD_OPEN_LINE, "127.0.0.1" },
		{ true, "drills.example.org", NULL, "http", GUARD_OPEN_LINE, "127.0.0.1" },
		{ true, "localhost:7333", "203.0.113.9", NULL, GUARD_OPEN_LINE,
		  "203.0.113.9 by way of 127.0.0.1" },
		{ false, "10.0.0.5:7333", NULL, NULL, GUARD_OPEN_LINE, "127.0.0.1" },
		{ false, "localhost", NULL, "https", GUARD_OPEN_LINE, "127.0.0.1" },
	};
	struct caller caller;

	open_guard();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct request request = form_from_browser();

		request.is_near = rows[i].is_near;
		request.host = rows[i].host;
		request.forwarded_for = rows[i].forwarded_for;
		request.forwarded_proto = rows[i].forwarded_proto;
		request.authorization = "Bearer " ANNA;
		ck_assert_msg(guard_admit(guard, &request, &arena, &caller) == rows[i].said, "row %zu", i);
		ck_assert_str_eq(caller.address, rows[i].address);
	}
	close_guard();
}
END_TEST

START_TEST(test_guard_behind_tls_has_a_cookie_that_needs_it)
{
	struct request request = form_from_browser();
	struct caller caller;
	const char *cookie = NULL;

	open_guard();
	request.host = "drills.example.org";
	request.origin = "https://drills.example.org";
	request.forwarded_proto = "https";
	set_field(&request, "token", ANNA);
	ck_assert_int_eq(guard_sign_in(guard, &request, &arena, &caller, &cookie), GUARD_PASSES);
	ck_assert_ptr_eq(strstr(cookie, "__Host-firedrill="), cookie);
	ck_assert_ptr_nonnull(strstr(cookie, "; Secure"));
	close_guard();
}
END_TEST

START_TEST(test_guard_makes_who_guesses_wait_and_nobody_else)
{
	struct request request = form_from_browser();
	struct caller caller;

	open_guard();
	request.authorization = "Bearer 0000000000000000000000000000000000";
	for (int i = 0; i < THROTTLE_FAILURES; i++)
		ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_WRONG);
	request.authorization = "Bearer " ANNA;
	ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_WAIT);
	request.peer = "127.0.0.2";
	ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_PASSES);
	ck_assert(caller.is_script);
	request.peer = "127.0.0.1";
	sim_clock_advance(sim, THROTTLE_NS);
	ck_assert_int_eq(guard_admit(guard, &request, &arena, &caller), GUARD_PASSES);
	close_guard();
}
END_TEST

START_TEST(test_guard_reload_signs_out_whose_token_is_gone)
{
	struct request anna;
	struct request ben;
	struct caller caller;

	open_guard();
	anna = form_of_session(sign_in(ANNA));
	ben = form_of_session(sign_in(BEN));
	write_tokens("ben:" BEN "\n", 0644);
	ck_assert(!guard_reload(guard, &e));
	ck_assert_int_eq(guard_admit(guard, &anna, &arena, &caller), GUARD_PASSES);
	write_tokens("ben:" BEN "\n", 0600);
	ck_assert_msg(guard_reload(guard, &e), "%s", e.text);
	ck_assert_int_eq(guard_admit(guard, &anna, &arena, &caller), GUARD_UNKNOWN);
	ck_assert_int_eq(guard_admit(guard, &ben, &arena, &caller), GUARD_PASSES);
	close_guard();
}
END_TEST

/* ---- what comes in ---- */

START_TEST(test_request_parse_form_takes_fields_and_refuses_odd_bytes)
{
	static const char two_zeros[] = "a=1\0&b=2";
	struct request request = { 0 };

	ck_assert_msg(request_parse_form("on=weekly&reason=a+b%2Bc", 24, &arena, &request.form, &e),
		      "%s", e.text);
	ck_assert_str_eq(request_field(&request, "on"), "weekly");
	ck_assert_str_eq(request_field(&request, "reason"), "a b+c");
	ck_assert(!request_parse_form("on=a&reason=x&on=b", 18, &arena, &request.form, &e));
	ck_assert_str_eq(request_field(&request, "none"), "");
	ck_assert_str_eq(request_param(&request, "on"), "");
	ck_assert(!request_parse_form(two_zeros, sizeof two_zeros - 1, &arena, &request.form, &e));
	ck_assert(!request_parse_form("a=%00", 5, &arena, &request.form, &e));
	ck_assert(!request_parse_form("a=%0d%0aX", 9, &arena, &request.form, &e));
	ck_assert(!request_parse_form("a=\xff", 3, &arena, &request.form, &e));
	ck_assert(request_parse_form("", 0, &arena, &request.form, &e));
	ck_assert_uint_eq(request.form.count, 0);
}
END_TEST

START_TEST(test_request_cookie_finds_the_one_of_this_name)
{
	static const char header[] = "xfiredrill=no; firedrill=abc; firedrillx=no";
	size_t length = 0;
	const char *value = request_cookie(header, "firedrill", &length);

	ck_assert_ptr_nonnull(value);
	ck_assert_uint_eq(length, 3);
	ck_assert_int_eq(strncmp(value, "abc", 3), 0);
	ck_assert_ptr_null(request_cookie("a=firedrill=abc", "firedrill", &length));
	ck_assert_ptr_null(request_cookie(NULL, "firedrill", &length));
}
END_TEST

START_TEST(test_request_leads_to_pages_of_ours_alone)
{
	static const char *const strange[] = { "", "x", "//evil.example", "/\\evil.example", "http://evil.example",
					       "/a\tb", "/a b", "/a\r\nX: y" };

	for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++)
		ck_assert_msg(!request_is_local(strange[i]), "%s", strange[i]);
	ck_assert(request_is_local("/"));
	ck_assert(request_is_local("/actions/pause?on=weekly"));
}
END_TEST

void suite_serve_guard(Suite *suite)
{
	TCase *tests = tcase_create("serve_guard");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_tokens_read_names_and_lines_without_one);
	tcase_add_test(tests, test_tokens_read_refuses_what_is_not_safe_and_never_tells_a_token);
	tcase_add_test(tests, test_session_ends_with_its_time_and_is_never_the_same_twice);
	tcase_add_test(tests, test_session_of_who_came_first_ends_when_there_is_no_room);
	tcase_add_test(tests, test_throttle_stops_one_address_for_a_minute_and_no_other);
	tcase_add_test(tests, test_throttle_stops_all_when_many_addresses_try);
	tcase_add_test(tests, test_guard_lets_in_who_signed_in_until_the_session_ends);
	tcase_add_test(tests, test_guard_refuses_a_form_that_is_not_of_its_own_page);
	tcase_add_test(tests, test_guard_takes_no_token_over_a_line_that_others_read);
	tcase_add_test(tests, test_guard_behind_tls_has_a_cookie_that_needs_it);
	tcase_add_test(tests, test_guard_makes_who_guesses_wait_and_nobody_else);
	tcase_add_test(tests, test_guard_reload_signs_out_whose_token_is_gone);
	tcase_add_test(tests, test_request_parse_form_takes_fields_and_refuses_odd_bytes);
	tcase_add_test(tests, test_request_cookie_finds_the_one_of_this_name);
	tcase_add_test(tests, test_request_leads_to_pages_of_ours_alone);
	suite_add_tcase(suite, tests);
}
