/*
 * calendar_rule.c - RRULE: when an event comes again; see calendar_parts.h. The parts that calendars of
 * holidays and of meetings use; any other is refused.
 */
#include "schedule/calendar_parts.h"

#include <assert.h>
#include <string.h>

#include "base/zone_rule.h"

enum { INTERVAL_MAX = 1000, VALUE_BYTES = 200, ALL_MONTHS = 0x1ffe };

struct rule {
	struct calendar_event *event;
	int64_t count;          /* 0: none */
	struct calendar_time until;
	bool has_until;
	bool has_ordinals;      /* BYDAY=2MO */
	bool has_other_monday;  /* WKST is not Monday */
};

/* A whole number of at most four digits between the bounds. */
static bool read_number(const char *text, size_t bytes, int64_t low, int64_t high,
			int64_t *ret_number)
{
	const bool is_negative = bytes > 0 && text[0] == '-';
	const size_t sign_bytes = is_negative || (bytes > 0 && text[0] == '+') ? 1 : 0;
	int64_t number = 0;

	if (bytes == sign_bytes || bytes > sign_bytes + 4)
		return false;
	for (size_t i = sign_bytes; i < bytes; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (text[i] - '0');
	}
	*ret_number = is_negative ? -number : number;
	return *ret_number >= low && *ret_number <= high;
}

static bool read_frequency(struct rule *rule, const char *value, struct err *e)
{
	static const struct {
		const char *name;
		enum calendar_repeat repeat;
	} rows[] = {
		{ "DAILY", REPEAT_DAILY },
		{ "WEEKLY", REPEAT_WEEKLY },
		{ "MONTHLY", REPEAT_MONTHLY },
		{ "YEARLY", REPEAT_YEARLY },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcasecmp(rows[i].name, value) == 0) {
			rule->event->repeat = rows[i].repeat;
			return true;
		}
	return err_set(e, ERR_INPUT, "`FREQ=%.40s` is not taken; DAILY, WEEKLY, MONTHLY and YEARLY are",
		       value);
}

static bool read_interval(struct rule *rule, const char *value, struct err *e)
{
	return read_number(value, strlen(value), 1, INTERVAL_MAX, &rule->event->interval) ||
	       err_set(e, ERR_INPUT, "`INTERVAL=%.40s` is no number from 1 to %d", value, INTERVAL_MAX);
}

static bool read_count(struct rule *rule, const char *value, struct err *e)
{
	return read_number(value, strlen(value), 1, CALENDAR_COUNT_MAX, &rule->count) ||
	       err_set(e, ERR_INPUT, "`COUNT=%.40s` is no number from 1 to %d", value,
		       CALENDAR_COUNT_MAX);
}

static bool read_until(struct rule *rule, const char *value, struct err *e)
{
	rule->has_until = calendar_time_read(value, rule->event->zone, &rule->until, e);
	return rule->has_until || err_wrap(e, "`UNTIL`");
}

/* "1,15" into bits. */
static bool read_bits(const char *name, const char *value, int64_t high, uint32_t *ret_bits,
		      struct err *e)
{
	*ret_bits = 0;
	for (const char *at = value;; at++) {
		const size_t bytes = strcspn(at, ",");
		int64_t number;

		if (!read_number(at, bytes, 1, high, &number))
			return err_set(e, ERR_INPUT, "`%s=%.40s` is not taken; numbers from 1 to %d are",
				       name, value, (int)high);
		*ret_bits |= 1u << number;
		at += bytes;
		if (*at == '\0')
			return true;
	}
}

static bool read_months(struct rule *rule, const char *value, struct err *e)
{
	return read_bits("BYMONTH", value, 12, &rule->event->months, e);
}

static bool read_month_days(struct rule *rule, const char *value, struct err *e)
{
	return read_bits("BYMONTHDAY", value, 31, &rule->event->month_days, e);
}

/* 0: Monday; -1: none */
static int find_weekday(const char *text)
{
	static const char names[] = "MOTUWETHFRSASU";

	for (int i = 0; i < 7; i++)
		if (strncasecmp(names + 2 * i, text, 2) == 0)
			return i;
	return -1;
}

static bool read_weekdays(struct rule *rule, const char *value, struct err *e)
{
	struct calendar_event *event = rule->event;

	for (const char *at = value;; at++) {
		const size_t bytes = strcspn(at, ",");
		const int weekday = bytes >= 2 ? find_weekday(at + bytes - 2) : -1;
		int64_t week = 0;

		if (weekday == -1 || event->weekday_count == CALENDAR_WEEKDAYS_MAX ||
		    (bytes > 2 && (!read_number(at, bytes - 2, -5, 5, &week) || week == 0)))
			return err_set(e, ERR_INPUT, "`BYDAY=%.40s` is not taken; up to %d of MO, TU, WE, "
				       "TH, FR, SA and SU are, each with -5 to 5 before it", value,
				       CALENDAR_WEEKDAYS_MAX);
		rule->has_ordinals = rule->has_ordinals || week != 0;
		event->weekdays[event->weekday_count++] =
			(struct calendar_weekday){ (int32_t)week, (int32_t)weekday };
		at += bytes;
		if (*at == '\0')
			return true;
	}
}

static bool read_week_start(struct rule *rule, const char *value, struct err *e)
{
	const int weekday = strlen(value) == 2 ? find_weekday(value) : -1;

	rule->has_other_monday = weekday != 0;
	return weekday != -1 || err_set(e, ERR_INPUT, "`WKST=%.40s` is no day", value);
}

