/*
 * postgres_conn.h - one connection to a PostgreSQL service, every step within a deadline of ours.
 *
 * Why not a blocking PQexec: the kernel of a frozen host goes on acknowledging, so no socket option
 * ever fires, and a blocking call hangs for ever.
 *
 * It never heaps connections up on a server that hangs. There a backend in disk wait does not see
 * that its client has gone, so each one left behind stays, until max_connections are used up and
 * the applications are locked out. So what was not answered at the deadline (a request, or a
 * handshake whose TCP connection stands) is kept, and no second connection to that address is
 * opened. The next attempt goes on with it: answered late, it is used; broken, its place is tried
 * anew; still hanging, the other places are tried, and it is waited for until the deadline. When
 * another place is in use, it waits aside, and is closed when it answers.
 *
 * One is left only when
 * - its host's kernel acknowledges nothing (off, or cut off: nothing hangs there): once a lane until
 *   an answer comes, and then like any other;
 * - patience ends (patience.h): after max(5 s, 5 timeouts), then twice that, and so on, and
 *   each time one connection of all lanes of the process that ask this question there. With an
 *   answer on a younger connection the others may leave theirs, for then new ones work.
 * So a server that hangs for T holds at most lanes + log2(T / 5 s) connections of one question.
 * A name with several addresses is several servers here.
 *
 * An answer counts only when the server is ready for the next query: in the extended protocol
 * "INSERT 0 1" comes before the commit, and the commit may still fail.
 */
#ifndef PROBES_POSTGRES_CONN_H
#define PROBES_POSTGRES_CONN_H

#include "base/clock.h"
#include "base/err.h"
#include "probes/postgres_places.h"

struct postgres_conn; /* belongs to one thread */
struct pg_result;     /* libpq's PGresult */

enum postgres_end {
	POSTGRES_DONE = 1, /* answered, committed, ready for the next */
	POSTGRES_REFUSED,  /* the server answered with an error: certainly not done */
	POSTGRES_UNKNOWN,  /* sent, and then no answer that tells */
	POSTGRES_UNSENT,   /* nothing was sent: not connected in time */
	POSTGRES_SHORTAGE, /* nothing was sent, for lack of our own descriptors, memory or ports */
};

/* want->conninfo may go away afterwards. prepare_sql: prepared on each new connection, or NULL. */
bool postgres_conn_open(const struct postgres_want *want, const char *prepare_sql,
			struct postgres_conn **ret_conn, struct err *e);
void postgres_conn_close(struct postgres_conn *conn); /* NULL is fine */

/* Connects unless a connection is there and alive. DONE, UNSENT or SHORTAGE. */
enum postgres_end postgres_conn_connect(struct postgres_conn *conn, const struct clock *clock,
					int64_t deadline_ns, struct err *e);

/* Says goodbye on a connection that has answered, so that the next attempt makes a new one. One that
   still owes an answer is kept, see above. */
void postgres_conn_leave(struct postgres_conn *conn);

struct postgres_ask {
	const char *sql;	   /* one statement; NULL: the prepared one */
	const char *const *values; /* its $1, $2... */
	const int *value_bytes;	   /* of the prepared one: their lengths, and binary; NULL: texts */
	int value_count;
};

/* Zero-initialise; then postgres_answer_release. */
struct postgres_answer {
	struct pg_result *owned_first; /* the first row, or the end when there is none */
	int64_t row_count;
	bool is_local_only; /* acknowledged, but a wait for synchronous replication was cancelled */
	char sqlstate[6];   /* of a REFUSED; else "" */
};

/* Connects when needed, asks, and waits for the end. Without an answer in time the connection is
   kept, see above; after an error it is closed. */
enum postgres_end postgres_conn_ask(struct postgres_conn *conn, const struct postgres_ask *ask,
				    const struct clock *clock, int64_t deadline_ns,
				    struct postgres_answer *answer, struct err *e);
void postgres_answer_release(struct postgres_answer *answer);

/*
 * The prepared statement several times in one go, each a transaction with an answer of its own.
 * begin connects when needed (DONE, UNSENT or SHORTAGE); after DONE, add sends one (false: a part of
 * it may have left, add no more; it counts as sent), and finish waits for the ends of all that were
 * sent. It returns the worst of them: UNKNOWN, REFUSED, or DONE, and e is the reason. What becomes of
 * the connection is as above.
 */
enum postgres_end postgres_batch_begin(struct postgres_conn *conn, const struct clock *clock,
				       int64_t deadline_ns, struct err *e);
bool postgres_batch_add(struct postgres_conn *conn, const struct postgres_ask *ask, struct err *e);
enum postgres_end postgres_batch_finish(struct postgres_conn *conn, size_t sent_count,
					const struct clock *clock, int64_t deadline_ns,
					enum postgres_end *ret_ends, bool *ret_is_local_only,
					struct err *e);

/* The value in the first row's column as text; false when there is no such value. */
bool postgres_answer_value(const struct postgres_answer *answer, int column, struct text *text);

/* A value of a row in the server's binary form, which ends nowhere by itself. */
struct postgres_field {
	const char *bytes; /* NULL: null */
	size_t length_bytes;
};

struct postgres_copy {
	const char *sql; /* "copy (...) to stdout (format binary)" */
	size_t field_count; /* that each row must have; POSTGRES_FIELDS_MAX at most */
	void (*row)(void *ctx, const struct postgres_field *fields);
	int64_t (*heard)(void *ctx, int64_t deadline_ns); /* data came: the deadline for more */
	void *ctx;
};

enum { POSTGRES_FIELDS_MAX = 8 };

/* Streams it. True only when the server said that this was all of it. */
bool postgres_conn_copy(struct postgres_conn *conn, const struct postgres_copy *copy,
			const struct clock *clock, int64_t deadline_ns,
			struct postgres_answer *answer, struct err *e);

/* A name in double quotes, a text in single ones, for SQL. */
void postgres_quote_name(const char *name, struct text *text);
void postgres_quote_text(const char *value, struct text *text);

#endif
