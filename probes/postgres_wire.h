/*
 * postgres_wire.h - what postgres_conn.c, postgres_link.c, postgres_ask.c, postgres_batch.c and
 * postgres_copy.c share; for nobody else.
 */
#ifndef PROBES_POSTGRES_WIRE_H
#define PROBES_POSTGRES_WIRE_H

#include "probes/postgres_conn.h"
#include "probes/patience.h"

#define POSTGRES_STATEMENT "firedrill"

enum { POSTGRES_VALUES_MAX = 4 }; /* of a statement with binary values */

struct pg_conn; /* libpq's PGconn */

enum postgres_stage {
	POSTGRES_NONE = 0,   /* no connection */
	POSTGRES_CONNECTING, /* PQconnectPoll is not done */
	POSTGRES_PREPARING,  /* the answer to prepare_sql is awaited */
	POSTGRES_ASKED,	     /* a question was sent and its answer is not complete */
	POSTGRES_READY,
};

/* The one connection to a place. */
struct postgres_link {
	struct pg_conn *owned_pq; /* NULL in POSTGRES_NONE */
	enum postgres_stage stage;
	short events;		   /* while connecting: what it waits for */
	const char *session_attrs; /* it was opened with; NULL: those of conninfo */
	int64_t opened_ns;
	int64_t asked_ns;  /* the last question, else opened_ns */
	bool is_answering; /* the last question was answered */
	size_t syncs_owed; /* of a batch: sync points that have not come; then it is in pipeline mode */

	/* These outlive the connection. */
	struct patience *patience; /* NULL: never leaves a hung connection */
	bool is_unreached_left; /* left one whose host did not even acknowledge; until an answer */
	bool is_tried;		/* opened within this attempt */
	bool is_shortage;	/* the last failure was ours */
};

struct postgres_conn {
	struct postgres_places places;
	struct postgres_link links[POSTGRES_PLACES_MAX]; /* links[i] to places.places[i] */
	const char *prepare_sql; /* in the arena of places; NULL: none */
	int64_t first_patience_ns;
	size_t current;	    /* index of the link in use */
	size_t last_good;   /* index of the place connected to last */
	bool is_local_only; /* since the last question */
	bool is_unanswered; /* the last wait for an answer was in vain; the connection is whole */
};

/* The libpq connection in use. */
struct pg_conn *postgres_conn_pq(const struct postgres_conn *conn);

/* Begins to connect. DONE: it is under way. UNSENT or SHORTAGE: the place's failure says why. */
enum postgres_end postgres_link_open(struct postgres_conn *conn, size_t index,
				     const char *session_attrs, int64_t now_ns);
bool postgres_link_is_waiting(const struct postgres_link *link); /* neither NONE nor READY */
short postgres_link_events(const struct postgres_link *link);	 /* what to poll for */
/* Goes on as far as it can without waiting, to READY, or to NONE when it broke. */
void postgres_link_step(struct postgres_conn *conn, size_t index);
/* The host took the TCP connection, so it may have a backend of ours. */
bool postgres_link_is_begun(const struct postgres_link *link);
/* The host's kernel does not acknowledge what we send: it is off, or cut off. */
bool postgres_link_is_unreached(const struct postgres_link *link);
/* READY, and not ended by the other side while it was idle. */
bool postgres_link_is_alive(const struct postgres_link *link);
void postgres_link_drop(struct postgres_link *link); /* waits for nobody */
void postgres_link_end(struct postgres_link *link);  /* politely; only of an idle session */

/* "relation does not exist, SQLSTATE 42P01" */
void postgres_wire_reason(const struct pg_result *result, struct text *text);

/* Connects when needed and marks a question as under way. DONE, UNSENT or SHORTAGE. */
enum postgres_end postgres_wire_begin(struct postgres_conn *conn, const struct clock *clock,
				      int64_t deadline_ns, struct err *e);
/* False, with e: a part may have left, so this is not "nothing was sent". */
bool postgres_wire_send(struct postgres_conn *conn, const struct postgres_ask *ask, struct err *e);
/* Waits until PQgetResult would not block. DONE or UNKNOWN. */
enum postgres_end postgres_wire_wait(struct postgres_conn *conn, const struct clock *clock,
				     int64_t deadline_ns, struct err *e);
/* Files one result. False: no further result will come (somebody asked for COPY). */
bool postgres_wire_take(struct pg_result *taken_result, struct postgres_answer *answer,
			enum postgres_end *end, struct err *e);
/* An error result in words. REFUSED when it certainly means that nothing was done, else UNKNOWN. */
enum postgres_end postgres_wire_error(const struct pg_result *result,
				      struct postgres_answer *answer, struct err *e);
/* What becomes of the connection in use after a question that ended like this. */
void postgres_wire_settle(struct postgres_conn *conn, enum postgres_end end);

/* After a PQsend...: waits until the server is ready again. DONE, REFUSED or UNKNOWN. */
enum postgres_end postgres_wire_finish(struct postgres_conn *conn, const struct clock *clock,
				       int64_t deadline_ns, struct postgres_answer *answer,
				       struct err *e);

#endif
