/*
 * test_crash.c - every fault, and at every point of its run (points.h): our death, and a step that fails
 * though it was not done, or though it was. Simulated clock, and a host on paper that remembers what was
 * done to it and outlives us. The same on real hosts: tests/crash_matrix.sh.
 */
#include "fixtures/paper_world.h"
#include "fixtures/temp_dir.h"
#include "tests/points.h"
#include "tests/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults/fault.h"

struct crash_row {
	const char *fault;
	const char *rest; /* of its step in the method */
};

static const struct crash_row rows[] = {
	{ "process.kill", "    on: h1\n    with: { name: postgres }\n" },
	{ "process.pause", "    on: h1\n    with: { name: postgres }\n" },
	{ "service.stop", "    on: h1\n    with: { unit: nginx.service }\n" },
	{ "net.partition", "    on: h1\n    with: { peers: [h2] }\n" },
	{ "disk.fill", "    on: h1\n    with: { path: /data }\n" },
	{ "disk.freeze", "    on: h1\n    with: { path: /data }\n" },
	{ "postgres.switchover", "    on: { service: db, role: primary }\n" },
	{ "node.power", "    on: h1\n" },
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0], LEASE_S = 5 };

/* Every point; under a sanitizer, which is there for the memory, one of a few, for each fault others. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STRIDE = 11 };
#else
enum { STRIDE = 1 };
#endif

/* What was done to the host, in memory that our death does not take along. */
struct paper_host {
	bool has_record;
	bool is_guarded;
	bool is_harmed;
	bool has_moved;       /* the lead, which nobody moves back */
	int64_t lease_ends_ns; /* on the clock of the run */
	int64_t last_call_ns;
	unsigned inject_count;
};

static struct {
	struct paper_host *host;
	const struct fault_ops *fault;
	struct world world;
	struct fake_script *later; /* the same host, as another process reaches it */
} at;

/* ---- the host on paper ---- */

static void print_state(struct reply *reply)
{
	const char *record = at.host->has_record ? "present" : "absent";

	if (strcmp(at.fault->name, "node.power") == 0)
		text_addf(&reply->out, "power: %s; record: %s\n", at.host->is_harmed ? "off" : "on",
			  record);
	else
		text_addf(&reply->out, "harm: %s; record: %s\n", at.host->is_harmed ? "on" : "none",
			  record);
}

static void begin_harm(struct reply *reply)
{
	if (at.fault->has_heal && !at.host->is_guarded) {
		reply->exit_status = 10;
		text_add(&reply->err, "no guard was armed, so nothing was harmed\n");
		return;
	}
	at.host->inject_count++;
	at.host->has_record = true;
	at.host->is_harmed = at.fault->has_heal; /* what has none is raised by somebody else, at once */
}

/* Patroni's answers, and the notes of the fault that asks it. False: it is another command. */
static bool answer_as_patroni(const struct fake_call *call, struct reply *reply)
{
	if (strncmp(call->command, "curl ", 5) == 0) {
		if (strstr(call->command, "/switchover") != NULL)
			at.host->has_moved = true;
		text_addf(&reply->out, "{\"members\":[{\"name\":\"%s\",\"role\":\"leader\",\"state\":"
				       "\"running\"},{\"name\":\"%s\",\"role\":\"replica\",\"state\":"
				       "\"running\"}]}\n200", at.host->has_moved ? "h2" : "h1",
			  at.host->has_moved ? "h1" : "h2");
		return true;
	}
	if (strstr(call->command, "so nothing was moved") != NULL)
		at.host->has_record = true;
	else if (strstr(call->command, "then drop_dir; else drop_begun") != NULL)
		at.host->has_record = false;
	else if (strstr(call->command, "no note of the former leader") != NULL)
		text_add(&reply->out, "h1\n");
	else
		return false;
	return true;
}

static void play(void *ctx, const struct fake_call *call, struct reply *reply)
{
	const char *op = points_op();

	(void)ctx;
	at.host->last_call_ns = call->at_ns;
	if (answer_as_patroni(call, reply))
		return;
	if (strcmp(op, "heal") == 0) {
		at.host->is_harmed = at.host->is_guarded = at.host->has_record = false;
	} else if (strcmp(op, "arm") == 0) {
		at.host->is_guarded = at.host->has_record = true;
		at.host->lease_ends_ns = call->at_ns + LEASE_S * NS_PER_S;
	} else if (strcmp(op, "renew") == 0) {
		at.host->lease_ends_ns = call->at_ns + LEASE_S * NS_PER_S;
	} else if (strstr(call->command, "record: $(record_state)") != NULL) {
		print_state(reply);
	} else if (strcmp(op, "inject") == 0) {
		begin_harm(reply);
	} else if (strcmp(op, "confirm") == 0 && at.fault->has_heal) {
		reply->exit_status = at.host->is_harmed ? 0 : 11;
	}
}

