/*
 * postgres_lag.c - probe "postgres.lag": how far is each replica behind, by the primary's own word?
 *
 * Each member is asked at its own address, on a connection of its own that is kept; one that is a
 * replica has nothing to say. So after a failover the new primary tells from its first answer on, and
 * in a split brain both do. A primary's pg_stat_replication lists the replicas that are connected to it,
 * and what each of them last said: one that is cut off stands there with its last position until
 * wal_sender_timeout, and then no more. A walsender that hangs and the one that replaced it may both be
 * there: the further position counts, for the replica has that much. Replicas of replicas are not seen.
 */
#include "probes/postgres_conn.h"
#include "probes/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

/*
 * The position is read after the rows (aggregates come before the select list): so bytes behind are
 * never too few. Base backups and logical subscribers are no replicas that could take over.
 */
static const char lag_sql[] =
	"select case when pg_is_in_recovery() then 'replica' else (select "
	"'primary' || E'\\t' || pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') || coalesce(string_agg("
	"concat_ws(E'\\t', E'\\n', coalesce(host(r.client_addr), ''), coalesce(r.state, ''), "
	"coalesce(r.sync_state, ''), coalesce(pg_wal_lsn_diff(r.sent_lsn, '0/0')::text, ''), "
	"coalesce(pg_wal_lsn_diff(r.flush_lsn, '0/0')::text, ''), "
	"coalesce(pg_wal_lsn_diff(r.replay_lsn, '0/0')::text, ''), "
	"coalesce((extract(epoch from r.flush_lag) * 1000000)::bigint::text, ''), "
	"coalesce((extract(epoch from r.replay_lag) * 1000000)::bigint::text, ''), "
	"coalesce(r.application_name, '')), '' order by r.pid), '') "
	"from pg_stat_replication r left join pg_replication_slots s on s.active_pid = r.pid "
	"where coalesce(r.application_name, '') <> 'pg_basebackup' and coalesce(r.state, '') <> 'backup' "
	"and coalesce(s.slot_type, 'physical') = 'physical') end";

struct postgres_lag {
	const struct service *service;
	const struct host *member;
	struct postgres_conn *owned_conn;
};

static const struct param postgres_lag_params[] = {
	{ 0 },
};

static bool postgres_lag_watch(const struct probe_spec *spec, const struct host *place,
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
	struct postgres_lag *probe = mem_alloc(sizeof *probe);

	probe->service = spec->service;
	probe->member = place;
	if (!postgres_conn_open(&want, NULL, &probe->owned_conn, e)) {
		free(probe);
		return false;
	}
	*ret_state = probe;
	return true;
}

/* Takes the text up to the mark off the rest; the whole rest when there is no such mark. */
static char *take_field(char **rest, char mark)
{
	char *field = *rest;
	char *end = strchr(field, mark);

	*rest = end == NULL ? field + strlen(field) : end + 1;
	if (end != NULL)
		*end = '\0';
	return field;
}

static bool read_number(const char *text, int64_t *ret_number)
{
	return units_parse_count(text, ret_number, NULL);
}

/* Behind a position that was read later, so not negative unless the server lies. */
static int64_t behind(uint64_t wal_bytes, const char *position)
{
	int64_t at_bytes;

	if (!read_number(position, &at_bytes))
		return LAG_UNKNOWN;
	return at_bytes > (int64_t)wal_bytes ? 0 : (int64_t)wal_bytes - at_bytes;
}

static int64_t told_ns(const char *microseconds)
{
	int64_t us;

	return read_number(microseconds, &us) && us >= 0 && us < INT64_MAX / NS_PER_US
		       ? us * NS_PER_US
		       : LAG_UNKNOWN;
}

/* Our name of it where the address is a member's; else what it calls itself. */
static const char *name_replica(const struct service *service, const char *address,
				const char *application)
{
	for (size_t i = 0; i < service->member_count; i++) {
		const struct host *member = service->members[i];

		if (member->address != NULL && strcmp(member->address, address) == 0)
			return member->name;
	}
	return application[0] != '\0' ? application : address[0] != '\0' ? address : "?";
}

/* The row of this replica, a new one when there is none; NULL: too many. */
static struct lag_row *find_row(struct lag_look *look, const char *replica)
{
	for (size_t i = 0; i < look->row_count; i++)
		if (strcmp(look->rows[i].replica, replica) == 0)
			return &look->rows[i];
	if (look->row_count == LAG_REPLICAS_MAX)
		return NULL;

