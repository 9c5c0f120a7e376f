/*
 * test_measure.c - recorded timelines of every situation, and what must be measured in them.
 */
#include "engine/measure.h"
#include "fixtures/timelines.h"
#include "tests/suites.h"

#include <inttypes.h>

/* Slots every 20 ms, timeout 200 ms, stable after 200 ms, fault in [190, 195] unless given. */
struct situation {
	const char *name;
	const char *slots;
	int64_t sent_ms;
	int64_t confirmed_ms;
	int64_t end_ms; /* 0: after the last slot */
	enum measured kind;
	struct span rto_ms;
	struct span downtime_ms;
	uint64_t flaps;
	uint64_t good;
	uint64_t bad;
	uint64_t skipped;
	uint64_t not_sampled;
};

static const struct situation situations[] = {
	{ .name = "clean outage",
	  .slots = "g*10 b*5 g*20",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 85, 111 },
	  .downtime_ms = { 79, 111 },
	  .good = 20,
	  .bad = 5 },
	{ .name = "flapping waits for the stable stretch",
	  .slots = "g*10 b*5 g*3 b*2 g*20",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 185, 211 },
	  .downtime_ms = { 98, 172 },
	  .flaps = 1,
	  .good = 23,
	  .bad = 7 },
	{ .name = "first good of the stretch hangs, a later slot answers first",
	  .slots = "g*10 h*10 g~350 g*20",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 185, 231 },
	  .downtime_ms = { 179, 231 },
	  .good = 21,
	  .bad = 10 },
	{ .name = "all hanging attempts are answered when the service thaws",
	  .slots = "g*10 h*3 g~141 g~121 g~101 g~81 g~61 g~41 g~21 g*20",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 45, 211 },
	  .downtime_ms = { 39, 211 },
	  .good = 27,
	  .bad = 3 },
	{ .name = "no outage", .slots = "g*40", .kind = MEASURED_NO_OUTAGE, .good = 30 },
	{ .name = "never recovered",
	  .slots = "g*10 b*30",
	  .kind = MEASURED_NEVER_RECOVERED,
	  .rto_ms = { 585, 610 },
	  .downtime_ms = { 579, 610 },
	  .bad = 30 },
	{ .name = "good again, but not long enough before the end",
	  .slots = "g*10 b*20 g*5",
	  .kind = MEASURED_NEVER_RECOVERED,
	  .rto_ms = { 385, 510 },
	  .downtime_ms = { 379, 411 },
	  .good = 5,
	  .bad = 20 },
	{ .name = "outage at the very end",
	  .slots = "g*30 b",
	  .kind = MEASURED_NEVER_RECOVERED,
	  .rto_ms = { 405, 430 },
	  .downtime_ms = { 0, 40 },
	  .good = 20,
	  .bad = 1 },
	{ .name = "skipped after the last bad widen the span",
	  .slots = "g*10 b*5 s*5 g*20",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 85, 211 },
	  .downtime_ms = { 79, 211 },
	  .good = 20,
	  .bad = 5,
	  .skipped = 5 },
	{ .name = "skipped before the first bad",
	  .slots = "g*10 s*5 b*5 g*20",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 185, 211 },
	  .downtime_ms = { 79, 211 },
	  .good = 20,
	  .bad = 5,
	  .skipped = 5 },
	{ .name = "skipped inside the stable stretch do not break it",
	  .slots = "g*10 b*5 g*5 s*3 g*20",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 85, 111 },
	  .downtime_ms = { 79, 111 },
	  .good = 25,
	  .bad = 5,
	  .skipped = 3 },
	{ .name = "skipped do not make a stretch longer",
	  .slots = "g*10 b*5 g s*12",
	  .kind = MEASURED_NEVER_RECOVERED,
	  .rto_ms = { 85, 370 },
	  .downtime_ms = { 79, 111 },
	  .good = 1,
	  .bad = 5,
	  .skipped = 12 },
	{ .name = "lanes are busy with hanging attempts",
	  .slots = "g*10 h .*9 h .*9 g*20",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 205, 411 },
	  .downtime_ms = { 199, 411 },
	  .good = 20,
	  .bad = 2,
	  .not_sampled = 18 },
	{ .name = "a hanging attempt from before the fault belongs to the outage",
	  .slots = "g*9 h b*5 g*20",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 85, 111 },
	  .downtime_ms = { 79, 111 },
	  .good = 20,
	  .bad = 6 },
	{ .name = "only an attempt under way was hit",
	  .slots = "g*9 b~15 g*20",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 0, 11 },
	  .downtime_ms = { 0, 11 },
	  .good = 20,
	  .bad = 1 },
	{ .name = "only an attempt under way was hit, and hung: the others prove nothing",
	  .slots = "g*9 h g*30",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 0, 191 },
	  .downtime_ms = { 0, 191 },
	  .good = 30,
	  .bad = 1 },
	{ .name = "a failure from before the fault is not its outage",
	  .slots = "g*5 b g*34",
	  .kind = MEASURED_NO_OUTAGE,
	  .good = 30 },
	{ .name = "confirmed long after the recovery",
	  .slots = "g*10 b*5 g*40",
	  .sent_ms = 190,
	  .confirmed_ms = 700,
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 0, 111 },
	  .downtime_ms = { 79, 111 },
	  .good = 40,
	  .bad = 5 },
	{ .name = "confirmed long after the recovery, and the attempts hung",
	  .slots = "g*10 h*5 g*40",
	  .sent_ms = 190,
	  .confirmed_ms = 700,
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 0, 111 },
	  .downtime_ms = { 79, 111 },
	  .good = 40,
	  .bad = 5 },
	{ .name = "the fault takes effect after a good while",
	  .slots = "g*40 b*5 g*20",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 685, 711 },
	  .downtime_ms = { 79, 121 },
	  .good = 50,
	  .bad = 5 },
	{ .name = "a second outage after the heal counts as downtime",
	  .slots = "g*10 b*5 g*20 b*10 g*20",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 85, 111 },
	  .downtime_ms = { 258, 332 },
	  .good = 40,
	  .bad = 15 },
	{ .name = "down again at the end, after stable",
	  .slots = "g*10 b*5 g*20 b*10",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 85, 111 },
	  .downtime_ms = { 258, 331 },
	  .good = 20,
	  .bad = 15 },
	{ .name = "a late answer inside one outage is no flap",
	  .slots = "g*10 h*4 g~600 h*20 g*20",
	  .kind = MEASURED_SPAN,
	  .rto_ms = { 485, 511 },
	  .downtime_ms = { 438, 532 },
	  .good = 21,
	  .bad = 24 },
	{ .name = "samples due after the end are not looked at",
	  .slots = "g*10 b*5 g*20",
	  .end_ms = 400,
	  .kind = MEASURED_NEVER_RECOVERED,
	  .rto_ms = { 85, 210 },
	  .downtime_ms = { 79, 111 },
	  .good = 5,
	  .bad = 5 },
	{ .name = "nothing but skipped after the fault",
	  .slots = "g*9 s*20",
	  .kind = MEASURED_NOTHING,
	  .skipped = 19 },
	{ .name = "no slots at all", .slots = "", .end_ms = 400, .kind = MEASURED_NOTHING },
};

