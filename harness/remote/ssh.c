/*
 * ssh.c - commands on a host through libssh; the table of contents of its parts is ssh_link.h.
 *
 * A command is over when its exit status is here and its output has paused, not at end of file: a
 * guard left in the background may hold the output open for ever. A session counts as lost when the
 * connection ends, or when nothing at all was heard for ten seconds in spite of being asked every
 * second; it is never opened again behind the caller's back. No terminal is ever asked for.
 */
#include "remote/ssh_link.h"

#include <assert.h>
#include <libssh/callbacks.h>
#include <libssh/server.h> /* ssh_send_keepalive; we serve nobody */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const int64_t ask_every_ns = NS_PER_S;	 /* of silence, while a command runs */
static const int64_t silence_ns = 10 * NS_PER_S; /* longer: the session is lost */
static const int64_t alive_ns = NS_PER_S;	 /* what is_alive waits for an answer */
static const int64_t look_again_ns = 100 * NS_PER_MS;
static const int64_t output_pause_ns = 150 * NS_PER_MS; /* after the exit status */
static const int64_t output_rest_ns = 2 * NS_PER_S;	/* at most, however much still comes */
static const int64_t last_words_ns = 50 * NS_PER_MS;	/* for sending KILL to a late command */

struct ssh_remote {
	struct remote remote; /* first: a struct remote is converted to its container */
	struct ssh_link *owned_link;
	bool is_dead;
};

/* One command under way. */
struct errand {
	struct ssh_remote *remote;
	ssh_channel channel;
	struct ssh_channel_callbacks_struct callbacks;
	struct reply reply;
	const char *input; /* what is left of it */
	bool is_input_done;
	bool is_over;	  /* its exit status or signal is known */
	int64_t over_ns;  /* real clock, as all below */
	int64_t moved_ns; /* when output came last */
	int64_t heard_ns; /* when any byte came last */
	uint64_t heard_bytes;
	int64_t asked_ns;
};

/* ---- one command ---- */

static void on_exit_status(ssh_session session, ssh_channel channel, int exit_status,
			   void *userdata)
{
	struct errand *errand = userdata;

	(void)session;
	(void)channel;
	if (errand->is_over)
		return;
	errand->reply.done_ns = clock_now_ns(errand->remote->remote.clock);
	errand->reply.exit_status = exit_status & 0xff;
	errand->over_ns = ssh_real_ns();
	errand->is_over = true;
}

/* The text of the signal dies with the packet; ours is static. */
static const char *signal_name(const char *name)
{
	for (int number = 1; number < NSIG; number++) {
		const char *known = sigabbrev_np(number);

		if (known != NULL && name != NULL && strcmp(known, name) == 0)
			return known;
	}
	return "UNKNOWN";
}

static void on_exit_signal(ssh_session session, ssh_channel channel, const char *name, int core,
			   const char *message, const char *language, void *userdata)
{
	struct errand *errand = userdata;

	(void)core;
	(void)message;
	(void)language;
	if (errand->is_over)
		return;
	on_exit_status(session, channel, 0, userdata);
	errand->reply.exit_status = -1;
	errand->reply.signal_name = signal_name(name);
}

static bool is_connected(const struct ssh_remote *remote)
{
	return ssh_is_connected(remote->owned_link->session) != 0;
}

static bool refuse_dead(const struct ssh_remote *remote, const char *what, struct err *e)
{
	return err_set(e, ERR_REMOTE, "%s on %s: the session was lost before; open it again", what,
		       remote->remote.host->name);
}

/* A channel request that failed: is it the command or the session? */
static bool refused_or_lost(struct ssh_remote *remote, const char *what, struct err *e)
{
	const char *why = ssh_get_error(remote->owned_link->session);

	if (is_connected(remote))
		return err_set(e, ERR_REMOTE, "%s on %s: %s", what, remote->remote.host->name, why);
	remote->is_dead = true;
	return err_set(e, ERR_REMOTE, "%s on %s: the session was lost: %s", what,
		       remote->remote.host->name, why[0] == '\0' ? "connection closed" : why);
}

