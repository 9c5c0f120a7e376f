/*
 * picture_frame.c - all around the samples: the verdict, the RTO bracket and its target, the marks
 * of fault and heal, the time axis, the legend.
 */
#include "reports/picture_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "reports/utf8.h"
#include "reports/words.h"

enum { TICKS_WANTED = 10, TITLE_COLUMNS = 80, SENTENCE_COLUMNS = 140, MARKS_MAX = 12 };

static const char *tone_colour(enum verdict tone)
{
	switch (tone) {
	case VERDICT_MET:
		return PICTURE_GOOD;
	case VERDICT_MISSED:
		return PICTURE_BAD;
	case VERDICT_INCONCLUSIVE:
		return PICTURE_AMBER;
	case VERDICT_NONE:
		return PICTURE_MUTED;
	}
	return PICTURE_MUTED;
}

static void draw_cut(const struct picture *picture, const struct canvas_label *label,
		     const char *raw, size_t columns)
{
	struct text cut = { 0 };

	if (raw != NULL)
		utf8_add_cut(&cut, raw, columns);
	canvas_text(picture->canvas, label, text_str(&cut));
	text_release(&cut);
}

void picture_head(const struct picture *picture)
{
	const struct outcome *outcome = &picture->story->outcome;
	struct canvas_label label = { .x = 24, .y = 34, .size = 22, .align = ALIGN_LEFT,
				      .is_bold = true,
				      .colour = tone_colour(words_tone(outcome)) };
	const char *headline = words_headline(outcome);

	canvas_text(picture->canvas, &label, headline);
	label.x += canvas_text_width(picture->canvas, &label, headline) * 1.06 + 14;
	label.colour = PICTURE_INK;
	label.size = 18;
	draw_cut(picture, &label, picture->story->experiment->title, TITLE_COLUMNS);
	label = (struct canvas_label){ .x = 24, .y = 58, .size = 14.5, .align = ALIGN_LEFT,
				       .colour = PICTURE_INK };
	draw_cut(picture, &label, outcome->sentence, SENTENCE_COLUMNS);
}

/* From the first harm to the last heal. */
void picture_wash(const struct picture *picture)
{
	int64_t until_ns = 0;

	if (!facts_has_fault(picture->story))
		return;
	for (size_t i = 0; i < picture->story->deed_count; i++)
		if (picture->story->deeds[i].healed.high_ns > until_ns)
			until_ns = picture->story->deeds[i].healed.high_ns;

	const double left = picture_x(picture, picture->zero_ns);
	double right = until_ns == 0 ? PICTURE_RIGHT : picture_x(picture, until_ns);

	if (right > PICTURE_RIGHT)
		right = PICTURE_RIGHT;
	if (right > left)
		canvas_box(picture->canvas, left, PICTURE_TOP, right, PICTURE_BOTTOM, PICTURE_WASH);
}

struct mark_row {
	int64_t at_ns;
	const char *words;
	const char *colour;
	bool is_target;
};

static void draw_mark(const struct picture *picture, const struct mark_row *row,
		      double *free_from)
{
	struct canvas_label label = { .y = PICTURE_TOP - 12, .size = 13, .align = ALIGN_CENTRE,
				      .is_bold = true, .colour = row->colour };

	if (!picture_is_inside(picture, row->at_ns))
		return;
	label.x = picture_x(picture, row->at_ns);
	if (row->is_target)
		canvas_dashes(picture->canvas, label.x, PICTURE_TOP - 8, label.x,
			      picture->panel_bottom, 1.8, row->colour);
	else
		canvas_line(picture->canvas, label.x, PICTURE_TOP - 8, label.x, PICTURE_BOTTOM, 1.6,
			    row->colour);

	const double half = canvas_text_width(picture->canvas, &label, row->words) / 2 + 6;

	/* A word that would run into the one before is left out: its line stands. */
	if (label.x - half >= *free_from) {
		canvas_text(picture->canvas, &label, row->words);
		*free_from = label.x + half;
	}
}

