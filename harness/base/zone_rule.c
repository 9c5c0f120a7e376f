/*
 * zone_rule.c - see zone_rule.h. Dates by Howard Hinnant's arithmetic on years that begin in March.
 */
#include "base/zone_rule.h"

#include <assert.h>
#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { DAY_S = 86400, CHANGE_AT_DEFAULT_S = 2 * 3600, HOURS_MAX = 167 };

int64_t zone_day_of_date(int64_t year, int64_t month, int64_t day)
{
	const int64_t shifted = month <= 2 ? year - 1 : year;
	const int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
	const int64_t year_of_era = shifted - era * 400;
	const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	const int64_t day_of_era =
		year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

void zone_date_of_day(int64_t day, int64_t *ret_year, int64_t *ret_month, int64_t *ret_day)
{
	const int64_t shifted = day + 719468;
	const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	const int64_t day_of_era = shifted - era * 146097;
	const int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	const int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	const int64_t from_march = (5 * day_of_year + 2) / 153;

	*ret_day = day_of_year - (153 * from_march + 2) / 5 + 1;
	*ret_month = from_march + (from_march < 10 ? 3 : -9);
	*ret_year = year_of_era + era * 400 + (*ret_month <= 2 ? 1 : 0);
}

/* ---- reading; each takes what it knows from *at and moves it on ---- */

static bool take_number(const char **at, int32_t max, int32_t *ret_number)
{
	int32_t number = 0;

	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at); (*at)++) {
		number = number * 10 + (**at - '0');
		if (number > max)
			return false;
	}
	*ret_number = number;
	return true;
}

/* "CEST" or "<+03>". */
static bool take_name(const char **at)
{
	const bool is_quoted = **at == '<';
	const char *begin = *at + (is_quoted ? 1 : 0);
	const char *end = begin;

	while (isalpha((unsigned char)*end) ||
	       (is_quoted && (isdigit((unsigned char)*end) || *end == '+' || *end == '-')))
		end++;
	if (end - begin < 3 || (is_quoted && *end != '>'))
		return false;
	*at = end + (is_quoted ? 1 : 0);
	return true;
}

/* "[+-]hh[:mm[:ss]]" */
static bool take_time(const char **at, int32_t *ret_s)
{
	const int32_t sign = **at == '-' ? -1 : 1;
	int32_t parts[3] = { 0, 0, 0 };

	if (**at == '-' || **at == '+')
		(*at)++;
	if (!take_number(at, HOURS_MAX, &parts[0]))
		return false;
	for (size_t i = 1; i < 3 && **at == ':'; i++) {
		(*at)++;
		if (!take_number(at, 59, &parts[i]))
			return false;
	}
	*ret_s = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
	return true;
}

/* ",M3.5.0/2", ",J60" or ",59" */
static bool take_change(const char **at, struct zone_change *change)
{
	bool ok;

	if (**at != ',')
		return false;
	(*at)++;
	change->at_s = CHANGE_AT_DEFAULT_S;
	if (**at == 'M') {
		(*at)++;
		change->kind = ZONE_DAY_WEEKDAY;
		ok = take_number(at, 12, &change->month) && change->month > 0 && *(*at)++ == '.' &&
		     take_number(at, 5, &change->week) && change->week > 0 && *(*at)++ == '.' &&
		     take_number(at, 6, &change->day);
	} else if (**at == 'J') {
		(*at)++;
		change->kind = ZONE_DAY_JULIAN;
		ok = take_number(at, 365, &change->day) && change->day > 0;
	} else {
		change->kind = ZONE_DAY_COUNT;
		ok = take_number(at, 365, &change->day);
	}
	if (!ok || **at != '/')
		return ok;
	(*at)++;
	return take_time(at, &change->at_s);
}

bool zone_rule_parse(const char *text, struct zone_rule *ret_rule)
{
	struct zone_rule rule = { 0 };
	const char *at = text;
	int32_t behind_s = 0; /* POSIX counts what is west of Greenwich */

	if (!take_name(&at) || !take_time(&at, &behind_s))
		return false;
	rule.standard_s = -behind_s;
	if (*at != '\0') {
		rule.has_summer = true;
		if (!take_name(&at))
			return false;
		rule.summer_s = rule.standard_s + 3600;
		if (*at != ',') {
			if (!take_time(&at, &behind_s))
				return false;
			rule.summer_s = -behind_s;
		}
		if (!take_change(&at, &rule.begins) || !take_change(&at, &rule.ends) || *at != '\0')
			return false;
	}
	*ret_rule = rule;
	return true;
}

/* ---- what holds when ---- */

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t floor_days(int64_t seconds)
{
	return (seconds >= 0 ? seconds : seconds - (DAY_S - 1)) / DAY_S;
}

/* By the clock of the place, in seconds since 1970. */
static int64_t change_at_s(const struct zone_change *change, int64_t year)
{
	const int64_t new_year = zone_day_of_date(year, 1, 1);
	int64_t day = 0;

	switch (change->kind) {
	case ZONE_DAY_WEEKDAY: {
		const int64_t first = zone_day_of_date(year, change->month, 1);
		const int64_t next = change->month == 12 ? zone_day_of_date(year + 1, 1, 1) :
							   zone_day_of_date(year, change->month + 1, 1);
		const int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */

		day = first + (change->day - weekday + 7) % 7 + (change->week - 1) * 7;
		while (day >= next)
			day -= 7;
		break;
	}
	case ZONE_DAY_JULIAN: /* February 29 is never counted */
		day = new_year + change->day - 1 + (is_leap(year) && change->day > 59 ? 1 : 0);
		break;
	case ZONE_DAY_COUNT:
		day = new_year + change->day;
		break;
	}
	return day * DAY_S + change->at_s;
}

int32_t zone_rule_offset_s(const struct zone_rule *rule, int64_t unix_s)
{
	int64_t year;
	int64_t month;
	int64_t day;

	if (!rule->has_summer)
		return rule->standard_s;
	zone_date_of_day(floor_days(unix_s + rule->standard_s), &year, &month, &day);

	const int64_t begins_s = change_at_s(&rule->begins, year) - rule->standard_s;
	const int64_t ends_s = change_at_s(&rule->ends, year) - rule->summer_s;
	const bool is_summer = begins_s < ends_s ? unix_s >= begins_s && unix_s < ends_s :
						   unix_s >= begins_s || unix_s < ends_s;

	assert(rule->begins.kind != 0 && rule->ends.kind != 0);
	return is_summer ? rule->summer_s : rule->standard_s;
}

bool zone_rule_next_change_s(const struct zone_rule *rule, int64_t unix_s, int64_t *ret_s)
{
	int64_t next_s = INT64_MAX;
	int64_t year;
	int64_t month;
	int64_t day;

	if (!rule->has_summer)
		return false;
	zone_date_of_day(floor_days(unix_s + rule->standard_s), &year, &month, &day);
	/* A change that is written as hours before or after its day may fall into another year. */
	for (int64_t near = year - 1; near <= year + 2; near++) {
		const int64_t begins_s = change_at_s(&rule->begins, near) - rule->standard_s;
		const int64_t ends_s = change_at_s(&rule->ends, near) - rule->summer_s;

		if (begins_s > unix_s && begins_s < next_s)
			next_s = begins_s;
		if (ends_s > unix_s && ends_s < next_s)
			next_s = ends_s;
	}
	assert(next_s != INT64_MAX);
	*ret_s = next_s;
	return true;
}