enum { SITUATIONS = sizeof situations / sizeof situations[0] };

static struct measure_request request_for(const struct track *track, struct span fault)
{
	return (struct measure_request){
		.track = track,
		.is_required = true,
		.fault = fault,
		.baseline_from_ns = timeline_ns(0),
		.end_ns = track_due_ns(track, track->slot_count),
		.stable_for_ns = 200 * NS_PER_MS,
	};
}

static void expect_span(const char *what, struct span got, struct span expected_ms)
{
	ck_assert_msg(got.low_ns == expected_ms.low_ns * NS_PER_MS &&
			      got.high_ns == expected_ms.high_ns * NS_PER_MS,
		      "%s: [%" PRId64 ", %" PRId64 "] ns, not [%" PRId64 ", %" PRId64 "] ms", what,
		      got.low_ns, got.high_ns, expected_ms.low_ns, expected_ms.high_ns);
}

START_TEST(test_measure_probe_each_situation_gives_its_result)
{
	const struct situation *row = &situations[_i];
	const bool has_times = row->confirmed_ms != 0;
	struct arena arena = { 0 };
	const struct track track = timeline_track(&arena, "reads", row->slots, 20, 200);
	const struct span fault = has_times ? timeline_fault(row->sent_ms, row->confirmed_ms)
					    : timeline_fault(190, 195);
	struct measure_request request = request_for(&track, fault);
	struct probe_result result;

	if (row->end_ms != 0)
		request.end_ns = timeline_ns(row->end_ms);
	measure_probe(&request, &result);

	ck_assert_msg(result.rto_kind == row->kind, "%s: kind %d", row->name, result.rto_kind);
	expect_span(row->name, result.rto, row->rto_ms);
	expect_span(row->name, result.downtime, row->downtime_ms);
	ck_assert_msg(result.flap_count == row->flaps, "%s: %" PRIu64 " flaps", row->name,
		      result.flap_count);
	ck_assert_msg(result.good_count == row->good && result.bad_count == row->bad &&
			      result.skipped_count == row->skipped &&
			      result.not_sampled_count == row->not_sampled,
		      "%s: %" PRIu64 " good %" PRIu64 " bad %" PRIu64 " skipped %" PRIu64
		      " not sampled",
		      row->name, result.good_count, result.bad_count, result.skipped_count,
		      result.not_sampled_count);
	arena_release(&arena);
}
END_TEST

