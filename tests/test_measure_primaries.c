/*
 * test_measure_primaries.c - two primaries at once: what is proven, what cannot be excluded, and a
 * thousand invented clusters whose truth must lie in between.
 */
#include "base/random.h"
#include "engine/measure_primaries.h"
#include "fixtures/court.h"
#include "fixtures/looks.h"
#include "fixtures/timelines.h"
#include "tests/suites.h"

#include <string.h>

static struct arena arena;
static struct looks looks;
static struct primaries_result result;

static void set_up(void)
{
	looks_init(&looks, &arena);
}

static void tear_down(void)
{
	arena_release(&arena);
}

/* Looks every 100 ms, each answered 1 ms after it was asked. */
static void measure(const char *db1, const char *db2)
{
	looks_put_text(&looks, "db1", db1, 100);
	looks_put_text(&looks, "db2", db2, 100);
	measure_primaries(&looks.timeline, "watch", &arena, &result);
}

static void expect_span_ms(struct span span, int64_t low_ms, int64_t high_ms)
{
	ck_assert_int_eq(span.low_ns, low_ms * NS_PER_MS);
	ck_assert_int_eq(span.high_ns, high_ms * NS_PER_MS);
}

START_TEST(test_measure_primaries_overlap_is_a_span)
{
	measure("W*10 R*5", "R*5 W*10");
	ck_assert(result.is_whole);
	ck_assert_uint_eq(result.host_count, 2);
	/* db2's first acknowledgement was here at 501 ms, db1's last was asked for at 900 ms; db2 was a
	   replica at 400 ms, db1 at 1001 ms. */
	expect_span_ms(result.writable.time, 900 - 501, 1001 - 400);
	ck_assert_uint_eq(result.writable.spell_count, 1);
	ck_assert_int_eq(result.writable.when.low_ns, timeline_ns(501));
	ck_assert_int_eq(result.writable.when.high_ns, timeline_ns(900));
	ck_assert_str_eq(result.writable.hosts, "db1, db2");
	ck_assert_int_eq(result.silent_ns, 0);
}
END_TEST

START_TEST(test_measure_primaries_orderly_change_is_none)
{
	measure("W*5 D*3 R*7", "R*10 W*5");
	expect_span_ms(result.writable.time, 0, 0);
	expect_span_ms(result.primaries.time, 0, 0);
	ck_assert_str_eq(result.writable.hosts, "");
}
END_TEST

START_TEST(test_measure_primaries_change_within_one_look_is_not_excluded)
{
	measure("W*5 R*5", "R*5 W*5");
	expect_span_ms(result.writable.time, 0, 101);
	ck_assert_uint_eq(result.writable.spell_count, 0);
}
END_TEST

START_TEST(test_measure_primaries_two_that_do_not_both_write_are_primaries_only)
{
	measure("W*5 P*5", "R*5 W*5");
	ck_assert_int_eq(result.writable.time.low_ns, 0);
	ck_assert_int_eq(result.primaries.time.low_ns, (900 - 501) * NS_PER_MS);
}
END_TEST

START_TEST(test_measure_primaries_one_look_proves_no_time)
{
	measure("W*10", "R*4 W R*5");
	expect_span_ms(result.writable.time, 0, 501 - 300);
}
END_TEST

START_TEST(test_measure_primaries_silence_is_not_excluded)
{
	measure("W*5 S*5 R*5", "R*5 W*10");
	ck_assert_int_eq(result.writable.time.low_ns, 0);
	/* db1 may have written from its last answer to its next one, db2 from 400 ms on. */
	ck_assert_int_eq(result.writable.time.high_ns, (1001 - 400) * NS_PER_MS);
	ck_assert_int_eq(result.silent_ns, (1001 - 501) * NS_PER_MS);
}
END_TEST

START_TEST(test_measure_primaries_silent_replica_that_was_not_restarted_stayed_one)
{
	measure("R*5 S*5 R*5", "W*15");
	expect_span_ms(result.writable.time, 0, 0);
	ck_assert_int_eq(result.silent_ns, 0);
}
END_TEST

START_TEST(test_measure_primaries_silent_replica_that_was_restarted_is_not_known)
{
	measure("R*5 S*5 +R*5", "W*15");
	ck_assert_int_eq(result.writable.time.low_ns, 0);
	ck_assert_int_eq(result.silent_ns, (1001 - 400) * NS_PER_MS);
}
END_TEST

START_TEST(test_measure_primaries_one_server_under_two_names_is_one)
{
	measure("=W*15", "=W*15");
	expect_span_ms(result.writable.time, 0, 0);
	ck_assert_str_eq(result.twins, "db1, db2");
}
END_TEST

START_TEST(test_measure_primaries_without_a_last_word_is_not_whole)
{
	static const struct look all[] = {
		{ STANDING_REPLICA, 0, 1, 2 },
		{ STANDING_WRITABLE, 0, 101, 102 },
	};

	looks_put(&looks, "db1", all, 2, true);
	measure_primaries(&looks.timeline, "watch", &arena, &result);
	ck_assert(!result.is_whole);
	expect_span_ms(result.writable.time, 0, 0);
}
END_TEST

