#!/bin/sh
# scripts.sh - every shell script of the tree through shellcheck.
set -eu
cd "$(dirname "$0")/.."
scripts=$(grep -rlE '^#!/bin/(ba)?sh' fixtures tests packaging .ci | grep -vE '\.(md|c|h)$'; ls fixtures/lab/lib/*.sh fixtures/lab/roles/*.sh)
# shellcheck disable=SC2046,SC2086 # names of ours, without blanks
shellcheck -x -P SCRIPTDIR $(printf '%s\n' $scripts | sort -u)
