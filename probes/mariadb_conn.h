/*
 * mariadb_conn.h - one connection to a MariaDB or MySQL server that takes writes, without ever
 * waiting: links.h drives it through libmariadb's non-blocking calls.
 */
#ifndef PROBES_MARIADB_CONN_H
#define PROBES_MARIADB_CONN_H

#include "probes/links.h"

struct mariadb_conn;

struct mariadb_want {
	const char *user;
	const char *password; /* NULL: none */
	const char *database;
};

/* What of a service a connection needs. Its strings stay the service's. */
struct mariadb_want mariadb_want_of(const struct service *service);

/* struct links_want's conn_want is a struct mariadb_want. */
extern const struct link_ops mariadb_link_ops;

/* Receives one row; a value that is NULL has no text. */
typedef void mariadb_row_fn(void *ctx, const char *const *values, const size_t *lengths_bytes,
			    size_t count);

/* Begins a statement; links_wait then sends it and waits for all of its answer. row may be NULL. */
void mariadb_conn_ask(struct mariadb_conn *conn, const char *sql, mariadb_row_fn *row, void *ctx);

/* The server's error of the last statement; 0: it was done. */
unsigned mariadb_conn_error(const struct mariadb_conn *conn);
const char *mariadb_conn_reason(const struct mariadb_conn *conn); /* in the server's words */

#endif