START_TEST(test_measure_primaries_missing_change_proves_nothing)
{
	looks_put_text(&looks, "db1", "W*20", 100);
	looks_put_text(&looks, "db2", "W*5 D*5 W*10", 100);
	/* Without the event at which it became "down": as when too many came at once. */
	memmove(&looks.events[3], &looks.events[4],
		(looks.timeline.event_count - 4) * sizeof looks.events[0]);
	looks.timeline.event_count--;
	measure_primaries(&looks.timeline, "watch", &arena, &result);
	ck_assert(!result.is_whole);
	expect_span_ms(result.writable.time, 1900 - 1001, 1901 - 0);
}
END_TEST

START_TEST(test_measure_primaries_unreadable_event_is_not_whole)
{
	static const char *const bad[] = {
		NULL, "", "[]", "{}", "{\"is\":\"king\",\"is_last\":false}",
		"{\"was\":\"\",\"is\":\"writable\"}",
	};

	looks_put_text(&looks, "db1", "W*5", 100);
	looks.events[0].data = bad[_i];
	measure_primaries(&looks.timeline, "watch", &arena, &result);
	ck_assert(!result.is_whole);
	ck_assert_int_eq(result.writable.time.low_ns, 0);
}
END_TEST

START_TEST(test_measure_primaries_nobody_looked)
{
	measure_primaries(&looks.timeline, "watch", &arena, &result);
	ck_assert(!result.is_whole);
	ck_assert_uint_eq(result.event_count, 0);
	ck_assert_uint_eq(result.host_count, 0);
}
END_TEST

/* ---- invented clusters ---- */

enum { CLUSTERS = 1000, MEMBERS = 3, CHANGES = 12, LOOKS = 100, SLOT_MS = 50 };

/* What a member truly is from each moment on. */
struct life {
	int64_t from_ns[CHANGES];
	enum standing is[CHANGES];
};

/* Each state lasts longer than two looks are apart, as the page says it must to be seen. */
static void invent_life(struct random *random, struct life *life)
{
	int64_t at_ns = 1;

	for (size_t i = 0; i < CHANGES; i++) {
		life->from_ns[i] = at_ns;
		life->is[i] = STANDING_DOWN + (enum standing)random_below(random, 4);
		at_ns += (3 * SLOT_MS + (int64_t)random_below(random, 600)) * NS_PER_MS;
	}
}

static enum standing life_at(const struct life *life, int64_t at_ns)
{
	size_t i = CHANGES;

	while (i > 1 && life->from_ns[i - 1] > at_ns)
		i--;
	return life->is[i - 1];
}

static void look_at_life(struct random *random, const struct life *life, const char *host)
{
	struct look all[LOOKS];

	for (size_t i = 0; i < LOOKS; i++) {
		const int64_t asked_ns = (int64_t)(1 + i * SLOT_MS) * NS_PER_MS +
					 (int64_t)random_below(random, NS_PER_MS);
		const int64_t took_ns = 2 + (int64_t)random_below(random, 20 * NS_PER_MS);
		const int64_t read_ns = asked_ns + (int64_t)random_below(random, (uint64_t)took_ns);

		all[i] = (struct look){ .standing = random_below(random, 20) == 0 ?
							    STANDING_SILENT :
							    life_at(life, read_ns),
					.server = host[strlen(host) - 1],
					.asked_ns = asked_ns,
					.done_ns = asked_ns + took_ns };
	}
	looks_put(&looks, host, all, LOOKS, false);
}

/* To a tenth of a millisecond, by looking at every one of them. */
static int64_t true_overlap_ns(const struct life lives[MEMBERS])
{
	const int64_t step_ns = NS_PER_MS / 10;
	int64_t overlap_ns = 0;

	for (int64_t at_ns = 0; at_ns < LOOKS * SLOT_MS * NS_PER_MS; at_ns += step_ns) {
		size_t count = 0;

		for (size_t i = 0; i < MEMBERS; i++)
			count += life_at(&lives[i], at_ns) == STANDING_WRITABLE;
		overlap_ns += count >= 2 ? step_ns : 0;
	}
	return overlap_ns;
}

START_TEST(test_measure_primaries_invented_clusters_have_their_truth_in_the_span)
{
	static const char *const names[] = { "db1", "db2", "db3" };
	const int64_t grain_ns = 2 * CHANGES * MEMBERS * NS_PER_MS / 10;
	size_t proven_count = 0;
	size_t none_count = 0;

	for (uint64_t seed = 0; seed < CLUSTERS; seed++) {
		struct random random = random_from_seed(seed);
		struct life lives[MEMBERS];

		looks_init(&looks, &arena);
		for (size_t i = 0; i < MEMBERS; i++) {
			invent_life(&random, &lives[i]);
			look_at_life(&random, &lives[i], names[i]);
		}
		measure_primaries(&looks.timeline, "watch", &arena, &result);

		const int64_t truth_ns = true_overlap_ns(lives);

		ck_assert_msg(result.writable.time.low_ns <= truth_ns + grain_ns &&
				      truth_ns <= result.writable.time.high_ns + grain_ns,
			      "cluster %zu: %lld is not in [%lld, %lld]", (size_t)seed,
			      (long long)truth_ns, (long long)result.writable.time.low_ns,
			      (long long)result.writable.time.high_ns);
		proven_count += result.writable.time.low_ns > 0;
		none_count += truth_ns == 0;
		arena_release(&arena);
	}
	ck_assert_uint_gt(proven_count, CLUSTERS / 10); /* the histories were worth it */
	ck_assert_uint_gt(none_count, CLUSTERS / 100);
}
END_TEST

