/*
 * mail.c - see mail.h; beside http.c the other door to libcurl, which writes the MIME parts, doubles
 * the dots and speaks SMTP.
 *
 * One connection a mail: they are rare. It does not look up MX records: `server` is a submission
 * server or a relay that takes mail from here.
 */
#include "remote/mail.h"

#include "base/limits.h"
#include "remote/ways.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	WORD_BYTES = 42, /* of text in one encoded word, which has 75 characters at most */
	REPLY_BYTES = 400, /* of what the server said, for messages */
};

/* What one mail needs while it is sent. */
struct sending {
	const struct mail *mail;
	CURL *curl;
	curl_mime *mime;
	struct curl_slist *headers;
	struct curl_slist *recipients;
	struct text url;
	struct text body;
	struct text reply; /* the last line in which the server said no */
	char why[CURL_ERROR_SIZE];
};

/* ---- headers ---- */

static size_t character_bytes(const char *at)
{
	size_t length = 1;

	while (((unsigned char)at[length] & 0xc0) == 0x80)
		length++;
	return length;
}

/* Encoded words (RFC 2047) of whole characters. */
static void add_encoded(struct text *line, const char *value)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	while (*value != '\0') {
		size_t taken = 0;

		while (value[taken] != '\0' && taken + character_bytes(value + taken) <= WORD_BYTES)
			taken += character_bytes(value + taken);
		if (taken == 0)
			taken = WORD_BYTES; /* no UTF-8: so many continuation bytes */
		text_add(line, " =?UTF-8?B?");
		for (size_t i = 0; i < taken; i += 3) {
			const uint32_t a = (unsigned char)value[i];
			const uint32_t b = i + 1 < taken ? (unsigned char)value[i + 1] : 0;
			const uint32_t c = i + 2 < taken ? (unsigned char)value[i + 2] : 0;
			const uint32_t bits = a << 16 | b << 8 | c;

			text_addf(line, "%c%c%c%c", digits[bits >> 18], digits[bits >> 12 & 63],
				  i + 1 < taken ? digits[bits >> 6 & 63] : '=',
				  i + 2 < taken ? digits[bits & 63] : '=');
		}
		text_add(line, "?=");
		value += taken;
	}
}

/* A line end in a title must not begin a header: what is no character of a line becomes a blank. */
void mail_subject_line(const char *subject, struct text *text)
{
	struct text value = { 0 };
	bool is_plain = strstr(subject, "=?") == NULL;
	size_t length = strnlen(subject, MAIL_SUBJECT_BYTES);

	while (length > 0 && subject[length] != '\0' &&
	       ((unsigned char)subject[length] & 0xc0) == 0x80)
		length--;
	for (size_t i = 0; i < length; i++) {
		const unsigned char byte = (unsigned char)subject[i];

		is_plain = is_plain && byte < 0x80;
		text_add_bytes(&value, byte < 0x20 || byte == 0x7f ? " " : &subject[i], 1);
	}
	text_add(text, "Subject:");
	if (is_plain)
		text_addf(text, " %s", text_str(&value));
	else
		add_encoded(text, text_str(&value));
	text_release(&value);
}

/* Never in the words of the user's language. */
static void add_date(struct text *text, int64_t wall_ns)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const time_t wall_s = (time_t)(wall_ns / NS_PER_S);
	struct tm utc = { 0 };

	(void)gmtime_r(&wall_s, &utc);
	text_addf(text, "Date: %s, %02d %s %d %02d:%02d:%02d +0000", days[utc.tm_wday], utc.tm_mday,
		  months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

static bool list_add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return false;
	*list = longer;
	return true;
}

