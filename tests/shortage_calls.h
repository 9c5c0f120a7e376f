/*
 * shortage_calls.h - the system comes up short at a chosen call: of memory, of what writes to a disk, of time.
 *
 * Stands before malloc and write for the whole process, its libraries included. So it is linked into
 * tests/shortage.c alone.
 */
#ifndef TESTS_SHORTAGE_CALLS_H
#define TESTS_SHORTAGE_CALLS_H

#include <stdint.h>

#define SHORTAGE_ROWS(X)                                                              \
	X(MEMORY, "no memory")         /* malloc, calloc, realloc: once, NULL */     \
	X(SHORT_WRITE, "short write")  /* write, pwrite: half of it, once */         \
	X(FULL_DISK, "full disk")      /* write, pwrite, posix_fallocate: from then on */ \
	X(BROKEN_DISK, "broken disk")  /* write, pwrite, fsync, rename, ...: EIO once */ \
	X(DEATH, "killed")             /* of time: SIGKILL just before the same calls */

enum shortage {
	SHORTAGE_NONE = 0,
#define X(id, name) SHORTAGE_##id,
	SHORTAGE_ROWS(X)
#undef X
};

/* From here on calls are counted, and the nth (from 1) comes up short; 0: none does. */
void shortage_begin(enum shortage kind, uint64_t nth);
/* How many calls of that kind there were; the system is whole again. */
uint64_t shortage_end(void);

#endif
