/*
 * bench_lanes.c - how late the lanes really are, and what a sample costs.
 *
 *   bench_lanes WHAT PROBES EVERY LANES DURATION [PORT]     ("kept 100 10ms 10 1s 8080")
 *
 * WHAT is `tcp` (tcp.connect on a listener in this process), `kept` or `fresh` (http.get on PORT of
 * this machine, on kept connections or a new one for each sample). Prints one line:
 *
 *   fifo slots bad unsampled late p50_ns p99_ns max_ns cpu_ns lane_kib bare_p50_ns bare_p99_ns bare_max_ns
 *
 * `unsampled` were skipped or not sampled; `late` were sent only once the next slot was due; cpu_ns
 * is this process's for one sample; lane_kib the memory that one lane took. The probes' timetables
 * are spread over one `every`, as the engine does, and the first round, in which every lane connects
 * for the first time, is not counted. Before it, one bare thread that does nothing but sleep to as
 * many times, with the same scheduling: what this machine can do at best.
 */
#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/units.h"
#include "engine/sampler.h"
#include "fixtures/probe_try.h"
#include "fixtures/tcp_server.h"
#include "fixtures/temp_dir.h"

static const int64_t lead_ns = 100 * NS_PER_MS; /* from the start of the threads to the first slot */

struct wish {
	const char *what;
	size_t probe_count;
	int64_t every_ns;
	uint32_t lane_count;
	int64_t duration_ns;
	uint16_t port;
};

struct late {
	int64_t p50_ns;
	int64_t p99_ns;
	int64_t max_ns;
};

struct result {
	bool is_fifo;
	uint64_t slot_count;
	uint64_t bad_count;
	uint64_t unsampled_count;
	uint64_t late_count;
	struct late late;
	int64_t cpu_ns;
	int64_t lane_kib;
};

struct load {
	const struct wish *wish;
	struct clock clock;
	struct service service;
	char url[64];
	struct probe_try *owned_probes;
	struct sampler **owned_samplers;
	size_t open_count;
};

static int compare(const void *a, const void *b)
{
	const int64_t left = *(const int64_t *)a;
	const int64_t right = *(const int64_t *)b;

	return left < right ? -1 : left > right ? 1 : 0;
}

static void rank(int64_t *values, size_t count, struct late *ret_late)
{
	*ret_late = (struct late){ 0 };
	if (count == 0)
		return;
	qsort(values, count, sizeof *values, compare);
	ret_late->p50_ns = values[(count * 50 + 99) / 100 - 1];
	ret_late->p99_ns = values[(count * 99 + 99) / 100 - 1];
	ret_late->max_ns = values[count - 1];
}

/* ---- the yardstick ---- */

struct bare {
	int64_t every_ns;
	size_t count;
	int64_t *owned_late_ns;
};

static void *sleep_on_time(void *ctx)
{
	struct bare *bare = ctx;
	const struct clock clock = clock_system();
	const int64_t t0_ns = clock_now_ns(&clock) + lead_ns;

	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* as lanes do */
	for (size_t i = 0; i < bare->count; i++) {
		const int64_t due_ns = t0_ns + (int64_t)i * bare->every_ns;

		clock_sleep_until_ns(&clock, due_ns);
		bare->owned_late_ns[i] = clock_now_ns(&clock) - due_ns;
	}
	return NULL;
}

static bool run_bare(const struct wish *wish, struct late *ret_late)
{
	const struct sched_param priority = { .sched_priority = 1 };
	struct bare bare = { .every_ns = wish->every_ns / (int64_t)wish->probe_count };
	pthread_t thread;

	bare.count = (size_t)(wish->duration_ns / bare.every_ns);
	bare.owned_late_ns = mem_alloc((bare.count + 1) * sizeof *bare.owned_late_ns);

	const bool ok = pthread_create(&thread, NULL, sleep_on_time, &bare) == 0;

	if (ok) {
		(void)pthread_setschedparam(thread, SCHED_FIFO, &priority); /* as lanes do */
		(void)pthread_join(thread, NULL);
		rank(bare.owned_late_ns, bare.count, ret_late);
	}
	free(bare.owned_late_ns);
	return ok;
}

