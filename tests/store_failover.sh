#!/bin/bash
# store_failover.sh - whole drills on a shared store whose PostgreSQL server crashes in the middle of them:
# nothing that happened is missing or there twice, and what a killed firedrill leaves is healed.
#
# usage: tests/store_failover.sh FIREDRILL. Needs no root; as root the server runs as user postgres. Skips
# itself, and says so, without the server's programs.
set -u
cd "$(dirname "$0")/.." || exit 1
firedrill=$(realpath "$1")
bin=$(find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null | sort | tail -n 1)
[ -n "$bin" ] || {
	echo "skipped: a shared store that fails over, because there is no PostgreSQL server here; install postgresql"
	echo "0 passed, 0 failed"
	exit 0
}
bin=$(dirname "$bin")
folder=$(mktemp -d)
chmod 711 "$folder"
export XDG_STATE_HOME=$folder/state
# shellcheck source=tests/local_drill.sh
. tests/local_drill.sh
# shellcheck source=tests/says.sh
. tests/says.sh

# Its programs refuse to run as root.
as_server() {
	if [ "$(id -u)" = 0 ]; then
		(cd "$folder/pg" && setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
	else
		(cd "$folder/pg" && "$@")
	fi
}

server_start() {
	as_server "$bin/pg_ctl" -D "$folder/pg/data" -l "$folder/pg/log" -w -o \
		"-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder/pg" start >/dev/null 2>&1
}

server_crash() { as_server "$bin/pg_ctl" -D "$folder/pg/data" -m immediate -w stop >/dev/null 2>&1; }

end() {
	[ ! -e "$folder/pg/data/postmaster.pid" ] || server_crash
	local_drill_end
	rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# wait_line FILE PATTERN: until a line of it matches.
wait_line() {
	local end=$((SECONDS + 60))
	until grep -qE "$2" "$1" 2>/dev/null; do
		[ $SECONDS -lt $end ] || { echo "no line of $1 matches $2" >&2; return 1; }
		read -rt 0.05 <> <(:) || true
	done
}

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir "$folder/pg"
[ "$(id -u)" != 0 ] || chown postgres "$folder/pg"
as_server "$bin/initdb" -D "$folder/pg/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null || exit 1
server_start || { cat "$folder/pg/log"; exit 1; }
export FIREDRILL_STORE=postgresql://postgres@127.0.0.1:$port/postgres
local_drill_begin "$folder"
# Long enough for a crash and its recovery while the web server hangs.
sed -e 's/^    for: 1s/    for: 12s/' -e 's/lease: 5s/lease: 60s/' -e 's/at_most: 10s/at_most: 90s/' \
	-e 's/rto: 5s/rto: 40s/' -e 's/availability: 10%/availability: 0%/' "$folder/drill.yaml" >"$folder/long.yaml"

says 0 'made, with schema|up to date: schema' "$firedrill" store migrate

# ---- it crashes under a harm, and comes back while that is still on ----
"$firedrill" run "$folder/long.yaml" --yes --out "$folder/run" >"$folder/out" 2>&1 &
drill=$!
wait_line "$folder/out" 'confirmed'
server_crash
wait_line "$folder/out" 'the store is away'
server_start
wait "$drill"
says 0 '^0$' echo $?
says 0 'the store is back after' "$firedrill" show last
says 0 '^verified' "$firedrill" verify last --reports "$folder/run"
says 0 '^nothing to heal' "$firedrill" heal
says 0 '' sh -c "! find '$XDG_STATE_HOME' -name '*.db' | grep ."

# ---- and now firedrill is killed as well, before it is back ----
"$firedrill" run "$folder/long.yaml" --yes --out "$folder/killed" >"$folder/out" 2>&1 &
drill=$!
wait_line "$folder/out" 'confirmed'
server_crash
wait_line "$folder/out" 'the store is away'
kill -KILL "$drill"
wait "$drill" 2>/dev/null
says 7 'cannot be reached' "$firedrill" list
says 7 'cannot be reached' "$firedrill" run "$folder/long.yaml" --yes
says 0 '^1 healed, nothing left behind' "$firedrill" heal
says 0 '^nothing to heal' "$firedrill" heal
server_start
says 0 'exit 7 .*it was healed afterwards' "$firedrill" list
says 0 'here: process.pause on here is healed' "$firedrill" show last
says 0 '^2 runs with .* 0 things not as written' "$firedrill" store check
says 0 '^nothing to heal' "$firedrill" heal
says 0 '' sh -c "! find '$XDG_STATE_HOME' -name '*.db' | grep ."

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
