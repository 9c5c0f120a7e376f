/*
 * store_runs.c - runs from their beginning to their end, how they are found, and locks on targets.
 */
#include "store/store_private.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/process.h"
#include "store/seal.h"

/* ---- seals ---- */

static void seal_begin(const struct stored_run *run, char ret_hash[HASH_TEXT_BYTES])
{
	const struct run_row *row = &run->row;
	struct seal seal = { 0 };

	seal_text(&seal, row->run_id);
	seal_text(&seal, row->title);
	seal_text(&seal, row->version);
	seal_int(&seal, row->anchor.boot_ns);
	seal_int(&seal, row->anchor.wall_ns);
	seal_text(&seal, row->experiment_path);
	seal_text(&seal, row->experiment_text);
	seal_text(&seal, row->inventory_path);
	seal_text(&seal, row->inventory_text);
	seal_text(&seal, run->vars_json);
	seal_text(&seal, row->boot_id);
	seal_int(&seal, row->pid);
	seal_int(&seal, row->pid_start);
	if (row->set_id != NULL) { /* runs of before there were sets keep their seal */
		seal_text(&seal, row->set_id);
		seal_int(&seal, row->trial);
	}
	if (row->watch_of != NULL) { /* and so do those of before there were watches */
		seal_text(&seal, "watch of");
		seal_text(&seal, row->watch_of);
		seal_text(&seal, row->vantage);
	}
	seal_finish(&seal, "", ret_hash);
}

static void seal_end(const struct stored_run *run, char ret_hash[HASH_TEXT_BYTES])
{
	struct seal seal = { 0 };

	seal_int(&seal, run->row.ended_wall_ns);
	seal_int(&seal, run->row.exit_code);
	seal_text(&seal, run->row.sentence);
	seal_int(&seal, (int64_t)run->end_number);
	seal_text(&seal, run->end_hash);
	seal_text(&seal, run->end_series);
	seal_finish(&seal, run->seal, ret_hash);
}

/* The end is written in one go: without its seal there is nothing of it. */
static bool has_end_without_seal(const struct stored_run *run)
{
	return !run->row.is_ended && (run->row.ended_wall_ns != 0 || run->row.sentence != NULL ||
				      run->end_number != 0);
}

static bool check_seals(const struct stored_run *run, struct err *e)
{
	char begin_hash[HASH_TEXT_BYTES];
	char end_hash[HASH_TEXT_BYTES];

	seal_begin(run, begin_hash);
	if (strcmp(begin_hash, run->seal) != 0)
		return err_set(e, ERR_ALTERED,
			       "read run %s: its documents or its beginning are not as they were "
			       "written; bring back a copy of the store",
			       run->row.run_id);
	if (!run->row.is_ended && !has_end_without_seal(run))
		return true;
	seal_end(run, end_hash);
	if (!run->row.is_ended || strcmp(end_hash, run->end_seal) != 0)
		return err_set(
			e, ERR_ALTERED,
			"read run %s: its result is not as it was written; bring back a copy "
			"of the store",
			run->row.run_id);
	return true;
}

/* ---- begin and end ---- */

bool store_check_id(const char *run_id, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	const size_t length = strlen(run_id);

	if (length == 0 || length > LIMIT_NAME_BYTES || strspn(run_id, allowed) != length)
		return err_set(e, ERR_INPUT,
			       "begin run \"%.80s\": an id is 1 to %d letters, digits, '-', '_' or "
			       "'.'",
			       run_id, (int)LIMIT_NAME_BYTES);
	return true;
}

/*
 * A document with holes in it could not be read again for a report, so one that holds the value of
 * a secret is refused, before anything is harmed. The value itself is not told.
 */
static bool check_document(const struct store *store, const char *run_id, const char *path,
			   const char *text, struct err *e)
{
	struct arena scratch = { 0 };
	const char *clean = text == NULL ? NULL : store_hide(store, &scratch, text);
	size_t line = 1;
	bool ok = true;

	if (clean != NULL && strcmp(clean, text) != 0) {
		for (size_t i = 0; text[i] == clean[i]; i++)
			line += text[i] == '\n';
		ok = err_set(
			e, ERR_REFUSED,
			"begin run %s: line %zu of %s holds the value of a secret, which must "
			"not be stored; write ${env:NAME} or ${file:PATH} there, or when it is "
			"a word that happens to be the same, give the secret another value",
			run_id, line, path == NULL ? "a document" : path);
	}
	arena_release(&scratch);
	return ok;
}

