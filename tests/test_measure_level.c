/*
 * test_measure_level.c - how a probe was served before, during and after the fault: the borders of
 * the three parts, percentiles against brute force, error rate, throughput kept, time over a latency.
 */
#include "base/random.h"
#include "engine/measure.h"
#include "engine/measure_level.h"
#include "fixtures/timelines.h"
#include "tests/suites.h"

#include <stdlib.h>

/* Slots every 20 ms, timeout 200 ms, stable after 200 ms, as in timelines.h. */
struct scene {
	struct arena arena;
	struct track track;
	struct measure_request request;
	struct probe_result result;
};

static void scene_open(struct scene *scene, const char *slots)
{
	*scene = (struct scene){ 0 };
	scene->track = timeline_track(&scene->arena, "reads", slots, 20, 200);
	scene->request = (struct measure_request){
		.track = &scene->track,
		.is_required = true,
		.fault = timeline_fault(190, 195),
		.baseline_from_ns = timeline_ns(0),
		.end_ns = track_due_ns(&scene->track, scene->track.slot_count),
		.stable_for_ns = 200 * NS_PER_MS,
		.timeout_ns = 200 * NS_PER_MS,
	};
}

static void scene_measure(struct scene *scene)
{
	measure_probe(&scene->request, &scene->result);
}

static void scene_close(struct scene *scene)
{
	arena_release(&scene->arena);
}

static void must_span(struct span span, int64_t low_ms, int64_t high_ms)
{
	ck_assert_int_eq(span.low_ns, low_ms * NS_PER_MS);
	ck_assert_int_eq(span.high_ns, high_ms < 0 ? NEVER_NS : high_ms * NS_PER_MS);
}

START_TEST(test_measure_levels_attempt_under_way_at_the_fault_is_its_victim)
{
	struct scene scene;

	/* Due at 180, answered at 280; the fault came at 190. */
	scene_open(&scene, "g*9 g~100 b*5 g*20");
	scene_measure(&scene);
	ck_assert_uint_eq(scene.result.baseline.slot_count, 9);
	ck_assert_uint_eq(scene.result.during.slot_count, 6);
	ck_assert_uint_eq(scene.result.during.good_count, 1);
	must_span(scene.result.baseline.latency[PERCENTILE_MAX], 1, 1);
	must_span(scene.result.during.latency[PERCENTILE_P50], 200, -1);
	ck_assert_uint_eq(scene.result.after.slot_count, 20);
	scene_close(&scene);
}
END_TEST

START_TEST(test_measure_levels_during_ends_when_stable_and_healed)
{
	static const struct {
		const char *slots;
		int64_t healed_ms; /* 0: not known */
		int64_t until_ms;
	} rows[] = {
		{ "g*10 b*5 g*20", 0, 300 },	   /* stable */
		{ "g*10 b*5 g*20", 250, 300 },	   /* healed first, stable later */
		{ "g*10 b*5 g*20", 450, 450 },	   /* stable first, healed later */
		{ "g*30", 450, 450 },		   /* no outage: the heal alone */
		{ "g*30", 0, 600 },		   /* nobody knows: to the end */
		{ "g*10 b*20", 450, 600 },	   /* never stable */
		{ "g*10 b*5 g*20", 5000, 700 },	   /* healed after the end */
		{ "g*10 b*10 g*20 b*2 g*15", 300, 400 }, /* down again later is after */
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct scene scene;

		scene_open(&scene, rows[i].slots);
		if (rows[i].healed_ms != 0)
			scene.request.healed_ns = timeline_ns(rows[i].healed_ms);
		scene_measure(&scene);
		ck_assert_int_eq(timeline_ms(scene.result.during.from_ns), 190);
		ck_assert_msg(timeline_ms(scene.result.during.until_ns) == rows[i].until_ms,
			      "row %zu: until %lld", i,
			      (long long)timeline_ms(scene.result.during.until_ns));
		ck_assert_int_eq(timeline_ms(scene.result.after.from_ns), rows[i].until_ms);
		/* Every slot is in one part, and in one only. */
		ck_assert_uint_eq(scene.result.baseline.slot_count +
					  scene.result.during.slot_count +
					  scene.result.after.slot_count,
				  scene.track.slot_count);
		scene_close(&scene);
	}
}
END_TEST

