/*
 * http.c - see http.h; a door to libcurl, beside mail.c.
 *
 * What an answer means is the caller's business: a 500 is an answer. Redirects are not followed,
 * proxies of the environment are not used, and names are looked up for every new connection: a
 * probe has to see the service itself, where it is now. libcurl repeats a request by itself when a
 * kept connection turns out to be dead; for GET and HEAD that is what every client does, for the
 * others it could do things twice, so they always get a new connection.
 */
#include "remote/http.h"

#include "base/limits.h"
#include "remote/ways.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { HTTP_HEADER_BYTES = 256 << 10 };

struct http {
	const struct clock *clock;
	CURL *curl;
	struct text words; /* of the request that curl is set up for; empty: none */
	int64_t deadline_ns; /* of the request under way */
	struct curl_slist *owned_headers; /* curl borrows them */
	bool is_tls;
	char why[CURL_ERROR_SIZE];
	int socket_errno; /* of a socket that could not even be made: our shortage */
	bool was_sent;
};

/* One answer coming in. */
struct arrival {
	struct http_reply reply;
	const struct http_request *request;
	bool is_too_long;
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_outcome = CURLE_FAILED_INIT;

static void global_start(void)
{
	global_outcome = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http *http = ctx;
	const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)purpose;
	if (fd == -1)
		http->socket_errno = errno;
	return fd == -1 ? CURL_SOCKET_BAD : fd;
}

/* libcurl asks at least once a second. Its own deadline was reckoned when the request began; a clock that
   wants to be looked at may be past it sooner. */
static int is_too_late(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	const struct http *http = ctx;

	(void)down_all;
	(void)down;
	(void)up_all;
	(void)up;
	return clock_left_ns(http->clock, http->deadline_ns) == 0 ? 1 : 0;
}

