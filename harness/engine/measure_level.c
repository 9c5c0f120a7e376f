/*
 * measure_level.c - see measure_level.h.
 */
#include "engine/measure_level.h"

#include <assert.h>
#include <math.h>

#include "engine/measure_latency.h"

/*
 * Attempts that are due in [from, until) and ended in [ended_from, ended_before); of slots without
 * an attempt the due time stands for its end.
 */
struct window {
	int64_t from_ns;
	int64_t until_ns;
	int64_t ended_from_ns;
	int64_t ended_before_ns;
};

static bool is_attempt(const struct sample *sample)
{
	return sample->state == SAMPLE_GOOD || sample->state == SAMPLE_BAD;
}

static bool is_done(const struct measure_request *request, const struct sample *sample)
{
	return request->is_ledger ? sample->write == WRITE_ACKNOWLEDGED
				  : sample->state == SAMPLE_GOOD;
}

static void count_level(const struct measure_request *request, const struct window *window,
			struct service_level *level)
{
	const struct track *track = request->track;
	uint64_t slot;
	uint64_t end;

	measure_slots_due(track, window->from_ns, window->until_ns, &slot, &end);
	for (; slot < end; slot++) {
		const struct sample *sample = &track->samples[slot];
		const int64_t ended_ns =
			is_attempt(sample) ? sample->done_ns : track_due_ns(track, slot);

		if (ended_ns < window->ended_from_ns || ended_ns >= window->ended_before_ns)
			continue;
		level->slot_count++;
		level->good_count += sample->state == SAMPLE_GOOD;
		level->bad_count += sample->state == SAMPLE_BAD;
		level->unseen_count += !is_attempt(sample);
		level->done_count += is_done(request, sample);
	}
}

static void tell_rates(const struct measure_request *request, struct service_level *level)
{
	const uint64_t count = level->slot_count;
	const uint64_t worst_count = level->bad_count + level->unseen_count;

	level->error_low_ppm = 0;
	level->error_high_ppm = 1000000;
	if (count == 0)
		return;
	level->error_low_ppm = (int64_t)(level->bad_count * 1000000 / count);
	level->error_high_ppm = (int64_t)((worst_count * 1000000 + count - 1) / count);
	level->done_milli_per_s =
		(int64_t)((long double)level->done_count * 1000 * NS_PER_S /
			  ((long double)count * (long double)request->track->every_ns));
}

/*
 * Each percentile in a span. Low: what nobody saw was quick, and a failed attempt took its timeout
 * only. High: what nobody saw, and what failed, took forever.
 */
static void tell_latencies(const struct measure_request *request, const struct window *window,
			   struct service_level *level)
{
	struct latency_window values = { .of = LATENCY_LEAST,
					 .from_ns = window->from_ns,
					 .until_ns = window->until_ns,
					 .done_from_ns = window->ended_from_ns,
					 .done_before_ns = window->ended_before_ns,
					 .timeout_ns = request->timeout_ns };
	uint64_t low_ranks[PERCENTILE_COUNT];
	uint64_t high_ranks[PERCENTILE_COUNT];
	int64_t lows_ns[PERCENTILE_COUNT];
	int64_t highs_ns[PERCENTILE_COUNT];
	size_t unseen = 0; /* so many percentiles may have come from slots nobody saw */
	size_t known = 0;  /* so many have a high bound */

	static_assert((int)PERCENTILE_COUNT <= (int)RANKS_AT_MOST, "all in one selection");
	for (size_t i = 0; i < PERCENTILE_COUNT; i++) {
		const uint64_t rank =
			measure_rank_of(level->slot_count, percentile_ppm((enum percentile)i));

		if (rank <= level->unseen_count)
			unseen = i + 1;
		if (rank <= level->good_count && rank > 0)
			known = i + 1;
		low_ranks[i] = rank - (rank < level->unseen_count ? rank : level->unseen_count);
		high_ranks[i] = rank;
	}
	if (unseen < PERCENTILE_COUNT)
		measure_ranks(request->track, &values, low_ranks + unseen,
			      PERCENTILE_COUNT - unseen, lows_ns + unseen);
	values.of = LATENCY_ANSWER;
	if (known > 0)
		measure_ranks(request->track, &values, high_ranks, known, highs_ns);
	for (size_t i = 0; i < PERCENTILE_COUNT; i++)
		level->latency[i] = (struct span){ i < unseen ? 0 : lows_ns[i],
						   i < known ? highs_ns[i] : NEVER_NS };
}

static void tell_level(const struct measure_request *request, const struct window *window,
		       int64_t from_ns, struct service_level *level)
{
	*level = (struct service_level){ .from_ns = from_ns, .until_ns = window->until_ns };
	if (level->until_ns < level->from_ns)
		level->until_ns = level->from_ns;
	count_level(request, window, level);
	tell_rates(request, level);
	tell_latencies(request, window, level);
}

