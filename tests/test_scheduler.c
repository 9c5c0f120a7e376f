/*
 * test_scheduler.c - what a scheduler puts into the store, and whom it alerts, when the time passes as it does:
 * on time, in leaps, and backwards. The clock is simulated, and far ahead of every store's own.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "fixtures/schedule_try.h"
#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "tests/suites.h"
#include "worker/scheduler.h"

static char *folder;
static struct text place;
static struct store *store;
static struct schedule_try try;
static const struct schedule *items[1];
static const struct schedule_list schedules = { .items = items, .count = 1 };
static struct scheduler scheduler;
static int64_t wall_ns;
static struct text said;
static struct text alerted;
static struct arena arena;
static struct err e;

/* ---- a machine of our own ---- */

static int64_t tell_wall(void *ctx)
{
	(void)ctx;
	return wall_ns;
}

static void say(void *ctx, const char *line)
{
	(void)ctx;
	text_addf(&said, "%s\n", line);
}

static void alert(void *ctx, const struct scheduler_alert *alerts, size_t count)
{
	(void)ctx;
	for (size_t i = 0; i < count; i++)
		text_addf(&alerted, "%s %zu %s: %s\n", alerts[i].schedule->name, alerts[i].count,
			  alerts[i].experiment->path, alerts[i].why);
}

static bool keep_schedules(void *ctx, const struct schedule_list **ret_schedules)
{
	(void)ctx;
	(void)ret_schedules;
	return false;
}

/* It is there when somebody asks for it. */
static void block_and_raise(int number)
{
	sigset_t mask;

	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, number);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &mask, NULL), 0);
	ck_assert_int_eq(raise(number), 0);
}

static void set_clock(const char *moment)
{
	wall_ns = schedule_try_at(&try, moment);
}

static void setup(void)
{
	folder = temp_dir_make();
	memset(&place, 0, sizeof place);
	memset(&said, 0, sizeof said);
	memset(&alerted, 0, sizeof alerted);
	memset(&arena, 0, sizeof arena);
	memset(&e, 0, sizeof e);
	store_try_place(folder, &place);
	ck_assert_msg(store_open(text_str(&place), NULL, &store, &e), "%s", e.text);
	schedule_try_init(&try);
	try.pool[0].path = "experiments/db-hang.yaml";
	items[0] = &try.schedule;
	scheduler = (struct scheduler){
		.store = store,
		.clock = { .wall_ns = tell_wall },
		.hands = { .alert = alert, .say = say },
		.schedules = &schedules,
	};
	set_clock("2101-03-01T12:00");
}

static void teardown(void)
{
	schedule_try_release(&try);
	store_close(store);
	text_release(&place);
	text_release(&said);
	text_release(&alerted);
	arena_release(&arena);
	temp_dir_remove(folder);
}

/* When to look again. */
static int64_t look(void)
{
	int64_t wake_ns = 0;

	ck_assert_msg(scheduler_look(&scheduler, &wake_ns, &e), "%s", e.text);
	return wake_ns;
}

static void look_at(const char *moment)
{
	set_clock(moment);
	(void)look();
}

static struct due_row *rows;
static size_t row_count;

static void read_rows(void)
{
	ck_assert_msg(store_dues(store, 0, &arena, &rows, &row_count, &e), "%s", e.text);
}

static size_t count_in(enum due_state state)
{
	size_t count = 0;

	read_rows();
	for (size_t i = 0; i < row_count; i++)
		count += rows[i].state == state;
	return count;
}

/* ---- as time passes ---- */

START_TEST(test_look_for_the_first_time_puts_a_mark_and_nothing_from_before)
{
	const int64_t wake_ns = look();

	ck_assert_uint_eq(count_in(DUE_SKIPPED), 1);
	ck_assert_uint_eq(row_count, 1);
	ck_assert_str_eq(rows[0].sentence, "first seen: nothing from before is due");
	ck_assert_int_gt(wake_ns, wall_ns);
	ck_assert_int_le(wake_ns, wall_ns + 5 * NS_PER_S);
}
END_TEST

START_TEST(test_look_wakes_up_when_the_next_one_is_due)
{
	(void)look();
	set_clock("2101-03-02T09:59");
	wall_ns += 58 * NS_PER_S;
	ck_assert_int_eq(look(), schedule_try_at(&try, "2101-03-02T10:00"));
}
END_TEST

START_TEST(test_look_when_it_is_due_puts_it_once_whoever_looks)
{
	struct scheduler other = scheduler;
	struct due_row newest;
	int64_t wake_ns;
	bool is_there = false;

	(void)look();
	look_at("2101-03-02T10:00");
	ck_assert_msg(scheduler_look(&other, &wake_ns, &e), "%s", e.text);
	(void)look();
	ck_assert_uint_eq(count_in(DUE_WAITS), 1);
	ck_assert_uint_eq(row_count, 2);
	ck_assert_msg(store_due_newest(store, "nightly", &arena, &is_there, &newest, &e), "%s", e.text);
	ck_assert_int_eq(newest.due_wall_ns, wall_ns);
	ck_assert_ptr_nonnull(strstr(newest.experiment_path, "/experiments/db-hang.yaml"));
	ck_assert_str_eq(text_str(&said), "nightly: due\n");
	ck_assert_str_eq(text_str(&alerted), "");
}
END_TEST

