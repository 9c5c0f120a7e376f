/*
 * test_lag.c - replication lag from recorded answers of primaries: bytes, time behind against a known
 * truth, what is unknown, the windows; and the loss that failover settings allow.
 */
#include "base/clock.h"
#include "base/random.h"
#include "engine/lag_text.h"
#include "engine/measure_lag.h"
#include "engine/settings_log.h"
#include "tests/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 64 };

static const int64_t second = NS_PER_S;
static const int64_t ms = NS_PER_MS;

static struct arena arena;
static struct event events[EVENTS_MAX];
static struct timeline timeline;
static struct lag_result result;

static void set_up(void)
{
	timeline = (struct timeline){ .events = events };
}

static void tear_down(void)
{
	arena_release(&arena);
}

/* One answer of a primary, 1 ms long, in an event of its own. NULL: without that replica. */
static void add_look(int64_t at_ns, const char *primary, uint64_t wal_bytes, const char *replica,
		     int64_t flush_bytes)
{
	struct lag_look look = { .primary = primary, .from_ns = at_ns, .until_ns = at_ns + ms,
				 .wal_bytes = wal_bytes };
	struct text data = { 0 };

	ck_assert_uint_lt(timeline.event_count, EVENTS_MAX);
	if (replica != NULL) {
		look.row_count = 1;
		look.rows[0] = (struct lag_row){ .state = "streaming",
						 .sent_bytes = 0,
						 .flush_bytes = flush_bytes,
						 .replay_bytes = flush_bytes,
						 .flush_told_ns = LAG_UNKNOWN,
						 .replay_told_ns = LAG_UNKNOWN };
		(void)snprintf(look.rows[0].replica, sizeof look.rows[0].replica, "%s", replica);
	}
	lag_text_write(&look, 1, &data);
	events[timeline.event_count++] = (struct event){ .kind = EVENT_LAG,
							 .name = "lag",
							 .host = primary,
							 .from_ns = look.from_ns,
							 .until_ns = look.until_ns,
							 .text = "",
							 .data = arena_copy(&arena, text_str(&data)) };
	text_release(&data);
}

/* A baseline from 0, the fault at 10 s, recovered at 20 s, the end at 30 s. */
static void measure(void)
{
	const struct measure_lag_request request = { .timeline = &timeline,
						     .probe = "lag",
						     .fault = { 10 * second, 10 * second + ms },
						     .baseline_from_ns = 1,
						     .recovered_ns = 20 * second,
						     .end_ns = 30 * second };

	measure_lag(&request, &arena, &result);
}

/* ---- the form in the journal ---- */

static struct lag_look read_back[8];
static size_t read_count;

static void keep(void *ctx, const struct lag_look *look)
{
	(void)ctx;
	read_back[read_count++] = *look;
}

START_TEST(test_lag_text_comes_back_as_it_was)
{
	const struct lag_look looks[] = {
		{ .primary = "db1", .from_ns = 7 * second, .until_ns = 7 * second + 913,
		  .wal_bytes = (UINT64_C(1) << 60) + 5, .row_count = 2,
		  .rows = { { "db2", "streaming", true, 0, 1, 2, LAG_UNKNOWN, 4 },
			    { "a name; with \"marks\"", "catchup", false, LAG_UNKNOWN, LAG_UNKNOWN,
			      LAG_UNKNOWN, 5, 6 } } },
		{ .primary = "db1", .from_ns = 8 * second, .until_ns = 9 * second,
		  .wal_bytes = (UINT64_C(1) << 60) + 6 },
	};
	struct event event = { .kind = EVENT_LAG, .host = "db1", .from_ns = 7 * second };
	struct text data = { 0 };

	lag_text_write(looks, 2, &data);
	event.data = text_str(&data);
	ck_assert_uint_eq(lag_text_read(&event, keep, NULL), 0);
	ck_assert_uint_eq(read_count, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_str_eq(read_back[i].primary, "db1");
		ck_assert_int_eq(read_back[i].from_ns, looks[i].from_ns);
		ck_assert_int_eq(read_back[i].until_ns, looks[i].until_ns);
		ck_assert_uint_eq(read_back[i].wal_bytes, looks[i].wal_bytes);
		ck_assert_uint_eq(read_back[i].row_count, looks[i].row_count);
	}
	for (size_t i = 0; i < 2; i++)
		ck_assert_mem_eq(&read_back[0].rows[i], &looks[0].rows[i], sizeof(struct lag_row));
	text_release(&data);
}
END_TEST

