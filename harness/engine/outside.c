/*
 * outside.c - the real view of the services: one sampler for each probe, roles, ledgers, checks.
 *
 * The run loop knows only outside_ops, so that a whole drill can be simulated without a thread.
 */
#include "engine/engine.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/process.h"
#include "engine/follower.h"
#include "engine/sampler.h"

static const int64_t prepare_timeout_ns = 30 * NS_PER_S;
/* What nobody has seen made is most likely not there; its service may hang. */
static const int64_t clean_unseen_timeout_ns = NS_PER_S;

/* Descriptors for all that is not a lane: store, sessions, commands, reports. */
enum { DESCRIPTORS_BESIDE_LANES = 256, DESCRIPTORS_OF_LANE = 4 };

/* Above it real-time lanes could leave this machine no time for anything else, its healing included. */
enum { REAL_TIME_SAMPLES_PER_CPU = 6000 };

enum prepared { PREPARED_NOT = 0, PREPARED_BEGUN, PREPARED_DONE };

struct real {
	const struct run_request *request;
	const struct clock *waits;
	/* Of each probe one of the two; the other is NULL. */
	struct sampler *owned_samplers[LIMIT_PROBES];
	struct follower *owned_followers[LIMIT_PROBES];
	size_t probe_count; /* opened so far */
	uint64_t lane_count;
	uint64_t descriptor_count; /* that this process may have open */
	bool is_plain;		   /* too many samples a second for real-time lanes */
	enum prepared prepared[LIMIT_PROBES];
};

static bool prepare_probe(struct real *real, size_t index, struct err *e)
{
	const struct run_request *request = real->request;
	const struct probe_spec *spec = &request->experiment->probes[index];
	const struct probe_ops *ops = probe_find(spec->kind);

	assert(ops != NULL); /* the loader refuses unknown probes */
	if (ops->prepare == NULL)
		return true;
	/* Said before it is done: a half-done prepare is cleaned as well. */
	real->prepared[index] = PREPARED_BEGUN;
	if (!ops->prepare(spec, request->run_id, real->waits,
			  clock_now_ns(real->waits) + prepare_timeout_ns, e))
		return err_wrap(e, "prepare the probe `%s`", spec->name);
	real->prepared[index] = PREPARED_DONE;
	return true;
}

static bool open_probe(struct real *real, size_t index, struct err *e)
{
	const struct run_request *request = real->request;
	const struct sampler_request wish = {
		.spec = &request->experiment->probes[index],
		.run_id = request->run_id,
		.clock = request->clock,
		.sample_dir = request->sample_dir,
		.at_most_ns = request->experiment->run_at_most_ns,
		.is_plain = real->is_plain,
	};

	if (!prepare_probe(real, index, e))
		return false;
	if (wish.spec->is_event)
		return follower_open(wish.spec, wish.run_id, wish.clock,
				     &real->owned_followers[index], e);
	return sampler_open(&wish, &real->owned_samplers[index], e);
}

/* A lane has one connection, and two for a moment when it makes a new one; libcurl wants two more. */
static void reserve_descriptors(struct real *real)
{
	const struct experiment *experiment = real->request->experiment;

	for (size_t i = 0; i < experiment->probe_count; i++)
		if (!experiment->probes[i].is_event)
			real->lane_count += experiment->probes[i].lane_count;
	real->descriptor_count = process_reserve_descriptors(
		real->lane_count * DESCRIPTORS_OF_LANE + DESCRIPTORS_BESIDE_LANES);
}

static void limit_real_time(struct real *real)
{
	const struct experiment *experiment = real->request->experiment;
	const int64_t cpu_count = sysconf(_SC_NPROCESSORS_ONLN);
	int64_t samples_a_second = 0;

	for (size_t i = 0; i < experiment->probe_count; i++)
		if (!experiment->probes[i].is_event)
			samples_a_second += NS_PER_S / experiment->probes[i].every_ns;
	real->is_plain = samples_a_second > REAL_TIME_SAMPLES_PER_CPU * cpu_count;
}

