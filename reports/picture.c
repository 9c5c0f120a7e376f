/*
 * picture.c - see picture.h: what stands where. The parts are drawn in picture_panel.c (latency and
 * strips), picture_lag.c (replication lag) and picture_frame.c (all around them).
 */
#include "reports/picture.h"

#include <assert.h>

#include "reports/picture_parts.h"
#include "reports/words.h"

const char *picture_colour(size_t probe)
{
	static const char *const colours[PICTURE_PROBES_MAX] = {
		"#1565c0", "#00787a", "#7b3fa0", "#8a5a1c", "#455a64",
	};

	assert(probe < PICTURE_PROBES_MAX);
	return colours[probe];
}

double picture_x(const struct picture *picture, int64_t at_ns)
{
	const double share = (double)(at_ns - picture->window.low_ns) /
			     (double)(picture->window.high_ns - picture->window.low_ns);

	return PICTURE_LEFT + share * (PICTURE_RIGHT - PICTURE_LEFT);
}

bool picture_is_inside(const struct picture *picture, int64_t at_ns)
{
	return at_ns >= picture->window.low_ns && at_ns <= picture->window.high_ns;
}

/* Required probes first; a picture of sixty strips would show nothing. */
static void choose_tracks(struct picture *picture)
{
	const struct story *story = picture->story;

	for (int wants_required = 1; wants_required >= 0; wants_required--)
		for (size_t i = 0; i < story->timeline.track_count; i++) {
			const struct track *track = &story->timeline.tracks[i];
			const struct probe_spec *spec = facts_spec(story, track->probe);
			const bool is_required = spec == NULL || spec->is_required;

			if (is_required != (wants_required == 1) || track->slot_count == 0 ||
			    track->every_ns <= 0 || picture->track_count == PICTURE_PROBES_MAX)
				continue;
			picture->tracks[picture->track_count++] = track;
			picture->row_count++;
			if (facts_ledger(story, track->probe) != NULL)
				picture->row_count++;
		}
}

static void describe(const struct picture *picture, struct text *text)
{
	const struct story *story = picture->story;
	char buffer[WORDS_BYTES];

	text_addf(text, "Time runs from %s ",
		  words_moment(picture->window.low_ns - picture->zero_ns, buffer));
	text_addf(text, "to %s around the fault.",
		  words_moment(picture->window.high_ns - picture->zero_ns, buffer));
	for (size_t i = 0; i < story->probe_count; i++) {
		const struct probe_result *probe = &story->probes[i];

		text_addf(text, " %s: %s.", probe->probe,
			  words_rto(probe, facts_every_ns(story, probe->probe), buffer));
	}
	for (size_t i = 0; i < story->named_event_count; i++) {
		const struct named_event *event = &story->named_events[i];

		if (event->is_placed)
			text_addf(text, " %s: %s.", event->what,
				  words_when(story, event, buffer));
	}
}

bool picture_draw(enum canvas_kind kind, const struct story *story, struct text *ret_bytes,
		  struct err *e)
{
	struct picture picture = {
		.story = story,
		.window = facts_window(story),
		.zero_ns = facts_zero_ns(story),
	};
	struct text description = { 0 };
	const char *title = story->outcome.sentence == NULL ? "" : story->outcome.sentence;

	if (picture.window.high_ns <= picture.window.low_ns)
		picture.window.high_ns = picture.window.low_ns + NS_PER_S;
	choose_tracks(&picture);
	picture.strips_top = PICTURE_BOTTOM - (double)(PICTURE_ROW * picture.row_count);
	picture.panel_bottom =
		picture.strips_top - 10 - (picture_has_lag(&picture) ? PICTURE_LAG : 0);
	if (!canvas_open(kind, PICTURE_WIDTH, PICTURE_HEIGHT, &picture.canvas, e))
		return false;
	if (kind == CANVAS_PIXELS) {
		canvas_box(picture.canvas, 0, 0, PICTURE_WIDTH, PICTURE_HEIGHT, PICTURE_PAPER);
		picture_head(&picture);
	} else { /* the page has the words already, and its card is the paper */
		canvas_crop(picture.canvas, PICTURE_HEAD);
	}
	picture_wash(&picture);
	picture_event_bands(&picture);
	picture_panel(&picture);
	picture_lag(&picture);
	picture_strips(&picture);
	picture_event_names(&picture);
	picture_frame(&picture);
	describe(&picture, &description);

	const bool is_drawn =
		canvas_close(picture.canvas, title, text_str(&description), ret_bytes, e);

	text_release(&description);
	return is_drawn;
}
