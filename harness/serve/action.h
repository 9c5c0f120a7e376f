/*
 * action.h - the contract of what can be done by way of the page: one file for what belongs together, one
 * row in action_table.c each.
 *
 * Whoever may do it was asked before (guard.h); that somebody does is written down before `act`, and what
 * came of it after (store_audit.h).
 */
#ifndef SERVE_ACTION_H
#define SERVE_ACTION_H

#include "serve/page.h"

struct errand {
	const struct action *action;
	const struct visit *visit;
	struct store *store;
	const char *subject; /* as it was asked for; "" where the action needs none */
	const char *person;
	const char *reason;  /* NULL where the action asks for none */
	int64_t wall_ns;
	const char *digest;  /* `show` sets it to that of what it has shown, and the form brings it back; NULL: none */
};

struct action {
	const char *name;    /* "pause": in its address and in the audit */
	const char *title;   /* "Pause a schedule" */
	const char *button;  /* "Pause it" */
	const char *about;   /* what it does, in a sentence or two */
	const char *subject; /* what it is done to: "Run", "Schedule"; NULL: it needs none */
	bool has_reason;
	/* What else somebody should see before they do it. ERR_INPUT: there is no such subject. NULL: nothing. */
	bool (*show)(struct errand *errand, struct text *body, struct err *e);
	/* Does it. *ret_sentence: what has come of it. ERR_INPUT, ERR_REFUSED: nothing was changed. */
	bool (*act)(const struct errand *errand, const char **ret_sentence, struct err *e);
};

const struct action *action_find(const char *name); /* NULL: there is none of this name */

/* "/actions/pause?on=weekly" */
const char *action_address(const char *name, const char *subject, struct arena *arena);
/* A link that looks like a button, where this page takes actions at all. */
void action_link(const struct visit *visit, const char *name, const char *subject, const char *words,
		 struct text *body);
/* A paragraph that says what nobody else sees: who is signed in, with a way out; or the way in. */
void action_show_caller(const struct visit *visit, struct text *body);

#endif
