#!/bin/bash
# lab_sudo.sh - drills as an ordinary user, who may do nothing as root but call the helper: faults, their heal by
# command and by lease, all that must be refused, and a sudo that begins to ask for a password in the middle.
#
# usage: tests/lab_sudo.sh BUILD, the folder with firedrill and firedrill_points. Needs root. One line a test and a
# closing count. The lab goes down on every way out.
# shellcheck disable=SC2016 # backquotes in messages are meant as they stand
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=crash_hooks.sh
. tests/crash_hooks.sh
build=$(realpath "$1")
firedrill=$build/firedrill
lab=$PWD/fixtures/lab/lab
folder=$(mktemp -d)
helper=/usr/local/libexec/firedrill-helper
rules=/etc/sudoers.d/firedrill
passed=0
failed=0

end() {
	"$lab" down >/dev/null 2>&1
	rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

ok() {
	passed=$((passed + 1))
	echo "ok - $1"
}

not_ok() { # WHAT WHY
	failed=$((failed + 1))
	printf 'not ok - %s\n%s\n' "$1" "$(head -n 12 <<<"$2" | sed 's/^/    /')"
}

# ends EXIT PATTERN WHAT COMMAND...: it ends so, and a line of what it says matches.
ends() {
	local expected=$1 pattern=$2 what=$3 status=0 said
	shift 3
	said=$("$@" 2>&1 </dev/null) || status=$?
	if [ "$status" = "$expected" ] && grep -qE -- "$pattern" <<<"$said"; then
		ok "$what"
	else
		not_ok "$what" "exit $status (expected $expected), wanted /$pattern/: $said"
	fi
}

# same WHAT BEFORE AFTER
same() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "$(diff <(echo "$2") <(echo "$3"))"; fi
}

fire() { # NAME COMMAND...: with a store of its own
	local name=$1
	shift
	in_client_ns env FIREDRILL_STORE="$folder/$name/store.db" timeout 120 "$@"
}

run() { # NAME [OPTION...]: the drill of this name
	local name=$1
	shift
	fire "$name" "$firedrill" run "$folder/$name.yaml" --yes --out "$folder/$name/report" "$@"
}

# What the faults may change, and what firedrill keeps there.
state_of() { # HOST
	# shellcheck disable=SC2016 # the host's shell expands them
	on_host "$1" 'nft -s list ruleset; systemctl is-active nginx systemd-logind ssh; ls -A /data
		ps -eo stat=,comm= | grep "^T"; df --output=used /data | tail -n 1
		ls -A /run/firedrill 2>/dev/null; pgrep -fl "[f]iredrill-(guard|holder)"
		systemctl list-units --all --no-legend "firedrill*"' 2>&1
}

is_unharmed() { # HOST BEFORE: whatever records there are
	[ "$(state_of "$1" | grep -vE '^[0-9]{8}-[0-9]{6}-')" = "$2" ]
}

install_rights() { # HOST [EXPERIMENT...]: as docs/least-privilege.md says
	local host=$1
	"$firedrill" sudoers "$@" --inventory "$folder/inventory.yaml" --helper |
		"$lab" exec "$host" install -D -m 755 -o root -g root /dev/stdin "$helper" &&
		"$firedrill" sudoers "$@" --inventory "$folder/inventory.yaml" |
		"$lab" exec "$host" install -m 440 -o root -g root /dev/stdin "$rules"
}

drill() { # NAME LEASE METHOD-LINE...
	cat >"$folder/$1.yaml" <<-END
		title: $1
		inventory: inventory.yaml
		objectives: { availability: 1% }
		probes:
		  steady: { kind: ssh.command, on: here, every: 50ms, timeout: 500ms, run: ["true"] }
		steady_state: { good_for: 120ms, within: 20s }
		baseline: 0s
		method:
		$(printf -- '  - { %s }\n' "${@:3}")
		observe: { stable_for: 300ms, at_most: 20s }
		settle: { at_most: 15s }
		lease: $2
	END
}

"$lab" up solo || exit 1
cat >"$folder/inventory.yaml" <<END
hosts:
  here: { local: true }
$(for host in app1:31 app2:32; do
	printf '  %s: { address: 198.18.77.%s, user: drill, sudo: true, key: "%s/id", known_hosts: "%s/known_hosts" }\n' \
		"${host%:*}" "${host#*:}" "$LAB_DIR" "$LAB_DIR"
done)
policy:
  allow:
    - { faults: ["process.*", "disk.*", "net.partition", "service.stop"] }
END
on() { printf 'fault: %s, on: %s, with: { %s }' "$2" "$1" "$3"; }
drill all 5s "$(on app1 process.pause 'name: nginx')" "$(on app1 disk.fill 'path: /data, leave: 2MiB')" \
	"$(on app1 net.partition '')" "$(on app1 service.stop 'unit: systemd-logind.service')"
