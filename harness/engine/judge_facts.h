/*
 * judge_facts.h - what the events of a run say about the run itself: was every step confirmed, is
 * everything healed and read back, did it start, was it stopped, did it fail.
 */
#ifndef ENGINE_JUDGE_FACTS_H
#define ENGINE_JUDGE_FACTS_H

#include "engine/judge.h"

/* Each text is a sentence without its full stop, or NULL when there is nothing to say. */
struct judge_facts {
	const char *unconfirmed; /* the first step that is not known to be in effect */
	const char *leftover;	 /* the first target that is left unhealed */
	size_t leftover_count;
	const char *not_read_back; /* healed, but nobody looked at the state afterwards */
	const char *not_started;
	const char *stopped;
	int64_t stopped_ns;	/* since when there was a reason to */
	int64_t last_heal_ns;	/* answered; 0: none was */
	const char *failed;
	const char *not_steady; /* after the heal */
	bool has_settled;	/* whether it was steady is known */
	bool has_harmed;	/* an intent was written down */
};

void judge_facts_read(const struct judge_request *request, struct arena *arena,
		      struct judge_facts *ret_facts);

#endif
