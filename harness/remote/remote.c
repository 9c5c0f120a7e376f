/*
 * remote.c - see remote.h. What is the same for every way of reaching a host.
 */
#include "remote/ways.h"

#include "base/limits.h"

#include <assert.h>
#include <string.h>
#include <time.h>

bool remote_exec(struct remote *remote, const struct command *command, struct reply *ret_reply,
		 struct err *e)
{
	assert(remote != NULL);
	assert(command->argv != NULL);
	assert(command->argv[0] != NULL);
	assert(command->timeout_ns > 0);

	return remote->ops->exec(remote, command, ret_reply, e);
}

/* The last line that says something, without its newline; "" when there is none. */
static struct text last_line(const struct text *text)
{
	const char *bytes = text_str(text);
	size_t end = strlen(bytes);
	struct text line = { 0 };

	while (end > 0 && strchr("\r\n\t ", bytes[end - 1]) != NULL)
		end--;

	size_t start = end;

	while (start > 0 && bytes[start - 1] != '\n')
		start--;
	text_add_bytes(&line, bytes + start, end - start);
	return line;
}

bool remote_run(struct remote *remote, const struct command *command, struct reply *ret_reply,
		struct err *e)
{
	struct reply reply = { 0 };

	if (!remote_exec(remote, command, &reply, e))
		return false;
	if (reply.exit_status == 0) {
		*ret_reply = reply;
		return true;
	}

	struct text said = last_line(reply.err.length_bytes > 0 ? &reply.err : &reply.out);
	const char *name = remote->host->name;

	if (said.length_bytes == 0)
		text_add(&said, "it said nothing");
	if (reply.signal_name != NULL)
		err_set(e, ERR_REMOTE, "run `%s` on %s: ended by SIG%s: %s", command->argv[0], name,
			reply.signal_name, text_str(&said));
	else
		err_set(e, ERR_REMOTE, "run `%s` on %s: exit status %d: %s", command->argv[0], name,
			reply.exit_status, text_str(&said));
	text_release(&said);
	reply_release(&reply);
	return false;
}

bool remote_is_alive(struct remote *remote, struct err *e)
{
	assert(remote != NULL);
	return remote->ops->is_alive(remote, e);
}

void remote_close(struct remote *remote)
{
	if (remote == NULL)
		return;
	remote->ops->close(remote);
}

void reply_add(struct reply *reply, struct text *stream, const char *bytes, size_t length_bytes)
{
	assert(stream == &reply->out || stream == &reply->err);
	assert(stream->length_bytes <= LIMIT_COMMAND_OUTPUT_BYTES);

	const size_t room_bytes = LIMIT_COMMAND_OUTPUT_BYTES - stream->length_bytes;

	if (length_bytes > room_bytes)
		reply->is_cut = true;
	text_add_bytes(stream, bytes, length_bytes < room_bytes ? length_bytes : room_bytes);
}

void reply_release(struct reply *reply)
{
	text_release(&reply->out);
	text_release(&reply->err);
	*reply = (struct reply){ 0 };
}

void pipe_guard_init(struct pipe_guard *guard)
{
	sigset_t pending;
	sigset_t pipe_only;
	int outcome;

	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	(void)sigpending(&pending);
	guard->was_pending = sigismember(&pending, SIGPIPE) == 1;
	outcome = pthread_sigmask(SIG_BLOCK, &pipe_only, &guard->old);
	assert(outcome == 0);
}

void pipe_guard_release(const struct pipe_guard *guard)
{
	const struct timespec at_once = { 0 };
	sigset_t pipe_only;
	int outcome;

	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	if (!guard->was_pending)
		(void)sigtimedwait(&pipe_only, NULL, &at_once); /* ours, when there is one */
	outcome = pthread_sigmask(SIG_SETMASK, &guard->old, NULL);
	assert(outcome == 0);
}

static bool open_real(void *ctx, const struct host *host, const struct clock *clock,
		      int64_t timeout_ns, struct remote **ret_remote, struct err *e)
{
	(void)ctx;
	if (host->is_local)
		return local_open(host, clock, ret_remote, e);
	return ssh_open(host, clock, timeout_ns, ret_remote, e);
}

struct remote_opener remote_opener_real(void)
{
	return (struct remote_opener){ .open = open_real };
}
