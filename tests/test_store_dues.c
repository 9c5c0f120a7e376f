/*
 * test_store_dues.c - due runs in the store: put once, claimed by one, taken over when that one is gone.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "fixtures/store_try.h"
#include "fixtures/temp_dir.h"
#include "store/store_dues.h"
#include "tests/suites.h"

static char *folder;
static struct text place;
static struct arena arena;
static struct secrets secrets;
static struct store *store;
static struct err e;

static const char *const eu_label = "site=eu-west";
static const char *const both_labels[] = { "net=dmz", "site=eu-west" };
static const struct due_worker plain = { .name = "plain", .lease_ns = 60 * NS_PER_S };
static const struct due_worker other = { .name = "other", .lease_ns = 60 * NS_PER_S };

static void open_again(void)
{
	store_close(store);
	store = NULL;
	ck_assert_msg(store_open(text_str(&place), &secrets, &store, &e), "%s", e.text);
}

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
	memset(&secrets, 0, sizeof secrets);
	memset(&place, 0, sizeof place);
	memset(&e, 0, sizeof e);
	folder = temp_dir_make();
	store_try_place(folder, &place);
	open_again();
}

static void teardown(void)
{
	store_close(store);
	store = NULL;
	text_release(&place);
	arena_release(&arena);
	secrets_release(&secrets);
	temp_dir_remove(folder);
}

static struct due_row due_of(const char *schedule, int64_t due_wall_ns)
{
	return (struct due_row){
		.schedule = schedule,
		.nominal_wall_ns = due_wall_ns,
		.turn = 1,
		.due_wall_ns = due_wall_ns,
		.latest_wall_ns = INT64_MAX,
		.experiment_path = "drill.yaml",
		.experiment_text = "title: a drill\n",
		.inventory_path = "inventory.yaml",
		.inventory_text = "hosts: {}\n",
		.state = DUE_WAITS,
	};
}

static bool put(struct due_row row)
{
	bool is_new = false;

	ck_assert_msg(store_due_put(store, &row, &is_new, &e), "%s", e.text);
	return is_new;
}

static const char *put_fails(struct due_row row)
{
	bool is_new = false;

	err_clear(&e);
	ck_assert(!store_due_put(store, &row, &is_new, &e));
	return e.text;
}

static struct due_row claimed;

static bool claim(const struct due_worker *worker)
{
	bool is_there = false;

	ck_assert_msg(store_due_claim(store, worker, DUE_RUN, "run", &arena, &is_there, &claimed, &e),
		      "%s", e.text);
	return is_there;
}

static bool take_over(const struct due_worker *worker)
{
	bool is_there = false;

	ck_assert_msg(store_due_take_over(store, worker, DUE_RUN, &arena, &is_there, &claimed, &e), "%s",
		      e.text);
	return is_there;
}

static bool renew(const struct due_worker *worker)
{
	bool is_ours = false;

	ck_assert_msg(store_due_renew(store, worker, claimed.due_id, &is_ours, &e), "%s", e.text);
	return is_ours;
}

static bool finish(const struct due_worker *worker)
{
	struct due_row end = claimed;
	bool is_ours = false;

	end.state = DUE_DONE;
	end.exit_code = 1;
	end.sentence = "It took too long.";
	ck_assert_msg(store_due_finish(store, worker, &end, &is_ours, &e), "%s", e.text);
	return is_ours;
}

static struct due_row newest(const char *schedule)
{
	struct due_row row = { 0 };
	bool is_there = false;

	ck_assert_msg(store_due_newest(store, schedule, &arena, &is_there, &row, &e), "%s", e.text);
	ck_assert(is_there);
	return row;
}

static int64_t in_an_hour(void)
{
	const struct clock clock = clock_system();

	return clock_wall_ns(&clock) + 3600 * NS_PER_S;
}

/* ---- putting ---- */

START_TEST(test_due_put_twice_stays_as_it_was_first)
{
	struct due_row second = due_of("weekly", 7);

	ck_assert(put(due_of("weekly", 7)));
	second.experiment_text = "title: another\n";
	ck_assert(!put(second));
	ck_assert(put(due_of("weekly", 8)));
	ck_assert(put(due_of("daily", 7)));
	second.turn = 2;
	ck_assert(put(second));
	ck_assert(claim(&plain));
	ck_assert_str_eq(claimed.experiment_text, "title: a drill\n");
}
END_TEST

