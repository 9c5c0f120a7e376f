#!/bin/bash
# policy.sh - permission as a user meets it: two runs on one target, a holder that is killed, orders to stop,
# the inventory's policy, overrides, approvals. With processes of this machine.
#
# usage: tests/policy.sh FIREDRILL. Needs no root. One line a test and a closing count.
# shellcheck disable=SC2016 # backquotes in messages are meant as they stand
set -u
cd "$(dirname "$0")/.." || exit 1
firedrill=$(realpath "$1")
folder=$(mktemp -d)
runner_pid=
export FIREDRILL_STORE=$folder/store/store.db
# shellcheck source=tests/local_drill.sh
. tests/local_drill.sh
# shellcheck source=tests/says.sh
. tests/says.sh

end() {
	[ -z "$runner_pid" ] || kill -9 "$runner_pid" 2>/dev/null
	local_drill_end
	rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

local_drill_begin "$folder"
drill=$folder/drill.yaml
cp "$drill" "$folder/long.yaml"
sed -i 's/for: 1s/for: 60s/' "$folder/long.yaml"
long=$folder/long.yaml

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		read -rt 0.05 <> <(:) || true
	done
}

is_paused() { ps -o stat= -p "$victim_pid" | grep -q T; }

# start NAME ARGUMENTS...: a long run in the background, until its harm is on. Sets $runner_pid and $run_id.
start() {
	local name=$1
	shift
	"$firedrill" run "$long" --yes --out "$folder/$name" "$@" >"$folder/$name.out" 2>&1 &
	runner_pid=$!
	wait_for 30 is_paused
	run_id=$("$firedrill" list --limit 1 | sed -n '1s/ .*//p')
}

# ends_with CODE: the run in the background.
ends_with() {
	local status=0
	wait "$runner_pid" || status=$?
	says 0 "^$1\$" echo "$status"
}

# typing WORD ARGUMENTS...: firedrill on a terminal, where somebody types the word.
typing() {
	local word=$1 quoted
	shift
	printf -v quoted '%q ' "$firedrill" "$@"
	script -qec "$quoted" /dev/null <<<"$word"
}

# with_policy POLICY: the inventory says so from here on.
cp "$folder/inventory.yaml" "$folder/inventory.plain"
with_policy() { { cat "$folder/inventory.plain" && printf '%s\n' "$1"; } >"$folder/inventory.yaml"; }

says 2 'say why' "$firedrill" stop --all
says 2 'name one run, set of trials or suite to stop, or write --all' "$firedrill" stop --reason x
says 2 'name one run, set of trials or suite to stop, or write --all' "$firedrill" stop last --all --reason x
says 2 'there are no runs yet' "$firedrill" stop nosuch --reason x
says 2 'say why' "$firedrill" resume
says 0 'there was no emergency stop' "$firedrill" resume --reason tidy

# Two runs never share a target, also when another inventory calls it by another name.
start first
says 5 "lock here for run .*: run $run_id \(pid $runner_pid\) is using it" "$firedrill" run "$drill" --yes --out "$folder/second"
sed 's/here/elsewhere/g' "$folder/inventory.yaml" >"$folder/other.yaml"
sed 's/on: here/on: elsewhere/' "$drill" >"$folder/other-drill.yaml"
says 5 "\`elsewhere\` is also known by another name: lock this machine .*: run $run_id" \
	"$firedrill" run "$folder/other-drill.yaml" --inventory "$folder/other.yaml" --yes --out "$folder/second"
# The holder dies: what it left is healed first, and then its lock is taken over.
kill -9 "$runner_pid"
wait "$runner_pid" 2>/dev/null
says 0 'MET' "$firedrill" run "$drill" --yes --out "$folder/third"
says 7 'it was healed afterwards' sh -c "'$firedrill' report $run_id; '$firedrill' list | grep -q \"$run_id.*exit 7\" && exit 7"
says 0 'T=0' sh -c "echo T=\$(ps -o stat= -p $victim_pid | grep -c T)"
says 2 'none whose id begins so' "$firedrill" stop nosuch --reason x
says 0 'nothing of .* is under way' "$firedrill" stop last --reason x

# stop RUN, and stop --all: healed at once, exit 6; none starts until resume.
start fourth
says 0 "run $run_id has ended: Stopped by anna: wrong cluster" "$firedrill" stop "$run_id" --reason "wrong cluster" --by anna
ends_with 6
start fifth
began=$SECONDS
says 0 "run $run_id has ended: Stopped by anna \(emergency stop of everything\): INC-7" \
	"$firedrill" stop --all --reason INC-7 --by anna
