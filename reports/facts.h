/*
 * facts.h - look-ups in a story that more than one format needs. Nothing is measured here.
 */
#ifndef REPORTS_FACTS_H
#define REPORTS_FACTS_H

#include "model/story.h"

bool facts_has_fault(const struct story *story);
/* t = 0 of every table and picture: the fault was sent; without a fault, the start of the run. */
int64_t facts_zero_ns(const struct story *story);
int64_t facts_started_ns(const struct story *story);
int64_t facts_ended_ns(const struct story *story);
/* The hash that pins the whole run, also when only a printed report is left; NULL: none. */
const char *facts_head(const struct story *story);

/* The part of the run worth a picture: some baseline, all that went wrong, the quiet after it. */
struct span facts_window(const struct story *story);

const struct track *facts_track(const struct story *story, const char *probe);  /* or NULL */
const struct probe_spec *facts_spec(const struct story *story, const char *probe); /* or NULL */
/* How many lanes looked and how they were scheduled; NULL: the run did not get so far. */
const char *facts_lanes(const struct story *story);
int64_t facts_every_ns(const struct story *story, const char *probe);           /* 0: unknown */
const struct ledger_result *facts_ledger(const struct story *story, const char *probe);
/* The final read behind the count of a ledger that its verdict rests on; NULL: none. */
const struct ledger_read *facts_read(const struct story *story, const struct ledger_result *ledger);

/* How many rows of this slot were acknowledged and are now absent or damaged. */
uint64_t facts_lost_rows(const struct track *track, const struct ledger_read *read, uint64_t slot);

#endif
