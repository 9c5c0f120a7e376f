/*
 * policy.c - is a moment inside a window, or a frozen time? See policy.h.
 */
#include "model/policy.h"

enum { DAYS_OF_WEEK = 7 };

/* A window that reaches into the next day belongs to the day on which it began. */
bool policy_window_is_open(const struct policy_window *window, const struct zone_time *now)
{
	const uint32_t today = 1u << now->weekday;
	const uint32_t yesterday = 1u << ((now->weekday + DAYS_OF_WEEK - 1) % DAYS_OF_WEEK);
	const bool is_over_night = window->until_minute <= window->from_minute;

	if (!is_over_night)
		return (window->days & today) != 0 && now->minute >= window->from_minute &&
		       now->minute < window->until_minute;
	return ((window->days & today) != 0 && now->minute >= window->from_minute) ||
	       ((window->days & yesterday) != 0 && now->minute < window->until_minute);
}

bool policy_freeze_holds(const struct policy_freeze *freeze, const struct zone_time *now)
{
	return now->day >= freeze->from_day && now->day <= freeze->until_day;
}
