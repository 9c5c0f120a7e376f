/*
 * follower.c - see follower.h.
 */
#include "engine/follower.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLLOWER_STACK_BYTES = 512 << 10, QUEUE_MAX = 256 };

/* How soon a sleeping thread notices that it shall stop. */
static const int64_t nap_ns = 100 * NS_PER_MS;

struct place {
	struct follower *follower;
	const struct host *host;
	void *owned_state;
	pthread_t thread;
	bool is_running;
	bool has_answered;
	struct err last_error;
};

struct follower {
	const struct probe_spec *spec;
	const struct probe_ops *ops;
	const char *run_id;
	const struct clock *clock;
	int64_t t0_ns;
	atomic_bool is_stopped;
	struct place places[WATCH_PLACES_MAX];
	size_t place_count;

	pthread_mutex_t lock; /* of what follows */
	struct outside_sight queue[QUEUE_MAX];
	size_t first;
	size_t count;
	size_t dropped_count;
};

static void push(struct place *place, const struct outside_sight *sight)
{
	struct follower *follower = place->follower;

	(void)pthread_mutex_lock(&follower->lock);
	if (follower->count == QUEUE_MAX)
		follower->dropped_count++;
	else
		follower->queue[(follower->first + follower->count++) % QUEUE_MAX] = *sight;
	(void)pthread_mutex_unlock(&follower->lock);
}

static void on_seen(void *ctx, const struct sighting *sighting)
{
	struct place *place = ctx;

	assert(sighting->until_ns != 0);
	assert(sighting->from_ns <= sighting->until_ns);
	assert(sighting->own_low_ns <= sighting->own_high_ns);
	push(place, &(struct outside_sight){ .spec = place->follower->spec,
					     .sighting = *sighting });
}

static void on_lag(void *ctx, const struct lag_look *look)
{
	struct place *place = ctx;

	assert(look->from_ns <= look->until_ns);
	push(place, &(struct outside_sight){ .spec = place->follower->spec,
					     .is_lag = true,
					     .lag = *look });
}

static void look_once(struct place *place, uint64_t slot, int64_t due_ns)
{
	const struct follower *follower = place->follower;
	const int64_t now_ns = clock_now_ns(follower->clock);
	const struct attempt attempt = {
		.run_id = follower->run_id,
		.slot = slot,
		.due_ns = due_ns,
		.deadline_ns = now_ns + follower->spec->timeout_ns,
		.clock = follower->clock,
	};
	const struct sighting_sink sink = { .seen = on_seen, .lag = on_lag, .ctx = place };
	struct err e = { 0 };

	if (follower->ops->look(place->owned_state, &attempt, &sink, &e))
		place->has_answered = true;
	else
		place->last_error = e;
}

static bool sleep_until_due(const struct follower *follower, int64_t due_ns)
{
	while (!atomic_load(&follower->is_stopped)) {
		const int64_t now_ns = clock_now_ns(follower->clock);

		if (now_ns >= due_ns)
			return true;
		clock_sleep_until_ns(follower->clock,
				     due_ns - now_ns < nap_ns ? due_ns : now_ns + nap_ns);
	}
	return false;
}

/* Nobody must take silence for "nothing happened". */
static void say_blind(struct place *place)
{
	struct outside_sight sight = { .spec = place->follower->spec,
				       .is_blind = true,
				       .sighting = { .host = place->host } };

	(void)snprintf(sight.sighting.what, sizeof sight.sighting.what, "%.150s",
		       place->last_error.kind == ERR_NONE ? "it was never asked" :
							    place->last_error.text);
	push(place, &sight);
}

static void *place_main(void *ctx)
{
	struct place *place = ctx;
	const struct follower *follower = place->follower;
	const int64_t every_ns = follower->spec->every_ns;
	int64_t due_ns = follower->t0_ns;

	while (sleep_until_due(follower, due_ns)) {
		look_once(place, (uint64_t)((due_ns - follower->t0_ns) / every_ns), due_ns);

		/* Slots that passed meanwhile are gone: looking twice at once tells nothing more. */
		const int64_t late_ns = clock_now_ns(follower->clock) - due_ns;

		due_ns += every_ns * (1 + (late_ns > 0 ? late_ns / every_ns : 0));
	}
	if (follower->ops->leave != NULL)
		follower->ops->leave(place->owned_state,
				     &(struct sighting_sink){ .seen = on_seen, .ctx = place });
	if (!place->has_answered)
		say_blind(place);
	return NULL;
}

