/*
 * postgres_read.c - probe "postgres.read": which rows of a ledger are visible here and now?
 *
 * One statement is one snapshot. The server counts and adds up the numbers below a mark, and lists those
 * from the mark on; when count and sum are as at this lane's last read nothing below has changed, and only
 * the newest rows travel. When they are not, the read is made again without a mark, in a snapshot of its own.
 *
 * It tells what changed since the last read of its lane, and judges nothing: whether a row that is missing
 * had been acknowledged is known to the harness alone, by its own clock. A server that does not know the
 * ledger's table (a replica that is behind) shows no row.
 */
#include "probes/ledger_row.h"
#include "probes/postgres_conn.h"
#include "probes/probe.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TAIL_ROWS = 512, /* listed again each time; writes may become visible out of order by so many */
	ROWS_MAX = 1 << 28,
};

static const char *const undefined_table = "42P01"; /* an SQLSTATE */

/* The rows that were visible to this lane's last read. */
struct view {
	bool *owned_is_there;
	uint64_t room; /* rows below it have a place */
	uint64_t end;  /* rows from it on were never visible */
	uint64_t mark;
	int64_t below_count; /* of rows below the mark, as the server counts: copies, too */
	int64_t below_sum;
};

struct postgres_read {
	struct postgres_conn *owned_conn;
	char *owned_sql;
	struct view view;
};

static const struct param postgres_read_params[] = {
	{ "ledger", PARAM_TEXT, .is_required = true,
	  .help = "the probe whose rows it reads, a postgres.write of this experiment" },
	{ "member", PARAM_TEXT, .help = "the one member to read from; else as conninfo has it" },
	{ "target_session_attrs", PARAM_CHOICE,
	  .choices = "any|read-write|read-only|primary|standby|prefer-standby",
	  .help = "which servers to read from; else as conninfo has it" },
	{ 0 },
};

static const struct host *find_member(const struct probe_spec *spec)
{
	const char *name = params_text(&spec->params, "member");

	for (size_t i = 0; name != NULL && i < spec->service->member_count; i++)
		if (strcmp(spec->service->members[i]->name, name) == 0)
			return spec->service->members[i];
	return NULL;
}

static bool postgres_read_check(const struct probe_spec *spec, struct err *e)
{
	const char *member = params_text(&spec->params, "member");

	if (member != NULL && find_member(spec) == NULL)
		return err_set(e, ERR_INPUT, "`%s` is no member of `%s`", member,
			       spec->service->name);
	return postgres_conninfo_check(spec->service->conninfo, spec->service->name, e);
}

static bool postgres_read_open(const struct probe_spec *spec, const char *run_id, void **ret_state,
			       struct err *e)
{
	const struct host *member = find_member(spec);
	const char *attrs = params_text(&spec->params, "target_session_attrs");
	const struct postgres_want want = {
		.conninfo = spec->service->conninfo,
		.inventory = spec->inventory,
		.member = member,
		/* Who names a member means that one, whatever the service's other clients want. */
		.session_attrs = attrs == NULL && member != NULL ? "any" : attrs,
		.run_id = run_id,
		.question = spec->name,
		.timeout_ns = spec->timeout_ns,
	};
	struct postgres_conn *conn = NULL;
	struct text table = { 0 };
	struct text sql = { 0 };

	if (!postgres_conn_open(&want, NULL, &conn, e))
		return err_wrap(e, "open postgres.read on %s", spec->service->name);

	struct postgres_read *probe = mem_alloc(sizeof *probe);

	probe->owned_conn = conn;
	ledger_table_name(run_id, &table);
	text_add(&sql, "select count(*) filter (where seq < $1::bigint), "
		       "coalesce(sum(seq) filter (where seq < $1::bigint), 0), "
		       "coalesce(string_agg(seq::text, ',' order by seq) "
		       "filter (where seq >= $1::bigint), '') from ");
	postgres_quote_name(text_str(&table), &sql);
	text_add(&sql, " where writer = ");
	postgres_quote_text(params_text(&spec->params, "ledger"), &sql);
	probe->owned_sql = mem_copy(text_str(&sql));
	text_release(&table);
	text_release(&sql);
	*ret_state = probe;
	return true;
}

