/*
 * test_run_permit.c - whole drills on paper that are not permitted, or no longer: nothing is harmed, or
 * what was is healed. The drill begins on Saturday 2026-11-21 at 10:00 UTC.
 */
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "engine/permission.h"
#include "fixtures/paper_world.h"
#include "tests/suites.h"

static const struct sim_script quiet = { .down_on = NULL };

/* Two steps a minute apart, of one host each. */
static const char two_steps[] =
	"title: Two steps\n"
	"service: db\n"
	"probes: { writes: { kind: postgres.write, on: db, every: 20ms, timeout: 1s } }\n"
	"steady_state: { good_for: 2s, within: 10s }\n"
	"baseline: 3s\n"
	"method:\n"
	"  - { at: 0s, fault: process.pause, on: h1, with: { name: postgres } }\n"
	"  - { at: 60s, fault: process.pause, on: h2, with: { name: postgres } }\n"
	"observe: { stable_for: 3s, at_most: 30s }\n"
	"settle: { at_most: 20s }\n"
	"lease: 30s\n";

static struct world world;

static void setup(void)
{
	memset(&world, 0, sizeof world);
}

static void teardown(void)
{
	world_close(&world);
}

static void open_with(const char *policy, const char *experiment)
{
	world.policy = policy;
	world_open(&world, &quiet);
	if (experiment != NULL)
		world_load(&world, experiment);
}

static const struct event *find_event(const char *run_id, enum event_kind kind)
{
	struct timeline *timeline = arena_alloc(&world.arena, sizeof *timeline);
	struct err e = { 0 };

	ck_assert_msg(store_timeline(world.store, run_id, &world.arena, timeline, &e), "%s", e.text);
	for (size_t i = 0; i < timeline->event_count; i++)
		if (timeline->events[i].kind == kind)
			return &timeline->events[i];
	return NULL;
}

static const char run_id[] = "20261121-102030-test";

/* What the store says at the end: the outcome's own sentence does not outlive the run. */
static const char *sentence(void)
{
	struct run_row row;
	struct err e = { 0 };

	ck_assert_msg(store_run_find(world.store, "last", &world.arena, &row, &e), "%s", e.text);
	return row.sentence;
}

static void expect_refused(const char *rule, const char *words)
{
	world_run_ok(&world);
	ck_assert_msg(world.outcome.exit_code == EXIT_NOT_STARTED, "exit %d: %s",
		      (int)world.outcome.exit_code, sentence());
	ck_assert_uint_eq(fake_script_count(world.hosts, NULL, STOP_ON), 0);
	ck_assert_msg(strstr(sentence(), words) != NULL, "%s", sentence());

	const struct event *refused = find_event(run_id, EVENT_REFUSED);

	ck_assert_ptr_nonnull(refused);
	ck_assert_str_eq(refused->name, rule);
	ck_assert_ptr_nonnull(strstr(refused->text, words));
}

START_TEST(test_run_outside_every_window_touches_no_host)
{
	open_with("policy: { windows: [{ days: mon-fri }] }\n", NULL);
	expect_refused("window", "where it is sat 10:00");
	ck_assert_uint_eq(fake_script_count(world.hosts, NULL, FAKE_OPEN), 0);
}
END_TEST

START_TEST(test_run_inside_a_window_is_permitted_and_says_on_what_grounds)
{
	const struct event *permitted;

	open_with("policy: { environment: paper, windows: [{ days: sat }] }\n", NULL);
	world.claim = (struct permit_claim){ .by = "anna", .environment = "paper" };
	world_run_ok(&world);
	ck_assert_msg(world.outcome.exit_code == EXIT_MET, "%s", sentence());
	permitted = find_event(run_id, EVENT_PERMITTED);
	ck_assert_ptr_nonnull(permitted);
	ck_assert_str_eq(permitted->text, "anna may do this: the window sat 00:00 to 24:00 UTC is open; "
					  "`paper` was typed back");
	ck_assert_ptr_null(find_event(run_id, EVENT_REFUSED));
}
END_TEST

START_TEST(test_run_without_a_policy_says_nothing_of_permission)
{
	struct run_row row;
	struct err e = { 0 };

	open_with(NULL, NULL);
	world_run_ok(&world);
	/* But it gives signs of life, for those who cannot see its process. */
	ck_assert(store_run_find(world.store, run_id, &world.arena, &row, &e));
	ck_assert_int_eq(row.space, process_space());
	ck_assert_int_gt(row.alive_until_wall_ns, clock_wall_ns(&world.clock));
	ck_assert_ptr_null(find_event(run_id, EVENT_PERMITTED));
}
END_TEST

