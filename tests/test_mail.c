/*
 * test_mail.c - mail against a real SMTP server (aiosmtpd) with a certificate of its own: TLS that was
 * asked for is never done without, and what a mail holds arrives as it was, whatever it is.
 */
#include "fixtures/http_server.h"
#include "fixtures/post_office.h"
#include "fixtures/run_tool.h"
#include "remote/mail.h"
#include "tests/suites.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct daemon server; /* STARTTLS */
static struct daemon clear;
static bool has_server;
static struct clock real;
static struct err e;
static long status;

static void open_servers(void)
{
	has_server = smtp_server_open(&server, "starttls");
	if (has_server)
		ck_assert(smtp_server_open(&clear, "clear"));
}

static void close_servers(void)
{
	if (has_server) {
		daemon_close(&server);
		daemon_close(&clear);
	}
}

static void trust(const struct daemon *daemon)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/cert.pem", daemon->folder);
	ck_assert_int_eq(setenv("SSL_CERT_FILE", path, 1), 0);
}

static void setup(void)
{
	real = clock_system();
	e = (struct err){ 0 };
	status = 0;
	if (!has_server)
		return;
	post_office_clear(&server, "mail");
	post_office_clear(&clear, "mail");
	trust(&server);
}

static const char *const to_one[] = { "team@example.net" };

static struct mail mail_to(const struct daemon *daemon)
{
	return (struct mail){
		.server = "127.0.0.1",
		.port = daemon->port,
		.tls = MAIL_STARTTLS,
		.from = "drills@example.net",
		.to = to_one,
		.to_count = 1,
		.subject = "[firedrill] MISSED: Kill the primary",
		.id = "20261121-100000-k3f9.missed.mail",
		.wall_ns = INT64_C(1795255200) * NS_PER_S,
		.body = "It took longer.\n",
		.deadline_ns = clock_now_ns(&real) + 20 * NS_PER_S,
	};
}

static bool send_mail(const struct mail *mail)
{
	return mail_send(&real, mail, &status, &e);
}

/* What Python's parser makes of the first mail: fields, then parts, one line each. */
static void read_mail(const struct daemon *daemon, struct text *ret_said)
{
	static const char script[] =
		"import email, email.policy, sys\n"
		"envelope, raw = open(sys.argv[1], 'rb').read().split(b'\\n\\n', 1)\n"
		"print(envelope.decode())\n"
		"mail = email.message_from_bytes(raw, policy=email.policy.default)\n"
		"for name, value in mail.items():\n"
		"    if name not in ('Content-Type', 'MIME-Version'): print(f'{name}: {value}')\n"
		"for part in mail.iter_parts():\n"
		"    print(part.get_content_type(), part.get_filename(), repr(part.get_content().replace('\\r\\n', '\\n')))\n"
		"print('longest line', 'fine' if max(map(len, raw.split(b'\\r\\n'))) < 999 else 'too long')\n"
		"print('bare', raw.replace(b'\\r\\n', b'').count(b'\\n') + raw.replace(b'\\r\\n', b'').count(b'\\r'))\n";
	char path[128];
	const char *const argv[] = { "python3", "-c", script, path, NULL };

	(void)snprintf(path, sizeof path, "%s/mail-1", daemon->folder);
	ck_assert_msg(tool_run(argv, ret_said) == 0, "%s", text_str(ret_said));
}

static void assert_says(const struct text *said, const char *line)
{
	ck_assert_msg(strstr(text_str(said), line) != NULL, "no `%s` in:\n%s", line, text_str(said));
}

