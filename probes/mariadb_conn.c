/*
 * mariadb_conn.c - see mariadb_conn.h. libmariadb's own time-outs are the kernel's, so none is set:
 * each of its calls is begun, and gone on with when the socket is ready. A call that is given up has
 * to run to its end all the same, or its socket would leak: the socket is shut first, then it does.
 */
#include "probes/mariadb_conn.h"
#include "base/mem.h"
#include "probes/stable.h"

#include <assert.h>
#include <errno.h>
#include <mariadb/errmsg.h>
#include <mariadb/mysql.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROWS_AT_ONE_STEP = 4096, /* then the deadline is looked at */
	STEPS_TO_END = 64,
};

/* What is under way. */
enum call {
	CALL_NONE = 0,
	CALL_CONNECT,
	CALL_QUERY,
	CALL_FETCH,
};

struct mariadb_conn {
	MYSQL *owned_mysql;
	struct text sql;
	enum call call;
	bool is_begun;	 /* the call was started: now it goes on */
	bool is_open;	 /* the opening is through */
	bool is_resting; /* more rows are there already */
	bool is_refused; /* by a statement of the opening */
	int wait_for;	 /* MYSQL_WAIT_... of the call */
	MYSQL *connected;
	int query_failed;
	MYSQL_RES *owned_result;
	MYSQL_ROW row;
	mariadb_row_fn *row_fn;
	void *row_ctx;
	unsigned error;
	char reason[STABLE_TEXT_BYTES];
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void start_library(void)
{
	(void)mysql_library_init(0, NULL, NULL); /* a failure shows in mysql_init */
}

struct mariadb_want mariadb_want_of(const struct service *service)
{
	return (struct mariadb_want){ .user = params_text(&service->params, "user"),
				      .password = params_text(&service->params, "password"),
				      .database = params_text(&service->params, "database") };
}

/* A primary answers 0. With a 1 somebody might still be allowed to write, to a replica. */
static void take_read_only(void *ctx, const char *const *values, const size_t *lengths_bytes,
			   size_t count)
{
	struct mariadb_conn *conn = ctx;

	(void)lengths_bytes;
	conn->is_refused = count != 1 || values[0] == NULL || strcmp(values[0], "0") != 0;
}

static void *mariadb_open(const void *want_given, const struct link_place *place,
			  struct link_failure *failure)
{
	const struct mariadb_want *want = want_given;
	const enum mysql_protocol_type tcp = MYSQL_PROTOCOL_TCP;
	const unsigned no_files = 0;
	struct mariadb_conn *conn = mem_alloc(sizeof *conn);
	MYSQL *mysql;

	(void)pthread_once(&library_once, start_library);
	mysql = mysql_init(NULL);
	if (mysql == NULL) {
		free(conn);
		(void)snprintf(failure->text, sizeof failure->text, "out of memory");
		failure->is_shortage = true;
		return NULL;
	}
	conn->owned_mysql = mysql;
	(void)mysql_options(mysql, MYSQL_OPT_NONBLOCK, NULL);
	(void)mysql_options(mysql, MYSQL_OPT_PROTOCOL, &tcp);
	(void)mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_files); /* a server may not ask */
	(void)mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	/* An OK is a commit only then, whatever the server's default. */
	(void)mysql_options(mysql, MYSQL_INIT_COMMAND, "set autocommit = 1");
	(void)mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "firedrill");
	conn->call = CALL_CONNECT;
	conn->is_begun = true;
	conn->wait_for = mysql_real_connect_start(&conn->connected, mysql, place->address,
						  want->user, want->password, want->database,
						  place->port, NULL, 0);
	return conn;
}

static int mariadb_fd(const void *state)
{
	return mysql_get_socket(((const struct mariadb_conn *)state)->owned_mysql);
}

static short mariadb_events(const void *state)
{
	const struct mariadb_conn *conn = state;
	short events = 0;

	if (conn->is_resting || conn->call == CALL_NONE)
		return POLLIN | POLLOUT;
	if (conn->wait_for & MYSQL_WAIT_READ)
		events |= POLLIN;
	if (conn->wait_for & MYSQL_WAIT_WRITE)
		events |= POLLOUT;
	if (conn->wait_for & MYSQL_WAIT_EXCEPT)
		events |= POLLPRI;
	return events;
}

