/*
 * test_cron.c - cron: every row of the tables in docs/schedule.md, what is refused and where the mistake
 * is said to stand, and a walk minute by minute over days on which clocks are set, asked of libc.
 */
#include "schedule/cron.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/random.h"
#include "fixtures/cron_draw.h"
#include "tests/suites.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

enum { LINE_BYTES = 1024, COLUMNS = 5, TABLE_ROWS_MIN = 20 };

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

static const struct zone *zone_named(const char *name)
{
	const struct zone *zone;

	ck_assert_msg(zone_load(name, &arena, &zone, &e), "%s", e.text);
	return zone;
}

static int64_t moment(const char *text)
{
	int64_t wall_ns = 0;

	ck_assert_msg(zone_parse_moment(text, zone_named("UTC"), &wall_ns, &e), "%s", e.text);
	return wall_ns;
}

static struct cron parsed(const char *text)
{
	struct cron cron;
	size_t offset_bytes;

	ck_assert_msg(cron_parse(text, &cron, &offset_bytes, &e), "`%s`: %s", text, e.text);
	return cron;
}

/* ---- the tables of the page ---- */

/* "| `30 2 * * *` | Europe/Berlin | ... |" into its cells, without blanks and backquotes. */
static size_t split_row(char *line, char *cells[COLUMNS])
{
	size_t count = 0;

	for (char *at = strchr(line, '|'); at != NULL && count < COLUMNS;) {
		char *begin = at + 1 + strspn(at + 1, " `");
		char *end = strchr(at + 1, '|');

		if (end == NULL)
			break;
		at = *end == '|' ? end : NULL;
		*end = '\0';
		for (char *last = begin + strlen(begin); last > begin && strchr(" `", last[-1]) != NULL;)
			*--last = '\0';
		cells[count++] = begin;
	}
	return count;
}

static void check_row(char *cells[COLUMNS])
{
	const struct cron cron = parsed(cells[0]);
	const struct zone *zone = zone_named(cells[1]);
	int64_t at_ns = moment(cells[2]);
	char *wanted = cells[3];

	while (*wanted != '\0') {
		char one[32] = "";
		char found[32];
		const size_t bytes = strcspn(wanted, ", ");

		ck_assert_uint_lt(bytes, sizeof one);
		memcpy(one, wanted, bytes);
		wanted += bytes + strspn(wanted + bytes, ", ");
		ck_assert_msg(cron_next(&cron, zone, at_ns, &at_ns), "`%s`: none", cells[0]);
		clock_format_wall(at_ns, found, sizeof found);
		ck_assert_msg(moment(one) == at_ns, "`%s` in %s after %s: %s, not %s", cells[0],
			      cells[1], cells[2], found, one);
	}
}

START_TEST(test_cron_next_comes_as_the_tables_of_the_page_say)
{
	char line[LINE_BYTES];
	size_t row_count = 0;
	FILE *page = fopen("docs/schedule.md", "r");

	ck_assert_ptr_nonnull(page);
	while (fgets(line, sizeof line, page) != NULL) {
		char *cells[COLUMNS];

		/* Rows of four or five cells whose third is a moment. */
		if (line[0] != '|' || split_row(line, cells) < 4 || strstr(cells[2], "-") != cells[2] + 4)
			continue;
		check_row(cells);
		row_count++;
	}
	ck_assert_int_eq(fclose(page), 0);
	ck_assert_uint_ge(row_count, TABLE_ROWS_MIN);
}
END_TEST

/* ---- reading ---- */

