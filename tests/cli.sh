#!/bin/bash
# cli.sh - the command line as a user meets it: exit codes, messages, every command, a whole local drill.
#
# usage: tests/cli.sh FIREDRILL. Needs no root. One line a test and a closing count.
# shellcheck disable=SC2016 # backquotes in messages are meant as they stand
set -u
cd "$(dirname "$0")/.." || exit 1
firedrill=$(realpath "$1")
folder=$(mktemp -d)
export FIREDRILL_STORE=$folder/store/store.db
# shellcheck source=tests/local_drill.sh
. tests/local_drill.sh
# shellcheck source=tests/says.sh
. tests/says.sh

end() {
	local_drill_end
	rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

says 2 'usage: firedrill COMMAND' "$firedrill"
says 0 'usage: firedrill COMMAND' "$firedrill" --help
says 0 '^  4  something is left unhealed' "$firedrill" --help
says 2 'there is no command `explode`' "$firedrill" explode
says 0 '^firedrill [0-9]' "$firedrill" version
says 0 '^firedrill [0-9]' "$firedrill" --version
for command in run check plan approve stop resume heal doctor sudoers report verify export store hold release compare kpi list show ack notifications notify serve faults probes schema version; do
	says 0 '^example:' "$firedrill" "$command" --help
done
says 2 'say --beyond-loopback' "$firedrill" serve --listen 0.0.0.0:0
says 2 'write an address and a port' "$firedrill" serve --listen here
says 2 'holds a password' "$firedrill" serve --store postgresql://a:b@127.0.0.1/x
says 2 'no option `--yess`' "$firedrill" run --yess x.yaml
says 2 'needs a value' "$firedrill" run --var
says 2 'takes no value' "$firedrill" run --yes=1 x.yaml
says 2 'needs EXPERIMENT' "$firedrill" run
says 2 'does not know what to do with' "$firedrill" plan a.yaml b.yaml
says 2 'not NAME=VALUE' "$firedrill" run --var x experiments/db-failover.yaml
says 2 'no report format `pdf`' "$firedrill" run --format pdf experiments/db-failover.yaml
says 2 'No such file|not there|does not exist' "$firedrill" check nowhere.yaml
says 0 'net.partition' "$firedrill" faults
says 0 'peers' "$firedrill" faults net.partition
says 2 'there is no fault' "$firedrill" faults nosuch
says 0 'postgres.write' "$firedrill" probes
says 2 'there is no probe' "$firedrill" probes nosuch
# Who only looks makes nothing; who names a store that is not there has mistyped it.
says 0 '^no runs yet$' "$firedrill" list
says 0 '^nothing to heal$' "$firedrill" heal
for command in report heal verify show export; do
	says 2 "there are no runs yet: the first .firedrill run. makes the store $FIREDRILL_STORE" "$firedrill" "$command" last
done
says 2 'there are no runs yet' "$firedrill" compare a b
says 2 'there are no runs yet' "$firedrill" kpi
for command in list heal 'heal last' 'report last' 'verify last' 'compare a b' kpi; do
	# shellcheck disable=SC2086 # a command and its words
	says 2 'there is no store /proc/nowhere/store.db' "$firedrill" $command --store /proc/nowhere/store.db
done
says 1 '' test -e "$folder/store"
echo 'no database' >"$folder/garbage.db"
chmod 600 "$folder/garbage.db"
says 7 'damaged or is no store' "$firedrill" list --store "$folder/garbage.db"
for command in list heal 'report last'; do
	# shellcheck disable=SC2086 # a command and its word
	says 2 'every user of this machine can see' "$firedrill" $command --store postgresql://anna:s3cr3t-word@127.0.0.1:1/x
done
says 7 'it cannot be reached' env FIREDRILL_STORE=postgresql://anna:s3cr3t-word@127.0.0.1:1/x "$firedrill" list
says 0 'fine' "$firedrill" check experiments/db-failover.yaml
says 0 '^-: fine' sh -c "'$firedrill' check - --inventory experiments/inventory.yaml <experiments/db-failover.yaml"
mkfifo "$folder/pipe.yaml"
says 2 'is a named pipe; name a file, or write - for' timeout 10 "$firedrill" check "$folder/pipe.yaml"
says 0 'one or more of these, resolved when it runs: primary' "$firedrill" plan experiments/db-failover.yaml
says 0 'heal ' "$firedrill" plan experiments/db-hang.yaml
says 0 '"\$schema"' "$firedrill" schema
says 0 '^tue 2026-12-22 .* failover-weekly  not run: frozen, 2026-12-20 to 2027-01-06 Europe/Berlin .end of the year.$' \
	"$firedrill" schedule next experiments/plan.yaml --from 2026-12-18 --count 5
says 2 'there is no store' "$firedrill" schedule experiments/plan.yaml --store "$folder/none.db"
mkdir -p "$folder/schedules"
"$firedrill" schedule experiments/plan.yaml --from 2026-12-18 --format json >"$folder/schedules/all.json"
"$firedrill" schedule next experiments/plan.yaml --from 2026-12-18 --count 5 --format json >"$folder/schedules/next.json"
says 0 '^5 3 true 2026-12-22T08:39:44.000Z frozen$' jq -r \
	'"\(.occurrences | length) \(.schedules | length) \(.occurrences | map(.due) | . == sort) " +
		(.occurrences[] | select(.schedule == "failover-weekly") | "\(.due) \(.not_run)")' "$folder/schedules/next.json"
says 2 'schedules have no format .xml.' "$firedrill" schedule experiments/plan.yaml --format xml
says 2 'schedules have no format .xml.' "$firedrill" schedule past --format xml
says 2 '.--reason. is needed|--reason' "$firedrill" pause failover-weekly --store "$folder/pauses.db"
says 2 '.a b. cannot be a schedule' "$firedrill" pause 'a b' --reason x --store "$folder/pauses.db"
says 0 'schedule failover-weekly is paused until' \
	"$firedrill" pause failover-weekly --reason 'CHG-12' --by anna --store "$folder/pauses.db"
says 0 'schedule fail-over is paused' "$firedrill" pause fail-over --reason typo --by anna --store "$folder/pauses.db"
says 0 'not run: paused, by anna: CHG-12' "$firedrill" schedule experiments/plan.yaml --store "$folder/pauses.db"
"$firedrill" schedule experiments/plan.yaml --store "$folder/pauses.db" --format json >"$folder/schedules/paused.json"
"$firedrill" schedule past --store "$folder/pauses.db" --format json >"$folder/schedules/past.json"
says 0 '"is_known":	false' cat "$folder/schedules/paused.json"
says 0 '^$' python3 tests/check_report.py "$folder/schedules"
says 0 '^fail-over is paused .by anna: typo., and is none of these' \
	"$firedrill" schedule experiments/plan.yaml --store "$folder/pauses.db"
says 0 'schedule failover-weekly is no longer paused' \
	"$firedrill" resume failover-weekly --reason over --store "$folder/pauses.db"
says 0 'schedule failover-weekly was not paused' \
	"$firedrill" resume failover-weekly --reason over --store "$folder/pauses.db"
says 1 '' sh -c "'$firedrill' schedule experiments/plan.yaml --store '$folder/pauses.db' | grep -q 'CHG-12'"
says 0 '^  fri 2027-01-15 10:00:00 .01:00  begins with experiments/db-' \
	"$firedrill" schedule experiments/plan.yaml --from 2027-01-10T10:00Z --count 1
says 2 'this experiment has no .schedule:.' "$firedrill" schedule experiments/db-hang.yaml
says 2 '.--count 0. is no whole number from 1' "$firedrill" schedule next experiments/plan.yaml --count 0
says 2 '.--from x.: .x. is no date' "$firedrill" schedule experiments/plan.yaml --from x
says 2 'plan.yaml: the file cannot be read' sh -c "cd '$folder' && '$firedrill' schedule"
says 2 'plan.yaml:[0-9]*:1: this is a plan file' "$firedrill" check experiments/plan.yaml

# What only the fault itself knows is a problem for check, plan and run alike, and none of them a start.
cat >"$folder/inventory.yaml" <<'END'
hosts: { here: { local: true } }
END
cat >"$folder/port.yaml" <<'END'
title: Cut a port that is none
objectives: { availability: 1% }
probes: { port: { kind: tcp.connect, on: here, every: 10ms, port: 9 } }
method: [{ fault: net.partition, on: here, with: { ports: [99999] } }]
END
for command in check plan run; do
	says 2 'step 1 \(net.partition\) on here: .*`ports` holds "99999"' "$firedrill" "$command" "$folder/port.yaml"
done
cat >"$folder/ports.yaml" <<'END'
title: Two steps, and each has a mistake that only its fault sees
objectives: { availability: 1% }
probes: { port: { kind: tcp.connect, on: here, every: 10ms, port: 9 } }
method:
  - { fault: net.partition, on: here, with: { ports: [99999] } }
  - { at: 1s, fault: net.partition, on: here, with: { ports: [0] } }
END
says 2 'ports.yaml:5:5: plan step 1 .*`ports` holds "99999"' "$firedrill" check "$folder/ports.yaml"
says 2 'ports.yaml:6:5: plan step 2 .*`ports` holds "0"' "$firedrill" check "$folder/ports.yaml"
says 0 '' python3 tests/terminal_width.py 60 "$firedrill" plan experiments/db-hang.yaml
if "$firedrill" schema | python3 -m json.tool >/dev/null; then
	passed=$((passed + 1))
	echo "ok - the schema is JSON"
else
	failed=$((failed + 1))
	echo "not ok - the schema is no JSON"
fi
[ ! -w /dev/full ] || says 7 'standard output could not be written' sh -c "'$firedrill' faults >/dev/full"
cat >"$folder/inventory.yaml" <<'END'
hosts: { here: { local: true } }
services: { db: { kind: postgres, conninfo: "host=127.0.0.1", members: [here] } }
END
cat >"$folder/switch.yaml" <<'END'
title: Switch over what Patroni does not manage
objectives: { availability: 1% }
probes: { port: { kind: tcp.connect, on: here, every: 10ms, port: 9 } }
method: [{ fault: postgres.switchover, on: { service: db } }]
END
says 2 'inventory row says `patroni: { port: 8008 }`' "$firedrill" check "$folder/switch.yaml"

# ---- doctor: this machine is a host like any other; the others must not be touched ----
cat >"$folder/doctor.yaml" <<'END'
hosts:
  here: { local: true }
  gone: { address: 127.0.0.1, port: 1 }
  holy: { address: 127.0.0.1, port: 1, protected: true }
END
says 0 'guard  *yes  *fired by itself' "$firedrill" doctor --inventory "$folder/doctor.yaml" here
says 1 'guard  *no  *cannot be reached: .*refused' "$firedrill" doctor --inventory "$folder/doctor.yaml" gone
says 1 '^1 of 2 hosts can be drilled' "$firedrill" doctor --inventory "$folder/doctor.yaml"
says 1 'node.power  *no  *.*add `power:`' "$firedrill" doctor --inventory "$folder/doctor.yaml" --fault node.power here
says 2 '`holy` is protected' "$firedrill" doctor --inventory "$folder/doctor.yaml" holy
says 2 'has no host `nosuch`' "$firedrill" doctor --inventory "$folder/doctor.yaml" nosuch
says 2 'there is no fault `nosuch`' "$firedrill" doctor --fault nosuch
says 2 'inventory.yaml' "$firedrill" doctor --inventory "$folder/no/inventory.yaml"
says 0 '' sh -c '! ls -d /run/firedrill/doctor-* "/run/user/$(id -u)/firedrill/"doctor-* 2>/dev/null'

# ---- sudoers: what an ordinary user may do as root, from the documents alone ----
cat >"$folder/sudo.yaml" <<'END'
hosts:
  db1: { address: 192.0.2.1, user: drill, sudo: true, labels: { role: db } }
  db2: { address: 192.0.2.2, user: drill, sudo: true, labels: { role: none } }
  db3: { address: 192.0.2.5, user: drill, sudo: true, labels: { role: db } }
  plain: { address: 192.0.2.3 }
  holy: { address: 192.0.2.4, user: drill, sudo: true, protected: true }
policy:
  allow:
    - { labels: { role: db }, faults: [process.pause, net.partition] }
    - { labels: { role: none }, faults: [node.power] }
END
cat >"$folder/sudo-drill.yaml" <<'END'
title: one process, by its name
inventory: sudo.yaml
objectives: { availability: 1% }
probes: { p: { kind: ssh.command, on: plain, every: 1s, timeout: 1s, run: ["true"] } }
steady_state: { good_for: 5s, within: 60s }
observe: { stable_for: 5s, at_most: 60s }
method: [{ fault: process.pause, on: { labels: { role: db }, count: 1 }, with: { name: "it's one" } }]
END
sed 's/process.pause/service.stop/; s/name:.*one"/unit: nginx/' "$folder/sudo-drill.yaml" >"$folder/sudo-refused.yaml"
sudoers() { "$firedrill" sudoers "$@" --inventory "$folder/sudo.yaml"; }
says 0 '^drill ALL = \(root\) NOPASSWD: NOSETENV: /usr/local/libexec/firedrill-helper$' sudoers db1
says 0 '^# May do: process.pause, net.partition$' sudoers db1 --helper
says 0 '^# May do: process.pause \(with the words below\)$' sudoers db1 "$folder/sudo-drill.yaml" --helper
says 0 '= .it.*s one$' sudoers db1 "$folder/sudo-drill.yaml" --helper
says 0 '= .it.*s one$' sudoers db3 "$folder/sudo-drill.yaml" --helper # it may be chosen as well
sudoers db1 --helper >"$folder/helper"
says 0 '' sh -n "$folder/helper"
says 10 'firedrill-helper: this is called by firedrill, not by hand' sh "$folder/helper"
says 2 'the policy allows no fault on `db2`' sudoers db2
says 2 'do nothing on `db2` that a helper is for' sudoers db2 "$folder/sudo-drill.yaml"
says 2 'the policy does not allow service.stop on `db1`' sudoers db1 "$folder/sudo-refused.yaml"
says 2 '`plain` does not say `sudo: true`' sudoers plain
says 2 '`holy` is protected' sudoers holy
says 2 'has no host `nosuch`' sudoers nosuch

# ---- a whole drill on this machine ----
local_drill_begin "$folder"
canary=canary-$$-never-to-be-seen # a secret that every run sends and no record may hold
export CANARY=$canary
sed -i 's/json: { status: healthy }/&, send_header: { X-Key: "${env:CANARY}" }/' "$folder/drill.yaml"
drill=$folder/drill.yaml
says 5 'add --yes' "$firedrill" run "$drill" --out "$folder/no"
says 0 'kill -STOP' "$firedrill" run "$drill" --dry-run
says 0 'MET' "$firedrill" run "$drill" --yes --out "$folder/run"
for file in report.txt report.json report.md report.html picture.png; do
	says 0 '' test -s "$folder/run/$file"
done
echo precious >"$folder/precious"
ln -s "$folder/precious" "$folder/linked.html.part"
says 0 '' "$firedrill" report last --format html --out "$folder/linked.html"
says 0 '^precious$' cat "$folder/precious"
says 0 'state as before' "$firedrill" report last
says 0 'exit 0' "$firedrill" list
says 0 'injected' "$firedrill" show last
says 0 '"verdict"' "$firedrill" report last --format json
says 0 '' cmp "$folder/run/report.html" <("$firedrill" report last --format html)
says 1 'MISSED' "$firedrill" run <(sed 's/rto: 5s/rto: 100ms/' "$drill") --inventory "$folder/inventory.yaml" --yes --out "$folder/missed"
says 0 '^verified' "$firedrill" verify last --reports "$folder/missed"
head=$(sed -n 's/^Head //p' "$folder/run/report.txt")
drill_id=$("$firedrill" list | grep 'exit 0' | awk '{ print $1 }' | tail -n 1)
says 0 'head  *the one given' "$firedrill" verify "$drill_id" --head "$head" --reports "$folder/run"
says 1 'NOT THE ONE GIVEN' "$firedrill" verify last --head "$head"
cp -r "$folder/run" "$folder/forged"
sed -i 's/MET/met/' "$folder/forged/report.md"
says 1 'forged/report.md differs from line 1 ' "$firedrill" verify "$drill_id" --reports "$folder/forged"
says 2 'there are none' "$firedrill" verify last --reports "$folder/nowhere"
says 2 'none whose id begins so' "$firedrill" verify nosuch
bundle=$folder/bundle.tar
says 0 'head [0-9a-f]{64}' "$firedrill" export "$drill_id" --out "$bundle"
says 0 '^verified' env FIREDRILL_STORE=/proc/nowhere "$firedrill" verify "$bundle" --head "$head"
says 0 'report.html, byte for byte' "$firedrill" verify "$bundle"
says 0 '' cmp "$folder/run/report.html" <(FIREDRILL_STORE=/proc/nowhere "$firedrill" report "$bundle" --format html)
says 0 'injected' env FIREDRILL_STORE=/proc/nowhere "$firedrill" show "$bundle"
says 0 'health [0-9]+ [0-9]+' python3 tests/auditor.py "$bundle"
says 0 'events.jsonl: OK' sh -c "mkdir '$folder/x' && tar -xf '$bundle' -C '$folder/x' && cd '$folder/x/firedrill-$drill_id' && sha256sum -c MANIFEST.sha256"
says 0 '' sh -c "! grep -c '$canary' '$bundle'"
says 0 '' grep -q 'env:CANARY' "$bundle"
sed 's/"phase":"inject"/"phase":"injekt"/' "$bundle" >"$folder/flipped.tar"
says 1 'events.jsonl: event [0-9]+ is not as it was written' "$firedrill" verify "$folder/flipped.tar"
says 7 'event [0-9]+ is not as it was written' "$firedrill" report "$folder/flipped.tar"
says 0 '^[0-9]* of [0-9]* alterations named' python3 tests/doubt_bundle.py "$firedrill" "$bundle" "$RANDOM"
head -c 5000 "$bundle" >"$folder/cut.tar"
says 1 'cut off' "$firedrill" verify "$folder/cut.tar"
says 2 'No such file' "$firedrill" verify "$folder/nowhere.tar"
says 2 'none whose id begins so' "$firedrill" export nosuch
says 7 'Is a directory' "$firedrill" export last --out "$folder"
# ---- trials ----
says 2 '`--repeat 0` is no number of trials from 1 to 1000' "$firedrill" run "$drill" --repeat 0
says 2 '`--repeat 1001` is no number' "$firedrill" run "$drill" --repeat 1001
says 2 '`--repeat x` is no number' "$firedrill" run "$drill" --repeat x
says 0 '  trial 3  seed ' "$firedrill" run "$drill" --repeat 3 --dry-run
says 0 '3 of 3 within 5 s: at least 36.8 %' "$firedrill" run "$drill" --repeat 3 --seed 5 --yes --out "$folder/set"
for file in report.txt report.json report.md report.html junit.xml trial-01/report.json trial-03/picture.png; do
	says 0 '' test -s "$folder/set/$file"
done
set_id=$("$firedrill" list --limit 1 | sed -n '1s/ .*//p')
says 0 '3 of 3 within' "$firedrill" report "$set_id"
says 0 '' cmp "$folder/set/report.html" <("$firedrill" report last --format html)
says 0 '' cmp "$folder/set/trial-02/report.json" <("$firedrill" report "$set_id-t02" --format json)
says 0 '^verified' "$firedrill" verify "$set_id" --reports "$folder/set"
says 0 'trial-03/report.json, byte for byte' "$firedrill" verify last --reports "$folder/set"
says 0 '/report.html, byte for byte' "$firedrill" verify "$set_id" --reports "$folder/set"
cp -r "$folder/set" "$folder/forged-set"
sed -i 's/MET/met/' "$folder/forged-set/report.md" "$folder/forged-set/trial-02/report.md"
says 1 'forged-set/report.md differs from line' "$firedrill" verify "$set_id" --reports "$folder/forged-set"
says 1 'set .* does not verify: 2 things' "$firedrill" verify "$set_id" --reports "$folder/forged-set"
says 2 'each trial has a head of its own' "$firedrill" verify "$set_id" --head "$head"
says 2 'a bundle has one run: export them one by one' "$firedrill" export "$set_id" --out "$folder/no.tar"
says 0 '^verified' "$firedrill" verify "$set_id-t02" --reports "$folder/set/trial-02"

# ---- looking after the store ----
says 0 'up to date: schema [0-9]+' "$firedrill" store migrate
says 0 ' 0 things not as written' "$firedrill" store check
says 0 "$folder/copy.db" "$firedrill" store backup "$folder/copy.db"
says 0 '^verified' "$firedrill" verify "$drill_id" --store "$folder/copy.db" --head "$head"
says 2 'there is such a file; name another' "$firedrill" store backup "$folder/copy.db"
says 0 'runs in ' "$firedrill" store export "$folder/bundles"
says 0 'bundles/store.json  1 set of trials, 0 recordings, 0 holds, 0 pauses' "$firedrill" store export "$folder/bundles"
says 0 "$drill_id  imported" "$firedrill" store import "$folder/bundles" --store "$folder/other.db"
says 0 '3 of 3 within' "$firedrill" report "$set_id" --store "$folder/other.db"
says 0 'bundles/store.json  0 sets of trials, 0 recordings' "$firedrill" store import "$folder/bundles" --store "$folder/other.db"
says 0 "$drill_id  was there already" "$firedrill" store import "$folder/bundles/$drill_id.tar" --store "$folder/other.db"
says 0 '^verified' "$firedrill" verify "$drill_id" --store "$folder/other.db" --head "$head"
says 2 'with these words is none of' "$firedrill" store shine
says 2 'prune what' "$firedrill" store prune
says 0 "$drill_id  would go" "$firedrill" store prune --keep 1 --dry-run --store "$folder/other.db"
says 2 'say why, .*--reason TEXT' "$firedrill" hold "$drill_id" --store "$folder/other.db"
says 0 "$drill_id  held by anna since .*: audit" "$firedrill" hold "$drill_id" --by anna --reason audit --store "$folder/other.db"
says 0 "$drill_id  held by anna" "$firedrill" hold --store "$folder/other.db"
says 0 "$drill_id  stays: it is held" "$firedrill" store prune --keep 1 --store "$folder/other.db"
says 0 '^released' "$firedrill" release "$drill_id" --store "$folder/other.db"
says 0 'it was not held' "$firedrill" release "$drill_id" --store "$folder/other.db"
says 0 '^0 runs removed' "$firedrill" store prune --older-than 1d --store "$folder/other.db"
says 2 'there is no bundle' "$firedrill" store import "$folder/nothing" "$folder/set"
says 0 '^nothing to heal' "$firedrill" heal "$set_id"
says 2 'each trial has one' "$firedrill" report last --format png --out "$folder/no.png"
says 0 "$set_id-t03  exit 0" "$firedrill" show "$set_id"
says 0 'injected' "$firedrill" show "$set_id-t02"
says 0 "^  $set_id-t01" "$firedrill" list
says 3 '^cannot tell' "$firedrill" compare "$set_id-t01" "$set_id-t02"
says 3 'Mann-Whitney: slower p = .*exact' "$firedrill" compare "$set_id-t01" "$set_id-t02" -- "$set_id-t03"
for _ in 1 2 3; do
	"$firedrill" run "$drill" --yes --out "$folder/new" >/dev/null
done
mapfile -t new_ids < <("$firedrill" list --limit 3 | sed 's/ .*//')
says 0 '^not slower' "$firedrill" compare --margin 4s "$set_id" -- "${new_ids[@]}"
says 0 '"answer":[[:space:]]*"not slower"' "$firedrill" compare --format json --margin 4s "$set_id" -- "${new_ids[@]}"
mkdir "$folder/comparisons"
"$firedrill" compare --format json "$set_id" -- "${new_ids[@]}" >"$folder/comparisons/three.json" # its exit code was looked at
"$firedrill" compare --format json "$set_id-t01" "$set_id-t02" >"$folder/comparisons/one.json"
says 0 '' python3 tests/check_report.py "$folder/comparisons"
says 2 'was given twice' "$firedrill" compare "$set_id" "$set_id-t01"
says 2 'put `--` between' "$firedrill" compare a b c
says 2 'on both sides' "$firedrill" compare a b --
says 2 'no format `html`' "$firedrill" compare a b --format html
says 2 'not from 50' "$firedrill" compare a b --confidence 20%
says 2 'without a unit|write' "$firedrill" compare "$set_id-t01" "$set_id-t02" --margin 5
says 2 'none whose id begins so' "$firedrill" compare nosuch "$set_id"
says 2 'needs BASE' "$firedrill" compare x
says 3 '21 more trials' "$firedrill" run <(sed 's/rto: 5s/rto: { target: 5s, share: 90%, confidence: 90% }/' "$drill") \
	--inventory "$folder/inventory.yaml" --yes --format json --out "$folder/share"
says 0 'nothing to heal' "$firedrill" heal
says 5 'make the folder' "$firedrill" run "$drill" --yes --out /proc/nowhere
says 5 'make the folder.*Not a directory' "$firedrill" run "$drill" --yes --out "$drill"
says 7 'Recovered in' bash -c "(until ps -o stat= -p $victim_pid | grep -q T; do :; done; rm -r '$folder/gone'; touch '$folder/gone') &
	'$firedrill' run '$drill' --yes --out '$folder/gone'; status=\$?; wait; exit \$status"
# ---- the history: MISSED once, met otherwise; each run has left its facts ----
says 0 '^KPIs of [0-9]+ runs' "$firedrill" kpi
says 1 '' sh -c "'$firedrill' kpi | grep 'NOT COUNTED'"
says 0 'web  *process.pause on here  *proven  *5 s  ' "$firedrill" kpi --service web
says 0 'facts  *those of the history are what is derived' "$firedrill" verify last
says 0 '^"web","","process.pause on here","proven",' "$firedrill" kpi --format csv
says 0 '"scenario":[[:space:]]*"process.pause on here"' "$firedrill" kpi --format json
mkdir "$folder/kpis"
"$firedrill" kpi --format json >"$folder/kpis/all.json"
"$firedrill" kpi --format json --trend --since 1h --zone Europe/Berlin --confidence 99% >"$folder/kpis/trend.json"
"$firedrill" kpi --format json --since 0s >"$folder/kpis/none.json"
says 0 '' python3 tests/check_report.py "$folder/kpis"
says 0 'unseen  *\.' "$firedrill" kpi --inventory <(printf 'hosts: { here: { local: true } }\nservices: { unseen: { kind: tcp, address: 127.0.0.1, port: 9, members: [here] } }\n')
says 0 'never tried  *9 s  *never  *0' "$firedrill" kpi --inventory "$folder/inventory.yaml" \
	<(sed 's/rto: 5s/rto: 9s/; s/fault: process.pause/fault: process.kill/; /for: 1s/d' "$drill")
says 2 'no format `html`' "$firedrill" kpi --format html
says 2 'there is no table `x`' "$firedrill" kpi --format csv --table x
says 2 'is for `--format csv`' "$firedrill" kpi --table months
says 2 'not between 50' "$firedrill" kpi --confidence 50%
says 2 'is no date' "$firedrill" kpi --since 2026-02-30
says 2 'zone' "$firedrill" kpi --zone Mars/Olympus
says 2 'No such file|not there|does not exist' "$firedrill" kpi nowhere.yaml
cp "$FIREDRILL_STORE" "$folder/old.db"
python3 - "$folder/old.db" <<-'END'
	import sqlite3, sys
	store = sqlite3.connect(sys.argv[1])
	store.executescript("delete from facts; delete from fact_subjects")
END
says 0 'NOT COUNTED: [0-9]+ runs of the store without facts' "$firedrill" kpi --store "$folder/old.db"
says 0 'none are kept' "$firedrill" verify last --store "$folder/old.db"
says 0 '^derived the facts of [0-9]+ runs$' "$firedrill" kpi --rebuild --store "$folder/old.db"
says 0 '' cmp <("$firedrill" kpi --format csv --table trend) <("$firedrill" kpi --format csv --table trend --store "$folder/old.db")
python3 - "$folder/old.db" <<-'END'
	import sqlite3, sys
	store = sqlite3.connect(sys.argv[1])
	store.execute("update facts set facts = zeroblob(length(facts)) where seq = 2")
	store.commit()
END
says 1 'number 2: they are not as they were written; .firedrill kpi --rebuild-all. derives' "$firedrill" kpi --store "$folder/old.db"
says 0 '; 1 had others before' "$firedrill" kpi --rebuild-all --store "$folder/old.db"
# A ledger where nothing can be written: said before any harm, with what the store said.
sed 's/^objectives:.*/objectives: { rpo: 0s }/; s/^steady_state:.*/steady_state: { good_for: 300ms, within: 600ms }/
	s|^  health:.*|  orders: { kind: http.write, on: web, every: 50ms, timeout: 300ms, url: /orders, read: /health }|' "$drill" >"$folder/read-only.yaml"
says 5 'steady state did not hold within 600 ms: `orders` was not good \(write: status 501 was not expected\); nothing was harmed' \
	"$firedrill" run "$folder/read-only.yaml" --yes --out "$folder/read-only"
for columns in 120 80 40; do
	says 0 '' python3 tests/terminal.py "$columns" 24 "$firedrill" run "$drill" --yes --out "$folder/live"
done
# What nobody reads must not hold the run up: healed after its second, not when its lease of five ends.
says 0 '' python3 tests/stuck_terminal.py "$victim_pid" 3.5 "$firedrill" run "$drill" --yes --out "$folder/stuck"
# A limit on the size of files is a sentence, not a death.
says 5 'samples: File too large.*nothing was harmed' sh -c "ulimit -f 600; exec '$firedrill' run '$drill' --yes --out '$folder/limited' --store '$folder/limited.db'"
says 0 'T=0' sh -c "echo T=\$(ps -o stat= -p $victim_pid | grep -c T)"

echo "cli: $passed passed, $failed failed"
[ "$failed" = 0 ]
