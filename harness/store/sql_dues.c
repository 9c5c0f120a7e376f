/*
 * sql_dues.c - the rows of due runs. See store_ops.h for what each does.
 *
 * A row is won by the statement that changes it: PostgreSQL locks the row that it chooses and passes over
 * those that others have locked; SQLite has one writer. So no name is held here.
 */
#include "store/sql.h"

#include <string.h>

static const char *const state_words[] = {
	[DUE_WAITS] = "due",		 [DUE_CLAIMED] = "claimed", [DUE_DONE] = "done",
	[DUE_ABANDONED] = "abandoned", [DUE_MISSED] = "missed",   [DUE_SKIPPED] = "skipped",
};

const char *due_state_name(enum due_state state)
{
	return state_words[state];
}

/* What is no word of ours is nothing that may be run. */
static enum due_state state_of(const char *word)
{
	for (size_t i = DUE_WAITS; i < sizeof state_words / sizeof state_words[0]; i++)
		if (strcmp(word, state_words[i]) == 0)
			return (enum due_state)i;
	return DUE_ABANDONED;
}

/* ---- putting ---- */

static bool insert_labels(void *backend, int64_t due_id, const struct due_row *row, struct err *e)
{
	for (size_t i = 0; i < row->label_count; i++) {
		struct query query = query_make(
			backend, "insert into due_labels (due_id, label) values (?, ?)"
				 " on conflict (due_id, label) do nothing");

		query_bind_int(&query, due_id);
		query_bind_text(&query, row->labels[i]);
		if (!query_done(&query, e))
			return false;
	}
	return true;
}

bool sql_due_insert(void *backend, const struct stored_due *due, bool *ret_is_new, struct err *e)
{
	const struct due_row *row = &due->row;
	int64_t due_id = 0;
	int64_t now_ns = 0;

	if (row->watch_of != NULL && !sql_now(backend, &now_ns, e))
		return false;

	struct query query = query_make(
		backend,
		"insert into dues (schedule, nominal_wall_ns, turn, due_wall_ns, latest_wall_ns,"
		" experiment_path, experiment_text, inventory_path, inventory_text, vars, state,"
		" ended_wall_ns, exit_code, sentence, watch_of, vantage)"
		" values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, -1, ?, ?, ?)"
		" on conflict (schedule, nominal_wall_ns, turn) do nothing returning due_id");

	query_bind_text(&query, row->schedule);
	query_bind_int(&query, row->nominal_wall_ns);
	query_bind_int(&query, row->turn);
	query_bind_int(&query, row->watch_of == NULL ? row->due_wall_ns : now_ns);
	query_bind_int(&query, row->watch_of == NULL ? row->latest_wall_ns : now_ns + row->within_ns);
	query_bind_text(&query, row->experiment_path);
	query_bind_text(&query, row->experiment_text);
	query_bind_text(&query, row->inventory_path);
	query_bind_text(&query, row->inventory_text);
	query_bind_text(&query, due->vars_json);
	query_bind_text(&query, due_state_name(row->state));
	query_bind_int(&query, row->ended_wall_ns);
	query_bind_text(&query, row->sentence);
	query_bind_text(&query, row->watch_of);
	query_bind_text(&query, row->vantage);

	const bool is_new = query_row(&query);

	if (is_new)
		due_id = query_int(&query, 0);
	if (!query_end(&query, e) || (is_new && !insert_labels(backend, due_id, row, e)))
		return false;
	*ret_is_new = is_new;
	return !is_new || row->state != DUE_WAITS || sql_tell_news(backend, e);
}

/* ---- reading ---- */

static const char *const *read_labels(void *backend, int64_t due_id, struct arena *arena,
				      size_t *ret_count, struct err *e)
{
	struct query query = query_make(
		backend, "select label from due_labels where due_id = ? order by label");
	const char **labels = arena_alloc(arena, LABELS_MAX * sizeof *labels);
	size_t count = 0;

	query_bind_int(&query, due_id);
	while (query_row(&query) && count < LABELS_MAX)
		labels[count++] = query_text_or_empty(&query, 0, arena);
	*ret_count = count;
	return query_end(&query, e) ? labels : NULL;
}

/* The columns of DUE_COLUMNS, in its order. */
static void read_due(struct query *query, struct arena *arena, struct stored_due *due)
{
	struct due_row *row = &due->row;

	row->due_id = query_int(query, 0);
	row->schedule = query_text_or_empty(query, 1, arena);
	row->nominal_wall_ns = query_int(query, 2);
	row->turn = query_int(query, 3);
	row->due_wall_ns = query_int(query, 4);
	row->latest_wall_ns = query_int(query, 5);
	row->experiment_path = query_text(query, 6, arena);
	row->experiment_text = query_text(query, 7, arena);
	row->inventory_path = query_text(query, 8, arena);
	row->inventory_text = query_text(query, 9, arena);
	due->vars_json = query_text_or_empty(query, 10, arena);
	row->state = state_of(query_text_or_empty(query, 11, arena));
	row->worker = query_text(query, 12, arena);
	row->boot_id = query_text(query, 13, arena);
	row->pid = query_int(query, 14);
	row->pid_start = query_int(query, 15);
	row->space = query_int(query, 16);
	row->lease_until_ns = query_int(query, 17);
	row->run_id = query_text(query, 18, arena);
	row->ended_wall_ns = query_int(query, 19);
	row->exit_code = query_int(query, 20);
	row->sentence = query_text(query, 21, arena);
	row->watch_of = query_text(query, 22, arena);
	row->vantage = query_text(query, 23, arena);
}

