/*
 * web.c - see web.h.
 *
 * A visitor is a connection. The library closes one that is silent; one that sends a byte now and then
 * would stay for ever, so each visitor also has a moment until which it must have asked or taken its
 * answer, and its socket is shut down then. Bodies are
 * read where forms are taken, and only theirs: short ones that say how long they are.
 */
#include "serve/web.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/listen.h"

const struct web_limits web_limits_default = {
	.connections = 128,
	.streams = 32,
	.head_bytes = 16 << 10,
	.form_bytes = 4 << 10,
	.request_ns = 10 * NS_PER_S,
	.answer_ns = 60 * NS_PER_S,
	.stream_ns = 3600 * NS_PER_S,
	.stream_every_ns = NS_PER_S / 2,
};

struct visitor {
	int fd;
	int64_t until_ns;
	LIST_ENTRY(visitor) link;
};

struct stream {
	struct web *web;
	struct MHD_Connection *connection;
	struct web_stream source;
	struct text bytes; /* not sent yet: from sent_bytes on */
	size_t sent_bytes;
	int64_t until_ns;
	bool is_waiting; /* the connection is suspended */
	bool is_over;
	LIST_ENTRY(stream) link;
};

/* From the first byte of a request until its answer is sent. */
struct exchange {
	struct arena arena;
	struct request request;
	struct err error;  /* of its target */
	bool is_understood;
	bool is_begun;     /* the library called once before: what follows is the body, or its end */
	struct text body;  /* of a form */
	char peer[LISTEN_ADDRESS_BYTES];
};

struct web {
	struct MHD_Daemon *owned_daemon;
	int epoll_fd;
	const struct host_names *names;
	struct web_limits limits;
	bool takes_forms;
	web_answer_fn *answer;
	void *ctx;
	int64_t now_ns;
	int64_t streams_due_ns;
	unsigned stream_count;
	LIST_HEAD(, visitor) visitors;
	LIST_HEAD(, stream) streams;
};

/* ---- visitors ---- */

static void greet(void *ctx, struct MHD_Connection *connection, void **visit,
		  enum MHD_ConnectionNotificationCode code)
{
	struct web *web = ctx;
	struct visitor *visitor = *visit;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

		visitor = mem_alloc(sizeof *visitor);
		visitor->fd = info->connect_fd;
		visitor->until_ns = web->now_ns + web->limits.request_ns;
		LIST_INSERT_HEAD(&web->visitors, visitor, link);
		*visit = visitor;
	} else if (visitor != NULL) {
		LIST_REMOVE(visitor, link);
		free(visitor);
		*visit = NULL;
	}
}

static struct visitor *visitor_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

/* The earliest moment at which somebody's time is over. */
static int64_t show_out(struct web *web)
{
	int64_t next_ns = INT64_MAX;
	struct visitor *visitor;

	LIST_FOREACH(visitor, &web->visitors, link) {
		if (visitor->until_ns <= web->now_ns) {
			(void)shutdown(visitor->fd, SHUT_RDWR); /* the library sees it and closes */
			visitor->until_ns = INT64_MAX;
		}
		if (visitor->until_ns < next_ns)
			next_ns = visitor->until_ns;
	}
	return next_ns;
}

/* ---- streams ---- */

static void stream_release(void *ctx)
{
	struct stream *stream = ctx;

	LIST_REMOVE(stream, link);
	stream->web->stream_count--;
	stream->source.close(stream->source.ctx);
	text_release(&stream->bytes);
	free(stream);
}

static ssize_t stream_read(void *ctx, uint64_t position, char *bytes, size_t room_bytes)
{
	struct stream *stream = ctx;
	const size_t left_bytes = stream->bytes.length_bytes - stream->sent_bytes;
	const size_t taken_bytes = left_bytes < room_bytes ? left_bytes : room_bytes;

	(void)position;
	if (left_bytes == 0 && stream->is_over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (left_bytes == 0) {
		MHD_suspend_connection(stream->connection);
		stream->is_waiting = true;
		return 0;
	}
	memcpy(bytes, stream->bytes.owned_bytes + stream->sent_bytes, taken_bytes);
	stream->sent_bytes += taken_bytes;
	return (ssize_t)taken_bytes;
}

/* One that has not taken what it was given gets nothing new: its reader is slow, and memory is ours. */
static void look_for_news(struct web *web)
{
	struct stream *stream;

	LIST_FOREACH(stream, &web->streams, link) {
		if (stream->sent_bytes < stream->bytes.length_bytes || stream->is_over)
			continue;
		text_clear(&stream->bytes);
		stream->sent_bytes = 0;
		stream->is_over = !stream->source.more(stream->source.ctx, &stream->bytes) ||
				  web->now_ns >= stream->until_ns;
		if (stream->is_waiting && (stream->is_over || stream->bytes.length_bytes > 0)) {
			stream->is_waiting = false;
			MHD_resume_connection(stream->connection);
		}
	}
}

static struct MHD_Response *open_stream(struct web *web, struct MHD_Connection *connection,
					const struct web_stream *source)
{
	enum { BLOCK_BYTES = 4096 };
	struct stream *stream = mem_alloc(sizeof *stream);
	struct MHD_Response *response;

	stream->web = web;
	stream->connection = connection;
	stream->source = *source;
	stream->until_ns = web->now_ns + web->limits.stream_ns;
	LIST_INSERT_HEAD(&web->streams, stream, link);
	web->stream_count++;
	web->streams_due_ns = web->now_ns;
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, stream_read,
						     stream, stream_release);
	if (response == NULL)
		stream_release(stream);
	return response;
}

