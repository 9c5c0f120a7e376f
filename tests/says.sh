#!/bin/bash
# says.sh - sourced by tests of the command line: what a command says, and its exit code. One line a test.
#
# Wants $firedrill, so that it is not printed in every line; counts in $passed and $failed.

passed=0
failed=0

# says EXIT PATTERN COMMAND...: the exit code, and a line of its output (both streams) matches.
says() {
	local expected=$1 pattern=$2 status=0 output
	shift 2
	output=$("$@" 2>&1 </dev/null) || status=$?
	if [ "$status" = "$expected" ] && grep -qE -- "$pattern" <<<"$output"; then
		passed=$((passed + 1))
		echo "ok - exit $status: ${*#"$firedrill"}"
	else
		failed=$((failed + 1))
		echo "not ok - exit $status (expected $expected), wanted /$pattern/: $*"
		head -20 <<<"$output" | sed 's/^/    /'
	fi
}
