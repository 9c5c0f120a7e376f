#!/bin/bash
# ledger_drills.sh - whole drills against stores of this machine: each is killed with SIGKILL while a ledger
# writes, comes back, and the report's count of lost writes must be that of the store's own client.
#
# usage: tests/ledger_drills.sh FIREDRILL [TEST...]. Needs no root. A store that is not installed is skipped
# with its reason. Servers run under names of their own, on loopback, in a folder of their own.
set -u
cd "$(dirname "$0")/.." || exit 1
firedrill=$(realpath "${1:-build/plain/firedrill}")
shift || true
wanted=("$@")
folder=$(mktemp -d /tmp/firedrill-ledgers-XXXXXX)
name=fdl$$ # what the fault kills: nobody else's process has it
passed=0
failed=0
keeper=
export FIREDRILL_STORE=$folder/store.db

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
		read -rt 0.05 <> <(:) || true
	done
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# keep COMMAND...: starts it, and again 300 ms after it died (then with the words in $folder/more, too), until
# keep_end.
keep() {
	rm -f "$folder/more"
	(
		trap 'kill "$server" 2>/dev/null; exit 0' TERM
		while :; do
			# shellcheck disable=SC2046 # words
			"$@" $(cat "$folder/more" 2>/dev/null) >>"$folder/server.log" 2>&1 </dev/null &
			server=$!
			wait "$server" 2>/dev/null
			read -rt 0.3 <> <(:) || true
		done
	) 2>/dev/null &
	keeper=$!
}

keep_end() {
	[ -z "$keeper" ] || { kill "$keeper" && wait "$keeper"; } 2>/dev/null
	keeper=
}

end() {
	keep_end
	rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# drill NAME EXPERIMENT EXIT [ARGS...]: runs it and checks its exit code; the report is $report.
drill() {
	local what=$1 experiment=$2 expected=$3 status=0
	shift 3
	report=$folder/$what/report.json
	"$firedrill" run "$experiment" --yes --out "$folder/$what" --var process="$name" --var keep=true "$@" \
		>"$folder/$what.log" 2>&1 || status=$?
	[ "$status" = "$expected" ] || { cat "$folder/$what.log"; fail "$what: exit $status, expected $expected"; }
}

# losses_are COUNT ROWS: the report's losses are COUNT, which is what it acknowledged less what is there.
losses_are() {
	local lost acknowledged rows=$2
	lost=$(jq '.ledgers[0].healed.lost' "$report")
	acknowledged=$(jq '.ledgers[0].healed.acknowledged' "$report")
	echo "    acknowledged $acknowledged, lost $lost, rows $rows"
	case $1 in
	none) [ "$lost" = 0 ] || fail "lost $lost, expected none" || return 1 ;;
	some) [ "$lost" -gt 0 ] || fail "nothing lost, expected some" || return 1 ;;
	esac
	[ "$(jq '.ledgers[0].healed | .ok + .recovered' "$report")" = "$rows" ] ||
		fail "the store's own client counts $rows rows"
}

# ---- Redis ----

redis_needs=redis-server
redis_keeps() {
	[ -x "$folder/$name" ] || cp "$(command -v redis-server)" "$folder/$name"
	redis_port=$(free_port)
	mkdir -p "$folder/data"
	keep "$folder/$name" --port "$redis_port" --bind 127.0.0.1 --dir "$folder/data" --save '' "$@"
	wait_until 10 redis-cli -p "$redis_port" ping
}

redis_rows() {
	redis-cli -p "$redis_port" --raw eval \
		"return redis.call('llen', redis.call('keys', 'firedrill:ledger:*')[1] or 'none')" 0
}

test_redis_that_syncs_always() {
	redis_keeps --appendonly yes --appendfsync always &&
		drill always experiments/redis-crash.yaml 0 --var redis_port="$redis_port" &&
		losses_are none "$(redis_rows)"
}

