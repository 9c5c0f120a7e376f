/*
 * store.c - open, close, and what every part of the store needs: secrets out, one durable step.
 *
 * The other halves are store_runs.c (runs, locks), store_journal.c (events, heals) and
 * store_series.c (samples, ledger reads, the whole timeline). Rows are kept by a backend.
 */
#include "store/store_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/store_url.h"

bool store_open(const char *path, const struct secrets *secrets, struct store **ret_store,
		struct err *e)
{
	void *backend = NULL;

	assert(path != NULL);

	if (path[0] == '\0')
		return err_set(e, ERR_INPUT, "open the store: its path is empty");
	if (strstr(path, "://") != NULL && !store_is_url(path))
		return err_set(e, ERR_INPUT,
			       "open the store %.12s...: a store is a file or a PostgreSQL database; "
			       "give a path or postgresql://USER@HOST/DATABASE",
			       path);

	const struct store_ops *ops = store_is_url(path) ? &store_spool : &store_sqlite;

	if (!ops->open(path, &backend, e))
		return false;

	struct store *store = mem_alloc(sizeof *store);

	store->ops = ops;
	store->owned_backend = backend;
	store->secrets = secrets;
	store_url_secrets(path, &store->own_secrets);
	if (!store_is_url(path) && stat(path, &store->file) == 0)
		store->owned_file = mem_copy(path); /* else it is gone again, and nobody can tell */
	*ret_store = store;
	return true;
}

bool store_is_there(const char *path)
{
	struct stat found;

	/* What cannot be looked at is there for all we know: store_open says what is wrong with it. */
	return strstr(path, "://") != NULL || lstat(path, &found) == 0 ||
	       (errno != ENOENT && errno != ENOTDIR);
}

bool store_check_place(const struct store *store, struct err *e)
{
	struct stat now;

	if (store->owned_file == NULL)
		return true;
	if (stat(store->owned_file, &now) == 0 && now.st_ino == store->file.st_ino &&
	    now.st_dev == store->file.st_dev)
		return true;
	return err_set(e, ERR_STORE, "the store %s was put aside while it was open, or another one lies in "
		       "its place", store->owned_file);
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	store->ops->close(store->owned_backend);
	secrets_release(&store->own_secrets);
	free(store->owned_file);
	free(store);
}

/* The XDG rule: a relative path in the variable is to be ignored. */
void store_default_path(struct text *text)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (state != NULL && state[0] == '/')
		text_addf(text, "%s/firedrill/firedrill.db", state);
	else
		text_addf(text, "%s/.local/state/firedrill/firedrill.db",
			  home != NULL && home[0] == '/' ? home : "/root");
}

void store_beside(const char *path, struct text *text)
{
	struct text file = { 0 };

	if (!store_is_url(path)) {
		text_add(text, path);
		return;
	}
	store_default_path(&file);
	text_add_bytes(text, text_str(&file),
		       (size_t)(strrchr(text_str(&file), '/') + 1 - text_str(&file)));
	store_url_key(path, text);
	text_release(&file);
}

void store_hide_also(struct store *store, const struct secrets *secrets)
{
	store->more_secrets = secrets;
}

static bool has_values(const struct secrets *secrets)
{
	return secrets != NULL && secrets->value_count > 0;
}

const char *store_hide(const struct store *store, struct arena *arena, const char *text)
{
	struct text clean = { 0 };

	if (text == NULL || (!has_values(store->secrets) && !has_values(store->more_secrets) &&
			     !has_values(&store->own_secrets)))
		return text;

	text_add(&clean, text);
	secrets_redact(store->secrets, &clean);
	secrets_redact(store->more_secrets, &clean);
	secrets_redact(&store->own_secrets, &clean);

	const char *copy = arena_copy(arena, text_str(&clean));

	text_release(&clean);
	return copy;
}

const char *const *store_hide_texts(const struct store *store, struct arena *arena,
				    const char *const *texts, size_t text_count)
{
	const char **clean = arena_alloc(arena, (text_count + 1) * sizeof *clean);

	for (size_t i = 0; i < text_count; i++)
		clean[i] = store_hide(store, arena, texts[i]);
	return clean;
}

bool store_refuse_secret(const struct store *store, const char *text, const char *what,
			 struct err *e)
{
	struct arena scratch = { 0 };
	const bool is_clean = strcmp(store_hide(store, &scratch, text), text) == 0;

	arena_release(&scratch);
	if (!is_clean)
		return err_set(e, ERR_REFUSED,
			       "write down %s: it holds the value of a secret, which must not be "
			       "stored; write that value as plain text in the inventory if it is "
			       "none, else give the secret another value",
			       what);
	return true;
}

static bool write_once(struct store *store, store_work_fn *work, void *ctx, struct err *e)
{
	if (!store->ops->begin(store->owned_backend, true, e))
		return false;
	if (work(store, ctx, e) && store->ops->commit(store->owned_backend, e))
		return true;
	store->ops->rollback(store->owned_backend);
	return false;
}

bool store_write(struct store *store, store_work_fn *work, void *ctx, struct err *e)
{
	enum { RETRIES = 3 };

	for (int i = 0; i < RETRIES; i++) {
		if (write_once(store, work, ctx, e))
			return true;
		if (!store->ops->make_room(store->owned_backend))
			return false;
		err_clear(e);
	}
	return write_once(store, work, ctx, e);
}

void store_texts_print(const char *const *texts, size_t text_count, struct text *text)
{
	struct json *array = json_array();

	for (size_t i = 0; i < text_count; i++)
		json_push_text(array, texts[i]);
	json_print(array, false, text);
	json_release(array);
}

bool store_texts_parse(const char *json, struct arena *arena, const char ***ret_texts,
		       size_t *ret_count, struct err *e)
{
	struct json *array = NULL;
	const char **texts;
	bool ok = true;

	if (!json_parse(json, strlen(json), &array, e))
		return false;

	const size_t count = json_count(array);

	texts = arena_alloc(arena, (count + 1) * sizeof *texts);
	const struct json *item = json_at(array, 0);

	for (size_t i = 0; i < count && ok; i++, item = json_next(item)) {
		texts[i] = arena_copy(arena, json_text_of(item));
		ok = texts[i] != NULL;
	}
	json_release(array);
	if (!ok)
		return err_set(e, ERR_STORE, "a list of texts holds something else");
	*ret_texts = texts;
	*ret_count = count;
	return true;
}
