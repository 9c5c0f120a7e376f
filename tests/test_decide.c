/*
 * test_decide.c - what is to be done now: due, late, missed, busy, paused, a chaos day under way, and clocks
 * that are set.
 */
#include "fixtures/schedule_try.h"

#include <string.h>

#include "tests/suites.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static struct schedule_try try;
static struct schedule *const schedule = &try.schedule;
static struct schedule_state *const state = &try.state;

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

static const struct schedule_decision *only(void)
{
	return schedule_try_only(&try);
}

START_TEST(test_schedule_decide_starts_once_and_wakes_for_the_next)
{
	const int64_t due_ns = at("2026-11-21T10:00");

	state->since_wall_ns = at("2026-11-21");
	schedule_try_decide(&try, due_ns - 1);
	ck_assert_uint_eq(try.decided.count, 0);
	ck_assert_int_eq(try.decided.wake_wall_ns, due_ns);
	schedule_try_decide(&try, due_ns + 3 * NS_PER_MS);
	ck_assert_int_eq(only()->deed, DEED_START);
	ck_assert_int_eq(only()->nominal_wall_ns, due_ns);
	ck_assert_ptr_null(only()->why);
	ck_assert_int_eq(try.decided.wake_wall_ns, at("2026-11-22T10:00"));
	schedule_try_decide(&try, due_ns + 3 * NS_PER_MS);
	ck_assert_uint_eq(try.decided.count, 1); /* as long as the mark is not kept */
	schedule_try_keep(&try, due_ns, HOUR_NS);
	schedule_try_decide(&try, due_ns + 3 * NS_PER_MS);
	ck_assert_uint_eq(try.decided.count, 0);
}
END_TEST

START_TEST(test_schedule_decide_looks_at_nothing_from_before_it_was_first_seen)
{
	state->since_wall_ns = at("2026-11-21T10:01");
	schedule_try_decide(&try, at("2026-11-21T10:01"));
	ck_assert_uint_eq(try.decided.count, 0);
	ck_assert_int_eq(try.decided.wake_wall_ns, at("2026-11-22T10:00"));
}
END_TEST

/* Three days of absence, ended so many minutes after the third one was due. */
static void be_absent(int64_t late_minutes)
{
	state->has_handled = true;
	state->handled_wall_ns = at("2026-11-18T10:00");
	schedule_try_decide(&try, at("2026-11-21T10:00") + late_minutes * MINUTE_NS);
}

START_TEST(test_schedule_decide_missed_ones_follow_the_policy)
{
	static const struct {
		enum schedule_missed missed;
		int64_t late_minutes;
		enum schedule_deed deed;
		bool is_alert;
	} rows[] = {
		{ MISSED_SKIP, 1, DEED_START, true },  { MISSED_SKIP, 2, DEED_MISS, false },
		{ MISSED_ALERT, 2, DEED_MISS, true },  { MISSED_RUN, 2, DEED_START, false },
		{ MISSED_RUN, 120, DEED_START, false }, { MISSED_RUN, 121, DEED_MISS, true },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		schedule->missed = rows[i].missed;
		schedule->grace_ns = 2 * HOUR_NS;
		be_absent(rows[i].late_minutes);
		/* Those of the 19th and the 20th as one, then that of the 21st. */
		ck_assert_uint_eq(try.decided.count, 2);
		ck_assert_int_eq(try.decided.decisions[0].deed, DEED_MISS);
		ck_assert_uint_eq(try.decided.decisions[0].count, 2);
		ck_assert_int_eq(try.decided.decisions[0].is_alert, rows[i].missed != MISSED_SKIP);
		ck_assert_msg(try.decided.decisions[1].deed == rows[i].deed, "row %zu: deed %d", i,
			      (int)try.decided.decisions[1].deed);
		if (rows[i].deed == DEED_MISS)
			ck_assert_int_eq(try.decided.decisions[1].is_alert, rows[i].is_alert);
		ck_assert_int_eq(try.decided.decisions[1].nominal_wall_ns, at("2026-11-21T10:00"));
	}
}
END_TEST

START_TEST(test_schedule_decide_does_not_call_missed_what_was_frozen)
{
	const struct policy_freeze freeze =
		schedule_try_freeze(&try, "2026-11-19", "2026-11-20");

	schedule->freezes = &freeze;
	schedule->freeze_count = 1;
	schedule->missed = MISSED_ALERT;
	be_absent(0);
	ck_assert_uint_eq(try.decided.count, 2);
	ck_assert_int_eq(try.decided.decisions[0].deed, DEED_SKIP);
	ck_assert_int_eq(try.decided.decisions[0].fate, FATE_FROZEN);
	ck_assert_uint_eq(try.decided.decisions[0].count, 2);
	ck_assert_int_eq(try.decided.decisions[1].deed, DEED_START);
}
END_TEST

