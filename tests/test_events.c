/*
 * test_events.c - when the system did what: clocks of hosts with planted offsets behind unequal ways,
 * the bounds that follow, the parts of the RTO. The truth is known here, so it must lie inside.
 */
#include "base/random.h"
#include "engine/host_clock.h"
#include "engine/measure.h"
#include "engine/measure_events.h"
#include "fixtures/sim_clock.h"
#include "fixtures/timelines.h"
#include "tests/suites.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static void tear_down(void)
{
	arena_release(&arena);
}

/* ---- a host whose clock is known to the test alone ---- */

struct world {
	struct remote remote; /* first: the ops get it back */
	struct sim_clock *sim;
	struct clock clock;
	struct random random;
	int64_t begun_ns;
	int64_t ahead_ns;
	int64_t drift_ppm;
	int64_t set_at_ns; /* the host's clock is set then, by set_by_ns; 0: never */
	int64_t set_by_ns;
	int64_t there_most_ns; /* of the way there, the work, the way back: up to so much */
	int64_t back_most_ns;
	int64_t least_delay_ns; /* of all rounds so far: what NTP would pick */
	const char *says;	/* instead of times; NULL: times */
};

static int64_t host_wall_ns(const struct world *world, int64_t at_ns)
{
	return at_ns + world->ahead_ns + (at_ns - world->begun_ns) / 1000000 * world->drift_ppm +
	       (world->set_at_ns != 0 && at_ns >= world->set_at_ns ? world->set_by_ns : 0);
}

static int64_t pass_time(struct world *world, int64_t most_ns)
{
	const int64_t ns = (int64_t)random_below(&world->random, (uint64_t)most_ns) + 1;

	sim_clock_advance(world->sim, ns);
	return ns;
}

static bool world_exec(struct remote *remote, const struct command *command, struct reply *ret_reply,
		       struct err *e)
{
	struct world *world = (struct world *)(void *)remote;
	int64_t delay_ns;

	(void)e;
	ck_assert_str_eq(command->argv[0], "sh");
	ret_reply->sent_ns = sim_clock_now_ns(world->sim);
	delay_ns = pass_time(world, world->there_most_ns);
	text_addf(&ret_reply->out, "%" PRId64 "\n",
		  host_wall_ns(world, sim_clock_now_ns(world->sim)));
	(void)pass_time(world, 2 * NS_PER_MS); /* between the two times on the host: no delay */
	text_addf(&ret_reply->out, "%" PRId64 "\n",
		  host_wall_ns(world, sim_clock_now_ns(world->sim)));
	delay_ns += pass_time(world, world->back_most_ns);
	ret_reply->done_ns = sim_clock_now_ns(world->sim);
	if (world->least_delay_ns == 0 || delay_ns < world->least_delay_ns)
		world->least_delay_ns = delay_ns;
	if (world->says != NULL) {
		text_clear(&ret_reply->out);
		text_add(&ret_reply->out, world->says);
	}
	return true;
}

static const struct remote_ops world_ops = { .name = "world", .exec = world_exec };
static const struct host db2 = { .name = "db2" };

static void world_open(struct world *world, uint64_t seed)
{
	*world = (struct world){ .sim = sim_clock_open(), .random = random_from_seed(seed) };
	world->clock = sim_clock_as_clock(world->sim);
	world->remote = (struct remote){ &world_ops, &db2, &world->clock };
	world->begun_ns = sim_clock_now_ns(world->sim);
	world->ahead_ns = 1763736000 * NS_PER_S + (int64_t)random_below(&world->random, 7200) * NS_PER_S -
			  3600 * NS_PER_S;
	world->there_most_ns = 200 * NS_PER_US + (int64_t)random_below(&world->random, 20) * NS_PER_MS;
	world->back_most_ns = 200 * NS_PER_US + (int64_t)random_below(&world->random, 50) * NS_PER_MS;
}

static struct host_clock measure(struct world *world)
{
	struct host_clock clock = { 0 };
	struct err e = { 0 };

	ck_assert_msg(host_clock_measure(&world->remote, &clock, &e), "%s", e.text);
	return clock;
}

