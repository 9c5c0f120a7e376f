/*
 * postgres_query.c - probe "postgres.query": does one SQL statement give the expected answer?
 *
 * GOOD means that the server answered in time, was ready for the next statement, and that the
 * answer is as expected. The connection is kept between attempts, as applications do, unless
 * `fresh: true`; after a failure it is made anew, over all hosts of the conninfo. One that hangs is
 * kept in any case until it answers or breaks (postgres_conn.h). It does not make the session
 * read-only: what the statement does is the user's choice.
 */
#include "probes/postgres_conn.h"
#include "probes/probe.h"
#include "probes/stable.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct postgres_query {
	struct postgres_conn *owned_conn;
	const char *sql;
	const char *expect;
	bool has_rows;
	bool is_fresh;
	int64_t rows;
};

static const struct param postgres_query_params[] = {
	{ "sql", PARAM_TEXT, .is_required = true, .help = "one statement" },
	{ "expect", PARAM_TEXT, .help = "value of the first column of the first row, as text" },
	{ "rows", PARAM_COUNT, .help = "how many rows the answer must have" },
	{ "fresh", PARAM_BOOL, .fallback = "false",
	  .help = "a new connection for each attempt, as a new user would make" },
	{ 0 },
};

static bool postgres_query_check(const struct probe_spec *spec, struct err *e)
{
	return postgres_conninfo_check(spec->service->conninfo, spec->service->name, e);
}

static bool postgres_query_open(const struct probe_spec *spec, const char *run_id, void **ret_state,
				struct err *e)
{
	const struct postgres_want want = {
		.conninfo = spec->service->conninfo,
		.inventory = spec->inventory,
		.run_id = run_id,
		.question = params_text(&spec->params, "sql"),
		.timeout_ns = spec->timeout_ns,
	};
	struct postgres_conn *conn = NULL;

	if (!postgres_conn_open(&want, NULL, &conn, e))
		return err_wrap(e, "open postgres.query on %s", spec->service->name);

	struct postgres_query *probe = mem_alloc(sizeof *probe);

	probe->owned_conn = conn;
	probe->sql = params_text(&spec->params, "sql");
	probe->expect = params_text(&spec->params, "expect");
	probe->is_fresh = params_bool(&spec->params, "fresh");
	probe->has_rows = params_is_set(&spec->params, "rows");
	probe->rows = params_number(&spec->params, "rows");
	*ret_state = probe;
	return true;
}

/* Compares the answer; e says what differs. */
static bool is_as_expected(const struct postgres_query *probe, const struct postgres_answer *answer,
			   const struct text *value, bool has_value, struct err *e)
{
	char got[STABLE_TEXT_BYTES];

	if (probe->has_rows && answer->row_count != probe->rows)
		return err_set(e, ERR_REMOTE, "query: not the expected number of rows");
	if (probe->expect == NULL)
		return true;
	if (!has_value)
		return err_set(e, ERR_REMOTE, "query: no value where \"%s\" was expected",
			       probe->expect);
	if (strcmp(text_str(value), probe->expect) != 0)
		return err_set(e, ERR_REMOTE, "query: got \"%s\" where \"%s\" was expected",
			       stable_text(text_str(value), got), probe->expect);
	return true;
}

static void postgres_query_sample(void *state, const struct attempt *attempt,
				  struct attempt_result *result, struct err *e)
{
	const struct postgres_query *probe = state;
	const struct postgres_ask ask = { .sql = probe->sql };
	struct postgres_answer answer = { 0 };
	struct text value = { 0 };
	const enum postgres_end end = postgres_conn_ask(probe->owned_conn, &ask, attempt->clock,
							attempt->deadline_ns, &answer, e);

	result->state = end == POSTGRES_SHORTAGE ? SAMPLE_SKIPPED : SAMPLE_BAD;
	if (end == POSTGRES_DONE) {
		const bool has_value = postgres_answer_value(&answer, 0, &value);

		if (is_as_expected(probe, &answer, &value, has_value, e))
			result->state = SAMPLE_GOOD;
		if (result->got != NULL)
			text_add(result->got, text_str(&value));
	} else if (end != POSTGRES_UNSENT && end != POSTGRES_SHORTAGE) {
		err_wrap(e, "query");
	}
	text_release(&value);
	postgres_answer_release(&answer);
	if (probe->is_fresh)
		postgres_conn_leave(probe->owned_conn);
}

static void postgres_query_close(void *state)
{
	struct postgres_query *probe = state;

	if (probe == NULL)
		return;
	postgres_conn_close(probe->owned_conn);
	free(probe);
}

const struct probe_ops probe_postgres_query = {
	.name = "postgres.query",
	.summary = "an SQL statement gives the expected answer",
	.on = PROBE_ON_SERVICE,
	.service_kinds = "postgres",
	.params = postgres_query_params,
	.check = postgres_query_check,
	.open = postgres_query_open,
	.sample = postgres_query_sample,
	.close = postgres_query_close,
};
