/*
 * route.h - who is told of a happening, and when: the rules, applied. Pure.
 */
#ifndef NOTIFY_ROUTE_H
#define NOTIFY_ROUTE_H

#include "base/mem.h"
#include "notify/happening.h"

/* One message to be. */
struct route {
	const struct channel_spec *channel;
	int64_t after_ns; /* the happening; 0: at once, else an escalation */
};

/* Each channel once for each moment, whatever number of rules names it. */
void route_happening(const struct notify *notify, const struct happening *happening,
		     struct arena *arena, const struct route **ret_routes, size_t *ret_count);

#endif
