/*
 * source.h - the bytes of a document: read from a file within bounds, and checked to be text.
 */
#ifndef LOAD_SOURCE_H
#define LOAD_SOURCE_H

#include "load/loader.h"

struct source {
	const char *file;  /* the name for messages */
	const char *bytes; /* NUL-terminated, no NUL inside after source_check */
	size_t length_bytes;
};

/* Never reads more than LIMIT_DOCUMENT_BYTES, whatever the file is. noun: "the inventory". */
bool source_read(struct loader *loader, const char *noun, const char *path,
		 struct source *ret_source);

/* UTF-8 without control characters, not empty, not too large; a byte order mark is skipped. */
bool source_check(struct loader *loader, struct source *source);

/*
 * In `{ key: ${file:x} }` the braces of a variable would end the mapping, so those of every ${...}
 * become two characters that may not stand in a document; source_unshield turns them back.
 */
const char *source_shield(struct loader *loader, const struct source *source,
			  size_t *ret_length_bytes);
const char *source_unshield(struct loader *loader, const char *text, size_t length_bytes);

#endif
