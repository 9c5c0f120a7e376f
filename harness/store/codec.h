/*
 * codec.h - samples, ledger reads and the facts of a run as small blobs, and back, exactly. Pure.
 *
 * About 6 bytes a sample instead of 24: times are kept as zigzag varints of sent - due and
 * done - sent, the rest as runs of equal values. A blob that was damaged or cut is refused with a
 * sentence; it never makes us read or allocate more than the caller asked for.
 */
#ifndef STORE_CODEC_H
#define STORE_CODEC_H

#include "base/err.h"
#include "base/mem.h"
#include "model/facts.h"
#include "model/timeline.h"

enum { CODEC_CHUNK_SAMPLES = 16384 }; /* of one blob: one row of the store */

/* When the slots of a track were due. */
struct timetable {
	int64_t t0_ns;
	int64_t every_ns;
};

/* Appends the samples of slots first_slot, first_slot + 1, ... */
void codec_samples_write(const struct timetable *timetable, uint64_t first_slot,
			 const struct sample *samples, size_t sample_count, struct text *bytes);
/* Fills exactly sample_count samples. */
bool codec_samples_read(const struct timetable *timetable, uint64_t first_slot, const void *blob,
			size_t blob_bytes, struct sample *ret_samples, size_t sample_count,
			struct err *e);

/* Runs of equal bytes: the ROW_ bits of a ledger read. */
void codec_runs_write(const uint8_t *values, size_t value_count, struct text *bytes);
bool codec_runs_read(const void *blob, size_t blob_bytes, uint8_t *ret_values, size_t value_count,
		     struct err *e);

/* Keys of rows, as differences. */
void codec_keys_write(const int64_t *keys, size_t key_count, struct text *bytes);
bool codec_keys_read(const void *blob, size_t blob_bytes, int64_t *ret_keys, size_t key_count,
		     struct err *e);

/* All but the subject. Spans begin at 0 or later and do not end before they begin. */
void codec_facts_write(const struct run_facts *facts, struct text *bytes);
/* run_id goes to the arena. */
bool codec_facts_read(const void *blob, size_t blob_bytes, struct arena *arena,
		      struct run_facts *ret_facts, struct err *e);

#endif
