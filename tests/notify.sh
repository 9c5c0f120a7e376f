#!/bin/bash
# notify.sh - who is told what, as a user meets it: a drill with channels that work, that refuse and that are
# gone; what waits, dead letters, escalation and ack. No notification changes an exit code.
#
# usage: tests/notify.sh FIREDRILL. Needs no root. One line a test and a closing count.
# shellcheck disable=SC2016 # backquotes and ${env:} in messages and documents are meant as they stand
set -u
cd "$(dirname "$0")/.." || exit 1
firedrill=$(realpath "$1")
folder=$(mktemp -d)
export FIREDRILL_STORE=$folder/store/store.db
# shellcheck source=tests/local_drill.sh
. tests/local_drill.sh
# shellcheck source=tests/says.sh
. tests/says.sh
servers=()

end() {
	local_drill_end
	[ ${#servers[@]} = 0 ] || kill "${servers[@]}" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# serve NAME SCRIPT [MODE]: a server of fixtures/ in $folder/NAME; sets $port.
serve() {
	mkdir -p "$folder/$1"
	(cd "$folder/$1" && exec /usr/bin/python3 "$OLDPWD/fixtures/$2" port ${3:+"$3"} 2>log) &
	servers+=($!)
	local end=$((SECONDS + 20))
	until [ -s "$folder/$1/port" ]; do
		[ $SECONDS -lt $end ] || { echo "the test's server $2 did not start" >&2; exit 1; }
		read -rt 0.05 <> <(:) || true
	done
	port=$(cat "$folder/$1/port")
}

# ok WHAT COMMAND...
ok() {
	local what=$1
	shift
	if "$@" >/dev/null 2>&1; then
		passed=$((passed + 1))
		echo "ok - $what"
	else
		failed=$((failed + 1))
		echo "not ok - $what"
	fi
}

serve hook recorder.py
hook_port=$port
serve grafana recorder.py
grafana_port=$port
serve mail smtp_server.py
mail_port=$port
export HOOK=http://127.0.0.1:$hook_port/services/qzhook-never-to-be-seen PAGER=qzpager-never-to-be-seen
export GRAFANA_TOKEN=qzgrafana-never-to-be-seen
export MAIL_PASSWORD='open sesame' SSL_CERT_FILE=$folder/mail/cert.pem
local_drill_begin "$folder"
inventory=$folder/inventory.yaml
cat >>"$inventory" <<END
notify:
  link: https://drills.example.net/runs/{run}
  channels:
    team: { kind: slack, url: "\${env:HOOK}" }
    graphs: { kind: grafana, url: "http://127.0.0.1:$grafana_port", token: "\${env:GRAFANA_TOKEN}" }
    pager: { kind: pagerduty, routing_key: "\${env:PAGER}", url: "http://127.0.0.1:$hook_port/v2/enqueue" }
    mail:
      kind: email
      server: 127.0.0.1
      port: $mail_port
      user: drill
      password: \${env:MAIL_PASSWORD}
      from: drills@example.net
      to: [team@example.net]
  rules:
    - { on: [start], channels: [team] }
    - { on: [end], channels: [mail, graphs] }
    - { on: [change, leftover], channels: [team] }
    - { on: [missed], channels: [pager], escalate: [{ after: 5m, channels: [mail] }] }
END
drill=$folder/drill.yaml
sed -i 's/, availability: 10%//; s/good_for: 500ms/good_for: 200ms/; s/baseline: 500ms/baseline: 100ms/; s/for: 1s/for: 400ms/; s/stable_for: 500ms/stable_for: 200ms/' "$drill"
sed 's/rto: 5s/rto: 25ms/' "$drill" >"$folder/missed.yaml"
requests() {
	find "$folder/hook" -name 'request-*' | wc -l
}
mails() {
	find "$folder/mail" -name 'mail-*' | wc -l
}

says 0 'slack - ' "$firedrill" notify
says 0 'missed_schedule' "$firedrill" notify
says 2 'notify test CHANNEL' "$firedrill" notify tset team
says 2 'has no channel `nobody`' "$firedrill" notify test nobody --inventory "$inventory"
says 0 'channel `team` has taken a test message' "$firedrill" notify test team --inventory "$inventory"
says 0 'channel `mail` has taken a test message' "$firedrill" notify test mail --inventory "$inventory"
ok 'the test arrived' grep -q 'a test of this channel' "$folder/hook/request-1"
says 1 'unknown authority|certificate' env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "$firedrill" notify test mail --inventory "$inventory"
says 0 '^nothing waits$' "$firedrill" notifications
says 0 '^no dead letters$' "$firedrill" notifications --dead

# ---- a drill that is met: its start, and one mail with the report ----
rm -f "$folder"/hook/request-* "$folder"/mail/mail-*
says 0 'MET' "$firedrill" run "$drill" --yes --out "$folder/met"
ok 'only the start went to the team: nothing has changed' test "$(requests)" = 1
ok 'the start says so' grep -q 'STARTED: Hang a web server' "$folder/hook/request-1"
ok 'the end came as a mail' test "$(mails)" = 1
ok 'over TLS, by the user' sh -c "grep -q 'tls True' '$folder/mail/mail-1' && grep -q 'user drill' '$folder/mail/mail-1'"
ok 'the mail has the report' /usr/bin/python3 - "$folder/mail/mail-1" <<'PY'
import email, email.policy, sys
raw = open(sys.argv[1], 'rb').read().split(b'\n\n', 1)[1]
mail = email.message_from_bytes(raw, policy=email.policy.default)
text, page = mail.iter_parts()
assert mail['Subject'].startswith('[firedrill] MET: Hang a web server for a second'), mail['Subject']
assert 'see https://drills.example.net/runs/2' in text.get_content(), text.get_content()
assert page.get_content_type() == 'text/html' and 'What the probes saw' in page.get_content()
PY
# The region is the hang as the report has it, at its own time, though it was sent when all was over.
ok 'Grafana has the harm from inject to heal' /usr/bin/python3 - "$folder/grafana/request-1" "$folder/met/report.json" <<'PY'
import datetime, json, sys
deed = json.load(open(sys.argv[2]))['deeds'][0]
hang_ms = (deed['heal_answered']['ns'] - deed['inject_sent']['ns']) / 1e6
head, body = open(sys.argv[1]).read().split('\n\n', 1)
said = json.loads(body)
assert 'POST /api/annotations ' in head and 'Bearer qzgrafana' in head, head
assert hang_ms > 0 and 0 <= said['timeEnd'] - said['time'] - hang_ms < 2, (said, hang_ms) # whole ms, outward
assert said['tags'][:2] == ['firedrill', 'harm'] and 'fault:process.pause' in said['tags'], said
assert abs(said['time'] / 1000 - datetime.datetime.now().timestamp()) < 60, said
PY
says 0 '^nothing waits$' "$firedrill" notifications

# ---- one that is missed: a change, an incident, an escalation until somebody takes care ----
rm -f "$folder"/hook/request-* "$folder"/mail/mail-*
says 1 'MISSED' "$firedrill" run "$folder/missed.yaml" --yes --out "$folder/missed"
ok 'start, change and incident' test "$(requests)" = 3
ok 'the change names the last time' grep -q 'last time (.*Recovered in' "$folder"/hook/request-[23]
ok 'the incident is triggered' grep -q '"event_action":"trigger"' "$folder"/hook/request-[23]
says 0 'missed.mail.300s  due' "$firedrill" notifications
says 0 '^0 sent$' "$firedrill" notifications deliver
# What has no run can be acknowledged as well: a schedule that was missed.
waiting=$(find "$FIREDRILL_STORE.notify" -maxdepth 1 -name '*.mail.300s.json')
run=$(basename "$waiting" .missed.mail.300s.json)
sed "s/$run/missed-weekly-1/g" "$waiting" >"$FIREDRILL_STORE.notify/missed-weekly-1.missed.mail.300s.json"
says 0 'anna takes care of missed-weekly-1; 1 escalation will not be sent' "$firedrill" ack missed-weekly-1 --by anna
says 2 'nothing of `missed-weekly-1` waits' "$firedrill" ack missed-weekly-1 --by anna
rm -f "$folder/hook/request-4"
says 0 'anna takes care of 2.*; 1 escalation will not be sent' "$firedrill" ack last --by anna
ok 'the incident is acknowledged' grep -q '"event_action":"acknowledge"' "$folder/hook/request-4"
says 0 '^nothing waits$' "$firedrill" notifications
says 0 'nobody else was going to be told' "$firedrill" ack last --by anna
says 2 '' "$firedrill" ack nosuch

# ---- met again: the incident ends ----
rm -f "$folder"/hook/request-* "$folder"/mail/mail-*
says 0 'MET' "$firedrill" run "$drill" --yes --out "$folder/again"
ok 'the change is told' grep -q 'MET AGAIN: Hang a web server' "$folder"/hook/request-[23]
ok 'the incident is resolved' grep -q '"event_action":"resolve"' "$folder"/hook/request-[23]

# ---- nobody can be told: the verdict stands, and what waits is said ----
rm -f "$folder"/hook/request-* "$folder"/mail/mail-*
export HOOK=http://127.0.0.1:1/services/qzhook-never-to-be-seen
echo '404 no such hook' >"$folder/hook/answers"
says 1 'refused for good.*channel `' "$firedrill" run "$folder/missed.yaml" --yes --out "$folder/refused"
says 0 'start.team  due .* attempts .*\(channel `team`: POST http://127.0.0.1:1: ' "$firedrill" notifications
says 0 'missed.pager  1 attempt .*the server answered 404: no such hook' "$firedrill" notifications --dead
id=$("$firedrill" notifications --dead | sed 's/ .*//')
rm "$folder/hook/answers"
export HOOK=http://127.0.0.1:$hook_port/services/qzhook-never-to-be-seen
says 0 'it waits again' "$firedrill" notifications retry "$id"
says 2 'there is no dead letter' "$firedrill" notifications drop "$id"
rm -f "$folder"/hook/request-*
says 0 '[1-9] sent' "$firedrill" notifications deliver
ok 'the dead letter has arrived' grep -q '"event_action":"trigger"' "$folder"/hook/request-*
says 0 '' "$firedrill" run "$drill" --yes --no-notify --out "$folder/silent"
ok 'with --no-notify nobody is told' sh -c "! grep -q STARTED '$folder'/hook/request-*"

# ---- trials are told as one ----
rm -f "$folder"/*/request-* "$folder"/mail/mail-* "$FIREDRILL_STORE".notify/*.json # what was still to be tried again
says 0 'MET' "$firedrill" run "$drill" --yes --repeat 2 --out "$folder/set"
ok 'one start, one mail' test "$(requests) $(mails)" = '1 1'
ok 'a region for the harm of each trial' test "$(find "$folder/grafana" -name 'request-*' | wc -l)" = 2
ok 'of the set' grep -q 'The set of trials begins' "$folder/hook/request-1"

# ---- a run that died is healed: its incident ends ----
rm -f "$folder"/hook/request-* "$folder"/mail/mail-*
sed 's/for: 400ms/for: 20s/; s/at_most: 10s/at_most: 30s/' "$drill" >"$folder/long.yaml"
"$firedrill" run "$folder/long.yaml" --yes --no-notify --out "$folder/long" >"$folder/long.log" 2>&1 &
pid=$!
end=$((SECONDS + 20))
until grep -q 'T (stopped)' "/proc/$victim_pid/status" || [ $SECONDS -gt $end ]; do
	read -rt 0.05 <> <(:) || true
done
kill -9 "$pid"
wait "$pid" 2>/dev/null
says 0 '1 healed, nothing left behind' "$firedrill" heal
ok 'its incident is resolved' grep -q '"event_action":"resolve"' "$folder/hook/request-1"
says 0 'nothing to heal' "$firedrill" heal
ok 'once' test "$(requests)" = 1

# ---- nothing that we wrote holds a secret ----
ok 'no secret of a channel in the store, the outbox or a report' sh -c "! grep -raq 'qz.*-never-to-be-seen' '$folder'/store* '$folder'/met '$folder'/missed '$folder'/refused"
ok 'the messages are private' sh -c "[ -z \"\$(find '$folder'/store -name '*.json' -perm /077)\" ]"
echo "notify: $passed passed, $failed failed"
[ "$failed" = 0 ]
