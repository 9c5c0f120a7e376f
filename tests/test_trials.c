/*
 * test_trials.c - sets of trials on paper: simulated clock, scripted hosts, a fresh world for each
 * trial. Twenty drills of half a minute take milliseconds.
 */
#include "engine/trials.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/judge_trials.h"
#include "fixtures/fake_remote.h"
#include "fixtures/sim_clock.h"
#include "fixtures/sim_outside.h"
#include "fixtures/temp_dir.h"
#include "load/load.h"
#include "tests/suites.h"

static const char inventory_text[] =
	"hosts:\n"
	"  h1: { address: 192.0.2.1 }\n"
	"  h2: { address: 192.0.2.2 }\n"
	"  h3: { address: 192.0.2.3 }\n"
	"services:\n"
	"  db:\n"
	"    kind: postgres\n"
	"    conninfo: \"host=h1,h2,h3 dbname=x\"\n"
	"    members: [h1, h2, h3]\n";

/* With the objectives of the test between them. */
static const char experiment_head[] = "title: A drill on paper, often\nservice: db\nobjectives: ";
static const char experiment_tail[] =
	"\nprobes:\n"
	"  writes: { kind: postgres.write, on: db, every: 100ms, timeout: 1s }\n"
	"steady_state: { good_for: 2s, within: 10s }\n"
	"baseline: 3s\n"
	"method:\n"
	"  - at: 0s\n"
	"    fault: process.pause\n"
	"    on: { hosts: [h1, h2, h3], count: 1, random: true }\n"
	"    with: { name: postgres }\n"
	"observe: { stable_for: 3s, at_most: 30s }\n"
	"settle: { at_most: 20s }\n"
	"lease: 30s\n";

static const char stop_on[] = "kill -s STOP";
static const char heal_on[] = "exec flock -o -E 75 -w 15";

enum { TRIALS_MOST = 64 };

/* What the trials of a test meet, by number from 1; what is not said is down for 4 s. */
struct plot {
	int64_t down_for_ns[TRIALS_MOST + 1];
	int64_t never_up;     /* this trial is down until it is healed */
	int64_t not_steady;   /* this one finds the service down */
	int64_t unhealed;     /* the heal of this one fails */
	int64_t lost_in;      /* this one loses acknowledged rows */
	int64_t interrupt_in; /* a signal comes while this one observes */
	int64_t interrupt_after;
};

struct world {
	char *owned_folder;
	struct arena arena;
	struct secrets secrets;
	const struct experiment *experiment;
	struct sim_clock *sim_clock;
	struct clock clock;
	struct fake_script *hosts[TRIALS_MOST + 1];
	struct sim_outside *sims[TRIALS_MOST + 1];
	struct store *store;
	struct plot plot;
	int64_t now_running;
	volatile sig_atomic_t stop_signal;
	struct progress progress;
	struct outcome outcome;
	struct trial_set set;
};

static struct world *world;

static void setup(void)
{
	struct err e = { 0 };
	struct text path = { 0 };

	/* Hundreds of runs write thousands of durable events: in memory that takes no time. */
	if (access("/dev/shm", W_OK) == 0)
		ck_assert_int_eq(setenv("TMPDIR", "/dev/shm", 1), 0);
	world = mem_alloc(sizeof *world);
	world->owned_folder = temp_dir_make();
	world->sim_clock = sim_clock_open();
	world->clock = sim_clock_as_clock(world->sim_clock);
	text_addf(&path, "%s/store.db", world->owned_folder);
	ck_assert_msg(store_open(text_str(&path), NULL, &world->store, &e), "%s", e.text);
	text_release(&path);
}

static void teardown(void)
{
	store_close(world->store);
	for (size_t i = 0; i <= TRIALS_MOST; i++) {
		if (world->sims[i] != NULL)
			sim_outside_close(world->sims[i]);
		fake_script_close(world->hosts[i]);
	}
	sim_clock_close(world->sim_clock);
	secrets_release(&world->secrets);
	arena_release(&world->arena);
	temp_dir_remove(world->owned_folder);
	free(world);
}

