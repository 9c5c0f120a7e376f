/*
 * sights.h - what the event probes saw, into the journal; only the run thread calls this.
 *
 * EVENT_SEEN   name = the probe, host, text = what happened ("Patroni promoted db2"); from..until: the
 *              bound on our own clock, from 0 when nobody looked before; data {"own_low_ns",
 *              "own_high_ns"}: when by the host's clock, nanoseconds since 1970, if it told.
 * EVENT_CLOCK  host; from..until: when it was asked; data {"low_ns", "high_ns", "round_count"}: the
 *              host's clock minus the run's.
 *
 * EVENT_STANDING  name = the watch, host, text = what it is now ("is primary and acknowledges writes,
 *              timeline 00000004"); data {"was", "is"}: words of standing.h, was "" at the first
 *              look; "server": which start of it answered, or ""; "is_last": no change, but the last
 *              word of the watch. from..until: the bound of the change, or the last look.
 * EVENT_LAG    how far replicas are behind: lag_text.h.
 *
 * Nanoseconds are written as text: since 1970 they are beyond the whole numbers that every reader of
 * JSON keeps exact. Nothing is derived here: measure_events.c puts the two together, from the journal.
 */
#ifndef ENGINE_SIGHTS_H
#define ENGINE_SIGHTS_H

struct run;
struct sights;

struct sights *sights_make(void);
void sights_release(struct sights *sights);

/* Measures the clocks of the hosts whose own times may come; before any harm. */
void sights_begin(struct run *run);
/* Appends what was seen since the last call. */
void sights_take(struct run *run);
/* Takes the rest, and measures again the clocks whose times were really seen. */
void sights_end(struct run *run);

#endif
