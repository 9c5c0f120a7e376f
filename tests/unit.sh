#!/bin/bash
# unit.sh - runs the suites of the unit tests, four at a time: most of them wait more than they work.
#
# usage: tests/unit.sh PROGRAM. Prints what failed, with its suite's whole output, and one closing line with
# the sums. A suite that dies without its own closing line counts as one error. Suites whose names match the
# extended pattern in UNIT_WITHOUT are left out, and that is said.
set -u
program=$1
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# Check ends a test after 4 s; a sanitizer on a busy machine wants more.
export CK_DEFAULT_TIMEOUT=180

without=${UNIT_WITHOUT:-^$}
left_out=$("$program" --list | grep -cE "$without")
[ "$left_out" = 0 ] || echo "left out: $left_out suites that match $without"
# shellcheck disable=SC2016 # the inner shell expands them
"$program" --list | grep -vE "$without" | xargs -P 4 -I{} sh -c '"$1" "$2" >"$3/$2" 2>&1; true' unit "$program" {} "$logs"

checks=0
failures=0
errors=0
for log in "$logs"/*; do
	# 100%: Checks: 5, Failures: 0, Errors: 0
	read -r c f e < <(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$log" | tail -n 1)
	if [ -z "${c:-}" ]; then
		c=0 f=0 e=1
	fi
	[ "$f$e" = 00 ] || cat "$log"
	grep -h '^skipped' "$log" || true
	checks=$((checks + c))
	failures=$((failures + f))
	errors=$((errors + e))
	unset c f e
done
passed=$((checks - failures - errors))
echo "$((checks > 0 ? passed * 100 / checks : 0))%: Checks: $checks, Failures: $failures, Errors: $errors"
[ "$checks" -gt 0 ] && [ $((failures + errors)) = 0 ]
