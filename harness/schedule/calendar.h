/*
 * calendar.h - iCalendar files (RFC 5545) as calendars of frozen times: from text, and what is on at a
 * moment. Pure.
 *
 * Every VEVENT freezes from its DTSTART until just before its DTEND, also one that is marked TRANSPARENT
 * (holidays are); one with STATUS:CANCELLED does not. What it cannot understand it refuses: a time that
 * is not frozen by mistake is worse than a file that must be mended. Zones are those of this machine by
 * their TZID; VTIMEZONE, VALARM and every other component are passed over.
 */
#ifndef SCHEDULE_CALENDAR_H
#define SCHEDULE_CALENDAR_H

#include "base/err.h"
#include "base/mem.h"
#include "model/schedule.h"

enum { CALENDAR_EVENTS_MAX = 2000 };

struct calendar_source {
	const char *name;
	const char *bytes;
	size_t length_bytes;
	const struct zone *zone; /* of dates, and of times that have none of their own */
};

/* Called for each mistake: the line of the file, and a sentence without a full stop. */
typedef void (*calendar_complaint)(void *ctx, uint32_t line, const char *sentence);

/* False: there was a complaint. */
bool calendar_read(const struct calendar_source *source, struct arena *arena,
		   calendar_complaint complain, void *ctx, struct calendar *ret_calendar);

/* The event that is on at this moment, or NULL. */
const struct calendar_event *calendar_event_at(const struct calendar *calendar, int64_t wall_ns);

#endif
