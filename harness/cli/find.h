/*
 * find.h - what a word on the command line means: a run, or a set of trials.
 */
#ifndef CLI_FIND_H
#define CLI_FIND_H

#include "cli/cli.h"

struct found {
	bool is_set;
	const char *id; /* of the run or the set */
};

/*
 * The id of a run or a set, a beginning of one that no other has (the trials of a set stand for
 * the set), or "last": the run that began last, or the set it belongs to. ERR_INPUT otherwise.
 */
bool find_subject(struct store *store, const char *word, struct arena *arena,
		  struct found *ret_found, struct err *e);

/* Opens what the word means: the one run of a bundle, else a run or a set of the store. */
bool find_open(const struct arguments *arguments, const char *word, struct arena *arena,
	       struct store **ret_store, struct found *ret_found, struct err *e);

#endif
