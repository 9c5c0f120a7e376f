/*
 * test_serve_request.c - addresses and Host headers taken apart, which page they mean, where a page may
 * listen, and the text of metrics.
 */
#include "tests/suites.h"

#include <string.h>
#include <unistd.h>

#include "serve/listen.h"
#include "serve/metric.h"
#include "serve/page.h"
#include "serve/request.h"

static struct arena arena;
static struct err e;

static void teardown(void)
{
	arena_release(&arena);
	arena = (struct arena){ 0 };
	err_clear(&e);
}

struct target_row {
	const char *target;
	const char *path;  /* NULL: refused */
	const char *value; /* of the parameter "a" */
};

static const struct target_row target_rows[] = {
	{ "/", "/", "" },
	{ "/runs?a=1", "/runs", "1" },
	{ "/runs?a=1&a=2", "/runs", "2" },
	{ "/runs?a", "/runs", "" },
	{ "/runs?&&b=3&", "/runs", "" },
	{ "/runs?a=x+y%2Bz%26", "/runs", "x y+z&" },
	{ "/a+b", "/a+b", "" },
	{ "/%72uns", "/runs", "" },
	{ "/r?a=%C3%BC", "/r", "\xc3\xbc" },
	{ "/r?a=b=c", "/r", "b=c" },
	{ "/r?a=%", NULL, NULL },
	{ "/r?a=%4", NULL, NULL },
	{ "/r?a=%4g", NULL, NULL },
	{ "/r?a=% 4", NULL, NULL },
	{ "/r?a=%@@", NULL, NULL },
	{ "/r%00", NULL, NULL },
	{ "/r%0a", NULL, NULL },
	{ "/r\x7f", NULL, NULL },
	{ "/%C3", NULL, NULL },
	{ "/?a=%ed%a0%80", NULL, NULL },
	{ "http://elsewhere/", NULL, NULL },
	{ "*", NULL, NULL },
	{ "", NULL, NULL },
	{ "/?1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16", "/", "" },
	{ "/?1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17", NULL, NULL },
};

START_TEST(test_request_parse_takes_what_browsers_send_and_nothing_odd)
{
	const struct target_row *row = &target_rows[_i];
	struct request request = { 0 };
	const bool ok = request_parse(row->target, &arena, &request, &e);

	ck_assert_msg(ok == (row->path != NULL), "%s: %s", row->target, e.text);
	if (!ok) {
		ck_assert_int_eq(e.kind, ERR_INPUT);
		return;
	}
	ck_assert_str_eq(request.path, row->path);
	ck_assert_str_eq(request_param(&request, "a"), row->value);
}
END_TEST

START_TEST(test_request_encode_is_read_back)
{
	struct text target = { 0 };
	struct request request;
	char all[256] = "";

	for (int i = 0; i < 95; i++)
		all[i] = (char)(' ' + i);
	text_add(&target, "/?a=");
	request_encode(&target, all);
	ck_assert(request_parse(text_str(&target), &arena, &request, &e));
	ck_assert_str_eq(request_param(&request, "a"), all);
	text_release(&target);
}
END_TEST

struct host_row {
	const char *host;
	bool is_ours;
};

static const struct host_row host_rows[] = {
	{ "127.0.0.1", true },	     { "127.0.0.1:7333", true },  { "LocalHost:1", true },
	{ "[::1]:80", true },	     { "[::1]", true },		  { NULL, false },
	{ "", false },		     { ":80", false },		  { "localhost:", true },
	{ "localhost:80x", false },  { "localhost:123456", false }, { "localhost.", false },
	{ "[::1", false },	     { "[::1]x", false },	  { "localhost.evil.example", false },
	{ "evil.example", false },   { "localhost:80:80", false }, { "127.0.0.1 ", false },
};

START_TEST(test_request_host_is_ours_only_by_a_name_of_ours)
{
	const struct host_names names = { { "127.0.0.1", "localhost", "[::1]", NULL } };
	const struct host_row *row = &host_rows[_i];

	ck_assert_msg(request_host_is_ours(row->host, &names) == row->is_ours, "%s",
		      row->host == NULL ? "none" : row->host);
}
END_TEST

struct path_row {
	const char *path;
	const char *page; /* its path in the table; NULL: none */
	const char *id;
};

