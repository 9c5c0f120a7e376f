/*
 * strip.c - see strip.h.
 */
#include "reports/strip.h"

#include <assert.h>
#include <stdatomic.h>

struct strip_sign {
	const char *ascii;
	const char *utf8;
	const char *colour; /* of the terminal; "" none */
};

static const struct strip_sign signs[] = {
	[STRIP_EMPTY] = { " ", " ", "" },
	[STRIP_GOOD] = { ".", "\xe2\x96\x82", "\x1b[32m" },
	[STRIP_MIXED] = { "x", "\xe2\x96\x85", "\x1b[33m" },
	[STRIP_BAD] = { "#", "\xe2\x96\x88", "\x1b[31m" },
	[STRIP_UNSEEN] = { "?", "\xe2\x96\x91", "\x1b[2m" },
};

/* The lane writes the state last (release); whoever sees it sees the rest of the sample. */
static enum sample_state state_of(const struct sample *sample)
{
	const _Atomic uint8_t *state = (const _Atomic uint8_t *)&sample->state;

	return (enum sample_state)atomic_load_explicit(state, memory_order_acquire);
}

/* The first slot due at or after this moment. */
static uint64_t slot_at_or_after(const struct track *track, int64_t at_ns)
{
	if (at_ns <= track->t0_ns)
		return 0;
	return (uint64_t)((at_ns - track->t0_ns + track->every_ns - 1) / track->every_ns);
}

static enum strip_cell cell_of(const struct track *track, uint64_t first, uint64_t last)
{
	uint64_t good = 0;
	uint64_t bad = 0;
	uint64_t unseen = 0;

	for (uint64_t slot = first; slot < last && slot < track->slot_count; slot++) {
		const enum sample_state state = state_of(&track->samples[slot]);

		good += state == SAMPLE_GOOD;
		bad += state == SAMPLE_BAD;
		unseen += state == SAMPLE_SKIPPED || state == SAMPLE_NONE;
	}
	if (bad > 0)
		return good > 0 ? STRIP_MIXED : STRIP_BAD;
	if (good > 0)
		return STRIP_GOOD;
	return unseen > 0 ? STRIP_UNSEEN : STRIP_EMPTY;
}

void strip_cells(const struct track *track, struct span window, size_t columns,
		 enum strip_cell *ret_cells)
{
	const int64_t length_ns = window.high_ns - window.low_ns;

	assert(track->every_ns > 0);
	assert(length_ns > 0);
	assert(columns > 0 && columns <= STRIP_COLUMNS_MAX);

	for (size_t i = 0; i < columns; i++) {
		const double share = (double)length_ns / (double)columns;
		const int64_t from_ns = window.low_ns + (int64_t)(share * (double)i);
		const int64_t until_ns = window.low_ns + (int64_t)(share * (double)(i + 1));
		const uint64_t first = slot_at_or_after(track, from_ns);
		const uint64_t last = slot_at_or_after(track, until_ns);

		if (first < last)
			ret_cells[i] = cell_of(track, first, last);
		else if (first > 0 && first <= track->slot_count)
			ret_cells[i] = cell_of(track, first - 1, first);
		else
			ret_cells[i] = STRIP_EMPTY;
	}
}

void strip_render(const struct track *track, struct span window, size_t columns,
		  const struct strip_style *style, struct text *text)
{
	enum strip_cell cells[STRIP_COLUMNS_MAX];
	const char *colour = "";

	strip_cells(track, window, columns, cells);
	for (size_t i = 0; i < columns; i++) {
		const struct strip_sign *sign = &signs[cells[i]];

		if (style->has_colour && sign->colour != colour) {
			text_add(text, "\x1b[0m");
			text_add(text, sign->colour);
			colour = sign->colour;
		}
		text_add(text, style->is_utf8 ? sign->utf8 : sign->ascii);
	}
	if (style->has_colour && colour[0] != '\0')
		text_add(text, "\x1b[0m");
}

const char *strip_legend(const struct strip_style *style)
{
	return style->is_utf8 ? "\xe2\x96\x82 good  \xe2\x96\x85 good and bad  \xe2\x96\x88 bad  "
				"\xe2\x96\x91 not seen" :
				". good  x good and bad  # bad  ? not seen";
}
