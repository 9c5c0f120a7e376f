/*
 * redact.h - a copy of a story in which every text that a report may show is free of secrets.
 *
 * Escaping, cutting, wrapping and drawing disguise a secret so that a search of the finished bytes
 * misses it; so texts are cleaned before a writer sees them. Only report_write calls this.
 */
#ifndef REPORTS_REDACT_H
#define REPORTS_REDACT_H

#include "base/mem.h"
#include "model/story.h"
#include "model/trials.h"

/* Lives in the arena and borrows what holds no text (samples, rows). */
const struct story *redact_story(const struct story *story, struct arena *arena);
const struct trial_set *redact_set(const struct trial_set *set, struct arena *arena);

#endif
