/*
 * test_crash_orders.c - what people tell the store, and its signs of life, cut short at their points
 * (points.h): our death, and a write that fails though it was not done, or though it was. An order that
 * was acknowledged holds; one that was not is there or not, whole; the store can be read. Death within a
 * write is tests/shortage.c's; what belongs to a run's own walk is test_crash.c's.
 */
#include "fixtures/temp_dir.h"
#include "store/store.h"
#include "tests/points.h"
#include "tests/suites.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const digest = "the plan that they saw";
static const int64_t until_ns = INT64_C(1) << 62;
static const struct stop_row stop_all = { .person = "anna", .reason = "INC-7", .wall_ns = 5 };

static char *folder;
static struct text path;
static struct arena arena;
static struct store *store;
static struct err e;

struct order {
	const char *point;
	bool (*begin)(void); /* what must be there before; NULL: nothing */
	bool (*give)(void);
	bool (*is_there)(void);
};

static bool begin_run(void)
{
	const struct run_row row = { .run_id = "run-a", .title = "a drill" };

	return store_run_begin(store, &row, &e);
}

static bool beat(void)
{
	return store_run_beat(store, "run-a", 7, until_ns, &e);
}

static bool has_beaten(void)
{
	struct run_row row;

	ck_assert_msg(store_run_find(store, "run-a", &arena, &row, &e), "%s", e.text);
	ck_assert_int_eq(row.space, row.alive_until_wall_ns == 0 ? 0 : 7);
	return row.alive_until_wall_ns == until_ns;
}

static bool approve(void)
{
	const struct approval_row row = { .digest = digest, .person = "anna", .account = "anna@here",
					  .title = "A drill", .wall_ns = 5, .until_wall_ns = 50 };

	return store_approve(store, &row, &e);
}

static bool is_approved(void)
{
	struct approval_row *rows = NULL;
	size_t count = 0;

	ck_assert_msg(store_approvals(store, digest, &arena, &rows, &count, &e), "%s", e.text);
	return count == 1 && strcmp(rows[0].person, "anna") == 0 && rows[0].until_wall_ns == 50;
}

static bool give_stop(void)
{
	return store_stop(store, &stop_all, &e);
}

static bool is_stopped(void)
{
	struct stop_row row;
	bool is_there = false;

	ck_assert_msg(store_stop_find(store, "run-a", NULL, &arena, &is_there, &row, &e), "%s", e.text);
	return is_there && strcmp(row.reason, "INC-7") == 0;
}

static bool resume(void)
{
	const struct stop_row lift = { .person = "anna", .reason = "INC-7 is over", .wall_ns = 6 };
	size_t count = 0;

	return store_resume(store, &lift, &count, &e);
}

static bool is_resumed(void)
{
	return !is_stopped();
}

static bool begin_set(void)
{
	const struct set_row row = { .set_id = "set-a", .title = "trials", .planned_count = 3 };

	return store_set_begin(store, &row, &e);
}

static bool find_set(struct set_row *ret_row)
{
	struct set_row *rows = NULL;
	size_t count = 0;

	ck_assert_msg(store_sets(store, 0, &arena, &rows, &count, &e), "%s", e.text);
	return count == 1 && store_set_find(store, "set-a", &arena, ret_row, &e);
}

static bool is_set_there(void)
{
	struct set_row row;

	return find_set(&row) && row.planned_count == 3 && !row.is_ended;
}

static bool end_set(void)
{
	const struct set_row end = { .set_id = "set-a", .ended_wall_ns = 9, .trial_count = 2,
				     .exit_code = 6, .sentence = "Stopped.", .stopped = "by anna" };

	return store_set_end(store, &end, &e);
}

static bool is_set_ended(void)
{
	struct set_row row;

	ck_assert_msg(find_set(&row), "%s", e.text);
	return row.is_ended && row.trial_count == 2 && strcmp(row.stopped, "by anna") == 0;
}

static const struct order orders[] = {
	{ "beat", begin_run, beat, has_beaten },
	{ "approve", NULL, approve, is_approved },
	{ "stop", NULL, give_stop, is_stopped },
	{ "resume", give_stop, resume, is_resumed },
	{ "set begin", NULL, begin_set, is_set_there },
	{ "set end", begin_set, end_set, is_set_ended },
};

enum { ORDERS = sizeof orders / sizeof orders[0], SIDES = 2 };

static void open_again(void)
{
	store_close(store);
	store = NULL;
	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e), "%s", e.text);
}

static void setup(void)
{
	folder = temp_dir_make();
	text_addf(&path, "%s/store.db", folder);
}

static void teardown(void)
{
	points_end();
	store_close(store);
	store = NULL;
	text_release(&path);
	arena_release(&arena);
	temp_dir_remove(folder);
}

/* "stop#1 after", for this round of a loop test. */
static const struct order *choose(int round, char ret_point[POINT_NAME_BYTES], bool *ret_is_after)
{
	const struct order *order = &orders[round / SIDES];

	*ret_is_after = round % SIDES == 1;
	(void)snprintf(ret_point, POINT_NAME_BYTES, "%s#1 %s", order->point,
		       *ret_is_after ? "after" : "before");
	open_again();
	if (order->begin != NULL)
		ck_assert_msg(order->begin(), "%s", e.text);
	ck_assert(!order->is_there());
	return order;
}

START_TEST(test_order_killed_at_its_point_is_whole_or_absent)
{
	char point[POINT_NAME_BYTES];
	bool is_after;
	const struct order *order = choose(_i, point, &is_after);
	int status = 0;
	pid_t child;

	store_close(store); /* the child's own: SQLite is not carried over a fork */
	store = NULL;
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		points_begin(point, POINT_KILL);
		if (store_open(text_str(&path), NULL, &store, &e))
			(void)order->give();
		_exit(0); /* only when it did not die: seen below */
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%s was not reached", point);
	open_again();
	ck_assert_msg(order->is_there() == is_after, "%s", point);
	ck_assert_msg(is_after || order->give(), "%s, and once more: %s", point, e.text);
	ck_assert(order->is_there());
}
END_TEST

START_TEST(test_order_that_fails_at_its_point_is_never_acknowledged)
{
	char point[POINT_NAME_BYTES];
	bool is_after;
	const struct order *order = choose(_i, point, &is_after);

	points_begin(point, POINT_FAIL);
	ck_assert_msg(!order->give(), "%s", point);
	ck_assert(points_was_reached());
	points_end();
	ck_assert_int_eq(e.kind, ERR_STORE);
	open_again();
	ck_assert_msg(order->is_there() == is_after, "%s", point);
}
END_TEST

void suite_crash_orders(Suite *suite)
{
	TCase *tcase = tcase_create("crash_orders");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_order_killed_at_its_point_is_whole_or_absent, 0, ORDERS * SIDES);
	tcase_add_loop_test(tcase, test_order_that_fails_at_its_point_is_never_acknowledged, 0,
			    ORDERS * SIDES);
	suite_add_tcase(suite, tcase);
}
