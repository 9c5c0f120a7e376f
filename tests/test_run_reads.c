/*
 * test_run_reads.c - a whole drill against a real server, with a reader that is made to lag by ten rows:
 * its lanes, the journal and the report tell the staleness that was planted.
 */
#include "engine/engine.h"
#include "fixtures/pg_try.h"
#include "fixtures/temp_dir.h"
#include "load/load.h"
#include "tests/suites.h"

#include <stdlib.h>
#include <string.h>

enum { LAG_ROWS = 10, EVERY_MS = 20 };

static const char run_id[] = "20261121-102030-lags";

/* The reader's sessions find a view of the table's name first, and it hides the newest rows. */
static const char *const plant[] = {
	"create table firedrill_ledger_20261121_102030_lags (writer text not null, seq bigint not null, "
	"payload text not null, checksum text not null)",
	"create schema late",
	"create view late.firedrill_ledger_20261121_102030_lags as select * from "
	"public.firedrill_ledger_20261121_102030_lags where seq < (select max(seq) - 9 from "
	"public.firedrill_ledger_20261121_102030_lags)",
};

/* db2 is a host where nobody listens. */
static const char inventory_format[] =
	"hosts:\n"
	"  db1: { address: 127.0.0.1, labels: { postgres_port: \"%u\" } }\n"
	"  db2: { address: 127.0.0.2, labels: { postgres_port: \"1\" } }\n"
	"services:\n"
	"  db:   { kind: postgres, conninfo: \"%s\", members: [db1] }\n"
	"  late: { kind: postgres, conninfo: \"%s options='-c search_path=late'\", members: [db1] }\n"
	"  both: { kind: postgres, conninfo: \"hostaddr=127.0.0.1,127.0.0.2 port=%u,1 user=postgres "
	"dbname=postgres\", members: [db1, db2] }\n";

static const char experiment_text[] =
	"title: A reader that lags\n"
	"service: db\n"
	"objectives: { stale_reads: 0, staleness: 2s, non_monotonic_reads: 0, split_brain: none }\n"
	"probes:\n"
	"  writes: { kind: postgres.write, every: 20ms, timeout: 1s, lanes: 2, keep: true }\n"
	"  behind: { kind: postgres.read, on: late, ledger: writes, every: 50ms, timeout: 1s, lanes: 4 }\n"
	"  beside: { kind: postgres.read, ledger: writes, every: 50ms, timeout: 1s, lanes: 4 }\n"
	"  split:  { kind: postgres.primaries, on: both, every: 100ms }\n"
	"steady_state: { good_for: 200ms, within: 10s }\n"
	"baseline: 1s\n"
	"observe: { stable_for: 200ms, at_most: 10s }\n"
	"settle: { at_most: 5s }\n";

static struct arena arena;
static struct secrets secrets;
static struct story story;

static void run(const char *folder)
{
	struct problems *problems = arena_alloc(&arena, sizeof *problems);
	const struct clock clock = clock_system();
	const char *conninfo = text_str(&pg_try.conninfo);
	const struct load_request load = {
		.experiment_path = "lags.yaml",
		.inventory_path = "inventory.yaml",
		.experiment_text = experiment_text,
		.inventory_text = arena_format(&arena, inventory_format,
					       (unsigned)pg_try.server.port, conninfo, conninfo,
					       (unsigned)pg_try.server.port),
		.has_secrets = true,
	};
	struct run_request request = {
		.run_id = run_id,
		.arena = &arena,
		.version = "test",
		.clock = &clock,
		.opener = remote_opener_real(),
		.outside = outside_real(),
		.sample_dir = folder,
	};
	struct outcome outcome;
	struct err e = { 0 };

	ck_assert_msg(load_experiment(&load, &arena, &secrets, &request.experiment, problems), "%s",
		      problems->count > 0 ? problems->items[0].text : "?");
	ck_assert_msg(store_open(arena_format(&arena, "%s/store.db", folder), NULL, &request.store,
				 &e),
		      "%s", e.text);
	ck_assert_msg(run_experiment(&request, &outcome, &e), "%s", e.text);
	ck_assert_msg(story_build(request.store, run_id, &arena, &secrets, &story, &e), "%s", e.text);
	store_close(request.store);
}

static const struct objective_result *objective(const char *name)
{
	for (size_t i = 0; i < story.objective_count; i++)
		if (strcmp(story.objectives[i].name, name) == 0)
			return &story.objectives[i];
	ck_abort_msg("no objective %s", name);
	return NULL;
}

START_TEST(test_run_reader_that_lags_is_found_by_as_much_as_it_lags)
{
	char *folder = temp_dir_make();
	const int64_t planted_ns = LAG_ROWS * EVERY_MS * NS_PER_MS;
	const struct reader_result *behind;
	const struct reader_result *beside;

	for (size_t i = 0; i < sizeof plant / sizeof plant[0]; i++)
		pg_try_do(plant[i]);
	run(folder);
	ck_assert_uint_eq(story.reader_count, 2);
	behind = &story.readers[0];
	beside = &story.readers[1];
	ck_assert_msg(behind->is_readable && beside->is_readable, "%s", behind->error);
	ck_assert_uint_gt(behind->read_count, 20);
	/* Each read but the very first ones, which came before the eleventh row. */
	ck_assert_uint_ge(behind->stale_read_count + 2, behind->read_count);
	ck_assert_int_le(behind->staleness.low_ns, planted_ns + 500 * NS_PER_MS);
	ck_assert_int_ge(behind->staleness.high_ns, planted_ns);
	ck_assert_int_gt(behind->staleness.low_ns, planted_ns / 2);
	ck_assert_uint_ge(behind->open_row_count, LAG_ROWS - 2);
	ck_assert_int_eq(objective("stale reads")->verdict, VERDICT_MISSED);
	ck_assert_uint_eq(beside->stale_read_count, 0);
	ck_assert_uint_eq(beside->non_monotonic_read_count, 0);
	ck_assert_uint_gt(beside->judged_row_count, 40);
	ck_assert_int_eq(objective("non-monotonic reads")->verdict, VERDICT_MET);
	ck_assert_uint_eq(story.primaries_count, 1);
	ck_assert(story.primaries[0].is_whole);
	ck_assert_int_eq(objective("split brain")->verdict, VERDICT_MET);
	/* All that was made is gone; the planted table was the ledger's own by name. */
	ck_assert_int_eq(pg_try_count("select count(*) from pg_class where relname like "
				      "'firedrill_ledger_watch%'"),
			 0);
	pg_try_do("drop schema late cascade");
	pg_try_do("drop table if exists firedrill_ledger_20261121_102030_lags");
	secrets_release(&secrets);
	arena_release(&arena);
	temp_dir_remove(folder);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_run_reader_that_lags_is_found_by_as_much_as_it_lags);
}

void suite_run_reads(Suite *suite)
{
	suite_add_tcase(suite, pg_try_case(add_tests));
}
