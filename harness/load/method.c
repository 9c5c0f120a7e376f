/*
 * method.c - `method:`: which fault, when, with what, and on whom.
 */
#include "load/documents.h"

#include "base/clock.h"
#include "faults/fault.h"
#include "load/suggest.h"
#include "probes/probe.h"

#include <assert.h>
#include <string.h>

static const struct param selector_params[] = {
	{ "host", PARAM_TEXT, .help = "one host" },
	{ "hosts", PARAM_LIST, .help = "several hosts" },
	{ "service", PARAM_TEXT, .help = "the members of a service, or the service itself" },
	{ "labels", PARAM_MAP, .help = "every host that has all of these labels" },
	{ "role", PARAM_TEXT, .help = "who plays it in the service when the step runs: `primary`" },
	{ "count", PARAM_COUNT, .min = 1, .max = LIMIT_TARGETS, .help = "this many of them" },
	{ "percent", PARAM_PERCENT, .min = 1, .max = 1000000,
	  .help = "this share of them, rounded down, at least one" },
	{ "random", PARAM_BOOL, .fallback = "false",
	  .help = "chosen by chance (see `seed`), else the first ones; alone: one" },
	{ 0 },
};

static const struct form form_selector = { .noun = "`on`", .params = selector_params };

static const struct param step_params[] = {
	{ "at", PARAM_DURATION, .max = 24 * 3600 * NS_PER_S, .fallback = "0s",
	  .help = "time after the baseline" },
	{ "name", PARAM_TEXT, .help = "what to call it in reports; else the fault's name" },
	{ "fault", PARAM_TEXT, .is_required = true, .help = "what to do; see `firedrill faults`" },
	{ "for", PARAM_DURATION, .min = NS_PER_MS, .max = 24 * 3600 * NS_PER_S,
	  .help = "healed this long after; else once the service was stable again" },
	{ 0 },
};

static const struct part step_parts[] = {
	{ "on", PART_SELECTOR, .form = &form_selector, .help = "whom it hits" },
	{ "with", PART_PARAMS, .help = "the fault's own parameters" },
	{ 0 },
};

const struct form form_step = { .noun = "a step", .params = step_params, .parts = step_parts,
				.kind_key = "fault" };

static const struct fault_ops *find_fault(struct loader *loader, const struct node *node)
{
	const struct node *fault = tree_get(node, "fault");
	const char *name = fault == NULL || fault->kind != NODE_SCALAR || fault->is_null ?
				   NULL : plain_text(loader, fault);
	const struct fault_ops *ops = name == NULL ? NULL : fault_find(name);
	struct suggestion near;
	size_t count = 0;

	if (name == NULL || ops != NULL)
		return ops;
	near = suggest_for(name);
	const struct fault_ops *const *rows = fault_table(&count);

	for (size_t i = 0; i < count; i++)
		suggest_offer(&near, rows[i]->name);
	if (near.best != NULL)
		problem_add(loader, fault->mark, "unknown fault `%s`; did you mean `%s`?", name,
			    near.best);
	else
		problem_add(loader, fault->mark, "unknown fault `%s`; `firedrill faults` lists "
			    "them", name);
	return NULL;
}

static const struct host **take_host(struct loader *loader, struct mark mark, const char *name,
				     const struct host **hosts, size_t *count)
{
	const struct host *host = host_named(loader, mark, name);

	if (host == NULL)
		return hosts;
	if (host->is_protected)
		problem_add(loader, mark, "`%s` is protected: no fault may touch it", name);
	for (size_t i = 0; i < *count; i++)
		if (hosts[i] == host)
			problem_add(loader, mark, "`%s` is named twice", name);
	hosts[(*count)++] = host;
	return hosts;
}

static void select_hosts(struct loader *loader, const struct node *node, struct selector *on)
{
	const struct node *item = node->kind == NODE_LIST ? node->first : node;
	const size_t room_count = node->kind == NODE_LIST ? node->count : 1;
	const struct host **hosts = arena_alloc(loader->arena, room_count * sizeof *hosts);

	on->kind = SELECT_HOSTS;
	for (; item != NULL; item = item == node ? NULL : item->next) {
		const char *name = item->kind == NODE_SCALAR && !item->is_null ?
					   plain_text(loader, item) : NULL;

		if (name != NULL)
			hosts = take_host(loader, item->mark, name, hosts, &on->host_count);
	}
	on->hosts = hosts;
	if (node->kind == NODE_LIST && node->count == 0)
		problem_add(loader, node->mark, "`hosts` is an empty list");
}

