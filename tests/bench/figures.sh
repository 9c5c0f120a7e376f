#!/bin/bash
# figures.sh - sourced by bench.sh: commands timed, medians and ratios of what was noted, and how they are printed.
# shellcheck disable=SC2154 # bench.sh sets bin, scratch, repeats and the sizes

# note FIGURE VALUE...: collects what one repeat measured.
note() {
	printf '%s\n' "${@:2}" >>"$scratch/figure.$1"
}

median() {
	sort -g "$scratch/figure.$1" |
		awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# The median of the ratios of each repeat, which cancels what slowed both down: ratio OURS THEIRS.
ratio() {
	paste "$scratch/figure.$1" "$scratch/figure.$2" | awk '{ print $1 / $2 }' >"$scratch/figure.ratio"
	median ratio
}

calc() {
	awk "BEGIN { print $1 }"
}

# timed FIGURE COMMAND...: wall ms, CPU ms and MiB into FIGURE.wall, .cpu and .mib.
timed() {
	local figure=$1 wall cpu kib
	shift
	read -r wall cpu kib < <("$bin/bench_time" /dev/null "$@")
	[ -n "${kib:-}" ] || { echo "bench.sh: could not run: $*" >&2; exit 1; }
	note "$figure.wall" "$(calc "$wall / 1e6")"
	note "$figure.cpu" "$(calc "$cpu / 1e6")"
	note "$figure.mib" "$(calc "$kib / 1024")"
}

# The sections are numbered as they come.
section_number=0
section() {
	section_number=$((section_number + 1))
	printf '\n%d. %s\n' "$section_number" "$1"
}

heading() {
	section "$1"
	printf '%-46s %12s %12s %8s   %-12s %s\n' what ours theirs ratio goal met
}

# row WHAT UNIT OURS THEIRS RATIO "<=|>= N": what is unknown or has no goal is "-".
row() {
	local met=- ours theirs
	ours=$(figure "$3" "$2")
	theirs=$(figure "$4" "$2")
	if [ "$6" != - ] && [ "$5" != - ]; then
		met=$(awk "BEGIN { print ($5 ${6% *} ${6#* }) ? \"yes\" : \"NO\" }")
	fi
	printf '%-46s %12s %12s %8s   %-12s %s\n' "$1" "$ours" "$theirs" \
		"$([ "$5" = - ] && echo - || printf '%.2fx' "$5")" "$6" "$met"
}

figure() {
	[ "$1" = - ] && { echo -; return; }
	awk -v v="$1" -v u="$2" 'BEGIN { f = v >= 100 ? "%.0f %s" : v >= 10 ? "%.1f %s" : "%.2f %s"; printf f, v, u }'
}

# ---- the machine ----

machine() {
	local model
	model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
	echo "firedrill $("$bin/firedrill" version | head -1)"
	echo "machine: $(nproc) cores, ${model:-unknown model}, $(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r)"
	echo "load: $(cut -d' ' -f1-3 /proc/loadavg) when it began; others at work here make every figure worse"
	echo "ours and theirs take turns, $repeats times; figures are medians, ratios medians of each turn's ratio"
}