static size_t take_header(char *bytes, size_t one, size_t length_bytes, void *ctx)
{
	struct arrival *arrival = ctx;
	struct text *headers = &arrival->reply.headers;
	size_t line_bytes = length_bytes;

	(void)one;
	while (line_bytes > 0 && strchr("\r\n", bytes[line_bytes - 1]) != NULL)
		line_bytes--;
	if (line_bytes >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
		text_clear(headers); /* what came before was "100 Continue" */
	if (headers->length_bytes + line_bytes > HTTP_HEADER_BYTES) {
		arrival->is_too_long = true;
		return 0;
	}
	if (line_bytes > 0) {
		text_add_bytes(headers, bytes, line_bytes);
		text_add(headers, "\n");
	}
	return length_bytes;
}

static size_t take_body(char *bytes, size_t one, size_t length_bytes, void *ctx)
{
	struct arrival *arrival = ctx;

	(void)one;
	if (arrival->request->take != NULL) {
		arrival->request->take(arrival->request->take_ctx, bytes, length_bytes);
		return length_bytes;
	}
	if (arrival->reply.body.length_bytes + length_bytes > LIMIT_HTTP_BODY_BYTES) {
		arrival->is_too_long = true;
		return 0;
	}
	text_add_bytes(&arrival->reply.body, bytes, length_bytes);
	return length_bytes;
}

bool libcurl_start(void)
{
	(void)pthread_once(&global_once, global_start); /* cannot fail */
	return global_outcome == CURLE_OK;
}

const char *tls_authorities(void)
{
	const char *path = getenv("SSL_CERT_FILE");

	return path == NULL || path[0] == '\0' ? NULL : path;
}

bool http_open(const struct clock *clock, struct http **ret_http, struct err *e)
{
	struct http *http;
	CURL *curl = libcurl_start() ? curl_easy_init() : NULL;

	if (curl == NULL)
		return err_set(e, ERR_LIMIT, "start libcurl: no memory");

	http = mem_alloc(sizeof *http);
	http->clock = clock;
	http->curl = curl;
	*ret_http = http;
	return true;
}

/* ---- the question ---- */

/* RFC 9110: what a method and the name of a header are made of. */
static bool is_token(const char *word)
{
	const char *const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "!#$%&'*+-.^_`|~";

	return word[0] != '\0' && word[strspn(word, allowed)] == '\0';
}

/* A line break in a value would become a header, or a request, of its own. */
static bool is_one_line(const char *value)
{
	return value[strcspn(value, "\r\n")] == '\0';
}

static bool check_url(const char *text, bool *ret_is_tls, struct err *e)
{
	CURLU *url = curl_url();
	char *scheme = NULL;
	bool is_ok;

	is_ok = url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		(strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
	*ret_is_tls = is_ok && strcmp(scheme, "https") == 0;
	curl_free(scheme);
	curl_url_cleanup(url);
	if (!is_ok)
		return err_set(e, ERR_INPUT,
			       "HTTP request: its URL is not one that begins with "
			       "http:// or https:// and names a host");
	return true;
}

static bool check_request(const struct http_request *request, const char *method,
			  bool *ret_is_tls, struct err *e)
{
	if (!check_url(request->url, ret_is_tls, e))
		return false;
	if (!is_token(method))
		return err_set(e, ERR_INPUT, "HTTP method `%s`: write a word like GET", method);
	for (size_t i = 0; i < request->header_count; i++) {
		const struct pair *header = &request->headers[i];

		if (!is_token(header->name))
			return err_set(e, ERR_INPUT, "HTTP header `%s`: not a header's name",
				       header->name);
		if (!is_one_line(header->value))
			return err_set(e, ERR_INPUT, "HTTP header %s: its value has a line break",
				       header->name);
	}
	return true;
}

static bool list_add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return false;
	*list = longer;
	return true;
}

/* libcurl's own ideas first (no Expect, no Content-Type), so that the caller's words win. */
static bool build_headers(const struct http_request *request, struct curl_slist **ret_list)
{
	struct text line = { 0 };
	bool has_type = false;
	bool is_ok;

	/* libcurl 7.88 signs a header that is taken away; a body as short as ours expects nothing. */
	is_ok = request->signed_for != NULL || list_add(ret_list, "Expect:");
	for (size_t i = 0; i < request->header_count && is_ok; i++) {
		const struct pair *header = &request->headers[i];
		const bool is_empty = header->value[0] == '\0';

		text_clear(&line);
		/* libcurl writes "Name;" for a header without a value; "Name:" takes one away. */
		text_addf(&line, is_empty ? "%s;%s" : "%s: %s", header->name, header->value);
		is_ok = list_add(ret_list, text_str(&line));
		has_type = has_type || strcasecmp(header->name, "Content-Type") == 0;
	}
	if (is_ok && !has_type)
		is_ok = list_add(ret_list, "Content-Type:");
	text_release(&line);
	return is_ok;
}

/* A macro, because libcurl's own is one that checks the type of the value. */
#define SET(option, value)                                                                         \
	outcome = outcome == CURLE_OK ? curl_easy_setopt(curl, option, value) : outcome

/* The options that hold for every request. */
static CURLcode set_house_rules(struct http *http)
{
	const char *authorities = tls_authorities();
	CURL *curl = http->curl;
	CURLcode outcome = CURLE_OK;

	curl_easy_reset(curl); /* keeps the connections */
	SET(CURLOPT_ERRORBUFFER, http->why);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_USERAGENT, "firedrill/" FIREDRILL_VERSION);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (authorities != NULL)
		SET(CURLOPT_CAINFO, authorities);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, http);
	SET(CURLOPT_XFERINFOFUNCTION, is_too_late);
	SET(CURLOPT_XFERINFODATA, http);
	SET(CURLOPT_NOPROGRESS, http->clock->look_every_ns > 0 ? 0L : 1L);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	return outcome;
}

static CURLcode set_request(struct http *http, const struct http_request *request,
			    const char *method)
{
	const bool is_harmless = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
	CURL *curl = http->curl;
	CURLcode outcome = CURLE_OK;

	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_HTTPHEADER, http->owned_headers);
	SET(CURLOPT_FRESH_CONNECT, request->is_fresh || !is_harmless ? 1L : 0L);
	SET(CURLOPT_FORBID_REUSE, request->is_fresh ? 1L : 0L);
	if (request->body != NULL) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(request->body));
		SET(CURLOPT_POSTFIELDS, request->body);
	}
	if (strcmp(method, "HEAD") == 0)
		SET(CURLOPT_NOBODY, 1L);
	SET(CURLOPT_CUSTOMREQUEST, method);
	if (request->signed_for != NULL) {
		SET(CURLOPT_AWS_SIGV4, request->signed_for);
		SET(CURLOPT_USERPWD, request->signed_by);
	}
	return outcome;
}

