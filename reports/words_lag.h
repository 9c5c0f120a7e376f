/*
 * words_lag.h - how replication lag, and the loss that a failover's own settings allow, read in words;
 * the same in every format. Nothing here escapes: names of replicas come from outside.
 */
#ifndef REPORTS_WORDS_LAG_H
#define REPORTS_WORDS_LAG_H

#include "reports/words.h"

const char *words_lag_bytes(int64_t bytes, char text[WORDS_BYTES]); /* "71.2 KiB"; "-": unknown */
/* How long ago the primary had written no more than that; "-" when no answer said. */
const char *words_lag_time(int64_t bytes, struct span behind, char text[WORDS_BYTES]);
/* How long nobody knew: "251 ms at most", "4.74 s at most (7 of 29 answers)",
   "it was the primary". */
const char *words_lag_unknown(const struct lag_worst *worst, char text[WORDS_BYTES]);

/* The window of this index, NULL when there are no more; those after a fault only when there was one. */
const struct lag_worst *words_lag_window(const struct story *story, const struct replica_lag *replica,
					 size_t index, const char **ret_when);

/* "db2 lacked 0 B before the fault, and 71.2 KiB when db1 last answered (+1.402 s)"; empty: nothing. */
void words_lag_moments(const struct story *story, const struct replica_lag *replica,
		       struct text *text);

/* The bound of the service that this ledger writes to; NULL: none is known. */
const struct loss_bound *words_bound_of(const struct story *story, const char *probe);
/* One sentence or two: what may be lost by the settings, and why. */
void words_bound(const struct loss_bound *bound, struct text *text);
/* The same, and what this ledger lost. Empty when no bound is known. */
void words_bound_beside_loss(const struct story *story, const struct ledger_result *ledger,
			     struct text *text);

#endif
