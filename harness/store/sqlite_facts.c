/*
 * sqlite_facts.c - the rows of facts and of what they are about. See store_ops.h for what each does.
 */
#include "store/sqlite_db.h"

static bool put_subject(void *backend, const struct stored_subject *subject, struct err *e)
{
	struct query query = query_make(backend, "insert into fact_subjects (hash, subject)"
						 " values (?, ?) on conflict (hash) do update"
						 " set subject = excluded.subject");

	query_bind_text(&query, subject->hash);
	query_bind_text(&query, subject->text);
	return query_done(&query, e);
}

bool sqlite_facts_put(void *backend, const struct stored_facts *facts, struct err *e)
{
	if (!put_subject(backend, &facts->subject, e))
		return false;

	struct query query = query_make(
		backend, "insert into facts (run_id, facts) values (?, ?)"
			 " on conflict (run_id) do update set facts = excluded.facts");

	query_bind_text(&query, facts->run_id);
	query_bind_blob(&query, facts->facts);
	return query_done(&query, e);
}

/* What a row lends is let go some rows later: there may be very many, and so few fit into one block. */
bool sqlite_facts_read(void *backend, const char *run_id, const struct facts_sink *sink,
		       struct err *e)
{
	enum { ROWS_LENT = 256 };
	struct query query = query_make(backend, run_id == NULL ?
							 "select facts from facts order by seq" :
							 "select facts from facts where run_id = ?");
	struct arena lent = { 0 };
	bool is_taken = true;

	if (run_id != NULL)
		query_bind_text(&query, run_id);
	for (size_t i = 1; is_taken && query_row(&query); i++) {
		is_taken = sink->take(sink->ctx, query_blob(&query, 0, &lent), e);
		if (i % ROWS_LENT == 0)
			arena_release(&lent);
	}
	arena_release(&lent);
	return query_end(&query, is_taken ? e : NULL) && is_taken;
}

bool sqlite_subjects_read(void *backend, struct arena *arena, struct stored_subject **ret_subjects,
			  size_t *ret_count, struct err *e)
{
	struct query query = query_make(backend, "select hash, subject from fact_subjects"
						 " order by hash");
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

bool sqlite_facts_count(void *backend, uint64_t *ret_runs, uint64_t *ret_facts, struct err *e)
{
	struct query query = query_make(backend, "select (select count(*) from runs),"
						 " (select count(*) from facts)");

	if (query_row(&query)) {
		*ret_runs = (uint64_t)query_int(&query, 0);
		*ret_facts = (uint64_t)query_int(&query, 1);
	}
	return query_end(&query, e);
}
