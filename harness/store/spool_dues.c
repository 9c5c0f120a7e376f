/*
 * spool_dues.c - due runs of a shared store: the server's alone. See spool.h.
 */
#include "store/spool_dues.h"

bool spool_due_insert(void *backend, const struct stored_due *due, bool *ret_is_new, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->due_insert(far->owned_backend, due,
								       ret_is_new, e));
}

bool spool_due_claim(void *backend, const struct stored_claim *claim, struct arena *arena,
		     struct stored_due **ret_due, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->due_claim(far->owned_backend, claim,
								      arena, ret_due, e));
}

bool spool_due_take(void *backend, const struct stored_claim *claim, const struct due_row *from,
		    bool *ret_is_ours, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->due_take(far->owned_backend, claim, from,
								     ret_is_ours, e));
}

bool spool_due_renew(void *backend, const char *worker, int64_t due_id, int64_t lease_ns,
		     bool *ret_is_ours, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->due_renew(far->owned_backend, worker,
								      due_id, lease_ns,
								      ret_is_ours, e));
}

bool spool_due_finish(void *backend, const char *worker, const struct due_row *end,
		      bool *ret_is_ours, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->due_finish(far->owned_backend, worker,
								       end, ret_is_ours, e));
}

bool spool_due_miss(void *backend, int64_t due_id, bool *ret_is_new, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->due_miss(far->owned_backend, due_id, ret_is_new, e));
}

bool spool_dues_miss(void *backend, int64_t *ret_now_ns, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->dues_miss(far->owned_backend, ret_now_ns, e));
}

bool spool_dues_read(void *backend, const struct due_query *query, struct arena *arena,
		     struct stored_due **ret_dues, size_t *ret_count, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->dues_read(far->owned_backend, query,
								      arena, ret_dues, ret_count,
								      e));
}

bool spool_due_sums(void *backend, struct arena *arena, struct due_sums *ret_sums, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->due_sums(far->owned_backend, arena, ret_sums, e));
}

bool spool_dues_prune(void *backend, const struct due_prune *prune, uint64_t *ret_count,
		      struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->dues_prune(far->owned_backend, prune, ret_count, e));
}

bool spool_due_news(void *backend, bool *ret_has_news, int *ret_fd, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->due_news(far->owned_backend,
								     ret_has_news, ret_fd, e));
}
