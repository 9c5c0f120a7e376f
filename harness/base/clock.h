/*
 * clock.h - the one clock, passed in, so that a simulated one fits.
 *
 * All arithmetic is on CLOCK_BOOTTIME nanoseconds in int64_t. Wall time is for people only and is
 * derived from one anchor taken at the start of a run: it never steps during a run.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

struct clock {
	int64_t (*now_ns)(void *ctx);
	/* Returns at due_ns or later; at once when due_ns has passed. Absolute, so nothing drifts. */
	void (*sleep_until_ns)(void *ctx, int64_t due_ns);
	int64_t (*wall_ns)(void *ctx); /* nanoseconds since 1970, for people */
	/* Whoever waits for something else than this clock looks at it again after so long at the
	   latest; 0: need not. */
	int64_t look_every_ns;
	void *ctx;
};

/* The real one: CLOCK_BOOTTIME. A signal ends a sleep early only when it has a handler. */
struct clock clock_system(void);

int64_t clock_now_ns(const struct clock *clock);
void clock_sleep_until_ns(const struct clock *clock, int64_t due_ns);
int64_t clock_wall_ns(const struct clock *clock);

/* How long to wait now for what must not come after until_ns, before the clock is looked at again; 0: it
   is too late. */
int64_t clock_left_ns(const struct clock *clock, int64_t until_ns);

/* Joins the two: wall = anchor.wall_ns + (at_ns - anchor.boot_ns). */
struct clock_anchor {
	int64_t boot_ns;
	int64_t wall_ns;
};

struct clock_anchor clock_anchor_take(const struct clock *clock);
int64_t clock_anchor_wall_ns(const struct clock_anchor *anchor, int64_t at_ns);

/* "2026-11-21T10:20:30.123Z" into text of at least 32 bytes. */
void clock_format_wall(int64_t wall_ns, char *ret_text, uint64_t text_bytes);

#endif
