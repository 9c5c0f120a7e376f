/*
 * experiment.c - the experiment's rows, and the model made of them.
 */
#include "load/documents.h"

#include "base/clock.h"

#include <assert.h>
#include <string.h>

#define NS_PER_H (INT64_C(3600) * NS_PER_S)

static const struct param experiment_params[] = {
	{ "title", PARAM_TEXT, .is_required = true, .help = "what is rehearsed, in a few words" },
	{ "hypothesis", PARAM_TEXT, .help = "what you expect to happen" },
	{ "service", PARAM_TEXT, .help = "the service that the objectives speak of" },
	{ "inventory", PARAM_TEXT, .help = "file beside this one; else inventory.yaml" },
	{ "baseline", PARAM_DURATION, .max = NS_PER_H, .fallback = "10s",
	  .help = "how long to watch before the first step" },
	{ "lease", PARAM_DURATION, .min = 5 * NS_PER_S, .max = NS_PER_H, .fallback = "60s",
	  .help = "a target heals itself when it has not heard of us for this long" },
	{ "run_at_most", PARAM_DURATION, .min = NS_PER_S, .max = 24 * NS_PER_H,
	  .help = "the run is stopped and healed after this; else the sum of its parts" },
	{ "trials", PARAM_COUNT, .min = 1, .max = LIMIT_TRIALS,
	  .help = "runs one after the other, told as one; else one, or `run --repeat`" },
	{ "seed", PARAM_COUNT, .help = "makes `random: true` choose the same again" },
	{ 0 },
};

static const struct param steady_params[] = {
	{ "good_for", PARAM_DURATION, .min = NS_PER_MS, .max = NS_PER_H, .fallback = "5s",
	  .help = "every required probe is good for this long" },
	{ "within", PARAM_DURATION, .min = NS_PER_MS, .max = NS_PER_H, .fallback = "60s",
	  .help = "else the run does not start" },
	{ 0 },
};

static const struct form form_steady = { .noun = "`steady_state`", .params = steady_params };

static const struct param stop_params[] = {
	{ "probe", PARAM_TEXT, .is_required = true, .help = "a probe of this experiment" },
	{ "bad_for", PARAM_DURATION, .min = NS_PER_MS, .max = 24 * NS_PER_H,
	  .help = "no good sample for this long" },
	{ "share", PARAM_PERCENT, .min = 1, .max = 1000000,
	  .help = "instead of bad_for: at least this share of the samples in `window` is bad" },
	{ "window", PARAM_DURATION, .min = NS_PER_MS, .max = NS_PER_H,
	  .help = "how far back `share` looks" },
	{ "slower_than", PARAM_DURATION, .min = NS_PER_MS, .max = NS_PER_H,
	  .help = "for `share`: good samples that took longer count as bad, too" },
	{ 0 },
};

static const struct form form_stop = { .noun = "a stop condition", .params = stop_params };

static const struct param observe_params[] = {
	{ "stable_for", PARAM_DURATION, .min = NS_PER_MS, .max = NS_PER_H, .fallback = "5s",
	  .help = "recovered means good for this long" },
	{ "at_most", PARAM_DURATION, .min = NS_PER_MS, .max = 24 * NS_PER_H, .fallback = "5m",
	  .help = "never recovered when it takes longer" },
	{ 0 },
};

static const struct form form_observe = { .noun = "`observe`", .params = observe_params };

static const struct param settle_params[] = {
	{ "at_most", PARAM_DURATION, .min = NS_PER_MS, .max = 24 * NS_PER_H, .fallback = "60s",
	  .help = "for steady state after the heal, and for reading the ledger" },
	{ 0 },
};

static const struct form form_settle = { .noun = "`settle`", .params = settle_params };

static const struct param limits_params[] = {
	{ "hosts", PARAM_COUNT, .min = 1, .max = LIMIT_HOSTS, .help = "most hosts it may touch" },
	{ 0 },
};

static const struct form form_limits = { .noun = "`limits`", .params = limits_params };

static const struct part experiment_parts[] = {
	{ "vars", PART_VARS, .help = "defaults of `${name}`; `--var name=value` overrides them" },
	{ "objectives", PART_FORM, .form = &form_objectives, .help = "what was promised" },
	{ "probes", PART_FORM_MAP, .is_required = true, .form = &form_probe,
	  .help = "who watches, by name" },
	{ "steady_state", PART_FORM, .form = &form_steady, .help = "the gate before any harm" },
	{ "method", PART_FORM_LIST, .form = &form_step, .help = "the steps" },
	{ "stop_conditions", PART_FORM_LIST, .form = &form_stop,
	  .help = "what ends the run and heals everything" },
	{ "observe", PART_FORM, .form = &form_observe, .help = "until when to watch" },
	{ "settle", PART_FORM, .form = &form_settle, .help = "how long to wait after the heal" },
	{ "limits", PART_FORM, .form = &form_limits, .help = "blast radius of this experiment" },
	{ "validate", PART_FORM_LIST, .form = &form_check, .help = "checks at the end" },
	{ "vantage_points", PART_FORM_MAP, .form = &form_vantage_point,
	  .help = "from where else it is watched, by name" },
	{ "schedule", PART_FORM, .form = &form_schedule, .help = "when it runs by itself" },
	{ 0 },
};

const struct form form_experiment = { .noun = "an experiment", .params = experiment_params,
				      .parts = experiment_parts };

/* A part that may be left out: its defaults are then those of an empty mapping. */
static void read_part(struct loader *loader, const struct node *root, const char *key,
		      const struct form *form, struct params *ret_params)
{
	form_read_params(loader, form->noun, form->params, tree_get(root, key), root->mark,
			 ret_params);
}

