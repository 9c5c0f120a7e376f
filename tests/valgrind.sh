#!/bin/bash
# valgrind.sh - `check` and `report` under valgrind: no error, no definite leak.
#
# usage: tests/valgrind.sh FIREDRILL. Needs no root.
set -eu
cd "$(dirname "$0")/.."
firedrill=$(realpath "$1")
folder=$(mktemp -d)
export FIREDRILL_STORE=$folder/store.db
# shellcheck source=tests/local_drill.sh
. tests/local_drill.sh
end() {
	local_drill_end
	rm -rf "$folder"
}
trap end EXIT
passed=0
failed=0

clean() {
	if valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
		--suppressions=tests/valgrind.supp "$firedrill" "$@" >"$folder/out" 2>"$folder/err"; then
		passed=$((passed + 1))
		echo "ok - $*"
	else
		failed=$((failed + 1))
		echo "not ok - $*"
		tail -40 "$folder/err"
	fi
}

local_drill_begin "$folder"
"$firedrill" run "$folder/drill.yaml" --yes --out "$folder/run" >/dev/null
clean check experiments/db-failover.yaml
clean plan experiments/db-failover.yaml
for format in text json junit markdown html png; do
	clean report last --format "$format" --out "$folder/report"
done
clean list
clean heal
echo "valgrind: $passed passed, $failed failed"
[ "$failed" = 0 ]
