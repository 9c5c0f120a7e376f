/*
 * objectives.c - what was promised: one row and one builder for each objective.
 *
 * An objective is a mapping with `target` first, or only the target: `rto: 30s` is `rto: { target:
 * 30s }`. A new one is a form, a builder, and one row of OBJECTIVES. What cannot fit together with
 * the rest of the experiment is cross.c's business. Those about latency, errors and throughput are
 * in service_objectives.c.
 */
#include "load/documents.h"

#include "base/clock.h"

#include <assert.h>

#define NS_PER_H (INT64_C(3600) * NS_PER_S)

/* Key, shape, help. */
#define OBJECTIVES(X)                                                                        \
	X(rto, PART_SHORT, "recovered at most this long after the fault")                    \
	X(rpo, PART_SHORT, "acknowledged writes lost from at most this long")                \
	X(availability, PART_SHORT,                                                          \
	  "good samples of required probes, from the first harm to the end of settle")        \
	X(stale_reads, PART_SHORT, "at most so many reads missed an acknowledged write")     \
	X(staleness, PART_SHORT,                                                              \
	  "no read misses a write that was acknowledged longer ago than this")                \
	X(non_monotonic_reads, PART_SHORT,                                                    \
	  "at most so many reads showed less than an earlier one")                            \
	X(split_brain, PART_SHORT, "no two members acknowledge writes at the same time")

static const struct param rto_params[] = {
	{ "target", PARAM_DURATION, .is_required = true, .min = 1, .max = 24 * NS_PER_H,
	  .help = "recovered at most this long after the fault" },
	{ "share", PARAM_PERCENT, .min = 1, .max = 999999,
	  .help = "in the long run at least this share of trials is within the target" },
	{ "confidence", PARAM_PERCENT, .min = 500000, .max = 999999,
	  .help = "how sure the trials must make one of the share; else 95%" },
	{ 0 },
};

/* What `share` means when nothing is said of how sure to be. */
enum { CONFIDENCE_PPM = 950000 };

static const struct form form_rto = { .noun = "`rto`", .params = rto_params };

static void build_rto(const struct params *own, struct objectives *objectives)
{
	objectives->has_rto = params_is_set(own, "target");
	objectives->rto_ns = params_number(own, "target");
	objectives->has_rto_share = params_is_set(own, "share");
	objectives->rto_share_ppm = params_number(own, "share");
	objectives->rto_confidence_ppm = params_is_set(own, "confidence") ?
						 params_number(own, "confidence") :
						 CONFIDENCE_PPM;
}

static const struct param rpo_params[] = {
	{ "target", PARAM_DURATION, .is_required = true, .max = 24 * NS_PER_H,
	  .help = "acknowledged writes lost from at most this long" },
	{ 0 },
};

static const struct form form_rpo = { .noun = "`rpo`", .params = rpo_params };

static void build_rpo(const struct params *own, struct objectives *objectives)
{
	objectives->has_rpo = params_is_set(own, "target");
	objectives->rpo_ns = params_number(own, "target");
}

static const struct param availability_params[] = {
	{ "target", PARAM_PERCENT, .is_required = true, .max = 1000000,
	  .help = "least share of good samples" },
	{ 0 },
};

static const struct form form_availability = { .noun = "`availability`",
					       .params = availability_params };

static void build_availability(const struct params *own, struct objectives *objectives)
{
	objectives->has_availability = params_is_set(own, "target");
	objectives->availability_ppm = params_number(own, "target");
}

static const struct param stale_reads_params[] = {
	{ "target", PARAM_COUNT, .is_required = true, .max = INT32_MAX,
	  .help = "at most so many reads missed an acknowledged write" },
	{ 0 },
};

static const struct form form_stale_reads = { .noun = "`stale_reads`",
					      .params = stale_reads_params };

static void build_stale_reads(const struct params *own, struct objectives *objectives)
{
	objectives->has_stale_reads = params_is_set(own, "target");
	objectives->stale_reads = params_number(own, "target");
}

static const struct param staleness_params[] = {
	{ "target", PARAM_DURATION, .is_required = true, .min = 1, .max = 24 * NS_PER_H,
	  .help = "no read misses a write that was acknowledged longer ago than this" },
	{ 0 },
};

static const struct form form_staleness = { .noun = "`staleness`", .params = staleness_params };

static void build_staleness(const struct params *own, struct objectives *objectives)
{
	objectives->has_staleness = params_is_set(own, "target");
	objectives->staleness_ns = params_number(own, "target");
}

static const struct param non_monotonic_reads_params[] = {
	{ "target", PARAM_COUNT, .is_required = true, .max = INT32_MAX,
	  .help = "at most so many reads showed less than an earlier one" },
	{ 0 },
};

static const struct form form_non_monotonic_reads = { .noun = "`non_monotonic_reads`",
						      .params = non_monotonic_reads_params };

static void build_non_monotonic_reads(const struct params *own, struct objectives *objectives)
{
	objectives->has_non_monotonic_reads = params_is_set(own, "target");
	objectives->non_monotonic_reads = params_number(own, "target");
}

static const struct param split_brain_params[] = {
	{ "target", PARAM_CHOICE, .is_required = true, .choices = "none",
	  .help = "no two members acknowledge writes at the same time" },
	{ 0 },
};

static const struct form form_split_brain = { .noun = "`split_brain`",
					      .params = split_brain_params };

static void build_split_brain(const struct params *own, struct objectives *objectives)
{
	objectives->has_split_brain = params_is_set(own, "target");
}

static const struct part objectives_parts[] = {
#define X(id, part_shape, what) { #id, part_shape, .form = &form_##id, .help = what },
	OBJECTIVES(X)
	SERVICE_OBJECTIVES(X)
#undef X
	{ 0 },
};

static void (*const builders[])(const struct params *own, struct objectives *objectives) = {
#define X(id, part_shape, what) build_##id,
	OBJECTIVES(X)
#undef X
};

static const service_builder service_builders[] = {
#define X(id, part_shape, what) service_##id##_build,
	SERVICE_OBJECTIVES(X)
#undef X
};

enum { BUILDERS = sizeof builders / sizeof builders[0] };

const struct form form_objectives = { .noun = "`objectives`", .parts = objectives_parts };

static void build_each(struct loader *loader, const struct node *map,
		       struct experiment *experiment)
{
	for (size_t i = 0; objectives_parts[i].name != NULL; i++) {
		const struct part *part = &objectives_parts[i];
		const struct node *node = tree_get(map, part->name);
		struct form_values values;

		if (node == NULL)
			continue;
		if (i >= BUILDERS) {
			service_builders[i - BUILDERS](loader, node, experiment);
			continue;
		}
		if (part->shape == PART_SHORT)
			(void)form_read_short(loader, part->form, node, &values);
		else
			(void)form_read(loader, part->form, node, NULL, false, &values);
		builders[i](&values.own, &experiment->objectives);
	}
}

void objectives_build(struct loader *loader, const struct node *root,
		      struct experiment *experiment)
{
	const struct node *node = tree_get(root, "objectives");
	struct form_values none;

	if (node == NULL || (node->kind == NODE_SCALAR && node->is_null))
		return; /* `objectives:` and nothing after it */
	if (form_read(loader, &form_objectives, node, NULL, false, &none))
		build_each(loader, node, experiment);
}
