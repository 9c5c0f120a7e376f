/*
 * http_write.c - probe "http.write": the ledger behind an API. One request for each slot, with the
 * row in its body or URL, and later a look at which rows the API still gives.
 *
 * Each attempt makes a new connection, and libcurl never repeats a request that may change things.
 * Which statuses mean "done" and "certainly not done" is the API's business: `status` and `refused`
 * say it. A gateway answers 502 to 504 when it lost the server, perhaps after the write: those are
 * indeterminate. Rows stay where they are: nobody knows how this API removes them.
 */
#include "probes/http_rows.h"
#include "probes/http_status.h"
#include "probes/http_url.h"
#include "probes/ledger_row.h"
#include "probes/probe.h"
#include "remote/http.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct http_write {
	struct http *owned_http;
	const struct probe_spec *spec;
	struct http_rows rows;
	char *owned_run_id;
};

static const struct param http_write_params[] = {
	{ "method", PARAM_CHOICE, .choices = "POST|PUT", .fallback = "POST",
	  .help = "of the request that writes" },
	{ "url", PARAM_TEXT,
	  .help = "where to write, also /PATH of the service; {seq} {run} {writer} are replaced" },
	{ "body", PARAM_TEXT, .fallback = "{row}",
	  .help = "what to send; {row} {seq} {run} {writer} {payload} {checksum} are replaced" },
	{ "send_header", PARAM_MAP, .help = "request headers to send, when reading, too" },
	{ "status", PARAM_LIST, .fallback = "2xx", .help = "status codes that mean: written" },
	{ "refused", PARAM_LIST,
	  .help = "status codes that certainly mean: not written; else 4xx but 408" },
	{ "read", PARAM_TEXT, .is_required = true,
	  .help = "URL or /PATH to read back: all rows, or with {seq} in it one of them" },
	{ "payload", PARAM_BYTES, .min = 1, .max = LEDGER_PAYLOAD_BYTES_MAX, .fallback = "32B",
	  .help = "size of the payload of each row" },
	{ 0 },
};

/* "/PATH" follows the service's own URL. */
static void add_url(const struct probe_spec *spec, const char *own, struct text *url)
{
	const char *base = spec->service->url;
	size_t base_bytes = strlen(base);

	if (own != NULL && own[0] != '/') {
		text_add(url, own);
		return;
	}
	while (own != NULL && base_bytes > 0 && base[base_bytes - 1] == '/')
		base_bytes--;
	text_add_bytes(url, base, base_bytes);
	text_add(url, own == NULL ? "" : own);
}

static bool check_words(const struct probe_spec *spec, const char *name, struct err *e)
{
	const struct param_value *words = params_find(&spec->params, name);

	for (size_t i = 0; i < words->item_count; i++) {
		if (!http_status_is_word(words->items[i]))
			return err_set(e, ERR_INPUT,
				       "status %s is none; write a number such as 204, or 2xx",
				       words->items[i]);
	}
	return true;
}

/* No status can mean both. */
static bool check_apart(const struct probe_spec *spec, struct err *e)
{
	const struct param_value *written = params_find(&spec->params, "status");
	const struct param_value *refused = params_find(&spec->params, "refused");

	for (size_t i = 0; i < refused->item_count; i++)
		for (size_t j = 0; j < written->item_count; j++)
			if (strcmp(refused->items[i], written->items[j]) == 0)
				return err_set(e, ERR_INPUT,
					       "status %s is in `status` (written) and in `refused` "
					       "(not written); take it out of one of them",
					       refused->items[i]);
	return true;
}

/* In a URL braces are never meant as they stand; in a body they may be JSON. */
static bool check_filled(const char *name, const char *url, struct err *e)
{
	size_t word_bytes = 0;
	const char *word = http_rows_strange_word(url, &word_bytes);

	return word == NULL ||
	       err_set(e, ERR_INPUT,
		       "`%s` of http.write has {%.*s}, which stands for nothing; write {seq}, {run} "
		       "or {writer}, or %%7B for a brace",
		       name, (int)word_bytes, word);
}

