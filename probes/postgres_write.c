/*
 * postgres_write.c - probe "postgres.write": the ledger. One numbered row for each slot, each its
 * own transaction, and later a look at which of them are still there.
 *
 * A row counts as acknowledged only when the server was ready for the next statement and no error
 * came before; an ERROR is a failed write; a deadline, a lost connection or a FATAL after sending
 * leaves it indeterminate. With `batch: n` a slot writes n rows in one go, and each row has an
 * outcome of its own by the same rule. The table has no unique constraint on purpose: a row that was
 * written twice must be seen twice. Nothing is ever sent again within an attempt. While an earlier
 * insert hangs and no other host takes writes, nothing is sent: the slot has no write, and no row.
 *
 * All ledgers of a run share the table firedrill_ledger_RUN; `writer` is the name of the probe.
 */
#include "probes/ledger_row.h"
#include "probes/postgres_conn.h"
#include "probes/probe.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum {
	RETRY_EVERY_MS = 100,
};

static const char *const undefined_table = "42P01"; /* an SQLSTATE */

/* One try of prepare or clean: a host that freezes meanwhile may not take all the time there is. */
static const int64_t try_at_most_ns = 5 * NS_PER_S;

struct postgres_write {
	struct postgres_conn *owned_conn;
	char *owned_payload;
	size_t payload_bytes;
	uint32_t batch_count;
	uint64_t seed;
};

static const struct param postgres_write_params[] = {
	{ "payload", PARAM_BYTES, .min = 1, .max = LEDGER_PAYLOAD_BYTES_MAX, .fallback = "32B",
	  .help = "size of the payload of each row" },
	{ "batch", PARAM_COUNT, .min = 1, .max = BATCH_ROWS_MAX, .fallback = "1",
	  .help = "rows of each slot, sent in one go; each is a transaction of its own" },
	{ "keep", PARAM_BOOL, .fallback = "false",
	  .help = "leave the table in place after the run, for counts of your own" },
	{ 0 },
};

static bool postgres_write_check(const struct probe_spec *spec, struct err *e)
{
	return postgres_conninfo_check(spec->service->conninfo, spec->service->name, e);
}

static void add_quoted_table(const char *run_id, struct text *sql)
{
	struct text name = { 0 };

	ledger_table_name(run_id, &name);
	postgres_quote_name(text_str(&name), sql);
	text_release(&name);
}

/* A ledger belongs on the primary, whatever the service's readers accept. */
static bool open_conn(const struct probe_spec *spec, const char *run_id, const char *prepare_sql,
		      struct postgres_conn **ret_conn, struct err *e)
{
	const struct postgres_want want = {
		.conninfo = spec->service->conninfo,
		.inventory = spec->inventory,
		.session_attrs = "read-write",
		.run_id = run_id,
		.question = prepare_sql == NULL ? "the ledger's table" : "the ledger's rows",
		.timeout_ns = spec->timeout_ns,
	};

	return postgres_conn_open(&want, prepare_sql, ret_conn, e);
}

static bool postgres_write_open(const struct probe_spec *spec, const char *run_id, void **ret_state,
				struct err *e)
{
	struct postgres_conn *conn = NULL;
	struct text sql = { 0 };
	bool ok;

	text_add(&sql, "insert into ");
	add_quoted_table(run_id, &sql);
	text_add(&sql, " (writer, seq, payload, checksum) values (");
	postgres_quote_text(spec->name, &sql);
	text_add(&sql, ", $1, $2, $3)");
	ok = open_conn(spec, run_id, text_str(&sql), &conn, e);
	text_release(&sql);
	if (!ok)
		return err_wrap(e, "open postgres.write on %s", spec->service->name);

	struct postgres_write *probe = mem_alloc(sizeof *probe);

