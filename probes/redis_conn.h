/*
 * redis_conn.h - one connection to a Redis server that is a primary, without ever waiting: links.h
 * drives it. hiredis writes and reads the protocol; the socket is ours, so that a deadline is ours.
 */
#ifndef PROBES_REDIS_CONN_H
#define PROBES_REDIS_CONN_H

#include "probes/links.h"

struct redisReply; /* hiredis's */
struct redis_conn;

enum {
	REDIS_COMMANDS_MAX = 3, /* in one question */
	REDIS_WORDS_MAX = 1024, /* in one command */
};

struct redis_want {
	const char *user;     /* NULL: the default user */
	const char *password; /* NULL: none */
	int64_t database;
};

/* What of a service a connection needs. Its strings stay the service's. */
struct redis_want redis_want_of(const struct service *service);

/* struct links_want's conn_want is a struct redis_want. */
extern const struct link_ops redis_link_ops;

struct redis_command {
	const char *words[8];
	size_t word_count;
	const char *const *more_words; /* after words; NULL: none */
	size_t more_count;
};

/* Queues the commands; links_wait then sends them and waits for all replies. */
void redis_conn_ask(struct redis_conn *conn, const struct redis_command *commands, size_t count);

/* The reply to commands[index], until the next question. */
const struct redisReply *redis_conn_reply(const struct redis_conn *conn, size_t index);

#endif
