/*
 * test_facts.c - what a run leaves for the history: derived from its story, kept, sealed, compared, and
 * derived again where it is missing, taken along; and a store of before there were any. On both kinds of
 * store.
 */
#include "engine/facts.h"

#include <stdlib.h>
#include <string.h>

#include "fixtures/paper_world.h"
#include "fixtures/store_try.h"
#include "load/load.h"
#include "store/codec.h"
#include "store/store_copy.h"
#include "tests/suites.h"

static struct arena arena;
static struct err e;
static struct world world;
static struct text path;

static void open_again(void)
{
	store_close(world.store);
	world.store = NULL;
	ck_assert_msg(store_open(text_str(&path), NULL, &world.store, &e), "%s", e.text);
}

static void setup(void)
{
	/* Down for four seconds, and 42 acknowledged rows are lost. */
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S,
					   .lost_from_slot = 100, .lost_until_slot = 142 };

	memset(&arena, 0, sizeof arena);
	memset(&e, 0, sizeof e);
	memset(&world, 0, sizeof world);
	world_open(&world, &script);
	store_try_place(world.owned_folder, &path);
	open_again();
}

static void teardown(void)
{
	world_close(&world);
	text_release(&path);
	arena_release(&arena);
}

static void must(bool ok)
{
	ck_assert_msg(ok, "%s", e.text);
}

static struct facts_rows read_all(void)
{
	struct facts_rows rows = { 0 };

	must(store_facts(world.store, &arena, &rows, &e));
	return rows;
}

static void run_sql(const char *sql)
{
	store_try_sql(&path, sql, NULL);
}

static const struct run_facts *find_row(const struct facts_rows *rows, const char *run_id)
{
	for (size_t i = 0; i < rows->row_count; i++)
		if (strcmp(rows->rows[i].run_id, run_id) == 0)
			return &rows->rows[i];
	ck_abort_msg("no facts of %s", run_id);
	return NULL;
}

static void run_twice(void)
{
	world.run_id = "run-a";
	world_run_ok(&world);
	world.run_id = "run-b";
	world_run_ok(&world);
}

/* ---- derived ---- */

START_TEST(test_facts_of_a_run_are_those_of_its_report)
{
	struct secrets none = { 0 };
	struct story story;
	struct facts_rows rows;

	world_run_ok(&world);
	rows = read_all();
	ck_assert_uint_eq(rows.row_count, 1);
	ck_assert_uint_eq(rows.missing_count, 0);

	const struct run_facts *facts = &rows.rows[0];
	const struct facts_subject *subject = &rows.subjects[facts->subject];

	must(story_build(world.store, "last", &arena, &none, &story, &e));
	ck_assert_str_eq(facts->run_id, story.run_id);
	ck_assert_int_eq(facts->exit_code, EXIT_MISSED);
	ck_assert(facts->is_ended && facts->has_harmed && facts->is_rpo_known);
	ck_assert_int_eq(facts->rto_kind, MEASURED_SPAN);
	ck_assert_int_eq(facts->rto.low_ns, story.service->rto.low_ns);
	ck_assert_int_eq(facts->rto.high_ns, story.service->rto.high_ns);
	ck_assert_uint_eq(facts->lost_count, 42);
	ck_assert_int_eq(facts->rpo.high_ns, story.ledgers[0].worse->rpo.high_ns);
	ck_assert_int_eq(facts->rto_verdict, VERDICT_MET);
	ck_assert_int_eq(facts->rpo_verdict, VERDICT_MISSED);
	ck_assert_int_eq(facts->began_wall_ns, story.timeline.anchor.wall_ns);
	ck_assert_int_eq(facts->ended_wall_ns - facts->began_wall_ns,
			 story.ended_ns - story.timeline.anchor.boot_ns);
	ck_assert_str_eq(subject->service, "db");
	ck_assert_str_eq(subject->scenario, "process.pause on primary");
	ck_assert_str_eq(subject->title, story.experiment->title);
	ck_assert(subject->has_rto);
	ck_assert_int_eq(subject->rto_ns, story.experiment->objectives.rto_ns);
	secrets_release(&none);
}
END_TEST

