/*
 * store_series.c - samples and ledger reads as sealed blobs, and the timeline put together again.
 *
 * What is read is checked first: the chain of events, then every seal. Only then is memory taken in
 * the sizes that the rows name.
 */
#include "store/store_private.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "store/codec.h"
#include "store/seal.h"

/* More slots than the longest run at the closest spacing can have. */
static const uint64_t slots_max = UINT64_C(24) * 3600 * 1000;

static uint64_t chunk_count_of(uint64_t slot_count)
{
	return (slot_count + CODEC_CHUNK_SAMPLES - 1) / CODEC_CHUNK_SAMPLES;
}

static size_t chunk_samples(uint64_t slot_count, uint64_t chunk)
{
	const uint64_t rest = slot_count - chunk * CODEC_CHUNK_SAMPLES;

	return rest < CODEC_CHUNK_SAMPLES ? (size_t)rest : CODEC_CHUNK_SAMPLES;
}

static void seal_track(const struct stored_track *track, const struct blob *chunks,
		       size_t chunk_count, char ret_hash[HASH_TEXT_BYTES])
{
	struct seal seal = { 0 };
	char columns_hash[HASH_TEXT_BYTES];

	seal_text(&seal, track->probe);
	seal_int(&seal, track->t0_ns);
	seal_int(&seal, track->every_ns);
	seal_int(&seal, track->lane_count);
	seal_int(&seal, (int64_t)track->slot_count);
	seal_text(&seal, track->errors_json);
	seal_int(&seal, (int64_t)chunk_count);
	seal_finish(&seal, "", columns_hash);
	memcpy(ret_hash, columns_hash, HASH_TEXT_BYTES);
	for (size_t i = 0; i < chunk_count; i++) {
		char previous[HASH_TEXT_BYTES];

		memcpy(previous, ret_hash, HASH_TEXT_BYTES);
		hash_chain(previous, chunks[i].bytes, chunks[i].length_bytes, ret_hash);
	}
}

static void seal_series(const struct stored_track *tracks, size_t track_count,
			const struct stored_ledger_read *reads, size_t read_count,
			char ret_hash[HASH_TEXT_BYTES])
{
	struct seal seal = { 0 };

	seal_int(&seal, (int64_t)track_count);
	for (size_t i = 0; i < track_count; i++)
		seal_text(&seal, tracks[i].seal);
	for (size_t i = 0; i < read_count; i++)
		seal_text(&seal, reads[i].seal);
	seal_finish(&seal, "", ret_hash);
}

bool store_series_seal(struct store *store, const char *run_id, struct arena *arena,
		       char ret_hash[HASH_TEXT_BYTES], struct err *e)
{
	struct stored_track *tracks = NULL;
	struct stored_ledger_read *reads = NULL;
	size_t track_count = 0;
	size_t read_count = 0;

	if (!store->ops->tracks_read(store->owned_backend, run_id, arena, &tracks, &track_count,
				     e) ||
	    !store->ops->ledger_reads_read(store->owned_backend, run_id, arena, &reads, &read_count,
					   e))
		return false;
	seal_series(tracks, track_count, reads, read_count, ret_hash);
	return true;
}

/* ---- writing ---- */

/* The end of a run seals what was measured; nothing is added or replaced behind it. */
static bool refuse_after_end(struct store *store, const char *run_id, struct err *e)
{
	struct arena scratch = { 0 };
	struct stored_run run;
	bool ok = store_run_read(store, run_id, &scratch, &run, e);

	if (ok && run.row.is_ended)
		ok = err_set(e, ERR_STORE, "the run has ended and is sealed");
	arena_release(&scratch);
	return ok;
}

struct track_write {
	const char *run_id;
	struct stored_track track;
	struct blob *chunks;
	size_t chunk_count;
};

static bool track_put_work(struct store *store, void *ctx, struct err *e)
{
	const struct track_write *write = ctx;

	if (!refuse_after_end(store, write->run_id, e) ||
	    !store->ops->track_put(store->owned_backend, write->run_id, &write->track, e))
		return false;
	for (size_t i = 0; i < write->chunk_count; i++)
		if (!store->ops->chunk_put(store->owned_backend, write->run_id, write->track.probe,
					   i, write->chunks[i], e))
			return false;
	return true;
}

static void pack_track(const struct track *track, struct arena *arena, struct track_write *write)
{
	const struct timetable timetable = { .t0_ns = track->t0_ns, .every_ns = track->every_ns };
	struct text bytes = { 0 };

	write->chunk_count = chunk_count_of(track->slot_count);
	write->chunks = arena_alloc(arena, (write->chunk_count + 1) * sizeof *write->chunks);
	for (size_t i = 0; i < write->chunk_count; i++) {
		const uint64_t first_slot = (uint64_t)i * CODEC_CHUNK_SAMPLES;

		text_clear(&bytes);
		codec_samples_write(&timetable, first_slot, track->samples + first_slot,
				    chunk_samples(track->slot_count, i), &bytes);
		write->chunks[i].length_bytes = bytes.length_bytes;
		write->chunks[i].bytes =
			arena_copy_bytes(arena, text_str(&bytes), bytes.length_bytes);
	}
	text_release(&bytes);
}

