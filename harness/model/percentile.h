/*
 * percentile.h - which percentiles are measured and may be promised. One row each.
 */
#ifndef MODEL_PERCENTILE_H
#define MODEL_PERCENTILE_H

#include <stdint.h>

/* Id, word in documents and reports, share in parts per million. By nearest rank: max is rank n. */
#define PERCENTILE_ROWS(X)        \
	X(P50, "p50", 500000)     \
	X(P95, "p95", 950000)     \
	X(P99, "p99", 990000)     \
	X(P99_9, "p99.9", 999000) \
	X(MAX, "max", 1000000)

enum percentile {
#define X(id, word, ppm) PERCENTILE_##id,
	PERCENTILE_ROWS(X)
#undef X
	PERCENTILE_COUNT,
};

const char *percentile_word(enum percentile percentile);
int64_t percentile_ppm(enum percentile percentile);

#endif
