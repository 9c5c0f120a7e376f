/*
 * picture_panel.c - the samples: latency on a log axis, and the strips under it.
 *
 * However many samples there are, one pass brings them down to the lowest and highest good latency
 * and the slowest failure of each column of the picture; only those are drawn.
 */
#include "reports/picture_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "reports/strip.h"
#include "reports/utf8.h"
#include "reports/words.h"

enum { COLUMNS = 780, CELLS = 520, CROSS_GAP = 9, NAME_COLUMNS = 15 };

struct column {
	int64_t low_ns; /* of good samples; 0: none */
	int64_t high_ns;
	int64_t bad_ns; /* of the slowest failure; 0: none */
};

struct scale {
	double low_decade; /* of nanoseconds */
	double high_decade;
};

static void reduce(const struct picture *picture, const struct track *track,
		   struct column columns[COLUMNS])
{
	const double per_ns =
		COLUMNS / (double)(picture->window.high_ns - picture->window.low_ns);

	memset(columns, 0, COLUMNS * sizeof columns[0]);
	for (uint64_t slot = 0; slot < track->slot_count; slot++) {
		const struct sample *sample = &track->samples[slot];
		const int64_t due_ns = track_due_ns(track, slot);
		const double place = (double)(due_ns - picture->window.low_ns) * per_ns;

		if (place < 0 || place >= COLUMNS || sample->done_ns == 0)
			continue;

		struct column *column = &columns[(size_t)place];
		const int64_t took_ns = sample->done_ns > due_ns ? sample->done_ns - due_ns : 1;

		if (sample->state == SAMPLE_BAD && took_ns > column->bad_ns)
			column->bad_ns = took_ns;
		if (sample->state != SAMPLE_GOOD)
			continue;
		if (column->low_ns == 0 || took_ns < column->low_ns)
			column->low_ns = took_ns;
		if (took_ns > column->high_ns)
			column->high_ns = took_ns;
	}
}

static void widen(struct scale *scale, int64_t took_ns)
{
	const double decade = log10((double)took_ns);

	if (decade < scale->low_decade)
		scale->low_decade = decade;
	if (decade > scale->high_decade)
		scale->high_decade = decade;
}

/* Whole decades around all that is shown; at least two, from 1 us up. */
static struct scale find_scale(const struct picture *picture, struct column (*columns)[COLUMNS])
{
	struct scale scale = { 99, 0 };

	for (size_t t = 0; t < picture->track_count; t++)
		for (size_t i = 0; i < COLUMNS; i++) {
			if (columns[t][i].low_ns > 0) {
				widen(&scale, columns[t][i].low_ns);
				widen(&scale, columns[t][i].high_ns);
			}
			if (columns[t][i].bad_ns > 0)
				widen(&scale, columns[t][i].bad_ns);
		}
	if (scale.low_decade > scale.high_decade)
		scale = (struct scale){ 6, 9 };
	scale.low_decade = fmax(3, floor(scale.low_decade));
	scale.high_decade = fmax(scale.low_decade + 2, ceil(scale.high_decade + 0.02));
	return scale;
}

static double y_of(const struct picture *picture, const struct scale *scale, int64_t took_ns)
{
	const double share = (log10((double)took_ns) - scale->low_decade) /
			     (scale->high_decade - scale->low_decade);
	const double y = picture->panel_bottom -
			 share * (picture->panel_bottom - PICTURE_TOP);

	return y > picture->panel_bottom - 1 ? picture->panel_bottom - 1 : y;
}

static void draw_axis(const struct picture *picture, const struct scale *scale)
{
	struct canvas_label label = { .x = PICTURE_LEFT - 10, .size = 13, .align = ALIGN_RIGHT,
				      .colour = PICTURE_MUTED };
	int64_t ns = 1;
	char text[UNITS_TEXT_BYTES];

	for (int decade = 0; decade <= (int)scale->high_decade; decade++, ns *= 10) {
		if (decade < (int)scale->low_decade)
			continue;

		const double y = picture->panel_bottom -
				 (decade - scale->low_decade) /
					 (scale->high_decade - scale->low_decade) *
					 (picture->panel_bottom - PICTURE_TOP);

		canvas_line(picture->canvas, PICTURE_LEFT, y, PICTURE_RIGHT, y, 1, PICTURE_GRID);
		label.y = y + 4.5;
		canvas_text(picture->canvas, &label, units_format_duration(ns, text));
	}
	label.y = PICTURE_TOP - 12;
	label.is_bold = true;
	canvas_text(picture->canvas, &label, "latency");
}

