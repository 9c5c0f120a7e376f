/*
 * plan_file.c - a plan file: schedules of experiments that stand in files of their own, and chaos days.
 * Every experiment is loaded with it, so its problems are listed as well.
 */
#include "load/schedule_parts.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"

static const struct param chaos_params[] = {
	{ "pool", PARAM_LIST, .is_required = true, .help = "files of experiments" },
	{ "for", PARAM_DURATION, .is_required = true, .min = 60 * NS_PER_S, .max = SCHEDULE_DAY_NS,
	  .help = "no experiment begins later than this after the first" },
	{ "pause", PARAM_LIST, .is_required = true,
	  .help = "least and most between two experiments, `[5m, 30m]`" },
	{ 0 },
};

static const struct form form_chaos_day = { .noun = "`chaos_day`", .params = chaos_params };

static const struct param row_params[] = {
	{ "experiment", PARAM_TEXT, .help = "its file, beside this one" },
	{ "inventory", PARAM_TEXT, .help = "else the experiment's own" },
	{ "vars", PARAM_MAP, .help = "variables of the experiment, as `--var` gives them" },
	SCHEDULE_PARAMS,
	{ 0 },
};

static const struct part row_parts[] = {
	{ "chaos_day", PART_FORM, .form = &form_chaos_day,
	  .help = "instead of `experiment`: several, in random order, with random pauses" },
	SCHEDULE_PARTS,
	{ 0 },
};

static const struct form form_row = { .noun = "a schedule", .params = row_params,
				      .parts = row_parts };

static const struct param plan_params[] = {
	{ "title", PARAM_TEXT, .help = "what this plan is, in a few words" },
	{ "zone", PARAM_TEXT, .fallback = "UTC", .help = "time zone of all schedules here" },
	{ "calendars", PARAM_LIST, .help = "iCalendar files: nothing of this plan runs meanwhile" },
	{ 0 },
};

static const struct part plan_parts[] = {
	{ "freeze", PART_FORM_LIST, .form = &form_freeze,
	  .help = "days on which nothing of this plan runs" },
	{ "schedules", PART_FORM_MAP, .is_required = true, .form = &form_row,
	  .help = "by name; the moments that chance draws depend on the name" },
	{ 0 },
};

const struct form form_plan_file = { .noun = "a plan file", .params = plan_params,
				     .parts = plan_parts };

struct building {
	struct loader *loader;
	struct schedule_frame frame;
	size_t experiment_count; /* in the whole file */
};

/* ---- what runs ---- */

/* Loads the experiment and fills what runs; false: problems say why. */
static bool take_experiment(struct building *building, struct mark mark, const char *name,
			    const struct params *row, struct scheduled_experiment *ret_experiment)
{
	struct loader *loader = building->loader;
	const char *file = loader->request->experiment_path;
	const char *inventory = params_text(row, "inventory");
	const struct param_value *vars = params_find(row, "vars");
	const struct load_request request = {
		.experiment_path = path_resolve(loader, file, name),
		.inventory_path = inventory == NULL ? NULL : path_resolve(loader, file, inventory),
		.vars = vars->pairs,
		.var_count = vars->is_set ? vars->pair_count : 0,
	};
	const struct experiment *experiment;

	if (++building->experiment_count > LIMIT_SCHEDULES) {
		problem_add(loader, mark, "more than %d experiments in one plan file", LIMIT_SCHEDULES);
		return false;
	}
	experiment = experiment_load_named(loader, &request);
	if (experiment == NULL) {
		problem_add(loader, mark, "`%s` cannot run: its problems are listed with it", name);
		return false;
	}
	*ret_experiment = schedule_experiment(experiment);
	ret_experiment->inventory_path = request.inventory_path;
	ret_experiment->vars = request.vars;
	ret_experiment->var_count = request.var_count;
	return true;
}

static void read_pause(struct loader *loader, const struct param_value *pause,
		       struct schedule *schedule)
{
	struct err e = { 0 };

