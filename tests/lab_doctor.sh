#!/bin/bash
# lab_doctor.sh - `firedrill doctor` on real hosts: where everything works, where something is missing, and
# where a guard cannot live.
#
# usage: tests/lab_doctor.sh FIREDRILL. Needs root. One line a test and a closing count. The lab goes down on
# every way out.
set -u
cd "$(dirname "$0")/.." || exit 1
firedrill=$(realpath "$1")
lab=fixtures/lab/lab
folder=$(mktemp -d)
passed=0
failed=0

end() {
	"$lab" down >/dev/null 2>&1
	rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# says EXIT PATTERN ARGUMENT...: doctor with these ends so, and a line of its output matches.
says() {
	local expected=$1 pattern=$2 status=0 output
	shift 2
	output=$("$lab" run "$firedrill" doctor --inventory "$inventory" "$@" 2>&1 </dev/null) || status=$?
	if [ "$status" = "$expected" ] && grep -qE -- "$pattern" <<<"$output"; then
		passed=$((passed + 1))
		echo "ok - exit $status, /$pattern/: doctor $*"
	else
		failed=$((failed + 1))
		echo "not ok - exit $status (expected $expected), wanted /$pattern/: doctor $*"
		head -20 <<<"$output" | sed 's/^/    /'
	fi
}

# nothing_left HOST: no record, no guard, no unit of ours.
nothing_left() {
	local said
	# shellcheck disable=SC2016 # the host's shell expands them
	said=$("$lab" exec "$1" 'ls -A /run/firedrill /run/user/*/firedrill 2>/dev/null; pgrep -fl "[f]iredrill-guard"
		systemctl list-units --all --no-legend "firedrill*"; nft list tables')
	if [ -z "$said" ]; then
		passed=$((passed + 1))
		echo "ok - nothing is left on $1"
	else
		failed=$((failed + 1))
		echo "not ok - left on $1: $said"
	fi
}

"$lab" up solo || exit 1
inventory=$folder/inventory.yaml
"$lab" inventory --out "$inventory"

says 0 '^2 of 2 hosts can be drilled'
says 0 'guard  *yes  *fired by itself' app1 --fault net.partition --fault disk.freeze --fault service.stop --fault node.power
nothing_left app1

# A tool is missing: the fault is named, and it counts when it is asked for. Without flock there is no guard.
"$lab" exec app2 'mv /usr/sbin/nft /usr/sbin/nft.away'
says 0 'net.partition  *no  *nft is not installed there; install nftables' app2
says 1 '^0 of 1 hosts' app2 --fault net.partition
"$lab" exec app2 'mv /usr/sbin/nft.away /usr/sbin/nft; mv /usr/bin/flock /usr/bin/flock.away'
says 1 'guard  *no  *.*flock is not installed there.*install util-linux' app2
"$lab" exec app2 'mv /usr/bin/flock.away /usr/bin/flock'

# No room for the record, then a host that is off.
"$lab" exec app2 'mount --bind /run /run && mount -o remount,bind,ro /run'
says 1 'guard  *no  *.*/run' app2
"$lab" exec app2 'umount -l /run'
"$lab" power app2 off
says 1 'guard  *no  *cannot be reached' app2
says 1 '^1 of 2 hosts can be drilled'
"$lab" power app2 on
says 0 '^1 of 1 hosts' app2

# An ordinary user has a guard, and is told that the faults want root; where logind ends what a session leaves
# behind before a lease can be over, it has none.
"$lab" exec app2 'useradd -m -s /bin/sh -p "*" ops && install -d -o ops -m 700 /home/ops/.ssh &&
	install -o ops -m 600 /root/.ssh/authorized_keys /home/ops/.ssh/authorized_keys'
sed 's/user: root/user: ops/' "$inventory" >"$folder/ops.yaml"
inventory=$folder/ops.yaml
says 0 'guard  *yes  *fired by itself' app2
says 1 'disk.fill  *no  *ops is not root there' app2 --fault disk.fill
# The lab's hosts have no sessions of logind; the module is of the same Debian here as there.
module=$(find /usr/lib -path '*/security/pam_systemd.so' | head -n 1)
if [ -n "$module" ]; then
	base64 "$module" | "$lab" exec app2 "base64 -d >'$module'"
	"$lab" exec app2 'sed -i "s/^UsePAM no/UsePAM yes/" /etc/ssh/sshd_config.d/*.conf && echo "session required pam_systemd.so" >>/etc/pam.d/sshd
		systemctl restart ssh'
	says 0 'guard  *yes' app2
	"$lab" exec app2 'mkdir -p /etc/systemd/logind.conf.d && printf "[Login]\nKillUserProcesses=yes\n" >/etc/systemd/logind.conf.d/kill.conf
		systemctl restart systemd-logind'
	says 1 'guard  *no  *.*logind ends what a session of ops leaves behind 10 s after it \(KillUserProcesses=yes\)' app2
else
	echo "skipped: sessions of logind: libpam-systemd is not installed on this machine"
fi
nothing_left app2

echo "lab_doctor: $passed passed, $failed failed"
[ "$failed" = 0 ]
