/*
 * script.c - see script.h. Knows nothing of what the scripts do.
 */
#include "faults/script.h"

#include "base/clock.h"

#include <assert.h>
#include <string.h>

#include "faults/helper.h"
#include "faults/record.h"

static const int64_t confirm_timeout_ns = 20 * NS_PER_S;

void words_add(struct words *words, const char *word)
{
	assert(word != NULL);
	assert(words->count < SCRIPT_WORDS);

	words->at[words->count++] = word;
}

void words_of_record(struct words *words, const struct heal_record *record, struct arena *arena)
{
	words_add(words, record_dir(record, arena));
	for (size_t i = 0; i < record->field_count; i++)
		if (strcmp(record->fields[i].name, RECORD_DIR) != 0)
			words_add(words, record->fields[i].value);
}

static bool is_through_sudo(const struct remote *remote)
{
	return remote->host != NULL && remote->host->is_sudo;
}

/* sh -c SCRIPT firedrill WORD..., or, through sudo, names in the place of scripts. */
static bool run_argv(struct remote *remote, const char *script, const struct words *words,
		     int64_t timeout_ns, struct reply *ret_reply, struct err *e)
{
	const char *argv[SCRIPT_WORDS + HELPER_ARGV_OWN + 1] = { "sh", "-c", script, "firedrill" };
	char catalogue[HELPER_CATALOGUE_BYTES];
	const bool is_helped = is_through_sudo(remote);
	size_t count = 4;

	if (is_helped) {
		helper_catalogue(catalogue);
		helper_argv(remote->host, catalogue, script, argv);
		count = HELPER_ARGV_OWN;
	}
	for (size_t i = 0; i < words->count; i++) {
		const char *name = is_helped ? helper_script_name(words->at[i]) : NULL;

		argv[count++] = name != NULL ? name : words->at[i];
	}
	argv[count] = NULL;

	const struct command command = { .argv = argv, .timeout_ns = timeout_ns };

	return remote_exec(remote, &command, ret_reply, e);
}

/* The last line of the text without its newline: a script's sentence is the last thing it says. */
static void last_line(const struct text *text, struct text *ret_line)
{
	const char *bytes = text_str(text);
	size_t end = strlen(bytes);

	while (end > 0 && bytes[end - 1] == '\n')
		end--;

	size_t start = end;

	while (start > 0 && bytes[start - 1] != '\n')
		start--;
	text_add_bytes(ret_line, bytes + start, end - start);
}

/* It is sudo that speaks, not the helper or a script of ours. */
static bool is_of_sudo(const struct reply *reply, const char *said)
{
	return reply->exit_status == 127 || strncmp(said, "sudo: ", 6) == 0 ||
	       strncmp(said, "Sorry, user ", 12) == 0 ||
	       strstr(said, " is not in the sudoers file") != NULL;
}

static bool script_failed(const struct remote *remote, const struct reply *reply, struct err *e)
{
	struct text said = { 0 };
	const char *host = remote->host != NULL ? remote->host->name : "this machine";

	last_line(reply->err.length_bytes > 0 ? &reply->err : &reply->out, &said);
	if (said.length_bytes == 0)
		text_addf(&said, "the script ended with status %d and said nothing",
			  reply->exit_status);

	if (reply->signal_name != NULL)
		err_set(e, ERR_REMOTE, "%s: the script was ended by SIG%s", host,
			reply->signal_name);
	else if (is_through_sudo(remote) && is_of_sudo(reply, text_str(&said)))
		err_set(e, ERR_REMOTE, "%s: sudo does not run " HELPER_PATH " for %s there (%s); "
			"install the two files that `firedrill sudoers %s` prints", host,
			remote->host->user, text_str(&said), host);
	else if (reply->exit_status == SCRIPT_REFUSED)
		err_set(e, ERR_REFUSED, "%s: %s", host, text_str(&said));
	else if (reply->exit_status == SCRIPT_BUSY)
		err_set(e, ERR_REMOTE, "%s: the fault's record is locked by another step of it; "
			"try again in a few seconds", host);
	else
		err_set(e, ERR_REMOTE, "%s: %s", host, text_str(&said));
	text_release(&said);
	return false;
}

bool script_run(struct remote *remote, const char *script, const struct words *words,
		int64_t timeout_ns, struct text *ret_out, struct err *e)
{
	struct reply reply = { 0 };
	bool is_done;

	assert(remote != NULL);

	if (!run_argv(remote, script, words, timeout_ns, &reply, e)) {
		reply_release(&reply);
		return false;
	}
	is_done = reply.exit_status == 0;
	if (!is_done)
		script_failed(remote, &reply, e);
	else if (ret_out != NULL)
		text_add(ret_out, text_str(&reply.out));
	reply_release(&reply);
	return is_done;
}

enum confirmation script_confirm(struct remote *remote, const char *script,
				 const struct words *words, struct text *ret_evidence)
{
	struct reply reply = { 0 };
	struct err e = { 0 };
	enum confirmation seen = CONFIRM_UNKNOWN;

	if (!run_argv(remote, script, words, confirm_timeout_ns, &reply, &e)) {
		text_add(ret_evidence, e.text);
	} else if (reply.exit_status == 0 || reply.exit_status == SCRIPT_MISMATCH) {
		seen = reply.exit_status == 0 ? CONFIRMED : CONFIRM_MISMATCH;
		last_line(&reply.out, ret_evidence);
	} else {
		script_failed(remote, &reply, &e);
		text_add(ret_evidence, e.text);
	}
	reply_release(&reply);
	return seen;
}
