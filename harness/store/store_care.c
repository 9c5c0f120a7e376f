/*
 * store_care.c - see store_care.h.
 */
#include "store/store_care.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/bundle.h"
#include "store/store_copy.h"

struct store_schema store_schema(const struct store *store)
{
	return (struct store_schema){
		.found = store->ops->schema_found(store->owned_backend),
		.now = store->ops->schema_now,
	};
}

/* ---- check ---- */

static void tell(struct store_findings *findings, const struct err *e)
{
	findings->bad_count++;
	if (findings->tell != NULL)
		findings->tell(findings->ctx, e->text);
}

/* An altered row is a finding; anything else ends the check. */
static bool note(struct store_findings *findings, bool ok, struct err *e)
{
	if (ok)
		return true;
	if (e->kind != ERR_ALTERED)
		return false;
	tell(findings, e);
	err_clear(e);
	return true;
}

static bool check_runs(struct store *store, struct store_findings *findings, struct err *e)
{
	struct arena arena = { 0 };
	struct run_row *rows = NULL;
	bool ok = note(findings, store_runs(store, 0, &arena, &rows, &findings->run_count, e), e);

	for (size_t i = 0; ok && i < findings->run_count; i++) {
		struct arena scratch = { 0 };
		struct timeline timeline = { 0 };

		ok = note(findings, store_timeline(store, rows[i].run_id, &scratch, &timeline, e),
			  e);
		findings->event_count += timeline.event_count;
		arena_release(&scratch);
	}
	arena_release(&arena);
	return ok;
}

static bool check_others(struct store *store, struct store_findings *findings, struct err *e)
{
	struct arena arena = { 0 };
	struct set_row *sets = NULL;
	struct approval_row *approvals = NULL;
	struct heal_row *heals = NULL;
	size_t heal_count = 0;
	const bool ok =
		note(findings, store_sets(store, 0, &arena, &sets, &findings->set_count, e), e) &&
		note(findings,
		     store_approvals(store, NULL, &arena, &approvals, &findings->approval_count, e),
		     e) &&
		note(findings, store_heals_open(store, NULL, &arena, &heals, &heal_count, e), e);

	arena_release(&arena);
	return ok;
}

bool store_check(struct store *store, struct store_findings *findings, struct err *e)
{
	/* First: in a damaged file rows may be missing without a word. */
	return note(findings, store->ops->check(store->owned_backend, e), e) &&
	       check_runs(store, findings, e) && check_others(store, findings, e);
}

/* ---- copies ---- */

bool store_has_backup(const struct store *store)
{
	return store->ops->backup != NULL;
}

bool store_backup(struct store *store, const char *path, struct err *e)
{
	if (access(path, F_OK) == 0)
		return err_set(e, ERR_INPUT,
			       "back up the store to %s: there is such a file; name another", path);
	return store->ops->backup(store->owned_backend, path, e);
}

static bool refuse_open_heals(struct store *bundle, struct err *e)
{
	struct arena arena = { 0 };
	struct heal_row *rows = NULL;
	size_t count = 0;
	bool ok = store_heals_open(bundle, NULL, &arena, &rows, &count, e);

	if (ok && count > 0)
		ok = err_set(
			e, ERR_REFUSED,
			"something of it is unhealed, and `firedrill heal` here would act on a "
			"record from elsewhere; heal it where it ran and export it again");
	arena_release(&arena);
	return ok;
}

static bool is_there(struct store *store, const char *run_id, struct err *e)
{
	struct arena arena = { 0 };
	struct run_row row;
	struct err none = { 0 };
	const bool is = store_run_find(store, run_id, &arena, &row, &none) &&
			strcmp(row.run_id, run_id) == 0;

	(void)e;
	arena_release(&arena);
	return is;
}

/* All of the bundle is read once before any of it is written: a row that does not fit comes late.
 */
enum import_end store_import(struct store *store, const char *bundle_path, struct arena *arena,
			     struct run_row *ret_row, struct err *e)
{
	struct store *bundle = NULL;
	struct run_row row = { 0 }; /* its texts are the bundle's */
	struct timeline timeline = { 0 };
	struct timeline copy = { 0 };
	enum import_end end = IMPORT_FAILED;
	bool was_there = false;

	if (!bundle_store_open(bundle_path, &bundle, e) ||
	    !store_run_find(bundle, "last", arena, &row, e) ||
	    !store_timeline(bundle, row.run_id, arena, &timeline, e) ||
	    !refuse_open_heals(bundle, e))
		goto out;
	was_there = is_there(store, row.run_id, e);
	if (!store_copy_run(bundle, store, row.run_id, FORK_REFUSED, e) ||
	    !store_timeline(store, row.run_id, arena, &copy, e) ||
	    !store_run_find(store, row.run_id, arena, ret_row, e))
		goto out;
	if (strcmp(copy.head, timeline.head) != 0)
		err_set(e, ERR_REFUSED,
			"the store has this run, and more of it than the bundle (head %s, the "
			"bundle "
			"has %s); it stays as it is there",
			copy.head, timeline.head);
	else
		end = was_there ? IMPORT_WAS_THERE : IMPORT_DONE;
out:
	store_close(bundle);
	if (end == IMPORT_FAILED)
		(void)err_wrap(e, "import %s", bundle_path);
	return end;
}
