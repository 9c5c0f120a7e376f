#!/bin/bash
# store_help.sh - sourced by tests that look into a store that is a file, past the program, and wait for what
# they find there. $FIREDRILL_STORE is the file.

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { echo "waited in vain for: $*" >&2; return 1; }
		read -rt 0.05 <> <(:) || true
	done
}

# sql STATEMENT: to the store, past the program; prints the first column of the first row.
sql() {
	python3 - "$FIREDRILL_STORE" "$1" <<-'PY'
		import sqlite3, sys
		db = sqlite3.connect(sys.argv[1], timeout=10)
		row = db.execute(sys.argv[2]).fetchone()
		db.commit()
		print(row[0] if row else '')
	PY
}

# holds VALUE STATEMENT
holds() {
	[ "$(sql "$2")" = "$1" ]
}
