/*
 * schedule.c - one schedule of a document: its rows, and the model made of them. When it runs is
 * harness/schedule's.
 */
#include "load/schedule_parts.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "load/source.h"
#include "model/label.h"
#include "schedule/calendar.h"
#include "schedule/cron.h"

static const struct param random_params[] = {
	{ "between", PARAM_LIST, .is_required = true,
	  .help = "two times of day, `[09:00, 17:00]`; when the second is not later it is on the next day" },
	{ "days", PARAM_LIST, .fallback = "mon-sun", .help = "`mon-fri`, `[mon, wed]`; default all" },
	{ 0 },
};

const struct form form_random = { .noun = "`random`", .params = random_params };

static const struct param schedule_params[] = {
	{ "name", PARAM_TEXT, .help = "of the schedule; else the file's, without `.yaml`" },
	SCHEDULE_PARAMS,
	{ 0 },
};

static const struct part schedule_parts[] = { SCHEDULE_PARTS, { 0 } };

const struct form form_schedule = { .noun = "`schedule`", .params = schedule_params,
				    .parts = schedule_parts };

const struct schedule_frame schedule_frame_none = {
	.zone = { .name = "zone", .type = PARAM_TEXT, .is_set = true, .text = "UTC" },
	.calendars = { .name = "calendars", .type = PARAM_LIST },
};

/* ---- when ---- */

/* The mistake's own column, where the text stands in the document as it is read. */
static struct mark cron_mark(const struct node *node, const struct param_value *value,
			     size_t offset_bytes)
{
	struct mark mark = value->mark;

	if (node->text != NULL && strcmp(node->text, value->text) == 0 &&
	    strchr(value->text, '\n') == NULL)
		mark.column += (uint32_t)offset_bytes + (node->is_quoted ? 1 : 0);
	return mark;
}

static void read_cron(struct loader *loader, const struct node *node,
		      const struct param_value *value, struct schedule *schedule)
{
	size_t offset_bytes = 0;
	struct err e = { 0 };

	schedule->kind = SCHEDULE_CRON;
	if (!cron_parse(value->text, &schedule->cron, &offset_bytes, &e))
		problem_add(loader, cron_mark(tree_get(node, "cron"), value, offset_bytes),
			    "`cron`: %s", e.text);
}

/* The words of a list as they were written, for people. */
static const char *join(struct loader *loader, const struct param_value *list)
{
	struct text text = { 0 };
	const char *joined;

	for (size_t i = 0; i < list->item_count; i++)
		text_addf(&text, "%s%s", i == 0 ? "" : ", ", list->items[i]);
	joined = arena_copy(loader->arena, text_str(&text));
	text_release(&text);
	return joined;
}

static void read_random(struct loader *loader, const struct node *node, struct schedule *schedule,
			const char **ret_text)
{
	struct random_time *random = &schedule->random;
	struct form_values values;

	schedule->kind = SCHEDULE_RANDOM;
	if (!form_read(loader, &form_random, node, NULL, false, &values))
		return;

	const struct param_value *between = params_find(&values.own, "between");
	const struct param_value *days = params_find(&values.own, "days");
	struct param_value one = *between;

	days_value(loader, days, &random->days);
	if (!between->is_set)
		return;
	if (between->item_count != 2) {
		problem_add(loader, between->mark, "`between` takes two times of day, such as "
			    "`[09:00, 17:00]`");
		return;
	}
	one.text = between->items[0];
	if (!minute_value(loader, &one, &random->from_minute))
		return;
	one.text = between->items[1];
	if (!minute_value(loader, &one, &random->until_minute))
		return;
	if (random->from_minute == random->until_minute)
		problem_add(loader, between->mark, "from %s until %s is no time; write 00:00 and 24:00 "
			    "for the whole day", between->items[0], between->items[1]);
	else if (random->from_minute == 24 * 60)
		problem_add(loader, between->mark, "no day has anything after 24:00; write `00:00` and "
			    "the next day");
	*ret_text = arena_format(loader->arena, "once %s between %s and %s", join(loader, days),
				 between->items[0], between->items[1]);
}

static void read_when(struct loader *loader, const struct node *node, const struct params *values,
		      const struct schedule_frame *frame, struct schedule *schedule)
{
	const struct param_value *cron = params_find(values, "cron");
	const struct node *random = tree_get(node, "random");
	const struct node *jitter = tree_get(node, "jitter");
	const char *zone_name;
	const char *when = cron->is_set ? cron->text : "?";

	schedule->zone = zone_value(loader, params_find(values, "zone"), &frame->zone, &zone_name);
	schedule->jitter_ns = params_number(values, "jitter");
	if ((tree_get(node, "cron") != NULL) == (random != NULL))
		problem_add(loader, node->mark, "a schedule takes either `cron: \"30 9 * * mon-fri\"` or "
			    "`random: { between: [09:00, 17:00] }`");
	if (cron->is_set)
		read_cron(loader, node, cron, schedule);
	if (random != NULL)
		read_random(loader, random, schedule, &when);
	if (random != NULL && jitter != NULL)
		problem_add(loader, jitter->key_mark, "`random` is by chance already; take `jitter` out");
	schedule->text = arena_format(loader->arena, "%s %s", when, zone_name);
}

