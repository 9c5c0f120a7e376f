#!/bin/bash
# crash_matrix.sh - every fault on real hosts, and at every point of its run (tests/points.h): our death, a
# step that fails, or a world that goes wrong just then. Afterwards the host must be as it was: by itself
# within the lease, at once by `firedrill heal`, and a second heal must find nothing to do.
#
# usage: tests/crash_matrix.sh BUILD [--sample N] [--seed S] [--only PATTERN] [--seconds N] [--resume]
#   BUILD      the folder with firedrill and firedrill_points
#   --sample   so many of the rows, chosen by the seed, which is printed; the default is all of them
#   --only     rows that match the extended pattern, such as '^disk.fill guard'
#   --seconds  begin no row when the first began so long ago
#   --resume   keep the rows that an earlier call has passed
#
# A row is FAULT DEED POINT. The deeds: `guard` and `heal` kill firedrill there and then wait, or heal from
# another process; `fail` makes that step fail; the others are hooks below, things that happen to the
# host, to the way there, or to this machine's store and clock. Needs root and the lab; takes it down on
# every way out. The rows, one a line, stay in build/test-logs/crash/results.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/crash_hooks.sh

usage() {
	sed -n '6,12s/^# //p' "$0" >&2
	exit 2
}

[ $# -ge 1 ] || usage
build=$(realpath "$1")
shift
sample='' seed='' only=. seconds=86400 resume=no
while [ $# -gt 0 ]; do
	case $1 in
	--sample) sample=${2:?} && shift ;;
	--seed) seed=${2:?} && shift ;;
	--seconds) seconds=${2:?} && shift ;;
	--only) only=${2:?} && shift ;;
	--resume) resume=yes ;;
	*) usage ;;
	esac
	shift
done