/* ?1: with the texts of the documents. ?2 and ?3: as the query says. */
#define DUE_COLUMNS                                                                                \
	"select due_id, schedule, nominal_wall_ns, turn, due_wall_ns, latest_wall_ns,"             \
	" experiment_path, case cast(?1 as bigint) when 1 then experiment_text end,"               \
	" inventory_path, case cast(?1 as bigint) when 1 then inventory_text end, vars, state,"    \
	" worker, boot_id, pid, pid_start, space, lease_until_ns, run_id, ended_wall_ns,"          \
	" exit_code, sentence, watch_of, vantage from dues "

/* The parameter holds the labels of a worker, each between blanks. */
#define HAS_LABELS(labels)                                                                         \
	" not exists (select 1 from due_labels where due_labels.due_id = dues.due_id"              \
	" and replace(cast(" labels " as text), ' ' || label || ' ', '') = " labels ")"

static const char *const dues_sql[] = {
	[DUES_ALL] = DUE_COLUMNS "where cast(?2 as text) is null"
				 " order by nominal_wall_ns desc, due_id desc limit ?3",
	[DUES_OPEN] = DUE_COLUMNS "where state in ('due', 'claimed') and cast(?2 as text) is null"
				  " order by due_wall_ns, due_id limit ?3",
	[DUES_OF_SCHEDULE] = DUE_COLUMNS "where schedule = ?2"
					 " order by nominal_wall_ns desc, turn desc limit ?3",
	[DUES_CLAIMED] = DUE_COLUMNS "where state = 'claimed' and" HAS_LABELS("?2")
				     " order by lease_until_ns limit ?3",
	[DUES_WATCHES] = DUE_COLUMNS "where watch_of = ?2 order by due_id limit ?3",
};

bool sql_dues_read(void *backend, const struct due_query *wanted, struct arena *arena,
		   struct stored_due **ret_dues, size_t *ret_count, struct err *e)
{
	struct query query = query_make(backend, dues_sql[wanted->match]);
	struct stored_due *dues = NULL;
	size_t count = 0;

	query_bind_int(&query, wanted->has_documents);
	query_bind_text(&query, wanted->text);
	query_bind_int(&query, wanted->limit == 0 ? INT64_MAX : (int64_t)wanted->limit);
	while (query_row(&query)) {
		dues = arena_more(arena, dues, count, sizeof *dues);
		read_due(&query, arena, &dues[count++]);
	}
	if (!query_end(&query, e))
		return false;
	for (size_t i = 0; wanted->has_documents && i < count; i++) {
		struct due_row *row = &dues[i].row;

		row->labels = read_labels(backend, row->due_id, arena, &row->label_count, e);
		if (row->labels == NULL)
			return false;
	}
	*ret_dues = dues;
	*ret_count = count;
	return true;
}

static bool read_one(void *backend, int64_t due_id, struct arena *arena, struct stored_due *due,
		     struct err *e)
{
	struct query query = query_make(backend, DUE_COLUMNS "where due_id = ?2");

	query_bind_int(&query, true);
	query_bind_int(&query, due_id);
	if (query_row(&query))
		read_due(&query, arena, due);
	if (!query_end(&query, e))
		return false;
	due->row.labels = read_labels(backend, due_id, arena, &due->row.label_count, e);
	return due->row.labels != NULL;
}

/* ---- claiming ---- */

#define CLAIM_SET                                                                                  \
	"update dues set state = 'claimed', worker = ?1, boot_id = ?2, pid = ?3, pid_start = ?4,"  \
	" space = ?5, lease_until_ns = ?6,"                                                \
	" run_id = coalesce(cast(?7 as text) || '-' || due_id, run_id)"

#define CLAIM_FIRST                                                                                \
	CLAIM_SET " where due_id = (select due_id from dues where state = 'due'"                   \
		  " and due_wall_ns <= ?8 and latest_wall_ns >= ?8"                                \
		  " and (watch_of is not null) = (cast(?10 as bigint) = 1) and" HAS_LABELS("?9")   \
		  " order by due_wall_ns, due_id limit 1"

