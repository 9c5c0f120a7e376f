/*
 * test_story.c - a story is built from the store alone: from runs that the test wrote down itself.
 */
#include "base/json.h"
#include "engine/engine.h"
#include "fixtures/temp_dir.h"
#include "tests/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t t0_ns = INT64_C(1000) * NS_PER_S;	 /* slot 0, and the baseline */
static const int64_t sent_ns = INT64_C(1010) * NS_PER_S; /* the inject */
static const int64_t back_ns = INT64_C(1014) * NS_PER_S; /* the service */
static const int64_t settled_ns = INT64_C(1030) * NS_PER_S;

enum { EVERY_NS = 20 * 1000000, SLOTS = 1600, LOST_FROM = 480, LOST_COUNT = 7 };

/* As long as `, batch: 4`. */
#define BATCH_WORDS "          "

static const char experiment_text[] =
	"title: Kill the PostgreSQL primary\n"
	"service: orders-db\n"
	"objectives: { rto: 30s, rpo: 0s }\n"
	"probes:\n"
	"  writes: { kind: postgres.write, on: orders-db, every: 20ms, timeout: 1s " BATCH_WORDS " }\n"
	"  reads: { kind: tcp.connect, on: db2, every: 20ms, timeout: 1s, port: 5432 }\n"
	"steady_state: { good_for: 3s, within: 60s }\n"
	"baseline: 10s\n"
	"method:\n"
	"  - { at: 0s, fault: process.kill, on: { hosts: [db1] }, with: { name: postgres, signal: "
	"KILL } }\n"
	"observe: { stable_for: 3s, at_most: 2m }\n";

static const char inventory_text[] = "hosts:\n"
				     "  db1: { address: 198.18.77.11 }\n"
				     "  db2: { address: 198.18.77.12 }\n"
				     "services:\n"
				     "  orders-db: { kind: postgres, conninfo: host=db1 "
				     "password=${env:NEVER_SET}, members: [db1, db2] }\n";

static char *dir;
static struct store *store;
static struct arena arena;
static struct secrets secrets;
static struct err e;
static struct story story;

static const struct host db1 = { .name = "db1", .address = "198.18.77.11", .port = 22 };
static const struct host db2 = { .name = "db2", .address = "198.18.77.12", .port = 22 };

static void setup(void)
{
	struct text path = { 0 };

	dir = temp_dir_make();
	text_addf(&path, "%s/firedrill.db", dir);
	ck_assert_msg(store_open(text_str(&path), NULL, &store, &e), "%s", e.text);
	text_release(&path);
}

static void teardown(void)
{
	store_close(store);
	arena_release(&arena);
	secrets_release(&secrets);
	temp_dir_remove(dir);
}

/* ---- writing a run down ---- */

static void begin_with(const char *experiment, const char *boot_id)
{
	const struct run_row row = {
		.run_id = "run-a",
		.title = "Kill the PostgreSQL primary",
		.version = "0.1.0",
		.anchor = { .boot_ns = t0_ns - NS_PER_S,
			    .wall_ns = INT64_C(1700000000) * NS_PER_S },
		.experiment_path = "/somewhere/else/db.yaml",
		.experiment_text = experiment,
		.inventory_path = "/somewhere/else/inventory.yaml",
		.inventory_text = inventory_text,
		.boot_id = boot_id,
	};

	ck_assert_msg(store_run_begin(store, &row, &e), "%s", e.text);
}

static void append(struct event event)
{
	if (event.text == NULL)
		event.text = "";
	ck_assert_msg(store_append(store, "run-a", &event, &e), "%s", e.text);
}

static void phase(enum phase name, int64_t at_ns)
{
	append((struct event){ .kind = EVENT_PHASE, .phase = name, .at_ns = at_ns });
}

static struct heal_record record_of(const struct host *host)
{
	const struct heal_record record = {
		.run_id = "run-a",
		.step = 1,
		.fault = "process.kill",
		.host = host,
	};

	return record;
}

static void intend(const struct host *host)
{
	const struct heal_record record = record_of(host);
	struct text printed = { 0 };
	struct text data = { 0 };
	struct json *root = json_object();

	heal_record_print(&record, &printed);
	json_put_text(root, "inject", "SIGKILL to postgres");
	json_put_text(root, "heal", "start it again when systemd has not");
	json_put_text(root, "record", text_str(&printed));
	json_print(root, false, &data);
	ck_assert_msg(store_heal_put(store, &record, "active", &e), "%s", e.text);
	append((struct event){ .kind = EVENT_INTENT,
			       .phase = PHASE_INJECT,
			       .at_ns = sent_ns,
			       .step = 1,
			       .host = host->name,
			       .data = text_str(&data) });
	json_release(root);
	text_release(&printed);
	text_release(&data);
}