START_TEST(test_lag_text_that_is_damaged_is_counted_and_never_zero)
{
	static const struct {
		const char *data;
		size_t failed_count;
		size_t read_count;
	} rows[] = {
		{ NULL, 1, 0 },
		{ "", 1, 0 },
		{ "[]", 1, 0 },
		{ "{\"wal\":\"x\",\"replicas\":[],\"looks\":[\"0 1 0\"]}", 1, 0 },
		{ "{\"wal\":\"5\",\"replicas\":[],\"looks\":[\"0 1 0\",\"0 1\",\"1 0 0\",7]}", 3, 1 },
		{ "{\"wal\":\"5\",\"replicas\":[\"a\"],\"looks\":[\"0 1 0; 1 s async 0 0 0 - -\"]}", 1,
		  0 },
		{ "{\"wal\":\"5\",\"replicas\":[\"a\"],\"looks\":[\"0 1 0; 0 s async 0 -7 0 - -\"]}", 1,
		  0 },
		{ "{\"wal\":\"5\",\"replicas\":[\"a\"],\"looks\":[\"0 1 0; 0 s async 0 [hidden] 0 - -\"]}",
		  1, 0 },
		{ "{\"wal\":\"5\",\"replicas\":[\"a\"],\"looks\":[\"0 1 0; 0 s async 0 1 0 - - 9\"]}", 1,
		  0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct event event = { .host = "db1", .data = rows[i].data };

		read_count = 0;
		ck_assert_uint_eq(lag_text_read(&event, keep, NULL), rows[i].failed_count);
		ck_assert_uint_eq(read_count, rows[i].read_count);
	}
}
END_TEST

/* ---- lag ---- */

START_TEST(test_measure_lag_worst_of_each_window_and_the_moments)
{
	const struct replica_lag *db2;

	add_look(2 * second, "db1", 1000, "db2", 40);
	add_look(9 * second, "db1", 2000, "db2", 10);
	add_look(11 * second, "db1", 3000, "db2", 700);
	add_look(12 * second, "db1", 4000, "db2", 1700);
	add_look(18 * second, "db2", 5000, "db1", 9);
	add_look(25 * second, "db2", 6000, "db1", 3);
	measure();
	ck_assert_uint_eq(result.look_count, 6);
	ck_assert_uint_eq(result.replica_count, 2);
	db2 = &result.replicas[0];
	ck_assert_str_eq(db2->replica, "db2");
	ck_assert_int_eq(db2->windows[0].flush_bytes, 40);
	ck_assert_int_eq(db2->windows[1].flush_bytes, 1700);
	ck_assert_uint_eq(db2->windows[1].look_count, 2); /* a primary is no replica of itself */
	ck_assert_uint_eq(db2->windows[1].unknown_count, 0);
	ck_assert_int_eq(db2->windows[1].unseen_ns, 6 * second - ms); /* until it is primary itself */
	ck_assert(db2->windows[1].was_primary);
	ck_assert_int_eq(db2->windows[2].flush_bytes, LAG_UNKNOWN);
	ck_assert_uint_eq(db2->windows[2].look_count, 0);
	ck_assert(db2->windows[2].was_primary && !db2->windows[0].was_primary);
	ck_assert_int_eq(db2->last_before->flush_bytes, 10);
	ck_assert_int_eq(db2->last_words->flush_bytes, 1700);
	ck_assert_str_eq(db2->last_words->primary, "db1");
	ck_assert_ptr_null(result.replicas[1].last_words);
	ck_assert_int_eq(result.replicas[1].windows[2].flush_bytes, 3);
}
END_TEST

/* One that the primary no longer lists is not "0 behind". */
START_TEST(test_measure_lag_of_a_replica_that_vanished_is_unknown)
{
	add_look(2 * second, "db1", 1000, "db2", 0);
	add_look(11 * second, "db1", 2000, NULL, 0);
	add_look(12 * second, "db1", 3000, NULL, 0);
	measure();
	ck_assert_uint_eq(result.replicas[0].windows[1].look_count, 2);
	ck_assert_uint_eq(result.replicas[0].windows[1].unknown_count, 2);
	ck_assert_int_eq(result.replicas[0].windows[1].flush_bytes, LAG_UNKNOWN);
	ck_assert_int_eq(result.replicas[0].windows[1].unseen_ns, 10 * second);
	ck_assert_ptr_null(result.replicas[0].last_words); /* no other primary came */
}
END_TEST

START_TEST(test_measure_lag_without_position_is_unknown)
{
	add_look(2 * second, "db1", 1000, "db2", LAG_UNKNOWN);
	add_look(3 * second, "db1", 1000, "db2", 5000); /* more than was ever written: no position */
	measure();
	ck_assert_uint_eq(result.replicas[0].windows[0].unknown_count, 2);
	ck_assert_int_eq(result.replicas[0].windows[0].flush_bytes, LAG_UNKNOWN);
	ck_assert_ptr_null(result.replicas[0].last_before);
}
END_TEST

START_TEST(test_measure_lag_of_nothing_has_no_replicas)
{
	measure();
	ck_assert_uint_eq(result.look_count, 0);
	ck_assert_uint_eq(result.replica_count, 0);
	ck_assert_int_eq(result.wal_bytes_per_s, LAG_UNKNOWN);
}
END_TEST

/* The journal has the answers of two primaries in batches, not in the order of time. */
START_TEST(test_measure_lag_answers_are_put_in_the_order_of_time)
{
	add_look(12 * second, "db1", 3000, "db3", 300);
	add_look(14 * second, "db1", 4000, "db3", 400);
	add_look(9 * second, "db1", 1000, "db3", 100);
	add_look(13 * second, "db2", 9000, "db3", 900);
	measure();
	ck_assert_uint_eq(result.replicas[0].point_count, 4);
	for (size_t i = 1; i < 4; i++)
		ck_assert_int_gt(result.replicas[0].points[i].from_ns,
				 result.replicas[0].points[i - 1].from_ns);
	ck_assert_int_eq(result.replicas[0].windows[1].flush_bytes, 900);
	ck_assert_int_eq(result.replicas[0].last_words->flush_bytes, 400); /* db1 still spoke */
}
END_TEST

/*
 * A primary that writes at changing speed, and a replica that stands still for a while: how long ago the
 * replica's position was the primary's is known here, so it must lie in every span.
 */
START_TEST(test_measure_lag_time_behind_holds_the_truth)
{
	struct random random = random_from_seed((uint64_t)_i + 1);
	int64_t wal_at_ms[16000];
	int64_t wal = 1000000;
	size_t known_count = 0;

	for (size_t i = 0; i < 16000; i++) {
		wal_at_ms[i] = wal;
		wal += random_below(&random, 4) == 0 ? (int64_t)random_below(&random, 5000) : 0;
	}
	const int64_t stuck_ms = 3000 + (int64_t)random_below(&random, 4000);

	for (size_t k = 0; k < 40; k++) {
		/* Asked at k * 300 ms, answered by a state of up to 1 ms later. */
		const int64_t at_ms = 300 * (int64_t)k + 500;
		const int64_t position = wal_at_ms[at_ms > stuck_ms ? stuck_ms : at_ms];

		add_look(at_ms * ms, "db1", (uint64_t)wal_at_ms[at_ms], "db2",
			 wal_at_ms[at_ms] - position);
	}
	measure();
	ck_assert_uint_eq(result.replicas[0].point_count, 40);
	for (size_t k = 0; k < 40; k++) {
		const struct lag_point *point = &result.replicas[0].points[k];
		const int64_t at_ms = 300 * (int64_t)k + 500;
		int64_t since_ms = at_ms;

		/* The last moment at which the primary had no more than the replica has now. */
		if (at_ms > stuck_ms)
			for (since_ms = stuck_ms; since_ms < at_ms &&
						  wal_at_ms[since_ms + 1] == wal_at_ms[stuck_ms];)
				since_ms++;
		const int64_t truth_ns = (at_ms - since_ms) * ms;

		ck_assert(point->is_known);
		ck_assert_int_le(point->flush_behind.low_ns, truth_ns);
		if (point->flush_behind.high_ns == NEVER_NS)
			continue;
		known_count++;
		ck_assert_int_ge(point->flush_behind.high_ns, truth_ns);
		/* No wider than the time between two answers, and the answers themselves. */
		ck_assert_int_le(point->flush_behind.high_ns - point->flush_behind.low_ns,
				 300 * ms + 2 * ms);
	}
	ck_assert_uint_eq(known_count, 40);
}
END_TEST

START_TEST(test_measure_lag_from_before_the_first_answer_has_no_upper_bound)
{
	add_look(2 * second, "db1", 5000, "db2", 3000);
	add_look(4 * second, "db1", 6000, "db2", 4000);
	measure();
	ck_assert_int_eq(result.replicas[0].windows[0].flush_behind.high_ns, NEVER_NS);
	ck_assert_int_eq(result.replicas[0].windows[0].flush_behind.low_ns, 2 * second - ms);
}
END_TEST

/* A server that was rewound: the same bytes are other writes. */
START_TEST(test_measure_lag_history_ends_where_the_position_goes_down)
{
	add_look(2 * second, "db1", 5000, "db2", 0);
	add_look(4 * second, "db1", 3000, "db2", 1000);
	measure();
	ck_assert_int_eq(result.replicas[0].points[1].flush_behind.high_ns, NEVER_NS);
}
END_TEST

START_TEST(test_measure_lag_rate_is_the_fastest_second)
{
	add_look(1 * second, "db1", 1000, "db2", 0);
	add_look(1 * second + 500 * ms, "db1", 900000, "db2", 0); /* too short alone */
	add_look(3 * second, "db1", 1000000, "db2", 0);
	add_look(5 * second, "db1", 1000100, "db2", 0);
	measure();
	/* 999,000 bytes in 1.999 s; 100,000 in 1.499 s and 100 in 1.999 s are slower. */
	ck_assert_int_eq(result.wal_bytes_per_s, 999000 * second / (1999 * ms) + 1);
}
END_TEST

/* ---- the bound ---- */

static const struct service orders = { .name = "orders-db", .kind = "postgres" };
static const struct probe_spec spec = { .name = "lag", .service = &orders };
static const struct experiment experiment = { .probes = &spec, .probe_count = 1 };

static struct loss_bound bound_of(const char *data, int64_t rate)
{
	const struct lag_result lag = { .probe = "lag", .wal_bytes_per_s = rate };
	const struct loss_bound *bounds;
	size_t count;

	events[timeline.event_count++] = (struct event){
		.kind = EVENT_SETTINGS, .name = "orders-db", .host = "db1", .text = "", .data = data
	};
	measure_bounds(&timeline, &experiment, &lag, 1, &arena, &bounds, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(bounds[0].service, "orders-db");
	ck_assert_str_eq(bounds[0].told_by, "db1");
	return bounds[0];
}

#define SETTINGS(sync, maximum)                                                                      \
	"{\"manager\":\"Patroni\",\"is_synchronous\":" sync ",\"is_strict\":false,\"is_paused\":false," \
	"\"maximum_lag_bytes\":" maximum ",\"ttl_ns\":5000000000,\"loop_wait_ns\":1000000000,"          \
	"\"retry_timeout_ns\":2000000000}"

START_TEST(test_measure_bounds_is_the_lag_allowed_and_what_is_written_within_ttl)
{
	ck_assert_int_eq(bound_of(SETTINGS("false", "1048576"), 250000).bound_bytes,
			 1048576 + 5 * 250000 + 1);
}
END_TEST

START_TEST(test_measure_bounds_without_a_rate_is_not_known)
{
	ck_assert_int_eq(bound_of(SETTINGS("false", "1048576"), LAG_UNKNOWN).bound_bytes, LAG_UNKNOWN);
}
END_TEST

START_TEST(test_measure_bounds_beyond_all_numbers_is_not_known)
{
	ck_assert_int_eq(bound_of(SETTINGS("false", "1048576"), INT64_MAX / 2).bound_bytes,
			 LAG_UNKNOWN);
}
END_TEST

START_TEST(test_measure_bounds_synchronous_is_nothing)
{
	ck_assert_int_eq(bound_of(SETTINGS("true", "1048576"), 250000).bound_bytes, 0);
}
END_TEST

START_TEST(test_settings_log_parse_refuses_what_is_not_whole)
{
	static const char *const rows[] = {
		NULL, "", "[]", "{}", "{\"manager\":\"Patroni\"}", SETTINGS("1", "5"),
		SETTINGS("true", "-5"), SETTINGS("true", "null"),
	};
	const struct event event = { .name = "orders-db", .data = rows[_i] };
	struct failover_settings settings;

	ck_assert(!settings_log_parse(&event, &settings));
}
END_TEST

void suite_lag(Suite *suite)
{
	TCase *tests = tcase_create("lag");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_lag_text_comes_back_as_it_was);
	tcase_add_test(tests, test_lag_text_that_is_damaged_is_counted_and_never_zero);
	tcase_add_test(tests, test_measure_lag_worst_of_each_window_and_the_moments);
	tcase_add_test(tests, test_measure_lag_of_a_replica_that_vanished_is_unknown);
	tcase_add_test(tests, test_measure_lag_without_position_is_unknown);
	tcase_add_test(tests, test_measure_lag_of_nothing_has_no_replicas);
	tcase_add_test(tests, test_measure_lag_answers_are_put_in_the_order_of_time);
	tcase_add_loop_test(tests, test_measure_lag_time_behind_holds_the_truth, 0, 20);
	tcase_add_test(tests, test_measure_lag_from_before_the_first_answer_has_no_upper_bound);
	tcase_add_test(tests, test_measure_lag_history_ends_where_the_position_goes_down);
	tcase_add_test(tests, test_measure_lag_rate_is_the_fastest_second);
	tcase_add_test(tests, test_measure_bounds_is_the_lag_allowed_and_what_is_written_within_ttl);
	tcase_add_test(tests, test_measure_bounds_without_a_rate_is_not_known);
	tcase_add_test(tests, test_measure_bounds_beyond_all_numbers_is_not_known);
	tcase_add_test(tests, test_measure_bounds_synchronous_is_nothing);
	tcase_add_loop_test(tests, test_settings_log_parse_refuses_what_is_not_whole, 0, 8);
	suite_add_tcase(suite, tests);
}
