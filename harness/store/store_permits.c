/*
 * store_permits.c - who has agreed to what, and orders to stop.
 *
 * An approval is sealed as every row is that somebody may later have to answer for. An order to stop
 * has no seal: a damaged one still stops.
 */
#include "store/store_private.h"

#include <assert.h>
#include <string.h>

#include "store/seal.h"

static void seal_approval(const struct approval_row *row, char ret_hash[HASH_TEXT_BYTES])
{
	struct seal seal = { 0 };

	seal_text(&seal, row->digest);
	seal_text(&seal, row->person);
	seal_text(&seal, row->account);
	seal_text(&seal, row->title);
	seal_int(&seal, row->wall_ns);
	seal_int(&seal, row->until_wall_ns);
	seal_finish(&seal, "", ret_hash);
}

static bool approve_work(struct store *store, void *ctx, struct err *e)
{
	return store->ops->approval_insert(store->owned_backend, ctx, e);
}

bool store_approve(struct store *store, const struct approval_row *row, struct err *e)
{
	struct arena scratch = { 0 };
	struct stored_approval approval = { .row = *row };
	char hash[HASH_TEXT_BYTES];
	bool ok;

	assert(row->digest != NULL);
	assert(row->person != NULL && row->account != NULL);

	/* A hole in a name could make two people one. */
	ok = store_refuse_secret(store, row->person, "who has approved", e);
	if (ok) {
		approval.row.account = store_hide(store, &scratch, row->account);
		approval.row.title = store_hide(store, &scratch, row->title);
		seal_approval(&approval.row, hash);
		approval.seal = hash;
		ok = store_write(store, approve_work, &approval, e);
	}
	arena_release(&scratch);
	return ok;
}

bool store_approvals(struct store *store, const char *digest, struct arena *arena,
		     struct approval_row **ret_rows, size_t *ret_count, struct err *e)
{
	struct stored_approval *found = NULL;
	size_t count = 0;

	if (!store->ops->approvals_read(store->owned_backend, digest, arena, &found, &count, e))
		return false;

	struct approval_row *rows = arena_alloc(arena, (count + 1) * sizeof *rows);

	for (size_t i = 0; i < count; i++) {
		char hash[HASH_TEXT_BYTES];

		seal_approval(&found[i].row, hash);
		if (strcmp(hash, found[i].seal) != 0)
			return err_set(e, ERR_ALTERED,
				       "read the approval of `%.60s`: it is not as it was written; "
				       "bring back a copy of the store, or approve again",
				       found[i].row.title == NULL ? "?" : found[i].row.title);
		rows[i] = found[i].row;
	}
	*ret_rows = rows;
	*ret_count = count;
	return true;
}

static bool stop_work(struct store *store, void *ctx, struct err *e)
{
	return store->ops->stop_insert(store->owned_backend, ctx, e);
}

bool store_stop(struct store *store, const struct stop_row *row, struct err *e)
{
	struct arena scratch = { 0 };
	struct stop_row clean = *row;

	clean.person = store_hide(store, &scratch, row->person);
	clean.reason = store_hide(store, &scratch, row->reason);

	const bool ok = store_write(store, stop_work, &clean, e);

	arena_release(&scratch);
	return ok;
}

const char *store_suite_of(const char *run_id, const char *set_id, struct arena *arena)
{
	const char *member = set_id != NULL ? set_id : run_id;
	const char *end = member == NULL ? NULL : strrchr(member, SUITE_MEMBER[0]);
	const size_t length = sizeof SUITE_MEMBER - 1;

	if (end == NULL || end == member || strncmp(end, SUITE_MEMBER, length) != 0 ||
	    strlen(end + length) < 2 || end[length + strspn(end + length, "0123456789")] != '\0')
		return NULL;
	return arena_copy_bytes(arena, member, (size_t)(end - member));
}

bool store_stop_find(struct store *store, const char *run_id, const char *set_id,
		     struct arena *arena, bool *ret_is_there, struct stop_row *ret_row,
		     struct err *e)
{
	const char *suite_id = store_suite_of(run_id, set_id, arena);
	const struct stop_row *stop = NULL;

	if (!store->ops->stop_read(store->owned_backend, run_id, set_id, arena, &stop, e))
		return false;
	if (stop == NULL && suite_id != NULL &&
	    !store->ops->stop_read(store->owned_backend, suite_id, NULL, arena, &stop, e))
		return false;
	*ret_is_there = stop != NULL;
	if (stop != NULL)
		*ret_row = *stop;
	return true;
}

struct lifting {
	struct stop_row lift;
	size_t count;
};

static bool lift_work(struct store *store, void *ctx, struct err *e)
{
	struct lifting *lifting = ctx;

	return store->ops->stops_lift(store->owned_backend, &lifting->lift, &lifting->count, e);
}

bool store_resume(struct store *store, const struct stop_row *lift, size_t *ret_count,
		  struct err *e)
{
	struct arena scratch = { 0 };
	struct lifting lifting = { .lift = *lift };

	lifting.lift.person = store_hide(store, &scratch, lift->person);
	lifting.lift.reason = store_hide(store, &scratch, lift->reason);

	const bool ok = store_write(store, lift_work, &lifting, e);

	arena_release(&scratch);
	if (ok)
		*ret_count = lifting.count;
	return ok;
}
