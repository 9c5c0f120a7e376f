/*
 * varint.h - whole numbers in as few bytes as they need: seven bits in each, the least first. What the
 * blobs of the store are made of (codec.c, codec_facts.c).
 *
 * Differences are taken on unsigned numbers, where they wrap; zigzag keeps small ones short, whatever
 * their sign.
 */
#ifndef STORE_VARINT_H
#define STORE_VARINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/* A blob as it is read from left to right. */
struct reader {
	const uint8_t *bytes;
	size_t length_bytes;
	size_t used_bytes;
	bool is_broken;
};

void varint_write(struct text *bytes, uint64_t value);
void zigzag_write(struct text *bytes, uint64_t difference);

/* 0 when the reader is broken or becomes so: callers look at is_broken once, at the end. */
uint64_t varint_read_long(struct reader *reader);
uint64_t varint_read_at_most(struct reader *reader, uint64_t most);
uint64_t zigzag_read(struct reader *reader);

/* Most are one byte, and a history of many runs is a million of them. */
static inline uint64_t varint_read(struct reader *reader)
{
	if (!reader->is_broken && reader->used_bytes < reader->length_bytes &&
	    reader->bytes[reader->used_bytes] < 0x80)
		return reader->bytes[reader->used_bytes++];
	return varint_read_long(reader);
}

/* ERR_ALTERED unless all of it was read, and fits. */
bool reader_finish(const struct reader *reader, const char *what, struct err *e);

#endif
