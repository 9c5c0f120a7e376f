/*
 * mariadb_write.c - probe "mariadb.write": the ledger in MariaDB or MySQL. One numbered row for each
 * slot, each its own transaction, and later a look at which of them are still there.
 *
 * An OK is a commit, since the session has autocommit whatever the server's default. Whether that
 * commit is on a disk or on a replica is the server's configuration, and what this ledger shows. The
 * table's only key is a number of its own: a row that was written twice must be seen twice, and
 * clusters want a key.
 */
#include "probes/ledger_row.h"
#include "probes/mariadb_conn.h"
#include "probes/probe.h"
#include "probes/stable.h"

#include <assert.h>
#include <inttypes.h>
#include <mariadb/mysqld_error.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_EVERY_MS = 100 };

/* One try of prepare or clean: a host that freezes meanwhile may not take all the time there is. */
static const int64_t try_at_most_ns = 5 * NS_PER_S;

struct mariadb_write {
	struct mariadb_want want;
	struct links *owned_links;
	const char *writer;
	struct text table;
	struct text sql;
	char *owned_payload;
	size_t payload_bytes;
	uint64_t seed;
};

static const struct param mariadb_write_params[] = {
	{ "payload", PARAM_BYTES, .min = 1, .max = LEDGER_PAYLOAD_BYTES_MAX, .fallback = "32B",
	  .help = "size of the payload of each row" },
	{ "keep", PARAM_BOOL, .fallback = "false",
	  .help = "leave the table in place after the run, for counts of your own" },
	{ 0 },
};

static bool mariadb_write_check(const struct probe_spec *spec, struct err *e)
{
	const struct param_value *address = params_find(&spec->service->params, "address");

	return links_check(address->items, address->item_count, e) ||
	       err_wrap(e, "service %s", spec->service->name);
}

static void release_probe(struct mariadb_write *probe)
{
	links_close(probe->owned_links);
	text_release(&probe->table);
	text_release(&probe->sql);
	free(probe->owned_payload);
}

/* The probe must stay where it is: its links borrow from it. */
static bool init_probe(const struct probe_spec *spec, const char *run_id, const char *question,
		       struct mariadb_write *probe, struct err *e)
{
	const struct param_value *address = params_find(&spec->service->params, "address");
	const struct links_want want = {
		.ops = &mariadb_link_ops,
		.conn_want = &probe->want,
		.places = address->items,
		.place_count = address->item_count,
		.port = (uint16_t)params_number(&spec->service->params, "port"),
		.inventory = spec->inventory,
		.question = question,
		.timeout_ns = spec->timeout_ns,
	};

	*probe = (struct mariadb_write){
		.want = mariadb_want_of(spec->service),
		.writer = spec->name,
		.payload_bytes = (size_t)params_number(&spec->params, "payload"),
		.seed = ledger_seed(run_id, spec->name),
	};
	assert(probe->payload_bytes > 0 && probe->payload_bytes <= LEDGER_PAYLOAD_BYTES_MAX);
	probe->owned_payload = mem_alloc(probe->payload_bytes + 1);
	ledger_table_name(run_id, &probe->table);
	return links_open(&want, &probe->owned_links, e);
}

static bool mariadb_write_open(const struct probe_spec *spec, const char *run_id, void **ret_state,
			       struct err *e)
{
	struct mariadb_write *probe = mem_alloc(sizeof *probe);

	if (!init_probe(spec, run_id, "mariadb rows", probe, e)) {
		release_probe(probe);
		free(probe);
		return err_wrap(e, "open mariadb.write on %s", spec->service->name);
	}
	*ret_state = probe;
	return true;
}

static void mariadb_write_close(void *state)
{
	struct mariadb_write *probe = state;

	if (probe == NULL)
		return;
	release_probe(probe);
	free(probe);
}

/*
 * A server's error rolled the statement back. Not so when the session was ended or the commit itself
 * went wrong: then nobody outside can tell at which moment. A proxy that lost its server says so with
 * one of these, too.
 */
static bool is_certain(unsigned error)
{
	static const unsigned unknown[] = {
		ER_SERVER_SHUTDOWN,    ER_NORMAL_SHUTDOWN,	  ER_FORCING_CLOSE,
		ER_NEW_ABORTING_CONNECTION, ER_ABORTING_CONNECTION,	  ER_NET_READ_ERROR,
		ER_NET_READ_INTERRUPTED, ER_NET_ERROR_ON_WRITE,	  ER_NET_WRITE_INTERRUPTED,
		ER_ERROR_DURING_COMMIT, ER_ERROR_DURING_ROLLBACK, ER_QUERY_INTERRUPTED,
		ER_CONNECTION_KILLED,  ER_STATEMENT_TIMEOUT,	  ER_UNKNOWN_ERROR,
	};

	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
		if (unknown[i] == error)
			return false;
	}
	return true;
}

