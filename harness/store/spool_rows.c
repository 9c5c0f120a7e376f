/*
 * spool_rows.c - the rows of a shared store: those of the run that this process is in go to the
 * server and into the spool, all others to the server alone. See spool.h.
 *
 * A write that fails because the server is lost fails as a whole; store_write makes it again, in
 * the spool alone (spool_make_room).
 */
#include "store/spool.h"

#include <assert.h>
#include <string.h>

#include "store/spool_audit.h"
#include "store/spool_dues.h"
#include "store/sql.h"

/* ---- writing: rows of a run ---- */

static const struct store *far_of(const struct spool *spool)
{
	return spool->has_far ? &spool->far : NULL;
}

static const struct store *near_of(const struct spool *spool, const char *run_id)
{
	return spool->has_near && spool_has(spool, run_id) ? spool->owned_near : NULL;
}

/* False: there is no place for rows of this run now. */
static bool has_place(const struct spool *spool, const char *run_id, struct err *e)
{
	assert(spool->is_in_step);

	return far_of(spool) != NULL || near_of(spool, run_id) != NULL || spool_fail_away(spool, e);
}

/* A run begins with the server there, and with a spool for when it is not. */
static bool spool_run_insert(void *backend, const struct stored_run *run, struct err *e)
{
	struct spool *spool = backend;

	return (spool->has_far || spool_fail_away(spool, e)) &&
	       spool->far.ops->run_insert(spool->far.owned_backend, run, e) &&
	       spool_take_run(spool, run->row.run_id, e) &&
	       spool->owned_near->ops->run_insert(spool->owned_near->owned_backend, run, e);
}

static bool spool_run_finish(void *backend, const struct stored_run *run, struct err *e)
{
	struct spool *spool = backend;
	const struct store *far = far_of(spool);
	const struct store *near = near_of(spool, run->row.run_id);

	spool->is_near_ended = near != NULL;

	return has_place(backend, run->row.run_id, e) &&
	       (far == NULL || far->ops->run_finish(far->owned_backend, run, e)) &&
	       (near == NULL || near->ops->run_finish(near->owned_backend, run, e));
}

/* Also into the spool, for those who look at its file. */
static bool spool_run_beat(void *backend, const struct run_row *row, struct err *e)
{
	const struct store *far = far_of(backend);
	const struct store *near = near_of(backend, row->run_id);

	return has_place(backend, row->run_id, e) &&
	       (far == NULL || far->ops->run_beat(far->owned_backend, row, e)) &&
	       (near == NULL || near->ops->run_beat(near->owned_backend, row, e));
}

static bool spool_run_delete(void *backend, const char *run_id, struct err *e)
{
	const struct store *far = far_of(backend);

	return far == NULL ? spool_fail_away(backend, e)
			   : far->ops->run_delete(far->owned_backend, run_id, e);
}

static bool spool_event_insert(void *backend, const char *run_id, const struct event *event,
			       struct err *e)
{
	const struct store *far = far_of(backend);
	const struct store *near = near_of(backend, run_id);

	return has_place(backend, run_id, e) &&
	       (far == NULL || far->ops->event_insert(far->owned_backend, run_id, event, e)) &&
	       (near == NULL || near->ops->event_insert(near->owned_backend, run_id, event, e));
}

static bool spool_heal_put(void *backend, const struct stored_heal *heal, struct err *e)
{
	const struct store *far = far_of(backend);
	const struct store *near = near_of(backend, heal->run_id);

	return has_place(backend, heal->run_id, e) &&
	       (far == NULL || far->ops->heal_put(far->owned_backend, heal, e)) &&
	       (near == NULL || near->ops->heal_put(near->owned_backend, heal, e));
}

static bool spool_track_put(void *backend, const char *run_id, const struct stored_track *track,
			    struct err *e)
{
	const struct store *far = far_of(backend);
	const struct store *near = near_of(backend, run_id);

	return has_place(backend, run_id, e) &&
	       (far == NULL || far->ops->track_put(far->owned_backend, run_id, track, e)) &&
	       (near == NULL || near->ops->track_put(near->owned_backend, run_id, track, e));
}

static bool spool_chunk_put(void *backend, const char *run_id, const char *probe, uint64_t chunk,
			    struct blob blob, struct err *e)
{
	const struct store *far = far_of(backend);
	const struct store *near = near_of(backend, run_id);

	return has_place(backend, run_id, e) &&
	       (far == NULL ||
		far->ops->chunk_put(far->owned_backend, run_id, probe, chunk, blob, e)) &&
	       (near == NULL ||
		near->ops->chunk_put(near->owned_backend, run_id, probe, chunk, blob, e));
}

