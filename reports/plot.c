/*
 * plot.c - the canvas, on GNU libplot; the only file that sees plot.h.
 *
 * libplot has no antialiasing, knows no UTF-8, aligns text by the metrics of one font and writes
 * numbers in the locale's way. So: pixels are drawn at twice the size and averaged; characters
 * outside ASCII and alignments travel as ASCII marks that are put right in the finished SVG; and a
 * C locale is set for this thread while a canvas is open. It does not know what a picture shows.
 */
#include "reports/canvas.h"

#include <assert.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <plot.h> /* needs stdio.h before it */

#include "reports/escape.h"
#include "reports/utf8.h"

enum { PIXEL_SCALE = 2, CHANNELS = 3 };

struct canvas {
	enum canvas_kind kind;
	int width;
	int height;
	int top; /* cut off above it */
	plPlotter *owned_plotter;
	plPlotterParams *owned_params;
	FILE *owned_file;
	char *owned_bytes;
	size_t length_bytes;
	locale_t owned_locale;
	locale_t previous_locale;
};

/*
 * libplot ends the process by itself, with status 1, when it gets no memory: as if an objective had been
 * missed. So an exit while a canvas is open becomes the end that mem.h promises.
 */
static _Thread_local unsigned open_count;

static void end_as_promised(void)
{
	if (open_count > 0)
		(void)mem_or_die(NULL, sizeof(struct canvas));
}

static void watch_exit(void)
{
	static bool is_watched;

	if (!is_watched)
		is_watched = atexit(end_as_promised) == 0;
	open_count++;
}

static void canvas_release(struct canvas *canvas)
{
	open_count--;
	if (canvas->owned_plotter != NULL)
		(void)pl_deletepl_r(canvas->owned_plotter);
	if (canvas->owned_params != NULL)
		(void)pl_deleteplparams(canvas->owned_params);
	if (canvas->owned_file != NULL)
		(void)fclose(canvas->owned_file);
	if (canvas->owned_locale != (locale_t)0) {
		(void)uselocale(canvas->previous_locale);
		freelocale(canvas->owned_locale);
	}
	free(canvas->owned_bytes);
	free(canvas);
}

/* libplot's parameters are `void *` that it only reads. */
static void set_param(struct canvas *canvas, const char *name, char *value)
{
	(void)pl_setplparam(canvas->owned_params, name, value);
}

static bool open_plotter(struct canvas *canvas, struct err *e)
{
	char bitmap[64];
	char page[] = "letter,xsize=8in,ysize=4in";

	(void)snprintf(bitmap, sizeof bitmap, "%dx%d", canvas->width * PIXEL_SCALE,
		       canvas->height * PIXEL_SCALE);
	canvas->owned_file = open_memstream(&canvas->owned_bytes, &canvas->length_bytes);
	canvas->owned_params = pl_newplparams();
	if (canvas->owned_file == NULL || canvas->owned_params == NULL)
		return err_set(e, ERR_LIMIT, "draw the picture: no memory for it");
	set_param(canvas, "BITMAPSIZE", bitmap);
	set_param(canvas, "PAGESIZE", page);

	canvas->owned_plotter = pl_newpl_r(canvas->kind == CANVAS_SVG ? "svg" : "pnm", NULL,
					   canvas->owned_file, NULL, canvas->owned_params);
	if (canvas->owned_plotter == NULL || pl_openpl_r(canvas->owned_plotter) < 0)
		return err_set(e, ERR_INTERNAL, "draw the picture: libplot does not open");
	(void)pl_fspace_r(canvas->owned_plotter, 0, 0, canvas->width, canvas->height);
	(void)pl_erase_r(canvas->owned_plotter);
	return true;
}

bool canvas_open(enum canvas_kind kind, int width, int height, struct canvas **ret_canvas,
		 struct err *e)
{
	struct canvas *canvas = mem_alloc(sizeof *canvas);

	watch_exit();
	assert(width > 0 && height > 0);
	assert(kind == CANVAS_SVG || kind == CANVAS_PIXELS);

	canvas->kind = kind;
	canvas->width = width;
	canvas->height = height;
	canvas->owned_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (canvas->owned_locale == (locale_t)0) {
		canvas_release(canvas);
		return err_set(e, ERR_LIMIT, "draw the picture: no memory for the C locale");
	}
	canvas->previous_locale = uselocale(canvas->owned_locale);
	if (!open_plotter(canvas, e)) {
		canvas_release(canvas);
		return false;
	}
	*ret_canvas = canvas;
	return true;
}

void canvas_crop(struct canvas *canvas, int top)
{
	assert(top >= 0 && top < canvas->height);
	canvas->top = top;
}

