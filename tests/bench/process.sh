#!/bin/bash
# process.sh - sourced by bench.sh: part process, whole processes of firedrill beside python3.
# shellcheck disable=SC2154,SC2034 # bench.sh sets bin, scratch, repeats and the sizes, and ends the victim

write_experiment() {
	cp "$(command -v sleep)" "$scratch/fdv$$"
	"$scratch/fdv$$" 120 &
	victim=$!
	serve 12 http "$bin/bench_server" http
	cat >"$scratch/inventory.yaml" <<-YAML
		hosts:
		  here: { local: true }
		services:
		  web: { kind: http, url: "http://127.0.0.1:$line/", members: [here] }
	YAML
	cat >"$scratch/minimal.yaml" <<-YAML
		title: The least there is
		service: web
		objectives: { rto: 5s }
		probes:
		  health: { kind: http.get, on: web, every: 1ms, timeout: 20ms }
		steady_state: { good_for: 2ms, within: 5s }
		baseline: 0s
		method:
		  - { at: 0s, fault: process.pause, on: here, with: { name: fdv$$ }, for: 1ms }
		observe: { stable_for: 2ms, at_most: 10s }
		lease: 5s
	YAML
}

part_process() {
	write_experiment
	local i fire=$bin/firedrill documents=("$scratch/minimal.yaml" --inventory "$scratch/inventory.yaml")
	for ((i = 0; i < repeats; i++)); do
		timed version "$fire" version
		timed bare /usr/bin/python3 -c pass
		timed check "$fire" check "${documents[@]}"
		timed imports /usr/bin/python3 -c 'import json, urllib.request, subprocess'
		timed plan "$fire" plan "${documents[@]}"
		timed run "$fire" run "${documents[@]}" --yes --out "$scratch/run.$i"
	done
	heading "A whole process: wall time and peak memory"
	row 'version : python3 -c pass' ms "$(median version.wall)" "$(median bare.wall)" "$(ratio version.wall bare.wall)" -
	row 'check : python3 with json, urllib, subprocess' ms "$(median check.wall)" "$(median imports.wall)" "$(ratio check.wall imports.wall)" -
	row 'plan : the same' ms "$(median plan.wall)" "$(median imports.wall)" "$(ratio plan.wall imports.wall)" -
	row 'run, a whole drill : the same' ms "$(median run.wall)" "$(median imports.wall)" "$(ratio run.wall imports.wall)" -
	row '  the same, Chaos Toolkit ELSEWHERE (see below)' ms "$(median run.wall)" 209 "$(calc "$(median run.wall) / 209")" '<= 0.05'
	row '  CPU of it' ms "$(median run.cpu)" "$(median imports.cpu)" "$(ratio run.cpu imports.cpu)" -
	row '  peak memory of it' MiB "$(median run.mib)" "$(median imports.mib)" "$(ratio run.mib imports.mib)" -
	row '  the same, Chaos Toolkit ELSEWHERE' MiB "$(median run.mib)" 31.7 "$(calc "$(median run.mib) / 31.7")" '<= 0.5'
	cat <<-TEXT
		run: local: true, one http.get every 1 ms, process.pause for 1 ms, five reports and a picture. It must wait
		  at least good_for 2 ms + baseline 0 s + for 1 ms + stable_for 2 ms + settling 2 ms; the rest is work.
		ELSEWHERE: Chaos Toolkit is not in Debian and was not run here. Its 209 ms and 31.7 MiB were measured on
		  another machine (bare python3 there: 11.5 ms) with one http probe, no guard on the target, no picture and
		  no page. So these two rows are for orientation; python3 is the floor that was measured here.
	TEXT
}
