#!/bin/bash
# lab_drills.sh - whole drills on real hosts: every ending that a run can have, judged by somebody else too
# (SQL counts, Patroni's own history, the hosts themselves).
#
# usage: tests/lab_drills.sh FIREDRILL [TEST...]. Needs root. One line a test, the logs in
# build/test-logs/lab_drills/, and a closing count. The lab goes down on every way out.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=drill_help.sh
. tests/drill_help.sh

# What the ledger's own table says, counted by SQL alone, against the report's count "after the heal".
compare_ledger_with_sql() {
	local table present missing never
	table=$(ledger_table)
	[ -n "$table" ] || { fail "the ledger's table is gone"; return; }
	present=$(sql "select count(distinct seq) from $table")
	missing=$(sql "select count(*) from generate_series(0, (select max(seq) from $table)) s where not exists (select 1 from $table where seq = s)")
	# Slots in which nothing could be sent: their numbers are in no table and in no class.
	never=$(jq '.probes[0].slot_count - .ledgers[0].healed.attempted' "$report")
	echo "    SQL: $present rows present, $missing sequence numbers missing below the highest; $never were never sent"
	is "$present" '.ledgers[0].healed | .ok + .recovered + .corrupted' || return
	# Above the highest row nothing is present: what is missing there was lost, absent or never sent as well.
	jq -e --argjson missing "$missing" --argjson never "$never" \
		'.ledgers[0].healed | $missing <= .lost + .absent + $never' "$report" >/dev/null ||
		{ fail "SQL misses $missing, the report: $(jq -c '.ledgers[0].healed | {lost, absent}' "$report")"; return; }
	# Every key that the report names as lost is really absent.
	local keys
	keys=$(jq -r '.ledgers[0].healed.lost_keys | join(",")' "$report")
	[ -z "$keys" ] || [ "$(sql "select count(*) from $table where seq in ($keys)")" = 0 ] ||
		fail "keys named as lost are present"
}

# ---- the database ----

on_replica() { "$lab" run psql -XAtqd "host=$(host_address "$replica") user=postgres dbname=orders connect_timeout=5" -c "$1"; }

# replay STOP|CONT: of the replica. Not pg_wal_replay_pause(): Patroni resumes that within a second (the reader saw it).
replay() { "$lab" exec "$replica" pkill "-$1" -f '[s]tartup recovering'; }

# run_ns WALL-NS: the moment on the run's clock, give or take 2 ms. The lab's hosts share this machine's clock.
run_ns() { echo $(($1 - $(date -d "$(jq -r .run.started.iso "$report")" +%s%N) + $(jq .run.started.ns "$report"))); }

# A replica's replay stands still for two seconds; what it shows meanwhile is known by SQL on that replica.
stale_reads_agree_with_sql() {
	local replica waiter table shown paused resuming resumed oldest sure reads rows low
	topology pg-patroni || return
	replica=db1
	[ "$("$lab" leader)" != db1 ] || replica=db2
	drill stale fixtures/drills/stale-reads.yaml 1 --var replica="$replica" &
	waiter=$!
	report=$out/stale/report.json
	wait_until 90 grep -q -- '-- baseline --' "$out/stale.log" || { fail "no baseline: $(tail -3 "$out/stale.log")"; return; }
	table=$(sql "select relname from pg_class where relname like 'firedrill_ledger_2%' and relkind = 'r'")
	replay STOP || { fail "$replica has no process that replays"; return; }
	paused=$(date +%s%N)
	shown=$(on_replica "select string_agg(seq::text, ',') from $table where writer = 'writes'")
	read -rt 2 <> <(:) || true
	resuming=$(date +%s%N)
	replay CONT
	resumed=$(date +%s%N)
	wait $waiter || return
	paused=$(($(run_ns "$paused") + 2000000))
	resuming=$(($(run_ns "$resuming") - 2000000))
	resumed=$(($(run_ns "$resumed") + 500000000)) # it replays what has come together
	oldest=$(in_ledger writes "select min(done_ns) from attempts where write = 'acknowledged' and seq not in ($shown)")
	# Reads of that time, of which each that began after the oldest acknowledgement must be stale.
	sure="from attempts join slots on slot = seq where state = 'good' and sent_ns > $paused and done_ns < $resuming and sent_ns > $oldest"
	reads=$(in_ledger replica "select count(*) $sure")
	low=$(in_ledger replica "select max(sent_ns) - $oldest $sure")
	rows=$(in_ledger writes "select count(*) from attempts where write = 'acknowledged' and seq not in ($shown) and done_ns < $oldest + $low")
	echo "    by SQL on $replica: $reads reads must be stale, $rows rows missing, for $((low / 1000000)) ms at least"
	echo "    reported: $(jq -c '.readers[0] | {stale_read_count, stale_row_count, staleness}' "$report")"
	if [ "$reads" -le 20 ] || [ "$rows" -le 50 ]; then
		fail "the replica did not stand still for long enough"
		return
	fi
	# Ordinary replication lag may make other reads stale by some milliseconds: never fewer than SQL knows of.
	is true ".readers[0] | .stale_read_count >= $reads and .stale_row_count >= $rows" || return
	is true ".readers[0].staleness | .low_ns >= $low and .low_ns <= $resumed - $oldest and .high_ns >= .low_ns" || return
	is 0 '.readers[1].stale_read_count' && is 0 '.readers[1].non_monotonic_read_count' || return
	is '[0,0,3]' '.primaries[0] | [.two_writable.time.low_ns, .silent_ns, .host_count]' || return
	is '["missed","missed","met"]' '[.objectives[].verdict]'
}

