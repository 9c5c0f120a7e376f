#!/bin/bash
# vantage.sh - several vantage points for one run, as a user meets them: two workers watch a run that a third
# process leads, one of them through a proxy that stays broken longer than the service.
#
# usage: tests/vantage.sh FIREDRILL. Needs no root. The proxy writes down, on the clock that all of them share
# because they are on one machine, when it let through again: the span that was seen through it must hold that.
# Then a watch is killed and one stopped, a worker is missing, and the leading run is killed.
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

# A proxy to the web server. It turns everybody away while that does not answer, and for 800 ms after.
proxy_begin() {
	cat >"$folder/proxy.py" <<-'PY'
		import os, socket, sys, threading, time, urllib.request
		target, place = int(sys.argv[1]), sys.argv[2]
		broken = threading.Event()
		def ask():
		    try:
		        return urllib.request.urlopen(f'http://127.0.0.1:{target}/', timeout=0.1).read() != b''
		    except OSError:
		        return False
		def look():
		    while True:
		        if ask():
		            if broken.is_set():
		                time.sleep(0.8)
		                broken.clear()
		                with open(place + '.back', 'w') as f:
		                    f.write(str(time.clock_gettime_ns(time.CLOCK_BOOTTIME)))
		        else:
		            broken.set()
		        time.sleep(0.02)
		def copy(a, b):
		    try:
		        while True:
		            data = a.recv(65536)
		            if not data:
		                break
		            b.sendall(data)
		    except OSError:
		        pass
		    for s in (a, b):
		        try:
		            s.shutdown(socket.SHUT_RDWR)
		        except OSError:
		            pass
		def serve(client):
		    if broken.is_set():
		        client.close()
		        return
		    try:
		        server = socket.create_connection(('127.0.0.1', target), 0.2)
		    except OSError:
		        client.close()
		        return
		    server.settimeout(None)
		    other = threading.Thread(target=copy, args=(server, client), daemon=True)
		    other.start()
		    copy(client, server)
		    other.join()
		    client.close()
		    server.close()
		listener = socket.create_server(('127.0.0.1', 0), backlog=64)
		with open(place + '.new', 'w') as f:
		    f.write(str(listener.getsockname()[1]))
		os.rename(place + '.new', place)
		threading.Thread(target=look, daemon=True).start()
		while True:
		    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
	PY
	python3 "$folder/proxy.py" "$server_port" "$folder/proxy" 2>"$folder/proxy.log" &
	pids+=($!)
	wait_for 20 test -s "$folder/proxy"
}

# worker NAME PORT: who watches from there sees the service at this port.
worker() {
	(cd "$folder" && FD_WEB_URL=http://127.0.0.1:$2/health exec "$firedrill" worker --labels "site=$1" \
		--lease 5s) >"$folder/worker-$1.log" 2>&1 &
	pids+=($!)
}

# lead NAME EXPERIMENT VAR...: a run in the background, whose output is in NAME.out; sets $lead_pid.
lead() {
	local name=$1 experiment=$2
	shift 2
	(cd "$folder" && FD_WEB_URL=http://127.0.0.1:$server_port/health exec "$firedrill" run "$experiment" --yes \
		--id "$name" --out "$folder/$name" "$@") >"$folder/$name.out" 2>&1 &
	lead_pid=$!
	pids+=("$lead_pid")
}

# spans RUN: what the table of its JSON report says, against the truth.
spans() {
	"$firedrill" report "$1" --format json >"$folder/report.json" || return
	python3 - "$folder/report.json" "$folder/proxy.back" <<-'PY'
		import json, sys
		report = json.load(open(sys.argv[1]))
		back_ns = int(open(sys.argv[2]).read())
		views = {v['name']: v['probes'][0] for v in report['vantage_points']}
		assert list(views) == ['here', 'eu', 'us'], list(views)
		for name, view in views.items():
		    assert view['kind'] == 'span', (name, view)
		    assert view['attempt_count'] > 100 and view['bad_count'] > 3, (name, view)
		low = {name: view['outage']['low_ns'] / 1e9 for name, view in views.items()}
		high = {name: view['outage']['high_ns'] / 1e9 for name, view in views.items()}
		assert low['eu'] <= high['here'] and low['here'] <= high['eu'], (low, high) # the same path: they agree
		assert 0.1 < low['eu'] <= high['eu'] < 2.2, (low, high)
		assert low['us'] > high['eu'] + 0.4, (low, high)
		struck = [e for e in report['events'] if e['kind'] == 'confirmed'][0]
		truth = [(back_ns - struck['until']['ns']) / 1e9, (back_ns - struck['from']['ns']) / 1e9]
		assert low['us'] <= truth[1] and truth[0] <= high['us'], (low, high, truth)
		print('the spans hold', truth, low, high)
	PY
}

