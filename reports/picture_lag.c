/*
 * picture_lag.c - how far each replica was behind, in bytes not flushed there, on the axis of the
 * samples. A line joins answers that follow each other; where nobody told, there is a hair on the
 * ground, and no line: silence is not "0 behind".
 */
#include "reports/picture_parts.h"

#include <string.h>

#include "base/units.h"
#include "reports/utf8.h"
#include "reports/words_lag.h"

enum { LINES_MAX = 4, NAME_COLUMNS = 24, ROOM_ABOVE = 22 };

/* Answers further apart than this do not follow each other. */
static const int64_t silence_ns = NS_PER_S;
enum { SILENT_SLOTS = 4 };

struct lag_panel {
	const struct picture *picture;
	const struct lag_result *lag;
	double top;
	double bottom;
	int64_t most_bytes;
	int64_t silence_ns;
};

static const struct lag_result *find_lag(const struct story *story)
{
	for (size_t i = 0; i < story->lag_count; i++)
		if (story->lags[i].replica_count > 0)
			return &story->lags[i];
	return NULL;
}

bool picture_has_lag(const struct picture *picture)
{
	return find_lag(picture->story) != NULL;
}

static const char *line_colour(size_t replica)
{
	return picture_colour(PICTURE_PROBES_MAX - 1 - replica % PICTURE_PROBES_MAX);
}

static size_t line_count(const struct lag_result *lag)
{
	return lag->replica_count < LINES_MAX ? lag->replica_count : LINES_MAX;
}

static int64_t find_most(const struct picture *picture, const struct lag_result *lag)
{
	int64_t most_bytes = 1024; /* the noise of an idle server shall not fill the panel */

	for (size_t r = 0; r < line_count(lag); r++)
		for (size_t i = 0; i < lag->replicas[r].point_count; i++) {
			const struct lag_point *point = &lag->replicas[r].points[i];

			if (point->is_known && point->flush_bytes > most_bytes &&
			    picture_is_inside(picture, point->until_ns))
				most_bytes = point->flush_bytes;
		}
	return most_bytes;
}

static double y_of(const struct lag_panel *panel, int64_t bytes)
{
	const double share = (double)bytes / (double)panel->most_bytes;

	return panel->bottom - 2 - share * (panel->bottom - panel->top - 2);
}

static bool is_followed(const struct lag_panel *panel, const struct lag_point *point,
			const struct lag_point *next)
{
	return point->is_known && next->is_known && strcmp(point->primary, next->primary) == 0 &&
	       next->from_ns - point->until_ns <= panel->silence_ns;
}

static void draw_line(const struct lag_panel *panel, const struct replica_lag *replica,
		      const char *colour)
{
	struct canvas *canvas = panel->picture->canvas;

	canvas_strokes_begin(canvas, 2, colour);
	for (size_t i = 0; i < replica->point_count; i++) {
		const struct lag_point *point = &replica->points[i];
		const struct lag_point *next =
			i + 1 < replica->point_count ? &replica->points[i + 1] : NULL;

		if (!point->is_known || !picture_is_inside(panel->picture, point->until_ns))
			continue;

		const double x = picture_x(panel->picture, point->until_ns);
		const double y = y_of(panel, point->flush_bytes);

		if (next != NULL && is_followed(panel, point, next) &&
		    picture_is_inside(panel->picture, next->until_ns))
			canvas_stroke(canvas, x, y, picture_x(panel->picture, next->until_ns),
				      y_of(panel, next->flush_bytes));
		else
			canvas_stroke(canvas, x, y, x, y);
	}
	canvas_strokes_end(canvas);
}

static double clip_x(const struct picture *picture, int64_t at_ns)
{
	const double x = picture_x(picture, at_ns);

	return x < PICTURE_LEFT ? PICTURE_LEFT : x > PICTURE_RIGHT ? PICTURE_RIGHT : x;
}

/* The gaps between what is known, from the first answer on to the end of the picture. */
static void draw_gaps(const struct lag_panel *panel, const struct replica_lag *replica, size_t index)
{
	const double y = panel->bottom - 4 - 3 * (double)index;
	int64_t known_ns = 0;

	for (size_t i = 0; i <= replica->point_count; i++) {
		const bool is_end = i == replica->point_count;
		const struct lag_point *point = is_end ? NULL : &replica->points[i];
		const int64_t until_ns = is_end ? panel->picture->window.high_ns : point->from_ns;

		if (!is_end && !point->is_known && !point->is_primary)
			continue;
		if (known_ns != 0 && until_ns - known_ns > panel->silence_ns) {
			const double left = clip_x(panel->picture, known_ns);
			const double right = clip_x(panel->picture, until_ns);

			if (right > left)
				canvas_dashes(panel->picture->canvas, left, y, right, y, 1,
					      line_colour(index));
		}
		if (!is_end)
			known_ns = point->until_ns;
	}
}

static void draw_axis(const struct lag_panel *panel)
{
	struct canvas *canvas = panel->picture->canvas;
	struct canvas_label label = { .x = PICTURE_LEFT - 10, .y = panel->top + 4.5, .size = 13,
				      .align = ALIGN_RIGHT, .colour = PICTURE_MUTED };
	char bytes[WORDS_BYTES];

	canvas_line(canvas, PICTURE_LEFT, panel->top, PICTURE_RIGHT, panel->top, 1, PICTURE_GRID);
	canvas_line(canvas, PICTURE_LEFT, panel->bottom, PICTURE_RIGHT, panel->bottom, 1,
		    PICTURE_FRAME);
	canvas_text(canvas, &label, words_lag_bytes(panel->most_bytes, bytes));
	label.y = panel->bottom;
	canvas_text(canvas, &label, "0 B");
	label.y = (panel->top + panel->bottom) / 2 + 4.5;
	label.is_bold = true;
	canvas_text(canvas, &label, "not flushed");
}

static void draw_names(const struct lag_panel *panel)
{
	struct canvas_label label = { .x = PICTURE_LEFT + 8, .y = panel->top - 6, .size = 13,
				      .align = ALIGN_LEFT, .is_bold = true };

	for (size_t i = 0; i < line_count(panel->lag); i++) {
		struct text cut = { 0 };

		utf8_add_cut(&cut, panel->lag->replicas[i].replica, NAME_COLUMNS);
		label.colour = line_colour(i);
		canvas_text(panel->picture->canvas, &label, text_str(&cut));
		label.x += canvas_text_width(panel->picture->canvas, &label, text_str(&cut)) * 1.1 +
			   16;
		text_release(&cut);
	}
}

void picture_lag(const struct picture *picture)
{
	const struct lag_result *lag = find_lag(picture->story);
	const struct probe_spec *spec =
		lag == NULL ? NULL : facts_spec(picture->story, lag->probe);
	struct lag_panel panel = {
		.picture = picture,
		.lag = lag,
		.top = picture->panel_bottom + ROOM_ABOVE,
		.bottom = picture->strips_top - 8,
		.silence_ns = silence_ns,
	};

	if (lag == NULL)
		return;
	if (spec != NULL && spec->every_ns * SILENT_SLOTS > silence_ns)
		panel.silence_ns = spec->every_ns * SILENT_SLOTS;
	panel.most_bytes = find_most(picture, lag);
	draw_axis(&panel);
	for (size_t i = 0; i < line_count(lag); i++)
		draw_gaps(&panel, &lag->replicas[i], i);
	for (size_t i = line_count(lag); i-- > 0;)
		draw_line(&panel, &lag->replicas[i], line_colour(i));
	draw_names(&panel);
}
