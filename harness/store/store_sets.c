/*
 * store_sets.c - sets of trials: what links several runs of one experiment. The trials themselves
 * are runs, kept and sealed as every run is; a run names its set, and its seal covers that.
 */
#include "store/store_private.h"

#include <assert.h>
#include <string.h>

#include "base/process.h"
#include "store/seal.h"

static void seal_begin(const struct stored_set *set, char ret_hash[HASH_TEXT_BYTES])
{
	const struct set_row *row = &set->row;
	struct seal seal = { 0 };

	seal_text(&seal, row->set_id);
	seal_text(&seal, row->title);
	seal_text(&seal, row->version);
	seal_int(&seal, row->wall_ns);
	seal_int(&seal, (int64_t)row->seed);
	seal_int(&seal, row->planned_count);
	seal_text(&seal, row->boot_id);
	seal_int(&seal, row->pid);
	seal_int(&seal, row->pid_start);
	seal_finish(&seal, "", ret_hash);
}

static void seal_end(const struct stored_set *set, char ret_hash[HASH_TEXT_BYTES])
{
	const struct set_row *row = &set->row;
	struct seal seal = { 0 };

	seal_int(&seal, row->ended_wall_ns);
	seal_int(&seal, row->trial_count);
	seal_int(&seal, row->exit_code);
	seal_text(&seal, row->sentence);
	seal_text(&seal, row->stopped);
	seal_finish(&seal, set->seal, ret_hash);
}

bool store_set_check(const struct stored_set *set, struct err *e)
{
	char hash[HASH_TEXT_BYTES];
	bool is_whole;

	seal_begin(set, hash);
	is_whole = strcmp(hash, set->seal) == 0;
	if (is_whole && set->row.is_ended) {
		seal_end(set, hash);
		is_whole = strcmp(hash, set->end_seal) == 0;
	} else if (is_whole) { /* the end is written in one go: without its seal there is nothing of it */
		is_whole = set->row.ended_wall_ns == 0 && set->row.sentence == NULL;
	}
	if (is_whole)
		return true;
	return err_set(e, ERR_ALTERED,
		       "read the set of trials %s: it is not as it was written; bring back a copy "
		       "of the store",
		       set->row.set_id);
}

/* ---- begin and end ---- */

/* The set with exactly this id; *ret_is_there false: none. */
static bool read_exact(struct store *store, const char *set_id, struct arena *arena,
		       struct stored_set *ret_set, bool *ret_is_there, struct err *e)
{
	struct stored_set *found = NULL;
	size_t count = 0;

	*ret_is_there = false;
	if (!store->ops->sets_read(store->owned_backend, set_id, 0, arena, &found, &count, e))
		return false;
	for (size_t i = 0; i < count && !*ret_is_there; i++) {
		if (strcmp(found[i].row.set_id, set_id) != 0)
			continue;
		*ret_set = found[i];
		*ret_is_there = true;
	}
	return true;
}

static bool set_begin_work(struct store *store, void *ctx, struct err *e)
{
	const struct stored_set *set = ctx;
	const struct run_query same = { .match = RUN_EXACT, .run = set->row.set_id, .limit = 1 };
	struct arena scratch = { 0 };
	struct stored_run *runs = NULL;
	struct stored_set other;
	size_t run_count = 0;
	bool is_there = false;
	bool ok = store->ops->runs_read(store->owned_backend, &same, &scratch, &runs, &run_count,
					e) &&
		  read_exact(store, set->row.set_id, &scratch, &other, &is_there, e);

	if (ok && (is_there || run_count > 0))
		ok = err_set(e, ERR_STORE, "begin the set of trials %s: the store has this id",
			     set->row.set_id);
	ok = ok && store->ops->set_insert(store->owned_backend, set, e);
	arena_release(&scratch);
	return ok;
}

bool store_set_begin(struct store *store, const struct set_row *row, struct err *e)
{
	struct process_id self;
	struct arena scratch = { 0 };
	struct stored_set set = { .row = *row };
	char hash[HASH_TEXT_BYTES];
	bool ok;

	assert(row->set_id != NULL);

	if (!store_check_id(row->set_id, e) || !process_self(&self, e))
		return false;
	set.row.boot_id = self.boot_id;
	set.row.pid = self.pid;
	set.row.pid_start = self.pid_start;
	set.row.title = store_hide(store, &scratch, row->title);
	set.row.version = store_hide(store, &scratch, row->version);
	seal_begin(&set, hash);
	set.seal = hash;
	ok = store_write(store, set_begin_work, &set, e);
	arena_release(&scratch);
	return ok;
}

