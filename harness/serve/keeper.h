/*
 * keeper.h - keeps the processes that work beside the page: commands of this program, started when they are
 * wanted, started again when they end, a little later each time, and ended with the page.
 *
 * A process each, so that nothing they wait for (a store, a channel, a run) holds up the page, and a crash of
 * one is no crash of another.
 */
#ifndef SERVE_KEEPER_H
#define SERVE_KEEPER_H

#include "base/child.h"
#include "base/clock.h"
#include "serve/serve.h"

enum { KEEPER_MAX = 4 };

/* One of them. */
struct kept {
	const char *name;         /* "the worker", in what is said */
	const char *const *words; /* behind the program's name */
	size_t word_count;
	/* 0: it is to go on, and what it says goes where our own words go. Else it ends by itself, is started this
	   long after its last end, and what it says is said when it fails, once for the same. */
	int64_t every_ns;
	int reload_signal;        /* that it wants on a reload; 0: none */
	bool (*is_wanted)(void *ctx); /* false: not started now; asked again soon. NULL: always */
	void *ctx;
};

struct keeper_request {
	const struct kept *kept;
	size_t kept_count; /* at most KEEPER_MAX */
	const struct clock *clock;
	void (*say)(void *ctx, const char *line); /* a line for whoever runs the page */
	void *ctx;
};

/* How long after its end one that is to go on is started again, when it has ended so often soon after its
   start; pure. */
int64_t keeper_wait_ns(unsigned soon_count);

struct keeper;

struct keeper *keeper_open(const struct keeper_request *request);
struct serve_job keeper_job(struct keeper *keeper);
void keeper_close(struct keeper *keeper); /* NULL is fine. Those still there are left to the kernel's SIGINT */

#endif