START_TEST(test_host_clock_measure_unequal_ways_keeps_the_truth_inside)
{
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		struct world world;

		world_open(&world, seed);

		const struct host_clock clock = measure(&world);

		ck_assert_msg(clock.offset.low_ns <= world.ahead_ns &&
				      world.ahead_ns <= clock.offset.high_ns,
			      "seed %" PRIu64 ": %" PRId64 " is not in [%" PRId64 ", %" PRId64 "]", seed,
			      world.ahead_ns, clock.offset.low_ns, clock.offset.high_ns);
		/* The bound is the delay of the quickest round, and nothing is added to it. */
		ck_assert_int_eq(clock.offset.high_ns - clock.offset.low_ns, world.least_delay_ns);
		ck_assert_uint_eq(clock.round_count, 8);
		sim_clock_close(world.sim);
	}
}
END_TEST

START_TEST(test_host_clock_measure_answer_without_nanoseconds_is_refused)
{
	static const char *const answers[] = { "1763736000N\n1763736000N\n", "", "soon\n",
					       "1763736000123456789\n",
					       "1763736000123456789\n1763736000123456788\n", "7\n8\n" };
	struct world world;
	struct host_clock clock;
	struct err e = { 0 };

	world_open(&world, 1);
	world.says = answers[_i];
	ck_assert(!host_clock_measure(&world.remote, &clock, &e));
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	ck_assert_ptr_nonnull(strstr(e.text, "read the clock of db2: "));
	sim_clock_close(world.sim);
}
END_TEST

START_TEST(test_host_clock_measure_clock_set_in_each_round_is_no_measurement)
{
	struct world world;
	struct host_clock clock;
	struct err e = { 0 };

	world_open(&world, 1);
	/* t3 is so far after t2 that the answer would have come before the question. */
	world.says = "1763736000000000000\n1763736100000000000\n";
	ck_assert(!host_clock_measure(&world.remote, &clock, &e));
	ck_assert_str_eq(e.text, "read the clock of db2: it was set while it was read");
	sim_clock_close(world.sim);
}
END_TEST

/* ---- events ---- */

enum { EVENTS_MAX = 64 };

static struct event events[EVENTS_MAX];
static size_t event_count;

static struct timeline journal(void)
{
	return (struct timeline){ .events = events, .event_count = event_count };
}

static struct event *add(struct event event)
{
	ck_assert_uint_lt(event_count, EVENTS_MAX);
	event.number = event_count + 1;
	event.at_ns = event.until_ns;
	events[event_count] = event;
	return &events[event_count++];
}

static void add_clock(const char *host, const struct host_clock *clock)
{
	(void)add((struct event){
		.kind = EVENT_CLOCK,
		.host = host,
		.from_ns = clock->sent_ns,
		.until_ns = clock->done_ns,
		.text = "",
		.data = arena_format(&arena, "{\"low_ns\":\"%" PRId64 "\",\"high_ns\":\"%" PRId64 "\"}",
				     clock->offset.low_ns, clock->offset.high_ns) });
}

static void add_seen(const char *what, struct span seen, struct span own)
{
	(void)add((struct event){
		.kind = EVENT_SEEN,
		.host = "db2",
		.name = "promotions",
		.from_ns = seen.low_ns,
		.until_ns = seen.high_ns,
		.text = what,
		.data = own.high_ns == 0 ?
				NULL :
				arena_format(&arena, "{\"own_low_ns\":\"%" PRId64
						     "\",\"own_high_ns\":\"%" PRId64 "\"}",
					     own.low_ns, own.high_ns) });
}

static const struct named_event *only_event(void)
{
	const struct timeline timeline = journal();
	const struct named_event *named;
	size_t count;

	measure_events(&timeline, &arena, &named, &count);
	ck_assert_uint_eq(count, 1);
	return &named[0];
}

/* A run of up to ten minutes: the clock is measured, something happens, the clock is measured again. */
static const struct named_event *live_through(struct world *world, int64_t *ret_truth_ns)
{
	const int64_t grain_ns = NS_PER_US *
				 (random_below(&world->random, 2) == 0 ? 1 : 1000);
	struct host_clock clock = measure(world);
	int64_t own_ns;

	event_count = 0;
	add_clock("db2", &clock);
	(void)pass_time(world, 300 * NS_PER_S);
	*ret_truth_ns = sim_clock_now_ns(world->sim);
	own_ns = host_wall_ns(world, *ret_truth_ns) / grain_ns * grain_ns;
	(void)pass_time(world, 3 * NS_PER_S);
	add_seen("Patroni promoted db2", (struct span){ 0, sim_clock_now_ns(world->sim) },
		 (struct span){ own_ns, own_ns + grain_ns });
	(void)pass_time(world, 300 * NS_PER_S);
	clock = measure(world);
	add_clock("db2", &clock);
	return only_event();
}

