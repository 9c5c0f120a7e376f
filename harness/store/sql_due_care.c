/*
 * sql_due_care.c - due runs counted, and the old ones removed. See store_ops.h. Both ask only for columns
 * that stand in an index: the rows themselves are as long as their documents.
 */
#include "store/sql.h"

#include <string.h>

/* ---- counting ---- */

static enum due_state state_named(const char *word)
{
	for (enum due_state state = DUE_WAITS; state <= DUE_SKIPPED; state++)
		if (strcmp(word, due_state_name(state)) == 0)
			return state;
	return DUE_ABANDONED; /* as sql_dues.c reads it */
}

/* When the newest one that has begun was due: it has a run. */
struct begun {
	enum due_state state;
	int64_t due_wall_ns;
};

static void count_state(struct query *query, struct arena *arena, struct due_sum *row,
			struct begun *begun)
{
	const enum due_state state = state_named(query_text_or_empty(query, 1, arena));
	const int64_t first_ns = query_int(query, 3);
	const int64_t last_ns = query_int(query, 4);

	row->counts[state] += (uint64_t)query_int(query, 2);
	if (state == DUE_WAITS)
		row->oldest_waiting_wall_ns = first_ns;
	if (state == DUE_MISSED)
		row->newest_missed_wall_ns = last_ns;
	if (last_ns > row->newest_due_wall_ns)
		row->newest_due_wall_ns = last_ns;
	if ((state == DUE_CLAIMED || state == DUE_DONE || state == DUE_ABANDONED) &&
	    last_ns > begun->due_wall_ns)
		*begun = (struct begun){ state, last_ns };
}

/* Of several trials the set has begun. A run that is not there (any more) tells nothing. */
static bool read_delay(void *backend, struct due_sum *row, const struct begun *begun, struct err *e)
{
	struct query query = query_make(
		backend, "select coalesce(runs.wall_ns, sets.wall_ns) - dues.due_wall_ns from dues"
			 " left join runs on runs.run_id = dues.run_id"
			 " left join sets on sets.set_id = dues.run_id"
			 " where dues.schedule = ? and dues.state = ? and dues.due_wall_ns = ?"
			 " and (runs.run_id is not null or sets.set_id is not null)"
			 " order by dues.turn desc limit 1");

	query_bind_text(&query, row->schedule);
	query_bind_text(&query, due_state_name(begun->state));
	query_bind_int(&query, begun->due_wall_ns);
	if (query_row(&query)) {
		row->has_begun = true;
		row->last_delay_ns = query_int(&query, 0);
	}
	return query_end(&query, e);
}

static bool sum_schedules(void *backend, struct arena *arena, struct due_sums *sums, struct err *e)
{
	struct query query = query_make(
		backend, "select schedule, state, count(*), min(due_wall_ns), max(due_wall_ns)"
			 " from dues where turn > 0 group by schedule, state order by schedule, state");
	struct begun *begun = NULL;

	while (query_row(&query)) {
		const char *schedule = query_text_or_empty(&query, 0, arena);

		if (sums->count == 0 ||
		    strcmp(sums->rows[sums->count - 1].schedule, schedule) != 0) {
			sums->rows = arena_more(arena, sums->rows, sums->count, sizeof *sums->rows);
			begun = arena_more(arena, begun, sums->count, sizeof *begun);
			sums->rows[sums->count] = (struct due_sum){ .schedule = schedule };
			begun[sums->count++] = (struct begun){ .due_wall_ns = INT64_MIN };
		}
		count_state(&query, arena, &sums->rows[sums->count - 1], &begun[sums->count - 1]);
	}
	if (!query_end(&query, e))
		return false;
	for (size_t i = 0; i < sums->count; i++)
		if (begun[i].due_wall_ns != INT64_MIN &&
		    !read_delay(backend, &sums->rows[i], &begun[i], e))
			return false;
	return true;
}

static bool sum_leases(void *backend, struct due_sums *sums, struct err *e)
{
	if (!sql_now(backend, &sums->now_wall_ns, e))
		return false;

	struct query query = query_make(
		backend, "select count(*), count(case when lease_until_ns >= ?1 then 1 end),"
			 " count(distinct case when lease_until_ns >= ?1 then worker end)"
			 " from dues where state = 'claimed'");

	query_bind_int(&query, sums->now_wall_ns);
	if (query_row(&query)) {
		sums->valid_count = (uint64_t)query_int(&query, 1);
		sums->expired_count = (uint64_t)query_int(&query, 0) - sums->valid_count;
		sums->worker_count = (uint64_t)query_int(&query, 2);
	}
	return query_end(&query, e);
}

bool sql_due_sums(void *backend, struct arena *arena, struct due_sums *ret_sums, struct err *e)
{
	struct due_sums sums = { 0 };

	if (!sum_leases(backend, &sums, e) || !sum_schedules(backend, arena, &sums, e))
		return false;
	*ret_sums = sums;
	return true;
}

/* ---- removal ---- */

/* ?1: before then. ?2: so many of the newest stay, whatever they are. */
#define OLD_DUES                                                                                   \
	" from dues where state in ('done', 'abandoned', 'missed', 'skipped')"                      \
	" and due_wall_ns < ?1"                                                                    \
	" and (due_wall_ns, due_id) <= (select due_wall_ns, due_id from dues"                      \
	" order by due_wall_ns desc, due_id desc limit 1 offset ?2)"                               \
	" and (turn <= 0 and watch_of is not null"                                                 \
	" or exists (select 1 from dues as later where later.schedule = dues.schedule"            \
	" and (later.nominal_wall_ns, later.turn) > (dues.nominal_wall_ns, dues.turn)))"           \
	" and not exists (select 1 from runs where runs.run_id = dues.watch_of)"                   \
	" and not exists (select 1 from runs where runs.run_id = dues.run_id)"                     \
	" and not exists (select 1 from sets where sets.set_id = dues.run_id)"

static void bind_old(struct query *query, const struct due_prune *prune)
{
	query_bind_int(query, prune->before_wall_ns);
	query_bind_int(query, (int64_t)prune->keep_count);
}

static bool count_old(void *backend, const struct due_prune *prune, uint64_t *ret_count,
		      struct err *e)
{
	struct query query = query_make(backend, "select count(*)" OLD_DUES);

	bind_old(&query, prune);
	if (query_row(&query))
		*ret_count = (uint64_t)query_int(&query, 0);
	return query_end(&query, e);
}

/* Their labels first: they refer to them. A row that has become an old one in between still has its own,
   and waits for the next time. */
bool sql_dues_prune(void *backend, const struct due_prune *prune, uint64_t *ret_count,
		    struct err *e)
{
	static const char *const statements[] = {
		"delete from due_labels where due_id in (select due_id" OLD_DUES
		" order by due_id limit ?3)",
		"delete from dues where due_id in (select due_id" OLD_DUES
		" and not exists (select 1 from due_labels where due_labels.due_id = dues.due_id)"
		" order by due_id limit ?3)",
	};

	if (prune->is_dry)
		return count_old(backend, prune, ret_count, e);
	for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
		struct query query = query_make(backend, statements[i]);

		bind_old(&query, prune);
		query_bind_int(&query, DUES_PRUNED_AT_ONCE);
		while (query_row(&query))
			;
		*ret_count = query_changed(&query);
		if (!query_end(&query, e))
			return false;
	}
	return true;
}