static void harm(enum event_kind kind, const struct host *host, int64_t from_ns, int64_t until_ns)
{
	append((struct event){ .kind = kind,
			       .phase = PHASE_INJECT,
			       .at_ns = until_ns,
			       .step = 1,
			       .host = host->name,
			       .from_ns = from_ns,
			       .until_ns = until_ns });
}

static void undo(const struct host *host, enum event_kind read_back, enum heal_state state)
{
	const struct heal_record record = record_of(host);

	append((struct event){ .kind = EVENT_HEALED,
			       .phase = PHASE_HEAL,
			       .step = 1,
			       .host = host->name,
			       .at_ns = sent_ns + 16 * NS_PER_S,
			       .from_ns = sent_ns + 15 * NS_PER_S,
			       .until_ns = sent_ns + 16 * NS_PER_S });
	append((struct event){ .kind = read_back,
			       .phase = PHASE_HEAL,
			       .step = 1,
			       .host = host->name,
			       .at_ns = sent_ns + 17 * NS_PER_S,
			       .text = read_back == EVENT_CLEAN ? "as before"
								: "db1: still stopped" });
	ck_assert_msg(store_heal_mark(store, &record, state, &e), "%s", e.text);
}

/* Good but for the outage; answers within 1 ms. */
static void put_track(const char *probe, bool is_ledger)
{
	static struct sample samples[SLOTS];
	const char *errors[] = { "connect: refused" };
	const struct track track = {
		.probe = probe,
		.t0_ns = t0_ns,
		.every_ns = EVERY_NS,
		.lane_count = 50,
		.slot_count = SLOTS,
		.samples = samples,
		.error_texts = errors,
		.error_count = 1,
	};

	for (uint64_t slot = 0; slot < SLOTS; slot++) {
		const int64_t due_ns = track_due_ns(&track, slot);
		const bool is_down = due_ns > sent_ns && due_ns < back_ns;
		const enum write_outcome write = is_down ? WRITE_FAILED : WRITE_ACKNOWLEDGED;

		samples[slot] = (struct sample){
			.sent_ns = due_ns + 50 * NS_PER_US,
			.done_ns = due_ns + NS_PER_MS,
			.state = is_down ? SAMPLE_BAD : SAMPLE_GOOD,
			.error_index = is_down ? 1 : 0,
			.write = (uint8_t)(is_ledger ? write : WRITE_NONE),
		};
	}
	ck_assert_msg(store_track_put(store, "run-a", &track, &e), "%s", e.text);
}

static void put_read(enum ledger_count count, uint32_t read_number, size_t lost_count)
{
	static uint8_t rows[SLOTS];
	const struct ledger_read read = {
		.probe = "writes",
		.count = count,
		.read_number = read_number,
		.is_complete = true,
		.row_count = SLOTS,
		.rows = rows,
	};

	for (int64_t slot = 0; slot < SLOTS; slot++) {
		const int64_t due_ns = t0_ns + slot * EVERY_NS;

		rows[slot] = due_ns > sent_ns && due_ns < back_ns ? 0 : ROW_PRESENT;
	}
	memset(rows + LOST_FROM, 0, lost_count);
	ck_assert_msg(store_ledger_read_put(store, "run-a", &read, &e), "%s", e.text);
}

static void write_until_observe(void)
{
	append((struct event){ .kind = EVENT_RUN_STARTED, .at_ns = t0_ns - NS_PER_S });
	phase(PHASE_GATE, t0_ns - NS_PER_S);
	phase(PHASE_BASELINE, t0_ns);
	phase(PHASE_INJECT, sent_ns);
	intend(&db1);
	harm(EVENT_INJECTED, &db1, sent_ns, sent_ns + 10 * NS_PER_MS);
	harm(EVENT_CONFIRMED, &db1, sent_ns, sent_ns + 50 * NS_PER_MS);
	phase(PHASE_OBSERVE, sent_ns + 60 * NS_PER_MS);
}

