/*
 * bench_ledger.c - the probe postgres.write, without a drill around it, as fast as it goes.
 *
 *   bench_ledger prepare PORT             makes the ledger's table
 *   bench_ledger write PORT N SECONDS BATCH
 *                                         N threads, one slot after the other; prints
 *                                         "acknowledged other seconds", times without connecting
 *   bench_ledger rows COUNT               prints that many rows for COPY, all intact
 *   bench_ledger read PORT COUNT          reads them back once; prints
 *                                         "ns missing damaged peak_kib grown_kib"
 *   bench_ledger antijoin PORT COUNT      the server counts the missing ones; prints "ns missing"
 *
 * Every write takes the way that a lane's takes: the same sample function, state and connection.
 */
#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/units.h"
#include "fixtures/pg_server.h"
#include "fixtures/probe_try.h"
#include "probes/ledger_row.h"

enum { WRITERS_MAX = 128, PAYLOAD_BYTES = 32 };

static const char run_id[] = "bench";
static const char writer_name[] = "writes";
static const int64_t prepare_timeout_ns = 10 * NS_PER_S;
static const int64_t read_timeout_ns = 120 * NS_PER_S;

struct bench {
	struct pg_server server; /* only its port */
	struct text conninfo;
	struct service service;
	struct probe_try probe;
};

struct writer {
	const struct bench *bench;
	void *owned_state;
	pthread_t thread;
	uint64_t first_slot;
	int64_t until_ns;
	uint64_t acknowledged_count;
	uint64_t other_count;
};

static int fail(const char *what, const struct err *e)
{
	(void)fprintf(stderr, "bench_ledger: %s: %s\n", what, e->text);
	return 1;
}

static int64_t count_of(const char *text)
{
	int64_t count = 0;
	struct err e = { 0 };

	if (!units_parse_count(text, &count, &e) || count <= 0)
		exit(fail(text, &e));
	return count;
}

static void bench_init(struct bench *bench, const char *port, const char *batch)
{
	const char *const params[] = { "batch", batch, NULL };

	*bench = (struct bench){ .server.port = (uint16_t)count_of(port) };
	pg_server_conninfo(&bench->server, &bench->conninfo);
	bench->service = (struct service){ .name = "pg", .kind = "postgres",
					   .conninfo = text_str(&bench->conninfo) };
	probe_try_init(&bench->probe, "postgres.write", params);
	bench->probe.spec.name = writer_name;
	bench->probe.spec.service = &bench->service;
}

static void bench_release(struct bench *bench)
{
	probe_try_release(&bench->probe);
	text_release(&bench->conninfo);
}

/* Whether all rows of the slot were acknowledged. */
static bool write_slot(struct writer *writer, uint64_t slot)
{
	const struct clock *clock = &writer->bench->probe.clock;
	const int64_t now_ns = clock_now_ns(clock);
	const struct attempt attempt = { .run_id = run_id, .slot = slot, .due_ns = now_ns,
					 .deadline_ns = now_ns + NS_PER_S, .clock = clock };
	struct attempt_result result = { 0 };
	struct err e = { 0 };

	writer->bench->probe.ops->sample(writer->owned_state, &attempt, &result, &e);
	return result.write == WRITE_ACKNOWLEDGED;
}

static void *write_until(void *ctx)
{
	struct writer *writer = ctx;
	const struct clock *clock = &writer->bench->probe.clock;
	const uint32_t row_count = writer->bench->probe.spec.rows_per_slot;
	uint64_t slot = writer->first_slot;

	while (clock_now_ns(clock) < writer->until_ns) {
		if (write_slot(writer, slot++))
			writer->acknowledged_count += row_count;
		else
			writer->other_count += row_count;
	}
	return NULL;
}

static int run_write(struct bench *bench, int64_t writer_count, int64_t seconds)
{
	static struct writer writers[WRITERS_MAX];
	const struct clock *clock = &bench->probe.clock;
	uint64_t acknowledged_count = 0;
	uint64_t other_count = 0;
	struct err e = { 0 };

	assert(writer_count <= WRITERS_MAX);
	for (int64_t i = 0; i < writer_count; i++) {
		writers[i] = (struct writer){ .bench = bench,
					      .first_slot = (uint64_t)i * 100000000 };
		if (!bench->probe.ops->open(&bench->probe.spec, run_id, &writers[i].owned_state, &e))
			return fail("open", &e);
		if (!write_slot(&writers[i], writers[i].first_slot++)) /* connects */
			return fail("first write", &e);
	}

	const int64_t from_ns = clock_now_ns(clock);

	for (int64_t i = 0; i < writer_count; i++) {
		writers[i].until_ns = from_ns + seconds * NS_PER_S;
		if (pthread_create(&writers[i].thread, NULL, write_until, &writers[i]) != 0)
			return fail("start a thread", &e);
	}
	for (int64_t i = 0; i < writer_count; i++) {
		(void)pthread_join(writers[i].thread, NULL);
		acknowledged_count += writers[i].acknowledged_count;
		other_count += writers[i].other_count;
	}
	(void)printf("%" PRIu64 " %" PRIu64 " %.6f\n", acknowledged_count, other_count,
		     (double)(clock_now_ns(clock) - from_ns) / (double)NS_PER_S);
	for (int64_t i = 0; i < writer_count; i++)
		bench->probe.ops->close(writers[i].owned_state);
	return 0;
}

