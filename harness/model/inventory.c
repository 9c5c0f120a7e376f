/*
 * inventory.c - look-ups in the model's documents; see inventory.h and experiment.h.
 */
#include "model/experiment.h"

#include <string.h>
#include <strings.h>

const struct host *inventory_host(const struct inventory *inventory, const char *name)
{
	for (size_t i = 0; i < inventory->host_count; i++)
		if (strcmp(inventory->hosts[i].name, name) == 0)
			return &inventory->hosts[i];
	return NULL;
}

const struct service *inventory_service(const struct inventory *inventory, const char *name)
{
	for (size_t i = 0; i < inventory->service_count; i++)
		if (strcmp(inventory->services[i].name, name) == 0)
			return &inventory->services[i];
	return NULL;
}

static bool is_same_place(const struct host *one, const struct host *other)
{
	if (one == NULL || other == NULL || one->is_local || other->is_local)
		return one == other || (one != NULL && other != NULL && one->is_local && other->is_local);
	return one->port == other->port && strcasecmp(one->address, other->address) == 0 &&
	       is_same_place(one->via, other->via);
}

const struct host *inventory_protected(const struct inventory *inventory, const struct host *host)
{
	if (host->is_protected)
		return host;
	for (size_t i = 0; i < inventory->host_count; i++)
		if (inventory->hosts[i].is_protected && is_same_place(&inventory->hosts[i], host))
			return &inventory->hosts[i];
	return NULL;
}

const char *host_place(const struct host *host, struct arena *arena)
{
	if (host->is_local || host->address == NULL)
		return "this machine";
	return arena_format(arena, "%s port %u%s%s", host->address, (unsigned)host->port,
			    host->via == NULL ? "" : " via ",
			    host->via == NULL ? "" : host->via->address);
}

const char *host_label(const struct host *host, const char *name)
{
	for (size_t i = 0; i < host->label_count; i++)
		if (strcmp(host->labels[i].name, name) == 0)
			return host->labels[i].value;
	return NULL;
}

bool host_has_labels(const struct host *host, const struct pair *labels, size_t label_count)
{
	for (size_t i = 0; i < label_count; i++) {
		const char *value = host_label(host, labels[i].name);

		if (value == NULL || labels[i].value == NULL || strcmp(value, labels[i].value) != 0)
			return false;
	}
	return true;
}

const struct probe_spec *experiment_probe(const struct experiment *experiment, const char *name)
{
	for (size_t i = 0; i < experiment->probe_count; i++)
		if (strcmp(experiment->probes[i].name, name) == 0)
			return &experiment->probes[i];
	return NULL;
}
