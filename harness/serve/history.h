/*
 * history.h - what the store holds as the pages and the metrics want it: all runs, light; what is not
 * healed; the KPIs, as `firedrill kpi` has them; and what has become of schedules.
 */
#ifndef SERVE_HISTORY_H
#define SERVE_HISTORY_H

#include "model/kpi.h"
#include "store/store_dues.h"

enum run_state { RUN_ENDED = 1, RUN_ALIVE, RUN_DIED };

struct history_run {
	const char *run_id;
	const char *title;
	const char *sentence;  /* NULL: none */
	int64_t began_wall_ns;
	enum run_state state;  /* RUN_DIED: its process is gone, and it has no end */
	enum run_exit exit_code;
};

struct history {
	const struct history_run *runs; /* newest first */
	size_t run_count;
	/* Faults that nobody heals any more: of runs that have ended or died. */
	const struct heal_row *leftovers;
	size_t leftover_count;
	struct kpi kpi;
	struct due_sums dues;
};

bool history_read(struct store *store, int64_t now_wall_ns, struct arena *arena,
		  struct history *ret_history, struct err *e);

struct history_run history_run_of_row(const struct run_row *row);
/* A drill, without title and sentence. */
struct history_run history_run_of(const struct run_facts *facts);

/* How it came out, in a word and a sign, and in what colour. */
const char *history_word(const struct history_run *run);
enum verdict history_tone(const struct history_run *run);

#endif
