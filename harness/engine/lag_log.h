/*
 * lag_log.h - what primaries said of their replicas, into the journal; only the run thread calls this.
 *
 * Each append to the journal is durable, so single answers are gathered: an event for each primary and
 * every two seconds or so (lag_text.h has its form). A crash of ours loses no more than that.
 */
#ifndef ENGINE_LAG_LOG_H
#define ENGINE_LAG_LOG_H

#include "engine/journal.h"
#include "model/experiment.h"
#include "model/lag.h"

struct lag_log;

struct lag_log *lag_log_make(void);
void lag_log_release(struct lag_log *log);

void lag_log_add(struct lag_log *log, struct journal *journal, const struct probe_spec *spec,
		 const struct lag_look *look);
/* Appends what is still gathered. */
void lag_log_flush(struct lag_log *log, struct journal *journal);

#endif
