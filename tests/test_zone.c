/*
 * test_zone.c - time zones against libc, which reads the same files by its own code, and files that are
 * damaged.
 */
#include "base/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "tests/suites.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static struct arena arena;
static struct err e;

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
	memset(&e, 0, sizeof e);
}

static void teardown(void)
{
	arena_release(&arena);
}

/* Summer north and south, no summer, half hours, a quarter, rules changed often, a rule that ends the
   day before (Godthab's changes at -1 h), and a far east. */
static const char *const names[] = {
	"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
	"America/Nuuk", "Africa/Casablanca", "Pacific/Chatham", "America/Sao_Paulo", "Asia/Gaza",
	"Europe/Dublin", "Pacific/Apia",
};

static void agree_with_libc(const char *name, const struct zone *zone, time_t at)
{
	const struct zone_time ours = zone_time_at(zone, (int64_t)at * NS_PER_S);
	char date[ZONE_DATE_BYTES];
	char wanted[64];
	struct tm libc;

	ck_assert_ptr_nonnull(localtime_r(&at, &libc));
	(void)strftime(wanted, sizeof wanted, "%Y-%m-%d", &libc);
	ck_assert_msg(strcmp(zone_format_date(ours.day, date), wanted) == 0 &&
			      ours.minute == libc.tm_hour * 60 + libc.tm_min &&
			      ours.weekday == (libc.tm_wday + 6) % 7 &&
			      ours.offset_s == libc.tm_gmtoff,
		      "%s at %lld: %s %d weekday %d offset %d, libc: %s %d weekday %d offset %ld", name,
		      (long long)at, date, (int)ours.minute, (int)ours.weekday, (int)ours.offset_s,
		      wanted, libc.tm_hour * 60 + libc.tm_min, (libc.tm_wday + 6) % 7,
		      libc.tm_gmtoff);
}

START_TEST(test_zone_time_at_agrees_with_libc_for_a_century)
{
	const time_t from = 0;
	const time_t until = (time_t)130 * 365 * 86400; /* beyond 2037, where tables end */
	const time_t step = 2 * 86400 + 5 * 3600 + 1117;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const struct zone *zone;

		ck_assert_msg(zone_load(names[i], &arena, &zone, &e), "%s", e.text);
		ck_assert_int_eq(setenv("TZ", names[i], 1), 0);
		tzset();
		for (time_t at = from; at < until; at += step)
			agree_with_libc(names[i], zone, at);
	}
}
END_TEST

START_TEST(test_zone_time_at_changes_at_the_very_second)
{
	/* 2026-03-29 01:00 UTC and 2026-10-25 01:00 UTC; in 2050 the rule speaks, not the table. */
	static const time_t changes[] = { 1774746000, 1792890000, 2531955600, 2550704400 };
	const struct zone *zone;

	ck_assert_msg(zone_load("Europe/Berlin", &arena, &zone, &e), "%s", e.text);
	ck_assert_int_eq(setenv("TZ", "Europe/Berlin", 1), 0);
	tzset();
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		const int32_t before = zone_time_at(zone, (changes[i] - 1) * NS_PER_S).offset_s;
		const int32_t after = zone_time_at(zone, changes[i] * NS_PER_S).offset_s;

		agree_with_libc("Europe/Berlin", zone, changes[i] - 1);
		agree_with_libc("Europe/Berlin", zone, changes[i]);
		ck_assert_int_eq(abs(after - before), 3600);
	}
}
END_TEST

enum { WALK_DAYS = 6, WALK_MINUTES = WALK_DAYS * 24 * 60, SHOWN_DAYS = WALK_DAYS + 4 };

/* When libc's clocks show each minute around a change: once, twice or never. */
static struct {
	int count;
	time_t first;
	time_t second;
} shown[SHOWN_DAYS * 24 * 60];

static void walk_around(time_t from, int64_t first_minute)
{
	memset(shown, 0, sizeof shown);
	for (int i = 0; i < WALK_MINUTES; i++) {
		const time_t at = from + (time_t)i * 60;
		struct tm libc;

		if (localtime_r(&at, &libc) == NULL)
			ck_abort_msg("libc has no time at %lld", (long long)at);

		const int64_t index = (at + libc.tm_gmtoff) / 60 - first_minute;

		if (index < 0 || index >= (int64_t)COUNT_OF(shown))
			ck_abort_msg("no room for what is shown at %lld", (long long)at);
		if (shown[index].count++ == 0)
			shown[index].first = at;
		else
			shown[index].second = at;
	}
}

