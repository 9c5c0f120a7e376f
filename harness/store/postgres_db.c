/*
 * postgres_db.c - the words of sql.h as PostgreSQL speaks them: prepared statements, binary values,
 * rows one by one, so that a long series takes no more memory than one row of it.
 *
 * A text that PostgreSQL would not keep, because it is no UTF-8, is kept as "\x01hex:" and its
 * bytes in hex: the seals are over bytes, and none may be lost.
 */
#include "store/postgres.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { VALUES_MAX = 24, MARK_BYTES = 5 };

static const char mark[] = "\001hex:";

enum query_code { QUERY_NEW = 0, QUERY_ROWS, QUERY_OVER, QUERY_FAILED };

/* Behind query->owned_statement. */
struct asking {
	struct arena arena;
	const char *statement;
	const char *values[VALUES_MAX];
	int lengths[VALUES_MAX];
	int formats[VALUES_MAX]; /* 1: binary */
	PGresult *owned_result;	 /* of one row */
	uint64_t changed_count;
	struct err failure;
};

static struct postgres_store *store_of(const struct query *query)
{
	return (struct postgres_store *)(void *)query->sql; /* its first member */
}

static void fail(struct query *query, const char *why)
{
	struct asking *asking = query->owned_statement;

	query->code = QUERY_FAILED;
	err_set(&asking->failure, ERR_ALTERED, "store %s: a row of it is damaged (%s)",
		store_of(query)->owned_name, why);
}

static void make(struct query *query, const char *statement)
{
	struct asking *asking = mem_alloc(sizeof *asking);

	assert(!store_of(query)->is_asking);
	asking->statement = statement;
	query->owned_statement = asking;
	query->code = QUERY_NEW;
	store_of(query)->is_asking = true;
}

/* ---- values going in ---- */

static void bind(struct query *query, const void *value, size_t length_bytes, bool is_binary)
{
	struct asking *asking = query->owned_statement;

	assert(query->bound_count < VALUES_MAX);
	assert(length_bytes <= INT32_MAX);
	asking->values[query->bound_count] = value;
	asking->lengths[query->bound_count] = (int)length_bytes;
	asking->formats[query->bound_count] = is_binary;
	query->bound_count++;
}

static const char *in_hex(struct arena *arena, const char *text)
{
	const size_t length = strlen(text);
	char *hex = arena_alloc(arena, MARK_BYTES + length * 2 + 1);

	memcpy(hex, mark, MARK_BYTES);
	for (size_t i = 0; i < length; i++)
		(void)snprintf(hex + MARK_BYTES + i * 2, 3, "%02x", (unsigned char)text[i]);
	return hex;
}

static void bind_text(struct query *query, const char *text)
{
	struct asking *asking = query->owned_statement;

	if (text != NULL && (*text == mark[0] || !json_is_utf8(text)))
		text = in_hex(&asking->arena, text);
	bind(query, text, text == NULL ? 0 : strlen(text), false);
}

static void bind_int(struct query *query, int64_t number)
{
	struct asking *asking = query->owned_statement;
	uint64_t *bytes = arena_alloc(&asking->arena, sizeof *bytes);

	*bytes = htobe64((uint64_t)number);
	bind(query, bytes, sizeof *bytes, true);
}

static void bind_blob(struct query *query, struct blob blob)
{
	bind(query, blob.length_bytes == 0 ? "" : blob.bytes, blob.length_bytes, true);
}

/* ---- asking ---- */

/* PostgreSQL's parameters are $1, $2: ours are ?1, or ? and counted. */
static void write_statement(const char *statement, struct text *text)
{
	unsigned count = 0;

	for (const char *at = statement; *at != '\0'; at++) {
		if (*at != '?')
			text_add_bytes(text, at, 1);
		else if (at[1] >= '1' && at[1] <= '9')
			text_add(text, "$");
		else
			text_addf(text, "$%u", ++count);
	}
}

/* Takes what is left of an answer. True when it was one, and no error. */
static bool take_answer(struct postgres_store *store, uint64_t *changed_count, struct err *e)
{
	PGresult *result = NULL;
	bool ok = true;

	for (;;) {
		if (!postgres_session_take(store, &result, ok ? e : NULL))
			return false;
		if (result == NULL)
			return ok;

		const ExecStatusType status = PQresultStatus(result);

		if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
			const char *changed = PQcmdTuples(result);

			*changed_count = strtoull(changed, NULL, 10);
		} else if (status != PGRES_SINGLE_TUPLE && ok) {
			ok = postgres_session_fail(store, result, e);
		}
		PQclear(result);
		if (store->owned_conn == NULL)
			return false;
	}
}