/* ---- in leaps: the machine slept, the clock was set, nobody was there ---- */

START_TEST(test_look_after_a_leap_alerts_once_for_all_that_were_missed)
{
	struct scheduler other = scheduler;
	int64_t wake_ns;

	try.schedule.missed = MISSED_ALERT;
	(void)look();
	look_at("2101-03-04T15:00");
	ck_assert_msg(scheduler_look(&other, &wake_ns, &e), "%s", e.text);
	(void)look();
	ck_assert_uint_eq(count_in(DUE_MISSED), 2); /* the newest, and those before it */
	ck_assert_int_eq(rows[0].due_wall_ns, schedule_try_at(&try, "2101-03-04T10:00"));
	ck_assert_msg(strstr(text_str(&alerted), "nightly 3 experiments/db-hang.yaml: ") ==
				      text_str(&alerted) &&
			      strchr(text_str(&alerted), '\n')[1] == '\0',
		      "%s", text_str(&alerted));
}
END_TEST

START_TEST(test_look_after_a_leap_runs_the_newest_within_its_grace)
{
	try.schedule.missed = MISSED_RUN;
	try.schedule.grace_ns = 6 * HOUR_NS;
	(void)look();
	look_at("2101-03-04T15:00");
	ck_assert_uint_eq(count_in(DUE_WAITS), 1);
	ck_assert_uint_eq(count_in(DUE_MISSED), 1);
	ck_assert_msg(strstr(text_str(&alerted), "nightly 2 ") == text_str(&alerted), "%s",
		      text_str(&alerted));
}
END_TEST

/* Workers may be busy: they have as long as the schedule gives them, and not a second after `not_after`. */
START_TEST(test_look_lets_a_worker_begin_within_the_grace_and_never_after_not_after)
{
	static const struct {
		enum schedule_missed missed;
		bool has_not_after;
		const char *latest;
	} cases[] = {
		{ MISSED_ALERT, false, "2101-03-02T10:01" },
		{ MISSED_RUN, false, "2101-03-02T12:01" },
		{ MISSED_ALERT, true, "2101-03-02T10:01" },
		{ MISSED_RUN, true, "2101-03-02T10:31" },
	};
	const size_t count = sizeof cases / sizeof cases[0];
	static const char *const names[] = { "a", "b", "c", "d" };

	for (size_t i = 0; i < count; i++) {
		try.schedule.name = names[i];
		try.schedule.missed = cases[i].missed;
		try.schedule.grace_ns = 2 * HOUR_NS;
		try.schedule.has_not_after = cases[i].has_not_after;
		try.schedule.not_after_minute = 10 * 60 + 30;
		look_at("2101-03-01T12:00");
		look_at("2101-03-02T10:00");
		read_rows();
		ck_assert_str_eq(rows[0].schedule, names[i]);
		ck_assert_int_eq(rows[0].state, DUE_WAITS);
		ck_assert_msg(rows[0].latest_wall_ns ==
				      schedule_try_at(&try, cases[i].latest) -
					      (cases[i].has_not_after && cases[i].missed == MISSED_RUN),
			      "case %zu", i);
	}
}
END_TEST

START_TEST(test_look_after_a_leap_alerts_nobody_when_it_is_to_be_skipped)
{
	(void)look();
	look_at("2101-03-04T15:00");
	ck_assert_uint_eq(count_in(DUE_MISSED), 2);
	ck_assert_str_eq(text_str(&alerted), "");
}
END_TEST

START_TEST(test_look_at_a_run_that_no_worker_took_alerts_once)
{
	struct scheduler other = scheduler;
	int64_t wake_ns;

	try.schedule.missed = MISSED_ALERT;
	(void)look();
	look_at("2101-03-02T10:00");
	store_try_sql(&place, "update dues set latest_wall_ns = 1 where state = 'due'", NULL);
	(void)look();
	ck_assert_msg(scheduler_look(&other, &wake_ns, &e), "%s", e.text);
	ck_assert_uint_eq(count_in(DUE_MISSED), 1);
	ck_assert_str_eq(text_str(&alerted), "nightly 1 experiments/db-hang.yaml: no worker that may run it was "
					     "there in time\n");
}
END_TEST

START_TEST(test_look_after_the_clock_was_set_back_puts_nothing_twice)
{
	(void)look();
	look_at("2101-03-02T10:00");
	look_at("2101-03-02T09:30");
	look_at("2101-03-02T10:00");
	read_rows();
	ck_assert_uint_eq(row_count, 2);
	ck_assert_str_eq(text_str(&said), "nightly: due\n");
}
END_TEST

