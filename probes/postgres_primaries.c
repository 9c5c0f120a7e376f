/*
 * postgres_primaries.c - probe "postgres.primaries": which members say that they are primary, and which
 * of them acknowledge a write? The watch for two primaries at once.
 *
 * Each member is asked at its own address, over two connections that are kept: one for the question, one
 * for the write, because a primary that waits for a replica which is gone answers questions and commits
 * nothing. Only one that says it is primary is written to: one tiny row for each look, durable like the
 * ledger's. Its table is made, and removed, as the ledger's is.
 *
 * The timeline is told with the role: every promotion begins a new one, so a member that is primary at
 * two looks on one timeline was not replaced and promoted again in between.
 *
 * A member that refuses every session serves nobody who stands where we do. One that is silent may serve
 * others: that is not known, and is told so.
 */
#include "probes/ledger_row.h"
#include "probes/postgres_conn.h"
#include "probes/probe.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct probe_ops probe_postgres_write;

enum { TIMELINE_BYTES = 16 };

/* Works on a server that was just promoted, where pg_control_checkpoint() still tells the old one. */
static const char role_sql[] = "select case when pg_is_in_recovery() then 'replica' else "
			       "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end, "
			       "extract(epoch from pg_postmaster_start_time())::text";

/* What one look found. */
struct finding {
	enum standing standing;
	char timeline[TIMELINE_BYTES];	    /* of a primary; else "" */
	char server[SIGHTING_SERVER_BYTES]; /* when it was started; "" */
	int64_t asked_ns;
	int64_t done_ns;
};

struct postgres_primaries {
	const struct host *member;
	struct postgres_conn *owned_role;
	struct postgres_conn *owned_write;
	struct text insert_sql;
	bool is_silent_down; /* the document says that a silent member serves nobody */
	struct finding last; /* NONE: did not look yet */
};

static const struct param postgres_primaries_params[] = {
	{ "silent", PARAM_CHOICE, .choices = "unknown|down", .fallback = "unknown",
	  .help = "what a member is that does not answer: unknown, or known to serve nobody" },
	{ "keep", PARAM_BOOL, .fallback = "false",
	  .help = "leave the table in place after the run" },
	{ 0 },
};

static bool postgres_primaries_check(const struct probe_spec *spec, struct err *e)
{
	if (spec->service->member_count < 2)
		return err_set(e, ERR_INPUT,
			       "postgres.primaries watches all members of a cluster, and `%s` has %zu; "
			       "name them in its `members`",
			       spec->service->name, spec->service->member_count);
	return postgres_conninfo_check(spec->service->conninfo, spec->service->name, e);
}

/* The ledger makes and removes the table, under a name that no ledger has. */
static void name_table(const char *run_id, struct text *name)
{
	text_addf(name, "watch_%s", run_id);
}

static bool postgres_primaries_prepare(const struct probe_spec *spec, const char *run_id,
				       const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	struct text name = { 0 };
	bool ok;

	name_table(run_id, &name);
	ok = probe_postgres_write.prepare(spec, text_str(&name), clock, deadline_ns, e);
	text_release(&name);
	return ok;
}

static bool postgres_primaries_clean(const struct probe_spec *spec, const char *run_id,
				     const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	struct text name = { 0 };
	bool ok;

	name_table(run_id, &name);
	ok = probe_postgres_write.clean(spec, text_str(&name), clock, deadline_ns, e);
	text_release(&name);
	return ok;
}

static bool open_conn(const struct probe_spec *spec, const struct host *place, const char *question,
		      struct postgres_conn **ret_conn, struct err *e)
{
	const struct postgres_want want = {
		.conninfo = spec->service->conninfo,
		.inventory = spec->inventory,
		.member = place,
		.session_attrs = "any",
		.question = question,
		.timeout_ns = spec->timeout_ns,
	};

	return postgres_conn_open(&want, NULL, ret_conn, e);
}

static void postgres_primaries_close(void *state)
{
	struct postgres_primaries *probe = state;

	if (probe == NULL)
		return;
	postgres_conn_close(probe->owned_role);
	postgres_conn_close(probe->owned_write);
	text_release(&probe->insert_sql);
	free(probe);
}

static bool postgres_primaries_watch(const struct probe_spec *spec, const struct host *place,
				     void **ret_state, struct err *e)
{
	struct postgres_primaries *probe = mem_alloc(sizeof *probe);

	probe->member = place;
	probe->is_silent_down = strcmp(params_text(&spec->params, "silent"), "down") == 0;
	if (!open_conn(spec, place, "who is primary", &probe->owned_role, e) ||
	    !open_conn(spec, place, "a write to each primary", &probe->owned_write, e)) {
		postgres_primaries_close(probe);
		return false;
	}
	*ret_state = probe;
	return true;
}

/* The run is known from the first look on only. */
static const char *insert_sql(struct postgres_primaries *probe, const char *run_id)
{
	struct text run = { 0 };
	struct text table = { 0 };

	if (probe->insert_sql.length_bytes > 0)
		return text_str(&probe->insert_sql);
	name_table(run_id, &run);
	ledger_table_name(text_str(&run), &table);
	text_add(&probe->insert_sql, "insert into ");
	postgres_quote_name(text_str(&table), &probe->insert_sql);
	text_add(&probe->insert_sql, " (writer, seq, payload, checksum) values (");
	postgres_quote_text(probe->member->name, &probe->insert_sql);
	text_add(&probe->insert_sql, ", $1, '', '')");
	text_release(&run);
	text_release(&table);
	return text_str(&probe->insert_sql);
}