/* ---- the verdict ---- */

struct verdict_case {
	const char *db1;
	const char *db2;
	enum verdict verdict;
	const char *observed;
};

static const struct verdict_case verdict_cases[] = {
	{ "W*5 D*3 R*7", "R*10 W*5", VERDICT_MET, "none" },
	{ "W*10 R*5", "R*5 W*10", VERDICT_MISSED,
	  "two writable primaries for 399 ms to 601 ms: db1, db2" },
	{ "W*5 R*5", "R*5 W*5", VERDICT_INCONCLUSIVE, "none seen; up to 101 ms not excluded" },
	{ "W*5 S*5 R*5", "R*5 W*10", VERDICT_INCONCLUSIVE, "none seen; up to 601 ms not excluded" },
	{ "W*5 P*5", "R*5 W*5", VERDICT_INCONCLUSIVE, "none seen; up to 101 ms not excluded" },
	{ "W*3 P*7", "R*5 W*5", VERDICT_MET, "none" },
	{ "=W*10", "=W*10", VERDICT_INCONCLUSIVE, "none" },
	{ "", "", VERDICT_INCONCLUSIVE, "not known" },
};

enum { VERDICT_CASES = sizeof verdict_cases / sizeof verdict_cases[0] };

START_TEST(test_judge_split_brain_by_each_rule)
{
	const struct verdict_case *row = &verdict_cases[_i];
	struct court court;

	court_open(&court, "g*10 b*5 g*30");
	court_say_ordinary_run(&court);
	court.experiment.objectives.has_split_brain = true;
	measure(row->db1, row->db2);
	court.request.primaries = &result;
	court.request.primaries_count = 1;
	court_judge(&court);
	ck_assert_uint_eq(court.row_count, 1);
	ck_assert_str_eq(court.rows[0].name, "split brain");
	ck_assert_msg(court.rows[0].verdict == row->verdict, "%s", court.rows[0].reason);
	ck_assert_str_eq(court.rows[0].observed, row->observed);
	ck_assert((court.rows[0].advice != NULL) == (row->verdict == VERDICT_INCONCLUSIVE));
	arena_release(&court.arena);
}
END_TEST

START_TEST(test_judge_split_brain_without_a_watch_is_inconclusive)
{
	struct court court;

	court_open(&court, "g*10 b*5 g*30");
	court_say_ordinary_run(&court);
	court.experiment.objectives.has_split_brain = true;
	court_judge(&court);
	ck_assert_int_eq(court.rows[0].verdict, VERDICT_INCONCLUSIVE);
	arena_release(&court.arena);
}
END_TEST

void suite_measure_primaries(Suite *suite)
{
	TCase *tcase = tcase_create("measure_primaries");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_measure_primaries_overlap_is_a_span);
	tcase_add_test(tcase, test_measure_primaries_orderly_change_is_none);
	tcase_add_test(tcase, test_measure_primaries_change_within_one_look_is_not_excluded);
	tcase_add_test(tcase, test_measure_primaries_two_that_do_not_both_write_are_primaries_only);
	tcase_add_test(tcase, test_measure_primaries_one_look_proves_no_time);
	tcase_add_test(tcase, test_measure_primaries_silence_is_not_excluded);
	tcase_add_test(tcase,
		       test_measure_primaries_silent_replica_that_was_not_restarted_stayed_one);
	tcase_add_test(tcase, test_measure_primaries_silent_replica_that_was_restarted_is_not_known);
	tcase_add_test(tcase, test_measure_primaries_one_server_under_two_names_is_one);
	tcase_add_test(tcase, test_measure_primaries_without_a_last_word_is_not_whole);
	tcase_add_test(tcase, test_measure_primaries_missing_change_proves_nothing);
	tcase_add_loop_test(tcase, test_measure_primaries_unreadable_event_is_not_whole, 0, 6);
	tcase_add_test(tcase, test_measure_primaries_nobody_looked);
	tcase_add_test(tcase,
		       test_measure_primaries_invented_clusters_have_their_truth_in_the_span);
	tcase_add_loop_test(tcase, test_judge_split_brain_by_each_rule, 0, VERDICT_CASES);
	tcase_add_test(tcase, test_judge_split_brain_without_a_watch_is_inconclusive);
	suite_add_tcase(suite, tcase);
}
