/*
 * journal.h - appending events to one run: durable when it returns, shown to whoever watches.
 *
 * A store that fails does not stop the healing: the journal remembers the first failure and goes on
 * trying; who is about to do harm looks at the answer.
 */
#ifndef ENGINE_JOURNAL_H
#define ENGINE_JOURNAL_H

#include "engine/engine.h"

struct journal {
	struct store *store;
	const char *run_id;
	const struct clock *clock;
	const struct progress *progress; /* NULL: none */
	int64_t shift_ns;  /* added to the clock: the run began in an earlier boot of this machine */
	enum phase phase;
	bool is_broken;    /* an append failed */
	struct err failure; /* the first one */
};

/* Completes at_ns (now, when 0) and phase, appends. False: not durable. */
bool journal_append(struct journal *journal, struct event event);
/* A plain sentence of the kind. */
bool journal_say(struct journal *journal, enum event_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Begins a phase. */
bool journal_phase(struct journal *journal, enum phase phase);
int64_t journal_now_ns(const struct journal *journal);

#endif
