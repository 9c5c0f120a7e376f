/*
 * metric.h - numbers for Prometheus: its text format, version 0.0.4, one family after the other. Pure.
 */
#ifndef SERVE_METRIC_H
#define SERVE_METRIC_H

#include <stdbool.h>

#include "serve/history.h"

#define METRIC_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metric_facts {
	const char *version;
	bool is_store_up;
	const struct history *history; /* empty when the store is not up */
	int64_t waiting_count; /* of messages; -1: they cannot be counted */
	int64_t dead_count;
};

enum metric_unit { METRIC_COUNT = 1, METRIC_SECONDS };

/* One family: its name ends in its unit, and what it says is in `help`. One of the three functions is set. */
struct metric {
	const char *name;
	enum metric_unit unit;
	const char *help;
	void (*write)(const struct metric *metric, const struct metric_facts *facts,
		      struct text *text);
	/* The number of one scenario that was tried: a count, or nanoseconds. False: it has none. */
	bool (*of_scenario)(const struct kpi_scenario *scenario, int64_t *ret_number);
	bool names_run; /* of_scenario: with the id of its last run, where other tools have an exemplar */
	/* The same of one schedule; now_wall_ns: by the clock of leases. */
	bool (*of_schedule)(const struct due_sum *sum, int64_t now_wall_ns, int64_t *ret_number);
};

const struct metric *metric_table(size_t *ret_count);
void metric_write_all(const struct metric_facts *facts, struct text *text);

struct metric_label {
	const char *name;
	const char *value;
};

enum { METRIC_LABELS = 5 };

/* One line; labels end with one without a name. Any text may be a value. number: of its unit, or ns. */
void metric_line(const struct metric *metric, const struct metric_label *labels, int64_t number,
		 struct text *text);

#endif
