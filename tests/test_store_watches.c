/*
 * test_store_watches.c - due rows that ask for a vantage point of a run, and the runs that only watch.
 */
#include "base/clock.h"
#include "fixtures/store_case.h"
#include "store/store_care.h"
#include "store/store_dues.h"
#include "tests/suites.h"

static const struct due_worker worker = { .name = "plain", .lease_ns = 60 * NS_PER_S };
static struct due_row claimed;

static struct due_row due_of(const char *schedule)
{
	return (struct due_row){
		.schedule = schedule,
		.nominal_wall_ns = 1,
		.turn = 1,
		.due_wall_ns = 1,
		.latest_wall_ns = INT64_MAX,
		.experiment_path = "drill.yaml",
		.experiment_text = "title: a drill\n",
		.state = DUE_WAITS,
	};
}

static struct due_row watch_of(const char *run_id, const char *vantage)
{
	struct due_row row = due_of(arena_format(&store_case.arena, "watch of %s %s", run_id, vantage));

	row.turn = 0;
	row.watch_of = run_id;
	row.vantage = vantage;
	row.within_ns = 30 * NS_PER_S;
	return row;
}

static bool put(struct due_row row)
{
	bool is_new = false;

	ck_assert_msg(store_due_put(store_case.store, &row, &is_new, &store_case.e),
		      "%s", store_case.e.text);
	return is_new;
}

static bool claim(enum due_kind kind)
{
	bool is_there = false;

	ck_assert_msg(store_due_claim(store_case.store, &worker, kind, "run", &store_case.arena,
				      &is_there, &claimed, &store_case.e),
		      "%s", store_case.e.text);
	return is_there;
}

START_TEST(test_open_brings_a_store_without_watches_up_to_date)
{
	struct run_row begun = { .run_id = "run-old", .title = "a drill" };
	struct run_row row;

	ck_assert(store_run_begin(store_case.store, &begun, &store_case.e));
	ck_assert(put(due_of("weekly")));
	store_close(store_case.store);
	store_case.store = NULL;
	store_try_go_back(&store_case.path, 11);
	store_case_open_again();
	ck_assert_msg(store_run_find(store_case.store, "run-old", &store_case.arena, &row,
				     &store_case.e),
		      "%s", store_case.e.text);
	ck_assert_ptr_null(row.watch_of);
	ck_assert(claim(DUE_RUN));
	ck_assert_ptr_null(claimed.watch_of);
	ck_assert(put(watch_of("run-old", "eu")));
	ck_assert(claim(DUE_WATCH));
}
END_TEST

START_TEST(test_due_claim_of_runs_and_of_watches_leaves_the_other_kind)
{
	ck_assert(put(watch_of("run-a", "eu")));
	ck_assert(!claim(DUE_RUN));
	ck_assert(put(due_of("weekly")));
	ck_assert(claim(DUE_RUN));
	ck_assert_str_eq(claimed.schedule, "weekly");
	ck_assert(claim(DUE_WATCH));
	ck_assert_str_eq(claimed.watch_of, "run-a");
	ck_assert_str_eq(claimed.vantage, "eu");
	ck_assert(!claim(DUE_WATCH));
}
END_TEST

START_TEST(test_due_put_of_a_watch_is_due_now_by_the_clock_of_leases)
{
	struct due_row row = watch_of("run-a", "eu");
	const struct clock clock = clock_system();

	row.due_wall_ns = INT64_MAX; /* by this machine's clock, which does not count */
	row.latest_wall_ns = 0;
	ck_assert(put(row));
	ck_assert(claim(DUE_WATCH));
	ck_assert_int_eq(claimed.latest_wall_ns - claimed.due_wall_ns, row.within_ns);

	row = watch_of("run-b", "eu");
	row.within_ns = 1; /* nobody can be as fast */
	ck_assert(put(row));
	clock_sleep_until_ns(&clock, clock_now_ns(&clock) + NS_PER_MS);
	ck_assert(!claim(DUE_WATCH));
}
END_TEST