	probe->owned_conn = conn;
	probe->payload_bytes = (size_t)params_number(&spec->params, "payload");
	assert(probe->payload_bytes > 0 && probe->payload_bytes <= LEDGER_PAYLOAD_BYTES_MAX);
	probe->batch_count = (uint32_t)params_number(&spec->params, "batch");
	assert(probe->batch_count > 0 && probe->batch_count <= BATCH_ROWS_MAX);
	probe->owned_payload = mem_alloc(probe->payload_bytes + 1);
	probe->seed = ledger_seed(run_id, spec->name);
	*ret_state = probe;
	return true;
}

/* A row's values as the statement wants them: bigint in network order, and two texts. */
struct row_values {
	uint64_t sequence;
	char checksum[LEDGER_CHECKSUM_BYTES];
	const char *values[3];
	int bytes[3];
};

/* The payload is overwritten by the next row: send this one first. */
static struct postgres_ask fill_row(struct postgres_write *probe, uint64_t number,
				    struct row_values *row)
{
	ledger_payload(probe->seed, number, probe->payload_bytes, probe->owned_payload);
	ledger_checksum(probe->seed, number, probe->owned_payload, probe->payload_bytes,
			row->checksum);
	row->sequence = htobe64(number);
	row->values[0] = (const char *)&row->sequence;
	row->values[1] = probe->owned_payload;
	row->values[2] = row->checksum;
	row->bytes[0] = sizeof row->sequence;
	row->bytes[1] = (int)probe->payload_bytes;
	row->bytes[2] = LEDGER_CHECKSUM_BYTES - 1;
	return (struct postgres_ask){ .values = row->values,
				      .value_bytes = row->bytes,
				      .value_count = 3 };
}

static enum write_outcome outcome_of(enum postgres_end end)
{
	switch (end) {
	case POSTGRES_DONE:
		return WRITE_ACKNOWLEDGED;
	case POSTGRES_REFUSED:
		return WRITE_FAILED;
	case POSTGRES_UNKNOWN:
		return WRITE_INDETERMINATE;
	case POSTGRES_UNSENT:
	case POSTGRES_SHORTAGE:
		break;
	}
	return WRITE_NONE;
}

/* The state of an attempt whose rows came to this at worst, and the sentence about it. */
static enum sample_state tell(enum postgres_end end, bool is_local_only, struct err *e)
{
	if (end == POSTGRES_SHORTAGE)
		return SAMPLE_SKIPPED;
	if (end == POSTGRES_REFUSED || end == POSTGRES_UNKNOWN)
		err_wrap(e, "insert");
	if (end != POSTGRES_DONE)
		return SAMPLE_BAD;
	if (is_local_only) /* a finding beside a good sample */
		err_set(e, ERR_REMOTE,
			"insert: acknowledged, but the wait for synchronous replication was "
			"cancelled: durable on one host only");
	return SAMPLE_GOOD;
}

static void write_one(struct postgres_write *probe, const struct attempt *attempt,
		      struct attempt_result *result, struct err *e)
{
	struct postgres_answer answer = { 0 };
	struct row_values row;
	const struct postgres_ask ask = fill_row(probe, attempt->slot, &row);
	const enum postgres_end end = postgres_conn_ask(
		probe->owned_conn, &ask, attempt->clock, attempt->deadline_ns, &answer, e);

	result->state = tell(end, answer.is_local_only, e);
	result->write = outcome_of(end);
	postgres_answer_release(&answer);
}

/* All rows of the slot are sent at once; what each came to is known only behind its own commit. */
static void write_batch(struct postgres_write *probe, const struct attempt *attempt,
			struct attempt_result *result, struct err *e)
{
	struct postgres_conn *conn = probe->owned_conn;
	enum postgres_end end =
		postgres_batch_begin(conn, attempt->clock, attempt->deadline_ns, e);
	enum write_outcome writes[BATCH_ROWS_MAX] = { WRITE_NONE };
	enum postgres_end ends[BATCH_ROWS_MAX];
	uint32_t sent_count = 0;
	bool is_local_only = false;

