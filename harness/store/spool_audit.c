/*
 * spool_audit.c - what people did, in a shared store: the server's alone. While it is away nothing is
 * done by way of the page. See spool.h.
 */
#include "store/spool_audit.h"

bool spool_audit_insert(void *backend, const struct stored_audit *audit, int64_t *ret_audit_id,
			struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->audit_insert(far->owned_backend, audit,
									 ret_audit_id, e));
}

bool spool_audit_finish(void *backend, const struct stored_audit *audit, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->audit_finish(far->owned_backend, audit, e));
}

bool spool_audit_read(void *backend, int64_t before, size_t limit, struct arena *arena,
		      struct stored_audit **ret_audits, size_t *ret_count, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->audit_read(far->owned_backend, before,
								       limit, arena, ret_audits,
								       ret_count, e));
}