static void expect_truth(uint64_t seed, const struct named_event *named, int64_t truth_ns)
{
	ck_assert_msg(named->at.low_ns <= truth_ns && truth_ns <= named->at.high_ns,
		      "seed %" PRIu64 ": %" PRId64 " is not in [%" PRId64 ", %" PRId64 "]", seed,
		      truth_ns, named->at.low_ns, named->at.high_ns);
}

START_TEST(test_measure_events_drifting_clock_keeps_the_truth_inside)
{
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		struct world world;
		int64_t truth_ns;

		world_open(&world, seed);
		world.drift_ppm = (int64_t)random_below(&world.random, 199) - 99;

		const struct named_event *named = live_through(&world, &truth_ns);

		ck_assert_msg(named->is_placed && named->why == NULL, "seed %" PRIu64 ": %s", seed,
			      named->why);
		expect_truth(seed, named, truth_ns);
		/* No wider than the ways to the host, the drift of ten minutes and the grain explain. */
		ck_assert_int_lt(named->at.high_ns - named->at.low_ns,
				 2 * (world.there_most_ns + world.back_most_ns) + 300 * NS_PER_MS);
		sim_clock_close(world.sim);
	}
}
END_TEST

START_TEST(test_measure_events_clock_that_is_set_is_withheld_or_true)
{
	size_t withheld_count = 0;

	for (uint64_t seed = 1; seed <= 1000; seed++) {
		struct world world;
		int64_t truth_ns;

		world_open(&world, seed);
		world.drift_ppm = (int64_t)random_below(&world.random, 199) - 99;
		world.set_at_ns = world.begun_ns + 2 * NS_PER_S +
				  (int64_t)random_below(&world.random, 200) * NS_PER_S;
		world.set_by_ns = ((int64_t)random_below(&world.random, 800) - 400) * NS_PER_MS;

		const struct named_event *named = live_through(&world, &truth_ns);

		if (named->is_placed)
			expect_truth(seed, named, truth_ns);
		else
			ck_assert_ptr_nonnull(strstr(named->why, "of db2 "));
		withheld_count += named->is_placed ? 0 : 1;
		sim_clock_close(world.sim);
	}
	/* Most are seen to be set; the others by too little to tell, or after the run. */
	ck_assert_uint_gt(withheld_count, 400);
	ck_assert_uint_lt(withheld_count, 1000);
}
END_TEST

/* ---- one event, one reason ---- */

static const int64_t second = NS_PER_S;

/* The host's clock is 1,000 s ahead, give or take 2 ms, from 100 s on. */
static void add_clock_at(int64_t at_ns, int64_t moved_ns)
{
	const int64_t ahead_ns = 1000 * second + moved_ns;
	const struct host_clock clock = { .offset = { ahead_ns - 2 * NS_PER_MS, ahead_ns + 2 * NS_PER_MS },
					  .sent_ns = at_ns - 2 * NS_PER_MS,
					  .done_ns = at_ns + 2 * NS_PER_MS };

	add_clock("db2", &clock);
}

static struct span own_at(int64_t at_ns)
{
	return (struct span){ at_ns + 1000 * second, at_ns + 1000 * second + NS_PER_MS };
}

START_TEST(test_measure_events_own_clock_alone_needs_no_other)
{
	event_count = 0;
	add_seen("db2 became primary", (struct span){ 110 * second, 111 * second }, (struct span){ 0, 0 });

	const struct named_event *named = only_event();

	ck_assert(named->is_placed);
	ck_assert_ptr_null(named->why);
	ck_assert_int_eq(named->at.low_ns, 110 * second);
	ck_assert_int_eq(named->at.high_ns, 111 * second);
	ck_assert_str_eq(named->part_name, "until db2 became primary");
}
END_TEST

