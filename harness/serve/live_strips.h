/*
 * live_strips.h - what the probes of a run under way have seen in the last minute, as strips. Their samples are
 * in files on the machine that runs it (sampler.h); of a run elsewhere there are none here.
 */
#ifndef SERVE_LIVE_STRIPS_H
#define SERVE_LIVE_STRIPS_H

#include "serve/page.h"

void live_strips_write(const struct visit *visit, const char *run_id, struct text *body);

#endif
