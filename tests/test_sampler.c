/*
 * test_sampler.c - lanes against a listener of our own: the timetable holds when attempts hang, capped
 * lanes leave slots unsampled, and what a died process saw can be taken from its files.
 *
 * A listener whose queue is full lets every further handshake hang: the black hole of loopback.
 */
#include "engine/sampler.h"
#include "engine/engine.h"
#include "fixtures/temp_dir.h"
#include "tests/suites.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FILLERS = 16 };

struct listener {
	int fd;
	char port[8];
	int fillers[FILLERS];
	size_t filler_count;
};

static void listener_open(struct listener *listener, int backlog)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t address_bytes = sizeof address;

	*listener = (struct listener){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	ck_assert_int_ge(listener->fd, 0);
	ck_assert_int_eq(bind(listener->fd, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(listener->fd, backlog), 0);
	ck_assert_int_eq(getsockname(listener->fd, (struct sockaddr *)&address, &address_bytes), 0);
	(void)snprintf(listener->port, sizeof listener->port, "%u", ntohs(address.sin_port));
}

/* Connects until the queue is full: more wait for ever. */
static void listener_fill(struct listener *listener)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				       .sin_port = htons((uint16_t)atol(listener->port)) };

	for (size_t i = 0; i < FILLERS; i++) {
		const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		ck_assert_int_ge(fd, 0);
		(void)connect(fd, (const struct sockaddr *)&address, sizeof address);
		listener->fillers[listener->filler_count++] = fd;
	}
}

static void listener_close(struct listener *listener)
{
	for (size_t i = 0; i < listener->filler_count; i++)
		(void)close(listener->fillers[i]);
	(void)close(listener->fd);
}

static const struct param_value no_port[] = { { .name = "port", .type = PARAM_COUNT } };

/* The system's clock, pushed on by hand: to the lanes it looks as if this machine had stood still. */
static int64_t pushed_now_ns(void *ctx)
{
	const struct clock system = clock_system();

	return clock_now_ns(&system) + __atomic_load_n((const int64_t *)ctx, __ATOMIC_ACQUIRE);
}

static void pushed_sleep_until_ns(void *ctx, int64_t due_ns)
{
	const struct clock system = clock_system();

	clock_sleep_until_ns(&system, due_ns - __atomic_load_n((const int64_t *)ctx, __ATOMIC_ACQUIRE));
}

/* Twenty times as quick: to the lanes this machine is that slow. */
static int64_t quick_now_ns(void *ctx)
{
	const struct clock system = clock_system();
	const int64_t *begun_ns = ctx;

	return *begun_ns + 20 * (clock_now_ns(&system) - *begun_ns);
}

struct bench {
	char folder[64];
	int64_t pushed_ns;
	struct clock clock;
	struct listener listener;
	struct service service;
	struct probe_spec spec;
	struct sampler *sampler;
	struct track track;
};

static void bench_open(struct bench *bench, bool is_black_hole, uint32_t lane_count)
{
	struct err e = { 0 };

	*bench = (struct bench){ 0 };
	bench->clock = (struct clock){ .now_ns = pushed_now_ns,
				       .sleep_until_ns = pushed_sleep_until_ns,
				       .wall_ns = clock_system().wall_ns,
				       .ctx = &bench->pushed_ns };
	temp_dir_name(bench->folder, sizeof bench->folder);
	listener_open(&bench->listener, is_black_hole ? 0 : 1024);
	if (is_black_hole)
		listener_fill(&bench->listener);
	bench->service = (struct service){ .name = "s", .kind = "tcp", .address = "127.0.0.1",
					   .port = (uint16_t)atol(bench->listener.port) };
	bench->spec = (struct probe_spec){ .name = "port", .kind = "tcp.connect",
					   .service = &bench->service, .every_ns = 10 * NS_PER_MS,
					   .timeout_ns = 200 * NS_PER_MS, .lane_count = lane_count,
					   .is_required = true,
					   .params = { .values = no_port, .count = 1 } };

	const struct sampler_request request = { .spec = &bench->spec, .run_id = "r",
						 .clock = &bench->clock, .sample_dir = bench->folder,
						 .at_most_ns = 60 * NS_PER_S };

	ck_assert_msg(sampler_open(&request, &bench->sampler, &e), "%s", e.text);
}

