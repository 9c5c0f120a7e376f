/*
 * bundle_parts.h - what bundle_open.c (is every byte in its place?) and bundle_store.c (a store to read
 * from) share.
 */
#ifndef STORE_BUNDLE_PARTS_H
#define STORE_BUNDLE_PARTS_H

#include "store/bundle_file.h"
#include "store/store_ops.h"

struct bundle_store {
	struct bundle_file *owned_file;
	struct arena arena;
	struct stored_run run;
	const char *head; /* what the exporter found */
	const char *exporter;
	struct stored_track *tracks;
	size_t track_count;
	struct stored_ledger_read *reads; /* without their rows */
	size_t read_count;
};

/* Opens the file and checks all of it that can be checked without its samples: form, hashes, order,
   sizes. Fills *bundle; the caller releases it, also after a failure. */
bool bundle_parts_open(struct bundle_store *bundle, const char *path, struct err *e);

bool bundle_find_member(struct bundle_store *bundle, const char *name,
			const struct bundle_member **ret_member, struct err *e);

typedef bool row_fn(const char *line, size_t length_bytes, struct arena *arena, void *row,
		    struct err *e);

/* Every line of the member as a row of item_bytes. */
bool bundle_read_rows(struct bundle_store *bundle, const char *name, row_fn *parse,
		      size_t item_bytes, struct arena *arena, void **ret_rows, size_t *ret_count,
		      struct err *e);

#endif