START_TEST(test_facts_scenario_says_what_is_done_to_whom)
{
	static const struct {
		const char *on;
		const char *words;
	} rows[] = {
		{ WORLD_ON, "process.pause on primary" },
		{ "    on: { service: db, role: replica, count: 1 }\n", "process.pause on 1 of replica" },
		{ "    on: { service: db, percent: 50% }\n", "process.pause on 50 % of members" },
		{ "    on: { hosts: [h1, h2] }\n", "process.pause on h1, h2" },
		{ "    on: h2\n", "process.pause on h2" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		world_load_on(&world, rows[i].on);
		ck_assert_str_eq(facts_scenario(world.experiment, &arena), rows[i].words);
	}
}
END_TEST

/* ---- kept ---- */

START_TEST(test_facts_that_were_changed_are_refused)
{
	const char *const changes[] = {
		"update facts set facts = substr(facts, 1, length(facts) - 1)",
		"update facts set facts = substr(facts, 2)",
		"update facts set facts = substr(facts, 1, 0)",
		store_try_is_server() ?
			"update facts set facts = set_byte(facts, 40, get_byte(facts, 40) # 1)" :
			"update facts set facts = cast(substr(facts, 1, 40) || x'7f' || "
			"substr(facts, 42) as blob)",
		store_try_is_server() ? "update facts set facts = facts || facts || '\\x00'::bytea" :
					"update facts set facts = zeroblob(100)",
		"update fact_subjects set subject = replace(subject, 'db', 'web')",
		"delete from fact_subjects",
	};
	struct facts_rows rows;

	world_run_ok(&world);
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct facts_rebuild again = { .is_all = true };

		run_sql(changes[i]);
		ck_assert_msg(!store_facts(world.store, &arena, &rows, &e), "%s", changes[i]);
		ck_assert_int_eq(e.kind, ERR_ALTERED);
		ck_assert_ptr_nonnull(strstr(e.text, "--rebuild-all"));
		/* And that is true: it mends them. */
		must(facts_rebuild(world.store, &again, &e));
		ck_assert_uint_eq(again.derived_count, 1);
		ck_assert_uint_eq(read_all().row_count, 1);
	}
}
END_TEST

START_TEST(test_facts_of_another_run_in_the_place_of_ones_own_are_not_as_derived)
{
	struct secrets none = { 0 };
	struct facts_subject subject;
	struct run_facts facts;
	struct story story;
	bool is_there = false;
	bool is_same = false;

	run_twice();
	must(story_build(world.store, "run-a", &arena, &none, &story, &e));
	facts_of_story(&story, &arena, &subject, &facts);
	must(store_facts_compare(world.store, &subject, &facts, &is_there, &is_same, &e));
	ck_assert(is_there && is_same);
	run_sql("update facts set facts = (select facts from facts where run_id = 'run-b')");
	must(store_facts_compare(world.store, &subject, &facts, &is_there, &is_same, &e));
	ck_assert(is_there && !is_same);
	run_sql("delete from facts");
	must(store_facts_compare(world.store, &subject, &facts, &is_there, &is_same, &e));
	ck_assert(!is_there);
	secrets_release(&none);
}
END_TEST

START_TEST(test_facts_go_with_their_run)
{
	struct text sql = { 0 };

	run_twice();
	text_add(&sql, store_try_is_server() ? "" : "pragma foreign_keys = on;");
	text_add(&sql, "delete from events where run_id = 'run-a';"
		       "delete from heals where run_id = 'run-a';"
		       "delete from chunks where run_id = 'run-a';"
		       "delete from tracks where run_id = 'run-a';"
		       "delete from ledger_reads where run_id = 'run-a';"
		       "delete from runs where run_id = 'run-a'");
	run_sql(text_str(&sql));
	text_release(&sql);
	ck_assert_uint_eq(read_all().row_count, 1);
	ck_assert_str_eq(read_all().rows[0].run_id, "run-b");
	ck_assert_uint_eq(read_all().missing_count, 0);
}
END_TEST

