/*
 * patience.h - when a lane may leave a connection that hangs, and open another one.
 *
 * Each connection that is left while its backend hangs stays on the server, and lanes that all do
 * so use up max_connections within seconds: then our observation locks the applications out. So
 * all lanes that ask one server the same question share one patience, whatever their number: after
 * `first` one of them may leave one connection, after twice that time one of them another one, and
 * so on, until an answer comes. An answer over a connection younger than a hung one shows that new
 * connections work where old ones hang (behind a proxy): then every lane may leave its old one.
 *
 * What it costs: behind such a proxy, a recovery between two of these moments is seen at the later.
 */
#ifndef PROBES_PATIENCE_H
#define PROBES_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

struct patience; /* never freed; safe for many threads */

/* The one for this text, which names a server and a question. With more than 64 of them in one
   process some share one, and then wait longer. */
struct patience *patience_find(const char *key);

/* Whether a connection that has not answered since asked_ns may be left now. True counts. */
bool patience_may_leave(struct patience *patience, int64_t asked_ns,
				 int64_t first_ns, int64_t now_ns);

/* A connection opened at that time has answered. */
void patience_answered(struct patience *patience, int64_t opened_ns);

#endif
