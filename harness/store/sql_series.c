/*
 * sql_series.c - the rows of tracks, their chunks of samples, and ledger reads. See store_ops.h.
 */
#include "store/sql.h"

static bool drop_chunks(void *backend, const char *run_id, const char *probe, struct err *e)
{
	struct query query =
		query_make(backend, "delete from chunks where run_id = ? and probe = ?");

	query_bind_text(&query, run_id);
	query_bind_text(&query, probe);
	return query_done(&query, e);
}

bool sql_track_put(void *backend, const char *run_id, const struct stored_track *track,
		   struct err *e)
{
	if (!drop_chunks(backend, run_id, track->probe, e))
		return false;

	struct query query = query_make(
		backend, "insert into tracks (run_id, probe, t0_ns, every_ns, lane_count,"
			 " slot_count, errors, seal) values (?, ?, ?, ?, ?, ?, ?, ?)"
			 " on conflict (run_id, probe) do update set t0_ns = excluded.t0_ns,"
			 " every_ns = excluded.every_ns, lane_count = excluded.lane_count,"
			 " slot_count = excluded.slot_count, errors = excluded.errors,"
			 " seal = excluded.seal");

	query_bind_text(&query, run_id);
	query_bind_text(&query, track->probe);
	query_bind_int(&query, track->t0_ns);
	query_bind_int(&query, track->every_ns);
	query_bind_int(&query, track->lane_count);
	query_bind_int(&query, (int64_t)track->slot_count);
	query_bind_text(&query, track->errors_json);
	query_bind_text(&query, track->seal);
	return query_done(&query, e);
}

bool sql_chunk_put(void *backend, const char *run_id, const char *probe, uint64_t chunk,
		   struct blob blob, struct err *e)
{
	struct query query =
		query_make(backend, "insert into chunks (run_id, probe, chunk, samples)"
				    " values (?, ?, ?, ?)");

	query_bind_text(&query, run_id);
	query_bind_text(&query, probe);
	query_bind_int(&query, (int64_t)chunk);
	query_bind_blob(&query, blob);
	return query_done(&query, e);
}

bool sql_tracks_read(void *backend, const char *run_id, struct arena *arena,
		     struct stored_track **ret_tracks, size_t *ret_count, struct err *e)
{
	struct query query = query_make(backend, "select probe, t0_ns, every_ns, lane_count,"
						 " slot_count, errors, seal, (select count(*)"
						 " from chunks where chunks.run_id = tracks.run_id"
						 " and chunks.probe = tracks.probe) from tracks"
						 " where run_id = ? order by seq");
	struct stored_track *tracks = NULL;
	size_t count = 0;

	query_bind_text(&query, run_id);
	while (query_row(&query)) {
		tracks = arena_more(arena, tracks, count, sizeof *tracks);
		tracks[count++] = (struct stored_track){
			.probe = query_text_or_empty(&query, 0, arena),
			.t0_ns = query_int(&query, 1),
			.every_ns = query_int(&query, 2),
			.lane_count = query_int(&query, 3),
			.slot_count = (uint64_t)query_int(&query, 4),
			.errors_json = query_text_or_empty(&query, 5, arena),
			.seal = query_text_or_empty(&query, 6, arena),
			.chunk_count = (uint64_t)query_int(&query, 7),
		};
	}
	if (!query_end(&query, e))
		return false;
	*ret_tracks = tracks;
	*ret_count = count;
	return true;
}

bool sql_chunks_read(void *backend, const char *run_id, const char *probe,
		     const struct chunk_sink *sink, struct err *e)
{
	struct query query = query_make(backend, "select samples from chunks where run_id = ?"
						 " and probe = ? order by chunk");
	bool is_taken = true;

	query_bind_text(&query, run_id);
	query_bind_text(&query, probe);
	while (is_taken && query_row(&query)) {
		struct arena scratch = { 0 };

		is_taken = sink->take(sink->ctx, query_blob(&query, 0, &scratch), e);
		arena_release(&scratch);
	}
	return query_end(&query, is_taken ? e : NULL) && is_taken;
}

bool sql_ledger_read_put(void *backend, const char *run_id, const struct stored_ledger_read *read,
			 struct err *e)
{
	struct query query = query_make(
		backend, "insert into ledger_reads (run_id, probe, count, read_number,"
			 " is_complete, error, first_missing_count, settle_ns, slot_count,"
			 " found_rows, unexpected, unexpected_kept, unexpected_count, seal)"
			 " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
			 " on conflict (run_id, probe, count, read_number) do update set"
			 " is_complete = excluded.is_complete, error = excluded.error,"
			 " first_missing_count = excluded.first_missing_count,"
			 " settle_ns = excluded.settle_ns, slot_count = excluded.slot_count,"
			 " found_rows = excluded.found_rows, unexpected = excluded.unexpected,"
			 " unexpected_kept = excluded.unexpected_kept,"
			 " unexpected_count = excluded.unexpected_count, seal = excluded.seal");

	query_bind_text(&query, run_id);
	query_bind_text(&query, read->probe);
	query_bind_int(&query, read->count);
	query_bind_int(&query, read->read_number);
	query_bind_int(&query, read->is_complete);
	query_bind_text(&query, read->error);
	query_bind_int(&query, (int64_t)read->first_missing_count);
	query_bind_int(&query, read->settle_ns);
	query_bind_int(&query, (int64_t)read->slot_count);
	query_bind_blob(&query, read->rows);
	query_bind_blob(&query, read->unexpected);
	query_bind_int(&query, (int64_t)read->unexpected_kept);
	query_bind_int(&query, (int64_t)read->unexpected_count);
	query_bind_text(&query, read->seal);
	return query_done(&query, e);
}

static void read_ledger_read(struct query *query, struct arena *arena,
			     struct stored_ledger_read *read)
{
	read->probe = query_text_or_empty(query, 0, arena);
	read->count = query_int(query, 1);
	read->read_number = query_int(query, 2);
	read->is_complete = query_int(query, 3) != 0;
	read->error = query_text(query, 4, arena);
	read->first_missing_count = (uint64_t)query_int(query, 5);
	read->settle_ns = query_int(query, 6);
	read->slot_count = (uint64_t)query_int(query, 7);
	read->rows = query_blob(query, 8, arena);
	read->unexpected = query_blob(query, 9, arena);
	read->unexpected_kept = (uint64_t)query_int(query, 10);
	read->unexpected_count = (uint64_t)query_int(query, 11);
	read->seal = query_text_or_empty(query, 12, arena);
	/* A bool has two values; a damaged one must not pass for true. */
	if (query_int(query, 3) != 0 && query_int(query, 3) != 1)
		read->seal = "";
}

bool sql_ledger_reads_read(void *backend, const char *run_id, struct arena *arena,
			   struct stored_ledger_read **ret_reads, size_t *ret_count, struct err *e)
{
	struct query query = query_make(
		backend, "select probe, count, read_number, is_complete, error,"
			 " first_missing_count, settle_ns, slot_count, found_rows, unexpected,"
			 " unexpected_kept, unexpected_count, seal from ledger_reads"
			 " where run_id = ? order by probe, count, read_number");
	struct stored_ledger_read *reads = NULL;
	size_t count = 0;

	query_bind_text(&query, run_id);
	while (query_row(&query)) {
		reads = arena_more(arena, reads, count, sizeof *reads);
		read_ledger_read(&query, arena, &reads[count++]);
	}
	if (!query_end(&query, e))
		return false;
	*ret_reads = reads;
	*ret_count = count;
	return true;
}
