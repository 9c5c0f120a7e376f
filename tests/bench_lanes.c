/*
 * bench_lanes.c - how late the lanes really are.
 *
 *   bench_lanes EVERY TIMEOUT DURATION   ("1ms 20ms 2s") prints one line:
 *     fifo lanes slots unsampled late_p50_ns late_p99_ns late_max_ns bare_p50_ns bare_p99_ns bare_max_ns
 *
 * The probe tcp.connect runs on the engine's sampler against a listener in this process. Before it,
 * one bare thread that does nothing but sleep to the same absolute times, with the same scheduling:
 * what this machine can do at best, and the yardstick for ours.
 */
#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/units.h"
#include "engine/measure_latency.h"
#include "engine/sampler.h"
#include "fixtures/probe_try.h"
#include "fixtures/tcp_server.h"
#include "fixtures/temp_dir.h"

enum { BARE_SLOTS_MAX = 100000 };

static const int64_t lead_ns = 20 * NS_PER_MS; /* from the start of the threads to the first slot */

struct bare {
	struct track track;
	struct sample *owned_samples;
};

static void *sleep_on_time(void *ctx)
{
	struct bare *bare = ctx;
	const struct clock clock = clock_system();

	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* as lanes do */
	for (uint64_t slot = 0; slot < bare->track.slot_count; slot++) {
		clock_sleep_until_ns(&clock, track_due_ns(&bare->track, slot));
		bare->owned_samples[slot].sent_ns = clock_now_ns(&clock);
		bare->owned_samples[slot].done_ns = bare->owned_samples[slot].sent_ns;
		bare->owned_samples[slot].state = SAMPLE_GOOD;
	}
	return NULL;
}

static void measure_starts(const struct track *track, struct latency *ret_late)
{
	const struct latency_window all = { .of = LATENCY_START, .until_ns = INT64_MAX,
					    .done_before_ns = INT64_MAX };

	measure_latency(track, &all, ret_late);
}

static bool run_bare(int64_t every_ns, int64_t duration_ns, struct latency *ret_late)
{
	const struct sched_param priority = { .sched_priority = 1 };
	const struct clock clock = clock_system();
	const int64_t slots = duration_ns / every_ns;
	struct bare bare = { .track = { .probe = "bare", .every_ns = every_ns, .lane_count = 1 } };
	pthread_t thread;

	bare.track.slot_count = (uint64_t)(slots < BARE_SLOTS_MAX ? slots : BARE_SLOTS_MAX);
	bare.owned_samples = mem_alloc(bare.track.slot_count * sizeof *bare.owned_samples);
	bare.track.samples = bare.owned_samples;
	bare.track.t0_ns = clock_now_ns(&clock) + lead_ns;
	if (pthread_create(&thread, NULL, sleep_on_time, &bare) != 0) {
		free(bare.owned_samples);
		return false;
	}
	(void)pthread_setschedparam(thread, SCHED_FIFO, &priority); /* as lanes do */
	(void)pthread_join(thread, NULL);
	measure_starts(&bare.track, ret_late);
	free(bare.owned_samples);
	return true;
}

static void print_late(bool is_fifo, const struct track *track, const struct latency *late,
		       const struct latency *bare)
{
	uint64_t unsampled_count = 0;

	for (uint64_t slot = 0; slot < track->slot_count; slot++) {
		const uint8_t state = track->samples[slot].state;

		unsampled_count += state == SAMPLE_NONE || state == SAMPLE_SKIPPED;
	}
	(void)printf("%d %u %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
		     " %" PRId64 " %" PRId64 "\n",
		     is_fifo, (unsigned)track->lane_count, track->slot_count, unsampled_count,
		     late->p50_ns, late->p99_ns, late->max_ns, bare->p50_ns, bare->p99_ns,
		     bare->max_ns);
}

static bool run_lanes(const struct probe_spec *spec, int64_t duration_ns,
		      const struct latency *bare, const char *dir, struct err *e)
{
	const struct clock clock = clock_system();
	const struct sampler_request request = {
		.spec = spec, .run_id = "bench", .clock = &clock, .sample_dir = dir,
		.at_most_ns = duration_ns + NS_PER_S,
	};
	struct sampler *sampler = NULL;
	struct latency late;
	struct track track;
	bool is_fifo = false;

	if (!sampler_open(&request, &sampler, e))
		return false;

	const int64_t t0_ns = clock_now_ns(&clock) + lead_ns;

	if (!sampler_start(sampler, t0_ns, &is_fifo, e)) {
		sampler_close(sampler);
		return false;
	}
	clock_sleep_until_ns(&clock, t0_ns + duration_ns);
	sampler_stop_begin(sampler);
	sampler_stop_wait(sampler);
	sampler_view(sampler, clock_now_ns(&clock), &track);
	measure_starts(&track, &late);
	print_late(is_fifo, &track, &late, bare);
	sampler_close(sampler);
	return true;
}

int main(int argc, char **argv)
{
	struct service service = { .name = "listener", .kind = "tcp", .address = "127.0.0.1" };
	struct probe_try probe;
	struct latency bare;
	int64_t duration_ns = 0;
	struct err e = { 0 };

	probe_try_init(&probe, "tcp.connect", NULL);
	if (argc != 4 || !units_parse_duration(argv[1], &probe.spec.every_ns, &e) ||
	    !units_parse_duration(argv[2], &probe.spec.timeout_ns, &e) ||
	    !units_parse_duration(argv[3], &duration_ns, &e)) {
		(void)fprintf(stderr, "usage: bench_lanes EVERY TIMEOUT DURATION\n");
		return 2;
	}

	struct tcp_server *server = tcp_server_open(TCP_SERVER_REPLIES, "", 0);
	char *dir = temp_dir_make();
	bool ok;

	service.port = tcp_server_port(server);
	probe.spec.service = &service;
	probe.spec.lane_count = (uint32_t)((probe.spec.timeout_ns + probe.spec.every_ns - 1) /
					   probe.spec.every_ns);
	ok = run_bare(probe.spec.every_ns, duration_ns, &bare) &&
	     run_lanes(&probe.spec, duration_ns, &bare, dir, &e);
	if (!ok)
		(void)fprintf(stderr, "bench_lanes: %s\n", e.text);
	tcp_server_close(server);
	temp_dir_remove(dir);
	probe_try_release(&probe);
	return ok ? 0 : 1;
}
