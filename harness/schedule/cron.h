/*
 * cron.h - the five fields of cron: from text, and the next moment. Pure.
 *
 * What it means is Vixie cron's (Debian's, with its care for summer time), and docs/schedule.md has the
 * table. It knows no seconds, no years and none of Quartz's letters (L, W, #, ?).
 */
#ifndef SCHEDULE_CRON_H
#define SCHEDULE_CRON_H

#include "base/err.h"
#include "model/schedule.h"

/*
 * "30 9 * * mon-fri", or "@weekly". False: *ret_offset_bytes is where in the text the mistake stands, and
 * e says what to write instead. A date that never comes (30 February) is a mistake, too.
 */
bool cron_parse(const char *text, struct cron *ret_cron, size_t *ret_offset_bytes, struct err *e);

/*
 * The first moment after after_ns, by the clocks of the zone. Where the hour and the minute are fixed,
 * a time that the clocks pass over when they are put forward comes in the moment after the gap, and one
 * that they show twice comes once, the first time. Where one of them begins with `*`, each real hour
 * counts: in a gap nothing comes, and in an hour that is shown twice it comes twice.
 *
 * False: none before 2200 (then there may never be one) or within the 41 years after after_ns: the
 * longest wait is 40 years, for a 29 February that is also a certain day of the week.
 */
bool cron_next(const struct cron *cron, const struct zone *zone, int64_t after_ns,
	       int64_t *ret_wall_ns);

#endif
