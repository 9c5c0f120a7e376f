#!/bin/bash
# bench.sh - the ratios of design.md section 10 that can be measured on one machine, side by side.
#
# usage: tests/bench.sh BUILD_DIR [PART...]; without arguments it lists the parts, which stand in tests/bench/.
#
# Ours and theirs take turns in one run; every figure is a median. Absolute times depend on the
# machine and on who else uses it: read the ratios. Private servers on loopback, in temporary folders,
# which end with this script however it ends. Exits 0 also when a goal is not met: it says so instead.
# A step that could not run is an error, never a number.
set -euo pipefail
cd "$(dirname "$0")/.."
# Each is a function part_NAME of a file in tests/bench/; they run in this order.
known=(truth process ledger ssh verify rows lanes http chart report kpi page claims)
usage() {
	echo "usage: tests/bench.sh BUILD_DIR [PART...]   parts: ${known[*]}" >&2
	exit 2
}
[ $# -ge 1 ] || usage
bin=$(cd "$1" && pwd)
shift
parts=("$@")
for part in "${parts[@]}"; do
	[[ " ${known[*]} " == *" $part "* ]] || { echo "bench.sh: there is no part $part" >&2; usage; }
done
begun=$SECONDS
scratch=$(mktemp -d /tmp/fd-bench-XXXXXX)
repeats=5
hosts=16
rows=${FIREDRILL_BENCH_ROWS:-200000} # of part verify; 10000000 takes some minutes
many_rows=10000000
runs=${FIREDRILL_BENCH_RUNS:-100000} # of parts kpi and page
requests=100 # of each page
dues=${FIREDRILL_BENCH_DUES:-2000} # of part claims
samples=600000
export LC_ALL=C XDG_STATE_HOME=$scratch/state

victim=
end() {
	local status=$?
	trap - EXIT
	if [ -n "$victim" ]; then
		kill -9 "$victim" 2>/dev/null || true
		wait "$victim" 2>/dev/null || true
	fi
	if [ -S "$scratch/master.n1" ]; then
		for ((i = 1; i <= hosts; i++)); do
			ssh -F "$scratch/ssh_config" -O exit "n$i" 2>/dev/null || true
		done
	fi
	# The servers and the warm client see the end of their input, clean up and go.
	exec 10>&- 11>&- 12>&- 13>&- 14>&-
	wait || true
	rm -rf -- "$scratch"
	exit $status
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# shellcheck source=tests/bench/figures.sh
. tests/bench/figures.sh
# shellcheck source=tests/bench/servers.sh
. tests/bench/servers.sh
# shellcheck source=tests/bench/process.sh
. tests/bench/process.sh
# shellcheck source=tests/bench/ledger.sh
. tests/bench/ledger.sh
# shellcheck source=tests/bench/ssh.sh
. tests/bench/ssh.sh
# shellcheck source=tests/bench/lanes.sh
. tests/bench/lanes.sh
# shellcheck source=tests/bench/reports.sh
. tests/bench/reports.sh
# shellcheck source=tests/bench/history.sh
. tests/bench/history.sh
# shellcheck source=tests/bench/workers.sh
. tests/bench/workers.sh
# shellcheck source=tests/bench/truth.sh
. tests/bench/truth.sh

is_wanted() {
	[ ${#parts[@]} = 0 ] || [[ " ${parts[*]} " == *" $1 "* ]]
}

machine
for part in "${known[@]}"; do
	! is_wanted "$part" || "part_$part"
done
printf '\nload: %s when it ended, after %d s\n' "$(cut -d' ' -f1-3 /proc/loadavg)" $((SECONDS - begun))
