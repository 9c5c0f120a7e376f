/*
 * plan.c - experiment in, plan out: who is hit, how it is undone, what a person must know first.
 *
 * Pure: nothing is connected to. Chance comes from the seed alone, so a plan can be repeated. A step
 * that names a role is planned for everybody who may play it, and narrowed when it runs.
 */
#include "engine/engine.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/random.h"
#include "faults/fault.h"

struct host_list {
	const struct host *hosts[LIMIT_HOSTS];
	size_t count;
};

static void list_candidates(const struct inventory *inventory, const struct selector *on,
			    struct host_list *ret_list)
{
	ret_list->count = 0;
	switch (on->kind) {
	case SELECT_HOSTS:
		for (size_t i = 0; i < on->host_count; i++)
			ret_list->hosts[ret_list->count++] = on->hosts[i];
		return;
	case SELECT_SERVICE:
		for (size_t i = 0; i < on->service->member_count; i++)
			ret_list->hosts[ret_list->count++] = on->service->members[i];
		return;
	case SELECT_LABELS:
		for (size_t i = 0; i < inventory->host_count; i++)
			if (host_has_labels(&inventory->hosts[i], on->labels, on->label_count))
				ret_list->hosts[ret_list->count++] = &inventory->hosts[i];
		return;
	}
}

/* How many of the candidates are hit: all, `count`, or `percent` rounded down but at least one. */
static size_t wanted_count(const struct selector *on, size_t candidate_count)
{
	size_t wanted = candidate_count;

	if (on->count > 0 && (uint64_t)on->count < wanted)
		wanted = (size_t)on->count;
	if (on->percent_ppm > 0) {
		const size_t share = candidate_count * (size_t)on->percent_ppm / 1000000;

		wanted = share < 1 ? 1 : share < wanted ? share : wanted;
	}
	return wanted;
}

/* Fisher and Yates, from the seed and the step's number. */
static void shuffle(struct host_list *list, uint64_t seed, uint32_t step)
{
	struct random random = random_from_seed(seed + step);

	for (size_t i = list->count; i > 1; i--) {
		const size_t j = (size_t)random_below(&random, i);
		const struct host *kept = list->hosts[i - 1];

		list->hosts[i - 1] = list->hosts[j];
		list->hosts[j] = kept;
	}
}

static bool choose(const struct plan *plan, const struct step *step, const struct fault_ops *fault,
		   struct host_list *list, struct err *e)
{
	const struct selector *on = &step->on;

	if (list->count == 0)
		return err_set(e, ERR_INPUT,
			       "step %" PRIu32 " (%s) selects no host; a fault without a target "
			       "would prove nothing: change its `on:`",
			       step->index, step->fault);
	if (on->count > 0 && (uint64_t)on->count > list->count)
		return err_set(e, ERR_INPUT,
			       "step %" PRIu32 " (%s) wants %" PRId64 " hosts, and only %zu can be "
			       "selected",
			       step->index, step->fault, on->count, list->count);
	if (on->is_random)
		shuffle(list, plan->seed, step->index);
	list->count = fault->scope == FAULT_ON_SERVICE ? 1 : wanted_count(on, list->count);
	if (list->count > LIMIT_TARGETS)
		return err_set(e, ERR_LIMIT, "step %" PRIu32 " (%s) hits %zu hosts; the limit is %d",
			       step->index, step->fault, list->count, LIMIT_TARGETS);
	return true;
}

static bool plan_one_target(const struct plan *plan, const struct step *step,
			    const struct fault_ops *fault, const struct host *host,
			    struct arena *arena, struct plan_target *target, struct err *e)
{
	const struct fault_request request = {
		.run_id = plan->run_id,
		.step = step->index,
		.host = host,
		.service = step->on.service,
		.inventory = plan->experiment->inventory,
		.with = &step->with,
		.lease_ns = plan->experiment->lease_ns,
	};
	struct text inject = { 0 };
	struct text heal = { 0 };
	const struct host *kept = inventory_protected(request.inventory, host);

