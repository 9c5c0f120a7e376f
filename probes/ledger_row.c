/*
 * ledger_row.c - see ledger_row.h.
 */
#include "probes/ledger_row.h"
#include "base/random.h"

#include <assert.h>
#include <byteswap.h>
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t fnv_start = UINT64_C(14695981039346656037);
static const uint64_t fnv_prime = UINT64_C(1099511628211);

enum {
	HEX_PER_WORD = 16,
	SEQUENCE_DIGITS_MAX = 18, /* fits into 63 bits */
	TABLE_NAME_BYTES_MAX = 63, /* PostgreSQL cuts longer names, MariaDB refuses more than 64 */
};

static uint64_t fnv_add(uint64_t hash, const char *bytes, size_t length_bytes)
{
	for (size_t i = 0; i < length_bytes; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * fnv_prime;
	return hash;
}

/* The same eight bytes at a time, for what is done to every row; the rest in one word of its own. */
static uint64_t mix_bytes(uint64_t hash, const char *bytes, size_t length_bytes)
{
	for (size_t at = 0; at < length_bytes; at += sizeof(uint64_t)) {
		const size_t left = length_bytes - at;
		uint64_t word = 0;

		memcpy(&word, bytes + at, left < sizeof word ? left : sizeof word);
		hash = (hash ^ le64toh(word)) * fnv_prime;
		hash ^= hash >> 32; /* a product tells its low bits nothing of its high ones */
	}
	return (hash ^ length_bytes) * fnv_prime;
}

/* Eight digits of a number as the eight bytes of a word, all at once; the first is the lowest. */
static uint64_t hex_of(uint32_t number)
{
	uint64_t digits = bswap_32(number);
	uint64_t above_nine;

	digits = (digits | digits << 16) & UINT64_C(0x0000ffff0000ffff);
	digits = (digits | digits << 8) & UINT64_C(0x00ff00ff00ff00ff);
	digits = (digits >> 4 | digits << 8) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	above_nine = (digits + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
	return digits + UINT64_C(0x3030303030303030) + above_nine * ('a' - '0' - 10);
}

static void add_hex(uint64_t word, char *ret_hex, size_t digit_count)
{
	const uint64_t digits[] = { htole64(hex_of((uint32_t)(word >> 32))),
				    htole64(hex_of((uint32_t)word)) };

	assert(digit_count <= sizeof digits);
	memcpy(ret_hex, digits, digit_count);
}

uint64_t ledger_seed(const char *run_id, const char *writer)
{
	/* With the NUL between them "a" "bc" and "ab" "c" differ. */
	return fnv_add(fnv_add(fnv_start, run_id, strlen(run_id) + 1), writer, strlen(writer));
}

void ledger_payload(uint64_t seed, uint64_t sequence, size_t payload_bytes, char *ret_payload)
{
	struct random random = random_from_seed(seed ^ (sequence * fnv_prime));

	for (size_t at = 0; at < payload_bytes; at += HEX_PER_WORD) {
		const size_t left = payload_bytes - at;

		add_hex(random_next(&random), ret_payload + at,
			left < HEX_PER_WORD ? left : HEX_PER_WORD);
	}
	ret_payload[payload_bytes] = '\0';
}

void ledger_checksum(uint64_t seed, uint64_t sequence, const char *payload, size_t payload_bytes,
		     char ret_checksum[LEDGER_CHECKSUM_BYTES])
{
	const uint64_t start = fnv_start ^ seed ^ (sequence * fnv_prime);
	struct random mix = random_from_seed(mix_bytes(start, payload, payload_bytes));

	add_hex(random_next(&mix), ret_checksum, HEX_PER_WORD);
	ret_checksum[HEX_PER_WORD] = '\0';
}

/* The same as ledger_payload, compared word by word instead of written. */
static bool is_payload(uint64_t seed, uint64_t sequence, const char *payload, size_t payload_bytes)
{
	struct random random = random_from_seed(seed ^ (sequence * fnv_prime));
	char word[HEX_PER_WORD];

	for (size_t at = 0; at < payload_bytes; at += HEX_PER_WORD) {
		const size_t left = payload_bytes - at;
		const size_t count = left < HEX_PER_WORD ? left : HEX_PER_WORD;

		add_hex(random_next(&random), word, count);
		if (memcmp(word, payload + at, count) != 0)
			return false;
	}
	return true;
}

bool ledger_is_intact(uint64_t seed, uint64_t sequence, size_t written_bytes, const char *payload,
		      size_t payload_bytes, const char *checksum, size_t checksum_bytes)
{
	char expected[LEDGER_CHECKSUM_BYTES];

	if (payload_bytes != written_bytes || checksum_bytes != LEDGER_CHECKSUM_BYTES - 1)
		return false;
	ledger_checksum(seed, sequence, payload, payload_bytes, expected);
	return memcmp(expected, checksum, checksum_bytes) == 0 &&
	       is_payload(seed, sequence, payload, payload_bytes);
}

void ledger_table_name(const char *run_id, struct text *text)
{
	const size_t end_bytes = text->length_bytes + TABLE_NAME_BYTES_MAX;

	text_add(text, "firedrill_ledger_");
	for (; *run_id != '\0' && text->length_bytes < end_bytes; run_id++) {
		const bool is_upper = *run_id >= 'A' && *run_id <= 'Z';
		const char byte = is_upper ? (char)(*run_id - 'A' + 'a') : *run_id;
		const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');

		text_add_bytes(text, is_plain ? &byte : "_", 1);
	}
}

void ledger_line(uint64_t seed, uint64_t sequence, size_t payload_bytes, struct text *line)
{
	char checksum[LEDGER_CHECKSUM_BYTES];
	char *payload = mem_alloc(payload_bytes + 1);

	ledger_payload(seed, sequence, payload_bytes, payload);
	ledger_checksum(seed, sequence, payload, payload_bytes, checksum);
	text_addf(line, "%" PRIu64 " %s %s", sequence, payload, checksum);
	free(payload);
}

bool ledger_line_sequence(const char *line, size_t line_bytes, int64_t *ret_sequence)
{
	int64_t sequence = 0;
	size_t at = 0;

	while (at < line_bytes && at < SEQUENCE_DIGITS_MAX && line[at] >= '0' && line[at] <= '9')
		sequence = sequence * 10 + (line[at++] - '0');
	if (at == 0 || at == line_bytes || line[at] != ' ')
		return false;
	*ret_sequence = sequence;
	return true;
}

bool ledger_line_is_intact(uint64_t seed, uint64_t sequence, size_t payload_bytes,
			   const char *line, size_t line_bytes)
{
	const char *payload = memchr(line, ' ', line_bytes);
	const size_t digit_count = payload == NULL ? 0 : (size_t)(payload - line);
	int64_t found = -1;

	if (payload == NULL || !ledger_line_sequence(line, line_bytes, &found) ||
	    found != (int64_t)sequence ||
	    line_bytes != digit_count + payload_bytes + LEDGER_CHECKSUM_BYTES + 1 ||
	    line[digit_count + 1 + payload_bytes] != ' ')
		return false;
	return ledger_is_intact(seed, sequence, payload_bytes, payload + 1, payload_bytes,
				payload + 1 + payload_bytes + 1, LEDGER_CHECKSUM_BYTES - 1);
}
