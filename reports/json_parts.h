/*
 * json_parts.h - what the files of the JSON report share. Only for reports/json*.c.
 */
#ifndef REPORTS_JSON_PARTS_H
#define REPORTS_JSON_PARTS_H

#include "base/json.h"
#include "model/story.h"

/* null when at_ns is 0. */
void put_moment(struct json *object, const char *key, const struct story *story, int64_t at_ns);
/* low_ns and high_ns; a bound that nobody knows is null. */
void put_bounds(struct json *object, const char *key, struct span latency);

/* Replication lag, and the loss that the failover's own settings allow. */
void put_lags(struct json *root, const struct story *story);

/* What several machines saw. */
void put_vantage(struct json *root, const struct story *story);

#endif