START_TEST(test_facts_go_along_to_another_store)
{
	struct store *other = NULL;
	struct facts_rows rows = { 0 };

	world_run_ok(&world);
	must(store_open(arena_format(&arena, "%s/other.db", world.owned_folder), NULL, &other, &e));
	must(store_copy_run(world.store, other, read_all().rows[0].run_id, FORK_REFUSED, &e));
	must(store_facts(other, &arena, &rows, &e));
	ck_assert_uint_eq(rows.row_count, 1);
	ck_assert_uint_eq(rows.rows[0].lost_count, 42);
	ck_assert_str_eq(rows.subjects[rows.rows[0].subject].scenario, "process.pause on primary");
	store_close(other);
}
END_TEST

/* ---- missing ---- */

START_TEST(test_facts_rebuild_derives_what_is_missing_and_nothing_else)
{
	struct facts_rebuild first = { .is_all = false };
	struct facts_rebuild second = { .is_all = false };
	struct facts_rows before;
	struct facts_rows after;

	run_twice();
	before = read_all();
	run_sql("delete from facts where run_id = 'run-a'");
	ck_assert_uint_eq(read_all().missing_count, 1);
	must(facts_rebuild(world.store, &first, &e));
	ck_assert_uint_eq(first.derived_count, 1);
	ck_assert_uint_eq(first.changed_count, 0);
	after = read_all();
	ck_assert_uint_eq(after.row_count, 2);
	ck_assert_uint_eq(after.missing_count, 0);
	ck_assert_int_eq(find_row(&after, "run-a")->rto.low_ns,
			 find_row(&before, "run-a")->rto.low_ns);
	must(facts_rebuild(world.store, &second, &e));
	ck_assert_uint_eq(second.derived_count, 0);
}
END_TEST

START_TEST(test_facts_rebuild_tells_which_run_cannot_be_read_and_goes_on)
{
	struct facts_rebuild again = { .is_all = true };

	run_twice();
	run_sql("update runs set title = 'x' where run_id = 'run-a'; delete from facts");
	must(facts_rebuild(world.store, &again, &e));
	ck_assert_uint_eq(again.derived_count, 1);
	ck_assert_uint_eq(again.failed_count, 1);
	ck_assert_uint_eq(read_all().row_count, 1);
	ck_assert_uint_eq(read_all().missing_count, 1);
}
END_TEST

START_TEST(test_facts_rebuild_leaves_a_run_under_way_and_takes_one_that_broke_off)
{
	const struct run_row row = { .run_id = "alive", .title = "x", .experiment_path = "x.yaml",
				     .experiment_text = world.experiment->source_text,
				     .inventory_path = "inventory.yaml",
				     .inventory_text = world.experiment->inventory_text };
	struct run_row dead = row;
	struct facts_rebuild again = { .is_all = false };
	struct facts_rows rows;

	dead.run_id = "dead";
	dead.boot_id = "another boot";
	dead.pid = 1;
	must(store_run_begin(world.store, &row, &e));
	must(store_run_begin(world.store, &dead, &e));
	must(facts_rebuild(world.store, &again, &e));
	ck_assert_uint_eq(again.alive_count, 1);
	ck_assert_uint_eq(again.derived_count, 1);
	rows = read_all();
	ck_assert_uint_eq(rows.missing_count, 1);
	ck_assert(!find_row(&rows, "dead")->is_ended);
	ck_assert_int_eq(find_row(&rows, "dead")->exit_code, EXIT_INTERNAL);
}
END_TEST

