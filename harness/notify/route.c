/*
 * route.c - see route.h.
 */
#include "notify/route.h"

#include <string.h>

#include "notify/channel.h"

struct routing {
	const struct happening *happening;
	struct arena *arena;
	struct route *routes;
	size_t count;
};

static void add_route(struct routing *routing, const struct channel_spec *channel, int64_t after_ns)
{
	const uint32_t kinds = routing->happening->kinds;
	const uint32_t told_to_incidents = HAPPENING_ACKNOWLEDGED | HAPPENING_RECOVERED;

	if (channel_find(channel->kind)->keeps_incidents && !happening_is_trouble(kinds) &&
	    (kinds & told_to_incidents) == 0)
		return;
	for (size_t i = 0; i < routing->count; i++)
		if (routing->routes[i].channel == channel && routing->routes[i].after_ns == after_ns)
			return;
	routing->routes = arena_more(routing->arena, routing->routes, routing->count,
				     sizeof *routing->routes);
	routing->routes[routing->count++] = (struct route){ channel, after_ns };
}

static bool is_among(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (word != NULL && strcmp(words[i], word) == 0)
			return true;
	return count == 0;
}

static bool has_tier(const struct notify_rule *rule, int64_t tier)
{
	for (size_t i = 0; i < rule->tier_count; i++)
		if (rule->tiers[i] == tier)
			return true;
	return rule->tier_count == 0;
}

static bool applies(const struct notify_rule *rule, const struct happening *happening)
{
	const uint32_t never_suppressed = HAPPENING_CHANGE | HAPPENING_LEFTOVER |
					  HAPPENING_MISSED_SCHEDULE | HAPPENING_START;

	return (rule->kinds & happening->kinds) != 0 &&
	       (!rule->is_only_changes || (happening->kinds & never_suppressed) != 0) &&
	       is_among(rule->environments, rule->environment_count, happening->environment) &&
	       is_among(rule->services, rule->service_count, happening->service) &&
	       has_tier(rule, happening->tier);
}

/* Those that keep incidents and that some rule names: nobody else has opened one. */
static void add_incident_channels(struct routing *routing, const struct notify_rule *rule)
{
	for (size_t i = 0; i < rule->channel_count; i++)
		if (channel_find(rule->channels[i]->kind)->keeps_incidents)
			add_route(routing, rule->channels[i], 0);
	for (size_t i = 0; i < rule->step_count; i++)
		for (size_t k = 0; k < rule->steps[i].channel_count; k++)
			if (channel_find(rule->steps[i].channels[k]->kind)->keeps_incidents)
				add_route(routing, rule->steps[i].channels[k], 0);
}

static void add_rule(struct routing *routing, const struct notify_rule *rule)
{
	for (size_t i = 0; i < rule->channel_count; i++)
		add_route(routing, rule->channels[i], 0);
	if (!happening_is_trouble(routing->happening->kinds))
		return; /* nothing that anybody could acknowledge */
	for (size_t i = 0; i < rule->step_count; i++)
		for (size_t k = 0; k < rule->steps[i].channel_count; k++)
			add_route(routing, rule->steps[i].channels[k], rule->steps[i].after_ns);
}

void route_happening(const struct notify *notify, const struct happening *happening,
		     struct arena *arena, const struct route **ret_routes, size_t *ret_count)
{
	struct routing routing = { .happening = happening, .arena = arena };

	for (size_t i = 0; i < notify->rule_count; i++) {
		const struct notify_rule *rule = &notify->rules[i];

		if ((happening->kinds & (HAPPENING_ACKNOWLEDGED | HAPPENING_RECOVERED)) != 0)
			add_incident_channels(&routing, rule);
		else if (applies(rule, happening))
			add_rule(&routing, rule);
	}
	*ret_routes = routing.routes;
	*ret_count = routing.count;
}