/* ---- whether ---- */

/* The earliest minute of a day at which it may be due. */
static int32_t earliest_minute(const struct schedule *schedule)
{
	const struct cron *cron = &schedule->cron;

	if (schedule->kind == SCHEDULE_RANDOM)
		return schedule->random.from_minute;
	for (int32_t minute = 0; minute < 24 * 60; minute++)
		if ((cron->hours >> (minute / 60) & 1) != 0 &&
		    (cron->minutes >> (minute % 60) & 1) != 0)
			return minute;
	return 0; /* cron could not be read, and that was said */
}

static void read_not_after(struct loader *loader, const struct param_value *value,
			   struct schedule *schedule)
{
	if (!minute_value(loader, value, &schedule->not_after_minute))
		return;
	schedule->has_not_after = true;
	if (schedule->not_after_minute < earliest_minute(schedule))
		problem_add(loader, value->mark, "on every day `not_after: %s` has passed when the "
			    "schedule comes; write a later time", value->text);
}

static void read_missed(struct loader *loader, const struct param_value *value,
			struct schedule *schedule)
{
	static const char within[] = "run within ";
	const int64_t grace_min_ns = 60 * NS_PER_S;
	struct err e = { 0 };

	schedule->missed = MISSED_SKIP;
	if (!value->is_set || strcmp(value->text, "skip") == 0)
		return;
	if (strcmp(value->text, "alert") == 0) {
		schedule->missed = MISSED_ALERT;
		return;
	}
	schedule->missed = MISSED_RUN;
	if (strncmp(value->text, within, sizeof within - 1) != 0)
		problem_add(loader, value->mark, "`missed` is `%s`; write `skip`, `alert` or `run within "
			    "2h`", value->text);
	else if (!units_parse_duration(value->text + sizeof within - 1, &schedule->grace_ns, &e))
		problem_add(loader, value->mark, "missed: %s", e.text);
	else if (schedule->grace_ns < grace_min_ns || schedule->grace_ns > 7 * SCHEDULE_DAY_NS)
		problem_add(loader, value->mark, "`missed: %s`: the least is 1m, the most is 7d",
			    value->text);
}

/* Where the complaints about a calendar go. */
struct calendar_place {
	struct loader *loader;
	const char *path;
};

static void complain(void *ctx, uint32_t line, const char *sentence)
{
	const struct calendar_place *place = ctx;

	problem_add(place->loader, (struct mark){ place->path, line, 1 }, "%s", sentence);
}

static void read_calendar(struct loader *loader, const char *name, const struct zone *zone,
			  const struct calendar **ret_calendar)
{
	struct calendar_place place = { loader, path_resolve(loader,
							     loader->request->experiment_path, name) };
	struct calendar *calendar = arena_alloc(loader->arena, sizeof *calendar);
	struct source source;

	/* Where the zone could not be read, the calendar's own mistakes are told all the same. */
	if (source_read(loader, "the calendar", place.path, &source) &&
	    (zone != NULL || zone_load("UTC", loader->arena, &zone, NULL)))
		(void)calendar_read(&(struct calendar_source){ place.path, source.bytes,
							       source.length_bytes, zone },
				    loader->arena, complain, &place, calendar);
	*ret_calendar = calendar;
}

static void read_calendars(struct loader *loader, const struct param_value *own,
			   const struct param_value *shared, struct schedule *schedule)
{
	const struct param_value *const lists[] = { own, shared };
	const struct calendar **calendars =
		arena_alloc(loader->arena, LIMIT_CALENDARS * sizeof *calendars);

	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; lists[i]->is_set && j < lists[i]->item_count; j++) {
			if (schedule->calendar_count == LIMIT_CALENDARS) {
				problem_add(loader, lists[i]->mark, "more than %d calendars for one "
					    "schedule", LIMIT_CALENDARS);
				return;
			}
			read_calendar(loader, lists[i]->items[j], schedule->zone,
				      &calendars[schedule->calendar_count++]);
		}
	schedule->calendars = calendars;
}

