/*
 * trials.h - one experiment several times: each trial a run of its own, all of them a set.
 */
#ifndef ENGINE_TRIALS_H
#define ENGINE_TRIALS_H

#include "engine/engine.h"
#include "model/trials.h"

struct trials_request {
	const struct run_request *run; /* of all; run_id and seed are the set's, outside is not used */
	int64_t trial_count;
	/* Fills in what each trial needs for itself: outside, and progress when wanted. */
	void (*before)(void *ctx, int64_t number, struct run_request *request);
	/* Its story can be told now; e is NULL unless its record is not whole. May be NULL. */
	void (*after)(void *ctx, int64_t number, const struct run_request *request,
		      const struct outcome *outcome, const struct err *e);
	void *ctx;
};

/*
 * Runs trial after trial, each with its own seed, made of the set's. A trial that was not started,
 * was stopped, left something unhealed or failed ends the set, and so does the signal: nothing more
 * is harmed. False only when the store could not be written; *ret_outcome is filled then, too.
 */
bool trials_run(const struct trials_request *request, struct outcome *ret_outcome, struct err *e);

/* The seed of one trial: `run --seed` takes it, so a trial can be repeated alone. */
uint64_t trials_seed(uint64_t set_seed, int64_t number);
/* "SET-t07": its run's id. */
void trials_run_id(const char *set_id, int64_t number, char *ret_text, size_t text_bytes);

/* Everything a report of a set needs, from the store alone. */
bool trials_story(struct store *store, const char *set_id, struct arena *arena,
		  struct secrets *secrets, struct trial_set *ret_set, struct err *e);
/* The same, not judged yet. */
bool trials_read(struct store *store, const char *set_id, struct arena *arena,
		 struct secrets *secrets, struct trial_set *ret_set, struct err *e);
/* One run as a trial: for sets, and for runs that are compared. Texts go to the arena. */
bool trials_read_one(struct store *store, const char *run_id, struct arena *arena,
		     struct trial *ret_trial, struct trial_set *ret_about, struct err *e);

#endif
