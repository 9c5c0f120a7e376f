/*
 * sql_permits.c - the rows of approvals, of orders to stop, and of runs that are held. See
 * store_ops.h for what each does.
 */
#include "store/sql.h"

bool sql_approval_insert(void *backend, const struct stored_approval *approval, struct err *e)
{
	const struct approval_row *row = &approval->row;
	struct query query = query_make(
		backend, "insert into approvals (digest, person, account, title, wall_ns,"
			 " until_wall_ns, seal) values (?, ?, ?, ?, ?, ?, ?)");

	query_bind_text(&query, row->digest);
	query_bind_text(&query, row->person);
	query_bind_text(&query, row->account);
	query_bind_text(&query, row->title);
	query_bind_int(&query, row->wall_ns);
	query_bind_int(&query, row->until_wall_ns);
	query_bind_text(&query, approval->seal);
	return query_done(&query, e);
}

bool sql_approvals_read(void *backend, const char *digest, struct arena *arena,
			struct stored_approval **ret_approvals, size_t *ret_count, struct err *e)
{
	struct query query =
		query_make(backend, "select digest, person, account, title, wall_ns,"
				    " until_wall_ns, seal from approvals"
				    " where cast(?1 as text) is null or digest = ?1 order by seq");
	struct stored_approval *approvals = NULL;
	size_t count = 0;

	query_bind_text(&query, digest);
	while (query_row(&query)) {
		approvals = arena_more(arena, approvals, count, sizeof *approvals);
		approvals[count++] = (struct stored_approval){
			.row = {
				.digest = query_text_or_empty(&query, 0, arena),
				.person = query_text_or_empty(&query, 1, arena),
				.account = query_text_or_empty(&query, 2, arena),
				.title = query_text(&query, 3, arena),
				.wall_ns = query_int(&query, 4),
				.until_wall_ns = query_int(&query, 5),
			},
			.seal = query_text_or_empty(&query, 6, arena),
		};
	}
	if (!query_end(&query, e))
		return false;
	*ret_approvals = approvals;
	*ret_count = count;
	return true;
}

bool sql_stop_insert(void *backend, const struct stop_row *row, struct err *e)
{
	struct query query = query_make(backend, "insert into stops (subject, person, reason,"
						 " wall_ns) values (?, ?, ?, ?)");

	query_bind_text(&query, row->subject);
	query_bind_text(&query, row->person);
	query_bind_text(&query, row->reason);
	query_bind_int(&query, row->wall_ns);
	return query_done(&query, e);
}

bool sql_stop_read(void *backend, const char *run_id, const char *set_id, struct arena *arena,
		   const struct stop_row **ret_stop, struct err *e)
{
	/* A comparison with null is never true, so an id that is missing finds nothing. */
	struct query query =
		query_make(backend, "select subject, person, reason, wall_ns from stops"
				    " where lifted_wall_ns is null"
				    " and (subject is null or subject = ?1 or subject = ?2)"
				    " order by seq desc limit 1");
	struct stop_row *stop = NULL;

	query_bind_text(&query, run_id);
	query_bind_text(&query, set_id);
	if (query_row(&query)) {
		stop = arena_alloc(arena, sizeof *stop);
		*stop = (struct stop_row){
			.subject = query_text(&query, 0, arena),
			.person = query_text_or_empty(&query, 1, arena),
			.reason = query_text_or_empty(&query, 2, arena),
			.wall_ns = query_int(&query, 3),
		};
	}
	if (!query_end(&query, e))
		return false;
	*ret_stop = stop;
	return true;
}

bool sql_stops_lift(void *backend, const struct stop_row *lift, size_t *ret_count, struct err *e)
{
	struct query query = query_make(
		backend, "update stops set lifted_wall_ns = ?, lifted_by = ?, lifted_reason = ?"
			 " where subject is null and lifted_wall_ns is null");

	query_bind_int(&query, lift->wall_ns);
	query_bind_text(&query, lift->person);
	query_bind_text(&query, lift->reason);
	return query_done_counting(&query, ret_count, e);
}

bool sql_hold_put(void *backend, const struct hold_row *row, struct err *e)
{
	struct query query = query_make(
		backend, "insert into holds (run_id, person, reason, wall_ns) values (?, ?, ?, ?)"
			 " on conflict (run_id) do update set person = excluded.person,"
			 " reason = excluded.reason, wall_ns = excluded.wall_ns");

	query_bind_text(&query, row->run_id);
	query_bind_text(&query, row->person);
	query_bind_text(&query, row->reason);
	query_bind_int(&query, row->wall_ns);
	return query_done(&query, e);
}

bool sql_hold_drop(void *backend, const char *run_id, size_t *ret_count, struct err *e)
{
	struct query query = query_make(backend, "delete from holds where run_id = ?");

	query_bind_text(&query, run_id);
	return query_done_counting(&query, ret_count, e);
}

bool sql_holds_read(void *backend, struct arena *arena, struct hold_row **ret_rows,
		    size_t *ret_count, struct err *e)
{
	struct query query = query_make(backend, "select run_id, person, reason, wall_ns from holds"
						 " order by wall_ns, run_id");
	struct hold_row *rows = NULL;
	size_t count = 0;

	while (query_row(&query)) {
		rows = arena_more(arena, rows, count, sizeof *rows);
		rows[count++] = (struct hold_row){
			.run_id = query_text_or_empty(&query, 0, arena),
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
