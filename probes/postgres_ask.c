/*
 * postgres_ask.c - see postgres_conn.h: asking, and telling what an answer is worth.
 */
#include "probes/postgres_wire.h"
#include "probes/socket.h"
#include "probes/stable.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/*
 * An ERROR rolled the statement back. A FATAL ends the session at a moment that cannot be told
 * from here, and a proxy in the middle says FATAL when it lost the server: both may come after the
 * commit. So may class 08 (the connection behind a proxy) and 40003 (completion unknown).
 */
static bool is_certain(const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (severity == NULL || sqlstate == NULL || strcmp(severity, "ERROR") != 0)
		return false;
	return strncmp(sqlstate, "08", 2) != 0 && strcmp(sqlstate, "40003") != 0;
}

void postgres_wire_reason(const PGresult *result, struct text *text)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	char stable[STABLE_TEXT_BYTES];

	if (message == NULL) /* libpq's own words: the connection is lost */
		message = PQresultErrorMessage(result);
	text_addf(text, "%s%s%s", stable_text(message, stable),
		  sqlstate == NULL ? "" : ", SQLSTATE ", sqlstate == NULL ? "" : sqlstate);
}

enum postgres_end postgres_wire_error(const PGresult *result, struct postgres_answer *answer,
				      struct err *e)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	struct text reason = { 0 };

	postgres_wire_reason(result, &reason);
	err_set(e, ERR_REMOTE, "%s", text_str(&reason));
	text_release(&reason);
	if (sqlstate != NULL)
		(void)snprintf(answer->sqlstate, sizeof answer->sqlstate, "%s", sqlstate);
	return is_certain(result) ? POSTGRES_REFUSED : POSTGRES_UNKNOWN;
}

enum postgres_end postgres_wire_wait(struct postgres_conn *conn, const struct clock *clock,
				     int64_t deadline_ns, struct err *e)
{
	PGconn *pq = postgres_conn_pq(conn);

	conn->is_unanswered = false;
	for (;;) {
		const int flush = PQflush(pq);

		if (PQisBusy(pq) == 0)
			return POSTGRES_DONE; /* flush -1: lost, but the last words are here */

		const int events = flush == 1 ? POLLIN | POLLOUT : POLLIN;
		const int fd = PQsocket(pq);
		const int ready =
			fd < 0 ? POLLIN : socket_wait(fd, (short)events, clock, deadline_ns);

		if (ready == 0) {
			conn->places.places[conn->current].is_silent = true;
			conn->is_unanswered = true;
			err_set(e, ERR_DEADLINE, "no answer in time");
			return POSTGRES_UNKNOWN;
		}
		if (ready == -1) {
			conn->is_unanswered = true;
			err_set(e, ERR_LIMIT, "wait for the answer: %s", strerror(errno));
			return POSTGRES_UNKNOWN;
		}
		/* libpq tells a lost connection in the next result, after what arrived before it.
		 */
		if ((ready & ~POLLOUT) != 0 && PQconsumeInput(pq) != 1 && PQisBusy(pq) != 0) {
			char text[STABLE_TEXT_BYTES];

			err_set(e, ERR_REMOTE, "%s", stable_text(PQerrorMessage(pq), text));
			return POSTGRES_UNKNOWN;
		}
	}
}

bool postgres_wire_take(PGresult *taken_result, struct postgres_answer *answer,
			enum postgres_end *end, struct err *e)
{
	const ExecStatusType status = PQresultStatus(taken_result);
	bool goes_on = true;

	if (status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK) {
		answer->row_count += PQntuples(taken_result);
	} else if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT ||
		   status == PGRES_COPY_BOTH) {
		err_set(e, ERR_INPUT, "COPY is no question a probe can ask; write a select");
		*end = POSTGRES_UNKNOWN;
		goes_on = false;
	} else if (status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY &&
		   *end == POSTGRES_DONE) {
		*end = postgres_wire_error(taken_result, answer, e); /* the first error is the reason */
	}

	if (answer->owned_first == NULL) {
		answer->owned_first = taken_result;
		return goes_on;
	}
	PQclear(taken_result);
	return goes_on;
}

enum postgres_end postgres_wire_finish(struct postgres_conn *conn, const struct clock *clock,
				       int64_t deadline_ns, struct postgres_answer *answer,
				       struct err *e)
{
	enum postgres_end end = POSTGRES_DONE;

	for (;;) {
		struct err lost = { 0 };

		if (postgres_wire_wait(conn, clock, deadline_ns, &lost) != POSTGRES_DONE) {
			/* An ERROR already told that nothing was done; what follows cannot change
			 * it. */
			if (end == POSTGRES_REFUSED)
				return end;
			if (end == POSTGRES_DONE && e != NULL)
				*e = lost;
			return POSTGRES_UNKNOWN;
		}

		PGresult *result = PQgetResult(postgres_conn_pq(conn));

		if (result == NULL) /* ReadyForQuery: only now is it committed */
			break;
		if (!postgres_wire_take(result, answer, &end, e))
			return end;
	}
	answer->is_local_only = conn->is_local_only;
	return end;
}

