/*
 * patroni_api.h - one member's Patroni, asked over its REST API. No TLS and no password.
 */
#ifndef PROBES_PATRONI_API_H
#define PROBES_PATRONI_API_H

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "model/inventory.h"

struct patroni_api; /* belongs to one thread */

/* Connects to nothing. The service has a patroni_port. */
struct patroni_api *patroni_api_open(const struct service *service, const struct host *member);
void patroni_api_close(struct patroni_api *api); /* NULL is fine */
const char *patroni_api_url(const struct patroni_api *api);

/* The body of a 200 as JSON. The caller releases it. */
bool patroni_api_ask(struct patroni_api *api, const struct clock *clock, int64_t deadline_ns,
		     const char *path, struct json **ret_root, struct err *e);

#endif
