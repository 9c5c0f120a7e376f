/*
 * test_run_hung.c - a run that is told to end while it waits for a service which never answers: a signal,
 * an order, its own time limit. With the real outside and the real clock, against servers that accept and
 * say nothing. And a step over many hosts that takes its time, on paper.
 */
#include "engine/run.h"
#include "fixtures/fake_remote.h"
#include "fixtures/paper_world.h"
#include "fixtures/tcp_server.h"
#include "fixtures/temp_dir.h"
#include "load/load.h"
#include "tests/suites.h"

#include <string.h>

/* Beside the 30 s that a ledger has to get ready: what a stop costs, and a machine that is busy. */
static const int64_t soon_ns = 6 * NS_PER_S;
static const int64_t told_after_ns = 200 * NS_PER_MS;

struct hung_row {
	const char *kind;
	const char *service; /* its own key, up to the port, and what comes after */
	const char *after;
	const char *probe; /* its parameters */
};

static const struct hung_row rows[] = {
	{ "postgres", "conninfo: \"host=127.0.0.1 dbname=x user=y sslmode=disable gssencmode=disable port=",
	  "\"", "kind: postgres.write, on: db" },
	{ "mariadb", "user: y\n    database: x\n    address: \"127.0.0.1:", "\"",
	  "kind: mariadb.write, on: db" },
	{ "redis", "address: \"127.0.0.1:", "\"", "kind: redis.write, on: db" },
	{ "http", "url: \"http://127.0.0.1:", "\"", "kind: http.write, on: db, url: /w, read: /r" },
};

enum reason { BY_SIGNAL, BY_ORDER, BY_TIME_LIMIT };

static char *folder;
static struct arena arena;
static struct secrets secrets;
static struct clock real;
static struct store *store;
static struct fake_script *hosts;
static struct tcp_server *server;
static struct outcome outcome;
static volatile sig_atomic_t stop_signal;
static int64_t begun_ns;
static enum reason reason;
static bool is_told;

static void setup(void)
{
	struct text path = { 0 };
	struct err e = { 0 };

	real = clock_system();
	folder = temp_dir_make();
	text_addf(&path, "%s/store.db", folder);
	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e), "%s", e.text);
	text_release(&path);
	hosts = fake_script_open();
	server = tcp_server_open(TCP_SERVER_SILENT, NULL, 0);
}

static void teardown(void)
{
	tcp_server_close(server);
	fake_script_close(hosts);
	store_close(store);
	secrets_release(&secrets);
	arena_release(&arena);
	temp_dir_remove(folder);
}

/* Somebody wants the run to end, a moment after it began. */
static void tell(void *ctx, const struct timeline *so_far, enum phase phase, int64_t now_ns)
{
	const struct stop_row order = { .person = "anna", .reason = "INC-7",
					.wall_ns = clock_wall_ns(&real) };
	struct err e = { 0 };

	(void)ctx;
	(void)so_far;
	ck_assert_int_eq(phase, PHASE_PLAN);
	if (is_told || now_ns < begun_ns + told_after_ns)
		return;
	is_told = true;
	if (reason == BY_SIGNAL)
		stop_signal = SIGINT;
	if (reason == BY_ORDER)
		ck_assert_msg(store_stop(store, &order, &e), "%s", e.text);
}

static const struct experiment *load(const struct hung_row *row)
{
	struct problems *problems = arena_alloc(&arena, sizeof *problems);
	const struct experiment *experiment = NULL;
	const char *inventory;
	const char *text;

	inventory = arena_format(&arena,
				 "hosts: { h1: { address: 192.0.2.1 } }\n"
				 "services:\n  db:\n    kind: %s\n    %s%u%s\n", row->kind, row->service,
				 (unsigned)tcp_server_port(server), row->after);
	text = arena_format(&arena,
			    "title: A service that hangs\nservice: db\nobjectives: { rto: 10s }\n"
			    "probes:\n  writes: { %s, every: 100ms, timeout: 1s }\n"
			    "steady_state: { good_for: 200ms, within: 1s }\nbaseline: 0s\n"
			    "method: [ { fault: process.pause, on: h1, with: { name: x } } ]\n"
			    "run_at_most: %s\n", row->probe, reason == BY_TIME_LIMIT ? "2s" : "1m");

	const struct load_request request = { .experiment_path = "hung.yaml",
					      .inventory_path = "inventory.yaml",
					      .experiment_text = text,
					      .inventory_text = inventory,
					      .has_secrets = true };

	ck_assert_msg(load_experiment(&request, &arena, &secrets, &experiment, problems), "%s",
		      problems->count > 0 ? problems->items[0].text : "?");
	return experiment;
}