static bool http_write_check(const struct probe_spec *spec, struct err *e)
{
	static const char *const names[] = { "url", "read" };
	const char *body = params_text(&spec->params, "body");
	struct text url = { 0 };
	bool ok = true;

	for (size_t i = 0; i < 2 && ok; i++) {
		text_clear(&url);
		add_url(spec, params_text(&spec->params, names[i]), &url);
		ok = check_filled(names[i], text_str(&url), e);
		/* The URL itself is not repeated: it may hold a token. */
		if (ok && !http_url_is_valid(text_str(&url)))
			ok = err_set(e, ERR_INPUT,
				     "`%s` of http.write must be a /PATH of its service, or begin "
				     "with http:// or https:// and a host",
				     names[i]);
	}
	text_clear(&url);
	add_url(spec, params_text(&spec->params, "url"), &url);
	if (ok && strstr(body, "{row}") == NULL && strstr(text_str(&url), "{row}") == NULL)
		ok = err_set(e, ERR_INPUT, "neither `body` nor `url` of http.write has {row}: what "
					   "it writes could not be found again");
	text_release(&url);
	return ok && check_words(spec, "status", e) && check_words(spec, "refused", e) &&
	       check_apart(spec, e);
}

static bool http_write_open(const struct probe_spec *spec, const char *run_id, void **ret_state,
			    struct err *e)
{
	struct http_write *probe = mem_alloc(sizeof *probe);

	(void)e;
	probe->spec = spec;
	probe->owned_run_id = mem_copy(run_id);
	probe->rows = http_rows_of(spec, probe->owned_run_id);
	*ret_state = probe;
	return true;
}

static void http_write_close(void *state)
{
	struct http_write *probe = state;

	if (probe == NULL)
		return;
	http_close(probe->owned_http);
	free(probe->owned_run_id);
	free(probe);
}

struct question {
	const char *method;
	const char *url;  /* patterns */
	const char *body; /* NULL: none */
	uint64_t sequence;
	int64_t deadline_ns;
	void (*take)(void *ctx, const char *bytes, size_t length_bytes);
	void *take_ctx;
};

/* True with the status when an answer came. */
static bool ask(const struct probe_spec *spec, const struct http_rows *rows, struct http *http,
		const struct question *question, long *ret_status, struct err *e)
{
	const struct param_value *send = params_find(&spec->params, "send_header");
	struct pair *headers = mem_alloc((send->pair_count + 1) * sizeof *headers);
	struct http_request request = { .method = question->method,
					.headers = headers,
					.header_count = send->pair_count,
					.deadline_ns = question->deadline_ns,
					.take = question->take,
					.take_ctx = question->take_ctx };
	struct http_reply reply = { 0 };
	struct text pattern = { 0 };
	struct text filled = { 0 };
	struct text url = { 0 };
	struct text host = { 0 };
	struct text body = { 0 };
	bool ok;

	add_url(spec, question->url, &pattern);
	http_rows_fill(rows, text_str(&pattern), question->sequence, &filled);
	http_url_resolve(spec->inventory, text_str(&filled), &url, &host);
	if (question->body != NULL) {
		http_rows_fill(rows, question->body, question->sequence, &body);
		request.body = text_str(&body);
	}
	for (size_t i = 0; i < send->pair_count; i++)
		headers[i] = send->pairs[i];
	if (host.length_bytes > 0)
		headers[request.header_count++] = (struct pair){ "Host", text_str(&host) };
	request.url = text_str(&url);
	ok = http_send(http, &request, &reply, e);
	*ret_status = reply.status;
	http_reply_release(&reply);
	text_release(&pattern);
	text_release(&filled);
	text_release(&url);
	text_release(&host);
	text_release(&body);
	free(headers);
	return ok;
}

static void forget(void *ctx, const char *bytes, size_t length_bytes)
{
	(void)ctx; /* what an API says about a write that it has done */
	(void)bytes;
	(void)length_bytes;
}

static bool is_refused(const struct params *params, long status)
{
	const struct param_value *refused = params_find(params, "refused");

	if (refused->item_count > 0)
		return http_status_is_one_of(status, refused);
	return status >= 400 && status <= 499 && status != 408;
}

static void http_write_sample(void *state, const struct attempt *attempt,
			      struct attempt_result *result, struct err *e)
{
	struct http_write *probe = state;
	const struct params *params = &probe->spec->params;
	const struct question question = { .method = params_text(params, "method"),
					   .url = params_text(params, "url"),
					   .body = params_text(params, "body"),
					   .sequence = attempt->slot,
					   .deadline_ns = attempt->deadline_ns,
					   .take = forget };
	struct err failure = { 0 };
	long status = 0;

	result->state = SAMPLE_BAD;
	if (probe->owned_http == NULL && !http_open(attempt->clock, &probe->owned_http, e)) {
		result->state = SAMPLE_SKIPPED;
		return;
	}
	if (!ask(probe->spec, &probe->rows, probe->owned_http, &question, &status, &failure)) {
		if (http_was_sent(probe->owned_http))
			result->write = WRITE_INDETERMINATE;
		else if (failure.kind == ERR_LIMIT)
			result->state = SAMPLE_SKIPPED;
		http_say_failure("write", &failure, e);
	} else if (http_status_is_one_of(status, params_find(params, "status"))) {
		result->state = SAMPLE_GOOD;
		result->write = WRITE_ACKNOWLEDGED;
	} else {
		result->write = is_refused(params, status) ? WRITE_FAILED : WRITE_INDETERMINATE;
		err_set(e, ERR_REMOTE, "write: status %ld was not expected", status);
	}
}

