/*
 * postgres.c - the shared store: a schema in a PostgreSQL database, used by several machines at
 * once.
 *
 * A commit that came back true is on the server's disk (and, when it is set up so, on its
 * standbys'). Several processes write at the same time; what one of them reads before it decides
 * stands under a name that it holds (sql.h). What this does not do: wait for a server that is away.
 * See docs/store.md.
 */
#include "store/postgres.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_url.h"

static const int64_t outcome_at_most_ns = 2 * NS_PER_S;

static void postgres_close(void *backend)
{
	struct postgres_store *store = backend;

	if (store == NULL)
		return;
	postgres_session_drop(store);
	secrets_release(&store->secrets);
	free(store->owned_url);
	free(store->owned_name);
	free(store);
}

static void postgres_set_deadline(void *backend, int64_t deadline_ns)
{
	struct postgres_store *store = backend;

	store->deadline_ns = deadline_ns;
}

static bool postgres_open(const char *url, int64_t deadline_ns, void **ret_backend, struct err *e)
{
	struct text name = { 0 };
	bool ok;

	if (!store_url_name(url, &name, e))
		return false;

	struct postgres_store *store = mem_alloc(sizeof *store);

	store->sql.engine = &sql_engine_postgres;
	store->answer_ns = POSTGRES_ANSWER_NS;
	store->deadline_ns = deadline_ns;
	store->owned_url = mem_copy(url);
	store->owned_name = mem_copy(text_str(&name));
	text_release(&name);
	store_url_secrets(url, &store->secrets);
	ok = postgres_session_need(store, e) && postgres_migrate(store, e);
	if (ok)
		*ret_backend = store;
	else
		postgres_close(store);
	return ok;
}

static bool ask_to_begin(struct postgres_store *store, bool is_write, struct text *step_id,
			 struct err *e)
{
	static const char write_sql[] = "begin isolation level read committed read write;"
					" " POSTGRES_WRITE_LIMIT "; select txid_current()";
	static const char read_sql[] = "begin isolation level repeatable read read only";

	return postgres_session_need(store, e) &&
	       postgres_session_ask(store, is_write ? write_sql : read_sql, step_id, e);
}

/*
 * Read committed: each statement sees what was committed before it, so after a name is held, what
 * is read under it is the last word. A view of many tables is one snapshot instead.
 */
static bool postgres_begin(void *backend, bool is_write, struct err *e)
{
	struct postgres_store *store = backend;
	struct text step_id = { 0 };
	bool ok = ask_to_begin(store, is_write, &step_id, e);

	/* A session that ended while nobody asked shows it only now, and nothing is lost with it.
	 */
	if (!ok && store->owned_conn == NULL && store->may_retry) {
		err_clear(e);
		ok = ask_to_begin(store, is_write, &step_id, e);
	}
	if (ok) {
		store->is_in_step = true;
		store->is_write = is_write;
		store->held_count = 0;
		(void)snprintf(store->step_id, sizeof store->step_id, "%s", text_str(&step_id));
	}
	text_release(&step_id);
	return ok;
}

static void end_step(struct postgres_store *store)
{
	store->is_in_step = false;
	store->is_write = false;
	store->held_count = 0;
}

/* Was the step kept? Asked again while the server still works on it. "" when nobody can tell. */
static void ask_outcome(struct postgres_store *store, struct text *outcome)
{
	const struct clock clock = clock_system();
	const int64_t deadline_ns = clock_now_ns(&clock) + outcome_at_most_ns;
	char timeline[sizeof store->timeline];
	char statement[96];

	memcpy(timeline, store->timeline, sizeof timeline);
	(void)snprintf(statement, sizeof statement, "select txid_status(%s)", store->step_id);
	do {
		text_clear(outcome);
		/* Another history (a failover) counts its steps anew. */
		if (postgres_session_need(store, NULL) && strcmp(store->timeline, timeline) == 0 &&
		    postgres_session_ask(store, statement, outcome, NULL) &&
		    strcmp(text_str(outcome), "in progress") != 0)
			return;
		clock_sleep_until_ns(&clock, clock_now_ns(&clock) + 200 * NS_PER_MS);
	} while (clock_now_ns(&clock) < deadline_ns);
	text_clear(outcome);
}

