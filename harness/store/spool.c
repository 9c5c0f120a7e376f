/*
 * spool.c - see spool.h: when the server goes away and when it is back, and steps that are made in
 * both places. The rows are in spool_rows.c.
 *
 * The server commits first. Only when it is lost on the way does the spool's commit count alone;
 * when it refuses, the spool forgets the step as well.
 */
#include "store/spool.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "store/store_copy.h"

static const int64_t retry_every_ns = NS_PER_S;

static int64_t now_ns(void)
{
	const struct clock clock = clock_system();

	return clock_now_ns(&clock);
}

bool spool_lost(struct spool *spool)
{
	struct err why;

	if (spool->is_away || !spool->far.ops->is_away(spool->far.owned_backend, &why))
		return false;
	spool->why = why;
	spool->is_away = true;
	spool->has_far = false;
	spool->retry_ns = now_ns() + retry_every_ns;
	return true;
}

bool spool_fail_away(const struct spool *spool, struct err *e)
{
	if (e != NULL)
		*e = spool->why;
	return false;
}

bool spool_has(const struct spool *spool, const char *run_id)
{
	return spool->owned_near != NULL && strcmp(spool->near_run, run_id) == 0;
}

/* ---- the files ---- */

static void remove_files(const char *path)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".reserve" };
	struct text file = { 0 };

	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		text_clear(&file);
		text_addf(&file, "%s%s", path, suffixes[i]);
		(void)unlink(text_str(&file)); /* some are not there */
	}
	text_release(&file);
}

static bool open_near(struct spool *spool, struct err *e)
{
	struct process_id self;
	struct text path = { 0 };
	bool ok;

	if (!process_self(&self, e))
		return false;
	text_addf(&path, "%s/%" PRId64 "-%" PRId64 ".db", spool->owned_folder, self.pid,
		  self.pid_start);
	ok = store_open(text_str(&path), NULL, &spool->owned_near, e) ||
	     err_wrap(e, "make the spool that keeps the run while its store is away");
	if (ok)
		spool->owned_near_path = mem_copy(text_str(&path));
	text_release(&path);
	return ok;
}

bool spool_take_run(struct spool *spool, const char *run_id, struct err *e)
{
	assert(spool->is_in_step);

	if (spool->owned_near == NULL && !open_near(spool, e))
		return false;
	if (!spool->has_near &&
	    !spool->owned_near->ops->begin(spool->owned_near->owned_backend, true, e))
		return false;
	spool->has_near = true;
	(void)snprintf(spool->near_run, sizeof spool->near_run, "%s", run_id);
	spool->is_near_ended = false;
	spool->is_near_over = false;
	return true;
}

/* A spool that cannot be written is none: with a gap it would be worse. As long as the server is
   there, nothing is lost. */
static void spool_give_up(struct spool *spool)
{
	spool->near_run[0] = '\0';
}

static bool forget_work(struct store *store, void *ctx, struct err *e)
{
	return store->ops->run_delete(store->owned_backend, ctx, e);
}

static void forget_run(struct spool *spool)
{
	assert(!spool->is_in_step);

	/* One that stays is brought over again by the next command, which changes nothing. */
	(void)store_write(spool->owned_near, forget_work, spool->near_run, NULL);
	spool->near_run[0] = '\0';
}

/* ---- away and back ---- */

/* The run is there as it is here. When somebody else has gone on with it meanwhile (healed it,
   since we gave no sign of life), the spool follows the server from here on. */
static bool bring_own_run(struct spool *spool, struct err *e)
{
	struct store *near = spool->owned_near;
	struct store *far = &spool->far;
	char far_hash[HASH_TEXT_BYTES] = "";
	char near_hash[HASH_TEXT_BYTES] = "";
	uint64_t number = 0;

	if (near == NULL || spool->near_run[0] == '\0')
		return true;
	if (!store_copy_run(near, far, spool->near_run, FORK_FOLLOWS, e) ||
	    !far->ops->event_last(far->owned_backend, spool->near_run, &number, far_hash, e) ||
	    !near->ops->event_last(near->owned_backend, spool->near_run, &number, near_hash, e))
		return false;
	if (spool->is_near_ended) {
		if (!store_locks_drop(far, spool->near_run, e))
			return false;
		forget_run(spool);
		return true;
	}
	return strcmp(far_hash, near_hash) == 0 ||
	       (store_write(near, forget_work, spool->near_run, e) &&
		store_copy_run(far, near, spool->near_run, FORK_REFUSED, e));
}

