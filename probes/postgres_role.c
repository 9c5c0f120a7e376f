/*
 * postgres_role.c - who is "primary" or "replica" in a postgres service at this moment.
 *
 * Each member is asked directly, at its own address, pg_is_in_recovery(): a proxy or a multi-host
 * connection would answer for somebody else. Two primaries are an error that names them: harming
 * the wrong one of a split brain is not for us to choose.
 */
#include "probes/postgres_conn.h"
#include "probes/probe.h"
#include "probes/socket.h"
#include "probes/stable.h"

#include <assert.h>
#include <string.h>

/* A silent member may not take the time of those after it. */
static const int64_t ask_at_most_ns = 2 * NS_PER_S;

static const char *ask_member(const struct service *service, const struct host *member,
			      const struct clock *clock, int64_t deadline_ns, struct text *said,
			      struct err *e)
{
	const struct postgres_want want = {
		.conninfo = service->conninfo,
		.member = member,
		.session_attrs = "any",
	};
	const struct postgres_ask ask = { .sql = "select pg_is_in_recovery()" };
	struct postgres_answer answer = { 0 };
	struct postgres_conn *conn = NULL;
	struct text value = { 0 };
	const char *role = NULL;

	if (postgres_conn_open(&want, NULL, &conn, e) &&
	    postgres_conn_ask(conn, &ask, clock, deadline_ns, &answer, e) == POSTGRES_DONE &&
	    postgres_answer_value(&answer, 0, &value))
		role = strcmp(text_str(&value), "true") == 0 ? "replica" : "primary";

	text_addf(said, "%s%s: %s", said->length_bytes == 0 ? "" : "; ", member->name,
		  role != NULL ? role : e->text);
	text_release(&value);
	postgres_answer_release(&answer);
	postgres_conn_close(conn);
	return role;
}

static bool postgres_role_resolve(const struct service *service, const char *role,
				  const struct clock *clock, int64_t deadline_ns,
				  const struct host **ret_members, size_t *ret_count, struct err *e)
{
	const bool is_primary_wanted = strcmp(role, "primary") == 0;
	struct text said = { 0 };
	size_t count = 0;
	bool ok = true;

	if (!is_primary_wanted && strcmp(role, "replica") != 0)
		return err_set(e, ERR_INPUT, "role %s of %s: write primary or replica", role,
			       service->name);

	for (size_t i = 0; i < service->member_count; i++) {
		const int64_t now_ns = clock_now_ns(clock);
		int64_t until_ns =
			socket_slice_end_ns(now_ns, deadline_ns, service->member_count - i);
		struct err reason = { 0 };

		if (until_ns > now_ns + ask_at_most_ns)
			until_ns = now_ns + ask_at_most_ns;

		const char *plays =
			ask_member(service, service->members[i], clock, until_ns, &said, &reason);

		if (plays != NULL && strcmp(plays, role) == 0)
			ret_members[count++] = service->members[i];
	}

	if (count == 0)
		ok = err_set(e, ERR_REMOTE, "find the %s of %s: no member says it is one (%s)",
			     role, service->name, text_str(&said));
	else if (is_primary_wanted && count > 1)
		ok = err_set(e, ERR_REMOTE,
			     "find the primary of %s: %zu members say they are (%s); repair the "
			     "split brain first",
			     service->name, count, text_str(&said));
	else
		*ret_count = count;
	text_release(&said);
	return ok;
}

const struct role_ops role_postgres = {
	.service_kind = "postgres",
	.roles = "primary|replica",
	.resolve = postgres_role_resolve,
};
