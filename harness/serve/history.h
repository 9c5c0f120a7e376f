/*
 * history.h - the runs of the store as the pages and the metrics want them: all of them, light.
 */
#ifndef SERVE_HISTORY_H
#define SERVE_HISTORY_H

#include "model/verdict.h"
#include "store/store.h"

enum run_state { RUN_ENDED = 1, RUN_ALIVE, RUN_DIED };

struct history_run {
	const struct run_row *row; /* light */
	enum run_state state;      /* RUN_DIED: its process is gone, and it has no end */
};

struct history {
	const struct history_run *runs; /* newest first */
	size_t run_count;
	/* Faults that nobody heals any more: of runs that have ended or died. */
	const struct heal_row *leftovers;
	size_t leftover_count;
};

bool history_read(struct store *store, struct arena *arena, struct history *ret_history,
		  struct err *e);

/* How it came out, in a word and a sign, and in what colour. */
const char *history_word(const struct history_run *run);
enum verdict history_tone(const struct history_run *run);

#endif