static double column_x(size_t column)
{
	return PICTURE_LEFT +
	       ((double)column + 0.5) * (PICTURE_RIGHT - PICTURE_LEFT) / (double)COLUMNS;
}

static void draw_good(const struct picture *picture, const struct scale *scale,
		      const struct column columns[COLUMNS], const char *colour)
{
	size_t filled = 0;

	for (size_t i = 0; i < COLUMNS; i++)
		filled += columns[i].low_ns != 0;
	/* A few samples must be found by the eye; many must not run together. */
	canvas_strokes_begin(picture->canvas, filled < COLUMNS / 6 ? 5 : 2.8, colour);
	for (size_t i = 0; i < COLUMNS; i++) {
		const double x = column_x(i);

		if (columns[i].low_ns != 0)
			canvas_stroke(picture->canvas, x, y_of(picture, scale, columns[i].low_ns),
				      x, y_of(picture, scale, columns[i].high_ns));
	}
	canvas_strokes_end(picture->canvas);
}

static void draw_bad(const struct picture *picture, const struct scale *scale,
		     const struct column columns[COLUMNS])
{
	double last_x = 0;

	canvas_strokes_begin(picture->canvas, 1.6, PICTURE_BAD);
	for (size_t i = 0; i < COLUMNS; i++) {
		const double x = column_x(i);

		if (columns[i].bad_ns == 0 || x - last_x < CROSS_GAP)
			continue;

		const double y = y_of(picture, scale, columns[i].bad_ns);

		canvas_stroke(picture->canvas, x - 3, y - 3, x + 3, y + 3);
		canvas_stroke(picture->canvas, x - 3, y + 3, x + 3, y - 3);
		last_x = x;
	}
	canvas_strokes_end(picture->canvas);
}

void picture_panel(const struct picture *picture)
{
	struct column(*owned_columns)[COLUMNS] =
		mem_alloc(PICTURE_PROBES_MAX * sizeof *owned_columns);

	for (size_t t = 0; t < picture->track_count; t++)
		reduce(picture, picture->tracks[t], owned_columns[t]);

	const struct scale scale = find_scale(picture, owned_columns);

	draw_axis(picture, &scale);
	for (size_t t = 0; t < picture->track_count; t++)
		draw_bad(picture, &scale, owned_columns[t]);
	for (size_t t = picture->track_count; t-- > 0;)
		draw_good(picture, &scale, owned_columns[t], picture_colour(t));
	free(owned_columns);
}

static void draw_name(const struct picture *picture, double y, const char *name,
		      const char *colour)
{
	const struct canvas_label label = { .x = PICTURE_LEFT - 10, .y = y + 4.5, .size = 13,
					    .align = ALIGN_RIGHT, .is_bold = true,
					    .colour = colour };
	struct text cut = { 0 };

	utf8_add_cut(&cut, name, NAME_COLUMNS);
	canvas_text(picture->canvas, &label, text_str(&cut));
	text_release(&cut);
}

/* Not by colour alone: good is a thin line, bad a full block, not seen a gap with a hair. */
static void draw_run(const struct picture *picture, enum strip_cell cell, double left,
		     double right, double y, const char *colour)
{
	struct canvas *canvas = picture->canvas;

	switch (cell) {
	case STRIP_EMPTY:
		break;
	case STRIP_GOOD:
		canvas_box(canvas, left, y - 2, right, y + 2, colour);
		break;
	case STRIP_MIXED:
		canvas_box(canvas, left, y - 6, right, y + 6, PICTURE_MIXED);
		break;
	case STRIP_BAD:
		canvas_box(canvas, left, y - 9, right, y + 9, PICTURE_BAD);
		break;
	case STRIP_UNSEEN:
		canvas_dashes(canvas, left, y, right, y, 1, PICTURE_SOFT);
		break;
	}
}

