/*
 * grid.h - tables and wrapped sentences for a terminal of a given width.
 *
 * A cell that is too long for its column goes on in the next line. Texts are escaped for the
 * terminal here, so callers hand over raw ones.
 */
#ifndef REPORTS_GRID_H
#define REPORTS_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

enum { GRID_COLUMNS_MAX = 8 };

struct grid_column {
	const char *head;
	bool is_right; /* numbers */
	bool can_wrap; /* gives way when the terminal is narrow; others only when none is left */
};

struct grid {
	const struct grid_column *columns;
	size_t column_count;
	char *(*owned_cells)[GRID_COLUMNS_MAX]; /* escaped */
	const char *(*owned_colours)[GRID_COLUMNS_MAX];
	size_t row_count;
};

/* Columns of a row are filled in order; zero-initialise the grid but for its columns. */
void grid_row(struct grid *grid);
void grid_cell(struct grid *grid, size_t column, const char *raw, const char *colour);
void grid_print(const struct grid *grid, size_t indent, size_t width, bool has_colour,
		struct text *text);
void grid_release(struct grid *grid);

/* A paragraph: `first` (ours, already counted in `indent`) and the sentence, wrapped. */
void grid_sentence(struct text *text, const char *first, size_t indent, size_t width,
		   const char *raw);

#endif
