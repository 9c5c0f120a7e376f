/*
 * redis_conn.c - see redis_conn.h. hiredis 0.14 has no deadline but the kernel's, and looks names up
 * while the clock runs; so only its formatter and its reader are used.
 */
#include "probes/redis_conn.h"
#include "base/mem.h"
#include "probes/socket.h"
#include "probes/stable.h"

#include <assert.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	RECEIVE_BYTES = 16 << 10,
	NUMBER_BYTES = 24,
	OPENING_MAX = 4, /* AUTH, SELECT, CLIENT SETNAME, ROLE */
};

/* What the reply to a command of the opening must be. */
enum opening { OPENING_MUST = 1, OPENING_MAY, OPENING_ROLE };

struct redis_conn {
	int fd;
	bool is_connected;
	struct redisReader *owned_reader;
	struct text out;
	size_t sent_bytes;
	enum opening opening[OPENING_MAX];
	size_t opening_count;
	size_t opening_done;
	struct redisReply *owned_replies[REDIS_COMMANDS_MAX];
	size_t expected_count;
	size_t reply_count;
};

struct redis_want redis_want_of(const struct service *service)
{
	return (struct redis_want){ .user = params_text(&service->params, "user"),
				    .password = params_text(&service->params, "password"),
				    .database = params_number(&service->params, "database") };
}

static void add_command(struct redis_conn *conn, const struct redis_command *command)
{
	const char *words[8 + REDIS_WORDS_MAX];
	char *bytes = NULL;
	size_t count = 0;
	int length_bytes;

	assert(command->word_count <= 8 && command->more_count <= REDIS_WORDS_MAX);
	for (size_t i = 0; i < command->word_count; i++)
		words[count++] = command->words[i];
	for (size_t i = 0; i < command->more_count; i++)
		words[count++] = command->more_words[i];
	length_bytes = redisFormatCommandArgv(&bytes, (int)count, words, NULL);
	text_add_bytes(&conn->out, mem_or_die(length_bytes > 0 ? bytes : NULL, count),
		       (size_t)length_bytes);
	redisFreeCommand(bytes);
}

static void add_opening(struct redis_conn *conn, const struct redis_want *want)
{
	char database[NUMBER_BYTES];
	const struct redis_command auth = { .words = { "AUTH", want->password },
					    .word_count = 2 };
	const struct redis_command auth_as = { .words = { "AUTH", want->user, want->password },
					       .word_count = 3 };
	const struct redis_command select = { .words = { "SELECT", database }, .word_count = 2 };
	const struct redis_command name = { .words = { "CLIENT", "SETNAME", "firedrill" },
					    .word_count = 3 };
	const struct redis_command role = { .words = { "ROLE" }, .word_count = 1 };

	(void)snprintf(database, sizeof database, "%lld", (long long)want->database);
	if (want->password != NULL) {
		add_command(conn, want->user == NULL ? &auth : &auth_as);
		conn->opening[conn->opening_count++] = OPENING_MUST;
	}
	if (want->database != 0) {
		add_command(conn, &select);
		conn->opening[conn->opening_count++] = OPENING_MUST;
	}
	add_command(conn, &name);
	conn->opening[conn->opening_count++] = OPENING_MAY;
	add_command(conn, &role);
	conn->opening[conn->opening_count++] = OPENING_ROLE;
	assert(conn->opening_count <= OPENING_MAX);
}

static void fail_errno(struct link_failure *failure, int error_number)
{
	(void)stable_text(strerror(error_number), failure->text);
	failure->is_shortage = socket_is_shortage(error_number);
}

static void redis_close(void *taken_conn, bool is_idle)
{
	struct redis_conn *conn = taken_conn;

	(void)is_idle; /* Redis wants no goodbye */
	if (conn->fd >= 0)
		(void)close(conn->fd); /* nothing could be done about a failure */
	for (size_t i = 0; i < REDIS_COMMANDS_MAX; i++)
		freeReplyObject(conn->owned_replies[i]);
	if (conn->owned_reader != NULL)
		redisReaderFree(conn->owned_reader);
	text_release(&conn->out);
	free(conn);
}

static void *redis_open(const void *want, const struct link_place *place,
			struct link_failure *failure)
{
	const int one = 1;
	struct redis_conn *conn = mem_alloc(sizeof *conn);
	int error_number = 0;

	conn->owned_reader = redisReaderCreate();
	conn->fd = socket(place->socket_address.ss_family,
			  SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (conn->owned_reader == NULL)
		error_number = ENOMEM;
	else if (conn->fd == -1)
		error_number = errno;
	else if (setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == -1)
		error_number = errno;
	else if (connect(conn->fd, (const struct sockaddr *)&place->socket_address,
			 place->socket_address_bytes) == -1 &&
		 errno != EINPROGRESS)
		error_number = errno;
	if (error_number != 0) {
		fail_errno(failure, error_number);
		redis_close(conn, false);
		return NULL;
	}
	add_opening(conn, want);
	return conn;
}

static int redis_fd(const void *conn)
{
	return ((const struct redis_conn *)conn)->fd;
}

static short redis_events(const void *conn_state)
{
	const struct redis_conn *conn = conn_state;

	if (!conn->is_connected)
		return POLLOUT;
	return conn->sent_bytes < conn->out.length_bytes ? POLLIN | POLLOUT : POLLIN;
}

/* Whether the handshake is through. False with a failure, or without: not yet. */
static bool finish_connect(struct redis_conn *conn, struct link_failure *failure, bool *ret_is_lost)
{
	struct pollfd pfd = { .fd = conn->fd, .events = POLLOUT };
	int socket_error = 0;
	socklen_t error_bytes = sizeof socket_error;

	*ret_is_lost = false;
	if (conn->is_connected)
		return true;
	if (poll(&pfd, 1, 0) == 0)
		return false;
	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &socket_error, &error_bytes) == -1)
		socket_error = errno;
	conn->is_connected = socket_error == 0;
	if (socket_error != 0) {
		fail_errno(failure, socket_error);
		*ret_is_lost = true;
	}
	return conn->is_connected;
}

