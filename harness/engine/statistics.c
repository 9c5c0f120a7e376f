/*
 * statistics.c - see statistics.h.
 *
 * The plain definition is computed each time, and no table or series stands between the formula and the
 * number: a thousand pairs of a thousand are nothing. Only a share may be of a hundred thousand drills:
 * there each term is made of the one before it.
 */
#include "engine/statistics.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- a share of passes ---- */

/* log of n!; lgamma itself writes a global. */
static double log_factorial(uint64_t n)
{
	int sign;

	return lgamma_r((double)n + 1, &sign);
}

/* The chance of exactly so many passes in `trials` when each passes with this chance. */
static double chance_of(uint64_t passes, uint64_t trials, double share)
{
	return exp(log_factorial(trials) - log_factorial(passes) - log_factorial(trials - passes) +
		   (double)passes * log(share) + (double)(trials - passes) * log1p(-share));
}

/* And of fewer: away from the middle each is smaller than the one before, until no more is added. */
static double chance_of_fewer(uint64_t passes, uint64_t trials, double share, double chance)
{
	const double odds = (1 - share) / share;
	double sum = 0;

	for (uint64_t i = passes; i > 0 && chance > sum * DBL_EPSILON / 4; i--) {
		chance *= (double)i / (double)(trials - i + 1) * odds;
		sum += chance;
	}
	return sum;
}

static double chance_of_more(uint64_t passes, uint64_t trials, double share, double chance)
{
	const double odds = share / (1 - share);
	double sum = 0;

	for (uint64_t i = passes; i < trials && chance > sum * DBL_EPSILON / 4; i++) {
		chance *= (double)(trials - i) / (double)(i + 1) * odds;
		sum += chance;
	}
	return sum;
}

/* The chance of `least` or more; whichever side of `least` is the smaller one is added up. */
static double chance_of_at_least(uint64_t least, uint64_t trials, double share)
{
	double chance;

	if (least == 0)
		return 1;
	if (share <= 0)
		return 0;
	if (share >= 1)
		return 1;
	chance = chance_of(least, trials, share);
	if ((double)least > (double)trials * share)
		return fmin(1, chance + chance_of_more(least, trials, share, chance));
	return fmax(0, 1 - chance_of_fewer(least, trials, share, chance));
}

/* A hair of room, so that rounding does not turn "exactly" into "not quite". */
static bool is_at_most(double chance, double limit)
{
	return chance <= limit * (1 + 1e-9);
}

bool statistics_is_share_shown(uint64_t passes, uint64_t trials, double share, double confidence)
{
	assert(passes <= trials);
	assert(confidence > 0 && confidence < 1);

	return is_at_most(chance_of_at_least(passes, trials, share), 1 - confidence);
}

/* The other tail is the same one, of what failed. */
bool statistics_is_share_missed(uint64_t passes, uint64_t trials, double share, double confidence)
{
	assert(passes <= trials);
	assert(confidence > 0 && confidence < 1);

	return chance_of_at_least(trials - passes, trials, 1 - share) < 1 - confidence;
}

/* Newton's steps within bounds that close in: the chance of `least` or more grows with the share, by
   least / share times the chance of exactly `least`. */
double statistics_share_low(uint64_t passes, uint64_t trials, double confidence)
{
	enum { STEPS_MOST = 200 }; /* some ten are taken; halving alone would take 60 */
	double low = 0;
	double high = 1;
	double share;

	assert(passes <= trials);
	assert(confidence > 0 && confidence < 1);

	if (passes == 0)
		return 0;
	share = (double)passes / (double)(trials + 1);
	for (int i = 0; i < STEPS_MOST && low < share && share < high; i++) {
		const double over = chance_of_at_least(passes, trials, share) - (1 - confidence);
		const double slope = (double)passes / share * chance_of(passes, trials, share);
		const double next = share - over / slope;

		if (over <= 0)
			low = share;
		else
			high = share;
		if (fabs(next - share) <= share * DBL_EPSILON)
			break;
		share = next > low && next < high ? next : low + (high - low) / 2;
	}
	return share;
}

double statistics_share_high(uint64_t passes, uint64_t trials, double confidence)
{
	assert(passes <= trials);

	return 1 - statistics_share_low(trials - passes, trials, confidence);
}