static bool run_begin_work(struct store *store, void *ctx, struct err *e)
{
	const struct stored_run *run = ctx;
	const struct run_query same = { .match = RUN_EXACT, .run = run->row.run_id, .limit = 1 };
	struct arena scratch = { 0 };
	struct stored_run *found = NULL;
	size_t found_count = 0;
	bool ok;

	ok = store->ops->runs_read(store->owned_backend, &same, &scratch, &found, &found_count, e);
	if (ok && found_count > 0)
		ok = err_set(e, ERR_STORE, "begin run %s: the store has a run with this id",
			     run->row.run_id);
	if (ok)
		ok = store->ops->run_insert(store->owned_backend, run, e);
	arena_release(&scratch);
	return ok;
}

/* Names and values in turn: a list keeps their order and allows any name. */
static const char *vars_print(const struct store *store, const struct run_row *row,
			      struct arena *arena)
{
	const char **texts = arena_alloc(arena, (row->var_count * 2 + 1) * sizeof *texts);
	struct text json = { 0 };

	for (size_t i = 0; i < row->var_count; i++) {
		texts[i * 2] = row->vars[i].name;
		texts[i * 2 + 1] = row->vars[i].value;
	}
	store_texts_print(store_hide_texts(store, arena, texts, row->var_count * 2),
			  row->var_count * 2, &json);

	const char *copy = arena_copy(arena, text_str(&json));

	text_release(&json);
	return copy;
}

bool store_run_begin(struct store *store, const struct run_row *row, struct err *e)
{
	struct process_id self;
	struct arena scratch = { 0 };
	struct stored_run run = { .row = *row };
	char hash[HASH_TEXT_BYTES];
	bool ok = false;

	assert(row->run_id != NULL);

	if (!store_check_id(row->run_id, e) ||
	    (row->set_id != NULL && !store_check_id(row->set_id, e)) ||
	    !check_document(store, row->run_id, row->experiment_path, row->experiment_text, e) ||
	    !check_document(store, row->run_id, row->inventory_path, row->inventory_text, e))
		return false;
	if (row->boot_id == NULL) {
		if (!process_self(&self, e))
			return false;
		run.row.boot_id = self.boot_id;
		run.row.pid = self.pid;
		run.row.pid_start = self.pid_start;
	}
	run.row.title = store_hide(store, &scratch, row->title);
	run.row.version = store_hide(store, &scratch, row->version);
	run.row.experiment_path = store_hide(store, &scratch, row->experiment_path);
	run.row.inventory_path = store_hide(store, &scratch, row->inventory_path);
	run.vars_json = vars_print(store, row, &scratch);
	seal_begin(&run, hash);
	run.seal = hash;
	ok = store_write(store, run_begin_work, &run, e);
	arena_release(&scratch);
	return ok;
}

bool store_run_seal_end(struct store *store, const struct run_row *end, struct err *e)
{
	struct arena scratch = { 0 };
	struct stored_run run = { 0 };
	char last_hash[HASH_TEXT_BYTES];
	char series_hash[HASH_TEXT_BYTES];
	char hash[HASH_TEXT_BYTES];
	bool ok;

	ok = store_run_read(store, end->run_id, &scratch, &run, e);
	if (ok && run.row.is_ended)
		ok = err_set(e, ERR_STORE, "end run %s: it has ended already", end->run_id);
	if (ok)
		ok = store->ops->event_last(store->owned_backend, end->run_id, &run.end_number,
					    last_hash, e) &&
		     store_series_seal(store, end->run_id, &scratch, series_hash, e);
	if (ok) {
		run.row.ended_wall_ns = end->ended_wall_ns;
		run.row.exit_code = end->exit_code;
		run.row.sentence = end->sentence;
		run.end_hash = last_hash;
		run.end_series = series_hash;
		seal_end(&run, hash);
		run.end_seal = hash;
		ok = store->ops->run_finish(store->owned_backend, &run, e);
	}
	arena_release(&scratch);
	return ok;
}

