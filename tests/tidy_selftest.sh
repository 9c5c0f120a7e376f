#!/bin/sh
# tidy_selftest.sh - shows that tests/tidy.sh bites: one planted sin at a time must be named.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
passed=0
failed=0

# plant FILE WHAT-TIDY-MUST-SAY: the file's text comes on standard input.
plant() {
	rm -rf "${tree:?}"/*
	mkdir -p "$tree/harness/base" "$tree/harness/load" "$tree/harness/engine" "$tree/probes" "$tree/reports" "$tree/tests" "$tree/fixtures" "$tree/$(dirname "$1")"
	{ printf '/*\n * %s - a planted sin.\n */\n' "$(basename "$1")"; cat; } >"$tree/$1"
	if said=$("$here/tidy.sh" "$tree" 2>&1) && [ -n "$2" ]; then
		echo "not ok - $1: tidy said nothing, wanted: $2"
		failed=$((failed + 1))
	elif [ "$said" = "$2" ] || { [ -n "$2" ] && printf '%s' "$said" | grep -qF -- "$2"; }; then
		echo "ok - $1: $2"
		passed=$((passed + 1))
	else
		echo "not ok - $1: wanted: $2; said: $said"
		failed=$((failed + 1))
	fi
}

plant harness/base/fine.c '' <<'C'
int fine;
C
plant harness/base/call.c 'use remote_exec' <<'C'
void call(void);
void call(void)
{
	system("true");
}
C
plant harness/base/up.c 'wrong direction' <<'C'
#include "engine/engine.h"
C
plant harness/load/third.c 'a file of its own' <<'C'
#include <sqlite3.h>
C
plant probes/thread.c 'one thread decides' <<'C'
	pthread_create(&thread, NULL, main, NULL);
C
plant harness/base/long.c 'function of 62 lines' <<C
void long_one(void)
{
$(seq 61 | sed 's/.*/	;/')
}
C
plant harness/base/big.c 'file longer than 600 lines' <<C
$(seq 600 | sed 's/.*/int a;/')
C
plant tests/big.sh 'file longer than 600 lines' <<C
$(seq 600 | sed 's/.*/true/')
C
plant harness/base/loose.c 'finish it' <<'C'
/* FIXME */
C
echo "tidy_selftest: $passed passed, $failed failed"
[ "$failed" = 0 ]