uint64_t statistics_trials_more(uint64_t passes, uint64_t trials, double share, double confidence,
				uint64_t most)
{
	uint64_t more = 0;

	while (more <= most &&
	       !statistics_is_share_shown(passes + more, trials + more, share, confidence))
		more++;
	return more;
}

/* ---- order statistics of spans ---- */

static int compare_ns(const void *a, const void *b)
{
	const int64_t left = *(const int64_t *)a;
	const int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* Without overflow; what has no upper bound keeps none. */
static int64_t mean_ns(int64_t a_ns, int64_t b_ns)
{
	if (a_ns == INT64_MAX || b_ns == INT64_MAX)
		return INT64_MAX;
	return a_ns + (b_ns - a_ns) / 2;
}

struct ranked {
	int64_t min_ns;
	int64_t median_ns;
	int64_t p95_ns;
	int64_t max_ns;
};

static struct ranked rank(int64_t *values_ns, size_t count)
{
	qsort(values_ns, count, sizeof *values_ns, compare_ns);
	return (struct ranked){
		.min_ns = values_ns[0],
		.median_ns = mean_ns(values_ns[(count - 1) / 2], values_ns[count / 2]),
		.p95_ns = values_ns[(95 * count + 99) / 100 - 1],
		.max_ns = values_ns[count - 1],
	};
}

void statistics_summarise(const struct span *spans, size_t count, struct span_summary *ret_summary)
{
	int64_t *lows_ns;
	int64_t *highs_ns;

	*ret_summary = (struct span_summary){ .min = { 0, 0 } };
	if (count == 0)
		return;
	lows_ns = mem_alloc(count * sizeof *lows_ns);
	highs_ns = mem_alloc(count * sizeof *highs_ns);
	for (size_t i = 0; i < count; i++) {
		assert(spans[i].low_ns <= spans[i].high_ns);
		lows_ns[i] = spans[i].low_ns;
		highs_ns[i] = spans[i].high_ns;
	}

	const struct ranked low = rank(lows_ns, count);
	const struct ranked high = rank(highs_ns, count);

	*ret_summary = (struct span_summary){
		.min = { low.min_ns, high.min_ns },
		.median = { low.median_ns, high.median_ns },
		.p95 = { low.p95_ns, high.p95_ns },
		.max = { low.max_ns, high.max_ns },
	};
	free(lows_ns);
	free(highs_ns);
}

/* ---- two groups ---- */

static int compare_values(const void *a, const void *b)
{
	const double left = *(const double *)a;
	const double right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Both groups in order, and for each place twice its rank: with ties the middle one, still whole. */
struct pooled {
	double *owned_items;
	size_t *owned_ranks2;
	size_t count;
	double tie_sum; /* sum of t^3 - t over groups of t equal values */
};

static struct pooled pool(struct values before, struct values after)
{
	struct pooled pooled = { .count = before.count + after.count };

	pooled.owned_items = mem_alloc(pooled.count * sizeof *pooled.owned_items);
	pooled.owned_ranks2 = mem_alloc(pooled.count * sizeof *pooled.owned_ranks2);
	memcpy(pooled.owned_items, before.items, before.count * sizeof *before.items);
	memcpy(pooled.owned_items + before.count, after.items, after.count * sizeof *after.items);
	qsort(pooled.owned_items, pooled.count, sizeof *pooled.owned_items, compare_values);
	for (size_t from = 0, until; from < pooled.count; from = until) {
		for (until = from; until < pooled.count &&
				   pooled.owned_items[until] == pooled.owned_items[from];
		     until++)
			;
		/* The ranks from + 1 .. until: their mean, twice. */
		for (size_t i = from; i < until; i++)
			pooled.owned_ranks2[i] = from + 1 + until;

		const double ties = (double)(until - from);

		pooled.tie_sum += ties * ties * ties - ties;
	}
	return pooled;
}

static void pool_release(struct pooled *pooled)
{
	free(pooled->owned_items);
	free(pooled->owned_ranks2);
}

static double count_u(struct values before, struct values after)
{
	double u = 0;

	for (size_t i = 0; i < after.count; i++)
		for (size_t j = 0; j < before.count; j++)
			u += after.items[i] > before.items[j]	 ? 1 :
			     after.items[i] == before.items[j] ? 0.5 :
								 0;
	return u;
}

/*
 * ways[k * width + s]: in how many ways k of the pooled places have doubled ranks that sum to s.
 * One place after the other is dealt; the counts stay below C(80, 40) and only ever grow, so a
 * double holds them to 15 digits.
 */
static void test_exactly(const struct pooled *pooled, size_t take, double u,
			 struct rank_test *ret_test)
{
	const size_t width = pooled->count * (pooled->count + 1) + 1;
	/* U = rank sum - take * (take + 1) / 2; all of it twice. */
	const size_t seen = (size_t)llround(2 * u) + take * (take + 1);
	double *ways = mem_alloc((take + 1) * width * sizeof *ways);
	double all = 0;
	double at_least = 0;
	double at_most = 0;

	ways[0] = 1;
	for (size_t i = 0; i < pooled->count; i++) {
		const size_t rank2 = pooled->owned_ranks2[i];

		for (size_t k = take; k > 0; k--)
			for (size_t s = rank2; s < width; s++)
				ways[k * width + s] += ways[(k - 1) * width + s - rank2];
	}
	for (size_t s = 0; s < width; s++) {
		const double count = ways[take * width + s];

		all += count;
		at_least += s >= seen ? count : 0;
		at_most += s <= seen ? count : 0;
	}
	free(ways);
	ret_test->method = RANK_EXACT;
	ret_test->p_greater = at_least / all;
	ret_test->p_less = at_most / all;
}

static void test_normally(const struct pooled *pooled, size_t before_count, size_t after_count,
			  double u, struct rank_test *ret_test)
{
	const double n = (double)pooled->count;
	const double pairs = (double)before_count * (double)after_count;
	const double variance = pairs / 12 * (n + 1 - pooled->tie_sum / (n * (n - 1)));
	const double mean = pairs / 2;

	ret_test->method = RANK_NORMAL;
	ret_test->p_greater = 1;
	ret_test->p_less = 1;
	if (variance <= 0)
		return; /* all values are equal */
	ret_test->p_greater = fmin(1, erfc((u - mean - 0.5) / sqrt(2 * variance)) / 2);
	ret_test->p_less = fmin(1, erfc((mean - u - 0.5) / sqrt(2 * variance)) / 2);
}

void statistics_rank_test(struct values before, struct values after, struct rank_test *ret_test)
{
	*ret_test = (struct rank_test){ .method = RANK_NONE, .p_greater = 1, .p_less = 1 };
	if (before.count == 0 || after.count == 0)
		return;

	struct pooled pooled = pool(before, after);

	ret_test->u = count_u(before, after);
	if (before.count <= RANK_EXACT_MOST && after.count <= RANK_EXACT_MOST)
		test_exactly(&pooled, after.count, ret_test->u, ret_test);
	else
		test_normally(&pooled, before.count, after.count, ret_test->u, ret_test);
	pool_release(&pooled);
}

/* Two that never came differ by nothing that anybody saw. */
static double difference(double after, double before)
{
	return isinf(after) && isinf(before) ? 0 : after - before;
}

double statistics_shift(struct values before, struct values after)
{
	const size_t count = before.count * after.count;
	double *differences;
	size_t filled = 0;
	double shift;

	if (count == 0)
		return NAN;
	differences = mem_alloc(count * sizeof *differences);
	for (size_t i = 0; i < after.count; i++)
		for (size_t j = 0; j < before.count; j++)
			differences[filled++] = difference(after.items[i], before.items[j]);
	qsort(differences, count, sizeof *differences, compare_values);
	shift = (differences[(count - 1) / 2] + differences[count / 2]) / 2;
	free(differences);
	return shift;
}

size_t statistics_fewest(double chance)
{
	double ways = 1; /* to choose `count` of twice as many: only one of them is the extreme */
	size_t count = 0;

	assert(chance > 0);

	while (count < RANK_EXACT_MOST && !is_at_most(1 / ways, chance)) {
		count++;
		ways *= (double)(2 * (2 * count - 1)) / (double)count;
	}
	return count == 0 ? 1 : count;
}
