#!/bin/sh
# lab_faults.sh - every fault on the lab's real hosts, first on two plain ones, then on a cluster.
# Needs root. The lab goes down on every way out. See lab_faults.c.
set -u
cd "$(dirname "$0")/.." || exit 1
lab=fixtures/lab/lab
trap '"$lab" down >/dev/null 2>&1' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

make -s build/plain/lab_faults || exit
status=0
for topology in solo pg-patroni; do
	"$lab" up "$topology" && "$lab" run build/plain/lab_faults "$topology" || status=1
done
exit "$status"
