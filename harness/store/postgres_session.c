/*
 * postgres_session.c - the connection of a PostgreSQL store: made, asked and dropped, every step
 * within a deadline of ours.
 *
 * libpq looks names up by itself, and only the resolver's own limits bound that (resolv.conf:
 * timeout).
 */
#include "store/postgres.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define SQLSTATE_IS(state, wanted) (strncmp((state), (wanted), strlen(wanted)) == 0)

enum { SERVER_VERSION_MIN = 120000 };

static const int64_t back_at_most_ns = NS_PER_S;

/* What a session must be like before a row is written in it. */
static const char session_sql[] = POSTGRES_SESSION_LIMITS
	"; set client_min_messages = warning; set default_transaction_read_only = off;"
	/* Stronger ones (remote_apply) stay. */
	" select set_config('synchronous_commit', 'on', false)"
	" where current_setting('synchronous_commit') = 'off';"
	" select concat_ws(' ', current_setting('fsync'), current_setting('server_encoding'),"
	" substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))";

void postgres_session_drop(struct postgres_store *store)
{
	PQfinish(store->owned_conn); /* the socket does not block, so neither does goodbye */
	store->owned_conn = NULL;
	store->statement_count = 0;
	store->is_listening = false;
}

/* ---- sentences ---- */

/* One line, without the password, whatever a server has put into it. */
static void add_words(const struct postgres_store *store, const char *words, struct text *text)
{
	struct text line = { 0 };

	for (const char *at = words == NULL ? "" : words; *at != '\0';) {
		const size_t length = strcspn(at, "\n");

		if (line.length_bytes > 0 && length > 0)
			text_add(&line, "; ");
		while (length > 0 && (*at == ' ' || *at == '\t'))
			at++;
		text_add_bytes(&line, at, strcspn(at, "\n"));
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	secrets_redact(&store->secrets, &line);
	text_add(text, text_str(&line));
	text_release(&line);
}

static bool tell(const struct err *failure, struct err *e)
{
	if (e != NULL)
		*e = *failure;
	return false;
}

static const struct advice {
	const char *sqlstate; /* or its beginning */
	enum err_kind kind;
	bool may_retry;
	bool is_over; /* the session */
	const char *what_to_do;
} advices[] = {
	{ "40001", ERR_STORE, true, false, "another process was at the same; try again" },
	{ "40P01", ERR_STORE, true, false, "another process was at the same; try again" },
	{ "23505", ERR_STORE, true, false, "another process was at the same; try again" },
	{ "55P03", ERR_STORE, false, false,
	  "another process has kept it locked for 4 s; pg_stat_activity shows who (application "
	  "firedrill)" },
	{ "53100", ERR_STORE, false, false, "the disk of the server is full; free some there" },
	{ "53", ERR_STORE, false, false, "the server is short of something; look at its log" },
	{ "57014", ERR_STORE, false, false,
	  "the server has taken too long; look at its load and locks" },
	{ "57P", ERR_STORE, true, true, "the server is going down or coming up" },
	{ "25006", ERR_STORE, true, true,
	  "the server is a standby now; name all hosts in the URL" },
	{ "25P03", ERR_STORE, true, true, "this process was away for too long" },
	{ "42501", ERR_STORE, false, false, "give this user the schema: docs/store.md says how" },
	{ "XX00", ERR_ALTERED, false, false, "the server has found damage; bring back a copy" },
	{ "", ERR_STORE, false, false, "look at the server's log" },
};

bool postgres_session_fail(struct postgres_store *store, const struct pg_result *result,
			   struct err *e)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const struct advice *advice = advices;
	struct text words = { 0 };
	struct err failure = { 0 };

	if (state == NULL) /* libpq made the result itself: the connection broke */
		return postgres_session_fail_lost(store, e);
	while (!SQLSTATE_IS(state, advice->sqlstate))
		advice++;
	add_words(store, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY), &words);
	store->may_retry = advice->may_retry;
	err_set(&failure, advice->kind, "store %s: %.300s (SQLSTATE %s); %s", store->owned_name,
		text_str(&words), state, advice->what_to_do);
	text_release(&words);
	if (advice->is_over) {
		store->away = failure;
		postgres_session_drop(store);
	}
	return tell(&failure, e);
}

bool postgres_session_fail_lost(struct postgres_store *store, struct err *e)
{
	struct text words = { 0 };

	add_words(store, PQerrorMessage(store->owned_conn), &words);
	store->may_retry = true;
	err_set(&store->away, ERR_STORE,
		"store %s: the connection is lost (%.300s); see whether the server runs",
		store->owned_name, text_str(&words));
	text_release(&words);
	postgres_session_drop(store);
	return tell(&store->away, e);
}

