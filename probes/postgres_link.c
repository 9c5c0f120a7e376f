/*
 * postgres_link.c - see postgres_wire.h: one connection to one place, stage by stage, never
 * waiting.
 *
 * It does not decide when to open or to leave a connection: postgres_conn.c does.
 */
#include "probes/postgres_wire.h"
#include "probes/stable.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* Keeps libpq from printing, and catches the one warning that changes what an ack is worth. */
static void receive_notice(void *ctx, const PGresult *notice)
{
	struct postgres_conn *conn = ctx;
	const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);

	/* The text is translated and the SQLSTATE is that of any warning; the function is neither.
	   What a late answer to an earlier question says is forgotten before the next question. */
	if (function != NULL && strcmp(function, "SyncRepWaitForLSN") == 0)
		conn->is_local_only = true;
}

static void forget(struct postgres_link *link)
{
	link->owned_pq = NULL;
	link->stage = POSTGRES_NONE;
	link->is_answering = false;
	link->syncs_owed = 0;
}

void postgres_link_end(struct postgres_link *link)
{
	PQfinish(link->owned_pq);
	forget(link);
}

void postgres_link_drop(struct postgres_link *link)
{
	/* First shut the socket: PQfinish would try to say goodbye to a host that may be frozen. */
	if (link->owned_pq != NULL && PQsocket(link->owned_pq) >= 0)
		(void)shutdown(PQsocket(link->owned_pq), SHUT_RDWR);
	postgres_link_end(link);
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

static enum postgres_end fail(struct postgres_conn *conn, size_t index)
{
	struct postgres_link *link = &conn->links[index];
	const char *message =
		link->owned_pq == NULL ? "out of memory\n" : PQerrorMessage(link->owned_pq);
	const char *reason = strstr(message, " failed: ");

	/* "connection to server at ..., port ... failed: " is said already by the place's name. */
	(void)stable_text(reason == NULL ? message : reason + strlen(" failed: "),
			  conn->places.places[index].failure);
	link->is_shortage = is_our_shortage(message);
	postgres_link_drop(link);
	return link->is_shortage ? POSTGRES_SHORTAGE : POSTGRES_UNSENT;
}

enum postgres_end postgres_link_open(struct postgres_conn *conn, size_t index,
				     const char *session_attrs, int64_t now_ns)
{
	struct postgres_link *link = &conn->links[index];
	struct postgres_place *place = &conn->places.places[index];

	assert(link->stage == POSTGRES_NONE);
	assert(link->owned_pq == NULL);

	if (session_attrs != NULL)
		place->values[conn->places.attrs_index] = session_attrs;
	place->is_silent = false;
	link->session_attrs = session_attrs;
	link->opened_ns = now_ns;
	link->asked_ns = now_ns;
	link->events = POLLOUT;
	link->is_tried = true;
	link->is_shortage = false;
	link->owned_pq = PQconnectStartParams(place->keywords, place->values, 0);
	if (link->owned_pq == NULL || PQstatus(link->owned_pq) == CONNECTION_BAD)
		return fail(conn, index);
	(void)PQsetNoticeReceiver(link->owned_pq, receive_notice, conn);
	link->stage = POSTGRES_CONNECTING;
	return POSTGRES_DONE;
}

bool postgres_link_is_waiting(const struct postgres_link *link)
{
	return link->stage != POSTGRES_NONE && link->stage != POSTGRES_READY;
}

short postgres_link_events(const struct postgres_link *link)
{
	if (link->stage == POSTGRES_CONNECTING)
		return link->events;
	return PQflush(link->owned_pq) == 1 ? POLLIN | POLLOUT : POLLIN;
}

static void step_connect(struct postgres_conn *conn, size_t index)
{
	struct postgres_link *link = &conn->links[index];
	const PostgresPollingStatusType wish = PQconnectPoll(link->owned_pq);

	if (wish == PGRES_POLLING_FAILED) {
		(void)fail(conn, index);
		return;
	}
	link->events = wish == PGRES_POLLING_READING ? POLLIN : POLLOUT;
	if (wish != PGRES_POLLING_OK)
		return;
	if (PQsetnonblocking(link->owned_pq, 1) != 0) {
		(void)fail(conn, index);
		return;
	}
	link->stage = POSTGRES_READY;
	if (conn->prepare_sql == NULL)
		return;
	link->stage = POSTGRES_PREPARING;
	if (PQsendPrepare(link->owned_pq, POSTGRES_STATEMENT, conn->prepare_sql, 0, NULL) != 1)
		(void)fail(conn, index);
}

/* Counts a sync point of a batch. True: it was the last one. */
static bool is_last_sync(struct postgres_link *link)
{
	assert(link->syncs_owed > 0);
	if (--link->syncs_owed > 0)
		return false;
	(void)PQexitPipelineMode(link->owned_pq); /* idle: every sync has come */
	return true;
}

static bool is_failure(ExecStatusType status)
{
	return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
	       status != PGRES_SINGLE_TUPLE && status != PGRES_EMPTY_QUERY &&
	       status != PGRES_PIPELINE_SYNC;
}

/* Reads an answer that nobody wants any more, or the one to PREPARE. */
static void step_answer(struct postgres_conn *conn, size_t index)
{
	struct postgres_link *link = &conn->links[index];
	bool was_end = false; /* of a statement of a batch: one NULL, and then its sync */

	if (PQconsumeInput(link->owned_pq) != 1 && PQisBusy(link->owned_pq) != 0) {
		(void)fail(conn, index);
		return;
	}
	while (PQisBusy(link->owned_pq) == 0) {
		PGresult *result = PQgetResult(link->owned_pq);
		const ExecStatusType status = PQresultStatus(result);

		if (result == NULL && link->syncs_owed > 0 && was_end) {
			(void)fail(conn, index); /* nothing more will come */
			return;
		}
		was_end = result == NULL;
		if (result == NULL && link->syncs_owed > 0)
			continue;
		if (result == NULL || (status == PGRES_PIPELINE_SYNC && is_last_sync(link))) {
			PQclear(result);
			link->stage = POSTGRES_READY; /* ReadyForQuery */
			return;
		}
		if (is_failure(status)) {
			struct text reason = { 0 };

			/* After an error too: the next try finds today's primary. */
			postgres_wire_reason(result, &reason);
			(void)stable_text(text_str(&reason), conn->places.places[index].failure);
			text_release(&reason);
			PQclear(result);
			postgres_link_drop(link);
			return;
		}
		PQclear(result);
	}
}

void postgres_link_step(struct postgres_conn *conn, size_t index)
{
	assert(postgres_link_is_waiting(&conn->links[index]));

	if (conn->links[index].stage == POSTGRES_CONNECTING)
		step_connect(conn, index);
	else
		step_answer(conn, index);
}

bool postgres_link_is_begun(const struct postgres_link *link)
{
	return PQstatus(link->owned_pq) != CONNECTION_STARTED;
}

bool postgres_link_is_unreached(const struct postgres_link *link)
{
	/* One may be a lost packet; two take 0.6 s. A live kernel whose process does not read
	   acknowledges even when its buffers are full, and that counts no retransmit. */
	enum { UNANSWERED_RETRANSMITS = 2 };
	struct tcp_info info = { 0 };
	socklen_t info_bytes = sizeof info;

	return getsockopt(PQsocket(link->owned_pq), IPPROTO_TCP, TCP_INFO, &info, &info_bytes) ==
		       0 &&
	       info.tcpi_unacked > 0 && info.tcpi_retransmits >= UNANSWERED_RETRANSMITS;
}

bool postgres_link_is_alive(const struct postgres_link *link)
{
	PGconn *pq = link->owned_pq;
	struct pollfd pfd = { .fd = pq == NULL ? -1 : PQsocket(pq), .events = POLLIN };

	if (link->stage != POSTGRES_READY || pfd.fd < 0 || PQstatus(pq) != CONNECTION_OK)
		return false;
	if (poll(&pfd, 1, 0) == 0)
		return true;
	/* Twice: the first may read a last word ("terminating"), the second then meets the end. */
	return PQconsumeInput(pq) == 1 && PQisBusy(pq) == 0 && PQconsumeInput(pq) == 1 &&
	       PQstatus(pq) == CONNECTION_OK;
}
