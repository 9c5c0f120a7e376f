/*
 * test_calendar.c - iCalendar: what is on and what is not, at the very second; rules that come again; and
 * everything that is refused, with its line.
 */
#include "schedule/calendar.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/suites.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

enum { COMPLAINTS_MAX = 8 };

static struct arena arena;
static const struct zone *berlin;
static struct {
	uint32_t line;
	const char *text;
} complaints[COMPLAINTS_MAX];
static size_t complaint_count;

static void setup(void)
{
	struct err e = { 0 };

	memset(&arena, 0, sizeof arena);
	complaint_count = 0;
	ck_assert_msg(zone_load("Europe/Berlin", &arena, &berlin, &e), "%s", e.text);
}

static void teardown(void)
{
	arena_release(&arena);
}

static void note(void *ctx, uint32_t line, const char *sentence)
{
	(void)ctx;
	ck_assert_uint_lt(complaint_count, COMPLAINTS_MAX);
	complaints[complaint_count].line = line;
	complaints[complaint_count].text = arena_copy(&arena, sentence);
	complaint_count++;
}

/* The lines of one event, or of several, in a calendar. */
static bool read_lines(const char *lines, struct calendar *calendar)
{
	const char *text = arena_format(&arena, "BEGIN:VCALENDAR\nBEGIN:VEVENT\n%sEND:VEVENT\n"
						"END:VCALENDAR\n", lines);
	const struct calendar_source source = { "x.ics", text, strlen(text), berlin };

	complaint_count = 0;
	return calendar_read(&source, &arena, note, NULL, calendar);
}

static bool is_on(const struct calendar *calendar, const char *moment)
{
	struct err e = { 0 };
	int64_t wall_ns = 0;

	ck_assert_msg(zone_parse_moment(moment, berlin, &wall_ns, &e), "%s", e.text);
	return calendar_event_at(calendar, wall_ns) != NULL;
}