/* What one snapshot holds. */
struct snapshot {
	uint64_t mark;
	int64_t below_count;
	int64_t below_sum;
	struct text list; /* "17,18,20" */
};

static bool read_snapshot(const struct postgres_answer *answer, struct snapshot *snapshot,
			  struct err *e)
{
	struct text count = { 0 };
	struct text sum = { 0 };
	const bool ok = postgres_answer_value(answer, 0, &count) &&
			postgres_answer_value(answer, 1, &sum) &&
			postgres_answer_value(answer, 2, &snapshot->list);

	snapshot->below_count = strtoll(text_str(&count), NULL, 10);
	snapshot->below_sum = strtoll(text_str(&sum), NULL, 10);
	text_release(&count);
	text_release(&sum);
	return ok || err_set(e, ERR_REMOTE, "read: an answer without its three columns");
}

/* GOOD with a snapshot, or what else the attempt came to. */
static enum sample_state ask(struct postgres_read *probe, const struct attempt *attempt,
			     uint64_t mark, struct snapshot *ret_snapshot, struct err *e)
{
	char number[24];
	const char *const values[] = { number };
	const struct postgres_ask question = { .sql = probe->owned_sql,
					       .values = values,
					       .value_count = 1 };
	struct postgres_answer answer = { 0 };
	enum sample_state state = SAMPLE_BAD;

	*ret_snapshot = (struct snapshot){ .mark = mark };
	(void)snprintf(number, sizeof number, "%" PRIu64, mark);

	const enum postgres_end end = postgres_conn_ask(probe->owned_conn, &question, attempt->clock,
							attempt->deadline_ns, &answer, e);

	if (end == POSTGRES_SHORTAGE)
		state = SAMPLE_SKIPPED;
	else if (end == POSTGRES_DONE && read_snapshot(&answer, ret_snapshot, e))
		state = SAMPLE_GOOD;
	else if (end == POSTGRES_REFUSED && strcmp(answer.sqlstate, undefined_table) == 0)
		state = SAMPLE_GOOD; /* and e stays, as a remark */
	else if (end == POSTGRES_REFUSED || end == POSTGRES_UNKNOWN)
		err_wrap(e, "read");
	postgres_answer_release(&answer);
	return state;
}

static void make_room(struct view *view, uint64_t row)
{
	uint64_t room = view->room == 0 ? 4096 : view->room;
	bool *larger;

	while (room <= row)
		room *= 2;
	if (room == view->room)
		return;
	larger = mem_alloc(room * sizeof *larger);
	if (view->room > 0)
		memcpy(larger, view->owned_is_there, view->room * sizeof *larger);
	free(view->owned_is_there);
	view->owned_is_there = larger;
	view->room = room;
}

/* One number of the list; false at its end, or where it is no list of rows of ours. */
static bool next_row(const char **at, uint64_t *ret_row)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*ret_row = strtoull(*at, &end, 10);
	if (*ret_row >= ROWS_MAX)
		return false;
	*at = *end == ',' ? end + 1 : end;
	return true;
}

/* Sets the mark so that the newest rows are above it, and knows what is below. */
static void move_mark(struct view *view, const struct snapshot *snapshot)
{
	const char *at = text_str(&snapshot->list);
	uint64_t row;

	view->mark = view->end > TAIL_ROWS ? view->end - TAIL_ROWS : 0;
	if (view->mark < snapshot->mark)
		view->mark = snapshot->mark;
	view->below_count = snapshot->below_count;
	view->below_sum = snapshot->below_sum;
	while (next_row(&at, &row) && row < view->mark) {
		view->below_count++;
		view->below_sum += (int64_t)row;
	}
}

