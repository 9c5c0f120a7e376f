/*
 * waits.c - the clock by which the run thread waits for a service: see run.h. It ends nothing by itself:
 * whoever waits by it gives up, because its time is over.
 */
#include "engine/run.h"

#include "base/limits.h"

static const int64_t tick_every_ns = 100 * NS_PER_MS;
/* After a stop: so long may what is under way go on. */
static const int64_t moment_ns = 500 * NS_PER_MS;

int64_t waits_end_ns(const struct run *run)
{
	return run->is_stopping ? run->stopped_ns + moment_ns : INT64_MAX;
}

static int64_t waits_now_ns(void *ctx)
{
	struct run *run = ctx;
	const int64_t now_ns = clock_now_ns(run->clock);

	if (now_ns >= run->waits_tick_due_ns) {
		run->waits_tick_due_ns = now_ns + tick_every_ns; /* first: a tick may look here, too */
		run_tick(run, 0);
	}
	return now_ns >= waits_end_ns(run) ? now_ns + LIMIT_DRILL_NS : now_ns;
}

static void waits_sleep_until_ns(void *ctx, int64_t due_ns)
{
	struct run *run = ctx;
	int64_t now_ns = waits_now_ns(run);

	while (now_ns < due_ns) {
		clock_sleep_until_ns(run->clock, due_ns - now_ns < tick_every_ns ? due_ns :
										   now_ns + tick_every_ns);
		now_ns = waits_now_ns(run);
	}
}

static int64_t waits_wall_ns(void *ctx)
{
	const struct run *run = ctx;

	return clock_wall_ns(run->clock);
}

struct clock waits_clock(struct run *run)
{
	return (struct clock){
		.now_ns = waits_now_ns,
		.sleep_until_ns = waits_sleep_until_ns,
		.wall_ns = waits_wall_ns,
		.look_every_ns = tick_every_ns,
		.ctx = run,
	};
}
