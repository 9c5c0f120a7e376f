/*
 * compare.h - did recovery become slower? Two groups of observed RTOs in, an answer out. Pure.
 *
 * Every RTO is a span, so each question is asked of the case that is worst for its answer: "slower"
 * of the earlier values at their longest and the later ones at their shortest, "not slower" of the
 * opposite. What is said then holds whatever the true values in the spans are.
 */
#ifndef ENGINE_COMPARE_H
#define ENGINE_COMPARE_H

#include "engine/statistics.h"

struct compare_request {
	const struct span *before; /* high_ns INT64_MAX: never recovered */
	size_t before_count;
	const struct span *after;
	size_t after_count;
	int64_t margin_ns; /* slower by less than this is no matter */
	double confidence; /* of each of the two tests, between 0.5 and 1 */
};

/* Both worst cases of one number. */
struct bounds {
	double low;
	double high;
};

struct comparison {
	enum slower answer;
	struct span_summary before;
	struct span_summary after;
	struct rank_test slower; /* p_greater: as slow as this by chance alone, though it is not */
	struct rank_test within; /* p_less: as fast as this by chance, though slower by the margin */
	struct bounds a12;       /* chance that a later recovery takes longer than an earlier one */
	struct bounds delta;     /* Cliff's: -1 all faster, 0 alike, 1 all slower */
	struct bounds shift_ns;  /* Hodges and Lehmann's; may be infinite, NAN: not defined */
	size_t fewest;           /* in each group, with which anything can be told at all */
};

/* What `compare` takes when nobody says otherwise: a tenth of the base's median, at its shortest. */
int64_t compare_margin_ns(const struct span *before, size_t count, int64_t share_ppm);
enum { COMPARE_MARGIN_PPM = 100000, COMPARE_CONFIDENCE_PPM = 950000 };

/*
 * SLOWER_NO when the later group is shown to be slower by less than the margin, if at all;
 * SLOWER_YES when that is not so and it is shown to be slower; else SLOWER_UNKNOWN.
 */
void compare_groups(const struct compare_request *request, struct comparison *ret_comparison);

#endif
