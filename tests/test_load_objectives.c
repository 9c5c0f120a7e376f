/*
 * test_load_objectives.c - what was promised, from the document into the model. Mistakes in it are in
 * fixtures/invalid.
 */
#include "base/clock.h"
#include "load/load.h"
#include "tests/suites.h"

#include <string.h>

static struct arena arena;
static struct problems problems;
static const struct experiment *experiment;

static void setup(void)
{
	memset(&arena, 0, sizeof arena);
	experiment = NULL;
}

static void teardown(void)
{
	arena_release(&arena);
}

static void must_load(const char *text)
{
	static const char inventory_text[] =
		"services:\n  orders: { kind: tcp, address: 192.0.2.1, port: 5432 }\n";
	const struct load_request request = { .experiment_path = "drill.yaml",
					      .inventory_path = "inventory.yaml",
					      .experiment_text = text,
					      .inventory_text = inventory_text };

	ck_assert_msg(load_experiment(&request, &arena, NULL, &experiment, &problems), "%s",
		      problems.count > 0 ? problems.items[0].text : "?");
}

#define HEAD "title: t\nprobes:\n  p: { kind: tcp.connect, on: orders, every: 100ms }\n"

START_TEST(test_load_objectives_target_alone_or_in_a_mapping_is_the_same)
{
	must_load(HEAD "objectives: { rto: { target: 30s }, availability: { target: 99% } }\n");
	ck_assert(experiment->objectives.has_rto);
	ck_assert_int_eq(experiment->objectives.rto_ns, 30 * NS_PER_S);
	ck_assert_int_eq(experiment->objectives.availability_ppm, 990000);
}
END_TEST

START_TEST(test_load_objectives_of_service_level_are_filled)
{
	must_load("title: t\nprobes:\n"
		  "  a: { kind: tcp.connect, on: orders, every: 100ms, timeout: 3s }\n"
		  "  b: { kind: tcp.connect, on: orders, every: 100ms, required: false }\n"
		  "objectives:\n"
		  "  latency: { p50: 20ms, p99.9: 500ms, during: { p99: 2s }, probes: a }\n"
		  "  error_rate: 0.1%\n"
		  "  throughput: { during: 50% }\n"
		  "  degraded: { target: 0s, over: 200ms, probes: [b] }\n");

	const struct objectives *objectives = &experiment->objectives;
	const struct probe_spec *a = experiment_probe(experiment, "a");
	const struct probe_spec *b = experiment_probe(experiment, "b");

	ck_assert_int_eq(objectives->latency.after_ns[PERCENTILE_P50], 20 * NS_PER_MS);
	ck_assert_int_eq(objectives->latency.after_ns[PERCENTILE_P99], 0);
	ck_assert_int_eq(objectives->latency.after_ns[PERCENTILE_P99_9], 500 * NS_PER_MS);
	ck_assert_int_eq(objectives->latency.during_ns[PERCENTILE_P99], 2 * NS_PER_S);
	ck_assert(probe_is_chosen(&objectives->latency.choice, a));
	ck_assert(!probe_is_chosen(&objectives->latency.choice, b));
	ck_assert(objectives->error_rate.has_after && !objectives->error_rate.has_during);
	ck_assert_int_eq(objectives->error_rate.after_ppm, 1000);
	ck_assert(probe_is_chosen(&objectives->error_rate.choice, a));
	ck_assert(!probe_is_chosen(&objectives->error_rate.choice, b));
	ck_assert(!objectives->throughput.has_after && objectives->throughput.has_during);
	ck_assert_int_eq(objectives->throughput.during_ppm, 500000);
	ck_assert(objectives->degraded.is_declared);
	ck_assert_int_eq(objectives->degraded.over_ns, 200 * NS_PER_MS);
	ck_assert_int_eq(objectives->degraded.target_ns, 0);
	ck_assert(probe_is_chosen(&objectives->degraded.choice, b));
	ck_assert(objectives_any(objectives));
}
END_TEST

void suite_load_objectives(Suite *suite)
{
	TCase *tcase = tcase_create("load_objectives");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_load_objectives_target_alone_or_in_a_mapping_is_the_same);
	tcase_add_test(tcase, test_load_objectives_of_service_level_are_filled);
	suite_add_tcase(suite, tcase);
}
