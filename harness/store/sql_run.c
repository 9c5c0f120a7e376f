/*
 * sql_run.c - the rows of runs and locks. See store_ops.h for what each does.
 */
#include "store/sql.h"

#include <assert.h>
#include <string.h>

bool sql_run_insert(void *backend, const struct stored_run *run, struct err *e)
{
	const struct run_row *row = &run->row;
	struct query query = query_make(
		backend,
		"insert into runs (run_id, title, version, boot_ns, wall_ns, experiment_path,"
		" experiment_text, inventory_path, inventory_text, vars, boot_id, pid, pid_start,"
		" seal, set_id, trial, watch_of, vantage)"
		" values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	query_bind_text(&query, row->run_id);
	query_bind_text(&query, row->title);
	query_bind_text(&query, row->version);
	query_bind_int(&query, row->anchor.boot_ns);
	query_bind_int(&query, row->anchor.wall_ns);
	query_bind_text(&query, row->experiment_path);
	query_bind_text(&query, row->experiment_text);
	query_bind_text(&query, row->inventory_path);
	query_bind_text(&query, row->inventory_text);
	query_bind_text(&query, run->vars_json);
	query_bind_text(&query, row->boot_id);
	query_bind_int(&query, row->pid);
	query_bind_int(&query, row->pid_start);
	query_bind_text(&query, run->seal);
	query_bind_text(&query, row->set_id);
	query_bind_int(&query, row->trial);
	query_bind_text(&query, row->watch_of);
	query_bind_text(&query, row->vantage);
	return query_done(&query, e);
}

bool sql_run_finish(void *backend, const struct stored_run *run, struct err *e)
{
	const struct run_row *row = &run->row;
	struct query query = query_make(
		backend, "update runs set ended_wall_ns = ?, exit_code = ?, sentence = ?,"
			 " end_number = ?, end_hash = ?, end_series = ?, end_seal = ?"
			 " where run_id = ?");

	query_bind_int(&query, row->ended_wall_ns);
	query_bind_int(&query, row->exit_code);
	query_bind_text(&query, row->sentence);
	query_bind_int(&query, (int64_t)run->end_number);
	query_bind_text(&query, run->end_hash);
	query_bind_text(&query, run->end_series);
	query_bind_text(&query, run->end_seal);
	query_bind_text(&query, row->run_id);
	return query_done(&query, e);
}

bool sql_run_beat(void *backend, const struct run_row *row, struct err *e)
{
	struct query query = query_make(
		backend, "update runs set space = ?, alive_until_wall_ns = ? where run_id = ?");

	query_bind_int(&query, row->space);
	query_bind_int(&query, row->alive_until_wall_ns);
	query_bind_text(&query, row->run_id);
	return query_done(&query, e);
}

/* The columns of RUN_COLUMNS, in its order. */
static void read_run(struct query *query, struct arena *arena, struct stored_run *run)
{
	struct run_row *row = &run->row;

	row->run_id = query_text_or_empty(query, 0, arena);
	row->title = query_text(query, 1, arena);
	row->version = query_text(query, 2, arena);
	row->anchor.boot_ns = query_int(query, 3);
	row->anchor.wall_ns = query_int(query, 4);
	row->experiment_path = query_text(query, 5, arena);
	row->experiment_text = query_text(query, 6, arena);
	row->inventory_path = query_text(query, 7, arena);
	row->inventory_text = query_text(query, 8, arena);
	run->vars_json = query_text_or_empty(query, 9, arena);
	row->boot_id = query_text_or_empty(query, 10, arena);
	row->pid = query_int(query, 11);
	row->pid_start = query_int(query, 12);
	run->seal = query_text_or_empty(query, 13, arena);
	row->ended_wall_ns = query_int(query, 14);
	row->exit_code = query_int(query, 15);
	row->sentence = query_text(query, 16, arena);
	run->end_number = (uint64_t)query_int(query, 17);
	run->end_hash = query_text_or_empty(query, 18, arena);
	run->end_series = query_text_or_empty(query, 19, arena);
	run->end_seal = query_text(query, 20, arena);
	row->is_ended = run->end_seal != NULL;
	row->set_id = query_text(query, 21, arena);
	row->trial = query_int(query, 22);
	row->space = query_int(query, 23);
	row->alive_until_wall_ns = query_int(query, 24);
	row->watch_of = query_text(query, 25, arena);
	row->vantage = query_text(query, 26, arena);
}

/* ?1: with the texts of the documents. ?2: an id or its beginning. ?3: how many. */
#define RUN_COLUMNS                                                                                \
	"select run_id, title, version, boot_ns, wall_ns, experiment_path,"                        \
	" case cast(?1 as bigint) when 1 then experiment_text end, inventory_path,"                \
	" case cast(?1 as bigint) when 1 then inventory_text end, vars, boot_id, pid, pid_start,"  \
	" seal, ended_wall_ns, exit_code, sentence, end_number, end_hash, end_series, end_seal,"   \
	" set_id, trial, space, alive_until_wall_ns, watch_of, vantage from runs "

#define RUN_LIKE(pattern)                                                                          \
	"(lower(title) like " pattern " escape '\\' or lower(run_id) like " pattern " escape '\\')"

static const char *const runs_sql[] = {
	[RUN_ANY] = RUN_COLUMNS "where cast(?2 as text) is null order by seq desc limit ?3",
	[RUN_LAST] = RUN_COLUMNS "where cast(?2 as text) is null and watch_of is null"
				 " order by seq desc limit ?3",
	[RUN_EXACT] = RUN_COLUMNS "where run_id = ?2 limit ?3",
	/* Ids have no character as high as '~', so the index finds those that begin so. */
	[RUN_PREFIX] = RUN_COLUMNS "where run_id >= ?2 and run_id < cast(?2 as text) || '~'"
				   " and substr(run_id, 1, length(cast(?2 as text))) = ?2"
				   " order by seq desc limit ?3",
	[RUN_OF_SET] = RUN_COLUMNS "where set_id = ?2 order by trial limit ?3",
	[RUN_WITHOUT_FACTS] = RUN_COLUMNS "where cast(?2 as text) is null and watch_of is null"
					  " and not exists (select 1 from facts where facts.run_id = runs.run_id)"
					  " order by seq limit ?3",
	[RUN_OPEN] = RUN_COLUMNS "where cast(?2 as text) is null and end_seal is null and watch_of is null"
				 " order by seq desc limit ?3",
	/* The page is found in an index, and only its rows are read. ?4: a bit for each exit code. */
	[RUN_CHOSEN] = RUN_COLUMNS "where seq in (select seq from runs where watch_of is null"
				   " and (cast(?2 as text) is null or " RUN_LIKE("?2") ")"
				   " and (cast(?4 as bigint) = 0 or (exit_code is not null and"
				   " (cast(?4 as bigint) >> cast(exit_code as integer)) & 1 = 1))"
				   " order by seq desc limit ?3 offset ?5) order by seq desc",
};

bool sql_runs_read(void *backend, const struct run_query *wanted, struct arena *arena,
		   struct stored_run **ret_runs, size_t *ret_count, struct err *e)
{
	const bool is_of_all = wanted->match == RUN_ANY || wanted->match == RUN_LAST ||
			       wanted->match == RUN_WITHOUT_FACTS || wanted->match == RUN_OPEN;
	const char *run = is_of_all ? NULL : wanted->run;
	struct stored_run *runs = NULL;
	size_t count = 0;

	assert(is_of_all || wanted->match == RUN_CHOSEN || run != NULL);

	if (wanted->match == RUN_EXACT && !sql_hold_id(backend, run, e))
		return false;

	struct query query = query_make(backend, runs_sql[wanted->match]);

	query_bind_int(&query, wanted->has_documents);
	query_bind_text(&query, run);
	query_bind_int(&query, wanted->limit == 0 ? INT64_MAX : (int64_t)wanted->limit);
	if (wanted->match == RUN_CHOSEN) {
		query_bind_int(&query, (int64_t)wanted->exit_codes);
		query_bind_int(&query, (int64_t)wanted->skip);
	}
	while (query_row(&query)) {
		runs = arena_more(arena, runs, count, sizeof *runs);
		read_run(&query, arena, &runs[count++]);
	}
	if (!query_end(&query, e))
		return false;
	*ret_runs = runs;
	*ret_count = count;
	return true;
}

bool sql_runs_tally(void *backend, const char *like, struct run_tally *ret_tally, struct err *e)
{
	static const char all_sql[] =
		"select coalesce(exit_code, -1), count(*) from runs where watch_of is null"
		" group by exit_code";
	/* By an expression, so that titles are read in the index that has them. */
	static const char like_sql[] = "select coalesce(exit_code, -1), count(*) from runs"
				       " where watch_of is null and " RUN_LIKE("cast(?1 as text)")
				       " group by coalesce(exit_code, -1)";
	struct query query = query_make(backend, like == NULL ? all_sql : like_sql);
	struct run_tally tally = { 0 };

	if (like != NULL)
		query_bind_text(&query, like);
	while (query_row(&query)) {
		const int64_t exit_code = query_int(&query, 0);
		const uint64_t count = (uint64_t)query_int(&query, 1);

		tally.run_count += count;
		if (exit_code == -1)
			tally.open_count += count;
		else if (exit_code >= 0 && exit_code < RUN_EXITS)
			tally.ended_counts[exit_code] += count;
	}
	if (!query_end(&query, e))
		return false;
	*ret_tally = tally;
	return true;
}

bool sql_run_delete(void *backend, const char *run_id, struct err *e)
{
	/* What refers to other rows comes before them. */
	static const char *const statements[] = {
		"delete from recordings where run_id = ?1",
		"update facts_changes set number = number + 1 where cast(?1 as text) is not null",
		"delete from facts where run_id = ?1",
		"delete from holds where run_id = ?1",
		"delete from locks where run_id = ?1",
		"delete from ledger_reads where run_id = ?1",
		"delete from chunks where run_id = ?1",
		"delete from tracks where run_id = ?1",
		"delete from heals where run_id = ?1",
		"delete from events where run_id = ?1",
		"delete from sets where end_seal is not null"
		" and set_id = (select set_id from runs where run_id = ?1)"
		" and not exists (select 1 from runs where runs.set_id = sets.set_id"
		" and run_id <> ?1)",
		"delete from runs where run_id = ?1",
	};

	if (!sql_hold_id(backend, run_id, e))
		return false;
	for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
		struct query query = query_make(backend, statements[i]);

		query_bind_text(&query, run_id);
		if (!query_done(&query, e))
			return false;
	}
	return true;
}

