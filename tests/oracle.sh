#!/bin/bash
# oracle.sh - ledger histories through the engine, and an independent program that doubts each answer.
#
# usage: tests/oracle.sh BUILD_DIR [HISTORIES]
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { echo 'usage: tests/oracle.sh BUILD_DIR [HISTORIES]' >&2; exit 2; }
"$1/oracle_ledger" "${2:-1000}" | python3 tests/oracle_ledger.py
