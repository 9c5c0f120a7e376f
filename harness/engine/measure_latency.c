/*
 * measure_latency.c - see measure_latency.h.
 */
#include "engine/measure_latency.h"

#include <assert.h>

#include "model/percentile.h"

enum {
	DIGIT_BITS = 11,
	DIGIT_COUNT = 1 << DIGIT_BITS,
};

/* Slots of a track, and which of them count. */
struct scope {
	const struct track *track;
	const struct latency_window *window;
	uint64_t first;
	uint64_t end;
};

/* The first slot that is due at or after at_ns. */
static uint64_t slot_due(const struct track *track, int64_t at_ns)
{
	uint64_t low = 0;
	uint64_t high = track->slot_count;

	while (low < high) {
		const uint64_t middle = low + (high - low) / 2;

		if (track_due_ns(track, middle) < at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void measure_slots_due(const struct track *track, int64_t from_ns, int64_t until_ns,
		       uint64_t *ret_first, uint64_t *ret_end)
{
	*ret_first = slot_due(track, from_ns);
	*ret_end = slot_due(track, until_ns);
	if (*ret_end < *ret_first)
		*ret_end = *ret_first;
}

static struct scope scope_of(const struct track *track, const struct latency_window *window)
{
	struct scope scope = { .track = track, .window = window };

	assert(track->samples != NULL || track->slot_count == 0);

	measure_slots_due(track, window->from_ns, window->until_ns, &scope.first, &scope.end);
	return scope;
}

static bool value_of(const struct scope *scope, uint64_t slot, uint64_t *ret_value)
{
	const struct latency_window *window = scope->window;
	const struct sample *sample = &scope->track->samples[slot];
	const bool is_failed = sample->state == SAMPLE_BAD;

	if ((sample->state != SAMPLE_GOOD && (!is_failed || window->of == LATENCY_ANSWER)) ||
	    sample->done_ns < window->done_from_ns || sample->done_ns >= window->done_before_ns)
		return false;

	const int64_t ended_ns = window->of == LATENCY_START ? sample->sent_ns : sample->done_ns;
	int64_t value_ns = ended_ns - track_due_ns(scope->track, slot);

	if (is_failed && window->of == LATENCY_LEAST && value_ns < window->timeout_ns)
		value_ns = window->timeout_ns;
	/* An attempt is never sent before it is due; a record that says so counts as punctual. */
	*ret_value = value_ns > 0 ? (uint64_t)value_ns : 0;
	return true;
}

static uint64_t count_values(const struct scope *scope, uint64_t *ret_max)
{
	uint64_t count = 0;
	uint64_t value;

	*ret_max = 0;
	for (uint64_t slot = scope->first; slot < scope->end; slot++) {
		if (!value_of(scope, slot, &value))
			continue;
		count++;
		if (value > *ret_max)
			*ret_max = value;
	}
	return count;
}

/* Ranks that share the digits found so far; `found` ascends as the ranks do. */
struct hunt {
	uint64_t found[RANKS_AT_MOST];
	uint64_t left[RANKS_AT_MOST]; /* the rank among those that share them */
	size_t group_of[RANKS_AT_MOST];
	uint64_t prefixes[RANKS_AT_MOST];
	size_t group_count;
	uint64_t counts[RANKS_AT_MOST][DIGIT_COUNT];
};

static uint64_t digits_above(uint64_t value, int shift)
{
	return shift + DIGIT_BITS >= 64 ? 0 : value >> (shift + DIGIT_BITS);
}

static void group_ranks(struct hunt *hunt, size_t rank_count, int shift)
{
	hunt->group_count = 0;
	for (size_t i = 0; i < rank_count; i++) {
		const uint64_t prefix = digits_above(hunt->found[i], shift);

		if (hunt->group_count == 0 || hunt->prefixes[hunt->group_count - 1] != prefix) {
			for (size_t digit = 0; digit < DIGIT_COUNT; digit++)
				hunt->counts[hunt->group_count][digit] = 0;
			hunt->prefixes[hunt->group_count++] = prefix;
		}
		hunt->group_of[i] = hunt->group_count - 1;
	}
}

static void count_digits(const struct scope *scope, struct hunt *hunt, int shift)
{
	uint64_t value;

	for (uint64_t slot = scope->first; slot < scope->end; slot++) {
		if (!value_of(scope, slot, &value))
			continue;

		const uint64_t prefix = digits_above(value, shift);

		for (size_t group = 0; group < hunt->group_count; group++) {
			if (hunt->prefixes[group] != prefix)
				continue;
			hunt->counts[group][value >> shift & (DIGIT_COUNT - 1)]++;
			break;
		}
	}
}

/* One digit a pass, from the highest: keep the values that share the digits found. */
static void select_ranks(const struct scope *scope, const uint64_t *ranks, size_t rank_count,
			 uint64_t max, int64_t *ret_values_ns)
{
	struct hunt hunt = { 0 };
	int shift = 0;

	assert(rank_count <= RANKS_AT_MOST);

	for (size_t i = 0; i < rank_count; i++) {
		assert(ranks[i] > 0 && (i == 0 || ranks[i] >= ranks[i - 1]));
		hunt.left[i] = ranks[i];
	}
	while (shift + DIGIT_BITS < 64 && max >> (shift + DIGIT_BITS) != 0)
		shift += DIGIT_BITS;
	for (; shift >= 0; shift -= DIGIT_BITS) {
		group_ranks(&hunt, rank_count, shift);
		count_digits(scope, &hunt, shift);
		for (size_t i = 0; i < rank_count; i++) {
			const uint64_t *counts = hunt.counts[hunt.group_of[i]];
			uint64_t digit = 0;

			while (hunt.left[i] > counts[digit]) {
				hunt.left[i] -= counts[digit++];
				assert(digit < DIGIT_COUNT);
			}
			hunt.found[i] |= digit << shift;
		}
	}
	for (size_t i = 0; i < rank_count; i++)
		ret_values_ns[i] = (int64_t)hunt.found[i];
}

void measure_ranks(const struct track *track, const struct latency_window *window,
		   const uint64_t *ranks, size_t rank_count, int64_t *ret_values_ns)
{
	const struct scope scope = scope_of(track, window);
	uint64_t max;
	const uint64_t count = count_values(&scope, &max);

	assert(rank_count == 0 || ranks[rank_count - 1] <= count);

	select_ranks(&scope, ranks, rank_count, max, ret_values_ns);
}

uint64_t measure_rank_of(uint64_t count, int64_t ppm)
{
	assert(count <= UINT64_MAX / 1000000 - 1);

	return (count * (uint64_t)ppm + 999999) / 1000000;
}

void measure_latency(const struct track *track, const struct latency_window *window,
		     struct latency *ret_latency)
{
	const struct scope scope = scope_of(track, window);
	uint64_t max;
	const uint64_t count = count_values(&scope, &max);
	const uint64_t ranks[] = {
		measure_rank_of(count, percentile_ppm(PERCENTILE_P50)),
		measure_rank_of(count, percentile_ppm(PERCENTILE_P95)),
		measure_rank_of(count, percentile_ppm(PERCENTILE_P99)),
	};
	int64_t values_ns[3] = { 0 };

	if (count > 0)
		select_ranks(&scope, ranks, 3, max, values_ns);
	*ret_latency = (struct latency){ .sample_count = count,
					 .p50_ns = values_ns[0],
					 .p95_ns = values_ns[1],
					 .p99_ns = values_ns[2],
					 .max_ns = (int64_t)max };
}