/* ---- the lanes ---- */

static int64_t cpu_ns(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * NS_PER_US;
}

/* Private memory of this process; the kernel's part of a thread (its stack there) is not in it. */
static int64_t private_kib(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	int64_t total_kib = 0;

	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		const char *number = strncmp(line, "Private_Dirty:", 14) == 0 ? line + 14 : NULL;

		if (number != NULL)
			total_kib += strtol(number, NULL, 10);
	}
	if (file != NULL)
		(void)fclose(file); /* it was only read */
	return total_kib;
}

static bool open_load(struct load *load, const char *dir, struct err *e)
{
	const struct wish *wish = load->wish;
	const bool is_tcp = strcmp(wish->what, "tcp") == 0;
	const char *const params[] = { "fresh", strcmp(wish->what, "kept") == 0 ? "false" : "true",
				       NULL };

	load->service = (struct service){ .name = "s", .kind = is_tcp ? "tcp" : "http",
					  .address = "127.0.0.1", .port = wish->port,
					  .url = load->url };
	(void)snprintf(load->url, sizeof load->url, "http://127.0.0.1:%u/", (unsigned)wish->port);
	load->owned_probes = mem_alloc(wish->probe_count * sizeof *load->owned_probes);
	load->owned_samplers = mem_alloc(wish->probe_count * sizeof(struct sampler *));
	for (size_t i = 0; i < wish->probe_count; i++) {
		struct probe_spec *spec = &load->owned_probes[i].spec;
		char name[24];

		(void)snprintf(name, sizeof name, "p%zu", i);
		probe_try_init(&load->owned_probes[i], is_tcp ? "tcp.connect" : "http.get",
			       is_tcp ? NULL : params);
		load->open_count++;
		spec->name = arena_copy(&load->owned_probes[i].arena, name);
		spec->service = &load->service;
		spec->every_ns = wish->every_ns;
		spec->timeout_ns = wish->every_ns * wish->lane_count;
		spec->lane_count = wish->lane_count;

		const struct sampler_request request = {
			.spec = spec, .run_id = "bench", .clock = &load->clock, .sample_dir = dir,
			.at_most_ns = wish->duration_ns + spec->timeout_ns + NS_PER_S,
		};

		if (!sampler_open(&request, &load->owned_samplers[i], e))
			return false;
	}
	return true;
}

static bool run_load(struct load *load, struct result *ret_result, struct err *e)
{
	const struct wish *wish = load->wish;
	const int64_t t0_ns = clock_now_ns(&load->clock) + lead_ns +
			      (int64_t)(wish->probe_count * wish->lane_count) * 50 * NS_PER_US;
	const int64_t from_kib = private_kib();
	int64_t from_cpu_ns;

	ret_result->is_fifo = true;
	for (size_t i = 0; i < wish->probe_count; i++) {
		const int64_t shift_ns = sampler_shift_ns(wish->every_ns, i, wish->probe_count);
		bool is_fifo;

		if (!sampler_start(load->owned_samplers[i], t0_ns + shift_ns, &is_fifo, e))
			return false;
		ret_result->is_fifo = ret_result->is_fifo && is_fifo;
	}
	const int64_t from_ns = t0_ns + wish->every_ns * wish->lane_count;

	clock_sleep_until_ns(&load->clock, from_ns);
	from_cpu_ns = cpu_ns();
	clock_sleep_until_ns(&load->clock, from_ns + wish->duration_ns);
	ret_result->cpu_ns = cpu_ns() - from_cpu_ns;
	ret_result->lane_kib = private_kib() - from_kib;
	for (size_t i = 0; i < wish->probe_count; i++)
		sampler_stop_begin(load->owned_samplers[i]);
	for (size_t i = 0; i < wish->probe_count; i++)
		sampler_stop_wait(load->owned_samplers[i]);
	return true;
}

