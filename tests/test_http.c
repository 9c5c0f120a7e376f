/*
 * test_http.c - HTTP requests against a small server of the test's own, one process a connection.
 */
#include "base/limits.h"
#include "fixtures/http_server.h"
#include "fixtures/ssh_server.h"
#include "fixtures/temp_dir.h"
#include "remote/http.h"
#include "tests/suites.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct http_server server;
static struct clock real;
static struct http *http;
static struct http_reply reply;
static struct err e;

static void setup(void)
{
	http_server_start(&server);
	real = clock_system();
	reply = (struct http_reply){ 0 };
	err_clear(&e);
	ck_assert(http_open(&real, &http, &e));
}

static void teardown(void)
{
	http_reply_release(&reply);
	http_close(http);
	http_server_stop(&server);
}

static bool send_request(struct http_request request, const char *path)
{
	struct text url = { 0 };
	bool is_ok;

	text_addf(&url, "http://127.0.0.1:%u%s", server.port, path);
	if (request.url == NULL)
		request.url = text_str(&url);
	if (request.deadline_ns == 0)
		request.deadline_ns = clock_now_ns(&real) + 10 * NS_PER_S;
	http_reply_release(&reply);
	err_clear(&e);
	is_ok = http_send(http, &request, &reply, &e);
	text_release(&url);
	return is_ok;
}

static bool get(const char *path)
{
	return send_request((struct http_request){ 0 }, path);
}

START_TEST(test_http_send_returns_status_headers_and_body)
{
	ck_assert_msg(get("/json"), "%s", e.text);
	ck_assert_int_eq(reply.status, 200);
	ck_assert_str_eq(text_str(&reply.body), "{\"a\":1}");
	ck_assert_str_eq(text_str(&reply.headers), "HTTP/1.1 200 OK\nContent-Length: 7\n"
						   "Content-Type: application/json\n");
}
END_TEST

START_TEST(test_http_send_error_status_is_an_answer)
{
	ck_assert(get("/broken"));
	ck_assert_int_eq(reply.status, 503);
	ck_assert_str_eq(text_str(&reply.body), "no database\n");
}
END_TEST

START_TEST(test_http_send_redirect_is_not_followed)
{
	ck_assert(get("/moved"));
	ck_assert_int_eq(reply.status, 302);
	ck_assert_ptr_nonnull(strstr(text_str(&reply.headers), "Location: /json\n"));
}
END_TEST

START_TEST(test_http_send_headers_of_an_interim_answer_do_not_count)
{
	ck_assert(get("/patience"));
	ck_assert_int_eq(reply.status, 200);
	ck_assert_ptr_nonnull(strstr(text_str(&reply.headers), "X-Final: yes\n"));
	ck_assert_ptr_null(strstr(text_str(&reply.headers), "X-Interim"));
}
END_TEST

