/*
 * test_statistics.c - bounds, ranks and order statistics against values made by another way.
 *
 * tests/statistics_table.h comes from exact rational arithmetic in Python; see there.
 */
#include "engine/statistics.h"

#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/random.h"
#include "tests/statistics_table.h"
#include "tests/suites.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static double of_ppm(int64_t ppm)
{
	return (double)ppm / 1e6;
}

static void near(double got, double wanted, double relative, const char *what, size_t row)
{
	ck_assert_msg(fabs(got - wanted) <= relative * fmax(fabs(wanted), 1e-300),
		      "%s of row %zu: %.15g, wanted %.15g", what, row, got, wanted);
}

START_TEST(test_statistics_share_bounds_are_clopper_and_pearsons)
{
	for (size_t i = 0; i < COUNT_OF(share_rows); i++) {
		const struct share_row *row = &share_rows[i];
		const double confidence = of_ppm(row->confidence_ppm);

		near(statistics_share_low(row->passes, row->trials, confidence), row->low, 1e-9,
		     "low", i);
		near(statistics_share_high(row->passes, row->trials, confidence), row->high, 1e-9,
		     "high", i);
	}
}
END_TEST

START_TEST(test_statistics_share_low_eighteen_of_eighteen_is_the_textbook_number)
{
	/* All passed: the bound is the n-th root of what is left to chance. */
	near(statistics_share_low(18, 18, 0.95), pow(0.05, 1.0 / 18), 1e-12, "low", 0);
	ck_assert_double_eq_tol(statistics_share_low(18, 18, 0.95), 0.847, 0.0005);
}
END_TEST

