/*
 * spool_history.c - what a shared store knows of many runs: the server alone can tell, a spool has
 * one. See spool.h.
 */
#include "store/spool_history.h"

bool spool_subjects_read(void *backend, struct arena *arena, struct stored_subject **ret_subjects,
			 size_t *ret_count, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->subjects_read(far->owned_backend, arena,
									  ret_subjects, ret_count, e));
}

bool spool_runs_count(void *backend, uint64_t *ret_count, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->runs_count(far->owned_backend, ret_count, e));
}

bool spool_runs_tally(void *backend, const char *like, struct run_tally *ret_tally, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->runs_tally(far->owned_backend, like, ret_tally, e));
}

bool spool_facts_version(void *backend, int64_t *ret_version, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->facts_version(far->owned_backend, ret_version, e));
}
