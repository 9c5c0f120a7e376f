/*
 * fuzz_parts.c - the store.json of a store that somebody has exported: what is taken has all that a row needs,
 * and printed and read again it is the same; what is refused has a sentence.
 */
#include "tests/fuzz.h"
#include "store/parts_file.h"

#include <assert.h>
#include <string.h>

static void check_rows(const struct store_parts *parts)
{
	for (size_t i = 0; i < parts->set_count; i++) {
		assert(parts->sets[i].row.set_id != NULL && parts->sets[i].seal != NULL);
		assert(parts->sets[i].row.is_ended == (parts->sets[i].end_seal != NULL));
	}
	for (size_t i = 0; i < parts->recording_count; i++)
		assert(parts->recordings[i].name != NULL && parts->recordings[i].run_id != NULL);
	for (size_t i = 0; i < parts->hold_count; i++)
		assert(parts->holds[i].run_id != NULL && parts->holds[i].reason != NULL);
	for (size_t i = 0; i < parts->pause_count; i++)
		assert(parts->pauses[i].schedule != NULL && parts->pauses[i].reason != NULL);
}

void fuzz_parts(const uint8_t *bytes, size_t length_bytes)
{
	struct arena arena = { 0 };
	struct store_parts parts = { 0 };
	struct store_parts again = { 0 };
	struct text first = { 0 };
	struct text second = { 0 };
	struct err e = { 0 };

	if (parts_parse((const char *)bytes, length_bytes, &arena, &parts, &e)) {
		check_rows(&parts);
		parts_print(&parts, "fuzz", &first);
		assert(parts_parse(text_str(&first), first.length_bytes, &arena, &again, &e));
		parts_print(&again, "fuzz", &second);
		assert(strcmp(text_str(&first), text_str(&second)) == 0);
	} else {
		assert(e.kind == ERR_INPUT || e.kind == ERR_LIMIT);
		assert(e.text[0] != '\0');
	}
	text_release(&first);
	text_release(&second);
	arena_release(&arena);
}
