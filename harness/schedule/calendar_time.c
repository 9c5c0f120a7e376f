/*
 * calendar_time.c - dates, times and durations as iCalendar writes them; see calendar_parts.h.
 */
#include "schedule/calendar_parts.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/zone_rule.h"

enum { YEAR_MIN = 1583, YEAR_MAX = 2199, DURATION_MAX = 100000 };

static bool is_digits(const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!isdigit((unsigned char)text[i]))
			return false;
	return true;
}

static int64_t number_of(const char *text, size_t count)
{
	int64_t number = 0;

	for (size_t i = 0; i < count; i++)
		number = number * 10 + (text[i] - '0');
	return number;
}

static bool read_date(const char *text, int64_t *ret_day)
{
	const int64_t year = number_of(text, 4);
	const int64_t month = number_of(text + 4, 2);
	const int64_t day = number_of(text + 6, 2);
	int64_t again_year;
	int64_t again_month;
	int64_t again_day;

	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12)
		return false;
	*ret_day = zone_day_of_date(year, month, day);
	/* February 30 is found by taking it apart again. */
	zone_date_of_day(*ret_day, &again_year, &again_month, &again_day);
	return day == again_day && month == again_month;
}

bool calendar_time_read(const char *text, const struct zone *zone, struct calendar_time *ret_time,
			struct err *e)
{
	const size_t length = strlen(text);
	const bool is_date = length == 8;
	const bool is_utc = length == 16 && text[15] == 'Z';
	bool ok = (is_date || length == 15 || is_utc) && is_digits(text, 8);
	int64_t day = 0;
	int64_t second = 0;

	ok = ok && read_date(text, &day);
	if (ok && !is_date) {
		ok = text[8] == 'T' && is_digits(text + 9, 6);
		/* 60 is a leap second, which our clocks do not have. */
		ok = ok && number_of(text + 9, 2) < 24 && number_of(text + 11, 2) < 60 &&
		     number_of(text + 13, 2) <= 60;
		if (ok)
			second = number_of(text + 9, 2) * 3600 + number_of(text + 11, 2) * 60 +
				 number_of(text + 13, 2);
	}
	if (ok && is_utc)
		ok = zone_load("UTC", NULL, &zone, e);
	if (!ok)
		return err_set(e, ERR_INPUT, "`%.40s` is no date (`20261224`) and no time "
			       "(`20261224T090000`, with a `Z` for UTC) from %d to %d", text, YEAR_MIN,
			       YEAR_MAX);
	*ret_time = (struct calendar_time){ is_date, zone, day, (int32_t)second };
	return true;
}

void calendar_time_move(struct calendar_time *time, const struct zone *zone)
{
	int64_t first_ns;
	int64_t second_ns;

	if (time->zone == zone)
		return;
	(void)zone_find(time->zone, time->day, time->second, &first_ns, &second_ns);

	const struct zone_time shown = zone_time_at(zone, first_ns);
	const int64_t shown_s = first_ns / NS_PER_S + shown.offset_s;

	time->zone = zone;
	time->day = shown.day;
	time->second = (int32_t)(shown_s - shown.day * CALENDAR_DAY_S);
}

/* "30M" of a part of a duration; 0 when the letter does not come next. False: it is no number. */
static bool take_part(const char **at, char letter, int64_t *ret_number)
{
	const size_t digits = strspn(*at, "0123456789");

	*ret_number = 0;
	if (digits == 0 || (*at)[digits] != letter)
		return true;
	if (digits > 6 || number_of(*at, digits) > DURATION_MAX)
		return false;
	*ret_number = number_of(*at, digits);
	*at += digits + 1;
	return true;
}

bool calendar_time_add(const char *duration, struct calendar_time *time, struct err *e)
{
	const char *at = duration[0] == '+' ? duration + 1 : duration;
	const char *begin = at + 1;
	int64_t weeks = 0;
	int64_t days = 0;
	int64_t hours = 0;
	int64_t minutes = 0;
	int64_t seconds = 0;
	bool ok = *at == 'P';

	at += ok ? 1 : 0;
	ok = ok && take_part(&at, 'W', &weeks) && take_part(&at, 'D', &days);
	if (ok && *at == 'T') {
		at++;
		begin = at;
		ok = take_part(&at, 'H', &hours) && take_part(&at, 'M', &minutes) &&
		     take_part(&at, 'S', &seconds);
	}
	if (!ok || *at != '\0' || at == begin)
		return err_set(e, ERR_INPUT, "`%.40s` is no duration; write one such as `P1D` or "
			       "`PT4H30M`", duration);

	const int64_t second = time->second + hours * 3600 + minutes * 60 + seconds;

	time->day += weeks * 7 + days + second / CALENDAR_DAY_S;
	time->second = (int32_t)(second % CALENDAR_DAY_S);
	return true;
}