static bool postgres_commit(void *backend, struct err *e)
{
	struct postgres_store *store = backend;
	struct text said = { 0 };
	struct err failure = { 0 };
	bool is_kept;

	if (!postgres_session_need(store, e))
		return false;
	if (postgres_session_ask(store, "commit", NULL, &failure)) {
		end_step(store);
		return true;
	}
	if (e != NULL)
		*e = failure;
	if (store->owned_conn != NULL) /* the server has said no */
		return false;

	/* The connection broke between the order and its answer. */
	end_step(store);
	ask_outcome(store, &said);
	is_kept = strcmp(text_str(&said), "committed") == 0;
	store->may_retry = strcmp(text_str(&said), "aborted") == 0;
	if (is_kept) {
		err_clear(e);
	} else if (!store->may_retry) {
		/* It answers questions, but not this one: as when a commit waits for a standby in vain. */
		err_wrap(&failure, "it is not known whether the last step was kept");
		store->away = failure;
		if (e != NULL)
			*e = failure;
	}
	text_release(&said);
	return is_kept;
}

static void postgres_rollback(void *backend)
{
	struct postgres_store *store = backend;
	const bool may_retry = store->may_retry; /* of what made this necessary */

	/* When it cannot be said the connection is dropped, and with it the step. */
	if (store->is_in_step && store->owned_conn != NULL)
		(void)postgres_session_ask(store, "rollback", NULL, NULL);
	end_step(store);
	store->may_retry = may_retry;
}

/* Not room, but as good: what failed because another process was at the same goes through now. */
static bool postgres_make_room(void *backend)
{
	struct postgres_store *store = backend;

	return store->may_retry;
}

static bool postgres_is_away(const void *backend, struct err *ret_why)
{
	const struct postgres_store *store = backend;

	*ret_why = store->away;
	return store->away.kind != ERR_NONE;
}

static bool listen_for_news(struct postgres_store *store, struct err *e)
{
	struct text name = { 0 };
	struct text order = { 0 };
	bool ok = postgres_session_ask(store, "select " POSTGRES_NEWS, &name, e);

	text_addf(&order, "listen %s", text_str(&name));
	ok = ok && postgres_session_ask(store, text_str(&order), NULL, e);
	text_release(&name);
	text_release(&order);
	store->is_listening = ok;
	return ok;
}

/* What was told while we asked for something else waits in libpq, where no poll would see it. */
static bool postgres_due_news(void *backend, bool *ret_has_news, int *ret_fd, struct err *e)
{
	struct postgres_store *store = backend;
	bool has_news = false;

	if (!postgres_session_need(store, e))
		return false;
	if (!store->is_listening) {
		if (!listen_for_news(store, e))
			return false;
		has_news = true; /* nobody listened until now */
	}
	for (PGnotify *notify; (notify = PQnotifies(store->owned_conn)) != NULL; PQfreemem(notify))
		has_news = true;
	*ret_has_news = has_news;
	*ret_fd = PQsocket(store->owned_conn);
	return true;
}

static int64_t postgres_schema_found(const void *backend)
{
	const struct postgres_store *store = backend;

	return store->schema_found;
}

/* What reading every row does not show: an index that is not whole, or a rule that was never
 * checked. */
static bool postgres_check(void *backend, struct err *e)
{
	static const char statement[] =
		"select coalesce(string_agg(name, ', '), '') from"
		" (select indexrelid::regclass::text from pg_index join pg_class on"
		" pg_class.oid = indexrelid where not (indisvalid and indisready)"
		" and relnamespace = quote_ident(current_schema())::regnamespace"
		" union all select conname::text from pg_constraint where not convalidated"
		" and connamespace = quote_ident(current_schema())::regnamespace) as found (name)";
	struct postgres_store *store = backend;
	struct text found = { 0 };
	bool ok = postgres_session_need(store, e) &&
		  postgres_session_ask(store, statement, &found, e);

	if (ok && found.length_bytes > 0)
		ok = err_set(e, ERR_ALTERED,
			     "check the store %s: indexes or rules of its tables are not whole "
			     "(%.200s); bring back a copy",
			     store->owned_name, text_str(&found));
	text_release(&found);
	return ok;
}

const struct store_ops store_postgres = {
	.open = postgres_open,
	.set_deadline = postgres_set_deadline,
	.close = postgres_close,
	.begin = postgres_begin,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.make_room = postgres_make_room,
	SQL_STORE_OPS,
	.stop_read = sql_stop_read,
	.due_news = postgres_due_news,
	.is_shared = true,
	.is_away = postgres_is_away,
	.schema_now = SQL_SCHEMA_VERSION,
	.schema_found = postgres_schema_found,
	.check = postgres_check,
};
