/*
 * canvas.h - a sheet to draw on, in points from the top left corner; SVG or pixels come out.
 *
 * The drawing is the same for both. Labels are any UTF-8: SVG keeps it, pixels show what Latin-1
 * can say and "?" for the rest. Colours are "#rrggbb" and never white or black (libplot would write
 * their names, and the page turns colours by their number for dark mode).
 */
#ifndef REPORTS_CANVAS_H
#define REPORTS_CANVAS_H

#include "base/err.h"
#include "base/mem.h"

enum canvas_kind { CANVAS_SVG = 1, CANVAS_PIXELS };
enum canvas_align { ALIGN_LEFT = 1, ALIGN_CENTRE, ALIGN_RIGHT };

struct canvas;

/* While a canvas is open, numbers of this thread are written with a point, whatever the locale. */
bool canvas_open(enum canvas_kind kind, int width, int height, struct canvas **ret_canvas,
		 struct err *e);

/* The first `top` points are not part of the SVG (a head that the page already has). */
void canvas_crop(struct canvas *canvas, int top);

/* SVG: one <svg> element, without a prolog, that takes its title and description from here.
   Pixels: width * height * 3 bytes, rows from the top. Frees the canvas in any case. */
bool canvas_close(struct canvas *taken_canvas, const char *title, const char *description,
		  struct text *ret_bytes, struct err *e);

struct canvas_label {
	double x;
	double y; /* of the baseline */
	double size;
	enum canvas_align align;
	bool is_bold;
	const char *colour;
};

void canvas_box(struct canvas *canvas, double left, double top, double right, double bottom,
		const char *colour);
void canvas_line(struct canvas *canvas, double x0, double y0, double x1, double y1, double width,
		 const char *colour);
void canvas_dashes(struct canvas *canvas, double x0, double y0, double x1, double y1, double width,
		   const char *colour);
void canvas_text(struct canvas *canvas, const struct canvas_label *label, const char *text);
double canvas_text_width(struct canvas *canvas, const struct canvas_label *label, const char *text);

/* Many strokes of one colour as one shape: begin, any number of strokes, end. */
void canvas_strokes_begin(struct canvas *canvas, double width, const char *colour);
void canvas_stroke(struct canvas *canvas, double x0, double y0, double x1, double y1);
void canvas_strokes_end(struct canvas *canvas);

#endif