static const struct {
	const char *lines;
	const char *on;
	const char *off;
} times[] = {
	/* dates: whole days of the schedule's zone, which is Berlin here */
	{ "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\n",
	  "2026-12-24 2026-12-26T23:59", "2026-12-23T23:59 2026-12-27" },
	{ "DTSTART:20261224\n", "2026-12-24 2026-12-24T23:59", "2026-12-25" },
	{ "DTSTART;VALUE=DATE:20261224\nDURATION:P2D\n", "2026-12-25T23:59", "2026-12-26" },
	{ "DTSTART;VALUE=DATE:20261224\nDURATION:P1W\n", "2026-12-30T23:59", "2026-12-31" },
	/* times: floating, UTC, another zone, ends in another zone */
	{ "DTSTART:20261224T090000\nDTEND:20261224T103000\n", "2026-12-24T09:00 2026-12-24T10:29",
	  "2026-12-24T08:59 2026-12-24T10:30" },
	{ "DTSTART:20261224T090000Z\nDTEND:20261224T103000Z\n", "2026-12-24T10:00",
	  "2026-12-24T09:59 2026-12-24T11:30" },
	{ "DTSTART;TZID=America/New_York:20261224T090000\nDTEND;TZID=\"America/New_York\":"
	  "20261224T100000\n", "2026-12-24T15:00", "2026-12-24T14:59 2026-12-24T16:00" },
	{ "DTSTART;TZID=America/New_York:20261224T090000\nDTEND:20261224T150000Z\n",
	  "2026-12-24T15:59", "2026-12-24T16:00" },
	{ "DTSTART:20261224T220000\nDURATION:PT4H30M\n", "2026-12-25T02:29", "2026-12-25T02:30" },
	/* the clocks are set: what is not shown, and what is shown twice */
	{ "DTSTART:20260329T023000\nDTEND:20260329T040000\n", "2026-03-29T01:00Z",
	  "2026-03-29T00:59Z 2026-03-29T02:00Z" },
	{ "DTSTART:20261025T010000\nDTEND:20261025T023000\n", "2026-10-25T01:29Z",
	  "2026-10-25T01:30Z" },
	/* again and again */
	{ "DTSTART;VALUE=DATE:20001224\nRRULE:FREQ=YEARLY\n", "2026-12-24 2199-12-24",
	  "2026-12-25 1999-12-24" },
	{ "DTSTART;VALUE=DATE:16010101\nRRULE:FREQ=YEARLY\n", "2026-01-01", "2026-01-02" },
	{ "DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY\n", "2028-02-29", "2027-02-28 2027-03-01" },
	{ "DTSTART;VALUE=DATE:20001224\nRRULE:FREQ=YEARLY;INTERVAL=2\n", "2026-12-24", "2027-12-24" },
	{ "DTSTART;VALUE=DATE:20241224\nRRULE:FREQ=YEARLY;COUNT=3\n", "2024-12-24 2026-12-24",
	  "2027-12-24" },
	{ "DTSTART;VALUE=DATE:20241224\nRRULE:FREQ=YEARLY;UNTIL=20261224\n", "2026-12-24",
	  "2027-12-24" },
	{ "DTSTART:20241224T090000\nDTEND:20241224T100000\nRRULE:FREQ=YEARLY;UNTIL=20261224T080000Z\n",
	  "2026-12-24T09:30", "2027-12-24T09:30" },
	{ "DTSTART:20241224T090000\nDTEND:20241224T100000\nRRULE:FREQ=YEARLY;UNTIL=20261224T075959Z\n",
	  "2025-12-24T09:30", "2026-12-24T09:30" },
	{ "DTSTART;VALUE=DATE:20201126\nDTEND;VALUE=DATE:20201201\nRRULE:FREQ=YEARLY;BYMONTH=11;"
	  "BYDAY=4TH\n", "2026-11-26 2026-11-30T23:59", "2026-11-25 2026-12-01 2026-11-19" },
	{ "DTSTART;VALUE=DATE:20200525\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO\n", "2026-05-25",
	  "2026-05-18 2026-06-01" },
	{ "DTSTART;VALUE=DATE:20201231\nDTEND;VALUE=DATE:20210103\nRRULE:FREQ=YEARLY\n",
	  "2027-01-02T23:59 2026-12-31", "2027-01-03" },
	{ "DTSTART:20260102T160000\nDTEND:20260102T180000\nRRULE:FREQ=WEEKLY\n",
	  "2026-11-20T17:59", "2026-11-20T18:00 2026-11-19T17:00" },
	{ "DTSTART:20260102T160000\nDTEND:20260102T180000\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;"
	  "WKST=MO\n", "2026-01-02T17:00 2026-01-12T17:00 2026-01-16T17:00",
	  "2026-01-05T17:00 2026-01-09T17:00" },
	{ "DTSTART;VALUE=DATE:20260131\nRRULE:FREQ=MONTHLY\n", "2026-03-31", "2026-02-28 2026-04-30" },
	{ "DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=MONTHLY;BYDAY=1MO,3MO\n", "2026-11-02 2026-11-16",
	  "2026-11-09" },
	{ "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=MONTHLY;BYMONTHDAY=1,15;BYMONTH=1,12\n",
	  "2026-12-15 2027-01-01", "2026-11-15" },
	{ "DTSTART:20260101T000000\nDTEND:20260101T010000\nRRULE:FREQ=DAILY;INTERVAL=10\n",
	  "2026-01-11T00:59", "2026-01-12T00:30" },
	{ "DTSTART;VALUE=DATE:20201224\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20261224,20281224\n",
	  "2027-12-24", "2026-12-24 2028-12-24" },
	{ "DTSTART:20201224T003000Z\nDTEND:20201224T013000Z\nRRULE:FREQ=YEARLY\n"
	  "EXDATE;TZID=America/New_York:20261223T193000\n", "2027-12-24T01:40", "2026-12-24T01:40" },
	/* holidays are often transparent; what is within an alarm is no matter of ours */
	{ "DTSTART:20261224\nTRANSP:TRANSPARENT\nBEGIN:VALARM\nDTSTART:20250101\nRDATE:20250101\n"
	  "END:VALARM\n", "2026-12-24", "2025-01-01" },
	/* the second event of a file, after a cancelled one */
	{ "DTSTART:20261224\nSTATUS:CANCELLED\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART:20261225\n",
	  "2026-12-25", "2026-12-24" },
};