static void bind_claim(struct query *query, const struct stored_claim *claim, int64_t now_ns)
{
	query_bind_text(query, claim->worker);
	query_bind_text(query, claim->process.boot_id);
	query_bind_int(query, claim->process.pid);
	query_bind_int(query, claim->process.pid_start);
	query_bind_int(query, claim->space);
	query_bind_int(query, now_ns + claim->lease_ns);
	query_bind_text(query, claim->run_id);
}

bool sql_due_claim(void *backend, const struct stored_claim *claim, struct arena *arena,
		   struct stored_due **ret_due, struct err *e)
{
	static const char *const statements[] = {
		CLAIM_FIRST ") returning due_id",
		CLAIM_FIRST " for update of dues skip locked) returning due_id",
	};
	struct stored_due *due = NULL;
	int64_t due_id = 0;
	int64_t now_ns = 0;

	if (!sql_now(backend, &now_ns, e))
		return false;

	struct query query = query_make(backend, statements[sql_has_row_locks(backend)]);

	bind_claim(&query, claim, now_ns);
	query_bind_int(&query, now_ns);
	query_bind_text(&query, claim->labels);
	query_bind_int(&query, claim->kind == DUE_WATCH);
	if (query_row(&query))
		due_id = query_int(&query, 0);
	if (!query_end(&query, e))
		return false;
	if (due_id != 0) {
		due = arena_alloc(arena, sizeof *due);
		if (!read_one(backend, due_id, arena, due, e))
			return false;
	}
	*ret_due = due;
	return true;
}

/* Who had it is part of the question: of two that find it at once, one gets it. */
bool sql_due_take(void *backend, const struct stored_claim *claim, const struct due_row *from,
		  bool *ret_is_ours, struct err *e)
{
	int64_t now_ns = 0;

	if (!sql_now(backend, &now_ns, e))
		return false;

	struct query query = query_make(
		backend, CLAIM_SET " where due_id = ?8 and state = 'claimed' and worker = ?9"
				   " and lease_until_ns = ?10");

	bind_claim(&query, claim, now_ns);
	query_bind_int(&query, from->due_id);
	query_bind_text(&query, from->worker);
	query_bind_int(&query, from->lease_until_ns);
	while (query_row(&query))
		;
	*ret_is_ours = query_changed(&query) == 1;
	return query_end(&query, e);
}

bool sql_due_renew(void *backend, const char *worker, int64_t due_id, int64_t lease_ns,
		   bool *ret_is_ours, struct err *e)
{
	int64_t now_ns = 0;

	if (!sql_now(backend, &now_ns, e))
		return false;

	struct query query = query_make(backend, "update dues set lease_until_ns = ?"
						 " where due_id = ? and worker = ?"
						 " and state = 'claimed'");

	query_bind_int(&query, now_ns + lease_ns);
	query_bind_int(&query, due_id);
	query_bind_text(&query, worker);
	while (query_row(&query))
		;
	*ret_is_ours = query_changed(&query) == 1;
	return query_end(&query, e);
}

bool sql_due_finish(void *backend, const char *worker, const struct due_row *end,
		    bool *ret_is_ours, struct err *e)
{
	int64_t now_ns = 0;

	if (!sql_now(backend, &now_ns, e))
		return false;

	struct query query = query_make(
		backend, "update dues set state = ?, ended_wall_ns = ?, exit_code = ?, sentence = ?"
			 " where due_id = ? and worker = ? and state = 'claimed'");

	query_bind_text(&query, due_state_name(end->state));
	query_bind_int(&query, now_ns);
	query_bind_int(&query, end->exit_code);
	query_bind_text(&query, end->sentence);
	query_bind_int(&query, end->due_id);
	query_bind_text(&query, worker);
	while (query_row(&query))
		;
	*ret_is_ours = query_changed(&query) == 1;
	return query_end(&query, e);
}

#define MISS                                                                                       \
	"update dues set state = 'missed', ended_wall_ns = ?1,"                                    \
	" sentence = 'no worker that may run it was there in time'"                                \
	" where state = 'due' and latest_wall_ns < ?2"

bool sql_due_miss(void *backend, int64_t due_id, bool *ret_is_new, struct err *e)
{
	int64_t now_ns = 0;

	if (!sql_now(backend, &now_ns, e))
		return false;

	struct query query = query_make(backend, MISS " and due_id = ?3");

	query_bind_int(&query, now_ns);
	query_bind_int(&query, now_ns);
	query_bind_int(&query, due_id);
	while (query_row(&query))
		;
	*ret_is_new = query_changed(&query) == 1;
	return query_end(&query, e);
}

bool sql_dues_miss(void *backend, int64_t *ret_now_ns, struct err *e)
{
	if (!sql_now(backend, ret_now_ns, e))
		return false;

	struct query query = query_make(backend, MISS);

	query_bind_int(&query, *ret_now_ns);
	query_bind_int(&query, *ret_now_ns - DUE_FORGOTTEN_NS);
	return query_done(&query, e);
}