/* Ours runs down from the top, libplot's up from the bottom. */
static double up(const struct canvas *canvas, double y)
{
	return canvas->height - y;
}

static void set_pen(struct canvas *canvas, double width, const char *colour)
{
	assert(colour[0] == '#' && strlen(colour) == 7);

	(void)pl_pentype_r(canvas->owned_plotter, 1);
	(void)pl_filltype_r(canvas->owned_plotter, 0);
	(void)pl_flinewidth_r(canvas->owned_plotter, width);
	(void)pl_pencolorname_r(canvas->owned_plotter, colour);
}

void canvas_box(struct canvas *canvas, double left, double top, double right, double bottom,
		const char *colour)
{
	plPlotter *plotter = canvas->owned_plotter;

	(void)pl_pentype_r(plotter, 0);
	(void)pl_filltype_r(plotter, 1);
	(void)pl_fillcolorname_r(plotter, colour);
	(void)pl_fbox_r(plotter, left, up(canvas, bottom), right, up(canvas, top));
	(void)pl_endpath_r(plotter);
	(void)pl_pentype_r(plotter, 1);
	(void)pl_filltype_r(plotter, 0);
}

void canvas_line(struct canvas *canvas, double x0, double y0, double x1, double y1, double width,
		 const char *colour)
{
	set_pen(canvas, width, colour);
	(void)pl_fline_r(canvas->owned_plotter, x0, up(canvas, y0), x1, up(canvas, y1));
	(void)pl_endpath_r(canvas->owned_plotter);
}

void canvas_dashes(struct canvas *canvas, double x0, double y0, double x1, double y1, double width,
		   const char *colour)
{
	double dashes[] = { 6, 4 };

	(void)pl_flinedash_r(canvas->owned_plotter, 2, dashes, 0);
	canvas_line(canvas, x0, y0, x1, y1, width, colour);
	(void)pl_linemod_r(canvas->owned_plotter, "solid");
}

void canvas_strokes_begin(struct canvas *canvas, double width, const char *colour)
{
	set_pen(canvas, width, colour);
	(void)pl_capmod_r(canvas->owned_plotter, "round");
}

void canvas_stroke(struct canvas *canvas, double x0, double y0, double x1, double y1)
{
	/* A stroke without length would have no direction and so no round ends. */
	const double least = x0 == x1 && y0 == y1 ? 0.05 : 0;

	(void)pl_fmove_r(canvas->owned_plotter, x0, up(canvas, y0));
	(void)pl_fcont_r(canvas->owned_plotter, x1, up(canvas, y1) + least);
	(void)pl_endsubpath_r(canvas->owned_plotter);
}

void canvas_strokes_end(struct canvas *canvas)
{
	(void)pl_endpath_r(canvas->owned_plotter);
	(void)pl_capmod_r(canvas->owned_plotter, "butt");
}

/* What Hershey fonts can draw: Latin-1 in libplot's own bytes; a backslash starts an escape. */
static void add_latin1(struct text *text, uint32_t character)
{
	static const struct {
		uint32_t character;
		const char *words;
	} stand_ins[] = {
		{ 0x2010, "-" }, { 0x2011, "-" },  { 0x2012, "-" }, { 0x2013, "-" },
		{ 0x2014, "-" }, { 0x2018, "'" },  { 0x2019, "'" }, { 0x201c, "\"" },
		{ 0x201d, "\"" }, { 0x2026, "..." }, { 0x2192, "->" }, { 0x2212, "-" },
		{ 0x2264, "<=" }, { 0x2265, ">=" }, { 0x20ac, "EUR" },
	};

	if (character == '\\') {
		text_add(text, "\\\\");
		return;
	}
	if (character < 0x7f || (character >= 0xa0 && character <= 0xff)) {
		text_add_bytes(text, &(char){ (char)character }, 1);
		return;
	}
	for (size_t i = 0; i < sizeof stand_ins / sizeof stand_ins[0]; i++)
		if (stand_ins[i].character == character) {
			text_add(text, stand_ins[i].words);
			return;
		}
	text_add(text, "?");
}

static bool is_plain(uint32_t character)
{
	return character >= 0x20 && character < 0x7f && character != '@' && character != '\\';
}

/* The label as libplot takes it. For SVG what is not plain ASCII rides as @u<hex>@. */
static void add_label(const struct canvas *canvas, const char *raw, struct text *ret_label)
{
	for (uint32_t c = utf8_next(&raw); c != 0; c = utf8_next(&raw)) {
		if (utf8_is_harmful(c))
			c = c < 0x20 ? ' ' : UTF8_REPLACEMENT;
		if (canvas->kind == CANVAS_PIXELS)
			add_latin1(ret_label, c);
		else if (is_plain(c))
			text_add_bytes(ret_label, &(char){ (char)c }, 1);
		else
			text_addf(ret_label, "@u%x@", (unsigned)c);
	}
}