static double cell_x(size_t cell)
{
	return PICTURE_LEFT + (double)cell * (PICTURE_RIGHT - PICTURE_LEFT) / (double)CELLS;
}

static void draw_cells(const struct picture *picture, const enum strip_cell cells[CELLS], double y,
		       const char *colour)
{
	size_t next;

	for (size_t first = 0; first < CELLS; first = next) {
		next = first + 1;
		while (next < CELLS && cells[next] == cells[first])
			next++;
		draw_run(picture, cells[first], cell_x(first), cell_x(next), y, colour);
	}
}

/* One cell for each column: lost beats unanswered beats acknowledged; failed is a gap. */
static uint64_t ledger_cells(const struct picture *picture, const struct track *track,
			     const struct ledger_read *read, enum strip_cell cells[CELLS])
{
	static const enum strip_cell of_write[] = {
		[WRITE_NONE] = STRIP_EMPTY, [WRITE_ACKNOWLEDGED] = STRIP_GOOD,
		[WRITE_FAILED] = STRIP_EMPTY, [WRITE_INDETERMINATE] = STRIP_UNSEEN,
	};
	const double per_ns =
		CELLS / (double)(picture->window.high_ns - picture->window.low_ns);
	uint64_t lost_count = 0;

	memset(cells, 0, CELLS * sizeof cells[0]);
	for (uint64_t slot = 0; slot < track->slot_count; slot++) {
		const uint64_t lost_rows = read == NULL ? 0 : facts_lost_rows(track, read, slot);
		const double place =
			(double)(track_due_ns(track, slot) - picture->window.low_ns) * per_ns;
		const enum strip_cell cell =
			lost_rows > 0 ? STRIP_BAD : of_write[track->samples[slot].write];

		lost_count += lost_rows;
		if (place < 0 || place >= CELLS || cell == STRIP_EMPTY)
			continue;

		enum strip_cell *shown = &cells[(size_t)place];

		if (*shown != STRIP_BAD && (cell == STRIP_BAD || *shown != STRIP_UNSEEN))
			*shown = cell;
	}
	/* Slots further apart than cells leave holes that mean nothing. */
	for (size_t i = 1; i < CELLS; i++)
		if (cells[i] == STRIP_EMPTY && cells[i - 1] == STRIP_GOOD &&
		    (double)track->every_ns * per_ns > 1)
			cells[i] = STRIP_GOOD;
	return lost_count;
}

static void draw_ledger(const struct picture *picture, const struct track *track, double y)
{
	const struct ledger_result *ledger = facts_ledger(picture->story, track->probe);
	const struct ledger_read *read = facts_read(picture->story, ledger);
	enum strip_cell cells[CELLS];
	const uint64_t lost_count = ledger_cells(picture, track, read, cells);
	char text[2 * WORDS_BYTES];
	char count[WORDS_BYTES];

	draw_cells(picture, cells, y, PICTURE_GOOD);
	if (ledger->worse == NULL)
		(void)snprintf(text, sizeof text, "acked, not read");
	else
		(void)snprintf(text, sizeof text, "acked, %s lost", words_count(lost_count, count));
	draw_name(picture, y, text,
		  ledger->worse == NULL ? PICTURE_AMBER :
		  lost_count > 0	? PICTURE_BAD :
					  PICTURE_GOOD);
}

void picture_strips(const struct picture *picture)
{
	double y = picture->strips_top + PICTURE_ROW / 2.0;

	for (size_t t = 0; t < picture->track_count; t++) {
		const struct track *track = picture->tracks[t];
		enum strip_cell cells[CELLS];

		strip_cells(track, picture->window, CELLS, cells);
		draw_cells(picture, cells, y, picture_colour(t));
		draw_name(picture, y, track->probe, picture_colour(t));
		y += PICTURE_ROW;
		if (facts_ledger(picture->story, track->probe) != NULL) {
			draw_ledger(picture, track, y);
			y += PICTURE_ROW;
		}
	}
}
