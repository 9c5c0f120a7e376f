/*
 * shown_text.h - what reads showed, as text in the journal: for each read whose lane saw a change, the rows
 * that had not been shown to that lane by its last read, and those that were and are not any more.
 *
 *   "12+0-49+60;14~3"   read 12 showed rows 0 to 49 and 60 for the first time, read 14 row 3 no more
 *
 * A read that is not there showed what the last read of its lane had shown. EVENT_SHOWN: name = the reader;
 * data {"shown": the text, "is_last": nothing comes after it}.
 */
#ifndef ENGINE_SHOWN_TEXT_H
#define ENGINE_SHOWN_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

/* Rows first to last of the read in this slot. */
struct shown_change {
	uint64_t slot;
	uint64_t first;
	uint64_t last;
	bool is_gone;
};

/* One entry; `changes` is "+0-49+60". */
void shown_add(uint64_t slot, const char *changes, struct text *text);

/* Appends to *changes, which grows in the arena. False: this is no such text. */
bool shown_read(const char *text, struct arena *arena, struct shown_change **changes,
		size_t *count);

#endif