START_TEST(test_http_send_method_headers_and_body_arrive)
{
	const struct pair headers[] = { { "X-Drill", "a b" }, { "X-Empty", "" } };
	const struct http_request request = {
		.method = "PATCH", .body = "{\"ttl\":30}", .headers = headers, .header_count = 2
	};

	ck_assert(send_request(request, "/echo"));

	const char *seen = text_str(&reply.body);

	ck_assert_ptr_nonnull(strstr(seen, "PATCH /echo HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(seen, "\r\nX-Drill: a b\r\n"));
	ck_assert_ptr_nonnull(strstr(seen, "\r\nX-Empty:\r\n"));
	ck_assert_ptr_nonnull(strstr(seen, "\r\n\r\n{\"ttl\":30}"));
	ck_assert_ptr_null(strstr(seen, "Expect:"));
	ck_assert_ptr_null(strstr(seen, "x-www-form-urlencoded"));
	ck_assert_ptr_nonnull(strstr(seen, "\r\nUser-Agent: firedrill/"));
}
END_TEST

START_TEST(test_http_send_nothing_sticks_to_the_next_request)
{
	const struct pair headers[] = { { "X-Drill", "yes" } };
	const struct http_request first = {
		.method = "POST", .body = "x", .headers = headers, .header_count = 1
	};

	ck_assert(send_request(first, "/echo"));
	ck_assert(get("/echo"));
	ck_assert_ptr_nonnull(strstr(text_str(&reply.body), "GET /echo"));
	ck_assert_ptr_null(strstr(text_str(&reply.body), "X-Drill"));
	ck_assert_ptr_null(strstr(text_str(&reply.body), "Content-Length"));
}
END_TEST

START_TEST(test_http_send_head_has_no_body)
{
	ck_assert(send_request((struct http_request){ .method = "HEAD" }, "/json"));
	ck_assert_int_eq(reply.status, 200);
	ck_assert_uint_eq(reply.body.length_bytes, 0);
}
END_TEST

START_TEST(test_http_send_proxy_of_the_environment_is_not_used)
{
	ck_assert_int_eq(setenv("http_proxy", "http://127.0.0.1:1/", 1), 0);
	ck_assert_msg(get("/json"), "%s", e.text);
}
END_TEST

static long serial_of(struct http_request request)
{
	ck_assert_msg(send_request(request, "/serial"), "%s", e.text);
	return strtol(text_str(&reply.body), NULL, 10);
}

START_TEST(test_http_send_keeps_the_connection_unless_it_is_to_be_fresh)
{
	const struct http_request kept = { 0 };
	const struct http_request fresh = { .is_fresh = true };
	const struct http_request post = { .method = "POST", .body = "" };
	const long first = serial_of(kept);

	ck_assert_int_eq(serial_of(kept), first);
	ck_assert_int_ne(serial_of(fresh), first);
	ck_assert_int_eq(serial_of(kept), first);
	/* Anything but GET and HEAD: libcurl could send it twice over a kept connection. */
	ck_assert_int_ne(serial_of(post), first);
}
END_TEST

START_TEST(test_http_send_dead_kept_connection_is_replaced)
{
	ck_assert(get("/once"));
	ck_assert_str_eq(text_str(&reply.body), "1");
	ck_assert_msg(get("/once"), "%s", e.text);
	ck_assert_str_eq(text_str(&reply.body), "2");
}
END_TEST

static void check_deadline(const char *path)
{
	const int64_t start_ns = clock_now_ns(&real);
	const struct http_request request = { .deadline_ns = start_ns + 200 * NS_PER_MS };

	ck_assert(!send_request(request, path));

	const int64_t took_ns = clock_now_ns(&real) - start_ns;

	ck_assert_msg(e.kind == ERR_DEADLINE, "%d: %s", e.kind, e.text);
	ck_assert_int_ge(took_ns, 200 * NS_PER_MS);
	ck_assert_int_lt(took_ns, 2 * NS_PER_S);
}

START_TEST(test_http_send_silent_server_is_deadline)
{
	check_deadline("/silent");
}
END_TEST

START_TEST(test_http_send_half_a_body_is_deadline)
{
	check_deadline("/half");
	ck_assert_ptr_null(reply.body.owned_bytes);
}
END_TEST

START_TEST(test_http_send_deadline_in_the_past_asks_nobody)
{
	ck_assert(!send_request((struct http_request){ .deadline_ns = 1 }, "/json"));
	ck_assert_int_eq(e.kind, ERR_DEADLINE);
}
END_TEST

static void check_remote_error(const char *path, const char *part)
{
	ck_assert(!get(path));
	ck_assert_msg(e.kind == ERR_REMOTE, "%d: %s", e.kind, e.text);
	ck_assert_msg(strstr(e.text, part) != NULL, "no \"%s\" in: %s", part, e.text);
}

START_TEST(test_http_send_reset_is_remote_error)
{
	check_remote_error("/reset", "reset");
}
END_TEST

START_TEST(test_http_send_cut_body_is_remote_error)
{
	check_remote_error("/cut", "bytes remaining");
}
END_TEST

START_TEST(test_http_send_no_http_is_remote_error)
{
	check_remote_error("/nonsense", "HTTP/0.9");
}
END_TEST

START_TEST(test_http_send_huge_body_is_limit)
{
	ck_assert(!get("/huge"));
	ck_assert_int_eq(e.kind, ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(e.text, "longer than 4194304 bytes"));
}
END_TEST

START_TEST(test_http_send_huge_header_is_not_taken)
{
	ck_assert(!get("/header"));
	ck_assert(e.kind == ERR_LIMIT || e.kind == ERR_REMOTE);
}
END_TEST

START_TEST(test_http_send_refused_connection_is_remote_error)
{
	struct http_request request = { .url = "http://127.0.0.1:1/health" };

	ck_assert(!send_request(request, ""));
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	ck_assert_ptr_nonnull(strstr(e.text, "GET http://127.0.0.1:1/health: "));
}
END_TEST

START_TEST(test_http_send_no_descriptor_left_is_our_limit)
{
	struct rlimit few;
	struct rlimit old;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);

	const int next_fd = dup(0);

	ck_assert_int_ne(next_fd, -1);
	(void)close(next_fd);
	few = old;
	few.rlim_cur = (rlim_t)next_fd;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);

	const bool is_ok = get("/json");

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert(!is_ok);
	ck_assert_msg(e.kind == ERR_LIMIT, "%d: %s", e.kind, e.text);
	ck_assert_msg(get("/json"), "%s", e.text);
}
END_TEST

