/*
 * test_compare.c - did recovery become slower? Each answer, its worst cases, and how often it errs.
 */
#include "engine/compare.h"

#include <math.h>

#include "base/clock.h"
#include "base/random.h"
#include "tests/suites.h"

enum { RUNS = 12 };

static struct span before[RUNS];
static struct span after[RUNS];

/* Values first, first + step, ... known to a width. */
static void lay(struct span *spans, int64_t first_ms, int64_t step_ms, int64_t width_ms)
{
	for (int64_t i = 0; i < RUNS; i++)
		spans[i] = (struct span){ (first_ms + i * step_ms) * NS_PER_MS,
					  (first_ms + i * step_ms + width_ms) * NS_PER_MS };
}

static struct comparison compare(size_t count, int64_t margin_ms)
{
	const struct compare_request request = { .before = before,
						 .before_count = count,
						 .after = after,
						 .after_count = count,
						 .margin_ns = margin_ms * NS_PER_MS,
						 .confidence = 0.95 };
	struct comparison result;

	compare_groups(&request, &result);
	return result;
}

START_TEST(test_compare_groups_far_later_is_slower)
{
	lay(before, 1000, 20, 5);
	lay(after, 3000, 20, 5);

	const struct comparison result = compare(RUNS, 100);

	ck_assert_int_eq(result.answer, SLOWER_YES);
	ck_assert_double_eq(result.a12.low, 1);
	ck_assert_double_eq(result.delta.low, 1);
	ck_assert_double_eq_tol(result.shift_ns.low, 1995e6, 1);
	ck_assert_double_eq_tol(result.shift_ns.high, 2005e6, 1);
	ck_assert_int_eq(result.slower.method, RANK_EXACT);
	ck_assert_int_eq(result.after.min.low_ns, 3000 * NS_PER_MS);
}
END_TEST

START_TEST(test_compare_groups_alike_is_not_slower_by_the_margin)
{
	lay(before, 1000, 20, 5);
	lay(after, 1003, 20, 5);
	ck_assert_int_eq(compare(RUNS, 300).answer, SLOWER_NO);
	ck_assert_int_eq(compare(RUNS, 0).answer, SLOWER_UNKNOWN);
}
END_TEST

START_TEST(test_compare_groups_surely_slower_but_within_the_margin_is_not_slower)
{
	lay(before, 1000, 2, 1);
	lay(after, 1100, 2, 1);
	ck_assert_int_eq(compare(RUNS, 50).answer, SLOWER_YES);
	ck_assert_int_eq(compare(RUNS, 200).answer, SLOWER_NO);
}
END_TEST

START_TEST(test_compare_groups_wide_spans_cannot_tell)
{
	lay(before, 1000, 2, 500);
	lay(after, 1100, 2, 500);

	const struct comparison result = compare(RUNS, 50);

	ck_assert_int_eq(result.answer, SLOWER_UNKNOWN);
	ck_assert_double_lt(result.a12.low, result.a12.high);
}
END_TEST

START_TEST(test_compare_groups_too_few_cannot_tell_and_say_how_many)
{
	lay(before, 1000, 20, 5);
	lay(after, 9000, 20, 5);
	ck_assert_int_eq(compare(2, 100).answer, SLOWER_UNKNOWN);
	ck_assert_uint_eq(compare(2, 100).fewest, 3);
	ck_assert_int_eq(compare(3, 100).answer, SLOWER_YES);
	ck_assert_int_eq(compare(0, 100).answer, SLOWER_UNKNOWN);
	ck_assert(isnan(compare(0, 100).shift_ns.low));
}
END_TEST

START_TEST(test_compare_groups_never_recovered_is_never_not_slower)
{
	lay(before, 1000, 20, 5);
	lay(after, 3000, 20, 5);
	for (size_t i = 0; i < RUNS; i++)
		after[i].high_ns = INT64_MAX;

	const struct comparison result = compare(RUNS, 3600 * 1000);

	ck_assert_int_eq(result.answer, SLOWER_YES); /* by at least two seconds, each */
	ck_assert(isinf(result.shift_ns.high));
}
END_TEST

/* Two groups of one kind: "slower" may be said at most as often as the confidence leaves room for. */
START_TEST(test_compare_groups_of_one_kind_are_seldom_called_slower)
{
	struct random dice = random_from_seed(9);
	size_t wrong_count = 0;

	for (size_t round = 0; round < 1000; round++) {
		for (size_t i = 0; i < 8; i++) {
			const int64_t base_ns = (int64_t)random_below(&dice, 2 * NS_PER_S);
			const int64_t new_ns = (int64_t)random_below(&dice, 2 * NS_PER_S);

			before[i] = (struct span){ base_ns, base_ns };
			after[i] = (struct span){ new_ns, new_ns };
		}
		wrong_count += compare(8, 0).answer == SLOWER_YES;
	}
	ck_assert_uint_le(wrong_count, 70); /* 50 expected at most, and three standard deviations */
	ck_assert_uint_gt(wrong_count, 10); /* and it is no test that never says so */
}
END_TEST

void suite_compare(Suite *suite)
{
	TCase *tcase = tcase_create("compare");

	tcase_add_test(tcase, test_compare_groups_far_later_is_slower);
	tcase_add_test(tcase, test_compare_groups_alike_is_not_slower_by_the_margin);
	tcase_add_test(tcase,
		       test_compare_groups_surely_slower_but_within_the_margin_is_not_slower);
	tcase_add_test(tcase, test_compare_groups_wide_spans_cannot_tell);
	tcase_add_test(tcase, test_compare_groups_too_few_cannot_tell_and_say_how_many);
	tcase_add_test(tcase, test_compare_groups_never_recovered_is_never_not_slower);
	tcase_add_test(tcase, test_compare_groups_of_one_kind_are_seldom_called_slower);
	suite_add_tcase(suite, tcase);
}
