/*
 * cross.c - mistakes that no single key shows: times that cannot fit together, and objectives that
 * no run could ever judge.
 */
#include "load/documents.h"

#include "base/units.h"
#include "load/suggest.h"
#include "probes/probe.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Where a key stands, or the nearest thing around it that does. */
static struct mark mark_at(const struct node *root, const char *part, const char *key)
{
	assert(root != NULL);

	const struct node *outer = part == NULL ? root : tree_get(root, part);
	const struct node *inner = outer == NULL ? NULL : tree_get(outer, key);

	if (inner != NULL)
		return inner->mark;
	return outer != NULL ? outer->mark : root->mark;
}

static const char *shown(struct loader *loader, int64_t ns)
{
	char text[UNITS_TEXT_BYTES];

	return arena_copy(loader->arena, units_format_duration_exact(ns, text));
}

const struct probe_spec *probe_named(struct loader *loader, const struct experiment *experiment,
				     const struct param_value *name)
{
	const struct probe_spec *spec = experiment_probe(experiment, name->text);
	struct suggestion near = suggest_for(name->text);

	if (spec != NULL)
		return spec;
	for (size_t i = 0; i < experiment->probe_count; i++)
		suggest_offer(&near, experiment->probes[i].name);
	if (near.best != NULL)
		problem_add(loader, name->mark, "unknown probe `%s`; did you mean `%s`?",
			    name->text, near.best);
	else
		problem_add(loader, name->mark, "unknown probe `%s`; name one of `probes:`",
			    name->text);
	return NULL;
}

static void check_longer_than_every(struct loader *loader, const struct stop_condition *stop,
				    const char *key, int64_t length_ns)
{
	if (stop->probe != NULL && length_ns != 0 && length_ns <= stop->probe->every_ns)
		problem_add(loader, stop->mark, "`%s` (%s) must be longer than `every` (%s) of probe "
			    "`%s`", key, shown(loader, length_ns),
			    shown(loader, stop->probe->every_ns), stop->probe->name);
}

/* A stretch must be longer than the slots are apart, or one sample would make it. */
static void check_stretches(struct loader *loader, const struct node *root,
			    const struct experiment *experiment)
{
	for (size_t i = 0; i < experiment->probe_count; i++) {
		const struct probe_spec *spec = &experiment->probes[i];

		if (!spec->is_required || spec->every_ns == 0)
			continue;
		if (experiment->stable_for_ns != 0 && experiment->stable_for_ns <= spec->every_ns)
			problem_add(loader, mark_at(root, "observe", "stable_for"),
				    "`stable_for` (%s) must be longer than `every` (%s) of probe "
				    "`%s`", shown(loader, experiment->stable_for_ns),
				    shown(loader, spec->every_ns), spec->name);
		if (experiment->steady_good_for_ns != 0 &&
		    experiment->steady_good_for_ns <= spec->every_ns)
			problem_add(loader, mark_at(root, "steady_state", "good_for"),
				    "`good_for` (%s) must be longer than `every` (%s) of probe "
				    "`%s`", shown(loader, experiment->steady_good_for_ns),
				    shown(loader, spec->every_ns), spec->name);
	}
	for (size_t i = 0; i < experiment->stop_condition_count; i++) {
		const struct stop_condition *stop = &experiment->stop_conditions[i];

		check_longer_than_every(loader, stop, "bad_for", stop->bad_for_ns);
		check_longer_than_every(loader, stop, "window", stop->window_ns);
	}
}

