/*
 * bundle_series.c - the part of bundle_rows.h for tracks and ledger reads: their columns as lines.
 * What they count (samples, rows) is in CSV, see bundle_csv.c.
 */
#include "store/bundle_rows.h"

#include <string.h>

#include "base/limits.h"
#include "store/row_text.h"
#include "store/store_private.h"

static const int64_t time_max_ns = INT64_C(1) << 62;

static const char *text_of(const char *text)
{
	return text == NULL ? "" : text;
}

static bool in_range(int64_t number, int64_t least, int64_t most)
{
	return number >= least && number <= most;
}

static bool refuse(struct err *e)
{
	return err_set(e, ERR_ALTERED, "a time or a number is beyond anything that a run can have");
}

/* ---- tracks ---- */

enum {
	TRACK_PROBE, TRACK_T0, TRACK_EVERY, TRACK_LANES, TRACK_SLOTS, TRACK_ERRORS, TRACK_SEAL,
	TRACK_FIELDS,
};

static const struct row_field track_fields[TRACK_FIELDS] = {
	[TRACK_PROBE] = { "probe", ROW_TEXT },
	[TRACK_T0] = { "t0_ns", ROW_INT },
	[TRACK_EVERY] = { "every_ns", ROW_INT },
	[TRACK_LANES] = { "lane_count", ROW_INT },
	[TRACK_SLOTS] = { "slot_count", ROW_INT },
	[TRACK_ERRORS] = { "errors", ROW_TEXTS },
	[TRACK_SEAL] = { "seal", ROW_TEXT },
};

void bundle_track_print(const struct stored_track *track, struct text *text)
{
	struct arena scratch = { 0 };
	const char **errors = NULL;
	size_t error_count = 0;

	/* It was read from the store, which checked it. */
	(void)store_texts_parse(track->errors_json, &scratch, &errors, &error_count, NULL);

	const struct row_value values[TRACK_FIELDS] = {
		[TRACK_PROBE] = { .text = track->probe },
		[TRACK_T0] = { .number = track->t0_ns },
		[TRACK_EVERY] = { .number = track->every_ns },
		[TRACK_LANES] = { .number = track->lane_count },
		[TRACK_SLOTS] = { .number = (int64_t)track->slot_count },
		[TRACK_ERRORS] = { .texts = errors, .count = error_count },
		[TRACK_SEAL] = { .text = track->seal },
	};

	row_print(track_fields, TRACK_FIELDS, values, text);
	arena_release(&scratch);
}

bool bundle_track_parse(const char *line, size_t length_bytes, struct arena *arena,
			struct stored_track *ret_track, struct err *e)
{
	struct row_value values[TRACK_FIELDS];
	struct text errors = { 0 };

	if (!row_parse(track_fields, TRACK_FIELDS, line, length_bytes, arena, values, e))
		return false;
	if (!in_range(values[TRACK_T0].number, 0, time_max_ns / 2) ||
	    !in_range(values[TRACK_EVERY].number, 1, LIMIT_DRILL_NS) ||
	    !in_range(values[TRACK_LANES].number, 0, UINT16_MAX) ||
	    !in_range(values[TRACK_SLOTS].number, 0, (int64_t)STORE_SLOTS_MAX) ||
	    values[TRACK_SLOTS].number > time_max_ns / 2 / values[TRACK_EVERY].number)
		return refuse(e);
	store_texts_print(values[TRACK_ERRORS].texts, values[TRACK_ERRORS].count, &errors);
	*ret_track = (struct stored_track){
		.probe = text_of(values[TRACK_PROBE].text),
		.t0_ns = values[TRACK_T0].number,
		.every_ns = values[TRACK_EVERY].number,
		.lane_count = values[TRACK_LANES].number,
		.slot_count = (uint64_t)values[TRACK_SLOTS].number,
		.errors_json = arena_copy(arena, text_str(&errors)),
		.seal = text_of(values[TRACK_SEAL].text),
		.chunk_count = store_chunk_count((uint64_t)values[TRACK_SLOTS].number),
	};
	text_release(&errors);
	return true;
}

/* ---- ledger reads ---- */

enum {
	READ_PROBE, READ_COUNT, READ_NUMBER, READ_IS_COMPLETE, READ_ERROR, READ_FIRST_MISSING,
	READ_SETTLE, READ_SLOTS, READ_UNEXPECTED, READ_UNEXPECTED_COUNT, READ_SEAL, READ_FIELDS,
};

static const struct row_field read_fields[READ_FIELDS] = {
	[READ_PROBE] = { "probe", ROW_TEXT },
	[READ_COUNT] = { "count", ROW_INT },
	[READ_NUMBER] = { "read_number", ROW_INT },
	[READ_IS_COMPLETE] = { "is_complete", ROW_BOOL },
	[READ_ERROR] = { "error", ROW_TEXT },
	[READ_FIRST_MISSING] = { "first_missing_count", ROW_INT },
	[READ_SETTLE] = { "settle_ns", ROW_INT },
	[READ_SLOTS] = { "slot_count", ROW_INT },
	[READ_UNEXPECTED] = { "unexpected", ROW_INTS },
	[READ_UNEXPECTED_COUNT] = { "unexpected_count", ROW_INT },
	[READ_SEAL] = { "seal", ROW_TEXT },
};

