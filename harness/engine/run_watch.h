/*
 * run_watch.h - a run that only watches another one, from a vantage point of it (vantage.h).
 */
#ifndef ENGINE_RUN_WATCH_H
#define ENGINE_RUN_WATCH_H

struct run;

/* Its walk: gate, then the same probes until the other run has taken its last sample, or is gone. */
void run_watch(struct run *run);

#endif
