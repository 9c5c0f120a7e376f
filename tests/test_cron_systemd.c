/*
 * test_cron_systemd.c - cron against systemd's calendar, which somebody else has written: 200 expressions
 * by chance, each written as an OnCalendar of the same sets.
 *
 * Where the two mean different things nothing is compared, and it is counted: "either this day or that
 * weekday" has no form there (not drawn), and on days on which clocks are set systemd leaves out what
 * firedrill makes up for (see docs/schedule.md). Skipped where there is no systemd-analyze.
 */
#include "schedule/cron.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fixtures/cron_draw.h"
#include "fixtures/run_tool.h"
#include "tests/suites.h"

enum { BATCHES = 5, BATCH_SIZE = 40, ITERATIONS = 20, NEAR_CHANGE_DAYS = 2 };

static const struct {
	const char *zone;
	const char *from;
} batches[BATCHES] = {
	{ "UTC", "2026-12-29" },
	{ "Europe/Berlin", "2026-03-28" },
	{ "America/New_York", "2027-11-06" },
	{ "Australia/Lord_Howe", "2028-03-31" },
	{ "Africa/Casablanca", "2026-02-27" },
};

static struct arena arena;
static struct err e;

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
	ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
}

static void teardown(void)
{
	arena_release(&arena);
}

static void list_set(struct text *text, const bool *set, int low, int high)
{
	const char *comma = "";

	for (int value = low; value <= high; value++)
		if (set[value]) {
			text_addf(text, "%s%02d", comma, value);
			comma = ",";
		}
}

