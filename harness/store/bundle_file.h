/*
 * bundle_file.h - a bundle as a file: a ustar archive that begins with a manifest of SHA-256 hashes.
 *
 * The manifest says which members follow, in which order; the archive is that and nothing else. Any
 * other byte (in a header, in the padding, behind the end) is refused and named. Nothing is ever
 * unpacked, so names cannot lead anywhere. What the members say is bundle_store.c's business.
 */
#ifndef STORE_BUNDLE_FILE_H
#define STORE_BUNDLE_FILE_H

#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"

#define BUNDLE_MANIFEST "MANIFEST.sha256"

enum {
	BUNDLE_MEMBERS_MAX = 1024,
	BUNDLE_MANIFEST_BYTES_MAX = 256 << 10,
	BUNDLE_BUFFER_BYTES = 256 << 10,
};

/* ---- writing ---- */

struct bundle_writer;

/* names: every member, in order; they must outlive the writer. Writes beside the path. */
bool bundle_writer_open(const char *path, const char *run_id, const char *const *names,
			size_t name_count, struct bundle_writer **ret_writer, struct err *e);
/* Begins the next member; ends the one before. */
bool bundle_writer_next(struct bundle_writer *writer, struct err *e);
bool bundle_writer_add(struct bundle_writer *writer, const void *bytes, size_t length_bytes,
		       struct err *e);
/* All members are there: makes the file durable under its own name. */
bool bundle_writer_finish(struct bundle_writer *writer, struct err *e);
/* Removes what is not finished. NULL is fine. */
void bundle_writer_close(struct bundle_writer *writer);

/* ---- reading ---- */

struct bundle_member {
	const char *name;
	uint64_t from_bytes; /* where its bytes begin in the file */
	uint64_t size_bytes;
	const char *hash;
};

struct bundle_file {
	char *owned_path;
	int fd;
	struct arena arena;
	char run_id[65]; /* from the name of the folder */
	struct bundle_member *members;
	size_t member_count;
	char *owned_window; /* what was read last */
	uint64_t window_from_bytes;
	size_t window_bytes;
};

/* Checks the form of the whole file and the manifest against itself, not yet the members' hashes. */
bool bundle_file_open(const char *path, struct bundle_file **ret_file, struct err *e);
void bundle_file_close(struct bundle_file *file); /* NULL is fine */
/* NULL when there is none of this name. */
const struct bundle_member *bundle_file_find(const struct bundle_file *file, const char *name);
/* The member's bytes against its hash in the manifest. */
bool bundle_file_check(struct bundle_file *file, const struct bundle_member *member,
		       struct err *e);
/* ERR_ALTERED when it is longer than that. */
bool bundle_file_read(struct bundle_file *file, const struct bundle_member *member,
		      uint64_t bytes_max, struct text *ret_bytes, struct err *e);

/* Lines of a member, one after the other. */
struct bundle_lines {
	struct bundle_file *file;
	const struct bundle_member *member;
	uint64_t at_bytes; /* within the member */
	uint64_t line_number; /* of the line read last, from 1 */
	struct text line;
};

/* The next line without its newline; *ret_has false at the end. A line that has no end, or is longer
   than bytes_max, is ERR_ALTERED. Release lines->line. */
bool bundle_lines_next(struct bundle_lines *lines, size_t bytes_max, bool *ret_has, struct err *e);

#endif
