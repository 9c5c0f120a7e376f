/*
 * test_truth.c - seeded outages of a scripted server, through the real probes, lanes and
 * arithmetic: the truth must lie in every span. `make bench` makes 1,000 longer ones and prints the
 * widths.
 */
#include "fixtures/script_server.h"
#include "fixtures/truth.h"
#include "base/clock.h"
#include "base/mem.h"
#include "tests/suites.h"

#include <inttypes.h>
#include <stdlib.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define IS_SLOW 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define IS_SLOW 1
#endif
#endif
#ifndef IS_SLOW
#define IS_SLOW 0
#endif

enum {
	OUTAGES = IS_SLOW ? 60 : 216,
	AT_A_TIME = IS_SLOW ? 6 : 16,
	OUTSIDE_PER_MILLE = 1, /* design.md 10: at least 99.9 % */
};

static const int64_t longest_ns = 500 * NS_PER_MS;
/* Farther than a span is wide where no attempt waited: a truth that is off must be noticed. */
static const int64_t off_ns = 25 * NS_PER_MS;

static void expect_inside(const struct truth_outcome *outcomes)
{
	struct text wrong = { 0 };
	size_t count = 0;
	size_t known_count = 0;

	for (size_t i = 0; i < OUTAGES; i++) {
		const struct truth_outcome *o = &outcomes[i];

		known_count += truth_is_known(o);
		if (!truth_is_known(o) || truth_is_within(o->truth, o) ||
		    truth_is_rightly_unseen(o))
			continue;
		count++;
		text_addf(&wrong,
			  "seed %" PRIu64 ", %s, %s: truth [%" PRId64 ", %" PRId64
			  "], said %d [%" PRId64 ", %" PRId64 "]\n",
			  o->seed, truth_kind_name(o->kind), o->probe, o->truth.low_ns,
			  o->truth.high_ns, (int)o->measured, o->rto.low_ns, o->rto.high_ns);
	}
	ck_assert_msg(count * 1000 <= OUTAGES * OUTSIDE_PER_MILLE, "%zu of %d outside:\n%s", count,
		      OUTAGES, text_str(&wrong));
	ck_assert_msg(known_count > OUTAGES / 2, "this machine was too busy: only %zu of %d known",
		      known_count, OUTAGES);
	text_release(&wrong);
}

/* Were the spans wide enough to hold anything, the test above would mean nothing. */
static void expect_sharp(const struct truth_outcome *outcomes)
{
	size_t prompt_count = 0;
	size_t fooled_count = 0;
	size_t unseen_count = 0;

	for (size_t i = 0; i < OUTAGES; i++) {
		const struct truth_outcome *o = &outcomes[i];
		const struct span early = { o->truth.low_ns - off_ns, o->truth.high_ns - off_ns };
		const struct span late = { o->truth.low_ns + off_ns, o->truth.high_ns + off_ns };

		unseen_count +=
			o->measured == MEASURED_NO_OUTAGE && o->kind != TRUTH_TURNED_AWAY_KEPT;
		if (o->waited_count > 0 || o->measured != MEASURED_SPAN ||
		    o->kind == TRUTH_SLOW_START || o->kind == TRUTH_CONFIRMED_LATE)
			continue;
		prompt_count++;
		fooled_count += truth_is_within(early, o) || truth_is_within(late, o);
	}
	ck_assert_uint_gt(prompt_count, OUTAGES / 3);
	ck_assert_msg(fooled_count * 10 <= prompt_count, "%zu of %zu spans hold a wrong truth",
		      fooled_count, prompt_count);
	ck_assert_uint_lt(unseen_count, OUTAGES / 8);
}

START_TEST(test_truth_of_scripted_outages_lies_in_the_stated_span)
{
	const struct truth_request request = {
		.first_seed = 1, .count = OUTAGES, .at_a_time = AT_A_TIME, .longest_ns = longest_ns
	};
	struct truth_outcome *outcomes = calloc(OUTAGES, sizeof *outcomes);
	struct err e = { 0 };

	ck_assert_ptr_nonnull(outcomes);
	ck_assert_msg(truth_run(&request, outcomes, &e), "%s", e.text);
	expect_inside(outcomes);
	expect_sharp(outcomes);
	free(outcomes);
}
END_TEST

/* A step takes effect in the span that the server notes, not before its moment. */
START_TEST(test_script_server_steps_are_noted_in_order)
{
	const struct clock clock = clock_system();
	const int64_t from_ns = clock_now_ns(&clock) + 20 * NS_PER_MS;
	struct script_step steps[] = {
		{ .at_ns = from_ns, .mood = SCRIPT_VANISHES },
		{ .at_ns = from_ns + 10 * NS_PER_MS, .mood = SCRIPT_REFUSES },
		{ .at_ns = from_ns + 20 * NS_PER_MS, .mood = SCRIPT_SERVES, .old = SCRIPT_CUTS },
	};
	struct script_server *server = script_server_open(SCRIPT_TCP, steps, 3);
	struct script_facts facts;
	int64_t before_ns = 0;

	clock_sleep_until_ns(&clock, from_ns + 60 * NS_PER_MS);
	script_server_close(server, &facts);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_ge(steps[i].took.low_ns, steps[i].at_ns);
		ck_assert_int_ge(steps[i].took.low_ns, before_ns);
		ck_assert_int_ge(steps[i].took.high_ns, steps[i].took.low_ns);
		before_ns = steps[i].took.high_ns;
	}
	ck_assert_int_eq(facts.last_doomed_ns, 0);
}
END_TEST

void suite_truth(Suite *suite)
{
	TCase *tcase = tcase_create("truth");

	tcase_set_timeout(tcase, 180);
	tcase_add_test(tcase, test_truth_of_scripted_outages_lies_in_the_stated_span);
	tcase_add_test(tcase, test_script_server_steps_are_noted_in_order);
	suite_add_tcase(suite, tcase);
}