# The same rows as long as nothing is changed, others with each change.
[ -n "$seed" ] || seed=$((16#$(git rev-parse HEAD 2>/dev/null | head -c 7 | grep . || echo 1)))

lab=$PWD/fixtures/lab/lab
out=$PWD/build/test-logs/crash
results=$out/results
workers=()
begun=$SECONDS
rows_begun=$begun
lease_s=5
late_s=4 # a guard looks three times a second, seconds are whole, and this machine is busy

end() {
	local status=$? place
	trap - EXIT INT HUP TERM
	[ ${#workers[@]} = 0 ] || kill "${workers[@]}" 2>/dev/null
	wait
	"$lab" down >/dev/null 2>&1
	for place in "$out"/*/state; do
		! mountpoint -q "$place" || umount -l "$place"
	done
	exit "$status"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# ---- what is done to whom ----

# FAULT, whom it hits, and its parameters.
faults() {
	cat <<-'END'
		process.kill HOST { name: systemd-journald }
		process.pause HOST { name: nginx }
		service.stop HOST { unit: nginx.service }
		net.partition HOST { peers: [calm] }
		disk.fill HOST { path: /data, leave: 2MiB }
		disk.freeze HOST { path: /data }
		node.power HOST {}
		postgres.switchover {service:paper-HOST} {}
	END
}

# These leave nothing on, so there is nothing for a guard to do.
has_heal() { case $1 in process.kill | postgres.switchover) return 1 ;; esac; }

# The deeds that are no death of ours, and where: what happens at other points is one of these by then.
world_deeds=(blip cut cycle target-full store-full step-ahead step-back stall ssh session run-ro sudo-asks)
world_points=('record put#1 after' 'arm#1 after' 'inject#1 after' 'append confirmed#1 after' 'heal#1 after')

experiment() { # FAULT HOST FOLDER
	local stable on with
	read -r _ on with < <(faults | grep "^$1 ")
	on=${on/HOST/$2}
	# A point of a renewal needs a run that lasts until then.
	for stable in 300ms 1900ms; do
		cat >"$3/drill-$stable.yaml" <<-END
			title: One fault, walked through quickly
			service: quiet
			objectives: { rto: 10s }
			probes:
			  quiet: { kind: http.get, on: quiet, every: 50ms, timeout: 500ms }
			steady_state: { good_for: 120ms, within: 20s }
			baseline: 0s
			method:
			  - fault: $1
			    on: ${on/:/: }
			    with: $with
			observe: { stable_for: $stable, at_most: 20s }
			settle: { at_most: 15s }
			lease: ${lease_s}s
		END
	done
}

# ---- one row ----

# What a fault may change on the host. Freezing is asked for by freezing, as the kernel has no other question.
state_of() { # HOST
	# shellcheck disable=SC2016 # the host's shell expands them
	on_host "$1" 'nft -s list ruleset; systemctl is-active nginx systemd-journald ssh; ls -A /data
		ps -eo stat=,comm= | grep "^T"; df --output=used /data | tail -n 1; findmnt -no OPTIONS /run | cut -d, -f1
		if fsfreeze -f /data; then fsfreeze -u /data; fi; tc qdisc show dev eth0' 2>&1
}

# What firedrill itself keeps: records and guards, there and, of this run, here.
records_of() { # HOST RUN-ID
	on_host "$1" 'ls -A /run/firedrill 2>/dev/null; pgrep -fl "[f]iredrill-(guard|holder)"
		systemctl list-units --all --no-legend "firedrill*"' 2>&1
	[ -z "$2" ] || ls -d "/run/firedrill/$2" 2>/dev/null
	[ -z "$2" ] || pgrep -fl "[f]iredrill-guard /run/firedrill/$2/"
}

is_unharmed() { [ "$(state_of "$host")" = "$before" ]; }
is_untouched() { is_unharmed && [ -z "$(records_of "$host" "$run_id")" ]; }

say_no() {
	printf '%s: %s' "$row" "$*" | tr '\n' ' '
	echo
	return 1
}

difference() {
	diff <(printf '%s\n' "$before") <(state_of "$host"; records_of "$host" "$run_id") | grep '^[<>]' | head -n 6
}

fire() { in_client_ns env FIREDRILL_STORE="$place/state/store.db" timeout 120 "$@"; }

# run_to POINT DEED: the drill with one thing going wrong; sets $status and $run_id.
run_to() {
	local stable=300ms
	[[ $1 != *renew* ]] || stable=1900ms
	status=0
	FIREDRILL_POINT=$1 FIREDRILL_POINT_DEED=$2 FIREDRILL_POINT_DELAY=$((RANDOM % 30 + 1)) \
		FIREDRILL_POINTS_LIST=$place/points fire "$build/firedrill_points" run \
		"$place/drill-$stable.yaml" --inventory "$inventory" --yes --out "$place/report" >"$place/run.log" 2>&1 ||
		status=$?
	run_id=$(sed -n 's/^run \([^ ]*\) .*/\1/p' "$place/run.log" | head -n 1)
	grep -qxF -- "$1" "$place/points" || say_no "the point was not reached (exit $status): $(tail -n 2 "$place/run.log")"
}

# Heals from another process, compares, and heals once more.
heal_and_compare() {
	local said
	said=$(fire "$build/firedrill" heal 2>&1) || { say_no "heal: exit $?: $(tail -n 3 <<<"$said")"; return; }
	# What brings back a killed process, or boots a host, is not ours, and takes its time.
	wait_until 8 is_untouched || { say_no "after the heal: $(difference)"; return; }
	[ "$(fire "$build/firedrill" heal 2>&1)" = "nothing to heal" ] || say_no "the second heal did something"
}

# A host that is off has to boot, and the lab switches one at a time.
self_healed_within_s() { echo $((lease_s + late_s + $([ "$fault" = node.power ] && echo 10 || echo 0))); }

row_kill() { # guard|heal
	local from=0 side=${point##* }
	run_to "$point" kill || return
	case $side:$status in
	*:137 | during:142) ;;
	*) say_no "it did not die there: exit $status"; return ;;
	esac
	from=$(uptime_ms)
	if [ "$1" = guard ]; then
		wait_until "$(self_healed_within_s)" is_unharmed || { say_no "not healed by itself: $(difference)"; return; }
		took_ms=$(($(uptime_ms) - from))
	fi
	heal_and_compare || return
	[ "$1" = guard ] || took_ms=$(($(uptime_ms) - from))
}

# 0 leftovers, or exit 4 naming them.
check_ending() {
	case $status in
	4) grep -qE "$fault .*$host|$host.*$fault|leftover|unhealed" "$place/run.log" || say_no "exit 4 without a name: $(tail -n 3 "$place/run.log")" ;;
	[0-7]) wait_until 8 is_untouched || say_no "exit $status, and left: $(difference)" ;;
	*) say_no "exit $status: $(tail -n 3 "$place/run.log")" ;;
	esac
}

row_fail() {
	run_to "$point" fail || return
	check_ending && heal_and_compare
}

