/*
 * schedule_json.h - schedules and their occurrences for programs. docs/schema-schedule.json and
 * docs/schema-schedule-past.json describe them.
 */
#ifndef CLI_SCHEDULE_JSON_H
#define CLI_SCHEDULE_JSON_H

#include "schedule/schedule.h"
#include "store/store_dues.h"

struct coming {
	const struct schedule *schedule;
	const struct occurrence *occurrence;
};

struct schedule_listing {
	const struct schedule_list *schedules;
	const struct pause_row *pauses; /* of the store, also of schedules that are not among these */
	size_t pause_count;
	const struct coming *coming; /* in the order of time */
	size_t coming_count;
};

/* Where a chaos day begins; NULL: it is none, or does not run. */
const struct scheduled_experiment *coming_first(const struct coming *coming);
bool schedule_lists(const struct schedule_list *schedules, const char *name);

/* On standard output. */
void schedule_print_json(const struct schedule_listing *listing);
void schedule_print_past_json(const struct due_row *rows, size_t count);

#endif