	if (end == POSTGRES_DONE) {
		bool goes_on = true;

		while (goes_on && sent_count < probe->batch_count) {
			struct row_values row;
			const struct postgres_ask ask = fill_row(
				probe, attempt->slot * probe->batch_count + sent_count, &row);

			goes_on = postgres_batch_add(conn, &ask, e);
			sent_count++;
		}
		end = postgres_batch_finish(conn, sent_count, attempt->clock, attempt->deadline_ns,
					    ends, &is_local_only, e);
	}
	for (uint32_t i = 0; i < sent_count; i++)
		writes[i] = outcome_of(ends[i]);
	result->state = tell(end, is_local_only, e);
	result->write = write_of_all(writes, probe->batch_count);
	result->detail = write_pack(writes, probe->batch_count);
}

static void postgres_write_sample(void *state, const struct attempt *attempt,
				  struct attempt_result *result, struct err *e)
{
	struct postgres_write *probe = state;

	if (probe->batch_count == 1)
		write_one(probe, attempt, result, e);
	else
		write_batch(probe, attempt, result, e);
}

static void postgres_write_close(void *state)
{
	struct postgres_write *probe = state;

	if (probe == NULL)
		return;
	postgres_conn_close(probe->owned_conn);
	free(probe->owned_payload);
	free(probe);
}

/* Whether trying again may help: a failover under way, a server that starts, a race of ours. */
static bool is_passing(enum postgres_end end, const char *sqlstate)
{
	static const char *const passing[] = {
		"08", "25", "40", "53", "57", "42P07", "23505", "XX"
	};

	if (end != POSTGRES_REFUSED)
		return true;
	for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
		if (strncmp(sqlstate, passing[i], strlen(passing[i])) == 0)
			return true;
	}
	return false;
}

/* Runs one repeatable statement on the primary, again and again until it is done. */
static bool run_until_done(const struct probe_spec *spec, const char *run_id, const char *sql,
			   const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	const struct postgres_ask ask = { .sql = sql };
	struct postgres_conn *conn = NULL;
	bool is_done = false;

	if (!open_conn(spec, run_id, NULL, &conn, e))
		return false;
	for (;;) {
		struct postgres_answer answer = { 0 };
		struct err own = { 0 };
		const int64_t try_end_ns = clock_now_ns(clock) + try_at_most_ns;
		const enum postgres_end end = postgres_conn_ask(
			conn, &ask, clock, try_end_ns < deadline_ns ? try_end_ns : deadline_ns,
			&answer, &own);
		const bool is_worth_it = is_passing(end, answer.sqlstate);
		const int64_t next_ns = clock_now_ns(clock) + RETRY_EVERY_MS * NS_PER_MS;

		postgres_answer_release(&answer);
		/* A last try that was cut short does not hide what the server said before. */
		if (e != NULL && (own.kind != ERR_DEADLINE || e->kind == ERR_NONE))
			*e = own;
		is_done = end == POSTGRES_DONE;
		if (is_done || !is_worth_it || next_ns >= deadline_ns)
			break;
		clock_sleep_until_ns(clock, next_ns);
	}
	postgres_conn_close(conn);
	if (is_done)
		err_clear(e); /* of tries before */
	return is_done;
}

/* libpq's own words; no other tells a server that lives from one that takes writes. */
static void explain_read_only(struct err *e)
{
	const struct err told = *e;

	if (strstr(told.text, "session is read-only") != NULL)
		err_set(e, told.kind,
			"%s. It is a standby, or default_transaction_read_only is on, and a ledger "
			"writes: let `conninfo` name the primary, too",
			told.text);
}

static bool postgres_write_prepare(const struct probe_spec *spec, const char *run_id,
				   const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	struct text sql = { 0 };
	bool ok;

	text_add(&sql, "create table if not exists ");
	add_quoted_table(run_id, &sql);
	text_add(&sql, " (writer text not null, seq bigint not null, payload text not null, "
		       "checksum text not null)");
	ok = run_until_done(spec, run_id, text_str(&sql), clock, deadline_ns, e);
	text_release(&sql);
	if (!ok)
		explain_read_only(e);
	return ok || err_wrap(e, "make the ledger's table on %s", spec->service->name);
}

