/*
 * sampler.c - see sampler.h.
 *
 * What the lanes share with the run thread is the samples and the error texts. A sample is complete
 * once its state is not SAMPLE_NONE; the state is written last. Texts are only ever added.
 */
#include "engine/sampler.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "engine/engine.h"

enum { LANE_STACK_BYTES = 512 << 10 };

_Static_assert(sizeof(struct sample_file_head) <= SAMPLE_FILE_HEAD_BYTES, "the head has its room");

/* How soon a sleeping lane notices that it shall stop. */
static const int64_t nap_ns = 200 * NS_PER_MS;

struct lane {
	struct sampler *sampler;
	uint32_t index;
	void *owned_state;
	pthread_t thread;
	bool is_running;
};

struct sampler {
	const struct probe_spec *spec;
	const struct probe_ops *ops;
	const char *run_id;
	const struct clock *clock;
	char *owned_path;
	int fd;
	struct sample_file_head *owned_head; /* mapped */
	struct sample *samples;              /* behind the head */
	uint64_t slot_room;
	size_t map_bytes;
	int64_t t0_ns;
	struct lane lanes[LIMIT_LANES];
	uint32_t lane_count;
	atomic_int_fast64_t stopped_ns; /* 0 while running: slots due later are none */
	char *owned_error_texts[LIMIT_ERROR_TEXTS]; /* each set once, with release */
};

enum sample_state sample_state_now(const struct sample *sample)
{
	return (enum sample_state)__atomic_load_n(&sample->state, __ATOMIC_ACQUIRE);
}

