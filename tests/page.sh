#!/bin/bash
# page.sh - the page in a real browser (tests/page.py), over a history that is made up, a drill that left
# something behind, and one that is under way while one looks.
#
# usage: tests/page.sh BUILD. Screenshots stay in BUILD/page. Needs no root.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "$1")
firedrill=$build/firedrill
folder=$(mktemp -d)
export FIREDRILL_STORE=$folder/store/firedrill.db
page_pid=
# shellcheck source=tests/local_drill.sh
. tests/local_drill.sh

end() {
	[ -z "$page_pid" ] || kill "$page_pid" 2>/dev/null
	local_drill_end
	wait
	rm -rf "$folder" "$build/page/profile"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

wait_until() {
	local until=$((SECONDS + 30))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || { echo "this did not come true: $*" >&2; return 1; }
		read -rt 0.1 <> <(:) || true
	done
}
# The newest run is of this title, has not ended, and has come so far.
is_under_way() { "$firedrill" list --limit 1 | grep -q "not ended  $1" && "$firedrill" show last | grep -q "$2"; }
id_of_last() { "$firedrill" list --limit 1 | sed -n 's/^ *\([0-9a-z-]*\) .*/\1/p'; }

mkdir -p "$build/page" "$folder/store"
chmod 700 "$folder/store"
rm -f "$build"/page/*.png
"$build/bench_kpi" "$FIREDRILL_STORE" 400 || exit 1
local_drill_begin "$folder" || exit 1
"$firedrill" run "$folder/drill.yaml" --yes --out "$folder/out" >"$folder/said" 2>&1 || { cat "$folder/said"; exit 1; }

sed 's/for: 1s/for: 50s/; s/at_most: 10s/at_most: 60s/; s/lease: 5s/lease: 60s/; s/^title: .*/title: A drill that dies/' \
	"$folder/drill.yaml" >"$folder/dead.yaml"
"$firedrill" run "$folder/dead.yaml" --yes --out "$folder/out" >/dev/null 2>&1 &
dead=$!
wait_until is_under_way 'A drill that dies' ' confirmed ' || exit 1
token=$(od -An -tx1 -N24 /dev/urandom | tr -d ' \n')
(umask 077 && echo "anna:$token" >"$folder/tokens")
cat >"$folder/plan.yaml" <<'YAML'
title: Rehearsals
schedules:
  weekly: { experiment: drill.yaml, cron: "30 9 * * tue", jitter: 20m }
  workdays: { experiment: drill.yaml, random: { between: [09:00, 16:00], days: mon-fri } }
  hourly: { experiment: drill.yaml, cron: "0 * * * *" }
YAML
"$firedrill" serve --jobs 0 --listen 127.0.0.1:0 --actions-token-file "$folder/tokens" "$folder/plan.yaml" >"$folder/page" 2>&1 &
page_pid=$!
wait_until grep -q http:// "$folder/page" || exit 1
url=$(grep -oE 'http://[0-9.:]+' "$folder/page")
{ kill -9 $dead && wait $dead; } 2>/dev/null
curl -s "$url/" >"$build/page/leftover.html"; grep -q "Still broken" "$build/page/leftover.html" || { "$firedrill" list | head -3; echo "the page does not show what is left"; exit 1; }

"$firedrill" heal >/dev/null 2>&1
sed 's/for: 1s/for: 6s/; s/at_most: 10s/at_most: 30s/; s/rto: 5s/rto: 20s/' "$folder/drill.yaml" >"$folder/live.yaml"
"$firedrill" run "$folder/live.yaml" --yes --out "$folder/out" >/dev/null 2>&1 &
wait_until is_under_way 'Hang a web server' 'lanes started' || exit 1
tests/page.py "$url" "$build/page" "$(id_of_last)" "$token"