START_TEST(test_measure_levels_nothing_due_is_nothing_known)
{
	struct scene scene;

	scene_open(&scene, "g*10 b*20");
	scene_measure(&scene);
	ck_assert_uint_eq(scene.result.after.slot_count, 0);
	must_span(scene.result.after.latency[PERCENTILE_P50], 0, -1);
	ck_assert_int_eq(scene.result.after.error_low_ppm, 0);
	ck_assert_int_eq(scene.result.after.error_high_ppm, 1000000);
	ck_assert(!scene.result.after.has_kept);
	scene_close(&scene);
}
END_TEST

START_TEST(test_measure_levels_no_slots_at_all_is_nothing_known)
{
	struct scene scene;

	scene_open(&scene, "");
	scene_measure(&scene);
	ck_assert_uint_eq(scene.result.baseline.slot_count, 0);
	must_span(scene.result.baseline.latency[PERCENTILE_MAX], 0, -1);
	must_span(measure_time_over(&scene.request, NS_PER_MS), 0, 0);
	scene_close(&scene);
}
END_TEST

START_TEST(test_measure_levels_all_bad_took_the_timeout_or_more)
{
	struct scene scene;

	/* Refused after 1 ms: as bad for a user as hanging. */
	scene_open(&scene, "g*10 b*20");
	scene_measure(&scene);
	must_span(scene.result.during.latency[PERCENTILE_P50], 200, -1);
	ck_assert_int_eq(scene.result.during.error_low_ppm, 1000000);
	ck_assert(scene.result.during.has_kept);
	ck_assert_int_eq(scene.result.during.kept_high_ppm, 0);
	scene_close(&scene);
}
END_TEST

START_TEST(test_measure_levels_unseen_slots_alone_tell_nothing)
{
	struct scene scene;

	scene_open(&scene, "g*10 s*20");
	scene_measure(&scene);
	ck_assert_uint_eq(scene.result.during.unseen_count, 20);
	must_span(scene.result.during.latency[PERCENTILE_MAX], 0, -1);
	ck_assert_int_eq(scene.result.during.error_low_ppm, 0);
	ck_assert_int_eq(scene.result.during.error_high_ppm, 1000000);
	ck_assert_int_eq(scene.result.during.kept_low_ppm, 0);
	ck_assert_int_eq(scene.result.during.kept_high_ppm, 1000000);
	scene_close(&scene);
}
END_TEST

START_TEST(test_measure_levels_throughput_kept_is_exact_at_its_border)
{
	struct scene scene;

	/* 2 of 3 done in the baseline, 27 of 45 after it: nine tenths, exactly. */
	scene_open(&scene, "g*2 b g*2 b g*2 b  g*12 b*18 g*15");
	scene.request.fault = timeline_fault(180, 180);
	scene.request.healed_ns = timeline_ns(18000);
	scene_measure(&scene);
	ck_assert_uint_eq(scene.result.during.slot_count, 45);
	ck_assert_int_eq(scene.result.during.kept_low_ppm, 900000);
	ck_assert_int_eq(scene.result.during.kept_high_ppm, 900000);
	ck_assert_int_eq(scene.result.during.done_milli_per_s, 30000); /* 27 in 0.9 s */
	scene_close(&scene);
}
END_TEST

START_TEST(test_measure_levels_ledger_keeps_acknowledged_writes_only)
{
	struct scene scene;

	/* Good and not acknowledged: nothing was sent in these slots. */
	scene_open(&scene, "a*10 a*5 g*5");
	scene.request.is_ledger = true;
	scene.request.fault = timeline_fault(200, 200);
	scene_measure(&scene);
	ck_assert_uint_eq(scene.result.during.done_count, 5);
	ck_assert_int_eq(scene.result.during.kept_low_ppm, 500000);
	scene_close(&scene);
}
END_TEST