static bool spool_ledger_read_put(void *backend, const char *run_id,
				  const struct stored_ledger_read *read, struct err *e)
{
	const struct store *far = far_of(backend);
	const struct store *near = near_of(backend, run_id);

	return has_place(backend, run_id, e) &&
	       (far == NULL || far->ops->ledger_read_put(far->owned_backend, run_id, read, e)) &&
	       (near == NULL || near->ops->ledger_read_put(near->owned_backend, run_id, read, e));
}

static bool spool_facts_put(void *backend, const struct stored_facts *facts, struct err *e)
{
	const struct store *far = far_of(backend);
	const struct store *near = near_of(backend, facts->run_id);

	return has_place(backend, facts->run_id, e) &&
	       (far == NULL || far->ops->facts_put(far->owned_backend, facts, e)) &&
	       (near == NULL || near->ops->facts_put(near->owned_backend, facts, e));
}

/* ---- reading: rows of a run ---- */

/*
 * Where to read rows of this run (NULL: any of no run) from, one place after the other: *from is
 * NULL at first, and then what has failed. The server; when that is away the spool, which has all
 * of its run. False: there is no other place, and e says why.
 */
static bool next_reader(struct spool *spool, const char *run_id, const struct store **from,
			struct err *e)
{
	const bool has_run = run_id != NULL && spool_has(spool, run_id);

	if (*from == &spool->far) {
		/* What belongs together is not read from two places. */
		if (!spool_lost(spool) || spool->is_in_step || !has_run)
			return false;
		err_clear(e);
		*from = spool->owned_near;
		return true;
	}
	if (*from != NULL)
		return false;
	if (spool->is_in_step ? spool->has_far : spool_far(spool, e))
		*from = &spool->far;
	else if (has_run && (!spool->is_in_step || spool->has_near))
		*from = spool->owned_near;
	else
		return spool_fail_away(spool, e);
	return true;
}

/* An id may be the beginning of ours. */
static const char *run_meant(const struct spool *spool, const struct run_query *query)
{
	const bool is_ours = (query->match == RUN_EXACT || query->match == RUN_PREFIX) &&
			     strncmp(spool->near_run, query->run, strlen(query->run)) == 0;

	return is_ours ? spool->near_run : NULL;
}

static bool spool_runs_read(void *backend, const struct run_query *query, struct arena *arena,
			    struct stored_run **ret_runs, size_t *ret_count, struct err *e)
{
	const char *run_id = run_meant(backend, query);
	const struct store *from = NULL;

	while (next_reader(backend, run_id, &from, e))
		if (from->ops->runs_read(from->owned_backend, query, arena, ret_runs, ret_count, e))
			return true;
	return false;
}

static bool spool_event_last(void *backend, const char *run_id, uint64_t *ret_number,
			     char ret_hash[HASH_TEXT_BYTES], struct err *e)
{
	const struct store *from = NULL;

	while (next_reader(backend, run_id, &from, e))
		if (from->ops->event_last(from->owned_backend, run_id, ret_number, ret_hash, e))
			return true;
	return false;
}

static bool spool_events_read(void *backend, const char *run_id, uint64_t after,
			      struct arena *arena, struct event **ret_events, size_t *ret_count,
			      struct err *e)
{
	const struct store *from = NULL;

	while (next_reader(backend, run_id, &from, e))
		if (from->ops->events_read(from->owned_backend, run_id, after, arena, ret_events,
					   ret_count, e))
			return true;
	return false;
}

static bool spool_heals_read(void *backend, const char *run_id, struct arena *arena,
			     struct stored_heal **ret_heals, size_t *ret_count, struct err *e)
{
	const struct store *from = NULL;

	while (next_reader(backend, run_id, &from, e))
		if (from->ops->heals_read(from->owned_backend, run_id, arena, ret_heals, ret_count,
					  e))
			return true;
	return false;
}

static bool spool_tracks_read(void *backend, const char *run_id, struct arena *arena,
			      struct stored_track **ret_tracks, size_t *ret_count, struct err *e)
{
	const struct store *from = NULL;

	while (next_reader(backend, run_id, &from, e))
		if (from->ops->tracks_read(from->owned_backend, run_id, arena, ret_tracks,
					   ret_count, e))
			return true;
	return false;
}

/* From one place: the sink has taken what came before a failure. */
static bool spool_chunks_read(void *backend, const char *run_id, const char *probe,
			      const struct chunk_sink *sink, struct err *e)
{
	const struct store *from = NULL;

	return next_reader(backend, run_id, &from, e) &&
	       from->ops->chunks_read(from->owned_backend, run_id, probe, sink, e);
}

