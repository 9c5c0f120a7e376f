#!/bin/bash
# daemon.sh - `firedrill serve FILE` as a user meets it: page, scheduler, worker and delivery together, and what it
# survives: kill -9 in the middle of a run, processes that die, a store that is put aside, a full disk, files that
# are wrong.
#
# usage: tests/daemon.sh FIREDRILL [full]. Needs no root: a web server of our own is what is harmed. Nobody waits for cron:
# the mark of the scheduler is put back in the store, and a reload makes it look. One line a test and a closing count.
# shellcheck disable=SC2016 # backquotes and ${env:} in messages and documents are meant as they stand
set -u
cd "$(dirname "$0")/.." || exit 1
firedrill=$(realpath "$1")
mode=${2:-}
folder=$(mktemp -d)
export FIREDRILL_STORE=$folder/store/store.db
pids=()
serve_pid=
# shellcheck source=tests/local_drill.sh
. tests/local_drill.sh
# shellcheck source=tests/says.sh
. tests/says.sh

end() {
	local pid
	# shellcheck disable=SC2046 # one word each
	[ -z "$serve_pid" ] || kill -9 $(processes '') 2>/dev/null
	for pid in "${pids[@]}"; do
		kill -9 "$pid" 2>/dev/null
	done
	local_drill_end
	wait 2>/dev/null
	[ "${mode:-}" != full ] || umount -l "$folder/store" # what a run of ours is still closing keeps nothing
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

# processes COMMAND: the pids of those that serve has started.
processes() {
	pgrep -P "$serve_pid" -f "^firedrill $1"
}

# sql STATEMENT: to the store, past the program; prints the first column of the first row.
sql() {
	python3 - "$FIREDRILL_STORE" "$1" <<-'PY'
		import sqlite3, sys
		db = sqlite3.connect(sys.argv[1], timeout=10)
		row = db.execute(sys.argv[2]).fetchone()
		db.commit()
		print(row[0] if row else '')
	PY
}

# holds VALUE STATEMENT
holds() {
	[ "$(sql "$2")" = "$1" ]
}

# serve: in the background; $serve_pid and $page, and what it says in $folder/log.
serve() {
	: >"$folder/log"
	"$firedrill" serve --listen 127.0.0.1:0 "$folder/drill.yaml" >>"$folder/log" 2>&1 &
	serve_pid=$!
	pids+=("$serve_pid")
	wait_for 20 grep -q http:// "$folder/log" || { cat "$folder/log"; exit 1; }
	page=$(grep -oE '127\.0\.0\.1:[0-9]+' "$folder/log")
}

answers() {
	curl -sf --max-time 5 "http://$page/"
}

# due DAYS: what was decided, this many days ago for the scheduler, which looks.
due() {
	sql "delete from dues where turn > 0 and state not in ('due', 'claimed')" >/dev/null
	sql "update dues set nominal_wall_ns = $(date +%s)000000000 - $1 * 86400000000000 where turn < 0" >/dev/null
	kill -HUP "$serve_pid"
}

logs() {
	grep -qE -- "$1" "$folder/log"
}

is_paused() {
	[ "$(sed 's/.*) //; s/ .*//' "/proc/$victim_pid/stat")" = T ]
}

is_going() {
	! is_paused
}

local_drill_begin "$folder" || exit 1
# Long enough for what is done meanwhile, also on a busy machine, on which a verdict may be any.
sed -i 's/for: 1s/for: 4s/' "$folder/drill.yaml"
# Due in the minute that has begun, each day; late for two hours.
printf 'schedule: { cron: "%s * * *", missed: run within 2h }\n' "$(date -u '+%-M %-H')" \
	>>"$folder/drill.yaml"
mkdir "$folder/hook"
(cd "$folder/hook" && exec /usr/bin/python3 "$OLDPWD/fixtures/recorder.py" port 2>log) &
pids+=($!)
wait_for 20 test -s "$folder/hook/port"
cat >>"$folder/inventory.yaml" <<END
notify:
  channels:
    team: { kind: slack, url: "\${env:HOOK}" }
  rules:
    - { on: [missed_schedule], channels: [team] }
END
HOOK=http://127.0.0.1:$(cat "$folder/hook/port")/hook
export HOOK

# ---- a full disk, in a room of its own: `daemon.sh FIREDRILL full` calls itself ----

if [ "$mode" = full ]; then
	mkdir "$folder/store" && mount -t tmpfs -o size=2m none "$folder/store" || exit 1
	serve
	wait_for 20 logs 'takes due runs'
	wait_for 20 holds 1 'select count(*) from dues'
	before=$(processes '')
	kill -STOP "$(processes schedule)"
	due 1
	dd if=/dev/zero of="$folder/store/filler" bs=4k 2>/dev/null
	kill -CONT "$(processes schedule)"
	wait_for 20 holds 'done' 'select state from dues where run_id is not null'
	says 0 'Not started: reserve .* No space left on device; .*nothing was harmed' \
		sql 'select sentence from dues where run_id is not null'
	says 0 '<h1' answers
	rm "$folder/store/filler"
	due 1
	wait_for 20 holds 1 "select count(*) from runs where sentence like 'Recovered%'"
	says 0 '^1$' sql "select count(*) from runs where sentence like 'Recovered%'"
	says 0 "^${before//$'\n'/|}\$" processes ''
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] || cat "$folder/log"
	[ "$failed" = 0 ]
	exit