static void find_around(const char *name, const struct zone *zone, int64_t change_ns)
{
	const time_t from = (time_t)(change_ns / NS_PER_S) - 3 * 86400;
	const int64_t first_day = (from - 26 * 3600) / 86400;

	walk_around(from, first_day * 24 * 60);
	/* Days around the change that are walked over wholly, wherever on earth. */
	for (int64_t day = from / 86400 + 2; day <= from / 86400 + 4; day++)
		for (int32_t minute = 0; minute < 24 * 60; minute++) {
			const int64_t index = (day - first_day) * 24 * 60 + minute;
			int64_t first_ns = -1;
			int64_t second_ns = -1;
			const enum zone_fit fit =
				zone_find(zone, day, minute * 60, &first_ns, &second_ns);

			/* No ck_assert for each of so many: it writes something every time. */
			if ((int)fit != (shown[index].count == 0 ? (int)ZONE_NEVER :
								   shown[index].count) ||
			    first_ns / NS_PER_S != (fit == ZONE_NEVER ? change_ns / NS_PER_S :
								(int64_t)shown[index].first) ||
			    (fit == ZONE_TWICE && second_ns / NS_PER_S != shown[index].second))
				ck_abort_msg("%s: minute %d of day %lld is shown %d times, found %d",
					     name, (int)minute, (long long)day, shown[index].count,
					     (int)fit);
		}
}

START_TEST(test_zone_find_agrees_with_a_walk_around_every_change)
{
	const char *name = names[_i];
	const struct zone *zone;
	int64_t at_ns = INT64_C(1640995200) * NS_PER_S; /* 2022 */
	size_t change_count = 0;

	ck_assert_msg(zone_load(name, &arena, &zone, &e), "%s", e.text);
	ck_assert_int_eq(setenv("TZ", name, 1), 0);
	tzset();
	while (zone_next_change(zone, at_ns, &at_ns) &&
	       at_ns < INT64_C(1767225600) * NS_PER_S) { /* 2026 */
		find_around(name, zone, at_ns);
		change_count++;
	}
	/* Berlin's clocks are set twice a year, those of UTC, Kathmandu, Sao Paulo and Apia never. */
	if (strcmp(name, "Europe/Berlin") == 0)
		ck_assert_uint_eq(change_count, 8);
}
END_TEST

START_TEST(test_zone_next_change_follows_the_rule_where_the_table_ends)
{
	const struct zone *zone;
	int64_t at_ns = INT64_C(2524608000) * NS_PER_S; /* 2050 */

	ck_assert_msg(zone_load("Europe/Berlin", &arena, &zone, &e), "%s", e.text);
	ck_assert(zone_next_change(zone, at_ns, &at_ns));
	ck_assert_int_eq(at_ns / NS_PER_S, 2531955600);
	ck_assert(zone_next_change(zone, at_ns, &at_ns));
	ck_assert_int_eq(at_ns / NS_PER_S, 2550704400);
	ck_assert_msg(zone_load("UTC", &arena, &zone, &e), "%s", e.text);
	ck_assert(!zone_next_change(zone, 0, &at_ns));
}
END_TEST

START_TEST(test_zone_parse_moment_takes_days_and_times_here_and_in_utc)
{
	static const struct {
		const char *text;
		const char *shown;
	} rows[] = {
		{ "2026-12-24", "thu 2026-12-24 00:00:00 +01:00" },
		{ "2026-07-24T10:05", "fri 2026-07-24 10:05:00 +02:00" },
		{ "2026-07-24T10:05Z", "fri 2026-07-24 12:05:00 +02:00" },
		{ "2026-03-29T02:30", "sun 2026-03-29 03:00:00 +02:00" }, /* is not shown */
		{ "1970-01-01T12:00Z", "thu 1970-01-01 13:00:00 +01:00" },
	};
	static const char *const bad[] = { "", "soon", "2026-12-2", "2026-12-24T", "2026-12-24T1:00",
					   "2026-12-24T24:00", "2026-12-24T10:60", "2026-12-24T10:00X",
					   "2026-12-24 10:00", "2026-12-24T10:00ZZ", "2200-01-01",
					   "1969-12-31", "2026-12-24Z" };
	char text[ZONE_MOMENT_BYTES];
	const struct zone *zone;
	int64_t wall_ns = 0;

	ck_assert_msg(zone_load("Europe/Berlin", &arena, &zone, &e), "%s", e.text);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		ck_assert_msg(zone_parse_moment(rows[i].text, zone, &wall_ns, &e), "%s", e.text);
		ck_assert_str_eq(zone_format_moment(zone, wall_ns, text), rows[i].shown);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		ck_assert_msg(!zone_parse_moment(bad[i], zone, &wall_ns, &e), "`%s` was taken", bad[i]);
		ck_assert_int_eq(e.kind, ERR_INPUT);
	}
	ck_assert_msg(zone_load("America/St_Johns", &arena, &zone, &e), "%s", e.text);
	ck_assert_str_eq(zone_format_moment(zone, INT64_C(1795255200) * NS_PER_S + 5 * NS_PER_S, text),
			 "sat 2026-11-21 06:30:05 -03:30");
}
END_TEST