static void count_load(const struct load *load, struct result *result)
{
	const struct wish *wish = load->wish;
	const size_t most = (size_t)((wish->duration_ns + NS_PER_S) / wish->every_ns) +
			    2 + wish->lane_count;
	int64_t *late_ns = mem_alloc(most * wish->probe_count * sizeof *late_ns);
	size_t count = 0;

	for (size_t i = 0; i < wish->probe_count; i++) {
		struct track track;

		sampler_view(load->owned_samplers[i], clock_now_ns(&load->clock), &track);
		for (uint64_t slot = wish->lane_count; slot < track.slot_count; slot++) {
			const struct sample *sample = &track.samples[slot];
			const bool is_taken = sample->state == SAMPLE_GOOD || sample->state == SAMPLE_BAD;
			const int64_t value_ns = sample->sent_ns - track_due_ns(&track, slot);

			result->slot_count++;
			result->bad_count += sample->state == SAMPLE_BAD;
			result->unsampled_count += !is_taken;
			result->late_count += is_taken && value_ns >= track.every_ns;
			assert(count < most * wish->probe_count);
			if (is_taken)
				late_ns[count++] = value_ns;
		}
	}
	rank(late_ns, count, &result->late);
	result->cpu_ns /= count > 0 ? (int64_t)count : 1;
	result->lane_kib /= (int64_t)(wish->probe_count * wish->lane_count);
	free(late_ns);
}

static bool measure(const struct wish *wish, const char *dir, struct result *ret_result, struct err *e)
{
	struct load load = { .wish = wish, .clock = clock_system() };
	const bool ok = open_load(&load, dir, e) && run_load(&load, ret_result, e);

	if (ok)
		count_load(&load, ret_result);
	for (size_t i = 0; i < load.open_count; i++)
		sampler_close(load.owned_samplers[i]);
	for (size_t i = 0; i < load.open_count; i++)
		probe_try_release(&load.owned_probes[i]);
	free(load.owned_samplers);
	free(load.owned_probes);
	return ok;
}

static bool read_wish(int argc, char **argv, struct wish *ret_wish, struct err *e)
{
	int64_t probes = 0;
	int64_t lanes = 0;
	int64_t port = 0;

	if (argc < 6 || argc > 7 || !units_parse_count(argv[2], &probes, e) || probes < 1 ||
	    !units_parse_duration(argv[3], &ret_wish->every_ns, e) ||
	    !units_parse_count(argv[4], &lanes, e) || lanes < 1 || lanes > LIMIT_LANES ||
	    !units_parse_duration(argv[5], &ret_wish->duration_ns, e) ||
	    (argc == 7 && !units_parse_count(argv[6], &port, e)) ||
	    ret_wish->every_ns < LIMIT_EVERY_MIN_NS)
		return false;
	ret_wish->what = argv[1];
	ret_wish->probe_count = (size_t)probes;
	ret_wish->lane_count = (uint32_t)lanes;
	ret_wish->port = (uint16_t)port;
	return (argc == 6) == (strcmp(argv[1], "tcp") == 0);
}

int main(int argc, char **argv)
{
	struct tcp_server *server = NULL;
	struct result result = { 0 };
	struct wish wish = { 0 };
	struct late bare;
	struct err e = { 0 };

	if (!read_wish(argc, argv, &wish, &e)) {
		(void)fprintf(stderr, "usage: bench_lanes tcp|kept|fresh PROBES EVERY LANES DURATION "
				      "[PORT]\n");
		return 2;
	}
	if (wish.port == 0) {
		server = tcp_server_open(TCP_SERVER_REPLIES, "", 0);
		wish.port = tcp_server_port(server);
	}

	char *dir = temp_dir_make();
	const bool ok = run_bare(&wish, &bare) && measure(&wish, dir, &result, &e);

	if (ok)
		(void)printf("%d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64
			     " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
			     " %" PRId64 "\n",
			     result.is_fifo, result.slot_count, result.bad_count,
			     result.unsampled_count, result.late_count, result.late.p50_ns,
			     result.late.p99_ns, result.late.max_ns, result.cpu_ns, result.lane_kib,
			     bare.p50_ns, bare.p99_ns, bare.max_ns);
	else
		(void)fprintf(stderr, "bench_lanes: %s\n", e.text);
	tcp_server_close(server);
	temp_dir_remove(dir);
	return ok ? 0 : 1;
}