failover_agrees_with_patroni() {
	local before after timeline
	topology pg-patroni && "$lab" set sync on || return
	before=$("$lab" leader)
	sed 's/timeout: 1s }/timeout: 1s, keep: true }/' experiments/db-failover.yaml >"$out/failover.yaml"
	sed -i '0,/keep: true/!s/, keep: true//' "$out/failover.yaml"
	sed -i '/^inventory:/d' "$out/failover.yaml"
	sed -i 's/^probes:/&\n  locks: { kind: log.event, on: orders-db, every: 250ms, timeout: 2s, unit: patroni, matches: promoted self to leader, says: leader lock taken }/' \
		"$out/failover.yaml"
	drill failover "$out/failover.yaml" 0 || return
	is met '.outcome.verdict' && is 0 '.ledgers[0].healed.lost' || return
	is span '.service_rto.kind' || return
	compare_ledger_with_sql || return
	after=$("$lab" leader)
	timeline=$("$lab" psql -Atqc 'select timeline_id from pg_control_checkpoint()')
	echo "    leader $before -> $after, timeline $timeline"
	# Patroni's own history: the moment of the new timeline lies inside what we call the outage.
	local promoted sent high
	promoted=$("$lab" run curl -sf "http://$(host_address "$after"):8008/history" | jq -r '.[-1][3]')
	sent=$(jq -r '.fault.sent.iso' "$report")
	high=$(jq -r '.service_rto.high_ns' "$report")
	case $promoted in "" | null) fail "Patroni has no history of a failover"; return ;; esac
	local promoted_ms sent_ms
	promoted_ms=$(date -d "$promoted" +%s%3N)
	sent_ms=$(date -d "$sent" +%s%3N)
	echo "    Patroni promoted $((promoted_ms - sent_ms)) ms after the fault; we saw recovery by $((high / 1000000)) ms"
	if [ "$promoted_ms" -lt "$sent_ms" ] || [ $((promoted_ms - sent_ms)) -gt $((high / 1000000 + 2000)) ]; then
		fail "the history does not fit the span"
		return
	fi
	phases_agree_with_patroni "$after"
}

# after_fault_us WALL-TIME: microseconds after the fault was sent. The lab's hosts share this machine's clock, so
# what they date can be compared as it is; the run had to measure that.
after_fault_us() { echo $((($(date -d "$1" +%s%N) - $(date -d "$(jq -r '.fault.sent.iso' "$report")" +%s%N)) / 1000)); }

