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
			(void)zone_time_at(zone, INT64_C(1795255200) * NS_PER_S);
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
	tcase_add_test(tcase, test_zone_load_refuses_what_is_no_zone);
	tcase_add_test(tcase, test_zone_read_refuses_a_damaged_file_and_never_reads_beyond_it);
	tcase_add_test(tcase, test_zone_parse_date_takes_days_that_there_are);
	suite_add_tcase(suite, tcase);
}
