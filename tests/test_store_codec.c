/*
 * test_store_codec.c - samples, runs and keys survive the round trip; damage is refused.
 */
#include "base/random.h"
#include "store/codec.h"
#include "tests/suites.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct timetable timetable = {
	.t0_ns = INT64_C(7) * 1000000000 * 3600,
	.every_ns = 20 * 1000000,
};

static int64_t any_int64(struct random *random)
{
	static const int64_t edges[] = { 0, 1, -1, INT64_MAX, INT64_MIN };
	const uint64_t kind = random_below(random, 8);

	return kind < 5 ? edges[kind] : (int64_t)random_next(random);
}

static struct sample any_sample(struct random *random)
{
	const struct sample sample = {
		.sent_ns = any_int64(random),
		.done_ns = any_int64(random),
		.error_index = (uint16_t)random_next(random),
		.state = (uint8_t)random_below(random, SAMPLE_SKIPPED + 1),
		.write = (uint8_t)random_below(random, WRITE_INDETERMINATE + 1),
		.detail = (uint32_t)random_next(random),
	};

	return sample;
}

/* A real looking track: mostly good, an outage in the middle. */
static void fill_plausible(struct sample *samples, size_t count, uint64_t first_slot)
{
	struct random random = random_from_seed(5);

	for (size_t i = 0; i < count; i++) {
		const int64_t due_ns =
			timetable.t0_ns + (int64_t)(first_slot + i) * timetable.every_ns;
		const bool is_bad = i > count / 2 && i < count / 2 + count / 10;

		samples[i] = (struct sample){
			.sent_ns = due_ns + 20000 + (int64_t)random_below(&random, 50000),
			.state = is_bad ? SAMPLE_BAD : SAMPLE_GOOD,
			.write = is_bad ? WRITE_INDETERMINATE : WRITE_ACKNOWLEDGED,
			.error_index = is_bad ? 1 : 0,
		};
		samples[i].done_ns =
			samples[i].sent_ns + 400000 + (int64_t)random_below(&random, 600000);
	}
}

START_TEST(test_codec_samples_random_values_survive_the_round_trip)
{
	struct random random = random_from_seed(42);

	for (int round = 0; round < 200; round++) {
		const size_t count = random_below(&random, 200);
		const uint64_t first_slot = random_next(&random) >> 12;
		struct sample written[200];
		struct sample read[200];
		struct text bytes = { 0 };
		struct err e = { 0 };

		for (size_t i = 0; i < count; i++)
			written[i] = any_sample(&random);
		codec_samples_write(&timetable, first_slot, written, count, &bytes);
		memset(read, 0xa5, sizeof read);
		ck_assert_msg(codec_samples_read(&timetable, first_slot, text_str(&bytes),
						 bytes.length_bytes, read, count, &e),
			      "%s", e.text);
		for (size_t i = 0; i < count; i++)
			ck_assert_mem_eq(&written[i], &read[i], sizeof written[i]);
		text_release(&bytes);
	}
}
END_TEST

START_TEST(test_codec_samples_write_takes_about_6_bytes_a_sample)
{
	enum { COUNT = CODEC_CHUNK_SAMPLES };
	struct sample *samples = mem_alloc(COUNT * sizeof *samples);
	struct text bytes = { 0 };

	fill_plausible(samples, COUNT, 1000);
	codec_samples_write(&timetable, 1000, samples, COUNT, &bytes);
	ck_assert_uint_le(bytes.length_bytes, COUNT * 65 / 10);
	ck_assert_uint_ge(bytes.length_bytes, COUNT * 4);

	text_clear(&bytes);
	memset(samples, 0, COUNT * sizeof *samples);
	codec_samples_write(&timetable, 0, samples, COUNT, &bytes);
	ck_assert_uint_le(bytes.length_bytes, 16); /* slots without an attempt cost nothing */
	text_release(&bytes);
	free(samples);
}
END_TEST