/* What is different each time, even for the same request. */
static CURLcode set_attempt(struct http *http, long timeout_ms, struct arrival *arrival)
{
	CURL *curl = http->curl;
	CURLcode outcome = CURLE_OK;

	http->why[0] = '\0';
	http->socket_errno = 0;
	SET(CURLOPT_TIMEOUT_MS, timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	SET(CURLOPT_HEADERDATA, arrival);
	SET(CURLOPT_WRITEDATA, arrival);
	return outcome;
}

#undef SET

static void forget_request(struct http *http)
{
	text_clear(&http->words);
	curl_easy_reset(http->curl); /* keeps the connections */
	curl_slist_free_all(http->owned_headers);
	http->owned_headers = NULL;
}

/* All that makes one request differ from another. A body is borrowed by curl, so it always does. */
static void tell_words(const struct http_request *request, const char *method, struct text *words)
{
	text_addf(words, "%s %d\n%s", method, request->is_fresh, request->url);
	for (size_t i = 0; i < request->header_count; i++)
		text_addf(words, "\n%s: %s", request->headers[i].name, request->headers[i].value);
}

/*
 * Sets curl up for this request, unless the last one was the same: a probe asks the same a thousand
 * times a second, and checking and setting it up takes longer than asking.
 */
static bool set_up(struct http *http, const struct http_request *request, const char *method,
		   struct err *e)
{
	struct text words = { 0 };
	CURLcode outcome;

	tell_words(request, method, &words);
	if (request->body == NULL && request->signed_for == NULL && http->words.length_bytes > 0 &&
	    strcmp(text_str(&words), text_str(&http->words)) == 0) {
		text_release(&words);
		return true;
	}
	forget_request(http);
	if (!check_request(request, method, &http->is_tls, e)) {
		text_release(&words);
		return false;
	}
	outcome = build_headers(request, &http->owned_headers) ? set_house_rules(http)
							       : CURLE_OUT_OF_MEMORY;
	if (outcome == CURLE_OK)
		outcome = set_request(http, request, method);
	if (outcome == CURLE_OK && request->body == NULL && request->signed_for == NULL)
		text_add(&http->words, text_str(&words));
	text_release(&words);
	if (outcome != CURLE_OK)
		return err_set(e, ERR_LIMIT, "%s: set libcurl up: %s", method,
			       curl_easy_strerror(outcome));
	return true;
}

/* ---- the answer ---- */

/* "GET http://db1:8008/health": without user, password and query, which may be secret, and without the
   path where that is. */
static void describe(const struct http_request *request, const char *method, struct text *text)
{
	static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT,
					   CURLUPART_PATH };
	static const char *const before[] = { "", "://", ":", "" };
	const size_t part_count = sizeof parts / sizeof parts[0] - (request->is_path_secret ? 1 : 0);
	CURLU *url = curl_url();

	text_addf(text, "%s ", method);
	if (url == NULL || curl_url_set(url, CURLUPART_URL, request->url, 0) != CURLUE_OK) {
		text_add(text, "(a URL that cannot be read)");
		curl_url_cleanup(url);
		return;
	}
	for (size_t i = 0; i < part_count; i++) {
		char *part = NULL;

		if (curl_url_get(url, parts[i], &part, 0) == CURLUE_OK)
			text_addf(text, "%s%s", before[i], part);
		curl_free(part);
	}
	curl_url_cleanup(url);
}

static bool is_shortage(const struct http *http)
{
	long failure = http->socket_errno;

	if (failure == 0)
		(void)curl_easy_getinfo(http->curl, CURLINFO_OS_ERRNO, &failure);
	return failure == EMFILE || failure == ENFILE || failure == ENOMEM || failure == ENOBUFS ||
	       failure == EADDRNOTAVAIL;
}

static enum err_kind kind_of(const struct http *http, CURLcode outcome)
{
	if (outcome == CURLE_OPERATION_TIMEDOUT || outcome == CURLE_ABORTED_BY_CALLBACK)
		return ERR_DEADLINE;
	if (outcome == CURLE_PEER_FAILED_VERIFICATION || outcome == CURLE_SSL_CACERT_BADFILE ||
	    outcome == CURLE_SSL_ISSUER_ERROR)
		return ERR_REFUSED;
	if (outcome == CURLE_OUT_OF_MEMORY ||
	    (outcome == CURLE_COULDNT_CONNECT && is_shortage(http)))
		return ERR_LIMIT;
	return ERR_REMOTE;
}

