/*
 * suggest.h - the known word that is nearest to what somebody wrote, for "did you mean".
 */
#ifndef LOAD_SUGGEST_H
#define LOAD_SUGGEST_H

#include "base/mem.h"

struct suggestion {
	const char *word; /* as written */
	const char *best; /* NULL: nothing is near enough */
	size_t distance;
};

struct suggestion suggest_for(const char *word);
void suggest_offer(struct suggestion *suggestion, const char *candidate);
/* Offers each of "in|out|both". */
void suggest_offer_choices(struct suggestion *suggestion, const char *choices,
			   struct arena *arena);

/* Edits between two words: insert, delete, replace, swap neighbours. Capitals count half. */
size_t suggest_distance(const char *left, const char *right);

#endif
