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

struct request {
	const char *path; /* "/runs/20261121-102030-k3f9": decoded, begins with a slash */
	struct request_param params[REQUEST_PARAMS];
	size_t param_count;
	const char *last_event_id; /* of a stream that was cut; NULL */
};

/* ERR_INPUT: too long, badly encoded, not UTF-8, or with characters that no address of ours has. */
bool request_parse(const char *target, struct arena *arena, struct request *ret_request,
		   struct err *e);
/* The last one of this name; "" when there is none. */
const char *request_param(const struct request *request, const char *name);
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

#endif
