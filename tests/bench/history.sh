#!/bin/bash
# history.sh - sourced by bench.sh: part kpi, a long history in numbers.
# shellcheck disable=SC2154 # bench.sh sets bin, scratch, repeats and the sizes

kpi_turn() {
	local figure=$1
	shift
	timed "$figure" "$bin/firedrill" kpi "$@"
}

# The same rows in a private server, as it is after some days: its statistics are up to date.
kpi_server() {
	start_pg
	sql -c 'create schema history' >/dev/null
	pg_history="postgresql://postgres@127.0.0.1:$pg_port/postgres?options=-csearch_path%3Dhistory"
	"$bin/firedrill" list --store "$pg_history" >/dev/null
	{ echo 'set search_path = history;'; python3 tests/bench_kpi_copy.py "$1"; echo 'vacuum analyze;'; } | sql >/dev/null
}

part_kpi() {
	local i runs=${FIREDRILL_BENCH_RUNS:-100000} history=$scratch/history.db
	"$bin/bench_kpi" "$history" "$runs"
	kpi_server "$history"
	for ((i = 0; i < repeats; i++)); do
		kpi_turn kpi.text --store "$history"
		kpi_turn kpi.pg --store "$pg_history"
		kpi_turn kpi.json --format json --store "$history"
		kpi_turn kpi.year --since 365d --store "$history"
		timed kpi.none "$bin/firedrill" version
	done
	cmp -s <("$bin/firedrill" kpi --format csv --store "$history" | cut -d, -f1-8,10-46) \
		<("$bin/firedrill" kpi --format csv --store "$pg_history" | cut -d, -f1-8,10-46) ||
		{ echo 'bench.sh: the two stores say different things' >&2; exit 1; }
	heading "KPIs over $runs runs, whole processes"
	row 'kpi, SQLite (goal: 100 ms)' ms "$(median kpi.text.wall)" - "$(calc "$(median kpi.text.wall) / 100")" '<= 1.0'
	row '  processor' ms "$(median kpi.text.cpu)" - - -
	row '  memory' MiB "$(median kpi.text.mib)" - - -
	row 'kpi, PostgreSQL (goal: 100 ms)' ms "$(median kpi.pg.wall)" - "$(calc "$(median kpi.pg.wall) / 100")" '<= 1.0'
	row '  our processor' ms "$(median kpi.pg.cpu)" - - -
	row 'kpi --format json' ms "$(median kpi.json.wall)" - - -
	row 'kpi --since 365d' ms "$(median kpi.year.wall)" - - -
	row 'a process that does nothing (version)' ms "$(median kpi.none.wall)" - - -
	cat <<-TEXT
		Twenty services under eight scenarios over three years. Every row's seal is checked each time. Most of it is
		  reading and hashing rows on one core; start and end of the process (and the login at the server) are in it.
	TEXT
}
