/*
 * remote.h - running one command on one host, however it is reached.
 *
 * Ways: SSH (remote/ssh.c), this machine (remote/local.c), scripted (fixtures/fake_remote.c). A
 * command is argv; the SSH way quotes it once, in quote.c. A remote belongs to one thread at a
 * time.
 *
 * A remote that was lost, or whose command ran into its deadline over SSH, is dead for good: every
 * later exec fails at once. Whoever needs the host again closes it and opens a new one; nothing
 * reconnects behind the caller's back, because only the caller knows what a half-done command
 * means. On this machine a late command is killed with its children; as root over SSH it goes on.
 */
#ifndef REMOTE_REMOTE_H
#define REMOTE_REMOTE_H

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "model/inventory.h"

struct command {
	const char *const *argv; /* NULL ends it */
	const char *input;       /* for its standard input; NULL: none */
	int64_t timeout_ns;      /* from the call; passing it is ERR_DEADLINE */
};

/* Zero-initialise; reply_release. Text beyond LIMIT_COMMAND_OUTPUT_BYTES is dropped: is_cut. */
struct reply {
	int exit_status;   /* 0..255; -1 when a signal ended it */
	const char *signal_name; /* "KILL" (static text), or NULL */
	struct text out;
	struct text err;
	bool is_cut;
	int64_t sent_ns;   /* just before the command left */
	int64_t done_ns;   /* when its exit status arrived */
};

struct remote;

/* What a way of reaching hosts must do. */
struct remote_ops {
	const char *name;
	bool (*exec)(struct remote *remote, const struct command *command, struct reply *ret_reply,
		     struct err *e);
	/* Sends a keepalive; false when the session is lost. Never waits longer than a second. */
	bool (*is_alive)(struct remote *remote, struct err *e);
	void (*close)(struct remote *remote);
};

struct remote {
	const struct remote_ops *ops;
	const struct host *host;
	const struct clock *clock;
};

/* Opens hosts; passed to the engine, so that tests can pass a scripted one. */
struct remote_opener {
	bool (*open)(void *ctx, const struct host *host, const struct clock *clock,
		     int64_t timeout_ns, struct remote **ret_remote, struct err *e);
	void *ctx;
};

/* The real opener: local.c for `local: true`, ssh.c for the others. */
struct remote_opener remote_opener_real(void);

/*
 * Runs the command. True when it ran and its end is known, whatever its exit status. False: not
 * reached, lost or timed out; then it may or may not have had its effect. e says which.
 */
bool remote_exec(struct remote *remote, const struct command *command, struct reply *ret_reply,
		 struct err *e);
/* The same, and an exit status other than 0 is ERR_REMOTE with the last line of its stderr. */
bool remote_run(struct remote *remote, const struct command *command, struct reply *ret_reply,
		struct err *e);
bool remote_is_alive(struct remote *remote, struct err *e);
void remote_close(struct remote *remote); /* NULL is fine */
void reply_release(struct reply *reply);

/*
 * Adds argv as one line for a POSIX shell, which will see exactly these words. Words that mean
 * nothing to a shell stay bare, so that people can read the line. The only quoting in the program.
 */
void quote_argv(const char *const *argv, struct text *text);

#endif
