/*
 * door.h - what is said to those who want to change something, before a page sees it: who may not is told
 * why, and wrong tokens are written down.
 */
#ifndef SERVE_DOOR_H
#define SERVE_DOOR_H

#include "serve/page.h"
#include "store/store_audit.h"

/* Answers a POST: with what the page makes of it, or with a refusal. False: it could not be answered. */
bool door_take(struct visit *visit, const struct page *page, struct answer *answer, struct err *e);

/* Any answer of the guard but GUARD_PASSES. A token that was wrong is written down. */
bool door_refuse(const struct visit *visit, enum guard_answer said, const struct caller *caller,
		 struct answer *answer, struct err *e);
/* An entry that begins and ends at once. */
bool door_note(const struct visit *visit, const char *action, const struct caller *caller,
	       enum audit_outcome outcome, const char *sentence, struct err *e);
/* To sign in, and from there back to this page. */
void door_lead_in(const struct visit *visit, struct answer *answer);

#endif
