/*
 * spool_audit.h - the rows of spool_audit.c.
 */
#ifndef STORE_SPOOL_AUDIT_H
#define STORE_SPOOL_AUDIT_H

#include "store/spool.h"

bool spool_audit_insert(void *backend, const struct stored_audit *audit, int64_t *ret_audit_id,
			struct err *e);
bool spool_audit_finish(void *backend, const struct stored_audit *audit, struct err *e);
bool spool_audit_read(void *backend, int64_t before, size_t limit, struct arena *arena,
		      struct stored_audit **ret_audits, size_t *ret_count, struct err *e);

#endif
