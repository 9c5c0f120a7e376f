/*
 * measure_reads.h - stale and non-monotonic reads, from what each read showed and what the ledger knows.
 * Pure. docs/measurement.md has the definitions, the formulas and examples.
 */
#ifndef ENGINE_MEASURE_READS_H
#define ENGINE_MEASURE_READS_H

#include "base/mem.h"
#include "model/reads.h"
#include "model/timeline.h"

struct reads_request {
	const struct timeline *timeline; /* its EVENT_SHOWNs of the reader */
	const struct track *reader;	 /* NULL: no samples were kept */
	const struct track *ledger;
	const struct ledger_read *settled; /* the final reading of the ledger; NULL: none */
};

void measure_reads(const struct reads_request *request, struct arena *arena,
		   struct reader_result *ret_result);

#endif
