/*
 * http_get.c - probe "http.get": does a URL answer as it should?
 *
 * GOOD means that a whole answer came in time and that status, headers, body and JSON fields are as
 * expected. Each attempt makes a new connection unless `fresh: false`: a kept one sticks to the
 * backend it has, so it can hide an outage that every new user sees, or outlive the recovery.
 * Redirects are answers, they are not followed. TLS is always verified.
 */
#include "probes/http_status.h"
#include "probes/http_url.h"
#include "probes/json_fields.h"
#include "probes/probe.h"
#include "probes/stable.h"
#include "remote/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct http_get {
	struct http *owned_http; /* NULL until the first attempt: it needs the clock */
	struct text url;
	struct text host;
	struct pair *owned_headers; /* to send; their texts are the parameters', or of host */
	size_t header_count;
	const struct params *params;
	bool is_fresh;
};

static const struct param http_get_params[] = {
	{ "url", PARAM_TEXT, .help = "URL to ask for; a service of kind http has one of its own" },
	{ "send_header", PARAM_MAP, .help = "request headers to send" },
	{ "status", PARAM_LIST, .fallback = "200",
	  .help = "accepted status codes, such as 200 or 2xx" },
	{ "header", PARAM_MAP, .help = "response headers that must have these values" },
	{ "contains", PARAM_TEXT, .help = "text that the body must contain" },
	{ "equals", PARAM_TEXT, .help = "what the body must be, blanks at its ends aside" },
	{ "json", PARAM_MAP,
	  .help = "fields of the JSON body and their values, such as db.state: connected" },
	{ "fresh", PARAM_BOOL, .fallback = "true",
	  .help = "a new connection for each attempt, as a new user would make" },
	{ 0 },
};

static const char *url_of(const struct probe_spec *spec)
{
	const char *own = params_text(&spec->params, "url");

	return own != NULL || spec->service == NULL ? own : spec->service->url;
}

static bool http_get_check(const struct probe_spec *spec, struct err *e)
{
	const struct param_value *status = params_find(&spec->params, "status");
	const char *url = url_of(spec);

	if (url == NULL)
		return err_set(e, ERR_INPUT,
			       "http.get has no URL; add `url: http://...` here or to the service");
	/* The URL itself is not repeated: it may hold a token. */
	if (!http_url_is_valid(url))
		return err_set(e, ERR_INPUT, "http.get needs a URL that begins with http:// or "
					     "https:// and a host");
	for (size_t i = 0; i < status->item_count; i++) {
		if (!http_status_is_word(status->items[i]))
			return err_set(e, ERR_INPUT,
				       "status %s is none; write a number such as 204, or 2xx",
				       status->items[i]);
	}
	return true;
}

static bool http_get_open(const struct probe_spec *spec, const char *run_id, void **ret_state,
			  struct err *e)
{
	const struct param_value *send = params_find(&spec->params, "send_header");
	struct http_get *probe = mem_alloc(sizeof *probe);

	(void)run_id; /* leaves nothing behind that would need a name */
	(void)e;
	probe->params = &spec->params;
	probe->is_fresh = params_bool(&spec->params, "fresh");
	http_url_resolve(spec->inventory, url_of(spec), &probe->url, &probe->host);

	probe->owned_headers = mem_alloc((send->pair_count + 1) * sizeof *probe->owned_headers);
	for (size_t i = 0; i < send->pair_count; i++)
		probe->owned_headers[probe->header_count++] = send->pairs[i];
	if (probe->host.length_bytes > 0)
		probe->owned_headers[probe->header_count++] =
			(struct pair){ "Host", text_str(&probe->host) };
	*ret_state = probe;
	return true;
}

/* The bytes without blanks at either end. */
static const char *trim(const char *bytes, size_t *length_bytes)
{
	static const char blanks[] = { ' ', '\t', '\r', '\n' };

	while (*length_bytes > 0 &&
	       memchr(blanks, bytes[*length_bytes - 1], sizeof blanks) != NULL)
		(*length_bytes)--;
	while (*length_bytes > 0 && memchr(blanks, bytes[0], sizeof blanks) != NULL) {
		bytes++;
		(*length_bytes)--;
	}
	return bytes;
}