/* Another place may do better: this one became a replica, or is not in its cluster. */
static bool is_place_wrong(unsigned error)
{
	return error == ER_OPTION_PREVENTS_STATEMENT || error == ER_UNKNOWN_COM_ERROR;
}

static void write_insert(struct mariadb_write *probe, uint64_t slot)
{
	char checksum[LEDGER_CHECKSUM_BYTES];

	ledger_payload(probe->seed, slot, probe->payload_bytes, probe->owned_payload);
	ledger_checksum(probe->seed, slot, probe->owned_payload, probe->payload_bytes, checksum);
	text_clear(&probe->sql);
	/* Names and values are letters, digits, - and _: nothing to quote. */
	text_addf(&probe->sql,
		  "insert into `%s` (writer, seq, payload, checksum) values ('%s', %" PRIu64
		  ", '%s', '%s')",
		  text_str(&probe->table), probe->writer, slot, probe->owned_payload, checksum);
}

static void mariadb_write_sample(void *state, const struct attempt *attempt,
				 struct attempt_result *result, struct err *e)
{
	struct mariadb_write *probe = state;
	const enum link_end end =
		links_connect(probe->owned_links, attempt->clock, attempt->deadline_ns, e);
	struct mariadb_conn *conn;
	char reason[STABLE_TEXT_BYTES];

	result->state = end == LINK_SHORTAGE ? SAMPLE_SKIPPED : SAMPLE_BAD;
	if (end != LINK_DONE)
		return;
	conn = links_current(probe->owned_links);
	write_insert(probe, attempt->slot);
	mariadb_conn_ask(conn, text_str(&probe->sql), NULL, NULL);
	result->write = WRITE_INDETERMINATE;
	if (links_wait(probe->owned_links, attempt->clock, attempt->deadline_ns, e) != LINK_DONE) {
		err_wrap(e, "insert");
		return;
	}

	const unsigned error = mariadb_conn_error(conn);

	if (error == 0) {
		result->state = SAMPLE_GOOD;
		result->write = WRITE_ACKNOWLEDGED;
		return;
	}
	if (is_certain(error))
		result->write = WRITE_FAILED;
	err_set(e, ERR_REMOTE, "insert: %s", stable_text(mariadb_conn_reason(conn), reason));
	if (is_place_wrong(error))
		links_leave(probe->owned_links, reason);
}

/* ---- before and after ---- */

/* Whether trying again may help: not with missing rights, names or syntax. */
static bool is_passing(unsigned error)
{
	static const unsigned lasting[] = { ER_DBACCESS_DENIED_ERROR, ER_ACCESS_DENIED_ERROR,
					    ER_BAD_DB_ERROR, ER_TABLEACCESS_DENIED_ERROR,
					    ER_SPECIFIC_ACCESS_DENIED_ERROR, ER_PARSE_ERROR };

	for (size_t i = 0; i < sizeof lasting / sizeof lasting[0]; i++) {
		if (lasting[i] == error)
			return false;
	}
	return true;
}

/* One statement on its own. ret_error: the server's, 0 when there was none. */
static bool do_statement(struct mariadb_write *probe, const char *sql, const struct clock *clock,
			 int64_t deadline_ns, unsigned *ret_error, struct err *e)
{
	struct mariadb_conn *conn;

	*ret_error = 0;
	if (links_connect(probe->owned_links, clock, deadline_ns, e) != LINK_DONE)
		return false;
	conn = links_current(probe->owned_links);
	mariadb_conn_ask(conn, sql, NULL, NULL);
	if (links_wait(probe->owned_links, clock, deadline_ns, e) != LINK_DONE)
		return false;
	*ret_error = mariadb_conn_error(conn);
	return *ret_error == 0 || err_set(e, ERR_REMOTE, "%s", mariadb_conn_reason(conn));
}

/* Runs repeatable statements on the primary, again and again until they are done. */
static bool do_until_done(const struct probe_spec *spec, const char *run_id,
			  const char *const *sql, size_t count, const struct clock *clock,
			  int64_t deadline_ns, struct err *e)
{
	struct mariadb_write probe;
	unsigned error = 0;
	size_t done = 0;

	if (init_probe(spec, run_id, "mariadb ledger", &probe, e)) {
		for (;;) {
			const int64_t now_ns = clock_now_ns(clock);
			const int64_t try_end_ns = now_ns + try_at_most_ns;
			const int64_t next_ns = now_ns + RETRY_EVERY_MS * NS_PER_MS;

			while (done < count &&
			       do_statement(&probe, sql[done], clock,
					    try_end_ns < deadline_ns ? try_end_ns : deadline_ns,
					    &error, e))
				done++;
			if (done == count || !is_passing(error) || next_ns >= deadline_ns)
				break;
			clock_sleep_until_ns(clock, next_ns);
		}
	}
	release_probe(&probe);
	if (done == count)
		err_clear(e); /* of tries before */
	return done == count;
}