static bool spool_ledger_reads_read(void *backend, const char *run_id, struct arena *arena,
				    struct stored_ledger_read **ret_reads, size_t *ret_count,
				    struct err *e)
{
	const struct store *from = NULL;

	while (next_reader(backend, run_id, &from, e))
		if (from->ops->ledger_reads_read(from->owned_backend, run_id, arena, ret_reads,
						 ret_count, e))
			return true;
	return false;
}

/* From one place, as chunks. */
static bool spool_facts_read(void *backend, const char *run_id, const struct facts_sink *sink,
			     struct err *e)
{
	const struct store *from = NULL;

	return next_reader(backend, run_id, &from, e) &&
	       from->ops->facts_read(from->owned_backend, run_id, sink, e);
}

/* ---- the server's alone ---- */

const struct store *spool_server(struct spool *spool, struct err *e)
{
	const bool is_there = spool->is_in_step ? spool->has_far : spool_far(spool, e);

	if (!is_there)
		(void)spool_fail_away(spool, e);
	return is_there ? &spool->far : NULL;
}

bool spool_told(struct spool *spool, bool ok)
{
	if (!ok && !spool->is_in_step)
		(void)spool_lost(spool);
	return ok;
}

static bool spool_set_insert(void *backend, const struct stored_set *set, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->set_insert(far->owned_backend, set, e));
}

static bool spool_set_finish(void *backend, const struct stored_set *set, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->set_finish(far->owned_backend, set, e));
}

static bool spool_sets_read(void *backend, const char *beginning, size_t limit, struct arena *arena,
			    struct stored_set **ret_sets, size_t *ret_count, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->sets_read(far->owned_backend, beginning, limit, arena,
						 ret_sets, ret_count, e));
}

static bool spool_lock_read(void *backend, const char *target, struct arena *arena,
			    const char **ret_run_id, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->lock_read(far->owned_backend, target, arena, ret_run_id, e));
}

static bool spool_lock_put(void *backend, const char *target, const char *run_id, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->lock_put(far->owned_backend, target, run_id, e));
}

/* Those of a run that is in the spool are dropped when it is brought over. */
static bool spool_locks_drop(void *backend, const char *run_id, struct err *e)
{
	struct spool *spool = backend;
	const struct store *far = far_of(spool);
	const bool is_ours = near_of(spool, run_id) != NULL;

	if (far == NULL)
		return is_ours || spool_fail_away(spool, e);
	spool->is_near_over = is_ours && spool->is_near_ended;
	return far->ops->locks_drop(far->owned_backend, run_id, e);
}

static bool spool_locks_read(void *backend, struct arena *arena, struct lock_row **ret_rows,
			     size_t *ret_count, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->locks_read(far->owned_backend, arena,
								 ret_rows, ret_count, e));
}

static bool spool_approval_insert(void *backend, const struct stored_approval *approval,
				  struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->approval_insert(far->owned_backend, approval, e));
}

static bool spool_approvals_read(void *backend, const char *digest, struct arena *arena,
				 struct stored_approval **ret_approvals, size_t *ret_count,
				 struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->approvals_read(far->owned_backend, digest, arena,
						      ret_approvals, ret_count, e));
}

static bool spool_recording_insert(void *backend, const struct stored_recording *recording,
				   struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->recording_insert(far->owned_backend, recording, e));
}

static bool spool_recordings_read(void *backend, const char *name, const char *title, size_t limit,
				  struct arena *arena, const char ***ret_run_ids, size_t *ret_count,
				  struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->recordings_read(far->owned_backend, name, title, limit, arena,
						       ret_run_ids, ret_count, e));
}

static bool spool_recordings_list(void *backend, struct arena *arena,
				  struct stored_recording **ret_recordings, size_t *ret_count,
				  struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->recordings_list(far->owned_backend, arena,
							     ret_recordings, ret_count, e));
}

static bool spool_stop_insert(void *backend, const struct stop_row *row, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->stop_insert(far->owned_backend, row, e));
}

static bool spool_stop_read(void *backend, const char *run_id, const char *set_id,
			    struct arena *arena, const struct stop_row **ret_stop, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->stop_read(far->owned_backend, run_id, set_id,
								arena, ret_stop, e));
}

static bool spool_stops_lift(void *backend, const struct stop_row *lift, size_t *ret_count,
			     struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->stops_lift(far->owned_backend, lift, ret_count, e));
}

static bool spool_subjects_read(void *backend, struct arena *arena,
				struct stored_subject **ret_subjects, size_t *ret_count,
				struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->subjects_read(far->owned_backend, arena,
								    ret_subjects, ret_count, e));
}

