#!/bin/sh
# lab_probes.sh - builds lab_probes and runs it; it brings the cluster up, looks, and takes it down itself.
#
# Needs root. The lab goes down on every way out.
set -eu
cd "$(dirname "$0")/.."
trap 'fixtures/lab/lab down >/dev/null 2>&1' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM
make --no-print-directory -s build/plain/lab_probes
build/plain/lab_probes