	if (kept == host)
		return err_set(e, ERR_REFUSED,
			       "step %" PRIu32 " (%s) would hit `%s`, which the inventory protects; "
			       "select other hosts",
			       step->index, step->fault, host->name);
	if (kept != NULL)
		return err_set(e, ERR_REFUSED,
			       "step %" PRIu32 " (%s) would hit `%s`, which is at the place of `%s`, and "
			       "the inventory protects that; select other hosts",
			       step->index, step->fault, host->name, kept->name);
	if (!fault->plan_heal(&request, arena, &target->record, e))
		return err_wrap(e, "plan step %" PRIu32 " (%s) on %s", step->index, step->fault,
				host->name);
	assert(target->record.host != NULL);
	assert(strcmp(target->record.fault, step->fault) == 0);
	target->host = host;
	fault->describe(&target->record, &inject, &heal);
	target->inject = arena_copy(arena, text_str(&inject));
	target->heal = arena_copy(arena, text_str(&heal));
	text_release(&inject);
	text_release(&heal);
	return true;
}

static bool plan_targets(const struct plan *plan, struct plan_step *planned,
			 const struct host_list *list, struct arena *arena, struct err *e)
{
	const struct fault_ops *fault = fault_find(planned->step->fault);
	struct plan_target *targets = arena_alloc(arena, list->count * sizeof *targets);

	assert(fault != NULL); /* the loader refuses unknown faults */
	for (size_t i = 0; i < list->count; i++)
		if (!plan_one_target(plan, planned->step, fault, list->hosts[i], arena, &targets[i],
				     e))
			return false;
	planned->targets = targets;
	planned->target_count = list->count;
	return true;
}

static size_t add_distinct(const struct host **hosts, size_t count, const struct host *host)
{
	for (size_t i = 0; i < count; i++)
		if (hosts[i] == host)
			return count;
	hosts[count] = host;
	return count + 1;
}

static bool check_members(const struct plan *plan, const struct host *const *hit, size_t hit_count,
			  struct err *e)
{
	const struct inventory *inventory = plan->experiment->inventory;

	for (size_t i = 0; inventory->max_percent_ppm > 0 && i < inventory->service_count; i++) {
		const struct service *service = &inventory->services[i];
		size_t members_hit = 0;

		for (size_t j = 0; j < service->member_count; j++)
			for (size_t k = 0; k < hit_count; k++)
				members_hit += service->members[j] == hit[k] ? 1 : 0;
		if ((int64_t)members_hit * 1000000 >
		    inventory->max_percent_ppm * (int64_t)service->member_count)
			return err_set(e, ERR_REFUSED,
				       "the plan hits %zu of the %zu members of `%s`; the "
				       "inventory's `limits: percent:` allows fewer",
				       members_hit, service->member_count, service->name);
	}
	return true;
}

/* The caps, against every step that is resolved so far. */
static bool check_blast_radius(const struct plan *plan, struct err *e)
{
	const struct experiment *experiment = plan->experiment;
	const int64_t caps[] = { experiment->max_hosts, experiment->inventory->max_hosts };
	const char *const names[] = { "the experiment's", "the inventory's" };
	const struct host *hit[LIMIT_HOSTS];
	size_t hit_count = 0;

	for (size_t i = 0; i < plan->step_count; i++)
		for (size_t j = 0; plan->steps[i].is_resolved && j < plan->steps[i].target_count; j++)
			hit_count = add_distinct(hit, hit_count, plan->steps[i].targets[j].host);
	for (size_t i = 0; i < 2; i++)
		if (caps[i] > 0 && hit_count > (uint64_t)caps[i])
			return err_set(e, ERR_REFUSED,
				       "the plan hits %zu hosts; %s `limits: hosts:` allows %" PRId64,
				       hit_count, names[i], caps[i]);
	return check_members(plan, hit, hit_count, e);
}

static bool plan_step_build(struct plan *plan, struct plan_step *planned, struct arena *arena,
			    struct err *e)
{
	const struct step *step = planned->step;
	const struct fault_ops *fault = fault_find(step->fault);
	struct host_list list;

	assert(fault != NULL); /* the loader refuses unknown faults */
	list_candidates(plan->experiment->inventory, &step->on, &list);
	planned->is_resolved = step->on.role == NULL;
	if (planned->is_resolved && !choose(plan, step, fault, &list, e))
		return false;
	if (!planned->is_resolved)
		planned->note = arena_format(arena, "resolved when it runs: %s of %s", step->on.role,
					     step->on.service != NULL ? step->on.service->name :
									"the hosts selected");
	return plan_targets(plan, planned, &list, arena, e);
}

