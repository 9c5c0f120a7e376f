/*
 * sql_schema.c - the tables, as a numbered list of changes, the same for every engine.
 *
 * They are written as SQLite reads them; postgres_schema.c knows the few words that PostgreSQL has for
 * the same. Never edit a change that was released: append one, and count it in sql.h.
 */
#include "store/sql.h"

const char *const sql_changes[SQL_SCHEMA_VERSION] = {
	/* 1: runs, journal, heals, samples, ledger reads, locks. */
	"create table runs ("
	" seq integer primary key, run_id text not null unique,"
	" title text, version text, boot_ns integer not null, wall_ns integer not null,"
	" experiment_path text, experiment_text text, inventory_path text, inventory_text text,"
	" vars text not null, boot_id text not null, pid integer not null,"
	" pid_start integer not null, seal text not null,"
	" ended_wall_ns integer, exit_code integer, sentence text,"
	" end_number integer, end_hash text, end_series text, end_seal text) strict;"

	"create table events ("
	" run_id text not null references runs (run_id), number integer not null,"
	" at_ns integer not null, kind text not null, phase text not null,"
	" step integer not null, host text, name text,"
	" from_ns integer not null, until_ns integer not null, text text not null, data text,"
	" hash text not null, primary key (run_id, number)) strict, without rowid;"

	"create table heals ("
	" seq integer primary key, run_id text not null references runs (run_id),"
	" step integer not null, host text not null, record text not null, before text,"
	" state text not null, seal text not null, unique (run_id, step, host)) strict;"
	"create index heals_open on heals (state) where state <> 'done';"

	"create table tracks ("
	" seq integer primary key, run_id text not null references runs (run_id),"
	" probe text not null, t0_ns integer not null, every_ns integer not null,"
	" lane_count integer not null, slot_count integer not null, errors text not null,"
	" seal text not null, unique (run_id, probe)) strict;"

	"create table chunks ("
	" id integer primary key, run_id text not null, probe text not null,"
	" chunk integer not null, samples blob not null, unique (run_id, probe, chunk),"
	" foreign key (run_id, probe) references tracks (run_id, probe)) strict;"

	"create table ledger_reads ("
	" seq integer primary key, run_id text not null references runs (run_id),"
	" probe text not null, count integer not null, read_number integer not null,"
	" is_complete integer not null, error text, first_missing_count integer not null,"
	" settle_ns integer not null, slot_count integer not null, found_rows blob not null,"
	" unexpected blob not null, unexpected_kept integer not null,"
	" unexpected_count integer not null, seal text not null,"
	" unique (run_id, probe, count, read_number)) strict;"

	"create table locks ("
	" target text primary key, run_id text not null references runs (run_id)"
	") strict, without rowid;"
	"create index locks_run on locks (run_id);",

	/* 2: sets of trials; a run knows the set it belongs to, and its number there. */
	"create table sets ("
	" seq integer primary key, set_id text not null unique, title text, version text,"
	" wall_ns integer not null, seed text not null, planned_count integer not null,"
	" boot_id text not null, pid integer not null, pid_start integer not null,"
	" seal text not null, ended_wall_ns integer, trial_count integer, exit_code integer,"
	" sentence text, stopped text, end_seal text) strict;"
	"alter table runs add column set_id text;"
	"alter table runs add column trial integer not null default 0;"
	"create unique index runs_set on runs (set_id, trial) where set_id is not null;",

	/* 3: who has agreed to what, and orders to stop. */
	"create table approvals ("
	" seq integer primary key, digest text not null, person text not null,"
	" account text not null, title text, wall_ns integer not null,"
	" until_wall_ns integer not null, seal text not null) strict;"
	"create index approvals_digest on approvals (digest);"

	"create table stops ("
	" seq integer primary key, subject text, person text not null, reason text not null,"
	" wall_ns integer not null, lifted_wall_ns integer, lifted_by text,"
	" lifted_reason text) strict;"
	"create index stops_open on stops (subject) where lifted_wall_ns is null;",

	/* 4: signs of life of a run, for those who cannot see its process. */
	("alter table runs add column space integer not null default 0;"
	 "alter table runs add column alive_until_wall_ns integer not null default 0;"),

	/* 5: runs that later ones are compared with. */
	("create table recordings ("
	 " seq integer primary key, name text not null, title text not null,"
	 " run_id text not null references runs (run_id), wall_ns integer not null) strict;"
	 "create index recordings_name on recordings (name, title);"),

	/* 6: schedules that somebody has paused. */
	"create table pauses ("
	" seq integer primary key, schedule text not null, person text not null,"
	" reason text not null, wall_ns integer not null, lifted_wall_ns integer,"
	" lifted_by text, lifted_reason text) strict;"
	"create index pauses_open on pauses (schedule) where lifted_wall_ns is null;",

	/* 7: what runs come to, for histories. Runs of before have none until they are derived. */
	"create table fact_subjects ("
	" hash text primary key, subject text not null) strict, without rowid;"
	"create table facts ("
	" seq integer primary key,"
	" run_id text not null unique references runs (run_id) on delete cascade,"
	" facts blob not null) strict;",

	/* 8: runs that somebody wants to stay. */
	"create table holds ("
	" run_id text primary key references runs (run_id), person text not null,"
	" reason text not null, wall_ns integer not null) strict, without rowid;",

	/* 9: due runs, who has claimed them, and the labels that they ask of a worker. */
	"create table dues ("
	" due_id integer primary key, schedule text not null, nominal_wall_ns integer not null,"
	" turn integer not null, due_wall_ns integer not null, latest_wall_ns integer not null,"
	" experiment_path text, experiment_text text, inventory_path text, inventory_text text,"
	" vars text not null, state text not null, worker text, boot_id text, pid integer,"
	" pid_start integer, space integer, lease_until_ns integer, run_id text,"
	" ended_wall_ns integer not null, exit_code integer not null, sentence text,"
	" unique (schedule, nominal_wall_ns, turn)) strict;"
	"create index dues_waiting on dues (due_wall_ns, due_id) where state = 'due';"
	"create index dues_claimed on dues (lease_until_ns) where state = 'claimed';"

	"create table due_labels ("
	" due_id integer not null references dues (due_id), label text not null,"
	" primary key (due_id, label)) strict, without rowid;",

	/* 10: due runs are counted without reading their documents. */
	"create index dues_sums on dues (schedule, state, due_wall_ns, turn);",

	/* 11: what people did by way of the page. */
	"create table audit ("
	" audit_id integer primary key, wall_ns integer not null, person text, action text not null,"
	" subject text, reason text, address text not null, outcome text not null,"
	" ended_wall_ns integer not null, sentence text, seal text not null) strict;",

	/* 12: runs that only watch another one, from a vantage point of it, and what asks for them. */
	"alter table runs add column watch_of text;"
	"alter table runs add column vantage text;"
	"create index runs_watches on runs (watch_of) where watch_of is not null;"
	"alter table dues add column watch_of text;"
	"alter table dues add column vantage text;"
	"create index dues_watches on dues (watch_of) where watch_of is not null;",

	/* 13: lists of many runs, without a look at their documents; and has any of the facts changed? */
	"create index runs_open on runs (seq) where end_seal is null;"
	"create index runs_exits on runs (exit_code, watch_of);"
	"create index runs_listed on runs (seq, exit_code, watch_of, title, run_id);"
	"create table facts_changes (number integer not null) strict;"
	"insert into facts_changes (number) values (0);",
};
