#!/bin/bash
# lab_selftest.sh - does the lab do what the tests that stand on it believe? Needs root.
#
# Each test prints one line; the last line is the count. Takes any running lab down first, and
# always leaves the machine without one. Nothing here waits for a fixed time: conditions are polled.
set -u
here=$(cd "$(dirname "$0")" && pwd)
lab=$here/../fixtures/lab/lab
log=$(mktemp)
passed=0
failed=0
client_pid=

# shellcheck disable=SC2329 # called by the trap
finish() {
	local status=$?
	[ -z "$client_pid" ] || kill "$client_pid" 2>/dev/null
	"$lab" down 2>>"$log" || status=1
	[ "$status" = 0 ] || sed "s/^/    /" "$log"
	rm -f "$log"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# check TEXT COMMAND... - one test: it passes when the command succeeds.
check() {
	local text=$1
	shift
	if "$@" >>"$log" 2>&1; then
		passed=$((passed + 1))
		printf 'ok %s - %s\n' "$((passed + failed))" "$text"
	else
		failed=$((failed + 1))
		printf 'not ok %s - %s\n' "$((passed + failed))" "$text"
	fi
}

uptime_ms() {
	local up
	read -r up _ </proc/uptime
	up=${up/./}
	echo $((10#$up * 10))
}

# within SECONDS COMMAND... - the command succeeds before the time is over.
within() {
	local end
	end=$(($(uptime_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(uptime_ms)" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# for_all_of SECONDS COMMAND... - the command succeeds all the time.
for_all_of() {
	local end
	end=$(($(uptime_ms) + $1 * 1000))
	shift
	while [ "$(uptime_ms)" -lt "$end" ]; do
		"$@" || return 1
		sleep 0.1
	done
}

no_leftovers() {
	"$lab" leftovers
}

names_itself() {
	[ "$("$lab" exec app1 hostname)" = app1 ] && [ "$("$lab" exec app2 hostname)" = app2 ]
}

argv_survives() {
	# shellcheck disable=SC2016 # it must arrive unexpanded
	[ "$("$lab" exec app1 printf '%s|' 'two words' "it's" '$HOME')" = "two words|it's|\$HOME|" ]
}

up_again_keeps_hosts() {
	local before
	before=$(boot_id app1)
	"$lab" up solo && [ -n "$before" ] && [ "$(boot_id app1)" = "$before" ]
}

boot_id() {
	"$lab" exec "$1" cat /proc/sys/kernel/random/boot_id
}

# A way out would time out or connect; no way out is refused by the host's own routing table.
no_way_out() { # COMMAND-PREFIX...
	local said
	said=$("$@" curl -sS -m 5 http://1.1.1.1/ 2>&1) && return 1
	echo "$said"
	"$@" ip route get 1.1.1.1 2>&1 | grep -i 'unreachable'
}

no_lab_interface_here() {
	! ip -o link | grep -E 'v-app|br0.*fd:00|02:fd:00'
}

disk_is_its_own() {
	"$lab" exec app1 'dd if=/dev/zero of=/data/fill bs=1M 2>&1; df --output=avail / | tail -n 1' | grep 'No space left' &&
		"$lab" exec app2 'touch /data/writable'
}

client_state() {
	"$lab" run ss -Htn state all dst 198.18.77.31 dport = :9000
}

client_is_established() {
	client_state | grep -q '^ESTAB'
}

connect_client() {
	"$lab" exec app1 'systemd-run -q --unit=listener nc -l -k -p 9000'
	within 10 "$lab" run bash -c 'exec 3<>/dev/tcp/198.18.77.31/9000' || return 1
	"$lab" run bash -c 'exec 3<>/dev/tcp/198.18.77.31/9000; read -r -u 3 line' &
	client_pid=$!
	within 10 client_is_established
}

cut_power_silently() {
	connect_client && "$lab" power app1 off && [ "$("$lab" power app1 status)" = off ] &&
		for_all_of 2 client_is_established && kill -0 "$client_pid"
}

# Booted from inside the client's network, as firedrill does it, and yet seen from outside.
power_on_makes_a_new_boot() {
	local before=$1
	"$lab" run "$lab" power app1 on && [ "$("$lab" power app1 status)" = on ] &&
		[ -n "$(boot_id app1)" ] && [ "$(boot_id app1)" != "$before" ] &&
		mountpoint -q "${FDLAB_DIR:-/var/lib/fdlab}/app1/m/data"
}

reset_cleans() {
	"$lab" reset && ! "$lab" exec app1 'test -e /data/fill' && "$lab" run curl -sf http://198.18.77.31/health
}

inventory_names_hosts() {
	"$lab" inventory --out "$log.inventory" && grep -c 'address: 198.18.77.3' "$log.inventory" | grep -qx 2
	local code=$?
	rm -f "$log.inventory"
	return "$code"
}

next_topology_replaces() {
	"$lab" up web && [ "$("$lab" exec lb1 hostname)" = lb1 ] && ! ip netns list | grep app &&
		"$lab" run curl -sf http://198.18.77.24/health | grep '"status":"healthy"'
}

# up_killed_after MS NEXT... - kill -9 in mid-start, then the next command must cope.
up_killed_after() {
	local pid end
	end=$(($(uptime_ms) + $1))
	"$lab" up solo &
	pid=$!
	while [ "$(uptime_ms)" -lt "$end" ]; do sleep 0.01; done
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	shift
	"$@"
}

killed_up_then_down() {
	local ms
	for ms in 30 120 250 400; do
		if ! { up_killed_after "$ms" "$lab" down && no_leftovers; }; then
			echo "killed after $ms ms: something is left"
			return 1
		fi
	done
}

killed_up_then_up() {
	up_killed_after 200 "$lab" up solo && names_itself
}

refuses_nonsense() {
	"$lab" up no-such-topology
	[ $? = 2 ] || return 1
	"$lab" frobnicate
	[ $? = 2 ]
}

[ "$(id -u)" = 0 ] || { echo "lab_selftest: needs root; run it with sudo." >&2; exit 2; }
"$lab" base >>"$log" 2>&1 || { cat "$log"; exit 1; }
"$lab" down 2>>"$log"

check "a wrong command or topology is exit 2" refuses_nonsense
check "solo comes up" "$lab" up solo
check "a command runs in the host it was sent to" names_itself
check "arguments arrive as they were given" argv_survives
check "up on a running lab keeps its hosts" up_again_keeps_hosts
check "the inventory lists the hosts" inventory_names_hosts
check "a host has no way out" no_way_out "$lab" exec app1
check "the client network has no way out" no_way_out "$lab" run
check "the machine's own network sees no interface of the lab" no_lab_interface_here
check "a full disk of one host is its own" disk_is_its_own
boot_before=$(boot_id app1)
check "a power cut sends no FIN and no RST" cut_power_silently
check "power on from the client's network is a new boot, seen outside" power_on_makes_a_new_boot "$boot_before"
check "reset brings back clean disks and a service that answers" reset_cleans
check "another topology takes the first one's place" next_topology_replaces
check "down leaves nothing" "$lab" down
check "leftovers finds nothing" no_leftovers
check "up killed at any moment, then down, leaves nothing" killed_up_then_down
check "up killed, then up again, gives working hosts" killed_up_then_up
check "the last down leaves nothing" "$lab" down
check "leftovers finds nothing at the end" no_leftovers

printf 'lab_selftest: %s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
