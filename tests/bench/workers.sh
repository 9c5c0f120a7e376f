#!/bin/bash
# workers.sh - sourced by bench.sh: part claims, due runs and how fast workers take them.
# shellcheck disable=SC2154 # bench.sh sets bin, scratch, repeats and the sizes

# claims_turn KIND WORKERS [KILLED]: $dues due runs of nothing; exactly once, or this is an error.
claims_turn() {
	local took done_count abandoned twice
	read -r took done_count abandoned twice < <("$bin/bench_claims" "$1" "$dues" "$2" "${3:-0}")
	if [ "${twice:-1}" != 0 ] || [ $((done_count + abandoned)) != "$dues" ]; then
		echo "bench.sh: $1, $2 workers: ${done_count:-0} done, ${abandoned:-0} abandoned, ${twice:-?} twice" >&2
		exit 1
	fi
	printf '%-12s %8s %8s %12.0f %8s %10s %6s\n' "$1" "$2" "${3:-0}" "$(calc "$dues * 1e9 / $took")" \
		"$done_count" "$abandoned" "$twice"
}

part_claims() {
	local kind workers
	section "$dues due runs that do nothing: claimed, run by a process each, recorded"
	printf '%-12s %8s %8s %12s %8s %10s %6s\n' store workers killed 'per second' 'done' abandoned twice
	for kind in sqlite postgresql; do
		for workers in 1 4 16; do
			claims_turn "$kind" "$workers"
		done
		claims_turn "$kind" 16 8
	done
	cat <<-TEXT
		One run at a time for each worker. With 8 of 16 killed (-9) after a quarter, each run is also kept in the store,
		  and those that the killed had in their hands are healed and abandoned: done and abandoned make $dues.
	TEXT
}
