/*
 * store_recordings.c - runs that a name stands for: the baseline of later ones.
 *
 * A recording has no seal: it points to a run, and the run's own seals say whether that is as it was.
 */
#include "store/store_private.h"

#include <assert.h>

static bool record_work(struct store *store, void *ctx, struct err *e)
{
	return store->ops->recording_insert(store->owned_backend, ctx, e);
}

bool store_record(struct store *store, const char *name, const char *title, const char *run_id,
		  struct err *e)
{
	const struct clock clock = clock_system();
	struct arena scratch = { 0 };
	struct stored_recording recording = {
		.name = name,
		.title = store_hide(store, &scratch, title),
		.run_id = run_id,
		.wall_ns = clock_wall_ns(&clock),
	};
	bool ok;

	assert(name != NULL && title != NULL && run_id != NULL);

	/* With a hole in it, it would never be found again. */
	ok = store_refuse_secret(store, name, "the name of a baseline", e) &&
	     store_write(store, record_work, &recording, e);
	arena_release(&scratch);
	return ok;
}

bool store_recorded(struct store *store, const char *name, const char *title, size_t most,
		    struct arena *arena, const char ***ret_run_ids, size_t *ret_count,
		    struct err *e)
{
	return store->ops->recordings_read(store->owned_backend, name,
					   store_hide(store, arena, title), most, arena, ret_run_ids,
					   ret_count, e);
}
