/*
 * postgres_batch.c - see postgres_conn.h: several prepared statements in one go, each a transaction
 * of its own with an answer of its own (libpq's pipeline mode, one sync for each statement).
 *
 * A row's "INSERT 0 1" comes before its commit here as anywhere; only its own sync point, the
 * server's ReadyForQuery behind that commit, says that it is done. What was sent and has not come to
 * its sync point is unknown, whatever the rows before it came to.
 */
#include "probes/postgres_wire.h"
#include "probes/socket.h"
#include "probes/stable.h"

#include <assert.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

/* BindComplete, NoData, CommandComplete "INSERT 0 1" and ReadyForQuery. An error takes more. */
enum { ANSWER_BYTES_LEAST = 5 + 5 + 16 + 6 };

enum postgres_end postgres_batch_begin(struct postgres_conn *conn, const struct clock *clock,
				       int64_t deadline_ns, struct err *e)
{
	const enum postgres_end end = postgres_wire_begin(conn, clock, deadline_ns, e);

	assert(conn->prepare_sql != NULL);
	if (end == POSTGRES_DONE)
		(void)PQenterPipelineMode(postgres_conn_pq(conn)); /* cannot fail on an idle one */
	return end;
}

bool postgres_batch_add(struct postgres_conn *conn, const struct postgres_ask *ask, struct err *e)
{
	PGconn *pq = postgres_conn_pq(conn);
	char text[STABLE_TEXT_BYTES];

	if (!postgres_wire_send(conn, ask, e))
		return false;
	if (PQpipelineSync(pq) != 1)
		return err_set(e, ERR_REMOTE, "%s", stable_text(PQerrorMessage(pq), text));
	conn->links[conn->current].syncs_owed++;
	return true;
}

/* Up to the sync point of one statement. DONE, REFUSED, or UNKNOWN: it was not reached. */
static enum postgres_end finish_one(struct postgres_conn *conn, const struct clock *clock,
				    int64_t deadline_ns, struct postgres_answer *answer,
				    bool *ret_is_over, struct err *e)
{
	enum postgres_end end = POSTGRES_DONE;
	bool was_end = false; /* of the statement's own results: one NULL, and then the sync */

	for (;;) {
		PGresult *result;

		if (postgres_wire_wait(conn, clock, deadline_ns, end == POSTGRES_DONE ? e : NULL) !=
		    POSTGRES_DONE)
			break;
		result = PQgetResult(postgres_conn_pq(conn));
		if (result == NULL && was_end)
			break; /* the connection is gone: nothing more will come */
		was_end = result == NULL;
		if (result == NULL)
			continue;
		if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			conn->links[conn->current].syncs_owed--;
			return end;
		}
		if (!postgres_wire_take(result, answer, &end, e))
			break;
	}
	/* An ERROR already told that nothing was done; what follows cannot change it. */
	*ret_is_over = true;
	if (end == POSTGRES_DONE && e != NULL && e->kind == ERR_NONE)
		err_set(e, ERR_REMOTE, "the connection ended before the answer");
	return end == POSTGRES_REFUSED ? end : POSTGRES_UNKNOWN;
}

static void set_low_water(const PGconn *pq, int bytes)
{
	/* Where it cannot be set, we wake up more often. */
	(void)setsockopt(PQsocket(pq), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

/* Sleeps until all the answers can be there, instead of waking up for each. An end of the connection
   and the deadline wake us, too; then what has come by then is read. */
static void wait_for_all(struct postgres_conn *conn, size_t count, const struct clock *clock,
			 int64_t deadline_ns)
{
	PGconn *pq = postgres_conn_pq(conn);

	if (count == 0 || PQstatus(pq) != CONNECTION_OK || PQflush(pq) != 0)
		return;
	set_low_water(pq, (int)count * ANSWER_BYTES_LEAST);
	(void)socket_wait(PQsocket(pq), POLLIN, clock, deadline_ns);
	set_low_water(pq, 1);
}

enum postgres_end postgres_batch_finish(struct postgres_conn *conn, size_t sent_count,
					const struct clock *clock, int64_t deadline_ns,
					enum postgres_end *ret_ends, bool *ret_is_local_only,
					struct err *e)
{
	struct postgres_link *link = &conn->links[conn->current];
	const size_t awaited_count = link->syncs_owed; /* the last add may have failed */
	enum postgres_end all = POSTGRES_DONE;
	bool is_over = false;

	wait_for_all(conn, awaited_count, clock, deadline_ns);
	for (size_t i = 0; i < sent_count; i++) {
		struct postgres_answer answer = { 0 };
		struct err own = { 0 };

		is_over = is_over || i == awaited_count;
		ret_ends[i] = is_over ? POSTGRES_UNKNOWN
				      : finish_one(conn, clock, deadline_ns, &answer, &is_over,
						   &own);
		postgres_answer_release(&answer);
		if (ret_ends[i] == POSTGRES_DONE || ret_ends[i] == all || all == POSTGRES_UNKNOWN)
			continue;
		if (e != NULL && own.kind != ERR_NONE) /* the reason of the worst */
			*e = own;
		all = ret_ends[i];
	}
	*ret_is_local_only = conn->is_local_only;
	if (!is_over)
		(void)PQexitPipelineMode(link->owned_pq); /* idle: every sync has come */
	postgres_wire_settle(conn, is_over ? POSTGRES_UNKNOWN : all);
	return all;
}