static bool real_open(void *ctx, const struct run_request *request, const struct clock *waits,
		      struct err *e)
{
	struct real *real = ctx;

	real->request = request;
	real->waits = waits;
	reserve_descriptors(real);
	limit_real_time(real);
	for (size_t i = 0; i < request->experiment->probe_count; i++) {
		if (!open_probe(real, i, e))
			return false;
		real->probe_count++;
	}
	return true;
}

static void tell_lanes(const struct real *real, bool is_fifo, struct text *how, struct text *note)
{
	const uint64_t wanted_count =
		real->lane_count * DESCRIPTORS_OF_LANE + DESCRIPTORS_BESIDE_LANES;

	text_addf(how, "%" PRIu64 " lane%s, real-time scheduling (SCHED_FIFO) %s", real->lane_count,
		  real->lane_count == 1 ? "" : "s",
		  is_fifo	  ? "granted" :
		  real->is_plain  ? "not asked for" :
				    "not granted");
	if (real->is_plain)
		text_addf(note,
			  "lanes run without real-time scheduling: with over %d samples a second "
			  "for each processor it would leave this machine no time; the probes' "
			  "lateness says what that cost",
			  REAL_TIME_SAMPLES_PER_CPU);
	else if (!is_fifo)
		text_add(note, "lanes run without real-time scheduling (SCHED_FIFO was not granted); "
			       "the probes' lateness says what that cost");
	if (real->descriptor_count < wanted_count)
		text_addf(note,
			  "%s%" PRIu64 " lanes may need %" PRIu64 " descriptors, and this process "
			  "may have %" PRIu64 " open (ulimit -n): samples may be skipped",
			  note->length_bytes > 0 ? "; " : "", real->lane_count, wanted_count,
			  real->descriptor_count);
}

static bool real_start(void *ctx, int64_t t0_ns, struct text *ret_how, struct text *ret_note,
		       struct err *e)
{
	struct real *real = ctx;
	bool is_fifo_everywhere = true;

	for (size_t i = 0; i < real->probe_count; i++) {
		const int64_t every_ns = real->request->experiment->probes[i].every_ns;
		const int64_t shift_ns = sampler_shift_ns(every_ns, i, real->probe_count);
		bool is_fifo = true;

		if (real->owned_followers[i] != NULL) {
			if (!follower_start(real->owned_followers[i], t0_ns, e))
				return false;
			continue;
		}
		if (!sampler_start(real->owned_samplers[i], t0_ns + shift_ns, &is_fifo, e))
			return false;
		is_fifo_everywhere = is_fifo_everywhere && is_fifo;
	}
	tell_lanes(real, is_fifo_everywhere, ret_how, ret_note);
	return true;
}

static void real_view(void *ctx, size_t probe_index, int64_t now_ns, struct track *ret_track)
{
	struct real *real = ctx;

	assert(probe_index < real->probe_count);
	if (real->owned_samplers[probe_index] == NULL)
		*ret_track = (struct track){ .probe = NULL }; /* events only */
	else
		sampler_view(real->owned_samplers[probe_index], now_ns, ret_track);
}

static bool real_take(void *ctx, struct outside_sight *ret_sight)
{
	struct real *real = ctx;

	for (size_t i = 0; i < real->probe_count; i++)
		if (real->owned_followers[i] != NULL &&
		    follower_take(real->owned_followers[i], ret_sight))
			return true;
	return false;
}

static bool real_take_shown(void *ctx, size_t probe_index, uint64_t *ret_slot,
			    struct text *ret_changes)
{
	struct real *real = ctx;

	return real->owned_samplers[probe_index] != NULL &&
	       sampler_take_shown(real->owned_samplers[probe_index], ret_slot, ret_changes);
}

static void real_stop(void *ctx)
{
	struct real *real = ctx;

	for (size_t i = 0; i < real->probe_count; i++) {
		if (real->owned_samplers[i] != NULL)
			sampler_stop_begin(real->owned_samplers[i]);
		if (real->owned_followers[i] != NULL)
			follower_stop_begin(real->owned_followers[i]);
	}
	for (size_t i = 0; i < real->probe_count; i++) {
		if (real->owned_samplers[i] != NULL)
			sampler_stop_wait(real->owned_samplers[i]);
		if (real->owned_followers[i] != NULL)
			follower_stop_wait(real->owned_followers[i]);
	}
}

