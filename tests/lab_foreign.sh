#!/bin/sh
# lab_foreign.sh - faults leave alone what is not theirs, on the lab's real hosts. Needs root. The lab goes
# down on every way out. See lab_foreign.c.
set -u
cd "$(dirname "$0")/.." || exit 1
lab=fixtures/lab/lab
trap '"$lab" down >/dev/null 2>&1' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

make -s build/plain/lab_foreign || exit
"$lab" up solo && "$lab" run build/plain/lab_foreign
