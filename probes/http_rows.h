/*
 * http_rows.h - the rows of a ledger behind an API of any form: each one word that is easy to find
 * again, "firedrill.RUN.PROBE.SEQUENCE.PAYLOAD.CHECKSUM.", wherever the API puts it.
 *
 * Letters, digits, - _ and . alone: nothing that JSON, XML or a URL would write in another way.
 */
#ifndef PROBES_HTTP_ROWS_H
#define PROBES_HTTP_ROWS_H

#include "base/mem.h"
#include "probes/probe.h"

struct http_rows {
	const char *run_id;
	const char *writer;
	size_t payload_bytes;
	uint64_t seed;
};

struct http_rows http_rows_of(const struct probe_spec *spec, const char *run_id);

/* The text with {run}, {writer}, {seq}, {payload}, {checksum} and {row} replaced. */
void http_rows_fill(const struct http_rows *rows, const char *pattern, uint64_t sequence,
		    struct text *text);

/* The first {word} that stands for nothing here, without its braces; NULL: there is none. */
const char *http_rows_strange_word(const char *pattern, size_t *ret_bytes);

/* Finds rows in bytes that come piece by piece. Zero-initialise but for rows and sink. */
struct http_scan {
	const struct http_rows *rows;
	const struct row_sink *sink;
	struct text kept; /* what may be the beginning of a row */
};

void http_scan_take(void *scan, const char *bytes, size_t length_bytes);
void http_scan_end(struct http_scan *scan); /* the last row, and the memory */

#endif