START_TEST(test_run_whose_window_closes_before_the_inject_harms_nothing)
{
	open_with("policy: { windows: [{ days: sat, until: \"10:01\" }] }\n",
		  "title: Late\n"
		  "service: db\n"
		  "probes: { writes: { kind: postgres.write, on: db, every: 20ms, timeout: 1s } }\n"
		  "steady_state: { good_for: 2s, within: 10s }\n"
		  "method: [{ at: 60s, fault: process.pause, on: h1, with: { name: postgres } }]\n");
	expect_refused("window", "where it is sat 10:01");
	ck_assert_ptr_nonnull(find_event(run_id, EVENT_PERMITTED)); /* at the start it was open */
	ck_assert_ptr_nonnull(strstr(sentence(),
				     "step 1 (process.pause) is no longer permitted"));
}
END_TEST

START_TEST(test_run_whose_window_closes_between_two_steps_heals_the_first)
{
	const struct event *stop;

	open_with("policy: { windows: [{ days: sat, until: \"10:01\" }] }\n", two_steps);
	world_run_ok(&world);
	ck_assert_msg(world.outcome.exit_code == EXIT_STOPPED, "exit %d: %s",
		      (int)world.outcome.exit_code, sentence());
	ck_assert_uint_gt(fake_script_count(world.hosts, "h1", STOP_ON), 0);
	ck_assert_uint_eq(fake_script_count(world.hosts, "h2", STOP_ON), 0);
	ck_assert_uint_gt(fake_script_count(world.hosts, "h1", HEAL_ON), 0);
	ck_assert_uint_eq(world_open_heals(&world), 0);
	stop = find_event(run_id, EVENT_STOP);
	ck_assert_ptr_nonnull(stop);
	ck_assert_ptr_nonnull(strstr(stop->text, "step 2 (process.pause) is no longer permitted: no "
						 "window of the policy is open"));
}
END_TEST

START_TEST(test_run_with_an_override_goes_on_and_writes_down_why)
{
	const struct event *overridden;

	open_with("policy: { freeze: [{ from: 2026-11-21, reason: sale }] }\n", NULL);
	world.claim = (struct permit_claim){ .by = "anna", .override_reason = "the sale was called off" };
	world_run_ok(&world);
	ck_assert_msg(world.outcome.exit_code == EXIT_MET, "%s", sentence());
	overridden = find_event(run_id, EVENT_OVERRIDDEN);
	ck_assert_ptr_nonnull(overridden);
	ck_assert_str_eq(overridden->name, "freeze");
	ck_assert_ptr_nonnull(strstr(overridden->text,
				     "set aside by anna (the sale was called off): 2026-11-21 lies in the "
				     "frozen time"));
}
END_TEST

START_TEST(test_run_caps_count_what_another_run_holds)
{
	const struct run_row other = { .run_id = "other" };
	struct err e = { 0 };

	open_with("policy: { caps: [{ by: zone, groups: 1 }] }\n", two_steps);
	ck_assert(store_run_begin(world.store, &other, &e));
	/* By its place: another inventory calls h2 by another name. */
	ck_assert(store_lock_take(world.store, "other", "192.0.2.2 port 22", &e));
	world_load_on(&world, "    on: h1\n");
	expect_refused("cap", "hosts of 2 groups by zone");
}
END_TEST

START_TEST(test_run_never_shares_a_host_known_by_another_name)
{
	const struct run_row other = { .run_id = "other" };
	struct err e = { 0 };

	open_with(NULL, NULL);
	ck_assert(store_run_begin(world.store, &other, &e));
	ck_assert(store_lock_take(world.store, "other", "192.0.2.1 port 22", &e));
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_NOT_STARTED);
	ck_assert_ptr_nonnull(strstr(sentence(), "run other"));
	ck_assert_uint_eq(fake_script_count(world.hosts, NULL, FAKE_OPEN), 0);
}
END_TEST

static void approve(const char *person, const char *reason, int64_t for_ns)
{
	char digest[HASH_TEXT_BYTES];
	const int64_t now_ns = clock_wall_ns(&world.clock);
	struct err e = { 0 };

	permit_digest(world.experiment, reason, digest);

	const struct approval_row row = { .digest = digest, .person = person, .account = "x@y",
					  .wall_ns = now_ns, .until_wall_ns = now_ns + for_ns };

	ck_assert_msg(store_approve(world.store, &row, &e), "%s", e.text);
}

