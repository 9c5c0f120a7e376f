/*
 * ledger_row.h - what one row of a ledger holds, so that every row can be known again later.
 *
 * The payload follows from run, writer and sequence number alone, and the checksum covers all of
 * them: a row that was changed, cut or put under another number is found without keeping a copy of
 * what was written. FNV-1a over words of eight bytes with a final mix: against damage, not against
 * forgers.
 */
#ifndef PROBES_LEDGER_ROW_H
#define PROBES_LEDGER_ROW_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LEDGER_PAYLOAD_BYTES_MAX = 64 << 10,
	LEDGER_CHECKSUM_BYTES = 17, /* 16 hex digits and a NUL */
};

/* The seed of all rows of one writer in one run. */
uint64_t ledger_seed(const char *run_id, const char *writer);

/* Fills payload_bytes letters and a NUL into ret_payload, which has room for one more byte. */
void ledger_payload(uint64_t seed, uint64_t sequence, size_t payload_bytes, char *ret_payload);

void ledger_checksum(uint64_t seed, uint64_t sequence, const char *payload, size_t payload_bytes,
		     char ret_checksum[LEDGER_CHECKSUM_BYTES]);

/* True when payload (as long as it was written) and checksum are those of this row. */
bool ledger_is_intact(uint64_t seed, uint64_t sequence, size_t written_bytes, const char *payload,
		      size_t payload_bytes, const char *checksum, size_t checksum_bytes);

/* "firedrill_ledger_" and the run, in lower case letters, digits and "_", cut to fit: the table that
   all ledgers of a run share in a database. Safe within quotes of any kind. */
void ledger_table_name(const char *run_id, struct text *text);

/* The whole row as one text, for stores without columns: "SEQUENCE PAYLOAD CHECKSUM". */
void ledger_line(uint64_t seed, uint64_t sequence, size_t payload_bytes, struct text *line);

/* False: what it begins with is no sequence number of ours. */
bool ledger_line_sequence(const char *line, size_t line_bytes, int64_t *ret_sequence);
bool ledger_line_is_intact(uint64_t seed, uint64_t sequence, size_t payload_bytes,
			   const char *line, size_t line_bytes);

#endif
