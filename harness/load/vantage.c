/*
 * vantage.c - the rows of `vantage_points:`, and the model made of them. Whether a worker with these labels is
 * there only shows when it runs.
 */
#include "load/documents.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "model/label.h"

static const struct param vantage_params[] = {
	{ "labels", PARAM_LIST, .is_required = true,
	  .help = "which worker watches from there: `[site=eu-west]`, as its `--labels`" },
	{ "within", PARAM_DURATION, .min = NS_PER_S, .max = 3600 * NS_PER_S, .fallback = "30s",
	  .help = "so long it may take until it watches and sees steady state, before any harm" },
	{ "optional", PARAM_BOOL, .fallback = "false",
	  .help = "without it the run goes on, and the report says that it is missing" },
	{ 0 },
};

const struct form form_vantage_point = { .noun = "a vantage point", .params = vantage_params };

/* Of the same name, and another value: no worker that says where it is has both. */
static bool differ(const char *one, const char *other)
{
	const char *end = strchr(one, '=');
	const size_t name_length = end == NULL ? strlen(one) : (size_t)(end - one) + 1;

	return strncmp(one, other, name_length) == 0 && strcmp(one, other) != 0;
}

/* What is wrong in itself is told already. */
static bool has_valid_labels(const struct vantage_point *point)
{
	for (size_t i = 0; i < point->label_count; i++)
		if (!label_is_valid(point->labels[i]))
			return false;
	return point->label_count > 0;
}

static bool are_apart(const struct vantage_point *a, const struct vantage_point *b)
{
	for (size_t i = 0; i < a->label_count; i++)
		for (size_t j = 0; j < b->label_count; j++)
			if (differ(a->labels[i], b->labels[j]))
				return true;
	return false;
}

/* Two that any one worker may be both of would show one machine as two places. */
static void check_labels(struct loader *loader, const struct node *node,
			 const struct vantage_point *points, size_t index)
{
	const struct vantage_point *point = &points[index];

	for (size_t i = 0; i < index && has_valid_labels(point); i++)
		if (has_valid_labels(&points[i]) && !are_apart(point, &points[i]))
			problem_add(loader, node->mark,
				    "one worker could be `%s` and `%s` at once, and one place would be shown "
				    "as two; give one label another value in each, such as site=eu and "
				    "site=us", points[i].name, point->name);
}

static void build_point(struct loader *loader, const struct node *node, struct vantage_point *points,
			size_t index)
{
	struct vantage_point *point = &points[index];
	struct form_values values;

	point->name = node->key;
	point->mark = node->mark;
	(void)name_check(loader, node->key_mark, "a vantage point", node->key);
	if (strcmp(node->key, VANTAGE_HERE) == 0)
		problem_add(loader, node->key_mark, "`" VANTAGE_HERE "` is what the machine that runs "
			    "the experiment is called; give this vantage point another name");
	if (!form_read(loader, &form_vantage_point, node, NULL, false, &values))
		return;
	labels_read(loader, params_find(&values.own, "labels"), "one vantage point", &point->labels,
		    &point->label_count);
	point->within_ns = params_number(&values.own, "within");
	point->is_optional = params_bool(&values.own, "optional");
	check_labels(loader, node, points, index);
}

static bool has_something_to_watch(const struct experiment *experiment)
{
	for (size_t i = 0; i < experiment->probe_count; i++)
		if (experiment->probes[i].is_required && probe_only_looks(&experiment->probes[i]))
			return true;
	return false;
}

void vantage_points_build(struct loader *loader, const struct node *root,
			  struct experiment *experiment)
{
	const struct node *part = NULL;
	struct vantage_point *points;
	size_t i = 0;

	if (!part_children(loader, root, "vantage_points", NODE_MAP, VANTAGE_POINTS_MAX, &part))
		return;
	points = arena_alloc(loader->arena, (part->count + 1) * sizeof *points);
	for (const struct node *node = part->first; node != NULL; node = node->next)
		build_point(loader, node, points, i++);
	assert(i == part->count);
	experiment->vantage_points = points;
	experiment->vantage_point_count = part->count;
	if (part->count > 0 && loader->error_count == 0 && !has_something_to_watch(experiment))
		problem_add(loader, part->mark, "a vantage point only looks, and every required probe "
			    "writes or yields events; add one that looks, such as `tcp.connect`");
}
