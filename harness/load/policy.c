/*
 * policy.c - `policy:` of the inventory: its rows, and the model made of them.
 *
 * A time zone that this machine does not know is a problem, except in documents that come back out of
 * the store: their report needs no clock, and whoever asks for permission then is refused.
 */
#include "load/documents.h"

#include "faults/fault.h"
#include "load/suggest.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

enum { DAY_MINUTES = 24 * 60 };

static const char *const day_names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static const struct param window_params[] = {
	{ "days", PARAM_LIST, .fallback = "mon-sun", .help = "`mon-fri`, `[mon, wed]`; default all" },
	{ "from", PARAM_TEXT, .fallback = "00:00", .help = "time of day, `HH:MM`" },
	{ "until", PARAM_TEXT, .fallback = "24:00",
	  .help = "time of day; not after `from`: it ends on the next day" },
	{ "zone", PARAM_TEXT, .help = "time zone; else the policy's" },
	{ 0 },
};

static const struct form form_window = { .noun = "a window", .params = window_params };

static const struct param freeze_params[] = {
	{ "from", PARAM_TEXT, .is_required = true, .help = "first day, `YYYY-MM-DD`" },
	{ "until", PARAM_TEXT, .help = "last day, frozen too; else the first one alone" },
	{ "zone", PARAM_TEXT, .help = "time zone; else the policy's" },
	{ "reason", PARAM_TEXT, .is_required = true, .help = "why nothing may be harmed then" },
	{ 0 },
};

static const struct form form_freeze = { .noun = "a frozen time", .params = freeze_params };

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

/* The zone of a row, or the policy's. NULL: a problem says why, or the document is one of the past. */
static const struct zone *read_zone(struct loader *loader, const struct param_value *own,
				    const struct param_value *shared, const char **ret_name)
{
	const struct param_value *value = own->is_set ? own : shared;
	const struct zone *zone = NULL;
	struct err e = { 0 };

	*ret_name = value->is_set ? value->text : "?";
	if (value->is_set && !zone_load(value->text, loader->arena, &zone, &e) &&
	    loader->request->inventory_text == NULL)
		problem_add(loader, value->mark, "%s", e.text);
	return zone;
}

static bool read_minute(struct loader *loader, const struct param_value *value, int32_t *ret_minute)
{
	const char *text = value->text;
	const bool is_time = value->is_set && strlen(text) == 5 && isdigit((unsigned char)text[0]) &&
			     isdigit((unsigned char)text[1]) && text[2] == ':' &&
			     isdigit((unsigned char)text[3]) && isdigit((unsigned char)text[4]);
	const int32_t hour = is_time ? (text[0] - '0') * 10 + text[1] - '0' : 0;
	const int32_t minute = is_time ? (text[3] - '0') * 10 + text[4] - '0' : 0;

	if (!is_time || minute > 59 || hour * 60 + minute > DAY_MINUTES) {
		if (value->is_set)
			problem_add(loader, value->mark, "`%s` is `%s`; write a time of day from "
				    "`00:00` to `24:00`", value->name, text);
		return false;
	}
	*ret_minute = hour * 60 + minute;
	return true;
}

static int find_day(const char *name, size_t name_bytes)
{
	for (int i = 0; i < 7; i++)
		if (name_bytes == 3 && strncasecmp(name, day_names[i], 3) == 0)
			return i;
	return -1;
}

/* "mon", or "fri-mon" */
static void read_days(struct loader *loader, const struct param_value *value, uint32_t *ret_days)
{
	if (value->is_set && value->item_count == 0)
		problem_add(loader, value->mark, "`days` is an empty list; leave it out for every day");
	for (size_t i = 0; value->is_set && i < value->item_count; i++) {
		const char *item = value->items[i];
		const size_t first_bytes = strcspn(item, "-");
		const char *last_name = item[first_bytes] == '-' ? item + first_bytes + 1 : item;
		const int first = find_day(item, first_bytes);
		const int last = find_day(last_name, last_name == item ? first_bytes :
									 strlen(last_name));

		if (first == -1 || last == -1) {
			problem_add(loader, value->mark, "`%s` in `days` is no day; write `mon` to `sun`, "
				    "or `mon-fri`", item);
			continue;
		}
		for (int day = first; day != last; day = (day + 1) % 7)
			*ret_days |= 1u << day;
		*ret_days |= 1u << last;
	}
}

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

	read_days(loader, listed, &window->days);
	window->zone = read_zone(loader, params_find(&values.own, "zone"), zone, &zone_name);
	if (!read_minute(loader, from, &window->from_minute) ||
	    !read_minute(loader, until, &window->until_minute))
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