START_TEST(test_cron_parse_refuses_with_a_place_and_a_sentence)
{
	static const struct {
		const char *text;
		size_t offset;
		const char *says;
	} rows[] = {
		{ "", 0, "the minute is missing" },
		{ "0 9 * *", 7, "the day of the week is missing" },
		{ "0 9 * * * *", 10, "more than five fields" },
		{ "60 9 * * *", 0, "`60` is outside of what the minute has: 0 to 59" },
		{ "0 24 * * *", 2, "outside of what the hour has: 0 to 23" },
		{ "0 0 0 * *", 4, "outside of what the day of the month has: 1 to 31" },
		{ "0 0 1 13 *", 6, "the month has: 1 to 12" },
		{ "0 0 * * 8", 8, "the day of the week has: 0 to 7" },
		{ "0 0 30 2 *", 4, "would never run" },
		{ "0 0 31 4,6,sep,11 *", 4, "would never run" },
		{ "0 0 31 feb mon", 4, "would never run" },
		{ "0 0 * * mo", 8, "`mo` is no day of the week" },
		{ "0 0 * january *", 6, "`january` is no month" },
		{ "0 mon * * *", 2, "`mon` is no number for the hour" },
		{ "-5 0 * * *", 0, "a value is missing before the `-`" },
		{ "5- 0 * * *", 2, "ends where a value should follow" },
		{ "1,,2 0 * * *", 2, "a value is missing before the `,`" },
		{ "1, 0 * * *", 2, "ends where a value should follow" },
		{ "30-10 0 * * *", 0, "`30-10` runs backwards" },
		{ "0 0 * * sat-mon", 8, "`sat-mon` runs backwards" },
		{ "*/0 0 * * *", 2, "`0` is outside of what the minute has: 1 to 59" },
		{ "*/90 0 * * *", 2, "`90` is outside of" },
		{ "*/x 0 * * *", 2, "a step is a number, such as `*/15`" },
		{ "5/15 0 * * *", 1, "a step needs a range before it; write `5-59/15`" },
		{ "*5 0 * * *", 1, "`5` is not expected in the minute" },
		{ "1-5-9 0 * * *", 3, "`-` is not expected" },
		{ "0 0 ? * *", 4, "`?` is no number for the day of the month" },
		{ "0 0 L * *", 4, "`L` is no number" },
		{ "0 0 * * mon#2", 8, "`mon#2` is no day of the week" },
		{ "99999999999999999999 0 * * *", 0, "outside of what the minute has" },
		{ "@reboot", 0, "`@reboot` is not known" },
		{ "@daily 5", 0, "`@daily 5` is not known" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct cron cron;
		size_t offset_bytes = 9999;

		ck_assert_msg(!cron_parse(rows[i].text, &cron, &offset_bytes, &e), "`%s` was taken",
			      rows[i].text);
		ck_assert_int_eq(e.kind, ERR_INPUT);
		ck_assert_msg(strstr(e.text, rows[i].says) != NULL, "`%s` says: %s", rows[i].text,
			      e.text);
		ck_assert_msg(offset_bytes == rows[i].offset, "`%s`: offset %zu, not %zu",
			      rows[i].text, offset_bytes, rows[i].offset);
	}
}
END_TEST

START_TEST(test_cron_parse_reads_two_ways_of_writing_the_same_as_one)
{
	static const char *const pairs[][2] = {
		{ "0 0 * * sun", "0 0 * * 0" },      { "0 0 * * 7", "0 0 * * 0" },
		{ "0 0 * * fri-sun", "0 0 * * 5-7" }, { "0 0 * * MON-Fri", "0 0 * * 1,2,3,4,5" },
		{ "0 0 * jan-dec/3 *", "0 0 * 1,4,7,10 *" }, { "\t0  0\t* * *  ", "0 0 * * *" },
		{ "@weekly", "0 0 * * 0" },          { "@Yearly", "0 0 1 1 *" },
		{ "@annually", "0 0 1 jan *" },      { "@monthly", "0 0 1 * *" },
		{ "@daily", "@midnight" },           { "@hourly", "0 * * * *" },
		{ "5-5 0 * * *", "5 0 * * *" },      { "0-59/20 0 * * *", "0,20,40 0 * * *" },
	};

	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		const struct cron left = parsed(pairs[i][0]);
		const struct cron right = parsed(pairs[i][1]);

		ck_assert_msg(left.minutes == right.minutes && left.hours == right.hours &&
				      left.days == right.days && left.months == right.months &&
				      left.weekdays == right.weekdays &&
				      left.needs_both == right.needs_both &&
				      left.is_each_hour == right.is_each_hour,
			      "`%s` is not `%s`", pairs[i][0], pairs[i][1]);
	}
}
END_TEST

START_TEST(test_cron_next_ends_where_time_ends)
{
	const struct cron cron = parsed("0 0 1 1 *");
	int64_t at_ns = moment("2198-06-01T00:00Z");

	ck_assert(cron_next(&cron, zone_named("UTC"), at_ns, &at_ns));
	ck_assert_int_eq(at_ns, moment("2199-01-01T00:00Z"));
	ck_assert(!cron_next(&cron, zone_named("UTC"), at_ns, &at_ns));
}
END_TEST

START_TEST(test_cron_next_finds_the_rarest_date)
{
	/* 29 February on a Sunday: 2088, then not before 2128, because 2100 is no leap year. */
	const struct cron cron = parsed("0 0 29 2 */7");
	int64_t at_ns = moment("2088-02-29T00:00Z");

	ck_assert(cron_next(&cron, zone_named("UTC"), at_ns - 1, &at_ns));
	ck_assert_int_eq(at_ns, moment("2088-02-29T00:00Z"));
	ck_assert(cron_next(&cron, zone_named("UTC"), at_ns, &at_ns));
	ck_assert_int_eq(at_ns, moment("2128-02-29T00:00Z"));
}
END_TEST

/* ---- minute by minute ---- */

enum { WALK_DAYS = 5, WALK_MINUTES = WALK_DAYS * 24 * 60, SHOWN_DAYS = WALK_DAYS + 4 };

static const struct {
	const char *zone;
	const char *from; /* the clocks are set two days later, or a year ends */
} walks[] = {
	{ "Europe/Berlin", "2026-03-27T00:00Z" },     { "Europe/Berlin", "2026-10-23T00:00Z" },
	{ "Europe/Berlin", "2051-03-24T00:00Z" },     { "America/New_York", "2026-03-06T00:00Z" },
	{ "America/New_York", "2026-10-30T00:00Z" },  { "Australia/Lord_Howe", "2026-04-02T12:00Z" },
	{ "Australia/Lord_Howe", "2026-10-01T12:00Z" }, { "Africa/Casablanca", "2026-02-13T00:00Z" },
	{ "Africa/Casablanca", "2026-03-20T00:00Z" }, { "America/St_Johns", "2006-10-27T00:00Z" },
	{ "America/Sao_Paulo", "2018-11-02T00:00Z" }, { "America/Sao_Paulo", "2018-02-15T00:00Z" },
	{ "Pacific/Apia", "2011-12-28T00:00Z" },      { "Pacific/Chatham", "2026-04-02T12:00Z" },
	{ "Asia/Kathmandu", "2026-12-29T00:00Z" },    { "UTC", "2028-02-27T00:00Z" },
};

