/*
 * bench_verify.c - verifying a ledger of millions of rows by the engine's own way.
 *
 *   bench_verify source COUNT           serves COUNT intact rows, one of 1999 missing, to whoever
 *                                       asks by COPY; prints its port, ends with its input
 *   bench_verify samples COUNT FILE     writes the samples of COUNT acknowledged writes, as lanes do
 *   bench_verify count PORT COUNT FILE  counts them once; prints
 *                "reading_ns readings cpu_ns after_ns missing anonymous_kib mapped_kib"
 *
 * `count` is ledger.c with the probe postgres.write and a store, then measure_ledger.c: reading_ns
 * is the median of its readings, cpu_ns what one took of this process, after_ns what reading it
 * from the store and measuring took. anonymous_kib: the peak of what this process has to hold;
 * mapped_kib: files it looked at, the samples most of all, which the kernel may take away. The
 * source is a script, not a database: it makes rows on another core about as fast as PostgreSQL
 * sends them, and no disk is read. Give a real server's port to measure that instead.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.h"
#include "engine/measure.h"
#include "engine/run.h"
#include "fixtures/probe_try.h"
#include "fixtures/script_pg.h"
#include "fixtures/temp_dir.h"
#include "probes/ledger_row.h"

enum {
	PAYLOAD_BYTES = 32,
	MISSING_OF = 1999,
	MISSING_AT = 7,
	CHUNK_BYTES = 64 << 10,
	READINGS_MAX = 16
};

static const char run_id[] = "bench";
static const char writer_name[] = "writes";

static int fail(const char *what, const char *why)
{
	(void)fprintf(stderr, "bench_verify: %s: %s\n", what, why);
	return 1;
}

/* ---- the source ---- */

static bool send_all(int fd, struct text *out)
{
	size_t sent = 0;

	while (sent < out->length_bytes) {
		const ssize_t done =
			send(fd, out->owned_bytes + sent, out->length_bytes - sent, MSG_NOSIGNAL);

		if (done <= 0)
			return false;
		sent += (size_t)done;
	}
	text_clear(out);
	return true;
}

static void add_row(uint64_t seed, uint64_t sequence, struct text *out)
{
	char payload[PAYLOAD_BYTES + 1];
	char checksum[LEDGER_CHECKSUM_BYTES];
	const char *const texts[] = { payload, checksum };

	ledger_payload(seed, sequence, PAYLOAD_BYTES, payload);
	ledger_checksum(seed, sequence, payload, PAYLOAD_BYTES, checksum);
	script_pg_copy_row((int64_t)sequence, texts, 2, out);
}

static bool stream_rows(int fd, uint64_t count, struct script_pg *session, struct text *out)
{
	const uint64_t seed = ledger_seed(run_id, writer_name);

	script_pg_copy_head(out);
	for (uint64_t sequence = 0; sequence < count; sequence++) {
		if (sequence % MISSING_OF == MISSING_AT)
			continue;
		add_row(seed, sequence, out);
		if (out->length_bytes >= CHUNK_BYTES && !send_all(fd, out))
			return false;
	}
	script_pg_copy_end(session, out);
	return true;
}

static void serve_client(int fd, uint64_t count)
{
	struct script_pg session = { 0 };
	struct text out = { 0 };
	char in[4096];
	size_t in_bytes = 0;
	bool is_well = true;

	while (is_well && !session.is_over) {
		const ssize_t got = read(fd, in + in_bytes, sizeof in - in_bytes);
		size_t used;

		if (got <= 0)
			break;
		in_bytes += (size_t)got;
		do {
			used = script_pg_answer(&session, in, in_bytes, false, &out);
			in_bytes -= used;
			memmove(in, in + used, in_bytes);
			if (session.is_copying)
				is_well = stream_rows(fd, count, &session, &out);
		} while (is_well && used > 0);
		is_well = is_well && send_all(fd, &out);
	}
	text_release(&out);
	(void)close(fd);
}

