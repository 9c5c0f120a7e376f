#!/bin/bash
# history.sh - sourced by bench.sh: parts kpi and page, a long history in numbers and in a browser.
# shellcheck disable=SC2154 # bench.sh sets bin, scratch, repeats and the sizes

kpi_turn() {
	local figure=$1
	shift
	timed "$figure" "$bin/firedrill" kpi "$@"
}

# A history in a file, and the same rows in a private server, as it is after some days: its statistics are up
# to date. Both parts read them.
make_history() {
	[ -z "${history:-}" ] || return 0
	history=$scratch/history.db
	"$bin/bench_kpi" "$history" "$runs"
	start_pg
	sql -c 'create schema history' >/dev/null
	pg_history="postgresql://postgres@127.0.0.1:$pg_port/postgres?options=-csearch_path%3Dhistory"
	"$bin/firedrill" list --store "$pg_history" >/dev/null
	{ echo 'set search_path = history;'; python3 tests/bench_kpi_copy.py "$history"; echo 'vacuum analyze;'; } | sql >/dev/null
}

part_kpi() {
	local i
	make_history
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

# ---- the page ----

# page_serve STORE: sets $page_pid and $page_url. It ends with us, however we end.
page_serve() {
	local try
	: >"$scratch/page.log"
	(exec 10>&- 11>&- 12>&- 13>&- 14>&-
	exec setpriv --pdeathsig KILL "$bin/firedrill" serve --listen 127.0.0.1:0 --store "$1" >"$scratch/page.log" 2>&1) &
	page_pid=$!
	for ((try = 0; try < 100; try++)); do
		! grep -q http:// "$scratch/page.log" || break
		read -rt 0.1 <> <(:) || true
	done
	page_url=$(grep -oE 'http://[0-9.:]+' "$scratch/page.log") || { cat "$scratch/page.log" >&2; exit 1; }
}

# page_anew FIGURE PATH: one answer for which the store is read anew, since what was read is kept for a second.
page_anew() {
	local code took
	read -rt 1.1 <> <(:) || true
	read -r code took < <(curl -s -o "$scratch/page.html" -w '%{http_code} %{time_total}\n' "$page_url$2")
	[ "$code" = 200 ] || { echo "bench.sh: $2 of $1 says $code" >&2; exit 1; }
	note "$1" "$(calc "$took * 1000")"
}

# page_row STORE PATH: three read anew, then $requests over one connection.
page_row() {
	local figure=page.${1}_${2//[^a-z]/_} p50 p99 try anew
	for ((try = 0; try < 3; try++)); do
		page_anew "$figure" "$2"
	done
	curl -s -o /dev/null -w '%{http_code} %{time_total}\n' "$page_url$2#[1-$requests]" >"$scratch/page.times"
	[ "$(grep -c '^200 ' "$scratch/page.times")" = "$requests" ] || { echo "bench.sh: $2 of $1 did not always answer" >&2; exit 1; }
	read -r p50 p99 < <(sed 's/^200 //' "$scratch/page.times" | sort -g |
		awk '{ v[NR] = $1 * 1000 } END { print v[int((NR + 1) / 2)], v[int((NR * 99 + 99) / 100)] }')
	anew=$(median "$figure")
	printf '%-12s %-28s %10.1f %10.1f %10.1f %10.0f   %s\n' "$1" "$2" "$anew" "$p50" "$p99" \
		"$(calc "$(stat -c %s "$scratch/page.html") / 1024")" \
		"$(awk "BEGIN { print $anew <= 100 ? \"yes\" : \"NO\" }")"
}

part_page() {
	local store path
	make_history
	section "The page over $runs runs: read anew (median of 3), then $requests requests of each, one after the other"
	printf '%-12s %-28s %10s %10s %10s %10s   %s\n' store page 'anew, ms' 'p50, ms' 'p99, ms' KiB 'anew <= 100 ms'
	for store in sqlite postgresql; do
		page_serve "$([ $store = sqlite ] && echo "$history" || echo "$pg_history")"
		for path in / /runs "/runs?page=$((runs / 100))" '/runs?verdict=MISSED&text=bench' /coverage /kpi /trends /metrics; do
			page_row $store "$path"
		done
		kill "$page_pid"
		wait "$page_pid" || true
	done
	cat <<-TEXT
		Whole answers on loopback, by curl's own clock. Read anew: every row's facts, each checked against its seal. What was
		  read is kept for a second, so most of the $requests are answered from memory, and a slow one among them is not.
	TEXT
}
