/*
 * fuzz_store.c - a store that was written by somebody else: one cell of it holds any bytes. Whatever reads
 * it ends with a sentence, or with what was written: no change of a sealed cell goes unnoticed.
 */
#include "tests/fuzz.h"
#include "fixtures/fuzz_input.h"
#include "fixtures/fuzzed_store.h"

#include <assert.h>
#include <sqlite3.h>
#include <string.h>

static const struct {
	const char *table;
	const char *column;
} cells[] = {
	{ "runs", "title" },		{ "runs", "wall_ns" },	     { "runs", "experiment_text" },
	{ "runs", "vars" },		{ "runs", "boot_id" },	     { "runs", "seal" },
	{ "runs", "exit_code" },	{ "runs", "sentence" },	     { "runs", "end_hash" },
	{ "runs", "end_seal" },		{ "runs", "set_id" },	     { "events", "at_ns" },
	{ "events", "kind" },		{ "events", "phase" },	     { "events", "step" },
	{ "events", "host" },		{ "events", "text" },	     { "events", "data" },
	{ "events", "hash" },		{ "heals", "record" },	     { "heals", "before" },
	{ "heals", "state" },		{ "heals", "seal" },	     { "tracks", "t0_ns" },
	{ "tracks", "every_ns" },	{ "tracks", "lane_count" },  { "tracks", "slot_count" },
	{ "tracks", "errors" },		{ "tracks", "seal" },	     { "chunks", "samples" },
	{ "ledger_reads", "count" },	{ "ledger_reads", "error" }, { "ledger_reads", "slot_count" },
	{ "ledger_reads", "found_rows" }, { "ledger_reads", "unexpected" },
	{ "ledger_reads", "unexpected_kept" }, { "ledger_reads", "seal" },
};

static sqlite3 *db; /* a second connection, which knows no rules of ours */

static void execute(const char *sql)
{
	const int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

	assert(code == SQLITE_OK);
}

static void open_beside(void)
{
	if (db != NULL)
		return;

	const int code = sqlite3_open(fuzzed_store_path(), &db);

	assert(code == SQLITE_OK);
	execute("pragma synchronous = off; pragma foreign_keys = off");
}

/* Reads all there is. False: something was refused, with a sentence. */
static bool read_all(struct store *store, char ret_head[HASH_TEXT_BYTES])
{
	struct arena arena = { 0 };
	struct run_row row = { 0 };
	struct run_row *rows = NULL;
	struct heal_row *heals = NULL;
	struct timeline timeline = { 0 };
	size_t count = 0;
	struct err e = { 0 };
	const bool ok = store_runs(store, 0, &arena, &rows, &count, &e) &&
			store_run_find(store, fuzzed_store_run_id, &arena, &row, &e) &&
			store_heals_open(store, NULL, &arena, &heals, &count, &e) && count == 1 &&
			store_timeline(store, fuzzed_store_run_id, &arena, &timeline, &e);

	assert(ok || count != 1 || e.text[0] != '\0');
	if (ok)
		memcpy(ret_head, timeline.head, HASH_TEXT_BYTES);
	arena_release(&arena);
	return ok;
}

static bool put(const char *sql, size_t kind, const char *bytes, size_t length_bytes)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = 0;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	assert(code == SQLITE_OK);
	if (length_bytes > 0)
		memcpy(&number, bytes, length_bytes < sizeof number ? length_bytes : sizeof number);
	if (kind == 0)
		(void)sqlite3_bind_text(statement, 1, bytes, (int)length_bytes, SQLITE_STATIC);
	else if (kind == 1)
		(void)sqlite3_bind_blob(statement, 1, bytes, (int)length_bytes, SQLITE_STATIC);
	else if (kind == 2)
		(void)sqlite3_bind_int64(statement, 1, number);
	else
		(void)sqlite3_bind_null(statement, 1);
	code = sqlite3_step(statement);
	(void)sqlite3_finalize(statement);
	return code == SQLITE_DONE && sqlite3_changes(db) == 1;
}

/* The first byte is a cell, the second what kind of value, the rest the value. */
void fuzz_store(const uint8_t *bytes, size_t length_bytes)
{
	struct fuzz_input input = { bytes, length_bytes };
	const size_t cell = fuzz_take_below(&input, sizeof cells / sizeof cells[0]);
	const size_t kind = fuzz_take_below(&input, 4);
	struct arena arena = { 0 };
	const char *change = arena_format(&arena, "update %s set %s = ?1 where %s is not ?1",
					  cells[cell].table, cells[cell].column, cells[cell].column);
	const char *keep = arena_format(&arena, "create temp table kept as select %s as value from %s",
					cells[cell].column, cells[cell].table);
	const char *restore = arena_format(&arena,
					   "update %s set %s = (select value from kept); drop table kept",
					   cells[cell].table, cells[cell].column);
	struct store *store = fuzzed_store();
	char before[HASH_TEXT_BYTES] = "";
	char after[HASH_TEXT_BYTES] = "";
	bool is_changed;
	bool is_read;

	open_beside();
	is_read = read_all(store, before);
	assert(is_read);
	execute(keep);
	is_changed = put(change, kind, (const char *)input.bytes, input.left_bytes);
	is_read = read_all(store, after);
	assert(is_changed ? !is_read : is_read && strcmp(before, after) == 0);
	execute(restore);
	arena_release(&arena);
}
