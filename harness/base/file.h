/*
 * file.h - whole files and folders of our own: private, and never half there.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

/* Writes a whole file (0600) by way of a temporary one beside it: never half of it. */
bool file_write(const char *path, const char *bytes, size_t length_bytes, struct err *e);
/* Reads a whole file; *ret_is_there false when there is none. */
bool file_read(const char *path, bool *ret_is_there, struct text *ret_bytes, struct err *e);
/* mkdir -p with 0700; false too when what is there is no folder that we may write in. */
bool folder_make(const char *path, struct err *e);
/* What was made, renamed or removed in the folder stays so, also after a power cut. */
bool folder_settle(const char *path, struct err *e);

#endif
