#!/bin/bash
# lanes.sh - sourced by bench.sh: parts lanes and http, how late probes are and what one costs.
# shellcheck disable=SC2154 # bench.sh sets bin, scratch, repeats and the sizes

# lane_turn FIGURE COMMAND...
lane_turn() {
	local figure=$1 slots bad missed late p50 p99 max cpu kib bare_p50 bare_p99 bare_max
	shift
	read -r fifo slots bad missed late p50 p99 max cpu kib bare_p50 bare_p99 bare_max < <("$@")
	[ -n "${bare_max:-}" ] || { echo "bench.sh: could not run: $*" >&2; exit 1; }
	note "$figure.p50" "$(calc "$p50 / 1e3")"
	note "$figure.p99" "$(calc "$p99 / 1e3")"
	note "$figure.max" "$(calc "$max / 1e3")"
	note "$figure.bad" "$(calc "$bad * 100 / $slots")"
	note "$figure.missed" "$(calc "$missed * 100 / $slots")"
	note "$figure.late" "$(calc "$late * 100 / $slots")"
	note "$figure.cpu" "$(calc "$cpu / 1e3")"
	note "$figure.kib" "$kib"
	note "$figure.bare.p50" "$(calc "$bare_p50 / 1e3")"
	note "$figure.bare.p99" "$(calc "$bare_p99 / 1e3")"
	note "$figure.bare.max" "$(calc "$bare_max / 1e3")"
	eval "${figure}_fifo=$([ "$fifo" = 1 ] && echo granted || echo 'denied')"
}

# Ours and the bare thread's, in microseconds; shares of all slots in percent.
lane_row() {
	local figure=$1 what=$2 fifo bound
	eval "fifo=\$${figure}_fifo"
	[ "$fifo" = granted ] && bound=500 || bound=5000
	printf '%-30s %-8s %6.0f %6.0f %7.0f   %6.0f %6.0f %7.0f  %6.2f %6.2f %6.2f  %6.1f  %5.0f us %s\n' "$what" "$fifo" \
		"$(median "$figure.p50")" "$(median "$figure.p99")" "$(median "$figure.max")" \
		"$(median "$figure.bare.p50")" "$(median "$figure.bare.p99")" "$(median "$figure.bare.max")" \
		"$(median "$figure.late")" "$(median "$figure.missed")" "$(median "$figure.bad")" "$(median "$figure.cpu")" \
		"$bound" "$(awk "BEGIN { print $(median "$figure.p99") <= $bound ? \"yes\" : \"NO\" }")"
}

part_lanes() {
	local i plain=()
	start_web
	# What a user without the right to real-time scheduling gets.
	[ "$(id -u)" != 0 ] || plain=(setpriv --bounding-set=-sys_nice --inh-caps=-sys_nice)
	for ((i = 0; i < repeats; i++)); do
		lane_turn tcp "$bin/bench_lanes" tcp 1 1ms 20 1s
		lane_turn one "$bin/bench_lanes" kept 1 1ms 20 1s "$web_port"
		lane_turn hundred "$bin/bench_lanes" kept 100 10ms 10 1s "$web_port"
		lane_turn thousand "$bin/bench_lanes" kept 1000 100ms 2 1s "$web_port"
		lane_turn fresh "$bin/bench_lanes" fresh 100 50ms 2 1s "$web_port"
		lane_turn one_plain "${plain[@]}" "$bin/bench_lanes" kept 1 1ms 20 1s "$web_port"
		lane_turn hundred_plain "${plain[@]}" "$bin/bench_lanes" kept 100 10ms 10 1s "$web_port"
		lane_turn thousand_plain "${plain[@]}" "$bin/bench_lanes" kept 1000 100ms 2 1s "$web_port"
	done
	section 'How late the lanes are (us), beside one thread that only sleeps to as many times (bare)'
	printf '%-30s %-8s %6s %6s %7s   %6s %6s %7s  %6s %6s %6s  %6s  %s\n' load FIFO p50 p99 max 'bare50' 'bare99' baremax \
		'late%' 'none%' 'bad%' 'cpu us' 'goal of p99, met'
	lane_row tcp '1 tcp.connect every 1 ms'
	lane_row one '1 http.get every 1 ms'
	lane_row hundred '100 http.get every 10 ms'
	lane_row thousand '1,000 http.get every 100 ms'
	lane_row fresh '100 fresh http.get every 50 ms'
	lane_row one_plain '1 http.get every 1 ms'
	lane_row hundred_plain '100 http.get every 10 ms'
	lane_row thousand_plain '1,000 http.get every 100 ms'
	cat <<-TEXT
		1, 10 and 2 lanes for each probe are 20, 1,000 and 2,000 threads; $(median thousand.kib) KiB of memory each (libcurl, a
		  connection, the part of the stack that was used). late: sent only once the next slot was due; none: skipped
		  or not sampled. cpu: of our process for one sample, the two wake-ups of a lane included. nginx, one
		  worker, shares the $(nproc) cores and is not real-time.
	TEXT
}

# http_turn kept|fresh WRK_ARGUMENT...: one second of each, 32 connections.
http_turn() {
	local how=$1 good others took cpu requests
	shift
	read -r good others took cpu < <("$bin/bench_http" "$how" 32 1s "$web_port")
	[ "${others:-1}" = 0 ] || { echo "bench.sh: ${others:-all} HTTP requests were not good" >&2; exit 1; }
	note "http.$how.rate" "$(calc "$good / $took")"
	note "http.$how.us" "$(calc "$cpu / 1000")"
	read -r took cpu _ < <("$bin/bench_time" "$scratch/wrk" wrk -t 1 -c 32 -d 1s "$@" "http://127.0.0.1:$web_port/")
	requests=$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' "$scratch/wrk")
	if [ -z "$requests" ] || grep -q 'Socket errors\|Non-2xx' "$scratch/wrk"; then
		cat "$scratch/wrk" >&2
		exit 1
	fi
	note "wrk.$how.rate" "$(calc "$requests * 1e9 / $took")"
	note "wrk.$how.us" "$(calc "$cpu / 1000 / $requests")"
}

part_http() {
	local i
	start_web
	for ((i = 0; i < repeats; i++)); do
		http_turn kept
		http_turn fresh -H 'Connection: close'
	done
	heading "The probe http.get in a closed loop, 32 at a time : wrk -t 1 -c 32, the same nginx"
	row 'kept connections, per second' /s "$(median http.kept.rate)" "$(median wrk.kept.rate)" "$(ratio http.kept.rate wrk.kept.rate)" -
	row '  client CPU per request' us "$(median http.kept.us)" "$(median wrk.kept.us)" "$(ratio http.kept.us wrk.kept.us)" '<= 3.0'
	row 'a new connection each, per second' /s "$(median http.fresh.rate)" "$(median wrk.fresh.rate)" "$(ratio http.fresh.rate wrk.fresh.rate)" -
	row '  client CPU per request' us "$(median http.fresh.us)" "$(median wrk.fresh.us)" "$(ratio http.fresh.us wrk.fresh.us)" '<= 1.4'
	cat <<-TEXT
		Ours: a thread for each connection, libcurl, status and headers looked at; wrk: one thread for all, epoll, reads
		  and drops. What a thread costs more is the wake-up for each answer.
	TEXT
}