/* What libc's clocks show in each minute of a walk. */
static struct tm shown[WALK_MINUTES];
static int64_t shown_minute[WALK_MINUTES]; /* since 1970, as the clocks count */

static void look_at_clocks(size_t walk)
{
	const time_t from = (time_t)(moment(walks[walk].from) / NS_PER_S);

	ck_assert_int_eq(setenv("TZ", walks[walk].zone, 1), 0);
	tzset();
	for (int i = 0; i < WALK_MINUTES; i++) {
		const time_t at = from + (time_t)i * 60;

		ck_assert_ptr_nonnull(localtime_r(&at, &shown[i]));
		shown_minute[i] = (at + shown[i].tm_gmtoff) / 60;
	}
}

static bool is_meant(const struct cron_draw *draw, const struct tm *clock)
{
	const bool is_day = draw->days[clock->tm_mday];
	const bool is_weekday = draw->weekdays[clock->tm_wday];
	const bool is_date = draw->is_day_any || draw->is_weekday_any ? is_day && is_weekday :
									is_day || is_weekday;

	return draw->minutes[clock->tm_min] && draw->hours[clock->tm_hour] &&
	       draw->months[clock->tm_mon + 1] && is_date;
}

/* Was a minute that is meant passed over right before this one? */
static bool is_passed_over(const struct cron_draw *draw, int i)
{
	for (int64_t minute = shown_minute[i - 1] + 1; minute < shown_minute[i]; minute++) {
		const time_t as_utc = (time_t)(minute * 60);
		struct tm clock;

		ck_assert_ptr_nonnull(gmtime_r(&as_utc, &clock));
		if (is_meant(draw, &clock))
			return true;
	}
	return false;
}

static bool is_due(const struct cron_draw *draw, int i, const bool *is_past)
{
	if (draw->is_each_hour)
		return is_meant(draw, &shown[i]);
	return (is_meant(draw, &shown[i]) && !is_past[shown_minute[i] - shown_minute[0] + 1440]) ||
	       is_passed_over(draw, i);
}

static void walk_one(const struct cron_draw *draw, size_t walk)
{
	static bool is_past[SHOWN_DAYS * 24 * 60];
	const struct cron cron = parsed(draw->text);
	const struct zone *zone = zone_named(walks[walk].zone);
	const int64_t from_ns = moment(walks[walk].from);
	int64_t at_ns = from_ns;

	memset(is_past, 0, sizeof is_past);
	is_past[1440] = true;
	for (int i = 1; i < WALK_MINUTES; i++) {
		const int64_t minute_ns = from_ns + i * 60 * NS_PER_S;

		if (is_due(draw, i, is_past)) {
			ck_assert_msg(cron_next(&cron, zone, at_ns, &at_ns) && at_ns == minute_ns,
				      "`%s` in %s, minute %d after %s: found %lld s later", draw->text,
				      walks[walk].zone, i, walks[walk].from,
				      (long long)((at_ns - minute_ns) / NS_PER_S));
		}
		is_past[shown_minute[i] - shown_minute[0] + 1440] = true;
	}
	if (cron_next(&cron, zone, at_ns, &at_ns))
		ck_assert_msg(at_ns >= from_ns + WALK_MINUTES * 60 * NS_PER_S,
			      "`%s` in %s after %s: one too many, %lld s later", draw->text,
			      walks[walk].zone, walks[walk].from,
			      (long long)((at_ns - from_ns) / NS_PER_S));
}

START_TEST(test_cron_next_agrees_with_a_walk_minute_by_minute)
{
	struct random random = random_from_seed(20261121);

	look_at_clocks((size_t)_i);
	for (int i = 0; i < 150; i++) {
		struct cron_draw draw;

		cron_draw(&random, true, &draw);
		walk_one(&draw, (size_t)_i);
	}
}
END_TEST

void suite_cron(Suite *suite)
{
	TCase *tcase = tcase_create("cron");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_cron_next_comes_as_the_tables_of_the_page_say);
	tcase_add_test(tcase, test_cron_parse_refuses_with_a_place_and_a_sentence);
	tcase_add_test(tcase, test_cron_parse_reads_two_ways_of_writing_the_same_as_one);
	tcase_add_test(tcase, test_cron_next_ends_where_time_ends);
	tcase_add_test(tcase, test_cron_next_finds_the_rarest_date);
	tcase_add_loop_test(tcase, test_cron_next_agrees_with_a_walk_minute_by_minute, 0,
			    (int)COUNT_OF(walks));
	suite_add_tcase(suite, tcase);
}
