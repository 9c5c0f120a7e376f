/*
 * seal.h - SHA-256 over the fields of a row, so that a changed or damaged row is noticed.
 *
 * Every field goes in as "<length>:<bytes>," and a missing one as "-,": no two lists of fields have
 * the same bytes. It shows damage and careless edits; whoever can write the store can also write
 * new seals, so keep a copy elsewhere where that matters.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "base/hash.h"
#include "base/mem.h"
#include "model/timeline.h"

struct seal {
	struct text bytes; /* zero-initialise; seal_finish releases it */
};

void seal_text(struct seal *seal, const char *text); /* NULL: missing */
void seal_int(struct seal *seal, int64_t number);
void seal_bytes(struct seal *seal, const void *bytes, size_t length_bytes);
void seal_finish(struct seal *seal, const char *previous, char ret_hash[HASH_TEXT_BYTES]);

/* Everything of the event but its hash, after `previous`: the hash of the event before it. */
void seal_event(const struct event *event, const char *previous, char ret_hash[HASH_TEXT_BYTES]);

/* The fields of an event that are kept as words. Where one is not what seal_event could have had before
   it, the event becomes EVENT_NONE: it would pass for the right one. */
void seal_event_words(struct event *event, const char *kind, const char *phase, const char *hash);

#endif