/* Words of a kernel without a listener, and of a server that starts or stops. Any other failure, such as
   too many sessions, may be that of a primary which serves others. */
static bool is_refusal(const struct err *e)
{
	return strstr(e->text, strerror(ECONNREFUSED)) != NULL ||
	       strstr(e->text, "the database system is ") != NULL;
}

static void ask_role(struct postgres_primaries *probe, const struct attempt *attempt,
		     struct finding *now, struct err *e)
{
	const struct postgres_ask question = { .sql = role_sql };
	struct postgres_answer answer = { 0 };
	struct text role = { 0 };
	struct text server = { 0 };

	now->standing = probe->is_silent_down ? STANDING_DOWN : STANDING_SILENT;
	if (postgres_conn_ask(probe->owned_role, &question, attempt->clock, attempt->deadline_ns,
			      &answer, e) != POSTGRES_DONE)
		now->standing = is_refusal(e) ? STANDING_DOWN : now->standing;
	else if (postgres_answer_value(&answer, 0, &role) &&
		 postgres_answer_value(&answer, 1, &server))
		now->standing = strcmp(text_str(&role), "replica") == 0 ? STANDING_REPLICA :
									  STANDING_PRIMARY;
	if (now->standing == STANDING_PRIMARY)
		(void)snprintf(now->timeline, sizeof now->timeline, "%.8s", text_str(&role));
	(void)snprintf(now->server, sizeof now->server, "%.31s", text_str(&server));
	text_release(&role);
	text_release(&server);
	postgres_answer_release(&answer);
}

/* Acknowledged is durable where the server says so: not when its wait for a replica was cancelled. */
static bool is_write_acknowledged(struct postgres_primaries *probe, const struct attempt *attempt)
{
	char sequence[24];
	const char *const values[] = { sequence };
	const struct postgres_ask ask = { .sql = insert_sql(probe, attempt->run_id),
					  .values = values,
					  .value_count = 1 };
	struct postgres_answer answer = { 0 };
	struct err ignored = { 0 };
	bool is_done;

	(void)snprintf(sequence, sizeof sequence, "%" PRIu64, attempt->slot);
	is_done = postgres_conn_ask(probe->owned_write, &ask, attempt->clock, attempt->deadline_ns,
				    &answer, &ignored) == POSTGRES_DONE;
	is_done = is_done && !answer.is_local_only;
	postgres_answer_release(&answer);
	return is_done;
}

static void tell(const struct postgres_primaries *probe, const struct finding *now, bool is_last,
		 const struct sighting_sink *sink)
{
	const struct finding *last = &probe->last;
	struct sighting sighting = {
		.host = probe->member,
		/* A change lies after the last question that was answered the old way had left. */
		.from_ns = last->standing == STANDING_NONE || is_last ? now->asked_ns : last->asked_ns,
		.until_ns = now->done_ns,
		.was = last->standing,
		.is = now->standing,
		.is_last = is_last,
	};

	(void)snprintf(sighting.server, sizeof sighting.server, "%s", now->server);
	(void)snprintf(sighting.what, sizeof sighting.what, "%s%s%s%s",
		       is_last ? "still " : "", standing_sentence(now->standing),
		       now->timeline[0] == '\0' ? "" : ", timeline ", now->timeline);
	sink->seen(sink->ctx, &sighting);
}

static bool is_change(const struct finding *last, const struct finding *now)
{
	return now->standing != last->standing || strcmp(now->timeline, last->timeline) != 0 ||
	       strcmp(now->server, last->server) != 0;
}

static bool postgres_primaries_look(void *state, const struct attempt *attempt,
				    const struct sighting_sink *sink, struct err *e)
{
	struct postgres_primaries *probe = state;
	struct finding now = { .asked_ns = clock_now_ns(attempt->clock) };

	ask_role(probe, attempt, &now, e);
	if (now.standing == STANDING_PRIMARY && is_write_acknowledged(probe, attempt))
		now.standing = STANDING_WRITABLE;
	now.done_ns = clock_now_ns(attempt->clock);
	if (is_change(&probe->last, &now))
		tell(probe, &now, false, sink);
	probe->last = now;
	return now.standing > STANDING_DOWN;
}

static void postgres_primaries_leave(void *state, const struct sighting_sink *sink)
{
	const struct postgres_primaries *probe = state;

	if (probe->last.standing != STANDING_NONE)
		tell(probe, &probe->last, true, sink);
}

const struct probe_ops probe_postgres_primaries = {
	.name = "postgres.primaries",
	.summary = "which members are primary, and which acknowledge a write: two at once are a split brain",
	.on = PROBE_ON_SERVICE,
	.service_kinds = "postgres",
	.is_event = true,
	.tells_standing = true,
	.params = postgres_primaries_params,
	.check = postgres_primaries_check,
	.watch = postgres_primaries_watch,
	.look = postgres_primaries_look,
	.leave = postgres_primaries_leave,
	.close = postgres_primaries_close,
	.prepare = postgres_primaries_prepare,
	.clean = postgres_primaries_clean,
};
