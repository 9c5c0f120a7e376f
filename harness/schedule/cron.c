/*
 * cron.c - see cron.h: the search for the next moment. Reading is cron_parse.c's.
 */
#include "schedule/cron.h"

#include <assert.h>

#include "base/clock.h"
#include "base/zone_rule.h"

enum {
	DAY_MINUTES = 24 * 60,
	SEARCH_DAYS = 41 * 366,
	/* A day may be looked for that far from where the calendar has it: Apia once left out a whole one. */
	AROUND_DAYS = 2,
	OFFSET_ROOM_S = 27 * 3600,
};

struct search {
	const struct cron *cron;
	const struct zone *zone;
	int64_t after_ns;
	int64_t best_ns; /* INT64_MAX: nothing found yet */
};

static bool is_minute(const struct cron *cron, int32_t minute)
{
	return (cron->hours >> (minute / 60) & 1) != 0 && (cron->minutes >> (minute % 60) & 1) != 0;
}

static bool is_date(const struct cron *cron, int64_t day)
{
	int64_t year;
	int64_t month;
	int64_t day_of_month;

	zone_date_of_day(day, &year, &month, &day_of_month);

	const int64_t weekday = (day + 3) % 7; /* 1970-01-01 was a Thursday */
	const bool is_day = (cron->days >> day_of_month & 1) != 0;
	const bool is_weekday = (cron->weekdays >> weekday & 1) != 0;

	return (cron->months >> month & 1) != 0 &&
	       (cron->needs_both ? is_day && is_weekday : is_day || is_weekday);
}

static void offer(struct search *search, int64_t wall_ns)
{
	if (wall_ns > search->after_ns && wall_ns < search->best_ns)
		search->best_ns = wall_ns;
}

/* A day on which the clocks are set: each of its minutes may come once, twice or never. */
static void offer_odd_day(struct search *search, int64_t day)
{
	for (int32_t minute = 0; minute < DAY_MINUTES; minute++) {
		int64_t first_ns;
		int64_t second_ns;

		if (!is_minute(search->cron, minute))
			continue;
		switch (zone_find(search->zone, day, minute * 60, &first_ns, &second_ns)) {
		case ZONE_ONCE:
			offer(search, first_ns);
			break;
		case ZONE_TWICE:
			offer(search, first_ns);
			if (search->cron->is_each_hour)
				offer(search, second_ns);
			break;
		case ZONE_NEVER:
			if (!search->cron->is_each_hour)
				offer(search, first_ns);
			break;
		}
	}
}

static void offer_day(struct search *search, int64_t day)
{
	const int64_t early_ns = (day * DAY_MINUTES * 60 - OFFSET_ROOM_S) * NS_PER_S;
	const int64_t late_ns = ((day + 1) * DAY_MINUTES * 60 + OFFSET_ROOM_S) * NS_PER_S;
	int64_t change_ns;

	if (zone_next_change(search->zone, early_ns, &change_ns) && change_ns <= late_ns) {
		offer_odd_day(search, day);
		return;
	}

	const int32_t offset_s = zone_time_at(search->zone, early_ns).offset_s;
	const int64_t midnight_ns = (day * DAY_MINUTES * 60 - offset_s) * NS_PER_S;
	const int64_t passed_ns = search->after_ns - midnight_ns;
	int64_t minute = passed_ns < 0 ? 0 : passed_ns / (60 * NS_PER_S) + 1;

	while (minute < DAY_MINUTES && !is_minute(search->cron, (int32_t)minute))
		minute++;
	if (minute < DAY_MINUTES)
		offer(search, midnight_ns + minute * 60 * NS_PER_S);
}

bool cron_next(const struct cron *cron, const struct zone *zone, int64_t after_ns,
	       int64_t *ret_wall_ns)
{
	struct search search = { cron, zone, after_ns, INT64_MAX };
	const int64_t today = zone_time_at(zone, after_ns).day;
	int64_t last = today + SEARCH_DAYS < ZONE_DAY_MAX ? today + SEARCH_DAYS : ZONE_DAY_MAX;
	bool is_found = false;

	assert(cron->minutes != 0 && cron->hours != 0 && cron->months != 0);

	for (int64_t day = today > AROUND_DAYS ? today - AROUND_DAYS : 0; day <= last; day++) {
		if (is_date(cron, day))
			offer_day(&search, day);
		/* Where clocks are put back over midnight, the next day has begun before this one ends. */
		if (!is_found && search.best_ns != INT64_MAX) {
			is_found = true;
			last = day + AROUND_DAYS < last ? day + AROUND_DAYS : last;
		}
	}
	if (is_found)
		*ret_wall_ns = search.best_ns;
	return is_found;
}