drill asked 5s "$(on app2 disk.fill 'path: /data, leave: 2MiB')" "$(on app2 net.partition 'peers: [app1]')"
sed -i 's/stable_for: 300ms/stable_for: 2500ms/' "$folder/asked.yaml" # until a lease would be renewed
drill kill 5s "$(on app1 process.kill 'name: systemd-journald')"
drill freeze 5s "$(on app1 disk.freeze 'path: /data')"
for host in app1 app2; do
	on_host "$host" 'useradd -m -s /bin/sh -p "*" drill && install -d -o drill -m 700 /home/drill/.ssh &&
		install -o drill -m 600 /root/.ssh/authorized_keys /home/drill/.ssh/authorized_keys'
done
before=$(state_of app1)
before_asked=$(state_of app2)

# ---- before anything is installed, then with each piece wrong: never harmed, and told what to do ----

ends 5 'app1: sudo does not run .* \(sudo: .*password.*`firedrill sudoers app1`' 'without rights a run is not started' run all
ends 1 'guard  *no .*sudo does not run .*`firedrill sudoers app1`' 'doctor says so' \
	fire doctor "$firedrill" doctor app1 --inventory "$folder/inventory.yaml"
"$firedrill" sudoers app1 --inventory "$folder/inventory.yaml" >"$folder/fragment"
ends 0 'parsed OK' 'visudo takes the fragment' on_host app1 "visudo -cf - <<'END'
$(cat "$folder/fragment")
END"
install_rights app1
install_rights app2 "$folder/asked.yaml"
on_host app1 "mv $helper $helper.away"
ends 5 'sudo does not run .*not found.*`firedrill sudoers app1`' 'without its helper a run is not started' run all
on_host app1 "sed 's/^host=app1 catalogue=./&0/' $helper.away >$helper; chmod 755 $helper"
ends 5 'this is not the helper of the firedrill that calls it' 'the helper of another firedrill refuses' run all
on_host app1 "mv $helper.away $helper; chmod 775 $helper"
ends 5 'nobody else may write to it' 'a helper that others can write refuses' run all
on_host app1 "chmod 755 $helper; sed -i 's/, env_keep.*//' $rules"
ends 5 'sudo does not let SSH_CONNECTION through' 'without our line known nothing begins' run all
install_rights app1 "$folder/kill.yaml"
ends 5 'made without process.pause for app1' 'a fault that was not granted is not begun' run all
install_rights app1
same 'nothing of that touched the host' "$before" "$(state_of app1)"

# ---- sudo begins to ask in the middle; meanwhile the others ----

FIREDRILL_POINT='append confirmed#2 after' FIREDRILL_POINT_DEED=hook \
	FIREDRILL_POINT_HOOK="exec '$PWD/tests/crash_hooks.sh' sudo-asks app2 '$folder'" \
	fire asked "$build/firedrill_points" run "$folder/asked.yaml" --yes --out "$folder/asked/report" \
	>"$folder/asked.log" 2>&1 &
asked=$!

# ---- what works ----

ends 0 '^1 of 1 hosts can be drilled' 'the guard outlives a session of that user' \
	fire doctor "$firedrill" doctor app1 --inventory "$folder/inventory.yaml" --fault disk.freeze
run all >"$folder/all.log" 2>&1
same 'four faults at once: exit 0' 0 $?
same 'each is confirmed and healed' 4/4 \
	"$(grep -cE '^ *[0-9.]+ s  confirmed' "$folder/all.log")/$(grep -cE '^ *[0-9.]+ s  state as before' "$folder/all.log")"
ends 0 '' 'process.kill' run kill
ends 0 '' 'disk.freeze' run freeze
wait_until 10 is_unharmed app1 "$before"
same 'the host is as it was' "$before" "$(state_of app1)"
FIREDRILL_POINT='append confirmed#4 after' FIREDRILL_POINT_DEED=kill \
	fire all "$build/firedrill_points" run "$folder/all.yaml" --yes --out "$folder/all/report" >"$folder/killed.log" 2>&1
same 'killed with four faults on' 137 $?
wait_until 12 is_unharmed app1 "$before"
ends 0 '' 'the host heals itself' is_unharmed app1 "$before"
ends 0 '^4 healed, nothing left behind' 'heal takes the records away' fire all "$firedrill" heal
same 'the host is as it was before it all' "$before" "$(state_of app1)"

# ---- what is refused, to that user, by a real sudo ----

