/*
 * calendar_parts.h - what the files behind calendar.h share: calendar.c (what is on), calendar_read.c
 * (lines and events), calendar_time.c (dates and durations), calendar_rule.c (RRULE).
 */
#ifndef SCHEDULE_CALENDAR_PARTS_H
#define SCHEDULE_CALENDAR_PARTS_H

#include "schedule/calendar.h"

enum { CALENDAR_DAY_S = 86400, CALENDAR_COUNT_MAX = 1000, CALENDAR_SPAN_MAX_DAYS = 366 };

/* A DATE or a DATE-TIME as it is written. */
struct calendar_time {
	bool is_date;
	const struct zone *zone;
	int64_t day;
	int32_t second;
};

/* "20261224", "20261224T090000", "20261224T090000Z". zone: of what has no Z. */
bool calendar_time_read(const char *text, const struct zone *zone, struct calendar_time *ret_time,
			struct err *e);
/* The same moment by the clocks of a zone; its day must be one of 1970 to 2199. */
void calendar_time_move(struct calendar_time *time, const struct zone *zone);
/* "P1D", "PT4H30M", "P2W": so much later. */
bool calendar_time_add(const char *duration, struct calendar_time *time, struct err *e);

/* RRULE's text into the event, whose day, second and zone are set. */
bool calendar_rule_read(const char *text, struct calendar_event *event, struct err *e);

/* Does the event begin on this day, and when? The day must be one of 1970 to 2199. */
bool calendar_is_begin(const struct calendar_event *event, int64_t day);
int64_t calendar_begin_ns(const struct calendar_event *event, int64_t day);

#endif
