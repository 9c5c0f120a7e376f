/*
 * cron.c - see cron.h: the search for the next moment. Reading is cron_parse.c's.
 *
 * It goes from one change of the clocks to the next. Between two of them the clocks are so many seconds
 * ahead of UTC, so a minute that they show is found by arithmetic.
 */
#include "schedule/cron.h"

#include <assert.h>

#include "base/clock.h"
#include "base/zone_rule.h"

enum { DAY_MINUTES = 24 * 60, DAY_S = DAY_MINUTES * 60, SEARCH_DAYS = 41 * 366, AROUND_DAYS = 2 };

static int64_t round_up(int64_t number, int64_t by)
{
	return number > 0 ? (number + by - 1) / by : -(-number / by);
}

static bool is_minute(const struct cron *cron, int64_t minute)
{
	return (cron->hours >> (minute / 60) & 1) != 0 && (cron->minutes >> (minute % 60) & 1) != 0;
}

static bool is_date(const struct cron *cron, int64_t day)
{
	int64_t year;
	int64_t month;
	int64_t day_of_month;

	zone_date_of_day(day, &year, &month, &day_of_month);

	const int64_t weekday = ((day + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
	const bool is_day = (cron->days >> day_of_month & 1) != 0;
	const bool is_weekday = (cron->weekdays >> weekday & 1) != 0;

	return (cron->months >> month & 1) != 0 &&
	       (cron->needs_both ? is_day && is_weekday : is_day || is_weekday);
}

/* The first minute that is meant and that begins in [low_s, high_s), all as clocks show it. */
static bool find_minute(const struct cron *cron, int64_t low_s, int64_t high_s, int64_t *ret_s)
{
	const int64_t end = round_up(high_s, 60);
	int64_t minute = round_up(low_s, 60);

	while (minute < end) {
		const int64_t day = round_up(minute + 1, DAY_MINUTES) - 1;
		const int64_t midnight = (day + 1) * DAY_MINUTES;

		if (!is_date(cron, day))
			minute = midnight;
		for (; minute < midnight && minute < end; minute++)
			if (is_minute(cron, minute - day * DAY_MINUTES)) {
				*ret_s = minute * 60;
				return true;
			}
	}
	return false;
}

bool cron_next(const struct cron *cron, const struct zone *zone, int64_t after_ns,
	       int64_t *ret_wall_ns)
{
	const int64_t from_s = after_ns / NS_PER_S + 1;
	const int64_t time_end_s = (ZONE_DAY_MAX + INT64_C(1)) * DAY_S;
	const int64_t search_end_s = from_s + INT64_C(1) * SEARCH_DAYS * DAY_S;
	const int64_t last_s = search_end_s < time_end_s ? search_end_s : time_end_s;
	/* What the clocks show at from_s they may have shown before: so begin before. */
	int64_t begin_s = from_s - AROUND_DAYS * DAY_S;
	int32_t before_s = zone_time_at(zone, begin_s * NS_PER_S).offset_s;

	assert(after_ns >= 0);
	assert(cron->minutes != 0 && cron->hours != 0 && cron->months != 0);

	while (begin_s < last_s) {
		const int32_t offset_s = zone_time_at(zone, begin_s * NS_PER_S).offset_s;
		int64_t low_s = (begin_s > from_s ? begin_s : from_s) + offset_s;
		int64_t end_ns;
		int64_t found_s;

		const bool is_set_again = zone_next_change(zone, begin_s * NS_PER_S, &end_ns) &&
					  end_ns / NS_PER_S < last_s;
		const int64_t end_s = is_set_again ? end_ns / NS_PER_S : last_s;

		/* What was passed over when they were put forward, and what is shown a second time. */
		if (!cron->is_each_hour && begin_s >= from_s &&
		    find_minute(cron, begin_s + before_s, begin_s + offset_s, &found_s)) {
			*ret_wall_ns = begin_s * NS_PER_S;
			return true;
		}
		if (!cron->is_each_hour && low_s < begin_s + before_s)
			low_s = begin_s + before_s;
		if (find_minute(cron, low_s, end_s + offset_s, &found_s)) {
			*ret_wall_ns = (found_s - offset_s) * NS_PER_S;
			return true;
		}
		before_s = offset_s;
		begin_s = end_s;
	}
	return false;
}
