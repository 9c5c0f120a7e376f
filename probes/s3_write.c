/*
 * s3_write.c - probe "s3.write": the ledger in an object store. One object for each slot, put with a
 * request signed by AWS Signature Version 4, and later a listing of what is still there.
 *
 * An object's name has run, probe and number, and its ETag is the MD5 of its body, so a listing tells
 * which objects are there and whole without reading each. A store whose ETags are something else
 * (encryption with keys of its own) is refused before anything is harmed. An object is there once or
 * not at all: a copy cannot be seen.
 */
#include "base/hash.h"
#include "probes/http_status.h"
#include "probes/http_url.h"
#include "probes/ledger_row.h"
#include "probes/probe.h"
#include "remote/http.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SEQUENCE_DIGITS_MAX = 18 };

struct s3_write {
	struct http *owned_http;
	const struct probe_spec *spec;
	struct text prefix; /* "firedrill-ledger/RUN/PROBE/" */
	size_t payload_bytes;
	uint64_t seed;
};

static const struct param s3_write_params[] = {
	{ "payload", PARAM_BYTES, .min = 1, .max = LEDGER_PAYLOAD_BYTES_MAX, .fallback = "32B",
	  .help = "size of the payload of each object" },
	{ "keep", PARAM_BOOL, .fallback = "false",
	  .help = "leave the objects in place after the run, for counts of your own" },
	{ 0 },
};

static bool s3_write_check(const struct probe_spec *spec, struct err *e)
{
	const struct params *service = &spec->service->params;
	const char *bucket = params_text(service, "bucket");
	const char *const letters = "abcdefghijklmnopqrstuvwxyz0123456789.-";

	if (!http_url_is_valid(params_text(service, "endpoint")))
		return err_set(e, ERR_INPUT,
			       "service %s: `endpoint` must begin with http:// or https:// and a "
			       "host",
			       spec->service->name);
	if (bucket[0] == '\0' || bucket[strspn(bucket, letters)] != '\0')
		return err_set(e, ERR_INPUT, "service %s: `%s` cannot name a bucket",
			       spec->service->name, bucket);
	return true;
}

static void init_probe(const struct probe_spec *spec, const char *run_id, struct s3_write *probe)
{
	*probe = (struct s3_write){
		.spec = spec,
		.payload_bytes = (size_t)params_number(&spec->params, "payload"),
		.seed = ledger_seed(run_id, spec->name),
	};
	text_addf(&probe->prefix, "firedrill-ledger/%s/%s/", run_id, spec->name);
}

static void release_probe(struct s3_write *probe)
{
	http_close(probe->owned_http);
	text_release(&probe->prefix);
}

static bool s3_write_open(const struct probe_spec *spec, const char *run_id, void **ret_state,
			  struct err *e)
{
	struct s3_write *probe = mem_alloc(sizeof *probe);

	(void)e;
	init_probe(spec, run_id, probe);
	*ret_state = probe;
	return true;
}

static void s3_write_close(void *state)
{
	struct s3_write *probe = state;

	if (probe == NULL)
		return;
	release_probe(probe);
	free(probe);
}

/* path: after the bucket, with its "?..."; encoded as a signature wants it. body: NULL for none. */
static bool ask(struct s3_write *probe, const char *method, const char *path, const char *body,
		int64_t deadline_ns, struct http_reply *ret_reply, struct err *e)
{
	const struct params *service = &probe->spec->service->params;
	const char *endpoint = params_text(service, "endpoint");
	struct text own = { 0 };
	struct text url = { 0 };
	struct text host = { 0 };
	struct text signed_for = { 0 };
	struct text signed_by = { 0 };
	char hash[HASH_TEXT_BYTES];
	struct pair headers[3] = { { "x-amz-content-sha256", hash },
				   { "Content-Type", "application/octet-stream" } };
	struct http_request request = { .method = method,
					.body = body,
					.headers = headers,
					.header_count = 2,
					.deadline_ns = deadline_ns };
	size_t endpoint_bytes = strlen(endpoint);
	bool ok;

	while (endpoint_bytes > 0 && endpoint[endpoint_bytes - 1] == '/')
		endpoint_bytes--;
	text_add_bytes(&own, endpoint, endpoint_bytes);
	text_addf(&own, "/%s%s", params_text(service, "bucket"), path);
	http_url_resolve(probe->spec->inventory, text_str(&own), &url, &host);
	if (host.length_bytes > 0)
		headers[request.header_count++] = (struct pair){ "Host", text_str(&host) };
	hash_chain("", body == NULL ? "" : body, body == NULL ? 0 : strlen(body), hash);
	text_addf(&signed_for, "aws:amz:%s:s3", params_text(service, "region"));
	text_addf(&signed_by, "%s:%s", params_text(service, "access_key"),
		  params_text(service, "secret_key"));
	request.url = text_str(&url);
	request.signed_for = text_str(&signed_for);
	request.signed_by = text_str(&signed_by);
	ok = http_send(probe->owned_http, &request, ret_reply, e);
	text_release(&own);
	text_release(&url);
	text_release(&host);
	text_release(&signed_for);
	text_release(&signed_by);
	return ok;
}

