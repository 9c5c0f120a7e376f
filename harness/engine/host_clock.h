/*
 * host_clock.h - how far a host's wall clock is from the clock of the run.
 *
 * As NTP does it, over the session that is there anyway: t1 just before the question leaves, t2 and
 * t3 read on the host, t4 when the answer is here. t1 came before t2 and t3 before t4, whatever the
 * way there and back cost, so
 *
 *     t3 - t4 <= offset <= t2 - t1
 *
 * holds without assuming that both ways take as long. Of several rounds the one with the least
 * delay counts: its bound is the narrowest. What it cannot tell: whether the host's clock is right.
 */
#ifndef ENGINE_HOST_CLOCK_H
#define ENGINE_HOST_CLOCK_H

#include "model/verdict.h"
#include "remote/remote.h"

struct host_clock {
	struct span offset; /* the host's wall clock minus the run's clock, at that moment */
	int64_t sent_ns;    /* t1 and t4 of the round that counts */
	int64_t done_ns;
	uint32_t round_count; /* rounds that were answered */
};

bool host_clock_measure(struct remote *remote, struct host_clock *ret_clock, struct err *e);

#endif
