/*
 * test_probe_http.c - http.get against scripted servers on loopback.
 */
#include "fixtures/probe_try.h"
#include "fixtures/tcp_server.h"
#include "tests/suites.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const int64_t quick_ns = 300 * NS_PER_MS;
static const int64_t plenty_ns = 10 * NS_PER_S;

static const char *const healthy = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				   "X-Node: web1\r\nContent-Length: 50\r\n\r\n"
				   "{\"status\": \"healthy\", \"database\": {\"state\": \"up\"}}";
static const char *const away = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\n"
				"away\n";

static struct tcp_server *server;
static struct probe_try probe;
static struct service service;
static char url[64];

static void serve(enum tcp_server_manner manner, const char *reply, int64_t delay_ns)
{
	server = tcp_server_open(manner, reply, delay_ns);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/health", tcp_server_port(server));
	service = (struct service){ .name = "app", .kind = "http", .url = url };
}

static void open_probe(const char *const *params)
{
	struct err e = { 0 };

	probe_try_init(&probe, "http.get", params);
	probe.spec.service = &service;
	ck_assert_msg(probe_try_open(&probe, &e), "%s", e.text);
}

static void tear_down(void)
{
	probe_try_release(&probe);
	tcp_server_close(server);
	server = NULL;
}

START_TEST(test_get_compares_status_headers_body_and_json)
{
	static const struct {
		const char *reply; /* "h": healthy, "a": away */
		const char *params[5];
		const char *error; /* "": good */
	} rows[] = {
		{ "h", { NULL }, "" },
		{ "a", { NULL }, "get: status 503 was not expected" },
		{ "a", { "status", "200,503" }, "" },
		{ "a", { "status", "5xx" }, "" },
		{ "h", { "status", "204,3xx" }, "get: status 200 was not expected" },
		{ "h", { "header", "x-node=web1,Content-Type=application/json" }, "" },
		{ "h", { "header", "X-Node=web2" }, "get: no header \"X-Node: web2\"" },
		{ "h", { "header", "X-Nod=web1" }, "get: no header \"X-Nod: web1\"" },
		{ "h", { "contains", "healthy" }, "" },
		{ "h", { "contains", "sick" }, "get: the body does not contain \"sick\"" },
		{ "a", { "status", "503", "equals", "away" }, "" },
		{ "a", { "status", "503", "equals", "awa" }, "get: the body is not \"awa\"" },
		{ "h", { "json", "status=healthy,database.state=up" }, "" },
		{ "h",
		  { "json", "database.state=down" },
		  "get: field database.state is \"up\" where \"down\" was expected" },
		{ "a", { "status", "503", "json", "a=b" }, "get: the body is not JSON" },
	};

	serve(TCP_SERVER_REPLIES, rows[_i].reply[0] == 'h' ? healthy : away, 0);
	open_probe(rows[_i].params);
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state,
			 rows[_i].error[0] == '\0' ? SAMPLE_GOOD : SAMPLE_BAD);
	ck_assert_str_eq(probe.err.text, rows[_i].error);
}
END_TEST

START_TEST(test_get_fails_in_time_however_the_server_fails)
{
	static const enum tcp_server_manner manners[] = {
		TCP_SERVER_SILENT,  TCP_SERVER_RESETS,	   TCP_SERVER_CLOSES,
		TCP_SERVER_REFUSES, TCP_SERVER_BLACK_HOLE,
	};

	serve(manners[_i], NULL, 0);
	open_probe(NULL);

	const int64_t start_ns = clock_now_ns(&probe.clock);

	ck_assert_int_eq(probe_try_sample(&probe, 0, quick_ns).state, SAMPLE_BAD);
	ck_assert_int_lt(clock_now_ns(&probe.clock) - start_ns, quick_ns + NS_PER_S);
	ck_assert_ptr_eq(strstr(probe.err.text, "get: "), probe.err.text);
	ck_assert_ptr_null(strstr(probe.err.text, " ms")); /* one text for one kind of failure */
	ck_assert_int_eq(probe.err.kind,
			 manners[_i] == TCP_SERVER_SILENT || manners[_i] == TCP_SERVER_BLACK_HOLE
				 ? ERR_DEADLINE
				 : ERR_REMOTE);
}
END_TEST

START_TEST(test_get_slow_answer_is_bad_and_the_next_attempt_starts_anew)
{
	serve(TCP_SERVER_REPLIES, healthy, quick_ns * 2);
	open_probe(NULL);
	ck_assert_int_eq(probe_try_sample(&probe, 0, quick_ns).state, SAMPLE_BAD);
	ck_assert_int_eq(probe.err.kind, ERR_DEADLINE);
	ck_assert_msg(probe_try_sample(&probe, 1, plenty_ns).state == SAMPLE_GOOD, "%s",
		      probe.err.text);
}
END_TEST

