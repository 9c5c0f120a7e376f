/*
 * test_probe_tcp.c - the table of probes, tcp.connect, and the small parts that probes share.
 */
#include "fixtures/probe_try.h"
#include "fixtures/tcp_server.h"
#include "probes/http_url.h"
#include "probes/json_fields.h"
#include "probes/ledger_row.h"
#include "probes/socket.h"
#include "probes/stable.h"
#include "tests/suites.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* Longer than a label may be, so that no question leaves this machine. */
#define NO_SUCH_NAME "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const int64_t quick_ns = 200 * NS_PER_MS;
static const int64_t plenty_ns = 10 * NS_PER_S;

/* --- the table --- */

static bool has_param(const struct probe_ops *ops, const char *name)
{
	for (const struct param *row = ops->params; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0)
			return row->is_required;
	return false;
}

START_TEST(test_table_rows_are_whole_and_found_by_name)
{
	size_t count = 0;
	const struct probe_ops *const *rows = probe_table(&count);

	ck_assert_uint_gt(count, 0);
	for (size_t i = 0; i < count; i++) {
		const struct probe_ops *ops = rows[i];

		ck_assert_ptr_eq(probe_find(ops->name), ops);
		ck_assert_msg(ops->summary != NULL && ops->params != NULL && ops->close != NULL,
			      "%s", ops->name);
		/* Samples or events: one of the two, and whole. */
		ck_assert_int_eq(ops->is_event, ops->open == NULL);
		ck_assert_int_eq(ops->is_event, ops->sample == NULL);
		ck_assert_int_eq(ops->is_event, ops->watch != NULL);
		ck_assert_int_eq(ops->is_event, ops->look != NULL);
		ck_assert_int_eq(ops->is_ledger, ops->read_back != NULL);
		/* A watch may write, too; what is made is removed. */
		ck_assert(!ops->is_ledger || ops->prepare != NULL);
		ck_assert_int_eq(ops->prepare != NULL, ops->clean != NULL);
		ck_assert(!ops->tells_standing || ops->is_event);
		ck_assert(ops->reads_ledger == NULL || has_param(ops, "ledger"));
		ops->close(NULL);
	}
	ck_assert_ptr_null(probe_find("tcp.conect"));
	ck_assert_ptr_nonnull(role_find("postgres"));
	ck_assert_ptr_null(role_find("http"));
}
END_TEST

/* --- tcp.connect --- */

static struct probe_try tcp;
static struct service service;

static void open_tcp(uint16_t port)
{
	struct err e = { 0 };

	service = (struct service){ .name = "s", .kind = "tcp", .address = "127.0.0.1",
				    .port = port };
	probe_try_init(&tcp, "tcp.connect", NULL);
	tcp.spec.service = &service;
	ck_assert_msg(probe_try_open(&tcp, &e), "%s", e.text);
}

static void tear_down(void)
{
	probe_try_release(&tcp);
}

START_TEST(test_tcp_connect_tells_the_manners_of_servers_apart)
{
	static const struct {
		enum tcp_server_manner manner;
		enum sample_state state;
		const char *text;
	} rows[] = {
		{ TCP_SERVER_SILENT, SAMPLE_GOOD, "" }, /* the kernel accepts: as documented */
		{ TCP_SERVER_REFUSES, SAMPLE_BAD, "connect: Connection refused" },
		{ TCP_SERVER_BLACK_HOLE, SAMPLE_BAD, "connect: no answer in time" },
	};
	struct tcp_server *server = tcp_server_open(rows[_i].manner, NULL, 0);

	open_tcp(tcp_server_port(server));
	ck_assert_int_eq(probe_try_sample(&tcp, 0, quick_ns).state, rows[_i].state);
	ck_assert_str_eq(tcp.err.text, rows[_i].text);
	tcp_server_close(server);
}
END_TEST

START_TEST(test_tcp_connect_without_descriptors_is_skipped)
{
	struct tcp_server *server = tcp_server_open(TCP_SERVER_SILENT, NULL, 0);
	struct rlimit usual = { 0 };
	enum sample_state state;

	open_tcp(tcp_server_port(server));
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);

	const struct rlimit none = { .rlim_cur = 0, .rlim_max = usual.rlim_max };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	state = probe_try_sample(&tcp, 0, quick_ns).state;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &usual), 0);
	ck_assert_int_eq(state, SAMPLE_SKIPPED);
	ck_assert_int_eq(tcp.err.kind, ERR_LIMIT);
	tcp_server_close(server);
}
END_TEST