static const struct rule_row {
	const char *name;
	bool (*read)(struct rule *rule, const char *value, struct err *e);
} rule_rows[] = {
	{ "FREQ", read_frequency },        { "INTERVAL", read_interval },
	{ "COUNT", read_count },           { "UNTIL", read_until },
	{ "BYMONTH", read_months },        { "BYMONTHDAY", read_month_days },
	{ "BYDAY", read_weekdays },        { "WKST", read_week_start },
};

enum { RULE_ROWS = sizeof rule_rows / sizeof rule_rows[0] };

/* One NAME=VALUE. is_seen has one flag for each row: nothing may be said twice. */
static bool read_part(struct rule *rule, const char *at, size_t bytes, bool *is_seen, struct err *e)
{
	const char *equals = memchr(at, '=', bytes);
	const size_t name_bytes = equals == NULL ? bytes : (size_t)(equals - at);
	const size_t value_bytes = equals == NULL ? 0 : bytes - name_bytes - 1;
	char value[VALUE_BYTES];

	if (value_bytes == 0 || value_bytes >= sizeof value)
		return err_set(e, ERR_INPUT, "`%.*s` is no NAME=VALUE of at most %d bytes",
			       (int)(bytes < 40 ? bytes : 40), at, VALUE_BYTES - 1);
	memcpy(value, equals + 1, value_bytes);
	value[value_bytes] = '\0';
	for (size_t i = 0; i < RULE_ROWS; i++) {
		if (strlen(rule_rows[i].name) != name_bytes ||
		    strncasecmp(rule_rows[i].name, at, name_bytes) != 0)
			continue;
		if (is_seen[i])
			return err_set(e, ERR_INPUT, "`%s` is given twice", rule_rows[i].name);
		is_seen[i] = true;
		return rule_rows[i].read(rule, value, e);
	}
	return err_set(e, ERR_INPUT, "`%.*s` is not taken; write the times as events of their own",
		       (int)(name_bytes < 40 ? name_bytes : 40), at);
}

/* What the rule leaves open is as in DTSTART. */
static void fill_from_begin(struct rule *rule)
{
	struct calendar_event *event = rule->event;
	const bool has_days = event->month_days != 0 || event->weekday_count > 0;
	int64_t year;
	int64_t month;
	int64_t day;

	zone_date_of_day(event->day, &year, &month, &day);
	if (event->months == 0)
		event->months = event->repeat == REPEAT_YEARLY && !has_days ? 1u << month : ALL_MONTHS;
	if (has_days)
		return;
	if (event->repeat == REPEAT_WEEKLY)
		event->weekdays[event->weekday_count++] = (struct calendar_weekday){
			0, (int32_t)(((event->day + 3) % 7 + 7) % 7) };
	else if (event->repeat != REPEAT_DAILY)
		event->month_days = 1u << day;
}

static bool check(const struct rule *rule, struct err *e)
{
	const struct calendar_event *event = rule->event;

	if (event->repeat == REPEAT_NEVER)
		return err_set(e, ERR_INPUT, "`FREQ` is missing");
	if (rule->has_ordinals && event->repeat != REPEAT_MONTHLY &&
	    (event->repeat != REPEAT_YEARLY || event->months == 0))
		return err_set(e, ERR_INPUT, "a number before a day in `BYDAY` counts within a month; it "
			       "needs FREQ=MONTHLY, or FREQ=YEARLY and BYMONTH");
	if (rule->has_other_monday && event->repeat == REPEAT_WEEKLY && event->interval > 1)
		return err_set(e, ERR_INPUT, "weeks begin on Monday here; another `WKST` with INTERVAL is "
			       "not taken");
	if (rule->count > 0 && rule->has_until)
		return err_set(e, ERR_INPUT, "either `COUNT` or `UNTIL`, not both");
	if (rule->count > 0 && event->day < 0)
		return err_set(e, ERR_INPUT, "`COUNT` from before 1970 is not taken; write `UNTIL`");
	return true;
}

/* Both bounds become the last moment in which the event may begin. */
static void bound(const struct rule *rule)
{
	struct calendar_event *event = rule->event;
	int64_t left = rule->count;
	int64_t second_ns;

	event->until_wall_ns = INT64_MAX;
	if (rule->has_until && rule->until.day < 0) {
		event->until_wall_ns = 0;
	} else if (rule->has_until) {
		(void)zone_find(rule->until.zone, rule->until.day,
				rule->until.is_date ? CALENDAR_DAY_S : rule->until.second,
				&event->until_wall_ns, &second_ns);
		event->until_wall_ns -= rule->until.is_date ? 1 : 0;
	}
	for (int64_t day = event->day; left > 0 && day <= ZONE_DAY_MAX; day++)
		if (calendar_is_begin(event, day) && --left == 0)
			event->until_wall_ns = calendar_begin_ns(event, day);
}

bool calendar_rule_read(const char *text, struct calendar_event *event, struct err *e)
{
	struct rule rule = { .event = event };
	bool is_seen[RULE_ROWS] = { false };

	assert(event->repeat == REPEAT_NEVER && event->except_count == 0);

	event->interval = 1;
	for (const char *at = text; *at != '\0';) {
		const size_t bytes = strcspn(at, ";");

		if (!read_part(&rule, at, bytes, is_seen, e))
			return false;
		at += bytes + (at[bytes] == ';' ? 1 : 0);
	}
	if (!check(&rule, e))
		return false;
	fill_from_begin(&rule);
	bound(&rule);
	return true;
}
