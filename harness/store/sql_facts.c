/*
 * sql_facts.c - the rows of facts and of what they are about. See store_ops.h for what each does.
 */
#include "store/sql.h"

static bool put_subject(void *backend, const struct stored_subject *subject, struct err *e)
{
	struct query query = query_make(backend, "insert into fact_subjects (hash, subject)"
						 " values (?, ?) on conflict (hash) do update"
						 " set subject = excluded.subject");

	query_bind_text(&query, subject->hash);
	query_bind_text(&query, subject->text);
	return query_done(&query, e);
}

static bool count_change(void *backend, struct err *e)
{
	struct query query =
		query_make(backend, "update facts_changes set number = number + 1");

	return query_done(&query, e);
}

bool sql_facts_version(void *backend, int64_t *ret_version, struct err *e)
{
	struct query query = query_make(backend, "select number from facts_changes");
	bool is_there = false;

	if (query_row(&query)) {
		*ret_version = query_int(&query, 0);
		is_there = true;
	}
	if (!query_end(&query, e))
		return false;
	return is_there || err_set(e, ERR_ALTERED,
				   "read the facts of runs: the store does not count their changes "
				   "any more; bring back a copy");
}

bool sql_facts_put(void *backend, const struct stored_facts *facts, struct err *e)
{
	if (!put_subject(backend, &facts->subject, e) || !count_change(backend, e))
		return false;

	struct query query = query_make(
		backend, "insert into facts (run_id, facts) values (?, ?)"
			 " on conflict (run_id) do update set facts = excluded.facts");

	query_bind_text(&query, facts->run_id);
	query_bind_blob(&query, facts->facts);
	return query_done(&query, e);
}

bool sql_facts_read(void *backend, const char *run_id, const struct facts_sink *sink, struct err *e)
{
	struct sql *sql = backend;
	bool is_taken = true;

	if (run_id != NULL && !sql_hold_id(sql, run_id, e))
		return false;

	struct query query = query_make(backend, run_id == NULL ?
							 sql->engine->all_facts :
							 "select facts from facts where run_id = ?");

	if (run_id != NULL)
		query_bind_text(&query, run_id);
	while (is_taken && query_row(&query))
		is_taken = sink->take(sink->ctx, query_lent(&query, 0), e);
	return query_end(&query, is_taken ? e : NULL) && is_taken;
}

bool sql_subjects_read(void *backend, struct arena *arena, struct stored_subject **ret_subjects,
		       size_t *ret_count, struct err *e)
{
	struct query query =
		query_make(backend, "select hash, subject from fact_subjects order by hash");
	struct stored_subject *subjects = NULL;
	size_t count = 0;

	while (query_row(&query)) {
		subjects = arena_more(arena, subjects, count, sizeof *subjects);
		subjects[count++] = (struct stored_subject){
			.hash = query_text_or_empty(&query, 0, arena),
			.text = query_text_or_empty(&query, 1, arena),
		};
	}
	if (!query_end(&query, e))
		return false;
	*ret_subjects = subjects;
	*ret_count = count;
	return true;
}

bool sql_runs_count(void *backend, uint64_t *ret_count, struct err *e)
{
	struct query query = query_make(backend, "select (select count(*) from runs)"
						" - (select count(*) from runs"
						" where watch_of is not null)");

	if (query_row(&query))
		*ret_count = (uint64_t)query_int(&query, 0);
	return query_end(&query, e);
}
