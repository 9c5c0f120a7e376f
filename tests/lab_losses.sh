#!/bin/bash
# lab_losses.sh - what is really lost: three modes of replication, each under a killed, a powered-off and a cut-off
# primary, and two writable primaries at once. Each time the report's loss must be that of an SQL count, which knows
# the acknowledged writes from the exported samples and the rows from the database, and nothing else.
#
# usage: tests/lab_losses.sh FIREDRILL [TEST...]: async-kill, ..., quorum-partition, two-primaries,
# two-primaries-network-first. Needs root. One line a test, then a table, then a closing count; logs in
# build/test-logs/lab_losses/.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=drill_help.sh
. tests/drill_help.sh
table=$out/table
declare -A by_sql=() meanwhile=()

# ms NS: to a millisecond.
ms() { echo $((($1 + 500000) / 1000000)); }

# moment STEP inject_sent|inject_confirmed|heal_sent: on the clock of the report.
moment() { jq ".deeds[] | select(.step == $1) | .$2.ns" "$report"; }

# judged PROBE FIELD...: of a ledger's count after the heal.
judged() { jq -rc --arg probe "$1" ".ledgers[] | select(.probe == \$probe) | .healed | $2" "$report"; }

# losses_agree PROBE: the report's losses, by number and by name, are those of SQL. Sets by_sql[PROBE].
losses_agree() {
	local found lost
	found=$(in_ledger "$1" "select coalesce(json_agg(seq order by seq), '[]') from lost") || { fail "SQL says nothing"; return; }
	lost=$(jq length <<<"$found")
	by_sql[$1]=$lost
	echo "    $1: acknowledged $(judged "$1" .acknowledged), lost $(judged "$1" .lost), by SQL $lost"
	[ "$(judged "$1" '[.lost, .corrupted, .duplicated, .unexpected]')" = "[$lost,0,0,0]" ] ||
		{ fail "$1: the report says $(judged "$1" '{lost, corrupted, duplicated, unexpected}'), SQL $lost lost"; return; }
	[ "$(judged "$1" .lost_keys)" = "$(jq -c ".[:$(judged "$1" '.lost_keys | length')]" <<<"$found")" ] ||
		fail "$1: the report names other writes as lost than SQL"
}

# acknowledged_within PROBE FROM-NS UNTIL-NS [attempts|lost]
acknowledged_within() {
	in_ledger "$1" "select count(*) from ${4:-attempts} where write = 'acknowledged' and sent_ns > $2 and done_ns < $3"
}

# row REPLICATION FAULT PROBE...: adds a drill's line to the table; of several ledgers each its figure. What losses_agree
# found by SQL is in by_sql, what was acknowledged under the fault in meanwhile, both by probe.
row() {
	local replication=$1 fault=$2 probe rpo='0 s' columns=('' '' '' '')
	shift 2
	for probe; do
		columns[0]+=" + $(judged "$probe" .acknowledged)"
		columns[1]+=" + ${meanwhile[$probe]}"
		columns[2]+=" + $(judged "$probe" .lost)"
		columns[3]+=" + ${by_sql[$probe]}"
		[ "${by_sql[$probe]}" = 0 ] || rpo="$(ms "$(judged "$probe" .rpo.low_ns)") to $(ms "$(judged "$probe" .rpo.high_ns)") ms"
	done
	printf '| %s | %s |' "$replication" "$fault"
	printf ' %s |' "${columns[@]# + }" "$rpo" "$(jq -r '.objectives[] | select(.name == "rpo") | .verdict' "$report")"
	echo
} >>"$table"

