/*
 * store_parts.c - see store_parts.h.
 */
#include "store/store_parts.h"

#include <string.h>

#include "store/parts_file.h"
#include "store/store_private.h"

/* ---- out ---- */

static bool read_parts(struct store *store, struct arena *arena, struct store_parts *parts,
		       struct err *e)
{
	const struct store_ops *ops = store->ops;

	if (!ops->sets_read(store->owned_backend, NULL, 0, arena, &parts->sets, &parts->set_count, e) ||
	    !ops->recordings_list(store->owned_backend, arena, &parts->recordings,
				  &parts->recording_count, e) ||
	    !ops->holds_read(store->owned_backend, arena, &parts->holds, &parts->hold_count, e) ||
	    !ops->pauses_read(store->owned_backend, arena, &parts->pauses, &parts->pause_count, e))
		return false;
	for (size_t i = 0; i < parts->set_count; i++)
		if (!store_set_check(&parts->sets[i], e))
			return false;
	return true;
}

static bool count_rest(struct store *store, struct arena *arena, struct parts_counts *counts,
		       struct err *e)
{
	struct approval_row *approvals = NULL;
	struct audit_row *audits = NULL;
	struct due_sums dues = { 0 };
	struct stop_row stop;

	if (!store_approvals(store, NULL, arena, &approvals, &counts->approval_count, e) ||
	    !store_audit(store, 0, 0, arena, &audits, &counts->audit_count, e) ||
	    !store_due_sums(store, arena, &dues, e) ||
	    !store_stop_find(store, NULL, NULL, arena, &counts->is_stopped, &stop, e))
		return false;
	for (size_t i = 0; i < dues.count; i++)
		for (size_t state = 0; state < DUE_STATE_SLOTS; state++)
			counts->due_count += dues.rows[i].counts[state];
	return true;
}

bool store_parts_export(struct store *store, const char *exporter, struct text *json,
			struct parts_counts *ret_counts, struct err *e)
{
	struct arena arena = { 0 };
	struct store_parts parts = { 0 };
	struct parts_counts counts = { 0 };
	const bool ok = read_parts(store, &arena, &parts, e) && count_rest(store, &arena, &counts, e);

	if (ok) {
		parts_print(&parts, exporter, json);
		counts.set_count = parts.set_count;
		counts.recording_count = parts.recording_count;
		counts.hold_count = parts.hold_count;
		counts.pause_count = parts.pause_count;
		*ret_counts = counts;
	}
	arena_release(&arena);
	return ok;
}

/* ---- in ---- */

struct taking {
	const struct store_parts *parts;
	struct parts_counts counts;
};

static bool has_run(struct store *store, enum run_match match, const char *id, bool *ret_has,
		    struct err *e)
{
	const struct run_query query = { .match = match, .run = id, .limit = 1 };
	struct arena scratch = { 0 };
	struct stored_run *runs = NULL;
	size_t count = 0;
	const bool ok = store->ops->runs_read(store->owned_backend, &query, &scratch, &runs, &count, e);

	*ret_has = count > 0;
	arena_release(&scratch);
	return ok;
}

/* A set without any of its trials would be a sentence about nothing. */
static bool take_set(struct store *store, struct taking *taking, const struct stored_set *set,
		     struct err *e)
{
	bool has_trial = false;
	bool is_run = false;
	bool is_new = false;

	if (!store_check_id(set->row.set_id, e) || !store_set_check(set, e) ||
	    !has_run(store, RUN_EXACT, set->row.set_id, &is_run, e) ||
	    !has_run(store, RUN_OF_SET, set->row.set_id, &has_trial, e))
		return false;
	if (is_run)
		return err_set(e, ERR_REFUSED, "copy the set of trials %s: a run has this id",
			       set->row.set_id);
	if (has_trial && !store_set_copy(store, set, &is_new, e))
		return false;
	taking->counts.stray_count += !has_trial;
	taking->counts.set_count += is_new;
	return true;
}