/* ---- before and after ---- */

static bool is_by_number(const struct probe_spec *spec)
{
	return strstr(params_text(&spec->params, "read"), "{seq}") != NULL;
}

/* Rows of an answer whose status is not known yet. */
struct holder {
	int64_t sequences[8];
	bool are_intact[8];
	size_t count;
};

static void hold_row(void *ctx, int64_t sequence, bool is_intact)
{
	struct holder *holder = ctx;

	if (holder->count == sizeof holder->sequences / sizeof holder->sequences[0])
		return; /* of one number: duplicated, whatever their count */
	holder->sequences[holder->count] = sequence;
	holder->are_intact[holder->count++] = is_intact;
}

/* One answer of the API, and the rows in it. Only by number a 404 is an answer: no such row. */
static bool read_one(const struct probe_spec *spec, const struct http_rows *rows,
		     struct http *http, uint64_t sequence, int64_t deadline_ns,
		     const struct row_sink *sink, struct err *e)
{
	struct holder holder = { .count = 0 };
	const struct row_sink held = { .row = hold_row, .ctx = &holder };
	struct http_scan scan = { .rows = rows, .sink = is_by_number(spec) ? &held : sink };
	const struct question question = { .method = "GET",
					   .url = params_text(&spec->params, "read"),
					   .sequence = sequence,
					   .deadline_ns = deadline_ns,
					   .take = http_scan_take,
					   .take_ctx = &scan };
	struct err failure = { 0 };
	long status = 0;
	const bool ok = ask(spec, rows, http, &question, &status, &failure);

	http_scan_end(&scan);
	if (!ok) {
		http_say_failure("get", &failure, e);
		return false;
	}
	for (size_t i = 0; i < holder.count && status == 200; i++)
		sink->row(sink->ctx, holder.sequences[i], holder.are_intact[i]);
	return status == 200 || (is_by_number(spec) && (status == 404 || status == 410)) ||
	       err_set(e, ERR_REMOTE, "get: status %ld, and only 200 gives rows", status);
}

static void no_row(void *ctx, int64_t sequence, bool is_intact)
{
	(void)ctx;
	(void)sequence;
	(void)is_intact;
}

/* Reads before anything is written: an API that does not give its rows back could never be judged. */
static bool http_write_prepare(const struct probe_spec *spec, const char *run_id,
			       const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	const struct http_rows rows = http_rows_of(spec, run_id);
	const struct row_sink nobody = { .row = no_row };
	struct http *http = NULL;
	const bool ok = http_open(clock, &http, e) &&
			read_one(spec, &rows, http, 0, deadline_ns, &nobody, e);

	http_close(http);
	return ok || err_wrap(e, "read from %s before writing to it", spec->service->name);
}

static bool http_write_read_back(const struct probe_spec *spec, const char *run_id,
				 const struct clock *clock, int64_t deadline_ns,
				 const struct row_sink *sink, struct err *e)
{
	const uint64_t count = is_by_number(spec) ? sink->row_count : 1;
	const struct http_rows rows = http_rows_of(spec, run_id);
	struct http *http = NULL;
	bool ok = http_open(clock, &http, e);

	for (uint64_t sequence = 0; sequence < count && ok; sequence++) {
		ok = read_one(spec, &rows, http, sequence, deadline_ns, sink, e);
		deadline_ns = row_sink_heard(sink, deadline_ns);
	}
	http_close(http);
	return ok || err_wrap(e, "read the ledger back from %s", spec->service->name);
}

static bool http_write_clean(const struct probe_spec *spec, const char *run_id,
			     const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	(void)spec; /* prepare has made nothing */
	(void)run_id;
	(void)clock;
	(void)deadline_ns;
	(void)e;
	return true;
}

const struct probe_ops probe_http_write = {
	.name = "http.write",
	.summary = "the ledger behind an API: numbered rows, and which of them were acknowledged",
	.on = PROBE_ON_SERVICE,
	.service_kinds = "http",
	.is_ledger = true,
	.params = http_write_params,
	.check = http_write_check,
	.open = http_write_open,
	.sample = http_write_sample,
	.close = http_write_close,
	.prepare = http_write_prepare,
	.read_back = http_write_read_back,
	.clean = http_write_clean,
};