START_TEST(test_due_put_as_skipped_says_why_and_never_runs)
{
	struct due_row row = due_of("weekly", 7);

	row.experiment_text = NULL;
	row.state = DUE_SKIPPED;
	row.sentence = "frozen: end of the year";
	row.ended_wall_ns = 9;
	ck_assert(put(row));
	ck_assert(!claim(&plain));
	ck_assert(!take_over(&plain));
	row = newest("weekly");
	ck_assert_int_eq(row.state, DUE_SKIPPED);
	ck_assert_str_eq(row.sentence, "frozen: end of the year");
	ck_assert_int_eq(row.ended_wall_ns, 9);
}
END_TEST

START_TEST(test_due_put_refuses_what_no_worker_could_have)
{
	static const char *const wrong[] = { "", "site", "=x", "site=", "Site=x", "a=b=c", "a=%",
					     "a=b c" };
	const char *many[LABELS_MAX + 1];
	struct due_row row = due_of("weekly", 7);

	row.label_count = 1;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		row.labels = &wrong[i];
		ck_assert_ptr_nonnull(strstr(put_fails(row), "is no label"));
	}
	for (size_t i = 0; i <= LABELS_MAX; i++)
		many[i] = "a=b";
	row.labels = many;
	row.label_count = LABELS_MAX + 1;
	ck_assert_ptr_nonnull(strstr(put_fails(row), "more than 16 labels"));
}
END_TEST

START_TEST(test_due_put_refuses_a_secret_in_a_document_and_hides_one_in_a_reason)
{
	struct due_row row = due_of("weekly", 7);

	secrets_register(&secrets, "s3cr3t-value");
	open_again();
	row.inventory_text = "password: s3cr3t-value\n";
	ck_assert_ptr_nonnull(strstr(put_fails(row), "a due run"));
	row.experiment_text = NULL;
	row.inventory_text = NULL;
	row.state = DUE_MISSED;
	row.sentence = "since s3cr3t-value";
	ck_assert(put(row));
	ck_assert_uint_eq(store_try_count(&place, "s3cr3t-value"), 0);
}
END_TEST

/* ---- claiming ---- */

START_TEST(test_due_claim_takes_the_longest_due_first_and_whole)
{
	const struct pair vars[] = { { "rate", "20" } };
	struct due_row row = due_of("weekly", 7);
	char run_id[40];

	row.vars = vars;
	row.var_count = 1;
	row.labels = &eu_label;
	row.label_count = 0;
	ck_assert(put(due_of("daily", 8)));
	ck_assert(put(row));
	ck_assert(claim(&plain));
	ck_assert_str_eq(claimed.schedule, "weekly");
	ck_assert_int_eq(claimed.nominal_wall_ns, 7);
	ck_assert_str_eq(claimed.experiment_path, "drill.yaml");
	ck_assert_str_eq(claimed.inventory_path, "inventory.yaml");
	ck_assert_str_eq(claimed.inventory_text, "hosts: {}\n");
	ck_assert_uint_eq(claimed.var_count, 1);
	ck_assert_str_eq(claimed.vars[0].name, "rate");
	ck_assert_str_eq(claimed.vars[0].value, "20");
	(void)snprintf(run_id, sizeof run_id, "run-%" PRId64, claimed.due_id);
	ck_assert_str_eq(claimed.run_id, run_id);
	ck_assert(claim(&other));
	ck_assert_str_eq(claimed.schedule, "daily");
	ck_assert(!claim(&plain));
}
END_TEST

START_TEST(test_due_miss_is_new_once_and_only_of_what_is_too_late)
{
	const struct clock clock = clock_system();
	struct due_row late = due_of("late", 7);
	bool is_new = false;

	late.latest_wall_ns = clock_wall_ns(&clock) - DUE_FORGOTTEN_NS / 2;
	ck_assert(put(late));
	ck_assert(put(due_of("early", in_an_hour())));
	ck_assert(!take_over(&plain)); /* which leaves to schedulers what is not long over */
	ck_assert_int_eq(newest("late").state, DUE_WAITS);
	ck_assert_msg(store_due_miss(store, newest("late").due_id, &is_new, &e), "%s", e.text);
	ck_assert(is_new);
	ck_assert_msg(store_due_miss(store, newest("late").due_id, &is_new, &e), "%s", e.text);
	ck_assert(!is_new);
	ck_assert_msg(store_due_miss(store, newest("early").due_id, &is_new, &e), "%s", e.text);
	ck_assert(!is_new);
	ck_assert_int_eq(newest("late").state, DUE_MISSED);
	ck_assert_int_eq(newest("early").state, DUE_WAITS);
}
END_TEST

