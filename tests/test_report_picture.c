/*
 * test_report_picture.c - the picture, the canvas under it, and the strips.
 */
#include "tests/suites.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <png.h>

#include "fixtures/run_tool.h"
#include "fixtures/stories.h"
#include "fixtures/temp_dir.h"
#include "reports/canvas.h"
#include "reports/picture.h"
#include "reports/report.h"
#include "reports/strip.h"

static struct arena arena;

static void set_up(void)
{
	arena = (struct arena){ 0 };
}

static void tear_down(void)
{
	arena_release(&arena);
}

static struct text drawn(enum canvas_kind kind, const struct story *story)
{
	struct text bytes = { 0 };
	struct err e = { 0 };

	ck_assert_msg(picture_draw(kind, story, &bytes, &e), "%s", e.text);
	return bytes;
}

static struct text drawn_label(enum canvas_kind kind, const char *words)
{
	const struct canvas_label label = { .x = 100, .y = 100, .size = 20, .align = ALIGN_RIGHT,
					    .colour = "#1b2530" };
	struct canvas *canvas = NULL;
	struct text bytes = { 0 };
	struct err e = { 0 };

	ck_assert(canvas_open(kind, 400, 200, &canvas, &e));
	canvas_text(canvas, &label, words);
	ck_assert_msg(canvas_close(canvas, "t", "d", &bytes, &e), "%s", e.text);
	return bytes;
}

START_TEST(test_canvas_label_in_svg_keeps_utf8_and_escapes)
{
	struct text svg = drawn_label(CANVAS_SVG, "caf\xc3\xa9 \xe6\x97\xa5 <b> & @r@ @u41@ \\sp2");
	const char *text = text_str(&svg);

	ck_assert_ptr_nonnull(strstr(text, "text-anchor=\"end\""));
	ck_assert_ptr_nonnull(
		strstr(text, ">caf\xc3\xa9 \xe6\x97\xa5 &lt;b&gt; &amp; @r@ @u41@ \\sp2<"));
	text_release(&svg);
}
END_TEST

START_TEST(test_canvas_label_in_pixels_transliterates)
{
	/* The same pixels for what stands in for it, others for something else. */
	struct text dash = drawn_label(CANVAS_PIXELS, "a\xe2\x80\x93z");
	struct text minus = drawn_label(CANVAS_PIXELS, "a-z");
	struct text unknown = drawn_label(CANVAS_PIXELS, "a\xe6\x97\xa5z");
	struct text question = drawn_label(CANVAS_PIXELS, "a?z");

	ck_assert_uint_eq(dash.length_bytes, 400 * 200 * 3);
	ck_assert_mem_eq(dash.owned_bytes, minus.owned_bytes, dash.length_bytes);
	ck_assert_mem_eq(unknown.owned_bytes, question.owned_bytes, dash.length_bytes);
	ck_assert_mem_ne(dash.owned_bytes, question.owned_bytes, dash.length_bytes);
	text_release(&dash);
	text_release(&minus);
	text_release(&unknown);
	text_release(&question);
}
END_TEST

START_TEST(test_canvas_pixels_have_soft_edges)
{
	struct text pixels = drawn_label(CANVAS_PIXELS, "soft");
	bool shades[256] = { false };
	size_t count = 0;

	for (size_t i = 0; i < pixels.length_bytes; i++)
		shades[(unsigned char)pixels.owned_bytes[i]] = true;
	for (size_t i = 0; i < 256; i++)
		count += shades[i];
	ck_assert_msg(count > 8, "only %zu shades: not antialiased", count);
	text_release(&pixels);
}
END_TEST

/* Makes a German locale in a folder of our own; false when this machine cannot. */
static bool make_comma_locale(const char *folder)
{
	char path[512];
	struct text output = { 0 };

	(void)snprintf(path, sizeof path, "%s/de_DE.UTF-8", folder);

	const char *const argv[] = { "localedef", "-i",		  "de_DE", "-f",
				     "UTF-8",	  "--no-archive", path,	   NULL };
	const int exit_code = tool_run(argv, &output);

	text_release(&output);
	return exit_code == 0;
}

static void remove_tree(const char *folder)
{
	struct text output = { 0 };
	const char *const argv[] = { "rm", "-r", "--", folder, NULL };

	ck_assert_int_eq(tool_run(argv, &output), 0);
	text_release(&output);
}

