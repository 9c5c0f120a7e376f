/*
 * test_run_events.c - whole drills on paper whose system does something by itself: it comes into the
 * journal, the clocks of the hosts are measured at both ends, and the RTO gets its parts.
 */
#include "engine/engine.h"
#include "fixtures/fake_remote.h"
#include "fixtures/sim_clock.h"
#include "fixtures/sim_outside.h"
#include "fixtures/temp_dir.h"
#include "load/load.h"
#include "tests/suites.h"

#include <inttypes.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>

static const char inventory_text[] =
	"hosts:\n"
	"  h1: { address: 192.0.2.1 }\n"
	"  h2: { address: 192.0.2.2 }\n"
	"services:\n"
	"  db:\n"
	"    kind: postgres\n"
	"    conninfo: \"host=h1,h2 dbname=x\"\n"
	"    members: [h1, h2]\n";

static const char experiment_text[] =
	"title: A drill on paper\n"
	"service: db\n"
	"objectives: { rto: 10s }\n"
	"probes:\n"
	"  writes: { kind: postgres.write, on: db, every: 20ms, timeout: 1s }\n"
	"  elections: { kind: log.event, on: db, every: 100ms, matches: promoted }\n"
	"steady_state: { good_for: 2s, within: 10s }\n"
	"baseline: 3s\n"
	"method:\n"
	"  - at: 0s\n"
	"    fault: process.pause\n"
	"    on: { service: db, role: primary }\n"
	"    with: { name: postgres }\n"
	"observe: { stable_for: 3s, at_most: 30s }\n"
	"settle: { at_most: 20s }\n"
	"lease: 30s\n";

/* Words that only one of the commands carries. */
static const char stop_on[] = "kill -s STOP";
static const char date_on[] = "date +%s%N";

static const int64_t ahead_ns = 1763736000 * NS_PER_S; /* of the hosts' clock */
static const int64_t promoted_after_ns = 2500 * NS_PER_MS;

/* Promoted 2.5 s into an outage of 4 s; two members tell it, the second time later. */
static const struct sim_sight sights[] = {
	{ .what = "h2: promoted", .key = "p", .member = 1, .looked_after_ns = 2450 * NS_PER_MS,
	  .seen_after_ns = 2550 * NS_PER_MS, .own_after_ns = 2500 * NS_PER_MS },
	{ .what = "h2: promoted", .key = "p", .member = 1, .looked_after_ns = 2450 * NS_PER_MS,
	  .seen_after_ns = 3300 * NS_PER_MS, .own_after_ns = 2500 * NS_PER_MS },
	{ .what = "no such unit", .member = 0, .seen_after_ns = 5 * NS_PER_S, .is_blind = true },
};

static char *folder;
static struct arena arena;
static struct secrets secrets;
static const struct experiment *experiment;
static struct sim_clock *sim_clock;
static struct clock sim_as_clock;
static struct fake_script *hosts;
static struct sim_outside *sim;
static struct store *store;
static struct story story;
static volatile sig_atomic_t stop_signal;

/* The hosts read their clock 1 ms after the question left; the answer takes 4 ms more. */
static void answer_date(void *ctx, const struct fake_call *call, struct reply *reply)
{
	const int64_t wall_ns = call->at_ns + NS_PER_MS + ahead_ns + *(const int64_t *)ctx;

	text_addf(&reply->out, "%" PRId64 "\n%" PRId64 "\n", wall_ns, wall_ns);
}

/* As often as that is told; then the clock is set by moved_ns. */
static void add_clock(size_t times, int64_t *moved_ns)
{
	fake_script_add(hosts, &(struct fake_rule){ .command = date_on,
						    .delay_ns = 5 * NS_PER_MS,
						    .times = times,
						    .act = answer_date,
						    .ctx = moved_ns });
}