static bool spool_runs_count(void *backend, uint64_t *ret_count, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->runs_count(far->owned_backend, ret_count, e));
}

static bool spool_pause_insert(void *backend, const struct pause_row *row, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->pause_insert(far->owned_backend, row, e));
}

static bool spool_pauses_read(void *backend, struct arena *arena, struct pause_row **ret_rows,
			      size_t *ret_count, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->pauses_read(far->owned_backend, arena,
								  ret_rows, ret_count, e));
}

static bool spool_pauses_lift(void *backend, const struct pause_row *lift, size_t *ret_count,
			      struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->pauses_lift(far->owned_backend, lift, ret_count, e));
}

static bool spool_hold_put(void *backend, const struct hold_row *row, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->hold_put(far->owned_backend, row, e));
}

static bool spool_hold_drop(void *backend, const char *run_id, size_t *ret_count, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL &&
	       spool_told(backend, far->ops->hold_drop(far->owned_backend, run_id, ret_count, e));
}

static bool spool_holds_read(void *backend, struct arena *arena, struct hold_row **ret_rows,
			     size_t *ret_count, struct err *e)
{
	const struct store *far = spool_server(backend, e);

	return far != NULL && spool_told(backend, far->ops->holds_read(far->owned_backend, arena,
								 ret_rows, ret_count, e));
}

/* ---- care ---- */

static int64_t spool_schema_found(const void *backend)
{
	const struct spool *spool = backend;

	return spool->far.ops->schema_found(spool->far.owned_backend);
}

static bool spool_check(void *backend, struct err *e)
{
	struct spool *spool = backend;
	const struct store *far = spool_server(spool, e);

	if (far == NULL || !spool_told(spool, far->ops->check(far->owned_backend, e)))
		return false;
	if (spool->left.kind != ERR_NONE && e != NULL)
		*e = spool->left;
	return spool->left.kind == ERR_NONE;
}

const struct store_ops store_spool = {
	.open = spool_open,
	.close = spool_close,
	.begin = spool_begin,
	.commit = spool_commit,
	.rollback = spool_rollback,
	.make_room = spool_make_room,
	.run_insert = spool_run_insert,
	.run_finish = spool_run_finish,
	.runs_read = spool_runs_read,
	.run_beat = spool_run_beat,
	.set_insert = spool_set_insert,
	.set_finish = spool_set_finish,
	.sets_read = spool_sets_read,
	.event_last = spool_event_last,
	.event_insert = spool_event_insert,
	.events_read = spool_events_read,
	.heal_put = spool_heal_put,
	.heals_read = spool_heals_read,
	.track_put = spool_track_put,
	.chunk_put = spool_chunk_put,
	.tracks_read = spool_tracks_read,
	.chunks_read = spool_chunks_read,
	.ledger_read_put = spool_ledger_read_put,
	.ledger_reads_read = spool_ledger_reads_read,
	.lock_read = spool_lock_read,
	.lock_put = spool_lock_put,
	.locks_drop = spool_locks_drop,
	.locks_read = spool_locks_read,
	.approval_insert = spool_approval_insert,
	.approvals_read = spool_approvals_read,
	.recording_insert = spool_recording_insert,
	.recordings_read = spool_recordings_read,
	.recordings_list = spool_recordings_list,
	.stop_insert = spool_stop_insert,
	.stop_read = spool_stop_read,
	.stops_lift = spool_stops_lift,
	.due_insert = spool_due_insert,
	.due_claim = spool_due_claim,
	.due_take = spool_due_take,
	.due_renew = spool_due_renew,
	.due_finish = spool_due_finish,
	.due_miss = spool_due_miss,
	.dues_miss = spool_dues_miss,
	.dues_read = spool_dues_read,
	.due_sums = spool_due_sums,
	.dues_prune = spool_dues_prune,
	.due_news = spool_due_news,
	.is_shared = true,
	.schema_now = SQL_SCHEMA_VERSION,
	.schema_found = spool_schema_found,
	.check = spool_check,
	.run_delete = spool_run_delete,
	.facts_put = spool_facts_put,
	.facts_read = spool_facts_read,
	.subjects_read = spool_subjects_read,
	.runs_count = spool_runs_count,
	.pause_insert = spool_pause_insert,
	.pauses_read = spool_pauses_read,
	.pauses_lift = spool_pauses_lift,
	.hold_put = spool_hold_put,
	.hold_drop = spool_hold_drop,
	.holds_read = spool_holds_read,
	.audit_insert = spool_audit_insert,
	.audit_finish = spool_audit_finish,
	.audit_read = spool_audit_read,
};