static bool is_back(struct store *far, struct err *e)
{
	if (!far->ops->begin(far->owned_backend, false, e))
		return false;
	far->ops->rollback(far->owned_backend);
	return true;
}

bool spool_far(struct spool *spool, struct err *e)
{
	const int64_t begun_ns = now_ns();
	struct err failure = { 0 };

	if (!spool->is_away)
		return true;
	if (begun_ns < spool->retry_ns)
		return spool_fail_away(spool, e);
	if (is_back(&spool->far, &failure) && bring_own_run(spool, &failure)) {
		spool->is_away = false;
		return true;
	}
	/* One that is silent must not take all of our time. */
	spool->why = failure;
	spool->retry_ns = now_ns() + retry_every_ns + 3 * (now_ns() - begun_ns);
	return spool_fail_away(spool, e);
}

bool store_is_away(const struct store *store)
{
	const struct spool *spool = store->owned_backend;

	return store->ops == &store_spool && spool->is_away;
}

/* ---- what dead processes have left ---- */

/* "PID-START.db": of a process that is gone? */
static bool is_left(const char *path, const struct run_row *rows, size_t count)
{
	struct process_id self;
	int64_t pid = 0;
	int64_t pid_start = 0;

	if (!process_self(&self, NULL) ||
	    sscanf(strrchr(path, '/'), "/%" SCNd64 "-%" SCNd64 ".db", &pid, &pid_start) != 2 ||
	    process_is_alive(self.boot_id, pid, pid_start))
		return false;
	/* One in another container is known by the signs of life of its run. */
	for (size_t i = 0; i < count; i++)
		if (!rows[i].is_ended && store_run_is_alive(&rows[i]))
			return false;
	return true;
}

/* Brings what is in this file to the server and removes it. One of a living process is passed over.
 */
static bool bring_file(struct store *far, const char *path, struct err *e)
{
	struct arena arena = { 0 };
	struct store *near = NULL;
	struct run_row *rows = NULL;
	size_t count = 0;
	bool ok = store_open(path, NULL, &near, e) && store_runs(near, 0, &arena, &rows, &count, e);
	const bool is_ours = ok && is_left(path, rows, count);

	for (size_t i = count; ok && is_ours && i > 0; i--)
		ok = store_copy_run(near, far, rows[i - 1].run_id, FORK_FOLLOWS, e) &&
		     (!rows[i - 1].is_ended || store_locks_drop(far, rows[i - 1].run_id, e));
	store_close(near);
	arena_release(&arena);
	if (ok && is_ours)
		remove_files(path);
	return ok || err_wrap(e, "bring the spool %s to the store", path);
}

static void add_folder(const char *url, struct text *folder)
{
	store_beside(url, folder);
	text_add(folder, ".spool");
}

bool store_spools(const char *url, struct arena *arena, const char *const **ret_paths,
		  size_t *ret_count)
{
	struct text folder = { 0 };
	const char **paths = NULL;
	size_t count = 0;

	add_folder(url, &folder);

	DIR *open_folder = opendir(text_str(&folder));

	while (open_folder != NULL) {
		const struct dirent *entry = readdir(open_folder);
		const size_t length = entry == NULL ? 0 : strlen(entry->d_name);

		if (entry == NULL)
			break;
		if (length <= 3 || strcmp(entry->d_name + length - 3, ".db") != 0)
			continue;
		paths = arena_more(arena, paths, count, sizeof *paths);
		paths[count++] = arena_format(arena, "%s/%s", text_str(&folder), entry->d_name);
	}
	if (open_folder != NULL)
		(void)closedir(open_folder); /* only read */
	text_release(&folder);
	*ret_paths = paths;
	*ret_count = count;
	return count > 0;
}

/* The first failure is kept: what could not be brought stays where it is, and a check tells of it.
 */