static bool build_headers(struct sending *sending)
{
	const struct mail *mail = sending->mail;
	struct text line = { 0 };
	bool is_ok;

	text_addf(&line, "From: firedrill <%s>", mail->from);
	is_ok = list_add(&sending->headers, text_str(&line));
	text_clear(&line);
	for (size_t i = 0; i < mail->to_count; i++)
		text_addf(&line, "%s<%s>", i == 0 ? "To: " : ",\r\n ", mail->to[i]);
	is_ok = is_ok && list_add(&sending->headers, text_str(&line));
	text_clear(&line);
	mail_subject_line(mail->subject, &line);
	is_ok = is_ok && list_add(&sending->headers, text_str(&line));
	text_clear(&line);
	add_date(&line, mail->wall_ns);
	is_ok = is_ok && list_add(&sending->headers, text_str(&line));
	text_clear(&line);
	text_addf(&line, "Message-ID: <%s%s>", mail->id, strchr(mail->from, '@'));
	is_ok = is_ok && list_add(&sending->headers, text_str(&line)) &&
		list_add(&sending->headers, "Auto-Submitted: auto-generated");
	for (size_t i = 0; is_ok && i < mail->to_count; i++) {
		text_clear(&line);
		text_addf(&line, "<%s>", mail->to[i]);
		is_ok = list_add(&sending->recipients, text_str(&line));
	}
	text_release(&line);
	return is_ok;
}

/* ---- the parts ---- */

/* SMTP's lines end in CRLF; a bare CR of a foreign text would be one for some servers. */
static void add_lines(struct text *text, const char *raw)
{
	for (; *raw != '\0'; raw++) {
		if (*raw == '\n')
			text_add(text, "\r\n");
		else
			text_add_bytes(text, *raw == '\r' ? " " : raw, 1);
	}
}

static CURLcode add_part(struct sending *sending, const char *bytes, const char *type,
			 const char *encoder, const char *file_name)
{
	curl_mimepart *part = curl_mime_addpart(sending->mime);
	CURLcode outcome = part == NULL ? CURLE_OUT_OF_MEMORY :
					  curl_mime_data(part, bytes, strlen(bytes));

	if (outcome == CURLE_OK)
		outcome = curl_mime_type(part, type);
	if (outcome == CURLE_OK)
		outcome = curl_mime_encoder(part, encoder);
	if (outcome == CURLE_OK && file_name != NULL)
		outcome = curl_mime_filename(part, file_name);
	return outcome;
}

static CURLcode build_parts(struct sending *sending)
{
	const struct mail *mail = sending->mail;
	CURLcode outcome;

	sending->mime = curl_mime_init(sending->curl);
	if (sending->mime == NULL)
		return CURLE_OUT_OF_MEMORY;
	add_lines(&sending->body, mail->body);
	outcome = add_part(sending, text_str(&sending->body), "text/plain; charset=utf-8",
			   "quoted-printable", NULL);
	if (outcome == CURLE_OK && mail->file_name != NULL)
		outcome = add_part(sending, mail->attachment, "text/html; charset=utf-8", "base64",
				   mail->file_name);
	return outcome;
}

/* ---- sending ---- */

/* libcurl hands every line of the server here; the last one of 4xx or 5xx says why. */
static size_t take_line(char *bytes, size_t one, size_t length_bytes, void *ctx)
{
	struct sending *sending = ctx;
	size_t kept_bytes = length_bytes > REPLY_BYTES ? REPLY_BYTES : length_bytes;

	(void)one;
	if (length_bytes == 0 || (bytes[0] != '4' && bytes[0] != '5'))
		return length_bytes;
	while (kept_bytes > 0 && strchr("\r\n", bytes[kept_bytes - 1]) != NULL)
		kept_bytes--;
	text_clear(&sending->reply);
	text_add_bytes(&sending->reply, bytes, kept_bytes);
	if (length_bytes > REPLY_BYTES)
		text_add(&sending->reply, "..."); /* also for secrets_redact: a secret may be cut */
	return length_bytes;
}

/* A macro, because libcurl's own is one that checks the type of the value. */
#define SET(option, value)                                                                         \
	outcome = outcome == CURLE_OK ? curl_easy_setopt(curl, option, value) : outcome