/* True when one of the header's lines has this value. Names do not mind the case, values do. */
static bool has_header(const struct text *headers, const struct pair *expected)
{
	const size_t name_bytes = strlen(expected->name);
	const char *line = text_str(headers);

	while (*line != '\0') {
		const size_t line_bytes = strcspn(line, "\n");

		if (line_bytes > name_bytes && line[name_bytes] == ':' &&
		    strncasecmp(line, expected->name, name_bytes) == 0) {
			size_t value_bytes = line_bytes - name_bytes - 1;
			const char *value = trim(line + name_bytes + 1, &value_bytes);

			if (value_bytes == strlen(expected->value) &&
			    memcmp(value, expected->value, value_bytes) == 0)
				return true;
		}
		line += line_bytes + (line[line_bytes] == '\n' ? 1 : 0);
	}
	return false;
}

/* memmem, since a body may hold a NUL. */
static bool body_contains(const struct text *body, const char *part)
{
	return memmem(text_str(body), body->length_bytes, part, strlen(part)) != NULL;
}

static bool body_equals(const struct text *body, const char *expected)
{
	size_t body_bytes = body->length_bytes;
	size_t expected_bytes = strlen(expected);
	const char *bytes = trim(text_str(body), &body_bytes);

	expected = trim(expected, &expected_bytes);
	return body_bytes == expected_bytes && memcmp(bytes, expected, body_bytes) == 0;
}

static bool is_as_expected(const struct http_get *probe, const struct http_reply *reply,
			   struct err *e)
{
	const struct param_value *headers = params_find(probe->params, "header");
	const struct param_value *fields = params_find(probe->params, "json");
	const char *part = params_text(probe->params, "contains");
	const char *whole = params_text(probe->params, "equals");

	if (!http_status_is_one_of(reply->status, params_find(probe->params, "status")))
		return err_set(e, ERR_REMOTE, "get: status %ld was not expected", reply->status);
	for (size_t i = 0; i < headers->pair_count; i++) {
		if (!has_header(&reply->headers, &headers->pairs[i]))
			return err_set(e, ERR_REMOTE, "get: no header \"%s: %s\"",
				       headers->pairs[i].name, headers->pairs[i].value);
	}
	if (part != NULL && !body_contains(&reply->body, part))
		return err_set(e, ERR_REMOTE, "get: the body does not contain \"%s\"", part);
	if (whole != NULL && !body_equals(&reply->body, whole))
		return err_set(e, ERR_REMOTE, "get: the body is not \"%s\"", whole);
	if (fields->pair_count > 0 && !json_fields_match(&reply->body, fields, e))
		return err_wrap(e, "get");
	return true;
}

static void http_get_sample(void *state, const struct attempt *attempt,
			    struct attempt_result *result, struct err *e)
{
	struct http_get *probe = state;
	struct http_reply reply = { 0 };
	const struct http_request request = {
		.url = text_str(&probe->url),
		.headers = probe->owned_headers,
		.header_count = probe->header_count,
		.deadline_ns = attempt->deadline_ns,
		.is_fresh = probe->is_fresh,
	};

	if (http_attempt(&probe->owned_http, attempt, &request, "get", &reply, result, e)) {
		result->state = is_as_expected(probe, &reply, e) ? SAMPLE_GOOD : SAMPLE_BAD;
		if (result->got != NULL)
			text_addf(result->got, "status %ld", reply.status);
	}
	http_reply_release(&reply);
}

static void http_get_close(void *state)
{
	struct http_get *probe = state;

	if (probe == NULL)
		return;
	http_close(probe->owned_http);
	text_release(&probe->url);
	text_release(&probe->host);
	free(probe->owned_headers);
	free(probe);
}

const struct probe_ops probe_http_get = {
	.name = "http.get",
	.summary = "a URL answers with the expected status, headers, body or JSON fields",
	.on = PROBE_ON_SERVICE,
	.params = http_get_params,
	.check = http_get_check,
	.open = http_get_open,
	.sample = http_get_sample,
	.close = http_get_close,
};
