/*
 * fuzz_samples.c - the mapped file of samples that a dead run has left: its samples are taken into the
 * store, or it is left where it is, and said.
 */
#include "tests/fuzz.h"
#include "engine/engine.h"
#include "fixtures/fuzzed_store.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char run_id[] = "20261121-090000-dead";

static void begin_once(struct store *store)
{
	static bool is_begun;
	const struct run_row row = { .run_id = run_id, .title = "died", .boot_id = "an earlier boot" };
	struct err e = { 0 };

	if (is_begun)
		return;
	is_begun = store_run_begin(store, &row, &e);
	assert(is_begun);
}

static void check_timeline(struct store *store)
{
	struct arena arena = { 0 };
	struct timeline timeline = { 0 };
	struct err e = { 0 };
	const bool is_read = store_timeline(store, run_id, &arena, &timeline, &e);

	assert(is_read);
	for (size_t i = 0; i < timeline.track_count; i++)
		for (uint64_t slot = 0; slot < timeline.tracks[i].slot_count; slot++)
			assert(timeline.tracks[i].samples[slot].state <= SAMPLE_SKIPPED);
	arena_release(&arena);
}

void fuzz_samples(const uint8_t *bytes, size_t length_bytes)
{
	struct store *store = fuzzed_store();
	struct text path = { 0 };
	struct err e = { 0 };
	FILE *file;
	size_t written;

	begin_once(store);
	text_addf(&path, "%s/%s.probe", fuzzed_store_folder(), run_id);
	file = fopen(text_str(&path), "w");
	assert(file != NULL);
	written = fwrite(bytes, 1, length_bytes, file);
	assert(written == length_bytes);
	(void)fclose(file);
	if (salvage_samples(store, run_id, fuzzed_store_folder(), &e)) {
		assert(access(text_str(&path), F_OK) != 0);
		check_timeline(store);
	} else {
		assert(e.text[0] != '\0' && access(text_str(&path), F_OK) == 0);
		(void)unlink(text_str(&path));
	}
	text_release(&path);
}