START_TEST(test_picture_draw_comma_locale_changes_nothing)
{
	char folder[64];
	const struct story *story = story_missed(&arena);
	struct text plain = drawn(CANVAS_SVG, story);
	char number[16];

	temp_dir_name(folder, sizeof folder);
	ck_assert_int_eq(setenv("LOCPATH", folder, 1), 0);
	if (!make_comma_locale(folder) || setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
		(void)fprintf(stderr, "skipped: no localedef with de_DE to write commas with\n");
	} else {
		(void)snprintf(number, sizeof number, "%.1f", 1.5);
		ck_assert_str_eq(number, "1,5");

		struct text german = drawn(CANVAS_SVG, story);

		ck_assert_str_eq(text_str(&german), text_str(&plain));
		(void)snprintf(number, sizeof number, "%.1f", 1.5);
		ck_assert_str_eq(number, "1,5"); /* given back as it was */
		text_release(&german);
		(void)setlocale(LC_ALL, "C");
	}
	(void)unsetenv("LOCPATH");
	remove_tree(folder);
	text_release(&plain);
}
END_TEST

START_TEST(test_picture_draw_svg_needs_nothing_from_outside)
{
	struct text svg = drawn(CANVAS_SVG, story_met(&arena));
	const char *text = text_str(&svg);

	ck_assert_int_eq(strncmp(text, "<svg ", 5), 0);
	ck_assert_ptr_null(strstr(text, "http"));
	ck_assert_ptr_null(strstr(text, "<?xml"));
	ck_assert_ptr_null(strstr(text, "DOCTYPE"));
	ck_assert_ptr_nonnull(strstr(text, "viewBox=\"0 64 1200 536\""));
	ck_assert_ptr_nonnull(strstr(text, "<title id=\"picture-title\">Recovered in"));
	ck_assert_ptr_nonnull(strstr(text, "<desc id="));
	ck_assert_ptr_null(strstr(text, "Helvetica,sans-serif"));
	text_release(&svg);
}
END_TEST

START_TEST(test_picture_draw_says_what_happened)
{
	static const struct {
		const struct story *(*make)(struct arena *arena);
		const char *words;
	} rows[] = {
		{ story_met, ">4.30 s to 4.35 s<" },
		{ story_met, ">target 30 s \xe2\x86\x92<" },
		{ story_met, ">acked, 0 lost<" },
		{ story_missed, ">acked, 143 lost<" },
		{ story_missed, ">healed<" },
		{ story_inconclusive, ">target 4 s<" },
		{ story_never_recovered, ">never recovered (down at least" },
		{ story_never_recovered, ">acked, not read<" },
		{ story_no_outage, ">no outage seen at every=20ms<" },
		{ story_not_started, ">time since the run started<" },
		{ story_stopped, ">stopped<" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct text svg = drawn(CANVAS_SVG, rows[i].make(&arena));

		ck_assert_msg(strstr(text_str(&svg), rows[i].words) != NULL, "%s is missing",
			      rows[i].words);
		text_release(&svg);
	}
}
END_TEST

START_TEST(test_picture_draw_story_without_samples_is_drawn)
{
	struct story story = *story_not_started(&arena);

	story.timeline.track_count = 0;
	story.probe_count = 0;

	struct text svg = drawn(CANVAS_SVG, &story);

	ck_assert_ptr_nonnull(strstr(text_str(&svg), "no samples were taken"));
	text_release(&svg);
}
END_TEST

START_TEST(test_png_write_picture_decodes)
{
	struct text bytes = { 0 };
	struct err e = { 0 };
	png_image image = { .version = PNG_IMAGE_VERSION };
	bool has_red = false;

	ck_assert(report_write(report_find("png"), story_missed(&arena),
			       &(struct report_style){ 0 }, &bytes, &e));
	ck_assert(png_image_begin_read_from_memory(&image, bytes.owned_bytes, bytes.length_bytes));
	ck_assert_uint_eq(image.width, PICTURE_WIDTH);
	ck_assert_uint_eq(image.height, PICTURE_HEIGHT);
	image.format = PNG_FORMAT_RGB;

	unsigned char *pixels = mem_alloc(PNG_IMAGE_SIZE(image));

	ck_assert(png_image_finish_read(&image, NULL, pixels, 0, NULL));
	for (size_t i = 0; i < PNG_IMAGE_SIZE(image); i += 3)
		has_red = has_red || (pixels[i] == 0xc6 && pixels[i + 1] == 0x28);
	ck_assert(has_red); /* the outage */
	free(pixels);
	text_release(&bytes);
}
END_TEST

START_TEST(test_picture_draw_600000_samples_stays_small)
{
	const struct story *story = story_long(&arena, 600000);
	struct timespec from;
	struct timespec until;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &from), 0);

	struct text svg = drawn(CANVAS_SVG, story);
	struct text pixels = drawn(CANVAS_PIXELS, story);

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &until), 0);
	(void)printf("600,000 samples drawn twice in %ld ms\n",
		     (long)((until.tv_sec - from.tv_sec) * 1000 +
			    (until.tv_nsec - from.tv_nsec) / 1000000));
	ck_assert_uint_lt(svg.length_bytes, 200000);
	text_release(&svg);
	text_release(&pixels);
}
END_TEST

