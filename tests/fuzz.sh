#!/bin/bash
# fuzz.sh - libFuzzer on every harness of tests/fuzz.h: first its corpus, then new inputs for some seconds.
#
# usage: tests/fuzz.sh FUZZ_PROGRAM SECONDS [NAME...]. 0 seconds: a few thousand inputs, the same ones each
# time, for a test that must not say something else tomorrow.
#
# An input that breaks a promise is kept in build/fuzz-findings/ and its place is told. Mend the program,
# then move the input to fixtures/fuzz/NAME/, where the unit tests replay it from then on.
set -u
cd "$(dirname "$0")/.." || exit 1
[ $# -ge 2 ] || { echo 'usage: tests/fuzz.sh FUZZ_PROGRAM SECONDS [NAME...]' >&2; exit 2; }
program=$(realpath "$1")
seconds=$2
shift 2
findings=build/fuzz-findings
passed=0
failed=0
# In memory: some harnesses write files, and a disk would be all they try.
TMPDIR=$(mktemp -d /dev/shm/firedrill-fuzz-XXXXXX 2>/dev/null || mktemp -d) || exit 1
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM
mkdir -p "$findings"
limit=(-max_total_time="$seconds")
[ "$seconds" != 0 ] || limit=(-seed=1 -runs=3000 -max_total_time=20)

number() { sed -n "s/^stat::$1: *//p" "$2"; }

[ $# -gt 0 ] || read -ra wanted < <("$program" --list | tr '\n' ' ')
[ $# = 0 ] || wanted=("$@")
for name in "${wanted[@]}"; do
	log=$TMPDIR/log
	mkdir "$TMPDIR/new"
	if "$program" "$name" "${limit[@]}" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$findings/$name-" "$TMPDIR/new" "fixtures/fuzz/$name" >"$log" 2>&1; then
		passed=$((passed + 1))
		features=$(sed -n 's/.* ft: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
		printf 'ok - %-12s %9d executions, %6d features, %4d inputs in the corpus\n' "$name" \
			"$(number number_of_executed_units "$log")" "${features:-0}" "$(find "fixtures/fuzz/$name" -type f | wc -l)"
	else
		failed=$((failed + 1))
		echo "not ok - $name:"
		grep -vE '^#[0-9]+' "$log" | tail -n 40 | sed 's/^/    /'
	fi
	rm -rf "$TMPDIR/new"
done
echo "fuzz: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