START_TEST(test_measure_levels_nothing_done_before_leaves_nothing_to_keep)
{
	struct scene scene;

	scene_open(&scene, "b*10 b*5 g*20");
	scene_measure(&scene);
	ck_assert(!scene.result.during.has_kept);
	ck_assert(!scene.result.after.has_kept);
	scene_close(&scene);
}
END_TEST

/* ---- percentiles against brute force ---- */

enum { SEEDS = 300, SLOTS_AT_MOST = 400 };

static int compare_ns(const void *left, const void *right)
{
	const int64_t a = *(const int64_t *)left;
	const int64_t b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

/* The value of rank ceil(q n) of all slots; what nobody saw and what failed took what is given. */
static int64_t brute_force(const struct track *track, int64_t ppm, int64_t unseen_ns,
			   int64_t failed_ns)
{
	int64_t values_ns[SLOTS_AT_MOST];
	const size_t count = track->slot_count;
	size_t rank = (count * (size_t)ppm) / 1000000;

	rank += rank * 1000000 < count * (size_t)ppm;
	for (uint64_t slot = 0; slot < count; slot++) {
		const struct sample *sample = &track->samples[slot];
		const int64_t took_ns = sample->done_ns - track_due_ns(track, slot);

		if (sample->state == SAMPLE_GOOD)
			values_ns[slot] = took_ns;
		else if (sample->state == SAMPLE_BAD)
			values_ns[slot] = took_ns > failed_ns ? took_ns : failed_ns;
		else
			values_ns[slot] = unseen_ns;
	}
	qsort(values_ns, count, sizeof *values_ns, compare_ns);
	return values_ns[rank - 1];
}

static void draw_samples(struct random *random, struct sample *samples, size_t count)
{
	static const uint64_t scales_ns[] = { 10, 5000, 3000000, 40000000000 };
	const uint64_t scale_ns = scales_ns[random_below(random, 4)];
	const uint64_t bad_in = 2 + random_below(random, 200);
	const uint64_t unseen_in = 2 + random_below(random, 200);

	for (size_t slot = 0; slot < count; slot++) {
		const int64_t due_ns = NS_PER_S + (int64_t)slot * NS_PER_MS;
		struct sample *sample = &samples[slot];

		*sample = (struct sample){ .sent_ns = due_ns, .state = SAMPLE_GOOD };
		sample->done_ns = due_ns + (int64_t)random_below(random, scale_ns);
		if (random_below(random, bad_in) == 0)
			sample->state = SAMPLE_BAD;
		else if (random_below(random, unseen_in) == 0)
			*sample = (struct sample){ .state = random_below(random, 2) == 0 ?
								    SAMPLE_SKIPPED :
								    SAMPLE_NONE };
	}
}

START_TEST(test_measure_levels_percentiles_agree_with_brute_force)
{
	struct sample samples[SLOTS_AT_MOST];

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct random random = random_from_seed(seed);
		const size_t count = 1 + random_below(&random, SLOTS_AT_MOST);
		const struct track track = { .probe = "p", .t0_ns = NS_PER_S, .every_ns = NS_PER_MS,
					     .slot_count = count, .samples = samples };
		const struct measure_request request = {
			.track = &track,
			.baseline_from_ns = NS_PER_S,
			.end_ns = NS_PER_S + (int64_t)count * NS_PER_MS,
			.timeout_ns = 7 * NS_PER_MS,
		};
		struct probe_result result = { 0 };

		draw_samples(&random, samples, count);
		measure_levels(&request, request.end_ns, &result);
		ck_assert_uint_eq(result.baseline.slot_count, count);
		for (size_t i = 0; i < PERCENTILE_COUNT; i++) {
			const int64_t ppm = percentile_ppm((enum percentile)i);
			const struct span got = result.baseline.latency[i];

			ck_assert_int_eq(got.low_ns,
					 brute_force(&track, ppm, 0, request.timeout_ns));
			ck_assert_int_eq(got.high_ns, brute_force(&track, ppm, NEVER_NS, NEVER_NS));
		}
	}
}
END_TEST

