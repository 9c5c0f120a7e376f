#!/bin/bash
# gate.sh - suites as a pipeline meets them: side by side where targets are disjoint, one after the other
# where they are not, the budget, Ctrl-C, a killed process, the exit codes, baselines, annotations.
#
# usage: tests/gate.sh FIREDRILL. Needs no root: web servers of our own on this machine, which an sshd of
# our own makes two hosts of. One line a test and a closing count.
# shellcheck disable=SC2016 # backquotes in messages are meant as they stand
set -u
cd "$(dirname "$0")/.." || exit 1
firedrill=$(realpath "$1")
folder=$(mktemp -d)
export FIREDRILL_STORE=$folder/store/store.db
unset GITHUB_ACTIONS GITHUB_STEP_SUMMARY GITLAB_CI
pids=()
# shellcheck source=tests/local_drill.sh
. tests/local_drill.sh
# shellcheck source=tests/says.sh
. tests/says.sh

end() {
	local pid
	for pid in "${pids[@]}"; do
		kill -CONT "$pid" 2>/dev/null
		kill -9 "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	[ -n "${KEEP:-}" ] || rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		read -rt 0.05 <> <(:) || true
	done
}

# ---- two hosts of one machine: the places are the two ports of an sshd ----

ssh_hosts_begin() {
	local ports
	mkdir -m 700 "$folder/ssh"
	ssh-keygen -q -t ed25519 -N '' -C fixture -f "$folder/ssh/id"
	ssh-keygen -q -t ed25519 -N '' -C fixture -f "$folder/ssh/host"
	cp "$folder/ssh/id.pub" "$folder/ssh/authorized_keys"
	[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
	mapfile -t ports < <(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in "ab"]
print(*(x.getsockname()[1] for x in s), sep="\n")')
	port_a=${ports[0]} port_b=${ports[1]}
	cat >"$folder/ssh/config" <<-END
		Port $port_a
		Port $port_b
		ListenAddress 127.0.0.1
		HostKey $folder/ssh/host
		AuthorizedKeysFile $folder/ssh/authorized_keys
		PidFile none
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		PermitRootLogin yes
		MaxStartups 100
		UseDNS no
		SetEnv HOME=$folder/ssh
	END
	/usr/sbin/sshd -D -f "$folder/ssh/config" -E "$folder/ssh/log" &
	pids+=($!)
	wait_for 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port_a"
	key="$(cut -d' ' -f1,2 "$folder/ssh/host.pub")"
}

# drill FILE TITLE HOST NAME SERVICE [FOR]: hangs that server.
drill() {
	cat >"$1" <<-YAML
		title: $2
		service: $5
		objectives: { rto: 5s, availability: 1% }
		probes:
		  health: { kind: http.get, on: $5, every: 20ms, timeout: 200ms }
		steady_state: { good_for: 200ms, within: 10s }
		baseline: 200ms
		method:
		  - { fault: process.pause, on: $3, with: { name: $4 }, for: ${6:-300ms} }
		observe: { stable_for: 200ms, at_most: 10s }
		lease: 5s
	YAML
}

ssh_hosts_begin || exit 1
mkdir "$folder/a" "$folder/b" "$folder/suite"
local_server "$folder/a" "fda$$" || exit 1
pid_a=$server_pid url_a=http://127.0.0.1:$server_port/
pids+=("$pid_a")
local_server "$folder/b" "fdb$$" || exit 1
pid_b=$server_pid url_b=http://127.0.0.1:$server_port/
pids+=("$pid_b")
cat >"$folder/suite/inventory.yaml" <<-YAML
	hosts:
	  a: { address: 127.0.0.1, port: $port_a, user: $(id -un), key: $folder/ssh/id, host_key: "$key" }
	  b: { address: 127.0.0.1, port: $port_b, user: $(id -un), key: $folder/ssh/id, host_key: "$key" }
	services:
	  one: { kind: http, url: "$url_a", members: [a] }
	  two: { kind: http, url: "$url_b", members: [b] }
YAML
drill "$folder/suite/10-one.yaml" 'Hang one' a "fda$$" one
drill "$folder/suite/20-one-again.yaml" 'Hang one again' a "fda$$" one
drill "$folder/suite/30-two.yaml" 'Hang two' b "fdb$$" two

none_paused() { [ "$(ps -o stat= -p "$pid_a" -p "$pid_b" | grep -c T)" = 0 ]; }
is_paused() { ps -o stat= -p "$1" | grep -q T; }

# json FILE EXPRESSION: of python, over the report `r` and its experiments `x`.
json() {
	python3 -c 'import json, sys
r = json.load(open(sys.argv[1])); x = r["experiments"]
print(eval(sys.argv[2]))' "$1" "$2"
}

# ---- a whole suite ----
out=$folder/whole
says 0 '3 met' "$firedrill" run "$folder/suite" --yes --out "$out" --junit "$folder/junit.xml" --record-as main
for file in suite.json junit.xml summary.md suite.txt code-quality.json 01-10-one/report.html 03-30-two/report.json; do
	says 0 '' test -s "$out/$file"
done
says 0 '' cmp "$out/junit.xml" "$folder/junit.xml"
says 0 '^\(0, 3, 3\)$' json "$out/suite.json" 'r["gate"]["exit_code"], r["counts"]["met"], len(x)' 
# shellcheck disable=SC2317 # called by says
times() {
	local id
	for id in $(json "$out/suite.json" '" ".join(row["id"] for row in x)'); do
		"$firedrill" report "$id" --format json
	done | python3 -c 'import json, sys
text, at, spans = sys.stdin.read(), 0, []
while text[at:].strip():
    report, at = json.JSONDecoder().raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip()))
    run = report["run"]
    spans.append((run["started"]["ns"], run["ended"]["ns"]))
