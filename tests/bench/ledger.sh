#!/bin/bash
# ledger.sh - sourced by bench.sh: parts ledger, verify and rows, the ledger written and read back.
# shellcheck disable=SC2154 # bench.sh sets bin, scratch, repeats and the sizes

# ledger_write FIGURE CONNECTIONS SECONDS BATCH
ledger_write() {
	local acknowledged others took cpu
	sql -c 'truncate firedrill_ledger_bench, pgbench_ledger' -c checkpoint
	read -r _ cpu _ < <("$bin/bench_time" "$scratch/ours" "$bin/bench_ledger" write "$pg_port" "$2" "$3" "$4")
	read -r acknowledged others took <"$scratch/ours"
	[ "$others" = 0 ] || { echo "bench.sh: $others writes were not acknowledged" >&2; exit 1; }
	note "$1.tps.$2" "$(calc "$acknowledged / $took")"
	note "$1.us.$2" "$(calc "$cpu / 1000 / $acknowledged")"
}

# One turn of each: as many connections, as many seconds, a fresh table and a checkpoint.
ledger_turn() {
	local count=$1 seconds=$2 acknowledged cpu tps
	ledger_write ours "$count" "$seconds" 1
	[ "$count" != 32 ] || ledger_write batch "$count" "$seconds" 8
	sql -c 'truncate firedrill_ledger_bench, pgbench_ledger' -c checkpoint
	read -r _ cpu _ < <("$bin/bench_time" "$scratch/theirs" pgbench -h 127.0.0.1 -p "$pg_port" -U postgres -M prepared \
		-c "$count" -j 1 -n -T "$seconds" -f "$scratch/insert.sql" -D payload=abcdefghijklmnopqrstuvwxyzabcdef -D checksum=0123456789abcdef postgres)
	tps=$(sed -n 's/^tps = \([0-9.]*\) .*/\1/p' "$scratch/theirs")
	acknowledged=$(sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "$scratch/theirs")
	note "theirs.tps.$count" "$tps"
	note "theirs.us.$count" "$(calc "$cpu / 1000 / $acknowledged")"
}

part_ledger() {
	local count i goal_tps goal_cpu
	start_pg
	sql -c 'create table pgbench_ledger (like firedrill_ledger_bench including all)'
	cat >"$scratch/insert.sql" <<-'SQL'
		\set seq random(1, 1000000000)
		insert into pgbench_ledger (writer, seq, payload, checksum) values ('writes', :seq, :payload, :checksum);
	SQL
	for ((i = 0; i < repeats; i++)); do
		for count in 1 8 32; do
			ledger_turn "$count" 1
		done
	done
	heading "Durable single-row writes: the probe postgres.write in a closed loop : pgbench -M prepared -j 1"
	for count in 1 8 32; do
		goal_tps=- goal_cpu=-
		[ "$count" = 32 ] && goal_tps='>= 1.0' goal_cpu='<= 1.0'
		row "writes per second, $count at a time" /s "$(median "ours.tps.$count")" "$(median "theirs.tps.$count")" \
			"$(ratio "ours.tps.$count" "theirs.tps.$count")" "$goal_tps"
		row "  client CPU per write" us "$(median "ours.us.$count")" "$(median "theirs.us.$count")" \
			"$(ratio "ours.us.$count" "theirs.us.$count")" "$goal_cpu"
	done
	row "  the same with batch: 8" /s "$(median batch.tps.32)" "$(median theirs.tps.32)" "$(ratio batch.tps.32 theirs.tps.32)" -
	row "  client CPU per write" us "$(median batch.us.32)" "$(median theirs.us.32)" "$(ratio batch.us.32 theirs.us.32)" -
	cat <<-TEXT
		Private PostgreSQL over loopback TCP, fsync and synchronous_commit on, same table and row; 1 s a turn. Ours:
		  a thread for each connection, and it makes payload and checksum; pgbench: one thread, constants. CPU is
		  of the whole client process, start and connecting included. One acknowledged write takes 24 bytes.
		  Half of our CPU is each thread's sleep until its answer comes; pgbench collects many answers with one
		  call. Each row of a batch is a transaction of its own, too; pgbench 15 has no such thing.
	TEXT
}

