# shellcheck shell=bash
# drill_help.sh - what tests of whole drills on the lab share: the lab in a known state, a drill and its report,
# SQL on the leader, and the count of lost writes by somebody else than firedrill.
#
# Sourced from the project's folder with the arguments FIREDRILL [TEST...]; logs are in build/test-logs/, in a
# folder named like the test. The lab goes down on every way out.
firedrill=$(realpath "${1:-build/plain/firedrill}")
shift || true
wanted=("$@")
lab=fixtures/lab/lab
out=build/test-logs/$(basename "$0" .sh)
passed=0
failed=0
rm -rf "$out"
mkdir -p "$out"
export FIREDRILL_STORE=$out/store.db
trap '"$lab" down >/dev/null 2>&1' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

fail() {
	printf '    %s\n' "$*"
	return 1
}

# wait_until SECONDS COMMAND...: polls until it succeeds; a bound, not a pace.
wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		read -rt 0.1 <> <(:) || true
	done
}

# topology NAME: up and in its known state, with its inventory in $inventory.
topology() {
	if [ "$("$lab" status --json 2>/dev/null | jq -r .topology)" = "$1" ]; then
		"$lab" reset
	else
		"$lab" up "$1"
	fi && inventory=$out/$1.yaml && "$lab" inventory --out "$inventory"
}

host_address() { sed -n "s/^ *$1: *{ *address: \([0-9.]*\).*/\1/p" "$inventory"; }

# drill NAME EXPERIMENT EXIT [ARGS...]: runs it and checks its exit code; the report is $report.
drill() {
	local name=$1 experiment=$2 expected=$3 status=0
	shift 3
	report=$out/$name/report.json
	"$lab" run "$firedrill" run "$experiment" --inventory "$inventory" --yes --out "$out/$name" "$@" >"$out/$name.log" 2>&1 ||
		status=$?
	[ "$status" = "$expected" ] || { tail -n 30 "$out/$name.log"; fail "$name: exit $status, expected $expected"; }
}

# is EXPECTED JQ-EXPRESSION: about the report.
is() {
	local got
	got=$(jq -rc "$2" "$report")
	[ "$got" = "$1" ] || fail "$2 is $got, expected $1"
}

sql() { "$lab" psql -Atqc "$1"; }

ledger_table() { sql "select relname from pg_class where relname ~ '^firedrill_ledger_[0-9]' and relkind = 'r'"; }

# in_ledger PROBE SQL: SQL on the leader, which finds in `attempts` every attempt of the drill's ledger PROBE as
# `export` writes it (with sent_ns and done_ns on the clock of the report), and in `stored` the rows of its table.
in_ledger() {
	local folder=${report%/*}/bundle due
	if [ ! -d "$folder" ]; then
		mkdir "$folder" && "$firedrill" export "$(jq -r .run.id "$report")" --out "$folder.tar" >/dev/null &&
			tar -xf "$folder.tar" -C "$folder" --strip-components=1 || return 1
	fi
	due=$(jq -r --arg probe "$1" 'select(.probe == $probe) | "\(.t0_ns) + slot * \(.every_ns)"' "$folder/tracks.jsonl")
	"$lab" psql -Atq -v ON_ERROR_STOP=1 <<-SQL
		create temp table slots (slot bigint, late_ns bigint, took_ns bigint, state text, write text, error text, detail text);
		\copy slots from '$(echo "$folder"/samples/*-"$1".csv)' csv header
		create temp view attempts as select slot as seq, write, $due + late_ns as sent_ns, $due + late_ns + took_ns as done_ns from slots;
		create temp view stored as select seq from $(ledger_table) where writer = '$1';
		create temp view lost as select * from attempts
			where write = 'acknowledged' and not exists (select from stored where stored.seq = attempts.seq);
		$2;
	SQL
}

# How many acknowledged writes of the ledger `writes` are in no row, by SQL alone.
lost_by_sql() { in_ledger writes 'select count(*) from lost'; }

# run_test NAME [COMMAND...]: without a command the name is that of a function.
run_test() {
	local name=$1 from=$SECONDS
	[ $# = 1 ] || shift
	if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $name "* ]]; then
		return
	fi
	if "$@" >"$out/$name.txt" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $name ($((SECONDS - from)) s)"
		grep '^    ' "$out/$name.txt"
	else
		failed=$((failed + 1))
		echo "not ok - $name ($((SECONDS - from)) s)"
		tail -n 40 "$out/$name.txt"
	fi
}

# The last line of a test, and its exit code.
closing_count() {
	echo "$(basename "$0" .sh): $passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