/* ---- answers ---- */

/* What a browser may do with any answer of ours: show it, and nothing from elsewhere. */
static const char *const headers[][2] = {
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "same-origin" }, /* without any, a form of ours would come from nowhere */
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "X-Accel-Buffering", "no" }, /* a proxy must not hold back a stream */
};

static void add_headers(struct MHD_Response *response, const struct answer *answer)
{
	struct text policy = { 0 };

	/* None of these can fail but for want of memory; then the answer goes without. */
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		(void)MHD_add_response_header(response, headers[i][0], headers[i][1]);
	text_add(&policy, "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'; "
			  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; style-src ");
	if (answer->style_hash == NULL)
		text_add(&policy, "'self'");
	else
		text_addf(&policy, "'%s'", answer->style_hash);
	(void)MHD_add_response_header(response, "Content-Security-Policy", text_str(&policy));
	text_release(&policy);
	(void)MHD_add_response_header(response, "Content-Type", answer->content_type);
	(void)MHD_add_response_header(response, "Cache-Control",
				      answer->etag == NULL ? "no-store" : "no-cache");
	if (answer->etag != NULL)
		(void)MHD_add_response_header(response, "ETag", answer->etag);
	if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(response, "Allow",
					      answer->allow == NULL ? "GET, HEAD" : answer->allow);
	if (answer->location != NULL)
		(void)MHD_add_response_header(response, "Location", answer->location);
	if (answer->cookie != NULL)
		(void)MHD_add_response_header(response, "Set-Cookie", answer->cookie);
	if (answer->status == MHD_HTTP_UNAUTHORIZED)
		(void)MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	if (answer->status == MHD_HTTP_SERVICE_UNAVAILABLE ||
	    answer->status == MHD_HTTP_TOO_MANY_REQUESTS)
		(void)MHD_add_response_header(response, "Retry-After",
					      answer->status == MHD_HTTP_SERVICE_UNAVAILABLE ? "5" : "60");
}

/* Hands the body over to the library. */
static enum MHD_Result send_answer(struct web *web, struct MHD_Connection *connection,
				   struct answer *answer)
{
	struct visitor *visitor = visitor_of(connection);
	struct MHD_Response *response;
	enum MHD_Result result;

	if (answer->stream.more != NULL) {
		response = open_stream(web, connection, &answer->stream);
		visitor->until_ns = INT64_MAX; /* it has its own, and a silent reader is closed */
	} else {
		response = MHD_create_response_from_buffer(answer->body.length_bytes,
							   answer->body.owned_bytes,
							   MHD_RESPMEM_MUST_FREE);
		if (response != NULL)
			answer->body = (struct text){ 0 };
		visitor->until_ns = web->now_ns + web->limits.answer_ns;
	}
	if (response == NULL)
		return MHD_NO;
	add_headers(response, answer);
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct web *web, struct MHD_Connection *connection, unsigned status,
			      const char *sentence)
{
	struct answer answer = { .status = status, .content_type = "text/plain; charset=utf-8" };

	text_addf(&answer.body, "%s\n", sentence);
	const enum MHD_Result result = send_answer(web, connection, &answer);

	text_release(&answer.body);
	return result;
}

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool has_body(struct MHD_Connection *connection)
{
	const char *length = header_of(connection, "Content-Length");

	return (length != NULL && strcmp(length, "0") != 0) ||
	       header_of(connection, "Transfer-Encoding") != NULL;
}

static enum MHD_Result count_length(void *ctx, enum MHD_ValueKind kind, const char *name,
				    const char *value)
{
	size_t *count = ctx;

	(void)kind;
	(void)value;
	*count += strcasecmp(name, "Content-Length") == 0;
	return MHD_YES;
}

/* What is said of the body of a form, before any of it is read. NULL: nothing is against it. */
static const char *look_at_form(const struct web *web, struct MHD_Connection *connection,
				unsigned *ret_status)
{
	static const char wanted[] = "application/x-www-form-urlencoded";
	const char *type = header_of(connection, "Content-Type");
	const char *length = header_of(connection, "Content-Length");
	size_t length_count = 0;

	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, count_length, &length_count);
	*ret_status = MHD_HTTP_LENGTH_REQUIRED;
	if (header_of(connection, "Transfer-Encoding") != NULL || length_count != 1 || *length == '\0' ||
	    length[strspn(length, "0123456789")] != '\0')
		return "a form says once how long it is (Content-Length)";
	*ret_status = MHD_HTTP_CONTENT_TOO_LARGE;
	if (strlen(length) > 9 || strtoul(length, NULL, 10) > web->limits.form_bytes)
		return "this form is too long";
	*ret_status = MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
	if (type == NULL || strncasecmp(type, wanted, strlen(wanted)) != 0 ||
	    strchr("; ", type[strlen(wanted)]) == NULL)
		return "a form is sent as application/x-www-form-urlencoded";
	return NULL;
}

