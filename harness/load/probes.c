/*
 * probes.c - `probes:` and `validate:`: a kind of probes/table.c, what it looks at, and its params.
 */
#include "load/documents.h"

#include "base/clock.h"
#include "load/suggest.h"
#include "load/vars.h"
#include "probes/probe.h"

#include <assert.h>
#include <string.h>

static const int64_t check_timeout_ns = 10 * NS_PER_S;

static const struct param probe_params[] = {
	{ "kind", PARAM_TEXT, .is_required = true, .help = "what it does; see `firedrill probes`" },
	{ "on", PARAM_TEXT, .help = "service or host to look at; else the experiment's service" },
	{ "every", PARAM_DURATION, .is_required = true, .min = NS_PER_MS, .max = 3600 * NS_PER_S,
	  .help = "time between two attempts; the width of what can be told" },
	{ "timeout", PARAM_DURATION, .min = NS_PER_MS, .max = 3600 * NS_PER_S, .fallback = "1s",
	  .help = "an answer later than this is no answer" },
	{ "lanes", PARAM_COUNT, .min = 1, .max = LIMIT_LANES,
	  .help = "most attempts at one time; else timeout / every" },
	{ "required", PARAM_BOOL, .fallback = "true", .help = "false: shown, but not judged" },
	{ 0 },
};

const struct form form_probe = { .noun = "a probe", .params = probe_params, .kind_key = "kind" };

static const struct param check_params[] = {
	{ "check", PARAM_TEXT, .is_required = true, .help = "a kind of probe; see `firedrill probes`" },
	{ "name", PARAM_TEXT, .help = "what to call it in reports; else its kind" },
	{ "on", PARAM_TEXT, .help = "service or host to look at; else the experiment's service" },
	{ "timeout", PARAM_DURATION, .min = NS_PER_MS, .max = 3600 * NS_PER_S, .fallback = "10s",
	  .help = "an answer later than this is no answer" },
	{ "required", PARAM_BOOL, .fallback = "true", .help = "false: shown, but not judged" },
	{ 0 },
};

const struct form form_check = { .noun = "a check", .params = check_params, .kind_key = "check" };

/* The row of the kind, or NULL and a problem. */
static const struct probe_ops *find_kind(struct loader *loader, const struct node *node,
					 const char *key)
{
	const struct node *kind = tree_get(node, key);
	const char *name = kind == NULL || kind->kind != NODE_SCALAR || kind->is_null ?
				   NULL : plain_text(loader, kind);
	const struct probe_ops *ops = name == NULL ? NULL : probe_find(name);
	struct suggestion near;
	size_t count = 0;

	if (name == NULL || ops != NULL)
		return ops;
	near = suggest_for(name);
	const struct probe_ops *const *rows = probe_table(&count);

	for (size_t i = 0; i < count; i++)
		suggest_offer(&near, rows[i]->name);
	if (near.best != NULL)
		problem_add(loader, kind->mark, "unknown kind of probe `%s`; did you mean `%s`?",
			    name, near.best);
	else
		problem_add(loader, kind->mark, "unknown kind of probe `%s`; `firedrill probes` "
			    "lists them", name);
	return NULL;
}

static void refuse_target(struct loader *loader, struct mark mark, const struct probe_ops *ops,
			  const char *name)
{
	const struct inventory *inventory = loader->inventory;
	struct suggestion near = suggest_for(name);
	const char *noun = ops->on == PROBE_ON_SERVICE ? "service" :
			   ops->on == PROBE_ON_HOST ? "host" : "service or host";

	for (size_t i = 0; ops->on != PROBE_ON_HOST && i < inventory->service_count; i++)
		suggest_offer(&near, inventory->services[i].name);
	for (size_t i = 0; ops->on != PROBE_ON_SERVICE && i < inventory->host_count; i++)
		suggest_offer(&near, inventory->hosts[i].name);
	if (inventory_host(inventory, name) != NULL || inventory_service(inventory, name) != NULL)
		problem_add(loader, mark, "%s looks at a %s, and `%s` is a %s", ops->name, noun,
			    name, inventory_host(inventory, name) != NULL ? "host" : "service");
	else if (near.best != NULL)
		problem_add(loader, mark, "unknown %s `%s`; did you mean `%s`?", noun, name,
			    near.best);
	else
		problem_add(loader, mark, "unknown %s `%s`; %s has none of that name", noun, name,
			    loader->inventory_path);
}

/* False: a problem says why, or the inventory is not known. */
static bool name_target(struct loader *loader, struct mark mark, const struct probe_ops *ops,
			const char *name, struct probe_spec *spec)
{
	const struct inventory *inventory = loader->inventory;

	if (ops->on == PROBE_ON_NOTHING) {
		problem_add(loader, mark, "%s looks at nothing in the inventory; take `on` out",
			    ops->name);
		return false;
	}
	if (inventory == NULL)
		return false;
	if (ops->on != PROBE_ON_HOST)
		spec->service = inventory_service(inventory, name);
	if (ops->on != PROBE_ON_SERVICE && spec->service == NULL)
		spec->host = inventory_host(inventory, name);
	if (spec->service == NULL && spec->host == NULL) {
		refuse_target(loader, mark, ops, name);
		return false;
	}
	return true;
}

