#!/bin/bash
# crash_hooks.sh - the ways in which the world goes wrong in the middle of a run, for crash_matrix.sh, which
# sources it. Called by itself, as a hook of firedrill_points: crash_hooks.sh DEED HOST FOLDER. What is done
# stays until world_mend undoes it. Only hosts of the lab and files of the test are touched.
set -u

. fixtures/lab/lib/common.sh
. fixtures/lab/lib/cgroup.sh
. fixtures/lab/lib/net.sh
. fixtures/lab/lib/host.sh

# on_host HOST LINE: as root in the host, past its network and sshd.
on_host() { on_console "$1" sh -c "$2"; }

# wait_until SECONDS COMMAND...: polls until it succeeds; a bound, not a pace.
wait_until() {
	local end
	end=$(($(uptime_ms) + $1 * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(uptime_ms)" -lt "$end" ] || return 1
		read -rt 0.1 <> <(:) || true
	done
}

# True when the world is broken as asked, or when there is nothing to break: a host that is off, say.
world_break() { # DEED HOST FOLDER
	case $1 in
	store-full) ! dd if=/dev/zero of="$3/state/.crash-filler" bs=4k >/dev/null 2>&1 && return ;;
	stall) read -rt 8 <> <(:) || return 0 ;; # longer than the lease: we stood still
	esac
	if ! on_host "$2" true 2>/dev/null; then
		[ "$1" != session ] || kill -KILL "$PPID" # of our login there nothing is left in any case
		return
	fi
	case $1 in
	cut) ip -n "$CLIENT_NS" link set "v-$2" down ;;
	blip)
		ip -n "$CLIENT_NS" link set "v-$2" down || return
		(read -rt 2 <> <(:); net_plug "$2") </dev/null >/dev/null 2>&1 &
		;;
	cycle) fixtures/lab/lab power "$2" cycle ;;
	target-full)
		# No room for another page where the guard keeps its record, and none on the host's own disk.
		# shellcheck disable=SC2016 # the host's shell expands them
		on_host "$2" 'mount -o remount,size=$(df --output=used -k /run | tail -n 1 | tr -d " ")k /run &&
			{ fallocate -l "$(df --output=avail -B1 / | tail -n 1)" /root/.crash-filler || :; } &&
			! head -c 4097 /dev/zero >/run/.crash-filler'
		;;
	ssh) on_host "$2" 'systemctl restart ssh && { pkill -KILL -f "^sshd: root" || :; }' ;;
	session)
		# All that our login ever started there is killed, and we with it: only a guard outside of it is left.
		on_host "$2" 'systemctl kill -s KILL ssh.service "session-*.scope"; systemctl reset-failed ssh.service; systemctl start ssh' &&
			kill -KILL "$PPID"
		;;
	sudo-asks) on_host "$2" 'mv /etc/sudoers.d/firedrill /root/' ;;
	# Not the file system, which is in use, but the place where it is seen.
	run-ro) on_host "$2" 'mount --bind /run /run && mount -o remount,bind,ro /run && ! touch /run/.crash-try' ;;
	esac
}

world_mend() { # DEED HOST FOLDER
	case $1 in
	cut | blip) net_plug "$2" 2>/dev/null || true ;; # a host that is off has no cable
	target-full) ! on_host "$2" true 2>/dev/null || on_host "$2" 'mount -o remount,size=64m /run; rm -f /root/.crash-filler /run/.crash-filler' ;;
	store-full) rm -f "$3/state/.crash-filler" ;;
	sudo-asks) ! on_host "$2" 'test -e /root/firedrill' || on_host "$2" 'mv /root/firedrill /etc/sudoers.d/' ;;
	run-ro) ! on_host "$2" 'findmnt -no OPTIONS /run | grep -q "^ro"' 2>/dev/null || on_host "$2" 'umount /run || umount -l /run' ;;
	esac
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	cd "$(dirname "$0")/.." || exit 1
	: >"$3/broken" # before a deed that ends whoever asked for it
	world_break "$@" || rm -f "$3/broken"
fi
