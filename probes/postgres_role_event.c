/*
 * postgres_role_event.c - event probe "postgres.role": when did a member become primary or a replica?
 *
 * Each member is asked pg_is_in_recovery() at its own address, on a connection of its own that is kept.
 * The change lies between two looks: after the last question that was answered the old way had left,
 * and before the first answer of the new kind was here. Only our clock is needed. A member that does not
 * answer has no role meanwhile: that is no event, but the bound of the next change reaches back to the
 * last answer before the silence. A member that changes there and back between two looks shows nothing.
 */
#include "probes/postgres_conn.h"
#include "probes/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct postgres_role {
	const struct host *member;
	struct postgres_conn *owned_conn;
	bool is_known;
	bool is_primary;
	int64_t asked_ns; /* when the last question that was answered left */
};

static const struct param postgres_role_params[] = {
	{ 0 },
};

static bool postgres_role_watch(const struct probe_spec *spec, const struct host *place,
				void **ret_state, struct err *e)
{
	const struct postgres_want want = {
		.conninfo = spec->service->conninfo,
		.inventory = spec->inventory,
		.member = place,
		.session_attrs = "any",
		.question = spec->name,
		.timeout_ns = spec->timeout_ns,
	};
	struct postgres_role *probe = mem_alloc(sizeof *probe);

	probe->member = place;
	if (!postgres_conn_open(&want, NULL, &probe->owned_conn, e)) {
		free(probe);
		return false;
	}
	*ret_state = probe;
	return true;
}

static bool ask(struct postgres_role *probe, const struct attempt *attempt, bool *ret_is_primary,
		struct err *e)
{
	const struct postgres_ask question = { .sql = "select pg_is_in_recovery()" };
	struct postgres_answer answer = { 0 };
	struct text value = { 0 };
	const bool ok = postgres_conn_ask(probe->owned_conn, &question, attempt->clock,
					  attempt->deadline_ns, &answer, e) == POSTGRES_DONE &&
			postgres_answer_value(&answer, 0, &value);

	if (ok)
		*ret_is_primary = strcmp(text_str(&value), "false") == 0;
	text_release(&value);
	postgres_answer_release(&answer);
	return ok;
}

static bool postgres_role_look(void *state, const struct attempt *attempt,
			       const struct sighting_sink *sink, struct err *e)
{
	struct postgres_role *probe = state;
	const int64_t asked_ns = clock_now_ns(attempt->clock);
	bool is_primary = false;

	if (!ask(probe, attempt, &is_primary, e))
		return false;
	if (probe->is_known && is_primary != probe->is_primary) {
		struct sighting sighting = { .host = probe->member,
					     .from_ns = probe->asked_ns,
					     .until_ns = clock_now_ns(attempt->clock) };

		(void)snprintf(sighting.what, sizeof sighting.what, "%s became %s",
			       probe->member->name, is_primary ? "primary" : "a replica");
		sink->seen(sink->ctx, &sighting);
	}
	probe->is_known = true;
	probe->is_primary = is_primary;
	probe->asked_ns = asked_ns;
	return true;
}

static void postgres_role_close(void *state)
{
	struct postgres_role *probe = state;

	if (probe == NULL)
		return;
	postgres_conn_close(probe->owned_conn);
	free(probe);
}

const struct probe_ops probe_postgres_role = {
	.name = "postgres.role",
	.summary = "a member became primary or a replica; each is asked at its own address",
	.on = PROBE_ON_SERVICE,
	.service_kinds = "postgres",
	.is_event = true,
	.params = postgres_role_params,
	.watch = postgres_role_watch,
	.look = postgres_role_look,
	.close = postgres_role_close,
};