static const int64_t push_after_ns = 200 * NS_PER_MS;

/* Runs for so long, and stands still for push_ns on the way. */
static void bench_run_pushed(struct bench *bench, int64_t for_ns, int64_t push_ns)
{
	const int64_t t0_ns = clock_now_ns(&bench->clock) + 20 * NS_PER_MS;
	int64_t push_at_ns = push_ns == 0 ? INT64_MAX : t0_ns + push_after_ns;
	struct err e = { 0 };
	bool is_fifo;

	ck_assert_msg(sampler_start(bench->sampler, t0_ns, &is_fifo, &e), "%s", e.text);
	/* A view while the lanes write is what the run thread does all the time. */
	while (clock_now_ns(&bench->clock) < t0_ns + for_ns) {
		sampler_view(bench->sampler, clock_now_ns(&bench->clock), &bench->track);
		for (uint64_t i = 0; i < bench->track.slot_count; i++)
			(void)sample_state_now(&bench->track.samples[i]);
		if (clock_now_ns(&bench->clock) >= push_at_ns) {
			__atomic_store_n(&bench->pushed_ns, push_ns, __ATOMIC_RELEASE);
			push_at_ns = INT64_MAX;
		}
		clock_sleep_until_ns(&bench->clock, clock_now_ns(&bench->clock) + 20 * NS_PER_MS);
	}
	sampler_stop_begin(bench->sampler);
	sampler_stop_wait(bench->sampler);
	sampler_view(bench->sampler, clock_now_ns(&bench->clock), &bench->track);
}

static void bench_run(struct bench *bench, int64_t for_ns)
{
	bench_run_pushed(bench, for_ns, 0);
}

static void bench_close(struct bench *bench)
{
	sampler_close(bench->sampler);
	listener_close(&bench->listener);
	ck_assert_int_eq(rmdir(bench->folder), 0); /* no file stayed behind */
}

static uint64_t count_state(const struct bench *bench, enum sample_state state)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < bench->track.slot_count; i++)
		count += bench->track.samples[i].state == state ? 1 : 0;
	return count;
}

START_TEST(test_sampler_answering_service_has_every_slot_good)
{
	struct bench bench;

	bench_open(&bench, false, 20);
	bench_run(&bench, 500 * NS_PER_MS);
	ck_assert_uint_ge(bench.track.slot_count, 40);
	ck_assert_uint_eq(count_state(&bench, SAMPLE_GOOD), bench.track.slot_count);
	for (uint64_t i = 0; i < bench.track.slot_count; i++) {
		ck_assert_int_ge(bench.track.samples[i].sent_ns, track_due_ns(&bench.track, i));
		ck_assert_int_ge(bench.track.samples[i].done_ns, bench.track.samples[i].sent_ns);
	}
	bench_close(&bench);
}
END_TEST

START_TEST(test_sampler_hanging_service_still_has_every_slot_sampled)
{
	struct bench bench;

	bench_open(&bench, true, 20); /* 20 lanes * 10 ms = the timeout */
	bench_run(&bench, 600 * NS_PER_MS);
	ck_assert_uint_eq(count_state(&bench, SAMPLE_BAD) + count_state(&bench, SAMPLE_SKIPPED),
			  bench.track.slot_count);
	ck_assert_uint_gt(count_state(&bench, SAMPLE_BAD), bench.track.slot_count / 2);
	ck_assert_uint_ge(bench.track.error_count, 1);
	for (uint64_t i = 0; i < bench.track.slot_count; i++)
		if (bench.track.samples[i].state == SAMPLE_BAD)
			ck_assert_int_ge(bench.track.samples[i].done_ns,
					 track_due_ns(&bench.track, i) + 199 * NS_PER_MS);
	bench_close(&bench);
}
END_TEST