# flat FILE: without line breaks, since a terminal's width wraps sentences.
flat() {
	tr -s '\n ' ' ' <"$1"
}

local_drill_begin "$folder" || exit 1
proxy_begin || exit 1
sed -i 's|url: .*health"|url: "${env:FD_WEB_URL}"|' "$folder/inventory.yaml"
sed -i 's/good_for: 500ms/good_for: "${steady}"/' "$folder/drill.yaml"
printf '%s\n' 'vars: { steady: 1300ms }' 'vantage_points:' '  eu: { labels: [site=eu-west] }' \
	'  us: { labels: [site=us-east] }' >>"$folder/drill.yaml"
sed 's/eu-west\] }/eu-west] }\n  ap: { labels: [site=ap-south], within: 1s, optional: true }/' \
	"$folder/drill.yaml" >"$folder/third.yaml"
sed 's/, optional: true//' "$folder/third.yaml" >"$folder/missing.yaml"

says 0 'also seen from ap: a worker with site=ap-south; the run does without it if need be' \
	"$firedrill" plan "$folder/third.yaml"

worker eu-west "$server_port"
worker us-east "$(cat "$folder/proxy")"

# ---- two places, side by side ----

lead one drill.yaml
wait "$lead_pid"
says 0 '^0$' echo $?
says 0 'seen from here: [0-9.]+ m?s to [0-9.]+ m?s, from eu: [0-9.]+ m?s to [0-9.]+ m?s, from us: [0-9.]+ s to' \
	flat "$folder/one.out"
says 0 'the spans hold' spans one
for format in text json markdown html junit; do
	says 0 'from us: ' "$firedrill" report one --format "$format"
done
says 0 'vantage +eu, derived again' "$firedrill" verify one --reports "$folder/one"
watch=$(sql "select run_id from runs where watch_of = 'one' and vantage = 'us'")
says 0 '^verified' "$firedrill" verify "$watch"
says 0 "Watched one: seen from us: " "$firedrill" report "$watch"
says 0 "watch of one" "$firedrill" list
here=FD_WEB_URL=http://127.0.0.1:$server_port/health
says 2 'no vantage point .xx.' env "$here" "$firedrill" watch "$folder/third.yaml" --of one --vantage xx
says 5 'the run that it was to watch is over' env "$here" "$firedrill" watch "$folder/third.yaml" --of one --vantage eu
says 5 'the store has none' env "$here" "$firedrill" watch "$folder/third.yaml" --of none --vantage eu
says 0 '^Run one' "$firedrill" report last
says 0 '"all":.1,' "$firedrill" kpi --format json
says 0 '' "$firedrill" export one --out "$folder/one.tar"
says 0 'vantage.*the samples of us are in run .* which is not here' "$firedrill" verify "$folder/one.tar"
says 0 'from us: ' "$firedrill" report "$folder/one.tar"
says 0 '' "$firedrill" export "$watch" --out "$folder/watch.tar"
says 0 '^verified' "$firedrill" verify "$folder/watch.tar"
sql "update events set data = replace(data, '\"bad\":', '\"bad\":1') where kind = 'seen from'" >/dev/null
says 1 'is not as it was written' "$firedrill" verify one

# ---- one watch is killed in the middle, one is stopped, and a third place has no worker ----

lead two third.yaml --var steady=300ms
wait_for 20 holds 2 "select count(*) from events where run_id = 'two' and kind = 'watching'"
kill -9 "$(sql "select pid from runs where watch_of = 'two' and vantage = 'eu'")"
says 0 '' "$firedrill" stop "$(sql "select run_id from runs where watch_of = 'two' and vantage = 'us'")" --reason 'not now' --by ann
wait "$lead_pid"
says 0 '^0$' echo $?
says 0 'from eu: nothing is told \(it died before it had told\)' flat "$folder/two.out"
says 0 'from ap: nothing is told \(no worker with the label site=ap-south came within 1 s\)' \
	flat "$folder/two.out"
says 0 'from us: nothing is told \(it did not watch to the end: Stopped by ann: not now' flat "$folder/two.out"

# ---- nobody is there ----

lead three missing.yaml --var steady=300ms
wait "$lead_pid"
says 0 '^5$' echo $?
says 0 'the vantage point `ap` is not there: no worker with the label site=ap-south .*nothing was harmed' \
	flat "$folder/three.out"

# ---- the leading run is killed ----

lead four drill.yaml --var steady=300ms
wait_for 20 holds 1 "select count(*) from events where run_id = 'four' and kind = 'confirmed'"
kill -9 "$lead_pid"
{ wait "$lead_pid"; } 2>/dev/null
wait_for 10 holds 2 "select count(*) from runs where watch_of = 'four' and exit_code = 6"
says 0 'the run that it watched is gone' sql "select sentence from runs where watch_of = 'four'"
says 0 '' "$firedrill" heal four

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
