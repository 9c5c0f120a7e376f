/*
 * test_suite.c - suites on paper: who may run beside whom, and what all of them come to.
 */
#include "engine/suite.h"

#include <stdlib.h>
#include <string.h>

#include "load/load.h"
#include "model/suite.h"
#include "tests/suites.h"

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

/* ---- who may run beside whom ---- */

static const char inventory_text[] =
	"hosts:\n"
	"  a: { address: 192.0.2.1 }\n"
	"  b: { address: 192.0.2.2 }\n"
	"  c: { address: 192.0.2.3 }\n"
	"  alias: { address: 192.0.2.1 }\n"
	"services:\n"
	"  one: { kind: http, url: \"http://192.0.2.9/\", members: [a] }\n"
	"  two: { kind: http, url: \"http://192.0.2.9/\", members: [b, c] }\n";

/* Hangs a process of that host, and watches that service. */
static struct footprint footprint_of(const char *host, const char *service)
{
	const char *text = arena_format(
		&arena,
		"title: On paper\nservice: %s\nobjectives: { rto: 5s }\n"
		"probes:\n  health: { kind: http.get, on: %s, every: 1s, timeout: 1s }\n"
		"method: [{ fault: process.pause, on: %s, with: { name: x } }]\n",
		service, service, host);
	const struct load_request request = {
		.experiment_path = "drill.yaml",
		.inventory_path = "inventory.yaml",
		.experiment_text = text,
		.inventory_text = inventory_text,
	};
	struct problems *problems = arena_alloc(&arena, sizeof *problems);
	const struct experiment *experiment = NULL;
	struct footprint footprint;
	struct plan plan;
	struct err e = { 0 };

	ck_assert_msg(load_experiment(&request, &arena, &secrets, &experiment, problems), "%s",
		      problems->items[0].text);
	ck_assert_msg(plan_build(experiment, "r", 1, &arena, &plan, &e), "%s", e.text);
	suite_footprint(&plan, &arena, &footprint);
	return footprint;
}

START_TEST(test_suite_do_clash_disjoint_hosts_and_services_do_not)
{
	const struct footprint one = footprint_of("a", "one");
	const struct footprint two = footprint_of("b", "two");

	ck_assert(!suite_do_clash(&one, &two));
	ck_assert(!suite_do_clash(&two, &one));
	ck_assert(suite_do_clash(&one, &one));
}
END_TEST

START_TEST(test_suite_do_clash_one_host_by_two_names_does)
{
	const struct footprint one = footprint_of("a", "two");
	const struct footprint two = footprint_of("alias", "two");

	ck_assert(suite_do_clash(&one, &two));
}
END_TEST

/* It would measure somebody else's outage, or find no steady state. */
START_TEST(test_suite_do_clash_harm_of_what_the_other_watches_does)
{
	const struct footprint harms_a = footprint_of("a", "one");
	const struct footprint watches_a = footprint_of("c", "one");

	ck_assert(suite_do_clash(&harms_a, &watches_a));
	ck_assert(suite_do_clash(&watches_a, &harms_a));
}
END_TEST

/* Both harm their own and look at the same members, which neither harms. */
START_TEST(test_suite_do_clash_common_watching_alone_does_not)
{
	const struct footprint one = { .harmed = (const char *[]){ "a" }, .harmed_count = 1,
				       .watched = (const char *[]){ "w" }, .watched_count = 1 };
	const struct footprint two = { .harmed = (const char *[]){ "b" }, .harmed_count = 1,
				       .watched = (const char *[]){ "w" }, .watched_count = 1 };

	ck_assert(!suite_do_clash(&one, &two));
}
END_TEST

