/*
 * store_timeline.c - the whole of one run read again, and every part of it checked on the way: the
 * chain of events, then the seals of samples and ledger reads. What does not fit is named.
 *
 * Samples are unpacked chunk by chunk, so that a long run takes the memory of its samples once.
 */
#include "store/store_private.h"

#include <inttypes.h>
#include <string.h>

#include "store/codec.h"
#include "store/seal.h"

static bool check_chain(const struct stored_run *run, const struct event *events, size_t count,
			struct err *e)
{
	const char *run_id = run->row.run_id;
	const char *previous = run->seal;

	for (size_t i = 0; i < count; i++) {
		char hash[HASH_TEXT_BYTES];

		if (events[i].number != i + 1)
			return err_set(
				e, ERR_ALTERED,
				"read the journal of run %s: event %zu is missing; bring back "
				"a copy of the store",
				run_id, i + 1);
		if (events[i].kind == EVENT_NONE)
			return err_set(e, ERR_ALTERED,
				       "read the journal of run %s: event %zu is damaged, or of a "
				       "kind that only a newer firedrill knows",
				       run_id, i + 1);
		seal_event(&events[i], previous, hash);
		if (strcmp(hash, events[i].hash) != 0)
			return err_set(e, ERR_ALTERED,
				       "read the journal of run %s: event %zu is not as it was "
				       "written (its hash does not fit); bring back a copy of the "
				       "store",
				       run_id, i + 1);
		previous = events[i].hash;
	}
	if (run->row.is_ended && run->end_number > 0 &&
	    (run->end_number > count ||
	     strcmp(events[run->end_number - 1].hash, run->end_hash) != 0))
		return err_set(e, ERR_ALTERED,
			       "read the journal of run %s: it ended with event %" PRIu64
			       ", which is "
			       "gone or another one now; bring back a copy of the store",
			       run_id, run->end_number);
	return true;
}

struct track_read {
	const char *run_id;
	const struct stored_track *kept;
	struct sample *samples;
	uint64_t chunk_index; /* the next one */
	char hash[HASH_TEXT_BYTES]; /* the seal, as far as it has come */
};

static bool fail_track(const struct track_read *read, struct err *e)
{
	return err_set(e, ERR_ALTERED,
		       "read the samples of %s in run %s: they are not as they were written; bring "
		       "back a copy of the store",
		       read->kept->probe, read->run_id);
}

static bool take_chunk(void *ctx, struct blob chunk, struct err *e)
{
	struct track_read *read = ctx;
	const struct stored_track *kept = read->kept;
	const struct timetable timetable = { .t0_ns = kept->t0_ns, .every_ns = kept->every_ns };
	const uint64_t first_slot = read->chunk_index * CODEC_CHUNK_SAMPLES;

	if (read->chunk_index >= store_chunk_count(kept->slot_count))
		return fail_track(read, e);

	const size_t count = store_chunk_samples(kept->slot_count, read->chunk_index);

	store_seal_chunk(chunk, read->hash);
	if (!codec_samples_read(&timetable, first_slot, chunk.bytes, chunk.length_bytes,
				read->samples + first_slot, count, e)) {
		err_wrap(e, "slots %" PRIu64 " to %" PRIu64, first_slot, first_slot + count - 1);
		return err_wrap(e, "read the samples of %s in run %s: they are not as they were "
				"written", kept->probe, read->run_id);
	}
	read->chunk_index++;
	return true;
}

/* Memory is taken only when there are as many chunks as the slots need: each is a row, or a piece
   of a file, and not just a number. */
static bool read_track(struct store *store, const char *run_id, const struct stored_track *kept,
		       struct arena *arena, struct track *ret_track, struct err *e)
{
	struct track_read read = { .run_id = run_id, .kept = kept };
	const struct chunk_sink sink = { .take = take_chunk, .ctx = &read };
	const char **error_texts = NULL;
	size_t error_count = 0;

