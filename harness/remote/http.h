/*
 * http.h - one HTTP request with a deadline of its own, through libcurl; TLS is always verified.
 */
#ifndef REMOTE_HTTP_H
#define REMOTE_HTTP_H

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "model/param.h"

struct http_request {
	const char *method;  /* NULL: GET */
	const char *url;     /* http:// or https:// only */
	const char *body;    /* NULL: none */
	const struct pair *headers;
	size_t header_count;
	int64_t deadline_ns; /* on the clock */
	bool is_fresh;       /* a new connection */
	bool is_path_secret; /* no message names more of the URL than the host */
	/* AWS Signature Version 4: "aws:amz:REGION:SERVICE" and "KEY:SECRET"; NULL: not signed. */
	const char *signed_for;
	const char *signed_by;
	/* Takes the body of the answer as it comes, of any length; NULL: it goes into the reply. */
	void (*take)(void *ctx, const char *bytes, size_t length_bytes);
	void *take_ctx;
};

struct http_reply {
	long status;
	struct text headers; /* as received, lines end in \n */
	int64_t retry_after_ns; /* as the server wishes; 0: it said nothing */
	struct text body;    /* LIMIT_HTTP_BODY_BYTES at most, more is ERR_LIMIT */
};

struct http; /* one connection cache; belongs to one thread */

bool http_open(const struct clock *clock, struct http **ret_http, struct err *e);
/* True when an answer arrived, whatever its status. ERR_LIMIT means our own shortage. */
bool http_send(struct http *http, const struct http_request *request, struct http_reply *ret_reply,
	       struct err *e);
/* Whether anything of the last request went out: if not, nothing was done over there. */
bool http_was_sent(const struct http *http);
void http_reply_release(struct http_reply *reply);
void http_close(struct http *http); /* NULL is fine */

#endif