START_TEST(test_due_claim_leaves_what_is_not_due_yet_and_what_is_too_late)
{
	struct due_row late = due_of("late", 7);

	late.latest_wall_ns = 8;
	ck_assert(put(late));
	ck_assert(put(due_of("early", in_an_hour())));
	ck_assert(!claim(&plain));
	ck_assert(!take_over(&plain)); /* which looks for those that are too late */
	ck_assert_int_eq(newest("late").state, DUE_MISSED);
	ck_assert_ptr_nonnull(strstr(newest("late").sentence, "in time"));
	ck_assert_int_eq(newest("early").state, DUE_WAITS);
}
END_TEST

START_TEST(test_due_claim_needs_every_label)
{
	struct due_worker worker = plain;
	struct due_row row = due_of("weekly", 7);

	row.labels = both_labels;
	row.label_count = 2;
	ck_assert(put(row));
	ck_assert(!claim(&worker));
	worker.labels = &eu_label;
	worker.label_count = 1;
	ck_assert(!claim(&worker));
	worker.labels = both_labels;
	worker.label_count = 2;
	ck_assert(claim(&worker));
	ck_assert_uint_eq(claimed.label_count, 2);
	ck_assert_str_eq(claimed.labels[0], "net=dmz");
	ck_assert_str_eq(claimed.labels[1], "site=eu-west");
	/* And who heals it must reach the same hosts. */
	store_try_sql(&place, "update dues set boot_id = 'elsewhere', lease_until_ns = 1", NULL);
	ck_assert(!take_over(&other));
	worker.name = "third";
	ck_assert(take_over(&worker));
}
END_TEST

START_TEST(test_due_label_is_not_the_end_or_the_beginning_of_another)
{
	static const char *const longer[] = { "mysite=eu-west", "site=eu-west-1" };
	struct due_worker worker = plain;
	struct due_row row = due_of("weekly", 7);

	row.labels = &eu_label;
	row.label_count = 1;
	ck_assert(put(row));
	worker.labels = longer;
	worker.label_count = 2;
	ck_assert(!claim(&worker));
}
END_TEST

START_TEST(test_due_finish_ends_it_once_and_by_its_own_worker_only)
{
	struct due_row row;

	ck_assert(put(due_of("weekly", 7)));
	ck_assert(claim(&plain));
	ck_assert(!renew(&other));
	ck_assert(!finish(&other));
	ck_assert(renew(&plain));
	ck_assert(finish(&plain));
	ck_assert(!finish(&plain));
	ck_assert(!renew(&plain));
	ck_assert(!claim(&plain));
	ck_assert(!take_over(&other));
	row = newest("weekly");
	ck_assert_int_eq(row.state, DUE_DONE);
	ck_assert_int_eq(row.exit_code, 1);
	ck_assert_str_eq(row.sentence, "It took too long.");
	ck_assert_int_gt(row.ended_wall_ns, 0);
}
END_TEST

/* ---- taking over ---- */

START_TEST(test_due_take_over_leaves_a_worker_that_can_be_seen_alive)
{
	ck_assert(put(due_of("weekly", 7)));
	ck_assert(claim(&plain));
	store_try_sql(&place, "update dues set lease_until_ns = 1", NULL);
	ck_assert(!take_over(&other));
}
END_TEST

START_TEST(test_due_take_over_takes_from_a_process_that_is_gone_at_once)
{
	const char *run_id;

	ck_assert(put(due_of("weekly", 7)));
	ck_assert(claim(&plain));
	run_id = claimed.run_id;
	store_try_sql(&place, "update dues set pid_start = pid_start - 1", NULL);
	ck_assert(take_over(&other));
	ck_assert_str_eq(claimed.run_id, run_id);
	ck_assert_str_eq(claimed.worker, "plain"); /* from whom */
	ck_assert_str_eq(claimed.experiment_text, "title: a drill\n");
	ck_assert(!renew(&plain));
	ck_assert(!finish(&plain));
	ck_assert(renew(&other));
	ck_assert(!take_over(&plain));
	ck_assert(!claim(&plain)); /* never again */
}
END_TEST

START_TEST(test_due_take_over_waits_for_the_lease_of_another_machine)
{
	ck_assert(put(due_of("weekly", 7)));
	ck_assert(claim(&plain));
	store_try_sql(&place, "update dues set boot_id = 'elsewhere'", NULL);
	ck_assert(!take_over(&other));
	store_try_sql(&place, "update dues set lease_until_ns = 1", NULL);
	ck_assert(take_over(&other));
}
END_TEST

/* ---- lists, news, versions ---- */