static void load(const char *objectives)
{
	struct problems *problems = arena_alloc(&world->arena, sizeof *problems);
	const struct load_request request = {
		.experiment_path = "paper.yaml",
		.inventory_path = "inventory.yaml",
		.experiment_text = arena_format(&world->arena, "%s%s%s", experiment_head,
						objectives, experiment_tail),
		.inventory_text = inventory_text,
		.has_secrets = true
	};

	ck_assert_msg(load_experiment(&request, &world->arena, &world->secrets, &world->experiment,
				      problems),
		      "%s", problems->count > 0 ? problems->items[0].text : "?");
}

static void on_event(void *ctx, const struct event *event)
{
	(void)ctx;
	if (event->kind == EVENT_PHASE && event->phase == PHASE_OBSERVE &&
	    world->plot.interrupt_in == world->now_running)
		world->stop_signal = SIGINT;
}

static void before_trial(void *ctx, int64_t number, struct run_request *request)
{
	const struct plot *plot = &world->plot;
	struct sim_script script = { .down_on = stop_on,
				     .down_for_ns = plot->down_for_ns[number] };

	(void)ctx;
	ck_assert_int_le(number, TRIALS_MOST);
	world->now_running = number;
	if (script.down_for_ns == 0)
		script.down_for_ns = 4 * NS_PER_S;
	if (plot->never_up == number) {
		script.down_for_ns = 0;
		script.up_on = heal_on;
	}
	if (plot->not_steady == number) {
		script.is_down_from_start = true;
		script.down_for_ns = 0;
	}
	if (plot->lost_in == number) {
		script.lost_from_slot = 20;
		script.lost_until_slot = 24;
	}
	world->hosts[number] = fake_script_open();
	if (plot->unhealed == number)
		fake_script_add(world->hosts[number], &(struct fake_rule){ .command = heal_on,
									   .exit_status = 1,
									   .err = "not permitted\n" });
	world->sims[number] = sim_outside_open(&script, world->hosts[number]);
	request->opener = fake_script_opener(world->hosts[number]);
	request->outside = sim_outside_as_outside(world->sims[number]);
	world->progress = (struct progress){ .on_event = on_event };
	request->progress = &world->progress;
}

static void after_trial(void *ctx, int64_t number, const struct run_request *request,
			const struct outcome *outcome, const struct err *e)
{
	(void)ctx;
	(void)request;
	(void)outcome;
	ck_assert_msg(e == NULL, "%s", e->text);
	if (world->plot.interrupt_after == number)
		world->stop_signal = SIGTERM;
}

static void read_again(const char *set_id)
{
	struct err e = { 0 };

	ck_assert_msg(trials_story(world->store, set_id, &world->arena, &world->secrets,
				   &world->set, &e),
		      "%s", e.text);
}

static void run_set(const char *set_id, uint64_t seed, int64_t count)
{
	const struct run_request run = {
		.experiment = world->experiment,
		.run_id = set_id,
		.seed = seed,
		.version = "test",
		.store = world->store,
		.clock = &world->clock,
		.stop_signal = &world->stop_signal,
		.sample_dir = world->owned_folder,
		.arena = &world->arena,
	};
	const struct trials_request request = {
		.run = &run,
		.trial_count = count,
		.before = before_trial,
		.after = after_trial,
	};
	struct err e = { 0 };

	ck_assert_msg(trials_run(&request, &world->outcome, &e), "%s", e.text);
	read_again(set_id);
	/* What was said at the end is what every later look at the store says. */
	ck_assert_int_eq(world->set.outcome.exit_code, world->outcome.exit_code);
}

static const struct objective_result *row(const char *name)
{
	for (size_t i = 0; i < world->set.objective_count; i++)
		if (strcmp(world->set.objectives[i].name, name) == 0)
			return &world->set.objectives[i];
	ck_abort_msg("no row %s", name);
	return NULL;
}

static void expect(enum run_exit code, size_t trial_count, const char *words)
{
	ck_assert_msg(world->set.outcome.exit_code == code, "exit %d: %s",
		      (int)world->set.outcome.exit_code, world->set.outcome.sentence);
	ck_assert_uint_eq(world->set.trial_count, trial_count);
	ck_assert_msg(strstr(world->set.outcome.sentence, words) != NULL, "%s",
		      world->set.outcome.sentence);
}

static bool is_inside(struct span span, int64_t truth_ns)
{
	return span.low_ns <= truth_ns && truth_ns <= span.high_ns;
}