bool follower_open(const struct probe_spec *spec, const char *run_id, const struct clock *clock,
		   struct follower **ret_follower, struct err *e)
{
	struct follower *follower = mem_alloc(sizeof *follower);

	assert(spec->is_event && spec->every_ns > 0);
	follower->spec = spec;
	follower->ops = probe_find(spec->kind);
	assert(follower->ops != NULL && follower->ops->is_event);
	follower->run_id = run_id;
	follower->clock = clock;
	(void)pthread_mutex_init(&follower->lock, NULL);
	if (probe_place_count(spec) > WATCH_PLACES_MAX) {
		follower_close(follower);
		return err_set(e, ERR_LIMIT, "watch `%s`: %s has %zu members, and %d are the most",
			       spec->name, spec->service->name, probe_place_count(spec),
			       WATCH_PLACES_MAX);
	}
	for (size_t i = 0; i < probe_place_count(spec); i++) {
		struct place *place = &follower->places[i];

		*place = (struct place){ .follower = follower, .host = probe_place(spec, i) };
		follower->place_count++;
		if (!follower->ops->watch(spec, place->host, &place->owned_state, e)) {
			follower_close(follower);
			return err_wrap(e, "watch `%s`", spec->name);
		}
	}
	*ret_follower = follower;
	return true;
}

static bool start_place(struct place *place, struct err *e)
{
	pthread_attr_t attr;
	int failure = pthread_attr_init(&attr);

	if (failure == 0)
		failure = pthread_attr_setstacksize(&attr, FOLLOWER_STACK_BYTES);
	if (failure == 0)
		failure = pthread_create(&place->thread, &attr, place_main, place);
	if (failure != 0)
		return err_set(e, ERR_LIMIT, "start the watch of `%s` on %s: %s",
			       place->follower->spec->name, place->host->name, strerror(failure));
	(void)pthread_attr_destroy(&attr);
	place->is_running = true;
	return true;
}

bool follower_start(struct follower *follower, int64_t t0_ns, struct err *e)
{
	sigset_t all;
	sigset_t before;
	bool ok = true;

	follower->t0_ns = t0_ns;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t i = 0; ok && i < follower->place_count; i++)
		ok = start_place(&follower->places[i], e);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

bool follower_take(struct follower *follower, struct outside_sight *ret_sight)
{
	bool is_there = true;

	(void)pthread_mutex_lock(&follower->lock);
	if (follower->count > 0) {
		*ret_sight = follower->queue[follower->first];
		follower->first = (follower->first + 1) % QUEUE_MAX;
		follower->count--;
	} else if (follower->dropped_count > 0) {
		*ret_sight = (struct outside_sight){ .spec = follower->spec, .is_blind = true };
		(void)snprintf(ret_sight->sighting.what, sizeof ret_sight->sighting.what,
			       "%zu came faster than they could be written down",
			       follower->dropped_count);
		follower->dropped_count = 0;
	} else {
		is_there = false;
	}
	(void)pthread_mutex_unlock(&follower->lock);
	return is_there;
}

void follower_stop_begin(struct follower *follower)
{
	atomic_store(&follower->is_stopped, true);
}

void follower_stop_wait(struct follower *follower)
{
	for (size_t i = 0; i < follower->place_count; i++) {
		if (follower->places[i].is_running)
			(void)pthread_join(follower->places[i].thread, NULL);
		follower->places[i].is_running = false;
	}
}

void follower_close(struct follower *follower)
{
	if (follower == NULL)
		return;
	follower_stop_begin(follower);
	follower_stop_wait(follower);
	for (size_t i = 0; i < follower->place_count; i++)
		follower->ops->close(follower->places[i].owned_state);
	(void)pthread_mutex_destroy(&follower->lock);
	free(follower);
}