says 0 '' test $((SECONDS - began)) -le 5
says 0 'T=0' sh -c "echo T=\$(ps -o stat= -p $victim_pid | grep -c T)"
ends_with 6
says 5 'an emergency stop by anna holds since .*INC-7' "$firedrill" run "$drill" --yes --override "I know" --out "$folder/sixth"
says 0 'not permitted \(emergency stop\)' "$firedrill" plan "$drill"
says 0 'nothing to heal' "$firedrill" heal
says 0 'lifted; runs may start again' "$firedrill" resume --reason "INC-7 is over"

# Out of processor time, as a batch system says it: healed, as on any other signal.
start spent
kill -XCPU "$runner_pid"
ends_with 6
says 0 'T=0' sh -c "echo T=\$(ps -o stat= -p $victim_pid | grep -c T)"

start sixth
kill -9 "$runner_pid"
wait "$runner_pid" 2>/dev/null
says 0 "run $run_id had died before this; what it left is healed here" "$firedrill" stop --all --reason INC-8
says 0 'T=0' sh -c "echo T=\$(ps -o stat= -p $victim_pid | grep -c T)"
says 0 'nothing to heal' "$firedrill" heal
says 0 'lifted' "$firedrill" resume --reason "INC-8 is over"

# The policy. `check` says what holds on any day, `plan` what holds now.
with_policy 'policy: { allow: [{ faults: disk.* }] }'
says 2 'process.pause would hit `here`, and the policy allows only disk.\* on any host' "$firedrill" check "$drill"
says 5 'process.pause would hit `here`' "$firedrill" run "$drill" --yes --out "$folder/seventh"
says 0 'overridden \(allowed faults\)' "$firedrill" plan "$drill" --override "agreed with the owner"
says 0 'Overridden \(allowed faults\): set aside by anna \(agreed with the owner\)' \
	"$firedrill" run "$drill" --yes --by anna --override "agreed with the owner" --out "$folder/eighth"
for file in report.html report.md report.json junit.xml; do
	says 0 '' grep -q 'agreed with the owner' "$folder/eighth/$file"
done
with_policy "policy: { freeze: [{ from: $(date -u +%F), until: $(date -u -d tomorrow +%F), reason: big sale }] }"
says 0 'fine' "$firedrill" check "$drill"
says 0 'not permitted \(freeze\).*big sale' "$firedrill" plan "$drill"
says 5 'refused .* lies in the frozen time .* \(big sale\)' "$firedrill" run "$drill" --yes --out "$folder/frozen"
with_policy 'policy: { environment: production }'
says 5 'give --confirm production' "$firedrill" run "$drill" --yes --out "$folder/unconfirmed"
says 5 '--confirm says `prod`' "$firedrill" run "$drill" --yes --confirm prod --out "$folder/unconfirmed"
says 5 'not approved; nothing was harmed' typing yes run "$drill" --out "$folder/typed"
says 0 '`production` was typed back' typing production run "$drill" --out "$folder/typed"
says 0 '`production` was typed back' "$firedrill" run "$drill" --yes --confirm production --out "$folder/confirmed"

# Approvals: two people, this plan, this long; a plan that was changed needs new ones.
says 2 'asks for no approvals' "$firedrill" approve "$drill"
with_policy 'policy: { approvals: 2 }'
says 2 'is not from 1m to 30d' "$firedrill" approve "$drill" --for 31d
says 2 'must be a name' "$firedrill" approve "$drill" --by ' anna'
says 5 '2 different people must have approved exactly this plan, and nobody has' "$firedrill" run "$drill" --yes --out "$folder/alone"
says 0 'anna approves this until' "$firedrill" approve "$drill" --by anna --for 1h
says 0 'and anna \(until .*\) has' "$firedrill" approve "$drill" --by Anna --for 2h
says 0 'ben approves this until' "$firedrill" approve "$drill" --by ben
says 0 'permitted now.*approved by anna' "$firedrill" plan "$drill" --by carl
echo '# one word more' >>"$drill"
says 5 'and nobody has' "$firedrill" run "$drill" --yes --by carl --out "$folder/changed"
sed -i '$d' "$drill"
says 0 'approved by anna' "$firedrill" run "$drill" --yes --by carl --out "$folder/approved"
with_policy ''

echo "policy: $passed passed, $failed failed"
[ "$failed" = 0 ]