static bool is_known_already(struct MHD_Connection *connection, const struct answer *answer)
{
	const char *known = header_of(connection, "If-None-Match");

	return answer->status == MHD_HTTP_OK && answer->etag != NULL && known != NULL &&
	       strcmp(known, answer->etag) == 0;
}

static void fill_request(struct MHD_Connection *connection, struct exchange *exchange)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct request *request = &exchange->request;

	request->last_event_id = header_of(connection, "Last-Event-ID");
	request->is_near = listen_is_near(info->client_addr, exchange->peer);
	request->peer = exchange->peer;
	request->host = header_of(connection, "Host");
	request->origin = header_of(connection, "Origin");
	request->fetch_site = header_of(connection, "Sec-Fetch-Site");
	request->cookie = header_of(connection, "Cookie");
	request->authorization = header_of(connection, "Authorization");
	request->forwarded_for = header_of(connection, "X-Forwarded-For");
	request->forwarded_proto = header_of(connection, "X-Forwarded-Proto");
}

static enum MHD_Result answer_whole(struct web *web, struct MHD_Connection *connection,
				    struct exchange *exchange, bool is_head)
{
	struct answer answer = { 0 };
	enum MHD_Result result;

	fill_request(connection, exchange);
	web->answer(web->ctx, &exchange->request, &exchange->arena, &answer);
	assert(answer.status != 0 && answer.content_type != NULL);

	if (is_known_already(connection, &answer)) {
		answer.status = MHD_HTTP_NOT_MODIFIED;
		text_clear(&answer.body);
	}
	if (answer.stream.more != NULL && (is_head || web->stream_count >= web->limits.streams)) {
		answer.stream.close(answer.stream.ctx);
		answer.stream = (struct web_stream){ 0 };
		if (!is_head)
			return refuse(web, connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				      "too many are watching; reload the page now and then instead");
	}
	result = send_answer(web, connection, &answer);
	text_release(&answer.body);
	return result;
}

