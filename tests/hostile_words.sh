#!/bin/sh
# hostile_words.sh - for lab_sudo.sh, on a host, as a user who may call the helper: words that no shell may read as
# code, in every place of a call, through the real sudo.
#
# usage: hostile_words.sh HELPER CATALOGUE. Prints how many calls there were, how many went through, and
# whether one of them left its mark. A process may be named oddly, so there a word may go through and do nothing.
set -u
helper=$1 catalogue=$2
mark=/tmp/hostile-mark
dir=/run/firedrill/mine/1
calls=0 through=0
export SSH_CONNECTION='198.18.77.254 1 198.18.77.31 22'

try() { # WORD...
	calls=$((calls + 1))
	! sudo -n "$helper" "$@" >/dev/null 2>&1 || through=$((through + 1))
}

long=$(head -c 20000 /dev/zero | tr '\0' x)
newline='
'
for open in '' "'" '"' "'\"" "\\'" ')' '`' "$newline" - "$long"; do
	word="$open\$(touch $mark)\`touch $mark\`;touch $mark|touch $mark&touch $mark #$open"
	try "$word" ssh guard/renew "$dir" 5
	try "$catalogue" "$word" guard/renew "$dir" 5
	try "$catalogue" ssh "$word" "$dir"
	try "$catalogue" ssh guard/renew "$word" 5
	try "$catalogue" ssh guard/renew "$dir" "$word"
	try "$catalogue" ssh service.stop/read "$dir" "$word"
	try "$catalogue" ssh disk.fill/read "$dir" "$word" 1
	try "$catalogue" ssh guard/arm "$dir" 60 guard/guard guard/fire "$word" "$dir" nginx
	SSH_CONNECTION="1.2.3.4 1 $word" try "$catalogue" ssh guard/renew "$dir" 5
	sudo -n "$helper" "$catalogue" ssh process.pause/read "$dir" "$word" all >/dev/null 2>&1
done
if [ -e "$mark" ] || [ -e /hostile-mark ]; then
	echo "$calls calls, $through went through, and there is a mark"
else
	echo "$calls calls, $through went through, no mark"
fi