/* What of it is there now, in libmariadb's words; 0: nothing. */
static int ready_now(const struct mariadb_conn *conn)
{
	struct pollfd pfd = { .fd = mariadb_fd(conn), .events = mariadb_events(conn) };

	if (pfd.fd < 0)
		return conn->wait_for; /* it will see for itself */
	if (poll(&pfd, 1, 0) != 1)
		return 0;
	if (pfd.revents & (POLLERR | POLLHUP | POLLNVAL))
		return conn->wait_for;
	return (pfd.revents & POLLIN ? MYSQL_WAIT_READ : 0) |
	       (pfd.revents & POLLOUT ? MYSQL_WAIT_WRITE : 0) |
	       (pfd.revents & POLLPRI ? MYSQL_WAIT_EXCEPT : 0);
}

/* Begins the call, or goes on with it; then wait_for is 0 when it is through. */
static void go_on(struct mariadb_conn *conn, int ready)
{
	MYSQL *mysql = conn->owned_mysql;

	switch (conn->call) {
	case CALL_NONE:
		break;
	case CALL_CONNECT:
		conn->wait_for = mysql_real_connect_cont(&conn->connected, mysql, ready);
		break;
	case CALL_QUERY:
		conn->wait_for =
			conn->is_begun
				? mysql_real_query_cont(&conn->query_failed, mysql, ready)
				: mysql_real_query_start(&conn->query_failed, mysql,
							 text_str(&conn->sql),
							 (unsigned long)conn->sql.length_bytes);
		break;
	case CALL_FETCH:
		conn->wait_for = conn->is_begun
					 ? mysql_fetch_row_cont(&conn->row, conn->owned_result,
								ready)
					 : mysql_fetch_row_start(&conn->row, conn->owned_result);
		break;
	}
	conn->is_begun = true;
}

static void begin(struct mariadb_conn *conn, enum call call)
{
	conn->call = call;
	conn->is_begun = false;
	conn->wait_for = 0;
}

static void begin_query(struct mariadb_conn *conn, const char *sql, mariadb_row_fn *row, void *ctx)
{
	text_clear(&conn->sql);
	text_add(&conn->sql, sql);
	conn->row_fn = row;
	conn->row_ctx = ctx;
	conn->error = 0;
	conn->reason[0] = '\0';
	begin(conn, CALL_QUERY);
}

static void give_row(struct mariadb_conn *conn)
{
	enum { COLUMNS_MAX = 8 };
	const unsigned long *lengths = mysql_fetch_lengths(conn->owned_result);
	const unsigned count = mysql_num_fields(conn->owned_result);
	const char *values[COLUMNS_MAX];
	size_t lengths_bytes[COLUMNS_MAX];

	assert(count <= COLUMNS_MAX); /* statements are ours */
	for (unsigned i = 0; i < count; i++) {
		values[i] = conn->row[i];
		lengths_bytes[i] = lengths[i];
	}
	if (conn->row_fn != NULL)
		conn->row_fn(conn->row_ctx, values, lengths_bytes, count);
}

static void free_result(struct mariadb_conn *conn)
{
	if (conn->owned_result != NULL)
		mysql_free_result(conn->owned_result); /* all its rows were read: waits for none */
	conn->owned_result = NULL;
}

/* True when the server said no; false when the connection broke. */
static bool take_error(struct mariadb_conn *conn, struct link_failure *failure)
{
	const unsigned error = mysql_errno(conn->owned_mysql);
	const bool is_clients = error >= CR_MIN_ERROR && error <= CR_MAX_ERROR;
	char text[LINK_FAILURE_BYTES];

	(void)snprintf(text, sizeof text, "%.120s, error %u", mysql_error(conn->owned_mysql),
		       error);
	conn->error = error == 0 ? CR_UNKNOWN_ERROR : error;
	(void)snprintf(conn->reason, sizeof conn->reason, "%s", text);
	(void)snprintf(failure->text, sizeof failure->text, "%s", text);
	return error != 0 && !is_clients;
}

/* libmariadb has no number for it: its words tell. */
static bool is_our_shortage(const MYSQL *mysql_given)
{
	static const int shortages[] = { EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL };
	union {
		const MYSQL *given;
		MYSQL *wanted; /* mysql_error only looks */
	} mysql = { .given = mysql_given };
	const unsigned error = mysql_errno(mysql.wanted);
	const char *text = mysql_error(mysql.wanted);

	if (error == CR_SOCKET_CREATE_ERROR || error == CR_IPSOCK_ERROR ||
	    error == CR_OUT_OF_MEMORY)
		return true;
	for (size_t i = 0; i < sizeof shortages / sizeof shortages[0]; i++) {
		char number[16];

		(void)snprintf(number, sizeof number, "(%d)", shortages[i]);
		if (error >= CR_MIN_ERROR && error <= CR_MAX_ERROR &&
		    (strstr(text, number) != NULL || strstr(text, strerror(shortages[i])) != NULL))
			return true;
	}
	return false;
}