START_TEST(test_mail_send_arrives_as_it_was_over_starttls)
{
	struct mail mail = mail_to(&server);
	struct text said = { 0 };

	if (!has_server)
		return;
	mail.user = "drill";
	mail.password = "open sesame";
	mail.file_name = "report-k3f9.html";
	mail.attachment = "<!DOCTYPE html>\n<p>\xc3\xa9</p>\n.\n";
	ck_assert_msg(send_mail(&mail), "%s", e.text);
	ck_assert_uint_eq(post_office_count(&server, "mail"), 1);
	read_mail(&server, &said);
	assert_says(&said, "from drills@example.net\nto team@example.net\ntls True\nuser drill\n");
	assert_says(&said, "From: firedrill <drills@example.net>\nTo: team@example.net\n"
			   "Subject: [firedrill] MISSED: Kill the primary\n"
			   "Date: Sat, 21 Nov 2026 10:00:00 +0000\n"
			   "Message-ID: <20261121-100000-k3f9.missed.mail@example.net>\n"
			   "Auto-Submitted: auto-generated\n");
	assert_says(&said, "text/plain None 'It took longer.\\n'\n");
	assert_says(&said, "text/html report-k3f9.html '<!DOCTYPE html>\\n<p>\xc3\xa9</p>\\n.\\n'\n");
	assert_says(&said, "longest line fine\nbare 0\n");
	text_release(&said);
}
END_TEST

/* A dot alone ends a mail in SMTP, and a line end in a title would begin a header. */
START_TEST(test_mail_send_hostile_text_stays_text)
{
	struct mail mail = mail_to(&server);
	struct text said = { 0 };

	if (!has_server)
		return;
	mail.subject = "Kill\r\nBcc: all@example.net\r\n\r\nthe \xc3\xa9 primary";
	mail.body = ".\n..\n.\r\nQUIT\nfrom here\n.hidden\nBcc: x@example.net\n=\nend";
	ck_assert_msg(send_mail(&mail), "%s", e.text);
	ck_assert_uint_eq(post_office_count(&server, "mail"), 1);
	read_mail(&server, &said);
	assert_says(&said, "to team@example.net\n");
	assert_says(&said, "Subject: Kill  Bcc: all@example.net    the \xc3\xa9 primary\n");
	ck_assert_ptr_null(strstr(text_str(&said), "\nBcc:"));
	assert_says(&said, "'.\\n..\\n. \\nQUIT\\nfrom here\\n.hidden\\nBcc: x@example.net\\n=\\nend'");
	assert_says(&said, "bare 0\n");
	text_release(&said);
}
END_TEST

START_TEST(test_mail_send_many_recipients_are_one_mail)
{
	const char *to[20];
	struct mail mail = mail_to(&server);
	struct text said = { 0 };
	char names[20][64];

	if (!has_server)
		return;
	for (size_t i = 0; i < 20; i++) {
		(void)snprintf(names[i], sizeof names[i], "somebody.with.a.long.name.%zu@example.net", i);
		to[i] = names[i];
	}
	mail.to = to;
	mail.to_count = 20;
	ck_assert_msg(send_mail(&mail), "%s", e.text);
	ck_assert_uint_eq(post_office_count(&server, "mail"), 1);
	read_mail(&server, &said);
	assert_says(&said, "name.18@example.net somebody.with.a.long.name.19@example.net\ntls");
	assert_says(&said, "name.18@example.net, somebody.with.a.long.name.19@example.net\nSubject:");
	text_release(&said);
}
END_TEST

START_TEST(test_mail_send_certificate_of_an_unknown_authority_is_refused)
{
	const struct mail mail = mail_to(&server);

	if (!has_server)
		return;
	(void)unsetenv("SSL_CERT_FILE");
	ck_assert(!send_mail(&mail));
	ck_assert_msg(e.kind == ERR_REFUSED, "%s", e.text);
	ck_assert_msg(strstr(e.text, "let SSL_CERT_FILE name its authority's certificate") != NULL,
		      "%s", e.text);
	ck_assert_uint_eq(post_office_count(&server, "mail"), 0);
}
END_TEST

START_TEST(test_mail_send_certificate_of_another_name_is_refused)
{
	struct mail mail = mail_to(&server);

	if (!has_server)
		return;
	mail.server = "127.0.0.2"; /* not in the certificate */
	ck_assert(!send_mail(&mail));
	ck_assert(e.kind == ERR_REFUSED || e.kind == ERR_REMOTE);
	ck_assert_uint_eq(post_office_count(&server, "mail"), 0);
}
END_TEST