START_TEST(test_suite_next_takes_the_first_that_is_free)
{
	const struct footprint footprints[] = {
		{ .harmed = (const char *[]){ "a" }, .harmed_count = 1 },
		{ .harmed = (const char *[]){ "a" }, .harmed_count = 1 },
		{ .harmed = (const char *[]){ "b" }, .harmed_count = 1 },
	};
	enum suite_place places[3] = { SUITE_WAITS, SUITE_WAITS, SUITE_WAITS };

	ck_assert_uint_eq(suite_next(footprints, places, 3, 4), 0);
	places[0] = SUITE_RUNS;
	ck_assert_uint_eq(suite_next(footprints, places, 3, 1), 3); /* one job, and it runs */
	ck_assert_uint_eq(suite_next(footprints, places, 3, 4), 2);
	places[2] = SUITE_RUNS;
	ck_assert_uint_eq(suite_next(footprints, places, 3, 4), 3);
	places[0] = SUITE_OVER;
	ck_assert_uint_eq(suite_next(footprints, places, 3, 4), 1);
	places[1] = places[2] = SUITE_OVER;
	ck_assert_uint_eq(suite_next(footprints, places, 3, 4), 3);
}
END_TEST

/* Whatever the footprints are: everybody runs once, and never two that clash. */
START_TEST(test_suite_next_any_suite_ends_and_nobody_meets_who_clashes)
{
	enum { COUNT = 12, HOSTS = 5, JOBS = 3 };
	static const char *const names[HOSTS] = { "a", "b", "c", "d", "e" };
	const char *harmed[COUNT][2];
	struct footprint footprints[COUNT];

	srandom(7);
	for (int round = 0; round < 200; round++) {
		enum suite_place places[COUNT] = { SUITE_WAITS };
		size_t over_count = 0;

		for (size_t i = 0; i < COUNT; i++) {
			harmed[i][0] = names[random() % HOSTS];
			harmed[i][1] = names[random() % HOSTS];
			footprints[i] = (struct footprint){ .harmed = harmed[i], .harmed_count = 2 };
		}
		while (over_count < COUNT) {
			size_t running_count = 0;
			size_t next;

			while ((next = suite_next(footprints, places, COUNT, JOBS)) != COUNT) {
				ck_assert_int_eq(places[next], SUITE_WAITS);
				places[next] = SUITE_RUNS;
			}
			for (size_t i = 0; i < COUNT; i++) {
				running_count += places[i] == SUITE_RUNS ? 1 : 0;
				for (size_t j = 0; j < i; j++)
					ck_assert(places[i] != SUITE_RUNS || places[j] != SUITE_RUNS ||
						  !suite_do_clash(&footprints[i], &footprints[j]));
			}
			ck_assert_uint_gt(running_count, 0);
			ck_assert_uint_le(running_count, JOBS);
			for (size_t i = (size_t)random() % COUNT;; i = (i + 1) % COUNT)
				if (places[i] == SUITE_RUNS) {
					places[i] = SUITE_OVER;
					over_count++;
					break;
				}
		}
	}
}
END_TEST

/* ---- what it comes to ---- */

static struct suite_drill drills[8];

/* One digit for each experiment: its exit code. */
static enum run_exit exit_of(const char *codes, unsigned fail_on)
{
	struct suite suite = { .drills = drills, .drill_count = strlen(codes), .fail_on = fail_on };

	memset(drills, 0, sizeof drills);
	for (size_t i = 0; codes[i] != '\0'; i++)
		drills[i].outcome.exit_code = (enum run_exit)(codes[i] - '0');
	return suite_exit(&suite);
}