START_TEST(test_dues_lists_the_newest_first_without_documents)
{
	struct due_row *rows = NULL;
	size_t count = 0;

	ck_assert(put(due_of("weekly", 7)));
	ck_assert(put(due_of("daily", 9)));
	ck_assert_msg(store_dues(store, 0, &arena, &rows, &count, &e), "%s", e.text);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(rows[0].schedule, "daily");
	ck_assert_ptr_null(rows[0].experiment_text);
	ck_assert_msg(store_dues(store, 1, &arena, &rows, &count, &e), "%s", e.text);
	ck_assert_uint_eq(count, 1);
}
END_TEST

/* ---- counted ---- */

static const struct due_sum *sum_of(const struct due_sums *sums, const char *schedule)
{
	for (size_t i = 0; i < sums->count; i++)
		if (strcmp(sums->rows[i].schedule, schedule) == 0)
			return &sums->rows[i];
	ck_abort_msg("%s is not counted", schedule);
}

static struct due_row ended_due(const char *schedule, int64_t due_wall_ns, enum due_state state)
{
	struct due_row row = due_of(schedule, due_wall_ns);

	row.experiment_text = NULL;
	row.inventory_text = NULL;
	row.state = state;
	row.ended_wall_ns = due_wall_ns;
	return row;
}

static struct due_sums read_sums(void)
{
	struct due_sums sums;

	ck_assert_msg(store_due_sums(store, &arena, &sums, &e), "%s", e.text);
	return sums;
}

START_TEST(test_due_sums_count_by_state_and_leave_marks_out)
{
	struct due_row mark = ended_due("weekly", 5, DUE_SKIPPED);
	struct due_sums sums;

	ck_assert_uint_eq(read_sums().count, 0);
	mark.turn = -1;
	ck_assert(put(mark));
	ck_assert(put(ended_due("weekly", 6, DUE_MISSED)));
	ck_assert(put(ended_due("weekly", 9, DUE_MISSED)));
	ck_assert(put(ended_due("weekly", 8, DUE_SKIPPED)));
	ck_assert(put(due_of("daily", 11)));
	ck_assert(put(due_of("daily", 10)));
	sums = read_sums();
	ck_assert_uint_eq(sums.count, 2);
	ck_assert_uint_eq(sum_of(&sums, "weekly")->counts[DUE_MISSED], 2);
	ck_assert_uint_eq(sum_of(&sums, "weekly")->counts[DUE_SKIPPED], 1);
	ck_assert_uint_eq(sum_of(&sums, "weekly")->counts[DUE_WAITS], 0);
	ck_assert_int_eq(sum_of(&sums, "weekly")->newest_missed_wall_ns, 9);
	ck_assert_int_eq(sum_of(&sums, "weekly")->newest_due_wall_ns, 9);
	ck_assert_int_eq(sum_of(&sums, "weekly")->oldest_waiting_wall_ns, 0);
	ck_assert_uint_eq(sum_of(&sums, "daily")->counts[DUE_WAITS], 2);
	ck_assert_int_eq(sum_of(&sums, "daily")->oldest_waiting_wall_ns, 10);
	ck_assert(!sum_of(&sums, "daily")->has_begun);
}
END_TEST

/* A label for each run would be a series for each run. */
START_TEST(test_due_sums_leave_watches_out)
{
	struct due_row watch = due_of("watch of run-1", 7);

	watch.watch_of = "run-1";
	watch.vantage = "eu";
	watch.within_ns = 60 * NS_PER_S;
	ck_assert(put(watch));
	ck_assert(put(due_of("weekly", 7)));
	ck_assert_uint_eq(read_sums().count, 1);
	ck_assert_str_eq(read_sums().rows[0].schedule, "weekly");
}
END_TEST

START_TEST(test_due_sums_tell_how_late_the_newest_run_began)
{
	struct run_row run = { .anchor.wall_ns = 100 };
	struct due_sums sums;

	ck_assert(put(due_of("weekly", 7)));
	ck_assert(claim(&plain));
	ck_assert(!sum_of((sums = read_sums(), &sums), "weekly")->has_begun); /* no run yet */
	run.run_id = claimed.run_id;
	ck_assert_msg(store_run_begin(store, &run, &e), "%s", e.text);
	ck_assert(finish(&plain));
	ck_assert(put(due_of("weekly", 60)));
	ck_assert(claim(&plain));
	run.run_id = claimed.run_id;
	ck_assert_msg(store_run_begin(store, &run, &e), "%s", e.text);
	sums = read_sums();
	ck_assert(sum_of(&sums, "weekly")->has_begun);
	ck_assert_int_eq(sum_of(&sums, "weekly")->last_delay_ns, 40);
}
END_TEST

