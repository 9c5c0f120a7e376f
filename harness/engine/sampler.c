/*
 * sampler.c - see sampler.h.
 *
 * What the lanes share with the run thread is the samples, the error texts, and what readers showed. A
 * sample is complete once its state is not SAMPLE_NONE; the state is written last. Texts are only ever
 * added. What a read showed is on a stack that the run thread takes as a whole.
 */
#include "engine/sampler.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "engine/engine.h"

enum { LANE_STACK_BYTES = 512 << 10 };

_Static_assert(sizeof(struct sample_file_head) <= SAMPLE_FILE_HEAD_BYTES, "the head has its room");

/* Longer than any lateness of ours, and the machine was asleep: look at the clock again. */
static const int64_t doze_at_most_ns = 60 * NS_PER_S;

/* With real-time scheduling a lane wakes up a fraction of a millisecond late. So late for so long,
   and the lanes want more than this machine has. */
static const int64_t late_with_fifo_ns = 20 * NS_PER_MS;
static const int64_t late_at_most_ns = NS_PER_S;

/* A failed attempt that began this much of its timeout late had too little time to be proof. */
enum { LATE_AT_MOST_PERCENT = 10 };

struct lane {
	struct sampler *sampler;
	uint32_t index;
	void *owned_state;
	sem_t wake; /* posted once, when it shall stop */
	pthread_t thread;
	bool is_running;
	int64_t late_since_ns; /* 0: on time */
	atomic_bool has_yielded;
};

/* What one read showed anew. */
struct shown {
	struct shown *next;
	uint64_t slot;
	struct text changes;
};