/* ---- one world a point ---- */

static char shm_dir[64];

/* Some thousand stores: on a disk, making each write durable would take minutes and prove nothing here. */
static void setup_once(void)
{
	(void)snprintf(shm_dir, sizeof shm_dir, "/dev/shm/firedrill-test-XXXXXX");
	if (mkdtemp(shm_dir) == NULL)
		shm_dir[0] = '\0'; /* then on the disk, after all */
	else
		(void)setenv("TMPDIR", shm_dir, 1);
}

static void teardown_once(void)
{
	if (shm_dir[0] != '\0')
		temp_dir_remove(mem_copy(shm_dir));
}

static struct fake_script *host_on_paper(void)
{
	const struct fake_rule rule = { .act = play };
	struct fake_script *script = fake_script_open();

	fake_script_add(script, &rule);
	return script;
}

static void setup(void)
{
	void *shared = mmap(NULL, sizeof *at.host, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(shared, MAP_FAILED);
	at.host = shared;
}

static void teardown(void)
{
	points_end();
	(void)munmap(at.host, sizeof *at.host);
}

static void open_world(const struct crash_row *row)
{
	static const struct sim_script script = { 0 };
	static struct remote_opener inner;
	const struct fake_rule rule = { .act = play };
	struct text text = { 0 };

	memset(at.host, 0, sizeof *at.host);
	memset(&at.world, 0, sizeof at.world);
	at.fault = fault_find(row->fault);
	world_open(&at.world, &script);
	text_addf(&text,
		  "title: A drill that is cut short\n"
		  "service: db\n"
		  "objectives: { rto: 5s, rpo: 0s }\n"
		  "probes:\n"
		  "  writes: { kind: postgres.write, on: db, every: 100ms, timeout: 1s }\n"
		  "steady_state: { good_for: 200ms, within: 10s }\n"
		  "baseline: 100ms\n"
		  "method:\n"
		  "  - fault: %s\n%s"
		  "observe: { stable_for: 2s, at_most: 10s }\n"
		  "settle: { at_most: 10s }\n"
		  "lease: %ds\n", row->fault, row->rest, LEASE_S);
	world_load(&at.world, text_str(&text));
	text_release(&text);
	fake_script_add(at.world.hosts, &rule);
	inner = fake_script_opener(at.world.hosts);
	at.world.opener = points_opener(&inner);
	at.later = host_on_paper();
}

static void close_world(void)
{
	fake_script_close(at.later);
	world_close(&at.world);
}

/* The points of an undisturbed run, copied: the next run forgets them. */
static char **list_points(const struct crash_row *row, size_t *ret_count)
{
	const char *const *passed;
	char **copies;

	open_world(row);
	points_begin(NULL, POINT_PASS);
	world_run_ok(&at.world);
	points_end();
	ck_assert_int_eq(at.world.outcome.exit_code, EXIT_MET);
	ck_assert_uint_eq(at.host->inject_count, strcmp(row->fault, "postgres.switchover") != 0);
	ck_assert(!at.host->has_record && !at.host->is_harmed);
	passed = points_passed(ret_count);
	copies = mem_alloc((*ret_count + 1) * sizeof *copies);
	for (size_t i = 0; i < *ret_count; i++)
		copies[i] = mem_copy(passed[i]);
	close_world();
	return copies;
}

static void release_points(char **points, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(points[i]);
	free(points);
}

/* Another process: heals what is on, and then finds nothing to do. */
static void heal_twice(const char *point)
{
	const struct remote_opener opener = fake_script_opener(at.later);
	struct heal_summary first = { 0 };
	struct heal_summary second = { 0 };
	struct err e = { 0 };
	size_t call_count;

	points_begin(NULL, POINT_PASS); /* the host wants to know what it is asked for */
	ck_assert_msg(heal_runs(at.world.store, NULL, &opener, &at.world.clock, NULL, NULL, &first, &e),
		      "%s: %s", point, e.text);
	ck_assert_msg(first.leftover_count == 0, "%s: %s", point, text_str(&first.leftovers));
	ck_assert_msg(!at.host->is_harmed && !at.host->is_guarded && !at.host->has_record,
		      "%s: harmed %d, guarded %d, record %d after the heal", point,
		      at.host->is_harmed, at.host->is_guarded, at.host->has_record);
	call_count = fake_script_call_count(at.later);
	ck_assert(heal_runs(at.world.store, NULL, &opener, &at.world.clock, NULL, NULL, &second, &e));
	ck_assert_uint_eq(second.healed_count + second.leftover_count, 0);
	ck_assert_uint_eq(fake_script_call_count(at.later), call_count);
	points_end();
	text_release(&first.leftovers);
	text_release(&second.leftovers);
}

/* A run in a process of its own, which dies there. */
static void run_and_die(const char *point)
{
	struct text path = { 0 };
	struct err e = { 0 };
	int status;
	pid_t child;

	text_addf(&path, "%s/store.db", at.world.owned_folder);
	store_close(at.world.store); /* the child's own: SQLite is not carried over a fork */
	at.world.store = NULL;
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		points_begin(point, POINT_KILL);
		if (store_open(text_str(&path), NULL, &at.world.store, &e))
			(void)world_run(&at.world, &e);
		_exit(0); /* only when it did not die: seen below */
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%s was not reached", point);
	ck_assert_msg(store_open(text_str(&path), NULL, &at.world.store, &e), "%s", e.text);
	text_release(&path);
}

START_TEST(test_run_experiment_killed_at_every_point_is_healed_by_guard_and_by_record)
{
	const struct crash_row *row = &rows[_i];
	size_t count;
	char **points = list_points(row, &count);

	ck_assert_uint_gt(count, 60);
	for (size_t i = (size_t)_i % STRIDE; i < count; i += STRIDE) {
		open_world(row);
		run_and_die(points[i]);
		/* Whoever is harmed has a guard whose lease is running, and a record to heal from. */
		ck_assert_msg(!at.host->is_harmed ||
				      (at.host->is_guarded && world_open_heals(&at.world) == 1 &&
				       at.host->lease_ends_ns > at.host->last_call_ns),
			      "%s: harmed, guarded %d, %zu records", points[i],
			      at.host->is_guarded, world_open_heals(&at.world));
		heal_twice(points[i]);
		close_world();
	}
	release_points(points, count);
}
END_TEST

START_TEST(test_run_experiment_failure_at_every_point_leaves_nothing_or_says_so)
{
	const struct crash_row *row = &rows[_i];
	size_t count;
	char **points = list_points(row, &count);

	for (size_t i = (size_t)_i % STRIDE; i < count; i += STRIDE) {
		struct err e = { 0 };

		open_world(row);
		points_begin(points[i], POINT_FAIL);
		(void)world_run(&at.world, &e); /* a run whose store failed says so by exit 7 */
		ck_assert_msg(points_was_reached(), "%s was not reached", points[i]);
		points_end();
		ck_assert_msg(!at.host->is_harmed && !at.host->is_guarded && !at.host->has_record,
			      "%s: exit %d, harmed %d, guarded %d, record %d: %s", points[i],
			      (int)at.world.outcome.exit_code, at.host->is_harmed,
			      at.host->is_guarded, at.host->has_record, e.text);
		ck_assert_msg(world_open_heals(&at.world) == 0 ||
				      at.world.outcome.exit_code == EXIT_LEFTOVER ||
				      at.world.outcome.exit_code == EXIT_INTERNAL,
			      "%s: exit %d", points[i], (int)at.world.outcome.exit_code);
		heal_twice(points[i]);
		close_world();
	}
	release_points(points, count);
}
END_TEST

void suite_crash(Suite *suite)
{
	TCase *tcase = tcase_create("crash");

	tcase_set_timeout(tcase, 300);
	tcase_add_unchecked_fixture(tcase, setup_once, teardown_once);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(
		tcase, test_run_experiment_killed_at_every_point_is_healed_by_guard_and_by_record, 0,
		ROW_COUNT);
	tcase_add_loop_test(tcase, test_run_experiment_failure_at_every_point_leaves_nothing_or_says_so,
			    0, ROW_COUNT);
	suite_add_tcase(suite, tcase);
}
