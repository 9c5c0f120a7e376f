/*
 * claim.h - who gives a command, and what a person says for a run; how an answer about permission is
 * shown. What several commands around the policy do the same way.
 */
#ifndef CLI_CLAIM_H
#define CLI_CLAIM_H

#include "cli/cli.h"
#include "engine/permission.h"

#define BY_OPTION { "by", "NAME", "who you are; default the name you are logged in as" }
#define CONFIRM_OPTION { "confirm", "NAME", "the environment of the inventory's policy, typed back" }
#define OVERRIDE_OPTION \
	{ "override", "REASON", \
	  "set aside windows, frozen days, allowed faults and caps; the reason is in every report" }
#define REASON_OPTION { "reason", "TEXT", "why; others will read it" }

/* --by, else the login name (behind sudo, too). False: it cannot be a name. */
bool claim_person(const struct arguments *arguments, struct arena *arena, const char **ret_person,
		  struct err *e);

/* "anna@host", as this machine knows it. */
const char *claim_account(struct arena *arena);

/* --reason, which must be given: one line. */
bool claim_reason(const struct arguments *arguments, const char **ret_reason, struct err *e);

/* --by, --confirm and --override. */
bool claim_read(const struct arguments *arguments, struct arena *arena,
		struct permit_claim *ret_claim, struct err *e);

/* What stands in the way, or on what grounds it is permitted; nothing when nobody asks. */
void claim_print_answer(const struct plan *plan, const struct permit_answer *answer, FILE *stream,
			const struct secrets *secrets);

#endif
