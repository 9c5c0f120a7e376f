/*
 * sql_audit.c - the rows of what people did by way of the page. See store_ops.h for what each does.
 */
#include "store/sql.h"

bool sql_audit_insert(void *backend, const struct stored_audit *audit, int64_t *ret_audit_id,
		      struct err *e)
{
	const struct audit_row *row = &audit->row;
	struct query query = query_make(
		backend, "insert into audit (wall_ns, person, action, subject, reason, address, outcome,"
			 " ended_wall_ns, seal) values (?, ?, ?, ?, ?, ?, ?, 0, ?) returning audit_id");

	query_bind_int(&query, row->wall_ns);
	query_bind_text(&query, row->person);
	query_bind_text(&query, row->action);
	query_bind_text(&query, row->subject);
	query_bind_text(&query, row->reason);
	query_bind_text(&query, row->address);
	query_bind_text(&query, audit->outcome);
	query_bind_text(&query, audit->seal);
	while (query_row(&query))
		*ret_audit_id = query_int(&query, 0);
	return query_end(&query, e);
}

bool sql_audit_finish(void *backend, const struct stored_audit *audit, struct err *e)
{
	struct query query = query_make(
		backend, "update audit set outcome = ?, ended_wall_ns = ?, sentence = ?, seal = ?"
			 " where audit_id = ?");

	query_bind_text(&query, audit->outcome);
	query_bind_int(&query, audit->row.ended_wall_ns);
	query_bind_text(&query, audit->row.sentence);
	query_bind_text(&query, audit->seal);
	query_bind_int(&query, audit->row.audit_id);
	return query_done(&query, e);
}

bool sql_audit_read(void *backend, int64_t before, size_t limit, struct arena *arena,
		    struct stored_audit **ret_audits, size_t *ret_count, struct err *e)
{
	struct query query = query_make(
		backend, "select audit_id, wall_ns, person, action, subject, reason, address, outcome,"
			 " ended_wall_ns, sentence, seal from audit where audit_id < ?"
			 " order by audit_id desc limit ?");
	struct stored_audit *audits = NULL;
	size_t count = 0;

	query_bind_int(&query, before == 0 ? INT64_MAX : before);
	query_bind_int(&query, limit == 0 ? INT64_MAX : (int64_t)limit);
	while (query_row(&query)) {
		audits = arena_more(arena, audits, count, sizeof *audits);
		audits[count++] = (struct stored_audit){
			.row = {
				.audit_id = query_int(&query, 0),
				.wall_ns = query_int(&query, 1),
				.person = query_text(&query, 2, arena),
				.action = query_text_or_empty(&query, 3, arena),
				.subject = query_text(&query, 4, arena),
				.reason = query_text(&query, 5, arena),
				.address = query_text_or_empty(&query, 6, arena),
				.ended_wall_ns = query_int(&query, 8),
				.sentence = query_text(&query, 9, arena),
			},
			.outcome = query_text_or_empty(&query, 7, arena),
			.seal = query_text_or_empty(&query, 10, arena),
		};
	}
	if (!query_end(&query, e))
		return false;
	*ret_audits = audits;
	*ret_count = count;
	return true;
}