static void open_world(const struct sim_script *script)
{
	struct problems *problems = arena_alloc(&arena, sizeof *problems);
	const struct load_request request = { .experiment_path = "paper.yaml",
					      .inventory_path = "inventory.yaml",
					      .experiment_text = experiment_text,
					      .inventory_text = inventory_text,
					      .has_secrets = true };
	struct err e = { 0 };

	folder = temp_dir_make();
	ck_assert_msg(load_experiment(&request, &arena, &secrets, &experiment, problems), "%s",
		      problems->count > 0 ? problems->items[0].text : "?");
	sim_clock = sim_clock_open();
	sim_as_clock = sim_clock_as_clock(sim_clock);
	hosts = fake_script_open();
	sim = sim_outside_open(script, hosts);
	ck_assert_msg(store_open(arena_format(&arena, "%s/store.db", folder), NULL, &store, &e), "%s",
		      e.text);
}

static void tear_down(void)
{
	store_close(store);
	sim_outside_close(sim);
	fake_script_close(hosts);
	sim_clock_close(sim_clock);
	secrets_release(&secrets);
	arena_release(&arena);
	temp_dir_remove(folder);
}

static void run(void)
{
	const struct run_request request = {
		.experiment = experiment,
		.run_id = "20261121-102030-test",
		.seed = 7,
		.version = "test",
		.store = store,
		.clock = &sim_as_clock,
		.opener = fake_script_opener(hosts),
		.outside = sim_outside_as_outside(sim),
		.stop_signal = &stop_signal,
		.sample_dir = folder,
		.arena = &arena,
	};
	struct outcome outcome;
	struct err e = { 0 };

	ck_assert_msg(run_experiment(&request, &outcome, &e), "%s", e.text);
	ck_assert_msg(story_build(store, request.run_id, &arena, &secrets, &story, &e), "%s", e.text);
}

static size_t count_events(enum event_kind kind, const char *host)
{
	size_t count = 0;

	for (size_t i = 0; i < story.timeline.event_count; i++) {
		const struct event *event = &story.timeline.events[i];

		count += event->kind == kind &&
			 (host == NULL || (event->host != NULL && strcmp(event->host, host) == 0));
	}
	return count;
}

static bool is_told(const char *part)
{
	for (size_t i = 0; i < story.untold_count; i++)
		if (strstr(story.untold[i], part) != NULL)
			return true;
	return false;
}

static struct sim_script script_of(size_t sight_count)
{
	return (struct sim_script){ .down_on = stop_on,
				    .down_for_ns = 4 * NS_PER_S,
				    .sights = sights,
				    .sight_count = sight_count,
				    .host_ahead_ns = ahead_ns };
}

START_TEST(test_run_events_promotion_parts_the_rto_and_lies_in_its_bound)
{
	const struct sim_script script = script_of(3);
	int64_t moved_ns = 0;

	open_world(&script);
	add_clock(0, &moved_ns);
	run();

	const int64_t down_ns =
		fake_script_call(hosts, fake_script_find(hosts, 0, NULL, stop_on)).at_ns;
	const struct named_event *named = &story.named_events[0];
	const struct probe_result *writes = &story.probes[0];

	ck_assert_uint_eq(story.named_event_count, 1); /* told twice, and yet one event */
	ck_assert(named->is_placed);
	ck_assert_ptr_null(named->why);
	ck_assert_int_le(named->at.low_ns, down_ns + promoted_after_ns);
	ck_assert_int_ge(named->at.high_ns, down_ns + promoted_after_ns);
	/* Twice the 5 ms of a round at most, the millisecond, and 100 ppm of half a minute. */
	ck_assert_int_le(named->at.high_ns - named->at.low_ns, 15 * NS_PER_MS);
	ck_assert_uint_eq(story.probe_count, 1); /* the event probe has no samples */
	ck_assert_uint_eq(writes->part_count, 4);
	ck_assert_str_eq(writes->parts[1].name, "until h2: promoted");
	ck_assert_str_eq(writes->parts[2].name, "until first success");
	/* Both at the start; at the end only the one whose time was seen. */
	ck_assert_uint_eq(count_events(EVENT_CLOCK, "h1"), 1);
	ck_assert_uint_eq(count_events(EVENT_CLOCK, "h2"), 2);
	ck_assert(is_told("event probe `elections` saw nothing of h1: no such unit"));
	ck_assert(!is_told("No samples of probe elections"));
}
END_TEST