row_world() { # DEED
	local deed=hook inventory=$inventory
	case $1 in
	step-*) deed=step ;;
	sudo-asks) inventory=$out/inventory-sudo.yaml ;;
	esac
	case $1 in step-ahead) export FIREDRILL_POINT_STEP=7200 ;; step-back) export FIREDRILL_POINT_STEP=-7200 ;; esac
	export FIREDRILL_POINT_HOOK="exec '$PWD/tests/crash_hooks.sh' '$1' '$host' '$place'"
	rm -f "$place/broken"
	run_to "$point" "$deed"
	local reached=$?
	unset FIREDRILL_POINT_HOOK FIREDRILL_POINT_STEP
	world_mend "$1" "$host" "$place" || { say_no "$1 could not be mended"; return; }
	[ "$reached" = 0 ] || return
	[ "$deed" = step ] || [ -e "$place/broken" ] || { say_no "the world did not break: $(tail -n 2 "$place/run.log")"; return; }
	[ "$1" != session ] || [ "$status" = 137 ] || { say_no "it did not die there: exit $status"; return; }
	# A service that writes to /run cannot be started without it: its guard goes on trying, ever more slowly.
	[ "$1:$status" = run-ro:4 ] || wait_until $((lease_s + late_s + 6)) is_unharmed ||
		{ say_no "not healed (exit $status): $(difference)"; return; }
	case $status in 4 | 137) ;; *) check_ending || return ;; esac
	heal_and_compare
}

# The host as rows expect it, whatever the row before did.
prepare() {
	run_id=''
	rm -rf "$place/state/"* "$place/report"
	took_ms=0
	is_untouched || { "$lab" power "$host" cycle >/dev/null 2>&1 && wait_until 20 is_untouched; } ||
		say_no "the host cannot be made ready: $(difference)"
}

do_row() { # FAULT DEED POINT
	local fault=$1 deed=$2 point=$3
	if [ "$fault" != "$prepared" ]; then
		experiment "$fault" "$host" "$place"
		prepared=$fault
	fi
	prepare || return
	case $deed in
	guard | heal) row_kill "$deed" ;;
	fail) row_fail ;;
	*) row_world "$deed" ;;
	esac
}

# ---- all rows ----

# The points that two undisturbed runs both passed: what comes by chance is no row.
list_points() { # FAULT
	local fault=$1 round
	experiment "$fault" "$host" "$place"
	for round in 1 2; do
		run_to 'run end#1 after' pass || return
		[ "$status" = 0 ] || { say_no "an undisturbed run of $fault: exit $status: $(tail -n 3 "$place/run.log")"; return; }
		awk '!seen[$0]++' "$place/points" >"$place/points.$round"
	done
	# How often was asked until it was so, or said "I live", is chance; who renews is a run that lasts longer.
	grep -Fxf "$place/points.2" "$place/points.1" | grep -vE '^(confirm#([2-9]|..)|read back#([3-9]|..)|beat#([2-9]|..)|renew)'
	! has_heal "$fault" || printf 'renew#1 %s\n' before during after
}

rows_of() { # FAULT POINTS
	local fault=$1 points=$2 point deed
	while read -r point; do
		printf '%s heal %s\n' "$fault" "$point"
		[[ $point == *during ]] || printf '%s fail %s\n' "$fault" "$point"
	done <"$points"
	has_heal "$fault" || return 0
	# Between the guard and the end of the heal there is something for a guard to do.
	sed -n '/^arm#1 before/,/^heal#1 after/p; /^renew/p' "$points" | sed "s/^/$fault guard /"
	for deed in "${world_deeds[@]}"; do
		# The power commands are run here, by us.
		[ "$fault $deed" != "node.power sudo-asks" ] || continue
		for point in "${world_points[@]}"; do
			! grep -qxF -- "$point" "$points" || printf '%s %s %s\n' "$fault" "$deed" "$point"
		done
	done
}

next_row() {
	[ $((SECONDS - rows_begun)) -lt "$seconds" ] || return
	(
		flock 9
		local number
		read -r number <"$out/next"
		echo $((number + 1)) >"$out/next"
		sed -n "${number}p" "$out/rows"
	) 9>>"$out/lock"
}

# The user of inventory-sudo.yaml and its rights, as docs/least-privilege.md says; only for rows that ask for it.
grant_sudo() { # HOST
	grep -q '^[^ ]* sudo-asks ' "$out/rows" || return 0
	on_host "$1" 'id drill || { useradd -m -s /bin/sh -p "*" drill && cp -r /root/.ssh /home/drill/ && chown -R drill /home/drill/.ssh; }' >/dev/null 2>&1 &&
		"$build/firedrill" sudoers "$1" --inventory "$out/inventory-sudo.yaml" --helper |
		"$lab" exec "$1" install -D -m 755 -o root -g root /dev/stdin /usr/local/libexec/firedrill-helper &&
		"$build/firedrill" sudoers "$1" --inventory "$out/inventory-sudo.yaml" |
		"$lab" exec "$1" install -m 440 -o root -g root /dev/stdin /etc/sudoers.d/firedrill
}