START_TEST(test_run_needs_the_approvals_of_exactly_this_plan)
{
	open_with("policy: { approvals: 2 }\n", two_steps);
	world.claim.by = "carl";
	approve("anna", NULL, 3600 * NS_PER_S);
	approve("ben", NULL, 3600 * NS_PER_S);
	world_load_on(&world, "    on: h1\n"); /* another plan than the one they have seen */
	expect_refused("approval", "nobody has");
}
END_TEST

START_TEST(test_run_with_two_approvals_names_them)
{
	const struct event *permitted;

	open_with("policy: { approvals: 2 }\n", NULL);
	world.claim.by = "carl";
	approve("anna", NULL, 3600 * NS_PER_S);
	approve("ben", NULL, 3600 * NS_PER_S);
	world_run_ok(&world);
	ck_assert_msg(world.outcome.exit_code == EXIT_MET, "%s", sentence());
	permitted = find_event(run_id, EVENT_PERMITTED);
	ck_assert_ptr_nonnull(permitted);
	ck_assert_ptr_nonnull(strstr(permitted->text, "approved by anna (until 2026-11-21T11:00Z), ben "));
}
END_TEST

START_TEST(test_run_whose_approval_expires_before_the_second_step_heals_the_first)
{
	open_with("policy: { approvals: 1 }\n", two_steps);
	world.claim.by = "carl";
	approve("anna", NULL, 30 * NS_PER_S);
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_STOPPED);
	ck_assert_uint_eq(fake_script_count(world.hosts, "h2", STOP_ON), 0);
	ck_assert_uint_gt(fake_script_count(world.hosts, "h1", HEAL_ON), 0);
	ck_assert_uint_eq(world_open_heals(&world), 0);
}
END_TEST

START_TEST(test_run_approved_without_the_override_may_not_use_one)
{
	open_with("policy: { approvals: 1, windows: [{ days: mon }] }\n", NULL);
	world.claim = (struct permit_claim){ .by = "carl", .override_reason = "in a hurry" };
	approve("anna", NULL, 3600 * NS_PER_S);
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_NOT_STARTED);
	approve("anna", "in a hurry", 3600 * NS_PER_S);
	world.run_id = "20261121-102030-next";
	world_run_ok(&world);
	ck_assert_msg(world.outcome.exit_code == EXIT_MET, "%s", sentence());
}
END_TEST

/* ---- orders to stop ---- */

static enum event_kind stop_at;
static const char *stop_subject;

static void order_stop(struct world *here, const struct event *event)
{
	const struct stop_row row = { .subject = stop_subject, .person = "anna", .reason = "wrong rack" };
	struct err e = { 0 };

	if (event->kind == stop_at)
		ck_assert_msg(store_stop(here->store, &row, &e), "%s", e.text);
}

static void expect_stopped(const char *words)
{
	const struct event *stop;

	world.on_event = order_stop;
	world_run_ok(&world);
	ck_assert_msg(world.outcome.exit_code == EXIT_STOPPED, "exit %d: %s",
		      (int)world.outcome.exit_code, sentence());
	stop = find_event(run_id, EVENT_STOP);
	ck_assert_ptr_nonnull(stop);
	ck_assert_msg(strstr(stop->text, words) != NULL, "%s", stop->text);
	ck_assert_uint_eq(world_open_heals(&world), 0);
}

START_TEST(test_run_told_to_stop_while_harm_is_on_heals_within_a_second)
{
	stop_at = EVENT_CONFIRMED;
	stop_subject = NULL;
	open_with(NULL, two_steps);
	expect_stopped("stopped by anna (emergency stop of everything): wrong rack");
	ck_assert_int_lt(find_event(run_id, EVENT_HEALED)->until_ns -
				 find_event(run_id, EVENT_CONFIRMED)->at_ns,
			 NS_PER_S);
	ck_assert_uint_eq(fake_script_count(world.hosts, "h2", STOP_ON), 0);
}
END_TEST

START_TEST(test_run_told_to_stop_by_its_own_id_ends)
{
	stop_at = EVENT_CONFIRMED;
	stop_subject = run_id;
	open_with(NULL, NULL);
	expect_stopped("stopped by anna: wrong rack");
}
END_TEST

