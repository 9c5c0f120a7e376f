/*
 * schedule_alert.h - people are told of a run that was to take place and did not: what `schedule run` does when
 * its scheduler alerts.
 */
#ifndef CLI_SCHEDULE_ALERT_H
#define CLI_SCHEDULE_ALERT_H

#include "cli/cli.h"
#include "worker/scheduler.h"

/* By the rules of each one's inventory, as it is now. What cannot be told is said on stderr; what is not sent
   within seconds waits in the outbox. */
void schedule_alert(const struct arguments *arguments, const struct scheduler_alert *alerts,
		    size_t count);

#endif
