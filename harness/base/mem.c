/*
 * mem.c - see mem.h. An arena is a list of blocks; a large wish gets a block of its own.
 */
#include "base/mem.h"

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 64 << 10 };

struct arena_block {
	struct arena_block *next;
	size_t used_bytes;
	size_t room_bytes;
	alignas(max_align_t) char bytes[];
};

/* The one place outside harness/cli that writes to stderr: there is no memory left to return with. */
void *mem_or_die(void *memory, size_t bytes)
{
	if (memory == NULL) {
		(void)fprintf(stderr, "firedrill: this machine has no %zu bytes of memory left; "
				      "run `firedrill heal` to undo what was under way\n", bytes);
		abort();
	}
	return memory;
}

void *mem_alloc(size_t bytes)
{
	return mem_or_die(calloc(1, bytes == 0 ? 1 : bytes), bytes);
}

void *mem_grow(void *taken, size_t bytes)
{
	return mem_or_die(realloc(taken, bytes == 0 ? 1 : bytes), bytes);
}

char *mem_copy(const char *text)
{
	assert(text != NULL);
	return mem_or_die(strdup(text), strlen(text) + 1);
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	const size_t align_bytes = alignof(max_align_t);
	struct arena_block *block = arena->owned_blocks;

	assert(bytes < SIZE_MAX / 2);
	bytes = (bytes + align_bytes - 1) / align_bytes * align_bytes;

	if (block == NULL || block->room_bytes - block->used_bytes < bytes) {
		const size_t room_bytes = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;

		block = mem_alloc(sizeof *block + room_bytes);
		block->room_bytes = room_bytes;
		block->next = arena->owned_blocks;
		arena->owned_blocks = block;
	}

	void *memory = block->bytes + block->used_bytes;

	block->used_bytes += bytes;
	return memory;
}

char *arena_copy(struct arena *arena, const char *text)
{
	return text == NULL ? NULL : arena_copy_bytes(arena, text, strlen(text));
}

char *arena_copy_bytes(struct arena *arena, const char *bytes, size_t length_bytes)
{
	char *copy = arena_alloc(arena, length_bytes + 1);

	if (length_bytes > 0)
		memcpy(copy, bytes, length_bytes);
	return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	struct text text = { 0 };
	va_list args;

	va_start(args, format);
	text_addv(&text, format, args);
	va_end(args);

	char *copy = arena_copy(arena, text_str(&text));

	text_release(&text);
	return copy;
}

void *arena_more(struct arena *arena, void *items, size_t count, size_t item_bytes)
{
	/* Full at 0 and at every power of two from 8 on. */
	if (count != 0 && (count < 8 || (count & (count - 1)) != 0))
		return items;

	char *larger = arena_alloc(arena, (count == 0 ? 8 : count * 2) * item_bytes);

	if (count > 0)
		memcpy(larger, items, count * item_bytes);
	return larger;
}

void arena_release(struct arena *arena)
{
	while (arena->owned_blocks != NULL) {
		struct arena_block *block = arena->owned_blocks;

		arena->owned_blocks = block->next;
		free(block);
	}
}

static void text_reserve(struct text *text, size_t more_bytes)
{
	const size_t wish_bytes = text->length_bytes + more_bytes + 1;

	if (wish_bytes <= text->room_bytes)
		return;
	text->room_bytes = wish_bytes < 64 ? 64 : wish_bytes * 2;
	text->owned_bytes = mem_grow(text->owned_bytes, text->room_bytes);
}

void text_add(struct text *text, const char *more)
{
	assert(more != NULL);
	text_add_bytes(text, more, strlen(more));
}

void text_add_bytes(struct text *text, const char *bytes, size_t length_bytes)
{
	text_reserve(text, length_bytes);
	if (length_bytes > 0)
		memcpy(text->owned_bytes + text->length_bytes, bytes, length_bytes);
	text->length_bytes += length_bytes;
	text->owned_bytes[text->length_bytes] = '\0';
}

void text_addf(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_addv(text, format, args);
	va_end(args);
}

void text_addv(struct text *text, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);

	const int length = vsnprintf(NULL, 0, format, args);

	assert(length >= 0);
	text_reserve(text, (size_t)length);
	(void)vsnprintf(text->owned_bytes + text->length_bytes, (size_t)length + 1, format, again);
	text->length_bytes += (size_t)length;
	va_end(again);
}

const char *text_str(const struct text *text)
{
	return text->owned_bytes == NULL ? "" : text->owned_bytes;
}

void text_clear(struct text *text)
{
	text->length_bytes = 0;
	if (text->owned_bytes != NULL)
		text->owned_bytes[0] = '\0';
}

void text_release(struct text *text)
{
	free(text->owned_bytes);
	*text = (struct text){ 0 };
}