START_TEST(test_codec_samples_read_refuses_a_cut_blob)
{
	struct sample samples[50];
	struct sample read[50];
	struct text bytes = { 0 };

	fill_plausible(samples, 50, 0);
	codec_samples_write(&timetable, 0, samples, 50, &bytes);
	for (size_t cut = 0; cut < bytes.length_bytes; cut++) {
		/* An exact copy on the heap lets the sanitizer see a read beyond the end. */
		char *copy = mem_alloc(cut);
		struct err e = { 0 };

		memcpy(copy, text_str(&bytes), cut);
		ck_assert(!codec_samples_read(&timetable, 0, copy, cut, read, 50, &e));
		ck_assert_int_eq(e.kind, ERR_ALTERED);
		ck_assert_ptr_nonnull(strstr(e.text, "damaged"));
		free(copy);
	}
	text_add(&bytes, "x");
	ck_assert(!codec_samples_read(&timetable, 0, text_str(&bytes), bytes.length_bytes, read, 50,
				      NULL));
	text_release(&bytes);
}
END_TEST

START_TEST(test_codec_read_of_noise_never_goes_out_of_bounds)
{
	struct random random = random_from_seed(9);

	for (int round = 0; round < 3000; round++) {
		const size_t length = random_below(&random, 120);
		uint8_t *noise = mem_alloc(length);
		struct sample *samples = mem_alloc(20 * sizeof *samples);
		uint8_t *rows = mem_alloc(20);
		int64_t *keys = mem_alloc(20 * sizeof *keys);

		for (size_t i = 0; i < length; i++)
			noise[i] = (uint8_t)(random_below(&random, 3) == 0
						     ? random_next(&random)
						     : random_below(&random, 24));
		(void)codec_samples_read(&timetable, 0, noise, length, samples, 20, NULL);
		(void)codec_runs_read(noise, length, rows, 20, NULL);
		(void)codec_keys_read(noise, length, keys, 20, NULL);
		free(noise);
		free(samples);
		free(rows);
		free(keys);
	}
}
END_TEST

START_TEST(test_codec_runs_survive_the_round_trip_and_are_small)
{
	enum { COUNT = 100000 };
	uint8_t *written = mem_alloc(COUNT);
	uint8_t *read = mem_alloc(COUNT);
	struct text bytes = { 0 };
	struct err e = { 0 };

	memset(written, ROW_PRESENT, COUNT);
	memset(written + 5000, 0, 300);
	written[7] = ROW_PRESENT | ROW_DUPLICATED;
	codec_runs_write(written, COUNT, &bytes);
	ck_assert_uint_le(bytes.length_bytes, 20);
	ck_assert(codec_runs_read(text_str(&bytes), bytes.length_bytes, read, COUNT, &e));
	ck_assert_mem_eq(written, read, COUNT);
	ck_assert(!codec_runs_read(text_str(&bytes), bytes.length_bytes, read, COUNT - 1, &e));
	ck_assert(!codec_runs_read(text_str(&bytes), bytes.length_bytes - 1, read, COUNT, &e));
	ck_assert(!codec_runs_read("\0\1", 2, read, 1, &e)); /* a run of none would never end */
	text_release(&bytes);
	free(written);
	free(read);
}
END_TEST

START_TEST(test_codec_keys_survive_the_round_trip)
{
	const int64_t written[] = { 5, 6, -1, INT64_MAX, INT64_MIN, 0 };
	int64_t read[6] = { 0 };
	struct text bytes = { 0 };
	struct err e = { 0 };

	codec_keys_write(written, 6, &bytes);
	ck_assert(codec_keys_read(text_str(&bytes), bytes.length_bytes, read, 6, &e));
	ck_assert_mem_eq(written, read, sizeof written);
	ck_assert(!codec_keys_read(text_str(&bytes), bytes.length_bytes, read, 5, &e));
	text_release(&bytes);
}
END_TEST

void suite_store_codec(Suite *suite)
{
	TCase *tcase = tcase_create("store_codec");

	tcase_add_test(tcase, test_codec_samples_random_values_survive_the_round_trip);
	tcase_add_test(tcase, test_codec_samples_write_takes_about_6_bytes_a_sample);
	tcase_add_test(tcase, test_codec_samples_read_refuses_a_cut_blob);
	tcase_add_test(tcase, test_codec_read_of_noise_never_goes_out_of_bounds);
	tcase_add_test(tcase, test_codec_runs_survive_the_round_trip_and_are_small);
	tcase_add_test(tcase, test_codec_keys_survive_the_round_trip);
	suite_add_tcase(suite, tcase);
}