static size_t count_labelled(const struct inventory *inventory, const struct selector *on)
{
	size_t count = 0;

	for (size_t i = 0; i < inventory->host_count; i++)
		if (host_has_labels(&inventory->hosts[i], on->labels, on->label_count))
			count++;
	return count;
}

static void select_labels(struct loader *loader, const struct param_value *labels,
			  struct selector *on)
{
	on->kind = SELECT_LABELS;
	on->labels = labels->pairs;
	on->label_count = labels->pair_count;
	if (labels->pair_count == 0)
		problem_add(loader, labels->mark, "`labels` is empty: it would select every host");
	else if (loader->inventory != NULL && count_labelled(loader->inventory, on) == 0)
		problem_add(loader, labels->mark, "no host of %s has these labels",
			    loader->inventory_path);
}

static void check_role(struct loader *loader, const struct param_value *role,
		       const struct selector *on)
{
	const struct role_ops *ops;
	struct suggestion near = suggest_for(role->text);

	if (on->kind != SELECT_SERVICE) {
		problem_add(loader, role->mark, "`role` is played in a service; write "
			    "`{ service: ..., role: %s }`", role->text);
		return;
	}
	if (on->service == NULL)
		return;
	ops = role_find(on->service->kind);
	if (ops == NULL) {
		problem_add(loader, role->mark, "a service of kind %s has no roles; take `role` "
			    "out", on->service->kind);
		return;
	}
	suggest_offer_choices(&near, ops->roles, loader->arena);
	if (near.best != NULL && near.distance == 0)
		return;
	if (near.best != NULL)
		problem_add(loader, role->mark, "unknown role `%s`; did you mean `%s`?", role->text,
			    near.best);
	else
		problem_add(loader, role->mark, "unknown role `%s`; a service of kind %s has "
			    "the roles %s",
			    role->text, on->service->kind, ops->roles);
}

static size_t candidate_count(const struct inventory *inventory, const struct selector *on)
{
	switch (on->kind) {
	case SELECT_HOSTS:
		return on->host_count;
	case SELECT_SERVICE:
		return on->service->member_count;
	case SELECT_LABELS:
		return count_labelled(inventory, on);
	}
	return 0;
}

static void read_how_many(struct loader *loader, const struct params *own, struct selector *on)
{
	const struct param_value *count = params_find(own, "count");
	const struct param_value *percent = params_find(own, "percent");

	on->count = params_number(own, "count");
	on->percent_ppm = params_number(own, "percent");
	on->is_random = params_bool(own, "random");
	if (count->is_set && percent->is_set)
		problem_add(loader, percent->mark, "`count` and `percent` both say how many; take "
			    "one of them out");
	if (on->is_random && !count->is_set && !percent->is_set)
		on->count = 1;
	if (loader->inventory == NULL || (on->kind == SELECT_SERVICE && on->service == NULL))
		return;

	const size_t candidates = candidate_count(loader->inventory, on);

	if (count->is_set && candidates > 0 && (size_t)on->count > candidates)
		problem_add(loader, count->mark, "`count` is %lld, and there %s only %zu to choose "
			    "from", (long long)on->count, candidates == 1 ? "is" : "are", candidates);
}

/* Exactly one of host, hosts, service and labels says who the candidates are. */
static void select_candidates(struct loader *loader, const struct node *node,
			      const struct params *own, struct selector *on)
{
	static const char *const ways[] = { "host", "hosts", "service", "labels" };
	size_t way_count = 0;

	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
		if (tree_get(node, ways[i]) != NULL)
			way_count++;
	if (way_count != 1) {
		problem_add(loader, node->mark, way_count == 0 ?
			    "`on` selects nobody; write one of `host`, `hosts`, `service` and "
			    "`labels`" :
			    "`on` takes one of `host`, `hosts`, `service` and `labels`, not several");
		return;
	}
	if (params_is_set(own, "host"))
		select_hosts(loader, tree_get(node, "host"), on);
	if (params_is_set(own, "hosts"))
		select_hosts(loader, tree_get(node, "hosts"), on);
	if (params_is_set(own, "labels"))
		select_labels(loader, params_find(own, "labels"), on);
	if (params_is_set(own, "service")) {
		on->kind = SELECT_SERVICE;
		on->service = service_named(loader, params_find(own, "service")->mark,
					    params_text(own, "service"));
	}
}

