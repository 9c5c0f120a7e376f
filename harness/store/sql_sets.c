/*
 * sql_sets.c - the rows of sets of trials. See store_ops.h for what each function does.
 */
#include "store/sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

bool sql_set_insert(void *backend, const struct stored_set *set, struct err *e)
{
	const struct set_row *row = &set->row;
	struct query query = query_make(
		backend, "insert into sets (set_id, title, version, wall_ns, seed, planned_count,"
			 " boot_id, pid, pid_start, seal) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	char seed[24];

	/* As text: a database's integers end before a seed does. */
	(void)snprintf(seed, sizeof seed, "%" PRIu64, row->seed);
	query_bind_text(&query, row->set_id);
	query_bind_text(&query, row->title);
	query_bind_text(&query, row->version);
	query_bind_int(&query, row->wall_ns);
	query_bind_text(&query, seed);
	query_bind_int(&query, row->planned_count);
	query_bind_text(&query, row->boot_id);
	query_bind_int(&query, row->pid);
	query_bind_int(&query, row->pid_start);
	query_bind_text(&query, set->seal);
	return query_done(&query, e);
}

bool sql_set_finish(void *backend, const struct stored_set *set, struct err *e)
{
	const struct set_row *row = &set->row;
	struct query query = query_make(
		backend, "update sets set ended_wall_ns = ?, trial_count = ?, exit_code = ?,"
			 " sentence = ?, stopped = ?, end_seal = ? where set_id = ?");

	query_bind_int(&query, row->ended_wall_ns);
	query_bind_int(&query, row->trial_count);
	query_bind_int(&query, row->exit_code);
	query_bind_text(&query, row->sentence);
	query_bind_text(&query, row->stopped);
	query_bind_text(&query, set->end_seal);
	query_bind_text(&query, row->set_id);
	return query_done(&query, e);
}

static void read_set(struct query *query, struct arena *arena, struct stored_set *set)
{
	struct set_row *row = &set->row;

	row->set_id = query_text_or_empty(query, 0, arena);
	row->title = query_text(query, 1, arena);
	row->version = query_text(query, 2, arena);
	row->wall_ns = query_int(query, 3);
	row->seed = strtoull(query_text_or_empty(query, 4, arena), NULL, 10); /* the seal decides */
	row->planned_count = query_int(query, 5);
	row->boot_id = query_text_or_empty(query, 6, arena);
	row->pid = query_int(query, 7);
	row->pid_start = query_int(query, 8);
	set->seal = query_text_or_empty(query, 9, arena);
	row->ended_wall_ns = query_int(query, 10);
	row->trial_count = query_int(query, 11);
	row->exit_code = query_int(query, 12);
	row->sentence = query_text(query, 13, arena);
	row->stopped = query_text(query, 14, arena);
	set->end_seal = query_text(query, 15, arena);
	row->is_ended = set->end_seal != NULL;
}

bool sql_sets_read(void *backend, const char *beginning, size_t limit, struct arena *arena,
		   struct stored_set **ret_sets, size_t *ret_count, struct err *e)
{
	if (beginning != NULL && !sql_hold_id(backend, beginning, e))
		return false;

	struct query query = query_make(
		backend,
		"select set_id, title, version, wall_ns, seed, planned_count, boot_id, pid,"
		" pid_start, seal, ended_wall_ns, trial_count, exit_code, sentence, stopped,"
		" end_seal from sets"
		" where (cast(?1 as text) is null or substr(set_id, 1, length(?1)) = ?1)"
		" order by seq desc limit ?2");
	struct stored_set *sets = NULL;
	size_t count = 0;

	query_bind_text(&query, beginning);
	query_bind_int(&query, limit == 0 ? INT64_MAX : (int64_t)limit);
	while (query_row(&query)) {
		sets = arena_more(arena, sets, count, sizeof *sets);
		read_set(&query, arena, &sets[count++]);
	}
	if (!query_end(&query, e))
		return false;
	*ret_sets = sets;
	*ret_count = count;
	return true;
}