static CURLcode set_up(struct sending *sending, long timeout_ms)
{
	const struct mail *mail = sending->mail;
	const char *authorities = tls_authorities();
	const bool has_colon = strchr(mail->server, ':') != NULL; /* an IPv6 address */
	CURL *curl = sending->curl;
	CURLcode outcome = build_headers(sending) ? build_parts(sending) : CURLE_OUT_OF_MEMORY;

	text_addf(&sending->url, "%s://%s%s%s:%u", mail->tls == MAIL_TLS ? "smtps" : "smtp",
		  has_colon ? "[" : "", mail->server, has_colon ? "]" : "", mail->port);
	SET(CURLOPT_URL, text_str(&sending->url));
	SET(CURLOPT_ERRORBUFFER, sending->why);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_TIMEOUT_MS, timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	SET(CURLOPT_USE_SSL, (long)(mail->tls == MAIL_CLEAR ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (authorities != NULL)
		SET(CURLOPT_CAINFO, authorities);
	if (mail->user != NULL) {
		SET(CURLOPT_USERNAME, mail->user);
		SET(CURLOPT_PASSWORD, mail->password);
	}
	SET(CURLOPT_MAIL_FROM, mail->from);
	SET(CURLOPT_MAIL_RCPT, sending->recipients);
	SET(CURLOPT_HTTPHEADER, sending->headers);
	SET(CURLOPT_MIMEPOST, sending->mime);
	SET(CURLOPT_HEADERFUNCTION, take_line);
	SET(CURLOPT_HEADERDATA, sending);
	return outcome;
}

#undef SET

static enum err_kind kind_of(CURLcode outcome)
{
	if (outcome == CURLE_OPERATION_TIMEDOUT)
		return ERR_DEADLINE;
	if (outcome == CURLE_OUT_OF_MEMORY)
		return ERR_LIMIT;
	if (outcome == CURLE_PEER_FAILED_VERIFICATION || outcome == CURLE_SSL_CACERT_BADFILE ||
	    outcome == CURLE_USE_SSL_FAILED || outcome == CURLE_LOGIN_DENIED)
		return ERR_REFUSED;
	return ERR_REMOTE;
}

static const char *advice_for(CURLcode outcome)
{
	if (outcome == CURLE_USE_SSL_FAILED)
		return "; it offers no TLS here, and nothing is sent without: is it the right port?";
	if (outcome == CURLE_PEER_FAILED_VERIFICATION)
		return "; is it the right server? If so let SSL_CERT_FILE name its authority's certificate";
	return outcome == CURLE_LOGIN_DENIED ? "; look at `user` and `password`" : "";
}

static bool fail(const struct sending *sending, CURLcode outcome, long status, struct err *e)
{
	const char *why = sending->why[0] == '\0' ? curl_easy_strerror(outcome) : sending->why;

	return err_set(e, kind_of(outcome), "mail by %s port %u: %s%s%s%s%s",
		       sending->mail->server, sending->mail->port, why, advice_for(outcome),
		       status >= 400 ? " (it said: " : "",
		       status >= 400 ? text_str(&sending->reply) : "", status >= 400 ? ")" : "");
}

static void release(struct sending *sending)
{
	curl_mime_free(sending->mime);
	curl_easy_cleanup(sending->curl);
	curl_slist_free_all(sending->headers);
	curl_slist_free_all(sending->recipients);
	text_release(&sending->url);
	text_release(&sending->body);
	text_release(&sending->reply);
}

bool mail_send(const struct clock *clock, const struct mail *mail, long *ret_status, struct err *e)
{
	const int64_t left_ns = mail->deadline_ns - clock_now_ns(clock);
	struct sending sending = { .mail = mail };
	struct pipe_guard guard;
	CURLcode outcome;

	assert(mail->to_count > 0);
	assert(mail->user == NULL || mail->tls != MAIL_CLEAR); /* email.c has refused it */

	*ret_status = 0;
	if (left_ns <= 0)
		return err_set(e, ERR_DEADLINE, "mail by %s: no time was left", mail->server);
	sending.curl = libcurl_start() ? curl_easy_init() : NULL;
	if (sending.curl == NULL)
		return err_set(e, ERR_LIMIT, "start libcurl: no memory");
	outcome = set_up(&sending, (long)((left_ns + NS_PER_MS - 1) / NS_PER_MS));
	if (outcome == CURLE_OK) {
		pipe_guard_init(&guard);
		outcome = curl_easy_perform(sending.curl);
		pipe_guard_release(&guard);
	}
	(void)curl_easy_getinfo(sending.curl, CURLINFO_RESPONSE_CODE, ret_status);
	if (outcome != CURLE_OK)
		(void)fail(&sending, outcome, *ret_status, e);
	release(&sending);
	return outcome == CURLE_OK;
}
