#!/bin/bash
# worker.sh - schedules that run by themselves, as a user meets them: schedulers put what is due once,
# a worker runs it from the documents in the store, and heals and settles what a killed worker left.
#
# usage: tests/worker.sh FIREDRILL. Needs no root: a web server of our own is what is harmed. Nobody waits
# for cron: the mark of the scheduler is put back in the store. One line a test and a closing count.
# shellcheck disable=SC2016 # backquotes in messages are meant as they stand
set -u
cd "$(dirname "$0")/.." || exit 1
firedrill=$(realpath "$1")
folder=$(mktemp -d)
export FIREDRILL_STORE=$folder/store/store.db
pids=()
# shellcheck source=tests/local_drill.sh
. tests/local_drill.sh
# shellcheck source=tests/says.sh
. tests/says.sh
# shellcheck source=tests/store_help.sh
. tests/store_help.sh

end() {
	local pid
	for pid in "${pids[@]}"; do
		kill -9 "$pid" 2>/dev/null
	done
	local_drill_end
	wait 2>/dev/null
	rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

scheduler() {
	"$firedrill" schedule run "$folder/drill.yaml" >>"$folder/scheduler.log" 2>&1 &
	pids+=($!)
	scheduler_pid=$!
}

# The same occurrence once more, under another moment.
again() {
	sql "insert into dues (schedule, nominal_wall_ns, turn, due_wall_ns, latest_wall_ns, experiment_path,
		experiment_text, inventory_path, inventory_text, vars, state, ended_wall_ns, exit_code)
		select schedule, nominal_wall_ns + $1, turn, due_wall_ns, 9e18, '$folder/drill.yaml',
		experiment_text, inventory_path, inventory_text, vars, 'due', 0, -1 from dues
		where experiment_text is not null order by due_id limit 1" >/dev/null
}

is_paused() {
	[ "$(sed 's/.*) //; s/ .*//' "/proc/$victim_pid/stat")" = T ]
}

is_going() {
	! is_paused
}

local_drill_begin "$folder" || exit 1
# Once a day, in a minute that has begun: whatever the clock shows, one occurrence is due and no second one.
printf 'schedule: { cron: "%s * * *", missed: run within 2h }\n' "$(date -u '+%-M %-H')" \
	>>"$folder/drill.yaml"

says 0 'nothing was due yet' "$firedrill" schedule past
says 2 'no number from 1 to 64' "$firedrill" worker --jobs 0
says 2 '.Site=x. is no label' "$firedrill" worker --labels Site=x
says 2 'give 5s or more' "$firedrill" worker --lease 1s
says 2 'cannot be read' "$firedrill" schedule run "$folder/none.yaml"

# ---- put once ----

scheduler
wait_for 20 holds 1 'select count(*) from dues'
kill "$scheduler_pid"
wait "$scheduler_pid"
says 0 'drill  skipped  first seen' "$firedrill" schedule past
mkdir "$folder/json"
sql 'update dues set nominal_wall_ns = nominal_wall_ns - 3600000000000' >/dev/null
scheduler
first_pid=$scheduler_pid
scheduler
wait_for 20 holds due 'select state from dues where turn = 1'
kill -HUP "$first_pid"
wait_for 20 grep -q '^1 schedule' "$folder/scheduler.log"
kill "$first_pid" "$scheduler_pid"
wait "$first_pid" "$scheduler_pid"
says 0 '^1$' sql 'select count(*) from dues where turn = 1 group by nominal_wall_ns order by 1 desc'

# ---- run, from the documents in the store ----

sql "delete from dues where turn = 1 and due_id > (select min(due_id) from dues where turn = 1)" >/dev/null
mv "$folder/drill.yaml" "$folder/away.yaml"
says 0 'drill [0-9a-z-]+: done: ' sh -c "cd '$folder' && '$firedrill' worker --once"
says 0 '^0$' sql 'select runs.exit_code from runs join dues using (run_id) where state = "done"'
says 1 '' test -e "$FIREDRILL_STORE.due"
again 1
says 0 'runs its own documents only' "$firedrill" worker --once --own-documents
says 0 '^5$' sql 'select exit_code from dues order by due_id desc'
says 0 '^1$' sql 'select count(*) from runs'
mv "$folder/away.yaml" "$folder/drill.yaml"

# ---- a worker and its run, killed in the middle of the harm ----

again 2
(cd "$folder" && exec "$firedrill" worker) >"$folder/worker.log" 2>&1 &
worker_pid=$!
pids+=("$worker_pid")
wait_for 30 is_paused
run_pid=$(sql 'select pid from runs where ended_wall_ns is null')
kill -9 "$run_pid" "$worker_pid"
wait "$worker_pid" 2>/dev/null
says 0 'taken over from worker' sh -c "cd '$folder' && '$firedrill' worker --once"
says 0 'drill  abandoned .*its worker was gone in the middle of it; what the run left is healed' \
	"$firedrill" schedule past --count 1
"$firedrill" schedule past --format json >"$folder/json/past.json"
says 0 '^$' python3 tests/check_report.py "$folder/json"
says 0 '^abandoned 7 20' jq -r '.occurrences[0] | "\(.state) \(.exit_code) \(.run)"' "$folder/json/past.json"
wait_for 5 is_going
says 0 '' is_going
says 0 '^2$' sql 'select count(*) from runs'
says 0 'nothing to heal' "$firedrill" heal
says 0 'derived again from the samples: exit 7. Failed: the run did not end by itself' "$firedrill" verify last

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