START_TEST(test_measure_probe_without_fault_counts_from_the_baseline)
{
	struct arena arena = { 0 };
	const struct track track = timeline_track(&arena, "reads", "g*10 b*5 g*20", 20, 200);
	const struct measure_request request = request_for(&track, (struct span){ 0 });
	struct probe_result result;

	measure_probe(&request, &result);
	ck_assert_int_eq(result.rto_kind, MEASURED_NOTHING);
	ck_assert_uint_eq(result.good_count, 30);
	ck_assert_uint_eq(result.bad_count, 5);
	ck_assert_uint_eq(result.baseline.good_count, 30);
	ck_assert_uint_eq(result.during.slot_count, 0);
	arena_release(&arena);
}
END_TEST

START_TEST(test_measure_probe_flapping_splits_the_rto_into_parts)
{
	struct arena arena = { 0 };
	const struct track track =
		timeline_track(&arena, "reads", "g*10 b*5 g*3 b*2 g*20", 20, 200);
	const struct measure_request request = request_for(&track, timeline_fault(190, 195));
	struct probe_result result;

	measure_probe(&request, &result);
	ck_assert_uint_eq(result.part_count, 3);
	ck_assert_str_eq(result.parts[0].name, "until first failure seen");
	expect_span("first failure", result.parts[0].span, (struct span){ 0, 11 });
	ck_assert_str_eq(result.parts[1].name, "until first success");
	expect_span("first success", result.parts[1].span, (struct span){ 79, 111 });
	ck_assert_str_eq(result.parts[2].name, "until stable");
	expect_span("stable", result.parts[2].span, (struct span){ 79, 121 });
	ck_assert_int_eq(timeline_ms(result.first_bad_due_ns), 200);
	ck_assert_int_eq(timeline_ms(result.last_bad_due_ns), 380);
	ck_assert_int_eq(timeline_ms(result.first_good_done_ns), 301);
	ck_assert_int_eq(timeline_ms(result.stable_from_ns), 401);
	arena_release(&arena);
}
END_TEST

START_TEST(test_measure_probe_without_flaps_is_stable_at_its_first_success)
{
	struct arena arena = { 0 };
	const struct track track = timeline_track(&arena, "reads", "g*10 b*5 g*20", 20, 200);
	const struct measure_request request = request_for(&track, timeline_fault(190, 195));
	struct probe_result result;

	measure_probe(&request, &result);
	ck_assert_uint_eq(result.part_count, 3);
	expect_span("stable", result.parts[2].span, (struct span){ 0, 0 });
	arena_release(&arena);
}
END_TEST

START_TEST(test_measure_probe_never_answering_tells_only_the_first_part)
{
	struct arena arena = { 0 };
	const struct track track = timeline_track(&arena, "reads", "g*10 s*2 h*30", 20, 200);
	const struct measure_request request = request_for(&track, timeline_fault(190, 195));
	struct probe_result result;

	measure_probe(&request, &result);
	ck_assert_uint_eq(result.part_count, 1);
	/* Sent at 240 and hanging: a working service would have answered 1 ms later (A4). */
	expect_span("first failure", result.parts[0].span, (struct span){ 0, 51 });
	ck_assert_int_eq(result.first_good_done_ns, 0);
	ck_assert_int_eq(result.stable_from_ns, 0);
	arena_release(&arena);
}
END_TEST

