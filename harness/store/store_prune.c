/*
 * store_prune.c - what is kept and for how long: runs that somebody holds, and the removal of old
 * ones.
 *
 * Whether a run may go is asked again within the step that removes it. What is never removed: a run
 * that has not ended, one with something unhealed, one that is held; and what schedules need to go on.
 */
#include "store/store_care.h"

#include <assert.h>
#include <string.h>

#include "store/store_private.h"

/* ---- holds ---- */

static bool hold_work(struct store *store, void *ctx, struct err *e)
{
	const struct hold_row *row = ctx;
	struct arena scratch = { 0 };
	struct stored_run run;
	const bool ok = store_run_read(store, row->run_id, &scratch, &run, e) &&
			store->ops->hold_put(store->owned_backend, row, e);

	arena_release(&scratch);
	return ok;
}

bool store_hold(struct store *store, const struct hold_row *row, struct err *e)
{
	struct arena scratch = { 0 };
	struct hold_row clean = *row;

	clean.person = store_hide(store, &scratch, row->person);
	clean.reason = store_hide(store, &scratch, row->reason);

	const bool ok = store_write(store, hold_work, &clean, e);

	arena_release(&scratch);
	return ok;
}

struct releasing {
	const char *run_id;
	size_t count;
};

static bool release_work(struct store *store, void *ctx, struct err *e)
{
	struct releasing *releasing = ctx;

	return store->ops->hold_drop(store->owned_backend, releasing->run_id, &releasing->count, e);
}

bool store_release(struct store *store, const char *run_id, bool *ret_was_held, struct err *e)
{
	struct releasing releasing = { .run_id = run_id };

	if (!store_write(store, release_work, &releasing, e))
		return false;
	*ret_was_held = releasing.count > 0;
	return true;
}

bool store_holds(struct store *store, struct arena *arena, struct hold_row **ret_rows,
		 size_t *ret_count, struct err *e)
{
	return store->ops->holds_read(store->owned_backend, arena, ret_rows, ret_count, e);
}

static bool is_held(const struct hold_row *holds, size_t count, const char *run_id)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(holds[i].run_id, run_id) == 0)
			return true;
	return false;
}

/* ---- removal ---- */

struct removal {
	const char *run_id;
	bool is_dry;
	enum prune_end end;
};

static bool look(struct store *store, struct removal *removal, struct arena *arena, struct err *e)
{
	struct stored_run run;
	struct heal_row *heals = NULL;
	struct hold_row *holds = NULL;
	size_t heal_count = 0;
	size_t hold_count = 0;

	if (!store_run_read(store, removal->run_id, arena, &run, e) ||
	    !store_heals_open(store, removal->run_id, arena, &heals, &heal_count, e) ||
	    !store_holds(store, arena, &holds, &hold_count, e))
		return false;
	removal->end = !run.row.is_ended			     ? PRUNE_NOT_ENDED
		       : heal_count > 0				     ? PRUNE_UNHEALED
		       : is_held(holds, hold_count, removal->run_id) ? PRUNE_HELD
								     : PRUNE_REMOVED;
	return true;
}

static bool remove_work(struct store *store, void *ctx, struct err *e)
{
	struct removal *removal = ctx;
	struct arena scratch = { 0 };
	const bool ok = look(store, removal, &scratch, e) &&
			(removal->end != PRUNE_REMOVED || removal->is_dry ||
			 store->ops->run_delete(store->owned_backend, removal->run_id, e));

	arena_release(&scratch);
	return ok;
}

/* ---- occurrences of schedules ---- */

struct due_removal {
	struct due_prune prune;
	uint64_t count;
};

static bool remove_dues_work(struct store *store, void *ctx, struct err *e)
{
	struct due_removal *removal = ctx;

	return store->ops->dues_prune(store->owned_backend, &removal->prune, &removal->count, e);
}

/* In small steps, so that nobody waits long for one of them. */
static bool prune_dues(struct store *store, struct prune *prune, struct err *e)
{
	struct due_removal removal = { .prune = {
		.before_wall_ns = prune->before_wall_ns > 0 ? prune->before_wall_ns : INT64_MAX,
		.keep_count = prune->keep_count,
		.is_dry = prune->is_dry,
	} };

	prune->due_count = 0;
	do {
		if (!store_write(store, remove_dues_work, &removal, e))
			return err_wrap(e, "remove old occurrences of schedules");
		prune->due_count += removal.count;
	} while (!prune->is_dry && removal.count == DUES_PRUNED_AT_ONCE);
	return true;
}

bool store_prune(struct store *store, struct prune *prune, struct err *e)
{
	struct arena arena = { 0 };
	struct run_row *rows = NULL;
	size_t count = 0;
	bool ok;

	assert(prune->keep_count > 0 || prune->before_wall_ns > 0);

	ok = store_runs(store, 0, &arena, &rows, &count, e);
	/* Newest first in the store: the oldest goes first, so that one that is cut off leaves no
	 * hole. */
	for (size_t i = count; ok && i > prune->keep_count; i--) {
		struct removal removal = { .run_id = rows[i - 1].run_id, .is_dry = prune->is_dry };

		if (prune->before_wall_ns > 0 &&
		    rows[i - 1].anchor.wall_ns >= prune->before_wall_ns)
			continue;
		ok = store_write(store, remove_work, &removal, e) ||
		     err_wrap(e, "remove run %s", rows[i - 1].run_id);
		if (ok)
			prune->tell(prune->ctx, &rows[i - 1], removal.end);
	}
	arena_release(&arena);
	return ok && prune_dues(store, prune, e);
}
