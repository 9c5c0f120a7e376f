/*
 * store_dues.c - see store_dues.h. A row of a due run has no seal: it is an order, not evidence; the run
 * that comes of it is sealed with its documents.
 */
#include "store/store_dues.h"

#include <assert.h>
#include <string.h>

#include "store/store_private.h"

/* ---- putting ---- */

struct putting {
	struct stored_due due;
	bool is_new;
};

static bool put_work(struct store *store, void *ctx, struct err *e)
{
	struct putting *putting = ctx;

	return store->ops->due_insert(store->owned_backend, &putting->due, &putting->is_new, e);
}

/* Names and values in turn, as a run keeps them. */
static void print_vars(const struct due_row *row, struct arena *arena, struct text *json)
{
	const char **texts = arena_alloc(arena, (row->var_count * 2 + 1) * sizeof *texts);

	for (size_t i = 0; i < row->var_count; i++) {
		texts[i * 2] = row->vars[i].name;
		texts[i * 2 + 1] = row->vars[i].value;
	}
	store_texts_print(texts, row->var_count * 2, json);
}

static bool check_put(const struct store *store, const struct due_row *row, struct err *e)
{
	if (row->label_count > LABELS_MAX)
		return err_set(e, ERR_LIMIT, "put a due run of %s: it asks for more than %d labels",
			       row->schedule, LABELS_MAX);
	for (size_t i = 0; i < row->label_count; i++)
		if (!label_is_valid(row->labels[i]))
			return err_set(e, ERR_INPUT, "put a due run of %s: `%.80s` is no label; write "
				       "one like site=eu-west", row->schedule, row->labels[i]);
	return (row->experiment_text == NULL ||
		store_refuse_secret(store, row->experiment_text, "a due run", e)) &&
	       (row->inventory_text == NULL ||
		store_refuse_secret(store, row->inventory_text, "a due run", e));
}

bool store_due_put(struct store *store, const struct due_row *row, bool *ret_is_new, struct err *e)
{
	struct arena scratch = { 0 };
	struct text vars = { 0 };
	struct putting putting = { .due.row = *row };

	assert(row->state == DUE_WAITS || row->state == DUE_SKIPPED || row->state == DUE_MISSED);
	assert((row->state == DUE_WAITS) == (row->experiment_text != NULL));
	assert((row->watch_of == NULL) == (row->within_ns == 0));

	if (!check_put(store, row, e))
		return false;
	print_vars(row, &scratch, &vars);
	putting.due.vars_json = text_str(&vars);
	putting.due.row.sentence = store_hide(store, &scratch, row->sentence);

	const bool ok = store_write(store, put_work, &putting, e);

	text_release(&vars);
	arena_release(&scratch);
	if (ok)
		*ret_is_new = putting.is_new;
	return ok;
}

/* ---- reading ---- */

static bool take_row(const struct stored_due *due, struct arena *arena, struct due_row *ret_row,
		     struct err *e)
{
	const char **texts = NULL;
	struct pair *vars;
	size_t count = 0;

	if (!store_texts_parse(due->vars_json, arena, &texts, &count, e))
		return err_wrap(e, "read the due run of %s", due->row.schedule);
	vars = arena_alloc(arena, (count / 2 + 1) * sizeof *vars);
	for (size_t i = 0; i < count / 2; i++)
		vars[i] = (struct pair){ texts[i * 2], texts[i * 2 + 1] };
	*ret_row = due->row;
	ret_row->vars = vars;
	ret_row->var_count = count / 2;
	return true;
}

static bool read_rows(struct store *store, const struct due_query *query, struct arena *arena,
		      struct due_row **ret_rows, size_t *ret_count, struct err *e)
{
	struct stored_due *dues = NULL;
	struct due_row *rows;
	size_t count = 0;

	if (!store->ops->dues_read(store->owned_backend, query, arena, &dues, &count, e))
		return false;
	rows = arena_alloc(arena, (count + 1) * sizeof *rows);
	for (size_t i = 0; i < count; i++)
		if (!take_row(&dues[i], arena, &rows[i], e))
			return false;
	*ret_rows = rows;
	*ret_count = count;
	return true;
}