static bool fail_silent(struct postgres_store *store, int64_t waited_ns, struct err *e)
{
	char waited[UNITS_TEXT_BYTES];

	postgres_session_drop(store);
	store->may_retry = false; /* it hangs, and would again */
	err_set(&store->away, ERR_STORE,
		"store %s: no answer within %s; see whether the server and the way to it are alive",
		store->owned_name, units_format_duration(waited_ns, waited));
	return tell(&store->away, e);
}

/* ---- waiting ---- */

/* False at the deadline. A signal of ours only wakes poll. */
static bool wait_for(int fd, short events, int64_t deadline_ns)
{
	const struct clock clock = clock_system();
	struct pollfd look = { .fd = fd, .events = events };

	for (;;) {
		const int64_t left_ns = deadline_ns - clock_now_ns(&clock);
		const int64_t left_ms = left_ns <= 0 ? 0 : (left_ns + NS_PER_MS - 1) / NS_PER_MS;
		const int count = poll(&look, 1, (int)left_ms);

		if (count > 0 || (count == -1 && errno != EINTR))
			return true; /* libpq finds out what is wrong */
		if (left_ms == 0)
			return false;
	}
}

/* How long an answer may take from now on: so long, and not longer than anything may. */
static int64_t patience_of(const struct postgres_store *store, int64_t span_ns)
{
	const struct clock clock = clock_system();
	const int64_t left_ns = store->deadline_ns - clock_now_ns(&clock);

	return left_ns < 0 ? 0 : left_ns < span_ns ? left_ns : span_ns;
}

static int64_t deadline_after(int64_t span_ns)
{
	const struct clock clock = clock_system();

	return clock_now_ns(&clock) + span_ns;
}

bool postgres_session_take(struct postgres_store *store, struct pg_result **ret_result,
			   struct err *e)
{
	PGconn *conn = store->owned_conn;
	const int64_t patience_ns = patience_of(store, store->answer_ns);
	const int64_t deadline_ns = deadline_after(patience_ns);
	int unsent = PQflush(conn);

	while (unsent > 0 || PQisBusy(conn) == 1) {
		const short events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0));

		if (!wait_for(PQsocket(conn), events, deadline_ns))
			return fail_silent(store, patience_ns, e);
		if (PQconsumeInput(conn) == 0)
			return postgres_session_fail_lost(store, e);
		if (unsent > 0)
			unsent = PQflush(conn);
	}
	if (unsent < 0)
		return postgres_session_fail_lost(store, e);
	*ret_result = PQgetResult(conn);
	return true;
}

bool postgres_session_ask(struct postgres_store *store, const char *statements, struct text *value,
			  struct err *e)
{
	PGresult *result = NULL;
	bool ok = true;