START_TEST(test_run_told_to_stop_before_the_first_harm_harms_nothing)
{
	stop_at = EVENT_STEADY;
	stop_subject = NULL;
	open_with(NULL, NULL);
	expect_stopped("wrong rack");
	ck_assert_uint_eq(fake_script_count(world.hosts, NULL, STOP_ON), 0);
	ck_assert_msg(strstr(sentence(), "nothing was harmed") != NULL, "%s",
		      sentence());
}
END_TEST

/* Between the last look and the inject: the question right before it sees the order. */
START_TEST(test_run_told_to_stop_as_the_targets_are_named_injects_nothing)
{
	stop_at = EVENT_TARGETS;
	stop_subject = NULL;
	open_with(NULL, NULL);
	world.on_event = order_stop;
	world.claim.override_reason = "no override helps";
	expect_refused("emergency stop", "wrong rack");
}
END_TEST

/* As when somebody brings back a copy of it: from then on no order would reach this run. */
static void replace_store(struct world *here, const struct event *event)
{
	const char *path = arena_format(&here->arena, "%s/store.db", here->owned_folder);
	const char *away = arena_format(&here->arena, "%s/away.db", here->owned_folder);
	struct store *fresh = NULL;
	struct err e = { 0 };

	if (event->kind != stop_at)
		return;
	ck_assert_int_eq(rename(path, away), 0);
	ck_assert_msg(store_open(path, NULL, &fresh, &e), "%s", e.text);
	store_close(fresh);
}

START_TEST(test_run_whose_store_was_replaced_heals_and_ends)
{
	stop_at = EVENT_CONFIRMED;
	open_with(NULL, NULL);
	world.on_event = replace_store;
	world_run_ok(&world);
	ck_assert_msg(world.outcome.exit_code == EXIT_STOPPED, "exit %d: %s",
		      (int)world.outcome.exit_code, sentence());
	ck_assert_msg(strstr(sentence(), "was removed or replaced while it was in use") != NULL, "%s",
		      sentence());
	ck_assert_uint_eq(world_open_heals(&world), 0);
	ck_assert_uint_gt(fake_script_count(world.hosts, "h1", HEAL_ON), 0);
}
END_TEST

START_TEST(test_run_does_not_start_during_an_emergency_stop)
{
	const struct stop_row all = { .person = "anna", .reason = "fire" };
	const struct stop_row lift = { .person = "ben", .reason = "out" };
	size_t count = 0;
	struct err e = { 0 };

	open_with(NULL, NULL);
	ck_assert(store_stop(world.store, &all, &e));
	expect_refused("emergency stop", "an emergency stop by anna holds since");
	ck_assert(store_resume(world.store, &lift, &count, &e));
	world.run_id = "20261121-102030-next";
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_MET);
}
END_TEST

void suite_run_permit(Suite *suite)
{
	TCase *tcase = tcase_create("run_permit");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_run_outside_every_window_touches_no_host);
	tcase_add_test(tcase, test_run_inside_a_window_is_permitted_and_says_on_what_grounds);
	tcase_add_test(tcase, test_run_without_a_policy_says_nothing_of_permission);
	tcase_add_test(tcase, test_run_whose_window_closes_before_the_inject_harms_nothing);
	tcase_add_test(tcase, test_run_whose_window_closes_between_two_steps_heals_the_first);
	tcase_add_test(tcase, test_run_with_an_override_goes_on_and_writes_down_why);
	tcase_add_test(tcase, test_run_caps_count_what_another_run_holds);
	tcase_add_test(tcase, test_run_never_shares_a_host_known_by_another_name);
	tcase_add_test(tcase, test_run_needs_the_approvals_of_exactly_this_plan);
	tcase_add_test(tcase, test_run_with_two_approvals_names_them);
	tcase_add_test(tcase, test_run_whose_approval_expires_before_the_second_step_heals_the_first);
	tcase_add_test(tcase, test_run_approved_without_the_override_may_not_use_one);
	tcase_add_test(tcase, test_run_told_to_stop_while_harm_is_on_heals_within_a_second);
	tcase_add_test(tcase, test_run_told_to_stop_by_its_own_id_ends);
	tcase_add_test(tcase, test_run_told_to_stop_before_the_first_harm_harms_nothing);
	tcase_add_test(tcase, test_run_told_to_stop_as_the_targets_are_named_injects_nothing);
	tcase_add_test(tcase, test_run_whose_store_was_replaced_heals_and_ends);
	tcase_add_test(tcase, test_run_does_not_start_during_an_emergency_stop);
	suite_add_tcase(suite, tcase);
}
