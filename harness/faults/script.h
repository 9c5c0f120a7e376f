/*
 * script.h - what the faults do on a host: constant POSIX shell scripts with positional words.
 *
 * A script is a string constant and never contains a parameter; parameters are words, $1 and up, and
 * $1 is always the record's directory. So nothing that a user wrote is ever read by a shell as code.
 * A script ends with 0, or with a sentence on stderr and one of the statuses below.
 */
#ifndef FAULTS_SCRIPT_H
#define FAULTS_SCRIPT_H

#include "base/err.h"
#include "base/mem.h"
#include "faults/fault.h"
#include "model/heal_record.h"
#include "remote/remote.h"

enum {
	SCRIPT_REFUSED = 10,  /* unsafe, or a foreign object is in the slot: ERR_REFUSED */
	SCRIPT_MISMATCH = 11, /* confirm: looked, and the fault is not in effect */
	SCRIPT_BUSY = 75,     /* somebody held the record's lock for too long */
	SCRIPT_WORDS = 1100,  /* words of one script; a peer is one word */
};

/*
 * What every script starts with. $dir is the record's directory; a user other than root has no /run
 * of its own, so there it lies below /run/user/UID, or in a folder in /tmp that nobody else may enter.
 */
#define SCRIPT_BASE                                                                        \
	"set -u; umask 077; export LC_ALL=C PATH=\"$PATH:/usr/local/sbin:/usr/sbin:/sbin\"\n" \
	"dir=$1 own=\n"                                                                    \
	"fail() { printf '%s\\n' \"$*\" >&2; exit 1; }\n"                                  \
	"refuse() { printf '%s\\n' \"$*\" >&2; exit 10; }\n"                               \
	"mismatch() { printf '%s\\n' \"$*\"; exit 11; }\n"                                 \
	"check_own() { case $own in /tmp/*) if [ -e \"$own\" ] || [ -L \"$own\" ]; then\n" \
	"\t[ \"$(stat -c '%u %a' \"$own\" 2>/dev/null)\" = \"$(id -u) 700\" ] ||\n"        \
	"\t\trefuse \"$own is there already and is not ours alone\"\n"                     \
	"fi ;; esac; }\n"                                                                  \
	"if [ \"$(id -u)\" != 0 ]; then case $dir in /run/firedrill/*)\n"                  \
	"\town=/run/user/$(id -u); [ -d \"$own\" ] || own=/tmp/firedrill-$(id -u)\n"       \
	"\tdir=$own/${dir#/run/}; check_own ;;\n"                                          \
	"esac; fi\n"                                                                       \
	"base=${dir%/*/*}\n"                                                               \
	"is_ours() {\n"                                                                    \
	"\t[ \"$(stat -c %u \"$dir\" 2>/dev/null)\" = \"$(id -u)\" ] || return 1\n"        \
	"\t[ \"$(cat \"$dir/owner\" 2>/dev/null)\" = \"firedrill ${dir#\"$base\"/}\" ]\n"  \
	"}\n"                                                                              \
	"record_state() { if [ -e \"$dir\" ]; then echo present; else echo absent; fi; }\n" \
	"put() { printf '%s\\n' \"$2\" >\"$dir/$1.new\" && mv -f \"$dir/$1.new\" \"$dir/$1\"; }\n"

/* Making and removing the record's directory; drop_begun removes what make_dir was cut off in, and of
   somebody else's only an empty folder. */
#define SCRIPT_DIR                                                                                \
	"make_dir() {\n"                                                                          \
	"\tmkdir -p \"${dir%/*}\" || fail \"make ${dir%/*}: not possible\"\n"                     \
	"\tcheck_own\n"                                                                           \
	"\trmdir \"$dir\" 2>/dev/null || :\n"                                                     \
	"\tif mkdir \"$dir\" 2>/dev/null; then\n"                                                 \
	"\t\tput owner \"firedrill ${dir#\"$base\"/}\" && return\n"                               \
	"\t\tdrop_begun; fail \"write into $dir: not possible\"\n"                                 \
	"\telse is_ours || refuse \"$dir is there already and is not of this run\"; fi\n"         \
	"}\n"                                                                                     \
	"drop_begun() {\n"                                                                        \
	"\t[ \"$(stat -c %u \"$dir\" 2>/dev/null)\" = \"$(id -u)\" ] && [ ! -e \"$dir/owner\" ] || return 0\n" \
	"\trm -f \"$dir/owner.new\"\n"                                                            \
	"\trmdir \"$dir\" 2>/dev/null && rmdir \"${dir%/*}\" \"$base\" 2>/dev/null || :\n"         \
	"}\n"                                                                                     \
	"drop_dir() {\n"                                                                          \
	"\trm -rf \"$dir\"; rmdir \"${dir%/*}\" \"$base\" 2>/dev/null || :\n"                     \
	"\tcase $own in /tmp/*) rmdir \"$own\" 2>/dev/null || : ;; esac\n"                        \
	"}\n"

