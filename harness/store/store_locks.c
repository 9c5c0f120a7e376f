/*
 * store_locks.c - one run at a time for a target.
 *
 * A lock is a row, so it outlives a crash. It is taken over when the run that holds it has ended or
 * its process is gone, but only when that run has nothing unhealed: a patient that is still open
 * must not become the next run's patient.
 */
#include "store/store_private.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

struct lock_wish {
	const char *run_id;
	const char *target;
};

static bool count_unhealed(struct store *store, const char *run_id, struct arena *arena,
			   size_t *ret_count, struct err *e)
{
	struct heal_row *rows = NULL;

	return store_heals_open(store, run_id, arena, &rows, ret_count, e);
}

/* May `wish` take the lock from `holder`? */
static bool may_take_over(struct store *store, const struct lock_wish *wish, const char *holder,
			  struct arena *arena, struct err *e)
{
	struct stored_run run;
	size_t unhealed_count = 0;

	if (!store_run_read(store, holder, arena, &run, e) ||
	    !count_unhealed(store, holder, arena, &unhealed_count, e))
		return err_wrap(e, "lock %s for run %s", wish->target, wish->run_id);
	if (!run.row.is_ended && store_run_is_alive(&run.row))
		return err_set(e, ERR_REFUSED,
			       "lock %s for run %s: run %s (pid %" PRId64 ") is using it; wait for "
			       "its end or stop it",
			       wish->target, wish->run_id, holder, run.row.pid);
	if (unhealed_count > 0)
		return err_set(
			e, ERR_REFUSED,
			"lock %s for run %s: run %s is over but has left %zu fault%s unhealed; "
			"run `firedrill heal %s` first",
			wish->target, wish->run_id, holder, unhealed_count,
			unhealed_count == 1 ? "" : "s", holder);
	return true;
}

static bool lock_take_work(struct store *store, void *ctx, struct err *e)
{
	const struct lock_wish *wish = ctx;
	struct arena scratch = { 0 };
	struct stored_run own;
	const char *holder = NULL;
	bool ok;

	ok = store->ops->lock_read(store->owned_backend, wish->target, &scratch, &holder, e);
	if (ok && holder == NULL)
		ok = store_run_read(store, wish->run_id, &scratch, &own, e);
	else if (ok && strcmp(holder, wish->run_id) != 0)
		ok = store_run_read(store, wish->run_id, &scratch, &own, e) &&
		     may_take_over(store, wish, holder, &scratch, e);
	if (ok)
		ok = store->ops->lock_put(store->owned_backend, wish->target, wish->run_id, e);
	arena_release(&scratch);
	return ok;
}

bool store_lock_take(struct store *store, const char *run_id, const char *target, struct err *e)
{
	struct lock_wish wish = { .run_id = run_id, .target = target };

	assert(run_id != NULL);
	assert(target != NULL);

	return store_refuse_secret(store, target, "the name of a locked target", e) &&
	       store_write(store, lock_take_work, &wish, e);
}

static bool locks_drop_work(struct store *store, void *ctx, struct err *e)
{
	return store->ops->locks_drop(store->owned_backend, ctx, e);
}

bool store_locks_drop(struct store *store, const char *run_id, struct err *e)
{
	struct arena scratch = { 0 };
	const bool ok = store_write(store, locks_drop_work, arena_copy(&scratch, run_id), e);

	arena_release(&scratch);
	return ok;
}

bool store_locks(struct store *store, struct arena *arena, struct lock_row **ret_rows,
		 size_t *ret_count, struct err *e)
{
	return store->ops->locks_read(store->owned_backend, arena, ret_rows, ret_count, e);
}