def overlap(i, j): return spans[i][0] < spans[j][1] and spans[j][0] < spans[i][1]
print(overlap(0, 2) or overlap(1, 2), overlap(0, 1))'
}
says 0 '^True False$' times

# ---- exit codes: what counts, and what does not ----
drill "$folder/missed.yaml" 'Hang two, and promise too much' b "fdb$$" two 1s
sed -i 's/rto: 5s/rto: 100ms/' "$folder/missed.yaml"
sed -i 's/^title/inventory: suite\/inventory.yaml\n&/' "$folder/missed.yaml"
sed 's/^title:.*/title: "::error::owned ##[error]x, a:b %0A"/; s/within: 10s/within: 300ms/' "$folder/missed.yaml" >"$folder/down.yaml"
sed -i 's|^  health:.*|  health: { kind: tcp.connect, on: b, port: 1, every: 20ms, timeout: 100ms }|' "$folder/down.yaml"
run=("$firedrill" run --yes --out "$folder/out")
says 0 '1 missed' "${run[@]}" "$folder/missed.yaml" "$folder/suite/10-one.yaml" --fail-on inconclusive --baseline main
says 0 'cannot tell None|None cannot tell' json "$folder/out/suite.json" '" ".join(str((row["baseline"] or {}).get("answer")) for row in x)'
says 0 'main has no recovery of this experiment yet' cat "$folder/out/suite.txt"
says 0 'in main, .* now; one run each proves little' cat "$folder/out/summary.md"
says 0 '^\[True, False\]$' json "$folder/out/suite.json" '[o["verdict"] == "missed" for o in x[0]["objectives"]]'
says 0 '' python3 tests/check_report.py "$folder/out"
"$firedrill" export "$(json "$out/suite.json" 'x[0]["id"]')" --out "$folder/base.tar" >/dev/null
says 0 'section_start:[0-9]*:firedrill_1.*1 of 2' env GITLAB_CI=true "${run[@]}" "$folder/down.yaml" "$folder/suite/10-one.yaml" \
	--fail-on missed --baseline "$folder/base.tar"
says 0 '1 met, 1 not started' cat "$folder/out/suite.txt"
says 0 'in /.*/base.tar, .* now; one run each' cat "$folder/out/suite.txt"
# A baseline of twenty quick recoveries: two slower ones are told apart, and that fails when it is asked for.
json "$out/suite.json" 'json.dumps({**r, "experiments": [{"title": "Hang two, and promise too much", "runs": [{"run": "quick",
	"rto": {"kind": "span", "counts": True, "low_ns": 10**6 * (20 + i), "high_ns": 10**6 * (21 + i)}} for i in range(20)]}]})' >"$folder/quick.json"
