#!/bin/bash
# hardening.sh - the protections that the Makefile asks the compiler for are really in the program: read
# from its ELF headers, symbols and code, not from the command line.
#
# usage: tests/hardening.sh PROGRAM...: each was built with its objects beside it (BUILD/firedrill, BUILD/harness).
# Before that every check is tried on a program without any of it, where it must say no.
set -u
cd "$(dirname "$0")/.." || exit 1
[ $# -ge 1 ] || { echo 'usage: tests/hardening.sh PROGRAM...' >&2; exit 2; }
export LC_ALL=C
passed=0
failed=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# Position independent: its addresses differ from run to run.
is_pie() { readelf -hW "$1" | grep -q 'Type: *DYN' && readelf -dW "$1" | grep -q 'FLAGS_1.*PIE'; }
# Everything is bound at the start, and the tables of it are read-only from then on.
is_relro() { readelf -lW "$1" | grep -q GNU_RELRO; }
is_bound_now() { readelf -dW "$1" | grep -qE '\(FLAGS(_1)?\).*NOW'; }
# No memory that can be written and run.
has_no_wx() { readelf -lW "$1" | grep -q 'GNU_STACK.* RW ' && ! readelf -lW "$1" | grep -qE ' RWE '; }
has_canaries() { readelf -sW --dyn-syms "$1" | grep -q __stack_chk_fail; }
# Level 3 checks also what is only known when it runs; then there are many of these.
is_fortified() { [ "$(readelf -sW --dyn-syms "$1" | grep -coE '__[a-z]+_chk\b')" -ge 3 ]; }
# No folder from which a library of somebody else's could be loaded.
has_no_rpath() { ! readelf -dW "$1" | grep -qE 'RPATH|RUNPATH'; }
# Indirect jumps land only on endbr64; the note says so of every one of our objects.
has_branch_marks() {
	objdump -d --no-show-raw-insn --disassemble=main "$1" | grep -q endbr64
}

check() {
	local name=$1 program=$2
	if "$name" "$program"; then
		passed=$((passed + 1))
		echo "ok - $name $program"
	else
		failed=$((failed + 1))
		echo "not ok - $name $program"
	fi
}

# bites NAME: the check says no to a program that was built without.
bites() {
	if "$1" "$folder/soft"; then
		failed=$((failed + 1))
		echo "not ok - $1 says yes to a program without it"
	else
		passed=$((passed + 1))
		echo "ok - $1 bites"
	fi
}

checks='is_pie is_relro is_bound_now has_no_wx has_canaries is_fortified has_no_rpath'
[ "$(uname -m)" != x86_64 ] || checks="$checks has_branch_marks"

cat >"$folder/soft.c" <<'END'
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) { char name[8]; (void)argc; strncpy(name, argv[0], 7); return puts(name) < 0; }
END
cc -O2 -o "$folder/soft" "$folder/soft.c" -w -no-pie -fno-pie -fno-stack-protector -fcf-protection=none -U_FORTIFY_SOURCE \
	-Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/tmp || exit 1
for name in $checks; do
	bites "$name"
done
for program; do
	for name in $checks; do
		check "$name" "$program"
	done
	[ "$(uname -m)" = x86_64 ] || continue
	for object in "$(dirname "$program")"/harness/*/*.o "$(dirname "$program")"/probes/*.o; do
		readelf -nW "$object" | grep -q 'IBT, SHSTK' && continue
		failed=$((failed + 1))
		echo "not ok - $object was built without marks for branches"
	done
done
echo "hardening: $passed passed, $failed failed"
[ "$failed" = 0 ]
