/*
 * trial.c - see trial.h. The scripts that do harm and undo it are the smallest there can be; everything else
 * is the guard's own.
 */
#include "faults/trial.h"

#include "base/clock.h"
#include "faults/guard.h"

#include <stdio.h>
#include <string.h>

static const int64_t trial_timeout_ns = 20 * NS_PER_S;

static const char harm_script[] = SCRIPT_BASE "put harm none\n";
static const char undo_script[] = SCRIPT_BASE "rm -f \"$dir/harm\"\n";

static const char look_script[] = SCRIPT_BASE
	"if [ ! -e \"$dir\" ]; then echo gone\n"
	"elif [ -e \"$dir/healed\" ] && [ ! -e \"$dir/harm\" ]; then echo healed\n"
	"else echo harmed; fi\n";

/* Who guards, so that it can be looked for when its record is gone. */
static const char who_script[] = SCRIPT_COMMON
	"guard_lives || fail \"the guard in $dir does not live\"\n"
	"echo \"$guard_pid $guard_start\"\n";

/* DIR WHO */
static const char survives_script[] = SCRIPT_COMMON
	"read -r pid began <<END\n$2\nEND\n"
	"! lives \"$pid\" \"$began\" || fail \"the guard, pid $pid, lives on after the heal\"\n";

static const struct script_row trial_rows[] = {
	{ "trial/undo", undo_script, "dir", true },
	{ "trial/inject", harm_script, "dir", true },
	{ "trial/look", look_script, "dir", false },
	{ "trial/who", who_script, "dir", false },
	{ "trial/survives", survives_script, "dir note", false },
	{ 0 },
};

const struct script_set trial_scripts = { .rows = trial_rows };

static bool arm_and_harm(struct remote *remote, const struct words *words, const char *lease_s,
			 struct err *e)
{
	return guard_arm(remote, lease_s, undo_script, words, e) &&
	       guard_inject(remote, harm_script, words, trial_timeout_ns, e);
}

bool trial_of_heal(struct remote *remote, const char *dir, struct err *e)
{
	struct text who = { 0 };
	struct words words = { .at = { dir }, .count = 1 };
	bool ok = arm_and_harm(remote, &words, "60", e) &&
		  script_run(remote, who_script, &words, trial_timeout_ns, &who, e) &&
		  guard_heal(remote, undo_script, &words, trial_timeout_ns, e);

	if (ok && who.length_bytes > 0)
		who.owned_bytes[--who.length_bytes] = '\0'; /* the end of its line */
	words_add(&words, text_str(&who));
	ok = ok && script_run(remote, survives_script, &words, trial_timeout_ns, NULL, e);
	text_release(&who);
	return ok;
}

bool trial_begin(struct remote *remote, const char *dir, struct err *e)
{
	const struct words words = { .at = { dir }, .count = 1 };
	char lease_s[16];

	(void)snprintf(lease_s, sizeof lease_s, "%d", TRIAL_LEASE_S);
	return arm_and_harm(remote, &words, lease_s, e);
}

bool trial_look(struct remote *remote, const char *dir, enum trial_state *ret_state, struct err *e)
{
	struct text said = { 0 };
	const struct words words = { .at = { dir }, .count = 1 };
	const bool ok = script_run(remote, look_script, &words, trial_timeout_ns, &said, e);

	if (ok)
		*ret_state = strcmp(text_str(&said), "healed\n") == 0 ? TRIAL_HEALED :
			     strcmp(text_str(&said), "gone\n") == 0   ? TRIAL_GONE :
									 TRIAL_HARMED;
	text_release(&said);
	return ok;
}

bool trial_end(struct remote *remote, const char *dir, struct err *e)
{
	const struct words words = { .at = { dir }, .count = 1 };

	return guard_heal(remote, undo_script, &words, trial_timeout_ns, e);
}
