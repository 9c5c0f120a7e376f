/*
 * suite.c - see suite.h.
 */
#include "engine/suite.h"

#include <assert.h>
#include <string.h>

static void add_key(struct arena *arena, const char ***keys, size_t *count, const char *key)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp((*keys)[i], key) == 0)
			return;
	*keys = arena_more(arena, *keys, *count, sizeof **keys);
	(*keys)[(*count)++] = key;
}

static void watch_host(struct footprint *footprint, const struct host *host, struct arena *arena)
{
	if (host != NULL)
		add_key(arena, &footprint->watched, &footprint->watched_count,
			host_place(host, arena));
}

static void watch_service(struct footprint *footprint, const struct service *service,
			  struct arena *arena)
{
	for (size_t i = 0; service != NULL && i < service->member_count; i++)
		watch_host(footprint, service->members[i], arena);
}

void suite_footprint(const struct plan *plan, struct arena *arena, struct footprint *ret_footprint)
{
	const struct experiment *experiment = plan->experiment;
	struct footprint footprint = { 0 };

	for (size_t i = 0; i < plan->step_count; i++)
		for (size_t j = 0; j < plan->steps[i].target_count; j++) {
			const struct host *host = plan->steps[i].targets[j].host;

			add_key(arena, &footprint.harmed, &footprint.harmed_count, host->name);
			add_key(arena, &footprint.harmed, &footprint.harmed_count,
				host_place(host, arena));
		}
	watch_service(&footprint, experiment->service, arena);
	for (size_t i = 0; i < experiment->probe_count; i++) {
		watch_service(&footprint, experiment->probes[i].service, arena);
		watch_host(&footprint, experiment->probes[i].host, arena);
	}
	for (size_t i = 0; i < experiment->check_count; i++) {
		watch_service(&footprint, experiment->checks[i].probe.service, arena);
		watch_host(&footprint, experiment->checks[i].probe.host, arena);
	}
	*ret_footprint = footprint;
}

static bool do_share(const char *const *ours, size_t our_count, const char *const *theirs,
		     size_t their_count)
{
	for (size_t i = 0; i < our_count; i++)
		for (size_t j = 0; j < their_count; j++)
			if (strcmp(ours[i], theirs[j]) == 0)
				return true;
	return false;
}

bool suite_do_clash(const struct footprint *one, const struct footprint *other)
{
	return do_share(one->harmed, one->harmed_count, other->harmed, other->harmed_count) ||
	       do_share(one->harmed, one->harmed_count, other->watched, other->watched_count) ||
	       do_share(one->watched, one->watched_count, other->harmed, other->harmed_count);
}

static bool is_free(const struct footprint *footprints, const enum suite_place *places, size_t count,
		    size_t index)
{
	for (size_t i = 0; i < count; i++)
		if (places[i] == SUITE_RUNS && suite_do_clash(&footprints[i], &footprints[index]))
			return false;
	return true;
}

size_t suite_next(const struct footprint *footprints, const enum suite_place *places, size_t count,
		  size_t jobs)
{
	size_t running_count = 0;

	assert(jobs > 0);

	for (size_t i = 0; i < count; i++)
		running_count += places[i] == SUITE_RUNS ? 1 : 0;
	for (size_t i = 0; running_count < jobs && i < count; i++)
		if (places[i] == SUITE_WAITS && is_free(footprints, places, count, i))
			return i;
	return count;
}