START_TEST(test_statistics_share_bounds_of_a_hundred_thousand_are_as_exact)
{
	/* Halved 60 times with 60 digits, in Python's decimal. */
	static const struct {
		uint64_t passes;
		uint64_t trials;
		double low;
		double high;
	} rows[] = {
		{ 85928, 98019, 0.874905357371003950, 0.878370887001797618 },
		{ 99990, 100000, 0.999830383712373686, 0.999945744973310429 },
		{ 50000, 100000, 0.497394282260283486, 0.502605717739716514 },
		{ 3, 100000, 0.0000081769628103875942, 0.0000775347223856474938 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		near(statistics_share_low(rows[i].passes, rows[i].trials, 0.95), rows[i].low, 1e-9,
		     "low", i);
		near(statistics_share_high(rows[i].passes, rows[i].trials, 0.95), rows[i].high, 1e-9,
		     "high", i);
	}
}
END_TEST

START_TEST(test_statistics_share_low_without_trials_says_nothing)
{
	ck_assert_double_eq(statistics_share_low(0, 0, 0.95), 0);
	ck_assert_double_eq(statistics_share_high(0, 0, 0.95), 1);
	ck_assert(!statistics_is_share_shown(0, 0, 0.5, 0.95));
	ck_assert(!statistics_is_share_missed(0, 0, 0.5, 0.95));
}
END_TEST

START_TEST(test_statistics_share_decisions_agree_with_the_bounds)
{
	for (uint64_t trials = 1; trials <= 60; trials += 7)
		for (uint64_t passes = 0; passes <= trials; passes++) {
			const double low = statistics_share_low(passes, trials, 0.9);
			const double high = statistics_share_high(passes, trials, 0.9);

			for (int64_t ppm = 30000; ppm < 1000000; ppm += 97000) {
				const double share = of_ppm(ppm);

				ck_assert(statistics_is_share_shown(passes, trials, share, 0.9) ==
					  (low >= share));
				ck_assert(statistics_is_share_missed(passes, trials, share, 0.9) ==
					  (high < share));
			}
		}
}
END_TEST

/* What the bound promises: wrong at most one time in twenty, whatever the truth is. */
START_TEST(test_statistics_share_low_covers_the_truth_as_often_as_it_says)
{
	struct random dice = random_from_seed(42);
	enum { REPEATS = 4000, TRIALS = 20 };
	double lows[TRIALS + 1];

	for (uint64_t passes = 0; passes <= TRIALS; passes++)
		lows[passes] = statistics_share_low(passes, TRIALS, 0.95);
	for (unsigned share = 50; share < 100; share += 15) {
		size_t wrong_count = 0;

		for (size_t i = 0; i < REPEATS; i++) {
			uint64_t passes = 0;

			for (size_t j = 0; j < TRIALS; j++)
				passes += random_below(&dice, 100) < share ? 1 : 0;
			wrong_count += lows[passes] > share / 100.0;
		}
		ck_assert_msg(wrong_count <= REPEATS * 6 / 100, "share %u: wrong %zu times of %d",
			      share, wrong_count, (int)REPEATS);
	}
}
END_TEST

START_TEST(test_statistics_trials_more_is_the_fewest_that_show_it)
{
	for (size_t i = 0; i < COUNT_OF(more_rows); i++) {
		const struct more_row *row = &more_rows[i];

		ck_assert_uint_eq(statistics_trials_more(row->passes, row->trials,
							 of_ppm(row->share_ppm),
							 of_ppm(row->confidence_ppm), 400),
				  row->more);
	}
	/* The well-known 45 and 59 of "zero failures". */
	ck_assert_uint_eq(statistics_trials_more(0, 0, 0.95, 0.90, LIMIT_TRIALS), 45);
	ck_assert_uint_eq(statistics_trials_more(0, 0, 0.95, 0.95, LIMIT_TRIALS), 59);
}
END_TEST

static void fill(double *doubles, const int *whole, size_t count)
{
	for (size_t i = 0; i < count; i++)
		doubles[i] = whole[i];
}

START_TEST(test_statistics_rank_test_small_groups_agree_with_every_way_to_deal)
{
	for (size_t i = 0; i < COUNT_OF(deal_rows); i++) {
		const struct deal_row *row = &deal_rows[i];
		double before[7];
		double after[7];
		struct rank_test test;

		fill(before, row->before, row->before_count);
		fill(after, row->after, row->after_count);

		const struct values old = { before, row->before_count };
		const struct values new = { after, row->after_count };

		statistics_rank_test(old, new, &test);
		ck_assert_int_eq(test.method, RANK_EXACT);
		near(test.p_greater, row->p_greater, 1e-12, "p_greater", i);
		near(test.p_less, row->p_less, 1e-12, "p_less", i);
		ck_assert_double_eq_tol(statistics_shift(old, new), row->shift, 1e-12);
	}
}
END_TEST

/* Two groups without ties that have exactly this U. */
static void lay_out(const struct even_row *row, double *before, double *after)
{
	unsigned left = row->u;

	for (unsigned i = 0; i < row->before_count; i++)
		before[i] = i;
	for (unsigned i = 0; i < row->after_count; i++) {
		const unsigned above = left < row->before_count ? left : row->before_count;

		after[i] = above - 0.5 + i * 1e-3;
		left -= above;
	}
	ck_assert_uint_eq(left, 0);
}

START_TEST(test_statistics_rank_test_large_groups_agree_with_the_exact_distribution)
{
	for (size_t i = 0; i < COUNT_OF(even_rows); i++) {
		const struct even_row *row = &even_rows[i];
		const bool is_exact = row->before_count <= RANK_EXACT_MOST &&
				      row->after_count <= RANK_EXACT_MOST;
		double before[100];
		double after[100];
		struct rank_test test;

		lay_out(row, before, after);
		statistics_rank_test((struct values){ before, row->before_count },
				     (struct values){ after, row->after_count }, &test);
		ck_assert_double_eq(test.u, row->u);
		ck_assert_int_eq(test.method, is_exact ? RANK_EXACT : RANK_NORMAL);
		if (is_exact) {
			near(test.p_greater, row->p_greater, 1e-9, "p_greater", i);
			near(test.p_less, row->p_less, 1e-9, "p_less", i);
		} else {
			ck_assert_double_eq_tol(test.p_greater, row->p_greater, 5e-4);
			ck_assert_double_eq_tol(test.p_less, row->p_less, 5e-4);
		}
	}
}
END_TEST

START_TEST(test_statistics_rank_test_normal_with_ties_is_near_the_exact_one)
{
	struct random dice = random_from_seed(3);
	double before[RANK_EXACT_MOST + 1];
	double after[RANK_EXACT_MOST + 1];
	struct rank_test exact;
	struct rank_test normal;

	for (size_t i = 0; i <= RANK_EXACT_MOST; i++) {
		before[i] = (double)random_below(&dice, 6);
		after[i] = (double)random_below(&dice, 7);
	}
	/* One value more in each group, the same in both: next to nothing changes but the method. */
	statistics_rank_test((struct values){ before, RANK_EXACT_MOST },
			     (struct values){ after, RANK_EXACT_MOST }, &exact);
	before[RANK_EXACT_MOST] = 3;
	after[RANK_EXACT_MOST] = 3;
	statistics_rank_test((struct values){ before, RANK_EXACT_MOST + 1 },
			     (struct values){ after, RANK_EXACT_MOST + 1 }, &normal);
	ck_assert_int_eq(exact.method, RANK_EXACT);
	ck_assert_int_eq(normal.method, RANK_NORMAL);
	ck_assert_double_eq_tol(normal.p_greater, exact.p_greater, 0.01);
	ck_assert_double_eq_tol(normal.p_less, exact.p_less, 0.01);
}
END_TEST

START_TEST(test_statistics_rank_test_equal_values_tell_nothing)
{
	double same[100];
	struct rank_test test;

	for (size_t i = 0; i < 100; i++)
		same[i] = 4.25;
	for (size_t count = 1; count <= 100; count += 99) {
		statistics_rank_test((struct values){ same, count }, (struct values){ same, count },
				     &test);
		ck_assert_double_eq(test.p_greater, 1);
		ck_assert_double_eq(test.p_less, 1);
	}
	statistics_rank_test((struct values){ same, 0 }, (struct values){ same, 3 }, &test);
	ck_assert_int_eq(test.method, RANK_NONE);
	ck_assert(isnan(statistics_shift((struct values){ same, 0 }, (struct values){ same, 3 })));
}
END_TEST

START_TEST(test_statistics_rank_test_what_never_came_is_the_largest)
{
	const double before[] = { 1, 2, 3 };
	const double after[] = { 4, INFINITY, INFINITY };
	struct rank_test test;

	statistics_rank_test((struct values){ before, 3 }, (struct values){ after, 3 }, &test);
	ck_assert_double_eq(test.u, 9);
	near(test.p_greater, 1.0 / 20, 1e-12, "p_greater", 0);
	ck_assert(isinf(statistics_shift((struct values){ before, 3 },
					 (struct values){ after, 3 })));
	ck_assert_double_eq(statistics_shift((struct values){ after + 1, 2 },
					     (struct values){ after + 1, 2 }), 0);
}
END_TEST

START_TEST(test_statistics_fewest_is_where_the_extreme_becomes_rare_enough)
{
	ck_assert_uint_eq(statistics_fewest(0.05), 3);  /* 1 of 20 */
	ck_assert_uint_eq(statistics_fewest(0.01), 5);  /* 1 of 252; 4 give 1 of 70 */
	ck_assert_uint_eq(statistics_fewest(0.5), 1);
	ck_assert_uint_eq(statistics_fewest(0.001), 7); /* 1 of 3432 */
}
END_TEST

START_TEST(test_statistics_summarise_spans_contain_the_order_statistics_of_the_truth)
{
	struct random dice = random_from_seed(11);

	for (size_t round = 0; round < 300; round++) {
		const size_t count = 1 + random_below(&dice, 40);
		struct span spans[40];
		struct span truths[40];
		struct span_summary seen;
		struct span_summary true_ones;

		for (size_t i = 0; i < count; i++) {
			const int64_t truth_ns = (int64_t)random_below(&dice, 1000);

			truths[i] = (struct span){ truth_ns, truth_ns };
			spans[i] = (struct span){ truth_ns - (int64_t)random_below(&dice, 300),
						  truth_ns + (int64_t)random_below(&dice, 300) };
		}
		statistics_summarise(spans, count, &seen);
		statistics_summarise(truths, count, &true_ones);
		ck_assert(seen.min.low_ns <= true_ones.min.low_ns &&
			  true_ones.min.low_ns <= seen.min.high_ns);
		ck_assert(seen.median.low_ns <= true_ones.median.low_ns &&
			  true_ones.median.low_ns <= seen.median.high_ns);
		ck_assert(seen.p95.low_ns <= true_ones.p95.low_ns &&
			  true_ones.p95.low_ns <= seen.p95.high_ns);
		ck_assert(seen.max.low_ns <= true_ones.max.low_ns &&
			  true_ones.max.low_ns <= seen.max.high_ns);
	}
}
END_TEST

START_TEST(test_statistics_summarise_takes_the_nearest_rank)
{
	struct span spans[40];
	struct span_summary summary;

	for (int i = 0; i < 40; i++)
		spans[i] = (struct span){ 40 - i, 41 - i };
	statistics_summarise(spans, 40, &summary);
	ck_assert_int_eq(summary.min.low_ns, 1);
	ck_assert_int_eq(summary.median.low_ns, 20); /* of 20 and 21, rounded down */
	ck_assert_int_eq(summary.p95.low_ns, 38);
	ck_assert_int_eq(summary.max.low_ns, 40);
	statistics_summarise(spans, 19, &summary);
	ck_assert_int_eq(summary.p95.low_ns, summary.max.low_ns); /* fewer than 20 */
	spans[0].high_ns = INT64_MAX;
	statistics_summarise(spans, 2, &summary);
	ck_assert_int_eq(summary.median.high_ns, INT64_MAX);
	ck_assert_int_eq(summary.max.high_ns, INT64_MAX);
	statistics_summarise(NULL, 0, &summary);
	ck_assert_int_eq(summary.max.high_ns, 0);
}
END_TEST

void suite_statistics(Suite *suite)
{
	TCase *share = tcase_create("share");
	TCase *ranks = tcase_create("ranks");

	tcase_add_test(share, test_statistics_share_bounds_are_clopper_and_pearsons);
	tcase_add_test(share, test_statistics_share_low_eighteen_of_eighteen_is_the_textbook_number);
	tcase_add_test(share, test_statistics_share_bounds_of_a_hundred_thousand_are_as_exact);
	tcase_add_test(share, test_statistics_share_low_without_trials_says_nothing);
	tcase_add_test(share, test_statistics_share_decisions_agree_with_the_bounds);
	tcase_add_test(share, test_statistics_share_low_covers_the_truth_as_often_as_it_says);
	tcase_add_test(share, test_statistics_trials_more_is_the_fewest_that_show_it);
	suite_add_tcase(suite, share);
	tcase_add_test(ranks, test_statistics_rank_test_small_groups_agree_with_every_way_to_deal);
	tcase_add_test(ranks,
		       test_statistics_rank_test_large_groups_agree_with_the_exact_distribution);
	tcase_add_test(ranks, test_statistics_rank_test_normal_with_ties_is_near_the_exact_one);
	tcase_add_test(ranks, test_statistics_rank_test_equal_values_tell_nothing);
	tcase_add_test(ranks, test_statistics_rank_test_what_never_came_is_the_largest);
	tcase_add_test(ranks, test_statistics_fewest_is_where_the_extreme_becomes_rare_enough);
	tcase_add_test(ranks,
		       test_statistics_summarise_spans_contain_the_order_statistics_of_the_truth);
	tcase_add_test(ranks, test_statistics_summarise_takes_the_nearest_rank);
	suite_add_tcase(suite, ranks);
}