static void set_font(struct canvas *canvas, const struct canvas_label *label)
{
	plPlotter *plotter = canvas->owned_plotter;
	const char *name = canvas->kind == CANVAS_SVG ?
				   (label->is_bold ? "Helvetica-Bold" : "Helvetica") :
				   (label->is_bold ? "HersheySans-Bold" : "HersheySans");

	(void)pl_fontname_r(plotter, name);
	(void)pl_ffontsize_r(plotter,
			     canvas->kind == CANVAS_SVG ? label->size : label->size * 1.05);
}

double canvas_text_width(struct canvas *canvas, const struct canvas_label *label, const char *text)
{
	const struct canvas as_pixels = { .kind = CANVAS_PIXELS };
	struct text plain = { 0 };

	set_font(canvas, label);
	add_label(&as_pixels, text, &plain);

	const double width = pl_flabelwidth_r(canvas->owned_plotter, text_str(&plain));

	text_release(&plain);
	return width;
}

/* Hershey letters are thin strokes: drawn four times, a little apart, they read like print. */
static void draw_bold(struct canvas *canvas, double x, double y, const char *plain, double apart)
{
	plPlotter *plotter = canvas->owned_plotter;

	for (int i = 0; i < 4; i++) {
		(void)pl_fmove_r(plotter, x + (i % 2 == 0 ? -apart : apart),
				 y + (i / 2 == 0 ? -apart : apart));
		(void)pl_alabel_r(plotter, 'l', 'x', plain);
	}
}

void canvas_text(struct canvas *canvas, const struct canvas_label *label, const char *text)
{
	static const char *const marks[] = { [ALIGN_LEFT] = "@l@", [ALIGN_CENTRE] = "@c@",
					     [ALIGN_RIGHT] = "@r@" };
	struct text plain = { 0 };
	double x = label->x;

	set_pen(canvas, 1, label->colour);
	set_font(canvas, label);
	if (canvas->kind == CANVAS_SVG) {
		text_add(&plain, marks[label->align]);
		add_label(canvas, text, &plain);
		(void)pl_fmove_r(canvas->owned_plotter, x, up(canvas, label->y));
		(void)pl_alabel_r(canvas->owned_plotter, 'l', 'x', text_str(&plain));
	} else {
		add_label(canvas, text, &plain);

		const double width = pl_flabelwidth_r(canvas->owned_plotter, text_str(&plain));

		if (label->align == ALIGN_CENTRE)
			x -= width / 2;
		if (label->align == ALIGN_RIGHT)
			x -= width;
		draw_bold(canvas, x, up(canvas, label->y), text_str(&plain),
			  label->is_bold ? 0.1 + label->size / 45 : 0.27);
	}
	text_release(&plain);
}

/* Copies the drawing and puts the marks right: "<text ...>@r@caf@ue9@</text>". */
static void copy_marked(const char *from, struct text *svg)
{
	const char *text_tag = NULL;
	size_t tag_at = 0;

	for (; *from != '\0'; from++) {
		if (strncmp(from, "<text ", 6) == 0) {
			text_tag = from;
			tag_at = svg->length_bytes + strlen("<text ");
		}
		if (text_tag != NULL && from[0] == '@' && strchr("lcr", from[1]) != NULL &&
		    from[2] == '@') {
			struct text rest = { 0 };

			text_add(&rest, svg->owned_bytes + tag_at);
			svg->length_bytes = tag_at;
			text_add(svg, from[1] == 'r' ? "text-anchor=\"end\" " :
				      from[1] == 'c' ? "text-anchor=\"middle\" " :
						       "");
			text_add(svg, text_str(&rest));
			text_release(&rest);
			text_tag = NULL;
			from += 2;
		} else if (from[0] == '@' && from[1] == 'u') {
			char *end = NULL;
			struct text character = { 0 };

			utf8_add(&character, (uint32_t)strtoul(from + 2, &end, 16));
			escape_markup(svg, text_str(&character));
			text_release(&character);
			assert(*end == '@');
			from = end;
		} else {
			text_add_bytes(svg, from, 1);
		}
	}
}

static void replace_all(struct text *text, const char *old, const char *fresh)
{
	struct text changed = { 0 };
	const char *from = text_str(text);

	for (const char *found = strstr(from, old); found != NULL; found = strstr(from, old)) {
		text_add_bytes(&changed, from, (size_t)(found - from));
		text_add(&changed, fresh);
		from = found + strlen(old);
	}
	text_add(&changed, from);
	text_release(text);
	*text = changed;
}

