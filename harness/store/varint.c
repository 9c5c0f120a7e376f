/*
 * varint.c - see varint.h.
 */
#include "store/varint.h"

enum { VARINT_BYTES_MAX = 10 };

void varint_write(struct text *bytes, uint64_t value)
{
	char encoded[VARINT_BYTES_MAX];
	size_t count = 0;

	while (value >= 0x80) {
		encoded[count++] = (char)(value | 0x80);
		value >>= 7;
	}
	encoded[count++] = (char)value;
	text_add_bytes(bytes, encoded, count);
}

void zigzag_write(struct text *bytes, uint64_t difference)
{
	varint_write(bytes, (difference << 1) ^ (0 - (difference >> 63)));
}

uint64_t varint_read_long(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 7 * VARINT_BYTES_MAX; shift += 7) {
		if (reader->is_broken || reader->used_bytes == reader->length_bytes)
			break;

		const uint8_t byte = reader->bytes[reader->used_bytes++];

		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	reader->is_broken = true;
	return 0;
}

uint64_t zigzag_read(struct reader *reader)
{
	const uint64_t value = varint_read(reader);

	return (value >> 1) ^ (0 - (value & 1));
}

uint64_t varint_read_at_most(struct reader *reader, uint64_t most)
{
	const uint64_t value = varint_read(reader);

	if (value > most)
		reader->is_broken = true;
	return reader->is_broken ? 0 : value;
}

bool reader_finish(const struct reader *reader, const char *what, struct err *e)
{
	if (reader->is_broken || reader->used_bytes != reader->length_bytes)
		return err_set(e, ERR_ALTERED, "read %s: the %zu bytes kept are damaged at byte %zu",
			       what, reader->length_bytes, reader->used_bytes);
	return true;
}
