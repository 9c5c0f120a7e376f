/*
 * service_objectives.c - promises of how well the service serves: latency, error rate, throughput,
 * and time degraded. Each may be made for the time after the fault, and for the time during it.
 */
#include "load/documents.h"

#include "base/clock.h"
#include "base/units.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_H (INT64_C(3600) * NS_PER_S)

static const char probes_help[] = "the probes it speaks of; else every required one";

#define X(id, word, share) \
	{ word, PARAM_DURATION, .min = 1, .max = NS_PER_H, .help = "at most this long" },
static const struct param during_params[] = {
	PERCENTILE_ROWS(X)
	{ 0 },
};

static const struct param latency_params[] = {
	PERCENTILE_ROWS(X)
	{ "probes", PARAM_LIST, .help = probes_help },
	{ 0 },
};
#undef X

/* By value, where spelling would say that `p999` is nearly `p99` and `p98` nearly `p95`. */
static const char *nearest_percentile(const char *key)
{
	const char *best = NULL;
	double best_distance = 0;
	char *end;
	double value;

	if (tolower((unsigned char)key[0]) != 'p' || !isdigit((unsigned char)key[1]))
		return NULL;
	value = strtod(key + 1, &end);
	if (*end != '\0')
		return NULL;
	while (value > 100)
		value /= 10; /* "p999" */
	for (size_t i = 0; i < PERCENTILE_COUNT; i++) {
		const double row = (double)percentile_ppm((enum percentile)i) / 1e4;
		const double distance = row > value ? row - value : value - row;

		if (best != NULL && distance >= best_distance)
			continue;
		best = percentile_word((enum percentile)i);
		best_distance = distance;
	}
	return best;
}

static const struct form form_during = { .noun = "`during`", .params = during_params,
					 .nearest = nearest_percentile };

static const struct part latency_parts[] = {
	{ "during", PART_FORM, .form = &form_during, .help = "from the fault until it is over" },
	{ 0 },
};

const struct form form_latency = { .noun = "`latency`", .params = latency_params,
				   .parts = latency_parts, .nearest = nearest_percentile };

static const struct param error_rate_params[] = {
	{ "target", PARAM_PERCENT, .max = 1000000,
	  .help = "at most this share of samples is bad after the fault" },
	{ "during", PARAM_PERCENT, .max = 1000000, .help = "and from the fault until it is over" },
	{ "probes", PARAM_LIST, .help = probes_help },
	{ 0 },
};

const struct form form_error_rate = { .noun = "`error_rate`", .params = error_rate_params };

static const struct param throughput_params[] = {
	{ "target", PARAM_PERCENT, .max = 1000000,
	  .help = "at least this share of the baseline's throughput is kept after the fault" },
	{ "during", PARAM_PERCENT, .max = 1000000, .help = "and from the fault until it is over" },
	{ "probes", PARAM_LIST, .help = probes_help },
	{ 0 },
};

const struct form form_throughput = { .noun = "`throughput`", .params = throughput_params };

static const struct param degraded_params[] = {
	{ "target", PARAM_DURATION, .is_required = true, .max = 24 * NS_PER_H,
	  .help = "slow or down for at most this long in all" },
	{ "over", PARAM_DURATION, .is_required = true, .min = 1, .max = NS_PER_H,
	  .help = "slow is an answer that takes longer than this" },
	{ "probes", PARAM_LIST, .help = probes_help },
	{ 0 },
};

const struct form form_degraded = { .noun = "`degraded`", .params = degraded_params };

static const char *shown(struct loader *loader, int64_t ns)
{
	char text[UNITS_TEXT_BYTES];

	return arena_copy(loader->arena, units_format_duration_exact(ns, text));
}

static void choose_probes(struct loader *loader, const struct node *node,
			  const struct experiment *experiment, const struct param_value *names,
			  struct probe_choice *ret_choice)
{
	const struct probe_spec **probes;
	size_t required_count = 0;
	size_t count = 0;

	for (size_t i = 0; i < experiment->probe_count; i++)
		required_count += experiment->probes[i].is_required;
	if (!names->is_set && required_count == 0 && experiment->probe_count > 0)
		problem_add(loader, node->mark,
			    "no probe is required, so this objective depends on nothing; name some "
			    "with `probes: [...]`, or take `required: false` from one");
	if (!names->is_set)
		return;
	if (names->item_count == 0)
		problem_add(loader, names->mark,
			    "`probes` is empty; name one or more, or take it out");
	probes = arena_alloc(loader->arena, (names->item_count + 1) * sizeof *probes);
	for (size_t i = 0; i < names->item_count; i++) {
		const struct param_value name = { .text = names->items[i], .mark = names->mark };
		const struct probe_spec *spec = probe_named(loader, experiment, &name);

		if (spec != NULL)
			probes[count++] = spec;
	}
	*ret_choice = (struct probe_choice){ probes, count };
}

