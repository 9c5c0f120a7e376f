/*
 * spool_dues.h - the rows of store_spool for due runs.
 */
#ifndef STORE_SPOOL_DUES_H
#define STORE_SPOOL_DUES_H

#include "store/spool.h"

bool spool_due_insert(void *backend, const struct stored_due *due, bool *ret_is_new, struct err *e);
bool spool_due_claim(void *backend, const struct stored_claim *claim, struct arena *arena,
		     struct stored_due **ret_due, struct err *e);
bool spool_due_take(void *backend, const struct stored_claim *claim, const struct due_row *from,
		    bool *ret_is_ours, struct err *e);
bool spool_due_renew(void *backend, const char *worker, int64_t due_id, int64_t lease_ns,
		     bool *ret_is_ours, struct err *e);
bool spool_due_finish(void *backend, const char *worker, const struct due_row *end,
		      bool *ret_is_ours, struct err *e);
bool spool_due_miss(void *backend, int64_t due_id, bool *ret_is_new, struct err *e);
bool spool_dues_miss(void *backend, int64_t *ret_now_ns, struct err *e);
bool spool_dues_read(void *backend, const struct due_query *query, struct arena *arena,
		     struct stored_due **ret_dues, size_t *ret_count, struct err *e);
bool spool_due_sums(void *backend, struct arena *arena, struct due_sums *ret_sums, struct err *e);
bool spool_dues_prune(void *backend, const struct due_prune *prune, uint64_t *ret_count,
		      struct err *e);
bool spool_due_news(void *backend, bool *ret_has_news, int *ret_fd, struct err *e);

#endif
