/*
 * codec.c - see codec.h. A blob of samples is two parts: runs of equal (timed, state, write, error,
 * detail), then two varints for each timed sample. A slot without an attempt (sent and done both 0)
 * is not timed and costs nothing of its own.
 *
 * Differences are taken on unsigned numbers, where they wrap: so any int64_t survives the round
 * trip.
 */
#include "store/codec.h"

#include <assert.h>
#include <string.h>

#include "store/varint.h"

static bool is_timed(const struct sample *sample)
{
	return sample->sent_ns != 0 || sample->done_ns != 0;
}

static bool is_alike(const struct sample *a, const struct sample *b)
{
	return is_timed(a) == is_timed(b) && a->state == b->state && a->write == b->write &&
	       a->error_index == b->error_index && a->detail == b->detail;
}

static uint64_t due_of(const struct timetable *timetable, uint64_t slot)
{
	return (uint64_t)timetable->t0_ns + slot * (uint64_t)timetable->every_ns;
}

void codec_samples_write(const struct timetable *timetable, uint64_t first_slot,
			 const struct sample *samples, size_t sample_count, struct text *bytes)
{
	assert(samples != NULL || sample_count == 0);

	for (size_t from = 0, until; from < sample_count; from = until) {
		const struct sample *first = &samples[from];

		for (until = from + 1; until < sample_count; until++)
			if (!is_alike(first, &samples[until]))
				break;
		varint_write(bytes, until - from);
		varint_write(bytes, is_timed(first));
		varint_write(bytes, first->state);
		varint_write(bytes, first->write);
		varint_write(bytes, first->error_index);
		varint_write(bytes, first->detail);
	}
	for (size_t i = 0; i < sample_count; i++) {
		const uint64_t sent_ns = (uint64_t)samples[i].sent_ns;

		if (!is_timed(&samples[i]))
			continue;
		zigzag_write(bytes, sent_ns - due_of(timetable, first_slot + i));
		zigzag_write(bytes, (uint64_t)samples[i].done_ns - sent_ns);
	}
}

/* The first part. A sample's sent_ns is 1 until the second part when it is timed. */
static void sample_runs_read(struct reader *reader, struct sample *samples, size_t sample_count)
{
	size_t filled_count = 0;

	while (filled_count < sample_count && !reader->is_broken) {
		/* One statement each: an initialiser list has no order. */
		struct sample alike = { 0 };
		const uint64_t run = varint_read_at_most(reader, sample_count - filled_count);

		alike.sent_ns = (int64_t)varint_read_at_most(reader, 1);
		alike.state = (uint8_t)varint_read_at_most(reader, SAMPLE_SKIPPED);
		alike.write = (uint8_t)varint_read_at_most(reader, WRITE_INDETERMINATE);
		alike.error_index = (uint16_t)varint_read_at_most(reader, UINT16_MAX);
		alike.detail = (uint32_t)varint_read_at_most(reader, UINT32_MAX);
		if (run == 0)
			reader->is_broken = true;
		for (uint64_t i = 0; i < run; i++)
			samples[filled_count++] = alike;
	}
}

bool codec_samples_read(const struct timetable *timetable, uint64_t first_slot, const void *blob,
			size_t blob_bytes, struct sample *ret_samples, size_t sample_count,
			struct err *e)
{
	struct reader reader = { .bytes = blob, .length_bytes = blob_bytes };

	assert(ret_samples != NULL || sample_count == 0);

	sample_runs_read(&reader, ret_samples, sample_count);
	for (size_t i = 0; i < sample_count && !reader.is_broken; i++) {
		if (!is_timed(&ret_samples[i]))
			continue;

		const uint64_t sent_ns = due_of(timetable, first_slot + i) + zigzag_read(&reader);

		ret_samples[i].sent_ns = (int64_t)sent_ns;
		ret_samples[i].done_ns = (int64_t)(sent_ns + zigzag_read(&reader));
	}
	return reader_finish(&reader, "samples", e);
}

void codec_runs_write(const uint8_t *values, size_t value_count, struct text *bytes)
{
	assert(values != NULL || value_count == 0);

	for (size_t from = 0, until; from < value_count; from = until) {
		for (until = from + 1; until < value_count; until++)
			if (values[until] != values[from])
				break;
		varint_write(bytes, until - from);
		varint_write(bytes, values[from]);
	}
}

bool codec_runs_read(const void *blob, size_t blob_bytes, uint8_t *ret_values, size_t value_count,
		     struct err *e)
{
	struct reader reader = { .bytes = blob, .length_bytes = blob_bytes };
	size_t filled_count = 0;

	assert(ret_values != NULL || value_count == 0);

	while (filled_count < value_count && !reader.is_broken) {
		const uint64_t run = varint_read_at_most(&reader, value_count - filled_count);
		const uint64_t value = varint_read_at_most(&reader, UINT8_MAX);

		if (run == 0)
			reader.is_broken = true;
		else
			memset(ret_values + filled_count, (int)value, run);
		filled_count += run;
	}
	return reader_finish(&reader, "the rows of a ledger", e);
}

void codec_keys_write(const int64_t *keys, size_t key_count, struct text *bytes)
{
	uint64_t previous = 0;

	assert(keys != NULL || key_count == 0);

	for (size_t i = 0; i < key_count; i++) {
		zigzag_write(bytes, (uint64_t)keys[i] - previous);
		previous = (uint64_t)keys[i];
	}
}

bool codec_keys_read(const void *blob, size_t blob_bytes, int64_t *ret_keys, size_t key_count,
		     struct err *e)
{
	struct reader reader = { .bytes = blob, .length_bytes = blob_bytes };
	uint64_t previous = 0;

	assert(ret_keys != NULL || key_count == 0);

	for (size_t i = 0; i < key_count && !reader.is_broken; i++) {
		previous += zigzag_read(&reader);
		ret_keys[i] = (int64_t)previous;
	}
	return reader_finish(&reader, "the unexpected keys of a ledger", e);
}
