/*
 * reads.h - what a reader beside a ledger found: reads that missed an acknowledged write which was there
 * later (stale), and reads that showed less than an earlier one had shown (non-monotonic). A write that
 * never comes back is lost, which is the ledger's business and counted there.
 */
#ifndef MODEL_READS_H
#define MODEL_READS_H

#include "model/verdict.h"

struct reader_result {
	const char *probe;
	const char *ledger;
	bool is_readable;	   /* false: `error` says why nothing below is known */
	const char *error;
	bool is_settled;	   /* the ledger was read back at the end: what is missing there is lost */
	uint64_t read_count;	   /* reads that were answered */
	uint64_t unseen_count;	   /* slots without a read: skipped or not sampled */
	uint64_t judged_row_count; /* acknowledged before a read began, and not lost */

	uint64_t stale_read_count;
	uint64_t undecided_read_count; /* others that missed what may be late or lost: nobody knows */
	uint64_t stale_row_count;      /* different rows that some read missed */
	uint64_t open_row_count;       /* of them: the last read still missed them */
	/* The longest time after its acknowledgement at which a read missed a write: low is proven; beyond
	   high there is none, in the time that was watched. */
	struct span staleness;
	struct span stale_when; /* from the first stale read's beginning to the last one's end; 0,0 */

	uint64_t non_monotonic_read_count;
	struct span non_monotonic_when;
	uint64_t gone_row_count; /* shown once, then never again */
};

#endif
