/*
 * postgres_conn.c - see postgres_conn.h: connecting, place by place, and letting go.
 */
#include "probes/postgres_wire.h"
#include "probes/socket.h"
#include "probes/stable.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Keeps libpq from printing, and catches the one warning that changes what an ack is worth. */
static void receive_notice(void *ctx, const PGresult *notice)
{
	struct postgres_conn *conn = ctx;
	const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);

	/* The text is translated and the SQLSTATE is that of any warning; the function is neither.
	 */
	if (function != NULL && strcmp(function, "SyncRepWaitForLSN") == 0)
		conn->is_local_only = true;
}

bool postgres_conn_open(const struct postgres_want *want, const char *prepare_sql,
			struct postgres_conn **ret_conn, struct err *e)
{
	struct postgres_conn *conn = mem_alloc(sizeof *conn);

	if (!postgres_places_init(want, &conn->places, e)) {
		postgres_conn_close(conn);
		return false;
	}
	conn->prepare_sql = arena_copy(&conn->places.arena, prepare_sql);
	*ret_conn = conn;
	return true;
}

void postgres_conn_close(struct postgres_conn *conn)
{
	if (conn == NULL)
		return;
	/* An idle session ends politely: the server's log stays clean. */
	PQfinish(conn->owned_pq);
	postgres_places_release(&conn->places);
	free(conn);
}

void postgres_conn_drop(struct postgres_conn *conn)
{
	if (conn->owned_pq == NULL)
		return;
	/* First shut the socket: PQfinish would try to say goodbye to a host that may be frozen. */
	if (PQsocket(conn->owned_pq) >= 0)
		(void)shutdown(PQsocket(conn->owned_pq), SHUT_RDWR);
	PQfinish(conn->owned_pq);
	conn->owned_pq = NULL;
}

/* libpq keeps no errno, but a failure before any answer ends in the local strerror. */
static bool is_our_shortage(const char *message)
{
	static const int shortages[] = { EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL };

	if (strstr(message, "FATAL:") != NULL || strstr(message, "ERROR:") != NULL)
		return false; /* the server's own words: its shortage, not ours */
	for (size_t i = 0; i < sizeof shortages / sizeof shortages[0]; i++) {
		if (strstr(message, strerror(shortages[i])) != NULL)
			return true;
	}
	return strstr(message, "out of memory") != NULL;
}

static enum postgres_end say_failure(const struct postgres_conn *conn, struct postgres_place *place)
{
	const char *message =
		conn->owned_pq == NULL ? "out of memory\n" : PQerrorMessage(conn->owned_pq);
	const char *reason = strstr(message, " failed: ");
	const bool is_shortage = is_our_shortage(message);

	/* "connection to server at ..., port ... failed: " is said already by the place's name. */
	(void)stable_text(reason == NULL ? message : reason + strlen(" failed: "), place->failure);
	return is_shortage ? POSTGRES_SHORTAGE : POSTGRES_UNSENT;
}

/* Steps PQconnectPoll until connected, refused or until_ns. */
static enum postgres_end poll_connect(struct postgres_conn *conn, struct postgres_place *place,
				      const struct clock *clock, int64_t until_ns)
{
	PostgresPollingStatusType wish = PGRES_POLLING_WRITING;

	for (;;) {
		const short events = wish == PGRES_POLLING_READING ? POLLIN : POLLOUT;
		const int fd = PQsocket(conn->owned_pq);

		if (PQstatus(conn->owned_pq) == CONNECTION_BAD || fd < 0)
			return say_failure(conn, place);

		const int ready = socket_wait(fd, events, clock, until_ns);

		if (ready == -1) {
			(void)snprintf(place->failure, sizeof place->failure, "%s",
				       strerror(errno));
			return POSTGRES_SHORTAGE;
		}
		if (ready == 0) {
			place->is_silent = true;
			(void)snprintf(place->failure, sizeof place->failure, "no answer in time");
			return POSTGRES_UNSENT;
		}
		wish = PQconnectPoll(conn->owned_pq);
		if (wish == PGRES_POLLING_FAILED)
			return say_failure(conn, place);
		if (wish == PGRES_POLLING_OK)
			return POSTGRES_DONE;
	}
}

static enum postgres_end prepare(struct postgres_conn *conn, struct postgres_place *place,
				 const struct clock *clock, int64_t until_ns)
{
	struct postgres_answer answer = { 0 };
	struct err reason = { 0 };
	enum postgres_end end;

	if (conn->prepare_sql == NULL)
		return POSTGRES_DONE;
	if (PQsendPrepare(conn->owned_pq, POSTGRES_STATEMENT, conn->prepare_sql, 0, NULL) != 1)
		return say_failure(conn, place);
	end = postgres_wire_finish(conn, clock, until_ns, &answer, &reason);
	postgres_answer_release(&answer);
	if (end == POSTGRES_DONE)
		return end;
	place->is_silent = reason.kind == ERR_DEADLINE;
	(void)stable_text(reason.text, place->failure);
	return end == POSTGRES_SHORTAGE ? end : POSTGRES_UNSENT; /* no write was sent */
}

