/*
 * statistics.h - what a few trials allow one to say. Pure: numbers in, numbers out.
 *
 * Sources. The bound on a share: C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial
 * limits illustrated in the case of the binomial", Biometrika 26 (1934) 404-413. Two groups: H. B.
 * Mann, D. R. Whitney, "On a test of whether one of two random variables is stochastically larger
 * than the other", Annals of Mathematical Statistics 18 (1947) 50-60. Its exact distribution, also
 * with ties: B. Streitberg, J. Roehmel, "Exact distributions for permutation and rank tests",
 * Statistical Software Newsletter 12 (1986) 10-17. The shift: J. L. Hodges, E. L. Lehmann,
 * "Estimates of location based on rank tests", same Annals 34 (1963) 598-611. The chance that one
 * value is the greater, A12: A. Vargha, H. D. Delaney, Journal of Educational and Behavioral
 * Statistics 25 (2000) 101-132; Cliff's delta is 2 * A12 - 1. docs/measurement.md has worked
 * examples.
 *
 * It knows nothing of runs: which values go in, and what an answer means, trials.c and compare.c
 * decide.
 */
#ifndef ENGINE_STATISTICS_H
#define ENGINE_STATISTICS_H

#include "model/trials.h"

/*
 * The share of passes that would be seen in the long run is, with this confidence (0 < it < 1), at
 * least (at most) the value returned. One-sided and exact: it holds for every true share, whatever
 * the number of trials. 0 (1) when there is nothing to say. passes <= trials.
 */
double statistics_share_low(uint64_t passes, uint64_t trials, double confidence);
double statistics_share_high(uint64_t passes, uint64_t trials, double confidence);

/* Is statistics_share_low >= share? Asked of the distribution itself, so that no search decides. */
bool statistics_is_share_shown(uint64_t passes, uint64_t trials, double share, double confidence);
/* Is statistics_share_high < share? */
bool statistics_is_share_missed(uint64_t passes, uint64_t trials, double share, double confidence);

/* How many more trials, all of them passed, would show the share; `most` + 1 when more than that. */
uint64_t statistics_trials_more(uint64_t passes, uint64_t trials, double share, double confidence,
				uint64_t most);

/*
 * Order statistics of values that are only known as spans: the k-th smallest value lies between the
 * k-th smallest low and the k-th smallest high, whatever the true values are. high_ns INT64_MAX:
 * not bounded (never recovered). The median of an even number is the mean of the middle two, p95 is
 * the nearest rank: ceil(0.95 * count). count 0: all are 0.
 */
void statistics_summarise(const struct span *spans, size_t count, struct span_summary *ret_summary);

/* Above this many values in a group the normal approximation is taken. */
enum { RANK_EXACT_MOST = 40 };

/*
 * Mann and Whitney's U of `after` over `before`: the pairs in which `after` is the greater, ties
 * counted half. p_greater is the chance of a U as large or larger when both groups are of one
 * kind, p_less of one as small or smaller. Exact, ties or not, up to RANK_EXACT_MOST values in each
 * group, by counting every way to deal the ranks; beyond it normal, with the correction for
 * continuity and for ties. Values may be INFINITY, never NAN. An empty group: RANK_NONE, p 1.
 */
struct values {
	const double *items;
	size_t count;
};

void statistics_rank_test(struct values before, struct values after, struct rank_test *ret_test);

/* Hodges and Lehmann's shift: the median of all differences after - before. NAN: not defined. */
double statistics_shift(struct values before, struct values after);

/* The fewest values in each of two equal groups with which p_greater can be `chance` or less. */
size_t statistics_fewest(double chance);

#endif