START_TEST(test_due_sums_count_workers_and_their_leases)
{
	struct due_sums sums;

	for (int64_t i = 0; i < 4; i++)
		ck_assert(put(due_of("weekly", i)));
	ck_assert(claim(&plain));
	ck_assert(claim(&plain));
	ck_assert(claim(&other));
	store_try_sql(&place, "update dues set lease_until_ns = 1 where worker = 'other'", NULL);
	sums = read_sums();
	ck_assert_uint_eq(sums.valid_count, 2);
	ck_assert_uint_eq(sums.expired_count, 1);
	ck_assert_uint_eq(sums.worker_count, 1);
	ck_assert_int_gt(sums.now_wall_ns, 0);
}
END_TEST

START_TEST(test_due_news_of_a_file_is_none)
{
	bool has_news = true;
	int fd = 7;

	ck_assert_msg(store_due_news(store, &has_news, &fd, &e), "%s", e.text);
	ck_assert(!has_news);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(test_due_news_of_a_server_comes_once_for_what_was_put)
{
	struct store *scheduler = store;
	struct pollfd look = { .events = POLLIN };
	bool has_news = false;

	store = NULL;
	open_again();
	ck_assert(store_due_news(store, &has_news, &look.fd, &e));
	ck_assert(has_news); /* whatever came before it listened */
	ck_assert(store_due_news(store, &has_news, &look.fd, &e));
	ck_assert(!has_news);

	struct due_row row = due_of("weekly", 7);
	bool is_new = false;

	ck_assert_msg(store_due_put(scheduler, &row, &is_new, &e), "%s", e.text);
	ck_assert_int_eq(poll(&look, 1, 10000), 1);
	ck_assert(store_due_news(store, &has_news, &look.fd, &e));
	ck_assert(has_news);
	ck_assert_msg(store_due_put(scheduler, &row, &is_new, &e), "%s", e.text);
	ck_assert(!is_new);
	ck_assert(store_due_news(store, &has_news, &look.fd, &e));
	ck_assert(!has_news);
	store_close(scheduler);
}
END_TEST

START_TEST(test_open_brings_a_store_without_due_runs_up_to_date)
{
	store_close(store);
	store = NULL;
	store_try_go_back(&place, 8);
	open_again();
	ck_assert(put(due_of("weekly", 7)));
	ck_assert(claim(&plain));
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	tcase_add_test(tests, test_due_put_twice_stays_as_it_was_first);
	tcase_add_test(tests, test_due_put_as_skipped_says_why_and_never_runs);
	tcase_add_test(tests, test_due_put_refuses_what_no_worker_could_have);
	tcase_add_test(tests, test_due_put_refuses_a_secret_in_a_document_and_hides_one_in_a_reason);
	tcase_add_test(tests, test_due_claim_takes_the_longest_due_first_and_whole);
	tcase_add_test(tests, test_due_miss_is_new_once_and_only_of_what_is_too_late);
	tcase_add_test(tests, test_due_claim_leaves_what_is_not_due_yet_and_what_is_too_late);
	tcase_add_test(tests, test_due_claim_needs_every_label);
	tcase_add_test(tests, test_due_label_is_not_the_end_or_the_beginning_of_another);
	tcase_add_test(tests, test_due_finish_ends_it_once_and_by_its_own_worker_only);
	tcase_add_test(tests, test_due_take_over_leaves_a_worker_that_can_be_seen_alive);
	tcase_add_test(tests, test_due_take_over_takes_from_a_process_that_is_gone_at_once);
	tcase_add_test(tests, test_due_take_over_waits_for_the_lease_of_another_machine);
	tcase_add_test(tests, test_dues_lists_the_newest_first_without_documents);
	tcase_add_test(tests, test_due_sums_count_by_state_and_leave_marks_out);
	tcase_add_test(tests, test_due_sums_leave_watches_out);
	tcase_add_test(tests, test_due_sums_tell_how_late_the_newest_run_began);
	tcase_add_test(tests, test_due_sums_count_workers_and_their_leases);
	tcase_add_test(tests, test_open_brings_a_store_without_due_runs_up_to_date);
	if (is_server)
		tcase_add_test(tests, test_due_news_of_a_server_comes_once_for_what_was_put);
	else
		tcase_add_test(tests, test_due_news_of_a_file_is_none);
}

void suite_store_dues(Suite *suite)
{
	store_try_add(suite, "store_dues", setup, teardown, add_tests);
}