/* The name under which the statement stands on this connection. */
static bool prepare(struct postgres_store *store, const struct asking *asking, int value_count,
		    char ret_name[16], struct err *e)
{
	struct text text = { 0 };
	uint64_t changed_count = 0;
	size_t at = 0;
	bool ok;

	while (at < store->statement_count && store->statements[at] != asking->statement)
		at++;
	(void)snprintf(ret_name, 16, "s%zu", at);
	if (at < store->statement_count)
		return true;

	assert(at < POSTGRES_STATEMENTS_MAX);
	write_statement(asking->statement, &text);
	ok = PQsendPrepare(store->owned_conn, ret_name, text_str(&text), value_count, NULL) == 1
		     ? take_answer(store, &changed_count, e)
		     : postgres_session_fail_lost(store, e);
	text_release(&text);
	if (ok)
		store->statements[store->statement_count++] = asking->statement;
	return ok;
}

static bool send(struct query *query, struct err *e)
{
	struct postgres_store *store = store_of(query);
	const struct asking *asking = query->owned_statement;
	char name[16];

	store->may_retry = false;
	if (!postgres_session_need(store, e) ||
	    !prepare(store, asking, query->bound_count, name, e))
		return false;
	if (PQsendQueryPrepared(store->owned_conn, name, query->bound_count, asking->values,
				asking->lengths, asking->formats, 1) == 0)
		return postgres_session_fail_lost(store, e);
	(void)PQsetSingleRowMode(store->owned_conn); /* else the rows come at once, as well */
	return true;
}

/* What is no row: the end of the answer, or an error. */
static bool take_last(struct postgres_store *store, struct asking *asking)
{
	const ExecStatusType status = PQresultStatus(asking->owned_result);
	uint64_t ignored_count = 0;
	bool ok = true;

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		asking->changed_count = strtoull(PQcmdTuples(asking->owned_result), NULL, 10);
	else
		ok = postgres_session_fail(store, asking->owned_result, &asking->failure);
	/* Until the server is ready again nothing is certain: "INSERT 0 1" comes first. */
	if (store->owned_conn != NULL)
		ok = take_answer(store, &ignored_count, ok ? &asking->failure : NULL) && ok;
	return ok;
}

static bool step(struct query *query)
{
	struct postgres_store *store = store_of(query);
	struct asking *asking = query->owned_statement;
	bool ok = query->code != QUERY_NEW || send(query, &asking->failure);

	ok = ok && postgres_session_take(store, &asking->owned_result, &asking->failure);
	query->code = QUERY_ROWS;
	if (ok && PQresultStatus(asking->owned_result) == PGRES_SINGLE_TUPLE)
		return true;
	ok = ok && (asking->owned_result == NULL || take_last(store, asking));
	PQclear(asking->owned_result);
	asking->owned_result = NULL;
	query->code = ok ? QUERY_OVER : QUERY_FAILED;
	return false;
}

static bool row(struct query *query)
{
	const struct postgres_store *store = store_of(query);
	struct asking *asking = query->owned_statement;
	const bool is_new = query->code == QUERY_NEW;

	if (query->code == QUERY_OVER || query->code == QUERY_FAILED)
		return false;
	PQclear(asking->owned_result);
	asking->owned_result = NULL;
	if (step(query))
		return true;
	/* A session that ended while nobody asked shows it only now, and nothing is lost with it.
	 */
	if (query->code != QUERY_FAILED || !is_new || store->owned_conn != NULL ||
	    store->is_in_step || !store->may_retry)
		return false;
	err_clear(&asking->failure);
	query->code = QUERY_NEW;
	return step(query);
}

static uint64_t changed(const struct query *query)
{
	const struct asking *asking = query->owned_statement;

	return asking->changed_count;
}

static bool end(struct query *query, struct err *e)
{
	struct postgres_store *store = store_of(query);
	struct asking *asking = query->owned_statement;
	bool ok = query->code != QUERY_FAILED;
	uint64_t ignored_count = 0;

	PQclear(asking->owned_result);
	asking->owned_result = NULL;
	if (ok && query->code == QUERY_ROWS) /* nobody wants the other rows */
		ok = take_answer(store, &ignored_count, &asking->failure);
	if (!ok && e != NULL)
		*e = asking->failure;
	store->is_asking = false;
	arena_release(&asking->arena);
	free(asking);
	query->owned_statement = NULL;
	return ok;
}

/* ---- values coming out ---- */

