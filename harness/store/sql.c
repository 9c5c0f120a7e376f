/*
 * sql.c - the words of sql.h, handed to the engine that keeps the rows.
 */
#include "store/sql.h"

#include <assert.h>

struct query query_make(void *backend, const char *statement)
{
	struct query query = { .sql = backend };

	query.sql->engine->make(&query, statement);
	return query;
}

void query_bind_text(struct query *query, const char *text)
{
	query->sql->engine->bind_text(query, text);
}

void query_bind_int(struct query *query, int64_t number)
{
	query->sql->engine->bind_int(query, number);
}

void query_bind_blob(struct query *query, struct blob blob)
{
	assert(blob.bytes != NULL || blob.length_bytes == 0);
	query->sql->engine->bind_blob(query, blob);
}

bool query_row(struct query *query)
{
	return query->sql->engine->row(query);
}

uint64_t query_changed(const struct query *query)
{
	return query->sql->engine->changed(query);
}

bool query_end(struct query *query, struct err *e)
{
	return query->sql->engine->end(query, e);
}

bool query_done(struct query *query, struct err *e)
{
	while (query_row(query))
		;
	return query_end(query, e);
}

bool query_done_counting(struct query *query, size_t *ret_count, struct err *e)
{
	while (query_row(query))
		;

	const uint64_t count = query_changed(query);

	if (!query_end(query, e))
		return false;
	*ret_count = (size_t)count;
	return true;
}

const char *query_text(struct query *query, int column, struct arena *arena)
{
	return query->sql->engine->text(query, column, arena);
}

const char *query_text_or_empty(struct query *query, int column, struct arena *arena)
{
	const char *text = query_text(query, column, arena);

	return text == NULL ? "" : text;
}

int64_t query_int(struct query *query, int column)
{
	return query->sql->engine->integer(query, column);
}

struct blob query_lent(struct query *query, int column)
{
	return query->sql->engine->lent(query, column);
}

struct blob query_blob(struct query *query, int column, struct arena *arena)
{
	struct blob blob = query_lent(query, column);

	if (blob.length_bytes > 0)
		blob.bytes = arena_copy_bytes(arena, blob.bytes, blob.length_bytes);
	return blob;
}

bool sql_hold_id(struct sql *sql, const char *id, struct err *e)
{
	return sql->engine->hold(sql, "id", id, e);
}

bool sql_hold_target(struct sql *sql, const char *target, struct err *e)
{
	return sql->engine->hold(sql, "target", target, e);
}

bool sql_now(struct sql *sql, int64_t *ret_now_ns, struct err *e)
{
	return sql->engine->now(sql, ret_now_ns, e);
}

bool sql_tell_news(struct sql *sql, struct err *e)
{
	return sql->engine->tell_news(sql, e);
}

bool sql_has_row_locks(const struct sql *sql)
{
	return sql->engine->has_row_locks;
}
