/*
 * fuzz_rows.c - the lines of a bundle. A line of the general reader is the only form of what it says: printed
 * again it is the same, byte for byte. What a kind of row says survives being printed and read.
 */
#include "tests/fuzz.h"
#include "fixtures/fuzz_input.h"
#include "store/bundle_rows.h"
#include "store/row_text.h"

#include <assert.h>
#include <string.h>

static const struct row_field fields[] = {
	{ "n", ROW_INT }, { "is", ROW_BOOL }, { "t", ROW_TEXT }, { "ts", ROW_TEXTS }, { "ns", ROW_INTS },
};

enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

static void try_plain(const char *line, size_t length_bytes, struct arena *arena)
{
	struct row_value values[FIELD_COUNT] = { { 0 } };
	struct text printed = { 0 };
	struct err e = { 0 };

	if (!row_parse(fields, FIELD_COUNT, line, length_bytes, arena, values, &e)) {
		assert(e.kind == ERR_ALTERED && e.text[0] != '\0');
		return;
	}
	row_print(fields, FIELD_COUNT, values, &printed);
	assert(printed.length_bytes == length_bytes + 1); /* its newline */
	assert(memcmp(text_str(&printed), line, length_bytes) == 0);
	text_release(&printed);
}

/* Reads a line as a row of one kind, and prints it; false when it is none, with a sentence. */
typedef bool again_fn(const char *line, size_t length_bytes, struct arena *arena, struct text *printed,
		      struct err *e);

static bool run_again(const char *line, size_t length_bytes, struct arena *arena, struct text *printed,
		      struct err *e)
{
	struct stored_run run = { 0 };
	const char *head = NULL;
	const char *exporter = NULL;

	if (!bundle_run_parse(line, length_bytes, arena, &run, &head, &exporter, e))
		return false;
	bundle_run_print(&run, head, exporter, printed);
	return true;
}

static bool event_again(const char *line, size_t length_bytes, struct arena *arena,
			struct text *printed, struct err *e)
{
	struct event event = { 0 };

	if (!bundle_event_parse(line, length_bytes, arena, &event, e))
		return false;
	assert(event.text != NULL);
	if (event.kind == EVENT_NONE)
		return true; /* damaged; the chain refuses it */
	bundle_event_print(&event, printed);
	return true;
}

static bool heal_again(const char *line, size_t length_bytes, struct arena *arena, struct text *printed,
		       struct err *e)
{
	struct stored_heal heal = { 0 };

	if (!bundle_heal_parse(line, length_bytes, arena, &heal, e))
		return false;
	bundle_heal_print(&heal, printed);
	return true;
}

static bool track_again(const char *line, size_t length_bytes, struct arena *arena,
			struct text *printed, struct err *e)
{
	struct stored_track track = { 0 };

	if (!bundle_track_parse(line, length_bytes, arena, &track, e))
		return false;
	bundle_track_print(&track, printed);
	return true;
}

static bool read_again(const char *line, size_t length_bytes, struct arena *arena, struct text *printed,
		       struct err *e)
{
	struct stored_ledger_read read = { 0 };

	if (!bundle_ledger_read_parse(line, length_bytes, arena, &read, e))
		return false;
	bundle_ledger_read_print(&read, printed);
	return true;
}

static void try_row(again_fn *again, const char *line, size_t length_bytes, struct arena *arena)
{
	struct text once = { 0 };
	struct text twice = { 0 };
	struct err e = { 0 };

	if (again(line, length_bytes, arena, &once, &e) && once.length_bytes > 0) {
		const bool is_taken =
			again(text_str(&once), once.length_bytes - 1, arena, &twice, &e);

		assert(is_taken);
		assert(strcmp(text_str(&once), text_str(&twice)) == 0);
	}
	text_release(&once);
	text_release(&twice);
}

static void try_csv(const char *line, size_t length_bytes)
{
	static const struct timetable timetable = { .t0_ns = 1000, .every_ns = 10 };
	struct sample sample = { 0 };
	struct text printed = { 0 };
	uint64_t last_slot = 0;
	uint8_t row = 0;

	if (bundle_sample_parse(line, length_bytes, &timetable, 0, &sample)) {
		bundle_samples_print(&timetable, 0, &sample, 1, &printed);
		assert(printed.length_bytes == length_bytes + 1);
		assert(memcmp(text_str(&printed), line, length_bytes) == 0);
		text_release(&printed);
	}
	if (bundle_ledger_parse(line, length_bytes, 3, 100, &last_slot, &row))
		assert(last_slot >= 3 && last_slot < 100 && row < 8);
}

void fuzz_rows(const uint8_t *bytes, size_t length_bytes)
{
	static again_fn *const kinds[] = { run_again, event_again, heal_again, track_again, read_again };
	const char *line = (const char *)bytes;
	struct arena arena = { 0 };

	if (length_bytes == 0 || memchr(bytes, '\n', length_bytes) != NULL)
		return; /* a line is what its reader gives on: without its end, and not empty */
	try_plain(line, length_bytes, &arena);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		try_row(kinds[i], line, length_bytes, &arena);
	try_csv(line, length_bytes);
	arena_release(&arena);
}