/* A failure to write shows when reading: what the server said before it went counts more. */
static void flush(struct redis_conn *conn)
{
	while (conn->sent_bytes < conn->out.length_bytes) {
		const ssize_t sent = send(conn->fd, text_str(&conn->out) + conn->sent_bytes,
					  conn->out.length_bytes - conn->sent_bytes, MSG_NOSIGNAL);

		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1)
			return;
		conn->sent_bytes += (size_t)sent;
	}
	text_clear(&conn->out);
	conn->sent_bytes = 0;
}

/* False: this server does not do. A primary whose ROLE nobody may ask is seen when it refuses. */
static bool take_opening(struct redis_conn *conn, const struct redisReply *reply,
			 struct link_failure *failure)
{
	const enum opening wanted = conn->opening[conn->opening_done++];
	const bool is_error = reply->type == REDIS_REPLY_ERROR;

	if (is_error && (wanted == OPENING_MUST || strncmp(reply->str, "LOADING", 7) == 0 ||
			 strncmp(reply->str, "NOAUTH", 6) == 0 ||
			 strncmp(reply->str, "ERR max number of clients", 25) == 0)) {
		(void)stable_text(reply->str, failure->text);
		return false;
	}
	if (wanted == OPENING_ROLE && reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
	    reply->element[0]->type == REDIS_REPLY_STRING &&
	    strcmp(reply->element[0]->str, "master") != 0) {
		(void)snprintf(failure->text, sizeof failure->text,
			       "a replica (ROLE says `%.20s`), read-only for us",
			       reply->element[0]->str);
		return false;
	}
	return true;
}

/* Takes every whole reply out of the reader. */
static bool take_replies(struct redis_conn *conn, struct link_failure *failure)
{
	for (;;) {
		void *taken = NULL;
		struct redisReply *reply;
		bool ok = true;

		if (redisReaderGetReply(conn->owned_reader, &taken) != REDIS_OK) {
			(void)stable_text(conn->owned_reader->errstr, failure->text);
			return false;
		}
		reply = taken;
		if (reply == NULL)
			return true;
		if (conn->opening_done < conn->opening_count) {
			ok = take_opening(conn, reply, failure);
			freeReplyObject(reply);
		} else if (conn->reply_count < conn->expected_count) {
			conn->owned_replies[conn->reply_count++] = reply;
		} else { /* nobody asked: a last word before it hangs up */
			(void)stable_text(reply->type == REDIS_REPLY_ERROR ? reply->str
									   : "a reply to nothing",
					  failure->text);
			freeReplyObject(reply);
			ok = false;
		}
		if (!ok)
			return false;
	}
}

/* Reads what is there. False: the connection ended. */
static bool receive(struct redis_conn *conn, struct link_failure *failure)
{
	char bytes[RECEIVE_BYTES];

	for (;;) {
		const ssize_t count = recv(conn->fd, bytes, sizeof bytes, 0);

		if (count == -1 && errno == EINTR)
			continue;
		if (count == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return true;
		if (count == -1) {
			fail_errno(failure, errno);
			return false;
		}
		if (count == 0) {
			(void)snprintf(failure->text, sizeof failure->text,
				       "the server closed the connection");
			return false;
		}
		if (redisReaderFeed(conn->owned_reader, bytes, (size_t)count) != REDIS_OK) {
			fail_errno(failure, ENOMEM);
			return false;
		}
		if (!take_replies(conn, failure))
			return false;
	}
}

static enum link_stage redis_step(void *state, struct link_failure *failure)
{
	struct redis_conn *conn = state;
	bool is_lost;

	if (!finish_connect(conn, failure, &is_lost))
		return is_lost ? LINK_NONE : LINK_OPENING;
	flush(conn);

	const bool is_open = receive(conn, failure);
	const bool is_whole = conn->opening_done == conn->opening_count &&
			      conn->reply_count == conn->expected_count;

	/* A last answer counts, also when the server hung up right after it. */
	if (is_open || (is_whole && conn->expected_count > 0))
		return is_whole				  ? LINK_READY
		       : conn->opening_done < conn->opening_count ? LINK_OPENING
								  : LINK_ASKED;
	return LINK_NONE;
}

const struct link_ops redis_link_ops = {
	.open = redis_open,
	.step = redis_step,
	.fd = redis_fd,
	.events = redis_events,
	.close = redis_close,
};

void redis_conn_ask(struct redis_conn *conn, const struct redis_command *commands, size_t count)
{
	assert(count > 0 && count <= REDIS_COMMANDS_MAX);
	assert(conn->reply_count == conn->expected_count);
	for (size_t i = 0; i < conn->reply_count; i++) {
		freeReplyObject(conn->owned_replies[i]);
		conn->owned_replies[i] = NULL;
	}
	conn->reply_count = 0;
	conn->expected_count = count;
	for (size_t i = 0; i < count; i++)
		add_command(conn, &commands[i]);
}

const struct redisReply *redis_conn_reply(const struct redis_conn *conn, size_t index)
{
	assert(index < conn->reply_count);
	return conn->owned_replies[index];
}
