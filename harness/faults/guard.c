/*
 * guard.c - see guard.h. Its scripts and who calls them.
 *
 * flock(1) holds the lock in a process of its own (-o), so nothing that an undo starts inherits it.
 * The guard fires under the lock as well; when it does not get it within 2 s, as when an inject
 * hangs, it undoes without it and then again with it: an undo may be repeated, a harm must end.
 */
#include "faults/guard.h"

#include "base/clock.h"

#include <assert.h>
#include <string.h>

static const int64_t guard_timeout_ns = 20 * NS_PER_S;

/* Under the lock: DIR UNDO WORD... Nothing to do when it was healed while we waited. */
static const char fire_script[] = SCRIPT_COMMON
	"undo=$2; shift 2\n"
	"is_ours && [ ! -e \"$dir/healed\" ] || exit 0\n"
	"sh -c \"$undo\" firedrill \"$@\" && put healed \"the lease ended\"\n";

/*
 * The guard process: DIR; the rest it reads there before it begins. Heal ends it before it removes the
 * directory, so when that is gone somebody else has removed it, and with it the notes of inject:
 * FIREDRILL_GONE tells undo.
 *
 * A shell that cannot fork, because the host has no process left to give, ends with status 2. Then the
 * guard begins again in its own place, which needs no fork, as the same process, until there is one.
 */
static const char guard_script[] =
	"file=$0 home=$1; trap '[ \"$?\" != 2 ] || exec sh \"$file\" \"$home\"' EXIT\n"
	SCRIPT_COMMON
	"trap '' HUP INT TERM\n"
	"undo=$(cat \"$dir/undo\") && fire=$(cat \"$dir/fire\") || exit 1\n"
	"shift; while IFS= read -r word; do set -- \"$@\" \"$word\"; done <\"$dir/args\"\n"
	"cd / || exit 1\n"
	"{ echo -900 >/proc/$$/oom_score_adj; } 2>/dev/null || :\n"
	"look $$ && put guard \"$$ $start\" || exit 1\n"
	"while :; do\n"
	"\tlease=0\n"
	"\tread -r up _ </proc/uptime\n"
	"\t{ echo \"${up%.*}\" >\"$dir/seen\"; } 2>/dev/null || :\n"
	"\t{ read -r lease <\"$dir/lease\"; } 2>/dev/null || break\n"
	"\t[ \"${up%.*}\" -lt \"$lease\" ] 2>/dev/null || break\n"
	"\tsleep 0.3 || sleep 1 || break\n"
	"done\n"
	"fired=${up%.*} pause=1\n"
	"while read -r up _ </proc/uptime && [ \"$((${up%.*} - fired))\" -lt 86400 ]; do\n"
	"\tif [ -d \"$dir\" ]; then\n"
	"\t\tflock -o -E 75 -w 2 \"$dir/lock\" \\\n"
	"\t\t\tsh -c \"$fire\" firedrill \"$dir\" \"$undo\" \"$@\" && exit 0\n"
	"\t\tsh -c \"$undo\" firedrill \"$@\" || :\n"
	"\telse\n"
	"\t\tFIREDRILL_GONE=yes sh -c \"$undo\" firedrill \"$@\" && exit 0\n"
	"\tfi\n"
	"\tsleep \"$pause\"; [ \"$pause\" -ge 60 ] || pause=$((pause * 2))\n"
	"done\n";

/*
 * Who came over SSH may be thrown out, and everything of the session with it; so systemd, where root can
 * ask it, runs the guard as a service of its own. Started here, as for node.power, it stays in the session
 * and keeps its environment. The script comes from a file because systemd looks for $ in words. What the
 * login finds its tools by, the guard does, too.
 */
#define SCRIPT_START                                                                              \
	"start_guard() {\n"                                                                       \
	"\tunit=firedrill-$(printf %s \"${dir#\"$base\"/}\" | tr / -)\n"                            \
	"\tif [ -n \"${SSH_CONNECTION:-}\" ] && [ \"$(id -u)\" = 0 ] && [ -d /run/systemd/system ]; then\n" \
	"\t\ttimeout 5 systemd-run --quiet --collect --unit=\"$unit\" -p TimeoutStopSec=1s \\\n"     \
	"\t\t\t--description=\"undoes $dir when its lease ends\" --setenv=PATH=\"$PATH\" -p StandardOutput=null \\\n" \
	"\t\t\t-p StandardError=null sh \"$dir/firedrill-guard\" \"$dir\" </dev/null >/dev/null 2>&1 && return\n" \
	"\tfi\n"                                                                                 \
	"\tsetsid sh \"$dir/firedrill-guard\" \"$dir\" </dev/null >/dev/null 2>&1 &\n"            \
	"}\n"