static void build_selector(struct loader *loader, const struct node *node, struct selector *on)
{
	const size_t errors_before = loader->error_count;
	struct form_values values;

	on->mark = node->mark;
	if (node->kind == NODE_SCALAR && !node->is_null) {
		select_hosts(loader, node, on);
		return;
	}
	/* A misspelled `service` must not also be told that nobody is selected. */
	if (!form_read(loader, &form_selector, node, NULL, false, &values) ||
	    loader->error_count != errors_before)
		return;
	select_candidates(loader, node, &values.own, on);
	if (params_is_set(&values.own, "role")) {
		on->role = params_text(&values.own, "role");
		check_role(loader, params_find(&values.own, "role"), on);
	}
	read_how_many(loader, &values.own, on);
}

static void check_scope(struct loader *loader, const struct fault_ops *ops,
			const struct selector *on, struct mark mark)
{
	if (ops->scope == FAULT_ON_SERVICE && on->kind != SELECT_SERVICE) {
		problem_add(loader, mark, "%s acts on a service; write `on: { service: ... }`",
			    ops->name);
		return;
	}
	if (on->kind == SELECT_SERVICE && on->service != NULL && on->service->member_count == 0)
		problem_add(loader, mark, "%s needs hosts, and `%s` has no `members` in the "
			    "inventory", ops->name, on->service->name);
}

static void build_target(struct loader *loader, const struct experiment *experiment,
			 const struct node *node, const struct fault_ops *ops, struct step *step)
{
	const struct node *on = tree_get(node, "on");
	const size_t errors_before = loader->error_count;

	if (on != NULL) {
		build_selector(loader, on, &step->on);
	} else if (ops != NULL && ops->scope == FAULT_ON_SERVICE && experiment->service != NULL) {
		step->on = (struct selector){ .kind = SELECT_SERVICE, .mark = node->mark,
					      .service = experiment->service };
	} else {
		problem_add(loader, node->mark, "a step needs `on`: whom it hits, a host's name or "
			    "`{ service: ..., role: ... }`");
		return;
	}
	if (ops != NULL && loader->error_count == errors_before)
		check_scope(loader, ops, &step->on, step->on.mark);
}

static void build_step(struct loader *loader, const struct experiment *experiment,
		       const struct node *node, struct step *step)
{
	const struct fault_ops *ops = find_fault(loader, node);
	const struct node *with = tree_get(node, "with");
	const struct param_value *hold;
	struct form_values values;

	step->mark = node->mark;
	step->fault = ops == NULL ? "" : ops->name;
	step->name = step->fault;
	if (!form_read(loader, &form_step, node, NULL, false, &values))
		return;
	hold = params_find(&values.own, "for");
	step->at_ns = params_number(&values.own, "at");
	step->hold_ns = params_number(&values.own, "for");
	if (title_check(loader, params_find(&values.own, "name")))
		step->name = params_text(&values.own, "name");
	build_target(loader, experiment, node, ops, step);
	if (ops == NULL)
		return;
	if (hold->is_set && !ops->has_heal)
		problem_add(loader, hold->mark, "%s has nothing to heal, so `for` has no meaning; "
			    "take it out", ops->name);
	form_read_params(loader, arena_format(loader->arena, "`with` of %s", ops->name),
			 ops->params, with, node->mark, &step->with);
}

void method_build(struct loader *loader, const struct node *root, struct experiment *experiment)
{
	const struct node *part = NULL;
	struct step *steps;
	uint32_t i = 0;

	if (!part_children(loader, root, "method", NODE_LIST, LIMIT_STEPS, &part))
		return;
	steps = arena_alloc(loader->arena, part->count * sizeof *steps);
	for (const struct node *node = part->first; node != NULL; node = node->next, i++) {
		build_step(loader, experiment, node, &steps[i]);
		steps[i].index = i + 1;
		if (i > 0 && steps[i].at_ns < steps[i - 1].at_ns)
			problem_add(loader, node->mark, "step %u is due before step %u; write the "
				    "steps in the order of `at`", (unsigned)i + 1, (unsigned)i);
	}
	assert(i == part->count);
	experiment->steps = steps;
	experiment->step_count = part->count;
}