/* A hung disk: nothing fails over, and the service answers again because we thaw it. */
START_TEST(test_measure_probe_answering_only_after_the_heal_never_recovered)
{
	struct arena arena = { 0 };
	/* Down from 200, thawed at 1000: attempts due from 820 on are answered then. */
	const struct track track = timeline_track(
		&arena, "reads", "g*10 h*31 g~181 g~161 g~141 g~121 g~101 g~81 g~61 g~41 g~21 g*40",
		20, 200);
	const struct event events[] = {
		{ .kind = EVENT_PHASE, .phase = PHASE_OBSERVE, .at_ns = timeline_ns(300) },
		{ .kind = EVENT_PHASE, .phase = PHASE_HEAL, .at_ns = timeline_ns(995) },
	};
	const struct timeline timeline = { .events = events, .event_count = 2 };
	struct measure_request request = request_for(&track, timeline_fault(190, 195));
	struct probe_result result;

	request.heal_began_ns = measure_heal_began_ns(&timeline);
	ck_assert_int_eq(timeline_ms(request.heal_began_ns), 995);
	measure_probe(&request, &result);
	ck_assert_int_eq(result.rto_kind, MEASURED_NEVER_RECOVERED);
	expect_span("down at least, watched", result.rto, (struct span){ 605, 805 });
	ck_assert_uint_eq(result.part_count, 1);
	ck_assert_int_eq(result.stable_from_ns, 0);

	/* The same samples are a recovery when we began to heal later. */
	request.heal_began_ns = timeline_ns(1002);
	measure_probe(&request, &result);
	ck_assert_int_eq(result.rto_kind, MEASURED_SPAN);
	expect_span("recovered", result.rto, (struct span){ 605, 811 });
	arena_release(&arena);
}
END_TEST

START_TEST(test_measure_heal_began_without_heal_phase_is_zero)
{
	const struct timeline timeline = { 0 };

	ck_assert_int_eq(measure_heal_began_ns(&timeline), 0);
}
END_TEST

START_TEST(test_measure_probe_availability_is_bounded_by_unknown_slots)
{
	struct arena arena = { 0 };
	const struct track track =
		timeline_track(&arena, "reads", "g*10 b*5 s*3 .*2 g*30", 20, 200);
	const struct measure_request request = request_for(&track, timeline_fault(190, 195));
	struct probe_result result;

	measure_probe(&request, &result);
	ck_assert_int_eq(result.availability_low_ppm, 750000);	/* 30 of 40 */
	ck_assert_int_eq(result.availability_high_ppm, 875000); /* 35 of 40 */
	arena_release(&arena);
}
END_TEST

/* In ms; -1: nobody knows how long. */
static void must_take(const struct service_level *level, enum percentile percentile, int64_t low_ms,
		      int64_t high_ms)
{
	const struct span latency = level->latency[percentile];

	ck_assert_int_eq(latency.low_ns, low_ms * NS_PER_MS);
	ck_assert_int_eq(latency.high_ns, high_ms < 0 ? NEVER_NS : high_ms * NS_PER_MS);
}

START_TEST(test_measure_probe_latencies_are_exact_nearest_ranks)
{
	struct arena arena = { 0 };
	/* Baseline: 1..10 ms, shuffled. During: 3 answers of 50 ms. After: 1 ms and one of 7 s. */
	const struct track track = timeline_track(
		&arena, "reads",
		"g~7 g~3 g~10 g~1 g~9 g~2 g~5 g~8 g~4 g~6  g~50*3 b*2  g~1*99 g~7000", 20, 200);
	struct measure_request request = request_for(&track, timeline_fault(196, 198));
	struct probe_result result;

	request.timeout_ns = 200 * NS_PER_MS;
	measure_probe(&request, &result);
	ck_assert_uint_eq(result.baseline.good_count, 10);
	must_take(&result.baseline, PERCENTILE_P50, 5, 5);
	must_take(&result.baseline, PERCENTILE_P95, 10, 10);
	must_take(&result.baseline, PERCENTILE_P99, 10, 10);
	must_take(&result.baseline, PERCENTILE_P99_9, 10, 10);
	must_take(&result.baseline, PERCENTILE_MAX, 10, 10);
	/* Two of five failed: they took 200 ms or more. */
	ck_assert_uint_eq(result.during.slot_count, 5);
	must_take(&result.during, PERCENTILE_P50, 50, 50);
	must_take(&result.during, PERCENTILE_P95, 200, -1);
	must_take(&result.during, PERCENTILE_MAX, 200, -1);
	ck_assert_uint_eq(result.after.slot_count, 100);
	must_take(&result.after, PERCENTILE_P50, 1, 1);
	must_take(&result.after, PERCENTILE_P99, 1, 1);
	must_take(&result.after, PERCENTILE_P99_9, 7000, 7000);
	must_take(&result.after, PERCENTILE_MAX, 7000, 7000);
	arena_release(&arena);
}
END_TEST