START_TEST(test_suite_exit_worst_that_counts_wins)
{
	static const struct {
		const char *codes;
		unsigned fail_on;
		enum run_exit expected;
	} rows[] = {
		{ "000", 0, EXIT_MET },
		{ "0531", 0x1f, EXIT_MISSED },
		{ "053", 0x1f, EXIT_NOT_STARTED },
		{ "0253", 0x1f, EXIT_NOT_RUN },
		{ "0316", 0x1f, EXIT_STOPPED },
		{ "0167", 0x1f, EXIT_INTERNAL },
		{ "1764", 0x1f, EXIT_LEFTOVER },
		{ "03", 0x1f, EXIT_INCONCLUSIVE },
		{ "0356", SUITE_MISSED, EXIT_MET },
		{ "0356", SUITE_MISSED | SUITE_INCONCLUSIVE, EXIT_INCONCLUSIVE },
		{ "0156", SUITE_NOT_STARTED, EXIT_NOT_STARTED },
		{ "0156", SUITE_STOPPED, EXIT_STOPPED },
		/* These fail whatever was asked for. */
		{ "04", SUITE_MISSED, EXIT_LEFTOVER },
		{ "07", SUITE_MISSED, EXIT_INTERNAL },
		{ "02", SUITE_MISSED, EXIT_NOT_RUN },
		/* A gate that has looked at nothing is not open. */
		{ "55", SUITE_MISSED, EXIT_NOT_STARTED },
		{ "65", SUITE_MISSED, EXIT_STOPPED },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(exit_of(rows[i].codes, rows[i].fail_on) == rows[i].expected,
			      "%s with %x: %d", rows[i].codes, rows[i].fail_on,
			      (int)exit_of(rows[i].codes, rows[i].fail_on));
}
END_TEST

START_TEST(test_suite_exit_slower_counts_when_asked_for_and_compared)
{
	struct suite suite = { .drills = drills, .drill_count = 1, .baseline = "main",
			       .fail_on = suite_default_reasons() };

	memset(drills, 0, sizeof drills);
	drills[0].baseline.answer = SLOWER_YES;
	ck_assert_int_eq(suite_exit(&suite), EXIT_MET);
	suite.fail_on = SUITE_REGRESSION;
	ck_assert_int_eq(suite_exit(&suite), EXIT_MISSED);
	ck_assert(suite_does_fail(&suite, &drills[0]));
	suite.baseline = NULL;
	ck_assert_int_eq(suite_exit(&suite), EXIT_MET);
	suite.baseline = "main";
	drills[0].baseline.answer = SLOWER_UNKNOWN;
	ck_assert_int_eq(suite_exit(&suite), EXIT_MET);
}
END_TEST

START_TEST(test_suite_parse_reasons_words_and_mistakes)
{
	static const char *const wrong[] = { "", "mised", "missed,", ",missed", "missed inconclusive",
					     "MISSED" };
	unsigned reasons = 0;
	struct err e = { 0 };

	ck_assert(suite_parse_reasons("missed,not-started", &reasons, &e));
	ck_assert_uint_eq(reasons, SUITE_MISSED | SUITE_NOT_STARTED);
	for (unsigned bit = 1; bit <= SUITE_REGRESSION; bit <<= 1) {
		ck_assert(suite_parse_reasons(suite_reason_word((enum suite_reason)bit), &reasons,
					      &e));
		ck_assert_uint_eq(reasons, bit);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		ck_assert_msg(!suite_parse_reasons(wrong[i], &reasons, &e), "%s", wrong[i]);
		ck_assert_int_eq(e.kind, ERR_INPUT);
		ck_assert_ptr_nonnull(strstr(e.text, "there are missed"));
	}
}
END_TEST

void suite_suite(Suite *suite)
{
	TCase *tcase = tcase_create("suite");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_suite_do_clash_disjoint_hosts_and_services_do_not);
	tcase_add_test(tcase, test_suite_do_clash_one_host_by_two_names_does);
	tcase_add_test(tcase, test_suite_do_clash_harm_of_what_the_other_watches_does);
	tcase_add_test(tcase, test_suite_do_clash_common_watching_alone_does_not);
	tcase_add_test(tcase, test_suite_next_takes_the_first_that_is_free);
	tcase_add_test(tcase, test_suite_next_any_suite_ends_and_nobody_meets_who_clashes);
	tcase_add_test(tcase, test_suite_exit_worst_that_counts_wins);
	tcase_add_test(tcase, test_suite_exit_slower_counts_when_asked_for_and_compared);
	tcase_add_test(tcase, test_suite_parse_reasons_words_and_mistakes);
	suite_add_tcase(suite, tcase);
}