static void write_the_rest(void)
{
	phase(PHASE_HEAL, sent_ns + 15 * NS_PER_S);
	undo(&db1, EVENT_CLEAN, HEAL_DONE);
	phase(PHASE_SETTLE, sent_ns + 17 * NS_PER_S);
	append((struct event){
		.kind = EVENT_STEADY, .phase = PHASE_SETTLE, .at_ns = settled_ns - NS_PER_MS });
	phase(PHASE_VALIDATE, settled_ns);
	phase(PHASE_MEASURE, settled_ns + NS_PER_S);
	append((struct event){ .kind = EVENT_RUN_ENDED,
			       .phase = PHASE_MEASURE,
			       .at_ns = settled_ns + 2 * NS_PER_S });
	put_track("writes", true);
	put_track("reads", false);
}

static void build(void)
{
	ck_assert_msg(story_build(store, "run-a", &arena, &secrets, &story, &e), "%s", e.text);
}

static bool is_told(const char *part)
{
	for (size_t i = 0; i < story.untold_count; i++)
		if (strstr(story.untold[i], part) != NULL)
			return true;
	return false;
}

/* ---- tests ---- */

START_TEST(test_story_build_of_a_whole_run_measures_and_judges_it)
{
	begin_with(experiment_text, NULL);
	write_until_observe();
	write_the_rest();
	put_read(COUNT_STABLE, 2, 0);
	put_read(COUNT_HEALED, 1, 0);
	build();

	ck_assert_str_eq(story.run_id, "run-a");
	ck_assert_str_eq(story.version, "0.1.0");
	ck_assert_str_eq(story.experiment->title, "Kill the PostgreSQL primary");
	ck_assert_int_eq(story.fault.low_ns, sent_ns);
	ck_assert_int_eq(story.fault.high_ns, sent_ns + 50 * NS_PER_MS);
	ck_assert_int_eq(story.ended_ns, settled_ns + 2 * NS_PER_S);
	ck_assert_uint_eq(story.probe_count, 2);
	ck_assert_str_eq(story.probes[0].probe, "writes");
	ck_assert_int_eq(story.probes[0].rto_kind, MEASURED_SPAN);
	/* Last failure due at 13.98 s, first answer at 14.001 s after slot 0; the fault at 10 s. */
	ck_assert_int_eq(story.probes[0].rto.low_ns, 3930 * NS_PER_MS);
	ck_assert_int_eq(story.probes[0].rto.high_ns, 4001 * NS_PER_MS);
	ck_assert_uint_eq(story.probes[0].baseline.slot_count, 500);
	ck_assert_uint_eq(story.ledger_count, 1);
	ck_assert_ptr_nonnull(story.ledgers[0].worse);
	ck_assert_uint_eq(story.ledgers[0].worse->classes.lost, 0);
	ck_assert_uint_eq(story.ledgers[0].stable.read_count, 2);
	ck_assert_uint_eq(story.objective_count, 2);
	ck_assert_int_eq(story.objectives[0].verdict, VERDICT_MET);
	ck_assert_int_eq(story.outcome.exit_code, EXIT_MET);
	ck_assert_uint_eq(story.untold_count, 0);
	ck_assert_uint_eq(story.deed_count, 1);
	ck_assert_str_eq(story.deeds[0].fault, "process.kill");
	ck_assert_str_eq(story.deeds[0].host, "db1");
	ck_assert_str_eq(story.deeds[0].what, "SIGKILL to postgres");
	ck_assert_str_eq(story.deeds[0].heal, "start it again when systemd has not");
	ck_assert_int_eq(story.deeds[0].injected.high_ns, sent_ns + 50 * NS_PER_MS);
	ck_assert_int_eq(story.deeds[0].healed.low_ns, sent_ns + 15 * NS_PER_S);
	ck_assert_int_eq(story.deeds[0].confirmation, EVENT_CONFIRMED);
	ck_assert_int_eq(story.deeds[0].read_back, EVENT_CLEAN);
	ck_assert_ptr_null(story.deeds[0].leftover);
}
END_TEST

START_TEST(test_story_build_again_later_gives_the_same_outcome)
{
	struct outcome first;

	begin_with(experiment_text, NULL);
	write_until_observe();
	write_the_rest();
	put_read(COUNT_STABLE, 1, 0);
	put_read(COUNT_HEALED, 1, LOST_COUNT);
	build();
	first = story.outcome;
	ck_assert(store_run_end(store, "run-a", 1, first.exit_code, first.sentence, &e));
	build();
	ck_assert_int_eq(story.outcome.exit_code, first.exit_code);
	ck_assert_str_eq(story.outcome.sentence, first.sentence);
}
END_TEST