START_TEST(test_measure_probe_lateness_is_sent_minus_due)
{
	enum { SLOTS = 200 };
	static struct sample samples[SLOTS];
	struct track track = { .probe = "reads",
			       .t0_ns = timeline_ns(0),
			       .every_ns = 20 * NS_PER_MS,
			       .slot_count = SLOTS,
			       .samples = samples };
	struct measure_request request = request_for(&track, timeline_fault(50, 60));
	struct probe_result result;

	for (uint64_t slot = 0; slot < SLOTS; slot++) {
		/* 1000..1199 us late, in an order of its own */
		samples[slot].sent_ns = track_due_ns(&track, slot) +
					(int64_t)(1000 + slot * 77 % SLOTS) * NS_PER_US;
		samples[slot].done_ns = samples[slot].sent_ns + NS_PER_MS;
		samples[slot].state = SAMPLE_GOOD;
	}
	measure_probe(&request, &result);
	ck_assert_int_eq(result.lateness_p50_ns, 1099 * NS_PER_US);
	ck_assert_int_eq(result.lateness_p99_ns, 1197 * NS_PER_US);
	ck_assert_int_eq(result.lateness_max_ns, 1199 * NS_PER_US);
}
END_TEST

/* ---- the service ---- */

static struct probe_result probe(const char *name, enum measured kind, int64_t low_ms,
				 int64_t high_ms)
{
	return (struct probe_result){ .probe = name,
				      .is_required = true,
				      .rto_kind = kind,
				      .rto = { low_ms * NS_PER_MS, high_ms * NS_PER_MS } };
}

static void expect_service(const struct probe_result *results, size_t count, enum measured kind,
			   struct span span_ms, const char *name)
{
	enum measured got_kind;
	struct span got;
	const char *got_name;

	measure_service_rto(results, count, &got_kind, &got, &got_name);
	ck_assert_int_eq(got_kind, kind);
	expect_span(name == NULL ? "none" : name, got, span_ms);
	ck_assert_pstr_eq(got_name, name);
}

START_TEST(test_measure_service_rto_slowest_probe_counts)
{
	const struct probe_result results[] = { probe("reads", MEASURED_SPAN, 100, 900),
						probe("writes", MEASURED_SPAN, 400, 500),
						probe("ping", MEASURED_NO_OUTAGE, 0, 0) };

	/* Back when both are: not before 400, not after 900. */
	expect_service(results, 3, MEASURED_SPAN, (struct span){ 400, 900 }, "reads");
}
END_TEST

START_TEST(test_measure_service_rto_never_recovered_beats_every_span)
{
	const struct probe_result results[] = { probe("nothing", MEASURED_NOTHING, 0, 0),
						probe("reads", MEASURED_SPAN, 5000, 9000),
						probe("writes", MEASURED_NEVER_RECOVERED, 70, 90) };

	expect_service(results, 3, MEASURED_NEVER_RECOVERED, (struct span){ 70, 90 }, "writes");
	expect_service(results, 2, MEASURED_NOTHING, (struct span){ 0, 0 }, "nothing");
}
END_TEST

START_TEST(test_measure_service_rto_ignores_probes_that_are_not_required)
{
	struct probe_result results[] = { probe("reads", MEASURED_NO_OUTAGE, 0, 0),
					  probe("extra", MEASURED_NEVER_RECOVERED, 70, 90) };

	results[1].is_required = false;
	expect_service(results, 2, MEASURED_NO_OUTAGE, (struct span){ 0, 0 }, "reads");
	expect_service(results + 1, 1, MEASURED_NOTHING, (struct span){ 0, 0 }, NULL);
	expect_service(NULL, 0, MEASURED_NOTHING, (struct span){ 0, 0 }, NULL);
}
END_TEST

void suite_measure(Suite *suite)
{
	TCase *tcase = tcase_create("measure");

	tcase_add_loop_test(tcase, test_measure_probe_each_situation_gives_its_result, 0,
			    SITUATIONS);
	tcase_add_test(tcase, test_measure_probe_without_fault_counts_from_the_baseline);
	tcase_add_test(tcase, test_measure_probe_flapping_splits_the_rto_into_parts);
	tcase_add_test(tcase, test_measure_probe_without_flaps_is_stable_at_its_first_success);
	tcase_add_test(tcase, test_measure_probe_never_answering_tells_only_the_first_part);
	tcase_add_test(tcase, test_measure_probe_answering_only_after_the_heal_never_recovered);
	tcase_add_test(tcase, test_measure_heal_began_without_heal_phase_is_zero);
	tcase_add_test(tcase, test_measure_probe_availability_is_bounded_by_unknown_slots);
	tcase_add_test(tcase, test_measure_probe_latencies_are_exact_nearest_ranks);
	tcase_add_test(tcase, test_measure_probe_lateness_is_sent_minus_due);
	tcase_add_test(tcase, test_measure_service_rto_slowest_probe_counts);
	tcase_add_test(tcase, test_measure_service_rto_never_recovered_beats_every_span);
	tcase_add_test(tcase, test_measure_service_rto_ignores_probes_that_are_not_required);
	suite_add_tcase(suite, tcase);
}
