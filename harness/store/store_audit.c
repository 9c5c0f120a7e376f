/*
 * store_audit.c - see store_audit.h. The seal of a row is made when it begins, and anew with its end.
 */
#include "store/store_audit.h"

#include <assert.h>
#include <string.h>

#include "store/seal.h"
#include "store/store_private.h"

static const char *const outcome_names[] = {
	[AUDIT_BEGUN] = "begun",
	[AUDIT_DONE] = "done",
	[AUDIT_REFUSED] = "refused",
	[AUDIT_FAILED] = "failed",
};

const char *audit_outcome_name(enum audit_outcome outcome)
{
	assert(outcome >= AUDIT_BEGUN && outcome <= AUDIT_FAILED);
	return outcome_names[outcome];
}

/* What is no outcome is none that anybody can rely on; the seal says so, too. */
static enum audit_outcome outcome_of(const char *name)
{
	for (int i = AUDIT_BEGUN; i <= AUDIT_FAILED; i++)
		if (strcmp(outcome_names[i], name) == 0)
			return (enum audit_outcome)i;
	return AUDIT_BEGUN;
}

static void seal_audit(const struct stored_audit *audit, char ret_hash[HASH_TEXT_BYTES])
{
	const struct audit_row *row = &audit->row;
	struct seal seal = { 0 };

	seal_int(&seal, row->wall_ns);
	seal_text(&seal, row->person);
	seal_text(&seal, row->action);
	seal_text(&seal, row->subject);
	seal_text(&seal, row->reason);
	seal_text(&seal, row->address);
	seal_text(&seal, audit->outcome);
	seal_int(&seal, row->ended_wall_ns);
	seal_text(&seal, row->sentence);
	seal_finish(&seal, "", ret_hash);
}

static bool begin_work(struct store *store, void *ctx, struct err *e)
{
	struct stored_audit *audit = ctx;

	return store->ops->audit_insert(store->owned_backend, audit, &audit->row.audit_id, e);
}

bool store_audit_begin(struct store *store, const struct audit_row *row, int64_t *ret_audit_id,
		       struct err *e)
{
	struct arena scratch = { 0 };
	char hash[HASH_TEXT_BYTES];
	struct stored_audit audit = {
		.row = {
			.wall_ns = row->wall_ns,
			.person = store_hide(store, &scratch, row->person),
			.action = row->action,
			.subject = store_hide(store, &scratch, row->subject),
			.reason = store_hide(store, &scratch, row->reason),
			.address = store_hide(store, &scratch, row->address),
		},
		.outcome = outcome_names[AUDIT_BEGUN],
		.seal = hash,
	};

	assert(row->action != NULL && row->address != NULL);

	seal_audit(&audit, hash);

	const bool ok = store_write(store, begin_work, &audit, e);

	arena_release(&scratch);
	if (ok)
		*ret_audit_id = audit.row.audit_id;
	return ok;
}

struct ending {
	const struct audit_row *end;
	struct arena scratch;
};

/* A new seal over an altered row would make it a good one. */
static bool end_work(struct store *store, void *ctx, struct err *e)
{
	const struct ending *ending = ctx;
	struct arena arena = { 0 };
	struct stored_audit *found = NULL;
	char hash[HASH_TEXT_BYTES];
	size_t count = 0;
	bool ok = store->ops->audit_read(store->owned_backend, ending->end->audit_id + 1, 1, &arena,
					 &found, &count, e);

	if (ok && (count == 0 || found[0].row.audit_id != ending->end->audit_id ||
		   strcmp(found[0].outcome, outcome_names[AUDIT_BEGUN]) != 0))
		ok = err_set(e, ERR_INPUT, "end action %lld: no action of this number is under way",
			     (long long)ending->end->audit_id);
	if (ok) {
		seal_audit(&found[0], hash);
		ok = strcmp(hash, found[0].seal) == 0 ||
		     err_set(e, ERR_ALTERED, "end action %lld: its row is not as it was written",
			     (long long)ending->end->audit_id);
	}
	if (ok) {
		found[0].outcome = audit_outcome_name(ending->end->outcome);
		found[0].row.ended_wall_ns = ending->end->ended_wall_ns;
		found[0].row.sentence = ending->end->sentence;
		seal_audit(&found[0], hash);
		found[0].seal = hash;
		ok = store->ops->audit_finish(store->owned_backend, &found[0], e);
	}
	arena_release(&arena);
	return ok;
}

bool store_audit_end(struct store *store, const struct audit_row *end, struct err *e)
{
	struct audit_row clean = *end;
	struct ending ending = { .end = &clean };

	assert(end->outcome > AUDIT_BEGUN && end->sentence != NULL);

	clean.sentence = store_hide(store, &ending.scratch, end->sentence);

	const bool ok = store_write(store, end_work, &ending, e);

	arena_release(&ending.scratch);
	return ok;
}

bool store_audit(struct store *store, int64_t before, size_t limit, struct arena *arena,
		 struct audit_row **ret_rows, size_t *ret_count, struct err *e)
{
	struct stored_audit *found = NULL;
	struct audit_row *rows;
	size_t count = 0;

	if (!store->ops->audit_read(store->owned_backend, before, limit, arena, &found, &count, e))
		return false;
	rows = arena_alloc(arena, (count + 1) * sizeof *rows);
	for (size_t i = 0; i < count; i++) {
		char hash[HASH_TEXT_BYTES];

		seal_audit(&found[i], hash);
		rows[i] = found[i].row;
		rows[i].outcome = outcome_of(found[i].outcome);
		rows[i].is_altered = strcmp(hash, found[i].seal) != 0;
	}
	*ret_rows = rows;
	*ret_count = count;
	return true;
}

bool store_audit_find(struct store *store, int64_t audit_id, struct arena *arena, bool *ret_is_there,
		      struct audit_row *ret_row, struct err *e)
{
	struct audit_row *rows = NULL;
	size_t count = 0;

	assert(audit_id > 0 && audit_id < INT64_MAX);

	if (!store_audit(store, audit_id + 1, 1, arena, &rows, &count, e))
		return false;
	*ret_is_there = count == 1 && rows[0].audit_id == audit_id;
	if (*ret_is_there)
		*ret_row = rows[0];
	return true;
}