# cell MODE FAULT: replicas are held back from the primary (with a quorum one, which may lag, else all), and then it
# is struck.
cell() {
	local mode=$1 fault=$2 expected=0 sync=$1 held='db1, db2, db3' kind with stable=2s before after lost while_held
	case $mode in
	async) sync=off expected=1 ;;
	sync) sync=on ;;
	esac
	case $fault in
	kill) kind=process.kill with='{ name: postgres }' ;;
	power-off) kind=node.power with='{}' ;;
	# It goes on serving us until it steps down: ttl (5 s in the lab) and what it tries meanwhile.
	partition) kind=net.partition with='{ peers: [db1, db2, db3, dcs1] }' stable=10s ;;
	esac
	topology pg-patroni && "$lab" set sync "$sync" && before=$("$lab" leader) || return
	[ "$mode" != quorum ] || held=$(printf '%s\n' db1 db2 db3 | grep -vx "$before" | head -n 1)
	sed -e "s|@PRIMARY@|$before|" -e "s|@HELD@|$held|" -e "s|@FAULT@|$kind|" -e "s|@WITH@|$with|" -e "s|@STABLE@|$stable|" \
		fixtures/drills/held-back.yaml.in >"$out/$mode-$fault.yaml"
	drill "$mode-$fault" "$out/$mode-$fault.yaml" "$expected" || return
	after=$("$lab" leader)
	losses_agree writes || return
	while_held=$(acknowledged_within writes "$(moment 1 inject_confirmed)" "$(moment 2 inject_sent)") || return
	echo "    held back: $held; acknowledged meanwhile: $while_held; leader $before -> $after"
	lost=${by_sql[writes]} meanwhile[writes]=$while_held
	row "$mode" "$fault" writes
	[ "$after" != "$before" ] || { fail "nobody was promoted"; return; }
	case $mode in
	async) { [ "$while_held" -gt 0 ] && [ "$lost" -ge "$while_held" ]; } || { fail "what was acknowledged while they were held back is not lost"; return; } ;;
	sync) { [ "$while_held" = 0 ] && [ "$lost" = 0 ]; } || { fail "a synchronous write did not wait, or was lost"; return; } ;;
	quorum)
		{ [ "$while_held" -gt 0 ] && [ "$lost" = 0 ]; } || { fail "the quorum did not go on, or lost writes"; return; }
		[ "$after" != "$held" ] || { fail "the replica that was held back was promoted"; return; }
		;;
	esac
	# A row that is taken away behind the report's back is noticed, so that it means something when the counts agree.
	sql "delete from $(ledger_table) where seq = 0"
	[ "$(lost_by_sql)" = $((lost + 1)) ] || fail "SQL did not notice that a row is gone"
}

# ---- two writable primaries ----

# A load balancer on the host of etcd: on the other side of the cut than the old primary.
balancer() {
	"$lab" exec dcs1 'cat >/tmp/balancer.cfg && systemd-run -q --unit=balancer haproxy -db -f /tmp/balancer.cfg' <<-CONF || return
		global
			maxconn 500
		defaults
			mode tcp
			timeout connect 1s
			timeout client 30s
			timeout server 30s
			timeout check 500ms
		listen orders
			bind :5433
			option httpchk GET /primary
			http-check expect status 200
			default-server check port 8008 inter 200ms fall 2 rise 1 on-marked-down shutdown-sessions
			server db1 $(host_address db1):5432
			server db2 $(host_address db2):5432
			server db3 $(host_address db3):5432
	CONF
	wait_until 10 sql_at "host=$(host_address dcs1) port=5433" 'select 1'
}

# sql_at CONNINFO SQL: on one server, whichever it is.
sql_at() { "$lab" run psql -XAtqc "$2" "$1 user=postgres dbname=orders connect_timeout=2" 2>/dev/null; }

two_take_writes() {
	local host count=0
	for host in db1 db2 db3; do
		[ "$(sql_at "host=$(host_address "$host")" 'select pg_is_in_recovery()')" != f ] || count=$((count + 1))
	done
	[ "$count" = 2 ]
}