START_TEST(test_http_send_secrets_of_a_url_stay_out_of_errors)
{
	struct http_request request = { .url = "http://joe:hunter2@127.0.0.1:1/a?token=hunter3" };

	ck_assert(!send_request(request, ""));
	ck_assert_ptr_null(strstr(e.text, "hunter"));
	ck_assert_ptr_nonnull(strstr(e.text, "http://127.0.0.1:1/a"));
}
END_TEST

START_TEST(test_http_send_other_schemes_are_input_errors)
{
	struct http_request file = { .url = "file:///etc/passwd" };
	struct http_request nonsense = { .url = "http://[" };

	ck_assert(!send_request(file, ""));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	ck_assert(!send_request(nonsense, ""));
	ck_assert_int_eq(e.kind, ERR_INPUT);
}
END_TEST

START_TEST(test_http_send_line_breaks_cannot_smuggle_a_header)
{
	const struct pair value[] = { { "X-Drill", "a\r\nX-Evil: yes" } };
	const struct pair name[] = { { "X-Evil: yes\r\nX", "a" } };
	struct http_request request = { .headers = value, .header_count = 1 };

	ck_assert(!send_request(request, "/echo"));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	request.headers = name;
	ck_assert(!send_request(request, "/echo"));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	request = (struct http_request){ .method = "GET / HTTP/1.1\r\nX-Evil: yes" };
	ck_assert(!send_request(request, "/echo"));
	ck_assert_int_eq(e.kind, ERR_INPUT);
}
END_TEST

/* A TLS server on loopback, and the folder of its keys. */
struct tls_server {
	char dir[64];
	uint16_t port;
	pid_t pid; /* 0: there is no openssl program */
};

/* A certificate for this name, which an authority signed that only `ca.pem` tells of. */
static bool make_certificate(const char *dir, const char *name, const char *days)
{
	static const char script[] =
		"cd \"$1\" && exec 2>>log >&2 || exit 1\n"
		"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=authority -days 2 -keyout ca.key -out ca.pem &&\n"
		"openssl req -newkey rsa:2048 -nodes -subj /CN=drill -addext \"subjectAltName=$2\" -keyout key.pem \\\n"
		"\t-out request.pem &&\n"
		"openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days \"$3\" \\\n"
		"\t-copy_extensions copy -out cert.pem\n";
	const char *const argv[] = { "sh", "-c", script, "sh", dir, name, days, NULL };

	return ssh_server_run(argv, NULL);
}

static void start_tls(const char *name, const char *days, struct tls_server *tls)
{
	char key[128];
	char certificate[128];
	char address[32];

	*tls = (struct tls_server){ .port = http_server_free_port() };
	temp_dir_name(tls->dir, sizeof tls->dir);
	if (!make_certificate(tls->dir, name, days)) {
		(void)printf("http: TLS test passed over: there is no openssl program\n");
		return;
	}
	(void)snprintf(key, sizeof key, "%s/key.pem", tls->dir);
	(void)snprintf(certificate, sizeof certificate, "%s/cert.pem", tls->dir);
	(void)snprintf(address, sizeof address, "127.0.0.1:%u", tls->port);
	tls->pid = fork();
	if (tls->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("openssl", "openssl", "s_server", "-quiet", "-www", "-accept", address,
		       "-key", key, "-cert", certificate, (char *)NULL);
		_exit(127);
	}
}

static void stop_tls(struct tls_server *tls)
{
	const char *const clean_argv[] = { "rm", "-r", "--", tls->dir, NULL };

	if (tls->pid > 0) {
		(void)kill(tls->pid, SIGKILL);
		(void)waitpid(tls->pid, NULL, 0);
	}
	(void)ssh_server_run(clean_argv, NULL);
}

