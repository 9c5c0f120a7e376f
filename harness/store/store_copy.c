/*
 * store_copy.c - see store_copy.h.
 */
#include "store/store_copy.h"

#include <string.h>

#include "store/seal.h"

struct copying {
	struct store *from;
	const char *run_id;
	struct arena arena;
	struct stored_run run;	 /* in `from` */
	struct stored_run there; /* in `to`; no row.run_id: it was not there yet */
	enum copy_fork fork;
	bool is_forked; /* `to` has events that `from` has not */
};

static bool read_run(struct store *store, struct copying *copying, struct stored_run *ret_run,
		     struct err *e)
{
	const struct run_query query = {
		.match = RUN_EXACT, .run = copying->run_id, .limit = 1, .has_documents = true
	};
	struct stored_run *found = NULL;
	size_t count = 0;

	if (!store->ops->runs_read(store->owned_backend, &query, &copying->arena, &found, &count,
				   e))
		return false;
	*ret_run = count == 0 ? (struct stored_run){ .seal = "" } : found[0];
	return true;
}

static bool copy_begin(struct store *to, struct copying *copying, struct err *e)
{
	if (!read_run(to, copying, &copying->there, e))
		return false;
	if (copying->there.row.run_id == NULL)
		return to->ops->run_insert(to->owned_backend, &copying->run, e);
	if (strcmp(copying->there.seal, copying->run.seal) != 0)
		return err_set(e, ERR_REFUSED,
			       "copy run %s: there is another run with this id already",
			       copying->run_id);
	return true;
}

/* How many events both have. */
static bool find_fork(struct store *to, struct copying *copying, const struct event *events,
		      size_t count, size_t *ret_same, struct err *e)
{
	struct event *there = NULL;
	size_t there_count = 0;
	size_t same = 0;

	if (!to->ops->events_read(to->owned_backend, copying->run_id, 0, &copying->arena, &there,
				  &there_count, e))
		return false;
	while (same < count && same < there_count &&
	       strcmp(events[same].hash, there[same].hash) == 0)
		same++;
	copying->is_forked = same < there_count && same < count;
	*ret_same = same;
	return !copying->is_forked || copying->fork == FORK_FOLLOWS ||
	       err_set(e, ERR_REFUSED,
		       "copy run %s: there it has gone on in another way after event %zu",
		       copying->run_id, same);
}

static bool copy_events(struct store *to, struct copying *copying, struct err *e)
{
	struct event *events = NULL;
	char previous[HASH_TEXT_BYTES] = "";
	uint64_t last = 0;
	size_t count = 0;
	size_t same = 0;

	if (!copying->from->ops->events_read(copying->from->owned_backend, copying->run_id, 0,
					     &copying->arena, &events, &count, e) ||
	    !find_fork(to, copying, events, count, &same, e) ||
	    !to->ops->event_last(to->owned_backend, copying->run_id, &last, previous, e))
		return false;
	for (size_t i = same; i < count; i++) {
		if (copying->is_forked) {
			events[i].number = ++last;
			seal_event(&events[i], previous, events[i].hash);
			memcpy(previous, events[i].hash, sizeof previous);
		}
		if (!to->ops->event_insert(to->owned_backend, copying->run_id, &events[i], e))
			return false;
	}
	return true;
}

/* What somebody else has healed is healed; else our word is the newer one. */
static bool is_done_there(const struct stored_heal *heal, const struct stored_heal *there,
			  size_t there_count)
{
	for (size_t i = 0; i < there_count; i++)
		if (there[i].step == heal->step && strcmp(there[i].host, heal->host) == 0)
			return strcmp(there[i].state, HEAL_STATE_DONE) == 0 ||
			       strcmp(there[i].seal, heal->seal) == 0;
	return false;
}

static bool copy_heals(struct store *to, struct copying *copying, struct err *e)
{
	struct stored_heal *heals = NULL;
	struct stored_heal *there = NULL;
	size_t there_count = 0;
	size_t count = 0;

	if (!copying->from->ops->heals_read(copying->from->owned_backend, copying->run_id,
					    &copying->arena, &heals, &count, e) ||
	    !to->ops->heals_read(to->owned_backend, copying->run_id, &copying->arena, &there,
				 &there_count, e))
		return false;
	/* They are read newest first, and the order of harm is that of the puts. */
	for (size_t i = count; i > 0; i--)
		if (!is_done_there(&heals[i - 1], there, there_count) &&
		    !to->ops->heal_put(to->owned_backend, &heals[i - 1], e))
			return false;
	return true;
}

struct chunk_copy {
	struct store *to;
	const char *run_id;
	const char *probe;
	uint64_t chunk;
};

static bool take_chunk(void *ctx, struct blob chunk, struct err *e)
{
	struct chunk_copy *copy = ctx;

	return copy->to->ops->chunk_put(copy->to->owned_backend, copy->run_id, copy->probe,
					copy->chunk++, chunk, e);
}

static bool copy_tracks(struct store *to, struct copying *copying, struct err *e)
{
	struct stored_track *tracks = NULL;
	struct stored_track *there = NULL;
	size_t there_count = 0;
	size_t count = 0;

	if (!copying->from->ops->tracks_read(copying->from->owned_backend, copying->run_id,
					     &copying->arena, &tracks, &count, e) ||
	    !to->ops->tracks_read(to->owned_backend, copying->run_id, &copying->arena, &there,
				  &there_count, e))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct chunk_copy copy = { .to = to,
					   .run_id = copying->run_id,
					   .probe = tracks[i].probe };
		const struct chunk_sink sink = { .take = take_chunk, .ctx = &copy };
		size_t j = 0;

		while (j < there_count && strcmp(there[j].seal, tracks[i].seal) != 0)
			j++;
		if (j == there_count &&
		    (!to->ops->track_put(to->owned_backend, copying->run_id, &tracks[i], e) ||
		     !copying->from->ops->chunks_read(copying->from->owned_backend, copying->run_id,
						      tracks[i].probe, &sink, e)))
			return false;
	}
	return true;
}

static bool copy_ledger_reads(struct store *to, struct copying *copying, struct err *e)
{
	struct stored_ledger_read *reads = NULL;
	size_t count = 0;

	if (!copying->from->ops->ledger_reads_read(copying->from->owned_backend, copying->run_id,
						   &copying->arena, &reads, &count, e))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!to->ops->ledger_read_put(to->owned_backend, copying->run_id, &reads[i], e))
			return false;
	return true;
}

static bool copy_work(struct store *to, void *ctx, struct err *e)
{
	struct copying *copying = ctx;

	if (!copy_begin(to, copying, e) || !copy_events(to, copying, e) ||
	    !copy_heals(to, copying, e))
		return false;
	if (copying->there.row.is_ended) /* what was measured is sealed, and so is the result */
		return true;
	if (!copy_tracks(to, copying, e) || !copy_ledger_reads(to, copying, e))
		return false;
	if (!store_facts_copy(copying->from, to, copying->run_id, e))
		return false;
	if (!copying->run.row.is_ended)
		return true;
	return copying->is_forked ? store_run_seal_end(to, &copying->run.row, e)
				  : to->ops->run_finish(to->owned_backend, &copying->run, e);
}

bool store_copy_run(struct store *from, struct store *to, const char *run_id, enum copy_fork fork,
		    struct err *e)
{
	struct copying copying = { .from = from, .run_id = run_id, .fork = fork };
	/* One that never began here has nothing to be copied. */
	const bool ok = read_run(from, &copying, &copying.run, e) &&
			(copying.run.row.run_id == NULL || store_write(to, copy_work, &copying, e));

	arena_release(&copying.arena);
	return ok;
}
