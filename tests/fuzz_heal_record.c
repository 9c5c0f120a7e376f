/*
 * fuzz_heal_record.c - heal records as a store or a bundle holds them: what is read prints to a record
 * that reads as the same, so that a heal from another process undoes what was written down.
 */
#include "tests/fuzz.h"
#include "fixtures/fuzz_input.h"
#include "model/heal_record.h"

#include <assert.h>
#include <string.h>

static void check_round_trip(const struct heal_record *record, struct arena *arena)
{
	struct heal_record again = { 0 };
	struct text once = { 0 };
	struct text twice = { 0 };
	struct err e = { 0 };

	assert(record->run_id != NULL && record->fault != NULL && record->host != NULL);
	assert(record->lease_ns >= 0);
	for (size_t i = 0; i < record->field_count; i++)
		assert(record->fields[i].name != NULL && record->fields[i].value != NULL);
	heal_record_print(record, &once);
	assert(heal_record_parse(text_str(&once), arena, &again, &e));
	heal_record_print(&again, &twice);
	assert(strcmp(text_str(&once), text_str(&twice)) == 0);
	text_release(&once);
	text_release(&twice);
}

void fuzz_heal_record(const uint8_t *bytes, size_t length_bytes)
{
	struct fuzz_input input = { bytes, length_bytes };
	struct arena arena = { 0 };
	struct heal_record record = { 0 };
	struct err e = { 0 };

	if (heal_record_parse(fuzz_take_text(&input, &arena), &arena, &record, &e))
		check_round_trip(&record, &arena);
	else
		assert(e.text[0] != '\0' && record.run_id == NULL);
	arena_release(&arena);
}
