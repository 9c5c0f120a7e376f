/*
 * request.h - what a browser asks for: the target of a request line, taken apart and decoded, and the
 * host it believes it is talking to. Pure.
 */
#ifndef SERVE_REQUEST_H
#define SERVE_REQUEST_H

#include "base/err.h"
#include "base/mem.h"

enum { REQUEST_TARGET_BYTES = 2048, REQUEST_PARAMS = 16, REQUEST_HOST_NAMES = 32 };

struct request_param {
	const char *name;
	const char *value;
};

struct request_params {
	struct request_param items[REQUEST_PARAMS];
	size_t count;
};

struct request {
	const char *path; /* "/runs/20261121-102030-k3f9": decoded, begins with a slash */
	struct request_params params; /* behind the question mark */
	const char *last_event_id;    /* of a stream that was cut; NULL */
	/* What follows is as the listener has it from the other side. */
	bool is_post;
	struct request_params form;   /* of a POST */
	bool is_near;                 /* it comes from this machine: a browser or a proxy here */
	const char *peer;             /* "127.0.0.1" */
	/* Headers; NULL: it has none. */
	const char *host;
	const char *origin;
	const char *fetch_site;       /* Sec-Fetch-Site */
	const char *cookie;
	const char *authorization;
	const char *forwarded_for;    /* X-Forwarded-For */
	const char *forwarded_proto;  /* X-Forwarded-Proto */
};

/* ERR_INPUT: too long, badly encoded, not UTF-8, or with characters that no address of ours has. */
bool request_parse(const char *target, struct arena *arena, struct request *ret_request,
		   struct err *e);
/* The body of a form as browsers send it (application/x-www-form-urlencoded). ERR_INPUT as above, or
   a NUL is in it. */
bool request_parse_form(const char *body, size_t length_bytes, struct arena *arena,
			struct request_params *ret_form, struct err *e);
/* The last one of this name; "" when there is none. */
const char *request_param(const struct request *request, const char *name);
const char *request_field(const struct request *request, const char *name);
/* The value of a cookie of this name in a Cookie header: how long it is goes to *ret_length; NULL: none. */
const char *request_cookie(const char *header, const char *name, size_t *ret_length);
/* May a browser be led there from a form of ours? Only to a page of ours. */
bool request_is_local(const char *target);
/* Appends the value so that request_parse gives it back. */
void request_encode(struct text *text, const char *value);

/* The names that this server answers to, without a port; NULL ends them. */
struct host_names {
	const char *names[REQUEST_HOST_NAMES + 1];
};

/*
 * Is the Host header one of these names, with any port or none? A page of a stranger whose name was
 * made to lead to this machine sends the stranger's name, and must not read our answers.
 */
bool request_host_is_ours(const char *host, const struct host_names *ours);
/* Is it a name of this machine for itself: localhost, 127.x.y.z or [::1], with any port or none? */
bool request_host_is_loopback(const char *host);
/* Does an Origin header, "https://drills.example.org", name this host? */
bool request_origin_is(const char *origin, const char *host);

#endif
