/*
 * lag_text.h - answers of a primary about its replicas as data of an event, and back.
 *
 * EVENT_LAG  name = the probe, host = the primary that answered; from..until: the first question to the
 *            last answer. data:
 *              { "wal": "1234",             its position at the first answer, bytes since the beginning
 *                "replicas": ["db2"],
 *                "looks": ["0 913000 0; 0 streaming async 0 0 512 - 2000000"] }
 *            A look: asked and answered (ns after the event's from), position (bytes after "wal"); then of
 *            each replica its number, state, "sync" or "async", bytes behind (sent, flush, replay), the
 *            server's lag times (flush, replay; ns). "-" is not known.
 *
 * One line for each look keeps a long run small and readable; an event holds many.
 */
#ifndef ENGINE_LAG_TEXT_H
#define ENGINE_LAG_TEXT_H

#include "base/mem.h"
#include "model/lag.h"
#include "model/timeline.h"

enum { LAG_TEXT_ROWS_MAX = 512 };

/* looks: of one primary, in order, its position never going down; count is not 0, and all together have
   LAG_TEXT_ROWS_MAX rows at most. */
void lag_text_write(const struct lag_look *looks, size_t count, struct text *ret_data);

/* Calls take with each look. Returns how many could not be read. */
size_t lag_text_read(const struct event *event, void (*take)(void *ctx, const struct lag_look *look),
		     void *ctx);

#endif