static const char *from_hex(struct arena *arena, const char *hex)
{
	const size_t length = strlen(hex) / 2;
	char *text = arena_alloc(arena, length + 1);

	for (size_t i = 0; i < length; i++) {
		const char digits[] = { hex[i * 2], hex[i * 2 + 1], '\0' };

		text[i] = (char)strtoul(digits, NULL, 16); /* the seal decides */
	}
	return text;
}

static const char *text(struct query *query, int column, struct arena *arena)
{
	const struct asking *asking = query->owned_statement;
	const char *kept = PQgetvalue(asking->owned_result, 0, column);

	if (PQgetisnull(asking->owned_result, 0, column))
		return NULL;
	if (strlen(kept) != (size_t)PQgetlength(asking->owned_result, 0, column)) {
		fail(query, "a text with a NUL in it");
		return NULL;
	}
	if (strncmp(kept, mark, MARK_BYTES) == 0)
		return from_hex(arena, kept + MARK_BYTES);
	return arena_copy(arena, kept);
}

static int64_t integer(struct query *query, int column)
{
	const struct asking *asking = query->owned_statement;
	uint64_t bytes;

	if (PQgetisnull(asking->owned_result, 0, column))
		return 0;
	if (PQgetlength(asking->owned_result, 0, column) != sizeof bytes) {
		fail(query, "a number that is no bigint");
		return 0;
	}
	memcpy(&bytes, PQgetvalue(asking->owned_result, 0, column), sizeof bytes);
	return (int64_t)be64toh(bytes);
}

static struct blob lent(struct query *query, int column)
{
	const struct asking *asking = query->owned_statement;
	const int length = PQgetlength(asking->owned_result, 0, column);

	return (struct blob){ .bytes = PQgetvalue(asking->owned_result, 0, column),
			      .length_bytes = length > 0 ? (size_t)length : 0 };
}

/* ---- what SQLite gives for free ---- */

/*
 * A lock on a name, to the end of the write. It is taken in a statement of its own: what is read
 * after it has come back is what the holder before us has left. Not the row's own lock, since the
 * row of an id may not be there yet, and not `serializable`: there runs that begin in the same
 * second share pages of an index and would fail one another's appends.
 */
static bool hold(struct sql *sql, const char *what, const char *name, struct err *e)
{
	struct postgres_store *store = (struct postgres_store *)(void *)sql;
	char key[POSTGRES_HELD_BYTES];

	if (!store->is_write)
		return true;
	(void)snprintf(key, sizeof key, "%s %s", what, name);
	for (size_t i = 0; i < store->held_count; i++)
		if (strcmp(store->held[i], key) == 0)
			return true;

	struct query query = query_make(
		sql, "select pg_advisory_xact_lock(hashtextextended("
		     "concat('firedrill ', current_schema(), ' ', cast(?1 as text)), 0))");

	query_bind_text(&query, key);
	if (!query_done(&query, e))
		return false;
	if (store->held_count < POSTGRES_HELD_MAX)
		memcpy(store->held[store->held_count++], key, sizeof key);
	return true;
}

/* Not the step's own time, which may lie before a wait for a row. Microseconds are exact. */
static bool now(struct sql *sql, int64_t *ret_now_ns, struct err *e)
{
	struct query query = query_make(
		sql, "select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint) * 1000");

	if (query_row(&query))
		*ret_now_ns = integer(&query, 0);
	return query_end(&query, e);
}

static bool tell_news(struct sql *sql, struct err *e)
{
	struct query query = query_make(sql, "select pg_notify(" POSTGRES_NEWS ", '')");

	return query_done(&query, e);
}

/* PostgreSQL finds a damaged page when it reads one (data_checksums), and an error follows. */
static bool check_heals(struct sql *sql, struct err *e)
{
	(void)sql;
	(void)e;
	return true;
}

const struct sql_engine sql_engine_postgres = {
	.make = make,
	.bind_text = bind_text,
	.bind_int = bind_int,
	.bind_blob = bind_blob,
	.row = row,
	.changed = changed,
	.end = end,
	.text = text,
	.integer = integer,
	.lent = lent,
	/* Ten thousand in a row, because each row is a message of its own. */
	.all_facts = "select packed from generate_series((select min(seq) from facts),"
		     " (select max(seq) from facts), 10000) as first cross join lateral"
		     " (select string_agg(facts, ''::bytea) as packed from facts"
		     " where seq >= first and seq < first + 10000 having count(*) > 0) as block",
	.hold = hold,
	.now = now,
	.tell_news = tell_news,
	.has_row_locks = true,
	.check_heals = check_heals,
};
