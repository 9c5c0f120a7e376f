/*
 * patroni_history.c - event probe "patroni.history": when did Patroni promote a member?
 *
 * Every member's REST API is asked for /history, whose rows are [timeline that ended, where, why, time,
 * new leader]. The time is that of the new timeline's history file on the new leader: when PostgreSQL
 * left recovery there, by that host's clock. So it is worth something only once that clock is known
 * (engine/host_clock.h). By our own clock a row proves one thing: that had happened when the row was
 * seen. It says nothing of how long ago: a member shows what it read of the cluster's store up to a
 * loop_wait before. A promotion by hand, without Patroni, has no row.
 */
#include "probes/patroni_api.h"
#include "probes/probe.h"
#include "probes/stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/*
 * A file's time is the kernel's coarse clock, that of the last tick: up to 10 ms (HZ = 100) behind.
 * Then Python's float and its rounding to microseconds.
 */
static const int64_t tick_ns = 10 * NS_PER_MS;
static const int64_t rounding_ns = 2 * NS_PER_US;

struct patroni_history {
	const struct service *service;
	const struct host *member;
	struct patroni_api *owned_api;
	bool is_known;
	int64_t timeline; /* the newest one that ended, of those told or there from the start */
};

static const struct param patroni_history_params[] = {
	{ 0 },
};

static bool patroni_history_check(const struct probe_spec *spec, struct err *e)
{
	if (spec->service->patroni_port == 0)
		return err_set(e, ERR_INPUT,
			       "patroni.history asks Patroni, and %s has none; write `patroni: { port: "
			       "8008 }` in the inventory, or use postgres.role", spec->service->name);
	return true;
}

static bool patroni_history_watch(const struct probe_spec *spec, const struct host *place,
				  void **ret_state, struct err *e)
{
	struct patroni_history *probe = mem_alloc(sizeof *probe);

	(void)e;
	probe->service = spec->service;
	probe->member = place;
	probe->owned_api = patroni_api_open(spec->service, place);
	*ret_state = probe;
	return true;
}

static bool is_address_of(const struct host *member, const char *address)
{
	return address != NULL && member->address != NULL && strcmp(member->address, address) == 0;
}

static const struct host *find_by_name(const struct service *service, const char *name)
{
	for (size_t i = 0; i < service->member_count; i++)
		if (strcmp(service->members[i]->name, name) == 0)
			return service->members[i];
	return NULL;
}

/* Patroni's name of a member need not be ours: /cluster knows its address. NULL: nobody of ours. */
static const struct host *find_leader(struct patroni_history *probe, const struct attempt *attempt,
				      const char *name)
{
	const struct host *found = find_by_name(probe->service, name);
	struct json *root = NULL;
	struct err ignored = { 0 }; /* then the leader stays unknown, and its time is not used */

	if (found != NULL)
		return found;
	if (patroni_api_ask(probe->owned_api, attempt->clock, attempt->deadline_ns, "/cluster", &root,
			    &ignored)) {
		const struct json *members = json_get(root, "members");

		for (size_t i = 0; found == NULL && i < json_count(members); i++) {
			const struct json *member = json_at(members, i);
			const char *its_name = json_text_of(json_get(member, "name"));
			const char *address = json_text_of(json_get(member, "host"));

			if (its_name == NULL || strcmp(its_name, name) != 0)
				continue;
			for (size_t j = 0; j < probe->service->member_count; j++)
				if (is_address_of(probe->service->members[j], address))
					found = probe->service->members[j];
		}
	}
	json_release(root);
	return found;
}

/* One row of the history that was not there at the last look. */
static void tell_row(struct patroni_history *probe, const struct attempt *attempt,
		     const struct json *row, int64_t timeline, int64_t seen_ns,
		     const struct sighting_sink *sink)
{
	const char *time = json_text_of(json_at(row, 3));
	const char *leader = json_text_of(json_at(row, 4));
	struct sighting sighting = { .until_ns = seen_ns };
	int64_t wall_ns;
	int64_t grain_ns;

	if (leader != NULL)
		sighting.host = find_leader(probe, attempt, leader);
	if (time != NULL && stamp_read(time, &wall_ns, &grain_ns, NULL)) {
		sighting.own_low_ns = wall_ns - rounding_ns;
		sighting.own_high_ns = wall_ns + grain_ns + tick_ns + rounding_ns;
	}
	if (leader != NULL)
		(void)snprintf(sighting.what, sizeof sighting.what, "Patroni promoted %.100s",
			       sighting.host != NULL ? sighting.host->name : leader);
	else
		(void)snprintf(sighting.what, sizeof sighting.what,
			       "Patroni began timeline %" PRId64, timeline + 1);
	(void)snprintf(sighting.key, sizeof sighting.key, "timeline %" PRId64, timeline + 1);
	sink->seen(sink->ctx, &sighting);
}

static bool patroni_history_look(void *state, const struct attempt *attempt,
				 const struct sighting_sink *sink, struct err *e)
{
	struct patroni_history *probe = state;
	struct json *root = NULL;
	int64_t newest = probe->timeline;

	if (!patroni_api_ask(probe->owned_api, attempt->clock, attempt->deadline_ns, "/history", &root,
			     e))
		return false;

	const int64_t seen_ns = clock_now_ns(attempt->clock);
	const bool is_list = json_type_of(root) == JSON_ARRAY;

	for (size_t i = 0; is_list && i < json_count(root); i++) {
		const struct json *row = json_at(root, i);
		int64_t timeline = 0;

		if (json_type_of(row) != JSON_ARRAY || !json_int_of(json_at(row, 0), &timeline) ||
		    timeline <= probe->timeline)
			continue;
		newest = timeline > newest ? timeline : newest;
		if (probe->is_known)
			tell_row(probe, attempt, row, timeline, seen_ns, sink);
	}
	json_release(root);
	if (!is_list)
		return err_set(e, ERR_REMOTE, "%s/history is no list",
			       patroni_api_url(probe->owned_api));
	probe->timeline = newest;
	probe->is_known = true;
	return true;
}

static void patroni_history_close(void *state)
{
	struct patroni_history *probe = state;

	if (probe == NULL)
		return;
	patroni_api_close(probe->owned_api);
	free(probe);
}

const struct probe_ops probe_patroni_history = {
	.name = "patroni.history",
	.summary = "Patroni promoted a member; from /history of each member's REST API",
	.on = PROBE_ON_SERVICE,
	.service_kinds = "postgres",
	.is_event = true,
	.uses_host_clock = true,
	.params = patroni_history_params,
	.check = patroni_history_check,
	.watch = patroni_history_watch,
	.look = patroni_history_look,
	.close = patroni_history_close,
};