as_drill() { on_host app1 "runuser -u drill -- $1"; }
ends 1 'password' 'sudo sh -c id' as_drill 'sudo -n sh -c id'
ends 1 'password' 'sudo sh on the helper' as_drill "sudo -n sh $helper"
ends 1 'password' 'sudo -u another' as_drill "sudo -n -u nobody $helper"
ends 1 'not allowed' 'sudo with a variable of the environment' as_drill "sudo -n PATH=/tmp $helper x"
# What a record was armed for it is for, and folders that others made are not taken.
catalogue=$(sed -n 's/^host=app1 catalogue=//p' <("$firedrill" sudoers app1 --helper --inventory "$folder/inventory.yaml"))
ask() { as_drill "env SSH_CONNECTION='198.18.77.254 1 198.18.77.31 22' sudo -n $helper $catalogue ssh $1"; }
dir=/run/firedrill/mine/1
ends 0 '' 'a guard is armed by hand' ask "guard/arm $dir 60 guard/guard guard/fire service.stop/undo $dir nginx"
ends 0 '^active$' 'it is a service of its own' on_host app1 'systemctl is-active firedrill-mine-1'
ends 10 'of another fault' 'its record is not for another unit' ask "guard/inject $dir guard/begin service.stop/inject $dir ssh"
ends 10 'of another fault' 'nor for another fault' ask "guard/heal $dir guard/end disk.fill/undo $dir /data 1"
ends 10 'of another fault' 'nor for one without a guard' ask "process.kill/heal $dir nginx KILL main"
ends 10 'inside of another' 'nor is there harm without a guard' ask "service.stop/inject $dir nginx"
ends 0 '' 'it is for its own' ask "guard/heal $dir guard/end service.stop/undo $dir nginx"
on_host app1 'mkdir -p /home/drill/own && chown drill /home/drill/own && ln -s /home/drill/own /run/firedrill'
ends 10 'not a folder of root alone' 'a link in the way' ask "process.kill/inject $dir nginx KILL main"
on_host app1 'rm /run/firedrill; mkdir -p /run/firedrill/mine && chown drill /run/firedrill/mine'
ends 10 'not a folder of root alone' 'a folder of that user in the way' ask "process.kill/inject $dir nginx KILL main"
# shellcheck disable=SC2016
on_host app1 'rm -rf /run/firedrill; i=0; while [ $((i += 1)) -le 256 ]; do mkdir -p /run/firedrill/full/$i; done'
ends 10 'there are 256 records' 'guards without end' ask "guard/arm $dir 60 guard/guard guard/fire service.stop/undo $dir nginx"
on_host app1 'rm -rf /run/firedrill'
on_host app1 'stat -c %u /data >/root/owner; chown drill /data; ln -s /root/planted /data/.firedrill-mine-1'
fill="disk.fill/undo $dir /data 1048576"
as_arranged=$(on_host app1 'ls -lA /data')
ends 0 '' 'a guard for a disk whose top is that user'"'"'s' ask "guard/arm $dir 60 guard/guard guard/fire $fill"
ends 1 'mine-1 cannot be made' 'a link where the space would be' \
	ask "guard/inject $dir guard/begin disk.fill/inject $dir /data 1048576 disk.fill/holder"
ends 0 '' 'it is healed' ask "guard/heal $dir guard/end $fill"
same 'neither the link nor its end was touched' "$as_arranged" "$(on_host app1 'ls -lA /data; ls /root/planted 2>/dev/null')"
on_host app1 'rm /data/.firedrill-mine-1; chown "$(cat /root/owner)" /data; rm /root/owner'
"$lab" exec app1 'cat >/tmp/hostile.sh' <tests/hostile_words.sh
ends 0 '^[0-9]+ calls, 0 went through, no mark' 'hostile words in every place' as_drill "sh /tmp/hostile.sh $helper $catalogue"
same 'the host is as it was after all attacks' "$before" "$(state_of app1)"

# ---- and how the one ended that sudo left alone ----

wait "$asked"
same 'sudo that begins to ask ends in exit 4' 4 $?
ends 0 'could not be renewed.*sudo does not run' 'it is said that the lease cannot be renewed' cat "$folder/asked.log"
ends 0 'heal net.partition on app2: .*sudo does not run .*`firedrill sudoers app2`' 'and why nothing could be healed' \
	cat "$folder/asked.log"
ends 0 '' 'the guard has healed the host' is_unharmed app2 "$before_asked"
install_rights app2 "$folder/asked.yaml"
ends 0 '^2 healed, nothing left behind' 'with its rights back, heal finds nothing wrong' fire asked "$firedrill" heal
same 'that host is as it was' "$before_asked" "$(state_of app2)"

echo "lab_sudo: $passed passed, $failed failed"
[ "$failed" = 0 ]
