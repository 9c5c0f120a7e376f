#!/bin/sh
# leftovers.sh - takes the lab down and shows that nothing stays on this machine: of the lab no process,
# mount, namespace, loop device, cgroup or file; of the tests no file in $TMPDIR, where all.sh gives them
# a folder of their own, and no process that was started with it.
set -eu
cd "$(dirname "$0")/.."
status=0
if [ "$(id -u)" = 0 ]; then
	fixtures/lab/lab down
	fixtures/lab/lab leftovers || status=1
fi
case ${TMPDIR:-} in
/tmp/firedrill-test-*)
	left=$(find "$TMPDIR" -mindepth 1)
	[ -z "$left" ] || { printf 'files that tests left behind:\n%s\n' "$left"; status=1; }
	for environment in /proc/[0-9]*/environ; do
		pid=${environment#/proc/}
		pid=${pid%/environ}
		{ tr '\0' '\n' <"$environment" | grep -qx "TMPDIR=$TMPDIR"; } 2>/dev/null || continue
		case $(ps -o args= -p "$pid" || :) in
		'' | *tests/all.sh* | *tests/leftovers.sh* | tr* | grep*) continue ;;
		esac
		printf 'a process that tests left behind: %s\n' "$(ps -o pid=,args= -p "$pid")"
		status=1
	done ;;
esac
exit $status
