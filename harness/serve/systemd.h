/*
 * systemd.h - tells the service manager how we are, over the datagram socket it names in the
 * environment (sd_notify(3)). Without one nothing is told. Not for threads.
 */
#ifndef SERVE_SYSTEMD_H
#define SERVE_SYSTEMD_H

#include <stdint.h>

#include "base/err.h"

/* "READY=1", "STOPPING=1\nSTATUS=..." False: there is a manager, and it was not reached. */
bool systemd_tell(const char *state, struct err *e);
/* How often it wants a sign of life, from WATCHDOG_USEC; 0: not at all. */
int64_t systemd_watchdog_ns(void);

#endif
