/*
 * fuzz_vantage.c - what was seen from a vantage point, as the journal of a run holds it: what is read prints to
 * something that reads as the same, and what cannot be read tells nothing and says so.
 */
#include "tests/fuzz.h"
#include "engine/vantage_text.h"
#include "fixtures/fuzz_input.h"

#include <assert.h>
#include <string.h>

static void check_sights(const struct vantage_view *view)
{
	assert(view->sight_count > 0 && view->run_id != NULL && view->head != NULL);
	for (size_t i = 0; i < view->sight_count; i++) {
		assert(view->sights[i].probe != NULL);
		assert(view->sights[i].outage.low_ns <= view->sights[i].outage.high_ns);
		assert(view->sights[i].kind == MEASURED_NEVER_RECOVERED ||
		       view->sights[i].outage.high_ns != NEVER_NS);
	}
}

static void check_round_trip(const struct vantage_view *view, struct arena *arena)
{
	struct vantage_view again = { 0 };
	struct text once = { 0 };
	struct text twice = { 0 };

	vantage_text_write(view, &once);

	const struct event event = { .kind = EVENT_SEEN_FROM, .name = view->name, .text = "",
				     .data = text_str(&once) };

	vantage_text_read(&event, arena, &again);
	vantage_text_write(&again, &twice);
	assert(strcmp(text_str(&once), text_str(&twice)) == 0);
	text_release(&once);
	text_release(&twice);
}

void fuzz_vantage(const uint8_t *bytes, size_t length_bytes)
{
	struct fuzz_input input = { bytes, length_bytes };
	struct arena arena = { 0 };
	struct vantage_view view;
	const struct event event = { .kind = EVENT_SEEN_FROM, .name = "eu", .text = "",
				     .data = fuzz_take_text(&input, &arena) };

	vantage_text_read(&event, &arena, &view);
	assert((view.why != NULL) == (view.sight_count == 0));
	if (view.why == NULL)
		check_sights(&view);
	check_round_trip(&view, &arena);
	assert(vantage_sentence(&view, 1, &arena) != NULL);
	arena_release(&arena);
}