/* "Mon,Tue *-01,02-03 04:05:00 Zone" */
static const char *as_calendar(const struct cron_draw *draw, const char *zone)
{
	static const char *const names[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	struct text text = { 0 };
	const char *comma = "";
	const char *written;

	for (int day = 0; day < 7; day++)
		if (draw->weekdays[day]) {
			text_addf(&text, "%s%s", comma, names[day]);
			comma = ",";
		}
	text_add(&text, " *-");
	list_set(&text, draw->months, 1, 12);
	text_add(&text, "-");
	list_set(&text, draw->days, 1, 31);
	text_add(&text, " ");
	list_set(&text, draw->hours, 0, 23);
	text_add(&text, ":");
	list_set(&text, draw->minutes, 0, 59);
	text_addf(&text, ":00 %s", zone);
	written = arena_copy(&arena, text_str(&text));
	text_release(&text);
	return written;
}

struct tally {
	int agreed;
	int skipped;
};

/* Are clocks set within two days of this moment? */
static bool is_near_change(const struct zone *zone, int64_t wall_ns)
{
	const int64_t near_ns = NEAR_CHANGE_DAYS * 24 * 3600 * NS_PER_S;
	int64_t change_ns;

	return zone_next_change(zone, wall_ns - near_ns, &change_ns) &&
	       change_ns <= wall_ns + near_ns;
}

/* "Sat 2026-10-24 22:30:00 UTC" */
static int64_t read_moment(const char *at, const struct zone *utc)
{
	char text[20];
	int64_t wall_ns = 0;

	memcpy(text, at + 4, 16);
	text[10] = 'T';
	text[16] = '\0';
	ck_assert_msg(zone_parse_moment(text, utc, &wall_ns, &e), "systemd says %.30s", at);
	return wall_ns;
}

static const char *next_moment(const char *at)
{
	const char *elapse = strstr(at, "Next elapse: ");
	const char *iteration = strstr(at, "Iter. #");

	if (elapse != NULL && (iteration == NULL || elapse < iteration))
		return elapse + strlen("Next elapse: ");
	return iteration == NULL ? NULL : strstr(iteration, ": ") + 2;
}

/* One answer of systemd against ours; each moment is looked for from systemd's last one on. */
static void compare(const struct cron_draw *draw, const struct zone *zone, int64_t from_ns,
		    const char *answer, struct tally *tally)
{
	struct cron cron;
	const struct zone *utc;
	size_t offset_bytes;
	int64_t ours_ns = from_ns;

	ck_assert(zone_load("UTC", &arena, &utc, &e));
	ck_assert_msg(cron_parse(draw->text, &cron, &offset_bytes, &e), "%s", e.text);
	for (const char *at = next_moment(answer); at != NULL; at = next_moment(at)) {
		const int64_t theirs_ns = strncmp(at, "never", 5) == 0 ? -1 : read_moment(at, utc);
		int64_t next_ns = -1;

		if (!cron_next(&cron, zone, ours_ns, &next_ns))
			next_ns = -1;
		if (theirs_ns == next_ns) {
			tally->agreed++;
		} else {
			ck_assert_msg(is_near_change(zone, theirs_ns) || is_near_change(zone, next_ns),
				      "`%s`: %lld, systemd: %lld", draw->text,
				      (long long)(next_ns / NS_PER_S), (long long)(theirs_ns / NS_PER_S));
			tally->skipped++;
		}
		if (theirs_ns == -1)
			break;
		ours_ns = theirs_ns;
	}
}

static void compare_batch(struct random *random, size_t batch, struct tally *tally)
{
	struct cron_draw draws[BATCH_SIZE];
	const char *argv[BATCH_SIZE + 6] = { "systemd-analyze", "calendar" };
	struct text output = { 0 };
	const struct zone *zone;
	const struct zone *utc;
	int64_t from_ns;
	size_t count = 2;

	ck_assert_msg(zone_load(batches[batch].zone, &arena, &zone, &e), "%s", e.text);
	ck_assert(zone_load("UTC", &arena, &utc, &e));
	ck_assert(zone_parse_moment(batches[batch].from, utc, &from_ns, &e));
	argv[count++] = arena_format(&arena, "--base-time=%s 00:00:00 UTC", batches[batch].from);
	argv[count++] = arena_format(&arena, "--iterations=%d", ITERATIONS);
	for (int i = 0; i < BATCH_SIZE; i++) {
		cron_draw(random, false, &draws[i]);
		argv[count++] = as_calendar(&draws[i], batches[batch].zone);
	}
	ck_assert_msg(tool_run(argv, &output) == 0, "%s", text_str(&output));

	char *at = output.owned_bytes;

	for (int i = 0; i < BATCH_SIZE; i++) {
		ck_assert_ptr_nonnull(at);

		char *end = strstr(at, "\n\n"); /* an empty line between the answers */

		if (end != NULL)
			*end = '\0';
		compare(&draws[i], zone, from_ns, at, tally);
		at = end == NULL ? NULL : end + 2;
	}
	text_release(&output);
}

START_TEST(test_cron_next_agrees_with_systemd_on_200_expressions)
{
	static const char *const version[] = { "systemd-analyze", "--version", NULL };
	struct random random = random_from_seed(52);
	struct text output = { 0 };
	struct tally tally = { 0 };
	const int code = tool_run(version, &output);

	text_release(&output);
	if (code != 0) {
		(void)printf("skipped: cron against systemd: there is no systemd-analyze\n");
		return;
	}
	for (size_t i = 0; i < BATCHES; i++)
		compare_batch(&random, i, &tally);
	(void)printf("cron against systemd: %d expressions, %d moments the same, %d skipped next to a "
		     "change of the clocks\n", BATCHES * BATCH_SIZE, tally.agreed, tally.skipped);
	ck_assert_int_gt(tally.agreed, 3500);
	ck_assert_int_gt(tally.skipped, 0); /* else no batch came near to a change */
	ck_assert_int_lt(tally.skipped, tally.agreed / 10);
}
END_TEST

void suite_cron_systemd(Suite *suite)
{
	TCase *tcase = tcase_create("cron_systemd");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_cron_next_agrees_with_systemd_on_200_expressions);
	suite_add_tcase(suite, tcase);
}