/* Its own frozen days, and those around it. */
static void read_freezes(struct loader *loader, const struct node *node,
			 const struct param_value *zone, const struct schedule_frame *frame,
			 struct schedule *schedule)
{
	size_t own_count;
	const struct policy_freeze *own = freezes_build(loader, node, zone, &own_count);
	struct policy_freeze *all =
		arena_alloc(loader->arena, (own_count + frame->freeze_count + 1) * sizeof *all);

	for (size_t i = 0; i < own_count; i++)
		all[i] = own[i];
	for (size_t i = 0; i < frame->freeze_count; i++)
		all[own_count + i] = frame->freezes[i];
	schedule->freezes = all;
	schedule->freeze_count = own_count + frame->freeze_count;
}

void labels_read(struct loader *loader, const struct param_value *value, const char *noun,
		 const char *const **ret_labels, size_t *ret_count)
{
	if (!value->is_set)
		return;
	if (value->item_count > LABELS_MAX)
		problem_add(loader, value->mark, "more than %d labels for %s", LABELS_MAX, noun);
	for (size_t i = 0; i < value->item_count; i++)
		if (!label_is_valid(value->items[i]))
			problem_add(loader, value->mark, "`%.80s` is no label; write one like "
				    "`site=eu-west` (lower case letters, digits, `-`, `.`)",
				    value->items[i]);
	*ret_labels = value->items;
	*ret_count = value->item_count;
}

void schedule_times_build(struct loader *loader, const struct node *node,
			  const struct params *values, const struct schedule_frame *frame,
			  struct schedule *schedule)
{
	const struct param_value *zone = params_find(values, "zone");
	const struct param_value *overlap = params_find(values, "overlap");
	/* The report of a run of the past does not need the calendars of then. */
	const bool is_past = loader->request->inventory_text != NULL;

	read_when(loader, node, values, frame, schedule);
	read_not_after(loader, params_find(values, "not_after"), schedule);
	read_missed(loader, params_find(values, "missed"), schedule);
	schedule->overlap = overlap->is_set && strcmp(overlap->text, "wait") == 0 ? OVERLAP_WAIT :
										    OVERLAP_SKIP;
	labels_read(loader, params_find(values, "labels"), "one schedule", &schedule->labels,
		    &schedule->label_count);
	read_freezes(loader, node, zone->is_set ? zone : &frame->zone, frame, schedule);
	if (!is_past)
		read_calendars(loader, params_find(values, "calendars"), &frame->calendars, schedule);
}

/* ---- an experiment's own ---- */

struct scheduled_experiment schedule_experiment(const struct experiment *experiment)
{
	static const struct policy no_policy = { 0 };

	return (struct scheduled_experiment){
		.path = experiment->source_path,
		.title = experiment->title == NULL ? "" : experiment->title,
		.policy = experiment->inventory == NULL ? &no_policy : &experiment->inventory->policy,
		.experiment = experiment,
	};
}

/* "db-failover" of "experiments/db-failover.yaml" */
static const char *stem_of(struct loader *loader, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash == NULL ? path : slash + 1;
	const char *dot = strrchr(base, '.');

	return dot == NULL || dot == base ? base :
	       arena_copy_bytes(loader->arena, base, (size_t)(dot - base));
}

static const char *read_name(struct loader *loader, const struct node *node,
			     const struct param_value *name)
{
	const char *stem = stem_of(loader, loader->request->experiment_path);

	if (!name->is_set && strcmp(stem, "-") == 0)
		problem_add(loader, node->mark, "`schedule` needs `name`: standard input has none");
	(void)name_check(loader, name->is_set ? name->mark : node->mark, "a schedule",
			 name->is_set ? name->text : stem);
	return name->is_set ? name->text : stem;
}

void schedule_build(struct loader *loader, const struct node *root, struct experiment *experiment)
{
	const struct node *node = tree_get(root, "schedule");
	struct schedule *schedule = arena_alloc(loader->arena, sizeof *schedule);
	struct scheduled_experiment *own = arena_alloc(loader->arena, sizeof *own);
	struct form_values values;

	if (node == NULL || !form_read(loader, &form_schedule, node, NULL, false, &values))
		return;
	schedule->mark = node->mark;
	schedule->name = read_name(loader, node, params_find(&values.own, "name"));
	schedule_times_build(loader, node, &values.own, &schedule_frame_none, schedule);
	*own = schedule_experiment(experiment);
	own->inventory_path = loader->request->inventory_path;
	own->vars = loader->request->vars;
	own->var_count = loader->request->var_count;
	schedule->experiments = own;
	schedule->experiment_count = 1;
	if (loader->request->inventory_text == NULL)
		experiment->schedule = schedule;
}

void schedule_list_add(struct arena *arena, struct schedule_list *list,
		       const struct schedule *schedule)
{
	list->items = arena_more(arena, list->items, list->count, sizeof *list->items);
	list->items[list->count++] = schedule;
}