START_TEST(test_story_build_takes_the_worse_of_both_counts_and_the_final_reads)
{
	begin_with(experiment_text, NULL);
	write_until_observe();
	write_the_rest();
	put_read(COUNT_STABLE, 1, LOST_COUNT + 5); /* not settled yet */
	put_read(COUNT_STABLE, 2, 0);
	put_read(COUNT_HEALED, 1, LOST_COUNT);
	build();
	ck_assert_uint_eq(story.ledgers[0].stable.classes.lost, 0);
	ck_assert_uint_eq(story.ledgers[0].healed.classes.lost, LOST_COUNT);
	ck_assert_ptr_eq(story.ledgers[0].worse, &story.ledgers[0].healed);
	ck_assert_uint_eq(story.ledgers[0].healed.classes.lost_keys[0], LOST_FROM);
	ck_assert_int_eq(story.outcome.exit_code, EXIT_MISSED);
}
END_TEST

/* How many rows a slot has stands in the document alone: the samples only have the outcomes. */
START_TEST(test_story_build_of_batches_classifies_each_row)
{
	enum { BATCH = 4, BATCH_SLOTS = 3, ROWS = BATCH * BATCH_SLOTS };
	static const enum write_outcome writes[ROWS] = { 1, 1, 1, 1, 1, 1, 3, 3, 1, 2, 1, 1 };
	static const uint8_t rows[ROWS] = { 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 3 };
	struct sample samples[BATCH_SLOTS];
	const struct track track = { .probe = "writes",
				     .t0_ns = t0_ns,
				     .every_ns = EVERY_NS,
				     .lane_count = 50,
				     .slot_count = BATCH_SLOTS,
				     .samples = samples };
	const struct ledger_read read = { .probe = "writes",
					  .count = COUNT_STABLE,
					  .read_number = 1,
					  .is_complete = true,
					  .row_count = ROWS,
					  .rows = rows };
	char *owned_text = mem_copy(experiment_text);

	memcpy(strstr(owned_text, BATCH_WORDS), ", batch: 4", strlen(BATCH_WORDS));
	begin_with(owned_text, NULL);
	write_until_observe();
	write_the_rest();
	for (uint64_t slot = 0; slot < BATCH_SLOTS; slot++)
		samples[slot] = (struct sample){
			.sent_ns = track_due_ns(&track, slot),
			.done_ns = track_due_ns(&track, slot) + NS_PER_MS,
			.state = slot == 0 ? SAMPLE_GOOD : SAMPLE_BAD,
			.write = (uint8_t)write_of_all(writes + slot * BATCH, BATCH),
			.detail = write_pack(writes + slot * BATCH, BATCH),
		};
	ck_assert_msg(store_track_put(store, "run-a", &track, &e), "%s", e.text);
	ck_assert_msg(store_ledger_read_put(store, "run-a", &read, &e), "%s", e.text);
	build();

	const struct ledger_classes *classes = &story.ledgers[0].stable.classes;

	ck_assert_uint_eq(classes->attempted, ROWS);
	ck_assert_uint_eq(classes->acknowledged, 9);
	ck_assert_uint_eq(classes->ok, 6);
	ck_assert_uint_eq(classes->lost, 2);
	ck_assert_uint_eq(classes->lost_keys[0], 5);
	ck_assert_uint_eq(classes->lost_keys[1], 10);
	ck_assert_uint_eq(classes->corrupted, 1);
	ck_assert_uint_eq(classes->recovered, 1);
	ck_assert_uint_eq(classes->indeterminate, 2);
	ck_assert_uint_eq(classes->failed, 1);
	ck_assert_uint_eq(classes->absent, 2);
	/* The newest survivor was acknowledged in slot 1, at 20 to 21 ms, where a lost one was, too:
	   so the recovery point is in slot 0 or there. The rows of a batch have no order. */
	ck_assert_int_eq(story.ledgers[0].stable.rpo.low_ns,
			 sent_ns - track_due_ns(&track, 1) - NS_PER_MS);
	ck_assert_int_eq(story.ledgers[0].stable.rpo.high_ns,
			 sent_ns + 50 * NS_PER_MS - track_due_ns(&track, 0));
	free(owned_text);
}
END_TEST

