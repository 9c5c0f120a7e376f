/*
 * trial.h - does the dead man's switch work on this host? A guard over nothing worse than a file in its own
 * folder, which shows the whole way: armed, harmed, and healed by itself.
 *
 * `dir` is a record's directory (record.h), such as /run/firedrill/doctor-ID/1. Each call takes a remote of
 * its own, so that the session that armed may be closed in between: what ends with a session is no guard.
 */
#ifndef FAULTS_TRIAL_H
#define FAULTS_TRIAL_H

#include "faults/script.h"
#include "remote/remote.h"

extern const struct script_set trial_scripts;

enum { TRIAL_LEASE_S = 2 };

enum trial_state {
	TRIAL_GONE = 1, /* no record: nothing was armed, or it was removed */
	TRIAL_HARMED,   /* the guard has not fired yet */
	TRIAL_HEALED,   /* it has, and undid the harm */
};

/* Arms, does the harmless harm, heals by command, and looks that no guard lives on. */
bool trial_of_heal(struct remote *remote, const char *dir, struct err *e);
/* Arms with a lease of TRIAL_LEASE_S, does the harmless harm, and leaves it to the guard. */
bool trial_begin(struct remote *remote, const char *dir, struct err *e);
bool trial_look(struct remote *remote, const char *dir, enum trial_state *ret_state, struct err *e);
/* Removes what is left of it, whatever its state. */
bool trial_end(struct remote *remote, const char *dir, struct err *e);

#endif