/* DIR LEASE GUARD FIRE UNDO WORD... */
static const char arm_script[] = SCRIPT_COMMON SCRIPT_START
	"lease=$2 guard=$3 fire=$4 undo=$5; shift 5\n"
	"for tool in flock setsid stat; do\n"
	"\tcommand -v \"$tool\" >/dev/null || refuse \"$tool is not installed there, so no guard can \\\n"
	"be armed; install util-linux and coreutils\"\n"
	"done\n"
	"make_dir\n"
	"[ ! -e \"$dir/healed\" ] || refuse \"the guard in $dir has fired already; heal this run first\"\n"
	"read -r up _ </proc/uptime\n"
	"write_record() {\n"
	"\tput lease \"$((${up%.*} + lease + 1))\" && put undo \"$undo\" && : >>\"$dir/lock\" &&\n"
	"\t\tput fire \"$fire\" && put firedrill-guard \"$guard\" &&\n"
	"\t\tput from \"$PWD\" && printf '%s\\n' \"$@\" >\"$dir/args\"\n"
	"}\n"
	"write_record \"$@\" || refuse \"the guard's record cannot be written into $dir; is its disk full?\"\n"
	"guard_lives && exit 0\n"
	"rm -f \"$dir/guard\" \"$dir/seen\"\n"
	"start_guard\n"
	"tries=0\n"
	"until guard_lives; do\n"
	"\ttries=$((tries + 1))\n"
	"\t[ \"$tries\" -le 500 ] || fail \"the guard in $dir did not start within 5 s\"\n"
	"\tsleep 0.01\n"
	"done\n";

/*
 * DIR LEASE. Whether the guard of a user who came over SSH may live as long as its lease. logind asks what a
 * session leaves behind to end, which a guard ignores, and kills it when the time for that is over.
 */
static const char session_script[] = SCRIPT_BASE
	"lease=$2; [ \"$(id -u)\" != 0 ] || exit 0\n"
	"scope=$(sed -n 's|.*/\\(session-[^/]*\\.scope\\)$|\\1|p' /proc/self/cgroup | head -n 1)\n"
	"[ -n \"$scope\" ] && command -v busctl >/dev/null || exit 0\n"
	"ask() {\n"
	"\tbusctl get-property \"org.freedesktop.$1\" \"/org/freedesktop/$1$2\" \"org.freedesktop.$1.$3\" \"$4\" 2>/dev/null\n"
	"}\n"
	"[ \"$(ask login1 '' Manager KillUserProcesses)\" = 'b true' ] || exit 0\n"
	"case $(ask login1 '' Manager KillExcludeUsers) in *\"\\\"$(id -un)\\\"\"*) exit 0 ;; esac\n"
	"unit=$(printf %s \"$scope\" | sed 's/-/_2d/g; s/\\./_2e/g')\n"
	"limit=$(ask systemd1 \"/unit/$unit\" Scope TimeoutStopUSec) || exit 0\n"
	"limit=${limit#t }; [ \"${#limit}\" -le 15 ] || exit 0 # for ever\n"
	"limit=$((limit / 1000000))\n"
	"[ \"$((lease + 2))\" -lt \"$limit\" ] || refuse \"logind ends what a session of $(id -un) leaves behind \\\n"
	"$limit s after it (KillUserProcesses=yes), and so the guard before a lease of $lease s is over; write a shorter \\\n"
	"lease, or log in as root\"\n";

/* DIR LEASE ... */
#define SCRIPT_RENEW                                                                              \
	"lease=$2\n"                                                                             \
	"is_ours || fail \"there is no guard in $dir (any more)\"\n"                             \
	"[ ! -e \"$dir/healed\" ] || fail \"the lease had ended, and the guard has undone the fault\"\n" \
	"guard_lives || fail \"the guard in $dir is dead\"\n"                                    \
	"case $state in T|t) kill -s CONT \"$guard_pid\" ;; esac # somebody has stopped it\n"       \
	"read -r up _ </proc/uptime\n"                                                           \
	"seen=''; { read -r seen <\"$dir/seen\"; } 2>/dev/null || :\n"                          \
	"[ \"$((${up%.*} - ${seen:-${up%.*}}))\" -le 10 ] || fail \"the guard in $dir stands still since \\\n" \
	"$((${up%.*} - seen)) s; is it frozen?\"\n"                                              \
	"put lease \"$((${up%.*} + lease + 1))\" || fail \"the lease in $dir cannot be written\"\n"

static const char renew_script[] = SCRIPT_COMMON SCRIPT_RENEW;

/* DIR LEASE ALSO WORD... */
static const char renew_also_script[] = SCRIPT_COMMON SCRIPT_RENEW
	"also=$3; shift 3\n"
	"exec sh -c \"$also\" firedrill \"$@\"\n";

/* Under the lock: DIR SCRIPT WORD... */
static const char begin_script[] = SCRIPT_COMMON
	"script=$2; shift 2\n"
	"[ ! -e \"$dir/healed\" ] || refuse \"the lease ended before the fault began; nothing was harmed\"\n"
	"guard_lives || refuse \"the guard in $dir is dead, so nothing was harmed\"\n"
	"put on yes || refuse \"$dir cannot be written, so nothing was harmed\"\n"
	"exec sh -c \"$script\" firedrill \"$@\"\n";