START_TEST(test_trials_run_twenty_in_time_are_met_with_their_numbers)
{
	for (int64_t i = 1; i <= 20; i++)
		world->plot.down_for_ns[i] = (i + 1) * 250 * NS_PER_MS; /* 0.5 s to 5.25 s */
	load("{ rto: 10s, rpo: 0s }");
	run_set("set-a", 7, 20);
	expect(EXIT_MET, 20, "20 of 20 within 10 s: at least 86.1 % with 95 % confidence");
	ck_assert_int_eq(world->set.outcome.verdict, VERDICT_MET);
	ck_assert(is_inside(world->set.rto.min, 500 * NS_PER_MS));
	ck_assert(is_inside(world->set.rto.median, 2875 * NS_PER_MS));
	ck_assert(is_inside(world->set.rto.p95, 5000 * NS_PER_MS));
	ck_assert(is_inside(world->set.rto.max, 5250 * NS_PER_MS));
	ck_assert_int_eq(world->set.share.low_ppm, 860891); /* 0.05^(1/20), rounded down */
	ck_assert_str_eq(row("rpo")->observed, "met in 20 of 20 trials");
	ck_assert_str_eq(world->set.trials[4].run_id, "set-a-t05");
	ck_assert_uint_eq(world->set.trials[4].seed, trials_seed(7, 5));
	ck_assert_int_eq(world->set.trials[19].number, 20);
}
END_TEST

static void hosts_hit(const char *set_id, char *ret_hosts)
{
	struct run_row *runs = NULL;
	size_t count = 0;
	struct err e = { 0 };

	ck_assert(store_set_runs(world->store, set_id, &world->arena, &runs, &count, &e));
	for (size_t i = 0; i < count; i++) {
		struct timeline timeline;

		ck_assert(store_timeline(world->store, runs[i].run_id, &world->arena, &timeline,
					 &e));
		ret_hosts[i] = '?';
		for (size_t j = 0; j < timeline.event_count; j++)
			if (timeline.events[j].kind == EVENT_INTENT)
				ret_hosts[i] = timeline.events[j].host[1];
	}
	ret_hosts[count] = '\0';
}

START_TEST(test_trials_run_same_seed_chooses_the_same_victims)
{
	char first[TRIALS_MOST + 1];
	char second[TRIALS_MOST + 1];
	char other[TRIALS_MOST + 1];

	load("{ rto: 10s }");
	run_set("set-a", 7, 12);
	hosts_hit("set-a", first);
	for (int64_t i = 1; i <= 12; i++) {
		sim_outside_close(world->sims[i]);
		fake_script_close(world->hosts[i]);
		world->sims[i] = NULL;
		world->hosts[i] = NULL;
	}
	run_set("set-b", 7, 12);
	hosts_hit("set-b", second);
	ck_assert_str_eq(first, second);
	for (int64_t i = 1; i <= 12; i++) {
		sim_outside_close(world->sims[i]);
		fake_script_close(world->hosts[i]);
		world->sims[i] = NULL;
		world->hosts[i] = NULL;
	}
	run_set("set-c", 8, 12);
	hosts_hit("set-c", other);
	ck_assert_str_ne(first, other);
	ck_assert_uint_lt(strspn(first, (char[]){ first[0], '\0' }), 12); /* not always the same */
}
END_TEST

START_TEST(test_trials_run_share_shown_is_met)
{
	load("{ rto: { target: 10s, share: 80%, confidence: 90% } }");
	run_set("set-a", 7, 11);
	expect(EXIT_MET, 11, "11 of 11 within 10 s");
	ck_assert_int_eq(row("rto")->verdict, VERDICT_MET);
	ck_assert_str_eq(row("rto")->target,
			 "at most 10 s in 80 % of trials, with 90 % confidence");
}
END_TEST

START_TEST(test_trials_run_share_with_a_miss_can_still_be_met)
{
	world->plot.down_for_ns[3] = 12 * NS_PER_S;
	load("{ rto: { target: 10s, share: 70%, confidence: 90% } }");
	run_set("set-a", 7, 20);
	ck_assert_int_eq(world->set.trials[2].outcome.exit_code, EXIT_MISSED);
	ck_assert_int_eq(world->set.trials[2].exit_but_rto, EXIT_MET);
	expect(EXIT_MET, 20, "19 of 20 within 10 s");
}
END_TEST

