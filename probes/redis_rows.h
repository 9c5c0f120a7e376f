/*
 * redis_rows.h - the rows of a ledger in Redis, read back or removed piece by piece.
 */
#ifndef PROBES_REDIS_ROWS_H
#define PROBES_REDIS_ROWS_H

#include "probes/links.h"
#include "probes/probe.h"

struct redis_rows {
	struct links *links;
	const char *key; /* of the list, or what the keys begin with */
	bool is_list;
	size_t payload_bytes;
	uint64_t seed;
};

/* One connection, to its end: after a break in the middle nobody knows what the next one holds. */
bool redis_rows_read(const struct redis_rows *rows, const struct clock *clock, int64_t deadline_ns,
		     const struct row_sink *sink, struct err *e);
bool redis_rows_remove(const struct redis_rows *rows, const struct clock *clock,
		       int64_t deadline_ns, struct err *e); /* repeatable */

#endif