START_TEST(test_sampler_capped_lanes_leave_slots_not_sampled)
{
	struct bench bench;

	bench_open(&bench, true, 2);
	bench_run(&bench, 600 * NS_PER_MS);
	ck_assert_uint_gt(count_state(&bench, SAMPLE_NONE), count_state(&bench, SAMPLE_BAD));
	ck_assert_uint_gt(count_state(&bench, SAMPLE_BAD), 0);
	bench_close(&bench);
}
END_TEST

static uint64_t count_late(const struct bench *bench)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < bench->track.slot_count; i++)
		count += track_is_late(&bench->track, i) ? 1 : 0;
	return count;
}

/* A slot of which nothing was left when the lane woke is ours to answer for, not the service's. */
START_TEST(test_sampler_machine_stood_still_longer_than_the_timeout_skips)
{
	struct bench bench;

	bench_open(&bench, false, 20); /* timeout 200 ms */
	bench_run_pushed(&bench, 1200 * NS_PER_MS, 500 * NS_PER_MS);
	ck_assert_uint_ge(count_state(&bench, SAMPLE_SKIPPED), 25); /* of 30: 500 - 200 ms */
	ck_assert_uint_eq(count_state(&bench, SAMPLE_BAD), 0);
	ck_assert_uint_ge(bench.track.error_count, 1);
	ck_assert_ptr_nonnull(strstr(bench.track.error_texts[0], "this machine was too busy"));
	ck_assert_uint_eq(sampler_yielded_count(bench.sampler), 0); /* once is no habit */
	bench_close(&bench);
}
END_TEST

/* Those sent although the next slot was due already are samples, and are known to be late. */
START_TEST(test_sampler_machine_stood_still_for_less_sends_late_and_says_so)
{
	struct bench bench;

	bench_open(&bench, false, 20);
	bench_run_pushed(&bench, 700 * NS_PER_MS, 150 * NS_PER_MS);
	ck_assert_uint_ge(count_late(&bench), 12); /* of 15 that were due meanwhile */
	ck_assert_uint_ge(count_state(&bench, SAMPLE_GOOD), bench.track.slot_count - 1);
	bench_close(&bench);
}
END_TEST

/* Sent late, and then out of time: the service was given too little of it to be called down. */
START_TEST(test_sampler_late_attempt_out_of_time_is_skipped_not_bad)
{
	struct bench bench;
	uint64_t robbed_count = 0;

	bench_open(&bench, true, 20);
	bench_run_pushed(&bench, 700 * NS_PER_MS, 150 * NS_PER_MS);
	for (uint64_t i = 0; i < bench.track.slot_count; i++) {
		const struct sample *sample = &bench.track.samples[i];
		const int64_t late_ns = sample->sent_ns - track_due_ns(&bench.track, i);

		if (sample->state == SAMPLE_BAD)
			ck_assert_int_le(late_ns, 20 * NS_PER_MS); /* a tenth of the timeout */
		robbed_count += sample->state == SAMPLE_SKIPPED && late_ns < 200 * NS_PER_MS;
	}
	ck_assert_uint_ge(robbed_count, 10);
	bench_close(&bench);
}
END_TEST

/* What wants more than the machine has must not keep it from everybody else. */
START_TEST(test_sampler_lane_that_keeps_waking_late_gives_real_time_up)
{
	const struct clock system = clock_system();
	const int64_t deadline_ns = clock_now_ns(&system) + 20 * NS_PER_S;
	int64_t begun_ns = clock_now_ns(&system);
	struct bench bench;
	struct err e = { 0 };
	bool is_fifo;

	bench_open(&bench, false, 1);
	bench.clock = (struct clock){ .now_ns = quick_now_ns, .ctx = &begun_ns };
	ck_assert(sampler_start(bench.sampler, clock_now_ns(&bench.clock), &is_fifo, &e));
	while (sampler_yielded_count(bench.sampler) == 0 && clock_now_ns(&system) < deadline_ns)
		clock_sleep_until_ns(&system, clock_now_ns(&system) + NS_PER_MS);
	ck_assert_uint_eq(sampler_yielded_count(bench.sampler), 1);
	sampler_stop_begin(bench.sampler);
	sampler_stop_wait(bench.sampler);
	bench_close(&bench);
}
END_TEST