static void check_deadlines(struct loader *loader, const struct node *root,
			    const struct experiment *experiment)
{
	const struct objectives *objectives = &experiment->objectives;
	int64_t last_step_ns = 0;
	int64_t least_ns;

	if (experiment->steady_within_ns != 0 &&
	    experiment->steady_within_ns < experiment->steady_good_for_ns)
		problem_add(loader, mark_at(root, "steady_state", "within"),
			    "`within` (%s) is shorter than `good_for` (%s): the run could never "
			    "start", shown(loader, experiment->steady_within_ns),
			    shown(loader, experiment->steady_good_for_ns));
	if (experiment->observe_at_most_ns != 0 && objectives->has_rto &&
	    experiment->observe_at_most_ns < objectives->rto_ns + experiment->stable_for_ns)
		problem_add(loader, mark_at(root, "observe", "at_most"),
			    "`observe: at_most` (%s) ends before `rto` and `stable_for` have "
			    "passed (%s): a recovery in time could not be told; make it longer",
			    shown(loader, experiment->observe_at_most_ns),
			    shown(loader, objectives->rto_ns + experiment->stable_for_ns));
	else if (experiment->observe_at_most_ns != 0 &&
		 experiment->observe_at_most_ns < experiment->stable_for_ns)
		problem_add(loader, mark_at(root, "observe", "at_most"),
			    "`at_most` (%s) is shorter than `stable_for` (%s): nothing could ever "
			    "recover", shown(loader, experiment->observe_at_most_ns),
			    shown(loader, experiment->stable_for_ns));
	for (size_t i = 0; i < experiment->step_count; i++)
		last_step_ns = experiment->steps[i].at_ns > last_step_ns ?
				       experiment->steps[i].at_ns : last_step_ns;
	least_ns = experiment->steady_good_for_ns + experiment->baseline_ns + last_step_ns;
	if (experiment->run_at_most_ns != 0 && experiment->run_at_most_ns <= least_ns)
		problem_add(loader, mark_at(root, NULL, "run_at_most"),
			    "`run_at_most` (%s) ends before the last step is due (%s)",
			    shown(loader, experiment->run_at_most_ns), shown(loader, least_ns));
}

/* A probe so coarse that its span always contains the target can never say met or missed. */
static void check_resolution(struct loader *loader, const struct node *root,
			     const struct experiment *experiment)
{
	const struct node *probes = tree_get(root, "probes");

	if (!experiment->objectives.has_rto)
		return;
	for (size_t i = 0; i < experiment->probe_count; i++) {
		const struct probe_spec *spec = &experiment->probes[i];

		if (!spec->is_required || spec->every_ns == 0 ||
		    spec->every_ns < experiment->objectives.rto_ns)
			continue;
		problem_add(loader, mark_at(probes, spec->name, "every"),
			    "`every` (%s) of probe `%s` is not shorter than `rto` (%s): it could "
			    "never tell; probe more often, or write `required: false`",
			    shown(loader, spec->every_ns), spec->name,
			    shown(loader, experiment->objectives.rto_ns));
	}
}

static bool tells_standing(const struct probe_ops *ops)
{
	return ops->tells_standing;
}

static bool is_reader(const struct probe_ops *ops)
{
	return ops->reads_ledger != NULL;
}

static bool is_any(const struct experiment *experiment, bool (*is_it)(const struct probe_ops *ops))
{
	for (size_t i = 0; i < experiment->probe_count; i++) {
		const struct probe_ops *ops = probe_find(experiment->probes[i].kind);

		if (ops != NULL && is_it(ops))
			return true;
	}
	return false;
}

/* What only a probe of a special kind can tell. */
static void check_watchers(struct loader *loader, const struct node *root,
			   const struct experiment *experiment)
{
	const struct objectives *objectives = &experiment->objectives;
	const char *of_reads = objectives->has_stale_reads ? "stale_reads" :
			       objectives->has_staleness   ? "staleness" :
							     "non_monotonic_reads";

	if (objectives->has_split_brain && !is_any(experiment, tells_standing))
		problem_add(loader, mark_at(root, "objectives", "split_brain"),
			    "`split_brain` needs a probe that watches every member at once, and there "
			    "is none; add one of kind `postgres.primaries`, or take `split_brain` out");
	if ((objectives->has_stale_reads || objectives->has_staleness ||
	     objectives->has_non_monotonic_reads) && !is_any(experiment, is_reader))
		problem_add(loader, mark_at(root, "objectives", of_reads),
			    "`%s` needs a probe that reads beside a ledger, and there is none; add one "
			    "such as `postgres.read`, or take `%s` out", of_reads, of_reads);
}

/* What a ledger may write at most is a number of rows, whatever its batch. */
static void check_ledger_rows(struct loader *loader, const struct experiment *experiment)
{
	for (size_t i = 0; i < experiment->probe_count; i++) {
		const struct probe_spec *spec = &experiment->probes[i];

		if (spec->rows_per_slot <= 1 || spec->every_ns == 0)
			continue;

		const int64_t rows =
			experiment->run_at_most_ns / spec->every_ns * spec->rows_per_slot;

		if (rows > LIMIT_LEDGER_ROWS)
			problem_add(loader, spec->mark,
				    "probe `%s` could write %lld rows until `run_at_most` (%s), and "
				    "a ledger keeps %lld at most; lower its batch or "
				    "`run_at_most`, or raise `every`",
				    spec->name, (long long)rows,
				    shown(loader, experiment->run_at_most_ns),
				    (long long)LIMIT_LEDGER_ROWS);
	}
}