fi
full_pid=
if unshare -rm true 2>/dev/null; then
	unshare -rm tests/daemon.sh "$firedrill" full >"$folder/full" 2>&1 &
	full_pid=$!
	pids+=("$full_pid")
else
	echo 'skipped: a full disk, since nobody may make name spaces here'
fi

says 2 'no number from 0 to 64' "$firedrill" serve --jobs many "$folder/drill.yaml"
says 2 'cannot be read' "$firedrill" serve "$folder/none.yaml"
says 1 '' test -e "$FIREDRILL_STORE"

# ---- it runs what is due, and tells of what was missed ----

serve
wait_for 20 holds 1 'select count(*) from dues'
wait_for 20 logs 'takes due runs'
echo 503 >"$folder/hook/answers" # nobody takes it now
due 3
wait_for 20 is_paused
says 0 'not sent yet' grep 'not sent yet' "$folder/log"
says 0 'nightly|drill was due' cat "$folder/hook/request-1"
says 0 '<h1' answers

# ---- kill -9 of everything in the middle of it ----

run_pid=$(sql 'select pid from runs where ended_wall_ns is null')
kill -9 "$serve_pid" "$run_pid" "$(processes worker)"
wait "$serve_pid" 2>/dev/null
echo 200 >"$folder/hook/answers"
serve
wait_for 20 holds abandoned "select state from dues where run_id is not null"
says 0 'what the run left is healed' sql 'select sentence from dues where run_id is not null'
says 0 '' is_going
says 0 '^7$' sql 'select exit_code from runs order by wall_ns limit 1'

# ---- processes that die ----

kill -9 "$(processes schedule)" "$(processes worker)"
wait_for 10 logs 'the scheduler was killed by SIGKILL; it is started again'
wait_for 10 logs 'the worker was killed by SIGKILL; it is started again'
due 1
wait_for 20 holds 'done' "select state from dues where run_id is not null and state <> 'abandoned'"
says 0 '^Recovered' sql 'select sentence from runs order by wall_ns desc limit 1'

# ---- files that are wrong ----

cp "$folder/drill.yaml" "$folder/right.yaml"
echo 'wrong: 1' >>"$folder/drill.yaml"
kill -HUP "$serve_pid"
wait_for 10 logs 'the page goes on with the schedules from before'
wait_for 10 logs 'what was read before stays'
says 0 '<h1' answers
mv "$folder/right.yaml" "$folder/drill.yaml"

# ---- a store that is put aside, and brought back ----

mkdir "$folder/aside"
mv "$folder"/store/store.db* "$folder/aside"
kill -HUP "$(processes schedule)"
wait_for 20 logs 'the scheduler ended with exit code 7'
wait_for 20 logs 'the worker ended with exit code 7'
says 0 '<h1' answers
says 1 '' test -e "$FIREDRILL_STORE"
mv "$folder"/aside/store.db* "$folder/store"
: >"$folder/log"
wait_for 20 logs 'takes due runs'
wait_for 20 logs '^1 schedule'

# ---- what nobody took before was delivered meanwhile, by nobody else ----

wait_for 20 sh -c "'$firedrill' notifications | grep -q 'nothing waits'"
says 0 'nothing waits' "$firedrill" notifications
says 0 'drill was due' cat "$folder/hook/request-2"

# ---- SIGTERM: what runs goes on to its end, and the page with it ----

due 1
wait_for 20 is_paused
says 5 'not started: lock here for run .* is using it; wait for its end' "$firedrill" run --yes "$folder/drill.yaml"
kill -TERM "$serve_pid"
wait_for 5 logs 'what runs goes on to its end'
says 0 '<h1' answers
wait "$serve_pid"
says 0 '' test $? = 0
says 0 '^done$' sql 'select state from dues where run_id is not null order by due_id desc limit 1'
says 0 '^$' echo "$(processes '')"

if [ -n "$full_pid" ]; then
	wait "$full_pid"
	says 0 '^4 passed, 0 failed' cat "$folder/full"
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
