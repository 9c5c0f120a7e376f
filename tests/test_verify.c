/*
 * test_verify.c - a run written down again by our own store, every seal fresh and fitting, but one
 * thing changed: no hash can tell, and deriving every number again does.
 */
#include "cli/verify_run.h"
#include "fixtures/paper_world.h"
#include "fixtures/temp_dir.h"
#include "tests/suites.h"

#include <stdlib.h>
#include <string.h>

/* What the forger does. Zero: an honest copy. */
struct forgery {
	const char *name;
	bool does_end_met;     /* the result says that every promise was kept */
	bool does_hide_bad;    /* every bad sample is good */
	bool does_find_rows;   /* every row of the ledger is there */
	enum event_kind drops; /* events of this kind are left out */
	bool is_seen;
};

static const struct forgery forgeries[] = {
	{ .name = "honest", .is_seen = false },
	{ .name = "result", .does_end_met = true, .is_seen = true },
	{ .name = "samples", .does_hide_bad = true, .is_seen = true },
	{ .name = "ledger", .does_find_rows = true, .is_seen = true },
	{ .name = "confirmed", .drops = EVENT_CONFIRMED, .is_seen = true },
	{ .name = "read back", .drops = EVENT_CLEAN, .is_seen = true },
};

enum { FORGERIES = sizeof forgeries / sizeof forgeries[0] };

static struct arena arena;
static struct err e;

static void must(bool ok)
{
	ck_assert_msg(ok, "%s", e.text);
}

static void copy_track(struct store *to, const char *run_id, struct track track, bool does_hide_bad)
{
	struct sample *samples = arena_alloc(&arena, (track.slot_count + 1) * sizeof *samples);

	memcpy(samples, track.samples, track.slot_count * sizeof *samples);
	for (uint64_t i = 0; does_hide_bad && i < track.slot_count; i++)
		if (samples[i].state == SAMPLE_BAD)
			samples[i].state = SAMPLE_GOOD;
	track.samples = samples;
	must(store_track_put(to, run_id, &track, &e));
}

static void copy_read(struct store *to, const char *run_id, struct ledger_read read,
		      bool does_find_rows)
{
	uint8_t *rows = arena_alloc(&arena, read.row_count + 1);

	for (uint64_t i = 0; i < read.row_count; i++)
		rows[i] = does_find_rows ? ROW_PRESENT : read.rows[i];
	read.rows = rows;
	must(store_ledger_read_put(to, run_id, &read, &e));
}

/* Everything of the run into another store, by the store's own functions. */
static void forge(struct store *from, struct store *to, const struct forgery *forgery)
{
	struct timeline timeline;
	struct run_row row;

	must(store_run_find(from, "last", &arena, &row, &e));
	must(store_timeline(from, row.run_id, &arena, &timeline, &e));
	row.version = FIREDRILL_VERSION;
	must(store_run_begin(to, &row, &e));
	for (size_t i = 0; i < timeline.event_count; i++) {
		struct event event = timeline.events[i];

		if (event.kind != forgery->drops)
			must(store_append(to, row.run_id, &event, &e));
	}
	for (size_t i = 0; i < timeline.track_count; i++)
		copy_track(to, row.run_id, timeline.tracks[i], forgery->does_hide_bad);
	for (size_t i = 0; i < timeline.ledger_read_count; i++)
		copy_read(to, row.run_id, timeline.ledger_reads[i], forgery->does_find_rows);
	must(store_run_end(to, row.run_id, row.ended_wall_ns,
			   forgery->does_end_met ? EXIT_MET : row.exit_code,
			   forgery->does_end_met ? "Every promise was kept." : row.sentence, &e));
}

START_TEST(test_verify_run_forged_with_seals_that_fit_is_not_as_derived)
{
	/* Down for four seconds, and 42 acknowledged rows are lost: missed. */
	const struct sim_script script = { .down_on = STOP_ON, .down_for_ns = 4 * NS_PER_S,
					   .lost_from_slot = 100, .lost_until_slot = 142 };
	const struct forgery *forgery = &forgeries[_i];
	struct world world = { .interrupt_in = PHASE_NONE };
	struct findings findings = { 0 };
	struct store *store = NULL;
	struct text path = { 0 };
	struct run_row row;
	char *folder = temp_dir_make();

	world_open(&world, &script);
	world_run_ok(&world);
	ck_assert_int_eq(world.outcome.exit_code, EXIT_MISSED);
	text_addf(&path, "%s/forged.db", folder);
	must(store_open(text_str(&path), NULL, &store, &e));
	forge(world.store, store, forgery);
	must(store_run_find(store, "last", &arena, &row, &e));

	const struct verify_request request = { .store = store, .row = &row };

	must(verify_run(&request, &findings, &e));
	ck_assert_msg((findings.altered_count == 1) == forgery->is_seen && findings.unsure_count == 0,
		      "%s: %zu altered, %zu not told", forgery->name, findings.altered_count,
		      findings.unsure_count);
	store_close(store);
	text_release(&path);
	temp_dir_remove(folder);
	arena_release(&arena);
	world_close(&world);
}
END_TEST

void suite_verify(Suite *suite)
{
	TCase *tests = tcase_create("verify");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, test_verify_run_forged_with_seals_that_fit_is_not_as_derived, 0,
			    FORGERIES);
	suite_add_tcase(suite, tests);
}