START_TEST(test_measure_events_seen_bounds_the_host_s_time_from_above)
{
	event_count = 0;
	add_clock_at(100 * second, 0);
	add_seen("logged", (struct span){ 109 * second, 110 * second + NS_PER_MS }, own_at(110 * second));
	add_clock_at(120 * second, 0);

	const struct named_event *named = only_event();

	ck_assert(named->is_placed);
	ck_assert_ptr_null(named->why);
	ck_assert_int_eq(named->at.high_ns, 110 * second + NS_PER_MS);
	/* 2 ms of the measurement, and 100 ppm of the 10 s to the further one of them. */
	ck_assert_int_ge(named->at.low_ns, 110 * second - 2 * NS_PER_MS - 1200 * NS_PER_US);
	ck_assert_int_le(named->at.low_ns, 110 * second - 2 * NS_PER_MS - 1000 * NS_PER_US);
}
END_TEST

enum spoiled { NO_START = 0, NO_END, CLOCK_SET, SEEN_BEFORE, NO_OWN_TIME, UNKNOWN_HOST, BAD_DATA };

static const char *const spoiled_why[] = {
	"the clock of db2 was not measured both before and after it",
	"the clock of db2 was not measured both before and after it",
	"the clock of db2 moved by at least 96 ms against ours meanwhile, so it was set",
	"by the clock of db2 it lies after the moment when it had been seen already",
	"it carries no time of its own",
	"nobody knows by which host's clock",
	"the clock of db2 was not measured both before and after it",
};

/* With a look before it the event still has a bound; without one it is withheld. */
START_TEST(test_measure_events_clock_not_known_withholds_the_moment)
{
	const enum spoiled spoiled = (enum spoiled)(_i / 2);
	const bool has_look_before = _i % 2 == 1;
	const bool has_fallback = has_look_before && spoiled != NO_OWN_TIME;
	const struct span seen = { has_look_before ? 109 * second : 0, 111 * second };

	event_count = 0;
	if (spoiled != NO_START)
		add_clock_at(100 * second, 0);
	add_seen("promoted", seen,
		 spoiled == NO_OWN_TIME ? (struct span){ 0, 0 } :
		 spoiled == SEEN_BEFORE ? own_at(112 * second) :
					  own_at(110 * second));
	if (spoiled == UNKNOWN_HOST)
		events[event_count - 1].host = NULL;
	if (spoiled != NO_END)
		add_clock_at(120 * second, spoiled == CLOCK_SET ? 100 * NS_PER_MS : 0);
	if (spoiled == BAD_DATA)
		events[event_count - 1].data = "{\"low_ns\":\"9\",\"high_ns\":\"x\"}";

	const struct named_event *named = only_event();

	ck_assert_int_eq(named->is_placed, has_look_before);
	if (has_look_before) {
		ck_assert_int_eq(named->at.low_ns, seen.low_ns);
		ck_assert_int_eq(named->at.high_ns, seen.high_ns);
	}
	if (has_fallback || !has_look_before)
		ck_assert_str_eq(named->why, spoiled_why[spoiled]);
	else
		ck_assert_ptr_null(named->why); /* it never had a time of its own: nothing is amiss */
}
END_TEST

START_TEST(test_measure_events_come_in_order_and_withheld_last)
{
	static const char *const order[] = { "first", "second", "third", "withheld" };
	const struct timeline timeline = { .events = events, .event_count = 4 };
	const struct named_event *named;
	size_t count;

	event_count = 0;
	add_seen("third", (struct span){ 120 * second, 121 * second }, (struct span){ 0, 0 });
	add_seen("withheld", (struct span){ 0, 121 * second }, (struct span){ 0, 0 });
	add_seen("first", (struct span){ 100 * second, 131 * second }, (struct span){ 0, 0 });
	add_seen("second", (struct span){ 117 * second, 118 * second }, (struct span){ 0, 0 });
	measure_events(&timeline, &arena, &named, &count);
	ck_assert_uint_eq(count, 4);
	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(named[i].what, order[i]);
}
END_TEST

/* ---- parts of the RTO ---- */

/* Down in slots 10..59 of 20 ms: the fault in [190, 195] ms, good again with slot 60 at 1,200 ms. */
static struct probe_result measure_with(const struct named_event *named, size_t count,
					const char *slots)
{
	const struct track track = timeline_track(&arena, "p", slots, 20, 200);
	const struct measure_request request = {
		.track = &track,
		.fault = timeline_fault(190, 195),
		.baseline_from_ns = timeline_ns(0),
		.end_ns = track_due_ns(&track, track.slot_count),
		.stable_for_ns = 200 * NS_PER_MS,
		.events = named,
		.event_count = count,
	};
	struct probe_result result;

	measure_probe(&request, &result);
	return result;
}