bool store_dues(struct store *store, size_t limit, struct arena *arena, struct due_row **ret_rows,
		size_t *ret_count, struct err *e)
{
	const struct due_query query = { .match = DUES_ALL, .limit = limit };

	return read_rows(store, &query, arena, ret_rows, ret_count, e);
}

bool store_dues_open(struct store *store, struct arena *arena, struct due_row **ret_rows,
		     size_t *ret_count, struct err *e)
{
	const struct due_query query = { .match = DUES_OPEN };

	return read_rows(store, &query, arena, ret_rows, ret_count, e);
}

bool store_dues_watching(struct store *store, const char *run_id, struct arena *arena,
			 struct due_row **ret_rows, size_t *ret_count, struct err *e)
{
	const struct due_query query = { .match = DUES_WATCHES, .text = run_id };

	assert(run_id != NULL);

	return read_rows(store, &query, arena, ret_rows, ret_count, e);
}

bool store_due_newest(struct store *store, const char *schedule, struct arena *arena,
		      bool *ret_is_there, struct due_row *ret_row, struct err *e)
{
	const struct due_query query = { .match = DUES_OF_SCHEDULE, .text = schedule, .limit = 1 };
	struct due_row *rows = NULL;
	size_t count = 0;

	if (!read_rows(store, &query, arena, &rows, &count, e))
		return false;
	*ret_is_there = count > 0;
	if (count > 0)
		*ret_row = rows[0];
	return true;
}

bool store_due_sums(struct store *store, struct arena *arena, struct due_sums *ret_sums,
		    struct err *e)
{
	return store->ops->due_sums(store->owned_backend, arena, ret_sums, e);
}

/* ---- claiming ---- */

struct claiming {
	const struct due_worker *worker;
	enum due_kind kind;
	const char *run_id; /* NULL: it has one */
	struct stored_claim claim;
	struct arena *arena;
	struct stored_due *found; /* NULL: none */
};

static bool fill_claim(struct claiming *claiming, struct text *labels, struct err *e)
{
	const struct due_worker *worker = claiming->worker;

	for (size_t i = 0; i < worker->label_count; i++)
		text_addf(labels, " %s ", worker->labels[i]);
	claiming->claim = (struct stored_claim){
		.worker = worker->name,
		.labels = text_str(labels),
		.space = process_space(),
		.lease_ns = worker->lease_ns,
		.run_id = claiming->run_id,
		.kind = claiming->kind,
	};
	return process_self(&claiming->claim.process, e);
}

static bool claim_work(struct store *store, void *ctx, struct err *e)
{
	struct claiming *claiming = ctx;

	claiming->found = NULL;
	return store->ops->due_claim(store->owned_backend, &claiming->claim, claiming->arena,
				     &claiming->found, e);
}

/* What was won; a row that cannot be read stays with its worker, whose lease ends. */
static bool claim(struct store *store, struct claiming *claiming, store_work_fn *work,
		  bool *ret_is_there, struct due_row *ret_row, struct err *e)
{
	struct text labels = { 0 };
	const bool ok = fill_claim(claiming, &labels, e) && store_write(store, work, claiming, e) &&
			(claiming->found == NULL ||
			 take_row(claiming->found, claiming->arena, ret_row, e));

	text_release(&labels);
	if (ok)
		*ret_is_there = claiming->found != NULL;
	return ok;
}

bool store_due_claim(struct store *store, const struct due_worker *worker, enum due_kind kind,
		     const char *run_id, struct arena *arena, bool *ret_is_there,
		     struct due_row *ret_row, struct err *e)
{
	struct claiming claiming = { .worker = worker, .kind = kind, .run_id = run_id, .arena = arena };

	assert(run_id != NULL);

	return store_check_id(run_id, e) &&
	       claim(store, &claiming, claim_work, ret_is_there, ret_row, e);
}

/* Can the process be seen? Then that counts, else its lease. */
static bool is_over(const struct due_row *row, int64_t now_ns)
{
	const bool is_here = process_is_boot(row->boot_id) && row->space == process_space();

	return is_here ? !process_is_alive(row->boot_id, row->pid, row->pid_start) :
			 row->lease_until_ns < now_ns;
}