/* S3 says what is wrong in <Code>. */
static void say_status(const char *verb, const struct http_reply *reply, struct err *e)
{
	const char *code = strstr(text_str(&reply->body), "<Code>");
	const size_t code_bytes = code == NULL ? 0 : strcspn(code + 6, "<");

	if (code_bytes > 0 && code_bytes < 64)
		err_set(e, ERR_REMOTE, "%s: status %ld, %.*s", verb, reply->status, (int)code_bytes,
			code + 6);
	else
		err_set(e, ERR_REMOTE, "%s: status %ld was not expected", verb, reply->status);
}

static void s3_write_sample(void *state, const struct attempt *attempt,
			    struct attempt_result *result, struct err *e)
{
	struct s3_write *probe = state;
	struct http_reply reply = { 0 };
	struct err failure = { 0 };
	struct text path = { 0 };
	struct text body = { 0 };

	result->state = SAMPLE_BAD;
	if (probe->owned_http == NULL && !http_open(attempt->clock, &probe->owned_http, e)) {
		result->state = SAMPLE_SKIPPED;
		return;
	}
	text_addf(&path, "/%s%" PRIu64, text_str(&probe->prefix), attempt->slot);
	ledger_line(probe->seed, attempt->slot, probe->payload_bytes, &body);
	if (!ask(probe, "PUT", text_str(&path), text_str(&body), attempt->deadline_ns, &reply,
		 &failure)) {
		if (http_was_sent(probe->owned_http))
			result->write = WRITE_INDETERMINATE;
		else if (failure.kind == ERR_LIMIT)
			result->state = SAMPLE_SKIPPED;
		http_say_failure("put", &failure, e);
	} else if (reply.status == 200) {
		result->state = SAMPLE_GOOD;
		result->write = WRITE_ACKNOWLEDGED;
	} else {
		/* S3 refuses with 4xx; 408 and 5xx (SlowDown too) leave it open. */
		result->write = reply.status >= 400 && reply.status <= 499 && reply.status != 408
					? WRITE_FAILED
					: WRITE_INDETERMINATE;
		say_status("put", &reply, e);
	}
	http_reply_release(&reply);
	text_release(&path);
	text_release(&body);
}

/* ---- the listing ---- */

struct listing {
	struct s3_write *probe;
	int64_t deadline_ns;
	/* Receives one object: the number in its name, -1 for none, and its ETag without quotes. */
	bool (*object)(struct listing *listing, const char *name, int64_t sequence,
		       const char *etag, struct err *e);
	const struct row_sink *sink;
};

/* The text of an element between `at` and `end`; false: there is none. */
static bool element(const char *at, const char *end, const char *name, struct text *ret_value)
{
	struct text open = { 0 };
	const char *value;

	text_addf(&open, "<%s>", name);
	value = memmem(at, (size_t)(end - at), text_str(&open), open.length_bytes);
	text_clear(ret_value);
	if (value != NULL) {
		value += open.length_bytes;
		text_add_bytes(ret_value, value, strcspn(value, "<"));
	}
	text_release(&open);
	return value != NULL;
}

static int64_t sequence_of(const struct s3_write *probe, const char *name)
{
	const size_t prefix_bytes = probe->prefix.length_bytes;
	const char *digits = name + prefix_bytes;
	const size_t count = strlen(name) < prefix_bytes ? 0 : strspn(digits, "0123456789");

	return count == 0 || count > SEQUENCE_DIGITS_MAX || digits[count] != '\0'
		       ? -1
		       : strtoll(digits, NULL, 10);
}

