/*
 * mem.h - memory that is freed in one call (arena), and text that grows (text).
 *
 * Experiment, plan, story and their strings live in an arena. When this machine has no memory left
 * the process says so on stderr and aborts: the guards on the targets and `firedrill heal` undo the
 * faults, which is safer than walking on. Nothing here returns NULL.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Like calloc, realloc and strdup, but never NULL; the caller frees. */
void *mem_alloc(size_t bytes);
void *mem_grow(void *taken, size_t bytes);
char *mem_copy(const char *text);

/* For what a library has allocated: NULL ends the process in the same way, whatever the bytes. */
void *mem_or_die(void *memory, size_t bytes);

struct arena_block;

struct arena {
	struct arena_block *owned_blocks; /* zero-initialise: `struct arena arena = { 0 };` */
};

/* Zeroed, aligned for any type, valid until arena_release. */
void *arena_alloc(struct arena *arena, size_t bytes);
char *arena_copy(struct arena *arena, const char *text); /* NULL gives NULL */
char *arena_copy_bytes(struct arena *arena, const char *bytes, size_t length_bytes);
char *arena_format(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Room for one more behind `count` items: an array that grows by doubling. items may move. */
void *arena_more(struct arena *arena, void *items, size_t count, size_t item_bytes);
void arena_release(struct arena *arena);

/* A growing text, always ending in a NUL that is not counted. Zero-initialise; then release. */
struct text {
	char *owned_bytes;
	size_t length_bytes;
	size_t room_bytes;
};

void text_add(struct text *text, const char *more);
void text_add_bytes(struct text *text, const char *bytes, size_t length_bytes);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_addv(struct text *text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
const char *text_str(const struct text *text); /* "" when empty, never NULL */
void text_clear(struct text *text);            /* keeps the room */
void text_release(struct text *text);

#endif