static enum postgres_end try_place(struct postgres_conn *conn, struct postgres_place *place,
				   const struct clock *clock, int64_t until_ns)
{
	enum postgres_end end;

	assert(conn->owned_pq == NULL);

	conn->is_local_only = false;
	place->is_silent = false;
	conn->owned_pq = PQconnectStartParams(place->keywords, place->values, 0);
	if (conn->owned_pq == NULL)
		return say_failure(conn, place);
	(void)PQsetNoticeReceiver(conn->owned_pq, receive_notice, conn);

	end = poll_connect(conn, place, clock, until_ns);
	if (end == POSTGRES_DONE && PQsetnonblocking(conn->owned_pq, 1) != 0)
		end = say_failure(conn, place);
	if (end == POSTGRES_DONE)
		end = prepare(conn, place, clock, until_ns);
	if (end != POSTGRES_DONE)
		postgres_conn_drop(conn);
	return end;
}

/*
 * The order of a round: the last good place first, then as written; those that were silent last
 * time come after all that answer. So a dead first host costs an attempt its slice once, and not
 * each attempt the moment at which it could have seen the new primary.
 */
static size_t order_places(const struct postgres_conn *conn, uint8_t ret_order[POSTGRES_PLACES_MAX])
{
	const size_t count = conn->places.count;
	size_t filled = 0;

	for (int is_silent = 0; is_silent <= 1; is_silent++) {
		for (size_t n = 0; n < count; n++) {
			const size_t index = (conn->last_good + n) % count;

			if (conn->places.places[index].is_silent == (is_silent == 1))
				ret_order[filled++] = (uint8_t)index;
		}
	}
	assert(filled == count);
	return filled;
}

/* One sentence with every place in the order of conninfo, so that it is stable. */
static void say_all_failures(const struct postgres_conn *conn, struct err *e)
{
	struct text text = { 0 };
	bool is_deadline = true;

	for (size_t i = 0; i < conn->places.count; i++) {
		const struct postgres_place *place = &conn->places.places[i];

		is_deadline = is_deadline && place->is_silent;
		text_addf(&text, "%s%s: %s", i == 0 ? "" : "; ", place->name, place->failure);
	}
	err_set(e, is_deadline ? ERR_DEADLINE : ERR_REMOTE, "connect to %s", text_str(&text));
	text_release(&text);
}

/* Every place once, within its slice of the time left. rounds_left counts this round too. */
static enum postgres_end try_round(struct postgres_conn *conn, const char *session_attrs,
				   size_t rounds_left, const struct clock *clock,
				   int64_t deadline_ns, struct err *e)
{
	struct postgres_places *places = &conn->places;
	uint8_t order[POSTGRES_PLACES_MAX];
	const size_t count = order_places(conn, order);

	for (size_t n = 0; n < count; n++) {
		struct postgres_place *place = &places->places[order[n]];
		const size_t tries_left = count - n + (rounds_left - 1) * count;
		const int64_t now_ns = clock_now_ns(clock);
		int64_t until_ns = socket_slice_end_ns(now_ns, deadline_ns, tries_left);

		if (places->try_at_most_ns > 0 && until_ns > now_ns + places->try_at_most_ns)
			until_ns = now_ns + places->try_at_most_ns;
		if (session_attrs != NULL)
			place->values[places->attrs_index] = session_attrs;

		conn->current = order[n];

		const enum postgres_end end = try_place(conn, place, clock, until_ns);

		if (end == POSTGRES_DONE) {
			conn->last_good = order[n];
			return end;
		}
		if (end == POSTGRES_SHORTAGE) {
			err_set(e, ERR_LIMIT, "connect to %s: %s", place->name, place->failure);
			return end;
		}
	}
	return POSTGRES_UNSENT;
}

/* A connection that ended while it was idle shows it before anything is sent over it. */
static bool is_alive(struct postgres_conn *conn)
{
	PGconn *pq = conn->owned_pq;
	struct pollfd pfd = { .fd = pq == NULL ? -1 : PQsocket(pq), .events = POLLIN };

	if (pfd.fd < 0 || PQstatus(pq) != CONNECTION_OK)
		return false;
	if (poll(&pfd, 1, 0) == 0)
		return true;
	/* Twice: the first may read a last word ("terminating"), the second then meets the end. */
	return PQconsumeInput(pq) == 1 && PQisBusy(pq) == 0 && PQconsumeInput(pq) == 1 &&
	       PQstatus(pq) == CONNECTION_OK;
}

enum postgres_end postgres_conn_connect(struct postgres_conn *conn, const struct clock *clock,
					int64_t deadline_ns, struct err *e)
{
	enum postgres_end end;

	if (is_alive(conn))
		return POSTGRES_DONE;
	postgres_conn_drop(conn);

	if (conn->places.is_standby_preferred) {
		end = try_round(conn, "standby", 2, clock, deadline_ns, e);
		if (end == POSTGRES_UNSENT)
			end = try_round(conn, "any", 1, clock, deadline_ns, e);
	} else {
		end = try_round(conn, NULL, 1, clock, deadline_ns, e);
	}
	if (end == POSTGRES_UNSENT)
		say_all_failures(conn, e);
	return end;
}
