/*
 * serve.h - the daemon: one loop, one thread, from the socket to the signal that ends it.
 *
 * Whatever has to happen at its time is a job: it is called when it is due and says when it wants to be
 * called again. The watchdog of systemd is one; the processes that work beside the page (keeper.h) are another.
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include <signal.h>

#include "base/clock.h"
#include "model/schedule.h"
#include "serve/web.h"

enum { SERVE_JOBS_MAX = 4 };

struct serve_job {
	/* What is due, also after a process of ours has ended; returns when to be called again, INT64_MAX: not. */
	int64_t (*work)(void *ctx, int64_t now_ns);
	/* A reload was asked for; it is due after that. NULL: nothing to do. */
	void (*reload)(void *ctx);
	/* So many stop signals have come: called with each of them, and whenever it would be due. True: it is over
	   and need not be called any more. NULL: it is over at once. */
	bool (*end)(void *ctx, int stop_count);
	void *ctx;
};

struct serve_request {
	const char *listen;       /* "127.0.0.1:7333" */
	bool is_beyond_loopback;
	const char *const *hosts; /* more names that this server goes by; NULL ends them */
	const char *store_path;
	const char *token_path;   /* of those who may act; NULL: the page is for reading */
	/* The schedules that the pages tell of, as they are written now; those from before when they cannot be read.
	   Called at the beginning and at each reload. NULL: there are none. */
	const struct schedule_list *(*schedules)(void *ctx);
	const struct serve_job *jobs; /* what else has to happen while the page is served */
	size_t job_count;             /* at most SERVE_JOBS_MAX */
	const struct clock *clock;
	const struct web_limits *limits;
	/* Signals that set these are blocked but while the loop waits: the caller has blocked them. */
	const volatile sig_atomic_t *stop_count; /* so many have asked for the end */
	volatile sig_atomic_t *reload_signal;    /* set back to 0 */
	volatile sig_atomic_t *child_signal;     /* a process of ours has ended; set back to 0. NULL: there is none */
	/* It listens: for whoever waits for that. */
	void (*on_ready)(void *ctx, const char *url);
	/* Something that the operator should know, and nobody who asks over the network is told. */
	void (*on_trouble)(void *ctx, const struct err *e);
	void *ctx;
};

/* Until a stop is asked for and every job is over: the page is there until then. False: it could not begin. */
bool serve(const struct serve_request *request, struct err *e);

#endif