START_TEST(test_schedule_decide_a_late_run_that_is_frozen_meanwhile_is_skipped)
{
	const struct policy_freeze freeze =
		schedule_try_freeze(&try, "2026-11-22", "2026-11-22");

	schedule->freezes = &freeze;
	schedule->freeze_count = 1;
	schedule->missed = MISSED_RUN;
	schedule->grace_ns = 20 * HOUR_NS;
	state->has_handled = true;
	state->handled_wall_ns = at("2026-11-20T10:00");
	schedule_try_decide(&try, at("2026-11-22T01:00"));
	ck_assert_int_eq(only()->deed, DEED_SKIP);
	ck_assert_int_eq(only()->fate, FATE_FROZEN);
}
END_TEST

START_TEST(test_schedule_decide_not_after_ends_the_grace)
{
	schedule->missed = MISSED_RUN;
	schedule->grace_ns = 2 * HOUR_NS;
	schedule->has_not_after = true;
	schedule->not_after_minute = 10 * 60 + 30;
	state->has_handled = true;
	state->handled_wall_ns = at("2026-11-20T10:00");
	schedule_try_decide(&try, at("2026-11-21T10:31") - 1);
	ck_assert_int_eq(only()->deed, DEED_START);
	ck_assert_int_eq(only()->latest_wall_ns, at("2026-11-21T10:31") - 1);
	schedule_try_decide(&try, at("2026-11-21T10:31"));
	ck_assert_int_eq(only()->deed, DEED_MISS);
	ck_assert(only()->is_alert);
}
END_TEST

START_TEST(test_schedule_decide_paused_is_skipped_and_not_made_up_for)
{
	const struct schedule_pause pause = { "nightly", "anna", "INC-7", at("2026-11-21T09:00") };

	state->has_handled = true;
	state->handled_wall_ns = at("2026-11-20T10:00");
	state->pause = &pause;
	schedule_try_decide(&try, at("2026-11-21T10:00"));
	ck_assert_int_eq(only()->deed, DEED_SKIP);
	ck_assert_int_eq(only()->fate, FATE_PAUSED);
	ck_assert_str_eq(only()->why, "by anna: INC-7");
	schedule_try_keep(&try, at("2026-11-21T10:00"), 0);
	state->pause = NULL;
	schedule_try_decide(&try, at("2026-11-21T10:00") + MINUTE_NS);
	ck_assert_uint_eq(try.decided.count, 0);
}
END_TEST

START_TEST(test_schedule_decide_clock_set_back_repeats_nothing)
{
	state->has_handled = true;
	state->handled_wall_ns = at("2026-11-21T10:00");
	/* From after the run to an hour before it, and forward again. */
	schedule_try_decide(&try, at("2026-11-21T09:00"));
	ck_assert_uint_eq(try.decided.count, 0);
	ck_assert_ptr_null(try.decided.trouble);
	ck_assert_int_eq(try.decided.wake_wall_ns, at("2026-11-22T10:00"));
	schedule_try_decide(&try, at("2026-11-21T10:00"));
	ck_assert_uint_eq(try.decided.count, 0);
	schedule_try_decide(&try, at("2026-11-22T10:00"));
	ck_assert_int_eq(only()->deed, DEED_START);
}
END_TEST

START_TEST(test_schedule_decide_mark_of_a_clock_that_was_years_ahead_is_set_aside)
{
	state->has_handled = true;
	state->handled_wall_ns = at("2031-01-01T10:00");
	schedule_try_decide(&try, at("2026-11-21T09:59"));
	ck_assert_uint_eq(try.decided.count, 0);
	ck_assert_ptr_nonnull(strstr(try.decided.trouble, "schedule `nightly`"));
	ck_assert_int_eq(try.decided.wake_wall_ns, at("2026-11-21T10:00"));
	schedule_try_decide(&try, at("2026-11-21T10:00") + NS_PER_MS);
	ck_assert_int_eq(only()->deed, DEED_START);
	schedule_try_keep(&try, at("2026-11-21T10:00"), 0);
	schedule_try_decide(&try, at("2026-11-21T10:00") + NS_PER_MS);
	ck_assert_uint_eq(try.decided.count, 0);
	ck_assert_ptr_null(try.decided.trouble);
}
END_TEST

