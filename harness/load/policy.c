/*
 * policy.c - `policy:` of the inventory: its rows, and the model made of them.
 */
#include "load/documents.h"

#include "faults/fault.h"
#include "load/suggest.h"
#include "load/times.h"

#include <assert.h>
#include <string.h>

static const struct param window_params[] = {
	{ "days", PARAM_LIST, .fallback = "mon-sun", .help = "`mon-fri`, `[mon, wed]`; default all" },
	{ "from", PARAM_TEXT, .fallback = "00:00", .help = "time of day, `HH:MM`" },
	{ "until", PARAM_TEXT, .fallback = "24:00",
	  .help = "time of day; not after `from`: it ends on the next day" },
	{ "zone", PARAM_TEXT, .help = "time zone; else the policy's" },
	{ 0 },
};

static const struct form form_window = { .noun = "a window", .params = window_params };

static const struct param allow_params[] = {
	{ "labels", PARAM_MAP, .help = "hosts that have all of these; else every host" },
	{ "faults", PARAM_LIST, .is_required = true, .help = "the only faults there: names, or `net.*`" },
	{ 0 },
};

static const struct form form_allow = { .noun = "a row of `allow`", .params = allow_params };

static const struct param cap_params[] = {
	{ "by", PARAM_TEXT, .is_required = true, .help = "a label; hosts with the same value are a group" },
	{ "hosts", PARAM_COUNT, .min = 1, .max = LIMIT_HOSTS, .help = "most hosts of a group at one time" },
	{ "percent", PARAM_PERCENT, .min = 1, .max = 1000000, .help = "most of a group at one time" },
	{ "groups", PARAM_COUNT, .min = 1, .max = LIMIT_HOSTS,
	  .help = "most groups with any harm at one time" },
	{ 0 },
};

static const struct form form_cap = { .noun = "a cap", .params = cap_params };

static const struct param policy_params[] = {
	{ "environment", PARAM_TEXT, .help = "its name must be typed back: `run --confirm NAME`" },
	{ "zone", PARAM_TEXT, .fallback = "UTC", .help = "time zone of windows and frozen times" },
	{ "approvals", PARAM_COUNT, .min = 1, .max = LIMIT_APPROVALS,
	  .help = "so many different people must have approved; see `firedrill approve`" },
	{ 0 },
};

static const struct part policy_parts[] = {
	{ "windows", PART_FORM_LIST, .form = &form_window, .help = "when harm may begin; else always" },
	{ "freeze", PART_FORM_LIST, .form = &form_freeze, .help = "days on which nothing is harmed" },
	{ "allow", PART_FORM_LIST, .form = &form_allow, .help = "which faults on whom; else all" },
	{ "caps", PART_FORM_LIST, .form = &form_cap, .help = "how much of each group at one time" },
	{ 0 },
};

const struct form form_policy = { .noun = "`policy`", .params = policy_params,
				  .parts = policy_parts };

static void build_window(struct loader *loader, const struct node *node,
			 const struct param_value *zone, struct policy_window *window)
{
	struct form_values values;
	struct text days = { 0 };
	const char *zone_name = NULL;

	if (!form_read(loader, &form_window, node, NULL, false, &values))
		return;

	const struct param_value *listed = params_find(&values.own, "days");
	const struct param_value *from = params_find(&values.own, "from");
	const struct param_value *until = params_find(&values.own, "until");

	days_value(loader, listed, &window->days);
	window->zone = zone_value(loader, params_find(&values.own, "zone"), zone, &zone_name);
	if (!minute_value(loader, from, &window->from_minute) ||
	    !minute_value(loader, until, &window->until_minute))
		return;
	for (size_t i = 0; i < listed->item_count; i++)
		text_addf(&days, "%s%s", i == 0 ? "" : ", ", listed->items[i]);
	window->text = arena_format(loader->arena, "%s %s to %s %s", text_str(&days), from->text,
				    until->text, zone_name);
	text_release(&days);
	if (window->from_minute == window->until_minute)
		problem_add(loader, until->mark, "a window from %s until %s is none; leave both out "
			    "for the whole day", from->text, until->text);
}