START_TEST(test_zone_load_refuses_what_is_no_zone)
{
	static const char *const bad[] = { "",      "Europe/Berlyn", "../../etc/passwd", "/etc/localtime",
					   "Europe", "zone.tab",      "Europe/Ber\nlin",
					   "a-name-that-is-much-longer-than-any-time-zone-has-ever-been-so-far" };
	const struct zone *zone;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		ck_assert_msg(!zone_load(bad[i], &arena, &zone, &e), "`%s` was taken", bad[i]);
		ck_assert_int_eq(e.kind, ERR_INPUT);
		ck_assert_ptr_nonnull(strstr(e.text, "time zone"));
	}
}
END_TEST

static void ask(const struct zone *zone)
{
	int64_t at_ns = INT64_C(1795255200) * NS_PER_S;
	int64_t second_ns;

	(void)zone_time_at(zone, at_ns);
	(void)zone_find(zone, at_ns / (86400 * NS_PER_S), 3600, &at_ns, &second_ns);
	(void)zone_next_change(zone, at_ns, &at_ns);
}

START_TEST(test_zone_read_refuses_a_damaged_file_and_never_reads_beyond_it)
{
	static char bytes[64 << 10];
	FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
	const struct zone *zone;

	ck_assert_ptr_nonnull(file);

	const size_t length = fread(bytes, 1, sizeof bytes, file);

	ck_assert_int_eq(fclose(file), 0);
	ck_assert(zone_read("x", bytes, length, &arena, &zone, &e));
	for (size_t cut = 0; cut < length; cut++) {
		/* A copy of exactly that size, so that the sanitizer sees every byte too many. */
		char *copy = malloc(cut + 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, bytes, cut);
		ck_assert(!zone_read("x", copy, cut, &arena, &zone, &e));
		free(copy);
	}
	for (size_t i = 0; i < length; i++) {
		bytes[i] = (char)~bytes[i];
		/* Refused, or a zone that can be asked: never a crash. */
		if (zone_read("x", bytes, length, &arena, &zone, &e))
			ask(zone);
		bytes[i] = (char)~bytes[i];
	}
}
END_TEST

START_TEST(test_zone_parse_date_takes_days_that_there_are)
{
	static const char *const bad[] = { "", "2026-2-3", "2026-02-30", "2026-13-01", "2026-00-10",
					   "2025-02-29", "20261224", "2026-12-24 ", "2026-12-00" };
	char text[ZONE_DATE_BYTES];
	int64_t day = 0;

	ck_assert(zone_parse_date("1970-01-01", &day, &e));
	ck_assert_int_eq(day, 0);
	ck_assert(zone_parse_date("2024-02-29", &day, &e));
	ck_assert_str_eq(zone_format_date(day, text), "2024-02-29");
	ck_assert_str_eq(zone_format_date(day + 1, text), "2024-03-01");
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ck_assert_msg(!zone_parse_date(bad[i], &day, &e), "`%s` was taken", bad[i]);
}
END_TEST

void suite_zone(Suite *suite)
{
	TCase *tcase = tcase_create("zone");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_zone_time_at_agrees_with_libc_for_a_century);
	tcase_add_test(tcase, test_zone_time_at_changes_at_the_very_second);
	tcase_add_loop_test(tcase, test_zone_find_agrees_with_a_walk_around_every_change, 0,
			    (int)COUNT_OF(names));
	tcase_add_test(tcase, test_zone_next_change_follows_the_rule_where_the_table_ends);
	tcase_add_test(tcase, test_zone_parse_moment_takes_days_and_times_here_and_in_utc);
	tcase_add_test(tcase, test_zone_load_refuses_what_is_no_zone);
	tcase_add_test(tcase, test_zone_read_refuses_a_damaged_file_and_never_reads_beyond_it);
	tcase_add_test(tcase, test_zone_parse_date_takes_days_that_there_are);
	suite_add_tcase(suite, tcase);
}