START_TEST(test_schedule_decide_clock_set_forward_is_an_absence)
{
	state->has_handled = true;
	state->handled_wall_ns = at("2026-11-20T10:00");
	schedule->missed = MISSED_ALERT;
	schedule_try_decide(&try, at("2026-11-21T10:30"));
	ck_assert_int_eq(only()->deed, DEED_MISS);
	ck_assert(only()->is_alert);
	ck_assert_str_eq(only()->why, "30 min 0 s late");
}
END_TEST

START_TEST(test_schedule_decide_own_run_under_way_skips_or_waits)
{
	state->has_handled = true;
	state->handled_wall_ns = at("2026-11-20T10:00");
	state->is_running = true;
	schedule_try_decide(&try, at("2026-11-21T10:00"));
	ck_assert_int_eq(only()->deed, DEED_SKIP);
	ck_assert_int_eq(only()->fate, FATE_BUSY);

	schedule->overlap = OVERLAP_WAIT;
	schedule_try_decide(&try, at("2026-11-21T10:00"));
	ck_assert_uint_eq(try.decided.count, 0);
	ck_assert_int_eq(try.decided.wake_wall_ns, at("2026-11-22T10:00"));
	state->is_running = false;
	state->has_ended = true;
	state->ended_wall_ns = at("2026-11-21T15:00");
	schedule_try_decide(&try, at("2026-11-21T15:00") + NS_PER_S);
	ck_assert_int_eq(only()->deed, DEED_START); /* it has waited, so it is not late */
}
END_TEST

START_TEST(test_schedule_decide_waiting_ends_with_the_next_one_or_not_after)
{
	schedule->overlap = OVERLAP_WAIT;
	state->has_handled = true;
	state->handled_wall_ns = at("2026-11-20T10:00");
	state->is_running = true;
	schedule_try_decide(&try, at("2026-11-22T10:00"));
	ck_assert_int_eq(only()->deed, DEED_SKIP); /* the one of the 21st; that of the 22nd waits */
	ck_assert_int_eq(only()->nominal_wall_ns, at("2026-11-21T10:00"));
	ck_assert_int_eq(only()->fate, FATE_BUSY);

	schedule->has_not_after = true;
	schedule->not_after_minute = 11 * 60;
	schedule_try_decide(&try, at("2026-11-21T10:00"));
	ck_assert_uint_eq(try.decided.count, 0);
	ck_assert_int_eq(try.decided.wake_wall_ns, at("2026-11-21T11:01"));
	schedule_try_decide(&try, try.decided.wake_wall_ns);
	ck_assert_int_eq(only()->deed, DEED_SKIP);
	ck_assert_int_eq(only()->fate, FATE_BUSY);
}
END_TEST

START_TEST(test_schedule_decide_after_a_year_of_absence_catches_up_in_bounded_rounds)
{
	size_t missed_count = 0;
	size_t round_count = 0;
	const int64_t now_ns = at("2026-11-21T10:00") + NS_PER_S;

	schedule_try_cron(&try, "*/15 * * * *");
	state->has_handled = true;
	state->handled_wall_ns = at("2025-11-21T10:00");
	do {
		schedule_try_decide(&try, now_ns);
		ck_assert_uint_le(try.decided.count, 2);
		for (size_t i = 0; i < try.decided.count; i++)
			if (try.decided.decisions[i].deed == DEED_MISS)
				missed_count += try.decided.decisions[i].count;
		schedule_try_keep(&try, now_ns, 0);
		ck_assert_uint_lt(++round_count, 40);
	} while (try.decided.wake_wall_ns <= now_ns);
	ck_assert_uint_eq(missed_count, 365 * 24 * 4 - 1);
	ck_assert_int_eq(try.decided.decisions[try.decided.count - 1].deed, DEED_START);
}
END_TEST