/* How long the run took. */
static int64_t run_hung(const struct hung_row *row)
{
	const struct progress progress = { .on_tick = tell };
	const struct run_request request = {
		.experiment = load(row),
		.run_id = "20261121-102030-hung",
		.version = "test",
		.store = store,
		.clock = &real,
		.opener = fake_script_opener(hosts),
		.outside = outside_real(),
		.progress = &progress,
		.stop_signal = &stop_signal,
		.sample_dir = folder,
		.arena = &arena,
	};
	struct err e = { 0 };

	begun_ns = clock_now_ns(&real);
	ck_assert_msg(run_experiment(&request, &outcome, &e), "%s", e.text);
	return clock_now_ns(&real) - begun_ns;
}

START_TEST(test_run_interrupted_while_a_ledger_is_prepared_ends_soon)
{
	reason = BY_SIGNAL;
	ck_assert_int_le(run_hung(&rows[_i]), soon_ns);
	ck_assert(is_told);
	ck_assert_uint_gt(tcp_server_connection_count(server), 0);
	ck_assert_int_eq(outcome.exit_code, EXIT_STOPPED);
	ck_assert_ptr_nonnull(strstr(outcome.sentence, "signal 2 (INT)"));
	ck_assert_uint_eq(fake_script_count(hosts, NULL, STOP_ON), 0);
}
END_TEST

START_TEST(test_run_ordered_to_stop_while_a_ledger_is_prepared_ends_soon)
{
	reason = BY_ORDER;
	ck_assert_int_le(run_hung(&rows[0]), soon_ns);
	ck_assert_int_eq(outcome.exit_code, EXIT_STOPPED);
	ck_assert_ptr_nonnull(strstr(outcome.sentence, "INC-7"));
}
END_TEST

START_TEST(test_run_whose_time_is_over_while_a_ledger_is_prepared_ends_soon)
{
	reason = BY_TIME_LIMIT;
	ck_assert_int_le(run_hung(&rows[0]), soon_ns);
	ck_assert_int_eq(outcome.exit_code, EXIT_STOPPED);
	ck_assert_ptr_nonnull(strstr(outcome.sentence, "run_at_most"));
}
END_TEST

/* ---- the clock itself, on paper ---- */

static struct sim_clock *sim;
static struct clock paper;
static struct run run; /* too large for the stack */

static struct clock open_waits(void)
{
	static struct run_request request;
	static const struct experiment experiment = { .run_at_most_ns = LIMIT_DRILL_NS };
	struct err e = { 0 };
	const struct run_row row = { .run_id = "run-a", .title = "on paper" };

	sim = sim_clock_open();
	paper = sim_clock_as_clock(sim);
	ck_assert(store_run_begin(store, &row, &e));
	request = (struct run_request){ .experiment = &experiment, .run_id = "run-a", .store = store,
					.clock = &paper, .stop_signal = &stop_signal };
	run = (struct run){ .request = &request,
			    .experiment = &experiment,
			    .clock = &paper,
			    .begun_ns = clock_now_ns(&paper),
			    .journal = { .store = store, .run_id = "run-a", .clock = &paper } };
	return waits_clock(&run);
}

