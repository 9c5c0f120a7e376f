/*
 * vantage_text.h - what was seen from a vantage point as data of an event and back, and in words.
 *
 * EVENT_SEEN_FROM  name = the vantage point; data, of one whose sights are the whole:
 *              { "run": ID, "head": HASH,
 *                "sights": [{ "probe": NAME, "every_ns": N, "is_required": true,
 *                             "outage": "span" | "no_outage" | "never_recovered" | "nothing",
 *                             "low_ns": N, "high_ns": N or null, "down_low_ns": N, "down_high_ns": N,
 *                             "attempts": N, "bad": N, "unseen": N, "late_p99_ns": N }] }
 *            else { "run": ID or null, "why": SENTENCE }
 */
#ifndef ENGINE_VANTAGE_TEXT_H
#define ENGINE_VANTAGE_TEXT_H

#include "base/mem.h"
#include "model/timeline.h"
#include "model/vantage.h"

void vantage_text_write(const struct vantage_view *view, struct text *ret_data);
/* One that cannot be read says so as its `why`. */
void vantage_text_read(const struct event *event, struct arena *arena,
		       struct vantage_view *ret_view);

/* "4.10 s to 4.12 s", "no outage seen at every=20ms", "not over when it ended, after 6.3 s at least",
   "nothing is told: no worker came" */
const char *vantage_words(const struct vantage_view *view, struct arena *arena);
/* "seen from here: 4.10 s to 4.12 s, from eu: 6.3 s to 6.31 s" */
const char *vantage_sentence(const struct vantage_view *views, size_t count, struct arena *arena);

#endif
