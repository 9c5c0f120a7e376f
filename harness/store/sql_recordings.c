/*
 * sql_recordings.c - the rows of recordings: runs that a name stands for. See store_ops.h.
 */
#include "store/sql.h"

bool sql_recording_insert(void *backend, const struct stored_recording *recording, struct err *e)
{
	struct query query = query_make(backend, "insert into recordings (name, title, run_id, wall_ns)"
						 " values (?, ?, ?, ?)");

	query_bind_text(&query, recording->name);
	query_bind_text(&query, recording->title);
	query_bind_text(&query, recording->run_id);
	query_bind_int(&query, recording->wall_ns);
	return query_done(&query, e);
}

bool sql_recordings_read(void *backend, const char *name, const char *title, size_t limit,
			 struct arena *arena, const char ***ret_run_ids, size_t *ret_count,
			 struct err *e)
{
	/* A run that was recorded twice is still one. What was imported has come later than it was recorded. */
	struct query query = query_make(backend, "select run_id from recordings"
						 " where name = ? and title = ? group by run_id"
						 " order by max(wall_ns) desc, max(seq) desc limit ?");
	const char **run_ids = NULL;
	size_t count = 0;

	query_bind_text(&query, name);
	query_bind_text(&query, title);
	query_bind_int(&query, (int64_t)limit);
	while (query_row(&query)) {
		run_ids = arena_more(arena, run_ids, count, sizeof *run_ids);
		run_ids[count++] = query_text_or_empty(&query, 0, arena);
	}
	if (!query_end(&query, e))
		return false;
	*ret_run_ids = run_ids;
	*ret_count = count;
	return true;
}

bool sql_recordings_list(void *backend, struct arena *arena, struct stored_recording **ret_recordings,
			 size_t *ret_count, struct err *e)
{
	struct query query =
		query_make(backend, "select name, title, run_id, wall_ns from recordings order by seq");
	struct stored_recording *recordings = NULL;
	size_t count = 0;

	while (query_row(&query)) {
		recordings = arena_more(arena, recordings, count, sizeof *recordings);
		recordings[count++] = (struct stored_recording){
			.name = query_text_or_empty(&query, 0, arena),
			.title = query_text_or_empty(&query, 1, arena),
			.run_id = query_text_or_empty(&query, 2, arena),
			.wall_ns = query_int(&query, 3),
		};
	}
	if (!query_end(&query, e))
		return false;
	*ret_recordings = recordings;
	*ret_count = count;
	return true;
}
