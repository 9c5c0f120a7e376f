/*
 * postgres_copy.c - see postgres_conn.h: COPY in binary, row by row. "File Formats" in the chapter
 * about COPY of the PostgreSQL manual says what is in it.
 *
 * Binary, because the server does less for it than for text, and we hardly anything. The server
 * sends a message for each row, and what comes before the first row and behind the last in any.
 */
#include "probes/postgres_wire.h"
#include "probes/socket.h"
#include "probes/stable.h"

#include <arpa/inet.h>
#include <assert.h>
#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

static const char signature[] = "PGCOPY\n\377\r\n"; /* and its NUL */

/* The rest of a message. */
struct rest {
	const char *bytes;
	size_t length_bytes;
	bool is_broken;
};

static const char *take_bytes(struct rest *rest, size_t count)
{
	const char *bytes = rest->bytes;

	if (count > rest->length_bytes) {
		rest->is_broken = true;
		return NULL;
	}
	rest->bytes += count;
	rest->length_bytes -= count;
	return bytes;
}

static int16_t take_16(struct rest *rest)
{
	uint16_t net = 0;
	const char *bytes = take_bytes(rest, sizeof net);

	if (bytes != NULL)
		memcpy(&net, bytes, sizeof net);
	return (int16_t)ntohs(net);
}

static int32_t take_32(struct rest *rest)
{
	uint32_t net = 0;
	const char *bytes = take_bytes(rest, sizeof net);

	if (bytes != NULL)
		memcpy(&net, bytes, sizeof net);
	return (int32_t)ntohl(net);
}

/* Signature, flags, and an extension that nobody has written yet. */
static void skip_head(struct rest *rest)
{
	const char *found = take_bytes(rest, sizeof signature);
	int32_t extension_bytes;

	if (found == NULL || memcmp(found, signature, sizeof signature) != 0)
		rest->is_broken = true;
	(void)take_32(rest);
	extension_bytes = take_32(rest);
	if (extension_bytes < 0)
		rest->is_broken = true;
	else
		(void)take_bytes(rest, (size_t)extension_bytes);
}

static void take_row(const struct postgres_copy *copy, struct rest *rest)
{
	struct postgres_field fields[POSTGRES_FIELDS_MAX];
	const int16_t field_count = take_16(rest);

	if (field_count == -1) /* the end */
		return;
	if (field_count < 0 || (size_t)field_count != copy->field_count)
		rest->is_broken = true;
	for (size_t i = 0; i < copy->field_count && !rest->is_broken; i++) {
		const int32_t bytes = take_32(rest);

		fields[i].length_bytes = bytes < 0 ? 0 : (size_t)bytes;
		fields[i].bytes = bytes < 0 ? NULL : take_bytes(rest, (size_t)bytes);
	}
	if (!rest->is_broken)
		copy->row(copy->ctx, fields);
}

/* Waits for more data. DONE, or UNKNOWN with e. */
static enum postgres_end wait_data(struct postgres_conn *conn, const struct clock *clock,
				   int64_t deadline_ns, struct err *e)
{
	PGconn *pq = postgres_conn_pq(conn);
	const int ready = socket_wait(PQsocket(pq), POLLIN, clock, deadline_ns);
	char text[STABLE_TEXT_BYTES];

	if (ready == 0) {
		err_set(e, ERR_DEADLINE, "the rows did not all arrive in time");
		return POSTGRES_UNKNOWN;
	}
	if (ready == -1 || PQconsumeInput(pq) != 1) {
		err_set(e, ERR_REMOTE, "%s", stable_text(PQerrorMessage(pq), text));
		return POSTGRES_UNKNOWN;
	}
	return POSTGRES_DONE;
}

/* Reads rows until the end of the data. DONE, or UNKNOWN with e. */
static enum postgres_end copy_rows(struct postgres_conn *conn, const struct postgres_copy *copy,
				   const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	bool is_begun = false;
	bool has_heard = false;

	for (;;) {
		char *owned_bytes = NULL;
		const int length = PQgetCopyData(postgres_conn_pq(conn), &owned_bytes, 1);

		if (length < 0) /* the end or an error: the result that follows says which */
			return POSTGRES_DONE;
		if (length == 0) {
			if (has_heard && copy->heard != NULL)
				deadline_ns = copy->heard(copy->ctx, deadline_ns);
			has_heard = false;
			if (wait_data(conn, clock, deadline_ns, e) != POSTGRES_DONE)
				return POSTGRES_UNKNOWN;
			continue;
		}

		struct rest rest = { .bytes = owned_bytes, .length_bytes = (size_t)length };

		if (!is_begun)
			skip_head(&rest);
		while (rest.length_bytes > 0 && !rest.is_broken)
			take_row(copy, &rest);
		PQfreemem(owned_bytes);
		is_begun = true;
		has_heard = true;
		if (rest.is_broken) {
			err_set(e, ERR_REMOTE, "an answer that is no COPY of %zu columns in binary",
				copy->field_count);
			return POSTGRES_UNKNOWN;
		}
	}
}

/* Sends the COPY and waits for its beginning. */
static enum postgres_end start_copy(struct postgres_conn *conn, const char *sql,
				    const struct clock *clock, int64_t deadline_ns,
				    struct postgres_answer *answer, struct err *e)
{
	PGconn *pq = postgres_conn_pq(conn);
	enum postgres_end end = POSTGRES_UNKNOWN;
	char text[STABLE_TEXT_BYTES];
	PGresult *result;

	if (PQsendQueryParams(pq, sql, 0, NULL, NULL, NULL, NULL, 0) != 1) {
		err_set(e, ERR_REMOTE, "%s", stable_text(PQerrorMessage(pq), text));
		return end;
	}
	end = postgres_wire_wait(conn, clock, deadline_ns, e);
	if (end != POSTGRES_DONE)
		return end;
	result = PQgetResult(pq);
	if (PQresultStatus(result) != PGRES_COPY_OUT)
		end = result == NULL ? POSTGRES_UNKNOWN : postgres_wire_error(result, answer, e);
	PQclear(result);
	return end;
}

bool postgres_conn_copy(struct postgres_conn *conn, const struct postgres_copy *copy,
			const struct clock *clock, int64_t deadline_ns,
			struct postgres_answer *answer, struct err *e)
{
	enum postgres_end end = postgres_conn_connect(conn, clock, deadline_ns, e);

	assert(copy->field_count <= POSTGRES_FIELDS_MAX);

	if (end != POSTGRES_DONE)
		return false;
	end = start_copy(conn, copy->sql, clock, deadline_ns, answer, e);
	if (end == POSTGRES_DONE)
		end = copy_rows(conn, copy, clock, deadline_ns, e);
	if (end == POSTGRES_DONE) {
		if (copy->heard != NULL)
			deadline_ns = copy->heard(copy->ctx, deadline_ns);
		end = postgres_wire_finish(conn, clock, deadline_ns, answer, e);
	}
	if (end != POSTGRES_DONE)
		postgres_link_drop(&conn->links[conn->current]);
	return end == POSTGRES_DONE;
}
