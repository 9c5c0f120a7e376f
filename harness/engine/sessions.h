/*
 * sessions.h - one kept connection for each host, opened before the gate and kept warm.
 *
 * Used by the run thread only. A lost session is opened anew on the next use; a host that cannot be
 * reached is an error of that use, never a hang: every open has a deadline.
 */
#ifndef ENGINE_SESSIONS_H
#define ENGINE_SESSIONS_H

#include "faults/fault.h"
#include "remote/remote.h"

struct sessions;

struct sessions *sessions_make(const struct remote_opener *opener, const struct clock *clock);
void sessions_release(struct sessions *sessions); /* NULL is fine */

/* The session of the host; opens it when there is none or the old one is dead. */
bool sessions_get(struct sessions *sessions, const struct host *host, struct remote **ret_remote,
		  struct err *e);
/* Forgets the host's session, so that the next use opens a fresh one. */
void sessions_drop(struct sessions *sessions, const struct host *host);
/* From here on one open may take so long; 0: as long as usual. */
void sessions_set_patience(struct sessions *sessions, int64_t open_timeout_ns);
/* Opens many at once, a bounded number at a time; e names the first that failed. */
bool sessions_open_all(struct sessions *sessions, const struct host *const *hosts, size_t count,
		       struct err *e);

/*
 * Where a fault of this record runs. The target may be unreachable when the fault cuts it: then
 * ctx->target is NULL and the fault works from the harness, or says that it cannot.
 */
bool sessions_context(struct sessions *sessions, const struct heal_record *record,
		      struct fault_context *ret_ctx, struct err *e);

#endif