START_TEST(test_trials_run_share_too_few_trials_says_how_many_more)
{
	load("{ rto: { target: 10s, share: 80%, confidence: 90% } }");
	run_set("set-a", 7, 5);
	expect(EXIT_INCONCLUSIVE, 5, "inconclusive: rto");
	ck_assert_int_eq(row("rto")->verdict, VERDICT_INCONCLUSIVE);
	ck_assert_msg(strstr(row("rto")->advice, "6 more trials") != NULL, "%s",
		      row("rto")->advice);
	ck_assert_ptr_nonnull(strstr(row("rto")->advice, "run 11 in one set"));
}
END_TEST

START_TEST(test_trials_run_share_out_of_reach_is_missed)
{
	for (int64_t i = 1; i <= 5; i++)
		world->plot.down_for_ns[i] = 12 * NS_PER_S;
	load("{ rto: { target: 10s, share: 80%, confidence: 90% } }");
	run_set("set-a", 7, 10);
	expect(EXIT_MISSED, 10, "missed: rto");
	ck_assert_int_eq(world->set.outcome.verdict, VERDICT_MISSED);
	ck_assert_msg(strstr(row("rto")->reason, "at most") != NULL, "%s", row("rto")->reason);
}
END_TEST

START_TEST(test_trials_run_share_does_not_forgive_another_promise)
{
	world->plot.lost_in = 2;
	load("{ rto: { target: 10s, share: 80%, confidence: 90% }, rpo: 0s }");
	run_set("set-a", 7, 11);
	expect(EXIT_MISSED, 11, "missed: rpo");
	ck_assert_str_eq(row("rpo")->observed, "met in 10 of 11 trials");
	ck_assert_msg(strncmp(row("rpo")->reason, "Trial 2: ", 9) == 0, "%s", row("rpo")->reason);
	ck_assert_int_eq(row("rto")->verdict, VERDICT_MET);
}
END_TEST

START_TEST(test_trials_run_without_share_one_miss_is_missed)
{
	world->plot.down_for_ns[2] = 12 * NS_PER_S;
	world->plot.never_up = 4;
	load("{ rto: 10s }");
	run_set("set-a", 7, 5);
	expect(EXIT_MISSED, 5, "1 never recovered; 3 of 5 within 10 s");
	ck_assert_int_eq(world->set.rto.max.high_ns, INT64_MAX);
	ck_assert_uint_eq(world->set.never_count, 1);
	ck_assert_str_eq(judge_open_span(&world->arena, (struct span){ NS_PER_S, INT64_MAX }),
			 "1 s or more");
}
END_TEST

START_TEST(test_trials_run_leftover_ends_the_set)
{
	world->plot.unhealed = 3;
	load("{ rto: 10s }");
	run_set("set-a", 7, 20);
	expect(EXIT_LEFTOVER, 3, "The set ended with trial 3 of 20");
	ck_assert_ptr_nonnull(strstr(world->set.outcome.sentence, "firedrill heal set-a-t03"));
	ck_assert_int_eq(world->set.outcome.verdict, VERDICT_NONE);
}
END_TEST

START_TEST(test_trials_run_not_steady_ends_the_set_and_harms_nothing)
{
	world->plot.not_steady = 3;
	world->plot.down_for_ns[1] = 12 * NS_PER_S; /* a miss does not end it, and 5 beats it */
	load("{ rto: 10s }");
	run_set("set-a", 7, 20);
	expect(EXIT_NOT_STARTED, 3, "The set ended with trial 3 of 20");
	ck_assert_uint_eq(fake_script_count(world->hosts[3], NULL, stop_on), 0);
	ck_assert_uint_eq(world->set.share.trial_count, 2); /* it says nothing of recovery */
}
END_TEST

START_TEST(test_trials_run_signal_in_a_trial_heals_and_ends)
{
	world->plot.interrupt_in = 2;
	load("{ rto: 10s }");
	run_set("set-a", 7, 20);
	expect(EXIT_STOPPED, 2, "The set ended with trial 2 of 20: Stopped by signal 2");
	ck_assert_uint_ge(fake_script_count(world->hosts[2], NULL, heal_on), 1);
}
END_TEST

