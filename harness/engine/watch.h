/*
 * watch.h - what the samples say so far: steady, stable, bad for how long.
 *
 * A live reading for the run thread's decisions. The verdict does not come from here: measure.c
 * reads the whole record afterwards. Samples are taken in slot order, so an attempt that still hangs
 * holds the reading back by at most its timeout.
 */
#ifndef ENGINE_WATCH_H
#define ENGINE_WATCH_H

#include "engine/engine.h"

struct watch_probe {
	const struct probe_spec *spec;
	uint64_t slot_count;      /* slots read: all before it have ended or will never be sampled */
	int64_t good_since_ns;    /* due of the first good of the stretch under way; 0: none */
	int64_t last_good_due_ns; /* 0: none yet */
	int64_t last_bad_due_ns;  /* 0: none yet */
	int64_t blind_ns;         /* of the stretch: slots that this machine missed or sent late */
};

struct watch {
	const struct outside *outside;
	const struct experiment *experiment;
	struct watch_probe probes[LIMIT_PROBES];
	struct track tracks[LIMIT_PROBES]; /* as of the last update */
};

void watch_init(struct watch *watch, const struct experiment *experiment,
		const struct outside *outside);
void watch_update(struct watch *watch, int64_t now_ns);

/* Every required probe good without a break for this long, in a stretch that began at from_ns or
   later. *ret_since: when the youngest of these stretches began. */
bool watch_is_good(const struct watch *watch, int64_t from_ns, int64_t good_for_ns,
		   int64_t *ret_since_ns);
/* A required probe that is not good now, or NULL: for "what are we waiting for". */
const struct probe_spec *watch_first_bad(const struct watch *watch);
/* What its last bad sample said; NULL: there is none, or it said nothing. */
const char *watch_last_error(const struct watch *watch, const struct probe_spec *spec);
/* No good sample since from_ns or the last good one, whichever is later. */
int64_t watch_bad_for_ns(const struct watch *watch, const struct probe_spec *spec, int64_t from_ns,
			 int64_t now_ns);

#endif
