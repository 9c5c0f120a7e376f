/*
 * test_run_lag.c - whole drills on paper with a lag probe: what primaries say comes into the journal in
 * few events and out of it as it was, and the failover's settings stand beside the loss.
 */
#include "fixtures/paper_world.h"
#include "load/load.h"
#include "tests/suites.h"

#include <check.h>
#include <string.h>

static const char inventory_text[] =
	"hosts:\n"
	"  h1: { address: 192.0.2.1 }\n"
	"  h2: { address: 192.0.2.2 }\n"
	"services:\n"
	"  db:\n"
	"    kind: postgres\n"
	"    conninfo: \"host=h1,h2 dbname=x\"\n"
	"    members: [h1, h2]\n"
	"    patroni: { port: 8008 }\n";

static const char lag_text[] =
	"title: A drill on paper\n"
	"service: db\n"
	"objectives: { rto: 10s, rpo: 0s }\n"
	"probes:\n"
	"  writes: { kind: postgres.write, on: db, every: 20ms, timeout: 1s }\n"
	"  lag: { kind: postgres.lag, on: db, every: 500ms }\n"
	"steady_state: { good_for: 2s, within: 10s }\n"
	"baseline: 3s\n"
	"method:\n"
	"  - at: 0s\n"
	"    fault: process.pause\n"
	"    on: { service: db, role: primary }\n"
	"    with: { name: postgres }\n"
	"observe: { stable_for: 3s, at_most: 30s }\n"
	"settle: { at_most: 20s }\n";

static const struct failover_settings settings = { .manager = "Patroni",
						   .maximum_lag_bytes = 1048576,
						   .ttl_ns = 5 * NS_PER_S,
						   .loop_wait_ns = NS_PER_S,
						   .retry_timeout_ns = 2 * NS_PER_S };

static struct world world;
static struct story story;

static void tear_down(void)
{
	world_close(&world);
}

static void run(const struct sim_script *script)
{
	const struct load_request request = { .experiment_path = "paper.yaml",
					      .inventory_path = "inventory.yaml",
					      .experiment_text = lag_text,
					      .inventory_text = inventory_text,
					      .has_secrets = true };
	struct problems *problems;
	struct err e = { 0 };

	world_open(&world, script);
	problems = arena_alloc(&world.arena, sizeof *problems);
	ck_assert_msg(load_experiment(&request, &world.arena, &world.secrets, &world.experiment,
				      problems),
		      "%s", problems->count > 0 ? problems->items[0].text : "?");
	world_run_ok(&world);
	ck_assert_msg(story_build(world.store, "20261121-102030-test", &world.arena, &world.secrets,
				  &story, &e), "%s", e.text);
}

static bool is_told(const char *part)
{
	for (size_t i = 0; i < story.untold_count; i++)
		if (strstr(story.untold[i], part) != NULL)
			return true;
	return false;
}

static size_t count_events(enum event_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < story.timeline.event_count; i++)
		count += story.timeline.events[i].kind == kind;
	return count;
}

START_TEST(test_run_lag_comes_out_of_the_journal_as_it_was)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S,
					   .settings = &settings };
	const struct replica_lag *replica;

	run(&script);
	ck_assert_uint_eq(story.lag_count, 1);
	ck_assert_uint_eq(story.lags[0].replica_count, 1);
	ck_assert_uint_eq(story.lags[0].unreadable_count, 0);
	replica = &story.lags[0].replicas[0];
	ck_assert_str_eq(replica->replica, "h2");
	ck_assert_int_eq(replica->windows[0].flush_bytes, SIM_LAG_BYTES);
	ck_assert_uint_eq(replica->windows[0].unknown_count, 0);
	ck_assert_int_eq(replica->last_before->flush_bytes, SIM_LAG_BYTES);
	/* Up again, the primary lists nobody: unknown, not 0. */
	ck_assert_int_eq(replica->windows[2].flush_bytes, LAG_UNKNOWN);
	ck_assert_uint_gt(replica->windows[2].unknown_count, 0);
	ck_assert_int_ge(replica->windows[1].unseen_ns, 4 * NS_PER_S);
	/* Few events for many answers, and none lost at the end. */
	ck_assert_uint_gt(story.lags[0].look_count, 20);
	ck_assert_uint_lt(count_events(EVENT_LAG) * 3, story.lags[0].look_count);
	ck_assert_uint_eq(story.probe_count, 1); /* it has no samples, and that is not missed */
	ck_assert(!is_told("No samples of probe lag"));
}
END_TEST

START_TEST(test_run_lag_settings_bound_the_loss)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S,
					   .settings = &settings };

	run(&script);
	ck_assert_uint_eq(count_events(EVENT_SETTINGS), 1); /* once for the service of two probes */
	ck_assert_uint_eq(story.bound_count, 1);
	ck_assert_str_eq(story.bounds[0].service, "db");
	ck_assert_str_eq(story.bounds[0].told_by, "h1");
	ck_assert_int_eq(story.bounds[0].settings.retry_timeout_ns, 2 * NS_PER_S);
	/* 1,000,000 bytes a second; half a second of it is not seen between two answers of 1 ms. */
	ck_assert_int_gt(story.bounds[0].wal_bytes_per_s, 1000000);
	ck_assert_int_lt(story.bounds[0].wal_bytes_per_s, 1010000);
	ck_assert_int_gt(story.bounds[0].bound_bytes, 1048576 + 5 * 1000000);
	ck_assert_int_lt(story.bounds[0].bound_bytes, 1048576 + 5 * 1010000);
}
END_TEST

START_TEST(test_run_lag_settings_that_cannot_be_read_are_said)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S };

	run(&script);
	ck_assert_uint_eq(story.bound_count, 0);
	ck_assert(is_told("the failover settings of db could not be read (the simulated manager does not "
			  "answer), so nothing says how much they may lose"));
	ck_assert_int_eq(story.outcome.exit_code, EXIT_MET); /* it is no part of any objective */
}
END_TEST

START_TEST(test_run_lag_probe_that_hears_nothing_is_said)
{
	const struct sim_script script = { .is_down_from_start = true, .settings = &settings };
	const struct sim_script mute = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S,
					 .is_lag_mute = true };

	run(_i == 0 ? &mute : &script);
	ck_assert_uint_eq(story.lags[0].look_count, 0);
	/* Where nothing was harmed, nothing is missed. */
	ck_assert_int_eq(is_told("Probe lag heard no primary: how far the replicas were behind is not "
				 "known."), _i == 0);
}
END_TEST

void suite_run_lag(Suite *suite)
{
	TCase *tests = tcase_create("run_lag");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_run_lag_comes_out_of_the_journal_as_it_was);
	tcase_add_test(tests, test_run_lag_settings_bound_the_loss);
	tcase_add_test(tests, test_run_lag_settings_that_cannot_be_read_are_said);
	tcase_add_loop_test(tests, test_run_lag_probe_that_hears_nothing_is_said, 0, 2);
	suite_add_tcase(suite, tests);
}
