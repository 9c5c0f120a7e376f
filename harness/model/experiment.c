/*
 * experiment.c - small questions to an experiment; see experiment.h.
 */
#include "model/experiment.h"

bool probe_only_looks(const struct probe_spec *spec)
{
	return !spec->is_ledger && spec->ledger == NULL && !spec->is_event;
}

struct experiment experiment_for_watch(const struct experiment *experiment, struct probe_spec *room)
{
	struct experiment watch = *experiment;

	watch.probes = room;
	watch.probe_count = 0;
	for (size_t i = 0; i < experiment->probe_count; i++)
		if (probe_only_looks(&experiment->probes[i]))
			room[watch.probe_count++] = experiment->probes[i];
	watch.objectives = (struct objectives){ 0 };
	watch.step_count = 0;
	watch.stop_condition_count = 0; /* they name probes of the other one */
	watch.check_count = 0;
	watch.vantage_point_count = 0;
	return watch;
}

bool probe_is_chosen(const struct probe_choice *choice, const struct probe_spec *spec)
{
	if (choice->count == 0)
		return spec->is_required;
	for (size_t i = 0; i < choice->count; i++)
		if (choice->probes[i] == spec)
			return true;
	return false;
}

bool objectives_any(const struct objectives *objectives)
{
	const struct share_objective *errors = &objectives->error_rate;
	const struct share_objective *throughput = &objectives->throughput;

	for (size_t i = 0; i < PERCENTILE_COUNT; i++)
		if (objectives->latency.after_ns[i] != 0 || objectives->latency.during_ns[i] != 0)
			return true;
	return objectives->has_rto || objectives->has_rpo || objectives->has_availability ||
	       errors->has_after || errors->has_during || throughput->has_after ||
	       throughput->has_during || objectives->degraded.is_declared ||
	       objectives->has_split_brain || objectives->has_stale_reads ||
	       objectives->has_staleness || objectives->has_non_monotonic_reads;
}