/* Samples from a text: '.' good, '#' bad, '?' skipped, ' ' not sampled; 1 s apart. */
static struct track track_of(const char *states, struct sample *samples)
{
	const size_t count = strlen(states);

	for (size_t i = 0; i < count; i++)
		samples[i] = (struct sample){ .state = states[i] == '.' ? SAMPLE_GOOD :
						       states[i] == '#' ? SAMPLE_BAD :
						       states[i] == '?' ? SAMPLE_SKIPPED :
									  SAMPLE_NONE };
	return (struct track){ .probe = "p", .t0_ns = 100 * NS_PER_S, .every_ns = NS_PER_S,
			       .slot_count = count, .samples = samples };
}

static void assert_strip(const char *states, int64_t from_s, int64_t until_s, size_t columns,
			 const char *expected)
{
	struct sample samples[64];
	const struct track track = track_of(states, samples);
	struct text text = { 0 };

	strip_render(&track,
		     (struct span){ (100 + from_s) * NS_PER_S, (100 + until_s) * NS_PER_S },
		     columns, &(struct strip_style){ 0 }, &text);
	ck_assert_str_eq(text_str(&text), expected);
	text_release(&text);
}

START_TEST(test_strip_render_each_state_has_its_sign)
{
	assert_strip("..##? ..", 0, 8, 8, "..##??..");
	assert_strip("..##....", 0, 8, 4, ".#..");
	assert_strip(".##.....", 0, 8, 4, "xx..");
	assert_strip("#", 0, 4, 8, "##      "); /* cells finer than slots show the slot */
	assert_strip("....", -2, 6, 8, "  ....  ");
	assert_strip("?.", 0, 2, 1, ".");
}
END_TEST

START_TEST(test_strip_render_colour_ends_after_the_strip)
{
	struct sample samples[64];
	const struct track track = track_of("..##", samples);
	struct text text = { 0 };

	strip_render(&track, (struct span){ 100 * NS_PER_S, 104 * NS_PER_S }, 4,
		     &(struct strip_style){ .has_colour = true }, &text);
	ck_assert_str_eq(text_str(&text), "\x1b[0m\x1b[32m..\x1b[0m\x1b[31m##\x1b[0m");
	text_release(&text);
}
END_TEST

void suite_report_picture(Suite *suite)
{
	TCase *tests = tcase_create("report_picture");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_canvas_label_in_svg_keeps_utf8_and_escapes);
	tcase_add_test(tests, test_canvas_label_in_pixels_transliterates);
	tcase_add_test(tests, test_canvas_pixels_have_soft_edges);
	tcase_add_test(tests, test_picture_draw_comma_locale_changes_nothing);
	tcase_add_test(tests, test_picture_draw_svg_needs_nothing_from_outside);
	tcase_add_test(tests, test_picture_draw_says_what_happened);
	tcase_add_test(tests, test_picture_draw_story_without_samples_is_drawn);
	tcase_add_test(tests, test_png_write_picture_decodes);
	tcase_add_test(tests, test_picture_draw_600000_samples_stays_small);
	tcase_add_test(tests, test_strip_render_each_state_has_its_sign);
	tcase_add_test(tests, test_strip_render_colour_ends_after_the_strip);
	suite_add_tcase(suite, tests);
}