static const struct path_row path_rows[] = {
	{ "/", "/", NULL },
	{ "/runs", "/runs", NULL },
	{ "/runs/", NULL, NULL },
	{ "/runs/r1", "/runs/*", "r1" },
	{ "/runs/r1/", NULL, NULL },
	{ "/runs/r1/report", "/runs/*/report", "r1" },
	{ "/runs/r1/events", "/runs/*/events", "r1" },
	{ "/runs/r1/events/x", NULL, NULL },
	{ "/runs/a b", NULL, NULL },
	{ "/runs/a%2fb", NULL, NULL },
	{ "/sets/s1", "/sets/*", "s1" },
	{ "/metrics", "/metrics", NULL },
	{ "/Metrics", NULL, NULL },
	{ "/runs/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL, NULL },
};

START_TEST(test_page_find_knows_paths_exactly)
{
	const struct path_row *row = &path_rows[_i];
	const char *id = NULL;
	const struct page *page = page_find(row->path, &arena, &id);

	ck_assert_msg((page == NULL) == (row->page == NULL), "%s", row->path);
	if (page == NULL)
		return;
	ck_assert_str_eq(page->path, row->page);
	ck_assert_int_eq(id == NULL, row->id == NULL);
	if (id != NULL)
		ck_assert_str_eq(id, row->id);
}
END_TEST

struct listen_row {
	const char *address;
	bool is_beyond;
	enum err_kind kind; /* ERR_NONE: it listens */
};

static const struct listen_row listen_rows[] = {
	{ "127.0.0.1:0", false, ERR_NONE },  { "127.9.9.9:0", false, ERR_NONE },
	{ "0.0.0.0:0", false, ERR_REFUSED }, { "192.0.2.1:80", false, ERR_REFUSED },
	{ "[::]:0", false, ERR_REFUSED },    { "0.0.0.0:0", true, ERR_NONE },
	{ "192.0.2.1:0", true, ERR_INPUT },  { "localhost:80", false, ERR_INPUT },
	{ "127.0.0.1", false, ERR_INPUT },   { "127.0.0.1:65536", false, ERR_INPUT },
	{ "127.0.0.1:-1", false, ERR_INPUT }, { "127.0.0.1:", false, ERR_INPUT },
	{ "::1:80", false, ERR_INPUT },	     { "[127.0.0.1]:80", false, ERR_INPUT },
	{ "", false, ERR_INPUT },	     { "[]:80", false, ERR_INPUT },
};

START_TEST(test_listen_open_stays_on_this_machine_unless_told)
{
	const struct listen_row *row = &listen_rows[_i];
	struct text name = { 0 };
	uint16_t port = 0;
	int fd = -1;
	const bool ok = listen_open(row->address, row->is_beyond, &fd, &name, &port, &e);

	ck_assert_msg(ok == (row->kind == ERR_NONE), "%s: %s", row->address, e.text);
	if (ok) {
		ck_assert_uint_ne(port, 0);
		(void)close(fd);
	} else {
		ck_assert_msg(e.kind == row->kind, "%s: %s", row->address, e.text);
	}
	text_release(&name);
}
END_TEST

START_TEST(test_listen_open_on_a_used_port_says_so)
{
	struct text name = { 0 };
	struct text again = { 0 };
	uint16_t port = 0;
	int fd = -1;
	int second = -1;

	ck_assert(listen_open("127.0.0.1:0", false, &fd, &name, &port, &e));
	text_addf(&again, "127.0.0.1:%u", (unsigned)port);
	ck_assert(!listen_open(text_str(&again), false, &second, &name, &port, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "another program listens there"));
	(void)close(fd);
	text_release(&name);
	text_release(&again);
}
END_TEST

START_TEST(test_metric_labels_hold_any_text)
{
	static const struct metric metric = { .name = "x_seconds", .unit = METRIC_SECONDS };
	static const struct metric count = { .name = "x", .unit = METRIC_COUNT };
	const struct metric_label labels[] = { { "a", "q\"b\\n\nu\xc3\xbc\xff" }, { "b", "" }, { 0 } };
	struct text text = { 0 };

	metric_line(&metric, labels, 1500000001, &text);
	metric_line(&metric, NULL, -1, &text);
	metric_line(&metric, NULL, INT64_MIN, &text);
	metric_line(&count, NULL, INT64_MAX, &text);
	ck_assert_str_eq(text_str(&text),
			 "x_seconds{a=\"q\\\"b\\\\n\\nu\xc3\xbc\xef\xbf\xbd\",b=\"\"} 1.500000001\n"
			 "x_seconds -0.000000001\n"
			 "x_seconds -9223372036.854775808\n"
			 "x 9223372036854775807\n");
	text_release(&text);
}
END_TEST

#define ADD_ROWS(tests, test, rows) \
	tcase_add_loop_test(tests, test, 0, (int)(sizeof rows / sizeof rows[0]))

void suite_serve_request(Suite *suite)
{
	TCase *tests = tcase_create("serve_request");

	tcase_add_checked_fixture(tests, NULL, teardown);
	ADD_ROWS(tests, test_request_parse_takes_what_browsers_send_and_nothing_odd,
		 target_rows);
	tcase_add_test(tests, test_request_encode_is_read_back);
	ADD_ROWS(tests, test_request_host_is_ours_only_by_a_name_of_ours, host_rows);
	ADD_ROWS(tests, test_page_find_knows_paths_exactly, path_rows);
	ADD_ROWS(tests, test_listen_open_stays_on_this_machine_unless_told, listen_rows);
	tcase_add_test(tests, test_listen_open_on_a_used_port_says_so);
	tcase_add_test(tests, test_metric_labels_hold_any_text);
	suite_add_tcase(suite, tests);
}