# phases_agree_with_patroni LEADER: the phases of the report against what Patroni and PostgreSQL logged themselves.
phases_agree_with_patroni() {
	local leader=$1 event="Patroni promoted $1" low high at logged
	is 1 "[.named_events[] | select(.what == \"$event\" and .is_placed)] | length" || return
	is 1 "[.named_events[] | select(.what == \"$leader became primary\" and .is_placed)] | length" || return
	jq -e --arg part "until $event" 'any(.probes[].rto_parts[]; .name == $part)' "$report" >/dev/null ||
		{ fail "no part of the RTO is called \"until $event\""; return; }
	low=$(jq ".named_events[] | select(.what == \"$event\") | .low.after_fault_ns / 1000 | floor" "$report")
	high=$(jq ".named_events[] | select(.what == \"$event\") | .high.after_fault_ns / 1000 | ceil" "$report")
	# The file itself, on the leader's own disk; iso is cut to the millisecond.
	# shellcheck disable=SC2016 # the leader's own shell finds its newest file
	at=$("$lab" exec "$leader" sh -c 'stat -c %y "$(ls -t /data/*/pg_wal/*.history | head -1)"' | tr -d '\r')
	at=$(after_fault_us "$at")
	echo "    phase \"$event\": $low to $high us after the fault; the history file is dated $at us"
	{ [ "$low" -le $((at + 1000)) ] && [ "$high" -ge $((at - 1000)) ]; } || { fail "the file's date is not in the phase's span"; return; }
	[ $((high - low)) -le 500000 ] || { fail "the span is wider than half a second"; return; }
	# Patroni's own log: it took the lock before that moment, and PostgreSQL was told to promote.
	logged=$("$lab" exec "$leader" journalctl -q -u patroni -o short-unix --no-pager |
		sed -n 's/^\([0-9.]*\) .*promoted self to leader.*/\1/p' | tail -1)
	[ -n "$logged" ] || { fail "Patroni's log says nothing of a promotion on $leader"; return; }
	at=$(after_fault_us "@$logged")
	echo "    Patroni logged \"promoted self to leader\" $at us after the fault"
	[ "$at" -le $((high + 1000)) ] || { fail "Patroni's log has the promotion after the phase"; return; }
	# The same line, followed by a probe of ours: its bound holds journald's own stamp.
	low=$(jq ".named_events[] | select(.what == \"$leader: leader lock taken\") | .low.after_fault_ns / 1000 | floor" "$report" | tail -1)
	high=$(jq ".named_events[] | select(.what == \"$leader: leader lock taken\") | .high.after_fault_ns / 1000 | ceil" "$report" | tail -1)
	[ -n "$low" ] || { fail "the followed log has no such event"; return; }
	echo "    followed in its log: $low to $high us"
	{ [ "$low" -le $((at + 1000)) ] && [ "$high" -ge $((at - 1000)) ]; } || fail "journald's stamp is not in the bound"
}

async_loss_equals_sql() {
	local lost
	topology pg-patroni || return
	drill async-loss experiments/db-replicas-held-back.yaml 1 --var keep=true || return
	is missed '.outcome.verdict' || return
	lost=$(jq '.ledgers[0].healed.lost' "$report")
	[ "$lost" -gt 0 ] || { fail "nothing was lost"; return; }
	echo "    lost $lost, by SQL $(lost_by_sql)"
	[ "$lost" = "$(lost_by_sql)" ] || { fail "the counts differ"; return; }
	compare_ledger_with_sql && bound_stands_beside_loss "$lost"
}

# bound_stands_beside_loss LOST: what Patroni's settings allow, what the primary last said, and where the cluster's
# history really forked.
bound_stands_beside_loss() {
	local lost=$1 leader fork had lacked bound
	leader=$("$lab" leader)
	is '["Patroni",1048576,5000000000,false]' \
		'.loss_bounds[0] | [.manager, .maximum_lag_bytes, .ttl_ns, .is_synchronous]' || return
	bound=$(jq '.loss_bounds[0].bound_bytes' "$report")
	lacked=$(jq ".lags[0].replicas[] | select(.name == \"$leader\") | .last_words.flush_bytes" "$report")
	had=$(jq ".lags[0].replicas[] | select(.name == \"$leader\") | .last_words | .wal_bytes - .flush_bytes" "$report")
	fork=$("$lab" run curl -sf "http://$(host_address "$leader"):8008/history" | jq '.[-1][1]')
	echo "    may lose $bound B; $leader last lacked $lacked B and had $had, and the history forked at $fork"
	{ [ "$lacked" -gt 0 ] && [ "$bound" -gt 1048576 ] && [ "$lacked" -lt "$bound" ]; } ||
		{ fail "the lag does not fit the bound"; return; }
	# Cut off, the replica got nothing more; only what it had and had not yet reported can be beyond.
	{ [ "$fork" -ge "$had" ] && [ $((fork - had)) -le 65536 ]; } ||
		{ fail "the replica's position is not where the history forked"; return; }
	tr -s '\n ' ' ' <"$out/async-loss/report.txt" |
		grep -q "may lose up to .* of WAL: 1 MiB (maximum_lag_on_failover).* Observed: $lost acknowledged writes lost" ||
		fail "report.txt has no bound beside the loss"
}