/* The password and the mail stay here. */
START_TEST(test_mail_send_server_without_starttls_gets_nothing)
{
	struct mail mail = mail_to(&clear);

	if (!has_server)
		return;
	mail.user = "drill";
	mail.password = "open sesame";
	ck_assert(!send_mail(&mail));
	ck_assert_msg(e.kind == ERR_REFUSED, "%s", e.text);
	ck_assert_msg(strstr(e.text, "nothing is sent without") != NULL, "%s", e.text);
	ck_assert_uint_eq(post_office_count(&clear, "mail"), 0);
}
END_TEST

START_TEST(test_mail_send_in_the_clear_only_when_it_was_asked_for)
{
	struct mail mail = mail_to(&clear);
	struct text said = { 0 };

	if (!has_server)
		return;
	mail.tls = MAIL_CLEAR;
	ck_assert_msg(send_mail(&mail), "%s", e.text);
	read_mail(&clear, &said);
	assert_says(&said, "tls False\n");
	text_release(&said);
}
END_TEST

START_TEST(test_mail_send_tls_from_the_first_byte)
{
	struct daemon smtps;
	struct mail mail;
	bool ok;

	if (!has_server)
		return;
	ck_assert(smtp_server_open(&smtps, "tls"));
	trust(&smtps);
	mail = mail_to(&smtps);
	mail.tls = MAIL_TLS;
	ok = send_mail(&mail) && post_office_count(&smtps, "mail") == 1;
	daemon_close(&smtps);
	ck_assert_msg(ok, "%s", e.text);
}
END_TEST

START_TEST(test_mail_send_wrong_password_is_refused_and_not_told)
{
	struct mail mail = mail_to(&server);

	if (!has_server)
		return;
	mail.user = "drill";
	mail.password = "qz wrong";
	ck_assert(!send_mail(&mail));
	ck_assert_int_eq(e.kind, ERR_REFUSED);
	ck_assert_int_eq(status, 535);
	ck_assert_ptr_nonnull(strstr(e.text, "look at `user` and `password`"));
	ck_assert_ptr_null(strstr(e.text, "qz"));
	ck_assert_uint_eq(post_office_count(&server, "mail"), 0);
}
END_TEST

START_TEST(test_mail_send_recipient_that_is_refused_gives_its_code)
{
	static const char *const nobody[] = { "team@example.net", "nobody@example.net" };
	static const char *const later[] = { "later@example.net" };
	struct mail mail = mail_to(&server);

	if (!has_server)
		return;
	mail.to = nobody;
	mail.to_count = 2;
	ck_assert(!send_mail(&mail));
	ck_assert_int_eq(status, 550);
	ck_assert_msg(strstr(e.text, "there is nobody of that name") != NULL, "%s", e.text);
	mail.to = later;
	mail.to_count = 1;
	ck_assert(!send_mail(&mail));
	ck_assert_int_eq(status, 451);
	ck_assert_uint_eq(post_office_count(&server, "mail"), 0); /* all or nobody */
}
END_TEST

START_TEST(test_mail_send_silent_server_ends_at_the_deadline)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t address_bytes = sizeof address;
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	const struct daemon silent = { 0 };
	struct mail mail = mail_to(&silent);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &address_bytes), 0);
	mail.port = ntohs(address.sin_port);
	mail.deadline_ns = clock_now_ns(&real) + 200 * NS_PER_MS;
	ck_assert(!send_mail(&mail));
	ck_assert_int_eq(e.kind, ERR_DEADLINE);
	ck_assert_int_lt(clock_now_ns(&real) - mail.deadline_ns, 2 * NS_PER_S);
	ck_assert(!send_mail(&mail)); /* no time left at all */
	ck_assert_int_eq(e.kind, ERR_DEADLINE);
	(void)close(fd);
}
END_TEST