bool store_track_put(struct store *store, const char *run_id, const struct track *track,
		     struct err *e)
{
	struct arena scratch = { 0 };
	struct text errors = { 0 };
	char hash[HASH_TEXT_BYTES];
	struct track_write write = { .run_id = run_id };
	bool ok;

	assert(track->probe != NULL);
	assert(track->samples != NULL || track->slot_count == 0);

	if (track->slot_count > slots_max)
		return err_set(e, ERR_LIMIT,
			       "keep the samples of %s: %" PRIu64
			       " slots are more than the limit of "
			       "%" PRIu64,
			       track->probe, track->slot_count, slots_max);
	store_texts_print(track->error_texts, track->error_count, &errors);
	write.track = (struct stored_track){
		.probe = store_hide(store, &scratch, track->probe),
		.t0_ns = track->t0_ns,
		.every_ns = track->every_ns,
		.lane_count = track->lane_count,
		.slot_count = track->slot_count,
		.errors_json = store_hide(store, &scratch, text_str(&errors)),
		.seal = hash,
	};
	pack_track(track, &scratch, &write);
	seal_track(&write.track, write.chunks, write.chunk_count, hash);
	ok = store_write(store, track_put_work, &write, e);
	text_release(&errors);
	arena_release(&scratch);
	return ok || err_wrap(e, "keep the samples of %s in run %s", track->probe, run_id);
}

static void seal_ledger_read(const struct stored_ledger_read *read, char ret_hash[HASH_TEXT_BYTES])
{
	struct seal seal = { 0 };

	seal_text(&seal, read->probe);
	seal_int(&seal, read->count);
	seal_int(&seal, read->read_number);
	seal_int(&seal, read->is_complete);
	seal_text(&seal, read->error);
	seal_int(&seal, (int64_t)read->first_missing_count);
	seal_int(&seal, read->settle_ns);
	seal_int(&seal, (int64_t)read->slot_count);
	seal_bytes(&seal, read->rows.bytes, read->rows.length_bytes);
	seal_bytes(&seal, read->unexpected.bytes, read->unexpected.length_bytes);
	seal_int(&seal, (int64_t)read->unexpected_kept);
	seal_int(&seal, (int64_t)read->unexpected_count);
	seal_finish(&seal, "", ret_hash);
}

struct ledger_write {
	const char *run_id;
	struct stored_ledger_read read;
};

static bool ledger_read_put_work(struct store *store, void *ctx, struct err *e)
{
	const struct ledger_write *write = ctx;

	return refuse_after_end(store, write->run_id, e) &&
	       store->ops->ledger_read_put(store->owned_backend, write->run_id, &write->read, e);
}

bool store_ledger_read_put(struct store *store, const char *run_id, const struct ledger_read *read,
			   struct err *e)
{
	const uint64_t kept = read->unexpected_count < LIMIT_LOST_KEYS_SHOWN
				      ? read->unexpected_count
				      : LIMIT_LOST_KEYS_SHOWN;
	struct arena scratch = { 0 };
	struct text rows = { 0 };
	struct text unexpected = { 0 };
	char hash[HASH_TEXT_BYTES];
	bool ok;

	assert(read->probe != NULL);
	/* An unreadable ledger has no rows; then none are kept. */
	const uint64_t slot_count = read->rows == NULL ? 0 : read->slot_count;

	codec_runs_write(read->rows, slot_count, &rows);
	codec_keys_write(read->unexpected, kept, &unexpected);

	struct ledger_write write = { .run_id = run_id,
				      .read = {
					      .probe = store_hide(store, &scratch, read->probe),
					      .count = read->count,
					      .read_number = read->read_number,
					      .is_complete = read->is_complete,
					      .error = store_hide(store, &scratch, read->error),
					      .first_missing_count = read->first_missing_count,
					      .settle_ns = read->settle_ns,
					      .slot_count = slot_count,
					      .rows = { text_str(&rows), rows.length_bytes },
					      .unexpected = { text_str(&unexpected),
							      unexpected.length_bytes },
					      .unexpected_kept = kept,
					      .unexpected_count = read->unexpected_count,
					      .seal = hash,
				      } };

	seal_ledger_read(&write.read, hash);
	ok = store_write(store, ledger_read_put_work, &write, e);
	text_release(&rows);
	text_release(&unexpected);
	arena_release(&scratch);
	return ok || err_wrap(e, "keep a read of the ledger %s in run %s", read->probe, run_id);
}

/* ---- reading ---- */

static bool check_chain(const struct stored_run *run, const struct event *events, size_t count,
			struct err *e)
{
	const char *run_id = run->row.run_id;
	const char *previous = run->seal;

