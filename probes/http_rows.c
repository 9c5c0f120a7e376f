/*
 * http_rows.c - see http_rows.h.
 */
#include "probes/http_rows.h"
#include "probes/ledger_row.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SEQUENCE_DIGITS_MAX = 18 };

struct http_rows http_rows_of(const struct probe_spec *spec, const char *run_id)
{
	return (struct http_rows){
		.run_id = run_id,
		.writer = spec->name,
		.payload_bytes = (size_t)params_number(&spec->params, "payload"),
		.seed = ledger_seed(run_id, spec->name),
	};
}

static void add_start(const struct http_rows *rows, struct text *text)
{
	text_addf(text, "firedrill.%s.%s.", rows->run_id, rows->writer);
}

static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
static const char *const words[] = { "run", "writer", "seq", "payload", "checksum", "row" };

enum { WORDS = sizeof words / sizeof words[0] };

/* WORDS: none of them. */
static size_t find_word(const char *word, size_t word_bytes)
{
	size_t index = 0;

	while (index < WORDS && (strlen(words[index]) != word_bytes ||
				 strncmp(words[index], word, word_bytes) != 0))
		index++;
	return index;
}

const char *http_rows_strange_word(const char *pattern, size_t *ret_bytes)
{
	for (const char *at = strchr(pattern, '{'); at != NULL; at = strchr(at + 1, '{')) {
		*ret_bytes = strspn(at + 1, letters);
		if (*ret_bytes > 0 && at[1 + *ret_bytes] == '}' &&
		    find_word(at + 1, *ret_bytes) == WORDS)
			return at + 1;
	}
	return NULL;
}

static void add_word(const struct http_rows *rows, const char *word, size_t word_bytes,
		     uint64_t sequence, struct text *text)
{
	const size_t index = find_word(word, word_bytes);
	char checksum[LEDGER_CHECKSUM_BYTES];
	char *payload = mem_alloc(rows->payload_bytes + 1);

	ledger_payload(rows->seed, sequence, rows->payload_bytes, payload);
	ledger_checksum(rows->seed, sequence, payload, rows->payload_bytes, checksum);
	if (index == 0) {
		text_add(text, rows->run_id);
	} else if (index == 1) {
		text_add(text, rows->writer);
	} else if (index == 2) {
		text_addf(text, "%" PRIu64, sequence);
	} else if (index == 3) {
		text_add(text, payload);
	} else if (index == 4) {
		text_add(text, checksum);
	} else if (index == 5) {
		add_start(rows, text);
		text_addf(text, "%" PRIu64 ".%s.%s.", sequence, payload, checksum);
	} else { /* somebody else's braces, as in JSON */
		text_add(text, "{");
		text_add_bytes(text, word, word_bytes);
		text_add(text, "}");
	}
	free(payload);
}

void http_rows_fill(const struct http_rows *rows, const char *pattern, uint64_t sequence,
		    struct text *text)
{
	for (;;) {
		const size_t plain_bytes = strcspn(pattern, "{");
		const size_t word_bytes = strspn(pattern + plain_bytes + (pattern[plain_bytes] != 0),
						 letters);

		text_add_bytes(text, pattern, plain_bytes);
		pattern += plain_bytes;
		if (*pattern == '\0')
			return;
		pattern++;
		if (pattern[word_bytes] == '}') {
			add_word(rows, pattern, word_bytes, sequence, text);
			pattern += word_bytes + 1;
		} else {
			text_add(text, "{");
		}
	}
}

/* bytes begin after the start of a row. */
static void give_row(const struct http_scan *scan, const char *bytes, size_t length_bytes)
{
	const struct http_rows *rows = scan->rows;
	const size_t tail_bytes = 1 + rows->payload_bytes + LEDGER_CHECKSUM_BYTES + 1;
	int64_t sequence = 0;
	size_t at = 0;

	while (at < length_bytes && at < SEQUENCE_DIGITS_MAX && bytes[at] >= '0' && bytes[at] <= '9')
		sequence = sequence * 10 + (bytes[at++] - '0');
	if (at == 0 || at == length_bytes || bytes[at] != '.') {
		scan->sink->row(scan->sink->ctx, -1, false);
		return;
	}

	const char *payload = bytes + at + 1;
	const char *checksum = payload + rows->payload_bytes + 1;
	const bool is_whole = length_bytes - at >= tail_bytes && checksum[-1] == '.' &&
			      checksum[LEDGER_CHECKSUM_BYTES - 1] == '.';

	scan->sink->row(scan->sink->ctx, sequence,
			is_whole && ledger_is_intact(rows->seed, (uint64_t)sequence,
						     rows->payload_bytes, payload,
						     rows->payload_bytes, checksum,
						     LEDGER_CHECKSUM_BYTES - 1));
}

/* Gives the rows that are there whole; is_last: the others, too. */
static void scan_kept(struct http_scan *scan, bool is_last)
{
	const size_t row_bytes =
		SEQUENCE_DIGITS_MAX + 1 + scan->rows->payload_bytes + LEDGER_CHECKSUM_BYTES + 1;
	struct text start = { 0 };
	struct text rest = { 0 };
	const char *at = text_str(&scan->kept);
	const char *end = at + scan->kept.length_bytes;

	add_start(scan->rows, &start);
	for (;;) {
		const char *found = memmem(at, (size_t)(end - at), text_str(&start),
					   start.length_bytes);

		if (found == NULL) {
			if ((size_t)(end - at) >= start.length_bytes)
				at = end - start.length_bytes + 1;
			break;
		}
		at = found;
		if (!is_last && (size_t)(end - at) < start.length_bytes + row_bytes)
			break;
		at += start.length_bytes;
		give_row(scan, at, (size_t)(end - at));
	}
	text_add_bytes(&rest, at, (size_t)(end - at));
	text_release(&scan->kept);
	text_release(&start);
	scan->kept = rest;
}

void http_scan_take(void *state, const char *bytes, size_t length_bytes)
{
	struct http_scan *scan = state;

	text_add_bytes(&scan->kept, bytes, length_bytes);
	scan_kept(scan, false);
}

void http_scan_end(struct http_scan *scan)
{
	scan_kept(scan, true);
	text_release(&scan->kept);
}