START_TEST(test_mail_send_nobody_listens_is_said)
{
	const struct daemon nobody = { .port = http_server_free_port() };
	const struct mail mail = mail_to(&nobody);

	ck_assert(!send_mail(&mail));
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	ck_assert_int_eq(status, 0);
	ck_assert_ptr_nonnull(strstr(e.text, "mail by 127.0.0.1 port"));
}
END_TEST

START_TEST(test_mail_subject_line_is_one_line_of_ascii)
{
	static const struct {
		const char *subject;
		const char *line;
	} cases[] = {
		{ "plain", "Subject: plain" },
		{ "a\r\nBcc: b", "Subject: a  Bcc: b" },
		{ "", "Subject: " },
		{ "\xc3\xa9", "Subject: =?UTF-8?B?w6k=?=" },
		{ "=?UTF-8?B?w6k=?=", "Subject: =?UTF-8?B?PT9VVEYtOD9CP3c2az0/PQ==?=" },
		{ "123456789 123456789 123456789 123456789 1\xc3\xa9 b",
		  "Subject: =?UTF-8?B?MTIzNDU2Nzg5IDEyMzQ1Njc4OSAxMjM0NTY3ODkgMTIzNDU2Nzg5IDE=?= "
		  "=?UTF-8?B?w6kgYg==?=" },
	};
	struct text line = { 0 };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		text_clear(&line);
		mail_subject_line(cases[i].subject, &line);
		ck_assert_str_eq(text_str(&line), cases[i].line);
	}
	text_release(&line);
}
END_TEST

/* Any bytes: short enough for SMTP, and no end in a character. */
START_TEST(test_mail_subject_line_long_or_broken_text_is_bounded)
{
	char long_text[4096];
	char broken[512];
	struct text line = { 0 };

	for (size_t i = 0; i + 2 < sizeof long_text; i += 2)
		memcpy(long_text + i, "\xc3\xa9", 3);
	memset(broken, '\xbf', sizeof broken - 1);
	broken[sizeof broken - 1] = '\0';
	mail_subject_line(long_text, &line);
	ck_assert_uint_lt(line.length_bytes, 900);
	mail_subject_line(broken, &line);
	ck_assert_uint_lt(line.length_bytes, 1800);
	for (size_t i = 0; i < line.length_bytes; i++)
		ck_assert(text_str(&line)[i] >= ' ' && text_str(&line)[i] <= '~');
	text_release(&line);
}
END_TEST

void suite_mail(Suite *suite)
{
	TCase *tcase = tcase_create("mail");

	tcase_add_unchecked_fixture(tcase, open_servers, close_servers);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_mail_send_arrives_as_it_was_over_starttls);
	tcase_add_test(tcase, test_mail_send_hostile_text_stays_text);
	tcase_add_test(tcase, test_mail_send_many_recipients_are_one_mail);
	tcase_add_test(tcase, test_mail_send_certificate_of_an_unknown_authority_is_refused);
	tcase_add_test(tcase, test_mail_send_certificate_of_another_name_is_refused);
	tcase_add_test(tcase, test_mail_send_server_without_starttls_gets_nothing);
	tcase_add_test(tcase, test_mail_send_in_the_clear_only_when_it_was_asked_for);
	tcase_add_test(tcase, test_mail_send_tls_from_the_first_byte);
	tcase_add_test(tcase, test_mail_send_wrong_password_is_refused_and_not_told);
	tcase_add_test(tcase, test_mail_send_recipient_that_is_refused_gives_its_code);
	tcase_add_test(tcase, test_mail_send_silent_server_ends_at_the_deadline);
	tcase_add_test(tcase, test_mail_send_nobody_listens_is_said);
	tcase_add_test(tcase, test_mail_subject_line_is_one_line_of_ascii);
	tcase_add_test(tcase, test_mail_subject_line_long_or_broken_text_is_bounded);
	suite_add_tcase(suite, tcase);
}