enum went { WENT_ON = 1, WENT_BROKEN, WENT_THROUGH };

/* A call is through: what it came to, and what is next. */
static enum went end_call(struct mariadb_conn *conn, struct link_failure *failure)
{
	const enum call call = conn->call;

	conn->call = CALL_NONE;
	if (call == CALL_CONNECT) {
		if (conn->connected == NULL) {
			(void)take_error(conn, failure);
			failure->is_shortage = is_our_shortage(conn->owned_mysql);
			return WENT_BROKEN;
		}
		begin_query(conn, "select @@global.read_only", take_read_only, conn);
		return WENT_ON;
	}
	if (call == CALL_QUERY && conn->query_failed != 0)
		return take_error(conn, failure) ? WENT_THROUGH : WENT_BROKEN;
	if (call == CALL_QUERY) {
		conn->owned_result = mysql_use_result(conn->owned_mysql); /* reads nothing yet */
		if (conn->owned_result == NULL)
			return WENT_THROUGH;
		begin(conn, CALL_FETCH);
		return WENT_ON;
	}
	if (conn->row != NULL) {
		give_row(conn);
		begin(conn, CALL_FETCH);
		return WENT_ON;
	}
	if (mysql_errno(conn->owned_mysql) != 0 && !take_error(conn, failure)) {
		free_result(conn);
		return WENT_BROKEN;
	}
	free_result(conn);
	return WENT_THROUGH;
}

/* Also after the opening's question. */
static enum link_stage end_statement(struct mariadb_conn *conn, struct link_failure *failure)
{
	if (conn->is_open)
		return LINK_READY;
	if (conn->error != 0)
		return LINK_NONE;
	if (conn->is_refused) {
		(void)snprintf(failure->text, sizeof failure->text,
			       "it is read-only (@@global.read_only), as a replica is");
		return LINK_NONE;
	}
	conn->is_open = true;
	return LINK_READY;
}

static enum link_stage mariadb_step(void *state, struct link_failure *failure)
{
	struct mariadb_conn *conn = state;
	size_t rows = 0;

	if (conn->call == CALL_NONE) /* something came while nobody asked: its last word */
		return LINK_NONE;
	conn->is_resting = false;
	for (;;) {
		if (conn->is_begun && conn->wait_for != 0) {
			const int ready = ready_now(conn);

			if (ready == 0)
				return conn->is_open ? LINK_ASKED : LINK_OPENING;
			go_on(conn, ready);
		} else if (!conn->is_begun) {
			go_on(conn, 0);
		}
		if (conn->wait_for != 0)
			continue;

		const enum went went = end_call(conn, failure);

		if (went == WENT_BROKEN)
			return LINK_NONE;
		if (went == WENT_THROUGH)
			return end_statement(conn, failure);
		if (conn->call == CALL_FETCH && ++rows == ROWS_AT_ONE_STEP) {
			conn->is_resting = true;
			return LINK_ASKED;
		}
	}
}

static void mariadb_close(void *taken_conn, bool is_idle)
{
	struct mariadb_conn *conn = taken_conn;
	const int fd = mariadb_fd(conn);

	conn->row_fn = NULL;
	if (!is_idle && fd >= 0)
		(void)shutdown(fd, SHUT_RDWR); /* nothing waits any more */
	/* What is under way meets the end of the socket, and cleans up. */
	for (size_t i = 0; i < STEPS_TO_END && conn->is_begun && conn->wait_for != 0; i++)
		go_on(conn, conn->wait_for);
	free_result(conn);
	mysql_close(conn->owned_mysql);
	text_release(&conn->sql);
	free(conn);
}

const struct link_ops mariadb_link_ops = {
	.open = mariadb_open,
	.step = mariadb_step,
	.fd = mariadb_fd,
	.events = mariadb_events,
	.close = mariadb_close,
};

void mariadb_conn_ask(struct mariadb_conn *conn, const char *sql, mariadb_row_fn *row, void *ctx)
{
	assert(conn->is_open && conn->call == CALL_NONE);
	begin_query(conn, sql, row, ctx);
}

unsigned mariadb_conn_error(const struct mariadb_conn *conn)
{
	return conn->error;
}

const char *mariadb_conn_reason(const struct mariadb_conn *conn)
{
	return conn->reason;
}
