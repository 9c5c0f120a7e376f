#!/bin/bash
# all.sh - every test of the project, one after the other, each with its log; ends with one count.
#
# usage: tests/all.sh [NAME...]: only the steps so named. Steps that need root or the lab say so and
# are skipped with the reason elsewhere. A failed step shows the end of its log and does not stop the
# others. Nothing stays behind: the lab goes down on every way out.
set -u
cd "$(dirname "$0")/.." || exit 1
logs=build/test-logs
mkdir -p "$logs"
passed=0
failed=0
skipped=0
failures=
wanted=("$@")
begun=$SECONDS

lab=fixtures/lab/lab
has_lab=no # a step of ours has used it: there is only one on a machine, and it may be another's
is_root=$([ "$(id -u)" = 0 ] && echo yes || echo no)

end() {
	status=$?
	if [ "$has_lab" = yes ]; then
		"$lab" down >/dev/null 2>&1 || true
	fi
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

# step NAME COMMAND...: runs it, shows one line, keeps the log.
step() {
	local name=$1 log=$logs/$1.log from=$SECONDS
	shift
	is_wanted "$name" || return 0
	printf '%-18s ' "$name"
	if "$@" >"$log" 2>&1 </dev/null; then
		passed=$((passed + 1))
		printf 'ok      %4d s   %s\n' $((SECONDS - from)) "$(closing "$log")"
	else
		failed=$((failed + 1))
		failures="$failures $name"
		printf 'FAILED  %4d s   the end of %s:\n' $((SECONDS - from)) "$log"
		tail -n 40 "$log" | sed 's/^/    /'
	fi
}

# The runner's own closing line, so that a reader sees how much was tested.
closing() {
	grep -hE '^[0-9]+%: Checks:|[0-9]+ passed, [0-9]+ failed|^[0-9]+ of [0-9]+ agree' "$1" | tail -n 1
}

skip() {
	is_wanted "$1" || return 0
	skipped=$((skipped + 1))
	printf '%-18s skipped: %s\n' "$1" "$2"
}

lab_step() {
	if [ "$is_root" = yes ]; then
		! is_wanted "$1" || has_lab=yes
		step "$@"
	else
		skip "$1" "the lab of real hosts needs root"
	fi
}

make_quiet() { make --no-print-directory -j2 "$@"; }

make_oracle() { make_quiet CC=gcc build/plain/oracle_ledger && tests/oracle.sh build/plain; }

step tidy tests/tidy.sh
step tidy-selftest tests/tidy_selftest.sh
step shellcheck tests/scripts.sh
step build make_quiet CC=gcc
step build-clang make_quiet CC=clang BUILD=build/clang WERROR=1
step unit make_quiet CC=gcc test-unit
step oracle make_oracle
step unit-asan make_quiet CC=gcc SAN=address,undefined test-unit
step unit-tsan make_quiet CC=gcc SAN=thread test-unit
step cli tests/cli.sh build/plain/firedrill
step ledger-drills tests/ledger_drills.sh build/plain/firedrill
step valgrind tests/valgrind.sh build/plain/firedrill
step docs tests/docs.sh build/plain/firedrill
lab_step lab-selftest tests/lab_selftest.sh
lab_step lab-remote tests/lab_remote.sh
lab_step lab-faults tests/lab_faults.sh
lab_step lab-probes tests/lab_probes.sh
lab_step lab-drills tests/lab_drills.sh build/plain/firedrill
lab_step leftovers tests/leftovers.sh

echo
[ -z "$failures" ] || echo "failed:$failures"
echo "all.sh: $((SECONDS - begun)) s"
[ "$skipped" = 0 ] && echo "$passed passed, $failed failed" || echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
