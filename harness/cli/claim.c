/*
 * claim.c - see claim.h. A name is what a person says; beside it the store keeps what the machine says.
 */
#include "cli/claim.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

/* One line without control bytes, and no blank at its ends that would make two names of one. */
static bool is_plain(const char *text)
{
	const size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return length > 0 && text[0] != ' ' && text[length - 1] != ' ';
}

static const char *login_name(struct arena *arena)
{
	const char *behind_sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	struct passwd entry;
	struct passwd *found = NULL;
	char buffer[4096];

	if (behind_sudo != NULL && is_plain(behind_sudo))
		return arena_copy(arena, behind_sudo);
	if (getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found != NULL)
		return arena_copy(arena, found->pw_name);
	return arena_format(arena, "uid-%u", (unsigned)getuid());
}

bool claim_person(const struct arguments *arguments, struct arena *arena, const char **ret_person,
		  struct err *e)
{
	const char *given = arguments_value(arguments, "by");

	if (given != NULL && (!is_plain(given) || strlen(given) > LIMIT_NAME_BYTES))
		return err_set(e, ERR_INPUT, "`--by` must be a name: one line of at most %d bytes, no "
			       "blank at its ends", LIMIT_NAME_BYTES);
	*ret_person = given != NULL ? given : login_name(arena);
	return true;
}

const char *claim_account(struct arena *arena)
{
	char host[256];

	if (gethostname(host, sizeof host) != 0)
		host[0] = '\0';
	host[sizeof host - 1] = '\0';
	return arena_format(arena, "%s@%s", login_name(arena), host);
}

static bool check_reason(const char *name, const char *reason, struct err *e)
{
	if (is_plain(reason) && strlen(reason) <= LIMIT_REASON_BYTES)
		return true;
	return err_set(e, ERR_INPUT, "`--%s` needs a reason: one line of at most %d bytes", name,
		       LIMIT_REASON_BYTES);
}

bool claim_reason(const struct arguments *arguments, const char **ret_reason, struct err *e)
{
	const char *reason = arguments_value(arguments, "reason");

	if (reason == NULL)
		return err_set(e, ERR_INPUT, "say why, for those who come after you: --reason TEXT");
	*ret_reason = reason;
	return check_reason("reason", reason, e);
}

bool claim_read(const struct arguments *arguments, struct arena *arena,
		struct permit_claim *ret_claim, struct err *e)
{
	const char *reason = arguments_value(arguments, "override");

	if (!claim_person(arguments, arena, &ret_claim->by, e) ||
	    (reason != NULL && !check_reason("override", reason, e)))
		return false;
	ret_claim->environment = arguments_value(arguments, "confirm");
	ret_claim->override_reason = reason;
	return true;
}

void claim_print_answer(const struct plan *plan, const struct permit_answer *answer, FILE *stream,
			const struct secrets *secrets)
{
	for (size_t i = 0; i < answer->refusal_count; i++) {
		const struct permit_refusal *refusal = &answer->refusals[i];
		struct text line = { 0 };

		text_addf(&line, "%s (%s): %s", refusal->is_overridden ? "overridden" : "not permitted",
			  permit_rule_name(refusal->rule), refusal->text);
		cli_print_wrapped(stream, secrets, "  ", 4, text_str(&line));
		text_release(&line);
	}
	if (answer->is_permitted && plan->experiment->inventory->policy.is_declared)
		cli_print_wrapped(stream, secrets, "  permitted now", 4,
				  answer->grounds[0] == '\0' ? "" : answer->grounds);
}