/* DIR BEGIN SCRIPT WORD... */
static const char inject_script[] = SCRIPT_COMMON
	"begin=$2 script=$3; shift 3\n"
	"is_ours || refuse \"no guard was armed in $dir, so nothing was harmed\"\n"
	"exec flock -o -E 75 -w 10 \"$dir/lock\" sh -c \"$begin\" firedrill \"$dir\" \"$script\" \"$@\"\n";

/* Under the lock: DIR UNDO WORD... The guard is a session, so its group holds what it started. */
static const char end_script[] = SCRIPT_COMMON
	"undo=$2; shift 2\n"
	"sh -c \"$undo\" firedrill \"$@\" || exit\n"
	"is_ours || exit 0\n"
	"if guard_lives; then\n"
	"\tkill -s KILL -- \"-$guard_pid\"\n"
	"\ttries=0\n"
	"\twhile guard_lives && [ \"$tries\" -lt 500 ]; do tries=$((tries + 1)); sleep 0.01; done\n"
	"\t! guard_lives || fail \"the guard, pid $guard_pid, does not die\"\n"
	"fi\n"
	"drop_dir\n";

/* DIR END UNDO WORD... */
static const char heal_script[] = SCRIPT_COMMON
	"end=$2 undo=$3; shift 3\n"
	"is_ours || { drop_begun; exec sh -c \"$undo\" firedrill \"$@\"; }\n"
	"exec flock -o -E 75 -w 15 \"$dir/lock\" sh -c \"$end\" firedrill \"$dir\" \"$undo\" \"$@\"\n";

static const struct script_row guard_rows[] = {
	{ "guard/guard", guard_script, "", true },
	{ "guard/fire", fire_script, "", true },
	{ "guard/begin", begin_script, "", true },
	{ "guard/end", end_script, "", true },
	{ "guard/arm", arm_script, "dir lease =guard/guard =guard/fire >undo", false },
	{ "guard/session", session_script, "dir lease", false },
	{ "guard/renew", renew_script, "dir lease", false },
	{ "guard/renew-also", renew_also_script, "dir lease >renew", false },
	{ "guard/inject", inject_script, "dir =guard/begin >inject", false },
	{ "guard/heal", heal_script, "dir =guard/end >undo", false },
	{ 0 },
};

const struct script_set guard_scripts = { .rows = guard_rows };

/* The words of a script above: its own first, after the directory, then those of the fault. */
static struct words words_for(const struct words *fault_words, const char *const *own,
			      size_t own_count)
{
	struct words words = { 0 };

	assert(fault_words->count > 0);

	words_add(&words, fault_words->at[0]);
	for (size_t i = 0; i < own_count; i++)
		words_add(&words, own[i]);
	for (size_t i = 0; i < fault_words->count; i++)
		words_add(&words, fault_words->at[i]);
	return words;
}

bool guard_arm(struct remote *remote, const char *lease_s, const char *undo,
	       const struct words *words, struct err *e)
{
	const char *const own[] = { lease_s, guard_script, fire_script, undo };
	const struct words all = words_for(words, own, sizeof own / sizeof own[0]);
	const struct words session = { .at = { words->at[0], lease_s }, .count = 2 };
	const struct host *host = remote->host;
	/* Root's guards are in no session; not to ask saves a command. */
	const bool is_in_session = host != NULL && !host->is_local && !host->is_sudo &&
				   (host->user == NULL || strcmp(host->user, "root") != 0);

	if ((is_in_session &&
	     !script_run(remote, session_script, &session, guard_timeout_ns, NULL, e)) ||
	    !script_run(remote, arm_script, &all, guard_timeout_ns, NULL, e))
		return err_wrap(e, "arm the guard");
	return true;
}

bool guard_renew(struct remote *remote, const char *lease_s, const char *also,
		 const struct words *words, struct err *e)
{
	const char *const own[] = { lease_s, also };
	const struct words alone = { .at = { words->at[0], lease_s }, .count = 2 };
	bool is_done;

	if (also == NULL) {
		is_done = script_run(remote, renew_script, &alone, guard_timeout_ns, NULL, e);
	} else {
		const struct words all = words_for(words, own, sizeof own / sizeof own[0]);

		is_done = script_run(remote, renew_also_script, &all, guard_timeout_ns, NULL, e);
	}
	if (!is_done)
		return err_wrap(e, "renew the lease");
	return true;
}

bool guard_inject(struct remote *remote, const char *script, const struct words *words,
		  int64_t timeout_ns, struct err *e)
{
	const char *const own[] = { begin_script, script };
	const struct words all = words_for(words, own, sizeof own / sizeof own[0]);

	return script_run(remote, inject_script, &all, timeout_ns, NULL, e);
}

bool guard_heal(struct remote *remote, const char *undo, const struct words *words,
		int64_t timeout_ns, struct err *e)
{
	const char *const own[] = { end_script, undo };
	const struct words all = words_for(words, own, sizeof own / sizeof own[0]);

	return script_run(remote, heal_script, &all, timeout_ns, NULL, e);
}