START_TEST(test_calendar_event_at_is_on_from_begin_until_just_before_the_end)
{
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		struct calendar calendar;

		ck_assert_msg(read_lines(times[i].lines, &calendar), "%s: %s", times[i].lines,
			      complaints[0].text);
		for (int wanted = 0; wanted < 2; wanted++) {
			const char *at = wanted == 1 ? times[i].on : times[i].off;

			while (*at != '\0') {
				const size_t bytes = strcspn(at, " ");
				const char *moment = arena_copy_bytes(&arena, at, bytes);

				ck_assert_msg(is_on(&calendar, moment) == (wanted == 1),
					      "%sat %s: is%s on", times[i].lines, moment,
					      wanted == 1 ? " not" : "");
				at += bytes + strspn(at + bytes, " ");
			}
		}
	}
}
END_TEST

START_TEST(test_calendar_read_takes_folded_lines_both_line_ends_and_any_capitals)
{
	static const char text[] = "begin:vcalendar\r\nBegin:Vevent\r\nSUMMARY:Christmas\\, an"
				   "\r\n d the days\\n aft\r\n\ter\\\\\r\ndtstart;value=DATE:2026\r\n 1224\r\n"
				   "END:vevent\r\n\r\nEND:VCALENDAR";
	const struct calendar_source source = { "x.ics", text, sizeof text - 1, berlin };
	struct calendar calendar;

	ck_assert(calendar_read(&source, &arena, note, NULL, &calendar));
	ck_assert_uint_eq(calendar.event_count, 1);
	ck_assert_str_eq(calendar.events[0].summary, "Christmas, and the days  after\\");
	ck_assert_uint_eq(calendar.events[0].line, 2);
	ck_assert(is_on(&calendar, "2026-12-24"));
}
END_TEST

static const struct {
	const char *lines; /* the first is line 3 */
	uint32_t line;
	const char *says;
} refusals[] = {
	{ "SUMMARY:x\n", 2, "the event has no DTSTART" },
	{ "DTSTART:20261232\n", 3, "`20261232` is no date" },
	{ "DTSTART:20260229\n", 3, "`20260229` is no date" },
	{ "DTSTART:20261224T250000\n", 3, "is no date" },
	{ "DTSTART:2026-12-24\n", 3, "is no date" },
	{ "DTSTART:22001224\n", 3, "from 1583 to 2199" },
	{ "DTSTART:20261224T090000\n", 2, "does not end after it begins" },
	{ "DTSTART:20261224\nDTEND:20261224\n", 2, "does not end after it begins" },
	{ "DTSTART:20261224\nDTEND:20261224T100000\n", 4, "must both be dates" },
	{ "DTSTART:20261224\nDURATION:PT\n", 4, "`PT` is no duration" },
	{ "DTSTART:20261224\nDURATION:-P1D\n", 4, "is no duration" },
	{ "DTSTART:20261224\nDURATION:P1M\n", 4, "is no duration" },
	{ "DTSTART:20261224\nDURATION:P100000W\n", 2, "ends after 2199" },
	{ "DTSTART:19601224\n", 2, "begins before 1970" },
	{ "DTSTART;TZID=Mars/Olympus:20261224T090000\n", 3, "`TZID=Mars/Olympus`" },
	{ "DTSTART;TZID=W. Europe Standard Time:20261224T090000\n", 3, "is no time zone" },
	{ "DTSTART:20261224\nDTSTART:20261225\n", 4, "a second DTSTART" },
	{ "DTSTART:20261224\nRDATE:20261225\n", 4, "RDATE is not taken" },
	{ "DTSTART:20261224\nRECURRENCE-ID:20261225\n", 4, "RECURRENCE-ID is not taken" },
	{ "DTSTART:20261224\nEXDATE:soon\n", 4, "`soon` is no date" },
	{ "DTSTART:20261224\nRRULE:FREQ=HOURLY\n", 4, "RRULE: `FREQ=HOURLY` is not taken" },
	{ "DTSTART:20261224\nRRULE:INTERVAL=2\n", 4, "`FREQ` is missing" },
	{ "DTSTART:20261224\nRRULE:FREQ=YEARLY;BYSETPOS=1\n", 4, "`BYSETPOS` is not taken" },
	{ "DTSTART:20261224\nRRULE:FREQ=YEARLY;BYWEEKNO=1\n", 4, "`BYWEEKNO` is not taken" },
	{ "DTSTART:20261224\nRRULE:FREQ=YEARLY;BYDAY=20MO\n", 4, "`BYDAY=20MO` is not taken" },
	{ "DTSTART:20261224\nRRULE:FREQ=YEARLY;BYDAY=1MO\n", 4, "counts within a month" },
	{ "DTSTART:20261224\nRRULE:FREQ=YEARLY;BYDAY=XX\n", 4, "`BYDAY=XX` is not taken" },
	{ "DTSTART:20261224\nRRULE:FREQ=YEARLY;BYMONTHDAY=-1\n", 4, "`BYMONTHDAY=-1` is not taken" },
	{ "DTSTART:20261224\nRRULE:FREQ=YEARLY;BYMONTH=13\n", 4, "`BYMONTH=13` is not taken" },
	{ "DTSTART:20261224\nRRULE:FREQ=YEARLY;COUNT=0\n", 4, "`COUNT=0` is no number" },
	{ "DTSTART:20261224\nRRULE:FREQ=YEARLY;INTERVAL=\n", 4, "is no NAME=VALUE" },
	{ "DTSTART:20261224\nRRULE:FREQ=YEARLY;FREQ=DAILY\n", 4, "`FREQ` is given twice" },
	{ "DTSTART:20261224\nRRULE:FREQ=YEARLY;COUNT=2;UNTIL=20301224\n", 4, "not both" },
	{ "DTSTART:19601224\nRRULE:FREQ=YEARLY;COUNT=2\n", 4, "write `UNTIL`" },
	{ "DTSTART:20261224\nRRULE:FREQ=YEARLY;UNTIL=never\n", 4, "`UNTIL`: `never` is no date" },
	{ "DTSTART:20261224\nRRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU\n", 4, "weeks begin on Monday" },
	{ "DTSTART:20261224\nDTEND:20281224\nRRULE:FREQ=YEARLY\n", 2, "longer than 366 days" },
	{ "DTSTART:20261224\nno property\n", 4, "is no line of iCalendar" },
	{ "DTSTART;TZID=\"Europe/Berlin:20261224\n", 3, "is no line of iCalendar" },
	{ "DTSTART:20261224\nEND:VCALENDAR\n", 4, "`END:VCALENDAR` where VEVENT is open" },
	{ "DTSTART:20261224\nSTATUS:CANCELLED\n", 1, "no event that freezes anything" },
};