static void check_objectives(struct loader *loader, const struct node *root,
			     const struct experiment *experiment)
{
	const struct objectives *objectives = &experiment->objectives;
	size_t required_count = 0;
	size_t ledger_count = 0;

	for (size_t i = 0; i < experiment->probe_count; i++) {
		required_count += experiment->probes[i].is_required ? 1 : 0;
		ledger_count += experiment->probes[i].is_ledger ? 1 : 0;
	}
	if (objectives->has_rpo && ledger_count == 0 && loader->error_count == 0)
		problem_add(loader, mark_at(root, "objectives", "rpo"),
			    "`rpo` is measured by a probe that writes, and there is none; add one "
			    "such as `postgres.write`, or take `rpo` out");
	if ((objectives->has_rto || objectives->has_availability) && required_count == 0 &&
	    loader->error_count == 0)
		problem_add(loader, mark_at(root, "objectives", objectives->has_rto ? "rto" :
					    "availability"),
			    "no probe is required, so this objective depends on nothing; take "
			    "`required: false` from one");
	if (loader->error_count == 0)
		check_watchers(loader, root, experiment);
	if (experiment->step_count == 0 && tree_get(root, "method") == NULL &&
	    loader->error_count == 0)
		problem_warn(loader, root->mark, "there is no `method`: nothing is harmed, the run "
			     "only observes");
	else if (experiment->step_count == 0 && loader->error_count == 0)
		problem_warn(loader, mark_at(root, NULL, "method"), "`method` is empty: nothing is "
			     "harmed, the run only observes");
	if (!objectives_any(objectives) && experiment->check_count == 0 && loader->error_count == 0)
		problem_warn(loader, root->mark, "there are no `objectives` and no `validate`: no "
			     "run can miss anything");
}

/* The fewest trials that show a share when all of them pass: share^n <= 1 - confidence. */
static int64_t trials_at_least(const struct objectives *objectives)
{
	const double share = (double)objectives->rto_share_ppm / 1e6;
	const double doubt = 1 - (double)objectives->rto_confidence_ppm / 1e6;

	return (int64_t)ceil(log(doubt) / log(share) - 1e-9);
}

static void check_share(struct loader *loader, const struct node *root,
			const struct experiment *experiment)
{
	const struct objectives *objectives = &experiment->objectives;
	const struct node *rto = tree_get(tree_get(root, "objectives"), "rto");
	char share[UNITS_TEXT_BYTES];
	char confidence[UNITS_TEXT_BYTES];

	if (tree_get(rto, "confidence") != NULL && tree_get(rto, "share") == NULL)
		problem_add(loader, tree_get(rto, "confidence")->mark,
			    "`confidence` says how sure to be of a `share`, and there is none; write "
			    "`share: 95%%` beside it, or take `confidence` out");
	if (!objectives->has_rto_share)
		return;

	const int64_t least = trials_at_least(objectives);

	(void)units_format_percent(objectives->rto_share_ppm, share);
	(void)units_format_percent(objectives->rto_confidence_ppm, confidence);
	if (least > LIMIT_TRIALS)
		problem_add(loader, tree_get(rto, "share")->mark,
			    "a share of %s with %s confidence needs %lld trials or more, and the most "
			    "is %d; ask for less", share, confidence, (long long)least,
			    (int)LIMIT_TRIALS);
	else if (experiment->trial_count != 0 && experiment->trial_count < least)
		problem_warn(loader, mark_at(root, NULL, "trials"),
			     "%lld trials can never show a share of %s with %s confidence, even when "
			     "all are within the target; that takes %lld",
			     (long long)experiment->trial_count, share, confidence,
			     (long long)least);
}

void experiment_cross_check(struct loader *loader, const struct node *root,
			    const struct experiment *experiment)
{
	assert(experiment->inventory == loader->inventory);

	check_stretches(loader, root, experiment);
	check_deadlines(loader, root, experiment);
	check_resolution(loader, root, experiment);
	check_ledger_rows(loader, experiment);
	check_objectives(loader, root, experiment);
	check_share(loader, root, experiment);
}
