/*
 * bench_report.c - puts a long drill into a store, for reports of it to be timed:
 * `bench_report STORE SAMPLES`.
 *
 * Ten probes every millisecond share the samples, the first one a ledger that was read back twice;
 * latencies vary, and the service is away for four seconds in the middle. It is written through the
 * store's own functions, as a run writes it, and comes to its end. Prints the run's id.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/units.h"
#include "engine/engine.h"

enum { PROBES = 10, EVERY_NS = 1000000, LOST_OF = 1999 };

static const char run_id[] = "bench";
static const int64_t t0_ns = 1000 * NS_PER_S;
static const int64_t away_ns = 4 * NS_PER_S;
static const int64_t timeout_ns = 50 * NS_PER_MS;

static const char inventory_text[] =
	"hosts:\n  db1: { address: 192.0.2.1 }\n"
	"services:\n  db: { kind: postgres, conninfo: host=192.0.2.1, members: [db1] }\n";

struct drill {
	struct store *store;
	struct random random;
	uint64_t slot_count; /* of each probe */
	int64_t fault_ns;
	struct sample *owned_samples;
	uint8_t *owned_rows;
};

static void fail(const char *what, const struct err *e)
{
	(void)fprintf(stderr, "bench_report: %s: %s\n", what, e->text);
	exit(1);
}

static void begin(struct drill *drill)
{
	struct text experiment = { 0 };
	struct err e = { 0 };

	text_add(&experiment, "title: A long drill\nservice: db\n"
			      "objectives: { rto: 30s, rpo: 0s }\nprobes:\n"
			      "  p0: { kind: postgres.write, every: 1ms, timeout: 50ms }\n");
	for (int i = 1; i < PROBES; i++)
		text_addf(&experiment,
			  "  p%d: { kind: tcp.connect, on: db1, every: 1ms, timeout: 50ms, "
			  "port: 5432 }\n", i);
	text_add(&experiment,
		 "method:\n  - { at: 0s, fault: process.kill, on: { hosts: [db1] }, with: { name: "
		 "postgres, signal: KILL } }\nobserve: { stable_for: 3s, at_most: 2m }\n");

	const struct run_row row = { .run_id = run_id,
				     .title = "A long drill",
				     .version = FIREDRILL_VERSION,
				     .anchor = { t0_ns - NS_PER_S, INT64_C(1700000000) * NS_PER_S },
				     .experiment_path = "long.yaml",
				     .experiment_text = text_str(&experiment),
				     .inventory_path = "inventory.yaml",
				     .inventory_text = inventory_text };

	if (!store_run_begin(drill->store, &row, &e))
		fail("begin", &e);
	text_release(&experiment);
}

static void append(const struct drill *drill, struct event event)
{
	struct err e = { 0 };

	event.text = "";
	if (!store_append(drill->store, run_id, &event, &e))
		fail("append an event", &e);
}

static void append_all(const struct drill *drill)
{
	const int64_t fault_ns = drill->fault_ns;
	const int64_t end_ns = t0_ns + (int64_t)drill->slot_count * EVERY_NS;

	append(drill, (struct event){ .kind = EVENT_RUN_STARTED, .at_ns = t0_ns - NS_PER_S });
	append(drill, (struct event){ .kind = EVENT_PHASE, .phase = PHASE_BASELINE, .at_ns = t0_ns });
	append(drill, (struct event){ .kind = EVENT_PHASE, .phase = PHASE_INJECT, .at_ns = fault_ns });
	for (enum event_kind kind = EVENT_INJECTED; kind <= EVENT_CONFIRMED; kind++)
		append(drill, (struct event){ .kind = kind,
					      .phase = PHASE_INJECT,
					      .step = 1,
					      .host = "db1",
					      .at_ns = fault_ns + 5 * NS_PER_MS,
					      .from_ns = fault_ns,
					      .until_ns = fault_ns + 5 * NS_PER_MS });
	append(drill, (struct event){ .kind = EVENT_PHASE,
				      .phase = PHASE_OBSERVE,
				      .at_ns = fault_ns + 6 * NS_PER_MS });
	append(drill, (struct event){ .kind = EVENT_PHASE, .phase = PHASE_HEAL, .at_ns = end_ns });
	append(drill, (struct event){ .kind = EVENT_PHASE, .phase = PHASE_MEASURE, .at_ns = end_ns });
	append(drill, (struct event){ .kind = EVENT_RUN_ENDED, .phase = PHASE_MEASURE,
				      .at_ns = end_ns + NS_PER_S });
}