/* ETags stand in quotes, which XML may write as &quot; or &#34;. */
static void strip_quotes(struct text *etag)
{
	const char *at = text_str(etag);
	const char *hex = "0123456789abcdef";
	struct text plain = { 0 };

	at += strncmp(at, "&quot;", 6) == 0 ? 6 : strncmp(at, "&#34;", 5) == 0 ? 5 : *at == '"';
	text_add_bytes(&plain, at, strspn(at, hex));
	text_release(etag);
	*etag = plain;
}

static bool take_page(struct listing *listing, const char *page, struct err *e)
{
	static const char begin[] = "<Contents>";
	struct text name = { 0 };
	struct text etag = { 0 };
	bool ok = true;

	for (const char *at = strstr(page, begin); at != NULL && ok; at = strstr(at + 1, begin)) {
		const char *end = strstr(at, "</Contents>");

		if (end == NULL || !element(at, end, "Key", &name) ||
		    !element(at, end, "ETag", &etag)) {
			ok = err_set(e, ERR_REMOTE, "list: an object without a name or an ETag");
			break;
		}
		strip_quotes(&etag);
		ok = listing->object(listing, text_str(&name),
				     sequence_of(listing->probe, text_str(&name)), text_str(&etag),
				     e);
	}
	text_release(&name);
	text_release(&etag);
	return ok;
}

/* One page; ret_token gets where to go on, "" at the end. Query keys stand in their order. */
static bool list_page(struct listing *listing, struct text *token, struct err *e)
{
	struct http_reply reply = { 0 };
	struct err failure = { 0 };
	struct text more = { 0 };
	struct text path = { 0 };
	bool ok;

	text_add(&path, "?");
	if (token->length_bytes > 0) {
		text_add(&path, "continuation-token=");
		http_url_encode(text_str(token), &path);
		text_add(&path, "&");
	}
	text_add(&path, "list-type=2&prefix=");
	http_url_encode(text_str(&listing->probe->prefix), &path);
	ok = ask(listing->probe, "GET", text_str(&path), NULL, listing->deadline_ns, &reply,
		 &failure);
	text_clear(token);
	if (!ok) {
		http_say_failure("list", &failure, e);
	} else if (reply.status != 200 ||
		   strstr(text_str(&reply.body), "<ListBucketResult") == NULL) {
		say_status("list", &reply, e);
		ok = false;
	} else {
		const char *page = text_str(&reply.body);
		const char *end = page + reply.body.length_bytes;

		ok = take_page(listing, page, e);
		if (element(page, end, "IsTruncated", &more) && strcmp(text_str(&more), "true") == 0 &&
		    !element(page, end, "NextContinuationToken", token) && ok)
			ok = err_set(e, ERR_REMOTE, "list: it is cut, and does not say how to go on");
	}
	http_reply_release(&reply);
	text_release(&more);
	text_release(&path);
	return ok;
}

static bool list_all(struct listing *listing, struct err *e)
{
	struct text token = { 0 };
	struct text former = { 0 };
	bool ok;

	do {
		text_clear(&former);
		text_add(&former, text_str(&token));
		ok = list_page(listing, &token, e);
		if (listing->sink != NULL)
			listing->deadline_ns = row_sink_heard(listing->sink, listing->deadline_ns);
		if (ok && token.length_bytes > 0 && strcmp(text_str(&token), text_str(&former)) == 0)
			ok = err_set(e, ERR_REMOTE, "list: it goes on where it was already");
	} while (ok && token.length_bytes > 0);
	text_release(&token);
	text_release(&former);
	return ok;
}

static bool give_row(struct listing *listing, const char *name, int64_t sequence, const char *etag,
		     struct err *e)
{
	const struct s3_write *probe = listing->probe;
	char expected[HASH_MD5_TEXT_BYTES];
	struct text body = { 0 };

	(void)name;
	(void)e;
	ledger_line(probe->seed, (uint64_t)sequence, probe->payload_bytes, &body);
	hash_md5(text_str(&body), body.length_bytes, expected);
	text_release(&body);
	listing->sink->row(listing->sink->ctx, sequence,
			   sequence >= 0 && strcmp(expected, etag) == 0);
	return true;
}