/* One past the last row of the list, or of the view. False: no list of rows of ours. */
static bool find_end(const struct view *view, const struct snapshot *snapshot, uint64_t *ret_end,
		     struct err *e)
{
	const char *at = text_str(&snapshot->list);
	uint64_t row;

	*ret_end = view->end > snapshot->mark ? view->end : snapshot->mark;
	while (next_row(&at, &row)) {
		if (row < snapshot->mark)
			break;
		*ret_end = row + 1 > *ret_end ? row + 1 : *ret_end;
	}
	return *at == '\0' ||
	       err_set(e, ERR_REMOTE, "read: a row that this ledger cannot have written");
}

static char sign_of(bool is_there, bool is_now)
{
	return is_there == is_now ? '\0' : is_now ? '+' : '~';
}

/* Rows from the mark on become what is_now says; neighbours that change alike are one run. */
static void tell_changes(struct view *view, uint64_t mark, uint64_t end, const bool *is_now,
			 struct text *shown)
{
	for (uint64_t row = mark; row < end;) {
		const uint64_t first = row;
		const char sign = sign_of(view->owned_is_there[row], is_now[row - mark]);

		while (row < end &&
		       sign_of(view->owned_is_there[row], is_now[row - mark]) == sign) {
			view->owned_is_there[row] = is_now[row - mark];
			row++;
		}
		if (sign == '\0')
			continue;
		text_addf(shown, "%c%" PRIu64, sign, first);
		if (row - first > 1)
			text_addf(shown, "-%" PRIu64, row - 1);
	}
}

/* The snapshot becomes the view; tells what is different. */
static bool take_snapshot(struct view *view, const struct snapshot *snapshot, struct text *shown,
			  struct err *e)
{
	const char *at = text_str(&snapshot->list);
	uint64_t end;
	uint64_t row;
	bool *is_now;

	if (!find_end(view, snapshot, &end, e))
		return false;
	make_room(view, end);
	is_now = mem_alloc((end - snapshot->mark + 1) * sizeof *is_now);
	while (next_row(&at, &row))
		is_now[row - snapshot->mark] = true;
	tell_changes(view, snapshot->mark, end, is_now, shown);
	free(is_now);
	view->end = end;
	move_mark(view, snapshot);
	return true;
}

static void postgres_read_sample(void *state, const struct attempt *attempt,
				 struct attempt_result *result, struct err *e)
{
	struct postgres_read *probe = state;
	struct view *view = &probe->view;
	struct text ignored = { 0 };
	struct snapshot snapshot;

	result->state = ask(probe, attempt, view->mark, &snapshot, e);
	if (result->state == SAMPLE_GOOD && view->mark > 0 &&
	    (snapshot.below_count != view->below_count || snapshot.below_sum != view->below_sum)) {
		text_release(&snapshot.list);
		result->state = ask(probe, attempt, 0, &snapshot, e);
	}
	if (result->state == SAMPLE_GOOD &&
	    !take_snapshot(view, &snapshot, result->shown == NULL ? &ignored : result->shown, e))
		result->state = SAMPLE_BAD;
	text_release(&snapshot.list);
	text_release(&ignored);
}

static void postgres_read_close(void *state)
{
	struct postgres_read *probe = state;

	if (probe == NULL)
		return;
	postgres_conn_close(probe->owned_conn);
	free(probe->owned_sql);
	free(probe->view.owned_is_there);
	free(probe);
}

const struct probe_ops probe_postgres_read = {
	.name = "postgres.read",
	.summary = "reads what of a ledger is visible: finds stale and non-monotonic reads",
	.on = PROBE_ON_SERVICE,
	.service_kinds = "postgres",
	.params = postgres_read_params,
	.reads_ledger = "postgres.write",
	.check = postgres_read_check,
	.open = postgres_read_open,
	.sample = postgres_read_sample,
	.close = postgres_read_close,
};
