/*
 * fuzz_codec.c - samples, ledger rows, keys and facts as blobs. decode(encode(x)) is x; and any blob that is
 * taken, taken again from what it was decoded to, gives the same.
 */
#include "tests/fuzz.h"
#include "fixtures/fuzz_input.h"
#include "store/codec.h"

#include <assert.h>
#include <string.h>

enum { ITEMS_MAX = 96 };

static const struct timetable timetable = { .t0_ns = 7000000000, .every_ns = 20000000 };

/* A sample has no padding, so bytes can be compared. */
static void samples_round_trip(const struct sample *samples, size_t count)
{
	struct sample again[ITEMS_MAX];
	struct text blob = { 0 };
	struct err e = { 0 };

	codec_samples_write(&timetable, 3, samples, count, &blob);
	assert(codec_samples_read(&timetable, 3, text_str(&blob), blob.length_bytes, again, count,
				  &e));
	assert(count == 0 || memcmp(samples, again, count * sizeof *samples) == 0);
	text_release(&blob);
}

static void runs_round_trip(const uint8_t *values, size_t count)
{
	uint8_t again[ITEMS_MAX];
	struct text blob = { 0 };
	struct err e = { 0 };

	codec_runs_write(values, count, &blob);
	assert(codec_runs_read(text_str(&blob), blob.length_bytes, again, count, &e));
	assert(count == 0 || memcmp(values, again, count) == 0);
	text_release(&blob);
}

static void keys_round_trip(const int64_t *keys, size_t count)
{
	int64_t again[ITEMS_MAX];
	struct text blob = { 0 };
	struct err e = { 0 };

	codec_keys_write(keys, count, &blob);
	assert(codec_keys_read(text_str(&blob), blob.length_bytes, again, count, &e));
	assert(count == 0 || memcmp(keys, again, count * sizeof *keys) == 0);
	text_release(&blob);
}

/* What it was decoded to, there and back: a number may have been written with more bytes than it needs. */
static void facts_round_trip(const struct run_facts *facts, struct arena *arena)
{
	struct run_facts again;
	struct text blob = { 0 };
	struct text twice = { 0 };
	struct err e = { 0 };

	assert(facts->rto.low_ns >= 0 && facts->rto.low_ns <= facts->rto.high_ns);
	assert(facts->rpo.low_ns >= 0 && facts->rpo.low_ns <= facts->rpo.high_ns);
	codec_facts_write(facts, &blob);
	assert(codec_facts_read(text_str(&blob), blob.length_bytes, arena, &again, &e));
	codec_facts_write(&again, &twice);
	assert(twice.length_bytes == blob.length_bytes &&
	       memcmp(text_str(&twice), text_str(&blob), blob.length_bytes) == 0);
	text_release(&blob);
	text_release(&twice);
}

static void decode_facts(const struct fuzz_input *input)
{
	struct arena arena = { 0 };
	struct run_facts facts;
	struct err e = { 0 };

	if (codec_facts_read(input->bytes, input->left_bytes, &arena, &facts, &e))
		facts_round_trip(&facts, &arena);
	else
		assert(e.kind == ERR_ALTERED);
	arena_release(&arena);
}

static void decode(const struct fuzz_input *input, size_t count)
{
	struct sample samples[ITEMS_MAX];
	uint8_t values[ITEMS_MAX];
	int64_t keys[ITEMS_MAX];
	struct err e = { 0 };

	if (codec_samples_read(&timetable, 3, input->bytes, input->left_bytes, samples, count, &e)) {
		for (size_t i = 0; i < count; i++)
			assert(samples[i].state <= SAMPLE_SKIPPED &&
			       samples[i].write <= WRITE_INDETERMINATE);
		samples_round_trip(samples, count);
	} else {
		assert(e.kind == ERR_ALTERED);
	}
	if (codec_runs_read(input->bytes, input->left_bytes, values, count, &e))
		runs_round_trip(values, count);
	if (codec_keys_read(input->bytes, input->left_bytes, keys, count, &e))
		keys_round_trip(keys, count);
}

static void encode(struct fuzz_input input, size_t count)
{
	struct sample samples[ITEMS_MAX] = { { 0 } };
	uint8_t values[ITEMS_MAX];
	int64_t keys[ITEMS_MAX];

	for (size_t i = 0; i < count; i++) {
		samples[i].state = (uint8_t)fuzz_take_below(&input, SAMPLE_SKIPPED + 1);
		samples[i].write = (uint8_t)fuzz_take_below(&input, WRITE_INDETERMINATE + 1);
		samples[i].sent_ns = (int64_t)fuzz_take_word(&input);
		samples[i].done_ns = (int64_t)fuzz_take_word(&input);
		samples[i].error_index = (uint16_t)fuzz_take_word(&input);
		samples[i].detail = (uint32_t)fuzz_take_word(&input);
		values[i] = samples[i].state;
		keys[i] = samples[i].sent_ns;
	}
	samples_round_trip(samples, count);
	runs_round_trip(values, count);
	keys_round_trip(keys, count);
}

/* The first byte is a count, the rest a blob, and once more the fields of samples. */
void fuzz_codec(const uint8_t *bytes, size_t length_bytes)
{
	struct fuzz_input input = { bytes, length_bytes };
	const size_t count = fuzz_take_below(&input, ITEMS_MAX + 1);

	decode(&input, count);
	decode_facts(&input);
	encode(input, count);
}
