/*
 * test_run_level.c - a whole drill on paper whose service is slow and never down, with each kind of
 * promise that can tell the difference.
 */
#include "engine/engine.h"
#include "fixtures/fake_remote.h"
#include "fixtures/sim_clock.h"
#include "fixtures/sim_outside.h"
#include "fixtures/temp_dir.h"
#include "load/load.h"
#include "tests/suites.h"

#include <string.h>

static const char inventory_text[] =
	"hosts:\n"
	"  h1: { address: 192.0.2.1 }\n"
	"services:\n"
	"  web: { kind: http, url: \"http://192.0.2.1/\", members: [h1] }\n";

/* And a line of objectives. */
static const char experiment_text[] =
	"title: Slow on paper\n"
	"service: web\n"
	"probes:\n"
	"  pages: { kind: http.get, every: 20ms, timeout: 1s }\n"
	"steady_state: { good_for: 2s, within: 10s }\n"
	"baseline: 3s\n"
	"method:\n"
	"  - { at: 0s, fault: process.pause, on: h1, with: { name: web } }\n"
	"observe: { stable_for: 3s, at_most: 30s }\n"
	"settle: { at_most: 20s }\n"
	"lease: 30s\n";

/* Part of the command that begins the harm. */
static const char stop_on[] = "kill -s STOP";

static struct arena arena;
static struct secrets secrets;

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
	memset(&secrets, 0, sizeof secrets);
}

static void teardown(void)
{
	secrets_release(&secrets);
	arena_release(&arena);
}

static const struct experiment *load(const char *objectives)
{
	struct problems *problems = arena_alloc(&arena, sizeof *problems);
	const struct experiment *experiment = NULL;
	const struct load_request request = {
		.experiment_path = "paper.yaml",
		.inventory_path = "inventory.yaml",
		.experiment_text = arena_format(&arena, "%s%s", experiment_text, objectives),
		.inventory_text = inventory_text,
		.has_secrets = true,
	};

	ck_assert_msg(load_experiment(&request, &arena, &secrets, &experiment, problems), "%s",
		      problems->count > 0 ? problems->items[0].text : "?");
	return experiment;
}

/* The sentence is the arena's. */
static struct outcome run(const struct sim_script *script, const char *objectives)
{
	char *owned_folder = temp_dir_make();
	struct sim_clock *sim_clock = sim_clock_open();
	const struct clock clock = sim_clock_as_clock(sim_clock);
	struct fake_script *hosts = fake_script_open();
	struct sim_outside *sim = sim_outside_open(script, hosts);
	volatile sig_atomic_t stop_signal = 0;
	struct run_request request = {
		.experiment = load(objectives),
		.run_id = "20261121-102030-test",
		.version = "test",
		.clock = &clock,
		.opener = fake_script_opener(hosts),
		.outside = sim_outside_as_outside(sim),
		.stop_signal = &stop_signal,
		.sample_dir = owned_folder,
		.arena = &arena,
	};
	struct outcome outcome = { 0 };
	struct err e = { 0 };

	ck_assert_msg(store_open(arena_format(&arena, "%s/store.db", owned_folder), NULL,
				 &request.store, &e),
		      "%s", e.text);
	ck_assert_msg(run_experiment(&request, &outcome, &e), "%s", e.text);
	store_close(request.store);
	sim_outside_close(sim);
	fake_script_close(hosts);
	sim_clock_close(sim_clock);
	temp_dir_remove(owned_folder);
	return outcome;
}

/* Slow for 4 s, and never down: 20 ms slots, 300 ms answers, healed after 3 s of being stable. */
START_TEST(test_run_experiment_slow_service_is_degraded_and_not_down)
{
	static const struct {
		const char *objectives;
		enum run_exit exit_code;
		const char *sentence; /* part of it */
	} rows[] = {
		{ "objectives: { rto: 10s }\n", EXIT_MET, "No outage seen" },
		{ "objectives: { rto: 10s, latency: { max: 250ms } }\n", EXIT_MISSED,
		  "missed: latency max after" },
		{ "objectives: { rto: 10s, latency: { p50: 250ms, during: { p50: 350ms } } }\n",
		  EXIT_MET, "No outage seen" },
		{ "objectives: { rto: 10s, latency: { during: { p50: 250ms } } }\n", EXIT_MISSED,
		  "missed: latency p50 during" },
		{ "objectives: { error_rate: { target: 0%, during: 0% }, throughput: 100% }\n",
		  EXIT_MET, "No outage seen" },
		{ "objectives: { degraded: { target: 5s, over: 250ms } }\n", EXIT_MET, "No outage" },
		{ "objectives: { degraded: { target: 3s, over: 250ms } }\n", EXIT_MISSED,
		  "missed: degraded" },
		{ "objectives: { degraded: { target: 0s, over: 350ms } }\n", EXIT_MET, "No outage" },
	};
	const struct sim_script script = { .down_on = stop_on, .down_for_ns = 4 * NS_PER_S,
					   .slow_ns = 300 * NS_PER_MS };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct outcome outcome = run(&script, rows[i].objectives);

		ck_assert_msg(outcome.exit_code == rows[i].exit_code, "%s: exit %d: %s",
			      rows[i].objectives, (int)outcome.exit_code, outcome.sentence);
		ck_assert_msg(strstr(outcome.sentence, rows[i].sentence) != NULL, "%s",
			      outcome.sentence);
	}
}
END_TEST

void suite_run_level(Suite *suite)
{
	TCase *tcase = tcase_create("run_level");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_run_experiment_slow_service_is_degraded_and_not_down);
	suite_add_tcase(suite, tcase);
}
