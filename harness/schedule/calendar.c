/*
 * calendar.c - see calendar.h: what is on at a moment.
 */
#include "schedule/calendar_parts.h"

#include <assert.h>

#include "base/clock.h"
#include "base/zone_rule.h"

struct date {
	int64_t year;
	int64_t month;
	int64_t day;
};

static struct date date_of(int64_t day)
{
	struct date date;

	zone_date_of_day(day, &date.year, &date.month, &date.day);
	return date;
}

static int64_t weekday_of(int64_t day)
{
	return ((day + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
}

/* Is the day in one of the periods that count: every second week, every year? */
static bool is_in_period(const struct calendar_event *event, int64_t day, const struct date *date)
{
	const struct date first = date_of(event->day);
	int64_t passed = 0;

	switch (event->repeat) {
	case REPEAT_NEVER:
		return false;
	case REPEAT_DAILY:
		passed = day - event->day;
		break;
	case REPEAT_WEEKLY: /* from Monday to Monday */
		passed = ((day - weekday_of(day)) - (event->day - weekday_of(event->day))) / 7;
		break;
	case REPEAT_MONTHLY:
		passed = (date->year - first.year) * 12 + date->month - first.month;
		break;
	case REPEAT_YEARLY:
		passed = date->year - first.year;
		break;
	}
	return passed % event->interval == 0;
}

static bool is_weekday(const struct calendar_event *event, int64_t day, const struct date *date)
{
	const int64_t next_month = date->month == 12 ?
					   zone_day_of_date(date->year + 1, 1, 1) :
					   zone_day_of_date(date->year, date->month + 1, 1);
	const int64_t from_begin = (date->day - 1) / 7 + 1;
	const int64_t from_end = (next_month - 1 - day) / 7 + 1;

	for (size_t i = 0; i < event->weekday_count; i++) {
		const struct calendar_weekday *wanted = &event->weekdays[i];

		if (wanted->weekday == weekday_of(day) &&
		    (wanted->week == 0 || wanted->week == from_begin || -wanted->week == from_end))
			return true;
	}
	return event->weekday_count == 0;
}

bool calendar_is_begin(const struct calendar_event *event, int64_t day)
{
	const struct date date = date_of(day);

	if (day < event->day)
		return false;
	for (size_t i = 0; i < event->except_count; i++)
		if (event->except_days[i] == day)
			return false;
	if (day == event->day)
		return true;
	return is_in_period(event, day, &date) && (event->months >> date.month & 1) != 0 &&
	       (event->month_days == 0 || (event->month_days >> date.day & 1) != 0) &&
	       is_weekday(event, day, &date);
}

int64_t calendar_begin_ns(const struct calendar_event *event, int64_t day)
{
	int64_t first_ns;
	int64_t second_ns;

	(void)zone_find(event->zone, day, event->second, &first_ns, &second_ns);
	return first_ns;
}

/* An end that the clocks show twice is the second one: rather too long than too short. */
static int64_t end_ns(const struct calendar_event *event, int64_t day)
{
	int64_t first_ns;
	int64_t second_ns;
	const enum zone_fit fit = zone_find(event->zone, day + event->span_days,
					    event->until_second, &first_ns, &second_ns);

	return fit == ZONE_TWICE ? second_ns : first_ns;
}

static bool is_on(const struct calendar_event *event, int64_t wall_ns)
{
	const int64_t today = zone_time_at(event->zone, wall_ns).day;
	int64_t day = event->day;
	int64_t last = event->day;

	if (event->repeat != REPEAT_NEVER) {
		day = today - event->span_days - 1 > day ? today - event->span_days - 1 : day;
		last = today + 1;
	}
	if (day < 0)
		day = 0; /* no moment that is asked for is before 1970 */
	if (last > ZONE_DAY_MAX - event->span_days)
		last = ZONE_DAY_MAX - event->span_days;
	for (; day <= last; day++) {
		if (!calendar_is_begin(event, day))
			continue;

		const int64_t begin_ns = calendar_begin_ns(event, day);

		if (begin_ns <= wall_ns && begin_ns <= event->until_wall_ns &&
		    wall_ns < end_ns(event, day))
			return true;
	}
	return false;
}

const struct calendar_event *calendar_event_at(const struct calendar *calendar, int64_t wall_ns)
{
	assert(wall_ns >= 0);

	for (size_t i = 0; i < calendar->event_count; i++)
		if (is_on(&calendar->events[i], wall_ns))
			return &calendar->events[i];
	return NULL;
}