	if (kept->slot_count > STORE_SLOTS_MAX ||
	    kept->chunk_count != store_chunk_count(kept->slot_count))
		return fail_track(&read, e);
	read.samples = arena_alloc(arena, (kept->slot_count + 1) * sizeof *read.samples);
	store_seal_track(kept, kept->chunk_count, read.hash);
	if (!store->ops->chunks_read(store->owned_backend, run_id, kept->probe, &sink, e))
		return false;
	if (read.chunk_index != kept->chunk_count || strcmp(read.hash, kept->seal) != 0)
		return fail_track(&read, e);
	if (!store_texts_parse(kept->errors_json, arena, &error_texts, &error_count, e))
		return err_wrap(e, "read the samples of %s in run %s", kept->probe, run_id);
	*ret_track = (struct track){
		.probe = kept->probe,
		.t0_ns = kept->t0_ns,
		.every_ns = kept->every_ns,
		.lane_count = (uint32_t)kept->lane_count,
		.slot_count = kept->slot_count,
		.samples = read.samples,
		.error_texts = error_texts,
		.error_count = error_count,
	};
	return true;
}

static bool read_tracks(struct store *store, const char *run_id, struct arena *arena,
			struct timeline *timeline, struct err *e)
{
	struct stored_track *kept = NULL;
	size_t count = 0;

	if (!store->ops->tracks_read(store->owned_backend, run_id, arena, &kept, &count, e))
		return false;

	struct track *tracks = arena_alloc(arena, (count + 1) * sizeof *tracks);

	for (size_t i = 0; i < count; i++)
		if (!read_track(store, run_id, &kept[i], arena, &tracks[i], e))
			return false;
	timeline->tracks = tracks;
	timeline->track_count = count;
	return true;
}

static bool unpack_ledger_read(const struct stored_ledger_read *kept, struct arena *arena,
			       struct ledger_read *ret_read, struct err *e)
{
	char hash[HASH_TEXT_BYTES];

	store_seal_ledger_read(kept, hash);
	if (strcmp(hash, kept->seal) != 0 || kept->slot_count > STORE_SLOTS_MAX ||
	    kept->unexpected_kept > LIMIT_LOST_KEYS_SHOWN)
		return err_set(e, ERR_ALTERED,
			       "it is not as it was written; bring back a copy of the "
			       "store");

	uint8_t *rows = arena_alloc(arena, kept->slot_count + 1);
	int64_t *unexpected = arena_alloc(arena, (kept->unexpected_kept + 1) * sizeof *unexpected);

	if (!codec_runs_read(kept->rows.bytes, kept->rows.length_bytes, rows, kept->slot_count,
			     e) ||
	    !codec_keys_read(kept->unexpected.bytes, kept->unexpected.length_bytes, unexpected,
			     kept->unexpected_kept, e))
		return false;
	*ret_read = (struct ledger_read){
		.probe = kept->probe,
		.count = (enum ledger_count)kept->count,
		.read_number = (uint32_t)kept->read_number,
		.is_complete = kept->is_complete,
		.error = kept->error,
		.first_missing_count = kept->first_missing_count,
		.settle_ns = kept->settle_ns,
		.row_count = kept->slot_count,
		.rows = rows,
		.unexpected = unexpected,
		.unexpected_count = kept->unexpected_count,
	};
	return true;
}

static bool read_ledger_reads(struct store *store, const char *run_id, struct arena *arena,
			      struct timeline *timeline, struct err *e)
{
	struct stored_ledger_read *kept = NULL;
	size_t count = 0;

	if (!store->ops->ledger_reads_read(store->owned_backend, run_id, arena, &kept, &count, e))
		return false;

	struct ledger_read *reads = arena_alloc(arena, (count + 1) * sizeof *reads);

	for (size_t i = 0; i < count; i++)
		if (!unpack_ledger_read(&kept[i], arena, &reads[i], e))
			return err_wrap(e, "read the ledger %s of run %s", kept[i].probe, run_id);
	timeline->ledger_reads = reads;
	timeline->ledger_read_count = count;
	return true;
}

