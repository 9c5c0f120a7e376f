/*
 * postgres.h - what the parts of the PostgreSQL store share; for nobody else.
 *
 * A call has a deadline of ours, whatever the server, the network or libpq do: the kernel of a frozen
 * host goes on acknowledging, so no socket option ever fires.
 */
#ifndef STORE_POSTGRES_H
#define STORE_POSTGRES_H

#include "base/clock.h"
#include "base/secrets.h"
#include "store/sql.h"

struct pg_conn;	  /* libpq's PGconn */
struct pg_result; /* libpq's PGresult */

/* So long without a sign of the server. Shorter than any lease, so that one that hangs does not keep a run
   from healing. */
static const int64_t POSTGRES_ANSWER_NS = 6 * NS_PER_S;

/* The server's own limits. A long series is read in one statement, as long as its rows keep coming; what
   writes is short, and it ends before our patience does: then the connection lives on. */
#define POSTGRES_SESSION_LIMITS                                                                    \
	"set statement_timeout = '10min'; set lock_timeout = '4s';"                                \
	" set idle_in_transaction_session_timeout = '20s'"
#define POSTGRES_WRITE_LIMIT "set local statement_timeout = '5s'"

/* The name under which a store says that something is due: its schema's, and fit for `listen`. */
#define POSTGRES_NEWS "'firedrill_' || md5(current_schema())"

enum {
	POSTGRES_STATEMENTS_MAX = 128, /* different ones of a connection; each stays prepared */
	POSTGRES_HELD_MAX = 8,	       /* names one write holds */
	POSTGRES_HELD_BYTES = 160,
};

struct postgres_store {
	struct sql sql;
	char *owned_url;
	char *owned_name;	/* where it is, for messages */
	struct secrets secrets; /* the password, which must not get into any */
	bool has_own_schema;	/* "firedrill"; else the search_path of the URL says which */

	struct pg_conn *owned_conn; /* NULL: none */
	int64_t answer_ns;	    /* at most, for one answer */
	int64_t deadline_ns;	    /* for all of them; INT64_MAX: none */
	const char *statements[POSTGRES_STATEMENTS_MAX];
	size_t statement_count;
	int64_t schema_found;
	char timeline[16]; /* of the server's history: another one after a failover */

	bool is_listening; /* on this connection */
	bool is_in_step;
	bool is_write;
	bool is_asking; /* a query is under way: one at a time */
	char step_id[32];
	char held[POSTGRES_HELD_MAX][POSTGRES_HELD_BYTES];
	size_t held_count;
	bool may_retry; /* after the last failure: the same work may go through now */
	struct err away; /* after the last failure: why the server is not there; else empty */
};

extern const struct sql_engine sql_engine_postgres;

/* ---- postgres_session.c ---- */

/* A connection that is alive; makes one when there is none and no step is under way. */
bool postgres_session_need(struct postgres_store *store, struct err *e);
void postgres_session_drop(struct postgres_store *store);
/* The next result, NULL when there is no further one. False: none came in time, or the connection is
   lost; it is dropped then. */
bool postgres_session_take(struct postgres_store *store, struct pg_result **ret_result, struct err *e);
/* Statements without parameters; value: the first column of the last row, when there is one. */
bool postgres_session_ask(struct postgres_store *store, const char *statements, struct text *value,
		       struct err *e);
/* What an error of the server means and what to do. Drops the session when that is over. Returns
   false. */
bool postgres_session_fail(struct postgres_store *store, const struct pg_result *result,
			struct err *e);
/* The same when there is no answer: libpq's own words. */
bool postgres_session_fail_lost(struct postgres_store *store, struct err *e);

/* ---- postgres_url.c ---- */

/* What a URL says, to be tried host by host: PQconnectPoll knows no deadline, so the first host that is
   silent would eat the time of all. Values may be a password: never print them. */
struct postgres_target {
	struct arena arena;
	const char **keywords; /* of every place, NULL at the end */
	const char **values;
	size_t host_at, hostaddr_at, port_at; /* indexes in both */
	const char **hosts;		      /* of each place; NULL: not given */
	const char **hostaddrs;
	const char **ports;
	size_t place_count; /* at least 1 */
	int64_t connect_ns;
	bool has_search_path;
};

bool postgres_url_parse(const char *url, struct postgres_target *ret_target, struct err *e);
void postgres_target_release(struct postgres_target *target);

/* ---- postgres_schema.c ---- */

bool postgres_migrate(struct postgres_store *store, struct err *e);

#endif
