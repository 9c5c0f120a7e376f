/*
 * ssh_command.c - probe "ssh.command": does a command on a host end as it should?
 *
 * GOOD means that it ended in time with the expected exit status and output. Each lane keeps one
 * session and opens it again when it was lost, within the attempt when there is time. The command
 * may therefore run twice in one attempt: take one that changes nothing. It also measures the SSH
 * server; use http.get or postgres.query for what users see.
 */
#include "probes/probe.h"
#include "probes/stable.h"
#include "remote/remote.h"

#include <stdlib.h>
#include <string.h>

struct ssh_command {
	const struct host *host;
	struct remote *owned_remote; /* NULL: no session */
	const char **owned_argv;
	const char *expect;
	const char *contains;
	int expect_status;
};

static const struct param ssh_command_params[] = {
	{ "run", PARAM_LIST, .is_required = true,
	  .help = "the command as a list of words: [systemctl, is-active, nginx]" },
	{ "expect_status", PARAM_COUNT, .max = 255, .fallback = "0",
	  .help = "exit status that counts as good" },
	{ "expect", PARAM_TEXT, .help = "what it must print, blanks at the ends aside" },
	{ "contains", PARAM_TEXT, .help = "text that its output must contain" },
	{ 0 },
};

static bool ssh_command_check(const struct probe_spec *spec, struct err *e)
{
	const struct param_value *run = params_find(&spec->params, "run");

	if (run->item_count == 0 || run->items[0][0] == '\0')
		return err_set(e, ERR_INPUT, "ssh.command has nothing to run; write run: [uptime]");
	/* No shell reads it, so "systemctl is-active nginx" would be one strange program name. */
	if (run->item_count == 1 && strpbrk(run->items[0], " \t") != NULL)
		return err_set(e, ERR_INPUT,
			       "run is a list of words and no shell line; write run: [word, word], "
			       "or run: [sh, -c, \"...\"]");
	return true;
}

static bool ssh_command_open(const struct probe_spec *spec, const char *run_id, void **ret_state,
			     struct err *e)
{
	const struct param_value *run = params_find(&spec->params, "run");
	struct ssh_command *probe = mem_alloc(sizeof *probe);

	(void)run_id; /* leaves nothing behind that would need a name */
	(void)e;
	probe->host = spec->host;
	probe->owned_argv = mem_alloc((run->item_count + 1) * sizeof *probe->owned_argv);
	for (size_t i = 0; i < run->item_count; i++)
		probe->owned_argv[i] = run->items[i];
	probe->expect = params_text(&spec->params, "expect");
	probe->contains = params_text(&spec->params, "contains");
	probe->expect_status = (int)params_number(&spec->params, "expect_status");
	*ret_state = probe;
	return true;
}

/* Once: a session when there is none, then the command. After a failure the session is closed. */
static bool run_once(struct ssh_command *probe, const struct attempt *attempt, struct reply *reply,
		     struct err *e)
{
	const struct remote_opener opener = remote_opener_real();
	int64_t left_ns = attempt->deadline_ns - clock_now_ns(attempt->clock);

	if (left_ns <= 0)
		return err_set(e, ERR_DEADLINE, "no time left in this attempt");
	if (probe->owned_remote == NULL &&
	    !opener.open(opener.ctx, probe->host, attempt->clock, left_ns, &probe->owned_remote, e))
		return false;

	left_ns = attempt->deadline_ns - clock_now_ns(attempt->clock);

	const struct command command = { .argv = probe->owned_argv, .timeout_ns = left_ns };

	if (left_ns > 0 && remote_exec(probe->owned_remote, &command, reply, e))
		return true;
	if (left_ns <= 0)
		return err_set(e, ERR_DEADLINE, "the session was opened too late for the command");
	remote_close(probe->owned_remote);
	probe->owned_remote = NULL;
	return false;
}

static bool is_as_expected(const struct ssh_command *probe, const struct reply *reply,
			   struct err *e)
{
	const char *said = text_str(&reply->out);
	char shown[STABLE_TEXT_BYTES];

	if (reply->signal_name != NULL)
		return err_set(e, ERR_REMOTE, "command: ended by SIG%s", reply->signal_name);
	if (reply->exit_status != probe->expect_status)
		return err_set(e, ERR_REMOTE, "command: exit status %d where %d was expected",
			       reply->exit_status, probe->expect_status);
	if (probe->contains != NULL && strstr(said, probe->contains) == NULL)
		return err_set(e, ERR_REMOTE, "command: its output does not contain \"%s\"",
			       probe->contains);
	if (probe->expect == NULL)
		return true;

	said += strspn(said, " \t\r\n");

	size_t said_bytes = strlen(said);

	while (said_bytes > 0 && strchr(" \t\r\n", said[said_bytes - 1]) != NULL)
		said_bytes--;
	if (said_bytes != strlen(probe->expect) || memcmp(said, probe->expect, said_bytes) != 0)
		return err_set(e, ERR_REMOTE, "command: printed \"%s\" where \"%s\" was expected",
			       stable_text(said, shown), probe->expect);
	return true;
}

static void ssh_command_sample(void *state, const struct attempt *attempt,
			       struct attempt_result *result, struct err *e)
{
	struct ssh_command *probe = state;
	const bool had_session = probe->owned_remote != NULL;
	struct reply reply = { 0 };
	bool has_run = run_once(probe, attempt, &reply, e);

	/* A session lost since the last attempt says nothing about now. */
	if (!has_run && had_session && e->kind == ERR_REMOTE) {
		reply_release(&reply);
		has_run = run_once(probe, attempt, &reply, e);
	}
	if (has_run) {
		err_clear(e);
		result->state = is_as_expected(probe, &reply, e) ? SAMPLE_GOOD : SAMPLE_BAD;
		if (result->got != NULL)
			text_add(result->got, text_str(&reply.out));
	} else {
		result->state = e->kind == ERR_LIMIT ? SAMPLE_SKIPPED : SAMPLE_BAD;
	}
	reply_release(&reply);
}

static void ssh_command_close(void *state)
{
	struct ssh_command *probe = state;

	if (probe == NULL)
		return;
	remote_close(probe->owned_remote);
	free(probe->owned_argv);
	free(probe);
}

const struct probe_ops probe_ssh_command = {
	.name = "ssh.command",
	.summary = "a command on a host ends with the expected exit status and output",
	.on = PROBE_ON_HOST,
	.params = ssh_command_params,
	.check = ssh_command_check,
	.open = ssh_command_open,
	.sample = ssh_command_sample,
	.close = ssh_command_close,
};