static bool run_end_work(struct store *store, void *ctx, struct err *e)
{
	return store_run_seal_end(store, ctx, e);
}

bool store_run_end(struct store *store, const char *run_id, int64_t ended_wall_ns,
		   int64_t exit_code, const char *sentence, struct err *e)
{
	struct arena scratch = { 0 };
	struct run_row end = {
		.run_id = run_id,
		.ended_wall_ns = ended_wall_ns,
		.exit_code = exit_code,
		.sentence = store_hide(store, &scratch, sentence),
	};
	const bool ok = store_write(store, run_end_work, &end, e);

	arena_release(&scratch);
	return ok;
}

/* ---- finding ---- */

static bool vars_parse(struct stored_run *run, struct arena *arena, struct err *e)
{
	const char **texts = NULL;
	size_t count = 0;

	if (!store_texts_parse(run->vars_json, arena, &texts, &count, e))
		return err_wrap(e, "read the variables of run %s", run->row.run_id);

	struct pair *vars = arena_alloc(arena, (count / 2 + 1) * sizeof *vars);

	for (size_t i = 0; i < count / 2; i++)
		vars[i] = (struct pair){ .name = texts[i * 2], .value = texts[i * 2 + 1] };
	run->row.vars = vars;
	run->row.var_count = count / 2;
	return true;
}

bool store_run_read(struct store *store, const char *run_id, struct arena *arena,
		    struct stored_run *ret_run, struct err *e)
{
	const struct run_query query = {
		.match = RUN_EXACT,
		.run = run_id,
		.limit = 1,
		.has_documents = true,
	};
	struct stored_run *found = NULL;
	size_t found_count = 0;

	assert(run_id != NULL);

	if (!store->ops->runs_read(store->owned_backend, &query, arena, &found, &found_count, e))
		return false;
	if (found_count == 0)
		return err_set(e, ERR_INPUT,
			       "find run %.80s: the store has none with this id; `firedrill list` "
			       "shows them",
			       run_id);
	if (!check_seals(found, e) || !vars_parse(found, arena, e))
		return false;
	*ret_run = *found;
	ret_run->row.is_shared = store->ops->is_shared;
	return true;
}

static bool read_light(struct store *store, const struct run_query *query, struct arena *arena,
		       struct run_row **ret_rows, size_t *ret_count, struct err *e)
{
	struct stored_run *found = NULL;
	size_t count = 0;

	if (!store->ops->runs_read(store->owned_backend, query, arena, &found, &count, e))
		return false;

	struct run_row *rows = arena_alloc(arena, (count + 1) * sizeof *rows);

	for (size_t i = 0; i < count; i++) {
		if (!vars_parse(&found[i], arena, e))
			return false;
		rows[i] = found[i].row;
		rows[i].is_shared = store->ops->is_shared;
	}
	*ret_rows = rows;
	*ret_count = count;
	return true;
}

bool store_runs(struct store *store, size_t limit, struct arena *arena, struct run_row **ret_rows,
		size_t *ret_count, struct err *e)
{
	const struct run_query query = { .match = RUN_ANY, .limit = limit };

	return read_light(store, &query, arena, ret_rows, ret_count, e);
}

bool store_runs_open(struct store *store, struct arena *arena, struct run_row **ret_rows,
		     size_t *ret_count, struct err *e)
{
	const struct run_query query = { .match = RUN_OPEN };

	return read_light(store, &query, arena, ret_rows, ret_count, e);
}

/* A pattern for `like` in small letters; NULL for an empty text, which is in everything. Letters of other
   alphabets keep their case: the two databases know different ones. */
static const char *like_of(const char *text, struct arena *arena)
{
	char *like = arena_alloc(arena, 2 * strlen(text) + sizeof "%%");
	char *end = like;

	if (*text == '\0')
		return NULL;
	*end++ = '%';
	for (; *text != '\0'; text++) {
		if (*text == '%' || *text == '_' || *text == '\\')
			*end++ = '\\';
		*end++ = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
	}
	*end = '%';
	return like;
}