START_TEST(test_run_events_clock_that_is_set_meanwhile_is_not_used)
{
	static const struct sim_sight without_look[] = {
		{ .what = "h2: promoted", .member = 1, .seen_after_ns = 2550 * NS_PER_MS,
		  .own_after_ns = 2500 * NS_PER_MS },
	};
	struct sim_script script = script_of(1);
	int64_t moved_ns = 3 * NS_PER_S;
	int64_t stays_ns = 0;

	if (_i == 1)
		script.sights = without_look;
	open_world(&script);
	add_clock(0, &moved_ns);
	add_clock(16, &stays_ns); /* the newest rule first: eight rounds for each of two hosts */
	run();
	ck_assert_uint_eq(story.named_event_count, 1);
	ck_assert_int_eq(story.named_events[0].is_placed, _i == 0);
	ck_assert_uint_eq(story.probes[0].part_count, _i == 0 ? 4 : 3);
	ck_assert(is_told(_i == 0 ? "When \"h2: promoted\" took place comes from our own looks alone: the "
				    "clock of h2 moved by at least 2.99" :
				    "When \"h2: promoted\" took place is withheld: the clock of h2 moved "
				    "by at least 2.99"));
}
END_TEST

START_TEST(test_run_events_clock_that_cannot_be_read_is_said)
{
	const struct sim_script script = script_of(1);
	int64_t stays_ns = 0;

	open_world(&script);
	if (_i == 0)
		add_clock(16, &stays_ns); /* at the start, and never again */
	run();
	ck_assert(is_told(_i == 0 ? "the clock of h2 could not be measured at the end (" :
				    "the clock of h2 could not be measured at the start ("));
	ck_assert_uint_eq(count_events(EVENT_CLOCK, NULL), _i == 0 ? 2 : 0);
	ck_assert(story.named_events[0].is_placed); /* between two looks of ours */
	ck_assert_ptr_nonnull(story.named_events[0].why);
	ck_assert_int_eq(story.outcome.exit_code, EXIT_MET);
}
END_TEST

START_TEST(test_run_events_without_end_are_cut_and_said)
{
	enum { FLOOD = 1010 };
	struct sim_sight *flood = arena_alloc(&arena, FLOOD * sizeof *flood);
	struct sim_script script = script_of(FLOOD);
	int64_t stays_ns = 0;

	for (size_t i = 0; i < FLOOD; i++)
		flood[i] = (struct sim_sight){ .what = "h2: again", .member = 1,
					       .looked_after_ns = 2 * NS_PER_S,
					       .seen_after_ns = 3 * NS_PER_S,
					       .key = arena_format(&arena, "%zu", i) };
	script.sights = flood;
	open_world(&script);
	add_clock(0, &stays_ns);
	run();
	ck_assert_uint_eq(story.named_event_count, 1000);
	ck_assert(is_told("more than 1000 events of the system were seen"));
	ck_assert(is_told("991 more events lie between the first failure and the first success of "
			  "writes"));
}
END_TEST

void suite_run_events(Suite *suite)
{
	TCase *tests = tcase_create("run_events");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_run_events_promotion_parts_the_rto_and_lies_in_its_bound);
	tcase_add_loop_test(tests, test_run_events_clock_that_is_set_meanwhile_is_not_used, 0, 2);
	tcase_add_loop_test(tests, test_run_events_clock_that_cannot_be_read_is_said, 0, 2);
	tcase_add_test(tests, test_run_events_without_end_are_cut_and_said);
	suite_add_tcase(suite, tests);
}