static int run_rows(int64_t count)
{
	const uint64_t seed = ledger_seed(run_id, writer_name);

	for (int64_t i = 0; i < count; i++) {
		char payload[PAYLOAD_BYTES + 1];
		char checksum[LEDGER_CHECKSUM_BYTES];

		ledger_payload(seed, (uint64_t)i, PAYLOAD_BYTES, payload);
		ledger_checksum(seed, (uint64_t)i, payload, PAYLOAD_BYTES, checksum);
		(void)printf("%s\t%" PRId64 "\t%s\t%s\n", writer_name, i, payload, checksum);
	}
	return 0;
}

struct found {
	uint8_t *owned_rows; /* one byte each, as the engine keeps them */
	int64_t count;
	uint64_t damaged_count;
};

static void take_row(void *ctx, int64_t sequence, bool is_intact)
{
	struct found *found = ctx;

	if (sequence >= 0 && sequence < found->count)
		found->owned_rows[sequence] = 1;
	if (!is_intact)
		found->damaged_count++;
}

static long peak_kib(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static int run_read(struct bench *bench, int64_t count)
{
	const struct clock *clock = &bench->probe.clock;
	const long before_kib = peak_kib();
	const int64_t from_ns = clock_now_ns(clock);
	struct found found = { .owned_rows = mem_alloc((size_t)count), .count = count };
	const struct row_sink sink = { .row = take_row, .ctx = &found };
	uint64_t missing_count = 0;
	struct err e = { 0 };

	if (!bench->probe.ops->read_back(&bench->probe.spec, run_id, clock,
					 from_ns + read_timeout_ns, &sink, &e))
		return fail("read back", &e);
	for (int64_t i = 0; i < count; i++)
		missing_count += found.owned_rows[i] == 0;
	(void)printf("%" PRId64 " %" PRIu64 " %" PRIu64 " %ld %ld\n", clock_now_ns(clock) - from_ns,
		     missing_count, found.damaged_count, peak_kib(), peak_kib() - before_kib);
	free(found.owned_rows);
	return 0;
}

static int run_antijoin(struct bench *bench, int64_t count)
{
	const struct clock *clock = &bench->probe.clock;
	struct text missing = { 0 };
	struct text sql = { 0 };
	struct err e = { 0 };

	text_addf(&sql,
		  "select count(*) from generate_series(0, %" PRId64 "::bigint) s where not exists "
		  "(select from firedrill_ledger_%s l where l.writer = '%s' and l.seq = s)",
		  count - 1, run_id, writer_name);

	const int64_t from_ns = clock_now_ns(clock);

	if (!pg_server_sql(&bench->server, text_str(&sql), &missing, &e))
		return fail("anti-join", &e);
	(void)printf("%" PRId64 " %s\n", clock_now_ns(clock) - from_ns, text_str(&missing));
	text_release(&missing);
	text_release(&sql);
	return 0;
}

static int run_prepare(struct bench *bench)
{
	const struct clock *clock = &bench->probe.clock;
	struct err e = { 0 };

	if (!bench->probe.ops->prepare(&bench->probe.spec, run_id, clock,
				       clock_now_ns(clock) + prepare_timeout_ns, &e))
		return fail("prepare", &e);
	return 0;
}

int main(int argc, char **argv)
{
	const char *const verb = argc > 1 ? argv[1] : "";
	struct bench bench = { 0 };
	int status = 2;

	if (argc == 3 && strcmp(verb, "rows") == 0)
		return run_rows(count_of(argv[2]));
	if (argc > 2)
		bench_init(&bench, argv[2], argc == 6 ? argv[5] : "1");
	if (argc == 3 && strcmp(verb, "prepare") == 0)
		status = run_prepare(&bench);
	else if (argc == 6 && strcmp(verb, "write") == 0)
		status = run_write(&bench, count_of(argv[3]), count_of(argv[4]));
	else if (argc == 4 && strcmp(verb, "read") == 0)
		status = run_read(&bench, count_of(argv[3]));
	else if (argc == 4 && strcmp(verb, "antijoin") == 0)
		status = run_antijoin(&bench, count_of(argv[3]));
	else
		(void)fprintf(stderr, "usage: bench_ledger prepare|write|rows|read|antijoin ...\n");
	if (argc > 2)
		bench_release(&bench);
	return status;
}