static struct sample draw_sample(struct drill *drill, int64_t due_ns, bool is_ledger)
{
	const bool is_away = due_ns >= drill->fault_ns && due_ns < drill->fault_ns + away_ns;
	const int64_t sent_ns = due_ns + 5000 + (int64_t)random_below(&drill->random, 60000);
	const int64_t took_ns = 100000 + (int64_t)random_below(&drill->random, 400000);
	const enum write_outcome write = is_away ? WRITE_INDETERMINATE : WRITE_ACKNOWLEDGED;

	return (struct sample){ .sent_ns = sent_ns,
				.done_ns = is_away ? due_ns + timeout_ns : sent_ns + took_ns,
				.state = is_away ? SAMPLE_BAD : SAMPLE_GOOD,
				.write = (uint8_t)(is_ledger ? write : WRITE_NONE),
				.error_index = is_away ? 1 : 0 };
}

static void put_probe(struct drill *drill, int number)
{
	static const char *const errors[] = { "connect to 192.0.2.1: no answer in time" };
	char name[16];
	const struct track track = { .probe = name,
				     .t0_ns = t0_ns,
				     .every_ns = EVERY_NS,
				     .lane_count = 50,
				     .slot_count = drill->slot_count,
				     .samples = drill->owned_samples,
				     .error_texts = errors,
				     .error_count = 1 };
	struct err e = { 0 };

	(void)snprintf(name, sizeof name, "p%d", number);
	for (uint64_t slot = 0; slot < drill->slot_count; slot++) {
		struct sample *sample = &drill->owned_samples[slot];

		*sample = draw_sample(drill, track_due_ns(&track, slot), number == 0);
		if (number == 0)
			drill->owned_rows[slot] = sample->write == WRITE_ACKNOWLEDGED;
	}
	if (!store_track_put(drill->store, run_id, &track, &e))
		fail("put samples", &e);
}

/* Nothing is missing at first; later one of LOST_OF is. */
static void put_reads(struct drill *drill)
{
	struct ledger_read read = { .probe = "p0",
				    .read_number = 1,
				    .is_complete = true,
				    .row_count = drill->slot_count,
				    .rows = drill->owned_rows };
	struct err e = { 0 };

	for (read.count = COUNT_STABLE; read.count <= COUNT_HEALED; read.count++) {
		for (uint64_t row = 7; read.count == COUNT_HEALED && row < read.row_count;
		     row += LOST_OF)
			drill->owned_rows[row] = 0;
		if (!store_ledger_read_put(drill->store, run_id, &read, &e))
			fail("put a reading", &e);
	}
}

/* With the verdict that follows from all of it, so that `firedrill verify` has one to compare. */
static void end(const struct drill *drill)
{
	struct secrets secrets = { 0 };
	struct arena arena = { 0 };
	struct story story;
	struct err e = { 0 };

	if (!story_build(drill->store, run_id, &arena, &secrets, &story, &e) ||
	    !store_run_end(drill->store, run_id, 1, story.outcome.exit_code, story.outcome.sentence,
			   &e))
		fail("end", &e);
	arena_release(&arena);
	secrets_release(&secrets);
}

int main(int argc, char **argv)
{
	struct drill drill = { .random = random_from_seed(1) };
	int64_t count = 0;
	struct err e = { 0 };

	if (argc != 3 || !units_parse_count(argv[2], &count, &e) || count < PROBES) {
		(void)fprintf(stderr, "usage: bench_report STORE SAMPLES\n");
		return 2;
	}
	drill.slot_count = (uint64_t)count / PROBES;
	drill.fault_ns = t0_ns + (int64_t)drill.slot_count / 2 * EVERY_NS;
	drill.owned_samples = mem_alloc(drill.slot_count * sizeof *drill.owned_samples);
	drill.owned_rows = mem_alloc(drill.slot_count);
	if (!store_open(argv[1], NULL, &drill.store, &e))
		fail("open the store", &e);
	begin(&drill);
	append_all(&drill);
	for (int i = 0; i < PROBES; i++)
		put_probe(&drill, i);
	put_reads(&drill);
	end(&drill);
	store_close(drill.store);
	free(drill.owned_samples);
	free(drill.owned_rows);
	(void)puts(run_id);
	return 0;
}