START_TEST(test_story_build_takes_the_earliest_edges_of_several_harms)
{
	begin_with(experiment_text, NULL);
	phase(PHASE_BASELINE, t0_ns);
	intend(&db1);
	intend(&db2);
	harm(EVENT_CONFIRMED, &db1, sent_ns, sent_ns + 900 * NS_PER_MS); /* slow to confirm */
	harm(EVENT_CONFIRMED, &db2, sent_ns + NS_PER_MS, sent_ns + 50 * NS_PER_MS);
	undo(&db2, EVENT_CLEAN, HEAL_DONE);
	undo(&db1, EVENT_CLEAN, HEAL_DONE);
	append((struct event){ .kind = EVENT_RUN_ENDED, .at_ns = settled_ns });
	build();
	ck_assert_int_eq(story.fault.low_ns, sent_ns);
	ck_assert_int_eq(story.fault.high_ns, sent_ns + 50 * NS_PER_MS);
	ck_assert_uint_eq(story.deed_count, 2);
	ck_assert_str_eq(story.deeds[1].host, "db2");
	ck_assert_int_eq(story.deeds[1].injected.low_ns, sent_ns + NS_PER_MS);
}
END_TEST

START_TEST(test_story_build_tells_what_could_not_be_told)
{
	begin_with(experiment_text, NULL);
	phase(PHASE_BASELINE, t0_ns);
	append((struct event){ .kind = EVENT_NOTE, .text = "SCHED_FIFO was not granted." });
	intend(&db1);
	harm(EVENT_INJECTED, &db1, sent_ns, sent_ns + NS_PER_MS);
	harm(EVENT_UNKNOWN, &db1, sent_ns, sent_ns + 5 * NS_PER_S);
	undo(&db1, EVENT_CLEAN, HEAL_DONE);
	put_track("strange", false);
	append((struct event){ .kind = EVENT_RUN_ENDED, .at_ns = settled_ns });
	build();
	ck_assert_int_eq(story.fault.high_ns, 0);
	ck_assert(is_told("SCHED_FIFO was not granted."));
	ck_assert(is_told("Whether process.kill on db1 took effect could not be confirmed."));
	ck_assert(is_told("No samples of probe writes were kept."));
	ck_assert(is_told("The samples of strange belong to no probe"));
	ck_assert_int_eq(story.deeds[0].confirmation, EVENT_UNKNOWN);
	ck_assert_int_eq(story.outcome.exit_code, EXIT_INCONCLUSIVE);
}
END_TEST

START_TEST(test_story_build_tells_of_ledgers_that_were_not_read)
{
	const struct ledger_read unread = {
		.probe = "writes",
		.count = COUNT_STABLE,
		.read_number = 1,
		.error = "connect: refused",
	};

	begin_with(experiment_text, NULL);
	write_until_observe();
	write_the_rest();
	ck_assert(store_ledger_read_put(store, "run-a", &unread, &e));
	build();
	ck_assert(is_told(
		"Ledger writes could not be read back once the service was stable: connect"));
	ck_assert(is_told("Ledger writes was not counted after the fault was healed."));
}
END_TEST

START_TEST(test_story_build_of_a_run_that_broke_off_names_the_heal)
{
	begin_with(experiment_text, "a boot long ago");
	write_until_observe();
	build();
	ck_assert_int_eq(story.outcome.exit_code, EXIT_LEFTOVER);
	ck_assert_int_eq(story.outcome.verdict, VERDICT_NONE);
	ck_assert_str_eq(story.outcome.sentence,
			 "The run broke off in phase observe and left 1 fault "
			 "unhealed; run `firedrill heal run-a`.");
	ck_assert_int_eq(story.deeds[0].read_back, EVENT_LEFTOVER);
	ck_assert_str_eq(story.deeds[0].leftover,
			 "process.kill on db1 is not healed; run `firedrill heal run-a`");
	ck_assert_int_eq(story.ended_ns, sent_ns + 60 * NS_PER_MS);
}
END_TEST

START_TEST(test_story_build_of_a_run_that_broke_off_before_harm_is_internal)
{
	begin_with(experiment_text, "a boot long ago");
	phase(PHASE_GATE, t0_ns);
	build();
	ck_assert_int_eq(story.outcome.exit_code, EXIT_INTERNAL);
	ck_assert_str_eq(story.outcome.sentence,
			 "The run broke off in phase gate; nothing is left unhealed.");
	ck_assert_uint_eq(story.deed_count, 0);
}
END_TEST

START_TEST(test_story_build_of_a_living_run_says_so)
{
	begin_with(experiment_text, NULL);
	write_until_observe();
	build();
	ck_assert_msg(strstr(story.outcome.sentence, "still under way (phase observe, pid ") !=
			      NULL,
		      "%s", story.outcome.sentence);
}
END_TEST