sync_loses_nothing() {
	topology pg-patroni && "$lab" set sync on || return
	drill sync-no-loss experiments/db-replicas-held-back.yaml 0 --var keep=true || return
	is met '.outcome.verdict' && is 0 '.ledgers[0].healed.lost' || return
	[ "$(lost_by_sql)" = 0 ] || { fail "SQL finds a loss"; return; }
	is '[true,0]' '.loss_bounds[0] | [.is_synchronous, .bound_bytes]' && compare_ledger_with_sql
}

hang_and_wake_is_counted_twice() {
	local first second
	topology pg-patroni || return
	drill hang experiments/db-hang.yaml 1 --var keep=true || return
	first=$(jq '.ledgers[0].stable.lost' "$report")
	second=$(jq '.ledgers[0].healed.lost' "$report")
	echo "    lost when stable: $first; after the old primary woke up: $second, by SQL $(lost_by_sql)"
	if [ "$second" = 0 ] || [ "$second" != "$(lost_by_sql)" ]; then
		fail "the second count is wrong"
		return
	fi
	is healed '.ledgers[0].judged_by' && compare_ledger_with_sql
}

hung_disk_never_recovers() {
	topology pg-patroni || return
	drill disk-hang experiments/db-disk-hang.yaml 1 || return
	is never_recovered '.service_rto.kind'
}

fault_without_effect_is_no_outage() {
	topology pg-patroni || return
	drill no-effect fixtures/drills/no-effect.yaml 0 || return
	is no_outage '.service_rto.kind' && is confirmed '.deeds[0].confirmation'
}

# ---- other endings ----

# Hosts with a web server each, made once: each test shows that it has left its own as they were. Only after one that
# failed they are made anew.
web_hosts() {
	if [ "$failed" != "${failed_before:-}" ]; then
		topology crash || return
		failed_before=$failed
	fi
	inventory=$out/crash.yaml
}

no_steady_state_harms_nothing() {
	web_hosts || return
	drill not-steady fixtures/drills/not-steady.yaml 5 --var host=c1 --var address="$(host_address c1)" || return
	is 0 '.deeds | length'
}

stop_condition_heals() {
	web_hosts || return
	drill stopped fixtures/drills/stopped.yaml 6 --var host=c1 --var address="$(host_address c1)" || return
	is true '.outcome.stop_to_heal_ns | . > 0 and . < 5000000000' || return
	is 'state as before' '.deeds[0].read_back' && nothing_left c1
}

# No stopped process, no table, no record, no guard of ours on the host.
nothing_left() {
	local said
	said=$("$lab" exec "$1" 'ls -A /run/firedrill 2>/dev/null; nft list tables; ps -eo stat=,comm= | grep "^T"; ls -A /data | grep firedrill; true')
	[ -z "$said" ] || fail "left on $1: $said"
}

# at_once: a command on each line of the standard input, all at the same time: each on a host of its own. They wait
# more than they work.
at_once() {
	local said words waiters=() i status=0
	said=$(mktemp -d "$out/at-once-XXXXXX")
	while read -ra words; do
		"${words[@]}" >"$said/${#waiters[@]}" 2>&1 </dev/null &
		waiters+=($!)
	done
	for i in "${!waiters[@]}"; do
		wait "${waiters[i]}" || status=1
		cat "$said/$i"
	done
	return $status
}

# pid_of NAME: of the firedrill that writes its reports to this folder.
pid_of() {
	pgrep -f -- "--out $out/$1" | while read -r p; do [ "$(readlink "/proc/$p/exe")" = "$firedrill" ] && echo "$p"; done | head -1
}

# interrupt_in HOST PHASE [PATTERN]: Ctrl-C as soon as the run says that this phase begins, or says PATTERN.
interrupt_in() {
	local host=$1 phase=$2 pattern=${*:3} name=interrupt-$2 pid status=0
	local log=$out/$name.log
	"$lab" run setsid "$firedrill" run fixtures/drills/interrupted.yaml --inventory "$inventory" --yes --out "$out/$name" \
		--var host="$host" --var address="$(host_address "$host")" >"$log" 2>&1 &
	local waiter=$!
	wait_until 60 grep -q -- "${pattern:--- $phase --}" "$log" || { fail "the run never came to $phase"; return; }
	pid=$(pid_of "$name")
	[ -n "$pid" ] || { fail "$phase: there is nobody to interrupt"; return; }
	kill -INT "$pid"
	wait $waiter || status=$?
	report=$out/$name/report.json
	[ "$status" = 6 ] || { fail "interrupted in $phase: exit $status"; return; }
	# Before the method nothing may have been harmed.
	case $phase in
	gate | baseline) is 0 '.deeds | length' || return ;;
	esac
	echo "    interrupted in $phase: exit 6"
	nothing_left "$host"
}