	if (!pause->is_set)
		return;
	if (pause->item_count != 2)
		problem_add(loader, pause->mark, "`pause` takes the least and the most, such as "
			    "`[5m, 30m]`");
	else if (!units_parse_duration(pause->items[0], &schedule->pause_low_ns, &e) ||
		 !units_parse_duration(pause->items[1], &schedule->pause_high_ns, &e))
		problem_add(loader, pause->mark, "pause: %s", e.text);
	else if (schedule->pause_low_ns < NS_PER_S || schedule->pause_high_ns > SCHEDULE_DAY_NS ||
		 schedule->pause_low_ns > schedule->pause_high_ns)
		problem_add(loader, pause->mark, "`pause` goes from %s to %s; it goes upwards, from 1s "
			    "to 24h at the most", pause->items[0], pause->items[1]);
}

static void read_chaos_day(struct building *building, const struct node *node,
			   const struct params *row, struct schedule *schedule)
{
	struct loader *loader = building->loader;
	struct scheduled_experiment *experiments;
	struct form_values values;

	if (!form_read(loader, &form_chaos_day, node, NULL, false, &values))
		return;

	const struct param_value *pool = params_find(&values.own, "pool");

	schedule->is_chaos_day = true;
	schedule->chaos_for_ns = params_number(&values.own, "for");
	read_pause(loader, params_find(&values.own, "pause"), schedule);
	if (pool->is_set && pool->item_count > SCHEDULE_POOL_MAX)
		problem_add(loader, pool->mark, "`pool` has %zu experiments; the most is %d",
			    pool->item_count, SCHEDULE_POOL_MAX);
	if (!pool->is_set || pool->item_count > SCHEDULE_POOL_MAX)
		return;
	experiments = arena_alloc(loader->arena, pool->item_count * sizeof *experiments);
	for (size_t i = 0; i < pool->item_count; i++)
		if (take_experiment(building, pool->mark, pool->items[i], row,
				    &experiments[schedule->experiment_count]))
			schedule->experiment_count++;
	schedule->experiments = experiments;
}

static void read_what(struct building *building, const struct node *node, const struct params *row,
		      struct schedule *schedule)
{
	struct loader *loader = building->loader;
	const struct param_value *experiment = params_find(row, "experiment");
	const struct node *chaos_day = tree_get(node, "chaos_day");
	struct scheduled_experiment *one = arena_alloc(loader->arena, sizeof *one);

	if ((tree_get(node, "experiment") != NULL) == (chaos_day != NULL))
		problem_add(loader, node->mark, "a schedule takes either `experiment: FILE` or "
			    "`chaos_day: { pool: [FILE, FILE], for: 4h, pause: [5m, 30m] }`");
	if (chaos_day != NULL)
		read_chaos_day(building, chaos_day, row, schedule);
	if (!experiment->is_set || chaos_day != NULL ||
	    !take_experiment(building, experiment->mark, experiment->text, row, one))
		return;
	schedule->experiments = one;
	schedule->experiment_count = 1;
}

/* ---- the file ---- */

static const struct schedule *build_row(struct building *building, const struct node *node)
{
	struct loader *loader = building->loader;
	struct schedule *schedule = arena_alloc(loader->arena, sizeof *schedule);
	struct form_values values;

	(void)name_check(loader, node->key_mark, "a schedule", node->key);
	schedule->name = node->key;
	schedule->mark = node->key_mark;
	if (!form_read(loader, &form_row, node, NULL, false, &values))
		return schedule;
	schedule_times_build(loader, node, &values.own, &building->frame, schedule);
	read_what(building, node, &values.own, schedule);
	return schedule;
}

void plan_file_build(struct loader *loader, const struct node *root, struct schedule_list *list)
{
	struct building building = { .loader = loader };
	struct schedule_frame *frame = &building.frame;
	const struct node *part = NULL;
	struct form_values values;

	if (!form_read(loader, &form_plan_file, root, NULL, false, &values))
		return;
	frame->zone = *params_find(&values.own, "zone");
	frame->calendars = *params_find(&values.own, "calendars");
	frame->freezes = freezes_build(loader, root, &frame->zone, &frame->freeze_count);
	if (!part_children(loader, root, "schedules", NODE_MAP, LIMIT_SCHEDULES, &part))
		return;
	if (part->count == 0)
		problem_add(loader, part->mark, "`schedules` is empty, so nothing would run");
	for (const struct node *row = part->first; row != NULL; row = row->next)
		schedule_list_add(loader->arena, list, build_row(&building, row));
}
