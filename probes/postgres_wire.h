/*
 * postgres_wire.h - what postgres_conn.c and postgres_ask.c share; for nobody else.
 */
#ifndef PROBES_POSTGRES_WIRE_H
#define PROBES_POSTGRES_WIRE_H

#include "probes/postgres_conn.h"

#define POSTGRES_STATEMENT "firedrill"

struct pg_conn; /* libpq's PGconn */

struct postgres_conn {
	struct postgres_places places;
	const char *prepare_sql;  /* in the arena of places; NULL: none */
	struct pg_conn *owned_pq; /* NULL: not connected */
	size_t current;		  /* index of the place tried or connected to now */
	size_t last_good;	  /* index of the place connected to last */
	bool is_local_only;	  /* since the last question */
};

/* Ends the connection without waiting for anybody. */
void postgres_conn_drop(struct postgres_conn *conn);

/* After a PQsend...: waits until the server is ready again. DONE, REFUSED or UNKNOWN. */
enum postgres_end postgres_wire_finish(struct postgres_conn *conn, const struct clock *clock,
				       int64_t deadline_ns, struct postgres_answer *answer,
				       struct err *e);

#endif