ctrl_c_in_every_phase_heals() {
	web_hosts || return
	at_once <<-COMMANDS
		interrupt_in c1 gate
		interrupt_in c2 baseline
		interrupt_in c3 inject
		interrupt_in c4 observe
		interrupt_in c5 heal
		interrupt_in c6 settle
		interrupt_in calm while-a-fault-is-on confirmed *calm: nginx
	COMMANDS
}

# Faults that end our life: kill -9 while the fault is on.
one_fault() { # NAME HOST FAULT WITH
	sed -e "s|@HOST@|$2|" -e "s|@ADDRESS@|$(host_address "$2")|" -e "s|@FAULT@|$3|" -e "s|@WITH@|$4|" \
		fixtures/drills/one-fault.yaml.in >"$out/$1.yaml"
}

# What a fault can change. After the guard its record may stay, marked as healed, until `heal` has seen it.
state_of() { # HOST
	"$lab" exec "$1" 'nft -s list ruleset; systemctl is-active nginx; ls -A /data; ps -eo stat=,comm= | grep "^T"; echo > /data/.try && rm /data/.try && df --output=used /data; true'
}

records_of() { "$lab" exec "$1" 'ls -A /run/firedrill 2>/dev/null; pgrep -P 1 -x "sh|sleep"; true'; }

# start_and_kill NAME: runs the experiment until its fault is confirmed, then kill -9.
start_and_kill() {
	local name=$1 log=$out/$1.log pid
	: >"$log" # that of a run before it says "confirmed" already
	"$lab" run "$firedrill" run "$out/$name.yaml" --inventory "$inventory" --yes --out "$out/$name" >"$log" 2>&1 &
	local waiter=$!
	wait_until 60 grep -q ' confirmed ' "$log" || { fail "$name: never confirmed: $(tail -3 "$log")"; return; }
	pid=$(pid_of "$name")
	[ -n "$pid" ] || { fail "$name: there is nobody to kill"; return; }
	kill -9 "$pid"
	wait $waiter 2>/dev/null
	return 0
}

is_as_before() { [ "$(timeout 10 "$lab" exec "$1" true >/dev/null 2>&1 && state_of "$1" 2>&1)" = "$before" ]; } # HOST

killed_and_healed() { # HOST NAME FAULT WITH
	local host=$1 name=$2 fault=$3 with=${*:4} before
	# One of its own: the others' `heal` would heal what this one leaves to its guard.
	export FIREDRILL_STORE=$out/$name.db
	before=$(state_of "$host")
	one_fault "$name" "$host" "$fault" "$with"
	# By itself, when the lease ends...
	start_and_kill "$name" || return
	wait_until 60 is_as_before "$host" || { fail "$name: not healed by its guard: $(diff <(echo "$before") <(state_of "$host" 2>&1))"; return; }
	"$lab" run "$firedrill" heal >>"$out/$name.log" 2>&1 || { fail "$name: heal after the guard: $(tail -2 "$out/$name.log")"; return; }
	# ... and at once by `heal`, which has nothing to do the second time.
	start_and_kill "$name" || return
	"$lab" run "$firedrill" heal >>"$out/$name.log" 2>&1 || { fail "$name: heal: $(tail -2 "$out/$name.log")"; return; }
	is_as_before "$host" || { fail "$name: heal left: $(diff <(echo "$before") <(state_of "$host" 2>&1))"; return; }
	[ -z "$(records_of "$host")" ] || { fail "$name: heal left $(records_of "$host")"; return; }
	[ "$("$lab" run "$firedrill" heal)" = "nothing to heal" ] || { fail "$name: the second heal did something"; return; }
	echo "    $fault: healed by its guard, and at once by heal"
}

kill_9_is_healed() {
	web_hosts || return
	at_once <<-COMMANDS
		killed_and_healed c1 k-pause process.pause { name: nginx }
		killed_and_healed c2 k-partition net.partition { peers: [calm] }
		killed_and_healed c3 k-fill disk.fill { path: /data, leave: 2MiB }
		killed_and_healed c4 k-freeze disk.freeze { path: /data }
		killed_and_healed c5 k-stop service.stop { unit: nginx.service }
		killed_and_healed c6 k-power node.power {}
	COMMANDS
}