static struct named_event named_at(const char *part_name, int64_t low_ms, int64_t high_ms)
{
	return (struct named_event){ .what = part_name, .part_name = part_name, .is_placed = true,
				     .at = timeline_fault(low_ms, high_ms) };
}

static void expect_part(const struct rto_part *part, const char *name, int64_t low_ms, int64_t high_ms)
{
	ck_assert_str_eq(part->name, name);
	ck_assert_msg(part->span.low_ns == low_ms * NS_PER_MS && part->span.high_ns == high_ms * NS_PER_MS,
		      "%s: %" PRId64 " to %" PRId64 " ns", name, part->span.low_ns, part->span.high_ns);
}

START_TEST(test_measure_probe_named_events_part_the_outage)
{
	struct named_event named[] = {
		named_at("until too early", 100, 150),	       /* before the fault */
		named_at("until promoted", 900, 910),
		named_at("until primary", 950, 1000),
		named_at("until badly known", 300, 2400),      /* its middle lies after the success */
		named_at("until too late", 1500, 1510),
		named_at("until withheld", 700, 710),
	};

	named[5].is_placed = false;

	const struct probe_result result = measure_with(named, 6, "g*10 b*50 g*30");

	ck_assert_uint_eq(result.part_count, 5);
	expect_part(&result.parts[0], "until first failure seen", 0, 11);
	expect_part(&result.parts[1], "until promoted", 699, 720);
	expect_part(&result.parts[2], "until primary", 40, 100);
	expect_part(&result.parts[3], "until first success", 180, 251);
	expect_part(&result.parts[4], "until stable", 0, 0);
	ck_assert_int_eq(result.rto_kind, MEASURED_SPAN);
}
END_TEST

START_TEST(test_measure_probe_named_events_of_a_service_that_stays_down_are_parts)
{
	const struct named_event named[] = { named_at("until promoted", 900, 910) };
	const struct probe_result result = measure_with(named, 1, "g*10 b*80");

	ck_assert_int_eq(result.rto_kind, MEASURED_NEVER_RECOVERED);
	ck_assert_uint_eq(result.part_count, 2);
	ck_assert_str_eq(result.parts[1].name, "until promoted");
}
END_TEST

START_TEST(test_measure_probe_more_events_than_room_are_counted)
{
	struct named_event named[RTO_EVENT_PARTS + 3];

	for (int i = 0; i < RTO_EVENT_PARTS + 3; i++)
		named[i] = named_at("until next", 300 + 10 * i, 305 + 10 * i);

	const struct probe_result result = measure_with(named, RTO_EVENT_PARTS + 3, "g*10 b*50 g*30");

	ck_assert_uint_eq(result.part_count, RTO_PARTS);
	ck_assert_uint_eq(result.left_out_part_count, 3);
	ck_assert_str_eq(result.parts[RTO_PARTS - 1].name, "until stable");
	ck_assert_str_eq(result.parts[RTO_PARTS - 2].name, "until first success");
}
END_TEST

void suite_events(Suite *suite)
{
	TCase *tests = tcase_create("events");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests, test_host_clock_measure_unequal_ways_keeps_the_truth_inside);
	tcase_add_loop_test(tests, test_host_clock_measure_answer_without_nanoseconds_is_refused, 0, 6);
	tcase_add_test(tests, test_host_clock_measure_clock_set_in_each_round_is_no_measurement);
	tcase_add_test(tests, test_measure_events_drifting_clock_keeps_the_truth_inside);
	tcase_add_test(tests, test_measure_events_clock_that_is_set_is_withheld_or_true);
	tcase_add_test(tests, test_measure_events_own_clock_alone_needs_no_other);
	tcase_add_test(tests, test_measure_events_seen_bounds_the_host_s_time_from_above);
	tcase_add_loop_test(tests, test_measure_events_clock_not_known_withholds_the_moment, 0, 14);
	tcase_add_test(tests, test_measure_events_come_in_order_and_withheld_last);
	tcase_add_test(tests, test_measure_probe_named_events_part_the_outage);
	tcase_add_test(tests,
		       test_measure_probe_named_events_of_a_service_that_stays_down_are_parts);
	tcase_add_test(tests, test_measure_probe_more_events_than_room_are_counted);
	suite_add_tcase(suite, tests);
}
