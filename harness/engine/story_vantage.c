/*
 * story_vantage.c - who saw what, side by side: the run itself by its samples, each vantage point by what it
 * had told when the run ended. Of a watch there is its own view alone.
 */
#include "engine/story_parts.h"

#include "engine/measure_vantage.h"
#include "engine/vantage_text.h"

static size_t count_told(const struct timeline *timeline)
{
	size_t count = 0;

	for (size_t i = 0; i < timeline->event_count; i++)
		count += timeline->events[i].kind == EVENT_SEEN_FROM ? 1 : 0;
	return count;
}

void story_tell_views(struct story *story, int64_t measured_until_ns, struct arena *arena)
{
	const struct timeline *timeline = &story->timeline;
	const size_t told_count = count_told(timeline);
	struct vantage_view *views = arena_alloc(arena, (told_count + 1) * sizeof *views);
	size_t count = 1;

	if (story->watch_of == NULL && told_count == 0)
		return;
	views[0] = (struct vantage_view){ .name = VANTAGE_HERE };
	if (story->watch_of != NULL)
		views[0] = (struct vantage_view){ .name = story->vantage,
						  .run_id = story->run_id,
						  .head = arena_copy(arena, timeline->head) };
	measure_vantage(timeline, story->experiment, measured_until_ns, arena, &views[0]);
	for (size_t i = 0; story->watch_of == NULL && i < timeline->event_count; i++)
		if (timeline->events[i].kind == EVENT_SEEN_FROM)
			vantage_text_read(&timeline->events[i], arena, &views[count++]);
	story->views = views;
	story->view_count = count;
	story->seen_from = vantage_sentence(views, count, arena);
}

/* Nothing was promised to it: it says what it saw, or why it did not see it. */
void story_judge_watch(struct story *story, struct arena *arena)
{
	struct outcome *outcome = &story->outcome;
	const bool is_whole = story->view_count == 1 && story->views[0].why == NULL;

	outcome->is_watch = true;
	outcome->verdict = VERDICT_NONE;
	if (outcome->exit_code != EXIT_MET && outcome->exit_code != EXIT_INCONCLUSIVE)
		return; /* it was stopped, or did not start */
	outcome->exit_code = is_whole ? EXIT_MET : EXIT_INCONCLUSIVE;
	outcome->sentence = arena_format(arena, "Watched %s: %s.", story->watch_of, story->seen_from);
}