struct sampler {
	const struct probe_spec *spec;
	const struct probe_ops *ops;
	const char *run_id;
	const struct clock *clock;
	char *owned_path;
	bool has_file;
	struct sample_file_head *owned_head; /* mapped */
	struct sample *samples;              /* behind the head */
	uint64_t slot_room;
	size_t map_bytes;
	int64_t t0_ns;
	bool is_plain;
	struct lane *owned_lanes;
	uint32_t lane_count;
	atomic_int_fast64_t stopped_ns; /* 0 while running: slots due later are none */
	char *owned_error_texts[LIMIT_ERROR_TEXTS]; /* each set once, with release */
	struct shown *owned_shown; /* the newest on top; lanes push, the run thread takes all */
	struct shown *owned_taken; /* the run thread's, the oldest on top */
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

static void push_shown(struct sampler *sampler, uint64_t slot, struct text *changes)
{
	struct shown *shown;

	if (changes->length_bytes == 0)
		return;
	shown = mem_alloc(sizeof *shown);
	shown->slot = slot;
	shown->changes = *changes; /* and owns it from now on */
	*changes = (struct text){ 0 };
	shown->next = __atomic_load_n(&sampler->owned_shown, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&sampler->owned_shown, &shown->next, shown, true,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		; /* next is what was on top by now */
}

bool sampler_take_shown(struct sampler *sampler, uint64_t *ret_slot, struct text *ret_changes)
{
	struct shown *top;

	if (sampler->owned_taken == NULL) {
		top = __atomic_exchange_n(&sampler->owned_shown, NULL, __ATOMIC_ACQUIRE);
		while (top != NULL) {
			struct shown *next = top->next;

			top->next = sampler->owned_taken;
			sampler->owned_taken = top;
			top = next;
		}
	}
	top = sampler->owned_taken;
	if (top == NULL)
		return false;
	sampler->owned_taken = top->next;
	*ret_slot = top->slot;
	text_add_bytes(ret_changes, text_str(&top->changes), top->changes.length_bytes);
	text_release(&top->changes);
	free(top);
	return true;
}

static void drop_shown(struct sampler *sampler)
{
	struct text ignored = { 0 };
	uint64_t slot;

	while (sampler_take_shown(sampler, &slot, &ignored))
		text_clear(&ignored);
	text_release(&ignored);
}

/*
 * True when it failed for want of time, and of that time this machine had taken a good part. The
 * service may have been about to answer, so this is no proof against it.
 */
static bool is_robbed(const struct attempt *attempt, const struct sample *sample,
		      enum sample_state state)
{
	const int64_t late_ns = sample->sent_ns - attempt->due_ns;
	const int64_t timeout_ns = attempt->deadline_ns - attempt->due_ns;

	return state == SAMPLE_BAD && sample->done_ns >= attempt->deadline_ns &&
	       late_ns > timeout_ns / 100 * LATE_AT_MOST_PERCENT;
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
	struct text shown = { 0 };
	struct attempt_result result = { .shown = &shown };
	struct err e = { 0 };

	sample->sent_ns = clock_now_ns(sampler->clock);
	sampler->ops->sample(lane->owned_state, &attempt, &result, &e);
	assert(result.state != SAMPLE_NONE);
	sample->done_ns = clock_now_ns(sampler->clock);
	sample->write = (uint8_t)result.write;
	sample->detail = result.detail;
	if (is_robbed(&attempt, sample, result.state)) {
		result.state = SAMPLE_SKIPPED;
		(void)err_set(&e, ERR_LIMIT, "this machine was too busy to leave enough time");
	}
	/* A good sample may carry a remark ("not yet replicated"): kept like an error. */
	sample->error_index = e.kind == ERR_NONE ? 0 : error_number(sampler, e.text);
	if (result.state == SAMPLE_GOOD)
		push_shown(sampler, slot, &shown);
	text_release(&shown);
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

/*
 * Until that time on the drill's clock, or until the lane is told to stop: a semaphore ends a sleep
 * that clock_nanosleep would finish. It wants the monotonic clock, which is read first: if this
 * machine pauses us in between, we wake too early, never too late.
 */
static void doze(struct lane *lane, int64_t until_ns)
{
	struct timespec wake_at;
	int64_t wait_ns;
	int64_t wake_ns;

	(void)clock_gettime(CLOCK_MONOTONIC, &wake_at); /* cannot fail */
	wait_ns = until_ns - clock_now_ns(lane->sampler->clock);
	if (wait_ns <= 0)
		return;
	wake_ns = wake_at.tv_sec * NS_PER_S + wake_at.tv_nsec +
		  (wait_ns < doze_at_most_ns ? wait_ns : doze_at_most_ns);
	wake_at.tv_sec = wake_ns / NS_PER_S;
	wake_at.tv_nsec = wake_ns % NS_PER_S;
	(void)sem_clockwait(&lane->wake, CLOCK_MONOTONIC, &wake_at); /* the caller looks again */
}

/*
 * Real-time lanes that want more than the machine has would starve everything else on it, and first
 * of all the thread that heals. One that keeps
 * waking up late gives its privilege up, and does not get it back.
 */
static void yield_when_late(struct lane *lane, int64_t due_ns, int64_t now_ns)
{
	const struct sched_param normal = { .sched_priority = 0 };

	if (now_ns - due_ns < late_with_fifo_ns) {
		lane->late_since_ns = 0;
	} else if (lane->late_since_ns == 0) {
		lane->late_since_ns = now_ns;
	} else if (now_ns - lane->late_since_ns > late_at_most_ns &&
		   !atomic_exchange(&lane->has_yielded, true)) {
		(void)pthread_setschedparam(pthread_self(), SCHED_OTHER, &normal); /* always may */
	}
}

static bool sleep_until_due(struct lane *lane, int64_t due_ns)
{
	struct sampler *sampler = lane->sampler;
	bool has_slept = false;

	for (;;) {
		const int64_t stopped_ns = atomic_load(&sampler->stopped_ns);

		if (stopped_ns != 0 && due_ns >= stopped_ns)
			return false;

		const int64_t now_ns = clock_now_ns(sampler->clock);

		if (now_ns >= due_ns) {
			if (has_slept)
				yield_when_late(lane, due_ns, now_ns);
			return true;
		}
		doze(lane, due_ns);
		has_slept = true;
	}
}

static void *lane_main(void *ctx)
{
	struct lane *lane = ctx;
	struct sampler *sampler = lane->sampler;
	int64_t busy_until_ns = 0; /* an attempt took the lane up to here, its deadline at most */

	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* finer wake-ups where granted */
	for (uint64_t slot = lane->index; slot < sampler->slot_room; slot += sampler->lane_count) {
		const int64_t due_ns = sampler->t0_ns + (int64_t)slot * sampler->spec->every_ns;

		/* With capped lanes an attempt may outlast the lane's next slot: that is not sampled.
		   What outlasts its own deadline does so because of this machine: that is skipped. */
		if (busy_until_ns > due_ns + sampler->spec->every_ns)
			continue;
		if (!sleep_until_due(lane, due_ns))
			break;

		const int64_t now_ns = clock_now_ns(sampler->clock);
		const int64_t deadline_ns = due_ns + sampler->spec->timeout_ns;

		if (now_ns >= deadline_ns) {
			skip_slot(sampler, slot, now_ns);
			continue;
		}
		take_sample(lane, slot, due_ns);
		busy_until_ns = sampler->samples[slot].done_ns;
		if (busy_until_ns > deadline_ns)
			busy_until_ns = deadline_ns;
	}
	return NULL;
}

uint32_t sampler_yielded_count(const struct sampler *sampler)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < sampler->lane_count; i++)
		count += atomic_load(&sampler->owned_lanes[i].has_yielded);
	return count;
}

/* Reserved on the disk, not only sized: a mapped file on a full disk would kill us with SIGBUS. */
static bool map_file(struct sampler *sampler, int fd, struct err *e)
{
	const int failure = posix_fallocate(fd, 0, (off_t)sampler->map_bytes);

	if (failure != 0)
		return err_set(e, ERR_LIMIT,
			       "reserve %zu bytes for the samples of `%s` in %s: %s; free space, or "
			       "lower `run_at_most`",
			       sampler->map_bytes, sampler->spec->name, sampler->owned_path,
			       strerror(failure));

	void *mapped = mmap(NULL, sampler->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (mapped == MAP_FAILED)
		return err_set(e, ERR_LIMIT, "map %s: %s", sampler->owned_path, strerror(errno));
	sampler->owned_head = mapped;
	return true;
}

/* Whoever ends removes the folder when nothing is in it, also right before we are: then we make it
   again. -1: errno says why not. */
static int make_file(const char *path, const char *folder)
{
	enum { TRIES = 100 };
	int fd = -1;

	for (int i = 0; i < TRIES && fd == -1; i++) {
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd == -1 &&
		    (errno != ENOENT || (mkdir(folder, 0700) == -1 && errno != EEXIST)))
			break;
	}
	return fd;
}

static bool map_samples(struct sampler *sampler, const struct sampler_request *request,
			struct err *e)
{
	bool ok;
	int fd;

