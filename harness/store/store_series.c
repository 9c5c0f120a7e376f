/*
 * store_series.c - samples and ledger reads as sealed blobs: how they are packed and written.
 *
 * store_timeline.c reads them again.
 */
#include "store/store_private.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "store/codec.h"
#include "store/seal.h"

uint64_t store_chunk_count(uint64_t slot_count)
{
	return (slot_count + CODEC_CHUNK_SAMPLES - 1) / CODEC_CHUNK_SAMPLES;
}

size_t store_chunk_samples(uint64_t slot_count, uint64_t chunk)
{
	const uint64_t rest = slot_count - chunk * CODEC_CHUNK_SAMPLES;

	return rest < CODEC_CHUNK_SAMPLES ? (size_t)rest : CODEC_CHUNK_SAMPLES;
}

void store_seal_track(const struct stored_track *track, uint64_t chunk_count,
		      char ret_hash[HASH_TEXT_BYTES])
{
	struct seal seal = { 0 };

	seal_text(&seal, track->probe);
	seal_int(&seal, track->t0_ns);
	seal_int(&seal, track->every_ns);
	seal_int(&seal, track->lane_count);
	seal_int(&seal, (int64_t)track->slot_count);
	seal_text(&seal, track->errors_json);
	seal_int(&seal, (int64_t)chunk_count);
	seal_finish(&seal, "", ret_hash);
}

void store_seal_chunk(struct blob chunk, char hash[HASH_TEXT_BYTES])
{
	char previous[HASH_TEXT_BYTES];

	memcpy(previous, hash, HASH_TEXT_BYTES);
	hash_chain(previous, chunk.bytes, chunk.length_bytes, hash);
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

	write->chunk_count = store_chunk_count(track->slot_count);
	write->chunks = arena_alloc(arena, (write->chunk_count + 1) * sizeof *write->chunks);
	for (size_t i = 0; i < write->chunk_count; i++) {
		const uint64_t first_slot = (uint64_t)i * CODEC_CHUNK_SAMPLES;

		text_clear(&bytes);
		codec_samples_write(&timetable, first_slot, track->samples + first_slot,
				    store_chunk_samples(track->slot_count, i), &bytes);
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

	if (track->slot_count > STORE_SLOTS_MAX)
		return err_set(e, ERR_LIMIT,
			       "keep the samples of %s: %" PRIu64
			       " slots are more than the limit of "
			       "%" PRIu64,
			       track->probe, track->slot_count, STORE_SLOTS_MAX);
	store_texts_print(store_hide_texts(store, &scratch, track->error_texts, track->error_count),
			  track->error_count, &errors);
	write.track = (struct stored_track){
		.probe = store_hide(store, &scratch, track->probe),
		.t0_ns = track->t0_ns,
		.every_ns = track->every_ns,
		.lane_count = track->lane_count,
		.slot_count = track->slot_count,
		.errors_json = text_str(&errors),
		.seal = hash,
	};
	pack_track(track, &scratch, &write);
	store_seal_track(&write.track, write.chunk_count, hash);
	for (size_t i = 0; i < write.chunk_count; i++)
		store_seal_chunk(write.chunks[i], hash);
	ok = store_write(store, track_put_work, &write, e);
	text_release(&errors);
	arena_release(&scratch);
	return ok || err_wrap(e, "keep the samples of %s in run %s", track->probe, run_id);
}

void store_seal_ledger_read(const struct stored_ledger_read *read, char ret_hash[HASH_TEXT_BYTES])
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
	const uint64_t row_count = read->rows == NULL ? 0 : read->row_count;

	codec_runs_write(read->rows, row_count, &rows);
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
					      .slot_count = row_count,
					      .rows = { text_str(&rows), rows.length_bytes },
					      .unexpected = { text_str(&unexpected),
							      unexpected.length_bytes },
					      .unexpected_kept = kept,
					      .unexpected_count = read->unexpected_count,
					      .seal = hash,
				      } };

	store_seal_ledger_read(&write.read, hash);
	ok = store_write(store, ledger_read_put_work, &write, e);
	text_release(&rows);
	text_release(&unexpected);
	arena_release(&scratch);
	return ok || err_wrap(e, "keep a read of the ledger %s in run %s", read->probe, run_id);
}
