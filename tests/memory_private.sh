#!/bin/bash
# memory_private.sh - a firedrill that holds a secret dies in the middle of a drill: the secret is in no core
# dump, no argument, no file; and the fault it left is healed.
#
# usage: tests/memory_private.sh FIREDRILL. Needs no root.
set -u
cd "$(dirname "$0")/.." || exit 1
firedrill=$(realpath "$1")
folder=$(mktemp -d)
passed=0
failed=0
export FIREDRILL_STORE=$folder/store/store.db
# shellcheck source=tests/local_drill.sh
. tests/local_drill.sh

end() {
	local_drill_end
	rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

ok() {
	local what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		echo "ok - $what"
	else
		failed=$((failed + 1))
		echo "not ok - $what"
	fi
}
is_paused() { case $(ps -o stat= -p "$victim_pid") in *T*) ;; *) return 1 ;; esac; }
has_core() { [ -n "$(find "$1" -name 'core*' -print -quit)" ]; }
has_no_core() { ! has_core "$1"; }
# Not as an argument: this very grep would show it.
has_no_canary() { ! grep -rqsF -f <(printf %s "$canary") "$@"; }
is() { [ "$1" = "$2" ]; }
# An ordinary user's firedrill that waits for its document: who may open its memory and its environment?
memory_is_roots() {
	local waiting as_nobody=() owner=
	[ "$(id -u)" != 0 ] || as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	cp "$firedrill" "$folder/control/firedrill"
	mkfifo -m 666 "$folder/control/document"
	chmod 711 "$folder" "$folder/control"
	"${as_nobody[@]}" "$folder/control/firedrill" check - <>"$folder/control/document" >/dev/null 2>&1 &
	waiting=$!
	until [ "$(readlink "/proc/$waiting/exe")" = "$folder/control/firedrill" ] && [ "$owner" = 0 ]; do
		[ $SECONDS -lt $end ] || break
		read -rt 0.05 <> <(:) || true
		owner=$(stat -c %u "/proc/$waiting/environ")
	done
	kill "$waiting"
	wait "$waiting" 2>/dev/null
	[ "$owner" = 0 ]
}

local_drill_begin "$folder" || exit 1
canary=canary-$$-never-to-be-seen
export CANARY=$canary
# shellcheck disable=SC2016 # firedrill puts it in
sed -i 's/json: { status: healthy }/&, send_header: { X-Key: "${env:CANARY}" }/; s/for: 1s/for: 8s/; s/lease: 5s/lease: 20s/' \
	"$folder/drill.yaml"
mkdir "$folder/cwd" "$folder/control" || exit 1

ulimit -c unlimited
cd "$folder/cwd" || exit 1
"$firedrill" run "$folder/drill.yaml" --yes --out "$folder/out" >"$folder/run.log" 2>&1 &
run_pid=$!
end=$((SECONDS + 30))
until is_paused; do
	[ $SECONDS -lt $end ] || { cat "$folder/run.log"; echo 'memory_private: the drill did not pause its victim'; exit 1; }
	read -rt 0.05 <> <(:) || true
done
ok "no argument of it or of what it started has the secret" has_no_canary \
	"/proc/$run_pid/cmdline" /proc/[0-9]*/cmdline
kill -ABRT "$run_pid"
wait "$run_pid" 2>/dev/null
ok "it died of the signal" is $? 134
end=$((SECONDS + 5))
ok "only root may open the memory of an ordinary user's firedrill" memory_is_roots
# A control that may leave one, so that a machine that keeps no cores proves nothing.
(cd "$folder/control" && exec env -u CANARY sh -c 'kill -ABRT $$') >/dev/null 2>&1 &
wait $! 2>/dev/null
if has_core "$folder/control"; then
	ok "no core dump of it is there" has_no_core "$folder/cwd"
else
	echo "skipped: this machine writes no core files here: $(cat /proc/sys/kernel/core_pattern)"
fi
"$firedrill" heal >"$folder/heal.log" 2>&1
ok "what it left is healed" is $? 0
ok "the victim goes on" eval '! is_paused'
ok "the secret is in no file" has_no_canary "$folder"

echo "memory_private: $passed passed, $failed failed"
[ "$failed" = 0 ]