bool sql_lock_read(void *backend, const char *target, struct arena *arena, const char **ret_run_id,
		   struct err *e)
{
	const char *run_id = NULL;

	if (!sql_hold_target(backend, target, e))
		return false;

	struct query query = query_make(backend, "select run_id from locks where target = ?");

	query_bind_text(&query, target);
	if (query_row(&query))
		run_id = query_text_or_empty(&query, 0, arena);
	if (!query_end(&query, e))
		return false;
	*ret_run_id = run_id;
	return true;
}

bool sql_lock_put(void *backend, const char *target, const char *run_id, struct err *e)
{
	struct query query = query_make(backend, "insert into locks (target, run_id) values (?, ?)"
						 " on conflict (target) do update"
						 " set run_id = excluded.run_id");

	query_bind_text(&query, target);
	query_bind_text(&query, run_id);
	return query_done(&query, e);
}

bool sql_locks_drop(void *backend, const char *run_id, struct err *e)
{
	struct query query = query_make(backend, "delete from locks where run_id = ?");

	query_bind_text(&query, run_id);
	return query_done(&query, e);
}

bool sql_locks_read(void *backend, struct arena *arena, struct lock_row **ret_rows,
		    size_t *ret_count, struct err *e)
{
	struct query query =
		query_make(backend, "select target, run_id from locks order by target");
	struct lock_row *rows = NULL;
	size_t count = 0;

	while (query_row(&query)) {
		rows = arena_more(arena, rows, count, sizeof *rows);
		rows[count++] = (struct lock_row){
			.target = query_text_or_empty(&query, 0, arena),
			.run_id = query_text_or_empty(&query, 1, arena),
		};
	}
	if (!query_end(&query, e))
		return false;
	*ret_rows = rows;
	*ret_count = count;
	return true;
}