START_TEST(test_trials_run_signal_between_trials_ends)
{
	world->plot.interrupt_after = 2;
	load("{ rto: 10s }");
	run_set("set-a", 7, 20);
	expect(EXIT_STOPPED, 2, "Stopped by signal 15 (TERM) after trial 2 of 20");
	ck_assert_ptr_null(world->hosts[3]);
}
END_TEST

static void begin_only(const char *set_id)
{
	const struct set_row begun = { .set_id = set_id, .title = "t", .planned_count = 4 };
	struct err e = { 0 };

	ck_assert_msg(store_set_begin(world->store, &begun, &e), "%s", e.text);
}

START_TEST(test_trials_story_of_a_set_without_an_end_is_no_verdict)
{
	pid_t child;
	int status = 0;

	begin_only("set-alive");
	read_again("set-alive");
	expect(EXIT_INTERNAL, 0, "The set is still under way: trial 0 of 4");
	child = fork();
	if (child == 0) {
		struct err e = { 0 };
		struct store *own = NULL;
		char path[4096];
		const struct set_row begun = { .set_id = "dead", .title = "t", .planned_count = 4 };

		(void)snprintf(path, sizeof path, "%s/store.db", world->owned_folder);
		_exit(store_open(path, NULL, &own, &e) && store_set_begin(own, &begun, &e) ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	read_again("dead");
	expect(EXIT_INTERNAL, 0, "ended before its first trial");
}
END_TEST

START_TEST(test_trials_run_id_that_is_taken_is_an_error)
{
	const struct run_request run = { .experiment = NULL };
	struct run_request taken = run;
	const struct trials_request request = { .run = &taken,
						.trial_count = 2,
						.before = before_trial };
	struct err e = { 0 };

	load("{ rto: 10s }");
	begin_only("set-a");
	taken = (struct run_request){ .experiment = world->experiment,
				      .run_id = "set-a",
				      .store = world->store,
				      .clock = &world->clock };
	ck_assert(!trials_run(&request, &world->outcome, &e));
	ck_assert_int_eq(world->outcome.exit_code, EXIT_INTERNAL);
	ck_assert_ptr_nonnull(strstr(e.text, "the store has this id"));
	ck_assert_ptr_null(world->hosts[1]);
}
END_TEST

START_TEST(test_trials_seed_differs_and_can_be_typed)
{
	for (int64_t i = 1; i < 1000; i++) {
		ck_assert(trials_seed(5, i) != trials_seed(5, i + 1));
		ck_assert(trials_seed(5, i) != trials_seed(6, i));
		ck_assert_uint_le(trials_seed(5, i), UINT32_MAX);
	}
}
END_TEST

void suite_trials(Suite *suite)
{
	TCase *tcase = tcase_create("trials");

	tcase_set_timeout(tcase, 60); /* for sanitizers on a busy machine */
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_trials_run_twenty_in_time_are_met_with_their_numbers);
	tcase_add_test(tcase, test_trials_run_same_seed_chooses_the_same_victims);
	tcase_add_test(tcase, test_trials_run_share_shown_is_met);
	tcase_add_test(tcase, test_trials_run_share_with_a_miss_can_still_be_met);
	tcase_add_test(tcase, test_trials_run_share_too_few_trials_says_how_many_more);
	tcase_add_test(tcase, test_trials_run_share_out_of_reach_is_missed);
	tcase_add_test(tcase, test_trials_run_share_does_not_forgive_another_promise);
	tcase_add_test(tcase, test_trials_run_without_share_one_miss_is_missed);
	tcase_add_test(tcase, test_trials_run_leftover_ends_the_set);
	tcase_add_test(tcase, test_trials_run_not_steady_ends_the_set_and_harms_nothing);
	tcase_add_test(tcase, test_trials_run_signal_in_a_trial_heals_and_ends);
	tcase_add_test(tcase, test_trials_run_signal_between_trials_ends);
	tcase_add_test(tcase, test_trials_story_of_a_set_without_an_end_is_no_verdict);
	tcase_add_test(tcase, test_trials_run_id_that_is_taken_is_an_error);
	tcase_add_test(tcase, test_trials_seed_differs_and_can_be_typed);
	suite_add_tcase(suite, tcase);
}
