/*
 * host_clock.c - see host_clock.h.
 */
#include "engine/host_clock.h"

#include <inttypes.h>
#include <stdlib.h>

enum { ROUNDS = 8 };

static const int64_t round_timeout_ns = 2 * NS_PER_S;

/* t2 and t3, one a line. A `date` without nanoseconds prints an N and is refused. */
static bool read_times(const struct reply *reply, const struct host *host, int64_t times_ns[2],
		       struct err *e)
{
	const char *rest = text_str(&reply->out);

	for (size_t i = 0; i < 2; i++) {
		char *end = NULL;

		times_ns[i] = (int64_t)strtoll(rest, &end, 10);
		if (end == rest || *end != '\n' || times_ns[i] < 1000000 * NS_PER_S)
			return err_set(e, ERR_REMOTE,
				       "read the clock of %s: `date +%%s%%N` printed no nanoseconds",
				       host->name);
		rest = end + 1;
	}
	if (times_ns[1] < times_ns[0])
		return err_set(e, ERR_REMOTE, "read the clock of %s: it ran backwards", host->name);
	return true;
}

static bool measure_round(struct remote *remote, struct host_clock *ret_round, struct err *e)
{
	static const char *const argv[] = { "sh", "-c", "date +%s%N; date +%s%N", NULL };
	const struct command command = { .argv = argv, .timeout_ns = round_timeout_ns };
	struct reply reply = { 0 };
	int64_t times_ns[2] = { 0 };
	const bool ok = remote_run(remote, &command, &reply, e) &&
			read_times(&reply, remote->host, times_ns, e);

	if (ok)
		*ret_round = (struct host_clock){
			.offset = { times_ns[1] - reply.done_ns, times_ns[0] - reply.sent_ns },
			.sent_ns = reply.sent_ns,
			.done_ns = reply.done_ns,
		};
	reply_release(&reply);
	return ok;
}

static int64_t width_ns(const struct host_clock *clock)
{
	return clock->offset.high_ns - clock->offset.low_ns;
}

bool host_clock_measure(struct remote *remote, struct host_clock *ret_clock, struct err *e)
{
	struct host_clock best = { 0 };
	uint32_t round_count = 0;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct host_clock round = { 0 };

		if (!measure_round(remote, &round, e))
			break;
		/* The host's clock was set between t2 and t3, forwards: the round says nothing. */
		if (round.offset.low_ns > round.offset.high_ns)
			continue;
		if (round_count++ == 0 || width_ns(&round) < width_ns(&best))
			best = round;
	}
	if (round_count == 0)
		return e->kind != ERR_NONE ? false :
					     err_set(e, ERR_REMOTE,
						     "read the clock of %s: it was set while it was "
						     "read", remote->host->name);
	err_clear(e);
	best.round_count = round_count;
	*ret_clock = best;
	return true;
}
