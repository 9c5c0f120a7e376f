#!/bin/bash
# reports.sh - sourced by bench.sh: parts chart and report, what a long drill's reports cost.
# shellcheck disable=SC2154 # bench.sh sets bin, scratch, repeats and the sizes

part_chart() {
	local i format ns kib
	heading "Reports of a drill of $samples samples"
	for format in html png; do
		for ((i = 0; i < repeats; i++)); do
			read -r ns _ kib < <("$bin/bench_chart" "$format" "$samples")
			note "$format.ms" "$(calc "$ns / 1e6")"
			note "$format.mib" "$(calc "$kib / 1024")"
		done
	done
	paste "$scratch/figure.html.ms" "$scratch/figure.png.ms" | awk '{ print $1 + $2 }' >"$scratch/figure.both.ms"
	row 'page with its SVG' ms "$(median html.ms)" - - -
	row 'picture, antialiased PNG' ms "$(median png.ms)" - - -
	row 'both (goal: 300 ms)' ms "$(median both.ms)" - "$(calc "$(median both.ms) / 300")" '<= 1.0'
	row '  peak memory, the samples in it' MiB "$(median png.mib)" - - -
}

part_report() {
	local i format long=$scratch/long.db formats=(text json html png)
	"$bin/bench_report" "$long" "$many_rows" >/dev/null
	for ((i = 0; i < 3; i++)); do
		for format in "${formats[@]}"; do
			timed "report.$format" "$bin/firedrill" report bench --store "$long" --format "$format" --out "$scratch/long.$format"
		done
		timed report.verify "$bin/firedrill" verify bench --store "$long"
	done
	heading "A run of $many_rows samples (10 probes, every 1 ms) from its store, as whole processes"
	for format in "${formats[@]}"; do
		row "report --format $format" ms "$(median "report.$format.wall")" - - -
		row '  peak memory' MiB "$(median "report.$format.mib")" - - -
	done
	row 'verify: every seal, and the verdict made again' ms "$(median report.verify.wall)" - - -
	row '  peak memory' MiB "$(median report.verify.mib)" - - -
	row 'the store on the disk' MiB "$(calc "$(stat -c %s "$long") / 1048576")" - - -
	rm -f "$long"
	cat <<-TEXT
		Chunks are unpacked and their seals checked one by one; the samples are then in memory once, 24 bytes each
		  ($(calc "24 * $many_rows / 1048576") MiB), because percentiles, spans and picture look at them again and again.
	TEXT
}
