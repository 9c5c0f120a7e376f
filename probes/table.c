/*
 * table.c - every probe, every kind of service that has roles, all that fails services over: one row
 * each. Adding a probe is its own file and one row here; the loader, `firedrill probes` and the schema
 * read the rows.
 */
#include "probes/probe.h"

#include <string.h>

#define PROBE_ROWS(X)     \
	X(tcp_connect)    \
	X(http_get)       \
	X(prometheus_query) \
	X(postgres_query) \
	X(postgres_write) \
	X(postgres_read) \
	X(redis_write)    \
	X(mariadb_write)  \
	X(http_write)     \
	X(s3_write)       \
	X(ssh_command)    \
	X(postgres_role)  \
	X(postgres_primaries) \
	X(postgres_lag)   \
	X(patroni_history) \
	X(log_event)

#define ROLE_ROWS(X) \
	X(postgres)

#define FAILOVER_ROWS(X) \
	X(patroni)

#define X(id) extern const struct probe_ops probe_##id;
PROBE_ROWS(X)
#undef X

#define X(id) extern const struct role_ops role_##id;
ROLE_ROWS(X)
#undef X

#define X(id) extern const struct failover_ops failover_##id;
FAILOVER_ROWS(X)
#undef X

static const struct probe_ops *const probe_rows[] = {
#define X(id) &probe_##id,
	PROBE_ROWS(X)
#undef X
};

/* Ends in NULL, so that the list may be empty. */
static const struct role_ops *const role_rows[] = {
#define X(id) &role_##id,
	ROLE_ROWS(X)
#undef X
	NULL,
};

static const struct failover_ops *const failover_rows[] = {
#define X(id) &failover_##id,
	FAILOVER_ROWS(X)
#undef X
	NULL,
};

const struct probe_ops *probe_find(const char *name)
{
	for (size_t i = 0; i < sizeof probe_rows / sizeof probe_rows[0]; i++) {
		if (strcmp(probe_rows[i]->name, name) == 0)
			return probe_rows[i];
	}
	return NULL;
}

const struct probe_ops *const *probe_table(size_t *ret_count)
{
	*ret_count = sizeof probe_rows / sizeof probe_rows[0];
	return probe_rows;
}

int64_t row_sink_heard(const struct row_sink *sink, int64_t deadline_ns)
{
	return sink->heard == NULL ? deadline_ns : sink->heard(sink->ctx, deadline_ns);
}

size_t probe_place_count(const struct probe_spec *spec)
{
	return spec->host != NULL ? 1 : spec->service != NULL ? spec->service->member_count : 0;
}

const struct host *probe_place(const struct probe_spec *spec, size_t index)
{
	return spec->host != NULL ? spec->host : spec->service->members[index];
}

const struct role_ops *role_find(const char *service_kind)
{
	for (size_t i = 0; role_rows[i] != NULL; i++) {
		if (strcmp(role_rows[i]->service_kind, service_kind) == 0)
			return role_rows[i];
	}
	return NULL;
}

const struct failover_ops *failover_find(const struct service *service)
{
	for (size_t i = 0; failover_rows[i] != NULL; i++) {
		if (strcmp(failover_rows[i]->service_kind, service->kind) == 0 &&
		    failover_rows[i]->has(service))
			return failover_rows[i];
	}
	return NULL;
}
