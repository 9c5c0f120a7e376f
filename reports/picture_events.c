/*
 * picture_events.c - what the system did by itself: the name of each moment in the panel, and the bound
 * in which it lies. Withheld moments are not drawn: the report says so in words.
 */
#include "reports/picture_parts.h"

#include "reports/utf8.h"

enum { EVENTS_DRAWN_MAX = 8, NAME_COLUMNS = 40, ROWS = 4, LINE_WIDE = 12 };

/* The first so many that can be seen. */
static size_t choose(const struct picture *picture,
		     const struct named_event *chosen[EVENTS_DRAWN_MAX])
{
	const struct story *story = picture->story;
	size_t count = 0;

	for (size_t i = 0; i < story->named_event_count && count < EVENTS_DRAWN_MAX; i++) {
		const struct named_event *event = &story->named_events[i];

		if (event->is_placed && picture_is_inside(picture, event->at.low_ns) &&
		    picture_is_inside(picture, event->at.high_ns))
			chosen[count++] = event;
	}
	return count;
}

/* A moment that is known well is a line through the panel; the bound of any other is a bracket below its
   name, for a wide band would hide what the samples say. */
static void draw_moment(const struct picture *picture, double low, double high, double y)
{
	if (high - low < LINE_WIDE) {
		canvas_dashes(picture->canvas, low, PICTURE_TOP, low, picture->panel_bottom, 1.4,
			      PICTURE_MUTED);
		return;
	}
	canvas_line(picture->canvas, low, y, high, y, 1.4, PICTURE_MUTED);
	canvas_line(picture->canvas, low, y - 3, low, y + 3, 1.4, PICTURE_MUTED);
	canvas_line(picture->canvas, high, y - 3, high, y + 3, 1.4, PICTURE_MUTED);
}

/* One under the other where they would run into each other. */
void picture_event_names(const struct picture *picture)
{
	const struct named_event *chosen[EVENTS_DRAWN_MAX];
	const size_t count = choose(picture, chosen);
	double free_from[ROWS] = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct canvas_label label = { .size = 13, .align = ALIGN_LEFT, .is_bold = true,
					      .colour = PICTURE_MUTED };
		const double low = picture_x(picture, chosen[i]->at.low_ns);
		const double high = picture_x(picture, chosen[i]->at.high_ns);
		struct text name = { 0 };
		size_t row = 0;

		utf8_add_cut(&name, chosen[i]->what, NAME_COLUMNS);

		const double width = canvas_text_width(picture->canvas, &label, text_str(&name));
		const bool is_left = low + width + 14 > PICTURE_RIGHT;
		const double from = is_left ? low - width - 6 : low + 6;

		while (row < ROWS && from < free_from[row])
			row++;
		if (row < ROWS) {
			label.x = is_left ? low - 6 : low + 6;
			label.align = is_left ? ALIGN_RIGHT : ALIGN_LEFT;
			label.y = PICTURE_TOP + 16 + 20 * (double)row;
			canvas_text(picture->canvas, &label, text_str(&name));
			draw_moment(picture, low, high, label.y + 5);
			free_from[row] = (high > from + width ? high : from + width) + 12;
		}
		text_release(&name);
	}
}