# What was acknowledged after the last snapshot is gone.
test_redis_with_snapshots() {
	redis_keeps --appendonly no || return 1
	(
		wait_until 20 sh -c "[ \"\$(redis-cli -p $redis_port eval \"return redis.call('llen', redis.call('keys', 'firedrill:*')[1] or 'none')\" 0)\" -gt 100 ]" &&
			redis-cli -p "$redis_port" save >/dev/null
	) &
	drill snapshots experiments/redis-crash.yaml 1 --var redis_port="$redis_port" &&
		losses_are some "$(redis_rows)"
}

# It comes back, but nobody may read any more: nothing is promised.
test_redis_that_cannot_be_read_back() {
	redis_keeps --appendonly yes || return 1
	sed 's/at_most: 15s/at_most: 2s/' experiments/redis-crash.yaml >"$folder/unread.yaml"
	cp experiments/inventory-redis.yaml "$folder/"
	(wait_until 20 grep -q baseline "$folder/unread.log" && echo "--rename-command LRANGE nothing" >"$folder/more") &
	drill unread "$folder/unread.yaml" 3 --var redis_port="$redis_port" || return 1
	[ "$(jq -r '.objectives[] | select(.name == "rpo") | .verdict' "$report")" = inconclusive ] ||
		fail "the objectives: $(jq -c '.objectives' "$report")"
}

# ---- MariaDB ----

mariadb_needs=mariadbd
mariadb_keeps() {
	[ -x "$folder/$name" ] || cp "$(command -v mariadbd)" "$folder/$name"
	mariadb_port=$(free_port)
	mariadb-install-db --no-defaults --datadir="$folder/data" --skip-test-db --auth-root-authentication-method=normal \
		--user="$(id -un)" >"$folder/install.log" 2>&1 || { tail "$folder/install.log"; return 1; }
	echo "create database if not exists orders; create user if not exists drill@'%' identified by 'open-sesame'; grant all on orders.* to drill@'%';" |
		tr ';' '\n' | sed 's/[^ ]$/&;/' >"$folder/init.sql"
	keep "$folder/$name" --no-defaults --datadir="$folder/data" --port="$mariadb_port" --bind-address=127.0.0.1 \
		--socket="$folder/socket" --skip-name-resolve --innodb-buffer-pool-size=16M --user="$(id -un)" \
		--init-file="$folder/init.sql" "$@"
	wait_until 30 mariadb_ask 'select 1'
}

mariadb_ask() {
	mariadb --no-defaults -h 127.0.0.1 -P "$mariadb_port" -u drill -popen-sesame -N -B orders -e "$1"
}

mariadb_rows() {
	mariadb_ask "select count(distinct seq) from $(mariadb_ask "show tables like 'firedrill_ledger_%'")"
}

mariadb_drill() {
	ORDERS_PASSWORD=open-sesame drill "$@" --var mariadb_port="$mariadb_port"
}

test_mariadb_that_flushes_at_commit() {
	mariadb_keeps --innodb-flush-log-at-trx-commit=1 &&
		mariadb_drill committed experiments/mariadb-crash.yaml 0 &&
		losses_are none "$(mariadb_rows)"
}

# What was committed within the last second is gone.
test_mariadb_that_flushes_every_second() {
	mariadb_keeps --innodb-flush-log-at-trx-commit=0 &&
		mariadb_drill flushed experiments/mariadb-crash.yaml 1 &&
		losses_are some "$(mariadb_rows)"
}

run_test() {
	local test=$1 needs=$2 status=0
	if [ ${#wanted[@]} != 0 ] && [[ " ${wanted[*]} " != *" $test "* ]]; then
		return
	fi
	if ! command -v "$needs" >/dev/null; then
		echo "skipped: $test: $needs is not installed"
		return
	fi
	"$test" || status=1
	keep_end
	rm -rf "$folder/data"
	if [ "$status" = 0 ]; then
		passed=$((passed + 1))
		echo "ok - $test"
	else
		failed=$((failed + 1))
		echo "not ok - $test"
	fi
}

for test in test_redis_that_syncs_always test_redis_with_snapshots test_redis_that_cannot_be_read_back; do
	run_test $test $redis_needs
done
rm -f "$folder/$name"
for test in test_mariadb_that_flushes_at_commit test_mariadb_that_flushes_every_second; do
	run_test $test $mariadb_needs
done
echo "ledger drills: $passed passed, $failed failed"
[ "$failed" = 0 ]
