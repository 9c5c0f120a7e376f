#!/bin/bash
# packaging.sh - what is shipped beside the program: the systemd unit, the rules and the dashboard for its
# numbers; and a real Prometheus of the test's own that scrapes the page.
#
# usage: tests/packaging.sh FIREDRILL. Needs no root. One line a test and a closing count.
set -u
cd "$(dirname "$0")/.." || exit 1
firedrill=$(realpath "$1")
folder=$(mktemp -d)
page_pid=
prometheus_pid=
passed=0
failed=0

end() {
	[ -z "$page_pid" ] || kill "$page_pid" 2>/dev/null
	[ -z "$prometheus_pid" ] || kill "$prometheus_pid" 2>/dev/null
	wait
	rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

ok() {
	local what=$1
	shift
	if "$@" >"$folder/said" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $what"
	else
		failed=$((failed + 1))
		echo "not ok - $what"
		sed 's/^/    /' "$folder/said"
	fi
}

# wait_until COMMAND...: at most 20 s.
wait_until() {
	local until=$((SECONDS + 20))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		read -rt 0.1 <> <(:) || true
	done
}

start_page() {
	"$firedrill" serve --listen 127.0.0.1:0 --store "$folder/store/firedrill.db" >"$folder/page" 2>&1 &
	page_pid=$!
	wait_until grep -q http:// "$folder/page" || return 1
	page=$(grep -oE '127\.0\.0\.1:[0-9]+' "$folder/page")
}

# ---- systemd ----

# They are not installed here: the units as they are, but for the place of the program and the manual.
units=$folder/units
mkdir "$units"
for unit in packaging/systemd/*.service packaging/systemd/*.timer; do
	sed "s|/usr/local/bin/firedrill|$firedrill|; /^Documentation=/d" "$unit" >"$units/$(basename "$unit")"
done

is_sound_unit() {
	local said
	said=$(SYSTEMD_UNIT_PATH=$units: systemd-analyze verify "$units/$1" 2>&1 | grep -F "$1")
	[ -z "$said" ] || { echo "$said"; return 1; }
}

# is_closed_unit UNIT MOST: systemd's own figure, from 0 (nothing is open) to 10.
is_closed_unit() {
	local figure
	figure=$(systemd-analyze security --offline=yes "packaging/systemd/$1" 2>/dev/null |
		sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\) .*/\1/p')
	echo "exposure ${figure:=10}"
	awk -v figure="$figure" -v most="$2" 'BEGIN { exit !(figure <= most) }'
}

# What a unit starts is a command that there is, with options that it has.
is_known_command() {
	local words word
	words=$(sed -n 's|^ExecStart=/usr/local/bin/firedrill ||p' "packaging/systemd/$1")
	[ -n "$words" ] && "$firedrill" "${words%% *}" --help >"$folder/help" || return 1
	while read -r word; do
		grep -q -- "^  $word" "$folder/help" || { echo "no option $word"; return 1; }
	done < <(grep -oE -- '--[a-z-]+' <<<"$words")
}

if command -v systemd-analyze >/dev/null; then
	for unit in "$units"/*; do
		unit=$(basename "$unit")
		ok "$unit is sound" is_sound_unit "$unit"
		case $unit in
		*.timer) continue ;;
		firedrill-serve.service) most=1.5 ;;
		*) most=1.7 ;; # drills reach other machines, and lanes ask for real time
		esac
		ok "$unit opens little" is_closed_unit "$unit" "$most"
		ok "$unit starts what there is" is_known_command "$unit"
	done
else
	echo 'skipped: systemd-analyze is not installed'
fi

# ---- what the numbers are called ----

start_page || { cat "$folder/page"; exit 1; }
all_families() { sed -n 's/^	{ "\(firedrill_[a-z_]*\)".*/\1/p' harness/serve/metric_table.c | sort -u; }
named_in() { grep -oE 'firedrill_[a-z_]+' "$1" | sort -u; }
are_known() { test -s "$1" && test -z "$(comm -13 <(all_families) <(named_in "$1"))"; }
ok 'the page tells the version' sh -c "curl -sf http://$page/metrics | grep -q '^firedrill_build_info{version=\"'"
for family in $(all_families); do
	ok "docs/serve.md names $family" grep -q "\`$family\`" docs/serve.md
done
ok 'the rules name families there are' are_known packaging/prometheus/firedrill.rules.yaml
ok 'the dashboard names families there are' are_known packaging/grafana/firedrill.json
ok 'the dashboard is JSON, each panel with a question' jq -e \
	'.panels | length > 8 and all(.targets | length > 0 and all(.expr | length > 0))' packaging/grafana/firedrill.json

# ---- Prometheus ----

has_scraped() {
	curl -sf "http://127.0.0.1:$port/api/v1/query?query=firedrill_store_up" | jq -e '.data.result[0].value[1] == "1"'
}

if command -v promtool >/dev/null && command -v prometheus >/dev/null; then
	ok 'the rules are rules' promtool check rules packaging/prometheus/firedrill.rules.yaml
	ok 'each alert fires when it should' promtool test rules packaging/prometheus/firedrill.rules.test.yaml
	"$firedrill" list --store "$folder/store/firedrill.db" >/dev/null 2>&1
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	cat >"$folder/prometheus.yaml" <<-YAML
		global: { scrape_interval: 1s }
		rule_files: [$PWD/packaging/prometheus/firedrill.rules.yaml]
		scrape_configs:
		  - job_name: firedrill
		    static_configs: [{ targets: ["$page"] }]
	YAML
	prometheus --config.file="$folder/prometheus.yaml" --storage.tsdb.path="$folder/tsdb" \
		--web.listen-address="127.0.0.1:$port" >"$folder/prometheus.log" 2>&1 &
	prometheus_pid=$!
	ok 'a real Prometheus scrapes the page' wait_until has_scraped
else
	echo 'skipped: prometheus is not installed (Debian package prometheus)'
fi

kill -HUP "$page_pid"
ok 'the page outlives a reload' curl -sf "http://$page/"
kill -TERM "$page_pid"
wait "$page_pid"
ok 'the page ends with 0' test $? = 0
page_pid=

echo "packaging: $passed passed, $failed failed"
[ "$failed" = 0 ]