static bool find_target(struct loader *loader, const struct experiment *experiment,
			const struct param_value *on, struct mark mark,
			const struct probe_ops *ops, struct probe_spec *spec)
{
	if (on->is_set) {
		if (!name_target(loader, on->mark, ops, on->text, spec))
			return false;
	} else if (ops->on == PROBE_ON_SERVICE || ops->on == PROBE_ON_EITHER) {
		spec->service = experiment->service;
	}
	if (ops->on != PROBE_ON_NOTHING && spec->service == NULL && spec->host == NULL) {
		if (loader->inventory != NULL)
			problem_add(loader, mark, "%s needs `on`: the name of a %s to look at",
				    ops->name, ops->on == PROBE_ON_SERVICE ? "service" :
				    ops->on == PROBE_ON_HOST ? "host" : "service or a host");
		return false;
	}
	if (spec->service != NULL && ops->service_kinds != NULL &&
	    !form_has_word(ops->service_kinds, spec->service->kind)) {
		problem_add(loader, on->is_set ? on->mark : mark,
			    "%s cannot look at `%s`, a service of kind %s; it wants %s", ops->name,
			    spec->service->name, spec->service->kind, ops->service_kinds);
		return false;
	}
	return true;
}

/* An unread secret would look wrong to a probe's own check, and is not. */
static bool has_unread_secret(const struct service *service)
{
	for (size_t i = 0; service != NULL && i < service->params.count; i++) {
		const struct param_value *value = &service->params.values[i];

		if (value->text != NULL && strstr(value->text, secret_unread) != NULL)
			return true;
		for (size_t n = 0; n < value->item_count; n++)
			if (strstr(value->items[n], secret_unread) != NULL)
				return true;
	}
	return false;
}

/* What probes and checks have in common. False: there is more to say first. */
static bool build_spec(struct loader *loader, const struct experiment *experiment,
		       const struct form *form, const struct node *node, struct probe_spec *spec,
		       struct form_values *ret_values)
{
	const size_t errors_before = loader->error_count;
	const size_t unresolved_before = loader->unresolved_count;
	const struct probe_ops *ops = find_kind(loader, node, form->kind_key);
	const struct params *own = &ret_values->own;
	struct err e = { 0 };

	spec->kind = ops == NULL ? "" : ops->name;
	spec->inventory = loader->inventory;
	spec->mark = node->key == NULL ? node->mark : node->key_mark;
	if (!form_read(loader, form, node, ops == NULL ? NULL : ops->params, ops == NULL,
		       ret_values) || ops == NULL)
		return false;
	spec->timeout_ns = params_number(own, "timeout");
	spec->is_required = params_bool(own, "required");
	spec->is_ledger = ops->is_ledger;
	spec->is_event = ops->is_event;
	spec->params = ret_values->extra;
	if (ops->batch_param != NULL)
		spec->rows_per_slot = (uint32_t)params_number(&spec->params, ops->batch_param);
	if (!find_target(loader, experiment, params_find(own, "on"), spec->mark, ops, spec) ||
	    loader->error_count != errors_before)
		return false;
	if (ops->check != NULL && loader->is_inventory_sound &&
	    loader->unresolved_count == unresolved_before && !has_unread_secret(spec->service) &&
	    !ops->check(spec, &e)) {
		problem_add(loader, spec->mark, "%s", e.text);
		return false;
	}
	return true;
}

/* The fewest lanes with which one is always free again, or what `lanes:` says. */
static uint32_t count_lanes(struct loader *loader, const struct probe_spec *spec,
			    const struct params *own)
{
	const int64_t wanted = (spec->timeout_ns + spec->every_ns - 1) / spec->every_ns;

	if (params_is_set(own, "lanes"))
		return (uint32_t)params_number(own, "lanes");
	if (wanted <= LIMIT_LANES)
		return (uint32_t)wanted;
	problem_warn(loader, spec->mark, "%lld attempts could hang at one time, and %d lanes are "
		     "the most; slots in between will not be sampled (shorten `timeout`, or set "
		     "`lanes`)", (long long)wanted, LIMIT_LANES);
	return LIMIT_LANES;
}

/* An event probe says what the system does, never whether the service is good. */
static void limit_event(struct loader *loader, const struct node *node, struct probe_spec *spec,
			const struct params *own)
{
	const struct node *required = tree_get(node, "required");

	if (required != NULL && params_bool(own, "required"))
		problem_add(loader, required->mark, "%s yields events and no good or bad samples, so "
			    "nothing can depend on it; take `required` out", spec->kind);
	if (params_is_set(own, "lanes"))
		problem_add(loader, params_find(own, "lanes")->mark, "%s looks at each place once at "
			    "a time; take `lanes` out", spec->kind);
	spec->is_required = false;
}

