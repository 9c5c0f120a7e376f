/*
 * sqlite_run.c - the rows of runs and locks. See store_ops.h for what each does.
 */
#include "store/sqlite_db.h"

#include <assert.h>
#include <string.h>

bool sqlite_run_insert(void *backend, const struct stored_run *run, struct err *e)
{
	const struct run_row *row = &run->row;
	struct query query = query_make(
		backend,
		"insert into runs (run_id, title, version, boot_ns, wall_ns, experiment_path,"
		" experiment_text, inventory_path, inventory_text, vars, boot_id, pid, pid_start,"
		" seal, set_id, trial) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

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
	return query_done(&query, e);
}

bool sqlite_run_finish(void *backend, const struct stored_run *run, struct err *e)
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

bool sqlite_run_beat(void *backend, const struct run_row *row, struct err *e)
{
	struct query query = query_make(
		backend, "update runs set space = ?, alive_until_wall_ns = ? where run_id = ?");

	query_bind_int(&query, row->space);
	query_bind_int(&query, row->alive_until_wall_ns);
	query_bind_text(&query, row->run_id);
	return query_done(&query, e);
}

/* The columns of runs_sql, in its order. */
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
}

static const char *const runs_sql =
	"select run_id, title, version, boot_ns, wall_ns, experiment_path,"
	" iif(?1, experiment_text, null), inventory_path, iif(?1, inventory_text, null), vars,"
	" boot_id, pid, pid_start, seal, ended_wall_ns, exit_code, sentence, end_number, end_hash,"
	" end_series, end_seal, set_id, trial, space, alive_until_wall_ns from runs"
	" where iif(?2 = 1, true, iif(?2 = 2, run_id = ?3, substr(run_id, 1, length(?3)) = ?3))"
	" order by seq desc limit ?4";

static const char *const run_exact_sql =
	"select run_id, title, version, boot_ns, wall_ns, experiment_path,"
	" iif(?1, experiment_text, null), inventory_path, iif(?1, inventory_text, null), vars,"
	" boot_id, pid, pid_start, seal, ended_wall_ns, exit_code, sentence, end_number, end_hash,"
	" end_series, end_seal, set_id, trial, space, alive_until_wall_ns from runs where ?2 = 2 and run_id = ?3 limit ?4";

static const char *const runs_of_set_sql =
	"select run_id, title, version, boot_ns, wall_ns, experiment_path,"
	" iif(?1, experiment_text, null), inventory_path, iif(?1, inventory_text, null), vars,"
	" boot_id, pid, pid_start, seal, ended_wall_ns, exit_code, sentence, end_number, end_hash,"
	" end_series, end_seal, set_id, trial, space, alive_until_wall_ns from runs where ?2 = 4 and set_id = ?3"
	" order by trial limit ?4";

static const char *const runs_without_facts_sql =
	"select run_id, title, version, boot_ns, wall_ns, experiment_path,"
	" iif(?1, experiment_text, null), inventory_path, iif(?1, inventory_text, null), vars,"
	" boot_id, pid, pid_start, seal, ended_wall_ns, exit_code, sentence, end_number, end_hash,"
	" end_series, end_seal, set_id, trial, space, alive_until_wall_ns from runs"
	" where ?2 = 5 and ?3 is null"
	" and not exists (select 1 from facts where facts.run_id = runs.run_id)"
	" order by seq limit ?4";

bool sqlite_runs_read(void *backend, const struct run_query *wanted, struct arena *arena,
		      struct stored_run **ret_runs, size_t *ret_count, struct err *e)
{
	struct query query = query_make(
		backend, wanted->match == RUN_EXACT	    ? run_exact_sql :
			 wanted->match == RUN_OF_SET	    ? runs_of_set_sql :
			 wanted->match == RUN_WITHOUT_FACTS ? runs_without_facts_sql :
							      runs_sql);
	struct stored_run *runs = NULL;
	size_t count = 0;

	static_assert(RUN_ANY == 1 && RUN_EXACT == 2 && RUN_PREFIX == 3 && RUN_OF_SET == 4 &&
			      RUN_WITHOUT_FACTS == 5,
		      "as in the statements");
	assert(wanted->match == RUN_ANY || wanted->match == RUN_WITHOUT_FACTS || wanted->run != NULL);

	query_bind_int(&query, wanted->has_documents);
	query_bind_int(&query, (int64_t)wanted->match);
	query_bind_text(&query, wanted->run);
	query_bind_int(&query, wanted->limit == 0 ? -1 : (int64_t)wanted->limit);
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

bool sqlite_lock_read(void *backend, const char *target, struct arena *arena,
		      const char **ret_run_id, struct err *e)
{
	struct query query = query_make(backend, "select run_id from locks where target = ?");
	const char *run_id = NULL;

	query_bind_text(&query, target);
	if (query_row(&query))
		run_id = query_text_or_empty(&query, 0, arena);
	if (!query_end(&query, e))
		return false;
	*ret_run_id = run_id;
	return true;
}

bool sqlite_lock_put(void *backend, const char *target, const char *run_id, struct err *e)
{
	struct query query = query_make(backend, "insert or replace into locks (target, run_id)"
						 " values (?, ?)");

	query_bind_text(&query, target);
	query_bind_text(&query, run_id);
	return query_done(&query, e);
}

bool sqlite_locks_drop(void *backend, const char *run_id, struct err *e)
{
	struct query query = query_make(backend, "delete from locks where run_id = ?");

	query_bind_text(&query, run_id);
	return query_done(&query, e);
}

bool sqlite_locks_read(void *backend, struct arena *arena, struct lock_row **ret_rows,
		       size_t *ret_count, struct err *e)
{
	struct query query = query_make(backend, "select target, run_id from locks order by target");
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