static bool set_end_work(struct store *store, void *ctx, struct err *e)
{
	const struct set_row *end = ctx;
	struct arena scratch = { 0 };
	struct stored_set set = { 0 };
	char hash[HASH_TEXT_BYTES];
	bool is_there = false;
	bool ok = read_exact(store, end->set_id, &scratch, &set, &is_there, e);

	if (ok && (!is_there || set.row.is_ended))
		ok = err_set(e, ERR_STORE, "end the set of trials %s: %s", end->set_id,
			     is_there ? "it has ended already" : "the store has none with this id");
	if (ok) {
		set.row.ended_wall_ns = end->ended_wall_ns;
		set.row.trial_count = end->trial_count;
		set.row.exit_code = end->exit_code;
		set.row.sentence = end->sentence;
		set.row.stopped = end->stopped;
		seal_end(&set, hash);
		set.end_seal = hash;
		ok = store->ops->set_finish(store->owned_backend, &set, e);
	}
	arena_release(&scratch);
	return ok;
}

bool store_set_end(struct store *store, const struct set_row *end, struct err *e)
{
	struct arena scratch = { 0 };
	struct set_row clean = *end;
	bool ok;

	assert(end->set_id != NULL);

	clean.sentence = store_hide(store, &scratch, end->sentence);
	clean.stopped = store_hide(store, &scratch, end->stopped);
	ok = store_write(store, set_end_work, &clean, e);
	arena_release(&scratch);
	return ok;
}

bool store_set_copy(struct store *store, const struct stored_set *set, bool *ret_is_new, struct err *e)
{
	struct arena scratch = { 0 };
	struct stored_set there = { 0 };
	bool is_there = false;
	bool is_new = false;
	bool ok = read_exact(store, set->row.set_id, &scratch, &there, &is_there, e);

	if (ok && is_there && strcmp(there.seal, set->seal) != 0)
		ok = err_set(e, ERR_REFUSED,
			     "copy the set of trials %s: there is another one with this id already",
			     set->row.set_id);
	if (ok && !is_there) {
		is_new = true;
		ok = store->ops->set_insert(store->owned_backend, set, e);
	}
	if (ok && set->row.is_ended && !there.row.is_ended) {
		is_new = true;
		ok = store->ops->set_finish(store->owned_backend, set, e);
	}
	arena_release(&scratch);
	if (ok)
		*ret_is_new = is_new;
	return ok;
}

/* ---- finding ---- */

bool store_sets(struct store *store, size_t limit, struct arena *arena, struct set_row **ret_rows,
		size_t *ret_count, struct err *e)
{
	struct stored_set *found = NULL;
	size_t count = 0;

	if (!store->ops->sets_read(store->owned_backend, NULL, limit, arena, &found, &count, e))
		return false;

	struct set_row *rows = arena_alloc(arena, (count + 1) * sizeof *rows);

	for (size_t i = 0; i < count; i++)
		rows[i] = found[i].row;
	*ret_rows = rows;
	*ret_count = count;
	return true;
}

bool store_set_find(struct store *store, const char *set, struct arena *arena,
		    struct set_row *ret_row, struct err *e)
{
	struct stored_set *found = NULL;
	size_t count = 0;
	size_t meant = 0;

	if (set[0] == '\0')
		return err_set(e, ERR_INPUT, "find a set of trials: no id was given");
	if (!store->ops->sets_read(store->owned_backend, set, 0, arena, &found, &count, e))
		return false;
	if (count == 0)
		return err_set(e, ERR_INPUT,
			       "find the set of trials %.80s: the store has none whose id begins so; "
			       "`firedrill list` shows them",
			       set);
	while (meant < count && strcmp(found[meant].row.set_id, set) != 0)
		meant++;
	if (meant == count && count > 1)
		return err_set(e, ERR_INPUT,
			       "find the set of trials %.80s: %zu begin so, such as %s and %s; write "
			       "more of the id",
			       set, count, found[0].row.set_id, found[1].row.set_id);
	meant = meant == count ? 0 : meant;
	if (!store_set_check(&found[meant], e))
		return false;
	*ret_row = found[meant].row;
	return true;
}

bool store_set_is_alive(const struct set_row *row)
{
	return process_is_alive(row->boot_id, row->pid, row->pid_start);
}
