/*
 * schedule_parts.h - what schedule.c (one schedule) and plan_file.c (a file of them) share.
 */
#ifndef LOAD_SCHEDULE_PARTS_H
#define LOAD_SCHEDULE_PARTS_H

#include "load/times.h"

/* The rows that every schedule has. */
#define SCHEDULE_PARAMS                                                                           \
	{ "cron", PARAM_TEXT, .help = "five fields, or `@weekly`; see docs/schedule.md" },        \
	{ "zone", PARAM_TEXT, .help = "time zone; else the plan file's, else UTC" },              \
	{ "not_after", PARAM_TEXT, .help = "time of day: on its day it begins no later, `HH:MM`" }, \
	{ "jitter", PARAM_DURATION, .min = NS_PER_S, .max = SCHEDULE_DAY_NS,                      \
	  .help = "begins up to this much later, the same on every machine" },                    \
	{ "missed", PARAM_TEXT, .fallback = "skip",                                               \
	  .help = "nobody was there in time: `skip`, `alert`, or `run within 2h`" },              \
	{ "overlap", PARAM_CHOICE, .choices = "skip|wait", .fallback = "skip",                    \
	  .help = "its own run before it is still under way: skip this one, or let it wait" },    \
	{ "calendars", PARAM_LIST, .help = "iCalendar files: nothing runs while an event is on" },  \
	{ "labels", PARAM_LIST, .help = "a worker must have them all, such as `site=eu-west`" }

#define SCHEDULE_PARTS                                                                            \
	{ "random", PART_FORM, .form = &form_random,                                              \
	  .help = "instead of cron: once a day at a moment by chance" },                          \
	{ "freeze", PART_FORM_LIST, .form = &form_freeze, .help = "days on which nothing runs" }

#define SCHEDULE_DAY_NS (INT64_C(24) * 3600 * NS_PER_S)

extern const struct form form_random;

/* What a plan file says for all of its schedules; of an experiment's own there is nothing but UTC. */
struct schedule_frame {
	struct param_value zone;
	const struct policy_freeze *freezes;
	size_t freeze_count;
	struct param_value calendars;
};

extern const struct schedule_frame schedule_frame_none;

/* Everything but the name and the experiments. */
void schedule_times_build(struct loader *loader, const struct node *node,
			  const struct params *values, const struct schedule_frame *frame,
			  struct schedule *schedule);

/* What runs: an experiment that was loaded. */
struct scheduled_experiment schedule_experiment(const struct experiment *experiment);

#endif
