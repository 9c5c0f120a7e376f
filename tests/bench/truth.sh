#!/bin/bash
# truth.sh - sourced by bench.sh: part truth, outages whose truth is known.
# shellcheck disable=SC2154 # bench.sh sets bin, scratch, repeats and the sizes

part_truth() {
	section 'Ground truth: 1,000 outages of 50 ms to 5 s of a scripted server, 40 at a time, probes every 10 ms'
	"$bin/bench_truth" 1000 40 5s
	cat <<-TEXT
		A thousand seeds; the server notes on the same clock when it stopped and when it served again. Attempts
		  that hang and are answered at the end (timeout: 100 ms) widen the span by up to the timeout, and the first
		  answer of a slow start by what it takes. Not seen: a freeze shorter than the timeout fails nobody.
		  Closed loop: one connection, the same timeout, 10 ms after each answer; the error of the one number it says.
	TEXT
}
