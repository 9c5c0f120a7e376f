/*
 * find.c - see find.h.
 */
#include "cli/find.h"

#include <string.h>

#include "store/bundle.h"

static bool begins_so(const char *id, const char *word)
{
	return strncmp(id, word, strlen(word)) == 0;
}

/* Does every run whose id begins so belong to this set? */
static bool is_only_set(struct store *store, const char *word, const char *set_id,
			struct arena *arena, bool *ret_is_only, struct err *e)
{
	struct run_row *runs = NULL;
	size_t count = 0;

	if (!store_runs(store, 0, arena, &runs, &count, e))
		return false;
	*ret_is_only = true;
	for (size_t i = 0; i < count; i++)
		if (begins_so(runs[i].run_id, word) &&
		    (runs[i].set_id == NULL || strcmp(runs[i].set_id, set_id) != 0))
			*ret_is_only = false;
	return true;
}

bool find_subject(struct store *store, const char *word, struct arena *arena,
		  struct found *ret_found, struct err *e)
{
	const bool is_last = strcmp(word, "last") == 0;
	struct err set_err = { 0 };
	struct set_row set;
	struct run_row run;
	bool is_only = false;

	/* A beginning of a set is one of its trials, too: these do not make it ambiguous. */
	if (!is_last && *word != '\0' && store_set_find(store, word, arena, &set, &set_err)) {
		if (!is_only_set(store, word, set.set_id, arena, &is_only, e))
			return false;
		if (is_only) {
			*ret_found = (struct found){ .is_set = true, .id = set.set_id };
			return true;
		}
	} else if (!is_last && set_err.kind != ERR_INPUT && set_err.kind != ERR_NONE) {
		*e = set_err;
		return false;
	}
	if (!store_run_find(store, word, arena, &run, e))
		return false;
	if (is_last && run.set_id != NULL)
		*ret_found = (struct found){ .is_set = true, .id = run.set_id };
	else
		*ret_found = (struct found){ .is_set = false, .id = run.run_id };
	return true;
}

bool find_open(const struct arguments *arguments, const char *word, struct arena *arena,
	       struct store **ret_store, struct found *ret_found, struct err *e)
{
	struct run_row run;

	if (!cli_is_bundle(word))
		return cli_need_store(arguments, ret_store, e) &&
		       find_subject(*ret_store, word, arena, ret_found, e);
	if (!bundle_store_open(word, ret_store, e) ||
	    !store_run_find(*ret_store, "last", arena, &run, e))
		return false;
	*ret_found = (struct found){ .is_set = false, .id = run.run_id };
	return true;
}