static int compare_marks(const void *left, const void *right)
{
	const struct mark_row *a = left;
	const struct mark_row *b = right;

	return (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
}

static bool has_target_inside(const struct picture *picture)
{
	const struct objectives *promised = &picture->story->experiment->objectives;

	return promised->has_rto && facts_has_fault(picture->story) &&
	       picture_is_inside(picture, picture->zero_ns + promised->rto_ns);
}

static void draw_marks(const struct picture *picture)
{
	const struct story *story = picture->story;
	const int64_t target_ns = story->experiment->objectives.rto_ns;
	struct mark_row rows[MARKS_MAX];
	size_t count = 0;
	double free_from = PICTURE_LEFT - 4;
	char number[UNITS_TEXT_BYTES];
	char target[WORDS_BYTES];

	if (has_target_inside(picture)) {
		(void)snprintf(target, sizeof target, "target %s",
			       units_format_duration(target_ns, number));
		rows[count++] = (struct mark_row){ picture->zero_ns + target_ns, target,
						   PICTURE_INK, true };
	}

	for (size_t i = 0; i < story->deed_count && count + 2 < MARKS_MAX; i++) {
		const struct deed *deed = &story->deeds[i];

		if (deed->injected.high_ns != 0)
			rows[count++] = (struct mark_row){ deed->injected.low_ns, "fault",
							   PICTURE_BAD, false };
		if (deed->healed.high_ns != 0)
			rows[count++] = (struct mark_row){ deed->healed.high_ns, "healed",
							   PICTURE_GOOD, false };
	}
	for (size_t i = 0; i < story->timeline.event_count && count < MARKS_MAX; i++) {
		const struct event *event = &story->timeline.events[i];

		if (event->kind == EVENT_STOP || event->kind == EVENT_SIGNAL)
			rows[count++] =
				(struct mark_row){ event->at_ns, "stopped", PICTURE_AMBER, false };
	}
	qsort(rows, count, sizeof rows[0], compare_marks);
	for (size_t i = 0; i < count; i++)
		draw_mark(picture, &rows[i], &free_from);
}

/* A target after the end of the picture is only pointed at. */
static void draw_far_target(const struct picture *picture)
{
	const struct objectives *promised = &picture->story->experiment->objectives;
	const struct canvas_label label = { .x = PICTURE_RIGHT, .y = PICTURE_LANE - 9, .size = 13,
					    .align = ALIGN_RIGHT, .colour = PICTURE_INK };
	char number[UNITS_TEXT_BYTES];
	char words[WORDS_BYTES];

	if (!promised->has_rto || !facts_has_fault(picture->story) || has_target_inside(picture))
		return;
	(void)snprintf(words, sizeof words, "target %s \xe2\x86\x92",
		       units_format_duration(promised->rto_ns, number));
	canvas_text(picture->canvas, &label, words);
}

/* The certain part is a dark bar, the part that is not known a light one between two posts. */
static void draw_span(const struct picture *picture, const struct probe_result *service)
{
	struct canvas *canvas = picture->canvas;
	const double start = picture_x(picture, picture->zero_ns);
	const bool is_open = service->rto_kind == MEASURED_NEVER_RECOVERED;
	const double low = picture_x(picture, picture->zero_ns + service->rto.low_ns);
	double high = is_open ? PICTURE_RIGHT :
				picture_x(picture, picture->zero_ns + service->rto.high_ns);

	if (high < low + 2)
		high = low + 2;
	if (high > PICTURE_RIGHT)
		high = PICTURE_RIGHT;
	canvas_box(canvas, start, PICTURE_LANE - 2.5, low, PICTURE_LANE + 2.5, PICTURE_INK);
	if (has_target_inside(picture)) {
		const double target = picture_x(
			picture, picture->zero_ns + picture->story->experiment->objectives.rto_ns);

		if (target < low) /* what was promised is over, and it is still down */
			canvas_box(canvas, target, PICTURE_LANE - 2.5, low, PICTURE_LANE + 2.5,
				   PICTURE_BAD);
	}
	canvas_box(canvas, low, PICTURE_LANE - 5, high, PICTURE_LANE + 5, PICTURE_SOFT);
	canvas_line(canvas, start, PICTURE_LANE - 9, start, PICTURE_LANE + 9, 2, PICTURE_INK);
	canvas_line(canvas, low, PICTURE_LANE - 9, low, PICTURE_LANE + 9, 2, PICTURE_INK);
	if (!is_open)
		canvas_line(canvas, high, PICTURE_LANE - 9, high, PICTURE_LANE + 9, 2, PICTURE_INK);
}

static void draw_rto(const struct picture *picture)
{
	const struct probe_result *service = picture->story->service;
	struct canvas_label label = { .x = PICTURE_LEFT - 10, .y = PICTURE_LANE + 4.5, .size = 13,
				      .align = ALIGN_RIGHT, .is_bold = true,
				      .colour = PICTURE_INK };
	char words[WORDS_BYTES];

	if (!facts_has_fault(picture->story) || service == NULL)
		return;
	canvas_text(picture->canvas, &label, "observed RTO");
	label.align = ALIGN_LEFT;
	label.size = 15;
	label.y = PICTURE_LANE + 5;
	label.x = picture_x(picture, picture->zero_ns) + 8;
	(void)words_rto(service, facts_every_ns(picture->story, service->probe), words);
	if (service->rto_kind == MEASURED_SPAN ||
	    service->rto_kind == MEASURED_NEVER_RECOVERED)
		draw_span(picture, service);
	if (service->rto_kind == MEASURED_SPAN)
		label.x = picture_x(picture, picture->zero_ns + service->rto.high_ns) + 12;
	if (service->rto_kind == MEASURED_NEVER_RECOVERED) {
		label.y = PICTURE_LANE - 13;
		label.colour = PICTURE_BAD;
	}
	if (label.x + canvas_text_width(picture->canvas, &label, words) > PICTURE_RIGHT) {
		label.x = picture_x(picture, picture->zero_ns) + 8;
		label.y = PICTURE_LANE - 13;
	}
	canvas_text(picture->canvas, &label, words);
}

static int64_t tick_step_ns(const struct picture *picture)
{
	static const int64_t steps_ms[] = {
		1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 30000, 60000,
		120000, 300000, 600000, 1200000, 1800000, 3600000, 7200000, 14400000, 21600000,
	};
	const int64_t length_ns = picture->window.high_ns - picture->window.low_ns;

	for (size_t i = 0; i < sizeof steps_ms / sizeof steps_ms[0]; i++)
		if (length_ns / (steps_ms[i] * NS_PER_MS) <= TICKS_WANTED)
			return steps_ms[i] * NS_PER_MS;
	return steps_ms[sizeof steps_ms / sizeof steps_ms[0] - 1] * NS_PER_MS;
}

static void format_tick(int64_t after_ns, int64_t step_ns, char words[WORDS_BYTES])
{
	const char *sign = after_ns < 0 ? "\xe2\x88\x92" : "+";
	const int64_t amount_ns = llabs(after_ns);

	if (after_ns == 0)
		(void)snprintf(words, WORDS_BYTES, "0");
	else if (step_ns >= 60 * NS_PER_S)
		(void)snprintf(words, WORDS_BYTES, "%s%" PRId64 " min", sign,
			       amount_ns / (60 * NS_PER_S));
	else if (step_ns >= NS_PER_S)
		(void)snprintf(words, WORDS_BYTES, "%s%" PRId64 " s", sign, amount_ns / NS_PER_S);
	else
		(void)snprintf(words, WORDS_BYTES, "%s%" PRId64 " ms", sign, amount_ns / NS_PER_MS);
}

static void draw_axis(const struct picture *picture)
{
	const int64_t step_ns = tick_step_ns(picture);
	const int64_t from_ns = picture->window.low_ns - picture->zero_ns;
	const int64_t until_ns = picture->window.high_ns - picture->zero_ns;
	struct canvas_label label = { .y = PICTURE_BOTTOM + 20, .size = 13, .align = ALIGN_CENTRE,
				      .colour = PICTURE_MUTED };
	char words[WORDS_BYTES];

	canvas_line(picture->canvas, PICTURE_LEFT, picture->panel_bottom, PICTURE_RIGHT,
		    picture->panel_bottom, 1, PICTURE_FRAME);
	canvas_line(picture->canvas, PICTURE_LEFT, PICTURE_BOTTOM, PICTURE_RIGHT, PICTURE_BOTTOM, 1,
		    PICTURE_FRAME);
	for (int64_t at_ns = from_ns / step_ns * step_ns; at_ns <= until_ns; at_ns += step_ns) {
		if (at_ns < from_ns)
			continue;
		label.x = picture_x(picture, picture->zero_ns + at_ns);
		canvas_line(picture->canvas, label.x, PICTURE_BOTTOM, label.x, PICTURE_BOTTOM + 5,
			    1, PICTURE_FRAME);
		format_tick(at_ns, step_ns, words);
		canvas_text(picture->canvas, &label, words);
	}
	label = (struct canvas_label){ .x = PICTURE_RIGHT, .y = PICTURE_HEIGHT - 10, .size = 13,
				       .align = ALIGN_RIGHT, .colour = PICTURE_MUTED };
	canvas_text(picture->canvas, &label,
		    facts_has_fault(picture->story) ? "time since the fault was sent" :
						      "time since the run started");
}

static double legend_words(const struct picture *picture, double x, const char *words)
{
	const struct canvas_label label = { .x = x, .y = PICTURE_HEIGHT - 10, .size = 13,
					    .align = ALIGN_LEFT, .colour = PICTURE_MUTED };

	canvas_text(picture->canvas, &label, words);
	/* Room for a viewer whose letters are wider than Helvetica. */
	return x + canvas_text_width(picture->canvas, &label, words) * 1.1 + 19;
}

static void draw_legend(const struct picture *picture)
{
	struct canvas *canvas = picture->canvas;
	const double y = PICTURE_HEIGHT - 14.5;
	double x = PICTURE_LEFT;

	canvas_strokes_begin(canvas, 3.4, picture_colour(0));
	canvas_stroke(canvas, x + 4, y, x + 4, y);
	canvas_strokes_end(canvas);
	x = legend_words(picture, x + 14, "good sample");
	canvas_strokes_begin(canvas, 1.6, PICTURE_BAD);
	canvas_stroke(canvas, x + 2, y - 3, x + 8, y + 3);
	canvas_stroke(canvas, x + 2, y + 3, x + 8, y - 3);
	canvas_strokes_end(canvas);
	x = legend_words(picture, x + 16, "bad sample");
	canvas_box(canvas, x, y - 2, x + 22, y + 2, picture_colour(0));
	x = legend_words(picture, x + 30, "good");
	canvas_box(canvas, x, y - 7, x + 22, y + 7, PICTURE_BAD);
	x = legend_words(picture, x + 30, "bad, or lost");
	canvas_dashes(canvas, x, y, x + 22, y, 1, PICTURE_SOFT);
	x = legend_words(picture, x + 30, "not seen, or unanswered");
	canvas_box(canvas, x, y - 7, x + 22, y + 7, PICTURE_WASH);
	(void)legend_words(picture, x + 30, "fault to heal");
}

void picture_frame(const struct picture *picture)
{
	const struct canvas_label nothing = { .x = (PICTURE_LEFT + PICTURE_RIGHT) / 2.0,
					      .y = (PICTURE_TOP + PICTURE_BOTTOM) / 2.0, .size = 18,
					      .align = ALIGN_CENTRE, .colour = PICTURE_MUTED };

	draw_marks(picture);
	draw_far_target(picture);
	draw_rto(picture);
	draw_axis(picture);
	draw_legend(picture);
	if (picture->track_count == 0)
		canvas_text(picture->canvas, &nothing, "no samples were taken");
}