static bool late(struct ssh_remote *remote, const struct command *command, struct err *e)
{
	remote->is_dead = true;
	return err_set(
		e, ERR_DEADLINE,
		"run `%s` on %s: not ended after %lld ms; it may still run there, and may or "
		"may not have its effect",
		command->argv[0], remote->remote.host->name,
		(long long)(command->timeout_ns / NS_PER_MS));
}

/* Opens the channel and sends the line; the answer may still be under way afterwards. */
static bool errand_start(struct errand *errand, const struct command *command, int64_t deadline_ns,
			 struct err *e)
{
	struct ssh_remote *remote = errand->remote;
	struct ssh_link *link = remote->owned_link;
	struct text line = { 0 };
	int outcome;

	errand->channel = ssh_channel_new(link->session);
	if (errand->channel == NULL)
		return err_set(e, ERR_LIMIT, "run `%s`: no memory for a channel", command->argv[0]);
	errand->callbacks.userdata = errand;
	errand->callbacks.channel_exit_status_function = on_exit_status;
	errand->callbacks.channel_exit_signal_function = on_exit_signal;
	ssh_callbacks_init(&errand->callbacks);
	(void)ssh_set_channel_callbacks(errand->channel, &errand->callbacks);

	while ((outcome = ssh_channel_open_session(errand->channel)) == SSH_AGAIN &&
	       ssh_real_ns() < deadline_ns)
		ssh_link_wait(link, deadline_ns);
	if (outcome == SSH_AGAIN)
		return late(remote, command, e);
	if (outcome != SSH_OK)
		return refused_or_lost(remote, "open a channel", e);

	quote_argv(command->argv, &line);
	errand->reply.sent_ns = clock_now_ns(remote->remote.clock);
	while ((outcome = ssh_channel_request_exec(errand->channel, text_str(&line))) ==
		       SSH_AGAIN &&
	       ssh_real_ns() < deadline_ns)
		ssh_link_wait(link, deadline_ns);
	text_release(&line);
	if (outcome == SSH_AGAIN)
		return late(remote, command, e);
	if (outcome != SSH_OK)
		return refused_or_lost(remote, command->argv[0], e);
	return true;
}

static void take_output(struct errand *errand)
{
	struct text *const streams[2] = { &errand->reply.out, &errand->reply.err };
	char bytes[16384];

	/* Reading does not look at the connection any more once the channel is at its end of file,
	   and the exit status may come after that. It is taken by the callbacks. */
	(void)ssh_channel_get_exit_status(errand->channel);

	for (int is_stderr = 0; is_stderr < 2; is_stderr++) {
		for (;;) {
			const int got = ssh_channel_read_nonblocking(errand->channel, bytes,
								     sizeof bytes, is_stderr);

			if (got <= 0)
				break;
			reply_add(&errand->reply, streams[is_stderr], bytes, (size_t)got);
			errand->moved_ns = ssh_real_ns();
		}
	}
}

/* What the channel's window has no room for waits for the next round. */
static void give_input(struct errand *errand)
{
	while (!errand->is_input_done && errand->input[0] != '\0') {
		const size_t left_bytes = strlen(errand->input);
		const uint32_t wish_bytes = left_bytes < 16384 ? (uint32_t)left_bytes : 16384;
		const int sent = ssh_channel_write(errand->channel, errand->input, wish_bytes);

		if (sent == SSH_ERROR)
			errand->is_input_done = true; /* it ended without reading all: its choice */
		if (sent <= 0)
			return;
		errand->input += sent;
	}
	if (!errand->is_input_done)
		(void)ssh_channel_send_eof(errand->channel); /* lost: seen by the next step */
	errand->is_input_done = true;
}

/* Asks for a sign of life in silence. False when there was none for too long. */
static bool listen_for_life(struct errand *errand, int64_t now_ns)
{
	struct ssh_link *link = errand->remote->owned_link;

	if (link->heard.in_bytes != errand->heard_bytes) {
		errand->heard_bytes = link->heard.in_bytes;
		errand->heard_ns = now_ns;
	}
	if (now_ns - errand->heard_ns >= silence_ns)
		return false;
	if (now_ns - errand->heard_ns >= ask_every_ns &&
	    now_ns - errand->asked_ns >= ask_every_ns) {
		errand->asked_ns = now_ns;
		(void)ssh_send_keepalive(link->session); /* any answer will do, also a refusal */
	}
	return true;
}

