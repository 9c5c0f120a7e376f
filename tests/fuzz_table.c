/*
 * fuzz_table.c - the rows of tests/fuzz.h as a table.
 */
#include "tests/fuzz.h"

const struct fuzz_row fuzz_harnesses[] = {
#define X(id) { #id, fuzz_##id },
	FUZZ_ROWS(X)
#undef X
	{ NULL, NULL },
};
