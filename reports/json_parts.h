/*
 * json_parts.h - what the JSON reports share. Only for reports/json*.c, suite_json.c, trials_json.c, kpi_json.c.
 */
#ifndef REPORTS_JSON_PARTS_H
#define REPORTS_JSON_PARTS_H

#include "base/json.h"
#include "model/story.h"

/* null when at_ns is 0. */
void put_moment(struct json *object, const char *key, const struct story *story, int64_t at_ns);
/* low_ns and high_ns; a bound that nobody knows is null. */
void put_bounds(struct json *object, const char *key, struct span latency);

/* A moment of the wall clock in UTC; null when it is 0. */
void put_wall(struct json *object, const char *key, int64_t wall_ns);
/* low_ns and high_ns; INT64_MAX, no upper bound, is null. */
void put_open_span(struct json *object, struct span span);
/* The "objectives" of a suite's drill or of a set of trials. */
void put_results(struct json *object, const struct objective_result *objectives, size_t count);

/* Replication lag, and the loss that the failover's own settings allow. */
void put_lags(struct json *root, const struct story *story);

/* What several machines saw. */
void put_vantage(struct json *root, const struct story *story);

#endif