static bool read_date(struct loader *loader, const struct param_value *value, int64_t *ret_day)
{
	struct err e = { 0 };

	if (!value->is_set)
		return false;
	if (!zone_parse_date(value->text, ret_day, &e)) {
		problem_add(loader, value->mark, "`%s`: %s", value->name, e.text);
		return false;
	}
	return true;
}

static void build_freeze(struct loader *loader, const struct node *node,
			 const struct param_value *zone, struct policy_freeze *freeze)
{
	char from_text[ZONE_DATE_BYTES];
	char until_text[ZONE_DATE_BYTES];
	struct form_values values;
	const char *zone_name = NULL;

	if (!form_read(loader, &form_freeze, node, NULL, false, &values))
		return;

	const struct param_value *until = params_find(&values.own, "until");
	const struct param_value *reason = params_find(&values.own, "reason");

	freeze->zone = read_zone(loader, params_find(&values.own, "zone"), zone, &zone_name);
	freeze->reason = reason->is_set ? reason->text : "";
	if (strlen(freeze->reason) > LIMIT_REASON_BYTES)
		problem_add(loader, reason->mark, "`reason` has %zu bytes; the most is %d",
			    strlen(freeze->reason), LIMIT_REASON_BYTES);
	if (!read_date(loader, params_find(&values.own, "from"), &freeze->from_day))
		return;
	freeze->until_day = freeze->from_day;
	if (until->is_set && !read_date(loader, until, &freeze->until_day))
		return;
	if (freeze->until_day < freeze->from_day)
		problem_add(loader, until->mark, "`until` comes before `from`, so nothing would be "
			    "frozen; exchange them");
	freeze->text = arena_format(loader->arena, "%s%s%s %s",
				    zone_format_date(freeze->from_day, from_text),
				    freeze->until_day == freeze->from_day ? "" : " to ",
				    freeze->until_day == freeze->from_day ?
					    "" : zone_format_date(freeze->until_day, until_text),
				    zone_name);
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

/* The rows of a list, with room for them in the arena; NULL: there are none. */
static void *make_rows(struct loader *loader, const struct node *policy, const char *key,
		       size_t row_bytes, const struct node **ret_part)
{
	if (!part_children(loader, policy, key, NODE_LIST, LIMIT_POLICY_ROWS, ret_part))
		return NULL;
	if ((*ret_part)->count == 0)
		problem_add(loader, (*ret_part)->mark, "`%s` is an empty list; take it out", key);
	return arena_alloc(loader->arena, ((*ret_part)->count + 1) * row_bytes);
}

static void build_times(struct loader *loader, const struct node *node,
			const struct param_value *zone, struct policy *policy)
{
	const struct node *part = NULL;
	struct policy_window *windows = make_rows(loader, node, "windows", sizeof *windows, &part);

	for (const struct node *row = windows == NULL ? NULL : part->first; row != NULL; row = row->next)
		build_window(loader, row, zone, &windows[policy->window_count++]);
	policy->windows = windows;

	struct policy_freeze *freezes = make_rows(loader, node, "freeze", sizeof *freezes, &part);

	for (const struct node *row = freezes == NULL ? NULL : part->first; row != NULL; row = row->next)
		build_freeze(loader, row, zone, &freezes[policy->freeze_count++]);
	policy->freezes = freezes;
}

static void build_bounds(struct loader *loader, const struct node *node, struct policy *policy)
{
	const struct node *part = NULL;
	struct policy_allow *allows = make_rows(loader, node, "allow", sizeof *allows, &part);

	for (const struct node *row = allows == NULL ? NULL : part->first; row != NULL; row = row->next)
		build_allow(loader, row, &allows[policy->allow_count++]);
	policy->allows = allows;

	struct policy_cap *caps = make_rows(loader, node, "caps", sizeof *caps, &part);

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