part_verify() {
	local i ns missing damaged peak grown expected
	start_pg
	sql -c 'truncate firedrill_ledger_bench'
	"$bin/bench_ledger" rows "$rows" | sql -c '\copy firedrill_ledger_bench from stdin'
	sql -c 'delete from firedrill_ledger_bench where seq % 1999 = 7'
	sql -c 'vacuum analyze firedrill_ledger_bench'
	expected=$((rows - $(sql -c 'select count(*) from firedrill_ledger_bench')))
	for ((i = 0; i < repeats; i++)); do
		read -r ns missing damaged peak grown < <("$bin/bench_ledger" read "$pg_port" "$rows")
		[ "$missing $damaged" = "$expected 0" ] || { echo "bench.sh: read back $missing missing, $damaged damaged; $expected are" >&2; exit 1; }
		note read.ms "$(calc "$ns / 1e6")"
		note read.mib "$(calc "$peak / 1024")"
		note grown.mib "$(calc "$grown / 1024")"
		read -r ns missing < <("$bin/bench_ledger" antijoin "$pg_port" "$rows")
		[ "$missing" = "$expected" ] || { echo "bench.sh: the anti-join says $missing missing; $expected are" >&2; exit 1; }
		note join.ms "$(calc "$ns / 1e6")"
	done
	heading "Verifying $rows rows, $expected of them deleted : the server's own anti-join in SQL"
	row 'one read-back, every checksum looked at' ms "$(median read.ms)" "$(median join.ms)" "$(ratio read.ms join.ms)" '<= 0.4'
	row '  peak memory of the process, MiB (goal 16)' MiB "$(median read.mib)" - "$(calc "$(median read.mib) / 16")" '<= 1.0'
	row '  of that, taken by reading back' MiB "$(median grown.mib)" - - -
	cat <<-TEXT
		The goal is for 10 M rows and keys alone; these are $rows. Both found the same $expected. The anti-join finds
		  what is missing; ours also fetches every row, proves it intact and sees duplicates. Its time is mostly
		  the server's own COPY of them.
	TEXT
}

part_rows() {
	local i ns readings cpu after missing anonymous mapped expected=$(((many_rows - 8) / 1999 + 1))
	serve 14 source "$bin/bench_verify" source "$many_rows"
	"$bin/bench_verify" samples "$many_rows" "$scratch/samples"
	for ((i = 0; i < 3; i++)); do
		read -r ns readings cpu after missing anonymous mapped < <("$bin/bench_verify" count "$line" "$many_rows" "$scratch/samples")
		[ "${missing:-none}" = "$expected" ] || { echo "bench.sh: ${missing:-nothing} missing; $expected are" >&2; exit 1; }
		note rows.s "$(calc "$ns / 1e9")"
		note rows.cpu "$(calc "$cpu / 1e9")"
		note rows.after "$(calc "$after / 1e9")"
		note rows.mib "$(calc "$anonymous / 1024")"
		note rows.mapped "$(calc "$mapped / 1024")"
	done
	exec 14>&-
	rm -f "$scratch/samples"
	heading "Verifying $many_rows rows from a scripted source, $expected missing, $readings readings each"
	row 'one reading, every checksum looked at' s "$(median rows.s)" - - -
	row '  CPU of it' s "$(median rows.cpu)" - - -
	row 'then: from the store, classes and RPO' s "$(median rows.after)" - - -
	row 'peak memory, held (goal: 16 MiB)' MiB "$(median rows.mib)" - "$(calc "$(median rows.mib) / 16")" '<= 1.0'
	row '  for 1 M acknowledged writes' MiB "$(calc "$(median rows.mib) * 1000000 / $many_rows")" - - -
	row 'mapped: samples, libraries' MiB "$(median rows.mapped)" - - -
	row '  samples of 1 M acknowledged writes (goal: 24)' MiB "$(calc '24e6 / 1048576')" - "$(calc '24e6 / 1048576 / 24')" '<= 1.0'
	cat <<-TEXT
		The engine's own counting: probe postgres.write, libpq, marks, the store's codec, classes. The source makes the rows
		  by script, on the other core; no database and no disk behind it, so this is our share of the work and not a ratio.
		  Samples are a mapped file, which the kernel may take away; a report of such a run holds them once more.
	TEXT
}
