#!/bin/sh
# lab_remote.sh - builds and runs tests/lab_remote.c: sessions to hosts that lose their power.
set -eu
cd "$(dirname "$0")/.."
make --no-print-directory -j2 CC=gcc build/plain/lab_remote
exec build/plain/lab_remote
