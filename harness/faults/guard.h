/*
 * guard.h - the dead man's switch: a process on the target that undoes the fault when its lease ends.
 *
 * The record's directory there (words->at[0], mode 0700) is the whole protocol:
 *
 *   owner   "firedrill RUN/STEP": a directory without it is foreign, and is refused, never removed
 *   undo    the fault's undo script, and `args`, its words, one a line. By hand, as root:
 *           cd DIR && xargs -d '\n' -a args sh undo
 *   from    the folder it was armed in; the guard itself stands in /
 *   firedrill-guard, fire   what the guard runs, and runs when it fires
 *   lease   when it ends, in seconds of the target's own /proc/uptime; replaced whole by a rename
 *   guard   pid and start time of the guard process
 *   seen    when it last looked at the lease, on the same clock: a guard that stands still is none
 *   on      inject has begun
 *   healed  the guard has fired and its undo worked
 *   lock    taken for inject, undo and removal, so that these never overlap
 *
 * Armed over SSH by root, on a host with systemd, the guard is a service of its own (firedrill-RUN-STEP), so
 * it outlives the session however that is ended; elsewhere a session leader without a terminal. It
 * ignores HUP, INT and TERM, looks at the lease
 * three times a second and needs nothing but /run, /proc and the programs in /bin. It fires when the
 * lease is over, unreadable or gone, and tries until its undo has worked, for a day.
 *
 * It does not survive a reboot, and neither does any fault here. Where logind says KillUserProcesses=yes it
 * ends what the session of a user other than root leaves behind, some time after the session (TimeoutStopSec):
 * a lease longer than that is refused when the guard is armed, so `firedrill doctor` finds it, too.
 */
#ifndef FAULTS_GUARD_H
#define FAULTS_GUARD_H

#include "faults/script.h"

extern const struct script_set guard_scripts;

/* Returns only after the guard was seen alive. Repeated: the same guard gets a new lease. */
bool guard_arm(struct remote *remote, const char *lease_s, const char *undo,
	       const struct words *words, struct err *e);

/* Fails when the guard is gone or has fired: then the fault is no longer in effect. Runs `also`
   (unless NULL) afterwards, for what the kernel itself expires. */
bool guard_renew(struct remote *remote, const char *lease_s, const char *also,
		 const struct words *words, struct err *e);

/* Runs the fault's script, under the lock, only while the guard is alive and has not fired. */
bool guard_inject(struct remote *remote, const char *script, const struct words *words,
		  int64_t timeout_ns, struct err *e);

/*
 * Runs `undo` under the lock, ends the guard, removes the directory. Without a directory (never
 * armed, rebooted, already healed) undo runs alone, so it must cope with that. When undo fails, the
 * guard stays and will try again.
 */
bool guard_heal(struct remote *remote, const char *undo, const struct words *words,
		int64_t timeout_ns, struct err *e);

#endif