START_TEST(test_look_after_the_clock_was_far_ahead_says_so_once_and_goes_on)
{
	look_at("2105-03-01T12:00");
	look_at("2101-03-02T09:59");
	look_at("2101-03-02T10:00");
	ck_assert_str_eq(text_str(&said), "schedule `nightly` was first seen at 2105-03-01T11:00Z, which lies "
					  "ahead: the clock was wrong then, or is now; it goes on from "
					  "now\nnightly: due\n");
	ck_assert_str_eq(text_str(&alerted), "");
}
END_TEST

/* ---- what cannot be ---- */

START_TEST(test_look_at_documents_that_cannot_be_read_misses_the_run_and_alerts)
{
	try.pool[0].path = "experiments/none.yaml";
	try.schedule.missed = MISSED_ALERT;
	(void)look();
	look_at("2101-03-02T10:00");
	ck_assert_uint_eq(count_in(DUE_MISSED), 1);
	ck_assert_msg(strstr(text_str(&alerted), "nightly 1 experiments/none.yaml: read ") ==
			      text_str(&alerted),
		      "%s", text_str(&alerted));
}
END_TEST

START_TEST(test_look_at_a_store_that_is_broken_fails_and_the_next_one_goes_on)
{
	int64_t wake_ns = 4711;

	(void)look();
	store_try_sql(&place, "alter table dues rename to away", NULL);
	set_clock("2101-03-02T10:00");
	ck_assert(!scheduler_look(&scheduler, &wake_ns, &e));
	ck_assert_int_eq(wake_ns, 4711);
	store_try_sql(&place, "alter table away rename to dues", NULL);
	look_at("2101-03-02T10:00");
	ck_assert_uint_eq(count_in(DUE_WAITS), 1);
}
END_TEST

/* What a restart of the server is, for a scheduler. */
START_TEST(test_look_after_the_server_was_restarted_goes_on)
{
	int64_t wake_ns;

	(void)look();
	store_try_sql(&place, "select pg_terminate_backend(pid) from pg_stat_activity"
			      " where pid <> pg_backend_pid() and backend_type = 'client backend'",
		      NULL);
	set_clock("2101-03-02T10:00");
	for (int i = 0; i < 2 && !scheduler_look(&scheduler, &wake_ns, &e); i++)
		;
	ck_assert_uint_eq(count_in(DUE_WAITS), 1);
}
END_TEST

/* A SQLite file under a name that somebody else has taken. */
START_TEST(test_run_ends_when_its_store_was_put_aside)
{
	struct text aside = { 0 };

	text_addf(&aside, "%s/aside.db", folder);
	scheduler.clock = clock_system();
	scheduler.hands.read = keep_schedules;
	block_and_raise(SIGHUP); /* so that it waits for nothing */
	ck_assert_int_eq(rename(text_str(&place), text_str(&aside)), 0);
	ck_assert(!scheduler_run(&scheduler, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "was put aside while it was open"));
	ck_assert_ptr_nonnull(strstr(text_str(&said), "what was read before stays"));
	text_release(&aside);
}
END_TEST

START_TEST(test_look_once_puts_all_that_is_due_now)
{
	ck_assert_msg(scheduler_look_once(&scheduler, &e), "%s", e.text);
	set_clock("2101-03-02T10:00");
	ck_assert_msg(scheduler_look_once(&scheduler, &e), "%s", e.text);
	ck_assert_uint_eq(count_in(DUE_WAITS), 1);
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	if (is_server)
		tcase_add_test(tests, test_look_after_the_server_was_restarted_goes_on);
	else
		tcase_add_test(tests, test_run_ends_when_its_store_was_put_aside);
	tcase_add_test(tests, test_look_for_the_first_time_puts_a_mark_and_nothing_from_before);
	tcase_add_test(tests, test_look_wakes_up_when_the_next_one_is_due);
	tcase_add_test(tests, test_look_when_it_is_due_puts_it_once_whoever_looks);
	tcase_add_test(tests, test_look_after_a_leap_alerts_once_for_all_that_were_missed);
	tcase_add_test(tests, test_look_after_a_leap_runs_the_newest_within_its_grace);
	tcase_add_test(tests, test_look_lets_a_worker_begin_within_the_grace_and_never_after_not_after);
	tcase_add_test(tests, test_look_after_a_leap_alerts_nobody_when_it_is_to_be_skipped);
	tcase_add_test(tests, test_look_at_a_run_that_no_worker_took_alerts_once);
	tcase_add_test(tests, test_look_after_the_clock_was_set_back_puts_nothing_twice);
	tcase_add_test(tests, test_look_after_the_clock_was_far_ahead_says_so_once_and_goes_on);
	tcase_add_test(tests, test_look_at_documents_that_cannot_be_read_misses_the_run_and_alerts);
	tcase_add_test(tests, test_look_at_a_store_that_is_broken_fails_and_the_next_one_goes_on);
	tcase_add_test(tests, test_look_once_puts_all_that_is_due_now);
}

void suite_scheduler(Suite *suite)
{
	store_try_add(suite, "scheduler", setup, teardown, add_tests);
}