static bool take_sets(struct store *store, struct taking *taking, struct err *e)
{
	for (size_t i = taking->parts->set_count; i > 0; i--) /* they are read newest first */
		if (!take_set(store, taking, &taking->parts->sets[i - 1], e))
			return false;
	return true;
}

static bool is_recorded(struct store *store, const struct stored_recording *recording, bool *ret_is,
			struct err *e)
{
	struct arena scratch = { 0 };
	const char **run_ids = NULL;
	size_t count = 0;
	const bool ok = store->ops->recordings_read(store->owned_backend, recording->name,
						    recording->title, INT32_MAX, &scratch, &run_ids,
						    &count, e);

	*ret_is = false;
	for (size_t i = 0; ok && i < count; i++)
		*ret_is |= strcmp(run_ids[i], recording->run_id) == 0;
	arena_release(&scratch);
	return ok;
}

static bool take_recordings(struct store *store, struct taking *taking, struct err *e)
{
	for (size_t i = 0; i < taking->parts->recording_count; i++) {
		const struct stored_recording *recording = &taking->parts->recordings[i];
		bool has_its_run = false;
		bool is_there = false;

		if (!has_run(store, RUN_EXACT, recording->run_id, &has_its_run, e) ||
		    !is_recorded(store, recording, &is_there, e))
			return false;
		if (has_its_run && !is_there &&
		    !store->ops->recording_insert(store->owned_backend, recording, e))
			return false;
		taking->counts.stray_count += !has_its_run;
		taking->counts.recording_count += has_its_run && !is_there;
	}
	return true;
}

static bool take_holds(struct store *store, struct taking *taking, struct err *e)
{
	struct arena scratch = { 0 };
	struct hold_row *there = NULL;
	size_t there_count = 0;
	bool ok = store->ops->holds_read(store->owned_backend, &scratch, &there, &there_count, e);

	for (size_t i = 0; ok && i < taking->parts->hold_count; i++) {
		const struct hold_row *hold = &taking->parts->holds[i];
		bool has_its_run = false;
		bool is_there = false;

		for (size_t j = 0; j < there_count; j++)
			is_there |= strcmp(there[j].run_id, hold->run_id) == 0;
		ok = has_run(store, RUN_EXACT, hold->run_id, &has_its_run, e) &&
		     (!has_its_run || is_there ||
		      store->ops->hold_put(store->owned_backend, hold, e));
		taking->counts.stray_count += !has_its_run;
		taking->counts.hold_count += has_its_run && !is_there;
	}
	arena_release(&scratch);
	return ok;
}

static bool take_pauses(struct store *store, struct taking *taking, struct err *e)
{
	struct arena scratch = { 0 };
	struct pause_row *there = NULL;
	size_t there_count = 0;
	bool ok = store->ops->pauses_read(store->owned_backend, &scratch, &there, &there_count, e);

	for (size_t i = 0; ok && i < taking->parts->pause_count; i++) {
		const struct pause_row *pause = &taking->parts->pauses[i];
		bool is_there = false;

		for (size_t j = 0; j < there_count; j++)
			is_there |= strcmp(there[j].schedule, pause->schedule) == 0;
		ok = is_there || store->ops->pause_insert(store->owned_backend, pause, e);
		taking->counts.pause_count += !is_there;
	}
	arena_release(&scratch);
	return ok;
}

static bool take_work(struct store *store, void *ctx, struct err *e)
{
	struct taking *taking = ctx;

	taking->counts = (struct parts_counts){ 0 };
	return take_sets(store, taking, e) && take_recordings(store, taking, e) &&
	       take_holds(store, taking, e) && take_pauses(store, taking, e);
}

bool store_parts_import(struct store *store, const struct text *json, struct parts_counts *ret_counts,
			struct err *e)
{
	struct arena arena = { 0 };
	struct store_parts parts = { 0 };
	struct taking taking = { .parts = &parts };
	const bool ok = parts_parse(text_str(json), json->length_bytes, &arena, &parts, e) &&
			store_write(store, take_work, &taking, e);

	arena_release(&arena);
	if (ok)
		*ret_counts = taking.counts;
	return ok;
}
