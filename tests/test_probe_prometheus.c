/*
 * test_probe_prometheus.c - prometheus.query against scripted answers on loopback, which are written
 * as Prometheus 2.42 gave them.
 */
#include "fixtures/probe_try.h"
#include "fixtures/tcp_server.h"
#include "tests/suites.h"

#include <stdio.h>
#include <string.h>

static const int64_t plenty_ns = 10 * NS_PER_S;

static struct tcp_server *server;
static struct probe_try probe;

static void tear_down(void)
{
	probe_try_release(&probe);
	tcp_server_close(server);
	server = NULL;
}

#define SUCCESS(type, result) \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"" type "\",\"result\":" result "}}"
#define SERIES(value) "{\"metric\":{\"job\":\"x\"},\"value\":[1763740800.1,\"" value "\"]}"

static const struct {
	long status;
	const char *body;
	const char *bounds[5];
	const char *error; /* "": good */
} answers[] = {
	{ 200, SUCCESS("vector", "[" SERIES("0.5") "]"), { "at_most", "0.5" }, "" },
	{ 200, SUCCESS("vector", "[" SERIES("0.5") "]"), { "at_most", "0.49" },
	  "query: 0.5 is out of bounds" },
	{ 200, SUCCESS("vector", "[" SERIES("0.5") "]"), { "at_least", "1", "at_most", "2" },
	  "query: 0.5 is out of bounds" },
	{ 200, SUCCESS("vector", "[" SERIES("1") "," SERIES("+Inf") "]"), { "at_most", "5" },
	  "query: +Inf is out of bounds" },
	{ 200, SUCCESS("vector", "[" SERIES("NaN") "]"), { "at_least", "-Inf" },
	  "query: NaN is out of bounds" },
	{ 200, SUCCESS("scalar", "[1763740800.1,\"3\"]"), { "at_most", "3" }, "" },
	{ 200, SUCCESS("scalar", "[1763740800.1,3]"), { "at_most", "3" },
	  "query: the answer is no number" },
	{ 200, SUCCESS("vector", "[]"), { "at_most", "3" }, "query: there is no such series" },
	{ 200, SUCCESS("vector", "[]"), { "at_most", "3", "absent", "good" }, "" },
	{ 200, SUCCESS("matrix", "[]"), { "at_most", "3" },
	  "query: it yields neither a vector nor a scalar" },
	{ 200, "[]", { "at_most", "3" }, "query: it yields neither a vector nor a scalar" },
	{ 400, "{\"status\":\"error\",\"error\":\"parse error: unexpected end\"}", { "at_most", "3" },
	  "query: status 400: parse error: unexpected end" },
	{ 503, "away", { "at_most", "3" }, "query: status 503 and an answer that is not JSON" },
};

START_TEST(test_query_compares_every_value_with_the_bounds)
{
	char url[64];
	char reply[512];
	const char *const *bounds = answers[_i].bounds;
	const char *const params[] = { "url", url, "query", "up{job=\"x\"}", bounds[0], bounds[1],
				       bounds[2], bounds[3], NULL };
	struct err e = { 0 };

	(void)snprintf(reply, sizeof reply, "HTTP/1.1 %ld X\r\nContent-Length: %zu\r\n\r\n%s",
		       answers[_i].status, strlen(answers[_i].body), answers[_i].body);
	server = tcp_server_open(TCP_SERVER_REPLIES, reply, 0);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u//", tcp_server_port(server));
	probe_try_init(&probe, "prometheus.query", params);
	ck_assert(probe.ops->check(&probe.spec, &e));
	ck_assert(probe_try_open(&probe, &e));
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state,
			 answers[_i].error[0] == '\0' ? SAMPLE_GOOD : SAMPLE_BAD);
	ck_assert_str_eq(probe.err.text, answers[_i].error);
}
END_TEST

START_TEST(test_query_of_nobody_is_bad)
{
	char url[64];
	const char *const params[] = { "url", url, "query", "up", "at_least", "1", NULL };
	struct err e = { 0 };

	server = tcp_server_open(TCP_SERVER_REFUSES, NULL, 0);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u", tcp_server_port(server));
	probe_try_init(&probe, "prometheus.query", params);
	ck_assert(probe_try_open(&probe, &e));
	ck_assert_int_eq(probe_try_sample(&probe, 0, plenty_ns).state, SAMPLE_BAD);
	ck_assert_ptr_eq(strstr(probe.err.text, "query: "), probe.err.text);
}
END_TEST

START_TEST(test_query_without_bound_or_with_a_wrong_one_is_refused)
{
	static const struct {
		const char *params[7];
		const char *error;
	} rows[] = {
		{ { "url", "prometheus:9090", "query", "up", "at_most", "1" },
		  "prometheus.query needs a URL that begins with http:// or https:// and a host; add "
		  "`url: http://...`" },
		{ { "url", "http://prometheus:9090", "query", "up" },
		  "prometheus.query has no bound and would always be good; add `at_most: NUMBER` or "
		  "`at_least: NUMBER`" },
		{ { "url", "http://prometheus:9090", "query", "up", "at_least", "5 %" },
		  "at_least is \"5 %\", which is no number; write one such as 0.05" },
		{ { "url", "http://prometheus:9090", "query", "up", "at_most", "NaN" },
		  "at_most is \"NaN\", which is no number; write one such as 0.05" },
	};
	struct err e = { 0 };

	probe_try_init(&probe, "prometheus.query", rows[_i].params);
	ck_assert(!probe.ops->check(&probe.spec, &e));
	ck_assert_str_eq(e.text, rows[_i].error);
}
END_TEST

void suite_probe_prometheus(Suite *suite)
{
	TCase *tcase = tcase_create("probe_prometheus");

	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_loop_test(tcase, test_query_compares_every_value_with_the_bounds, 0,
			    sizeof answers / sizeof answers[0]);
	tcase_add_test(tcase, test_query_of_nobody_is_bad);
	tcase_add_loop_test(tcase, test_query_without_bound_or_with_a_wrong_one_is_refused, 0, 4);
	suite_add_tcase(suite, tcase);
}