/* ---- time over a latency ---- */

START_TEST(test_measure_time_over_by_each_rule)
{
	static const struct {
		const char *slots;
		int64_t low_ms;
		int64_t high_ms;
	} rows[] = {
		{ "g*40", 0, 0 },
		{ "g*10 g~50*5 g*20", 80, 110 },	   /* 200..280, from the fault to 300 */
		{ "g*15 g~50*5 g*20", 80, 120 },	   /* 300..380, between 280 and 400 */
		{ "g*15 g~40*5 g*20", 0, 0 },		   /* as long as the limit is within it */
		{ "g*15 g~50 g*20", 0, 40 },		   /* one slow answer */
		{ "g*15 g~50 g g~50 g*20", 0, 80 },	   /* one at a time */
		{ "g*15 b*5 g*20", 80, 120 },		   /* down is over, too */
		{ "g*15 g~50*2 b*2 g~50 g*20", 80, 120 },  /* slow, down, slow: one time */
		{ "g*15 g~50*2 s*2 g~50 g*20", 80, 120 },  /* unseen in the middle */
		{ "g*15 g~50*3 s*2 g*20", 40, 120 },	   /* unseen at the end */
		{ "g*15 s*2 g*20", 0, 60 },		   /* unseen alone: may hide one */
		{ "g*15 .*2 g*20", 0, 60 },		   /* and not sampled */
		{ "g*10 b*10", 180, 210 },		   /* to the end */
		{ "g*9 g~150 g*20", 0, 10 },		   /* under way when the fault struck */
		{ "g~50*7 g*23", 0, 0 },		   /* before the fault is not its doing */
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct scene scene;

		scene_open(&scene, rows[i].slots);
		scene.request.over_ns = 40 * NS_PER_MS;
		scene_measure(&scene);
		ck_assert_int_eq(scene.result.over_ns, 40 * NS_PER_MS);
		ck_assert_msg(scene.result.time_over.low_ns == rows[i].low_ms * NS_PER_MS &&
				      scene.result.time_over.high_ns == rows[i].high_ms * NS_PER_MS,
			      "%s: %lld to %lld ms", rows[i].slots,
			      (long long)(scene.result.time_over.low_ns / NS_PER_MS),
			      (long long)(scene.result.time_over.high_ns / NS_PER_MS));
		scene_close(&scene);
	}
}
END_TEST

void suite_measure_level(Suite *suite)
{
	TCase *tcase = tcase_create("measure_level");

	tcase_add_test(tcase, test_measure_levels_attempt_under_way_at_the_fault_is_its_victim);
	tcase_add_test(tcase, test_measure_levels_during_ends_when_stable_and_healed);
	tcase_add_test(tcase, test_measure_levels_nothing_due_is_nothing_known);
	tcase_add_test(tcase, test_measure_levels_no_slots_at_all_is_nothing_known);
	tcase_add_test(tcase, test_measure_levels_all_bad_took_the_timeout_or_more);
	tcase_add_test(tcase, test_measure_levels_unseen_slots_alone_tell_nothing);
	tcase_add_test(tcase, test_measure_levels_throughput_kept_is_exact_at_its_border);
	tcase_add_test(tcase, test_measure_levels_ledger_keeps_acknowledged_writes_only);
	tcase_add_test(tcase, test_measure_levels_nothing_done_before_leaves_nothing_to_keep);
	tcase_add_test(tcase, test_measure_levels_percentiles_agree_with_brute_force);
	tcase_add_test(tcase, test_measure_time_over_by_each_rule);
	suite_add_tcase(suite, tcase);
}