/* part / whole * other_whole / other_part in parts per million; the parts are not 0. */
static long double share_ppm(uint64_t part, uint64_t whole, uint64_t other_part,
			     uint64_t other_whole)
{
	return (long double)part * (long double)other_whole * 1e6L /
	       ((long double)whole * (long double)other_part);
}

/*
 * Throughput kept: done for each slot, as a share of the baseline's. Slots nobody saw may have come
 * to something, on either side. Rounded away from each other, but not by what arithmetic adds.
 */
static void tell_kept(const struct service_level *baseline, struct service_level *level)
{
	const long double ulp = 1e-6L;

	if (baseline->done_count == 0 || level->slot_count == 0)
		return;
	level->has_kept = true;
	level->kept_low_ppm =
		(int64_t)floorl(ulp + share_ppm(level->done_count, level->slot_count,
						baseline->done_count + baseline->unseen_count,
						baseline->slot_count));
	level->kept_high_ppm =
		(int64_t)ceill(share_ppm(level->done_count + level->unseen_count, level->slot_count,
					 baseline->done_count, baseline->slot_count) -
			       ulp);
}

void measure_levels(const struct measure_request *request, int64_t recovered_ns,
		    struct probe_result *ret_result)
{
	const bool has_fault = request->fault.low_ns != 0 || request->fault.high_ns != 0;
	const int64_t harm_ns = has_fault ? request->fault.low_ns : request->end_ns;
	const struct window baseline = { request->baseline_from_ns, request->end_ns, INT64_MIN,
					 has_fault ? harm_ns : INT64_MAX };
	const struct window during = { request->baseline_from_ns, recovered_ns, harm_ns,
				       INT64_MAX };
	const struct window after = { recovered_ns, request->end_ns, INT64_MIN, INT64_MAX };

	assert(recovered_ns >= harm_ns || !has_fault);

	tell_level(request, &baseline, request->baseline_from_ns, &ret_result->baseline);
	ret_result->baseline.until_ns = harm_ns;
	if (has_fault) {
		tell_level(request, &during, harm_ns, &ret_result->during);
		tell_level(request, &after, recovered_ns, &ret_result->after);
	}
	tell_kept(&ret_result->baseline, &ret_result->during);
	tell_kept(&ret_result->baseline, &ret_result->after);
}

enum sight { SIGHT_NONE, SIGHT_WITHIN, SIGHT_OVER };

static enum sight look(const struct measure_request *request, uint64_t slot, int64_t over_ns)
{
	const struct sample *sample = &request->track->samples[slot];

	if (!is_attempt(sample))
		return SIGHT_NONE;
	if (sample->state == SAMPLE_BAD ||
	    sample->done_ns - track_due_ns(request->track, slot) > over_ns)
		return SIGHT_OVER;
	return SIGHT_WITHIN;
}

/* A stretch of time over: proven between its own attempts, possible up to those around it. */
struct slow_time {
	bool is_open;
	bool is_proven; /* an attempt was over, not only unseen */
	int64_t after_ns;
	int64_t first_ns;
	int64_t last_ns;
};

static int64_t later(int64_t a_ns, int64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

static void close_time(const struct measure_request *request, struct slow_time *slow,
		       int64_t until_ns, struct span *total)
{
	if (!slow->is_open)
		return;
	total->high_ns += later(until_ns - slow->after_ns, 0);
	if (slow->is_proven)
		total->low_ns +=
			later(slow->last_ns - later(slow->first_ns, request->fault.high_ns), 0);
	slow->is_open = false;
	slow->is_proven = false;
}

struct span measure_time_over(const struct measure_request *request, int64_t over_ns)
{
	const struct track *track = request->track;
	const int64_t harm_ns = request->fault.low_ns;
	struct slow_time slow = { .after_ns = harm_ns };
	struct span total = { 0, 0 };
	uint64_t slot;
	uint64_t end;

	measure_slots_due(track, request->baseline_from_ns, request->end_ns, &slot, &end);
	for (; slot < end; slot++) {
		const int64_t due_ns = later(track_due_ns(track, slot), harm_ns);
		const struct sample *sample = &track->samples[slot];
		const enum sight sight = look(request, slot, over_ns);

		if ((is_attempt(sample) ? sample->done_ns : track_due_ns(track, slot)) < harm_ns)
			continue;
		if (sight == SIGHT_WITHIN) {
			close_time(request, &slow, due_ns, &total);
			slow.after_ns = due_ns;
			continue;
		}
		slow.is_open = true;
		if (sight == SIGHT_NONE)
			continue;
		if (!slow.is_proven)
			slow.first_ns = due_ns;
		slow.is_proven = true;
		slow.last_ns = due_ns;
	}
	close_time(request, &slow, request->end_ns, &total);
	assert(total.low_ns <= total.high_ns);
	return total;
}