static int run_source(uint64_t count)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof address;
	const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				{ .fd = listener, .events = POLLIN } };

	(void)signal(SIGPIPE, SIG_IGN);
	if (listener == -1 || bind(listener, (struct sockaddr *)&address, sizeof address) == -1 ||
	    listen(listener, 8) == -1 ||
	    getsockname(listener, (struct sockaddr *)&address, &bytes) == -1)
		return fail("listen", "no port on loopback");
	(void)printf("%u\n", ntohs(address.sin_port));
	(void)fflush(stdout);
	while (poll(fds, 2, -1) != -1 && fds[0].revents == 0) {
		if (fds[1].revents != 0)
			serve_client(accept(listener, NULL, NULL), count);
	}
	return 0;
}

/* ---- the samples ---- */

static int run_samples(uint64_t count, const char *path)
{
	FILE *file = fopen(path, "we");

	if (file == NULL)
		return fail(path, "cannot be written");
	for (uint64_t slot = 0; slot < count; slot++) {
		const struct sample sample = { .sent_ns = NS_PER_S + (int64_t)slot * NS_PER_MS,
					       .done_ns = NS_PER_S + (int64_t)slot * NS_PER_MS +
							  200000,
					       .state = SAMPLE_GOOD,
					       .write = WRITE_ACKNOWLEDGED };

		(void)fwrite(&sample, sizeof sample, 1, file);
	}
	return fclose(file) == 0 ? 0 : fail(path, "cannot be written");
}

static bool map_samples(const char *path, uint64_t count, struct track *ret_track)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *mapped =
		fd == -1 ? MAP_FAILED
			 : mmap(NULL, count * sizeof(struct sample), PROT_READ, MAP_SHARED, fd, 0);

	if (mapped == MAP_FAILED)
		return false;
	(void)close(fd);
	*ret_track = (struct track){ .probe = writer_name,
				     .t0_ns = NS_PER_S,
				     .every_ns = NS_PER_MS,
				     .lane_count = 1,
				     .slot_count = count,
				     .samples = mapped };
	return true;
}

/* ---- counting ---- */

struct counting {
	struct probe_try probe;
	struct track track;
	int64_t reading_ns[READINGS_MAX];
	int64_t cpu_ns[READINGS_MAX];
	size_t reading_count;
};

static int64_t cpu_now_ns(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * NS_PER_US;
}

/* A line of /proc/self/status, in KiB. */
static long status_kib(const char *name)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtol(line + strlen(name) + 1, NULL, 10);
	if (file != NULL)
		(void)fclose(file);
	return kib;
}

static void count_view(void *ctx, size_t probe_index, int64_t now_ns, struct track *ret_track)
{
	const struct counting *counting = ctx;

	(void)probe_index;
	(void)now_ns;
	*ret_track = counting->track;
}

static bool count_read_back(void *ctx, const struct probe_spec *spec, int64_t deadline_ns,
			    const struct row_sink *sink, struct err *e)
{
	struct counting *counting = ctx;
	const struct clock *clock = &counting->probe.clock;
	const int64_t from_ns = clock_now_ns(clock);
	const int64_t cpu_from_ns = cpu_now_ns();
	const bool ok = counting->probe.ops->read_back(spec, run_id, clock, deadline_ns, sink, e);

	assert(counting->reading_count < READINGS_MAX);
	counting->cpu_ns[counting->reading_count] = cpu_now_ns() - cpu_from_ns;
	counting->reading_ns[counting->reading_count++] = clock_now_ns(clock) - from_ns;
	return ok;
}

static const struct outside_ops count_ops = { .view = count_view, .read_back = count_read_back };

static bool count_once(struct counting *counting, struct store *store, struct err *e)
{
	static struct run run; /* too large for the stack */
	const struct clock *clock = &counting->probe.clock;
	const struct experiment experiment = { .probes = &counting->probe.spec,
					       .probe_count = 1,
					       .settle_at_most_ns = 60 * NS_PER_S,
					       .run_at_most_ns = LIMIT_DRILL_NS };
	const struct run_request request = { .experiment = &experiment,
					     .run_id = run_id,
					     .store = store,
					     .clock = clock,
					     .outside = { &count_ops, counting } };
	const struct run_row row = { .run_id = run_id, .title = "bench", .version = "bench" };

	if (!store_run_begin(store, &row, e))
		return false;
	run = (struct run){ .request = &request,
			    .experiment = &experiment,
			    .clock = clock,
			    .begun_ns = clock_now_ns(clock),
			    .journal = { .store = store, .run_id = run_id, .clock = clock } };
	watch_init(&run.watch, &experiment, &request.outside);
	run.watch.probes[0].slot_count = counting->track.slot_count;
	run.watch.tracks[0] = counting->track;
	ledger_count_all(&run, COUNT_STABLE);
	if (run.journal.is_broken)
		*e = run.journal.failure;
	return !run.journal.is_broken;
}