START_TEST(test_story_build_with_leftover_beats_every_other_code)
{
	begin_with(experiment_text, NULL);
	write_until_observe();
	phase(PHASE_HEAL, sent_ns + 15 * NS_PER_S);
	undo(&db1, EVENT_LEFTOVER, HEAL_LEFTOVER);
	append((struct event){ .kind = EVENT_RUN_ENDED, .at_ns = settled_ns });
	put_track("writes", true);
	put_track("reads", false);
	put_read(COUNT_HEALED, 1, LOST_COUNT);
	build();
	ck_assert_int_eq(story.outcome.exit_code, EXIT_LEFTOVER);
	ck_assert_int_eq(story.deeds[0].read_back, EVENT_LEFTOVER);
	ck_assert_str_eq(story.deeds[0].leftover, "db1: still stopped");
}
END_TEST

START_TEST(test_story_build_believes_an_open_record_more_than_the_journal)
{
	begin_with(experiment_text, NULL);
	write_until_observe();
	append((struct event){ .kind = EVENT_RUN_ENDED, .at_ns = settled_ns });
	build();
	ck_assert_int_eq(story.outcome.exit_code, EXIT_LEFTOVER);
	ck_assert_ptr_nonnull(strstr(story.outcome.sentence, "firedrill heal run-a"));
}
END_TEST

START_TEST(test_story_build_of_a_healed_leftover_shows_the_later_read_back)
{
	const struct heal_record record = record_of(&db1);

	begin_with(experiment_text, NULL);
	write_until_observe();
	append((struct event){ .kind = EVENT_HEAL_FAILED,
			       .step = 1,
			       .host = "db1",
			       .text = "ssh: connection refused" });
	build();
	ck_assert_str_eq(story.deeds[0].leftover, "ssh: connection refused");
	append((struct event){
		.kind = EVENT_CLEAN, .step = 1, .host = "db1", .text = "as before" });
	ck_assert(store_heal_mark(store, &record, HEAL_DONE, &e));
	build();
	ck_assert_int_eq(story.deeds[0].read_back, EVENT_CLEAN);
	ck_assert_ptr_null(story.deeds[0].leftover);
}
END_TEST

START_TEST(test_story_build_says_why_it_cannot)
{
	ck_assert(!story_build(store, "run-x", &arena, &secrets, &story, &e));
	ck_assert_int_eq(e.kind, ERR_INPUT);
	begin_with("title: x\nprobez: {}\n", NULL);
	ck_assert(!story_build(store, "run-a", &arena, &secrets, &story, &e));
	ck_assert_int_eq(e.kind, ERR_STORE);
	ck_assert_ptr_nonnull(strstr(e.text, "read the documents of run run-a with this firedrill: "
					     "/somewhere/else/db.yaml:"));
}
END_TEST

START_TEST(test_story_build_without_documents_says_so)
{
	const struct run_row row = { .run_id = "run-a" };

	ck_assert(store_run_begin(store, &row, &e));
	ck_assert(!story_build(store, "run-a", &arena, &secrets, &story, &e));
	ck_assert_str_eq(e.text, "read run run-a: the store has no documents of it");
}
END_TEST

void suite_story(Suite *suite)
{
	TCase *tcase = tcase_create("story");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_story_build_of_a_whole_run_measures_and_judges_it);
	tcase_add_test(tcase, test_story_build_again_later_gives_the_same_outcome);
	tcase_add_test(tcase, test_story_build_takes_the_worse_of_both_counts_and_the_final_reads);
	tcase_add_test(tcase, test_story_build_of_batches_classifies_each_row);
	tcase_add_test(tcase, test_story_build_takes_the_earliest_edges_of_several_harms);
	tcase_add_test(tcase, test_story_build_tells_what_could_not_be_told);
	tcase_add_test(tcase, test_story_build_tells_of_ledgers_that_were_not_read);
	tcase_add_test(tcase, test_story_build_of_a_run_that_broke_off_names_the_heal);
	tcase_add_test(tcase, test_story_build_of_a_run_that_broke_off_before_harm_is_internal);
	tcase_add_test(tcase, test_story_build_of_a_living_run_says_so);
	tcase_add_test(tcase, test_story_build_with_leftover_beats_every_other_code);
	tcase_add_test(tcase, test_story_build_believes_an_open_record_more_than_the_journal);
	tcase_add_test(tcase, test_story_build_of_a_healed_leftover_shows_the_later_read_back);
	tcase_add_test(tcase, test_story_build_says_why_it_cannot);
	tcase_add_test(tcase, test_story_build_without_documents_says_so);
	suite_add_tcase(suite, tcase);
}