START_TEST(test_get_cut_answer_is_bad)
{
	serve(TCP_SERVER_REPLIES, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", 0);
	open_probe(NULL);
	ck_assert_int_eq(probe_try_sample(&probe, 0, quick_ns).state, SAMPLE_BAD);
}
END_TEST

START_TEST(test_get_makes_a_fresh_connection_unless_told_otherwise)
{
	const char *const params[] = { "fresh", _i == 0 ? "true" : "false", NULL };

	serve(TCP_SERVER_REPLIES, healthy, 0);
	open_probe(params);
	for (uint64_t slot = 0; slot < 3; slot++)
		ck_assert_int_eq(probe_try_sample(&probe, slot, plenty_ns).state, SAMPLE_GOOD);
	ck_assert_uint_eq(tcp_server_connection_count(server), _i == 0 ? 3 : 1);
}
END_TEST

START_TEST(test_get_without_descriptors_is_skipped)
{
	enum { FEW = 64 };
	struct rlimit usual = { 0 };
	enum sample_state state = SAMPLE_BAD;
	int taken[FEW];
	size_t count = 0;

	serve(TCP_SERVER_REPLIES, healthy, 0);
	open_probe(NULL);
	/* The first attempt opens what libcurl keeps; the second then finds no socket. A limit of 0
	   would not do: poll refuses more descriptors than the limit. */
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_GOOD);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);

	const struct rlimit few = { .rlim_cur = FEW, .rlim_max = usual.rlim_max };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	while (count < FEW && (taken[count] = dup(STDERR_FILENO)) != -1)
		count++;
	/* The server may take its time to hang up after the first answer: until then its connection serves. */
	for (uint64_t slot = 1; slot <= 5 && state != SAMPLE_SKIPPED; slot++)
		state = probe_try_sample(&probe, slot, NS_PER_S).state;
	while (count > 0)
		(void)close(taken[--count]);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &usual), 0);
	ck_assert_msg(state == SAMPLE_SKIPPED, "%s", probe.err.text);
}
END_TEST

START_TEST(test_get_inventory_name_is_reached_at_its_address)
{
	static const struct host hosts[] = { { .name = "web1", .address = "127.0.0.1" } };
	static const struct inventory inventory = { .hosts = hosts, .host_count = 1 };
	struct err e = { 0 };

	serve(TCP_SERVER_REPLIES, healthy, 0);
	(void)snprintf(url, sizeof url, "http://web1:%u/health", tcp_server_port(server));
	probe_try_init(&probe, "http.get", NULL);
	probe.spec.service = &service;
	probe.spec.inventory = &inventory;
	ck_assert_msg(probe_try_open(&probe, &e), "%s", e.text);
	ck_assert_msg(probe_try_sample(&probe, 0, plenty_ns).state == SAMPLE_GOOD, "%s",
		      probe.err.text);
	ck_assert_str_eq(text_str(&probe.got), "status 200");
}
END_TEST

START_TEST(test_get_check_says_what_to_write)
{
	static const struct {
		const char *params[5];
		const char *part;
	} rows[] = {
		{ { NULL }, "add `url: http://...`" },
		{ { "url", "ftp://a/" }, "begins with http:// or https://" },
		{ { "url", "http://a/", "status", "200,abc" }, "status abc is none" },
		{ { "url", "http://a/", "status", "999" }, "status 999 is none" },
	};
	struct err e = { 0 };

	probe_try_init(&probe, "http.get", rows[_i].params);
	probe.spec.service = &service;
	ck_assert(!probe_try_open(&probe, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert_msg(strstr(e.text, rows[_i].part) != NULL, "%s", e.text);
}
END_TEST

void suite_probe_http(Suite *suite)
{
	TCase *tests = tcase_create("http");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_set_timeout(tests, 30);
	tcase_add_loop_test(tests, test_get_compares_status_headers_body_and_json, 0, 15);
	tcase_add_loop_test(tests, test_get_fails_in_time_however_the_server_fails, 0, 5);
	tcase_add_test(tests, test_get_slow_answer_is_bad_and_the_next_attempt_starts_anew);
	tcase_add_test(tests, test_get_cut_answer_is_bad);
	tcase_add_loop_test(tests, test_get_makes_a_fresh_connection_unless_told_otherwise, 0, 2);
	tcase_add_test(tests, test_get_without_descriptors_is_skipped);
	tcase_add_test(tests, test_get_inventory_name_is_reached_at_its_address);
	tcase_add_loop_test(tests, test_get_check_says_what_to_write, 0, 4);
	suite_add_tcase(suite, tests);
}