	sampler->slot_room = (uint64_t)(request->at_most_ns / request->spec->every_ns) + 2;
	sampler->map_bytes = SAMPLE_FILE_HEAD_BYTES + sampler->slot_room * sizeof(struct sample);
	fd = make_file(sampler->owned_path, request->sample_dir);
	if (fd == -1)
		return err_set(e, ERR_LIMIT, "make the sample file %s: %s", sampler->owned_path,
			       strerror(errno));
	sampler->has_file = true;
	ok = map_file(sampler, fd, e);
	(void)close(fd); /* the mapping holds the file, and a thousand probes need the descriptors */
	if (!ok)
		return false;
	sampler->samples =
		(struct sample *)(void *)((char *)sampler->owned_head + SAMPLE_FILE_HEAD_BYTES);
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
	sampler->is_plain = request->is_plain;
	sampler->owned_lanes = mem_alloc(request->spec->lane_count * sizeof *sampler->owned_lanes);
	text_addf(&path, "%s/%s.%s.samples", request->sample_dir, request->run_id,
		  request->spec->name);
	sampler->owned_path = mem_copy(text_str(&path));
	text_release(&path);
	if (!map_samples(sampler, request, e))
		goto fail;
	for (uint32_t i = 0; i < request->spec->lane_count; i++) {
		struct lane *lane = &sampler->owned_lanes[i];

		lane->sampler = sampler;
		lane->index = i;
		(void)sem_init(&lane->wake, 0, 0); /* cannot fail for 0 and a private one */
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
	if (lane->sampler->is_plain ||
	    pthread_setschedparam(lane->thread, SCHED_FIFO, &priority) != 0)
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
		ok = start_lane(&sampler->owned_lanes[i], ret_is_fifo, e);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

int64_t sampler_shift_ns(int64_t every_ns, size_t index, size_t count)
{
	assert(index < count);
	assert(count <= LIMIT_PROBES); /* so the product is far from its bounds: an hour * 1,000 */
	return every_ns * (int64_t)index / (int64_t)count;
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
		.rows_per_slot = sampler->spec->rows_per_slot,
		.slot_count = due_count < sampler->slot_room ? due_count : sampler->slot_room,
		.samples = sampler->samples,
		/* Places up to error_count are set once and for all. */
		.error_texts = (const char *const *)sampler->owned_error_texts,
		.error_count = error_count,
	};
}

void sampler_stop_begin(struct sampler *sampler)
{
	if (atomic_load(&sampler->stopped_ns) != 0)
		return;
	atomic_store(&sampler->stopped_ns, clock_now_ns(sampler->clock));
	for (uint32_t i = 0; i < sampler->lane_count; i++)
		(void)sem_post(&sampler->owned_lanes[i].wake); /* from 0 to 1: cannot overflow */
}

void sampler_stop_wait(struct sampler *sampler)
{
	for (uint32_t i = 0; i < sampler->lane_count; i++) {
		struct lane *lane = &sampler->owned_lanes[i];

		if (lane->is_running)
			(void)pthread_join(lane->thread, NULL);
		lane->is_running = false;
	}
}

void sampler_close(struct sampler *sampler)
{
	if (sampler == NULL)
		return;
	sampler_stop_begin(sampler);
	sampler_stop_wait(sampler);
	for (uint32_t i = 0; i < sampler->lane_count; i++) {
		sampler->ops->close(sampler->owned_lanes[i].owned_state);
		(void)sem_destroy(&sampler->owned_lanes[i].wake);
	}
	free(sampler->owned_lanes);
	for (size_t i = 0; i < LIMIT_ERROR_TEXTS; i++)
		free(sampler->owned_error_texts[i]);
	drop_shown(sampler);
	if (sampler->owned_head != NULL)
		(void)munmap(sampler->owned_head, sampler->map_bytes);
	if (sampler->has_file)
		(void)unlink(sampler->owned_path); /* the samples are in the store, or lost anyway */
	free(sampler->owned_path);
	free(sampler);
}
