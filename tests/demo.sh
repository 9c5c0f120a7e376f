#!/bin/bash
# demo.sh - what `make demo-serve` shows, but for the lab: a history that really ran says of every drill what the
# world on paper did to it, stands up to `verify`, says that it is simulated; and the whole of it starts, is
# there, and leaves nothing behind, whether it is told to end or killed.
#
# usage: tests/demo.sh BUILD. Needs no root. One line a test and a closing count.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "$1")
firedrill=$build/firedrill
folder=$(mktemp -d)
chmod 711 "$folder"
export FIREDRILL_STORE=$folder/history.db XDG_STATE_HOME=$folder/state
demo_pid=
# shellcheck source=tests/says.sh
. tests/says.sh

end() {
	[ -z "$demo_pid" ] || kill -9 "$demo_pid" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { echo "waited in vain for: $*" >&2; return 1; }
		read -rt 0.05 <> <(:) || true
	done
}

# The newest run whose line in the list matches.
find_run() { "$firedrill" list --limit 100 | sed -n "/$1/s/ .*//p" | sed -n 1p; }

# ---- a history ----

says 0 '^[0-9]+ simulated runs: [0-9]+ met, [1-9][0-9]* missed, 1 inconclusive, 1 not started' \
	"$build/seed_month" "$FIREDRILL_STORE" fixtures/demo/plan.yaml 22 2026-11-17T12:00Z
says 0 'runs with .* 0 things not as written' "$firedrill" store check
says 0 '2026-10-27T.* exit 0 ' "$firedrill" list --limit 100
# What happened is in fixtures/habits.c; what is said of it is the engine's.
says 0 'Kill the PostgreSQL primary: Recovered in 34.* s, target 30 s; .* missed: rto' "$firedrill" list --limit 100
says 0 '143 of [0-9]+ acknowledged writes lost; missed: rpo' "$firedrill" list --limit 100
says 0 'exit 3 .* inconclusive: rpo' "$firedrill" list --limit 100
says 0 'Not started: steady state did not hold' "$firedrill" list --limit 100
says 0 'Freeze the disk of the PostgreSQL primary: Never recovered' "$firedrill" list --limit 100
for what in 'exit 0' 'exit 1' 'exit 3' 'exit 5' 'Power off' 'Kill the MariaDB'; do
	run=$(find_run "$what")
	says 0 '^verified' "$firedrill" verify "${run:-none}"
	says 0 'the service and the time of this run were simulated' "$firedrill" show "${run:-none}"
done
says 0 '2026-08-09T.* exit 0 .*Power off the primary' "$firedrill" list --limit 100
says 0 '"state":[[:space:]]*"stale"' "$firedrill" kpi --format json
says 0 '"trend":[[:space:]]*"slower"' "$firedrill" kpi --format json

# ---- all of it ----

export TMPDIR=$folder DEMO_DAYS=2 DEMO_LISTEN=127.0.0.1:0
unset FIREDRILL_STORE
demo() {
	fixtures/demo/serve.sh "$build" --without-lab >"$folder/demo" 2>&1 &
	demo_pid=$!
	wait_for 60 grep -q '^== look at' "$folder/demo" || cat "$folder/demo"
	url=$(grep -oE 'http://[^ ]+[0-9]' "$folder/demo" | head -n 1)
}
is_gone() { ! pgrep -f "$folder/firedrill-demo" && ! pgrep -f "$build/(firedrill (serve|worker)|bench_server)"; }

demo
for page in / /runs /coverage /trends /kpi /metrics /runs/last; do
	says 0 '^200$' curl -s -o "$folder/page" -w '%{http_code}\n' "$url$page"
done
says 0 'the service and the time of this run were simulated' cat "$folder/page"
told=$SECONDS
kill -TERM "$demo_pid"
wait "$demo_pid"
says 0 '^0$' echo $?
says 0 '' test $((SECONDS - told)) -lt 40
says 0 '' is_gone
says 0 '^0$' sh -c "find '$folder' -name 'firedrill-demo*' | wc -l"

demo
kill -KILL "$demo_pid"
wait "$demo_pid" 2>/dev/null
demo_pid=
wait_for 20 is_gone
says 0 '' is_gone

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
