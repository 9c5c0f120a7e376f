/*
 * percentile.c - see percentile.h.
 */
#include "model/percentile.h"

#include <assert.h>

static const struct {
	const char *word;
	int64_t ppm;
} rows[] = {
#define X(id, word, ppm) { word, ppm },
	PERCENTILE_ROWS(X)
#undef X
};

const char *percentile_word(enum percentile percentile)
{
	assert(percentile < PERCENTILE_COUNT);
	return rows[percentile].word;
}

int64_t percentile_ppm(enum percentile percentile)
{
	assert(percentile < PERCENTILE_COUNT);
	return rows[percentile].ppm;
}
