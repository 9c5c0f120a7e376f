#!/bin/bash
# docs.sh - what the documents say is true: links lead somewhere, the experiments shown pass `check`,
# every command, fault, probe and option is documented, the man page is sound.
#
# usage: tests/docs.sh FIREDRILL. Needs no root.
set -u
cd "$(dirname "$0")/.." || exit 1
firedrill=$(realpath "$1")
passed=0
failed=0

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

for page in README.md SECURITY.md docs/*.md; do
	while read -r link; do
		case $link in
		http*|\#*) ;;
		*) ok "$page links to $link" test -e "$(dirname "$page")/${link%%#*}" ;;
		esac
	done < <(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//; s/)$//')
done
for experiment in experiments/*.yaml; do
	case $experiment in
	*inventory*) ;;
	*/plan*) ok "$experiment is a plan file that schedules" "$firedrill" schedule "$experiment" ;;
	*) ok "$experiment passes check" "$firedrill" check "$experiment" ;;
	esac
done
ok "docs/schedule.md shows the plan file that ships" cmp -s \
	<(sed -n 's/^    //; /^title: Rehearsals/,/overlap: wait/p' docs/schedule.md) <(sed '/^#/d' experiments/plan.yaml)
for verb in $("$firedrill" --help | sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p'); do
	ok "README names the command $verb" grep -q "\`$verb\b" README.md
	ok "the man page names the command $verb" grep -qE "\\b$verb\\b" docs/firedrill.1
	# Its example is a command line that the program understands.
	ok "$verb --help has an example" sh -c "'$firedrill' $verb --help | grep -q 'firedrill $verb'"
done
for fault in $("$firedrill" faults | sed -n 's/^\([a-z.]*\) - .*/\1/p'); do
	ok "README names the fault $fault" grep -q "\`$fault\`" README.md
	ok "docs/faults.md names $fault" grep -q "$fault" docs/faults.md
done
for probe in $("$firedrill" probes | sed -n 's/^\([a-z.]*\) - .*/\1/p'); do
	ok "docs/probes.md names $probe" grep -q "$probe" docs/probes.md
done
for code in 0 1 2 3 4 5 6 7; do
	meaning=$("$firedrill" --help | sed -n "s/^  $code  //p")
	ok "README has exit code $code" grep -q "^| $code | " README.md
	ok "the help has exit code $code" test -n "$meaning"
done
parts=$(tests/bench.sh 2>&1 | sed -n 's/^usage: .*parts: //p')
# shellcheck disable=SC2086 # a list of words
ok "the usage of bench.sh lists every part that there is" test "$(printf 'part_%s\n' $parts | sort)" = \
	"$(sed -n 's/^\(part_[a-z]*\)() {/\1/p' tests/bench/*.sh | sort)"
for part in $parts; do
	ok "docs/benchmarks.md has the part $part" grep -q "^| \`$part\` | " docs/benchmarks.md
done
# is_held CELL: names tests between backquotes, at least one, and every one of them is there: `test_name` of a C
# file, or `FILE:WORDS` (a bar in them is written \|), which that file must have.
# shellcheck disable=SC2016 # backquotes as the page has them
is_held() {
	local name count=0
	while IFS= read -r name; do
		name=${name//\\|/|}
		case $name in
		test_*) grep -rqE "START_TEST\($name\)" tests || return ;;
		tests/*:* | fixtures/*:*) grep -qF -- "${name#*:}" "${name%%:*}" || return ;;
		*) continue ;;
		esac
		count=$((count + 1))
	done < <(grep -oE '`[^`]+`' <<<"$1" | tr -d '`')
	[ "$count" -gt 0 ]
}
# Every row of a table whose last column is "held by".
rows=0
for page in docs/safety.md docs/attacks.md; do
	while IFS= read -r row; do
		rows=$((rows + 1))
		ok "$page: $(grep -oE '\*\*[^*]+\*\*' <<<"$row" | head -n 1) is held by tests that are there" \
			is_held "$(sed -E 's/\\\|/\x01/g; s/ *\|$//; s/.*\|//; s/\x01/\\|/g' <<<"$row")"
	done < <(awk '!/^\|/ { held = 0 } held && !/^\| *---/ { print } /^\|.*held by \|$/ { held = 1 }' "$page")
done
ok "the promises and attacks of the documents were read" test "$rows" -ge 45
# shellcheck disable=SC2016 # backquotes as the page has them
while read -r file; do
	ok "SECURITY.md names $file, which is there" test -e "$file"
done < <(grep -oE '`(tests|packaging|harness|fixtures)/[A-Za-z0-9_./]+`' SECURITY.md | tr -d '`' | sort -u)
ok "packaging/sudoers.example is what sudoers prints" sh -c \
	"'$firedrill' sudoers db1 --inventory experiments/inventory-sudo.yaml | cmp - packaging/sudoers.example"
ok "docs/least-privilege.md shows the same lines" sh -c \
	"grep -v '^#' packaging/sudoers.example | while read -r line; do grep -qF \"\$line\" docs/least-privilege.md || exit; done"
ok "the statistics table is what its script makes" sh -c \
	'python3 tests/statistics_table.py | cmp - tests/statistics_table.h'
if command -v groff >/dev/null; then
	ok "the man page is sound" test -z "$(groff -man -Tutf8 -ww docs/firedrill.1 2>&1 >/dev/null)"
else
	echo "skipped: the man page's syntax: groff is not installed"
fi
echo "docs: $passed passed, $failed failed"
[ "$failed" = 0 ]