/* A process is a pid and its start time: field 22 of stat, counted from behind the name in
   parentheses, which may itself hold blanks and parentheses. */
#define SCRIPT_LOOK                                                                               \
	"look() { # PID: sets state, parent, session, start\n"                                    \
	"\t{ IFS= read -r looked <\"/proc/$1/stat\"; } 2>/dev/null || return 1\n"                 \
	"\tcase $looked in *') '*) ;; *) looked=$(cat \"/proc/$1/stat\") ;; esac\n"               \
	"\tlooked=${looked##*) }; state=${looked%% *}; looked=${looked#* }\n"                     \
	"\t# shellcheck disable=SC2086 # split on purpose\n"                                      \
	"\tset -- $looked; parent=${1:-0} session=${3:-0} start=${19:-}\n"                        \
	"}\n"                                                                                     \
	"lives() { # PID START\n"                                                                 \
	"\t[ -n \"$1\" ] && look \"$1\" && [ \"$start\" = \"$2\" ] &&\n"                          \
	"\t\tcase $state in Z|X) return 1 ;; esac\n"                                              \
	"}\n"                                                                                     \
	"guard_lives() {\n"                                                                       \
	"\t{ read -r guard_pid guard_start <\"$dir/guard\"; } 2>/dev/null || return 1\n"          \
	"\tlives \"$guard_pid\" \"$guard_start\"\n"                                               \
	"}\n"

/* What scripts that read a state end with: the record's, and who says so. A name may lead to another machine
   by the time of the heal, one that was never harmed; then the two readings differ. */
#define SCRIPT_STATE                                                                              \
	"state_there() {\n"                                                                       \
	"\tmachine=''; { read -r machine </etc/machine-id; } 2>/dev/null || :\n"                  \
	"\techo \"$(record_state); machine: $(uname -n) $(printf %.8s \"$machine\")\"\n"            \
	"}\n"

/* What scripts that examine a host start with. They print what is missing, and end with 0. */
#define SCRIPT_EXAMINE SCRIPT_BASE                                                                \
	"need() { command -v \"$1\" >/dev/null || echo \"$1 is not installed there; install $2\"; }\n" \
	"need_root() { [ \"$(id -u)\" = 0 ] || echo \"$(id -un) is not root there\"; }\n"

#define SCRIPT_COMMON SCRIPT_BASE SCRIPT_DIR SCRIPT_LOOK

/*
 * A script under the name by which the helper of root knows it (helper.h), because with `sudo: true` its text
 * does not travel. Every script that runs on a target has a row; tests/test_helper.c sees to it.
 *
 * `takes` says what its words must be, in order, separated by blanks:
 *   dir         the record's directory, /run/firedrill/RUN/STEP; every time the same one
 *   record      the words of the fault's record, as script_set.record says
 *   =NAME       the text of this script
 *   >ROLE       a script FAULT/ROLE, and behind it its own words
 *   lease       seconds
 *   table       the nftables table of this run and step
 *   note        one line of any text
 *   and for what a person may choose: `name`, `unit`, `path`, `number`, `ports`, `peers` (any
 *   number of them, at the end), or the words themselves: in|out|both
 */
struct script_row {
	const char *name;  /* "process.kill/inject"; NULL ends the rows */
	const char *text;
	const char *takes;
	bool is_inner;     /* runs only where another script says >ROLE or =NAME */
};

struct script_set {
	const char *record; /* the words of the fault's records but the directory; NULL: no fault's */
	const struct script_row *rows;
};

/* The words of one script. Zero-initialise. They are borrowed. */
struct words {
	const char *at[SCRIPT_WORDS];
	size_t count;
};

void words_add(struct words *words, const char *word);
/* The record's directory, then the values of all its fields but `dir`, in their order. */
void words_of_record(struct words *words, const struct heal_record *record, struct arena *arena);

/*
 * Runs the script. True when it ended with 0; then *ret_out (unless NULL) gets what it printed.
 * Otherwise its sentence is in e: ERR_REFUSED for SCRIPT_REFUSED, else ERR_REMOTE or the remote's own.
 */
bool script_run(struct remote *remote, const char *script, const struct words *words,
		int64_t timeout_ns, struct text *ret_out, struct err *e);

/* Runs a script that looks whether the fault is in effect; what it printed is the evidence. */
enum confirmation script_confirm(struct remote *remote, const char *script,
				 const struct words *words, struct text *ret_evidence);

#endif
