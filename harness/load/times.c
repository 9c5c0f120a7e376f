/*
 * times.c - see times.h.
 *
 * A time zone that this machine does not know is a problem, except in documents that come back out of
 * the store: their report needs no clock, and whoever asks for permission then is refused.
 */
#include "load/times.h"

#include <ctype.h>
#include <string.h>

enum { DAY_MINUTES = 24 * 60 };

static const char *const day_names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static const struct param freeze_params[] = {
	{ "from", PARAM_TEXT, .is_required = true, .help = "first day, `YYYY-MM-DD`" },
	{ "until", PARAM_TEXT, .help = "last day, frozen too; else the first one alone" },
	{ "zone", PARAM_TEXT, .help = "time zone; else the one around it" },
	{ "reason", PARAM_TEXT, .is_required = true, .help = "why nothing may be harmed then" },
	{ 0 },
};

const struct form form_freeze = { .noun = "a frozen time", .params = freeze_params };

const struct zone *zone_value(struct loader *loader, const struct param_value *own,
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

bool minute_value(struct loader *loader, const struct param_value *value, int32_t *ret_minute)
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

void days_value(struct loader *loader, const struct param_value *value, uint32_t *ret_days)
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

void *rows_make(struct loader *loader, const struct node *parent, const char *key,
		size_t row_bytes, const struct node **ret_part)
{
	if (!part_children(loader, parent, key, NODE_LIST, LIMIT_POLICY_ROWS, ret_part))
		return NULL;
	if ((*ret_part)->count == 0)
		problem_add(loader, (*ret_part)->mark, "`%s` is an empty list; take it out", key);
	return arena_alloc(loader->arena, ((*ret_part)->count + 1) * row_bytes);
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

	freeze->zone = zone_value(loader, params_find(&values.own, "zone"), zone, &zone_name);
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

const struct policy_freeze *freezes_build(struct loader *loader, const struct node *parent,
					  const struct param_value *zone, size_t *ret_count)
{
	const struct node *part = NULL;
	struct policy_freeze *freezes = rows_make(loader, parent, "freeze", sizeof *freezes, &part);
	size_t count = 0;

	for (const struct node *row = freezes == NULL ? NULL : part->first; row != NULL; row = row->next)
		build_freeze(loader, row, zone, &freezes[count++]);
	*ret_count = count;
	return freezes;
}