START_TEST(test_tcp_connect_on_a_host_needs_a_port)
{
	struct tcp_server *server = tcp_server_open(TCP_SERVER_SILENT, NULL, 0);
	const struct host host = { .name = "h1", .is_local = true };
	const char *params[] = { "port", NULL, NULL };
	char port[8];
	struct err e = { 0 };

	probe_try_init(&tcp, "tcp.connect", NULL);
	tcp.spec.host = &host;
	ck_assert(!probe_try_open(&tcp, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	probe_try_release(&tcp);

	(void)snprintf(port, sizeof port, "%u", tcp_server_port(server));
	params[1] = port;
	probe_try_init(&tcp, "tcp.connect", params);
	tcp.spec.host = &host;
	tcp.spec.every_ns = NS_PER_MS; /* and the hard close of a fast probe */
	ck_assert_msg(probe_try_open(&tcp, &e), "%s", e.text);
	ck_assert_int_eq(probe_try_sample(&tcp, 0, plenty_ns).state, SAMPLE_GOOD);
	tcp_server_close(server);
}
END_TEST

/* A kept connection on which nothing is sent cannot tell a dead host from an idle one. */
START_TEST(test_tcp_connect_kept_connection_is_refused)
{
	const struct host host = { .name = "h1", .is_local = true };
	const char *const params[] = { "port", "22", "fresh", "false", NULL };
	struct err e = { 0 };

	probe_try_init(&tcp, "tcp.connect", params);
	tcp.spec.host = &host;
	ck_assert(!probe_try_open(&tcp, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.text, "makes a new connection for each sample"));
}
END_TEST

START_TEST(test_tcp_connect_unknown_name_fails_to_open)
{
	struct err e = { 0 };

	service = (struct service){ .name = "s", .kind = "tcp", .address = NO_SUCH_NAME,
				    .port = 1 };
	probe_try_init(&tcp, "tcp.connect", NULL);
	tcp.spec.service = &service;
	ck_assert(!probe_try_open(&tcp, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "look up " NO_SUCH_NAME));
}
END_TEST

/* --- shared parts --- */

START_TEST(test_stable_text_is_one_printable_line_without_long_numbers)
{
	char text[STABLE_TEXT_BYTES];
	char large[1000];

	ck_assert_str_eq(stable_text("  pid 12345 of 3 died\nHINT: 1", text), "pid N of 3 died");
	ck_assert_str_eq(stable_text("bad\tbyte \x1b[1m", text), "bad?byte ?[1m");
	ck_assert_str_eq(stable_text("999", text), "999");
	memset(large, 'x', sizeof large);
	large[sizeof large - 1] = '\0';
	ck_assert_uint_eq(strlen(stable_text(large, text)), STABLE_TEXT_BYTES - 1);
}
END_TEST

START_TEST(test_socket_slice_shares_the_time_left)
{
	ck_assert_int_eq(socket_slice_end_ns(100, 400, 3), 200);
	ck_assert_int_eq(socket_slice_end_ns(100, 400, 1), 400);
	ck_assert_int_eq(socket_slice_end_ns(500, 400, 2), 400);
}
END_TEST

START_TEST(test_http_url_inventory_name_becomes_its_address)
{
	static const struct host hosts[] = { { .name = "web1", .address = "198.18.77.21" },
					     { .name = "web6", .address = "fd00::1" } };
	static const struct inventory inventory = { .hosts = hosts, .host_count = 2 };
	static const struct {
		const char *url;
		const char *asked;
		const char *host;
	} rows[] = {
		{ "http://web1/health", "http://198.18.77.21/health", "web1" },
		{ "http://web1:8080", "http://198.18.77.21:8080", "web1:8080" },
		{ "http://web6:80/?a", "http://[fd00::1]:80/?a", "web6:80" },
		{ "https://web1/", "https://web1/", "" },
		{ "http://web12/", "http://web12/", "" },
		{ "http://web1@other/", "http://web1@other/", "" },
	};
	struct text asked = { 0 };
	struct text host = { 0 };

	http_url_resolve(&inventory, rows[_i].url, &asked, &host);
	ck_assert_str_eq(text_str(&asked), rows[_i].asked);
	ck_assert_str_eq(text_str(&host), rows[_i].host);
	text_release(&asked);
	text_release(&host);
}
END_TEST

START_TEST(test_http_url_is_valid_wants_scheme_and_host)
{
	ck_assert(http_url_is_valid("http://a"));
	ck_assert(http_url_is_valid("https://[::1]:8443/x"));
	ck_assert(!http_url_is_valid("ftp://a"));
	ck_assert(!http_url_is_valid("http://"));
	ck_assert(!http_url_is_valid("http:///x"));
	ck_assert(!http_url_is_valid("a.example/health"));
}
END_TEST

START_TEST(test_json_fields_follow_paths_and_compare_as_text)
{
	static const struct {
		const char *path;
		const char *value;
		const char *error; /* "": as expected */
	} rows[] = {
		{ "status", "healthy", "" },
		{ "db.state", "connected", "" },
		{ "a.b", "whole", "" },
		{ "nodes.1.name", "n2", "" },
		{ "count", "3", "" },
		{ "up", "true", "" },
		{ "none", "null", "" },
		{ "status", "Healthy", "field status is \"healthy\" where \"Healthy\" was expected" },
		{ "nodes.2.name", "n3", "the JSON body has no field nodes.2.name" },
		{ "nodes.x", "n3", "the JSON body has no field nodes.x" },
		{ "status.deep", "x", "the JSON body has no field status.deep" },
		{ "", "x", "the JSON body has no field " },
	};
	const struct pair pair = { rows[_i].path, rows[_i].value };
	const struct param_value fields = { .type = PARAM_MAP, .pairs = &pair, .pair_count = 1 };
	struct text body = { 0 };
	struct err e = { 0 };

	text_add(&body, "{\"status\": \"healthy\", \"db\": {\"state\": \"connected\"}, "
			"\"a.b\": \"whole\", \"a\": {\"b\": \"part\"}, \"count\": 3, \"up\": true, "
			"\"none\": null, \"nodes\": [{\"name\": \"n1\"}, {\"name\": \"n2\"}]}");
	ck_assert_int_eq(json_fields_match(&body, &fields, &e), rows[_i].error[0] == '\0');
	ck_assert_str_eq(e.text, rows[_i].error);
	text_release(&body);
}
END_TEST

START_TEST(test_json_fields_refuse_what_is_not_json)
{
	const struct pair pair = { "status", "healthy" };
	const struct param_value fields = { .type = PARAM_MAP, .pairs = &pair, .pair_count = 1 };
	struct text body = { 0 };
	struct err e = { 0 };

	text_add(&body, "<html>503</html>");
	ck_assert(!json_fields_match(&body, &fields, &e));
	ck_assert_str_eq(e.text, "the body is not JSON");
	text_release(&body);
}
END_TEST

START_TEST(test_ledger_row_is_its_own_and_nobody_elses)
{
	const uint64_t seed = ledger_seed("run-1", "writes");
	char payload[40 + 1];
	char other[40 + 1];
	char checksum[LEDGER_CHECKSUM_BYTES];

	ledger_payload(seed, 7, 40, payload);
	ledger_checksum(seed, 7, payload, 40, checksum);
	ck_assert_uint_eq(strlen(payload), 40);
	ck_assert(ledger_is_intact(seed, 7, 40, payload, 40, checksum, 16));
	ck_assert(!ledger_is_intact(seed, 8, 40, payload, 40, checksum, 16));
	ck_assert(!ledger_is_intact(ledger_seed("run-2", "writes"), 7, 40, payload, 40, checksum,
				    16));
	ck_assert(!ledger_is_intact(ledger_seed("run-1", "others"), 7, 40, payload, 40, checksum,
				    16));
	ck_assert(!ledger_is_intact(seed, 7, 40, payload, 39, checksum, 16));
	ck_assert(!ledger_is_intact(seed, 7, 40, payload, 40, checksum, 15));
	ledger_payload(seed, 8, 40, other);
	ck_assert_str_ne(payload, other);
	/* A forged pair: a right checksum of a payload that was never written. */
	ledger_checksum(seed, 7, other, 40, checksum);
	ck_assert(!ledger_is_intact(seed, 7, 40, other, 40, checksum, 16));
	ck_assert_uint_ne(ledger_seed("a", "bc"), ledger_seed("ab", "c"));
}
END_TEST

void suite_probe_tcp(Suite *suite)
{
	TCase *tests = tcase_create("tcp");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests, test_table_rows_are_whole_and_found_by_name);
	tcase_add_loop_test(tests, test_tcp_connect_tells_the_manners_of_servers_apart, 0, 3);
	tcase_add_test(tests, test_tcp_connect_without_descriptors_is_skipped);
	tcase_add_test(tests, test_tcp_connect_on_a_host_needs_a_port);
	tcase_add_test(tests, test_tcp_connect_kept_connection_is_refused);
	tcase_add_test(tests, test_tcp_connect_unknown_name_fails_to_open);
	tcase_add_test(tests, test_stable_text_is_one_printable_line_without_long_numbers);
	tcase_add_test(tests, test_socket_slice_shares_the_time_left);
	tcase_add_loop_test(tests, test_http_url_inventory_name_becomes_its_address, 0, 6);
	tcase_add_test(tests, test_http_url_is_valid_wants_scheme_and_host);
	tcase_add_loop_test(tests, test_json_fields_follow_paths_and_compare_as_text, 0, 12);
	tcase_add_test(tests, test_json_fields_refuse_what_is_not_json);
	tcase_add_test(tests, test_ledger_row_is_its_own_and_nobody_elses);
	suite_add_tcase(suite, tests);
}
