/*
 * settings_log.h - what the software that fails a service over was told, into the journal and back.
 *
 * EVENT_SETTINGS  name = the service, host = the member that told; from..until: when it was asked. data:
 *                 { "manager", "is_synchronous", "is_strict", "is_paused", "maximum_lag_bytes",
 *                   "ttl_ns", "loop_wait_ns", "retry_timeout_ns" }
 */
#ifndef ENGINE_SETTINGS_LOG_H
#define ENGINE_SETTINGS_LOG_H

#include "model/lag.h"
#include "model/timeline.h"

struct run;

/* Asks for each service that a ledger or a lag probe is on; before any harm. What cannot be read is a
   note, never the end of the run. */
void settings_log_read(struct run *run);

/* False when the event does not say. */
bool settings_log_parse(const struct event *event, struct failover_settings *ret_settings);

#endif