static bool mariadb_write_prepare(const struct probe_spec *spec, const char *run_id,
				  const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	struct text table = { 0 };
	struct text make = { 0 };
	struct text look = { 0 };
	bool ok;

	ledger_table_name(run_id, &table);
	text_addf(&make,
		  "create table if not exists `%s` (id bigint not null auto_increment primary key, "
		  "writer varchar(64) not null, seq bigint not null, payload mediumtext not null, "
		  "checksum varchar(64) not null) engine = InnoDB default character set ascii",
		  text_str(&table));
	text_addf(&look, "select seq from `%s` limit 0", text_str(&table));

	const char *const sql[] = { text_str(&make), text_str(&look) };

	ok = do_until_done(spec, run_id, sql, 2, clock, deadline_ns, e);
	text_release(&table);
	text_release(&make);
	text_release(&look);
	return ok || err_wrap(e, "make the ledger's table on %s", spec->service->name);
}

struct row_reader {
	const struct row_sink *sink;
	uint64_t seed;
	size_t payload_bytes;
	bool is_strange;
};

static void read_row(void *ctx, const char *const *values, const size_t *lengths_bytes,
		     size_t count)
{
	struct row_reader *reader = ctx;
	char *number_end = NULL;

	if (count != 3 || values[0] == NULL || values[1] == NULL || values[2] == NULL) {
		reader->is_strange = true;
		return;
	}

	const int64_t sequence = strtoll(values[0], &number_end, 10);

	if (*number_end != '\0') {
		reader->is_strange = true;
		return;
	}
	reader->sink->row(reader->sink->ctx, sequence,
			  ledger_is_intact(reader->seed, (uint64_t)sequence, reader->payload_bytes,
					   values[1], lengths_bytes[1], values[2],
					   lengths_bytes[2]));
}

/* prepare saw the table made. A primary that does not know it has lost every row in it. */
static bool read_rows(struct mariadb_write *probe, struct row_reader *reader,
		      const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	struct mariadb_conn *conn;

	if (links_connect(probe->owned_links, clock, deadline_ns, e) != LINK_DONE)
		return false;
	conn = links_current(probe->owned_links);
	text_clear(&probe->sql);
	text_addf(&probe->sql, "select seq, payload, checksum from `%s` where writer = '%s'",
		  text_str(&probe->table), probe->writer);
	mariadb_conn_ask(conn, text_str(&probe->sql), read_row, reader);
	if (links_wait(probe->owned_links, clock, deadline_ns, e) != LINK_DONE)
		return false;
	if (mariadb_conn_error(conn) != 0 && mariadb_conn_error(conn) != ER_NO_SUCH_TABLE)
		return err_set(e, ERR_REMOTE, "%s", mariadb_conn_reason(conn));
	if (reader->is_strange)
		return err_set(e, ERR_REMOTE, "a row that is none of this ledger");
	return true;
}

static bool mariadb_write_read_back(const struct probe_spec *spec, const char *run_id,
				    const struct clock *clock, int64_t deadline_ns,
				    const struct row_sink *sink, struct err *e)
{
	struct mariadb_write probe;
	struct row_reader reader = {
		.sink = sink,
		.seed = ledger_seed(run_id, spec->name),
		.payload_bytes = (size_t)params_number(&spec->params, "payload"),
	};
	const bool ok = init_probe(spec, run_id, "mariadb ledger", &probe, e) &&
			read_rows(&probe, &reader, clock, deadline_ns, e);

	release_probe(&probe);
	return ok || err_wrap(e, "read the ledger back from %s", spec->service->name);
}

static bool mariadb_write_clean(const struct probe_spec *spec, const char *run_id,
				const struct clock *clock, int64_t deadline_ns, struct err *e)
{
	struct text sql = { 0 };
	bool ok;

	if (params_bool(&spec->params, "keep"))
		return true;
	text_add(&sql, "drop table if exists `");
	ledger_table_name(run_id, &sql);
	text_add(&sql, "`");

	const char *const statements[] = { text_str(&sql) };

	ok = do_until_done(spec, run_id, statements, 1, clock, deadline_ns, e);
	text_release(&sql);
	return ok || err_wrap(e, "remove the ledger's table from %s", spec->service->name);
}

const struct probe_ops probe_mariadb_write = {
	.name = "mariadb.write",
	.summary = "the ledger in MariaDB: numbered rows, and which of them were acknowledged",
	.on = PROBE_ON_SERVICE,
	.service_kinds = "mariadb",
	.is_ledger = true,
	.params = mariadb_write_params,
	.check = mariadb_write_check,
	.open = mariadb_write_open,
	.sample = mariadb_write_sample,
	.close = mariadb_write_close,
	.prepare = mariadb_write_prepare,
	.read_back = mariadb_write_read_back,
	.clean = mariadb_write_clean,
};
