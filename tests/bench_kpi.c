/*
 * bench_kpi.c - puts a long history into a store, for KPIs of it to be timed: `bench_kpi STORE RUNS`.
 *
 * Twenty services under eight scenarios each, over three years, every ending there is. Runs, results and
 * facts are written through the store's own functions and sealed as every run's are, only that ten
 * thousand of them share a commit. The facts are made up: events and samples there are none.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/units.h"
#include "store/store_private.h"

enum { SERVICES = 20, SCENARIOS = 8, VERSIONS = 4, RUNS_A_COMMIT = 10000, NAME_BYTES = 64 };

static const int64_t first_ns = INT64_C(1700000000) * NS_PER_S;
static const int64_t lasts_ns = INT64_C(3) * 365 * 24 * 3600 * NS_PER_S;

static const char *const scenarios[SCENARIOS] = {
	"process.kill on primary", "process.kill on 1 of replica", "process.pause on primary",
	"net.partition on primary", "node.power on primary", "disk.fill on primary",
	"disk.freeze on 1 of replica", "postgres.switchover on primary",
};

static const struct store_ops *real_ops;

static bool begin_nothing(void *backend, bool is_write, struct err *e)
{
	(void)backend; /* one that is under way already covers it */
	(void)is_write;
	(void)e;
	return true;
}

static bool commit_nothing(void *backend, struct err *e)
{
	(void)backend;
	(void)e;
	return true;
}

static void fail(const char *what, const struct err *e)
{
	(void)fprintf(stderr, "bench_kpi: %s: %s\n", what, e->text);
	exit(1);
}

static enum run_exit choose_exit(struct random *random)
{
	const uint64_t dice = random_below(random, 100);

	return dice < 86 ? EXIT_MET :
	       dice < 92 ? EXIT_MISSED :
	       dice < 95 ? EXIT_INCONCLUSIVE :
	       dice < 96 ? EXIT_LEFTOVER :
	       dice < 98 ? EXIT_NOT_STARTED :
			   EXIT_STOPPED;
}

static void make_facts(struct random *random, struct run_facts *facts)
{
	const int64_t low_ns = (int64_t)(NS_PER_S + (int64_t)random_below(random, 9000000000));
	const enum verdict verdict = facts->exit_code == EXIT_MET    ? VERDICT_MET :
				     facts->exit_code == EXIT_MISSED ? VERDICT_MISSED :
								       VERDICT_INCONCLUSIVE;

	facts->has_harmed = facts->exit_code != EXIT_NOT_STARTED;
	if (!facts->has_harmed)
		return;
	facts->rto_kind = random_below(random, 50) == 0 ? MEASURED_NO_OUTAGE : MEASURED_SPAN;
	if (facts->rto_kind == MEASURED_SPAN)
		facts->rto = (struct span){ low_ns, low_ns + 40 * NS_PER_MS };
	facts->rto_verdict = verdict;
	facts->is_rpo_known = true;
	facts->rpo_verdict = verdict;
	if (verdict == VERDICT_MISSED) {
		facts->rpo = (struct span){ NS_PER_MS, 20 * NS_PER_MS };
		facts->lost_count = 1 + random_below(random, 500);
	}
}

static void put_run(struct store *store, struct random *random, uint64_t number, uint64_t count)
{
	const size_t service = random_below(random, SERVICES);
	const size_t scenario = random_below(random, SCENARIOS);
	const int64_t wall_ns = first_ns + (int64_t)number * (lasts_ns / (int64_t)count);
	char id[NAME_BYTES];
	char name[NAME_BYTES];
	char digest[HASH_TEXT_BYTES];
	const char *document = name;
	struct err e = { 0 };

	(void)snprintf(id, sizeof id, "20231114-%06" PRIu64 "-%04" PRIx64, number, number & 0xffff);
	/* Somebody edits each document now and then. */
	(void)snprintf(name, sizeof name, "%zu %zu %" PRIu64, service, scenario,
		       number * VERSIONS / count);
	hash_texts(&document, 1, digest);
	(void)snprintf(name, sizeof name, "service-%02zu", service);

	const struct facts_subject subject = { .service = name, .environment = "staging",
					       .scenario = scenarios[scenario],
					       .title = "A drill of the bench", .experiment = digest,
					       .inventory = digest, .has_rto = true,
					       .rto_ns = 10 * NS_PER_S, .has_rpo = true };
	struct run_facts facts = { .run_id = id, .began_wall_ns = wall_ns,
				   .ended_wall_ns = wall_ns + 60 * NS_PER_S, .is_ended = true,
				   .exit_code = choose_exit(random) };
	const struct run_row row = { .run_id = id, .title = subject.title, .version = "bench",
				     .anchor = { 1, wall_ns }, .experiment_path = "bench.yaml",
				     .experiment_text = "title: A drill of the bench\n",
				     .inventory_path = "inventory.yaml", .inventory_text = "hosts: {}\n",
				     .boot_id = "bench", .pid = 1, .pid_start = 1 };

	make_facts(random, &facts);
	if (!store_run_begin(store, &row, &e) ||
	    !store_run_end(store, id, facts.ended_wall_ns, facts.exit_code, "Recovered.", &e) ||
	    !store_facts_put(store, &subject, &facts, NULL, &e))
		fail("put a run", &e);
}

int main(int argc, char **argv)
{
	struct store_ops shared_commit;
	struct store *store = NULL;
	struct random random;
	struct err e = { 0 };
	int64_t count = 0;

	if (argc != 3 || !units_parse_count(argv[2], &count, &e) || count < 1) {
		(void)fprintf(stderr, "usage: bench_kpi STORE RUNS\n");
		return 2;
	}
	if (!store_open(argv[1], NULL, &store, &e))
		fail("open", &e);
	real_ops = store->ops;
	shared_commit = *real_ops;
	shared_commit.begin = begin_nothing;
	shared_commit.commit = commit_nothing;
	random = random_from_seed(1);
	for (int64_t i = 0; i < count; i++) {
		if (i % RUNS_A_COMMIT == 0 && !real_ops->begin(store->owned_backend, true, &e))
			fail("begin", &e);
		store->ops = &shared_commit;
		put_run(store, &random, (uint64_t)i, (uint64_t)count);
		store->ops = real_ops;
		if ((i + 1) % RUNS_A_COMMIT == 0 || i + 1 == count)
			if (!real_ops->commit(store->owned_backend, &e))
				fail("commit", &e);
	}
	store_close(store);
	return 0;
}