# ---- a host that is not what it seemed ----

# The guard finds its tools where the login does, also where nobody else would look.
guard_finds_what_the_login_finds() { # HOST
	local host=$1 healed=yes before
	before=$(state_of "$host")
	# shellcheck disable=SC2016 # the host's shell expands it
	"$lab" exec "$host" 'mkdir -p /opt/odd && mv /usr/sbin/fsfreeze /opt/odd/ && sed -i "1i PATH=\$PATH:/opt/odd" /root/.bashrc'
	export FIREDRILL_STORE=$out/odd-path.db
	one_fault odd-path "$host" disk.freeze '{ path: /data }'
	start_and_kill odd-path && wait_until 30 is_as_before "$host" || healed=no
	"$lab" run "$firedrill" heal >>"$out/odd-path.log" 2>&1
	"$lab" exec "$host" 'mv /opt/odd/fsfreeze /usr/sbin/ && sed -i 1d /root/.bashrc && rmdir /opt/odd'
	[ "$healed" = yes ] || { fail "not healed by its guard: $(tail -3 "$out/odd-path.log")"; return; }
	nothing_left "$host"
}

move_address() { # ADDRESS FROM TO
	"$lab" exec "$2" "ip address del $1/32 dev eth0"
	"$lab" exec "$3" "ip address add $1/32 dev eth0"
	"$lab" run ip neighbour flush to "$1"
}

# A virtual address moves to another machine while the fault is on. What answers there was never harmed, and
# that is not taken for a heal.
moved_address_is_no_heal() { # HOST OTHER
	local host=$1 other=$2 address=198.18.77.39 log=$out/moved.log status=0 before
	before=$(state_of "$host")
	export FIREDRILL_STORE=$out/moved.db
	sed -n "s/^[^ ]* ssh/$address ssh/p" /var/lib/fdlab/known_hosts >"$out/moved.known"
	sed -e "s|$host: { address: [^,]*|$host: { address: $address|" -e "s|known_hosts: [^,]*|known_hosts: moved.known|" "$inventory" >"$out/moved-inventory.yaml"
	one_fault moved "$host" disk.freeze '{ path: /data }'
	sed -i 's/^    with:/    for: 4s\n&/; s/^lease:.*/settle: { at_most: 3s }\nlease: 8s/' "$out/moved.yaml"
	"$lab" exec "$host" "ip address add $address/32 dev eth0"
	"$lab" run "$firedrill" run "$out/moved.yaml" --inventory "$out/moved-inventory.yaml" --yes --out "$out/moved" >"$log" 2>&1 &
	local waiter=$!
	wait_until 60 grep -q ' confirmed ' "$log" || { fail "never confirmed: $(tail -3 "$log")"; return; }
	move_address "$address" "$host" "$other"
	wait_until 60 grep -qE ' leftover | state as before ' "$log" || fail "nothing was read back: $(tail -3 "$log")"
	move_address "$address" "$other" "$host"
	kill -INT "$(pid_of moved)"
	wait $waiter || status=$?
	[ "$status" = 4 ] || { fail "exit $status: $(tail -3 "$log")"; return; }
	grep -qE "leftover .*machine: $host .*now: .*machine: $other " "$log" || { fail "$(grep leftover "$log")"; return; }
	wait_until 30 is_as_before "$host" || { fail "not healed by its guard"; return; }
	"$lab" run "$firedrill" heal >>"$log" 2>&1 || { fail "heal: $(tail -2 "$log")"; return; }
	nothing_left "$host"
}

a_host_is_not_what_it_seemed() {
	web_hosts || return
	at_once <<-COMMANDS
		guard_finds_what_the_login_finds c1
		moved_address_is_no_heal c2 c3
	COMMANDS
}

run_test failover_agrees_with_patroni
run_test stale_reads_agree_with_sql
run_test async_loss_equals_sql
run_test sync_loses_nothing
run_test hang_and_wake_is_counted_twice
run_test hung_disk_never_recovers
run_test fault_without_effect_is_no_outage
run_test no_steady_state_harms_nothing
run_test stop_condition_heals
run_test ctrl_c_in_every_phase_heals
run_test kill_9_is_healed
run_test a_host_is_not_what_it_seemed
closing_count