bool postgres_wire_send(struct postgres_conn *conn, const struct postgres_ask *ask, struct err *e)
{
	static const int all_binary[POSTGRES_VALUES_MAX] = { 1, 1, 1, 1 };
	PGconn *pq = postgres_conn_pq(conn);
	char text[STABLE_TEXT_BYTES];
	int sent;

	assert(ask->value_bytes == NULL || ask->value_count <= POSTGRES_VALUES_MAX);

	if (ask->sql == NULL)
		sent = PQsendQueryPrepared(pq, POSTGRES_STATEMENT, ask->value_count, ask->values,
					   ask->value_bytes,
					   ask->value_bytes == NULL ? NULL : all_binary, 0);
	else
		sent = PQsendQueryParams(pq, ask->sql, ask->value_count, NULL, ask->values, NULL,
					 NULL, 0);
	if (sent != 1)
		return err_set(e, ERR_REMOTE, "%s", stable_text(PQerrorMessage(pq), text));
	if (ask->sql != NULL) /* a million rows are counted, not kept */
		(void)PQsetSingleRowMode(pq);
	return true;
}

/* Everything but a complete answer, or one still to come, ends the connection: after an error too,
   so that the next attempt finds today's primary. */
void postgres_wire_settle(struct postgres_conn *conn, enum postgres_end end)
{
	struct postgres_link *link = &conn->links[conn->current];

	if (end == POSTGRES_DONE) {
		link->stage = POSTGRES_READY;
		if (!link->is_answering && link->patience != NULL)
			patience_answered(link->patience, link->opened_ns);
		link->is_answering = true;
		link->is_unreached_left = false;
	} else if (conn->is_unanswered) {
		link->is_answering = false; /* and ASKED: its backend may hang, and is the last */
	} else {
		postgres_link_drop(link);
	}
}

enum postgres_end postgres_wire_begin(struct postgres_conn *conn, const struct clock *clock,
				      int64_t deadline_ns, struct err *e)
{
	const enum postgres_end end = postgres_conn_connect(conn, clock, deadline_ns, e);

	if (end != POSTGRES_DONE)
		return end;
	conn->is_local_only = false;
	conn->is_unanswered = false;
	conn->links[conn->current].stage = POSTGRES_ASKED;
	conn->links[conn->current].asked_ns = clock_now_ns(clock);
	return end;
}

enum postgres_end postgres_conn_ask(struct postgres_conn *conn, const struct postgres_ask *ask,
				    const struct clock *clock, int64_t deadline_ns,
				    struct postgres_answer *answer, struct err *e)
{
	enum postgres_end end;

	assert(ask->sql != NULL || conn->prepare_sql != NULL);

	end = postgres_wire_begin(conn, clock, deadline_ns, e);
	if (end != POSTGRES_DONE)
		return end;
	end = postgres_wire_send(conn, ask, e)
		      ? postgres_wire_finish(conn, clock, deadline_ns, answer, e)
		      : POSTGRES_UNKNOWN;
	postgres_wire_settle(conn, end);
	return end;
}

void postgres_answer_release(struct postgres_answer *answer)
{
	PQclear(answer->owned_first);
	*answer = (struct postgres_answer){ 0 };
}

bool postgres_answer_value(const struct postgres_answer *answer, int column, struct text *text)
{
	enum { BOOL_OID = 16 };
	const PGresult *first = answer->owned_first;

	if (answer->row_count == 0 || PQntuples(first) == 0 || column >= PQnfields(first))
		return false;

	const char *value = PQgetvalue(first, 0, column);

	if (PQgetisnull(first, 0, column) == 1)
		text_add(text, "null");
	else if (PQftype(first, column) == BOOL_OID) /* as people and YAML write it */
		text_add(text, value[0] == 't' ? "true" : "false");
	else
		text_add_bytes(text, value, (size_t)PQgetlength(first, 0, column));
	return true;
}

/* Doubles the marks, and the backslashes too where they are escapes. */
static void quote(const char *raw, const char *marks, struct text *text)
{
	text_add_bytes(text, marks, 1);
	for (; *raw != '\0'; raw++) {
		if (strchr(marks, *raw) != NULL)
			text_add_bytes(text, raw, 1);
		text_add_bytes(text, raw, 1);
	}
	text_add_bytes(text, marks, 1);
}

void postgres_quote_name(const char *name, struct text *text)
{
	quote(name, "\"", text);
}

void postgres_quote_text(const char *value, struct text *text)
{
	/* Without E a backslash means what a setting of the server says. */
	text_add(text, " E");
	quote(value, "'\\", text);
}