static bool check_series(struct store *store, const struct stored_run *run, struct arena *arena,
			 struct err *e)
{
	char hash[HASH_TEXT_BYTES];

	if (!run->row.is_ended)
		return true;
	if (!store_series_seal(store, run->row.run_id, arena, hash, e))
		return false;
	if (strcmp(hash, run->end_series) != 0)
		return err_set(e, ERR_ALTERED,
			       "read run %s: samples or a ledger read of it are missing or not as "
			       "they were at its end; bring back a copy of the store",
			       run->row.run_id);
	return true;
}

/*
 * The head: one hash over everything the store knows of the run. It goes on where the journal goes on
 * (a heal after the end), so it also covers what came behind the end's seal.
 */
static bool make_head(struct store *store, const struct stored_run *run, struct arena *arena,
		      struct timeline *timeline, struct err *e)
{
	const size_t count = timeline->event_count;
	char series_hash[HASH_TEXT_BYTES];
	struct stored_heal *heals = NULL;
	size_t heal_count = 0;
	struct seal seal = { 0 };

	if (!store_series_seal(store, run->row.run_id, arena, series_hash, e) ||
	    !store->ops->heals_read(store->owned_backend, run->row.run_id, arena, &heals,
				    &heal_count, e))
		return false;
	seal_text(&seal, run->row.is_ended ? run->end_seal : NULL);
	seal_int(&seal, (int64_t)count);
	seal_text(&seal, count == 0 ? NULL : timeline->events[count - 1].hash);
	seal_text(&seal, series_hash);
	seal_int(&seal, (int64_t)heal_count);
	for (size_t i = 0; i < heal_count; i++)
		seal_text(&seal, heals[i].seal);
	seal_finish(&seal, run->seal, timeline->head);
	timeline->is_sealed = run->row.is_ended;
	timeline->sealed_event_count = run->row.is_ended ? (size_t)run->end_number : 0;
	return true;
}

bool store_journal_read(struct store *store, const char *run_id, struct arena *arena,
			struct stored_run *ret_run, struct timeline *ret_timeline, struct err *e)
{
	struct timeline timeline = { 0 };
	struct stored_run run;
	struct event *events = NULL;
	size_t count = 0;

	if (!store_run_read(store, run_id, arena, &run, e) ||
	    !store->ops->events_read(store->owned_backend, run_id, 0, arena, &events, &count, e) ||
	    !check_chain(&run, events, count, e) || !check_series(store, &run, arena, e))
		return false;
	timeline.run_id = run.row.run_id;
	timeline.anchor = run.row.anchor;
	timeline.events = events;
	timeline.event_count = count;
	if (!make_head(store, &run, arena, &timeline, e))
		return false;
	*ret_run = run;
	*ret_timeline = timeline;
	return true;
}

/* One view of all tables, while another process may be writing. */
static bool read_timeline(struct store *store, const char *run_id, struct arena *arena,
			  struct timeline *ret_timeline, struct err *e)
{
	struct stored_run run;
	bool ok;

	if (!store->ops->begin(store->owned_backend, false, e))
		return false;
	ok = store_journal_read(store, run_id, arena, &run, ret_timeline, e) &&
	     read_tracks(store, run_id, arena, ret_timeline, e) &&
	     read_ledger_reads(store, run_id, arena, ret_timeline, e);
	store->ops->rollback(store->owned_backend); /* nothing was written */
	return ok;
}

bool store_timeline(struct store *store, const char *run_id, struct arena *arena,
		    struct timeline *ret_timeline, struct err *e)
{
	struct timeline timeline = { 0 };
	bool ok = read_timeline(store, run_id, arena, &timeline, e);

	/* The server of a shared store may go away in the middle of it, and the spool has it all. */
	if (!ok && store->ops->make_room(store->owned_backend)) {
		err_clear(e);
		ok = read_timeline(store, run_id, arena, &timeline, e);
	}
	if (ok)
		*ret_timeline = timeline;
	return ok;
}