static bool bring_all(struct store *far, const char *url, struct err *e)
{
	struct arena arena = { 0 };
	const char *const *paths = NULL;
	size_t count = 0;
	bool ok = true;

	(void)store_spools(url, &arena, &paths, &count);
	for (size_t i = 0; i < count; i++)
		ok = bring_file(far, paths[i], ok ? e : NULL) && ok;
	arena_release(&arena);
	return ok;
}

/* ---- open and close ---- */

void spool_set_deadline(void *backend, int64_t deadline_ns)
{
	struct spool *spool = backend;

	/* A spool is a file of this process alone: it does not make anybody wait. */
	store_set_deadline(&spool->far, deadline_ns);
}

bool spool_open(const char *url, int64_t deadline_ns, void **ret_backend, struct err *e)
{
	void *backend = NULL;
	struct text folder = { 0 };

	if (!store_postgres.open(url, deadline_ns, &backend, e))
		return false;

	struct spool *spool = mem_alloc(sizeof *spool);

	spool->far = (struct store){ .ops = &store_postgres, .owned_backend = backend };
	add_folder(url, &folder);
	spool->owned_folder = mem_copy(text_str(&folder));
	text_release(&folder);
	(void)bring_all(&spool->far, url, &spool->left);
	*ret_backend = spool;
	return true;
}

void spool_close(void *backend)
{
	struct spool *spool = backend;

	if (spool == NULL)
		return;
	spool->far.ops->close(spool->far.owned_backend);
	store_close(spool->owned_near);
	if (spool->owned_near_path != NULL && spool->near_run[0] == '\0')
		remove_files(spool->owned_near_path);
	(void)rmdir(spool->owned_folder); /* kept while there is something in it */
	free(spool->owned_near_path);
	free(spool->owned_folder);
	free(spool);
}

/* ---- steps ---- */

bool spool_begin(void *backend, bool is_write, struct err *e)
{
	struct spool *spool = backend;
	const struct store *near = spool->owned_near;

	assert(!spool->is_in_step);

	spool->has_far = spool_far(spool, NULL);
	if (spool->has_far && !spool->far.ops->begin(spool->far.owned_backend, is_write, e)) {
		spool->has_far = false;
		if (!spool_lost(spool))
			return false;
	}
	spool->has_near =
		spool->near_run[0] != '\0' && near->ops->begin(near->owned_backend, is_write, NULL);
	if (spool->near_run[0] != '\0' && is_write && !spool->has_near && spool->has_far)
		spool_give_up(spool);
	spool->is_in_step = spool->has_far || spool->has_near;
	return spool->is_in_step || spool_fail_away(spool, e);
}

static void end_step(struct spool *spool)
{
	spool->is_in_step = false;
	spool->has_far = false;
	spool->has_near = false;
}

void spool_rollback(void *backend)
{
	struct spool *spool = backend;

	if (spool->has_far)
		spool->far.ops->rollback(spool->far.owned_backend);
	if (spool->has_near)
		spool->owned_near->ops->rollback(spool->owned_near->owned_backend);
	end_step(spool);
}

bool spool_commit(void *backend, struct err *e)
{
	struct spool *spool = backend;
	const struct store *near = spool->owned_near;

	/* Lost on the way: the step is made again, in the spool alone. */
	if (spool->has_far && !spool->far.ops->commit(spool->far.owned_backend, e))
		return false;
	if (spool->has_near && !near->ops->commit(near->owned_backend, spool->has_far ? NULL : e)) {
		if (!spool->has_far)
			return false;
		near->ops->rollback(near->owned_backend);
		spool_give_up(spool);
	}
	end_step(spool);
	if (spool->is_near_over)
		forget_run(spool);
	return true;
}

bool spool_make_room(void *backend)
{
	struct spool *spool = backend;

	if (spool_lost(spool))
		return spool->near_run[0] != '\0';
	if (!spool->is_away)
		return spool->far.ops->make_room(spool->far.owned_backend);
	return spool->near_run[0] != '\0' &&
	       spool->owned_near->ops->make_room(spool->owned_near->owned_backend);
}
