/*
 * bench_claims.c - how fast workers take due runs that do nothing, and how often each ran.
 *
 *   bench_claims sqlite|postgresql COUNT WORKERS [KILLED]   prints
 *                "took_ns done abandoned begun_twice"
 *
 * COUNT due runs are put first; then WORKERS processes begin, each the worker's own loop with one job at a
 * time, and KILLED of them are killed (-9) once a quarter is done. took_ns is from their start until every
 * row is done or abandoned, with a process for each run. The run is a stand-in that ends at once; in
 * a pass with KILLED it leaves a run and a line, so that those that ran twice can be counted.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/units.h"
#include "fixtures/due_try.h"
#include "fixtures/pg_server.h"
#include "fixtures/temp_dir.h"

enum { WORKERS_MAX = 64 };

struct bench {
	struct due_try due_try;
	struct text place;
	char *folder;
	struct pg_server server;
	struct store *store;
	struct clock clock;
	int64_t count;
	int64_t worker_count;
	int64_t kill_count;
	pid_t workers[WORKERS_MAX];
};

static _Noreturn void fail(const char *what, const char *why)
{
	(void)fprintf(stderr, "bench_claims: %s: %s\n", what, why);
	exit(1);
}

static void open_store(struct bench *bench, const char *kind)
{
	struct err e = { 0 };

	bench->folder = temp_dir_make();
	if (strcmp(kind, "sqlite") == 0) {
		text_addf(&bench->place, "%s/store.db", bench->folder);
	} else {
		static const char *const settings[] = { "max_connections=100", NULL };

		if (!pg_server_start(&bench->server, settings, &e))
			fail("start PostgreSQL", e.text);
		text_addf(&bench->place, "postgresql://postgres@127.0.0.1:%u/postgres",
			  bench->server.port);
	}
	if (!store_open(text_str(&bench->place), NULL, &bench->store, &e))
		fail("open the store", e.text);
	bench->due_try = (struct due_try){ .place = text_str(&bench->place),
					   .folder = bench->kill_count > 0 ? bench->folder : NULL };
}

static void start_workers(struct bench *bench)
{
	for (int64_t i = 0; i < bench->worker_count; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "w%" PRId64, i);
		bench->workers[i] = due_try_worker(&bench->due_try, name, 15 * NS_PER_S, false);
	}
}

static void stop_workers(struct bench *bench)
{
	for (int64_t i = 0; i < bench->worker_count; i++)
		(void)kill(bench->workers[i], SIGTERM);
	for (int64_t i = 0; i < bench->worker_count; i++)
		(void)waitpid(bench->workers[i], NULL, 0);
}

/* How many wait or are claimed. */
static int64_t count_open(struct bench *bench)
{
	struct arena arena = { 0 };
	struct due_row *rows = NULL;
	size_t count = 0;
	struct err e = { 0 };

	if (!store_dues_open(bench->store, &arena, &rows, &count, &e))
		fail("look", e.text);
	arena_release(&arena);
	return (int64_t)count;
}

static void wait_until_open(struct bench *bench, int64_t at_most)
{
	while (count_open(bench) > at_most)
		clock_sleep_until_ns(&bench->clock, clock_now_ns(&bench->clock) + 20 * NS_PER_MS);
}

static void print_result(struct bench *bench, int64_t took_ns)
{
	struct arena arena = { 0 };
	struct due_row *rows = NULL;
	size_t count = 0;
	size_t done = 0;
	size_t abandoned = 0;
	size_t twice = 0;
	struct err e = { 0 };

	if (!store_dues(bench->store, 0, &arena, &rows, &count, &e))
		fail("read the result", e.text);
	for (size_t i = 0; i < count; i++) {
		done += rows[i].state == DUE_DONE ? 1 : 0;
		abandoned += rows[i].state == DUE_ABANDONED ? 1 : 0;
		if (bench->kill_count > 0 &&
		    due_try_begun_count(&bench->due_try, rows[i].schedule,
					rows[i].nominal_wall_ns / NS_PER_S) > 1)
			twice++;
	}
	(void)printf("%" PRId64 " %zu %zu %zu\n", took_ns, done, abandoned, twice);
	arena_release(&arena);
}

int main(int argc, char **argv)
{
	struct bench bench = { .clock = clock_system() };
	struct err e = { 0 };
	int64_t begun_ns;

	if (argc < 4 || !units_parse_count(argv[2], &bench.count, &e) ||
	    !units_parse_count(argv[3], &bench.worker_count, &e) ||
	    (argc > 4 && !units_parse_count(argv[4], &bench.kill_count, &e)) || bench.count < 1 ||
	    bench.worker_count < 1 || bench.worker_count > WORKERS_MAX ||
	    bench.kill_count >= bench.worker_count)
		fail("usage", "sqlite|postgresql COUNT WORKERS [KILLED]");
	open_store(&bench, argv[1]);
	for (int64_t i = 0; i < bench.count; i++)
		(void)due_try_put(bench.store, "storm", i + 1, NULL);
	begun_ns = clock_now_ns(&bench.clock);
	start_workers(&bench);
	if (bench.kill_count > 0)
		wait_until_open(&bench, bench.count * 3 / 4);
	for (int64_t i = 0; i < bench.kill_count; i++)
		(void)kill(bench.workers[i], SIGKILL);
	wait_until_open(&bench, 0);
	begun_ns = clock_now_ns(&bench.clock) - begun_ns;
	stop_workers(&bench);
	print_result(&bench, begun_ns);
	store_close(bench.store);
	if (bench.server.pid != 0)
		pg_server_stop(&bench.server);
	temp_dir_remove(bench.folder);
	text_release(&bench.place);
	return 0;
}
