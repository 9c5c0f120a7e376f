/*
 * measure_latency.c - see measure_latency.h.
 */
#include "engine/measure_latency.h"

#include <assert.h>

enum {
	DIGIT_BITS = 11,
	DIGIT_COUNT = 1 << DIGIT_BITS,
};

static bool value_of(const struct track *track, const struct latency_window *window, uint64_t slot,
		     uint64_t *ret_value)
{
	const struct sample *sample = &track->samples[slot];
	const int64_t due_ns = track_due_ns(track, slot);
	const bool is_wanted = sample->state == SAMPLE_GOOD ||
			       (window->of == LATENCY_START && sample->state == SAMPLE_BAD);

	if (!is_wanted || due_ns < window->from_ns || due_ns >= window->until_ns ||
	    sample->done_ns >= window->done_before_ns)
		return false;

	const int64_t value_ns =
		(window->of == LATENCY_START ? sample->sent_ns : sample->done_ns) - due_ns;

	/* An attempt is never sent before it is due; a record that says so counts as punctual. */
	*ret_value = value_ns > 0 ? (uint64_t)value_ns : 0;
	return true;
}

/* The value of this rank (from 1), one digit a pass: keep those that share the digits found. */
static uint64_t select_rank(const struct track *track, const struct latency_window *window,
			    uint64_t rank, uint64_t max)
{
	uint64_t found = 0;
	int shift = 0;

	while (shift + DIGIT_BITS < 64 && max >> (shift + DIGIT_BITS) != 0)
		shift += DIGIT_BITS;
	for (; shift >= 0; shift -= DIGIT_BITS) {
		uint64_t counts[DIGIT_COUNT] = { 0 };
		const int above = shift + DIGIT_BITS;
		uint64_t digit = 0;
		uint64_t value;

		for (uint64_t slot = 0; slot < track->slot_count; slot++)
			if (value_of(track, window, slot, &value) &&
			    (above >= 64 || value >> above == found >> above))
				counts[value >> shift & (DIGIT_COUNT - 1)]++;
		while (rank > counts[digit]) {
			rank -= counts[digit++];
			assert(digit < DIGIT_COUNT);
		}
		found |= digit << shift;
	}
	return found;
}

/* ceil(count * percent / 100), without overflow for any count that fits in memory. */
static uint64_t rank_of(uint64_t count, uint64_t percent)
{
	return (count * percent + 99) / 100;
}

void measure_latency(const struct track *track, const struct latency_window *window,
		     struct latency *ret_latency)
{
	uint64_t count = 0;
	uint64_t max = 0;
	uint64_t value;

	assert(track->samples != NULL || track->slot_count == 0);

	for (uint64_t slot = 0; slot < track->slot_count; slot++) {
		if (!value_of(track, window, slot, &value))
			continue;
		count++;
		if (value > max)
			max = value;
	}
	*ret_latency = (struct latency){ .sample_count = count, .max_ns = (int64_t)max };
	if (count == 0)
		return;
	ret_latency->p50_ns = (int64_t)select_rank(track, window, rank_of(count, 50), max);
	ret_latency->p95_ns = (int64_t)select_rank(track, window, rank_of(count, 95), max);
	ret_latency->p99_ns = (int64_t)select_rank(track, window, rank_of(count, 99), max);
}
