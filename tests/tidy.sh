#!/bin/sh
# tidy.sh - the rules of the house that a compiler cannot check. Prints file:line: why, and exits 1.
#
# Function and file length (of shell scripts, too), banned calls with what to use instead, who may include whom (design.md 7),
# third-party headers only in their files, loose ends. tests/tidy_selftest.sh shows that it bites.
# An argument names another tree to look at.
set -eu
cd "${1:-$(dirname "$0")/..}"

dirs=
for dir in harness probes reports fixtures tests; do
	[ -d "$dir" ] && dirs="$dirs $dir"
done
# shellcheck disable=SC2086 # a list of folders of ours, without blanks
files=$(find $dirs -name '*.[ch]' | sort)
scripts=$(find tests fixtures -name '*.sh' | sort)

bad=$(
	# A function fits on a screen. Ours open and close in column one.
	# shellcheck disable=SC2086
	awk 'FNR == 1 { start = 0 }
	     /^\{/ { start = FNR }
	     /^\}/ && start { if (FNR - start > 60) print FILENAME ":" start ": function of " FNR - start " lines"; start = 0 }
	     FNR == 601 { print FILENAME ":601: file longer than 600 lines" }
	     length($0) > 120 { print FILENAME ":" FNR ": line of " length($0) " columns" }
	     /FIXME|TODO|(^|[^X])XXX([^X]|$)/ { print FILENAME ":" FNR ": finish it or open an issue" }' $files

	# A script is read as a whole, too.
	for file in $scripts; do
		awk -v file="$file" 'FNR == 601 { print file ":601: file longer than 600 lines" }' "$file"
	done

	# A banned word, and what to use instead.
	while read -r word instead; do
		# shellcheck disable=SC2086
		grep -nE "(^|[^a-z_])$word\(" $files /dev/null | sed "s/\$/   <- use $instead/" || true
	done <<-'BANS'
		sprintf snprintf
		strcpy text_add
		strcat text_add
		strtok text_split
		atoi units_parse_count
		system remote_exec
		popen remote_exec
		sleep wait_until
		usleep wait_until
		gettimeofday clock_now_ns
	BANS

	# Every file says what it is for in its first lines.
	for file in $files; do
		head -2 "$file" | grep -q "^ \* $(basename "$file") - " ||
			echo "$file:1: begins without \"$(basename "$file") - what it is for\""
	done

	# Who may include whom: a folder, then the prefixes its quoted includes may have.
	while read -r folder allowed; do
		[ -d "$folder" ] || continue
		grep -rnE '^#include "' "$folder" --include='*.[ch]' | grep -vE "\"($allowed)" |
			sed 's/$/   <- wrong direction/' || true
	done <<-'LAYERS'
		harness/base base/
		harness/model base/|model/
		harness/load base/|model/|load/|faults/fault.h|probes/probe.h|notify/channel.h|schedule/(cron|calendar).h
		harness/schedule base/|model/|schedule/
		harness/store base/|model/|store/
		harness/remote base/|model/|remote/
		harness/notify base/|model/|notify/|remote/http.h|remote/mail.h
		harness/faults base/|model/|faults/|remote/remote.h
		harness/engine base/|model/|engine/|store/(store|store_dues).h|remote/remote.h|faults/fault.h|probes/probe.h|load/load.h
		harness/worker base/|model/|worker/|schedule/|store/(store|store_dues).h|load/load.h|engine/engine.h
		probes base/|model/|probes/|remote/
		reports base/|model/|reports/
	LAYERS

	# Third-party headers, and the only files that may know them.
	while read -r header allowed; do
		grep -rnE "^#include <$header" harness probes reports --include='*.[ch]' |
			grep -vE "^($allowed):" | sed 's/$/   <- this header has a file of its own/' || true
	done <<-'HEADERS'
		cjson/ harness/base/json.c
		openssl/ harness/base/hash.c
		yaml.h harness/load/tree.c
		sqlite3.h harness/store/sqlite[a-z_]*\.[ch]
		libssh/ harness/remote/ssh[a-z_]*\.[ch]
		curl/ harness/remote/(http|mail).c
		libpq-fe.h probes/postgres_[a-z_]*\.[ch]|harness/store/postgres[a-z_]*\.c
		hiredis/ probes/redis_[a-z_]*\.c
		mariadb/ probes/mariadb_[a-z_]*\.c
		plot.h reports/plot[a-z_]*\.c
		microhttpd.h harness/serve/web.c
		png.h reports/(plot|png)[a-z_]*\.c
	HEADERS

	# Threads are started in three places only: lanes, watches of events, and opening many hosts at once.
	grep -rnE 'pthread_create\(' harness probes reports --include='*.c' |
		grep -vE '^harness/engine/(sampler|follower|sessions)\.c:' | sed 's/$/   <- workers wait, one thread decides/' || true
)
[ -z "$bad" ] || { printf '%s\n' "$bad"; exit 1; }
