/*
 * strip.h - what a probe saw over a stretch of time, as a row of cells: for the terminal and the
 * picture. May be used while the lanes still write: it reads the state of a sample first.
 */
#ifndef REPORTS_STRIP_H
#define REPORTS_STRIP_H

#include "base/mem.h"
#include "model/timeline.h"
#include "model/verdict.h"

enum strip_cell {
	STRIP_EMPTY = 0, /* nothing was due, or nothing is known yet */
	STRIP_GOOD,
	STRIP_MIXED,     /* good and bad ones */
	STRIP_BAD,
	STRIP_UNSEEN,    /* only skipped or not sampled */
};

enum { STRIP_COLUMNS_MAX = 4096 };

/* Fills `columns` cells for [from, until). A cell narrower than a slot shows the slot it lies in.
 */
void strip_cells(const struct track *track, struct span window, size_t columns,
		 enum strip_cell *ret_cells);

struct strip_style {
	bool has_colour;
	bool is_utf8;
};

/* Appends exactly `columns` visible columns; blocks in UTF-8, ". x # ?" in ASCII. */
void strip_render(const struct track *track, struct span window, size_t columns,
		  const struct strip_style *style, struct text *text);

/* "good . mixed x bad # not seen ?", in the signs of this style. */
const char *strip_legend(const struct strip_style *style);

#endif
