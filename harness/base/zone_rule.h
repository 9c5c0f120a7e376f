/*
 * zone_rule.h - the last line of a tzfile: the rule for all times after its table, as POSIX writes TZ
 * ("CET-1CEST,M3.5.0,M10.5.0/3"). Used by zone.c alone.
 */
#ifndef BASE_ZONE_RULE_H
#define BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

enum zone_day_kind { ZONE_DAY_WEEKDAY = 1, ZONE_DAY_JULIAN, ZONE_DAY_COUNT };

/* When a change happens, each year. */
struct zone_change {
	enum zone_day_kind kind;
	int32_t month;   /* ZONE_DAY_WEEKDAY: 1 to 12 */
	int32_t week;    /* 1 to 5; 5 is the last one */
	int32_t day;     /* of the week (0: Sunday), or of the year */
	int32_t at_s;    /* of that day, by the clock before the change; may be negative or beyond */
};

struct zone_rule {
	int32_t standard_s; /* ahead of UTC */
	int32_t summer_s;
	bool has_summer;
	struct zone_change begins;
	struct zone_change ends;
};

/* False: it is no such rule. */
bool zone_rule_parse(const char *text, struct zone_rule *ret_rule);
int32_t zone_rule_offset_s(const struct zone_rule *rule, int64_t unix_s);
/* The first change after unix_s; false: the rule has none. */
bool zone_rule_next_change_s(const struct zone_rule *rule, int64_t unix_s, int64_t *ret_s);

/* Days since 1970-01-01 of a date of the Gregorian calendar, and back. */
int64_t zone_day_of_date(int64_t year, int64_t month, int64_t day);
void zone_date_of_day(int64_t day, int64_t *ret_year, int64_t *ret_month, int64_t *ret_day);

#endif
