/*
 * clock.c - see clock.h.
 */
#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
	struct timespec now;

	const int outcome = clock_gettime(id, &now);

	assert(outcome == 0);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t system_now_ns(void *ctx)
{
	(void)ctx;
	return read_ns(CLOCK_BOOTTIME);
}

static int64_t system_wall_ns(void *ctx)
{
	(void)ctx;
	return read_ns(CLOCK_REALTIME);
}

static void system_sleep_until_ns(void *ctx, int64_t due_ns)
{
	const struct timespec due = { .tv_sec = due_ns / NS_PER_S, .tv_nsec = due_ns % NS_PER_S };

	(void)ctx;
	if (due_ns <= 0)
		return;
	/* EINTR ends the sleep early: the caller looks at the clock again. */
	(void)clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &due, NULL);
}

struct clock clock_system(void)
{
	return (struct clock){
		.now_ns = system_now_ns,
		.sleep_until_ns = system_sleep_until_ns,
		.wall_ns = system_wall_ns,
	};
}

int64_t clock_now_ns(const struct clock *clock)
{
	return clock->now_ns(clock->ctx);
}

void clock_sleep_until_ns(const struct clock *clock, int64_t due_ns)
{
	clock->sleep_until_ns(clock->ctx, due_ns);
}

int64_t clock_wall_ns(const struct clock *clock)
{
	return clock->wall_ns(clock->ctx);
}

int64_t clock_left_ns(const struct clock *clock, int64_t until_ns)
{
	const int64_t now_ns = clock_now_ns(clock);
	const int64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;

	return clock->look_every_ns > 0 && left_ns > clock->look_every_ns ? clock->look_every_ns :
									    left_ns;
}

struct clock_anchor clock_anchor_take(const struct clock *clock)
{
	return (struct clock_anchor){
		.boot_ns = clock_now_ns(clock),
		.wall_ns = clock_wall_ns(clock),
	};
}

int64_t clock_anchor_wall_ns(const struct clock_anchor *anchor, int64_t at_ns)
{
	return anchor->wall_ns + (at_ns - anchor->boot_ns);
}

void clock_format_wall(int64_t wall_ns, char *ret_text, uint64_t text_bytes)
{
	const time_t seconds = wall_ns / NS_PER_S;
	struct tm utc;

	assert(text_bytes >= 32);

	if (wall_ns < 0 || gmtime_r(&seconds, &utc) == NULL) {
		(void)snprintf(ret_text, text_bytes, "unknown");
		return;
	}
	(void)snprintf(ret_text, text_bytes, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		       utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
		       utc.tm_sec, (int)(wall_ns % NS_PER_S / NS_PER_MS));
}