static void list_cautions(struct plan *plan, struct arena *arena)
{
	const char **cautions = arena_alloc(arena, (plan->step_count * 2 + 1) * sizeof *cautions);

	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = plan->steps[i].step;
		const struct fault_ops *fault = fault_find(step->fault);

		if (fault->caution != NULL)
			cautions[plan->caution_count++] = arena_format(
				arena, "step %" PRIu32 " (%s): %s", step->index, step->fault,
				fault->caution);
		if (fault->cuts_target)
			cautions[plan->caution_count++] = arena_format(
				arena,
				"step %" PRIu32 " (%s) may cut our own line to the target; its "
				"guard heals it when the lease ends",
				step->index, step->fault);
	}
	plan->cautions = cautions;
}

bool plan_build_telling(const struct experiment *experiment, const char *run_id, uint64_t seed,
			struct arena *arena, struct plan *ret_plan, plan_problem_fn *tell,
			void *ctx)
{
	struct plan plan = {
		.run_id = arena_copy(arena, run_id),
		.seed = seed,
		.experiment = experiment,
		.step_count = experiment->step_count,
	};
	bool is_sound = true;

	plan.steps = arena_alloc(arena, (plan.step_count + 1) * sizeof *plan.steps);
	for (size_t i = 0; i < plan.step_count; i++) {
		struct err e = { 0 };

		plan.steps[i].step = &experiment->steps[i];
		if (plan_step_build(&plan, &plan.steps[i], arena, &e))
			continue;
		is_sound = false;
		tell(ctx, experiment->steps[i].mark, &e);
	}

	struct err e = { 0 };

	if (is_sound && !check_blast_radius(&plan, &e)) {
		is_sound = false;
		tell(ctx, (struct mark){ .file = experiment->source_path }, &e);
	}
	list_cautions(&plan, arena);
	*ret_plan = plan;
	return is_sound;
}

/* The first one is enough for who can only say one. */
static void keep_first(void *ctx, struct mark at, const struct err *e)
{
	struct err *first = ctx;

	(void)at;
	if (first->kind == ERR_NONE)
		*first = *e;
}

bool plan_build(const struct experiment *experiment, const char *run_id, uint64_t seed,
		struct arena *arena, struct plan *ret_plan, struct err *e)
{
	struct err first = { 0 };
	const bool ok = plan_build_telling(experiment, run_id, seed, arena, ret_plan, keep_first,
					   &first);

	if (!ok && e != NULL)
		*e = first;
	return ok;
}

bool plan_resolve(struct plan *plan, size_t step_index, const struct host *const *members,
		  size_t member_count, struct arena *arena, struct err *e)
{
	struct plan_step *planned = &plan->steps[step_index];
	const struct step *step = planned->step;
	struct host_list candidates;
	struct host_list playing = { .count = 0 };

	assert(step_index < plan->step_count);
	list_candidates(plan->experiment->inventory, &step->on, &candidates);
	for (size_t i = 0; i < candidates.count; i++)
		for (size_t j = 0; j < member_count; j++)
			if (candidates.hosts[i] == members[j])
				playing.hosts[playing.count++] = candidates.hosts[i];
	if (!choose(plan, step, fault_find(step->fault), &playing, e) ||
	    !plan_targets(plan, planned, &playing, arena, e))
		return false;
	planned->is_resolved = true;
	return check_blast_radius(plan, e);
}

bool plan_may_hit(const struct experiment *experiment, const struct step *step,
		  const struct host *host)
{
	struct host_list candidates;

	list_candidates(experiment->inventory, &step->on, &candidates);
	for (size_t i = 0; i < candidates.count; i++)
		if (candidates.hosts[i] == host)
			return true;
	return false;
}

void run_id_make(const struct clock *clock, char *ret_text, size_t text_bytes)
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	struct random random = random_from_seed(random_fresh_seed());
	char wall[32];
	char tail[5] = { 0 };

	assert(text_bytes >= 24);
	clock_format_wall(clock_wall_ns(clock), wall, sizeof wall);
	for (size_t i = 0; i + 1 < sizeof tail; i++)
		tail[i] = digits[random_below(&random, sizeof digits - 1)];
	/* 2026-11-21T10:20:30.123Z -> 20261121-102030-k3f9 */
	(void)snprintf(ret_text, text_bytes, "%.4s%.2s%.2s-%.2s%.2s%.2s-%s", wall, wall + 5, wall + 8,
		       wall + 11, wall + 14, wall + 17, tail);
}
