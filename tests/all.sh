#!/bin/bash
# all.sh - every test of the project, each with its log; ends with one count.
#
# usage: tests/all.sh [NAME...]: only the steps so named. Three tracks run side by side: what works the
# processors, at a low priority, and what waits, for the lab's hosts or for drills on this machine. Steps that need
# root or the lab say so and are skipped with the reason elsewhere. A failed step shows the end of its log
# and does not stop the others. Nothing stays behind, on every way out: the lab goes down, and what a
# test leaves in its folder for temporary files is a failure of the last step.
set -u
cd "$(dirname "$0")/.." || exit 1
logs=build/test-logs
results=$logs/results
lab=fixtures/lab/lab
uses_lab=$logs/uses-lab # there is only one on a machine, and without this file it may be another's
is_root=$([ "$(id -u)" = 0 ] && echo yes || echo no)
wanted=("$@")
begun=$SECONDS
tracks=()
lab_programs=()
for source in tests/lab_*.c; do
	lab_programs+=("build/plain/$(basename "$source" .c)")
done

mkdir -p "$logs"
: >"$results"
rm -f "$uses_lab"
TMPDIR=$(mktemp -d /tmp/firedrill-test-XXXXXX) || exit 1
export TMPDIR XDG_STATE_HOME=$TMPDIR/state # a test that uses the caller's own store is seen as well
chmod 711 "$TMPDIR" # servers that run as another user work below it

end() {
	local status=$? track
	trap - EXIT INT HUP TERM
	for track in "${tracks[@]}"; do
		kill -TERM -- "-$track" 2>/dev/null
	done
	wait
	[ ! -e "$uses_lab" ] || "$lab" down >/dev/null 2>&1
	rm -rf "$TMPDIR" "$uses_lab"
	exit "$status"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

is_wanted() {
	[ ${#wanted[@]} = 0 ] && return 0
	local name
	for name in "${wanted[@]}"; do
		[ "$name" = "$1" ] && return 0
	done
	return 1
}

# step NAME COMMAND...: runs it, shows that it begins and how it ended, keeps the log.
step() {
	local name=$1 log=$logs/$1.log from=$SECONDS
	shift
	is_wanted "$name" || return 0
	kill -0 $$ 2>/dev/null || exit 1 # all.sh itself was killed
	printf '        ... %s\n' "$name"
	if "$@" >"$log" 2>&1 </dev/null; then
		echo "ok $name" >>"$results"
		printf 'ok     %4d s  %-14s %s\n' $((SECONDS - from)) "$name" "$(closing "$log")"
	else
		echo "failed $name" >>"$results"
		printf 'FAILED %4d s  %-14s the end of %s:\n%s\n' $((SECONDS - from)) "$name" "$log" \
			"$(tail -n 40 "$log" | sed 's/^/    /')"
	fi
}

# The runner's own closing line, so that a reader sees how much was tested.
closing() {
	grep -hE '^[0-9]+%: Checks:|[0-9]+ passed, [0-9]+ failed|^[0-9]+ of [0-9]+ agree' "$1" | tail -n 1
}

lab_step() {
	if [ "$is_root" = yes ]; then
		! is_wanted "$1" || : >"$uses_lab"
		step "$@"
	elif is_wanted "$1"; then
		echo "skipped $1" >>"$results"
		printf 'skipped        %-14s %s\n' "$1" "the lab of real hosts needs root"
	fi
}

# track COMMAND: in the background, as a process group that can be ended as one.
track() {
	set -m
	"$@" &
	tracks+=($!)
	set +m
}

make_quiet() { nice make --no-print-directory -j2 "$@"; }

# ThreadSanitizer has nothing to see in suites that start no thread (strace was asked), and makes them slow.
threadless='^(base|bundle.*|calendar|cron.*|decide|faults|faults_power|faults_trial|helper|judge.*|keeper|load.*|measure.*|permit|plan|report.*|schedule|scheduler|store|store_(care|codec|disk|dues|migrate|pauses|permits|place|recordings|rows|sets)|suite|worker|zone)$'

on_processors() {
	step build-clang make_quiet CC=clang BUILD=build/clang WERROR=1
	step hardening tests/hardening.sh build/plain/firedrill build/clang/firedrill
	step unit make_quiet CC=gcc test-unit
	step fuzz-build make_quiet fuzz-build
	step unit-asan make_quiet test-unit-asan
	UNIT_WITHOUT=$threadless step unit-tsan make_quiet CC=gcc test-unit-tsan
	step fuzz nice tests/fuzz.sh build/fuzz/fuzz 0
	step shortage nice build/plain/shortage 40
	step oracle nice tests/oracle.sh build/plain
	step oracle-kpi nice python3 tests/oracle_kpi.py build/plain/oracle_kpi
	step valgrind nice tests/valgrind.sh build/plain/firedrill
	step memory tests/memory_private.sh build/plain/firedrill
	step injection tests/injection.py build/plain/firedrill
}

# Drills on this machine: they wait more than they work.
on_this_machine() {
	step cli tests/cli.sh build/plain/firedrill
	step policy tests/policy.sh build/plain/firedrill
	step notify tests/notify.sh build/plain/firedrill
	step gate tests/gate.sh build/plain/firedrill
	step store-failover tests/store_failover.sh build/plain/firedrill
	step worker tests/worker.sh build/plain/firedrill
	step daemon tests/daemon.sh build/plain/firedrill
	step demo tests/demo.sh build/plain
	step vantage tests/vantage.sh build/plain/firedrill
	step ledger-drills tests/ledger_drills.sh build/plain/firedrill
	step canary tests/canary.py build/plain/firedrill
	step packaging tests/packaging.sh build/plain/firedrill
	step docs tests/docs.sh build/plain/firedrill
}

on_hosts() {
	lab_step lab-selftest tests/lab_selftest.sh
	lab_step lab-remote tests/lab_remote.sh
	lab_step lab-faults tests/lab_faults.sh
	lab_step lab-foreign tests/lab_foreign.sh
	lab_step lab-probes tests/lab_probes.sh
	lab_step lab-drills tests/lab_drills.sh build/plain/firedrill
	# The rest of the table: make test-losses.
	lab_step lab-losses tests/lab_losses.sh build/plain/firedrill async-partition quorum-kill two-primaries
	lab_step lab-doctor tests/lab_doctor.sh build/plain/firedrill
	lab_step lab-sudo tests/lab_sudo.sh build/plain
	lab_step crash-matrix tests/crash_matrix.sh build/plain --sample 60 --seconds 20
}

count() { grep -c "^$1 " "$results"; }

step tidy tests/tidy.sh
step tidy-selftest tests/tidy_selftest.sh
step shellcheck tests/scripts.sh
# All of it before the tracks begin: they share it, and two makes must not write one file.
step build make_quiet CC=gcc all build/plain/unit build/plain/firedrill_points build/plain/oracle_ledger build/plain/oracle_kpi \
	build/plain/shortage build/plain/seed_month build/plain/bench_server "${lab_programs[@]}"
track on_processors
track on_hosts
track on_this_machine
wait
step leftovers tests/leftovers.sh

echo
[ "$(count failed)" = 0 ] || echo "failed: $(sed -n 's/^failed //p' "$results" | tr '\n' ' ')"
echo "all.sh: $((SECONDS - begun)) s"
echo "$(count ok) passed, $(count failed) failed$([ "$(count skipped)" = 0 ] || echo ", $(count skipped) skipped")"
[ "$(count failed)" = 0 ] && [ "$(count ok)" -gt 0 ]
