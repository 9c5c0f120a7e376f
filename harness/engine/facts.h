/*
 * facts.h - a run's story in, the few numbers that a history needs out. The same story gives the same
 * facts, so anybody can derive again what the store has kept.
 */
#ifndef ENGINE_FACTS_H
#define ENGINE_FACTS_H

#include "base/mem.h"
#include "model/facts.h"
#include "model/story.h"
#include "store/store.h"

/* What the experiment is about; texts go to the arena. Also of one that never ran. */
void facts_subject_of(const struct experiment *experiment, struct arena *arena,
		      struct facts_subject *ret_subject);

/* Pure. Of what a run without an end says now. ret_facts borrows the story's texts. */
void facts_of_story(const struct story *story, struct arena *arena,
		    struct facts_subject *ret_subject, struct run_facts *ret_facts);

/* Puts them into the store. */
bool facts_keep(struct store *store, const struct story *story, struct err *e);

/* "process.kill on primary + net.partition on 1 replica"; "" when nothing is harmed. */
const char *facts_scenario(const struct experiment *experiment, struct arena *arena);

/* Derives and puts those of one run. */
bool facts_derive(struct store *store, const char *run_id, struct err *e);

struct facts_rebuild {
	bool is_all;              /* also those that have facts */
	/* Of each run that cannot be derived. May be NULL. */
	void (*tell)(void *ctx, const struct err *e);
	void *ctx;
	/* Results: */
	size_t derived_count;
	size_t changed_count;     /* had other facts before */
	size_t failed_count;      /* cannot be derived: the record is altered, or has no documents */
	size_t alive_count;       /* under way: left for their end */
};

/* Derives the facts of runs that have none from their stories. A run that cannot be read is told and
   counted, and the others go on. False: the store itself failed. */
bool facts_rebuild(struct store *store, struct facts_rebuild *rebuild, struct err *e);

#endif
