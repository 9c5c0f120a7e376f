/*
 * spool_history.h - the rows of store_spool for the history of many runs.
 */
#ifndef STORE_SPOOL_HISTORY_H
#define STORE_SPOOL_HISTORY_H

#include "store/spool.h"

bool spool_subjects_read(void *backend, struct arena *arena, struct stored_subject **ret_subjects,
			 size_t *ret_count, struct err *e);
bool spool_runs_count(void *backend, uint64_t *ret_count, struct err *e);
bool spool_runs_tally(void *backend, const char *like, struct run_tally *ret_tally, struct err *e);
bool spool_facts_version(void *backend, int64_t *ret_version, struct err *e);

#endif