static bool take_over_work(struct store *store, void *ctx, struct err *e)
{
	struct claiming *claiming = ctx;
	const struct due_query query = { .match = DUES_CLAIMED,
					 .text = claiming->claim.labels,
					 .has_documents = true };
	struct stored_due *dues = NULL;
	size_t count = 0;
	int64_t now_ns = 0;

	claiming->found = NULL;
	if (!store->ops->dues_miss(store->owned_backend, &now_ns, e) ||
	    !store->ops->dues_read(store->owned_backend, &query, claiming->arena, &dues, &count, e))
		return false;
	for (size_t i = 0; i < count && claiming->found == NULL; i++) {
		bool is_ours = false;

		if ((dues[i].row.watch_of != NULL) != (claiming->kind == DUE_WATCH) ||
		    !is_over(&dues[i].row, now_ns))
			continue;
		if (!store->ops->due_take(store->owned_backend, &claiming->claim, &dues[i].row,
					  &is_ours, e))
			return false;
		if (is_ours)
			claiming->found = &dues[i];
	}
	return true;
}

bool store_due_take_over(struct store *store, const struct due_worker *worker, enum due_kind kind,
			 struct arena *arena, bool *ret_is_there, struct due_row *ret_row,
			 struct err *e)
{
	struct claiming claiming = { .worker = worker, .kind = kind, .arena = arena };

	return claim(store, &claiming, take_over_work, ret_is_there, ret_row, e);
}

struct missing {
	int64_t due_id;
	bool is_new;
};

static bool miss_one_work(struct store *store, void *ctx, struct err *e)
{
	struct missing *missing = ctx;

	return store->ops->due_miss(store->owned_backend, missing->due_id, &missing->is_new, e);
}

bool store_due_miss(struct store *store, int64_t due_id, bool *ret_is_new, struct err *e)
{
	struct missing missing = { .due_id = due_id };

	if (!store_write(store, miss_one_work, &missing, e))
		return false;
	*ret_is_new = missing.is_new;
	return true;
}

static bool miss_work(struct store *store, void *ctx, struct err *e)
{
	return store->ops->dues_miss(store->owned_backend, ctx, e);
}

bool store_dues_miss(struct store *store, struct err *e)
{
	int64_t now_ns = 0;

	return store_write(store, miss_work, &now_ns, e);
}

/* ---- having it ---- */

struct holding {
	const struct due_worker *worker;
	struct due_row row;
	bool is_ours;
};

static bool renew_work(struct store *store, void *ctx, struct err *e)
{
	struct holding *holding = ctx;

	return store->ops->due_renew(store->owned_backend, holding->worker->name,
				     holding->row.due_id, holding->worker->lease_ns,
				     &holding->is_ours, e);
}

bool store_due_renew(struct store *store, const struct due_worker *worker, int64_t due_id,
		     bool *ret_is_ours, struct err *e)
{
	struct holding holding = { .worker = worker, .row.due_id = due_id };

	if (!store_write(store, renew_work, &holding, e))
		return false;
	*ret_is_ours = holding.is_ours;
	return true;
}

static bool finish_work(struct store *store, void *ctx, struct err *e)
{
	struct holding *holding = ctx;

	return store->ops->due_finish(store->owned_backend, holding->worker->name, &holding->row,
				      &holding->is_ours, e);
}

bool store_due_finish(struct store *store, const struct due_worker *worker,
		      const struct due_row *end, bool *ret_is_ours, struct err *e)
{
	struct arena scratch = { 0 };
	struct holding holding = { .worker = worker, .row = *end };

	assert(end->state == DUE_DONE || end->state == DUE_ABANDONED);

	holding.row.sentence = store_hide(store, &scratch, end->sentence);

	const bool ok = store_write(store, finish_work, &holding, e);

	arena_release(&scratch);
	if (ok)
		*ret_is_ours = holding.is_ours;
	return ok;
}

bool store_due_news(struct store *store, bool *ret_has_news, int *ret_fd, struct err *e)
{
	if (store->ops->due_news != NULL)
		return store->ops->due_news(store->owned_backend, ret_has_news, ret_fd, e);
	*ret_has_news = false;
	*ret_fd = -1;
	return true;
}