	struct lag_row *row = &look->rows[look->row_count++];

	*row = (struct lag_row){ .flush_bytes = LAG_UNKNOWN };
	(void)snprintf(row->replica, sizeof row->replica, "%s", replica);
	return row;
}

static bool is_further(int64_t bytes, int64_t than_bytes)
{
	return than_bytes == LAG_UNKNOWN || (bytes != LAG_UNKNOWN && bytes < than_bytes);
}

/* One line of the answer: the fields in the order of lag_sql. */
static bool read_row(const struct postgres_lag *probe, char *line, struct lag_look *look,
		     struct err *e)
{
	const char *address = take_field(&line, '\t');
	const char *state = take_field(&line, '\t');
	const char *sync = take_field(&line, '\t');
	const char *sent = take_field(&line, '\t');
	const char *flush = take_field(&line, '\t');
	const char *replay = take_field(&line, '\t');
	const char *flush_us = take_field(&line, '\t');
	const char *replay_us = take_field(&line, '\t');
	char name[LIMIT_NAME_BYTES];
	struct lag_row *row;

	if (state[0] == '\0')
		return err_set(e, ERR_REMOTE, "%s hides its replicas' positions from this user: grant "
			       "pg_monitor to it", probe->member->name);
	(void)snprintf(name, sizeof name, "%s", name_replica(probe->service, address, line));
	row = find_row(look, name);
	if (row == NULL)
		return err_set(e, ERR_LIMIT, "%s has more than %d replicas", probe->member->name,
			       LAG_REPLICAS_MAX);
	if (!is_further(behind(look->wal_bytes, flush), row->flush_bytes))
		return true;
	(void)snprintf(row->state, sizeof row->state, "%.*s", LAG_STATE_BYTES - 1, state);
	row->is_sync = strcmp(sync, "sync") == 0 || strcmp(sync, "quorum") == 0;
	row->sent_bytes = behind(look->wal_bytes, sent);
	row->flush_bytes = behind(look->wal_bytes, flush);
	row->replay_bytes = behind(look->wal_bytes, replay);
	row->flush_told_ns = told_ns(flush_us);
	row->replay_told_ns = told_ns(replay_us);
	return true;
}

/* "primary TAB position", and for each replica a newline, a tab and its fields. */
static bool read_answer(const struct postgres_lag *probe, char *answer, struct lag_look *look,
			struct err *e)
{
	char *head = take_field(&answer, '\n');
	int64_t position;

	(void)take_field(&head, '\t');
	if (!read_number(head, &position) || position < 0)
		return err_set(e, ERR_REMOTE, "%s told no position of its WAL", probe->member->name);
	look->wal_bytes = (uint64_t)position;
	while (answer[0] != '\0') {
		char *line = take_field(&answer, '\n');

		(void)take_field(&line, '\t');
		if (!read_row(probe, line, look, e))
			return false;
	}
	return true;
}

static bool postgres_lag_look(void *state, const struct attempt *attempt,
			      const struct sighting_sink *sink, struct err *e)
{
	struct postgres_lag *probe = state;
	const struct postgres_ask question = { .sql = lag_sql };
	struct lag_look look = { .primary = probe->member->name,
				 .from_ns = clock_now_ns(attempt->clock) };
	struct postgres_answer answer = { 0 };
	struct text value = { 0 };
	bool ok = postgres_conn_ask(probe->owned_conn, &question, attempt->clock,
				    attempt->deadline_ns, &answer, e) == POSTGRES_DONE &&
		  postgres_answer_value(&answer, 0, &value);

	look.until_ns = clock_now_ns(attempt->clock);
	if (ok && strcmp(text_str(&value), "replica") != 0) {
		ok = read_answer(probe, value.owned_bytes, &look, e);
		if (ok)
			sink->lag(sink->ctx, &look);
	}
	text_release(&value);
	postgres_answer_release(&answer);
	return ok;
}

static void postgres_lag_close(void *state)
{
	struct postgres_lag *probe = state;

	if (probe == NULL)
		return;
	postgres_conn_close(probe->owned_conn);
	free(probe);
}

const struct probe_ops probe_postgres_lag = {
	.name = "postgres.lag",
	.summary = "how far each replica is behind in bytes and time, as the primary says",
	.on = PROBE_ON_SERVICE,
	.service_kinds = "postgres",
	.is_event = true,
	.tells_lag = true,
	.params = postgres_lag_params,
	.watch = postgres_lag_watch,
	.look = postgres_lag_look,
	.close = postgres_lag_close,
};