/* Runs of 20 minutes on a day from ten to two: how many, none at one time, none after the end. */
START_TEST(test_schedule_decide_a_chaos_day_goes_on_one_at_a_time_until_it_is_over)
{
	const int64_t begin_ns = at("2026-11-21T10:00");
	int64_t now_ns = begin_ns;
	int64_t free_ns = 0;
	size_t begun_count = 0;

	schedule_try_chaos_day(&try);
	state->has_handled = true;
	state->handled_wall_ns = at("2026-11-20T10:00");
	while (now_ns < at("2026-11-22T10:00")) {
		schedule_try_decide(&try, now_ns);
		if (try.decided.count > 0) {
			const struct chaos_turn turn =
				schedule_chaos_turn(schedule, begin_ns, begun_count);

			ck_assert_int_eq(only()->deed, DEED_START);
			ck_assert_int_ge(now_ns, free_ns + (begun_count == 0 ? 0 : turn.pause_ns));
			ck_assert_int_le(now_ns, begin_ns + 4 * HOUR_NS);
			if (begun_count > 0)
				ck_assert_int_eq(only()->latest_wall_ns, begin_ns + 4 * HOUR_NS);
			ck_assert_uint_eq(only()->experiment_index, turn.experiment_index);
			ck_assert_int_eq(only()->nominal_wall_ns, begin_ns);
			begun_count++;
			schedule_try_keep(&try, now_ns, 20 * MINUTE_NS);
			ck_assert_uint_eq(state->begun_count, begun_count);
			free_ns = now_ns + 20 * MINUTE_NS;
			state->is_running = true;
			schedule_try_decide(&try, now_ns + MINUTE_NS);
			ck_assert_uint_eq(try.decided.count, 0); /* never two at one time */
			state->is_running = false;
			now_ns = free_ns;
			continue;
		}
		ck_assert_int_gt(try.decided.wake_wall_ns, now_ns);
		now_ns = try.decided.wake_wall_ns;
	}
	ck_assert_uint_ge(begun_count, 4);
	ck_assert_uint_le(begun_count, 8);
}
END_TEST

START_TEST(test_schedule_decide_a_chaos_day_passes_over_what_is_frozen_meanwhile)
{
	const struct policy_freeze freeze =
		schedule_try_freeze(&try, "2026-11-21", "2026-11-21");

	schedule_try_chaos_day(&try);
	state->has_handled = true;
	state->handled_wall_ns = at("2026-11-21T10:00");
	state->begun_count = 1;
	state->has_ended = true;
	state->ended_wall_ns = at("2026-11-21T10:30");
	schedule->freezes = &freeze; /* somebody has frozen the day after it began */
	schedule->freeze_count = 1;
	schedule_try_decide(&try, at("2026-11-21T11:30"));
	ck_assert_int_eq(only()->deed, DEED_SKIP);
	ck_assert_int_eq(only()->fate, FATE_FROZEN);
	ck_assert_uint_eq(only()->begun_count, 2);
	schedule_try_keep(&try, at("2026-11-21T11:30"), 0);
	schedule_try_decide(&try, at("2026-11-21T11:30"));
	ck_assert_uint_eq(try.decided.count, 0); /* a pause follows, so nobody is kept busy with this */
	ck_assert_int_ge(try.decided.wake_wall_ns, at("2026-11-21T11:40"));
}
END_TEST

void suite_decide(Suite *suite)
{
	TCase *tcase = tcase_create("decide");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_schedule_decide_starts_once_and_wakes_for_the_next);
	tcase_add_test(tcase, test_schedule_decide_looks_at_nothing_from_before_it_was_first_seen);
	tcase_add_test(tcase, test_schedule_decide_missed_ones_follow_the_policy);
	tcase_add_test(tcase, test_schedule_decide_does_not_call_missed_what_was_frozen);
	tcase_add_test(tcase, test_schedule_decide_a_late_run_that_is_frozen_meanwhile_is_skipped);
	tcase_add_test(tcase, test_schedule_decide_not_after_ends_the_grace);
	tcase_add_test(tcase, test_schedule_decide_paused_is_skipped_and_not_made_up_for);
	tcase_add_test(tcase, test_schedule_decide_clock_set_back_repeats_nothing);
	tcase_add_test(tcase, test_schedule_decide_mark_of_a_clock_that_was_years_ahead_is_set_aside);
	tcase_add_test(tcase, test_schedule_decide_clock_set_forward_is_an_absence);
	tcase_add_test(tcase, test_schedule_decide_own_run_under_way_skips_or_waits);
	tcase_add_test(tcase, test_schedule_decide_waiting_ends_with_the_next_one_or_not_after);
	tcase_add_test(tcase, test_schedule_decide_after_a_year_of_absence_catches_up_in_bounded_rounds);
	tcase_add_test(tcase, test_schedule_decide_a_chaos_day_goes_on_one_at_a_time_until_it_is_over);
	tcase_add_test(tcase, test_schedule_decide_a_chaos_day_passes_over_what_is_frozen_meanwhile);
	suite_add_tcase(suite, tcase);
}
