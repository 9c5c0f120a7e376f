/*
 * story_parts.h - the parts of story_build that stand in files of their own.
 */
#ifndef ENGINE_STORY_PARTS_H
#define ENGINE_STORY_PARTS_H

#include "base/mem.h"
#include "model/story.h"
#include "store/store.h"

/* The first event of this kind, or NULL. */
const struct event *story_event(const struct timeline *timeline, enum event_kind kind);

/* Fills story->deeds from the journal and from what the store still wants healed. */
void story_tell_deeds(struct story *story, const struct heal_row *open_heals, size_t open_count,
		      struct arena *arena);

/* Fills story->permission from the journal. */
void story_tell_permission(struct story *story, struct arena *arena);

/* Fills story->views and the sentence of them; what was told of watches is not looked at again. */
void story_tell_views(struct story *story, int64_t measured_until_ns, struct arena *arena);

/* What becomes of the outcome of a run that only watched; its view must be there. */
void story_judge_watch(struct story *story, struct arena *arena);

/* Fills story->untold; probes, ledgers and deeds must be there. */
void story_tell_untold(struct story *story, struct arena *arena);

#endif
