/*
 * history.h - what the store holds as the pages and the metrics want it: how many runs, and the newest; what
 * is not healed; the KPIs, as `firedrill kpi` has them; and what has become of schedules. No run is read
 * that is not shown, so a hundred thousand of them cost no more than ten.
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

enum { HISTORY_RECENT = 10 };

struct history {
	struct run_tally tally;
	const struct history_run *recent; /* newest first, at most HISTORY_RECENT */
	size_t recent_count;
	const struct history_run *open; /* without an end: under way, or died; newest first */
	size_t open_count;
	/* Faults that nobody heals any more: of runs that have ended or died. */
	const struct heal_row *leftovers;
	size_t leftover_count;
	struct kpi kpi;
	struct due_sums dues;
};

/* The facts of all runs as they were read last; read again when the store says that they have changed, and in
   any case after a minute, for what has been done to the store behind our back. */
struct history_facts {
	struct arena arena;
	struct facts_rows rows;
	int64_t version;
	int64_t read_wall_ns;
	bool is_there;
};

void history_facts_release(struct history_facts *facts);

/* What comes back borrows the facts. */
bool history_read(struct store *store, int64_t now_wall_ns, struct history_facts *facts,
		  struct arena *arena, struct history *ret_history, struct err *e);

/* A page of the list of runs. */
struct history_choice {
	const char *word; /* as history_word has it; "": any */
	const char *text; /* in the title or the id; "": any */
	size_t skip;      /* so many of the newest */
	size_t limit;
};

struct history_list {
	const struct history_run *runs; /* newest first */
	size_t count;
	uint64_t chosen_count; /* on all pages */
	uint64_t run_count;    /* in the store */
};

bool history_list(struct store *store, const struct history_choice *choice, struct arena *arena,
		  struct history_list *ret_list, struct err *e);

struct history_run history_run_of_row(const struct run_row *row);
/* A drill, without title and sentence. */
struct history_run history_run_of(const struct run_facts *facts);

/* How it came out, in a word and a sign, and in what colour. */
const char *history_word(const struct history_run *run);
enum verdict history_tone(const struct history_run *run);

#endif