static bool measure(const struct counting *counting, struct store *store, uint64_t *ret_missing,
		    struct err *e)
{
	const struct span fault = { NS_PER_S, NS_PER_S };
	struct ledger_count_result result;
	struct arena arena = { 0 };
	struct timeline timeline;

	if (!store_timeline(store, run_id, &arena, &timeline, e))
		return false;
	assert(timeline.ledger_read_count == 1);
	measure_ledger(&counting->track, &timeline.ledger_reads[0], fault, &result);
	*ret_missing = result.classes.lost;
	if (!result.is_readable)
		err_set(e, ERR_REMOTE, "%s", timeline.ledger_reads[0].error);
	else if (result.classes.corrupted + result.classes.unexpected > 0)
		err_set(e, ERR_INTERNAL, "rows are damaged or unexpected");
	arena_release(&arena);
	return e->kind == ERR_NONE;
}

static int compare(const void *a, const void *b)
{
	const int64_t left = *(const int64_t *)a;
	const int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static int64_t median_ns(int64_t *values, size_t count)
{
	qsort(values, count, sizeof *values, compare);
	return values[count / 2];
}

static int run_count(const char *port, uint64_t count, const char *path)
{
	static struct counting counting;
	struct service service = { .name = "pg", .kind = "postgres" };
	struct text conninfo = { 0 };
	struct text store_path = { 0 };
	struct store *store = NULL;
	char *folder = temp_dir_make();
	uint64_t missing = 0;
	int64_t after_ns = 0;
	struct err e = { 0 };
	bool ok;

	probe_try_init(&counting.probe, "postgres.write", NULL);
	text_addf(&conninfo, "host=127.0.0.1 port=%s user=postgres dbname=postgres", port);
	service.conninfo = text_str(&conninfo);
	counting.probe.spec.name = writer_name;
	counting.probe.spec.service = &service;
	text_addf(&store_path, "%s/store.db", folder);
	ok = map_samples(path, count, &counting.track) || err_set(&e, ERR_LIMIT, "map %s", path);
	ok = ok && store_open(text_str(&store_path), NULL, &store, &e) &&
	     count_once(&counting, store, &e);

	after_ns = clock_now_ns(&counting.probe.clock);
	ok = ok && measure(&counting, store, &missing, &e);
	after_ns = clock_now_ns(&counting.probe.clock) - after_ns;

	const long mapped_kib = status_kib("RssFile:");

	/* All samples were looked at by the first reading: whatever came later came on top. */
	if (ok)
		(void)printf("%" PRId64 " %zu %" PRId64 " %" PRId64 " %" PRIu64 " %ld %ld\n",
			     median_ns(counting.reading_ns, counting.reading_count),
			     counting.reading_count,
			     median_ns(counting.cpu_ns, counting.reading_count), after_ns, missing,
			     status_kib("VmHWM:") - mapped_kib, mapped_kib);
	store_close(store);
	probe_try_release(&counting.probe);
	text_release(&store_path);
	text_release(&conninfo);
	temp_dir_remove(folder);
	return ok ? 0 : fail("count", e.text);
}

int main(int argc, char **argv)
{
	const char *const verb = argc > 1 ? argv[1] : "";
	int64_t count = 0;
	struct err e = { 0 };

	if (argc == 3 && strcmp(verb, "source") == 0 && units_parse_count(argv[2], &count, &e))
		return run_source((uint64_t)count);
	if (argc == 4 && strcmp(verb, "samples") == 0 && units_parse_count(argv[2], &count, &e))
		return run_samples((uint64_t)count, argv[3]);
	if (argc == 5 && strcmp(verb, "count") == 0 && units_parse_count(argv[3], &count, &e))
		return run_count(argv[2], (uint64_t)count, argv[4]);
	(void)fprintf(stderr, "usage: bench_verify source|samples|count ...\n");
	return 2;
}