/* Rows on their way from COPY to the sink. */
struct row_reader {
	const struct row_sink *sink;
	uint64_t seed;
	size_t payload_bytes;
	bool is_strange; /* a row that is none of ours */
};

static void read_row(void *ctx, const struct postgres_field *fields)
{
	struct row_reader *reader = ctx;
	const struct postgres_field *payload = &fields[1];
	const struct postgres_field *checksum = &fields[2];
	uint64_t sequence;

	if (fields[0].bytes == NULL || fields[0].length_bytes != sizeof sequence ||
	    payload->bytes == NULL || checksum->bytes == NULL) {
		reader->is_strange = true;
		return;
	}
	memcpy(&sequence, fields[0].bytes, sizeof sequence);
	sequence = be64toh(sequence);
	reader->sink->row(reader->sink->ctx, (int64_t)sequence,
			  ledger_is_intact(reader->seed, sequence, reader->payload_bytes,
					   payload->bytes, payload->length_bytes, checksum->bytes,
					   checksum->length_bytes));
}

static int64_t hear(void *ctx, int64_t deadline_ns)
{
	const struct row_reader *reader = ctx;

	return row_sink_heard(reader->sink, deadline_ns);
}

static bool postgres_write_read_back(const struct probe_spec *spec, const char *run_id,
				     const struct clock *clock, int64_t deadline_ns,
				     const struct row_sink *sink, struct err *e)
{
	struct row_reader reader = {
		.sink = sink,
		.seed = ledger_seed(run_id, spec->name),
		.payload_bytes = (size_t)params_number(&spec->params, "payload"),
	};
	struct postgres_answer answer = { 0 };
	struct postgres_conn *conn = NULL;
	struct text sql = { 0 };
	bool ok;

	text_add(&sql, "copy (select seq, payload, checksum from ");
	add_quoted_table(run_id, &sql);
	text_add(&sql, " where writer =");
	postgres_quote_text(spec->name, &sql);
	text_add(&sql, ") to stdout (format binary)");

	const struct postgres_copy copy = { .sql = text_str(&sql),
					    .field_count = 3,
					    .row = read_row,
					    .heard = hear,
					    .ctx = &reader };

	ok = open_conn(spec, run_id, NULL, &conn, e) &&
	     postgres_conn_copy(conn, &copy, clock, deadline_ns, &answer, e);
	if (ok && reader.is_strange)
		ok = err_set(e, ERR_REMOTE, "a row that is none of this ledger");
	/* prepare saw the table made. A primary that does not know it has lost every row in it. */
	if (!ok && strcmp(answer.sqlstate, undefined_table) == 0) {
		err_clear(e);
		ok = true;
	}
	postgres_answer_release(&answer);
	postgres_conn_close(conn);
	text_release(&sql);
	return ok || err_wrap(e, "read the ledger back from %s", spec->service->name);
}

static bool postgres_write_clean(const struct probe_spec *spec, const char *run_id,
				 const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	struct text sql = { 0 };
	bool ok;

	if (params_bool(&spec->params, "keep"))
		return true;
	text_add(&sql, "drop table if exists ");
	add_quoted_table(run_id, &sql);
	ok = run_until_done(spec, run_id, text_str(&sql), clock, deadline_ns, e);
	text_release(&sql);
	return ok || err_wrap(e, "remove the ledger's table from %s", spec->service->name);
}

const struct probe_ops probe_postgres_write = {
	.name = "postgres.write",
	.summary = "the ledger: writes numbered rows and remembers which were acknowledged",
	.on = PROBE_ON_SERVICE,
	.service_kinds = "postgres",
	.is_ledger = true,
	.params = postgres_write_params,
	.batch_param = "batch",
	.check = postgres_write_check,
	.open = postgres_write_open,
	.sample = postgres_write_sample,
	.close = postgres_write_close,
	.prepare = postgres_write_prepare,
	.read_back = postgres_write_read_back,
	.clean = postgres_write_clean,
};
