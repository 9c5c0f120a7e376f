/*
 * story_permission.c - on what grounds a run was permitted, what was set aside and by whom, and what was
 * refused: the sentences for a report, each once. See permission.c for who writes the events.
 */
#include "engine/story_parts.h"

#include <string.h>

/* The grounds of the start are enough; those of each inject stand in the journal. */
static bool is_for_people(const struct event *event)
{
	return (event->kind == EVENT_PERMITTED && event->step == 0) ||
	       event->kind == EVENT_REFUSED || event->kind == EVENT_OVERRIDDEN;
}

static const char *say(const struct event *event, struct arena *arena)
{
	const char *rule = event->name == NULL ? "policy" : event->name;

	if (event->kind == EVENT_PERMITTED)
		return arena_format(arena, "Permitted: %s.", event->text);
	return arena_format(arena, "%s (%s): %s.",
			    event->kind == EVENT_OVERRIDDEN ? "Overridden" : "Refused", rule,
			    event->text);
}

void story_tell_permission(struct story *story, struct arena *arena)
{
	const struct timeline *timeline = &story->timeline;
	const char **sentences = NULL;
	size_t count = 0;

	for (size_t i = 0; i < timeline->event_count; i++) {
		const char *sentence = is_for_people(&timeline->events[i]) ?
					       say(&timeline->events[i], arena) : NULL;

		for (size_t j = 0; j < count && sentence != NULL; j++)
			if (strcmp(sentences[j], sentence) == 0)
				sentence = NULL;
		if (sentence == NULL)
			continue;
		sentences = arena_more(arena, sentences, count, sizeof *sentences);
		sentences[count++] = sentence;
	}
	story->permission = sentences;
	story->permission_count = count;
}
