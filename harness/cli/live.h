/*
 * live.h - what a person sees while a run goes on.
 *
 * On a terminal: a block at the bottom that is drawn again (phase, clock, each probe's last seconds
 * as a strip) under a growing list of events. Elsewhere: the same events as plain lines.
 */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include <stdio.h>

#include "engine/engine.h"

struct live;

/* Shows on the stream; secrets may be NULL. */
struct live *live_open(FILE *stream,
		       const struct secrets *secrets, const struct clock *clock);
void live_close(struct live *live); /* removes the block; NULL is fine */
/* Hand this to the engine; valid until live_close. */
const struct progress *live_progress(const struct live *live);

#endif