/* Either for so long, or so large a share of a window. */
static void check_stop(struct loader *loader, const struct node *node)
{
	const bool has_share = tree_get(node, "share") != NULL;
	const struct node *slower_than = tree_get(node, "slower_than");

	if (has_share == (tree_get(node, "bad_for") != NULL))
		problem_add(loader, node->mark, "a stop condition takes either `bad_for: 30s`, or "
			    "`share: 20%%` and `window: 30s`");
	else if (has_share != (tree_get(node, "window") != NULL))
		problem_add(loader, node->mark, "`share` and `window` go together; write both, such "
			    "as `share: 20%%, window: 30s`");
	else if (!has_share && slower_than != NULL)
		problem_add(loader, slower_than->mark,
			    "`slower_than` goes with `share` and `window`; write them, or take it out");
}

static void build_stop(struct loader *loader, const struct experiment *experiment,
		       const struct node *node, struct stop_condition *stop)
{
	const struct param_value *probe;
	struct form_values values;

	stop->mark = node->mark;
	if (!form_read(loader, &form_stop, node, NULL, false, &values))
		return;
	check_stop(loader, node);
	stop->bad_for_ns = params_number(&values.own, "bad_for");
	stop->share_ppm = params_number(&values.own, "share");
	stop->window_ns = params_number(&values.own, "window");
	stop->slower_than_ns = params_number(&values.own, "slower_than");
	probe = params_find(&values.own, "probe");
	if (probe->is_set)
		stop->probe = probe_named(loader, experiment, probe);
	if (stop->probe == NULL || !stop->probe->is_event)
		return;
	problem_add(loader, probe->mark, "`%s` yields events and is never bad; name a probe that "
		    "takes samples", stop->probe->name);
	stop->probe = NULL;
}

static void build_stops(struct loader *loader, const struct node *root,
			struct experiment *experiment)
{
	const struct node *part = NULL;
	struct stop_condition *stops;
	size_t i = 0;

	if (!part_children(loader, root, "stop_conditions", NODE_LIST, LIMIT_STOP_CONDITIONS, &part))
		return;
	stops = arena_alloc(loader->arena, part->count * sizeof *stops);
	for (const struct node *node = part->first; node != NULL; node = node->next)
		build_stop(loader, experiment, node, &stops[i++]);
	assert(i == part->count);
	experiment->stop_conditions = stops;
	experiment->stop_condition_count = part->count;
}

static void build_times(struct loader *loader, const struct node *root,
			struct experiment *experiment)
{
	struct params steady;
	struct params observe;
	struct params settle;
	struct params limits;

	read_part(loader, root, "steady_state", &form_steady, &steady);
	read_part(loader, root, "observe", &form_observe, &observe);
	read_part(loader, root, "settle", &form_settle, &settle);
	read_part(loader, root, "limits", &form_limits, &limits);
	experiment->steady_good_for_ns = params_number(&steady, "good_for");
	experiment->steady_within_ns = params_number(&steady, "within");
	experiment->stable_for_ns = params_number(&observe, "stable_for");
	experiment->observe_at_most_ns = params_number(&observe, "at_most");
	experiment->settle_at_most_ns = params_number(&settle, "at_most");
	experiment->max_hosts = params_number(&limits, "hosts");
}

/* Everything a run may have to wait for, and a minute for what it does itself. */
static int64_t sum_of_parts(const struct experiment *experiment)
{
	int64_t total_ns = experiment->steady_within_ns + experiment->baseline_ns +
			   experiment->observe_at_most_ns + 3 * experiment->settle_at_most_ns +
			   60 * NS_PER_S;
	int64_t steps_ns = 0;

	for (size_t i = 0; i < experiment->step_count; i++) {
		const int64_t end_ns = experiment->steps[i].at_ns + experiment->steps[i].hold_ns;

		steps_ns = end_ns > steps_ns ? end_ns : steps_ns;
	}
	total_ns += steps_ns;
	for (size_t i = 0; i < experiment->vantage_point_count; i++)
		total_ns += experiment->vantage_points[i].within_ns;
	for (size_t i = 0; i < experiment->check_count; i++)
		total_ns += experiment->checks[i].probe.timeout_ns;
	return total_ns < LIMIT_DRILL_NS ? total_ns : LIMIT_DRILL_NS;
}

static void build_own(struct loader *loader, const struct params *own,
		      struct experiment *experiment)
{
	const struct param_value *service = params_find(own, "service");

	experiment->title = params_text(own, "title");
	experiment->hypothesis = params_text(own, "hypothesis");
	experiment->baseline_ns = params_number(own, "baseline");
	experiment->lease_ns = params_number(own, "lease");
	experiment->run_at_most_ns = params_number(own, "run_at_most");
	experiment->trial_count = params_number(own, "trials");
	experiment->has_seed = params_is_set(own, "seed");
	experiment->seed = (uint64_t)params_number(own, "seed");
	if (service->is_set)
		experiment->service = service_named(loader, service->mark, service->text);
}

void experiment_build(struct loader *loader, const struct node *root,
		      struct experiment *experiment)
{
	struct form_values values;

	experiment->inventory = loader->inventory;
	if (!form_read(loader, &form_experiment, root, NULL, false, &values))
		return;
	build_own(loader, &values.own, experiment);
	build_times(loader, root, experiment);
	probes_build(loader, root, experiment);
	objectives_build(loader, root, experiment);
	method_build(loader, root, experiment);
	build_stops(loader, root, experiment);
	checks_build(loader, root, experiment);
	vantage_points_build(loader, root, experiment);
	if (!params_is_set(&values.own, "run_at_most"))
		experiment->run_at_most_ns = sum_of_parts(experiment);
	schedule_build(loader, root, experiment);
	experiment_cross_check(loader, root, experiment);
}