void bundle_ledger_read_print(const struct stored_ledger_read *read, struct text *text)
{
	int64_t unexpected[LIMIT_LOST_KEYS_SHOWN];

	/* It was read from the store, which checked it. */
	(void)codec_keys_read(read->unexpected.bytes, read->unexpected.length_bytes, unexpected,
			      read->unexpected_kept, NULL);

	const struct row_value values[READ_FIELDS] = {
		[READ_PROBE] = { .text = read->probe },
		[READ_COUNT] = { .number = read->count },
		[READ_NUMBER] = { .number = read->read_number },
		[READ_IS_COMPLETE] = { .number = read->is_complete },
		[READ_ERROR] = { .text = read->error },
		[READ_FIRST_MISSING] = { .number = (int64_t)read->first_missing_count },
		[READ_SETTLE] = { .number = read->settle_ns },
		[READ_SLOTS] = { .number = (int64_t)read->slot_count },
		[READ_UNEXPECTED] = { .numbers = unexpected, .count = read->unexpected_kept },
		[READ_UNEXPECTED_COUNT] = { .number = (int64_t)read->unexpected_count },
		[READ_SEAL] = { .text = read->seal },
	};

	row_print(read_fields, READ_FIELDS, values, text);
}

static bool is_sound(const struct row_value *values)
{
	return in_range(values[READ_COUNT].number, COUNT_STABLE, COUNT_HEALED) &&
	       in_range(values[READ_NUMBER].number, 0, INT32_MAX) &&
	       in_range(values[READ_FIRST_MISSING].number, 0, (int64_t)STORE_SLOTS_MAX) &&
	       in_range(values[READ_SETTLE].number, 0, time_max_ns) &&
	       in_range(values[READ_SLOTS].number, 0, (int64_t)STORE_SLOTS_MAX) &&
	       in_range(values[READ_UNEXPECTED_COUNT].number, 0, time_max_ns) &&
	       values[READ_UNEXPECTED].count <= LIMIT_LOST_KEYS_SHOWN &&
	       (int64_t)values[READ_UNEXPECTED].count <= values[READ_UNEXPECTED_COUNT].number;
}

bool bundle_ledger_read_parse(const char *line, size_t length_bytes, struct arena *arena,
			      struct stored_ledger_read *ret_read, struct err *e)
{
	struct row_value values[READ_FIELDS];
	struct text keys = { 0 };

	if (!row_parse(read_fields, READ_FIELDS, line, length_bytes, arena, values, e))
		return false;
	if (!is_sound(values))
		return refuse(e);
	codec_keys_write(values[READ_UNEXPECTED].numbers, values[READ_UNEXPECTED].count, &keys);
	*ret_read = (struct stored_ledger_read){
		.probe = text_of(values[READ_PROBE].text),
		.count = values[READ_COUNT].number,
		.read_number = values[READ_NUMBER].number,
		.is_complete = values[READ_IS_COMPLETE].number != 0,
		.error = values[READ_ERROR].text,
		.first_missing_count = (uint64_t)values[READ_FIRST_MISSING].number,
		.settle_ns = values[READ_SETTLE].number,
		.slot_count = (uint64_t)values[READ_SLOTS].number,
		.unexpected = { .bytes = arena_copy_bytes(arena, text_str(&keys),
							  keys.length_bytes),
				.length_bytes = keys.length_bytes },
		.unexpected_kept = values[READ_UNEXPECTED].count,
		.unexpected_count = (uint64_t)values[READ_UNEXPECTED_COUNT].number,
		.seal = text_of(values[READ_SEAL].text),
	};
	text_release(&keys);
	return true;
}

static uint64_t slots_of(const struct stored_track *tracks, size_t track_count, const char *probe)
{
	for (size_t i = 0; i < track_count; i++)
		if (strcmp(tracks[i].probe, probe) == 0)
			return tracks[i].slot_count;
	return 0;
}

bool bundle_ledgers_fit(const struct stored_track *tracks, size_t track_count,
			const struct stored_ledger_read *reads, size_t read_count, struct err *e)
{
	enum { READS_OF_A_PROBE = 16 };

	for (size_t i = 0; i < read_count; i++) {
		size_t same_count = 0;

		for (size_t j = 0; j < read_count; j++)
			same_count += strcmp(reads[j].probe, reads[i].probe) == 0;
		if (same_count > READS_OF_A_PROBE ||
		    reads[i].slot_count > slots_of(tracks, track_count, reads[i].probe))
			return err_set(e, ERR_ALTERED,
				       "a reading of the ledger %s has more rows than the probe has "
				       "slots, or there are more than %d of them",
				       reads[i].probe, (int)READS_OF_A_PROBE);
	}
	return true;
}
