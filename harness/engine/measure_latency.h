/*
 * measure_latency.h - exact quantiles of latency and lateness over a part of a track.
 *
 * Nearest rank: the value of rank ceil(q * n) of n sorted values, so every figure shown is one that
 * was really observed. Found by selecting digit by digit (radix selection), which needs no copy of
 * the samples: exact for any number of them, in 16 KiB.
 */
#ifndef ENGINE_MEASURE_LATENCY_H
#define ENGINE_MEASURE_LATENCY_H

#include "model/timeline.h"
#include "model/verdict.h"

enum latency_of {
	LATENCY_ANSWER = 1, /* done - due of good samples: what a user of the service waits */
	LATENCY_START,	    /* sent - due of all attempts: how late our own timetable was */
};

struct latency_window {
	enum latency_of of;
	int64_t from_ns;	/* due at or after it */
	int64_t until_ns;	/* due before it */
	int64_t done_before_ns; /* and done before it; INT64_MAX: whenever */
};

/* All zero when no sample lies in the window. */
void measure_latency(const struct track *track, const struct latency_window *window,
		     struct latency *ret_latency);

#endif
