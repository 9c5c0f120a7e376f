/*
 * sql_pauses.c - the rows of pauses. See store_ops.h for what each does.
 */
#include "store/sql.h"

bool sql_pause_insert(void *backend, const struct pause_row *row, struct err *e)
{
	struct query query = query_make(backend, "insert into pauses (schedule, person, reason,"
						 " wall_ns) values (?, ?, ?, ?)");

	query_bind_text(&query, row->schedule);
	query_bind_text(&query, row->person);
	query_bind_text(&query, row->reason);
	query_bind_int(&query, row->wall_ns);
	return query_done(&query, e);
}

bool sql_pauses_read(void *backend, struct arena *arena, struct pause_row **ret_rows,
		     size_t *ret_count, struct err *e)
{
	struct query query = query_make(
		backend, "select schedule, person, reason, wall_ns from pauses"
			 " where seq in (select max(seq) from pauses"
			 " where lifted_wall_ns is null group by schedule) order by schedule");
	struct pause_row *rows = NULL;
	size_t count = 0;

	while (query_row(&query)) {
		rows = arena_more(arena, rows, count, sizeof *rows);
		rows[count++] = (struct pause_row){
			.schedule = query_text_or_empty(&query, 0, arena),
			.person = query_text_or_empty(&query, 1, arena),
			.reason = query_text_or_empty(&query, 2, arena),
			.wall_ns = query_int(&query, 3),
		};
	}
	if (!query_end(&query, e))
		return false;
	*ret_rows = rows;
	*ret_count = count;
	return true;
}

bool sql_pauses_lift(void *backend, const struct pause_row *lift, size_t *ret_count, struct err *e)
{
	struct query query = query_make(
		backend, "update pauses set lifted_wall_ns = ?, lifted_by = ?, lifted_reason = ?"
			 " where schedule = ? and lifted_wall_ns is null");

	query_bind_int(&query, lift->wall_ns);
	query_bind_text(&query, lift->person);
	query_bind_text(&query, lift->reason);
	query_bind_text(&query, lift->schedule);
	return query_done_counting(&query, ret_count, e);
}