worker() { # HOST
	local host=$1 place=$out/$1 before row prepared='' run_id='' took_ms status=-
	mkdir -p "$place/state"
	mountpoint -q "$place/state" || mount -t tmpfs -o size=8m,mode=700 firedrill-crash "$place/state" || return
	grant_sudo "$host" || return
	before=$(state_of "$host")
	while row=$(next_row) && [ -n "$row" ]; do
		# shellcheck disable=SC2086 # a fault, a deed, and the rest
		set -- $row
		if [ "$2" = list ]; then
			if list_points "$1" >"$place/said"; then mv "$place/said" "$out/points.$1"; else cat "$place/said"; fi
			continue
		fi
		# A background shell shows what it says only when it failed.
		if do_row "$1" "$2" "${row#"$1 $2 "}" >"$place/said" 2>&1; then
			printf 'ok %s %s %s\n' "$took_ms" "$status" "$row" >>"$results"
		else
			printf 'failed 0 %s %s\n' "$status" "$row" >>"$results"
			printf 'FAILED %s\n' "$(cat "$place/said")"
			cp "$place/run.log" "$out/failed-$(grep -c ^failed "$results").log" 2>/dev/null
			fire "$build/firedrill" heal >/dev/null 2>&1 # nothing of it may meet the next row
		fi
	done
}

work() { # takes the rows in $out/rows, one host each
	local host
	echo 1 >"$out/next"
	workers=()
	for host in "${hosts[@]}"; do
		worker "$host" &
		workers+=($!)
	done
	wait "${workers[@]}"
	workers=()
}

# ---- the table ----

tally() { # FAULT DEED...: "passed/all", and the longest time to heal
	awk -v fault="$1" -v deeds=" ${*:2} " '
		$4 == fault && index(deeds, " " $5 " ") { all++; passed += $1 == "ok"; if ($2 > longest) longest = $2 }
		END { if (!all) print "-"; else printf "%d/%d%s\n", passed, all, longest ? sprintf(" %.1f s", longest / 1000) : "" }' "$results"
}

table() {
	local fault line='%-20s %6s  %-16s %-16s %-10s %s\n'
	# shellcheck disable=SC2059 # the format is a constant of ours
	printf "$line" fault points 'killed: guard' 'killed: heal' 'step fails' 'world goes wrong'
	while read -r fault _; do
		# shellcheck disable=SC2059
		printf "$line" "$fault" "$(wc -l <"$out/points.$fault")" "$(tally "$fault" guard)" "$(tally "$fault" heal)" \
			"$(tally "$fault" fail)" "$(tally "$fault" "${world_deeds[@]}")"
	done < <(faults)
}

mkdir -p "$out"
[ "$resume" = yes ] || rm -f "$results" "$out"/points.*
touch "$results"
sed -i '/^failed/d' "$results"
"$lab" up crash || exit 1
inventory=$out/inventory.yaml
"$lab" inventory --out "$inventory"
sed 's/user: root/user: drill, sudo: true/' "$inventory" >"$out/inventory-sudo.yaml"
mapfile -t hosts < <(sed -n 's/^  \(c[0-9]\): .*/\1/p' "$out/inventory.yaml")
faults | sed 's/ .*/ list/' | while read -r fault _; do [ -s "$out/points.$fault" ] || echo "$fault list"; done >"$out/rows"
work
while read -r fault _; do
	[ -s "$out/points.$fault" ] || { echo "the points of $fault could not be listed"; exit 1; }
done < <(faults)
while read -r fault _; do
	rows_of "$fault" "$out/points.$fault"
done < <(faults) | grep -E -- "$only" >"$out/all"
echo "seed $seed, ${sample:-all} of $(wc -l <"$out/all") rows"
# In no order, so that not all hosts wait for the same thing at once.
awk -v seed="$seed" 'BEGIN { srand(seed) } { print rand() "\t" $0 }' "$out/all" | sort -n | cut -f 2- |
	head -n "${sample:--0}" >"$out/rows"
grep -vxFf <(sed -n 's/^ok [0-9]* [0-9]* //p' "$results") "$out/rows" >"$out/rows.new"
mv "$out/rows.new" "$out/rows"
rows_begun=$SECONDS
work
table
passed=$(grep -c '^ok ' "$results")
failed=$(grep -c '^failed ' "$results")
echo "named leftovers (exit 4), all healed afterwards: $(grep -c '^ok [0-9]* 4 ' "$results")"
echo "crash_matrix: ${#hosts[@]} hosts, $((SECONDS - begun)) s, longest time to heal $(awk '$2 > l { l = $2 } END { printf "%.1f s", l / 1000 }' "$results")"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