static bool remove_object(struct listing *listing, const char *name, int64_t sequence,
			  const char *etag, struct err *e)
{
	struct http_reply reply = { 0 };
	struct err failure = { 0 };
	struct text path = { 0 };
	bool ok;

	(void)etag;
	if (sequence < 0)
		return true; /* not ours */
	text_addf(&path, "/%s", name);
	ok = ask(listing->probe, "DELETE", text_str(&path), NULL, listing->deadline_ns, &reply,
		 &failure);
	if (!ok) {
		http_say_failure("delete", &failure, e);
	} else if (reply.status != 204 && reply.status != 200 && reply.status != 404) {
		say_status("delete", &reply, e);
		ok = false;
	}
	http_reply_release(&reply);
	text_release(&path);
	return ok;
}

/* ---- before and after ---- */

static bool check_etag(struct listing *listing, const char *name, int64_t sequence,
		       const char *etag, struct err *e)
{
	char expected[HASH_MD5_TEXT_BYTES];

	(void)listing;
	(void)name;
	(void)sequence;
	hash_md5("-", 1, expected);
	return strcmp(etag, expected) == 0 ||
	       err_set(e, ERR_REMOTE, "its ETags are no MD5 of the object (encryption with keys of "
				      "the store's own?), so damage could not be seen");
}

/* Puts an object beside the ledger, lists it and removes it: whatever this key may not do shows. */
static bool s3_write_prepare(const struct probe_spec *spec, const char *run_id,
			     const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	struct s3_write probe;
	struct listing listing = { .probe = &probe, .deadline_ns = deadline_ns,
				   .object = check_etag };
	struct http_reply reply = { 0 };
	struct text path = { 0 };
	bool ok;

	init_probe(spec, run_id, &probe);
	text_addf(&path, "/%sprepare", text_str(&probe.prefix));
	ok = http_open(clock, &probe.owned_http, e) &&
	     ask(&probe, "PUT", text_str(&path), "-", deadline_ns, &reply, e);
	if (ok && reply.status != 200) {
		say_status("put", &reply, e);
		ok = false;
	}
	http_reply_release(&reply);
	ok = ok && list_all(&listing, e) &&
	     ask(&probe, "DELETE", text_str(&path), NULL, deadline_ns, &reply, e);
	http_reply_release(&reply);
	text_release(&path);
	release_probe(&probe);
	return ok || err_wrap(e, "prepare the ledger on %s", spec->service->name);
}

static bool walk(const struct probe_spec *spec, const char *run_id, const struct clock *clock,
		 struct listing *listing, struct err *e)
{
	struct s3_write probe;
	bool ok;

	init_probe(spec, run_id, &probe);
	listing->probe = &probe;
	ok = http_open(clock, &probe.owned_http, e) && list_all(listing, e);
	listing->probe = NULL;
	release_probe(&probe);
	return ok;
}

static bool s3_write_read_back(const struct probe_spec *spec, const char *run_id,
			       const struct clock *clock, int64_t deadline_ns,
			       const struct row_sink *sink, struct err *e)
{
	struct listing listing = { .deadline_ns = deadline_ns, .object = give_row, .sink = sink };

	return walk(spec, run_id, clock, &listing, e) ||
	       err_wrap(e, "read the ledger back from %s", spec->service->name);
}

static bool s3_write_clean(const struct probe_spec *spec, const char *run_id,
			   const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	struct listing listing = { .deadline_ns = deadline_ns, .object = remove_object };

	if (params_bool(&spec->params, "keep"))
		return true;
	return walk(spec, run_id, clock, &listing, e) ||
	       err_wrap(e, "remove the ledger's objects from %s", spec->service->name);
}

const struct probe_ops probe_s3_write = {
	.name = "s3.write",
	.summary = "the ledger in an object store: numbered objects, and which were acknowledged",
	.on = PROBE_ON_SERVICE,
	.service_kinds = "s3",
	.is_ledger = true,
	.params = s3_write_params,
	.check = s3_write_check,
	.open = s3_write_open,
	.sample = s3_write_sample,
	.close = s3_write_close,
	.prepare = s3_write_prepare,
	.read_back = s3_write_read_back,
	.clean = s3_write_clean,
};
