/*
 * png.c - report "png": the picture by itself, for a chat or a slide. Bytes, not text.
 */
#include "reports/report.h"

#include <setjmp.h>

#include <png.h>

#include "reports/picture.h"

static void append(png_structp png, png_bytep bytes, png_size_t length)
{
	text_add_bytes(png_get_io_ptr(png), (const char *)bytes, length);
}

static void flush_nothing(png_structp png)
{
	(void)png;
}

/* Nothing in here may live across the jump but what the caller owns. */
static bool write_rows(png_structp png, png_infop info, const struct text *pixels,
		       struct text *ret_bytes)
{
	if (setjmp(png_jmpbuf(png)) != 0)
		return false;
	png_set_write_fn(png, ret_bytes, append, flush_nothing);
	png_set_compression_level(png, 4);
	png_set_IHDR(png, info, PICTURE_WIDTH, PICTURE_HEIGHT, 8, PNG_COLOR_TYPE_RGB,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (size_t y = 0; y < PICTURE_HEIGHT; y++)
		png_write_row(png, (png_const_bytep)pixels->owned_bytes + y * PICTURE_WIDTH * 3);
	png_write_end(png, NULL);
	return true;
}

static bool png_write(const struct story *story, const struct report_style *style,
		      struct text *ret_bytes, struct err *e)
{
	struct text pixels = { 0 };
	png_structp png = NULL;
	png_infop info = NULL;
	bool is_written = false;

	(void)style; /* the same bytes for everyone */

	if (!picture_draw(CANVAS_PIXELS, story, &pixels, e))
		goto out;
	png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	info = png == NULL ? NULL : png_create_info_struct(png);
	if (info == NULL) {
		err_set(e, ERR_LIMIT, "write picture.png: no memory for it");
		goto out;
	}
	is_written = write_rows(png, info, &pixels, ret_bytes);
	if (!is_written)
		err_set(e, ERR_INTERNAL, "write picture.png: libpng refused the picture");
out:
	png_destroy_write_struct(&png, &info);
	text_release(&pixels);
	return is_written;
}

const struct report_ops report_png = {
	.name = "png",
	.file_name = "picture.png",
	.summary = "the picture by itself, 1200x600",
	.is_binary = true,
	.write = png_write,
};