START_TEST(test_calendar_read_refuses_what_it_would_get_wrong)
{
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		struct calendar calendar;

		ck_assert_msg(!read_lines(refusals[i].lines, &calendar), "%s was taken", refusals[i].lines);
		ck_assert_msg(strstr(complaints[0].text, refusals[i].says) != NULL, "%s says: %s",
			      refusals[i].lines, complaints[0].text);
		ck_assert_msg(complaints[0].line == refusals[i].line, "%s: line %u", refusals[i].lines,
			      (unsigned)complaints[0].line);
	}
}
END_TEST

START_TEST(test_calendar_read_refuses_what_is_no_calendar)
{
	static const struct {
		const char *text;
		const char *says;
	} rows[] = {
		{ "", "no event" },
		{ "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "no event" },
		{ "SUMMARY:x\n", "stands outside of every calendar" },
		{ "BEGIN:VEVENT\nEND:VEVENT\n", "begins with `VEVENT`" },
		{ "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261224\n", "ends inside of VEVENT" },
		{ "END:VCALENDAR\n", "`END:VCALENDAR` where nothing is open" },
		{ "<html>\n", "is no line of iCalendar" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct calendar_source source = { "x.ics", rows[i].text, strlen(rows[i].text),
							berlin };
		struct calendar calendar;

		complaint_count = 0;
		ck_assert_msg(!calendar_read(&source, &arena, note, NULL, &calendar), "%s was taken",
			      rows[i].text);
		ck_assert_msg(strstr(complaints[0].text, rows[i].says) != NULL, "%s says: %s",
			      rows[i].text, complaints[0].text);
	}
}
END_TEST

void suite_calendar(Suite *suite)
{
	TCase *tcase = tcase_create("calendar");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_calendar_event_at_is_on_from_begin_until_just_before_the_end);
	tcase_add_test(tcase, test_calendar_read_takes_folded_lines_both_line_ends_and_any_capitals);
	tcase_add_test(tcase, test_calendar_read_refuses_what_it_would_get_wrong);
	tcase_add_test(tcase, test_calendar_read_refuses_what_is_no_calendar);
	suite_add_tcase(suite, tcase);
}