/* The number of this text, from 1. Lanes race for free places; a text is never changed again. */
static uint16_t error_number(struct sampler *sampler, const char *text)
{
	char *fresh = NULL;

	for (size_t i = 0; i < LIMIT_ERROR_TEXTS; i++) {
		char **place = &sampler->owned_error_texts[i];
		char *there = __atomic_load_n(place, __ATOMIC_ACQUIRE);

		if (there == NULL) {
			if (fresh == NULL)
				fresh = mem_copy(text);
			if (__atomic_compare_exchange_n(place, &there, fresh, false,
							__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
				return (uint16_t)(i + 1);
		}
		if (strcmp(there, text) == 0) {
			free(fresh);
			return (uint16_t)(i + 1);
		}
	}
	free(fresh);
	return LIMIT_ERROR_TEXTS; /* full: the last one stands for all further kinds */
}

static void take_sample(struct lane *lane, uint64_t slot, int64_t due_ns)
{
	struct sampler *sampler = lane->sampler;
	const struct attempt attempt = {
		.run_id = sampler->run_id,
		.slot = slot,
		.due_ns = due_ns,
		.deadline_ns = due_ns + sampler->spec->timeout_ns,
		.clock = sampler->clock,
	};
	struct sample *sample = &sampler->samples[slot];
	struct attempt_result result = { 0 };
	struct err e = { 0 };

	sample->sent_ns = clock_now_ns(sampler->clock);
	sampler->ops->sample(lane->owned_state, &attempt, &result, &e);
	assert(result.state != SAMPLE_NONE);
	sample->done_ns = clock_now_ns(sampler->clock);
	sample->write = (uint8_t)result.write;
	/* A good sample may carry a remark ("not yet replicated"): kept like an error. */
	sample->error_index = e.kind == ERR_NONE ? 0 : error_number(sampler, e.text);
	__atomic_store_n(&sample->state, (uint8_t)result.state, __ATOMIC_RELEASE);
}

/* Our own shortage: this machine did not let the lane run while the slot could still be sampled. */
static void skip_slot(struct sampler *sampler, uint64_t slot, int64_t now_ns)
{
	struct sample *sample = &sampler->samples[slot];

	sample->sent_ns = now_ns;
	sample->done_ns = now_ns;
	sample->error_index = error_number(sampler, "this machine was too busy to sample in time");
	__atomic_store_n(&sample->state, (uint8_t)SAMPLE_SKIPPED, __ATOMIC_RELEASE);
}

static bool sleep_until_due(struct sampler *sampler, int64_t due_ns)
{
	for (;;) {
		const int64_t now_ns = clock_now_ns(sampler->clock);
		const int64_t stopped_ns = atomic_load(&sampler->stopped_ns);

		if (stopped_ns != 0 && due_ns >= stopped_ns)
			return false;
		if (now_ns >= due_ns)
			return true;
		clock_sleep_until_ns(sampler->clock,
				     due_ns - now_ns < nap_ns ? due_ns : now_ns + nap_ns);
	}
}

static void *lane_main(void *ctx)
{
	struct lane *lane = ctx;
	struct sampler *sampler = lane->sampler;
	int64_t free_ns = 0; /* when the lane's last attempt ended */

	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* finer wake-ups where granted */
	for (uint64_t slot = lane->index; slot < sampler->slot_room; slot += sampler->lane_count) {
		const int64_t due_ns = sampler->t0_ns + (int64_t)slot * sampler->spec->every_ns;

		/* With capped lanes an attempt may outlast the lane's next slot: that is not sampled,
		   and lateness of ours is not theirs. */
		if (free_ns > due_ns + sampler->spec->every_ns)
			continue;
		if (!sleep_until_due(sampler, due_ns))
			break;

		const int64_t now_ns = clock_now_ns(sampler->clock);

		if (now_ns >= due_ns + sampler->spec->timeout_ns)
			skip_slot(sampler, slot, now_ns);
		else
			take_sample(lane, slot, due_ns);
		free_ns = clock_now_ns(sampler->clock);
	}
	return NULL;
}

/* Reserved on the disk, not only sized: a mapped file on a full disk would kill us with SIGBUS. */
static bool map_samples(struct sampler *sampler, const struct sampler_request *request,
			struct err *e)
{
	int failure;

	sampler->slot_room = (uint64_t)(request->at_most_ns / request->spec->every_ns) + 2;
	sampler->map_bytes = SAMPLE_FILE_HEAD_BYTES + sampler->slot_room * sizeof(struct sample);
	sampler->fd = open(sampler->owned_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (sampler->fd == -1)
		return err_set(e, ERR_LIMIT, "make the sample file %s: %s", sampler->owned_path,
			       strerror(errno));
	failure = posix_fallocate(sampler->fd, 0, (off_t)sampler->map_bytes);
	if (failure != 0)
		return err_set(e, ERR_LIMIT,
			       "reserve %zu bytes for the samples of `%s` in %s: %s; free space, or "
			       "lower `run_at_most`",
			       sampler->map_bytes, request->spec->name, sampler->owned_path,
			       strerror(failure));

	void *mapped = mmap(NULL, sampler->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, sampler->fd,
			    0);

	if (mapped == MAP_FAILED)
		return err_set(e, ERR_LIMIT, "map %s: %s", sampler->owned_path, strerror(errno));
	sampler->owned_head = mapped;
	sampler->samples = (struct sample *)(void *)((char *)mapped + SAMPLE_FILE_HEAD_BYTES);
	*sampler->owned_head = (struct sample_file_head){ .magic = SAMPLE_FILE_MAGIC,
							  .lane_count = request->spec->lane_count,
							  .every_ns = request->spec->every_ns,
							  .slot_room = sampler->slot_room };
	(void)snprintf(sampler->owned_head->probe, sizeof sampler->owned_head->probe, "%s",
		       request->spec->name);
	return true;
}

bool sampler_open(const struct sampler_request *request, struct sampler **ret_sampler,
		  struct err *e)
{
	struct sampler *sampler = mem_alloc(sizeof *sampler);
	struct text path = { 0 };

	assert(request->spec->lane_count > 0);
	assert(request->spec->lane_count <= LIMIT_LANES);
	sampler->spec = request->spec;
	sampler->ops = probe_find(request->spec->kind);
	assert(sampler->ops != NULL); /* the loader refuses unknown probes */
	sampler->run_id = request->run_id;
	sampler->clock = request->clock;
	sampler->fd = -1;
	text_addf(&path, "%s/%s.%s.samples", request->sample_dir, request->run_id,
		  request->spec->name);
	sampler->owned_path = mem_copy(text_str(&path));
	text_release(&path);
	if (!map_samples(sampler, request, e))
		goto fail;
	for (uint32_t i = 0; i < request->spec->lane_count; i++) {
		struct lane *lane = &sampler->lanes[i];

		*lane = (struct lane){ .sampler = sampler, .index = i };
		if (!sampler->ops->open(request->spec, request->run_id, &lane->owned_state, e)) {
			err_wrap(e, "open probe `%s`", request->spec->name);
			goto fail;
		}
		sampler->lane_count++;
	}
	*ret_sampler = sampler;
	return true;
fail:
	sampler_close(sampler);
	return false;
}

/* SCHED_FIFO cuts p99 lateness about 40 times (limits.md 2); not granted is reported, not fatal. */
static bool start_lane(struct lane *lane, bool *ret_is_fifo, struct err *e)
{
	const struct sched_param priority = { .sched_priority = 1 };
	pthread_attr_t attr;
	int failure = pthread_attr_init(&attr);

	if (failure == 0)
		failure = pthread_attr_setstacksize(&attr, LANE_STACK_BYTES);
	if (failure == 0)
		failure = pthread_create(&lane->thread, &attr, lane_main, lane);
	if (failure != 0)
		return err_set(e, ERR_LIMIT,
			       "start lane %u of probe `%s`: %s; use `lanes:` to cap them",
			       (unsigned)lane->index, lane->sampler->spec->name, strerror(failure));
	(void)pthread_attr_destroy(&attr);
	lane->is_running = true;
	if (pthread_setschedparam(lane->thread, SCHED_FIFO, &priority) != 0)
		*ret_is_fifo = false;
	return true;
}

bool sampler_start(struct sampler *sampler, int64_t t0_ns, bool *ret_is_fifo, struct err *e)
{
	sigset_t all;
	sigset_t before;
	bool ok = true;

	sampler->t0_ns = t0_ns;
	sampler->owned_head->t0_ns = t0_ns;
	*ret_is_fifo = true;
	/* Lanes inherit the mask: no signal ever ends an attempt early. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	for (uint32_t i = 0; ok && i < sampler->lane_count; i++)
		ok = start_lane(&sampler->lanes[i], ret_is_fifo, e);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

void sampler_view(const struct sampler *sampler, int64_t now_ns, struct track *ret_track)
{
	const int64_t stopped_ns = atomic_load(&sampler->stopped_ns);
	const int64_t until_ns = stopped_ns != 0 && stopped_ns < now_ns ? stopped_ns : now_ns;
	uint64_t due_count = 0;
	size_t error_count = 0;

	if (sampler->t0_ns != 0 && until_ns > sampler->t0_ns)
		due_count = (uint64_t)((until_ns - sampler->t0_ns - 1) / sampler->spec->every_ns) + 1;
	while (error_count < LIMIT_ERROR_TEXTS &&
	       __atomic_load_n(&sampler->owned_error_texts[error_count], __ATOMIC_ACQUIRE) != NULL)
		error_count++;
	*ret_track = (struct track){
		.probe = sampler->spec->name,
		.t0_ns = sampler->t0_ns,
		.every_ns = sampler->spec->every_ns,
		.lane_count = sampler->lane_count,
		.slot_count = due_count < sampler->slot_room ? due_count : sampler->slot_room,
		.samples = sampler->samples,
		/* Places up to error_count are set once and for all. */
		.error_texts = (const char *const *)sampler->owned_error_texts,
		.error_count = error_count,
	};
}

void sampler_stop_begin(struct sampler *sampler)
{
	if (atomic_load(&sampler->stopped_ns) == 0)
		atomic_store(&sampler->stopped_ns, clock_now_ns(sampler->clock));
}

void sampler_stop_wait(struct sampler *sampler)
{
	for (uint32_t i = 0; i < sampler->lane_count; i++) {
		if (sampler->lanes[i].is_running)
			(void)pthread_join(sampler->lanes[i].thread, NULL);
		sampler->lanes[i].is_running = false;
	}
}

void sampler_close(struct sampler *sampler)
{
	if (sampler == NULL)
		return;
	sampler_stop_begin(sampler);
	sampler_stop_wait(sampler);
	for (uint32_t i = 0; i < sampler->lane_count; i++)
		sampler->ops->close(sampler->lanes[i].owned_state);
	for (size_t i = 0; i < LIMIT_ERROR_TEXTS; i++)
		free(sampler->owned_error_texts[i]);
	if (sampler->owned_head != NULL)
		(void)munmap(sampler->owned_head, sampler->map_bytes);
	if (sampler->fd != -1) {
		(void)close(sampler->fd);
		(void)unlink(sampler->owned_path); /* the samples are in the store, or lost anyway */
	}
	free(sampler->owned_path);
	free(sampler);
}