# side PROBE all|none: how much is lost of what it acknowledged from the cut until one of the two had to step down.
side() {
	local count gone
	losses_agree "$1" && count=$(acknowledged_within "$1" "$cut_ns" "$end_ns") &&
		gone=$(acknowledged_within "$1" "$cut_ns" "$end_ns" lost) || return
	echo "    $1: acknowledged $count under the cut, $gone of them are lost"
	meanwhile[$1]=$count
	[ "$count" -gt 0 ] || { fail "$1: nothing was acknowledged meanwhile"; return; }
	case $2 in
	all) [ "$gone" = "$count" ] || fail "$1 lost, and not all of it" ;;
	none) [ "$gone" = 0 ] || fail "$1 won, and lost $gone" ;;
	esac
}

# watch_saw_both FROM-NS UNTIL-NS: the watch for a split brain saw two members take writes then, and for as long.
watch_saw_both() {
	is missed '.objectives[] | select(.name == "split brain") | .verdict' || return
	jq -r '.primaries[0].two_writable | "    the watch: \(.hosts) took writes together for \(.time.low_ns / 1000000 | floor) to \(.time.high_ns / 1000000 | ceil) ms"' \
		"$report"
	jq -e --argjson from "$1" --argjson until "$2" '.primaries[0].two_writable |
		.time.low_ns > 0 and .time.high_ns >= $until - $from and .first.ns < $until and .last.ns > $from' "$report" >/dev/null ||
		fail "the ledgers say otherwise: $(jq -c '.primaries[0].two_writable' "$report")"
}

# two_primaries old|either [ARGS...]: which side loses is Patroni's to say, that it loses everything is not. ARGS are for
# the drill.
two_primaries() {
	local name=two-primaries-$1 who=$1 before after loser=stayed winner=moved cut_ns end_ns from pid status=0
	shift
	topology pg-patroni && balancer && before=$("$lab" leader) || return
	{
		printf '  direct:\n    kind: postgres\n    conninfo: "host=%s user=postgres dbname=orders target_session_attrs=read-write"\n' \
			"$before,$(printf '%s\n' db1 db2 db3 | grep -vx "$before" | paste -sd ,)"
		printf '  balanced:\n    kind: postgres\n    conninfo: "host=dcs1 port=5433 user=postgres dbname=orders"\n'
	} >>"$inventory"
	report=$out/$name/report.json
	drill "$name" fixtures/drills/two-primaries.yaml 1 "$@" &
	pid=$!
	wait_until 60 two_take_writes || status=1
	wait $pid || return
	[ $status = 0 ] || { fail "there never were two servers that take writes"; return; }
	after=$("$lab" leader)
	[ "$after" != "$before" ] || loser=moved winner=stayed
	echo "    leader $before -> $after; \`$loser\` lost"
	[ "$who" = either ] || [ "$loser" = stayed ] || { fail "the old primary took the lead back"; return; }
	# The first thing that one of the two hears of the other is the end of one of the faults.
	cut_ns=$(moment 2 inject_confirmed) end_ns=$(jq '[.deeds[].heal_sent.ns] | min' "$report")
	from=$(in_ledger moved "select min(done_ns) from attempts where write = 'acknowledged' and sent_ns > $cut_ns") || return
	echo "    both acknowledged for $(ms $((end_ns - from))) ms at least"
	[ "$(acknowledged_within stayed "$from" "$end_ns")" -gt 0 ] || { fail "they never acknowledged at the same time"; return; }
	watch_saw_both "$from" "$end_ns" && side "$winner" none && side "$loser" all || return
	row async "two primaries (old + new side)" stayed moved
}

for mode in async sync quorum; do
	for fault in kill power-off partition; do
		run_test $mode-$fault cell $mode $fault
	done
done
run_test two-primaries two_primaries old
# The network is back when its Patroni wakes up: it may take the lead back, and the new side loses.
run_test two-primaries-network-first two_primaries either --var hung_for=16s --var cut_for=11s
if [ -s "$table" ]; then
	echo
	printf '| replication | fault | acknowledged | of these meanwhile | lost, by the report | lost, by SQL | observed RPO | rpo: 0s |\n'
	printf '| --- | --- | --- | --- | --- | --- | --- | --- |\n'
	cat "$table"
	echo
fi
closing_count