/* Asks a server with such a certificate, trusting its authority or not. True: it answered. */
static bool ask_tls(const char *name, const char *days, bool is_trusted, bool *ret_is_there)
{
	struct tls_server tls;
	struct text text = { 0 };
	char authority[128];
	bool is_ok = false;

	start_tls(name, days, &tls);
	(void)snprintf(authority, sizeof authority, "%s/ca.pem", tls.dir);
	if (is_trusted)
		ck_assert_int_eq(setenv("SSL_CERT_FILE", authority, 1), 0);
	text_addf(&text, "https://127.0.0.1:%u/", tls.port);
	for (int i = 0; i < 500 && tls.pid > 0; i++) {
		is_ok = send_request((struct http_request){ .url = text_str(&text) }, "");
		if (is_ok || e.kind != ERR_REMOTE)
			break; /* it listens */
		clock_sleep_until_ns(&real, clock_now_ns(&real) + 10 * NS_PER_MS);
	}
	*ret_is_there = tls.pid > 0;
	(void)unsetenv("SSL_CERT_FILE");
	stop_tls(&tls);
	text_release(&text);
	return is_ok;
}

START_TEST(test_http_send_certificate_of_a_trusted_authority_is_taken)
{
	bool is_there;

	ck_assert_msg(ask_tls("IP:127.0.0.1", "2", true, &is_there) || !is_there, "%s", e.text);
}
END_TEST

/* Each is refused, with what to do about it. */
START_TEST(test_http_send_certificate_that_does_not_verify_is_refused)
{
	static const struct {
		const char *name;
		const char *days;
		bool is_trusted;
		const char *says;
	} cases[] = {
		{ "IP:127.0.0.1", "2", false, "let SSL_CERT_FILE name its authority's" },
		{ "IP:127.0.0.1", "-1", true, "expired; renew it on the server" },
		{ "DNS:other.example", "2", true, "ask by a name that is in it" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool is_there;

		ck_assert(!ask_tls(cases[i].name, cases[i].days, cases[i].is_trusted, &is_there));
		if (!is_there)
			continue;
		ck_assert_msg(e.kind == ERR_REFUSED, "%d: %s", e.kind, e.text);
		ck_assert_msg(strstr(e.text, cases[i].says) != NULL, "%s", e.text);
	}
}
END_TEST

START_TEST(test_http_send_unknown_name_is_remote_error)
{
	struct http_request request = { .url = "http://no-such-host.invalid/" };

	ck_assert(!send_request(request, ""));
	ck_assert_msg(e.kind == ERR_REMOTE || e.kind == ERR_DEADLINE, "%s", e.text);
}
END_TEST

void suite_http(Suite *suite)
{
	TCase *tcase = tcase_create("http");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_http_send_returns_status_headers_and_body);
	tcase_add_test(tcase, test_http_send_error_status_is_an_answer);
	tcase_add_test(tcase, test_http_send_redirect_is_not_followed);
	tcase_add_test(tcase, test_http_send_headers_of_an_interim_answer_do_not_count);
	tcase_add_test(tcase, test_http_send_method_headers_and_body_arrive);
	tcase_add_test(tcase, test_http_send_nothing_sticks_to_the_next_request);
	tcase_add_test(tcase, test_http_send_head_has_no_body);
	tcase_add_test(tcase, test_http_send_proxy_of_the_environment_is_not_used);
	tcase_add_test(tcase, test_http_send_keeps_the_connection_unless_it_is_to_be_fresh);
	tcase_add_test(tcase, test_http_send_dead_kept_connection_is_replaced);
	tcase_add_test(tcase, test_http_send_silent_server_is_deadline);
	tcase_add_test(tcase, test_http_send_half_a_body_is_deadline);
	tcase_add_test(tcase, test_http_send_deadline_in_the_past_asks_nobody);
	tcase_add_test(tcase, test_http_send_reset_is_remote_error);
	tcase_add_test(tcase, test_http_send_cut_body_is_remote_error);
	tcase_add_test(tcase, test_http_send_no_http_is_remote_error);
	tcase_add_test(tcase, test_http_send_huge_body_is_limit);
	tcase_add_test(tcase, test_http_send_huge_header_is_not_taken);
	tcase_add_test(tcase, test_http_send_refused_connection_is_remote_error);
	tcase_add_test(tcase, test_http_send_no_descriptor_left_is_our_limit);
	tcase_add_test(tcase, test_http_send_secrets_of_a_url_stay_out_of_errors);
	tcase_add_test(tcase, test_http_send_other_schemes_are_input_errors);
	tcase_add_test(tcase, test_http_send_line_breaks_cannot_smuggle_a_header);
	tcase_add_test(tcase, test_http_send_certificate_of_a_trusted_authority_is_taken);
	tcase_add_test(tcase, test_http_send_certificate_that_does_not_verify_is_refused);
	tcase_add_test(tcase, test_http_send_unknown_name_is_remote_error);
	suite_add_tcase(suite, tcase);
}
