/*
 * measure_latency.h - exact quantiles of latency and lateness over a part of a track.
 *
 * Nearest rank: the value of rank ceil(q * n) of n sorted values, so every figure shown is one that
 * was really observed. Found by selecting digit by digit (radix selection), all ranks in the same
 * passes, which needs no copy of the samples: exact for any number of them, in 80 KiB of stack. So
 * there is no histogram and no relative error to state.
 */
#ifndef ENGINE_MEASURE_LATENCY_H
#define ENGINE_MEASURE_LATENCY_H

#include "model/timeline.h"
#include "model/verdict.h"

enum latency_of {
	LATENCY_ANSWER = 1, /* done - due of good samples: what a user of the service waits */
	LATENCY_START,	    /* sent - due of all attempts: how late our own timetable was */
	LATENCY_LEAST,	    /* as ANSWER; of failed ones what a user waited at least: the timeout */
};

struct latency_window {
	enum latency_of of;
	int64_t from_ns;	/* due at or after it */
	int64_t until_ns;	/* due before it */
	int64_t done_from_ns;	/* and done at or after it */
	int64_t done_before_ns; /* and done before it; INT64_MAX: whenever */
	int64_t timeout_ns;	/* for LATENCY_LEAST */
};

/* All zero when no sample lies in the window. */
void measure_latency(const struct track *track, const struct latency_window *window,
		     struct latency *ret_latency);

enum { RANKS_AT_MOST = 5 };

/*
 * The values of these ranks: from 1, ascending, none beyond the number of values in the window. At
 * most RANKS_AT_MOST of them.
 */
void measure_ranks(const struct track *track, const struct latency_window *window,
		   const uint64_t *ranks, size_t rank_count, int64_t *ret_values_ns);

/* ceil(count * ppm / 1,000,000), at least 1 for any count above 0. */
uint64_t measure_rank_of(uint64_t count, int64_t ppm);

/* The slots due in [from, until): from *ret_first up to and without *ret_end. */
void measure_slots_due(const struct track *track, int64_t from_ns, int64_t until_ns,
		       uint64_t *ret_first, uint64_t *ret_end);

#endif
