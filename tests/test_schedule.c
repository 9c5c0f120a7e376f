/*
 * test_schedule.c - occurrences: jitter, random moments, windows, frozen times, and the turns of a chaos
 * day.
 */
#include "fixtures/schedule_try.h"

#include <string.h>

#include "tests/suites.h"

static struct schedule_try try;
static struct schedule *const schedule = &try.schedule;

static void setup(void)
{
	schedule_try_init(&try);
}

static void teardown(void)
{
	schedule_try_release(&try);
}

static int64_t at(const char *text)
{
	return schedule_try_at(&try, text);
}

/* The first occurrences from a day on, in one text: "2026-11-21T09:00:00 runs; ..." */
static const char *next_ones(const char *from, size_t count)
{
	struct occurrence occurrences[40];
	struct text text = { 0 };
	char wall[32];
	const char *listed;

	ck_assert_uint_eq(schedule_next(schedule, NULL, at(from) - 1, count, &try.arena, occurrences),
			  count);
	for (size_t i = 0; i < count; i++) {
		clock_format_wall(occurrences[i].due_wall_ns, wall, sizeof wall);
		text_addf(&text, "%s%.16s %s", i == 0 ? "" : "; ", wall,
			  occurrences[i].why == NULL ? "runs" : occurrences[i].why);
	}
	listed = arena_copy(&try.arena, text_str(&text));
	text_release(&text);
	return listed;
}

/* ---- occurrences ---- */

START_TEST(test_schedule_next_keeps_its_hour_over_both_changes)
{
	ck_assert_str_eq(next_ones("2026-03-28", 2), "2026-03-28T09:00 runs; 2026-03-29T08:00 runs");
	ck_assert_str_eq(next_ones("2026-10-24", 2), "2026-10-24T08:00 runs; 2026-10-25T09:00 runs");
}
END_TEST

START_TEST(test_schedule_next_says_which_are_frozen_or_outside_the_window)
{
	const struct policy_freeze freeze =
		schedule_try_freeze(&try, "2026-12-24", "2026-12-25");
	const struct policy_window window = { .days = 0x1f, .until_minute = 24 * 60,
					      .zone = schedule->zone, .text = "mon-fri" };

	schedule->freezes = &freeze;
	schedule->freeze_count = 1;
	try.policy.windows = &window;
	try.policy.window_count = 1;
	ck_assert_str_eq(next_ones("2026-12-23", 5),
			 "2026-12-23T09:00 runs; 2026-12-24T09:00 a frozen time (audit); "
			 "2026-12-25T09:00 a frozen time (audit); 2026-12-26T09:00 mon-fri; "
			 "2026-12-27T09:00 mon-fri");
}
END_TEST

START_TEST(test_schedule_next_is_closed_after_not_after)
{
	schedule_try_cron(&try, "0 10-12 * * *");
	schedule->has_not_after = true;
	schedule->not_after_minute = 11 * 60;
	ck_assert_str_eq(next_ones("2026-11-21", 3), "2026-11-21T09:00 runs; 2026-11-21T10:00 runs; "
						     "2026-11-21T11:00 not after 11:00");
}
END_TEST

START_TEST(test_schedule_next_of_a_paused_schedule_says_who_and_why)
{
	const struct schedule_pause pause = { "nightly", "anna", "INC-7", at("2026-11-20") };
	struct occurrence next;

	ck_assert_uint_eq(schedule_next(schedule, &pause, at("2026-11-21"), 1, &try.arena, &next), 1);
	ck_assert_int_eq(next.fate, FATE_PAUSED);
	ck_assert_str_eq(next.why, "by anna: INC-7");
}
END_TEST

/* A year of jitter: within its bounds, never the same for long, and the same when asked again. */
START_TEST(test_schedule_next_draws_a_jitter_that_every_machine_draws)
{
	struct occurrence ours[365];
	struct occurrence again[365];
	int64_t least_ns = INT64_MAX;
	int64_t most_ns = 0;
	size_t found_count = 0;

	schedule->jitter_ns = 20 * MINUTE_NS;
	ck_assert_uint_eq(schedule_next(schedule, NULL, at("2026-01-01"), 365, &try.arena, ours), 365);
	ck_assert_uint_eq(schedule_next(schedule, NULL, at("2026-06-01"), 10, &try.arena, again), 10);
	for (size_t i = 0; i < 365; i++) {
		const int64_t jitter_ns = ours[i].due_wall_ns - ours[i].nominal_wall_ns;

		least_ns = jitter_ns < least_ns ? jitter_ns : least_ns;
		most_ns = jitter_ns > most_ns ? jitter_ns : most_ns;
		if (ours[i].nominal_wall_ns == again[0].nominal_wall_ns) {
			ck_assert_int_eq(ours[i].due_wall_ns, again[0].due_wall_ns);
			ck_assert_int_eq(ours[i].latest_wall_ns, again[0].latest_wall_ns);
			ck_assert_int_eq(ours[i].fate, again[0].fate);
			found_count++;
		}
	}
	ck_assert_uint_eq(found_count, 1);
	ck_assert_int_ge(least_ns, 0);
	ck_assert_int_lt(least_ns, MINUTE_NS);
	ck_assert_int_gt(most_ns, 19 * MINUTE_NS);
	ck_assert_int_lt(most_ns, 20 * MINUTE_NS);
	/* SHA-256 of "due 1767258000 nightly", its first 64 bits through SplitMix64, modulo 1200: another
	   machine, or the next version, must not draw another one. */
	ck_assert_int_eq((ours[0].due_wall_ns - ours[0].nominal_wall_ns) / NS_PER_S, 719);
	schedule->name = "weekly";
	ck_assert_uint_eq(schedule_next(schedule, NULL, at("2026-06-01"), 10, &try.arena, ours), 10);
	ck_assert_int_ne(memcmp(ours, again, sizeof again[0] * 10), 0);
}
END_TEST