says 1 'slower than .*quick.json: median .* of 20 runs there, .* of 2 runs now' "${run[@]}" "$folder/missed.yaml" --budget 1m \
	--repeat 2 --baseline "$folder/quick.json" --fail-on regression
says 0 '' python3 tests/check_report.py "$folder/out"
says 0 '^\[True, 2\]$' json "$folder/out/suite.json" '[x[0]["is_set"], len(x[0]["runs"])]'

# ---- annotations: what a title says to GitHub's runner is nothing ----
export GITHUB_STEP_SUMMARY=$folder/step.md
echo 'from an earlier command' >"$GITHUB_STEP_SUMMARY"
says 1 '' bash -c 'GITHUB_ACTIONS=true "$@" >"$0" 2>&1' "$folder/github.log" "${run[@]}" "$folder/down.yaml" "$folder/missed.yaml"
says 0 '1 missed, 1 not started' cat "$folder/github.log"
unset GITHUB_STEP_SUMMARY
says 0 '' test "$(python3 tests/github_log.py <"$folder/github.log" | sed 's/ .*//' | sort | uniq -c | xargs)" = '2 endgroup 2 error 2 group'
says 0 "^error .*'title': 'NOT STARTED: ::error::owned ##\\[error\\]x, a:b %0A'" sh -c "python3 tests/github_log.py <'$folder/github.log'"
says 0 "^error .*'file': '.*/missed.yaml', 'line': '1', 'title': 'MISSED: Hang two.*rto MISSED" sh -c "python3 tests/github_log.py <'$folder/github.log'"
says 0 '^from an earlier command$' cat "$folder/step.md"
says 0 '^. . MISSED . Hang two' cat "$folder/step.md"
says 2 'is not known; there are auto, github' "${run[@]}" "$folder/suite" --annotations travis

# ---- on a terminal: the block that shows what runs is gone at the end ----
says 0 '' python3 tests/terminal.py 40 24 "${run[@]}" "$folder/suite/10-one.yaml" "$folder/suite/30-two.yaml"

# ---- the budget ----
drill "$folder/long.yaml" 'Hang one for long' a "fda$$" one 60s
sed -i 's/^title/inventory: suite\/inventory.yaml\n&/' "$folder/long.yaml"
says 6 'the budget of 2 s was used up' "${run[@]}" "$folder/long.yaml" "$folder/suite/10-one.yaml" --budget 2s
says 0 '^stopped' grep -o stopped "$folder/out/suite.json"
says 0 'STOPPED False NOT STARTED' json "$folder/out/suite.json" \
	'" ".join([x[0]["outcome"]["headline"], str(x[1]["is_begun"]), x[1]["outcome"]["headline"]])'
says 0 'message="Stopped because the budget of 2 s was used up' cat "$folder/out/junit.xml"
says 0 'message="Not started: the budget of 2 s was used up' cat "$folder/out/junit.xml"
says 0 '' none_paused

# ---- stop SUITE: what runs heals and ends, nothing more begins ----
"${run[@]}" "$folder/long.yaml" "$folder/suite/10-one.yaml" --id "nightly-$$" >"$folder/ordered.log" 2>&1 &
suite_pid=$!
wait_for 20 is_paused "$pid_a"
says 2 'name one run, set of trials or suite' "$firedrill" stop
says 0 "run nightly-$$-d01 has ended: " "$firedrill" stop "nightly-$$" --by anna --reason 'INC-7'
says 0 '' none_paused
status=0
wait "$suite_pid" || status=$?
says 0 '^6$' echo "$status"
says 0 'anna has stopped it \(INC-7\): nothing more begins' cat "$folder/ordered.log"
says 0 'message="Not started: anna has stopped it' cat "$folder/out/junit.xml"
# The order stands, also for what would begin under that name.
says 5 'anna' "$firedrill" run "$folder/suite/10-one.yaml" --yes --id "nightly-$$-d07" --out "$folder/late"
says 0 "nothing of nightly-$$ is under way" "$firedrill" stop "nightly-$$" --reason again

