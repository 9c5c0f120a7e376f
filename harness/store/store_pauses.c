/*
 * store_pauses.c - schedules that somebody has paused, and lifted again. A pause has no seal: a damaged
 * one still pauses.
 */
#include "store/store_private.h"

#include <assert.h>

static bool pause_work(struct store *store, void *ctx, struct err *e)
{
	return store->ops->pause_insert(store->owned_backend, ctx, e);
}

bool store_pause(struct store *store, const struct pause_row *row, struct err *e)
{
	struct arena scratch = { 0 };
	struct pause_row clean = *row;

	assert(row->schedule != NULL && row->person != NULL && row->reason != NULL);

	clean.person = store_hide(store, &scratch, row->person);
	clean.reason = store_hide(store, &scratch, row->reason);

	const bool ok = store_write(store, pause_work, &clean, e);

	arena_release(&scratch);
	return ok;
}

bool store_pauses(struct store *store, struct arena *arena, struct pause_row **ret_rows,
		  size_t *ret_count, struct err *e)
{
	return store->ops->pauses_read(store->owned_backend, arena, ret_rows, ret_count, e);
}

struct lifting {
	struct pause_row lift;
	size_t count;
};

static bool lift_work(struct store *store, void *ctx, struct err *e)
{
	struct lifting *lifting = ctx;

	return store->ops->pauses_lift(store->owned_backend, &lifting->lift, &lifting->count, e);
}

bool store_unpause(struct store *store, const struct pause_row *lift, size_t *ret_count,
		   struct err *e)
{
	struct arena scratch = { 0 };
	struct lifting lifting = { .lift = *lift };

	assert(lift->schedule != NULL);

	lifting.lift.person = store_hide(store, &scratch, lift->person);
	lifting.lift.reason = store_hide(store, &scratch, lift->reason);

	const bool ok = store_write(store, lift_work, &lifting, e);

	arena_release(&scratch);
	if (ok)
		*ret_count = lifting.count;
	return ok;
}