static bool real_read_back(void *ctx, const struct probe_spec *spec, int64_t deadline_ns,
			   const struct row_sink *sink, struct err *e)
{
	const struct real *real = ctx;
	const struct probe_ops *ops = probe_find(spec->kind);

	assert(ops != NULL && ops->is_ledger);
	return ops->read_back(spec, real->request->run_id, real->waits, deadline_ns, sink, e);
}

static enum sample_state real_check(void *ctx, const struct check *check, int64_t deadline_ns,
				    struct text *ret_got, struct err *e)
{
	const struct real *real = ctx;
	const char *run_id = real->request->run_id;
	const struct probe_ops *ops = probe_find(check->probe.kind);
	const struct attempt attempt = {
		.run_id = run_id,
		.due_ns = clock_now_ns(real->waits),
		.deadline_ns = deadline_ns,
		.clock = real->waits,
	};
	struct attempt_result result = { .got = ret_got };
	void *state = NULL;

	assert(ops != NULL);
	if (!ops->open(&check->probe, run_id, &state, e))
		return SAMPLE_SKIPPED;
	ops->sample(state, &attempt, &result, e);
	ops->close(state);
	return result.state;
}

static bool real_resolve_role(void *ctx, const struct service *service, const char *role,
			      int64_t deadline_ns, const struct host **ret_members,
			      size_t *ret_count, struct err *e)
{
	const struct real *real = ctx;
	const struct role_ops *ops = role_find(service->kind);

	if (ops == NULL)
		return err_set(e, ERR_INPUT, "a service of kind %s has no roles", service->kind);
	return ops->resolve(service, role, real->waits, deadline_ns, ret_members, ret_count, e);
}

static bool real_settings(void *ctx, const struct service *service, int64_t deadline_ns,
			  struct failover_settings *ret_settings, const struct host **ret_told_by,
			  struct err *e)
{
	const struct real *real = ctx;
	const struct failover_ops *ops = failover_find(service);

	assert(ops != NULL); /* settings_log looked */
	return ops->read(service, real->waits, deadline_ns, ret_settings, ret_told_by, e);
}

static bool real_clean(void *ctx, int64_t deadline_ns, struct err *e)
{
	struct real *real = ctx;
	const struct run_request *request = real->request;
	bool ok = true;

	for (size_t i = 0; request != NULL && i < request->experiment->probe_count; i++) {
		const struct probe_spec *spec = &request->experiment->probes[i];
		const int64_t soon_ns = clock_now_ns(request->clock) + clean_unseen_timeout_ns;

		if (real->prepared[i] == PREPARED_NOT)
			continue;
		if (probe_find(spec->kind)->clean(spec, request->run_id, request->clock,
						  real->prepared[i] == PREPARED_BEGUN ? soon_ns : deadline_ns,
						  ok ? e : NULL))
			real->prepared[i] = PREPARED_NOT;
		else
			ok = ok && err_wrap(e, "clean up after the probe `%s`", spec->name);
	}
	return ok;
}

static void real_close(void *ctx)
{
	struct real *real = ctx;

	for (size_t i = 0; i < real->probe_count; i++) {
		sampler_close(real->owned_samplers[i]);
		follower_close(real->owned_followers[i]);
	}
	free(real);
}

static const struct outside_ops real_ops = {
	.open = real_open,
	.start = real_start,
	.view = real_view,
	.take = real_take,
	.take_shown = real_take_shown,
	.stop = real_stop,
	.read_back = real_read_back,
	.check = real_check,
	.resolve_role = real_resolve_role,
	.settings = real_settings,
	.clean = real_clean,
	.close = real_close,
};

struct outside outside_real(void)
{
	return (struct outside){ .ops = &real_ops, .ctx = mem_alloc(sizeof(struct real)) };
}