START_TEST(test_schedule_next_jitter_leads_neither_past_not_after_nor_to_the_next_one)
{
	struct occurrence next[100];

	schedule_try_cron(&try, "*/10 * * * *");
	schedule->jitter_ns = HOUR_NS;
	ck_assert_uint_eq(schedule_next(schedule, NULL, at("2026-11-21"), 100, &try.arena, next), 100);
	for (size_t i = 0; i < 100; i++)
		ck_assert_int_lt(next[i].due_wall_ns, next[i].nominal_wall_ns + 10 * MINUTE_NS);
	schedule_try_cron(&try, "0 10 * * *");
	schedule->has_not_after = true;
	schedule->not_after_minute = 10 * 60 + 5;
	ck_assert_uint_eq(schedule_next(schedule, NULL, at("2026-11-21"), 100, &try.arena, next), 100);
	for (size_t i = 0; i < 100; i++) {
		ck_assert_int_eq(next[i].fate, FATE_RUNS);
		ck_assert_int_lt(next[i].due_wall_ns, next[i].nominal_wall_ns + 6 * MINUTE_NS);
	}
}
END_TEST

START_TEST(test_schedule_next_random_comes_once_a_day_within_its_window)
{
	struct occurrence next[300];
	int64_t day = -1;

	schedule->kind = SCHEDULE_RANDOM;
	schedule->random = (struct random_time){ .days = 0x1f, .from_minute = 9 * 60,
						.until_minute = 17 * 60 };
	ck_assert_uint_eq(schedule_next(schedule, NULL, at("2026-01-01"), 300, &try.arena, next), 300);
	for (size_t i = 0; i < 300; i++) {
		const struct zone_time shown = zone_time_at(schedule->zone, next[i].due_wall_ns);

		ck_assert_int_lt(day, shown.day);
		ck_assert_int_lt(shown.weekday, 5);
		ck_assert_int_ge(shown.minute, 9 * 60);
		ck_assert_int_lt(shown.minute, 17 * 60);
		day = shown.day;
	}
}
END_TEST

START_TEST(test_schedule_next_random_over_midnight_is_found_while_its_window_is_open)
{
	struct occurrence open;
	struct occurrence again;

	schedule->kind = SCHEDULE_RANDOM;
	schedule->random = (struct random_time){ .days = 1u << 5, .from_minute = 22 * 60,
						.until_minute = 4 * 60 }; /* from Saturday on */
	ck_assert_uint_eq(schedule_next(schedule, NULL, at("2026-11-21"), 1, &try.arena, &open), 1);
	ck_assert_int_eq(open.nominal_wall_ns, at("2026-11-21T22:00"));
	ck_assert_int_lt(open.due_wall_ns, at("2026-11-22T04:00"));
	ck_assert_uint_eq(schedule_next(schedule, NULL, open.due_wall_ns - 1, 1, &try.arena, &again), 1);
	ck_assert_int_eq(again.due_wall_ns, open.due_wall_ns);
	ck_assert_uint_eq(schedule_next(schedule, NULL, open.due_wall_ns, 1, &try.arena, &again), 1);
	ck_assert_int_eq(again.nominal_wall_ns, at("2026-11-28T22:00"));
}
END_TEST

START_TEST(test_schedule_chaos_turn_gives_each_one_its_turn_before_one_comes_again)
{
	bool has_other_order = false;

	schedule_try_chaos_day(&try);
	for (size_t round = 0; round < 20; round++) {
		unsigned seen = 0;

		for (size_t i = 0; i < SCHEDULE_TRY_POOL; i++) {
			const size_t index = round * SCHEDULE_TRY_POOL + i;
			const struct chaos_turn turn =
				schedule_chaos_turn(schedule, at("2026-11-21"), index);

			seen |= 1u << turn.experiment_index;
			has_other_order = has_other_order || turn.experiment_index != i;
			if (index == 0)
				ck_assert_int_eq(turn.pause_ns, 0);
			else
				ck_assert(turn.pause_ns >= schedule->pause_low_ns &&
					  turn.pause_ns <= schedule->pause_high_ns);
		}
		ck_assert_uint_eq(seen, 7);
	}
	ck_assert(has_other_order);
}
END_TEST

void suite_schedule(Suite *suite)
{
	TCase *tcase = tcase_create("schedule");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_schedule_next_keeps_its_hour_over_both_changes);
	tcase_add_test(tcase, test_schedule_next_says_which_are_frozen_or_outside_the_window);
	tcase_add_test(tcase, test_schedule_next_is_closed_after_not_after);
	tcase_add_test(tcase, test_schedule_next_of_a_paused_schedule_says_who_and_why);
	tcase_add_test(tcase, test_schedule_next_draws_a_jitter_that_every_machine_draws);
	tcase_add_test(tcase, test_schedule_next_jitter_leads_neither_past_not_after_nor_to_the_next_one);
	tcase_add_test(tcase, test_schedule_next_random_comes_once_a_day_within_its_window);
	tcase_add_test(tcase, test_schedule_next_random_over_midnight_is_found_while_its_window_is_open);
	tcase_add_test(tcase, test_schedule_chaos_turn_gives_each_one_its_turn_before_one_comes_again);
	suite_add_tcase(suite, tcase);
}
