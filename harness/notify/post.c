/*
 * post.c - see post.h. The ways out of this machine are those of harness/remote.
 */
#include "notify/post.h"

#include <string.h>

#include "base/limits.h"
#include "remote/http.h"
#include "remote/mail.h"

enum { ANSWER_BYTES = 160 }; /* of what a server says, in a message */

/* What a server says in one short line ("invalid_payload") helps; anything longer is a page, and may hold
   whatever it likes. */
static void add_answer(struct text *text, const struct text *body)
{
	const char *answer = text_str(body);
	const size_t length = strcspn(answer, "\r\n");

	if (length > 0 && body->length_bytes <= ANSWER_BYTES)
		text_addf(text, ": %.*s", (int)length, answer);
}

/* 4xx means that the same request will fail again, except for these two. */
static enum fate fate_of_status(long status)
{
	if (status >= 200 && status <= 299)
		return FATE_SENT;
	if (status == 408 || status == 429 || status >= 500)
		return FATE_AGAIN;
	return FATE_NEVER;
}

static struct receipt judge_reply(const struct http_reply *reply, struct err *e)
{
	const struct receipt receipt = { .fate = fate_of_status(reply->status),
					 .retry_after_ns = reply->retry_after_ns };
	struct text answer = { 0 };

	add_answer(&answer, &reply->body);
	if (receipt.fate != FATE_SENT)
		err_set(e, ERR_REMOTE, "the server answered %ld%s%s", reply->status,
			reply->status >= 300 && reply->status <= 399 ?
				" (it has moved; write the new URL)" : "",
			text_str(&answer));
	text_release(&answer);
	return receipt;
}

static struct receipt post_http(const struct letter *letter, const struct clock *clock,
				int64_t deadline_ns, struct err *e)
{
	const struct http_request request = {
		.method = "POST",
		.url = letter->url,
		.body = letter->body,
		.headers = letter->headers,
		.header_count = letter->header_count,
		.deadline_ns = deadline_ns,
		.is_fresh = true,
		.is_path_secret = true,
	};
	struct receipt receipt = { .fate = FATE_AGAIN };
	struct http_reply reply = { 0 };
	struct http *http = NULL;

	if (http_open(clock, &http, e) && http_send(http, &request, &reply, e))
		receipt = judge_reply(&reply, e);
	else if (e->kind == ERR_INPUT)
		receipt.fate = FATE_NEVER;
	http_reply_release(&reply);
	http_close(http);
	return receipt;
}

static enum mail_tls tls_of(const struct params *params)
{
	const char *word = params_text(params, "tls");

	if (strcmp(word, "none") == 0)
		return MAIL_CLEAR;
	return strcmp(word, "tls") == 0 ? MAIL_TLS : MAIL_STARTTLS;
}

static struct receipt post_mail(const struct occasion *occasion, const struct letter *letter,
				const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	const struct params *params = &occasion->channel->params;
	const struct param_value *to = params_find(params, "to");
	const struct mail mail = {
		.server = params_text(params, "server"),
		.port = (uint16_t)params_number(params, "port"),
		.tls = tls_of(params),
		.user = params_text(params, "user"),
		.password = params_text(params, "password"),
		.from = params_text(params, "from"),
		.to = to->items,
		.to_count = to->item_count,
		.subject = letter->subject,
		.id = occasion->message_id,
		.wall_ns = occasion->wall_ns,
		.body = letter->body,
		.file_name = letter->file_name,
		.attachment = letter->attachment,
		.deadline_ns = deadline_ns,
	};
	long status = 0;

	if (mail_send(clock, &mail, &status, e))
		return (struct receipt){ .fate = FATE_SENT };
	/* RFC 5321: 5xx is final. */
	return (struct receipt){ .fate = status >= 500 && status <= 599 ? FATE_NEVER : FATE_AGAIN };
}

struct receipt post_letter(const struct occasion *occasion, const struct letter *letter,
			   const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	switch (letter->way) {
	case LETTER_HTTP:
		return post_http(letter, clock, deadline_ns, e);
	case LETTER_MAIL:
		return post_mail(occasion, letter, clock, deadline_ns, e);
	}
	err_set(e, ERR_INTERNAL, "a letter without a way");
	return (struct receipt){ .fate = FATE_NEVER };
}
