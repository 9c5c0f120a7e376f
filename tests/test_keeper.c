/*
 * test_keeper.c - processes that are kept: started, started again later each time, told to reload and to end. What
 * is kept is this program of tests, which lists its suites, or finds no suite of a name; time is simulated, but the
 * processes are real.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "serve/keeper.h"
#include "tests/suites.h"

static const char *const list_words[] = { "--list" };

static struct clock system_clock;
static struct text said;
static struct kept kept;
static struct keeper *keeper;
static struct serve_job job;
static bool is_wanted_now;

static void say(void *ctx, const char *line)
{
	(void)ctx;
	text_addf(&said, "%s\n", line);
}

static bool is_wanted(void *ctx)
{
	(void)ctx;
	return is_wanted_now;
}

static void setup(void)
{
	memset(&said, 0, sizeof said);
	system_clock = clock_system();
	is_wanted_now = true;
	kept = (struct kept){ .name = "the lister", .words = list_words, .word_count = 1,
			      .every_ns = 10 * NS_PER_S, .is_wanted = is_wanted };
}

static void teardown(void)
{
	keeper_close(keeper);
	keeper = NULL;
	text_release(&said);
}

static void open_it(void)
{
	const struct keeper_request request = { .kept = &kept, .kept_count = 1,
						.clock = &system_clock, .say = say };

	keeper = keeper_open(&request);
	job = keeper_job(keeper);
}

/* Works at this moment until it waits for something: its process, if it started one, is over then. */
static int64_t work_at(int64_t now_ns)
{
	const int64_t deadline_ns = clock_now_ns(&system_clock) + 20 * NS_PER_S;
	int64_t next_ns = job.work(job.ctx, now_ns);

	while (next_ns == INT64_MAX) {
		ck_assert_int_lt(clock_now_ns(&system_clock), deadline_ns);
		clock_sleep_until_ns(&system_clock, clock_now_ns(&system_clock) + 5 * NS_PER_MS);
		next_ns = job.work(job.ctx, now_ns);
	}
	return next_ns;
}

START_TEST(test_keeper_wait_doubles_up_to_a_bound)
{
	static const int64_t wanted_s[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300 };

	for (unsigned i = 0; i < sizeof wanted_s / sizeof wanted_s[0]; i++)
		ck_assert_int_eq(keeper_wait_ns(i + 1), wanted_s[i] * NS_PER_S);
	ck_assert_int_eq(keeper_wait_ns(4000000000U), 300 * NS_PER_S);
}
END_TEST

START_TEST(test_work_starts_what_ends_by_itself_again_after_its_time)
{
	open_it();
	ck_assert_int_eq(work_at(1000), 1000 + 10 * NS_PER_S);
	ck_assert_int_eq(work_at(2000), 1000 + 10 * NS_PER_S); /* not yet */
	ck_assert_int_eq(work_at(1000 + 10 * NS_PER_S), 1000 + 20 * NS_PER_S);
	ck_assert_str_eq(text_str(&said), "");
}
END_TEST

START_TEST(test_work_asks_again_while_it_is_not_wanted)
{
	is_wanted_now = false;
	open_it();
	ck_assert_int_eq(job.work(job.ctx, 1000), 1000 + 10 * NS_PER_S);
	kept.every_ns = 0;
	keeper_close(keeper);
	open_it();
	ck_assert_int_eq(job.work(job.ctx, 1000), 1000 + NS_PER_S);
}
END_TEST

START_TEST(test_work_starts_what_is_to_go_on_later_each_time_and_says_so)
{
	int64_t now_ns = 1000;

	kept.every_ns = 0;
	open_it();
	for (unsigned i = 1; i <= 3; i++) {
		const int64_t next_ns = work_at(now_ns);

		ck_assert_int_eq(next_ns, now_ns + keeper_wait_ns(i));
		now_ns = next_ns;
	}
	ck_assert_str_eq(text_str(&said), "the lister ended with exit code 0; it is started again in 1 s\n"
					  "the lister ended with exit code 0; it is started again in 2 s\n"
					  "the lister ended with exit code 0; it is started again in 4 s\n");
}
END_TEST

START_TEST(test_work_starts_one_that_had_gone_on_at_once)
{
	static const char wanted[] = "the lister ended with exit code 0; it is started again\n";
	const int64_t later_ns = 1000 + 3600 * NS_PER_S;

	kept.every_ns = 0;
	open_it();
	ck_assert_int_eq(job.work(job.ctx, 1000), INT64_MAX);
	ck_assert_int_eq(work_at(later_ns), later_ns + NS_PER_S); /* of the second one, which was quick */
	ck_assert_msg(strncmp(text_str(&said), wanted, sizeof wanted - 1) == 0, "%s", text_str(&said));
}
END_TEST

START_TEST(test_work_after_a_reload_waits_for_nothing)
{
	int64_t now_ns = 1000;

	kept.every_ns = 0;
	open_it();
	for (int i = 0; i < 3; i++)
		now_ns = work_at(now_ns);
	job.reload(job.ctx);
	ck_assert_int_eq(work_at(now_ns - NS_PER_S), now_ns); /* and begins with a second again */
}
END_TEST

/* Nothing is started any more, and what runs is told as often as we were. */
START_TEST(test_end_tells_what_runs_and_waits_for_it)
{
	const int64_t deadline_ns = clock_now_ns(&system_clock) + 20 * NS_PER_S;

	open_it();
	ck_assert_int_eq(job.work(job.ctx, 1000), INT64_MAX);
	while (!job.end(job.ctx, 1))
		ck_assert_int_lt(clock_now_ns(&system_clock), deadline_ns);
	ck_assert_int_eq(job.work(job.ctx, 1000 + 3600 * NS_PER_S), INT64_MAX);
	ck_assert_str_eq(text_str(&said), "");
}
END_TEST

void suite_keeper(Suite *suite)
{
	TCase *tests = tcase_create("keeper");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_keeper_wait_doubles_up_to_a_bound);
	tcase_add_test(tests, test_work_starts_what_ends_by_itself_again_after_its_time);
	tcase_add_test(tests, test_work_asks_again_while_it_is_not_wanted);
	tcase_add_test(tests, test_work_starts_what_is_to_go_on_later_each_time_and_says_so);
	tcase_add_test(tests, test_work_starts_one_that_had_gone_on_at_once);
	tcase_add_test(tests, test_work_after_a_reload_waits_for_nothing);
	tcase_add_test(tests, test_end_tells_what_runs_and_waits_for_it);
	suite_add_tcase(suite, tests);
}