bool store_runs_chosen(struct store *store, const struct run_choice *choice, struct arena *arena,
		       struct run_row **ret_rows, size_t *ret_count, struct err *e)
{
	const struct run_query query = {
		.match = RUN_CHOSEN,
		.run = like_of(choice->text, arena),
		.exit_codes = choice->exit_codes,
		.skip = choice->skip,
		.limit = choice->limit,
	};

	return read_light(store, &query, arena, ret_rows, ret_count, e);
}

bool store_runs_tally(struct store *store, const char *text, struct run_tally *ret_tally,
		      struct err *e)
{
	struct arena scratch = { 0 };
	const bool ok = store->ops->runs_tally(store->owned_backend, like_of(text, &scratch),
					       ret_tally, e);

	arena_release(&scratch);
	return ok;
}

bool store_set_runs(struct store *store, const char *set_id, struct arena *arena,
		    struct run_row **ret_rows, size_t *ret_count, struct err *e)
{
	const struct run_query query = { .match = RUN_OF_SET, .run = set_id };

	return read_light(store, &query, arena, ret_rows, ret_count, e);
}

bool store_facts_missing(struct store *store, struct arena *arena, struct run_row **ret_rows,
			 size_t *ret_count, struct err *e)
{
	const struct run_query query = { .match = RUN_WITHOUT_FACTS };

	return read_light(store, &query, arena, ret_rows, ret_count, e);
}

/* The one id that is meant: the whole id, else the only one that begins so. */
static bool choose_run(const struct stored_run *found, size_t count, const char *run,
		       const char **ret_run_id, struct err *e)
{
	if (count == 0)
		return err_set(e, ERR_INPUT,
			       "find run %.80s: the store has none whose id begins so; `firedrill "
			       "list` shows them",
			       run);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(found[i].row.run_id, run) == 0) {
			*ret_run_id = found[i].row.run_id;
			return true;
		}
	}
	if (count > 1)
		return err_set(
			e, ERR_INPUT,
			"find run %.80s: %zu runs begin so, such as %s and %s; write more of "
			"the id",
			run, count, found[0].row.run_id, found[1].row.run_id);
	*ret_run_id = found[0].row.run_id;
	return true;
}

bool store_run_find(struct store *store, const char *run, struct arena *arena,
		    struct run_row *ret_row, struct err *e)
{
	const bool is_last = strcmp(run, "last") == 0;
	const struct run_query query = {
		.match = is_last ? RUN_LAST : RUN_PREFIX,
		.run = run,
		.limit = is_last ? 1 : 0,
	};
	struct stored_run *found = NULL;
	struct stored_run whole;
	const char *run_id = NULL;
	size_t count = 0;

	if (run[0] == '\0')
		return err_set(e, ERR_INPUT, "find a run: no id was given; write one or `last`");
	if (!store->ops->runs_read(store->owned_backend, &query, arena, &found, &count, e))
		return false;
	if (is_last && count == 0)
		return err_set(e, ERR_INPUT, "find the last run: the store has no run yet");
	if (is_last)
		run_id = found[0].row.run_id;
	else if (!choose_run(found, count, run, &run_id, e))
		return false;
	if (!store_run_read(store, run_id, arena, &whole, e))
		return false;
	*ret_row = whole.row;
	return true;
}

static bool beat_work(struct store *store, void *ctx, struct err *e)
{
	return store->ops->run_beat(store->owned_backend, ctx, e);
}

bool store_run_beat(struct store *store, const char *run_id, int64_t space,
		    int64_t alive_until_wall_ns, struct err *e)
{
	struct run_row row = { .run_id = run_id,
			       .space = space,
			       .alive_until_wall_ns = alive_until_wall_ns };

	return store_write(store, beat_work, &row, e);
}

bool store_run_is_alive(const struct run_row *row)
{
	const struct clock clock = clock_system();
	const int64_t space = process_space();

	/* Of another machine, or of this one before a reboot: its last sign of life says. */
	if (row->is_shared && !process_is_boot(row->boot_id))
		return clock_wall_ns(&clock) < row->alive_until_wall_ns;
	/* After a reboot nothing of before is alive, whatever it said last. */
	if (row->space != 0 && space != 0 && row->space != space && process_is_boot(row->boot_id))
		return clock_wall_ns(&clock) < row->alive_until_wall_ns;
	return process_is_alive(row->boot_id, row->pid, row->pid_start);
}