START_TEST(test_dues_watching_lists_those_of_one_run_in_their_order)
{
	struct due_row *rows = NULL;
	size_t count = 0;

	ck_assert(put(watch_of("run-a", "us")));
	ck_assert(put(watch_of("run-b", "eu")));
	ck_assert(put(watch_of("run-a", "eu")));
	ck_assert(put(due_of("weekly")));
	ck_assert_msg(store_dues_watching(store_case.store, "run-a", &store_case.arena, &rows,
					  &count, &store_case.e),
		      "%s", store_case.e.text);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(rows[0].vantage, "us");
	ck_assert_str_eq(rows[1].vantage, "eu");
	ck_assert_ptr_null(rows[0].experiment_text);
}
END_TEST

START_TEST(test_run_find_last_passes_over_a_watch_which_keeps_its_seal)
{
	const struct run_row led = { .run_id = "run-a", .title = "a drill" };
	const struct run_row watch = { .run_id = "watch-a", .title = "a drill", .watch_of = "run-a",
				       .vantage = "eu" };
	struct run_row row;
	struct run_row *missing = NULL;
	size_t count = 0;

	ck_assert_msg(store_run_begin(store_case.store, &led, &store_case.e),
		      "%s", store_case.e.text);
	ck_assert_msg(store_run_begin(store_case.store, &watch, &store_case.e),
		      "%s", store_case.e.text);
	ck_assert_msg(store_run_find(store_case.store, "last", &store_case.arena, &row,
				     &store_case.e),
		      "%s", store_case.e.text);
	ck_assert_str_eq(row.run_id, "run-a");
	ck_assert_msg(store_facts_missing(store_case.store, &store_case.arena, &missing,
					  &count, &store_case.e),
		      "%s", store_case.e.text);
	ck_assert_uint_eq(count, 1);
	ck_assert_msg(store_run_find(store_case.store, "watch-a", &store_case.arena, &row,
				     &store_case.e),
		      "%s", store_case.e.text);
	ck_assert_str_eq(row.vantage, "eu");
	store_try_sql(&store_case.path, "update runs set vantage = 'us' where run_id = 'watch-a'", NULL);
	ck_assert(!store_run_find(store_case.store, "watch-a", &store_case.arena, &row,
				     &store_case.e));
	ck_assert_int_eq(store_case.e.kind, ERR_ALTERED);
}
END_TEST

START_TEST(test_due_sums_leave_watches_out)
{
	struct due_sums sums;

	ck_assert(put(watch_of("run-a", "eu")));
	ck_assert(put(due_of("weekly")));
	ck_assert_msg(store_due_sums(store_case.store, &store_case.arena, &sums, &store_case.e),
		      "%s", store_case.e.text);
	ck_assert_uint_eq(sums.count, 1);
	ck_assert_str_eq(sums.rows[0].schedule, "weekly");
}
END_TEST

static uint64_t prune_before(int64_t before_wall_ns)
{
	struct prune prune = { .before_wall_ns = before_wall_ns };

	ck_assert_msg(store_prune(store_case.store, &prune, &store_case.e), "%s", store_case.e.text);
	return prune.due_count;
}

START_TEST(test_prune_takes_old_watches_which_are_no_marks)
{
	ck_assert(put(watch_of("run-a", "eu")));
	ck_assert(put(due_of("weekly")));
	store_try_sql(&store_case.path, "update dues set state = 'missed', due_wall_ns = 7", NULL);
	ck_assert_uint_eq(prune_before(7), 0);
	ck_assert_uint_eq(prune_before(8), 1); /* the other one is the mark of its schedule */
	ck_assert_uint_eq(prune_before(8), 0);
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_open_brings_a_store_without_watches_up_to_date);
	tcase_add_test(tests, test_due_claim_of_runs_and_of_watches_leaves_the_other_kind);
	tcase_add_test(tests, test_due_put_of_a_watch_is_due_now_by_the_clock_of_leases);
	tcase_add_test(tests, test_dues_watching_lists_those_of_one_run_in_their_order);
	tcase_add_test(tests, test_run_find_last_passes_over_a_watch_which_keeps_its_seal);
	tcase_add_test(tests, test_due_sums_leave_watches_out);
	tcase_add_test(tests, test_prune_takes_old_watches_which_are_no_marks);
	(void)is_server;
}

void suite_store_watches(Suite *suite)
{
	store_try_add(suite, "store_watches", store_case_open, store_case_close, add_tests);
}