/* A failed attempt shows that it took its timeout, and not that it took longer. */
static void check_timeouts(struct loader *loader, const struct experiment *experiment,
			   const struct probe_choice *choice, const struct param_value *target)
{
	if (!target->is_set)
		return;
	for (size_t i = 0; i < experiment->probe_count; i++) {
		const struct probe_spec *spec = &experiment->probes[i];

		if (!probe_is_chosen(choice, spec) || spec->timeout_ns == 0 ||
		    target->number < spec->timeout_ns)
			continue;
		problem_add(loader, target->mark,
			    "`%s` (%s) is not below `timeout` (%s) of probe `%s`: whether an "
			    "attempt that failed took longer could not be told; lower it, or give "
			    "the probe more time", target->name, shown(loader, target->number),
			    shown(loader, spec->timeout_ns), spec->name);
	}
}

static bool take_percentiles(struct loader *loader, const struct experiment *experiment,
			     const struct params *values, const struct probe_choice *choice,
			     int64_t ret_targets_ns[PERCENTILE_COUNT])
{
	bool is_any = false;

	for (size_t i = 0; i < PERCENTILE_COUNT; i++) {
		const struct param_value *value =
			params_find(values, percentile_word((enum percentile)i));

		ret_targets_ns[i] = value->is_set ? value->number : 0;
		is_any = is_any || value->is_set;
		check_timeouts(loader, experiment, choice, value);
	}
	return is_any;
}

void service_latency_build(struct loader *loader, const struct node *node,
			   struct experiment *experiment)
{
	struct latency_objective *latency = &experiment->objectives.latency;
	const struct node *during = tree_get(node, "during");
	const size_t problem_count = loader->error_count;
	struct form_values values;
	struct form_values during_values;
	bool is_any;

	if (!form_read(loader, &form_latency, node, NULL, false, &values))
		return;
	choose_probes(loader, node, experiment, params_find(&values.own, "probes"),
		      &latency->choice);
	is_any = take_percentiles(loader, experiment, &values.own, &latency->choice,
				  latency->after_ns);
	if (during != NULL && form_read(loader, &form_during, during, NULL, false, &during_values))
		is_any = take_percentiles(loader, experiment, &during_values.own, &latency->choice,
					  latency->during_ns) || is_any;
	if (!is_any && loader->error_count == problem_count)
		problem_add(loader, node->mark,
			    "`latency` needs a percentile: `p50`, `p95`, `p99`, `p99.9` or `max`, "
			    "for example `p99: 200ms`");
}

static void build_share(struct loader *loader, const struct node *node,
			const struct experiment *experiment, const struct form *form,
			struct share_objective *share)
{
	const size_t problem_count = loader->error_count;
	struct form_values values;

	if (!form_read_short(loader, form, node, &values))
		return;
	choose_probes(loader, node, experiment, params_find(&values.own, "probes"),
		      &share->choice);
	share->has_after = params_is_set(&values.own, "target");
	share->has_during = params_is_set(&values.own, "during");
	share->after_ppm = params_number(&values.own, "target");
	share->during_ppm = params_number(&values.own, "during");
	if (!share->has_after && !share->has_during && loader->error_count == problem_count)
		problem_add(loader, node->mark, "%s needs `target` or `during`, or both", form->noun);
}

void service_error_rate_build(struct loader *loader, const struct node *node,
			      struct experiment *experiment)
{
	build_share(loader, node, experiment, &form_error_rate, &experiment->objectives.error_rate);
}

void service_throughput_build(struct loader *loader, const struct node *node,
			      struct experiment *experiment)
{
	build_share(loader, node, experiment, &form_throughput, &experiment->objectives.throughput);
	if (experiment->baseline_ns == 0)
		problem_add(loader, node->mark,
			    "`throughput` is a share of the baseline's, and `baseline` is 0s; let "
			    "it be 10s or more");
}

void service_degraded_build(struct loader *loader, const struct node *node,
			    struct experiment *experiment)
{
	struct degraded_objective *degraded = &experiment->objectives.degraded;
	struct form_values values;

	if (!form_read_short(loader, &form_degraded, node, &values))
		return;
	choose_probes(loader, node, experiment, params_find(&values.own, "probes"),
		      &degraded->choice);
	degraded->is_declared =
		params_is_set(&values.own, "target") && params_is_set(&values.own, "over");
	degraded->target_ns = params_number(&values.own, "target");
	degraded->over_ns = params_number(&values.own, "over");
	check_timeouts(loader, experiment, &degraded->choice, params_find(&values.own, "over"));
}
