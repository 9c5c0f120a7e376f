/*
 * serve.h - the daemon: one loop, one thread, from the socket to the signal that ends it.
 *
 * Whatever has to happen at its time is a job: it is called when it is due and says when it wants to be
 * called again. The watchdog of systemd is one; a scheduler is another.
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include <signal.h>

#include "base/clock.h"
#include "model/schedule.h"
#include "serve/web.h"

struct serve_job {
	/* What is due; returns when to be called again, INT64_MAX: not. */
	int64_t (*work)(void *ctx, int64_t now_ns);
	void *ctx;
};

struct serve_request {
	const char *listen;       /* "127.0.0.1:7333" */
	bool is_beyond_loopback;
	const char *const *hosts; /* more names that this server goes by; NULL ends them */
	const char *store_path;
	const char *token_path;   /* of those who may act; NULL: the page is for reading */
	const struct schedule_list *schedules; /* that the pages tell of; NULL: none */
	const struct clock *clock;
	const struct web_limits *limits;
	/* Signals that set these are blocked but while the loop waits: the caller has blocked them. */
	const volatile sig_atomic_t *stop_signal;
	volatile sig_atomic_t *reload_signal; /* set back to 0 */
	/* It listens: for whoever waits for that. */
	void (*on_ready)(void *ctx, const char *url);
	/* Something that the operator should know, and nobody who asks over the network is told. */
	void (*on_trouble)(void *ctx, const struct err *e);
	void *ctx;
};

/* Until stop_signal. False: it could not begin. */
bool serve(const struct serve_request *request, struct err *e);

#endif