static bool is_finished(const struct errand *errand, int64_t now_ns)
{
	if (!errand->is_over)
		return false;
	return ssh_channel_is_eof(errand->channel) != 0 || !is_connected(errand->remote) ||
	       now_ns - errand->over_ns >= output_rest_ns ||
	       (now_ns - errand->over_ns >= output_pause_ns &&
		now_ns - errand->moved_ns >= output_pause_ns);
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

/* Sends KILL to the late command, as far as that is possible in a moment. */
static void errand_abandon(struct errand *errand)
{
	const int64_t until_ns = ssh_real_ns() + last_words_ns;

	(void)ssh_channel_request_send_signal(errand->channel, "KILL");
	(void)ssh_channel_close(errand->channel);
	while (ssh_real_ns() < until_ns && is_connected(errand->remote)) {
		take_output(errand); /* drives the session */
		ssh_link_wait(errand->remote->owned_link, until_ns);
	}
}

/* When to look again, if nothing comes. */
static int64_t errand_next_ns(const struct errand *errand, int64_t deadline_ns)
{
	const int64_t now_ns = ssh_real_ns();

	if (errand->is_over)
		return now_ns + output_pause_ns;
	return earlier(deadline_ns, now_ns + ask_every_ns);
}

/* Carries input and output until the command is over. */
static bool errand_follow(struct errand *errand, const struct command *command, int64_t deadline_ns,
			  struct err *e)
{
	struct ssh_remote *remote = errand->remote;
	const char *name = remote->remote.host->name;

	errand->heard_ns = ssh_real_ns();
	for (;;) {
		const uint64_t heard_bytes = remote->owned_link->heard.in_bytes;

		take_output(errand);
		give_input(errand);

		const int64_t now_ns = ssh_real_ns();

		if (is_finished(errand, now_ns))
			return true;
		if (!is_connected(remote))
			return refused_or_lost(remote, command->argv[0], e);
		if (!errand->is_over && ssh_channel_is_closed(errand->channel) != 0)
			return err_set(e, ERR_REMOTE,
				       "run `%s` on %s: the server closed the channel "
				       "without an exit status",
				       command->argv[0], name);
		if (!errand->is_over && now_ns >= deadline_ns) {
			errand_abandon(errand);
			return late(remote, command, e);
		}
		if (!listen_for_life(errand, now_ns)) {
			remote->is_dead = true;
			return err_set(e, ERR_REMOTE,
				       "run `%s` on %s: the session was lost: nothing "
				       "heard for %lld s",
				       command->argv[0], name, (long long)(silence_ns / NS_PER_S));
		}
		/* A later step may have read what an earlier one would take: poll would not tell.
		 */
		if (remote->owned_link->heard.in_bytes == heard_bytes)
			ssh_link_wait(remote->owned_link, errand_next_ns(errand, deadline_ns));
	}
}

static bool ssh_exec(struct remote *base, const struct command *command, struct reply *ret_reply,
		     struct err *e)
{
	const int64_t deadline_ns = ssh_real_ns() + command->timeout_ns;
	struct ssh_remote *remote = (struct ssh_remote *)base;
	struct errand errand = {
		.remote = remote,
		.input = command->input == NULL ? "" : command->input,
	};
	struct pipe_guard guard;
	bool is_ok;

	if (remote->is_dead)
		return refuse_dead(remote, command->argv[0], e);

	pipe_guard_init(&guard);
	is_ok = errand_start(&errand, command, deadline_ns, e) &&
		errand_follow(&errand, command, deadline_ns, e);
	if (errand.channel != NULL) {
		(void)ssh_remove_channel_callbacks(errand.channel, &errand.callbacks);
		(void)ssh_channel_close(errand.channel); /* frees its slot over there */
		ssh_channel_free(errand.channel);
	}
	pipe_guard_release(&guard);

	if (is_ok) {
		*ret_reply = errand.reply;
		errand.reply = (struct reply){ 0 };
	}
	reply_release(&errand.reply);
	return is_ok;
}

static bool ssh_alive(struct remote *base, struct err *e)
{
	struct ssh_remote *remote = (struct ssh_remote *)base;
	struct ssh_link *link = remote->owned_link;
	const int64_t until_ns = ssh_real_ns() + alive_ns;
	struct pipe_guard guard;

	if (remote->is_dead)
		return refuse_dead(remote, "look for life", e);

	uint64_t before_bytes;

	pipe_guard_init(&guard);
	/* What was said before is no sign of life now: read it first. */
	do {
		before_bytes = link->heard.in_bytes;
		(void)ssh_send_keepalive(link->session);
	} while (link->heard.in_bytes != before_bytes && ssh_real_ns() < until_ns);

	while (link->heard.in_bytes == before_bytes && is_connected(remote) &&
	       ssh_real_ns() < until_ns) {
		(void)ssh_send_keepalive(link->session); /* asks, or looks for the answer */
		if (link->heard.in_bytes == before_bytes)
			ssh_link_wait(link, earlier(until_ns, ssh_real_ns() + look_again_ns));
	}
	pipe_guard_release(&guard);

	remote->is_dead = link->heard.in_bytes == before_bytes || !is_connected(remote);
	if (remote->is_dead)
		return err_set(e, ERR_REMOTE, "look for life on %s: the session was lost: %s",
			       base->host->name,
			       is_connected(remote) ? "no answer within a second"
						    : "connection closed");
	return true;
}

static void ssh_close(struct remote *base)
{
	struct ssh_remote *remote = (struct ssh_remote *)base;
	struct pipe_guard guard;

	pipe_guard_init(&guard);
	ssh_link_close(remote->owned_link);
	pipe_guard_release(&guard);
	free(remote);
}

static const struct remote_ops ssh_ops = {
	.name = "ssh",
	.exec = ssh_exec,
	.is_alive = ssh_alive,
	.close = ssh_close,
};

/* Connects, verifies, logs in: to the jump host first when there is one. */
static bool session_open(const struct host *host, struct ssh_link *taken_jump, int64_t deadline_ns,
			 struct ssh_link **ret_link, struct err *e)
{
	struct ssh_link *link = NULL;

	if (!ssh_link_open(host, taken_jump, deadline_ns, &link, e) || !ssh_verify_host(link, e) ||
	    !ssh_authenticate(link, deadline_ns, e)) {
		ssh_link_close(link);
		return err_wrap(e, "open %s (%s port %u)", host->name, host->address, host->port);
	}
	*ret_link = link;
	return true;
}

bool ssh_open(const struct host *host, const struct clock *clock, int64_t timeout_ns,
	      struct remote **ret_remote, struct err *e)
{
	const int64_t deadline_ns = ssh_real_ns() + timeout_ns;
	struct ssh_link *jump = NULL;
	struct ssh_link *link = NULL;
	struct pipe_guard guard;
	bool is_ok;

	assert(host->address != NULL);
	assert(timeout_ns > 0);

	if (host->via != NULL && (host->via->via != NULL || host->via->is_local))
		return err_set(e, ERR_INPUT,
			       "open %s: via %s: only one hop is supported, and it "
			       "must be a host reached by SSH",
			       host->name, host->via->name);

	pipe_guard_init(&guard);
	is_ok = host->via == NULL || session_open(host->via, NULL, deadline_ns, &jump, e);
	if (!is_ok)
		err_wrap(e, "open %s through %s", host->name, host->via->name);
	is_ok = is_ok && session_open(host, jump, deadline_ns, &link, e);
	pipe_guard_release(&guard);
	if (!is_ok)
		return false;

	struct ssh_remote *remote = mem_alloc(sizeof *remote);

	remote->remote = (struct remote){ .ops = &ssh_ops, .host = host, .clock = clock };
	remote->owned_link = link;
	*ret_remote = &remote->remote;
	return true;
}