/* A name, or a beginning of names and a star: one that means nothing would allow nothing. */
static void check_fault(struct loader *loader, struct mark mark, const char *name)
{
	struct suggestion near = suggest_for(name);
	const size_t length = strlen(name);
	const bool is_pattern = length > 0 && name[length - 1] == '*';
	size_t count = 0;
	const struct fault_ops *const *rows = fault_table(&count);

	for (size_t i = 0; i < count; i++) {
		if (is_pattern ? strncmp(rows[i]->name, name, length - 1) == 0 :
				 strcmp(rows[i]->name, name) == 0)
			return;
		suggest_offer(&near, rows[i]->name);
	}
	if (near.best != NULL)
		problem_add(loader, mark, "unknown fault `%s`; did you mean `%s`?", name, near.best);
	else
		problem_add(loader, mark, "unknown fault `%s`; `firedrill faults` lists them", name);
}

static void build_allow(struct loader *loader, const struct node *node, struct policy_allow *allow)
{
	struct form_values values;

	if (!form_read(loader, &form_allow, node, NULL, false, &values))
		return;

	const struct param_value *labels = params_find(&values.own, "labels");
	const struct param_value *faults = params_find(&values.own, "faults");

	allow->labels = labels->pairs;
	allow->label_count = labels->pair_count;
	allow->faults = faults->items;
	allow->fault_count = faults->item_count;
	for (size_t i = 0; faults->is_set && i < faults->item_count; i++)
		check_fault(loader, faults->mark, faults->items[i]);
}

static void build_cap(struct loader *loader, const struct node *node, struct policy_cap *cap)
{
	struct form_values values;

	if (!form_read(loader, &form_cap, node, NULL, false, &values))
		return;
	cap->by = params_text(&values.own, "by");
	cap->max_hosts = params_number(&values.own, "hosts");
	cap->max_percent_ppm = params_number(&values.own, "percent");
	cap->max_groups = params_number(&values.own, "groups");
	if (cap->max_hosts == 0 && cap->max_percent_ppm == 0 && cap->max_groups == 0 &&
	    tree_get(node, "hosts") == NULL && tree_get(node, "percent") == NULL &&
	    tree_get(node, "groups") == NULL)
		problem_add(loader, node->mark, "a cap needs `hosts`, `percent` or `groups`; this one "
			    "caps nothing");
}

static void build_times(struct loader *loader, const struct node *node,
			const struct param_value *zone, struct policy *policy)
{
	const struct node *part = NULL;
	struct policy_window *windows = rows_make(loader, node, "windows", sizeof *windows, &part);

	for (const struct node *row = windows == NULL ? NULL : part->first; row != NULL; row = row->next)
		build_window(loader, row, zone, &windows[policy->window_count++]);
	policy->windows = windows;

	policy->freezes = freezes_build(loader, node, zone, &policy->freeze_count);
}

static void build_bounds(struct loader *loader, const struct node *node, struct policy *policy)
{
	const struct node *part = NULL;
	struct policy_allow *allows = rows_make(loader, node, "allow", sizeof *allows, &part);

	for (const struct node *row = allows == NULL ? NULL : part->first; row != NULL; row = row->next)
		build_allow(loader, row, &allows[policy->allow_count++]);
	policy->allows = allows;

	struct policy_cap *caps = rows_make(loader, node, "caps", sizeof *caps, &part);

	for (const struct node *row = caps == NULL ? NULL : part->first; row != NULL; row = row->next)
		build_cap(loader, row, &caps[policy->cap_count++]);
	policy->caps = caps;
}

void policy_build(struct loader *loader, const struct node *root, struct policy *policy)
{
	const struct node *node = tree_get(root, "policy");
	struct form_values values;

	assert(!policy->is_declared);
	if (node == NULL || !form_read(loader, &form_policy, node, NULL, false, &values))
		return;

	const struct param_value *environment = params_find(&values.own, "environment");

	policy->is_declared = true;
	policy->approval_count = params_number(&values.own, "approvals");
	if (title_check(loader, environment))
		policy->environment = environment->text;
	build_times(loader, node, params_find(&values.own, "zone"), policy);
	build_bounds(loader, node, policy);
}