	store->may_retry = false;
	if (PQsendQuery(store->owned_conn, statements) == 0)
		return postgres_session_fail_lost(store, e);
	for (;;) {
		if (!postgres_session_take(store, &result, ok ? e : NULL))
			return false;
		if (result == NULL)
			return ok;

		const ExecStatusType status = PQresultStatus(result);

		if (ok && value != NULL && status == PGRES_TUPLES_OK && PQntuples(result) > 0) {
			text_clear(value);
			text_add(value, PQgetvalue(result, PQntuples(result) - 1, 0));
		}
		if (ok && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
			ok = postgres_session_fail(store, result, e);
		PQclear(result);
		if (store->owned_conn == NULL)
			return false;
	}
}

/* ---- connecting ---- */

static void ignore_notice(void *ctx, const PGresult *notice)
{
	(void)ctx;
	(void)notice; /* stderr is the command's */
}

/* To one place. The connection is there and unfinished when this is false: it says why. */
static bool connect_place(struct postgres_store *store, struct postgres_target *target,
			  size_t place, struct err *e)
{
	const int64_t patience_ns = patience_of(store, target->connect_ns);
	const int64_t deadline_ns = deadline_after(patience_ns);
	PostgresPollingStatusType wants = PGRES_POLLING_WRITING;

	target->values[target->host_at] = target->hosts[place];
	target->values[target->hostaddr_at] = target->hostaddrs[place];
	target->values[target->port_at] = target->ports[place];
	store->owned_conn = PQconnectStartParams(target->keywords, target->values, 0);
	if (store->owned_conn == NULL)
		return err_set(e, ERR_LIMIT, "connect to the store: out of memory");
	(void)PQsetNoticeReceiver(store->owned_conn, ignore_notice, NULL);
	while (PQstatus(store->owned_conn) != CONNECTION_BAD && wants != PGRES_POLLING_OK &&
	       wants != PGRES_POLLING_FAILED) {
		if (!wait_for(PQsocket(store->owned_conn),
			      wants == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ns))
			return fail_silent(store, patience_ns, e);
		wants = PQconnectPoll(store->owned_conn);
	}
	if (wants == PGRES_POLLING_OK && PQsetnonblocking(store->owned_conn, 1) == 0)
		return true;

	struct text words = { 0 };

	add_words(store, PQerrorMessage(store->owned_conn), &words);
	err_set(&store->away, ERR_STORE,
		"store %s: it cannot be reached (%.400s); see whether the server runs, and check "
		"the URL, the password (PGPASSFILE, PGPASSWORD) and pg_hba.conf",
		store->owned_name, text_str(&words));
	text_release(&words);
	postgres_session_drop(store);
	return tell(&store->away, e);
}

static bool check_session(struct postgres_store *store, const char *said, struct err *e)
{
	char is_safe[8] = "";
	char encoding[24] = "";
	char timeline[sizeof store->timeline] = "";

	if (PQserverVersion(store->owned_conn) < SERVER_VERSION_MIN)
		return err_set(e, ERR_STORE, "store %s: its server is older than PostgreSQL 12",
			       store->owned_name);
	if (sscanf(said, "%7s %23s %15s", is_safe, encoding, timeline) != 3)
		return err_set(e, ERR_STORE, "store %s: its server does not say how it is set up",
			       store->owned_name);
	if (strcmp(is_safe, "on") != 0)
		return err_set(e, ERR_REFUSED,
			       "store %s: its server runs with fsync=off, so what it confirms can "
			       "be lost; switch that on",
			       store->owned_name);
	if (strcmp(encoding, "UTF8") != 0)
		return err_set(e, ERR_REFUSED,
			       "store %s: its database is encoded in %s; make one in UTF8",
			       store->owned_name, encoding);
	(void)snprintf(store->timeline, sizeof store->timeline, "%s", timeline);
	return true;
}

/* Who does not wait for an answer leaves nothing behind that goes on working for it. */
static bool limit_statements(struct postgres_store *store, struct err *e)
{
	char statement[64];

	if (store->deadline_ns == INT64_MAX)
		return true;
	(void)snprintf(statement, sizeof statement, "set statement_timeout = %lld",
		       (long long)(patience_of(store, store->answer_ns) / NS_PER_MS + 1));
	return postgres_session_ask(store, statement, NULL, e);
}

static bool begin_session(struct postgres_store *store, struct err *e)
{
	const char *password = PQpass(store->owned_conn); /* also one from PGPASSFILE */
	struct text said = { 0 };
	bool ok;

	if (password != NULL && *password != '\0')
		secrets_register(&store->secrets, password);
	ok = postgres_session_ask(store, session_sql, &said, e) &&
	     check_session(store, text_str(&said), e) && limit_statements(store, e) &&
	     (!store->has_own_schema ||
	      postgres_session_ask(store, "set search_path = firedrill", NULL, e));
	text_release(&said);
	if (!ok)
		postgres_session_drop(store);
	return ok;
}

static bool connect_anywhere(struct postgres_store *store, struct err *e)
{
	struct postgres_target target;
	bool ok = false;

	if (!postgres_url_parse(store->owned_url, &target, e))
		return false;
	store->has_own_schema = !target.has_search_path;
	/* One that was away a moment ago is only asked whether it is back: a run waits for the answer. */
	if (store->away.kind != ERR_NONE && target.connect_ns > back_at_most_ns)
		target.connect_ns = back_at_most_ns;
	for (size_t i = 0; i < target.place_count && !ok; i++) {
		err_clear(e);
		ok = connect_place(store, &target, i, e) && begin_session(store, e);
	}
	postgres_target_release(&target);
	return ok;
}

/* A server that went away while nobody asked has said so, or its kernel has. */
static bool is_alive(struct postgres_store *store)
{
	if (store->owned_conn == NULL)
		return false;
	if (wait_for(PQsocket(store->owned_conn), POLLIN, 0) &&
	    PQconsumeInput(store->owned_conn) == 0)
		return false;
	return PQstatus(store->owned_conn) == CONNECTION_OK;
}

bool postgres_session_need(struct postgres_store *store, struct err *e)
{
	if (store->is_in_step) /* what was read in it is gone with its connection */
		return store->owned_conn != NULL ||
		       err_set(e, ERR_STORE, "store %s: the connection is lost", store->owned_name);
	if (!is_alive(store)) {
		postgres_session_drop(store);
		store->may_retry = false;
		if (!connect_anywhere(store, e))
			return false;
	}
	err_clear(&store->away);
	return true;
}