/* The end of a run must not wait for lanes that sleep for seconds. */
START_TEST(test_sampler_stop_wakes_lanes_that_sleep)
{
	struct bench bench;
	struct err e = { 0 };
	int64_t from_ns;
	bool is_fifo;

	bench_open(&bench, false, 1);
	bench.spec.every_ns = NS_PER_S;

	const int64_t t0_ns = clock_now_ns(&bench.clock) + 30 * NS_PER_S;

	ck_assert(sampler_start(bench.sampler, t0_ns, &is_fifo, &e));
	from_ns = clock_now_ns(&bench.clock);
	sampler_stop_begin(bench.sampler);
	sampler_stop_wait(bench.sampler);
	ck_assert_int_lt(clock_now_ns(&bench.clock) - from_ns, 5 * NS_PER_S);
	bench_close(&bench);
}
END_TEST

START_TEST(test_sampler_shift_spreads_probes_over_one_slot)
{
	ck_assert_int_eq(sampler_shift_ns(100, 0, 1), 0);
	ck_assert_int_eq(sampler_shift_ns(100 * NS_PER_MS, 0, 1000), 0);
	ck_assert_int_eq(sampler_shift_ns(100 * NS_PER_MS, 1, 1000), 100 * NS_PER_US);
	ck_assert_int_lt(sampler_shift_ns(3600 * NS_PER_S, LIMIT_PROBES - 1, LIMIT_PROBES),
			 3600 * NS_PER_S);
}
END_TEST

START_TEST(test_sampler_open_full_disk_is_refused_before_the_run)
{
	struct bench bench;
	struct sampler *sampler = NULL;
	struct err e = { 0 };

	bench_open(&bench, false, 1);

	const struct sampler_request request = { .spec = &bench.spec, .run_id = "full",
						 .clock = &bench.clock, .sample_dir = "/proc/nowhere",
						 .at_most_ns = NS_PER_S };

	ck_assert(!sampler_open(&request, &sampler, &e));
	ck_assert_int_eq(e.kind, ERR_LIMIT);
	ck_assert_ptr_null(sampler);
	bench_close(&bench);
}
END_TEST

/* A run that ended beside us has found it empty and taken it away. */
START_TEST(test_sampler_open_folder_gone_is_made_again)
{
	struct bench bench;
	struct sampler *sampler = NULL;
	char folder[sizeof bench.folder + 8];
	struct err e = { 0 };

	bench_open(&bench, false, 1);
	(void)snprintf(folder, sizeof folder, "%s/gone", bench.folder);

	const struct sampler_request request = { .spec = &bench.spec, .run_id = "r",
						 .clock = &bench.clock, .sample_dir = folder,
						 .at_most_ns = NS_PER_S };

	ck_assert_msg(sampler_open(&request, &sampler, &e), "%s", e.text);
	sampler_close(sampler);
	ck_assert_int_eq(rmdir(folder), 0); /* it was made, and the file in it is gone */
	bench_close(&bench);
}
END_TEST

void suite_sampler(Suite *suite)
{
	TCase *tcase = tcase_create("sampler");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_sampler_answering_service_has_every_slot_good);
	tcase_add_test(tcase, test_sampler_hanging_service_still_has_every_slot_sampled);
	tcase_add_test(tcase, test_sampler_capped_lanes_leave_slots_not_sampled);
	tcase_add_test(tcase, test_sampler_machine_stood_still_longer_than_the_timeout_skips);
	tcase_add_test(tcase, test_sampler_machine_stood_still_for_less_sends_late_and_says_so);
	tcase_add_test(tcase, test_sampler_late_attempt_out_of_time_is_skipped_not_bad);
	tcase_add_test(tcase, test_sampler_lane_that_keeps_waking_late_gives_real_time_up);
	tcase_add_test(tcase, test_sampler_stop_wakes_lanes_that_sleep);
	tcase_add_test(tcase, test_sampler_shift_spreads_probes_over_one_slot);
	tcase_add_test(tcase, test_sampler_open_full_disk_is_refused_before_the_run);
	tcase_add_test(tcase, test_sampler_open_folder_gone_is_made_again);
	suite_add_tcase(suite, tcase);
}
