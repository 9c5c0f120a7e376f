/*
 * web.h - the listener: takes requests, gives answers, and keeps those away that would hold it up. The
 * only file that knows libmicrohttpd is web.c.
 *
 * It has no thread: whoever owns it polls web_fd and calls web_work. Every number of what a stranger
 * may take of us is a web_limits.
 */
#ifndef SERVE_WEB_H
#define SERVE_WEB_H

#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "serve/request.h"

struct web_limits {
	unsigned connections;  /* at one time; others wait in the kernel's queue */
	unsigned streams;      /* of these; one more is told to come back later */
	size_t head_bytes;     /* of a request: its line and all its headers */
	size_t form_bytes;     /* of the body of a POST */
	int64_t request_ns;    /* from the connection, or the last answer, until the request is whole */
	int64_t answer_ns;     /* until the answer was taken */
	int64_t stream_ns;     /* of one stream; a browser then asks again */
	int64_t stream_every_ns; /* how often a stream looks for news */
};

extern const struct web_limits web_limits_default;

/* Bytes that come as they happen. */
struct web_stream {
	/* Appends what is new, often nothing. False: it is over. */
	bool (*more)(void *ctx, struct text *bytes);
	void (*close)(void *ctx);
	void *ctx;
};

struct answer {
	unsigned status;
	const char *content_type;
	const char *etag;         /* NULL: the answer must not be kept */
	const char *allow;        /* of a 405: the methods that are; NULL: "GET, HEAD" */
	const char *location;     /* of a 303 */
	const char *cookie;       /* to be kept by the browser; NULL: none */
	const char *style_hash;   /* of the one <style> in it, "sha256-..."; NULL: there is none */
	struct text body;
	struct web_stream stream; /* more NULL: the body is all */
};

/* Fills *ret_answer, whose body is released by the listener; texts stay in the arena until then. */
typedef void web_answer_fn(void *ctx, const struct request *request, struct arena *arena,
			    struct answer *ret_answer);

struct web_request {
	int taken_fd; /* listens, and does not block */
	const struct host_names *names;
	const struct web_limits *limits;
	bool takes_forms; /* false: nothing but GET and HEAD, and no bodies */
	web_answer_fn *answer;
	void *ctx;
};

struct web;

bool web_open(const struct web_request *request, struct web **ret_web, struct err *e);
int web_fd(const struct web *web); /* can be read from when there is something to do */
/* Does what there is to do without waiting. When it wants to be called again at the latest. */
int64_t web_work(struct web *web, int64_t now_ns);
void web_close(struct web *web); /* NULL is fine */

#endif