START_TEST(test_facts_of_runs_of_before_are_derived)
{
	struct facts_rebuild again = { .is_all = false };
	struct run_row *rows = NULL;
	size_t count = 0;

	run_twice();
	store_close(world.store);
	world.store = NULL;
	/* As in a store that was written before there were any. */
	run_sql("delete from facts; delete from fact_subjects");
	open_again();
	ck_assert_uint_eq(read_all().row_count, 0);
	ck_assert_uint_eq(read_all().missing_count, 2);
	must(store_facts_missing(world.store, &arena, &rows, &count, &e));
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(rows[0].run_id, "run-a");
	must(facts_rebuild(world.store, &again, &e));
	ck_assert_uint_eq(again.derived_count, 2);
	ck_assert_uint_eq(read_all().row_count, 2);
}
END_TEST

/* ---- packed ---- */

START_TEST(test_codec_facts_read_gives_back_what_was_written_and_takes_no_other_bytes)
{
	const struct run_facts facts = {
		.run_id = "20261121-102030-k3f9",
		.trial = 7,
		.began_wall_ns = -5,
		.ended_wall_ns = INT64_MAX,
		.is_ended = true,
		.is_rpo_known = true,
		.exit_code = EXIT_INTERNAL,
		.rto_kind = MEASURED_NEVER_RECOVERED,
		.rto = { 0, INT64_MAX },
		.rto_verdict = VERDICT_INCONCLUSIVE,
		.rpo = { 3, 3 },
		.lost_count = UINT64_MAX,
		.rpo_verdict = VERDICT_MISSED,
	};
	struct run_facts found;
	struct text bytes = { 0 };
	struct text again = { 0 };

	codec_facts_write(&facts, &bytes);
	must(codec_facts_read(text_str(&bytes), bytes.length_bytes, &arena, &found, &e));
	ck_assert_str_eq(found.run_id, facts.run_id);
	found.run_id = facts.run_id;
	codec_facts_write(&found, &again);
	ck_assert_uint_eq(again.length_bytes, bytes.length_bytes);
	ck_assert_int_eq(memcmp(text_str(&again), text_str(&bytes), bytes.length_bytes), 0);
	ck_assert_int_eq(found.ended_wall_ns, INT64_MAX);
	ck_assert_uint_eq(found.lost_count, UINT64_MAX);
	ck_assert(!found.has_harmed);
	for (size_t cut = 0; cut < bytes.length_bytes; cut++) {
		/* A copy of exactly that size, so that the sanitizer sees every byte too many. */
		char *copy = mem_alloc(cut);

		memcpy(copy, text_str(&bytes), cut);
		ck_assert(!codec_facts_read(copy, cut, &arena, &found, &e));
		free(copy);
	}
	text_add(&bytes, "x");
	ck_assert(!codec_facts_read(text_str(&bytes), bytes.length_bytes, &arena, &found, &e));
	text_release(&bytes);
	text_release(&again);
}
END_TEST

static void add_tests(TCase *tests, bool is_server)
{
	(void)is_server; /* the same for both */
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_facts_of_a_run_are_those_of_its_report);
	tcase_add_test(tests, test_facts_scenario_says_what_is_done_to_whom);
	tcase_add_test(tests, test_facts_that_were_changed_are_refused);
	tcase_add_test(tests, test_facts_of_another_run_in_the_place_of_ones_own_are_not_as_derived);
	tcase_add_test(tests, test_facts_go_with_their_run);
	tcase_add_test(tests, test_facts_go_along_to_another_store);
	tcase_add_test(tests, test_facts_rebuild_derives_what_is_missing_and_nothing_else);
	tcase_add_test(tests, test_facts_rebuild_tells_which_run_cannot_be_read_and_goes_on);
	tcase_add_test(tests, test_facts_rebuild_leaves_a_run_under_way_and_takes_one_that_broke_off);
	tcase_add_test(tests, test_facts_of_runs_of_before_are_derived);
}

void suite_facts(Suite *suite)
{
	TCase *codec = tcase_create("codec");

	store_try_add(suite, "facts", setup, teardown, add_tests);
	tcase_add_test(codec, test_codec_facts_read_gives_back_what_was_written_and_takes_no_other_bytes);
	suite_add_tcase(suite, codec);
}
