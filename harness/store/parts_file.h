/*
 * parts_file.h - the file store.json of a store that was exported: what it holds that is of no single run.
 * Pure; store_parts.h takes it out of a store and brings it into one.
 */
#ifndef STORE_PARTS_FILE_H
#define STORE_PARTS_FILE_H

#include "store/store_ops.h"

struct store_parts {
	struct stored_set *sets; /* sealed as they were */
	size_t set_count;
	struct stored_recording *recordings; /* oldest first */
	size_t recording_count;
	struct hold_row *holds;
	size_t hold_count;
	struct pause_row *pauses; /* those in force */
	size_t pause_count;
};

void parts_print(const struct store_parts *parts, const char *exporter, struct text *json);

/* What somebody else may have written: every row has what it needs, and nothing is said of its seals.
   ERR_INPUT: it is something else. */
bool parts_parse(const char *bytes, size_t length_bytes, struct arena *arena,
		 struct store_parts *ret_parts, struct err *e);

#endif