static bool finish_svg(const struct canvas *canvas, const char *title, const char *description,
		       struct text *ret_bytes, struct err *e)
{
	static const char fonts[] = "Helvetica,Arial,Liberation Sans,DejaVu Sans,sans-serif";
	const char *content = strstr(canvas->owned_bytes, "<g id=\"content\"");
	const char *body = content == NULL ? NULL : strchr(content, '>');
	struct text svg = { 0 };

	if (body == NULL)
		return err_set(e, ERR_INTERNAL, "draw the picture: libplot wrote no drawing");
	text_addf(&svg,
		  "<svg class=\"picture\" viewBox=\"0 %d %d %d\" role=\"img\" "
		  "aria-labelledby=\"picture-title picture-text\">\n<title id=\"picture-title\">",
		  canvas->top, canvas->width, canvas->height - canvas->top);
	escape_markup(&svg, title);
	text_add(&svg, "</title>\n<desc id=\"picture-text\">");
	escape_markup(&svg, description);
	text_addf(&svg, "</desc>\n<g transform=\"translate(0,%d) scale(1,-1)\" fill=\"none\" "
			"stroke-linecap=\"butt\" stroke-linejoin=\"miter\" xml:space=\"preserve\">",
		  canvas->height);
	copy_marked(body + 1, &svg);
	replace_all(&svg, "Helvetica-Bold,Helvetica,sans-serif", fonts);
	replace_all(&svg, "Helvetica,sans-serif", fonts);
	text_add_bytes(ret_bytes, svg.owned_bytes, svg.length_bytes);
	text_release(&svg);
	return true;
}

/* "P6", a comment, width, height, 255, then the rows. */
static const unsigned char *pixels_of(const struct canvas *canvas)
{
	const char *at = canvas->owned_bytes;
	const char *end = at + canvas->length_bytes;
	size_t needed = (size_t)canvas->width * (size_t)canvas->height * PIXEL_SCALE * PIXEL_SCALE *
			CHANNELS;

	for (int words = 0; words < 4 && at < end;) {
		if (*at == '#') {
			while (at < end && *at != '\n')
				at++;
		} else if (strchr(" \n", *at) == NULL) {
			words++;
			while (at < end && strchr(" \n", *at) == NULL)
				at++;
			if (words == 4)
				break;
		}
		at++;
	}
	return (size_t)(end - at) < needed + 1 ? NULL : (const unsigned char *)at + 1;
}

static bool finish_pixels(const struct canvas *canvas, struct text *ret_bytes, struct err *e)
{
	const size_t wide = (size_t)canvas->width * PIXEL_SCALE * CHANNELS;
	const unsigned char *large = pixels_of(canvas);
	const size_t row_bytes = (size_t)canvas->width * CHANNELS;

	if (large == NULL)
		return err_set(e, ERR_INTERNAL, "draw the picture: libplot wrote too few pixels");

	char *row = mem_alloc(row_bytes);

	for (size_t y = 0; y < (size_t)canvas->height; y++) {
		const unsigned char *upper = large + y * PIXEL_SCALE * wide;
		const unsigned char *lower = upper + wide;

		for (size_t i = 0; i < row_bytes; i++) {
			const size_t at = i / CHANNELS * PIXEL_SCALE * CHANNELS + i % CHANNELS;
			const unsigned sum = (unsigned)upper[at] + upper[at + CHANNELS] +
					     lower[at] + lower[at + CHANNELS];

			row[i] = (char)(unsigned char)((sum + 2) / 4);
		}
		text_add_bytes(ret_bytes, row, row_bytes);
	}
	free(row);
	return true;
}

bool canvas_close(struct canvas *taken_canvas, const char *title, const char *description,
		  struct text *ret_bytes, struct err *e)
{
	struct canvas *canvas = taken_canvas;
	bool is_done = pl_closepl_r(canvas->owned_plotter) >= 0;

	/* libplot does not notice a failed write; the stream does. */
	is_done = pl_deletepl_r(canvas->owned_plotter) >= 0 && is_done;
	canvas->owned_plotter = NULL;
	is_done = !ferror(canvas->owned_file) && fclose(canvas->owned_file) == 0 && is_done;
	canvas->owned_file = NULL;
	if (!is_done)
		err_set(e, ERR_LIMIT, "draw the picture: it did not fit into memory");
	else if (canvas->kind == CANVAS_SVG)
		is_done = finish_svg(canvas, title, description, ret_bytes, e);
	else
		is_done = finish_pixels(canvas, ret_bytes, e);
	canvas_release(canvas);
	return is_done;
}