/* Before the body: what can be refused without it. NULL: nothing is against the request so far. */
static const char *look_at_head(const struct web *web, struct MHD_Connection *connection,
				const char *method, unsigned *ret_status)
{
	*ret_status = MHD_HTTP_METHOD_NOT_ALLOWED;
	if (web->takes_forms && strcmp(method, MHD_HTTP_METHOD_POST) == 0)
		return look_at_form(web, connection, ret_status);
	if (strcmp(method, MHD_HTTP_METHOD_HEAD) != 0 && strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		return "this page is only for reading: GET and HEAD";
	*ret_status = MHD_HTTP_CONTENT_TOO_LARGE;
	return has_body(connection) ? "this page reads no bodies of requests" : NULL;
}

/* Called once when the headers are there, for each part of the body, and when the request is whole. */
static enum MHD_Result take_request(void *ctx, struct MHD_Connection *connection, const char *url,
				    const char *method, const char *version, const char *upload,
				    size_t *upload_bytes, void **visit)
{
	struct web *web = ctx;
	struct exchange *exchange = *visit;
	unsigned status = 0;

	(void)url; /* decoded by the library, more leniently than by us */
	(void)version;
	if (!exchange->is_begun) {
		const char *sentence = look_at_head(web, connection, method, &status);

		exchange->is_begun = true;
		return sentence == NULL ? MHD_YES : refuse(web, connection, status, sentence);
	}
	if (*upload_bytes > 0) { /* no more than was announced, and that is bounded */
		text_add_bytes(&exchange->body, upload, *upload_bytes);
		*upload_bytes = 0;
		return MHD_YES;
	}
	if (!request_host_is_ours(header_of(connection, "Host"), web->names))
		return refuse(web, connection, MHD_HTTP_MISDIRECTED_REQUEST,
			      "this server does not go by the name in the Host header; start it with "
			      "--host NAME if it should");
	exchange->request.is_post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
	if (exchange->is_understood && exchange->request.is_post)
		exchange->is_understood = request_parse_form(text_str(&exchange->body),
							     exchange->body.length_bytes,
							     &exchange->arena, &exchange->request.form,
							     &exchange->error);
	if (!exchange->is_understood)
		return refuse(web, connection, MHD_HTTP_BAD_REQUEST, exchange->error.text);
	return answer_whole(web, connection, exchange, strcmp(method, MHD_HTTP_METHOD_HEAD) == 0);
}

/* The first that is called for a request: the target as it came. */
static void *begin_exchange(void *ctx, const char *target, struct MHD_Connection *connection)
{
	struct exchange *exchange = mem_alloc(sizeof *exchange);

	(void)ctx;
	(void)connection;
	exchange->is_understood =
		request_parse(target, &exchange->arena, &exchange->request, &exchange->error);
	return exchange;
}

static void end_exchange(void *ctx, struct MHD_Connection *connection, void **visit,
			 enum MHD_RequestTerminationCode code)
{
	struct web *web = ctx;
	struct exchange *exchange = *visit;
	struct visitor *visitor = visitor_of(connection);

	(void)code;
	if (exchange != NULL) {
		arena_release(&exchange->arena);
		if (exchange->body.owned_bytes != NULL) /* a token may have been in it */
			explicit_bzero(exchange->body.owned_bytes, exchange->body.length_bytes);
		text_release(&exchange->body);
		free(exchange);
		*visit = NULL;
	}
	if (visitor != NULL)
		visitor->until_ns = web->now_ns + web->limits.request_ns;
}

/* ---- open, work, close ---- */

static void be_quiet(void *ctx, const char *format, va_list args)
{
	(void)ctx; /* what strangers do wrong is told to them, and not to our log */
	(void)format;
	(void)args;
}

bool web_open(const struct web_request *request, struct web **ret_web, struct err *e)
{
	const struct web_limits *limits = request->limits;
	const unsigned silent_s = (unsigned)(limits->answer_ns / NS_PER_S) + 1;
	struct web *web = mem_alloc(sizeof *web);

	web->names = request->names;
	web->limits = *limits;
	web->takes_forms = request->takes_forms;
	web->answer = request->answer;
	web->ctx = request->ctx;
	web->streams_due_ns = INT64_MAX;
	LIST_INIT(&web->visitors);
	LIST_INIT(&web->streams);
	web->owned_daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
		take_request, web,
		MHD_OPTION_EXTERNAL_LOGGER, be_quiet, NULL,
		MHD_OPTION_LISTEN_SOCKET, request->taken_fd,
		MHD_OPTION_CONNECTION_LIMIT, limits->connections,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits->head_bytes,
		MHD_OPTION_CONNECTION_TIMEOUT, silent_s,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, web,
		MHD_OPTION_NOTIFY_COMPLETED, end_exchange, web,
		MHD_OPTION_NOTIFY_CONNECTION, greet, web,
		MHD_OPTION_END);
	if (web->owned_daemon == NULL) {
		(void)close(request->taken_fd); /* nothing was written to it */
		free(web);
		return err_set(e, ERR_LIMIT, "start the web page: %s", strerror(errno));
	}
	web->epoll_fd = MHD_get_daemon_info(web->owned_daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	*ret_web = web;
	return true;
}

int web_fd(const struct web *web)
{
	return web->epoll_fd;
}

int64_t web_work(struct web *web, int64_t now_ns)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;
	int64_t next_ns;

	web->now_ns = now_ns;
	if (now_ns >= web->streams_due_ns) {
		look_for_news(web);
		web->streams_due_ns = now_ns + web->limits.stream_every_ns;
	}
	(void)MHD_run(web->owned_daemon); /* false only for daemons with threads of their own */
	next_ns = show_out(web);
	if (LIST_EMPTY(&web->streams))
		web->streams_due_ns = INT64_MAX;
	if (web->streams_due_ns < next_ns)
		next_ns = web->streams_due_ns;
	if (MHD_get_timeout(web->owned_daemon, &timeout_ms) == MHD_YES) {
		const int64_t wanted_ns = now_ns + (int64_t)timeout_ms * NS_PER_MS;

		if (wanted_ns < next_ns)
			next_ns = wanted_ns;
	}
	return next_ns;
}

void web_close(struct web *web)
{
	struct stream *stream;

	if (web == NULL)
		return;
	/* The library must not be stopped while connections are suspended. */
	LIST_FOREACH(stream, &web->streams, link) {
		stream->is_over = true;
		if (stream->is_waiting)
			MHD_resume_connection(stream->connection);
		stream->is_waiting = false;
	}
	MHD_stop_daemon(web->owned_daemon);
	free(web);
}