START_TEST(test_waits_clock_is_the_run_s_own_until_a_moment_after_a_stop)
{
	const struct clock waits = open_waits();
	const int64_t minute_ns = clock_now_ns(&paper) + 60 * NS_PER_S;

	ck_assert_int_eq(clock_now_ns(&waits), clock_now_ns(&paper));
	clock_sleep_until_ns(&waits, minute_ns);
	ck_assert_int_eq(clock_now_ns(&paper), minute_ns);
	ck_assert_int_gt(clock_left_ns(&waits, minute_ns + NS_PER_S), 0);
	ck_assert_int_le(clock_left_ns(&waits, minute_ns + NS_PER_S), waits.look_every_ns);
	ck_assert_int_eq(clock_left_ns(&waits, minute_ns + 1), 1);

	stop_signal = SIGTERM;
	clock_sleep_until_ns(&waits, minute_ns + 60 * NS_PER_S);
	ck_assert(run.is_stopping);
	ck_assert_int_lt(clock_now_ns(&paper), minute_ns + NS_PER_S); /* it did not sleep on */
	ck_assert_int_eq(clock_left_ns(&waits, minute_ns + 600 * NS_PER_S), 0);
	sim_clock_close(sim);
}
END_TEST

/* ---- a step that takes its time ---- */

static struct world world;

static void interrupt_at_first_confirmation(struct world *here, const struct event *event)
{
	if (event->kind == EVENT_CONFIRMED)
		here->stop_signal = SIGTERM;
}

START_TEST(test_run_interrupted_between_two_targets_harms_no_other)
{
	const struct sim_script script = { .down_on = STOP_ON, .up_on = HEAL_ON };

	world_open(&world, &script);
	world_load_on(&world, "    on: { hosts: [h1, h2] }\n");
	world.on_event = interrupt_at_first_confirmation;
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_STOPPED);
	ck_assert_uint_eq(fake_script_count(world.hosts, NULL, STOP_ON), 1);
	ck_assert_uint_eq(world_open_heals(&world), 0);
	world_close(&world);
}
END_TEST

static int64_t first_call_ns(const char *host, const char *part)
{
	const size_t index = fake_script_find(world.hosts, 0, host, part);

	ck_assert_msg(index != SIZE_MAX, "%s was never asked for %s", host, part);
	return fake_script_call(world.hosts, index).at_ns;
}

/* Each host is asked for 5 s whether it was harmed, as long as its lease is. */
START_TEST(test_run_lease_is_renewed_while_confirmations_take_their_time)
{
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = NS_PER_S };
	const struct fake_rule not_yet = { .command = "still runs after SIGSTOP", .exit_status = 11 };
	const char *lease = strstr(world_experiment_text, "lease: 30s");
	struct text text = { 0 };

	ck_assert_ptr_nonnull(lease);
	text_addf(&text, "%.*slease: 5s\n", (int)(lease - world_experiment_text), world_experiment_text);
	world_open(&world, &script);
	world_load(&world, text_str(&text));
	fake_script_add(world.hosts, &not_yet);
	world_run_ok(&world);
	ck_assert_int_lt(first_call_ns("h1", RENEW_ON) - first_call_ns("h1", STOP_ON), 3 * NS_PER_S);
	ck_assert_uint_eq(world_open_heals(&world), 0);
	text_release(&text);
	world_close(&world);
}
END_TEST

void suite_run_hung(Suite *suite)
{
	TCase *tcase = tcase_create("run_hung");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_run_interrupted_while_a_ledger_is_prepared_ends_soon, 0,
			    sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, test_run_ordered_to_stop_while_a_ledger_is_prepared_ends_soon);
	tcase_add_test(tcase, test_run_whose_time_is_over_while_a_ledger_is_prepared_ends_soon);
	tcase_add_test(tcase, test_waits_clock_is_the_run_s_own_until_a_moment_after_a_stop);
	suite_add_tcase(suite, tcase);

	TCase *steps = tcase_create("steps");

	tcase_set_timeout(steps, 60);
	tcase_add_test(steps, test_run_interrupted_between_two_targets_harms_no_other);
	tcase_add_test(steps, test_run_lease_is_renewed_while_confirmations_take_their_time);
	suite_add_tcase(suite, steps);
}