/* What to do about a certificate that does not verify, by what libcurl says of it. */
static const char *advice_for(CURLcode outcome, const char *why)
{
	if (outcome == CURLE_SSL_CACERT_BADFILE)
		return "; SSL_CERT_FILE must name a file of certificates in PEM";
	if (outcome != CURLE_PEER_FAILED_VERIFICATION)
		return "";
	if (strstr(why, "expired") != NULL)
		return "; renew it on the server, or look at this machine's clock";
	if (strstr(why, "not yet valid") != NULL)
		return "; look at the clocks of both machines";
	if (strstr(why, "name") != NULL)
		return "; ask by a name that is in it";
	return "; is it the right server? If so let SSL_CERT_FILE name its authority's certificate";
}

static bool fail(const struct http *http, CURLcode outcome, const struct arrival *arrival,
		 const struct http_request *request, const char *method, struct err *e)
{
	const char *why = outcome == CURLE_ABORTED_BY_CALLBACK ? "given up before an answer came" :
			  http->why[0] == '\0'			? curl_easy_strerror(outcome) :
								  http->why;
	struct text what = { 0 };

	describe(request, method, &what);
	if (arrival->is_too_long)
		err_set(e, ERR_LIMIT, "%s: the answer is longer than %d bytes (headers: %d)",
			text_str(&what), LIMIT_HTTP_BODY_BYTES, HTTP_HEADER_BYTES);
	else
		err_set(e, kind_of(http, outcome), "%s: %s%s", text_str(&what), why,
			advice_for(outcome, why));
	text_release(&what);
	return false;
}

/* Rounded up, so that libcurl never gives up before the deadline. */
static long left_ms(const struct http *http, int64_t deadline_ns)
{
	const int64_t left_ns = deadline_ns - clock_now_ns(http->clock);

	if (left_ns <= 0)
		return 0;
	return left_ns > LIMIT_DRILL_NS ? (long)(LIMIT_DRILL_NS / NS_PER_MS)
					: (long)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
}

/* libcurl itself never raises SIGPIPE; OpenSSL, which writes for it, does. */
static CURLcode perform(struct http *http)
{
	struct pipe_guard guard;
	CURLcode outcome;

	if (!http->is_tls)
		return curl_easy_perform(http->curl);
	pipe_guard_init(&guard);
	outcome = curl_easy_perform(http->curl);
	pipe_guard_release(&guard);
	return outcome;
}

/* Seconds, or a date, which libcurl has turned into seconds from now. */
static int64_t retry_after_ns(const struct http *http)
{
	curl_off_t wait_s = 0;

	if (curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &wait_s) != CURLE_OK || wait_s < 0)
		return 0;
	return wait_s > LIMIT_DRILL_NS / NS_PER_S ? LIMIT_DRILL_NS : wait_s * NS_PER_S;
}

bool http_send(struct http *http, const struct http_request *request, struct http_reply *ret_reply,
	       struct err *e)
{
	const char *method = request->method == NULL ? "GET" : request->method;
	struct arrival arrival = { .request = request };
	CURLcode outcome;
	long timeout_ms;
	long sent_bytes = 0;
	bool is_ok = false;

	assert(request->url != NULL);

	http->was_sent = false;
	if (!set_up(http, request, method, e))
		return false;
	http->deadline_ns = request->deadline_ns;
	timeout_ms = left_ms(http, request->deadline_ns);
	if (timeout_ms == 0)
		return err_set(e, ERR_DEADLINE, "%s: no time was left to ask", method);

	outcome = set_attempt(http, timeout_ms, &arrival);
	if (outcome == CURLE_OK)
		outcome = perform(http);
	(void)curl_easy_getinfo(http->curl, CURLINFO_REQUEST_SIZE, &sent_bytes);
	http->was_sent = sent_bytes > 0;
	if (outcome == CURLE_OK)
		outcome = curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE,
					    &arrival.reply.status);
	if (outcome != CURLE_OK) {
		(void)fail(http, outcome, &arrival, request, method, e);
	} else {
		arrival.reply.retry_after_ns = retry_after_ns(http);
		*ret_reply = arrival.reply;
		arrival.reply = (struct http_reply){ 0 };
		is_ok = true;
	}
	http_reply_release(&arrival.reply);
	return is_ok;
}

bool http_was_sent(const struct http *http)
{
	return http->was_sent;
}

void http_reply_release(struct http_reply *reply)
{
	text_release(&reply->headers);
	text_release(&reply->body);
	*reply = (struct http_reply){ 0 };
}

void http_close(struct http *http)
{
	if (http == NULL)
		return;
	curl_easy_cleanup(http->curl);
	curl_slist_free_all(http->owned_headers);
	text_release(&http->words);
	free(http);
}
