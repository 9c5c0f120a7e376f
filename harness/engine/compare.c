/*
 * compare.c - see compare.h.
 */
#include "engine/compare.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static double *pick(const struct span *spans, size_t count, bool is_high, double less)
{
	double *items = mem_alloc((count + 1) * sizeof *items);

	for (size_t i = 0; i < count; i++) {
		const int64_t ns = is_high ? spans[i].high_ns : spans[i].low_ns;

		items[i] = (ns == INT64_MAX ? INFINITY : (double)ns) - less;
	}
	return items;
}

/* The later group at its shortest (is_worst false) or at its longest, against the opposite. */
static void measure_case(const struct compare_request *request, bool is_worst,
			 struct rank_test *ret_test, double *ret_a12, double *ret_shift_ns)
{
	double *earlier = pick(request->before, request->before_count, !is_worst, 0);
	double *later = pick(request->after, request->after_count, is_worst, 0);
	const struct values before = { earlier, request->before_count };
	const struct values after = { later, request->after_count };
	const double pairs = (double)before.count * (double)after.count;

	statistics_rank_test(before, after, ret_test);
	*ret_a12 = pairs > 0 ? ret_test->u / pairs : 0.5;
	*ret_shift_ns = statistics_shift(before, after);
	free(earlier);
	free(later);
}

/* Is it shown that the later group is slower by less than the margin? */
static void test_margin(const struct compare_request *request, struct rank_test *ret_test)
{
	double *earlier = pick(request->before, request->before_count, false, 0);
	double *later = pick(request->after, request->after_count, true,
			     (double)request->margin_ns);

	statistics_rank_test((struct values){ earlier, request->before_count },
			     (struct values){ later, request->after_count }, ret_test);
	free(earlier);
	free(later);
}

int64_t compare_margin_ns(const struct span *before, size_t count, int64_t share_ppm)
{
	struct span_summary summary;

	statistics_summarise(before, count, &summary);
	return (int64_t)((double)summary.median.low_ns * (double)share_ppm / 1e6);
}

void compare_groups(const struct compare_request *request, struct comparison *ret_comparison)
{
	const double chance = (1 - request->confidence) * (1 + 1e-9); /* a hair for rounding */
	struct comparison result = { .answer = SLOWER_UNKNOWN };
	struct rank_test worst;

	assert(request->confidence >= 0.5 && request->confidence < 1);
	assert(request->margin_ns >= 0);

	statistics_summarise(request->before, request->before_count, &result.before);
	statistics_summarise(request->after, request->after_count, &result.after);
	measure_case(request, false, &result.slower, &result.a12.low, &result.shift_ns.low);
	measure_case(request, true, &worst, &result.a12.high, &result.shift_ns.high);
	test_margin(request, &result.within);
	result.delta = (struct bounds){ 2 * result.a12.low - 1, 2 * result.a12.high - 1 };
	result.fewest = statistics_fewest(1 - request->confidence);
	if (result.within.p_less <= chance)
		result.answer = SLOWER_NO;
	else if (result.slower.p_greater <= chance)
		result.answer = SLOWER_YES;
	*ret_comparison = result;
}