	for (size_t i = 0; i < count; i++) {
		char hash[HASH_TEXT_BYTES];

		if (events[i].number != i + 1)
			return err_set(
				e, ERR_STORE,
				"read the journal of run %s: event %zu is missing; bring back "
				"a copy of the store",
				run_id, i + 1);
		if (events[i].kind == EVENT_NONE)
			return err_set(e, ERR_STORE,
				       "read the journal of run %s: event %zu is damaged, or of a "
				       "kind that only a newer firedrill knows",
				       run_id, i + 1);
		seal_event(&events[i], previous, hash);
		if (strcmp(hash, events[i].hash) != 0)
			return err_set(e, ERR_STORE,
				       "read the journal of run %s: event %zu is not as it was "
				       "written (its hash does not fit); bring back a copy of the "
				       "store",
				       run_id, i + 1);
		previous = events[i].hash;
	}
	if (run->row.is_ended && run->end_number > 0 &&
	    (run->end_number > count ||
	     strcmp(events[run->end_number - 1].hash, run->end_hash) != 0))
		return err_set(e, ERR_STORE,
			       "read the journal of run %s: it ended with event %" PRIu64
			       ", which is "
			       "gone or another one now; bring back a copy of the store",
			       run_id, run->end_number);
	return true;
}

static bool unpack_samples(const struct stored_track *kept, const struct blob *chunks,
			   struct sample *samples, struct err *e)
{
	const struct timetable timetable = { .t0_ns = kept->t0_ns, .every_ns = kept->every_ns };
	const uint64_t chunk_count = chunk_count_of(kept->slot_count);

	for (uint64_t i = 0; i < chunk_count; i++) {
		const uint64_t first_slot = i * CODEC_CHUNK_SAMPLES;

		if (!codec_samples_read(&timetable, first_slot, chunks[i].bytes,
					chunks[i].length_bytes, samples + first_slot,
					chunk_samples(kept->slot_count, i), e))
			return false;
	}
	return true;
}

static bool read_track(struct store *store, const char *run_id, const struct stored_track *kept,
		       struct arena *arena, struct track *ret_track, struct err *e)
{
	struct blob *chunks = NULL;
	size_t chunk_count = 0;
	char hash[HASH_TEXT_BYTES];

	if (!store->ops->chunks_read(store->owned_backend, run_id, kept->probe, arena, &chunks,
				     &chunk_count, e))
		return false;
	seal_track(kept, chunks, chunk_count, hash);
	if (strcmp(hash, kept->seal) != 0 || kept->slot_count > slots_max ||
	    chunk_count != chunk_count_of(kept->slot_count))
		return err_set(e, ERR_STORE,
			       "read the samples of %s in run %s: they are not as they were "
			       "written; bring back a copy of the store",
			       kept->probe, run_id);

	struct sample *samples = arena_alloc(arena, (kept->slot_count + 1) * sizeof *samples);
	const char **error_texts = NULL;
	size_t error_count = 0;

	if (!unpack_samples(kept, chunks, samples, e) ||
	    !store_texts_parse(kept->errors_json, arena, &error_texts, &error_count, e))
		return err_wrap(e, "read the samples of %s in run %s", kept->probe, run_id);
	*ret_track = (struct track){
		.probe = kept->probe,
		.t0_ns = kept->t0_ns,
		.every_ns = kept->every_ns,
		.lane_count = (uint32_t)kept->lane_count,
		.slot_count = kept->slot_count,
		.samples = samples,
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

	seal_ledger_read(kept, hash);
	if (strcmp(hash, kept->seal) != 0 || kept->slot_count > slots_max ||
	    kept->unexpected_kept > LIMIT_LOST_KEYS_SHOWN)
		return err_set(e, ERR_STORE,
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
		.slot_count = kept->slot_count,
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
		return err_set(e, ERR_STORE,
			       "read run %s: samples or a ledger read of it are missing or not as "
			       "they were at its end; bring back a copy of the store",
			       run->row.run_id);
	return true;
}

static bool read_events(struct store *store, const char *run_id, struct arena *arena,
			struct timeline *timeline, struct err *e)
{
	struct stored_run run;
	struct event *events = NULL;
	size_t count = 0;

	if (!store_run_read(store, run_id, arena, &run, e) ||
	    !store->ops->events_read(store->owned_backend, run_id, arena, &events, &count, e) ||
	    !check_chain(&run, events, count, e) || !check_series(store, &run, arena, e))
		return false;
	timeline->run_id = run.row.run_id;
	timeline->anchor = run.row.anchor;
	timeline->events = events;
	timeline->event_count = count;
	return true;
}

bool store_timeline(struct store *store, const char *run_id, struct arena *arena,
		    struct timeline *ret_timeline, struct err *e)
{
	struct timeline timeline = { 0 };
	bool ok;

	/* One view of all tables, while another process may be writing. */
	if (!store->ops->begin(store->owned_backend, false, e))
		return false;
	ok = read_events(store, run_id, arena, &timeline, e) &&
	     read_tracks(store, run_id, arena, &timeline, e) &&
	     read_ledger_reads(store, run_id, arena, &timeline, e);
	store->ops->rollback(store->owned_backend); /* nothing was written */
	if (ok)
		*ret_timeline = timeline;
	return ok;
}
