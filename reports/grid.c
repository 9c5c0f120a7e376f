/*
 * grid.c - see grid.h.
 */
#include "reports/grid.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "reports/escape.h"
#include "reports/utf8.h"

enum { GRID_GAP = 2, GRID_CELL_MIN = 6 };

static void add_blanks(struct text *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_add(text, " ");
}

/* How many bytes of `at` fit into `room` columns, broken at a blank where there is one. */
static size_t line_bytes(const char *at, size_t room)
{
	const char *next = at;
	const char *blank = NULL;
	size_t used = 0;

	for (;;) {
		const char *here = next;
		const uint32_t character = utf8_next(&next);

		if (character == 0)
			return (size_t)(here - at);
		if (character == ' ')
			blank = here;
		used += utf8_columns_of(character);
		if (used > room) {
			if (blank != NULL && blank > at)
				return (size_t)(blank - at);
			return (size_t)((here == at ? next : here) - at);
		}
	}
}

void grid_row(struct grid *grid)
{
	const size_t count = grid->row_count + 1;

	grid->owned_cells = mem_grow(grid->owned_cells, count * sizeof *grid->owned_cells);
	grid->owned_colours = mem_grow(grid->owned_colours, count * sizeof *grid->owned_colours);
	for (size_t i = 0; i < GRID_COLUMNS_MAX; i++) {
		grid->owned_cells[grid->row_count][i] = NULL;
		grid->owned_colours[grid->row_count][i] = "";
	}
	grid->row_count = count;
}

void grid_cell(struct grid *grid, size_t column, const char *raw, const char *colour)
{
	struct text clean = { 0 };

	assert(grid->row_count > 0);
	assert(column < grid->column_count && column < GRID_COLUMNS_MAX);

	escape_terminal(&clean, raw);
	free(grid->owned_cells[grid->row_count - 1][column]);
	grid->owned_cells[grid->row_count - 1][column] = mem_copy(text_str(&clean));
	grid->owned_colours[grid->row_count - 1][column] = colour == NULL ? "" : colour;
	text_release(&clean);
}

/* Every column as wide as its widest cell; then the wrapping ones give way to fit. */
static void find_widths(const struct grid *grid, size_t room, size_t *ret_widths)
{
	size_t total = GRID_GAP * (grid->column_count - 1);

	for (size_t i = 0; i < grid->column_count; i++) {
		ret_widths[i] = utf8_columns(grid->columns[i].head);
		for (size_t row = 0; row < grid->row_count; row++) {
			const char *cell = grid->owned_cells[row][i];
			const size_t columns = cell == NULL ? 0 : utf8_columns(cell);

			if (columns > ret_widths[i])
				ret_widths[i] = columns;
		}
		total += ret_widths[i];
	}
	for (int pass = 0; pass < 2; pass++)
		while (total > room) {
			size_t widest = SIZE_MAX;

			for (size_t i = 0; i < grid->column_count; i++)
				if ((pass == 1 || grid->columns[i].can_wrap) &&
				    ret_widths[i] > GRID_CELL_MIN &&
				    (widest == SIZE_MAX || ret_widths[i] > ret_widths[widest]))
					widest = i;
			if (widest == SIZE_MAX)
				break;
			ret_widths[widest]--;
			total--;
		}
}

static void print_cell(struct text *text, const char *bytes, size_t length, size_t width,
		       bool is_right, bool is_last)
{
	char *part = mem_alloc(length + 1);

	if (length > 0)
		memcpy(part, bytes, length);

	const size_t used = utf8_columns(part);
	const size_t pad = used < width ? width - used : 0;

	if (is_right)
		add_blanks(text, pad);
	text_add(text, part);
	if (!is_right && !is_last)
		add_blanks(text, pad);
	free(part);
}

static void trim_end(struct text *text)
{
	while (text->length_bytes > 0 && text->owned_bytes[text->length_bytes - 1] == ' ')
		text->owned_bytes[--text->length_bytes] = '\0';
}

static void print_row(const struct grid *grid, char *const *cells, const char *const *colours,
		      const size_t *widths, size_t indent, struct text *text)
{
	const char *rest[GRID_COLUMNS_MAX];
	bool has_more = true;

	for (size_t i = 0; i < grid->column_count; i++)
		rest[i] = cells[i] == NULL ? "" : cells[i];
	while (has_more) {
		has_more = false;
		add_blanks(text, indent);
		for (size_t i = 0; i < grid->column_count; i++) {
			const size_t length = line_bytes(rest[i], widths[i]);
			const bool is_coloured = colours != NULL && colours[i][0] != '\0';

			if (i > 0)
				add_blanks(text, GRID_GAP);
			if (is_coloured)
				text_add(text, colours[i]);
			print_cell(text, rest[i], length, widths[i], grid->columns[i].is_right,
				   i + 1 == grid->column_count);
			if (is_coloured)
				text_add(text, "\x1b[0m");
			rest[i] += length;
			while (*rest[i] == ' ')
				rest[i]++;
			has_more = has_more || *rest[i] != '\0';
		}
		trim_end(text);
		text_add(text, "\n");
	}
}

void grid_print(const struct grid *grid, size_t indent, size_t width, bool has_colour,
		struct text *text)
{
	size_t widths[GRID_COLUMNS_MAX];
	char *heads[GRID_COLUMNS_MAX] = { 0 };

	assert(grid->column_count > 0 && grid->column_count <= GRID_COLUMNS_MAX);

	find_widths(grid, width > indent ? width - indent : 1, widths);
	for (size_t i = 0; i < grid->column_count; i++)
		heads[i] = mem_copy(grid->columns[i].head);
	print_row(grid, heads, NULL, widths, indent, text);
	for (size_t i = 0; i < grid->column_count; i++)
		free(heads[i]);
	for (size_t row = 0; row < grid->row_count; row++)
		print_row(grid, grid->owned_cells[row],
			  has_colour ? grid->owned_colours[row] : NULL, widths, indent, text);
}

void grid_release(struct grid *grid)
{
	for (size_t row = 0; row < grid->row_count; row++)
		for (size_t i = 0; i < GRID_COLUMNS_MAX; i++)
			free(grid->owned_cells[row][i]);
	free(grid->owned_cells);
	free(grid->owned_colours);
}

void grid_sentence(struct text *text, const char *first, size_t indent, size_t width,
		   const char *raw)
{
	const size_t room = width > indent + GRID_CELL_MIN ? width - indent : GRID_CELL_MIN;
	struct text clean = { 0 };

	escape_terminal(&clean, raw);
	text_add(text, first);

	for (const char *rest = text_str(&clean);;) {
		assert(rest != NULL);

		const size_t length = line_bytes(rest, room);

		text_add_bytes(text, rest, length);
		text_add(text, "\n");
		rest += length;
		while (*rest == ' ')
			rest++;
		if (*rest == '\0')
			break;
		add_blanks(text, indent);
	}
	text_release(&clean);
}