# ---- Ctrl-C: every one heals and is waited for, whatever comes after ----
set -m
"${run[@]}" "$folder/long.yaml" "$folder/suite/30-two.yaml" >"$folder/int.log" 2>&1 &
suite_pid=$!
set +m
wait_for 20 is_paused "$pid_a"
kill -INT "$suite_pid"
kill -INT "$suite_pid"
kill -TERM "$suite_pid"
status=0
wait "$suite_pid" || status=$?
says 0 '^6$' echo "$status"
says 0 '' none_paused
says 0 'signal (2 \(INT|15 \(TERM)\) came' cat "$folder/int.log"

# ---- a process of the suite is killed: the suite heals what it left ----
"${run[@]}" "$folder/long.yaml" "$folder/suite/30-two.yaml" --fail-on missed --format json >"$folder/kill.json" 2>"$folder/kill.log" &
suite_pid=$!
wait_for 20 is_paused "$pid_a"
kill -9 "$(pgrep -P "$suite_pid" -f long.yaml)"
status=0
wait "$suite_pid" || status=$?
says 0 '^7$' echo "$status"
says 0 '' none_paused
says 0 'killed by signal 9 \(KILL\); the suite has healed' cat "$folder/out/summary.md"
says 0 '' cmp "$folder/kill.json" "$folder/out/suite.json" # standard output has the document and nothing else
says 0 'begins   1 of 2' cat "$folder/kill.log"
says 0 '^nothing to heal' "$firedrill" heal
says 0 'BROKEN OFF MET' json "$folder/out/suite.json" '" ".join(row["outcome"]["headline"] for row in x)'

# ---- the suite itself is killed: its processes heal and end ----
"${run[@]}" "$folder/long.yaml" >"$folder/dead.log" 2>&1 --jobs 1 &
suite_pid=$!
wait_for 20 is_paused "$pid_a"
disown "$suite_pid" # the shell would tell that it was killed
kill -9 "$suite_pid"
says 0 '' wait_for 10 none_paused

# ---- bad input: all of it at once, and nothing is touched ----
mkdir "$folder/bad"
printf 'title: x\nprobs: {}\n' >"$folder/bad/1.yaml"
printf 'titel: y\n' >"$folder/bad/2.yaml"
cp "$folder/suite/inventory.yaml" "$folder/suite/10-one.yaml" "$folder/bad"
says 2 'bad/1.yaml:2:1: .*probs' "${run[@]}" "$folder/bad"
says 2 'bad/2.yaml:1:1: .*titel' "${run[@]}" "$folder/bad"
mkdir "$folder/empty"
says 2 'no experiment in the folder' "${run[@]}" "$folder/empty"
says 2 'was given twice' "${run[@]}" "$folder/missed.yaml" "$folder/missed.yaml"
says 2 'does not know `mised`' "${run[@]}" "$folder/suite" --fail-on mised
says 2 'without a unit|write' "${run[@]}" "$folder/suite" --budget 20
says 2 'no time to run' "${run[@]}" "$folder/suite" --budget 0
says 2 'no number from 1' "${run[@]}" "$folder/suite" --jobs 0
says 2 'no report format `html`' "${run[@]}" "$folder/suite" --format html
says 2 'is no id' "${run[@]}" "$folder/suite" --id 'a b'
says 2 'there is no baseline .*nowhere.json' "${run[@]}" "$folder/suite" --baseline "$folder/nowhere.json"
says 2 'is no `firedrill suite`' "${run[@]}" "$folder/suite" --baseline "$out/01-10-one/report.json"
says 2 'needs a baseline' "${run[@]}" "$folder/suite" --fail-on regression
says 2 'have the same title' "${run[@]}" "$folder/bad/10-one.yaml" "$folder/suite/10-one.yaml" --record-as main
says 2 'without blanks' "${run[@]}" "$folder/suite" --record-as 'a b'
says 2 'would be read as a file' "${run[@]}" "$folder/suite" --record-as x.json
says 0 'commands are true' python3 tests/check_pipelines.py "$firedrill" "$folder/suite"
says 0 'not beside experiment 1' "$firedrill" run "$folder/suite" --dry-run
says 5 'add --yes' "$firedrill" run "$folder/suite"

echo "gate: $passed passed, $failed failed"
[ "$failed" = 0 ]