static void build_probe(struct loader *loader, const struct experiment *experiment,
			const struct node *node, struct probe_spec *spec)
{
	struct form_values values = { 0 };
	bool is_whole;

	spec->name = node->key;
	(void)name_check(loader, node->key_mark, "a probe", node->key);
	is_whole = build_spec(loader, experiment, &form_probe, node, spec, &values);
	spec->every_ns = params_number(&values.own, "every");
	if (spec->is_event)
		limit_event(loader, node, spec, &values.own);
	if (is_whole && spec->is_event && spec->service != NULL && spec->service->member_count == 0)
		problem_add(loader, spec->mark, "%s looks at hosts, and `%s` has no `members` in the "
			    "inventory; name them there, or write `on` with a host", spec->kind,
			    spec->service->name);
	if (spec->every_ns > 0 && spec->timeout_ns > 0)
		spec->lane_count = count_lanes(loader, spec, &values.own);
}

/* A reader reads the rows of a ledger that this experiment writes. */
static void find_ledger(struct loader *loader, const struct experiment *experiment,
			struct probe_spec *spec)
{
	const struct probe_ops *ops = probe_find(spec->kind);
	const struct probe_spec *ledger;

	if (ops == NULL || ops->reads_ledger == NULL || spec->params.count == 0 ||
	    !params_is_set(&spec->params, "ledger"))
		return;
	ledger = probe_named(loader, experiment, params_find(&spec->params, "ledger"));
	if (ledger != NULL && strcmp(ledger->kind, ops->reads_ledger) != 0)
		problem_add(loader, params_find(&spec->params, "ledger")->mark,
			    "%s reads the rows of a `%s`, and `%s` is a `%s`", ops->name,
			    ops->reads_ledger, ledger->name, ledger->kind);
	else
		spec->ledger = ledger;
}

void probes_build(struct loader *loader, const struct node *root, struct experiment *experiment)
{
	const struct node *part = NULL;
	struct probe_spec *specs;
	size_t i = 0;

	if (!part_children(loader, root, "probes", NODE_MAP, LIMIT_PROBES, &part))
		return;
	if (part->count == 0)
		problem_add(loader, part->mark, "`probes` is empty: with no probe nothing is seen");
	specs = arena_alloc(loader->arena, part->count * sizeof *specs);
	for (const struct node *node = part->first; node != NULL; node = node->next)
		build_probe(loader, experiment, node, &specs[i++]);
	assert(i == part->count);
	experiment->probes = specs;
	experiment->probe_count = part->count;
	for (i = 0; i < part->count; i++)
		find_ledger(loader, experiment, &specs[i]);
}

/* A second check of a kind, without a name of its own, is called "KIND 2". */
static const char *name_of_check(struct loader *loader, const struct check *checks, size_t index,
				 const struct param_value *name)
{
	const char *kind = checks[index].probe.kind;
	size_t same_count = 0;

	for (size_t i = 0; i < index; i++) {
		if (name->is_set && strcmp(checks[i].probe.name, name->text) == 0)
			problem_add(loader, name->mark, "another check is called `%s` already",
				    name->text);
		if (strcmp(checks[i].probe.kind, kind) == 0)
			same_count++;
	}
	if (name->is_set)
		return title_check(loader, name) ? name->text : "";
	if (same_count == 0)
		return kind;
	return arena_format(loader->arena, "%s %zu", kind, same_count + 1);
}

static void build_check(struct loader *loader, const struct experiment *experiment,
			const struct node *node, struct check *checks, size_t index)
{
	struct probe_spec *spec = &checks[index].probe;
	struct form_values values = { 0 };
	const bool is_whole = build_spec(loader, experiment, &form_check, node, spec, &values);

	if (values.own.count > 0)
		spec->name = name_of_check(loader, checks, index, params_find(&values.own, "name"));
	else
		spec->name = "";
	spec->lane_count = 1;
	if (spec->timeout_ns == 0)
		spec->timeout_ns = check_timeout_ns;
	if (is_whole && spec->is_event)
		problem_add(loader, spec->mark, "%s yields events and no answer to check; it belongs "
			    "under `probes`", spec->kind);
	if (is_whole && probe_find(spec->kind)->reads_ledger != NULL)
		problem_add(loader, spec->mark, "%s reads beside a ledger that writes; it belongs under "
			    "`probes`", spec->kind);
	if (is_whole && spec->is_ledger)
		problem_add(loader, spec->mark, "%s is a ledger: it writes; it belongs under "
			    "`probes`", spec->kind);
}

void checks_build(struct loader *loader, const struct node *root, struct experiment *experiment)
{
	const struct node *part = NULL;
	struct check *checks;
	size_t i = 0;

	if (!part_children(loader, root, "validate", NODE_LIST, LIMIT_CHECKS, &part))
		return;
	checks = arena_alloc(loader->arena, part->count * sizeof *checks);
	for (const struct node *node = part->first; node != NULL; node = node->next)
		build_check(loader, experiment, node, checks, i++);
	assert(i == part->count);
	experiment->checks = checks;
	experiment->check_count = part->count;
}
