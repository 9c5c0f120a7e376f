/*
 * store_audit.h - what people did by way of the page, and tried to do: who, when, what, why, from where,
 * and what came of it.
 *
 * An action is written down before it takes effect and completed afterwards; one that has no end was
 * cut short, and nobody knows whether it took effect. Rows are sealed, never changed again once they have
 * their end, and never removed.
 */
#ifndef STORE_STORE_AUDIT_H
#define STORE_STORE_AUDIT_H

#include "store/store.h"

enum audit_outcome {
	AUDIT_BEGUN = 1, /* and no end is known */
	AUDIT_DONE,
	AUDIT_REFUSED,   /* nothing was changed */
	AUDIT_FAILED,    /* it may have been done in part; the sentence says what went wrong */
};

const char *audit_outcome_name(enum audit_outcome outcome); /* "begun", "done", ... */

struct audit_row {
	int64_t audit_id; /* the store's number of it; not needed to begin one */
	int64_t wall_ns;
	const char *person;  /* NULL: nobody knows who it was */
	const char *action;  /* "pause", "sign-in" */
	const char *subject; /* a schedule, a run; NULL: the action needs none */
	const char *reason;  /* NULL: the action asks for none */
	const char *address; /* that the request came from */
	enum audit_outcome outcome;
	int64_t ended_wall_ns; /* 0: it has no end */
	const char *sentence;  /* what came of it; NULL: it has no end */
	bool is_altered;       /* it is not as it was written */
};

/* Durable when it returns true. row: what is known before; its outcome is AUDIT_BEGUN. */
bool store_audit_begin(struct store *store, const struct audit_row *row, int64_t *ret_audit_id,
		       struct err *e);
/* Once for an action: audit_id, outcome, ended_wall_ns and sentence. ERR_INPUT: none of this number is
   under way. */
bool store_audit_end(struct store *store, const struct audit_row *end, struct err *e);

/* Newest first, those with a number below `before` (0: from the newest), at most `limit` (0: all). */
bool store_audit(struct store *store, int64_t before, size_t limit, struct arena *arena,
		 struct audit_row **ret_rows, size_t *ret_count, struct err *e);
/* One of them. *ret_is_there false: there is none of this number. */
bool store_audit_find(struct store *store, int64_t audit_id, struct arena *arena, bool *ret_is_there,
		      struct audit_row *ret_row, struct err *e);

#endif
